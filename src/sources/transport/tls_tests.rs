//! Certificates of a server on loopback: which are accepted, and how the others are named.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use url::Url;

use super::*;
use crate::model::connector::{Limits, Method};
use crate::sources::request::Request;
use crate::sources::transport::http::HttpTransport;
use crate::sources::transport::route::Route;
use crate::sources::transport::{Response, Transport as _};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sources/transport/tls_tests");

/// A server with a certificate of the folder. It answers `[]` to one request, if its certificate is accepted.
fn serve(certificate: &str) -> u16 {
    serve_clients(certificate, None)
}

/// The same; with `clients`, the authority of the certificates that it demands of them.
fn serve_clients(certificate: &str, clients: Option<&str>) -> u16 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = |name: &str| fs::read(format!("{FOLDER}/{name}")).expect("the file is part of the tests");
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&file(certificate)).collect();
    let key = PrivateKeyDer::from_pem_slice(&file("server.key")).expect("a key");
    let config = match clients {
        None => ServerConfig::builder().with_no_client_auth(),
        Some(authority) => {
            let mut authorities = RootCertStore::empty();
            let certificates = CertificateDer::pem_slice_iter(&file(authority)).collect::<Result<Vec<_>, _>>();
            authorities.add_parsable_certificates(certificates.expect("a certificate"));
            let verifier = WebPkiClientVerifier::builder(Arc::new(authorities)).build().expect("an authority");
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    let config = Arc::new(config.with_single_cert(chain.expect("a certificate"), key).expect("they belong together"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("a bound port").port();
    std::thread::spawn(move || {
        let (socket, _) = listener.accept().expect("a connection");
        let mut stream = StreamOwned::new(ServerConnection::new(config).expect("the server is set up"), socket);
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]");
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    port
}

async fn send(url: &str, authorities: Option<&str>) -> Result<Response, SourceError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authorities = authorities
        .map_or(Ok(Vec::new()), |name| read_authorities("access.ca_certificates", &format!("{FOLDER}/{name}")))?;
    send_by(url, Route { authorities, ..Route::default() }).await
}

async fn send_by(url: &str, route: Route) -> Result<Response, SourceError> {
    let limits = Limits { read_timeout_secs: 5, ..Limits::default() };
    let transport = HttpTransport::new(&limits, BTreeSet::from(["127.0.0.1".to_owned()]), route)?;
    let request = Request::new(Method::Get, Url::parse(url).expect("an address"), "GET /search".to_owned());
    transport.send(&request).await
}

#[tokio::test]
async fn a_certificate_is_accepted_if_a_named_authority_signed_it_for_this_host_and_day() {
    for (certificate, authorities, problem) in [
        ("valid.pem", Some("authority.pem"), None),
        ("valid.pem", None, Some("unknown issuer")),
        ("valid.pem", Some("other-name.pem"), Some("unknown issuer")),
        ("expired.pem", Some("authority.pem"), Some("has expired")),
        ("early.pem", Some("authority.pem"), Some("not valid yet")),
        ("other-name.pem", Some("authority.pem"), Some("for another name")),
        ("self-signed.pem", None, Some("self-signed")),
        ("self-signed.pem", Some("self-signed.pem"), Some("self-signed")),
    ] {
        let url = format!("https://127.0.0.1:{}/search?key=s3cret", serve(certificate));
        let found = send(&url, authorities).await;
        match (found, problem) {
            (Ok(response), None) => assert_eq!(response.body, b"[]", "{certificate}"),
            (Err(error), Some(problem)) => {
                assert_eq!(error.kind, ErrorKind::TlsCertificate, "{certificate}: {error}");
                assert!(error.message.starts_with("GET /search: the certificate of `127.0.0.1` "), "{error}");
                assert!(error.message.contains(problem) && !error.message.contains("s3cret"), "{certificate}: {error}");
            }
            (found, _) => panic!("{certificate} with {authorities:?}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_demands_one() {
    let route = |identity| Route {
        authorities: read_authorities("access.ca_certificates", &format!("{FOLDER}/authority.pem"))
            .expect("an authority"),
        identity,
        ..Route::default()
    };
    let port = serve_clients("valid.pem", Some("client-authority.pem"));
    let identity = read_identity(&format!("{FOLDER}/client.pem")).expect("a certificate and a key");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let found = send_by(&format!("https://127.0.0.1:{port}/"), route(Some(identity))).await.expect("it is accepted");
    assert_eq!(found.body, b"[]");
    let port = serve_clients("valid.pem", Some("client-authority.pem"));
    let error = send_by(&format!("https://127.0.0.1:{port}/"), route(None)).await.expect_err("no certificate");
    assert!(error.message.contains("demand a client certificate (`access.client_certificate`)"), "{error}");
    for (name, what) in [("absent.pem", "cannot be read"), ("valid.pem", "private key"), ("server.key", "private key")]
    {
        let error = read_identity(&format!("{FOLDER}/{name}")).expect_err("no identity");
        assert!(error.kind == ErrorKind::Misconfigured && error.message.contains(what), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_port_without_tls_is_called_so() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("a bound port").port();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a connection");
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        let _ = socket.read(&mut [0; 1024]);
    });
    let error = send(&format!("https://127.0.0.1:{port}/"), None).await.expect_err("no handshake");
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    assert!(error.message.contains("does not speak TLS"), "{error}");
}

#[test]
fn a_file_without_certificates_is_called_so() {
    for (name, what) in
        [("absent.pem", "cannot be read"), ("README.md", "has no certificate"), ("server.key", "has no certificate")]
    {
        let error =
            read_authorities("access.ca_certificates", &format!("{FOLDER}/{name}")).expect_err("no certificate");
        assert_eq!(error.kind, ErrorKind::Misconfigured, "{name}");
        assert!(error.message.contains(what) && error.message.contains("access.ca_certificates"), "{error}");
    }
    assert_eq!(
        read_authorities("access.ca_certificates", &format!("{FOLDER}/authority.pem")).map(|all| all.len()),
        Ok(1)
    );
}
