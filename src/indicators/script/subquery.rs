//! The queries of a script, and how they are put together.

use std::fmt::Write as _;

use crate::indicators::script::dialect::SqlDialect;

/// Database of the tables that a script for Spark writes. It makes them anew each time.
const DATABASE: &str = "motcua_figures";

/// A query with a name, by which later ones read it.
#[derive(Debug, Clone)]
pub(super) struct Subquery {
    name: String,
    query: String,
    /// Whether several others read it, so that it is computed once.
    is_shared: bool,
}

impl Subquery {
    pub(super) fn new(name: impl Into<String>, query: impl Into<String>) -> Self {
        Self { name: name.into(), query: query.into(), is_shared: false }
    }

    pub(super) fn shared(name: impl Into<String>, query: impl Into<String>) -> Self {
        Self { is_shared: true, ..Self::new(name, query) }
    }
}

/// The script: the views of the stored tables, the subqueries in their order, and the query that gives the rows.
pub(super) fn script(sql: SqlDialect, views: &str, subqueries: &[Subquery], last: &str) -> String {
    match sql {
        SqlDialect::DuckDb => {
            let parts = subqueries.iter().map(|Subquery { name, query, is_shared }| {
                let once = if *is_shared { "MATERIALIZED " } else { "" };
                format!("{name} AS {once}(\n  {query})")
            });
            format!("{views}WITH {}\n{last};", parts.collect::<Vec<_>>().join(",\n"))
        }
        // An engine of this kind may compute a subquery again for each one that reads it: shared ones become tables.
        SqlDialect::Spark => {
            let mut text = format!(
                "{views}DROP DATABASE IF EXISTS {DATABASE} CASCADE;\nCREATE DATABASE {DATABASE};\nUSE DATABASE {DATABASE};\n"
            );
            for Subquery { name, query, is_shared } in subqueries {
                let made = if *is_shared {
                    format!("CREATE TABLE {name} USING parquet AS")
                } else {
                    format!("CREATE OR REPLACE TEMP VIEW {name} AS")
                };
                let _ = writeln!(text, "{made}\n  {query};");
            }
            format!("{text}{last};")
        }
    }
}
