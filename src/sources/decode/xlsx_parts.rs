//! Checks the parts of a workbook for what its reader, calamine, does not check.

use std::io::Cursor;

use memchr::memmem;
use zip::ZipArchive;

use crate::sources::decode::{xlsx_rows, xlsx_strings};
use crate::sources::error::{ErrorKind, SourceError};

/// What must be known of a workbook before its sheets are read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WorkbookFacts {
    /// Whether a sheet has merged cells.
    pub(crate) has_merged_cells: bool,
    /// Whether numbers of days count from 1904, as in old workbooks of the Macintosh.
    pub(crate) counts_from_1904: bool,
}

/// Checks the shared strings and the sheets of an archive whose parts are not compressed.
///
/// # Errors
/// `file_damaged`, `expands_too_far`.
pub(crate) fn check(stored: &[u8]) -> Result<WorkbookFacts, SourceError> {
    let broken = |_| SourceError::new(ErrorKind::FileDamaged, "the workbook's parts cannot be read");
    let mut archive = ZipArchive::new(Cursor::new(stored)).map_err(broken)?;
    let mut facts = WorkbookFacts::default();
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(broken)?;
        let name = part.name().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
        let start = part.data_start().and_then(|start| usize::try_from(start).ok());
        let Some(text) = start.and_then(|start| stored.get(start..)?.get(..usize::try_from(part.size()).ok()?)) else {
            continue;
        };
        if name.ends_with("sharedstrings.xml") {
            xlsx_strings::check(text)?;
        } else if name.strip_prefix("xl/worksheets/").is_some_and(|sheet| !sheet.contains('/')) {
            xlsx_rows::check(text)?;
            facts.has_merged_cells |= memmem::rfind(text, b"mergeCell").is_some();
        } else if name.starts_with("xl/workbook") {
            facts.counts_from_1904 |= counts_from_1904(text);
        }
    }
    Ok(facts)
}

/// Whether the attribute `date1904` of a workbook is set.
fn counts_from_1904(text: &[u8]) -> bool {
    let set = memmem::find(text, b"date1904").map(|at| &text[at + b"date1904".len()..]);
    let value = set.map(<[u8]>::trim_ascii_start).and_then(|rest| rest.strip_prefix(b"="));
    // After the quotation mark.
    let value = value.and_then(|value| value.trim_ascii_start().get(1..));
    value.is_some_and(|value| ["1", "true"].iter().any(|set| value.starts_with(set.as_bytes())))
}
