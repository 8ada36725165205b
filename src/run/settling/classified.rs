//! The classes of a pull's records, and what was noticed about them.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::canonical::{KeySpellings, KeysSeen, RecordClass};
use crate::lake::NewestVersion;
use crate::model::pull::{Findings, PullCounts, Sighting};
use crate::model::record::{Issue, Record, Rejection};
use crate::run::ledger::key_hash;

/// Classes of a pull's records, and what was noticed about them.
#[derive(Default)]
pub(super) struct Classified {
    pub(super) counts: PullCounts,
    pub(super) rejections: Vec<Rejection>,
    /// Keys of the records.
    pub(super) keys: KeysSeen,
    pub(super) spellings: KeySpellings,
    /// Newest date in a record that is not in the future.
    pub(super) newest_date: Option<i64>,
    pub(super) findings: Findings,
    /// Newest run that read a row with a key, by the key's hash; kept only if the connector has open rejections.
    pub(super) keys_read: Option<HashMap<u64, i64>>,
    /// First row and number of rows of each ill-typed field.
    pub(super) ill_typed: BTreeMap<String, Sighting>,
    /// Several rows may be about one record.
    pub(super) has_partial_records: bool,
    /// A row that is accepted shows that an earlier one of its key, which was rejected, is outdated.
    pub(super) is_outdated_by_accepted: bool,
    /// Keys of each page chain that declares a total.
    pub(super) chains: BTreeMap<u32, ChainKeys>,
    /// Part of each new key. Kept for sources with a change time, of which one pull may accept several versions of a
    /// key: they must go to the same part.
    pub(super) parts: HashMap<String, String>,
}

/// Keys of one page chain.
#[derive(Default)]
pub(super) struct ChainKeys {
    hashes: HashSet<u64>,
    /// Rows without a readable key.
    rows_without_key: u64,
}

impl ChainKeys {
    /// Number of different records.
    pub(super) fn records(&self) -> u64 {
        self.hashes.len() as u64 + self.rows_without_key
    }
}

impl Classified {
    /// Class of a row of a folder. What the files say now counts, not what was stored last. `order`: the same for rows of
    /// which none counts more; `None` if another row of the key counts instead.
    pub(super) fn class_in_folder(
        &mut self,
        record: &Record,
        key: &str,
        stored: Option<&NewestVersion>,
        order: Option<i64>,
    ) -> RecordClass {
        let stored = stored.map(|known| known.digest);
        if let Some(order) = order {
            self.note_contradiction(record, key, Some(order));
            return self.keys.classify_in_order(key, record.digest, order, stored);
        }
        if self.keys.has(key, record.digest) {
            RecordClass::Duplicate
        } else if stored == Some(record.digest) {
            RecordClass::Unchanged
        } else {
            RecordClass::Superseded
        }
    }

    /// Counts a record that another one of its key contradicts, if nothing says which of the two is newer.
    pub(super) fn note_contradiction(&mut self, record: &Record, key: &str, order: Option<i64>) {
        if self.keys.contradicts(key, record.digest, order) {
            let rows = self.findings.contradictions.map_or(0, |known| known.rows);
            // Rows come from the last to the first, so the newest sighting is the first row.
            self.findings.contradictions = Some(Sighting { page: record.page, row: record.row, rows: rows + 1 });
        }
    }

    pub(super) fn reject(&mut self, rejection: Rejection, run: i64, chain: u32) {
        // Another row of a partial record is another part, not a correction of a row that was rejected before.
        let outdates = !self.has_partial_records || self.is_outdated_by_accepted;
        if let Some(key) = rejection.key.as_ref().filter(|_| outdates) {
            self.note_key_read(key, run);
        }
        // Of partial records the rows are counted: a rejected one has no values to distinguish it.
        let key = rejection.key.as_deref().filter(|_| !self.has_partial_records);
        if let Some(chain) = self.chains.get_mut(&chain) {
            match key {
                Some(key) => {
                    chain.hashes.insert(key_hash(key));
                }
                None => chain.rows_without_key += 1,
            }
        }
        self.rejections.push(rejection);
    }

    /// Notes the key of a record. `digest`: of what its row states.
    pub(super) fn note_key(&mut self, key: &str, digest: u128, (run, chain): (i64, u32)) {
        if self.is_outdated_by_accepted {
            self.note_key_read(key, run);
        }
        if let Some(chain) = self.chains.get_mut(&chain) {
            let hash = if self.has_partial_records { key_hash(&format!("{key}|{digest:x}")) } else { key_hash(key) };
            chain.hashes.insert(hash);
        }
    }

    fn note_key_read(&mut self, key: &str, run: i64) {
        if let Some(keys_read) = &mut self.keys_read {
            let newest = keys_read.entry(key_hash(key)).or_insert(run);
            *newest = run.max(*newest);
        }
    }

    /// Counts a record whose key differs in letter case only from another key, of this pull or stored (`is_held`).
    pub(super) fn note_spelling(&mut self, key: &str, record: &Record, is_held: bool) {
        let Self { keys, spellings, findings, .. } = self;
        if spellings.note(key, |other| keys.contains(other)) || is_held {
            let rows = findings.keys_in_other_case.map_or(0, |known| known.rows);
            findings.keys_in_other_case = Some(Sighting { page: record.page, row: record.row, rows: rows + 1 });
        }
    }

    /// Counts the issues of a record that is not rejected for them.
    pub(super) fn note_issues(&mut self, record: &Record) {
        for issue in &record.issues {
            match issue {
                Issue::IllTyped { field, .. } => {
                    let rows = self.ill_typed.get(field).map_or(0, |known| known.rows);
                    // Rows come from the last to the first, so the newest sighting is the first row.
                    let first = Sighting { page: record.page, row: record.row, rows: rows + 1 };
                    self.ill_typed.insert(field.clone(), first);
                }
                Issue::Impossible(order) => *self.findings.impossible.entry((*order).to_owned()).or_default() += 1,
            }
        }
    }
}
