//! Rejections that a pull reads again because their file is read again.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::landing::LandedPull;
use crate::model::connector::{Access, Connector};
use crate::model::pull::Certificate;
use crate::run::error::RunError;
use crate::run::settling::Settler;

impl Settler<'_> {
    /// Ids of the open rejections without a readable key whose file this pull has read again. If their rows are still
    /// bad, they are rejected anew under this run.
    pub(super) async fn rejected_in_the_same_files(
        &self,
        connector: &Connector,
        certificate: &Certificate,
    ) -> Result<Vec<i64>, RunError> {
        if !matches!(connector.file.access, Access::Files { .. }) {
            return Ok(Vec::new());
        }
        let files: BTreeSet<&str> = certificate.pages.iter().map(|page| page.body_digest.as_str()).collect();
        let mut certificates: BTreeMap<i64, Option<Certificate>> = BTreeMap::new();
        let mut found = Vec::new();
        for (id, run, number) in self.ledger.open_without_key(&connector.name, certificate.run).await? {
            let earlier = match certificates.entry(run) {
                Entry::Occupied(known) => known.into_mut(),
                // If the certificate cannot be read, its rejections stay open.
                Entry::Vacant(unknown) => {
                    unknown.insert(LandedPull::new(self.data, &connector.name, run).certificate().unwrap_or_default())
                }
            };
            let mut pages = earlier.iter().flat_map(|certificate| &certificate.pages);
            if pages.any(|page| page.number == number && files.contains(page.body_digest.as_str())) {
                found.push(id);
            }
        }
        Ok(found)
    }
}
