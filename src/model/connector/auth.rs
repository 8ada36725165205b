//! What a connector says of logins: how a request proves who sends it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::connector::Method;

/// `[auth]`: how a request proves who sends it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    #[default]
    None,
    /// User name and password in the `Authorization` header (RFC 7617).
    Basic {
        /// May hold `{env:NAME}` or `{secret:NAME}`.
        username: String,
        /// `{secret:NAME}`.
        password: String,
    },
    /// A token that does not change (RFC 6750 §2.1).
    Bearer {
        /// `{secret:NAME}`.
        token: String,
    },
    /// A key that does not change, in a header or a query parameter.
    ApiKey {
        /// Name of the header or parameter.
        name: String,
        /// `{secret:NAME}`.
        value: String,
        #[serde(default)]
        place: KeyPlace,
    },
    /// A bearer token from a token endpoint (RFC 6749 §4.4), renewed once on 401.
    Oauth2ClientCredentials {
        /// May hold `{env:NAME}`.
        token_url: String,
        /// May hold `{env:NAME}` or `{secret:NAME}`.
        client_id: String,
        /// `{secret:NAME}`.
        client_secret: String,
        /// Where id and secret stand in the token request.
        #[serde(default)]
        secret_place: SecretPlace,
        #[serde(default)]
        scope: Option<String>,
    },
    /// A request that opens a session; it goes where `[request]` says `{session}`. Renewed once on 401 or on a reply
    /// that means "log in again".
    Login {
        request: LoginRequest,
        /// Path of the session in the reply.
        token: String,
        /// Reply values that mean that the login succeeded; absent: a reply with a session is enough.
        #[serde(default)]
        ok: Option<ReplyValues>,
        /// Reply values of a page that mean "log in again".
        #[serde(default)]
        expired: Option<ReplyValues>,
        /// Life of a session; absent: until the source refuses it.
        #[serde(default)]
        lifetime_secs: Option<u64>,
    },
}

/// Where an API key stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    #[default]
    Header,
    Query,
}

/// Where the client's id and secret stand in a token request (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretPlace {
    /// In the form.
    #[default]
    Body,
    /// In the `Authorization` header, as `basic`.
    Header,
}

/// The request that opens a session. Placeholders: `{env:NAME} {secret:NAME}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    #[serde(default = "post")]
    pub method: Method,
    /// A whole address, or a path below `base_url`.
    pub url: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON; values are escaped.
    #[serde(default)]
    pub body: Option<String>,
}

/// A place of a reply, and values of it. An absent value counts as the empty text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyValues {
    pub path: String,
    /// As text: `"0"` is also the number 0.
    pub values: Vec<String>,
}

fn post() -> Method {
    Method::Post
}
