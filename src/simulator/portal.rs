//! An iGate-like portal over loopback HTTP: a token by client credentials, and the dossier search (domain A.2). The national
//! portal's adapter answers at the same address.
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
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use jiff::civil::Date;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::simulator::catalogue::{Adapter, CALL_PATH, LOGIN_PATH};
use crate::simulator::doors::{self, CURSOR_PATH, Door, KEYSET_PATH, TD_PATH};
use crate::simulator::faults::Fault;
use crate::simulator::listing::{Entry, Slice, Wanted, found, list};
use crate::simulator::trouble::{Trouble, whole};
use crate::simulator::working_days::{Day, date_of, day_number, evening};
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
/// Where redirects of a fault lead, unless the portal is told otherwise: a host that no one has.
const ELSEWHERE: &str = "http://elsewhere.invalid";

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

    /// Every token given so far is answered with 401 from now on, and every session is over.
    pub fn expire_tokens(&self) {
        locked(&self.desk.tokens).clear();
        locked(&self.desk.adapter).forget();
    }

    /// What is wrong from now on; `None` mends it. A fault of the files changes nothing here.
    pub fn set_fault(&self, fault: Option<Fault>) {
        let mut trouble = locked(&self.desk.trouble);
        *trouble = Trouble::new(fault, std::mem::take(&mut trouble.elsewhere));
        locked(&self.desk.adapter).count_anew();
    }

    /// Where the redirects of faults lead: `http://…`, without a slash at the end.
    pub fn redirect_to(&self, url: &str) {
        url.clone_into(&mut locked(&self.desk.trouble).elsewhere);
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
        adapter: Mutex::new(Adapter::default()),
        requests: AtomicU64::new(0),
        trouble: Mutex::new(Trouble::new(None, ELSEWHERE.to_owned())),
    });
    let router = Router::new()
        .route(TOKEN_PATH, post(token))
        .route(SEARCH_PATH, get(search))
        .route(LOGIN_PATH, post(login))
        .route(CALL_PATH, post(call))
        .route(TD_PATH, get(async |desk, headers: HeaderMap, fields| door(Door::Td, desk, &headers, fields)))
        .route(KEYSET_PATH, get(async |desk, headers: HeaderMap, fields| door(Door::Keyset, desk, &headers, fields)))
        .route(CURSOR_PATH, get(async |desk, headers: HeaderMap, fields| door(Door::Cursor, desk, &headers, fields)))
        .with_state(Arc::clone(&desk));
    let resetting = Arc::clone(&desk);
    let listener = listener.tap_io(move |stream| {
        if matches!(locked(&resetting.trouble).fault, Some(Fault::Reset | Fault::ResetAlways))
            && let Err(error) = stream.set_zero_linger()
        {
            tracing::error!(%error, "a connection cannot be made to reset");
        }
    });
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
    adapter: Mutex<Adapter>,
    requests: AtomicU64,
    trouble: Mutex<Trouble>,
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
        locked(&self.trouble).fault != Some(Fault::TokenRefused)
            && scheme.eq_ignore_ascii_case("bearer")
            && locked(&self.tokens).get(token.trim()).is_some_and(|until| Instant::now() < *until)
    }
}

async fn token(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Form(fields): Form<HashMap<String, String>>,
) -> Response {
    let number = desk.requests.fetch_add(1, Ordering::Relaxed);
    if let Some(answer) = locked(&desk.trouble).token() {
        return answer;
    }
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
        return unauthorized(SEARCH_PATH);
    }
    let wanted = match Wanted::read(&fields) {
        Ok(wanted) => wanted,
        Err(message) => {
            let error = json!({"status": 400, "error": "Bad Request", "message": message, "path": SEARCH_PATH});
            return (StatusCode::BAD_REQUEST, Json(error)).into_response();
        }
    };
    let listing = desk.listing();
    let lines = found(&desk.province, &listing, &wanted);
    let (slice, met) = {
        let mut trouble = locked(&desk.trouble);
        if trouble.fault.is_none() {
            return whole(Slice::cut(lines, wanted.page, wanted.size).body(&desk.province));
        }
        let slice = trouble.slice(lines, &wanted);
        let met = trouble.meet(&slice);
        (slice, met)
    };
    if met.revokes_tokens() {
        locked(&desk.tokens).clear();
        return unauthorized(SEARCH_PATH);
    }
    met.answer(&desk.province, &slice).await
}

async fn login(State(desk): State<Arc<Desk>>, Json(asked): Json<Value>) -> Response {
    desk.requests.fetch_add(1, Ordering::Relaxed);
    Json(locked(&desk.adapter).login(&asked)).into_response()
}

async fn call(State(desk): State<Arc<Desk>>, Json(asked): Json<Value>) -> Response {
    desk.requests.fetch_add(1, Ordering::Relaxed);
    let fault = locked(&desk.trouble).fault;
    Json(locked(&desk.adapter).call(&asked, &desk.province, fault)).into_response()
}

fn unauthorized(path: &str) -> Response {
    let error = json!({"status": 401, "error": "Unauthorized", "path": path});
    (StatusCode::UNAUTHORIZED, Json(error)).into_response()
}

fn door(
    door: Door,
    State(desk): State<Arc<Desk>>,
    headers: &HeaderMap,
    Query(fields): Query<HashMap<String, String>>,
) -> Response {
    desk.requests.fetch_add(1, Ordering::Relaxed);
    if !desk.knows(headers) {
        return unauthorized("/");
    }
    let fault = locked(&desk.trouble).fault;
    let everything = Wanted::everything();
    let listing = desk.listing();
    doors::answer(door, &desk.province, found(&desk.province, &listing, &everything), &fields, fault)
}
