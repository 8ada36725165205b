//! Checks of texts that become a request: placeholders, addresses, names of headers and parameters.

use crate::config::connectors::ConnectorCheck;
use crate::model::connector::{Access, Auth, ConnectorFile, FileServer, KeyPlace, PageEnd, Pages};
use crate::model::values::placeholders;

/// Placeholders of `[request]` besides `{env:NAME}` and `{secret:NAME}`.
const OF_REQUEST: [&str; 9] = [
    "{since}",
    "{until}",
    "{period.year}",
    "{period.quarter}",
    "{period.month}",
    "{page}",
    "{offset}",
    "{cursor}",
    "{session}",
];
/// Those that have a value only in a pass. Those of a period need one too, as `[window]` is checked.
const OF_PASS: usize = 2;

impl ConnectorCheck<'_> {
    /// Texts with placeholders, wherever they stand.
    pub(super) fn templates(&mut self, file: &ConnectorFile) {
        match &file.access {
            Access::Http { base_url, allowed_hosts, ca_certificates, client_certificate, proxy } => {
                self.web_address("/access/base_url", base_url);
                let others = [
                    ("ca_certificates", ca_certificates),
                    ("client_certificate", client_certificate),
                    ("proxy", proxy),
                ];
                for (name, text) in others {
                    self.optional(&format!("/access/{name}"), text.as_ref(), &[]);
                }
                for host in allowed_hosts {
                    self.template("/access/allowed_hosts", host, &[]);
                    if placeholders(host).is_empty() && !is_host(host) {
                        let message = format!("`{host}` must be the name of a host, without scheme, port and path");
                        self.add("/access/allowed_hosts", message);
                    }
                }
            }
            Access::Files { folder, server, .. } => {
                self.template("/access/folder", folder, &[]);
                for text in server.iter().flat_map(FileServer::texts) {
                    self.template("/access/server", text, &[]);
                }
            }
        }
        self.templates_of_auth(file);
        self.templates_of_request(file);
        self.parameters(file);
        self.response_headers(file);
    }

    fn templates_of_auth(&mut self, file: &ConnectorFile) {
        match &file.auth {
            Auth::None => {}
            Auth::Basic { username, password } => {
                self.template("/auth/username", username, &[]);
                self.template("/auth/password", password, &[]);
            }
            Auth::Bearer { token } => self.header_value("/auth/token", token, &[]),
            Auth::ApiKey { name, value, place } => {
                if *place == KeyPlace::Header && !name.is_empty() {
                    self.header_name("/auth/name", name);
                    self.header_value("/auth/value", value, &[]);
                } else {
                    self.template("/auth/value", value, &[]);
                }
            }
            Auth::Oauth2ClientCredentials { token_url, client_id, client_secret, scope, .. } => {
                self.web_address("/auth/token_url", token_url);
                self.template("/auth/client_id", client_id, &[]);
                self.template("/auth/client_secret", client_secret, &[]);
                self.optional("/auth/scope", scope.as_ref(), &[]);
            }
            Auth::Oauth2Password { token_url, username, password, client_id, client_secret, scope, .. } => {
                self.web_address("/auth/token_url", token_url);
                self.template("/auth/username", username, &[]);
                self.template("/auth/password", password, &[]);
                for (name, text) in [("client_id", client_id), ("client_secret", client_secret), ("scope", scope)] {
                    self.optional(&format!("/auth/{name}"), text.as_ref(), &[]);
                }
            }
            // Text and values have placeholders of their own, which `signature` checks.
            Auth::Signature { secret, headers, .. } => {
                self.template("/auth/secret", secret, &[]);
                for name in headers.keys() {
                    self.header_name("/auth/headers", name);
                }
            }
            Auth::Login { request, .. } => {
                if request.url.contains("://") {
                    self.web_address("/auth/request/url", &request.url);
                } else {
                    self.template("/auth/request/url", &request.url, &[]);
                }
                for (name, value) in &request.headers {
                    self.header_name("/auth/request/headers", name);
                    self.header_value("/auth/request/headers", value, &[]);
                }
                self.optional("/auth/request/body", request.body.as_ref(), &[]);
            }
        }
    }

    fn templates_of_request(&mut self, file: &ConnectorFile) {
        let Some(request) = &file.request else { return };
        let known = if file.window.passes.is_empty() { &OF_REQUEST[OF_PASS..] } else { &OF_REQUEST[..] };
        self.template("/request/path", &request.path, known);
        for (name, value) in &request.query {
            if name.is_empty() {
                self.add("/request/query", "a parameter has no name");
            }
            for text in value.texts() {
                self.template(&format!("/request/query/{name}"), text, known);
            }
        }
        for (name, value) in &request.headers {
            self.header_name("/request/headers", name);
            self.header_value("/request/headers", value, known);
        }
        self.optional("/request/body", request.body.as_ref(), known);
    }

    fn optional(&mut self, pointer: &str, text: Option<&String>, known: &[&str]) {
        if let Some(text) = text {
            self.template(pointer, text, known);
        }
    }

    /// Reports placeholders that never have a value: those that are not among `known`.
    fn template(&mut self, pointer: &str, text: &str, known: &[&str]) {
        for placeholder in placeholders(text) {
            let inner = &placeholder[1..placeholder.len() - 1];
            let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.';
            let message = match inner.split_once(':') {
                Some(("env" | "secret", name)) if is_variable(name) => continue,
                Some(("env" | "secret", _)) => format!(
                    "`{placeholder}` must name a variable of letters, digits and `_`, for example `{{env:PORTAL_URL}}`"
                ),
                _ if known.contains(&placeholder) => continue,
                _ if OF_REQUEST[..OF_PASS].contains(&placeholder) && !known.is_empty() => {
                    format!("`{placeholder}` has no value without passes in `[[window.passes]]`")
                }
                _ if !inner.is_empty() && inner.bytes().all(is_word) => {
                    let more = if known.is_empty() { String::new() } else { format!(", {}", known.join(", ")) };
                    format!("`{placeholder}` has no value here; there are `{{env:NAME}}`, `{{secret:NAME}}`{more}")
                }
                // Braces that are no placeholder, such as JSON in a body.
                _ => continue,
            };
            self.add(pointer, message);
        }
    }

    /// An address. What a placeholder stands for is not known, so it is taken for a part of an address.
    fn web_address(&mut self, pointer: &str, text: &str) {
        self.template(pointer, text, &[]);
        let mut tried = text.to_owned();
        for (at, placeholder) in placeholders(text).into_iter().enumerate() {
            let part = if at == 0 && text.starts_with('{') { "http://host" } else { "1" };
            tried = tried.replacen(placeholder, part, 1);
        }
        let is_web = url::Url::parse(&tried).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())
        });
        if !is_web {
            self.add(pointer, "must be an address that begins with `http://` or `https://`");
        }
    }

    /// Name of a header (RFC 9110 §5.6.2).
    fn header_name(&mut self, pointer: &str, name: &str) {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            self.add(pointer, format!("`{}` is no name of a header", name.escape_debug()));
        }
    }

    /// Value of a header: one line.
    fn header_value(&mut self, pointer: &str, text: &str, known: &[&str]) {
        self.template(pointer, text, known);
        if text.chars().any(|letter| letter.is_ascii_control() && letter != '\t') {
            self.add(pointer, "a header is one line, without control characters");
        }
    }

    /// Names of parameters that a page or slice sets.
    fn parameters(&mut self, file: &ConnectorFile) {
        let of_pages = match &file.pages {
            Pages::PageNumber { param, size_param, .. } | Pages::Offset { param, size_param, .. } => {
                vec![("param", param), ("size_param", size_param)]
            }
            Pages::Cursor { param, .. } | Pages::Keyset { param, .. } => vec![("param", param)],
            Pages::None | Pages::NextUrl { .. } | Pages::LinkHeader { .. } => Vec::new(),
        };
        let of_pages = of_pages.into_iter().map(|(key, name)| (format!("/pages/{key}"), name));
        let of_passes = file.window.passes.iter().enumerate().flat_map(|(index, pass)| {
            [("since_param", &pass.since_param), ("until_param", &pass.until_param)]
                .map(|(key, name)| (format!("/window/passes/{index}/{key}"), name))
        });
        for (pointer, name) in of_pages.chain(of_passes) {
            if name.as_deref() == Some("") {
                self.add(&pointer, "must be the name of a parameter");
            }
        }
    }

    /// Headers of a response.
    fn response_headers(&mut self, file: &ConnectorFile) {
        if let Pages::Cursor { header: Some(name), .. } = &file.pages {
            self.header_name("/pages/header", name);
        }
        if let Some(PageEnd::Total { header: Some(name), .. }) = file.pages.end() {
            self.header_name("/pages/end/header", name);
        }
    }
}

/// Whether a variable can have this name.
fn is_variable(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.bytes().next().is_some_and(is_letter) && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

fn is_host(text: &str) -> bool {
    let host = url::Url::parse(&format!("http://{text}/")).ok();
    host.and_then(|url| url.host_str().map(str::to_owned)).is_some_and(|host| host.eq_ignore_ascii_case(text))
}

#[cfg(test)]
#[path = "template_checks_tests.rs"]
mod tests;
