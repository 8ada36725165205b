//! Which rejected rows of a folder are open: those that are the newest of their key. A pull closes rejections when another
//! row counts, and opens them again when the rejected row is the newest one once more.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::landing::LandedPull;
use crate::model::connector::{Connector, Content};
use crate::model::folder::{FileTime, KnownFile};
use crate::model::pull::Certificate;
use crate::model::record::Rejection;
use crate::run::error::RunError;
use crate::run::ledger::{FileRejection, key_hash};
use crate::run::settling::Settler;
use crate::run::settling::folder::content_keys::{REJECTED, Rank};
use crate::run::settling::folder::{FolderOutcome, FolderPull, newest};

/// What a pull changes about the rejections of a folder.
#[derive(Debug, Default)]
pub(in crate::run::settling) struct RejectionChanges {
    /// Ids of rejections of earlier runs whose rows the pull read again.
    pub(in crate::run::settling) closed: Vec<i64>,
    /// Those of which another row counts. They may be opened again.
    pub(in crate::run::settling) covered: Vec<i64>,
    pub(in crate::run::settling) opened: Vec<i64>,
    /// Page and row of the pull's own rejections that are closed at once.
    pub(in crate::run::settling) closed_at_once: HashSet<(u32, u32)>,
}

/// The rows of one key in the newest files that have it: the rank of each, by the digest of the content.
#[derive(Debug, Default)]
struct NewestRows {
    time: FileTime,
    rows: BTreeMap<String, Rank>,
}

impl NewestRows {
    fn note(&mut self, time: FileTime, content: &str, rank: Rank) {
        if time > self.time || self.rows.is_empty() {
            self.time = time;
            self.rows.clear();
        }
        if time == self.time {
            self.rows.insert(content.to_owned(), rank);
        }
    }

    /// Whether one of the rows has values, and is of a newer file.
    fn replaces(&self, time: FileTime) -> bool {
        self.time > time && self.rows.values().any(|rank| *rank != REJECTED)
    }

    /// Whether a rejected row of this content is among the newest ones, and no other content of the same time has a row
    /// with values.
    fn is_open(&self, content: &str) -> bool {
        let mut others = self.rows.iter().filter(|(other, _)| *other != content);
        self.rows.contains_key(content) && others.all(|(_, rank)| *rank == REJECTED)
    }
}

/// What the files say about rejected rows after a pull.
struct FilesNow<'f> {
    folder: &'f FolderPull,
    newest: HashMap<u64, NewestRows>,
    /// Contents that a name has; `None` for appended lists, of which a later content withdraws nothing.
    held: Option<BTreeSet<String>>,
    /// Contents that the pull read whole.
    read: BTreeSet<&'f str>,
}

/// What a rejected row is found by.
#[derive(Debug, Clone, Copy)]
struct RejectedRow {
    /// Hash of the key of a whole row, or of a part itself; `None` if the key could not be read.
    own: Option<u64>,
    /// It states a part of its record.
    is_part: bool,
    /// Hash of the key of a part, if it could be read.
    key_of_part: Option<u64>,
}

impl RejectedRow {
    fn new(key: Option<u64>, row_hash: Option<u64>) -> Self {
        Self { own: row_hash.or(key), is_part: row_hash.is_some(), key_of_part: row_hash.and(key) }
    }

    fn of(rejection: &Rejection) -> Self {
        Self::new(rejection.key.as_deref().map(key_hash), rejection.row_hash)
    }

    fn of_known(rejection: &FileRejection) -> Self {
        Self::new(rejection.key, rejection.row_hash)
    }

    /// Hashes under which files may have rows that replace it.
    fn hashes(self) -> impl Iterator<Item = u64> {
        self.own.into_iter().chain(self.key_of_part)
    }
}

impl FilesNow<'_> {
    /// Whether a rejected row counts, of a content that the pull did not read again.
    fn is_newest(&self, row: RejectedRow, content: &str) -> bool {
        let Some(own) = row.own else { return self.held.as_ref().is_none_or(|held| held.contains(content)) };
        let Some(newest) = self.newest.get(&own).filter(|newest| newest.is_open(content)) else { return false };
        // A whole row of a newer file has the whole record.
        let whole = row.key_of_part.and_then(|key| self.newest.get(&key));
        !whole.is_some_and(|whole| whole.replaces(newest.time))
    }

    /// Whether the pull read the row of an earlier rejection again: what is still wrong is rejected under its run.
    fn is_read_again(&self, row: RejectedRow, content: &str) -> bool {
        // Of a part that is accepted only the key is noted.
        if row.own.is_none() || row.is_part {
            return self.read.contains(content);
        }
        let is_read = |own| self.folder.collected.get(content).is_some_and(|keys| keys.contains(own));
        row.own.is_some_and(is_read)
    }

    /// Whether the pull read a row with the key in any file.
    fn is_read(&self, key: u64) -> bool {
        self.folder.collected.values().any(|keys| keys.contains(key))
    }
}

impl Settler<'_> {
    /// The rejections that a pull of files closes, and those that it opens again. Nothing changes if it found the folder as
    /// it was.
    pub(in crate::run::settling) async fn changed_rejections(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        (certificate, outcome): (&Certificate, &FolderOutcome),
        new: &[Rejection],
    ) -> Result<RejectionChanges, RunError> {
        let mut changes = RejectionChanges::default();
        if folder.contents.is_empty() && outcome.changes.holds.is_empty() && outcome.changes.forgotten.is_empty() {
            return Ok(changes);
        }
        let files = files_after(folder, outcome);
        let contents: BTreeSet<String> =
            files.iter().flat_map(|file| file.contents().map(|content| content.digest.clone())).collect();
        let contents: Vec<&str> = contents.iter().map(String::as_str).collect();
        let mut known = self.ledger.file_rejections(&connector.name, certificate.run, &contents).await?;
        self.complete_contents(connector, &mut known);
        let rejected = known.iter().map(RejectedRow::of_known).chain(new.iter().map(RejectedRow::of));
        let wanted: HashSet<u64> = rejected.flat_map(RejectedRow::hashes).collect();
        let newest = self.newest_rows(connector, folder, &files, &wanted).await?;
        let held = folder.held_contents(&files);
        let whole = certificate.pages.iter().filter(|page| !page.is_partial());
        let read = whole.map(|page| page.body_digest.as_str()).collect();
        let now = FilesNow { folder, newest, held, read };

        let pages: HashMap<u32, &str> =
            certificate.pages.iter().map(|page| (page.number, page.body_digest.as_str())).collect();
        // A whole list that was not read to its end is not held: what it rejects stays open.
        let is_noted = |content: &str| {
            now.held.as_ref().is_some_and(|held| !held.contains(content))
                && certificate.files.iter().any(|note| note.digest == content)
        };
        let mut newest_runs: BTreeMap<(u64, &str), i64> = BTreeMap::new();
        for rejection in new {
            let content = pages.get(&rejection.page).copied().unwrap_or_default();
            let row = RejectedRow::of(rejection);
            newest_runs.extend(row.own.map(|own| ((own, content), certificate.run)));
            if !now.is_newest(row, content) && !is_noted(content) {
                changes.closed_at_once.insert((rejection.page, rejection.row));
            }
        }
        for rejection in &known {
            if let (Some(own), Some(content)) = (RejectedRow::of_known(rejection).own, rejection.content.as_deref()) {
                let newest = newest_runs.entry((own, content)).or_insert(rejection.run);
                *newest = rejection.run.max(*newest);
            }
        }
        for rejection in &known {
            let row = RejectedRow::of_known(rejection);
            let Some(content) = rejection.content.as_deref() else {
                // Without its landed page it is not known how old the rejected row is.
                changes.closed.extend(row.own.filter(|own| now.is_read(*own)).map(|_| rejection.id));
                continue;
            };
            let is_last = row.own.is_none_or(|own| newest_runs[&(own, content)] == rejection.run);
            if now.is_read_again(row, content) || !is_last {
                changes.closed.push(rejection.id);
            } else if now.is_newest(row, content) {
                changes.opened.extend(Some(rejection.id).filter(|_| !rejection.is_open));
            } else if rejection.is_open {
                changes.covered.push(rejection.id);
            }
        }
        Ok(changes)
    }

    /// Takes contents that the ledger does not know from the certificates of their runs.
    fn complete_contents(&self, connector: &Connector, rejections: &mut [FileRejection]) {
        let mut certificates: BTreeMap<i64, Option<Certificate>> = BTreeMap::new();
        for rejection in rejections.iter_mut().filter(|rejection| rejection.content.is_none()) {
            let certificate = match certificates.entry(rejection.run) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    let landed = LandedPull::new(self.data, &connector.name, rejection.run);
                    unknown.insert(landed.certificate().unwrap_or_default())
                }
            };
            let mut pages = certificate.iter().flat_map(|certificate| &certificate.pages);
            rejection.content = pages.find(|page| page.number == rejection.page).map(|page| page.body_digest.clone());
        }
    }

    /// The newest rows of these keys, among all files.
    async fn newest_rows(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        files: &[KnownFile],
        wanted: &HashSet<u64>,
    ) -> Result<HashMap<u64, NewestRows>, RunError> {
        let mut newest: HashMap<u64, NewestRows> = HashMap::new();
        if wanted.is_empty() {
            return Ok(newest);
        }
        for file in files {
            let mut decided = HashSet::new();
            for (content, time) in file.dated_contents() {
                let Some(keys) = self.keys_of(connector, folder, content).await? else { continue };
                for (hash, rank) in keys.iter().filter(|(hash, _)| wanted.contains(hash)) {
                    // A former content does not count for a row that a later one has.
                    if decided.insert(hash) {
                        newest.entry(hash).or_default().note(time, &content.digest, rank);
                    }
                }
            }
        }
        Ok(newest)
    }
}

impl FolderPull {
    /// See [`FilesNow::held`].
    fn held_contents(&self, files: &[KnownFile]) -> Option<BTreeSet<String>> {
        if self.content == Content::Append {
            return None;
        }
        let held = |file: &KnownFile| {
            // What was not read to its end does not replace the content before.
            let contents = file.contents().take(if self.unfinished.contains(&file.name) { usize::MAX } else { 1 });
            contents.map(|content| content.digest.clone()).collect::<Vec<_>>()
        };
        Some(files.iter().flat_map(held).collect())
    }
}

/// The files whose rows count after the pull, as they are stored.
fn files_after(folder: &FolderPull, outcome: &FolderOutcome) -> Vec<KnownFile> {
    let mut files = folder.after.clone();
    files.extend(outcome.changes.holds.iter().map(|file| (file.name.clone(), file.clone())));
    match folder.content {
        Content::Whole => newest(&files).cloned().into_iter().collect(),
        Content::Lists | Content::Append => files.into_values().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Rank = 7;

    /// File time, content, rank.
    type Row = (i64, &'static str, Rank);

    #[test]
    fn a_rejected_row_is_open_while_no_file_that_is_as_new_has_values() {
        let time = |ordered_at| FileTime { ordered_at, modified_at: 0 };
        // Worked by hand: rows, and the contents whose rejected rows are open.
        let cases: [(&[Row], &[&str]); 7] = [
            (&[(1, "a", REJECTED)], &["a"]),
            (&[(1, "a", REJECTED), (2, "b", VALUES)], &["b"]),
            (&[(2, "b", VALUES), (1, "a", REJECTED)], &["b"]),
            (&[(1, "a", VALUES), (2, "b", REJECTED)], &["b"]),
            (&[(1, "a", REJECTED), (2, "b", REJECTED)], &["b"]),
            (&[(1, "a", REJECTED), (1, "b", VALUES)], &["b"]),
            (&[(1, "a", REJECTED), (1, "b", REJECTED)], &["a", "b"]),
        ];
        for (rows, expected) in cases {
            let mut newest = NewestRows::default();
            for (at, content, rank) in rows {
                newest.note(time(*at), content, *rank);
            }
            let open: Vec<&str> = ["a", "b"].into_iter().filter(|content| newest.is_open(content)).collect();
            assert_eq!(open, expected, "{rows:?}");
        }
        assert!(!NewestRows::default().is_open("a"));
    }
}
