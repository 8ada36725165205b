//! Which contents of a folder may still decide what counts: former ones of appended lists, and those whose place in the
//! order of files changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::connector::{Connector, Content};
use crate::model::folder::{ContentRef, FormerContent, KnownFile};
use crate::run::error::RunError;
use crate::run::settling::Settler;
use crate::run::settling::folder::FolderPull;
use crate::run::settling::folder::content_keys::ContentKeys;

impl Settler<'_> {
    /// Former contents of an appended file with a row that may still count. A row is forgotten only if a later content of
    /// the name has its key with a change time that is not earlier: a change that was known stays known, so that an older one
    /// in another file does not replace it.
    pub(super) async fn needed_former(
        &self,
        connector: &Connector,
        folder: &mut FolderPull,
        file: &KnownFile,
    ) -> Result<Vec<FormerContent>, RunError> {
        let present = self.keys_of(connector, folder, &file.content).await?;
        let mut newer: Vec<Arc<ContentKeys>> = present.into_iter().collect();
        let mut needed = Vec::new();
        for former in file.former_in_order() {
            let keys = self.keys_of(connector, folder, &former.content).await?;
            let is_covered = keys.as_ref().is_some_and(|keys| keys.is_covered_by(&newer));
            if !is_covered && !folder.is_held_elsewhere(&file.name, &former) {
                needed.push(former);
            }
            newer.extend(keys);
        }
        Ok(needed)
    }
}

impl FolderPull {
    /// Files with former contents about whose rows the pull decides. Of appended lists nothing is left undecided: those of
    /// names that changed, or whose former content another name has got.
    pub(super) fn undecided_files(&self) -> Vec<KnownFile> {
        let has_changed = |file: &KnownFile| self.before.get(&file.name) != Some(file);
        let changed = self.after.values().filter(|file| has_changed(file));
        let new: BTreeSet<&str> = changed.map(|file| file.content.digest.as_str()).collect();
        let is_held = |former: &FormerContent| new.contains(former.content.digest.as_str());
        let is_open =
            |file: &KnownFile| self.content != Content::Append || has_changed(file) || file.former.iter().any(is_held);
        self.after.values().filter(|file| !file.former.is_empty() && is_open(file)).cloned().collect()
    }

    /// Whether another name has the content whole, and at least as new: its rows count there.
    fn is_held_elsewhere(&self, name: &str, former: &FormerContent) -> bool {
        let is_other = |other: &&KnownFile| other.name != name && !self.unfinished.contains(&other.name);
        let mut others = self.after.values().filter(is_other);
        let is_as_new = |other: &KnownFile| former.time.is_some_and(|time| other.time >= time);
        others.any(|other| other.content.digest == former.content.digest && is_as_new(other))
    }

    /// Contents with keys whose precedence may have changed other than by the rows that the pull read: those of a name
    /// that is older now, and those that a name holds without having been read.
    pub(super) fn moved_contents(&self) -> Vec<ContentRef> {
        let mut moved = BTreeSet::new();
        for (name, before) in &self.before {
            let after = self.after.get(name);
            let is_same = after.is_some_and(|after| after.content.digest == before.content.digest);
            let is_older = after.is_none_or(|after| after.time < before.time);
            if (is_same && self.imported.contains(name)) || !(is_older || (self.is_ordered && !is_same)) {
                continue;
            }
            moved.extend(before.contents().cloned());
        }
        let unread = self.after.values().filter(|file| !self.is_read(&file.content));
        for file in unread.filter(|file| !self.imported.contains(&file.name)) {
            let known = self.before.get(&file.name);
            if known.is_none_or(|known| known.content != file.content || known.time != file.time) {
                // An older content of the name is never newer than the present one, which may be newer than it was.
                let contents = file.contents().take(if self.content == Content::Append { usize::MAX } else { 1 });
                moved.extend(contents.cloned());
            }
        }
        moved.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::model::folder::FileTime;
    use crate::run::settling::folder::content_keys::{ContentKeys, Rank, UNTIMED};
    use crate::run::settling::folder::row_order::BestRow;

    const RANKS: [Rank; 4] = [UNTIMED, 1, 2, 3];

    /// Rank and time of the row that counts. Times are those of files, from 1.
    fn counting(rows: impl IntoIterator<Item = (Rank, i64)>) -> Option<(Rank, FileTime)> {
        let mut best = BestRow::default();
        for (rank, file) in rows {
            best.note(rank, FileTime { ordered_at: file, modified_at: 0 }, ());
        }
        best.counting().map(|(rank, time, ..)| (rank, time))
    }

    /// A former row at 2 and a later one of the same name at 4, beside two rows of other files before, between and behind.
    #[test]
    fn a_former_row_is_covered_exactly_if_it_can_decide_nothing() {
        // Their changes may also be earlier and later than those of the two.
        let ranks = RANKS.into_iter().chain([0, 4]);
        let others: Vec<(Rank, i64)> = ranks.flat_map(|rank| [1, 3, 5].map(|file| (rank, file))).collect();
        for (former, later) in RANKS.iter().flat_map(|former| RANKS.map(|later| (*former, later))) {
            let decides = others.iter().flat_map(|one| others.iter().map(move |two| [*one, *two])).any(|others| {
                let without = others.into_iter().chain([(later, 4)]);
                counting(without.clone()) != counting(without.chain([(former, 2)]))
            });
            let [former_keys, later_keys] = [former, later].map(|rank| Arc::new(ContentKeys::new(vec![(7, rank)], 0)));
            assert_eq!(former_keys.is_covered_by(&[later_keys]), !decides, "{former} before {later}");
        }
    }
}
