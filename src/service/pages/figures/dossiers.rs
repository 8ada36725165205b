//! The dossiers behind a figure: how many are on each side, which condition leaves the others out, and the dossiers of one
//! side. They hold dossier codes, so the page needs a caller, and the access is recorded.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use strum::IntoEnumIterator as _;

use super::scope_menu::ScopeMenu;
use super::selection::{Choice, FigurePageQuery, Selection, night_summary};
use super::shown_figure::ShownFigure;
use crate::indicators::{DOSSIER_COLUMNS, DossierPage, ExplainedUnits, Side};
use crate::lists;
use crate::locale::{Initial, Language};
use crate::model::indicator::IndicatorDefinition;
use crate::model::list::{ListCell, ListColumn, ListColumnType};
use crate::service::Service;
use crate::service::explaining::{ExplainedQuery, explain, explainable, side_named};
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::night_summary::NightSummary;
use crate::service::pages::page_error::PageError;
use crate::service::pages::spreadsheet::{self, SEMICOLON, plain_name};
use crate::service::pages::visitor::Visitor;

/// Dossiers on one page.
const LIMIT: u32 = 50;
/// Dossiers in one file.
const MOST_IN_FILE: u32 = 100_000;
/// Columns that the page leaves out; the file has all.
const ONLY_IN_FILE: [&str; 6] = ["agency", "source_key", "run", "page", "row", "late_cause"];

/// Query of the page and the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::service::pages) struct DossiersQuery {
    /// As on the page of the indicator.
    period: String,
    scope: String,
    as_of: String,
    /// Name of a [`Side`]; empty: what keeps a ratio from being 100 %.
    side: String,
    /// Dossiers to pass over.
    offset: u32,
}

#[derive(Template)]
#[template(path = "dossiers.html")]
struct DossiersPage<'a> {
    layout: Layout<'a>,
    night: NightSummary,
    id: &'a str,
    title: &'a str,
    scope: String,
    scope_code: String,
    period: String,
    period_code: String,
    as_of: String,
    same_night: String,
    periods: Vec<(&'static str, Vec<Choice>)>,
    scopes: ScopeMenu,
    own: Option<ShownFigure>,
    /// Whether the dossiers are those of the published figure.
    agrees: bool,
    /// Name, text, number of dossiers, whether it is listed.
    sides: Vec<(&'static str, &'static str, String, bool)>,
    side: &'static str,
    side_text: &'static str,
    /// Condition, meaning, dossiers.
    exclusions: Vec<(String, String, String)>,
    headings: Vec<(&'static str, bool)>,
    /// Text, whether it is a number, heading.
    rows: Vec<Vec<(String, bool, &'static str)>>,
    /// From, to, of.
    shown: Option<[String; 3]>,
    previous: Option<u32>,
    next: Option<u32>,
}

/// What was asked for, and what was found.
struct Found<'s> {
    definition: &'s IndicatorDefinition,
    selection: Selection,
    side: Side,
    explained: ExplainedUnits,
}

async fn find<'s>(
    service: &'s Service,
    visitor: &Visitor,
    id: &str,
    query: &DossiersQuery,
    limit: u32,
) -> Result<Found<'s>, PageError> {
    visitor.reader()?;
    let definition = explainable(&service.config, id)?;
    let page_query = FigurePageQuery::of(&query.period, visitor.scope_or_own(&query.scope), &query.as_of);
    let selection = Selection::of_page(service, &page_query).await?;
    let side = side_named(Some(query.side.as_str()).filter(|name| !name.is_empty()), definition)?;
    let what = format!("explain {id} {} {}", selection.period, side.name());
    let read = visitor.reads_dossiers(service, selection.figure_of(), &what).await?;
    let page = DossierPage { side, offset: query.offset, limit };
    let asked = ExplainedQuery { indicator: id.to_owned(), period: selection.period, page };
    let explained = explain(service, &selection.night, asked, &read).await?;
    Ok(Found { definition, selection, side, explained })
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<DossiersQuery>,
) -> Result<Response, PageError> {
    let Found { definition, selection, side, explained } = find(&service, &visitor, &id, &query, LIMIT).await?;
    let lang = visitor.lang;
    let title = lang.of(&definition.title.vi, &definition.title.en);
    let of_indicator = selection.night.of_indicator(&id).iter().map(|position| selection.night.at(*position));
    let mut own = of_indicator.filter(|figure| figure.period == selection.period && selection.includes(figure));
    let own = own.next();
    let agrees = own.is_none_or(|figure| explained.explanation.difference(figure).is_none());
    let own = own.map(|figure| ShownFigure::new(lang, figure));
    let total = explained.explanation.count(side);
    let shown_until = u64::from(query.offset) + explained.rows.len() as u64;
    let shown = (!explained.rows.is_empty())
        .then(|| [u64::from(query.offset) + 1, shown_until, total].map(|number| lang.number(number)));
    let is_listed = |name: &str| !ONLY_IN_FILE.contains(&name) && (name != "excluded_by" || side == Side::Excluded);
    let columns: Vec<usize> = (0..DOSSIER_COLUMNS.len()).filter(|&at| is_listed(DOSSIER_COLUMNS[at].name)).collect();
    let is_number = |at: usize| DOSSIER_COLUMNS[at].column_type == ListColumnType::Number;
    let heading = |at: usize| lang.of(DOSSIER_COLUMNS[at].vi, DOSSIER_COLUMNS[at].en);
    let row = |cells: &Vec<ListCell>| -> Vec<(String, bool, &'static str)> {
        columns
            .iter()
            .map(|&at| (cell_text(lang, &DOSSIER_COLUMNS[at], &cells[at]), is_number(at), heading(at)))
            .collect()
    };
    let exclusions = explained.explanation.exclusions.iter().map(|one| {
        let meaning = lang.of(&one.meaning_vi, &one.meaning_en).to_owned();
        (one.condition.clone(), meaning, lang.number(one.dossiers))
    });
    html(&DossiersPage {
        night: night_summary(&service, &visitor, &selection).await?,
        id: &id,
        title,
        scope: selection.scope_name(lang, &service.config.settings.province.name),
        scope_code: selection.scope_code().to_owned(),
        period: lang.period(selection.period, Initial::Upper),
        period_code: selection.period.to_string(),
        as_of: selection.as_of.clone().unwrap_or_default(),
        same_night: selection.same_night(),
        periods: selection.periods(lang),
        scopes: ScopeMenu::of_dossiers(&service, &visitor, &selection),
        own,
        agrees,
        sides: Side::iter()
            .map(|one| (one.name(), side_text(lang, one), lang.number(explained.explanation.count(one)), one == side))
            .collect(),
        side: side.name(),
        side_text: side_text(lang, side),
        exclusions: exclusions.collect(),
        headings: columns.iter().map(|&at| (heading(at), is_number(at))).collect(),
        rows: explained.rows.iter().map(row).collect(),
        shown,
        previous: (query.offset > 0).then(|| query.offset.saturating_sub(LIMIT)),
        next: (shown_until < total).then(|| query.offset.saturating_add(LIMIT)),
        layout: Layout::new(&service, &visitor, title, "figures"),
    })
}

/// The dossiers of a side as a file for spreadsheets, in Vietnamese: at most [`MOST_IN_FILE`].
pub(in crate::service::pages) async fn csv(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<DossiersQuery>,
) -> Result<Response, PageError> {
    let query = DossiersQuery { offset: 0, ..query };
    let Found { selection, side, explained, .. } = find(&service, &visitor, &id, &query, MOST_IN_FILE).await?;
    let name = format!("ho-so_{}_{}_{}.csv", plain_name(&id), selection.period, side.name());
    let cells = |row: &Vec<ListCell>| {
        let cells = DOSSIER_COLUMNS.iter().zip(row);
        cells.map(|(column, cell)| cell_text(Language::Vietnamese, column, cell)).collect()
    };
    let headings = DOSSIER_COLUMNS.iter().map(|column| column.vi);
    spreadsheet::csv(&name, SEMICOLON, headings, explained.rows.iter().map(cells))
}

/// What a side means, in words.
fn side_text(lang: Language, side: Side) -> &'static str {
    let [vietnamese, english] = side.meaning();
    lang.of(vietnamese, english)
}

pub(in crate::service::pages) fn cell_text(lang: Language, column: &ListColumn, cell: &ListCell) -> String {
    lists::shown(lang, column, cell)
}
