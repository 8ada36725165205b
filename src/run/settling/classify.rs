//! Classifies the records of a landed pull against the stored versions and writes the accepted ones.
//!
//! Pages and rows are read from the last to the first: of two rows with one key the later one wins, and the pull need
//! not be held in memory (docs/decisions/0002).

mod partial;
mod row_shares;

use std::collections::HashMap;

use crate::canonical::{
    KeysSeen, Mapper, RecordClass, StoredVersion, complete_change_time, is_changed_in_future, other_spellings, part_of,
};
use crate::fields::Readers;
use crate::lake::{Lake, NewestVersion, VersionWriter};
use crate::landing::LandedPull;
use crate::model::connector::Connector;
use crate::model::page::Page;
use crate::model::pull::{Certificate, LandedPage, ReadBy};
use crate::model::record::{Record, Value};
use crate::run::error::RunError;
use crate::run::ledger::key_hash;
use crate::run::settling::classified::{ChainKeys, Classified};
use crate::run::settling::folder::{FolderPull, Validity, raise, stated_change_time};

/// Records that are looked up in the table and written together.
const BATCH_ROWS: usize = 25_000;
/// Smallest page that is reported if all of its rows are rejected.
const MIN_REJECTED_PAGE_ROWS: usize = 3;

/// A record that waits for its batch.
struct BatchRecord {
    record: Record,
    /// Where it was read first.
    read_by: ReadBy,
    chain: u32,
    /// Content of the file that it came in; 0 unless the pull has a folder.
    content: usize,
    /// Where rows are merged: moment of a row that states its whole record. `None` for a part, and where none are merged.
    whole_at: Option<i64>,
}

/// Positions of the columns that classification reads.
struct Columns {
    key: usize,
    deleted: usize,
    dates: Vec<usize>,
}

/// Classifies one pull.
pub(super) struct Classifier<'c> {
    lake: &'c Lake,
    connector: &'c Connector,
    certificate: &'c Certificate,
    writer: &'c mut VersionWriter,
    columns: Columns,
    /// Whether the type of the key's fields writes it in capitals.
    is_key_in_capitals: bool,
    batch: Vec<BatchRecord>,
    classified: Classified,
    /// Files of the pull; `None` for HTTP.
    folder: Option<FolderPull>,
    /// Content of each page's file, by the page's number.
    content_of_page: HashMap<u32, usize>,
}

impl<'c> Classifier<'c> {
    /// `has_open_rejections`: earlier runs left rejections open that the pull's keys may close.
    pub(super) fn new(
        lake: &'c Lake,
        (connector, certificate): (&'c Connector, &'c Certificate),
        writer: &'c mut VersionWriter,
        has_open_rejections: bool,
        folder: Option<FolderPull>,
    ) -> Self {
        let kind = connector.file.connector.kind;
        let column = |name: &str| kind.column_index(name).expect("every table has the column");
        let dates = kind.part_columns().iter().map(|name| column(name)).collect();
        let columns = Columns { key: column("source_key"), deleted: column("deleted"), dates };
        let rows = certificate.pages.iter().map(|page| page.rows).sum();
        let classified = Classified {
            keys: KeysSeen::for_rows(rows),
            keys_read: has_open_rejections.then(HashMap::new),
            parts_read: (has_open_rejections && connector.file.window.passes.is_empty()).then(HashMap::new),
            // Totals count records. Where one gives several rows, each row has a key of its own, and the record none.
            chains: certificate
                .declared()
                .filter(|_| connector.file.decode.explode().is_none())
                .map(|(chain, _)| (chain, ChainKeys::default()))
                .collect(),
            ..Classified::default()
        };
        let is_key_in_capitals = connector.file.has_key_in_capitals();
        let content_of = |folder: &FolderPull| {
            certificate.pages.iter().map(|page| (page.number, folder.content_of(page))).collect::<HashMap<_, _>>()
        };
        let content_of_page = folder.as_ref().map(content_of).unwrap_or_default();
        Self {
            lake,
            connector,
            certificate,
            writer,
            columns,
            is_key_in_capitals,
            batch: Vec::new(),
            classified,
            folder,
            content_of_page,
        }
    }

    /// The mapper of the pull's rows.
    pub(super) fn mapper(&self, readers: &Readers) -> Mapper {
        Mapper::new(self.connector, readers, self.certificate.finished_at)
    }

    /// The files of the pull.
    pub(super) fn folder_mut(&mut self) -> Option<&mut FolderPull> {
        self.folder.as_mut()
    }

    /// Classifies every row of the pull, the last one first. Rows of which some state parts of their records are
    /// [collected](Self::collect_rows) and [merged](Self::merge_rows) instead.
    pub(super) async fn classify_pages(&mut self, landed: &LandedPull, mapper: &Mapper) -> Result<(), RunError> {
        self.note_ranks(landed, mapper)?;
        let pages = match &self.folder {
            Some(folder) => folder.in_order(&self.certificate.pages),
            None => self.certificate.pages.iter().collect(),
        };
        for landed_page in pages.into_iter().rev() {
            let page = landed.read(landed_page)?;
            self.map_page(&page, landed_page, mapper);
            if self.batch.len() >= BATCH_ROWS {
                self.classify_batch().await?;
            }
        }
        self.classify_batch().await
    }

    /// Notes the change time of every row of a folder whose rows are ordered by it: which row of a key counts must be
    /// known before the first one is classified.
    fn note_ranks(&mut self, landed: &LandedPull, mapper: &Mapper) -> Result<(), RunError> {
        let Some(folder) = self.folder.as_mut().filter(|folder| folder.is_ordered()) else { return Ok(()) };
        for landed_page in &self.certificate.pages {
            let content = folder.content_of(landed_page);
            for record in mapper.map_page(&landed.read(landed_page)?).into_iter().flatten() {
                let key = record.values[self.columns.key].as_text().unwrap_or_default();
                folder.note_rank(content, key, stated_change_time(self.connector.file.connector.kind, &record));
            }
        }
        Ok(())
    }

    /// Maps the rows of a page, the last one first, into the batch and the rejections.
    fn map_page(&mut self, page: &Page, landed: &LandedPage, mapper: &Mapper) {
        let (read_by, chain) = (landed.first_read(self.certificate.run), landed.chain);
        let content = self.folder.as_ref().map_or(0, |folder| folder.content_of(landed));
        let classified = &mut self.classified;
        classified.counts.received += page.len() as u64;
        let rejected_before = classified.rejections.len();
        for mapped in mapper.map_page(page).into_iter().rev() {
            match mapped {
                Ok(record) => self.batch.push(BatchRecord { record, read_by, chain, content, whole_at: None }),
                Err(rejection) => {
                    if let Some(folder) = &mut self.folder {
                        folder.note_rejected(content, &rejection);
                    }
                    classified.reject(rejection, read_by.run, chain);
                }
            }
        }
        let rejected = classified.rejections.len() - rejected_before;
        if page.len() >= MIN_REJECTED_PAGE_ROWS && rejected == page.len() {
            let pages = classified.findings.rejected_pages.map_or(0, |(_, pages)| pages);
            classified.findings.rejected_pages = Some((page.number, pages + 1));
        }
    }

    /// Classifies the records of the batch in their order and writes the accepted ones.
    async fn classify_batch(&mut self) -> Result<(), RunError> {
        let batch = std::mem::take(&mut self.batch);
        let kind = self.connector.file.connector.kind;
        let keys: Vec<String> = batch.iter().map(|waiting| self.key_of(&waiting.record).to_owned()).collect();
        let (stored, spelled) = self.stored(keys).await?;
        let is_held = |spelling: &String| stored.get(spelling).is_some_and(|known| !known.is_deleted);
        let mut accepted = Vec::new();
        for (mut waiting, spelled) in batch.into_iter().zip(spelled) {
            let key = self.key_of(&waiting.record).to_owned();
            self.classified.note_spelling(&key, &waiting.record, spelled.iter().any(is_held));
            let stored = stored.get(&key);
            let stored_time = stored.and_then(|stored| stored.source_updated_at);
            let changed_at = complete_change_time(kind, &mut waiting.record, stored_time);
            match self.class_of(&waiting, &key, changed_at, stored) {
                RecordClass::Accepted => {
                    self.classified.counts.accepted += 1;
                    let part = self.part_for(&waiting.record, &key, stored);
                    let is_stored_ahead =
                        stored_time.is_some_and(|time| is_changed_in_future(time, self.certificate.finished_at));
                    if self.folder.is_some() || is_stored_ahead {
                        raise(kind, &mut waiting.record, stored_time);
                    }
                    accepted.push((waiting.record, part));
                }
                RecordClass::Unchanged => self.classified.counts.unchanged += 1,
                RecordClass::Duplicate => self.classified.counts.duplicate += 1,
                RecordClass::Superseded => self.classified.counts.superseded += 1,
            }
        }
        self.write(accepted)
    }

    /// Writes new versions, each with its part. Deletions because the source has no details are decided on when all are known.
    fn write(&mut self, mut versions: Vec<(Record, String)>) -> Result<(), RunError> {
        if self.connector.file.deletes_without_details() {
            let deleted = self.columns.deleted;
            let is_deleted = |(record, _): &mut (Record, String)| record.values[deleted] == Value::Flag(true);
            self.classified.without_details.extend(versions.extract_if(.., is_deleted));
        }
        if versions.is_empty() { Ok(()) } else { Ok(self.writer.write(&versions)?) }
    }

    fn key_of<'r>(&self, record: &'r Record) -> &'r str {
        record.values[self.columns.key].as_text().unwrap_or_default()
    }

    /// The newest stored versions of keys, and for each key the spellings under which a row of it may be stored besides.
    async fn stored(
        &self,
        mut keys: Vec<String>,
    ) -> Result<(HashMap<String, NewestVersion>, Vec<Vec<String>>), RunError> {
        // Rows under a key in small letters are from before the key's type wrote it in capitals.
        let spellings =
            |key: &String| if self.is_key_in_capitals { Vec::new() } else { other_spellings(key).collect() };
        let spelled: Vec<Vec<String>> = keys.iter().map(spellings).collect();
        keys.extend(spelled.iter().flatten().cloned());
        let stored = self.lake.newest_versions(self.connector.file.connector.kind, &self.connector.name, &keys).await?;
        Ok((stored, spelled))
    }

    /// Notes the key, the issues and the dates of a record.
    fn note_record(&mut self, record: &Record, (read_by, chain): (ReadBy, u32)) {
        let key = record.values[self.columns.key].as_text().unwrap_or_default();
        self.classified.note_key(key, record.row_hash, (read_by.run, chain));
        self.classified.note_issues(record);
        let dates = self.columns.dates.iter().filter_map(|&index| record.values[index].as_instant());
        let newest = dates.filter(|date| *date <= self.certificate.finished_at).max();
        self.classified.newest_date = self.classified.newest_date.max(newest);
    }

    /// Class of a record, given the change time that it states and the newest stored version of its key.
    fn class_of(
        &mut self,
        waiting: &BatchRecord,
        key: &str,
        changed_at: Option<i64>,
        stored: Option<&NewestVersion>,
    ) -> RecordClass {
        let BatchRecord { record, read_by, chain, content, .. } = waiting;
        let now = self.certificate.finished_at;
        self.note_record(record, (*read_by, *chain));
        let classified = &mut self.classified;
        if let Some(folder) = &mut self.folder {
            let hash = key_hash(key);
            let is_stored = |known: &&NewestVersion| !known.is_deleted;
            let is_outranked = folder.is_outranked(*content, hash, changed_at)
                || stored
                    .filter(is_stored)
                    .is_some_and(|known| folder.is_held_back(*content, hash, changed_at, known.source_updated_at));
            if !matches!(folder.validity(*content), Validity::Older(_)) {
                let order = folder.order_of(*content, changed_at);
                return classified.class_in_folder(record, key, stored, (!is_outranked).then_some(order));
            }
        }
        // Rows of several runs have an order: that of the runs.
        if self.folder.is_none() && read_by.run == self.certificate.run {
            classified.note_contradiction(record, key, changed_at);
        }
        let stored_time =
            stored.and_then(|known| known.source_updated_at).filter(|time| !is_changed_in_future(*time, now));
        let newest_stored = stored.map(|known| StoredVersion { digest: known.digest, updated_at: stored_time });
        let class = classified.keys.classify(key, record.digest, changed_at, newest_stored);
        // Pages of an earlier run that are settled again: what was stored after them is newer.
        let place = (read_by.run, i64::from(read_by.page), i64::from(record.row));
        let is_newer_stored = stored.is_some_and(|stored| (stored.run, stored.page, stored.row) > place);
        if class == RecordClass::Accepted && changed_at <= stored_time && is_newer_stored {
            RecordClass::Superseded
        } else {
            class
        }
    }

    /// Part that an accepted record is filed under: that of its key, or a new one.
    fn part_for(&mut self, record: &Record, key: &str, stored: Option<&NewestVersion>) -> String {
        let new = || part_of(self.connector.file.connector.kind, record, self.certificate.started_at);
        match stored {
            Some(known) => known.part.clone(),
            None if self.connector.file.has_change_time() => {
                self.classified.parts.entry(key.to_owned()).or_insert_with(new).clone()
            }
            None => new(),
        }
    }

    /// The classes, with the declared totals next to the received ones, and the files of the pull.
    pub(super) fn finish(self) -> (Classified, Option<FolderPull>) {
        let Self { certificate, mut classified, folder, .. } = self;
        classified.counts.quarantined = classified.rejections.len() as u64 + classified.unlisted;
        let findings = &mut classified.findings;
        findings.pages = certificate.pages.len() as u64;
        findings.distinct_keys = classified.keys.len() as u64;
        findings.sweep.clone_from(&certificate.sweep);
        findings.source_ahead_secs = certificate.source_ahead_secs;
        findings.short_rows = certificate.short_rows;
        findings.tables.clone_from(&certificate.tables);
        findings.undated_files.clone_from(&certificate.undated_files);
        findings.declared = certificate.declared().map(|(_, declared)| declared).reduce(|all, more| all + more);
        findings.disagreeing = certificate.declared().find_map(|(chain, declared)| {
            let records = classified.chains.get(&chain)?.records();
            (records != declared).then_some((declared, records))
        });
        (classified, folder)
    }
}
