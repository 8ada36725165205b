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
use crate::run::{self, HealthSubject, assess_connectors};
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
    undone: Option<String>,
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

/// A step as a run tells it; what is not known stays as it was told.
fn step(lang: Lang, told: &str) -> String {
    if lang == Lang::En {
        return told.to_owned();
    }
    match told.split_once(": ") {
        Some((name, "settling")) => format!("{name}: đang ghi"),
        Some((name, rest)) => {
            let rest = rest.replacen("page ", "trang ", 1).replacen(" records", " bản ghi", 1);
            format!("{name}: {}", rest.replacen(" rejected rows", " dòng bị loại", 1))
        }
        None if told == "computing figures" => "đang tính số liệu".to_owned(),
        None => told.to_owned(),
    }
}

/// What is under way, in words.
fn under_way(service: &Service, lang: Lang) -> Option<String> {
    let now = service.runner.progress()?;
    let (purpose, since) = (lang.purpose(now.purpose), moment(now.since));
    let step = if now.step.is_empty() { String::new() } else { format!(" · {}", step(lang, &now.step)) };
    Some(format!("{purpose}, {} {since}{step}", lang.words().since))
}

/// Why what was to be done last could not be done.
fn undone(service: &Service) -> Option<String> {
    service.runner.failure().map(|undone| format!("{} ({})", undone.message, moment(undone.since)))
}

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    visitor.reader()?;
    let (lang, now) = (visitor.lang, run::now());
    let standings = assess_connectors(&service.config, Some(&service.ledger), now).await?;
    let night = service.nights.newest().await?;
    let night = night.map(|night| NightLine::new(&service, lang, &night, Some(&standings)));
    let (mut connectors, mut publications) = (Vec::new(), Vec::new());
    for standing in &standings {
        let row = Row::new(&service, lang, standing, now).await?;
        match standing.kind {
            HealthSubject::Connector => connectors.push(row),
            HealthSubject::Publication => publications.push(row),
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
        undone: undone(&service),
        is_ordered: service.runner.is_requested(),
        connectors,
        publications,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_said_in_the_page_s_language() {
        assert_eq!(step(Lang::Vi, "portal-igate: page 3, 120 records"), "portal-igate: trang 3, 120 bản ghi");
        assert_eq!(step(Lang::Vi, "feedback: settling"), "feedback: đang ghi");
        assert_eq!(step(Lang::Vi, "computing figures"), "đang tính số liệu");
        assert_eq!(step(Lang::En, "feedback: settling"), "feedback: settling");
    }
}
