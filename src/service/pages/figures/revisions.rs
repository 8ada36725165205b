//! How one figure came to be what it is: the nights at which it changed, the newest first. Reading them scans the table of
//! all nights' figures, so the page needs a caller.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::selection::{FigurePageQuery, Selection, indicator_named};
use super::shown_figure::ShownFigure;
use crate::locale::{Initial, Language, moment};
use crate::run::{FigureRevision, figure_revisions};
use crate::service::Service;
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::page_error::PageError;
use crate::service::pages::visitor::Visitor;

/// Most revisions on the page.
const LIMIT: u32 = 100;

#[derive(Template)]
#[template(path = "revisions.html")]
struct RevisionsPage<'a> {
    layout: Layout<'a>,
    id: &'a str,
    title: &'a str,
    scope: String,
    scope_code: String,
    period: String,
    period_code: String,
    same_night: String,
    rows: Vec<RevisionRow>,
}

struct RevisionRow {
    night: String,
    run: i64,
    /// Value of `as_of` for the night; empty if its folder is gone.
    as_of: String,
    figure: ShownFigure,
    is_gone: bool,
    /// The definition or rule set is another than that of the revision before.
    has_new_definition: bool,
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<FigurePageQuery>,
) -> Result<Response, PageError> {
    visitor.reader()?;
    let about = indicator_named(&service, &id)?;
    let selection = Selection::of_page(&service, &query).await?;
    let lang = visitor.lang;
    let of_indicator = selection.night.of_indicator(&id).iter().map(|position| selection.night.at(*position));
    let mut own = of_indicator.filter(|figure| figure.period == selection.period && selection.includes(figure));
    let revisions = match own.next() {
        Some(figure) => figure_revisions(&service.data, figure, LIMIT).await?,
        None => Vec::new(),
    };
    let title = lang.of(&about.definition.title.vi, &about.definition.title.en);
    html(&RevisionsPage {
        id: &id,
        title,
        scope: selection.scope_name(lang, &service.config.settings.province.name),
        scope_code: selection.scope_code().to_owned(),
        period: lang.period(selection.period, Initial::Upper),
        period_code: selection.period.to_string(),
        same_night: selection.same_night(),
        rows: rows(lang, &revisions),
        layout: Layout::new(&service, &visitor, title, "figures"),
    })
}

fn rows(lang: Language, revisions: &[FigureRevision]) -> Vec<RevisionRow> {
    let older = revisions.iter().skip(1).map(Some).chain([None]);
    let row = |(revision, older): (&FigureRevision, Option<&FigureRevision>)| RevisionRow {
        night: revision.as_of.map_or_else(|| "–".to_owned(), moment),
        run: revision.run,
        as_of: revision.as_of.map(crate::model::instant::display).unwrap_or_default(),
        figure: ShownFigure::new(lang, &revision.figure),
        is_gone: revision.is_gone,
        has_new_definition: older.is_some_and(|older| older.figure.definition != revision.figure.definition),
    };
    revisions.iter().zip(older).map(row).collect()
}
