//! Lists that people work with: the dossiers behind a figure, worklists, portal against post, changes between nights.
//!
//! The command line and the API answer with the same objects, so that JSON and CSV are alike. Lists with named columns
//! ([`List`]) become CSV, workbooks ([`workbook`]) and texts ([`shown`]); the objects round them are JSON.

mod differences;
mod dossier;
mod explained;
mod integrity;
mod national;
mod reconcile;
mod workbook;
mod worklist;

use std::io::Write;

pub use self::differences::{ChangeRow, DifferenceAnswer, FigureChange, figure_changes, moved_list};
pub use self::dossier::{DossierAnswer, fact_value, stored_value};
pub use self::explained::{ExplainedAnswer, ExplainedOf};
pub use self::integrity::integrity_list;
pub use self::national::{
    NationalAnswer, national_counts, national_difference, national_list, national_notice, national_scope,
};
pub use self::reconcile::{ItemsAnswer, ReconcileAnswer, items_list, reconciled_list};
pub use self::workbook::{WorkbookError, workbook};
pub use self::worklist::{SilentAnswer, WorklistAnswer, WorklistCount, WorklistTitle, silent_list, worklist_list};

use crate::locale::{Language, date, moment, without_formula};
use crate::model::agency::Tier;
use crate::model::list::{List, ListCell, ListColumn, ListColumnType};

/// A cell as people read it.
#[must_use]
pub fn shown(lang: Language, column: &ListColumn, cell: &ListCell) -> String {
    match cell {
        ListCell::Null => String::new(),
        ListCell::Text(word) if column.column_type == ListColumnType::Word => lang.dossier_word(word).to_owned(),
        ListCell::Text(text) => text.clone(),
        ListCell::Number(number) => number.to_string(),
        ListCell::Flag(flag) => if *flag { lang.of("có", "yes") } else { lang.of("không", "no") }.to_owned(),
        ListCell::Instant(micros) => moment(*micros),
        ListCell::Day(day) => date(*day),
        ListCell::Named { meaning: [vietnamese, english], .. } => lang.of(vietnamese, english).to_owned(),
        ListCell::Worded(worded) => lang.of(&worded.meaning[0], &worded.meaning[1]).to_owned(),
    }
}

/// How many rows of a list there are, if not all of them are given: such as `100.000 / 250.000`.
#[must_use]
pub fn cut_note(lang: Language, given: u64, total: u64) -> Option<String> {
    (given < total).then(|| format!("{} / {}", lang.number(given), lang.number(total)))
}

/// Writes a list as CSV for programs: the names of the columns, then the rows. People open it too, so no text is a formula.
///
/// # Errors
/// A failure of the writer.
pub fn csv(list: &List, out: &mut (dyn Write + Send)) -> Result<(), ::csv::Error> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(list.columns.iter().map(|column| column.name))?;
    for row in &list.rows {
        writer.write_record(row.iter().map(|cell| match cell {
            ListCell::Text(text) => without_formula(text).into_owned(),
            other => other.to_csv(),
        }))?;
    }
    Ok(writer.flush()?)
}

/// A tier, by its name for programs.
fn tier_cell(tier: Tier) -> ListCell {
    ListCell::Named { name: tier.name(), meaning: tier.meaning() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_all_rows_is_named_as_such() {
        assert_eq!(cut_note(Language::Vietnamese, 100_000, 100_000), None);
        assert_eq!(cut_note(Language::Vietnamese, 100_000, 250_000).as_deref(), Some("100.000 / 250.000"));
        assert_eq!(cut_note(Language::English, 0, 1_001).as_deref(), Some("0 / 1,001"));
    }

    #[test]
    fn no_text_of_a_csv_is_a_formula_and_numbers_keep_their_sign() {
        let columns = [
            ListColumn::new("code", ListColumnType::Text, "mã", "code"),
            ListColumn::new("days", ListColumnType::Number, "ngày", "days"),
        ];
        let rows = vec![
            vec![ListCell::text("=HYPERLINK(\"http://evil.example\")"), ListCell::Number(-3)],
            vec![ListCell::text("H61-1"), ListCell::Null],
        ];
        let mut bytes = Vec::new();
        csv(&List::new(&columns, rows), &mut bytes).expect("memory can be written");
        let expected = "code,days\n\"'=HYPERLINK(\"\"http://evil.example\"\")\",-3\nH61-1,\n";
        assert_eq!(String::from_utf8(bytes).expect("UTF-8"), expected);
    }
}
