//! Adds credentials to requests: fixed ones (password, bearer token, API key), a signature, or a token that a login issues (an
//! OAuth2 access token, RFC 6749 §4.4; the session of a login request).
//!
//! An issued token is cached until nine tenths of its lifetime have passed. A token that the source rejects (401, or a
//! 403 that calls it expired) is renewed once: if several requests report the same rejected token, the first renews it and the others get the new one.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::model::connector::{Auth, KeyPlace, Method, ReplyValues, Retry, SecretPlace};
use crate::model::values::PlaceholderValues;
use crate::sources::cookies::{SET_COOKIE, cookies_of};
use crate::sources::decode::envelope::describe_reply_code;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::{self, Request, TemplateContext};
use crate::sources::response;
use crate::sources::signature::Signer;
use crate::sources::transport::{Response, Transport};

/// Largest body of a login or token response. It holds one token; as a JSON tree, a larger one takes too much memory.
const MAX_TOKEN_BYTES: usize = 1 << 20;

/// An issued token or session.
#[derive(Clone)]
pub struct Token {
    secret: SecretString,
    /// Counts the tokens issued in this pull, so that a rejected one can be distinguished from its successor.
    number: u64,
    expires: Option<Instant>,
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Token").field("number", &self.number).finish_non_exhaustive()
    }
}

/// Authenticates the requests of one pull, according to `[auth]`.
#[derive(Debug)]
pub struct Login {
    credentials: Credentials,
    retry: Retry,
    /// Wall clock (microseconds UTC) and monotonic clock at the pull's start.
    now: i64,
    started: Instant,
}

#[derive(Debug)]
enum Credentials {
    None,
    Basic { username: String, password: SecretString },
    Bearer(SecretString),
    Key { name: String, value: SecretString, place: KeyPlace },
    Signed(Box<Signer>),
    Issued(Box<TokenIssuer>),
}

/// The request that obtains a token, and its cached result.
#[derive(Debug)]
struct TokenIssuer {
    request: Request,
    reply: TokenReply,
    /// Locked while a token is fetched, so that concurrent requests fetch one token, not several.
    cached: Mutex<Option<Token>>,
}

/// Format of the response that issues a token.
#[derive(Debug)]
enum TokenReply {
    Oauth2,
    /// `token`: its path; `None` if the session is the cookies.
    Session {
        token: Option<String>,
        ok: Option<ReplyValues>,
        lifetime: Option<Duration>,
    },
}

/// Body of an OAuth2 token response (RFC 6749 §5.1).
#[derive(Deserialize)]
struct Oauth2Token {
    access_token: String,
    /// Seconds: a number, with or without a fraction, or its text.
    #[serde(default)]
    expires_in: Value,
}

impl Login {
    /// # Errors
    /// `unset_placeholder`, `misconfigured`.
    pub fn new(auth: &Auth, base_url: &Url, values: &PlaceholderValues, retry: &Retry) -> Result<Self, SourceError> {
        let fill = |text: &str| request::fill(text, TemplateContext::default(), values);
        let secret = |text: &str| fill(text).map(SecretString::from);
        let issued = |request, reply| {
            let issuer = TokenIssuer { request, reply, cached: Mutex::new(None) };
            Credentials::Issued(Box::new(issuer))
        };
        let credentials = match auth {
            Auth::None => Credentials::None,
            Auth::Basic { username, password } => {
                Credentials::Basic { username: fill(username)?, password: secret(password)? }
            }
            Auth::Bearer { token } => Credentials::Bearer(secret(token)?),
            Auth::ApiKey { name, value, place } => {
                Credentials::Key { name: name.clone(), value: secret(value)?, place: *place }
            }
            Auth::Signature { .. } => Credentials::Signed(Box::new(Signer::new(auth, values)?)),
            Auth::Oauth2ClientCredentials { token_url, client_id, client_secret, secret_place, scope } => {
                let mut request = token_request(token_url, "client_credentials", values)?;
                match secret_place {
                    SecretPlace::Body => {
                        request.form.push(("client_id".to_owned(), fill(client_id)?));
                        request.form.push(("client_secret".to_owned(), fill(client_secret)?));
                    }
                    SecretPlace::Header => request.basic = Some((fill(client_id)?, secret(client_secret)?)),
                }
                if let Some(scope) = scope {
                    request.form.push(("scope".to_owned(), fill(scope)?));
                }
                issued(request, TokenReply::Oauth2)
            }
            Auth::Oauth2Password { token_url, username, password, client_id, client_secret, secret_place, scope } => {
                let mut request = token_request(token_url, "password", values)?;
                request.form.push(("username".to_owned(), fill(username)?));
                request.form.push(("password".to_owned(), fill(password)?));
                let id = client_id.as_deref().map(fill).transpose()?;
                let client_secret = client_secret.as_deref().map(fill).transpose()?;
                match secret_place {
                    SecretPlace::Body => {
                        request.form.extend(id.map(|id| ("client_id".to_owned(), id)));
                        request.form.extend(client_secret.map(|secret| ("client_secret".to_owned(), secret)));
                    }
                    SecretPlace::Header => {
                        request.basic = id.map(|id| (id, SecretString::from(client_secret.unwrap_or_default())));
                    }
                }
                request.form.extend(scope.as_deref().map(fill).transpose()?.map(|scope| ("scope".to_owned(), scope)));
                issued(request, TokenReply::Oauth2)
            }
            Auth::Login { request, token, ok, lifetime_secs, .. } => {
                let lifetime = lifetime_secs.map(seconds);
                let reply = TokenReply::Session { token: token.clone(), ok: ok.clone(), lifetime };
                let mut request = request::login(base_url, request, values)?;
                if token.is_none() {
                    request.kept_headers.push(SET_COOKIE.to_owned());
                }
                issued(request, reply)
            }
        };
        Ok(Self { credentials, retry: retry.clone(), now: i64::MIN, started: Instant::now() })
    }

    /// Sets the time, microseconds UTC, with which dates in replies are compared.
    #[must_use]
    pub fn at(self, now: i64) -> Self {
        Self { now, ..self }
    }

    /// Host of the login or token request; `None` for fixed credentials.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.issuer().and_then(|issuer| issuer.request.url.host_str())
    }

    /// The value of the placeholder `{session}`; `None` unless `auth.type` is `login` with a session token.
    #[must_use]
    pub fn session<'a>(&self, token: Option<&'a Token>) -> Option<&'a SecretString> {
        let is_session = |issuer: &TokenIssuer| matches!(issuer.reply, TokenReply::Session { token: Some(_), .. });
        token.filter(|_| self.issuer().is_some_and(is_session)).map(|token| &token.secret)
    }

    /// Adds credentials to a request, which is sent at `now` (microseconds UTC). The token of a session is not added here:
    /// the request's templates place it.
    pub fn add_credentials(&self, request: &mut Request, token: Option<&Token>, now: i64) {
        match &self.credentials {
            Credentials::None => {}
            Credentials::Signed(signer) => signer.sign(request, now),
            Credentials::Basic { username, password } => request.basic = Some((username.clone(), password.clone())),
            Credentials::Bearer(bearer) => request.bearer = Some(bearer.clone()),
            Credentials::Key { name, value, place: KeyPlace::Header } => {
                request.headers.push((name.clone(), value.expose_secret().to_owned()));
            }
            Credentials::Key { name, value, place: KeyPlace::Query } => {
                request::remove_parameters(&mut request.url, |found| found == name);
                request.url.query_pairs_mut().append_pair(name, value.expose_secret());
            }
            Credentials::Issued(issuer) => match issuer.reply {
                TokenReply::Oauth2 => request.bearer = token.map(|token| token.secret.clone()),
                TokenReply::Session { .. } if issuer.is_of_cookies() => {
                    // Cookies belong to the host that set them (RFC 6265 §5.3); what came over TLS goes over TLS.
                    let is_its_host = request.url.host() == issuer.request.url.host()
                        && request.url.scheme() == issuer.request.url.scheme();
                    let cookies = token.filter(|_| is_its_host).map(|token| token.secret.expose_secret().to_owned());
                    request.headers.extend(cookies.map(|cookies| ("cookie".to_owned(), cookies)));
                }
                TokenReply::Session { .. } => {}
            },
        }
    }

    /// Whether the query parameter holds the API key.
    #[must_use]
    pub fn is_credential_parameter(&self, parameter: &str) -> bool {
        matches!(&self.credentials, Credentials::Key { name, place: KeyPlace::Query, .. } if name == parameter)
    }

    /// Whether the response rejects the credentials, so that a new token may help: status 401, one of the statuses that
    /// frameworks use for an expired session (419, 440, 498), or a 403 that calls the token expired. Of a session, also any
    /// other 403 and an HTML page, and of one of cookies a redirect: they may lead to the page of the login.
    #[must_use]
    pub fn is_rejected_by(&self, response: &Response) -> bool {
        let is_session = self.issuer().is_some_and(|issuer| matches!(issuer.reply, TokenReply::Session { .. }));
        match response.status {
            401 => true,
            419 | 440 | 498 => self.issuer().is_some(),
            403 => is_session || self.issuer().is_some() && response::names_expired_token(response),
            302 | 303 | 307 => self.issuer().is_some_and(TokenIssuer::is_of_cookies),
            200 => is_session && response::is_html(response),
            _ => false,
        }
    }

    /// Message for a rejection (401 or an expired session) after which nothing more can be tried.
    #[must_use]
    pub fn refusal_message(&self) -> &'static str {
        match &self.credentials {
            Credentials::None => "the source requires a login",
            Credentials::Issued(issuer) if matches!(issuer.reply, TokenReply::Session { .. }) => {
                "the source rejected a new session"
            }
            Credentials::Issued(_) => "the source rejected a new token",
            _ => "the source rejected the credentials of `[auth]`",
        }
    }

    /// The token for the next request, fetched if there is no valid one; `None` for fixed credentials.
    ///
    /// # Errors
    /// `login_refused`, or why the token request failed.
    pub async fn token(&self, transport: &dyn Transport) -> Result<Option<Token>, SourceError> {
        let Some(issuer) = self.issuer() else { return Ok(None) };
        let mut cached = issuer.cached.lock().await;
        match &*cached {
            Some(token) if token.expires.is_none_or(|expires| Instant::now() < expires) => Ok(Some(token.clone())),
            _ => self.fetch(issuer, &mut cached, transport).await.map(Some),
        }
    }

    /// Renews a rejected token; `None` for fixed credentials. If it was renewed meanwhile, returns the newer token.
    ///
    /// # Errors
    /// As [`Login::token`].
    pub async fn renew(&self, rejected: &Token, transport: &dyn Transport) -> Result<Option<Token>, SourceError> {
        let Some(issuer) = self.issuer() else { return Ok(None) };
        let mut cached = issuer.cached.lock().await;
        match &*cached {
            Some(token) if token.number != rejected.number => Ok(Some(token.clone())),
            _ => self.fetch(issuer, &mut cached, transport).await.map(Some),
        }
    }

    fn now(&self) -> i64 {
        let passed = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.now.saturating_add(passed)
    }

    fn issuer(&self) -> Option<&TokenIssuer> {
        match &self.credentials {
            Credentials::Issued(issuer) => Some(issuer),
            _ => None,
        }
    }

    async fn fetch(
        &self,
        issuer: &TokenIssuer,
        cached: &mut Option<Token>,
        transport: &dyn Transport,
    ) -> Result<Token, SourceError> {
        let request = &issuer.request;
        let refused = |why: String| SourceError::new(ErrorKind::LoginRefused, format!("{}: {why}", request.label));
        let response = transport.send(request).await?;
        if matches!(response.status, 400 | 401 | 403) {
            return Err(refused(format!("the login was refused with status {}", response.status)));
        }
        let cookies = cookies_of(&response, request.url.scheme() == "https", self.now());
        let body = match issuer.reply {
            // A login form often answers with a redirect to the first page, beside the cookies.
            TokenReply::Session { token: None, ok: None, .. } if !cookies.is_empty() && response.status < 400 => {
                Vec::new()
            }
            _ => response::successful_body(response, request, &self.retry)?,
        };
        if body.len() > MAX_TOKEN_BYTES {
            let message = format!("{}: the response is longer than {MAX_TOKEN_BYTES} bytes", request.label);
            return Err(SourceError::new(ErrorKind::BodyTooLarge, message));
        }
        let (secret, lifetime) = issuer.reply.read(&body, cookies).map_err(refused)?;
        let number = cached.as_ref().map_or(0, |token| token.number) + 1;
        let expires = lifetime.map(|lifetime| Instant::now() + lifetime * 9 / 10);
        let token = Token { secret, number, expires };
        *cached = Some(token.clone());
        Ok(token)
    }
}

impl TokenIssuer {
    /// Whether the session is the cookies that the login sets.
    fn is_of_cookies(&self) -> bool {
        matches!(self.reply, TokenReply::Session { token: None, .. })
    }
}

impl TokenReply {
    /// The token and its lifetime from a response body and the cookies that the response sets.
    ///
    /// # Errors
    /// Why the body has no token, in words that contain none of it.
    fn read(&self, body: &[u8], cookies: String) -> Result<(SecretString, Option<Duration>), String> {
        match self {
            Self::Oauth2 => {
                let issued: Oauth2Token =
                    serde_json::from_slice(body).map_err(|_| "the response has no `access_token`".to_owned())?;
                Ok((issued.access_token.into(), lifetime_of(&issued.expires_in)))
            }
            Self::Session { token: None, ok: None, lifetime } => {
                if cookies.is_empty() {
                    return Err("the response sets no cookie".to_owned());
                }
                Ok((cookies.into(), *lifetime))
            }
            Self::Session { token, ok, lifetime } => {
                let reply: Value = serde_json::from_slice(body).map_err(|_| "the response is not JSON".to_owned())?;
                if let Some(ok) = ok {
                    let found = text_at(&reply, &ok.path).unwrap_or_default();
                    if !ok.values.contains(&found) {
                        return Err(format!("the response's `{}` {}", ok.path, describe_reply_code(&found)));
                    }
                }
                let session = match token {
                    Some(path) => text_at(&reply, path),
                    None => Some(cookies),
                };
                let session = session.filter(|session| !session.is_empty()).ok_or_else(|| match token {
                    Some(path) => format!("the response has no session at `{path}`"),
                    None => "the response sets no cookie".to_owned(),
                })?;
                Ok((session.into(), *lifetime))
            }
        }
    }
}

/// The request for a token, without what the kind of grant adds.
fn token_request(token_url: &str, grant: &str, values: &PlaceholderValues) -> Result<Request, SourceError> {
    let url = request::address("auth.token_url", token_url, values)?;
    let mut request = Request::new(Method::Post, url, "POST `auth.token_url`".to_owned());
    request.headers.push(("accept".to_owned(), "application/json".to_owned()));
    request.form.push(("grant_type".to_owned(), grant.to_owned()));
    Ok(request)
}

/// The scalar at a path as text. A key may itself contain dots.
fn text_at(value: &Value, path: &str) -> Option<String> {
    if path.is_empty() {
        return match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        };
    }
    value.as_object()?.iter().find_map(|(key, below)| {
        let rest = path.strip_prefix(key.as_str())?;
        if rest.is_empty() { text_at(below, rest) } else { text_at(below, rest.strip_prefix('.')?) }
    })
}

/// The lifetime that a token response declares: a number of seconds, or its text (both occur), without the fraction.
/// `None` if there is none, or if it is not above 0: the token is then used until the source rejects it.
fn lifetime_of(expires_in: &Value) -> Option<Duration> {
    let text = text_at(expires_in, "")?;
    let (whole, _) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    whole.parse().ok().filter(|number| *number > 0).map(seconds)
}

/// A lifetime, capped at `u32::MAX` seconds so that adding it to an [`Instant`] cannot overflow.
fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(u64::from(u32::MAX)))
}
