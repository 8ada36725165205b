use std::path::Path;

use super::*;
use crate::config;
use crate::run::ledger::{PullState, Slot};

const HOUR_MICROS: i64 = 3_600_000_000;
/// The current moment of the tests; nothing has run later.
const NOW: i64 = 1_767_225_600_000_000;

fn connector() -> Connector {
    let text = include_str!("../../connectors/feedback/connector.toml");
    config::connector_from_text("feedback", Path::new("connector.toml"), text).expect("it is shipped")
}

fn pull(run: i64, outcome: Option<Outcome>, started_at: i64, received: u64) -> Pull {
    let counts = PullCounts { received, accepted: received, ..PullCounts::default() };
    let finished_at = outcome.map(|_| started_at);
    let state = if outcome.is_some() { PullState::Done } else { PullState::Reading };
    Pull { state, outcome, counts, finished_at, ..Pull::begun(run, &connector(), Purpose::Night, started_at) }
}

async fn health(ledger: &Ledger) -> ConnectorHealth {
    connector_health(&connector(), ledger, None, None, NOW).await.expect("it can be read")
}

#[tokio::test]
async fn a_pull_under_way_leaves_state_and_counts_to_the_one_before_it() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let ledger = Ledger::open(folder.path()).await.expect("it opens");
    assert_eq!(health(&ledger).await.state, HealthState::NeverRun);
    let under_way = |run| pull(run, None, NOW - HOUR_MICROS, 0);
    ledger.write_pull(&under_way(1)).await.expect("it is written");
    assert_eq!(health(&ledger).await.state, HealthState::NeverRun, "its first pull is under way");
    for (outcome, state) in [(Outcome::Complete, HealthState::Healthy), (Outcome::Failed, HealthState::Failing)] {
        ledger.write_pull(&pull(1, Some(outcome), NOW - 2 * HOUR_MICROS, 7)).await.expect("it is written");
        ledger.write_pull(&under_way(2)).await.expect("it is written");
        let found = health(&ledger).await;
        assert_eq!((found.state, found.received), (state, 7));
    }
    // A pull that has not ended after six hours died with its process.
    ledger.write_pull(&pull(2, None, NOW - 6 * HOUR_MICROS, 0)).await.expect("it is written");
    let found = health(&ledger).await;
    assert_eq!((found.state, found.reason_code.as_deref()), (HealthState::Incomplete, Some("not_ended")));
}

#[test]
fn a_failed_publication_is_failing_with_its_hint_and_one_that_is_behind_is_late() {
    let (message, hint) = (Some("no value".to_owned()), Some("set the variable".to_owned()));
    let failed = Publication { message, hint, failing_since: Some(NOW), ..Publication::default() };
    let found = publication_health(&failed, None, NOW);
    assert_eq!(
        (found.state, found.since, found.hint.as_deref()),
        (HealthState::Failing, Some(NOW), Some("set the variable"))
    );
    let held = Publication { run: Some(3), published_at: Some(NOW), ..Publication::default() };
    assert_eq!(publication_health(&held, Some((3, NOW)), NOW).state, HealthState::Healthy);
    let on_its_way = publication_health(&held, Some((4, NOW)), NOW + 60_000_000);
    assert_eq!(on_its_way.state, HealthState::Healthy, "the night has just ended");
    assert_eq!(publication_health(&held, Some((4, NOW)), NOW + HOUR_MICROS).state, HealthState::Late);
}

#[tokio::test]
async fn a_night_that_read_its_sources_and_published_nothing_is_failing() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let ledger = Ledger::open(folder.path()).await.expect("it opens");
    let slot = NOW - 3 * HOUR_MICROS;
    ledger.begin_run(1, Purpose::Night, slot + 1).await.expect("it is written");
    ledger.write_pull(&pull(1, Some(Outcome::Complete), slot + 1, 7)).await.expect("it is written");
    let message = Some("no space left on device".to_owned());
    let cron = connector().file.schedule.cron;
    let failed = Slot { slot, state: SlotState::Failed, tries: 1, made_up: false, message, decided_at: slot, cron };
    ledger.write_slots(&[("feedback".to_owned(), failed)]).await.expect("it is written");
    let found = health(&ledger).await;
    assert_eq!((found.state, found.reason_code.as_deref()), (HealthState::Failing, Some("night_failed")));
    assert!(found.reason.is_some_and(|reason| reason.contains("no space left")));
    // Only a run that publishes ends the failure.
    ledger.finish_run(1, NOW, None).await.expect("it is written");
    assert_eq!(health(&ledger).await.state, HealthState::Failing, "it is finished, and published nothing");
    ledger.begin_run(2, Purpose::Night, NOW - HOUR_MICROS).await.expect("it is written");
    ledger.finish_run(2, NOW, Some(true)).await.expect("it is written");
    assert_eq!(health(&ledger).await.state, HealthState::Healthy);
}

#[tokio::test]
async fn a_night_that_somebody_stopped_is_no_failure_and_names_who_did() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let ledger = Ledger::open(folder.path()).await.expect("it opens");
    let slot = NOW - 8 * HOUR_MICROS;
    ledger.begin_run(1, Purpose::Night, slot).await.expect("it is written");
    ledger.write_pull(&pull(1, Some(Outcome::Complete), slot, 7)).await.expect("it is written");
    ledger.stop_run(slot + 1, "binh").await.expect("it is written");
    let is_stopped = |found: &ConnectorHealth| {
        let by = found.reason.as_ref().is_some_and(|reason| reason.contains("stopped by `binh`"));
        assert!(by && found.reason_code.as_deref() == Some("night_stopped"), "{found:?}");
        assert_eq!((found.state, found.since), (HealthState::Late, Some(slot)));
    };
    // Begun by hand, and stopped eight hours ago.
    is_stopped(&health(&ledger).await);
    ledger.write_pull(&pull(1, None, slot, 0)).await.expect("it is written");
    is_stopped(&health(&ledger).await);
    // Of a slot.
    let message = Some("stopped by `binh`".to_owned());
    let cron = connector().file.schedule.cron;
    let stopped = Slot { slot, state: SlotState::Stopped, tries: 1, made_up: false, message, decided_at: slot, cron };
    ledger.write_slots(&[("feedback".to_owned(), stopped)]).await.expect("it is written");
    is_stopped(&health(&ledger).await);
    // A night of other connectors ends the pull, which had landed no page, and publishes.
    ledger.begin_run(2, Purpose::Night, NOW - 2 * HOUR_MICROS).await.expect("it is written");
    let ended = |reason: &str| Pull { reason: Some(reason.to_owned()), ..pull(1, Some(Outcome::Failed), slot, 0) };
    ledger.write_pull(&ended("stopped")).await.expect("it is written");
    ledger.finish_run(2, NOW - 2 * HOUR_MICROS, Some(true)).await.expect("it is written");
    is_stopped(&health(&ledger).await);
    ledger.write_pull(&ended("interrupted")).await.expect("it is written");
    assert_eq!(health(&ledger).await.state, HealthState::Failing, "it failed in another way");
    ledger.begin_run(3, Purpose::Night, NOW - HOUR_MICROS).await.expect("it is written");
    ledger.write_pull(&pull(3, Some(Outcome::Complete), NOW - HOUR_MICROS, 7)).await.expect("it is written");
    ledger.finish_run(3, NOW, Some(true)).await.expect("it is written");
    assert_eq!(health(&ledger).await.state, HealthState::Healthy);
}

#[tokio::test]
async fn a_pull_that_is_settled_and_not_in_the_tables_is_incomplete() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let ledger = Ledger::open(folder.path()).await.expect("it opens");
    let settled = Pull { state: PullState::Settled, ..pull(1, Some(Outcome::Complete), NOW - 240 * HOUR_MICROS, 7) };
    ledger.write_pull(&settled).await.expect("it is written");
    let found = health(&ledger).await;
    assert_eq!((found.state, found.reason_code.as_deref()), (HealthState::Incomplete, Some("not_ended")));
}

#[tokio::test]
async fn a_run_by_hand_that_published_nothing_is_failing_after_six_hours() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let ledger = Ledger::open(folder.path()).await.expect("it opens");
    for (hours, state) in [(5, HealthState::Healthy), (6, HealthState::Failing)] {
        ledger
            .write_pull(&pull(1, Some(Outcome::Complete), NOW - hours * HOUR_MICROS, 7))
            .await
            .expect("it is written");
        let found = health(&ledger).await;
        assert_eq!(found.state, state, "{hours} hours: {found:?}");
        assert_eq!(found.reason_code.as_deref(), (hours == 6).then_some("night_failed"));
    }
    ledger.begin_run(1, Purpose::Night, NOW - 6 * HOUR_MICROS).await.expect("it is written");
    ledger.finish_run(1, NOW, Some(true)).await.expect("it is written");
    assert_eq!(health(&ledger).await.state, HealthState::Healthy);
}
