//! What `vacuum` removes and keeps, and that every night reads the same after it.
#![expect(clippy::disallowed_methods, reason = "tests read the files of an office and change their age")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::civil::{Date, date};
use motcua::model::instant::{DAY_MICROS, from_local};
use motcua::run::{self, Ledger, Slot, SlotState};
use serde_json::Value;

use crate::desk::{self, expect, night_at, rows};
use crate::office::{Office, copy, deep, files, said};

/// Added to the mapping of the test connector `desk`.
const MORE: &str = r#"
[map.completed_at]
from = "ended"
type = "instant"
formats = ["yyyy-MM-dd"]
default = ""

[contract]
reject_share = 0.9
least_of_usual = 0.0
"#;

/// Days of the nights, and the rows of their files. B1 goes to another agency and back; X9 has a status that the
/// mapping does not know. Weekdays differ, so that no usual volume is compared; every day is older than every retention
/// of the tests.
const NIGHTS: [(Date, &str); 5] = [
    (
        date(2025, 8, 5),
        "A1,H61.09-250801-0001,H61.09,2025-08-01,2025-08-08,P,\nA2,H61.09-250804-0002,H61.09,2025-08-04,2025-08-11,P,\n\
         B1,H61.10-250804-0003,H61.10,2025-08-04,2025-08-11,P,\n",
    ),
    (
        date(2025, 8, 20),
        "A1,H61.09-250801-0001,H61.09,2025-08-01,2025-08-08,D,2025-08-07\n\
         X9,H61.09-250818-0009,H61.09,2025-08-18,2025-08-25,X,\n",
    ),
    (date(2025, 9, 3), "B1,H61.10-250804-0003,H61.09,2025-08-04,2025-08-11,P,\n"),
    (date(2025, 9, 10), "A2,H61.09-250804-0002,H61.09,2025-08-04,2025-08-11,D,2025-09-09\n"),
    (date(2025, 9, 25), "B1,H61.10-250804-0003,H61.10,2025-08-04,2025-08-11,P,\n"),
];
/// Nights whose figures are removed: all but the last of each month and the newest.
const REMOVED_NIGHTS: [i64; 3] = [1, 3, 4];
/// Pulls whose landing is removed: rejected rows of run 2 are open, and run 6 is the newest.
const REMOVED_PULLS: [i64; 4] = [1, 3, 4, 5];

fn hand_in(office: &Office, name: &str, rows: &str) {
    office.write(&format!("exports/{name}"), &format!("id,code,agency,received,due,status,ended\n{rows}"));
}

/// An office after five old nights and one of today.
fn old_office() -> Office {
    let office = desk::of_files(MORE);
    // Lists keep the landed pages of what their files hold.
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("settle_secs = 0", "settle_secs = 0\ncontent = \"append\"")
    });
    // Few figures, so that six nights take little time.
    for file in files(&office.path().join("config/indicators")) {
        std::fs::remove_file(office.path().join("config/indicators").join(file)).expect("it was shipped");
    }
    office.write("config/indicators/national.toml", include_str!("../../../config/indicators/national.toml"));
    office.write("config/indicators/quality.toml", include_str!("../../../config/indicators/quality.toml"));
    // Without options `vacuum` takes these ages, whose defaults are longer than the age of the nights.
    office.edit("config/motcua.toml", |text| {
        text.replace("night_days = 3650", "night_days = 300").replace("landing_days = 30", "landing_days = 60")
    });
    for (number, (day, rows)) in (1..).zip(NIGHTS) {
        hand_in(&office, &format!("{number}.csv"), rows);
        let report = night_at(&office, day);
        assert!(report.published.changed > 0, "{day}: figures change");
    }
    hand_in(&office, "6.csv", "A3,H61.09-250820-0004,H61.09,2025-08-20,2025-08-27,P,\n");
    office.run();
    office
}

fn days_ago(days: u64) -> SystemTime {
    SystemTime::now() - Duration::from_hours(24 * days)
}

/// Sets the modification time of a file.
fn age(path: &Path, days: u64) {
    File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.set_modified(days_ago(days)))
        .expect("times can be set");
}

/// Writes a file of some age that no motcua wrote.
fn plant(office: &Office, file: &str, days: u64) -> PathBuf {
    office.write(&format!("data/{file}"), "planted");
    age(&office.data().join(file), days);
    PathBuf::from(file)
}

/// Makes the replaced files of the tables old, except those of each table's newest commit; returns the old ones.
fn age_replaced(data: &Path) -> BTreeSet<PathBuf> {
    let millis = days_ago(30).duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis();
    let mut old = BTreeSet::new();
    let logs: Vec<PathBuf> = files(data).into_iter().filter(|file| is_log_entry(file)).collect();
    for log in &logs {
        let is_newest = logs.iter().all(|other| other.parent() != log.parent() || other <= log);
        let text = std::fs::read_to_string(data.join(log)).expect("a log entry is text");
        let mut aged = Vec::new();
        for line in text.lines() {
            let mut action: Value = serde_json::from_str(line).expect("a log entry is JSON lines");
            if let Some(path) = action["remove"]["path"].as_str().map(|path| path.replace("%3D", "=")) {
                let table = log.parent().and_then(Path::parent).expect("a log lies in its table");
                age(&data.join(table).join(&path), 40);
                if !is_newest {
                    old.insert(table.join(path));
                    action["remove"]["deletionTimestamp"] = u64::try_from(millis).expect("a time").into();
                }
            }
            aged.push(action.to_string());
        }
        std::fs::write(data.join(log), aged.join("\n") + "\n").expect("the scratch folder is writable");
    }
    // The changed logs have no digests: the next program that opens the tables makes them.
    std::fs::remove_dir_all(data.join("lake/digests")).expect("the tables have digests");
    old
}

fn is_log_entry(file: &Path) -> bool {
    file.parent().is_some_and(|folder| folder.ends_with("_delta_log"))
        && file.extension().is_some_and(|ending| ending == "json")
}

fn write_slots(data: &Path, slots: &[i64]) {
    desk::runtime().block_on(async {
        let ledger = Ledger::open(data).await.expect("the runs left a ledger");
        let slot = |slot: &i64| {
            let state = SlotState::Done;
            let slot = Slot {
                slot: *slot,
                state,
                tries: 1,
                made_up: false,
                message: None,
                decided_at: *slot,
                cron: String::new(),
            };
            ("desk".to_owned(), slot)
        };
        ledger.write_slots(&slots.iter().map(slot).collect::<Vec<_>>()).await.expect("the ledger can be written");
        ledger.close().await;
    });
}

/// Path and size of every file in a folder of the data folder: all but databases and locks.
fn stored(data: &Path) -> BTreeMap<PathBuf, u64> {
    let kept = files(data).into_iter().filter(|file| file.components().count() > 1);
    kept.map(|file| (file.clone(), data.join(file).symlink_metadata().expect("it is there").len())).collect()
}

/// What the report of `vacuum` counts as removed: kind → files and bytes.
fn removed(report: &[Value]) -> BTreeMap<String, (u64, u64)> {
    let mut removed = BTreeMap::new();
    for row in report.iter().filter(|row| row["action"] == "removed") {
        let number = |name: &str| row[name].as_u64().expect("a count");
        let kind: &mut (u64, u64) = removed.entry(row["kind"].as_str().expect("a kind").to_owned()).or_default();
        *kind = (kind.0 + number("count"), kind.1 + number("bytes"));
    }
    removed
}

/// Number of things that the report of `vacuum` counts as kept for a reason.
fn kept(report: &[Value], kind: &str, reason: &str) -> u64 {
    let row = report.iter().find(|row| {
        row["kind"] == kind && row["action"] == "kept" && row["reason"].as_str().is_some_and(|why| why.contains(reason))
    });
    row.map_or(0, |row| row["count"].as_u64().expect("a count"))
}

/// The report of each night, byte for byte.
fn reports(office: &Office, data: &Path) -> Vec<Vec<u8>> {
    let mut reports = Vec::new();
    for (day, _) in NIGHTS {
        let arguments = ["report", "--as-of", &day.to_string(), "--format", "json"];
        let output = office.command_on(data, &arguments).output().expect("the binary starts");
        assert_eq!(output.status.code(), Some(0), "{day}: {}", said(&output));
        reports.push(output.stdout);
    }
    reports
}

/// One office for all cases, since its nights take most of the time.
#[test]
fn old_things_are_removed_and_every_night_reads_the_same() {
    let office = old_office();
    let young = office.path().join("young");
    copy(&office.data(), &young);
    what_cannot_be_rebuilt_and_what_is_young_is_kept(&office, &young);
    csv_and_json_are_removed_before_figures(&office);
    let replaced = age_replaced(&office.data());
    expect(&office, &["vacuum", "--dry-run"], 0);
    it_recovers_from_a_kill_at_any_moment(&office);
    what_nothing_needs_is_removed(&office, replaced);
}

/// The report of `vacuum` on a data folder.
fn report(office: &Office, data: &Path, more: &[&str]) -> Vec<Value> {
    let arguments = [&["vacuum", "--format", "json"], more].concat();
    let output = office.command_on(data, &arguments).output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    serde_json::from_slice(&output.stdout).expect("the report is JSON")
}

fn what_nothing_needs_is_removed(office: &Office, replaced: BTreeSet<PathBuf>) {
    let data = office.data();
    let mut expected = replaced;
    assert!(expected.len() >= 4, "the image was written anew by each night: {expected:?}");
    for night in REMOVED_NIGHTS {
        // Their CSV and JSON went when later nights were published.
        expected.insert(format!("published/nights/{night:08}/figures.parquet").into());
    }
    for run in REMOVED_PULLS {
        let folder = format!("landing/desk/{run:08}");
        let landed = files(&data.join(&folder));
        assert!(landed.len() >= 3, "a plan, a page and a certificate");
        expected.extend(landed.into_iter().map(|file| Path::new(&folder).join(file)));
    }
    expected.extend([
        plant(office, "lake/dossiers/part=2025-08/run-00000099-desk-0.parquet", 8),
        plant(office, "definitions/0123abcd", 1),
        plant(office, "published/nights/.00000077.partial/figures.csv", 1),
        plant(office, "landing/desk/.00000055.partial/plan.json", 1),
        plant(office, "landing/desk/00000002/000009.partial", 1),
        plant(office, "lake/damaged/dossiers/00000000000000000007.json.0", 366),
    ]);
    plant(office, "lake/dossiers/part=2025-08/run-00000098-desk-0.parquet", 6);
    plant(office, "lake/damaged/dossiers/00000000000000000008.json.0", 364);
    let now = run::now();
    write_slots(&data, &[now - 731 * DAY_MICROS, now - 740 * DAY_MICROS, now - 729 * DAY_MICROS]);
    let (before, read) = (stored(&data), reports(office, &data));
    assert_eq!(read.iter().collect::<BTreeSet<_>>().len(), read.len(), "each night has figures of its own");

    let planned = rows(office, &["vacuum", "--dry-run"]);
    assert_eq!(stored(&data), before, "a dry run removes nothing");
    let report_rows = rows(office, &["vacuum"]);
    assert_eq!(report_rows, planned, "the dry run reports the same");
    let after = stored(&data);
    let gone: BTreeSet<PathBuf> = before.keys().filter(|file| !after.contains_key(*file)).cloned().collect();
    assert_eq!(gone, expected);
    let new: Vec<&PathBuf> = after.keys().filter(|file| !before.contains_key(*file)).collect();
    let marks = REMOVED_NIGHTS.map(|night| PathBuf::from(format!("published/nights/{night:08}/removed.json")));
    assert_eq!(new, marks.iter().collect::<Vec<_>>());
    let mut counted: BTreeMap<String, (u64, u64)> = BTreeMap::from([("slots".to_owned(), (2, 0))]);
    for file in &gone {
        let is_left = file.to_string_lossy().contains(".partial") || file.starts_with("lake/damaged");
        let kind = match file.iter().next().and_then(|top| top.to_str()) {
            _ if is_left => "leftovers",
            Some("published") => "nights",
            top => top.expect("a name"),
        };
        let kind = counted.entry(kind.to_owned()).or_default();
        *kind = (kind.0 + 1, kind.1 + before[file]);
    }
    assert_eq!(removed(&report_rows), counted, "the report counts what was removed from the disk");
    assert_eq!(kept(&report_rows, "slots", "younger"), 1);
    // The Parquet file of night 2, and three files of each of the two newest.
    assert_eq!(kept(&report_rows, "nights", "last of its month"), 1 + 3 + 3, "two old ones, and the newest");

    assert_eq!(reports(office, &data), read, "past nights read the same");
    assert_eq!(removed(&rows(office, &["vacuum"])), BTreeMap::new(), "a second call removes nothing");
    let messages = expect(office, &["replay", "1"], 2);
    assert!(messages.contains("the landed pages of run 1 were removed as old on "), "{messages}");
    assert!(expect(office, &["runs", "show", "1"], 0).contains("landing    removed "));
    // Open rejections can still be shown and retried.
    let open = rows(office, &["quarantine", "list"]);
    let shown = expect(office, &["quarantine", "show", &open[0]["id"].to_string()], 0);
    assert!(shown.contains("code = H61.09-250818-0009"), "{shown}");
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("D = \"completed\"", "D = \"completed\"\nX = \"stopped\"")
    });
    expect(office, &["quarantine", "retry"], 0);
    assert!(desk::image(office).contains(&("X9".to_owned(), "stopped".to_owned(), false)));

    // If the rebuilt figures of a night differ from the removed ones, the night is refused.
    let mark = data.join("published/nights/00000003/removed.json");
    let mut removed: Value =
        serde_json::from_slice(&std::fs::read(&mark).expect("it was written")).expect("it is JSON");
    removed["figures"] = (removed["figures"].as_u64().expect("a number") + 1).into();
    std::fs::write(&mark, without_digests(removed)).expect("it can be written");
    let messages = expect(office, &["report", "--as-of", "2025-09-03"], 1);
    assert!(
        messages.contains("figures of night 3 were removed") && messages.contains("differ from the published ones"),
        "{messages}"
    );
}

/// The record of a night as an older version wrote it.
fn without_digests(mut record: Value) -> String {
    let fields = record.as_object_mut().expect("it is an object");
    fields.retain(|name, _| !["files", "document_digest"].contains(&name.as_str()));
    record.to_string()
}

/// Nights 3 and 4 are made 40 days old; the later one is the last of its month. Nights 2 to 4 have CSV and JSON, as an older
/// version left them.
fn csv_and_json_are_removed_before_figures(office: &Office) {
    let data = office.path().join("csv-and-json");
    copy(&office.data(), &data);
    let moment = run::now() - 40 * DAY_MICROS;
    let folder = |night: i64| data.join(format!("published/nights/{night:08}"));
    for night in [3, 4] {
        let path = folder(night).join("night.json");
        let mut record: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("it was published")).expect("it is JSON");
        record["night"]["as_of"] = moment.into();
        std::fs::write(&path, without_digests(record)).expect("the scratch folder is writable");
    }
    // Night 5 is removed, since it would be older than night 4. So night 4 is the one before the newest.
    std::fs::remove_dir_all(folder(5)).expect("the scratch folder is writable");
    for night in [2, 3, 4] {
        assert!(!folder(night).join("figures.csv").exists(), "publishing a later night removed it");
    }
    // As many rows as the night has figures.
    let night_of = |run: i64| {
        let night = run::night_of_run(&data, run);
        deep(|| desk::runtime().block_on(night)).expect("it reads").expect("it was published")
    };
    for night in [2, 3, 4] {
        let lines = "a figure\n".repeat(night_of(night).1.len());
        std::fs::write(folder(night).join("figures.csv"), format!("header\n{lines}")).expect("it is writable");
        std::fs::write(folder(night).join("figures.json"), "as it was published").expect("it is writable");
    }
    let before = night_of(3);
    let report_rows = report(office, &data, &[]);
    for night in [2, 3] {
        let left = files(&folder(night));
        assert_eq!(left, [Path::new("figures.parquet"), Path::new("night.json")], "{night}: {report_rows:?}");
    }
    assert_eq!(files(&folder(4)).len(), 4, "{report_rows:?}");
    assert_eq!(kept(&report_rows, "nights", "younger than 300 days"), 1, "{report_rows:?}");
    // The only file of night 1 is removed, and two of each of the nights 2 and 3; night 2 keeps one, 4 and 6 keep three.
    let amounts = (removed(&report_rows)["nights"].0, kept(&report_rows, "nights", "last of its month"));
    assert_eq!(amounts, (1 + 2 + 2, 1 + 3 + 3));
    assert_eq!(night_of(3), before);
}

fn what_cannot_be_rebuilt_and_what_is_young_is_kept(office: &Office, data: &Path) {
    let nights = data.join("published/nights");
    std::fs::copy(nights.join("00000001/figures.parquet"), nights.join("00000003/figures.parquet")).expect("copied");
    let damaged = report(office, data, &["--dry-run"]);
    assert_eq!(kept(&damaged, "nights", "a file of them is damaged"), 1, "{damaged:?}");
    let path = nights.join("00000003/night.json");
    let record = serde_json::from_slice(&std::fs::read(&path).expect("it was published")).expect("it is JSON");
    std::fs::write(&path, without_digests(record)).expect("the scratch folder is writable");
    let by_default = report(office, data, &["--dry-run"]);
    assert_eq!(kept(&by_default, "nights", "do not give them again"), 1, "{by_default:?}");
    assert_eq!(removed(&by_default)["nights"].0, 2, "the Parquet files of nights 1 and 4");
    // A night that was found so is not read again.
    let remembered = office.path().join("remembered");
    copy(data, &remembered);
    report(office, &remembered, &[]);
    std::fs::write(remembered.join("published/nights/00000003/figures.parquet"), "no Parquet").expect("it is writable");
    let again = report(office, &remembered, &["--dry-run"]);
    assert_eq!(kept(&again, "nights", "do not give them again"), 1, "{again:?}");
    assert!(!removed(&by_default).contains_key("lake"), "the files were replaced a moment ago");
    let years: Vec<&str> = ["--dry-run --keep-files 0", "--keep-nights 9999 --keep-landing 9999"]
        .iter()
        .flat_map(|words| words.split(' '))
        .collect();
    let files_only = report(office, data, &years);
    assert_eq!(removed(&files_only).into_keys().collect::<Vec<_>>(), ["lake"], "{files_only:?}");
    // If the tables are lost, a run exists only in landing: it is kept until it is replayed.
    std::fs::remove_dir_all(data.join("lake")).expect("the scratch folder is writable");
    let nothing = office.command_on(data, &["vacuum"]).output().expect("the binary starts");
    assert_eq!(nothing.status.code(), Some(2), "{}", said(&nothing));
    std::fs::create_dir(data.join("lake")).expect("the scratch folder is writable");
    let without = report(office, data, &["--dry-run"]);
    assert_eq!(removed(&without), BTreeMap::new());
    assert!(kept(&without, "landing", "tables do not hold") >= 9, "{without:?}");
    expect(office, &["vacuum", "--keep-files", "8"], 2);
}

fn it_recovers_from_a_kill_at_any_moment(office: &Office) {
    let base = office.data();
    let evenings = NIGHTS.map(|(day, _)| from_local(day.at(23, 0, 0, 0)));
    let runtime = desk::runtime();
    let read = |data: &Path| {
        deep(|| {
            evenings.map(|moment| {
                let night = runtime.block_on(run::night_as_of(data, Some(moment))).expect("it reads");
                night.expect("there is a night")
            })
        })
    };
    let (whole, names) = (office.path().join("undisturbed"), office.path().join("moments"));
    copy(&base, &whole);
    let vacuum = |data: &Path, variable: (&str, &str)| {
        office.command_on(data, &["vacuum"]).envs([variable]).output().expect("the binary starts")
    };
    let output = vacuum(&whole, ("MOTCUA_STEPS", &names.to_string_lossy()));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let before = read(&base);
    assert_eq!(read(&whole), before);
    let left: Vec<PathBuf> = stored(&whole).into_keys().collect();
    let names = std::fs::read_to_string(names).expect("the moments were named");
    let names: Vec<&str> = names.lines().collect();
    let first = names.iter().position(|name| name.contains("removed")).expect("a moment is named after a removal");
    let moments = (first..names.len()).step_by(8);
    assert!(moments.len() >= 4, "{names:?}");
    for moment in moments {
        let (at, data) = (names[moment], office.path().join("dies"));
        copy(&base, &data);
        let died = vacuum(&data, ("MOTCUA_DIE_AT", &(moment + 1).to_string()));
        assert_eq!(died.status.code(), None, "{moment} {at}: {}", said(&died));
        assert_eq!(read(&data), before, "{moment} {at}");
        let again = vacuum(&data, ("MOTCUA_LOG", "motcua=warn"));
        assert_eq!(again.status.code(), Some(0), "{moment} {at}: {}", said(&again));
        // The same files are left as by an undisturbed call.
        assert_eq!(stored(&data).into_keys().collect::<Vec<_>>(), left, "{moment} {at}");
        std::fs::remove_dir_all(&data).expect("the scratch folder is writable");
    }
}
