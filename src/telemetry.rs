//! Logs: events to standard error, with counts and ids only.
//!
//! `MOTCUA_LOG` is the filter (default `motcua=warn`); `MOTCUA_LOG_FORMAT` is `text` (default) or `json`. In JSON every
//! line of standard error is one object: `timestamp`, `level`, `fields`, `target`. A verb's narration is then an event
//! with the target `motcua::said`, which no filter removes, so that the log is JSON throughout.
//!
//! Field names are fixed: `run`, `connector`, `page`, `rows`, `reason`, and the counts of a pull. Codes of procedures
//! may be logged too: they are public.
#![expect(clippy::disallowed_methods, reason = "edge: logging starts before the settings are read")]

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal as _, Stderr, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::model::escape::escaped_lines;

/// Target of narration and of panics.
const NARRATION: &str = "motcua::said";

/// Libraries whose details quote statistics of tables, and so texts of sources, or what they send to file servers, and so
/// passwords: of them, no filter opens more than warnings.
const QUOTING_LIBRARIES: [&str; 5] = ["buoyant_kernel", "deltalake_core", "opendal", "reqsign", "suppaftp"];

/// Whether standard error must contain JSON only.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Starts logging. A second call changes nothing.
///
/// # Errors
/// A message if one of the two variables has an invalid value.
pub fn start() -> Result<(), String> {
    let is_json = match variable("MOTCUA_LOG_FORMAT").as_deref() {
        None | Some("text") => false,
        Some("json") => true,
        Some(other) => return Err(format!("`MOTCUA_LOG_FORMAT` is `{other}`: it must be `text` or `json`")),
    };
    let chosen = variable("MOTCUA_LOG").unwrap_or_else(|| "motcua=warn".to_owned());
    let filter = EnvFilter::builder()
        .parse(&chosen)
        .map_err(|error| format!("`MOTCUA_LOG` is `{chosen}`, which is not a filter: {error}"))?;
    let without_quotes = filter_fn(|event| {
        *event.level() <= Level::WARN || !QUOTING_LIBRARIES.iter().any(|library| event.target().starts_with(library))
    });
    let logs = tracing_subscriber::fmt().with_writer(|| EscapedOutput(std::io::stderr()));
    if is_json {
        let narration = format!("{NARRATION}=info").parse().expect("the directive is constant");
        let logs = logs.json().with_current_span(false).with_span_list(false);
        if logs.with_env_filter(filter.add_directive(narration)).finish().with(without_quotes).try_init().is_ok() {
            IS_JSON.store(true, Ordering::Relaxed);
        }
    } else {
        let directive = format!("{NARRATION}=error").parse().expect("the directive is constant");
        let logs = logs.with_env_filter(filter.add_directive(directive)).with_target(false);
        let _ = logs.with_ansi(std::io::stderr().is_terminal()).finish().with(without_quotes).try_init();
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Standard error without the characters that change how a log is shown. The escape character stays: the subscriber
/// escapes it in texts, and colours its own lines with it.
struct EscapedOutput(Stderr);

impl Write for EscapedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(escaped_log(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn escaped_log(text: &str) -> String {
    text.split('\u{1b}').map(escaped_lines).collect::<Vec<_>>().join("\u{1b}")
}

/// Logs where a panic occurred, and its message if the message cannot contain data.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "an unknown location".to_owned(), ToString::to_string);
    let message = constant_message(panic.payload());
    let backtrace = Backtrace::capture();
    let backtrace =
        if backtrace.status() == BacktraceStatus::Captured { format!("\n{backtrace}") } else { String::new() };
    tracing::error!(target: NARRATION, "panicked at {place}: {message}{backtrace}");
}

/// The panic's message if it is a constant. A formatted message may quote a cell.
fn constant_message(payload: &dyn Any) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("message withheld, it may contain data")
}

/// Whether logs are JSON. Nothing else may then be written to standard error.
#[must_use]
pub fn is_json() -> bool {
    IS_JSON.load(Ordering::Relaxed)
}

/// Logs a line of a verb's narration.
pub fn narrate(text: &str) {
    tracing::info!(target: NARRATION, "{text}");
}

/// Logs why a verb failed.
pub fn report_failure(message: &str, hint: Option<&str>) {
    tracing::error!(target: NARRATION, hint, "{message}");
}

/// A variable of the environment; `None` if it is unset or blank.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direction_marks_do_not_reach_a_log() {
        assert_eq!(
            escaped_log("\u{1b}[2mINFO\u{1b}[0m a\u{202e}b\u{9b}31m\n"),
            "\u{1b}[2mINFO\u{1b}[0m a\\u202eb\\u009b31m\n"
        );
    }

    #[test]
    fn a_panic_that_quotes_a_cell_is_not_repeated() {
        let message = |act: fn()| {
            let payload = std::panic::catch_unwind(act).expect_err("it panics");
            constant_message(&*payload)
        };
        // A slice inside a letter panics with the whole text in its message.
        assert!(!message(|| assert!("Nguyễn"[..std::hint::black_box(5)].is_empty())).contains("Nguy"));
        assert!(!message(|| panic!("`{}` is no code", std::hint::black_box("Nguyễn"))).contains("Nguy"));
        assert_eq!(message(|| panic!("every received row is classed once")), "every received row is classed once");
    }
}
