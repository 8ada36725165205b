//! Explains figures that count procedures, agencies, feedback or measures: what each of them is to the figure.

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::explain::columns::feedback_cells;
use crate::indicators::explain::measures::explain_measures;
use crate::indicators::explain::registries::explain_registry;
use crate::indicators::explain::{
    DOSSIER_COLUMNS, DossierPage, ExplainedFigure, Explanation, FEEDBACK_COLUMNS, FigureOf,
};
use crate::indicators::inputs::FigureInputs;
use crate::model::figure::Figure;
use crate::model::indicator::{CountedUnit, IndicatorDefinition};
use crate::model::list::{ListCell, ListColumn};
use crate::model::period::Period;
use crate::model::rules::RuleSet;

/// What is counted behind a figure, and what of one side is listed.
#[derive(Debug, Clone)]
pub struct ExplainedUnits {
    /// How many dossiers, procedures, agencies, feedback or rows of measures are on each side.
    pub explanation: Explanation,
    pub columns: &'static [ListColumn],
    pub rows: Vec<Vec<ListCell>>,
    /// Of measures: numerator and denominator that the rows of the numerator's side state together.
    pub stated: Option<[u64; 2]>,
}

impl ExplainedUnits {
    /// The counts as found here and as published, if they differ: see [`Explanation::difference`]. Of measures the sums are
    /// compared, not the rows.
    #[must_use]
    pub fn difference(&self, published: &Figure) -> Option<[[u64; 4]; 2]> {
        let Some([numerator, denominator]) = self.stated else { return self.explanation.difference(published) };
        let found = [denominator, numerator, 0, 0];
        let expected = [published.denominator.unwrap_or(denominator), published.numerator, 0, 0];
        (found != expected).then_some([found, expected])
    }
}

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
    let conditions: Vec<String> = explained.sides.conditions().iter().map(ToString::to_string).collect();
    Ok(feedback_cells(&listed, &explained.agencies, &conditions)?)
}
