//! Figures as JSON, CSV, Parquet and Arrow IPC. The columns are the same in all of them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::model::instant;
use crate::publish::{self, FigureRow};
use crate::service::Service;
use crate::service::nights::PublishedNight;
use crate::service::problem::Problem;

/// Tables that are built at once: each holds all of its rows.
pub(in crate::service) static TABLES: Semaphore = Semaphore::const_new(2);
/// Rows of a streamed answer that are written at a time.
const CHUNK_ROWS: usize = 400;

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::service) enum Form {
    Json,
    Csv,
    Parquet,
    /// Arrow IPC file.
    Arrow,
}

impl Form {
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Arrow => "application/vnd.apache.arrow.file",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    /// The first that `Accept` names; JSON where it names none of them.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut words =
            values.flat_map(|value| value.split(',')).map(|word| word.split(';').next().unwrap_or("").trim());
        let known = [Self::Json, Self::Csv, Self::Parquet, Self::Arrow];
        let named = |word: &str| known.into_iter().find(|form| form.media_type().split(';').next() == Some(word));
        words.find_map(named).unwrap_or(Self::Json)
    }
}

/// A page of figures in JSON.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::service) struct FigurePage<'a> {
    run: i64,
    /// The moment that the figures speak of.
    #[schema(format = DateTime)]
    as_of: String,
    /// Whether every connector was read whole.
    complete: bool,
    /// Connectors that keep the night from being complete.
    not_whole: &'a [String],
    #[schema(format = DateTime)]
    data_until: Option<String>,
    /// Figures that were asked for, on all pages.
    total: usize,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
    figures: Vec<FigureRow<'a>>,
}

fn tag(night: &PublishedNight, form: Form) -> String {
    let record = &night.record.night;
    // Weak: the same figures may be sent compressed or not.
    format!("W/\"{}-{}-{}-{}\"", record.run, record.as_of, form.name(), env!("CARGO_PKG_VERSION"))
}

/// 304 where the asker has the night already.
pub(super) fn unchanged(headers: &HeaderMap, night: &PublishedNight, form: Form) -> Option<Response> {
    let tag = tag(night, form);
    let known = headers.get(header::IF_NONE_MATCH)?.to_str().ok()?;
    let same = |known: &str| known == "*" || known.trim_start_matches("W/") == tag.trim_start_matches("W/");
    if !known.split(',').any(|known| same(known.trim())) {
        return None;
    }
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    set_headers(response.headers_mut(), &tag);
    Some(response)
}

fn set_headers(headers: &mut HeaderMap, tag: &str) {
    let mut set = |name: HeaderName, value: &str| {
        headers.insert(name, HeaderValue::from_str(value).expect("tags and words are plain ASCII"));
    };
    set(header::ETAG, tag);
    set(header::CACHE_CONTROL, "private, no-cache");
    set(header::VARY, "accept, authorization, cookie");
}

/// The figures at `places`.
pub(super) async fn answer(
    service: &Service,
    night: Arc<PublishedNight>,
    form: Form,
    places: Vec<u32>,
    total: usize,
    next: Option<String>,
) -> Result<Response, Problem> {
    let tag = tag(&night, form);
    let body = match form {
        Form::Json => Body::from(json(&night, &places, total, next.clone())),
        Form::Csv => streamed(night, places),
        Form::Parquet | Form::Arrow => {
            let _table = TABLES
                .try_acquire()
                .map_err(|_| Problem::busy("two tables are being built already: try again in a moment", 2))?;
            let scratch = service.data.join("published");
            let built = tokio::task::spawn_blocking(move || {
                let rows = places.iter().map(|place| FigureRow::new(night.at(*place), &night.record.night));
                if form == Form::Parquet { publish::parquet(rows, &scratch) } else { publish::arrow(rows) }
            });
            let built = built.await.map_err(|error| Problem::internal("the table cannot be built", &error))?;
            Body::from(built.map_err(|error| Problem::internal("the table cannot be built", &error))?)
        }
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    set_headers(headers, &tag);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    let total = HeaderValue::from(total);
    headers.insert(HeaderName::from_static("x-total-count"), total);
    if let Some(next) = next.filter(|_| form != Form::Json) {
        let next = HeaderValue::from_str(&next).expect("a cursor is digits");
        headers.insert(HeaderName::from_static("x-next-cursor"), next);
    }
    Ok(response)
}

fn json(night: &PublishedNight, places: &[u32], total: usize, next: Option<String>) -> Vec<u8> {
    let record = &night.record;
    let figures = places.iter().map(|place| FigureRow::new(night.at(*place), &record.night)).collect();
    let page = FigurePage {
        run: record.night.run,
        as_of: instant::display(record.night.as_of),
        complete: record.night.complete,
        not_whole: &record.not_whole,
        data_until: record.night.data_until.map(instant::display),
        total,
        next,
        figures,
    };
    serde_json::to_vec(&page).expect("figures are plain data")
}

/// CSV of any length, written as fast as it is read. Whoever stops reading costs nothing but a connection.
fn streamed(night: Arc<PublishedNight>, places: Vec<u32>) -> Body {
    let chunks = futures::stream::unfold(Some(0), move |start| {
        let chunk = start.map(|start| chunk(&night, &places, start));
        std::future::ready(chunk)
    });
    // Fused: whoever compresses it asks once more after its end.
    Body::from_stream(chunks.fuse())
}

/// The rows from a place on, and where the next chunk starts; the first has the header.
fn chunk(night: &PublishedNight, places: &[u32], start: usize) -> (std::io::Result<Vec<u8>>, Option<usize>) {
    let end = places.len().min(start + CHUNK_ROWS);
    let rows = places[start..end].iter().map(|place| FigureRow::new(night.at(*place), &night.record.night));
    let mut bytes = Vec::with_capacity(CHUNK_ROWS * 256);
    let written = publish::csv(&mut bytes, rows);
    if start > 0 {
        let header = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        bytes.drain(..header);
    }
    (written.map(|()| bytes), (end < places.len()).then_some(end))
}
