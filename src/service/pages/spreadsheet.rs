//! Tables as files for spreadsheets. Always in Vietnamese, whatever the language of the page, since they go into reports.
//!
//! CSV has a byte order mark and CRLF line ends. A cell that a spreadsheet would evaluate as a formula gets an apostrophe.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::page_error::PageError;
use crate::locale::without_formula;
use crate::service::problem::Problem;

/// Media type of XLSX.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Separator that a Vietnamese spreadsheet expects.
pub(super) const SEMICOLON: u8 = b';';

/// A CSV file as a download. `name`: its file name, plain ASCII.
///
/// # Errors
/// 500 if a row cannot be written.
pub(super) fn csv<'h>(
    name: &str,
    separator: u8,
    headings: impl IntoIterator<Item = &'h str>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<Response, PageError> {
    let bytes = csv_bytes(separator, headings, rows);
    let bytes = bytes.map_err(|error| Problem::internal("the file cannot be written", &error))?;
    Ok(file(bytes, "text/csv; charset=utf-8", name))
}

fn csv_bytes<'h>(
    separator: u8,
    headings: impl IntoIterator<Item = &'h str>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<Vec<u8>, ::csv::Error> {
    let mut out = "\u{feff}".as_bytes().to_vec();
    let mut writer =
        ::csv::WriterBuilder::new().delimiter(separator).terminator(::csv::Terminator::CRLF).from_writer(&mut out);
    writer.write_record(headings)?;
    for row in rows {
        writer.write_record(row.iter().map(|text| without_formula(text).into_owned()))?;
    }
    writer.flush()?;
    drop(writer);
    Ok(out)
}

/// Bytes as a download. `name`: its file name, plain ASCII.
pub(super) fn file(bytes: Vec<u8>, kind: &'static str, name: &str) -> Response {
    let disposition =
        HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).expect("names are plain ASCII");
    let headers: [(HeaderName, HeaderValue); 2] =
        [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, disposition)];
    (headers, bytes).into_response()
}

/// A part of a file name in ASCII: other signs become hyphens.
pub(super) fn plain_name(part: &str) -> String {
    part.chars().map(|sign| if sign.is_ascii_alphanumeric() || sign == '.' { sign } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_mark_and_quoted_cells() {
        let rows = [vec!["a;b".to_owned(), "=1".to_owned()]];
        let bytes = csv_bytes(SEMICOLON, ["một", "hai"], rows).expect("memory can be written");
        assert_eq!(String::from_utf8(bytes).expect("UTF-8"), "\u{feff}một;hai\r\n\"a;b\";'=1\r\n");
        assert_eq!(plain_name("Xã \"A\"/..\\b"), "X---A--..-b");
    }
}
