//! Which slots are due: decided from the ledger, never from what a timer remembers.
//!
//! A timer only rings; the same question asked twice, or by a process that was just started, has the same answer. A slot is
//! named by its own moment, so a clock that is set back meets slots that were run, and one that is set forward leaves slots
//! that are written down as missed.

use crate::calendar::Slots;
use crate::model::connector::Schedule;
use crate::run::ledger::{Slot, SlotState};

/// Microseconds of an hour.
const HOUR_MICROS: i64 = 3_600_000_000;
/// A slot that is begun within this time of its moment is on time.
const ON_TIME_MICROS: i64 = 10_000_000;
/// How often a slot whose run died with its process is begun.
const TRIES: u32 = 3;
/// Missed slots that are written down at once; of more the newest.
const MOST_MISSED: usize = 400;

/// What a connector's schedule asks for at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The slot to run now, as it is to be written before the run begins.
    pub due: Option<Slot>,
    /// Slots of which something else is to be written.
    pub settled: Vec<Slot>,
}

/// Decides. `known`: the connector's slots, newest first; `read_at`: when its newest night that was read whole began.
#[must_use]
pub fn decide(schedule: &Schedule, known: &[Slot], read_at: Option<i64>, now: i64) -> Decision {
    let Ok(slots) = Slots::new(&schedule.cron, &schedule.zone) else { return Decision::default() };
    let Some(last) = slots.last_before(now) else { return Decision::default() };
    let mut settled = passed_over(&slots, known, last, now);
    let in_time = now - last <= (i64::from(schedule.catch_up_within_hours) * HOUR_MICROS).max(ON_TIME_MICROS);
    let made_up = now - last > ON_TIME_MICROS;
    let slot = |state, tries, made_up, message| Slot { slot: last, state, tries, made_up, message, decided_at: now };
    let due = match known.iter().find(|slot| slot.slot == last) {
        Some(Slot { state: SlotState::Done | SlotState::Failed, .. }) => None,
        Some(Slot { state: SlotState::Begun, tries, .. }) if *tries >= TRIES => {
            let message = format!("its run ended with the process {tries} times");
            settled.push(slot(SlotState::Failed, *tries, true, Some(message)));
            None
        }
        Some(Slot { state: SlotState::Begun, tries, .. }) => Some(slot(SlotState::Begun, tries + 1, true, None)),
        Some(Slot { state: SlotState::Missed, .. }) if !in_time => None,
        Some(Slot { state: SlotState::Missed, .. }) => Some(slot(SlotState::Begun, 1, made_up, None)),
        None if read_at.is_some_and(|read_at| read_at >= last && read_at <= now) => {
            let message = "read by a run that was started by hand".to_owned();
            settled.push(slot(SlotState::Done, 0, false, Some(message)));
            None
        }
        None if in_time => Some(slot(SlotState::Begun, 1, made_up, None)),
        // Before the first slot that was decided there was no service that could have missed one.
        None if known.is_empty() => None,
        None => {
            settled.push(missed(last, now));
            None
        }
    };
    Decision { due, settled }
}

/// Slots between the newest that is known and the last: nobody was there.
fn passed_over(slots: &Slots, known: &[Slot], last: i64, now: i64) -> Vec<Slot> {
    let Some(newest) = known.iter().map(|slot| slot.slot).find(|slot| *slot < last) else { return Vec::new() };
    if known.iter().any(|slot| slot.slot >= last) {
        return Vec::new();
    }
    let mut passed = Vec::new();
    let mut moment = newest;
    while let Some(next) = slots.next_after(moment).filter(|next| *next < last && *next > moment) {
        passed.push(missed(next, now));
        moment = next;
        if passed.len() > MOST_MISSED {
            passed.remove(0);
        }
    }
    passed
}

fn missed(slot: i64, now: i64) -> Slot {
    let message = "the service was not running, or was busy with the run before it".to_owned();
    Slot { slot, state: SlotState::Missed, tries: 0, made_up: false, message: Some(message), decided_at: now }
}

/// How far the clock was set back since something was decided of the schedule; none if by less than a minute.
#[must_use]
pub(super) fn set_back(known: &[Slot], now: i64) -> Option<i64> {
    let newest = known.iter().map(|slot| slot.decided_at).max()?;
    (newest - now > ON_TIME_MICROS).then_some(newest)
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
