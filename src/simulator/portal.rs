//! An iGate-like portal over loopback HTTP: a token by client credentials, and the dossier search (domain A.2).
//!
//! It filters by accepted, applied, appointment and returned dates only, like iGate: there is no change time. Pages
//! are Spring slices without a total. The order is (accepted date or else applied date, id), whatever `sort` says;
//! a dossier that is listed twice has its newer copy further down.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::civil::{Date, DateTime};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::simulator::dossier::{Dossier, Resend, Shown};
use crate::simulator::life::MAX_RESEND_SECS;
use crate::simulator::working_days::{AHEAD_SECS, Day, Moment, date_of, day_number, evening};
use crate::simulator::{Province, SimulatorError};

/// The client that the portal knows.
pub const CLIENT_ID: &str = "motcua-demo";
/// Its secret, which guards nothing but invented dossiers.
pub const CLIENT_SECRET: &str = "simulated-secret";
/// The two, as HTTP Basic writes them.
const CLIENT_BASIC: &str = "Basic bW90Y3VhLWRlbW86c2ltdWxhdGVkLXNlY3JldA==";
pub const TOKEN_PATH: &str = "/auth/realms/digo/protocol/openid-connect/token";
pub const SEARCH_PATH: &str = "/pa/dossier/search";

const TOKEN_SECS: u64 = 86_400;
const USUAL_SIZE: usize = 20;
const MAX_SIZE: usize = 1_000;

/// The day whose evening the portal shows. Clones move together.
#[derive(Debug, Clone)]
pub struct SimulatedDay(Arc<AtomicI64>);

impl SimulatedDay {
    #[must_use]
    pub fn new(day: Date) -> Self {
        Self(Arc::new(AtomicI64::new(day_number(day))))
    }

    pub fn set(&self, day: Date) {
        self.0.store(day_number(day), Ordering::Relaxed);
    }

    #[must_use]
    pub fn get(&self) -> Date {
        date_of(self.0.load(Ordering::Relaxed))
    }
}

/// A portal that listens. Dropped, it stops too, without waiting.
#[derive(Debug)]
pub struct Portal {
    /// Where it listens.
    pub address: SocketAddr,
    desk: Arc<Desk>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Portal {
    /// `http://…`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every token given so far is answered with 401 from now on.
    pub fn expire_tokens(&self) {
        locked(&self.desk.tokens).clear();
    }

    /// Requests answered so far, tokens and refusals included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.desk.requests.load(Ordering::Relaxed)
    }

    /// Answers what is under way and stops.
    pub async fn stop(self) {
        // The server may have stopped already: then nobody listens for this.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// Listens on `bind`, which must be on loopback; port 0 takes a free one.
pub async fn serve(province: Arc<Province>, bind: SocketAddr, day: SimulatedDay) -> Result<Portal, SimulatorError> {
    if !bind.ip().is_loopback() {
        return Err(SimulatorError::NotLoopback { address: bind });
    }
    let refuse = |source| SimulatorError::Listen { address: bind, source };
    let listener = TcpListener::bind(bind).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    let desk = Arc::new(Desk {
        province,
        day,
        listing: Mutex::new(None),
        tokens: Mutex::new(HashMap::new()),
        requests: AtomicU64::new(0),
    });
    let router =
        Router::new().route(TOKEN_PATH, post(token)).route(SEARCH_PATH, get(search)).with_state(Arc::clone(&desk));
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let until = async move {
            // A dropped handle stops it as well.
            let _ = stopped.await;
        };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(until).await {
            tracing::error!(%error, "simulated portal stopped");
        }
    });
    Ok(Portal { address, desk, stop, task })
}

/// What the handlers share.
#[derive(Debug)]
struct Desk {
    province: Arc<Province>,
    day: SimulatedDay,
    /// The list of the day that was last asked for.
    listing: Mutex<Option<(Day, Arc<Vec<Entry>>)>>,
    tokens: Mutex<HashMap<String, Instant>>,
    requests: AtomicU64,
}

/// One line of the portal's list.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: Moment,
    /// Index of the dossier.
    dossier: u32,
    /// The moment as of which it is shown.
    seen: Moment,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here panics half-way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    fn listing(&self) -> Arc<Vec<Entry>> {
        let day = day_number(self.day.get().min(self.province.today()));
        let mut kept = locked(&self.listing);
        match &*kept {
            Some((of, entries)) if *of == day => Arc::clone(entries),
            _ => {
                let entries = Arc::new(list(&self.province, evening(day)));
                *kept = Some((day, Arc::clone(&entries)));
                entries
            }
        }
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        let Some((scheme, token)) = value.split_once(' ') else { return false };
        scheme.eq_ignore_ascii_case("bearer")
            && locked(&self.tokens).get(token.trim()).is_some_and(|until| Instant::now() < *until)
    }
}

/// Everything that the portal lists at a moment, in its order.
fn list(province: &Province, now: Moment) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(province.dossiers.len());
    for (number, dossier) in (0_u32..).zip(&province.dossiers) {
        let Some(shown) = dossier.shown(now) else { continue };
        let key = shown.accepted.unwrap_or(dossier.applied);
        let entry = Entry { key, dossier: number, seen: now };
        match dossier.resend {
            Resend::Once => entries.push(entry),
            Resend::Same(further) => {
                entries.extend([entry, Entry { key: key + i64::from(further), ..entry }]);
            }
            Resend::Older(further) => {
                let before = dossier.last_change(now) - 1;
                let seen = if dossier.shown(before).is_some() { before } else { now };
                entries.extend([Entry { seen, ..entry }, Entry { key: key + i64::from(further), ..entry }]);
            }
        }
    }
    entries.sort_unstable_by_key(|entry| (entry.key, province.dossiers[entry.dossier as usize].id, entry.seen));
    entries
}

async fn token(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Form(fields): Form<HashMap<String, String>>,
) -> Response {
    let number = desk.requests.fetch_add(1, Ordering::Relaxed);
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    if field("grant_type") != "client_credentials" {
        let error = json!({"error": "unsupported_grant_type", "error_description": "Unsupported grant_type"});
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    let basic = headers.get(header::AUTHORIZATION).is_some_and(|value| value == CLIENT_BASIC);
    if !basic && (field("client_id") != CLIENT_ID || field("client_secret") != CLIENT_SECRET) {
        let error = json!({"error": "unauthorized_client", "error_description": "Invalid client credentials"});
        return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
    }
    let token = format!("simulated.{number:08}.token");
    locked(&desk.tokens).insert(token.clone(), Instant::now() + Duration::from_secs(TOKEN_SECS));
    Json(json!({
        "access_token": token, "expires_in": TOKEN_SECS, "refresh_expires_in": 0, "token_type": "Bearer",
        "not-before-policy": 0, "scope": "email profile",
    }))
    .into_response()
}

async fn search(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Query(fields): Query<Vec<(String, String)>>,
) -> Response {
    desk.requests.fetch_add(1, Ordering::Relaxed);
    if !desk.knows(&headers) {
        let error = json!({"status": 401, "error": "Unauthorized", "path": SEARCH_PATH});
        return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
    }
    match Wanted::read(&fields) {
        Ok(wanted) => {
            let body = page(&desk.province, &desk.listing(), &wanted);
            ([(header::CONTENT_TYPE, "application/json;charset=UTF-8")], body).into_response()
        }
        Err(message) => {
            let error = json!({"status": 400, "error": "Bad Request", "message": message, "path": SEARCH_PATH});
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
    }
}

/// An inclusive range of moments.
#[derive(Debug, Clone, Copy)]
struct Range {
    from: Moment,
    to: Moment,
    /// Nobody asked: absent dates pass as well.
    open: bool,
}

impl Range {
    const OPEN: Self = Self { from: Moment::MIN, to: Moment::MAX, open: true };

    fn passes(self, moment: Option<Moment>) -> bool {
        self.open || moment.is_some_and(|at| self.from <= at && at <= self.to)
    }
}

/// A search request, read.
#[derive(Debug)]
struct Wanted {
    page: usize,
    size: usize,
    accepted: Range,
    applied: Range,
    appointment: Range,
    returned: Range,
}

impl Wanted {
    /// Fields that it does not know (`sort`, `spec`, `remove-status`, …) change nothing, as with iGate.
    fn read(fields: &[(String, String)]) -> Result<Self, String> {
        let (accepted, applied, appointment, returned) = (Range::OPEN, Range::OPEN, Range::OPEN, Range::OPEN);
        let mut wanted = Self { page: 0, size: USUAL_SIZE, accepted, applied, appointment, returned };
        for (name, value) in fields {
            let number = || value.parse::<usize>().map_err(|_| format!("`{name}` is no number: `{value}`"));
            let Some((range, from)) = (match name.as_str() {
                "accepted-from" => Some((&mut wanted.accepted, true)),
                "accepted-to" => Some((&mut wanted.accepted, false)),
                "applied-from" => Some((&mut wanted.applied, true)),
                "applied-to" => Some((&mut wanted.applied, false)),
                "appointment-from" => Some((&mut wanted.appointment, true)),
                "appointment-to" => Some((&mut wanted.appointment, false)),
                "result-returned-from" => Some((&mut wanted.returned, true)),
                "result-returned-to" => Some((&mut wanted.returned, false)),
                _ => None,
            }) else {
                match name.as_str() {
                    "page" => wanted.page = number()?,
                    "size" => wanted.size = number()?.clamp(1, MAX_SIZE),
                    _ => {}
                }
                continue;
            };
            if value.is_empty() {
                continue;
            }
            let (moment, fraction) = instant(value).ok_or_else(|| format!("`{name}` is no instant: `{value}`"))?;
            range.open = false;
            if from {
                range.from = moment + i64::from(fraction);
            } else {
                range.to = moment;
            }
        }
        Ok(wanted)
    }

    fn passes(&self, dossier: &Dossier, shown: &Shown) -> bool {
        self.accepted.passes(shown.accepted)
            && self.applied.passes(dossier.stated_applied())
            && self.appointment.passes(shown.due)
            && self.returned.passes(shown.returned)
    }
}

/// `2025-10-01T17:00:00[.000]` with `Z`, `+0700` or `+07:00` as a local moment, and whether a fraction of a
/// second was cut off. A `+` that the query made a space is a `+`.
fn instant(text: &str) -> Option<(Moment, bool)> {
    let (civil, rest) = text.split_at_checked(19)?;
    let at: DateTime = civil.parse().ok()?;
    let seconds = at.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0)).as_secs();
    let zone = rest.trim_start_matches(|letter: char| letter == '.' || letter.is_ascii_digit());
    let fraction = rest[..rest.len() - zone.len()].bytes().any(|digit| matches!(digit, b'1'..=b'9'));
    if zone == "Z" {
        return Some((seconds + AHEAD_SECS, fraction));
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+" | " ", digits) => (1, digits.replace(':', "")),
        ("-", digits) => (-1, digits.replace(':', "")),
        _ => return None,
    };
    let number: i64 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    let ahead = sign * (number / 100 * 3600 + number % 100 * 60);
    Some((seconds - ahead + AHEAD_SECS, fraction))
}

/// One Spring slice.
fn page(province: &Province, entries: &[Entry], wanted: &Wanted) -> String {
    // The list is in the order of acceptance, second copies a little further down.
    let start = entries.partition_point(|entry| entry.key < wanted.accepted.from);
    let latest = wanted.accepted.to.saturating_add(i64::from(MAX_RESEND_SECS));
    let end = entries.partition_point(|entry| entry.key <= latest).max(start);
    let mut found = entries[start..end].iter().filter_map(|entry| {
        let dossier = &province.dossiers[entry.dossier as usize];
        let shown = dossier.shown(entry.seen)?;
        wanted.passes(dossier, &shown).then_some((dossier, shown))
    });
    let skipped = wanted.page.saturating_mul(wanted.size);
    let mut body = String::with_capacity(wanted.size * 2_048 + 256);
    body.push_str("{\"content\":[");
    let mut count = 0;
    let mut last = true;
    for (dossier, shown) in found.by_ref().skip(skipped) {
        if count == wanted.size {
            last = false;
            break;
        }
        if count > 0 {
            body.push(',');
        }
        province.render(&mut body, dossier, &shown);
        count += 1;
    }
    let (number, size) = (wanted.page, wanted.size);
    let tail = format!(
        "],\"pageable\":{{\"pageNumber\":{number},\"pageSize\":{size},\"paged\":true}},\"number\":{number},\
         \"size\":{size},\"numberOfElements\":{count},\"first\":{},\"last\":{last},\"empty\":{}}}",
        number == 0,
        count == 0
    );
    body.push_str(&tail);
    body
}
