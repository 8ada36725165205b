//! `[auth]` of a connector: how requests are authenticated.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::connector::Method;

/// `[auth]`: how requests are authenticated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    #[default]
    None,
    /// User name and password in the `Authorization` header (RFC 7617).
    Basic {
        /// May contain `{env:NAME}` or `{secret:NAME}`.
        username: String,
        /// `{secret:NAME}`.
        password: String,
    },
    /// A fixed bearer token (RFC 6750 §2.1).
    Bearer {
        /// `{secret:NAME}`.
        token: String,
    },
    /// A fixed key in a header or a query parameter.
    ApiKey {
        /// Name of the header or parameter.
        name: String,
        /// `{secret:NAME}`.
        value: String,
        #[serde(default)]
        place: KeyPlace,
    },
    /// A bearer token from a token endpoint (RFC 6749 §4.4). Renewed once if the source rejects it.
    Oauth2ClientCredentials {
        /// May contain `{env:NAME}`.
        token_url: String,
        /// May contain `{env:NAME}` or `{secret:NAME}`.
        client_id: String,
        /// `{secret:NAME}`.
        client_secret: String,
        /// Part of the token request that carries id and secret.
        #[serde(default)]
        secret_place: SecretPlace,
        #[serde(default)]
        scope: Option<String>,
    },
    /// A bearer token for a user's name and password (RFC 6749 §4.3), where a source knows no other way. Renewed once if the
    /// source rejects it.
    Oauth2Password {
        /// May contain `{env:NAME}`.
        token_url: String,
        /// May contain `{env:NAME}` or `{secret:NAME}`.
        username: String,
        /// `{secret:NAME}`.
        password: String,
        /// May contain `{env:NAME}` or `{secret:NAME}`.
        #[serde(default)]
        client_id: Option<String>,
        /// `{secret:NAME}`.
        #[serde(default)]
        client_secret: Option<String>,
        /// Part of the token request that carries the client's id and secret.
        #[serde(default)]
        secret_place: SecretPlace,
        #[serde(default)]
        scope: Option<String>,
    },
    /// A signature of each request (HMAC, RFC 2104) in its headers. `text` and `headers` have the placeholders `{method}
    /// {host} {path} {query} {timestamp} {nonce} {body} {body_digest} {env:NAME} {secret:NAME}`.
    Signature {
        /// `{secret:NAME}`.
        secret: String,
        /// The text that is signed.
        text: String,
        /// Header → value; one of them has `{signature}`.
        headers: BTreeMap<String, String>,
        #[serde(default)]
        algorithm: SignatureAlgorithm,
        /// How the signature and `{body_digest}` are written.
        #[serde(default)]
        encoding: SignatureEncoding,
        /// How `{timestamp}`, the time of the request, is written.
        #[serde(default)]
        time: SignatureTime,
    },
    /// A request that opens a session. The session replaces `{session}` in `[request]`. Renewed once if the source
    /// rejects it, or on a reply that means "log in again".
    Login {
        request: LoginRequest,
        /// Path of the session token in the reply; absent if the session is the cookies that the reply sets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Values of the reply that mean success; if absent, a reply with a session token is enough.
        #[serde(default)]
        ok: Option<ReplyValues>,
        /// Values in the reply of a page that mean "log in again".
        #[serde(default)]
        expired: Option<ReplyValues>,
        /// Lifetime of a session; if absent, it is used until the source refuses it.
        #[serde(default)]
        lifetime_secs: Option<u64>,
    },
}

/// How a signature is computed. `{body_digest}` is the hash of the same function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureAlgorithm {
    #[default]
    HmacSha256,
    HmacSha512,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureEncoding {
    #[default]
    Hex,
    Base64,
}

/// How the time of a signed request is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureTime {
    /// Seconds since 1970.
    #[default]
    Unix,
    /// Milliseconds since 1970.
    UnixMillis,
    /// `2026-01-05T01:02:03Z`.
    Rfc3339,
}

/// Part of the request that carries an API key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    #[default]
    Header,
    Query,
}

/// Part of the token request that carries the client's id and secret (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretPlace {
    /// Form fields of the body.
    #[default]
    Body,
    /// `Authorization` header, as for `basic`.
    Header,
}

/// The request that opens a session. Placeholders: `{env:NAME} {secret:NAME}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    #[serde(default = "post")]
    pub method: Method,
    /// Absolute URL, or path below `base_url`.
    pub url: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON body; placeholder values are escaped.
    #[serde(default)]
    pub body: Option<String>,
}

/// Path in a reply, and values to compare with. An absent value counts as the empty text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyValues {
    pub path: String,
    /// Compared as text: `"0"` also matches the number 0.
    pub values: Vec<String>,
}

fn post() -> Method {
    Method::Post
}
