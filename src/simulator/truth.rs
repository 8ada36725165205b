//! The province's true figures, counted with loops of their own (rule set `seed-2639`, domain C.1 and C.4).
//!
//! All figures are as of 20:00 of a given day. They are counted for the province, each tier and each agency, by month
//! (`2026-03`), quarter (`2026-Q1`), half-year (`2026-H1`), nine months (`2026-9M`) and year (`2026`), and by the
//! statutory periods from the 15th to the 14th (`2026-03s` …). Figures with nothing to count are left out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::model::agency::AgencyKind;
use crate::model::procedure::TimeUnit;
use crate::simulator::Province;
use crate::simulator::dossier::{Channel, Dossier, Level, RecordState, status};
use crate::simulator::life_cycle::seconds;
use crate::simulator::post::{PostalService, Target};
use crate::simulator::truth_counts::{Count, count, half, having, period_names, year};
use crate::simulator::working_days::{Moment, clock, day_number, day_of, end_of, evening};

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
    /// In the denominator, while the sources do not say whether in the numerator.
    pub unknown: u64,
    /// The sources do not say whether in the denominator.
    pub undecided: u64,
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
pub const INDICATORS: [&str; 44] = [
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
    "nd224-online",
    "par-3.4.5-3",
    "par-ii.1.d",
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
const COUNTED: usize = 15;

/// Indicators whose figures are measures.
pub(super) const MEASURES: &[&str] = INDICATORS.split_at(COUNTED).1;

/// The count of each counted indicator.
type Counts = [Count; COUNTED];

/// One accepted dossier and the facts that the figures count.
struct JudgedDossier<'a> {
    dossier: &'a Dossier,
    accepted: Moment,
    /// `None`: the portal does not state it.
    channel: Option<Channel>,
    /// `None`: the portal says that it ended, and not when.
    on_time: Option<bool>,
    /// Counts in the indicators 7.x: neither agency nor procedure is vertical.
    is_provincial: bool,
    level: Option<Level>,
    offers_postal_submission: bool,
    offers_postal_return: bool,
    handed_in_by_post: Option<bool>,
    returned: Option<Moment>,
    returned_by_post: Option<bool>,
    /// The portal states no number of requests, but shows that it waits for a supplement.
    waits_for_supplement: bool,
}

impl Province {
    /// Figures as of the evening of `day`, at the latest of `today`.
    #[must_use]
    pub fn truth(&self, day: Date) -> Truth {
        let now = evening(day_number(day.min(self.today)));
        let (mut dossiers_sent, mut rejected_dossiers) = (0, 0);
        let (submitted, returned) = self.post_evidence(now);
        let has_list = self.waybills.iter().any(|item| !item.is_bad() && item.is_valid(now));
        let mut received = Vec::new();
        for (index, dossier) in self.dossiers.iter().enumerate() {
            let Some(shown) = dossier.shown(now) else { continue };
            dossiers_sent += 1;
            if dossier.flaw.is_some() {
                rejected_dossiers += 1;
            } else if let Some(accepted) = shown.accepted {
                let post = (has_list, submitted[index], returned[index]);
                received.push(self.judge(dossier, shown, accepted, post));
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
        (has_list, posted_in, posted_out): (bool, bool, Option<Moment>),
    ) -> JudgedDossier<'a> {
        let (agency, procedure) = (dossier.agency as usize, dossier.procedure as usize);
        let offer = self.registry.offer_on(agency, procedure, day_of(accepted));
        let level = match offer {
            Some(offer) => offer.online_level.as_deref().and_then(Level::from_name),
            None => dossier.level,
        };
        let channel = dossier.states_channel().then_some(shown.channel);
        JudgedDossier {
            dossier,
            accepted,
            channel,
            on_time: self.is_on_time(dossier, shown, accepted),
            is_provincial: !self.registry.agencies[agency].vertical && !self.registry.procedures[procedure].vertical,
            level,
            offers_postal_submission: offer.is_some_and(|offer| offer.postal_submission),
            offers_postal_return: offer.is_some_and(|offer| offer.postal_return),
            handed_in_by_post: if posted_in { Some(true) } else { channel.map(|channel| channel == Channel::Postal) },
            returned: shown.returned.or(posted_out),
            // The portal states how a result was asked for, not how it was returned: only the post proves a return.
            returned_by_post: has_list.then_some(posted_out.is_some()),
            waits_for_supplement: shown.status == status::SUPPLEMENT,
        }
    }

    /// Whether the dossier ended on time: rules d to g of domain C.4. `None` if the status says that it ended, and no date
    /// says when.
    fn is_on_time(&self, dossier: &Dossier, shown: RecordState, accepted: Moment) -> Option<bool> {
        match shown.completed {
            Some(end) => Some(self.ends_on_time(dossier, shown, accepted, end)),
            None if [status::HAS_RESULT, status::RETURNED, status::CANCELLED].contains(&shown.status) => None,
            None => Some(false),
        }
    }

    fn ends_on_time(&self, dossier: &Dossier, shown: RecordState, accepted: Moment, end: Moment) -> bool {
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
        // Procedures that have dossiers by post, and those that may have some.
        let mut with_submission = [BTreeSet::new(), BTreeSet::new()];
        let mut with_return = [BTreeSet::new(), BTreeSet::new()];
        for one in received.iter().filter(|one| one.is_provincial) {
            if one.handed_in_by_post != Some(false) {
                with_submission[usize::from(one.handed_in_by_post.is_none())].insert((year(one.accepted), group(one)));
            }
            if let Some(at) = one.returned.filter(|_| one.returned_by_post != Some(false)) {
                with_return[usize::from(one.returned_by_post.is_none())].insert((year(at), group(one)));
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
            let online = one.channel.map(|channel| channel == Channel::Online);
            match one.level {
                Some(Level::Partial | Level::Full) => count(counts, 3, online),
                Some(Level::Information) => {}
                None => counts[3].undecided += 1,
            }
            for (at, level) in [(4, Level::Partial), (5, Level::Full)] {
                let is_of_level = one.level.map(|known| known == level);
                let hit = if online == Some(false) || is_of_level == Some(false) {
                    Some(false)
                } else {
                    online.and(is_of_level)
                };
                count(counts, at, hit);
            }
            count(counts, 12, online);
            // The portal states no number of requests for supplements.
            count(counts, 13, one.waits_for_supplement.then_some(false));
            count(counts, 14, None);
            if one.offers_postal_submission {
                count(counts, 6, one.handed_in_by_post);
            }
            having(counts, 7, one.handed_in_by_post, &with_submission, &(year(one.accepted), group(one)));
            let Some(at) = one.returned else { continue };
            let counts = halves.entry((row, half(at))).or_default();
            if one.offers_postal_return {
                count(counts, 8, one.returned_by_post);
            }
            having(counts, 9, one.returned_by_post, &with_return, &(year(at), group(one)));
        }
        for one in self.feedback(now) {
            let row = one.agency as usize;
            if self.registry.agencies[row].vertical {
                continue;
            }
            let counts = halves.entry((row, half(one.received))).or_default();
            count(counts, 10, Some(one.handled.is_some()));
            if one.answered.is_some() && one.on_regulation {
                count(counts, 11, Some(one.published.is_some()));
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
                        total.numerator += count.numerator;
                        total.denominator += count.denominator;
                        total.unknown += count.unknown;
                        total.undecided += count.undecided;
                    }
                }
            }
        }
        let mut figures = Vec::new();
        for (at, indicator) in INDICATORS.into_iter().take(COUNTED).enumerate() {
            for ((scope, period), counts) in &sums {
                let Count { numerator, denominator, unknown, undecided } = counts[at];
                if denominator > 0 || undecided > 0 {
                    let (scope, period) = (scope.clone(), period.clone());
                    figures.push(TruthFigure { indicator, scope, period, numerator, denominator, unknown, undecided });
                }
            }
        }
        figures
    }
}
