//! Scrubbing: which texts of a row may be written to landing, and what replaces the others.
//!
//! A text that fails its type is replaced by its [`shape`] and the reason code. If a row has failed, its columns may
//! have shifted, so a text that fits its type may still be a person's name. Most types are then replaced by their
//! marked shape ([`withheld`]).

use std::borrow::Cow;

use crate::fields::{FieldReader, RowReaders, shape, syntax};
use crate::model::connector::FieldType;
use crate::model::page::{CELL_ERROR, CELL_STRUCTURE, Page, Reason};
use crate::model::record::Value;
use crate::model::text::is_blank;

/// First character of the marked shape of a withheld text.
const WITHHELD: &str = "~";

/// Result of checking the cells of one row with the readers of the connector.
pub(super) struct RowCheck {
    /// At least one reader accepts the text of the cell.
    fits: Vec<bool>,
    /// As `fits`, and the text may be written even if another field of the row failed.
    safe: Vec<bool>,
    /// Reason of the first reader that refuses the text of the cell.
    reasons: Vec<Option<Reason>>,
    /// The row will be rejected when it is mapped.
    failed: bool,
}

impl RowCheck {
    pub(super) fn new(cells: usize) -> Self {
        Self { fits: vec![false; cells], safe: vec![false; cells], reasons: vec![None; cells], failed: false }
    }

    /// Checks row `index` of the page with its readers.
    pub(super) fn check(&mut self, page: &Page, index: usize, readers: &RowReaders<'_>) {
        self.fits.fill(false);
        self.safe.fill(false);
        self.reasons.fill(None);
        self.failed = false;
        for (reader, cells) in readers.with_cells() {
            // Of the texts that mean a value: whether the first fits, and whether one of them does.
            let (mut first_fits, mut one_fits, mut is_structure) = (None, false, false);
            for (cell, text) in reader.texts(page, index, cells) {
                if text == CELL_STRUCTURE {
                    is_structure = true;
                    continue;
                }
                let value = reader.read(&text);
                let is_none = value == Ok(Value::Null);
                // The name of a procedure that the registry lacks is no sign that columns have shifted: the row can be read from
                // landing once the registry has it.
                let is_unresolved = value.as_ref().is_err_and(|why| FieldReader::is_unresolved_name(&text, *why));
                if !is_none {
                    first_fits.get_or_insert(value.is_ok() || is_unresolved);
                    one_fits |= value.is_ok();
                }
                // A time of day fits with its date.
                for cell in cells.time.into_iter().chain([cell]) {
                    match value {
                        Ok(_) => {
                            self.fits[cell] = true;
                            self.safe[cell] |= is_none || is_safe_in_failed_row(reader.field_type(), text.trim());
                        }
                        Err(_) if is_unresolved => self.fits[cell] = true,
                        Err(reason) => {
                            self.reasons[cell].get_or_insert(reason);
                        }
                    }
                }
            }
            let is_read = first_fits.map_or(!is_structure, |fits| fits || (one_fits && reader.takes_first_word()));
            self.failed |= !is_read && !reader.is_tolerant();
        }
    }

    /// What is written for the text of a cell of the checked row: the text, its shape, or nothing if it is blank.
    pub(super) fn scrubbed<'t>(&self, cell: usize, text: &'t str) -> Cow<'t, str> {
        let fits = self.fits[cell];
        let is_allowed = if self.failed { self.safe[cell] } else { fits };
        if is_blank(text) {
            Cow::Borrowed("")
        } else if is_allowed || (!fits && ([CELL_ERROR, CELL_STRUCTURE].contains(&text) || is_harmless(text.trim()))) {
            Cow::Borrowed(text)
        } else if fits {
            Cow::Owned(withheld(text))
        } else {
            Cow::Owned(self.reasons[cell].map_or_else(|| shape(text), |reason| failed(text, reason)))
        }
    }
}

/// Whether a text that fits `field_type` may be written although another field of its row failed.
fn is_safe_in_failed_row(field_type: FieldType, text: &str) -> bool {
    match field_type {
        FieldType::Agency => syntax::is_agency_code(text) && syntax::code(text).is_ok(),
        FieldType::Document | FieldType::Title => false,
        FieldType::Code | FieldType::DossierCode => text.bytes().any(|byte| byte.is_ascii_digit()),
        _ => true,
    }
}

/// Replacement of a text that failed its type: its [`shape`] and the reason code, because the shape itself may fail for
/// another reason when it is read back.
fn failed(text: &str, reason: Reason) -> String {
    format!("{} {}", shape(text), reason.code())
}

/// Reason in a landed text that `failed` wrote in place of a text that does not fit its type.
#[must_use]
pub fn failed_for(text: &str) -> Option<Reason> {
    text.strip_prefix('?')?.rsplit_once(' ')?.1.parse().ok()
}

/// Replacement of a text that fits its type, in a row that failed elsewhere: its marked shape. The row is then still
/// rejected for its actual reason when it is read back.
fn withheld(text: &str) -> String {
    shape(text).replacen('?', WITHHELD, 1)
}

/// Whether a landed text is one that `withheld` wrote. The mark is outside the alphabet of every type that is withheld.
#[must_use]
pub fn is_withheld(text: &str) -> bool {
    text.starts_with(WITHHELD)
}

/// Whether a text that failed its type may be written unchanged: digits and punctuation with fewer than nine digits, or
/// a text in the form of a date.
fn is_harmless(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.chars().all(|symbol| symbol.is_ascii_digit() || "-/:.,+ ".contains(symbol)) && digits < 9
        || (text.len() <= 24 && has_date_form(text))
}

/// Whether a text has the form of a date, such as `31/02/2020 08:00`. A wrong date helps the data clerk and identifies
/// nobody.
fn has_date_form(text: &str) -> bool {
    let groups: Vec<&str> = text.split(['/', '-', ' ', ':', '.', '+', 'T']).collect();
    groups.len() >= 3
        && groups.iter().all(|group| group.len() <= 4 && group.bytes().all(|byte| byte.is_ascii_digit()))
        && (text.matches('/').count() == 2 || (text.matches('-').count() == 2 && text.contains(':')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Readers;

    #[test]
    fn dates_and_short_numbers_are_written_as_they_are() {
        assert!(is_harmless("31/02/2020"));
        assert!(is_harmless("99/99/2020 25:61"));
        assert!(!is_harmless("0912345678"));
        assert!(!is_harmless("0912 345 678"));
        assert!(!is_harmless("Nguyễn"));
    }

    #[test]
    fn a_failed_row_keeps_what_is_none_and_which_cell_has_an_error() {
        let connector: crate::model::connector::ConnectorFile = toml::from_str(
            r#"
            [connector]
            version = 1
            title = "t"
            kind = "dossiers"
            system = "s"
            contact = "c"
            [access]
            type = "files"
            folder = "in"
            glob = "*.xlsx"
            [decode]
            type = "xlsx"
            header = "code"
            null_values = ["Chưa có"]
            [map.competent_agency]
            from = "agency"
            type = "agency"
            [map.due_at]
            from = "due"
            type = "instant"
            formats = ["dd/MM/yyyy"]
            [map.completed_at]
            from = "done"
            type = "instant"
            formats = ["dd/MM/yyyy"]
            "#,
        )
        .expect("the connector is valid");
        let readers = Readers::compile(&connector).expect("the map is valid");
        let mut page = Page::new(1, String::new(), String::new(), readers.fields.clone());
        page.begin_row(1);
        for (field, text) in [("agency", "Chưa có"), ("due", CELL_ERROR), ("done", "20/10/2569")] {
            page.set(readers.fields.iter().position(|known| known == field).expect("kept"), text);
        }
        let mut check = RowCheck::new(page.fields.len());
        check.check(&page, 0, &readers.of_row(&page, 0, &readers.cells(&page)));
        assert!(check.failed);
        for cell in 0..page.fields.len() {
            let text = page.cell(0, cell).expect("set");
            assert_eq!(check.scrubbed(cell, text), text, "declared words, errors and dates identify nobody");
        }
        // A text that only looks like the mark of an error is replaced by its shape.
        let person = "?:0 Nguyễn Văn Mẫu cell_error";
        page.begin_row(2);
        page.set(readers.fields.iter().position(|known| known == "due").expect("kept"), person);
        check.check(&page, 1, &readers.of_row(&page, 1, &readers.cells(&page)));
        let due = page.fields.iter().position(|known| known == "due").expect("kept");
        assert!(!check.scrubbed(due, person).contains("Mẫu"));
    }
}
