//! Tables as files for spreadsheets. Always in Vietnamese, whatever the language of the page, since they go into reports.
//!
//! A list is asked for as CSV or as a workbook by the ending of the address ([`WantedFile`]), and made under the budget of large
//! answers. CSV has a byte order mark and CRLF line ends. A cell that a spreadsheet would evaluate as a formula gets an apostrophe.

use std::convert::Infallible;
use std::io::Write;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

use super::figures::selection::Selection;
use super::page_error::PageError;
use crate::lists;
use crate::locale::{Initial, Language, moment, without_formula};
use crate::model::figure::Night;
use crate::model::list::{List, ListCell};
use crate::service::Service;
use crate::service::answers::{Encoding, Making, MakingPermit};
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

/// How a list is asked for as a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// With semicolons.
    Csv,
    Xlsx,
}

impl FileKind {
    /// By the ending of an address: CSV unless it is `.xlsx`.
    fn of(path: &str) -> Self {
        match path.rsplit_once('.') {
            Some((_, "xlsx")) => Self::Xlsx,
            _ => Self::Csv,
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => CSV,
            Self::Xlsx => XLSX,
        }
    }
}

/// A file that is asked for: its kind, and how it is packed for the client.
#[derive(Debug, Clone, Copy)]
pub(super) struct WantedFile {
    pub(super) kind: FileKind,
    encoding: Encoding,
}

impl<S: Send + Sync> FromRequestParts<S> for WantedFile {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let kind = FileKind::of(parts.uri.path());
        // A workbook is packed by itself.
        let encoding = if kind == FileKind::Xlsx { Encoding::Identity } else { Encoding::accepted(&parts.headers) };
        Ok(Self { kind, encoding })
    }
}

/// The right to make a file with many rows.
pub(super) struct FileForm<'s> {
    service: &'s Service,
    permit: MakingPermit,
    wanted: WantedFile,
}

impl<'s> FileForm<'s> {
    /// Waits until the file may be made, before its rows are read.
    ///
    /// # Errors
    /// 503 if others take too long.
    pub(super) async fn new(service: &'s Service, wanted: WantedFile) -> Result<Self, PageError> {
        let permit = service.answers.permit(Making::FromTables).await?;
        Ok(Self { service, permit, wanted })
    }
}

/// The name of a file with a list, and what stands above the list in a workbook.
pub(super) struct FileHead<'n> {
    /// Plain ASCII, without an ending.
    pub(super) name: String,
    pub(super) title: String,
    /// Scope and period.
    pub(super) about: Vec<(&'static str, String)>,
    pub(super) night: &'n Night,
}

impl<'n> FileHead<'n> {
    /// The head of a list of a selection.
    pub(super) fn new(service: &Service, selection: &'n Selection, name: String, title: String) -> Self {
        let lang = Language::Vietnamese;
        let about = vec![
            ("Phạm vi", selection.scope_name(lang, &service.config.settings.province.name)),
            ("Kỳ", lang.period(selection.period, Initial::Upper)),
        ];
        Self { name, title, about, night: &selection.night.record.night }
    }
}

/// A list as a file. `total`: rows that there are; the header `X-Total-Count` has it, and a workbook above the list, since the file
/// may have fewer.
///
/// # Errors
/// 503 if too many bytes of other files wait to be sent; 500 if the file cannot be written.
pub(super) fn listed(
    form: FileForm<'_>,
    head: FileHead<'_>,
    (list, total): (&List, u64),
) -> Result<Response, PageError> {
    let FileForm { service, permit, wanted: WantedFile { kind, encoding } } = form;
    let mut headers = file_headers(kind.media_type(), &format!("{}.{}", head.name, kind.ending()));
    headers.insert(HeaderName::from_static("x-total-count"), HeaderValue::from(total));
    let lang = Language::Vietnamese;
    let made = service.answers.make(permit, (encoding, headers), |out| match kind {
        FileKind::Csv => {
            let cells = |row: &Vec<ListCell>| {
                list.columns.iter().zip(row).map(|(column, cell)| lists::shown(lang, column, cell)).collect()
            };
            let headings = list.columns.iter().map(|column| column.vi);
            Ok(write_csv(out, SEMICOLON, headings, list.rows.iter().map(cells))?)
        }
        FileKind::Xlsx => {
            let (mut about, night) = (head.about, head.night);
            about.extend(lists::cut_note(lang, list.rows.len() as u64, total).map(|cut| ("Số dòng", cut)));
            about.push(("Tính lúc", format!("{}; lượt {}", moment(night.as_of), night.run)));
            Ok(lists::workbook(list, (&head.title, &about), night.as_of, (&service.data, out))?)
        }
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
        assert_eq!(FileKind::of("/worklists/overdue/dossiers.xlsx"), FileKind::Xlsx);
        assert_eq!(FileKind::of("/worklists/xlsx/dossiers.csv"), FileKind::Csv);
        assert_eq!(plain_name("Xã \"A\"/..\\b"), "X---A--..-b");
    }
}
