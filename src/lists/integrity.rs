//! Later changes that make a ratio look better, as a table.

use strum::IntoEnumIterator as _;

use super::tier_cell;
use crate::indicators::{IntegrityKind, IntegrityRow};
use crate::model::list::{List, ListCell, ListColumn, ListColumnType};

/// One row for each agency: dossiers by kind, and the ratio with and without them.
#[must_use]
pub fn integrity_list(rows: &[IntegrityRow]) -> List {
    let mut columns = vec![
        ListColumn::new("agency", ListColumnType::Text, "mã cơ quan", "agency"),
        ListColumn::new("agency_name", ListColumnType::Text, "cơ quan", "its name"),
        ListColumn::new("tier", ListColumnType::Word, "cấp", "tier"),
    ];
    let number = |name, vi, en| ListColumn::new(name, ListColumnType::Number, vi, en);
    columns.extend(IntegrityKind::iter().map(|kind| {
        let [vietnamese, english] = kind.meaning();
        number(kind.name(), vietnamese, english)
    }));
    columns.extend([
        number("any", "số hồ sơ bị sửa", "changed dossiers"),
        number("numerator", "tử số", "numerator"),
        number("denominator", "mẫu số", "denominator"),
        number("unknown", "chưa rõ", "not known whether in the numerator"),
        number("numerator_without", "tử số nếu không tính đạt", "numerator without the changed dossiers"),
    ]);
    let row = |row: &IntegrityRow| {
        let mut cells =
            vec![ListCell::text(&row.agency), ListCell::text(&row.agency_name), ListCell::of(row.tier, tier_cell)];
        cells.extend(row.dossiers.map(ListCell::count));
        let counts = [row.any, row.numerator, row.denominator, row.unknown, row.numerator_without];
        cells.extend(counts.map(ListCell::count));
        cells
    };
    List::new(&columns, rows.iter().map(row).collect())
}
