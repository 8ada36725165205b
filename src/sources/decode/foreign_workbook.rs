//! The parts of a workbook of any format, as XLSX without compression: `.xlsx` and `.xlsm` as they are, `.xls`, `.xlsb`
//! and `.ods` rewritten. One reader then reads them all.

use std::io::Cursor;

use zip::ZipArchive;

use crate::sources::decode::compound_file::COMPOUND_FILE;
use crate::sources::decode::{inflate, ods_workbook, xls_workbook, xlsb_workbook};
use crate::sources::error::{ErrorKind, SourceError};

/// Content of the part `mimetype` of an OpenDocument workbook, and of its templates.
const SPREADSHEET: &str = "application/vnd.oasis.opendocument.spreadsheet";
/// Longest part that says which parts are encrypted.
const MANIFEST_BYTES: u64 = 1 << 20;

/// # Errors
/// As [`inflate::workbook`], `xls_workbook`, `xlsb_workbook` and `ods_workbook`.
pub(crate) fn stored(bytes: Vec<u8>, limit: u64) -> Result<Vec<u8>, SourceError> {
    if bytes.starts_with(COMPOUND_FILE) {
        let stream: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        if memchr::memmem::find(&bytes, &stream).is_none() {
            return xls_workbook::plain(bytes, limit);
        }
    }
    if bytes.starts_with(b"PK") && part(&bytes, "mimetype", 100)?.is_some_and(|kind| kind.starts_with(SPREADSHEET)) {
        let manifest = part(&bytes, "META-INF/manifest.xml", MANIFEST_BYTES)?.unwrap_or_default();
        if manifest.contains("encryption-data") {
            return Err(SourceError::new(ErrorKind::FileEncrypted, "the workbook is protected by a password"));
        }
        let content = part(&bytes, "content.xml", limit)?;
        drop(bytes);
        let content = content.ok_or_else(|| SourceError::new(ErrorKind::FileDamaged, "the workbook has no content"))?;
        return ods_workbook::plain(&content, limit);
    }
    if bytes.starts_with(b"PK") && has_part(&bytes, xlsb_workbook::WORKBOOK) {
        return xlsb_workbook::plain(bytes, limit);
    }
    inflate::workbook(bytes, limit)
}

/// Whether an archive has a part, in small or capital letters.
fn has_part(bytes: &[u8], wanted: &str) -> bool {
    let Ok(archive) = ZipArchive::new(Cursor::new(bytes)) else { return false };
    archive.file_names().filter_map(Result::ok).any(|name| name.eq_ignore_ascii_case(wanted))
}

/// A part of an archive; `None` if it has none of this name. What is no archive has none: who reads it says why.
fn part(bytes: &[u8], name: &str, limit: u64) -> Result<Option<String>, SourceError> {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else { return Ok(None) };
    let Ok(mut part) = archive.by_name(name) else { return Ok(None) };
    let (mut text, mut left) = (Vec::new(), limit);
    inflate::copy(&mut part, &mut text, &mut left, limit)?;
    let not_utf8 = |_| SourceError::new(ErrorKind::FileDamaged, "a part of the workbook is not UTF-8");
    String::from_utf8(text).map(Some).map_err(not_utf8)
}

#[cfg(test)]
#[path = "foreign_workbook_tests.rs"]
mod tests;
