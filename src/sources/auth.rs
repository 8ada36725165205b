//! Proving who sends a request: OAuth2 client credentials (RFC 6749 §4.4), the secret in the form body.
//!
//! A token is kept until nine tenths of its life are over. One that the source refuses is renewed once: who comes
//! second with the same refused token gets the new one.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::model::connector::{Auth, Method, Retry};
use crate::model::values::Values;
use crate::sources::answer;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::{self, Place, Request};
use crate::sources::transport::Transport;

/// A bearer token and which one it is.
#[derive(Clone)]
pub struct Token {
    pub bearer: SecretString,
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
    credentials: Option<Credentials>,
    retry: Retry,
}

#[derive(Debug)]
struct Credentials {
    request: Request,
    /// Held while a token is fetched, so that one is fetched at a time.
    cached: Mutex<Option<Token>>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Login {
    /// # Errors
    /// `unset_placeholder`, `misconfigured`.
    pub fn new(auth: &Auth, values: &Values, retry: &Retry) -> Result<Self, SourceError> {
        let credentials = match auth {
            Auth::None => None,
            Auth::Oauth2ClientCredentials { token_url, client_id, client_secret, scope } => {
                let fill = |text: &str| request::fill(text, Place::default(), values);
                let mut form = vec![
                    ("grant_type".to_owned(), "client_credentials".to_owned()),
                    ("client_id".to_owned(), fill(client_id)?),
                    ("client_secret".to_owned(), fill(client_secret)?),
                ];
                if let Some(scope) = scope {
                    form.push(("scope".to_owned(), fill(scope)?));
                }
                let request = Request {
                    method: Method::Post,
                    url: request::address("auth.token_url", token_url, values)?,
                    headers: vec![("accept".to_owned(), "application/json".to_owned())],
                    form,
                    bearer: None,
                    label: "POST `auth.token_url`".to_owned(),
                };
                Some(Credentials { request, cached: Mutex::new(None) })
            }
        };
        Ok(Self { credentials, retry: retry.clone() })
    }

    /// Host of the token endpoint.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.credentials.as_ref().and_then(|credentials| credentials.request.url.host_str())
    }

    /// The token to send; `None` if the connector sends none.
    ///
    /// # Errors
    /// `login_refused`, or why the token endpoint could not be asked.
    pub async fn token(&self, transport: &dyn Transport) -> Result<Option<Token>, SourceError> {
        let Some(credentials) = &self.credentials else { return Ok(None) };
        let mut cached = credentials.cached.lock().await;
        match &*cached {
            Some(token) if token.expires.is_none_or(|expires| Instant::now() < expires) => Ok(Some(token.clone())),
            _ => self.fetch(credentials, &mut cached, transport).await.map(Some),
        }
    }

    /// A token in the place of one that the source refused; `None` if the connector sends none.
    ///
    /// # Errors
    /// As [`Login::token`].
    pub async fn renew(&self, refused: &Token, transport: &dyn Transport) -> Result<Option<Token>, SourceError> {
        let Some(credentials) = &self.credentials else { return Ok(None) };
        let mut cached = credentials.cached.lock().await;
        match &*cached {
            Some(token) if token.number != refused.number => Ok(Some(token.clone())),
            _ => self.fetch(credentials, &mut cached, transport).await.map(Some),
        }
    }

    async fn fetch(
        &self,
        credentials: &Credentials,
        cached: &mut Option<Token>,
        transport: &dyn Transport,
    ) -> Result<Token, SourceError> {
        let request = &credentials.request;
        let refused = |why: &str| SourceError::new(ErrorKind::LoginRefused, format!("{}: {why}", request.label));
        let response = transport.send(request).await?;
        if matches!(response.status, 400 | 401 | 403) {
            return Err(refused(&format!("the login was refused with status {}", response.status)));
        }
        let body = answer::body(response, request, &self.retry)?;
        let granted: Granted =
            serde_json::from_slice(&body).map_err(|_| refused("the answer holds no `access_token`"))?;
        let life = granted.expires_in.map(|seconds| Duration::from_secs(seconds.min(u64::from(u32::MAX))));
        let number = cached.as_ref().map_or(0, |token| token.number) + 1;
        let expires = life.map(|life| Instant::now() + life * 9 / 10);
        let token = Token { bearer: granted.access_token.into(), number, expires };
        *cached = Some(token.clone());
        Ok(token)
    }
}
