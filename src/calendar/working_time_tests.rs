//! Due dates worked out by hand: Tết 2024–2026, exchanged Saturdays, lunch breaks, evenings and the cut-off (domain D).

use jiff::civil::{Date, DateTime, date, time};
use proptest::prelude::*;

use super::StatutoryTime::{self, CalendarDays as C, Hours as H, WorkingDays as D};
use crate::calendar::working_calendar::WorkingCalendar;
use crate::model::day::{CalendarDay, DayKind};

/// Days off, and the Saturdays worked in exchange, in the years of the tests.
fn calendar() -> WorkingCalendar {
    let off: &[(i16, i8, &[i8])] = &[
        (2024, 2, &[8, 9, 12, 13, 14]),
        (2024, 4, &[18, 29, 30]),
        (2024, 5, &[1]),
        (2024, 9, &[2, 3]),
        (2025, 1, &[1, 27, 28, 29, 30, 31]),
        (2025, 4, &[7, 30]),
        (2025, 5, &[1, 2]),
        (2025, 9, &[1, 2]),
        (2026, 1, &[1, 2]),
        (2026, 2, &[16, 17, 18, 19, 20]),
        (2026, 4, &[27, 30]),
        (2026, 5, &[1]),
        (2026, 8, &[31]),
        (2026, 9, &[1, 2]),
        (2026, 11, &[24]),
    ];
    let worked = [date(2024, 5, 4), date(2025, 4, 26), date(2026, 1, 10), date(2026, 8, 22)];
    let mut days = Vec::new();
    for (year, month, of_month) in off {
        days.extend(of_month.iter().map(|day| CalendarDay { date: date(*year, *month, *day), kind: DayKind::Holiday }));
    }
    days.extend(worked.map(|date| CalendarDay { date, kind: DayKind::Working }));
    WorkingCalendar::new(&days)
}

fn at(text: &str) -> DateTime {
    text.parse().expect("a date and a time")
}

/// Received, statutory time, due; comments show the calculation.
const DUE: &[(&str, StatutoryTime, &str)] = &[
    // Tết 2024: Thursday 8 to Wednesday 14 February are off.
    ("2024-02-07T09:00", D(1), "2024-02-15T17:00"),
    ("2024-02-07T09:00", H(4), "2024-02-07T15:00"), // 2½ h until 11:30, 1½ h from 13:30
    ("2024-02-07T15:00", H(4), "2024-02-15T09:00"), // 2 h until 17:00, 2 h after Tết
    ("2024-02-09T10:00", D(1), "2024-02-15T17:00"), // received on a day of Tết
    ("2024-02-10T08:00", H(1), "2024-02-15T08:00"), // a Saturday within Tết
    // 29 April to 1 May 2024 off, Saturday 4 May worked.
    ("2024-04-26T08:00", D(2), "2024-05-03T17:00"), // 2 and 3 May
    ("2024-04-26T08:00", D(3), "2024-05-04T17:00"), // the worked Saturday is the third
    ("2024-04-26T08:00", D(4), "2024-05-06T17:00"),
    ("2024-05-04T10:00", H(8), "2024-05-06T10:00"), // 1½ + 3½ h on Saturday, 3 h on Monday
    ("2024-04-17T16:30", H(1), "2024-04-19T07:30"), // ½ h, Hùng Kings' day, ½ h
    ("2024-08-30T08:00", D(1), "2024-09-04T17:00"), // 2 and 3 September off
    // Tết 2025: Monday 27 to Friday 31 January.
    ("2025-01-24T08:00", D(1), "2025-02-03T17:00"),
    ("2025-01-24T17:30", H(8), "2025-02-03T17:00"), // after closing: the whole next working day
    ("2025-01-24T11:45", H(2), "2025-01-24T15:30"), // in the lunch break
    ("2025-01-24T11:30", H(1), "2025-01-24T14:30"), // at its beginning
    ("2025-01-24T06:15", H(1), "2025-01-24T08:00"), // before opening
    ("2025-01-24T08:00", H(12), "2025-02-03T14:00"), // 7 h, then 4½ and ½
    ("2025-01-24T08:00", H(20), "2025-02-04T14:00"), // 7 + 8 h, then 4½ and ½
    ("2025-04-04T09:00", D(1), "2025-04-08T17:00"), // Monday 7 April off
    // Saturday 26 April 2025 worked, Wednesday 30 April to Friday 2 May off.
    ("2025-04-25T09:00", D(1), "2025-04-26T17:00"),
    ("2025-04-25T09:00", D(2), "2025-04-28T17:00"),
    ("2025-04-29T09:00", D(1), "2025-05-05T17:00"),
    ("2025-04-26T16:00", H(2), "2025-04-28T08:00"), // 1 h on Saturday, 1 h on Monday
    ("2025-04-25T09:00", C(5), "2025-05-05T17:00"), // the fifth day is 30 April: moved over the holidays
    ("2025-04-25T09:00", C(1), "2025-04-26T17:00"), // a worked Saturday is no day off
    // 1 and 2 January 2026 off, Saturday 10 January worked.
    ("2025-12-31T14:59", D(1), "2026-01-05T17:00"),
    ("2026-01-09T09:00", D(1), "2026-01-10T17:00"),
    // Tết 2026: Monday 16 to Friday 20 February.
    ("2026-02-13T09:00", D(1), "2026-02-23T17:00"),
    ("2026-02-13T10:00", H(8), "2026-02-23T10:00"), // 5 h on Friday, 3 h after Tết
    ("2026-02-13T10:00", C(3), "2026-02-23T17:00"),
    ("2026-04-24T09:00", D(1), "2026-04-28T17:00"), // Monday 27 April for the Hùng Kings' Sunday
    ("2026-08-21T09:00", D(1), "2026-08-22T17:00"), // Saturday worked for 31 August
    ("2026-08-28T09:00", D(1), "2026-09-03T17:00"),
    ("2026-11-23T16:00", H(2), "2026-11-25T08:00"), // Culture Day on the 24th
    // Saturday openings that are no working days.
    ("2026-11-21T09:00", H(4), "2026-11-23T11:00"),
    ("2026-11-21T09:00", D(1), "2026-11-23T17:00"),
    ("2026-11-21T09:00", D(0), "2026-11-23T17:00"),
    ("2026-03-02T07:00", H(8), "2026-03-02T17:00"), // ends with the day, not at the next opening
    ("2026-03-02T13:30", H(4), "2026-03-03T07:30"),
];

#[test]
fn due_dates_agree_with_those_worked_out_by_hand() {
    let calendar = calendar();
    for (received, statutory, due) in DUE {
        assert_eq!(calendar.due(at(received), *statutory), at(due), "{received} {statutory:?}");
    }
}

/// Received, cut-off, statutory time, due.
#[test]
fn a_dossier_after_the_cut_off_counts_from_the_next_working_day() {
    let calendar = calendar();
    let three = time(15, 0, 0, 0);
    for (received, cut_off, statutory, due) in [
        ("2025-12-31T15:00:01", three, D(1), "2026-01-06T17:00"), // counts as received on Monday 5 January
        ("2025-12-31T15:00", three, D(1), "2026-01-05T17:00"),    // 15:00:00 is not after 15:00
        ("2025-12-31T14:59", three, D(1), "2026-01-05T17:00"),
        ("2026-01-09T15:01", three, D(1), "2026-01-12T17:00"), // as on the worked Saturday
        ("2026-11-23T15:00", three, D(0), "2026-11-23T17:00"), // an immediate result
        ("2026-11-23T15:30", three, D(0), "2026-11-25T17:00"), // an immediate result, over Culture Day
        ("2026-11-23T14:00", three, D(0), "2026-11-23T17:00"),
        ("2026-11-23T10:30", time(10, 0, 0, 0), H(4), "2026-11-25T11:00"), // a procedure with an earlier cut-off
        ("2026-11-21T16:00", three, D(1), "2026-11-23T17:00"),             // a Saturday opening is before any cut-off
    ] {
        let counts = calendar.counts_as_received(at(received), Some(cut_off));
        assert_eq!(calendar.due(counts, statutory), at(due), "{received} {statutory:?}");
    }
}

#[test]
fn a_supplement_restarts_or_pauses_the_clock() {
    let calendar = calendar();
    // Received Monday 2 March, three days: Thursday 5 March.
    assert_eq!(calendar.due(at("2026-03-02T08:00"), D(3)), at("2026-03-05T17:00"));
    // Restart: supplied on Wednesday 4 March at 10:00, three days from there.
    assert_eq!(calendar.due(at("2026-03-04T10:00"), D(3)), at("2026-03-09T17:00"));
    for (requested, supplied, due) in [
        ("2026-03-03T10:00", "2026-03-04T10:00", "2026-03-06T17:00"), // eight working hours
        ("2026-03-03T11:00", "2026-03-03T14:00", "2026-03-06T08:00"), // ½ h before and ½ h after lunch
        ("2026-03-03T18:00", "2026-03-03T22:00", "2026-03-05T17:00"), // an evening is no working time
        ("2026-03-06T16:00", "2026-03-09T08:00", "2026-03-06T09:00"), // 1 h on Friday, 1 h on Monday
        ("2026-03-04T10:00", "2026-03-03T10:00", "2026-03-05T17:00"), // supplied before it was asked for: nothing
    ] {
        let paused = calendar.paused(at("2026-03-05T17:00"), at(requested), at(supplied));
        assert_eq!(paused, at(due), "{requested} to {supplied}");
    }
}

/// Adds working time minute by minute.
fn add_minute_by_minute(calendar: &WorkingCalendar, from: DateTime, minutes: i64) -> DateTime {
    let is_worked = |moment: DateTime| {
        let time = moment.time();
        let morning = time >= super::OPENING && time < super::NOON;
        calendar.is_working(moment.date()) && (morning || time >= super::AFTERNOON && time < super::CLOSING)
    };
    let (mut moment, mut left) = (from, minutes);
    while left > 0 {
        left -= i64::from(is_worked(moment));
        moment = moment.checked_add(jiff::Span::new().minutes(1)).expect("in this millennium");
    }
    moment
}

proptest! {
    #[test]
    fn working_time_agrees_with_a_minute_by_minute_count(
        day in 0_i32..900, minute in 0_i64..1440, minutes in 1_i64..3000,
    ) {
        let calendar = calendar();
        let start: Date = date(2024, 1, 1).checked_add(jiff::Span::new().days(day)).expect("in range");
        let from = start.at(0, 0, 0, 0).checked_add(jiff::Span::new().minutes(minute)).expect("in range");
        let found = calendar.add_working_seconds(from, minutes * 60);
        prop_assert_eq!(found, add_minute_by_minute(&calendar, from, minutes));
        prop_assert_eq!(calendar.working_seconds(from, found), minutes * 60);
    }
}
