//! Layout of a connector's workbooks (XLSX): their sheets, and what a table in them looks like.

use std::io::Cursor;

use calamine::{Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use globset::{GlobBuilder, GlobMatcher};

use crate::fields::{FieldReader, Readers};
use crate::model::connector::Merged;
use crate::sources::decode::record_test::RecordTest;
use crate::sources::decode::table::TableLayout;
use crate::sources::error::{ErrorKind, SourceError};

pub(crate) type Workbook = Xlsx<Cursor<Vec<u8>>>;

/// Layout of a connector's workbooks.
#[derive(Debug, Clone)]
pub(crate) struct XlsxLayout {
    pub(crate) table: TableLayout,
    pub(super) record_test: RecordTest,
    sheets: Option<GlobMatcher>,
    pub(super) merged: Merged,
    pub(super) max_expanded_bytes: u64,
    /// Whether a field has the format `spreadsheet_serial`.
    pub(super) reads_serials: bool,
}

impl XlsxLayout {
    /// # Errors
    /// `misconfigured` if `sheets` is not a valid pattern.
    pub(super) fn compile(
        sheets: Option<&str>,
        merged: Merged,
        max_expanded_bytes: u64,
        table: TableLayout,
        readers: &Readers,
    ) -> Result<Self, SourceError> {
        let matcher = |glob: &str| {
            let built = GlobBuilder::new(glob).case_insensitive(true).build();
            let wrong = |_| {
                SourceError::new(ErrorKind::Misconfigured, format!("`decode.sheets` `{glob}` is not a valid pattern"))
            };
            built.map(|glob| glob.compile_matcher()).map_err(wrong)
        };
        let sheets = sheets.map(matcher).transpose()?;
        let reads_serials = readers.readers.iter().any(FieldReader::reads_serials);
        Ok(Self { table, record_test: RecordTest::new(readers), sheets, merged, max_expanded_bytes, reads_serials })
    }
}

pub(crate) fn damaged(error: &XlsxError) -> SourceError {
    // Not the text of the error: it may quote cells.
    let message = match error {
        XlsxError::FileNotFound(_) | XlsxError::RelationshipNotFound | XlsxError::WorksheetNotFound(_) => {
            "the workbook lacks a part"
        }
        XlsxError::Xml(_) | XlsxError::XmlAttr(_) | XlsxError::XmlEof(_) => {
            "a part of the workbook is not complete XML"
        }
        _ => "the workbook cannot be read",
    };
    SourceError::new(ErrorKind::FileDamaged, message)
}

/// Names of the visible sheets that `decode.sheets` names.
pub(super) fn wanted_sheets(layout: &XlsxLayout, workbook: &Workbook) -> Vec<String> {
    sheets(layout, workbook, true)
}

/// Names of the hidden sheets that `decode.sheets` names.
pub(super) fn hidden_sheets(layout: &XlsxLayout, workbook: &Workbook) -> Vec<String> {
    sheets(layout, workbook, false)
}

fn sheets(layout: &XlsxLayout, workbook: &Workbook, are_visible: bool) -> Vec<String> {
    let has_cells = |sheet: &&calamine::Sheet| {
        sheet.typ == SheetType::WorkSheet && (sheet.visible == SheetVisible::Visible) == are_visible
    };
    let wanted = |name: &String| layout.sheets.as_ref().is_none_or(|glob| glob.is_match(name));
    workbook.sheets_metadata().iter().filter(has_cells).map(|sheet| sheet.name.clone()).filter(wanted).collect()
}
