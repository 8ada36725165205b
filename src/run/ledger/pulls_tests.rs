use std::path::Path;

use super::*;
use crate::config;
use crate::model::page::Reason;
use crate::model::pull::{FieldsSeen, Sighting};
use crate::model::record::Rejection;
use crate::run::ledger::{AcceptedDeletions, KnownField, NewRejection, Settlement, key_hash};

fn connector() -> Connector {
    let text = include_str!("../../../connectors/feedback/connector.toml");
    config::connector_from_text("feedback", Path::new("connector.toml"), text).expect("it is shipped")
}

/// A complete night that accepted rows and read up to its run's number.
fn pull(run: i64, state: PullState, outcome: Outcome, accepted: u64) -> Pull {
    Pull {
        state,
        outcome: Some(outcome),
        counts: PullCounts { received: accepted, accepted, ..PullCounts::default() },
        cursor: Some(Cursor { read_until: Some(run), ..Cursor::default() }),
        ..Pull::begun(run, &connector(), Purpose::Night, 0)
    }
}

async fn ledger(pulls: &[Pull]) -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let ledger = Ledger::open(folder.path()).await.expect("a new ledger opens");
    for pull in pulls {
        ledger.write_pull(pull).await.expect("it is written");
    }
    (folder, ledger)
}

#[tokio::test]
async fn only_the_newest_pulls_keep_the_list_of_files_that_were_read() {
    let files = vec!["a".to_owned(), "b".to_owned()];
    let with_files = |run: i64, outcome: Outcome| Pull {
        cursor: Some(Cursor { files: files.clone(), read_until: Some(run), ..Cursor::default() }),
        ..pull(run, PullState::Done, outcome, 1)
    };
    // The pull of run 2 ended incomplete: no pull goes on from it, and it does not count among the newest.
    let outcome = |run: i64| if run == 2 { Outcome::Incomplete } else { Outcome::Complete };
    let pulls: Vec<Pull> = (1..=22).map(|run| with_files(run, outcome(run))).collect();
    let (_folder, ledger) = ledger(&pulls).await;
    let (found, bytes) = ledger.old_file_lists().await.expect("they are counted");
    // Runs 1 and 2 have the twenty complete ones from 3 to 22 after them.
    assert_eq!(found, 2);
    assert!(bytes > 0);
    ledger.remove_old_file_lists().await.expect("they are removed");
    let kept = ledger.pulls_of("feedback", 100).await.expect("they can be read");
    for (pull, before) in kept.iter().rev().zip(&pulls) {
        let cursor = before.cursor.clone().expect("each has one");
        let expected = if pull.run <= 2 { Cursor { files: Vec::new(), ..cursor } } else { cursor };
        assert_eq!(*pull, Pull { cursor: Some(expected), ..before.clone() });
    }
    assert_eq!(ledger.old_file_lists().await.expect("they are counted"), (0, 0));
    let cursor = ledger.cursor("feedback", Some(22)).await.expect("it can be read");
    assert_eq!((cursor.read_until, cursor.files), (Some(22), files.clone()));
}

#[tokio::test]
async fn a_cursor_counts_only_if_its_pull_is_done() {
    use Outcome::{Complete, Degraded, Failed, Incomplete};
    use PullState::{Done, Reading, Settled};
    for (what, pulls, reached, expected) in [
        ("no pull", vec![], None, None),
        ("done and committed", vec![pull(1, Done, Complete, 3)], Some(1), Some(1)),
        ("done and accepted nothing", vec![pull(1, Done, Complete, 3), pull(2, Done, Degraded, 0)], Some(1), Some(2)),
        (
            "a pull that never committed, and a later one that did",
            vec![pull(1, Done, Complete, 3), pull(2, Settled, Complete, 3), pull(3, Done, Incomplete, 2)],
            Some(3),
            Some(1),
        ),
        ("settled and committed", vec![pull(1, Done, Complete, 3), pull(2, Settled, Complete, 3)], Some(2), Some(1)),
        ("read", vec![pull(1, Done, Complete, 3), pull(2, Reading, Complete, 0)], Some(1), Some(1)),
        ("failed", vec![pull(1, Done, Complete, 3), pull(2, Done, Failed, 0)], Some(1), Some(1)),
        ("versions were lost", vec![pull(1, Done, Complete, 3), pull(2, Done, Complete, 3)], Some(1), None),
    ] {
        let (_folder, ledger) = ledger(&pulls).await;
        let cursor = ledger.cursor("feedback", reached).await.expect("it can be read");
        assert_eq!(cursor.read_until, expected, "{what}");
    }
}

#[tokio::test]
async fn pulls_that_are_not_done_are_found_in_every_run() {
    let pulls = [
        pull(3, PullState::Reading, Outcome::Complete, 0),
        pull(2, PullState::Done, Outcome::Complete, 1),
        pull(1, PullState::Settled, Outcome::Complete, 1),
    ];
    let (_folder, ledger) = ledger(&pulls).await;
    let found = ledger.unfinished_pulls().await.expect("they can be read");
    assert_eq!(found.iter().map(|pull| pull.run).collect::<Vec<_>>(), [1, 3]);
    ledger.discard_cursors_after("feedback", 1).await.expect("it is written");
    let cursors: Vec<bool> =
        ledger.pulls_of("feedback", 9).await.expect("read").iter().map(|pull| pull.cursor.is_some()).collect();
    assert_eq!(cursors, [false, false, true], "newest first");
}

/// Settles a pull that rejects `rejected` and has read `read`.
async fn settle(ledger: &Ledger, run: i64, rejected: &[&str], read: &[&str]) -> Pull {
    let settled = pull(run, PullState::Settled, Outcome::Complete, 1);
    let rejection = |key: &&str| Rejection {
        page: 1,
        row: 1,
        field: None,
        reason: Reason::ImpossibleOrder,
        key: Some((*key).to_owned()),
        row_hash: None,
    };
    let seen = Sighting { page: 1, row: 1, rows: 1 };
    let rejected: Vec<Rejection> = rejected.iter().map(rejection).collect();
    let new = |rejection| NewRejection { rejection, read_by: run, content: None, is_covered: false };
    let settlement = Settlement {
        pull: &settled,
        rejections: &rejected.iter().map(new).collect::<Vec<_>>(),
        keys_read: Some(&read.iter().map(|key| (key_hash(key), run)).collect()),
        closed: &[],
        covered: &[],
        opened: &[],
        fields: &FieldsSeen { others: [(format!("field{run}"), seen)].into(), ..FieldsSeen::default() },
        files: None,
        accepted_deletions: None,
        refused_deletions: Some(&[run.unsigned_abs()]),
    };
    ledger.write_settlement(&settlement).await.expect("it is written");
    settled
}

async fn open(ledger: &Ledger) -> Vec<i64> {
    let open = ledger.quarantined(None, None, true).await.expect("it can be read");
    open.iter().map(|row| row.run).collect()
}

/// Run, number of pulls in a row, the first of them, and the run that closed it, of every rejection.
async fn rejections(ledger: &Ledger) -> Vec<(i64, i64, i64, Option<i64>)> {
    let all = ledger.quarantined(None, None, false).await.expect("it can be read");
    all.iter().map(|row| (row.run, row.times, row.first_run, row.closed_by)).collect()
}

#[tokio::test]
async fn a_row_that_is_rejected_again_is_counted_and_its_earlier_rejections_go_with_the_landed_pages() {
    let (_folder, ledger) = ledger(&[]).await;
    settle(&ledger, 1, &["A", "B"], &[]).await;
    // B is accepted, A is rejected again. A second attempt at the same pull counts nothing twice.
    for _ in 0..2 {
        settle(&ledger, 2, &["A"], &["A", "B"]).await;
        assert_eq!(rejections(&ledger).await, [(2, 2, 1, None), (1, 1, 1, Some(2)), (1, 1, 1, Some(2))]);
    }
    settle(&ledger, 3, &["A"], &["A"]).await;
    let counted = [(3, 3, 1, None), (2, 2, 1, Some(3)), (1, 1, 1, Some(2)), (1, 1, 1, Some(2))];
    assert_eq!(rejections(&ledger).await, counted);
    // As long as a replay can settle one of the two pulls again, both rejections stay.
    ledger.note_landing_removed("feedback", 1, 0).await.expect("it is written");
    assert_eq!(ledger.old_repeats().await.expect("they are counted"), 0);
    ledger.note_landing_removed("feedback", 2, 0).await.expect("it is written");
    assert_eq!(ledger.old_repeats().await.expect("they are counted"), 1);
    ledger.remove_old_repeats().await.expect("they are deleted");
    // That of B stays: no later rejection counts it.
    assert_eq!(rejections(&ledger).await, [(3, 3, 1, None), (2, 2, 1, Some(3)), (1, 1, 1, Some(2))]);
    assert_eq!(ledger.old_repeats().await.expect("they are counted"), 0);
    // The last rejection of a row stays, also when it is closed: no later one counts it.
    settle(&ledger, 4, &[], &["A"]).await;
    for run in [3, 4] {
        ledger.note_landing_removed("feedback", run, 0).await.expect("it is written");
    }
    ledger.remove_old_repeats().await.expect("they are deleted");
    assert_eq!(rejections(&ledger).await, [(3, 3, 1, Some(4)), (1, 1, 1, Some(2))]);
}

#[tokio::test]
async fn what_an_earlier_attempt_settled_is_replaced_or_undone() {
    let (_folder, ledger) = ledger(&[]).await;
    settle(&ledger, 1, &["A", "B"], &[]).await;
    assert_eq!(open(&ledger).await, [1, 1]);
    // The first attempt reads both; the second one, with another mapping, reads A alone and rejects C.
    settle(&ledger, 2, &[], &["A", "B"]).await;
    assert!(open(&ledger).await.is_empty());
    let settled = settle(&ledger, 2, &["C"], &["A"]).await;
    assert_eq!(open(&ledger).await, [2, 1]);
    // A failure undoes all of it.
    let failed = Pull { outcome: Some(Outcome::Failed), ..settled };
    ledger.revoke_settlement(&failed).await.expect("it is written");
    assert_eq!(open(&ledger).await, [1, 1]);
    let known = KnownField { name: "field1".to_owned(), first_run: 1, last_run: Some(1) };
    assert_eq!(ledger.fields_seen("feedback", 9).await.expect("they can be read"), [known]);
}

#[tokio::test]
async fn a_damaged_cursor_does_not_count_and_one_of_an_older_version_does() {
    let pulls = [pull(1, PullState::Done, Outcome::Complete, 3)];
    for (what, sql, expected) in [
        ("another moment", "UPDATE pulls SET cursor = replace(cursor, '\"read_until\": 1', '\"read_until\": 3')", None),
        ("cut short", "UPDATE pulls SET cursor = substr(cursor, 1, 20)", None),
        (
            "as older versions wrote it",
            "UPDATE pulls SET cursor = '{\"read_until\":1,\"connector\":\"\",\"files\":[]}'",
            Some(1),
        ),
    ] {
        let (_folder, ledger) = ledger(&pulls).await;
        let changed = sqlx::query(sql).execute(&ledger.pool).await.expect("the statement is SQL");
        assert_eq!(changed.rows_affected(), 1);
        let cursor = ledger.cursor("feedback", Some(1)).await.expect("it can be read");
        assert_eq!(cursor.read_until, expected, "{what}");
    }
}

/// Each settlement of these tests refuses to delete one row, whose key has the number of the run.
#[tokio::test]
async fn refused_rows_are_kept_while_they_are_the_newest_or_accepted() {
    let (_folder, ledger) = ledger(&[]).await;
    let refused = async |run| ledger.refused_keys("feedback", run).await.expect("they can be read");
    settle(&ledger, 1, &[], &[]).await;
    assert_eq!(refused(1).await, Some([1].into()));
    settle(&ledger, 2, &[], &[]).await;
    assert_eq!((refused(1).await, refused(2).await), (None, Some([2].into())));
    let accepted = AcceptedDeletions {
        id: 0,
        connector: "feedback".to_owned(),
        refused_by: 2,
        rows: 1,
        accepted_by: "an".to_owned(),
        accepted_at: 0,
        used_by: None,
    };
    ledger.accept_deletions(&accepted).await.expect("it is written");
    let settled = settle(&ledger, 3, &[], &[]).await;
    assert_eq!((refused(2).await, refused(3).await), (Some([2].into()), Some([3].into())));
    ledger.revoke_settlement(&settled).await.expect("it is written");
    assert_eq!((refused(2).await, refused(3).await), (Some([2].into()), None));
    // A pull that fails decides about nothing: what the one before it refused is still open.
    settle(&ledger, 4, &[], &[]).await;
    let failed = pull(5, PullState::Done, Outcome::Failed, 0);
    ledger.revoke_settlement(&failed).await.expect("it is written");
    assert_eq!(ledger.refused_keys_before("feedback", 6).await.expect("they can be read"), [4].into());
}
