//! Explains figures that count procedures, agencies, feedback or measures: what each of them is to the figure.

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::explain::columns::feedback_cells;
use crate::indicators::explain::explained_units::ExplainedUnits;
use crate::indicators::explain::measures::explain_measures;
use crate::indicators::explain::registries::explain_registry;
use crate::indicators::explain::{DOSSIER_COLUMNS, DossierPage, ExplainedFigure, FEEDBACK_COLUMNS, FigureOf};
use crate::indicators::inputs::FigureInputs;
use crate::model::indicator::{CountedUnit, IndicatorDefinition};
use crate::model::list::ListCell;
use crate::model::period::Period;
use crate::model::rules::RuleSet;

/// Explains a figure of any indicator. `page`: what to list, sorted; `None` lists nothing.
///
/// # Errors
/// A predicate that Polars does not accept, or a table that cannot be scanned.
pub fn explain_units(
    inputs: &FigureInputs<'_>,
    (definition, rules): (&IndicatorDefinition, &RuleSet),
    period: Period,
    figure: &FigureOf,
    page: Option<DossierPage>,
) -> Result<ExplainedUnits, IndicatorError> {
    match definition.over {
        CountedUnit::Procedures | CountedUnit::Agencies => {
            explain_registry(inputs, (definition, rules), period, figure, page)
        }
        CountedUnit::Measures => explain_measures(inputs, definition, period, figure, page),
        CountedUnit::Dossiers => {
            let explained = ExplainedFigure::new(inputs, definition, rules, period)?;
            let explanation = explained.counts(std::slice::from_ref(figure))?.remove(0);
            let rows = match page {
                Some(page) => explained.list(figure, page, explanation.count(page.side))?,
                None => Vec::new(),
            };
            Ok(ExplainedUnits { explanation, columns: DOSSIER_COLUMNS, rows, stated: None })
        }
        CountedUnit::Feedback => {
            let explained = ExplainedFigure::of_feedback(inputs, definition, rules, period)?;
            let explanation = explained.counts(std::slice::from_ref(figure))?.remove(0);
            let rows = match page {
                Some(page) => list_feedback(&explained, figure, page, explanation.count(page.side))?,
                None => Vec::new(),
            };
            Ok(ExplainedUnits { explanation, columns: FEEDBACK_COLUMNS, rows, stated: None })
        }
    }
}

/// Lists feedback of a side, that with the earliest due date first.
fn list_feedback(
    explained: &ExplainedFigure,
    figure: &FigureOf,
    page: DossierPage,
    of: u64,
) -> Result<Vec<Vec<ListCell>>, IndicatorError> {
    let limit = page.rows_of(of);
    if limit == 0 {
        return Ok(Vec::new());
    }
    let order = SortMultipleOptions::default().with_nulls_last(true);
    let listed = explained
        .dossiers()
        .filter(figure.is_of_agency(&explained.agencies))
        .filter(col("side").eq(lit(page.side as u32)))
        .sort(["due_at", "received_at", "source", "source_key"], order)
        .slice(i64::from(page.offset), limit)
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    Ok(feedback_cells(&listed, &explained.agencies, &explained.condition_cells())?)
}
