//! The page of one agency: its ratios with rank, tier and change, what it has to do, its late dossiers, and the health of the
//! sources of its dossiers.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::connectors::health_row::HealthRow;
use super::figures::selection::{Choice, FigurePageQuery, Selection, night_summary, tier_scope};
use super::figures::shown_figure::ShownFigure;
use super::headlines::{ShownChange, difference};
use super::layout::{Layout, html};
use super::night_summary::NightSummary;
use super::page_error::PageError;
use super::visitor::Visitor;
use crate::indicators::{Rank, RankingRule, Side, rank, unexplained};
use crate::locale::{Initial, Language, moment};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::{IndicatorDefinition, IndicatorKind};
use crate::run::{self, assess_connectors};
use crate::service::Service;

#[derive(Template)]
#[template(path = "agency.html")]
struct AgencyPage<'a> {
    layout: Layout<'a>,
    night: NightSummary,
    code: String,
    name: String,
    tier: Option<&'static str>,
    period: String,
    period_code: String,
    as_of: String,
    same_night: String,
    is_running: bool,
    /// The period before.
    before: String,
    periods: Vec<(&'static str, Vec<Choice>)>,
    rows: Vec<RatioRow>,
    /// Further figures of the agency.
    more: usize,
    /// Only for callers.
    work: Option<Work>,
}

/// One ratio of the agency.
struct RatioRow {
    id: String,
    title: String,
    figure: ShownFigure,
    change: Option<ShownChange>,
    /// The whole tier.
    of_tier: Option<ShownFigure>,
    /// Value of `scope` for the tier.
    tier_scope: &'static str,
    rank: String,
    /// Address of the dossiers that keep the ratio from being better, and their number.
    late: Option<(String, String)>,
}

/// What the agency has to do, and where its dossiers come from.
struct Work {
    at: String,
    /// Name, title, number, whether there are any.
    lists: Vec<(String, String, String, bool)>,
    /// Connector, with its number of dossiers. `None` if the visitor may not know the health of connectors.
    sources: Option<Vec<(HealthRow, String)>>,
}

pub(super) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(code): Path<String>,
    Query(query): Query<FigurePageQuery>,
) -> Result<Response, PageError> {
    visitor.may_read_figures(&service)?;
    let selection = Selection::of_page(&service, &FigurePageQuery::of(&query.period, "", &query.as_of)).await?;
    let is_known = !selection.night.of_agency(&code).is_empty()
        || service.config.registries.agencies.iter().any(|agency| agency.code == code);
    if !is_known {
        let detail = format!("there is no agency `{code}`; `/api/v1/agencies` lists their codes");
        return Err(PageError::not_found(detail));
    }
    let selection = Selection::of_page(&service, &FigurePageQuery::of(&query.period, &code, &query.as_of)).await?;
    let lang = visitor.lang;
    let registered = service.config.registries.agencies.iter().find(|agency| agency.code == code);
    let of_figures = selection.of_scope().first().and_then(|figure| figure.tier);
    let tier = of_figures.or(registered.map(|agency| agency.tier));
    let name = match registered {
        Some(agency) if selection.of_scope().is_empty() => agency.name.clone(),
        _ => selection.scope_name(lang, &service.config.settings.province.name),
    };
    let rows = ratios(&service, lang, &selection, tier);
    let all = selection.of_scope().iter().filter(|figure| figure.period == selection.period).count();
    let work = match visitor.caller {
        // Worklists are those of now.
        Some(_) if selection.as_of.is_none() => work(&service, &visitor, &selection).await?,
        _ => None,
    };
    html(&AgencyPage {
        night: night_summary(&service, &visitor, &selection).await?,
        tier: tier.map(|tier| lang.tier(tier)),
        period: lang.period(selection.period, Initial::Upper),
        period_code: selection.period.to_string(),
        as_of: selection.as_of.clone().unwrap_or_default(),
        same_night: selection.same_night(),
        is_running: selection.is_running(),
        before: selection.period.previous().map(|before| lang.period(before, Initial::Lower)).unwrap_or_default(),
        periods: selection.periods(lang),
        more: all.saturating_sub(rows.len()),
        rows,
        work,
        layout: Layout::new(&service, &visitor, name.clone(), "figures"),
        code,
        name,
    })
}

/// The headline indicators of the agency, then its other ratios that have a target.
fn ratios(service: &Service, lang: Language, selection: &Selection, tier: Option<Tier>) -> Vec<RatioRow> {
    let headlines: Vec<&str> =
        service.config.headline_indicators().iter().map(|known| known.definition.id.as_str()).collect();
    let position = |id: &str| headlines.iter().position(|known| *known == id).unwrap_or(usize::MAX);
    let own = selection.of_scope();
    let definitions = service.config.indicators.iter().map(|known| &known.definition);
    let mut found: Vec<(usize, RatioRow)> = definitions
        .filter_map(|definition| {
            let at = position(&definition.id);
            let of = |period| {
                own.iter().copied().find(|figure| *figure.indicator == *definition.id && figure.period == period)
            };
            let figure = of(selection.period).filter(|figure| figure.denominator != Some(0))?;
            let is_shown = at != usize::MAX || (figure.kind == IndicatorKind::Ratio && figure.target.is_some());
            let before = selection.period.previous().and_then(of);
            let change = before.and_then(|before| difference(figure, before));
            let change = change.map(|change| ShownChange::new(lang, figure, definition.better, change));
            is_shown.then(|| (at, row(lang, selection, definition, (figure, change), tier)))
        })
        .collect();
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, row)| row).collect()
}

fn row(
    lang: Language,
    selection: &Selection,
    definition: &IndicatorDefinition,
    (figure, change): (&Figure, Option<ShownChange>),
    tier: Option<Tier>,
) -> RatioRow {
    let night = &selection.night;
    let of_period: Vec<&Figure> = night
        .of_indicator(&definition.id)
        .iter()
        .map(|position| night.at(*position))
        .filter(|one| one.period == selection.period)
        .collect();
    let of_tier =
        tier.and_then(|tier| of_period.iter().find(|one| one.agency.is_none() && one.tier == Some(tier)).copied());
    RatioRow {
        id: definition.id.clone(),
        title: lang.of(&definition.title.vi, &definition.title.en).to_owned(),
        figure: ShownFigure::new(lang, figure),
        change,
        of_tier: of_tier.map(|one| ShownFigure::new(lang, one)),
        tier_scope: tier.map_or("", tier_scope),
        rank: rank_text(lang, definition, &of_period, figure),
        late: late(lang, selection, definition, figure),
    }
}

/// Place among the agencies of the tier, such as `3 / 98`.
fn rank_text(lang: Language, definition: &IndicatorDefinition, of_period: &[&Figure], figure: &Figure) -> String {
    let peers: Vec<&Figure> =
        of_period.iter().filter(|one| one.agency.is_some() && one.tier == figure.tier).copied().collect();
    let ranks = rank(&peers, |_| RankingRule::of(definition));
    let placed = ranks.iter().filter(|rank| matches!(rank, Some(Rank::Place(_)))).count();
    let own = peers.iter().position(|one| one.agency == figure.agency).and_then(|at| ranks[at]);
    match own {
        Some(Rank::Place(place)) => format!("{place} / {placed}"),
        Some(Rank::TooFew) => lang.of("ít hồ sơ", "too few dossiers").to_owned(),
        Some(Rank::NoDossiers) => lang.nothing_received().to_owned(),
        Some(Rank::NoData) => lang.no_data().to_owned(),
        None => String::new(),
    }
}

/// Address and number of the dossiers that keep a ratio of dossiers from being 100 %.
fn late(
    lang: Language,
    selection: &Selection,
    definition: &IndicatorDefinition,
    figure: &Figure,
) -> Option<(String, String)> {
    let missing = figure.denominator?.saturating_sub(figure.numerator).saturating_sub(figure.unknown.unwrap_or(0));
    let has_list = definition.kind == IndicatorKind::Ratio && unexplained(definition).is_none() && missing > 0;
    has_list.then(|| {
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let address = format!(
            "/figures/{}/dossiers?period={}&scope={}&side={}{}",
            encoded(&definition.id),
            selection.period,
            encoded(selection.scope_code()),
            Side::NotInNumerator.name(),
            selection.same_night()
        );
        (address, lang.number(missing))
    })
}

/// The worklists and sources; `None` if the visitor may not count them, or if they cannot be counted now, which the log has.
async fn work(service: &Service, visitor: &Visitor, selection: &Selection) -> Result<Option<Work>, PageError> {
    let (lang, now) = (visitor.lang, run::now());
    // A token that is bound to another agency sees the figures only.
    let Ok(scope) = visitor.counts_dossiers(service, selection.figure_of()) else { return Ok(None) };
    let counted = service.worklist_counts.counts(service, &selection.night, &scope, now).await;
    let Ok(counted) = counted else { return Ok(None) };
    let list = |(name, [vietnamese, english], count): &(String, [String; 2], u64)| {
        (name.clone(), lang.of(vietnamese, english).to_owned(), lang.number(*count), *count > 0)
    };
    // The health of a source concerns every agency.
    let sources = match visitor.authenticated() {
        Ok(_) => Some(sources(service, lang, &counted.sources, now).await?),
        Err(_) => None,
    };
    Ok(Some(Work { at: moment(counted.at), lists: counted.lists.iter().map(list).collect(), sources }))
}

/// The connectors that have dossiers, those that are not well first.
async fn sources(
    service: &Service,
    lang: Language,
    dossiers: &BTreeMap<String, u64>,
    now: i64,
) -> Result<Vec<(HealthRow, String)>, PageError> {
    let mut sources = Vec::new();
    for health in assess_connectors(&service.config, Some(&service.ledger), now).await? {
        if let Some(dossiers) = dossiers.get(&health.connector) {
            sources.push((HealthRow::new(service, lang, &health, now).await?, lang.number(*dossiers)));
        }
    }
    sources.sort_by_key(|(row, _)| row.order);
    Ok(sources)
}
