//! The steps of a run that last: each write that a later run or a reader may find.
//!
//! Whatever kills the process between two of them, the next run mends. That is tested at every one: a debug build ends at
//! once, as if killed, at the moment that `MOTCUA_DIE_AT` counts (each step has one before and one after it), and adds the
//! names of the moments that it passes to the file `MOTCUA_STEPS`. A release build does neither.
#![cfg_attr(
    debug_assertions,
    expect(clippy::disallowed_methods, reason = "edge: tests tell a debug build when to die")
)]

/// A step under way. It has lasted when this is dropped.
#[must_use = "a step lasts as long as its guard"]
#[derive(Debug)]
pub(crate) struct Step {
    what: &'static str,
}

/// Begins a step: to be called by whatever writes what lasts, just before it does.
pub(crate) fn step(what: &'static str) -> Step {
    moment("before", what);
    Step { what }
}

impl Drop for Step {
    fn drop(&mut self) {
        moment("after", self.what);
    }
}

#[cfg(not(debug_assertions))]
fn moment(_side: &str, _what: &str) {}

#[cfg(debug_assertions)]
fn moment(side: &str, what: &str) {
    use std::io::Write as _;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static PASSED: AtomicU32 = AtomicU32::new(0);
    static DIE_AT: LazyLock<Option<u32>> =
        LazyLock::new(|| std::env::var("MOTCUA_DIE_AT").ok().and_then(|number| number.parse().ok()));
    static NAMED: LazyLock<Option<std::ffi::OsString>> = LazyLock::new(|| std::env::var_os("MOTCUA_STEPS"));

    let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    if let Some(path) = &*NAMED
        && let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(path)
    {
        let _ = writeln!(file, "{side} {what}");
    }
    if *DIE_AT == Some(number) {
        // No destructor runs and no buffer is flushed.
        std::process::abort();
    }
}
