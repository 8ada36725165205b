//! Connectors in a few lines, for tests of the checks.

use std::path::Path;

/// A connector of dossiers with one field. `[access]` and `[decode]` are missing.
pub(super) const LISTS: &str = r#"
[connector]
version = 1
title = "Lists"
kind = "dossiers"
system = "lists"
contact = "staff"
[map.source_key]
from = "id"
type = "code"
required = true
"#;

/// `[access]` and `[request]` of an HTTP source.
pub(super) const HTTP: &str = r#"
[access]
type = "http"
base_url = "https://portal.example"
[request]
path = "/list"
"#;

/// Key and message of each mistake of a connector, in the order of the file.
pub(super) fn mistakes(text: &str) -> Vec<(String, String)> {
    match crate::config::connector_from_text("lists", Path::new("connector.toml"), text) {
        Ok(_) => Vec::new(),
        Err(found) => found.as_slice().iter().map(|one| (one.name.clone(), one.message.clone())).collect(),
    }
}

/// The keys of the mistakes of a connector, in the order of the file.
pub(super) fn mistaken_keys(text: &str) -> Vec<String> {
    mistakes(text).into_iter().map(|(key, _)| key).collect()
}
