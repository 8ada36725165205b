//! Faults of the portal's answers: which page is sent, what its records contain, and how the bytes are sent.
#![expect(clippy::disallowed_methods, reason = "edge: a `Retry-After` date counts from the caller's clock")]

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::io::{self, Write as _};
use std::sync::OnceLock;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use crate::simulator::faults::Fault;
use crate::simulator::listing::{ListedDossier, SearchPage, SearchQuery};
use crate::simulator::render::status_name;
use crate::simulator::working_days::AHEAD_SECS;
use crate::simulator::{Province, file_encodings};

/// First integer that a double cannot represent.
const ABOVE_DOUBLES: u64 = (1 << 53) + 1;
/// Most dossiers of a page with the fault `capped-pages`.
const SERVED_SIZE: usize = 3;
const JSON: &str = "application/json;charset=UTF-8";
const LOGIN_PAGE: &str = "<!DOCTYPE html><html><body><form action=\"/login\">Đăng nhập</form></body></html>";

/// The portal's current fault, and counts of requests since it was set.
#[derive(Debug)]
pub(super) struct FaultState {
    pub(super) fault: Option<Fault>,
    /// Target of redirects to another host.
    pub(super) redirect_target: String,
    /// Answers with dossiers since the fault was set.
    answers: usize,
    searches: usize,
    token_requests: usize,
    /// Whether a record has moved to the end of the list.
    moved: bool,
}

impl FaultState {
    pub(super) fn new(fault: Option<Fault>, redirect_target: String) -> Self {
        Self { fault, redirect_target, answers: 0, searches: 0, token_requests: 0, moved: false }
    }

    /// Answer that replaces the token endpoint's own; `None` if the fault does not affect it.
    pub(super) fn token(&mut self) -> Option<Response> {
        self.token_requests += 1;
        match self.fault? {
            Fault::TokenPage => Some(login_page("text/html;charset=UTF-8")),
            Fault::TokenUnavailableOnce if self.token_requests == 1 => {
                Some(StatusCode::SERVICE_UNAVAILABLE.into_response())
            }
            Fault::RedirectToken => {
                let place = format!("{}/token", self.redirect_target);
                Some((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response())
            }
            _ => None,
        }
    }

    /// The page that is sent, which may be another one than requested.
    pub(super) fn page<'a>(
        &mut self,
        found: impl Iterator<Item = ListedDossier<'a>>,
        query: &SearchQuery,
    ) -> SearchPage<'a> {
        let (requested, size) = (query.page, query.size);
        let mut lines: Vec<ListedDossier<'a>> = found.collect();
        if matches!(self.fault, Some(Fault::DeclaredTotal | Fault::MovingWithTotal)) {
            keep_newest_copies(&mut lines);
        }
        let pages = lines.len().div_ceil(size);
        self.searches += 1;
        match self.fault {
            Some(Fault::MovingRecords | Fault::MovingWithTotal) => self.moved |= requested > 0,
            Some(Fault::RestlessRecords) if !lines.is_empty() => {
                let by = self.searches % lines.len();
                lines.rotate_left(by);
            }
            _ => {}
        }
        if self.moved && !lines.is_empty() {
            lines.rotate_left(1);
        }
        let number = match self.fault {
            Some(Fault::DuplicatePage) => requested.saturating_sub(1),
            Some(Fault::RepeatedPage | Fault::RenumberedPage) => 0,
            Some(Fault::SkippedPage) if requested == 1 && pages > 2 => 2,
            _ => requested,
        };
        let total = lines.len();
        let mut page = SearchPage::cut(lines.into_iter(), number, size);
        match self.fault {
            Some(Fault::DeclaredTotal | Fault::MovingWithTotal) => page.total = Some(total),
            Some(Fault::DuplicatePage) => {
                page.number = requested;
                page.last &= requested > 0 || pages < 2;
            }
            Some(Fault::RepeatedPage) => page.last = pages < 2,
            Some(Fault::RenumberedPage) => {
                page.number = requested;
                page.last = pages < 2;
            }
            Some(Fault::CappedPages) => page.lines.truncate(SERVED_SIZE),
            Some(Fault::NeverLast) => page.last = false,
            _ => {}
        }
        page
    }

    /// The fault as it applies to this answer. Counts the answer.
    pub(super) fn next_answer(&mut self, page: &SearchPage<'_>) -> FaultyAnswer {
        let number = self.answers;
        let has_dossiers = !page.lines.is_empty();
        self.answers += usize::from(has_dossiers);
        FaultyAnswer {
            fault: self.fault,
            has_dossiers,
            second: has_dossiers && number == 1,
            third: has_dossiers && number == 2,
            later: has_dossiers && number >= 1,
            redirect_target: self.redirect_target.clone(),
        }
    }
}

/// The portal's fault, and the position of one answer among those with dossiers.
#[derive(Debug)]
pub(super) struct FaultyAnswer {
    fault: Option<Fault>,
    has_dossiers: bool,
    second: bool,
    third: bool,
    /// The second answer or a later one.
    later: bool,
    redirect_target: String,
}

impl FaultyAnswer {
    /// The refusal of a token that was revoked in the meantime; `None` if the fault revokes none.
    pub(super) fn refusal(&self) -> Option<Response> {
        let refused = |status: StatusCode, error: &str| Some((status, Json(json!({"error": error}))).into_response());
        match self.fault.filter(|_| self.second)? {
            Fault::TokenRevoked => refused(StatusCode::UNAUTHORIZED, "Unauthorized"),
            Fault::TokenExpired403 => refused(StatusCode::FORBIDDEN, "token expired"),
            _ => None,
        }
    }

    /// Builds the response.
    pub(super) async fn respond(self, province: &Province, page: &SearchPage<'_>) -> Response {
        let body = page.body(province);
        let Some(fault) = self.fault else { return json_answer(body) };
        if self.later && fault == Fault::Silence {
            // Waits until the caller closes the connection.
            std::future::pending::<()>().await;
        }
        if let Some(response) = self.without_dossiers(fault) {
            return response;
        }
        let body = self.with_faulty_records(fault, &body, province, page);
        self.send(fault, body)
    }

    /// A response without dossiers; `None` if the fault leaves the dossiers in.
    fn without_dossiers(&self, fault: Fault) -> Option<Response> {
        let wait = |seconds: String| (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds)]).into_response();
        let response = match fault {
            Fault::RateLimitedSeconds if self.second => wait("1".to_owned()),
            Fault::RateLimitedDate if self.second => wait(in_two_seconds()),
            Fault::RateLimitedForHours => wait("7200".to_owned()),
            Fault::UnavailableTwice if self.second || self.third => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Fault::Unavailable => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Fault::EmptyBody if self.later => json_answer(String::new()),
            Fault::ZippedBomb if self.later => {
                static BOMB: OnceLock<Bytes> = OnceLock::new();
                let bomb = BOMB.get_or_init(|| Bytes::from(file_encodings::gzip_bomb())).clone();
                ([(header::CONTENT_TYPE, JSON), (header::CONTENT_ENCODING, "gzip")], bomb).into_response()
            }
            Fault::ManyRecords if self.later => {
                static RECORDS: OnceLock<Bytes> = OnceLock::new();
                let packed = RECORDS.get_or_init(|| Bytes::from(many_records())).clone();
                ([(header::CONTENT_TYPE, JSON), (header::CONTENT_ENCODING, "gzip")], packed).into_response()
            }
            Fault::NotReadyOnce if self.second => {
                (StatusCode::ACCEPTED, [(header::RETRY_AFTER, "1")], json_answer("{\"content\":[]}".to_owned()))
                    .into_response()
            }
            Fault::NoContent if self.later => StatusCode::NO_CONTENT.into_response(),
            Fault::LoginPage if self.later => login_page("text/html;charset=UTF-8"),
            Fault::LoginPageAsJson if self.later => login_page(JSON),
            Fault::RedirectElsewhere if self.later => {
                (StatusCode::FOUND, [(header::LOCATION, format!("{}/login", self.redirect_target))]).into_response()
            }
            Fault::FailureInside if self.later => {
                json_answer(json!({"status": 500, "message": "Internal Server Error"}).to_string())
            }
            _ => return None,
        };
        Some(response)
    }

    /// The body with the fault in its records.
    fn with_faulty_records(&self, fault: Fault, body: &str, province: &Province, page: &SearchPage<'_>) -> String {
        if fault == Fault::HalfSurrogate {
            return body.replace("Nguyễn Văn Mẫu", "Nguyễn Văn \\ud83d");
        }
        let mut answer: Value = serde_json::from_str(body).expect("the portal writes JSON");
        match fault {
            Fault::NoLastFlag => drop(answer.as_object_mut().and_then(|answer| answer.remove("last"))),
            Fault::NullList if !self.has_dossiers => answer["content"] = Value::Null,
            Fault::NullPage if self.second => {
                answer["content"] = Value::Null;
                answer["last"] = Value::Bool(true);
            }
            Fault::NullMiddle if self.later => {
                answer["content"] = Value::Null;
                answer["last"] = Value::Bool(false);
            }
            Fault::LooseTypes => answer["last"] = Value::String(answer["last"].to_string()),
            _ => {}
        }
        let ids: HashMap<[u8; 12], u64> = match fault {
            Fault::BigIds => province.dossiers.iter().map(|dossier| dossier.id).zip(ABOVE_DOUBLES..).collect(),
            _ => HashMap::new(),
        };
        let records = answer["content"].as_array_mut().map_or(&mut [][..], Vec::as_mut_slice);
        for (record, (dossier, shown)) in records.iter_mut().zip(&page.lines) {
            let record = record.as_object_mut().expect("records are objects");
            match fault {
                Fault::BigIds => drop(record.insert("id".to_owned(), ids[&dossier.id].into())),
                Fault::WrongTypes => accepted_in_millis(record, shown.accepted),
                Fault::WrongTypesOnce if self.second => accepted_in_millis(record, shown.accepted),
                Fault::NamesInLanguages => names_in_languages(record),
                Fault::YearOne => absent_dates_in_year_one(record),
                Fault::BuddhistYears if self.second => dates_of_another_calendar(record),
                Fault::NewField => {
                    record.insert("digital".to_owned(), json!({"signed": [true, null, {"by": 1.5}], "id": "x"}));
                    record.insert("attachments".to_owned(), json!([[], {}, "a"]));
                }
                Fault::PersonalKeys => {
                    for key in ["Nguyễn Văn Mẫu", "mau@example.vn", "0900.000.001"] {
                        record.insert(key.to_owned(), json!(1));
                    }
                }
                Fault::MissingField => drop(record.remove("procedure")),
                Fault::MissingDate => drop(record.remove("acceptedDate")),
                _ => {}
            }
        }
        answer.to_string()
    }

    /// The response with the fault in its bytes.
    fn send(&self, fault: Fault, body: String) -> Response {
        let length = body.len();
        let half = Bytes::copy_from_slice(&body.as_bytes()[..length / 2]);
        match fault {
            Fault::CutShort | Fault::Reset if self.second => broken_off(half, length),
            Fault::CutShortAlways | Fault::ResetAlways if self.later => broken_off(half, length),
            Fault::WrongLength if self.later => ([(header::CONTENT_TYPE, JSON)], half).into_response(),
            Fault::OneByteASecond if self.later => {
                let bytes = stream::iter(body.into_bytes()).then(|byte| async move {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    Ok::<_, Infallible>(Bytes::copy_from_slice(&[byte]))
                });
                with_length(length, Body::from_stream(bytes))
            }
            Fault::EndlessBody if self.later => {
                let spaces = stream::repeat(Bytes::from(vec![b' '; 1 << 16]));
                let bytes = stream::iter([Bytes::from(body)]).chain(spaces).map(Ok::<_, Infallible>);
                ([(header::CONTENT_TYPE, JSON)], Body::from_stream(bytes)).into_response()
            }
            Fault::InvalidUtf8 if self.later => {
                let mut bytes = body.into_bytes();
                let within = bytes.windows(8).position(|text| text == b"\"name\":\"").map_or(0, |at| at + 8);
                bytes.insert(within, 0xff);
                ([(header::CONTENT_TYPE, JSON)], bytes).into_response()
            }
            Fault::PartialContent if self.later => {
                let range = [(header::CONTENT_RANGE, "items 0-6/1000000")];
                (StatusCode::PARTIAL_CONTENT, range, json_answer(body)).into_response()
            }
            Fault::OtherCoding if self.later => ([(header::CONTENT_ENCODING, "br")], json_answer(body)).into_response(),
            Fault::LooseTypes => {
                ([(header::CONTENT_ENCODING, "x-gzip")], json_answer_of(packed(body.as_bytes()))).into_response()
            }
            _ => json_answer(body),
        }
    }
}

/// Removes the older copy of each dossier that is listed twice: a declared total counts dossiers.
fn keep_newest_copies(lines: &mut Vec<ListedDossier<'_>>) {
    let mut listed = HashSet::new();
    lines.reverse();
    lines.retain(|(dossier, _)| listed.insert(dossier.id));
    lines.reverse();
}

/// Writes names as lists by language, and adds ten to the number of the status.
fn names_in_languages(record: &mut serde_json::Map<String, Value>) {
    let in_languages = |name: &Value| json!([{"languageId": 46, "name": "…"}, {"languageId": 228, "name": name}]);
    if let Some(number) = record["dossierStatus"].as_u64() {
        record["dossierStatus"] = json!({"id": number, "name": status_name(number)});
    }
    for field in ["applyMethod", "dossierReceivingKind", "procedureLevel", "dossierStatus"] {
        if let Some(name) = record[field].get("name").cloned() {
            record[field]["name"] = in_languages(&name);
        }
    }
    let number = record["dossierStatus"]["id"].as_u64().unwrap_or_default();
    record["dossierStatus"]["id"] = Value::from(number + 10);
}

/// A slice of nine million empty records, as gzip.
fn many_records() -> Vec<u8> {
    packed(format!("{{\"content\":[{{}}{}],\"last\":true}}", ",{}".repeat(9_000_000)).as_bytes())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).and_then(|()| packer.finish()).expect("memory takes everything")
}

fn accepted_in_millis(record: &mut serde_json::Map<String, Value>, accepted: Option<i64>) {
    if record["acceptedDate"].is_string()
        && let Some(accepted) = accepted
    {
        record.insert("acceptedDate".to_owned(), ((accepted - AHEAD_SECS) * 1000).into());
    }
}

/// The keys of a record's dates.
const DATES: [&str; 5] = ["appliedDate", "acceptedDate", "appointmentDate", "completedDate", "returnedDate"];

fn absent_dates_in_year_one(record: &mut serde_json::Map<String, Value>) {
    for key in DATES {
        let date = record.entry(key).or_insert(Value::Null);
        if date.is_null() {
            *date = "0001-01-01T00:00:00.000+0000".into();
        }
    }
}

/// Adds 543 years, by which the Buddhist calendar is ahead.
fn dates_of_another_calendar(record: &mut serde_json::Map<String, Value>) {
    for (_, date) in record.iter_mut().filter(|(key, _)| DATES.contains(&key.as_str())) {
        let later = date.as_str().and_then(|text| {
            let (year, rest) = text.split_at_checked(4)?;
            Some(format!("{}{rest}", year.parse::<u16>().ok()? + 543))
        });
        if let Some(later) = later {
            *date = later.into();
        }
    }
}

pub(super) fn json_answer(body: String) -> Response {
    json_answer_of(body.into_bytes())
}

fn json_answer_of(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, JSON)], body).into_response()
}

fn login_page(kind: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], LOGIN_PAGE).into_response()
}

fn with_length(length: usize, body: Body) -> Response {
    let headers: [(HeaderName, String); 2] =
        [(header::CONTENT_TYPE, JSON.to_owned()), (header::CONTENT_LENGTH, length.to_string())];
    (headers, body).into_response()
}

/// Sends `Content-Length` and half of the body, then closes the connection.
fn broken_off(half: Bytes, length: usize) -> Response {
    let end = stream::once(async {
        // Long enough for the half to be sent.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    with_length(length, Body::from_stream(stream::iter([Ok(half)]).chain(end).into_stream()))
}

fn in_two_seconds() -> String {
    let at = jiff::Timestamp::now() + Duration::from_secs(2);
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).expect("this year has four digits")
}
