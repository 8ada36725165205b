//! What DuckDB's SQL has in words of its own.

/// A name of a column or table.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// A text in quotes.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The rows of a Delta table.
pub(super) fn delta_table(path: &str) -> String {
    format!("delta_scan({})", text(path))
}

/// An instant as microseconds since 1970 in UTC. Never as a timestamp: the session's time zone must not matter.
pub(super) fn micros(instant: &str) -> String {
    format!("epoch_us({instant})")
}

/// The remainder of a whole number by a constant, never negative.
pub(super) fn modulo(number: &str, by: i64) -> String {
    format!("((({number}) % {by} + {by}) % {by})")
}

/// A whole number divided by a constant, rounded down, as `(n − n mod by) / by`: engines differ in how they round.
pub(super) fn floor_div(number: &str, by: i64) -> String {
    format!("((({number}) - {}) // {by})", modulo(number, by))
}

/// The value of the row whose keys are the greatest, of the rows that have one.
pub(super) fn latest(value: &str, keys: &[String]) -> String {
    format!("max_by({value}, row({})) FILTER (WHERE {value} IS NOT NULL)", keys.join(", "))
}

/// One row for each part of a text that `;` divides.
pub(super) fn parts(text: &str) -> String {
    format!("unnest(string_split({text}, ';'))")
}

/// The whole numbers from one to another, both included, one row each.
pub(super) fn numbers(first: &str, last: &str) -> String {
    format!("unnest(range({first}, {last} + 1))")
}

/// Year, month and day of the month of a day number.
pub(super) fn year_month_day(day: &str) -> [String; 3] {
    let date = format!("(DATE '1970-01-01' + CAST({day} AS INTEGER))");
    ["year", "month", "day"].map(|part| format!("{part}({date})"))
}

/// A condition that is true, or ends the query with a message.
pub(super) fn fail_if(condition: &str, message: &str) -> String {
    format!("CASE WHEN {condition} THEN error({}) ELSE TRUE END", text(message))
}
