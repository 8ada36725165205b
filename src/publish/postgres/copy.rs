//! Rows as COPY's text format, streamed: however many there are, one buffer of them is in memory.
//!
//! The format: cells apart by tabs, rows by line feeds, null as `\N`; tab, line feed, carriage return and backslash are
//! escaped by a backslash (PostgreSQL's documentation, COPY, file formats).

use std::fmt::{self, Display, Write as _};

use sqlx::postgres::PgConnection;

/// Bytes that are sent at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Copies rows into a table; gives their number. `table` and `columns` are SQL.
pub(super) async fn copy<T>(
    connection: &mut PgConnection,
    table: &str,
    columns: &[&str],
    rows: impl Iterator<Item = T>,
    write: impl Fn(&mut Row<'_>, T),
) -> Result<u64, sqlx::Error> {
    let mut copy = connection.copy_in_raw(&format!("COPY {table} ({}) FROM STDIN", columns.join(", "))).await?;
    let mut buffer = String::with_capacity(BUFFER_BYTES + 4096);
    for row in rows {
        write(&mut Row { out: &mut buffer, cells: 0 }, row);
        buffer.push('\n');
        if buffer.len() >= BUFFER_BYTES {
            copy.send(buffer.as_bytes()).await?;
            buffer.clear();
        }
    }
    if !buffer.is_empty() {
        copy.send(buffer.as_bytes()).await?;
    }
    copy.finish().await
}

/// A row being written.
pub(super) struct Row<'a> {
    out: &'a mut String,
    cells: usize,
}

impl Row<'_> {
    pub(super) fn cell(&mut self, value: impl Display) -> &mut Self {
        self.next();
        let _ = write!(Escaped(self.out), "{value}");
        self
    }

    pub(super) fn optional(&mut self, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            return self.cell(value);
        }
        self.next();
        self.out.push_str("\\N");
        self
    }

    /// An array of texts.
    pub(super) fn list(&mut self, values: &[String]) -> &mut Self {
        let quoted: Vec<String> =
            values.iter().map(|value| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))).collect();
        self.cell(format_args!("{{{}}}", quoted.join(",")))
    }

    fn next(&mut self) {
        if self.cells > 0 {
            self.out.push('\t');
        }
        self.cells += 1;
    }
}

struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for symbol in text.chars() {
            match symbol {
                '\\' => self.0.push_str("\\\\"),
                '\t' => self.0.push_str("\\t"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                // PostgreSQL's texts hold none.
                '\0' => {}
                other => self.0.push(other),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_escaped_and_nulls_told_from_empty_texts() {
        let mut out = String::new();
        let mut row = Row { out: &mut out, cells: 0 };
        row.cell("a\tb\\N\nc\rd\0e").optional(None::<&str>).optional(Some("")).cell(0.9876).cell(true);
        assert_eq!(out, "a\\tb\\\\N\\nc\\rde\t\\N\t\t0.9876\ttrue");
    }

    #[test]
    fn lists_are_quoted_before_they_are_escaped() {
        let mut out = String::new();
        let mut row = Row { out: &mut out, cells: 0 };
        row.list(&[]).list(&["a,b".to_owned(), "c\"d".to_owned(), "e\\f".to_owned(), "NULL".to_owned()]);
        // The array is {"a,b","c\"d","e\\f","NULL"}; COPY doubles its backslashes.
        assert_eq!(out, r#"{}	{"a,b","c\\"d","e\\\\f","NULL"}"#);
    }
}
