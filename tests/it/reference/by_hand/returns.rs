//! Days of returned results, worked by hand: a result that the post took is returned on that day (QĐ 45/2016/QĐ-TTg
//! art. 9), whatever the portal says.

use motcua::model::figure::Figure;
use motcua::model::period::Period;

use super::super::computed_alone;
use super::super::province::{Dossier, Item, at};
use super::{item, on, own_agency, plain, text};

/// Numerator and denominator of an indicator for an agency, by month from May to September; months without a dossier are
/// left out.
fn by_month(figures: &[Figure], indicator: &str, agency: &str) -> Vec<(String, u64, u64)> {
    let months: Vec<Period> =
        (5..=9).map(|month| Period::parse(&format!("2025-{month:02}")).expect("a period")).collect();
    let of_agency = figures.iter().filter(|figure| {
        let is_its = figure.agency.as_deref() == Some(agency) && *figure.indicator == *indicator;
        is_its && months.contains(&figure.period) && figure.denominator != Some(0)
    });
    of_agency
        .map(|figure| (figure.period.to_string(), figure.numerator, figure.denominator.expect("a ratio")))
        .collect()
}

fn returned(code: &str, day: &str, by: &str) -> Dossier {
    Dossier {
        procedure: text("1.000002"),
        returned: (!day.is_empty()).then(|| at(day)),
        returned_by: text(by),
        return_requested: text("postal"),
        ..plain(code)
    }
}

fn taken(code: &str, moment: &str) -> Item {
    Item { accepted: on(moment), ..item(code, "return") }
}

/// Every row is a dossier of an agency of its own. The procedure has had results returned by post since January, so all
/// its results count.
#[test]
fn the_day_on_which_the_post_took_the_result_decides_the_period() {
    let rows = [
        (
            "both on one day",
            returned("1", "2025-06-10T08:00", "counter"),
            vec![taken("1", "2025-06-10T09:00")],
            ("06", 1),
        ),
        (
            "the post later",
            returned("1", "2025-06-30T08:00", "counter"),
            vec![taken("1", "2025-07-01T09:00")],
            ("07", 1),
        ),
        (
            "the post earlier",
            returned("1", "2025-07-02T08:00", "postal"),
            vec![taken("1", "2025-06-30T09:00")],
            ("06", 1),
        ),
        ("only the post", returned("1", "", ""), vec![taken("1", "2025-07-01T09:00")], ("07", 1)),
        ("only the portal", returned("1", "2025-06-30T08:00", "postal"), vec![], ("06", 1)),
        ("the counter", returned("1", "2025-06-30T08:00", "counter"), vec![], ("06", 0)),
        // What the applicant wished is no evidence.
        ("only wished", returned("1", "2025-06-30T08:00", ""), vec![], ("06", 0)),
        (
            "taken twice",
            returned("1", "2025-08-04T08:00", ""),
            vec![taken("1", "2025-07-02T09:00"), taken("1", "2025-06-30T09:00")],
            ("06", 1),
        ),
        (
            "withdrawn",
            returned("1", "2025-06-30T08:00", "counter"),
            vec![Item { withdrawn: on("2025-07-02T09:00"), ..taken("1", "2025-07-01T09:00") }],
            ("06", 0),
        ),
        (
            "cancelled",
            returned("1", "2025-06-30T08:00", "counter"),
            vec![Item { status: text("withdrawn"), ..taken("1", "2025-07-01T09:00") }],
            ("06", 0),
        ),
        // The post took it and could not deliver it: it was handed over.
        (
            "not delivered",
            returned("1", "2025-06-30T08:00", "counter"),
            vec![Item { status: text("failed"), ..taken("1", "2025-07-01T09:00") }],
            ("07", 1),
        ),
        // The day on which the post took it is a mistake, since it lies after the night: the portal's counts.
        (
            "taken after the night",
            returned("1", "2025-06-30T08:00", "counter"),
            vec![Item { delivered: on("2025-07-03T09:00"), ..taken("1", "2027-07-01T09:00") }],
            ("06", 1),
        ),
        // A submission by post is no evidence of a return by post.
        (
            "the other direction",
            returned("1", "2025-06-30T08:00", "counter"),
            vec![Item { accepted: on("2025-07-01T09:00"), ..item("1", "submission") }],
            ("06", 0),
        ),
    ];
    let own_code = |number: usize| text(&format!("H-{number}"));
    let mut dossiers = vec![returned("January", "2025-01-10T08:00", "postal")];
    let mut items = Vec::new();
    for (number, (_, dossier, of_dossier, _)) in rows.iter().enumerate() {
        dossiers.push(Dossier { code: own_code(number), ..own_agency(number, dossier) });
        items.extend(of_dossier.iter().map(|item: &Item| Item { dossier: own_code(number), ..item.clone() }));
    }
    let figures = computed_alone(&dossiers, &items, "par-7.3.3-having");
    for (number, (what, .., (month, by_post))) in rows.into_iter().enumerate() {
        let expected = vec![(format!("2025-{month}"), by_post, 1)];
        assert_eq!(by_month(&figures, "par-7.3.3-having", &format!("H61.{number}")), expected, "{what}");
    }
}

/// "Có phát sinh": results of a procedure count from the period on in which the post took the first one of the year.
#[test]
fn results_of_a_procedure_count_once_the_post_took_one() {
    let rows = [
        returned("June", "2025-06-10T08:00", "counter"),
        returned("July", "2025-07-10T08:00", ""),
        returned("August", "2025-08-11T08:00", "counter"),
    ];
    let items = [taken("July", "2025-07-11T08:00")];
    let figures = computed_alone(&rows, &items, "par-7.3.3-having");
    let expected = [("2025-07", 1, 1), ("2025-08", 0, 1)].map(|(month, one, all)| (month.to_owned(), one, all));
    assert_eq!(by_month(&figures, "par-7.3.3-having", "S1"), expected);
    let year = super::figure(&figures, "par-7.3.3-having", None, "2025");
    assert_eq!((year.numerator, year.denominator), (1, Some(3)));
}
