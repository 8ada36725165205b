//! The overview: every indicator of the newest night, for one scope and period.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use super::scope_menu::ScopeMenu;
use super::selection::{Choice, FigurePageQuery, Selection, night_summary};
use super::shown_figure::ShownFigure;
use super::trend;
use crate::locale::{Initial, Language};
use crate::model::figure::{Figure, Met};
use crate::model::indicator::IndicatorDefinition;
use crate::service::Service;
use crate::service::pages::headlines::{ShownChange, difference};
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::night_summary::NightSummary;
use crate::service::pages::page_error::PageError;
use crate::service::pages::visitor::Visitor;

#[derive(Template)]
#[template(path = "figures.html")]
struct FiguresPage<'a> {
    layout: Layout<'a>,
    night: NightSummary,
    scope: String,
    scope_code: String,
    period: String,
    period_code: String,
    as_of: String,
    same_night: String,
    is_running: bool,
    periods: Vec<(&'static str, Vec<Choice>)>,
    scopes: ScopeMenu,
    /// Number of targets that are met, still possible, not met.
    summary: [usize; 3],
    /// Number of targets of which it is not known whether they are met.
    unknown: usize,
    /// Period, scope and night of the links.
    address: String,
    headlines: Vec<IndicatorRow>,
    /// The other indicators.
    groups: Vec<DocumentGroup>,
}

/// The indicators of one legal document.
struct DocumentGroup {
    heading: String,
    rows: Vec<IndicatorRow>,
}

/// One indicator in the list.
struct IndicatorRow {
    id: String,
    title: String,
    article: String,
    rules: String,
    value: ShownFigure,
    spark: Option<String>,
    /// Since the period before.
    change: Option<ShownChange>,
    is_before_law: bool,
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<FigurePageQuery>,
) -> Result<Response, PageError> {
    visitor.may_read_figures(&service)?;
    let selection = Selection::of_page(&service, &query).await?;
    let lang = visitor.lang;
    let mut by_indicator: HashMap<&str, Vec<&Figure>> = HashMap::new();
    for figure in selection.of_scope() {
        by_indicator.entry(&figure.indicator).or_default().push(figure);
    }
    let (mut groups, mut summary, mut unknown): (Vec<DocumentGroup>, _, _) = (Vec::new(), [0; 3], 0);
    let is_headline: Vec<&str> =
        service.config.headline_indicators().iter().map(|known| known.definition.id.as_str()).collect();
    let mut headlines: Vec<(Option<usize>, IndicatorRow)> = Vec::new();
    for indicator in &service.config.indicators {
        let definition = &indicator.definition;
        let figures = by_indicator.get(definition.id.as_str()).map_or(&[][..], Vec::as_slice);
        let Some(figure) = figures.iter().find(|figure| figure.period == selection.period) else { continue };
        match figure.met() {
            Some(Met::Yes) => summary[0] += 1,
            Some(Met::Open) => summary[1] += 1,
            Some(Met::No) => summary[2] += 1,
            Some(Met::Unknown) => unknown += 1,
            None => {}
        }
        let row = row(lang, definition, figure, figures);
        let position = is_headline.iter().position(|id| *id == definition.id);
        if position.is_some() {
            headlines.push((position, row));
            continue;
        }
        let heading = heading(lang, definition);
        match groups.iter_mut().find(|group| group.heading == heading) {
            Some(group) => group.rows.push(row),
            None => groups.push(DocumentGroup { heading, rows: vec![row] }),
        }
    }
    for group in &mut groups {
        // The annex of a decision sets the targets, so its rows come first.
        group.rows.sort_by_cached_key(|row| (!row.article.starts_with("Phụ lục"), row.article.clone()));
    }
    // Documents with the most targets first, the quality of the sources last.
    let targets = |group: &DocumentGroup| group.rows.iter().filter(|row| row.value.target.is_some()).count();
    groups.sort_by_key(|group| (group.heading == lang.words().source_quality, std::cmp::Reverse(targets(group))));
    headlines.sort_by_key(|(position, _)| *position);
    let scope_code = selection.scope_code().to_owned();
    let encoded: String = url::form_urlencoded::byte_serialize(scope_code.as_bytes()).collect();
    html(&FiguresPage {
        address: format!("period={}&scope={encoded}{}", selection.period, selection.same_night()),
        headlines: headlines.into_iter().map(|(_, row)| row).collect(),
        night: night_summary(&service, &visitor, &selection).await?,
        scope: selection.scope_name(lang, &service.config.settings.province.name),
        scope_code,
        period: lang.period(selection.period, Initial::Upper),
        period_code: selection.period.to_string(),
        as_of: selection.as_of.clone().unwrap_or_default(),
        same_night: selection.same_night(),
        is_running: selection.is_running(),
        periods: selection.periods(lang),
        scopes: ScopeMenu::of_figures(&selection, lang),
        summary,
        unknown,
        groups,
        layout: Layout::new(&service, &visitor, lang.words().figures, "figures"),
    })
}

/// Heading of an indicator: its legal document, or "quality of the sources" for indicators of the sources themselves.
fn heading(lang: Language, definition: &IndicatorDefinition) -> String {
    if definition.id.starts_with("source-") {
        return lang.words().source_quality.to_owned();
    }
    definition.legal.document.clone()
}

/// `figures`: of every period, among them the shown one.
fn row(lang: Language, definition: &IndicatorDefinition, figure: &Figure, figures: &[&Figure]) -> IndicatorRow {
    let before = figure.period.previous();
    let before = figures.iter().copied().find(|one| Some(one.period) == before && one.rules == figure.rules);
    let change = before.and_then(|before| difference(figure, before));
    IndicatorRow {
        id: definition.id.clone(),
        title: lang.of(&definition.title.vi, &definition.title.en).to_owned(),
        article: definition.legal.place.clone(),
        rules: figure.rules.to_string(),
        value: ShownFigure::new(lang, figure),
        spark: trend::spark(lang, &trend::until(figures.iter().copied(), figure.period)),
        change: change.map(|change| ShownChange::new(lang, figure, definition.better, change)),
        is_before_law: figure.period.end().to_string() < definition.legal.from,
    }
}
