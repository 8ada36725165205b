//! How a dossier ends and until when it is in time, by each rule set (domain C.4, D).

use jiff::civil::{Date, Weekday};
use motcua::model::day::DayKind;
use motcua::model::instant::{DAY_MICROS, from_local, local};
use motcua::model::procedure::{Procedure, TimeUnit};

use super::super::province::{self, Dossier};
use super::{Reading, day_of};

/// How a dossier ends by a reading, and the last moment in time.
pub(super) struct Life {
    pub(super) end: Option<i64>,
    /// Its status says that it ended.
    pub(super) ended_word: bool,
    /// On time once it ended.
    pub(super) good: bool,
    pub(super) due: Option<i64>,
    /// A dossier without due date may be on time.
    pub(super) free: bool,
    /// The clock stands while it is open.
    pub(super) stands: bool,
}

impl Life {
    pub(super) fn ended_by(&self, moment: i64) -> bool {
        self.end.map_or(self.ended_word, |end| end <= moment)
    }

    pub(super) fn overdue_at(&self, moment: i64) -> bool {
        !self.ended_by(moment) && !self.stands && self.due.is_some_and(|due| due < moment)
    }

    pub(super) fn late_by(&self, moment: i64) -> bool {
        self.ended_by(moment) && !self.good
    }

    /// Open and not overdue, and something says until when.
    pub(super) fn hopeful_at(&self, moment: i64) -> bool {
        !self.ended_by(moment) && !self.overdue_at(moment) && (self.due.is_some() || self.free)
    }
}

/// The life of a dossier by a reading (domain C.4, a column each).
pub(super) fn life_of(dossier: &Dossier, received: i64, procedure: Option<&Procedure>, reading: Reading) -> Life {
    let status = dossier.status.as_deref();
    let ended_anyhow = matches!(status, Some("refused" | "withdrawn" | "stopped" | "completed" | "returned"));
    match reading {
        Reading::Seed2639 => {
            // f: each its own end. d: never the pick-up of the result.
            let end = dossier.completed.or(dossier.withdrawn).or(dossier.refused).or(dossier.stopped);
            let due = due_of(dossier, received, procedure);
            Life {
                end,
                ended_word: ended_anyhow,
                good: end.is_some_and(|end| due.is_some_and(|due| end <= due)),
                due,
                free: false,
                stands: false,
            }
        }
        Reading::Form06a => {
            let done = dossier.completed.or(dossier.returned);
            let due = dossier.due.map(|due| end_of(day_of(due)));
            let good = match (done, dossier.withdrawn) {
                (Some(done), _) => due.is_none_or(|due| day_of(done) <= day_of(due)),
                (None, Some(_)) => true,
                (None, None) => status == Some("withdrawn"),
            };
            Life {
                end: done.or(dossier.withdrawn),
                ended_word: matches!(status, Some("completed" | "returned" | "withdrawn")),
                good,
                due,
                free: true,
                stands: matches!(status, Some("supplement" | "finance" | "stopped")),
            }
        }
        Reading::Qd766 => {
            let again = dossier.supplements.is_some_and(|times| times > 1);
            let end = dossier.completed.or(dossier.returned).or(dossier.stopped).or(dossier.refused);
            let waits = if status == Some("supplement") && !again { dossier.asked } else { None };
            let end = end.or(dossier.withdrawn).or(waits);
            let stated = dossier.due.map(|due| if is_midnight(due) { end_of(day_of(due)) } else { due });
            let stand_in = stand_in(dossier, received, procedure);
            let pause = match (dossier.asked, dossier.supplied) {
                (Some(asked), Some(supplied)) if supplied > asked => supplied - asked,
                _ => 0,
            };
            let due = if again { Some(received - 1) } else { stated.or(stand_in).map(|due| due + pause) };
            Life {
                end,
                ended_word: ended_anyhow,
                good: end.is_some_and(|end| due.is_some_and(|due| end <= due)),
                due,
                free: false,
                stands: false,
            }
        }
    }
}

fn is_midnight(moment: i64) -> bool {
    local(moment).time() == jiff::civil::Time::midnight()
}

/// When the statutory time has run out.
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

/// Mornings from 7:00 to 11:30 and afternoons from 13:30 to 17:00 are used up one after the other.
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

/// Whole working hours between two moments: what of each day lies in both its halves.
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

/// The last moment that is on time by `seed-2639`.
fn due_of(dossier: &Dossier, received: i64, procedure: Option<&Procedure>) -> Option<i64> {
    // e: the date before the apology, where the portal put the apology's date in its place.
    let moved = dossier.due.is_some() && dossier.due == dossier.apology_due;
    let due = if moved { dossier.first_due.or(dossier.due) } else { dossier.due };
    // NĐ 61/2018 art. 19(4): a supplement starts the statutory time again.
    let from = dossier.supplied.unwrap_or(received);
    let Some(due) = due else { return stand_in(dossier, from, procedure) };
    // d: midnight is a date.
    Some(if is_midnight(due) { end_of(day_of(due)) } else { due })
}

/// g: what is resolved at once by the cut-off, and so is certification without a statutory time (NĐ 23/2015 art. 7); all
/// others by the statutory time.
fn stand_in(dossier: &Dossier, received: i64, procedure: Option<&Procedure>) -> Option<i64> {
    let day = day_of(received);
    let certification = dossier.certification.unwrap_or(procedure.is_some_and(|procedure| procedure.certification));
    let immediate = procedure.is_some_and(|procedure| procedure.immediate);
    let has_time = procedure.is_some_and(|procedure| procedure.statutory_time.is_some());
    if immediate || certification && !has_time {
        let cut_off = procedure.map_or(jiff::civil::time(15, 0, 0, 0), |procedure| procedure.cut_off);
        let same_day = is_working(day) && local(received).time() < cut_off;
        return Some(end_of(if same_day { day } else { next_working(day) }));
    }
    statutory(received, procedure?)
}

pub(super) fn is_working(day: Date) -> bool {
    for marked in province::calendar() {
        if marked.date == day {
            return marked.kind == DayKind::Working;
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
