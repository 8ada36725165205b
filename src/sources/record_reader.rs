//! Reads one JSON record into the rows of a page: one row, or one for each element of its lists (`decode.explode`).

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize as _, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::fields::explode_path::{ExplodeLevels, OWN_KEY};
use crate::model::connector::Explode;
use crate::model::page::{CELL_STRUCTURE, Page, Reason};
use crate::sources::embedded::json_of;
use crate::sources::json_scalar::scalar;
use crate::sources::path_tree::TreePart;
use crate::sources::select::Selection;

/// The kept fields of a record, level by level: the record, the elements of its list, the elements in those …
#[derive(Debug, Clone)]
pub(crate) struct RecordReader {
    /// Level 0 is the record itself. Without `explode` there is no other.
    levels: Vec<Level>,
    may_be_empty: bool,
    /// `decode.explode.keys`: the elements of the innermost map; if empty, all of its keys are.
    keys: Vec<String>,
    /// In converted XML a list of one element is that element, and one of none is absent.
    is_xml: bool,
}

#[derive(Debug, Clone)]
struct Level {
    selection: Selection,
    /// Cell of an element itself.
    element: Option<usize>,
    /// Cell of the key of an element. A level whose keys are read is a map.
    key: Option<usize>,
    /// Keys that lead to the list of the next level; empty if an element is the list itself, `None` at the last level.
    list: Option<Vec<Box<str>>>,
}

/// Where the records of a reader come from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RecordPart {
    /// Path under which unmapped fields are reported; empty for a list.
    pub(crate) prefix: &'static str,
    /// Number of the first place in a record, which differs from part to part.
    pub(crate) first_place: usize,
    /// Records are converted XML.
    pub(crate) is_xml: bool,
}

/// Error: a page has more rows than it may have.
struct TooManyRows;

impl RecordReader {
    /// # Errors
    /// A message that names the path and what is wrong with it.
    pub(crate) fn compile(
        fields: &[(usize, &str)],
        explode: Option<&Explode>,
        part: &RecordPart,
    ) -> Result<Self, String> {
        let &RecordPart { prefix: record_prefix, mut first_place, is_xml } = part;
        let Some(explode) = explode else {
            let part = TreePart { prefix: record_prefix, first_place, ..TreePart::default() };
            let selection = Selection::compile_part(fields.iter().copied(), part)?;
            let only = Level { selection, element: None, key: None, list: None };
            return Ok(Self { levels: vec![only], may_be_empty: false, keys: Vec::new(), is_xml });
        };
        let places = ExplodeLevels::parse(&explode.path)?;
        let mut levels = Vec::new();
        for at in 0..=places.lists.len() {
            let here = || fields.iter().map(|(cell, field)| (*cell, places.place(field)));
            let here = || here().filter(|(_, (level, _))| *level == at).map(|(cell, (_, path))| (cell, path));
            let cell_of = |wanted: &str| here().find(|(_, path)| *path == wanted).map(|(cell, _)| cell);
            let list = places.lists.get(at).cloned();
            let prefix = at.checked_sub(1).map_or("", |above| &places.prefixes[above]);
            let joint = if record_prefix.is_empty() || prefix.is_empty() { "" } else { "." };
            let part = TreePart {
                prefix: &format!("{record_prefix}{joint}{prefix}"),
                first_place,
                passed_over: list.as_deref().unwrap_or_default(),
                has_data_as_keys: list.as_ref().is_some_and(Vec::is_empty),
            };
            let paths = here().filter(|(_, path)| !path.is_empty() && *path != OWN_KEY);
            let selection = Selection::compile_part(paths, part)?;
            first_place += selection.len();
            let element = if at == 0 { None } else { cell_of("") };
            levels.push(Level { selection, element, key: cell_of(OWN_KEY), list });
        }
        Ok(Self { levels, may_be_empty: explode.may_be_empty, keys: explode.keys.clone(), is_xml })
    }

    /// Whether a record gives a row for each element of a list. Its rows are then numbered in the order of the page.
    pub(crate) fn explodes(&self) -> bool {
        self.levels.len() > 1
    }

    /// Reads a record. `key`: its own key, if it lies in a map and gives several rows. `most`: how many rows a page may have;
    /// if there are more, the rest of the record is left.
    ///
    /// # Errors
    /// Errors of the deserializer; the last row is then only partly filled.
    pub(crate) fn read<'de, D: Deserializer<'de>>(
        &self,
        page: &mut Page,
        row: u32,
        (record, key): (D, Option<&str>),
        most: usize,
    ) -> Result<(), D::Error> {
        let record_level = &self.levels[0];
        if !self.explodes() {
            return record_level.selection.read(page, row, record);
        }
        let raw = <&RawValue>::deserialize(record)?.get();
        let read = self.read_rows(page, raw, key, most);
        page.end_record();
        read.map_err(|TooManyRows| D::Error::custom("too many rows"))
    }

    fn read_rows(&self, page: &mut Page, raw: &str, key: Option<&str>, most: usize) -> Result<(), TooManyRows> {
        let record = &self.levels[0];
        let row = page.next_row();
        page.begin_row(row);
        if let (Some(field), Some(key)) = (record.key, key) {
            page.note_field(field);
            page.set(field, key);
        }
        let is_list_itself = record.list.as_ref().is_some_and(Vec::is_empty) && raw.starts_with('[');
        let is_object = record.selection.read_value(page, &mut serde_json::Deserializer::from_str(raw));
        if !is_object.is_ok_and(|is_object| is_object || is_list_itself) || page.is_row_unreadable() {
            page.mark_unreadable(Reason::Malformed);
            return Ok(());
        }
        self.read_elements(page, 0, raw, most)
    }

    /// Replaces the current row, of a level, by a row for each element of its list.
    fn read_elements(&self, page: &mut Page, at: usize, raw: &str, most: usize) -> Result<(), TooManyRows> {
        let (Some(next), Some(keys)) = (self.levels.get(at + 1), &self.levels[at].list) else { return Ok(()) };
        let above = page.take_row();
        let found = value_at(raw, keys);
        let elements = found.as_ref().map_err(|reason| *reason).and_then(|list| self.elements(at, list.as_deref()));
        let elements = elements.and_then(|elements| {
            if elements.is_empty() && !self.may_be_empty { Err(Reason::NoList) } else { Ok(elements) }
        });
        let elements = match elements {
            Ok(elements) => elements,
            Err(reason) => {
                let row = page.next_row();
                page.begin_row_like(row, &above);
                page.mark_unreadable(reason);
                return Ok(());
            }
        };
        for (key, element) in elements {
            if page.len() >= most {
                let row = page.next_row();
                page.begin_row(row);
                return Err(TooManyRows);
            }
            let row = page.next_row();
            page.begin_row_like(row, &above);
            if element.is_empty() {
                page.mark_unreadable(Reason::NoList);
                continue;
            }
            if let (Some(field), Some(key)) = (next.key, key) {
                page.note_field(field);
                page.set(field, &key);
            }
            let is_read = next.read_element(page, element);
            let is_none = next.element.is_none() && next.list.is_none() && page.has_row_like(&above);
            if !is_read || is_none || page.is_row_unreadable() {
                page.mark_unreadable(Reason::Malformed);
            } else {
                self.read_elements(page, at + 1, element, most)?;
            }
        }
        Ok(())
    }

    /// The elements of the list or map of a level, with their keys in a map.
    fn elements<'r>(&self, at: usize, list: Option<&'r str>) -> Result<Vec<(Option<String>, &'r str)>, Reason> {
        let is_map = self.levels[at + 1].key.is_some();
        let Some(raw) = list else { return if self.is_xml && !is_map { Ok(Vec::new()) } else { Err(Reason::NoList) } };
        let is_itself = self.levels[at].list.as_ref().is_some_and(Vec::is_empty);
        let is_of_map = |key: &str| {
            let is_of_element = self.is_xml && key.starts_with(['@', '#']);
            !(is_of_element || is_itself && self.levels[at].selection.begins_with(key))
        };
        match raw.as_bytes().first() {
            Some(b'[') if !is_map => {
                let elements: Vec<&RawValue> = serde_json::from_str(raw).map_err(|_| Reason::Malformed)?;
                Ok(elements.into_iter().map(|element| (None, element.get())).collect())
            }
            Some(b'{') if is_map && !self.keys.is_empty() && at + 2 == self.levels.len() => self.wanted(&members(raw)?),
            Some(b'{') if is_map => {
                let members = members(raw)?.into_iter().filter(|(key, _)| is_of_map(key));
                Ok(members.map(|(key, value)| (Some(key), value)).collect())
            }
            Some(b'{') => Ok(vec![(None, raw)]),
            // Converters from XML write an empty list as an empty text.
            Some(b'"') if scalar(raw).ok().flatten().is_some_and(|text| text.trim().is_empty()) => Ok(Vec::new()),
            Some(b'"') if self.is_xml && !is_map => Ok(vec![(None, raw)]),
            _ => Err(Reason::NoList),
        }
    }
    /// The elements that `decode.explode.keys` names; the value of one that the map lacks is empty. A map without any of them
    /// is none of the expected ones.
    fn wanted<'r>(&self, members: &[(String, &'r str)]) -> Result<Vec<(Option<String>, &'r str)>, Reason> {
        let value_of = |key: &String| {
            let mut found = members.iter().filter(|(name, _)| name == key).map(|(_, value)| *value);
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => Err(Reason::Malformed),
                (value, _) => Ok(value),
            }
        };
        let values: Vec<Option<&str>> = self.keys.iter().map(value_of).collect::<Result<_, _>>()?;
        if values.iter().all(Option::is_none) && !self.may_be_empty {
            return Err(Reason::NoList);
        }
        let elements = self.keys.iter().zip(values).filter(|(_, value)| value.is_some() || !self.may_be_empty);
        Ok(elements.map(|(key, value)| (Some(key.clone()), value.unwrap_or_default())).collect())
    }
}

impl Level {
    /// Reads an element into the current row. Returns whether it can be one.
    fn read_element(&self, page: &mut Page, raw: &str) -> bool {
        if let Some(field) = self.element {
            page.note_field(field);
            match scalar(raw) {
                Ok(Some(text)) => page.set(field, &text),
                Ok(None) if raw != "null" && self.list.is_none() => page.set(field, CELL_STRUCTURE),
                Ok(None) => {}
                Err(_) => return false,
            }
        }
        self.selection.read_value(page, &mut serde_json::Deserializer::from_str(raw)).is_ok()
    }
}

/// The value to which keys lead; `None` if there is none. A text that holds JSON or XML is read like it.
fn value_at<'r>(raw: &'r str, keys: &[Box<str>]) -> Result<Option<Cow<'r, str>>, Reason> {
    let raw = match raw.as_bytes().first() {
        Some(b'"') => {
            let text = scalar(raw).map_err(|_| Reason::Malformed)?.unwrap_or_default();
            match json_of(&text) {
                Some(Ok(json)) => Cow::Owned(json.into_owned()),
                Some(Err(_)) => return Err(Reason::Malformed),
                None => Cow::Borrowed(raw),
            }
        }
        _ => Cow::Borrowed(raw),
    };
    let Some((key, rest)) = keys.split_first() else { return Ok(Some(raw)) };
    match raw {
        Cow::Borrowed(raw) => member(raw, key)?.map_or(Ok(None), |value| value_at(value, rest)),
        Cow::Owned(raw) => {
            let found = member(&raw, key)?.map_or(Ok(None), |value| value_at(value, rest))?;
            Ok(found.map(|value| Cow::Owned(value.into_owned())))
        }
    }
}

/// The value of a key; `None` if there is no such key, or no object.
fn member<'r>(raw: &'r str, key: &str) -> Result<Option<&'r str>, Reason> {
    if !raw.starts_with('{') {
        return Ok(None);
    }
    let mut found = members(raw)?.into_iter().filter(|(name, _)| name == key);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(Reason::Malformed),
        (only, _) => Ok(only.map(|(_, value)| value)),
    }
}

/// The members of an object, in their order.
fn members(raw: &str) -> Result<Vec<(String, &str)>, Reason> {
    let mut object = serde_json::Deserializer::from_str(raw);
    let members = (&mut object).deserialize_map(Members).map_err(|_| Reason::Malformed)?;
    object.end().map_err(|_| Reason::Malformed)?;
    Ok(members)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de str)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key()? {
            members.push((key, map.next_value::<&'de RawValue>()?.get()));
        }
        Ok(members)
    }
}

#[cfg(test)]
#[path = "record_reader_tests.rs"]
mod tests;
