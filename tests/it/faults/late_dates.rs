//! Dossiers whose status is completed months before the portal states their completed date.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use serde_json::Value;

use crate::office::{Office, Town, assert_same, true_figures};
use crate::runs::night;

const BEFORE: Date = date(2025, 8, 15);
const AFTER: Date = date(2025, 11, 28);
/// Dossiers received before this day were completed months before `AFTER`.
const MONTHS_AGO: &str = "2025-08-01";

/// Ids of the dossiers accepted before `MONTHS_AGO` whose status is completed, with or without a completed date.
fn completed(town: &Town, day: Date, dated: bool) -> BTreeSet<String> {
    town.day.set(day);
    let chosen = |record: &Value| {
        let status = record["dossierStatus"]["id"].as_u64().or_else(|| record["dossierStatus"].as_u64());
        record["acceptedDate"].as_str().is_some_and(|accepted| accepted < MONTHS_AGO)
            && matches!(status, Some(4 | 5))
            && record["completedDate"].is_string() == dated
    };
    let records = town.records("accepted");
    records.iter().filter(|record| chosen(record)).map(|record| record["id"].to_string()).collect()
}

#[test]
fn a_completed_date_stated_months_later_is_read() {
    let town = (74..)
        .find_map(|seed| {
            let town = Town::new(400, seed, AFTER);
            let undated = completed(&town, BEFORE, false);
            let are_stated_late = completed(&town, AFTER, true).intersection(&undated).next().is_some();
            are_stated_late.then_some(town)
        })
        .expect("the portal of some province states some completed dates late");
    let office = Office::new(&town.url()).lean();
    let nights = [BEFORE, AFTER];
    for (number, day) in (1..).zip(nights) {
        let report = night(&town, &office, day);
        assert!(!report.any_failed() && report.published.night.complete, "{day}");
        assert_same(&office.figures(), &true_figures(&town.province.truth_after(&nights[..number])), &day.to_string());
    }
}
