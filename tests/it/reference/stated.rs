//! Measures, worked by hand. The night is 20 March 2026, 01:30.

use motcua::model::figure::{Figure, Met};
use motcua::model::period::Period;

use super::province::{self, Measure, at};
use super::{NOW, OF_REGISTRIES, computed_from};

/// Indicator, agency, period, numerator and denominator, entered.
type Row = (&'static str, &'static str, &'static str, [i64; 2], &'static str);

const ROWS: [Row; 11] = [
    ("par-7.1.2", "S1", "2025-Q4", [91, 100], "2026-01-05T08:00"),
    // The same agency by its name, entered later: it counts in place of the first.
    ("par-7.1.2", "Sở mẫu A", "2025-Q4", [89, 100], "2026-01-06T08:00"),
    ("par-7.1.2", "Ban mẫu ngoài sổ", "2025-Q4", [10, 10], "2026-01-05T08:00"),
    // Months do not make a quarter.
    ("par-7.1.2", "S1", "2025-12", [1, 2], "2026-01-05T08:00"),
    // Entered after the night.
    ("par-7.1.2", "S1", "2025-Q3", [1, 2], "2026-03-20T01:31"),
    // What the province states of itself stands in place of the sum.
    ("sipas-1", "S1", "2025", [70, 100], "2026-01-05T08:00"),
    ("sipas-1", "Toàn tỉnh", "2025", [830, 1000], "2026-01-05T08:00"),
    // The period is not over: the target is still open.
    ("par-3.2.2", "S1", "2026", [1, 2], "2026-01-05T08:00"),
    // On demand only.
    ("par-7.1.2", "S1", "2026-W02", [3, 4], "2026-01-15T08:00"),
    // Of no indicator that is defined, and of one that counts dossiers.
    ("par-9.9.9", "S1", "2025-Q4", [1, 2], "2026-01-05T08:00"),
    ("par-7.2.2", "S1", "2025-Q4", [1, 2], "2026-01-05T08:00"),
];

fn computed(period: Option<&str>) -> Vec<Figure> {
    let of = |(indicator, agency, period, counts, entered): Row| Measure {
        indicator: Some(indicator.to_owned()),
        agency: Some(agency.to_owned()),
        period: Some(period.to_owned()),
        counts: counts.map(Some),
        entered: Some(at(entered)),
        ..Measure::default()
    };
    let mut rows: Vec<Measure> = ROWS.into_iter().map(of).collect();
    rows.push(Measure { period: Some("2024".to_owned()), deleted: Some(true), ..rows[0].clone() });
    of_measures(&rows, period)
}

fn of_measures(rows: &[Measure], period: Option<&str>) -> Vec<Figure> {
    let [dossiers, items] = [province::dossiers_table(&[]), province::items_table(&[])];
    let tables =
        [dossiers, items, province::feedback_table(&[]), province::measures_table(rows), province::notes_table(&[])];
    computed_from(tables, at(NOW), None, period.map(|text| Period::parse(text).expect("a period")), None)
}

#[test]
fn a_measure_is_what_was_stated_last_for_the_very_period() {
    let told = |figures: Vec<Figure>| -> Vec<_> {
        let stated = figures.into_iter().filter(|one| !OF_REGISTRIES.contains(&&*one.indicator));
        let who =
            |one: &Figure| one.agency.as_deref().map(str::to_owned).or(one.tier.map(|tier| tier.name().to_owned()));
        let of = |one: Figure| {
            let (who, met) = (who(&one).unwrap_or_else(|| "-".to_owned()), one.met());
            (one.indicator.to_string(), who, one.period.to_string(), one.numerator, one.denominator, met)
        };
        let mut rows: Vec<_> = stated.map(of).collect();
        rows.sort_by(|left, right| (&left.0, &left.2, &left.1).cmp(&(&right.0, &right.2, &right.1)));
        rows
    };
    let row = |indicator: &str, who: &str, period: &str, [part, whole]: [u64; 2], met: Met| {
        (indicator.to_owned(), who.to_owned(), period.to_owned(), part, Some(whole), Some(met))
    };
    assert_eq!(
        told(computed(None)),
        [
            row("par-3.2.2", "-", "2026", [1, 2], Met::Open),
            row("par-3.2.2", "S1", "2026", [1, 2], Met::Open),
            row("par-3.2.2", "province", "2026", [1, 2], Met::Open),
            row("par-7.1.2", "-", "2025-12", [1, 2], Met::No),
            row("par-7.1.2", "S1", "2025-12", [1, 2], Met::No),
            row("par-7.1.2", "province", "2025-12", [1, 2], Met::No),
            // 99 of 110 is exactly nine tenths.
            row("par-7.1.2", "-", "2025-Q4", [99, 110], Met::Yes),
            row("par-7.1.2", "Ban mẫu ngoài sổ", "2025-Q4", [10, 10], Met::Yes),
            row("par-7.1.2", "S1", "2025-Q4", [89, 100], Met::No),
            row("par-7.1.2", "province", "2025-Q4", [89, 100], Met::No),
            row("sipas-1", "-", "2025", [830, 1000], Met::Yes),
            row("sipas-1", "S1", "2025", [70, 100], Met::No),
            row("sipas-1", "province", "2025", [70, 100], Met::No),
        ]
    );
    let week = told(computed(Some("2026-W02")));
    assert_eq!(week.len(), 3, "{week:?}");
    assert!(week.iter().all(|row| (row.3, row.4) == (3, Some(4))), "{week:?}");
}

/// Each row of the annexes that is stated: what it asks for is reached by as many of a thousand, and not by one fewer.
#[test]
fn every_stated_indicator_has_its_target() {
    let asked = [
        ("par-3.2.2", 1000),
        ("par-3.2.3", 1000),
        ("par-3.2.6", 1000),
        ("par-7.1.2", 900),
        // The annex says 82 % in one column and 83 % in the other: 83 is used.
        ("sipas-1", 830),
        ("sipas-2", 800),
        ("sipas-3", 800),
        ("sipas-4", 810),
        ("sipas-5", 820),
    ];
    let of = |indicator: &str, agency: &str, part: i64| Measure {
        indicator: Some(indicator.to_owned()),
        agency: Some(agency.to_owned()),
        period: Some("2025".to_owned()),
        counts: [Some(part), Some(1000)],
        entered: Some(at("2026-01-05T08:00")),
        ..Measure::default()
    };
    let mut rows: Vec<Measure> =
        asked.iter().flat_map(|(id, part)| [of(id, "S1", *part), of(id, "X3", part - 1)]).collect();
    // The decree names no target.
    rows.push(of("nd224-satisfaction", "S1", 999));
    let figures = of_measures(&rows, None);
    let met = |indicator: &str, agency: Option<&str>| {
        let is_it = |one: &&Figure| {
            *one.indicator == *indicator && one.agency.as_deref() == agency && (agency.is_some() || one.tier.is_none())
        };
        let found = figures.iter().find(is_it).unwrap_or_else(|| panic!("{indicator} {agency:?}: no figure"));
        (found.numerator, found.denominator, found.met())
    };
    for (id, part) in asked {
        let part = u64::try_from(part).expect("a count");
        assert_eq!(met(id, Some("S1")), (part, Some(1000), Some(Met::Yes)), "{id}");
        assert_eq!(met(id, Some("X3")), (part - 1, Some(1000), Some(Met::No)), "{id}");
        // The province states nothing of itself: the sum.
        assert_eq!(met(id, None), (2 * part - 1, Some(2000), Some(Met::No)), "{id}");
    }
    assert_eq!(met("nd224-satisfaction", Some("S1")), (999, Some(1000), None));
}
