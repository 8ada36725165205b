//! Figures as one SQL script, which another engine (DuckDB, Spark) runs over the Delta tables.
//!
//! Facts come from `facts/*.toml` and sums from `sums`, as in a night; only the last steps (half-months, periods, scopes,
//! medians, what the registries count) are written here a second time.

mod beside;
mod dialect;
mod fact_tables;
mod figure_query;
mod measure_figures;
mod registry_figures;
mod render;
mod small_tables;
mod stored;
mod subquery;
mod working_time;

pub use dialect::SqlDialect;
pub use stored::StoredTables;

use std::collections::BTreeSet;

use polars::prelude::{Expr, LazyFrame, coalesce, col, lit};

use crate::expressions::{FactTable, SettingValue, Settings, dossier_facts, feedback_facts};
use crate::indicators::agencies::{Agencies, NO_AGENCY, agencies_of};
use crate::indicators::facts::{agency_text, flag, settings_of};
use crate::indicators::grouped_rows::PostLookup;
use crate::indicators::groups::{day_column, plan_groups};
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::scan::moment_of;
use crate::indicators::script::beside::beside_dossiers;
use crate::indicators::script::fact_tables::FactQuery;
use crate::indicators::script::figure_query::{FigureQuery, ScriptGroup};
use crate::indicators::script::registry_figures::{RegistryFigures, periods_with_dossiers, registries, scopes};
use crate::indicators::script::subquery::Subquery;
use crate::indicators::sums::{IndicatorSums, StillReachable};
use crate::indicators::{IndicatorError, feedback};
use crate::model::indicator::{CountedUnit, PeriodColumn};
use crate::model::rules::{AgencyView, RuleSet};
use crate::model::table::RecordKind;

/// The script for the indicators of the inputs.
///
/// # Errors
/// A predicate that cannot be read, or a table that cannot be scanned for its texts.
pub fn sql_script(inputs: &FigureInputs<'_>, stored: &StoredTables) -> Result<String, IndicatorError> {
    let sql = stored.dialect;
    let mut script = Script { stored, inputs, subqueries: Vec::new(), figures: FigureQuery::new(sql) };
    script.subqueries.extend(small_tables::calendar(sql, inputs.calendar));
    script.subqueries.extend(small_tables::periods(sql, inputs.now));
    script.add_dossiers(&script.indicators_over(&[
        CountedUnit::Dossiers,
        CountedUnit::Procedures,
        CountedUnit::Agencies,
    ]))?;
    script.add_feedback(&script.indicators_over(&[CountedUnit::Feedback]))?;
    script.add_measures(&script.indicators_over(&[CountedUnit::Measures]))?;
    let Script { subqueries, figures, .. } = script;
    let subqueries = [subqueries, figures.subqueries()].concat();
    Ok(subquery::script(sql, &stored.views(), &subqueries, &FigureQuery::last()))
}

/// Indicators by rule set.
type ByRules<'a> = Vec<(&'a RuleSet, Vec<ComputedIndicator<'a>>)>;

/// A script that is being written.
struct Script<'a> {
    stored: &'a StoredTables,
    inputs: &'a FigureInputs<'a>,
    subqueries: Vec<Subquery>,
    figures: FigureQuery,
}

/// What the names of the tables of a view's agencies begin with.
fn prefix_of(view: AgencyView) -> &'static str {
    match view {
        AgencyView::Competent => "dossier",
        AgencyView::Receiving | AgencyView::Handling => view.name(),
    }
}

fn is_over_registry(indicator: &ComputedIndicator<'_>) -> bool {
    matches!(indicator.definition.over, CountedUnit::Procedures | CountedUnit::Agencies)
}

impl<'a> Script<'a> {
    fn indicators_over(&self, over: &[CountedUnit]) -> ByRules<'a> {
        let of_rules = self.inputs.rules.iter().map(|&rules| {
            let indicators = self.inputs.indicators_of(rules);
            (rules, indicators.filter(|indicator| over.contains(&indicator.definition.over)).collect::<Vec<_>>())
        });
        of_rules.filter(|(_, indicators)| !indicators.is_empty()).collect()
    }

    /// Adds the indicators over dossiers and over the registries.
    fn add_dossiers(&mut self, of_rules: &ByRules<'_>) -> Result<(), IndicatorError> {
        if of_rules.is_empty() {
            return Ok(());
        }
        let (sql, inputs) = (self.stored.dialect, self.inputs);
        for view in [AgencyView::Competent, AgencyView::Receiving, AgencyView::Handling] {
            let of_view = || of_rules.iter().filter(move |(rules, _)| rules.agency == view);
            // In every view the competent agency decides what a dossier is.
            if view != AgencyView::Competent && of_view().next().is_none() {
                continue;
            }
            let prefix = prefix_of(view);
            let agencies = self.add_agencies(prefix, inputs.dossiers.clone(), agency_text(view))?;
            let over_registry: Vec<_> =
                of_view().flat_map(|(_, indicators)| indicators).filter(|one| is_over_registry(one)).collect();
            if !over_registry.is_empty() {
                self.subqueries.extend(scopes(sql, prefix, &agencies, inputs));
                let definitions = over_registry.iter().map(|indicator| indicator.definition);
                self.subqueries.extend(registries(sql, prefix, inputs, definitions)?);
            }
        }
        self.subqueries.push(small_tables::procedures(sql, inputs.procedures));
        self.subqueries.push(small_tables::offers(sql, inputs.offers, inputs.procedures));
        let night = Settings::default().with("night.now", SettingValue::Number(inputs.now));
        self.subqueries.extend(beside_dossiers(self.stored, &night));
        let has_post_list = !PostLookup::read(inputs.postal_items.clone(), inputs.now)?.is_empty();
        for (rules, indicators) in of_rules {
            let (moment, still_reachable) = moment_of(inputs, rules);
            let settings = settings_of(rules, inputs.now, moment, has_post_list);
            self.add(dossier_facts(), (rules, indicators), &settings, still_reachable)?;
        }
        Ok(())
    }

    fn add_feedback(&mut self, of_rules: &ByRules<'_>) -> Result<(), IndicatorError> {
        if !of_rules.is_empty() {
            self.add_agencies("feedback", self.inputs.feedback.clone(), feedback::agency_text())?;
        }
        for (rules, indicators) in of_rules {
            let settings = settings_of(rules, self.inputs.now, self.inputs.now, false);
            self.add(feedback_facts(), (rules, indicators), &settings, StillReachable::Everything)?;
        }
        Ok(())
    }

    fn add_measures(&mut self, of_rules: &ByRules<'_>) -> Result<(), IndicatorError> {
        if of_rules.is_empty() {
            return Ok(());
        }
        let table = self.inputs.measures.clone().filter(flag("deleted").not());
        let agencies = self.add_agencies("measure", table, coalesce(&[col("agency"), lit(NO_AGENCY)]))?;
        self.subqueries.extend(measure_figures::measures(self.stored, self.inputs, &agencies)?);
        for (rules, indicators) in of_rules {
            for indicator in indicators {
                measure_figures::add(&mut self.figures, self.stored.dialect, indicator, &rules.id);
            }
        }
        Ok(())
    }

    /// Adds what the texts of agencies in a table mean.
    fn add_agencies(&mut self, prefix: &str, table: LazyFrame, text: Expr) -> Result<Agencies, IndicatorError> {
        let agencies = agencies_of(self.inputs, table, text)?;
        self.subqueries.extend(small_tables::agencies(self.stored.dialect, prefix, &agencies));
        Ok(agencies)
    }

    /// Adds the indicators of a rule set over a table of facts.
    fn add(
        &mut self,
        table: &'static FactTable,
        (rules, indicators): (&RuleSet, &[ComputedIndicator<'_>]),
        settings: &Settings,
        still_reachable: StillReachable,
    ) -> Result<(), IndicatorError> {
        let sql = self.stored.dialect;
        let (name, prefix, view) = match table.table {
            RecordKind::Feedback => ("feedback", "feedback", AgencyView::Competent),
            _ => ("dossier", prefix_of(rules.agency), rules.agency),
        };
        let planned = plan_groups(indicators, rules, None, still_reachable)?;
        let facts = format!("{name}_facts_{}", self.subqueries.len());
        let agencies = format!("{prefix}_agencies");
        let names: Vec<String> = (1..=planned.len()).map(|number| format!("{facts}_group_{number}")).collect();
        let groups = planned.iter().zip(&names).filter(|(query, _)| !query.members.is_empty());
        let groups: Vec<ScriptGroup<'_>> =
            groups.map(|(query, name)| ScriptGroup { sql, name, query, facts: &facts, agencies: &agencies }).collect();
        let counts_registry = indicators.iter().any(is_over_registry);
        let mut wanted: BTreeSet<String> = groups.iter().flat_map(ScriptGroup::columns).collect();
        if counts_registry {
            wanted.insert(day_column(PeriodColumn::ReceivedAt).to_owned());
        }
        self.subqueries
            .extend(FactQuery { name: &facts, table, wanted: &wanted, view }.subqueries(self.stored, settings));
        if counts_registry {
            self.subqueries.push(periods_with_dossiers(sql, &facts, self.inputs.now));
        }
        self.subqueries.extend(groups.iter().map(ScriptGroup::subquery));
        let of_registry = RegistryFigures { sql, facts: &facts, prefix };
        for (index, indicator) in indicators.iter().enumerate() {
            let sums = groups.iter().flat_map(|group| group.query.members.iter().map(move |member| (group, member)));
            let sides = sums.filter(|(_, (member, _))| *member == index).map(|(group, (_, sums))| (group, sums));
            if !is_over_registry(indicator) {
                sides.for_each(|(group, sums)| self.figures.add(group, indicator, &rules.id, sums));
                continue;
            }
            let at_moment = sides.filter_map(|(group, sums)| match sums {
                IndicatorSums::AtMoment(positions) => Some((group, *positions)),
                IndicatorSums::ByState(_) => None,
            });
            of_registry.add(&mut self.figures, indicator, &rules.id, &at_moment.collect::<Vec<_>>())?;
        }
        Ok(())
    }
}
