//! What is counted over procedures and agencies, by loops over the registries.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use motcua::model::agency::{Agency, AgencyKind, Tier};
use motcua::model::period::Period;
use motcua::model::procedure::{Offer, Offerer, Procedure};

use super::life::end_of;
use super::{Counts, Facts, Key, Reading, day_of, periods_with, scopes_of, went};

/// What is counted over procedures and agencies (domain C.1, 3.3.3, 3.3.4, 7.1.4, 7.2.1, 7.3.1).
pub(super) fn registered_figures(
    figures: &mut BTreeMap<Key, Counts>,
    facts: &[Facts<'_>],
    now: i64,
    reading: Reading,
    registries: (&[Agency], &[Procedure], &[Offer]),
) {
    let figures_of = |figures: &mut BTreeMap<Key, Counts>, id: &str, found: Units, ratio: bool| {
        for ((tier, agency, period), units) in found {
            let whole = registered(id, tier, agency.as_deref(), period, registries);
            let with = units.intersection(&whole).count() as u64;
            let whole = whole.len() as u64;
            let part = if ratio { with } else { whole };
            let reachable = if ratio && end_of(period.end()) >= now { whole } else { part };
            let denominator = if ratio { whole } else { 0 };
            figures.insert(
                (id.to_owned(), tier, agency, period),
                Counts { numerator: part, denominator, reachable, one_sided: 0 },
            );
        }
    };
    for (id, ratio) in [("par-3.3.3", false), ("par-3.3.4", false), ("par-7.2.1", true), ("par-7.3.1", true)] {
        let mut found = Units::new();
        for one in facts.iter().filter(|one| one.in_competence) {
            let online_level = matches!(one.level.as_deref(), Some("partial" | "full"));
            let counts = match id {
                "par-7.2.1" if !online_level => continue,
                "par-7.2.1" => one.online,
                "par-7.3.1" => went(one, false, reading) || one.returned_on.is_some() && went(one, true, reading),
                _ => true,
            };
            for (tier, agency) in scopes_of(one).into_iter().filter(|(_, agency)| ratio || agency.is_none()) {
                for period in periods_with(one.received_on) {
                    let units = found.entry((tier, agency.clone(), period)).or_default();
                    units.extend(one.procedure.clone().filter(|_| counts));
                }
            }
        }
        figures_of(figures, id, found, ratio);
    }
    let mut found = Units::new();
    for one in facts.iter().filter(|one| !one.agency.is_some_and(|agency| agency.vertical)) {
        for period in periods_with(one.received_on) {
            let last = period.end().min(day_of(now));
            // The two half-months up to the last day that has come.
            let first = if last.day() >= 15 {
                last.first_of_month()
            } else {
                let before = last.first_of_month().yesterday().expect("in this millennium");
                jiff::civil::date(before.year(), before.month(), 15)
            };
            for (tier, agency) in scopes_of(one).into_iter().filter(|(_, agency)| agency.is_none()) {
                let units = found.entry((tier, agency, period)).or_default();
                units.extend(Some(one.own.clone()).filter(|_| one.received_on >= first && one.agency.is_none()));
                units.extend(one.agency.map(|agency| agency.code.clone()).filter(|_| one.received_on >= first));
            }
        }
    }
    figures_of(figures, "par-7.1.4", found, true);
}

/// Procedures or agencies found with a dossier, by tier, agency and period.
type Units = BTreeMap<(Option<Tier>, Option<String>, Period), BTreeSet<String>>;

/// What the registries hold for an indicator on any day of a period.
fn registered(
    id: &str,
    tier: Option<Tier>,
    agency: Option<&str>,
    period: Period,
    (agencies, procedures, offers): (&[Agency], &[Procedure], &[Offer]),
) -> BTreeSet<String> {
    let stands = |from: Option<Date>, to: Option<Date>| {
        from.is_none_or(|from| from <= period.end()) && to.is_none_or(|to| to >= period.start())
    };
    let mut whole = BTreeSet::new();
    if id == "par-7.1.4" {
        for known in agencies {
            let kind = matches!(known.kind, AgencyKind::Specialised | AgencyKind::District | AgencyKind::Commune);
            let in_scope = tier.is_none_or(|tier| known.tier == tier);
            if kind && !known.vertical && in_scope && stands(known.valid_from, known.valid_to) {
                whole.insert(known.code.clone());
            }
        }
        return whole;
    }
    for offer in offers {
        let (offerer_tier, offerer) = match &offer.offerer {
            Offerer::Tier(tier) => (Some(*tier), None),
            Offerer::Agency(code) => {
                let known = agencies.iter().find(|known| known.code == *code).expect("offers name the registry's");
                (Some(known.tier), Some(known))
            }
        };
        let in_scope = match (tier, agency) {
            (None, None) => true,
            (_, Some(code)) => offerer.map_or(tier.is_some() && tier == offerer_tier, |known| known.code == code),
            (Some(_), None) => tier == offerer_tier,
        };
        let vertical = offerer.is_some_and(|known| known.vertical)
            || procedures.iter().any(|procedure| procedure.code == offer.procedure && procedure.vertical);
        let wanted = match id {
            "par-3.3.3" => offer.interlinked.as_deref() == Some("same_level"),
            "par-3.3.4" => offer.interlinked.as_deref() == Some("between_levels"),
            "par-7.2.1" => matches!(offer.online_level.as_deref(), Some("partial" | "full")),
            _ => offer.postal_submission || offer.postal_return,
        };
        if in_scope && !vertical && wanted && stands(offer.valid_from, offer.valid_to) {
            whole.insert(offer.procedure.clone());
        }
    }
    whole
}
