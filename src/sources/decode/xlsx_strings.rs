//! Checks the declared number of shared strings in a workbook: calamine allocates memory by that number.

use crate::sources::error::{ErrorKind, SourceError};

/// Length of the shortest shared string, `<si/>`, in bytes.
const MIN_STRING_BYTES: u64 = 5;
/// Maximum number of strings: each takes about 40 bytes of memory besides its text.
const MAX_STRINGS: u64 = 2_000_000;

/// Checks the part `sharedStrings.xml`.
///
/// # Errors
/// `file_damaged` if it declares more strings than its length allows, `expands_too_far` if it has too many.
pub(crate) fn check(text: &[u8]) -> Result<(), SourceError> {
    let damaged = |message: String| Err(SourceError::new(ErrorKind::FileDamaged, message));
    if text.iter().take(64).any(|byte| *byte == 0) || text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return damaged("the shared strings are not UTF-8".to_owned());
    }
    let possible = text.len() as u64 / MIN_STRING_BYTES;
    let mut strings = 0_u64;
    for tag in text.split(|byte| *byte == b'<').skip(1) {
        let name_end =
            tag.iter().position(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte)).unwrap_or(tag.len());
        let name = tag[..name_end].rsplit(|byte| *byte == b':').next().unwrap_or_default();
        if name == b"si" {
            strings += 1;
        } else if name == b"sst" {
            let end = tag.iter().position(|byte| *byte == b'>').unwrap_or(tag.len());
            let attributes = String::from_utf8_lossy(&tag[name_end..end]);
            // Not `count`, the number of cells that use the strings: it may be larger, and no memory is allocated by
            // it.
            for declared in attributes.split("uniqueCount").skip(1) {
                let declared = declared.trim_start_matches(|symbol: char| symbol == '=' || symbol.is_whitespace());
                let declared = declared.get(1..).unwrap_or_default().split(['"', '\'']).next().unwrap_or_default();
                if declared.trim().parse::<u64>().is_ok_and(|declared| declared > possible)
                    || declared.trim().len() > 12
                {
                    return damaged(format!("the {} bytes of shared strings declare more than fit", text.len()));
                }
            }
        }
    }
    if strings > MAX_STRINGS {
        let message = format!("the workbook has more than {MAX_STRINGS} shared strings");
        return Err(SourceError::new(ErrorKind::ExpandsTooFar, message));
    }
    Ok(())
}
