//! What a connector declares about a field, so that a clerk finds it in the source and sees what is read.

use crate::locale::Language;
use crate::model::connector::{Connector, FieldMap, FieldType};
use crate::model::page::Reason;

/// Words of a field that are listed.
const WORDS_LISTED: usize = 20;

/// A canonical field, and where the source has it.
pub(super) struct Field {
    /// `None`: the whole row.
    pub(super) name: Option<String>,
    /// Headings or paths that it is read from; `None` if the connector does not map it.
    pub(super) source_names: Option<String>,
    /// The same, one by one.
    names: Vec<String>,
}

impl Field {
    pub(super) fn new(connector: &Connector, name: Option<String>) -> Self {
        let mut names: Vec<String> = Vec::new();
        for name in name.iter().flat_map(|name| maps(connector, name)).flat_map(|map| map.from.names()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let is_mapped = name.as_ref().is_some_and(|name| maps(connector, name).next().is_some());
        Self { source_names: is_mapped.then(|| names.join(", ")), names, name }
    }

    /// Whether it is read from a heading or path of the source.
    pub(super) fn reads(&self, source_name: &str) -> bool {
        self.names.iter().any(|name| name == source_name)
    }
}

/// The declarations of a column: of whole rows, and of those that state a part of their record.
fn maps<'c>(connector: &'c Connector, column: &str) -> impl Iterator<Item = &'c FieldMap> {
    connector.file.maps().filter_map(move |(_, map)| map.get(column))
}

/// What a field reads, if a value was rejected because it is none of it: the words of `codes`, or the date formats.
pub(super) fn readable(lang: Language, connector: &Connector, field: &str, reason: &str) -> Option<String> {
    let map = maps(connector, field).next()?;
    let (label, known): (&str, Vec<&str>) = match (reason.parse().ok()?, map.field_type) {
        (Reason::UnknownCode, _) => {
            (lang.of("Các từ đã khai", "Declared words"), map.codes.keys().map(String::as_str).collect())
        }
        (Reason::NotAnInstant, FieldType::Instant) => {
            (lang.of("Dạng ngày đã khai", "Declared formats"), map.formats.iter().map(String::as_str).collect())
        }
        _ => return None,
    };
    let more = if known.len() > WORDS_LISTED { " · …" } else { "" };
    let listed = known[..known.len().min(WORDS_LISTED)].join(" · ");
    (!listed.is_empty()).then(|| format!("{label}: {listed}{more}"))
}

/// What landing kept of a value, in words if it is a shape: `?Aa_Aa:9 not_of_type` or `~A9:8`.
pub(super) fn kept_value(lang: Language, kept: &str) -> String {
    let (text, why) = match (kept.strip_prefix('?'), kept.strip_prefix('~')) {
        (Some(shape), _) => (shape, lang.of("không lưu vì sai kiểu", "not stored, because it failed its type")),
        (_, Some(shape)) => {
            (shape, lang.of("không lưu vì có thể thuộc về một người", "not stored, because it could identify a person"))
        }
        (None, None) => return kept.to_owned(),
    };
    let shape = text.split_once(' ').map_or(text, |(shape, _)| shape);
    match shape.rsplit_once(':') {
        Some((shape, length)) => match lang {
            Language::Vietnamese => format!("({why}; hình dạng {shape}, {length} ký tự)"),
            Language::English => format!("({why}; shape {shape}, {length} characters)"),
        },
        None => kept.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_put_into_words() {
        let english = |kept| kept_value(Language::English, kept);
        assert_eq!(
            english("?A.9.9.:14 not_of_type"),
            "(not stored, because it failed its type; shape A.9.9., 14 characters)"
        );
        assert_eq!(english("~A9:8"), "(not stored, because it could identify a person; shape A9, 8 characters)");
        for kept in ["2025-10-01", "A:1", "?"] {
            assert_eq!(english(kept), kept);
        }
    }
}
