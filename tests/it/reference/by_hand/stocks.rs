//! Columns 12 and 13 of form II.06a at the ends of periods, worked by hand: by day, whenever it was received.

use motcua::model::figure::Figure;
use motcua::model::period::Period;

use super::super::province::{Dossier, at};
use super::super::{NOW, computed};
use super::{on, plain, text};

fn open(code: &str, received: &str, due: &str) -> Dossier {
    Dossier { received: on(received), due: (!due.is_empty()).then(|| at(due)), ..plain(code) }
}

fn ended(code: &str, received: &str, due: &str, completed: &str) -> Dossier {
    Dossier { completed: on(completed), status: text("completed"), ..open(code, received, due) }
}

/// Pending and overdue of the province, or of an agency.
fn stock(figures: &[Figure], agency: Option<&str>, period: &str) -> [Option<u64>; 2] {
    let of = |indicator: &str| {
        let wanted = Period::parse(period).expect("a period");
        let is_it = |figure: &&Figure| {
            let province = figure.agency.is_none() && figure.tier.is_none();
            *figure.indicator == *indicator
                && figure.period == wanted
                && agency.map_or(province, |code| figure.agency.as_deref() == Some(code))
        };
        let found = figures.iter().find(is_it)?;
        assert_eq!(found.denominator, None, "a stock is of nothing");
        Some(found.numerator)
    };
    [of("ii06a-pending"), of("ii06a-overdue")]
}

/// At the end of each month, who is open: `a` from December to 2 March, overdue from 11 January; `b` from 15 January, due on
/// 28 February; `c` waits for a supplement, its clock stands; `d` and `e` ended round the end of January; `f` has no due date;
/// `g`, `h` and `i` do not count.
#[test]
fn open_dossiers_at_the_ends_of_periods() {
    let rows = [
        ended("a", "2024-12-20T08:00", "2025-01-10T17:00", "2025-03-03T08:00"),
        open("b", "2025-01-15T08:00", "2025-02-28T17:00"),
        Dossier { status: text("supplement"), ..open("c", "2025-01-06T08:00", "2025-01-20T17:00") },
        ended("d", "2025-01-20T08:00", "2025-02-20T17:00", "2025-01-31T23:59:59"),
        ended("e", "2025-01-20T08:00", "2025-02-20T17:00", "2025-02-01T00:00"),
        open("f", "2025-03-01T00:00", ""),
        Dossier { status: text("refused"), ..open("g", "2025-01-06T08:00", "2025-01-20T17:00") },
        Dossier { competent: text("S2"), ..open("h", "2025-01-06T08:00", "2025-01-20T17:00") },
        open("i", "2026-03-20T01:31", "2026-03-25T17:00"),
    ];
    let figures = computed(&rows, &[], at(NOW));
    for (period, pending, overdue, who) in [
        ("2024-11", None, None, "nothing was received yet"),
        ("2024-12", Some(1), Some(0), "a"),
        ("2025-01", Some(3), Some(1), "b, c, e; a"),
        // Due today is not overdue.
        ("2025-02", Some(2), Some(1), "b, c; a"),
        ("2025-03", Some(2), Some(1), "c, f; b"),
        // A month in which nothing happened has its stock nonetheless.
        ("2025-08", Some(2), Some(1), "c, f; b"),
        ("2025-Q1", Some(2), Some(1), "as March"),
        // 15 December to 14 January: a is overdue since the 11th, c is there, b comes on the 15th.
        ("2025-01s", Some(1), Some(1), "c; a"),
        // 15 January to 14 February.
        ("2025-02s", Some(2), Some(1), "b, c; a"),
        // 15 December to 14 March: a has ended, b is overdue since the 1st.
        ("2025-Q1s", Some(2), Some(1), "c, f; b"),
        ("2024s", None, None, "until 14 December 2024"),
        // A period that is not over: as of the night.
        ("2026-03", Some(2), Some(1), "c, f; b"),
        ("2026", Some(2), Some(1), "c, f; b"),
    ] {
        assert_eq!(stock(&figures, None, period), [pending, overdue], "{period}: {who}");
        assert_eq!(stock(&figures, Some("S1"), period), [pending, overdue], "{period}: all are of S1");
    }
    // A vertical agency is not the province's.
    assert_eq!(stock(&figures, Some("S2"), "2025-03"), [None, None]);
}

/// Overdue within a month, and ended in it: none of it is seen at the ends. Two agencies add up.
#[test]
fn what_passes_within_a_month_leaves_no_stock() {
    let of = |agency: &str, dossier: Dossier| Dossier { competent: text(agency), ..dossier };
    let rows = [
        of("S1", ended("passed", "2025-05-05T08:00", "2025-05-08T17:00", "2025-05-20T08:00")),
        // Due at midnight is the whole day: the first is overdue at the end of May, the second, due on that day, is not.
        of("S3", ended("late", "2025-05-26T08:00", "2025-05-30T00:00", "2025-06-10T08:00")),
        of("S3", ended("in time", "2025-05-26T08:00", "2025-05-31T00:00", "2025-06-10T08:00")),
        // Withdrawn: no longer open. Its date is not known: since it was received.
        of("S3", Dossier { status: text("withdrawn"), ..open("gone", "2025-05-05T08:00", "2025-05-08T17:00") }),
        of("S1", Dossier { status: text("stopped"), ..open("paused", "2025-05-05T08:00", "2025-05-08T17:00") }),
        of("S1", Dossier { status: text("finance"), ..open("a fee is owed", "2025-06-02T08:00", "2025-06-05T17:00") }),
    ];
    let figures = computed(&rows, &[], at(NOW));
    for (agency, period, expected) in [
        (Some("S1"), "2025-05", [1, 0]),
        (Some("S3"), "2025-05", [1, 1]),
        (None, "2025-05", [2, 1]),
        (Some("S1"), "2025-06", [2, 0]),
        (Some("S3"), "2025-06", [0, 0]),
        (None, "2025-06", [2, 0]),
        // 15 April to 14 May: the one that passed is overdue since the 9th.
        (Some("S1"), "2025-05s", [1, 1]),
        (None, "2025-Q2", [2, 0]),
        // 15 March to 14 June.
        (None, "2025-Q2s", [2, 0]),
    ] {
        assert_eq!(stock(&figures, agency, period), expected.map(Some), "{agency:?} {period}");
    }
}
