//! The cells of a page that one reader reads.

use std::borrow::Cow;

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
