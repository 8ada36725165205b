//! Decides which slots are due, from the ledger alone (docs/decisions/0010).
//!
//! A timer only triggers the decision; a process that was just started decides the same. A slot is identified by its
//! scheduled time. So a clock that is set back finds slots that were run, and one that is set forward leaves slots that
//! are recorded as missed.

use crate::calendar::Slots;
use crate::model::connector::Schedule;
use crate::run::ledger::{Slot, SlotState};

/// Microseconds of an hour.
const HOUR_MICROS: i64 = 3_600_000_000;
/// A slot that begins within this time after its scheduled time is on time.
const ON_TIME_MICROS: i64 = 10_000_000;
/// Most runs that are begun for a slot, if each dies with its process.
const MAX_TRIES: u32 = 3;
/// Most missed slots that are recorded at once; of more, the newest.
const MAX_MISSED: usize = 400;

/// What to do about the slots of one connector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotDecision {
    /// The slot to run now, as it must be written before the run begins.
    pub due: Option<Slot>,
    /// Other slots to write: missed, failed, or served by another run.
    pub settled: Vec<Slot>,
}

/// Decides about the slots of a connector. `known`: its slots up to `now`, newest first; `read_at`: start of its newest
/// complete pull in a night that published.
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
        Some(Slot { state: SlotState::Done | SlotState::Failed | SlotState::Stopped, .. }) => None,
        Some(Slot { state: SlotState::Begun, tries, .. }) if *tries >= MAX_TRIES || !in_time => {
            let message = format!("the process died during its run, {tries} times");
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
        // The first slot of a new cron line: no service has run with it, so it cannot be missed.
        None if known.iter().all(|known| known.cron != schedule.cron) => None,
        None => {
            settled.push(missed(last, schedule, now));
            None
        }
    };
    SlotDecision { due, settled }
}

/// Missed slots: those after the newest known one of this cron line and before the last.
fn passed_over(slots: &Slots, schedule: &Schedule, known: &[Slot], last: i64, now: i64) -> Vec<Slot> {
    let of_line = known.iter().filter(|slot| slot.cron == schedule.cron);
    let Some(newest) = of_line.map(|slot| slot.slot).max().filter(|newest| *newest < last) else { return Vec::new() };
    let mut passed = Vec::new();
    let mut moment = last;
    while let Some(before) = slots.last_before(moment - 1_000_000).filter(|before| *before > newest) {
        passed.push(missed(before, schedule, now));
        moment = before;
        if passed.len() == MAX_MISSED {
            break;
        }
    }
    passed.reverse();
    passed
}

/// Failed slots: those before the last that were begun and whose process died.
fn left_begun(known: &[Slot], last: i64, now: i64) -> impl Iterator<Item = Slot> {
    let begun = known.iter().filter(move |slot| slot.slot < last && slot.state == SlotState::Begun);
    begun.map(move |slot| {
        let message = Some("the process died during its run".to_owned());
        Slot { state: SlotState::Failed, message, decided_at: now, ..slot.clone() }
    })
}

fn missed(slot: i64, schedule: &Schedule, now: i64) -> Slot {
    let message = Some("the service was not running, or was busy with the run before it".to_owned());
    let cron = schedule.cron.clone();
    Slot { slot, state: SlotState::Missed, tries: 0, made_up: false, message, decided_at: now, cron }
}

/// Whether the clock is behind the newest decision by more than ten seconds: it was set back.
#[must_use]
pub(super) fn is_set_back(decided_until: Option<i64>, now: i64) -> bool {
    decided_until.is_some_and(|decided| decided - now > ON_TIME_MICROS)
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
