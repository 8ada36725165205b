//! Decides which files of a folder are read, and notes what each file name holds.
//!
//! A file is read if its content is new for its name. The notes are the changes against the files that are known; the
//! certificate of the pull carries them, and settling applies them.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use crate::model::connector::{Content, FileOrder};
use crate::model::folder::{FileEnd, FileNote, FileTime, KnownFile, NoteKind};
use crate::sources::PullStart;
use crate::sources::error::SourceError;
use crate::sources::file_dates::FileDates;
use crate::sources::transport::files::FoundFile;

/// Digest of a file name, by which the ledger knows the file: a name may contain that of a person, so it is not stored.
/// Unicode form and letter case do not count.
#[must_use]
pub fn name_digest(name: &str) -> String {
    exact_name_digest(&folded(name))
}

/// First 16 bytes of the SHA-256 of a file name as it is written, hexadecimal.
#[must_use]
pub fn exact_name_digest(name: &str) -> String {
    bytes_digest(name.as_bytes())
}

fn bytes_digest(name: &[u8]) -> String {
    let mut text = format!("{:x}", Sha256::digest(name));
    text.truncate(32);
    text
}

fn folded(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// The digest by which the ledger knows each file of a folder, by the bytes of its name. Of a name that is no UTF-8 it is
/// the digest of these bytes: its letters are not known.
fn name_digests(found: &[FoundFile], known: &BTreeMap<String, KnownFile>) -> BTreeMap<Vec<u8>, String> {
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for name in found.iter().filter_map(FoundFile::utf8_name) {
        *alike.entry(folded(name)).or_default() += 1;
    }
    let digest_of = |name: &str| {
        let exact = exact_name_digest(name);
        if alike[&folded(name)] > 1 {
            return exact;
        }
        // Earlier versions, and folders with two such names, know the file by a name as it was written.
        let written = [
            exact,
            exact_name_digest(&name.nfc().collect::<String>()),
            exact_name_digest(&name.nfd().collect::<String>()),
        ];
        written.into_iter().find(|digest| known.contains_key(digest)).unwrap_or_else(|| name_digest(name))
    };
    let digest_of_file = |file: &FoundFile| file.utf8_name().map_or_else(|| bytes_digest(file.name_bytes()), digest_of);
    found.iter().map(|file| (file.name_bytes().to_vec(), digest_of_file(file))).collect()
}

/// The files of one pull.
#[derive(Debug)]
pub(crate) struct FolderFiles {
    content: Content,
    /// Some rows state parts of their records: the time of a file is the moment of those that state all of it.
    has_parts: bool,
    dates: FileDates,
    /// Dates that title rows have, by digest of the file name; only of files whose title rows were read.
    titles: BTreeMap<String, Option<i64>>,
    /// Files that were read although they have no date.
    undated: Vec<String>,
    /// Matching files in the folder, the older ones first.
    found: Vec<FoundFile>,
    /// Digest by which the ledger knows each of them, by the bytes of the file name. Two names that differ in Unicode form
    /// or letter case are one file, unless both lie in the folder.
    names: BTreeMap<Vec<u8>, String>,
    /// Files whose rows are in the tables, by digest of the name.
    known: BTreeMap<String, KnownFile>,
    are_imported: bool,
    /// Contents that complete pulls have read.
    read_before: BTreeSet<String>,
    /// Contents that this pull read to their end, in reading order.
    taken: Vec<String>,
    /// Content of each file that was met, by digest of the name.
    met: BTreeMap<String, String>,
    notes: Vec<FileNote>,
}

impl FolderFiles {
    /// `has_parts`: some rows state parts of their records beside others that state all of them.
    pub(crate) fn new(
        (content, has_parts): (Content, bool),
        order: &FileOrder,
        mut found: Vec<FoundFile>,
        start: &PullStart,
    ) -> Result<Self, SourceError> {
        let dates = FileDates::compile(order)?;
        // Without title rows: [`FolderFiles::sort`] is called once those that matter are read.
        let date = |file: &FoundFile| dates.date(&file.name, None);
        found.sort_by_cached_key(|file| (FileDates::time(date(file), file.modified_at()), file.name.clone()));
        let known = start.known_files.iter().map(|known| (known.name.clone(), known.clone())).collect();
        Ok(Self {
            content,
            has_parts,
            dates,
            titles: BTreeMap::new(),
            undated: Vec::new(),
            names: name_digests(&found, &known),
            found,
            known,
            are_imported: start.are_imported,
            read_before: start.cursor.files.iter().cloned().collect(),
            taken: Vec::new(),
            met: BTreeMap::new(),
            notes: Vec::new(),
        })
    }

    /// Number of matching files in the folder.
    pub(crate) fn found(&self) -> usize {
        self.found.len()
    }

    /// Whether only the newest file counts, as the whole list.
    pub(crate) fn are_whole_lists(&self) -> bool {
        self.content == Content::Whole
    }

    /// Whether an earlier pull has read a file.
    pub(crate) fn has_known(&self) -> bool {
        !self.known.is_empty()
    }

    /// The files to open, the older ones first. Of whole lists only the newest, unless a newer one was read before.
    pub(crate) fn to_read(&self) -> Vec<FoundFile> {
        if self.content != Content::Whole {
            return self.found.clone();
        }
        let Some(newest) = self.found.last() else { return Vec::new() };
        let (name, time) = self.key(newest);
        let is_here = |known: &KnownFile| self.found.iter().any(|file| *self.name(file) == known.name);
        let is_older = self.known.values().any(|known| known.name != name && known.time > time && !is_here(known));
        if is_older { Vec::new() } else { vec![newest.clone()] }
    }

    /// Digest by which the ledger knows a file of the folder.
    fn name(&self, file: &FoundFile) -> &str {
        &self.names[file.name_bytes()]
    }

    fn key(&self, file: &FoundFile) -> (String, FileTime) {
        (self.name(file).to_owned(), FileDates::time(self.date(file), file.modified_at()))
    }

    fn date(&self, file: &FoundFile) -> Option<i64> {
        let date = || self.dates.date(&file.name, None);
        self.titles.get(self.name(file)).copied().unwrap_or_else(date)
    }

    /// Whether the title rows of every file must be read before the files to read are chosen: only the newest is read.
    pub(crate) fn are_chosen_by_titles(&self, newest_only: bool) -> bool {
        self.dates.are_in_titles() && (newest_only || self.content == Content::Whole)
    }

    /// Whether the title rows of a file with this content must be read. What an earlier pull read in it under the same name
    /// is known.
    pub(crate) fn wants_titles(&mut self, file: &FoundFile, digest: &str) -> bool {
        if !self.dates.are_in_titles() {
            return false;
        }
        let name = self.name(file).to_owned();
        let known = self.known.get(&name).filter(|known| known.content.digest == digest && !self.are_imported);
        match known.filter(|_| self.read_before.contains(digest)) {
            Some(known) => {
                self.titles.insert(name, Some(known.time.ordered_at));
                false
            }
            None => true,
        }
    }

    /// Notes the title rows of a file.
    pub(crate) fn note_titles(&mut self, file: &FoundFile, titles: &str) {
        let date = self.dates.date(&file.name, Some(titles));
        self.titles.insert(self.name(file).to_owned(), date);
    }

    /// Notes a file that is read now, if it lacks the date that the connector declares.
    pub(crate) fn note_undated(&mut self, file: &FoundFile) {
        if self.dates.are_declared() && self.date(file).is_none() {
            tracing::warn!(
                file = file.shown(),
                "the file has no date as `access.order` declares: its modification time counts"
            );
            self.undated.push(file.shown());
        }
    }

    /// Names of files that were read although they have no date, as messages show them.
    pub(crate) fn undated(&self) -> &[String] {
        &self.undated
    }

    /// Every file in the folder.
    pub(crate) fn all(&self) -> Vec<FoundFile> {
        self.found.clone()
    }

    /// Puts the older files first, once title rows are read.
    pub(crate) fn sort(&mut self) {
        let mut found = std::mem::take(&mut self.found);
        found.sort_by_cached_key(|file| (self.key(file).1, file.name.clone()));
        self.found = found;
    }

    /// Whether the rows of a content are known under the file's name or another one, so that it need not be read. Notes
    /// what changed for the name.
    ///
    /// Beside parts, a file that is sent again under a newer name is read again: its whole rows state the records of that
    /// moment.
    pub(crate) fn is_known(&mut self, file: &FoundFile, digest: &str) -> bool {
        let (name, time) = self.key(file);
        let (before, taken) = (self.read_before.contains(digest), self.taken.iter().any(|taken| taken == digest));
        let known = self.known.get(&name).filter(|known| known.content.digest == digest);
        let landed_by = match known.or_else(|| self.known.values().find(|known| known.content.digest == digest)) {
            _ if taken => None,
            Some(known) if before => Some(known.content.landed_by),
            _ => return false,
        };
        let mut holders = self.known.values().filter(|holder| holder.content.digest == digest);
        if self.has_parts && !taken && known.is_none() && holders.all(|holder| holder.time.ordered_at < time.ordered_at)
        {
            return false;
        }
        let is_unchanged = known.is_some_and(|known| self.has_parts || known.time.ordered_at == time.ordered_at);
        if taken || !is_unchanged {
            self.note(&name, digest, time, landed_by);
        }
        self.met.insert(name, digest.to_owned());
        true
    }

    /// Notes a file that was read to its end.
    pub(crate) fn mark_taken(&mut self, file: &FoundFile, digest: String, end: FileEnd) {
        let (name, time) = self.key(file);
        self.note(&name, &digest, time, None);
        if let Some(note) = self.notes.last_mut() {
            note.end = end;
        }
        self.met.insert(name, digest.clone());
        self.taken.push(digest);
    }

    fn note(&mut self, name: &str, digest: &str, time: FileTime, landed_by: Option<i64>) {
        let (name, digest) = (name.to_owned(), digest.to_owned());
        self.notes.push(FileNote { name, digest, time, landed_by, kind: NoteKind::Holds, end: FileEnd::default() });
    }

    /// Notes a file of which some pages were read, but not the last one.
    pub(crate) fn mark_unfinished(&mut self, file: &FoundFile, digest: String) {
        let note = self.unfinished(file, digest);
        self.notes.push(note);
    }

    pub(crate) fn unfinished(&self, file: &FoundFile, digest: String) -> FileNote {
        let (name, time) = self.key(file);
        FileNote { name, digest, time, landed_by: None, kind: NoteKind::Unfinished, end: FileEnd::default() }
    }

    /// Content digests of the files that were read to their end, in reading order.
    pub(crate) fn taken(&self) -> &[String] {
        &self.taken
    }

    /// What changed. `is_ended`: every file was met, so that a renamed file shows.
    pub(crate) fn notes(&self, is_ended: bool) -> Vec<FileNote> {
        let mut notes: Vec<FileNote> = Vec::new();
        if self.are_imported {
            notes.extend(self.known.values().map(|known| note_of(known, NoteKind::Imported)));
        }
        notes.extend(self.notes.iter().cloned());
        let here: BTreeSet<&str> = self.found.iter().map(|file| self.name(file)).collect();
        let met: BTreeSet<&String> = self.met.values().collect();
        // A name left the folder, and its content is there under another name.
        let was_renamed = |known: &KnownFile| {
            !here.contains(known.name.as_str()) && known.former.is_empty() && met.contains(&known.content.digest)
        };
        let forgotten = self.known.values().filter(|known| match self.content {
            Content::Whole => self.notes.iter().any(|note| note.kind == NoteKind::Holds && note.name != known.name),
            Content::Lists | Content::Append => is_ended && was_renamed(known),
        });
        notes.extend(forgotten.map(|known| note_of(known, NoteKind::Forgotten)));
        notes
    }
}

fn note_of(known: &KnownFile, kind: NoteKind) -> FileNote {
    let KnownFile { name, content, time, .. } = known.clone();
    FileNote { name, digest: content.digest, time, landed_by: Some(content.landed_by), kind, end: FileEnd::default() }
}
