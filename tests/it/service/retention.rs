//! `serve` removes old files by itself, after the first night of a day, unless the settings forbid it.
#![expect(clippy::disallowed_methods, reason = "tests write files into the data folder and change their age")]

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::ToSpan as _;
use motcua::model::instant::local;
use motcua::run;

use crate::desk;
use crate::office::Office;
use crate::office::serving::Serving;

/// Writes a data file that no table names and that no reader can need any more.
fn plant(office: &Office, name: &str) -> PathBuf {
    let file = format!("data/lake/dossiers/part=2025-08/{name}.parquet");
    office.write(&file, "planted");
    let path = office.path().join(file);
    let old = SystemTime::now() - Duration::from_hours(24 * 8);
    File::options().write(true).open(&path).and_then(|file| file.set_modified(old)).expect("times can be set");
    path
}

/// Requests a night and waits until it is over.
fn night(serving: &mut Serving, token: &str, after: i64) -> i64 {
    assert_eq!(serving.post("/api/v1/runs", token, "{}").status, 202);
    serving.wait_for_night(token, after).0
}

/// Waits until the service has logged a line for the `number`th time.
fn wait_for_line(serving: &mut Serving, text: &str, number: usize) {
    serving.wait_for(text, |serving| {
        (serving.log().iter().filter(|line| line.contains(text)).count() >= number).then_some(())
    });
}

#[test]
fn old_files_are_removed_after_the_first_night_of_a_day_unless_the_settings_or_the_clock_forbid_it() {
    let office = desk::of_files("");
    desk::file(&office, "1.csv", &["A1,H61.09-250801-0001,H61.09,2025-08-01,2025-08-08,P"]);
    let today = local(run::now()).date();
    desk::night_at(&office, today - 20.days());
    let token = office.token("engineer", "operate");
    let planted = plant(&office, "run-00000098-desk-0");
    // As if the clock had been set ahead by twenty days.
    let mut serving = Serving::start(&office);
    let second = night(&mut serving, &token, 1);
    wait_for_line(&mut serving, "their ages are doubted", 1);
    assert!(planted.exists(), "{}", serving.log().join("\n"));
    assert_eq!(serving.stop(), Some(0));

    office.edit("config/motcua.toml", |text| text.replace("by_itself = true", "by_itself = false"));
    let mut serving = Serving::start(&office);
    let third = night(&mut serving, &token, second);
    assert_eq!(serving.stop(), Some(0));
    assert!(planted.exists(), "the settings forbid it");

    // Only a person ends the doubt: the nights since then follow each other as ever.
    assert!(office.act(&["vacuum"]).status.success());
    assert!(!planted.exists(), "it was ordered");
    let planted = plant(&office, "run-00000097-desk-0");
    office.edit("config/motcua.toml", |text| text.replace("by_itself = false", "by_itself = true"));
    let mut serving = Serving::start(&office);
    let fourth = night(&mut serving, &token, third);
    wait_for_line(&mut serving, "old files removed", 1);
    assert!(!planted.exists(), "{}", serving.log().join("\n"));
    let log = serving.log();
    let at = |text: &str| log.iter().position(|line| line.contains(text));
    assert!(at("night published") < at("old files removed"), "the night is over before: {}", log.join("\n"));
    let again = plant(&office, "run-00000099-desk-0");
    night(&mut serving, &token, fourth);
    let published = |serving: &Serving| serving.log().iter().filter(|line| line.contains("night published")).count();
    serving.wait_for("the end of the fifth night", |serving| (published(serving) == 2).then_some(()));
    // The two nights are of one day, unless it ended meanwhile.
    let removals = serving.log().iter().filter(|line| line.contains("old files removed")).count();
    assert_eq!(again.exists(), removals == 1, "{}", serving.log().join("\n"));
    assert_eq!(serving.stop(), Some(0));
    assert_eq!(desk::image(&office).len(), 1, "the tables are as they were");
}
