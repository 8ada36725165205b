//! Keys of contents: collected by a pull or stored by an earlier one, and what the ledger stores of them after it.

use std::collections::{BTreeSet, HashMap};
use std::slice;
use std::sync::Arc;

use crate::model::connector::{Connector, Content};
use crate::model::folder::{ContentRef, KnownFile};
use crate::run::error::RunError;
use crate::run::settling::Settler;
use crate::run::settling::folder::content_keys::ContentKeys;
use crate::run::settling::folder::outcome::KnownContents;
use crate::run::settling::folder::{FolderOutcome, FolderPull, ReadContent, Validity};

impl Settler<'_> {
    /// Keys of a content as the ledger has them; `None` if it has none that can be read.
    pub(super) async fn known_keys(
        &self,
        connector: &Connector,
        folder: &FolderPull,
        content: &ContentRef,
    ) -> Result<Option<Arc<ContentKeys>>, RunError> {
        let stored = self.ledger.keys_of_content(&connector.name, content, folder.counted_before).await?;
        Ok(stored.and_then(|bytes| ContentKeys::from_bytes(&bytes)).map(Arc::new))
    }

    /// Adds to each file that was read again with the same content what it had before, if its rows had other keys: the
    /// declaration changed, and rows with the former keys are gone.
    pub(super) async fn note_other_keys(&self, connector: &Connector, folder: &mut FolderPull) -> Result<(), RunError> {
        let mut read_again = Vec::new();
        for (name, before) in &folder.before {
            let Some(now) = folder.after.get(name).map(|file| &file.content) else { continue };
            let Some(keys) = folder.collected.get(&now.digest) else { continue };
            if now.digest == before.content.digest
                && folder.is_read(now)
                && let Some(known) = self.known_keys(connector, folder, &before.content).await?
                && known.iter().any(|(hash, _)| !keys.contains(hash))
            {
                read_again.push((name.clone(), before.content.clone()));
            }
        }
        for (name, content) in read_again {
            folder.after.entry(name).and_modify(|file| file.former.insert(0, content));
        }
        Ok(())
    }

    /// Keys of any content: collected by this pull, or stored by an earlier one.
    pub(super) async fn keys_of(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        content: &ContentRef,
    ) -> Result<Option<Arc<ContentKeys>>, RunError> {
        let collected = folder.collected.get(&content.digest).cloned();
        if folder.is_read(content) {
            return Ok(collected);
        }
        if folder.is_read_again(content) {
            // Under another declaration the rows may have had other keys.
            return Ok(self.known_keys(connector, folder, content).await?.or(collected));
        }
        let stored = self.stored_keys(connector, folder, content).await?;
        Ok(match (stored, collected) {
            (Some(stored), Some(newer)) => Some(Arc::new(stored.amended(&newer))),
            (stored, _) => stored,
        })
    }

    /// What is stored about file names and keys.
    pub(super) async fn add_changes(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        outcome: &mut FolderOutcome,
    ) -> Result<(), RunError> {
        let is_changed =
            |file: &&KnownFile| folder.imported.contains(&file.name) || folder.before.get(&file.name) != Some(*file);
        outcome.known = folder.known_contents();
        let changed = folder.after.values().filter(is_changed);
        let known: BTreeSet<String> = outcome.changes.holds.iter().map(|file| file.name.clone()).collect();
        let changed: Vec<KnownFile> = changed.filter(|file| !known.contains(&file.name)).cloned().collect();
        outcome.changes.holds.extend(changed);
        outcome.changes.counted_before = folder.counted_before;
        let gone = folder.before.keys().filter(|name| !folder.after.contains_key(*name));
        outcome.changes.forgotten = gone.cloned().collect();
        let mut written = BTreeSet::new();
        let files: Vec<KnownFile> = folder.after.values().cloned().collect();
        for content in files.iter().flat_map(KnownFile::contents) {
            let is_new = folder.collected.contains_key(&content.digest) || folder.computed.contains_key(content);
            if (is_new || folder.imported_content(content))
                && written.insert(content.clone())
                && let Some(keys) = self.keys_of(connector, folder, content).await?
            {
                outcome.changes.keys.push((content.clone(), keys.to_bytes()));
            }
        }
        Ok(())
    }
}

impl FolderPull {
    fn known_contents(&self) -> KnownContents {
        let contents = || self.after.values().flat_map(|file| file.contents().map(|content| (content, file.time)));
        let mut times = HashMap::new();
        for (content, time) in contents() {
            let newest = times.entry(content.digest.clone()).or_insert(time);
            *newest = time.max(*newest);
        }
        let read = self
            .contents
            .iter()
            .filter_map(|content| Some((content.validity.time()?, Arc::clone(self.collected.get(&content.digest)?))));
        KnownContents { outdated: self.outdated(), times, read: read.collect() }
    }

    /// See [`KnownContents::outdated`].
    fn outdated(&self) -> BTreeSet<String> {
        if self.content == Content::Append {
            return BTreeSet::new();
        }
        let present = |file: &KnownFile| {
            // What was not read to its end does not replace the content before.
            let former = if self.unfinished.contains(&file.name) { &file.former[..] } else { &[] };
            [slice::from_ref(&file.content), former].concat()
        };
        let present: BTreeSet<String> = self.after.values().flat_map(present).map(|content| content.digest).collect();
        let before = self.before.values().flat_map(KnownFile::contents).map(|content| &content.digest);
        let is_outdated = |content: &&ReadContent| content.validity == Validity::Outdated;
        let read = self.contents.iter().filter(is_outdated).map(|content| &content.digest);
        before.chain(read).filter(|digest| !present.contains(*digest)).cloned().collect()
    }
}
