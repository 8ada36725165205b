//! Our counts beside those of the national portal, as a table, as JSON and as texts.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::tier_cell;
use crate::indicators::{NationalReconciliation, NationalRow, SideCounts};
use crate::locale::{Initial, Language};
use crate::model::figure::Night;
use crate::model::list::{List, ListCell, ListColumn, ListColumnType};
use crate::model::period::Period;

/// Our counts beside those of the national portal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NationalAnswer {
    period: String,
    /// The night's run.
    run: i64,
    /// Whether the night has any count of the national portal.
    connected: bool,
    /// Rows of the scope and period; those of the answer may be fewer.
    total: u64,
    /// The newest period first.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, Value>>)]
    rows: Vec<Map<String, Value>>,
}

impl NationalAnswer {
    /// `list`: of [`national_list`].
    #[must_use]
    pub fn new(found: &NationalReconciliation, list: &List, period: Period, night: &Night) -> Self {
        Self {
            period: period.to_string(),
            run: night.run,
            connected: found.is_connected,
            total: found.rows.len() as u64,
            rows: list.to_json(),
        }
    }
}

/// The rows behind the first `offset`, at most `limit`.
#[must_use]
pub fn national_list(found: &NationalReconciliation, (offset, limit): (u32, u32)) -> List {
    const COLUMNS: [ListColumn; 16] = [
        ListColumn::new("period", ListColumnType::Text, "kỳ", "period"),
        ListColumn::new("indicator", ListColumnType::Text, "chỉ số của tỉnh", "local indicator"),
        ListColumn::new("national_indicator", ListColumnType::Text, "chỉ số của Cổng quốc gia", "national indicator"),
        ListColumn::new("scope", ListColumnType::Word, "phạm vi", "scope"),
        ListColumn::new("agency", ListColumnType::Text, "mã cơ quan", "agency"),
        ListColumn::new("agency_name", ListColumnType::Text, "cơ quan", "its name"),
        ListColumn::new("tier", ListColumnType::Word, "cấp", "tier"),
        ListColumn::new("numerator", ListColumnType::Number, "tử số của tỉnh", "local numerator"),
        ListColumn::new("denominator", ListColumnType::Number, "mẫu số của tỉnh", "local denominator"),
        ListColumn::new("unknown", ListColumnType::Number, "chưa rõ", "not known whether in the numerator"),
        ListColumn::new("undecided", ListColumnType::Number, "chưa rõ có thuộc phạm vi tính", "may or may not belong"),
        ListColumn::new("national_numerator", ListColumnType::Number, "tử số của Cổng quốc gia", "national numerator"),
        ListColumn::new(
            "national_denominator",
            ListColumnType::Number,
            "mẫu số của Cổng quốc gia",
            "national denominator",
        ),
        ListColumn::new("numerator_difference", ListColumnType::Number, "chênh lệch tử số", "difference of numerators"),
        ListColumn::new(
            "denominator_difference",
            ListColumnType::Number,
            "chênh lệch mẫu số",
            "difference of denominators",
        ),
        ListColumn::new("class", ListColumnType::Word, "kết quả đối chiếu", "class"),
    ];
    let row = |one: &NationalRow| {
        let text = |text: Option<&str>| ListCell::of(text, ListCell::text);
        let count = |side: Option<SideCounts>, of: fn(SideCounts) -> u64| ListCell::of(side.map(of), ListCell::count);
        let [numerator_difference, denominator_difference] = match one.difference() {
            Some(difference) => difference.map(ListCell::Number),
            None => [ListCell::Null, ListCell::Null],
        };
        let period = [Language::Vietnamese, Language::English].map(|lang| lang.period(one.period, Initial::Upper));
        vec![
            ListCell::worded(one.period.to_string(), period),
            ListCell::text(&one.pair.local),
            ListCell::text(&one.pair.national),
            scope_cell(one),
            text(one.agency.as_deref()),
            text(one.agency_name.as_deref()),
            ListCell::of(one.tier, tier_cell),
            count(one.ours, |side| side.numerator),
            count(one.ours, |side| side.denominator),
            count(one.ours, |side| side.unknown),
            count(one.ours, |side| side.undecided),
            count(one.theirs, |side| side.numerator),
            count(one.theirs, |side| side.denominator),
            numerator_difference,
            denominator_difference,
            ListCell::Named { name: one.class().name(), meaning: one.class().meaning() },
        ]
    };
    let rows = found.rows.iter().skip(offset as usize).take(limit as usize);
    List::new(&COLUMNS, rows.map(row).collect())
}

/// What a row is about, by the names that scopes have in the API.
fn scope_cell(row: &NationalRow) -> ListCell {
    let (name, meaning) = match (&row.agency, row.tier) {
        (Some(_), _) => ("agency", ["cơ quan", "agency"]),
        (None, Some(_)) => ("tier", ["cả cấp", "whole tier"]),
        (None, None) => ("province", ["toàn tỉnh", "province"]),
    };
    ListCell::Named { name, meaning }
}

/// Whom a row is about, as people read it.
#[must_use]
pub fn national_scope(lang: Language, row: &NationalRow) -> String {
    match (&row.agency_name, &row.agency, row.tier) {
        (Some(name), ..) => name.to_string(),
        (None, Some(code), _) => code.to_string(),
        (None, None, Some(tier)) => lang.tier(tier).to_owned(),
        (None, None, None) => lang.of("Toàn tỉnh", "Province").to_owned(),
    }
}

/// The counts of a side: `1.234 / 1.300`; `None` if it has none.
#[must_use]
pub fn national_counts(lang: Language, side: Option<SideCounts>) -> Option<String> {
    side.map(|side| format!("{} / {}", lang.number(side.numerator), lang.number(side.denominator)))
}

/// Ours minus theirs, numerator and denominator: `+2 / −1`; `None` if a side has no counts.
#[must_use]
pub fn national_difference(lang: Language, row: &NationalRow) -> Option<String> {
    let [numerator, denominator] = row.difference()?;
    Some(format!("{} / {}", signed(lang, numerator), signed(lang, denominator)))
}

fn signed(lang: Language, number: i64) -> String {
    let sign = match number {
        0 => "",
        1.. => "+",
        _ => "−",
    };
    format!("{sign}{}", lang.number(number.unsigned_abs()))
}

/// Why there is nothing to compare: what is not connected, or what the national portal has not stated. For whoever reads the
/// figures; `None` if there are rows.
#[must_use]
pub fn national_notice(lang: Language, found: &NationalReconciliation) -> Option<&'static str> {
    match (found.rows.is_empty(), found.is_connected) {
        (false, _) => None,
        (true, true) => Some(lang.of(
            "Cổng Dịch vụ công quốc gia chưa có số liệu nào trong kỳ và phạm vi này.",
            "The national portal has stated nothing for this period and scope.",
        )),
        (true, false) => Some(lang.of(
            "Chưa kết nối số liệu đánh giá của Cổng Dịch vụ công quốc gia, nên chưa có gì để đối chiếu.",
            "The national evaluation is not connected, so there is nothing to compare.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::NationalPair;

    fn row(agency: Option<&str>, ours: Option<[u64; 4]>, theirs: Option<[u64; 4]>) -> NationalRow {
        let side = |[numerator, denominator, unknown, undecided]: [u64; 4]| SideCounts {
            numerator,
            denominator,
            unknown,
            undecided,
        };
        NationalRow {
            pair: NationalPair { national: "dvcqg-on-time".into(), local: "qd766-2.1".into() },
            agency: agency.map(Into::into),
            agency_name: agency.map(|_| "Sở mẫu A".into()),
            tier: None,
            period: Period::Month { year: 2026, month: 3 },
            ours: ours.map(side),
            theirs: theirs.map(side),
        }
    }

    fn found() -> NationalReconciliation {
        let rows = vec![
            row(None, Some([1_230, 1_300, 7, 3]), Some([1_234, 1_298, 0, 0])),
            row(Some("H61.01"), Some([5, 6, 0, 0]), None),
            row(Some("H61.02"), Some([5, 6, 0, 0]), Some([5, 6, 0, 0])),
        ];
        NationalReconciliation { is_connected: true, rows }
    }

    #[test]
    fn rows_have_the_counts_of_both_sides_and_their_difference() {
        let list = national_list(&found(), (0, 2));
        let rows = list.to_json();
        assert_eq!(rows.len(), 2);
        let of = |name: &str| [&rows[0][name], &rows[1][name]].map(ToString::to_string);
        assert_eq!(of("period"), ["\"2026-03\"", "\"2026-03\""]);
        assert_eq!(of("scope"), ["\"province\"", "\"agency\""]);
        assert_eq!(of("agency"), ["null", "\"H61.01\""]);
        assert_eq!(of("unknown"), ["7", "0"]);
        assert_eq!(of("undecided"), ["3", "0"]);
        assert_eq!(of("national_numerator"), ["1234", "null"]);
        assert_eq!(of("numerator_difference"), ["-4", "null"]);
        assert_eq!(of("denominator_difference"), ["2", "null"]);
        assert_eq!(of("class"), ["\"differs\"", "\"only_local\""]);
        assert_eq!(national_list(&found(), (2, 100)).to_json()[0]["class"], "equal");
        let lang = Language::Vietnamese;
        let first = &found().rows[0];
        assert_eq!(national_difference(lang, first).as_deref(), Some("−4 / +2"));
        assert_eq!(national_counts(lang, first.theirs).as_deref(), Some("1.234 / 1.298"));
        assert_eq!(national_scope(lang, first), "Toàn tỉnh");
        assert_eq!(super::super::shown(lang, &list.columns[0], &list.rows[0][0]), "Tháng 3/2026");
    }

    #[test]
    fn what_is_not_connected_is_named() {
        let of = |is_connected| NationalReconciliation { is_connected, rows: Vec::new() };
        let notice = |found: &NationalReconciliation| national_notice(Language::English, found);
        assert_eq!(notice(&found()), None);
        assert!(notice(&of(true)).is_some_and(|text| text.contains("has stated nothing")));
        assert!(notice(&of(false)).is_some_and(|text| text.contains("is not connected")));
    }
}
