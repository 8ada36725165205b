//! From the bytes of one answer or file to pages of kept fields.

pub mod csv;
pub mod facts;
pub mod json;

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::connector::{Connector, ConnectorFile, Decode};
use crate::model::field::Readers;
use crate::model::page::Page;
use crate::sources::decode::csv::{CsvFile, CsvLayout};
use crate::sources::decode::facts::{FactPaths, Facts};
use crate::sources::decode::json::JsonLayout;
use crate::sources::error::SourceError;

/// A compiled `[decode]` table.
#[derive(Debug, Clone)]
pub struct Decoder {
    layout: Layout,
    fields: Arc<[String]>,
}

#[derive(Debug, Clone)]
enum Layout {
    Json(JsonLayout),
    Csv(CsvLayout),
}

impl Decoder {
    /// # Errors
    /// `misconfigured` if a path does not compile.
    pub fn compile(file: &ConnectorFile, readers: &Readers) -> Result<Self, SourceError> {
        let layout = match &file.decode {
            Decode::Json { .. } => Layout::Json(JsonLayout::compile(FactPaths::of(file), &readers.fields)?),
            Decode::Csv { delimiter, header, footers } => {
                Layout::Csv(CsvLayout::compile(*delimiter, header, footers, readers)?)
            }
        };
        Ok(Self { layout, fields: Arc::clone(&readers.fields) })
    }

    /// One answer as one page, and what else it says.
    ///
    /// # Errors
    /// Why the body cannot be read; one bad record costs one row.
    pub fn page(&self, body: &[u8], number: u32, origin: String) -> Result<(Page, Facts), SourceError> {
        let mut page = Page::new(number, origin, hex_digest(body), Arc::clone(&self.fields));
        match &self.layout {
            Layout::Json(layout) => {
                let facts = layout.read(body, &mut page)?;
                Ok((page, facts))
            }
            Layout::Csv(layout) => {
                CsvFile::open(layout, body.to_vec())?.read(&mut page, usize::MAX)?;
                Ok((page, Facts::default()))
            }
        }
    }

    /// The layout of CSV files; `None` for other formats.
    pub(crate) fn csv(&self) -> Option<&CsvLayout> {
        match &self.layout {
            Layout::Csv(layout) => Some(layout),
            Layout::Json(_) => None,
        }
    }

    pub(crate) fn fields(&self) -> Arc<[String]> {
        Arc::clone(&self.fields)
    }
}

/// Decodes a single body as `connector` would: for the conformance runner and `check`.
///
/// # Errors
/// Why the body cannot be read.
pub fn decode_page(
    connector: &Connector,
    readers: &Readers,
    body: &[u8],
    number: u32,
    origin: String,
) -> Result<(Page, Facts), SourceError> {
    Decoder::compile(&connector.file, readers)?.page(body, number, origin)
}

/// SHA-256, hexadecimal.
pub(crate) fn hex_digest(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
