//! The list of procedures behind an indicator that counts them by the registry (danh mục TTHC).

use crate::indicators::IndicatorError;
use crate::indicators::registry_rows::offers_with;
use crate::model::agency::Agency;
use crate::model::indicator::IndicatorDefinition;
use crate::model::period::Period;
use crate::model::procedure::{Offer, Offerer, Procedure};

/// A row of the list: an offer of a procedure that the indicator counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedOffer<'a> {
    pub offer: &'a Offer,
    /// Name of the procedure; `None` if the registry does not have it.
    pub name: Option<&'a str>,
    /// Name of the agency; `None` for a tier.
    pub agency_name: Option<&'a str>,
    /// Whether this very offer is counted; else it belongs to a procedure that another offer brings into the list, such
    /// as the part of a cooperating agency.
    pub is_counted: bool,
}

/// The offers of every procedure that an indicator counts, in the order of their groups and codes, so that a procedure
/// stands with its lead and its cooperating agencies. `period`: only offers valid on a day of it. `agency`: only
/// procedures that this agency offers, or all agencies of its tier.
///
/// # Errors
/// A predicate that Polars does not accept.
pub fn list_offers<'a>(
    (agencies, procedures, offers): (&'a [Agency], &'a [Procedure], &'a [Offer]),
    definition: &IndicatorDefinition,
    period: Option<Period>,
    agency: Option<&Agency>,
) -> Result<Vec<ListedOffer<'a>>, IndicatorError> {
    let counted = offers_with(agencies, procedures, offers, definition)?;
    let is_valid = |offer: &Offer| {
        period.is_none_or(|period| {
            offer.valid_from.is_none_or(|from| from <= period.end())
                && offer.valid_to.is_none_or(|last| period.start() <= last)
        })
    };
    let is_its = |offer: &Offer| {
        agency.is_none_or(|agency| match &offer.offerer {
            Offerer::Agency(code) => *code == agency.code,
            Offerer::Tier(tier) => *tier == agency.tier,
        })
    };
    let mut listed: Vec<&str> = offers
        .iter()
        .zip(&counted)
        .filter(|(offer, is_counted)| **is_counted && is_valid(offer) && is_its(offer))
        .map(|(offer, _)| offer.procedure.as_str())
        .collect();
    listed.sort_unstable();
    listed.dedup();
    let name_of =
        |offer: &Offer| procedures.iter().find(|known| known.code == offer.procedure).map(|known| known.name.as_str());
    let agency_name_of = |offer: &Offer| match &offer.offerer {
        Offerer::Agency(code) => agencies.iter().find(|known| known.code == *code).map(|known| known.name.as_str()),
        Offerer::Tier(_) => None,
    };
    let mut rows: Vec<ListedOffer<'a>> = offers
        .iter()
        .zip(&counted)
        .filter(|(offer, _)| is_valid(offer) && listed.binary_search(&offer.procedure.as_str()).is_ok())
        .map(|(offer, is_counted)| ListedOffer {
            offer,
            name: name_of(offer),
            agency_name: agency_name_of(offer),
            is_counted: *is_counted,
        })
        .collect();
    // `None` comes first: procedures without a group, then group by group.
    rows.sort_by(|left, right| {
        let key = |row: &ListedOffer<'a>| {
            let is_cooperating = row.offer.role.as_deref() == Some("cooperating");
            (row.offer.group_code.as_deref(), row.offer.procedure.as_str(), is_cooperating)
        };
        key(left).cmp(&key(right))
    });
    Ok(rows)
}
