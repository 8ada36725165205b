//! Rejections that a pull closes because of what it knows about their files.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::landing::LandedPull;
use crate::model::connector::{Access, Connector};
use crate::model::pull::Certificate;
use crate::run::error::RunError;
use crate::run::settling::Settler;

impl Settler<'_> {
    /// Ids of the open rejections of earlier pulls of files that no longer say anything about a source: those of a content
    /// that its name no longer has, whether or not the row is still in the new one; and those without a readable key
    /// whose content this pull has read again. Rows that are still bad are rejected anew under this run.
    ///
    /// `outdated`: digests of the contents that names no longer have since this pull.
    pub(super) async fn rejections_of_files(
        &self,
        connector: &Connector,
        certificate: &Certificate,
        outdated: &BTreeSet<&str>,
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
                // If the certificate cannot be read, its rejections stay open.
                Entry::Vacant(unknown) => unknown
                    .insert(LandedPull::new(self.data, &connector.name, open.run).certificate().unwrap_or_default()),
            };
            let mut pages = earlier.iter().flat_map(|certificate| &certificate.pages);
            let page = pages.find(|page| page.number == open.page);
            let is_closed = |content: &str| outdated.contains(content) || (!open.has_key && read.contains(content));
            if page.is_some_and(|page| is_closed(&page.body_digest)) {
                found.push(open.id);
            }
        }
        Ok(found)
    }
}
