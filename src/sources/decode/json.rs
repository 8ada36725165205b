//! Decodes a JSON response: an envelope with a list of records.
//!
//! The text is parsed in one pass, without building a `serde_json::Value`: `EnvelopeNode` walks from the envelope to
//! the list, [`Selection`] reads each record along the kept paths.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::model::page::{Page, Reason};
use crate::sources::decode::envelope::{ENVELOPE_FIELDS, EnvelopeField, EnvelopePaths, EnvelopeTexts, EnvelopeValues};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::select::Selection;

/// Paths of the envelope, and the fields to keep of a record.
#[derive(Debug, Clone)]
pub struct JsonLayout {
    paths: EnvelopePaths,
    selection: Selection,
}

impl JsonLayout {
    /// # Errors
    /// `misconfigured`, naming the path.
    pub(crate) fn compile(paths: EnvelopePaths, fields: &[String]) -> Result<Self, SourceError> {
        let selection =
            Selection::compile(fields).map_err(|message| SourceError::new(ErrorKind::Misconfigured, message))?;
        Ok(Self { paths, selection })
    }

    /// Reads the records of `body` into `page`, with rows numbered from 1, and returns the values of the envelope.
    ///
    /// # Errors
    /// `html_instead_of_json`, `not_utf8`, `body_cut_short`, `not_json`, `source_says_failure` or `no_records`. The
    /// content of `page` is then unspecified.
    pub fn read(&self, body: &[u8], page: &mut Page) -> Result<EnvelopeValues, SourceError> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        if body.trim_ascii_start().starts_with(b"<") {
            return Err(SourceError::new(ErrorKind::HtmlInsteadOfJson, "the body is HTML or XML, not JSON"));
        }
        let text = std::str::from_utf8(body).map_err(|error| {
            let message = format!("byte {} of the body is not UTF-8", error.valid_up_to() + 1);
            SourceError::new(ErrorKind::NotUtf8, message)
        })?;
        let contents = match self.walk(text, page, false) {
            // A record may be valid by the JSON grammar and still not be text, for example with half a surrogate pair.
            // Read one by one, such a record spoils its own row only.
            Err(error) if error.classify() != Category::Eof => {
                *page = Page::new(
                    page.number,
                    std::mem::take(&mut page.origin),
                    std::mem::take(&mut page.body_digest),
                    page.fields.clone(),
                );
                self.walk(text, page, true)
            }
            other => other,
        };
        let contents = contents.map_err(|error| {
            // Not the text of the error: it may quote the body.
            let place = format!("line {} column {}", error.line(), error.column());
            if error.classify() == Category::Eof || ends_in_number(text, &error) {
                SourceError::new(ErrorKind::BodyCutShort, format!("the body ends at {place}"))
            } else {
                SourceError::new(ErrorKind::NotJson, format!("the body is not JSON at {place}"))
            }
        })?;
        let envelope = self.paths.read(contents.flag, contents.texts)?;
        if contents.has_list || envelope.expired { Ok(envelope) } else { Err(self.no_records()) }
    }

    fn walk(&self, text: &str, page: &mut Page, one_by_one: bool) -> Result<EnvelopeContents, serde_json::Error> {
        let mut contents = EnvelopeContents::default();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let sink = RecordSink { selection: &self.selection, one_by_one, row: 0, page };
        let mut walk = EnvelopeWalk { contents: &mut contents, sink };
        EnvelopeNode { walk: &mut walk, paths: self.paths.paths() }.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(contents)
    }

    fn no_records(&self) -> SourceError {
        let message = match self.paths.paths()[EnvelopeField::Records as usize] {
            Some(path) if !path.is_empty() => format!("the response has no list at `{path}`"),
            _ => "the response is not a list of records".to_owned(),
        };
        SourceError::new(ErrorKind::NoRecords, message)
    }
}

/// Whether the text ends inside a number such as `1.`, which the parser reports as a syntax error, not as the end.
fn ends_in_number(text: &str, error: &serde_json::Error) -> bool {
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    let at_end = error.line() > text.matches('\n').count() && error.column() >= last_line.len();
    at_end && last_line.ends_with(['.', 'e', 'E', '+', '-'])
}

/// What was read of the envelope.
#[derive(Debug, Default)]
struct EnvelopeContents {
    /// Whether the list of records was found.
    has_list: bool,
    flag: Option<bool>,
    texts: EnvelopeTexts,
}

/// Takes the records of the list.
struct RecordSink<'a> {
    selection: &'a Selection,
    /// Whether each record is parsed separately, so that an invalid one spoils only its own row.
    one_by_one: bool,
    row: u32,
    page: &'a mut Page,
}

struct EnvelopeWalk<'a> {
    contents: &'a mut EnvelopeContents,
    sink: RecordSink<'a>,
}

/// A value of the envelope. For each path, `paths` has the part below this value: `Some("")` if the path ends here,
/// `None` if it does not lead here.
struct EnvelopeNode<'a, 'w> {
    walk: &'a mut EnvelopeWalk<'w>,
    paths: [Option<&'a str>; ENVELOPE_FIELDS],
}

impl EnvelopeNode<'_, '_> {
    fn is_at(&self, fact: EnvelopeField) -> bool {
        self.paths[fact as usize] == Some("")
    }

    /// Stores the text of this value for the paths that end here.
    fn keep(&mut self, text: &str) {
        for (path, kept) in self.paths.iter().zip(&mut self.walk.contents.texts) {
            if *path == Some("") {
                *kept = Some(text.to_owned());
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for EnvelopeNode<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        if self.paths.iter().all(Option::is_none) {
            return IgnoredAny::deserialize(value).map(|_| ());
        }
        value.deserialize_any(self)
    }
}

/// The part of a path below `key`; `None` if it does not lead there. A key may itself contain dots (`@odata.count`).
fn below<'a>(path: Option<&'a str>, key: &str) -> Option<&'a str> {
    let rest = path.filter(|path| !path.is_empty())?.strip_prefix(key)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

impl<'de> Visitor<'de> for EnvelopeNode<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON response")
    }

    fn visit_bool<E>(mut self, flag: bool) -> Result<(), E> {
        if self.is_at(EnvelopeField::Flag) {
            self.walk.contents.flag = Some(flag);
        }
        if !self.is_at(EnvelopeField::Next) {
            self.keep(if flag { "true" } else { "false" });
        }
        Ok(())
    }
    fn visit_i64<E>(mut self, number: i64) -> Result<(), E> {
        self.keep(&number.to_string());
        Ok(())
    }
    fn visit_u64<E>(mut self, number: u64) -> Result<(), E> {
        self.keep(&number.to_string());
        Ok(())
    }
    fn visit_f64<E>(mut self, number: f64) -> Result<(), E> {
        self.keep(&number.to_string());
        Ok(())
    }
    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        self.keep(text);
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let paths = self.paths.map(|path| below(path, &key));
            map.next_value_seed(EnvelopeNode { walk: &mut *self.walk, paths })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if !self.is_at(EnvelopeField::Records) {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        self.walk.contents.has_list = true;
        while list.next_element_seed(RecordSeed { sink: &mut self.walk.sink })?.is_some() {}
        Ok(())
    }
}

/// Reads one record of the list into the sink.
struct RecordSeed<'a, 'w> {
    sink: &'a mut RecordSink<'w>,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, record: D) -> Result<(), D::Error> {
        let RecordSink { selection, one_by_one, row, page } = self.sink;
        *row += 1;
        if !*one_by_one {
            return selection.read(page, *row, record);
        }
        let raw = <&RawValue>::deserialize(record)?.get();
        if selection.read(page, *row, &mut serde_json::Deserializer::from_str(raw)).is_err() {
            page.mark_unreadable(Reason::Malformed);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
