//! NĐ 224/2026 art. 19(2), worked by hand: online share, on-time share, and how long it takes in working hours.
//!
//! A working day is 07:00–11:30 and 13:30–17:00, eight hours.

use super::super::province::{Dossier, at};
use super::super::{NOW, computed};
use super::{figure, on, plain, text};

/// Agency, received, completed; the whole working hours between.
const SPANS: [(&str, &str, &str, u64); 12] = [
    ("S1", "2025-05-05T08:00", "2025-05-05T11:00", 3),
    // The lunch break is no working time: ½ h before it, ½ h after it.
    ("S1", "2025-05-05T11:00", "2025-05-05T14:00", 1),
    // ½ h on Monday, 2¼ h on Tuesday: two whole hours.
    ("S1", "2025-05-05T16:30", "2025-05-06T09:15", 2),
    // After hours: from the next opening.
    ("S1", "2025-05-05T19:00", "2025-05-06T10:00", 3),
    // Friday to Monday: 2 h and 3 h.
    ("S1", "2025-05-09T15:00", "2025-05-12T10:00", 5),
    // Tuesday 29 April to Monday 5 May, over two holidays, a day in exchange and a weekend: 7 h and 1 h.
    ("S1", "2025-04-29T08:00", "2025-05-05T08:00", 8),
    // Within a Saturday that is not worked.
    ("S1", "2025-05-03T09:00", "2025-05-03T10:00", 0),
    // The worked Saturday 26 April counts: 8 h of it, and 1 h on Friday; 4½ h on Monday; the half is not counted.
    ("S3", "2025-04-25T16:00", "2025-04-28T11:30", 13),
    // Two whole weeks and an hour.
    ("X3", "2025-05-05T08:00", "2025-05-19T09:00", 81),
    ("X3", "2025-05-05T08:00", "2025-05-05T08:59", 0),
    ("X3", "2025-05-05T08:00", "2025-05-05T15:00", 5),
    ("X3", "2025-05-05T07:00", "2025-05-05T17:00", 8),
];

#[test]
fn hours_from_reception_to_the_end() {
    let mut rows: Vec<Dossier> = Vec::new();
    for (number, (agency, received, completed, _)) in SPANS.into_iter().enumerate() {
        rows.push(Dossier {
            competent: text(agency),
            received: on(received),
            completed: on(completed),
            status: text("completed"),
            // A wait for a supplement is part of the time.
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
        // One alone, in April.
        (Some("S3"), "2025-04", 13, 1, "13", 13),
        // 0 5 8 81: the second of four. 94 : 4.
        (Some("X3"), "2025-05", 94, 4, "23.5", 5),
        // 0 0 1 2 3 3 5 5 8 8 81: the sixth of eleven, no sum of agencies' medians. 116 : 11 = 10.545…
        (None, "2025-05", 116, 11, "10.55", 3),
        // With April's 13: 0 0 1 2 3 3 5 5 8 8 13 81, the sixth of twelve. 129 : 12.
        (None, "2025", 129, 12, "10.75", 3),
        // 15 April to 14 May: without the 81 of 19 May. 0 0 1 2 3 3 5 5 8 8 13, 48 : 11 = 4.3636…
        (None, "2025-05s", 48, 11, "4.36", 3),
        // From 15 May that one alone.
        (None, "2025-06s", 81, 1, "81", 81),
    ] {
        let found = figure(&figures, "nd224-processing-mean", agency, period);
        assert_eq!((found.numerator, found.denominator), (sum, Some(count)), "{agency:?} {period}");
        assert_eq!(found.value().map(|mean| mean.to_string()).as_deref(), Some(mean), "{agency:?} {period}");
        let found = figure(&figures, "nd224-processing-median", agency, period);
        assert_eq!((found.numerator, found.denominator), (median, Some(count)), "{agency:?} {period}");
    }
    // Each alone, as an agency of its own.
    let own = |(row, number): (&Dossier, usize)| Dossier { competent: text(&format!("span {number}")), ..row.clone() };
    let rows: Vec<Dossier> = rows.iter().zip(0..SPANS.len()).map(own).collect();
    let figures = computed(&rows, &[], at(NOW));
    for (number, (_, received, completed, hours)) in SPANS.into_iter().enumerate() {
        let found = figure(&figures, "nd224-processing-mean", Some(&format!("span {number}")), "2025");
        assert_eq!((found.numerator, found.denominator), (hours, Some(1)), "{received} to {completed}");
    }
}

/// Of those that ended in May: on time or late; one without a date ended on the day of its reception.
#[test]
fn shares_of_the_decree() {
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
    let of = |indicator: &str, period: &str| {
        let found = figure(&figures, indicator, None, period);
        (found.numerator, found.denominator.expect("a ratio"))
    };
    // Received in May: all but the one of April.
    assert_eq!(of("nd224-online", "2025-05"), (2, 5));
    assert_eq!(of("nd224-online", "2025-04"), (0, 1));
    // Ended in May: in time, late, no date, received before.
    assert_eq!(of("nd224-on-time", "2025-05"), (2, 4));
    assert_eq!(of("nd224-on-time", "2025-06"), (0, 1));
    // The open one weighs on neither side.
    assert_eq!(of("nd224-on-time", "2025"), (2, 5));
    assert_eq!(figure(&figures, "nd224-on-time", None, "2025").met(), None, "the decree names no target");
}
