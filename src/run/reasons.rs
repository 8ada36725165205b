//! Every code of a reason, so that the pages can have words for all of them.

use crate::canonical;
use crate::health;
use crate::run::failure::{DISK_FULL, OWN_ERROR, STORED_DATA_DAMAGED};
use crate::run::settling::JUDGE_CODES;
use crate::sources::ErrorKind;

/// Codes of runs and publications; sources, the judgement of pulls and the health of connectors have their own.
const RUN_CODES: [&str; 9] = [
    "contract_broken",
    "no_file",
    "interrupted",
    "stopped",
    OWN_ERROR,
    STORED_DATA_DAMAGED,
    DISK_FULL,
    "publication_failed",
    "publication_behind",
];

/// Every code that a pull or a connector's health may have, each once.
#[must_use]
pub fn reason_codes() -> Vec<&'static str> {
    let sources = ErrorKind::ALL.iter().map(|kind| kind.code());
    let mut codes: Vec<&str> = sources.chain(JUDGE_CODES).chain(RUN_CODES).chain(health::CODES).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Names of the impossible orders of dates that a pull's findings may count, each once.
#[must_use]
pub fn order_names() -> Vec<&'static str> {
    let mut names = canonical::order_names();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_in_the_source_files_is_listed() {
        let sources = [
            include_str!("settling/judge.rs"),
            include_str!("reading/page_landing.rs"),
            include_str!("recovery.rs"),
            include_str!("settling/contract.rs"),
            include_str!("connector_health.rs"),
            include_str!("../health/mod.rs"),
        ];
        // The ways in which a code is written: as an argument, a field, an option, or an argument on its own line.
        let own_line = "            \"";
        let places = [
            "incomplete(\"",
            "Outcome::Incomplete, \"",
            "Outcome::Degraded, \"",
            "reason: \"",
            "code: \"",
            "Some(\"",
            own_line,
        ];
        let mut found = 0;
        for source in sources {
            let code = source.split("#[cfg(test)]").next().unwrap_or_default();
            for place in places {
                for (at, _) in code.match_indices(place) {
                    let word = code[at + place.len()..].split('"').next().unwrap_or_default();
                    let is_code =
                        word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && !word.is_empty();
                    let ends_line = code[at + place.len() + word.len()..].starts_with("\",\n");
                    if is_code && (place != own_line || ends_line) {
                        assert!(reason_codes().contains(&word), "`{word}` is not listed");
                        found += 1;
                    }
                }
            }
        }
        assert!(found >= 20, "only {found} codes were found: the source files write them in another way");
    }
}
