//! The dossiers behind a figure, or the procedures, agencies, feedback or measures that it counts: how many are on each side, which
//! condition leaves the others out, and those of one side. Dossiers have codes, so the page needs a caller, and the access is
//! recorded.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use strum::IntoEnumIterator as _;

use super::scope_menu::ScopeMenu;
use super::selection::{Choice, FigurePageQuery, Selection, night_summary};
use super::shown_figure::ShownFigure;
use crate::config::Configuration;
use crate::indicators::{DossierPage, ExplainedUnits, Side};
use crate::lists;
use crate::locale::{Initial, Language};
use crate::model::indicator::{CountedUnit, IndicatorDefinition};
use crate::model::list::{List, ListCell, ListColumn, ListColumnType};
use crate::service::Service;
use crate::service::explaining::{ExplainedQuery, NightRead, config_of_night, explain, side_named};
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::night_summary::NightSummary;
use crate::service::pages::page_error::PageError;
use crate::service::pages::spreadsheet::{self, FileForm, FileHead, MOST_IN_FILE, WantedFile, file_note, plain_name};
use crate::service::pages::visitor::Visitor;

/// Dossiers on one page.
const LIMIT: u32 = 50;
/// Columns that the page leaves out; the file has all.
const ONLY_IN_FILE: [&str; 5] = ["source_key", "run", "page", "row", "late_cause"];

/// Query of the page and the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::service::pages) struct DossiersQuery {
    /// As on the page of the indicator.
    pub(super) period: String,
    pub(super) scope: String,
    pub(super) as_of: String,
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
    /// What is listed, in words.
    heading: &'static str,
    unit: &'static str,
    /// Whether dossiers are listed.
    is_of_dossiers: bool,
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
    rows: Vec<ListedRow>,
    /// From, to, of.
    shown: Option<[String; 3]>,
    /// `listed / all` of the file, if it has not all.
    cut: Option<String>,
    previous: Option<u32>,
    next: Option<u32>,
}

/// One row of the list.
struct ListedRow {
    /// Code or key of a dossier, by which its page is found.
    code: Option<String>,
    /// Text, whether it is a number, heading.
    cells: Vec<(String, bool, &'static str)>,
}

/// What was asked for, and what was found.
struct Found {
    /// By which the night counted.
    config: Arc<Configuration>,
    selection: Selection,
    side: Side,
    explained: ExplainedUnits,
}

impl Found {
    fn definition(&self, id: &str) -> Result<&IndicatorDefinition, PageError> {
        Ok(NightRead { config: &self.config, night: &self.selection.night.record.night }.defined(id)?)
    }
}

async fn find(
    service: &Service,
    visitor: &Visitor,
    id: &str,
    query: &DossiersQuery,
    limit: u32,
) -> Result<Found, PageError> {
    visitor.reader()?;
    let page_query = FigurePageQuery::of(&query.period, visitor.scope_or_own(&query.scope), &query.as_of);
    let selection = Selection::of_page(service, &page_query).await?;
    let config = config_of_night(service, &selection.night).await?;
    let of = NightRead { config: &config, night: &selection.night.record.night };
    let side = side_named(Some(query.side.as_str()).filter(|name| !name.is_empty()), of.defined(id)?)?;
    let what = format!("explain {id} {} {}", selection.period, side.name());
    let read = visitor.reads_dossiers(service, selection.figure_of(), &what).await?;
    let page = DossierPage { side, offset: query.offset, limit };
    let asked = ExplainedQuery { indicator: id.to_owned(), period: selection.period, page };
    let explained = explain(of, asked, &read).await?;
    Ok(Found { config, selection, side, explained })
}

/// What the page is about.
fn heading(lang: Language, over: CountedUnit) -> &'static str {
    match over {
        CountedUnit::Dossiers => lang.of("Hồ sơ tạo nên số liệu", "Dossiers behind the figure"),
        CountedUnit::Procedures => lang.of("Thủ tục tạo nên số liệu", "Procedures behind the figure"),
        CountedUnit::Agencies => lang.of("Cơ quan tạo nên số liệu", "Agencies behind the figure"),
        CountedUnit::Feedback => lang.of("Phản ánh, kiến nghị tạo nên số liệu", "Feedback behind the figure"),
        CountedUnit::Measures => lang.of("Số liệu tự báo cáo tạo nên số liệu", "Measures behind the figure"),
    }
}

/// Positions of the columns that the page shows.
fn shown_columns(explained: &ExplainedUnits, over: CountedUnit, side: Side) -> Vec<usize> {
    let has_name = explained.columns.iter().any(|column| column.name == "agency_name");
    let is_shown = |name: &str| match name {
        // The name stands for the code, but where agencies are counted.
        "agency" => !has_name || over == CountedUnit::Agencies,
        "excluded_by" => side == Side::Excluded,
        name => !ONLY_IN_FILE.contains(&name),
    };
    (0..explained.columns.len()).filter(|&at| is_shown(explained.columns[at].name)).collect()
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<DossiersQuery>,
) -> Result<Response, PageError> {
    let found = find(&service, &visitor, &id, &query, LIMIT).await?;
    let definition = found.definition(&id)?;
    let Found { selection, side, explained, .. } = &found;
    let (side, over) = (*side, definition.over);
    let lang = visitor.lang;
    let title = lang.of(&definition.title.vi, &definition.title.en);
    let of_indicator = selection.night.of_indicator(&id).iter().map(|position| selection.night.at(*position));
    let mut own = of_indicator.filter(|figure| figure.period == selection.period && selection.includes(figure));
    let own = own.next();
    let agrees = own.is_none_or(|figure| explained.difference(figure).is_none());
    let own = own.map(|figure| ShownFigure::new(lang, figure));
    let total = explained.explanation.count(side);
    let shown_until = u64::from(query.offset) + explained.rows.len() as u64;
    let shown = (!explained.rows.is_empty())
        .then(|| [u64::from(query.offset) + 1, shown_until, total].map(|number| lang.number(number)));
    let columns = shown_columns(explained, over, side);
    let column = |at: usize| &explained.columns[at];
    let is_number = |at: usize| column(at).column_type == ListColumnType::Number;
    let heading_of = |at: usize| lang.of(column(at).vi, column(at).en);
    let codes: Vec<usize> = if over == CountedUnit::Dossiers { places_of_codes(explained) } else { Vec::new() };
    let row = |cells: &Vec<ListCell>| ListedRow {
        code: codes.iter().map(|&at| cells[at].to_csv()).find(|code| !code.is_empty()),
        cells: columns
            .iter()
            .map(|&at| (cell_text(lang, column(at), &cells[at]), is_number(at), heading_of(at)))
            .collect(),
    };
    let exclusions = explained.explanation.exclusions.iter().map(|one| {
        let meaning = lang.of(&one.meaning_vi, &one.meaning_en).to_owned();
        (one.condition.clone(), meaning, lang.number(one.dossiers))
    });
    html(&DossiersPage {
        night: night_summary(&service, &visitor, selection).await?,
        id: &id,
        title,
        heading: heading(lang, over),
        unit: lang.of(over.meaning()[0], over.meaning()[1]),
        is_of_dossiers: over == CountedUnit::Dossiers,
        scope: selection.scope_name(lang, &service.config.settings.province.name),
        scope_code: selection.scope_code().to_owned(),
        period: lang.period(selection.period, Initial::Upper),
        period_code: selection.period.to_string(),
        as_of: selection.as_of.clone().unwrap_or_default(),
        same_night: selection.same_night(),
        periods: selection.periods(lang),
        scopes: ScopeMenu::of_dossiers(&service, &visitor, selection),
        own,
        agrees,
        sides: Side::iter()
            .map(|one| (one.name(), side_text(lang, one), lang.number(explained.explanation.count(one)), one == side))
            .collect(),
        side: side.name(),
        side_text: side_text(lang, side),
        exclusions: exclusions.collect(),
        headings: columns.iter().map(|&at| (heading_of(at), is_number(at))).collect(),
        rows: explained.rows.iter().map(row).collect(),
        shown,
        cut: file_note(lang, total),
        previous: (query.offset > 0).then(|| query.offset.saturating_sub(LIMIT)),
        next: (shown_until < total).then(|| query.offset.saturating_add(LIMIT)),
        layout: Layout::new(&service, &visitor, title, "figures"),
    })
}

/// What is on a side as a file, in Vietnamese: at most [`MOST_IN_FILE`] rows.
pub(in crate::service::pages) async fn file(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    wanted: WantedFile,
    Path(id): Path<String>,
    Query(query): Query<DossiersQuery>,
) -> Result<Response, PageError> {
    visitor.reader()?;
    let query = DossiersQuery { offset: 0, ..query };
    let form = FileForm::new(&service, wanted).await?;
    let found = find(&service, &visitor, &id, &query, MOST_IN_FILE).await?;
    let title = format!("{id} · {}", found.definition(&id)?.title.vi);
    let Found { selection, side, explained, .. } = found;
    let name = format!("ho-so_{}_{}_{}", plain_name(&id), selection.period, side.name());
    let total = explained.explanation.count(side);
    let mut head = FileHead::new(&service, &selection, name, title);
    head.about.push(("Nhóm", side.meaning()[0].to_owned()));
    spreadsheet::listed(form, head, (&List::new(explained.columns, explained.rows), total))
}

/// Positions of the columns by one of which a dossier is found.
fn places_of_codes(explained: &ExplainedUnits) -> Vec<usize> {
    let place = |name: &str| explained.columns.iter().position(|column| column.name == name);
    ["dossier_code", "source_key"].into_iter().filter_map(place).collect()
}

/// What a side means, in words.
fn side_text(lang: Language, side: Side) -> &'static str {
    let [vietnamese, english] = side.meaning();
    lang.of(vietnamese, english)
}

pub(in crate::service::pages) fn cell_text(lang: Language, column: &ListColumn, cell: &ListCell) -> String {
    lists::shown(lang, column, cell)
}
