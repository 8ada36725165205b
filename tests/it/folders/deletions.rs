//! Rows that lists no longer have: which are deleted, which are left, and what an operator accepts.
#![expect(clippy::disallowed_methods, reason = "edge: a test edits the connector")]

use std::ops::Range;
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

use super::{Desk, IN_TIME, LATE};

/// Codes of forty dossiers.
struct Codes(Vec<String>);

impl Codes {
    fn new() -> Self {
        Self((0..40).map(|number| format!("case-{number}")).collect())
    }

    /// Rows of some of them, all in time.
    fn rows(&self, range: Range<usize>) -> Vec<(&str, &str)> {
        self.0[range].iter().map(|code| (code.as_str(), IN_TIME)).collect()
    }
}

impl Desk {
    /// The open refusals and the acceptances.
    fn listed(&self) -> Vec<Json> {
        let listed = self.act(&["deletions", "list", "--format", "json"]);
        serde_json::from_slice(&listed.stdout).unwrap_or_else(|_| panic!("{listed:?}"))
    }

    fn accept(&self) {
        let accepted = self.act(&["deletions", "accept", "office"]);
        assert_eq!(accepted.status.code(), Some(0), "{accepted:?}");
    }

    /// Declares what the lists of the folder are.
    fn declare(&self, content: &str) {
        let path = self.folder.path().join("office/connector.toml");
        let text = std::fs::read_to_string(&path).expect("the connector is there");
        assert!(text.contains("settle_secs = 0\n"), "{text}");
        let declared = text.replace("settle_secs = 0\n", &format!("settle_secs = 0\ncontent = \"{content}\"\n"));
        std::fs::write(&path, declared).expect("it can be edited");
    }
}

#[test]
fn a_large_deletion_is_made_once_an_operator_has_accepted_it() {
    let desk = Desk::new();
    let codes = Codes::new();
    let rows = |range| codes.rows(range);
    desk.put("a.csv", 9, &rows(0..20));
    desk.put("b.csv", 8, &rows(20..40));
    assert_eq!(desk.night(), (Some(0), [40, 40]));
    let refused = desk.act(&["deletions", "accept", "office"]);
    assert_eq!(refused.status.code(), Some(2), "nothing was refused: {refused:?}");
    // An office left the province: most rows of both files are gone, and that is true.
    desk.put("a.csv", 7, &rows(0..6));
    desk.put("b.csv", 6, &rows(20..26));
    assert_eq!(desk.night(), (Some(4), [40, 40]));
    assert_eq!(desk.night(), (Some(4), [40, 40]), "nothing is deleted of itself");
    let refused = desk.listed();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!((refused[0]["rows"].as_u64(), refused[0]["run"].as_u64()), (Some(28), Some(3)), "{refused:?}");
    desk.accept();
    // By then more rows are gone than were accepted.
    desk.put("a.csv", 5, &rows(0..5));
    assert_eq!(desk.night(), (Some(4), [40, 40]));
    desk.put("a.csv", 4, &rows(0..6));
    assert_eq!(desk.night(), (Some(0), [12, 12]));
    let listed = desk.listed();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!((listed[0]["rows"].as_u64(), listed[0]["used_by"].as_u64()), (Some(28), Some(5)), "{listed:?}");
    assert!(listed[0]["accepted_by"].is_string() && listed[0]["accepted_at"].is_string(), "{listed:?}");
    let shown = String::from_utf8_lossy(&desk.act(&["status"]).stdout).into_owned();
    assert!(shown.contains("an operator accepted it"), "{shown}");
    // It counts once.
    desk.put("b.csv", 3, &rows(20..21));
    assert_eq!(desk.night(), (Some(4), [12, 12]));
}

#[test]
fn an_acceptance_counts_for_the_rows_that_were_refused() {
    let desk = Desk::new();
    let codes = Codes::new();
    desk.put("a.csv", 9, &codes.rows(0..20));
    desk.put("b.csv", 8, &codes.rows(20..40));
    assert_eq!(desk.night(), (Some(0), [40, 40]));
    desk.put("a.csv", 7, &codes.rows(0..6));
    assert_eq!(desk.night(), (Some(4), [40, 40]));
    desk.accept();
    // The list is put back before the next night, and another one loses as many rows.
    desk.put("a.csv", 9, &codes.rows(0..20));
    desk.put("b.csv", 7, &codes.rows(20..26));
    assert_eq!(desk.night(), (Some(4), [40, 40]), "nobody accepted that these are deleted");
    desk.put("a.csv", 7, &codes.rows(0..6));
    desk.put("b.csv", 8, &codes.rows(20..40));
    assert_eq!(desk.night(), (Some(0), [26, 26]));
}

#[test]
fn files_that_swap_their_names_lose_no_row() {
    let desk = Desk::new();
    let (first, second) = ([("case-1", IN_TIME), ("case-2", IN_TIME)], [("case-3", IN_TIME), ("case-4", LATE)]);
    desk.put("a.csv", 9, &first);
    desk.put("b.csv", 9, &second);
    assert_eq!(desk.night(), (Some(0), [3, 4]));
    desk.put("a.csv", 9, &second);
    desk.put("b.csv", 9, &first);
    assert_eq!(desk.night(), (Some(0), [3, 4]));
    assert_eq!(desk.listed().len(), 0, "there is nothing to accept");
    // What a list holds under its new name is edited like any other.
    desk.put("b.csv", 8, &first[..1]);
    assert_eq!(desk.night(), (Some(0), [2, 3]));
}

#[test]
fn lists_that_are_declared_whole_delete_what_the_newest_lacks() {
    for (newest, expected) in [(2..6, (Some(0), [4, 4])), (5..6, (Some(4), [6, 6]))] {
        let desk = Desk::new();
        let codes = Codes::new();
        desk.put("a.csv", 9, &codes.rows(0..6));
        desk.put("b.csv", 8, &codes.rows(newest.clone()));
        assert_eq!(desk.night(), (Some(0), [6, 6]));
        desk.declare("whole");
        assert_eq!(desk.night(), expected, "{newest:?}");
        assert_eq!(desk.night(), expected, "{newest:?}: and so every night");
    }
}

#[test]
fn a_deletion_that_a_whole_list_was_refused_is_refused_for_the_next_list_too() {
    let desk = Desk::new();
    let codes = Codes::new();
    desk.put("a.csv", 9, &codes.rows(0..15));
    desk.put("b.csv", 8, &codes.rows(15..20));
    assert_eq!(desk.night(), (Some(0), [20, 20]));
    desk.declare("whole");
    assert_eq!(desk.night(), (Some(4), [20, 20]));
    desk.put("c.csv", 7, &codes.rows(15..21));
    assert_eq!(desk.night(), (Some(4), [21, 21]), "nobody accepted that fifteen rows are deleted");
    desk.accept();
    assert_eq!(desk.night(), (Some(0), [6, 6]));
}

#[test]
fn a_row_that_leaves_its_list_counts_by_another_one_whatever_the_order_said_before() {
    // Two lists that were saved at once: which of them counts, only their names say.
    for names in [["a.csv", "c.csv"], ["c.csv", "a.csv"], ["b.csv", "d.csv"], ["d.csv", "b.csv"]] {
        let desk = Desk::new();
        let rows = |end| [("case-1", end), ("case-2", end), ("case-3", end)];
        let saved = SystemTime::now() - Duration::from_hours(9 * 24);
        for (name, end) in names.into_iter().zip([LATE, IN_TIME]) {
            desk.put(name, 9, &rows(end));
            let list = std::fs::File::options().write(true).open(desk.folder.path().join("lists").join(name));
            list.expect("the list is there").set_modified(saved).expect("its time can be set");
        }
        desk.night();
        // The list with the rows in time loses one of them: the other list is all that says something of it.
        desk.put(names[1], 8, &rows(IN_TIME)[1..]);
        assert_eq!(desk.night(), (Some(0), [2, 3]), "{names:?}");
    }
}

#[test]
fn a_row_that_was_rejected_and_then_removed_counts_by_the_other_list() {
    let desk = Desk::new();
    let rows = |first: &'static str, end| [(first, end), ("case-2", end), ("case-3", end)];
    desk.put("b.csv", 9, &rows("case-1", LATE));
    desk.put("a.csv", 8, &rows("case-1", IN_TIME));
    assert_eq!(desk.night(), (Some(0), [3, 3]));
    desk.put("a.csv", 7, &rows("case-1", "13-45"));
    assert_eq!(desk.night().1, [3, 3], "the row is there, and has no values");
    desk.put("a.csv", 6, &rows("case-1", IN_TIME)[1..]);
    assert_eq!(desk.night(), (Some(0), [2, 3]));
}

#[test]
fn rows_that_are_kept_of_an_appended_list_stay_when_all_is_read_again() {
    let desk = Desk::new();
    desk.declare("append");
    desk.put("a.csv", 8, &[("case-1", IN_TIME), ("case-2", IN_TIME)]);
    desk.put("b.csv", 9, &[("case-1", LATE), ("case-2", LATE)]);
    assert_eq!(desk.night(), (Some(0), [2, 2]));
    desk.put("a.csv", 7, &[("case-3", IN_TIME), ("case-4", IN_TIME)]);
    assert_eq!(desk.night(), (Some(0), [4, 4]));
    // Another declaration reads every list again.
    let connector = desk.folder.path().join("office/connector.toml");
    let text = std::fs::read_to_string(&connector).expect("the connector is there");
    assert!(text.contains("footers = [\"Total\"]"), "{text}");
    std::fs::write(&connector, text.replace("footers = [\"Total\"]", "footers = [\"Total\", \"Sum\"]"))
        .expect("it can be edited");
    assert_eq!(desk.night(), (Some(0), [4, 4]));
}

#[test]
fn rows_that_count_again_by_another_list_or_are_deleted_stay_one_row_each() {
    let desk = Desk::new();
    let codes = Codes::new();
    let late: Vec<(&str, &str)> = codes.rows(0..10).into_iter().map(|(code, _)| (code, LATE)).collect();
    desk.put("a.csv", 9, &late);
    desk.put("b.csv", 8, &codes.rows(0..10));
    assert_eq!(desk.night(), (Some(0), [10, 10]));
    // Three rows leave the newer list: the older one decides about them.
    desk.put("b.csv", 7, &codes.rows(0..7));
    assert_eq!(desk.night(), (Some(0), [7, 10]));
    // They leave the older one too.
    desk.put("a.csv", 6, &late[..7]);
    assert_eq!(desk.night(), (Some(0), [0, 7]), "the older list was saved last");
    assert_eq!(desk.act(&["verify"]).status.code(), Some(0));
}
