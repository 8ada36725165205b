//! The plain model of a folder: what the table must hold after each night, by each meaning of `access.content`.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::connector::Content;
use crate::run::settling::deletions::are_too_many;
use crate::run::settling::folder::property_tests::{File, REJECTED, Rows, STATUSES, day_of, status_of};

/// What the model knows about a file name after a night.
#[derive(Debug, Clone)]
struct Known {
    rows: Rows,
    time: u64,
    /// Keys that the name had, that it no longer has, and that were left.
    left: BTreeSet<u64>,
    /// Keys of the content whose rows were decided last.
    settled: BTreeSet<u64>,
}

/// The plain model: what the table must hold.
#[derive(Debug, Default)]
pub(super) struct Model {
    names: BTreeMap<String, Known>,
    /// For whole lists.
    table: Rows,
    newest: Option<(String, u64)>,
    /// Keys of the whole list whose rows were decided last.
    settled: BTreeSet<u64>,
    /// For lists, after the night before: key → the statuses that its row may have.
    stored: BTreeMap<u64, Vec<usize>>,
}

impl Model {
    pub(super) fn night(&mut self, content: Content, folder: &BTreeMap<String, File>) {
        match content {
            Content::Whole => self.whole_night(folder),
            Content::Lists | Content::Append => {
                self.lists_night(content, folder);
                self.stored = self.keys().into_iter().filter_map(|key| Some((key, self.of_key(key)?))).collect();
            }
        }
    }

    fn whole_night(&mut self, folder: &BTreeMap<String, File>) {
        let Some((name, file)) = folder.iter().max_by_key(|(_, file)| file.time) else { return };
        // A whole list that left the folder still is the newest.
        if self.newest.as_ref().is_some_and(|(known, time)| !folder.contains_key(known) && *time > file.time) {
            return;
        }
        self.newest = Some((name.clone(), file.time));
        let missing = self.settled.iter().filter(|key| !file.rows.contains_key(key)).count();
        if !are_too_many(missing, self.settled.len()) {
            self.settled = file.rows.keys().copied().collect();
            self.table.clear();
        }
        self.table.extend(file.rows.iter().map(|(key, cause)| (*key, *cause)));
    }

    fn lists_night(&mut self, content: Content, folder: &BTreeMap<String, File>) {
        let held: BTreeSet<u64> = self.keys();
        let settled: BTreeSet<u64> = self.names.values().flat_map(|known| known.settled.clone()).collect();
        let mut lost: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for (name, file) in folder {
            let known = self.names.entry(name.clone()).or_insert_with(|| Known {
                rows: Rows::new(),
                time: 0,
                left: BTreeSet::new(),
                settled: BTreeSet::new(),
            });
            let former: BTreeSet<u64> = known.rows.keys().chain(&known.left).copied().collect();
            let gone: BTreeSet<u64> = former.iter().copied().filter(|key| !file.rows.contains_key(key)).collect();
            let shared = known.settled.iter().filter(|key| file.rows.contains_key(key)).count();
            let is_other_list = shared * 2 < known.settled.len();
            known.left.clear();
            if content == Content::Append || is_other_list {
                known.left = gone;
            } else {
                lost.insert(name.clone(), gone);
            }
            (known.rows, known.time) = (file.rows.clone(), file.time);
        }
        self.names.retain(|name, known| {
            let is_elsewhere = folder.values().any(|file| file.rows == known.rows);
            folder.contains_key(name) || !known.left.is_empty() || !is_elsewhere
        });
        let after = self.keys();
        let deleted = held.difference(&after).filter(|key| settled.contains(key)).count();
        if are_too_many(deleted, settled.len()) {
            for (name, gone) in lost {
                self.names.get_mut(&name).expect("a file of the folder").left.extend(gone);
            }
        }
        for known in self.names.values_mut().filter(|known| known.left.is_empty()) {
            known.settled = known.rows.keys().copied().collect();
        }
    }

    fn keys(&self) -> BTreeSet<u64> {
        self.names.values().flat_map(|known| known.rows.keys().chain(&known.left)).copied().collect()
    }

    /// Key → the statuses that its row may have; several only where a row was left.
    pub(super) fn allowed(&self, content: Content) -> BTreeMap<u64, Vec<usize>> {
        if content == Content::Whole {
            return self.table.iter().map(|(key, cause)| (*key, vec![*cause])).collect();
        }
        self.stored.clone()
    }

    /// The statuses that the row of a key may have; `None` if the table has none.
    fn of_key(&self, key: u64) -> Option<Vec<usize>> {
        let stored = self.stored.get(&key);
        let mut having: Vec<(u64, usize)> =
            self.names.values().filter_map(|known| Some((known.time, *known.rows.get(&key)?))).collect();
        having.sort_unstable();
        let is_left = self.names.values().any(|known| known.left.contains(&key));
        if is_left && (stored.is_some() || having.iter().any(|(_, value)| *value != REJECTED)) {
            return Some((0..STATUSES.len()).collect());
        }
        let (mut counting, mut changed) = (None, None);
        // One file after the other: a row counts unless a change that is later is known. A rejected row has no values,
        // and those of older files are older than the stored ones.
        for (_, value) in having {
            let day = day_of(value);
            if value == REJECTED {
                counting = stored.cloned().or(counting);
            } else if day.is_none() || day >= changed {
                counting = Some(vec![status_of(value)]);
                changed = changed.max(day);
            }
        }
        counting
    }

    pub(super) fn has_left(&self) -> bool {
        self.names.values().any(|known| !known.left.is_empty())
    }
}
