//! Merging worked by hand, and against a merge that is written as a formula over all rows.

use proptest::prelude::*;

use super::*;

pub(super) const KIND: RecordKind = RecordKind::PostalItems;

pub(super) fn column(name: &str) -> usize {
    KIND.column_index(name).expect("a column")
}

/// The columns that the examples use, by letter.
const LETTERS: [(char, &str); 3] = [('s', "status"), ('o', "post_office"), ('f', "fee")];

pub(super) fn stated(text: &str) -> Vec<(usize, Value)> {
    let letters = text.split_whitespace().map(|part| {
        let (letter, value) = part.split_once('=').expect("letter=value");
        let (_, name) = LETTERS.iter().find(|(known, _)| letter.starts_with(*known)).expect("a known letter");
        (column(name), Value::Text(value.into()))
    });
    letters.collect()
}

/// A row: its change time (0: none), its page, and what it states, such as `s=a f=1`. It was read by `run`.
pub(super) fn row(run: i64, time: i64, page: u32, text: &str) -> KeyRow {
    let mut values = vec![Value::Null; KIND.columns().len()];
    values[column("source_key")] = Value::Text("K".into());
    if time > 0 {
        values[column(CHANGE_TIME)] = Value::Instant(time);
    }
    for (at, value) in stated(text) {
        values[at] = value;
    }
    let record =
        Record { digest: digest_of(&values), values, page, row: 1, issues: Vec::new(), row_hash: Some(page.into()) };
    KeyRow { record, place: (run, i64::from(page), 1), whole_at: None }
}

pub(super) fn fold(is_strict: bool, stored: Option<&StoredRow>, rows: Vec<KeyRow>) -> Vec<(KeyRow, Folded)> {
    fold_known(is_strict, &KnownKey { stored: stored.cloned(), beside: None }, rows)
}

/// Whole rows state the office of the post, which no part does here.
pub(super) fn fold_known(is_strict: bool, known: &KnownKey, rows: Vec<KeyRow>) -> Vec<(KeyRow, Folded)> {
    let failed = |values: &[Value]| {
        let is_wrong = values[column("status")] == Value::Text("wrong".into());
        if is_wrong { vec![("wrong_status", "status")] } else { Vec::new() }
    };
    let part_columns = [column("status"), column("fee"), column(CHANGE_TIME)];
    let whole_columns = [column("post_office")];
    let (part_columns, whole_columns) = (&part_columns[..], &whole_columns[..]);
    Fold { kind: KIND, failed: &failed, is_strict, is_reported: !is_strict, part_columns, whole_columns }
        .fold(known, rows)
}

/// The stored version after a pull of `run`, as a table takes it: by change time, then by page and row.
pub(super) fn after(run: i64, stored: Option<StoredRow>, folded: &[(KeyRow, Folded)]) -> Option<StoredRow> {
    let versions = folded.iter().filter_map(|(_, one)| match one {
        Folded::Version(record) => Some(record),
        _ => None,
    });
    let newest =
        versions.max_by_key(|record| (record.values[column(CHANGE_TIME)].as_instant(), record.page, record.row));
    let row = |record: &Record| StoredRow {
        values: record.values.clone(),
        place: (run, record.page.into(), record.row.into()),
        is_ahead: false,
    };
    newest.map(row).or(stored)
}

/// Classes of the rows in the order of their pages, then what is stored: `AUDSR`, change time and columns.
pub(super) fn shown(folded: &[(KeyRow, Folded)], stored: Option<&StoredRow>) -> String {
    let mut classes: Vec<(u32, char)> = folded
        .iter()
        .map(|(row, folded)| {
            let class = match folded {
                Folded::Version(_) => 'A',
                Folded::Class(RecordClass::Unchanged) => 'U',
                Folded::Class(RecordClass::Duplicate) => 'D',
                Folded::Class(RecordClass::Superseded) => 'S',
                Folded::Class(RecordClass::Accepted) => '?',
                Folded::Rejected(_) => 'R',
            };
            (row.record.page, class)
        })
        .collect();
    classes.sort_unstable();
    let classes: String = classes.into_iter().map(|(_, class)| class).collect();
    let Some(stored) = stored else { return classes };
    let time = stored.values[column(CHANGE_TIME)].as_instant().unwrap_or(0);
    let values = LETTERS.iter().filter_map(|(letter, name)| Some((letter, stored.values[column(name)].as_text()?)));
    let values: Vec<String> = values.map(|(letter, text)| format!("{letter}={text}")).collect();
    format!("{classes} {time} {}", values.join(" "))
}

/// Takes pulls one after the other and shows the last one.
fn shown_after(pulls: &[&[(i64, &str)]]) -> String {
    let (mut stored, mut last) = (None, String::new());
    for (run, pull) in (1..).zip(pulls) {
        let rows = (1..).zip(*pull).map(|(page, (time, text))| row(run, *time, page, text)).collect();
        let folded = fold(false, stored.as_ref(), rows);
        stored = after(run, stored, &folded);
        last = shown(&folded, stored.as_ref());
    }
    last
}

#[test]
fn rows_are_merged_as_worked_by_hand() {
    let first: &[_] = &[(5, "s=a o=x"), (9, "s=b")];
    for (what, pulls, expected) in [
        ("the first rows of a key", vec![first], "AA 9 s=b o=x"),
        ("the order is that of the change times", vec![&[(9, "s=b"), (5, "s=a o=x")][..]], "AA 9 s=b o=x"),
        ("the same rows again", vec![first, first], "SU 9 s=b o=x"),
        ("a newer row", vec![first, &[(10, "f=1")]], "A 10 s=b o=x f=1"),
        ("an empty column states nothing", vec![first, &[(10, "")]], "A 10 s=b o=x"),
        ("an older row fills what is empty", vec![first, &[(7, "s=c f=1")]], "A 9 s=b o=x f=1"),
        ("and replaces nothing", vec![first, &[(7, "s=c o=y")]], "S 9 s=b o=x"),
        ("an older row that says the same", vec![first, &[(7, "s=b")]], "U 9 s=b o=x"),
        ("of older rows the newest fills", vec![first, &[(7, "f=2"), (6, "f=1")]], "AS 9 s=b o=x f=2"),
        ("also if it comes later", vec![first, &[(6, "f=1"), (7, "f=2")]], "AA 9 s=b o=x f=2"),
        ("older and newer rows in one pull", vec![first, &[(6, "f=1 s=z"), (12, "s=c")]], "AA 12 s=c o=x f=1"),
        ("a row twice", vec![&[(5, "s=a"), (5, "s=a")][..]], "AD 5 s=a"),
        (
            "rows of one time, then the same again",
            vec![&[(5, "s=a"), (5, "s=b")], &[(5, "s=a"), (5, "s=b")]],
            "SU 5 s=b",
        ),
        ("and a new one", vec![&[(5, "s=a"), (5, "s=b")], &[(5, "s=a"), (5, "s=b"), (6, "f=1")]], "SUA 6 s=b f=1"),
        ("without change times the later row counts", vec![&[(0, "s=a o=x"), (0, "s=b")][..]], "AA 0 s=b o=x"),
        (
            "and a list that is read again changes nothing",
            vec![&[(0, "s=a"), (0, "s=b")], &[(0, "s=a"), (0, "s=b")]],
            "SU 0 s=b",
        ),
        ("a row without change time is read later", vec![first, &[(0, "s=c")]], "A 9 s=c o=x"),
    ] {
        assert_eq!(shown_after(&pulls), expected, "{what}");
    }
}

#[test]
fn rows_of_an_earlier_run_fill_only_what_is_empty() {
    let stored = after(3, None, &fold(false, None, vec![row(3, 0, 1, "s=b")]));
    for (run, expected) in [(2, "A 0 s=b o=x"), (4, "A 0 s=a o=x")] {
        let folded = fold(false, stored.as_ref(), vec![row(run, 0, 1, "s=a o=x")]);
        assert_eq!(shown(&folded, after(4, stored.clone(), &folded).as_ref()), expected, "read by run {run}");
    }
}

#[test]
fn a_stored_time_in_the_future_makes_no_row_older() {
    let stored = after(1, None, &fold(false, None, vec![row(1, 99, 1, "s=a")]))
        .map(|stored| StoredRow { is_ahead: true, ..stored });
    let folded = fold(false, stored.as_ref(), vec![row(2, 5, 1, "s=b")]);
    assert_eq!(shown(&folded, after(2, stored, &folded).as_ref()), "A 99 s=b");
}

#[test]
fn a_merged_record_that_fails_a_check_is_reported_or_its_row_is_rejected() {
    let rows = || vec![row(1, 5, 1, "s=a"), row(1, 6, 2, "s=wrong f=1"), row(1, 7, 3, "o=x")];
    let folded = fold(true, None, rows());
    assert_eq!(shown(&folded, after(1, None, &folded).as_ref()), "ARA 7 s=a o=x");
    let folded = fold(false, None, rows());
    assert_eq!(shown(&folded, after(1, None, &folded).as_ref()), "AAA 7 s=wrong o=x f=1");
    let reported = folded.iter().filter(|(_, one)| matches!(one, Folded::Version(record) if !record.issues.is_empty()));
    assert_eq!(reported.count(), 1, "a check that fails already is reported once");
}

/// The stored columns and change time after a pull, by the rule of decision 0020 as a formula: of the rows that are not older
/// than what is stored, the newest that states a column gives its value; else the stored value stays; else the newest of
/// the older rows gives it.
fn by_formula(stored: Option<&StoredRow>, rows: &[KeyRow]) -> Vec<Value> {
    let time = column(CHANGE_TIME);
    let rank = |row: &&KeyRow| (row.record.values[time].as_instant(), row.place);
    let known = stored.map(|stored| (stored.values[time].as_instant(), stored.place));
    let (old, new): (Vec<&KeyRow>, Vec<&KeyRow>) =
        rows.iter().partition(|row| known.is_some_and(|known| rank(row) < known));
    let newest = |rows: &[&KeyRow], at: usize| {
        let stating = rows.iter().copied().filter(|row| row.record.values[at] != Value::Null);
        stating.max_by_key(rank).map(|row| row.record.values[at].clone())
    };
    let value = |at: usize| {
        let kept = stored.map(|stored| stored.values[at].clone()).filter(|value| *value != Value::Null);
        let late = || if at == time { None } else { newest(&old, at) };
        newest(&new, at).or(kept).or_else(late).unwrap_or(Value::Null)
    };
    (0..KIND.columns().len()).map(value).collect()
}

/// Pulls of timed rows, each with the letters that it states.
fn pulls() -> impl Strategy<Value = Vec<Vec<(i64, String)>>> {
    let part = (0_usize..3, 0_u8..3).prop_map(|(letter, value)| format!("{}={value}", LETTERS[letter].0));
    let row = (1_i64..8, prop::collection::vec(part, 0..3)).prop_map(|(time, parts)| (time, parts.join(" ")));
    prop::collection::vec(prop::collection::vec(row, 1..6), 1..5)
}

proptest! {
    #[test]
    fn merging_is_the_formula_and_a_pull_that_is_repeated_adds_nothing(pulls in pulls()) {
        let mut stored: Option<StoredRow> = None;
        for (night, pull) in (0_i64..).zip(&pulls) {
            let read = |run: i64| -> Vec<KeyRow> {
                (1..).zip(pull).map(|(page, (time, text))| row(run, *time, page, text)).collect()
            };
            let expected = by_formula(stored.as_ref(), &read(2 * night + 1));
            let folded = fold(false, stored.as_ref(), read(2 * night + 1));
            prop_assert_eq!(folded.len(), pull.len());
            let before = stored.clone();
            stored = after(2 * night + 1, stored, &folded);
            let merged = stored.as_ref().expect("a row of the key").values.clone();
            prop_assert_eq!(&merged, &expected, "{:?} then {:?}", before, pull);
            let again = fold(false, stored.as_ref(), read(2 * night + 2));
            let has_version = again.iter().any(|(_, one)| matches!(one, Folded::Version(_)));
            prop_assert!(!has_version, "{:?} twice", pull);
        }
    }
}
