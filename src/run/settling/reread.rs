//! Rejections that a pull closes because of what it knows about their files.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::landing::LandedPull;
use crate::model::connector::{Access, Connector};
use crate::model::pull::Certificate;
use crate::run::error::RunError;
use crate::run::settling::Settler;
use crate::run::settling::folder::KnownContents;

impl Settler<'_> {
    /// Ids of the open rejections of earlier pulls of files that the pull closes:
    ///
    /// * of a content that no name has any more, whether or not the row is still in the new one;
    /// * with a key that the pull read in a file that is no older;
    /// * without a readable key, if the pull read its content again.
    ///
    /// Rows that are still bad are rejected anew under this run.
    pub(super) async fn rejections_of_files(
        &self,
        connector: &Connector,
        certificate: &Certificate,
        known: &KnownContents,
    ) -> Result<Vec<i64>, RunError> {
        if !matches!(connector.file.access, Access::Files { .. }) {
            return Ok(Vec::new());
        }
        let read: BTreeSet<&str> = certificate.pages.iter().map(|page| page.body_digest.as_str()).collect();
        let mut certificates: BTreeMap<i64, Option<Certificate>> = BTreeMap::new();
        let mut found = Vec::new();
        for open in self.ledger.open_before(&connector.name, certificate.run).await? {
            let earlier = match certificates.entry(open.run) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown
                    .insert(LandedPull::new(self.data, &connector.name, open.run).certificate().unwrap_or_default()),
            };
            let mut pages = earlier.iter().flat_map(|certificate| &certificate.pages);
            // `None` if the certificate cannot be read.
            let content = pages.find(|page| page.number == open.page).map(|page| page.body_digest.as_str());
            let is_read = match open.key {
                Some(key) => known.reads_newer(key, content),
                None => content.is_some_and(|content| read.contains(content)),
            };
            if is_read || content.is_some_and(|content| known.is_outdated(content)) {
                found.push(open.id);
            }
        }
        Ok(found)
    }
}

/// Pages of a pull with a content that no name has: what they reject is closed at once.
pub(super) fn outdated_pages(certificate: &Certificate, known: &KnownContents) -> Vec<u32> {
    // A content that was not read to its end is noted.
    let is_noted = |digest: &str| certificate.files.iter().any(|note| note.digest == digest);
    let outdated = certificate.pages.iter().filter(|page| known.is_outdated(&page.body_digest));
    outdated.filter(|page| !is_noted(&page.body_digest)).map(|page| page.number).collect()
}
