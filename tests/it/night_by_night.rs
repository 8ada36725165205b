//! Thirty nights of a list with late arrivals, corrections, reopenings, deletions and one changed definition: each night's
//! figures can be had again as they were, and the dossiers that `--diff` lists between two nights are those that the list
//! changed, each with its cause.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use motcua::model::instant::display;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::desk;
use crate::office::{Office, said};

const NIGHTS: usize = 30;
/// The night before which the definition is changed.
const CHANGED: usize = 17;
const FIRST: Date = date(2025, 10, 1);
const AGENCIES: [&str; 2] = ["H61.02", "H61.03"];

/// A dossier as the list has it on an evening.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    agency: &'static str,
    received: Date,
    due: Date,
    done: Option<Date>,
}

/// The list on an evening, by key.
type Evening = BTreeMap<usize, Listed>;

/// Draws the list of each evening.
fn evenings(random: &mut ChaCha8Rng) -> Vec<Evening> {
    let mut list = Evening::new();
    let mut deleted: Evening = Evening::new();
    let mut next = 0;
    let mut evenings = Vec::new();
    for night in 0..NIGHTS {
        let today = FIRST + i64::try_from(night).expect("a few").days();
        let new = if night == 0 { 30 } else { random.random_range(0..3) };
        for _ in 0..new {
            // Half of them arrive days after their reception.
            let late = if random.random_bool(0.5) { random.random_range(1..9) } else { 0 };
            let received = today - i64::from(late).days();
            let due = received + random.random_range(3_i64..10).days();
            list.insert(next, Listed { agency: AGENCIES[next % 2], received, due, done: None });
            next += 1;
        }
        for dossier in list.values_mut() {
            match random.random_range(0..40) {
                0..6 if dossier.done.is_none() => dossier.done = Some(today),
                // Reopened.
                6 => dossier.done = None,
                // The end is corrected.
                7 => {
                    let corrected = (dossier.due + random.random_range(-2_i64..3).days()).min(today);
                    dossier.done = dossier.done.map(|_| corrected);
                }
                8 => dossier.agency = AGENCIES[random.random_range(0..2)],
                _ => {}
            }
        }
        if night > 0 && random.random_bool(0.4) {
            let gone = list.keys().nth(random.random_range(0..list.len())).copied().expect("it is not empty");
            deleted.extend(list.remove(&gone).map(|dossier| (gone, dossier)));
        }
        if random.random_bool(0.2)
            && let Some((back, dossier)) = deleted.pop_first()
        {
            list.insert(back, dossier);
        }
        evenings.push(list.clone());
    }
    evenings
}

fn write(office: &Office, list: &Evening) {
    let mut text = "id,code,agency,received,due,done,status\n".to_owned();
    for (key, one) in list {
        let done = one.done.map(|day| day.to_string()).unwrap_or_default();
        let status = if one.done.is_some() { "D" } else { "P" };
        let row = [one.agency.to_owned(), one.received.to_string(), one.due.to_string(), done, status.to_owned()];
        text.extend([&format!("K{key},H61.02-251001-{key:04},"), row.join(",").as_str(), "\n"]);
    }
    office.write("exports/list.csv", &text);
}

/// Agency and side of a dossier in par-3.4.1 of 2025.
fn standing(one: &Listed, has_new_definition: bool) -> (&'static str, &'static str) {
    let counts = match one.done {
        Some(done) => done <= one.due,
        None => has_new_definition,
    };
    (one.agency, if counts { "in_numerator" } else { "not_in_numerator" })
}

/// The moves from one night to another: key, standings, cause.
fn moves(evenings: &[Evening], from: usize, to: usize) -> BTreeSet<String> {
    let (old, new) = (&evenings[from], &evenings[to]);
    let [old_definition, new_definition] = [from, to].map(|night| night >= CHANGED);
    let mut found = BTreeSet::new();
    for key in old.keys().chain(new.keys()) {
        let before = old.get(key).map(|one| standing(one, old_definition));
        let after = new.get(key).map(|one| standing(one, new_definition));
        if before == after {
            continue;
        }
        let by_old_definition = new.get(key).map(|one| standing(one, old_definition));
        let was_there = evenings[..=from].iter().any(|evening| evening.contains_key(key));
        let cause = match (old.get(key), new.get(key)) {
            _ if by_old_definition == before => "definition",
            (Some(_), None) => "deleted",
            (None, Some(_)) if was_there => "restored",
            (None, Some(one)) if one.received <= FIRST + i64::try_from(from).expect("a few").days() => "late_arrival",
            (None, Some(_)) => "new",
            (Some(before), Some(after)) => match (before.done, after.done) {
                (Some(_), None) => "reopened",
                (None, Some(_)) => "ended",
                _ => "corrected",
            },
            (None, None) => unreachable!("the key is of one of them"),
        };
        found.insert(format!("K{key} {before:?} {after:?} {cause}"));
    }
    found
}

#[test]
fn every_night_is_repeated_and_every_move_has_its_cause() {
    let connector = "\n[map.completed_at]\nfrom = \"done\"\ntype = \"instant\"\nformats = [\"yyyy-MM-dd\"]\n";
    let office = desk::of_files(connector);
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("settle_secs = 0", "settle_secs = 0\ncontent = \"whole\"\norder = \"modified\"")
    });
    desk::keep_one_indicator(&office);
    let mut config = desk::configuration(&office);
    let mut random = ChaCha8Rng::seed_from_u64(20_251_001);
    let evenings = evenings(&mut random);
    let mut nights = Vec::new();
    for (night, evening) in evenings.iter().enumerate() {
        if night == CHANGED {
            office.edit("config/indicators/resolution.toml", |text| {
                let changed = text.replacen("numerator = \"is_on_time\"", "numerator = \"NOT is_late\"", 1);
                assert_ne!(changed, text, "par-3.4.1 is the first of the file");
                changed
            });
            config = desk::configuration(&office);
        }
        write(&office, evening);
        let report = desk::night_with(&config, &office, FIRST + i64::try_from(night).expect("a few").days());
        assert!(report.published.night.complete, "night {night}: {:?}", report.published.not_whole);
        nights.push(report.published.night);
    }
    // As of each night: the counts that the list gives for that evening.
    for (night, evening) in evenings.iter().enumerate() {
        let of_year = figures(&office, &display(nights[night].as_of));
        for agency in AGENCIES {
            let of_agency =
                evening.values().filter(|one| one.agency == agency).map(|one| standing(one, night >= CHANGED).1);
            let numerator = of_agency.clone().filter(|side| *side == "in_numerator").count() as u64;
            let expected = [numerator, of_agency.count() as u64];
            assert_eq!(of_year.get(agency).copied().unwrap_or_default(), expected, "night {night} {agency}");
        }
    }
    let mut causes = BTreeSet::new();
    for _ in 0..12 {
        let to = random.random_range(1..NIGHTS);
        let from = random.random_range(0..to);
        let expected = moves(&evenings, from, to);
        causes.extend(expected.iter().filter_map(|line| line.rsplit(' ').next().map(str::to_owned)));
        assert_eq!(
            moved(&office, &nights[from].run.to_string(), &nights[to].run.to_string()),
            expected,
            "{from} to {to}"
        );
    }
    // Every way in which the list can change was compared.
    let all = ["corrected", "definition", "deleted", "ended", "late_arrival", "new", "reopened", "restored"];
    assert_eq!(causes, all.map(str::to_owned).into());
    // A night is also named by its moment; the definition that changed between two nights is said.
    let (before, after) = (display(nights[CHANGED - 1].as_of), display(nights[CHANGED].as_of));
    assert_eq!(moved(&office, &before, &after), moves(&evenings, CHANGED - 1, CHANGED));
    let arguments = ["--lang", "vi", "report", "par-3.4.1", "--period", "2025", "--diff", &before, &after];
    let shown = desk::expect(&office, &arguments, 0);
    assert!(shown.contains("định nghĩa đã đổi") && shown.contains("định nghĩa hoặc bộ quy tắc đã đổi"), "{shown}");
    what_is_not_there_is_said(&office);
}

/// Numerator and denominator of par-3.4.1 of 2025, by agency.
fn figures(office: &Office, as_of: &str) -> BTreeMap<String, [u64; 2]> {
    let rows = desk::rows(office, &["report", "par-3.4.1", "--period", "2025", "--as-of", as_of]);
    let counts = |row: &Value| ["numerator", "denominator"].map(|name| row[name].as_u64().expect("a count"));
    let of_agency = |row: &Value| Some((row["agency"].as_str()?.to_owned(), counts(row)));
    rows.iter().filter_map(of_agency).collect()
}

fn moved(office: &Office, from: &str, to: &str) -> BTreeSet<String> {
    let output = office.act(&["report", "par-3.4.1", "--period", "2025", "--diff", from, to, "--format", "json"]);
    assert!(output.status.success(), "{}", said(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let Some(dossiers) = answer["dossiers"].as_array() else { return BTreeSet::new() };
    let line = |one: &Value| {
        let (key, cause) = (one["source_key"].as_str().expect("a key"), one["cause"].as_str().expect("a cause"));
        format!("{key} {:?} {:?} {cause}", said_standing(&one["before"]), said_standing(&one["after"]))
    };
    dossiers.iter().map(line).collect()
}

fn said_standing(value: &Value) -> Option<(&str, &str)> {
    Some((value["agency"].as_str()?, value["side"].as_str()?))
}

fn what_is_not_there_is_said(office: &Office) {
    for (arguments, text) in [
        (&["report", "--as-of", "2025-09-30"][..], "no night on or before 2025-09-30"),
        (&["report", "--as-of", "2025-09-30"], "the first night is of"),
        (&["report", "--as-of", "1/10/2025"], "`1/10/2025` is no day or moment"),
        (&["report", "--diff", "900", "1"], "no night of run 900"),
        (&["report", "--diff", "1", "2", "--period", "2025-10-03"], "no night stores figures of `2025-10-03`"),
    ] {
        let shown = desk::expect(office, arguments, 2);
        assert!(shown.contains(text), "{arguments:?}: {shown}");
    }
}
