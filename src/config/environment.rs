//! Reads the values of placeholders in connectors and settings from the environment. No other module reads it.
#![expect(clippy::disallowed_methods, reason = "edge: environment and secret files are read here, once")]

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::config::Settings;
use crate::model::connector::{Access, Auth, Connector, FileServer};
use crate::model::values::{PlaceholderValues, placeholders};

/// Rights of users who are neither the owner of a file nor in its group.
const OTHERS: u32 = 0o007;

/// Values of `{env:NAME}` and `{secret:NAME}`. A secret is the variable `NAME`, or the content of the file that the
/// variable `NAME_FILE` names. An unset value is reported only when a connector uses it.
pub(crate) fn values_of(settings: &Settings, connectors: &[Connector]) -> PlaceholderValues {
    let mut values = PlaceholderValues::default();
    let of_settings = settings.templates().into_iter().map(str::to_owned);
    for template in connectors.iter().flat_map(templates).chain(of_settings) {
        for placeholder in placeholders(&template) {
            match placeholder.trim_matches(['{', '}']).split_once(':') {
                Some(("env", name)) => {
                    if let Some(value) = variable(name) {
                        values.set_variable(name, value);
                    }
                }
                Some(("secret", name)) => match secret(name) {
                    Some(Ok(secret)) => values.set_secret(name, secret),
                    Some(Err(why)) => values.set_unreadable(name, why),
                    None => {}
                },
                _ => {}
            }
        }
    }
    values
}

/// Value of a variable; `None` if it is unset or blank.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// A secret; `None` if it is unset, an error if its file is unusable. The value of the variable is not repeated: it may be
/// the secret itself, written where its path belongs.
fn secret(name: &str) -> Option<Result<String, String>> {
    if let Some(value) = variable(name) {
        return Some(Ok(value));
    }
    let file = variable(&format!("{name}_FILE"))?;
    Some(secret_of(name, Path::new(&file)))
}

/// The secret in a file. `name`: that of the secret.
fn secret_of(name: &str, file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let why = error.kind();
        format!(
            "the file that `{name}_FILE` names cannot be read: {why}; `{name}_FILE` must hold a path, not the secret"
        )
    })?;
    if text.trim().is_empty() {
        return Err(format!("the file that `{name}_FILE` names is empty"));
    }
    if file.metadata().is_ok_and(|known| known.mode() & OTHERS != 0) {
        tracing::warn!(
            "the file that `{name}_FILE` names is open to every user of this machine: `chmod 600` closes it"
        );
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// All texts of a connector that may contain placeholders.
fn templates(connector: &Connector) -> Vec<String> {
    let mut templates = Vec::new();
    match &connector.file.access {
        Access::Http { base_url, allowed_hosts, ca_certificates, client_certificate, proxy } => {
            templates.push(base_url.clone());
            templates
                .extend(allowed_hosts.iter().chain(ca_certificates).chain(client_certificate).chain(proxy).cloned());
        }
        Access::Files { folder, server, .. } => {
            templates.push(folder.clone());
            templates.extend(server.iter().flat_map(FileServer::texts).cloned());
        }
    }
    match &connector.file.auth {
        Auth::None => {}
        Auth::Basic { username, password } => templates.extend([username.clone(), password.clone()]),
        Auth::Bearer { token } => templates.push(token.clone()),
        Auth::ApiKey { value, .. } => templates.push(value.clone()),
        Auth::Oauth2ClientCredentials { token_url, client_id, client_secret, scope, .. } => {
            templates.extend([token_url.clone(), client_id.clone(), client_secret.clone()]);
            templates.extend(scope.clone());
        }
        Auth::Oauth2Password { token_url, username, password, client_id, client_secret, scope, .. } => {
            templates.extend([token_url.clone(), username.clone(), password.clone()]);
            templates.extend(client_id.iter().chain(client_secret).chain(scope).cloned());
        }
        Auth::Signature { secret, text, headers, .. } => {
            templates.extend([secret.clone(), text.clone()]);
            templates.extend(headers.values().cloned());
        }
        Auth::Login { request, .. } => {
            templates.push(request.url.clone());
            templates.extend(request.headers.values().chain(&request.body).cloned());
        }
    }
    let of_details = connector.file.detail.iter().map(|detail| &detail.request);
    for request in connector.file.request.iter().chain(of_details) {
        templates.extend(request.texts().cloned());
    }
    templates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_place_of_its_path_is_not_repeated() {
        for mistaken in ["Pa55w0rd-of-the-portal", "/Pa55w0rd/of-the-portal", "Pa55w0rd\0"] {
            let refused = secret_of("PORTAL", Path::new(mistaken)).expect_err("there is no such file");
            assert!(!refused.contains("Pa55w0rd") && refused.contains("`PORTAL_FILE` must hold a path"), "{refused}");
        }
    }

    #[test]
    fn a_secret_is_the_content_of_its_file_without_the_end_of_the_line() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let path = folder.path().join("portal");
        std::fs::write(&path, "Pa55w0rd\r\n").expect("the folder is writable");
        assert_eq!(secret_of("PORTAL", &path).as_deref(), Ok("Pa55w0rd"));
        std::fs::write(&path, " \n").expect("the folder is writable");
        assert_eq!(secret_of("PORTAL", &path), Err("the file that `PORTAL_FILE` names is empty".to_owned()));
    }
}
