//! The due date that a dossier is truly held to (rule e of `seed-2639`, domain C.4), from what the portal showed on the
//! evenings on which it was read.

use jiff::civil::Date;

use crate::simulator::Province;
use crate::simulator::dossier::{Dossier, RecordState, status};
use crate::simulator::working_days::{Moment, clock, day_number, day_of, evening};

/// The due date of a dossier by the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeldTo {
    /// The due date that counts for certain, and the latest one that may count.
    Due { certain: Moment, latest: Moment },
    /// An apology moved the due date to `latest`, and no evening showed the one before.
    NothingKnown { latest: Moment },
    /// The portal showed no possible due date.
    None,
}

impl Province {
    /// The due date that counts for dossier `number`, after the portal was read on `nights`.
    pub(super) fn held_to(&self, number: usize, dossier: &Dossier, accepted: Moment, nights: &[Date]) -> HeldTo {
        let states: Vec<RecordState> = nights
            .iter()
            .filter_map(|night| dossier.shown(evening(day_number((*night).min(self.today)))))
            .filter(|state| state.accepted.is_some())
            .collect();
        let possible = |due: Option<Moment>| {
            due.filter(|&due| due >= accepted || clock(due) == 0 && day_of(due) == day_of(accepted))
        };
        let first = states.iter().find_map(|state| possible(state.due));
        let counting = latest_that_counts(dossier, &states, possible);
        let due = possible(states.last().and_then(|state| state.due));
        let now = nights.last().map_or(Moment::MIN, |night| evening(day_number((*night).min(self.today))));
        let letters = self.letters(number, now).unwrap_or_default();
        let is_promised = |due: Moment| letters.iter().any(|letter| letter.promised == Some(day_of(due)));
        let one = |due: Moment| HeldTo::Due { certain: due, latest: due };
        match (due, counting) {
            (Some(due), _) if is_promised(due) => {
                let before = [counting, first].into_iter().flatten().find(|before| *before < due);
                before.map_or(HeldTo::NothingKnown { latest: due }, one)
            }
            // Without a status nobody knows whether a supplement explains the move.
            (Some(due), Some(counting)) if dossier.is_silent && counting < due => {
                HeldTo::Due { certain: counting, latest: due }
            }
            (Some(due), Some(counting)) => one(due.min(counting)),
            (Some(due), None) | (None, Some(due)) => one(due),
            (None, None) => HeldTo::None,
        }
    }
}

/// The first due date, or the latest one before which the portal showed that it waits for a supplement.
fn latest_that_counts(
    dossier: &Dossier,
    states: &[RecordState],
    possible: impl Fn(Option<Moment>) -> Option<Moment>,
) -> Option<Moment> {
    let waits = |state: &RecordState| state.status == status::SUPPLEMENT && !dossier.is_silent;
    let mut counting: Option<Moment> = None;
    for (at, state) in states.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| states[at].due);
        let Some(due) = possible(state.due).filter(|due| before != Some(*due)) else { continue };
        // Since the evening on which the portal began to show the former due date.
        let differs = |&other: &usize| {
            let shown_before = other.checked_sub(1).and_then(|at| states[at].due);
            states[other].due.is_some() && states[other].due != shown_before
        };
        let since = (0..at).rev().find(differs).unwrap_or(0);
        if counting.is_none_or(|counted| due > counted && states[since..=at].iter().any(waits)) {
            counting = Some(due);
        }
    }
    counting
}
