//! What is true of a letter of apology: NĐ 61/2018/NĐ-CP art. 19(9).

use std::collections::BTreeSet;

use crate::simulator::Province;
use crate::simulator::working_days::{Moment, day_of};

/// The apology for a dossier that is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Apology {
    Absent,
    /// Sent at the latest one day before the limit.
    Timely,
    Late,
    /// More than one number or promised date.
    Repeated,
    /// Stated without the day on which it was sent.
    Undated,
}

impl Province {
    /// The apology for a dossier on an evening. `limit`: the last moment that is on time for certain, and the last one
    /// that may be.
    pub(super) fn apology(&self, index: usize, limit: Option<(Moment, Moment)>, now: Moment) -> Apology {
        let letters = self.letters(index, now).unwrap_or_default();
        let numbers: BTreeSet<usize> = letters.iter().filter_map(|letter| letter.number).collect();
        let promises: BTreeSet<i64> = letters.iter().filter_map(|letter| letter.promised).collect();
        if letters.is_empty() {
            return Apology::Absent;
        }
        if numbers.len() > 1 || promises.len() > 1 {
            return Apology::Repeated;
        }
        match (letters.iter().find_map(|letter| letter.sent), limit) {
            (Some(sent), Some((certain, _))) if day_of(sent) < day_of(certain) => Apology::Timely,
            (Some(sent), Some((_, latest))) if day_of(sent) >= day_of(latest) => Apology::Late,
            _ => Apology::Undated,
        }
    }
}
