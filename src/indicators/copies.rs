//! Copies: rows of dossiers that another source's row stands for. They count in no figure.

use std::collections::BTreeMap;

use polars::prelude::*;

use crate::indicators::lookups::RowsByText;

/// The keys of the copies, by source.
#[derive(Debug)]
pub(super) struct CopyLookup(Vec<(String, RowsByText)>);

impl CopyLookup {
    /// Reads the groups of dossiers.
    pub(super) fn read(groups: LazyFrame) -> PolarsResult<Self> {
        let copies = groups.filter(col("counts").not()).select([col("source"), col("source_key")]).collect()?;
        let mut keys: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
        for (source, key) in copies.column("source")?.str()?.iter().zip(copies.column("source_key")?.str()?.iter()) {
            keys.entry(source.unwrap_or_default()).or_default().push(key);
        }
        Ok(Self(keys.into_iter().map(|(source, keys)| (source.to_owned(), RowsByText::new(keys))).collect()))
    }

    /// The dossiers without copies.
    pub(super) fn left_out_of(&self, dossiers: LazyFrame) -> LazyFrame {
        let is_copy = self.0.iter().map(|(source, keys)| {
            col("source").eq(lit(source.as_str())).and(keys.row(col("source_key")).is_not_null())
        });
        match is_copy.reduce(Expr::or) {
            Some(is_copy) => dossiers.filter(is_copy.not()),
            None => dossiers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(dossiers: LazyFrame) -> Vec<String> {
        let frame = dossiers.collect().expect("it collects");
        let keys = frame.column("source_key").expect("the column exists").str().expect("it is text").clone();
        keys.iter().flatten().map(str::to_owned).collect()
    }

    #[test]
    fn only_rows_that_another_source_stands_for_are_left_out() {
        let dossiers = df!(
            "source" => ["portal", "portal", "ministry", "ministry", "ministry"],
            "source_key" => ["a", "b", "a", "b", "c"],
        );
        let dossiers = dossiers.expect("a frame").lazy();
        let groups = df!(
            "source" => ["portal", "ministry"],
            "source_key" => ["b", "a"],
            "counts" => [true, false],
        );
        let groups = groups.expect("a frame").lazy();
        let copies = CopyLookup::read(groups.clone()).expect("they are read");
        assert_eq!(keys(copies.left_out_of(dossiers.clone())), ["a", "b", "b", "c"]);
        let none = CopyLookup::read(groups.filter(col("counts"))).expect("they are read");
        assert_eq!(keys(none.left_out_of(dossiers)).len(), 5);
    }
}
