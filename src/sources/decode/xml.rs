//! Decodes an XML response, a SOAP message among them: its records, one by one, and what is around them become
//! JSON texts that [`JsonLayout`] reads, so that paths are those of JSON ([`XmlConverter`]).

use std::borrow::Cow;
use std::collections::BTreeMap;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1258};
use unicode_normalization::UnicodeNormalization as _;

use crate::model::page::Page;
use crate::sources::decode::envelope::{ENVELOPE_FIELDS, EnvelopeValues};
use crate::sources::decode::inflate;
use crate::sources::decode::json::JsonLayout;
use crate::sources::decode::xml_json::XmlConverter;
use crate::sources::decode::{GZIP, refuse_gzip};
use crate::sources::error::{ErrorKind, SourceError};

/// An XML response: the layout of its JSON text, and the elements down to a record.
#[derive(Debug, Clone)]
pub(crate) struct XmlLayout {
    json: JsonLayout,
    /// Names of the elements from the root to a record.
    records: Vec<Box<str>>,
    /// Prefix in paths → namespace.
    namespaces: BTreeMap<String, String>,
    /// Most bytes of a file that is compressed; `None` over HTTP, where `Content-Encoding` says so.
    expands_to: Option<u64>,
}

impl XmlLayout {
    /// `records`: the path of the records, from the root element on.
    pub(crate) fn new(json: JsonLayout, records: &str, expands_to: Option<u64>) -> Self {
        let records = records.split('.').map(Into::into).collect();
        Self { json, records, namespaces: BTreeMap::new(), expands_to }
    }

    /// `namespaces`: prefix in paths → namespace.
    pub(crate) fn with_namespaces(mut self, namespaces: &BTreeMap<String, String>) -> Self {
        self.namespaces.clone_from(namespaces);
        self
    }

    /// Whether a record gives a row for each element of a list.
    pub(crate) fn explodes(&self) -> bool {
        self.json.explodes()
    }

    /// As [`JsonLayout::read`].
    ///
    /// # Errors
    /// `not_xml`, `not_utf8`, `html_instead_of_json`, `body_cut_short`, `source_says_failure` for a SOAP fault; those of
    /// [`JsonLayout::read`]; for a file that is compressed with gzip, `expands_too_far` and `file_damaged`.
    pub(crate) fn read(&self, body: &[u8], page: &mut Page) -> Result<EnvelopeValues, SourceError> {
        let body = match self.expands_to {
            Some(limit) if body.starts_with(GZIP) => Cow::Owned(inflate::gzip(body.to_vec(), limit)?),
            Some(_) => Cow::Borrowed(body),
            None => {
                refuse_gzip(body)?;
                Cow::Borrowed(body)
            }
        };
        let text = text_of(&body)?;
        let start = text.trim_start();
        if starts_with_name(start, "<!doctype html") || starts_with_name(start, "<html") {
            return Err(SourceError::new(ErrorKind::HtmlInsteadOfJson, "the body is HTML, not XML"));
        }
        let converter =
            || XmlConverter::new(&text).with_namespaces(&self.namespaces).with_envelope(self.json.envelope_paths());
        let mut row = 0;
        let mut take = |record: &str| {
            row += 1;
            self.json.read_record(page, row, record)
        };
        let read = converter().handing_on(&self.records, self.json.max_records(), &mut take).json();
        match read {
            Ok(json) => self.json.read_text(&json, page),
            // A fault whose code says that the session has expired (`auth.expired`), or that there is no such record
            // (`detail.not_found`).
            Err(fault) if fault.kind == ErrorKind::SourceSaysFailure => {
                let json = converter().keeping_faults().json()?;
                *page = page.without_rows();
                let read = self.json.read_text(&json, page);
                read.ok().filter(|envelope| envelope.instead.is_some()).ok_or(fault)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether a body is a SOAP message with a fault. SOAP 1.1 sends it with status 500 (section 6.2).
pub(crate) fn is_soap_fault(body: &[u8]) -> bool {
    let around = [None; ENVELOPE_FIELDS];
    let read = text_of(body).and_then(|text| XmlConverter::new(&text).with_envelope(around).json().map(drop));
    read.is_err_and(|error| error.kind == ErrorKind::SourceSaysFailure)
}

fn starts_with_name(text: &str, name: &str) -> bool {
    text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

/// The text of a body, by its byte order mark, else by the encoding that its declaration names, else UTF-8.
fn text_of(body: &[u8]) -> Result<Cow<'_, str>, SourceError> {
    let (encoding, mark) = Encoding::for_bom(body).unwrap_or_else(|| (declared(body), 0));
    let text = encoding.decode_without_bom_handling_and_without_replacement(&body[mark..]).ok_or_else(|| {
        let message = format!("the body has bytes that are not {}", encoding.name());
        SourceError::new(ErrorKind::NotUtf8, message)
    })?;
    // Its letters are followed by their tone marks.
    Ok(if encoding == WINDOWS_1258 { Cow::Owned(text.nfc().collect()) } else { text })
}

/// The encoding that an XML declaration names. A declaration is ASCII in every encoding that can be read here.
fn declared(body: &[u8]) -> &'static Encoding {
    let declaration = body.strip_prefix(b"<?xml").and_then(|rest| rest.split(|byte| *byte == b'>').next());
    let label = declaration.and_then(|declaration| {
        let text = std::str::from_utf8(declaration).ok()?;
        let rest = text.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        rest[1..].split(quote).next()
    });
    // UTF-16 without a byte order mark would not have been read as ASCII.
    let named = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    named.filter(|encoding| encoding.is_ascii_compatible()).unwrap_or(UTF_8)
}

#[cfg(test)]
#[path = "xml_tests.rs"]
mod tests;
