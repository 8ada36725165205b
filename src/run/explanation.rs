//! Explains a figure of a night: the dossiers behind it, as of the night's moment and by the night's definitions.

use crate::config::Configuration;
use crate::indicators::{
    DOSSIER_COLUMNS, DossierCell, DossierPage, ExplainedDossier, ExplainedFigure, Explanation, FigureInputs, FigureOf,
    IndicatorError,
};
use crate::lake::{KeyVersion, Lake};
use crate::model::figure::Night;
use crate::model::period::Period;
use crate::model::table::RecordKind;
use crate::run::error::RunError;
use crate::run::figures::{FigureRequest, with_tables};

/// What to explain, and which dossiers to list.
#[derive(Debug, Clone)]
pub struct ExplainRequest {
    /// Identifier of an indicator over dossiers.
    pub indicator: String,
    /// With at most one indicator: rule set, view and successions are those of [`FigureRequest`].
    pub figures: FigureRequest,
    pub period: Period,
    pub figure: FigureOf,
    /// `None` lists nothing.
    pub page: Option<DossierPage>,
}

/// Counts by side, and the listed dossiers by the columns of [`DOSSIER_COLUMNS`](crate::indicators::DOSSIER_COLUMNS).
#[derive(Debug, Clone)]
pub struct ExplainedDossiers {
    pub explanation: Explanation,
    pub dossiers: Vec<Vec<DossierCell>>,
}

/// Counts the dossiers of a figure by what they are to it, and lists those of one side. `held` is dropped when the work
/// ends, also if nobody waits for it any more.
///
/// # Errors
/// A table that cannot be read.
pub async fn explain(
    config: &Configuration,
    night: &Night,
    request: ExplainRequest,
    held: impl Send + 'static,
) -> Result<ExplainedDossiers, RunError> {
    let (figure, page) = (request.figure.clone(), request.page);
    with_figure(config, night, request, move |explained| {
        let _held = held;
        let explanation = explained.counts(std::slice::from_ref(&figure))?.remove(0);
        let dossiers = page
            .map(|page| explained.list(&figure, page, explanation.count(page.side)))
            .transpose()?
            .unwrap_or_default();
        Ok(ExplainedDossiers { explanation, dossiers })
    })
    .await
}

/// A dossier with the versions that made it what it is at the night.
#[derive(Debug, Clone)]
pub struct DossierWithHistory {
    pub dossier: ExplainedDossier,
    pub versions: Vec<KeyVersion>,
}

/// The dossiers of an indicator and period that have a code, each with the facts that decided it and its versions. The
/// figure and the page of the request do not matter.
///
/// # Errors
/// A table that cannot be read.
pub async fn explain_dossier(
    config: &Configuration,
    night: &Night,
    request: ExplainRequest,
    code: String,
) -> Result<Vec<DossierWithHistory>, RunError> {
    let found = with_figure(config, night, request, move |explained| explained.dossiers_with(&code)).await?;
    let mut dossiers = Vec::with_capacity(found.len());
    for dossier in found {
        let text = |name: &str| {
            let place = DOSSIER_COLUMNS.iter().position(|column| column.name == name).expect("it is a column");
            match &dossier.cells[place] {
                DossierCell::Text(text) => text.clone(),
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
    let (definitions, rule_sets) = (request.figures.definitions(config), request.figures.rule_sets(config));
    let successions = request.figures.as_if_today.then(|| config.registries.successions.clone());
    with_tables(config, night, move |inputs| {
        let definition = definitions.iter().map(|(one, _)| one).find(|one| one.id == request.indicator);
        let definition = definition.expect("the caller has checked the indicator");
        let rules = rule_sets.iter().find(|rules| rules.id == definition.rules);
        let rules = rules.expect("the configuration has checked it");
        let inputs = FigureInputs { successions: successions.as_deref(), ..inputs };
        work(&ExplainedFigure::new(&inputs, definition, rules, request.period)?)
    })
    .await
}
