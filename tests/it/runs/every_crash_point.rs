//! Kills the process at every crash point, and again during the recovery: tables and figures must be those of an
//! undisturbed run (docs/decisions/0005).
//!
//! The binary (a debug build) counts the moments before and after each durable write and aborts at the one in
//! `MOTCUA_DIE_AT`. Between two moments at most one durable write may happen, so a write without a crash point fails
//! the test.
#![expect(clippy::disallowed_methods, reason = "tests look at the files of a run that died")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use motcua::run::Ledger;
use serde_json::{Value, json};

use crate::desk::{self, List, record};
use crate::office::{Figures, Office, copy, figures, files, frames, rows, said};

const POST: &str = include_str!("../../../connectors/bcci-export/connector.toml");

/// Which moments are tested: before and after each write, or after it only. Before a write the disk is as it was after
/// the write before it, which the first night checks.
const BOTH_SIDES: usize = 1;
const AFTER: usize = 2;

/// A scratch office with a list that has bad rows, a sweep, and lists of the post.
struct Scene {
    office: Office,
    list: List,
}

impl Scene {
    /// Sets the office up and runs its first night.
    fn new() -> Self {
        let list = List::default();
        let more = "\n[sweep]\nevery_days = 1\npass = \"received\"\ncolumn = \"received_at\"\n\n\
                    [contract]\nimpossible = \"reject_row\"\nreject_share = 0.9\n";
        let scene = Self { office: desk::of_list(&list.serve(), more), list };
        // Sources are read one after the other, so that the number of a moment always means the same write.
        scene.office.edit("config/motcua.toml", |text| {
            let in_turn = text.replace("connectors_at_once = 4", "connectors_at_once = 1");
            assert_ne!(in_turn, text, "the shipped settings state how many are read side by side");
            in_turn
        });
        scene
            .office
            .write("connectors/bcci-export/connector.toml", &POST.replace("glob = ", "settle_secs = 0\nglob = "));
        scene.list.set(first_list());
        scene.post("1.csv", &["EP000000014VN", "EP000000028VN"]);
        scene.office.run();
        scene
    }

    /// Writes one list of the post.
    fn post(&self, name: &str, items: &[&str]) {
        let mut text =
            "Mã vận đơn;Mã hồ sơ;Mã TTHC;Đơn vị;Loại dịch vụ;Ngày chấp nhận;Ngày phát;Trạng thái;Phí thu hộ\n"
                .to_owned();
        for item in items {
            text += item;
            text += ";H61.14-251001-0002;;H61.14;Trả kết quả;03/10/2025 08:00;;Đang vận chuyển;1000\n";
        }
        let footer = format!("Tổng cộng;;;;;;;;{}\n", 1000 * items.len());
        self.office.write(&format!("exports/{name}"), &(text + &footer));
    }

    /// Corrects the mapping and the contract, so that every rejected row is accepted.
    fn correct_mapping(&self) {
        self.office.edit("connectors/desk/connector.toml", |text| {
            text.replace("D = \"completed\"", "D = \"completed\"\nX = \"stopped\"")
                .replace("impossible = \"reject_row\"", "impossible = \"report\"")
        });
    }
}

fn first_list() -> Vec<Value> {
    let mut list: Vec<Value> = (0..7).map(record).collect();
    list[1]["status"] = json!("X");
    list[2]["due"] = json!("2025-09-09");
    list[6]["status"] = json!("X");
    list
}

/// What a reader finds, without anything that depends on the number of a run.
#[derive(Debug, PartialEq)]
struct Found {
    figures: Figures,
    complete: bool,
    tables: Vec<Vec<(String, String)>>,
    changes: Vec<[String; 3]>,
    /// Connector, field and reason of every rejected row that is open.
    quarantine: Vec<(String, Option<String>, String)>,
}

impl Found {
    fn of(data: &Path) -> Self {
        let (figures, complete) = published(data).expect("a night was published");
        let tables = ["dossier_versions", "dossiers", "postal_item_versions", "postal_items"];
        let tables = tables.iter().map(|table| rows(data, table)).collect();
        let mut changes = Vec::new();
        for frame in frames(data, "changes") {
            let column =
                |name: &str| frame.column(name).and_then(|column| column.str()).expect("a text column").clone();
            let columns = ["source_key", "change", "after"].map(column);
            let text = |at: usize| columns.each_ref().map(|column| column.get(at).unwrap_or_default().to_owned());
            changes.extend((0..frame.height()).map(text));
        }
        changes.sort();
        Self { figures, complete, tables, changes, quarantine: open_rejections(data) }
    }
}

/// The newest published figures, and whether they are complete.
fn published(data: &Path) -> Option<(Figures, bool)> {
    let text = std::fs::read(data.join("published/latest/figures.json")).ok()?;
    let rows: Vec<Value> = serde_json::from_slice(&text).expect("what is published is whole");
    Some((figures(&rows), rows.iter().all(|row| row["complete"] == true)))
}

fn open_rejections(data: &Path) -> Vec<(String, Option<String>, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let open = runtime.block_on(async {
        let ledger = Ledger::open(data).await.expect("the run left a ledger");
        let open = ledger.quarantined(None, None, true).await.expect("the ledger can be read");
        ledger.close().await;
        open
    });
    let mut open: Vec<_> = open.into_iter().map(|row| (row.connector, row.field, row.reason)).collect();
    open.sort();
    open
}

/// Every durable write in a data folder, each with a name.
fn durable_writes(data: &Path) -> BTreeSet<String> {
    let mut writes = BTreeSet::new();
    for file in files(data) {
        let name = file.to_string_lossy().into_owned();
        let is_whole = !name.contains(".partial");
        let counts = (name.starts_with("landing/") && is_whole)
            || name.contains("/_delta_log/")
            || name.starts_with("definitions/")
            || (name.starts_with("published/nights/") && name.ends_with("/night.json") && is_whole);
        if counts {
            writes.insert(name.clone());
        }
        if let Ok(target) = std::fs::read_link(data.join(&file))
            && is_whole
        {
            writes.insert(format!("{name} -> {}", target.display()));
        }
    }
    for number in 1..=ledger_commits(&data.join("ledger.sqlite-wal")) {
        writes.insert(format!("ledger commit {number}"));
    }
    writes
}

/// Number of transactions in SQLite's write-ahead log: frames with the salts of the log that carry the size of the
/// database (sqlite.org/fileformat2.html, "The Write-Ahead Log").
fn ledger_commits(log: &Path) -> usize {
    let Ok(bytes) = std::fs::read(log) else { return 0 };
    let Some((head, frames)) = bytes.split_at_checked(32) else { return 0 };
    let page = u32::from_be_bytes(head[8..12].try_into().expect("four bytes")) as usize;
    let is_commit = |frame: &&[u8]| frame[8..16] == head[16..24] && frame[4..8] != [0; 4];
    frames.chunks_exact(24 + page).filter(is_commit).count()
}

fn act(scene: &Scene, data: &Path, verb: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = scene.office.command_on(data, verb);
    command.envs(variables.iter().copied()).output().expect("the binary starts")
}

/// Runs a verb that is killed at a moment; false if it ended before.
fn die(scene: &Scene, data: &Path, verb: &[&str], moment: usize) -> bool {
    let output = act(scene, data, verb, &[("MOTCUA_DIE_AT", &moment.to_string())]);
    assert!(output.status.code() != Some(101), "it aborts without a panic: {}", said(&output));
    output.status.code().is_none()
}

/// Runs `verb` over the data in `base` and kills it at every `step`-th moment; kills the recovery at another moment,
/// then lets it finish. `least`: minimum number of moments.
fn at_every_crash_point(scene: &Scene, base: &Path, verb: &[&str], least: usize, step: usize) {
    let whole = scene.office.path().join("undisturbed");
    let names = scene.office.path().join("moments");
    copy(base, &whole);
    let output = act(scene, &whole, verb, &[("MOTCUA_STEPS", &names.to_string_lossy())]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let undisturbed = Found::of(&whole);
    let before = published(base);
    let names = std::fs::read_to_string(names).expect("the moments were named");
    let names: Vec<&str> = names.lines().collect();
    assert!(names.len() >= least, "{} moments", names.len());
    let mut before_moment: Option<BTreeSet<String>> = None;
    // Moments alternate: before a write, after it.
    for moment in (step..=names.len()).step_by(step) {
        let at = format!("{verb:?}, moment {moment}, {}", names[moment - 1]);
        let data = scene.office.path().join("dies");
        copy(base, &data);
        assert!(die(scene, &data, verb, moment), "{at}: it is passed every time");
        let now = durable_writes(&data);
        if let Some(earlier) = before_moment {
            let new: Vec<&String> = now.difference(&earlier).collect();
            assert!(new.len() <= 1, "{at}: durable writes without a crash point: {new:?}");
        }
        before_moment = Some(now);
        let seen = published(&data);
        let old_or_new = seen == before || seen.as_ref().is_some_and(|(figures, _)| *figures == undisturbed.figures);
        assert!(old_or_new, "{at}: half a night is published");
        // The recovery is killed too, each time at another moment.
        die(scene, &data, verb, 1 + moment * 7 % names.len());
        let mut output = act(scene, &data, verb, &[]);
        if said(&output).contains("nothing is in quarantine") {
            // Every row was accepted before the kill; the next night publishes them.
            output = act(scene, &data, &["run"], &[]);
        }
        assert_eq!(output.status.code(), Some(0), "{at}: {}", said(&output));
        assert_eq!(Found::of(&data), undisturbed, "{at}");
        std::fs::remove_dir_all(&data).expect("the scratch folder is writable");
    }
}

fn base(scene: &Scene) -> PathBuf {
    scene.office.data()
}

#[test]
fn a_first_night_dies_at_every_crash_point() {
    let scene = Scene::new();
    at_every_crash_point(&scene, &scene.office.path().join("nothing"), &["run"], 82, BOTH_SIDES);
}

#[test]
fn a_later_night_dies_at_every_crash_point() {
    let scene = Scene::new();
    let mut list = first_list();
    // Rows that: can be read now; have ended; are due later; are no longer listed; are new; are new and bad.
    list[1]["status"] = json!("P");
    list[3]["status"] = json!("D");
    list[4]["due"] = json!("2025-12-24");
    list.remove(5);
    list.push(record(8));
    list.push(
        json!({"id": "K9", "code": "H61.14-251001-0009", "agency": "H61.14", "received": "2025-10-01", "status": "?"}),
    );
    scene.list.set(list);
    scene.post("2.csv", &["EP000000031VN"]);
    at_every_crash_point(&scene, &base(&scene), &["run"], 48, AFTER);
}

#[test]
fn a_retry_dies_at_every_crash_point() {
    let scene = Scene::new();
    scene.correct_mapping();
    at_every_crash_point(&scene, &base(&scene), &["quarantine", "retry"], 30, AFTER);
}

#[test]
fn a_replay_dies_at_every_crash_point() {
    let scene = Scene::new();
    scene.correct_mapping();
    at_every_crash_point(&scene, &base(&scene), &["replay", "1"], 26, AFTER);
}

#[test]
fn a_backfill_dies_at_every_crash_point() {
    let scene = Scene::new();
    scene.office.edit("connectors/desk/connector.toml", |text| text.replace("slice_days = 100000", "slice_days = 31"));
    let mut list = first_list();
    list[3]["status"] = json!("D");
    scene.list.set(list);
    let verb = ["backfill", "desk", "--from", "2025-09-01", "--to", "2025-10-31"];
    at_every_crash_point(&scene, &base(&scene), &verb, 46, AFTER);
}
