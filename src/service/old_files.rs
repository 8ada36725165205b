//! Old files are removed after the first night of a day, as `[retention]` sets it. The night is published by then, and no part
//! of the run: nothing that happens here makes it a failed one.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use jiff::civil::Date;
use tokio::time::timeout;

use crate::config::{Configuration, RetentionSettings};
use crate::model::instant;
use crate::run::{DataFolder, LockError, Retention, RunError, VacuumAction, with_causes};

/// How long a removal may take. Runs wait for it; the next day tries again.
const WITHIN: Duration = Duration::from_hours(1);

/// When old files were removed last.
#[derive(Debug, Default)]
pub(super) struct OldFiles {
    /// The day on which their removal was tried last, unless the data folder was held.
    examined_on: Mutex<Option<Date>>,
    is_under_way: AtomicBool,
}

impl OldFiles {
    /// Whether they are being removed.
    pub(super) fn is_under_way(&self) -> bool {
        self.is_under_way.load(Ordering::Relaxed)
    }

    /// Removes old files, unless it was tried today or the settings leave it to people. Errors and panics are logged. What failed
    /// would mostly fail after the next run too, which waits for it: it is tried again the next day. If another process held the
    /// data folder, nothing was tried.
    pub(super) async fn remove(&self, config: &Configuration, now: i64) {
        let today = instant::local(now).date();
        if !config.settings.retention.by_itself || self.examined_on() == Some(today) {
            return;
        }
        self.is_under_way.store(true, Ordering::Relaxed);
        // Boxed: the future is too large for the stack of the functions around it.
        let removing = AssertUnwindSafe(Box::pin(remove(config, now))).catch_unwind();
        let removed = timeout(WITHIN, removing).await;
        self.is_under_way.store(false, Ordering::Relaxed);
        if !matches!(removed, Ok(Ok(Err(RunError::Lock(LockError::Held { .. }))))) {
            *self.examined_on.lock().unwrap_or_else(PoisonError::into_inner) = Some(today);
        }
        match removed {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::error!("old files are not removed: {}", with_causes(&error)),
            // The panic hook has logged the panic.
            Ok(Err(_)) => tracing::error!("old files are not removed: their removal ended in a panic"),
            Err(_) => tracing::error!("not all old files are removed: it takes longer than {} s", WITHIN.as_secs()),
        }
    }

    fn examined_on(&self) -> Option<Date> {
        *self.examined_on.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn remove(config: &Configuration, now: i64) -> Result<(), RunError> {
    let folder = DataFolder::open(config, &config.settings.data, "serve", now).await?;
    let done = remove_in(&folder, &config.settings.retention, now).await;
    folder.ledger.close().await;
    done
}

async fn remove_in(folder: &DataFolder<'_>, settings: &RetentionSettings, now: i64) -> Result<(), RunError> {
    if let Some(doubt) = folder.age_doubt(now).await? {
        tracing::warn!("old files are kept today, since their ages are doubted: {doubt}; `motcua vacuum` removes them");
        return Ok(());
    }
    let lines = folder.vacuum(Retention::from(settings), false, now, &|_| ()).await?;
    let removed = lines.iter().filter(|line| line.action == VacuumAction::Removed);
    let bytes: u64 = removed.map(|line| line.bytes).sum();
    tracing::info!(bytes, "old files removed; `motcua vacuum --dry-run` lists what is kept, and why");
    Ok(())
}
