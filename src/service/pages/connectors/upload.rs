//! Upload of a file to a connector that reads a folder: what the file holds is shown before it counts, and a person confirms it.
//! Only for logins that may operate. The access log has each upload, without the file's name, which may be that of a person.

use std::sync::Arc;

use askama::Template;
use axum::extract::multipart::{Field as PartField, MultipartError};
use axum::extract::{Form, Multipart, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::upload_words::{CheckedWords, RefusedWords, size};
use crate::model::connector::{Access, Connector};
use crate::run::{
    self, CheckedUpload, IncomingFile, RunError, UploadRefusal, discard_upload, place_upload, upload_folder,
};
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::page_error::PageError;
use crate::service::pages::visitor::Visitor;
use crate::service::problem::Problem;
use crate::service::request_limits::UPLOAD_BYTES;

/// Longest value of a field of the form that is no file.
const FIELD_BYTES: usize = 1 << 10;

#[derive(Template)]
#[template(path = "upload.html")]
struct UploadPage<'a> {
    layout: Layout<'a>,
    name: &'a str,
    title: &'a str,
    contact: &'a str,
    /// Pattern of names.
    glob: &'a str,
    most: String,
    refused: Option<RefusedWords>,
    checked: Option<CheckedWords>,
}

/// The form that confirms or discards a file.
#[derive(Debug, Deserialize)]
pub(in crate::service::pages) struct ConfirmForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    id: String,
    /// The page has shown that a file of the same name will be replaced.
    #[serde(default)]
    replaces: bool,
}

/// Whether a connector takes files.
pub(in crate::service::pages) fn takes_files(service: &Service, connector: &Connector) -> bool {
    upload_folder(&service.config, connector).is_ok()
}

fn connector_named<'s>(service: &'s Service, name: &str) -> Result<&'s Connector, PageError> {
    let missing = || PageError::not_found(RunError::no_connector(&service.config, name).to_string());
    service.config.connector(name).ok_or_else(missing)
}

/// Address of the page of a connector.
fn page_of(name: &str) -> String {
    format!("/connectors/{name}")
}

/// `GET`: the form.
pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    visitor.authenticated()?;
    let connector = connector_named(&service, &name)?;
    if !visitor.is_operator() {
        let detail = "files are uploaded in a login with the scope `operate`";
        return Err(PageError::new(StatusCode::FORBIDDEN, detail));
    }
    upload_folder(&service.config, connector).map_err(|refusal| PageError::not_found(refusal.to_string()))?;
    answer(&service, &visitor, connector, None, None)
}

fn answer(
    service: &Service,
    visitor: &Visitor,
    connector: &Connector,
    refused: Option<UploadRefusal>,
    checked: Option<CheckedUpload>,
) -> Result<Response, PageError> {
    let lang = visitor.lang;
    let Access::Files { glob, .. } = &connector.file.access else {
        return Err(PageError::not_found(UploadRefusal::NoFolder(connector.name.clone()).to_string()));
    };
    let status = match &refused {
        None => StatusCode::OK,
        Some(UploadRefusal::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
        Some(UploadRefusal::Store { .. }) => StatusCode::INTERNAL_SERVER_ERROR,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let title = format!("{}: {}", lang.of("Nạp tệp", "Upload a file"), connector.file.connector.title);
    let mut response = html(&UploadPage {
        layout: Layout::new(service, visitor, title, "connectors"),
        name: &connector.name,
        title: &connector.file.connector.title,
        contact: &connector.file.connector.contact,
        glob,
        most: size(lang, connector.file.limits.max_body_bytes.min(UPLOAD_BYTES as u64)),
        refused: refused.map(|refusal| RefusedWords::new(lang, connector, &refusal)),
        checked: checked.map(|checked| CheckedWords::new(lang, connector, checked)),
    })?;
    *response.status_mut() = status;
    Ok(response)
}

/// Records an upload in the access log and the log.
async fn record(service: &Service, caller: &Caller, connector: &str, what: &str) -> Result<(), PageError> {
    service.access.record_read(&caller.name, "page", &format!("upload {connector}: {what}"), run::now()).await?;
    tracing::info!(by = caller.name.as_str(), connector, what, "an upload");
    Ok(())
}

/// The value of a field that is no file.
async fn text_of(mut field: PartField<'_>) -> Result<String, PageError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > FIELD_BYTES {
            return Err(PageError::new(StatusCode::PAYLOAD_TOO_LARGE, "a field of the form is too long"));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes the error by value")]
fn broken(error: MultipartError) -> PageError {
    PageError::new(error.status(), error.body_text())
}

/// `POST` of the form: receives the file, and shows what it holds, or why it is refused.
pub(in crate::service::pages) async fn receive(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(name): Path<String>,
    mut form: Multipart,
) -> Result<Response, PageError> {
    let back = page_of(&name);
    let now = run::now();
    let mut csrf = String::new();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("csrf") => csrf = text_of(field).await?,
            Some("file") => {
                // The value comes before the file, so that nothing is stored for another site.
                let caller = visitor.operator(&csrf, &back)?.clone();
                let connector = connector_named(&service, &name)?;
                let checked = match received(&service, connector, field).await? {
                    Ok(file) => file.check(&service.config, connector, now).await,
                    Err(refusal) => Err(refusal),
                };
                return match checked {
                    Ok(checked) => {
                        let what = format!("checked {} rows of file {}", checked.rows, &checked.digest[..12]);
                        record(&service, &caller, &name, &what).await?;
                        answer(&service, &visitor, connector, None, Some(checked))
                    }
                    Err(refusal) => {
                        record(&service, &caller, &name, "refused").await?;
                        answer(&service, &visitor, connector, Some(refusal), None)
                    }
                };
            }
            _ => drop(text_of(field).await?),
        }
    }
    visitor.operator(&csrf, &back)?;
    let connector = connector_named(&service, &name)?;
    answer(&service, &visitor, connector, Some(UploadRefusal::Empty), None)
}

/// Receives a file. After a refusal the rest is read and dropped: a browser shows the answer only when it has sent all.
async fn received(
    service: &Service,
    connector: &Connector,
    mut field: PartField<'_>,
) -> Result<Result<IncomingFile, UploadRefusal>, PageError> {
    let file_name = field.file_name().unwrap_or_default().to_owned();
    // A form that was sent without a chosen file has a part without a name.
    let mut file = match file_name.as_str() {
        "" => Err(UploadRefusal::Empty),
        name => IncomingFile::begin(&service.config, connector, name),
    };
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        if let Ok(incoming) = &mut file
            && let Err(refusal) = incoming.write(&chunk)
        {
            file = Err(refusal);
        }
    }
    Ok(file)
}

/// `POST`: places the file in the folder of the connector.
pub(in crate::service::pages) async fn confirm(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(form): Form<ConfirmForm>,
) -> Result<Response, PageError> {
    let caller = visitor.operator(&form.csrf, &page_of(&name))?.clone();
    let connector = connector_named(&service, &name)?.clone();
    let (of, config) = (connector.clone(), Arc::clone(&service.config));
    let placed =
        tokio::task::spawn_blocking(move || place_upload(&config, &of, (&form.id, form.replaces), run::now())).await;
    match placed.map_err(|error| Problem::from(RunError::from(error)))? {
        Ok(_) => {
            record(&service, &caller, &name, "placed").await?;
            Ok(Redirect::to(&format!("{}?done=upload", page_of(&name))).into_response())
        }
        Err(refusal) => answer(&service, &visitor, &connector, Some(refusal), None),
    }
}

/// `POST`: removes a file that is not wanted after all.
pub(in crate::service::pages) async fn discard(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(form): Form<ConfirmForm>,
) -> Result<Response, PageError> {
    let caller = visitor.operator(&form.csrf, &page_of(&name))?.clone();
    let connector = connector_named(&service, &name)?.clone();
    let (of, config) = (connector.clone(), Arc::clone(&service.config));
    let discarded = tokio::task::spawn_blocking(move || discard_upload(&config, &of, &form.id, run::now())).await;
    match discarded.map_err(|error| Problem::from(RunError::from(error)))? {
        Ok(()) => {
            record(&service, &caller, &name, "discarded").await?;
            Ok(Redirect::to(&format!("{}?done=discard", page_of(&name))).into_response())
        }
        Err(refusal) => answer(&service, &visitor, &connector, Some(refusal), None),
    }
}
