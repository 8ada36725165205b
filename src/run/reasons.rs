//! The codes that say why something stands as it does: whoever puts them into words finds them all here.

use crate::canonical;
use crate::health;
use crate::run::failure::OWN_ERROR;
use crate::run::judge;
use crate::sources::ErrorKind;

/// Codes that a run gives of its own, where no source and no judgement does.
const OF_RUNS: [&str; 6] =
    ["contract_broken", "no_file", "interrupted", OWN_ERROR, "publication_failed", "publication_behind"];

/// Every code that a pull or a standing may carry; each stands once.
#[must_use]
pub fn reason_codes() -> Vec<&'static str> {
    let sources = ErrorKind::ALL.iter().map(|kind| kind.code());
    let mut codes: Vec<&str> = sources.chain(judge::CODES).chain(OF_RUNS).chain(health::CODES).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Names of the impossible orders that a pull's findings may count; each stands once.
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
    fn codes_that_are_written_in_the_sources_are_listed() {
        let sources = [
            include_str!("judge.rs"),
            include_str!("pull.rs"),
            include_str!("mod.rs"),
            include_str!("contract.rs"),
            include_str!("connector_health.rs"),
            include_str!("../health/mod.rs"),
        ];
        // However a code is written down: as a field, an argument, an option, or a text that is copied.
        let places = [
            "incomplete(\"",
            "Outcome::Incomplete, \"",
            "Outcome::Degraded, \"",
            "reason: \"",
            "Some(\"",
            "            \"",
        ];
        let mut found = 0;
        for source in sources {
            let code = source.split("#[cfg(test)]").next().unwrap_or_default();
            for place in places {
                for (at, _) in code.match_indices(place) {
                    let word = code[at + place.len()..].split('"').next().unwrap_or_default();
                    let follows = &code[at + place.len() + word.len()..];
                    let is_code =
                        word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && !word.is_empty();
                    let is_copied =
                        place != "            \"" || follows.starts_with("\".clone_into(&mut certificate.reason)");
                    if is_code && is_copied {
                        assert!(reason_codes().contains(&word), "`{word}` is not listed");
                        found += 1;
                    }
                }
            }
        }
        assert!(found >= 14, "only {found} codes were found: the sources write them otherwise");
    }
}
