//! Files with rows that state parts of their records: which rows of other files the stored versions consist of.
//!
//! Such rows are merged key by key ([`Fold`](crate::canonical::Fold)), in the order of their moments. Of files that the pull
//! did not read, their keys are known with the moments of their newest rows; that is enough.

use std::collections::HashSet;

use crate::canonical::RowsBeside;
use crate::model::connector::Connector;
use crate::model::folder::{ContentRef, FileTime};
use crate::model::pull::Certificate;
use crate::model::record::Record;
use crate::run::error::RunError;
use crate::run::ledger::{content_number, part_mark};
use crate::run::settling::Settler;
use crate::run::settling::folder::content_keys::{REJECTED, Rank, UNTIMED};
use crate::run::settling::folder::known_keys::reading_of_change_times;
use crate::run::settling::folder::{FolderPull, stated_change_time};

/// Contents that are added to the index in one transaction.
const INDEXED_AT_ONCE: usize = 1_000;

impl FolderPull {
    /// Moment of a whole row that states no change time: the time of its file.
    pub(in crate::run::settling) fn moment_of(&self, content: usize) -> i64 {
        // What no name holds any more is older than what one holds.
        self.validity(content).time().map_or(i64::MIN, |time| time.ordered_at)
    }

    /// Notes a row that is merged. `hash`: that of its key.
    pub(in crate::run::settling) fn note_merged(
        &mut self,
        content: usize,
        hash: u64,
        record: &Record,
        connector: &Connector,
    ) {
        let entry = self.entry_of(hash, record, connector);
        self.contents[content].entries.push(entry);
    }

    /// What is stored of a row among the keys of its content: of a part, that the key has one, and its moment.
    pub(super) fn entry_of(&self, hash: u64, record: &Record, connector: &Connector) -> (u64, Rank) {
        let stated = stated_change_time(connector.file.connector.kind, record);
        if record.row_hash.is_some() { (part_mark(hash), stated.unwrap_or(UNTIMED)) } else { (hash, self.rank(stated)) }
    }

    /// What is known of the rows of a key in other files.
    pub(in crate::run::settling) fn rows_beside(&self, hash: u64) -> RowsBeside {
        self.beside.get(&hash).copied().unwrap_or_default()
    }

    fn note_row_beside(&mut self, keys: &HashSet<u64>, (hash, rank): (u64, Rank), time: FileTime) {
        if rank == REJECTED {
            return;
        }
        if keys.contains(&hash) {
            let at = if rank == UNTIMED { time.ordered_at } else { rank };
            let known = self.beside.entry(hash).or_default();
            known.whole_at = known.whole_at.max(Some(at));
        } else if keys.contains(&part_mark(hash)) {
            // The mark of a mark is the hash of the key.
            let known = self.beside.entry(part_mark(hash)).or_default();
            known.part_at = known.part_at.max(Some(rank));
        }
    }
}

impl Settler<'_> {
    /// Notes the newest rows of `keys` in files that the pull did not read whole. Contents that are not in the index of keys
    /// are looked at, and added to it.
    pub(in crate::run::settling) async fn note_beside(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        certificate: &Certificate,
        keys: &HashSet<u64>,
    ) -> Result<(), RunError> {
        let whole = certificate.pages.iter().filter(|page| !page.is_partial());
        let read: HashSet<&str> = whole.map(|page| page.body_digest.as_str()).collect();
        let wanted: Vec<u64> = keys.iter().flat_map(|hash| [*hash, part_mark(*hash)]).collect();
        let having = self.ledger.contents_with(&connector.name, &wanted).await?;
        let (run, change_times) = (folder.counted_before, reading_of_change_times(connector));
        let indexed = self.ledger.indexed_contents(&connector.name, run, change_times).await?;
        let may_have =
            |content: &ContentRef| !indexed.contains(content) || having.contains(&content_number(&content.digest));
        let files: Vec<(ContentRef, FileTime)> = folder
            .after
            .values()
            .flat_map(|file| file.dated_contents().map(|(content, time)| (content.clone(), time)))
            .filter(|(content, _)| !read.contains(content.digest.as_str()) && may_have(content))
            .collect();
        for files in files.chunks(INDEXED_AT_ONCE) {
            let mut new = Vec::new();
            for (content, time) in files {
                let Some(known) = self.stored_keys(connector, folder, content).await? else { continue };
                for entry in known.iter() {
                    folder.note_row_beside(keys, entry, *time);
                }
                // What was read from landing is stored and indexed with the pull; keys without their change times are not.
                let is_as_stored = !folder.computed.contains_key(content) && !folder.untimed.contains_key(content);
                if !indexed.contains(content) && is_as_stored {
                    new.push((content.clone(), known.iter().map(|(hash, _)| hash).collect()));
                }
            }
            if !new.is_empty() {
                self.ledger.index_contents(&connector.name, run, &new).await?;
            }
        }
        Ok(())
    }
}
