//! Sweeps: marks as deleted each record that is in the table but no longer in the source's list.

use std::collections::HashSet;

use crate::model::connector::{Connector, Pages};
use crate::model::pull::{Certificate, ChainFacts, Outcome, SliceRef};
use crate::model::record::Record;
use crate::run::error::RunError;
use crate::run::ledger::key_hash;
use crate::run::settling::Settler;
use crate::run::settling::classified::Classified;
use crate::run::settling::deletions::DeletionLimit;

impl Settler<'_> {
    /// A deleted version of every record that the sweep covered and did not find, each with its part. Refused deletions
    /// are counted in the findings.
    pub(super) async fn swept(
        &self,
        connector: &Connector,
        certificate: &Certificate,
        classified: &mut Classified,
        limit: &mut DeletionLimit,
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
        let gone: HashSet<u64> = missing.iter().map(|key| key_hash(key)).collect();
        if limit.refuses_again(&gone) || limit.refuses(&gone, |_| true, held_count) {
            classified.findings.missed_by_sweep = missing.len() as u64;
            return Ok(Vec::new());
        }
        self.deleted_versions(connector, &missing).await
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
        let flag = pages(PageEnd::LastFlag { path: "last".to_owned(), codes: BTreeMap::default() });
        let (short, empty) = (pages(PageEnd::ShortPage { absent: false }), pages(PageEnd::EmptyPage));
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
}
