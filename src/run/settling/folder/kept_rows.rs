//! Rows of contents that earlier pulls landed: their keys, and the records that count again.

use std::collections::HashMap;
use std::sync::Arc;

use crate::canonical::{Mapper, complete_change_time, part_of};
use crate::fields::Readers;
use crate::landing::{LandedPull, LandingError};
use crate::model::connector::{Connector, Content};
use crate::model::folder::ContentRef;
use crate::model::page::Page;
use crate::model::record::{Record, Value};
use crate::model::table::{CHANGE_TIME, RecordKind};
use crate::run::error::RunError;
use crate::run::ledger::key_hash;
use crate::run::settling::Settler;
use crate::run::settling::folder::FolderPull;
use crate::run::settling::folder::content_keys::{ContentKeys, REJECTED, Rank};
use crate::run::settling::own_rejections::own_hash;

impl Settler<'_> {
    /// Keys of a content that an earlier pull landed: from the ledger, or from its landed pages if the ledger has none that
    /// can be read, or has them with change times that were read otherwise than now. Without landed pages such keys have no
    /// change times as long as these are read otherwise: newer files count. `None` if neither has them and rows are only added.
    ///
    /// # Errors
    /// If neither has them: without them an older row could count as the newest.
    pub(super) async fn stored_keys(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        content: &ContentRef,
    ) -> Result<Option<Arc<ContentKeys>>, RunError> {
        if let Some(known) = folder.computed.get(content).or_else(|| folder.untimed.get(content)) {
            return Ok(Some(Arc::clone(known)));
        }
        let known = match self.ledger_keys(connector, folder, content).await? {
            Some((keys, true)) => return Ok(Some(keys)),
            known => known,
        };
        let Some((pages, landed_at)) = self.kept_pages(connector, content) else {
            if let Some((keys, _)) = known {
                folder.untimed.insert(content.clone(), Arc::clone(&keys));
                return Ok(Some(keys));
            }
            return if folder.content == Content::Append { Ok(None) } else { Err(self.lost_keys(connector, content)) };
        };
        let mapper = mapper_of(connector, landed_at);
        let (mut entries, mut unreadable) = (Vec::new(), 0);
        for mapped in pages.iter().flat_map(|page| mapper.map_page(page)) {
            match mapped {
                Ok(record) => {
                    let hash = key_hash(key_of(&record, connector));
                    entries.push(folder.entry_of(hash, &record, connector));
                }
                Err(rejection) => match own_hash(&rejection) {
                    Some(hash) => entries.push((hash, REJECTED)),
                    None => unreadable += 1,
                },
            }
        }
        let keys = Arc::new(ContentKeys::new(entries, unreadable));
        folder.computed.insert(content.clone(), Arc::clone(&keys));
        Ok(Some(keys))
    }

    fn lost_keys(&self, connector: &Connector, content: &ContentRef) -> RunError {
        let path = LandedPull::new(self.data, &connector.name, content.landed_by).folder().to_owned();
        let what =
            "neither it nor the ledger has the rows of a file that still count: restore one of the two from a backup";
        LandingError::Damaged { path, what: what.to_owned() }.into()
    }

    /// The records of a content that count again and differ from what is stored, each with its part. `wanted`: rank of
    /// the row by the hash of its key. `None` if the landed pages cannot be read.
    pub(super) async fn restored(
        &self,
        connector: &Connector,
        folder: &FolderPull,
        content: &ContentRef,
        mut wanted: HashMap<u64, Rank>,
    ) -> Result<Option<Vec<(Record, String)>>, RunError> {
        if wanted.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let Some((pages, landed_at)) = self.kept_pages(connector, content) else { return Ok(None) };
        let mapper = mapper_of(connector, landed_at);
        let mut found = Vec::new();
        // Of two rows with one key the later one counts.
        for record in pages.iter().rev().flat_map(|page| mapper.map_page(page).into_iter().rev()).flatten() {
            let hash = key_hash(key_of(&record, connector));
            if wanted.get(&hash) == Some(&folder.rank_of(&record, connector)) {
                wanted.remove(&hash);
                found.push(record);
            }
        }
        let kind = connector.file.connector.kind;
        let keys: Vec<String> = found.iter().map(|record| key_of(record, connector).to_owned()).collect();
        let stored = self.lake.newest_versions(kind, &connector.name, &keys).await?;
        let mut restored = Vec::new();
        for (mut record, key) in found.into_iter().zip(&keys) {
            let stored = stored.get(key);
            let stored_time = stored.and_then(|stored| stored.source_updated_at);
            complete_change_time(kind, &mut record, stored_time);
            if stored.is_some_and(|stored| stored.digest == record.digest) {
                continue;
            }
            let part = stored.map_or_else(|| part_of(kind, &record, folder.started_at), |stored| stored.part.clone());
            (record.page, record.row) = (0, 0);
            raise(kind, &mut record, stored_time);
            restored.push((record, part));
        }
        Ok(Some(restored))
    }

    /// The landed pages of a content in their order, and when they were landed; `None` if one of them cannot be read.
    fn kept_pages(&self, connector: &Connector, content: &ContentRef) -> Option<(Vec<Page>, i64)> {
        let landed = LandedPull::new(self.data, &connector.name, content.landed_by);
        let read = || -> Result<Option<(Vec<Page>, i64)>, LandingError> {
            let Some(certificate) = landed.certificate()? else { return Ok(None) };
            let pages = certificate.pages.iter();
            let pages = pages.filter(|page| page.body_digest == content.digest && !page.is_partial());
            let pages = pages.map(|page| landed.read(page)).collect::<Result<Vec<_>, _>>()?;
            Ok((!pages.is_empty()).then_some((pages, certificate.finished_at)))
        };
        read().unwrap_or_else(|error| {
            tracing::warn!(connector = connector.name, run = content.landed_by, "kept rows of a file: {error}");
            None
        })
    }
}

impl FolderPull {
    fn rank_of(&self, record: &Record, connector: &Connector) -> Rank {
        self.rank(stated_change_time(connector.file.connector.kind, record))
    }
}

/// The change time that a record states.
pub(in crate::run::settling) fn stated_change_time(kind: RecordKind, record: &Record) -> Option<i64> {
    record.values[change_time(kind)].as_instant()
}

/// Raises the change time of a record that counts although a newer one is stored: a table takes the version with the
/// newest change time.
pub(in crate::run::settling) fn raise(kind: RecordKind, record: &mut Record, stored: Option<i64>) {
    let value = &mut record.values[change_time(kind)];
    if let (Some(own), Some(stored)) = (value.as_instant(), stored) {
        *value = Value::Instant(own.max(stored));
    }
}

fn change_time(kind: RecordKind) -> usize {
    kind.column_index(CHANGE_TIME).expect("every table has the column")
}

/// `landed_at`: a change time that was in the future then is none now either, as when its row was classified.
fn mapper_of(connector: &Connector, landed_at: i64) -> Mapper {
    let readers = Readers::of(connector);
    Mapper::new(connector, &readers, landed_at)
}

fn key_of<'r>(record: &'r Record, connector: &Connector) -> &'r str {
    let key = connector.file.connector.kind.column_index("source_key").expect("every table has the column");
    record.values[key].as_text().unwrap_or_default()
}
