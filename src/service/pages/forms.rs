//! The official forms, filled in for a period and an agency, a tier or the province: as a page, and as a workbook. Always in
//! Vietnamese, as the forms are.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::figures::scope_menu::ScopeMenu;
use super::figures::selection::{Choice, FigurePageQuery, Selection, night_summary};
use super::layout::{Layout, html};
use super::night_summary::NightSummary;
use super::page_error::PageError;
use super::spreadsheet::{XLSX, file_headers, plain_name};
use super::visitor::Visitor;
use crate::config::Configuration;
use crate::locale::{Initial, Language, date};
use crate::model::instant::local;
use crate::model::period::{Period, PeriodKind};
use crate::model::report_form::{FilledForm, FormColumn, FormTemplate};
use crate::publish;
use crate::service::Service;
use crate::service::answers::{Encoding, Making};
use crate::service::dossiers;
use crate::service::explaining::{NightRead, config_of_night};

#[derive(Template)]
#[template(path = "forms.html")]
struct FormsPage<'a> {
    layout: Layout<'a>,
    night: NightSummary,
    /// Number, title, document.
    forms: Vec<(String, String, String)>,
    scope_code: String,
    as_of: String,
    periods: Vec<(&'static str, Vec<Choice>)>,
    scopes: ScopeMenu,
}

#[derive(Template)]
#[template(path = "form.html")]
struct FormPage<'a> {
    layout: Layout<'a>,
    night: NightSummary,
    id: String,
    document: String,
    whom: String,
    days: String,
    is_running: bool,
    is_complete: bool,
    scope_code: String,
    period_code: String,
    as_of: String,
    same_night: String,
    periods: Vec<(&'static str, Vec<Choice>)>,
    scopes: ScopeMenu,
    label: String,
    /// Title of a group of columns, and how many it has.
    groups: Vec<(String, usize)>,
    /// Number and title of each column.
    columns: Vec<(u32, String)>,
    rows: Vec<(String, Vec<String>)>,
    total: (String, Vec<String>),
}

/// The period of a form if none is chosen: the last statutory quarter (from the 15th to the 14th) that has ended, else the year.
fn usual_period(selection: &Selection) -> Period {
    let today = local(selection.night.record.night.as_of).date();
    let periods = selection.night.without_agency().iter().map(|position| selection.night.at(*position).period);
    let ended = periods.filter(|period| period.kind() == PeriodKind::StatutoryQuarter && period.end() < today);
    ended.max_by_key(|period| period.start()).unwrap_or(selection.period)
}

async fn select(service: &Service, visitor: &Visitor, query: &FigurePageQuery) -> Result<Selection, PageError> {
    visitor.reader()?;
    let page_query = FigurePageQuery::of(&query.period, visitor.scope_or_own(&query.scope), &query.as_of);
    let mut selection = Selection::of_page(service, &page_query).await?;
    if query.period.is_empty() {
        selection.period = usual_period(&selection);
    }
    Ok(selection)
}

/// The list of forms.
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<FigurePageQuery>,
) -> Result<Response, PageError> {
    let selection = select(&service, &visitor, &query).await?;
    let lang = visitor.lang;
    let forms = service.config.forms.values();
    html(&FormsPage {
        night: night_summary(&service, &visitor, &selection).await?,
        forms: forms.map(|form| (form.id.clone(), form.title.clone(), form.document.clone())).collect(),
        scope_code: selection.scope_code().to_owned(),
        as_of: selection.as_of.clone().unwrap_or_default(),
        periods: selection.periods(lang),
        scopes: ScopeMenu::of_dossiers(&service, &visitor, &selection),
        layout: Layout::new(&service, &visitor, lang.of("Biểu mẫu", "Forms"), "forms"),
    })
}

/// A form, filled in.
struct Filled {
    config: Arc<Configuration>,
    id: String,
    form: FilledForm,
}

impl Filled {
    fn template(&self) -> &FormTemplate {
        &self.config.forms[&self.id]
    }
}

/// Fills in a form by the templates and rules of the night. It counts dossiers, by sector too, so the visitor must be one who may
/// count them.
async fn fill(service: &Service, visitor: &Visitor, id: &str, selection: &Selection) -> Result<Filled, PageError> {
    let scope = visitor.counts_dossiers(service, selection.figure_of())?;
    let config = config_of_night(service, &selection.night).await?;
    let night = &selection.night.record.night;
    let today = local(night.as_of).date();
    if selection.period.start() > today {
        let detail = format!("`period`: `{}` begins after the night of {today}", selection.period);
        return Err(PageError::new(StatusCode::BAD_REQUEST, detail));
    }
    let form = dossiers::filled_form(NightRead { config: &config, night }, id, &scope, selection.period).await?;
    Ok(Filled { id: id.to_owned(), form, config })
}

pub(super) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<FigurePageQuery>,
) -> Result<Response, PageError> {
    let selection = select(&service, &visitor, &query).await?;
    let filled = fill(&service, &visitor, &id, &selection).await?;
    let (lang, template, form) = (visitor.lang, filled.template(), &filled.form);
    let columns: Vec<&FormColumn> = template.group.iter().flat_map(|group| &group.column).collect();
    let numbers = |counts: &crate::model::report_form::FormCounts| -> Vec<String> {
        columns.iter().map(|column| Language::Vietnamese.number(counts.get(column.count))).collect()
    };
    let title = |column: &&FormColumn| match &column.under {
        Some(under) => format!("{under}: {}", column.title),
        None => column.title.clone(),
    };
    html(&FormPage {
        night: night_summary(&service, &visitor, &selection).await?,
        document: template.document.clone(),
        whom: form.whom.clone(),
        days: format!("{} ({} – {})", lang.period(selection.period, Initial::Upper), date(form.start), date(form.end)),
        is_running: form.is_running(),
        is_complete: form.complete,
        scope_code: selection.scope_code().to_owned(),
        period_code: selection.period.to_string(),
        as_of: selection.as_of.clone().unwrap_or_default(),
        same_night: selection.same_night(),
        periods: selection.periods(lang),
        scopes: ScopeMenu::of_dossiers(&service, &visitor, &selection),
        label: template.label.clone(),
        groups: template.group.iter().map(|group| (group.title.clone(), group.column.len())).collect(),
        columns: columns.iter().map(|column| (column.number, title(column))).collect(),
        rows: form.rows.iter().map(|(name, counts)| (name.clone(), numbers(counts))).collect(),
        total: (template.total.clone(), numbers(&form.total())),
        layout: Layout::new(&service, &visitor, format!("{} {id}", lang.of("Biểu", "Form")), "forms"),
        id,
    })
}

/// The form as the official workbook.
pub(super) async fn workbook(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<FigurePageQuery>,
) -> Result<Response, PageError> {
    let selection = select(&service, &visitor, &query).await?;
    let permit = service.answers.permit(Making::FromTables).await?;
    let filled = fill(&service, &visitor, &id, &selection).await?;
    let scope = match selection.scope_code() {
        "" => String::new(),
        code => format!("_{}", plain_name(code)),
    };
    let name = format!("bieu-{}_{}{scope}.xlsx", plain_name(&id), selection.period);
    let made = service.answers.make(permit, (Encoding::Identity, file_headers(XLSX, &name)), |out| {
        Ok(out.write_all(&publish::write_form(filled.template(), &filled.form)?)?)
    });
    Ok(made?.answer()?)
}
