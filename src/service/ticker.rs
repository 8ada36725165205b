//! Wakes the runner at each slot of a schedule, and every minute besides. The ticker decides nothing: the runner
//! works out what is due.
//!
//! The minute covers what the scheduler cannot know: a clock that was set back (the scheduler would wait behind it),
//! a zone that changed its offset, a run that was started by hand, a publication to try again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::FixedOffset;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::config::Configuration;
use crate::run;
use crate::service::runner::Runner;

/// Interval of the wake-ups that do not depend on the system clock.
const MINUTE: Duration = Duration::from_mins(1);

/// Wakes the runner each minute, by a monotonic clock, until the task is aborted.
pub(super) async fn wake_each_minute(runner: Arc<Runner>) {
    let mut minute = tokio::time::interval(MINUTE);
    minute.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        minute.tick().await;
        runner.wake();
    }
}

/// Removes uploads that nobody confirmed, each minute, until the task is aborted. A folder that hangs delays no schedule.
pub(super) async fn remove_uploads_each_minute(config: Arc<Configuration>) {
    let mut minute = tokio::time::interval(MINUTE);
    minute.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        minute.tick().await;
        let config = Arc::clone(&config);
        let removed = tokio::task::spawn_blocking(move || run::remove_unconfirmed_uploads(&config, run::now()));
        if let Err(error) = removed.await {
            tracing::error!("uploads that nobody confirmed are not removed: {error}");
        }
    }
}

/// Starts a scheduler that wakes the runner at the slots of every connector that is not disabled.
pub(super) async fn start(config: &Configuration, runner: &Arc<Runner>) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let mut cron_lines = BTreeSet::new();
    for connector in &config.connectors {
        if config.settings.disabled_connectors.contains(&connector.name) {
            continue;
        }
        let schedule = &connector.file.schedule;
        let cron = &schedule.cron;
        let six_fields = if cron.split_whitespace().count() == 5 { format!("0 {cron}") } else { cron.clone() };
        // The scheduler knows fixed offsets only. If a zone changes its offset, the minute wakes the runner.
        cron_lines.insert((six_fields, offset_secs(&schedule.zone)));
    }
    for (cron, offset) in cron_lines {
        let offset = FixedOffset::east_opt(offset).expect("a zone is less than a day from UTC");
        let runner = Arc::clone(runner);
        let wake = move |_, _| -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
            runner.wake();
            Box::pin(std::future::ready(()))
        };
        scheduler.add(Job::new_async_tz(cron, offset, wake)?).await?;
    }
    scheduler.start().await?;
    Ok(scheduler)
}

/// The zone's offset from UTC now; 0 for an unknown zone.
fn offset_secs(zone: &str) -> i32 {
    let now = Timestamp::from_microsecond(run::now()).unwrap_or_default();
    TimeZone::get(zone).map_or(0, |zone| zone.to_offset(now).seconds())
}
