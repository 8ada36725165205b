//! What is known about the files of a folder: the content of each name, and its order.
//!
//! A file name is stored as a digest, because it may contain the name of a person.

use serde::{Deserialize, Serialize};

/// Order of a file among those of its folder: the later one is newer. Microseconds UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileTime {
    /// Date in the name or in the title rows, or modification time: as `access.order` declares.
    pub ordered_at: i64,
    /// Modification time; decides between equal dates.
    pub modified_at: i64,
}

/// A content of a file, and the run in whose landing its pages are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContentRef {
    /// SHA-256, hexadecimal.
    pub digest: String,
    pub landed_by: i64,
}

/// A file name whose rows are in the tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFile {
    /// Digest of the file name: first 16 bytes of the SHA-256, hexadecimal. Unicode form and letter case do not count,
    /// unless two names of the folder differ in nothing else.
    pub name: String,
    pub content: ContentRef,
    pub time: FileTime,
    /// Earlier contents with rows that the present one lacks, and that were not deleted; the newest first.
    #[serde(default)]
    pub former: Vec<FormerContent>,
}

/// An earlier content of a file name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerContent {
    #[serde(flatten)]
    pub content: ContentRef,
    /// Order that the file had with it; `None` if an older motcua stored it.
    #[serde(default)]
    pub time: Option<FileTime>,
}

/// What a pull found out about one file name; stored in the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNote {
    /// Digest of the file name: first 16 bytes of the SHA-256, hexadecimal. Unicode form and letter case do not count,
    /// unless two names of the folder differ in nothing else.
    pub name: String,
    /// SHA-256 of the content.
    pub digest: String,
    #[serde(default)]
    pub time: FileTime,
    /// Run that landed the content before; `None` if this pull landed it.
    #[serde(default)]
    pub landed_by: Option<i64>,
    #[serde(default)]
    pub kind: NoteKind,
    #[serde(default)]
    pub end: FileEnd,
}

/// What shows that a file is whole, the least first. A content with less than its name had before may be cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileEnd {
    /// Its last line has no line end.
    Open,
    /// Its last line has a line end, or nothing is known.
    #[default]
    LineEnd,
    /// It has a footer row.
    Footer,
}

/// What a note changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// The name has the content from now on.
    #[default]
    Holds,
    /// The name has the content, but it was not read to its end: rows of it count, and none is deleted.
    Unfinished,
    /// The name was in the tables before the ledger knew of names: the note changes no row.
    Imported,
    /// The name no longer counts: the folder has its content under another name, or a newer whole list.
    Forgotten,
}

impl KnownFile {
    /// The file as a note of `run` describes it.
    #[must_use]
    pub fn of_note(note: &FileNote, run: i64) -> Self {
        let FileNote { name, digest, time, landed_by, .. } = note.clone();
        let content = ContentRef { digest, landed_by: landed_by.unwrap_or(run) };
        Self { name, content, time, former: Vec::new() }
    }

    /// Every content with rows of the name in the tables, the present one first.
    pub fn contents(&self) -> impl Iterator<Item = &ContentRef> {
        std::iter::once(&self.content).chain(self.former.iter().map(|former| &former.content))
    }

    /// The earlier contents, each with its order among them: never newer than a later one of them.
    #[must_use]
    pub fn former_in_order(&self) -> Vec<FormerContent> {
        let mut newest: Option<FileTime> = None;
        let in_order = |former: &FormerContent| {
            newest = match (newest, former.time) {
                (Some(newest), Some(time)) => Some(newest.min(time)),
                (newest, time) => newest.or(time),
            };
            FormerContent { content: former.content.clone(), time: newest }
        };
        self.former.iter().map(in_order).collect()
    }

    /// The same as [`contents`](Self::contents), each with its order: that of the file with this content, and never newer than a later content of the name.
    pub fn dated_contents(&self) -> impl Iterator<Item = (&ContentRef, FileTime)> {
        let mut newest = self.time;
        let former = self.former.iter().map(move |former| {
            newest = newest.min(former.time.unwrap_or(newest));
            (&former.content, newest)
        });
        std::iter::once((&self.content, self.time)).chain(former)
    }
}
