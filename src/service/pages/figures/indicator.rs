//! The page of one indicator: legal source, definition, trend, and the figures of every agency by tier.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::selection::{Choice, FigurePageQuery, SelectedScope, Selection, night_summary};
use super::shown_figure::ShownFigure;
use super::trend;
use strum::IntoEnumIterator as _;

use crate::config::DefinedIndicator;
use crate::indicators::unexplained;
use crate::locale::{Initial, Language, date};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::IndicatorDefinition;
use crate::model::vietnamese_order::VietnameseOrder;
use crate::service::Service;
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::night_summary::NightSummary;
use crate::service::pages::page_error::PageError;
use crate::service::pages::visitor::Visitor;

/// Maximum number of agencies that are listed of a tier; the download has all.
const MAX_LISTED: usize = 400;

#[derive(Template)]
#[template(path = "indicator.html")]
struct IndicatorPage<'a> {
    layout: Layout<'a>,
    night: NightSummary,
    about: &'a DefinedIndicator,
    kind: &'static str,
    counted_by: &'static str,
    in_force: String,
    /// Text and language.
    note: Option<(&'a str, &'static str)>,
    title: &'a str,
    scope: String,
    scope_code: String,
    period: String,
    period_code: String,
    as_of: String,
    same_night: String,
    is_running: bool,
    is_before_law: bool,
    by_value: bool,
    /// Whether the figure has dossiers to list.
    has_dossiers: bool,
    periods: Vec<(&'static str, Vec<Choice>)>,
    tiers: Vec<Choice>,
    agencies: Vec<(&'static str, Vec<Choice>)>,
    own: Option<ShownFigure>,
    chart: Option<String>,
    groups: Vec<(&'static str, Vec<ScopeRow>)>,
}

/// The figure of one scope.
struct ScopeRow {
    scope_name: String,
    scope_code: String,
    code: Option<String>,
    figure: ShownFigure,
    is_selected: bool,
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(query): Query<FigurePageQuery>,
) -> Result<Response, PageError> {
    visitor.may_read_figures(&service)?;
    let about = service.config.indicators.iter().find(|indicator| indicator.definition.id == id);
    let about = about.ok_or_else(|| PageError::not_found(format!("there is no indicator `{id}`")))?;
    let by_value = match query.sort.as_str() {
        "" | "name" => false,
        "value" => true,
        other => {
            return Err(PageError::new(
                StatusCode::BAD_REQUEST,
                format!("`sort`: there is no `{other}`; there are: name, value"),
            ));
        }
    };
    let selection = Selection::new(&service, &query).await?;
    if selection.scope == SelectedScope::All {
        return Err(PageError::new(StatusCode::BAD_REQUEST, "`scope=all` is for downloads only"));
    }
    let (lang, definition) = (visitor.lang, &about.definition);
    let (mut own, mut of_period) = (Vec::new(), Vec::new());
    for figure in selection.night.of_indicator(&id).iter().map(|position| selection.night.at(*position)) {
        if selection.includes(figure) {
            own.push(figure);
        }
        if figure.period == selection.period {
            of_period.push(figure);
        }
    }
    let shown =
        own.iter().find(|figure| figure.period == selection.period).map(|figure| ShownFigure::new(lang, figure));
    let title = lang.of(&definition.title.vi, &definition.title.en);
    let province = &service.config.settings.province.name;
    html(&IndicatorPage {
        night: night_summary(&service, &visitor, &selection).await?,
        kind: lang.indicator_kind(definition.kind),
        counted_by: lang.period_column(definition.period),
        in_force: day(&definition.legal.from),
        note: note(lang, definition),
        title,
        scope: selection.scope_name(lang, province),
        scope_code: selection.scope_code().to_owned(),
        period: lang.period(selection.period, Initial::Upper),
        period_code: selection.period.to_string(),
        as_of: selection.as_of.clone().unwrap_or_default(),
        same_night: selection.same_night(),
        is_running: selection.is_running(),
        is_before_law: selection.period.end().to_string() < definition.legal.from,
        by_value,
        has_dossiers: unexplained(definition).is_none(),
        periods: selection.periods(lang),
        tiers: selection.tiers(lang),
        agencies: selection.agencies(lang),
        own: shown,
        chart: trend::chart(lang, &trend::until(own, selection.period)),
        groups: groups(lang, &selection, of_period, by_value, province),
        about,
        layout: Layout::new(&service, &visitor, title, "figures"),
    })
}

/// Converts `yyyy-MM-dd` to `dd/MM/yyyy`; other texts stay as they are.
fn day(iso: &str) -> String {
    iso.parse::<jiff::civil::Date>().map_or_else(|_| iso.to_owned(), date)
}

/// The province and whole tiers, then the agencies of each tier, then agencies without a registry entry.
fn groups(
    lang: Language,
    selection: &Selection,
    figures: Vec<&Figure>,
    by_value: bool,
    province: &str,
) -> Vec<(&'static str, Vec<ScopeRow>)> {
    let (mut agencies, mut whole): (Vec<&Figure>, Vec<&Figure>) =
        figures.into_iter().partition(|figure| figure.agency.is_some());
    whole.sort_by_key(|figure| figure.tier);
    let value = |figure: &Figure| figure.value().unwrap_or(f64::NEG_INFINITY);
    agencies.sort_by_cached_key(|figure| VietnameseOrder::of(figure.agency_name.as_deref().unwrap_or_default()));
    if by_value {
        agencies.sort_by(|left, right| value(right).total_cmp(&value(left)));
    }
    let row = |figure: &Figure| {
        let code = figure.agency.as_deref().unwrap_or(figure.tier.map_or("", Tier::name));
        ScopeRow {
            scope_name: lang.scope(figure, province),
            scope_code: code.to_owned(),
            code: figure.agency.as_deref().map(str::to_owned),
            figure: ShownFigure::new(lang, figure),
            is_selected: selection.includes(figure),
        }
    };
    let mut groups =
        vec![(lang.of("Toàn tỉnh và các cấp", "Province and tiers"), whole.into_iter().map(row).collect())];
    for tier in Tier::iter().map(Some).chain([None]) {
        let of_tier: Vec<ScopeRow> =
            agencies.iter().filter(|figure| figure.tier == tier).take(MAX_LISTED).map(|figure| row(figure)).collect();
        let heading = match tier {
            Some(Tier::Province) => lang.of("Cơ quan cấp tỉnh", "Agencies of the province"),
            Some(Tier::District) => lang.of("Đơn vị cấp huyện", "District agencies"),
            Some(Tier::Commune) => lang.of("Đơn vị cấp xã", "Commune agencies"),
            None => lang.words().other_agencies,
        };
        groups.push((heading, of_tier));
    }
    groups.retain(|(_, rows): &(_, Vec<ScopeRow>)| !rows.is_empty());
    groups
}

/// The note on the interpretation of the law, and its language: Vietnamese if the page is and there is one, else
/// English.
fn note(lang: Language, definition: &IndicatorDefinition) -> Option<(&str, &'static str)> {
    let vietnamese = definition.note_vi.as_deref().filter(|_| lang == Language::Vietnamese).map(|note| (note, "vi"));
    vietnamese.or(definition.note.as_deref().map(|note| (note, "en")))
}
