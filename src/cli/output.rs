//! Printing: data to standard output, messages to standard error.

use std::io::{self, BufWriter, StdoutLock, Write as _};
use std::process::ExitCode;

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::cli::language::{self, language};
use crate::cli::{Failure, argument_mistakes};
use crate::locale::{Language, UnitSpace, cell_without_formula};
use crate::model::escape::escaped_lines;
use crate::model::figure::Night;
use crate::model::instant;
use crate::telemetry;

/// How rows are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    #[default]
    Table,
    Json,
    Csv,
}

/// Prints data, its control characters escaped. It is not an error if the reader has closed the pipe (`| head`).
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_with(|out| out.write_all(escaped_lines(text).as_bytes()))
}

/// As [`print`], for published figures, which are written in parts and hold no character that must be escaped.
pub(super) fn print_with(write: impl FnOnce(&mut BufWriter<StdoutLock<'_>>) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Prints a message to standard error, its control characters escaped; as an event if logs are JSON.
pub(super) fn print_message(text: &str) {
    if telemetry::is_json() {
        telemetry::narrate(text);
    } else {
        let _ = writeln!(io::stderr().lock(), "{}", escaped_lines(text));
    }
}

/// A table with a heading row.
pub(super) fn table(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings);
    for row in rows {
        table.add_row(row);
    }
    format!("{table}\n")
}

/// A table whose headings are given in Vietnamese and English.
pub(super) fn worded_table(headings: &[[&'static str; 2]], rows: Vec<Vec<String>>) -> String {
    let headings: Vec<&str> = headings.iter().map(|heading| language::one(*heading)).collect();
    table(&headings, rows)
}

/// A moment (microseconds UTC) in tables and sentences: `dd/MM/yyyy HH:mm`; `yyyy-MM-dd HH:mm` in English.
pub(super) fn moment(micros: i64) -> String {
    minute(&instant::display(micros))
}

/// As [`moment`], of a moment as [`instant::display`] writes it.
pub(super) fn minute(text: &str) -> String {
    // `yyyy-MM-ddThh:mm` of RFC 3339.
    match language() {
        Language::Vietnamese => format!("{}/{}/{} {}", &text[8..10], &text[5..7], &text[..4], &text[11..16]),
        Language::English => text[..16].replace('T', " "),
    }
}

/// As [`moment`]; a dash for `None`.
pub(super) fn moment_or_dash(micros: Option<i64>) -> String {
    micros.map_or_else(|| "–".to_owned(), moment)
}

/// `có` or `không`.
pub(super) fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { language::of("có", "yes") } else { language::of("không", "no") }
}

/// Rows as a JSON array, one row per line.
pub(super) fn json<T: Serialize>(rows: &[T]) -> Result<String, Failure> {
    let lines = rows.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
    let lines = lines.map_err(|error| Failure::internal(error.to_string()))?;
    Ok(if lines.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", lines.join(",\n")) })
}

/// Rows as CSV with a header. People open it too, so no text is a formula.
pub(super) fn csv<T: Serialize>(rows: &[T]) -> Result<String, Failure> {
    let internal = |error: &dyn std::fmt::Display| Failure::internal(error.to_string());
    let mut plain = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        plain.serialize(row).map_err(|error| internal(&error))?;
    }
    let plain = plain.into_inner().map_err(|error| internal(&error))?;
    let mut records = ::csv::ReaderBuilder::new().has_headers(false).from_reader(plain.as_slice());
    let mut escaped = ::csv::Writer::from_writer(Vec::new());
    for record in records.records() {
        let record = record.map_err(|error| internal(&error))?;
        let cells = record.iter().map(|cell| cell_without_formula(cell).into_owned());
        escaped.write_record(cells).map_err(|error| internal(&error))?;
    }
    let bytes = escaped.into_inner().map_err(|error| internal(&error))?;
    String::from_utf8(bytes).map_err(|error| internal(&error))
}

/// A whole number with its thousands grouped: `12.345`, in English `12,345`.
pub(super) fn number(number: u64) -> String {
    language().number(number)
}

/// A share of 1 as a percentage: `98,76 %`, in English `98.76%`.
pub(super) fn percent(share: f64) -> String {
    language().percent(share, UnitSpace::Plain)
}

/// Writes message and hint to standard error; returns the exit code.
pub(super) fn report_failure(failure: &Failure) -> ExitCode {
    if telemetry::is_json() {
        telemetry::report_failure(&failure.message, failure.hint.as_deref());
        return ExitCode::from(failure.code);
    }
    print_message(&format!("{}: {}", language::of("lỗi", "error"), failure.message));
    if let Some(hint) = &failure.hint {
        print_message(&hint_line(hint));
    }
    ExitCode::from(failure.code)
}

/// Whether a night has all sources.
pub(super) fn completeness(night: &Night) -> &'static str {
    if night.complete {
        language::of("đủ nguồn", "complete")
    } else {
        language::of("CHƯA ĐỦ NGUỒN, số liệu tạm thời", "NOT COMPLETE, provisional")
    }
}

/// What to do next, after its heading.
pub(super) fn hint_line(hint: &str) -> String {
    format!("{}: {hint}", language::of("gợi ý", "hint"))
}

/// Reports a mistake in the arguments, or prints the help that was asked for; returns the exit code.
pub(super) fn report_usage(error: &clap::Error) -> ExitCode {
    let vietnamese = (language() == Language::Vietnamese).then(|| argument_mistakes::in_vietnamese(error)).flatten();
    match vietnamese {
        Some(text) => print_message(text.trim_end()),
        None => {
            // Nothing is left to do if the terminal is gone.
            let _ = error.print();
        }
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_csv_is_a_formula_and_numbers_keep_their_sign() {
        #[derive(Serialize)]
        struct Row {
            text: &'static str,
            number: i64,
            change: Option<f64>,
        }
        let rows = [
            Row { text: "@SUM(A1)", number: -3, change: Some(-0.5) },
            Row { text: "a,\n\"b\"", number: 0, change: None },
        ];
        let text = csv(&rows).unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_eq!(text, "text,number,change\n'@SUM(A1),-3,-0.5\n\"a,\n\"\"b\"\"\",0,\n");
        assert_eq!(csv::<Row>(&[]).unwrap_or_else(|failure| panic!("{failure:?}")), "");
    }
}
