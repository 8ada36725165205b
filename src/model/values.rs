//! Values of the placeholders `{env:NAME}` and `{secret:NAME}` in connectors and settings.
//!
//! `config` reads them from the environment and from secret files. Secrets are never printed by `Debug`.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

/// Values of the placeholders that the configuration contains.
#[derive(Debug, Clone, Default)]
pub struct PlaceholderValues {
    variables: BTreeMap<String, String>,
    secrets: BTreeMap<String, SecretString>,
    /// Secrets whose file could not be read: name → reason.
    unreadable: BTreeMap<String, String>,
}

/// Error: a placeholder has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    /// The placeholder, such as `{secret:IGATE_CLIENT_SECRET}`.
    pub placeholder: String,
    /// Reason, if the file of the secret could not be read.
    pub why: Option<String>,
}

impl PlaceholderValues {
    pub fn set_variable(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.variables.insert(name.into(), value.into());
    }

    pub fn set_secret(&mut self, name: impl Into<String>, value: impl Into<SecretString>) {
        self.secrets.insert(name.into(), value.into());
    }

    /// Stores the reason why the file of a secret could not be read.
    pub fn set_unreadable(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.unreadable.insert(name.into(), why.into());
    }

    /// Replaces `{env:…}` and `{secret:…}` in `template`; other placeholders such as `{since}` stay.
    ///
    /// # Errors
    /// The first placeholder without a value.
    pub fn fill(&self, template: &str) -> Result<String, Unset> {
        let mut filled = template.to_owned();
        for placeholder in placeholders(template) {
            let value = match placeholder.trim_matches(['{', '}']).split_once(':') {
                Some(("env", name)) => self.variables.get(name).map(String::as_str),
                Some(("secret", name)) => self.secrets.get(name).map(ExposeSecret::expose_secret),
                _ => continue,
            };
            let value = value.ok_or_else(|| {
                let name = placeholder.trim_matches(['{', '}']).trim_start_matches("secret:");
                Unset { placeholder: placeholder.to_owned(), why: self.unreadable.get(name).cloned() }
            })?;
            filled = filled.replace(placeholder, value);
        }
        Ok(filled)
    }
}

/// Placeholders `{…}` of a template in order, with their braces. Of nested braces, as in a JSON body, the innermost
/// count.
#[must_use]
pub fn placeholders(template: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        rest = &rest[open..];
        let Some(end) = rest[1..].find(['{', '}']).map(|end| end + 1) else { break };
        if rest[end..].starts_with('}') {
            found.push(&rest[..=end]);
            rest = &rest[end + 1..];
        } else {
            rest = &rest[end..];
        }
    }
    found
}
