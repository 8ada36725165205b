//! Indicators of feedback (Phụ lục 1, 3.5.1 and 3.5.2), worked by hand. The night is 20 March 2026, 01:30.

use motcua::model::figure::Figure;
use motcua::model::period::Period;

use super::province::{self, Feedback, at};
use super::{NOW, computed_from_tables};

/// Agency, subject, received, handled, outcome, answered, published; `-` for none.
const ROWS: [[&str; 7]; 10] = [
    ["S1", "regulation", "2026-01-05T08:00", "2026-01-09T10:00", "handled", "2026-01-09T10:00", "2026-01-12T08:00"],
    // Handled by forwarding it; answered, but not published.
    ["S1", "regulation", "2026-01-14T23:59", "2026-02-02T10:00", "forwarded", "2026-02-02T10:00", "-"],
    // Conduct of an official: counts in 3.5.1 only.
    ["S1", "conduct", "2026-01-15T00:00", "2026-01-16T10:00", "handled", "2026-01-16T10:00", "2026-01-16T10:00"],
    // Unknown subject: counts in 3.5.1, and may belong to 3.5.2. Published, although no handling is recorded.
    ["S1", "-", "2026-02-03T08:00", "-", "-", "2026-02-04T10:00", "2026-02-04T10:00"],
    // Handled: it has an outcome, although no date.
    ["S1", "regulation", "2026-02-10T08:00", "-", "handled", "-", "-"],
    // Dates after the night are ignored.
    ["S1", "regulation", "2026-02-11T08:00", "2026-03-20T01:31", "handled", "2026-03-20T01:31", "-"],
    ["S1", "regulation", "2026-03-20T01:31", "-", "-", "-", "-"],
    // Without a registered agency: counts for an agency of its own, and for the province.
    ["-", "regulation", "2026-02-12T08:00", "2026-02-13T08:00", "handled", "-", "-"],
    ["Ban mẫu ngoài sổ", "regulation", "2026-02-12T08:00", "-", "-", "-", "-"],
    // A vertical agency does not count for the province.
    ["S2", "regulation", "2026-02-12T08:00", "-", "-", "-", "-"],
];

fn computed(period: Option<&str>) -> Vec<Figure> {
    let text = |text: &str| (text != "-").then(|| text.to_owned());
    let moment = |text: &str| (text != "-").then(|| at(text));
    let feedback = |[agency, subject, received, handled, outcome, answered, published]: [&str; 7]| Feedback {
        subject: text(subject),
        agency: text(agency),
        received: moment(received),
        handled: moment(handled),
        outcome: text(outcome),
        answered: moment(answered),
        published: moment(published),
        ..Feedback::default()
    };
    let mut rows: Vec<Feedback> = ROWS.into_iter().map(feedback).collect();
    rows.push(Feedback { deleted: Some(true), ..rows[0].clone() });
    let [dossiers, items] = [province::dossiers_table(&[]), province::items_table(&[])];
    let tables =
        [dossiers, items, province::feedback_table(&rows), province::measures_table(&[]), province::notes_table(&[])];
    computed_from_tables(tables, at(NOW), None, period.map(|text| Period::parse(text).expect("a period")), None)
}

fn counts(figures: &[Figure], indicator: &str, agency: Option<&str>, period: &str) -> Option<(u64, u64, u64)> {
    let period = Period::parse(period).expect("a period");
    let is_it = |figure: &&Figure| {
        let province = figure.agency.is_none() && figure.tier.is_none();
        *figure.indicator == *indicator
            && figure.period == period
            && agency.map_or(province, |code| figure.agency.as_deref() == Some(code))
    };
    let found = figures.iter().find(is_it)?;
    Some((found.numerator, found.denominator?, found.reachable))
}

#[test]
fn feedback_counts_by_what_is_known_at_the_night() {
    let figures = computed(None);
    for (indicator, agency, period, expected) in [
        ("par-3.5.1", Some("S1"), "2026-01", Some((3, 3, 3))),
        ("par-3.5.1", Some("S1"), "2026-02", Some((1, 3, 3))),
        // From 15 January to 14 February.
        ("par-3.5.1", Some("S1"), "2026-02s", Some((2, 4, 4))),
        ("par-3.5.1", None, "2026-02", Some((2, 5, 5))),
        ("par-3.5.1", None, "2026", Some((5, 8, 8))),
        ("par-3.5.1", Some("S2"), "2026-02", None),
        ("par-3.5.2", Some("S1"), "2026-01", Some((1, 2, 2))),
        ("par-3.5.2", Some("S1"), "2026-02", Some((0, 0, 0))),
        ("par-3.5.2", None, "2026", Some((1, 2, 2))),
    ] {
        assert_eq!(counts(&figures, indicator, agency, period), expected, "{indicator} {agency:?} {period}");
    }
    let is_province = |figure: &&Figure| figure.agency.is_none() && figure.tier.is_none();
    let published = figures.iter().filter(|figure| *figure.indicator == *"par-3.5.2").filter(is_province);
    let undecided = published.filter(|figure| figure.period.to_string() == "2026").map(|figure| figure.undecided);
    assert_eq!(undecided.collect::<Vec<_>>(), [Some(1)]);
    for period in ["2026-W03", "2026-01-15", "2026-01-10..2026-02-03"] {
        let expected = match period {
            // Monday 12 to Sunday 18 January.
            "2026-W03" => (2, 2, 2),
            "2026-01-15" => (1, 1, 1),
            _ => (2, 3, 3),
        };
        assert_eq!(counts(&computed(Some(period)), "par-3.5.1", None, period), Some(expected), "{period}");
    }
}
