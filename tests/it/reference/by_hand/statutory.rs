//! 3.4.5, index 1, worked by hand: the statutory time. For dossiers received after the cut-off it begins on the next
//! working day (NĐ 61/2018 art. 18(2)).
//!
//! Every row is an agency of its own with two dossiers. One ends at the last moment that is on time, and one a
//! microsecond later. So one of two is on time. A time in days ends at the end of its last day.

use motcua::model::figure::Figure;

use super::super::province::{Dossier, at};
use super::super::{NOW, computed};
use super::{figure, on, plain, text};

/// Description, procedure, received, last moment on time. The calendar: Saturday 26 April 2025 is worked; 30 April and
/// 1 May are holidays; Friday 2 May is off in exchange for the Saturday.
type Row = (&'static str, &'static str, &'static str, &'static str);

const DAYS: [Row; 9] = [
    // 1.000001: three working days, cut-off 15:00. Monday 5 May 2025: 6, 7 and 8 May.
    ("before the cut-off", "1.000001", "2025-05-05T14:59", "2025-05-08"),
    ("at the cut-off", "1.000001", "2025-05-05T15:00", "2025-05-08"),
    // Like Tuesday the 6th: 7, 8 and 9 May.
    ("a second after the cut-off", "1.000001", "2025-05-05T15:00:01", "2025-05-09"),
    ("after the cut-off", "1.000001", "2025-05-05T16:00", "2025-05-09"),
    // Saturday 3 May is no working day and has no cut-off. The time begins on Monday: 5, 6 and 7 May.
    ("a Saturday afternoon", "1.000001", "2025-05-03T16:00", "2025-05-07"),
    // Tuesday 29 April, the day before the holidays: 5, 6 and 7 May.
    ("before the holidays", "1.000001", "2025-04-29T14:59", "2025-05-07"),
    // Like Monday 5 May, the next working day: 6, 7 and 8 May.
    ("before the holidays, after the cut-off", "1.000001", "2025-04-29T16:00", "2025-05-08"),
    // The worked Saturday has a cut-off. Like Monday 28 April: 29 April, 5 and 6 May.
    ("a worked Saturday after the cut-off", "1.000001", "2025-04-26T15:01", "2025-05-06"),
    ("a worked Saturday at it", "1.000001", "2025-04-26T15:00", "2025-05-05"),
];

const CALENDAR_DAYS: [Row; 6] = [
    // 1.000006: four calendar days. Monday 5 May: Friday the 9th.
    ("ends on a Friday", "1.000006", "2025-05-05T14:59", "2025-05-09"),
    // Like Tuesday the 6th: Saturday the 10th, moved to Monday the 12th.
    ("ends on a Saturday", "1.000006", "2025-05-05T15:01", "2025-05-12"),
    // Wednesday the 7th: Sunday the 11th, moved to Monday.
    ("ends on a Sunday", "1.000006", "2025-05-07T09:00", "2025-05-12"),
    // From the worked Saturday 26 April: Wednesday the 30th, a holiday, moved over the holidays and the weekend.
    ("ends on a holiday", "1.000006", "2025-04-26T09:00", "2025-05-05"),
    // Tuesday 22 April: Saturday the 26th, which is worked.
    ("ends on a worked Saturday", "1.000006", "2025-04-22T09:00", "2025-04-26"),
    // Calendar days run from Saturday 3 May: Wednesday the 7th.
    ("begins on a Saturday", "1.000006", "2025-05-03T16:00", "2025-05-07"),
];

const HOURS: [Row; 6] = [
    // 1.000005: twelve working hours, 07:00–11:30 and 13:30–17:00. Monday 5 May 14:59: 2 h 01 until 17:00, 8 h on
    // Tuesday, the remaining 1 h 59 on Wednesday.
    ("hours before the cut-off", "1.000005", "2025-05-05T14:59", "2025-05-07T08:59"),
    // 2 h until 17:00, 8 h on Tuesday, 2 h on Wednesday.
    ("hours at the cut-off", "1.000005", "2025-05-05T15:00", "2025-05-07T09:00"),
    // From Tuesday 07:00: 8 h, and 4 h on Wednesday.
    ("hours after the cut-off", "1.000005", "2025-05-05T16:00", "2025-05-07T11:00"),
    // Saturday 10 May: from Monday 07:00.
    ("hours from a Saturday", "1.000005", "2025-05-10T09:00", "2025-05-13T11:00"),
    // Tuesday 29 April, in the lunch break: 3½ h in the afternoon, 8 h on 5 May, ½ h on the 6th.
    ("hours from lunch over the holidays", "1.000005", "2025-04-29T11:45", "2025-05-06T07:30"),
    ("hours after the cut-off over the holidays", "1.000005", "2025-04-29T15:30", "2025-05-06T11:00"),
];

const AT_ONCE: [Row; 8] = [
    // 1.000002: immediate result, cut-off 15:00.
    ("at once", "1.000002", "2025-05-05T14:59", "2025-05-05"),
    ("at once, at the cut-off", "1.000002", "2025-05-05T15:00", "2025-05-05"),
    ("at once, after the cut-off", "1.000002", "2025-05-05T15:01", "2025-05-06"),
    ("at once, before the holidays", "1.000002", "2025-04-29T16:00", "2025-05-05"),
    ("at once, on a Saturday", "1.000002", "2025-05-03T10:00", "2025-05-05"),
    // 1.000003: immediate result, cut-off 10:00. The twelve hours of the registry are not used.
    ("at once, before its own cut-off", "1.000003", "2025-05-05T09:59", "2025-05-05"),
    ("at once, at its own cut-off", "1.000003", "2025-05-05T10:00", "2025-05-05"),
    ("at once, after its own cut-off", "1.000003", "2025-05-05T10:01", "2025-05-06"),
];

/// An agency of its own for each row. No registry has it; it is published under its code.
fn agency(number: usize) -> String {
    format!("H61.{number}")
}

/// The two dossiers of a row: one ends at the last moment on time, the other a microsecond later.
fn pair((number, &(what, procedure, received, last)): (usize, &Row)) -> [Dossier; 2] {
    const MICROS_OF_DAY: i64 = 24 * 3600 * 1_000_000;
    let last = if last.contains('T') { at(last) } else { at(&format!("{last}T00:00")) + MICROS_OF_DAY - 1 };
    [0, 1].map(|late| Dossier {
        competent: text(&agency(number)),
        procedure: text(procedure),
        received: on(received),
        // The portal's due date is far away; it does not count if the registry has a statutory time.
        due: on("2025-12-31T17:00"),
        completed: Some(last + late),
        status: text("completed"),
        ..plain(&format!("{what} {late}"))
    })
}

fn index_1(figures: &[Figure], agency: Option<&str>) -> (u64, u64) {
    let found = figure(figures, "par-3.4.5-1", agency, "2025");
    (found.numerator, found.denominator.expect("a ratio"))
}

#[test]
fn the_statutory_time_from_before_and_after_the_cut_off() {
    let rows: Vec<Row> = [&DAYS[..], &CALENDAR_DAYS, &HOURS, &AT_ONCE].concat();
    let dossiers: Vec<Dossier> = rows.iter().enumerate().flat_map(pair).collect();
    let figures = computed(&dossiers, &[], at(NOW));
    for (number, (what, ..)) in rows.iter().enumerate() {
        assert_eq!(index_1(&figures, Some(&agency(number))), (1, 2), "{what}");
    }
    assert_eq!(index_1(&figures, None), (29, 58));
}

#[test]
fn dossiers_without_a_statutory_time_and_dossiers_with_a_supplement() {
    let ended = |what: &str, procedure: &str, due: &str, completed: &str| Dossier {
        procedure: text(procedure),
        due: on(due),
        completed: on(completed),
        status: text("completed"),
        ..plain(what)
    };
    let supplied = |what: &str, completed: &str| Dossier {
        supplied: on("2025-05-07T15:30"),
        ..ended(what, "1.000001", "2025-05-08T17:00", completed)
    };
    let certified = |what: &str, completed: &str| Dossier {
        certification: Some(true),
        received: on("2025-05-05T15:01"),
        ..ended(what, "9.999999", "2025-05-30T17:00", completed)
    };
    let rows = [
        // Without a statutory time the portal's due date counts.
        (ended("portal", "9.999999", "2025-05-07T17:00", "2025-05-07T17:00"), (1, 1)),
        (ended("portal, late", "9.999999", "2025-05-07T17:00", "2025-05-07T17:01"), (0, 1)),
        // A supplement restarts the time. Supplied on Wednesday 7 May after the cut-off, like the 8th: 9, 12 and 13
        // May.
        (supplied("supplied", "2025-05-13T23:59"), (1, 1)),
        (supplied("supplied, late", "2025-05-14T00:00"), (0, 1)),
        // Certification after 15:00: the next working day, not the portal's due date.
        (certified("certified", "2025-05-06T23:59"), (1, 1)),
        (certified("certified, late", "2025-05-07T00:00"), (0, 1)),
        // It was open for months and ended in March 2026.
        (ended("next year", "1.000001", "2025-05-08T17:00", "2026-03-02T08:00"), (0, 1)),
    ];
    let of_own = |(number, (dossier, _)): (usize, &(Dossier, _))| Dossier {
        competent: text(&agency(number)),
        ..dossier.clone()
    };
    let dossiers: Vec<Dossier> = rows.iter().enumerate().map(of_own).chain([plain("open")]).collect();
    let figures = computed(&dossiers, &[], at(NOW));
    for (number, (dossier, expected)) in rows.iter().enumerate() {
        let what = dossier.code.as_deref().expect("each row has a code");
        let period = if what == "next year" { "2026-03" } else { "2025-05" };
        let found = figure(&figures, "par-3.4.5-1", Some(&agency(number)), period);
        assert_eq!((found.numerator, found.denominator), (expected.0, Some(expected.1)), "{what}");
    }
    // Six ended in 2025. The open one and the one of next year are not among them.
    assert_eq!(index_1(&figures, None), (3, 6));
}
