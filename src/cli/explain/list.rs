//! Cells of a list of dossiers as text, JSON and CSV.

use crate::cli::Failure;
use crate::cli::output::{self, LANGUAGE};
use crate::indicators::{DOSSIER_COLUMNS, DossierCell, DossierColumn, DossierColumnType};
use crate::locale::moment;
use crate::model::instant;

/// A cell of a column as a person reads it.
pub(in crate::cli) fn shown(column: &DossierColumn, cell: &DossierCell) -> String {
    match cell {
        DossierCell::Text(word) if column.column_type == DossierColumnType::Word => {
            LANGUAGE.dossier_word(word).to_owned()
        }
        other => cell_text(other),
    }
}

/// A value as a person reads it.
pub(super) fn cell_text(cell: &DossierCell) -> String {
    match cell {
        DossierCell::Null => String::new(),
        DossierCell::Text(text) => text.clone(),
        DossierCell::Number(number) => number.to_string(),
        DossierCell::Flag(flag) => if *flag { "có" } else { "không" }.to_owned(),
        DossierCell::Instant(micros) => moment(*micros),
    }
}

/// The list as CSV with a header.
pub(super) fn csv(rows: &[Vec<DossierCell>]) -> Result<String, Failure> {
    let headings: Vec<&str> = DOSSIER_COLUMNS.iter().map(|column| column.name).collect();
    output::csv_lines(&headings, rows.iter().map(|row| row.iter().map(csv_cell).collect()))
}

/// A value for programs.
pub(in crate::cli) fn csv_cell(cell: &DossierCell) -> String {
    match cell {
        DossierCell::Instant(micros) => instant::display(*micros),
        DossierCell::Flag(flag) => flag.to_string(),
        other => cell_text(other),
    }
}
