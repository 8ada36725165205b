//! `explain` through the program: its counts are the published ones, its positions hold the records, and reads are
//! logged.

use std::path::Path;

use jiff::civil::date;
use motcua::landing::LandedPull;
use serde_json::Value;

use crate::office::{Office, Town, said};

fn answer(office: &Office, arguments: &[&str]) -> Value {
    let output = office.act(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The dossiers behind one figure, without any list.
fn explained(office: &Office, figure: &Value, further: &[&str]) -> Value {
    let text = |name: &str| figure[name].as_str();
    let mut arguments = vec!["explain", text("indicator").expect("an id"), "--format", "json"];
    arguments.extend(["--period", text("period").expect("a period")]);
    match (text("agency"), text("tier")) {
        (Some(agency), _) => arguments.extend(["--agency", agency]),
        (None, Some(tier)) => arguments.extend(["--tier", tier]),
        (None, None) => {}
    }
    arguments.extend(further);
    answer(office, &arguments)
}

#[test]
fn a_figure_is_explained_down_to_its_records() {
    let town = Town::new(200, 31, date(2026, 3, 20));
    let office = Office::of(&town);
    office.export(&town, town.province.today());
    office.run();
    let figures = answer(&office, &["report", "--by", "quarter", "--format", "json"]);
    let figures = figures.as_array().expect("rows");
    let mut explained_figures = 0;
    for id in ["par-3.4.1", "par-3.4.3", "par-7.3.2-deployed", "nd224-online"] {
        let of_indicator = figures.iter().filter(|figure| figure["indicator"] == id && figure["denominator"] != 0);
        // One of the province, one of a tier, one of an agency.
        let of_indicator: Vec<&Value> = of_indicator.collect();
        let is_of = |wanted: [bool; 2]| {
            move |figure: &&&Value| [figure["agency"].is_null(), figure["tier"].is_null()] == wanted
        };
        for wanted in [[true, true], [true, false], [false, false]] {
            let Some(figure) = of_indicator.iter().rfind(is_of(wanted)) else { continue };
            let found = explained(&office, figure, &["--limit", "0"]);
            let count = |side: &str| found["counts"][side].as_u64().expect("a count");
            let whole = count("in_numerator") + count("not_in_numerator") + count("unknown");
            let counts = [whole, count("in_numerator"), count("unknown"), count("undecided")];
            let published = ["denominator", "numerator", "unknown", "undecided"].map(|name| figure[name].as_u64());
            assert_eq!(counts.map(Some), published, "{figure}");
            explained_figures += 1;
        }
    }
    assert!(explained_figures >= 6, "only {explained_figures} figures were there");

    what_is_counted_beside_dossiers_is_listed(&office, figures);

    // The position of each listed dossier holds it.
    let figure = figures.iter().rfind(|figure| figure["indicator"] == "par-3.4.1" && figure["denominator"] != 0);
    let found = explained(&office, figure.expect("dossiers of departments"), &["--side", "in_numerator"]);
    let dossiers = found["dossiers"].as_array().expect("a list");
    assert!(!dossiers.is_empty(), "{found}");
    for dossier in dossiers {
        assert_eq!(cell_of_landed(&office.data(), dossier, "code"), dossier["dossier_code"].as_str(), "{dossier}");
    }

    // One dossier: the condition that decides, the facts with their values, and where it came from.
    let code = dossiers[0]["dossier_code"].as_str().expect("a code");
    let period = figure.expect("it was found")["period"].as_str().expect("a period");
    let one = answer(&office, &["explain", "par-3.4.1", "--period", period, "--dossier", code, "--format", "json"]);
    assert_eq!(one[0]["side"], "in_numerator");
    let fact = |name: &str| {
        let facts = one[0]["facts"].as_array().expect("facts");
        facts.iter().find(|fact| fact["name"] == name).unwrap_or_else(|| panic!("no fact `{name}`")).clone()
    };
    assert_eq!(fact("is_on_time")["value"], true);
    assert_eq!(fact("received_at")["value"], dossiers[0]["received_at"]);
    assert!(fact("ends_at")["expression"].is_string());
    let conditions = one[0]["conditions"].as_array().expect("conditions");
    assert!(conditions.iter().all(|condition| condition["is_true"] == true), "{conditions:?}");
    assert_eq!(one[0]["versions"][0]["run"], dossiers[0]["run"]);
    assert_eq!(one[0]["versions"][0]["changed"]["dossier_code"], code);

    // Every read is logged, without any code.
    let reads = answer(&office, &["token", "reads", "--format", "json"]).to_string();
    assert!(reads.contains("explain par-3.4.1") && !reads.contains(code), "{reads}");

    what_cannot_be_explained_is_said(&office);
}

/// Figures over procedures list procedures, and so on: as many as are published.
fn what_is_counted_beside_dossiers_is_listed(office: &Office, figures: &[Value]) {
    let mut units = std::collections::BTreeSet::new();
    for id in ["par-3.3.3", "par-7.1.4", "par-3.5.1", "par-7.1.2", "par-7.2.1"] {
        let mut published = figures.iter().filter(|figure| figure["indicator"] == id && figure["agency"].is_null());
        let Some(figure) = published.rfind(|figure| figure["denominator"] != 0) else { continue };
        let found = explained(office, figure, &["--side", "in_numerator"]);
        let over = found["over"].as_str().expect("a unit").to_owned();
        let listed = found[&over].as_array().expect("a list").len() as u64;
        assert_eq!(Some(listed), found["counts"]["in_numerator"].as_u64(), "{found}");
        assert_eq!(found["agrees"], true, "{found}");
        if over == "measures" {
            assert_eq!(found["stated"]["numerator"], figure["numerator"], "{found}");
        } else {
            assert_eq!(Some(listed), figure["numerator"].as_u64(), "{figure}");
        }
        units.insert(over);
    }
    let units: Vec<&str> = units.iter().map(String::as_str).collect();
    assert_eq!(units, ["agencies", "feedback", "measures", "procedures"]);
}

/// The cell of a landed record, at the position that a dossier names.
fn cell_of_landed(data: &Path, dossier: &Value, field: &str) -> Option<&'static str> {
    let number = |name: &str| dossier[name].as_i64().expect("a number");
    let landed = LandedPull::new(data, dossier["source"].as_str()?, number("run"));
    let certificate = landed.certificate().expect("it is read").expect("the pull was landed");
    let entry = certificate.pages.iter().find(|page| i64::from(page.number) == number("page"))?;
    let page = landed.read(entry).expect("the page is whole");
    let index = (0..page.len()).find(|&index| i64::from(page.row(index).0) == number("row"))?;
    let place = page.fields.iter().position(|name| name == field)?;
    page.cell(index, place).map(|cell| &*cell.to_owned().leak())
}

fn what_cannot_be_explained_is_said(office: &Office) {
    for (arguments, said_texts) in [
        (&["explain", "par-9.9.9", "--period", "2026"][..], &["there is no indicator `par-9.9.9`"][..]),
        (
            &["explain", "par-3.3.3", "--period", "2026", "--dossier", "H-1"],
            &["have no dossiers to explain: it counts procedures", "leave out `--dossier`"],
        ),
        (&["explain", "par-3.4.1", "--period", "2027"], &["begins after the night of"]),
        (&["explain", "par-3.4.1", "--period", "quý 7/2026"], &["`quý 7/2026` is not a period", "`quý 1/2026`"]),
        (
            &["explain", "par-3.4.1", "--period", "2026", "--agency", "Sở Tư phap mới"],
            &["there is no agency", "did you mean"],
        ),
        (&["explain", "par-3.4.1", "--period", "2026", "--rules", "none"], &["there is no rule set `none`"]),
        (&["explain", "par-3.4.1", "--period", "2026", "--dossier", "H-404"], &["has the code `H-404`"]),
        (&["explain", "par-3.4.1", "--period", "2026", "--as-of", "2020-01-01"], &["no night on or before 2020-01-01"]),
    ] {
        let output = office.act(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        for text in said_texts {
            assert!(said(&output).contains(text), "{arguments:?}: {}", said(&output));
        }
    }
    // Names without marks, and words of an office.
    let output = office.act(&["explain", "par-3.4.1", "--period", "quy 1/2026", "--agency", "so tu phap"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("2026-Q1"), "{}", said(&output));
}
