//! Periods worked out by hand: first and last days, refused texts, neighbouring periods (domain E).

use super::*;

/// Text, first day, last day.
const PERIODS: &[(&str, &str, &str)] = &[
    ("2026", "2026-01-01", "2026-12-31"),
    ("2026-Q1", "2026-01-01", "2026-03-31"),
    ("2026-H2", "2026-07-01", "2026-12-31"),
    ("2026-9M", "2026-01-01", "2026-09-30"),
    ("2024-02", "2024-02-01", "2024-02-29"),
    ("2026s", "2025-12-15", "2026-12-14"),
    ("2026-Q1s", "2025-12-15", "2026-03-14"),
    ("2026-Q3s", "2026-06-15", "2026-09-14"),
    ("2026-H1s", "2025-12-15", "2026-06-14"),
    ("2026-9Ms", "2025-12-15", "2026-09-14"),
    ("2026-01s", "2025-12-15", "2026-01-14"),
    ("2026-03s", "2026-02-15", "2026-03-14"),
    ("2026-W01", "2025-12-29", "2026-01-04"),
    ("2020-W53", "2020-12-28", "2021-01-03"),
    ("2026-03-05", "2026-03-05", "2026-03-05"),
    ("2026-03-05..2026-04-10", "2026-03-05", "2026-04-10"),
];

#[test]
fn first_and_last_days_follow_the_law() {
    for (text, start, end) in PERIODS {
        let period = Period::parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((period.start().to_string(), period.end().to_string()), ((*start).into(), (*end).into()));
        assert_eq!(period.to_string(), *text);
    }
}

#[test]
fn other_texts_are_no_period() {
    for text in ["", "26", "2026-13", "2026-0", "2026-Q5", "2026-H3", "2026-W54", "2021-W53", "2026-W05s", "2026-9m"] {
        assert_eq!(Period::parse(text), None, "{text}");
    }
    for text in ["2026-02-30", "2026-04-10..2026-03-05", "+026", "2026-03-05s", "năm 2026", "2026-Q٣"] {
        assert_eq!(Period::parse(text), None, "{text}");
    }
}

#[test]
fn years_are_those_of_the_calendar_of_figures() {
    for text in ["1990", "2099", "1990s", "2099-12", "2099-W53", "1990-01-01", "2098-12-31..2099-12-31"] {
        assert!(Period::parse(text).is_some(), "{text}");
    }
    for text in [
        "0000",
        "0001",
        "1989",
        "2100",
        "9999",
        "9999-12",
        "9999s",
        "9999-Q4s",
        "9999-W52",
        "9999-12-31",
        "1989-12s",
        "1989-12-31..1990-01-01",
        "2026-01-01..9999-12-31",
    ] {
        assert_eq!(Period::read(text), Err(PeriodError::Year), "{text}");
    }
    for text in ["10000", "-2026", "2026-Q5s", "2026-13s", "02026"] {
        assert_eq!(Period::read(text), Err(PeriodError::Form), "{text}");
    }
    assert_eq!(typed_day("2026-03-05"), Ok(date(2026, 3, 5)));
    for text in ["9999-12-31", "1989-12-31", "-009999-01-01", "2026-02-30", "05/03/2026", "2026-03-05T10:00"] {
        assert!(typed_day(text).is_err(), "{text}");
    }
}

#[test]
fn a_half_month_lies_in_the_period_that_contains_its_days() {
    let mut day = date(2023, 12, 1);
    while day < date(2026, 2, 1) {
        for kind in PeriodKind::NAMED {
            match Period::of_half_month(kind, half_month_of(day)) {
                Some(period) => assert!(period.start() <= day && day <= period.end(), "{day} {period}"),
                None => assert!(matches!(kind, PeriodKind::NineMonths | PeriodKind::StatutoryNineMonths)),
            }
        }
        day = day.tomorrow().expect("in this millennium");
    }
    assert_eq!(Period::of_half_month(PeriodKind::NineMonths, half_month_of(date(2026, 10, 1))), None);
    // 15 September lies after the 14th, the last day of the nine months; 15 December begins the next year.
    assert_eq!(Period::of_half_month(PeriodKind::StatutoryNineMonths, half_month_of(date(2026, 9, 15))), None);
    let next = Period::of_half_month(PeriodKind::StatutoryNineMonths, half_month_of(date(2026, 12, 15)));
    assert_eq!(next.map(|period| period.to_string()).as_deref(), Some("2027-9Ms"));
}

#[test]
fn neighbouring_periods() {
    let of = |text: &str| Period::parse(text).unwrap_or_else(|| panic!("{text}"));
    for (text, previous, year_before, cumulative) in [
        ("2026-01", "2025-12", "2025-01", "2026-01-01..2026-01-31"),
        ("2026-Q1s", "2025-Q4s", "2025-Q1s", "2025-12-15..2026-03-14"),
        ("2026-H2", "2026-H1", "2025-H2", "2026-01-01..2026-12-31"),
        ("2026-9M", "2025-9M", "2025-9M", "2026-01-01..2026-09-30"),
        ("2026-W01", "2025-W52", "2025-W01", "2026-01-01..2026-01-04"),
        ("2026-03-01", "2026-02-28", "2025-03-01", "2026-01-01..2026-03-01"),
        ("2026-03-01..2026-03-10", "2026-02-19..2026-02-28", "2025-03-01..2025-03-10", "2026-01-01..2026-03-10"),
    ] {
        let period = of(text);
        assert_eq!(period.previous().map(|period| period.to_string()).as_deref(), Some(previous), "{text}");
        assert_eq!(period.a_year_before().map(|period| period.to_string()).as_deref(), Some(year_before), "{text}");
        assert_eq!(period.cumulative().to_string(), cumulative, "{text}");
    }
    assert_eq!(of("2024-02-29").a_year_before(), None);
    for kind in PeriodKind::NAMED {
        let period = Period::of_half_month(kind, half_month_of(date(2026, 3, 1))).expect("within nine months");
        assert_eq!(period.next().and_then(Period::previous), Some(period), "{period}");
    }
}
