//! Explains figures of a published night for the API and the pages, by the definitions that the night kept.

use std::str::FromStr as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use strum::IntoEnumIterator as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Configuration;
use crate::indicators::{DossierPage, FigureOf, Side, unexplained};
use crate::model::figure::Figure;
use crate::model::indicator::IndicatorDefinition;
use crate::model::period::Period;
use crate::publish;
use crate::run::{self, ExplainRequest, ExplainedDossiers, FigureRequest, RunError};
use crate::service::Service;
use crate::service::nights::LoadedNight;
use crate::service::problem::Problem;

/// Figures that are explained at once. Each reads the tables and uses every core. The work holds its permit to its end, also
/// if nobody waits for the answer any more.
static PERMITS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(2)));
/// How long a request waits for others.
const WAIT: Duration = Duration::from_secs(10);

/// Which dossiers of which figure are asked for.
#[derive(Debug)]
pub(super) struct ExplainedQuery {
    pub(super) indicator: String,
    pub(super) period: Period,
    pub(super) figure: FigureOf,
    pub(super) page: DossierPage,
}

/// The definition of an indicator whose figures have dossiers to list.
pub(super) fn explainable<'c>(config: &'c Configuration, id: &str) -> Result<&'c IndicatorDefinition, Problem> {
    let known = config.indicators.iter().map(|indicator| &indicator.definition).find(|known| known.id == id);
    let definition = known.ok_or_else(|| Problem::not_found(format!("there is no indicator `{id}`")))?;
    match unexplained(definition) {
        None => Ok(definition),
        Some(reason) => Err(Problem::not_found(format!("figures of `{id}` have no dossiers to list: {reason}"))),
    }
}

/// The side of a name; without one, the side that is listed first.
pub(super) fn side_named(name: Option<&str>, definition: &IndicatorDefinition) -> Result<Side, Problem> {
    let Some(name) = name else { return Ok(Side::listed_first(definition)) };
    Side::from_str(name).map_err(|_| {
        let known: Vec<&str> = Side::iter().map(Side::name).collect();
        Problem::bad_request(format!("`side`: there is no `{name}`; there are: {}", known.join(", ")))
    })
}

/// A permit for work that reads the tables.
pub(super) async fn permit() -> Result<OwnedSemaphorePermit, Problem> {
    let permit = tokio::time::timeout(WAIT, Arc::clone(&PERMITS).acquire_owned()).await;
    let permit = permit.map_err(|_| Problem::busy("other figures are being explained; try again in a moment", 10))?;
    Ok(permit.expect("the permits are never closed"))
}

/// The configuration with the definitions that a night kept.
pub(super) async fn config_of_night(service: &Service, night: &Arc<LoadedNight>) -> Result<Configuration, Problem> {
    let (config, read) = (Arc::clone(&service.config), Arc::clone(night));
    let of_night = tokio::task::spawn_blocking(move || {
        let kept = publish::read_definitions(&config.settings.data, &read.record).map_err(|error| error.to_string())?;
        (*config).clone().of_night(&kept).map_err(|problems| problems.to_string())
    });
    of_night.await.map_err(RunError::from)?.map_err(|error| {
        Problem::internal(&format!("the definitions of night {} cannot be read", night.record.night.run), &error)
    })
}

/// Counts the dossiers of a figure by side and lists those of one side. Callers record the access in the access log
/// before they call this.
pub(super) async fn explain(
    service: &Service,
    night: &Arc<LoadedNight>,
    query: ExplainedQuery,
) -> Result<ExplainedDossiers, Problem> {
    let permit = permit().await?;
    let config = config_of_night(service, night).await?;
    explainable(&config, &query.indicator)?;
    let request = ExplainRequest {
        figures: FigureRequest {
            indicators: vec![query.indicator.clone()],
            period: Some(query.period),
            ..FigureRequest::default()
        },
        indicator: query.indicator,
        period: query.period,
        figure: query.figure,
        page: Some(query.page),
    };
    Ok(run::explain(&config, &night.record.night, request, permit).await?)
}

/// The figure of a night, if it has it.
pub(super) fn published<'n>(
    night: &'n LoadedNight,
    indicator: &str,
    figure: &FigureOf,
    period: Period,
) -> Option<&'n Figure> {
    let mut of_indicator = night.of_indicator(indicator).iter().map(|position| night.at(*position));
    of_indicator.find(|published| figure.has(published) && published.period == period)
}
