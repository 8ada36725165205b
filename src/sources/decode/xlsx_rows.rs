//! Checks that the row numbers of a sheet increase. Of two rows with one number, the workbook's reader gives the cells as
//! those of one row, so that one of two records would be lost.

use memchr::{memchr, memmem, memrchr};

use crate::sources::error::{ErrorKind, SourceError};

/// Checks the text of a sheet.
///
/// # Errors
/// `file_damaged` if a row has the number of an earlier row or a smaller one.
pub(crate) fn check(text: &[u8]) -> Result<(), SourceError> {
    let mut last = 0_u32;
    for at in memmem::find_iter(text, b"row") {
        let Some(attributes) = attributes_of_row(text, at) else { continue };
        // A row without a number, or with one that cannot be read, follows the row before it.
        let number = number_of(attributes).unwrap_or(last.saturating_add(1));
        if number <= last {
            let message = format!("row {number} of a sheet comes twice, or after a later row");
            return Err(SourceError::new(ErrorKind::FileDamaged, message));
        }
        last = number;
    }
    Ok(())
}

/// The attributes of the tag whose local name is at `at`; `None` if no opening tag `row` is there.
fn attributes_of_row(text: &[u8], at: usize) -> Option<&[u8]> {
    let after = &text[at + b"row".len()..];
    let is_whole_name = after.first().is_some_and(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte));
    let before = &text[..at];
    let tag = memrchr(b'<', before)?;
    let prefix = &before[tag + 1..];
    let is_prefix = prefix.is_empty() || (prefix.ends_with(b":") && prefix.iter().all(|byte| is_of_name(*byte)));
    (is_whole_name && is_prefix).then(|| &after[..memchr(b'>', after).unwrap_or(after.len())])
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":_-.".contains(&byte)
}

/// The value of the attribute `r`.
fn number_of(attributes: &[u8]) -> Option<u32> {
    let attributes = std::str::from_utf8(attributes).ok()?;
    let mut rest = attributes;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, others) = after[1..].split_once(quote)?;
        if name.trim() == "r" {
            return value.trim().parse().ok();
        }
        rest = others;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_numbers_must_increase() {
        for text in [
            r#"<sheetData><row r="1"><c r="A1"/></row><row r="3"/></sheetData><rowBreaks count="1"/>"#,
            r#"<row><c/></row><row spans="1:2" r='2'/><row/><x:row r = "9"></x:row>"#,
            r#"<row r="1"/><c t="inlineStr"><is><t>row r="1"</t></is></c>"#,
            "",
            "row",
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
        for text in [
            r#"<row r="1"/><row r="2"><c r="A2"/></row><row r="2"><c r="D2"/></row>"#,
            r#"<row r="2"/><row r="1"/>"#,
            r#"<x:row r="1"/><x:row s="3" r='1'/>"#,
            r#"<row/><row/><row r="2"/>"#,
        ] {
            assert_eq!(check(text.as_bytes()).map_err(|error| error.kind), Err(ErrorKind::FileDamaged), "{text}");
        }
    }
}
