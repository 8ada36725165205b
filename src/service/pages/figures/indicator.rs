//! The page of one indicator: legal source, definition, trend, and the figures of every agency by tier.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::scope_menu::ScopeMenu;
use super::selection::{Choice, FigurePageQuery, SelectedScope, Selection, indicator_named, night_summary, tier_scope};
use super::shown_figure::ShownFigure;
use super::trend;
use strum::IntoEnumIterator as _;

use crate::config::DefinedIndicator;
use crate::indicators::{Rank, RankingRule, conditions_in_words, rank, unexplained};
use crate::locale::{Initial, Language, date};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::{CountedUnit, IndicatorDefinition};
use crate::model::vietnamese_order::VietnameseOrder;
use crate::service::Service;
use crate::service::pages::address::own_address;
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
    /// `name`, `value` or `worst`.
    sort: &'static str,
    /// What counts in the denominator and in the numerator, condition by condition; empty if no dossiers are counted.
    population_words: Vec<String>,
    numerator_words: Vec<String>,
    /// Address of the figure in the API.
    api: String,
    /// Whether the figure has dossiers to list.
    has_dossiers: bool,
    periods: Vec<(&'static str, Vec<Choice>)>,
    scopes: ScopeMenu,
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
    /// A bar of the value with the target.
    bar: Option<String>,
    /// Place within the tier.
    place: Option<usize>,
    is_selected: bool,
}

/// Order of the agencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AgencyOrder {
    Name,
    Best,
    Worst,
}

impl AgencyOrder {
    fn named(name: &str) -> Result<Self, PageError> {
        match name {
            "" | "name" => Ok(Self::Name),
            "value" => Ok(Self::Best),
            "worst" => Ok(Self::Worst),
            other => {
                let detail = format!("`sort`: there is no `{other}`; there are: name, value, worst");
                Err(PageError::new(StatusCode::BAD_REQUEST, detail))
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Best => "value",
            Self::Worst => "worst",
        }
    }
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(query): Query<FigurePageQuery>,
) -> Result<Response, PageError> {
    visitor.may_read_figures(&service)?;
    let about = indicator_named(&service, &id)?;
    let order = AgencyOrder::named(&query.sort)?;
    let selection = Selection::of_page(&service, &query).await?;
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
    let population = match definition.denominator.as_deref() {
        Some(denominator) => format!("({}) AND ({denominator})", definition.population),
        None => definition.population.clone(),
    };
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
        sort: order.name(),
        population_words: words_of(lang, definition, &population),
        numerator_words: words_of(lang, definition, &definition.numerator),
        api: api_address(&service, &headers, &id, &selection),
        has_dossiers: unexplained(definition).is_none(),
        periods: selection.periods(lang),
        scopes: ScopeMenu::of_figures(&selection, lang),
        own: shown,
        chart: trend::chart(lang, &trend::until(own, selection.period)),
        groups: groups(lang, &selection, of_period, (definition, order), province),
        about,
        layout: Layout::new(&service, &visitor, title, "figures"),
    })
}

/// Converts `yyyy-MM-dd` to `dd/MM/yyyy`; other texts stay as they are.
fn day(iso: &str) -> String {
    iso.parse::<jiff::civil::Date>().map_or_else(|_| iso.to_owned(), date)
}

/// The conditions of a predicate in words, if dossiers are counted one by one.
fn words_of(lang: Language, definition: &IndicatorDefinition, predicate: &str) -> Vec<String> {
    if definition.over != CountedUnit::Dossiers {
        return Vec::new();
    }
    conditions_in_words(predicate, lang == Language::Vietnamese)
}

/// Address of the selected figure in the API, as this service was reached.
fn api_address(service: &Service, headers: &HeaderMap, id: &str, selection: &Selection) -> String {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let scope = match &selection.scope {
        SelectedScope::Province | SelectedScope::All => "scope=province".to_owned(),
        SelectedScope::Tier(tier) => format!("scope=tier&tier={}", tier.name()),
        SelectedScope::Agency(code) => format!("agency={}", encoded(code)),
    };
    let (id, period, night) = (encoded(id), selection.period, selection.same_night());
    format!("{}/api/v1/figures?indicator={id}&period={period}&{scope}{night}", own_address(service, headers))
}

/// The province and whole tiers, then the agencies of each tier, then agencies without a registry entry.
fn groups(
    lang: Language,
    selection: &Selection,
    figures: Vec<&Figure>,
    (definition, order): (&IndicatorDefinition, AgencyOrder),
    province: &str,
) -> Vec<(&'static str, Vec<ScopeRow>)> {
    let (mut agencies, mut whole): (Vec<&Figure>, Vec<&Figure>) =
        figures.into_iter().partition(|figure| figure.agency.is_some());
    whole.sort_by_key(|figure| figure.tier);
    agencies.sort_by_cached_key(|figure| VietnameseOrder::of(figure.agency_name.as_deref().unwrap_or_default()));
    let ranks = rank(&agencies, |_| RankingRule::of(definition));
    let mut agencies: Vec<(&Figure, Option<Rank>)> = agencies.into_iter().zip(ranks).collect();
    // By the rules of ranks, those without a place last.
    let place = |rank: &Option<Rank>| match rank {
        Some(Rank::Place(place)) => Some(*place),
        _ => None,
    };
    match order {
        AgencyOrder::Name => {}
        AgencyOrder::Best => agencies.sort_by_key(|(_, rank)| place(rank).unwrap_or(usize::MAX)),
        AgencyOrder::Worst => agencies.sort_by_key(|(_, rank)| std::cmp::Reverse(place(rank).unwrap_or(0))),
    }
    let most = agencies.iter().filter_map(|(figure, _)| figure.value()).fold(0.0, f64::max);
    let row = |figure: &Figure, rank: Option<Rank>| {
        let code = figure.agency.as_deref().unwrap_or(figure.tier.map_or("", tier_scope));
        ScopeRow {
            scope_name: lang.scope(figure, province),
            scope_code: code.to_owned(),
            code: figure.agency.as_deref().map(str::to_owned),
            bar: trend::bar(figure, most),
            place: place(&rank),
            figure: ShownFigure::new(lang, figure),
            is_selected: selection.includes(figure),
        }
    };
    let whole = whole.into_iter().map(|figure| row(figure, None)).collect();
    let mut groups = vec![(lang.of("Toàn tỉnh và các cấp", "Province and tiers"), whole)];
    for tier in Tier::iter().map(Some).chain([None]) {
        let of_tier: Vec<ScopeRow> = agencies
            .iter()
            .filter(|(figure, _)| figure.tier == tier)
            .take(MAX_LISTED)
            .map(|(figure, rank)| row(figure, *rank))
            .collect();
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
