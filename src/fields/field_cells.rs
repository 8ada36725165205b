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
    /// The cells of row `index` that are not blank, and their texts, in order of preference. `is_none`: whether a time of day
    /// means that there is none.
    pub(super) fn texts<'p>(
        &self,
        page: &'p Page,
        index: usize,
        is_none: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (usize, Cow<'p, str>)> {
        let time = self.time.and_then(|cell| page.cell(index, cell)).map(str::trim);
        let time = time.filter(|time| !is_blank(time) && !is_none(time));
        let texts = self.from.iter().filter_map(move |&cell| Some((cell, page.cell(index, cell)?)));
        texts.filter(|(_, text)| !is_blank(text)).map(move |(cell, text)| match time {
            Some(time) if text != CELL_STRUCTURE => (cell, with_time(text, time)),
            _ => (cell, Cow::Borrowed(text)),
        })
    }
}

/// A date and the time of day beside it as one text. A marked text of landing, which is no date, stays alone.
///
/// Cells of workbooks are a date at midnight, and a time of day as the fraction of a day. Seconds are written beside such a
/// date, whose format has them, else only if there are any.
fn with_time<'p>(date: &'p str, time: &str) -> Cow<'p, str> {
    if date.starts_with(['?', '~']) {
        return Cow::Borrowed(date);
    }
    let day = [" 00:00:00", "T00:00:00"].iter().find_map(|midnight| date.strip_suffix(midnight));
    let is_cell = day.is_some();
    let day = day.unwrap_or(date).trim_end();
    let fraction = if time == "0" { Some(0.0) } else { time.strip_prefix("0.").and_then(|_| time.parse::<f64>().ok()) };
    let time = match fraction {
        Some(fraction) => {
            #[expect(clippy::cast_possible_truncation, reason = "less than a day")]
            let secs = (fraction * 86_400.0).round() as i64;
            let seconds = if is_cell || secs % 60 != 0 { format!(":{:02}", secs % 60) } else { String::new() };
            format!("{:02}:{:02}{seconds}", secs / 3600, secs / 60 % 60)
        }
        // `8:30` beside a date of a cell.
        None if is_cell && is_hours_and_minutes(time) => format!("{time:0>5}:00"),
        None => time.to_owned(),
    };
    Cow::Owned(format!("{day} {time}"))
}

fn is_hours_and_minutes(time: &str) -> bool {
    let is_number = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    time.split_once(':').is_some_and(|(hours, minutes)| is_number(hours) && minutes.len() == 2 && is_number(minutes))
}
