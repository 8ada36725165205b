//! Measures, worked by hand. The night is 20 March 2026, 01:30.

use motcua::model::figure::{Figure, Met};
use motcua::model::period::Period;

use super::province::{self, Measure, at};
use super::{NOW, REGISTRY_INDICATORS, computed_from_tables};

/// Indicator, agency, period, numerator and denominator, when it was entered.
type Row = (&'static str, &'static str, &'static str, [i64; 2], &'static str);

const ROWS: [Row; 11] = [
    ("par-7.1.2", "S1", "2025-Q4", [91, 100], "2026-01-05T08:00"),
    // The same agency by its name, entered later: it replaces the first.
    ("par-7.1.2", "Sở mẫu A", "2025-Q4", [89, 100], "2026-01-06T08:00"),
    ("par-7.1.2", "Ban mẫu ngoài sổ", "2025-Q4", [10, 10], "2026-01-05T08:00"),
    // A month does not count for its quarter.
    ("par-7.1.2", "S1", "2025-12", [1, 2], "2026-01-05T08:00"),
    // Entered after the night.
    ("par-7.1.2", "S1", "2025-Q3", [1, 2], "2026-03-20T01:31"),
    // The province's own measure replaces the sum of its agencies.
    ("sipas-1", "S1", "2025", [70, 100], "2026-01-05T08:00"),
    ("sipas-1", "Toàn tỉnh", "2025", [830, 1000], "2026-01-05T08:00"),
    // The period is not over: the target is still open.
    ("par-3.2.2", "S1", "2026", [1, 2], "2026-01-05T08:00"),
    // Weeks are computed only if they are asked for.
    ("par-7.1.2", "S1", "2026-W02", [3, 4], "2026-01-15T08:00"),
    // The first indicator is not defined, the second counts dossiers.
    ("par-9.9.9", "S1", "2025-Q4", [1, 2], "2026-01-05T08:00"),
    ("par-7.2.2", "S1", "2025-Q4", [1, 2], "2026-01-05T08:00"),
];

fn computed(period: Option<&str>) -> Vec<Figure> {
    let measure = |(indicator, agency, period, counts, entered): Row| Measure {
        indicator: Some(indicator.to_owned()),
        agency: Some(agency.to_owned()),
        period: Some(period.to_owned()),
        counts: counts.map(Some),
        entered: Some(at(entered)),
        ..Measure::default()
    };
    let mut rows: Vec<Measure> = ROWS.into_iter().map(measure).collect();
    rows.push(Measure { period: Some("2024".to_owned()), deleted: Some(true), ..rows[0].clone() });
    of_measures(&rows, period)
}

fn of_measures(rows: &[Measure], period: Option<&str>) -> Vec<Figure> {
    let [dossiers, items] = [province::dossiers_table(&[]), province::items_table(&[])];
    let tables =
        [dossiers, items, province::feedback_table(&[]), province::measures_table(rows), province::notes_table(&[])];
    computed_from_tables(tables, at(NOW), None, period.map(|text| Period::parse(text).expect("a period")), None)
}

#[test]
fn the_measure_entered_last_for_the_same_period_counts() {
    let readable = |figures: Vec<Figure>| -> Vec<_> {
        let of_measures = figures.into_iter().filter(|one| !REGISTRY_INDICATORS.contains(&&*one.indicator));
        let who =
            |one: &Figure| one.agency.as_deref().map(str::to_owned).or(one.tier.map(|tier| tier.name().to_owned()));
        let row_of = |one: Figure| {
            let (who, met) = (who(&one).unwrap_or_else(|| "-".to_owned()), one.met());
            (one.indicator.to_string(), who, one.period.to_string(), one.numerator, one.denominator, met)
        };
        let mut rows: Vec<_> = of_measures.map(row_of).collect();
        rows.sort_by(|left, right| (&left.0, &left.2, &left.1).cmp(&(&right.0, &right.2, &right.1)));
        rows
    };
    let row = |indicator: &str, who: &str, period: &str, [numerator, denominator]: [u64; 2], met| {
        (indicator.to_owned(), who.to_owned(), period.to_owned(), numerator, Some(denominator), met)
    };
    assert_eq!(
        readable(computed(None)),
        [
            row("par-3.2.2", "-", "2026", [1, 2], Some(Met::Open)),
            row("par-3.2.2", "S1", "2026", [1, 2], Some(Met::Open)),
            row("par-3.2.2", "province", "2026", [1, 2], Some(Met::Open)),
            row("par-7.1.2", "-", "2025-12", [1, 2], None),
            row("par-7.1.2", "S1", "2025-12", [1, 2], None),
            row("par-7.1.2", "province", "2025-12", [1, 2], None),
            // An annual target: shorter periods are not judged.
            row("par-7.1.2", "-", "2025-Q4", [99, 110], None),
            row("par-7.1.2", "Ban mẫu ngoài sổ", "2025-Q4", [10, 10], None),
            row("par-7.1.2", "S1", "2025-Q4", [89, 100], None),
            row("par-7.1.2", "province", "2025-Q4", [89, 100], None),
            row("sipas-1", "-", "2025", [830, 1000], Some(Met::Yes)),
            row("sipas-1", "S1", "2025", [70, 100], Some(Met::No)),
            row("sipas-1", "province", "2025", [70, 100], Some(Met::No)),
        ]
    );
    let week = readable(computed(Some("2026-W02")));
    assert_eq!(week.len(), 3, "{week:?}");
    assert!(week.iter().all(|row| (row.3, row.4) == (3, Some(4))), "{week:?}");
}

/// Every indicator over measures: the target is reached by that many of a thousand, and not by one fewer.
#[test]
fn every_indicator_over_measures_has_its_target() {
    let targets = [
        ("par-1.3.1", 300),
        ("par-2.2", 700),
        ("par-2.3", 700),
        ("par-3.1.1", 1000),
        ("par-3.1.2", 1000),
        ("par-3.2.1", 1000),
        ("par-3.2.2", 1000),
        ("par-3.2.3", 1000),
        ("par-3.2.4", 1000),
        ("par-3.2.5", 1000),
        ("par-3.2.6", 1000),
        ("par-7.1.1", 1000),
        ("par-7.1.2", 900),
        ("par-7.1.3", 1000),
        ("par-7.1.5", 1000),
        ("par-7.1.6", 1000),
        ("par-7.4.1", 1000),
        ("par-7.4.2", 1000),
        // The annex has 82 % in one column and 83 % in the other: 83 is used.
        ("sipas-1", 830),
        ("sipas-2", 800),
        ("sipas-3", 800),
        ("sipas-4", 810),
        ("sipas-5", 820),
    ];
    let measure = |indicator: &str, agency: &str, part: i64| Measure {
        indicator: Some(indicator.to_owned()),
        agency: Some(agency.to_owned()),
        period: Some("2025".to_owned()),
        counts: [Some(part), Some(1000)],
        entered: Some(at("2026-01-05T08:00")),
        ..Measure::default()
    };
    let mut rows: Vec<Measure> =
        targets.iter().flat_map(|(id, part)| [measure(id, "S1", *part), measure(id, "X3", part - 1)]).collect();
    // Neither the decree nor Decision 766 as we have it names a target.
    let without_target = [
        "nd224-satisfaction",
        "qd766-digitised-papers",
        "qd766-digitised-result",
        "qd766-digitised-reused",
        "qd766-payment-dossiers",
        "qd766-payment-procedures",
        "qd766-satisfaction",
    ];
    rows.extend(without_target.map(|id| measure(id, "S1", 999)));
    let figures = of_measures(&rows, None);
    let met = |indicator: &str, agency: Option<&str>| {
        let is_it = |one: &&Figure| {
            *one.indicator == *indicator && one.agency.as_deref() == agency && (agency.is_some() || one.tier.is_none())
        };
        let found = figures.iter().find(is_it).unwrap_or_else(|| panic!("{indicator} {agency:?}: no figure"));
        (found.numerator, found.denominator, found.met())
    };
    for (id, part) in targets {
        let part = u64::try_from(part).expect("a count");
        assert_eq!(met(id, Some("S1")), (part, Some(1000), Some(Met::Yes)), "{id}");
        assert_eq!(met(id, Some("X3")), (part - 1, Some(1000), Some(Met::No)), "{id}");
        // The province has no measure of its own: its figure is the sum.
        assert_eq!(met(id, None), (2 * part - 1, Some(2000), Some(Met::No)), "{id}");
    }
    for id in without_target {
        assert_eq!(met(id, Some("S1")), (999, Some(1000), None), "{id}");
    }
}

#[test]
fn counts_of_the_national_portal_are_ratios_of_their_own() {
    for id in ["dvcqg-on-time", "dvcqg-online"] {
        let measure = |agency: &str, counts: [i64; 2]| Measure {
            indicator: Some(id.to_owned()),
            agency: Some(agency.to_owned()),
            period: Some("2026-02".to_owned()),
            counts: counts.map(Some),
            entered: Some(at("2026-03-01T08:00")),
            ..Measure::default()
        };
        // Its own row of the province replaces the sum of the agencies.
        let rows = [measure("S1", [90, 100]), measure("S3", [40, 50]), measure("Toàn tỉnh", [140, 160])];
        let figures = of_measures(&rows, None);
        let of = |agency: Option<&str>| {
            let is_of = |one: &&Figure| {
                &*one.indicator == id && one.agency.as_deref() == agency && (agency.is_some() || one.tier.is_none())
            };
            figures.iter().find(is_of).map(|one| (one.period.to_string(), one.numerator, one.denominator))
        };
        let month = |numerator, denominator| Some(("2026-02".to_owned(), numerator, Some(denominator)));
        assert_eq!(of(None), month(140, 160), "{id}");
        assert_eq!([of(Some("S1")), of(Some("S3"))], [month(90, 100), month(40, 50)], "{id}");
    }
}
