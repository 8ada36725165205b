//! Merging a pull with rows that state a part of their record: the rows of a key are collected, and merged with its stored
//! version.
//!
//! A row alone does not decide its class, so the rows of a key must be in memory together. A long pull is mapped once, and
//! merged share by share.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::canonical::{Fold, Folded, KeyRow, KnownKey, Mapper, RecordClass, StoredRow, is_changed_in_future, part_of};
use crate::lake::NewestVersion;
use crate::landing::LandedPull;
use crate::model::connector::Breach;
use crate::model::page::Reason;
use crate::model::pull::Sighting;
use crate::model::record::{Record, Rejection, Value};
use crate::run::error::RunError;
use crate::run::ledger::key_hash;
use crate::run::settling::classify::row_shares::RowShares;
use crate::run::settling::classify::{BatchRecord, Classifier};
use crate::run::settling::folder::stated_change_time;

/// Most rows of one key in a pull: they are in memory together, as the rows of a share are. Small in tests.
const MAX_ROWS_OF_KEY: u32 = if cfg!(test) { 5 } else { 50_000 };

/// Most rejected rows of one key that are listed, the last ones of the pull; the others are only counted. Small in tests.
const MAX_LISTED: u32 = if cfg!(test) { 10 } else { 100 };

/// What becomes of a row by the number of rows that its key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is merged.
    Merged,
    /// It is rejected, as are some others of its key.
    Listed,
    /// It is rejected, as are so many others of its key that it is only counted.
    Unlisted,
}

/// Counts the rows of each key.
struct KeyCounts {
    /// By the hash of the key.
    rows: HashMap<u64, u32>,
    /// Most rows of one key that are merged, and beside them rejected and listed.
    most: [u32; 2],
}

impl KeyCounts {
    /// Counts a row of a key.
    fn place(&mut self, hash: u64) -> Place {
        let rows = self.rows.entry(hash).or_default();
        *rows = rows.saturating_add(1);
        let [merged, listed] = self.most;
        match rows.saturating_sub(merged) {
            0 => Place::Merged,
            surplus if surplus <= listed => Place::Listed,
            _ => Place::Unlisted,
        }
    }
}

/// Rows of a share by key.
type RowsByKey = BTreeMap<String, Vec<BatchRecord>>;

/// The rows of a pull that are merged.
pub(in crate::run::settling) struct CollectedRows<'p> {
    shares: RowShares<'p>,
    /// Hashes of the keys, if the pull has files.
    pub(in crate::run::settling) keys: HashSet<u64>,
}

/// Columns of a connector that decide how rows are merged.
struct MergeColumns {
    /// Those that parts may state.
    of_parts: Vec<usize>,
    /// Those that every whole row states and no part does.
    of_wholes: Vec<usize>,
}

impl Classifier<'_> {
    /// Maps every row of the pull, the last one first. Of a key with too many rows, the first ones of the pull are rejected.
    pub(in crate::run::settling) fn collect_rows<'p>(
        &mut self,
        landed: &'p LandedPull,
        mapper: &Mapper,
    ) -> Result<CollectedRows<'p>, RunError> {
        let certificate = self.certificate;
        let rows: u64 = certificate.pages.iter().map(|page| page.rows).sum();
        let mut collected = CollectedRows { shares: RowShares::new(landed, rows), keys: HashSet::new() };
        let mut counts = KeyCounts { rows: HashMap::new(), most: [MAX_ROWS_OF_KEY, MAX_LISTED] };
        for landed_page in certificate.pages.iter().rev() {
            let page = landed.read(landed_page)?;
            self.map_page(&page, landed_page, mapper);
            for mut waiting in std::mem::take(&mut self.batch) {
                let hash = key_hash(self.key_of(&waiting.record));
                let place = counts.place(hash);
                if place != Place::Merged {
                    self.reject_surplus(&waiting, place == Place::Listed);
                    continue;
                }
                self.note_record(&waiting.record, (waiting.read_by, waiting.chain));
                self.classified.partial_rows += u64::from(waiting.record.row_hash.is_some());
                waiting.whole_at = self.whole_at(&waiting);
                if self.folder.is_some() {
                    collected.keys.insert(hash);
                }
                collected.shares.push(hash, &waiting)?;
            }
        }
        self.classified.rejections.sort_by_key(|rejection| Reverse((rejection.page, rejection.row)));
        Ok(collected)
    }

    /// Rejects a row of a key that has too many.
    fn reject_surplus(&mut self, waiting: &BatchRecord, is_listed: bool) {
        let rejection = self.rejection(&waiting.record, Reason::TooManyRowsOfKey, None);
        if let Some(folder) = &mut self.folder {
            folder.note_rejected(waiting.content, &rejection);
        }
        let (run, chain) = (waiting.read_by.run, waiting.chain);
        if is_listed {
            self.classified.reject(rejection, run, chain);
        } else {
            self.classified.reject_unlisted(&rejection, run, chain);
        }
    }

    /// Moment of a row that states its whole record: its change time, else that of its file, else of the pull. `None` for a
    /// part.
    fn whole_at(&self, waiting: &BatchRecord) -> Option<i64> {
        if waiting.record.row_hash.is_some() {
            return None;
        }
        let stated = stated_change_time(self.connector.file.connector.kind, &waiting.record);
        let of_file = || self.folder.as_ref().map(|folder| folder.moment_of(waiting.content));
        stated.or_else(of_file).or(Some(self.certificate.finished_at))
    }

    /// Merges the rows of the pull with the stored versions of their keys, and writes the new versions.
    pub(in crate::run::settling) async fn merge_rows(
        &mut self,
        mut collected: CollectedRows<'_>,
        mapper: &Mapper,
    ) -> Result<(), RunError> {
        for share in 0..collected.shares.len() {
            let mut keyed = RowsByKey::new();
            for waiting in collected.shares.take(share)? {
                let key = self.key_of(&waiting.record).to_owned();
                keyed.entry(key).or_default().push(waiting);
            }
            self.merge_keys(keyed, mapper).await?;
        }
        self.classified.rejections.sort_by_key(|rejection| Reverse((rejection.page, rejection.row)));
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
        let MergeColumns { of_parts, of_wholes } = self.merge_columns();
        let fold = Fold {
            kind,
            failed: &failed,
            is_strict: !matches!(impossible, Breach::Accept | Breach::Report),
            is_reported: impossible == Breach::Report,
            part_columns: &of_parts,
            whole_columns: &of_wholes,
        };
        let mut accepted = Vec::new();
        for (key, rows) in keyed {
            for waiting in &rows {
                self.classified.note_spelling(&key, &waiting.record, spelled[&key].iter().any(is_held));
                self.classified.keys.note(&key, waiting.record.digest);
            }
            self.note_contradictions(&rows);
            let newest = stored.get(&key);
            let known = KnownKey {
                stored: newest.zip(values.get(&key)).map(|(newest, values)| self.stored_row(newest, values)),
                beside: self.folder.as_ref().map(|folder| folder.rows_beside(key_hash(&key))),
            };
            let rows = rows.into_iter().map(key_row).collect();
            let part = newest.map(|newest| newest.part.clone());
            accepted.extend(self.counted(fold.fold(&known, rows), part));
        }
        if !accepted.is_empty() {
            // Rows of a key are in their order already; keys of a table are written in theirs, so that a pull gives the same files.
            accepted.sort_by_key(|(record, _): &(Record, String)| (record.page, record.row));
        }
        self.write(accepted)
    }

    fn merge_columns(&self) -> MergeColumns {
        let file = &self.connector.file;
        let Some(partial) = &file.partial else {
            return MergeColumns { of_parts: Vec::new(), of_wholes: Vec::new() };
        };
        let column = |name: &String| file.connector.kind.column_index(name).expect("config checks the mapped columns");
        let of_wholes = file.map.iter().filter(|(name, map)| map.required && !partial.map.contains_key(*name));
        MergeColumns {
            of_parts: partial.map.keys().map(column).collect(),
            of_wholes: of_wholes.map(|(name, _)| column(name)).collect(),
        }
    }

    /// Counts whole rows of one key that have the newest moment and state different things: nothing says which is right.
    fn note_contradictions(&mut self, rows: &[BatchRecord]) {
        let Some(newest) = rows.iter().filter_map(|row| row.whole_at).max() else { return };
        let newest = || rows.iter().map(|row| (row.whole_at, &row.record)).filter(move |(at, _)| *at == Some(newest));
        let Some(counting) = newest().map(|(_, record)| record).max_by_key(|record| (record.page, record.row)) else {
            return;
        };
        for (_, record) in newest().filter(|(_, record)| record.digest != counting.digest) {
            let known = self.classified.findings.contradictions;
            let place = (record.page, record.row);
            let (page, row) = known.map_or(place, |known| place.min((known.page, known.row)));
            let rows = known.map_or(0, |known| known.rows) + 1;
            self.classified.findings.contradictions = Some(Sighting { page, row, rows });
        }
    }

    fn stored_row(&self, newest: &NewestVersion, values: &[Value]) -> StoredRow {
        let is_ahead =
            newest.source_updated_at.is_some_and(|at| is_changed_in_future(at, self.certificate.finished_at));
        StoredRow { values: values.to_vec(), place: (newest.run, newest.page, newest.row), is_ahead }
    }

    /// Counts the rows of one key by their classes, and returns its new versions with their part. `part`: that of the
    /// stored version.
    fn counted(&mut self, folded: Vec<(KeyRow, Folded)>, part: Option<String>) -> Vec<(Record, String)> {
        let mut versions = Vec::new();
        for (row, folded) in folded {
            self.note_in_file(&row.record, &folded);
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
                    let rejection = self.rejection(&row.record, Reason::ImpossibleOrder, Some(field));
                    self.classified.rejections.push(rejection);
                }
            }
        }
        let new = |newest: &Record| part_of(self.connector.file.connector.kind, newest, self.certificate.started_at);
        let part = part.or_else(|| versions.last().map(new)).unwrap_or_default();
        versions.into_iter().map(|record| (record, part.clone())).collect()
    }

    fn rejection(&self, record: &Record, reason: Reason, field: Option<&str>) -> Rejection {
        let key = Some(self.key_of(record).to_owned());
        let Record { page, row, row_hash, .. } = *record;
        Rejection { page, row, field: field.map(str::to_owned), reason, key, row_hash }
    }

    /// Notes among the keys of its file that a row counts, or that it is rejected.
    fn note_in_file(&mut self, record: &Record, outcome: &Folded) {
        let Some(content) = self.content_of_page.get(&record.page).copied() else { return };
        let rejection = match outcome {
            Folded::Rejected(field) => Some(self.rejection(record, Reason::ImpossibleOrder, Some(field))),
            Folded::Version(_) | Folded::Class(_) => None,
        };
        let hash = key_hash(self.key_of(record));
        let Some(folder) = &mut self.folder else { return };
        match rejection {
            Some(rejection) => folder.note_rejected(content, &rejection),
            None => folder.note_merged(content, hash, record, self.connector),
        }
    }
}

fn key_row(waiting: BatchRecord) -> KeyRow {
    let BatchRecord { record, read_by, whole_at, .. } = waiting;
    let place = (read_by.run, i64::from(read_by.page), i64::from(record.row));
    KeyRow { record, place, whole_at }
}

#[cfg(test)]
#[path = "partial_tests.rs"]
mod tests;
