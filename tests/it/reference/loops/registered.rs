//! What is counted over procedures and agencies, by loops over the registries.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use motcua::model::agency::{Agency, AgencyKind, Tier};
use motcua::model::period::Period;
use motcua::model::procedure::{Offer, Offerer, Procedure};

use super::life::{end_of, is_working};
use super::{Counts, Facts, Key, Reading, day_of, periods_with, scopes_of, went};

/// What is counted over procedures and agencies (domain C.1, 3.3.1–3.3.4, 7.1.4, 7.2.1, 7.3.1).
pub(super) fn registered_figures(
    figures: &mut BTreeMap<Key, Counts>,
    facts: &[Facts<'_>],
    now: i64,
    reading: Reading,
    registries: (&[Agency], &[Procedure], &[Offer]),
) {
    let mut having: BTreeMap<&str, Units> = BTreeMap::new();
    for id in ["par-7.2.1", "par-7.3.1"] {
        let mut found = Units::new();
        for one in facts.iter().filter(|one| one.in_competence) {
            let online_level = matches!(one.level.as_deref(), Some("partial" | "full"));
            let counts = match id {
                "par-7.2.1" => online_level && one.online,
                _ => went(one, false, reading) || one.returned_on.is_some() && went(one, true, reading),
            };
            for (tier, agency) in scopes_of(one) {
                for period in periods_with(one.received_on) {
                    let units = found.entry((tier, agency.clone(), period)).or_default();
                    units.extend(one.procedure.clone().filter(|_| counts));
                }
            }
        }
        having.insert(id, found);
    }
    // What the registries say of themselves stands in every period in which anything was received.
    let periods: BTreeSet<Period> = facts.iter().flat_map(|one| periods_with(one.received_on)).collect();
    let (agencies, ..) = registries;
    let mut scopes = vec![(None, None)];
    scopes.extend(Tier::ALL.map(|tier| (Some(tier), None)));
    let of_agencies = agencies.iter().map(|agency| (Some(agency.tier), Some(agency.code.clone())));
    for &period in &periods {
        for (tier, agency) in scopes.iter().cloned().chain(of_agencies.clone()) {
            let key = |id: &str| (id.to_owned(), tier, agency.clone(), period);
            for id in ["par-3.3.3", "par-3.3.4"] {
                let count = registered(id, tier, agency.as_deref(), period, registries).len() as u64;
                if agency.is_none() {
                    let counts = Counts { numerator: count, denominator: 0, reachable: count, one_sided: 0 };
                    figures.insert(key(id), counts);
                }
            }
            // What a tier offers before or after an agency's days is not its own.
            let known = agency.as_ref().and_then(|code| agencies.iter().find(|known| known.code == *code));
            let from = known.and_then(|known| known.valid_from).map_or(period.start(), |day| day.max(period.start()));
            let to = known.and_then(|known| known.valid_to).map_or(period.end(), |day| day.min(period.end()));
            if from > to {
                continue;
            }
            let days = Period::Range { from, to };
            for (id, elsewhere) in [("par-3.3.1", "3.3.1 elsewhere"), ("par-3.3.2", "3.3.2 elsewhere")] {
                let whole = registered(id, tier, agency.as_deref(), days, registries);
                let elsewhere = registered(elsewhere, tier, agency.as_deref(), days, registries);
                let (part, whole) = (whole.difference(&elsewhere).count() as u64, whole.len() as u64);
                if whole > 0 {
                    let counts = Counts { numerator: part, denominator: whole, reachable: part, one_sided: 0 };
                    figures.insert(key(id), counts);
                }
            }
            for (id, found) in &having {
                let whole = registered(id, tier, agency.as_deref(), days, registries);
                let units = found.get(&(tier, agency.clone(), period));
                let part = units.map_or(0, |units| units.intersection(&whole).count() as u64);
                let whole = whole.len() as u64;
                let reachable = if end_of(period.end()) >= now { whole } else { part };
                if whole > 0 {
                    let counts = Counts { numerator: part, denominator: whole, reachable, one_sided: 0 };
                    figures.insert(key(id), counts);
                }
            }
            // Those that stand at the end, or now: one that ended before cannot be connected any more.
            let end = Period::Day(period.end().min(day_of(now)));
            let whole = registered("par-7.1.4", tier, agency.as_deref(), end, registries);
            let connected = whole.iter().filter(|code| is_connected(code, period, facts, now)).count() as u64;
            let whole = whole.len() as u64;
            let reachable = if end_of(period.end()) >= now { whole } else { connected };
            if whole > 0 {
                let counts = Counts { numerator: connected, denominator: whole, reachable, one_sided: 0 };
                figures.insert(key("par-7.1.4"), counts);
            }
        }
    }
}

/// Whether an agency received a dossier in the last ten working days before the period's end, or before the night.
fn is_connected(code: &str, period: Period, facts: &[Facts<'_>], now: i64) -> bool {
    let last = period.end().min(day_of(now));
    let (mut first, mut left) = (last, 10);
    loop {
        if is_working(first) {
            left -= 1;
        }
        if left == 0 {
            break;
        }
        first = first.yesterday().expect("in this millennium");
    }
    let is_its = |one: &&Facts<'_>| {
        one.row.is_some_and(|agency| agency.code == code) && !one.agency.is_some_and(|agency| agency.vertical)
    };
    facts.iter().filter(is_its).any(|one| first <= one.received_on && one.received_on <= last)
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
        for known in agencies.iter().filter(|known| agency.is_none_or(|code| known.code == code)) {
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
        // An agency's own row comes before that of its tier; where it names no level that of the tier holds.
        let own = |other: &&Offer| {
            agency.is_some_and(|code| other.offerer == Offerer::Agency(code.to_owned()))
                && other.procedure == offer.procedure
                && stands(other.valid_from, other.valid_to)
        };
        if offerer.is_none() && offers.iter().any(|other| own(&other)) {
            continue;
        }
        let of_tier = |other: &&Offer| {
            other.procedure == offer.procedure && other.offerer == Offerer::Tier(offerer_tier.expect("known"))
        };
        let level = offer.online_level.clone().or_else(|| offers.iter().rfind(of_tier)?.online_level.clone());
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
            "par-3.3.1" => !offer.one_stop_exempt,
            "3.3.1 elsewhere" => !offer.one_stop_exempt && !offer.at_one_stop,
            "par-3.3.2" => offer.list_1291,
            "3.3.2 elsewhere" => offer.list_1291 && !offer.at_one_stop,
            "par-7.2.1" => matches!(level.as_deref(), Some("partial" | "full")),
            _ => offer.postal_submission || offer.postal_return,
        };
        // The list of QĐ 1291 is one of vertical agencies' procedures.
        let vertical = vertical && !id.contains("3.3.2");
        if in_scope && !vertical && wanted && stands(offer.valid_from, offer.valid_to) {
            whole.insert(offer.procedure.clone());
        }
    }
    whole
}
