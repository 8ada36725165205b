//! Tests that need more than the toolchain: PostgreSQL, Chromium, OpenSSL, and Python programs that read what a night
//! wrote.
//!
//! If `MOTCUA_TEST_SERVICES` is 1 (`.ci/run` sets it after installing what they need), a missing service fails its
//! test. Otherwise the test passes without running, and prints one line that begins with `NOT RUN`. Either way each of
//! them adds a line to [`REPORT`]: `ran NAME`, or `not run NAME: why`. `tests/services/tests.txt` lists them all, so
//! that a script can compare both lists. `MOTCUA_TEST_PYTHON` names the Python interpreter, `python3` if it is unset.
#![expect(
    clippy::disallowed_methods,
    reason = "edge: a test asks its environment what is installed, and writes what others read"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::office::serving::Serving;
use crate::office::{Office, Town, files, program};

/// Every test that needs a service, one name a line.
const TESTS: &str = include_str!("../services/tests.txt");
/// Which of them ran; lines are only added.
const REPORT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/services.txt");

/// Whether a test can run. `missing`: what it would need and has not; `None` if everything is there.
///
/// Reports either answer, and fails if something is missing although the services were asked for.
pub(crate) fn can_run(test: &str, missing: Option<&str>) -> bool {
    assert!(TESTS.lines().any(|line| line == test), "`{test}` is not in tests/services/tests.txt");
    let line = match missing {
        None => format!("ran {test}\n"),
        Some(missing) => format!("not run {test}: {missing}\n"),
    };
    let report = std::fs::OpenOptions::new().create(true).append(true).open(REPORT);
    report.and_then(|mut report| report.write_all(line.as_bytes())).expect("the report can be written");
    if let Some(missing) = missing {
        assert!(!are_asked_for(), "{test}: MOTCUA_TEST_SERVICES is 1, but {missing}");
        // Written past the harness, which hides what a passing test prints.
        let line = format!("NOT RUN: {test} did not run: {missing}\n");
        std::io::stderr().write_all(line.as_bytes()).expect("standard error takes a line");
    }
    missing.is_none()
}

/// Whether the tests of services must run.
fn are_asked_for() -> bool {
    std::env::var("MOTCUA_TEST_SERVICES").is_ok_and(|value| value == "1")
}

/// Python's packages are not looked for: these tests run only if they are asked for.
pub(crate) fn python_can_run(test: &str) -> bool {
    can_run(test, (!are_asked_for()).then_some("MOTCUA_TEST_SERVICES is not 1"))
}

/// Runs a command to its end; gives what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// Runs a script of `tests/services`; gives what it printed.
pub(crate) fn run_python(script: &str, arguments: &[String]) -> String {
    let python = std::env::var("MOTCUA_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services").join(script);
    run(Command::new(python).arg(script).args(arguments))
}

/// A test that is renamed without its line would be missed by the script that compares both lists.
#[test]
fn the_list_names_tests_that_exist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let read = |file: PathBuf| std::fs::read_to_string(folder.join(file)).expect("a source is UTF-8");
    let sources: String = files(&folder).into_iter().map(read).collect();
    for test in TESTS.lines() {
        assert!(sources.contains(&format!("\nfn {test}()")), "tests/services/tests.txt: there is no test `{test}`");
    }
}

#[test]
fn python_and_duckdb_read_the_lake() {
    if !python_can_run("python_and_duckdb_read_the_lake") {
        return;
    }
    let folder = tempfile::tempdir().expect("a scratch folder can be made");
    let data = folder.path().join("data");
    run(program().arg("--data").arg(&data).args(["demo", "--dossiers", "300"]));
    let printed = run_python("read_lake.py", &[data.display().to_string()]);
    for table in ["dossiers", "postal_items"] {
        assert!(printed.contains(table), "the script did not report `{table}`:\n{printed}");
    }
}

#[test]
fn other_engines_compute_the_published_figures_from_the_script() {
    if !python_can_run("other_engines_compute_the_published_figures_from_the_script") {
        return;
    }
    let folder = tempfile::tempdir().expect("a scratch folder can be made");
    let data = folder.path().join("data");
    let motcua = |arguments: &[&str]| run(program().arg("--data").arg(&data).args(arguments));
    motcua(&["demo", "--dossiers", "120", "--seed", "11"]);
    // Spark reads the Delta tables by itself.
    for (engine, views) in [("duckdb", &["--no-views"][..]), ("spark", &[])] {
        let mut arguments = vec![engine.to_owned(), data.join("lake").display().to_string()];
        // The stored figures, each under its own rule set; and all under one that reads states at each period's end.
        for rules in [&[][..], &["--rules", "form-06a"]] {
            let sql = [&["sql", "--dialect", engine], views].concat();
            for (file, verb) in [("sql", &sql[..]), ("csv", &["report", "--format", "csv"])] {
                let path = folder.path().join(format!("{engine}-{}.{file}", rules.len()));
                std::fs::write(&path, motcua(&[verb, rules].concat())).expect("the folder takes a file");
                arguments.push(path.display().to_string());
            }
        }
        let printed = run_python("compare_sql.py", &arguments);
        assert_eq!(printed.matches(" 0 different").count(), 2, "{printed}");
    }
}

#[test]
fn schemathesis_finds_nothing_wrong_with_the_api() {
    if !python_can_run("schemathesis_finds_nothing_wrong_with_the_api") {
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
    let printed = run(Command::new(tool)
        .current_dir(office.path())
        .args(["run", "--no-color", "--max-examples", "8", "--seed", "7"])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .arg(format!("{}/api/v1/openapi.json", serving.url)));
    assert!(printed.contains("22 selected / 22 total") && printed.contains("Tested: 22"), "{printed}");
    // Success only means that nothing failed; the number of cases shows that enough was tried.
    let cases = printed.lines().find_map(|line| line.trim().split_once(" generated, "));
    let (generated, passed) = cases.expect("it counts its cases");
    assert!(generated.parse::<u32>().expect("a number") > 500, "{printed}");
    assert!(passed.starts_with(&format!("{generated} passed")), "{printed}");
}
