//! A test installation with a single connector, `desk`, which reads CSV files or an HTTP list. The test writes all of
//! its records.
#![expect(clippy::disallowed_methods, reason = "tests remove files of an office")]

mod list;

use std::path::Path;

use jiff::civil::Date;
use motcua::config::{self, Configuration};
use motcua::model::instant::from_local;
use motcua::run::{self, RunReport};
use serde_json::Value;
use tokio::runtime::Runtime;

pub(crate) use list::{List, answering, record};

use crate::office::{Office, deep, frames, said};

/// The mapping, the same for files and for the list.
const MAP: &str = r#"
[map.source_key]
from = "id"
type = "code"
required = true

[map.dossier_code]
from = "code"
type = "dossier_code"

[map.competent_agency]
from = "agency"
type = "agency"

[map.received_at]
from = "received"
type = "instant"
formats = ["yyyy-MM-dd"]

[map.due_at]
from = "due"
type = "instant"
formats = ["yyyy-MM-dd"]
default = ""

[map.status]
from = "status"
type = "word"

[map.status.codes]
P = "processing"
D = "completed"
"#;

const ABOUT: &str = r#"
[connector]
version = 1
title = "Hồ sơ của bàn thử"
kind = "dossiers"
system = "bàn thử"
contact = "người kiểm thử"
"#;

const FILES: &str = r#"
[access]
type = "files"
folder = "{env:BCCI_EXPORTS}"
glob = "*.csv"
settle_secs = 0

[decode]
type = "csv"
header = "id"
"#;

const LIST: &str = r#"
[access]
type = "http"
base_url = "{env:IGATE_URL}"

[request]
path = "/list"

[[window.passes]]
name = "received"
since_param = "from"
until_param = "to"
format = "yyyy-MM-dd"
start = "cursor"
first_date = "2025-01-01"
overlap_days = 100000
slice_days = 100000

[pages]
type = "page_number"
param = "page"
first = 0
size_param = "size"
size = 2
end = { type = "last_flag", path = "last" }

[limits]
requests_per_second = 1000.0

[retry]
attempts = 1

[decode]
type = "json"
records = "rows"
"#;

fn office(url: &str, connector: &str) -> Office {
    let office = Office::new(url).only(&[], &["online", "postal", "resolution"]);
    office.write("connectors/desk/connector.toml", connector);
    office
}

/// An installation whose connector reads `exports/*.csv`. `more` is appended to `connector.toml`.
pub(crate) fn of_files(more: &str) -> Office {
    office("http://127.0.0.1:1", &format!("{ABOUT}{FILES}{MAP}{more}"))
}

/// An installation whose connector reads the list at `url`.
pub(crate) fn of_list(url: &str, more: &str) -> Office {
    office(url, &format!("{ABOUT}{LIST}{MAP}{more}"))
}

/// Writes a CSV file of dossiers with the columns id, code, agency, received, due, status.
pub(crate) fn file(office: &Office, name: &str, rows: &[&str]) {
    office.write(&format!("exports/{name}"), &format!("id,code,agency,received,due,status\n{}\n", rows.join("\n")));
}

/// A runtime with a stack large enough for Polars' recursion.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_stack_size(64 << 20)
        .enable_all()
        .build()
        .expect("a runtime starts")
}

/// Leaves only par-3.4.1, the first indicator of its file. For tests of many nights: fewer indicators take less time, and one
/// is enough to see a difference.
pub(crate) fn keep_one_indicator(office: &Office) {
    office.edit("config/indicators/resolution.toml", |text| {
        let end = text.match_indices("[[indicator]]").nth(1).expect("it has several").0;
        let first = text[..end].to_owned();
        assert!(first.contains("id = \"par-3.4.1\""), "{first}");
        first
    });
    for file in ["online", "postal"] {
        let path = office.path().join(format!("config/indicators/{file}.toml"));
        std::fs::remove_file(path).expect("the file was shipped");
    }
}

/// The configuration of an installation, with its variables.
pub(crate) fn configuration(office: &Office) -> Configuration {
    let mut config = config::load(&office.settings()).unwrap_or_else(|problems| panic!("{problems}"));
    for (name, value) in &office.variables {
        config.values.set_variable(*name, value.clone());
    }
    config
}

/// Runs one night as of 20:00 of a day. The binary would take the current time.
pub(crate) fn night_at(office: &Office, day: Date) -> RunReport {
    night_with(&configuration(office), office, day)
}

/// The same with a configuration that was read before.
pub(crate) fn night_with(config: &Configuration, office: &Office, day: Date) -> RunReport {
    let evening = from_local(day.at(20, 0, 0, 0));
    let runtime = runtime();
    deep(|| {
        runtime.block_on(async {
            let held =
                run::DataFolder::open(config, &office.data(), "test", evening).await.expect("the folder is free");
            let report = held.run_once(&[], evening, &|_| ()).await.expect("the night ends");
            held.ledger.close().await;
            report
        })
    })
}

/// Runs the binary, checks its exit code and returns its output.
pub(crate) fn expect(office: &Office, arguments: &[&str], code: i32) -> String {
    let output = office.act(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// Runs a verb with `--format json` and returns its rows.
pub(crate) fn rows(office: &Office, arguments: &[&str]) -> Vec<Value> {
    let output = office.act(&[arguments, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", said(&output)))
}

/// `source_key`, `status` and `deleted` of each row of the image.
pub(crate) fn image(office: &Office) -> Vec<(String, String, bool)> {
    image_of(&office.data())
}

/// The same of any data folder.
pub(crate) fn image_of(data: &Path) -> Vec<(String, String, bool)> {
    let mut found = Vec::new();
    for frame in frames(data, "dossiers") {
        let text = |name: &str| -> Vec<String> {
            let column = frame.column(name).and_then(|column| column.str()).expect("a text column");
            column.iter().map(|text| text.unwrap_or_default().to_owned()).collect()
        };
        let deleted = frame.column("deleted").and_then(|column| column.bool()).expect("a flag column");
        let deleted = deleted.iter().map(Option::unwrap_or_default);
        found.extend(
            text("source_key")
                .into_iter()
                .zip(text("status"))
                .zip(deleted)
                .map(|((key, status), gone)| (key, status, gone)),
        );
    }
    found.sort();
    found
}
