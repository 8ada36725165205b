//! Decodes the bytes of a response or file into pages of kept fields: JSON, XML, CSV, workbooks.

mod binary_cells;
mod compound_file;
pub mod csv;
mod csv_last_cells;
mod csv_rows;
pub(super) mod encoding;
pub mod envelope;
mod foreign_format;
pub(crate) mod foreign_workbook;
pub(crate) mod headings;
pub(crate) mod inflate;
pub mod json;
mod json_envelope;
mod json_lines;
mod json_rows;
mod line_counter;
mod ods_workbook;
mod plain_workbook;
mod record_test;
pub mod table;
mod tcvn3;
mod trailer;
mod xls_records;
#[cfg(test)]
mod xls_test_file;
mod xls_workbook;
mod xlsb_records;
#[cfg(test)]
mod xlsb_test_file;
mod xlsb_workbook;
pub mod xlsx;
pub(super) mod xlsx_cell;
pub(crate) mod xlsx_layout;
mod xlsx_merged;
pub(super) mod xlsx_parts;
mod xlsx_rows;
mod xlsx_sheet;
mod xlsx_strings;
mod xlsx_titles;
mod xml;
mod xml_element;
mod xml_errors;
pub(crate) mod xml_json;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::fields::Readers;
use crate::model::connector::{Access, Connector, ConnectorFile, Decode};
use crate::model::page::Page;
use crate::sources::decode::csv::{CsvFile, CsvLayout};
use crate::sources::decode::envelope::EnvelopeValues;
use crate::sources::decode::json::JsonLayout;
use crate::sources::decode::table::TableLayout;
use crate::sources::decode::xlsx_layout::XlsxLayout;
use crate::sources::decode::xml::XmlLayout;
use crate::sources::error::{ErrorKind, SourceError};

/// A compiled `[decode]` table.
#[derive(Debug, Clone)]
pub struct Decoder {
    layout: Layout,
    /// Maximum number of records of one body.
    max_records: usize,
    fields: Arc<[String]>,
}

#[derive(Debug, Clone)]
enum Layout {
    Json(JsonLayout),
    Xml(XmlLayout),
    Tables(TableFormats),
}

/// Table formats that the connector reads: CSV, workbooks or both.
#[derive(Debug, Clone)]
pub(crate) struct TableFormats {
    csv: Option<CsvLayout>,
    xlsx: Option<Arc<XlsxLayout>>,
}

/// Format of one file.
#[derive(Debug)]
pub(crate) enum TableFile<'a> {
    Csv(&'a CsvLayout),
    Xlsx(&'a Arc<XlsxLayout>),
}

impl TableFormats {
    fn compile(file: &ConnectorFile, readers: &Readers) -> Result<Self, SourceError> {
        let limit = file.limits.max_expanded_bytes;
        let trailer = file.complete.trailer.as_ref();
        let (csv, xlsx) = match &file.decode {
            Decode::Json { .. } | Decode::Xml { .. } => (None, None),
            Decode::Csv { delimiter, encoding, header, header_rows, footers, .. } => {
                let table = TableLayout::compile(header, footers, readers, trailer).with_header_rows(*header_rows);
                (Some(CsvLayout::compile(*delimiter, *encoding, limit, table, readers)?), None)
            }
            Decode::Xlsx { header, header_rows, footers, sheets, merged, .. } => {
                let table = TableLayout::compile(header, footers, readers, trailer).with_header_rows(*header_rows);
                (None, Some(XlsxLayout::compile(sheets.as_deref(), *merged, limit, table, readers)?))
            }
            Decode::Spreadsheet { delimiter, encoding, header, header_rows, footers, sheets, merged, .. } => {
                let table = TableLayout::compile(header, footers, readers, trailer).with_header_rows(*header_rows);
                let csv = CsvLayout::compile(*delimiter, *encoding, limit, table.clone(), readers)?;
                (Some(csv), Some(XlsxLayout::compile(sheets.as_deref(), *merged, limit, table, readers)?))
            }
        };
        Ok(Self { csv, xlsx: xlsx.map(Arc::new) })
    }

    /// The format of a file. If the connector reads both, a file with the first bytes of a ZIP archive or of an OLE
    /// compound file is a workbook.
    ///
    /// # Errors
    /// `not_a_workbook` if the file is a web page or a document; `not_csv` if it is a workbook and the connector reads CSV.
    pub(crate) fn of(&self, bytes: &[u8]) -> Result<TableFile<'_>, SourceError> {
        if let Some(format) = foreign_format::of_text(bytes) {
            return Err(SourceError::new(ErrorKind::NotAWorkbook, format!("the file is {format}")));
        }
        let is_workbook = bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0");
        match (&self.csv, &self.xlsx) {
            (Some(_), None) if is_workbook => {
                Err(SourceError::new(ErrorKind::NotCsv, "the file is a workbook or another archive, not CSV"))
            }
            (Some(csv), None) => Ok(TableFile::Csv(csv)),
            (Some(csv), Some(_)) if !is_workbook => Ok(TableFile::Csv(csv)),
            (_, Some(xlsx)) => Ok(TableFile::Xlsx(xlsx)),
            (None, None) => Err(SourceError::new(ErrorKind::Misconfigured, "`decode.type` is not a table format")),
        }
    }
}

/// Text of the title rows of a file, which stand above its header rows. Empty if there are none, or if the file cannot be
/// read: reading it then fails with the reason.
pub(crate) fn titles(formats: &TableFormats, bytes: &[u8]) -> String {
    let read = || match formats.of(bytes)? {
        TableFile::Csv(layout) => Ok(CsvFile::open(layout, bytes.to_vec())?.titles().to_owned()),
        TableFile::Xlsx(layout) => xlsx_titles::titles(layout, bytes.to_vec()),
    };
    without_panic(read).unwrap_or_default()
}

impl Decoder {
    /// # Errors
    /// `misconfigured` if a path, pattern or delimiter is invalid.
    pub fn compile(file: &ConnectorFile, readers: &Readers) -> Result<Self, SourceError> {
        let layout = match &file.decode {
            Decode::Json { .. } => Layout::Json(JsonLayout::of(file, readers)?),
            Decode::Xml { records, namespaces, .. } => {
                let is_file = matches!(file.access, Access::Files { .. });
                let expands_to = is_file.then_some(file.limits.max_expanded_bytes);
                let layout = XmlLayout::new(JsonLayout::of(file, readers)?, records, expands_to);
                Layout::Xml(layout.with_namespaces(namespaces))
            }
            Decode::Csv { .. } | Decode::Xlsx { .. } | Decode::Spreadsheet { .. } => {
                Layout::Tables(TableFormats::compile(file, readers)?)
            }
        };
        Ok(Self { layout, max_records: file.limits.max_page_records as usize, fields: Arc::clone(&readers.fields) })
    }

    /// The decoder of the details of a record; `None` if the connector has none, or its list is a table.
    ///
    /// # Errors
    /// `misconfigured` if a path is invalid.
    pub(crate) fn of_details(file: &ConnectorFile, readers: &Readers) -> Result<Option<Self>, SourceError> {
        let Some(detail) = &file.detail else { return Ok(None) };
        let json = || JsonLayout::of_details(file, detail, readers);
        let layout = match &file.decode {
            Decode::Json { .. } => Layout::Json(json()?),
            Decode::Xml { namespaces, .. } => {
                Layout::Xml(XmlLayout::new(json()?, &detail.record, None).with_namespaces(namespaces))
            }
            Decode::Csv { .. } | Decode::Xlsx { .. } | Decode::Spreadsheet { .. } => return Ok(None),
        };
        let max_records = file.limits.max_page_records as usize;
        Ok(Some(Self { layout, max_records, fields: Arc::clone(&readers.fields) }))
    }

    /// Whether a record gives a row for each element of a list.
    pub(crate) fn explodes(&self) -> bool {
        match &self.layout {
            Layout::Json(layout) => layout.explodes(),
            Layout::Xml(layout) => layout.explodes(),
            Layout::Tables(_) => false,
        }
    }

    /// Decodes a whole body into one page, and the values of its envelope (none for tables). An unreadable record
    /// becomes an unreadable row.
    ///
    /// # Errors
    /// Why the body cannot be read.
    pub fn page(&self, body: &[u8], number: u32, origin: String) -> Result<(Page, EnvelopeValues), SourceError> {
        let mut page = Page::new(number, origin, hex_digest(body), Arc::clone(&self.fields));
        let envelope = match &self.layout {
            Layout::Json(layout) => layout.read(body, &mut page)?,
            Layout::Xml(layout) => layout.read(body, &mut page)?,
            Layout::Tables(layout) => {
                let enough = self.max_records + 1;
                match layout.of(body)? {
                    TableFile::Csv(layout) => CsvFile::open(layout, body.to_vec())?.read(&mut page, enough)?,
                    TableFile::Xlsx(layout) => {
                        let mut take = |sheet: Page| {
                            page.append(&sheet);
                            page.len() < enough
                        };
                        xlsx::read(layout, body.to_vec(), &self.fields, enough, &mut take)?;
                    }
                }
                if page.len() >= enough {
                    return Err(SourceError::too_many_records(self.max_records));
                }
                EnvelopeValues::default()
            }
        };
        Ok((page, envelope))
    }

    /// Whether the encoding of a body is not declared, so that the charset of its `Content-Type` counts.
    pub(crate) fn follows_charset(&self) -> bool {
        match &self.layout {
            Layout::Json(layout) => layout.follows_charset(),
            Layout::Xml(_) => true,
            Layout::Tables(tables) => tables.csv.as_ref().is_some_and(CsvLayout::follows_charset),
        }
    }

    /// Whether a body with an error status is an answer of the source: a SOAP fault, which [`page`](Self::page) reads.
    pub(crate) fn is_answer(&self, body: &[u8]) -> bool {
        matches!(self.layout, Layout::Xml(_)) && xml::is_soap_fault(body)
    }

    /// The table formats; `None` for JSON and XML.
    pub(crate) fn tables(&self) -> Option<&TableFormats> {
        match &self.layout {
            Layout::Tables(layout) => Some(layout),
            Layout::Json(_) | Layout::Xml(_) => None,
        }
    }

    pub(crate) fn fields(&self) -> Arc<[String]> {
        Arc::clone(&self.fields)
    }
}

/// Decodes a single body with the settings of `connector`, for the conformance tests.
///
/// # Errors
/// Why the body cannot be read.
pub fn decode_page(
    connector: &Connector,
    readers: &Readers,
    body: &[u8],
    number: u32,
    origin: String,
) -> Result<(Page, EnvelopeValues), SourceError> {
    Decoder::compile(&connector.file, readers)?.page(body, number, origin)
}

/// First bytes of gzip data.
const GZIP: &[u8] = b"\x1f\x8b";

/// Refuses a response that is compressed without saying so.
fn refuse_gzip(body: &[u8]) -> Result<(), SourceError> {
    if body.starts_with(GZIP) {
        let message = "the body is gzip, and the response has no `Content-Encoding` that says so";
        return Err(SourceError::new(ErrorKind::ContentCoding, message));
    }
    Ok(())
}

/// Runs `work` on a file; a panic becomes an error of that file. The log has the place of the panic.
///
/// # Errors
/// `file_damaged` after a panic, and the errors of `work`.
pub(crate) fn without_panic<T>(work: impl FnOnce() -> Result<T, SourceError>) -> Result<T, SourceError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let message = "reading the file failed with an unexpected error (a panic); the log has its place";
        Err(SourceError::new(ErrorKind::FileDamaged, message))
    })
}

/// SHA-256, hexadecimal.
pub(crate) fn hex_digest(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
