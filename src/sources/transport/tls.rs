//! Certificates of HTTPS sources: the authorities that a connector names, its own certificate, and why a server's is not
//! accepted.
#![expect(clippy::disallowed_methods, reason = "edge: reads the PEM files of `access`")]

use std::error::Error;
use std::fs;
use std::io;

use reqwest::{Certificate, Identity};
use rustls::CertificateError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::sources::error::{ErrorKind, SourceError};

/// The certificates of a PEM file.
///
/// # Errors
/// `misconfigured` if the file cannot be read or has no certificate.
pub(crate) fn read_authorities(key: &str, path: &str) -> Result<Vec<Certificate>, SourceError> {
    let wrong =
        |what: String| SourceError::new(ErrorKind::Misconfigured, format!("`{key}` names `{path}`, which {what}"));
    let pem = fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| wrong("is not a PEM file".to_owned()))?;
    if certificates.is_empty() {
        return Err(wrong("has no certificate: a PEM file has lines `-----BEGIN CERTIFICATE-----`".to_owned()));
    }
    Ok(certificates)
}

/// The certificate and key of a PEM file, by which the connector identifies itself.
///
/// # Errors
/// `misconfigured` if the file cannot be read or lacks one of them.
pub(crate) fn read_identity(path: &str) -> Result<Identity, SourceError> {
    let wrong = |what: String| {
        SourceError::new(ErrorKind::Misconfigured, format!("`access.client_certificate` names `{path}`, which {what}"))
    };
    let pem = fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    // The error may quote the file, which holds a key.
    Identity::from_pem(&pem)
        .map_err(|_| wrong("does not hold a certificate and its private key in PEM form".to_owned()))
}

/// The certificates of a PEM file, for connections that are not HTTP.
///
/// # Errors
/// `misconfigured` if the file cannot be read or has no certificate.
pub(super) fn read_pem(key: &str, path: &str) -> Result<Vec<CertificateDer<'static>>, SourceError> {
    let wrong = || {
        let message = format!("`{key}` names `{path}`, which is no readable PEM file with certificates");
        SourceError::new(ErrorKind::Misconfigured, message)
    };
    let pem = fs::read(path).map_err(|_| wrong())?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    found.ok().filter(|all| !all.is_empty()).ok_or_else(wrong)
}

/// The TLS error in an I/O error; `None` if it has another cause.
pub(super) fn io_error(error: &io::Error, host: &str) -> Option<SourceError> {
    find_tls_error(error).map(|error| tls_error(error, host))
}

/// The error of a TLS handshake with `host`; `None` if the exchange failed for another reason.
pub(crate) fn handshake_error(error: &reqwest::Error, host: &str) -> Option<SourceError> {
    find_tls_error(error).map(|error| tls_error(error, host))
}

fn tls_error(error: &rustls::Error, host: &str) -> SourceError {
    let (kind, message) = match error {
        rustls::Error::InvalidCertificate(problem) => {
            (ErrorKind::TlsCertificate, format!("the certificate of `{host}` {}", certificate_problem(problem)))
        }
        rustls::Error::InvalidMessage(_) => (
            ErrorKind::Unreachable,
            format!("`{host}` does not speak TLS on this port: compare `https` and the port with the source's address"),
        ),
        rustls::Error::PeerIncompatible(_) | rustls::Error::AlertReceived(_) => (
            ErrorKind::Unreachable,
            format!(
                "`{host}` ended the TLS handshake: it may offer no version from TLS 1.2 on, or demand a client certificate \
                 (`access.client_certificate`)"
            ),
        ),
        _ => (ErrorKind::Unreachable, format!("the TLS handshake with `{host}` failed")),
    };
    SourceError::new(kind, message)
}

/// The TLS error among the causes of an error. An I/O error holds its cause inside.
fn find_tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && let Some(found) = find_tls_error(inner)
        {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// What is wrong with a certificate, as the end of a sentence.
fn certificate_problem(problem: &CertificateError) -> &'static str {
    match problem {
        CertificateError::UnknownIssuer => {
            "is signed by an authority that this machine does not trust (unknown issuer)"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet: compare the clock of this machine"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name than this host"
        }
        CertificateError::Revoked => "was revoked",
        CertificateError::BadSignature => "has a signature that is not its authority's",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => "is not that of a server",
        CertificateError::Other(_) => {
            "is not that of a server: a self-signed certificate of an authority cannot stand for a server, ask for one \
             that the authority signed"
        }
        _ => "is not valid",
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
