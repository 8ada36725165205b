//! What the national portal counts for the province and its agencies, month by month: measures beside the office's own figures,
//! which stay what they are.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use motcua::simulator::{EVALUATION_ROOT, TruthScope};
use serde_json::Value;

use crate::office::{Office, Town, said};

/// The connectors whose figures are compared with the true ones here.
pub(crate) const CONNECTORS: [&str; 2] = ["national-evaluation", "national-evaluation-province"];

const TODAY: Date = date(2025, 11, 28);
/// The local figures that the simulated portal repeats: by kind of agency, and online.
const ON_TIME: [&str; 3] = ["par-3.4.1", "par-3.4.2", "par-3.4.3"];
const ONLINE: &str = "nd224-online";

/// Numerator and denominator by indicator, agency (none: the province) and period.
type Cells = BTreeMap<(String, Option<String>, String), (u64, u64)>;

fn cells(rows: &[Value], is_wanted: impl Fn(&str) -> bool) -> Cells {
    let text = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
    let of_scope = rows.iter().filter(|row| row["tier"].is_null() || row["agency"].is_string());
    let cell = |row: &Value| {
        let (indicator, period) = text(row, "indicator").zip(text(row, "period"))?;
        let counts = row["numerator"].as_u64().zip(row["denominator"].as_u64())?;
        Some(((indicator, text(row, "agency"), period), counts)).filter(|((name, ..), _)| is_wanted(name))
    };
    of_scope.filter_map(cell).collect()
}

/// The true counts of the months from July on that the national portal repeats.
fn expected(town: &Town) -> Cells {
    let mut found = Cells::new();
    let figures = town.province.truth(TODAY).figures;
    let is_month =
        |period: &str| period.len() == 7 && !period.contains(['Q', 'H', 'M']) && ("2025-07".."2026").contains(&period);
    let mut received: BTreeMap<(String, String), u64> = BTreeMap::new();
    for figure in figures.iter().filter(|figure| is_month(&figure.period) && ON_TIME.contains(&figure.indicator)) {
        let TruthScope::Agency(agency) = &figure.scope else { continue };
        let key = ("dvcqg-on-time".to_owned(), Some(agency.clone()), figure.period.clone());
        found.insert(key, (figure.numerator, figure.denominator));
        received.insert((agency.clone(), figure.period.clone()), figure.denominator);
    }
    for ((agency, period), denominator) in received {
        let of_agency = figures.iter().find(|figure| {
            figure.indicator == ONLINE && figure.period == period && figure.scope == TruthScope::Agency(agency.clone())
        });
        let numerator = of_agency.map_or(0, |figure| figure.numerator);
        found.insert(("dvcqg-online".to_owned(), Some(agency), period), (numerator, denominator));
    }
    // The province's row is their sum.
    let of_agencies: Vec<_> =
        found.iter().map(|((name, _, period), counts)| ((name.clone(), period.clone()), *counts)).collect();
    for ((name, period), (numerator, denominator)) in of_agencies {
        let sum = found.entry((name, None, period)).or_default();
        *sum = (sum.0 + numerator, sum.1 + denominator);
    }
    found
}

fn add(office: &Office, connector: &str) {
    let output = office.act(&["connectors", "add", connector]);
    assert!(output.status.success(), "{}", said(&output));
    office.edit(&format!("connectors/{connector}/connector.toml"), |text| {
        text.replace("requests_per_second = 2.0", "requests_per_second = 1000.0")
    });
}

#[test]
fn what_the_national_portal_counts_stands_beside_the_local_figures() {
    let town = Town::new(300, 11, TODAY);
    let mut office = Office::of(&town);
    office.run();
    let local = |office: &Office| cells(&office.report_on(&office.data()), |name| !name.starts_with("dvcqg-"));
    let before = local(&office);
    assert!(before.len() > 1_000, "{} figures", before.len());
    for connector in CONNECTORS {
        add(&office, connector);
    }
    office
        .variables
        .extend([("DVCQG_EVALUATION_URL", town.url()), ("DVCQG_EVALUATION_ROOT", EVALUATION_ROOT.to_owned())]);
    office.run();
    let national = |office: &Office| cells(&office.report_on(&office.data()), |name| name.starts_with("dvcqg-"));
    let (found, expected) = (national(&office), expected(&town));
    assert!(expected.len() > 50, "{} measures", expected.len());
    for (key, counts) in &expected {
        assert_eq!(found.get(key), Some(counts), "{key:?}");
    }
    let more: Vec<_> =
        found.iter().filter(|(key, (_, denominator))| *denominator > 0 && !expected.contains_key(key)).collect();
    assert!(more.is_empty(), "{more:?}");
    assert!(local(&office) == before, "local figures changed");
    for connector in CONNECTORS {
        assert_eq!(office.count(connector, "quarantined"), 0);
    }
    // Another night replaces what is stated for a month, and adds nothing.
    office.run();
    assert!(national(&office) == found, "the same counts give the same figures");
    assert_eq!(office.count(CONNECTORS[0], "accepted"), 0);
}
