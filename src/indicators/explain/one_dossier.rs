//! Explains one dossier: the conditions of the indicator with what they are for it, and the facts behind them.

use polars::prelude::*;

use crate::expressions::{Expression, FactTable, Settings, dossier_facts, fold};
use crate::indicators::IndicatorError;
use crate::indicators::explain::columns;
use crate::indicators::explain::stored_words::stored_words;
use crate::indicators::explain::{ExplainedFigure, FigureOf, Side};
use crate::indicators::polars_expressions::predicate;
use crate::model::list::ListCell;
use crate::model::predicate::FactType;

/// What one dossier is to an indicator in a period, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedDossier {
    pub side: Side,
    /// By the columns of [`DOSSIER_COLUMNS`](crate::indicators::DOSSIER_COLUMNS).
    pub cells: Vec<ListCell>,
    /// The conditions of population, denominator and numerator; `None` if it is not known whether one is true.
    pub conditions: Vec<(String, Option<bool>)>,
    /// The facts that the conditions name, each followed by those that it is computed from.
    pub facts: Vec<ExplainedFact>,
}

/// A fact of a dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedFact {
    pub name: String,
    pub meaning_vi: String,
    pub meaning_en: String,
    pub value: ListCell,
    /// How it follows from other facts under the rule set; `None` if the source states it.
    pub expression: Option<String>,
    /// How many facts are between it and a condition.
    pub depth: usize,
}

impl ExplainedFigure {
    /// The dossiers of the period and of a figure's agencies that have a code: their own, the national one, or their source's key.
    ///
    /// # Errors
    /// A table that cannot be scanned.
    pub fn dossiers_with(&self, figure: &FigureOf, code: &str) -> Result<Vec<ExplainedDossier>, IndicatorError> {
        let has_code = ["dossier_code", "national_code", "source_key"].map(|name| col(name).eq(lit(code)));
        let has_code = has_code.into_iter().reduce(Expr::or).expect("there are three");
        let conditions = self.sides.all_conditions();
        let facts = chain(dossier_facts(), &conditions, &self.settings);
        let selected = conditions
            .iter()
            .enumerate()
            .map(|(place, condition)| predicate(condition).alias(format!("condition {place}")));
        let values = facts.iter().map(|fact| col(fact.name.as_str()).alias(format!("fact {}", fact.name)));
        let listed = columns::expressions(self.moment);
        let found = self
            .dossiers()
            .filter(figure.is_of_agency(&self.agencies))
            .filter(has_code)
            .select([listed, vec![col("side")], selected.collect(), values.collect()].concat())
            .sort(["source", "source_key"], SortMultipleOptions::default())
            .collect_with_engine(Engine::Streaming)?
            .unwrap_single();
        let cells = columns::cells(&found, &self.agencies, &self.condition_cells())?;
        let explained = cells.into_iter().enumerate().map(|(row, cells)| {
            let side = found.column("side")?.u32()?.get(row).and_then(|side| Side::from_repr(u8::try_from(side).ok()?));
            let is_true = |place: usize| -> PolarsResult<Option<bool>> {
                Ok(found.column(&format!("condition {place}"))?.cast(&DataType::Boolean)?.bool()?.get(row))
            };
            let conditions =
                conditions.iter().enumerate().map(|(place, condition)| Ok((condition.to_string(), is_true(place)?)));
            let facts = facts.iter().map(|fact| {
                let value = columns::cell(found.column(&format!("fact {}", fact.name))?, fact_type(&fact.name), row)?;
                Ok(ExplainedFact { value, ..fact.clone() })
            });
            Ok(ExplainedDossier {
                side: side.expect("every dossier has a side"),
                cells,
                conditions: conditions.collect::<PolarsResult<_>>()?,
                facts: facts.collect::<PolarsResult<_>>()?,
            })
        });
        Ok(explained.collect::<PolarsResult<_>>()?)
    }
}

fn fact_type(name: &str) -> FactType {
    dossier_facts().type_of(name).unwrap_or(FactType::Text)
}

/// The facts that conditions name, in the order of the conditions, each followed by those that it is computed from.
/// Their values are not known yet.
fn chain(table: &FactTable, conditions: &[Expression], settings: &Settings) -> Vec<ExplainedFact> {
    let mut facts = Vec::new();
    for condition in conditions {
        for name in condition.columns() {
            add(table, name, 0, settings, &mut facts);
        }
    }
    facts
}

fn add(table: &FactTable, name: &str, depth: usize, settings: &Settings, facts: &mut Vec<ExplainedFact>) {
    // A name with a point is a column of a look-up; facts show what it gives.
    if name.contains('.') || facts.iter().any(|known| known.name == name) {
        return;
    }
    let Some(fact) = table.fact(name) else {
        if table.type_of(name).is_some() {
            facts.push(stored(name, depth));
        }
        return;
    };
    let expression = fact.expression.as_ref().map(|expression| fold(expression, settings));
    facts.push(ExplainedFact {
        meaning_vi: fact.meaning_vi.clone(),
        meaning_en: fact.meaning_en.clone(),
        expression: expression.as_ref().map(ToString::to_string),
        ..stored(name, depth)
    });
    for part in expression.iter().flat_map(Expression::columns) {
        add(table, part, depth + 1, settings, facts);
    }
}

/// A column as the source states it.
fn stored(name: &str, depth: usize) -> ExplainedFact {
    let [vi, en] = stored_words(name).unwrap_or([name; 2]);
    ExplainedFact {
        name: name.to_owned(),
        meaning_vi: format!("{vi} (như nguồn ghi)"),
        meaning_en: format!("{en} (as the source states it)"),
        value: ListCell::Null,
        expression: None,
        depth,
    }
}
