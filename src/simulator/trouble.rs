//! The faults of the portal's answers: which page is cut, what its records hold, and how the answer leaves.
#![expect(
    clippy::disallowed_methods,
    reason = "edge: a `Retry-After` date is counted from the clock that callers have"
)]

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use crate::simulator::faults::Fault;
use crate::simulator::listing::{Line, Slice, Wanted};
use crate::simulator::working_days::AHEAD_SECS;
use crate::simulator::{Province, pack};

/// First of the ids that a double cannot hold.
const PAST_DOUBLES: u64 = (1 << 53) + 1;
const JSON: &str = "application/json;charset=UTF-8";
const PAGE_FOR_PEOPLE: &str = "<!DOCTYPE html><html><body><form action=\"/login\">Đăng nhập</form></body></html>";

/// What is wrong with a portal, and how often it was met.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) fault: Option<Fault>,
    /// Where redirects to another host lead.
    pub(super) elsewhere: String,
    /// Answers that held dossiers since the fault was set.
    answers: usize,
    /// Searches since then.
    searches: usize,
    tokens: usize,
    moved: bool,
}

impl Trouble {
    pub(super) fn new(fault: Option<Fault>, elsewhere: String) -> Self {
        Self { fault, elsewhere, answers: 0, searches: 0, tokens: 0, moved: false }
    }

    /// The answer of the token endpoint in the place of its own.
    pub(super) fn token(&mut self) -> Option<Response> {
        self.tokens += 1;
        match self.fault? {
            Fault::TokenPage => Some(page_for_people("text/html;charset=UTF-8")),
            Fault::TokenUnavailableOnce if self.tokens == 1 => Some(StatusCode::SERVICE_UNAVAILABLE.into_response()),
            Fault::RedirectToken => {
                let place = format!("{}/token", self.elsewhere);
                Some((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response())
            }
            _ => None,
        }
    }

    /// Cuts the page that is answered in the place of the one that was asked for.
    pub(super) fn slice<'a>(&mut self, found: impl Iterator<Item = Line<'a>>, wanted: &Wanted) -> Slice<'a> {
        let (asked, size) = (wanted.page, wanted.size);
        let mut lines: Vec<Line<'a>> = found.collect();
        let pages = lines.len().div_ceil(size);
        self.searches += 1;
        match self.fault {
            Some(Fault::MovingRecords) => self.moved |= asked > 0,
            Some(Fault::RestlessRecords) if !lines.is_empty() => {
                let by = self.searches % lines.len();
                lines.rotate_left(by);
            }
            _ => {}
        }
        if self.moved && !lines.is_empty() {
            lines.rotate_left(1);
        }
        let page = match self.fault {
            Some(Fault::DuplicatePage) => asked.saturating_sub(1),
            Some(Fault::RepeatedPage) => 0,
            Some(Fault::SkippedPage) if asked == 1 && pages > 2 => 2,
            _ => asked,
        };
        let mut slice = Slice::cut(lines.into_iter(), page, size);
        match self.fault {
            Some(Fault::DuplicatePage) => {
                slice.number = asked;
                slice.last &= asked > 0 || pages < 2;
            }
            Some(Fault::RepeatedPage) => slice.last = pages < 2,
            Some(Fault::NeverLast) => slice.last = false,
            _ => {}
        }
        slice
    }

    /// How this answer is spoiled; counts it.
    pub(super) fn meet(&mut self, slice: &Slice<'_>) -> Met {
        let number = self.answers;
        let holds = !slice.lines.is_empty();
        self.answers += usize::from(holds);
        Met {
            fault: self.fault,
            holds,
            second: holds && number == 1,
            third: holds && number == 2,
            later: holds && number >= 1,
            elsewhere: self.elsewhere.clone(),
        }
    }
}

/// A fault and the answer that it meets.
#[derive(Debug)]
pub(super) struct Met {
    fault: Option<Fault>,
    holds: bool,
    second: bool,
    third: bool,
    /// The second or one after it.
    later: bool,
    elsewhere: String,
}

impl Met {
    pub(super) fn revokes_tokens(&self) -> bool {
        self.fault == Some(Fault::TokenRevoked) && self.second
    }

    /// The answer as it leaves.
    pub(super) async fn answer(self, province: &Province, slice: &Slice<'_>) -> Response {
        let body = slice.body(province);
        let Some(fault) = self.fault else { return whole(body) };
        if self.later && fault == Fault::Silence {
            // Until the caller goes away.
            std::future::pending::<()>().await;
        }
        if let Some(response) = self.refusal(fault) {
            return response;
        }
        let body = self.records(fault, &body, province, slice);
        self.transport(fault, body)
    }

    /// Answers without dossiers.
    fn refusal(&self, fault: Fault) -> Option<Response> {
        let wait = |seconds: String| (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds)]).into_response();
        let response = match fault {
            Fault::RateLimitedSeconds if self.second => wait("1".to_owned()),
            Fault::RateLimitedDate if self.second => wait(in_two_seconds()),
            Fault::RateLimitedForHours => wait("7200".to_owned()),
            Fault::UnavailableTwice if self.second || self.third => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Fault::Unavailable => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Fault::EmptyBody if self.later => whole(String::new()),
            Fault::ZippedBomb if self.later => {
                static BOMB: OnceLock<Bytes> = OnceLock::new();
                let bomb = BOMB.get_or_init(|| Bytes::from(pack::gzip_bomb())).clone();
                ([(header::CONTENT_TYPE, JSON), (header::CONTENT_ENCODING, "gzip")], bomb).into_response()
            }
            Fault::LoginPage if self.later => page_for_people("text/html;charset=UTF-8"),
            Fault::LoginPageAsJson if self.later => page_for_people(JSON),
            Fault::RedirectElsewhere if self.later => {
                (StatusCode::FOUND, [(header::LOCATION, format!("{}/login", self.elsewhere))]).into_response()
            }
            Fault::FailureInside if self.later => {
                whole(json!({"status": 500, "message": "Internal Server Error"}).to_string())
            }
            _ => return None,
        };
        Some(response)
    }

    /// The body with its records spoiled.
    fn records(&self, fault: Fault, body: &str, province: &Province, slice: &Slice<'_>) -> String {
        if fault == Fault::HalfSurrogate {
            return body.replace("Nguyễn Văn Mẫu", "Nguyễn Văn \\ud83d");
        }
        let mut answer: Value = serde_json::from_str(body).expect("the portal writes JSON");
        match fault {
            Fault::NoLastFlag => drop(answer.as_object_mut().and_then(|answer| answer.remove("last"))),
            Fault::NullList if !self.holds => answer["content"] = Value::Null,
            Fault::NullPage if self.second => {
                answer["content"] = Value::Null;
                answer["last"] = Value::Bool(true);
            }
            _ => {}
        }
        let ids: HashMap<[u8; 12], u64> = match fault {
            Fault::BigIds => province.dossiers.iter().map(|dossier| dossier.id).zip(PAST_DOUBLES..).collect(),
            _ => HashMap::new(),
        };
        let records = answer["content"].as_array_mut().map_or(&mut [][..], Vec::as_mut_slice);
        for (record, (dossier, shown)) in records.iter_mut().zip(&slice.lines) {
            let record = record.as_object_mut().expect("records are objects");
            match fault {
                Fault::BigIds => drop(record.insert("id".to_owned(), ids[&dossier.id].into())),
                Fault::WrongTypes => accepted_in_millis(record, shown.accepted),
                Fault::WrongTypesOnce if self.second => accepted_in_millis(record, shown.accepted),
                Fault::NewField => {
                    record.insert("digital".to_owned(), json!({"signed": [true, null, {"by": 1.5}], "id": "x"}));
                    record.insert("attachments".to_owned(), json!([[], {}, "a"]));
                }
                Fault::MissingField => drop(record.remove("procedure")),
                Fault::MissingDate => drop(record.remove("acceptedDate")),
                _ => {}
            }
        }
        answer.to_string()
    }

    /// The body as bytes on their way.
    fn transport(&self, fault: Fault, body: String) -> Response {
        let length = body.len();
        let half = Bytes::copy_from_slice(&body.as_bytes()[..length / 2]);
        match fault {
            Fault::CutShort | Fault::Reset if self.second => broken(half, length),
            Fault::CutShortAlways | Fault::ResetAlways if self.later => broken(half, length),
            Fault::WrongLength if self.later => ([(header::CONTENT_TYPE, JSON)], half).into_response(),
            Fault::OneByteASecond if self.later => {
                let bytes = stream::iter(body.into_bytes()).then(|byte| async move {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    Ok::<_, Infallible>(Bytes::copy_from_slice(&[byte]))
                });
                stated(length, Body::from_stream(bytes))
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
            _ => whole(body),
        }
    }
}

fn accepted_in_millis(record: &mut serde_json::Map<String, Value>, accepted: Option<i64>) {
    if record["acceptedDate"].is_string()
        && let Some(accepted) = accepted
    {
        record.insert("acceptedDate".to_owned(), ((accepted - AHEAD_SECS) * 1000).into());
    }
}

pub(super) fn whole(body: String) -> Response {
    ([(header::CONTENT_TYPE, JSON)], body).into_response()
}

fn page_for_people(kind: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], PAGE_FOR_PEOPLE).into_response()
}

fn stated(length: usize, body: Body) -> Response {
    let headers: [(HeaderName, String); 2] =
        [(header::CONTENT_TYPE, JSON.to_owned()), (header::CONTENT_LENGTH, length.to_string())];
    (headers, body).into_response()
}

/// Half of a body whose length was stated, then the end of the connection.
fn broken(half: Bytes, length: usize) -> Response {
    let end = stream::once(async {
        // Long enough for the half to leave.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    stated(length, Body::from_stream(stream::iter([Ok(half)]).chain(end).into_stream()))
}

fn in_two_seconds() -> String {
    let at = jiff::Timestamp::now() + Duration::from_secs(2);
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).expect("this year has four digits")
}
