//! The order of sources: which source's row counts if several sources hold one dossier.

/// Names of connectors of dossiers, the one that counts first. Connectors that are not listed follow: first those whose
/// name begins with `portal`, then the others, each by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceOrder {
    listed: Vec<String>,
}

/// Prefix of the names of portals.
const PORTAL: &str = "portal";

/// First line of the text of an order, so that a damaged file of an empty one is seen.
const HEADING: &str = "connector";

/// Rank of a source. The smallest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceRank<'s> {
    place: usize,
    is_no_portal: bool,
    name: &'s str,
}

impl SourceOrder {
    #[must_use]
    pub fn new(listed: Vec<String>) -> Self {
        Self { listed }
    }

    /// The complete order of the configured sources: the listed ones first, then the others by rank. Sources that are
    /// not configured rank after them.
    #[must_use]
    pub fn over<'s>(&self, sources: impl Iterator<Item = &'s str>) -> Self {
        let mut sources: Vec<&str> = sources.collect();
        sources.sort_by_key(|source| self.rank(source));
        Self::new(sources.into_iter().map(str::to_owned).collect())
    }

    /// Rank of a source, listed or not. No two sources have the same.
    #[must_use]
    pub fn rank<'s>(&self, source: &'s str) -> SourceRank<'s> {
        let place = self.listed.iter().position(|listed| listed == source).unwrap_or(self.listed.len());
        SourceRank { place, is_no_portal: !source.starts_with(PORTAL), name: source }
    }

    /// A heading and the listed names, a line each. [`SourceOrder::from_text`] reads it.
    #[must_use]
    pub fn to_text(&self) -> String {
        [HEADING].into_iter().chain(self.listed.iter().map(String::as_str)).flat_map(|line| [line, "\n"]).collect()
    }

    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self::new(text.lines().skip(1).map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted<'s>(order: &SourceOrder, mut sources: Vec<&'s str>) -> Vec<&'s str> {
        sources.sort_by_key(|source| order.rank(source));
        sources
    }

    #[test]
    fn portals_come_before_other_sources_unless_the_settings_list_them() {
        let sources = vec!["ministry-b", "portal-tandan", "ministry-a", "portal-igate"];
        let order = SourceOrder::default();
        assert_eq!(sorted(&order, sources.clone()), ["portal-igate", "portal-tandan", "ministry-a", "ministry-b"]);
        let order = SourceOrder::new(vec!["ministry-b".to_owned(), "portal-tandan".to_owned()]);
        assert_eq!(sorted(&order, sources), ["ministry-b", "portal-tandan", "portal-igate", "ministry-a"]);
    }

    #[test]
    fn a_source_that_is_no_more_ranks_behind_those_that_there_are() {
        let order = SourceOrder::new(vec!["ministry-b".to_owned()]);
        let order = order.over(["portal-b", "ministry-b", "ministry-a"].into_iter());
        assert_eq!(
            sorted(&order, vec!["ministry-a", "portal-a", "portal-b", "ministry-b"]),
            ["ministry-b", "portal-b", "ministry-a", "portal-a"]
        );
    }

    #[test]
    fn the_text_of_an_order_gives_it_again() {
        for names in [vec![], vec!["b"], vec!["b", "a"]] {
            let order = SourceOrder::new(names.into_iter().map(str::to_owned).collect());
            assert!(!order.to_text().is_empty());
            assert_eq!(SourceOrder::from_text(&order.to_text()), order);
        }
    }
}
