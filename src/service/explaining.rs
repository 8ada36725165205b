//! Explains figures of a published night for the API and the pages, by the definitions that the night kept.

use std::future::Future;
use std::str::FromStr as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use strum::IntoEnumIterator as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Configuration;
use crate::indicators::{DossierPage, ExplainedUnits, FigureOf, Side, unexplained};
use crate::model::figure::{Figure, Night};
use crate::model::indicator::IndicatorDefinition;
use crate::model::period::Period;
use crate::publish;
use crate::run::{self, DossierWithHistory, ExplainRequest, FigureRequest, RunError};
use crate::service::Service;
use crate::service::nights::LoadedNight;
use crate::service::problem::Problem;
use crate::service::readable_scope::RecordedRead;

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
    pub(super) page: DossierPage,
}

/// The definitions of a night, and the night.
#[derive(Debug, Clone, Copy)]
pub(super) struct NightRead<'a> {
    pub(super) config: &'a Configuration,
    pub(super) night: &'a Night,
}

impl<'a> NightRead<'a> {
    /// The night's definition of an indicator, which may be another one than today's.
    pub(super) fn defined(&self, id: &str) -> Result<&'a IndicatorDefinition, Problem> {
        let known = self.config.indicators.iter().map(|indicator| &indicator.definition).find(|known| known.id == id);
        known.ok_or_else(|| {
            Problem::not_found(format!("there is no indicator `{id}` in the night of run {}", self.night.run))
        })
    }

    /// The same of an indicator whose figures have dossiers to list.
    pub(super) fn explainable(&self, id: &str) -> Result<&'a IndicatorDefinition, Problem> {
        let definition = self.defined(id)?;
        match unexplained(definition) {
            None => Ok(definition),
            Some(reason) => Err(Problem::not_found(format!("figures of `{id}` have no dossiers to list: {reason}"))),
        }
    }
}

/// What is asked of the tables.
fn request(indicator: &str, period: Period, page: Option<DossierPage>, of: &FigureOf) -> ExplainRequest {
    ExplainRequest {
        figures: FigureRequest {
            indicators: vec![indicator.to_owned()],
            period: Some(period),
            ..FigureRequest::default()
        },
        indicator: indicator.to_owned(),
        period,
        figure: of.clone(),
        page,
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

/// Does work that reads the tables in a task of its own: it holds its permit to its end, also if nobody waits for the answer any
/// more.
pub(super) async fn with_permit<T: Send + 'static>(
    work: impl Future<Output = Result<T, RunError>> + Send + 'static,
) -> Result<T, Problem> {
    let held = permit().await?;
    let task = tokio::spawn(async move {
        let _held = held;
        work.await
    });
    Ok(task.await.map_err(RunError::from)??)
}

/// The configuration with the definitions that a night kept. They are read once for each night that is in memory.
pub(super) async fn config_of_night(
    service: &Service,
    night: &Arc<LoadedNight>,
) -> Result<Arc<Configuration>, Problem> {
    let config = night.config.get_or_try_init(|| read_config(service, night)).await?;
    Ok(Arc::clone(config))
}

async fn read_config(service: &Service, night: &Arc<LoadedNight>) -> Result<Arc<Configuration>, Problem> {
    let (config, read) = (Arc::clone(&service.config), Arc::clone(night));
    let of_night = tokio::task::spawn_blocking(move || {
        let kept = publish::read_definitions(&config.settings.data, &read.record).map_err(|error| error.to_string())?;
        config.of_night(&kept).map(Arc::new).map_err(|problems| problems.to_string())
    });
    of_night.await.map_err(RunError::from)?.map_err(|error| {
        Problem::internal(&format!("the definitions of night {} cannot be read", night.record.night.run), &error)
    })
}

/// Counts what is behind a figure by side and lists that of one side. The indicator: one that the night has.
pub(super) async fn explain(
    of: NightRead<'_>,
    query: ExplainedQuery,
    read: &RecordedRead,
) -> Result<ExplainedUnits, Problem> {
    of.defined(&query.indicator)?;
    let request = request(&query.indicator, query.period, Some(query.page), read.of());
    Ok(run::explain(of.config, of.night, request, permit().await?).await?)
}

/// The dossiers of an indicator and a period that have a code, of the agency, tier or province that is read. The indicator: one
/// of [`NightRead::explainable`].
pub(super) async fn explain_dossier(
    of: NightRead<'_>,
    (indicator, period): (&str, Period),
    code: &str,
    read: &RecordedRead,
) -> Result<Vec<DossierWithHistory>, Problem> {
    let request = request(indicator, period, None, read.of());
    let (config, night, code) = (of.config.clone(), *of.night, code.to_owned());
    with_permit(async move { run::explain_dossier(&config, &night, request, code).await }).await
}

/// The answer to a code that no dossier of the read scope has. It is the same if a dossier of another agency has the code.
pub(super) fn no_dossier(code: &str, definition: &IndicatorDefinition, period: Period) -> Problem {
    let id = &definition.id;
    Problem::not_found(format!(
        "no dossier of {period} that you asked about has the code `{code}`; `{id}` files dossiers by `{}`",
        definition.period.name()
    ))
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
