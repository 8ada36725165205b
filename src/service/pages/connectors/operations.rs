//! Operations of an operator: run, stop, retry, pause, resume. Each redirects back to the page of its button, which announces
//! it.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use serde::Deserialize;

use crate::run::{RunError, now};
use crate::service::Service;
use crate::service::api::connectors::{pause_connector, resume_connector};
use crate::service::api::runs::request_run;
use crate::service::pages::page_error::PageError;
use crate::service::pages::visitor::Visitor;
use crate::service::runner::RunRequest;

/// Fields of an operation's form.
#[derive(Debug, Deserialize)]
pub(in crate::service::pages) struct OperationForm {
    #[serde(default)]
    csrf: String,
    /// One connector; empty for all.
    #[serde(default)]
    connector: String,
}

/// Page that an operation redirects to.
fn page_of(connector: &str) -> String {
    if connector.is_empty() { "/connectors".to_owned() } else { format!("/connectors/{connector}") }
}

/// Requests a run. The redirect announces `done`, or `busy` if a run is under way or requested already.
fn request(
    service: &Service,
    visitor: &Visitor,
    form: &OperationForm,
    done: &str,
    request: impl FnOnce(Vec<String>) -> RunRequest,
) -> Result<Redirect, PageError> {
    let caller = visitor.operator(&form.csrf, "/connectors")?;
    let connectors: Vec<String> = Some(form.connector.clone()).filter(|name| !name.is_empty()).into_iter().collect();
    let done = match request_run(service, &caller.name, connectors, request) {
        Ok(_) => done,
        Err(problem) if problem.status() == StatusCode::CONFLICT => "busy",
        Err(problem) => return Err(problem.into()),
    };
    Ok(Redirect::to(&format!("{}?done={done}", page_of(&form.connector))))
}

pub(in crate::service::pages) async fn run(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Form(form): Form<OperationForm>,
) -> Result<Redirect, PageError> {
    request(&service, &visitor, &form, "run", RunRequest::Night)
}

pub(in crate::service::pages) async fn retry(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Form(form): Form<OperationForm>,
) -> Result<Redirect, PageError> {
    request(&service, &visitor, &form, "retry", RunRequest::Retry)
}

/// Fields of the form that stops a run.
#[derive(Debug, Deserialize)]
pub(in crate::service::pages) struct StopForm {
    #[serde(default)]
    csrf: String,
    /// Number of the run that was under way when the page was made.
    run: i64,
}

/// Asks that a run be stopped. The redirect announces `stop`, or `ended` if it is under way no more, even if one of another verb is.
pub(in crate::service::pages) async fn stop(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Form(form): Form<StopForm>,
) -> Result<Redirect, PageError> {
    let caller = visitor.operator(&form.csrf, "/runs")?;
    let run = form.run;
    let can_be_stopped = service.can_be_stopped(run).await?;
    if can_be_stopped {
        service.ledger.ask_to_stop(run, &caller.name, now()).await?;
        tracing::info!(run, by = caller.name, "the run under way was asked to stop");
    }
    Ok(Redirect::to(&format!("/runs/{run}?done={}", if can_be_stopped { "stop" } else { "ended" })))
}

pub(in crate::service::pages) async fn pause(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(form): Form<OperationForm>,
) -> Result<Redirect, PageError> {
    let caller = visitor.operator(&form.csrf, "/connectors")?;
    require_known(&service, &name)?;
    pause_connector(&service, &name, caller.name.clone()).await?;
    Ok(Redirect::to(&format!("{}?done=pause", page_of(&name))))
}

pub(in crate::service::pages) async fn resume(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(form): Form<OperationForm>,
) -> Result<Redirect, PageError> {
    let caller = visitor.operator(&form.csrf, "/connectors")?;
    require_known(&service, &name)?;
    resume_connector(&service, &name, &caller.name).await?;
    Ok(Redirect::to(&format!("{}?done=resume", page_of(&name))))
}

fn require_known(service: &Service, name: &str) -> Result<(), PageError> {
    let missing = || PageError::not_found(RunError::no_connector(&service.config, name).to_string());
    service.config.connector(name).map(|_| ()).ok_or_else(missing)
}
