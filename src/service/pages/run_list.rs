//! The list of runs: when each began, how long it took, what it received, and whether it published.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::connectors::banner::{Banner, ConnectorQuery};
use super::layout::{Layout, html};
use super::page_error::PageError;
use super::visitor::Visitor;
use crate::locale::{Language, moment};
use crate::model::pull::Outcome;
use crate::run::{Pull, Run};
use crate::service::Service;

/// Runs on one page.
const LISTED: usize = 30;
/// Runs that are searched for those that failed.
const SEARCHED: i64 = 300;

/// Query of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RunListQuery {
    /// Only runs before this one; empty for the newest.
    before: String,
    /// `newest` (or empty), or `failed`: the runs that are not complete first.
    sort: String,
    /// Operation to announce, set by its redirect.
    done: String,
}

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsPage<'a> {
    layout: Layout<'a>,
    banner: Banner,
    /// The run under way, if the visitor may stop it.
    stoppable: Option<i64>,
    failed_first: bool,
    rows: Vec<RunRow>,
    /// Number before which the next page begins.
    older: Option<i64>,
    is_first: bool,
}

/// One run.
struct RunRow {
    run: i64,
    purpose: &'static str,
    started: String,
    took: String,
    /// CSS class and text of the badge.
    class: &'static str,
    state: &'static str,
    pulls: String,
    received: String,
    accepted: String,
    rejected: String,
    /// Names and titles of the connectors that were not read completely.
    not_whole: Vec<(String, String)>,
    is_fine: bool,
}

pub(super) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<RunListQuery>,
) -> Result<Response, PageError> {
    visitor.authenticated()?;
    let lang = visitor.lang;
    let bad = |detail: String| PageError::new(StatusCode::BAD_REQUEST, detail);
    let failed_first = match query.sort.as_str() {
        "" | "newest" => false,
        "failed" => true,
        other => return Err(bad(format!("`sort`: there is no `{other}`; there are: newest, failed"))),
    };
    let before = match query.before.as_str() {
        "" => None,
        text => {
            let number: Option<i64> = text.parse().ok().filter(|number| *number > 0);
            Some(
                number
                    .ok_or_else(|| bad(format!("`before`: `{text}` is no number of a run; write a number from 1")))?,
            )
        }
    };
    let most = if failed_first { SEARCHED } else { i64::try_from(LISTED).unwrap_or(i64::MAX) + 1 };
    let runs = service.ledger.runs_before(before, most).await?;
    let mut rows = Vec::new();
    for run in &runs {
        let pulls = service.ledger.pulls_of_run(run.run).await?;
        rows.push(row(&service, lang, run, &pulls));
    }
    if failed_first {
        rows.sort_by_key(|row| row.is_fine);
    }
    let is_more = rows.len() > LISTED;
    rows.truncate(LISTED);
    let mut layout = Layout::new(&service, &visitor, lang.of("Lượt chạy", "Runs"), "runs");
    let under_way = service.run_under_way().await?;
    if under_way.is_some() || service.runner.progress().is_some() {
        layout = layout.refreshed();
    }
    html(&RunsPage {
        layout,
        banner: Banner::new(&service, lang, &ConnectorQuery { done: query.done, ..ConnectorQuery::default() }),
        stoppable: under_way.filter(|_| visitor.is_operator()),
        failed_first,
        older: rows.last().map(|row| row.run).filter(|_| is_more && !failed_first),
        rows,
        is_first: before.is_none(),
    })
}

fn row(service: &Service, lang: Language, run: &Run, pulls: &[Pull]) -> RunRow {
    let sum = |of: fn(&Pull) -> u64| lang.number(pulls.iter().map(of).sum());
    let not_whole = pulls.iter().filter(|pull| pull.ended() != Some(Outcome::Complete)).map(|pull| {
        let title = service.config.connector(&pull.connector).map(|known| known.file.connector.title.clone());
        (pull.connector.clone(), title.unwrap_or_else(|| pull.connector.clone()))
    });
    let not_whole: Vec<(String, String)> = not_whole.collect();
    let words = lang.words();
    let (class, state) = match (run.finished_at, run.complete) {
        (Some(_), None) if run.stopped_by.is_some() => ("none", lang.of("Đã dừng", "Stopped")),
        (None, _) => ("running", words.not_ended_yet),
        (_, Some(true)) => ("complete", words.complete),
        (_, Some(false)) => ("incomplete", words.provisional),
        (_, None) => ("none", words.no_figures),
    };
    RunRow {
        run: run.run,
        purpose: lang.purpose(run.purpose),
        started: moment(run.started_at),
        took: run.finished_at.map_or("–".to_owned(), |finished| lang.duration(finished - run.started_at)),
        class,
        state,
        pulls: lang.number(pulls.len() as u64),
        received: sum(|pull| pull.counts.received),
        accepted: sum(|pull| pull.counts.accepted),
        rejected: sum(|pull| pull.counts.quarantined),
        is_fine: not_whole.is_empty() && run.complete != Some(false),
        not_whole,
    }
}
