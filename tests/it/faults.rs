//! Runs the real binary against every fault of the simulator.
//!
//! The first night reads a source with the fault. Its figures must equal the true ones and be complete; or the run is
//! incomplete (exit 4) or failed (exit 3), and no figure is marked complete. The second night reads the repaired
//! source, and must give the true figures; it is left out where the first gave them from a portal with a fault. The expected outcome of each fault is written by hand in `cases`;
//! `docs/reference/faults.md` is generated from it.
#![expect(clippy::disallowed_methods, reason = "tests read and write the files of a data folder")]

mod cases;
mod late_dates;
mod other_systems;
mod reference;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::{Date, date};
use motcua::simulator::{self, CLIENT_SECRET, Fault, FaultSide, Province, ProvinceSettings};
use serde_json::Value;

use self::cases::{Case, Outcome};
use crate::office::{self, Answer, Figures, Office, Town, figures, province, said, stub_server, true_figures};

const TODAY: Date = date(2025, 11, 28);

/// The province that all cases share; each case starts a portal of its own.
static TOWN: LazyLock<(Arc<Province>, Figures)> = LazyLock::new(|| {
    // Few months, so that there are few figures but several postal items in the last list. With this seed each half of
    // them decides figures, and the notes about dossiers, which are not read here, decide none.
    let settings = ProvinceSettings { dossiers: 160, seed: 8, first: date(2025, 6, 2), ..ProvinceSettings::new(TODAY) };
    let province = province(&settings);
    let mut truth = true_figures(&province.truth(TODAY));
    truth.retain(|(indicator, ..), _| {
        INDICATORS.iter().any(|(_, text)| text.contains(&format!("id = \"{indicator}\"")))
    });
    for indicator in ["par-3.4.1", "par-3.4.2", "par-7.2.2", "par-7.3.2-having", "par-7.3.3-having"] {
        let figures = truth.keys().filter(|(of, ..)| of == indicator).count();
        assert!(figures > 20, "{indicator}: {figures} figures to compare");
    }
    (province, truth)
});

const CONNECTORS: [&str; 2] = ["bcci-export", "portal-igate"];

/// The indicators that the portal and the post decide: files below `config/indicators`.
const INDICATORS: [(&str, &str); 3] = [
    ("online", include_str!("../../config/indicators/online.toml")),
    ("postal", include_str!("../../config/indicators/postal.toml")),
    ("resolution", include_str!("../../config/indicators/resolution.toml")),
];

const PORTAL: &str = "connectors/portal-igate/connector.toml";
const POST: &str = "connectors/bcci-export/connector.toml";

/// Short timeouts, and all files of the post, regardless of their extension.
const EDITS: &[(&str, &str, &str)] = &[
    (PORTAL, "first_date = \"2020-01-01\"", "first_date = \"2025-06-01\""),
    (PORTAL, "read_timeout_secs = 180", "read_timeout_secs = 2\nmax_pages = 1500"),
    (PORTAL, "attempts = 2", "attempts = 3"),
    (POST, "glob = \"*.{csv,csv.gz,xlsx}\"", "glob = \"bcci-*\""),
];

/// Removes all passes except the first: a record that it misses is not read by another one.
fn one_pass(text: &str) -> String {
    let (before, passes) = text.split_once("[[window.passes]]").expect("the connector reads in passes");
    let (first, _) = passes.split_once("[[window.passes]]").expect("in several");
    let (_, after) = text.split_once("[pages]").expect("and page by page");
    format!("{before}[[window.passes]]{first}[pages]{after}")
}

fn edit_all(office: &Office, edits: &[(&str, &str, &str)]) {
    for (file, from, to) in edits {
        office.edit(file, |text| {
            assert!(text.contains(from), "`{file}` holds `{from}`");
            text.replace(from, to)
        });
    }
}

/// The outcome that an exit code states.
fn outcome_of(output: &Output) -> Result<Outcome, String> {
    match output.status.code() {
        Some(0) => Ok(Outcome::Equal),
        Some(3) => Ok(Outcome::Failed),
        Some(4) => Ok(Outcome::Incomplete),
        other => Err(format!("exit {other:?}: {}", said(output))),
    }
}

/// Checks the published night: no wrong figure is marked complete.
fn check_published(office: &Office, outcome: Outcome, truth: &Figures) -> Result<(), String> {
    let published = |file: &str| std::fs::read(office.data().join("published/latest").join(file));
    let night: Value = serde_json::from_slice(&published("night.json").expect("a night was published"))
        .expect("a night's record is JSON");
    let rows: Vec<Value> = serde_json::from_slice(&published("figures.json").expect("with its figures"))
        .expect("published figures are JSON");
    let complete = night["night"]["complete"] == true;
    if complete != (outcome == Outcome::Equal) {
        return Err(format!("the published night's `complete` is {complete}"));
    }
    if let Some(row) = rows.iter().find(|row| (row["complete"] == true) != complete) {
        return Err(format!("the night's `complete` is {complete}, a figure's is not: {row}"));
    }
    if !complete {
        return Ok(());
    }
    let found = figures(&rows);
    let differs = |name: &&_| found.get(*name) != truth.get(*name);
    let wrong: BTreeSet<_> = truth.keys().chain(found.keys()).filter(differs).collect();
    let Some(name) = wrong.first() else { return Ok(()) };
    let (shown, expected) = (found.get(*name), truth.get(*name));
    Err(format!(
        "{} figures are marked complete and differ from the true ones, first {name:?}: {shown:?}, expected {expected:?}",
        wrong.len()
    ))
}

/// A thread that writes the last list while the night runs.
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
            Fault::EditedAtNight => Some(std::thread::spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    simulator::save_in_other_order(&last).expect("the list can be written");
                    std::thread::sleep(Duration::from_millis(300));
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

/// Appends a byte every 100 ms.
fn grow(list: &Path, stopped: &AtomicBool) {
    use std::io::Write as _;
    let mut file = std::fs::File::options().append(true).open(list).expect("the list is there");
    while !stopped.load(Ordering::Relaxed) {
        file.write_all(b"x").expect("the list can be written");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Checks that the reason of a pull is the code that the case names first. The clock is no reason of a pull, but of the night.
fn check_reason(office: &Office, case: &Case, night: &Output) -> Result<(), String> {
    if matches!(case.fault, Fault::WrongDay | Fault::WrongDecade) && !said(night).contains("the clock of this machine")
    {
        return Err(format!("the clock is not named: {}", said(night)));
    }
    let code = case.why.split('`').nth(1).filter(|_| case.outcome != Outcome::Equal);
    let Some(code) = code else { return Ok(()) };
    let run = (case.fault.nights_before() + 1).to_string();
    let shown = said(&office.act(&["runs", "show", &run]));
    if shown.contains(&format!("why        {code}: ")) {
        Ok(())
    } else {
        Err(format!("the reason is not `{code}`: {shown}"))
    }
}

/// Runs one case: a night with the fault, then one without, unless the first read everything from a portal. Returns the
/// outcome of the first.
///
/// # Errors
/// What was wrong, for example a false figure marked complete.
fn run_case(case: &Case) -> Result<Outcome, String> {
    let (province, truth) = &*TOWN;
    let town = Town::of(Arc::clone(province));
    let mut connectors = CONNECTORS.to_vec();
    if cases::CATALOGUE.iter().any(|of_catalogue| of_catalogue.fault == case.fault) {
        connectors.push("procedure-catalogue");
    }
    let office = Office::new(&town.url()).only(&connectors, &INDICATORS.map(|(file, _)| file));
    edit_all(&office, EDITS);
    office.edit(PORTAL, |text| one_pass(&text));
    if case.fault.side() == FaultSide::Http {
        // Many pages, so that a page can be wrong.
        edit_all(&office, &[(PORTAL, "size = 1000\n", "size = 7\n")]);
    }
    edit_all(&office, case.edits);
    if let Some(api) = case.api {
        office.edit(PORTAL, |text| api.replace_search(&text));
    }
    province.write_lists(office.path(), TODAY).expect("lists can be written");
    for nights in (1..=case.fault.nights_before()).rev() {
        province.write_exports_before(&office.exports(), TODAY, case.fault, nights).expect("exports can be written");
        let output = office.act(&["run"]);
        if outcome_of(&output)? != Outcome::Equal {
            return Err(format!("{nights} nights before: {}", said(&output)));
        }
    }
    let last = province.write_exports_with(&office.exports(), TODAY, Some(case.fault)).expect("exports can be written");
    // Requests that reached another host.
    let strayed = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::clone(&strayed);
    let elsewhere = stub_server(move |request| {
        received.lock().unwrap_or_else(PoisonError::into_inner).push(request.to_owned());
        Answer::token("elsewhere")
    });
    town.portal.redirect_to(&elsewhere.replace("127.0.0.1", "localhost"));
    town.portal.set_fault(Some(case.fault));

    let writer = Writer::start(case.fault, last.last().expect("the town has postal items").clone());
    let output = office.act(&["run"]);
    writer.stop();
    let outcome = outcome_of(&output)?;
    check_published(&office, outcome, truth).map_err(|what| format!("{what}\n{}", said(&output)))?;
    check_reason(&office, case, &output)?;
    for request in strayed.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let lower = request.to_lowercase();
        if lower.contains("authorization") || lower.contains("simulated.") || request.contains(CLIENT_SECRET) {
            return Err("credentials went to another host".to_owned());
        }
    }

    // A night that read everything in spite of its source leaves nothing to repair.
    if outcome == Outcome::Equal && case.fault.side() == FaultSide::Http {
        return Ok(outcome);
    }
    if case.repaired {
        town.portal.set_fault(None);
        for file in office::files(&office.exports()) {
            std::fs::remove_file(office.exports().join(file)).expect("the scratch folder is writable");
        }
        office.export(&town, TODAY);
    }
    let output = office.act(&["run"]);
    match outcome_of(&output)? {
        Outcome::Equal => check_published(&office, Outcome::Equal, truth)
            .map_err(|what| format!("second night: {what}\n{}", said(&output)))?,
        other => return Err(format!("second night: {other:?}: {}", said(&output))),
    }
    Ok(outcome)
}

/// Runs the cases one after another and reports all unexpected outcomes.
fn assert_expected(cases: &[Case]) {
    let mut wrong = Vec::new();
    for case in cases {
        let name = case.fault.name();
        match run_case(case) {
            Ok(outcome) if outcome == case.outcome => {}
            Ok(outcome) => wrong.push(format!("{name}: {outcome:?}, expected {:?} ({})", case.outcome, case.why)),
            Err(what) => wrong.push(format!("{name}: {what}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {} faults:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The faults of lists are only noticed in figures if the figures depend on the lists.
#[test]
fn figures_differ_without_either_half_of_the_last_list() {
    let (province, truth) = &*TOWN;
    let town = Town::of(Arc::clone(province));
    for left_out in [None, Some("first half"), Some("second half")] {
        let office = Office::new(&town.url()).only(&CONNECTORS, &INDICATORS.map(|(file, _)| file));
        edit_all(&office, EDITS);
        // A list whose rows do not have the declared sum would not count at all.
        edit_all(&office, &[(POST, "[complete]\ntrailer = { column = \"Phí thu hộ\", holds = \"sum\" }\n", "")]);
        let lists = province.write_exports_with(&office.exports(), TODAY, None).expect("exports can be written");
        let last = lists.last().expect("the town has postal items");
        let text = std::fs::read_to_string(last).expect("it is a CSV file");
        let is_item = |line: &&str| line.split(';').any(|cell| cell.len() == 13 && cell.ends_with("VN"));
        let items_of = |text: &str| text.lines().filter(is_item).count();
        let items = items_of(&text);
        assert!(items >= 4, "{items} items in {last:?}");
        let mut number = 0;
        let rest: String = text
            .split_inclusive('\n')
            .filter(|line| {
                number += usize::from(is_item(line));
                let half = if number * 2 <= items { "first half" } else { "second half" };
                !is_item(line) || left_out != Some(half)
            })
            .collect();
        std::fs::write(last, rest).expect("the scratch folder is writable");
        let left = lists.iter().map(|list| items_of(&std::fs::read_to_string(list).expect("a list is a CSV file")));
        let left: usize = left.sum();
        let output = office.act(&["run"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(office.count("bcci-export", "received"), left as u64, "what is left counts");
        assert_eq!(office.figures() == *truth, left_out.is_none(), "{left_out:?}");
    }
}

#[test]
fn responses_with_an_error_or_other_content() {
    assert_expected(cases::RESPONSES);
}

#[test]
fn responses_that_are_cut_or_never_end() {
    assert_expected(cases::CONNECTIONS);
}

#[test]
fn tokens_and_redirects() {
    assert_expected(cases::TOKENS);
}

#[test]
fn pages_repeated_skipped_or_changed() {
    assert_expected(cases::PAGES);
}

#[test]
fn records_with_other_fields_or_types() {
    assert_expected(cases::RECORDS);
}

#[test]
fn lists_cut_shifted_or_inconsistent() {
    assert_expected(cases::LISTS);
}

#[test]
fn lists_that_are_edited_night_after_night() {
    assert_expected(cases::EDITED);
}

#[test]
fn clocks_of_sources() {
    assert_expected(cases::CLOCKS);
}

#[test]
fn lists_in_other_encodings_and_formats() {
    assert_expected(cases::BYTES);
}

#[test]
fn paging_kinds_of_other_systems() {
    assert_expected(cases::OTHER_SYSTEMS);
}

#[test]
fn sessions_and_failures_of_the_procedure_catalogue() {
    assert_expected(cases::CATALOGUE);
}

#[test]
fn every_fault_has_its_case() {
    for fault in Fault::ALL {
        let cases: Vec<&Case> = cases::all().into_iter().filter(|case| case.fault == *fault).collect();
        assert_eq!(cases.len(), 1, "{}", fault.name());
        let files = cases::LISTS.iter().chain(cases::BYTES).chain(cases::EDITED).any(|case| case.fault == *fault);
        assert_eq!(files, fault.side() == FaultSide::Files, "{}", fault.name());
        let of_the_clock = matches!(fault, Fault::WrongDay | Fault::WrongDecade);
        let has_reason = cases.iter().all(|case| case.outcome == Outcome::Equal || case.why.starts_with('`'));
        assert!(has_reason || of_the_clock, "{}", fault.name());
    }
    assert!(Fault::ALL.len() >= 30);
}
