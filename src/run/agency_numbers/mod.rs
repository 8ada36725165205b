//! The numbers under which withheld agencies are published, in `agency-numbers.json` of the data folder.
//!
//! The file holds a digest of each text, not the text: that rests in the tables, where `agencies unknown` looks it up.
//! The file is written before the figures that use its numbers, and its content has a digest of its own. If it is lost,
//! new numbers begin above the highest that was ever published, so no number gets a second meaning.
#![expect(clippy::disallowed_methods, reason = "edge: the numbers are a file of the data folder")]

mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use polars::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use strum::IntoEnumIterator as _;

pub use self::error::AgencyNumbersError;
use crate::config::Configuration;
use crate::durable;
use crate::fields::Readers;
use crate::indicators::{AgencyNames, IndicatorError, NumberedAgency, stored_columns, withheld_number};
use crate::lake::{FIGURE_TABLE, FigureTable, Lake};
use crate::model::checked_file::CheckedFile;
use crate::model::connector::{Connector, FieldType};
use crate::model::instant::local;
use crate::model::table::RecordKind;
use crate::run::error::RunError;
use crate::run::lock::Lock;

/// Name of the file in the data folder.
const FILE: &str = "agency-numbers.json";

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct NumbersFile {
    agencies: Vec<NumberEntry>,
    /// SHA-256 of `agencies`.
    digest: String,
}

/// An agency whose text is withheld, or was until it was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct NumberEntry {
    number: u64,
    /// Digest of the text ([`AgencyNames::digest`]).
    text: String,
    /// Run in which the number was given.
    since_run: i64,
    #[serde(default)]
    approved: Option<Approval>,
}

/// Who approved that a text is published, and when (microseconds UTC).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub by: String,
    pub at: i64,
}

/// An agency that no registry has and whose text is not published unless it is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownAgency {
    pub number: u64,
    /// The text as a source writes it; `None` if the tables no longer have it.
    pub text: Option<String>,
    /// Connectors whose records have the text.
    pub connectors: BTreeSet<String>,
    /// Records that have the text in a column of agencies.
    pub records: u64,
    pub since_run: i64,
    pub approved: Option<Approval>,
}

/// The numbers of a data folder.
#[derive(Debug, Default)]
pub(super) struct AgencyNumbers {
    entries: Vec<NumberEntry>,
    /// Numbers up to this one are taken.
    highest: u64,
}

impl AgencyNumbers {
    /// Reads the numbers. Without the file, the highest number that was published is looked up in the figures.
    pub(super) async fn read(data: &Path) -> Result<Self, RunError> {
        let path = data.join(FILE);
        if !path.exists() {
            return Ok(Self { entries: Vec::new(), highest: highest_published(data).await? });
        }
        let text = std::fs::read(&path).map_err(durable::file_error("read", &path))?;
        let damaged = |what: String| AgencyNumbersError::Damaged { path: path.clone(), what };
        let file: NumbersFile = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if digest_of(&file.agencies) != file.digest {
            return Err(damaged("its content does not match its digest".to_owned()).into());
        }
        let highest = file.agencies.iter().map(|entry| entry.number).max().unwrap_or(0);
        Ok(Self { entries: file.agencies, highest })
    }

    /// What each text is published as, with the texts that the connectors declare. Blocks.
    pub(super) fn names(&self, config: &Configuration, tables: &[LazyFrame]) -> Result<AgencyNames, IndicatorError> {
        let numbered = self.entries.iter().map(|entry| {
            let agency = NumberedAgency { number: entry.number, is_approved: entry.approved.is_some() };
            (entry.text.clone(), agency)
        });
        let declared = declared_texts(config, tables)?;
        let names = AgencyNames::new(numbered.collect(), self.highest);
        Ok(names.with_declared(declared.iter().map(String::as_str)))
    }

    /// Writes the numbers that computing gave; nothing if it gave none.
    pub(super) fn write_given(
        mut self,
        data: &Path,
        given: &BTreeMap<String, NumberedAgency>,
        run: i64,
    ) -> Result<(), RunError> {
        let known: BTreeSet<u64> = self.entries.iter().map(|entry| entry.number).collect();
        let new = given.iter().filter(|(_, agency)| !known.contains(&agency.number));
        let new = new.map(|(text, agency)| NumberEntry {
            number: agency.number,
            text: text.clone(),
            since_run: run,
            approved: None,
        });
        self.entries.extend(new);
        if self.entries.len() == known.len() {
            return Ok(());
        }
        tracing::warn!(run, agencies = self.entries.len() - known.len(), "agencies that no registry has are withheld");
        self.write(data)
    }

    fn write(mut self, data: &Path) -> Result<(), RunError> {
        self.entries.sort_by_key(|entry| entry.number);
        let file = NumbersFile { digest: digest_of(&self.entries), agencies: self.entries };
        let text = serde_json::to_vec_pretty(&file).expect("numbers are plain data");
        Ok(durable::replace(&data.join(FILE), "write the numbers of agencies", |out| out.write_all(&text))?)
    }
}

/// The file as a check of the data folder found it; `None` if there is none.
pub(super) async fn check(data: &Path) -> Option<CheckedFile> {
    let path = data.join(FILE);
    let bytes = path.metadata().ok()?.len();
    Some(match AgencyNumbers::read(data).await {
        Ok(_) => CheckedFile::whole(path, bytes, true),
        Err(error) => CheckedFile::damaged(path, bytes, format!("cannot be read: {error}")),
    })
}

fn digest_of(entries: &[NumberEntry]) -> String {
    format!("{:x}", Sha256::digest(serde_json::to_vec(entries).expect("numbers are plain data")))
}

/// Highest number of a withheld agency in the figures of any night; 0 if there is none.
async fn highest_published(data: &Path) -> Result<u64, RunError> {
    let root = data.join("lake");
    if !root.join(FIGURE_TABLE).is_dir() {
        return Ok(0);
    }
    let versions = FigureTable::read(&root, FIGURE_TABLE, &stored_columns()).await?;
    let codes = tokio::task::spawn_blocking(move || {
        let codes = versions.select([col("agency")]).unique(None, UniqueKeepStrategy::Any);
        Ok::<_, IndicatorError>(codes.collect_with_engine(Engine::Streaming)?.unwrap_single())
    });
    let codes = codes.await??;
    let codes = codes.column("agency").and_then(|column| column.str()).map_err(IndicatorError::from)?;
    Ok(codes.iter().flatten().filter_map(withheld_number).max().unwrap_or(0))
}

/// Texts of agencies that connectors declare: the default of a field, and the texts of a field with a `pattern`.
fn declared_texts(config: &Configuration, tables: &[LazyFrame]) -> Result<BTreeSet<String>, PolarsError> {
    let mut texts = BTreeSet::new();
    for connector in &config.connectors {
        let readers = Readers::of(connector);
        for reader in readers.all().filter(|reader| reader.field_type() == FieldType::Agency) {
            let Some(map) = connector.file.maps().find_map(|(_, map)| map.get(&reader.column)) else { continue };
            texts.extend(map.default.clone().filter(|text| !text.is_empty()));
            let (Some(table), true) = (table_of(connector, tables), map.pattern.is_some()) else { continue };
            let of_connector = table.clone().filter(col("source").eq(lit(connector.name.as_str())));
            let kept = texts_by_source(of_connector, &reader.column)?;
            texts.extend(kept.into_iter().map(|found| found.text).filter(|text| reader.read(text).is_ok()));
        }
    }
    Ok(texts)
}

fn table_of<'t>(connector: &Connector, tables: &'t [LazyFrame]) -> Option<&'t LazyFrame> {
    let kind = connector.file.connector.kind;
    tables.get(RecordKind::iter().position(|known| known == kind)?)
}

/// A text of a column of agencies.
struct FoundText {
    source: String,
    text: String,
    records: u64,
}

/// The texts of a column by source, with the number of records.
fn texts_by_source(table: LazyFrame, column: &str) -> Result<Vec<FoundText>, PolarsError> {
    let found = table
        .filter(col(column).is_not_null())
        .group_by([col("source"), col(column)])
        .agg([len().cast(DataType::UInt64).alias("records")])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let (sources, texts) = (found.column("source")?.str()?, found.column(column)?.str()?);
    let records = found.column("records")?.u64()?;
    let rows = (0..found.height()).filter_map(|row| {
        let (source, text) = (sources.get(row)?.to_owned(), texts.get(row)?.to_owned());
        Some(FoundText { source, text, records: records.get(row).unwrap_or(0) })
    });
    Ok(rows.collect())
}

/// Columns of agencies by the tables whose figures name them.
fn agency_columns(kind: RecordKind) -> &'static [&'static str] {
    match kind {
        RecordKind::Dossiers => &["lead_agency", "competent_agency", "receiving_agency", "handling_agency"],
        RecordKind::Feedback | RecordKind::Measures => &["agency"],
        _ => &[],
    }
}

/// The withheld agencies of a data folder with their texts, by number. The texts can be personal data: whoever shows
/// them logs the read first.
pub async fn unknown_agencies(data: &Path) -> Result<Vec<UnknownAgency>, RunError> {
    let numbers = AgencyNumbers::read(data).await?;
    let mut agencies: BTreeMap<String, UnknownAgency> = numbers.entries.into_iter().map(unknown_agency).collect();
    if agencies.is_empty() {
        return Ok(Vec::new());
    }
    let root = data.join("lake");
    for kind in RecordKind::iter() {
        for &column in agency_columns(kind) {
            let table = Lake::read_as_of(&root, kind, i64::MAX).await?;
            let found = tokio::task::spawn_blocking(move || texts_by_source(table, column)).await?;
            for found in found.map_err(IndicatorError::from)? {
                let Some(agency) = agencies.get_mut(&AgencyNames::digest(&found.text)) else { continue };
                agency.text.get_or_insert(found.text);
                agency.connectors.insert(found.source);
                agency.records += found.records;
            }
        }
    }
    let mut agencies: Vec<UnknownAgency> = agencies.into_values().collect();
    agencies.sort_by_key(|agency| agency.number);
    Ok(agencies)
}

fn unknown_agency(entry: NumberEntry) -> (String, UnknownAgency) {
    let NumberEntry { number, text, since_run, approved } = entry;
    let agency = UnknownAgency { number, text: None, connectors: BTreeSet::new(), records: 0, since_run, approved };
    (text, agency)
}

/// Approves that the texts of withheld agencies are published from the next run on, or withdraws it (`approval` is
/// `None`).
pub async fn approve_agencies(
    data: &Path,
    wanted: &[u64],
    approval: Option<Approval>,
    now: i64,
) -> Result<(), RunError> {
    let _lock = Lock::take(data, "agencies approve", now)?;
    let mut numbers = AgencyNumbers::read(data).await?;
    for &number in wanted {
        let entry = numbers.entries.iter_mut().find(|entry| entry.number == number);
        let entry = entry.ok_or(AgencyNumbersError::UnknownNumber { number })?;
        tracing::info!(number, approved = approval.is_some(), day = %local(now).date(), "agency decided");
        entry.approved.clone_from(&approval);
    }
    numbers.write(data)
}

#[cfg(test)]
mod tests;
