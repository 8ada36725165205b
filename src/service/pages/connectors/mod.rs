//! The pages of connectors: how each stands, what its pulls did, which rows it lost, and what an operator may do.

pub(super) mod detail;
mod operations;
pub(super) mod rejected;
mod standing;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

pub(super) use self::operations::{pause, resume, retry, run};
pub(super) use self::standing::{NightLine, Row};
use super::layout::{Layout, html};
use super::trouble::Trouble;
use super::visitor::Visitor;
use super::words::{Lang, moment};
use crate::run::{self, Subject, standings};
use crate::service::Service;

/// What a page was told to say, and which part of a list it shows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    done: String,
    page: Option<usize>,
}

#[derive(Template)]
#[template(path = "connectors.html")]
struct ListPage<'a> {
    layout: Layout<'a>,
    operates: bool,
    said: Option<&'static str>,
    night: Option<NightLine>,
    under_way: Option<String>,
    is_ordered: bool,
    connectors: Vec<Row>,
    publications: Vec<Row>,
}

/// What an operation did, in words; nothing for a word that no operation says.
fn said(lang: Lang, done: &str) -> Option<&'static str> {
    let words = lang.words();
    Some(match done {
        "run" => words.done_run,
        "retry" => words.done_retry,
        "pause" => words.done_pause,
        "resume" => words.done_resume,
        "busy" => words.not_done,
        _ => return None,
    })
}

/// What is under way, in words.
fn under_way(service: &Service, lang: Lang) -> Option<String> {
    let now = service.runner.under_way()?;
    let (purpose, since) = (lang.purpose(now.purpose), moment(now.since));
    let step = match now.step.as_str() {
        "" => String::new(),
        "computing figures" => format!(" · {}", lang.of("đang tính số liệu", "computing figures")),
        step => format!(" · {step}"),
    };
    Some(format!("{purpose}, {} {since}{step}", lang.words().since))
}

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    visitor.reader()?;
    let (lang, now) = (visitor.lang, run::now());
    let standings = standings(&service.config, Some(&service.ledger), now).await?;
    let night = service.nights.newest().await?;
    let night = night.map(|night| NightLine::new(&service, lang, &night, Some(&standings)));
    let (mut connectors, mut publications) = (Vec::new(), Vec::new());
    for standing in &standings {
        let row = Row::new(&service, lang, standing, now).await?;
        match standing.kind {
            Subject::Connector => connectors.push(row),
            Subject::Publication => publications.push(row),
        }
    }
    // What needs somebody stands first; the order of the names else.
    connectors.sort_by_key(|row| row.is_fine);
    html(&ListPage {
        layout: Layout::new(&service, &visitor, lang.words().connectors, "connectors"),
        operates: visitor.operates(),
        said: said(lang, &asked.done),
        night,
        under_way: under_way(&service, lang),
        is_ordered: service.runner.is_ordered(),
        connectors,
        publications,
    })
}
