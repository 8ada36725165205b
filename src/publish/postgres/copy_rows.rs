//! Streams rows into a table by COPY in text format. At most one buffer of rows is in memory.
//!
//! The format: tabs separate cells, line feeds separate rows, null is `\N`; tab, line feed, carriage return and
//! backslash are escaped with a backslash (PostgreSQL documentation, COPY, "File Formats").

use std::fmt::{self, Display, Write as _};

use sqlx::postgres::PgConnection;

/// Bytes that are sent at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// Copies rows into a table and returns their number. `table` and `columns` are SQL; `write` writes one row.
pub(super) async fn copy_rows<T>(
    connection: &mut PgConnection,
    table: &str,
    columns: &[&str],
    rows: impl Iterator<Item = T>,
    write: impl Fn(&mut CopyRow<'_>, T),
) -> Result<u64, sqlx::Error> {
    let mut copy = connection.copy_in_raw(&format!("COPY {table} ({}) FROM STDIN", columns.join(", "))).await?;
    let mut buffer = String::with_capacity(BUFFER_BYTES + 4096);
    for row in rows {
        write(&mut CopyRow { out: &mut buffer, cells: 0 }, row);
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

/// A row that is being written, cell by cell.
pub(super) struct CopyRow<'a> {
    out: &'a mut String,
    cells: usize,
}

impl CopyRow<'_> {
    /// Writes a value.
    pub(super) fn cell(&mut self, value: impl Display) -> &mut Self {
        self.next();
        let _ = write!(Escaped(self.out), "{value}");
        self
    }

    /// Writes a value, or null.
    pub(super) fn optional(&mut self, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.cell(value),
            None => self.null(),
        }
    }

    /// Writes null.
    pub(super) fn null(&mut self) -> &mut Self {
        self.next();
        self.out.push_str("\\N");
        self
    }

    /// Writes an array of texts.
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
                // PostgreSQL cannot store it in a text.
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
    fn cells_are_escaped_and_null_differs_from_an_empty_text() {
        let mut out = String::new();
        let mut row = CopyRow { out: &mut out, cells: 0 };
        row.cell("a\tb\\N\nc\rd\0e").optional(None::<&str>).optional(Some("")).cell(0.9876).cell(true);
        assert_eq!(out, "a\\tb\\\\N\\nc\\rde\t\\N\t\t0.9876\ttrue");
    }

    #[test]
    fn lists_are_quoted_before_they_are_escaped() {
        let mut out = String::new();
        let mut row = CopyRow { out: &mut out, cells: 0 };
        row.list(&[]).list(&["a,b".to_owned(), "c\"d".to_owned(), "e\\f".to_owned(), "NULL".to_owned()]);
        // The array is {"a,b","c\"d","e\\f","NULL"}, and COPY doubles its backslashes.
        assert_eq!(out, r#"{}	{"a,b","c\\"d","e\\\\f","NULL"}"#);
    }
}
