//! The bell: at each connector's moment, and each minute for whatever the scheduler cannot know (a clock that was set back, behind
//! which it waits; a zone that changed its offset; a run that was started by hand; a publication to try again). It decides nothing.

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

/// How often it rings whatever the clock says.
const MINUTE: Duration = Duration::from_mins(1);

/// Rings each minute, by a clock that nobody sets, until it is aborted.
pub(super) async fn each_minute(runner: Arc<Runner>) {
    let mut minute = tokio::time::interval(MINUTE);
    minute.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        minute.tick().await;
        runner.ring();
    }
}

/// Hangs the bell of every connector that is not disabled.
pub(super) async fn hang(config: &Configuration, runner: &Arc<Runner>) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let mut moments = BTreeSet::new();
    for connector in &config.connectors {
        if config.settings.disabled_connectors.contains(&connector.name) {
            continue;
        }
        let schedule = &connector.file.schedule;
        let cron = &schedule.cron;
        let six = if cron.split_whitespace().count() == 5 { format!("0 {cron}") } else { cron.clone() };
        // The scheduler knows fixed offsets only. Where a zone changes its own, the minute rings.
        moments.insert((six, offset_secs(&schedule.zone)));
    }
    for (cron, offset) in moments {
        let offset = FixedOffset::east_opt(offset).expect("a zone is less than a day from UTC");
        let runner = Arc::clone(runner);
        let ring = move |_, _| -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
            runner.ring();
            Box::pin(std::future::ready(()))
        };
        scheduler.add(Job::new_async_tz(cron, offset, ring)?).await?;
    }
    scheduler.start().await?;
    Ok(scheduler)
}

fn offset_secs(zone: &str) -> i32 {
    let now = Timestamp::from_microsecond(run::now()).unwrap_or_default();
    TimeZone::get(zone).map_or(0, |zone| zone.to_offset(now).seconds())
}
