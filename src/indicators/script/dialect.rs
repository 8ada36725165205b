//! What the SQL of engines has in different words.

use strum::{EnumString, IntoStaticStr};

/// The SQL of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum SqlDialect {
    DuckDb,
    /// Apache Spark, and engines that understand its SQL.
    Spark,
}

impl SqlDialect {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// A name of a column or table.
    pub(super) fn quoted(self, name: &str) -> String {
        match self {
            Self::DuckDb => format!("\"{name}\""),
            Self::Spark => format!("`{name}`"),
        }
    }

    /// The rows of a Delta table.
    pub(super) fn table(self, path: &str) -> String {
        match self {
            Self::DuckDb => format!("delta_scan('{}')", path.replace('\'', "''")),
            Self::Spark => format!("delta.`{path}`"),
        }
    }

    /// An instant as microseconds since 1970 in UTC. Never as a timestamp: the session's time zone must not matter.
    pub(super) fn micros(self, instant: &str) -> String {
        match self {
            Self::DuckDb => format!("epoch_us({instant})"),
            Self::Spark => format!("unix_micros({instant})"),
        }
    }

    /// A whole number divided by a constant, rounded down. The engines' own division rounds towards zero.
    pub(super) fn floor_div(self, number: &str, by: i64) -> String {
        let operator = if self == Self::DuckDb { "//" } else { "div" };
        format!("(({number}) - {}) {operator} {by}", modulo(number, by))
    }

    /// The element of a list at a position from 0 on; null outside the list.
    pub(super) fn element(self, list: &str, position: &str) -> String {
        match self {
            Self::DuckDb => format!("CASE WHEN ({position}) >= 0 THEN list_extract({list}, ({position}) + 1) END"),
            Self::Spark => format!("get({list}, CAST({position} AS INT))"),
        }
    }

    /// The value of the row whose keys are the greatest.
    pub(super) fn latest(self, value: &str, keys: &[String]) -> String {
        let row = if self == Self::DuckDb { "row" } else { "struct" };
        format!("max_by({value}, {row}({})) FILTER (WHERE {value} IS NOT NULL)", keys.join(", "))
    }

    /// The numbers of a column in a list, in the order of another column.
    pub(super) fn list(self, value: &str, order: &str) -> String {
        match self {
            Self::DuckDb => format!("list({value} ORDER BY {order})"),
            Self::Spark => {
                format!(
                    "transform(array_sort(collect_list(struct({order} AS place, {value} AS value))), one -> one.value)"
                )
            }
        }
    }

    /// One row for each part of a text that `;` divides, as the column `code` of the subquery's rows.
    pub(super) fn parts(self, text: &str) -> String {
        match self {
            Self::DuckDb => format!("unnest(string_split({text}, ';'))"),
            Self::Spark => format!("explode(split({text}, ';'))"),
        }
    }

    /// The numbers from one to another, as the column `day` of a table.
    pub(super) fn numbers(self, first: i64, last: i64) -> String {
        match self {
            Self::DuckDb => format!("(SELECT unnest(range({first}, {last} + 1)) AS day)"),
            Self::Spark => format!("(SELECT explode(sequence({first}, {last})) AS day)"),
        }
    }
}

/// The remainder of a whole number by a constant, never negative.
pub(super) fn modulo(number: &str, by: i64) -> String {
    format!("((({number}) % {by} + {by}) % {by})")
}
