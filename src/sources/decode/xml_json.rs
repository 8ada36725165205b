//! Converts XML to JSON.
//!
//! | XML | JSON |
//! |---|---|
//! | an element with attributes or elements in it | an object |
//! | an element with text only | a text, without the white space around it |
//! | an attribute `a` | the key `@a` |
//! | text beside attributes or elements | the key `#text`; its pieces are put together |
//! | several elements of one name in an element | a list; at `decode.records` also of one or none |
//! | `xsi:nil="true"` | null |
//!
//! Names are local names: prefixes are left out. Where the connector has a table of prefixes (`decode.namespaces`), a name of
//! one of its namespaces has the table's prefix, whatever the document writes: `hs:Ma`, `@hs:loai`. Declarations of namespaces, and attributes of XML Schema's namespace of
//! instances (`xsi:type`), are no attributes.
//!
//! Where the records should be, an element without text and elements is an empty list. With text it has no list, for it may be
//! a message; with other elements only its list is null, which must be proved to be empty like a null of JSON.
//!
//! Records are handed on one by one, when they end, and are then forgotten. Of what is around them, only what lies on the way to
//! the records, or to a value of the envelope that the connector names, is kept.

use std::collections::BTreeMap;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

use crate::sources::decode::envelope::{ENVELOPE_FIELDS, EnvelopeField, below};
use crate::sources::decode::xml_element::{Element, Kept, local_name, quoted};
use crate::sources::decode::xml_errors::{at, not_xml, soap_fault};
use crate::sources::error::{ErrorKind, SourceError};

/// Elements inside each other. Real messages have a dozen.
const MAX_DEPTH: usize = 64;
/// Elements and attributes of one record, and of XML inside a text: each takes a hundred bytes or two until the record ends.
const MAX_RECORD_NODES: usize = 500_000;
/// Elements and attributes that are kept around the records.
const MAX_ENVELOPE_NODES: usize = 100_000;
/// Namespace of `nil` and `type`.
const INSTANCES: Namespace<'_> = Namespace("http://www.w3.org/2001/XMLSchema-instance");

/// Takes the JSON text of a record.
pub(crate) type TakeRecord<'s> = &'s mut dyn FnMut(&str) -> Result<(), SourceError>;

/// Converts one document.
pub(crate) struct XmlConverter<'a, 's> {
    text: &'a str,
    records: &'a [Box<str>],
    /// Prefix in paths → namespace.
    namespaces: &'a BTreeMap<String, String>,
    /// Paths of the envelope; `None` if everything is kept.
    envelope: Option<[Option<&'a str>; ENVELOPE_FIELDS]>,
    take: Option<TakeRecord<'s>>,
    open: Vec<Element<'a>>,
    /// How many more records and nodes there may be.
    records_left: u32,
    record_nodes_left: usize,
    max_record_nodes: usize,
    envelope_nodes_left: usize,
    max_records: u32,
    /// Whether a SOAP fault is read like any other element.
    keeps_faults: bool,
}

impl<'a, 's> XmlConverter<'a, 's> {
    /// A converter of a whole document.
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            records: &[],
            namespaces: &NO_NAMESPACES,
            envelope: None,
            take: None,
            open: Vec::new(),
            records_left: 0,
            record_nodes_left: MAX_RECORD_NODES,
            max_record_nodes: MAX_RECORD_NODES,
            envelope_nodes_left: MAX_ENVELOPE_NODES,
            max_records: 0,
            keeps_faults: false,
        }
    }

    /// Of what is around the records, only values at these paths are kept.
    pub(crate) fn with_envelope(mut self, mut paths: [Option<&'a str>; ENVELOPE_FIELDS]) -> Self {
        paths[EnvelopeField::Records as usize] = None;
        self.envelope = Some(paths);
        self
    }

    /// Hands the records on. `records`: the names of the elements from the root to a record, of which there may be
    /// `max_records`. A record that is the root element stays in the JSON text.
    pub(crate) fn handing_on(mut self, records: &'a [Box<str>], max_records: u32, take: TakeRecord<'s>) -> Self {
        (self.records, self.take) = (records, Some(take));
        (self.records_left, self.max_records) = (max_records, max_records);
        self
    }

    /// Names have the prefixes of a table: prefix → namespace.
    pub(crate) fn with_namespaces(mut self, namespaces: &'a BTreeMap<String, String>) -> Self {
        self.namespaces = namespaces;
        self
    }

    /// Reads a SOAP fault like any other element, because its code may mean that a session has expired.
    pub(crate) fn keeping_faults(mut self) -> Self {
        self.keeps_faults = true;
        self
    }

    /// The JSON text: an object whose only key is the root element.
    ///
    /// # Errors
    /// `not_xml`, `body_cut_short`, `page_too_long`; `source_says_failure` for a SOAP fault; the errors of who takes the records.
    pub(crate) fn json(mut self) -> Result<String, SourceError> {
        let mut reader = NsReader::from_str(self.text);
        // The document itself holds the root element, which is always kept.
        let kept = if self.envelope.is_none() { Kept::All } else { Kept::Way };
        let below = self.envelope.unwrap_or_default();
        self.open.push(Element { is_on_path: true, kept, below, ..Element::default() });
        loop {
            let event = reader.read_event().map_err(|error| at(&reader, self.text, &error))?;
            match event {
                Event::Start(start) => self.start(&start, &reader)?,
                Event::Empty(start) => {
                    self.start(&start, &reader)?;
                    self.end()?;
                }
                Event::End(_) => self.end()?,
                Event::Text(text) => self.add_text(&text.xml10_content()),
                Event::CData(text) => self.add_text(&text.xml10_content()),
                Event::GeneralRef(name) => self.add_reference(&name, &reader)?,
                Event::DocType(_) => {
                    return Err(not_xml(&reader, self.text, "has a document type (`<!DOCTYPE`), which is not read"));
                }
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => break,
            }
        }
        match &mut self.open[..] {
            [document] if document.values.len() == 1 && document.text.trim().is_empty() => {
                let (root, value) = document.values.remove(0);
                Ok(format!("{{{}:{value}}}", quoted(&root)))
            }
            [document]
                if document.values.is_empty() && !self.text.trim().is_empty() && document.text.trim().is_empty() =>
            {
                Err(SourceError::new(ErrorKind::BodyCutShort, "the body ends before its root element"))
            }
            [_] => Err(not_xml(&reader, self.text, "has no root element, or something beside it")),
            _ => Err(SourceError::new(ErrorKind::BodyCutShort, "the body ends inside an element")),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, reader: &NsReader<&[u8]>) -> Result<(), SourceError> {
        if self.open.len() > MAX_DEPTH {
            return Err(not_xml(reader, self.text, &format!("has more than {MAX_DEPTH} elements inside each other")));
        }
        let (namespace, local) = reader.resolver().resolve_element(start.name());
        let name = name_in(self.namespaces, &namespace, local.as_ref());
        let mut element = self.element(name)?;
        if element.kept == Kept::Nothing {
            self.parent().has_other_elements = true;
        } else {
            self.count_node(element.kept, reader)?;
        }
        for attribute in start.attributes() {
            let attribute =
                attribute.map_err(|_| not_xml(reader, self.text, "has an element whose attributes cannot be read"))?;
            let value =
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| at(reader, self.text, &error))?;
            if element.kept == Kept::Nothing || attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            self.count_node(element.kept, reader)?;
            let (namespace, key) = reader.resolver().resolve_attribute(attribute.key);
            if namespace == ResolveResult::Bound(INSTANCES) {
                element.is_nil |= key.as_ref() == "nil" && matches!(&*value, "true" | "1");
                continue;
            }
            let key = format!("@{}", name_in(self.namespaces, &namespace, key.as_ref()));
            if element.kept == Kept::All || element.below.iter().any(|path| below(*path, &key).is_some()) {
                element.values.push((key, quoted(&value)));
            } else {
                element.has_other_attributes = true;
            }
        }
        self.open.push(element);
        Ok(())
    }

    /// An element that begins in the innermost open one.
    fn element(&mut self, name: String) -> Result<Element<'a>, SourceError> {
        let depth = self.open.len() - 1;
        let parent = &self.open[depth];
        // No records and no values of the envelope are looked for in what is kept as a whole.
        if parent.kept == Kept::All {
            return Ok(Element { name, kept: Kept::All, ..Element::default() });
        }
        let is_on_path =
            parent.is_on_path && !parent.is_nil && self.records.get(depth).is_some_and(|record| **record == *name);
        let is_record = is_on_path && depth + 1 == self.records.len();
        let below = parent.below.map(|path| below(path, &name));
        let is_fault = || {
            let is = |at: usize, wanted: &str| self.open.get(at).is_some_and(|open| local_name(&open.name) == wanted);
            depth < 3
                && (depth == 0 || is(1, "Envelope"))
                && (depth < 2 || is(2, "Body"))
                && ["Envelope", "Body", "Fault"][depth] == local_name(&name)
        };
        let kept = match parent.kept {
            Kept::Way if is_record => Kept::All,
            Kept::Way if is_fault() => {
                if depth == 2 {
                    Kept::All
                } else {
                    Kept::Way
                }
            }
            Kept::Way if depth == 0 || is_on_path || below.iter().any(Option::is_some) => Kept::Way,
            _ => Kept::Nothing,
        };
        if is_record {
            let too_many = || SourceError::too_many_records(self.max_records as usize);
            self.records_left = self.records_left.checked_sub(1).ok_or_else(too_many)?;
            self.record_nodes_left = self.max_record_nodes;
        }
        let name = if kept == Kept::Nothing { String::new() } else { name };
        Ok(Element { name, kept, is_on_path, below, ..Element::default() })
    }

    /// Counts an element or attribute that is kept.
    fn count_node(&mut self, kept: Kept, reader: &NsReader<&[u8]>) -> Result<(), SourceError> {
        let (left, most, place) = match kept {
            Kept::All => (&mut self.record_nodes_left, self.max_record_nodes, "in one record"),
            Kept::Way | Kept::Nothing => (&mut self.envelope_nodes_left, MAX_ENVELOPE_NODES, "around its records"),
        };
        let message = || format!("has more than {most} elements and attributes {place}");
        *left = left.checked_sub(1).ok_or_else(|| not_xml(reader, self.text, &message()))?;
        Ok(())
    }

    fn parent(&mut self) -> &mut Element<'a> {
        self.open.last_mut().expect("the document is open until the end")
    }

    fn end(&mut self) -> Result<(), SourceError> {
        let mut element = self.open.pop().expect("the reader checks that ends have starts");
        if element.kept == Kept::Nothing {
            return Ok(());
        }
        if local_name(&element.name) == "Fault"
            && !self.keeps_faults
            && self.open.len() == 3
            && local_name(&self.open[1].name) == "Envelope"
            && local_name(&self.open[2].name) == "Body"
        {
            return Err(soap_fault(&element));
        }
        let depth = self.open.len();
        // The records of the element: a list also of one, or of none.
        let list = self.records.get(depth).filter(|_| element.is_on_path && depth + 1 == self.records.len());
        let is_record = element.is_on_path && depth == self.records.len() && depth > 1;
        let name = std::mem::take(&mut element.name);
        let value = element.into_json(list.map(|list| &**list));
        match &mut self.take {
            Some(take) if is_record => {
                take(&value)?;
                self.parent().has_records = true;
            }
            _ => self.parent().values.push((name, value)),
        }
        Ok(())
    }

    fn add_text(&mut self, text: &str) {
        let element = self.parent();
        if element.kept != Kept::Nothing {
            element.text.push_str(text);
        }
    }

    /// Adds what `&name;` stands for. Only XML's own names and numbers of characters are known: a document could define
    /// others so that they unfold without limit.
    fn add_reference(&mut self, name: &BytesRef<'_>, reader: &NsReader<&[u8]>) -> Result<(), SourceError> {
        if let Some(character) = name.resolve_char_ref().map_err(|error| at(reader, self.text, &error))? {
            self.add_text(character.encode_utf8(&mut [0; 4]));
            return Ok(());
        }
        let known = resolve_xml_entity(&name.xml10_content());
        self.add_text(known.ok_or_else(|| not_xml(reader, self.text, "names an entity that XML does not define"))?);
        Ok(())
    }
}

/// The table of a connector without one.
static NO_NAMESPACES: BTreeMap<String, String> = BTreeMap::new();

/// A local name, with the prefix of its namespace if the table has one.
fn name_in(namespaces: &BTreeMap<String, String>, namespace: &ResolveResult<'_>, local: &str) -> String {
    let ResolveResult::Bound(Namespace(uri)) = namespace else { return local.to_owned() };
    let prefix = namespaces.iter().find(|(_, known)| known == uri);
    prefix.map_or_else(|| local.to_owned(), |(prefix, _)| format!("{prefix}:{local}"))
}

#[cfg(test)]
#[path = "xml_json_tests.rs"]
mod tests;
