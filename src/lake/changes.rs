//! Finds values that were changed after they had been counted: due dates, end dates, status, channel, agency.
//! Compares consecutive versions of each dossier.
//!
//! One table, `changes`: source, source_key, dossier_code, change, before, after, run_before, run, explained. Values are
//! written as stored, instants as ISO 8601 in local time.

use std::collections::HashMap;

use polars::prelude::*;

use super::data_files::DataFile;
use super::due_columns;
use super::due_history::DueHistory;
use super::error::{LakeError, blocking, rows_error};
use super::layout::StoredType;
use super::rows::{KEY, VERSION_ORDER, collect, columns, scan};
use super::table::Table;
use crate::model::instant::{self, DAY_MICROS, offset_micros};
use crate::model::table::CLOSED_STATUSES;

/// The columns of `changes`.
pub(super) const CHANGE_COLUMNS: &[(&str, StoredType)] = &[
    ("source", StoredType::Text),
    ("source_key", StoredType::Text),
    ("dossier_code", StoredType::Text),
    ("change", StoredType::Text),
    ("before", StoredType::Text),
    ("after", StoredType::Text),
    ("run_before", StoredType::Integer),
    ("run", StoredType::Integer),
    ("explained", StoredType::Flag),
];

/// A value that differs between two consecutive versions of a dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub source: String,
    pub source_key: String,
    pub dossier_code: Option<String>,
    /// Code of the change:
    ///
    /// | code | change |
    /// |---|---|
    /// | `due_moved` | the due date was changed before it had passed |
    /// | `due_moved_after_due` | the due date was changed after it had passed |
    /// | `due_removed` | the due date was removed |
    /// | `end_set_back` | the completion or the return was moved to before the end that was stated last |
    /// | `end_removed` | neither a completion nor a return is stated any more |
    /// | `reopened` | the status was one of a closed dossier and no longer is |
    /// | `channel_changed` | the submission channel was changed |
    /// | `agency_changed` | the competent agency was changed |
    /// | `deleted` | the dossier was deleted |
    /// | `restored` | the deleted dossier is in the source again |
    pub change: String,
    pub before: Option<String>,
    pub after: Option<String>,
    /// The run of the version before.
    pub run_before: i64,
    /// The run of the version that differs.
    pub run: i64,
    /// Of a due date that was moved later: whether a supplement or a suspension explains it. `None` of other changes, and if
    /// the source states neither supplements nor a status.
    pub explained: Option<bool>,
}

/// The compared values of a version.
#[derive(Debug, Clone, Default)]
struct ComparedVersion {
    run: i64,
    dossier_code: Option<String>,
    status: Option<String>,
    channel: Option<String>,
    agency: Option<String>,
    due_at: Option<i64>,
    ends: Ends,
    /// Of each end the last that a version up to this one has stated.
    last_ends: Ends,
    deleted: bool,
    /// The history of the due date up to this version.
    due_history: DueHistory,
}

/// The moments that end a dossier, microseconds UTC: the earlier one is its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Ends {
    completed: Option<i64>,
    returned: Option<i64>,
}

impl Ends {
    fn end(self) -> Option<i64> {
        self.completed.into_iter().chain(self.returned).min()
    }

    /// The last stated ones, if these are stated after `last`.
    fn after(self, last: Self) -> Self {
        Self { completed: self.completed.or(last.completed), returned: self.returned.or(last.returned) }
    }

    /// Whether one of them was moved to before the end that was stated last. One that is stated for the first time was not
    /// moved.
    fn are_set_back_from(self, last: Self) -> bool {
        let is_moved = |new: Option<i64>, old: Option<i64>| {
            old.is_some() && new.is_some_and(|new| Some(new) < old.min(last.end()))
        };
        is_moved(self.completed, last.completed) || is_moved(self.returned, last.returned)
    }
}

/// Changes by runs after `since`, ordered by key. A due date before `now` (microseconds UTC), the moment of the night,
/// counts as moved after it had passed.
pub(super) async fn changes_since(versions: &Table, since: i64, now: i64) -> Result<Vec<Change>, LakeError> {
    let files = versions.files(&versions.load().await?)?;
    // A file without a pull (rewritten from several pulls) may have versions of both: earlier runs and later ones.
    let is_new = |file: &DataFile| file.pull.as_ref().is_none_or(|(_, run)| *run > since);
    let is_old = |file: &DataFile| file.pull.as_ref().is_none_or(|(_, run)| *run <= since);
    // Without earlier files there is nothing to compare: no figures had been computed.
    if !files.iter().any(is_new) || !files.iter().any(is_old) {
        return Ok(Vec::new());
    }
    let files = versions.verified(files).await?;
    let new_files = files.filtered(is_new);
    let layout = versions.layout.clone();
    blocking(layout.name, move || {
        let keys = scan(&layout, &new_files)?.filter(col("run").gt(lit(since))).select(columns(KEY));
        let keys = collect(layout.name, keys.unique_generic(None, UniqueKeepStrategy::Any))?.lazy();
        let compared =
            ["dossier_code", "submission_channel", "competent_agency", "completed_at", "returned_at", "deleted"];
        let wanted: Vec<Expr> = due_columns::stated().into_iter().chain(columns(compared)).collect();
        let versions_of_changed_keys =
            scan(&layout, &files)?.select(wanted).join(keys, columns(KEY), columns(KEY), JoinArgs::new(JoinType::Semi));
        let options = SortMultipleOptions::default().with_nulls_last(false);
        let sorted = collect(
            layout.name,
            versions_of_changed_keys.sort_by_exprs(columns(KEY.into_iter().chain(VERSION_ORDER)), options),
        )?;
        compare_all(&sorted, since, now).map_err(rows_error("read", layout.name))
    })
    .await
}

/// Compares each version with the one before it. `frame` is sorted by key and version order.
fn compare_all(frame: &DataFrame, since: i64, now: i64) -> PolarsResult<Vec<Change>> {
    let text = |name: &str| frame.column(name)?.str();
    let (codes, statuses) = (text("dossier_code")?, text("status")?);
    let (channels, agencies) = (text("submission_channel")?, text("competent_agency")?);
    let instants = |name: &str| frame.column(name)?.cast(&DataType::Int64);
    let (due, runs) = (instants("due_at")?, instants("run")?);
    let (completed, returned) = (instants("completed_at")?, instants("returned_at")?);
    let (due, runs, completed, returned) = (due.i64()?, runs.i64()?, completed.i64()?, returned.i64()?);
    let deleted = frame.column("deleted")?.bool()?;
    let owned = |text: Option<&str>| text.map(str::to_owned);
    // Every row has its key, so the two lists are parallel.
    let stated = due_columns::read(frame)?;
    let mut changes = Vec::new();
    let mut previous: HashMap<(&str, &str), ComparedVersion> = HashMap::new();
    for (at, ((source, key), due_version)) in stated.into_iter().enumerate() {
        let known = previous.get(&(source, key));
        let history = known.map(|before| before.due_history.clone()).unwrap_or_default();
        let ends = Ends { completed: completed.get(at), returned: returned.get(at) };
        let version = ComparedVersion {
            run: runs.get(at).unwrap_or_default(),
            dossier_code: owned(codes.get(at)),
            status: owned(statuses.get(at)),
            channel: owned(channels.get(at)),
            agency: owned(agencies.get(at)),
            due_at: due.get(at),
            ends,
            last_ends: ends.after(known.map(|before| before.last_ends).unwrap_or_default()),
            deleted: deleted.get(at).unwrap_or_default(),
            due_history: history.after(due_version),
        };
        if let Some(before) = known
            && version.run > since
        {
            for (change, old, new) in compare(before, &version, now) {
                let is_due = change.starts_with("due_moved");
                changes.push(Change {
                    explained: if is_due { is_explained(before, &version) } else { None },
                    source: source.to_owned(),
                    source_key: key.to_owned(),
                    dossier_code: version.dossier_code.clone(),
                    change: change.to_owned(),
                    before: old,
                    after: new,
                    run_before: before.run,
                    run: version.run,
                });
            }
        }
        previous.insert((source, key), version);
    }
    Ok(changes)
}

/// Whether a supplement or a suspension explains that the due date is later than before. `None` if it is not, or if the
/// source states neither.
fn is_explained(before: &ComparedVersion, after: &ComparedVersion) -> Option<bool> {
    let stated = &after.due_history.newest;
    let states_none =
        after.status.is_none() && [stated.requests, stated.requested, stated.supplied].iter().all(Option::is_none);
    (after.due_at > before.due_at && !states_none).then(|| after.due_at <= after.due_history.explained)
}

/// The last moment of a due date: midnight is a date without a time of day, which lasts until the day is over.
fn last_moment(due: i64) -> i64 {
    let is_date = (due + offset_micros()).rem_euclid(DAY_MICROS) == 0;
    if is_date { due + DAY_MICROS - 1 } else { due }
}

/// Code of a change, the value before and the value after.
type Difference = (&'static str, Option<String>, Option<String>);

fn compare(before: &ComparedVersion, after: &ComparedVersion, now: i64) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    let shown = |at: Option<i64>| at.map(instant::display);
    if let (Some(old), Some(new)) = (before.due_at, after.due_at)
        && old != new
    {
        let change = if last_moment(old) < now { "due_moved_after_due" } else { "due_moved" };
        found.push((change, shown(Some(old)), shown(Some(new))));
    }
    if let (Some(old), None) = (before.due_at, after.due_at) {
        found.push(("due_removed", shown(Some(old)), None));
    }
    if after.ends.are_set_back_from(before.last_ends) {
        found.push(("end_set_back", shown(before.last_ends.end()), shown(after.ends.end())));
    } else if before.ends.end().is_some() && after.ends.end().is_none() {
        found.push(("end_removed", shown(before.ends.end()), None));
    }
    // A version without a status neither closes nor opens a dossier.
    let closed = |status: &Option<String>| status.as_deref().map(|status| CLOSED_STATUSES.contains(&status));
    if closed(&before.status) == Some(true) && closed(&after.status) == Some(false) {
        found.push(("reopened", before.status.clone(), after.status.clone()));
    }
    for (change, old, new) in
        [("channel_changed", &before.channel, &after.channel), ("agency_changed", &before.agency, &after.agency)]
    {
        if old.is_some() && new.is_some() && old != new {
            found.push((change, old.clone(), new.clone()));
        }
    }
    if before.deleted != after.deleted {
        found.push((if after.deleted { "deleted" } else { "restored" }, None, None));
    }
    found
}

/// Converts changes to rows of the table.
pub(super) fn to_frame(changes: &[Change]) -> PolarsResult<DataFrame> {
    let text = |name: &str, value: fn(&Change) -> Option<&str>| {
        Column::new(name.into(), changes.iter().map(value).collect::<Vec<_>>())
    };
    let integer =
        |name: &str, value: fn(&Change) -> i64| Column::new(name.into(), changes.iter().map(value).collect::<Vec<_>>());
    DataFrame::new(
        changes.len(),
        vec![
            text("source", |change| Some(&change.source)),
            text("source_key", |change| Some(&change.source_key)),
            text("dossier_code", |change| change.dossier_code.as_deref()),
            text("change", |change| Some(&change.change)),
            text("before", |change| change.before.as_deref()),
            text("after", |change| change.after.as_deref()),
            integer("run_before", |change| change.run_before),
            integer("run", |change| change.run),
            Column::new("explained".into(), changes.iter().map(|change| change.explained).collect::<Vec<_>>()),
        ],
    )
}

/// Converts rows of the table to changes.
pub(super) fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<Change>> {
    let text = |name: &str| frame.column(name)?.str();
    let integer = |name: &str| frame.column(name)?.i64();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let (sources, keys, codes, changes) =
        (text("source")?, text("source_key")?, text("dossier_code")?, text("change")?);
    let (before, after, runs_before, runs) = (text("before")?, text("after")?, integer("run_before")?, integer("run")?);
    let explained = frame.column("explained")?.bool()?;
    let change = |at: usize| Change {
        source: owned(sources.get(at)).unwrap_or_default(),
        source_key: owned(keys.get(at)).unwrap_or_default(),
        dossier_code: owned(codes.get(at)),
        change: owned(changes.get(at)).unwrap_or_default(),
        before: owned(before.get(at)),
        after: owned(after.get(at)),
        run_before: runs_before.get(at).unwrap_or_default(),
        run: runs.get(at).unwrap_or_default(),
        explained: explained.get(at),
    };
    Ok((0..frame.height()).map(change).collect())
}

#[cfg(test)]
mod tests {
    use super::super::due_history::DueVersion;
    use super::*;

    #[test]
    fn each_changed_value_gives_its_code() {
        let day = 86_400_000_000;
        let ended = |at: i64| Ends { completed: Some(at * day), returned: None };
        let old = ComparedVersion {
            status: Some("completed".to_owned()),
            channel: Some("counter".to_owned()),
            agency: Some("H61.14".to_owned()),
            due_at: Some(10 * day),
            ends: ended(12),
            last_ends: ended(12),
            ..ComparedVersion::default()
        };
        let names = |after: ComparedVersion, now: i64| -> Vec<&str> {
            compare(&old, &after, now).into_iter().map(|found| found.0).collect()
        };
        assert_eq!(names(old.clone(), 0), [""; 0]);
        assert_eq!(names(ComparedVersion { due_at: Some(11 * day), ..old.clone() }, 9 * day), ["due_moved"]);
        assert_eq!(names(ComparedVersion { due_at: Some(11 * day), ..old.clone() }, 13 * day), ["due_moved_after_due"]);
        // A date without a time of day has passed when its day is over: at 17:00 UTC here.
        let midnight = 10 * day - 7 * 3_600_000_000;
        let dated = ComparedVersion { due_at: Some(midnight), ..old.clone() };
        let moved = |now| compare(&dated, &ComparedVersion { due_at: Some(20 * day), ..old.clone() }, now)[0].0;
        assert_eq!([moved(midnight + day - 1), moved(midnight + day)], ["due_moved", "due_moved_after_due"]);
        assert_eq!(names(ComparedVersion { due_at: None, ..old.clone() }, 0), ["due_removed"]);
        assert_eq!(names(ComparedVersion { ends: ended(9), ..old.clone() }, 0), ["end_set_back"]);
        assert_eq!(names(ComparedVersion { ends: ended(13), ..old.clone() }, 0), [""; 0]);
        let reopened = ComparedVersion { ends: Ends::default(), status: Some("processing".to_owned()), ..old.clone() };
        assert_eq!(names(reopened, 0), ["end_removed", "reopened"]);
        assert_eq!(names(ComparedVersion { status: Some("returned".to_owned()), ..old.clone() }, 0), [""; 0]);
        assert_eq!(
            names(ComparedVersion { channel: Some("online".to_owned()), ..old.clone() }, 0),
            ["channel_changed"]
        );
        assert_eq!(names(ComparedVersion { agency: Some("H61.15".to_owned()), ..old.clone() }, 0), ["agency_changed"]);
        assert_eq!(names(ComparedVersion { agency: None, ..old.clone() }, 0), [""; 0]);
        assert_eq!(names(ComparedVersion { deleted: true, ..old.clone() }, 0), ["deleted"]);
    }

    #[test]
    fn an_end_is_set_back_from_the_last_one_that_was_stated() {
        let ends = |completed, returned| Ends { completed, returned };
        let is_set_back = |last, new: Ends| new.are_set_back_from(last);
        assert!(is_set_back(ends(Some(12), None), ends(Some(9), None)));
        assert!(is_set_back(ends(None, Some(12)), ends(None, Some(9))));
        assert!(!is_set_back(ends(None, Some(12)), ends(Some(9), Some(12))), "a completion stated for the first time");
        assert!(!is_set_back(ends(Some(5), Some(12)), ends(Some(5), Some(9))), "it ended at 5 before and after");
        assert!(!is_set_back(ends(Some(12), None), ends(Some(13), None)));
        let [first, empty, last] = [ends(Some(12), None), Ends::default(), ends(Some(9), None)];
        assert!(is_set_back(empty.after(first.after(Ends::default())), last), "a version without one lies between");
    }

    #[test]
    fn a_move_is_explained_unknown_or_neither() {
        let first = DueVersion {
            order: [None, Some(1), Some(0), Some(0)],
            received: Some(1),
            due: Some(10),
            ..DueVersion::default()
        };
        let version = |status: Option<&str>, stated: DueVersion, before: Option<&ComparedVersion>| ComparedVersion {
            status: status.map(str::to_owned),
            due_at: stated.due,
            due_history: before.map(|before| before.due_history.clone()).unwrap_or_default().after(stated),
            ..ComparedVersion::default()
        };
        let open = version(Some("processing"), first.clone(), None);
        let moved = |due| DueVersion { order: [None, Some(2), Some(0), Some(0)], due: Some(due), ..first.clone() };
        let supplied = DueVersion { requests: Some(1), ..moved(20) };
        assert_eq!(is_explained(&open, &version(Some("processing"), moved(20), Some(&open))), Some(false));
        assert_eq!(is_explained(&open, &version(Some("processing"), supplied, Some(&open))), Some(true));
        assert_eq!(is_explained(&open, &version(None, moved(20), Some(&open))), None, "no version has supplements");
        assert_eq!(is_explained(&open, &version(Some("processing"), moved(5), Some(&open))), None, "an earlier date");
    }
}
