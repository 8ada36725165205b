//! Rejections of a pull as they are written to the ledger, and which of them another row of the pull replaces.

use std::collections::{HashMap, HashSet};

use crate::model::pull::{Certificate, LandedPage};
use crate::model::record::Rejection;
use crate::run::ledger::{NewRejection, key_hash};

/// Rejections of a pull as they are written. `closed_at_once`: page and row of those that another row replaces.
pub(super) fn new_rejections<'r>(
    rejections: &'r [Rejection],
    certificate: &'r Certificate,
    closed_at_once: &HashSet<(u32, u32)>,
    is_folder: bool,
) -> Vec<NewRejection<'r>> {
    let pages: HashMap<u32, &LandedPage> = certificate.pages.iter().map(|page| (page.number, page)).collect();
    let new = |rejection: &'r Rejection| {
        let landed = pages.get(&rejection.page);
        NewRejection {
            rejection,
            read_by: landed.map_or(certificate.run, |page| page.first_read(certificate.run).run),
            content: landed.filter(|_| is_folder).map(|page| page.body_digest.as_str()),
            is_covered: closed_at_once.contains(&(rejection.page, rejection.row)),
        }
    };
    rejections.iter().map(new).collect()
}

/// What identifies a rejected row: the hash of the key of a whole row, and of a part itself. `None` if its key could not be
/// read.
pub(super) fn own_hash(rejection: &Rejection) -> Option<u64> {
    rejection.row_hash.or_else(|| rejection.key.as_deref().map(key_hash))
}

/// Page and row of the rejections of a portal that the pull rejects again in a later row: a dossier or an event that several
/// passes return is open once.
pub(super) fn read_again_later(rejections: &[Rejection]) -> HashSet<(u32, u32)> {
    let mut last: HashMap<u64, (u32, u32)> = HashMap::new();
    let hashed = || rejections.iter().filter_map(|one| Some((own_hash(one)?, (one.page, one.row))));
    for (hash, place) in hashed() {
        let known = last.entry(hash).or_insert(place);
        *known = place.max(*known);
    }
    hashed().filter(|(hash, place)| last[hash] != *place).map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::page::Reason;

    #[test]
    fn of_a_key_that_a_pull_rejects_several_times_the_last_row_is_open() {
        let rejection = |page, row, key: Option<&str>, row_hash| Rejection {
            page,
            row,
            field: None,
            reason: Reason::ImpossibleOrder,
            key: key.map(str::to_owned),
            row_hash,
        };
        let rejections = [
            rejection(3, 2, Some("A"), None),
            rejection(1, 9, Some("A"), None),
            rejection(2, 1, Some("B"), None),
            rejection(3, 1, Some("A"), None),
            rejection(1, 1, None, None),
            rejection(2, 2, None, None),
            // Parts of the record A: two events, one of them twice.
            rejection(4, 1, Some("A"), Some(7)),
            rejection(4, 2, Some("A"), Some(8)),
            rejection(5, 1, Some("A"), Some(7)),
        ];
        assert_eq!(read_again_later(&rejections), HashSet::from([(1, 9), (3, 1), (4, 1)]));
    }
}
