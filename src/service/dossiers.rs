//! Reads dossiers for the API and the pages: worklists, portal against post, later changes, moves between nights, forms. What
//! may be read is an argument ([`ReadableScope`], [`RecordedRead`]), so that no route reads more.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Configuration;
use crate::indicators::{
    FigureOf, FoundWorklist, IntegrityDossiers, IntegrityKind, IntegrityRow, PostDirection, ReconcileClass,
    ReconcilePage, Reconciliation, SILENT, SilentAgency, UnmatchedItems, Worklist, WorklistPage, silent_title,
    unexplained, worklists,
};
use crate::lists::WorklistCount;
use crate::model::indicator::IndicatorDefinition;
use crate::model::period::Period;
use crate::model::report_form::FilledForm;
use crate::run::{self, ComparedFigure, MovedDossier, NO_POSTAL_INDICATOR, NO_RATIO_OF_ON_TIME, NightOf};
use crate::service::Service;
use crate::service::explaining::{NightRead, config_of_night, permit, with_permit};
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
    of: NightRead<'_>,
    now: i64,
    scope: &ReadableScope,
) -> Result<Vec<WorklistCount>, Problem> {
    let counts = run::worklist_counts(of.config, (of.night, now), scope.of().clone(), permit().await?).await?;
    let settings = &of.config.settings.worklists;
    let of_dossiers = worklists().iter().zip(counts.ok_or_else(no_ratio)?);
    let mut all: Vec<WorklistCount> =
        of_dossiers.map(|(list, count)| WorklistCount::new(&list.name, list.title(settings), count)).collect();
    let silent = silent_agencies(of, now, scope).await?;
    all.push(WorklistCount::new(SILENT, silent_title(settings), silent.len() as u64));
    Ok(all)
}

/// The agencies that have received nothing for days.
pub(super) async fn silent_agencies(
    of: NightRead<'_>,
    now: i64,
    scope: &ReadableScope,
) -> Result<Vec<SilentAgency>, Problem> {
    let found = run::silent_agencies(of.config, (of.night, now), scope.of().clone(), permit().await?).await?;
    found.ok_or_else(no_ratio)
}

/// The dossiers of a worklist at `now`. `page`: dossiers to skip, and most to list.
pub(super) async fn worklist(
    of: NightRead<'_>,
    now: i64,
    list: &'static Worklist,
    read: &RecordedRead,
    (offset, limit): (u32, u32),
) -> Result<FoundWorklist, Problem> {
    let page = WorklistPage { of: read.of().clone(), offset, limit };
    let found = run::worklist(of.config, (of.night, now), list, page, permit().await?).await?;
    found.ok_or_else(no_ratio)
}

/// How many dossiers of a scope each connector has.
pub(super) async fn dossier_sources(
    of: NightRead<'_>,
    scope: &ReadableScope,
) -> Result<BTreeMap<String, u64>, Problem> {
    let found = run::dossier_sources(of.config, of.night, scope.of().clone(), permit().await?).await?;
    found.ok_or_else(no_ratio)
}

/// Fills in a form of the night for the agencies that may be counted. 400 for an agency that is not in the registry.
pub(super) async fn filled_form(
    of: NightRead<'_>,
    id: &str,
    scope: &ReadableScope,
    period: Period,
) -> Result<FilledForm, Problem> {
    let known = || of.config.forms.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let template = of.config.forms.get(id);
    let template =
        template.ok_or_else(|| Problem::not_found(format!("there is no form `{id}`; there are: {}", known())))?;
    let whose = run::form_scope(of.config, scope.of()).ok_or_else(|| {
        let detail = format!("`scope`: agency `{}` is not in the registry, so it has no form", scope.of().name());
        Problem::bad_request(detail)
    })?;
    let (config, night, template) = (of.config.clone(), *of.night, template.clone());
    with_permit(async move { run::filled_form(&config, &night, &template, whose, period, false).await }).await
}

/// Compares portal and post: the dossiers of a class, `None`: of every class but `matched`. `page`: dossiers to skip, and most
/// to list.
pub(super) async fn reconcile(
    of: NightRead<'_>,
    about: (PostDirection, Period),
    class: Option<ReconcileClass>,
    read: &RecordedRead,
    (offset, limit): (u32, u32),
) -> Result<Reconciliation, Problem> {
    reconciled(of, about, ReconcilePage { of: read.of().clone(), class, offset, limit }).await
}

/// The same without any dossier.
pub(super) async fn reconcile_counts(
    of: NightRead<'_>,
    about: (PostDirection, Period),
    scope: &ReadableScope,
) -> Result<Reconciliation, Problem> {
    reconciled(of, about, ReconcilePage { of: scope.of().clone(), class: None, offset: 0, limit: 0 }).await
}

async fn reconciled(
    of: NightRead<'_>,
    about: (PostDirection, Period),
    page: ReconcilePage,
) -> Result<Reconciliation, Problem> {
    let found = run::reconcile(of.config, of.night, about, page, permit().await?).await?;
    found.ok_or_else(|| Problem::not_found(NO_POSTAL_INDICATOR))
}

/// The postal items of a period that belong to no dossier. They are of no agency, so only a read of the province has them.
pub(super) async fn unmatched_items(
    of: NightRead<'_>,
    period: Period,
    read: &RecordedRead,
    page: (u32, u32),
) -> Result<UnmatchedItems, Problem> {
    if *read.of() != FigureOf::Province {
        return Err(Problem::not_found("postal items without a dossier are of no agency and of no tier"));
    }
    Ok(run::unmatched_items(of.config, of.night, period, page, permit().await?).await?)
}

/// How many there are; `None` unless the province may be counted, since they are of no agency.
pub(super) async fn count_unmatched_items(
    of: NightRead<'_>,
    period: Period,
    scope: &ReadableScope,
) -> Result<Option<u64>, Problem> {
    if *scope.of() != FigureOf::Province {
        return Ok(None);
    }
    Ok(Some(run::count_unmatched_items(of.config, of.night, period, permit().await?).await?))
}

/// The agencies of the scope whose dossiers were changed later so that a ratio looks better. `indicator`: one of the night's
/// for which [`integrity_problem`](crate::indicators::integrity_problem) finds none.
pub(super) async fn integrity(
    of: NightRead<'_>,
    (indicator, period): (&str, Period),
    scope: &ReadableScope,
) -> Result<Vec<IntegrityRow>, Problem> {
    let mut rows = run::integrity(of.config, of.night, indicator, period, permit().await?).await?;
    rows.retain(|row| scope.of().has_agency(&row.agency, row.tier));
    Ok(rows)
}

/// The dossiers of one kind of change. `page`: dossiers to skip, and most to list.
pub(super) async fn integrity_dossiers(
    of: NightRead<'_>,
    about: (&str, Period),
    kind: IntegrityKind,
    read: &RecordedRead,
    page: (u32, u32),
) -> Result<IntegrityDossiers, Problem> {
    let what = (kind, read.of().clone());
    Ok(run::integrity_dossiers(of.config, of.night, about, what, page, permit().await?).await?)
}

/// Two nights, the earlier one first, each with the definitions that it kept.
#[derive(Debug)]
pub(super) struct ComparedNights {
    nights: [Arc<LoadedNight>; 2],
    configs: [Arc<Configuration>; 2],
}

impl ComparedNights {
    pub(super) async fn read(service: &Service, nights: &[Arc<LoadedNight>; 2]) -> Result<Self, Problem> {
        let [before, after] = nights;
        let configs = [config_of_night(service, before).await?, config_of_night(service, after).await?];
        Ok(Self { nights: nights.clone(), configs })
    }

    fn definition<'c>(config: &'c Configuration, id: &str) -> Option<&'c IndicatorDefinition> {
        config.indicators.iter().map(|known| &known.definition).find(|known| known.id == id)
    }

    /// Whether one of the nights has an indicator.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.configs.iter().any(|config| Self::definition(config, id).is_some())
    }

    /// Which night does not count dossiers by an indicator, and why; `None` if both do.
    pub(super) fn without_dossiers(&self, id: &str) -> Option<String> {
        self.nights.iter().zip(&self.configs).find_map(|(night, config)| {
            let run = night.record.night.run;
            match Self::definition(config, id) {
                None => Some(format!("the night of run {run} has no indicator `{id}`")),
                Some(known) => unexplained(known).map(|reason| format!("in the night of run {run} {reason}")),
            }
        })
    }

    /// The dossiers of a figure that stand otherwise at the later night, and why. The indicator: one for which
    /// [`Self::without_dossiers`] finds nothing.
    pub(super) async fn moved_dossiers(
        &self,
        (indicator, period): (&str, Period),
        read: &RecordedRead,
    ) -> Result<Vec<MovedDossier>, Problem> {
        let compared = ComparedFigure { indicator: indicator.to_owned(), period, figure: read.of().clone() };
        let (nights, configs) = (self.nights.clone(), self.configs.clone());
        with_permit(async move {
            let of = |at: usize| NightOf { config: &configs[at], night: &nights[at].record.night };
            run::moved_dossiers(of(0), of(1), &compared).await
        })
        .await
    }
}
