//! The volume that a pull is compared with: earlier pulls of the same weekday, and how long the source was not read.
//! No effects.

use crate::model::connector::Connector;
use crate::model::instant::{self, DAY_MICROS};
use crate::model::pull::{Outcome, Purpose};
use crate::run::ledger::Pull;

/// Maximum earlier pulls of the same weekday that the volume is compared with.
const USUAL_PULLS: usize = 8;

/// Volume of a connector's pulls on a weekday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UsualVolume {
    /// Rows received by the last complete or degraded pulls of the weekday, newest first.
    pub(super) rows: Vec<u64>,
    /// Number of usual distances between two pulls since the last complete or degraded one: 1, or more after an outage.
    /// A pull that catches up may receive as many times the usual rows.
    pub(super) distances: u64,
}

impl UsualVolume {
    /// No volume to compare with.
    pub(super) fn unknown() -> Self {
        Self { rows: Vec::new(), distances: 1 }
    }

    /// Volume that a night's pull which begins at `started_at` (microseconds UTC) is compared with. `pulls`: pulls of the
    /// connector before it, newest first. Unknown for a second pull of a day, which receives only the remaining rows.
    pub(super) fn before(started_at: i64, pulls: &[Pull], connector: &Connector) -> Self {
        let nights: Vec<&Pull> = pulls.iter().filter(|pull| pull.purpose == Purpose::Night).collect();
        let whole: Vec<&Pull> = nights.iter().copied().filter(|pull| is_whole(pull)).collect();
        let began = instant::local(started_at);
        if whole.iter().any(|pull| instant::local(pull.started_at).date() == began.date()) {
            return Self::unknown();
        }
        // A connector that reads other records now has another volume.
        let is_alike =
            |pull: &Pull| pull.cursor.as_ref().is_some_and(|cursor| connector.was_read_with(&cursor.connector));
        let of_weekday: Vec<usize> = (0..whole.len())
            .filter(|&at| instant::local(whole[at].started_at).weekday() == began.weekday() && is_alike(whole[at]))
            .take(USUAL_PULLS)
            .collect();
        let distance_before =
            |at: &usize| Some(whole[*at].started_at - whole.get(at + 1)?.started_at).filter(|distance| *distance > 0);
        let usual = median(of_weekday.iter().filter_map(distance_before).collect()).unwrap_or(DAY_MICROS);
        let distance = whole.first().map_or(usual, |last| first_reading(started_at, last, &nights) - last.started_at);
        Self {
            rows: of_weekday.iter().map(|&at| whole[at].counts.received).collect(),
            // Rounded: nights begin some minutes earlier or later.
            distances: u64::try_from((distance + usual / 2) / usual).unwrap_or(1).max(1),
        }
    }
}

fn is_whole(pull: &Pull) -> bool {
    matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded))
}

/// When the source was read again after its last whole pull: at the first pull that was refused for its volume, otherwise
/// now. Nights that repeat such a pull are no outage: a volume that was refused does not become usual by waiting.
fn first_reading(started_at: i64, last: &Pull, nights: &[&Pull]) -> i64 {
    let refused = |pull: &&&Pull| pull.run > last.run && pull.reason.as_deref() == Some("unusual_volume");
    nights.iter().rev().find(refused).map_or(started_at, |pull| pull.started_at)
}

fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
#[path = "usual_volume_tests.rs"]
mod tests;
