//! Explains figures over measures: the rows that an office stated, and which of them count.

use crate::indicators::IndicatorError;
use crate::indicators::explain::explained_units::ExplainedUnits;
use crate::indicators::explain::{DossierPage, Explanation, FigureOf, Side};
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::measure_figures::{StatedMeasure, StatedMeasures};
use crate::model::indicator::IndicatorDefinition;
use crate::model::list::{ListCell, ListColumn, ListColumnType};
use crate::model::period::Period;

/// The columns of a list of measures.
pub const MEASURE_COLUMNS: &[ListColumn] = &[
    ListColumn::new("agency", ListColumnType::Text, "mã cơ quan", "agency"),
    ListColumn::new("agency_name", ListColumnType::Text, "cơ quan", "its name"),
    ListColumn::new("numerator", ListColumnType::Number, "tử số", "numerator"),
    ListColumn::new("denominator", ListColumnType::Number, "mẫu số", "denominator"),
    ListColumn::new("document", ListColumnType::Text, "văn bản", "document that states it"),
    ListColumn::new("entered_at", ListColumnType::Instant, "nhập lúc", "entered"),
    ListColumn::new("excluded_by", ListColumnType::Text, "vì sao không tính", "why it does not count"),
    ListColumn::new("source", ListColumnType::Text, "nguồn", "connector"),
    ListColumn::new("source_key", ListColumnType::Text, "khóa ở nguồn", "key in the source"),
    ListColumn::new("run", ListColumnType::Number, "lượt chạy", "run that brought the newest version"),
    ListColumn::new("page", ListColumnType::Number, "trang hoặc tệp", "page or file of that run"),
    ListColumn::new("row", ListColumnType::Number, "dòng", "row of that page"),
];

/// Why a row does not count, in Vietnamese and English.
const REPLACED: [&str; 2] = ["đã nhập lại sau đó", "entered again later"];
const OF_PROVINCE: [&str; 2] = ["tỉnh có số liệu riêng", "the province states its own"];

pub(super) fn explain_measures(
    inputs: &FigureInputs<'_>,
    definition: &IndicatorDefinition,
    period: Period,
    figure: &FigureOf,
    page: Option<DossierPage>,
) -> Result<ExplainedUnits, IndicatorError> {
    let indicator = ComputedIndicator { definition, id: definition.id.as_str().into(), digest: "".into() };
    let found = StatedMeasures::read(&inputs.for_period(period), &[indicator])?;
    // The province's own measure replaces the sum of the agencies, for the province only.
    let is_whole = |one: &StatedMeasure| one.agency.is_none();
    let has_own = found.measures.iter().any(|one| is_whole(one) && !one.is_replaced);
    let mut explanation = Explanation::default();
    let mut stated = [0, 0];
    let mut listed = Vec::new();
    for one in &found.measures {
        let known = one.agency.map(|number| &found.agencies.known[found.agencies.attributed_to(number) as usize]);
        let is_of = match (figure, known) {
            (FigureOf::Province, _) => true,
            (_, Some(known)) => figure.is_of(known),
            (_, None) => false,
        };
        if !is_of {
            continue;
        }
        let excluded_by = if one.is_replaced {
            Some(REPLACED)
        } else if *figure == FigureOf::Province && has_own && !is_whole(one) {
            Some(OF_PROVINCE)
        } else {
            None
        };
        let side = if excluded_by.is_some() { Side::Excluded } else { Side::InNumerator };
        explanation.counts[side as usize] += 1;
        if side == Side::InNumerator {
            stated[0] += one.counts.numerator;
            stated[1] += one.counts.denominator;
        }
        if page.is_some_and(|page| page.side == side) {
            let text = |text: &str| ListCell::text(text);
            let mut cells = vec![
                ListCell::of(known, |known| text(&known.code)),
                ListCell::of(known, |known| text(&known.name)),
                ListCell::count(one.counts.numerator),
                ListCell::count(one.counts.denominator),
            ];
            cells.extend(found.document_and_moment(one));
            let why = |meaning: [&str; 2]| ListCell::worded(meaning[0].to_owned(), meaning.map(str::to_owned));
            cells.push(ListCell::of(excluded_by, why));
            cells.extend(found.position(one));
            listed.push(cells);
        }
    }
    let page = page.map_or((0, 0), |page| (page.offset as usize, page.limit as usize));
    let rows = listed.into_iter().skip(page.0).take(page.1).collect();
    Ok(ExplainedUnits { explanation, columns: MEASURE_COLUMNS, rows, stated: Some(stated) })
}
