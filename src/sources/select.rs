//! Selects the kept fields of a JSON record. The paths are compiled into a tree, and one walk over the record writes
//! its cells into a page.
//!
//! A path is `a.b.c`; `[0]` is an element of a list; `[key=value]` is the first object of a list whose `key` has the
//! text `value`; `#count` at the end of a path is the number of elements of a list. An object where a list was expected
//! counts as a list of one for a filter, a text as one for `[0]`. A text where an object with `#text` was expected (converted XML) is that text. A text that holds JSON or XML is read like
//! it where a path leads into it. A node may have a field and children at
//! once (`dossierStatus` and `dossierStatus.id`). A string is kept unchanged, a number as its JSON text, a boolean as
//! `true` or `false`. Null, an empty list or an empty object at the end of a path leaves the cell empty. Another list or
//! object gives [`CELL_STRUCTURE`], unless longer paths lead into it.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::fields::unmapped_field_path;
use crate::model::page::{CELL_STRUCTURE, Page, Reason};
use crate::sources::embedded::json_of;
use crate::sources::json_scalar::scalar;
use crate::sources::path_tree::{self, ElementFilter, PathNode, TreePart};

/// The kept paths of a connector, compiled into a tree.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The root is node 0.
    nodes: Vec<PathNode>,
}

impl Selection {
    /// Compiles paths. The cell of a path is its index in `paths`.
    ///
    /// # Errors
    /// A message that names the path and what is wrong with it.
    pub fn compile(paths: &[String]) -> Result<Self, String> {
        let cells = paths.iter().map(String::as_str).enumerate();
        Ok(Self { nodes: path_tree::compile(cells, TreePart::default())? })
    }

    /// Compiles the paths of a part of a record, each with its cell.
    ///
    /// # Errors
    /// As [`Selection::compile`].
    pub(crate) fn compile_part<'p>(
        paths: impl Iterator<Item = (usize, &'p str)>,
        part: TreePart<'_>,
    ) -> Result<Self, String> {
        Ok(Self { nodes: path_tree::compile(paths, part)? })
    }

    /// Whether a path begins with a key.
    pub(crate) fn begins_with(&self, key: &str) -> bool {
        self.nodes[0].has_key(key)
    }

    /// Number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Reads one record into a new row of `page`. A record that is not an object makes its row unreadable
    /// (`malformed`).
    ///
    /// # Errors
    /// Errors of the deserializer. The row is then begun and only partly filled.
    pub fn read<'de, D: Deserializer<'de>>(&self, page: &mut Page, row: u32, record: D) -> Result<(), D::Error> {
        page.begin_row(row);
        if !self.read_value(page, record)? {
            page.mark_unreadable(Reason::Malformed);
        }
        Ok(())
    }

    /// Reads a value into the current row. Returns whether it is an object.
    ///
    /// # Errors
    /// Errors of the deserializer. The row is then only partly filled.
    pub(crate) fn read_value<'de, D: Deserializer<'de>>(&self, page: &mut Page, value: D) -> Result<bool, D::Error> {
        value.deserialize_any(ValueWalk { nodes: &self.nodes, node: 0, page })
    }
}

/// Walks one JSON value along the tree. As a visitor it returns whether the value was an object.
struct ValueWalk<'a> {
    nodes: &'a [PathNode],
    node: usize,
    page: &'a mut Page,
}

impl<'de> DeserializeSeed<'de> for ValueWalk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        let node = &self.nodes[self.node];
        if node.is_left_out() {
            return IgnoredAny::deserialize(value).map(|_| ());
        }
        if let Some(field) = node.field {
            self.page.note_field(field);
        }
        if node.field.is_none() && node.count.is_none() && node.filters.is_empty() {
            return value.deserialize_any(self).map(|_| ());
        }
        let raw = <&RawValue>::deserialize(value)?.get();
        self.walk_raw(raw).map_err(D::Error::custom)
    }
}

impl ValueWalk<'_> {
    /// Walks a value that is read twice: for its own text and its children, or for several filters.
    fn walk_raw(self, raw: &str) -> Result<(), serde_json::Error> {
        let Self { nodes, node, page } = self;
        let here = &nodes[node];
        if let Some(field) = here.field {
            if let Some(text) = scalar(raw)? {
                page.set(field, &text);
            } else if here.ends_in_structure(raw) {
                page.set(field, CELL_STRUCTURE);
            }
        }
        if let Some(field) = here.count {
            page.note_field(field);
            match elements_of(raw)? {
                Some(elements) => page.set(field, &elements.to_string()),
                None if raw == "null" => {}
                None => page.set(field, CELL_STRUCTURE),
            }
        }
        match raw.as_bytes().first() {
            Some(b'{') => {
                if !here.keys.is_empty() {
                    let walk = ValueWalk { nodes, node, page: &mut *page };
                    serde_json::Deserializer::from_str(raw).deserialize_any(walk)?;
                }
                walk_filters(nodes, here, raw, page)
            }
            Some(b'[') if !here.filters.is_empty() || !here.elements.is_empty() => {
                let mut list = serde_json::Deserializer::from_str(raw);
                list.deserialize_seq(ElementWalk { nodes, here, page })
            }
            Some(b'"') => {
                let walk = ValueWalk { nodes, node, page };
                serde_json::Deserializer::from_str(raw).deserialize_any(walk).map(|_| ())
            }
            _ => Ok(()),
        }
    }
}

/// Number of elements of a list, also of one in a text. An object or a text that is not empty is a list of one, as in converted XML;
/// an empty text is an empty list. `None` if the value is none of these.
fn elements_of(raw: &str) -> Result<Option<usize>, serde_json::Error> {
    let of_list = |raw: &str| serde_json::from_str::<Vec<IgnoredAny>>(raw).map(|elements| Some(elements.len()));
    match raw.as_bytes().first() {
        Some(b'[') => of_list(raw),
        Some(b'{') => Ok(Some(1)),
        Some(b'"') => {
            let text = scalar(raw)?.unwrap_or_default();
            match text.trim() {
                "" => Ok(Some(0)),
                list if list.starts_with('[') => of_list(list),
                _ => Ok(Some(1)),
            }
        }
        _ => Ok(None),
    }
}

/// Walks the object below every filter of `here` that it matches.
fn walk_filters(nodes: &[PathNode], here: &PathNode, raw: &str, page: &mut Page) -> Result<(), serde_json::Error> {
    for filter in &here.filters {
        let mut object = serde_json::Deserializer::from_str(raw);
        if object.deserialize_any(FilterCheck(filter))? {
            let walk = ValueWalk { nodes, node: filter.node, page: &mut *page };
            walk.deserialize(&mut serde_json::Deserializer::from_str(raw))?;
        }
    }
    Ok(())
}

impl<'de> Visitor<'de> for ValueWalk<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<bool, E> {
        if self.nodes[self.node].leads_into(text)
            && let Some(json) = json_of(text)
        {
            let json = json.map_err(E::custom)?;
            let mut inner = serde_json::Deserializer::from_str(&json);
            let is_object = (&mut inner).deserialize_any(self).map_err(E::custom)?;
            return inner.end().map(|()| is_object).map_err(E::custom);
        }
        for field in self.nodes[self.node].of_text().filter_map(|node| self.nodes[node].field) {
            self.page.note_field(field);
            self.page.set(field, text);
        }
        Ok(false)
    }
    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let here = &self.nodes[self.node];
        // One bit per child. If a key occurs twice, its value is ambiguous and the row is unreadable.
        let mut seen_keys = 0_u128;
        let mut has_duplicate = false;
        while let Some(found) = map.next_key_seed(KeyLookup { here, page: &mut *self.page })? {
            match found {
                Some((child, node)) => {
                    let bit = 1_u128.checked_shl(u32::try_from(child).unwrap_or(u32::MAX)).unwrap_or(0);
                    has_duplicate |= seen_keys & bit != 0;
                    seen_keys |= bit;
                    map.next_value_seed(ValueWalk { nodes: self.nodes, node, page: &mut *self.page })?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_duplicate {
            self.page.mark_unreadable(Reason::Malformed);
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<bool, A::Error> {
        ElementWalk { nodes: self.nodes, here: &self.nodes[self.node], page: self.page }.visit_seq(list)?;
        Ok(false)
    }
}

/// Walks the elements of a list that an index or a filter selects.
struct ElementWalk<'a> {
    nodes: &'a [PathNode],
    here: &'a PathNode,
    page: &'a mut Page,
}

impl<'de> Visitor<'de> for ElementWalk<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { nodes, here, page } = self;
        if here.elements.is_empty() && here.filters.is_empty() {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let mut index = 0;
        while let Some(element) = list.next_element::<&RawValue>()? {
            let raw = element.get();
            if let Some((_, node)) = here.elements.iter().find(|(at, _)| *at == index) {
                let walk = ValueWalk { nodes, node: *node, page: &mut *page };
                walk.deserialize(&mut serde_json::Deserializer::from_str(raw)).map_err(A::Error::custom)?;
            }
            if raw.starts_with('{') {
                walk_filters(nodes, here, raw, page).map_err(A::Error::custom)?;
            }
            index += 1;
        }
        Ok(())
    }
}

/// Finds the child for a key without copying the key. A key without a child is reported to the page as an unknown
/// field.
struct KeyLookup<'a> {
    here: &'a PathNode,
    page: &'a mut Page,
}

impl<'de> DeserializeSeed<'de> for KeyLookup<'_> {
    type Value = Option<(usize, usize)>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyLookup<'_> {
    type Value = Option<(usize, usize)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        let found = self.here.keys.iter().enumerate().find(|(_, (name, _))| **name == *key);
        if found.is_none() && !self.here.has_data_as_keys {
            let path = || unmapped_field_path(&self.here.path, key);
            self.page.note_unmapped(self.here.place, key, path);
        }
        Ok(found.map(|(child, (_, node))| (child, *node)))
    }
}

struct KeyEquals<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for KeyEquals<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<bool, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyEquals<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

struct FilterCheck<'a>(&'a ElementFilter);

impl<'de> Visitor<'de> for FilterCheck<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut matches = false;
        while let Some(is_key) = map.next_key_seed(KeyEquals(&self.0.key))? {
            if is_key {
                let raw = map.next_value::<&RawValue>()?.get();
                matches |= scalar(raw).map_err(A::Error::custom)?.is_some_and(|text| *text == *self.0.value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(matches)
    }
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
