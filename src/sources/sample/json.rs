//! JSON, and XML that was converted to it: the longest list of objects is that of the records.

use std::collections::HashMap;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::fields::select_path::quoted;
use crate::fields::unmapped_field_path;
use crate::model::connector::RecordLayout;
use crate::model::text::{fold, is_blank};
use crate::sources::embedded::json_of;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::json_scalar::scalar;
use crate::sources::sample::{MAX_RECORDS, Sample, SampleField, SampleFormat, no_records};

/// Objects inside each other in which a list or a field is looked for.
const MAX_DEPTH: usize = 8;
/// Fields of a record that are looked at.
const MAX_FIELDS: usize = 300;

pub(super) fn sample(text: &str, is_heading: &dyn Fn(&str) -> bool) -> Result<Sample, SourceError> {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return of_lines(text) };
    if let Some((path, columns, names, rows)) = rows_in(&value) {
        // Else the first row may be a record.
        if columns.is_none() && !names.iter().any(|name| is_heading(&fold(name))) {
            return Err(no_records("known heading in its first row"));
        }
        let records = rows.iter().filter_map(Value::as_array).take(MAX_RECORDS);
        let records: Vec<Value> =
            records.map(|row| Value::Object(names.iter().cloned().zip(row.iter().cloned()).collect())).collect();
        let format = SampleFormat::Json { records: path, layout: RecordLayout::Rows, columns };
        return Ok(of_records(format, &records.iter().collect::<Vec<_>>()));
    }
    let mut best: Option<(String, Vec<&Value>)> = None;
    lists_in(&value, String::new(), 0, &mut best);
    if let Some((records, list)) = best {
        let mut numbers = Vec::new();
        numbers_in(&value, String::new(), 0, &records, &mut numbers);
        let format = SampleFormat::Json { records, layout: RecordLayout::List, columns: None };
        return Ok(Sample { numbers, ..of_records(format, &list) });
    }
    // An object of objects with the same keys.
    match value.as_object() {
        Some(map) if map.len() > 1 && map.values().all(Value::is_object) => {
            let format = SampleFormat::Json { records: String::new(), layout: RecordLayout::Map, columns: None };
            let mut sample = of_records(format, &map.values().take(MAX_RECORDS).collect::<Vec<_>>());
            let values = map.keys().take(MAX_RECORDS).cloned().collect();
            sample.fields.insert(0, SampleField { name: "#key".to_owned(), nth: None, position: None, values });
            Ok(sample)
        }
        _ => Err(no_records("list of objects")),
    }
}

/// The records of a converted XML document: the elements of one name that occur most often beside each other.
pub(super) fn of_xml(json: &str) -> Result<Sample, SourceError> {
    let value: Value = serde_json::from_str(json).map_err(|_| no_records("elements that repeat"))?;
    let mut best: Option<(String, Vec<&Value>)> = None;
    lists_in(&value, String::new(), 0, &mut best);
    let (records, list) = best.ok_or_else(|| no_records("elements that repeat"))?;
    Ok(of_records(SampleFormat::Xml { records }, &list))
}

fn of_lines(text: &str) -> Result<Sample, SourceError> {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).take(MAX_RECORDS);
    let records: Vec<Value> =
        lines.filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect();
    if records.len() < 2 {
        return Err(SourceError::new(ErrorKind::NotJson, "the sample is neither JSON nor one JSON object per line"));
    }
    let format = SampleFormat::Json { records: String::new(), layout: RecordLayout::Lines, columns: None };
    Ok(of_records(format, &records.iter().collect::<Vec<_>>()))
}

/// Finds the longest list of objects.
fn lists_in<'v>(value: &'v Value, path: String, depth: usize, best: &mut Option<(String, Vec<&'v Value>)>) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Array(list) if list.first().is_some_and(Value::is_object) && is_longer(list, best.as_ref()) => {
            *best = Some((path, list.iter().take(MAX_RECORDS).collect()));
        }
        Value::Object(map) => {
            for (key, below) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                lists_in(below, path, depth + 1, best);
            }
        }
        _ => {}
    }
}

fn is_longer(list: &[Value], best: Option<&(String, Vec<&Value>)>) -> bool {
    best.is_none_or(|(_, known)| list.len() > known.len())
}

/// A list of lists: its path and that of its columns, their names, the rows.
type Rows = (String, Option<String>, Vec<String>, Vec<Value>);

/// A list of lists with the names of its columns beside it, or in its first row.
fn rows_in(value: &Value) -> Option<Rows> {
    let is_rows =
        |value: &Value| value.as_array().is_some_and(|list| list.len() > 1 && list.iter().all(Value::is_array));
    let names = |value: &Value| -> Option<Vec<String>> {
        value.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    };
    if is_rows(value) {
        let rows = value.as_array()?;
        return Some((String::new(), None, names(rows.first()?)?, rows[1..].to_vec()));
    }
    let map = value.as_object()?;
    let (path, rows) = map.iter().find(|(_, value)| is_rows(value))?;
    let rows = rows.as_array()?;
    let beside = map.iter().find_map(|(key, value)| {
        let found = names(value).map(|names| (key.clone(), names)).or_else(|| {
            let of_objects: Option<Vec<String>> =
                value.as_array()?.iter().map(|column| column.get("name")?.as_str().map(str::to_owned)).collect();
            Some((format!("{key}[].name"), of_objects?))
        })?;
        (found.1.len() == rows.first()?.as_array()?.len()).then_some(found)
    });
    match beside {
        Some((columns, names)) => Some((path.clone(), Some(columns), names, rows.clone())),
        None => Some((path.clone(), None, names(rows.first()?)?, rows[1..].to_vec())),
    }
}

/// Whole numbers of the envelope, by their paths.
fn numbers_in(value: &Value, path: String, depth: usize, records: &str, numbers: &mut Vec<(String, u64)>) {
    if let Some(number) = value.as_u64().or_else(|| value.as_str()?.parse().ok()) {
        numbers.push((path, number));
    } else if let Some(map) = value.as_object().filter(|_| depth < MAX_DEPTH && numbers.len() < MAX_FIELDS) {
        for (key, below) in map.iter().filter(|(key, _)| is_name(key)) {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            if path != records {
                numbers_in(below, path, depth + 1, records, numbers);
            }
        }
    }
}

/// Whether a key is a name of a field that can be shown and written as a step of a path. Others may be data. It is looked at
/// composed (NFC), and written as it is: the reader compares keys byte by byte.
fn is_name(key: &str) -> bool {
    let composed: String = key.nfc().collect();
    !key.contains('"') && unmapped_field_path("", &composed) == composed
}

fn of_records(format: SampleFormat, records: &[&Value]) -> Sample {
    let mut fields = Fields::default();
    for record in records {
        fields.add_object(record, "", 1);
    }
    let mut fields = fields.found;
    fields.sort_by_key(|field| fields_order(&field.name));
    Sample {
        format,
        fields,
        records: records.len(),
        footers: Vec::new(),
        numbers: Vec::new(),
        upper_headings: Vec::new(),
    }
}

/// Fields of a record stand before those of the objects in it.
fn fields_order(name: &str) -> usize {
    name.matches(['.', '[']).count()
}

/// Keys whose value distinguishes the objects of a list, as in `[{"@key": "due", "@value": "…"}]`.
const DISTINGUISHING_KEYS: [&str; 5] = ["@key", "@name", "key", "code", "type"];

/// The key whose value is another identifier in each object of a list. A path has these values, so a text that may be of a
/// person is none.
fn distinguishing_key(list: &[Value]) -> Option<&'static str> {
    let is_distinguishing = |key: &&&str| {
        let mut values: Vec<&str> = list.iter().filter_map(|element| element.get(**key)?.as_str()).collect();
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:.".contains(&byte);
        let is_identifier = |value: &&str| {
            (1..=60).contains(&value.len())
                && value.bytes().all(is_sign)
                && value.bytes().filter(u8::is_ascii_digit).count() < 4
        };
        let is_plain = values.iter().all(is_identifier);
        values.sort_unstable();
        values.dedup();
        is_plain && values.len() == list.len() && list.len() <= MAX_FIELDS
    };
    DISTINGUISHING_KEYS.iter().find(is_distinguishing).copied()
}

/// The fields that were found so far.
#[derive(Default)]
struct Fields {
    found: Vec<SampleField>,
    /// Place in `found` by path.
    places: HashMap<String, usize>,
}

impl Fields {
    /// Adds the members of an object; of anything else nothing.
    fn add_object(&mut self, object: &Value, path: &str, depth: usize) {
        for (key, value) in object.as_object().into_iter().flatten().filter(|(key, _)| is_name(key)) {
            let step = quoted(key);
            self.add(&if path.is_empty() { step } else { format!("{path}.{step}") }, value, depth);
        }
    }

    fn add(&mut self, path: &str, value: &Value, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            // An element of converted XML that stands alone, and may stand beside others.
            Value::Object(map) if map.contains_key("@key") && !path.ends_with(']') => {
                self.add(path, &Value::Array(vec![value.clone()]), depth);
            }
            Value::Object(_) => self.add_object(value, path, depth + 1),
            Value::Array(list) => match distinguishing_key(list) {
                Some(key) => {
                    for element in list {
                        let filter = element[key].as_str().unwrap_or_default();
                        self.add(&format!("{path}[{key}={filter}]"), element, depth + 1);
                    }
                }
                None => {
                    if let Some(first) = list.first() {
                        self.add(&format!("{path}[0]"), first, depth + 1);
                    }
                }
            },
            Value::Null => {}
            _ => {
                let embedded = value.as_str().and_then(|text| json_of(text)?.ok());
                match embedded.map(|json| serde_json::from_str::<Value>(&json)) {
                    Some(Ok(inner @ Value::Object(_))) => self.add_object(&inner, path, depth + 1),
                    _ => self.add_text(path, value),
                }
            }
        }
    }

    fn add_text(&mut self, path: &str, value: &Value) {
        let place = match self.places.get(path) {
            Some(place) => *place,
            None if self.found.len() == MAX_FIELDS => return,
            None => {
                let place = self.found.len();
                self.places.insert(path.to_owned(), place);
                self.found.push(SampleField { name: path.to_owned(), nth: None, position: None, values: Vec::new() });
                place
            }
        };
        let text = scalar(&value.to_string()).ok().flatten().unwrap_or_default().into_owned();
        if !is_blank(&text) {
            self.found[place].values.push(text);
        }
    }
}
