//! Decodes a JSON response: an envelope with records, which lie in it as `decode.layout` says.

use std::borrow::Cow;

use serde::de::DeserializeSeed as _;
use serde_json::error::Category;

use crate::fields::Readers;
use crate::model::connector::{Access, ConnectorFile, Decode, Encoding, RecordLayout};
use crate::model::page::Page;
use crate::sources::decode::envelope::{EnvelopeField, EnvelopePaths, EnvelopeValues};
use crate::sources::decode::json_envelope::{EnvelopeContents, EnvelopeNode, EnvelopeWalk, ListSeen, RecordSink};
use crate::sources::decode::{GZIP, encoding, json_lines, json_rows, refuse_gzip};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::select::Selection;

/// Paths of the envelope, and the fields to keep of a record.
#[derive(Debug, Clone)]
pub struct JsonLayout {
    paths: EnvelopePaths,
    selection: Selection,
    /// Maximum number of records of one body.
    max_records: u32,
    records: RecordLayout,
    /// For rows: key of a column's name, if columns are objects.
    column_key: Option<String>,
    encoding: Encoding,
    /// Most bytes of a body as text.
    expands_to: u64,
    /// Files may be compressed. Responses say so in `Content-Encoding`.
    is_file: bool,
}

impl JsonLayout {
    /// The layout of a connector's records.
    ///
    /// # Errors
    /// `misconfigured`, naming the path.
    pub(crate) fn of(file: &ConnectorFile, readers: &Readers) -> Result<Self, SourceError> {
        let mut layout = Self::compile(EnvelopePaths::of(file), &readers.fields, file.limits.max_page_records)?;
        if let Decode::Json { layout: records, columns, encoding, .. } = &file.decode {
            let key = columns.as_ref().and_then(|columns| columns.split_once("[].")).map(|(_, key)| key.to_owned());
            (layout.records, layout.column_key, layout.encoding) = (*records, key, *encoding);
        }
        layout.is_file = matches!(file.access, Access::Files { .. });
        layout.expands_to = if layout.is_file { file.limits.max_expanded_bytes } else { file.limits.max_body_bytes };
        Ok(layout)
    }

    /// A list of objects in UTF-8, over HTTP.
    ///
    /// # Errors
    /// `misconfigured`, naming the path.
    pub(crate) fn compile(paths: EnvelopePaths, fields: &[String], max_records: u32) -> Result<Self, SourceError> {
        let selection =
            Selection::compile(fields).map_err(|message| SourceError::new(ErrorKind::Misconfigured, message))?;
        Ok(Self {
            paths,
            selection,
            max_records,
            records: RecordLayout::List,
            column_key: None,
            encoding: Encoding::Auto,
            expands_to: u64::MAX,
            is_file: false,
        })
    }

    /// Maximum number of records of one body.
    pub(super) fn max_records(&self) -> u32 {
        self.max_records
    }

    /// Reads the records of `body` into `page`, with rows numbered from 1, and returns the values of the envelope.
    ///
    /// # Errors
    /// `content_coding`, `html_instead_of_json`, `not_utf8`, `wrong_encoding`, `body_cut_short`, `not_json`,
    /// `page_too_long`, `source_says_failure` or `no_records`; for a compressed file also `expands_too_far` and
    /// `file_damaged`. The content of `page` is then unspecified.
    pub fn read(&self, body: &[u8], page: &mut Page) -> Result<EnvelopeValues, SourceError> {
        let is_plain = matches!(self.encoding, Encoding::Auto | Encoding::Utf8) && !body.starts_with(GZIP);
        let has_other_mark = body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff");
        let body = if is_plain && !has_other_mark {
            Cow::Borrowed(body)
        } else {
            if !self.is_file {
                refuse_gzip(body)?;
            }
            Cow::Owned(encoding::text_of(body.to_vec(), self.encoding, self.expands_to)?)
        };
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
        if body.trim_ascii_start().starts_with(b"<") {
            return Err(SourceError::new(ErrorKind::HtmlInsteadOfJson, "the body is HTML or XML, not JSON"));
        }
        let text = std::str::from_utf8(body).map_err(|error| {
            let message = format!("byte {} of the body is not UTF-8", error.valid_up_to() + 1);
            SourceError::new(ErrorKind::NotUtf8, message)
        })?;
        self.read_text(text, page)
    }

    /// As [`JsonLayout::read`], of a text.
    ///
    /// # Errors
    /// Those of [`JsonLayout::read`].
    pub(super) fn read_text(&self, text: &str, page: &mut Page) -> Result<EnvelopeValues, SourceError> {
        let text = without_guard(text);
        if self.records == RecordLayout::Lines {
            json_lines::read(text, &self.selection, self.max_records, page)?;
            return Ok(EnvelopeValues::default());
        }
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
            return Err(SourceError::too_many_records(self.max_records as usize));
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
        if self.records == RecordLayout::Rows {
            let raw =
                [EnvelopeField::Records, EnvelopeField::Columns].map(|field| contents.texts[field as usize].take());
            contents.list = json_rows::read(raw, self.column_key.as_deref(), &self.selection, self.max_records, page)?;
        }
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
        let mut walk = EnvelopeWalk { contents, sink, is_root_list, records: self.records };
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

/// A text without the prefix by which a server keeps browsers from running its JSON as a script.
pub(crate) fn without_guard(text: &str) -> &str {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix(")]}'") {
        return rest.strip_prefix(',').unwrap_or(rest);
    }
    ["while(1);", "for(;;);"].iter().find_map(|guard| text.strip_prefix(guard)).unwrap_or(text)
}

/// Whether the text ends inside a number such as `1.`, which the parser reports as a syntax error, not as the end.
fn ends_in_number(text: &str, error: &serde_json::Error) -> bool {
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    let at_end = error.line() > text.matches('\n').count() && error.column() >= last_line.len();
    at_end && last_line.ends_with(['.', 'e', 'E', '+', '-'])
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
