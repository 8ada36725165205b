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
pub struct SlotDecision {
    /// The slot to run now, as it is to be written before the run begins.
    pub due: Option<Slot>,
    /// Slots of which something else is to be written.
    pub settled: Vec<Slot>,
}

/// Decides. `known`: the connector's slots up to now, newest first; `read_at`: when the newest night
/// began that read it whole and published.
#[must_use]
pub fn decide_slot(schedule: &Schedule, known: &[Slot], read_at: Option<i64>, now: i64) -> SlotDecision {
    let Ok(slots) = Slots::new(&schedule.cron, &schedule.zone) else { return SlotDecision::default() };
    let Some(last) = slots.last_before(now) else { return SlotDecision::default() };
    let mut settled = passed_over(&slots, schedule, known, last, now);
    settled.extend(left_begun(known, last, now));
    let in_time = now - last <= (i64::from(schedule.catch_up_within_hours) * HOUR_MICROS).max(ON_TIME_MICROS);
    let made_up = now - last > ON_TIME_MICROS;
    let slot = |state, tries, made_up, message| Slot {
        slot: last,
        state,
        tries,
        made_up,
        message,
        decided_at: now,
        cron: schedule.cron.clone(),
    };
    let due = match known.iter().find(|slot| slot.slot == last) {
        Some(Slot { state: SlotState::Done | SlotState::Failed, .. }) => None,
        Some(Slot { state: SlotState::Begun, tries, .. }) if *tries >= TRIES || !in_time => {
            let message = format!("its run ended with the process, {tries} times");
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
        // Before the first slot of this line that was decided there was no service that could have missed one.
        None if known.iter().all(|known| known.cron != schedule.cron) => None,
        None => {
            settled.push(missed(last, schedule, now));
            None
        }
    };
    SlotDecision { due, settled }
}

/// Slots between the newest that is known of this cron line and the last: nobody was there.
fn passed_over(slots: &Slots, schedule: &Schedule, known: &[Slot], last: i64, now: i64) -> Vec<Slot> {
    let of_line = known.iter().filter(|slot| slot.cron == schedule.cron);
    let Some(newest) = of_line.map(|slot| slot.slot).max().filter(|newest| *newest < last) else { return Vec::new() };
    let mut passed = Vec::new();
    let mut moment = last;
    while let Some(before) = slots.last_before(moment - 1_000_000).filter(|before| *before > newest) {
        passed.push(missed(before, schedule, now));
        moment = before;
        if passed.len() == MOST_MISSED {
            break;
        }
    }
    passed.reverse();
    passed
}

/// Slots before the last whose run died with its process and that no start found in time.
fn left_begun(known: &[Slot], last: i64, now: i64) -> impl Iterator<Item = Slot> {
    let begun = known.iter().filter(move |slot| slot.slot < last && slot.state == SlotState::Begun);
    begun.map(move |slot| {
        let message = Some("its run ended with the process".to_owned());
        Slot { state: SlotState::Failed, message, decided_at: now, ..slot.clone() }
    })
}

fn missed(slot: i64, schedule: &Schedule, now: i64) -> Slot {
    let message = Some("the service was not running, or was busy with the run before it".to_owned());
    let cron = schedule.cron.clone();
    Slot { slot, state: SlotState::Missed, tries: 0, made_up: false, message, decided_at: now, cron }
}

/// Whether the clock was set back, by more than some seconds, behind what was decided of the schedule.
#[must_use]
pub(super) fn is_set_back(decided_until: Option<i64>, now: i64) -> bool {
    decided_until.is_some_and(|decided| decided - now > ON_TIME_MICROS)
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
