//! A lost data folder is restored from a backup as it was; damaged backups are refused.
#![expect(clippy::disallowed_methods, reason = "tests lose and damage the files of an office")]

use std::path::Path;
use std::process::Output;

use jiff::civil::date;
use motcua::run::{self, Lock};
use motcua::service::{AccessStore, TokenScope};
use serde_json::Value;
use sqlx::sqlite::SqlitePool;

use crate::desk::{self, expect, file, night_at};
use crate::office::{Office, copy, files, said};

const A1: &str = "A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,P";
const A2: &str = "A2,H61.14-251001-0002,H61.14,2025-10-01,2025-10-09,P";
const A1_ENDED: &str = "A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,D";
const BAD: [&str; 2] =
    ["X1,H61.14-251001-0003,H61.14,2025-10-01,2025-10-09,X", "X2,H61.14-251001-0004,H61.14,2025-10-01,2025-10-09,X"];
const MORE: &str = "\n[contract]\nreject_share = 0.9\nleast_of_usual = 0.0\n";

/// A scratch office after an old night and one of today, with a token, and with rejected rows whose ids have a gap.
fn office() -> (Office, String) {
    let office = desk::of_files(MORE);
    file(&office, "1.csv", &[A1, A2, BAD[0], BAD[1]]);
    night_at(&office, date(2025, 10, 3));
    file(&office, "2.csv", &[A1_ENDED]);
    office.run();
    let token = desk::runtime().block_on(async {
        let ledger = format!("sqlite://{}", office.data().join("ledger.sqlite").display());
        let pool = SqlitePool::connect(&ledger).await.expect("the ledger opens");
        sqlx::query("DELETE FROM quarantine WHERE rowid = 1").execute(&pool).await.expect("a row goes");
        pool.close().await;
        let access = AccessStore::open(&office.data()).await.expect("it is made");
        access
            .create("dashboard", (TokenScope::Read, None), None, run::now())
            .await
            .expect("it is written")
            .expect("the first")
    });
    (office, token)
}

fn read(office: &Office, arguments: &[&str]) -> Vec<u8> {
    let output = office.act(arguments);
    assert!([Some(0), Some(4)].contains(&output.status.code()), "{arguments:?}: {}", said(&output));
    output.stdout
}

/// Output of the reading verbs: figures of both nights, health, runs, rejected rows with their ids.
fn outputs(office: &Office) -> Vec<Vec<u8>> {
    let verbs: [&[&str]; 5] = [
        &["report", "--format", "json"],
        &["report", "--as-of", "2025-10-03", "--format", "json"],
        &["status", "--format", "json"],
        &["runs", "list", "--format", "json"],
        &["quarantine", "list", "--all", "--format", "json"],
    ];
    verbs.iter().map(|verb| read(office, verb)).collect()
}

fn restore(office: &Office, backup: &Path) -> Output {
    office.command(&["restore"]).arg(backup).output().expect("the binary starts")
}

#[test]
fn a_lost_folder_is_restored_as_it_was() {
    let (office, token) = office();
    let (data, backup) = (office.data(), office.path().join("backups/monday"));
    let before = outputs(&office);
    let numbers: Value = serde_json::from_slice(&before[4]).expect("a list is JSON");
    assert_eq!(numbers[0]["id"], 2, "the ids have a gap");
    let to = backup.to_string_lossy().into_owned();

    // Refused during a run; allowed while the service has the databases open.
    let lock = Lock::take(&data, "run", run::now()).expect("the folder is free");
    let messages = expect(&office, &["backup", &to], 1);
    assert!(messages.contains("is held by") && !backup.exists(), "{messages}");
    drop(lock);
    let runtime = desk::runtime();
    let service = runtime.block_on(async {
        let access = AccessStore::open(&data).await.expect("it opens");
        access.record_read("dashboard", "api", "a read", run::now()).await.expect("it is written");
        access
    });
    expect(&office, &["backup", &to], 0);
    drop(service);
    assert!(expect(&office, &["backup", &to], 2).contains("is not empty"));
    let inside = data.join("backup").to_string_lossy().into_owned();
    assert!(expect(&office, &["backup", &inside], 2).contains("is inside the data folder"));
    assert!(!data.join("backup").exists());
    // A folder that is a link to another place would be missing from the backup.
    let (landing, elsewhere) = (data.join("landing"), office.path().join("other-disk"));
    std::fs::rename(&landing, &elsewhere).expect("it is there");
    std::os::unix::fs::symlink(&elsewhere, &landing).expect("links can be made");
    let other = office.path().join("backups/tuesday").to_string_lossy().into_owned();
    assert!(expect(&office, &["backup", &other], 2).contains("landing` is a link that motcua did not make"));
    std::fs::remove_file(&landing).expect("the link goes");
    std::fs::rename(&elsewhere, &landing).expect("it is there");
    assert!(
        String::from_utf8_lossy(&restore(&office, &backup).stderr).contains("is not empty"),
        "nothing is overwritten"
    );
    assert_eq!(outputs(&office), before);

    std::fs::remove_dir_all(&data).expect("the folder is lost");
    let restored = restore(&office, &backup);
    assert_eq!(restored.status.code(), Some(0), "{}", said(&restored));
    assert_eq!(outputs(&office), before);
    assert_eq!(std::fs::read_link(data.join("published/latest")).expect("a link"), Path::new("nights/00000002"));
    runtime.block_on(async {
        let access = AccessStore::open(&data).await.expect("it opens");
        let caller = access.bearer(&token, run::now()).await.expect("it can be asked").expect("the token holds");
        assert_eq!(caller.name, "dashboard");
        assert_eq!(access.reads(10).await.expect("they can be read").len(), 1);
    });
    // Files that were read are not read again, and the backup can be restored again.
    office.run();
    let night = office.status("desk");
    assert_eq!((&night["received"], &night["accepted"]), (&0.into(), &0.into()), "{night}");
    file(&office, "3.csv", &["A3,H61.14-251001-0005,H61.14,2025-10-01,2025-10-09,P"]);
    office.run();
    assert_eq!(office.count("desk", "accepted"), 1);
    let elsewhere = office.path().join("elsewhere");
    let output = office.command_on(&elsewhere, &["restore"]).arg(&backup).output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_damaged_backup_is_refused_by_name() {
    let (office, _) = office();
    let backup = office.path().join("backup");
    expect(&office, &["backup", &backup.to_string_lossy()], 0);
    std::fs::remove_dir_all(office.data()).expect("the folder is lost");
    let all: Vec<String> = files(&backup).iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let one = |part: &str| all.iter().find(|name| name.contains(part)).expect("a backup holds it").clone();
    let spoiled = office.path().join("spoiled");
    let refused = |named: &str, code: i32, what: &str| {
        let output = restore(&office, &spoiled);
        assert_eq!(output.status.code(), Some(code), "{what}: {}", said(&output));
        assert!(said(&output).contains(named), "{what}: {}", said(&output));
        assert!(!office.data().exists(), "{what}: nothing was written");
        std::fs::remove_dir_all(&spoiled).expect("the scratch folder is writable");
    };
    for name in [one(".ndjson.zst"), one(".parquet"), "ledger.sqlite".to_owned(), "backup.json".to_owned()] {
        copy(&backup, &spoiled);
        let path = spoiled.join(&name);
        let mut bytes = std::fs::read(&path).expect("it is there");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).expect("it can be written");
        refused(&format!("`{name}` does not match its digest"), 1, "a byte was flipped");
    }
    copy(&backup, &spoiled);
    std::fs::remove_file(spoiled.join("access.sqlite")).expect("it is there");
    refused("`access.sqlite` is missing", 1, "a file is lost");
    copy(&backup, &spoiled);
    std::fs::remove_file(spoiled.join("SHA256SUMS")).expect("it is there");
    refused("has no `SHA256SUMS`", 2, "it was cut");
    // A missing line, and a name outside the data folder.
    let sums = std::fs::read_to_string(backup.join("SHA256SUMS")).expect("it is text");
    let without: Vec<&str> = sums.lines().filter(|line| !line.ends_with("ledger.sqlite")).collect();
    copy(&backup, &spoiled);
    std::fs::write(spoiled.join("SHA256SUMS"), without.join("\n")).expect("it can be written");
    refused("`backup.json` counts", 1, "a line is lost");
    copy(&backup, &spoiled);
    std::fs::write(spoiled.join("SHA256SUMS"), sums.replace("  ledger.sqlite", "  ../ledger.sqlite")).expect("written");
    refused("`SHA256SUMS` has no digest and name in line", 1, "a name is outside the data folder");
    assert!(expect(&office, &["status"], 2).contains("there is no data folder"));
}
