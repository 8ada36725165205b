//! Looks at one file or response of a source that no connector reads yet: how it is decoded, and which fields its records
//! have. For a first draft of a connector.

mod json;
mod table;
mod workbook;

use url::Url;

use crate::model::connector::{Encoding, Limits, Method, RecordLayout, Retry};
use crate::sources::decode::json::without_guard;
use crate::sources::decode::xml_json::XmlConverter;
use crate::sources::decode::{encoding, inflate, without_panic};
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::request::Request;
use crate::sources::response::successful_body;
use crate::sources::transport::Transport as _;
use crate::sources::transport::http::HttpTransport;
use crate::sources::transport::route::Route;

/// Records that are looked at.
const MAX_RECORDS: usize = 2_000;
/// Longest content, and longest after decompression.
const MAX_BYTES: u64 = 64 << 20;

/// What was found in a file or response.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub format: SampleFormat,
    pub fields: Vec<SampleField>,
    /// Records that were looked at.
    pub records: usize,
    /// Beginnings of the rows below the records of a table.
    pub footers: Vec<String>,
    /// Whole numbers of the envelope around the records, by their paths.
    pub numbers: Vec<(String, u64)>,
    /// Headings of the upper of two rows of headings; empty if there is one row.
    pub upper_headings: Vec<String>,
}

/// How a sample is decoded.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleFormat {
    Csv { delimiter: char, encoding: Encoding },
    Workbook,
    Json { records: String, layout: RecordLayout, columns: Option<String> },
    Xml { records: String },
}

/// A field of a sample: a column of a table, or a path into a record.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleField {
    /// Heading or path; empty for a column without a heading.
    pub name: String,
    /// Place of a column among those with its heading, from 1; `None` if it is the only one.
    pub nth: Option<u32>,
    /// Place of a column among all, from 1; `None` for a path.
    pub position: Option<u32>,
    /// Texts of the records that have one, in their order.
    pub values: Vec<String>,
}

impl Sample {
    /// Looks at the content of a file or response. `is_heading` says whether a text, folded, is a heading of the field.
    ///
    /// # Errors
    /// Why the content cannot be read, as for a connector's source; `no_records` if it has no list of records.
    pub fn of(bytes: Vec<u8>, is_heading: &dyn Fn(&str) -> bool) -> Result<Self, SourceError> {
        if bytes.len() as u64 > MAX_BYTES {
            let message = format!("the sample is longer than {MAX_BYTES} bytes: give a part of it");
            return Err(SourceError::new(ErrorKind::BodyTooLarge, message));
        }
        without_panic(|| {
            let bytes = if bytes.starts_with(b"\x1f\x8b") { inflate::gzip(bytes, MAX_BYTES)? } else { bytes };
            let bytes = inflate::only_file(bytes, MAX_BYTES)?;
            if bytes.starts_with(b"PK") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
                return workbook::sample(bytes, is_heading);
            }
            let is_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
            let bytes = if is_utf16 { encoding::text_of(bytes, Encoding::Auto, MAX_BYTES)? } else { bytes };
            let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii_start();
            match start.first() {
                Some(b'{' | b'[' | b')' | b'w' | b'f') if is_json(start) => {
                    json::sample(without_guard(std::str::from_utf8(start).map_err(not_utf8)?), is_heading)
                }
                Some(b'<') => {
                    let text = std::str::from_utf8(start).map_err(not_utf8)?;
                    json::of_xml(&XmlConverter::new(text).json()?)
                }
                _ => table::sample(&bytes, is_heading),
            }
        })
    }
}

/// The content of an address, requested once without a login.
///
/// # Errors
/// As for the first page of a connector.
pub async fn fetch(address: &Url) -> Result<Vec<u8>, SourceError> {
    let hosts = address.host_str().into_iter().map(str::to_owned).collect();
    let transport = HttpTransport::new(&Limits::default(), hosts, Route::default())?;
    let label = format!("GET {}", address.path());
    let request = Request::new(Method::Get, address.clone(), label);
    successful_body(transport.send(&request).await?, &request, &Retry::default())
}

/// Whether a text begins like JSON, also behind the guard of a script.
fn is_json(text: &[u8]) -> bool {
    [b"{".as_slice(), b"[", b")]}'", b"while(1);", b"for(;;);"].iter().any(|start| text.starts_with(start))
}

fn not_utf8(error: std::str::Utf8Error) -> SourceError {
    SourceError::new(ErrorKind::NotUtf8, format!("byte {} of the sample is not UTF-8", error.valid_up_to() + 1))
}

fn no_records(what: &str) -> SourceError {
    SourceError::new(ErrorKind::NoRecords, format!("the sample has no {what}"))
}

#[cfg(test)]
mod tests;
