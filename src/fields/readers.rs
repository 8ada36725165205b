//! The readers of a connector, and the cells of a page that each reads.

use std::borrow::Cow;
use std::sync::Arc;

use crate::fields::reader::FieldReader;
use crate::model::connector::{ConnectorFile, SourceField};
use crate::model::page::{CELL_STRUCTURE, Page};
use crate::model::text::is_blank;

/// The cells of a page that one reader reads.
#[derive(Debug, Clone, Default)]
pub struct FieldCells {
    /// In order of preference.
    pub from: Vec<usize>,
    /// Time of day, if it has a cell of its own.
    pub time: Option<usize>,
}

impl FieldCells {
    /// The cells of row `index` that are not blank, and their texts, in order of preference.
    pub fn texts<'p>(&self, page: &'p Page, index: usize) -> impl Iterator<Item = (usize, Cow<'p, str>)> {
        let time = self.time.and_then(|cell| page.cell(index, cell)).filter(|time| !is_blank(time));
        let texts = self.from.iter().filter_map(move |&cell| Some((cell, page.cell(index, cell)?)));
        texts.filter(|(_, text)| !is_blank(text)).map(move |(cell, text)| match time {
            Some(time) if text != CELL_STRUCTURE => (cell, with_time(text, time)),
            _ => (cell, Cow::Borrowed(text)),
        })
    }
}

/// A date and the time of day beside it as one text. A marked text of landing, which is no date, stays alone.
fn with_time<'p>(date: &'p str, time: &str) -> Cow<'p, str> {
    if date.starts_with(['?', '~']) {
        return Cow::Borrowed(date);
    }
    // Cells of workbooks: a date at midnight, and a time of day as the fraction of a day.
    let date = date.strip_suffix(" 00:00:00").unwrap_or(date).trim_end();
    let fraction = time.strip_prefix("0.").and_then(|_| time.parse::<f64>().ok());
    let time = match fraction {
        Some(fraction) => {
            #[expect(clippy::cast_possible_truncation, reason = "less than a day")]
            let secs = (fraction * 86_400.0).round() as i64;
            format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
        }
        None => time.trim().to_owned(),
    };
    Cow::Owned(format!("{date} {time}"))
}

/// Readers of a connector, and the source fields that they keep.
#[derive(Debug, Clone)]
pub struct Readers {
    pub readers: Vec<FieldReader>,
    /// Kept source fields, in the order of a page's cells ([`Page::fields`]).
    pub fields: Arc<[String]>,
    /// The declaration of each of `fields`.
    pub sources: Arc<[SourceField]>,
}

impl Readers {
    /// Compiles `[map]` of a connector.
    ///
    /// # Errors
    /// Column, key and message of the first entry that does not compile.
    pub fn compile(file: &ConnectorFile) -> Result<Self, (String, &'static str, String)> {
        let mut readers = Vec::new();
        let (mut fields, mut sources) = (Vec::<String>::new(), Vec::new());
        for (column, map) in &file.map {
            let compiled = FieldReader::compile(column, map, file.decode.null_values());
            let mut reader = compiled.map_err(|(key, why)| (column.clone(), key, why))?;
            reader.ill_typed = map.ill_typed.unwrap_or(file.contract.ill_typed);
            if file.decode.has_date_cells() {
                reader.add_cell_format();
            }
            for source in map.from.as_slice().iter().chain(&map.time) {
                let field = source.name();
                if !fields.contains(&field) {
                    fields.push(field);
                    sources.push(source.clone());
                }
            }
            readers.push(reader);
        }
        Ok(Self { readers, fields: fields.into(), sources: sources.into() })
    }

    /// The cells of each reader in a page.
    #[must_use]
    pub fn cells(&self, page: &Page) -> Vec<FieldCells> {
        let cell = |field: &String| page.fields.iter().position(|kept| kept == field);
        let cells = |reader: &FieldReader| FieldCells {
            from: reader.from.iter().filter_map(cell).collect(),
            time: reader.time.as_ref().and_then(cell),
        };
        self.readers.iter().map(cells).collect()
    }
}
