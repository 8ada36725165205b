//! The province's true figures, counted with loops of their own (rule set `seed-2639`, domain C.1 and C.4).
//!
//! All figures are as of 20:00 of a given day. They are counted for the province, each tier and each agency, by month
//! (`2026-03`), quarter (`2026-Q1`), half-year (`2026-H1`), nine months (`2026-9M`) and year (`2026`), and by the
//! statutory periods from the 15th to the 14th (`2026-03s` …). Figures with the denominator 0 are left out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::model::agency::AgencyKind;
use crate::model::procedure::TimeUnit;
use crate::simulator::Province;
use crate::simulator::dossier::{Channel, Dossier, Level, RecordState};
use crate::simulator::life_cycle::seconds;
use crate::simulator::post::{PostalService, Target};
use crate::simulator::working_days::{Moment, clock, date_of, day_number, day_of, end_of, evening};

/// Scope of a figure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TruthScope {
    Province,
    /// The tier's name.
    Tier(&'static str),
    /// The agency's code.
    Agency(String),
}

/// One true figure, as counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthFigure {
    /// An id of `config/indicators`.
    pub indicator: &'static str,
    pub scope: TruthScope,
    pub period: String,
    pub numerator: u64,
    pub denominator: u64,
}

/// True counts and figures of a province on an evening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// Distinct record keys in the portal's list, bad rows included.
    pub dossiers_sent: u64,
    /// Distinct items in the post's exports, bad rows included.
    pub waybills_sent: u64,
    /// Distinct bad rows: `rejected_dossiers + rejected_waybills`.
    pub rejected_rows: u64,
    pub rejected_dossiers: u64,
    pub rejected_waybills: u64,
    /// Sorted by indicator, scope and period.
    pub figures: Vec<TruthFigure>,
}

/// Indicators with true figures, by their ids in `config/indicators`: first those counted from dossiers and feedback,
/// then the measures.
pub const INDICATORS: [&str; 41] = [
    "par-3.4.1",
    "par-3.4.2",
    "par-3.4.3",
    "par-7.2.2",
    "par-7.2.2-level-3",
    "par-7.2.2-level-4",
    "par-7.3.2-deployed",
    "par-7.3.2-having",
    "par-7.3.3-deployed",
    "par-7.3.3-having",
    "par-3.5.1",
    "par-3.5.2",
    "par-3.2.2",
    "par-3.2.3",
    "par-3.2.6",
    "par-7.1.2",
    "sipas-1",
    "sipas-2",
    "sipas-3",
    "sipas-4",
    "sipas-5",
    "par-1.3.1",
    "par-2.2",
    "par-2.3",
    "par-3.1.1",
    "par-3.1.2",
    "par-3.2.1",
    "par-3.2.4",
    "par-3.2.5",
    "par-7.1.1",
    "par-7.1.3",
    "par-7.1.5",
    "par-7.1.6",
    "par-7.4.1",
    "par-7.4.2",
    "qd766-digitised-papers",
    "qd766-digitised-result",
    "qd766-digitised-reused",
    "qd766-payment-dossiers",
    "qd766-payment-procedures",
    "qd766-satisfaction",
];

/// Number of the indicators that are counted from dossiers and feedback.
const COUNTED: usize = 12;

/// Indicators whose figures are measures.
pub(super) const MEASURES: &[&str] = INDICATORS.split_at(COUNTED).1;

/// Numerator and denominator of each counted indicator.
type Counts = [(u64, u64); COUNTED];

/// One accepted dossier and the facts that the figures count.
struct JudgedDossier<'a> {
    dossier: &'a Dossier,
    accepted: Moment,
    channel: Channel,
    on_time: bool,
    /// Counts in the indicators 7.x: neither agency nor procedure is vertical.
    is_provincial: bool,
    level: Option<Level>,
    offers_postal_submission: bool,
    offers_postal_return: bool,
    handed_in_by_post: bool,
    returned: Option<Moment>,
    returned_by_post: bool,
}

impl Province {
    /// Figures as of the evening of `day`, at the latest of `today`.
    #[must_use]
    pub fn truth(&self, day: Date) -> Truth {
        let now = evening(day_number(day.min(self.today)));
        let (mut dossiers_sent, mut rejected_dossiers) = (0, 0);
        let (submitted, returned) = self.post_evidence(now);
        let mut received = Vec::new();
        for (index, dossier) in self.dossiers.iter().enumerate() {
            let Some(shown) = dossier.shown(now) else { continue };
            dossiers_sent += 1;
            if dossier.flaw.is_some() {
                rejected_dossiers += 1;
            } else if let Some(accepted) = shown.accepted {
                received.push(self.judge(dossier, shown, accepted, submitted[index], returned[index]));
            }
        }
        let sent = || self.waybills.iter().filter(|item| item.accepted <= now);
        let rejected_waybills = sent().filter(|item| item.is_bad()).count() as u64;
        let mut figures = self.figures(&received, now);
        figures.extend(self.measure_figures(day.min(self.today)));
        figures.sort_by(|left, right| {
            (left.indicator, &left.scope, &left.period).cmp(&(right.indicator, &right.scope, &right.period))
        });
        Truth {
            dossiers_sent,
            waybills_sent: sent().count() as u64,
            rejected_rows: rejected_dossiers + rejected_waybills,
            rejected_dossiers,
            rejected_waybills,
            figures,
        }
    }

    /// For each dossier, what valid waybills prove: hand-in by post, and the first return by post.
    fn post_evidence(&self, now: Moment) -> (Vec<bool>, Vec<Option<Moment>>) {
        let mut submitted = vec![false; self.dossiers.len()];
        let mut returned: Vec<Option<Moment>> = vec![None; self.dossiers.len()];
        for item in &self.waybills {
            let Target::Dossier(index) = item.target else { continue };
            if item.wrong_digit || !item.is_valid(now) {
                continue;
            }
            match item.service {
                PostalService::Submission => submitted[index as usize] = true,
                PostalService::Return => {
                    let first = &mut returned[index as usize];
                    *first = Some(first.map_or(item.accepted, |at| at.min(item.accepted)));
                }
            }
        }
        (submitted, returned)
    }

    fn judge<'a>(
        &'a self,
        dossier: &'a Dossier,
        shown: RecordState,
        accepted: Moment,
        posted_in: bool,
        posted_out: Option<Moment>,
    ) -> JudgedDossier<'a> {
        let (agency, procedure) = (dossier.agency as usize, dossier.procedure as usize);
        let offer = self.registry.offer_on(agency, procedure, day_of(accepted));
        let level = match offer {
            Some(offer) => offer.online_level.as_deref().and_then(Level::from_name),
            None => dossier.level,
        };
        JudgedDossier {
            dossier,
            accepted,
            channel: shown.channel,
            on_time: self.is_on_time(dossier, shown, accepted),
            is_provincial: !self.registry.agencies[agency].vertical && !self.registry.procedures[procedure].vertical,
            level,
            offers_postal_submission: offer.is_some_and(|offer| offer.postal_submission),
            offers_postal_return: offer.is_some_and(|offer| offer.postal_return),
            handed_in_by_post: shown.channel == Channel::Postal || posted_in,
            returned: shown.returned.or(posted_out),
            // The portal states how a result was asked for, not how it was returned: only the post proves a return.
            returned_by_post: posted_out.is_some(),
        }
    }

    /// Whether the dossier ended on time: rules d to g of domain C.4.
    fn is_on_time(&self, dossier: &Dossier, shown: RecordState, accepted: Moment) -> bool {
        let Some(end) = shown.completed else { return false };
        // An end before the reception is a mistake, never on time. At midnight it is a date.
        if end < accepted && !(clock(end) == 0 && day_of(end) == day_of(accepted)) {
            return false;
        }
        let days = &self.registry.working_days;
        let procedure = &self.registry.procedures[dossier.procedure as usize];
        let day = day_of(accepted);
        let last = match (shown.due, procedure.statutory_time) {
            // A due moment at midnight is a date: the whole day counts.
            (Some(due), _) if clock(due) == 0 => end_of(day_of(due)),
            (Some(due), _) => due,
            // NĐ 23/2015 art. 7: certification without a statutory time is due on the same day, like immediate
            // procedures.
            (None, time) if procedure.immediate || (procedure.certification && time.is_none()) => {
                let same_day = days.is_working(day) && clock(accepted) < seconds(procedure.cut_off);
                end_of(if same_day { day } else { days.after(day, 1) })
            }
            (None, Some(time)) => match procedure.unit {
                TimeUnit::WorkingDays => end_of(days.after(days.on_or_before(day), time)),
                TimeUnit::Hours => self.hours_after(accepted, i64::from(time)),
                TimeUnit::CalendarDays => {
                    let last = day + i64::from(time);
                    end_of(if days.is_working(last) { last } else { days.after(last, 1) })
                }
            },
            (None, None) => return false,
        };
        end <= last
    }

    /// The moment a number of working hours later. Working hours are 7:00 to 11:30 and 13:30 to 17:00; the loop steps
    /// in quarters of an hour.
    fn hours_after(&self, accepted: Moment, hours: i64) -> Moment {
        const QUARTER: i64 = 900;
        let is_worked = |moment: Moment| {
            let quarter = clock(moment) / QUARTER;
            let open = (28..46).contains(&quarter) || (54..68).contains(&quarter);
            open && self.registry.working_days.is_working(day_of(moment))
        };
        let (mut moment, mut left) = (accepted, hours * 3600);
        loop {
            let step = QUARTER - moment.rem_euclid(QUARTER);
            if is_worked(moment) {
                if left <= step {
                    return moment + left;
                }
                left -= step;
            }
            moment += step;
        }
    }

    fn figures(&self, received: &[JudgedDossier<'_>], now: Moment) -> Vec<TruthFigure> {
        let group = |one: &JudgedDossier<'_>| self.registry.procedure_group[one.dossier.procedure as usize];
        let mut with_postal_submission = BTreeSet::new();
        let mut with_postal_return = BTreeSet::new();
        for one in received.iter().filter(|one| one.is_provincial) {
            if one.handed_in_by_post {
                with_postal_submission.insert((year(one.accepted), group(one)));
            }
            if let Some(at) = one.returned.filter(|_| one.returned_by_post) {
                with_postal_return.insert((year(at), group(one)));
            }
        }
        let mut halves: BTreeMap<(usize, i32), Counts> = BTreeMap::new();
        for one in received {
            let row = one.dossier.agency as usize;
            let agency = &self.registry.agencies[row];
            if agency.vertical {
                continue;
            }
            let counts = halves.entry((row, half(one.accepted))).or_default();
            match agency.kind {
                AgencyKind::Specialised => count(counts, 0, one.on_time),
                AgencyKind::District => count(counts, 1, one.on_time),
                AgencyKind::Commune => count(counts, 2, one.on_time),
                AgencyKind::ServiceCentre | AgencyKind::Other => {}
            }
            if !one.is_provincial {
                continue;
            }
            let online = one.channel == Channel::Online;
            if matches!(one.level, Some(Level::Partial | Level::Full)) {
                count(counts, 3, online);
            }
            count(counts, 4, online && one.level == Some(Level::Partial));
            count(counts, 5, online && one.level == Some(Level::Full));
            if one.offers_postal_submission {
                count(counts, 6, one.handed_in_by_post);
            }
            if with_postal_submission.contains(&(year(one.accepted), group(one))) {
                count(counts, 7, one.handed_in_by_post);
            }
            let Some(at) = one.returned else { continue };
            let counts = halves.entry((row, half(at))).or_default();
            if one.offers_postal_return {
                count(counts, 8, one.returned_by_post);
            }
            if with_postal_return.contains(&(year(at), group(one))) {
                count(counts, 9, one.returned_by_post);
            }
        }
        for one in self.feedback(now) {
            let row = one.agency as usize;
            if self.registry.agencies[row].vertical {
                continue;
            }
            let counts = halves.entry((row, half(one.received))).or_default();
            count(counts, 10, one.handled.is_some());
            if one.answered.is_some() && one.on_regulation {
                count(counts, 11, one.published.is_some());
            }
        }
        self.roll_up(&halves)
    }

    /// Sums half-months of agency rows into all periods of all scopes.
    fn roll_up(&self, halves: &BTreeMap<(usize, i32), Counts>) -> Vec<TruthFigure> {
        let mut sums: BTreeMap<(TruthScope, String), Counts> = BTreeMap::new();
        for (&(row, half), counts) in halves {
            let agency = &self.registry.agencies[row];
            let mut periods = period_names(half.div_euclid(2), "");
            // From the 15th on, a day belongs to the next month's statutory period.
            periods.extend(period_names((half + 1).div_euclid(2), "s"));
            for scope in
                [TruthScope::Province, TruthScope::Tier(agency.tier.name()), TruthScope::Agency(agency.code.clone())]
            {
                for period in &periods {
                    let sum = sums.entry((scope.clone(), period.clone())).or_default();
                    for (total, count) in sum.iter_mut().zip(counts) {
                        total.0 += count.0;
                        total.1 += count.1;
                    }
                }
            }
        }
        let mut figures = Vec::new();
        for (at, indicator) in INDICATORS.into_iter().take(COUNTED).enumerate() {
            for ((scope, period), counts) in &sums {
                let (numerator, denominator) = counts[at];
                if denominator > 0 {
                    let (scope, period) = (scope.clone(), period.clone());
                    figures.push(TruthFigure { indicator, scope, period, numerator, denominator });
                }
            }
        }
        figures
    }
}

fn count(counts: &mut Counts, indicator: usize, hit: bool) {
    counts[indicator].0 += u64::from(hit);
    counts[indicator].1 += 1;
}

fn year(at: Moment) -> i16 {
    date_of(day_of(at)).year()
}

/// Number of half-months since year 0. The first half ends on the 14th.
fn half(at: Moment) -> i32 {
    let date = date_of(day_of(at));
    (i32::from(date.year()) * 12 + i32::from(date.month()) - 1) * 2 + i32::from(date.day() > 14)
}

/// Names of the periods that contain a month (counted since year 0). `end`: suffix of statutory periods.
fn period_names(month: i32, end: &str) -> Vec<String> {
    let (year, number) = (month.div_euclid(12), month.rem_euclid(12));
    let mut names = vec![
        format!("{year}-{:02}{end}", number + 1),
        format!("{year}-Q{}{end}", number / 3 + 1),
        format!("{year}-H{}{end}", number / 6 + 1),
        format!("{year}{end}"),
    ];
    if number < 9 {
        names.push(format!("{year}-9M{end}"));
    }
    names
}
