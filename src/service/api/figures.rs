//! `/figures`: figures of one published night, filtered and paged.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::config::Configuration;
use crate::model::agency::Tier;
use crate::model::instant;
use crate::model::period::{Period, PeriodKind, typed_day};
use crate::model::text::fold;
use crate::model::typed_moment::{MOMENT_FORMS, typed_moment};
use crate::publish;
use crate::service::Service;
use crate::service::answers::{AnswerKey, Encoding};
use crate::service::api::extract::{StrictQuery, comma_list};
use crate::service::api::figure_filter::{FigureFilter, FigureScope};
use crate::service::api::formats::{self, FigureFormat, FoundFigures};
use crate::service::caller::FigureAccess;
use crate::service::nights::LoadedNight;
use crate::service::problem::{CommonErrors, NoNight, NotFound, Problem};

/// Figures in a JSON answer if `limit` is absent.
const DEFAULT_LIMIT: u32 = 1_000;
/// Maximum of `limit`.
const MAX_LIMIT: u32 = 10_000;

/// How to write a period.
const PERIOD_FORMS: &str = "write `2026`, `2026-H1`, `2026-9M`, `2026-Q1` or `2026-03`; \
                            with `s` for the statutory period from the 15th to the 14th; \
                            years from 1990 to 2099";

/// Parameters of `GET /figures`. A figure must satisfy every filter that is given.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::service) struct FigureQuery {
    /// Identifiers of indicators.
    #[serde(deserialize_with = "comma_list")]
    #[param(style = Form, explode = false)]
    pub(in crate::service) indicator: Vec<String>,
    /// Code or name of an agency.
    pub(in crate::service) agency: Option<String>,
    /// A tier: figures of the whole tier and of its agencies.
    #[param(value_type = Option<String>)]
    pub(in crate::service) tier: Option<Tier>,
    /// Figures of the province, of whole tiers, or of agencies.
    #[param(value_type = Option<FigureScope>)]
    pub(in crate::service) scope: Option<FigureScope>,
    /// Kind of period.
    pub(in crate::service) by: Option<String>,
    /// One named period.
    pub(in crate::service) period: Option<String>,
    /// Only periods that begin on this day or later.
    #[param(value_type = Option<String>, format = Date)]
    pub(in crate::service) from: Option<String>,
    /// Only periods that end on this day or earlier.
    #[param(value_type = Option<String>, format = Date)]
    pub(in crate::service) to: Option<String>,
    /// Only figures under this rule set.
    pub(in crate::service) rules: Option<String>,
    /// Read the night of this run instead of the newest.
    #[param(minimum = 1)]
    pub(in crate::service) run: Option<i64>,
    /// Read the newest night at or before this day or moment (`2026-10-01`, `2026-10-01T06:00+07:00`). Ignored if `run` is
    /// given.
    #[param(value_type = Option<String>, format = Date)]
    pub(in crate::service) as_of: Option<String>,
    /// Overrides the header `Accept`.
    #[param(value_type = Option<FigureFormat>)]
    pub(in crate::service) format: Option<FigureFormat>,
    /// Figures in one answer, 1 to 10,000. If absent: 1,000 in JSON, all in the other formats.
    #[param(minimum = 1, maximum = 10000)]
    pub(in crate::service) limit: Option<u32>,
    /// `next` of the previous answer: continues in the same night, even if another has been published since.
    #[param(pattern = "^[1-9][0-9]{0,8}-[0-9]{1,9}-[0-9a-f]{8}$")]
    pub(in crate::service) cursor: Option<String>,
}

/// Validates a query. The error names the first unknown value and what is allowed.
fn filter_of(query: &FigureQuery, config: &Configuration, night: &LoadedNight) -> Result<FigureFilter, Problem> {
    for id in &query.indicator {
        let known = config.indicators.iter().map(|indicator| indicator.definition.id.as_str());
        if night.of_indicator(id).is_empty() && !known.clone().any(|known| known == id) {
            let known: Vec<&str> = known.collect();
            return Err(unknown("indicator", id, &format!("there are: {}", known.join(", "))));
        }
    }
    let agency = match &query.agency {
        None => None,
        Some(agency) => Some(agency_code(agency, config, night)?),
    };
    if let Some(rules) = &query.rules
        && !config.rules.contains_key(rules)
    {
        let known: Vec<&str> = config.rules.keys().map(String::as_str).collect();
        return Err(unknown("rules", rules, &format!("there are: {}", known.join(", "))));
    }
    let period = match &query.period {
        None => None,
        Some(text) => Some(named_period(text)?),
    };
    let by = match &query.by {
        None => None,
        Some(name) => Some(PeriodKind::NAMED.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let known = PeriodKind::NAMED.map(PeriodKind::name).join(", ");
            unknown("by", name, &format!("there are: {known}"))
        })?),
    };
    Ok(FigureFilter {
        indicators: query.indicator.clone(),
        agency,
        tier: query.tier,
        scope: query.scope,
        by,
        period,
        from: day("from", query.from.as_deref())?,
        to: day("to", query.to.as_deref())?,
        rules: query.rules.clone(),
    })
}

fn unknown(parameter: &str, value: &str, allowed: &str) -> Problem {
    Problem::bad_request(format!("`{parameter}`: there is no `{value}`; {allowed}"))
}

/// A named period, as the parameter `period` gives it.
pub(super) fn named_period(text: &str) -> Result<Period, Problem> {
    let named = Period::parse(text).filter(|period| period.half_months().is_some());
    named.ok_or_else(|| unknown("period", text, PERIOD_FORMS))
}

/// Code of an agency of the figures or the registry, found by code or by name, ignoring case and spacing. A name that
/// several agencies have is an error that lists their codes.
pub(super) fn agency_code(wanted: &str, config: &Configuration, night: &LoadedNight) -> Result<String, Problem> {
    if !night.of_agency(wanted).is_empty() {
        return Ok(wanted.to_owned());
    }
    let folded = fold(wanted);
    let registered = config.registries.agencies.iter().map(|agency| (agency.code.as_str(), Some(agency.name.as_str())));
    let known: Vec<(&str, Option<&str>)> = night.agencies().into_iter().chain(registered).collect();
    if let Some((code, _)) = known.iter().find(|(code, _)| fold(code) == folded) {
        return Ok((*code).to_owned());
    }
    let named = known.iter().filter(|(_, name)| name.is_some_and(|name| fold(name) == folded));
    let codes: std::collections::BTreeSet<&str> = named.map(|(code, _)| *code).collect();
    match codes.len() {
        0 => Err(unknown("agency", wanted, "give a code or a name of `/api/v1/agencies`")),
        1 => Ok(codes.into_iter().collect()),
        _ => {
            let codes: Vec<&str> = codes.into_iter().collect();
            let detail = format!("`agency`: several are called `{wanted}`: give one of the codes {}", codes.join(", "));
            Err(Problem::bad_request(detail))
        }
    }
}

fn day(parameter: &str, text: Option<&str>) -> Result<Option<Date>, Problem> {
    let hint = "write a day as yyyy-MM-dd, with a year from 1990 to 2099";
    let read = |text: &str| typed_day(text).map_err(|_| unknown(parameter, text, hint));
    text.map(read).transpose()
}

/// The night that a query selects: by cursor, run, day, or else the newest.
pub(in crate::service) async fn night_of(service: &Service, query: &FigureQuery) -> Result<Arc<LoadedNight>, Problem> {
    if query.run.is_some_and(|run| run < 1) {
        return Err(Problem::bad_request("`run`: write a number from 1"));
    }
    let run = match (&query.cursor, query.run, &query.as_of) {
        (Some(cursor), ..) => Some(read_cursor(cursor)?.0),
        (None, Some(run), _) => Some(run),
        (None, None, Some(text)) => return night_until(service, text).await,
        (None, None, None) => None,
    };
    match run {
        Some(run) => of_run(service, run).await,
        None => service.nights.newest().await?.ok_or_else(Problem::no_night),
    }
}

/// The newest night at or before a typed day or moment.
pub(in crate::service) async fn night_until(service: &Service, text: &str) -> Result<Arc<LoadedNight>, Problem> {
    let until = typed_moment(text).map_err(|message| as_of_problem(text, &message))?;
    let unreadable = |error| Problem::internal("the published nights cannot be read", &error);
    if let Some(run) = publish::run_as_of(&service.data, until).map_err(unreadable)? {
        return of_run(service, run).await;
    }
    Err(Problem::not_found(match publish::first_night(&service.data).map_err(unreadable)? {
        Some(first) => {
            format!("`as_of`: no night on or before {text}; the first is of {}", instant::display(first.as_of))
        }
        None => format!("`as_of`: no night on or before {text}"),
    }))
}

/// Why there is nothing as of what was typed: 404 for a day that can have no night, 400 for what is no day or moment.
pub(in crate::service) fn as_of_problem(text: &str, message: &str) -> Problem {
    let detail = format!("`as_of`: {message}; {MOMENT_FORMS}");
    let is_day = text.trim().len() == 10 && text.trim().parse::<jiff::civil::Date>().is_ok();
    if is_day { Problem::not_found(detail) } else { Problem::bad_request(detail) }
}

async fn of_run(service: &Service, run: i64) -> Result<Arc<LoadedNight>, Problem> {
    let missing = || Problem::not_found(format!("run {run} published no figures, or its night has been deleted"));
    service.nights.of_run(run).await?.ok_or_else(missing)
}

/// Reads a cursor: the run, the position to continue at, and the digest of the filter.
fn read_cursor(cursor: &str) -> Result<(i64, u32, &str), Problem> {
    let mut parts = cursor.splitn(3, '-');
    let mut read = || Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?));
    read().ok_or_else(|| unknown("cursor", cursor, "give `next` of the previous answer"))
}

/// Figures of a published night.
///
/// All figures of an answer are of one night, and their order within a night never changes. `next` continues in the
/// same night, even if another night is published meanwhile.
#[utoipa::path(
    get,
    path = "/figures",
    tag = "figures",
    params(FigureQuery),
    responses(
        (status = 200, description = "Figures with counts, target, completeness and the date that their data reach", content(
            (formats::FigurePage<'_> = "application/json"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.apache.parquet"),
            (Vec<u8> = "application/vnd.apache.arrow.file"),
        ), headers(("etag" = String, description = "Unchanged until another night is published"))),
        (status = 304, description = "No night was published since the answer with the `ETag` of `If-None-Match`"),
        CommonErrors,
        NotFound,
        NoNight,
    ),
    security((), ("token" = [])),
)]
pub(super) async fn figures(
    State(service): State<Arc<Service>>,
    _: FigureAccess,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<FigureQuery>,
) -> Result<Response, Problem> {
    if query.limit.is_some_and(|limit| !(1..=MAX_LIMIT).contains(&limit)) {
        return Err(Problem::bad_request(format!("`limit`: write a number from 1 to {MAX_LIMIT}")));
    }
    let night = night_of(&service, &query).await?;
    let filter = filter_of(&query, &service.config, &night)?;
    let format = query.format.unwrap_or_else(|| FigureFormat::from_accept(&headers));
    if let Some(not_modified) = formats::not_modified(&headers, &night, format) {
        return Ok(not_modified);
    }
    let digest = filter.digest();
    let start = match query.cursor.as_deref().map(read_cursor).transpose()? {
        Some((_, position, of)) if of == digest => position as usize,
        Some(_) => return Err(Problem::not_found("`cursor`: it belongs to a query with other filters")),
        None => 0,
    };
    let limit = query.limit.or((format == FigureFormat::Json).then_some(DEFAULT_LIMIT));
    let most = limit.map_or(usize::MAX, |limit| limit as usize);
    let question = format!("figures {} {start} {most} {filter:?}", format.name());
    let key = AnswerKey::new(&night.record.night, question, format.encoding(Encoding::accepted(&headers)));
    let found = || {
        let (positions, total) = filter.page(&night, start, most);
        let end = start + positions.len();
        let next = (end < total).then(|| format!("{}-{end}-{digest}", night.record.night.run));
        FoundFigures { positions, total, next }
    };
    formats::answer(&service, &night, format, key, found).await
}
