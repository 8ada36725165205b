//! The history of a dossier's due date, folded over its versions: the first due date, and the latest one that counts.
//!
//! The versions of a key are taken in the order of their pulls, those of one pull in the order of versions. A version that
//! is older than the newest taken so far is left out, as in the image. So the result after each pull depends on the
//! result before it and on the pull alone.
//!
//! A later due date counts if something explains it (rule e of `seed-2639`): a supplement or a suspension between the
//! version that first stated the former due date and the version that states the later one, both included. A version shows
//! one by its status; or it differs from the version before it in more requests for supplements, another date of the
//! request or of the reception of a supplement, or a date of the suspension. An apology explains nothing.

use crate::model::instant::{DAY_MICROS, offset_micros};

/// Statuses under which the clock of a dossier is stopped.
pub(super) const PAUSED_STATUSES: [&str; 3] = ["supplement", "finance", "stopped"];

/// What a version states about the due date. Instants are in microseconds UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DueVersion {
    /// Place in the order of versions: change time, run, page, row.
    pub(super) order: [Option<i64>; 4],
    pub(super) received: Option<i64>,
    pub(super) due: Option<i64>,
    /// The source's own first due date.
    pub(super) own_first: Option<i64>,
    /// Number of requests for supplements.
    pub(super) requests: Option<i64>,
    pub(super) requested: Option<i64>,
    pub(super) supplied: Option<i64>,
    pub(super) stopped: Option<i64>,
    /// The status is one of [`PAUSED_STATUSES`].
    pub(super) is_paused: bool,
}

/// The history of the due date up to a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DueHistory {
    pub(super) newest: DueVersion,
    pub(super) first: Option<i64>,
    pub(super) explained: Option<i64>,
    /// A supplement or a suspension was seen since the due date was first stated.
    pub(super) pause_seen: bool,
}

impl DueHistory {
    /// The history after one more version; unchanged if that is older than the newest.
    pub(super) fn after(self, version: DueVersion) -> Self {
        if version.order <= self.newest.order {
            return self;
        }
        let before = &self.newest;
        let is_new = |old: Option<i64>, new: Option<i64>| new.is_some() && new != old;
        let has_pause = version.is_paused
            || version.requests.unwrap_or(0) > before.requests.unwrap_or(0)
            || is_new(before.requested, version.requested)
            || is_new(before.supplied, version.supplied)
            || is_new(before.stopped, version.stopped);
        let is_explained = self.pause_seen || has_pause;
        let is_stated_anew = is_new(before.due, version.due);

        // A due date before the reception is none. Before the reception nothing is promised.
        let stated = |due: &i64| version.received.is_some_and(|received| !is_before(*due, received));
        let kept = |due: &i64| version.received.is_none_or(|received| !is_before(*due, received));
        let due = version.due.filter(stated);
        let first = version.own_first.filter(stated).or(self.first.filter(kept)).or(due);
        // If no move was explained yet, the date that counts is the first, also if the source states that one only now.
        let reached = self.explained.filter(|due| self.first != Some(*due) && kept(due));
        let explained = reached.max(first).max(due.filter(|_| is_stated_anew && is_explained));
        Self {
            first,
            explained,
            pause_seen: if is_stated_anew { version.is_paused } else { is_explained },
            newest: version,
        }
    }
}

/// Whether a due date lies before the reception. A due date at midnight is a date: it lies before the reception if its day
/// does.
fn is_before(due: i64, received: i64) -> bool {
    let offset = offset_micros();
    let local = |at: i64| at + offset;
    let is_date = local(due).rem_euclid(DAY_MICROS) == 0;
    let day = |at: i64| local(at).div_euclid(DAY_MICROS);
    due < received && !(is_date && day(due) == day(received))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::instant::from_local;
    use jiff::civil::date;

    /// 8 May 2025, 08:00: the reception.
    const RECEIVED: i8 = 5;

    /// A day of May 2025 at an hour.
    fn may(day: i8, hour: i8) -> i64 {
        from_local(date(2025, 5, day).at(hour, 0, 0, 0))
    }

    /// A version that states a due date on a day of May at 17:00.
    fn due(day: i8) -> DueVersion {
        DueVersion { received: Some(may(RECEIVED, 8)), due: Some(may(day, 17)), ..DueVersion::default() }
    }

    /// Day of the first due date, day of the explained one, and whether a pause was seen.
    fn folded(versions: &[DueVersion]) -> (Option<i8>, Option<i8>, bool) {
        let mut history = DueHistory::default();
        for (run, version) in (1..).zip(versions) {
            history = history.after(DueVersion { order: [None, Some(run), Some(0), Some(0)], ..version.clone() });
        }
        let day = |at: Option<i64>| at.map(|at| crate::model::instant::local(at).date().day());
        (day(history.first), day(history.explained), history.pause_seen)
    }

    #[test]
    fn a_later_due_date_counts_only_if_something_explains_it() {
        let paused = |day| DueVersion { is_paused: true, ..due(day) };
        let asked = |day| DueVersion { requests: Some(1), requested: Some(may(6, 9)), ..due(day) };
        let supplied = |day| DueVersion { supplied: Some(may(7, 9)), ..asked(day) };
        let stopped = |day| DueVersion { stopped: Some(may(6, 9)), ..due(day) };
        for (what, versions, expected) in [
            ("one version", vec![due(8)], (Some(8), Some(8), false)),
            ("moved without a reason", vec![due(8), due(20)], (Some(8), Some(8), false)),
            (
                "moved to an earlier date: the due date itself is earlier",
                vec![due(8), due(6)],
                (Some(8), Some(8), false),
            ),
            ("moved back to the first", vec![due(8), due(20), due(8)], (Some(8), Some(8), false)),
            ("by a supplement", vec![due(8), supplied(20)], (Some(8), Some(20), false)),
            ("by a status before the move", vec![due(8), paused(8), due(8), due(20)], (Some(8), Some(20), false)),
            ("by the status of the move", vec![due(8), paused(20)], (Some(8), Some(20), true)),
            ("by the status of the former", vec![paused(8), due(20)], (Some(8), Some(20), false)),
            ("by a suspension", vec![due(8), stopped(20)], (Some(8), Some(20), false)),
            ("the same round explains one move", vec![due(8), supplied(20), supplied(25)], (Some(8), Some(20), false)),
            ("a pause after the move explains nothing", vec![due(8), due(20), paused(20)], (Some(8), Some(8), true)),
            ("asked, then supplied: two moves", vec![due(8), asked(9), supplied(20)], (Some(8), Some(20), false)),
            ("a round before the due date moved", vec![due(8), asked(8), asked(20)], (Some(8), Some(20), false)),
            ("known from the first version", vec![asked(8), asked(20)], (Some(8), Some(8), false)),
            ("explained, then not", vec![due(8), paused(12), due(12), due(20), due(25)], (Some(8), Some(20), false)),
        ] {
            assert_eq!(folded(&versions), expected, "{what}");
        }
    }

    #[test]
    fn the_first_due_date_is_the_sources_own_or_the_first_that_is_possible() {
        let no_due = DueVersion { due: None, ..due(8) };
        let unreceived = |day| DueVersion { received: None, ..due(day) };
        let own = |day, first| DueVersion { own_first: Some(may(first, 17)), ..due(day) };
        let midnight = DueVersion { due: Some(may(RECEIVED, 0)), ..due(8) };
        let paused = DueVersion { is_paused: true, ..no_due.clone() };
        for (what, versions, expected) in [
            ("none", vec![no_due.clone()], (None, None, false)),
            ("stated later", vec![no_due.clone(), due(8), due(9)], (Some(8), Some(8), false)),
            ("before the reception it is none", vec![due(2), due(8), due(9)], (Some(8), Some(8), false)),
            ("only before the reception", vec![due(2)], (None, None, false)),
            ("midnight of the day of reception is that day", vec![midnight, due(9)], (Some(5), Some(5), false)),
            ("not received yet: nothing is promised", vec![unreceived(7), due(9)], (Some(9), Some(9), false)),
            ("removed: it is kept", vec![due(8), no_due.clone()], (Some(8), Some(8), false)),
            ("removed, then stated later", vec![due(8), no_due.clone(), due(20)], (Some(8), Some(8), false)),
            ("removed while paused", vec![due(8), paused, due(20)], (Some(8), Some(20), false)),
            ("the source's own", vec![own(20, 8)], (Some(8), Some(8), false)),
            ("the source's own, later", vec![due(9), own(20, 8)], (Some(8), Some(8), false)),
            ("the source's own is kept", vec![own(20, 8), due(20)], (Some(8), Some(8), false)),
        ] {
            assert_eq!(folded(&versions), expected, "{what}");
        }
    }

    #[test]
    fn a_version_that_is_older_than_the_newest_changes_nothing() {
        let history = DueHistory::default().after(DueVersion { order: [Some(9), Some(1), Some(0), Some(0)], ..due(8) });
        let older = DueVersion { order: [Some(5), Some(2), Some(0), Some(0)], is_paused: true, ..due(20) };
        assert_eq!(history.clone().after(older), history);
    }
}
