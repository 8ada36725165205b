//! Signs requests (`auth.type = "signature"`): an HMAC (RFC 2104) over a text that the connector declares, of the request's
//! method, address, time and body.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256, Sha512};

use crate::model::connector::{Auth, SignatureAlgorithm, SignatureEncoding, SignatureTime};
use crate::model::values::{PlaceholderValues, placeholders};
use crate::sources::decode::hex_digest;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::{self, Request, TemplateContext};

/// Begins the texts of nonces, so that no text of a connector has the same HMAC.
const NONCE: &str = "motcua nonce";

/// Signs the requests of one pull.
#[derive(Debug)]
pub(crate) struct Signer {
    secret: SecretString,
    /// With the variables and secrets filled in; the placeholders of the request are left.
    text: SecretString,
    headers: Vec<(String, SecretString)>,
    algorithm: SignatureAlgorithm,
    encoding: SignatureEncoding,
    time: SignatureTime,
    signed: AtomicU64,
}

impl Signer {
    /// The signer of `auth.type = "signature"`.
    ///
    /// # Errors
    /// `unset_placeholder`; `misconfigured` for another type.
    pub(crate) fn new(auth: &Auth, values: &PlaceholderValues) -> Result<Self, SourceError> {
        let Auth::Signature { secret, text, headers, algorithm, encoding, time } = auth else {
            return Err(SourceError::new(ErrorKind::Misconfigured, "`auth.type` is no signature"));
        };
        let fill = |text: &str| values.fill(text).map(SecretString::from).map_err(|unset| request::unset(&unset));
        let headers = headers.iter().map(|(name, value)| Ok((name.clone(), fill(value)?)));
        Ok(Self {
            secret: request::fill(secret, TemplateContext::default(), values)?.into(),
            text: fill(text)?,
            headers: headers.collect::<Result<_, SourceError>>()?,
            algorithm: *algorithm,
            encoding: *encoding,
            time: *time,
            signed: AtomicU64::new(0),
        })
    }

    /// Adds the headers with the signature. `now` is microseconds UTC.
    pub(crate) fn sign(&self, request: &mut Request, now: i64) {
        let timestamp = self.timestamp(now);
        let nonce = self.nonce(now);
        let body = request.body.as_deref().unwrap_or_default();
        let digest = |of: &[u8]| self.encoded(&self.digest(of));
        let fill = |template: &SecretString, signature: &str| {
            let mut filled = String::new();
            let mut rest = template.expose_secret();
            for placeholder in placeholders(template.expose_secret()) {
                let (before, after) = rest.split_once(placeholder).unwrap_or((rest, ""));
                filled.push_str(before);
                rest = after;
                match placeholder {
                    "{method}" => filled.push_str(request::method_name(request.method)),
                    "{host}" => filled.push_str(request.url.host_str().unwrap_or_default()),
                    "{path}" => filled.push_str(request.url.path()),
                    "{query}" => filled.push_str(request.url.query().unwrap_or_default()),
                    "{timestamp}" => filled.push_str(&timestamp),
                    "{nonce}" => filled.push_str(&nonce),
                    "{body}" => filled.push_str(body),
                    "{body_digest}" => filled.push_str(&digest(body.as_bytes())),
                    "{signature}" => filled.push_str(signature),
                    other => filled.push_str(other),
                }
            }
            filled + rest
        };
        let text = fill(&self.text, "");
        let signature = self.encoded(&self.hmac(self.secret.expose_secret().as_bytes(), text.as_bytes()));
        let headers: Vec<(String, String)> =
            self.headers.iter().map(|(name, value)| (name.clone(), fill(value, &signature))).collect();
        request.headers.extend(headers);
    }

    fn timestamp(&self, now: i64) -> String {
        match self.time {
            SignatureTime::Unix => (now / 1_000_000).to_string(),
            SignatureTime::UnixMillis => (now / 1_000).to_string(),
            // Whole seconds, as RFC 3339 writes them: 2026-01-05T01:02:03Z.
            SignatureTime::Rfc3339 => {
                Timestamp::from_second(now / 1_000_000).map(|at| at.to_string()).unwrap_or_default()
            }
        }
    }

    /// A text that no other request of the pull has, and that cannot be guessed without the secret. It is sent in clear:
    /// the HMAC makes it no easier to find the secret than the signature does.
    fn nonce(&self, now: i64) -> String {
        let number = self.signed.fetch_add(1, Ordering::Relaxed);
        let text = format!("{NONCE}|{now}|{number}");
        hex_digest(&self.hmac(self.secret.expose_secret().as_bytes(), text.as_bytes()))[..32].to_owned()
    }

    fn digest(&self, text: &[u8]) -> Vec<u8> {
        match self.algorithm {
            SignatureAlgorithm::HmacSha256 => Sha256::digest(text).to_vec(),
            SignatureAlgorithm::HmacSha512 => Sha512::digest(text).to_vec(),
        }
    }

    /// HMAC of a text.
    fn hmac(&self, secret: &[u8], text: &[u8]) -> Vec<u8> {
        let algorithm = match self.algorithm {
            SignatureAlgorithm::HmacSha256 => hmac::HMAC_SHA256,
            SignatureAlgorithm::HmacSha512 => hmac::HMAC_SHA512,
        };
        hmac::sign(&hmac::Key::new(algorithm, secret), text).as_ref().to_vec()
    }

    fn encoded(&self, bytes: &[u8]) -> String {
        match self.encoding {
            SignatureEncoding::Hex => bytes.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            }),
            SignatureEncoding::Base64 => BASE64_STANDARD.encode(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use url::Url;

    use super::*;
    use crate::model::connector::Method;

    fn signer(algorithm: SignatureAlgorithm, encoding: SignatureEncoding, secret: &str, text: &str) -> Signer {
        let signature = Auth::Signature {
            algorithm,
            encoding,
            secret: "{secret:KEY}".to_owned(),
            text: text.to_owned(),
            time: SignatureTime::Rfc3339,
            headers: BTreeMap::from([
                ("x-signature".to_owned(), "v1={signature}".to_owned()),
                ("x-time".to_owned(), "{timestamp}".to_owned()),
                ("x-nonce".to_owned(), "{nonce}".to_owned()),
            ]),
        };
        let mut values = PlaceholderValues::default();
        values.set_secret("KEY", secret);
        Signer::new(&signature, &values).expect("the secret is set")
    }

    fn hex(bytes: &[u8]) -> String {
        signer(SignatureAlgorithm::HmacSha256, SignatureEncoding::Hex, "", "").encoded(bytes)
    }

    /// RFC 4231 §4.3 and §4.7: a short key, and one that is longer than a block.
    #[test]
    fn the_hmac_is_that_of_the_test_vectors() {
        let of = |algorithm, secret: &[u8], text: &str| {
            hex(&signer(algorithm, SignatureEncoding::Hex, "", "").hmac(secret, text.as_bytes()))
        };
        let (sha256, sha512) = (SignatureAlgorithm::HmacSha256, SignatureAlgorithm::HmacSha512);
        assert_eq!(
            of(sha256, b"Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            of(sha256, &[0xaa; 131], "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
        assert_eq!(
            of(sha512, b"Jefe", "what do ya want for nothing?"),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b\
             636e070a38bce737"
        );
    }

    #[test]
    fn a_signature_can_be_written_in_base64_with_padding() {
        let signer = signer(SignatureAlgorithm::HmacSha256, SignatureEncoding::Base64, "", "");
        for (bytes, expected) in [(&b"foob"[..], "Zm9vYg=="), (&[0xfb, 0xff], "+/8=")] {
            assert_eq!(signer.encoded(bytes), expected);
        }
    }

    #[test]
    fn the_declared_text_is_signed_and_its_parts_are_sent() {
        let signer = signer(
            SignatureAlgorithm::HmacSha256,
            SignatureEncoding::Hex,
            "k",
            "{method}\n{path}?{query}\n{timestamp}\n{body_digest}",
        );
        let url = Url::parse("https://portal.example/api/list?a=1&b=%20").expect("an address");
        let mut request = Request::new(Method::Post, url, String::new());
        request.body = Some("{\"a\":1}".to_owned());
        let (mut again, now) = (request.clone(), 1_767_574_923_999_999);
        signer.sign(&mut request, now);
        signer.sign(&mut again, now);
        let header = |request: &Request, name: &str| {
            request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let text = format!("POST\n/api/list?a=1&b=%20\n2026-01-05T01:02:03Z\n{}", hex_digest("{\"a\":1}".as_bytes()));
        assert_eq!(header(&request, "x-time"), "2026-01-05T01:02:03Z");
        assert_eq!(header(&request, "x-signature"), format!("v1={}", hex(&signer.hmac(b"k", text.as_bytes()))));
        assert_ne!(header(&request, "x-nonce"), header(&again, "x-nonce"));
        assert_eq!(header(&request, "x-nonce").len(), 32);
        let nonce = hex_digest(&signer.hmac(b"k", format!("motcua nonce|{now}|0").as_bytes()));
        assert_eq!(header(&request, "x-nonce"), nonce[..32]);
    }
}
