//! The shipped indicators computed a second time: dossier by dossier, in plain loops, for comparison.
//!
//! The loops are written from the decisions and from the letters of the rule sets (docs/ARCHITECTURE.md). They share
//! the types of `model` with the program, and nothing of `src/indicators`.

mod form;
mod outcome;
mod postal_classes;
mod received;
mod registry_counts;
mod worklists;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use motcua::model::agency::{AgencyKind, Tier};
use motcua::model::instant::local;
use motcua::model::period::Period;
use motcua::model::rules::AgencyView;

pub(super) use form::form_cells;
use outcome::{Apology, end_of};
pub(super) use postal_classes::postal_classes;
use received::{ReceivedDossier, joined, received_dossier};
use registry_counts::registry_figures;
pub(super) use worklists::worklists;

use super::province::{self, Dossier, Item};

/// Indicator, tier, agency, period.
pub(super) type FigureKey = (String, Option<Tier>, Option<String>, Period);

/// The counts of a figure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FigureCounts {
    pub(super) numerator: u64,
    pub(super) denominator: u64,
    pub(super) reachable: u64,
    /// 0 if the post plays no part in the indicator.
    pub(super) one_sided: u64,
    /// In the denominator, and not known whether in the numerator.
    pub(super) unknown: u64,
    /// Not known whether in the denominator.
    pub(super) undecided: u64,
}

/// What a dossier is to an indicator; `None` is not known.
#[derive(Debug, Clone, Copy)]
struct Counted {
    denominator: Option<bool>,
    numerator: Option<bool>,
    reachable: bool,
    one_sided: bool,
}

impl Counted {
    /// In the denominator, and in the numerator or not; what is not there now cannot come into it later.
    fn part(numerator: Option<bool>) -> Self {
        Self { denominator: Some(true), numerator, reachable: numerator == Some(true), one_sided: false }
    }

    fn of(self, denominator: Option<bool>) -> Self {
        Self { denominator, ..self }
    }
}

/// Both, as SQL has it: one that is false decides.
fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    if left == Some(false) || right == Some(false) { Some(false) } else { Some(left? && right?) }
}

/// Either, as SQL has it: one that is true decides.
fn either(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    if left == Some(true) || right == Some(true) { Some(true) } else { Some(left? || right?) }
}

/// Whether a level is one of those offered online.
fn is_online_level(level: Option<&str>) -> Option<bool> {
    level.map(|level| matches!(level, "partial" | "full"))
}

/// A shipped rule set, written down from its sources and not read from its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShippedRules {
    Seed2639,
    Form06a,
    Qd766,
}

impl ShippedRules {
    pub(super) const ALL: [Self; 3] = [Self::Seed2639, Self::Form06a, Self::Qd766];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seed2639 => "seed-2639",
            Self::Form06a => "form-06a",
            Self::Qd766 => "qd-766",
        }
    }
}

/// The figures of all indicators, each under the same rule set and view.
pub(super) fn figures(
    dossiers: &[Dossier],
    items: &[Item],
    now: i64,
    rules: ShippedRules,
    view: AgencyView,
) -> BTreeMap<FigureKey, FigureCounts> {
    let (agencies, procedures, offers) = (province::agencies(), province::procedures(), province::offers());
    let items = &joined(items);
    let mut received = Vec::new();
    for dossier in dossiers {
        received.extend(received_dossier(
            dossier,
            (dossiers, items),
            &agencies,
            &procedures,
            &offers,
            (now, rules, view),
        ));
    }
    let mut figures = BTreeMap::new();
    // The moment at which states are read for a period, and whether it is the end of the period. It is the night under
    // seed-2639, and while the period is not over.
    let moment_for = |period: Period| {
        let end = end_of(period.end());
        if rules == ShippedRules::Seed2639 || end >= now { (now, false) } else { (end, true) }
    };
    for dossier in &received {
        let day = dossier.received_on;
        let not_vertical = !dossier.competent.is_some_and(|agency| agency.vertical);
        let on_time = |period: Period| {
            let (moment, is_over) = moment_for(period);
            let can_end_on_time = dossier.outcome.can_end_on_time_at(moment);
            let numerator = if dossier.outcome.ended_by(moment) {
                dossier.outcome.ended_on_time
            } else {
                Some(can_end_on_time && rules == ShippedRules::Qd766)
            };
            let reachable = numerator == Some(true) || can_end_on_time && !is_over;
            Counted { reachable, ..Counted::part(numerator) }
        };
        if not_vertical {
            let certification = dossier.certification;
            count(&mut figures, "par-3.4-certification", dossier, day, |period| on_time(period).of(certification));
            let other = certification.map(|is_one| !is_one);
            count(&mut figures, "par-3.4-without-certification", dossier, day, |period| on_time(period).of(other));
        }
        for (id, kind) in [
            ("par-3.4.1", AgencyKind::Specialised),
            ("par-3.4.2", AgencyKind::District),
            ("par-3.4.3", AgencyKind::Commune),
        ] {
            // The kind of an agency that is not registered is not known.
            let belongs = dossier.competent.map(|agency| agency.kind == kind);
            if not_vertical {
                count(&mut figures, id, dossier, day, |period| on_time(period).of(belongs));
            }
        }
        if dossier.in_competence {
            count(&mut figures, "qd766-2.1", dossier, day, on_time);
            count(&mut figures, "qd766-3.3", dossier, day, |_| Counted::part(dossier.online));
            let full = dossier.level.as_deref().map(|level| level == "full");
            count(&mut figures, "nd224-full-process", dossier, day, |_| Counted::part(full));
            let again = dossier.supplements.map(|times| times > 1);
            count(&mut figures, "par-ii.1.d", dossier, day, |_| Counted::part(again));
            let never = dossier.was_supplemented.map(|was| !was);
            count(&mut figures, "par-3.4.5-3", dossier, day, |_| Counted::part(never));
            count(&mut figures, "nd224-online", dossier, day, |_| Counted::part(dossier.online));
            if let Some(day) = dossier.ended_on {
                let on_time = dossier.outcome.ended_on_time;
                let has_apology = dossier.apology != Apology::Absent;
                let in_order = either(on_time, Some(has_apology && !dossier.outcome.is_impossible));
                count(&mut figures, "nd224-on-time", dossier, day, |_| Counted::part(on_time));
                count(&mut figures, "par-3.4.5-1", dossier, day, |_| Counted::part(on_time));
                count(&mut figures, "par-3.4.5-5", dossier, day, |_| Counted::part(in_order));
                let belongs = both(dossier.online, is_online_level(dossier.level.as_deref()));
                count(&mut figures, "par-3.4.5-9", dossier, day, |_| Counted::part(on_time).of(belongs));
            }
        }
        if not_vertical {
            source_figures(&mut figures, dossier);
            apology_figures(&mut figures, dossier, &moment_for);
            if let Some(day) = dossier.ended_on {
                count(&mut figures, "ii06a-on-time", dossier, day, |_| Counted::part(dossier.outcome.ended_on_time));
            }
        }
    }
    let competent: Vec<&ReceivedDossier<'_>> = received.iter().filter(|dossier| dossier.in_competence).collect();
    for dossier in &competent {
        let level = dossier.level.as_deref();
        count(&mut figures, "par-7.2.2", dossier, dossier.received_on, |_| {
            Counted::part(dossier.online).of(is_online_level(level))
        });
        for (id, wanted) in [("par-7.2.2-level-3", "partial"), ("par-7.2.2-level-4", "full")] {
            let counts = both(dossier.online, level.map(|level| level == wanted));
            count(&mut figures, id, dossier, dossier.received_on, |_| Counted::part(counts));
        }
    }
    postal_figures(&mut figures, &competent, rules);
    processing_figures(&mut figures, &competent);
    points_figures(&mut figures, &competent);
    stock_figures(&mut figures, &received, now);
    registry_figures(&mut figures, &received, now, rules, (&agencies, &procedures, &offers));
    figures
}

/// Figures about what the sources lack.
fn source_figures(figures: &mut BTreeMap<FigureKey, FigureCounts>, dossier: &ReceivedDossier<'_>) {
    for (id, lacks) in [
        ("source-without-due-date", Some(dossier.lacks_due_date)),
        ("source-due-moved", dossier.due_moved),
        ("source-without-channel", Some(dossier.lacks_channel)),
        ("source-ended-before-reception", Some(dossier.outcome.is_impossible)),
        ("source-without-level", Some(dossier.level.is_none())),
        ("source-unknown-agency", Some(dossier.competent.is_none())),
        ("source-unknown-procedure", Some(dossier.has_unknown_procedure)),
    ] {
        count(figures, id, dossier, dossier.received_on, |_| Counted::part(lacks));
    }
}

/// Apologies for dossiers that are late or overdue (3.4.4). `moment_for`: the moment at which states are read.
fn apology_figures(
    figures: &mut BTreeMap<FigureKey, FigureCounts>,
    dossier: &ReceivedDossier<'_>,
    moment_for: &dyn Fn(Period) -> (i64, bool),
) {
    let is_dated = dossier.apology != Apology::Unknown;
    for (id, counts) in [
        ("par-3.4.4", is_dated.then_some(dossier.apology == Apology::Timely)),
        ("par-3.4.4-stated", Some(dossier.apology != Apology::Absent)),
        ("par-3.4.4-late", is_dated.then_some(dossier.apology == Apology::Late)),
    ] {
        count(figures, id, dossier, dossier.received_on, |period| {
            let (moment, _) = moment_for(period);
            let late = either(dossier.outcome.late_by(moment), dossier.outcome.overdue_at(moment));
            Counted::part(counts).of(late)
        });
    }
}

/// Tier, agency and period.
type ScopeAndPeriod = (Option<Tier>, Option<String>, Period);

/// Mean and median of working hours from reception to the end (NĐ 224/2026, art. 19(2)).
fn processing_figures(figures: &mut BTreeMap<FigureKey, FigureCounts>, competent: &[&ReceivedDossier<'_>]) {
    let mut hours: BTreeMap<ScopeAndPeriod, (Vec<u64>, u64)> = BTreeMap::new();
    for dossier in competent {
        let Some(day) = dossier.ended_on else { continue };
        for (tier, agency) in scopes_of(dossier) {
            for period in periods_with(day) {
                let (hours, unknown) = hours.entry((tier, agency.clone(), period)).or_default();
                match dossier.outcome.end.filter(|_| !dossier.outcome.is_impossible) {
                    Some(end) => hours.push(outcome::working_hours_between(dossier.received, end)),
                    None => *unknown += 1,
                }
            }
        }
    }
    for ((tier, agency, period), (mut hours, unknown)) in hours {
        hours.sort_unstable();
        let (sum, median) = (hours.iter().sum(), hours.get(hours.len().saturating_sub(1) / 2).copied().unwrap_or(0));
        for (id, numerator) in [("nd224-processing-mean", sum), ("nd224-processing-median", median)] {
            let counts = FigureCounts { unknown, ..settled(numerator, hours.len() as u64) };
            figures.insert((id.to_owned(), tier, agency.clone(), period), counts);
        }
    }
}

/// Points for the time of settlement and for supplements (TT 01/2018/TT-VPCP art. 13, indices 1 and 3).
fn points_figures(figures: &mut BTreeMap<FigureKey, FigureCounts>, competent: &[&ReceivedDossier<'_>]) {
    for dossier in competent {
        let early =
            dossier.outcome.end.is_some_and(|end| dossier.outcome.due.is_some_and(|due| day_of(end) < day_of(due)));
        // A day before one of the due dates that may count, and not before the other.
        let may_be_early =
            dossier.outcome.end.is_some_and(|end| dossier.outcome.latest.is_some_and(|due| day_of(end) < day_of(due)));
        let on_time = dossier.outcome.ended_on_time.filter(|on_time| !on_time || dossier.outcome.end.is_some());
        let on_time = on_time.filter(|on_time| !on_time || early == may_be_early);
        let for_time = on_time.map(|on_time| u64::from(on_time) + u64::from(on_time && early));
        let for_supplements = match (dossier.was_supplemented, dossier.supplements) {
            (Some(false), _) => Some(2),
            (_, Some(times)) if times > 0 => Some(u64::from(times == 1)),
            _ => None,
        };
        let received_on = Some(dossier.received_on);
        for (id, day, points) in
            [("par-3.4.5-1-points", dossier.ended_on, for_time), ("par-3.4.5-3-points", received_on, for_supplements)]
        {
            for period in day.into_iter().flat_map(periods_with) {
                for (tier, agency) in scopes_of(dossier) {
                    let counts = figures.entry((id.to_owned(), tier, agency, period)).or_default();
                    counts.numerator += points.unwrap_or(0);
                    counts.reachable += points.unwrap_or(0);
                    counts.denominator += u64::from(points.is_some());
                    counts.unknown += u64::from(points.is_none());
                }
            }
        }
    }
}

/// How many dossiers are open at the end of each period that has begun (columns 12 and 13 of form II.06a).
fn stock_figures(figures: &mut BTreeMap<FigureKey, FigureCounts>, received: &[ReceivedDossier<'_>], now: i64) {
    let mut periods = BTreeSet::new();
    let mut day = received.iter().map(|dossier| dossier.received_on).min().unwrap_or(day_of(now));
    while day <= day_of(now) {
        periods.extend(periods_with(day));
        day = day.tomorrow().expect("in this millennium");
    }
    for dossier in received.iter().filter(|dossier| !dossier.competent.is_some_and(|agency| agency.vertical)) {
        for &period in periods.iter().filter(|period| dossier.received_on <= period.end()) {
            let moment = end_of(period.end()).min(now);
            if dossier.outcome.ended_by(moment) {
                continue;
            }
            let overdue = dossier.outcome.in_stock_overdue_at(moment);
            for (id, in_stock) in [("ii06a-pending", overdue.map(|overdue| !overdue)), ("ii06a-overdue", overdue)] {
                for (tier, agency) in scopes_of(dossier) {
                    let counts = figures.entry((id.to_owned(), tier, agency, period)).or_default();
                    counts.numerator += u64::from(in_stock == Some(true));
                    counts.reachable += u64::from(in_stock == Some(true));
                    counts.unknown += u64::from(in_stock.is_none());
                }
            }
        }
    }
}

/// Whether a dossier was submitted by post or, if `is_return`, its result returned by post.
fn is_postal(dossier: &ReceivedDossier<'_>, is_return: bool, rules: ShippedRules) -> Option<bool> {
    let (portal, post) = if is_return { dossier.return_evidence } else { dossier.submission_evidence };
    if rules == ShippedRules::Seed2639 { either(portal, Some(post)) } else { portal }
}

/// Counts of which nothing is open or unknown.
fn settled(numerator: u64, denominator: u64) -> FigureCounts {
    FigureCounts { numerator, denominator, reachable: numerator, ..FigureCounts::default() }
}

/// Dossiers received and results returned by post (7.3.2 and 7.3.3).
fn postal_figures(
    figures: &mut BTreeMap<FigureKey, FigureCounts>,
    competent: &[&ReceivedDossier<'_>],
    rules: ShippedRules,
) {
    let day_of = |dossier: &ReceivedDossier<'_>, is_return| {
        if is_return { dossier.returned_on } else { Some(dossier.received_on) }
    };
    for (is_return, deployed_id, having_id) in
        [(false, "par-7.3.2-deployed", "par-7.3.2-having"), (true, "par-7.3.3-deployed", "par-7.3.3-having")]
    {
        // Procedures with postal dossiers, and those that may have some, by calendar year, with the day of the first one.
        let mut procedures_with: BTreeMap<(Option<String>, i16), Date> = BTreeMap::new();
        let mut may_have = procedures_with.clone();
        for dossier in competent {
            let Some(day) = day_of(dossier, is_return) else { continue };
            let procedures = match is_postal(dossier, is_return, rules) {
                Some(true) => &mut procedures_with,
                None => &mut may_have,
                Some(false) => continue,
            };
            let first = procedures.entry((dossier.procedure.clone(), day.year())).or_insert(day);
            *first = day.min(*first);
        }
        for dossier in competent {
            let Some(day) = day_of(dossier, is_return) else { continue };
            let (portal, post) = if is_return { dossier.return_evidence } else { dossier.submission_evidence };
            let one_sided = portal.unwrap_or(false) != post;
            let counts = |_| Counted { one_sided, ..Counted::part(is_postal(dossier, is_return, rules)) };
            if dossier.deployed[usize::from(is_return)] {
                count(figures, deployed_id, dossier, day, counts);
            }
            let procedure = (dossier.procedure.clone(), day.year());
            let (first, possible) = (procedures_with.get(&procedure), may_have.get(&procedure));
            count(figures, having_id, dossier, day, |period| {
                let has_begun = |first: Option<&Date>| first.is_some_and(|first| *first <= period.end());
                match (has_begun(first), has_begun(possible)) {
                    (true, _) => counts(period),
                    (false, true) => counts(period).of(None),
                    (false, false) => counts(period).of(Some(false)),
                }
            });
        }
    }
}

/// The province, the agency and its tier, as (tier, agency).
fn scopes_of(dossier: &ReceivedDossier<'_>) -> Vec<(Option<Tier>, Option<String>)> {
    let tier = dossier.attributed.map(|agency| agency.tier);
    let code = dossier.attributed.map_or(dossier.agency_text.clone(), |agency| agency.code.clone());
    let mut scopes = vec![(None, None), (tier, Some(code))];
    if tier.is_some() {
        scopes.push((tier, None));
    }
    scopes
}

/// Every named period that contains a day, found by its first and last day.
fn periods_with(day: Date) -> Vec<Period> {
    let mut found = Vec::new();
    for year in [day.year() - 1, day.year(), day.year() + 1] {
        let mut names = vec![String::new(), "-9M".to_owned(), "-H1".to_owned(), "-H2".to_owned()];
        names.extend((1..=4).map(|quarter| format!("-Q{quarter}")));
        names.extend((1..=12).map(|month| format!("-{month:02}")));
        for name in names {
            for end in ["", "s"] {
                let period = Period::parse(&format!("{year}{name}{end}")).expect("a period");
                if period.start() <= day && day <= period.end() {
                    found.push(period);
                }
            }
        }
    }
    found
}

/// Adds a dossier to the province, its tier and its agency in every named period that contains the day. `counts`:
/// what it is to the indicator in a period.
fn count(
    figures: &mut BTreeMap<FigureKey, FigureCounts>,
    id: &str,
    dossier: &ReceivedDossier<'_>,
    day: Date,
    counts: impl Fn(Period) -> Counted,
) {
    let scopes = scopes_of(dossier);
    for period in periods_with(day) {
        let Counted { denominator, numerator, reachable, one_sided } = counts(period);
        if denominator == Some(false) {
            continue;
        }
        for (tier, agency) in &scopes {
            let sums = figures.entry((id.to_owned(), *tier, agency.clone(), period)).or_default();
            if denominator.is_none() {
                sums.undecided += 1;
                continue;
            }
            sums.denominator += 1;
            sums.numerator += u64::from(numerator == Some(true));
            sums.unknown += u64::from(numerator.is_none());
            sums.reachable += u64::from(reachable);
            sums.one_sided += u64::from(numerator == Some(true) && one_sided);
        }
    }
}

fn day_of(micros: i64) -> Date {
    local(micros).date()
}
