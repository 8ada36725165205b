//! One dossier behind a figure: what it is to it, the conditions and facts that decide that, and its versions with the page or file
//! row that each came from. It needs a caller who may read the dossier's agency, and the access is recorded.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::dossiers::{DossiersQuery, cell_text};
use super::selection::{FigurePageQuery, Selection, night_summary};
use crate::indicators::{DOSSIER_COLUMNS, ExplainedFact, conditions_in_words};
use crate::lists::{fact_value, stored_value};
use crate::locale::{Initial, Language};
use crate::model::list::ListCell;
use crate::run::{self, DossierWithHistory, RunError};
use crate::service::Service;
use crate::service::explaining::{NightRead, config_of_night, explain_dossier, no_dossier};
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::night_summary::NightSummary;
use crate::service::pages::page_error::PageError;
use crate::service::pages::visitor::Visitor;

/// Facts that are deeper than this below a condition are shown only if they have a value.
const DEPTH: usize = 3;

#[derive(Template)]
#[template(path = "dossier.html")]
struct DossierPage<'a> {
    layout: Layout<'a>,
    night: NightSummary,
    id: &'a str,
    title: &'a str,
    scope: String,
    scope_code: String,
    period: String,
    period_code: String,
    same_night: String,
    dossiers: Vec<ShownDossier>,
}

/// One dossier that has the code. Dossiers of two sources can have one code.
struct ShownDossier {
    code: String,
    source: String,
    /// What it is to the figure.
    side: &'static str,
    /// Heading and text.
    cells: Vec<(&'static str, String)>,
    /// In words, whether it is true, as it is written.
    conditions: Vec<(String, &'static str, String)>,
    facts: Vec<FactRow>,
    versions: Vec<VersionRow>,
}

struct FactRow {
    /// 1 for a fact that a condition names.
    level: usize,
    meaning: String,
    value: String,
    name: String,
}

struct VersionRow {
    run: i64,
    /// Page or file, and row.
    place: String,
    /// Column and value.
    changed: Vec<(&'static str, String)>,
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path((id, code)): Path<(String, String)>,
    Query(query): Query<DossiersQuery>,
) -> Result<Response, PageError> {
    visitor.reader()?;
    let page_query = FigurePageQuery::of(&query.period, visitor.scope_or_own(&query.scope), &query.as_of);
    let selection = Selection::of_page(&service, &page_query).await?;
    let config = config_of_night(&service, &selection.night).await?;
    let of = NightRead { config: &config, night: &selection.night.record.night };
    let definition = of.explainable(&id)?;
    let (code, period) = (code.trim(), selection.period);
    // Without the code: the log of accesses has no dossier codes.
    let what = format!("explain {id} {period}, one dossier");
    let read = visitor.reads_dossiers(&service, selection.figure_of(), &what).await?;
    let found = explain_dossier(of, (&id, period), code, &read).await?;
    if found.is_empty() {
        return Err(no_dossier(code, definition, period).into());
    }
    let places = places(&service, &found).await?;
    let lang = visitor.lang;
    let title = lang.of(&definition.title.vi, &definition.title.en);
    html(&DossierPage {
        night: night_summary(&service, &visitor, &selection).await?,
        id: &id,
        title,
        scope: selection.scope_name(lang, &service.config.settings.province.name),
        scope_code: selection.scope_code().to_owned(),
        period: lang.period(period, Initial::Upper),
        period_code: period.to_string(),
        same_night: selection.same_night(),
        dossiers: found.iter().zip(places).map(|(one, places)| shown(lang, one, places)).collect(),
        layout: Layout::new(&service, &visitor, format!("{} {code}", lang.of("Hồ sơ", "Dossier")), "figures"),
    })
}

/// The text of a column of a dossier; empty if it has no value.
fn text_of(found: &DossierWithHistory, name: &str) -> String {
    let place = DOSSIER_COLUMNS.iter().position(|column| column.name == name);
    place.map(|place| found.dossier.cells[place].to_csv()).unwrap_or_default()
}

/// Names of the files that the versions of each dossier came from; `None` for pages of an interface.
async fn places(service: &Service, found: &[DossierWithHistory]) -> Result<Vec<Vec<Option<String>>>, PageError> {
    let config = Arc::clone(&service.config);
    let pages: Vec<(String, Vec<(i64, u32)>)> = found
        .iter()
        .map(|one| {
            let pages = one.versions.iter().map(|version| (version.run, version.page));
            (text_of(one, "source"), pages.collect())
        })
        .collect();
    let named = tokio::task::spawn_blocking(move || -> Vec<Vec<Option<String>>> {
        let of = |(source, pages): (String, Vec<(i64, u32)>)| {
            pages.into_iter().map(|(run, page)| run::file_of_page(&config, &source, run, page)).collect()
        };
        pages.into_iter().map(of).collect()
    });
    Ok(named.await.map_err(RunError::from)?)
}

fn shown(lang: Language, found: &DossierWithHistory, files: Vec<Option<String>>) -> ShownDossier {
    let dossier = &found.dossier;
    let cells = DOSSIER_COLUMNS.iter().zip(&dossier.cells).filter(|(_, cell)| **cell != ListCell::Null);
    let cells = cells.map(|(column, cell)| (lang.of(column.vi, column.en), cell_text(lang, column, cell)));
    let conditions = dossier.conditions.iter().map(|(condition, is_true)| {
        let words = conditions_in_words(condition, lang == Language::Vietnamese).join("; ");
        let words = if words.is_empty() { condition.clone() } else { words };
        (words, verdict(lang, *is_true), condition.clone())
    });
    let is_telling = |fact: &&ExplainedFact| fact.depth < DEPTH || fact.value != ListCell::Null;
    let fact = |fact: &ExplainedFact| FactRow {
        level: fact.depth + 1,
        meaning: lang.of(&fact.meaning_vi, &fact.meaning_en).to_owned(),
        value: fact_value(lang, &fact.name, &fact.value),
        name: fact.name.clone(),
    };
    let versions = found.versions.iter().zip(files).map(|(version, file)| VersionRow {
        run: version.run,
        place: match file {
            Some(file) => format!("{file}, {} {}", lang.of("dòng", "row"), version.row),
            None => {
                format!("{} {}, {} {}", lang.of("trang", "page"), version.page, lang.of("dòng", "row"), version.row)
            }
        },
        changed: version.changed.iter().map(|(column, value)| (*column, stored_value(lang, column, value))).collect(),
    });
    let [vietnamese, english] = dossier.side.meaning();
    let own_code = text_of(found, "dossier_code");
    ShownDossier {
        code: if own_code.is_empty() { text_of(found, "source_key") } else { own_code },
        source: text_of(found, "source"),
        side: lang.of(vietnamese, english),
        cells: cells.collect(),
        conditions: conditions.collect(),
        facts: dossier.facts.iter().filter(is_telling).map(fact).collect(),
        versions: versions.collect(),
    }
}

fn verdict(lang: Language, is_true: Option<bool>) -> &'static str {
    match is_true {
        Some(true) => lang.of("đúng", "true"),
        Some(false) => lang.of("không đúng", "false"),
        None => lang.of("chưa rõ", "not known"),
    }
}
