//! Answers with lists: JSON, CSV for programs, and workbooks; and the parameters that they share.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use strum::VariantArray as _;
use utoipa::ToSchema;

use crate::indicators::FigureOf;
use crate::lists;
use crate::locale::{Language, moment};
use crate::model::agency::Tier;
use crate::model::figure::Night;
use crate::model::list::List;
use crate::service::Service;
use crate::service::answers::{Encoding, Making, MakingPermit};
use crate::service::api::extract::check_up_to;
use crate::service::api::figures::agency_code;
use crate::service::nights::LoadedNight;
use crate::service::problem::Problem;

/// Rows in a JSON answer if `limit` is absent.
const LIMIT: u32 = 100;
/// Maximum of `limit`, and rows in the other formats if it is absent.
const MAX_LIMIT: u32 = 10_000;
/// Most rows of a JSON answer that is made at once.
const FEW_ROWS: u32 = 1_000;

/// Format of an answer with a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema, strum::VariantArray)]
#[schema(as = ListForm)]
#[serde(rename_all = "snake_case")]
pub(super) enum ListFormat {
    Json,
    Csv,
    /// Workbook, in Vietnamese.
    Xlsx,
}

impl ListFormat {
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// The format of the parameter, else the first known media type of `Accept`, else JSON.
    fn of(parameter: Option<Self>, headers: &HeaderMap) -> Self {
        let essence = |media_type: &str| media_type.split(';').next().unwrap_or_default().trim().to_owned();
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut accepted = values.flat_map(|value| value.split(',')).map(essence);
        let known = |wanted: String| Self::VARIANTS.iter().find(|format| essence(format.media_type()) == wanted);
        parameter.or_else(|| accepted.find_map(known).copied()).unwrap_or(Self::Json)
    }

    /// The rows of an answer: those of the parameter, else 100 in JSON and 10,000 in the other formats.
    fn limit(self, parameter: Option<u32>) -> Result<u32, Problem> {
        let limit = parameter.unwrap_or(if self == Self::Json { LIMIT } else { MAX_LIMIT });
        check_up_to("limit", limit, MAX_LIMIT).map(|()| limit)
    }
}

/// What an answer with a list will be: its format, its rows, and the right to make it if it is large.
pub(super) struct ListForm {
    format: ListFormat,
    /// Most rows of the list.
    pub(super) limit: u32,
    encoding: Encoding,
    /// `None` if it is made at once.
    permit: Option<MakingPermit>,
}

impl ListForm {
    /// `format` and `limit`: the parameters. Waits until a large answer may be made, before its rows are read.
    ///
    /// # Errors
    /// 400 for a limit that is none; 503 if others take too long.
    pub(super) async fn new(
        service: &Service,
        headers: &HeaderMap,
        format: Option<ListFormat>,
        limit: Option<u32>,
    ) -> Result<Self, Problem> {
        let format = ListFormat::of(format, headers);
        let limit = format.limit(limit)?;
        let is_large = format != ListFormat::Json || limit > FEW_ROWS;
        let permit = if is_large { Some(service.answers.permit(Making::FromTables).await?) } else { None };
        Ok(Self { format, limit, encoding: Encoding::accepted(headers), permit })
    }
}

/// What is above the list of a workbook, and its name.
pub(super) struct ListHead {
    /// ASCII, without an ending.
    pub(super) file_name: String,
    pub(super) title: String,
    pub(super) about: Vec<(&'static str, String)>,
}

impl ListHead {
    /// `file_name`: signs other than ASCII letters, digits and points become dashes.
    pub(super) fn new(file_name: &str, title: String, about: Vec<(&'static str, String)>) -> Self {
        let plain = |sign: char| if sign.is_ascii_alphanumeric() || sign == '.' { sign } else { '-' };
        Self { file_name: file_name.chars().map(plain).collect(), title, about }
    }
}

/// An answer in its form. `total`: rows on all pages; in CSV and XLSX the header `X-Total-Count`, in a workbook also above the list
/// if it has fewer.
pub(super) fn answer(
    service: &Service,
    form: ListForm,
    json: &impl Serialize,
    (list, total): (List, u64),
    head: ListHead,
    night: &Night,
) -> Result<Response, Problem> {
    let ListForm { format, encoding, permit, .. } = form;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    if format != ListFormat::Json {
        headers.insert(HeaderName::from_static("x-total-count"), HeaderValue::from(total));
    }
    if format == ListFormat::Xlsx {
        let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{}.xlsx\"", head.file_name));
        headers.insert(header::CONTENT_DISPOSITION, disposition.expect("the name is plain ASCII"));
    }
    let Some(permit) = permit else {
        let bytes = serde_json::to_vec(json);
        let bytes = bytes.map_err(|error| Problem::internal("the answer cannot be written", &error))?;
        let mut response = Response::new(Body::from(bytes));
        *response.headers_mut() = headers;
        return Ok(response);
    };
    // A workbook is packed by itself.
    let encoding = if format == ListFormat::Xlsx { Encoding::Identity } else { encoding };
    let made = service.answers.make(permit, (encoding, headers), |out| match format {
        ListFormat::Json => Ok(serde_json::to_writer(out, json)?),
        ListFormat::Csv => Ok(lists::csv(&list, out)?),
        ListFormat::Xlsx => {
            let mut about = head.about;
            let cut = lists::cut_note(Language::Vietnamese, list.rows.len() as u64, total);
            about.extend(cut.map(|cut| ("Số dòng", cut)));
            about.push(("Tính lúc", format!("{}; lượt {}", moment(night.as_of), night.run)));
            Ok(lists::workbook(&list, (&head.title, &about), night.as_of, (&service.data, out))?)
        }
    });
    made?.answer()
}

/// The scope that `agency` and `tier` name; `None` if neither is given.
pub(super) fn wanted_scope(
    service: &Service,
    night: &LoadedNight,
    (agency, tier): (Option<&str>, Option<Tier>),
) -> Result<Option<FigureOf>, Problem> {
    match (agency, tier) {
        (Some(_), Some(_)) => {
            Err(Problem::not_found("no figure is of an agency and of a tier: give `agency` or `tier`"))
        }
        (Some(agency), None) => Ok(Some(FigureOf::Agency(agency_code(agency, &service.config, night)?))),
        (None, tier) => Ok(tier.map(FigureOf::Tier)),
    }
}

/// A value of an enum by its name; the error names the parameter and what is allowed.
pub(super) fn named<T: strum::IntoEnumIterator + Copy>(
    parameter: &str,
    text: Option<&str>,
    name: fn(T) -> &'static str,
) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    T::iter().find(|one| name(*one) == text).map(Some).ok_or_else(|| {
        let known: Vec<&str> = T::iter().map(name).collect();
        Problem::bad_request(format!("`{parameter}`: there is no `{text}`; there are: {}", known.join(", ")))
    })
}
