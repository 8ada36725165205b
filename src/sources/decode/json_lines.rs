//! Reads one record per line (NDJSON, JSON Lines).

use serde_json::error::Category;

use crate::model::page::{Page, Reason};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::record_reader::RecordReader;

/// Adds the record of every line that is not blank to the page. The row number is that of the line; a line that is no
/// record spoils its own row.
///
/// # Errors
/// `body_cut_short` if the text ends inside its last line, `page_too_long`, `no_records` if the text is a list.
pub(super) fn read(text: &str, reader: &RecordReader, most: u32, page: &mut Page) -> Result<(), SourceError> {
    if text.trim_start().starts_with('[') {
        let message = "the body is a list, not one object per line: leave `decode.layout` out";
        return Err(SourceError::new(ErrorKind::NoRecords, message));
    }
    let ends_in_line_end = text.ends_with('\n');
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).peekable();
    while let Some((number, line)) = lines.next() {
        if page.len() >= most as usize {
            return Err(SourceError::too_many_records(most as usize));
        }
        let mut record = serde_json::Deserializer::from_str(line);
        let read = reader.read(page, number, (&mut record, None), most as usize).and_then(|()| record.end());
        if let Err(error) = read {
            if page.len() > most as usize {
                return Err(SourceError::too_many_records(most as usize));
            }
            if error.classify() == Category::Eof && lines.peek().is_none() && !ends_in_line_end {
                return Err(SourceError::new(ErrorKind::BodyCutShort, format!("the body ends within line {number}")));
            }
            page.mark_unreadable(Reason::Malformed);
        }
    }
    Ok(())
}
