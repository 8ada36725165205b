//! Files of a folder while a pull is settled: which content each name holds before and after the pull, and which row of
//! a key counts.
//!
//! The tables hold the fold over all file names in their order: of the rows with a key, the one of the newest file
//! counts, or that with the latest change time ([`row_order`](self::row_order)). A row that its file no longer has gets the
//! values of the next newest file, or is deleted ([`lost_rows`](self::lost_rows)).

#[cfg(test)]
mod appended_times_tests;
mod content_keys;
mod content_order;
mod kept_rows;
mod known_keys;
#[cfg(test)]
mod lost_pages_tests;
mod lost_rows;
mod outcome;
#[cfg(test)]
mod property_model;
#[cfg(test)]
pub(super) mod property_tests;
mod rejections;
mod row_order;
mod rows_beside;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use self::content_keys::{ContentKeys, REJECTED, Rank, UNTIMED};
pub(super) use self::kept_rows::{raise, stated_change_time};
#[cfg(test)]
pub(super) use self::known_keys::reading_of_change_times;
pub(super) use self::outcome::FolderOutcome;
pub(super) use self::rejections::RejectionChanges;
use self::row_order::BestRow;
use crate::canonical::RowsBeside;
use crate::model::connector::{Access, Connector, Content};
use crate::model::folder::{ContentRef, FileEnd, FileTime, FormerContent, KnownFile, NoteKind};
use crate::model::pull::{Certificate, LandedPage};
use crate::model::record::Rejection;
use crate::run::error::RunError;
use crate::run::ledger::key_hash;
use crate::run::settling::deletions::DeletionLimit;
use crate::run::settling::own_rejections::own_hash;
use crate::run::settling::{SealedPull, Settler};

/// Whether the rows of one content count, and with which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Validity {
    /// A file name holds the content; its newest order.
    Current(FileTime),
    /// The same, but the rows were in the tables before the ledger knew of files: what is stored is newer.
    Older(FileTime),
    /// No file name holds the content any more.
    Outdated,
}

/// A content of which the pull has rows.
#[derive(Debug)]
struct ReadContent {
    digest: String,
    validity: Validity,
    entries: Vec<(u64, Rank)>,
    unreadable: u64,
    end: FileEnd,
    /// The same number for contents of files with the same time.
    order: u64,
}

/// The files of one pull.
#[derive(Debug)]
pub(super) struct FolderPull {
    run: i64,
    content: Content,
    is_ordered: bool,
    /// Every row that a name ever had may still count by its change time: rows of appended lists that have one, or parts.
    keeps_every_row: bool,
    /// Run before which files count.
    counted_before: i64,
    /// What each name held before the pull, by name.
    before: BTreeMap<String, KnownFile>,
    /// What it holds after it; rows that were not deleted are not decided yet.
    after: BTreeMap<String, KnownFile>,
    /// Names that were found in landing, because the ledger did not know them.
    imported: BTreeSet<String>,
    /// Names whose content was not read to its end.
    unfinished: BTreeSet<String>,
    /// Contents of which the pull has rows.
    contents: Vec<ReadContent>,
    /// Index of each in `contents`, by digest.
    index: HashMap<String, usize>,
    /// Best row of each key, among files that the pull did not read and that may be newer, and among those that it read if
    /// rows are ordered by a change time.
    best: HashMap<u64, BestRow<()>>,
    /// Newest file that now has the key in a rejected row, by key.
    rejected: HashMap<u64, FileTime>,
    /// Keys with a row that the pull read, that is the latest change, and that a newer file shows without change time.
    overtaken: HashSet<u64>,
    /// Keys of the contents of which the pull has rows, by digest; made once all rows are classified.
    collected: HashMap<String, Arc<ContentKeys>>,
    /// Keys of contents that were read again from landing.
    computed: HashMap<ContentRef, Arc<ContentKeys>>,
    /// Keys of contents without their change times, which were read otherwise than now. They stay stored with them.
    untimed: HashMap<ContentRef, Arc<ContentKeys>>,
    /// Rows of files that the pull did not read, by the hash of their key: of keys whose rows it merges.
    beside: HashMap<u64, RowsBeside>,
    /// Start of the pull, microseconds UTC.
    started_at: i64,
    pub(super) limit: DeletionLimit,
}

impl Settler<'_> {
    /// The files of a pull; `None` for HTTP, and for pulls that know nothing of files (an older version read them).
    pub(super) async fn folder_of(&self, sealed: SealedPull<'_>, run: i64) -> Result<Option<FolderPull>, RunError> {
        let SealedPull { connector, certificate, .. } = sealed;
        let Access::Files { content, .. } = &connector.file.access else { return Ok(None) };
        let reached = self.lake.last_run(connector.file.connector.kind, &connector.name).await?;
        let counted_before = self.ledger.files_counted_before(&connector.name, reached, run).await?;
        let known = self.ledger.known_files(&connector.name, counted_before).await?;
        if known.is_empty() && certificate.files.is_empty() {
            return Ok(None);
        }
        let mut folder = FolderPull::new(connector, certificate, *content, (run, counted_before), known);
        if !connector.file.has_partial_records() {
            self.note_unread(connector, &mut folder).await?;
        }
        Ok(Some(folder))
    }

    /// Notes the best row of each key in files that the pull did not read and that may be newer than one that it read.
    async fn note_unread(&self, connector: &Connector, folder: &mut FolderPull) -> Result<(), RunError> {
        let oldest_read = folder.contents.iter().filter_map(|content| content.validity.time()).min();
        let Some(oldest_read) = oldest_read else { return Ok(()) };
        let unread: Vec<KnownFile> = folder
            .after
            .values()
            // Rows that a file no longer has are kept for sure only where rows are only added.
            .filter(|file| !folder.is_read(&file.content) || folder.content == Content::Append)
            .filter(|file| folder.is_ordered || file.time > oldest_read)
            .cloned()
            .collect();
        for file in unread {
            let mut newer = Vec::new();
            // Rows that only a former content has are deleted, unless it is former since an earlier pull.
            let known = folder.before.get(&file.name);
            let is_taken_over = known.is_some_and(|known| known.content.digest != file.content.digest);
            let keeps_former = folder.content == Content::Append || !is_taken_over;
            let counts = |content: &ContentRef| !folder.is_read(content) && (keeps_former || *content == file.content);
            let counting = file.dated_contents().filter(|(content, _)| counts(content));
            let contents: Vec<(ContentRef, FileTime)> =
                counting.map(|(content, time)| (content.clone(), time)).collect();
            for (content, time) in &contents {
                let Some(keys) = self.stored_keys(connector, folder, content).await? else { continue };
                if *content == file.content || folder.content == Content::Append {
                    keys.rejected().for_each(|hash| folder.note_rejected_key(hash, *time));
                }
                for (hash, rank) in keys.counting(&newer) {
                    folder.best.entry(hash).or_default().note(rank, *time, ());
                }
                if !folder.keeps_every_row {
                    newer.push(keys);
                }
            }
        }
        Ok(())
    }
}

impl Validity {
    fn time(self) -> Option<FileTime> {
        match self {
            Self::Current(time) | Self::Older(time) => Some(time),
            Self::Outdated => None,
        }
    }
}

impl FolderPull {
    fn new(
        connector: &Connector,
        certificate: &Certificate,
        content: Content,
        (run, counted_before): (i64, i64),
        known: Vec<KnownFile>,
    ) -> Self {
        let mut before: BTreeMap<String, KnownFile> = known.into_iter().map(|file| (file.name.clone(), file)).collect();
        let (mut imported, mut unfinished) = (BTreeSet::new(), BTreeSet::new());
        for note in certificate.files.iter().filter(|note| note.kind == NoteKind::Imported) {
            before.insert(note.name.clone(), KnownFile::of_note(note, run));
            imported.insert(note.name.clone());
        }
        let mut after = before.clone();
        for note in &certificate.files {
            match note.kind {
                NoteKind::Imported => {}
                // A whole list that was not read to its end is none: the one before stays.
                NoteKind::Unfinished if content == Content::Whole => {}
                NoteKind::Forgotten => {
                    after.remove(&note.name);
                }
                NoteKind::Holds | NoteKind::Unfinished => {
                    let mut file = KnownFile::of_note(note, run);
                    if note.kind == NoteKind::Unfinished {
                        unfinished.insert(note.name.clone());
                    }
                    let known = match content {
                        Content::Whole => newest(&before),
                        Content::Lists | Content::Append => before.get(&note.name),
                    };
                    file.former = match known {
                        // The same content under a former declaration may be among the former ones.
                        Some(known) if known.content.digest == note.digest => known.former.clone(),
                        Some(known) => {
                            let former = known.dated_contents().filter(|(former, _)| former.digest != note.digest);
                            former
                                .map(|(content, time)| FormerContent { content: content.clone(), time: Some(time) })
                                .collect()
                        }
                        None => Vec::new(),
                    };
                    after.insert(note.name.clone(), file);
                }
            }
        }
        let is_ordered = connector.file.has_change_time();
        let mut folder = Self {
            run,
            content,
            is_ordered,
            keeps_every_row: content == Content::Append && (is_ordered || connector.file.has_partial_records()),
            counted_before,
            before,
            after,
            imported,
            unfinished,
            contents: Vec::new(),
            index: HashMap::new(),
            best: HashMap::new(),
            rejected: HashMap::new(),
            overtaken: HashSet::new(),
            collected: HashMap::new(),
            computed: HashMap::new(),
            untimed: HashMap::new(),
            beside: HashMap::new(),
            started_at: certificate.started_at,
            limit: DeletionLimit::default(),
        };
        for page in &certificate.pages {
            if !folder.index.contains_key(&page.body_digest) {
                folder.index.insert(page.body_digest.clone(), folder.contents.len());
                let validity = folder.validity_of(page);
                let digest = page.body_digest.clone();
                let ends = certificate.files.iter().filter(|note| note.digest == digest).map(|note| note.end);
                let end = ends.max_by_key(|end| (*end != FileEnd::LineEnd, *end)).unwrap_or_default();
                let FileTime { ordered_at, modified_at } = validity.time().unwrap_or_default();
                let order = key_hash(&format!("{ordered_at} {modified_at}"));
                let entries = Vec::new();
                folder.contents.push(ReadContent { digest, validity, entries, unreadable: 0, end, order });
            }
        }
        folder
    }

    fn validity_of(&self, page: &LandedPage) -> Validity {
        let holders = self.after.values().filter(|file| file.content.digest == page.body_digest);
        match holders.map(|file| file.time).max() {
            Some(time) if page.read_by.is_some_and(|read_by| read_by.run == 0) => Validity::Older(time),
            Some(time) => Validity::Current(time),
            None => Validity::Outdated,
        }
    }

    /// Whether this pull read the content whole.
    fn is_read(&self, content: &ContentRef) -> bool {
        content.landed_by == self.run
    }

    /// Whether this pull read a content whole that an earlier one had landed.
    fn is_read_again(&self, content: &ContentRef) -> bool {
        let mut read = self.after.values().filter(|file| self.is_read(&file.content));
        read.any(|file| file.content.digest == content.digest && !self.unfinished.contains(&file.name))
    }

    /// Index of the content of a page, for the other methods.
    pub(super) fn content_of(&self, page: &LandedPage) -> usize {
        self.index.get(&page.body_digest).copied().unwrap_or_default()
    }

    /// The pages of a pull, those of older files first.
    pub(super) fn in_order<'p>(&self, pages: &'p [LandedPage]) -> Vec<&'p LandedPage> {
        let mut sorted: Vec<&LandedPage> = pages.iter().collect();
        sorted.sort_by_key(|page| (self.contents[self.content_of(page)].validity.time(), page.number));
        sorted
    }

    pub(super) fn validity(&self, content: usize) -> Validity {
        self.contents[content].validity
    }

    /// Whether every row must be known before the first one is classified.
    pub(super) fn is_ordered(&self) -> bool {
        self.is_ordered
    }

    /// Notes the rank of a row, before rows are classified.
    pub(super) fn note_rank(&mut self, content: usize, key: &str, updated_at: Option<i64>) {
        if let Validity::Current(time) = self.validity(content) {
            let rank = self.rank(updated_at);
            self.best.entry(key_hash(key)).or_default().note(rank, time, ());
        }
    }

    fn rank(&self, updated_at: Option<i64>) -> Rank {
        updated_at.filter(|_| self.is_ordered).unwrap_or(UNTIMED)
    }

    /// Notes the key of a record, and whether another row of the key counts instead.
    pub(super) fn is_outranked(&mut self, content: usize, hash: u64, updated_at: Option<i64>) -> bool {
        let rank = self.rank(updated_at);
        let read = &mut self.contents[content];
        read.entries.push((hash, rank));
        let Some(time) = read.validity.time() else { return true };
        let Some(best) = self.best.get(&hash) else { return false };
        if rank != UNTIMED && best.overtakes(rank, time) {
            self.overtaken.insert(hash);
        }
        best.outranks(rank, time)
    }

    /// The same number for rows of which none counts more than another: their rank and their file's order are equal.
    pub(super) fn order_of(&self, content: usize, updated_at: Option<i64>) -> i64 {
        self.contents[content].order.cast_signed().wrapping_add(self.rank(updated_at))
    }

    /// Notes a rejected row.
    pub(super) fn note_rejected(&mut self, content: usize, rejection: &Rejection) {
        let read = &mut self.contents[content];
        let Some(hash) = own_hash(rejection) else {
            read.unreadable += 1;
            return;
        };
        read.entries.push((hash, REJECTED));
        if let Some(time) = read.validity.time() {
            self.note_rejected_key(hash, time);
        }
    }

    fn note_rejected_key(&mut self, hash: u64, time: FileTime) {
        let newest = self.rejected.entry(hash).or_insert(time);
        *newest = time.max(*newest);
    }

    /// Whether a newer file has the key of a row only rejected: the stored values stay, because what an older file says is
    /// not newer than they are. A change later than the stored one counts all the same.
    ///
    /// The rejected rows of newer files must be known: rows come from the newest file to the oldest.
    pub(super) fn is_held_back(
        &self,
        content: usize,
        hash: u64,
        updated_at: Option<i64>,
        stored_time: Option<i64>,
    ) -> bool {
        let Some(time) = self.validity(content).time() else { return false };
        let is_rejected = self.rejected.get(&hash).is_some_and(|rejected| *rejected > time);
        is_rejected && !(self.is_ordered && updated_at > stored_time)
    }

    fn imported_content(&self, content: &ContentRef) -> bool {
        self.imported.iter().any(|name| self.before.get(name).is_some_and(|file| file.content == *content))
    }

    /// Rows of pages that were in the tables before the ledger knew of files.
    pub(super) fn older_rows(&self, pages: &[LandedPage]) -> u64 {
        let older = pages.iter().filter(|page| matches!(self.validity(self.content_of(page)), Validity::Older(_)));
        older.map(|page| page.rows).sum()
    }
}

/// The newest file.
fn newest(files: &BTreeMap<String, KnownFile>) -> Option<&KnownFile> {
    files.values().max_by_key(|file| file.time)
}
