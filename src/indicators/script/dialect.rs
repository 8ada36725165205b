//! What the SQL of engines has in words of its own.

use strum::{EnumString, IntoStaticStr};

use crate::model::predicate::FactType;

/// The SQL of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum SqlDialect {
    DuckDb,
    /// Apache Spark, and engines that understand its SQL, such as Sail.
    Spark,
}

impl SqlDialect {
    /// A name of a column or table.
    pub(super) fn quoted(self, name: &str) -> String {
        match self {
            Self::DuckDb => format!("\"{name}\""),
            Self::Spark => format!("`{name}`"),
        }
    }

    /// A text in quotes.
    pub(super) fn text(self, text: &str) -> String {
        match self {
            Self::DuckDb => format!("'{}'", text.replace('\'', "''")),
            Self::Spark => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        }
    }

    /// The rows of a Delta table.
    pub(super) fn delta_table(self, path: &str) -> String {
        match self {
            Self::DuckDb => format!("delta_scan({})", self.text(path)),
            Self::Spark => format!("delta.`{path}`"),
        }
    }

    /// The type of a column.
    pub(super) fn type_of(self, of: FactType) -> &'static str {
        match of {
            FactType::Flag => "BOOLEAN",
            FactType::Text | FactType::Word(_) => self.text_type(),
            FactType::Number | FactType::Instant | FactType::Day => "BIGINT",
        }
    }

    pub(super) fn text_type(self) -> &'static str {
        match self {
            Self::DuckDb => "VARCHAR",
            Self::Spark => "STRING",
        }
    }

    /// An instant as microseconds since 1970 in UTC. Never as a timestamp: the session's time zone must not matter.
    pub(super) fn micros(self, instant: &str) -> String {
        match self {
            Self::DuckDb => format!("epoch_us({instant})"),
            Self::Spark => format!("unix_micros({instant})"),
        }
    }

    /// A whole number divided by a constant, rounded down, as `(n − n mod by) / by`: engines differ in how they round.
    pub(super) fn floor_div(self, number: &str, by: i64) -> String {
        let divided = match self {
            Self::DuckDb => "//",
            Self::Spark => "div",
        };
        format!("((({number}) - {}) {divided} {by})", modulo(number, by))
    }

    /// The value of the row whose keys are the greatest, of the rows that have one.
    pub(super) fn latest(self, value: &str, keys: &[String]) -> String {
        let row = match self {
            Self::DuckDb => "row",
            Self::Spark => "struct",
        };
        format!("max_by({value}, {row}({})) FILTER (WHERE {value} IS NOT NULL)", keys.join(", "))
    }

    /// One row for each part of a text that `;` divides.
    pub(super) fn parts(self, text: &str) -> String {
        match self {
            Self::DuckDb => format!("unnest(string_split({text}, ';'))"),
            Self::Spark => format!("explode(split({text}, ';'))"),
        }
    }

    /// The whole numbers from one to another, both included, one row each.
    pub(super) fn numbers(self, first: &str, last: &str) -> String {
        match self {
            Self::DuckDb => format!("unnest(range({first}, {last} + 1))"),
            Self::Spark => format!("explode(sequence(CAST({first} AS BIGINT), CAST({last} AS BIGINT)))"),
        }
    }

    /// Year, month and day of the month of a day number.
    pub(super) fn year_month_day(self, day: &str) -> [String; 3] {
        let date = match self {
            Self::DuckDb => format!("(DATE '1970-01-01' + CAST({day} AS INTEGER))"),
            Self::Spark => format!("date_add(DATE '1970-01-01', CAST({day} AS INT))"),
        };
        ["year", "month", "day"].map(|part| format!("{part}({date})"))
    }

    /// A condition that is true, or ends the query with a message.
    pub(super) fn fail_if(self, condition: &str, message: &str) -> String {
        let message = self.text(message);
        match self {
            Self::DuckDb => format!("CASE WHEN {condition} THEN error({message}) ELSE TRUE END"),
            Self::Spark => format!("CASE WHEN {condition} THEN raise_error({message}) IS NULL ELSE TRUE END"),
        }
    }
}

/// The remainder of a whole number by a constant, never negative.
pub(super) fn modulo(number: &str, by: i64) -> String {
    format!("((({number}) % {by} + {by}) % {by})")
}
