//! The indicators that count procedures and agencies, computed by loops over the registries.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use motcua::model::agency::{Agency, AgencyKind, Tier};
use motcua::model::period::Period;
use motcua::model::procedure::{Offer, Offerer, Procedure};
use strum::IntoEnumIterator as _;

use super::outcome::{end_of, is_working};
use super::{
    FigureCounts, FigureKey, ReceivedDossier, ShippedRules, both, day_of, is_online_level, is_postal, periods_with,
    scopes_of, settled,
};

/// The indicators 3.3.1–3.3.4, 7.1.4, 7.2.1 and 7.3.1.
pub(super) fn registry_figures(
    figures: &mut BTreeMap<FigureKey, FigureCounts>,
    received: &[ReceivedDossier<'_>],
    now: i64,
    rules: ShippedRules,
    registries: (&[Agency], &[Procedure], &[Offer]),
) {
    let mut with_dossiers: BTreeMap<&str, [FoundProcedures; 2]> = BTreeMap::new();
    for id in ["par-7.2.1", "par-7.3.1"] {
        let mut found = FoundProcedures::new();
        let mut possible = FoundProcedures::new();
        for dossier in received.iter().filter(|dossier| dossier.in_competence) {
            let counts = match id {
                "par-7.2.1" => {
                    let counts = both(is_online_level(dossier.level.as_deref()), dossier.online);
                    vec![(Some(dossier.received_on), counts)]
                }
                // Each side by its own day.
                _ => vec![
                    (Some(dossier.received_on), is_postal(dossier, false, rules)),
                    (dossier.returned_on, is_postal(dossier, true, rules)),
                ],
            };
            for (day, counts) in counts {
                let found = match counts {
                    Some(true) => &mut found,
                    None => &mut possible,
                    Some(false) => continue,
                };
                for (tier, agency) in scopes_of(dossier) {
                    for period in day.into_iter().flat_map(periods_with) {
                        let procedures = found.entry((tier, agency.clone(), period)).or_default();
                        procedures.extend(dossier.procedure.clone());
                    }
                }
            }
        }
        with_dossiers.insert(id, [found, possible]);
    }
    // Registries are counted in every period in which any dossier was received; procedures with dossiers of a kind also
    // where there is one of these.
    let with_receptions: BTreeSet<Period> =
        received.iter().flat_map(|dossier| periods_with(dossier.received_on)).collect();
    let mut periods = with_receptions.clone();
    periods.extend(with_dossiers.values().flat_map(|[found, _]| found.keys().map(|(.., period)| *period)));
    let (agencies, ..) = registries;
    let mut scopes = vec![(None, None)];
    scopes.extend(Tier::iter().map(|tier| (Some(tier), None)));
    let of_agencies = agencies.iter().map(|agency| (Some(agency.tier), Some(agency.code.clone())));
    for &period in &periods {
        for (tier, agency) in scopes.iter().cloned().chain(of_agencies.clone()) {
            let key = |id: &str| (id.to_owned(), tier, agency.clone(), period);
            // What a tier offers on days on which an agency does not exist does not count for the agency.
            let known = agency.as_ref().and_then(|code| agencies.iter().find(|known| known.code == *code));
            let from = known.and_then(|known| known.valid_from).map_or(period.start(), |day| day.max(period.start()));
            let to = known.and_then(|known| known.valid_to).map_or(period.end(), |day| day.min(period.end()));
            if from > to {
                continue;
            }
            let days = Period::Range { from, to };
            // Agencies are counted as of the last day, or now: one that ended before cannot be connected any more.
            let last_day = Period::Day(period.end().min(day_of(now)));
            let counted = [("par-3.3.3", days), ("par-3.3.4", days), ("par-7.1.4-without-procedures", last_day)];
            for (id, days) in counted.into_iter().filter(|_| with_receptions.contains(&period)) {
                let count = registry_codes(id, tier, agency.as_deref(), days, registries).len() as u64;
                if agency.is_none() || count > 0 {
                    let counts = settled(count, 0);
                    figures.insert(key(id), counts);
                }
            }
            for (id, elsewhere) in [("par-3.3.1", "3.3.1 elsewhere"), ("par-3.3.2", "3.3.2 elsewhere")] {
                if !with_receptions.contains(&period) {
                    continue;
                }
                let offered = registry_codes(id, tier, agency.as_deref(), days, registries);
                let elsewhere = registry_codes(elsewhere, tier, agency.as_deref(), days, registries);
                let (numerator, denominator) = (offered.difference(&elsewhere).count() as u64, offered.len() as u64);
                if denominator > 0 {
                    figures.insert(key(id), settled(numerator, denominator));
                }
            }
            for (id, found) in &with_dossiers {
                if !with_receptions.contains(&period) && !found[0].keys().any(|(.., with)| *with == period) {
                    continue;
                }
                let offered = registry_codes(id, tier, agency.as_deref(), days, registries);
                let none = BTreeSet::new();
                let [found, possible] =
                    found.each_ref().map(|found| found.get(&(tier, agency.clone(), period)).unwrap_or(&none));
                let numerator = found.intersection(&offered).count() as u64;
                let unknown = possible.difference(found).filter(|code| offered.contains(*code)).count() as u64;
                let denominator = offered.len() as u64;
                let reachable = if end_of(period.end()) >= now { denominator } else { numerator };
                if denominator > 0 {
                    let counts = FigureCounts { reachable, unknown, ..settled(numerator, denominator) };
                    figures.insert(key(id), counts);
                }
            }
            if !with_receptions.contains(&period) {
                continue;
            }
            let existing = registry_codes("par-7.1.4", tier, agency.as_deref(), last_day, registries);
            let connected = existing.iter().filter(|code| is_connected(code, period, received, now)).count() as u64;
            let denominator = existing.len() as u64;
            let reachable = if end_of(period.end()) >= now { denominator } else { connected };
            if denominator > 0 {
                let counts = FigureCounts { reachable, ..settled(connected, denominator) };
                figures.insert(key("par-7.1.4"), counts);
            }
        }
    }
}

/// Whether an agency received a dossier in the last ten working days up to the period's end, or up to the night.
fn is_connected(code: &str, period: Period, received: &[ReceivedDossier<'_>], now: i64) -> bool {
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
    let is_its = |dossier: &&ReceivedDossier<'_>| {
        dossier.attributed.is_some_and(|agency| agency.code == code)
            && !dossier.competent.is_some_and(|agency| agency.vertical)
    };
    received.iter().filter(is_its).any(|dossier| first <= dossier.received_on && dossier.received_on <= last)
}

/// Procedures that have a dossier of a kind, by tier, agency and period.
type FoundProcedures = BTreeMap<(Option<Tier>, Option<String>, Period), BTreeSet<String>>;

/// The codes of procedures or agencies that an indicator counts, of those that are valid on any day of a period.
fn registry_codes(
    id: &str,
    tier: Option<Tier>,
    agency: Option<&str>,
    period: Period,
    (agencies, procedures, offers): (&[Agency], &[Procedure], &[Offer]),
) -> BTreeSet<String> {
    let is_valid = |from: Option<Date>, to: Option<Date>| {
        from.is_none_or(|from| from <= period.end()) && to.is_none_or(|to| to >= period.start())
    };
    let mut codes = BTreeSet::new();
    if id.starts_with("par-7.1.4") {
        let is_valid_offer = |offer: &&Offer| is_valid(offer.valid_from, offer.valid_to);
        let is_competent = |known: &Agency| {
            offers.iter().filter(is_valid_offer).any(|offer| {
                let by_itself = |other: &Offer| other.offerer == Offerer::Agency(known.code.clone());
                let mut own = offers.iter().filter(is_valid_offer).filter(|other| by_itself(other));
                let is_replaced = own.any(|other| other.procedure == offer.procedure);
                let is_its = by_itself(offer) || (offer.offerer == Offerer::Tier(known.tier) && !is_replaced);
                is_its && offer.role.as_deref() != Some("cooperating")
            })
        };
        for known in agencies.iter().filter(|known| agency.is_none_or(|code| known.code == code)) {
            let kind = matches!(known.kind, AgencyKind::Specialised | AgencyKind::District | AgencyKind::Commune);
            let in_scope = tier.is_none_or(|tier| known.tier == tier);
            let is_wanted = is_competent(known) != id.ends_with("-without-procedures");
            if kind && !known.vertical && in_scope && is_valid(known.valid_from, known.valid_to) && is_wanted {
                codes.insert(known.code.clone());
            }
        }
        return codes;
    }
    for offer in offers {
        let (offerer_tier, offerer) = match &offer.offerer {
            Offerer::Tier(tier) => (Some(*tier), None),
            Offerer::Agency(code) => {
                let known =
                    agencies.iter().find(|known| known.code == *code).expect("the agency of an offer is registered");
                (Some(known.tier), Some(known))
            }
        };
        // An agency's own offer overrides that of its tier. If it names no level, the tier's level counts.
        let own = |other: &&Offer| {
            agency.is_some_and(|code| other.offerer == Offerer::Agency(code.to_owned()))
                && other.procedure == offer.procedure
                && is_valid(other.valid_from, other.valid_to)
        };
        if offerer.is_none() && offers.iter().any(|other| own(&other)) {
            continue;
        }
        let is_online_on = |day: Date| {
            let is_on =
                |one: &&Offer| one.valid_from.is_none_or(|from| from <= day) && one.valid_to.is_none_or(|to| day <= to);
            let of_tier = |other: &&Offer| {
                other.procedure == offer.procedure
                    && other.offerer == Offerer::Tier(offerer_tier.expect("every offerer has a tier"))
            };
            let of_tier = || offers.iter().filter(of_tier).rfind(is_on)?.online_level.clone();
            let level = offer.online_level.clone().or_else(of_tier);
            is_on(&offer) && matches!(level.as_deref(), Some("partial" | "full"))
        };
        let days = || period.start().series(jiff::ToSpan::day(1)).take_while(|day| *day <= period.end());
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
            "par-7.2.1" => in_scope && days().any(is_online_on),
            _ => offer.postal_submission || offer.postal_return,
        };
        // The list of QĐ 1291 has procedures of vertical agencies.
        let vertical = vertical && !id.contains("3.3.2");
        if in_scope && !vertical && wanted && is_valid(offer.valid_from, offer.valid_to) {
            codes.insert(offer.procedure.clone());
        }
    }
    codes
}
