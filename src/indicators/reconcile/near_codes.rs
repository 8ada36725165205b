//! Dossier codes that are near a code that no dossier has: one sign added, missing or changed, or two exchanged.

use std::collections::{HashMap, HashSet};

/// How many near codes are proposed.
const PROPOSED: usize = 3;

/// Codes whose neighbours are looked for.
pub(super) struct NearCodes<'a> {
    /// The wanted codes that have a half, by the half.
    by_half: HashMap<&'a str, Vec<&'a str>>,
    found: HashMap<&'a str, Vec<(usize, String)>>,
}

impl<'a> NearCodes<'a> {
    pub(super) fn new(wanted: impl IntoIterator<Item = &'a str>) -> Self {
        let mut by_half: HashMap<&str, Vec<&str>> = HashMap::new();
        for code in wanted {
            for half in halves(code) {
                by_half.entry(half).or_default().push(code);
            }
        }
        Self { by_half, found: HashMap::new() }
    }

    /// Offers a code that a dossier has. One mistake is in one half of a code, so that a near code has the other half.
    pub(super) fn offer(&mut self, code: &str) {
        let near: HashSet<&str> =
            halves(code).iter().filter_map(|half| self.by_half.get(half)).flatten().copied().collect();
        for wanted in near {
            let distance = strsim::damerau_levenshtein(wanted, code);
            if distance == 1 {
                self.found.entry(wanted).or_default().push((distance, code.to_owned()));
            }
        }
    }

    /// The codes near a wanted one, in their order.
    pub(super) fn of(&self, wanted: &str) -> Vec<String> {
        let mut near: Vec<(usize, String)> = self.found.get(wanted).cloned().unwrap_or_default();
        near.sort();
        near.dedup();
        near.truncate(PROPOSED);
        near.into_iter().map(|(_, code)| code).collect()
    }
}

/// A code up to its last dash, and after its first one: each lacks a part in which a mistake can be.
fn halves(code: &str) -> Vec<&str> {
    [code.rsplit_once('-').map(|(first, _)| first), code.split_once('-').map(|(_, last)| last)]
        .into_iter()
        .flatten()
        .filter(|half| half.len() >= 4)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_with_one_mistake_is_near_and_is_not_joined() {
        let wanted = ["H61.02-260105-0017", "H61.20-260105-0007", "H61.02-260105-00071", "X", "H61.99-250101-0001"];
        let mut near = NearCodes::new(wanted);
        for code in ["H61.02-260105-0007", "H61.02-260105-0018", "H61.02-260106-0007", "H61.98-250101-0002"] {
            near.offer(code);
        }
        assert_eq!(near.of("H61.02-260105-0017"), ["H61.02-260105-0007", "H61.02-260105-0018"]);
        assert_eq!(near.of("H61.20-260105-0007"), ["H61.02-260105-0007"]);
        assert_eq!(near.of("H61.02-260105-00071"), ["H61.02-260105-0007"]);
        assert_eq!(near.of("H61.99-250101-0001"), [""; 0]);
        assert_eq!(near.of("X"), [""; 0]);
    }
}
