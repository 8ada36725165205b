use std::path::Path;

use super::*;
use crate::config;
use crate::model::pull::{Cursor, PullCounts};
use crate::run::ledger::PullState;

/// A Monday at 01:30 in Viet Nam.
const MONDAY: i64 = 1_767_551_400_000_000;

fn connector() -> Connector {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml");
    config::load(&folder).expect("shipped").connector("portal-igate").expect("shipped").clone()
}

/// A complete night on a day after [`MONDAY`] that received some rows.
fn night(connector: &Connector, day: i64, received: u64) -> Pull {
    Pull {
        state: PullState::Done,
        outcome: Some(Outcome::Complete),
        counts: PullCounts { received, unchanged: received, ..PullCounts::default() },
        cursor: Some(Cursor { connector: connector.digest.clone(), ..Cursor::default() }),
        ..Pull::begun(day + 1, connector, Purpose::Night, MONDAY + day * DAY_MICROS)
    }
}

/// The volume before a pull on a day, after complete nights on the days of `nights` and with `others` among them.
fn before(day: i64, nights: &[i64], others: Vec<Pull>, connector: &Connector) -> UsualVolume {
    let rows = |day: &i64| u64::try_from(100 + day).expect("days are few");
    let mut pulls: Vec<Pull> = nights.iter().map(|day| night(connector, *day, rows(day))).chain(others).collect();
    pulls.sort_by_key(|pull| std::cmp::Reverse(pull.run));
    // Some minutes later than usual.
    UsualVolume::before(MONDAY + day * DAY_MICROS + 900_000_000, &pulls, connector)
}

fn volume(rows: &[u64], distances: u64) -> UsualVolume {
    UsualVolume { rows: rows.to_vec(), distances }
}

#[test]
fn a_pull_is_compared_with_those_of_its_weekday() {
    let connector = connector();
    let daily: Vec<i64> = (0..28).collect();
    assert_eq!(before(28, &daily, Vec::new(), &connector), volume(&[121, 114, 107, 100], 1));
    assert_eq!(
        before(29, &daily, Vec::new(), &connector),
        volume(&[122, 115, 108, 101], 2),
        "the night of day 28 is missing"
    );
    // A second pull of a day.
    assert_eq!(before(27, &daily, Vec::new(), &connector), UsualVolume::unknown());
    let weekly: Vec<i64> = (0..5).map(|week| week * 7).collect();
    assert_eq!(before(35, &weekly, Vec::new(), &connector), volume(&[128, 121, 114, 107, 100], 1));
    assert_eq!(before(49, &weekly, Vec::new(), &connector), volume(&[128, 121, 114, 107, 100], 3));
}

#[test]
fn days_without_a_whole_pull_are_counted_until_the_source_was_read_again() {
    let connector = connector();
    let daily: Vec<i64> = (0..21).collect();
    let rows = [114, 107, 100];
    assert_eq!(before(35, &daily, Vec::new(), &connector), volume(&rows, 15), "days 21 to 35");
    let not_whole = |day: i64, outcome, reason: &str| Pull {
        outcome: Some(outcome),
        reason: Some(reason.to_owned()),
        ..night(&connector, day, 900)
    };
    // Nights that failed are an outage too.
    let down = (21..35).map(|day| not_whole(day, Outcome::Failed, "down")).collect();
    assert_eq!(before(35, &daily, down, &connector), volume(&rows, 15));
    // A volume that was refused on day 22 is judged as on that day, however often it is read again.
    let refused = (22..35).map(|day| not_whole(day, Outcome::Incomplete, "unusual_volume")).collect();
    assert_eq!(before(35, &daily, refused, &connector), volume(&rows, 2));
}

#[test]
fn pulls_that_read_other_records_are_not_compared() {
    let connector = connector();
    let daily: Vec<i64> = (0..14).collect();
    let other = Connector { digest: "other".to_owned(), ..connector.clone() };
    assert_eq!(before(28, &daily, (14..28).map(|day| night(&other, day, 5)).collect(), &connector).rows, [107, 100]);
    // One of motcua 0.1.0 has the digest of the whole file.
    let older = Connector { digest: connector.file_digest.clone(), ..connector.clone() };
    let nights = (14..28).map(|day| night(&older, day, 5)).collect();
    assert_eq!(before(28, &daily, nights, &connector).rows, [5, 5, 107, 100]);
}
