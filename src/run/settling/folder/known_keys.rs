//! Keys of contents: collected by a pull or stored by an earlier one, and what the ledger stores of them after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::connector::{Connector, Content, FieldMap, OneOrMany};
use crate::model::folder::{ContentRef, FormerContent, KnownFile, NoteKind};
use crate::model::pull::Certificate;
use crate::model::table::CHANGE_TIME;
use crate::run::error::RunError;
use crate::run::ledger::{NewKeys, StoredKeys, key_hash};
use crate::run::settling::Settler;
use crate::run::settling::folder::content_keys::ContentKeys;
use crate::run::settling::folder::{FolderOutcome, FolderPull};

impl Settler<'_> {
    /// Keys of a content as the ledger has them; `None` if it has none that can be read. Without their change times if these
    /// were read otherwise than now.
    pub(super) async fn known_keys(
        &self,
        connector: &Connector,
        folder: &FolderPull,
        content: &ContentRef,
    ) -> Result<Option<Arc<ContentKeys>>, RunError> {
        Ok(self.ledger_keys(connector, folder, content).await?.map(|(keys, _)| keys))
    }

    /// The same, and whether their change times were read as they are now.
    pub(super) async fn ledger_keys(
        &self,
        connector: &Connector,
        folder: &FolderPull,
        content: &ContentRef,
    ) -> Result<Option<(Arc<ContentKeys>, bool)>, RunError> {
        let stored = self.ledger.keys_of_content(&connector.name, content, folder.counted_before).await?;
        Ok(stored.and_then(|StoredKeys { bytes, change_times }| {
            let keys = ContentKeys::from_bytes(&bytes)?;
            let is_read_so = change_times.is_none_or(|read| read == reading_of_change_times(connector));
            Some((Arc::new(if is_read_so { keys } else { keys.without_change_times() }), is_read_so))
        }))
    }

    /// Number of keys in contents that were delivered again: under the same name with a newer time, or as a whole list. Their rows
    /// are stored already and are not read.
    pub(in crate::run::settling) async fn redelivered_keys(
        &self,
        connector: &Connector,
        folder: &FolderPull,
        certificate: &Certificate,
    ) -> Result<u64, RunError> {
        let mut keys = 0;
        for note in certificate.files.iter().filter(|note| note.kind == NoteKind::Holds && note.landed_by.is_some()) {
            let same_name = folder.before.get(&note.name).filter(|before| before.content.digest == note.digest);
            let Some(file) = folder.after.get(&note.name) else { continue };
            if (same_name.is_some() || folder.content == Content::Whole)
                && let Some(known) = self.known_keys(connector, folder, &file.content).await?
            {
                keys += known.iter().count() as u64;
            }
        }
        Ok(keys)
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
                let content = before.content.clone();
                read_again.push((name.clone(), FormerContent { content, time: Some(before.time) }));
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

    /// Whether the keys of a content are those of the ledger without their change times, and nothing is added to them. They are
    /// not stored so: with the declaration as it was, the change times count again.
    async fn are_only_untimed(
        &self,
        connector: &Connector,
        folder: &FolderPull,
        content: &ContentRef,
    ) -> Result<bool, RunError> {
        let has_more = folder.computed.contains_key(content) || folder.collected.contains_key(&content.digest);
        if folder.is_read(content) || (has_more && !folder.is_read_again(content)) {
            return Ok(false);
        }
        Ok(matches!(self.ledger_keys(connector, folder, content).await?, Some((_, false))))
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
        let changed = folder.after.values().filter(is_changed);
        let known: BTreeSet<String> = outcome.changes.holds.iter().map(|file| file.name.clone()).collect();
        let changed: Vec<KnownFile> = changed.filter(|file| !known.contains(&file.name)).cloned().collect();
        outcome.changes.holds.extend(changed);
        outcome.changes.counted_before = folder.counted_before;
        outcome.changes.change_times = reading_of_change_times(connector);
        let gone = folder.before.keys().filter(|name| !folder.after.contains_key(*name));
        outcome.changes.forgotten = gone.cloned().collect();
        let mut written = BTreeSet::new();
        let files: Vec<KnownFile> = folder.after.values().cloned().collect();
        for content in files.iter().flat_map(KnownFile::contents) {
            let is_new = folder.collected.contains_key(&content.digest) || folder.computed.contains_key(content);
            if (is_new || folder.imported_content(content))
                && written.insert(content.clone())
                && !self.are_only_untimed(connector, folder, content).await?
                && let Some(keys) = self.keys_of(connector, folder, content).await?
            {
                // Where rows are merged, those of other files are looked up by their keys.
                let is_looked_up = connector.file.has_partial_records();
                let hashes = is_looked_up.then(|| keys.iter().map(|(hash, _)| hash).collect());
                outcome.changes.keys.push(NewKeys { content: content.clone(), bytes: keys.to_bytes(), hashes });
            }
        }
        Ok(())
    }
}

/// Number made of the declaration by which change times are read. Ranks of two numbers have no order among them.
pub(in crate::run::settling) fn reading_of_change_times(connector: &Connector) -> i64 {
    let columns = connector.file.maps().map(|(_, columns)| columns.get(CHANGE_TIME).map(reading_of));
    let text = serde_json::to_string(&columns.collect::<Vec<_>>()).expect("a definition is plain data");
    key_hash(&text).cast_signed()
}

/// The part of a map that decides which moment a text is, written in one way.
fn reading_of(map: &FieldMap) -> FieldMap {
    FieldMap {
        from: OneOrMany::Many(map.from.as_slice().to_vec()),
        // Whether a row without a moment is rejected.
        required: false,
        ill_typed: None,
        // Of other types.
        codes: BTreeMap::new(),
        lookup: None,
        grouping: None,
        decimals: None,
        ..map.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_the_reading_is_another_reading() {
        let reading = |text: &str| {
            let map: FieldMap = toml::from_str(&format!("type = 'instant'\n{text}")).expect("a map");
            reading_of(&map)
        };
        let known = reading("from = 'a'\nformats = ['dd/MM/yyyy']");
        for (text, is_same) in [
            ("from = ['a']\nformats = ['dd/MM/yyyy']", true),
            ("from = 'a'\nformats = ['dd/MM/yyyy']\nrequired = true\nill_typed = 'report'", true),
            ("from = 'b'\nformats = ['dd/MM/yyyy']", false),
            ("from = ['a', 'b']\nformats = ['dd/MM/yyyy']", false),
            ("from = 'a'\nformats = ['MM/dd/yyyy']", false),
            ("from = 'a'\nformats = ['dd/MM/yyyy']\nzone = 'UTC'", false),
            ("from = 'a'\nformats = ['dd/MM/yyyy']\nnull_values = ['2026-01-01']", false),
        ] {
            assert_eq!(reading(text) == known, is_same, "{text}");
        }
    }
}
