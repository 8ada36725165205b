//! The pages of figures: the newest night by scope and period, one indicator by agency, and both as files.

mod download;
mod filter;
mod one;
mod trend;

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

pub(super) use self::download::{csv, workbook};
use self::filter::{Asked, Choice, View, Whose};
pub(super) use self::one::page as indicator;
use super::connectors::NightLine;
use super::layout::{Layout, html};
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::locale::{Initial, Language, UnitSpace};
use crate::model::figure::{Figure, Met};
use crate::model::indicator::Definition;
use crate::run::{self, assess_connectors};
use crate::service::Service;

#[derive(Template)]
#[template(path = "figures.html")]
struct FiguresPage<'a> {
    layout: Layout<'a>,
    night: NightLine,
    scope: String,
    scope_word: String,
    period: String,
    period_word: String,
    is_running: bool,
    periods: Vec<(&'static str, Vec<Choice>)>,
    tiers: Vec<Choice>,
    agencies: Vec<(&'static str, Vec<Choice>)>,
    /// How many are met, still possible, not met.
    summary: [usize; 3],
    groups: Vec<Group>,
}

/// The document that asks for indicators, and how they stand.
struct Group {
    heading: String,
    rows: Vec<Row>,
}

/// One indicator in the list.
struct Row {
    id: String,
    title: String,
    article: String,
    rules: String,
    value: Shown,
    spark: Option<String>,
    is_before_law: bool,
}

/// A figure in words.
pub(super) struct Shown {
    counts: String,
    value: String,
    is_nothing: bool,
    target: Option<String>,
    met: Option<MetShown>,
    unmatched: Option<String>,
}

/// A target in words.
struct MetShown {
    class: &'static str,
    word: &'static str,
}

impl Shown {
    fn new(lang: Language, figure: &Figure) -> Self {
        let met = |met| {
            let class = match met {
                Met::Yes => "yes",
                Met::No => "no",
                Met::Open => "open",
            };
            MetShown { class, word: lang.met(met) }
        };
        Self {
            counts: lang.counts(figure).unwrap_or_default(),
            value: lang.value(figure, UnitSpace::NonBreaking),
            is_nothing: figure.value().is_none(),
            target: lang.target(figure),
            met: figure.met().map(met),
            unmatched: figure.unmatched().map(|share| lang.percent(share, UnitSpace::NonBreaking)),
        }
    }
}

pub(super) async fn overview(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    visitor.figure_reader(&service)?;
    let view = View::new(&service, &asked).await?;
    if view.whose == Whose::Everybody {
        return Err(Trouble::new(axum::http::StatusCode::BAD_REQUEST, "`scope=all` is for downloads"));
    }
    let lang = visitor.lang;
    let mut by_indicator: HashMap<&str, Vec<&Figure>> = HashMap::new();
    for figure in view.of_scope() {
        by_indicator.entry(&figure.indicator).or_default().push(figure);
    }
    let (mut groups, mut summary): (Vec<Group>, _) = (Vec::new(), [0; 3]);
    for indicator in &service.config.indicators {
        let definition = &indicator.definition;
        let figures = by_indicator.get(definition.id.as_str()).map_or(&[][..], Vec::as_slice);
        let Some(figure) = figures.iter().find(|figure| figure.period == view.period) else { continue };
        match figure.met() {
            Some(Met::Yes) => summary[0] += 1,
            Some(Met::Open) => summary[1] += 1,
            Some(Met::No) => summary[2] += 1,
            None => {}
        }
        let row = row(lang, definition, figure, &trend::until(figures.iter().copied(), view.period));
        let heading = heading(lang, definition);
        match groups.iter_mut().find(|group| group.heading == heading) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { heading, rows: vec![row] }),
        }
    }
    for group in &mut groups {
        // A decision's annex sets the targets: it stands before its other parts.
        group.rows.sort_by_cached_key(|row| (!row.article.starts_with("Phụ lục"), row.article.clone()));
    }
    // Documents with the most targets stand first, what the sources leave out last.
    let targets = |group: &Group| group.rows.iter().filter(|row| row.value.target.is_some()).count();
    groups.sort_by_key(|group| (group.heading == lang.words().source_quality, std::cmp::Reverse(targets(group))));
    html(&FiguresPage {
        night: night_line(&service, &visitor, &view).await?,
        scope: view.scope_text(lang, &service.config.settings.province.name),
        scope_word: view.scope_word().to_owned(),
        period: lang.period(view.period, Initial::Upper),
        period_word: view.period.to_string(),
        is_running: view.is_running(),
        periods: view.periods(lang),
        tiers: view.tiers(lang),
        agencies: view.agencies(lang),
        summary,
        groups,
        layout: Layout::new(&service, &visitor, lang.words().figures, "figures"),
    })
}

/// The night with the states of its connectors, for those who may know them.
async fn night_line(service: &Service, visitor: &Visitor, view: &View) -> Result<NightLine, Trouble> {
    let standings = match &visitor.caller {
        Some(_) => Some(assess_connectors(&service.config, Some(&service.ledger), run::now()).await?),
        None => None,
    };
    Ok(NightLine::new(service, visitor.lang, &view.night, standings.as_deref()))
}

/// The document that asks for an indicator; those of no document say what the sources leave out.
fn heading(lang: Language, definition: &Definition) -> String {
    if definition.id.starts_with("source-") {
        return lang.words().source_quality.to_owned();
    }
    definition.legal.document.clone()
}

fn row(lang: Language, definition: &Definition, figure: &Figure, trend: &[&Figure]) -> Row {
    Row {
        id: definition.id.clone(),
        title: lang.of(&definition.title.vi, &definition.title.en).to_owned(),
        article: definition.legal.place.clone(),
        rules: figure.rules.to_string(),
        value: Shown::new(lang, figure),
        spark: trend::spark(lang, trend),
        is_before_law: figure.period.end().to_string() < definition.legal.from,
    }
}
