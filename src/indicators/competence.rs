//! On which days an agency is competent to resolve any procedure, by the registry of offers.

use jiff::civil::{Date, date};

use crate::model::agency::Agency;
use crate::model::procedure::{Offer, Offerer};

/// Days of an agency on which it has a competent procedure, or on which it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CompetenceDays {
    /// First day; `None` if it is not limited.
    pub(super) from: Option<Date>,
    /// Last day, inclusive.
    pub(super) to: Option<Date>,
    pub(super) has_procedures: bool,
}

/// The days on which an agency exists, divided where an offer of it or of its tier begins or ends.
pub(super) fn competence_days(agency: &Agency, offers: &[Offer]) -> Vec<CompetenceDays> {
    let is_own = |offer: &&Offer| offer.offerer == Offerer::Agency(agency.code.clone());
    let own: Vec<&Offer> = offers.iter().filter(is_own).collect();
    let of_tier: Vec<&Offer> = offers.iter().filter(|offer| offer.offerer == Offerer::Tier(agency.tier)).collect();
    let exists = |day: &Date| {
        agency.valid_from.is_none_or(|from| from < *day) && agency.valid_to.is_none_or(|last| *day <= last)
    };
    let mut changes: Vec<Date> = own
        .iter()
        .chain(&of_tier)
        .flat_map(|offer| [offer.valid_from, offer.valid_to.and_then(|last| last.tomorrow().ok())])
        .flatten()
        .filter(exists)
        .collect();
    changes.sort_unstable();
    changes.dedup();
    let firsts = std::iter::once(agency.valid_from).chain(changes.iter().copied().map(Some));
    let lasts = changes.iter().map(|day| day.yesterday().ok()).chain([agency.valid_to]);
    let days = firsts.zip(lasts).map(|(from, to)| {
        // All days of a part are alike; a part without limits has no offer that begins or ends.
        let day = from.or(to).unwrap_or(date(2000, 1, 1));
        let is_competent = |offer: &&&Offer| is_lead(offer) && is_valid(offer, day);
        // An agency's own offer replaces that of its tier.
        let is_replaced = |offer: &Offer| own.iter().any(|own| own.procedure == offer.procedure && is_valid(own, day));
        let has_procedures = own.iter().any(|offer| is_competent(&offer))
            || of_tier.iter().any(|offer| is_competent(&offer) && !is_replaced(offer));
        CompetenceDays { from, to, has_procedures }
    });
    days.collect()
}

/// Whether the offerer resolves the procedure; a cooperating agency only takes part.
fn is_lead(offer: &Offer) -> bool {
    offer.role.as_deref() != Some("cooperating")
}

fn is_valid(offer: &Offer, day: Date) -> bool {
    offer.valid_from.is_none_or(|from| from <= day) && offer.valid_to.is_none_or(|last| day <= last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agency::{AgencyKind, Tier};

    fn offer(procedure: &str, offerer: Offerer, role: &str, from: Option<Date>, to: Option<Date>) -> Offer {
        Offer {
            procedure: procedure.to_owned(),
            offerer,
            role: Some(role.to_owned()),
            at_one_stop: true,
            one_stop_exempt: false,
            list_1291: false,
            online_level: None,
            postal_submission: false,
            postal_return: false,
            interlinked: None,
            group_code: None,
            valid_from: from,
            valid_to: to,
        }
    }

    fn days(offers: &[Offer], from: Option<Date>, to: Option<Date>) -> Vec<(Option<Date>, Option<Date>, bool)> {
        let agency = Agency {
            code: "S1".to_owned(),
            other_codes: Vec::new(),
            name: "Sở mẫu".to_owned(),
            aliases: Vec::new(),
            kind: AgencyKind::Specialised,
            tier: Tier::Province,
            vertical: false,
            parent: None,
            valid_from: from,
            valid_to: to,
        };
        let parts = competence_days(&agency, offers);
        parts.into_iter().map(|days| (days.from, days.to, days.has_procedures)).collect()
    }

    #[test]
    fn an_agency_is_competent_while_it_or_its_tier_has_a_lead_offer() {
        let own = || Offerer::Agency("S1".to_owned());
        let (april, may, june) = (Some(date(2025, 4, 1)), Some(date(2025, 5, 1)), Some(date(2025, 6, 1)));
        let last_of = |day: Option<Date>| day.and_then(|day| day.yesterday().ok());
        // Nothing, or only a part in others' procedures, or other agencies' and tiers' offers.
        assert_eq!(days(&[], None, None), [(None, None, false)]);
        let others = [
            offer("1", own(), "cooperating", None, None),
            offer("2", Offerer::Agency("S2".to_owned()), "lead", None, None),
            offer("3", Offerer::Tier(Tier::Commune), "lead", None, None),
        ];
        assert_eq!(days(&others, None, None), [(None, None, false)]);
        // From May on.
        let from_may = [offer("1", own(), "lead", may, None)];
        assert_eq!(days(&from_may, None, None), [(None, last_of(may), false), (may, None, true)]);
        assert_eq!(days(&from_may, june, None), [(june, None, true)], "it began before the agency did");
        assert_eq!(days(&from_may, None, last_of(may)), [(None, last_of(may), false)]);
        // The tier's offer counts, except in May, when the agency only takes part in the procedure.
        let replaced = [
            offer("1", Offerer::Tier(Tier::Province), "lead", None, None),
            offer("1", own(), "cooperating", may, last_of(june)),
        ];
        assert_eq!(
            days(&replaced, april, None),
            [(april, last_of(may), true), (may, last_of(june), false), (june, None, true)]
        );
    }
}
