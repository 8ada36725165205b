//! Which changes are read from the table of changes, which grows every night.

use polars::prelude::*;

/// Which changes are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChangeSelection<'a> {
    /// Those of one run; `None`: of all runs.
    pub run: Option<i64>,
    /// Those up to a run; `None`: up to the newest.
    pub until: Option<i64>,
    /// Those with one of these codes; empty: with any.
    pub codes: &'a [&'a str],
}

impl ChangeSelection<'_> {
    pub(super) fn condition(self) -> Expr {
        let run = self.run.map(|run| col("run").eq(lit(run)));
        let until = self.until.map(|until| col("run").lt_eq(lit(until)));
        let codes = self.codes.iter().map(|code| col("change").eq(lit(*code))).reduce(Expr::or);
        run.into_iter().chain(until).chain(codes).fold(lit(true), Expr::and)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_selected_by_run_and_code() {
        let changes =
            df!("run" => [1_i64, 2, 2, 3], "change" => ["deleted", "end_set_back", "reopened", "end_set_back"]);
        let changes = changes.expect("a frame").lazy();
        let runs = |only: ChangeSelection<'_>| -> Vec<i64> {
            let found = changes.clone().filter(only.condition()).collect().expect("it collects");
            found.column("run").expect("a column").i64().expect("numbers").iter().flatten().collect()
        };
        let all = ChangeSelection::default();
        assert_eq!(runs(all), [1, 2, 2, 3]);
        assert_eq!(runs(ChangeSelection { run: Some(2), ..all }), [2, 2]);
        assert_eq!(runs(ChangeSelection { until: Some(2), ..all }), [1, 2, 2]);
        let codes = &["end_set_back", "deleted"];
        assert_eq!(runs(ChangeSelection { until: Some(2), codes, ..all }), [1, 2]);
    }
}
