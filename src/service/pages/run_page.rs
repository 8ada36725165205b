//! The page of one run, with the certificates of its pulls.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::connectors::banner::{Banner, ConnectorQuery};
use super::layout::{Layout, html};
use super::page_error::PageError;
use super::visitor::Visitor;
use crate::landing::LandedPull;
use crate::locale::{Language, explanation, moment, moment_or_dash};
use crate::model::pull::Outcome;
use crate::run::{Pull, RunError};
use crate::service::Service;

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage<'a> {
    layout: Layout<'a>,
    run: i64,
    purpose: &'static str,
    started: String,
    finished: String,
    complete: Option<bool>,
    pulls: Vec<CertifiedPull<'a>>,
    /// What the run is doing, if it is under way, and the operation just requested.
    banner: Option<Banner>,
    /// Who stopped it.
    stopped_by: Option<String>,
    /// Whether the visitor may stop it.
    can_stop: bool,
    /// The runs before and after.
    previous: Option<i64>,
    next: Option<i64>,
}

/// A pull with its certificate.
struct CertifiedPull<'a> {
    connector: String,
    title: &'a str,
    class: &'static str,
    outcome: &'static str,
    why: Option<String>,
    /// The message as the run recorded it, if `why` is a translation.
    original: Option<String>,
    /// Received = sum of the classes.
    equation: String,
    pages: String,
    declared: Option<String>,
    distinct: String,
    data_until: String,
    took: String,
    /// Label, pages, rows, declared.
    chains: Vec<[String; 4]>,
}

pub(super) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(number): Path<String>,
    Query(query): Query<ConnectorQuery>,
) -> Result<Response, PageError> {
    visitor.authenticated()?;
    let missing = || PageError::not_found(format!("there is no run `{number}`"));
    let number: i64 = number.parse().map_err(|_| missing())?;
    let run = service.ledger.run(number).await?.ok_or_else(missing)?;
    let lang = visitor.lang;
    let mut pulls = Vec::new();
    for pull in service.ledger.pulls_of_run(number).await? {
        let landed = LandedPull::new(&service.data, &pull.connector, pull.run);
        let read = tokio::task::spawn_blocking(move || landed.certificate()).await.map_err(RunError::from)?;
        let chains = read.map_err(RunError::from)?.unwrap_or_default().chains;
        let chains = chains.into_iter().map(|chain| {
            let declared = chain.declared_total.map_or("–".to_owned(), |total| lang.number(total));
            let label = if chain.label.is_empty() { "–".to_owned() } else { chain.label };
            [label, lang.number(u64::from(chain.pages)), lang.number(chain.rows), declared]
        });
        pulls.push(certified_pull(&service, lang, &pull, chains.collect()));
    }
    let mut layout = Layout::new(&service, &visitor, format!("{} {number}", lang.words().run), "runs");
    let is_under_way = service.run_under_way().await? == Some(number);
    if is_under_way {
        layout = layout.refreshed();
    }
    let previous = service.ledger.runs_before(Some(number), 1).await?.first().map(|run| run.run);
    html(&RunPage {
        layout,
        banner: Some(Banner::new(&service, lang, &query)).filter(|banner| is_under_way || banner.operation.is_some()),
        can_stop: is_under_way && visitor.is_operator(),
        stopped_by: run.stopped_by,
        previous,
        next: service.ledger.run_after(number).await?,
        run: number,
        purpose: lang.purpose(run.purpose),
        started: moment(run.started_at),
        finished: moment_or_dash(run.finished_at),
        complete: run.complete,
        pulls,
    })
}

fn certified_pull<'a>(
    service: &'a Service,
    lang: Language,
    pull: &Pull,
    chains: Vec<[String; 4]>,
) -> CertifiedPull<'a> {
    let counts = pull.counts;
    let words = lang.words();
    let parts = [
        (words.accepted, counts.accepted),
        (words.unchanged, counts.unchanged),
        (words.duplicate, counts.duplicate),
        (words.superseded, counts.superseded),
        (words.quarantined, counts.quarantined),
    ];
    let parts = parts.map(|(word, count)| format!("{} {}", word.to_lowercase(), lang.number(count))).join(" + ");
    let code = pull.reason.as_deref();
    let (why, original) = match (lang, code.and_then(explanation)) {
        (Language::Vietnamese, Some((why, _))) => (Some(why.to_owned()), pull.message.clone()),
        _ => (pull.message.clone().or_else(|| pull.reason.clone()), None),
    };
    CertifiedPull {
        title: service.config.connector(&pull.connector).map_or("", |known| &known.file.connector.title),
        connector: pull.connector.clone(),
        class: pull.ended().map_or("running", Outcome::name),
        outcome: lang.outcome(pull.ended()),
        why,
        original,
        equation: format!("{} {} = {parts}", words.received, lang.number(counts.received)),
        pages: lang.number(pull.findings.pages),
        declared: pull.findings.declared.map(|declared| lang.number(declared)),
        distinct: lang.number(pull.findings.distinct_keys),
        data_until: moment_or_dash(pull.data_until),
        took: pull.finished_at.map_or("–".to_owned(), |finished| lang.duration(finished - pull.started_at)),
        chains,
    }
}
