//! Sweeps: marks as deleted each record that is in the table but no longer in the source's list.

use std::collections::HashSet;

use crate::canonical::digest_of;
use crate::model::connector::{Connector, Pages};
use crate::model::pull::{Certificate, ChainFacts, Outcome, SliceRef};
use crate::model::record::{Record, Value};
use crate::run::error::RunError;
use crate::run::settling::Settler;
use crate::run::settling::classify::Classified;

/// Deletions are refused above 50 % of the table's rows, or above this number of rows if they also exceed the share of
/// [`MAX_SHARE_DIVISOR`].
const MANY_ROWS: usize = 50;
/// Divides the table's rows: more than a tenth is too large a share for many rows.
const MAX_SHARE_DIVISOR: usize = 10;

impl Settler<'_> {
    /// A deleted version of every record that the sweep covered and did not find, each with its part. Refused deletions
    /// are counted in the findings.
    pub(super) async fn swept(
        &self,
        connector: &Connector,
        certificate: &Certificate,
        classified: &mut Classified,
    ) -> Result<Vec<(Record, String)>, RunError> {
        let (Some(range), Some(sweep)) = (&certificate.sweep, &connector.file.sweep) else { return Ok(Vec::new()) };
        // A row without a readable key may be any of the missing records; keys of another declaration are not comparable.
        let has_unknown_keys = classified.rejections.iter().any(|rejection| rejection.key.is_none());
        let is_comparable = !has_unknown_keys && connector.was_read_with(&certificate.cursor.connector);
        if certificate.outcome != Outcome::Complete || !is_comparable {
            classified.findings.sweep = None;
            return Ok(Vec::new());
        }
        if !is_proved_whole(range, &certificate.chains, &connector.file.pages) {
            classified.findings.unproved_sweep = true;
            return Ok(Vec::new());
        }
        let kind = connector.file.connector.kind;
        let (since, until) = (range.since_micros, range.until_micros);
        let held = self.lake.keys_between(kind, &connector.name, &sweep.column, since, until).await?;
        let held_count = held.len();
        let rejected: HashSet<&str> =
            classified.rejections.iter().filter_map(|rejection| rejection.key.as_deref()).collect();
        let is_missing = |key: &String| !classified.keys.contains(key) && !rejected.contains(key.as_str());
        let missing: Vec<String> = held.into_iter().filter(is_missing).collect();
        if are_too_many(missing.len(), held_count) {
            classified.findings.missed_by_sweep = missing.len() as u64;
            return Ok(Vec::new());
        }
        self.deleted_versions(connector, &missing).await
    }

    /// A deleted version of every given key, each with its part.
    pub(super) async fn deleted_versions(
        &self,
        connector: &Connector,
        keys: &[String],
    ) -> Result<Vec<(Record, String)>, RunError> {
        let kind = connector.file.connector.kind;
        let mut rows = self.lake.image_records(kind, &connector.name, keys).await?;
        let deleted = kind.column_index("deleted").expect("every table has the column");
        for (record, _) in &mut rows {
            record.values[deleted] = Value::Flag(true);
            record.digest = digest_of(&record.values);
            (record.page, record.row) = (0, 0);
        }
        Ok(rows)
    }
}

/// Whether page chains show every record of a range: they cover it without a gap, and each declared its total or was
/// followed to an end that proves itself.
fn is_proved_whole(range: &SliceRef, chains: &[ChainFacts], pages: &Pages) -> bool {
    let of_pass = chains.iter().filter_map(|chain| Some((chain, chain.slice.as_ref()?)));
    let mut of_pass: Vec<_> = of_pass.filter(|(_, slice)| slice.pass == range.pass).collect();
    of_pass.sort_by_key(|(_, slice)| slice.since_micros);
    let mut reached = range.since_micros;
    for (chain, slice) in of_pass {
        let is_proved = chain.declared_total.is_some() || pages.proves_its_end();
        if slice.since_micros > reached || !is_proved {
            return false;
        }
        reached = reached.max(slice.until_micros);
    }
    reached >= range.until_micros
}

/// Whether so many of the `held` records are missing that an error of the source is likelier than deletions.
pub(super) fn are_too_many(missing: usize, held: usize) -> bool {
    missing * 2 > held || (missing > MANY_ROWS && missing * MAX_SHARE_DIVISOR > held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connector::PageEnd;

    /// A chain of the pass `received` or `returned` from day to day, with its declared total.
    fn chain(pass: &str, since_micros: i64, until_micros: i64, declared_total: Option<u64>) -> ChainFacts {
        ChainFacts {
            chain: 0,
            slice: Some(SliceRef { pass: pass.to_owned(), since_micros, until_micros }),
            label: String::new(),
            pages: 1,
            rows: 2,
            declared_total,
            first_cursor: None,
            last_cursor: None,
        }
    }

    fn pages(end: PageEnd) -> Pages {
        Pages::Offset { param: None, first: 0, size_param: None, size: 2, end }
    }

    #[test]
    fn a_list_is_whole_if_every_chain_of_its_range_is_proved() {
        let range = SliceRef { pass: "received".to_owned(), since_micros: 10, until_micros: 30 };
        let flag = pages(PageEnd::LastFlag { path: "last".to_owned() });
        let (short, empty) = (pages(PageEnd::ShortPage), pages(PageEnd::EmptyPage));
        let received = |since, until, total| chain("received", since, until, total);
        for (what, chains, pages, expected) in [
            ("one chain", vec![received(10, 30, None)], &flag, true),
            (
                "two chains, in the order in which they ended",
                vec![received(20, 30, None), received(10, 20, None)],
                &empty,
                true,
            ),
            ("no chain", vec![], &flag, false),
            ("a chain is missing at the end", vec![received(10, 20, None)], &flag, false),
            ("a chain is missing at the start", vec![received(20, 30, None)], &flag, false),
            ("a chain is missing between", vec![received(10, 15, None), received(20, 30, None)], &flag, false),
            ("a chain of another pass", vec![received(10, 20, None), chain("returned", 20, 30, None)], &flag, false),
            ("a short page is no proof", vec![received(10, 30, None)], &short, false),
            ("a total is", vec![received(10, 30, Some(2))], &short, true),
            ("not every chain has a total", vec![received(10, 20, Some(2)), received(20, 30, None)], &short, false),
            ("one reply holds all", vec![received(10, 30, None)], &Pages::None, true),
        ] {
            assert_eq!(is_proved_whole(&range, &chains, pages), expected, "{what}");
        }
    }

    #[test]
    fn deletions_are_refused_above_half_and_above_a_tenth_of_many() {
        for (missing, held, refused) in [
            (1, 2, false),
            (2, 3, true),
            (1, 1, true),
            (50, 100, false),
            (50, 499, false),
            (51, 510, false),
            (51, 509, true),
        ] {
            assert_eq!(are_too_many(missing, held), refused, "{missing} of {held}");
        }
    }
}
