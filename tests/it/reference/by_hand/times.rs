//! NĐ 224/2026 art. 19(2), worked by hand: online share, on-time share, and processing time in working hours.
//!
//! A working day is 07:00–11:30 and 13:30–17:00, eight hours.

use super::super::province::{Dossier, at};
use super::super::{NOW, computed};
use super::{figure, on, plain, text};

/// Agency, received, completed, and the whole working hours between the two.
const SPANS: [(&str, &str, &str, u64); 12] = [
    ("S1", "2025-05-05T08:00", "2025-05-05T11:00", 3),
    // ½ h before the lunch break and ½ h after it.
    ("S1", "2025-05-05T11:00", "2025-05-05T14:00", 1),
    // ½ h on Monday and 2¼ h on Tuesday: two whole hours.
    ("S1", "2025-05-05T16:30", "2025-05-06T09:15", 2),
    // Received after working hours: time runs from the next opening.
    ("S1", "2025-05-05T19:00", "2025-05-06T10:00", 3),
    // 2 h on Friday and 3 h on Monday.
    ("S1", "2025-05-09T15:00", "2025-05-12T10:00", 5),
    // Tuesday 29 April to Monday 5 May, over two holidays, a day off in exchange and a weekend: 7 h and 1 h.
    ("S1", "2025-04-29T08:00", "2025-05-05T08:00", 8),
    // On a Saturday that is not worked.
    ("S1", "2025-05-03T09:00", "2025-05-03T10:00", 0),
    // 1 h on Friday, 8 h on the worked Saturday 26 April, 4½ h on Monday: thirteen whole hours.
    ("S3", "2025-04-25T16:00", "2025-04-28T11:30", 13),
    // Two whole weeks and an hour.
    ("X3", "2025-05-05T08:00", "2025-05-19T09:00", 81),
    ("X3", "2025-05-05T08:00", "2025-05-05T08:59", 0),
    ("X3", "2025-05-05T08:00", "2025-05-05T15:00", 5),
    ("X3", "2025-05-05T07:00", "2025-05-05T17:00", 8),
];

#[test]
fn working_hours_from_reception_to_the_end() {
    let mut rows: Vec<Dossier> = Vec::new();
    for (number, (agency, received, completed, _)) in SPANS.into_iter().enumerate() {
        rows.push(Dossier {
            competent: text(agency),
            received: on(received),
            completed: on(completed),
            status: text("completed"),
            // Waiting for a supplement counts as processing time.
            asked: on(received),
            supplied: on(completed),
            ..plain(&format!("span {number}"))
        });
    }
    rows.push(Dossier { status: text("withdrawn"), ..plain("its end has no date") });
    rows.push(plain("open"));
    let vertical = |code: &str| Dossier { completed: on("2025-05-30T08:00"), status: text("completed"), ..plain(code) };
    rows.push(Dossier { competent: text("S2"), ..vertical("a vertical agency's") });
    rows.push(Dossier { procedure: text("1.000004"), ..vertical("a vertical procedure's") });
    let figures = computed(&rows, &[], at(NOW));
    for (agency, period, sum, count, mean, median) in [
        // 0 1 2 3 3 5 8: the fourth of seven. 22 : 7 = 3.142…
        (Some("S1"), "2025-05", 22, 7, "3.14", 3),
        // The only dossier of April.
        (Some("S3"), "2025-04", 13, 1, "13", 13),
        // 0 5 8 81: the second of four. 94 : 4.
        (Some("X3"), "2025-05", 94, 4, "23.5", 5),
        // 0 0 1 2 3 3 5 5 8 8 81: the sixth of eleven, not made from the agencies' medians. 116 : 11 = 10.545…
        (None, "2025-05", 116, 11, "10.55", 3),
        // With April's 13: 0 0 1 2 3 3 5 5 8 8 13 81, the sixth of twelve. 129 : 12.
        (None, "2025", 129, 12, "10.75", 3),
        // 15 April to 14 May: without the 81 of 19 May. 0 0 1 2 3 3 5 5 8 8 13, 48 : 11 = 4.3636…
        (None, "2025-05s", 48, 11, "4.36", 3),
        // From 15 May on: only the one with 81.
        (None, "2025-06s", 81, 1, "81", 81),
    ] {
        let found = figure(&figures, "nd224-processing-mean", agency, period);
        assert_eq!((found.numerator, found.denominator), (sum, Some(count)), "{agency:?} {period}");
        assert_eq!(found.value().map(|mean| mean.to_string()).as_deref(), Some(mean), "{agency:?} {period}");
        let found = figure(&figures, "nd224-processing-median", agency, period);
        assert_eq!((found.numerator, found.denominator), (median, Some(count)), "{agency:?} {period}");
    }
    // Each dossier by itself, as an agency of its own. No registry has it; it is published under its code.
    let own = |(row, number): (&Dossier, usize)| Dossier { competent: text(&format!("H61.{number}")), ..row.clone() };
    let rows: Vec<Dossier> = rows.iter().zip(0..SPANS.len()).map(own).collect();
    let figures = computed(&rows, &[], at(NOW));
    for (number, (_, received, completed, hours)) in SPANS.into_iter().enumerate() {
        let found = figure(&figures, "nd224-processing-mean", Some(&format!("H61.{number}")), "2025");
        assert_eq!((found.numerator, found.denominator), (hours, Some(1)), "{received} to {completed}");
    }
}

/// Shares of dossiers submitted online, by month of reception, and of dossiers that ended on time, by month of the end.
/// An end without a date counts on the day of reception.
#[test]
fn online_and_on_time_shares_of_the_decree() {
    let ended =
        |code: &str, completed: &str| Dossier { completed: on(completed), status: text("completed"), ..plain(code) };
    let rows = [
        Dossier { channel: text("online"), ..ended("in time", "2025-05-08T17:00") },
        Dossier { channel: text("online"), ..ended("late", "2025-05-08T17:01") },
        Dossier { channel: text("postal"), ..ended("in June", "2025-06-02T08:00") },
        Dossier { status: text("withdrawn"), ..plain("no date") },
        Dossier { channel: None, ..plain("open, of no known channel") },
        // Received in April, ended in May.
        Dossier {
            received: on("2025-04-28T08:00"),
            due: on("2025-05-06T17:00"),
            ..ended("received before", "2025-05-06T08:00")
        },
        Dossier { competent: text("S2"), channel: text("online"), ..ended("vertical", "2025-05-06T08:00") },
    ];
    let figures = computed(&rows, &[], at(NOW));
    let share = |indicator: &str, period: &str| {
        let found = figure(&figures, indicator, None, period);
        (found.numerator, found.denominator.expect("a ratio"))
    };
    // All but one were received in May.
    assert_eq!(share("nd224-online", "2025-05"), (2, 5));
    assert_eq!(share("nd224-online", "2025-04"), (0, 1));
    // Four ended in May: in time, late, without a date, and the one received in April.
    assert_eq!(share("nd224-on-time", "2025-05"), (2, 4));
    assert_eq!(share("nd224-on-time", "2025-06"), (0, 1));
    // The open one does not count.
    assert_eq!(share("nd224-on-time", "2025"), (2, 5));
    assert_eq!(figure(&figures, "nd224-on-time", None, "2025").met(), None, "the decree names no target");
}
