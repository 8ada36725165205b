//! What needs more than the toolchain: other programs that read what a night wrote.
//!
//! These run where `MOTCUA_TEST_SERVICES` is 1 (`.ci/run` sets it after installing what they need); elsewhere they
//! say that they did not run. `MOTCUA_TEST_PYTHON` names the interpreter, `python3` where it is absent.
#![expect(
    clippy::disallowed_methods,
    reason = "edge: a test asks its environment what is installed, and writes what others read"
)]

use std::path::Path;
use std::process::Command;

use crate::office::serving::Serving;
use crate::office::{Office, Town};

/// Whether the services are there; says so where they are not.
fn services_are_there(test: &str) -> bool {
    let there = std::env::var("MOTCUA_TEST_SERVICES").is_ok_and(|value| value == "1");
    if !there {
        // Written past the harness, which keeps what a passing test prints.
        let line = format!("{test}: did not run: MOTCUA_TEST_SERVICES is not 1\n");
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).expect("standard error takes a line");
    }
    there
}

/// Runs a command to its end; gives what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}\n{out}\n{err}", output.status);
    out.into_owned()
}

#[test]
fn python_and_duckdb_read_the_lake() {
    if !services_are_there("python_and_duckdb_read_the_lake") {
        return;
    }
    let folder = tempfile::tempdir().expect("a scratch folder can be made");
    let data = folder.path().join("data");
    run(Command::new(env!("CARGO_BIN_EXE_motcua")).arg("--data").arg(&data).args(["demo", "--dossiers", "300"]));
    let python = std::env::var("MOTCUA_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/read_lake.py");
    let told = run(Command::new(&python).arg(script).arg(&data));
    for table in ["dossiers", "postal_items"] {
        assert!(told.contains(table), "the script says nothing of `{table}`:\n{told}");
    }
    // The ratios over dossiers once more, by the predicates' texts alone: the script fails where one differs.
    let published =
        run(Command::new(env!("CARGO_BIN_EXE_motcua")).arg("--data").arg(&data).args(["report", "--format", "json"]));
    let figures = folder.path().join("figures.json");
    std::fs::write(&figures, published).expect("a scratch file can be written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/facts_duckdb.py");
    // `-B`: no bytecode among the sources.
    let told = run(Command::new(&python).arg("-B").arg(script).arg(&data).arg(&figures));
    assert!(told.contains(" 0 different"), "the script compared nothing:\n{told}");
}

#[test]
fn schemathesis_finds_nothing_wrong_with_the_api() {
    if !services_are_there("schemathesis_finds_nothing_wrong_with_the_api") {
        return;
    }
    let town = Town::new(60, 3, jiff::civil::date(2026, 5, 20));
    let office = Office::of(&town).lean();
    office.schedule("0 0 0 29 2 *");
    office.run();
    let token = office.token("schemathesis", "operate");
    let serving = Serving::start(&office);
    let python = std::env::var("MOTCUA_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let tool = Path::new(&python).with_file_name("schemathesis");
    let told = run(Command::new(tool)
        .current_dir(office.path())
        .args(["run", "--no-color", "--max-examples", "20", "--seed", "7"])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .arg(format!("{}/api/v1/openapi.json", serving.url)));
    assert!(told.contains("14 selected / 14 total") && told.contains("Tested: 14"), "{told}");
    // It ends with success where nothing failed; that it asked much is seen here.
    let cases = told.lines().find_map(|line| line.trim().split_once(" generated, "));
    let (generated, passed) = cases.expect("it counts its cases");
    assert!(generated.parse::<u32>().expect("a number") > 500, "{told}");
    assert!(passed.starts_with(&format!("{generated} passed")), "{told}");
}
