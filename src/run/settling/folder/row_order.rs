//! Which row of a key counts, among the rows of all files.

use crate::model::folder::FileTime;
use crate::run::settling::folder::content_keys::{Rank, UNTIMED};

/// The rows of one key that decide which one counts, each with its place.
///
/// The files say one after the other what a dossier is. A row with a change time counts, unless a file before had a later
/// one. A row without change time always counts: it is what its file showed. Two rows are enough to know the outcome:
/// the newest row without change time counts if its file is newer than that of the latest change, which counts
/// otherwise.
#[derive(Debug, Clone)]
pub(super) struct BestRow<P> {
    /// The row with the latest change time; of equal ones that of the newest file.
    timed: Option<(Rank, FileTime, P)>,
    /// The row without change time of the newest file.
    untimed: Option<(FileTime, P)>,
}

impl<P> Default for BestRow<P> {
    fn default() -> Self {
        Self { timed: None, untimed: None }
    }
}

impl<P> BestRow<P> {
    /// Notes a row that has values. Of rows that are equal in rank and time the first one is kept.
    pub(super) fn note(&mut self, rank: Rank, time: FileTime, place: P) {
        if rank == UNTIMED {
            if self.untimed.as_ref().is_none_or(|(known, _)| *known < time) {
                self.untimed = Some((time, place));
            }
        } else if self.latest_change().is_none_or(|known| known < (rank, time)) {
            self.timed = Some((rank, time, place));
        }
    }

    fn latest_change(&self) -> Option<(Rank, FileTime)> {
        self.timed.as_ref().map(|(rank, time, _)| (*rank, *time))
    }

    /// The row that counts, with its rank and the time of its file; `None` if no row has values.
    pub(super) fn counting(&self) -> Option<(Rank, FileTime, &P)> {
        match (&self.timed, &self.untimed) {
            (Some((_, changed, _)), Some((shown, place))) if shown > changed => Some((UNTIMED, *shown, place)),
            (Some((rank, changed, place)), _) => Some((*rank, *changed, place)),
            (None, Some((shown, place))) => Some((UNTIMED, *shown, place)),
            (None, None) => None,
        }
    }

    /// Whether one of the noted rows counts instead of a row of this rank and time. Rows that are equal in both leave
    /// it open.
    pub(super) fn outranks(&self, rank: Rank, time: FileTime) -> bool {
        if rank == UNTIMED {
            self.timed.as_ref().is_some_and(|(_, changed, _)| *changed >= time)
                || self.untimed.as_ref().is_some_and(|(shown, _)| *shown > time)
        } else {
            self.latest_change() > Some((rank, time)) || self.overtakes(rank, time)
        }
    }

    /// Whether a row of this rank and time is the latest change, and yet a row without change time of a newer file
    /// counts.
    pub(super) fn overtakes(&self, rank: Rank, time: FileTime) -> bool {
        self.latest_change() <= Some((rank, time)) && self.untimed.as_ref().is_some_and(|(shown, _)| *shown > time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as (change time, file), worked by hand: `None` has no change time, files are numbered from the oldest.
    #[test]
    fn a_row_counts_by_its_change_time_and_its_file() {
        const NONE: Rank = UNTIMED;
        let cases: [(&[(Rank, i64)], usize); 9] = [
            (&[(100, 1), (200, 2)], 1),
            // An older list that arrives late has the later change.
            (&[(200, 1), (100, 2)], 0),
            (&[(100, 1), (100, 2)], 1),
            (&[(NONE, 1), (NONE, 2)], 1),
            // A newer list shows the dossier without its change time.
            (&[(100, 1), (NONE, 2)], 1),
            (&[(NONE, 1), (100, 2)], 1),
            // A change that is older than the known one does not count, although its list is newer than the one without.
            (&[(200, 1), (NONE, 2), (100, 3)], 1),
            (&[(100, 1), (NONE, 2), (200, 3)], 2),
            // The newer row without change time is what its file showed before the latest change.
            (&[(200, 3), (NONE, 2), (NONE, 1)], 0),
        ];
        let time = |file: i64| FileTime { ordered_at: file, modified_at: 0 };
        for (rows, expected) in cases {
            let mut best = BestRow::default();
            for (index, (rank, file)) in rows.iter().enumerate() {
                best.note(*rank, time(*file), index);
            }
            assert_eq!(best.counting(), Some((rows[expected].0, time(rows[expected].1), &expected)), "{rows:?}");
            for (index, (rank, file)) in rows.iter().enumerate() {
                assert_eq!(best.outranks(*rank, time(*file)), index != expected, "{rows:?}: {index}");
            }
        }
        assert_eq!(BestRow::<()>::default().counting(), None);
    }
}
