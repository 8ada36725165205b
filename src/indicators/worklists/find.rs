//! Finds the dossiers of a worklist.

use std::sync::Arc;

use jiff::civil::Date;
use polars::prelude::*;

use super::definition::{Worklist, with_worklist_settings, worklists};
use super::ratios::{RatioStanding, standings};
use crate::calendar::WorkingDayTable;
use crate::expressions::{Expression, Settings, dossier_facts, fold};
use crate::indicators::IndicatorError;
use crate::indicators::agencies::Agencies;
use crate::indicators::explain::{DOSSIER_COLUMNS, FigureOf, cells_of, expressions_of};
use crate::indicators::inputs::FigureInputs;
use crate::indicators::local_time::micros;
use crate::indicators::lookups::{RowsByText, value_at};
use crate::indicators::polars_expressions::FactRenderer;
use crate::indicators::scan::{RuleSetFacts, count_by, facts_of};
use crate::model::indicator::IndicatorDefinition;
use crate::model::instant::local;
use crate::model::list::{ListCell, ListColumn};
use crate::model::rules::RuleSet;
use crate::model::worklist::WorklistSettings;

/// Which dossiers of a worklist are listed.
#[derive(Debug, Clone)]
pub struct WorklistPage {
    pub of: FigureOf,
    pub offset: u32,
    pub limit: u32,
}

/// A dossier of a worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorklistLine {
    /// By [`FoundWorklist::columns`].
    pub cells: Vec<ListCell>,
    /// The moment by which the list is ordered, microseconds UTC.
    pub since: Option<i64>,
    /// The last moment that is on time for certain, microseconds UTC: lists select by it. The column `last_on_time_at` is the last
    /// one that may be, which is later if it is not known which due date counts.
    pub limit: Option<i64>,
    /// The last working day on which an apology is in time for certain.
    pub last_apology_day: Option<Date>,
}

/// The dossiers of a worklist.
#[derive(Debug, Clone)]
pub struct FoundWorklist {
    /// Dossiers of the agency, tier or province.
    pub total: u64,
    /// Dossiers by code and name of the agency, most first.
    pub by_agency: Vec<(Arc<str>, Arc<str>, u64)>,
    pub columns: Vec<&'static ListColumn>,
    /// Those with the earliest moment first.
    pub lines: Vec<WorklistLine>,
    /// The ratios of this year that the list touches.
    pub ratios: Vec<RatioStanding>,
}

/// Columns of a list of dossiers that a worklist leaves out: the end, and where the row came from.
const LEFT_OUT: [&str; 6] = ["ended_at", "returned_at", "excluded_by", "run", "page", "row"];

/// Lists of which no step moves a ratio of on time: an apology never makes on time, and the others have ended.
const LISTS_WITHOUT_RATIOS: [&str; 3] = ["apology", "ready", "post"];
/// What a dossier that nobody has received does not have; its facts take the submission for the reception.
const OF_RECEPTION: [&str; 3] = ["received_at", "last_on_time_at", "days_late"];

/// Finds the dossiers of a worklist at the moment of the inputs. `indicators`: the ratios that are shown with it.
///
/// # Errors
/// A table that cannot be scanned.
pub fn find_worklist(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    list: &Worklist,
    (settings, indicators): (&WorklistSettings, &[&IndicatorDefinition]),
    page: &WorklistPage,
) -> Result<FoundWorklist, IndicatorError> {
    let inputs = &inputs.with_dossiers(with_own_columns(inputs)?);
    let found = facts_of(inputs, rules, None)?;
    let conditions = Conditions::new(inputs, &found.settings, settings);
    let is_listed = conditions.is_listed(list);
    let since = conditions.rendered(&list.since).cast(DataType::Int64).alias("since");
    let moves_ratios = !LISTS_WITHOUT_RATIOS.contains(&list.name.as_str());
    let ratios = if moves_ratios { standings(inputs, rules, indicators, &is_listed, &page.of)? } else { Vec::new() };
    let RuleSetFacts { facts, agencies, .. } = found;
    let listed = facts.filter(col("agency").is_not_null()).filter(is_listed);
    let counts = count_by(listed.clone(), &agencies, [])?;
    let mut counts: Vec<(u32, u64)> = counts.into_iter().map(|((number, []), dossiers)| (number, dossiers)).collect();
    counts.sort_by_key(|(number, dossiers)| (std::cmp::Reverse(*dossiers), *number));
    let is_of = |number: u32| page.of.is_of(&agencies.known[number as usize]);
    let total = counts.iter().filter(|(number, _)| is_of(*number)).map(|(_, count)| count).sum();
    let named = |(number, dossiers): (u32, u64)| {
        let agency = &agencies.known[number as usize];
        (Arc::clone(&agency.code), Arc::clone(&agency.name), dossiers)
    };
    let by_agency = counts.into_iter().filter(|(number, _)| is_of(*number)).map(named).collect();
    let columns: Vec<&'static ListColumn> =
        DOSSIER_COLUMNS.iter().filter(|column| !LEFT_OUT.contains(&column.name)).collect();
    let mut lines = lines(listed.with_columns([since]), &agencies, &columns, (page, total, inputs.now))?;
    for line in &mut lines {
        // NĐ 61/2018/NĐ-CP art. 19(9): at the latest one day before the limit.
        let day_before = line.limit.and_then(|limit| local(limit).date().yesterday().ok());
        line.last_apology_day = day_before.map(|day| inputs.calendar.back_working_days(day, 1));
        if list.name == "acceptance" {
            let of_reception =
                columns.iter().zip(&mut line.cells).filter(|(column, _)| OF_RECEPTION.contains(&column.name));
            of_reception.for_each(|(_, cell)| *cell = ListCell::Null);
        }
    }
    Ok(FoundWorklist { total, by_agency, columns, lines, ratios })
}

/// How many dossiers each of [`worklists`] has, of an agency, a tier or the province.
///
/// # Errors
/// A table that cannot be scanned.
pub fn worklist_counts(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    settings: &WorklistSettings,
    of: &FigureOf,
) -> Result<Vec<u64>, IndicatorError> {
    let inputs = &inputs.with_dossiers(with_own_columns(inputs)?);
    let found = facts_of(inputs, rules, None)?;
    let conditions = Conditions::new(inputs, &found.settings, settings);
    let count = |list: &Worklist| conditions.is_listed(list).sum().cast(DataType::UInt64).alias(list.name.as_str());
    let counted = found
        .facts
        .filter(col("agency").is_not_null())
        .filter(of.is_of_agency(&found.agencies))
        .select(worklists().iter().map(count).collect::<Vec<_>>())
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let count = |list: &Worklist| Ok(counted.column(&list.name)?.u64()?.get(0).unwrap_or(0));
    Ok(worklists().iter().map(count).collect::<PolarsResult<_>>()?)
}

/// Renders the conditions of worklists over facts.
struct Conditions {
    days: Arc<WorkingDayTable>,
    settings: Settings,
}

impl Conditions {
    fn new(inputs: &FigureInputs<'_>, of_facts: &Settings, of_worklists: &WorklistSettings) -> Self {
        Self {
            days: Arc::new(WorkingDayTable::new(inputs.calendar)),
            settings: with_worklist_settings(of_facts.clone(), of_worklists, inputs.calendar, inputs.now),
        }
    }

    fn rendered(&self, expression: &Expression) -> Expr {
        let renderer = FactRenderer {
            table: dossier_facts(),
            days: Some(&self.days),
            lookup: &|name| unreachable!("a worklist looks nothing up: `{name}`"),
            order: &[],
        };
        renderer.expression(&fold(expression, &self.settings))
    }

    /// Whether a dossier is in a list; what is not known is not.
    fn is_listed(&self, list: &Worklist) -> Expr {
        self.rendered(&list.only).fill_null(lit(false))
    }
}

/// The dossiers with the columns that only worklists have. A dossier that was submitted and not received is filed by its
/// submission.
fn with_own_columns(inputs: &FigureInputs<'_>) -> PolarsResult<LazyFrame> {
    // Rows with one item code and one dossier code are one item; a row without item code is an item of its own.
    let alone = |name: &str| {
        when(col("item_code").is_null()).then(col(name)).otherwise(lit(NULL)).alias(format!("{name}_alone"))
    };
    let item = [col("dossier_code"), col("item_code"), alone("source"), alone("source_key")];
    let is_over =
        col("delivered_at").is_not_null().or(col("withdrawn_at").is_not_null()).or(["delivered", "withdrawn"]
            .map(|status| col("status").eq_missing(lit(status)))
            .into_iter()
            .fold(lit(false), Expr::or));
    let items = inputs
        .postal_items
        .clone()
        .filter(col("deleted").fill_null(lit(false)).not().and(col("dossier_code").is_not_null()))
        .group_by(item)
        .agg([
            col("direction").eq_missing(lit("return")).any(true).alias("is_return"),
            is_over.any(true).alias("is_over"),
            micros("accepted_at").min().alias("since"),
        ])
        .filter(col("is_return").and(col("is_over").not()))
        .group_by([col("dossier_code")])
        .agg([col("since").min()])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let by_code = RowsByText::new(items.column("dossier_code")?.str()?.iter());
    let since = items.column("since")?.clone();
    let of_code = |code: &str| value_at(by_code.row(col(code)), since.clone());
    Ok(inputs.dossiers.clone().with_columns([
        col("received_at").is_null().alias("awaits_acceptance"),
        coalesce(&[col("received_at"), col("submitted_at")]).alias("received_at"),
        coalesce(&[of_code("dossier_code"), of_code("national_code")]).alias("undelivered_since"),
    ]))
}

fn lines(
    listed: LazyFrame,
    agencies: &Agencies,
    columns: &[&'static ListColumn],
    (page, total, now): (&WorklistPage, u64, i64),
) -> Result<Vec<WorklistLine>, IndicatorError> {
    // Polars reserves memory for every row that is asked for.
    let rest = u32::try_from(total).unwrap_or(u32::MAX).saturating_sub(page.offset);
    let limit = page.limit.min(rest);
    if limit == 0 {
        return Ok(Vec::new());
    }
    let order = SortMultipleOptions::default().with_nulls_last(true);
    let frame = listed
        .filter(page.of.is_of_agency(agencies))
        .select([expressions_of(columns, now), vec![col("since"), col("overdue_from").alias("limit")]].concat())
        .sort(["since", "received_at", "source", "source_key"], order)
        .slice(i64::from(page.offset), limit)
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let cells = cells_of(&frame, columns, agencies, &[])?;
    let since = frame.column("since")?.i64()?;
    let limits = frame.column("limit")?.cast(&DataType::Int64)?;
    let limits = limits.i64()?;
    let lines = cells.into_iter().enumerate().map(|(row, cells)| WorklistLine {
        cells,
        since: since.get(row),
        limit: limits.get(row),
        last_apology_day: None,
    });
    Ok(lines.collect())
}
