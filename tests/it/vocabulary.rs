//! The vocabulary of `connector.toml`, word by word: each file of `tests/vocabulary/` has a body, what the connector
//! declares beside the usual, and the records and rejections that must come out. Each is decoded and mapped, and each is
//! read by the real program, which stores it in between.
#![expect(clippy::disallowed_methods, reason = "edge: a test reads its cases and writes the files of an installation")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use motcua::canonical::Mapper;
use motcua::fields::Readers;
use motcua::model::instant;
use motcua::model::table::{Column as TableColumn, RecordKind};
use motcua::sources::decode_page;
use polars::prelude::AnyValue;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::conformance::as_json;
use crate::desk::expect;
use crate::office::{Office, frames};
use crate::workbooks::workbook;

/// What every case declares unless it says otherwise.
const USUAL: &str = r#"
[connector]
version = 1
title = "Vốn từ"
kind = "dossiers"
system = "vốn từ"
contact = "người kiểm thử"

[access]
type = "files"
folder = "{env:VOCABULARY}"
glob = "CASE.*"
settle_secs = 0

[map.source_key]
from = "id"
type = "code"
required = true

[contract]
reject_share = 1.0
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    body: String,
    #[serde(default)]
    encoding: String,
    /// `xls`, `xlsb` or `ods`: the format of the workbook that has the cells of `body`.
    #[serde(default)]
    workbook: String,
    /// `gzip` or `zip`: how the file is compressed that the program reads.
    #[serde(default)]
    compressed: String,
    connector: toml::Table,
    records: Vec<toml::Table>,
    #[serde(default)]
    rejects: Vec<Reject>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reject {
    row: u32,
    field: Option<String>,
    reason: String,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        if !self.workbook.is_empty() {
            return workbook(&self.workbook, &self.body);
        }
        // TOML leaves the first line end out.
        match self.encoding.as_str() {
            "" => self.body.clone().into_bytes(),
            "utf-16" => "\u{feff}".encode_utf16().chain(self.body.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
            label => {
                let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("a known encoding");
                encoding.encode(&self.body).0.into_owned()
            }
        }
    }

    /// The file that the program reads.
    fn file(&self) -> Vec<u8> {
        let bytes = self.bytes();
        match self.compressed.as_str() {
            "gzip" => {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
                gzip.write_all(&bytes).expect("memory can be written");
                gzip.finish().expect("memory can be written")
            }
            "zip" => {
                let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
                zip.start_file("danh sách.csv", SimpleFileOptions::default()).expect("a name");
                zip.write_all(&bytes).expect("memory can be written");
                zip.finish().expect("memory can be written").into_inner()
            }
            _ => bytes,
        }
    }

    /// The text of `connector.toml`.
    fn declaration(&self, name: &str) -> String {
        let mut whole: toml::Table = USUAL.replace("CASE", name).parse().expect("valid TOML");
        for (table, keys) in &self.connector {
            let keys = keys.as_table().expect("tables of a connector").clone();
            match whole.get_mut(table) {
                Some(known) => known.as_table_mut().expect("a table").extend(keys),
                None => drop(whole.insert(table.clone(), keys.into())),
            }
        }
        whole.to_string()
    }
}

/// Name and content of every case.
fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vocabulary");
    let mut files: Vec<_> =
        folder.read_dir().expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let read = |file: &Path| {
        let text = std::fs::read_to_string(file).expect("readable");
        let case = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        (file.file_stem().expect("a name").to_string_lossy().into_owned(), case)
    };
    files.iter().map(|file| read(file)).collect()
}

#[test]
fn each_word_gives_the_expected_records_and_rejections() {
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        let connector =
            motcua::config::connector_from_text(&name, Path::new("connector.toml"), &case.declaration(&name))
                .unwrap_or_else(|problems| panic!("{name}: {problems}"));
        let readers = Readers::compile(&connector.file).expect("the map is checked");
        let (page, _) = decode_page(&connector, &readers, &case.bytes(), 1, name.clone())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let mapper = Mapper::new(&connector, &readers, i64::MAX);
        let (mut records, mut rejects) = (Vec::new(), Vec::new());
        for row in mapper.map_page(&page) {
            match row {
                Ok(record) => records.push(as_json(mapper.kind(), &record)),
                Err(rejected) => {
                    rejects.push(json!([rejected.row, rejected.field, rejected.reason.code()]));
                }
            }
        }
        let of_reject = |reject: &Reject| json!([reject.row, reject.field, reject.reason]);
        let expected_rejects: Vec<Json> = case.rejects.iter().map(of_reject).collect();
        let expected: Vec<Json> = case.records.iter().map(|record| json!(record)).collect();
        if (&records, &rejects) != (&expected, &expected_rejects) {
            wrong.push(format!("{name}: {}\n  {}", json!(records), json!(rejects)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_program_reads_each_word_and_reads_it_again_from_landing() {
    let office = Office::new("http://127.0.0.1:1").only(&[], &["sources"]);
    let folder = office.path().join("vocabulary");
    std::fs::create_dir(&folder).expect("a scratch folder");
    let mut office = office;
    office.variables.insert("VOCABULARY", folder.display().to_string());
    let cases = cases();
    for (name, case) in &cases {
        office.write(&format!("connectors/{name}/connector.toml"), &case.declaration(name));
        std::fs::write(folder.join(format!("{name}.list")), case.file()).expect("a scratch file");
    }
    expect(&office, &["run"], 0);
    let statuses = office.statuses();
    for (name, case) in &cases {
        for (column, of_case) in [("accepted", case.records.len()), ("quarantined", case.rejects.len())] {
            assert_eq!(statuses[name][column].as_u64(), Some(of_case as u64), "{name}: {column}");
        }
    }
    let first = cells(&office);
    for (name, case) in &cases {
        for expected in &case.records {
            let key = expected["source_key"].as_str().expect("a key");
            let stored = first.get(&(name.clone(), key.to_owned()));
            let stored = stored.unwrap_or_else(|| panic!("{name}: no row `{key}` of {:?}", first.keys()));
            for (column, value) in expected {
                assert_eq!(stored.get(column), Some(&json!(value)), "{name}, {key}: {column}");
            }
        }
    }
    // What landing keeps is read as what the source sent.
    let replayed = expect(&office, &["replay", "1"], 0);
    for (name, case) in &cases {
        let (records, rejects) = (case.records.len(), case.rejects.len());
        let received = records + rejects;
        let expected = format!(
            "{name}: received {received} = accepted 0 + unchanged {records} + duplicate 0 + superseded 0 + quarantined {rejects}"
        );
        assert!(replayed.contains(&expected), "{expected}\n{replayed}");
    }
    // Tables that are lost are built again from landing, cell by cell.
    std::fs::remove_dir_all(office.data().join("lake")).expect("the tables");
    expect(&office, &["replay", "1"], 0);
    assert_eq!(cells(&office), first);
}

/// The cells of every stored dossier and measure that have a value, by source and key: as [`as_json`] writes them.
fn cells(office: &Office) -> BTreeMap<(String, String), BTreeMap<String, Json>> {
    let mut found = BTreeMap::new();
    let tables = [RecordKind::Dossiers, RecordKind::Measures];
    let tables =
        tables.map(|kind| frames(&office.data(), kind.image_name()).into_iter().map(move |frame| (kind, frame)));
    for (kind, frame) in tables.into_iter().flatten() {
        let text = |row: usize, name: &str| {
            let column = frame.column(name).and_then(|column| column.str()).expect("a text column");
            column.get(row).expect("never null").to_owned()
        };
        for row in 0..frame.height() {
            let cell = |column: &TableColumn| {
                let cell = frame.column(column.name).and_then(|cells| cells.get(row)).expect("a column of the table");
                let value = match cell {
                    AnyValue::Null => return None,
                    AnyValue::Boolean(flag) => json!(flag),
                    AnyValue::Datetime(micros, ..) => json!(instant::display(micros)),
                    AnyValue::Int64(number) => json!(number),
                    other => json!(other.get_str().unwrap_or_else(|| panic!("{}: {other:?}", column.name))),
                };
                Some((column.name.to_owned(), value))
            };
            let cells = kind.columns().iter().filter_map(cell).collect();
            found.insert((text(row, "source"), text(row, "source_key")), cells);
        }
    }
    found
}
