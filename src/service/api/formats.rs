//! Answers of `/figures` as JSON, CSV, Parquet and Arrow IPC, with the same columns in each.

use std::io::Write;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};
use serde::{Deserialize, Serialize};
use strum::VariantArray as _;
use utoipa::ToSchema;

use crate::model::instant;
use crate::publish::{self, FigureRow};
use crate::service::Service;
use crate::service::answers::{AnswerKey, Encoding, Making, StoredBody, WriteResult};
use crate::service::nights::LoadedNight;
use crate::service::problem::Problem;

/// Rows of a JSON or CSV answer that is made at once: about 70 KB.
const FEW_ROWS: usize = 100;

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

    pub(super) fn name(self) -> &'static str {
        self.into()
    }

    /// How an answer is packed: Parquet is packed by itself.
    pub(super) fn encoding(self, accepted: Encoding) -> Encoding {
        if self == Self::Parquet { Encoding::Identity } else { accepted }
    }

    /// How an answer of some rows is made; `None`: at once.
    fn making(self, rows: usize) -> Option<Making> {
        match self {
            Self::Json | Self::Csv => (rows > FEW_ROWS).then_some(Making::ByRows),
            Self::Parquet | Self::Arrow => Some(Making::Whole),
        }
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
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding, authorization, cookie"));
}

/// The figures of an answer.
#[derive(Debug)]
pub(super) struct FoundFigures {
    /// Their positions in the night.
    pub(super) positions: Vec<u32>,
    /// Number of matching figures on all pages.
    pub(super) total: usize,
    /// Cursor of the next page.
    pub(super) next: Option<String>,
}

/// Answers with figures of a night: as it was answered before, else with those that `find` finds. `total` and `next` are headers
/// in the formats other than JSON.
pub(super) async fn answer(
    service: &Service,
    night: &LoadedNight,
    format: FigureFormat,
    key: AnswerKey,
    find: impl FnOnce() -> FoundFigures,
) -> Result<Response, Problem> {
    let stored = if let Some(kept) = service.answers.kept(&key) {
        kept
    } else {
        make(service, night, format, key, find()).await?
    };
    let mut response = stored.answer()?;
    set_cache_headers(response.headers_mut(), entity_tag(night, format));
    Ok(response)
}

async fn make(
    service: &Service,
    night: &LoadedNight,
    format: FigureFormat,
    key: AnswerKey,
    found: FoundFigures,
) -> Result<Arc<StoredBody>, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(HeaderName::from_static("x-total-count"), HeaderValue::from(found.total));
    if let Some(next) = found.next.as_ref().filter(|_| format != FigureFormat::Json) {
        let next = HeaderValue::from_str(next).expect("a cursor is plain ASCII");
        headers.insert(HeaderName::from_static("x-next-cursor"), next);
    }
    let making = format.making(found.positions.len());
    let scratch = service.data.join("published");
    let made = service.answers.make_kept(key, making, headers, |out| match format {
        FigureFormat::Json => write_json(out, night, found),
        FigureFormat::Csv => write_csv(out, night, &found.positions),
        FigureFormat::Parquet => Ok(out.write_all(&publish::parquet(rows(night, &found.positions), &scratch)?)?),
        FigureFormat::Arrow => Ok(out.write_all(&publish::arrow(rows(night, &found.positions))?)?),
    });
    made.await
}

fn rows<'n>(night: &'n LoadedNight, positions: &[u32]) -> impl Iterator<Item = FigureRow<'n>> {
    positions.iter().map(move |position| FigureRow::new(night.at(*position), &night.record.night))
}

fn write_json(out: &mut (dyn Write + Send), night: &LoadedNight, found: FoundFigures) -> WriteResult {
    let record = &night.record;
    let page = FigurePage {
        run: record.night.run,
        as_of: instant::display(record.night.as_of),
        complete: record.night.complete,
        not_whole: &record.not_whole,
        data_until: record.night.data_until.map(instant::display),
        total: found.total,
        next: found.next,
        figures: rows(night, &found.positions).collect(),
    };
    Ok(serde_json::to_writer(out, &page)?)
}

fn write_csv(mut out: &mut (dyn Write + Send), night: &LoadedNight, positions: &[u32]) -> WriteResult {
    Ok(publish::csv(&mut out, rows(night, positions))?)
}
