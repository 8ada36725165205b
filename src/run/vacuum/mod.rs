//! Vacuum: removes old files and rows that nothing needs any more. Everything is planned before anything is removed; a
//! dry run only plans. A night whose record cannot be read is kept.
//!
//! | kind | removed | kept |
//! |---|---|---|
//! | `lake` | data files that no table log names, once readers had `files` days to finish | what the tables' logs name |
//! | `nights` | CSV and JSON, which the Parquet file holds too; all figures of old nights, if the figure versions hold them | the newest nights, the Parquet file of the last of each month, `night.json`, figures that the versions do not hold |
//! | `landing` | old pulls of ended runs | pulls with open rejections, unfinished, not in the tables, with the present contents of files, or a connector's newest |
//! | `definitions` | configuration texts that no night names | the others |
//! | `slots` | slots older than two years | the others |
//! | `file_lists` | which files a folder's connector had read, in the cursors of old pulls | those of its newest pulls |
//! | `rejections` | closed rejections of rows that were rejected again, once the landed pages of both pulls are removed | the newest one, which counts them |
//! | `leftovers` | half-written files of processes that died; damaged log entries after a year | |
//!
//! If it is killed, every past night still reads the same, and the next call removes the rest.

mod age_doubt;
mod plan;

use std::collections::HashMap;

pub use self::plan::{VacuumAction, VacuumLine};
use self::plan::{VacuumKind, VacuumPlan};
use strum::IntoEnumIterator as _;

use crate::config::RetentionSettings;
use crate::lake::unreferenced_files::{self, FileUse};
use crate::lake::{self, LakeFile};
use crate::landing::retention::{self as landings, LandedFolder};
use crate::model::connector::{Access, Content};
use crate::model::instant::DAY_MICROS;
use crate::model::table::RecordKind;
use crate::publish::retention::{self, NightFolder, PublishedNights};
use crate::publish::{self, NightFigures, PublishedFilesError, RemovedFigures};
use crate::run::data_folder::DataFolder;
use crate::run::error::RunError;
use crate::run::file_listing::count_and_bytes;
use crate::run::ledger::{LandedNeed, checkpoint};
use crate::run::past_nights::rebuilt;
use crate::run::progress::Progress;

/// Age in days at which slots are removed.
const SLOTS_DAYS: i64 = 2 * 365;
/// Age in days at which damaged log entries are removed.
const DAMAGED_DAYS: i64 = 365;

/// Why files of a damaged night are kept.
const DAMAGED_NIGHT: &str = "a file of them is damaged: see `motcua verify`";

/// Minimum age in days at which things are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Figures of nights.
    pub nights: u32,
    /// Landed pages of pulls.
    pub landing: u32,
    /// Replaced files of the lake, which readers that opened a table earlier may still read. At most 7: later the
    /// tables' logs do not record when a file was replaced.
    pub files: u32,
}

impl From<&RetentionSettings> for Retention {
    fn from(settings: &RetentionSettings) -> Self {
        Self { nights: settings.night_days, landing: settings.landing_days, files: settings.file_days }
    }
}

impl DataFolder<'_> {
    /// Why files should not be removed for their age without a person; `None` if the clock is not doubted.
    pub async fn age_doubt(&self, now: i64) -> Result<Option<String>, RunError> {
        let confirmed_at = self.ledger.ages_confirmed_at().await?;
        Ok(age_doubt::age_doubt(now, confirmed_at, &publish::night_records(&self.data)?))
    }

    /// As [`Self::vacuum`], ordered by a person: times without a night before `now` raise no doubt any more.
    pub async fn vacuum_by_order(
        &self,
        keep: Retention,
        dry: bool,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<Vec<VacuumLine>, RunError> {
        let lines = self.vacuum(keep, dry, now, progress).await?;
        if !dry {
            self.ledger.confirm_ages(now).await?;
        }
        Ok(lines)
    }

    /// Removes what nothing needs any more; with `dry`, only reports it.
    pub async fn vacuum(
        &self,
        keep: Retention,
        dry: bool,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<Vec<VacuumLine>, RunError> {
        let mut plan = VacuumPlan::new(dry);
        self.plan_lake(&mut plan, keep, now).await?;
        self.plan_nights(&mut plan, keep, now, progress).await?;
        self.plan_landing(&mut plan, keep, now).await?;
        let slots_before = now - SLOTS_DAYS * DAY_MICROS;
        let (old, young) = self.ledger.slots_around(slots_before).await?;
        let rows = |rows: i64| (rows.unsigned_abs(), 0);
        plan.removes(VacuumKind::Slots, format!("older than {SLOTS_DAYS} days"), rows(old));
        plan.keeps(VacuumKind::Slots, "younger", rows(young));
        plan.slots_before = (old > 0).then_some(slots_before);
        let lists = self.ledger.old_file_lists().await?;
        plan.removes(VacuumKind::FileLists, "in cursors that no pull goes on from", lists);
        plan.has_old_file_lists = lists.0 > 0;
        let repeats = self.ledger.old_repeats().await?;
        plan.removes(VacuumKind::Rejections, "later rejections of the same rows count them", (repeats, 0));
        plan.has_old_repeats = repeats > 0;
        if !dry {
            progress("removing");
            self.remove(&plan, now).await?;
        }
        Ok(plan.into_lines())
    }

    async fn plan_lake(&self, plan: &mut VacuumPlan, keep: Retention, now: i64) -> Result<(), RunError> {
        let root = self.data.join("lake");
        let FileUse { unneeded, waiting, named } = unreferenced_files::file_use(&root, keep.files, now).await?;
        let amount = |files: &[LakeFile]| (files.len() as u64, files.iter().map(|file| file.bytes).sum());
        plan.removes(VacuumKind::Lake, "no table names them", amount(&unneeded));
        let grace = format!("no table names them, for less than {} days", keep.files);
        plan.keeps(VacuumKind::Lake, grace, amount(&waiting));
        plan.keeps(VacuumKind::Lake, "the tables name them", amount(&named));
        plan.lake = unneeded;
        plan.damaged = lake::damaged_before(&root, now - DAMAGED_DAYS * DAY_MICROS)?;
        plan.removes(VacuumKind::Leftovers, "damaged log entries, moved aside a year ago", amount(&plan.damaged));
        Ok(())
    }

    async fn plan_nights(
        &self,
        plan: &mut VacuumPlan,
        keep: Retention,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<(), RunError> {
        let PublishedNights { nights, unreadable } = retention::published_nights(&self.data)?;
        for (folder, error) in &unreadable {
            tracing::warn!(path = %folder.display(), "the night is kept, since its record cannot be read: {error}");
            plan.keeps(VacuumKind::Nights, DAMAGED_NIGHT, count_and_bytes(folder)?);
        }
        for (path, bytes, is_named) in retention::definition_files(&self.data, &nights)? {
            if is_named {
                plan.keeps(VacuumKind::Definitions, "a night names them", (1, bytes));
            } else if !unreadable.is_empty() {
                plan.keeps(VacuumKind::Definitions, "a night that cannot be read may name them", (1, bytes));
            } else {
                plan.removes(VacuumKind::Definitions, "no night names them", (1, bytes));
                plan.definitions.push(path);
            }
        }
        for night in nights.into_iter().filter(|night| !night.figures.is_empty()) {
            self.plan_night(night, plan, keep, now, progress).await?;
        }
        plan.nights_left = retention::partial_files(&self.data)?;
        for path in plan.nights_left.clone() {
            plan.removes(VacuumKind::Leftovers, "half written", count_and_bytes(&path)?);
        }
        Ok(())
    }

    /// Plans for the files of one night: all of them, its CSV and JSON, or none.
    async fn plan_night(
        &self,
        night: NightFolder,
        plan: &mut VacuumPlan,
        keep: Retention,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<(), RunError> {
        let (run, as_of) = (night.record.night.run, night.record.night.as_of);
        let whole = amount_of(&night);
        let not_in_versions = "the versions of figures do not give them again";
        if !night.is_landmark && as_of < before(now, keep.nights) {
            // All versions would be read for each of them, each day.
            if self.ledger.keeps_figures(run).await? {
                plan.keeps(VacuumKind::Nights, not_in_versions, whole);
                return Ok(());
            }
            progress(&format!("night {run}: checking whether its figures can be rebuilt"));
            match self.removable(&night, now).await {
                Err(RunError::Publish(PublishedFilesError::Damaged { path, what })) => {
                    tracing::warn!(path = %path.display(), "the night is kept, since it is damaged: {what}");
                    plan.keeps(VacuumKind::Nights, DAMAGED_NIGHT, whole);
                }
                Err(error) => return Err(error),
                Ok(Some(removed)) => {
                    plan.removes(VacuumKind::Nights, format!("older than {} days", keep.nights), whole);
                    plan.nights.push((night, Some(removed)));
                }
                Ok(None) => {
                    plan.keeps(VacuumKind::Nights, not_in_versions, whole);
                    // At once: a plan that is cut off does not look at the night again.
                    if !plan.is_dry {
                        self.ledger.note_figures_kept(run, now).await?;
                    }
                }
            }
            return Ok(());
        }
        let mut kept = whole;
        let young = format!("younger than {} days", keep.nights);
        let reason = if night.is_landmark { "the newest, or the last of its month".to_owned() } else { young };
        if !night.keeps_csv_and_json {
            let csv_and_json = night.csv_and_json();
            let amount = amount_of(&csv_and_json);
            plan.removes(VacuumKind::Nights, "CSV and JSON of earlier nights; the Parquet file holds the same", amount);
            kept = (whole.0 - amount.0, whole.1 - amount.1);
            if amount.0 > 0 {
                plan.nights.push((csv_and_json, None));
            }
        }
        plan.keeps(VacuumKind::Nights, reason, kept);
        Ok(())
    }

    /// The mark to leave in a night whose figures are removed; `None` if the figure versions do not hold the same
    /// figures.
    async fn removable(&self, night: &NightFolder, now: i64) -> Result<Option<RemovedFigures>, RunError> {
        let folder = night.folder.clone();
        let removed = match tokio::task::spawn_blocking(move || publish::read_night(&folder)).await?? {
            (_, NightFigures::Present(figures)) => RemovedFigures::new(&figures, now),
            (_, NightFigures::Removed(removed)) => removed,
        };
        let again = rebuilt(&self.data, night.record.night.run).await?;
        Ok(removed.matches(&again).then_some(removed))
    }

    async fn plan_landing(&self, plan: &mut VacuumPlan, keep: Retention, now: i64) -> Result<(), RunError> {
        let until = before(now, keep.landing);
        let (pulls, left) = landings::landed(&self.data)?;
        let needs = self.ledger.landed_needs().await?;
        let with_files = self.ledger.runs_with_files().await?;
        let mut newest: HashMap<String, i64> = HashMap::new();
        for pull in &pulls {
            let known = newest.entry(pull.connector.clone()).or_default();
            *known = pull.run.max(*known);
        }
        let mut reached: HashMap<String, i64> = HashMap::new();
        for pull in pulls {
            if !reached.contains_key(&pull.connector) {
                let run = self.reached_anywhere(&pull.connector).await?;
                reached.insert(pull.connector.clone(), run);
            }
            let need = needs.get(&(pull.connector.clone(), pull.run));
            let whole = count_and_bytes(&pull.folder)?;
            let is_newest = newest[&pull.connector] == pull.run;
            let has_files = with_files.contains(&(pull.connector.clone(), pull.run));
            let reason = if has_files && !self.only_appends(&pull.connector) {
                Some("files of the folder have the content that they hold".to_owned())
            } else {
                still_needed(&pull, need, is_newest, reached[&pull.connector], until, keep.landing)
            };
            if let Some(reason) = reason {
                plan.keeps(VacuumKind::Landing, reason, whole);
            } else {
                // Half-written files in it are removed with it.
                plan.removes(VacuumKind::Landing, format!("older than {} days", keep.landing), whole);
                plan.landed.push(pull);
            }
        }
        for path in left {
            if !plan.landed.iter().any(|pull| path.starts_with(&pull.folder)) {
                plan.removes(VacuumKind::Leftovers, "half written", count_and_bytes(&path)?);
                plan.landing_left.push(path);
            }
        }
        Ok(())
    }

    /// Whether a connector's files only add rows: their values never come back in place of another file's.
    fn only_appends(&self, connector: &str) -> bool {
        let connector = self.config.connector(connector);
        connector.is_some_and(|found| matches!(found.file.access, Access::Files { content: Content::Append, .. }))
    }

    /// Newest run of a connector in any table; the connector need not be configured any more.
    async fn reached_anywhere(&self, connector: &str) -> Result<i64, RunError> {
        let mut newest = 0;
        for kind in RecordKind::iter() {
            newest = newest.max(self.lake.last_run(kind, connector).await?.unwrap_or_default());
        }
        Ok(newest)
    }

    async fn remove(&self, plan: &VacuumPlan, now: i64) -> Result<(), RunError> {
        // Leftovers first: the marks of removed nights may be written under the same names.
        for path in &plan.nights_left {
            retention::remove_unneeded(path)?;
        }
        for path in &plan.landing_left {
            landings::remove_partial(path)?;
        }
        for (night, removed) in &plan.nights {
            retention::remove_figures(night, removed.as_ref())?;
        }
        // Before pages are removed, which makes further ones removable: a dry run has reported these.
        if plan.has_old_repeats {
            self.ledger.remove_old_repeats().await?;
        }
        for pull in &plan.landed {
            // Before the removal, so that a missing folder is explained.
            self.ledger.note_landing_removed(&pull.connector, pull.run, now).await?;
            landings::remove(pull)?;
        }
        for file in plan.lake.iter().chain(&plan.damaged) {
            unreferenced_files::remove(file)?;
        }
        for path in &plan.definitions {
            retention::remove_unneeded(path)?;
        }
        if let Some(moment) = plan.slots_before {
            self.ledger.delete_slots_before(moment).await?;
        }
        if plan.has_old_file_lists {
            self.ledger.remove_old_file_lists().await?;
        }
        for database in ["ledger.sqlite", "access.sqlite"].map(|name| self.data.join(name)) {
            if database.exists() {
                checkpoint(&database).await?;
            }
        }
        tracing::info!(
            nights = plan.nights.len(),
            pulls = plan.landed.len(),
            files = plan.lake.len(),
            "old files and rows removed"
        );
        Ok(())
    }
}

/// The moment so many days before `now`.
fn before(now: i64, days: u32) -> i64 {
    now - i64::from(days) * DAY_MICROS
}

/// Number and bytes of the files of a night.
fn amount_of(night: &NightFolder) -> (u64, u64) {
    (night.figures.len() as u64, night.figures.iter().map(|(_, bytes)| bytes).sum())
}

/// Why a landed pull is kept; `None` if nothing needs it any more. `reached`: newest run of its connector in the
/// tables.
fn still_needed(
    pull: &LandedFolder,
    need: Option<&LandedNeed>,
    is_newest: bool,
    reached: i64,
    until: i64,
    days: u32,
) -> Option<String> {
    let Some(need) = need else { return Some("the ledger does not know their run".to_owned()) };
    if need.started_at >= until {
        return Some(format!("younger than {days} days"));
    }
    let reason = if is_newest {
        "the newest of their connector"
    } else if !need.is_done {
        "their run has not ended"
    } else if need.has_open {
        "rejected rows of them are open"
    } else if need.has_rows && reached < pull.run {
        "the tables do not hold what they brought"
    } else {
        return None;
    };
    Some(reason.to_owned())
}
