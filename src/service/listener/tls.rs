//! The certificate of the service. ALPN offers HTTP/1.1 only.
#![expect(clippy::disallowed_methods, reason = "edge: certificate and key are read here, at the start")]

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// What is negotiated with clients that ask (ALPN).
const PROTOCOL: &[u8] = b"http/1.1";

/// Reads certificate chain and key (PEM).
///
/// # Errors
/// A file cannot be read, or holds no certificate or key, or they do not belong together. Nothing of their content is
/// repeated.
pub(super) fn acceptor(certificate: &Path, key: &Path) -> io::Result<TlsAcceptor> {
    let chain = std::fs::read(certificate)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .map_err(|_| io::Error::other("the file of the certificate is not PEM"))?;
    if chain.is_empty() {
        return Err(io::Error::other("the file of the certificate holds none"));
    }
    let key = std::fs::read(key)?;
    let key =
        PrivateKeyDer::from_pem_slice(&key).map_err(|_| io::Error::other("the file of the key holds no PEM key"))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let mut config = builder
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
