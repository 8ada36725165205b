//! The shipped indicators computed a second time: dossier by dossier, in plain loops, for comparison.
//!
//! The loops are written from the decisions and from the letters of the rule sets (docs/ARCHITECTURE.md). They share
//! the types of `model` with the program, and nothing of `src/indicators`.

mod form;
mod outcome;
mod received;
mod registry_counts;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use motcua::model::agency::{AgencyKind, Tier};
use motcua::model::instant::local;
use motcua::model::period::Period;
use motcua::model::rules::AgencyView;

pub(super) use form::form_cells;
use outcome::{Apology, end_of};
use received::{ReceivedDossier, received_dossier};
use registry_counts::registry_figures;

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
            let is_on_time = dossier.outcome.ended_by(moment) && dossier.outcome.ended_on_time;
            let counts = is_on_time || can_end_on_time && rules == ShippedRules::Qd766;
            [true, counts, counts || can_end_on_time && !is_over, false]
        };
        if not_vertical {
            let id = if dossier.certification { "par-3.4-certification" } else { "par-3.4-without-certification" };
            count(&mut figures, id, dossier, day, on_time);
        }
        for (id, kind) in [
            ("par-3.4.1", AgencyKind::Specialised),
            ("par-3.4.2", AgencyKind::District),
            ("par-3.4.3", AgencyKind::Commune),
        ] {
            if not_vertical && dossier.competent.is_some_and(|agency| agency.kind == kind) {
                count(&mut figures, id, dossier, day, on_time);
            }
        }
        if dossier.in_competence {
            count(&mut figures, "qd766-2.1", dossier, day, on_time);
            count(&mut figures, "qd766-3.3", dossier, day, |_| [true, dossier.online, dossier.online, false]);
            let full = dossier.level.as_deref() == Some("full");
            count(&mut figures, "nd224-full-process", dossier, day, |_| [true, full, full, false]);
            let again = dossier.supplements > 1;
            count(&mut figures, "par-ii.1.d", dossier, day, |_| [true, again, again, false]);
            let never = dossier.supplements == 0;
            count(&mut figures, "par-3.4.5-3", dossier, day, |_| [true, never, never, false]);
            count(&mut figures, "nd224-online", dossier, day, |_| [true, dossier.online, dossier.online, false]);
            if let Some(day) = dossier.ended_on {
                let on_time = dossier.outcome.ended_on_time;
                let has_apology = dossier.apology != Apology::Absent;
                let in_order = on_time || has_apology && !dossier.outcome.before_reception;
                count(&mut figures, "nd224-on-time", dossier, day, |_| [true, on_time, on_time, false]);
                count(&mut figures, "par-3.4.5-1", dossier, day, |_| [true, on_time, on_time, false]);
                count(&mut figures, "par-3.4.5-5", dossier, day, |_| [true, in_order, in_order, false]);
                if dossier.online && matches!(dossier.level.as_deref(), Some("partial" | "full")) {
                    count(&mut figures, "par-3.4.5-9", dossier, day, |_| [true, on_time, on_time, false]);
                }
            }
        }
        if not_vertical {
            for (id, lacks) in [
                ("source-without-due-date", dossier.lacks_due_date),
                ("source-without-channel", dossier.lacks_channel),
                ("source-ended-before-reception", dossier.outcome.before_reception),
                ("source-without-level", dossier.level.is_none()),
                ("source-unknown-agency", dossier.competent.is_none()),
                ("source-unknown-procedure", dossier.has_unknown_procedure),
            ] {
                count(&mut figures, id, dossier, day, |_| [true, lacks, lacks, false]);
            }
            for (id, counts) in [
                ("par-3.4.4", dossier.apology == Apology::Timely),
                ("par-3.4.4-stated", dossier.apology != Apology::Absent),
                ("par-3.4.4-late", dossier.apology == Apology::Late),
            ] {
                let apology = |period: Period| {
                    let (moment, _) = moment_for(period);
                    let late = dossier.outcome.late_by(moment) || dossier.outcome.overdue_at(moment);
                    [late, counts, counts, false]
                };
                count(&mut figures, id, dossier, day, apology);
            }
            if let Some(day) = dossier.ended_on {
                count(&mut figures, "ii06a-on-time", dossier, day, |_| {
                    [true, dossier.outcome.ended_on_time, dossier.outcome.ended_on_time, false]
                });
            }
        }
    }
    let competent: Vec<&ReceivedDossier<'_>> = received.iter().filter(|dossier| dossier.in_competence).collect();
    for dossier in &competent {
        let level = dossier.level.as_deref();
        if matches!(level, Some("partial" | "full")) {
            count(&mut figures, "par-7.2.2", dossier, dossier.received_on, |_| {
                [true, dossier.online, dossier.online, false]
            });
        }
        for (id, wanted) in [("par-7.2.2-level-3", "partial"), ("par-7.2.2-level-4", "full")] {
            let counts = dossier.online && level == Some(wanted);
            count(&mut figures, id, dossier, dossier.received_on, |_| [true, counts, counts, false]);
        }
    }
    postal_figures(&mut figures, &competent, rules);
    processing_figures(&mut figures, &competent);
    stock_figures(&mut figures, &received, now);
    registry_figures(&mut figures, &received, now, rules, (&agencies, &procedures, &offers));
    figures
}

/// Mean and median of working hours from reception to the end (NĐ 224/2026, art. 19(2)).
fn processing_figures(figures: &mut BTreeMap<FigureKey, FigureCounts>, competent: &[&ReceivedDossier<'_>]) {
    let mut hours: BTreeMap<(Option<Tier>, Option<String>, Period), Vec<u64>> = BTreeMap::new();
    for dossier in competent {
        let (Some(day), Some(end)) = (dossier.ended_on, dossier.outcome.end) else { continue };
        if dossier.outcome.before_reception {
            continue;
        }
        for (tier, agency) in scopes_of(dossier) {
            for period in periods_with(day) {
                let hours = hours.entry((tier, agency.clone(), period)).or_default();
                hours.push(outcome::working_hours_between(dossier.received, end));
            }
        }
    }
    for ((tier, agency, period), mut hours) in hours {
        hours.sort_unstable();
        let (sum, median) = (hours.iter().sum(), hours[(hours.len() - 1) / 2]);
        for (id, numerator) in [("nd224-processing-mean", sum), ("nd224-processing-median", median)] {
            let counts =
                FigureCounts { numerator, denominator: hours.len() as u64, reachable: numerator, one_sided: 0 };
            figures.insert((id.to_owned(), tier, agency.clone(), period), counts);
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
            let id = match (dossier.outcome.ended_by(moment), dossier.outcome.overdue_at(moment)) {
                (true, _) => continue,
                (false, false) => "ii06a-pending",
                (false, true) => "ii06a-overdue",
            };
            for (tier, agency) in scopes_of(dossier) {
                let counts = figures.entry((id.to_owned(), tier, agency, period)).or_default();
                counts.numerator += 1;
                counts.reachable += 1;
            }
        }
    }
}

/// Whether a dossier was submitted by post or, if `is_return`, its result returned by post.
fn is_postal(dossier: &ReceivedDossier<'_>, is_return: bool, rules: ShippedRules) -> bool {
    let [portal, post] = if is_return { dossier.return_evidence } else { dossier.submission_evidence };
    portal || post && rules == ShippedRules::Seed2639
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
        // Procedures with postal dossiers, by calendar year, with the day of the first one.
        let mut procedures_with: BTreeMap<(Option<String>, i16), Date> = BTreeMap::new();
        for dossier in competent {
            if let Some(day) = day_of(dossier, is_return)
                && is_postal(dossier, is_return, rules)
            {
                let first = procedures_with.entry((dossier.procedure.clone(), day.year())).or_insert(day);
                *first = day.min(*first);
            }
        }
        for dossier in competent {
            let Some(day) = day_of(dossier, is_return) else { continue };
            let [portal, post] = if is_return { dossier.return_evidence } else { dossier.submission_evidence };
            let is_postal = is_postal(dossier, is_return, rules);
            let counts = |_| [true, is_postal, is_postal, portal != post];
            if dossier.deployed[usize::from(is_return)] {
                count(figures, deployed_id, dossier, day, counts);
            }
            if let Some(first) = procedures_with.get(&(dossier.procedure.clone(), day.year())) {
                count(figures, having_id, dossier, day, |period| {
                    [*first <= period.end(), is_postal, is_postal, portal != post]
                });
            }
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
/// whether it is in the denominator, in the numerator, reachable and one-sided in a period.
fn count(
    figures: &mut BTreeMap<FigureKey, FigureCounts>,
    id: &str,
    dossier: &ReceivedDossier<'_>,
    day: Date,
    counts: impl Fn(Period) -> [bool; 4],
) {
    let scopes = scopes_of(dossier);
    for period in periods_with(day) {
        let [in_denominator, in_numerator, reachable, one_sided] = counts(period);
        if !in_denominator {
            continue;
        }
        for (tier, agency) in &scopes {
            let sums = figures.entry((id.to_owned(), *tier, agency.clone(), period)).or_default();
            sums.denominator += 1;
            sums.numerator += u64::from(in_numerator);
            sums.reachable += u64::from(reachable);
            sums.one_sided += u64::from(in_numerator && one_sided);
        }
    }
}

fn day_of(micros: i64) -> Date {
    local(micros).date()
}
