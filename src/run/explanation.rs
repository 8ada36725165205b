//! Explains a figure of a night: the dossiers behind it, as of the night's moment and by the night's definitions.

use crate::config::Configuration;
use crate::indicators::{
    DOSSIER_COLUMNS, DossierPage, ExplainedDossier, ExplainedFigure, ExplainedUnits, FigureInputs, FigureOf,
    IndicatorError, explain_units,
};
use crate::lake::{KeyVersion, Lake};
use crate::model::figure::Night;
use crate::model::indicator::IndicatorDefinition;
use crate::model::list::ListCell;
use crate::model::period::Period;
use crate::model::rules::RuleSet;
use crate::model::table::RecordKind;
use crate::run::error::RunError;
use crate::run::figures::{FigureRequest, with_tables};

/// What to explain, and which dossiers to list.
#[derive(Debug, Clone)]
pub struct ExplainRequest {
    /// Identifier of an indicator.
    pub indicator: String,
    /// With at most one indicator: rule set, view and successions are those of [`FigureRequest`].
    pub figures: FigureRequest,
    pub period: Period,
    pub figure: FigureOf,
    /// `None` lists nothing.
    pub page: Option<DossierPage>,
}

/// Counts what is behind a figure by what it is to the figure, and lists that of one side: dossiers, procedures, agencies,
/// feedback, or rows of measures. `held` is dropped when the work ends, also if nobody waits for it any more.
///
/// # Errors
/// A table that cannot be read.
pub async fn explain(
    config: &Configuration,
    night: &Night,
    request: ExplainRequest,
    held: impl Send + 'static,
) -> Result<ExplainedUnits, RunError> {
    let (figure, page, period) = (request.figure.clone(), request.page, request.period);
    with_definition(config, night, request, move |inputs, definition, rules| {
        let _held = held;
        explain_units(inputs, (definition, rules), period, &figure, page)
    })
    .await
}

/// A dossier with the versions that made it what it is at the night.
#[derive(Debug, Clone)]
pub struct DossierWithHistory {
    pub dossier: ExplainedDossier,
    pub versions: Vec<KeyVersion>,
}

/// The dossiers of an indicator, a period and a figure's agencies that have a code, each with the facts that decided it and its
/// versions. The page of the request does not matter.
///
/// # Errors
/// A table that cannot be read.
pub async fn explain_dossier(
    config: &Configuration,
    night: &Night,
    request: ExplainRequest,
    code: String,
) -> Result<Vec<DossierWithHistory>, RunError> {
    let figure = request.figure.clone();
    let found = with_figure(config, night, request, move |explained| explained.dossiers_with(&figure, &code)).await?;
    let mut dossiers = Vec::with_capacity(found.len());
    for dossier in found {
        let text = |name: &str| {
            let place = DOSSIER_COLUMNS.iter().position(|column| column.name == name).expect("it is a column");
            match &dossier.cells[place] {
                ListCell::Text(text) => text.clone(),
                _ => String::new(),
            }
        };
        let (source, key) = (text("source"), text("source_key"));
        let root = config.settings.data.join("lake");
        let versions = Lake::key_history(&root, RecordKind::Dossiers, (&source, &key), night.run).await?;
        dossiers.push(DossierWithHistory { dossier, versions });
    }
    Ok(dossiers)
}

/// Does blocking work on the dossiers of an indicator in a period.
pub(super) async fn with_figure<T: Send + 'static>(
    config: &Configuration,
    night: &Night,
    request: ExplainRequest,
    work: impl FnOnce(&ExplainedFigure) -> Result<T, IndicatorError> + Send + 'static,
) -> Result<T, RunError> {
    let period = request.period;
    with_definition(config, night, request, move |inputs, definition, rules| {
        work(&ExplainedFigure::new(inputs, definition, rules, period)?)
    })
    .await
}

/// Does blocking work with an indicator and its rule set.
async fn with_definition<T: Send + 'static>(
    config: &Configuration,
    night: &Night,
    request: ExplainRequest,
    work: impl FnOnce(&FigureInputs<'_>, &IndicatorDefinition, &RuleSet) -> Result<T, IndicatorError> + Send + 'static,
) -> Result<T, RunError> {
    let (definitions, rule_sets) = (request.figures.definitions(config), request.figures.rule_sets(config));
    let successions = request.figures.as_if_today.then(|| config.registries.successions.clone());
    with_tables(config, night, move |inputs| {
        let definition = definitions.iter().map(|(one, _)| one).find(|one| one.id == request.indicator);
        let definition = definition.expect("the caller has checked the indicator");
        let rules = rule_sets.iter().find(|rules| rules.id == definition.rules);
        let rules = rules.expect("the configuration has checked it");
        work(&FigureInputs { successions: successions.as_deref(), ..inputs }, definition, rules)
    })
    .await
}
