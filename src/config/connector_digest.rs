//! Digests of a connector: of what decides which records it reads, and of its whole file.
//!
//! Both are computed from values, so comments and the order of keys change neither. The ledgers of data folders hold
//! them: a key that a file does not use must not change its digest (`skip_serializing_if` for keys that are new).

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::model::connector::ConnectorFile;

/// Tables that decide neither which rows are read nor which records they become: who asks and how often, how patiently,
/// and what the result is compared with.
const WITHOUT_EFFECT: [&str; 6] = ["auth", "complete", "limits", "retry", "schedule", "sweep"];
/// Keys of `[access]` that decide how a source is reached, not what it sends.
const ACCESS_WITHOUT_EFFECT: [&str; 6] =
    ["settle_secs", "allowed_hosts", "ca_certificates", "client_certificate", "proxy", "server"];
/// Keys of `[contract]` that decide whether a row is rejected.
const REJECTING: [&str; 2] = ["ill_typed", "impossible"];

/// Digest of the declarations that decide which records a connector reads: its kind, and everything but
/// [`WITHOUT_EFFECT`].
pub(super) fn reading_digest(file: &ConnectorFile) -> String {
    let mut values = object(serde_json::to_value(file).expect("a definition is plain data"));
    for table in WITHOUT_EFFECT {
        values.remove(table);
    }
    keep(&mut values, "connector", |key| key == "kind");
    keep(&mut values, "contract", |key| REJECTING.contains(&key));
    keep(&mut values, "access", |key| !ACCESS_WITHOUT_EFFECT.contains(&key));
    let mut text = String::new();
    write_sorted(&mut text, &Value::Object(values));
    format!("{:x}", Sha256::digest(text.as_bytes()))
}

/// Digest of every value of `connector.toml`.
pub(super) fn file_digest(file: &ConnectorFile) -> String {
    let values = serde_json::to_string(file).expect("a definition is plain data");
    format!("{:x}", Sha256::digest(values.as_bytes()))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// Keeps the keys of a table that `is_kept` names.
fn keep(values: &mut Map<String, Value>, table: &str, is_kept: impl Fn(&str) -> bool) {
    if let Some(Value::Object(table)) = values.get_mut(table) {
        table.retain(|key, _| is_kept(key));
    }
}

/// Writes a value with the keys of every table in order, and a list of one element like the element: `from = "id"` and
/// `from = ["id"]` mean the same.
fn write_sorted(text: &mut String, value: &Value) {
    match value {
        Value::Object(table) => {
            let mut keys: Vec<&String> = table.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for key in keys {
                *text += &Value::String(key.clone()).to_string();
                text.push(':');
                write_sorted(text, &table[key]);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(elements) => match elements.as_slice() {
            [only] => write_sorted(text, only),
            elements => {
                text.push('[');
                for element in elements {
                    write_sorted(text, element);
                    text.push(',');
                }
                text.push(']');
            }
        },
        scalar => *text += &scalar.to_string(),
    }
}

#[cfg(test)]
#[path = "connector_digest_tests.rs"]
mod tests;
