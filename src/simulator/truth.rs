//! The province's true figures, counted with loops of their own (rule set `seed-2639`, domain C.1 and C.4).
//!
//! All figures are as of 20:00 of a given day. They are counted for the province, each tier and each agency, by month
//! (`2026-03`), quarter (`2026-Q1`), half-year (`2026-H1`), nine months (`2026-9M`) and year (`2026`), and by the
//! statutory periods from the 15th to the 14th (`2026-03s` …). Figures with nothing to count are left out.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::model::agency::AgencyKind;
use crate::model::procedure::TimeUnit;
use crate::simulator::Province;
use crate::simulator::apologies::Apology;
use crate::simulator::dossier::{Channel, Dossier, Level, RecordState, status};
use crate::simulator::life_cycle::seconds;
use crate::simulator::post::{PostalService, Target};
use crate::simulator::true_due::HeldTo;
use crate::simulator::truth_counts::{Counts, TruthFigure, count, half};
use crate::simulator::truth_periods::HavingCounts;
use crate::simulator::working_days::{Moment, clock, day_number, day_of, end_of, evening};

/// True counts and figures of a province on an evening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// Distinct record keys in the portal's list, without dossiers that only a ministry's software holds, bad rows included.
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

/// One accepted dossier and the facts that the figures count.
struct JudgedDossier<'a> {
    dossier: &'a Dossier,
    accepted: Moment,
    /// `None`: the portal does not state it.
    channel: Option<Channel>,
    /// `None`: the portal says that it ended, and not when; or the due date that counts is not known.
    on_time: Option<bool>,
    /// Whether it is late or overdue, so that an apology is owed; `None` if that is not known.
    is_late: Option<bool>,
    apology: Apology,
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
    /// Figures as of the evening of `day`, at the latest of `today`, if the portal was read on that evening only.
    #[must_use]
    pub fn truth(&self, day: Date) -> Truth {
        self.truth_after(&[day])
    }

    /// Figures as of the last evening of `nights`, if the portal was read on each of them.
    ///
    /// # Panics
    /// Without any night.
    #[must_use]
    pub fn truth_after(&self, nights: &[Date]) -> Truth {
        let day = *nights.last().expect("the portal was read");
        let now = evening(day_number(day.min(self.today)));
        let (mut dossiers_sent, mut rejected_dossiers) = (0, 0);
        let (submitted, returned) = self.post_evidence(now);
        let has_list = self.waybills.iter().any(|item| !item.is_bad() && item.is_valid(now));
        let mut received = Vec::new();
        for (index, dossier) in self.dossiers.iter().enumerate() {
            let Some(shown) = dossier.shown(now) else { continue };
            dossiers_sent += u64::from(self.is_in_portal(dossier));
            if dossier.flaw.is_some() {
                rejected_dossiers += 1;
            } else if let Some(accepted) = shown.accepted {
                let held_to = self.held_to(index, dossier, accepted, nights);
                let post = (has_list, submitted[index], returned[index]);
                received.push(self.judge(index, (shown, held_to, accepted, now), post));
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

    fn judge(
        &self,
        index: usize,
        (shown, held_to, accepted, now): (RecordState, HeldTo, Moment, Moment),
        (has_list, posted_in, posted_out): (bool, bool, Option<Moment>),
    ) -> JudgedDossier<'_> {
        let dossier = &self.dossiers[index];
        // Completed or handed over, whichever came first.
        let end = [shown.completed, shown.returned].into_iter().flatten().min();
        let has_ended = !dossier.is_silent && shown.status >= status::HAS_RESULT;
        let limit = self.limit(dossier, held_to, accepted);
        let on_time = match (end, limit) {
            // Ended by its status, without a date.
            (None, _) if has_ended => None,
            (None, _) | (Some(_), None) => Some(false),
            (Some(end), Some(_)) if is_before(end, accepted) => Some(false),
            (Some(end), Some((certain, _))) if end <= certain => Some(true),
            (Some(end), Some((_, latest))) => (end > latest).then_some(false),
        };
        let is_late = match end {
            Some(end) if is_before(end, accepted) => None,
            Some(_) => on_time.map(|on_time| !on_time),
            None if has_ended => None,
            None => match limit {
                Some((_, latest)) if latest < now => Some(true),
                Some((certain, _)) if certain < now => None,
                _ => Some(false),
            },
        };
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
            on_time,
            is_late,
            apology: self.apology(index, limit, now),
            is_provincial: !self.registry.agencies[agency].vertical && !self.registry.procedures[procedure].vertical,
            level,
            offers_postal_submission: offer.is_some_and(|offer| offer.postal_submission),
            offers_postal_return: offer.is_some_and(|offer| offer.postal_return),
            handed_in_by_post: if posted_in { Some(true) } else { channel.map(|channel| channel == Channel::Postal) },
            // QĐ 45/2016 art. 9: returned when the post takes it, whatever the portal writes.
            returned: posted_out.or(shown.returned),
            // The portal states how a result was asked for, not how it was returned: only the post proves a return.
            returned_by_post: has_list.then_some(posted_out.is_some()),
            waits_for_supplement: shown.status == status::SUPPLEMENT,
        }
    }

    /// The last moment that is on time for certain, and the last one that may be: rules d, e and g of domain C.4.
    fn limit(&self, dossier: &Dossier, held_to: HeldTo, accepted: Moment) -> Option<(Moment, Moment)> {
        let days = &self.registry.working_days;
        let procedure = &self.registry.procedures[dossier.procedure as usize];
        let day = day_of(accepted);
        // A due moment at midnight is a date: the whole day counts.
        let last_moment = |due: Moment| if clock(due) == 0 { end_of(day_of(due)) } else { due };
        let last = match (held_to, procedure.statutory_time) {
            (HeldTo::Due { certain, latest }, _) => return Some((last_moment(certain), last_moment(latest))),
            (HeldTo::NothingKnown { latest }, _) => return Some((accepted - 1, last_moment(latest))),
            // NĐ 23/2015 art. 7: certification without a statutory time is due on the same day, like immediate
            // procedures.
            (HeldTo::None, time) if procedure.immediate || (procedure.certification && time.is_none()) => {
                // "Sau 15 giờ": 15:00:00 itself is not after it.
                let same_day = days.is_working(day) && clock(accepted) <= seconds(procedure.cut_off);
                end_of(if same_day { day } else { days.after(day, 1) })
            }
            (HeldTo::None, Some(time)) => match procedure.unit {
                TimeUnit::WorkingDays => end_of(days.after(days.on_or_before(day), time)),
                TimeUnit::Hours => self.hours_after(accepted, i64::from(time)),
                TimeUnit::CalendarDays => {
                    let last = day + i64::from(time);
                    end_of(if days.is_working(last) { last } else { days.after(last, 1) })
                }
            },
            (HeldTo::None, None) => return None,
        };
        Some((last, last))
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
        let (mut submitted, mut returned) = (HavingCounts::default(), HavingCounts::default());
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
            let is_dated = one.apology != Apology::Undated;
            for (at, hit) in [
                (12, is_dated.then_some(one.apology == Apology::Timely)),
                (13, Some(one.apology != Apology::Absent)),
                (14, is_dated.then_some(matches!(one.apology, Apology::Late | Apology::Repeated))),
            ] {
                match one.is_late {
                    Some(true) => count(counts, at, hit),
                    Some(false) => {}
                    None => counts[at].undecided += 1,
                }
            }
            if !one.is_provincial {
                continue;
            }
            let counts = halves.entry((row, half(one.accepted))).or_default();
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
            count(counts, 15, online);
            // The portal states no number of requests for supplements.
            count(counts, 16, one.waits_for_supplement.then_some(false));
            count(counts, 17, None);
            if one.offers_postal_submission {
                count(counts, 6, one.handed_in_by_post);
            }
            submitted.add(row, half(one.accepted), group(one), one.handed_in_by_post);
            let Some(at) = one.returned else { continue };
            let counts = halves.entry((row, half(at))).or_default();
            if one.offers_postal_return {
                count(counts, 8, one.returned_by_post);
            }
            returned.add(row, half(at), group(one), one.returned_by_post);
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
        self.roll_up(&halves, &[(7, submitted), (9, returned)])
    }
}

/// Whether an end lies before the reception. At midnight it is a date, and may be that of the day of reception.
fn is_before(end: Moment, accepted: Moment) -> bool {
    end < accepted && !(clock(end) == 0 && day_of(end) == day_of(accepted))
}
