//! Answers of `/figures` as JSON, CSV, Parquet and Arrow IPC, with the same columns in each.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};
use serde::{Deserialize, Serialize};
use strum::VariantArray as _;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::model::instant;
use crate::publish::{self, FigureRow};
use crate::service::Service;
use crate::service::nights::LoadedNight;
use crate::service::problem::Problem;

/// Limits how many tables (Parquet, Arrow) are built at once, since each is built in memory as a whole.
static TABLE_SLOTS: Semaphore = Semaphore::const_new(2);
/// Rows per chunk of a streamed CSV answer.
const CHUNK_ROWS: usize = 400;

/// Format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema, strum::IntoStaticStr, strum::VariantArray)]
#[schema(as = Form)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(in crate::service) enum FigureFormat {
    Json,
    Csv,
    Parquet,
    /// Arrow IPC file.
    Arrow,
}

impl FigureFormat {
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Arrow => "application/vnd.apache.arrow.file",
        }
    }

    fn name(self) -> &'static str {
        self.into()
    }

    /// The first known media type of `Accept`, whatever its weight; JSON if there is none. (`headers` has no typed
    /// `Accept`.)
    pub(super) fn from_accept(headers: &HeaderMap) -> Self {
        let essence = |media_type: &str| media_type.split(';').next().unwrap_or_default().trim().to_owned();
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut accepted = values.flat_map(|value| value.split(',')).map(essence);
        let known = |wanted: String| Self::VARIANTS.iter().find(|format| essence(format.media_type()) == wanted);
        accepted.find_map(known).copied().unwrap_or(Self::Json)
    }
}

/// One page of figures.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::service) struct FigurePage<'a> {
    run: i64,
    /// Time as of which the figures were computed.
    #[schema(format = DateTime)]
    as_of: String,
    /// Whether every connector was read completely.
    complete: bool,
    /// Connectors that were not read completely.
    not_whole: &'a [String],
    /// Newest record date of the connector that lags most.
    #[schema(format = DateTime)]
    data_until: Option<String>,
    /// Number of matching figures on all pages.
    total: usize,
    /// Value of `cursor` for the next page; null on the last page.
    next: Option<String>,
    figures: Vec<FigureRow<'a>>,
}

/// Entity tag of a night in a format. It is weak because the same figures may be sent compressed or not.
fn entity_tag(night: &LoadedNight, format: FigureFormat) -> ETag {
    let record = &night.record.night;
    let tag = format!("W/\"{}-{}-{}-{}\"", record.run, record.as_of, format.name(), env!("CARGO_PKG_VERSION"));
    tag.parse().expect("numbers and names are plain ASCII")
}

/// Answer 304 if `If-None-Match` names the night in this format.
pub(super) fn not_modified(headers: &HeaderMap, night: &LoadedNight, format: FigureFormat) -> Option<Response> {
    let tag = entity_tag(night, format);
    if headers.typed_get::<IfNoneMatch>()?.precondition_passes(&tag) {
        return None;
    }
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    set_cache_headers(response.headers_mut(), tag);
    Some(response)
}

fn set_cache_headers(headers: &mut HeaderMap, tag: ETag) {
    headers.typed_insert(tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept, authorization, cookie"));
}

/// Answers with the figures at `positions`. `total` and `next` are headers in the formats other than JSON.
pub(super) async fn answer(
    service: &Service,
    night: Arc<LoadedNight>,
    format: FigureFormat,
    positions: Vec<u32>,
    total: usize,
    next: Option<String>,
) -> Result<Response, Problem> {
    let tag = entity_tag(&night, format);
    let body = match format {
        FigureFormat::Json => Body::from(json(&night, &positions, total, next.clone())),
        FigureFormat::Csv => streamed_csv(night, positions),
        FigureFormat::Parquet | FigureFormat::Arrow => {
            let _slot = TABLE_SLOTS
                .try_acquire()
                .map_err(|_| Problem::busy("two tables are being built already; try again in a moment", 2))?;
            let scratch = service.data.join("published");
            let built = tokio::task::spawn_blocking(move || {
                let rows = positions.iter().map(|position| FigureRow::new(night.at(*position), &night.record.night));
                if format == FigureFormat::Parquet { publish::parquet(rows, &scratch) } else { publish::arrow(rows) }
            });
            let built = built.await.map_err(|error| Problem::internal("the table cannot be built", &error))?;
            Body::from(built.map_err(|error| Problem::internal("the table cannot be built", &error))?)
        }
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    set_cache_headers(headers, tag);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(HeaderName::from_static("x-total-count"), HeaderValue::from(total));
    if let Some(next) = next.filter(|_| format != FigureFormat::Json) {
        let next = HeaderValue::from_str(&next).expect("a cursor is plain ASCII");
        headers.insert(HeaderName::from_static("x-next-cursor"), next);
    }
    Ok(response)
}

fn json(night: &LoadedNight, positions: &[u32], total: usize, next: Option<String>) -> Vec<u8> {
    let record = &night.record;
    let figures = positions.iter().map(|position| FigureRow::new(night.at(*position), &record.night)).collect();
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
    serde_json::to_vec(&page).expect("figures serialize to JSON")
}

/// CSV of any length, produced chunk by chunk as the client reads it.
fn streamed_csv(night: Arc<LoadedNight>, positions: Vec<u32>) -> Body {
    let chunks = futures::stream::unfold(Some(0), move |start| {
        let chunk = start.map(|start| chunk(&night, &positions, start));
        std::future::ready(chunk)
    });
    // Fused, because the compression layer polls once more after the end.
    Body::from_stream(chunks.fuse())
}

/// One chunk of rows from `start`, and the start of the next chunk. Only the first chunk has the header line.
fn chunk(night: &LoadedNight, positions: &[u32], start: usize) -> (std::io::Result<Vec<u8>>, Option<usize>) {
    let end = positions.len().min(start + CHUNK_ROWS);
    let rows = positions[start..end].iter().map(|position| FigureRow::new(night.at(*position), &night.record.night));
    let mut bytes = Vec::with_capacity(CHUNK_ROWS * 256);
    let written = publish::csv(&mut bytes, rows);
    if start > 0 {
        let header = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        bytes.drain(..header);
    }
    (written.map(|()| bytes), (end < positions.len()).then_some(end))
}
