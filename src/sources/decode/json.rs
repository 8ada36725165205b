//! Decodes a JSON response: an envelope with records, which lie in it as `decode.layout` says.

use std::borrow::Cow;

use serde::de::DeserializeSeed as _;
use serde_json::error::Category;

use crate::fields::Readers;
use crate::fields::explode_path::{ASKED_PERIOD, NO_DETAIL};
use crate::model::connector::{Access, ConnectorFile, Decode, Detail, Encoding, Explode, RecordLayout, path_in_detail};
use crate::model::page::{Page, Reason};
use crate::sources::decode::envelope::{ENVELOPE_FIELDS, EnvelopeField, EnvelopePaths, EnvelopeValues};
use crate::sources::decode::json_envelope::{EnvelopeContents, EnvelopeNode, EnvelopeWalk, ListSeen, RecordSink};
use crate::sources::decode::{GZIP, encoding, json_lines, json_rows, refuse_gzip};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::record_reader::{RecordPart, RecordReader};

/// Number of the first place in the details of a record; a list has fewer places.
const DETAIL_PLACES: usize = 1 << 20;

/// Paths of the envelope, and the fields to keep of a record.
#[derive(Debug, Clone)]
pub struct JsonLayout {
    paths: EnvelopePaths,
    reader: RecordReader,
    /// Maximum number of records of one body.
    max_records: u32,
    records: RecordLayout,
    /// Whether there is one record: an object in the place of the list, whatever it has beside.
    is_single: bool,
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
        let is_of_list = |field: &str| {
            ![ASKED_PERIOD, NO_DETAIL].contains(&field) && (file.detail.is_none() || path_in_detail(field).is_none())
        };
        let fields = readers.fields.iter().map(String::as_str).enumerate().filter(|(_, field)| is_of_list(field));
        let fields: Vec<(usize, &str)> = fields.collect();
        let explode = file.decode.explode().filter(|explode| is_of_list(&explode.path));
        let part = RecordPart { is_xml: matches!(file.decode, Decode::Xml { .. }), ..RecordPart::default() };
        let reader = RecordReader::compile(&fields, explode, &part).map_err(misconfigured)?;
        let mut layout = Self::new(EnvelopePaths::of(file), reader, file);
        if let Decode::Json { layout: records, columns, .. } = &file.decode {
            let key = columns.as_ref().and_then(|columns| columns.split_once("[].")).map(|(_, key)| key.to_owned());
            (layout.records, layout.column_key) = (*records, key);
        }
        Ok(layout)
    }

    /// The layout of the details of a record: an object, or a list of one.
    ///
    /// # Errors
    /// `misconfigured`, naming the path.
    pub(crate) fn of_details(file: &ConnectorFile, detail: &Detail, readers: &Readers) -> Result<Self, SourceError> {
        let fields = readers.fields.iter().enumerate();
        let fields: Vec<(usize, &str)> =
            fields.filter_map(|(cell, field)| Some((cell, path_in_detail(field)?))).collect();
        let explode = file.decode.explode();
        let explode = explode
            .and_then(|explode| Some(Explode { path: path_in_detail(&explode.path)?.to_owned(), ..explode.clone() }));
        let is_xml = matches!(file.decode, Decode::Xml { .. });
        let part = RecordPart { prefix: "detail", first_place: DETAIL_PLACES, is_xml };
        let reader = RecordReader::compile(&fields, explode.as_ref(), &part).map_err(misconfigured)?;
        let mut layout = Self::new(EnvelopePaths::of_details(file, detail), reader, file);
        layout.is_single = true;
        Ok(layout)
    }

    /// A list of objects.
    fn new(paths: EnvelopePaths, reader: RecordReader, file: &ConnectorFile) -> Self {
        let is_file = matches!(file.access, Access::Files { .. });
        let limits = &file.limits;
        Self {
            paths,
            reader,
            max_records: limits.max_page_records,
            records: RecordLayout::List,
            is_single: false,
            column_key: None,
            encoding: if let Decode::Json { encoding, .. } = &file.decode { *encoding } else { Encoding::Auto },
            expands_to: if is_file { limits.max_expanded_bytes } else { limits.max_body_bytes },
            is_file,
        }
    }

    /// A list of objects in UTF-8, over HTTP.
    ///
    /// # Errors
    /// `misconfigured`, naming the path.
    #[cfg(test)]
    pub(crate) fn compile(paths: EnvelopePaths, fields: &[String], max_records: u32) -> Result<Self, SourceError> {
        let fields: Vec<(usize, &str)> = fields.iter().map(String::as_str).enumerate().collect();
        let reader = RecordReader::compile(&fields, None, &RecordPart::default()).map_err(misconfigured)?;
        Ok(Self {
            paths,
            reader,
            max_records,
            records: RecordLayout::List,
            is_single: false,
            column_key: None,
            encoding: Encoding::Auto,
            expands_to: u64::MAX,
            is_file: false,
        })
    }

    /// Whether the encoding is not declared.
    pub(super) fn follows_charset(&self) -> bool {
        self.encoding == Encoding::Auto
    }

    /// Whether a record gives a row for each element of a list.
    pub(super) fn explodes(&self) -> bool {
        self.reader.explodes()
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
            json_lines::read(text, &self.reader, self.max_records, page)?;
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
            contents.list = json_rows::read(raw, self.column_key.as_deref(), &self.reader, self.max_records, page)?;
        }
        let envelope = self.paths.read(contents.texts)?;
        if envelope.instead.is_some() {
            return Ok(envelope);
        }
        if contents.other_next {
            let path = self.paths.paths()[EnvelopeField::Next as usize].unwrap_or_default();
            let message =
                format!("`{path}` of the response is an object, a list or `true`, not the next cursor or address");
            return Err(SourceError::new(ErrorKind::NoCursor, message));
        }
        let (null_list, no_next) = (contents.list == ListSeen::Null, contents.no_next);
        if contents.list == ListSeen::Absent {
            Err(self.no_records())
        } else {
            Ok(EnvelopeValues { null_list, no_next, ..envelope })
        }
    }

    /// Reads the next record into `page`, from its own text. A record that cannot be read is an unreadable row.
    ///
    /// # Errors
    /// `page_too_long` if it gives more rows than a page may have.
    pub(super) fn read_record(&self, page: &mut Page, row: u32, text: &str) -> Result<(), SourceError> {
        let most = self.max_records as usize;
        let record = &mut serde_json::Deserializer::from_str(text);
        if self.reader.read(page, row, (record, None), most).is_err() {
            if page.len() > most {
                return Err(SourceError::too_many_records(most));
            }
            page.mark_unreadable(Reason::Malformed);
        }
        Ok(())
    }

    /// The paths of the envelope.
    pub(super) fn envelope_paths(&self) -> [Option<&str>; ENVELOPE_FIELDS] {
        self.paths.paths()
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
        let sink = RecordSink { reader: &self.reader, one_by_one, row: 0, max_records: self.max_records, page };
        let (records, is_single) = (self.records, self.is_single);
        let mut walk = EnvelopeWalk { contents, sink, is_root_list, is_single, records };
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

fn misconfigured(message: String) -> SourceError {
    SourceError::new(ErrorKind::Misconfigured, message)
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
