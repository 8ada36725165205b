//! One indicator: its law, how it is counted, its trend, and every agency by tier.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::filter::{Asked, Choice, View, Whose};
use super::{Shown, night_line, trend};
use crate::config::Indicator;
use crate::locale::{Initial, Language, date};
use crate::model::agency::Tier;
use crate::model::field::fold;
use crate::model::figure::Figure;
use crate::model::indicator::Definition;
use crate::service::Service;
use crate::service::pages::connectors::NightLine;
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::trouble::Trouble;
use crate::service::pages::visitor::Visitor;

/// Agencies of one tier that are listed; a download has all.
const MOST: usize = 400;

#[derive(Template)]
#[template(path = "indicator.html")]
struct IndicatorPage<'a> {
    layout: Layout<'a>,
    night: NightLine,
    about: &'a Indicator,
    kind: &'static str,
    counted_by: &'static str,
    in_force: String,
    /// With its language.
    note: Option<(&'a str, &'static str)>,
    title: &'a str,
    scope: String,
    scope_word: String,
    period: String,
    period_word: String,
    is_running: bool,
    is_before_law: bool,
    by_value: bool,
    periods: Vec<(&'static str, Vec<Choice>)>,
    tiers: Vec<Choice>,
    agencies: Vec<(&'static str, Vec<Choice>)>,
    own: Option<Shown>,
    chart: Option<String>,
    groups: Vec<(&'static str, Vec<Row>)>,
}

/// One scope's figure.
struct Row {
    whose: String,
    scope_word: String,
    code: Option<String>,
    shown: Shown,
    is_chosen: bool,
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    visitor.figure_reader(&service)?;
    let about = service.config.indicators.iter().find(|indicator| indicator.definition.id == id);
    let about = about.ok_or_else(|| Trouble::not_found(format!("there is no indicator `{id}`")))?;
    let by_value = match asked.sort.as_str() {
        "" | "name" => false,
        "value" => true,
        other => {
            return Err(Trouble::new(
                StatusCode::BAD_REQUEST,
                format!("`sort`: there is no `{other}`; there are: name, value"),
            ));
        }
    };
    let view = View::new(&service, &asked).await?;
    if view.whose == Whose::Everybody {
        return Err(Trouble::new(StatusCode::BAD_REQUEST, "`scope=all` is for downloads"));
    }
    let (lang, definition) = (visitor.lang, &about.definition);
    let (mut own, mut of_period) = (Vec::new(), Vec::new());
    for figure in view.night.of_indicator(&id).iter().map(|place| view.night.at(*place)) {
        if view.takes(figure) {
            own.push(figure);
        }
        if figure.period == view.period {
            of_period.push(figure);
        }
    }
    let shown = own.iter().find(|figure| figure.period == view.period).map(|figure| Shown::new(lang, figure));
    let title = lang.of(&definition.title.vi, &definition.title.en);
    let province = &service.config.settings.province.name;
    html(&IndicatorPage {
        night: night_line(&service, &visitor, &view).await?,
        kind: lang.indicator_kind(definition.kind),
        counted_by: lang.period_column(definition.period),
        in_force: day(&definition.legal.from),
        note: note(lang, definition),
        title,
        scope: view.scope_text(lang, province),
        scope_word: view.scope_word().to_owned(),
        period: lang.period(view.period, Initial::Upper),
        period_word: view.period.to_string(),
        is_running: view.is_running(),
        is_before_law: view.period.end().to_string() < definition.legal.from,
        by_value,
        periods: view.periods(lang),
        tiers: view.tiers(lang),
        agencies: view.agencies(lang),
        own: shown,
        chart: trend::chart(lang, &trend::until(own, view.period)),
        groups: groups(lang, &view, of_period, by_value, province),
        about,
        layout: Layout::new(&service, &visitor, title, "figures"),
    })
}

/// `dd/MM/yyyy` of `yyyy-MM-dd`.
fn day(iso: &str) -> String {
    iso.parse::<jiff::civil::Date>().map_or_else(|_| iso.to_owned(), date)
}

/// The province and the tiers, then each tier's agencies, those that no registry has last.
fn groups(
    lang: Language,
    view: &View,
    figures: Vec<&Figure>,
    by_value: bool,
    province: &str,
) -> Vec<(&'static str, Vec<Row>)> {
    let (mut agencies, mut whole): (Vec<&Figure>, Vec<&Figure>) =
        figures.into_iter().partition(|figure| figure.agency.is_some());
    whole.sort_by_key(|figure| figure.tier);
    let value = |figure: &Figure| figure.value().unwrap_or(f64::NEG_INFINITY);
    agencies.sort_by_cached_key(|figure| fold(figure.agency_name.as_deref().unwrap_or_default()));
    if by_value {
        agencies.sort_by(|left, right| value(right).total_cmp(&value(left)));
    }
    let row = |figure: &Figure| {
        let word = figure.agency.as_deref().unwrap_or(figure.tier.map_or("", Tier::name));
        Row {
            whose: lang.scope(figure, province),
            scope_word: word.to_owned(),
            code: figure.agency.as_deref().map(str::to_owned),
            shown: Shown::new(lang, figure),
            is_chosen: view.takes(figure),
        }
    };
    let mut groups =
        vec![(lang.of("Toàn tỉnh và các cấp", "Province and tiers"), whole.into_iter().map(row).collect())];
    for tier in Tier::ALL.into_iter().map(Some).chain([None]) {
        let of_tier: Vec<Row> =
            agencies.iter().filter(|figure| figure.tier == tier).take(MOST).map(|figure| row(figure)).collect();
        let heading = match tier {
            Some(Tier::Province) => lang.of("Cơ quan cấp tỉnh", "Agencies of the province"),
            Some(Tier::District) => lang.of("Đơn vị cấp huyện", "District agencies"),
            Some(Tier::Commune) => lang.of("Đơn vị cấp xã", "Commune agencies"),
            None => lang.words().other_agencies,
        };
        groups.push((heading, of_tier));
    }
    groups.retain(|(_, rows): &(_, Vec<Row>)| !rows.is_empty());
    groups
}

/// How the law is read, in the page's language where it is written in it, and in which it is.
fn note(lang: Language, definition: &Definition) -> Option<(&str, &'static str)> {
    let vietnamese = definition.note_vi.as_deref().filter(|_| lang == Language::Vietnamese).map(|note| (note, "vi"));
    vietnamese.or(definition.note.as_deref().map(|note| (note, "en")))
}
