//! Removing what nothing rests on any more. Everything is looked at before anything goes; a dry run looks only.
//!
//! | kind | goes | stays |
//! |---|---|---|
//! | `lake` | data files that were replaced or never named, after the readers' grace | what the tables' logs name |
//! | `nights` | CSV and JSON, which the Parquet gives again; all figures of old nights, which their versions give again | landmarks, `night.json`, what the versions do not give |
//! | `landing` | old pulls of ended runs | what is open, unfinished, not in the tables, or a connector's newest |
//! | `definitions` | texts that no night names | the others |
//! | `slots` | rows of the schedule older than two years | the others |
//! | `leftovers` | what died half written, damaged log entries after a year | |
//!
//! Killed anywhere, it leaves a folder that reads the same, and the next call goes on.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use crate::lake::unreferenced_files::{self, FileUse};
use crate::lake::{self, LakeFile};
use crate::landing::keeping::{self as landings, LandedFolder};
use crate::model::instant::DAY_MICROS;
use crate::model::table::Kind;
use crate::publish::retention::{self, NightFolder};
use crate::publish::{self, NightFigures, RemovedFigures};
use crate::run::file_listing::count_and_bytes;
use crate::run::ledger::{LandedNeed, checkpoint};
use crate::run::past_nights::rebuilt;
use crate::run::{DataFolder, Progress, RunError};

/// How long decided slots are kept.
const SLOTS_DAYS: i64 = 2 * 365;
/// How long damaged log entries are kept.
const DAMAGED_DAYS: i64 = 365;

/// How many days things are kept at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    pub nights: u32,
    /// CSV and JSON of nights whose Parquet is there: a night's bytes are nearly all theirs.
    pub texts: u32,
    pub landing: u32,
    /// Replaced files of the lake: readers that opened a table before may still be at them. At most a week: then the tables'
    /// logs forget when a file was replaced.
    pub files: u32,
}

/// What becomes of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VacuumAction {
    Removed,
    Kept,
}

/// What goes or stays of one kind, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct VacuumLine {
    pub kind: &'static str,
    pub action: VacuumAction,
    pub reason: String,
    /// Files; of `slots` rows.
    pub count: u64,
    pub bytes: u64,
}

/// What is to be removed, and what is told of it.
#[derive(Default)]
struct Plan {
    lake: Vec<LakeFile>,
    damaged: Vec<LakeFile>,
    nights: Vec<(NightFolder, Option<RemovedFigures>)>,
    landed: Vec<LandedFolder>,
    definitions: Vec<PathBuf>,
    slots_before: Option<i64>,
    landing_left: Vec<PathBuf>,
    nights_left: Vec<PathBuf>,
    told: BTreeMap<(usize, VacuumAction, String), (u64, u64)>,
}

const KINDS: [&str; 6] = ["lake", "nights", "landing", "definitions", "slots", "leftovers"];
const LAKE: usize = 0;
const NIGHTS: usize = 1;
const LANDING: usize = 2;
const DEFINITIONS: usize = 3;
const SLOTS: usize = 4;
const LEFTOVERS: usize = 5;

impl Plan {
    fn tell(&mut self, kind: usize, action: VacuumAction, reason: impl Into<String>, (count, bytes): (u64, u64)) {
        let told = self.told.entry((kind, action, reason.into())).or_default();
        *told = (told.0 + count, told.1 + bytes);
    }
}

impl DataFolder<'_> {
    /// Removes what nothing rests on any more, or only says what that is (`dry`).
    pub async fn vacuum(
        &self,
        keep: Retention,
        dry: bool,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<Vec<VacuumLine>, RunError> {
        let mut plan = Plan::default();
        self.plan_lake(&mut plan, keep, now).await?;
        self.plan_nights(&mut plan, keep, now, progress).await?;
        self.plan_landing(&mut plan, keep, now).await?;
        let slots_before = now - SLOTS_DAYS * DAY_MICROS;
        let (old, young) = self.ledger.slots_around(slots_before).await?;
        let rows = |rows: i64| (rows.unsigned_abs(), 0);
        plan.tell(SLOTS, VacuumAction::Removed, format!("older than {SLOTS_DAYS} days"), rows(old));
        plan.tell(SLOTS, VacuumAction::Kept, "younger", rows(young));
        plan.slots_before = (old > 0).then_some(slots_before);
        if !dry {
            progress("removing");
            self.remove(&plan, now).await?;
        }
        let told = plan.told.into_iter().filter(|(_, (count, _))| *count > 0);
        let line =
            |((kind, action, reason), (count, bytes))| VacuumLine { kind: KINDS[kind], action, reason, count, bytes };
        Ok(told.map(line).collect())
    }

    async fn plan_lake(&self, plan: &mut Plan, keep: Retention, now: i64) -> Result<(), RunError> {
        let root = self.data.join("lake");
        let FileUse { unneeded, waiting, named } = unreferenced_files::file_use(&root, keep.files, now).await?;
        let whole = |files: &[LakeFile]| (files.len() as u64, files.iter().map(|file| file.bytes).sum());
        plan.tell(LAKE, VacuumAction::Removed, "no table names them", whole(&unneeded));
        let grace = format!("no table names them, for less than {} days", keep.files);
        plan.tell(LAKE, VacuumAction::Kept, grace, whole(&waiting));
        plan.tell(LAKE, VacuumAction::Kept, "the tables name them", whole(&named));
        plan.lake = unneeded;
        plan.damaged = lake::damaged_before(&root, now - DAMAGED_DAYS * DAY_MICROS)?;
        plan.tell(
            LEFTOVERS,
            VacuumAction::Removed,
            "damaged log entries, moved aside a year ago",
            whole(&plan.damaged),
        );
        Ok(())
    }

    async fn plan_nights(
        &self,
        plan: &mut Plan,
        keep: Retention,
        now: i64,
        progress: &Progress<'_>,
    ) -> Result<(), RunError> {
        let until = now - i64::from(keep.nights) * DAY_MICROS;
        let texts_until = now - i64::from(keep.texts) * DAY_MICROS;
        let folders = retention::published_nights(&self.data)?;
        for (path, bytes, is_named) in retention::definition_files(&self.data, &folders)? {
            if is_named {
                plan.tell(DEFINITIONS, VacuumAction::Kept, "a night names them", (1, bytes));
            } else {
                plan.tell(DEFINITIONS, VacuumAction::Removed, "no night names them", (1, bytes));
                plan.definitions.push(path);
            }
        }
        for night in folders.into_iter().filter(|night| !night.figures.is_empty()) {
            let (run, as_of) = (night.record.night.run, night.record.night.as_of);
            let (whole, texts) = (weight_of(&night), night.texts());
            let of_texts = weight_of(&texts);
            if night.is_landmark {
                plan.tell(NIGHTS, VacuumAction::Kept, "the newest, or the last of its month", whole);
            } else if as_of < until {
                progress(&format!("night {run}: can it be rebuilt?"));
                match self.removable(&night, now).await? {
                    Some(removed) => {
                        plan.tell(NIGHTS, VacuumAction::Removed, format!("older than {} days", keep.nights), whole);
                        plan.nights.push((night, Some(removed)));
                    }
                    None => {
                        plan.tell(NIGHTS, VacuumAction::Kept, "the versions of figures do not give them again", whole);
                    }
                }
            } else if as_of < texts_until && of_texts.0 > 0 {
                let reason = format!("CSV and JSON older than {} days; their Parquet says the same", keep.texts);
                plan.tell(NIGHTS, VacuumAction::Removed, reason, of_texts);
                let rest = (whole.0 - of_texts.0, whole.1 - of_texts.1);
                plan.tell(NIGHTS, VacuumAction::Kept, format!("younger than {} days", keep.nights), rest);
                plan.nights.push((texts, None));
            } else {
                plan.tell(NIGHTS, VacuumAction::Kept, format!("younger than {} days", keep.nights), whole);
            }
        }
        plan.nights_left = retention::partial_files(&self.data)?;
        for path in plan.nights_left.clone() {
            plan.tell(LEFTOVERS, VacuumAction::Removed, "half written", count_and_bytes(&path)?);
        }
        Ok(())
    }

    /// What is to be said of a night whose figures go; `None` if the versions would not give them again.
    async fn removable(&self, night: &NightFolder, now: i64) -> Result<Option<RemovedFigures>, RunError> {
        let folder = night.folder.clone();
        let removed = match tokio::task::spawn_blocking(move || publish::read_night(&folder)).await?? {
            (_, NightFigures::Present(figures)) => RemovedFigures::new(&figures, now),
            (_, NightFigures::Removed(removed)) => removed,
        };
        let again = rebuilt(&self.data, night.record.night.run).await?;
        Ok(removed.matches(&again).then_some(removed))
    }

    async fn plan_landing(&self, plan: &mut Plan, keep: Retention, now: i64) -> Result<(), RunError> {
        let until = now - i64::from(keep.landing) * DAY_MICROS;
        let (pulls, left) = landings::landed(&self.data)?;
        let needs = self.ledger.landed_needs().await?;
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
            if let Some(reason) = still_needed(&pull, need, is_newest, reached[&pull.connector], until, keep.landing) {
                plan.tell(LANDING, VacuumAction::Kept, reason, whole);
            } else {
                // What lies half written in it goes with it.
                plan.tell(LANDING, VacuumAction::Removed, format!("older than {} days", keep.landing), whole);
                plan.landed.push(pull);
            }
        }
        for path in left {
            if !plan.landed.iter().any(|pull| path.starts_with(&pull.folder)) {
                plan.tell(LEFTOVERS, VacuumAction::Removed, "half written", count_and_bytes(&path)?);
                plan.landing_left.push(path);
            }
        }
        Ok(())
    }

    /// The newest run of a connector that any table has; the connector need not be configured any more.
    async fn reached_anywhere(&self, connector: &str) -> Result<i64, RunError> {
        let mut newest = 0;
        for kind in Kind::ALL {
            newest = newest.max(self.lake.last_run(kind, connector).await?.unwrap_or_default());
        }
        Ok(newest)
    }

    async fn remove(&self, plan: &Plan, now: i64) -> Result<(), RunError> {
        // First: what goes next may be written under the same names.
        for path in &plan.nights_left {
            retention::remove_unneeded(path)?;
        }
        for path in &plan.landing_left {
            landings::remove_left(path)?;
        }
        for (night, removed) in &plan.nights {
            retention::remove_figures(night, removed.as_ref())?;
        }
        for pull in &plan.landed {
            // Said first: whoever finds it gone finds why.
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
            self.ledger.forget_slots_before(moment).await?;
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
            "old things removed"
        );
        Ok(())
    }
}

fn weight_of(night: &NightFolder) -> (u64, u64) {
    (night.figures.len() as u64, night.figures.iter().map(|(_, bytes)| bytes).sum())
}

/// Why a landed pull is kept; `None` if nothing needs it any more.
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
