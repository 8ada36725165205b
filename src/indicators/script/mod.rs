//! Figures as one SQL script, which another engine (DuckDB, Spark) runs over the Delta tables.
//!
//! Facts come from `facts/*.toml` and sums from `sums`, as in a night; only the last steps (half-months, periods, scopes,
//! medians) are written here a second time. What cannot be rendered is refused by name.

mod beside;
mod dialect;
mod fact_tables;
mod figure_query;
mod render;
mod small_tables;
mod stored;
mod subquery;
mod working_time;

pub use dialect::SqlDialect;
pub use stored::StoredTables;

use crate::expressions::{FactTable, SettingValue, Settings, dossier_facts, feedback_facts};
use crate::indicators::agencies::agencies_of;
use crate::indicators::facts::{agency_text, settings_of};
use crate::indicators::grouped_rows::PostLookup;
use crate::indicators::groups::plan_groups;
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::scan::moment_of;
use crate::indicators::script::beside::beside_dossiers;
use crate::indicators::script::fact_tables::FactQuery;
use crate::indicators::script::figure_query::{FigureQuery, ScriptGroup};
use crate::indicators::script::subquery::Subquery;
use crate::indicators::sums::StillReachable;
use crate::indicators::{IndicatorError, feedback};
use crate::model::indicator::{CountedUnit, IndicatorDefinition};
use crate::model::rules::{AgencyView, RuleSet};

/// A script, and the indicators that it leaves out.
#[derive(Debug)]
pub struct SqlScript {
    pub text: String,
    /// Identifier of each indicator that cannot be rendered, with the reason in Vietnamese.
    pub left_out: Vec<(String, &'static str)>,
}

/// Why an indicator cannot be rendered; `None` if it can.
fn refusal(definition: &IndicatorDefinition, rules: &RuleSet) -> Option<&'static str> {
    match definition.over {
        CountedUnit::Dossiers if rules.agency != AgencyView::Competent => {
            Some("bộ quy tắc tính hồ sơ cho cơ quan khác với cơ quan có thẩm quyền")
        }
        CountedUnit::Dossiers | CountedUnit::Feedback => None,
        CountedUnit::Procedures => Some("đếm thủ tục trong danh mục"),
        CountedUnit::Agencies => Some("đếm cơ quan trong danh mục"),
        CountedUnit::Measures => Some("lấy số liệu do cơ quan báo cáo"),
    }
}

/// The script for the indicators of the inputs.
///
/// # Errors
/// A predicate that cannot be read, or a table that cannot be scanned for the texts of agencies.
pub fn sql_script(inputs: &FigureInputs<'_>, stored: &StoredTables) -> Result<SqlScript, IndicatorError> {
    let (mut of_dossiers, mut of_feedback, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for &rules in inputs.rules {
        let (mut dossiers, mut feedback) = (Vec::new(), Vec::new());
        for indicator in inputs.indicators_of(rules) {
            match refusal(indicator.definition, rules) {
                Some(reason) => left_out.push((indicator.definition.id.clone(), reason)),
                None if indicator.definition.over == CountedUnit::Feedback => feedback.push(indicator),
                None => dossiers.push(indicator),
            }
        }
        of_dossiers.extend((!dossiers.is_empty()).then_some((rules, dossiers)));
        of_feedback.extend((!feedback.is_empty()).then_some((rules, feedback)));
    }
    let sql = stored.dialect;
    let mut script = Script { stored, subqueries: Vec::new(), figures: FigureQuery::new(sql) };
    script.subqueries.extend(small_tables::calendar(sql, inputs.calendar));
    script.subqueries.extend(small_tables::periods(sql, inputs.now));
    if !of_dossiers.is_empty() {
        let agencies = agencies_of(inputs, inputs.dossiers.clone(), agency_text(AgencyView::Competent))?;
        script.subqueries.extend(small_tables::agencies(sql, "dossier", &agencies));
        script.subqueries.push(small_tables::procedures(sql, inputs.procedures));
        script.subqueries.push(small_tables::offers(sql, inputs.offers, inputs.procedures));
        let night = Settings::default().with("night.now", SettingValue::Number(inputs.now));
        script.subqueries.extend(beside_dossiers(stored, dossier_facts(), &night));
    }
    let has_post_list = !PostLookup::read(inputs.postal_items.clone(), inputs.now)?.is_empty();
    for (rules, indicators) in &of_dossiers {
        let (moment, still_reachable) = moment_of(inputs, rules);
        let settings = settings_of(rules, inputs.now, moment, has_post_list);
        script.add("dossier", dossier_facts(), (rules, indicators), &settings, still_reachable)?;
    }
    if !of_feedback.is_empty() {
        let agencies = agencies_of(inputs, inputs.feedback.clone(), feedback::agency_text())?;
        script.subqueries.extend(small_tables::agencies(sql, "feedback", &agencies));
    }
    for (rules, indicators) in &of_feedback {
        let settings = settings_of(rules, inputs.now, inputs.now, false);
        script.add("feedback", feedback_facts(), (rules, indicators), &settings, StillReachable::Everything)?;
    }
    let Script { subqueries, figures, .. } = script;
    let subqueries = [subqueries, figures.subqueries()].concat();
    let text = subquery::script(sql, &stored.views(), &subqueries, &FigureQuery::last());
    Ok(SqlScript { text, left_out })
}

/// A script that is being written.
struct Script<'a> {
    stored: &'a StoredTables,
    subqueries: Vec<Subquery>,
    figures: FigureQuery,
}

impl Script<'_> {
    /// Adds the indicators of a rule set over one table, which is called `name` in the script.
    fn add(
        &mut self,
        name: &str,
        table: &'static FactTable,
        (rules, indicators): (&RuleSet, &[ComputedIndicator<'_>]),
        settings: &Settings,
        still_reachable: StillReachable,
    ) -> Result<(), IndicatorError> {
        let groups = plan_groups(indicators, rules, None, still_reachable)?;
        let facts = format!("{name}_facts_{}", self.subqueries.len());
        let agencies = format!("{name}_agencies");
        let names: Vec<String> = (1..=groups.len()).map(|number| format!("{facts}_group_{number}")).collect();
        let groups: Vec<ScriptGroup<'_>> = groups
            .iter()
            .zip(&names)
            .map(|(query, name)| ScriptGroup {
                sql: self.stored.dialect,
                name,
                query,
                facts: &facts,
                table,
                agencies: &agencies,
            })
            .collect();
        let wanted = groups.iter().flat_map(ScriptGroup::columns).collect();
        let facts = FactQuery { name: &facts, table, wanted: &wanted };
        self.subqueries.extend(facts.subqueries(self.stored, settings));
        for group in &groups {
            self.subqueries.push(group.subquery());
            for (index, sums) in &group.query.members {
                self.figures.add(group, &indicators[*index], &rules.id, sums);
            }
        }
        Ok(())
    }
}
