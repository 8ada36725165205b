//! Damage at rest: flipped bits and lost files of a data folder are found, named, and repaired where that is possible.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use jiff::civil::date;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::desk::{self, expect, file, night_at, record};
use crate::office::{Answer, Figures, Office, copy, figures, files, said, stub_server};

/// Bits that are flipped unless `MOTCUA_BIT_FLIPS` says otherwise. Each costs a night.
const FLIPS: usize = 5;

/// An office with two agencies and two nights: the second ends some dossiers, and brings others.
fn office() -> Office {
    let office = desk::of_files("");
    let row = |number: usize, status: &str| {
        let (agency, due) = ([14, 15][number % 2], 9 + number % 20);
        format!("A{number},H61.{agency}-251001-{number:06},H61.{agency},2025-10-01,2025-10-{due:02},{status}")
    };
    let list =
        |name: &str, rows: Vec<String>| file(&office, name, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    list("1.csv", (0..40).map(|number| row(number, "P")).collect());
    night_at(&office, date(2025, 10, 12));
    list("2.csv", (0..60).map(|number| row(number, if number % 3 == 0 { "D" } else { "P" })).collect());
    office.run();
    office
}

/// The only file of a data folder whose path contains both parts.
fn one(data: &Path, folder: &str, part: &str) -> PathBuf {
    let mut found = files(data);
    found.retain(|file| file.starts_with(folder) && file.to_string_lossy().contains(part));
    assert_eq!(found.len(), 1, "{folder} {part}: {found:?}");
    data.join(found.remove(0))
}

fn flip(path: &Path, bit: usize) {
    let mut bytes = std::fs::read(path).expect("the file can be read");
    bytes[bit / 8] ^= 1 << (bit % 8);
    // A new file: a backup may be a second name of the old one.
    std::fs::remove_file(path).expect("the folder is ours");
    std::fs::write(path, bytes).expect("the folder is ours");
}

fn on(office: &Office, data: &Path, verb: &[&str]) -> Output {
    office.command_on(data, verb).output().expect("the binary starts")
}

/// The lines of `verify` that are not fine: state and path.
fn verified(office: &Office, data: &Path) -> Vec<(String, String)> {
    let output = on(office, data, &["verify", "--format", "json"]);
    let lines: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let wrong: Vec<_> = lines
        .iter()
        .filter(|line| !["whole", "no_digest"].contains(&text(line, "state").as_str()))
        .map(|line| (text(line, "state"), text(line, "path")))
        .collect();
    assert_eq!(output.status.code(), Some(if wrong.is_empty() { 0 } else { 4 }), "{}", said(&output));
    wrong
}

fn published(office: &Office, data: &Path) -> Figures {
    figures(&office.report_on(data))
}

#[test]
fn what_can_be_rebuilt_is_rebuilt_and_what_cannot_stops_its_connector_until_it_is_restored() {
    let office = office();
    let data = office.data();
    assert_eq!(verified(&office, &data), [], "nothing is wrong with a data folder that was just written");
    let before = published(&office, &data);
    let backup = office.path().join("backup");
    expect(&office, &["backup", &backup.to_string_lossy()], 0);

    // An image, a definition, a page of landing and a file for people: the next night is the same.
    let image = one(&data, "lake/dossiers", "versions-00000002");
    let definition = data.join(files(&data).into_iter().find(|file| file.starts_with("definitions")).expect("one"));
    let page = one(&data, "landing/desk/00000001", ".zst");
    let csv = one(&data, "published/nights/00000002", "figures.csv");
    for path in [&image, &definition, &page, &csv] {
        flip(path, 900);
    }
    let relative = |path: &Path| path.strip_prefix(&data).expect("below it").to_string_lossy().into_owned();
    let mut expected: Vec<_> =
        [&image, &definition, &page, &csv].map(|path| ("damaged".to_owned(), relative(path))).to_vec();
    let mut found = verified(&office, &data);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    let refused = office.path().join("refused");
    let messages = expect(&office, &["backup", &refused.to_string_lossy()], 4);
    assert!(messages.contains(&relative(&image)) && messages.contains("is no backup"), "{messages}");
    assert!(!refused.join("SHA256SUMS").exists());
    let output = on(&office, &data, &["run"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("rebuilt") && said(&output).contains("written again"), "{}", said(&output));
    assert_eq!(published(&office, &data), before);
    let rest: Vec<_> = verified(&office, &data).into_iter().map(|(_, path)| path).collect();
    assert_eq!(rest, [relative(&page), relative(&csv)], "what no night needs stays as it is");

    // A file of versions that is lost.
    let versions = one(&data, "lake/dossier_versions", "run-00000001-desk");
    std::fs::remove_file(&versions).expect("the folder is ours");
    file(&office, "3.csv", &["B1,H61.14-251001-900001,H61.14,2025-10-02,2025-10-20,P"]);
    let output = on(&office, &data, &["run"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains(&relative(&versions)) && said(&output).contains("backup"), "{}", said(&output));
    let reason = office.status("desk")["reason"].to_string();
    assert!(reason.contains("is damaged") && reason.contains(&relative(&versions)), "{reason}");
    assert_eq!(published(&office, &data), before, "figures come from the image, which is whole");
    assert_eq!(verified(&office, &data)[0], ("missing".to_owned(), relative(&versions)));
    std::fs::copy(backup.join(relative(&versions)), &versions).expect("it is restored");
    office.run();
    assert_eq!(office.count("desk", "accepted"), 1, "the file that waited is read");

    // The log of the versions.
    let entry = one(&data, "lake/dossier_versions/_delta_log", "00000000000000000001.json");
    flip(&entry, 2_000);
    let output = on(&office, &data, &["run"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains(&relative(&entry)), "{}", said(&output));
    flip(&entry, 2_000);
    office.run();
}

#[test]
fn a_data_folder_that_is_not_there_is_told() {
    let office = desk::of_files("");
    let nowhere = office.path().join("nowhere/x");
    for verb in [&["status"][..], &["verify"], &["report"], &["runs", "list"], &["vacuum"], &["quarantine", "list"]] {
        let output = on(&office, &nowhere, verb);
        assert_eq!(output.status.code(), Some(2), "{verb:?}: {}", said(&output));
        assert!(said(&output).contains("there is no data folder"), "{verb:?}: {}", said(&output));
        assert!(!nowhere.exists(), "{verb:?} creates nothing");
    }
}

#[test]
fn a_clock_that_cannot_be_right_gives_no_complete_night() {
    // A source whose `Date` is of another year than this machine's clock.
    let body = json!({"rows": [record(0)], "last": true}).to_string();
    let far = "application/json\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT";
    let office = desk::of_list(&stub_server(move |_| Answer::of("200 OK", far, &body)), "");
    let messages = expect(&office, &["run"], 4);
    assert!(messages.contains("every source that states a date"), "{messages}");
    assert_eq!(office.status("desk")["state"], "healthy", "the pull itself is whole");
    let night = std::fs::read_to_string(office.data().join("published/latest/night.json")).expect("it is published");
    assert!(night.contains("\"complete\": false") && night.contains("\"clock\""), "{night}");

    // A clock that is set back, and stays wrong.
    let office = desk::of_files("");
    file(&office, "1.csv", &["A1,H61.14-251001-000001,H61.14,2025-10-01,2025-10-09,P"]);
    let is_complete = |day| night_at(&office, day).published.night.complete;
    assert!(is_complete(date(2025, 10, 12)));
    assert!(!is_complete(date(2025, 10, 8)), "A1 would be on time again");
    assert!(!is_complete(date(2025, 10, 11)), "the night before was made with the same clock");
    let complete = std::fs::read_link(office.data().join("published/latest-complete")).expect("it is published");
    assert!(complete.ends_with("00000001"), "{}", complete.display());
    assert!(is_complete(date(2025, 10, 13)));
}

/// Files that a later commit of their table has replaced: nothing reads them.
fn replaced_files(data: &Path) -> BTreeSet<PathBuf> {
    let logs = files(data).into_iter().filter(|file| file.to_string_lossy().contains("_delta_log"));
    let mut replaced = BTreeSet::new();
    for log in logs.filter(|file| file.extension().is_some_and(|kind| kind == "json")) {
        let table = log.parent().and_then(Path::parent).expect("a log lies in its table");
        for line in std::fs::read_to_string(data.join(&log)).expect("a log entry is text").lines() {
            let action: Value = serde_json::from_str(line).expect("a log entry is JSON lines");
            let path = action["remove"]["path"].as_str();
            replaced.extend(path.map(|path| table.join(path.replace("%3D", "="))));
        }
    }
    replaced
}

/// Flips one random bit of a data folder at a time: `verify` finds it, or no figure of the next night differs. With
/// `MOTCUA_BIT_FLIPS=200` this is the test that docs/DATA-SAFETY.md names. `target/tmp/bit-flips.txt` has its result.
#[test]
fn a_flipped_bit_anywhere_is_found_or_changes_no_figure() {
    let flips = std::env::var("MOTCUA_BIT_FLIPS").ok().and_then(|number| number.parse().ok()).unwrap_or(FLIPS);
    let office = office();
    let kept = office.path().join("kept");
    copy(&office.data(), &kept);
    // The next night has news, so that a damaged cursor, certificate or image would show.
    file(&office, "3.csv", &["B1,H61.14-251001-900001,H61.14,2025-10-02,2025-10-20,D"]);
    let undisturbed = office.path().join("undisturbed");
    copy(&kept, &undisturbed);
    office.run_on(&undisturbed);
    let expected = published(&office, &undisturbed);
    let mut damageable = files(&kept);
    damageable.retain(|file| {
        let path = kept.join(file);
        let is_lock = file.extension().is_some_and(|kind| kind == "lock") || file.ends_with("lock");
        !is_lock && path.metadata().is_ok_and(|meta| meta.len() > 0) && std::fs::read_link(&path).is_err()
    });
    let replaced = replaced_files(&kept);
    let mut random = ChaCha8Rng::seed_from_u64(2_639);
    let (mut found, mut harmless) = (0, 0);
    for round in 0..flips {
        let file = &damageable[random.random_range(0..damageable.len())];
        let data = office.path().join(format!("damaged-{round}"));
        copy(&kept, &data);
        let path = data.join(file);
        let bits = usize::try_from(path.metadata().expect("it is there").len()).expect("it is small") * 8;
        let bit = random.random_range(0..bits);
        flip(&path, bit);
        let what = format!("round {round}: bit {bit} of `{}`", file.display());
        let is_database = file.to_string_lossy().contains(".sqlite");
        let wrong = verified(&office, &data);
        let is_expected = !is_database && !replaced.contains(file);
        assert!(!is_expected || !wrong.is_empty(), "{what}: every file that is in use, but a database, has a digest");
        let output = on(&office, &data, &["run"]);
        let is_told = output.status.code() != Some(0);
        if is_told {
            let is_provisional = on(&office, &data, &["report", "--format", "json"]);
            let rows: Vec<Value> = serde_json::from_slice(&is_provisional.stdout).unwrap_or_default();
            let same = figures(&rows) == expected;
            let complete = output.status.code() == Some(4) && rows.iter().all(|row| row["complete"] == true);
            assert!(same || !complete, "{what}: {}", said(&output));
            found += 1;
        } else {
            assert_eq!(published(&office, &data), expected, "{what}: {}", said(&output));
            harmless += usize::from(wrong.is_empty());
            found += usize::from(!wrong.is_empty());
        }
        std::fs::remove_dir_all(&data).expect("the folder is ours");
    }
    assert_eq!(found + harmless, flips);
    let summary =
        format!("{flips} bits flipped: {found} found, {harmless} not found and without effect on any figure\n");
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("bit-flips.txt"), summary).expect("it is writable");
}
