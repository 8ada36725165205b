//! Tables: CSV files, and the rows of a sheet.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use crate::fields::unmapped_field_path;
use crate::model::connector::Encoding;
use crate::model::text::{fold, is_blank};
use crate::sources::decode::{encoding, headings};
use crate::sources::error::SourceError;
use crate::sources::sample::{MAX_BYTES, MAX_RECORDS, Sample, SampleField, SampleFormat, no_records};

/// Rows among which the header row is looked for.
const MAX_TITLE_ROWS: usize = 40;

pub(super) fn sample(bytes: &[u8], is_heading: &dyn Fn(&str) -> bool) -> Result<Sample, SourceError> {
    let encodings: &[Encoding] = if std::str::from_utf8(bytes).is_ok() {
        &[Encoding::Auto]
    } else {
        &[Encoding::Windows1258, Encoding::Tcvn3, Encoding::Windows1252]
    };
    let mut best: Option<(usize, SampleFormat, Vec<Vec<String>>, usize)> = None;
    for &encoding in encodings {
        let text = encoding::text_of(bytes.to_vec(), encoding, MAX_BYTES)?;
        let text = String::from_utf8_lossy(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text)).into_owned();
        for delimiter in [';', ',', '\t', '|'] {
            let rows = rows_of(&text, delimiter);
            let Some((score, header)) = header_of(&rows, is_heading) else { continue };
            if best.as_ref().is_none_or(|(known, ..)| score > *known) {
                best = Some((score, SampleFormat::Csv { delimiter, encoding }, rows, header));
            }
        }
    }
    let (_, format, rows, header) = best.ok_or_else(|| no_records("header row with a known heading beside another"))?;
    Ok(of_rows(format, &rows, header))
}

fn rows_of(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let delimiter = u8::try_from(delimiter).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let rows = reader.records().take(MAX_RECORDS + MAX_TITLE_ROWS).filter_map(Result::ok);
    rows.map(|row| row.iter().map(str::to_owned).collect()).collect()
}

/// The row that is most likely the header row, and how likely: its known headings, and how many cells have a text of their
/// own. `None` if no row has a known heading beside another text.
pub(super) fn header_of(rows: &[Vec<String>], is_heading: &dyn Fn(&str) -> bool) -> Option<(usize, usize)> {
    let score = |row: &Vec<String>| {
        let folded: Vec<String> = row.iter().map(|cell| fold(cell)).collect();
        let has_letters = |cell: &&String| cell.chars().any(char::is_alphabetic);
        let texts = folded.iter().filter(has_letters).count();
        let known = folded.iter().filter(|cell| is_heading(cell)).count();
        // Without a known heading it may be a record.
        if texts < 2 || known == 0 { 0 } else { texts + 3 * known }
    };
    let scores: Vec<usize> = rows.iter().take(MAX_TITLE_ROWS).map(score).collect();
    let best = scores.iter().max().copied().filter(|best| *best > 0)?;
    Some((best, scores.iter().position(|score| *score == best)?))
}

/// The sample of a table whose header row is row `header`, or one of two rows of headings.
pub(super) fn of_rows(format: SampleFormat, rows: &[Vec<String>], header: usize) -> Sample {
    let of_two = [Some(header), header.checked_sub(1)].into_iter().flatten().find(|upper| are_headings(rows, *upper));
    let (headings, upper_headings, first) = match of_two {
        Some(upper) => {
            let names_in = |row: &[String]| row.iter().map(|cell| plain_name(cell)).collect::<Vec<String>>();
            let (over, below) = (names_in(&rows[upper]), names_in(&rows[upper + 1]));
            let names = over.iter().map(|name| name_of(name)).filter(|name| !name.is_empty()).collect();
            (headings::joined(&over, &below), names, upper + 2)
        }
        None => (rows[header].clone(), Vec::new(), header + 1),
    };
    let mut records: Vec<&Vec<String>> =
        rows[first..].iter().filter(|row| row.iter().any(|cell| !is_blank(cell))).take(MAX_RECORDS).collect();
    let footers = remove_footers(&mut records);
    let mut counts: HashMap<String, u32> = HashMap::new();
    for heading in &headings {
        *counts.entry(fold(heading)).or_default() += 1;
    }
    let mut seen: HashMap<String, u32> = HashMap::new();
    let field = |(column, heading): (usize, &String)| {
        let folded = fold(heading);
        let place = seen.entry(folded.clone()).or_default();
        *place += 1;
        let texts = records.iter().filter_map(|row| row.get(column)).filter(|text| !is_blank(text));
        SampleField {
            name: name_of(heading),
            nth: (counts[&folded] > 1 && !folded.is_empty()).then_some(*place),
            position: u32::try_from(column + 1).ok(),
            values: texts.cloned().collect(),
        }
    };
    let fields: Vec<SampleField> = headings.iter().enumerate().map(field).collect();
    Sample { format, fields, records: records.len(), footers, numbers: Vec::new(), upper_headings }
}

/// Whether row `upper` and the one below it are headings in two rows: some headings of the upper one have nothing below
/// them, as a key has in no record; an empty cell beside a heading has one below it; and the lower row has only words.
fn are_headings(rows: &[Vec<String>], upper: usize) -> bool {
    let Some(lower) = rows.get(upper + 1) else { return false };
    let upper = &rows[upper];
    let has_text = |row: &[String], at: usize| row.get(at).is_some_and(|cell| !is_blank(cell));
    let is_word = |cell: &str| {
        cell.chars().any(char::is_alphabetic) && !cell.chars().any(|symbol| symbol.is_numeric() || symbol == '@')
    };
    let below = (0..lower.len()).filter(|at| has_text(lower, *at));
    let is_under_none = |at: usize| at > 0 && !has_text(upper, at) && (0..at).any(|left| has_text(upper, left));
    below.clone().count() > 1
        && below.clone().any(is_under_none)
        && below.filter_map(|at| lower.get(at)).all(|cell| is_word(cell))
        && (0..upper.len()).any(|at| has_text(upper, at) && !has_text(lower, at))
        && upper.iter().filter(|cell| !is_blank(cell)).count() > 1
        && upper.iter().filter(|cell| !is_blank(cell)).all(|cell| is_word(cell))
}

/// A heading with single spaces, composed (NFC) as the reader compares it. macOS writes letters and marks apart (NFD).
fn plain_name(heading: &str) -> String {
    heading.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect()
}

/// The same; empty if it may be data of a person.
fn name_of(heading: &str) -> String {
    let name = plain_name(heading);
    if unmapped_field_path("", &name) == name { name } else { String::new() }
}

/// Removes the rows at the end that fill less than half of what the fullest row does, such as sums and signatures, and
/// returns how the first of them begins.
fn remove_footers(records: &mut Vec<&Vec<String>>) -> Vec<String> {
    let filled = |row: &Vec<String>| row.iter().filter(|cell| !is_blank(cell)).count();
    let most = records.iter().map(|row| filled(row)).max().unwrap_or(0);
    let mut first: Option<&Vec<String>> = None;
    while let Some(last) = records.last().copied().filter(|row| filled(row) * 2 < most) {
        first = Some(last);
        records.pop();
    }
    let cell = first.and_then(|row| row.iter().find(|cell| !is_blank(cell)));
    let begin = cell
        .map(|cell| cell.split(|sign: char| sign.is_ascii_digit() || sign == ':').next().unwrap_or_default().trim());
    let is_word = |text: &&str| text.chars().any(char::is_alphabetic) && text.split(' ').count() <= 3;
    begin.filter(is_word).map(str::to_owned).into_iter().collect()
}
