//! The fuzz targets. Each takes the bytes of libFuzzer; what a byte chooses, the first bytes choose.

use std::io::{Cursor, Write as _};
use std::path::Path;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::tz::TimeZone;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::canonical::Mapper;
use crate::config::connector_from_text;
use crate::fields::{DateFormat, Readers, TitleDate};
use crate::model::connector::Connector;
use crate::model::page::Page;
use crate::model::table::RecordKind;
use crate::sources::decode::Decoder;
use crate::sources::sample::Sample;
use crate::sources::select::Selection;

/// 30 November 2026, microseconds UTC.
const NOW: i64 = 1_796_061_600_000_000;

/// Every kind of column, and dates in many forms.
const FIELDS: &str = r#"
[map.source_key]
from = "id"
type = "code"
required = true
[map.dossier_code]
from = ["code", "data.code", "list[0].code", "list[key=a].value", "\"a.b\"", "@id"]
type = "dossier_code"
[map.procedure_code]
from = "procedure"
type = "procedure_code"
[map.competent_agency]
from = "agency"
type = "agency"
[map.received_at]
from = "received"
time = "time"
type = "instant"
formats = ["dd/MM/yyyy[ HH:mm[:ss]]", "yyyy-MM-ddTHH:mm:ss[.S]Z", "d MMM yy hh:mm a", "epoch_milliseconds"]
[map.due_at]
from = "due"
type = "instant"
formats = ["aspnet_date", "spreadsheet_serial", "'Ngày' d MMM 'năm' yyyy"]
midnight_is_date = true
[map.submission_channel]
from = "channel"
type = "word"
codes = { "Trực tuyến" = "online", "1" = "counter" }
"#;

fn connector(access: &str, decode: &str) -> Connector {
    let text = format!(
        "[connector]\nversion = 1\ntitle = \"x\"\nkind = \"dossiers\"\nsystem = \"x\"\ncontact = \"x\"\n[access]\n{access}\n\
         [limits]\nmax_expanded_bytes = 4000000\nmax_page_records = 5000\n[decode]\n{decode}\n{FIELDS}"
    );
    connector_from_text("fuzz", Path::new("connector.toml"), &text)
        .unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

const FILES: &str = "type = \"files\"\nfolder = \"in\"\nglob = \"*\"";
const WEB: &str = "type = \"http\"\nbase_url = \"https://source.example\"\n[request]\npath = \"/list\"";

/// A connector with what reads its bodies.
struct Subject {
    connector: Connector,
    readers: Readers,
    decoder: Decoder,
}

impl Subject {
    fn all(access: &str, decodes: &[&str]) -> Vec<Self> {
        let subject = |decode: &&str| {
            let connector = connector(access, decode);
            let readers = Readers::compile(&connector.file).expect("the map is checked");
            let decoder = Decoder::compile(&connector.file, &readers).expect("the connector is checked");
            Self { connector, readers, decoder }
        };
        decodes.iter().map(subject).collect()
    }

    /// Decodes a body and maps its rows.
    fn read(&self, body: &[u8]) -> usize {
        let Ok((page, _)) = self.decoder.page(body, 1, "body".to_owned()) else { return 0 };
        let mapped = Mapper::new(&self.connector, &self.readers, NOW).map_page(&page);
        assert_eq!(mapped.len(), page.len(), "each row is a record or a rejection");
        mapped.len()
    }
}

/// Reads the bytes after the first by the subject that the first chooses.
fn read_by(subjects: &[Subject], data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    subjects[usize::from(*choice) % subjects.len()].read(body);
}

/// Bodies of JSON in every layout.
pub fn json(data: &[u8]) {
    static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(|| {
        let decodes = [
            "type = \"json\"",
            "type = \"json\"\nrecords = \"data.items\"\nfailure = { path = \"code\", ok = [\"0\"] }",
            "type = \"json\"\nrecords = \"data\"\nlayout = \"map\"",
            "type = \"json\"\nlayout = \"rows\"",
            "type = \"json\"\nrecords = \"data\"\nlayout = \"rows\"\ncolumns = \"columns[].name\"",
            "type = \"json\"\nlayout = \"lines\"",
            "type = \"json\"\nencoding = \"windows-1258\"",
        ];
        let mut all = Subject::all(WEB, &decodes);
        all.extend(Subject::all(FILES, &decodes));
        all
    });
    read_by(&SUBJECTS, data);
}

/// Bodies of XML, SOAP messages among them.
pub fn xml(data: &[u8]) {
    static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(|| {
        let decodes = [
            "type = \"xml\"\nrecords = \"list.r\"",
            "type = \"xml\"\nrecords = \"Envelope.Body.r\"\nfailure = { path = \"Envelope.code\", ok = [\"0\"] }",
        ];
        let mut all = Subject::all(WEB, &decodes);
        all.extend(Subject::all(FILES, &decodes));
        all
    });
    read_by(&SUBJECTS, data);
}

/// CSV files in every encoding.
pub fn csv(data: &[u8]) {
    static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(|| {
        let encodings = ["auto", "utf-8", "utf-16le", "utf-16be", "windows-1252", "windows-1258", "tcvn3"];
        let decode = |encoding: &&str| {
            format!("type = \"csv\"\nheader = \"id\"\nfooters = [\"Tổng\", \"sum\"]\nencoding = \"{encoding}\"")
        };
        let decodes: Vec<String> = encodings.iter().map(decode).collect();
        Subject::all(
            &format!("{FILES}\norder = {{ title = \"dd/MM/yyyy\" }}"),
            &decodes.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    });
    read_by(&SUBJECTS, data);
}

/// Workbooks: as bytes, or with the parts that the bytes hold, between NULs.
pub fn xlsx(data: &[u8]) {
    static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(|| {
        let decodes = ["leave", "empty", "repeat"]
            .map(|merged| format!("type = \"xlsx\"\nheader = \"id\"\nfooters = [\"sum\"]\nmerged = \"{merged}\""));
        let mut all = Subject::all(FILES, &decodes.each_ref().map(String::as_str));
        all.extend(Subject::all(FILES, &["type = \"spreadsheet\"\nheader = \"id\""]));
        all
    });
    let Some((choice, body)) = data.split_first() else { return };
    let subject = &SUBJECTS[usize::from(*choice & 0x0f) % SUBJECTS.len()];
    if choice & 0x80 != 0 {
        subject.read(body);
        return;
    }
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let mut parts = body.split(|byte| *byte == 0);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut put = |name: &str, bytes: &[u8]| {
        zip.start_file(name, SimpleFileOptions::default()).expect("the name is new");
        zip.write_all(bytes).expect("memory takes all");
    };
    let root = format!(
        "<Relationships><Relationship Id=\"r\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    put("_rels/.rels", root.as_bytes());
    put("xl/worksheets/sheet1.xml", parts.next().unwrap_or_default());
    put("xl/sharedStrings.xml", parts.next().unwrap_or(b"<sst/>"));
    put(
        "xl/styles.xml",
        parts
            .next()
            .unwrap_or(b"<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>"),
    );
    let workbook = format!(
        "<workbook xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"a\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    put("xl/workbook.xml", parts.next().unwrap_or(workbook.as_bytes()));
    let relations = format!(
        "<Relationships><Relationship Id=\"rId1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
         <Relationship Id=\"rId2\" Type=\"{OFFICE}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"
    );
    put("xl/_rels/workbook.xml.rels", parts.next().unwrap_or(relations.as_bytes()));
    subject.read(&zip.finish().expect("memory takes all").into_inner());
}

/// Compressed files: gzip, archives, responses with a coding; and what the draft of a connector makes of a sample.
pub fn inflate(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let bytes = match choice % 4 {
        0 => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(body).expect("memory takes all");
            gzip.finish().expect("memory takes all")
        }
        1 => {
            let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
            zip.start_file("list", SimpleFileOptions::default()).expect("the name is new");
            zip.write_all(body).expect("memory takes all");
            let mut bytes = zip.finish().expect("memory takes all").into_inner();
            // A damaged byte of the archive itself.
            if let [at, mask, ..] = body {
                let at = bytes.len() - 1 - usize::from(*at) % bytes.len();
                bytes[at] ^= mask;
            }
            bytes
        }
        _ => body.to_vec(),
    };
    let _ = crate::sources::decode::inflate::content(bytes.clone(), "gzip, deflate", 1 << 20);
    let _ = crate::sources::decode::inflate::workbook(bytes.clone(), 1 << 20);
    let is_heading = |heading: &str| crate::draft::is_heading(RecordKind::Dossiers, heading);
    let Ok(sample) = Sample::of(bytes, &is_heading) else { return };
    let origin = crate::draft::Origin::File("list.csv".to_owned());
    let draft = crate::draft::Draft::of("fuzz", RecordKind::Dossiers, &sample, &origin);
    // A draft may lack a key, but it is TOML.
    if let Err(problems) = connector_from_text("fuzz", Path::new("connector.toml"), &draft.text) {
        assert!(!problems.to_string().contains("not valid TOML"), "{problems}\n{}", draft.text);
    }
}

/// Paths, and the records that they select from: a line of paths with `|` between them, then JSON.
pub fn select(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (paths, json) = text.split_once('\n').unwrap_or((text, ""));
    let paths: Vec<String> = paths.split('|').map(str::to_owned).collect();
    let Ok(selection) = Selection::compile(&paths) else { return };
    let mut page = Page::new(1, "body".to_owned(), String::new(), paths.into());
    for record in serde_json::Deserializer::from_str(json).into_iter::<Box<serde_json::value::RawValue>>().take(100) {
        let Ok(record) = record else { return };
        let mut record = serde_json::Deserializer::from_str(record.get());
        if selection.read(&mut page, 1, &mut record).is_err() {
            return;
        }
    }
}

/// Date formats: a line with a format, then texts. What a format writes, it reads.
pub fn dates(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let Some(pattern) = lines.next() else { return };
    let title = TitleDate::compile(pattern);
    if let (Ok(title), Some(text)) = (&title, text.get(pattern.len()..)) {
        let _ = title.last(text);
    }
    let Ok(format) = DateFormat::compile(pattern) else { return };
    for text in lines.take(20) {
        let _ = format.read(text, &TimeZone::UTC);
        let _ = format.find(text, &TimeZone::UTC);
    }
    let written = format.write(NOW);
    let zone = TimeZone::get("Asia/Ho_Chi_Minh").expect("a known zone");
    assert!(format.read(&written, &zone).is_some(), "`{pattern}` does not read `{written}`");
}

/// What the tests of declarations need.
struct Bench {
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    Bench { runtime: runtime.expect("a runtime starts"), folder: crate::declarations::folder_of_bodies() }
});

/// What the checks accept must not fail for a reason that stood in it.
fn without_fault(text: &str) {
    let Ok(connector) = connector_from_text("fuzz", Path::new("connector.toml"), text) else { return };
    if let Some(why) = BENCH.runtime.block_on(crate::declarations::fault(&connector, BENCH.folder.path())) {
        panic!("{why}\n{text}");
    }
}

/// A `connector.toml`. It is read only if no request of it could wait, and no variable of it is one that nobody has set.
pub fn connector_toml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(connector) = connector_from_text("fuzz", Path::new("connector.toml"), text) else { return };
    let readers = Readers::compile(&connector.file).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    Decoder::compile(&connector.file, &readers).unwrap_or_else(|error| panic!("{error}\n{text}"));
}

/// A declaration put together from the vocabulary, each choice by a byte.
pub fn declarations(data: &[u8]) {
    without_fault(&crate::declarations::declaration(data.to_vec()));
}
