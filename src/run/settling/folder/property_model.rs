//! The plain model of a folder: what the table must hold after each night, by each meaning of `access.content`.

use std::cmp::Reverse;
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
    /// Contents that the name had, whose rows are not decided, each with its time; the newest first.
    former: Vec<(u64, Rows)>,
    /// Keys of the content whose rows were decided last.
    settled: BTreeSet<u64>,
}

impl Known {
    /// The value of a key in the last content that has it, with the time of that content. No content is newer than one that the
    /// name had later.
    fn newest(&self, key: u64) -> Option<(u64, usize)> {
        let mut time = self.time;
        let former = self.former.iter().map(|(own, rows)| (*own, rows));
        for (own, rows) in std::iter::once((self.time, &self.rows)).chain(former) {
            time = time.min(own);
            if let Some(value) = rows.get(&key) {
                return Some((time, *value));
            }
        }
        None
    }

    /// Every value that a key ever had, from the present content to the oldest, each with its time as in
    /// [`newest`](Self::newest).
    fn all(&self, key: u64) -> Vec<(u64, usize)> {
        let mut time = self.time;
        let former = self.former.iter().map(|(own, rows)| (*own, rows));
        let dated = std::iter::once((self.time, &self.rows)).chain(former).map(|(own, rows)| {
            time = time.min(own);
            (time, rows)
        });
        dated.filter_map(|(time, rows)| Some((time, *rows.get(&key)?))).collect()
    }

    /// Gives former contents the time that no content of the name had later.
    fn cap_former(&mut self, newest: u64) {
        let mut time = newest;
        for (own, _) in &mut self.former {
            time = time.min(*own);
            *own = time;
        }
    }
}

/// Whether a row of a later content of the same name leaves nothing that an earlier one could decide.
fn covers(later: usize, earlier: usize) -> bool {
    day_of(later).is_some() == day_of(earlier).is_some() && day_of(later) >= day_of(earlier)
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
    /// Rows of the newest whole list.
    whole: Rows,
    /// Keys of the whole lists since then, whose rows are not decided.
    undecided: BTreeSet<u64>,
    /// For lists, after the night before: key → the statuses that its row may have.
    stored: BTreeMap<u64, Vec<usize>>,
    /// Rows may have a change time.
    is_timed: bool,
}

impl Model {
    pub(super) fn new(is_timed: bool) -> Self {
        Self { is_timed, ..Self::default() }
    }

    /// Whether each row that a name ever had counts by its time.
    fn keeps_every_row(&self, content: Content) -> bool {
        content == Content::Append && self.is_timed
    }

    pub(super) fn night(&mut self, content: Content, folder: &BTreeMap<String, File>) {
        match content {
            Content::Whole => self.whole_night(folder),
            Content::Lists | Content::Append => {
                self.lists_night(content, folder);
                self.stored =
                    self.keys().into_iter().filter_map(|key| Some((key, self.of_key(content, key)?))).collect();
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
        self.whole = file.rows.clone();
        let settled: Vec<&u64> = self.settled.iter().filter(|key| self.table.contains_key(key)).collect();
        let missing = settled.iter().filter(|key| !file.rows.contains_key(key)).count();
        if !are_too_many(missing, settled.len()) {
            self.settled = file.rows.keys().copied().collect();
            self.undecided.clear();
            self.table.retain(|key, _| file.rows.contains_key(key));
        }
        self.undecided.extend(file.rows.keys());
        // A rejected row leaves its dossier as it is.
        let valid = file.rows.iter().filter(|(_, value)| **value != REJECTED);
        self.table.extend(valid.map(|(key, cause)| (*key, *cause)));
    }

    fn lists_night(&mut self, content: Content, folder: &BTreeMap<String, File>) {
        let mut settled: BTreeSet<u64> = self.names.values().flat_map(|known| known.settled.clone()).collect();
        settled.retain(|key| self.stored.contains_key(key));
        let others: Vec<(&String, &Rows)> = self
            .names
            .iter()
            .filter(|(name, _)| !folder.contains_key(*name))
            .map(|(name, known)| (name, &known.rows))
            .collect();
        let present: Vec<(String, Rows)> = folder
            .iter()
            .map(|(name, file)| (name, &file.rows))
            .chain(others)
            .map(|(name, rows)| (name.clone(), rows.clone()))
            .collect();
        let mut lost: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for (name, file) in folder {
            let known = self.names.entry(name.clone()).or_insert_with(|| Known {
                rows: Rows::new(),
                time: 0,
                left: BTreeSet::new(),
                former: Vec::new(),
                settled: BTreeSet::new(),
            });
            let former: BTreeSet<u64> = known.rows.keys().chain(&known.left).copied().collect();
            let gone: BTreeSet<u64> = former.iter().copied().filter(|key| !file.rows.contains_key(key)).collect();
            let shared = known.settled.iter().filter(|key| file.rows.contains_key(key)).count();
            let is_other_list = shared * 2 < known.settled.len();
            // The name's former contents, of which every one is another name's now: nothing is lost.
            if known.rows != file.rows {
                known.cap_former(known.time);
            }
            known.former.retain(|(_, former)| *former != file.rows);
            if known.rows != file.rows && !known.rows.is_empty() {
                known.former.insert(0, (known.time, known.rows.clone()));
            }
            let is_held = |former: &Rows| present.iter().any(|(other, rows)| other != name && rows == former);
            let is_elsewhere = known.former.iter().all(|(_, former)| is_held(former));
            known.left.clear();
            if !is_elsewhere && (content == Content::Append || is_other_list) {
                known.left = gone;
            } else {
                lost.insert(name.clone(), gone);
            }
            (known.rows, known.time) = (file.rows.clone(), file.time);
        }
        let keeps_every_row = self.keeps_every_row(content);
        self.names.retain(|name, known| {
            let is_elsewhere = folder.values().any(|file| file.rows == known.rows);
            let has_left = !known.left.is_empty() || (keeps_every_row && !known.former.is_empty());
            folder.contains_key(name) || has_left || !is_elsewhere
        });
        if keeps_every_row {
            self.forget_covered();
            return;
        }
        let after = self.keys();
        let deleted = settled.difference(&after).count();
        if are_too_many(deleted, settled.len()) {
            for (name, gone) in lost {
                self.names.get_mut(&name).expect("a file of the folder").left.extend(gone);
            }
        }
        for known in self.names.values_mut().filter(|known| known.left.is_empty()) {
            known.settled = known.rows.keys().copied().collect();
            known.former.clear();
        }
    }

    /// Forgets the former contents of which no row can count any more, and those that another name has, at least as new.
    fn forget_covered(&mut self) {
        let held: Vec<(String, u64, Rows)> =
            self.names.iter().map(|(name, known)| (name.clone(), known.time, known.rows.clone())).collect();
        for (name, known) in &mut self.names {
            known.cap_former(u64::MAX);
            let mut later = vec![known.rows.clone()];
            for (time, rows) in std::mem::take(&mut known.former) {
                let is_covered = |key: &u64, value: usize| {
                    later.iter().filter_map(|rows| rows.get(key)).any(|other| covers(*other, value))
                };
                let is_elsewhere = held.iter().any(|(other, at, held)| other != name && *at >= time && *held == rows);
                if !is_elsewhere && rows.iter().any(|(key, value)| !is_covered(key, *value)) {
                    known.former.push((time, rows.clone()));
                }
                later.push(rows);
            }
            let former = known.former.iter().flat_map(|(_, rows)| rows.keys());
            known.left = former.copied().filter(|key| !known.rows.contains_key(key)).collect();
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
    fn of_key(&self, content: Content, key: u64) -> Option<Vec<usize>> {
        let stored = self.stored.get(&key);
        let is_every_row = self.keeps_every_row(content);
        let of_name = |known: &Known| {
            if is_every_row { known.all(key) } else { known.newest(key).into_iter().collect() }
        };
        // Of rows with one time the timed ones come last, and of those the one of the latest content.
        let mut having: Vec<(u64, bool, Reverse<usize>, usize, usize)> = Vec::new();
        for (name, known) in self.names.values().enumerate() {
            for (age, (time, value)) in of_name(known).into_iter().enumerate() {
                having.push((time, is_every_row && day_of(value).is_some(), Reverse(age), value, name));
            }
        }
        having.sort_unstable();
        let is_left = content == Content::Lists && self.names.values().any(|known| known.left.contains(&key));
        if is_left && (stored.is_some() || having.iter().any(|(.., value, _)| *value != REJECTED)) {
            return Some((0..STATUSES.len()).collect());
        }
        let (mut counting, mut changed, mut winner) = (None, None, None);
        // One file after the other: a row counts unless a change that is later is known. A rejected row has no values,
        // and those of older files are older than the stored ones.
        for (time, .., value, name) in having.iter().copied() {
            let day = day_of(value);
            if value == REJECTED {
                counting = stored.cloned().or(counting);
            } else if day.is_none() || day >= changed {
                counting = Some(vec![status_of(value)]);
                changed = changed.max(day);
                winner = Some((time, value, name));
            }
        }
        // Contents of two names get one time if both make way for one older list: of equal changes either may count.
        let tied: Vec<usize> = match winner {
            Some((time, value, name)) if is_every_row => {
                let is_equal =
                    |at: u64, other: usize| at == time && day_of(other) == day_of(value) && other != REJECTED;
                let tied = having.iter().filter(|(at, .., other, of)| *of != name && is_equal(*at, *other));
                tied.map(|(.., other, _)| status_of(*other)).collect()
            }
            _ => Vec::new(),
        };
        counting.map(|counting: Vec<usize>| [counting, tied].concat())
    }

    /// Keys whose rejection must be open, and keys that it may be open for: rows of theirs were left.
    pub(super) fn open(&self, content: Content) -> (BTreeSet<u64>, BTreeSet<u64>) {
        if content == Content::Whole {
            let rejected = self.whole.iter().filter(|(_, value)| **value == REJECTED);
            let left = self.settled.union(&self.undecided).filter(|key| !self.whole.contains_key(key));
            return (rejected.map(|(key, _)| *key).collect(), left.copied().collect());
        }
        let left =
            self.names.values().filter(|_| content == Content::Lists).flat_map(|known| known.left.iter().copied());
        let left: BTreeSet<u64> = left.collect();
        let is_rejected = |key: &u64| {
            let having = self.names.values().filter_map(|known| known.newest(*key));
            having.max().is_some_and(|(_, value)| value == REJECTED)
        };
        (self.keys().difference(&left).copied().filter(is_rejected).collect(), left)
    }

    pub(super) fn has_left(&self) -> bool {
        self.names.values().any(|known| !known.left.is_empty())
    }
}
