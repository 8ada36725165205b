//! Every fault of the simulator against the real binary.
//!
//! After a night against a spoiled source the figures equal the truth and the night is complete, or it says that it is
//! incomplete (exit 4) or that a source failed (exit 3) and calls no figure complete. A second night, after the source
//! was mended, gives the truth. What each fault comes to stands by hand in `cases`; `docs/reference/faults.md` is made
//! of it.
#![expect(clippy::disallowed_methods, reason = "tests read and write the files of an office")]

mod cases;
mod doors;
mod late_dates;
mod reference;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::{Date, date};
use motcua::simulator::{self, CLIENT_SECRET, Fault, Province, Settings, Side};
use serde_json::Value;

use self::cases::{Case, End};
use crate::office::{self, Answer, Figures, Office, Town, door, figures, province, said, true_figures};

const TODAY: Date = date(2025, 11, 28);

/// Every fault meets the same town, each through a portal of its own.
static TOWN: LazyLock<(Arc<Province>, Figures)> = LazyLock::new(|| {
    // Few months, so that there are few figures and several postal items in the last list; of this seed figures
    // differ without the first half of them, and without the second.
    let settings = Settings { dossiers: 160, seed: 99, first: date(2025, 6, 2), ..Settings::new(TODAY) };
    let province = province(&settings);
    let truth = true_figures(&province.truth(TODAY));
    assert!(truth.len() > 100, "there is something to compare");
    (province, truth)
});

const PORTAL: &str = "connectors/portal-igate/connector.toml";
const POST: &str = "connectors/bcci-export/connector.toml";

/// Small pages, short waits, and every file of the post whatever its ending.
const EDITS: &[(&str, &str, &str)] = &[
    (PORTAL, "size = 1000\n", "size = 7\n"),
    (PORTAL, "first_date = \"2020-01-01\"", "first_date = \"2025-06-01\""),
    (PORTAL, "read_timeout_secs = 180", "read_timeout_secs = 2\nmax_pages = 1500"),
    (PORTAL, "attempts = 2", "attempts = 3"),
    (POST, "glob = \"*.{csv,csv.gz,xlsx}\"", "glob = \"bcci-*\""),
];

/// One pass only: a record that it misses is in no other.
fn one_pass(text: &str) -> String {
    let (before, passes) = text.split_once("[[window.passes]]").expect("the connector reads in passes");
    let (first, _) = passes.split_once("[[window.passes]]").expect("in several");
    let (_, after) = text.split_once("[pages]").expect("and page by page");
    format!("{before}[[window.passes]]{first}[pages]{after}")
}

fn edited(office: &Office, edits: &[(&str, &str, &str)]) {
    for (file, from, to) in edits {
        office.edit(file, |text| {
            assert!(text.contains(from), "`{file}` holds `{from}`");
            text.replace(from, to)
        });
    }
}

/// What a night came to.
fn end_of(output: &Output) -> Result<End, String> {
    match output.status.code() {
        Some(0) => Ok(End::Equal),
        Some(3) => Ok(End::Failed),
        Some(4) => Ok(End::Incomplete),
        other => Err(format!("exit {other:?}: {}", said(output))),
    }
}

/// Never a wrong figure called complete.
fn law(office: &Office, end: End, truth: &Figures) -> Result<(), String> {
    let published = |file: &str| std::fs::read(office.data().join("published/latest").join(file));
    let night: Value = serde_json::from_slice(&published("night.json").expect("a night was published"))
        .expect("a night's record is JSON");
    let rows: Vec<Value> = serde_json::from_slice(&published("figures.json").expect("with its figures"))
        .expect("published figures are JSON");
    let complete = night["night"]["complete"] == true;
    if complete != (end == End::Equal) {
        return Err(format!("the published night's `complete` is {complete}"));
    }
    if let Some(row) = rows.iter().find(|row| (row["complete"] == true) != complete) {
        return Err(format!("the night's `complete` is {complete}, a figure's is not: {row}"));
    }
    if !complete {
        return Ok(());
    }
    let found = figures(&rows);
    let wrong = truth.keys().chain(found.keys()).filter(|name| found.get(*name) != truth.get(*name)).count();
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} figures are called complete and differ from the truth")) }
}

/// Somebody who writes the last list while the night runs.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Writer {
    fn start(fault: Fault, last: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = match fault {
            Fault::ReplacedWhileReading => Some(std::thread::spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    simulator::write_again(&last).expect("the list can be written");
                }
            })),
            Fault::Growing => Some(std::thread::spawn(move || grow(&last, &stopped))),
            _ => None,
        };
        Self { stop, thread }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread {
            thread.join().expect("the writer does not fail");
        }
    }
}

/// Appends rows like the last whole one, a few bytes at a time.
fn grow(list: &Path, stopped: &AtomicBool) {
    use std::io::Write as _;
    let mut file = std::fs::File::options().append(true).open(list).expect("the list is there");
    while !stopped.load(Ordering::Relaxed) {
        file.write_all(b"x").expect("the list can be written");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The code that the case names first is the reason of a pull.
fn reasoned(office: &Office, case: &Case) -> Result<(), String> {
    let code = case.why.split('`').nth(1).filter(|_| case.end != End::Equal);
    let Some(code) = code else { return Ok(()) };
    let shown = said(&office.act(&["runs", "show", "1"]));
    if shown.contains(&format!("why        {code}: ")) {
        Ok(())
    } else {
        Err(format!("the reason is not `{code}`: {shown}"))
    }
}

/// One fault: a spoiled night, then a mended one. Gives what is not as it should be.
fn meet(case: &Case) -> Result<End, String> {
    let (province, truth) = &*TOWN;
    let town = Town::of(Arc::clone(province));
    let office = Office::new(&town.url()).lean();
    edited(&office, EDITS);
    office.edit(PORTAL, |text| one_pass(&text));
    edited(&office, case.edits);
    if let Some(door) = case.door {
        office.edit(PORTAL, |text| door.instead_of_search(&text));
    }
    province.write_lists(office.path(), TODAY).expect("lists can be written");
    let last = province.write_exports_with(&office.exports(), TODAY, Some(case.fault)).expect("exports can be written");
    let strayed = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&strayed);
    let elsewhere = door(move |request| {
        heard.lock().unwrap_or_else(PoisonError::into_inner).push(request.to_owned());
        Answer::token("elsewhere")
    });
    town.portal.redirect_to(&elsewhere.replace("127.0.0.1", "localhost"));
    town.portal.set_fault(Some(case.fault));

    let writer = Writer::start(case.fault, last.last().expect("the town has postal items").clone());
    let output = office.act(&["run"]);
    writer.stop();
    let end = end_of(&output)?;
    law(&office, end, truth).map_err(|what| format!("{what}\n{}", said(&output)))?;
    reasoned(&office, case)?;
    for request in strayed.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let lower = request.to_lowercase();
        if lower.contains("authorization") || lower.contains("simulated.") || request.contains(CLIENT_SECRET) {
            return Err("credentials went to another host".to_owned());
        }
    }

    if case.mended {
        town.portal.set_fault(None);
        for file in office::files(&office.exports()) {
            std::fs::remove_file(office.exports().join(file)).expect("the scratch folder is writable");
        }
        office.export(&town, TODAY);
    }
    let output = office.act(&["run"]);
    match end_of(&output)? {
        End::Equal => law(&office, End::Equal, truth).map_err(|what| format!("mended: {what}\n{}", said(&output)))?,
        other => return Err(format!("mended: {other:?}: {}", said(&output))),
    }
    Ok(end)
}

/// Meets cases one after another and tells all that went wrong.
fn assert_met(cases: &[Case], wanted: impl Fn(&Case, End) -> bool) {
    let mut wrong = Vec::new();
    for case in cases {
        let name = case.fault.name();
        match meet(case) {
            Ok(end) if wanted(case, end) => {}
            Ok(end) => wrong.push(format!("{name}: {end:?}, expected {:?} ({})", case.end, case.why)),
            Err(what) => wrong.push(format!("{name}: {what}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {} faults:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn assert_as_written(cases: &[Case]) {
    assert_met(cases, |case, end| end == case.end);
}

#[test]
fn answers_that_refuse_or_say_something_else() {
    assert_as_written(cases::ANSWERS);
}

#[test]
fn answers_that_break_off_or_never_end() {
    assert_as_written(cases::CONNECTIONS);
}

#[test]
fn tokens_and_redirects() {
    assert_as_written(cases::TOKENS);
}

#[test]
fn pages_that_do_not_follow_each_other() {
    assert_as_written(cases::PAGES);
}

#[test]
fn records_of_another_form() {
    assert_as_written(cases::RECORDS);
}

#[test]
fn lists_that_say_something_else() {
    assert_as_written(cases::LISTS);
}

#[test]
fn lists_whose_bytes_are_not_as_usual() {
    assert_as_written(cases::BYTES);
}

#[test]
fn doors_of_other_systems() {
    assert_as_written(cases::DOORS);
}

#[test]
fn sessions_and_failures_of_the_catalogue() {
    assert_as_written(cases::CATALOGUE);
}

#[test]
fn every_fault_has_its_case() {
    for fault in Fault::ALL {
        let cases: Vec<&Case> = cases::all().into_iter().filter(|case| case.fault == *fault).collect();
        assert_eq!(cases.len(), 1, "{}", fault.name());
        let files = cases::LISTS.iter().chain(cases::BYTES).any(|case| case.fault == *fault);
        assert_eq!(files, fault.side() == Side::Files, "{}", fault.name());
    }
    assert!(Fault::ALL.len() >= 30);
}
