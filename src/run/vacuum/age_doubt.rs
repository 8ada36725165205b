//! Whether the ages of files can be counted. With a clock that is ahead, everything is old enough to be removed.

use crate::model::instant::{self, DAY_MICROS};
use crate::publish::NightRecord;

/// Longest time between nights, in days, after which ages count without a person's order. The longest holidays are shorter.
const FAR_DAYS: i64 = 12;

/// Why ages are doubted; `None` if they are not. `confirmed_at`: when a person last had old files removed. `records`: those of
/// the nights, newest first.
///
/// The nights after a jump of the clock follow each other as ever, so the doubt stays until a person has old files removed.
pub(super) fn age_doubt(now: i64, confirmed_at: Option<i64>, records: &[NightRecord]) -> Option<String> {
    if let Some(doubt) = records.first().and_then(|record| record.clock.as_ref()) {
        return Some(doubt.clone());
    }
    // One in the future was given while the clock was ahead.
    let confirmed_at = confirmed_at.filter(|moment| *moment <= now);
    let is_after = |moment: &i64| confirmed_at.is_none_or(|confirmed_at| *moment > confirmed_at);
    // Nights that were made with a wrong clock have no place among the others.
    let nights = records.iter().filter(|record| record.clock.is_none()).map(|record| record.night.as_of);
    let moments: Vec<i64> = std::iter::once(now).chain(nights.filter(is_after)).chain(confirmed_at).collect();
    let far = moments.windows(2).find(|pair| pair[0] - pair[1] > FAR_DAYS * DAY_MICROS)?;
    Some(format!(
        "{} is {} days after the night or the removal before it: the clock may be ahead",
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
        let doubt = |records: &[NightRecord]| age_doubt(NOW, None, records);
        assert_eq!(doubt(&[]), None, "there is nothing that is old");
        assert_eq!(doubt(&[record(0, None)]), None);
        assert_eq!(doubt(&[record(0, None), record(12, None)]), None);
        // As if the clock had been set ahead by 13 days before the newest night, or after it.
        for nights in [[record(0, None), record(13, None)], [record(13, None), record(14, None)]] {
            let doubt = doubt(&nights).expect("the nights are far apart");
            assert!(doubt.contains("is 13 days after"), "{doubt}");
        }
        let doubted = [record(0, Some("the clock of this machine is wrong")), record(1, None)];
        assert_eq!(doubt(&doubted).as_deref(), Some("the clock of this machine is wrong"));
        // The night before was made with a wrong clock, and the newest is right again.
        assert_eq!(doubt(&[record(0, None), record(-100, Some("wrong")), record(1, None)]), None);
    }

    #[test]
    fn the_doubt_stays_until_a_person_has_old_files_removed() {
        // The clock jumped by 99 days; the second night since then follows the first as ever.
        let nights = [record(0, None), record(1, None), record(100, None)];
        let confirmed = |days_ago: i64| age_doubt(NOW, Some(NOW - days_ago * DAY_MICROS), &nights);
        for doubt in [age_doubt(NOW, None, &nights), confirmed(101), confirmed(100), confirmed(60)] {
            assert!(doubt.as_deref().is_some_and(|doubt| doubt.contains(" days after")), "{doubt:?}");
        }
        assert_eq!(confirmed(1), None, "after the first night");
        assert_eq!(confirmed(13), None, "the clock was right before the first night");
        assert!(confirmed(14).is_some(), "13 days before the first night");
        assert!(confirmed(-1).is_some(), "the clock was ahead of the present one");
        let later = [record(20, None), record(40, None)];
        assert!(age_doubt(NOW, Some(NOW - 30 * DAY_MICROS), &later).is_some(), "it jumped again");
    }
}
