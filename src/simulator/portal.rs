//! An iGate-like portal over loopback HTTP: a token by client credentials, and the dossier search (domain A.2). The
//! national portal's adapter and the portals of Tân Dân and OpenCPS answer at the same address.
//!
//! As in iGate, the search filters by accepted, applied, appointment and returned dates only: there is no time of
//! change. Pages are Spring slices without a total. The order is (accepted date, else applied date; id), and `sort` is
//! ignored. If a dossier is listed twice, the newer copy comes later.

use std::collections::HashMap;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::simulator::faults::Fault;
use crate::simulator::faulty_answers::{FaultState, json_answer};
use crate::simulator::listing::{ListEntry, SearchPage, SearchQuery, found, list};
use crate::simulator::ministry_services::{self, DVCSYNC_PATH, SLD_KEY, SLD_PATH};
use crate::simulator::national_evaluation::{self, EVALUATION_PATH};
use crate::simulator::national_portal::{CALL_PATH, LOGIN_PATH, NationalPortal};
use crate::simulator::opencps::{self, OPENCPS_GROUP, OPENCPS_PATH};
use crate::simulator::paging_styles::{self, CURSOR_PATH, KEYSET_PATH, PagingStyle, TD_PATH};
use crate::simulator::petitions::{self, PETITIONS_PATH};
use crate::simulator::simulated_day::SimulatedDay;
use crate::simulator::tan_dan::{self, TAN_DAN_LOGIN_PATH, TAN_DAN_SEARCH_PATH};
use crate::simulator::vnpost::{self, TRACKING_PATH};
use crate::simulator::working_days::{Day, Moment, day_number, evening};
use crate::simulator::wrong_clock::{PresentFault, set_date};
use crate::simulator::{Province, SimulatorError};

/// The only client that gets tokens.
pub const CLIENT_ID: &str = "motcua-demo";
/// The client's secret. Not a real secret: it protects invented dossiers.
pub const CLIENT_SECRET: &str = "simulated-secret";
/// Client and secret as HTTP Basic credentials.
const CLIENT_BASIC: &str = "Basic bW90Y3VhLWRlbW86c2ltdWxhdGVkLXNlY3JldA==";
pub const TOKEN_PATH: &str = "/auth/realms/digo/protocol/openid-connect/token";
pub const SEARCH_PATH: &str = "/pa/dossier/search";

const TOKEN_SECS: u64 = 86_400;
/// Default target of the redirects of faults: a host that cannot exist.
const REDIRECT_TARGET: &str = "http://elsewhere.invalid";

/// The paths that page in the ways of other systems.
const PAGED: [(&str, PagingStyle); 3] =
    [(TD_PATH, PagingStyle::Td), (KEYSET_PATH, PagingStyle::Keyset), (CURSOR_PATH, PagingStyle::Cursor)];
/// The paths of other services.
const LISTED: [(&str, OtherService); 5] = [
    (OPENCPS_PATH, OtherService::OpenCps),
    (DVCSYNC_PATH, OtherService::DvcSync),
    (SLD_PATH, OtherService::Sld),
    (PETITIONS_PATH, OtherService::Petitions),
    (TRACKING_PATH, OtherService::Tracking),
];

/// A listening portal. Dropping it stops the server without waiting.
#[derive(Debug)]
pub struct Portal {
    /// Address that it listens on.
    pub address: SocketAddr,
    state: Arc<ServerState>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Portal {
    /// `http://…`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Revokes all tokens and ends all sessions: requests with them get 401.
    pub fn expire_tokens(&self) {
        locked(&self.state.tokens).clear();
        locked(&self.state.adapter).end_sessions();
    }

    /// Sets the fault of all answers from now on; `None` ends it. A fault of files has no effect here.
    pub fn set_fault(&self, fault: Option<Fault>) {
        let mut fault_state = locked(&self.state.fault_state);
        *fault_state = FaultState::new(fault, std::mem::take(&mut fault_state.redirect_target));
        locked(&self.state.adapter).reset_call_count();
    }

    /// Sets the target of the redirects of faults: `http://…`, without a slash at the end.
    pub fn redirect_to(&self, url: &str) {
        url.clone_into(&mut locked(&self.state.fault_state).redirect_target);
    }

    /// Number of requests so far, those for tokens and refused ones included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// Finishes the open requests and stops.
    pub async fn stop(self) {
        // Fails only if the server has stopped already.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// Listens on `bind`, which must be a loopback address. Port 0 takes a free port.
pub async fn serve(province: Arc<Province>, bind: SocketAddr, day: SimulatedDay) -> Result<Portal, SimulatorError> {
    if !bind.ip().is_loopback() {
        return Err(SimulatorError::NotLoopback { address: bind });
    }
    let refuse = |source| SimulatorError::Listen { address: bind, source };
    let listener = TcpListener::bind(bind).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    let portal = Arc::new(ServerState {
        province,
        day,
        listing: Mutex::new(None),
        tokens: Mutex::new(HashMap::new()),
        adapter: Mutex::new(NationalPortal::default()),
        requests: AtomicU64::new(0),
        fault_state: Mutex::new(FaultState::new(None, REDIRECT_TARGET.to_owned())),
    });
    let router = Router::new()
        .route(TOKEN_PATH, post(token))
        .route(SEARCH_PATH, get(search))
        .route(LOGIN_PATH, post(login))
        .route(CALL_PATH, post(call))
        .route(EVALUATION_PATH, post(evaluation))
        .route(TAN_DAN_LOGIN_PATH, post(tan_dan_login))
        .route(TAN_DAN_SEARCH_PATH, post(tan_dan_search));
    let router = PAGED.into_iter().fold(router, |router, (path, style)| {
        let answer = move |portal, headers: HeaderMap, fields| ready(paged(style, portal, &headers, fields));
        router.route(path, get(answer))
    });
    let router = LISTED.into_iter().fold(router, |router, (path, service)| {
        let answer = move |portal, headers: HeaderMap, fields| ready(listed(service, portal, &headers, fields));
        router.route(path, get(answer))
    });
    let router = router.with_state(Arc::clone(&portal));
    let shown = Arc::clone(&portal);
    let fault: PresentFault = Arc::new(move || locked(&shown.fault_state).fault);
    let router = router.layer(map_response_with_state(fault, set_date));
    let resetting = Arc::clone(&portal);
    let listener = listener.tap_io(move |stream| {
        if matches!(locked(&resetting.fault_state).fault, Some(Fault::Reset | Fault::ResetAlways))
            && let Err(error) = stream.set_zero_linger()
        {
            tracing::error!(%error, "cannot set a connection to reset on close");
        }
    });
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let until = async move {
            // A dropped `Portal` closes the channel, which stops the server as well.
            let _ = stopped.await;
        };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(until).await {
            tracing::error!(%error, "the simulated portal stopped with an error");
        }
    });
    Ok(Portal { address, state: portal, stop, task })
}

/// State that the handlers share.
#[derive(Debug)]
struct ServerState {
    province: Arc<Province>,
    day: SimulatedDay,
    /// The list of the day of the last request.
    listing: Mutex<Option<(Day, Arc<Vec<ListEntry>>)>>,
    tokens: Mutex<HashMap<String, Instant>>,
    adapter: Mutex<NationalPortal>,
    requests: AtomicU64,
    fault_state: Mutex<FaultState>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it changes the value.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ServerState {
    fn listing(&self) -> Arc<Vec<ListEntry>> {
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

    /// The shown moment: the evening of the day.
    fn now(&self) -> Moment {
        evening(day_number(self.day.get().min(self.province.today())))
    }

    /// Issues a token. `number`: that of the request.
    fn issue_token(&self, number: u64) -> String {
        let token = format!("simulated.{number:08}.token");
        locked(&self.tokens).insert(token.clone(), Instant::now() + Duration::from_secs(TOKEN_SECS));
        token
    }

    fn is_authorized(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        let Some((scheme, token)) = value.split_once(' ') else { return false };
        locked(&self.fault_state).fault != Some(Fault::TokenRefused)
            && scheme.eq_ignore_ascii_case("bearer")
            && locked(&self.tokens).get(token.trim()).is_some_and(|until| Instant::now() < *until)
    }
}

async fn token(
    State(portal): State<Arc<ServerState>>,
    headers: HeaderMap,
    Form(fields): Form<HashMap<String, String>>,
) -> Response {
    let number = portal.requests.fetch_add(1, Ordering::Relaxed);
    if let Some(answer) = locked(&portal.fault_state).token() {
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
    let token = portal.issue_token(number);
    let lifetime = match locked(&portal.fault_state).fault {
        Some(Fault::LooseTypes) => json!(format!("{TOKEN_SECS}.5")),
        _ => json!(TOKEN_SECS),
    };
    Json(json!({
        "access_token": token, "expires_in": lifetime, "refresh_expires_in": 0, "token_type": "Bearer",
        "not-before-policy": 0, "scope": "email profile",
    }))
    .into_response()
}

async fn search(
    State(portal): State<Arc<ServerState>>,
    headers: HeaderMap,
    Query(fields): Query<Vec<(String, String)>>,
) -> Response {
    portal.requests.fetch_add(1, Ordering::Relaxed);
    if !portal.is_authorized(&headers) {
        return unauthorized(SEARCH_PATH);
    }
    let query = match SearchQuery::read(&fields) {
        Ok(query) => query,
        Err(message) => {
            let error = json!({"status": 400, "error": "Bad Request", "message": message, "path": SEARCH_PATH});
            return (StatusCode::BAD_REQUEST, Json(error)).into_response();
        }
    };
    let listing = portal.listing();
    let lines = found(&portal.province, &listing, &query);
    let (page, answer) = {
        let mut fault_state = locked(&portal.fault_state);
        if fault_state.fault.is_none() {
            return json_answer(SearchPage::cut(lines, query.page, query.size).body(&portal.province));
        }
        let page = fault_state.page(lines, &query);
        let answer = fault_state.next_answer(&page);
        (page, answer)
    };
    if let Some(refusal) = answer.refusal() {
        locked(&portal.tokens).clear();
        return refusal;
    }
    answer.respond(&portal.province, &page).await
}

async fn login(State(portal): State<Arc<ServerState>>, Json(request): Json<Value>) -> Response {
    portal.requests.fetch_add(1, Ordering::Relaxed);
    Json(locked(&portal.adapter).login(&request)).into_response()
}

async fn call(State(portal): State<Arc<ServerState>>, Json(request): Json<Value>) -> Response {
    portal.requests.fetch_add(1, Ordering::Relaxed);
    let fault = locked(&portal.fault_state).fault;
    Json(locked(&portal.adapter).call(&request, &portal.province, fault)).into_response()
}

async fn evaluation(State(portal): State<Arc<ServerState>>, Json(request): Json<Value>) -> Response {
    portal.requests.fetch_add(1, Ordering::Relaxed);
    let day = portal.day.get().min(portal.province.today());
    (StatusCode::CREATED, Json(national_evaluation::answer(&portal.province, &request, day))).into_response()
}

async fn tan_dan_login(State(portal): State<Arc<ServerState>>, Json(request): Json<Value>) -> Response {
    let number = portal.requests.fetch_add(1, Ordering::Relaxed);
    if request["userName"] != CLIENT_ID || request["password"] != CLIENT_SECRET {
        return unauthorized(TAN_DAN_LOGIN_PATH);
    }
    Json(json!({"token": portal.issue_token(number), "refreshToken": "simulated"})).into_response()
}

async fn tan_dan_search(
    State(portal): State<Arc<ServerState>>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    portal.requests.fetch_add(1, Ordering::Relaxed);
    if !portal.is_authorized(&headers) {
        return unauthorized(TAN_DAN_SEARCH_PATH);
    }
    or_bad_request(tan_dan::answer(&portal.province, &portal.listing(), &request, portal.now()))
}

/// Another service with a list of dossiers.
#[derive(Debug, Clone, Copy)]
enum OtherService {
    OpenCps,
    DvcSync,
    Sld,
    Petitions,
    Tracking,
}

fn listed(
    service: OtherService,
    State(portal): State<Arc<ServerState>>,
    headers: &HeaderMap,
    Query(fields): Query<HashMap<String, String>>,
) -> Response {
    portal.requests.fetch_add(1, Ordering::Relaxed);
    let has = |name: &str, wanted: &str| headers.get(name).is_some_and(|value| value == wanted);
    let (province, now) = (&portal.province, portal.now());
    match service {
        OtherService::OpenCps if has("authorization", CLIENT_BASIC) && has("groupid", OPENCPS_GROUP) => {
            or_bad_request(opencps::answer(province, &portal.listing(), &fields, now))
        }
        OtherService::DvcSync if portal.is_authorized(headers) => {
            or_bad_request(ministry_services::dvcsync(province, &fields, now))
        }
        OtherService::Sld if has("x-api-key", SLD_KEY) => {
            or_bad_request(ministry_services::sld(province, &fields, now))
        }
        OtherService::Petitions if portal.is_authorized(headers) => {
            json_answer(petitions::answer(province, &fields, now))
        }
        OtherService::Tracking if portal.is_authorized(headers) => json_answer(vnpost::answer(province, &fields, now)),
        _ => unauthorized("/"),
    }
}

fn or_bad_request(answer: Result<String, String>) -> Response {
    match answer {
        Ok(body) => json_answer(body),
        Err(message) => (StatusCode::BAD_REQUEST, Json(json!({"message": message}))).into_response(),
    }
}

fn unauthorized(path: &str) -> Response {
    let error = json!({"status": 401, "error": "Unauthorized", "path": path});
    (StatusCode::UNAUTHORIZED, Json(error)).into_response()
}

fn paged(
    style: PagingStyle,
    State(portal): State<Arc<ServerState>>,
    headers: &HeaderMap,
    Query(fields): Query<HashMap<String, String>>,
) -> Response {
    portal.requests.fetch_add(1, Ordering::Relaxed);
    if !portal.is_authorized(headers) {
        return unauthorized("/");
    }
    let fault = locked(&portal.fault_state).fault;
    let everything = SearchQuery::everything();
    let listing = portal.listing();
    paging_styles::answer(style, &portal.province, found(&portal.province, &listing, &everything), &fields, fault)
}
