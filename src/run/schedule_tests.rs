use jiff::civil::date;

use super::*;
use crate::model::instant::from_local;

/// Nights at 01:30, made up until 12:30.
fn schedule() -> Schedule {
    Schedule { cron: "30 1 * * *".to_owned(), catch_up_within_hours: 11, ..Schedule::default() }
}

/// A moment of March 2026.
fn at(day: i8, hour: i8, minute: i8) -> i64 {
    from_local(date(2026, 3, day).at(hour, minute, 0, 0))
}

fn slot(day: i8, state: SlotState, decided_at: i64) -> Slot {
    Slot { slot: at(day, 1, 30), state, tries: 1, made_up: false, message: None, decided_at, cron: schedule().cron }
}

fn due(known: &[Slot], read_at: Option<i64>, now: i64) -> Option<(i64, bool)> {
    decide_slot(&schedule(), known, read_at, now).due.map(|slot| (slot.slot, slot.made_up))
}

fn missed_days(known: &[Slot], now: i64) -> Vec<i8> {
    let settled = decide_slot(&schedule(), known, None, now).settled;
    let missed = settled.into_iter().filter(|slot| slot.state == SlotState::Missed);
    missed.map(|slot| crate::model::instant::local(slot.slot).day()).collect()
}

#[test]
fn a_slot_is_due_at_its_moment_and_once() {
    let before = [slot(9, SlotState::Done, at(9, 1, 31))];
    assert_eq!(due(&before, None, at(10, 1, 29)), None);
    assert_eq!(due(&before, None, at(10, 1, 30)), Some((at(10, 1, 30), false)));
    for state in [SlotState::Done, SlotState::Failed, SlotState::Stopped] {
        let after = [slot(10, state, at(10, 1, 40)), slot(9, SlotState::Done, at(9, 1, 31))];
        assert_eq!(due(&after, None, at(10, 1, 41)), None, "{state:?}");
    }
}

#[test]
fn a_slot_that_was_not_run_is_made_up_within_its_catch_up_time() {
    let before = [slot(9, SlotState::Done, at(9, 1, 31))];
    assert_eq!(due(&before, None, at(10, 12, 29)), Some((at(10, 1, 30), true)));
    assert_eq!(due(&before, None, at(10, 12, 31)), None);
    assert_eq!(missed_days(&before, at(10, 12, 29)), [0_i8; 0]);
    assert_eq!(missed_days(&before, at(10, 12, 31)), [10]);
}

#[test]
fn of_several_missed_nights_the_newest_is_made_up_and_the_others_are_recorded() {
    let before = [slot(5, SlotState::Done, at(5, 1, 31))];
    assert_eq!(due(&before, None, at(9, 8, 0)), Some((at(9, 1, 30), true)));
    assert_eq!(missed_days(&before, at(9, 8, 0)), [6, 7, 8]);
}

#[test]
fn a_new_service_misses_nothing_and_runs_a_slot_that_is_still_in_time() {
    assert_eq!(due(&[], None, at(10, 8, 0)), Some((at(10, 1, 30), true)));
    assert_eq!(decide_slot(&schedule(), &[], None, at(10, 20, 0)), SlotDecision::default());
}

#[test]
fn a_complete_night_by_hand_serves_the_slot() {
    let before = [slot(9, SlotState::Done, at(9, 1, 31))];
    let decision = decide_slot(&schedule(), &before, Some(at(10, 6, 0)), at(10, 8, 0));
    assert_eq!(decision.due, None);
    assert_eq!(decision.settled.iter().map(|slot| slot.state).collect::<Vec<_>>(), [SlotState::Done]);
    assert_eq!(
        due(&before, Some(at(10, 1, 20)), at(10, 8, 0)),
        Some((at(10, 1, 30), true)),
        "it was read before the slot"
    );
}

#[test]
fn a_run_that_died_is_begun_again_three_times_at_most() {
    let mut died = slot(10, SlotState::Begun, at(10, 1, 30));
    assert_eq!(due(&[died.clone()], None, at(10, 1, 45)), Some((at(10, 1, 30), true)));
    died.tries = 3;
    let decision = decide_slot(&schedule(), &[died], None, at(10, 1, 45));
    assert_eq!(decision.due, None);
    assert_eq!(decision.settled[0].state, SlotState::Failed);
}

#[test]
fn a_clock_that_is_set_back_runs_nothing_twice() {
    let known = [slot(10, SlotState::Done, at(10, 1, 40)), slot(9, SlotState::Done, at(9, 1, 31))];
    // Back over the last slot, and forward over it again.
    for now in [at(10, 0, 10), at(10, 1, 30), at(10, 1, 50)] {
        assert_eq!(decide_slot(&schedule(), &known, None, now), SlotDecision::default(), "{now}");
    }
    assert!(is_set_back(Some(at(10, 1, 40)), at(10, 0, 10)));
    assert!(!is_set_back(Some(at(10, 1, 40)), at(10, 1, 40)));
}

#[test]
fn slots_missed_by_a_clock_that_is_set_forward_are_run_once_it_is_corrected() {
    // Three days ahead by mistake: the night of the 13th is run then, those before it are missed.
    let before = [slot(10, SlotState::Done, at(10, 1, 40))];
    assert_eq!(due(&before, None, at(13, 2, 0)), Some((at(13, 1, 30), true)));
    assert_eq!(missed_days(&before, at(13, 2, 0)), [11, 12]);
    // The ledger gives the slots up to the asked moment, so the tests cut the list.
    let known = [
        slot(13, SlotState::Done, at(13, 2, 10)),
        slot(12, SlotState::Missed, at(13, 2, 0)),
        slot(11, SlotState::Missed, at(13, 2, 0)),
        slot(10, SlotState::Done, at(10, 1, 40)),
    ];
    // Once corrected, nights that were recorded as missed are run when they come.
    assert_eq!(due(&known[2..], None, at(11, 1, 30)), Some((at(11, 1, 30), false)));
    assert_eq!(due(&known[1..], None, at(12, 1, 30)), Some((at(12, 1, 30), false)));
    assert_eq!(due(&known, None, at(13, 1, 30)), None, "it was run");
}

#[test]
fn of_the_slots_that_pass_during_a_long_run_the_last_is_due() {
    let schedule = Schedule { cron: "0 * * * *".to_owned(), catch_up_within_hours: 0, ..Schedule::default() };
    let begun = Slot { slot: at(10, 1, 0), cron: schedule.cron.clone(), ..slot(10, SlotState::Done, at(10, 4, 0)) };
    let decision = decide_slot(&schedule, &[begun], None, at(10, 4, 0));
    assert_eq!(decision.due.map(|slot| slot.slot), Some(at(10, 4, 0)));
    let passed: Vec<i64> = decision.settled.iter().map(|slot| slot.slot).collect();
    assert_eq!(passed, [at(10, 2, 0), at(10, 3, 0)]);
}

#[test]
fn a_new_cron_line_misses_nothing_of_the_past() {
    let other = Schedule { cron: "0 * * * *".to_owned(), ..schedule() };
    let before = [slot(9, SlotState::Done, at(9, 1, 31))];
    let decision = decide_slot(&other, &before, None, at(10, 8, 30));
    assert_eq!(decision.due.map(|slot| slot.slot), Some(at(10, 8, 0)), "the newest slot of the new line is in time");
    assert_eq!(decision.settled, []);
}

#[test]
fn a_slot_whose_process_died_is_recorded_as_failed_when_the_next_is_due() {
    let begun = slot(8, SlotState::Begun, at(8, 1, 30));
    let decision = decide_slot(&schedule(), std::slice::from_ref(&begun), None, at(10, 2, 0));
    assert_eq!(decision.due.map(|slot| slot.slot), Some(at(10, 1, 30)));
    let settled: Vec<_> = decision.settled.iter().map(|slot| (slot.slot, slot.state)).collect();
    assert_eq!(settled, [(at(9, 1, 30), SlotState::Missed), (at(8, 1, 30), SlotState::Failed)]);
    // Too late to be begun again.
    let late = decide_slot(&schedule(), &[begun], None, at(8, 20, 0));
    assert_eq!((late.due, late.settled[0].state), (None, SlotState::Failed));
}
