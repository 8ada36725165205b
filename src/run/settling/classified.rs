//! The classes of a pull's records, and what was noticed about them.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::canonical::{KeySpellings, KeysSeen, RecordClass};
use crate::lake::NewestVersion;
use crate::model::pull::{Findings, PullCounts, Sighting};
use crate::model::record::{Issue, Record, Rejection};
use crate::run::ledger::{key_hash, part_mark};

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
    /// Rejected rows that are counted and not among `rejections`.
    pub(super) unlisted: u64,
    pub(super) findings: Findings,
    /// Newest run that read a whole row of a key, by the key's hash, and a part, by the row's hash; kept only if the connector
    /// has open rejections.
    pub(super) keys_read: Option<HashMap<u64, i64>>,
    /// Number of rows that state a part of their record.
    pub(super) partial_rows: u64,
    /// Newest run that read a part of a key, by the key's mark ([`part_mark`]); kept only if there are open rejections, and the
    /// connector reads every row again in each pull.
    pub(super) parts_read: Option<HashMap<u64, i64>>,
    /// First row and number of rows of each ill-typed field.
    pub(super) ill_typed: BTreeMap<String, Sighting>,
    /// Keys of each page chain that declares a total.
    pub(super) chains: BTreeMap<u32, ChainKeys>,
    /// Deleted versions of records of which the source has no details, each with its part. They are counted as accepted.
    pub(super) without_details: Vec<(Record, String)>,
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
        self.note_rejected(&rejection, run, chain);
        self.rejections.push(rejection);
    }

    /// Counts a rejected row without listing it: one of very many that are alike.
    pub(super) fn reject_unlisted(&mut self, rejection: &Rejection, run: i64, chain: u32) {
        self.note_rejected(rejection, run, chain);
        self.unlisted += 1;
    }

    fn note_rejected(&mut self, rejection: &Rejection, run: i64, chain: u32) {
        self.partial_rows += u64::from(rejection.row_hash.is_some());
        match (&rejection.key, rejection.row_hash) {
            (Some(key), row_hash) => self.note_key(key, row_hash, (run, chain)),
            (None, Some(row_hash)) => self.note_row(row_hash, None, (run, chain)),
            (None, None) => {
                if let Some(chain) = self.chains.get_mut(&chain) {
                    chain.rows_without_key += 1;
                }
            }
        }
    }

    /// Notes the key of a row. `row_hash`: of a part. Another part of a key is no correction of one that was rejected before.
    pub(super) fn note_key(&mut self, key: &str, row_hash: Option<u64>, (run, chain): (i64, u32)) {
        let key = key_hash(key);
        let own = row_hash.unwrap_or(key);
        self.note_row(own, row_hash.map(|_| part_mark(key)), (run, chain));
    }

    /// Notes a row by what identifies it, and among the records of its chain; with the mark of its key if it is a part.
    fn note_row(&mut self, own: u64, mark: Option<u64>, (run, chain): (i64, u32)) {
        note_run(self.keys_read.as_mut(), own, run);
        if let Some(mark) = mark {
            note_run(self.parts_read.as_mut(), mark, run);
        }
        if let Some(chain) = self.chains.get_mut(&chain) {
            chain.hashes.insert(own);
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

/// Notes that a run read a row.
fn note_run(runs: Option<&mut HashMap<u64, i64>>, hash: u64, run: i64) {
    if let Some(runs) = runs {
        let newest = runs.entry(hash).or_insert(run);
        *newest = run.max(*newest);
    }
}
