//! Tables as files for spreadsheets. Always in Vietnamese, whatever the language of the page, since they go into reports.
//!
//! CSV has a byte order mark and CRLF line ends. A cell that a spreadsheet would evaluate as a formula gets an apostrophe.

use std::io::Write;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

use super::page_error::PageError;
use crate::lists;
use crate::locale::{Language, without_formula};
use crate::service::Service;
use crate::service::answers::{Answers, Encoding, Making, MakingPermit};
use crate::service::problem::Problem;

/// Media type of XLSX.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Media type of CSV.
pub(super) const CSV: &str = "text/csv; charset=utf-8";
/// Separator that a Vietnamese spreadsheet expects.
pub(super) const SEMICOLON: u8 = b';';
/// Rows of a list in one file.
pub(super) const MOST_IN_FILE: u32 = 100_000;

/// What of a list its file has, shown beside the link; `None` if it has all. See [`lists::cut_note`].
pub(super) fn file_note(lang: Language, total: u64) -> Option<String> {
    lists::cut_note(lang, total.min(u64::from(MOST_IN_FILE)), total)
}

/// A CSV file with few rows as a download. `name`: its file name, plain ASCII.
///
/// # Errors
/// 500 if a row cannot be written.
pub(super) fn csv<'h>(
    name: &str,
    separator: u8,
    headings: impl IntoIterator<Item = &'h str>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<Response, PageError> {
    let mut bytes = Vec::new();
    let written = write_csv(&mut bytes, separator, headings, rows);
    written.map_err(|error| Problem::internal("the file cannot be written", &error))?;
    let mut response = Response::new(Body::from(bytes));
    *response.headers_mut() = file_headers(CSV, name);
    Ok(response)
}

/// The right to make a file with many rows, and how it is packed.
pub(super) struct FileForm<'s> {
    answers: &'s Answers,
    permit: MakingPermit,
    encoding: Encoding,
}

impl<'s> FileForm<'s> {
    /// Waits until the file may be made, before its rows are read.
    ///
    /// # Errors
    /// 503 if others take too long.
    pub(super) async fn new(service: &'s Service, encoding: Encoding) -> Result<Self, PageError> {
        let permit = service.answers.permit(Making::FromTables).await?;
        Ok(Self { answers: &service.answers, permit, encoding })
    }
}

/// A list as a CSV file with semicolons. `total`: rows that there are; the header `X-Total-Count` has it, since the file may have
/// fewer.
///
/// # Errors
/// 503 if too many bytes of other files wait to be sent; 500 if a row cannot be written.
pub(super) fn listed_csv<R>(
    form: FileForm<'_>,
    name: &str,
    headings: &[String],
    (rows, total): (Vec<R>, u64),
    cells: impl Fn(R) -> Vec<String>,
) -> Result<Response, PageError> {
    let mut headers = file_headers(CSV, name);
    headers.insert(HeaderName::from_static("x-total-count"), HeaderValue::from(total));
    let made = form.answers.make(form.permit, (form.encoding, headers), |out| {
        let headings = headings.iter().map(String::as_str);
        Ok(write_csv(out, SEMICOLON, headings, rows.into_iter().map(cells))?)
    });
    Ok(made?.answer()?)
}

/// Writes a CSV file.
///
/// # Errors
/// Those of `out`.
pub(super) fn write_csv<'h>(
    out: &mut (dyn Write + Send),
    separator: u8,
    headings: impl IntoIterator<Item = &'h str>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<(), ::csv::Error> {
    out.write_all("\u{feff}".as_bytes())?;
    let mut writer =
        ::csv::WriterBuilder::new().delimiter(separator).terminator(::csv::Terminator::CRLF).from_writer(out);
    writer.write_record(headings)?;
    for row in rows {
        writer.write_record(row.iter().map(|text| without_formula(text).into_owned()))?;
    }
    Ok(writer.flush()?)
}

/// The headers of a download. `name`: its file name, plain ASCII.
pub(super) fn file_headers(kind: &'static str, name: &str) -> HeaderMap {
    let disposition =
        HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).expect("names are plain ASCII");
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition),
    ])
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
        let mut bytes = Vec::new();
        write_csv(&mut bytes, SEMICOLON, ["một", "hai"], rows).expect("memory can be written");
        assert_eq!(String::from_utf8(bytes).expect("UTF-8"), "\u{feff}một;hai\r\n\"a;b\";'=1\r\n");
        assert_eq!(plain_name("Xã \"A\"/..\\b"), "X---A--..-b");
    }
}
