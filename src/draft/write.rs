//! Writes a draft as the text of `connector.toml`.

use std::fmt::Write as _;

use crate::draft::guess::Guess;
use crate::draft::headings::key_of;
use crate::fields::{FieldReader, shape};
use crate::model::connector::{Encoding, FieldMap, FieldType, OneOrMany, RecordLayout, SourceField};
use crate::model::table::RecordKind;
use crate::sources::sample::{Sample, SampleFormat};

/// Where the sample is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The name of a file.
    File(String),
    /// An address: up to the host, path, query parameters.
    Web { base_url: String, path: String, query: Vec<(String, String)> },
}

/// A text as TOML.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A key as TOML: bare if it can be.
fn key(text: &str) -> String {
    let is_bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if is_bare { text.to_owned() } else { quoted(text) }
}

pub(super) fn connector(
    name: &str,
    kind: RecordKind,
    sample: &Sample,
    guesses: &[Guess],
    unmapped: &[(String, Option<String>)],
    origin: &Origin,
) -> String {
    let mut text = format!(
        "# A first draft, guessed from {} records. Check every line; docs/CONNECTORS.md explains the keys.\n\n\
         [connector]\nversion = 1\ntitle = {}\nkind = {}\n# Name of the program, and whom to ask if it fails.\nsystem = \"?\"\ncontact = \"?\"\n\n",
        sample.records,
        quoted(name),
        quoted(kind.image_name()),
    );
    text.push_str(&access(name, origin));
    text.push_str(&decode(sample, guesses));
    text.push_str(&complete(sample, origin));
    for guess in guesses {
        text.push_str(&map(guess));
    }
    let keys: Vec<&Guess> = guesses.iter().filter(|guess| guess.map.required).collect();
    match keys.as_slice() {
        [] => text.push_str(
            "# No field that was recognised has a different value in every record of the sample. A record needs a key: set `required = true` for the\n\
             # fields that make it, and name their columns.\n[identity]\nkey = []\n\n",
        ),
        [one] if one.column == "source_key" => {}
        keys => {
            let names: Vec<String> = keys.iter().map(|guess| quoted(guess.column)).collect();
            let _ = write!(text, "[identity]\nkey = [{}]\n\n", names.join(", "));
        }
    }
    if !unmapped.is_empty() {
        text.push_str("# Not mapped, and so not stored:\n");
        for (name, hint) in unmapped {
            let hint = hint.as_ref().map(|hint| format!("   ({hint})")).unwrap_or_default();
            let _ = writeln!(text, "#   {}{hint}", name.escape_debug());
        }
    }
    text
}

/// The value of a query parameter; a placeholder if it may be a secret or a number of a person.
fn parameter(name: &str, value: &str) -> String {
    let folded = key_of(name);
    let is_secret = [
        "token",
        "key",
        "secret",
        "pass",
        "pwd",
        "khau",
        "sig",
        "auth",
        "session",
        "credential",
        "ticket",
        "jwt",
        "otp",
    ]
    .iter()
    .any(|word| folded.contains(word));
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let is_date = value.len() <= 10 && value.contains(['-', '/']);
    if is_secret || value.len() > 30 || digits >= 6 && !is_date {
        format!("{{secret:{}}}", folded.to_uppercase())
    } else {
        value.to_owned()
    }
}

/// A path, with a placeholder for each segment that may be a secret: long, or letters and many digits.
fn path_without_secrets(path: &str) -> String {
    let is_secret = |segment: &&str| {
        let digits = segment.bytes().filter(u8::is_ascii_digit).count();
        let is_word = |segment: &str| segment.bytes().all(|byte| byte.is_ascii_alphabetic() || b"-_.".contains(&byte));
        digits >= 6 || segment.len() > 30 && !is_word(segment)
    };
    let shown = |segment| if is_secret(&segment) { "{secret:PATH}" } else { segment };
    path.split('/').map(shown).collect::<Vec<_>>().join("/")
}

/// A word of the sample; its shape if it may be a person's name, a number, a remark, or more than one line.
fn shown(word: &str, records: usize) -> String {
    let words = word.split_whitespace().count();
    if words > 3 && (records < 3 || words > 8) {
        return shape(word);
    }
    let title = FieldReader::compile("x", &FieldMap::of(FieldType::Title), &[]).map(|reader| reader.read(word));
    if matches!(title, Ok(Ok(_))) { word.split_whitespace().collect::<Vec<_>>().join(" ") } else { shape(word) }
}

fn access(name: &str, origin: &Origin) -> String {
    match origin {
        Origin::File(file) => {
            let ending = file.rsplit_once('.').map_or("*", |(_, ending)| ending);
            let pattern = if ending == "gz" || ending == "*" { "*".to_owned() } else { format!("*.{ending}") };
            let variable = name.replace('-', "_").to_uppercase();
            format!(
                "[access]\ntype = \"files\"\nfolder = {}\nglob = {}\n# `lists`: each file is a list of its own; `whole`: the newest file lists everything; `append`: rows are only added.\ncontent = \"lists\"\n\n",
                quoted(&format!("{{env:{variable}_FOLDER}}")),
                quoted(&pattern),
            )
        }
        Origin::Web { base_url, path, query } => {
            let mut text = format!(
                "[access]\ntype = \"http\"\nbase_url = {}\n\n# A login: `[auth]`. Pages: `[pages]`; without it the source is read as one response.\n[request]\npath = {}\n",
                quoted(base_url),
                quoted(&path_without_secrets(path)),
            );
            if !query.is_empty() {
                let pairs: Vec<String> = query
                    .iter()
                    .map(|(name, value)| format!("{} = {}", key(name), quoted(&parameter(name, value))))
                    .collect();
                let _ = writeln!(text, "query = {{ {} }}", pairs.join(", "));
            }
            text.push('\n');
            text
        }
    }
}

fn decode(sample: &Sample, guesses: &[Guess]) -> String {
    // Of headings in two rows, one of the upper row.
    let of_upper = || {
        let is_whole = |name: &&String| guesses.iter().any(|guess| guess.field.name == **name);
        let upper = &sample.upper_headings;
        upper.iter().find(is_whole).or(upper.first()).cloned()
    };
    let heading = || {
        let is_only = |guess: &&Guess| guess.field.nth.is_none();
        let named = guesses.iter().find(is_only).map(|guess| guess.field.name.clone());
        let first = || sample.fields.iter().find(|field| field.nth.is_none() && !field.name.is_empty());
        of_upper().or(named).or_else(|| first().map(|field| field.name.clone())).unwrap_or_default()
    };
    let mut text = "[decode]\n".to_owned();
    match &sample.format {
        SampleFormat::Csv { delimiter, encoding } => {
            let _ = write!(
                text,
                "type = \"csv\"\ndelimiter = {}\n# A column that the header row always has.\nheader = {}\n",
                quoted(&delimiter.to_string()),
                quoted(&heading())
            );
            if *encoding != Encoding::Auto {
                let _ = writeln!(text, "encoding = {}", serde_json::json!(encoding));
            }
        }
        SampleFormat::Workbook => {
            let _ = write!(
                text,
                "type = \"xlsx\"\n# A column that the header row always has.\nheader = {}\n",
                quoted(&heading())
            );
        }
        SampleFormat::Json { records, layout, columns } => {
            text.push_str("type = \"json\"\n");
            if !records.is_empty() {
                let _ = writeln!(text, "records = {}", quoted(records));
            }
            if *layout != RecordLayout::List {
                let _ = writeln!(text, "layout = {}", serde_json::json!(layout));
            }
            if let Some(columns) = columns {
                let _ = writeln!(text, "columns = {}", quoted(columns));
            }
        }
        SampleFormat::Xml { records } => {
            let _ = write!(text, "type = \"xml\"\nrecords = {}\n", quoted(records));
        }
    }
    if !sample.upper_headings.is_empty() {
        text.push_str(
            "# The headings stand in two rows: a column with both is called by both, with ` / ` between them.\nheader_rows = 2\n",
        );
    }
    if !sample.footers.is_empty() {
        let footers: Vec<String> = sample.footers.iter().map(|footer| quoted(footer)).collect();
        let _ = write!(text, "# How the row below the records begins.\nfooters = [{}]\n", footers.join(", "));
    }
    text.push('\n');
    text
}

/// Names of a total of records, as [`key_of`] gives them.
const TOTALS: [&str; 12] = [
    "total",
    "totalelements",
    "totalcount",
    "totalrecords",
    "totalitems",
    "tongso",
    "tong",
    "tongsobanghi",
    "tongbanghi",
    "count",
    "recordcount",
    "soluong",
];

/// What the envelope says of how many records there are: a sample is often the first page of many.
fn complete(sample: &Sample, origin: &Origin) -> String {
    let is_total = |path: &str| TOTALS.contains(&key_of(path.rsplit('.').next().unwrap_or(path)).as_str());
    let records = sample.records as u64;
    let total = sample.numbers.iter().find(|(path, number)| *number >= records && is_total(path));
    let mut text = String::new();
    if let Some((path, number)) = total {
        if *number > records {
            let _ = write!(
                text,
                "# The sample declares {number} records at `{path}` and has {records}: it is one page of several. Say in `[pages]` how to\n\
                 # ask for the next.\n",
            );
        }
        if matches!(origin, Origin::Web { .. }) {
            let _ = write!(text, "[complete]\ntotal = {}\n", quoted(path));
        }
        text.push('\n');
    } else if let Some((path, number)) = sample.numbers.iter().find(|(_, number)| *number > 1) {
        let _ = write!(
            text,
            "# Beside the list stands `{path}` = {number}. If the sample is one page of several, say in `[pages]` how to ask for the\n\
             # next, and in `[complete] total` where the number of all records is.\n\n",
        );
    }
    text
}

fn map(guess: &Guess) -> String {
    let Guess { column, map, texts, read, unknown_words, is_day_or_month, .. } = guess;
    let mut text = String::new();
    if read < texts {
        let _ = writeln!(text, "# {read} of {texts} texts of the sample are read.");
    }
    if *is_day_or_month {
        text.push_str("# Day and month could be exchanged in every text of the sample: compare with the program.\n");
    }
    let _ = writeln!(text, "[map.{column}]");
    let from = match &map.from {
        OneOrMany::One(SourceField::Repeated(repeated)) => {
            format!("{{ column = {}, nth = {} }}", quoted(&repeated.column), repeated.nth)
        }
        from => quoted(&from.names().join("")),
    };
    let _ = write!(text, "from = {from}\ntype = {}\n", serde_json::json!(map.field_type));
    match &map.time {
        Some(SourceField::Repeated(repeated)) => {
            let _ = writeln!(text, "time = {{ column = {}, nth = {} }}", quoted(&repeated.column), repeated.nth);
        }
        Some(time) => {
            let _ = writeln!(text, "time = {}", quoted(&time.name()));
        }
        None => {}
    }
    if map.field_type == FieldType::Instant {
        let formats: Vec<String> = map.formats.iter().map(|format| quoted(format)).collect();
        let _ = writeln!(text, "formats = [{}]", formats.join(", "));
    }
    if map.required {
        text.push_str("required = true\n");
    }
    if !map.codes.is_empty() {
        let _ = writeln!(text, "\n[map.{column}.codes]");
        for (word, meaning) in &map.codes {
            let _ = writeln!(text, "{} = {}", key(word), quoted(meaning));
        }
        for (word, records) in unknown_words {
            let _ = writeln!(text, "# {} = \"\"   # not known: {records} records", key(&shown(word, *records)));
        }
    }
    text.push('\n');
    text
}
