//! The path of `decode.explode`, and which part of a record a path of `[map]` reads.

use crate::fields::select_path::{PathStep, parse_path};

/// Most lists inside each other that are taken apart.
const MAX_LEVELS: usize = 3;

/// Path of the key of a record in a map, and of an element in a map that is taken apart.
pub(crate) const OWN_KEY: &str = "#key";

/// Path of the period that a request asked for, which no record has.
pub(crate) const ASKED_PERIOD: &str = "#period";
/// Field whose text is `true` in a row of the list that has no details, where those are deleted (`detail.missing`). No
/// connector names it.
pub(crate) const NO_DETAIL: &str = "#no_detail";

/// Levels of a record: the record itself (level 0), the elements of its list (level 1), the elements of the list in such an
/// element (level 2) …
#[derive(Debug, Clone, Default)]
pub(crate) struct ExplodeLevels {
    /// Keys that lead from each level to the list of the next; none if it is the list itself.
    pub(crate) lists: Vec<Vec<Box<str>>>,
    /// Beginning of the paths of each level below the record: `values[]`.
    pub(crate) prefixes: Vec<String>,
}

impl ExplodeLevels {
    /// # Errors
    /// What is wrong with the path.
    pub(crate) fn parse(path: &str) -> Result<Self, String> {
        let wrong = || format!("`{path}` is no path of lists, such as `values[]`, `agencies[].values[]` or `[]`");
        let parts: Vec<&str> = path.strip_suffix("[]").ok_or_else(wrong)?.split("[]").collect();
        if parts.len() > MAX_LEVELS {
            return Err(format!("at most {MAX_LEVELS} lists inside each other can be taken apart"));
        }
        let (mut lists, mut prefixes, mut prefix) = (Vec::new(), Vec::new(), String::new());
        for (level, part) in parts.into_iter().enumerate() {
            prefix += part;
            prefix += "[]";
            let keys = if level == 0 || part.is_empty() { part } else { part.strip_prefix('.').ok_or_else(wrong)? };
            if keys.is_empty() != part.is_empty() {
                return Err(wrong());
            }
            let mut list: Vec<Box<str>> = Vec::new();
            let steps = if keys.is_empty() { Vec::new() } else { parse_path(keys).map_err(|_| wrong())? };
            for step in steps {
                let PathStep::Key(key) = step else { return Err(wrong()) };
                list.push(key.into());
            }
            lists.push(list);
            prefixes.push(prefix.clone());
        }
        Ok(Self { lists, prefixes })
    }

    /// The level that a path reads, and its part below it: empty for the element itself.
    pub(crate) fn place<'p>(&self, path: &'p str) -> (usize, &'p str) {
        for (index, prefix) in self.prefixes.iter().enumerate().rev() {
            let Some(rest) = path.strip_prefix(prefix.as_str()) else { continue };
            if rest.is_empty() || rest.starts_with('[') {
                return (index + 1, rest);
            }
            if let Some(rest) = rest.strip_prefix('.') {
                return (index + 1, rest);
            }
        }
        (0, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_the_innermost_level_that_it_begins_with() {
        let levels = ExplodeLevels::parse("agencies[].values[]").expect("a path of lists");
        for (path, level, rest) in [
            ("period", 0, "period"),
            ("agencies[].code", 1, "code"),
            ("agencies[].values[].n", 2, "n"),
            ("agencies[].values[]", 2, ""),
            ("agencies[].values[].#key", 2, "#key"),
            ("agencies[].values[][0]", 2, "[0]"),
            ("agencies[0].code", 0, "agencies[0].code"),
        ] {
            assert_eq!(levels.place(path), (level, rest), "{path}");
        }
        let of_itself = ExplodeLevels::parse("[]").expect("the record itself");
        assert_eq!((of_itself.place("[].#key"), of_itself.place("a")), ((1, "#key"), (0, "a")));
    }

    #[test]
    fn a_path_of_lists_ends_in_brackets_and_has_keys_only() {
        for path in ["", "values", "values[].n", "values[0][]", "a[]b[]", "a[].", ".a[]", "a[].b[].c[].d[]", "a[k=v][]"]
        {
            assert!(ExplodeLevels::parse(path).is_err(), "{path}");
        }
        for path in ["[]", "values[]", "a.b[]", "\"a.b\"[]", "a[][]", "a[].b[].c[]"] {
            assert!(ExplodeLevels::parse(path).is_ok(), "{path}");
        }
    }
}
