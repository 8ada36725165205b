//! HTTPS with a certificate from PEM files.

use std::process::{Command, Stdio};

use crate::office::serving::Serving;
use crate::office::{Office, said};
use crate::services::can_run;

/// Creates a certificate and its key in the office's `config`. Returns false if `openssl` is not installed.
fn certificate(test: &str, office: &Office) -> bool {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-keyout", "key.pem", "-out", "chain.pem"])
        .current_dir(office.path().join("config"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let is_made = made.is_ok_and(|status| status.success());
    can_run(test, (!is_made).then_some("there is no openssl that makes a certificate"))
}

#[test]
fn with_a_certificate_the_service_answers_https_only() {
    let office = Office::new("http://127.0.0.1:1").brief();
    office.edit("config/motcua.toml", |text| {
        let pems = "[service]\ntls_certificate = \"chain.pem\"\ntls_key = \"key.pem\"\n";
        text.replace("[service]\n", pems)
    });
    let without = office.act(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(without.status.code(), Some(2), "{}", said(&without));
    assert!(said(&without).contains("chain.pem"), "{}", said(&without));
    if !certificate("with_a_certificate_the_service_answers_https_only", &office) {
        return;
    }
    let token = office.token("clerk", "read");
    let serving = Serving::start(&office);
    assert!(serving.url.starts_with("https://"), "{}", serving.url);
    let reply = serving.get("/api/v1/connectors", &token);
    assert_eq!((reply.status, reply.header("strict-transport-security")), (200, "max-age=31536000"));
    assert_eq!(reply.version, reqwest::Version::HTTP_11, "the client offers HTTP/2 too");
    let form = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let login = serving.ask("POST", "/login", &form, &format!("token={token}&next=/connectors"));
    assert_eq!((login.status, login.header("location")), (303, "/connectors"), "{}", login.text());
    let cookie = login.header("set-cookie");
    for flag in ["__Host-motcua=", "Secure", "HttpOnly", "SameSite=", "Path=/"] {
        assert!(cookie.contains(flag), "`{flag}` is not in `{cookie}`");
    }
    assert_eq!(serving.stop(), Some(0));
}
