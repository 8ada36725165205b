//! Whole rows and parts of one record, worked by hand, and against the record of all rows.

use proptest::prelude::*;

use super::tests::{KIND, after, column, fold, fold_known, row, shown, stated};
use super::*;

/// A whole row of a file of this time; it has no change time of its own.
fn whole(run: i64, time: i64, page: u32, text: &str) -> KeyRow {
    let part = row(run, 0, page, text);
    KeyRow { record: Record { row_hash: None, ..part.record }, whole_at: Some(time), ..part }
}

/// A row of a file: its time, whether it is a whole row, its page, and what it states.
type FileRow = (i64, bool, u32, &'static str);

fn file_rows(run: i64, rows: &[FileRow]) -> Vec<KeyRow> {
    let read = |&(time, is_whole, page, text): &FileRow| {
        if is_whole { whole(run, time, page, text) } else { row(run, time, page, text) }
    };
    rows.iter().map(read).collect()
}

/// Newest whole row and newest part of pulls that were read before.
fn beside(pulls: &[&[FileRow]]) -> RowsBeside {
    let newest = |wanted: bool| {
        let rows = pulls.iter().flat_map(|pull| pull.iter());
        rows.filter(|(_, is_whole, ..)| *is_whole == wanted).map(|(time, ..)| *time).max()
    };
    RowsBeside { whole_at: newest(true), part_at: newest(false) }
}

/// Takes pulls of files one after the other and shows the last one.
fn files_shown_after(pulls: &[&[FileRow]]) -> String {
    let (mut stored, mut last) = (None, String::new());
    for (number, pull) in pulls.iter().enumerate() {
        let run = i64::try_from(number).expect("few pulls") + 1;
        let known = KnownKey { stored: stored.clone(), beside: Some(beside(&pulls[..number])) };
        let folded = fold_known(false, &known, file_rows(run, pull));
        stored = after(run, stored, &folded);
        last = shown(&folded, stored.as_ref());
    }
    last
}

#[test]
fn a_whole_row_is_the_whole_record_and_parts_after_it_fill_it() {
    const WHOLE: bool = true;
    const PART: bool = false;
    let first: &[FileRow] = &[(10, WHOLE, 1, "o=x s=a"), (12, PART, 2, "s=b"), (14, PART, 3, "s=c f=1")];
    for (what, pulls, expected) in [
        ("a whole row and its parts", vec![first], "AAA 14 s=c o=x f=1"),
        (
            "in any order of pages",
            vec![&[(14, PART, 1, "s=c"), (10, WHOLE, 2, "o=x s=a"), (12, PART, 3, "s=b f=1")][..]],
            "AAA 14 s=c o=x f=1",
        ),
        ("a later whole row has what the record has", vec![first, &[(20, WHOLE, 1, "o=y s=a")]], "A 14 s=a o=y"),
        (
            "and the parts before it count no more",
            vec![first, &[(20, WHOLE, 1, "o=y s=a"), (16, PART, 2, "s=d f=2")]],
            "AS 14 s=a o=y",
        ),
        (
            "nor do they if they come later",
            vec![first, &[(20, WHOLE, 1, "o=y s=a")], &[(16, PART, 1, "s=d f=2")]],
            "S 14 s=a o=y",
        ),
        (
            "also where the whole row left a column empty",
            vec![first, &[(20, WHOLE, 1, "o=y s=a")], &[(16, PART, 1, "f=2")]],
            "S 14 s=a o=y",
        ),
        (
            "a part of the moment of the whole row counts",
            vec![&[(10, PART, 1, "s=b"), (10, WHOLE, 2, "o=x s=a")][..]],
            "AA 10 s=b o=x",
        ),
        (
            "parts after the later whole row",
            vec![first, &[(20, WHOLE, 1, "o=y s=a"), (21, PART, 2, "s=d")]],
            "AA 21 s=d o=y",
        ),
        ("the same rows again", vec![first, first], "SSU 14 s=c o=x f=1"),
        (
            "of two whole rows the later one counts",
            vec![&[(10, WHOLE, 1, "o=x s=a"), (11, WHOLE, 2, "o=y")][..]],
            "SA 0 o=y",
        ),
        ("a whole row twice", vec![&[(10, WHOLE, 1, "o=x"), (11, WHOLE, 2, "o=x")][..]], "DA 0 o=x"),
        ("a whole row that comes late", vec![first, &[(5, WHOLE, 1, "o=z s=z")]], "S 14 s=c o=x f=1"),
        (
            "a whole row between stored parts and the whole row before",
            vec![first, &[(11, WHOLE, 1, "o=z s=z f=9")]],
            "A 14 s=c o=z f=1",
        ),
        (
            "a part of the moment of a whole row that comes later counts",
            vec![&[(10, PART, 1, "s=b")], &[(10, WHOLE, 1, "o=x s=a")]],
            "A 10 s=b o=x",
        ),
        ("parts before any whole row", vec![&[(12, PART, 1, "s=b")][..]], "A 12 s=b"),
        (
            "and the whole row that is older",
            vec![&[(12, PART, 1, "s=b")], &[(10, WHOLE, 1, "o=x s=a f=1")]],
            "A 12 s=b o=x f=1",
        ),
        ("or newer", vec![&[(12, PART, 1, "s=b")], &[(13, WHOLE, 1, "o=x s=a")]], "A 12 s=a o=x"),
        (
            "a late part fills what newer parts left empty",
            vec![&[(10, WHOLE, 1, "o=x s=a"), (14, PART, 2, "s=c")], &[(12, PART, 1, "s=b f=1")]],
            "A 14 s=c o=x f=1",
        ),
    ] {
        assert_eq!(files_shown_after(&pulls), expected, "{what}");
    }
}

#[test]
fn files_that_are_read_again_under_another_map_give_the_record_of_that_map() {
    let first = file_rows(1, &[(10, true, 1, "o=x s=a"), (12, false, 2, "s=b f=1"), (14, false, 3, "s=c")]);
    let stored =
        after(1, None, &fold_known(false, &KnownKey { stored: None, beside: Some(RowsBeside::default()) }, first));
    let again = file_rows(2, &[(10, true, 1, "o=X s=A"), (12, false, 2, "s=B f=2"), (14, false, 3, "s=C")]);
    let known = KnownKey { stored: stored.clone(), beside: Some(RowsBeside::default()) };
    let folded = fold_known(false, &known, again);
    assert_eq!(shown(&folded, after(2, stored, &folded).as_ref()), "AAA 14 s=C o=X f=2");
}

#[test]
fn the_last_version_of_a_pull_is_the_newest_one_of_the_table() {
    let first = file_rows(1, &[(10, true, 1, "o=x s=a"), (14, false, 2, "s=c")]);
    let none = KnownKey { stored: None, beside: Some(RowsBeside::default()) };
    let stored = after(1, None, &fold_known(false, &none, first));
    // Read again, in pages of the opposite order: all versions have the stored change time.
    let again = file_rows(2, &[(10, true, 9, "o=X s=A"), (12, false, 5, "s=B f=2"), (14, false, 3, "s=C")]);
    let folded = fold_known(false, &KnownKey { stored: stored.clone(), ..none }, again);
    assert_eq!(shown(&folded, after(2, stored, &folded).as_ref()), "ASS 14 s=C o=X f=2");
}

#[test]
fn over_http_a_whole_row_that_is_older_than_the_stored_version_counts_only_if_that_has_no_whole_row() {
    let timed = |run, time, text: &str| {
        let mut late = whole(run, time, 1, text);
        late.record.values[column(CHANGE_TIME)] = Value::Instant(time);
        late
    };
    for (first, text, expected) in [
        (row(1, 12, 1, "s=b"), "o=x s=a f=1", "A 12 s=b o=x f=1"),
        (timed(1, 12, "o=y"), "o=x s=a f=1", "S 12 o=y"),
        (timed(1, 9, "o=y f=2"), "o=x s=a", "A 10 s=a o=x"),
    ] {
        let stored = after(1, None, &fold(false, None, vec![first]));
        let folded = fold(false, stored.as_ref(), vec![timed(2, 10, text)]);
        assert_eq!(shown(&folded, after(2, stored, &folded).as_ref()), expected);
    }
}

/// The record of all rows of files: the newest whole row, then the parts that are not older, each by its moment.
fn record_of_files(rows: &[(i64, bool, String)]) -> Vec<Value> {
    let newest = rows.iter().enumerate().filter(|(_, row)| row.1).max_by_key(|(at, row)| (row.0, *at));
    let mut values = vec![Value::Null; KIND.columns().len()];
    values[column("source_key")] = Value::Text("K".into());
    let floor = newest.map_or(i64::MIN, |(_, row)| row.0);
    let mut parts: Vec<(usize, &(i64, bool, String))> =
        rows.iter().enumerate().filter(|(_, row)| !row.1 && row.0 >= floor).collect();
    parts.sort_by_key(|(at, row)| (row.0, *at));
    let stating = newest.into_iter().chain(parts);
    for (at, value) in stating.flat_map(|(_, row)| stated(&row.2)) {
        values[at] = value;
    }
    values
}

/// Rows of files in the order in which they are sent: time steps, whether whole, letters. Whole rows state the office.
fn files() -> impl Strategy<Value = Vec<Vec<(i64, bool, String)>>> {
    let part = (0_usize..2, 0_u8..3).prop_map(|(letter, value)| format!("{}={value}", ["s", "f"][letter]));
    let row = (1_i64..3, any::<bool>(), prop::collection::vec(part, 0..3)).prop_map(|(step, is_whole, parts)| {
        let office = if is_whole { " o=x" } else { "" };
        (step, is_whole, format!("{}{office}", parts.join(" ")))
    });
    prop::collection::vec(prop::collection::vec(row, 1..5), 1..5).prop_map(|mut pulls| {
        let mut time = 0;
        for row in pulls.iter_mut().flatten() {
            time += row.0;
            row.0 = time;
        }
        pulls
    })
}

proptest! {
    /// Files that come night by night in the order of their times, in any order within a night, give the record of all rows;
    /// all of them read again change nothing.
    #[test]
    fn files_give_the_record_of_all_their_rows(nights in files(), turn in 0_usize..5) {
        let mut stored: Option<StoredRow> = None;
        let mut known = RowsBeside::default();
        let mut all: Vec<(i64, bool, String)> = Vec::new();
        for (run, night) in (1..).zip(&nights) {
            let read = |(page, (time, is_whole, text)): (u32, &(i64, bool, String))| {
                if *is_whole { whole(run, *time, page, text) } else { row(run, *time, page, text) }
            };
            let mut sent: Vec<&(i64, bool, String)> = night.iter().collect();
            sent.rotate_left(turn % night.len());
            let rows: Vec<KeyRow> = (1..).zip(sent).map(read).collect();
            let folded = fold_known(false, &KnownKey { stored: stored.clone(), beside: Some(known) }, rows);
            prop_assert_eq!(folded.len(), night.len());
            stored = after(run, stored, &folded);
            for (time, is_whole, text) in night {
                let at = if *is_whole { &mut known.whole_at } else { &mut known.part_at };
                *at = Some(*time).max(*at);
                all.push((*time, *is_whole, text.clone()));
            }
            let mut merged = stored.as_ref().expect("a row of the key").values.clone();
            merged[column(CHANGE_TIME)] = Value::Null;
            prop_assert_eq!(merged, record_of_files(&all), "{:?}", &nights);
        }
        let read = |(page, (time, is_whole, text)): (u32, &(i64, bool, String))| {
            if *is_whole { whole(99, *time, page, text) } else { row(99, *time, page, text) }
        };
        // Read in the opposite order.
        let again = (1..).zip(all.iter().rev()).map(read).collect();
        let known = KnownKey { stored: stored.clone(), beside: Some(RowsBeside::default()) };
        let folded = fold_known(false, &known, again);
        let changed = after(99, stored.clone(), &folded);
        let changed = changed.map(|row| row.values);
        prop_assert_eq!(changed, stored.map(|row| row.values), "{:?} again", &nights);
    }
}
