//! Figures on demand, which no night stores: of another rule set, another agency view, a day, a week, or any range of
//! days.
//!
//! They are computed from the versions as of a published night and are as of that night's moment. The configuration is
//! an argument: the one that the night kept, or today's.

use std::collections::BTreeMap;
use strum::{EnumCount as _, IntoEnumIterator as _};

use crate::calendar::WorkingCalendar;
use polars::prelude::LazyFrame;

use crate::config::{Configuration, Registries};
use crate::indicators::{self, AgencyNames, FigureInputs, RuleDifference, SqlDialect, StoredTables, compute};
use crate::lake::Lake;
use crate::model::figure::{Figure, Night};
use crate::model::indicator::IndicatorDefinition;
use crate::model::period::Period;
use crate::model::rules::{AgencyView, RuleSet};
use crate::model::table::RecordKind;
use crate::run::agency_numbers::AgencyNumbers;
use crate::run::catalogue::Catalogue;
use crate::run::error::RunError;
use crate::run::folder_zone;

/// Which figures to compute.
#[derive(Debug, Clone, Default)]
pub struct FigureRequest {
    /// Identifiers of indicators; empty selects all.
    pub indicators: Vec<String>,
    /// Rule set to use instead of each indicator's own.
    pub rules: Option<String>,
    /// Agency view to use instead of the rule set's own.
    pub view: Option<AgencyView>,
    /// Whether dossiers are attributed to today's successors of their agencies.
    pub as_if_today: bool,
    /// A single period; `None` computes every named period.
    pub period: Option<Period>,
}

impl FigureRequest {
    /// The wanted indicators that the requested rule set cannot compute for all named periods in one pass, each with the
    /// reason. They are left out.
    #[must_use]
    pub fn unfit<'c>(&self, config: &'c Configuration) -> Vec<(&'c str, &'static str)> {
        let rules = self.rules.as_ref().filter(|_| self.period.is_none()).and_then(|rules| config.rules.get(rules));
        let Some(rules) = rules else { return Vec::new() };
        let problem = |definition: &'c IndicatorDefinition| {
            crate::config::period_end_problem(definition, rules).map(|reason| (definition.id.as_str(), reason))
        };
        self.wanted(config).filter_map(problem).collect()
    }

    fn wanted<'c>(&self, config: &'c Configuration) -> impl Iterator<Item = &'c IndicatorDefinition> {
        let all = config.indicators.iter().map(|indicator| &indicator.definition);
        all.filter(|definition| self.indicators.is_empty() || self.indicators.contains(&definition.id))
    }

    pub(super) fn definitions(&self, config: &Configuration) -> Vec<(IndicatorDefinition, String)> {
        let unfit = self.unfit(config);
        let is_fit = |definition: &&IndicatorDefinition| !unfit.iter().any(|(id, _)| *id == definition.id);
        self.wanted(config)
            .filter(is_fit)
            .map(|definition| {
                let mut definition = definition.clone();
                if let Some(rules) = &self.rules {
                    definition.rules.clone_from(rules);
                }
                let digest = crate::config::definition_digest(&definition, config.rules.get(&definition.rules));
                definition.rules = self.name_of(&definition.rules);
                (definition, digest)
            })
            .collect()
    }

    /// Name of a rule set under the requested view: `RULES/VIEW`, since another view makes another rule set.
    fn name_of(&self, rules: &str) -> String {
        self.view.map_or(rules.to_owned(), |view| format!("{rules}/{}", view.name()))
    }

    pub(super) fn rule_sets(&self, config: &Configuration) -> Vec<RuleSet> {
        let with_view = |rules: &RuleSet| RuleSet {
            id: self.name_of(&rules.id),
            agency: self.view.unwrap_or(rules.agency),
            ..rules.clone()
        };
        config.rules.values().map(with_view).collect()
    }
}

/// Computes the requested figures as of a published night.
pub async fn figures_as_of(
    config: &Configuration,
    night: &Night,
    request: &FigureRequest,
) -> Result<Vec<Figure>, RunError> {
    let (definitions, rules) = (request.definitions(config), request.rule_sets(config));
    let period = request.period;
    let successions = request.as_if_today.then(|| config.registries.successions.clone());
    with_tables(config, night, move |inputs| {
        let successions = successions.as_deref();
        let indicators: Vec<_> = definitions.iter().map(|(one, digest)| (one, digest.as_str())).collect();
        compute(&FigureInputs {
            indicators: &indicators,
            rules: &rules.iter().collect::<Vec<_>>(),
            successions,
            period,
            ..inputs
        })
    })
    .await
}

/// Value of an indicator under every rule set, and how many dossiers each rule that differs from its own moves. Only
/// for indicators over dossiers without `having`.
pub async fn compare_rules(
    config: &Configuration,
    night: &Night,
    indicator: &str,
    period: Period,
) -> Result<Vec<RuleDifference>, RunError> {
    let definition = config.indicators.iter().find(|known| known.definition.id == indicator);
    let definition = definition.expect("the caller has checked the indicator").definition.clone();
    let rules: Vec<RuleSet> = config.rules.values().cloned().collect();
    with_tables(config, night, move |inputs| indicators::compare_rules(&inputs, &definition, &rules, period)).await
}

/// The figures of a night as an SQL script over the images of the tables. `root`: where the script finds the tables;
/// `None` if whoever runs it has named them.
///
/// The images must hold the night's versions and no later ones: the newest night's do, and the script fails on others.
pub async fn sql_script(
    config: &Configuration,
    night: &Night,
    request: &FigureRequest,
    (dialect, root): (SqlDialect, Option<String>),
) -> Result<String, RunError> {
    let (definitions, rules) = (request.definitions(config), request.rule_sets(config));
    let folder = config.settings.data.join("lake");
    let mut images = BTreeMap::new();
    for kind in RecordKind::iter() {
        images.extend(Lake::image_columns(&folder, kind).await?.map(|columns| (kind.image_name(), columns)));
    }
    let has_groups = config.source_order.is_some() && Lake::has_groups(&folder)?;
    let stored = StoredTables { dialect, root, images, has_groups, run: night.run };
    with_tables(config, night, move |inputs| {
        let indicators: Vec<_> = definitions.iter().map(|(one, digest)| (one, digest.as_str())).collect();
        let rules: Vec<&RuleSet> = rules.iter().collect();
        indicators::sql_script(&FigureInputs { indicators: &indicators, rules: &rules, ..inputs }, &stored)
    })
    .await
}

/// Runs blocking work on the tables as of a night.
pub(super) async fn with_tables<T: Send + 'static>(
    config: &Configuration,
    night: &Night,
    work: impl FnOnce(FigureInputs<'_>) -> Result<T, indicators::IndicatorError> + Send + 'static,
) -> Result<T, RunError> {
    folder_zone::check(&config.settings.data)?;
    let root = config.settings.data.join("lake");
    let mut tables = Vec::new();
    for kind in RecordKind::iter() {
        tables.push(Lake::read_as_of(&root, kind, night.run).await?);
    }
    let groups = match &config.source_order {
        Some(order) => Lake::groups_as_of(&root, night.run, order).await?,
        None => Lake::no_groups(),
    };
    let (config, now) = (config.clone(), night.as_of);
    let numbers = AgencyNumbers::read(&config.settings.data).await?;
    let done = tokio::task::spawn_blocking(move || {
        let registries = Catalogue::among(&tables)?.completed(&config.registries);
        let names = numbers.names(&config, &tables)?.fixed();
        let calendar = WorkingCalendar::new(&registries.calendar);
        work(inputs((&registries, &names), &calendar, (tables, groups), now))
    });
    Ok(done.await??)
}

/// Inputs of a computation without its indicators and rule sets. `registries`: completed from the catalogue, with the
/// names of the agencies that they lack; `tables`: in the order of [`RecordKind`]; `dossier_groups`: which rows are one
/// dossier.
pub(super) fn inputs<'a>(
    (registries, agency_names): (&'a Registries, &'a AgencyNames),
    calendar: &'a WorkingCalendar,
    (tables, dossier_groups): (Vec<LazyFrame>, LazyFrame),
    now: i64,
) -> FigureInputs<'a> {
    let [dossiers, postal_items, feedback, measures, dossier_notes, _]: [LazyFrame; RecordKind::COUNT] =
        tables.try_into().unwrap_or_else(|_| unreachable!("the tables are those of every kind"));
    FigureInputs {
        dossiers,
        dossier_groups,
        postal_items,
        feedback,
        measures,
        dossier_notes,
        indicators: &[],
        rules: &[],
        agencies: &registries.agencies,
        agency_names,
        procedures: &registries.procedures,
        offers: &registries.offers,
        calendar,
        now,
        successions: None,
        period: None,
    }
}
