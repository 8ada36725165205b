//! Logs: events to standard error, counts and ids only; `MOTCUA_LOG` chooses (`motcua=warn` if absent), and
//! `MOTCUA_LOG_FORMAT` says how they are written: `text` (if absent) or `json`.
//!
//! As JSON every line of standard error is one object: `timestamp`, `level`, `fields`, `target`. What a verb says to whoever
//! watches is then an event of the target `motcua::said`, which no filter takes away, so that nothing but JSON is in the log.
//!
//! Field names are a vocabulary: `run`, `connector`, `page`, `rows`, `reason`, and the counts of a pull; of the
//! registries also codes of procedures, which are public.
#![expect(clippy::disallowed_methods, reason = "edge: how logs are written is asked before there are settings")]

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::EnvFilter;

/// The target of what a verb says to whoever watches.
const SAID: &str = "motcua::said";

/// Whether standard error holds JSON alone.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Starts logging; a second start changes nothing.
///
/// # Errors
/// A format or a filter that is none, in words.
pub fn start() -> Result<(), String> {
    let is_json = match variable("MOTCUA_LOG_FORMAT").as_deref() {
        None | Some("text") => false,
        Some("json") => true,
        Some(other) => return Err(format!("`MOTCUA_LOG_FORMAT` is `{other}`: it is `text` or `json`")),
    };
    let chosen = variable("MOTCUA_LOG").unwrap_or_else(|| "motcua=warn".to_owned());
    let filter = EnvFilter::builder()
        .parse(&chosen)
        .map_err(|error| format!("`MOTCUA_LOG` is `{chosen}`, which is no filter: {error}"))?;
    let logs = tracing_subscriber::fmt().with_writer(std::io::stderr);
    if is_json {
        let said = format!("{SAID}=info").parse().expect("the directive is constant");
        let logs = logs.json().with_current_span(false).with_span_list(false);
        if logs.with_env_filter(filter.add_directive(said)).try_init().is_ok() {
            IS_JSON.store(true, Ordering::Relaxed);
        }
    } else {
        let directive = format!("{SAID}=error").parse().expect("the directive is constant");
        let logs = logs.with_env_filter(filter.add_directive(directive)).with_target(false);
        let _ = logs.with_ansi(std::io::stderr().is_terminal()).try_init();
    }
    std::panic::set_hook(Box::new(tell_panic));
    Ok(())
}

/// Says where a panic was, and of what it says itself whatever may be told.
fn tell_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let said = constant_words(panic.payload());
    let backtrace = Backtrace::capture();
    let backtrace =
        if backtrace.status() == BacktraceStatus::Captured { format!("\n{backtrace}") } else { String::new() };
    tracing::error!(target: SAID, "panicked at {place}: {said}{backtrace}");
}

/// The words of a panic where they are constant: a text that was made then may quote a cell.
fn constant_words(payload: &dyn Any) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("its message may hold data and is kept back")
}

/// Whether standard error holds JSON alone: nothing else may be written to it then.
#[must_use]
pub fn is_json() -> bool {
    IS_JSON.load(Ordering::Relaxed)
}

/// What a verb says, as an event.
pub fn say(text: &str) {
    tracing::info!(target: SAID, "{text}");
}

/// Why a verb failed, as an event.
pub fn say_failed(message: &str, hint: Option<&str>) {
    tracing::error!(target: SAID, hint, "{message}");
}

/// A variable that says nothing is as good as none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_quotes_a_cell_is_not_repeated() {
        let said = |act: fn()| {
            let payload = std::panic::catch_unwind(act).expect_err("it panics");
            constant_words(&*payload)
        };
        // A cut inside a letter quotes the whole text.
        assert!(!said(|| assert!("Nguyễn"[..std::hint::black_box(5)].is_empty())).contains("Nguy"));
        assert!(!said(|| panic!("`{}` is no code", std::hint::black_box("Nguyễn"))).contains("Nguy"));
        assert_eq!(said(|| panic!("every received row is classed once")), "every received row is classed once");
    }
}
