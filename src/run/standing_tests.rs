use std::path::Path;

use super::*;
use crate::config;

const HOUR_MICROS: i64 = 3_600_000_000;
/// A moment after which nothing has run.
const NOW: i64 = 1_767_225_600_000_000;

fn connector() -> Connector {
    let text = include_str!("../../connectors/feedback/connector.toml");
    config::connector_from_text("feedback", Path::new("connector.toml"), text).expect("it is shipped")
}

fn pull(run: i64, outcome: Option<Outcome>, started_at: i64, received: u64) -> Pull {
    let counts = Counts { received, accepted: received, ..Counts::default() };
    let finished_at = outcome.map(|_| started_at);
    Pull { outcome, counts, finished_at, ..Pull::begun(run, &connector(), Purpose::Night, started_at) }
}

async fn standing(ledger: &Ledger) -> Standing {
    of_connector(&connector(), ledger, None, NOW).await.expect("it can be read")
}

#[tokio::test]
async fn a_pull_under_way_leaves_state_and_counts_to_the_one_before_it() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let ledger = Ledger::open(folder.path()).await.expect("it opens");
    assert_eq!(standing(&ledger).await.state, State::NeverRun);
    let under_way = |run| pull(run, None, NOW - HOUR_MICROS, 0);
    ledger.write_pull(&under_way(1)).await.expect("it is written");
    assert_eq!(standing(&ledger).await.state, State::NeverRun, "its first pull is under way");
    for (outcome, state) in [(Outcome::Complete, State::Healthy), (Outcome::Failed, State::Failing)] {
        ledger.write_pull(&pull(1, Some(outcome), NOW - 2 * HOUR_MICROS, 7)).await.expect("it is written");
        ledger.write_pull(&under_way(2)).await.expect("it is written");
        let found = standing(&ledger).await;
        assert_eq!((found.state, found.received), (state, 7));
    }
    // One that nobody has ended in six hours is dead.
    ledger.write_pull(&pull(2, None, NOW - 6 * HOUR_MICROS, 0)).await.expect("it is written");
    let found = standing(&ledger).await;
    assert_eq!((found.state, found.reason_code.as_deref()), (State::Incomplete, Some("not_ended")));
}

#[test]
fn a_publication_says_what_to_do_about_its_own_failure() {
    let (message, hint) = (Some("no value".to_owned()), Some("set the variable".to_owned()));
    let failed = Publication { message, hint, failing_since: Some(NOW), ..Publication::default() };
    let found = of_publication(&failed, None, NOW);
    assert_eq!(
        (found.state, found.since, found.hint.as_deref()),
        (State::Failing, Some(NOW), Some("set the variable"))
    );
    let held = Publication { run: Some(3), published_at: Some(NOW), ..Publication::default() };
    assert_eq!(of_publication(&held, Some((3, NOW)), NOW).state, State::Healthy);
    let on_its_way = of_publication(&held, Some((4, NOW)), NOW + 60_000_000);
    assert_eq!(on_its_way.state, State::Healthy, "the night has just ended");
    assert_eq!(of_publication(&held, Some((4, NOW)), NOW + HOUR_MICROS).state, State::Late);
}
