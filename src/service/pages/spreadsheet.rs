//! Tables as files for spreadsheets. Always in Vietnamese, whatever the language of the page, since they go into reports.
//!
//! CSV has a byte order mark and CRLF line ends. A cell that a spreadsheet would evaluate as a formula gets an apostrophe.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::page_error::PageError;
use crate::lists;
use crate::locale::{Language, without_formula};
use crate::run::RunError;
use crate::service::problem::Problem;

/// Media type of XLSX.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Separator that a Vietnamese spreadsheet expects.
pub(super) const SEMICOLON: u8 = b';';
/// Rows of a list in one file.
pub(super) const MOST_IN_FILE: u32 = 100_000;

/// What of a list its file has, shown beside the link; `None` if it has all. See [`lists::cut_note`].
pub(super) fn file_note(lang: Language, total: u64) -> Option<String> {
    lists::cut_note(lang, total.min(u64::from(MOST_IN_FILE)), total)
}

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

/// A list as a CSV file with semicolons. `total`: rows that there are; the header `X-Total-Count` has it, since the file may have
/// fewer. Rows become text on a thread for blocking work: there may be 100,000 of them.
///
/// # Errors
/// 500 if a row cannot be written.
pub(super) async fn listed_csv<R: Send + 'static>(
    name: String,
    headings: Vec<String>,
    (rows, total): (Vec<R>, u64),
    cells: impl Fn(R) -> Vec<String> + Send + 'static,
) -> Result<Response, PageError> {
    let written = tokio::task::spawn_blocking(move || {
        csv_bytes(SEMICOLON, headings.iter().map(String::as_str), rows.into_iter().map(cells))
    });
    let bytes = written.await.map_err(RunError::from)?;
    let bytes = bytes.map_err(|error| Problem::internal("the file cannot be written", &error))?;
    let mut response = file(bytes, "text/csv; charset=utf-8", &name);
    response.headers_mut().insert(HeaderName::from_static("x-total-count"), HeaderValue::from(total));
    Ok(response)
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
