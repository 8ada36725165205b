//! How the bytes of an answer are packed for its client.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

/// Value of `Content-Encoding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::service) enum Encoding {
    /// As they are.
    Identity,
    Gzip,
}

impl Encoding {
    /// Gzip if `Accept-Encoding` names it with a weight above 0, else as they are.
    pub(in crate::service) fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let accepts_gzip = values.flat_map(|value| value.split(',')).any(|coding| {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim().eq_ignore_ascii_case("gzip") && weight(parameters) > 0.0
        });
        if accepts_gzip { Self::Gzip } else { Self::Identity }
    }
}

/// The weight that the parameters of a coding state; 1 if they state none, 0 if it cannot be read.
fn weight(parameters: &str) -> f32 {
    let mut pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
    let stated = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    stated.map_or(1.0, |(_, weight)| weight.trim().parse().unwrap_or(0.0))
}

impl<S: Send + Sync> FromRequestParts<S> for Encoding {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::accepted(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_client_that_names_gzip_gets_it() {
        for (value, expected) in [
            ("gzip", Encoding::Gzip),
            ("deflate, GZIP;q=0.5, br", Encoding::Gzip),
            ("gzip; q=1", Encoding::Gzip),
            ("gzip;q=0", Encoding::Identity),
            ("gzip;q=0.000", Encoding::Identity),
            ("gzip;q=high", Encoding::Identity),
            ("identity", Encoding::Identity),
            ("gzipped", Encoding::Identity),
            ("*", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.parse().expect("a header"))]);
            assert_eq!(Encoding::accepted(&headers), expected, "{value}");
        }
        assert_eq!(Encoding::accepted(&HeaderMap::new()), Encoding::Identity);
    }
}
