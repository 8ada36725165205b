//! What of a row may be written: values that fit the type of a field that reads them, and of the rest only
//! their shape.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};

use crate::landing::reason_of;
use crate::model::field::{Readers, failed, first_text, is_harmless, shape, withheld};
use crate::model::page::{Page, Reason};

/// Appends one line a row: `[row, reason or null, cell, …]`.
pub(super) fn write_rows(page: &Page, readers: &Readers, out: &mut Vec<u8>) {
    let cells = readers.cells(page);
    let mut fits = vec![false; page.fields.len()];
    let mut safe = vec![false; page.fields.len()];
    let mut reasons: Vec<Option<Reason>> = vec![None; page.fields.len()];
    for index in 0..page.len() {
        let (row, reason) = page.place(index);
        fits.fill(false);
        safe.fill(false);
        reasons.fill(None);
        let mut row_failed = false;
        for (reader, cells) in readers.readers.iter().zip(&cells) {
            let counting = first_text(page, index, cells).map(|(cell, _)| cell);
            for &cell in cells {
                let Some(text) = page.cell(index, cell).filter(|text| !text.trim().is_empty()) else { continue };
                match reader.read(text) {
                    Ok(_) => {
                        fits[cell] = true;
                        safe[cell] |= reader.is_safe_in_failed_row(text.trim());
                    }
                    Err(reason) => {
                        reasons[cell].get_or_insert(reason);
                        row_failed |= counting == Some(cell) && !reader.tolerant;
                    }
                }
            }
        }
        let _ = write!(out, "[{row},");
        match reason {
            Some(reason) => write_text(reason.code(), out),
            None => out.extend_from_slice(b"null"),
        }
        for cell in 0..page.fields.len() {
            out.push(b',');
            match page.cell(index, cell) {
                None => out.extend_from_slice(b"null"),
                Some(text) if text.trim().is_empty() => out.extend_from_slice(b"\"\""),
                Some(text) if if row_failed { safe[cell] } else { fits[cell] } => write_text(text, out),
                Some(text) if !fits[cell] && is_harmless(text.trim()) => write_text(text, out),
                Some(text) if fits[cell] => write_text(&withheld(text), out),
                Some(text) => {
                    let written = reasons[cell].map_or_else(|| shape(text), |reason| failed(text, reason));
                    write_text(&written, out);
                }
            }
        }
        out.extend_from_slice(b"]\n");
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("text into memory cannot fail");
}

/// Reads a line back into the page.
pub(super) fn read_row(line: &[u8], page: &mut Page) -> Result<(), serde_json::Error> {
    serde_json::Deserializer::from_slice(line).deserialize_seq(Row(page))
}

struct Row<'a>(&'a mut Page);

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a landed row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let row: u32 = seq.next_element()?.ok_or_else(|| A::Error::custom("no row number"))?;
        let reason: Option<Cow<'de, str>> = seq.next_element()?.ok_or_else(|| A::Error::custom("no reason"))?;
        self.0.begin_row(row);
        let mut cell = 0;
        while let Some(text) = seq.next_element::<Option<Text<'de>>>()? {
            if cell >= self.0.fields.len() {
                return Err(A::Error::custom("more cells than fields"));
            }
            if let Some(Text(text)) = text {
                self.0.set(cell, &text);
            }
            cell += 1;
        }
        if let Some(reason) = reason_of(reason.as_deref()) {
            self.0.spoil_row(reason);
        }
        Ok(())
    }
}

/// Text borrowed from the line where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
