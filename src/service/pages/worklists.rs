//! The worklists: how many dossiers each has, and the dossiers of one. They hold dossier codes, so they need a caller, and the
//! access is recorded.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use tokio::task::block_in_place;

use super::figures::dossier_link::{DossierLink, DossierLinks};
use super::figures::dossiers::cell_text;
use super::figures::scope_menu::ScopeMenu;
use super::figures::selection::{FigurePageQuery, Selection};
use super::layout::{Layout, html};
use super::page_error::PageError;
use super::spreadsheet::{self, FileForm, FileHead, MOST_IN_FILE, WantedFile, file_note};
use super::visitor::Visitor;
use crate::indicators::{FoundWorklist, RatioStanding, SILENT, SilentAgency, Worklist, WorklistLine, silent_title};
use crate::lists;
use crate::locale::{Language, UnitSpace, date, moment};
use crate::model::figure::ratio;
use crate::model::list::{ListCell, ListColumnType};
use crate::run;
use crate::service::Service;
use crate::service::dossiers;
use crate::service::explaining::{NightRead, config_of_night};
use crate::service::readable_scope::ReadableScope;

/// Dossiers on one page.
const LIMIT: u32 = 50;
/// Columns that the page shows; the file has all.
const SHOWN: [&str; 5] = ["dossier_code", "agency_name", "procedure_code", "received_at", "days_late"];

/// Query of the pages and the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::service::pages) struct WorklistQuery {
    /// As on the pages of figures.
    scope: String,
    /// Dossiers to pass over.
    offset: u32,
}

#[derive(Template)]
#[template(path = "worklists.html")]
struct WorklistsPage<'a> {
    layout: Layout<'a>,
    at: String,
    night: String,
    scope: String,
    scope_code: String,
    scopes: ScopeMenu,
    /// Name, title, number of dossiers, whether there are any.
    lists: Vec<(String, String, String, bool)>,
}

#[derive(Template)]
#[template(path = "worklist.html")]
struct WorklistTemplate<'a> {
    layout: Layout<'a>,
    name: &'a str,
    title: String,
    at: String,
    night: String,
    scope: String,
    scope_code: String,
    scopes: ScopeMenu,
    total: String,
    /// What of the list its file has, if not all.
    cut: Option<String>,
    ratios: Vec<RatioRow>,
    /// Code, name, number of dossiers.
    by_agency: Vec<(String, String, String)>,
    headings: Vec<(String, bool)>,
    rows: Vec<LinkedRow>,
    /// From, to, of.
    shown: Option<[String; 3]>,
    previous: Option<u32>,
    next: Option<u32>,
}

/// A ratio that the list touches. Each share with its counts.
struct RatioRow {
    indicator: String,
    now: [String; 2],
    unknown: Option<String>,
    reachable: [String; 2],
    reachable_without: [String; 2],
}

/// What is asked for, checked.
struct Asked {
    selection: Selection,
    scope: ReadableScope,
    /// Microseconds UTC.
    now: i64,
}

async fn asked(service: &Service, visitor: &Visitor, query: &WorklistQuery) -> Result<Asked, PageError> {
    visitor.reader()?;
    let page_query = FigurePageQuery::of("", visitor.scope_or_own(&query.scope), "");
    let selection = Selection::of_page(service, &page_query).await?;
    let scope = visitor.counts_dossiers(service, selection.figure_of())?;
    Ok(Asked { selection, scope, now: run::now() })
}

impl Asked {
    /// Today's work, by today's definitions.
    fn read<'a>(&'a self, service: &'a Service) -> NightRead<'a> {
        NightRead { config: &service.config, night: &self.selection.night.record.night }
    }
}

pub(in crate::service::pages) async fn overview(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<WorklistQuery>,
) -> Result<Response, PageError> {
    let asked = asked(&service, &visitor, &query).await?;
    let lang = visitor.lang;
    let night = &asked.selection.night;
    let counted = service.worklist_counts.counts(&service, night, &asked.scope, asked.now).await?;
    let row = |(name, [vietnamese, english], count): &(String, [String; 2], u64)| {
        (name.clone(), lang.of(vietnamese, english).to_owned(), lang.number(*count), *count > 0)
    };
    html(&WorklistsPage {
        at: moment(counted.at),
        night: moment(night.record.night.as_of),
        scope: asked.selection.scope_name(lang, &service.config.settings.province.name),
        scope_code: asked.selection.scope_code().to_owned(),
        scopes: ScopeMenu::of_dossiers(&service, &visitor, &asked.selection),
        lists: counted.lists.iter().map(row).collect(),
        layout: Layout::new(&service, &visitor, lang.of("Việc cần làm", "Worklists"), "worklists"),
    })
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(query): Query<WorklistQuery>,
) -> Result<Response, PageError> {
    let asked = asked(&service, &visitor, &query).await?;
    let (lang, settings) = (visitor.lang, &service.config.settings.worklists);
    let (title, table) = if name == SILENT {
        let agencies = dossiers::silent_agencies(asked.read(&service), asked.now, &asked.scope).await?;
        (silent_title(settings), silent_table(lang, &agencies))
    } else {
        let list = dossiers::worklist_named(&name)?;
        let found = find(&service, &visitor, &asked, list, (query.offset, LIMIT)).await?;
        // What is to be done is judged by today's definitions; the page of a dossier has those of the night.
        let night_config = config_of_night(&service, &asked.selection.night).await?;
        let links = DossierLinks::new(&night_config, &asked.selection, &visitor);
        (list.title(settings), dossier_table(lang, list, (&found, &links), (query.offset, asked.now)))
    };
    let [vietnamese, english] = &title;
    let title = lang.of(vietnamese, english).to_owned();
    html(&WorklistTemplate {
        name: &name,
        at: moment(asked.now),
        night: moment(asked.selection.night.record.night.as_of),
        scope: asked.selection.scope_name(lang, &service.config.settings.province.name),
        scope_code: asked.selection.scope_code().to_owned(),
        scopes: ScopeMenu::of_dossiers(&service, &visitor, &asked.selection),
        total: lang.number(table.total),
        cut: file_note(lang, table.total),
        ratios: table.ratios,
        by_agency: table.by_agency,
        headings: table.headings,
        rows: table.rows,
        shown: table.shown,
        previous: (query.offset > 0).then(|| query.offset.saturating_sub(LIMIT)),
        next: table.next,
        layout: Layout::new(&service, &visitor, title.clone(), "worklists"),
        title,
    })
}

/// The dossiers of a list, or the silent agencies, as a file, in Vietnamese: at most [`MOST_IN_FILE`].
pub(in crate::service::pages) async fn file(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    wanted: WantedFile,
    Path(name): Path<String>,
    Query(query): Query<WorklistQuery>,
) -> Result<Response, PageError> {
    let asked = asked(&service, &visitor, &query).await?;
    let form = FileForm::new(&service, wanted).await?;
    let (now, settings) = (asked.now, &service.config.settings.worklists);
    let ([title, _], list, total) = if name == SILENT {
        let agencies = dossiers::silent_agencies(asked.read(&service), now, &asked.scope).await?;
        (silent_title(settings), lists::silent_list(&agencies), agencies.len() as u64)
    } else {
        let list = dossiers::worklist_named(&name)?;
        let found = find(&service, &visitor, &asked, list, (0, MOST_IN_FILE)).await?;
        let total = found.total;
        let lines = block_in_place(|| lists::worklist_list(Language::Vietnamese, list, &found, now));
        (list.title(settings), lines, total)
    };
    let mut head = FileHead::new(&service, &asked.selection, format!("viec-can-lam_{name}"), title);
    // Of a moment, not of a period.
    head.about.truncate(1);
    head.about.push(("Danh sách lúc", moment(now)));
    spreadsheet::listed(form, head, (&list, total))
}

async fn find(
    service: &Service,
    visitor: &Visitor,
    asked: &Asked,
    list: &'static Worklist,
    page: (u32, u32),
) -> Result<FoundWorklist, PageError> {
    let what = format!("worklist {}", list.name);
    let read = visitor.reads_dossiers(service, asked.scope.of().clone(), &what).await?;
    Ok(dossiers::worklist(asked.read(service), asked.now, list, &read, page).await?)
}

/// The page of the row's dossier, and its cells: text, whether it is a number, heading.
type LinkedRow = (Option<DossierLink>, Vec<(String, bool, String)>);

/// What the page of a list shows.
#[derive(Default)]
struct Table {
    total: u64,
    ratios: Vec<RatioRow>,
    by_agency: Vec<(String, String, String)>,
    headings: Vec<(String, bool)>,
    rows: Vec<LinkedRow>,
    shown: Option<[String; 3]>,
    next: Option<u32>,
}

fn dossier_table(
    lang: Language,
    list: &Worklist,
    (found, links): (&FoundWorklist, &DossierLinks<'_>),
    (offset, now): (u32, i64),
) -> Table {
    let place = |name: &str| found.columns.iter().position(|column| column.name == name);
    let (codes, agency, received) = (["dossier_code", "source_key"].map(place), place("agency"), place("received_at"));
    let link = |line: &WorklistLine| {
        let code = codes.into_iter().flatten().map(|at| line.cells[at].to_csv()).find(|code| !code.is_empty())?;
        let ListCell::Instant(received) = line.cells[received?] else { return None };
        links.on_time(Some(received), &line.cells[agency?].to_csv(), &code)
    };
    let columns: Vec<usize> = (0..found.columns.len()).filter(|&at| SHOWN.contains(&found.columns[at].name)).collect();
    let is_number = |at: usize| found.columns[at].column_type == ListColumnType::Number;
    let mut headings: Vec<(String, bool)> = columns
        .iter()
        .map(|&at| (lang.of(found.columns[at].vi, found.columns[at].en).to_owned(), is_number(at)))
        .collect();
    let [vietnamese, english] = &list.since_meaning;
    headings.push((lang.of(vietnamese, english).to_owned(), false));
    headings.push((lang.of("việc cần làm", "what to do").to_owned(), false));
    let row = |line: &WorklistLine| -> LinkedRow {
        let mut cells: Vec<String> =
            columns.iter().map(|&at| cell_text(lang, found.columns[at], &line.cells[at])).collect();
        cells.push(line.since.map(moment).unwrap_or_default());
        cells.push(lang.worklist_step(&list.name, line.since, (line.limit, line.last_apology_day), now));
        let cells = cells.into_iter().zip(&headings);
        (link(line), cells.map(|(text, (heading, number))| (text, *number, heading.clone())).collect())
    };
    let rows: Vec<_> = found.lines.iter().map(row).collect();
    let until = u64::from(offset) + rows.len() as u64;
    Table {
        total: found.total,
        ratios: found.ratios.iter().map(|one| ratio_row(lang, one)).collect(),
        by_agency: found
            .by_agency
            .iter()
            .map(|(code, name, count)| (code.to_string(), name.to_string(), lang.number(*count)))
            .collect(),
        shown: (!rows.is_empty())
            .then(|| [u64::from(offset) + 1, until, found.total].map(|number| lang.number(number))),
        next: (until < found.total).then(|| offset.saturating_add(LIMIT)),
        headings,
        rows,
    }
}

fn ratio_row(lang: Language, one: &RatioStanding) -> RatioRow {
    // Of a denominator of which nothing is known there is no share.
    let is_known = one.unknown < one.denominator;
    let share = |numerator: u64| {
        let share = ratio(numerator, one.denominator).filter(|_| is_known);
        let share = share.map_or_else(|| "–".to_owned(), |share| lang.percent(share, UnitSpace::NonBreaking));
        [share, format!("{} / {}", lang.number(numerator), lang.number(one.denominator))]
    };
    RatioRow {
        indicator: one.indicator.clone(),
        now: share(one.numerator),
        unknown: (one.unknown > 0).then(|| format!("{} {}", lang.number(one.unknown), lang.of("chưa rõ", "unknown"))),
        reachable: share(one.reachable),
        reachable_without: share(one.reachable_without),
    }
}

fn silent_table(lang: Language, agencies: &[SilentAgency]) -> Table {
    let headings = [
        (lang.of("cơ quan", "agency"), false),
        (lang.of("cấp", "tier"), false),
        (lang.of("tiếp nhận gần nhất", "latest reception"), false),
        (lang.of("việc cần làm", "what to do"), false),
    ];
    let headings: Vec<(String, bool)> = headings.map(|(text, number)| (text.to_owned(), number)).into();
    let step = lang.of(
        "Hỏi cơ quan có tiếp nhận hồ sơ ngoài hệ thống không; nếu có, nhập vào hệ thống",
        "Ask whether dossiers are received outside the system; if so, have them entered",
    );
    let row = |agency: &SilentAgency| -> LinkedRow {
        let last = agency.last_day.map_or_else(|| lang.of("chưa có hồ sơ nào", "never").to_owned(), date);
        let cells = [agency.name.clone(), lang.tier(agency.tier).to_owned(), last, step.to_owned()];
        let cells = cells.into_iter().zip(&headings);
        (None, cells.map(|(text, (heading, number))| (text, *number, heading.clone())).collect())
    };
    let rows: Vec<_> = agencies.iter().map(row).collect();
    let total = agencies.len() as u64;
    Table {
        total,
        shown: (total > 0).then(|| [1, total, total].map(|number| lang.number(number))),
        headings,
        rows,
        ..Table::default()
    }
}
