//! Worked by hand: quality of settlement (3.4.5: indices 3, 5, 8 and 9 of TT 01/2018/TT-VPCP art. 13), certification by
//! itself, and ratios that no other file has.

use motcua::model::figure::Figure;

use super::super::province::{self, Dossier, Feedback, at};
use super::super::{NOW, computed, computed_alone, computed_from_tables};
use super::{done, figure, on, plain, ratio, text};

fn counts(figures: &[Figure], indicator: &str, agency: Option<&str>, period: &str) -> (u64, u64) {
    let found = figure(figures, indicator, agency, period);
    (found.numerator, found.denominator.expect("a ratio"))
}

/// Index 3: dossiers whose applicant was never asked to supplement. A missing number is unknown.
#[test]
fn dossiers_that_nobody_was_asked_to_supplement() {
    let asked = |code: &str, times| Dossier { supplements: Some(times), ..plain(code) };
    let rows = [
        plain("number missing"),
        asked("never", 0),
        asked("once", 1),
        asked("twice", 2),
        Dossier { competent: text("S2"), ..asked("vertical", 0) },
        Dossier { received: on("2026-01-05T08:00"), ..asked("next year", 0) },
    ];
    let figures = computed(&rows, &[], at(NOW));
    assert_eq!(counts(&figures, "par-3.4.5-3", None, "2025"), (1, 4));
    assert_eq!(figure(&figures, "par-3.4.5-3", None, "2025").unknown, Some(1));
    assert_eq!(counts(&figures, "par-3.4.5-3", Some("S1"), "2026"), (1, 1));
    // 2 + 1 + 0 points of three dossiers.
    let points = figure(&figures, "par-3.4.5-3-points", None, "2025");
    assert_eq!((points.numerator, points.denominator, points.unknown), (3, Some(3), Some(1)));
    assert_eq!((points.value(), points.ratio()), (Some(1.0), None));
    assert_eq!(figure(&figures, "par-3.4.5-3-points", Some("S1"), "2026").value(), Some(2.0));
}

/// Index 1: 2 points before the day of the statutory limit, 1 on it, 0 after it.
#[test]
fn points_for_the_time_of_settlement() {
    let rows = [
        // Received on Monday 5 May, three working days: the limit is Thursday 8 May.
        done("the day before", "2025-05-07T23:59"),
        done("on the day", "2025-05-08T00:01"),
        done("on the day, after hours", "2025-05-08T23:00"),
        done("the day after", "2025-05-09T00:00"),
        // A mistake of the source.
        done("before the reception", "2025-05-02T10:00"),
        Dossier { status: text("completed"), ..plain("without a date of its end") },
        // No statutory time, and it is not known whether 8 or 12 May counts: on time for certain, with 1 or 2 points.
        Dossier {
            procedure: text("9.999999"),
            status: None,
            due: on("2025-05-12T17:00"),
            explained: on("2025-05-08T17:00"),
            ..done("due on one of two days", "2025-05-08T10:00")
        },
        plain("open"),
    ];
    let figures = computed(&rows, &[], at(NOW));
    let points = figure(&figures, "par-3.4.5-1-points", None, "2025");
    assert_eq!((points.numerator, points.denominator, points.unknown), (4, Some(5), Some(2)));
    assert_eq!(points.value(), Some(0.8));
    assert_eq!(counts(&figures, "par-3.4.5-1", None, "2025"), (4, 7));
}

/// Index 5: of the dossiers that ended, those on time or with an apology. The day of the end decides the period.
#[test]
fn dossiers_that_ended_on_time_or_with_an_apology() {
    let apologised = |dossier: Dossier| Dossier { apology: on("2025-05-08T08:00"), ..dossier };
    let rows = [
        done("on time", "2025-05-08T17:00"),
        done("late", "2025-05-09T08:00"),
        apologised(done("late, apologised", "2025-05-09T08:00")),
        apologised(done("on time, apologised", "2025-05-08T08:00")),
        apologised(done("late in June, apologised", "2025-06-02T08:00")),
        // Overdue, but still open.
        apologised(plain("open, apologised")),
        // Withdrawn without a date: it is on time or late, and has no apology.
        Dossier { status: text("withdrawn"), ..plain("no date") },
    ];
    let figures = computed_alone(&rows, &[], "par-3.4.5-5");
    assert_eq!(counts(&figures, "par-3.4.5-5", None, "2025-05"), (3, 5));
    assert_eq!(counts(&figures, "par-3.4.5-5", None, "2025-06"), (1, 1));
    assert_eq!(counts(&figures, "par-3.4.5-5", None, "2025"), (4, 6));
}

/// Index 8: of the feedback with a due date, that handled by then. A due date without a time of day includes the whole
/// day.
#[test]
fn feedback_handled_in_time() {
    let feedback = |agency: &str, due: &str, handled: &str| Feedback {
        agency: text(agency),
        received: on("2026-01-05T08:00"),
        due: (!due.is_empty()).then(|| at(due)),
        handled: (!handled.is_empty()).then(|| at(handled)),
        ..Feedback::default()
    };
    let rows = [
        feedback("S1", "2026-01-26T17:00", "2026-01-26T17:00"),
        feedback("S1", "2026-01-26T17:00", "2026-01-26T17:01"),
        feedback("S1", "2026-01-26T00:00", "2026-01-26T23:59:59"),
        feedback("S1", "2026-01-26T00:00", "2026-01-27T00:00"),
        // Without a due date: left out, handled or not.
        feedback("S1", "", "2026-01-06T08:00"),
        feedback("S1", "", ""),
        // Handled without a date; handled after the night; not handled.
        Feedback { outcome: text("handled"), ..feedback("S1", "2026-01-26T17:00", "") },
        feedback("S1", "2026-03-30T17:00", "2026-03-20T01:31"),
        feedback("S1", "2026-01-26T17:00", ""),
        feedback("X3", "2026-01-26T17:00", "2026-01-07T08:00"),
        Feedback { received: on("2026-02-02T08:00"), ..feedback("X3", "2026-01-26T17:00", "2026-02-03T08:00") },
        // Handled the day before it was received; and on that day, which is stored without a time.
        feedback("S1", "2026-01-26T17:00", "2026-01-04T10:00"),
        feedback("S1", "2026-01-26T17:00", "2026-01-05T00:00"),
        feedback("S2", "2026-01-26T17:00", "2026-01-07T08:00"),
        Feedback { deleted: Some(true), ..feedback("S1", "2026-01-26T17:00", "2026-01-07T08:00") },
    ];
    let [dossiers, items] = [province::dossiers_table(&[]), province::items_table(&[])];
    let tables =
        [dossiers, items, province::feedback_table(&rows), province::measures_table(&[]), province::notes_table(&[])];
    let figures = computed_from_tables(tables, at(NOW), None, None, None);
    for (agency, period, expected) in [
        (Some("S1"), "2026-01", (3, 9)),
        (Some("X3"), "2026-01", (1, 1)),
        (Some("X3"), "2026-02", (0, 1)),
        (None, "2026-01", (4, 10)),
        (None, "2026", (4, 11)),
    ] {
        assert_eq!(counts(&figures, "par-3.4.5-8", agency, period), expected, "{agency:?} {period}");
    }
}

/// Index 9: of the dossiers that ended and were submitted online, for a procedure offered online on the day of
/// reception, those on time.
#[test]
fn online_dossiers_of_online_procedures_on_time() {
    let online = |dossier: Dossier| Dossier { channel: text("online"), ..dossier };
    let rows = [
        online(done("in time", "2025-05-08T17:00")),
        online(done("late", "2025-05-08T17:01")),
        done("at the counter", "2025-05-08T17:00"),
        online(plain("open")),
        // S3 offers 1.000003 for information only.
        Dossier {
            competent: text("S3"),
            procedure: text("1.000003"),
            ..online(done("for information", "2025-05-08T08:00"))
        },
        // Without an offer in the registry the source's level counts.
        Dossier {
            procedure: text("9.999999"),
            level: text("full"),
            ..online(done("not in the registry", "2025-05-08T08:00"))
        },
        Dossier { procedure: text("9.999999"), ..online(done("no level at all", "2025-05-08T08:00")) },
        Dossier { procedure: text("1.000004"), ..online(done("vertical", "2025-05-08T08:00")) },
    ];
    assert_eq!(ratio(&rows, &[], "par-3.4.5-9"), (2, 3));
}

/// 3.4.1–3.4.3 divided into certification and all else. A dossier that is not marked as certification is none. Pending
/// ones are in the denominator.
#[test]
fn certification_by_itself() {
    let marked = |certification, dossier: Dossier| Dossier { certification, ..dossier };
    let rows = [
        marked(Some(true), done("certified", "2025-05-08T17:00")),
        marked(Some(true), done("certified late", "2025-05-09T08:00")),
        marked(Some(true), plain("certification, open")),
        // Without a due date and without a statutory time: due on the day of reception.
        Dossier { due: None, procedure: text("9.999999"), ..marked(Some(true), done("at once", "2025-05-05T23:00")) },
        Dossier {
            due: None,
            procedure: text("9.999999"),
            ..marked(Some(true), done("at once, late", "2025-05-06T08:00"))
        },
        marked(Some(false), done("plain", "2025-05-08T17:00")),
        marked(None, done("not marked", "2025-05-09T08:00")),
        marked(None, plain("open")),
        Dossier { competent: text("S2"), ..marked(Some(true), done("vertical", "2025-05-08T17:00")) },
        Dossier { competent: text("X3"), ..marked(Some(false), done("a commune's", "2025-05-08T17:00")) },
    ];
    let figures = computed(&rows, &[], at(NOW));
    assert_eq!(counts(&figures, "par-3.4-certification", None, "2025"), (2, 5));
    assert_eq!(counts(&figures, "par-3.4-without-certification", None, "2025"), (2, 4));
    assert_eq!(counts(&figures, "par-3.4-without-certification", Some("X3"), "2025"), (1, 1));
    // Together they have the same dossiers as 3.4.1 and 3.4.3.
    assert_eq!(counts(&figures, "par-3.4.1", None, "2025"), (3, 8));
    assert_eq!(counts(&figures, "par-3.4.3", None, "2025"), (1, 1));
}

/// 3.4.2: dossiers that districts received until their last day.
#[test]
fn dossiers_of_districts_until_they_ended() {
    let of_district = |code: &str, received: &str, completed: &str| Dossier {
        competent: text("D1"),
        received: on(received),
        due: on("2025-07-04T17:00"),
        completed: on(completed),
        status: text("completed"),
        ..plain(code)
    };
    let rows = [
        of_district("in time", "2025-06-02T08:00", "2025-06-05T08:00"),
        of_district("ended after the district", "2025-06-30T08:00", "2025-07-04T17:00"),
        of_district("late", "2025-06-30T08:00", "2025-07-04T17:01"),
        done("a department's", "2025-05-08T08:00"),
    ];
    let figures = computed(&rows, &[], at(NOW));
    assert_eq!(counts(&figures, "par-3.4.2", None, "2025"), (2, 3));
    assert_eq!(counts(&figures, "par-3.4.2", Some("D1"), "2025-H1"), (2, 3));
    let later =
        |figure: &&Figure| *figure.indicator == *"par-3.4.2" && figure.period.start() > jiff::civil::date(2025, 6, 30);
    assert_eq!(figures.iter().find(later), None, "no district exists from July on");
}

/// 7.2.2: of the dossiers of procedures at level 3 or 4 on the day of reception, those submitted online.
#[test]
fn online_dossiers_of_procedures_offered_online() {
    let submitted = |code: &str, agency: &str, procedure: &str, channel: &str| Dossier {
        competent: text(agency),
        procedure: text(procedure),
        channel: text(channel),
        ..plain(code)
    };
    let rows = [
        submitted("1", "S1", "1.000001", "online"),
        submitted("2", "S1", "1.000001", "counter"),
        submitted("3", "X1", "1.000002", "postal"),
        Dossier { channel: None, ..submitted("4", "X1", "1.000002", "counter") },
        // Not counted: for information only; offered by the communes from July only; vertical.
        submitted("5", "S3", "1.000003", "online"),
        submitted("6", "X3", "1.000005", "online"),
        submitted("7", "S1", "1.000004", "online"),
        Dossier { received: on("2025-07-01T00:00"), ..submitted("8", "X3", "1.000005", "online") },
    ];
    let figures = computed_alone(&rows, &[], "par-7.2.2");
    assert_eq!(counts(&figures, "par-7.2.2", None, "2025-05"), (1, 4));
    assert_eq!(counts(&figures, "par-7.2.2", None, "2025"), (2, 5));
    assert_eq!(counts(&figures, "par-7.2.2", Some("X1"), "2025"), (0, 2));
}

/// 7.3.3: of the results returned for procedures that are deployed for return by post, those returned by post. The day
/// of the return decides the period.
#[test]
fn results_returned_by_post_for_procedures_deployed_for_it() {
    let returned = |code: &str, procedure: &str, by: &str| Dossier {
        competent: text("X3"),
        procedure: text(procedure),
        returned: on("2025-07-07T08:00"),
        returned_by: text(by),
        ..plain(code)
    };
    let rows = [
        returned("by post", "1.000002", "postal"),
        returned("at the counter", "1.000002", "counter"),
        // X3 does not offer it in May, when the dossier was received.
        returned("not deployed", "1.000005", "postal"),
        // Not yet returned.
        Dossier { returned: None, ..returned("open", "1.000002", "postal") },
        Dossier { returned: on("2025-08-01T00:00"), ..returned("in August", "1.000002", "postal") },
    ];
    let figures = computed_alone(&rows, &[], "par-7.3.3-deployed");
    assert_eq!(counts(&figures, "par-7.3.3-deployed", None, "2025-07"), (1, 2));
    assert_eq!(counts(&figures, "par-7.3.3-deployed", None, "2025"), (2, 3));
}

/// What sources leave out. Only `S1` offers `1.000001`: at other agencies only the source can give a level.
#[test]
fn values_that_sources_leave_out_are_counted() {
    let of_procedure = |code: &str, competent: &str, procedure: &str| Dossier {
        competent: text(competent),
        procedure: text(procedure),
        ..plain(code)
    };
    let rows = [
        plain("nothing is missing"),
        Dossier { due: None, ..plain("no due date") },
        Dossier { channel: None, ..plain("no channel") },
        of_procedure("unknown agency, no level", "Phòng lạ", "1.000001"),
        of_procedure("unknown procedure, no level", "S1", "9.999999"),
        Dossier { level: text("full"), ..of_procedure("unknown procedure, level by the source", "S1", "9.999999") },
        // Dossiers of a vertical agency do not count.
        Dossier { due: None, channel: None, ..of_procedure("vertical", "S2", "9.999999") },
    ];
    let figures = computed(&rows, &[], at(NOW));
    for (indicator, lacking) in [
        ("source-without-due-date", 1),
        ("source-without-channel", 1),
        ("source-without-level", 2),
        ("source-unknown-agency", 1),
        ("source-unknown-procedure", 2),
    ] {
        assert_eq!(counts(&figures, indicator, None, "2025"), (lacking, 6), "{indicator}");
    }
}
