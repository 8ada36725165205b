use proptest::prelude::*;

use super::*;
use crate::canonical::{KeysSeen, RecordClass, StoredVersion};

const KIND: RecordKind = RecordKind::Dossiers;

/// A version as the tables hold it: change time, run and row order it.
type Held = (Option<i64>, i64, usize, Record);

/// A row of a source: its content, and its change time if it states one.
type Row = (u8, Option<i64>);

fn record((content, updated_at): Row) -> Record {
    let mut values = vec![Value::Null; KIND.columns().len()];
    values[KIND.column_index("dossier_code").expect("a column")] = Value::Text(content.to_string().into());
    values[KIND.column_index(CHANGE_TIME).expect("a column")] = updated_at.map_or(Value::Null, Value::Instant);
    Record { digest: digest_of(&values), values, page: 1, row: 1, issues: Vec::new(), row_hash: None }
}

fn content(record: &Record) -> u8 {
    let text = record.values[KIND.column_index("dossier_code").expect("a column")].as_text();
    text.and_then(|text| text.parse().ok()).expect("the test wrote it")
}

/// Settles a pull that lists the rows of one key, and returns the image's version after it and the accepted rows.
fn settle(rows: &[Row], run: i64, image: Option<&Held>) -> (Option<Held>, usize) {
    let mut seen = KeysSeen::default();
    let mut versions: Vec<Held> = image.cloned().into_iter().collect();
    let mut accepted = 0;
    for (place, row) in rows.iter().enumerate().rev() {
        let mut record = record(*row);
        let stated = complete_change_time(KIND, &mut record, image.and_then(|held| held.0));
        let stored = image.map(|held| StoredVersion { digest: held.3.digest, updated_at: held.0 });
        if seen.classify("key", record.digest, stated, stored) == RecordClass::Accepted {
            let column = KIND.column_index(CHANGE_TIME).expect("a column");
            versions.push((record.values[column].as_instant(), run, place, record));
            accepted += 1;
        }
    }
    // As the image orders them: an empty time is the oldest.
    (versions.into_iter().max_by_key(|(time, run, row, _)| (*time, *run, *row)), accepted)
}

/// The row of a list that counts: the last one, unless an earlier row and it both state a time and the earlier row's is
/// newer.
fn winner(rows: &[Row]) -> Option<Row> {
    let mut rows = rows.iter().rev().copied();
    let last = rows.next()?;
    Some(rows.fold(last, |winner, row| match (row.1, winner.1) {
        (Some(time), Some(newest)) if time > newest => row,
        _ => winner,
    }))
}

#[test]
fn a_record_that_loses_its_change_time_is_accepted_only_if_it_differs() {
    let (image, accepted) = settle(&[(1, Some(50))], 1, None);
    assert_eq!(accepted, 1);
    // The same content without its time: nothing new, in this night and every later one.
    let (image, accepted) = settle(&[(1, None)], 2, image.as_ref());
    assert_eq!((accepted, image.as_ref().map(|held| held.1)), (0, Some(1)));
    // Other content without a time is what the source shows now.
    let (image, accepted) = settle(&[(2, None)], 3, image.as_ref());
    assert_eq!((accepted, image.as_ref().map(|held| (content(&held.3), held.0))), (1, Some((2, Some(50)))));
    assert_eq!(settle(&[(2, None)], 4, image.as_ref()).1, 0);
    // A later change counts, an earlier one does not.
    let (image, accepted) = settle(&[(3, Some(60))], 5, image.as_ref());
    assert_eq!((accepted, image.as_ref().map(|held| content(&held.3))), (1, Some(3)));
    let (image, accepted) = settle(&[(4, Some(55))], 6, image.as_ref());
    assert_eq!((accepted, image.as_ref().map(|held| content(&held.3))), (0, Some(3)));
}

proptest! {
    /// Whatever times and rows a key comes with, the image shows the row that counts, and the same list a second time
    /// changes nothing.
    #[test]
    fn class_and_image_agree(
        nights in prop::collection::vec(
            prop::collection::vec((0_u8..3, prop::option::of(1_i64..5)), 1..4),
            1..6,
        )
    ) {
        let mut image: Option<Held> = None;
        let mut run = 0;
        for rows in nights {
            run += 1;
            let expected = match (winner(&rows), &image) {
                (Some((_, Some(time))), Some(held)) if held.0 > Some(time) => content(&held.3),
                (Some((content, _)), _) => content,
                (None, _) => unreachable!("a night has rows"),
            };
            image = settle(&rows, run, image.as_ref()).0;
            let held = image.as_ref().expect("a night has rows");
            prop_assert_eq!(content(&held.3), expected, "{:?}", rows);
            run += 1;
            let (again, accepted) = settle(&rows, run, image.as_ref());
            prop_assert_eq!((&again, accepted), (&image, 0), "{:?}", rows);
        }
    }
}
