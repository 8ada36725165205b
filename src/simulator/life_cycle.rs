//! Draws one dossier's life: hand-in, acceptance, due date, supplement, end, return, correction, second copy.

use std::ops::RangeInclusive;

use jiff::civil::Time;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::model::procedure::{Procedure, TimeUnit};
use crate::simulator::dossier::{Channel, Dossier, Ending, Flaw, Level, Resend, Supplement};
use crate::simulator::registry::Registry;
use crate::simulator::working_days::{DAY_SECS, Day, Moment, clock, day_of, end_of};
use crate::simulator::workload::Habits;

/// Working days that an agency needs for a procedure without a statutory time.
const DEFAULT_DAYS: u32 = 5;
/// Longest distance between the two copies of a dossier in the portal's list, in seconds.
pub(super) const MAX_RESEND_SECS: u32 = 2 * 86_400;

/// What is fixed before a dossier is drawn: agency, procedure and day.
#[derive(Debug, Clone, Copy)]
pub(super) struct DossierDraw<'registry> {
    pub(super) registry: &'registry Registry,
    pub(super) habits: Habits,
    pub(super) agency: usize,
    pub(super) procedure: usize,
    /// Day of the hand-in.
    pub(super) day: Day,
    /// Last day on which the registries' rows are the same as on `day`.
    pub(super) until: Day,
}

impl DossierDraw<'_> {
    /// Draws the dossier. Its running number is 0; the caller sets it.
    pub(super) fn dossier(&self, rng: &mut ChaCha8Rng, flaw: Option<Flaw>) -> Dossier {
        let offer = self.registry.offer_on(self.agency, self.procedure, self.day);
        let offered = offer.and_then(|offer| offer.online_level.as_deref()).and_then(Level::from_name);
        let takes_post = offer.is_some_and(|offer| offer.postal_submission);
        let sends_post = offer.is_some_and(|offer| offer.postal_return);
        let channel = if flaw.is_some() { Channel::Counter } else { self.channel(rng, offered, takes_post) };
        let (applied, accepted) = self.reception(rng, channel, flaw.is_some());
        let mut dossier = Dossier {
            id: id(rng, applied),
            agency: u32::try_from(self.agency).expect("fewer agencies than four billion"),
            procedure: u32::try_from(self.procedure).expect("fewer procedures than four billion"),
            sequence: 0,
            applied,
            accepted,
            due: None,
            due_change: None,
            due_moves: Vec::new(),
            apology: None,
            is_silent: false,
            channel,
            channel_before: None,
            // In 3 % of the records the level disagrees with the registry.
            level: if rng.random_bool(0.03) { Some(Level::Partial) } else { offered },
            return_by_post: rng.random_bool(if sends_post { self.habits.postal_return } else { 0.003 }),
            supplement: None,
            ending: Ending::Done,
            ended: None,
            mistaken_end: None,
            returned: None,
            flaw,
            resend: Resend::Once,
            style: rng.random(),
        };
        match accepted {
            Some(accepted) => self.process(rng, &mut dossier, accepted),
            None if rng.random_bool(0.7) => {
                dossier.ending = Ending::Refused;
                dossier.ended = Some(self.office_after(rng, day_of(applied), 1..=3));
            }
            None => {}
        }
        if flaw.is_none() {
            let further = rng.random_range(30..=MAX_RESEND_SECS);
            dossier.resend = match rng.random_range(0..1_000) {
                0..10 => Resend::Same(further),
                10..15 => Resend::Older(further),
                _ => Resend::Once,
            };
        }
        dossier
    }

    fn channel(&self, rng: &mut ChaCha8Rng, offered: Option<Level>, takes_post: bool) -> Channel {
        if !self.registry.working_days.is_working(self.day) {
            return Channel::Counter;
        }
        let online = match offered {
            Some(Level::Full) => self.habits.online * 1.25,
            Some(Level::Partial) => self.habits.online * 0.8,
            // Online although only information is offered: an error in the portal's data (domain F.6).
            Some(Level::Information) | None => 0.01,
        };
        let postal = if takes_post { self.habits.postal } else { 0.003 };
        let draw: f64 = rng.random();
        if draw < online {
            Channel::Online
        } else if draw < online + (1.0 - online) * postal {
            Channel::Postal
        } else {
            Channel::Counter
        }
    }

    /// Moments of hand-in and acceptance; no acceptance for 1.2 % of online dossiers.
    fn reception(&self, rng: &mut ChaCha8Rng, channel: Channel, at_once: bool) -> (Moment, Option<Moment>) {
        if channel != Channel::Online {
            // One in a hundred exactly at the usual cut-off, 15:00:00.
            let at_cut_off = self.day * DAY_SECS + 15 * 3600;
            let accepted = if rng.random_bool(0.01) { at_cut_off } else { office(rng, self.day) };
            let waited = if at_once { 0 } else { rng.random_range(0..900) };
            return (accepted - waited, Some(accepted));
        }
        let next = self.after(self.day, 1);
        let applied = self.day * DAY_SECS + rng.random_range(6 * 3600..22 * 3600);
        if rng.random_bool(0.012) {
            return (applied, None);
        }
        // From the next day on another agency may be competent: the dossier is then accepted this afternoon.
        if next > self.until {
            let applied = self.day * DAY_SECS + rng.random_range(6 * 3600..13 * 3600);
            return (applied, Some(self.day * DAY_SECS + 16 * 3600 + rng.random_range(1..60) * 60 + 7));
        }
        if clock(applied) < 15 * 3600 && rng.random_bool(0.7) {
            return (applied, Some(later(rng, applied.max(self.day * DAY_SECS + 7 * 3600 + 1800))));
        }
        (applied, Some(office(rng, next)))
    }

    /// Draws everything after acceptance.
    fn process(&self, rng: &mut ChaCha8Rng, dossier: &mut Dossier, accepted: Moment) {
        let procedure = &self.registry.procedures[self.procedure];
        let days = statutory_days(procedure).unwrap_or(DEFAULT_DAYS);
        let day = day_of(accepted);
        let mut limit = self.limit(rng, procedure, accepted, days);
        if !rng.random_bool(if procedure.immediate { 0.8 } else { 0.02 }) {
            dossier.due = Some(due(rng, limit, accepted));
        }
        let mut from = accepted;
        if dossier.due.is_some() && days >= 3 && rng.random_bool(0.05) {
            let requested = self.office_after(rng, day, 1..=2);
            let provided = rng.random_bool(0.85).then(|| self.office_after(rng, day_of(requested), 1..=6));
            dossier.supplement = Some(Supplement { requested, provided });
            let Some(provided) = provided else { return };
            // NĐ 61/2018 art. 19(4): the time starts again when the dossier is complete.
            limit = self.after(day_of(provided), days);
            dossier.due_change = Some((provided, limit * DAY_SECS + 17 * 3600));
            from = provided;
        }
        dossier.ending = match rng.random_range(0..1_000) {
            // Never ends.
            0..8 => return,
            8..28 => Ending::Withdrawn,
            28..43 => Ending::Refused,
            43..53 => Ending::DoneWithoutDate,
            _ => Ending::Done,
        };
        let ended = self.end(rng, from, limit, dossier.due);
        dossier.ended = Some(ended);
        if matches!(dossier.ending, Ending::Done | Ending::DoneWithoutDate) && rng.random_bool(0.96) {
            dossier.returned = Some(if rng.random_bool(0.6) {
                later(rng, ended)
            } else {
                self.office_after(rng, day_of(ended), 1..=4)
            });
        }
        if dossier.ending == Ending::Done && rng.random_bool(0.004) {
            // On the day of acceptance without a time of day, which is possible; else before the acceptance.
            let midnight = day * DAY_SECS;
            let mistakes =
                [midnight, accepted - rng.random_range(60..7200), midnight - rng.random_range(0..5) * DAY_SECS];
            dossier.mistaken_end = Some(mistakes[rng.random_range(0..mistakes.len())]);
        }
        self.correct(rng, dossier, accepted);
    }

    /// Day on which the result is due.
    fn limit(&self, rng: &mut ChaCha8Rng, procedure: &Procedure, accepted: Moment, days: u32) -> Day {
        let day = day_of(accepted);
        let late_reception = clock(accepted) > seconds(procedure.cut_off);
        if procedure.immediate {
            let same_day = self.registry.working_days.is_working(day) && !late_reception;
            return if same_day { day } else { self.after(day, 1) };
        }
        let start = self.registry.working_days.on_or_before(day);
        self.after(start, days + u32::from(late_reception && rng.random_bool(0.5)))
    }

    fn end(&self, rng: &mut ChaCha8Rng, from: Moment, limit: Day, due: Option<Moment>) -> Moment {
        let start = day_of(from);
        if rng.random_bool(self.habits.late) {
            let late = rng.random_range(1..=4) * rng.random_range(1..=4);
            return office(rng, self.after(limit.max(start), late));
        }
        // An end exactly at the due moment is on time.
        if let Some(due) = due.filter(|&due| due > from && clock(due) != 0)
            && rng.random_bool(0.003)
        {
            return due;
        }
        let room = self.registry.working_days.between(start, limit);
        let taken = rng.random_range(0..=room).max(rng.random_range(0..=room));
        let ended = match self.after(start, taken) {
            same if same == start => later(rng, from),
            another => office(rng, another),
        };
        match due {
            // Many dossiers end in the last hour before the due time.
            Some(due) if clock(due) != 0 && due < ended && due - 3600 > from && rng.random_bool(0.8) => {
                due - rng.random_range(60..3600)
            }
            _ => ended,
        }
    }

    /// Draws the counter's mistakes in due date and channel, which are corrected on the next working day if the dossier
    /// is still open.
    fn correct(&self, rng: &mut ChaCha8Rng, dossier: &mut Dossier, accepted: Moment) {
        let at = office(rng, self.after(day_of(accepted), 1));
        let (due_wrong, channel_wrong) = (rng.random_bool(0.012), rng.random_bool(0.012));
        if dossier.flaw.is_some() || dossier.ended.is_some_and(|ended| ended <= at) {
            return;
        }
        if let Some(due) = dossier.due
            && dossier.due_change.is_none()
            && due_wrong
        {
            dossier.due = Some(due + rng.random_range(-2..=5) * DAY_SECS + 1800);
            dossier.due_change = Some((at, due));
        }
        if channel_wrong {
            let before = if dossier.channel == Channel::Counter { Channel::Postal } else { Channel::Counter };
            dossier.channel_before = Some((at, before));
        }
    }

    /// A moment in office hours, a random number of working days after a day.
    fn office_after(&self, rng: &mut ChaCha8Rng, day: Day, count: RangeInclusive<u32>) -> Moment {
        let count = rng.random_range(count);
        office(rng, self.after(day, count))
    }

    fn after(&self, day: Day, count: u32) -> Day {
        self.registry.working_days.after(day, count)
    }
}

/// Statutory time of a procedure in working days; eight hours are one day.
fn statutory_days(procedure: &Procedure) -> Option<u32> {
    procedure.statutory_time.map(|time| match procedure.unit {
        TimeUnit::WorkingDays => time,
        TimeUnit::Hours => time.div_ceil(8),
        // Five of seven calendar days are working days.
        TimeUnit::CalendarDays => (time * 5).div_ceil(7),
    })
}

/// Seconds since midnight.
pub(super) fn seconds(time: Time) -> i64 {
    i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second())
}

/// Due date as the portal writes it: at closing time, as a date at midnight, or at the time of acceptance.
fn due(rng: &mut ChaCha8Rng, limit: Day, accepted: Moment) -> Moment {
    let midnight = limit * DAY_SECS;
    let same_day = limit == day_of(accepted);
    match rng.random_range(0..100) {
        0..12 => midnight,
        12..72 => midnight + 17 * 3600,
        _ if same_day => midnight + 17 * 3600,
        _ => midnight + clock(accepted),
    }
}

/// A moment in office hours; never on a full minute.
pub(super) fn office(rng: &mut ChaCha8Rng, day: Day) -> Moment {
    const HOURS: [i64; 21] = [7, 8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 13, 13, 14, 14, 14, 15, 15, 16, 16];
    let hour = HOURS[rng.random_range(0..HOURS.len())];
    let minute = match hour {
        7 | 13 => rng.random_range(20..60),
        _ => rng.random_range(0..60),
    };
    day * DAY_SECS + hour * 3600 + minute * 60 + rng.random_range(1..60)
}

/// A moment up to three hours later on the same day.
fn later(rng: &mut ChaCha8Rng, from: Moment) -> Moment {
    let closing = day_of(from) * DAY_SECS + 17 * 3600 + 25 * 60;
    let latest = closing.max(from + 600).min(from + 3 * 3600).min(end_of(day_of(from)));
    let at = rng.random_range(from.min(latest - 1)..latest).max(from + 1);
    if clock(at) % 60 == 0 { at + 1 } else { at }
}

/// A Mongo id: four bytes of time, eight random bytes.
fn id(rng: &mut ChaCha8Rng, applied: Moment) -> [u8; 12] {
    let mut id: [u8; 12] = rng.random();
    let time = u32::try_from(applied.rem_euclid(1 << 32)).expect("below 2^32");
    id[..4].copy_from_slice(&time.to_be_bytes());
    id
}
