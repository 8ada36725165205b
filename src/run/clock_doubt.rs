//! Whether the system clock can be right. With a wrong clock, dossiers are on time or overdue that are not: such a night
//! is never complete.

use crate::model::figure::Night;
use crate::model::instant;

/// How far the clock of a source may be from this machine's.
const MOST_SECS: u64 = 86_400;

/// Why the clock is doubted; `None` if nothing does. `newest`: the latest night before this one. `ahead`: by how many
/// seconds each source that states a date is ahead.
pub(super) fn doubt(now: i64, newest: Option<&Night>, ahead: &[i64]) -> Option<String> {
    if let Some(newest) = newest.filter(|newest| newest.as_of > now) {
        return Some(format!(
            "the clock of this machine shows {}, which is before the night of {} (run {}). Set the clock; if that night was \
             made with a clock that was ahead, move its folder `published/nights/{:08}` out of the data folder",
            instant::display(now),
            instant::display(newest.as_of),
            newest.run,
            newest.run
        ));
    }
    let nearest = ahead.iter().min_by_key(|secs| secs.unsigned_abs())?;
    let is_far = nearest.unsigned_abs() > MOST_SECS;
    is_far.then(|| {
        let direction = if *nearest > 0 { "behind" } else { "ahead of" };
        let days = nearest.unsigned_abs() / MOST_SECS;
        format!(
            "the clock of this machine shows {} and is {days} days {direction} that of every source that states a date: set \
             the clock",
            instant::display(now)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn night(as_of: i64) -> Night {
        Night { run: 7, as_of, complete: true, data_until: None }
    }

    #[test]
    fn a_clock_before_the_newest_night_is_wrong() {
        assert_eq!(doubt(1_000, None, &[]), None);
        assert_eq!(doubt(1_000, Some(&night(1_000)), &[]), None);
        let words = doubt(999, Some(&night(1_000)), &[0]).expect("it stands before the night");
        assert!(words.contains("run 7") && words.contains("published/nights/00000007"), "{words}");
    }

    #[test]
    fn a_clock_that_disagrees_with_every_source_by_more_than_a_day_is_wrong() {
        for (ahead, expected) in [
            (&[0][..], None),
            (&[DAY], None),
            (&[-DAY], None),
            (&[3 * DAY, 0], None),
            (&[3 * DAY, -2 * DAY, 100], None),
            (&[DAY + 1], Some("1 days behind")),
            (&[3 * DAY, 2 * DAY], Some("2 days behind")),
            (&[-400 * DAY, -401 * DAY], Some("400 days ahead of")),
        ] {
            let found = doubt(0, None, ahead);
            assert_eq!(found.is_some(), expected.is_some(), "{ahead:?}: {found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()), "{ahead:?}");
        }
    }
}
