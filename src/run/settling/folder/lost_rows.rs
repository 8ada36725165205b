//! Rows that files no longer have: they get the values of another file, are deleted, or are left and reported.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::model::connector::{Connector, Content};
use crate::model::folder::{ContentRef, FileEnd, FileTime, FormerContent, KnownFile};
use crate::model::pull::{LeftBecause, RowsLeft};
use crate::run::error::RunError;
use crate::run::ledger::key_hash;
use crate::run::settling::Settler;
use crate::run::settling::folder::content_keys::{ContentKeys, REJECTED, Rank};
use crate::run::settling::folder::row_order::BestRow;
use crate::run::settling::folder::{FolderOutcome, FolderPull, newest};

/// Rows that one file no longer has.
struct Loss {
    name: String,
    lost: Vec<u64>,
    /// Why they are left as they are; `None` if they are deleted or restored.
    because: Option<LeftBecause>,
    /// Former contents that stay known, if not all or none of them.
    keeps: Option<Vec<FormerContent>>,
}

/// Best row of each key among the rows of all files.
#[derive(Default)]
struct BestRows {
    rows: HashMap<u64, BestRow<ContentRef>>,
    /// Keys that a file has, if only in a rejected row.
    present: HashSet<u64>,
    /// Newest file that has the key only in a rejected row, by key.
    rejected: HashMap<u64, FileTime>,
}

impl BestRows {
    /// The row of a key that counts, and the content that has it.
    fn counting(&self, hash: u64) -> Option<(Rank, &ContentRef)> {
        self.rows.get(&hash)?.counting().map(|(rank, _, content)| (rank, content))
    }

    /// Whether a newer file than that of the row that counts has the key only in a rejected row: what is stored stays.
    fn is_held_back(&self, hash: u64) -> bool {
        let counting = self.rows.get(&hash).and_then(BestRow::counting);
        counting.is_some_and(|(_, time, _)| self.rejected.get(&hash).is_some_and(|rejected| *rejected > time))
    }
}

impl Settler<'_> {
    /// Decides about the rows that files no longer have.
    pub(in crate::run::settling) async fn folder_outcome(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
    ) -> Result<FolderOutcome, RunError> {
        folder.collect_keys();
        self.note_other_keys(connector, folder).await?;
        let mut outcome = FolderOutcome::default();
        match folder.content {
            Content::Whole => self.whole_outcome(connector, folder, &mut outcome).await?,
            Content::Lists | Content::Append => self.lists_outcome(connector, folder, &mut outcome).await?,
        }
        self.add_changes(connector, folder, &mut outcome).await?;
        outcome.accepted = folder.limit.used().cloned();
        outcome.refused = std::mem::take(&mut folder.limit).into_refused();
        Ok(outcome)
    }

    /// Rows of the table that the newest whole list does not have. Decided when the list is new, and again while they
    /// are left.
    async fn whole_outcome(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        outcome: &mut FolderOutcome,
    ) -> Result<(), RunError> {
        let Some(list) = newest(&folder.after).cloned() else { return Ok(()) };
        let is_same = newest(&folder.before).is_some_and(|known| known.content.digest == list.content.digest);
        let is_decided = is_same && list.former.is_empty();
        // A list that is read again was read under another declaration before, perhaps not as the whole list.
        let is_read_again = is_decided && folder.is_read(&list.content);
        if is_decided && !is_read_again {
            return Ok(());
        }
        let Some(keys) = self.keys_of(connector, folder, &list.content).await? else { return Ok(()) };
        let held = self.lake.held_keys(connector.file.connector.kind, &connector.name).await?;
        let settled = self.settled_of_whole(connector, folder, &held).await?;
        let missing: Vec<String> = held.into_iter().filter(|key| !keys.contains(key_hash(key))).collect();
        outcome.lost = missing.len() as u64;
        if let Some(file) = folder.after.get_mut(&list.name) {
            file.former.clear();
        }
        let is_perhaps_cut = self.best_end(connector, folder, &list).await? > Some(keys.end);
        outcome.if_held.push(list);
        let gone: HashSet<u64> = missing.iter().map(|key| key_hash(key)).collect();
        if !missing.is_empty() && keys.unreadable > 0 {
            outcome.hold(LeftBecause::UnreadableKeys);
        } else if !missing.is_empty() && is_perhaps_cut && !folder.limit.accepts(&gone) {
            outcome.hold(LeftBecause::OpenEnd);
        } else if folder.limit.refuses(&gone, |key| settled.contains(&key), settled.len()) {
            outcome.hold(LeftBecause::TooMany);
        } else {
            outcome.deleted = self.deleted_versions(connector, &missing).await?;
        }
        Ok(())
    }

    /// Keys of the table that no undecided list added: what the deletions of whole lists are measured against. Rows from
    /// before the declaration are among them.
    async fn settled_of_whole(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        held: &[String],
    ) -> Result<HashSet<u64>, RunError> {
        let mut settled = self.settled_keys(connector, folder, held).await?;
        let known: Vec<ContentRef> =
            newest(&folder.before).map(|file| file.contents().cloned().collect()).unwrap_or_default();
        let undecided = known.split_last().map_or(&[][..], |(_, undecided)| undecided);
        let mut added = HashSet::new();
        for content in undecided {
            if let Some(keys) = self.keys_of(connector, folder, content).await? {
                added.extend(keys.iter().map(|(hash, _)| hash));
            }
        }
        settled.extend(held.iter().map(|key| key_hash(key)).filter(|hash| !added.contains(hash)));
        Ok(settled)
    }

    /// The best end of the former contents of a file.
    async fn best_end(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        file: &KnownFile,
    ) -> Result<Option<FileEnd>, RunError> {
        let mut best = None;
        for FormerContent { content, .. } in &file.former {
            best = best.max(self.keys_of(connector, folder, content).await?.map(|keys| keys.end));
        }
        Ok(best)
    }

    /// Keys of the table (`held`) that the contents have whose rows were decided last: what deletions are measured against, so
    /// that a limit that held rows one night holds them the next. All of the table if there are no such contents.
    async fn settled_keys(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        held: &[String],
    ) -> Result<HashSet<u64>, RunError> {
        let files = match folder.content {
            Content::Whole => newest(&folder.before).cloned().into_iter().collect(),
            Content::Lists | Content::Append => folder.before.values().cloned().collect::<Vec<_>>(),
        };
        let mut held: HashSet<u64> = held.iter().map(|key| key_hash(key)).collect();
        if files.is_empty() {
            return Ok(held);
        }
        let mut settled = HashSet::new();
        for content in files.iter().filter_map(|file| file.contents().last()) {
            if let Some(keys) = self.keys_of(connector, folder, content).await? {
                settled.extend(keys.iter().map(|(hash, _)| hash));
            }
        }
        held.retain(|hash| settled.contains(hash));
        Ok(held)
    }

    async fn lists_outcome(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        outcome: &mut FolderOutcome,
    ) -> Result<(), RunError> {
        let losses = self.losses(connector, folder).await?;
        folder.settle_former(&losses, outcome);
        // Rows are only added, and each is merged by its moment: which file is newer decides nothing.
        if connector.file.has_partial_records() {
            return Ok(());
        }
        let doubtful = self.doubtful_keys(connector, folder, &losses).await?;
        if doubtful.is_empty() {
            return Ok(());
        }
        let before = self.best_rows(connector, folder, false, &doubtful).await?;
        let after = self.best_rows(connector, folder, true, &doubtful).await?;
        let is_lost: HashSet<u64> = losses.iter().flat_map(|loss| loss.lost.iter().copied()).collect();
        let (mut gone, mut unchanged) = (HashSet::new(), HashSet::new());
        let mut again = BTreeMap::<ContentRef, HashMap<u64, Rank>>::new();
        for hash in &doubtful {
            match after.counting(*hash) {
                // What the pull read is classified already.
                Some((_, content)) if folder.is_read(content) || after.is_held_back(*hash) => {}
                Some((rank, content)) => {
                    let is_same = before.counting(*hash).is_some_and(|(_, known)| known == content);
                    outcome.lost += u64::from(!is_same && is_lost.contains(hash));
                    // Another row may have been in the table than the order of files says: it was rejected since, or
                    // another file has the same order.
                    let was_held_back = before.is_held_back(*hash);
                    unchanged.extend((is_same && !was_held_back).then_some(*hash));
                    if !is_same || was_held_back || is_lost.contains(hash) {
                        again.entry(content.clone()).or_default().insert(*hash, rank);
                    }
                }
                None if after.present.contains(hash) => {}
                None => {
                    gone.insert(*hash);
                }
            }
        }
        for (content, wanted) in again {
            let (lost, moved): (HashMap<_, _>, _) = wanted.into_iter().partition(|(hash, _)| is_lost.contains(hash));
            // Rows of other files most likely are as stored: without their landed pages they stay so.
            let is_needed = lost.keys().any(|hash| !unchanged.contains(hash))
                || moved.keys().any(|hash| before.is_held_back(*hash));
            let restored = self.restored(connector, folder, &content, lost).await?;
            let reordered = self.restored(connector, folder, &content, moved).await?;
            outcome.is_landing_lost |= is_needed && restored.is_none();
            outcome.restored.extend(restored.unwrap_or_default());
            outcome.reordered.extend(reordered.unwrap_or_default());
        }
        self.delete(connector, folder, &gone, outcome).await?;
        if outcome.is_landing_lost {
            outcome.hold(LeftBecause::LandingLost);
        }
        Ok(())
    }

    /// Adds the deleted versions of the keys that no file has any more, unless they are too many.
    async fn delete(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        gone: &HashSet<u64>,
        outcome: &mut FolderOutcome,
    ) -> Result<(), RunError> {
        if gone.is_empty() {
            return Ok(());
        }
        let held = self.lake.held_keys(connector.file.connector.kind, &connector.name).await?;
        let settled = self.settled_keys(connector, folder, &held).await?;
        // Rows that were only ever rejected are in no table.
        let missing: Vec<String> = held.into_iter().filter(|key| gone.contains(&key_hash(key))).collect();
        let gone: HashSet<u64> = missing.iter().map(|key| key_hash(key)).collect();
        outcome.lost += missing.len() as u64;
        if folder.limit.refuses(&gone, |key| settled.contains(&key), settled.len()) {
            outcome.hold(LeftBecause::TooMany);
        } else {
            outcome.deleted = self.deleted_versions(connector, &missing).await?;
        }
        Ok(())
    }

    /// Rows that files no longer have, by file name.
    async fn losses(&self, connector: &Connector, folder: &mut FolderPull) -> Result<Vec<Loss>, RunError> {
        let has_unreadable = folder.contents.iter().any(|content| content.unreadable > 0);
        let mut losses = Vec::new();
        for file in folder.undecided_files() {
            let Some(present) = self.keys_of(connector, folder, &file.content).await? else { continue };
            let (mut former, mut best_end) = (HashSet::new(), None);
            for FormerContent { content, .. } in &file.former {
                if let Some(keys) = self.keys_of(connector, folder, content).await? {
                    best_end = best_end.max(Some(keys.end));
                    former.extend(keys.iter().map(|(hash, _)| hash));
                }
            }
            let lost: Vec<u64> = former.iter().copied().filter(|hash| !present.contains(*hash)).collect();
            // The content whose rows were decided last; later ones were left undecided.
            let settled = folder.before.get(&file.name).and_then(|before| before.contents().last().cloned());
            let settled = match settled.filter(|content| content.digest != file.content.digest) {
                Some(content) => self.keys_of(connector, folder, &content).await?,
                None => None,
            };
            let is_other_list = settled.is_some_and(|settled| {
                let shared = settled.iter().filter(|(hash, _)| present.contains(*hash)).count();
                shared * 2 < settled.iter().count()
            });
            let because = if lost.is_empty() || is_elsewhere(folder, &file) {
                None
            } else if folder.unfinished.contains(&file.name) {
                Some(LeftBecause::Incomplete)
            } else if folder.content == Content::Append {
                Some(LeftBecause::Append)
            } else if has_unreadable || present.unreadable > 0 {
                Some(LeftBecause::UnreadableKeys)
            } else if is_other_list {
                Some(LeftBecause::OtherList)
            } else if best_end > Some(present.end) {
                Some(LeftBecause::OpenEnd)
            } else {
                None
            };
            let keeps =
                if folder.keeps_every_row { Some(self.needed_former(connector, folder, &file).await?) } else { None };
            losses.push(Loss { name: file.name, lost, because, keeps });
        }
        let is_replaced =
            |loss: &&mut Loss| matches!(loss.because, Some(LeftBecause::OtherList | LeftBecause::OpenEnd));
        let replaced: HashSet<u64> =
            losses.iter_mut().filter(is_replaced).flat_map(|loss| loss.lost.iter().copied()).collect();
        if !replaced.is_empty() && folder.limit.accepts(&replaced) {
            losses.iter_mut().filter(is_replaced).for_each(|loss| loss.because = None);
        }
        Ok(losses)
    }

    /// Keys whose best row may have changed to one that the pull did not read.
    async fn doubtful_keys(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        losses: &[Loss],
    ) -> Result<HashSet<u64>, RunError> {
        let deleted = losses.iter().filter(|loss| loss.because.is_none());
        let mut doubtful: HashSet<u64> = deleted.flat_map(|loss| loss.lost.iter().copied()).collect();
        doubtful.extend(&folder.overtaken);
        for content in folder.moved_contents() {
            if let Some(keys) = self.keys_of(connector, folder, &content).await? {
                doubtful.extend(keys.iter().map(|(hash, _)| hash));
            }
        }
        Ok(doubtful)
    }

    async fn best_rows(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        is_after: bool,
        wanted: &HashSet<u64>,
    ) -> Result<BestRows, RunError> {
        let files: Vec<KnownFile> = if is_after { &folder.after } else { &folder.before }.values().cloned().collect();
        let mut best = BestRows::default();
        for file in &files {
            let mut newer = Vec::new();
            for (content, time) in file.dated_contents() {
                let Some(keys) = self.keys_of(connector, folder, content).await? else { continue };
                let present = keys.iter().filter(|(hash, _)| wanted.contains(hash));
                for (hash, rank) in present {
                    best.present.insert(hash);
                    let counts = *content == file.content || folder.content == Content::Append;
                    if counts && rank == REJECTED {
                        let newest = best.rejected.entry(hash).or_insert(time);
                        *newest = time.max(*newest);
                    }
                }
                for (hash, rank) in keys.counting(&newer).filter(|(hash, _)| wanted.contains(hash)) {
                    best.rows.entry(hash).or_default().note(rank, time, content.clone());
                }
                if !folder.keeps_every_row {
                    newer.push(keys);
                }
            }
        }
        Ok(best)
    }
}

/// Whether other names have the former contents of a file now: the files were renamed, or swapped their names.
fn is_elsewhere(folder: &FolderPull, file: &KnownFile) -> bool {
    let is_held = |former: &FormerContent| {
        folder.after.values().any(|other| other.name != file.name && other.content.digest == former.content.digest)
    };
    file.former.iter().all(is_held)
}

impl FolderPull {
    /// Makes the keys of every content of which the pull has rows.
    fn collect_keys(&mut self) {
        for content in &mut self.contents {
            let keys = ContentKeys::new(std::mem::take(&mut content.entries), content.unreadable);
            self.collected.insert(content.digest.clone(), Arc::new(keys.with_end(content.end)));
        }
    }

    /// Forgets the former contents whose rows are decided.
    fn settle_former(&mut self, losses: &[Loss], outcome: &mut FolderOutcome) {
        for loss in losses {
            let Some(file) = self.after.get_mut(&loss.name) else { continue };
            if let Some(because) = loss.because {
                let rows = loss.lost.len() as u64 + outcome.left.as_ref().map_or(0, |left| left.rows);
                outcome.left = Some(RowsLeft { rows, because, file: file.content.digest.clone() });
            } else if !loss.lost.is_empty() {
                outcome.if_held.push(file.clone());
            }
            if let Some(keeps) = &loss.keeps {
                file.former.clone_from(keeps);
            } else if loss.because.is_none() {
                file.former.clear();
            }
        }
    }
}
