//! Decodes a JSON response: an envelope with a list of records.
//!
//! The text is parsed in one pass, without building a `serde_json::Value`: `EnvelopeNode` walks from the envelope to
//! the list, [`Selection`] reads each record along the kept paths.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::fields::Readers;
use crate::model::connector::ConnectorFile;
use crate::model::page::{Page, Reason};
use crate::sources::decode::envelope::{ENVELOPE_FIELDS, EnvelopeField, EnvelopePaths, EnvelopeTexts, EnvelopeValues};
use crate::sources::decode::{refuse_gzip, too_many_records};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::select::Selection;

/// Paths of the envelope, and the fields to keep of a record.
#[derive(Debug, Clone)]
pub struct JsonLayout {
    paths: EnvelopePaths,
    selection: Selection,
    /// Maximum number of records of one body.
    max_records: u32,
}

impl JsonLayout {
    /// The layout of a connector's records.
    ///
    /// # Errors
    /// `misconfigured`, naming the path.
    pub(crate) fn of(file: &ConnectorFile, readers: &Readers) -> Result<Self, SourceError> {
        Self::compile(EnvelopePaths::of(file), &readers.fields, file.limits.max_page_records)
    }

    /// # Errors
    /// `misconfigured`, naming the path.
    pub(crate) fn compile(paths: EnvelopePaths, fields: &[String], max_records: u32) -> Result<Self, SourceError> {
        let selection =
            Selection::compile(fields).map_err(|message| SourceError::new(ErrorKind::Misconfigured, message))?;
        Ok(Self { paths, selection, max_records })
    }

    /// Maximum number of records of one body.
    pub(super) fn max_records(&self) -> u32 {
        self.max_records
    }

    /// Reads the records of `body` into `page`, with rows numbered from 1, and returns the values of the envelope.
    ///
    /// # Errors
    /// `content_coding`, `html_instead_of_json`, `not_utf8`, `body_cut_short`, `not_json`, `page_too_long`,
    /// `source_says_failure` or `no_records`. The content of `page` is then unspecified.
    pub fn read(&self, body: &[u8], page: &mut Page) -> Result<EnvelopeValues, SourceError> {
        refuse_gzip(body)?;
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        if body.trim_ascii_start().starts_with(b"<") {
            return Err(SourceError::new(ErrorKind::HtmlInsteadOfJson, "the body is HTML or XML, not JSON"));
        }
        let text = std::str::from_utf8(body).map_err(|error| {
            let message = format!("byte {} of the body is not UTF-8", error.valid_up_to() + 1);
            SourceError::new(ErrorKind::NotUtf8, message)
        })?;
        let mut contents = EnvelopeContents::default();
        let mut walked = self.walk(text, page, &mut contents, false);
        // A record may be valid by the JSON grammar and still not be text, for example with half a surrogate pair.
        // Read one by one, such a record spoils its own row only.
        if walked.as_ref().is_err_and(|error| error.classify() != Category::Eof) && !contents.too_many {
            *page = Page::new(
                page.number,
                std::mem::take(&mut page.origin),
                std::mem::take(&mut page.body_digest),
                page.fields.clone(),
            );
            contents = EnvelopeContents::default();
            walked = self.walk(text, page, &mut contents, true);
        }
        if contents.too_many {
            return Err(too_many_records(self.max_records as usize));
        }
        walked.map_err(|error| {
            // Not the text of the error: it may quote the body.
            let place = format!("line {} column {}", error.line(), error.column());
            if error.classify() == Category::Eof || ends_in_number(text, &error) {
                SourceError::new(ErrorKind::BodyCutShort, format!("the body ends at {place}"))
            } else {
                SourceError::new(ErrorKind::NotJson, format!("the body is not JSON at {place}"))
            }
        })?;
        let envelope = self.paths.read(contents.texts)?;
        if envelope.expired {
            return Ok(envelope);
        }
        if contents.other_next {
            let path = self.paths.paths()[EnvelopeField::Next as usize].unwrap_or_default();
            let message =
                format!("`{path}` of the response is an object, a list or `true`, not the next cursor or address");
            return Err(SourceError::new(ErrorKind::NoCursor, message));
        }
        let (null_list, null_next) = (contents.list == ListSeen::Null, contents.null_next);
        if contents.list == ListSeen::Absent {
            Err(self.no_records())
        } else {
            Ok(EnvelopeValues { null_list, null_next, ..envelope })
        }
    }

    fn walk(
        &self,
        text: &str,
        page: &mut Page,
        contents: &mut EnvelopeContents,
        one_by_one: bool,
    ) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let paths = self.paths.paths();
        let is_root_list = paths[EnvelopeField::Records as usize].is_none_or(str::is_empty);
        let sink = RecordSink { selection: &self.selection, one_by_one, row: 0, max_records: self.max_records, page };
        let mut walk = EnvelopeWalk { contents, sink, is_root_list };
        EnvelopeNode { walk: &mut walk, paths }.deserialize(&mut deserializer)?;
        deserializer.end()
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

/// What stands in the place of the list of records.
#[derive(Debug, Default, PartialEq, Eq)]
enum ListSeen {
    /// Nothing, or something else.
    #[default]
    Absent,
    Null,
    /// A list, or an object that is the only record.
    Found,
}

/// What was read of the envelope.
#[derive(Debug, Default)]
struct EnvelopeContents {
    list: ListSeen,
    /// Whether the list has more than the maximum number of records.
    too_many: bool,
    /// Whether the next cursor or address is `null`.
    null_next: bool,
    /// Whether the place of the next cursor or address has an object, a list or `true`.
    other_next: bool,
    texts: EnvelopeTexts,
}

/// Takes the records of the list.
struct RecordSink<'a> {
    selection: &'a Selection,
    /// Whether each record is parsed separately, so that an invalid one spoils only its own row.
    one_by_one: bool,
    row: u32,
    max_records: u32,
    page: &'a mut Page,
}

struct EnvelopeWalk<'a> {
    contents: &'a mut EnvelopeContents,
    sink: RecordSink<'a>,
    /// Whether the response itself is the list. An object is then an envelope, not a record.
    is_root_list: bool,
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

    /// Whether an object at this place is a record: it stands where the list of records should, and is no envelope of
    /// anything else.
    fn is_only_record(&self) -> bool {
        let has_values_below = self.paths.iter().flatten().any(|path| !path.is_empty());
        self.is_at(EnvelopeField::Records) && !self.walk.is_root_list && !has_values_below
    }

    /// Reads the only record of a list that is the record itself. An object without a kept field, such as a message of
    /// failure, is no record.
    fn read_only_record<'de, A: MapAccess<'de>>(self, record: A) -> Result<(), A::Error> {
        let EnvelopeWalk { contents, sink, .. } = self.walk;
        sink.row += 1;
        sink.selection.read(sink.page, sink.row, MapAccessDeserializer::new(record))?;
        let row = sink.page.len() - 1;
        if (0..sink.page.fields.len()).any(|field| sink.page.cell(row, field).is_some()) {
            contents.list = ListSeen::Found;
        }
        Ok(())
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
        if self.is_at(EnvelopeField::Next) {
            // `false` says that there is none.
            self.walk.contents.other_next |= flag;
        } else {
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
        // Converters from XML write an empty list as an empty text.
        if self.is_at(EnvelopeField::Records) && text.trim().is_empty() {
            self.walk.contents.list = ListSeen::Null;
        }
        self.keep(text);
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.walk.contents.null_next |= self.is_at(EnvelopeField::Next);
        if self.is_at(EnvelopeField::Records) {
            self.walk.contents.list = ListSeen::Null;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.walk.contents.other_next |= self.is_at(EnvelopeField::Next);
        if self.is_only_record() {
            return self.read_only_record(map);
        }
        while let Some(key) = map.next_key::<String>()? {
            let paths = self.paths.map(|path| below(path, &key));
            map.next_value_seed(EnvelopeNode { walk: &mut *self.walk, paths })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.walk.contents.other_next |= self.is_at(EnvelopeField::Next);
        if !self.is_at(EnvelopeField::Records) {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let EnvelopeWalk { contents, sink, .. } = self.walk;
        contents.list = ListSeen::Found;
        while list.next_element_seed(RecordSeed { sink, too_many: &mut contents.too_many })?.is_some() {}
        Ok(())
    }
}

/// Reads one record of the list into the sink.
struct RecordSeed<'a, 'w> {
    sink: &'a mut RecordSink<'w>,
    too_many: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, record: D) -> Result<(), D::Error> {
        let RecordSink { selection, one_by_one, row, max_records, page } = self.sink;
        if row == max_records {
            *self.too_many = true;
            return Err(D::Error::custom("too many records"));
        }
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
