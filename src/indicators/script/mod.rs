//! Figures as one SQL script, which another engine runs over the Delta tables.
//!
//! Facts come from `facts/*.toml` and sums from `sums`, as in a night; only the last steps (periods, scopes, periods in
//! between) are written here a second time. What cannot be rendered is refused by name.

mod dialect;
mod fact_tables;
mod figure_query;
mod render;
mod small_tables;

use std::collections::BTreeSet;

pub use dialect::SqlDialect;

use crate::expressions::{Expression, SettingValue, Settings, dossier_facts};
use crate::indicators::IndicatorError;
use crate::indicators::agencies::agencies_of;
use crate::indicators::facts::{agency_text, settings_of};
use crate::indicators::grouped_rows::PostLookup;
use crate::indicators::groups::{GroupKind, day_column, plan_groups};
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::scan::moment_of;
use crate::indicators::script::fact_tables::StoredTables;
use crate::indicators::script::figure_query::FigureQuery;
use crate::model::indicator::{CountedUnit, IndicatorDefinition, IndicatorKind};
use crate::model::rules::{AgencyView, RuleSet};
use crate::model::table::RecordKind;

/// A script, and the indicators that it leaves out.
#[derive(Debug)]
pub struct SqlScript {
    pub text: String,
    /// Identifier of each indicator that cannot be rendered, with the reason.
    pub left_out: Vec<(String, String)>,
}

/// Why an indicator cannot be rendered; `None` if it can.
fn refusal(definition: &IndicatorDefinition, rules: &RuleSet) -> Option<&'static str> {
    match (definition.over, definition.kind) {
        (CountedUnit::Dossiers, IndicatorKind::Median) => Some("a median is no sum over dossiers"),
        (CountedUnit::Dossiers, IndicatorKind::Stock) => Some("a stock is carried over from period to period"),
        (CountedUnit::Dossiers, _) if rules.agency != AgencyView::Competent => {
            Some("its rule set attributes dossiers to another agency than the competent one")
        }
        (CountedUnit::Dossiers, _) => None,
        (CountedUnit::Procedures, _) => Some("it counts procedures of the registry"),
        (CountedUnit::Agencies, _) => Some("it counts agencies of the registry"),
        (CountedUnit::Feedback, _) => Some("it counts feedback"),
        (CountedUnit::Measures, _) => Some("an office states its counts"),
    }
}

/// The script for the indicators of the inputs. `root`: folder or address of the Delta tables; `present`: those that exist.
///
/// # Errors
/// A predicate that cannot be read, or a table that cannot be scanned for the texts of agencies.
pub fn sql_script(
    inputs: &FigureInputs<'_>,
    dialect: SqlDialect,
    root: &str,
    present: &[RecordKind],
) -> Result<SqlScript, IndicatorError> {
    let stored = StoredTables { dialect, root, present };
    let night = Settings::default().with("night.now", SettingValue::Number(inputs.now));
    let agencies = agencies_of(inputs, inputs.dossiers.clone(), agency_text(AgencyView::Competent))?;
    let has_post_list = !PostLookup::read(inputs.postal_items.clone(), inputs.now)?.is_empty();
    let mut tables = Vec::from(small_tables::agencies("dossier", &agencies));
    tables.push(small_tables::procedures(inputs.procedures));
    tables.push(small_tables::offers(inputs.offers, inputs.procedures));
    tables.extend(small_tables::calendar(inputs.calendar, dialect));
    tables.push(small_tables::periods(inputs.now));
    tables.extend(fact_tables::beside_dossiers(&stored, dossier_facts(), &night));
    let mut query = FigureQuery::new(dialect);
    let mut left_out = Vec::new();
    for (place, rules) in inputs.rules.iter().enumerate() {
        let mut indicators: Vec<ComputedIndicator<'_>> = Vec::new();
        for indicator in inputs.indicators_of(rules) {
            match refusal(indicator.definition, rules) {
                Some(reason) => left_out.push((indicator.definition.id.clone(), reason.to_owned())),
                None => indicators.push(indicator),
            }
        }
        if indicators.is_empty() {
            continue;
        }
        let (moment, still_reachable) = moment_of(inputs, rules);
        let settings = settings_of(rules, inputs.now, moment, has_post_list);
        let groups = plan_groups(&indicators, rules, None, still_reachable)?;
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for group in &groups {
            wanted.insert(day_column(group.period_column).to_owned());
            match group.kind {
                GroupKind::ByEnd => wanted.extend(["ended_day", "overdue_day"].map(str::to_owned)),
                GroupKind::ByProcedure => wanted.extend(["procedure_code".to_owned()]),
                _ => {}
            }
            wanted.extend(group.expressions().iter().flat_map(Expression::columns).map(str::to_owned));
        }
        let facts = format!("facts_{}", place + 1);
        tables.extend(fact_tables::facts(&facts, dossier_facts(), &stored, &settings, &wanted));
        for (number, group) in groups.iter().enumerate() {
            let name = format!("group_{}_{}", place + 1, number + 1);
            tables.push(query.group(&name, &facts, group));
            for (index, sums) in &group.members {
                query.member(&name, group, &indicators[*index], &rules.id, sums);
            }
        }
    }
    tables.extend(query.tables());
    let text = format!("WITH {}\n{}", tables.join(",\n"), FigureQuery::last());
    Ok(SqlScript { text, left_out })
}
