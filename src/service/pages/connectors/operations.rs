//! What an operator may do: run, retry, pause, resume. Each leads back to where it was asked for and says what was
//! done.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use serde::Deserialize;

use crate::service::Service;
use crate::service::api::connectors::{pause_connector, resume_connector};
use crate::service::api::runs::request_run;
use crate::service::pages::trouble::Trouble;
use crate::service::pages::visitor::Visitor;
use crate::service::runner::RunRequest;

/// What a form sends.
#[derive(Debug, Deserialize)]
pub(in crate::service::pages) struct Asked {
    #[serde(default)]
    csrf: String,
    /// One connector, or all where it is empty.
    #[serde(default)]
    connector: String,
}

/// The page that an operation leads back to.
fn page_of(connector: &str) -> String {
    if connector.is_empty() { "/connectors".to_owned() } else { format!("/connectors/{connector}") }
}

fn ordered(
    service: &Service,
    visitor: &Visitor,
    asked: &Asked,
    done: &str,
    what: impl FnOnce(Vec<String>) -> RunRequest,
) -> Result<Redirect, Trouble> {
    let caller = visitor.operator(&asked.csrf, "/connectors")?;
    let connectors: Vec<String> = Some(asked.connector.clone()).filter(|name| !name.is_empty()).into_iter().collect();
    let done = match request_run(service, &caller.name, connectors, what) {
        Ok(_) => done,
        Err(problem) if problem.status() == StatusCode::CONFLICT => "busy",
        Err(problem) => return Err(problem.into()),
    };
    Ok(Redirect::to(&format!("{}?done={done}", page_of(&asked.connector))))
}

pub(in crate::service::pages) async fn run(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Form(asked): Form<Asked>,
) -> Result<Redirect, Trouble> {
    ordered(&service, &visitor, &asked, "run", RunRequest::Night)
}

pub(in crate::service::pages) async fn retry(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Form(asked): Form<Asked>,
) -> Result<Redirect, Trouble> {
    ordered(&service, &visitor, &asked, "retry", RunRequest::Retry)
}

pub(in crate::service::pages) async fn pause(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(asked): Form<Asked>,
) -> Result<Redirect, Trouble> {
    let caller = visitor.operator(&asked.csrf, "/connectors")?;
    known(&service, &name)?;
    pause_connector(&service, &name, caller.name.clone()).await?;
    Ok(Redirect::to(&format!("{}?done=pause", page_of(&name))))
}

pub(in crate::service::pages) async fn resume(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(asked): Form<Asked>,
) -> Result<Redirect, Trouble> {
    let caller = visitor.operator(&asked.csrf, "/connectors")?;
    known(&service, &name)?;
    resume_connector(&service, &name, &caller.name).await?;
    Ok(Redirect::to(&format!("{}?done=resume", page_of(&name))))
}

fn known(service: &Service, name: &str) -> Result<(), Trouble> {
    let missing = || Trouble::not_found(format!("there is no connector `{name}`"));
    service.config.connector(name).map(|_| ()).ok_or_else(missing)
}
