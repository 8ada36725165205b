//! The checks that every shipped connector passes, and the page that lists them: `docs/reference/connectors.md`.
//!
//! A connector skips a check only with a written reason, and only while the check fails for it.
#![expect(clippy::disallowed_methods, reason = "a test reads its environment, connector folders and a document")]

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use motcua::fields::Readers;
use motcua::model::connector::{Access, Connector, Decode, PageEnd, Pages};
use motcua::sources::decode_page;
use regex::Regex;
use serde_json::Value as Json;

use super::{
    case_records, compare, connector, entries, forbidden, forbidden_data, headings, is_body, name, root, text,
};
use crate::office::CONNECTORS;
use crate::{ministries, national_evaluation, same_province, tracking};

/// A property of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Cases,
    Columns,
    Rejections,
    Readme,
    Clean,
    Cut,
    End,
    Simulated,
    Same,
}

const CHECKS: [Check; 9] = [
    Check::Cases,
    Check::Columns,
    Check::Rejections,
    Check::Readme,
    Check::Clean,
    Check::Cut,
    Check::End,
    Check::Simulated,
    Check::Same,
];

impl Check {
    /// Heading of its column, and what it demands.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Cases => {
                ("cases", "at least two cases, whose records and rejections are those that were worked out by hand")
            }
            Self::Columns => {
                ("columns", "every column of `[map]` and `[partial.map]` has a value in a record of a case")
            }
            Self::Rejections => ("rejections", "a case has rows that must be rejected, each with its field and reason"),
            Self::Readme => ("README", "the README has the fixed headings, and names every variable, column and case"),
            Self::Clean => ("clean", "no recording has a secret or data of a person"),
            Self::Cut => ("cut", "a recording that is cut in the middle is refused"),
            Self::End => ("end", "something in the source's answers or files proves that everything was received"),
            Self::Simulated => {
                ("simulated", "the real program reads it from the simulator, and the figures are the true ones")
            }
            Self::Same => {
                ("same", "the same simulated province gives the same figures through it as through other systems")
            }
        }
    }

    fn run(self, folder: &Path) -> Result<(), String> {
        let connector = connector(folder);
        match self {
            Self::Cases => cases(folder, &connector),
            Self::Columns => every_column(folder, &connector),
            Self::Rejections => rejections(folder),
            Self::Readme => readme(folder, &connector),
            Self::Clean => clean(folder),
            Self::Cut => cut(folder, &connector),
            Self::End => proved_end(&connector),
            Self::Simulated => listed(
                &connector,
                CONNECTORS
                    .into_iter()
                    .chain(same_province::connectors())
                    .chain(ministries::CONNECTORS)
                    .chain(national_evaluation::CONNECTORS)
                    .chain(tracking::CONNECTORS),
            ),
            Self::Same => {
                let read_otherwise = ["feedback", "measures-csv"];
                let others = ministries::CONNECTORS.into_iter().chain(read_otherwise);
                listed(&connector, same_province::connectors().into_iter().chain(others))
            }
        }
    }
}

/// Connector, check, why it is skipped.
const SKIPPED: &[(&str, Check, &str)] = &[
    ("bcci-export", Check::Same, "the only shape of the post's lists"),
    ("dossier-notes-csv", Check::Same, "the only shape of notes on dossiers"),
    ("lgsp-dossiers", Check::End, "a message states no number of dossiers; JSON that is cut is refused"),
    ("lgsp-dossiers-xml", Check::End, "a message states no number of dossiers; XML that is cut is refused"),
    ("ministry-sld", Check::End, "a reply states no number of dossiers; JSON that is cut is refused"),
    ("national-evaluation", Check::Same, "the only shape of the national evaluation of agencies"),
    ("national-evaluation-province", Check::End, "the reply is one row; JSON that is cut is refused"),
    ("national-evaluation-province", Check::Same, "the only shape of the national evaluation of a province"),
    ("procedure-catalogue", Check::End, "the one reply states no number of procedures; JSON that is cut is refused"),
    ("procedure-catalogue", Check::Same, "the only shape of the catalogue"),
    ("vnpost-tracking", Check::End, "the events end with an empty page; what its totals count is not verified"),
    ("vnpost-tracking", Check::Same, "the only shape of the post's events"),
];

fn cases(folder: &Path, connector: &Connector) -> Result<(), String> {
    let cases = entries(&folder.join("cases"));
    if cases.len() < 2 {
        return Err("less than two cases".to_owned());
    }
    for case in cases {
        let (records, rejects) = case_records(connector, &case);
        compare(&case.join("expected.jsonl"), &records);
        compare(&case.join("rejects.jsonl"), &rejects);
    }
    Ok(())
}

fn every_column(folder: &Path, connector: &Connector) -> Result<(), String> {
    let cases = entries(&folder.join("cases"));
    let records: Vec<Json> = cases.iter().flat_map(|case| case_records(connector, case).0).collect();
    let columns = connector.file.mapped_columns().map(|(column, _)| column);
    let never: Vec<&str> =
        columns.map(String::as_str).filter(|column| records.iter().all(|record| record[column].is_null())).collect();
    if never.is_empty() { Ok(()) } else { Err(format!("no record has {}", never.join(", "))) }
}

fn rejections(folder: &Path) -> Result<(), String> {
    let has_some = entries(&folder.join("cases")).iter().any(|case| !text(&case.join("rejects.jsonl")).is_empty());
    if has_some { Ok(()) } else { Err("no case has a rejected row".to_owned()) }
}

fn readme(folder: &Path, connector: &Connector) -> Result<(), String> {
    let readme = text(&folder.join("README.md"));
    let declared = text(&folder.join("connector.toml"));
    let variables = Regex::new(r"\{(?:env|secret):([A-Z_]+)\}").expect("the pattern is valid");
    let variables = variables.captures_iter(&declared).map(|found| found[1].to_owned());
    let cases = entries(&folder.join("cases")).iter().map(|case| name(case)).collect::<Vec<_>>();
    let columns = connector.file.mapped_columns().map(|(column, _)| column.clone());
    let wanted = variables.chain(columns).chain(cases);
    let missing: Vec<String> = wanted.filter(|name| !readme.contains(&format!("`{name}`"))).collect();
    if headings(&readme) != super::HEADINGS {
        return Err(format!("its headings are {:?}", headings(&readme)));
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("it does not name {}", missing.join(", "))) }
}

fn clean(folder: &Path) -> Result<(), String> {
    let forbidden = forbidden();
    for case in entries(&folder.join("cases")) {
        for file in entries(&case) {
            let bytes = std::fs::read(&file).expect("readable");
            if let Some(found) = forbidden_data(&String::from_utf8_lossy(&bytes), &forbidden) {
                return Err(format!("{}: {found}", file.display()));
            }
        }
    }
    Ok(())
}

/// Cuts the first recording of each case in its middle.
fn cut(folder: &Path, connector: &Connector) -> Result<(), String> {
    let readers = Readers::compile(&connector.file).expect("the map is checked");
    for case in entries(&folder.join("cases")) {
        let Some(body) = entries(&case).into_iter().find(|path| is_body(path)) else { continue };
        let bytes = std::fs::read(&body).expect("readable");
        let read = |bytes: &[u8]| decode_page(connector, &readers, bytes, 1, name(&body)).map(|(page, _)| page.len());
        let whole = read(&bytes).map_err(|error| error.to_string())?;
        if let Ok(rows) = read(&bytes[..bytes.len() / 2]) {
            return Err(format!("{}: {rows} of {whole} rows are read", body.display()));
        }
    }
    Ok(())
}

fn proved_end(connector: &Connector) -> Result<(), String> {
    let file = &connector.file;
    let complete = &file.complete;
    let end = match &file.pages {
        Pages::PageNumber { end, .. }
        | Pages::Offset { end, .. }
        | Pages::Keyset { end, .. }
        | Pages::Cursor { end, .. }
        | Pages::NextUrl { end, .. }
        | Pages::LinkHeader { end, .. } => Some(end),
        Pages::None => None,
    };
    let states_end = end.is_some_and(|end| !matches!(end, PageEnd::ShortPage { .. } | PageEnd::EmptyPage));
    let is_proved = match &file.access {
        Access::Http { .. } => complete.total.is_some() || states_end,
        Access::Files { .. } => complete.trailer.is_some() && !matches!(file.decode, Decode::Json { .. }),
    };
    if is_proved { Ok(()) } else { Err("neither a total, a flag nor a footer row".to_owned()) }
}

fn listed<'n>(connector: &Connector, mut names: impl Iterator<Item = &'n str>) -> Result<(), String> {
    if names.any(|name| name == connector.name) { Ok(()) } else { Err("no test reads it so".to_owned()) }
}

/// Whether a check fails for a connector, and why.
fn failure(check: Check, folder: &Path) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| check.run(folder))) {
        Ok(found) => found.err(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Some(text.unwrap_or_else(|| "it panics".to_owned()))
        }
    }
}

fn reason(connector: &str, check: Check) -> Option<&'static str> {
    SKIPPED.iter().find(|(name, skipped, _)| *name == connector && *skipped == check).map(|(_, _, why)| *why)
}

#[test]
fn every_connector_passes_every_check_or_says_why_not() {
    let mut wrong = Vec::new();
    for folder in entries(&root()) {
        let connector = name(&folder);
        for check in CHECKS {
            match (failure(check, &folder), reason(&connector, check)) {
                (Some(found), None) => wrong.push(format!("{connector}, {check:?}: {found}")),
                (None, Some(_)) => wrong.push(format!("{connector}, {check:?}: it is skipped, and it passes")),
                _ => {}
            }
        }
    }
    for (connector, check, _) in SKIPPED {
        assert!(root().join(connector).is_dir(), "{connector}, {check:?}: there is no such connector");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const HEAD: &str = "\
# Shipped connectors

For engineers who connect a source: which connectors are shipped, and what was checked of each. Generated from \
`connectors/` and `tests/it/conformance/checks.rs`; do not edit.

`motcua init` writes those marked *init*. `motcua connectors add NAME` writes another one into an installation. The README of \
each says which of its fields are verified, recalled or constructed.

";

fn page() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("| connector | kind | access | system | written by |\n|---|---|---|---|---|\n");
    for folder in entries(&root()) {
        let connector = connector(&folder);
        let about = &connector.file.connector;
        let access = if matches!(connector.file.access, Access::Http { .. }) { "HTTP" } else { "files" };
        let by = if CONNECTORS.contains(&connector.name.as_str()) { "init" } else { "connectors add" };
        let name = &connector.name;
        let _ = writeln!(
            text,
            "| [{name}](../../connectors/{name}/README.md) | {} | {access} | {} | {by} |",
            about.kind.image_name(),
            about.system
        );
    }
    text.push_str("\n## Checks\n\n| check | what it demands |\n|---|---|\n");
    for check in CHECKS {
        let (heading, demand) = check.words();
        let _ = writeln!(text, "| {heading} | {demand} |");
    }
    let headings: Vec<&str> = CHECKS.iter().map(|check| check.words().0).collect();
    let _ = writeln!(text, "\n| connector | {} |\n|---{}|", headings.join(" | "), "|---".repeat(CHECKS.len()));
    let mut notes = String::new();
    let mut skipped = 0;
    for folder in entries(&root()) {
        let connector = name(&folder);
        let mut cells = String::new();
        for check in CHECKS {
            match reason(&connector, check) {
                None => cells.push_str(" passes |"),
                Some(why) => {
                    skipped += 1;
                    let _ = write!(cells, " skipped ({skipped}) |");
                    let _ = writeln!(notes, "{skipped}. {connector}, {}: {why}.", check.words().0);
                }
            }
        }
        let _ = writeln!(text, "| {connector} |{cells}");
    }
    let _ = write!(text, "\nWhy a check is skipped:\n\n{notes}");
    text
}

#[test]
fn the_page_of_connectors_lists_their_checks() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/connectors.md");
    if std::env::var("MOTCUA_WRITE_REFERENCE").is_ok_and(|value| value == "1") {
        std::fs::write(&path, page()).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page(), "regenerate it with MOTCUA_WRITE_REFERENCE=1");
}
