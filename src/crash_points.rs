//! Crash points: the moments before and after every durable write, at which tests kill the process.
//!
//! Whoever writes something that a later run or a reader may find holds a `CrashPoint` during the write. Wherever the
//! process is killed, the next run must repair what is left. Tests check this at every crash point of a debug build.
//! They [watch](watch_thread) the moments of a run and copy the data folder at each: the copy is what a kill would have
//! left. Or a process aborts at the moment whose 1-based number is in `MOTCUA_DIE_AT`, and appends the name of each moment
//! to the file named in `MOTCUA_STEPS`. A release build does none of this.
#![cfg_attr(
    debug_assertions,
    expect(clippy::disallowed_methods, reason = "edge: tests tell a debug build when to die")
)]

use std::sync::Arc;

/// Called at each moment that a watched thread passes, with the side of the write (`before` or `after`) and its name.
pub type Watcher = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// Calls `watcher` at each moment that this thread passes from now on; `None` ends that.
#[cfg(debug_assertions)]
pub fn watch_thread(watcher: Option<Watcher>) {
    WATCHER.with(|watching| *watching.borrow_mut() = watcher);
}

#[cfg(not(debug_assertions))]
pub fn watch_thread(_watcher: Option<Watcher>) {}

#[cfg(debug_assertions)]
thread_local! {
    static WATCHER: std::cell::RefCell<Option<Watcher>> = const { std::cell::RefCell::new(None) };
}

/// Guard of one durable write. The write is finished when the guard is dropped.
#[must_use = "the write lasts as long as its guard"]
#[derive(Debug)]
pub(crate) struct CrashPoint {
    write: &'static str,
}

/// Marks the moment before a durable write; dropping the guard marks the moment after it. `write` names the write for tests.
pub(crate) fn crash_point(write: &'static str) -> CrashPoint {
    pass("before", write);
    CrashPoint { write }
}

impl Drop for CrashPoint {
    fn drop(&mut self) {
        pass("after", self.write);
    }
}

#[cfg(not(debug_assertions))]
fn pass(_side: &str, _write: &str) {}

#[cfg(debug_assertions)]
fn pass(side: &str, write: &str) {
    use std::io::Write as _;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static PASSED: AtomicU32 = AtomicU32::new(0);
    static DIE_AT: LazyLock<Option<u32>> =
        LazyLock::new(|| std::env::var("MOTCUA_DIE_AT").ok().and_then(|number| number.parse().ok()));
    static NAMES: LazyLock<Option<std::ffi::OsString>> = LazyLock::new(|| std::env::var_os("MOTCUA_STEPS"));

    let watcher = WATCHER.with(|watching| watching.borrow().clone());
    if let Some(watcher) = watcher {
        watcher(side, write);
    }
    let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    if let Some(path) = &*NAMES
        && let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(path)
    {
        let _ = writeln!(file, "{side} {write}");
    }
    if *DIE_AT == Some(number) {
        // Like a kill: no destructor runs and no buffer is flushed.
        std::process::abort();
    }
}
