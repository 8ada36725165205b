//! The start page: whether the night is whole, what is broken and whom to call, the headline ratios, the agencies that fell
//! most, and what there is to do.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::connectors::banner::{Banner, ConnectorQuery};
use super::connectors::health_row::HealthRow;
use super::figures::selection::{FigurePageQuery, Selection};
use super::figures::shown_figure::ShownFigure;
use super::headlines::{Headline, ShownChange, compared_month, compared_months, difference, headlines};
use super::layout::{Layout, html};
use super::night_summary::NightSummary;
use super::page_error::PageError;
use super::visitor::Visitor;
use crate::config::PublicPart;
use crate::indicators::FigureOf;
use crate::locale::{Initial, Language, moment};
use crate::model::figure::Figure;
use crate::model::indicator::{Better, CountedUnit, IndicatorKind};
use crate::model::instant::local;
use crate::model::period::Period;
use crate::run::{self, ConnectorHealth, assess_connectors};
use crate::service::Service;

/// Agencies that are listed as having fallen.
const MOST_FALLEN: usize = 5;
/// Least dossiers of an agency in both months: with fewer, one dossier moves a ratio by more than ten points.
const LEAST_COMPARED: u64 = 10;

#[derive(Template)]
#[template(path = "tonight.html")]
struct TonightPage<'a> {
    layout: Layout<'a>,
    banner: Banner,
    night: Option<NightSummary>,
    /// Connectors and publications that are not well, the worst first.
    broken: Vec<HealthRow>,
    /// Number of the others.
    sound: usize,
    period: String,
    months: String,
    headlines: Vec<Headline>,
    fallen: Vec<Fallen>,
    /// `None` while they cannot be counted.
    worklists: Option<Worklists>,
}

/// An agency whose ratio fell.
struct Fallen {
    code: String,
    name: String,
    id: String,
    title: String,
    then: ShownFigure,
    now: ShownFigure,
    change: ShownChange,
}

/// What there is to do in the whole province.
struct Worklists {
    at: String,
    /// Name, title, number, whether there are any.
    lists: Vec<(String, String, String, bool)>,
}

pub(super) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<ConnectorQuery>,
) -> Result<Response, PageError> {
    if visitor.caller.is_none() && service.is_public(PublicPart::Figures) {
        return Ok(Redirect::to("/figures").into_response());
    }
    // Its parts are of the whole province and of every source.
    if visitor.reader()?.unbound().is_err() {
        return Ok(Redirect::to("/worklists").into_response());
    }
    let (lang, now) = (visitor.lang, run::now());
    let subjects = assess_connectors(&service.config, Some(&service.ledger), now).await?;
    let broken = broken(&service, lang, &subjects, now).await?;
    let mut page = TonightPage {
        layout: Layout::new(&service, &visitor, lang.of("Tổng quan", "Overview"), "tonight"),
        banner: Banner::new(&service, lang, &query),
        night: None,
        sound: subjects.len() - broken.len(),
        broken,
        period: String::new(),
        months: String::new(),
        headlines: Vec::new(),
        fallen: Vec::new(),
        worklists: None,
    };
    if service.runner.progress().is_some() {
        page.layout = page.layout.refreshed();
    }
    if service.nights.newest().await?.is_some() {
        let selection = Selection::of_page(&service, &FigurePageQuery::default()).await?;
        let month = compared_month(local(selection.night.record.night.as_of).date());
        page.night = Some(NightSummary::new(&service, lang, &selection.night, Some(&subjects)));
        page.period = lang.period(selection.period, Initial::Upper);
        page.months = compared_months(lang, month);
        page.headlines = headlines(&service, lang, &selection, month);
        page.fallen = fallen(&service, lang, &selection, month);
        page.worklists = worklists(&service, &visitor, &selection, now).await;
    }
    html(&page)
}

/// The connectors and publications that are not well, the worst first.
async fn broken(
    service: &Service,
    lang: Language,
    subjects: &[ConnectorHealth],
    now: i64,
) -> Result<Vec<HealthRow>, PageError> {
    let mut broken = Vec::new();
    for health in subjects.iter().filter(|health| !health.state.is_fine()) {
        broken.push(HealthRow::new(service, lang, health, now).await?);
    }
    broken.sort_by_key(|row| row.order);
    Ok(broken)
}

/// The agencies whose headline ratios fell most from the month before, each with the ratio that fell most.
fn fallen(service: &Service, lang: Language, selection: &Selection, month: Period) -> Vec<Fallen> {
    let Some(before) = month.previous() else { return Vec::new() };
    let night = &selection.night;
    let mut falls: Vec<(f64, Fallen)> = Vec::new();
    for known in service.config.headline_indicators() {
        let definition = &known.definition;
        if definition.kind != IndicatorKind::Ratio || definition.over != CountedUnit::Dossiers {
            continue;
        }
        let of_indicator = || night.of_indicator(&definition.id).iter().map(|position| night.at(*position));
        let is_compared = |figure: &&Figure| figure.denominator.is_some_and(|whole| whole >= LEAST_COMPARED);
        let then: HashMap<&str, &Figure> = of_indicator()
            .filter(|figure| figure.period == before)
            .filter(is_compared)
            .filter_map(|figure| Some((figure.agency.as_deref()?, figure)))
            .collect();
        for now in of_indicator().filter(|figure| figure.period == month).filter(is_compared) {
            let Some(code) = now.agency.as_deref() else { continue };
            let Some(then) = then.get(code) else { continue };
            let Some(change) = difference(now, then) else { continue };
            let fall = if definition.better == Better::Higher { change } else { -change };
            if fall < 0.0 {
                let fallen = Fallen {
                    code: code.to_owned(),
                    name: now.agency_name.as_deref().unwrap_or(code).to_owned(),
                    id: definition.id.clone(),
                    title: lang.of(&definition.title.vi, &definition.title.en).to_owned(),
                    then: ShownFigure::new(lang, then),
                    now: ShownFigure::new(lang, now),
                    change: ShownChange::new(lang, now, definition.better, change),
                };
                falls.push((fall, fallen));
            }
        }
    }
    falls.sort_by(|(left, one), (right, other)| left.total_cmp(right).then_with(|| one.code.cmp(&other.code)));
    let mut listed: Vec<Fallen> = Vec::new();
    for (_, fall) in falls {
        if listed.len() < MOST_FALLEN && listed.iter().all(|known| known.code != fall.code) {
            listed.push(fall);
        }
    }
    listed
}

/// The worklists of the province; `None` if they cannot be counted now, which the log has.
async fn worklists(service: &Service, visitor: &Visitor, selection: &Selection, now: i64) -> Option<Worklists> {
    let (lang, scope) = (visitor.lang, visitor.counts_dossiers(service, FigureOf::Province).ok()?);
    let counted = service.worklist_counts.counts(service, &selection.night, &scope, now).await.ok()?;
    let list = |(name, [vietnamese, english], count): &(String, [String; 2], u64)| {
        (name.clone(), lang.of(vietnamese, english).to_owned(), lang.number(*count), *count > 0)
    };
    Some(Worklists { at: moment(counted.at), lists: counted.lists.iter().map(list).collect() })
}
