//! Merging a pull of partial records: the rows of a key are collected, and merged with its stored version.
//!
//! A row alone does not decide its class, so the rows of a key must be in memory together. A long pull is therefore read
//! several times, each time for a share of its keys.

use std::collections::{BTreeMap, HashMap};

use crate::canonical::{Fold, Folded, Mapper, PartialRow, RecordClass, StoredRow, is_changed_in_future, part_of};
use crate::lake::NewestVersion;
use crate::landing::LandedPull;
use crate::model::connector::Breach;
use crate::model::page::Reason;
use crate::model::record::{Record, Rejection, Value};
use crate::run::error::RunError;
use crate::run::ledger::key_hash;
use crate::run::settling::classify::{BatchRecord, Classifier};

/// Most rows of a pull that are in memory together, if its keys are spread evenly. Few in debug builds, so that the pulls of tests
/// are read in several shares.
const ROWS_AT_ONCE: u64 = if cfg!(debug_assertions) { 300 } else { 50_000 };

/// Rows of a pull by key.
type RowsByKey = BTreeMap<String, Vec<BatchRecord>>;

impl Classifier<'_> {
    /// Merges every row of the pull with the stored version of its key, and writes the new versions.
    pub(super) async fn merge_pages(&mut self, landed: &LandedPull, mapper: &Mapper) -> Result<(), RunError> {
        let rows: u64 = self.certificate.pages.iter().map(|page| page.rows).sum();
        let shares = rows.div_ceil(ROWS_AT_ONCE).max(1);
        for share in 0..shares {
            let mut keyed = RowsByKey::new();
            for landed_page in &self.certificate.pages {
                let page = landed.read(landed_page)?;
                if share == 0 {
                    self.map_page(&page, landed_page, mapper);
                } else {
                    self.map_again(&page, landed_page, mapper);
                }
                for waiting in std::mem::take(&mut self.batch) {
                    let key = self.key_of(&waiting.record);
                    if key_hash(key) % shares == share {
                        keyed.entry(key.to_owned()).or_default().push(waiting);
                    }
                }
            }
            self.merge_keys(keyed, mapper).await?;
        }
        self.classified.rejections.sort_by_key(|rejection| (rejection.page, rejection.row));
        Ok(())
    }

    /// Merges the rows of keys, and writes the new versions.
    async fn merge_keys(&mut self, keyed: RowsByKey, mapper: &Mapper) -> Result<(), RunError> {
        let kind = self.connector.file.connector.kind;
        let keys: Vec<String> = keyed.keys().cloned().collect();
        let (stored, spelled) = self.stored(keys.clone()).await?;
        let values = self.lake.image_records(kind, &self.connector.name, &keys).await?;
        let values: HashMap<String, Vec<Value>> =
            values.into_iter().map(|(record, _)| (self.key_of(&record).to_owned(), record.values)).collect();
        let spelled: HashMap<String, Vec<String>> = keys.into_iter().zip(spelled).collect();
        let is_held = |spelling: &String| stored.get(spelling).is_some_and(|known| !known.is_deleted);

        let failed = |values: &[Value]| mapper.impossible_orders(values);
        let impossible = self.connector.file.contract.impossible;
        let fold = Fold {
            kind,
            failed: &failed,
            is_strict: !matches!(impossible, Breach::Accept | Breach::Report),
            is_reported: impossible == Breach::Report,
        };
        let mut accepted = Vec::new();
        for (key, rows) in keyed {
            for waiting in &rows {
                self.classified.note_spelling(&key, &waiting.record, spelled[&key].iter().any(is_held));
                self.note_record(&waiting.record, (waiting.read_by, waiting.chain));
                self.classified.keys.note(&key, waiting.record.digest);
            }
            let newest = stored.get(&key);
            let known = newest.zip(values.get(&key)).map(|(newest, values)| self.stored_row(newest, values));
            let rows = rows.into_iter().map(partial_row).collect();
            let part = newest.map(|newest| newest.part.clone());
            accepted.extend(self.counted(fold.fold(known.as_ref(), rows), part));
        }
        if !accepted.is_empty() {
            // Rows of a key are in their order already; keys of a table are written in theirs, so that a pull gives the same files.
            accepted.sort_by_key(|(record, _): &(Record, String)| (record.page, record.row));
            self.writer.write(&accepted)?;
        }
        Ok(())
    }

    fn stored_row(&self, newest: &NewestVersion, values: &[Value]) -> StoredRow {
        let is_ahead =
            newest.source_updated_at.is_some_and(|at| is_changed_in_future(at, self.certificate.finished_at));
        StoredRow { values: values.to_vec(), place: (newest.run, newest.page, newest.row), is_ahead }
    }

    /// Counts the rows of one key by their classes, and returns its new versions with their part. `part`: that of the
    /// stored version.
    fn counted(&mut self, folded: Vec<(PartialRow, Folded)>, part: Option<String>) -> Vec<(Record, String)> {
        let mut versions = Vec::new();
        for (row, folded) in folded {
            let counts = &mut self.classified.counts;
            match folded {
                Folded::Version(record) => {
                    counts.accepted += 1;
                    let of_merging = record.issues.iter().filter(|issue| !row.record.issues.contains(issue));
                    let issues = of_merging.cloned().collect();
                    self.classified.note_issues(&Record { issues, values: Vec::new(), ..record });
                    versions.push(record);
                }
                Folded::Class(RecordClass::Accepted | RecordClass::Unchanged) => counts.unchanged += 1,
                Folded::Class(RecordClass::Duplicate) => counts.duplicate += 1,
                Folded::Class(RecordClass::Superseded) => counts.superseded += 1,
                Folded::Rejected(field) => {
                    let key = Some(self.key_of(&row.record).to_owned());
                    let Record { page, row, .. } = row.record;
                    let (field, reason) = (Some(field.to_owned()), Reason::ImpossibleOrder);
                    self.classified.rejections.push(Rejection { page, row, field, reason, key });
                }
            }
        }
        let new = |newest: &Record| part_of(self.connector.file.connector.kind, newest, self.certificate.started_at);
        let part = part.or_else(|| versions.last().map(new)).unwrap_or_default();
        versions.into_iter().map(|record| (record, part.clone())).collect()
    }
}

fn partial_row(BatchRecord { record, read_by, .. }: BatchRecord) -> PartialRow {
    let place = (read_by.run, i64::from(read_by.page), i64::from(record.row));
    PartialRow { record, place }
}
