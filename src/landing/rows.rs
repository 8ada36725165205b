//! Rows of a landed page as lines of JSON: `[row, reason or null, cell, …]`. Texts are scrubbed before they are
//! written.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};

use crate::fields::Readers;
use crate::landing::scrub::RowCheck;
use crate::model::page::{Page, Reason};

/// Appends one line for each row of the page.
pub(super) fn write_rows(page: &Page, readers: &Readers, out: &mut Vec<u8>) {
    let cells = readers.cells(page);
    let mut check = RowCheck::new(page.fields.len());
    for index in 0..page.len() {
        let (row, reason) = page.row(index);
        check.check(page, index, &readers.of_row(page, index, &cells));
        let _ = write!(out, "[{row},");
        match reason {
            Some(reason) => write_text(reason.code(), out),
            None => out.extend_from_slice(b"null"),
        }
        for cell in 0..page.fields.len() {
            out.push(b',');
            match page.cell(index, cell) {
                None => out.extend_from_slice(b"null"),
                Some(text) => write_text(&check.scrubbed(cell, text), out),
            }
        }
        out.extend_from_slice(b"]\n");
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("text into memory cannot fail");
}

/// Appends the row of a line to the page.
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
        if let Some(reason) = reason {
            // A code of another version of motcua: the row is unreadable for a reason that this version does not know.
            self.0.refuse_row(reason.parse().unwrap_or(Reason::Malformed));
        }
        Ok(())
    }
}

/// Text that is borrowed from the line if it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
