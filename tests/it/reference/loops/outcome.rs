//! When a dossier ends, and until when it is on time, under each shipped rule set.

use jiff::civil::{Date, Weekday};
use motcua::model::day::DayKind;
use motcua::model::instant::{DAY_MICROS, from_local, local};
use motcua::model::procedure::{Procedure, TimeUnit};

use super::super::province::{self, Dossier};
use super::{ShippedRules, day_of};

/// How a dossier ends under a rule set.
pub(super) struct DossierOutcome {
    pub(super) end: Option<i64>,
    /// Whether it has ended by its status. Decides if there is no date of the end.
    pub(super) ended_by_status: bool,
    /// Whether it is on time once it has ended; `None`: its end has no date, or the due date that counts is not known.
    pub(super) ended_on_time: Option<bool>,
    /// It ended before it was received, which is a mistake of the source.
    pub(super) is_impossible: bool,
    /// Whether the rule set calls that late; otherwise nobody knows whether it was.
    pub(super) is_late_if_impossible: bool,
    /// Neither the source nor the registry, which lacks the procedure, gives it a limit, and the rule set needs one.
    pub(super) has_no_known_limit: bool,
    /// The last moment that is on time for certain.
    pub(super) due: Option<i64>,
    /// The last moment that may be on time: later than `due` if the due date that counts is not known.
    pub(super) latest: Option<i64>,
    /// Whether a dossier without a due date can be on time.
    pub(super) on_time_without_due: bool,
    /// Whether it cannot become overdue while it is open.
    pub(super) clock_stopped: bool,
}

impl DossierOutcome {
    pub(super) fn ended_by(&self, moment: i64) -> bool {
        self.end.map_or(self.ended_by_status, |end| end <= moment)
    }

    /// `None` if no limit is known.
    pub(super) fn overdue_at(&self, moment: i64) -> Option<bool> {
        if self.ended_by(moment) {
            return Some(false);
        }
        match (self.due, self.latest) {
            _ if self.has_no_known_limit => None,
            _ if self.clock_stopped => Some(false),
            (Some(due), Some(latest)) if due < moment && moment <= latest => None,
            (_, latest) => Some(latest.is_some_and(|latest| latest < moment)),
        }
    }

    /// As [`overdue_at`](Self::overdue_at) for a stock: overdue once the last possible limit has passed.
    pub(super) fn in_stock_overdue_at(&self, moment: i64) -> Option<bool> {
        let is_known = self.ended_by(moment) || !self.has_no_known_limit;
        is_known
            .then(|| !self.ended_by(moment) && !self.clock_stopped && self.latest.is_some_and(|latest| latest < moment))
    }

    /// `None` if no limit or no possible date of the end is known.
    pub(super) fn late_by(&self, moment: i64) -> Option<bool> {
        if !self.ended_by(moment) {
            Some(false)
        } else if self.is_impossible {
            self.is_late_if_impossible.then_some(true)
        } else if self.has_no_known_limit {
            None
        } else {
            self.ended_on_time.map(|on_time| !on_time)
        }
    }

    /// Open and not overdue, and with a due date if the rule set needs one.
    pub(super) fn can_end_on_time_at(&self, moment: i64) -> bool {
        // Where the due date is not known, on time is what is so for certain.
        let can_be_in_time = self.due.map_or(self.on_time_without_due, |due| moment <= due || self.latest == self.due);
        !self.ended_by(moment) && self.overdue_at(moment) == Some(false) && can_be_in_time
    }
}

/// The outcome of a dossier under a rule set. The letters are those of `seed-2639`.
pub(super) fn outcome_of(
    dossier: &Dossier,
    received: i64,
    procedure: Option<&Procedure>,
    rules: ShippedRules,
) -> DossierOutcome {
    let status = dossier.status.as_deref();
    // An end before the reception is a mistake of the source and not on time. At midnight it is a date.
    let is_possible =
        |end: Option<i64>| end.is_none_or(|end| end >= received || is_midnight(end) && day_of(end) == day_of(received));
    let has_any_ended_status = matches!(status, Some("refused" | "withdrawn" | "stopped" | "completed" | "returned"));
    match rules {
        ShippedRules::Seed2639 => {
            // d: completed or handed over, whichever came first. f: withdrawn, refused and stopped dossiers end on that
            // date.
            let finished = [dossier.completed, dossier.returned].into_iter().flatten().min();
            let end = finished.or(dossier.withdrawn).or(dossier.refused).or(dossier.stopped);
            let (due, latest) = due_of(dossier, received, procedure).unzip();
            DossierOutcome {
                latest,
                end,
                ended_by_status: has_any_ended_status,
                ended_on_time: end.and_then(|end| match (due, latest) {
                    _ if !is_possible(Some(end)) => Some(false),
                    (Some(due), Some(latest)) if end > due && end <= latest => None,
                    (due, _) => Some(due.is_some_and(|due| end <= due)),
                }),
                is_impossible: !is_possible(end),
                is_late_if_impossible: false,
                has_no_known_limit: due.is_none() && procedure.is_none(),
                due,
                on_time_without_due: false,
                clock_stopped: false,
            }
        }
        ShippedRules::Form06a => {
            let done = dossier.completed.or(dossier.returned);
            let due = dossier.due.map(|due| end_of(day_of(due)));
            let ended_on_time = match (done, dossier.withdrawn) {
                (Some(done), _) => due.is_none_or(|due| day_of(done) <= day_of(due)),
                (None, Some(_)) => true,
                (None, None) => status == Some("withdrawn"),
            };
            let end = done.or(dossier.withdrawn);
            DossierOutcome {
                latest: due,
                end,
                ended_by_status: matches!(status, Some("completed" | "returned" | "withdrawn")),
                // Column 10 has what nothing shows to be on time.
                ended_on_time: Some(ended_on_time && is_possible(end)),
                is_impossible: !is_possible(end),
                is_late_if_impossible: true,
                has_no_known_limit: false,
                due,
                on_time_without_due: true,
                clock_stopped: matches!(status, Some("supplement" | "finance" | "stopped")),
            }
        }
        ShippedRules::Qd766 => {
            let asked_again = dossier.supplements.is_some_and(|times| times > 1);
            let end = dossier.completed.or(dossier.returned).or(dossier.stopped).or(dossier.refused);
            let waiting_since = if status == Some("supplement") && !asked_again { dossier.asked } else { None };
            let end = end.or(dossier.withdrawn);
            let is_possible = is_possible(end);
            let end = end.or(waiting_since);
            let portal_due = dossier.due.map(|due| if is_midnight(due) { end_of(day_of(due)) } else { due });
            let computed_due = computed_due(dossier, received, procedure);
            let pause = match (dossier.asked, dossier.supplied) {
                (Some(asked), Some(supplied)) if supplied > asked => supplied - asked,
                _ => 0,
            };
            let due = portal_due.or(computed_due).map(|due| due + pause);
            let due = if asked_again { Some(received - 1) } else { due };
            DossierOutcome {
                latest: due,
                end,
                ended_by_status: has_any_ended_status,
                ended_on_time: end.map(|end| due.is_some_and(|due| end <= due) && is_possible),
                is_impossible: !is_possible,
                is_late_if_impossible: false,
                has_no_known_limit: due.is_none() && procedure.is_none(),
                due,
                on_time_without_due: false,
                clock_stopped: false,
            }
        }
    }
}

/// The apology for a dossier (NĐ 61/2018 art. 19(9)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Apology {
    Absent,
    /// Sent at the latest on the day before that of the limit.
    Timely,
    Late,
    /// Stated, but its day or the limit is not known.
    Unknown,
}

/// Whether an apology was sent in time: one day before the limit that was in force before it.
pub(super) fn apology_of(
    dossier: &Dossier,
    received: i64,
    procedure: Option<&Procedure>,
    rules: ShippedRules,
) -> Apology {
    if dossier.apology.is_none() && dossier.apology_number.is_none() && dossier.apology_due.is_none() {
        return Apology::Absent;
    }
    let is_moved = dossier.due.is_some() && dossier.due == dossier.apology_due;
    let portal_due = if is_moved { dossier.first_due.or(dossier.due) } else { dossier.due };
    let limit = match rules {
        ShippedRules::Seed2639 => {
            return match (dossier.apology, due_of(dossier, received, procedure)) {
                (Some(sent), Some((_, latest))) if day_of(sent) >= day_of(latest) => Apology::Late,
                (Some(sent), Some((certain, _))) if day_of(sent) < day_of(certain) => Apology::Timely,
                _ => Apology::Unknown,
            };
        }
        ShippedRules::Form06a => portal_due,
        ShippedRules::Qd766 => {
            let pause = match (dossier.asked, dossier.supplied) {
                (Some(asked), Some(supplied)) if supplied > asked => supplied - asked,
                _ => 0,
            };
            let portal_due = portal_due.map(|due| if is_midnight(due) { end_of(day_of(due)) } else { due });
            portal_due.or(computed_due(dossier, received, procedure)).map(|due| due + pause)
        }
    };
    match (dossier.apology, limit) {
        (Some(sent), Some(limit)) if day_of(sent) >= day_of(limit) => Apology::Late,
        // The date before the apology is not known; it was an earlier one.
        (Some(_), Some(_)) if is_moved && dossier.first_due.is_none() => Apology::Unknown,
        (Some(_), Some(_)) => Apology::Timely,
        _ => Apology::Unknown,
    }
}

fn is_midnight(moment: i64) -> bool {
    local(moment).time() == jiff::civil::Time::midnight()
}

/// The end of the statutory time.
fn statutory(from: i64, procedure: &Procedure) -> Option<i64> {
    let time = procedure.statutory_time?;
    Some(match procedure.unit {
        TimeUnit::WorkingDays => end_of(working_days_on(day_of(from), time)),
        TimeUnit::Hours => working_hours_on(from, i64::from(time)),
        TimeUnit::CalendarDays => {
            let last = day_of(from).checked_add(jiff::ToSpan::days(i64::from(time))).expect("in this millennium");
            end_of(if is_working(last) { last } else { next_working(last) })
        }
    })
}

/// The moment some working hours after another one. Working hours are 7:00 to 11:30 and 13:30 to 17:00 of working days.
fn working_hours_on(from: i64, hours: i64) -> i64 {
    const HOUR: i64 = 3_600_000_000;
    let mut left = hours * HOUR;
    let mut day = day_of(from);
    loop {
        for (begins, ends) in [(14, 23), (27, 34)] {
            let midnight = from_local(day.into());
            let begin = from.max(midnight + begins * HOUR / 2);
            let end = midnight + ends * HOUR / 2;
            if !is_working(day) || begin >= end {
                continue;
            }
            if left <= end - begin {
                return begin + left;
            }
            left -= end - begin;
        }
        day = day.tomorrow().expect("in this millennium");
    }
}

/// Whole working hours between two moments: the sum of what lies in the morning and in the afternoon of each working
/// day.
pub(super) fn working_hours_between(from: i64, to: i64) -> u64 {
    const HOUR: i64 = 3_600_000_000;
    let mut worked = 0;
    let mut day = day_of(from);
    while day <= day_of(to) {
        for (begins, ends) in [(14, 23), (27, 34)] {
            let midnight = from_local(day.into());
            let (begin, end) = (from.max(midnight + begins * HOUR / 2), to.min(midnight + ends * HOUR / 2));
            if is_working(day) && begin < end {
                worked += end - begin;
            }
        }
        day = day.tomorrow().expect("in this millennium");
    }
    u64::try_from(worked / HOUR).expect("time does not run back")
}

fn working_days_on(day: Date, days: u32) -> Date {
    let mut last = day;
    for _ in 0..days {
        last = next_working(last);
    }
    last
}

/// Whether the source states neither a status nor anything about supplements.
pub(super) fn states_no_pause(dossier: &Dossier) -> bool {
    let supplements = [dossier.supplements, dossier.asked, dossier.supplied];
    dossier.status.is_none() && supplements.iter().all(Option::is_none)
}

/// Whether a due date is the one that an apology announced.
pub(super) fn is_of_apology(dossier: &Dossier, due: i64) -> bool {
    let is_same = |of: i64| due == of || (is_midnight(due) || is_midnight(of)) && day_of(due) == day_of(of);
    dossier.apology_due.is_some_and(is_same)
}

/// e: a date before the reception is no due date.
pub(super) fn is_due_date(due: i64, received: i64) -> bool {
    due >= received || is_midnight(due) && day_of(due) == day_of(received)
}

/// The last moment that is on time by `seed-2639` for certain, and the last one that may be.
fn due_of(dossier: &Dossier, received: i64, procedure: Option<&Procedure>) -> Option<(i64, i64)> {
    // d: midnight is a date without a time of day.
    let whole_day = |due: i64| if is_midnight(due) { end_of(day_of(due)) } else { due };
    let due = dossier.due.filter(|&due| is_due_date(due, received));
    // e: an apology's date does not count. What counts is the date before it, if any version stated one.
    if let Some(due) = due
        && is_of_apology(dossier, due)
    {
        let before = [dossier.explained, dossier.first_known()].into_iter().flatten().find(|before| *before < due);
        return Some(match before {
            Some(before) => (whole_day(before), whole_day(before)),
            None => (received - 1, whole_day(due)),
        });
    }
    // e: a later date counts if something explains it.
    match (due, dossier.explained) {
        (Some(due), Some(explained)) if explained < due && states_no_pause(dossier) => {
            Some((whole_day(explained), whole_day(due)))
        }
        (Some(due), Some(explained)) => Some((whole_day(due.min(explained)), whole_day(due.min(explained)))),
        (Some(due), None) | (None, Some(due)) => Some((whole_day(due), whole_day(due))),
        (None, None) => computed(dossier, received, procedure),
    }
}

/// The computed due date, which is always known.
fn computed(dossier: &Dossier, received: i64, procedure: Option<&Procedure>) -> Option<(i64, i64)> {
    // NĐ 61/2018 art. 19(4): a supplement restarts the statutory time.
    let due = computed_due(dossier, dossier.supplied.unwrap_or(received), procedure)?;
    Some((due, due))
}

/// g: the due date of a dossier for which the source has none. Immediate results, and certification without a statutory
/// time (NĐ 23/2015 art. 7), are due by the cut-off rule; all others by the statutory time.
fn computed_due(dossier: &Dossier, received: i64, procedure: Option<&Procedure>) -> Option<i64> {
    let day = day_of(received);
    let certification = dossier.certification.unwrap_or(procedure.is_some_and(|procedure| procedure.certification));
    let immediate = procedure.is_some_and(|procedure| procedure.immediate);
    let has_time = procedure.is_some_and(|procedure| procedure.statutory_time.is_some());
    if immediate || certification && !has_time {
        let cut_off = procedure.map_or(jiff::civil::time(15, 0, 0, 0), |procedure| procedure.cut_off);
        // "Sau 15 giờ": 15:00:00 itself is within the day.
        let same_day = is_working(day) && local(received).time() <= cut_off;
        return Some(end_of(if same_day { day } else { next_working(day) }));
    }
    statutory(received, procedure?)
}

pub(super) fn is_working(day: Date) -> bool {
    for special in province::calendar() {
        if special.date == day {
            return special.kind == DayKind::Working;
        }
    }
    day.weekday() != Weekday::Saturday && day.weekday() != Weekday::Sunday
}

fn next_working(day: Date) -> Date {
    let mut next = day.tomorrow().expect("in this millennium");
    while !is_working(next) {
        next = next.tomorrow().expect("in this millennium");
    }
    next
}

pub(super) fn end_of(day: Date) -> i64 {
    from_local(day.into()) + DAY_MICROS - 1
}
