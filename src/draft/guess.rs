//! Guesses which field of a sample means which column, and how its texts are read.

use std::collections::{BTreeMap, HashSet};

use crate::draft::headings::{columns_of, key_of, word_of};
use crate::fields::FieldReader;
use crate::model::connector::{ColumnPlace, FieldMap, FieldType, OneOrMany, RepeatedHeading, SourceField};
use crate::model::record::Value;
use crate::model::table::{Column, ColumnType, RecordKind};
use crate::sources::sample::{Sample, SampleField};

/// Formats in which systems of the field write dates, the more usual first.
const FORMATS: [&str; 22] = [
    "dd/MM/yyyy[ HH:mm[:ss]]",
    "yyyy-MM-dd[ HH:mm[:ss[.S]]]",
    "yyyy-MM-ddTHH:mm:ss[.S][Z]",
    "yyyy-MM-dd HH:mm:ss[.S]Z",
    "dd-MM-yyyy[ HH:mm[:ss]]",
    "d/M/yyyy[ H:mm[:ss]]",
    "dd.MM.yyyy[ HH:mm[:ss]]",
    "HH:mm[:ss] dd/MM/yyyy",
    "dd/MM/yyyy[ hh:mm[:ss] a]",
    "d/M/yyyy[ h:mm[:ss] a]",
    "M/d/yyyy[ h:mm[:ss] a]",
    "M/d/yyyy[ H:mm[:ss]]",
    "yyyyMMdd[HHmmss]",
    "dd-MMM-yyyy[ HH:mm[:ss]]",
    "dd-MMM-yy",
    "MMM d, yyyy[ h:mm[:ss] a]",
    "'Ngày' d MMM 'năm' yyyy",
    "aspnet_date",
    "epoch_milliseconds",
    "epoch_seconds",
    "spreadsheet_serial",
    "dd/MM/yy",
];
/// Most formats of one field.
const MAX_FORMATS: usize = 3;
/// Years in which dates of dossiers lie.
const YEARS: [&str; 2] = ["1990-01-01", "2100-12-31"];
/// Different words of a list; a field with more is none.
const MAX_WORDS: usize = 30;
/// A field is mapped if at least so many of a hundred texts are read.
const LEAST_READ: usize = 50;

/// What was guessed for one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    pub column: &'static str,
    pub field: SampleField,
    pub map: FieldMap,
    /// Texts of the sample, and those of them that the map reads.
    pub texts: usize,
    pub read: usize,
    /// Words of the sample that are not known, with the number of their records.
    pub unknown_words: Vec<(String, usize)>,
    /// Every text could as well be a date with month and day exchanged.
    pub is_day_or_month: bool,
}

/// The guesses for a sample, in the order of the table's columns.
pub(super) fn guesses(kind: RecordKind, sample: &Sample) -> Vec<Guess> {
    let mut candidates: Vec<(usize, Guess)> = Vec::new();
    for field in sample.fields.iter().filter(|field| !field.name.is_empty()) {
        for (name, place) in columns_of(kind, &field.name) {
            let column = kind.columns().iter().find(|column| column.name == name);
            if let Some(guess) = column.and_then(|column| guess(kind, column, field, sample)) {
                candidates.push((place, guess));
            }
        }
    }
    // The more usual name first; of equal ones the field that stands first.
    candidates.sort_by_key(|(place, _)| *place);
    let mut found: Vec<Guess> = Vec::new();
    for (_, guess) in candidates {
        let is_taken = |known: &Guess| known.column == guess.column || known.field == guess.field;
        if !found.iter().any(is_taken) {
            found.push(guess);
        }
    }
    found.sort_by_key(|guess| kind.column_index(guess.column));
    set_key(&mut found, sample);
    found
}

/// Makes the field that is different in every record required: the key.
fn set_key(guesses: &mut [Guess], sample: &Sample) {
    let is_key = |guess: &Guess| {
        let different: HashSet<&String> = guess.field.values.iter().collect();
        different.len() == sample.records && guess.read == sample.records && sample.records > 0
    };
    let keys = ["source_key", "item_code", "dossier_code", "feedback_code"];
    let found = keys.iter().find_map(|key| guesses.iter().position(|guess| guess.column == *key && is_key(guess)));
    if let Some(at) = found {
        guesses[at].map.required = true;
    }
}

fn guess(kind: RecordKind, column: &'static Column, field: &SampleField, sample: &Sample) -> Option<Guess> {
    if field.values.is_empty() {
        return None;
    }
    let source = match (field.nth, field.position) {
        (Some(nth), _) => SourceField::Repeated(RepeatedHeading { column: field.name.clone(), nth }),
        (None, Some(position)) if field.name.is_empty() => SourceField::Placed(ColumnPlace { position }),
        _ => SourceField::Name(field.name.clone()),
    };
    let mut map = FieldMap { from: OneOrMany::One(source), ..FieldMap::of(type_of(kind, column)) };
    let mut unknown_words = Vec::new();
    let mut is_day_or_month = false;
    match map.field_type {
        FieldType::Instant => {
            (map.formats, is_day_or_month) = formats_of(&field.values)?;
            if let Some((time, formats)) = time_of(field, sample, &map.formats) {
                (map.time, map.formats) = (Some(time), formats);
            }
        }
        FieldType::Word => {
            let mut words: BTreeMap<&String, usize> = BTreeMap::new();
            field.values.iter().for_each(|text| *words.entry(text).or_default() += 1);
            if words.len() > MAX_WORDS {
                return None;
            }
            for (text, records) in words {
                match word_of(kind, column.name, text) {
                    Some(word) => drop(map.codes.insert(text.clone(), word.to_owned())),
                    None => unknown_words.push((text.clone(), records)),
                }
            }
            if map.codes.is_empty() {
                return None;
            }
        }
        _ => {}
    }
    let reader = FieldReader::compile(column.name, &map, &[]).ok()?;
    let read = field.values.iter().filter(|text| reader.read(text).is_ok_and(|value| value != Value::Null)).count();
    let is_fit = read * 100 >= field.values.len() * LEAST_READ && sample.records > 0;
    let texts = field.values.len();
    is_fit.then(|| Guess {
        column: column.name,
        field: field.clone(),
        map,
        texts,
        read,
        unknown_words,
        is_day_or_month,
    })
}

/// The field with the time of day of a date, if there is one, and the formats of both.
fn time_of(date: &SampleField, sample: &Sample, formats: &[String]) -> Option<(SourceField, Vec<String>)> {
    // `Ngày nhận` and `Giờ nhận`, `Hẹn trả ngày` and `Hẹn trả giờ`.
    let rest = key_of(&date.name).replacen("ngay", "", 1);
    let is_beside = |field: &&SampleField| {
        let key = key_of(&field.name);
        let is_next = || field.position.zip(date.position).is_some_and(|(time, date)| time == date + 1);
        let of = key.replacen("gio", "", 1);
        key.contains("gio") && (of == rest || of.is_empty() && is_next())
    };
    let time = sample.fields.iter().find(is_beside)?;
    let day = date.values.first()?;
    let joined: Vec<String> = time.values.iter().map(|time| format!("{day} {time}")).collect();
    let (found, _) = formats_of(&joined)?;
    let missing = formats.iter().filter(|format| !found.contains(format)).cloned();
    let source = match time.nth {
        Some(nth) => SourceField::Repeated(RepeatedHeading { column: time.name.clone(), nth }),
        None => SourceField::Name(time.name.clone()),
    };
    Some((source, found.iter().cloned().chain(missing).collect()))
}

/// What a field that is not mapped may be: for the comment beside its name.
pub(super) fn hint(kind: RecordKind, sample: &Sample, name: &str) -> Option<String> {
    let field = sample.fields.iter().find(|field| field.name == name)?;
    let columns: Vec<&str> = columns_of(kind, name).into_iter().map(|(column, _)| column).collect();
    if let Some((formats, _)) = formats_of(&field.values) {
        return Some(format!("a date: {}", formats.join(" or ")));
    }
    let different: HashSet<&String> = field.values.iter().collect();
    match columns.as_slice() {
        [column, ..] if different.len() <= MAX_WORDS => {
            Some(format!("perhaps {column}; {} words, none of which is known", different.len()))
        }
        _ if sample.records > 1 && different.len() == sample.records && is_code(&field.values) => {
            Some("different in every record".to_owned())
        }
        _ => None,
    }
}

fn is_code(values: &[String]) -> bool {
    let reader = FieldReader::compile("x", &FieldMap::of(FieldType::Code), &[]);
    reader.is_ok_and(|reader| values.iter().all(|text| reader.read(text).is_ok()))
}

fn type_of(kind: RecordKind, column: &Column) -> FieldType {
    match (column.column_type, column.name) {
        (ColumnType::Instant, _) => FieldType::Instant,
        (ColumnType::Flag, _) => FieldType::Flag,
        (ColumnType::Integer, _) => FieldType::Integer,
        (ColumnType::Text, _) if !column.words.is_empty() => FieldType::Word,
        (ColumnType::Text, "dossier_code" | "national_code" | "feedback_code") => FieldType::DossierCode,
        (ColumnType::Text, "procedure_code") => FieldType::ProcedureCode,
        (ColumnType::Text, "item_code") if kind == RecordKind::PostalItems => FieldType::ItemCode,
        (ColumnType::Text, name) if name == "agency" || name.ends_with("_agency") => FieldType::Agency,
        _ => FieldType::Code,
    }
}

/// The formats that read the texts of a field: the fewest that read the most. `None` if none reads a half.
fn formats_of(values: &[String]) -> Option<(Vec<String>, bool)> {
    let reads = |formats: &[&str]| {
        let bounds = format!("least = '{}'\nmost = '{}'\n", YEARS[0], YEARS[1]);
        let formats: Vec<String> = formats.iter().map(|format| toml::Value::from(*format).to_string()).collect();
        let map = format!("from = 'x'\ntype = 'instant'\nformats = [{}]\n{bounds}", formats.join(", "));
        let reader = FieldReader::compile("x", &toml::from_str(&map).ok()?, &[]).ok()?;
        // What means that there is no date proves no format.
        Some(values.iter().filter(|text| reader.read(text).is_ok_and(|value| value != Value::Null)).count())
    };
    let mut chosen: Vec<&str> = Vec::new();
    let mut known = 0;
    while chosen.len() < MAX_FORMATS && known < values.len() {
        let tried = FORMATS.iter().filter_map(|format| Some((reads(&[&chosen[..], &[*format]].concat())?, *format)));
        // Of equal ones the first, which is the more usual.
        let best = tried.fold((known, ""), |best, next| if next.0 > best.0 { next } else { best });
        if best.0 == known {
            break;
        }
        known = best.0;
        chosen.push(best.1);
    }
    if known == 0 || known * 100 < values.len() * LEAST_READ {
        return None;
    }
    let exchanged = |format: &&str| format.starts_with("d/M/") || format.starts_with("dd/MM/");
    let is_day_or_month = chosen.iter().any(exchanged)
        && reads(&["M/d/yyyy[ H:mm[:ss]]", "M/d/yyyy[ h:mm[:ss] a]"]) == Some(values.len());
    Some((chosen.into_iter().map(str::to_owned).collect(), is_day_or_month))
}
