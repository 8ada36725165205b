//! A request to stop is about the verb that has the lock: about each of its runs, and about none of a later verb.

use crate::model::instant::DAY_MICROS;
use crate::model::pull::Purpose;
use crate::run::data_folder::{DataFolder, run_under_way, runs_under_way};
use crate::run::error::RunError;
use crate::run::ledger::Pull;
use crate::run::lock::Lock;
use crate::run::settling::folder::property_tests::{Desk, Rows, configuration};

const START: i64 = 1_790_000_000_000_000;

fn stopped<T: std::fmt::Debug>(done: Result<T, RunError>) -> i64 {
    match done.expect_err("it was asked to stop") {
        RunError::Stopped { run, by } => {
            assert_eq!(by, "an");
            run
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_not_lost_between_two_runs_of_a_verb_and_stops_no_later_verb() {
    let root = tempfile::tempdir().expect("a scratch folder");
    let config = configuration(root.path(), "lists");
    let path = root.path().join("data");
    let data = DataFolder::open(&config, &path, "test", 0).await.expect("a data folder");
    Desk::new(root.path(), String::new()).write("list.csv", Rows::from([(1, 0)]), false);
    assert_eq!(data.run_once(&[], START, &|_| {}).await.expect("the night ends").run, 1);
    assert_eq!(
        run_under_way(&data.ledger, &path).await.expect("it can be read"),
        None,
        "the lock is held without a run"
    );

    let now = START + DAY_MICROS;
    let slice = data.begin(Purpose::Backfill, now, &|_| {}).await.expect("a run begins");
    assert_eq!(run_under_way(&data.ledger, &path).await.expect("it can be read"), Some(slice));
    // The run ends before it is asked: the next slice is stopped, and so is whatever the verb does next.
    data.ledger.finish_run(slice, now, None).await.expect("it can be written");
    data.ledger.ask_to_stop(slice, "an", now).await.expect("it can be written");
    let next = data.begin(Purpose::Backfill, now, &|_| {}).await.expect("a run begins");
    assert_eq!((slice, next), (2, 3));
    let together = runs_under_way(&data.ledger, &path).await.expect("it can be read");
    assert_eq!(together, Some(1..=next), "all are runs of one holder");
    assert_eq!(stopped(data.end_if_stopped(data.check_stop(next).await).await), next);
    assert_eq!(stopped(data.replay(1, now, &|_| {}).await), 4);
    assert_eq!(stopped(data.run_once(&[], now, &|_| {}).await), 5);
    for run in 3..=5 {
        let run = data.ledger.run(run).await.expect("it can be read").expect("it was begun");
        assert_eq!((run.stopped_by.as_deref(), run.complete), (Some("an"), None));
        assert!(run.finished_at.is_some());
    }
    // A run that is left without an end is under way only while somebody holds the lock.
    let left = data.begin(Purpose::Night, now, &|_| {}).await.expect("a run begins");
    let ledger = data.ledger.clone();
    drop(data);
    assert_eq!(ledger.unfinished_runs().await.expect("it can be read"), [left]);
    assert_eq!(run_under_way(&ledger, &path).await.expect("it can be read"), None);
    let verify = Lock::take(&path, "verify", now).expect("it was given back");
    assert_eq!(run_under_way(&ledger, &path).await.expect("it can be read"), None, "its holder does no run");
    drop(verify);

    let data = DataFolder::open(&config, &path, "test", now).await.expect("a data folder");
    assert_eq!(run_under_way(&ledger, &path).await.expect("it can be read"), None, "it is a run of the holder before");
    // The run that was cut has not ended: a request to stop it stops none that finishes it.
    data.ledger.ask_to_stop(left, "an", now).await.expect("it can be written");
    assert_eq!(data.run_once(&[], now, &|_| {}).await.expect("nobody asked this one").run, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_of_a_stopped_run_is_not_reported_as_one_that_was_cut() {
    let root = tempfile::tempdir().expect("a scratch folder");
    let config = configuration(root.path(), "lists");
    let data = DataFolder::open(&config, &root.path().join("data"), "test", 0).await.expect("a data folder");
    let mut run = data.begin(Purpose::Night, START, &|_| {}).await.expect("a run begins");
    for (is_stopped, expected) in [(true, "stopped"), (false, "interrupted")] {
        let begun = Pull::begun(run, &config.connectors[0], Purpose::Night, START);
        data.ledger.write_pull(&begun).await.expect("it can be written");
        if is_stopped {
            data.ledger.stop_run(START, "an").await.expect("it can be written");
        }
        let next = data.begin(Purpose::Night, START, &|_| {}).await.expect("a run begins");
        let pulls = data.ledger.pulls_of_run(run).await.expect("it can be read");
        let [ended] = &pulls[..] else { panic!("one connector: {pulls:?}") };
        assert_eq!(ended.reason.as_deref(), Some(expected), "{ended:?}");
        assert_eq!(ended.message.as_ref().is_some_and(|message| message.contains("`an`")), is_stopped, "{ended:?}");
        run = next;
    }
}
