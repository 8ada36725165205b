//! What a connector's placeholders stand for: `{env:NAME}` and `{secret:NAME}`.
//!
//! Filled by `config` from the environment and secret files; secrets have no Debug.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

/// Values of the names that the connectors mention.
#[derive(Debug, Clone, Default)]
pub struct Values {
    variables: BTreeMap<String, String>,
    secrets: BTreeMap<String, SecretString>,
    /// Names of secrets whose file could not be read → why.
    unreadable: BTreeMap<String, String>,
}

/// Which kind of placeholder names no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    /// As written, for example `{secret:IGATE_CLIENT_SECRET}`.
    pub placeholder: String,
    /// Why, where more is known than that nobody set it.
    pub why: Option<String>,
}

impl Values {
    pub fn set_variable(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.variables.insert(name.into(), value.into());
    }

    pub fn set_secret(&mut self, name: impl Into<String>, value: impl Into<SecretString>) {
        self.secrets.insert(name.into(), value.into());
    }

    /// Notes why the file of a secret could not be read.
    pub fn set_unreadable(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.unreadable.insert(name.into(), why.into());
    }

    /// Replaces the placeholders of `template`; others (`{since}`) stay.
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

/// The innermost `{…}` of a template, braces included, in order: also those within a JSON object.
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
