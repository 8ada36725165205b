//! Whether the ages of files can be counted. With a clock that is ahead, everything is old enough to be removed.

use crate::model::instant::{self, DAY_MICROS};
use crate::publish::NightRecord;

/// Longest time between nights, in days, after which ages count without a person's order. The longest holidays are shorter.
const FAR_DAYS: i64 = 12;

/// Why ages are doubted; `None` if they are not. `newest`: the records of the newest two nights, newest first.
pub(super) fn age_doubt(now: i64, newest: &[NightRecord]) -> Option<String> {
    if let Some(doubt) = newest.first().and_then(|record| record.clock.as_ref()) {
        return Some(doubt.clone());
    }
    let moments: Vec<i64> = std::iter::once(now).chain(newest.iter().map(|record| record.night.as_of)).collect();
    let far = moments.windows(2).find(|pair| pair[0] - pair[1] > FAR_DAYS * DAY_MICROS)?;
    Some(format!(
        "{} is {} days after the night before it: the clock may be ahead",
        instant::display(far[0]),
        (far[0] - far[1]) / DAY_MICROS
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::figure::Night;

    const NOW: i64 = 1_790_000_000_000_000;

    fn record(days_ago: i64, clock: Option<&str>) -> NightRecord {
        NightRecord {
            night: Night { run: 1, as_of: NOW - days_ago * DAY_MICROS, complete: true, data_until: None },
            not_whole: Vec::new(),
            clock: clock.map(str::to_owned),
            elsewhere: BTreeMap::new(),
            not_merged: BTreeMap::new(),
            without_connector: BTreeMap::new(),
            tables: BTreeMap::new(),
            sources: BTreeMap::new(),
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn ages_are_doubted_with_the_clock_and_after_a_long_time_without_a_night() {
        assert_eq!(age_doubt(NOW, &[]), None, "there is nothing that is old");
        assert_eq!(age_doubt(NOW, &[record(0, None)]), None);
        assert_eq!(age_doubt(NOW, &[record(0, None), record(12, None)]), None);
        // As if the clock had been set ahead by 13 days before the newest night, or after it.
        for nights in [[record(0, None), record(13, None)], [record(13, None), record(14, None)]] {
            let doubt = age_doubt(NOW, &nights).expect("the nights are far apart");
            assert!(doubt.contains("is 13 days after"), "{doubt}");
        }
        let doubted = [record(0, Some("the clock of this machine is wrong")), record(1, None)];
        assert_eq!(age_doubt(NOW, &doubted).as_deref(), Some("the clock of this machine is wrong"));
        // The night before was made with a wrong clock, and the newest is right again.
        assert_eq!(age_doubt(NOW, &[record(0, None), record(1, Some("wrong"))]), None);
    }
}
