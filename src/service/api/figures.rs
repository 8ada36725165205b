//! `/figures`: the figures of a published night, filtered.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use crate::config::Configuration;
use crate::model::agency::Tier;
use crate::model::field::fold;
use crate::model::figure::Figure;
use crate::model::period::{Period, PeriodKind};
use crate::publish;
use crate::service::Service;
use crate::service::api::formats::{self, Form};
use crate::service::api::query::{Asked, comma_list};
use crate::service::caller::FigureReader;
use crate::service::nights::PublishedNight;
use crate::service::problem::{Missing, NoNight, Problem, Refused};

/// Figures in a JSON answer where `limit` is absent.
const LIMIT: u32 = 1_000;
/// Figures in a JSON answer at most.
const MOST: u32 = 10_000;

/// What is asked for. Filters narrow each other; what is absent does not narrow.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::service) struct FigureQuery {
    /// Identifiers of indicators.
    #[serde(deserialize_with = "comma_list")]
    #[param(style = Form, explode = false)]
    pub(in crate::service) indicator: Vec<String>,
    /// Code or name of an agency: its own figures.
    pub(in crate::service) agency: Option<String>,
    /// A tier: its own figures and those of its agencies.
    #[param(value_type = Option<String>)]
    pub(in crate::service) tier: Option<Tier>,
    /// Whose figures: the province's, whole tiers', or agencies'.
    #[param(value_type = Option<Scope>)]
    pub(in crate::service) scope: Option<Scope>,
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
    /// The night of this run, in place of the newest.
    #[param(minimum = 1)]
    pub(in crate::service) run: Option<i64>,
    /// The newest night on or before this day, in place of the newest; `run` goes before it.
    #[param(value_type = Option<String>, format = Date)]
    pub(in crate::service) as_of: Option<String>,
    /// In place of the header `Accept`.
    #[param(value_type = Option<Form>)]
    pub(in crate::service) format: Option<Form>,
    /// Figures in one answer, 1 to 10,000; 1,000 in JSON and all in the other formats where it is absent.
    #[param(minimum = 1, maximum = 10000)]
    pub(in crate::service) limit: Option<u32>,
    /// `next` of the answer before: goes on in the same night, whatever was published since.
    #[param(pattern = "^[1-9][0-9]{0,8}-[0-9]{1,9}-[0-9a-f]{8}$")]
    pub(in crate::service) cursor: Option<String>,
}

/// Whose figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::service) enum Scope {
    Province,
    Tier,
    Agency,
}

impl Scope {
    fn of(figure: &Figure) -> Self {
        match (&figure.agency, figure.tier) {
            (Some(_), _) => Self::Agency,
            (None, Some(_)) => Self::Tier,
            (None, None) => Self::Province,
        }
    }
}

/// A query whose words are known.
#[derive(Debug)]
pub(in crate::service) struct Filter {
    indicators: Vec<String>,
    agency: Option<String>,
    tier: Option<Tier>,
    scope: Option<Scope>,
    by: Option<PeriodKind>,
    period: Option<Period>,
    from: Option<Date>,
    to: Option<Date>,
    rules: Option<String>,
}

impl Filter {
    /// Holds each word of a query against what there is; the first that is unknown is told, with what is allowed.
    pub(in crate::service) fn new(
        asked: &FigureQuery,
        config: &Configuration,
        night: &PublishedNight,
    ) -> Result<Self, Problem> {
        for id in &asked.indicator {
            let known = config.indicators.iter().map(|indicator| indicator.definition.id.as_str());
            if night.of_indicator(id).is_empty() && !known.clone().any(|known| known == id) {
                let known: Vec<&str> = known.collect();
                return Err(unknown("indicator", id, &format!("there are: {}", known.join(", "))));
            }
        }
        let agency = match &asked.agency {
            None => None,
            Some(agency) => Some(code_of(agency, config, night)?),
        };
        if let Some(rules) = &asked.rules
            && !config.rules.contains_key(rules)
        {
            let known: Vec<&str> = config.rules.keys().map(String::as_str).collect();
            return Err(unknown("rules", rules, &format!("there are: {}", known.join(", "))));
        }
        let period = match &asked.period {
            None => None,
            Some(text) => Some(Period::parse(text).filter(|period| period.halves().is_some()).ok_or_else(|| {
                unknown("period", text, "write `2026`, `2026-H1`, `2026-9M`, `2026-Q1` or `2026-03`; with `s` for the statutory period from the 15th to the 14th")
            })?),
        };
        let by = match &asked.by {
            None => None,
            Some(name) => Some(PeriodKind::NAMED.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
                let known = PeriodKind::NAMED.map(PeriodKind::name).join(", ");
                unknown("by", name, &format!("there are: {known}"))
            })?),
        };
        Ok(Self {
            indicators: asked.indicator.clone(),
            agency,
            tier: asked.tier,
            scope: asked.scope,
            by,
            period,
            from: day("from", asked.from.as_deref())?,
            to: day("to", asked.to.as_deref())?,
            rules: asked.rules.clone(),
        })
    }

    /// What tells one question from another.
    fn digest(&self) -> String {
        let whole = Sha256::digest(format!("{self:?}").as_bytes());
        format!("{whole:x}")[..8].to_owned()
    }

    /// Places of the figures asked for, in the order of the night.
    pub(in crate::service) fn places(&self, night: &PublishedNight) -> Vec<u32> {
        if let Some(agency) = &self.agency {
            return self.kept(night, night.of_agency(agency).iter().copied());
        }
        if self.indicators.is_empty() && matches!(self.scope, Some(Scope::Province | Scope::Tier)) {
            return self.kept(night, night.of_whole().iter().copied());
        }
        if self.indicators.is_empty() {
            let all = 0..u32::try_from(night.figures.len()).unwrap_or(u32::MAX);
            return self.kept(night, all);
        }
        let mut places: Vec<u32> =
            self.indicators.iter().flat_map(|id| self.kept(night, night.of_indicator(id).iter().copied())).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    fn kept(&self, night: &PublishedNight, places: impl Iterator<Item = u32>) -> Vec<u32> {
        places.filter(|place| self.takes(night.at(*place))).collect()
    }

    fn takes(&self, figure: &Figure) -> bool {
        (self.indicators.is_empty() || self.indicators.iter().any(|id| **id == *figure.indicator))
            && self.agency.as_deref().is_none_or(|agency| figure.agency.as_deref() == Some(agency))
            && self.tier.is_none_or(|tier| figure.tier == Some(tier))
            && self.scope.is_none_or(|scope| Scope::of(figure) == scope)
            && self.by.is_none_or(|kind| figure.period.kind() == kind)
            && self.period.is_none_or(|period| figure.period == period)
            && self.from.is_none_or(|from| figure.period.start() >= from)
            && self.to.is_none_or(|to| figure.period.end() <= to)
            && self.rules.as_deref().is_none_or(|rules| *figure.rules == *rules)
    }
}

fn unknown(parameter: &str, value: &str, allowed: &str) -> Problem {
    Problem::bad_request(format!("`{parameter}`: there is no `{value}`; {allowed}"))
}

/// The code of an agency that figures or registry know, by code or name; case and spacing do not count. A name that several have
/// is told with their codes.
fn code_of(asked: &str, config: &Configuration, night: &PublishedNight) -> Result<String, Problem> {
    let wanted = fold(asked);
    let registered = config.registries.agencies.iter().map(|agency| (agency.code.as_str(), Some(agency.name.as_str())));
    let known: Vec<(&str, Option<&str>)> = night.agencies().into_iter().chain(registered).collect();
    if let Some((code, _)) = known.iter().find(|(code, _)| fold(code) == wanted) {
        return Ok((*code).to_owned());
    }
    let named = known.iter().filter(|(_, name)| name.is_some_and(|name| fold(name) == wanted));
    let codes: std::collections::BTreeSet<&str> = named.map(|(code, _)| *code).collect();
    match codes.len() {
        0 => Err(unknown("agency", asked, "give a code or a name of `/api/v1/agencies`")),
        1 => Ok(codes.into_iter().collect()),
        _ => {
            let codes: Vec<&str> = codes.into_iter().collect();
            let detail = format!("`agency`: several are called `{asked}`: give one of the codes {}", codes.join(", "));
            Err(Problem::bad_request(detail))
        }
    }
}

fn day(parameter: &str, text: Option<&str>) -> Result<Option<Date>, Problem> {
    let read = |text: &str| text.parse().map_err(|_| unknown(parameter, text, "write a day as yyyy-MM-dd"));
    text.map(read).transpose()
}

/// The night that is asked for.
pub(in crate::service) async fn night_of(
    service: &Service,
    asked: &FigureQuery,
) -> Result<Arc<PublishedNight>, Problem> {
    if asked.run.is_some_and(|run| run < 1) {
        return Err(Problem::bad_request("`run`: write a number from 1"));
    }
    let run = match (&asked.cursor, asked.run, day("as_of", asked.as_of.as_deref())?) {
        (Some(cursor), ..) => Some(place_of(cursor)?.0),
        (None, Some(run), _) => Some(run),
        (None, None, Some(day)) => {
            let end = crate::model::instant::from_local(day.into()) + crate::model::instant::DAY_MICROS - 1;
            let run = publish::run_as_of(&service.data, end)
                .map_err(|error| Problem::internal("the published nights cannot be read", &error))?;
            return match run {
                Some(run) => of_run(service, run).await,
                None => Err(Problem::not_found(format!("`as_of`: no night is published on or before {day}"))),
            };
        }
        (None, None, None) => None,
    };
    match run {
        Some(run) => of_run(service, run).await,
        None => service.nights.newest().await?.ok_or_else(no_night),
    }
}

pub(in crate::service) fn no_night() -> Problem {
    Problem::busy("no night is published yet", 60)
}

async fn of_run(service: &Service, run: i64) -> Result<Arc<PublishedNight>, Problem> {
    let missing = || Problem::not_found(format!("run {run} published no figures, or its night is kept no more"));
    service.nights.of_run(run).await?.ok_or_else(missing)
}

/// Run, place, and the question of a cursor.
fn place_of(cursor: &str) -> Result<(i64, u32, &str), Problem> {
    let mut parts = cursor.splitn(3, '-');
    let mut read = || Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?));
    read().ok_or_else(|| unknown("cursor", cursor, "give `next` of the answer before"))
}

/// Figures of a published night.
///
/// The order is the night's own and does not change. An answer is of one night, also when another is published while it is
/// read; `next` goes on in the same night.
#[utoipa::path(
    get,
    path = "/figures",
    tag = "figures",
    params(FigureQuery),
    responses(
        (status = 200, description = "Figures, each with counts, target, completeness and how far its data reach", content(
            (formats::FigurePage<'_> = "application/json"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.apache.parquet"),
            (Vec<u8> = "application/vnd.apache.arrow.file"),
        ), headers(("etag" = String, description = "Stays the same until another night is published"))),
        (status = 304, description = "Nothing was published since the `ETag` of `If-None-Match`"),
        Refused,
        Missing,
        NoNight,
    ),
    security((), ("token" = [])),
)]
pub(super) async fn figures(
    State(service): State<Arc<Service>>,
    _: FigureReader,
    headers: HeaderMap,
    asked: Asked<FigureQuery>,
) -> Result<Response, Problem> {
    let Asked(asked) = asked;
    if asked.limit.is_some_and(|limit| !(1..=MOST).contains(&limit)) {
        return Err(Problem::bad_request(format!("`limit`: write a number from 1 to {MOST}")));
    }
    let night = night_of(&service, &asked).await?;
    let filter = Filter::new(&asked, &service.config, &night)?;
    let form = asked.format.unwrap_or_else(|| Form::accepted(&headers));
    if let Some(unchanged) = formats::unchanged(&headers, &night, form) {
        return Ok(unchanged);
    }
    let mut places = filter.places(&night);
    let total = places.len();
    let question = filter.digest();
    let start = match asked.cursor.as_deref().map(place_of).transpose()? {
        Some((_, place, of)) if of == question => place as usize,
        Some(_) => return Err(Problem::not_found("`cursor`: it goes on with another question")),
        None => 0,
    };
    places.drain(..start.min(total));
    let limit = asked.limit.or((form == Form::Json).then_some(LIMIT));
    if let Some(limit) = limit {
        places.truncate(limit as usize);
    }
    let end = start + places.len();
    let next = (end < total).then(|| format!("{}-{end}-{question}", night.record.night.run));
    formats::answer(&service, night, form, places, total, next).await
}
