//! Reads dossiers for the API and the pages: worklists, portal against post, later changes, moves between nights. What may be
//! read is an argument ([`ReadableScope`], [`RecordedRead`]), so that no route reads more.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::indicators::{
    FigureOf, FoundWorklist, IntegrityRow, PostDirection, ReconcileClass, ReconcilePage, Reconciliation, SILENT,
    SilentAgency, UnmatchedItem, Worklist, WorklistPage, silent_title, worklists,
};
use crate::lists::WorklistCount;
use crate::model::figure::Night;
use crate::model::period::Period;
use crate::run::{self, ComparedFigure, MovedDossier, NO_POSTAL_INDICATOR, NO_RATIO_OF_ON_TIME, NightOf};
use crate::service::Service;
use crate::service::explaining::{config_of_night, permit};
use crate::service::nights::LoadedNight;
use crate::service::problem::Problem;
use crate::service::readable_scope::{ReadableScope, RecordedRead};

/// The worklist of a name.
pub(super) fn worklist_named(name: &str) -> Result<&'static Worklist, Problem> {
    run::worklist_named(name).ok_or_else(|| {
        let known: Vec<&str> = worklists().iter().map(|list| list.name.as_str()).chain([SILENT]).collect();
        Problem::not_found(format!("there is no worklist `{name}`; there are: {}", known.join(", ")))
    })
}

fn no_ratio() -> Problem {
    Problem::not_found(NO_RATIO_OF_ON_TIME)
}

/// How many dossiers each worklist has at `now` (microseconds UTC), and how many agencies are silent.
pub(super) async fn worklist_counts(
    service: &Service,
    at: (&Night, i64),
    scope: &ReadableScope,
) -> Result<Vec<WorklistCount>, Problem> {
    let counts = run::worklist_counts(&service.config, at, scope.of().clone(), permit().await?).await?;
    let settings = &service.config.settings.worklists;
    let of_dossiers = worklists().iter().zip(counts.ok_or_else(no_ratio)?);
    let mut all: Vec<WorklistCount> =
        of_dossiers.map(|(list, count)| WorklistCount::new(&list.name, list.title(settings), count)).collect();
    let silent = silent_agencies(service, at, scope).await?;
    all.push(WorklistCount::new(SILENT, silent_title(settings), silent.len() as u64));
    Ok(all)
}

/// The agencies that have received nothing for days.
pub(super) async fn silent_agencies(
    service: &Service,
    at: (&Night, i64),
    scope: &ReadableScope,
) -> Result<Vec<SilentAgency>, Problem> {
    let found = run::silent_agencies(&service.config, at, scope.of().clone(), permit().await?).await?;
    found.ok_or_else(no_ratio)
}

/// How many dossiers of the scope come from each connector.
pub(super) async fn dossier_sources(
    service: &Service,
    night: &Night,
    scope: &ReadableScope,
) -> Result<BTreeMap<String, u64>, Problem> {
    let found = run::dossier_sources(&service.config, night, scope.of().clone(), permit().await?).await?;
    found.ok_or_else(no_ratio)
}

/// The dossiers of a worklist at `now`.
pub(super) async fn worklist(
    service: &Service,
    at: (&Night, i64),
    list: &'static Worklist,
    read: &RecordedRead,
    (offset, limit): (u32, u32),
) -> Result<FoundWorklist, Problem> {
    let page = WorklistPage { of: read.of().clone(), offset, limit };
    let found = run::worklist(&service.config, at, list, page, permit().await?).await?;
    found.ok_or_else(no_ratio)
}

/// Which dossiers of which directions are compared.
#[derive(Debug, Clone)]
pub(super) struct ReconcileQuery {
    pub(super) directions: Vec<PostDirection>,
    pub(super) period: Period,
    pub(super) class: Option<ReconcileClass>,
    pub(super) offset: u32,
    pub(super) limit: u32,
}

/// Compares portal and post, by the definitions of the night.
pub(super) async fn reconcile(
    service: &Service,
    night: &Arc<LoadedNight>,
    query: &ReconcileQuery,
    read: &RecordedRead,
) -> Result<Vec<(PostDirection, Reconciliation)>, Problem> {
    let config = config_of_night(service, night).await?;
    let mut found = Vec::new();
    for &direction in &query.directions {
        let page =
            ReconcilePage { of: read.of().clone(), class: query.class, offset: query.offset, limit: query.limit };
        let about = (direction, query.period);
        let reconciled = run::reconcile(&config, &night.record.night, about, page, permit().await?).await?;
        found.push((direction, reconciled.ok_or_else(|| Problem::not_found(NO_POSTAL_INDICATOR))?));
    }
    Ok(found)
}

/// The postal items of a period that belong to no dossier. They are of no agency.
pub(super) async fn unmatched_items(
    service: &Service,
    night: &Arc<LoadedNight>,
    period: Period,
    read: &RecordedRead,
) -> Result<Vec<UnmatchedItem>, Problem> {
    if *read.of() != FigureOf::Province {
        return Err(Problem::not_found("postal items without a dossier are of no agency and of no tier"));
    }
    let config = config_of_night(service, night).await?;
    Ok(run::unmatched_items(&config, &night.record.night, period, permit().await?).await?)
}

/// The agencies of the scope whose dossiers were changed later so that a ratio looks better. `indicator`: one for which
/// [`integrity_problem`](crate::indicators::integrity_problem) finds none.
pub(super) async fn integrity(
    service: &Service,
    night: &Arc<LoadedNight>,
    (indicator, period): (&str, Period),
    scope: &ReadableScope,
) -> Result<Vec<IntegrityRow>, Problem> {
    let config = config_of_night(service, night).await?;
    if !config.indicators.iter().any(|known| known.definition.id == indicator) {
        return Err(Problem::not_found(format!("the night of run {} has no `{indicator}`", night.record.night.run)));
    }
    let mut rows = run::integrity(&config, &night.record.night, indicator, period, permit().await?).await?;
    rows.retain(|row| scope.of().has_agency(&row.agency, row.tier));
    Ok(rows)
}

/// The dossiers of a figure that stand otherwise at the later night, and why.
pub(super) async fn moved_dossiers(
    service: &Service,
    [before, after]: [&Arc<LoadedNight>; 2],
    (indicator, period): (&str, Period),
    read: &RecordedRead,
) -> Result<Vec<MovedDossier>, Problem> {
    let [old, new] = [config_of_night(service, before).await?, config_of_night(service, after).await?];
    let compared = ComparedFigure { indicator: indicator.to_owned(), period, figure: read.of().clone() };
    let _permit = permit().await?;
    let nights = [(&old, before), (&new, after)].map(|(config, night)| NightOf { config, night: &night.record.night });
    let [before, after] = nights;
    Ok(run::moved_dossiers(before, after, &compared).await?)
}
