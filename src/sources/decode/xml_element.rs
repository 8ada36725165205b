//! An element of XML while it is open, and the JSON text that it becomes.

use std::collections::BTreeMap;

use crate::sources::decode::envelope::ENVELOPE_FIELDS;

/// What is kept of an element.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kept {
    /// Nothing but that it was there.
    #[default]
    Nothing,
    /// Its text, and of the elements and attributes in it what lies on the way to the records or to a value of the envelope.
    Way,
    /// Everything in it.
    All,
}

/// An element that is not closed yet.
#[derive(Debug, Default)]
pub(super) struct Element<'p> {
    pub(super) name: String,
    /// Attributes and elements: key, JSON text.
    pub(super) values: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) is_nil: bool,
    pub(super) kept: Kept,
    /// Whether all names from the root to this element are those of the path of records.
    pub(super) is_on_path: bool,
    /// For each path of the envelope, the part below this element, if it leads here.
    pub(super) below: [Option<&'p str>; ENVELOPE_FIELDS],
    /// Whether it has elements that were not kept.
    pub(super) has_other_elements: bool,
    /// Whether it has attributes that were not kept.
    pub(super) has_other_attributes: bool,
    /// Whether records in it were handed on.
    pub(super) has_records: bool,
}

impl Element<'_> {
    /// The JSON text. `list`: the name of the records, if they lie in this element; those that were handed on are not in it.
    pub(super) fn into_json(self, list: Option<&str>) -> String {
        let Self { values, text, is_nil, has_other_elements, has_other_attributes, has_records, .. } = self;
        let text = text.trim();
        if let (true, Some(list)) = (is_nil, list) {
            return format!("{{{}:null}}", quoted(list));
        }
        if is_nil {
            return "null".to_owned();
        }
        let is_bare = values.is_empty() && !has_other_elements && !has_other_attributes && !has_records;
        if is_bare && (list.is_none() || !text.is_empty()) {
            return quoted(text);
        }
        if list.is_none()
            && text.is_empty()
            && !values.is_empty()
            && let Some(object) = object_of_different(&values)
        {
            return object;
        }
        // Records that were handed on are a list, which is empty here.
        let has_elements = has_other_elements || values.iter().any(|(key, _)| !key.starts_with('@'));
        let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in values {
            members.entry(key).or_default().push(value);
        }
        let list_is_null = list.is_some_and(|list| has_elements && !has_records && !members.contains_key(list));
        if let Some(list) = list.filter(|_| text.is_empty() || has_records) {
            members.entry(list.to_owned()).or_default();
        }
        if !text.is_empty() {
            members.insert("#text".to_owned(), vec![quoted(text)]);
        }
        let member = |(key, values): (String, Vec<String>)| {
            let is_records = list.is_some_and(|list| *list == *key);
            if is_records && list_is_null {
                return format!("{}:null", quoted(&key));
            }
            let is_list = values.len() != 1 || is_records;
            let value = if is_list { format!("[{}]", values.join(",")) } else { values.concat() };
            format!("{}:{value}", quoted(&key))
        };
        format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(","))
    }
}

/// Most members of an object whose keys are compared with each other, which is quicker than a map for few.
const FEW_MEMBERS: usize = 32;

/// An object of members with different keys; `None` if a key comes twice, or there are many members.
fn object_of_different(values: &[(String, String)]) -> Option<String> {
    let comes_again = |(at, (key, _)): (usize, &(String, String))| values[..at].iter().any(|(other, _)| other == key);
    if values.len() > FEW_MEMBERS || values.iter().enumerate().any(comes_again) {
        return None;
    }
    let mut object = String::with_capacity(values.iter().map(|(key, value)| key.len() + value.len() + 4).sum());
    for (key, value) in values {
        object.push(if object.is_empty() { '{' } else { ',' });
        // Names of XML need no escapes.
        object.extend(["\"", key, "\":", value]);
    }
    object.push('}');
    Some(object)
}

/// A name without the prefix of its namespace.
pub(super) fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text into memory cannot fail")
}
