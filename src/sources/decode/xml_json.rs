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

use std::collections::BTreeMap;

use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

use crate::model::text::line_at;
use crate::sources::error::{ErrorKind, SourceError};

/// Elements inside each other. Real messages have a dozen.
const MAX_DEPTH: usize = 64;
/// Elements and attributes of a body: each takes a few hundred bytes.
const MAX_NODES: usize = 4_000_000;
/// Namespace of `nil` and `type`.
const INSTANCES: Namespace<'_> = Namespace("http://www.w3.org/2001/XMLSchema-instance");
/// Longest code of a SOAP fault that an error message repeats: a longer text may be a sentence.
const MAX_CODE_CHARS: usize = 40;

/// An element that is not closed yet.
#[derive(Debug, Default)]
struct Element {
    name: String,
    /// Attributes and elements: key, JSON text.
    values: Vec<(String, String)>,
    text: String,
    is_nil: bool,
    /// Whether all names from the root to this element are those of the path of records.
    is_on_path: bool,
}

/// Converts one document.
pub(crate) struct XmlConverter<'a> {
    text: &'a str,
    records: &'a [Box<str>],
    /// Prefix in paths → namespace.
    namespaces: &'a BTreeMap<String, String>,
    open: Vec<Element>,
    /// How many more records and nodes there may be.
    records_left: u32,
    nodes_left: usize,
    max_records: u32,
    /// Whether a SOAP fault is read like any other element.
    keeps_faults: bool,
}

impl<'a> XmlConverter<'a> {
    /// `records`: the names of the elements from the root to a record, of which there may be `max_records`; may be empty.
    pub(crate) fn new(text: &'a str, records: &'a [Box<str>], max_records: u32) -> Self {
        Self {
            text,
            records,
            namespaces: &NO_NAMESPACES,
            open: Vec::new(),
            records_left: max_records,
            nodes_left: MAX_NODES,
            max_records,
            keeps_faults: false,
        }
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
    /// `not_xml`, `body_cut_short`, `page_too_long`; `source_says_failure` for a SOAP fault.
    pub(crate) fn json(mut self) -> Result<String, SourceError> {
        let mut reader = NsReader::from_str(self.text);
        // The document itself holds the root element.
        self.open.push(Element { is_on_path: true, ..Element::default() });
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
        let depth = self.open.len() - 1;
        let is_on_path = self.open[depth].is_on_path && self.records.get(depth).is_some_and(|record| **record == *name);
        if is_on_path && depth + 1 == self.records.len() {
            let too_many = || SourceError::too_many_records(self.max_records as usize);
            self.records_left = self.records_left.checked_sub(1).ok_or_else(too_many)?;
        }
        let mut element = Element { name, is_on_path, ..Element::default() };
        self.count_node(reader)?;
        for attribute in start.attributes() {
            let attribute =
                attribute.map_err(|_| not_xml(reader, self.text, "has an element whose attributes cannot be read"))?;
            let value =
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| at(reader, self.text, &error))?;
            self.count_node(reader)?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let (namespace, key) = reader.resolver().resolve_attribute(attribute.key);
            if namespace == ResolveResult::Bound(INSTANCES) {
                element.is_nil |= key.as_ref() == "nil" && matches!(&*value, "true" | "1");
            } else {
                let name = name_in(self.namespaces, &namespace, key.as_ref());
                element.values.push((format!("@{name}"), quoted(&value)));
            }
        }
        self.open.push(element);
        Ok(())
    }

    /// Counts an element or attribute.
    fn count_node(&mut self, reader: &NsReader<&[u8]>) -> Result<(), SourceError> {
        let too_many = || not_xml(reader, self.text, &format!("has more than {MAX_NODES} elements and attributes"));
        self.nodes_left = self.nodes_left.checked_sub(1).ok_or_else(too_many)?;
        Ok(())
    }

    fn end(&mut self) -> Result<(), SourceError> {
        let mut element = self.open.pop().expect("the reader checks that ends have starts");
        if local_name(&element.name) == "Fault"
            && !self.keeps_faults
            && self.open.len() == 3
            && local_name(&self.open[1].name) == "Envelope"
            && local_name(&self.open[2].name) == "Body"
        {
            return Err(soap_fault(&element));
        }
        let depth = self.open.len();
        let name = std::mem::take(&mut element.name);
        let value = self.value_of(element, depth);
        let parent = self.open.last_mut().expect("the document holds the root element");
        parent.values.push((name, value));
        Ok(())
    }

    /// The JSON text of an element, which stands at a depth (1: the root element).
    fn value_of(&self, element: Element, depth: usize) -> String {
        let Element { values, text, is_nil, is_on_path, .. } = element;
        // The records of the element: a list also of one, or of none.
        let list = self.records.get(depth).filter(|_| is_on_path && depth + 1 == self.records.len());
        let text = text.trim();
        if let (true, Some(list)) = (is_nil, list) {
            return format!("{{{}:null}}", quoted(list));
        }
        if is_nil {
            return "null".to_owned();
        }
        if values.is_empty() && (list.is_none() || !text.is_empty()) {
            return quoted(text);
        }
        if list.is_none()
            && text.is_empty()
            && let Some(object) = object_of_different(&values)
        {
            return object;
        }
        let has_elements = values.iter().any(|(key, _)| !key.starts_with('@'));
        let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in values {
            members.entry(key).or_default().push(value);
        }
        let list_is_null = list.is_some_and(|list| has_elements && !members.contains_key(&**list));
        if let Some(list) = list.filter(|_| text.is_empty()) {
            members.entry(list.to_string()).or_default();
        }
        if !text.is_empty() {
            members.insert("#text".to_owned(), vec![quoted(text)]);
        }
        let member = |(key, values): (String, Vec<String>)| {
            let is_records = list.is_some_and(|list| **list == *key);
            if is_records && list_is_null {
                return format!("{}:null", quoted(&key));
            }
            let is_list = values.len() != 1 || is_records;
            let value = if is_list { format!("[{}]", values.join(",")) } else { values.concat() };
            format!("{}:{value}", quoted(&key))
        };
        format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(","))
    }

    fn add_text(&mut self, text: &str) {
        let element = self.open.last_mut().expect("the document is open until the end");
        element.text.push_str(text);
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

/// The error for a SOAP fault, with its code: `faultcode` of SOAP 1.1, `Code/Value` of SOAP 1.2. Its text may be about a
/// person and is left out.
fn soap_fault(fault: &Element) -> SourceError {
    let value =
        |name: &str| fault.values.iter().find(|(key, _)| local_name(key) == name).map(|(_, json)| json.as_str());
    let parsed = value("faultcode").or_else(|| value("Code")).and_then(|json| serde_json::from_str(json).ok());
    let parsed: serde_json::Value = parsed.unwrap_or_default();
    let members = parsed.as_object().into_iter().flatten();
    let values = members.filter(|(key, _)| matches!(local_name(key), "#text" | "Value")).map(|(_, value)| value);
    let code = std::iter::once(&parsed).chain(values).find_map(serde_json::Value::as_str);
    // A long number may be that of a person.
    let digits = |code: &str| code.chars().filter(char::is_ascii_digit).count();
    let is_plain = |code: &&str| {
        digits(code) < 6
            && code.len() <= MAX_CODE_CHARS
            && code.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, ':' | '.' | '_' | '-'))
    };
    let shown =
        code.filter(is_plain).map_or_else(|| "without a code that can be shown".to_owned(), |code| format!("`{code}`"));
    SourceError::new(ErrorKind::SourceSaysFailure, format!("the response is a SOAP fault, {shown}"))
}

/// The table of a connector without one.
static NO_NAMESPACES: BTreeMap<String, String> = BTreeMap::new();

/// A local name, with the prefix of its namespace if the table has one.
fn name_in(namespaces: &BTreeMap<String, String>, namespace: &ResolveResult<'_>, local: &str) -> String {
    let ResolveResult::Bound(Namespace(uri)) = namespace else { return local.to_owned() };
    let prefix = namespaces.iter().find(|(_, known)| known == uri);
    prefix.map_or_else(|| local.to_owned(), |(prefix, _)| format!("{prefix}:{local}"))
}

/// A name without the prefix of its namespace.
fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text into memory cannot fail")
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

/// Line and column of a byte, from 1, as an editor shows them.
fn place(text: &str, byte: u64) -> String {
    let mut end = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {} column {column}", line_at(text, end))
}

fn not_xml(reader: &NsReader<&[u8]>, text: &str, what: &str) -> SourceError {
    let message = format!("the body, at {}, {what}", place(text, reader.buffer_position()));
    SourceError::new(ErrorKind::NotXml, message)
}

/// The error of the parser, without its text, which may quote the body.
fn at(reader: &NsReader<&[u8]>, text: &str, error: &Error) -> SourceError {
    let is_at_end = usize::try_from(reader.buffer_position()).is_ok_and(|at| at >= text.trim_end().len());
    let is_cut = match error {
        Error::Syntax(SyntaxError::InvalidBangMarkup) | Error::IllFormed(IllFormedError::UnclosedReference) => {
            is_at_end
        }
        Error::Syntax(_) | Error::IllFormed(IllFormedError::MissingEndTag(_)) => true,
        _ => false,
    };
    if is_cut {
        let message = format!("the body ends inside what began at {}", place(text, reader.error_position()));
        return SourceError::new(ErrorKind::BodyCutShort, message);
    }
    not_xml(reader, text, "is not well-formed XML")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_line_and_column() {
        for (body, kind, at) in [
            ("<a>\n  <b>Sở</c>\n</a>", ErrorKind::NotXml, "at line 2 column 12, is"),
            ("<a>\n<b>ệ &nope; </b></a>", ErrorKind::NotXml, "at line 2 column 12, names"),
            ("<a>\r\nệ<b", ErrorKind::BodyCutShort, "began at line 2 column 2"),
            ("<!DOCTYPE a>\n<a/>", ErrorKind::NotXml, "at line 1 column 13, has a document type"),
        ] {
            let error = XmlConverter::new(body, &[], 5).json().expect_err(body);
            assert_eq!(error.kind, kind, "{body}");
            assert!(error.message.contains(at), "{body}: {}", error.message);
        }
        assert_eq!(place("ệ", 1), "line 1 column 1");
        assert_eq!(place("a\n", 9), "line 2 column 1");
    }

    #[test]
    fn elements_and_attributes_are_bounded_while_they_are_read() {
        let records: [Box<str>; 2] = ["list".into(), "r".into()];
        for (body, is_read) in [("<list><r a='1'/></list>", true), ("<list><r a='1' b='2'/></list>", false)] {
            let converter = XmlConverter { nodes_left: 3, ..XmlConverter::new(body, &records, 5) };
            assert_eq!(converter.json().is_ok(), is_read, "{body}");
        }
    }
}
