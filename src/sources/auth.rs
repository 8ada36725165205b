//! Proving who sends a request: with what does not change (a password, a token, a key), or with what is granted (an
//! OAuth2 token, RFC 6749 §4.4; the session of a login).
//!
//! What is granted is kept until nine tenths of its life are over. What the source refuses is renewed once: who comes
//! second with the same refused token gets the new one.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::model::connector::{Auth, KeyPlace, Method, ReplyValues, Retry, SecretPlace};
use crate::model::values::Values;
use crate::sources::answer;
use crate::sources::decode::facts::said;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::{self, Request, TemplateContext};
use crate::sources::transport::Transport;

/// A granted token or session, and which one it is.
#[derive(Clone)]
pub struct Token {
    secret: SecretString,
    number: u64,
    expires: Option<Instant>,
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Token").field("number", &self.number).finish_non_exhaustive()
    }
}

/// How a connector logs in.
#[derive(Debug)]
pub struct Login {
    proof: Proof,
    retry: Retry,
}

#[derive(Debug)]
enum Proof {
    None,
    Basic { username: String, password: SecretString },
    Bearer(SecretString),
    Key { name: String, value: SecretString, place: KeyPlace },
    Granted(Box<Grant>),
}

#[derive(Debug)]
struct Grant {
    request: Request,
    reply: Reply,
    /// Held while a token is fetched, so that one is fetched at a time.
    cached: Mutex<Option<Token>>,
}

/// What a reply that grants looks like.
#[derive(Debug)]
enum Reply {
    Oauth2,
    Session { token: String, ok: Option<ReplyValues>, lifetime: Option<Duration> },
}

#[derive(Deserialize)]
struct GrantedToken {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Login {
    /// # Errors
    /// `unset_placeholder`, `misconfigured`.
    pub fn new(auth: &Auth, base_url: &Url, values: &Values, retry: &Retry) -> Result<Self, SourceError> {
        let fill = |text: &str| request::fill(text, TemplateContext::default(), values);
        let secret = |text: &str| fill(text).map(SecretString::from);
        let granted = |request, reply| Proof::Granted(Box::new(Grant { request, reply, cached: Mutex::new(None) }));
        let proof = match auth {
            Auth::None => Proof::None,
            Auth::Basic { username, password } => {
                Proof::Basic { username: fill(username)?, password: secret(password)? }
            }
            Auth::Bearer { token } => Proof::Bearer(secret(token)?),
            Auth::ApiKey { name, value, place } => {
                Proof::Key { name: name.clone(), value: secret(value)?, place: *place }
            }
            Auth::Oauth2ClientCredentials { token_url, client_id, client_secret, secret_place, scope } => {
                let url = request::address("auth.token_url", token_url, values)?;
                let mut request = Request::new(Method::Post, url, "POST `auth.token_url`".to_owned());
                request.headers.push(("accept".to_owned(), "application/json".to_owned()));
                request.form.push(("grant_type".to_owned(), "client_credentials".to_owned()));
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
                granted(request, Reply::Oauth2)
            }
            Auth::Login { request, token, ok, lifetime_secs, .. } => {
                let lifetime = lifetime_secs.map(seconds);
                let reply = Reply::Session { token: token.clone(), ok: ok.clone(), lifetime };
                granted(request::login(base_url, request, values)?, reply)
            }
        };
        Ok(Self { proof, retry: retry.clone() })
    }

    /// Host that grants.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.grant().and_then(|grant| grant.request.url.host_str())
    }

    /// The session among a request's placeholders; `None` if what is granted goes elsewhere.
    #[must_use]
    pub fn session<'a>(&self, token: Option<&'a Token>) -> Option<&'a SecretString> {
        let is_session = self.grant().is_some_and(|grant| matches!(grant.reply, Reply::Session { .. }));
        token.filter(|_| is_session).map(|token| &token.secret)
    }

    /// Puts into a request what proves who sends it.
    pub fn sign(&self, request: &mut Request, token: Option<&Token>) {
        match &self.proof {
            Proof::None => {}
            Proof::Basic { username, password } => request.basic = Some((username.clone(), password.clone())),
            Proof::Bearer(bearer) => request.bearer = Some(bearer.clone()),
            Proof::Key { name, value, place: KeyPlace::Header } => {
                request.headers.push((name.clone(), value.expose_secret().to_owned()));
            }
            Proof::Key { name, value, place: KeyPlace::Query } => {
                request::without(&mut request.url, |found| found == name);
                request.url.query_pairs_mut().append_pair(name, value.expose_secret());
            }
            Proof::Granted(grant) => {
                if matches!(grant.reply, Reply::Oauth2) {
                    request.bearer = token.map(|token| token.secret.clone());
                }
            }
        }
    }

    /// Whether a query parameter holds what proves who sends.
    #[must_use]
    pub fn is_key(&self, parameter: &str) -> bool {
        matches!(&self.proof, Proof::Key { name, place: KeyPlace::Query, .. } if name == parameter)
    }

    /// What a 401 means after which nothing more can be tried.
    #[must_use]
    pub fn refusal(&self) -> &'static str {
        match &self.proof {
            Proof::None => "the source wants a login",
            Proof::Granted(grant) if matches!(grant.reply, Reply::Session { .. }) => "a fresh session was refused",
            Proof::Granted(_) => "a fresh token was refused",
            _ => "the source refused the credentials of `[auth]`",
        }
    }

    /// The token to send; `None` if nothing is granted to the connector.
    ///
    /// # Errors
    /// `login_refused`, or why the source could not be asked.
    pub async fn token(&self, transport: &dyn Transport) -> Result<Option<Token>, SourceError> {
        let Some(grant) = self.grant() else { return Ok(None) };
        let mut cached = grant.cached.lock().await;
        match &*cached {
            Some(token) if token.expires.is_none_or(|expires| Instant::now() < expires) => Ok(Some(token.clone())),
            _ => self.fetch(grant, &mut cached, transport).await.map(Some),
        }
    }

    /// A token in the place of one that the source refused; `None` if nothing is granted to the connector.
    ///
    /// # Errors
    /// As [`Login::token`].
    pub async fn renew(&self, refused: &Token, transport: &dyn Transport) -> Result<Option<Token>, SourceError> {
        let Some(grant) = self.grant() else { return Ok(None) };
        let mut cached = grant.cached.lock().await;
        match &*cached {
            Some(token) if token.number != refused.number => Ok(Some(token.clone())),
            _ => self.fetch(grant, &mut cached, transport).await.map(Some),
        }
    }

    fn grant(&self) -> Option<&Grant> {
        match &self.proof {
            Proof::Granted(grant) => Some(grant),
            _ => None,
        }
    }

    async fn fetch(
        &self,
        grant: &Grant,
        cached: &mut Option<Token>,
        transport: &dyn Transport,
    ) -> Result<Token, SourceError> {
        let request = &grant.request;
        let refused = |why: String| SourceError::new(ErrorKind::LoginRefused, format!("{}: {why}", request.label));
        let response = transport.send(request).await?;
        if matches!(response.status, 400 | 401 | 403) {
            return Err(refused(format!("the login was refused with status {}", response.status)));
        }
        let body = answer::body(response, request, &self.retry)?;
        let (secret, life) = grant.reply.read(&body).map_err(refused)?;
        let number = cached.as_ref().map_or(0, |token| token.number) + 1;
        let expires = life.map(|life| Instant::now() + life * 9 / 10);
        let token = Token { secret, number, expires };
        *cached = Some(token.clone());
        Ok(token)
    }
}

impl Reply {
    /// The secret that a reply grants and how long it lives, or why it grants none.
    fn read(&self, body: &[u8]) -> Result<(SecretString, Option<Duration>), String> {
        match self {
            Self::Oauth2 => {
                let granted: GrantedToken =
                    serde_json::from_slice(body).map_err(|_| "the answer holds no `access_token`".to_owned())?;
                Ok((granted.access_token.into(), granted.expires_in.map(seconds)))
            }
            Self::Session { token, ok, lifetime } => {
                let reply: Value = serde_json::from_slice(body).map_err(|_| "the reply is no JSON".to_owned())?;
                if let Some(ok) = ok {
                    let found = text_at(&reply, &ok.path).unwrap_or_default();
                    if !ok.values.contains(&found) {
                        return Err(format!("the reply's `{}` {}", ok.path, said(&found)));
                    }
                }
                let session = text_at(&reply, token).filter(|session| !session.is_empty());
                let session = session.ok_or_else(|| format!("the reply holds no session at `{token}`"))?;
                Ok((session.into(), *lifetime))
            }
        }
    }
}

/// The text of a scalar; a key may itself hold dots.
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

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(u64::from(u32::MAX)))
}
