//! Validates a TOML file against the schema of its type and reports all mistakes with their lines.
//!
//! The JSON Schema comes from the Rust types (schemars), the lines from the spans of the TOML document.

use std::collections::HashMap;
use std::path::Path;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::config::problem::Problems;
use crate::model::text::line_at;

/// A parsed file: its values, and the line of each key.
#[derive(Debug)]
pub(crate) struct Document {
    value: Value,
    lines: HashMap<String, usize>,
}

/// A value that does not fit the schema.
struct InvalidValue {
    pointer: String,
    /// The schema does not have this key.
    unknown: bool,
}

impl InvalidValue {
    /// Pointer of the table to leave out; of the key itself if it is unknown.
    fn table(&self) -> String {
        match self.pointer.rsplit_once('/') {
            Some((above, _)) if !self.unknown => above.to_owned(),
            _ => self.pointer.clone(),
        }
    }
}

impl Document {
    /// Parses TOML. Syntax errors are reported as problems.
    pub(crate) fn parse(file: &Path, text: &str, problems: &mut Problems) -> Option<Self> {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let line = error.span().map_or(0, |span| line_at(text, span.start));
            problems.add(file, line, "", format!("not valid TOML: {}", error.message()));
        }
        if !errors.is_empty() {
            return None;
        }
        let mut lines = HashMap::from([(String::new(), 1)]);
        let value = table_to_json(table.get_ref(), text, "", &mut lines);
        Some(Self { value, lines })
    }

    /// Line of a JSON pointer, or of the nearest table that contains it.
    pub(crate) fn line(&self, pointer: &str) -> usize {
        let mut pointer = pointer;
        loop {
            if let Some(&line) = self.lines.get(pointer) {
                return line;
            }
            pointer = pointer.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    /// Whether the document has the key of a JSON pointer.
    pub(crate) fn has(&self, pointer: &str) -> bool {
        self.value.pointer(pointer).is_some()
    }

    /// Whether the document has an empty list at a JSON pointer.
    pub(crate) fn has_empty_list(&self, pointer: &str) -> bool {
        self.value.pointer(pointer).and_then(Value::as_array).is_some_and(Vec::is_empty)
    }

    /// One top-level key; `None` if its value cannot be read as `T`.
    pub(crate) fn part<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.value.get(name)?.clone()).ok()
    }

    /// Checks the document against the schema of `T` and reads it. Invalid values are reported and left out, so that
    /// the rest can still be checked against other files. `None` if the rest is not a complete `T`.
    pub(crate) fn read<T: DeserializeOwned + JsonSchema>(&self, file: &Path, problems: &mut Problems) -> Option<T> {
        let schema = Value::from(schemars::schema_for!(T));
        let validator = jsonschema::validator_for(&schema).expect("schemas derived from types are valid");
        let mut invalid = Vec::new();
        for error in validator.iter_errors(&self.value) {
            self.report(&error, file, problems, &mut invalid);
        }
        if invalid.is_empty() {
            return match serde_json::from_value(self.value.clone()) {
                Ok(value) => Some(value),
                Err(error) => {
                    problems.add(file, 0, "", error.to_string());
                    None
                }
            };
        }
        // First leave out the invalid values alone, then the tables that contain them.
        let pointers = |of: fn(&InvalidValue) -> String| invalid.iter().map(of).collect::<Vec<_>>();
        self.without(&pointers(|value| value.pointer.clone())).or_else(|| self.without(&pointers(InvalidValue::table)))
    }

    /// The document without some of its values; `None` if the rest cannot be read.
    fn without<T: DeserializeOwned>(&self, pointers: &[String]) -> Option<T> {
        let mut value = self.value.clone();
        for pointer in pointers {
            remove_value(&mut value, pointer);
        }
        serde_json::from_value(value).ok()
    }

    fn report(
        &self,
        error: &ValidationError<'_>,
        file: &Path,
        problems: &mut Problems,
        invalid: &mut Vec<InvalidValue>,
    ) {
        let pointer = error.instance_path().as_str();
        let line = self.line(pointer);
        let name = dotted(pointer);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for key in unexpected {
                    let place = format!("{pointer}/{}", escape(key));
                    problems.add(file, self.line(&place), dotted(&place), "unknown key");
                    invalid.push(InvalidValue { pointer: place, unknown: true });
                }
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let place = format!("{pointer}/{key}");
                problems.add(file, line, dotted(&place), "missing");
                invalid.push(InvalidValue { pointer: place, unknown: false });
            }
            ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
                if let Some(errors) = nearest(pointer, context) {
                    for error in errors {
                        self.report(error, file, problems, invalid);
                    }
                } else {
                    problems.add(file, line, name, expected_values(context));
                    invalid.push(InvalidValue { pointer: pointer.to_owned(), unknown: false });
                }
            }
            kind => {
                problems.add(file, line, name, expectation(kind, error));
                invalid.push(InvalidValue { pointer: pointer.to_owned(), unknown: false });
            }
        }
    }
}

/// The expected and the actual value.
fn expectation(kind: &ValidationErrorKind, error: &ValidationError<'_>) -> String {
    match kind {
        ValidationErrorKind::Enum { options } => format!("expected one of {options}, got {}", error.instance()),
        ValidationErrorKind::Constant { expected_value } => {
            format!("expected {expected_value}, got {}", error.instance())
        }
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
            };
            format!("expected {expected}, got {}", error.instance())
        }
        _ => error.to_string(),
    }
}

/// Removes the value of a JSON pointer. For an element of a list, the whole list is removed.
fn remove_value(value: &mut Value, pointer: &str) {
    let Some((above, key)) = pointer.rsplit_once('/') else { return };
    let key = key.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(above) {
        Some(Value::Object(table)) => {
            table.remove(&key);
        }
        Some(Value::Array(_)) => remove_value(value, above),
        _ => {}
    }
}

/// Errors of the alternative whose tag is in the document; `None` if no tag matches.
fn nearest<'a>(
    pointer: &str,
    context: &'a [Vec<ValidationError<'static>>],
) -> Option<&'a Vec<ValidationError<'static>>> {
    let tag = format!("{pointer}/type");
    let has_wrong_tag = |error: &ValidationError<'_>| {
        let about_tag = error.instance_path().as_str() == tag || error.instance_path().as_str() == pointer;
        match error.kind() {
            ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. } => about_tag,
            ValidationErrorKind::Type { .. } => error.instance_path().as_str() == pointer,
            ValidationErrorKind::Required { property } => {
                error.instance_path().as_str() == pointer && property.as_str() == Some("type")
            }
            _ => false,
        }
    };
    context.iter().find(|errors| !errors.iter().any(has_wrong_tag))
}

/// Message that lists the values of all alternatives.
fn expected_values(context: &[Vec<ValidationError<'static>>]) -> String {
    let (mut expected, mut types) = (Vec::new(), Vec::new());
    for error in context.iter().flatten() {
        match error.kind() {
            ValidationErrorKind::Constant { expected_value } => expected.push(expected_value.to_string()),
            ValidationErrorKind::Enum { options } => {
                expected.extend(options.as_array().into_iter().flatten().map(Value::to_string));
            }
            ValidationErrorKind::Type { kind: TypeKind::Single(one) } => types.push(one.to_string()),
            _ => {}
        }
    }
    if expected.is_empty() {
        expected = types;
    }
    expected.dedup();
    format!("expected one of {}", expected.join(", "))
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
}

fn table_to_json(table: &DeTable<'_>, text: &str, pointer: &str, lines: &mut HashMap<String, usize>) -> Value {
    let mut object = serde_json::Map::new();
    for (key, value) in table {
        let place = format!("{pointer}/{}", escape(key.get_ref()));
        lines.insert(place.clone(), line_at(text, key.span().start));
        object.insert(key.get_ref().to_string(), to_json(value.get_ref(), text, &place, lines));
    }
    Value::Object(object)
}

fn to_json(value: &DeValue<'_>, text: &str, pointer: &str, lines: &mut HashMap<String, usize>) -> Value {
    match value {
        DeValue::String(string) => Value::String(string.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(date) => Value::String(date.to_string()),
        DeValue::Array(items) => {
            let mut array = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let place = format!("{pointer}/{index}");
                lines.insert(place.clone(), line_at(text, item.span().start));
                array.push(to_json(item.get_ref(), text, &place, lines));
            }
            Value::Array(array)
        }
        DeValue::Table(table) => table_to_json(table, text, pointer, lines),
    }
}
