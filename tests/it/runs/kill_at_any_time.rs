//! `kill -9` at ten moments of a night, then `run` again: the tables and figures are those of an undisturbed night.
//! Every durable write is tested in `every_crash_point`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::civil::date;
use motcua::simulator::ProvinceSettings;

use super::TODAY;
use crate::office::{CONNECTORS, Figures, Office, Town, assert_same, figures, province, rows};

const TABLES: [&str; 4] = ["dossier_versions", "dossiers", "postal_item_versions", "postal_items"];

/// Figures, and the rows of every table.
struct Outcome {
    figures: Figures,
    tables: Vec<Vec<(String, String)>>,
}

impl Outcome {
    fn of(office: &Office, data: &Path) -> Self {
        let tables = TABLES.iter().map(|table| rows(data, table)).collect();
        Self { figures: figures(&office.report_on(data)), tables }
    }
}

/// Runs a night again after a kill, and compares it with an undisturbed one.
fn assert_recovered(office: &Office, data: &Path, undisturbed: &Outcome, moment: &str) {
    office.run_on(data);
    let recovered = Outcome::of(office, data);
    assert_same(&recovered.figures, &undisturbed.figures, moment);
    for ((name, found), expected) in TABLES.iter().zip(&recovered.tables).zip(&undisturbed.tables) {
        let distinct: BTreeSet<_> = found.iter().collect();
        assert_eq!(distinct.len(), found.len(), "{moment}: `{name}` holds a version twice");
        if ["dossiers", "postal_items"].contains(name) {
            let keys: BTreeSet<_> = found.iter().map(|(key, _)| key).collect();
            assert_eq!(keys.len(), found.len(), "{moment}: `{name}` holds a key twice");
        }
        assert!(found == expected, "{moment}: `{name}` has {} rows, expected {}", found.len(), expected.len());
    }
}

/// Starts a night and kills it when the condition holds; returns whether it was still running.
fn kill_when(office: &Office, data: &Path, mut ripe: impl FnMut() -> bool) -> bool {
    let mut child = office.start_on(data);
    let killed = loop {
        if child.try_wait().expect("it can be asked").is_some() {
            break false;
        }
        if ripe() {
            child.kill().expect("it can be killed");
            break true;
        }
        std::thread::sleep(Duration::from_micros(200));
    };
    let status = child.wait().expect("it ends");
    killed && !status.success()
}

#[test]
fn a_night_killed_at_ten_moments_recovers() {
    // Few months, so that a night has few figures.
    let settings =
        ProvinceSettings { dossiers: 120, seed: 21, first: date(2025, 6, 2), ..ProvinceSettings::new(TODAY) };
    let town = Town::of(province(&settings));
    let office = Office::of(&town).only(&CONNECTORS, &["online", "postal", "resolution"]);
    let whole = office.path().join("undisturbed");
    // The first start loads the binary into memory; the second one is measured.
    office.run_on(&office.path().join("warm"));
    let started = Instant::now();
    office.run_on(&whole);
    let mut duration = started.elapsed();
    let undisturbed = Outcome::of(&office, &whole);
    assert!(undisturbed.tables.iter().all(|table| !table.is_empty()));
    let mut killed = 0;
    for tenth in 0..10 {
        let data = office.path().join(format!("killed-{tenth}"));
        let moment = duration * tenth / 10;
        let started = Instant::now();
        let was_killed = kill_when(&office, &data, || started.elapsed() >= moment);
        killed += u32::from(was_killed);
        if !was_killed {
            // The machine has less to do than when the night was measured.
            duration = duration.min(started.elapsed());
        }
        // The recovery is killed too: the earlier the night was killed, the later.
        let started = Instant::now();
        kill_when(&office, &data, || started.elapsed() >= duration.saturating_sub(moment));
        assert_recovered(&office, &data, &undisturbed, &format!("killed at {tenth} tenths"));
    }
    assert!(killed >= 7, "only {killed} of 10 nights were still under way when killed");
}
