//! Finds in landing which files a folder had: for a ledger that does not know of files yet, or that was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::landing::{LandedPull, LandingError, retention};
use crate::model::connector::{Access, Connector, Content, FileOrder};
use crate::model::folder::{ContentRef, KnownFile, NoteKind};
use crate::model::pull::{Certificate, Purpose, file_of};
use crate::sources::{FileDates, exact_name_digest};

/// The newest landed content of every file name of a connector.
pub(super) fn landed_files(data: &Path, connector: &str, order: &FileOrder) -> Result<Vec<KnownFile>, LandingError> {
    let dates = FileDates::compile(order).expect("config compiled the pattern");
    let (landed, _) = retention::landed(data)?;
    let mut files = BTreeMap::new();
    for pull in landed.iter().filter(|pull| pull.connector == connector) {
        // A pull without a readable certificate gives no files: those of the folder are read again.
        let certificate = LandedPull::new(data, connector, pull.run).certificate().unwrap_or_default();
        if let Some(certificate) = certificate.filter(|certificate| certificate.purpose == Purpose::Night) {
            apply(&certificate, &dates, &mut files);
        }
    }
    Ok(files.into_values().collect())
}

/// Contents that files of a connector hold and whose landed pages are gone. They are read again while the files are there:
/// a row of them may count again, if a newer file loses it. Of files that only add rows none ever does.
pub(super) fn without_pages(data: &Path, connector: &Connector, known: &[KnownFile]) -> BTreeSet<String> {
    if matches!(connector.file.access, Access::Files { content: Content::Append, .. }) {
        return BTreeSet::new();
    }
    let contents = known.iter().map(|file| &file.content);
    let lost = contents
        .filter(|content| !LandedPull::new(data, &connector.name, content.landed_by).has_pages_of(&content.digest));
    let lost: BTreeSet<String> = lost.map(|content| content.digest.clone()).collect();
    if !lost.is_empty() {
        tracing::warn!(
            connector = connector.name,
            files = lost.len(),
            "landed pages of files are gone: they are read again"
        );
    }
    lost
}

/// Applies what a pull found out about the files.
fn apply(certificate: &Certificate, dates: &FileDates, files: &mut BTreeMap<String, KnownFile>) {
    for note in &certificate.files {
        match note.kind {
            NoteKind::Forgotten => {
                files.remove(&note.name);
            }
            NoteKind::Holds | NoteKind::Unfinished | NoteKind::Imported => {
                files.insert(note.name.clone(), KnownFile::of_note(note, certificate.run));
            }
        }
    }
    if !certificate.files.is_empty() {
        return;
    }
    // An older version wrote the certificate: the pages name their files.
    for page in certificate.pages.iter().filter(|page| !page.is_partial()) {
        let name = file_of(&page.origin);
        let content = ContentRef { digest: page.body_digest.clone(), landed_by: certificate.run };
        // Title rows are not landed: such a file has no date.
        let time = FileDates::time(dates.date(name, None), certificate.started_at);
        let file = KnownFile { name: exact_name_digest(name), content, time, former: Vec::new() };
        files.insert(file.name.clone(), file);
    }
}
