//! Runs a verb in this process and copies the data folder at each crash point: a copy is what a kill at that moment would
//! have left.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{Either, select};
use jiff::civil::{Date, DateTime};
use motcua::config::Configuration;
use motcua::crash_points::{Watcher, watch_thread};
use motcua::model::instant::from_local;
use motcua::run::{DataFolder, RunError, RunReport};
use tokio::sync::Notify;

use crate::desk;
use crate::office::{Office, copy, deep};

/// What a process does to a data folder.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verb {
    Run,
    Retry,
    Replay(i64),
    Backfill(Date, Date),
}

/// A verb with the configuration that the office had when it was made, at a moment of the clock.
pub(super) struct Program {
    config: Configuration,
    verb: Verb,
    now: i64,
}

/// A crash point that a run passed.
pub(super) struct Moment {
    /// Side and name of the write.
    pub(super) name: String,
    /// Copy of the data folder as it then was.
    pub(super) data: PathBuf,
}

impl Program {
    pub(super) fn new(office: &Office, verb: Verb, now: DateTime) -> Self {
        Self { config: desk::configuration(office), verb, now: from_local(now) }
    }

    /// Acts on a data folder until the verb ends.
    pub(super) fn run(&self, data: &Path) -> Result<RunReport, RunError> {
        self.watched(data, None, &Notify::new()).expect("nothing stops it")
    }

    /// Acts on a data folder and copies it at each moment, into folders below `copies`.
    pub(super) fn moments(&self, data: &Path, copies: &Path) -> Vec<Moment> {
        let passed = Arc::new(Mutex::new(Vec::new()));
        let (seen, from, copies) = (Arc::clone(&passed), data.to_owned(), copies.to_owned());
        let watcher: Watcher = Arc::new(move |side, write| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let data = copies.join(format!("{:03}", seen.len() + 1));
            copy(&from, &data);
            seen.push(Moment { name: format!("{side} {write}"), data });
        });
        let report = self.watched(data, Some(watcher), &Notify::new()).expect("nothing stops it");
        report.unwrap_or_else(|error| panic!("{:?}: {error}", self.verb));
        std::mem::take(&mut *passed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Acts on a data folder, copies it to `left` at its 1-based `moment`-th moment, and ends there. False if the verb
    /// ended before.
    pub(super) fn dies_at(&self, data: &Path, moment: usize, left: &Path) -> bool {
        let (from, to) = (data.to_owned(), left.to_owned());
        let (passed, killed) = (Mutex::new(0), Arc::new(Notify::new()));
        let kill = Arc::clone(&killed);
        let watcher: Watcher = Arc::new(move |_, _| {
            let mut passed = passed.lock().unwrap_or_else(PoisonError::into_inner);
            *passed += 1;
            if *passed == moment {
                copy(&from, &to);
                // Whatever the run still does before it is dropped, the copy does not show it.
                kill.notify_one();
            }
        });
        self.watched(data, Some(watcher), &killed);
        left.exists()
    }

    /// Acts on a data folder; `None` if it was `killed` before the verb ended. Every thread of the run is watched.
    fn watched(&self, data: &Path, watcher: Option<Watcher>, killed: &Notify) -> Option<Result<RunReport, RunError>> {
        let of_threads = watcher.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_stack_size(64 << 20)
            .enable_all()
            .on_thread_start(move || watch_thread(of_threads.clone()))
            .build()
            .expect("a runtime starts");
        deep(|| {
            watch_thread(watcher);
            runtime.block_on(async {
                match select(pin!(killed.notified()), pin!(self.act(data))).await {
                    Either::Left(_) => None,
                    Either::Right((ended, _)) => Some(ended),
                }
            })
        })
    }

    async fn act(&self, data: &Path) -> Result<RunReport, RunError> {
        let (now, progress) = (self.now, |_: &str| ());
        let held = DataFolder::open(&self.config, data, "test", now).await?;
        let ended = match self.verb {
            Verb::Run => held.run_once(&[], now, &progress).await,
            Verb::Retry => held.retry(&[], now, &progress).await,
            Verb::Replay(run) => held.replay(run, now, &progress).await,
            Verb::Backfill(from, to) => held.backfill("desk", (from, to), now, &progress).await,
        };
        held.ledger.close().await;
        ended
    }
}
