//! Updating an image from its versions table.
//!
//! An image holds the newest version per key. Its commits carry the transaction numbers of the pulls that they contain,
//! so the log shows which pulls are new. One round takes the earliest new pull of every source and rewrites the
//! partitions that their rows touch, in one commit: an update that is killed and repeated gives the same image. The
//! last round also commits `txn("versions", N)`, where N is the version of the versions table.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::path::Path;

use deltalake_core::DeltaTable;
use deltalake_core::kernel::{Action, Transaction};
use polars::prelude::{DataFrame, Expr, LazyFrame, PolarsResult, UniqueKeepStrategy, col, lit};

use super::data_files::DataFile;
use super::due_columns;
use super::error::{LakeError, blocking, rows_error};
use super::files;
use super::layout::Layout;
use super::rewrite::{RewriteInput, rewrite};
use super::rows::{collect, columns, scan};
use super::table::Table;
use super::transactions::{self, DUE_HISTORY, VERSIONS};
use crate::model::table::RecordKind;

/// Updates `image` from `versions`. Returns the new version of the image, or `None` if it was up to date.
///
/// # Errors
/// An error that [is of rows](LakeError::is_of_rows) if those of a source make the update fail: the image then has the new
/// pulls of all others.
pub(super) async fn update(versions: &Table, image: &Table) -> Result<Option<u64>, LakeError> {
    let (mut updated, mut failed, mut is_one_by_one) = (None, BTreeMap::<String, LakeError>::new(), false);
    loop {
        let from = versions.load().await?;
        let to = image.load().await?;
        let at = i64::try_from(from.version().unwrap_or_default()).unwrap_or(i64::MAX);
        let mut new_pulls = new_pulls(versions, &from, image, &to).await?;
        let is_any_damaged = leave_out_damaged(versions, &from, &mut new_pulls).await?;
        let is_up_to_date = image.last_number(&to, VERSIONS).await?.unwrap_or_default() >= at;
        new_pulls.runs.retain(|source, _| !failed.contains_key(source));
        let is_any_left_out = is_any_damaged || !failed.is_empty();
        if new_pulls.runs.is_empty() && (is_any_left_out || is_up_to_date) {
            return failed.into_values().next().map_or(Ok(updated), Err);
        }
        let at_once = if is_one_by_one { 1 } else { usize::MAX };
        let first = |(source, runs): (&String, &BTreeSet<i64>)| Some((source.clone(), *runs.first()?));
        let round: BTreeMap<String, i64> = new_pulls.runs.iter().filter_map(first).take(at_once).collect();
        let is_last = new_pulls.runs.len() == round.len() && new_pulls.runs.values().all(|runs| runs.len() == 1);
        let own = (!is_any_left_out && is_last).then_some(at);
        match update_once((versions, &from), (image, &to), &round, &new_pulls.imaged, own).await {
            Ok(version) => updated = Some(version),
            Err(error) if error.is_of_rows() => match round.first_key_value() {
                Some((source, run)) if round.len() == 1 => {
                    tracing::error!(
                        run,
                        connector = source,
                        table = image.layout.name,
                        cause = error.source().map(ToString::to_string),
                        "the image cannot take a pull: {error}"
                    );
                    failed.insert(source.clone(), error);
                }
                Some(_) => is_one_by_one = true,
                None => return Err(error),
            },
            Err(error) => return Err(error),
        }
    }
}

/// Brings one pull of each source in `round` into the image, in one commit, and returns the image's version. `own`: the
/// version of the versions table that the image has then caught up with.
async fn update_once(
    (versions, from): (&Table, &DeltaTable),
    (image, to): (&Table, &DeltaTable),
    round: &BTreeMap<String, i64>,
    imaged: &BTreeSet<String>,
    own: Option<i64>,
) -> Result<u64, LakeError> {
    let mut numbers: Vec<Transaction> =
        round.iter().map(|(source, run)| Transaction::new(transactions::pull(source), *run)).collect();
    if due_columns::are_in(&image.layout) && image.last_number(to, DUE_HISTORY).await?.is_none() {
        // The image was empty: from its first commit on, every row has its history.
        numbers.push(Transaction::new(DUE_HISTORY, 1));
    }
    numbers.extend(own.map(|at| Transaction::new(VERSIONS, at)));
    let mut files = versions.files(from)?;
    files.retain(|file| single_pull(file).is_none_or(|(source, run)| round.get(source) == Some(&run)));
    let input = RewriteInput {
        versions: versions.layout.clone(),
        image: image.clone(),
        version_files: versions.verified(files).await?,
        image_files: image.verified_files(to).await?,
        imaged: round.keys().filter(|source| imaged.contains(*source)).cloned().collect(),
        pulls: round.clone(),
        stem: format!("versions-{:08}", from.version().unwrap_or_default()),
    };
    let rewritten = blocking(image.layout.name, move || rewrite(&input)).await?;
    let mut actions: Vec<Action> = rewritten.replaced.into_iter().map(|file| Action::Remove(file.remove)).collect();
    for written in &rewritten.written {
        actions.push(Action::Add(image.add(written)?));
    }
    image.commit(to, actions, numbers).await
}

/// Sources with pulls that the versions hold and the image does not.
pub(super) async fn behind(versions: &Table, image: &Table) -> Result<BTreeSet<String>, LakeError> {
    let (from, to) = (versions.load().await?, image.load().await?);
    Ok(new_pulls(versions, &from, image, &to).await?.runs.into_keys().collect())
}

/// Pulls that the versions table holds and the image does not.
struct NewPulls {
    /// Runs by source, earliest first.
    runs: BTreeMap<String, BTreeSet<i64>>,
    /// The sources that the image holds earlier pulls of.
    imaged: BTreeSet<String>,
}

async fn new_pulls(versions: &Table, from: &DeltaTable, image: &Table, to: &DeltaTable) -> Result<NewPulls, LakeError> {
    let mut new = NewPulls { runs: BTreeMap::new(), imaged: BTreeSet::new() };
    for (source, mut runs) in pulls(versions, from).await? {
        if let Some(last) = image.last_number(to, &transactions::pull(&source)).await? {
            runs.retain(|run| *run > last);
            new.imaged.insert(source.clone());
        }
        if !runs.is_empty() {
            new.runs.insert(source, runs);
        }
    }
    Ok(new)
}

/// The newest run of each source that an image contains.
pub(super) async fn reached(
    versions: &Table,
    from: &DeltaTable,
    image: &Table,
    to: &DeltaTable,
) -> Result<BTreeMap<String, i64>, LakeError> {
    let mut reached = BTreeMap::new();
    for source in pulls(versions, from).await?.into_keys() {
        if let Some(run) = image.last_number(to, &transactions::pull(&source)).await? {
            reached.insert(source, run);
        }
    }
    Ok(reached)
}

/// The image of a kind under `root`, if it is what the versions give as of `run`: it has every pull with its history of due
/// dates, none of them is later, and no file of it is damaged.
pub(super) async fn as_of(root: &Path, kind: RecordKind, run: i64) -> Result<Option<LazyFrame>, LakeError> {
    if !files::has_table(root, kind.versions_name())? || !files::has_table(root, kind.image_name())? {
        return Ok(None);
    }
    let [versions, image] = [Layout::versions(kind), Layout::image(kind)].map(|layout| Table::existing(root, layout));
    let (from, to) = (versions.load().await?, image.load().await?);
    let image_files = image.files(&to)?;
    let lacks_history = due_columns::are_in(&image.layout)
        && !image_files.is_empty()
        && image.last_number(&to, DUE_HISTORY).await?.is_none();
    if lacks_history || !new_pulls(&versions, &from, &image, &to).await?.runs.is_empty() {
        return Ok(None);
    }
    if reached(&versions, &from, &image, &to).await?.into_values().any(|reached| reached > run) {
        return Ok(None);
    }
    let (whole, damaged) = image.sorted(image_files).await?;
    if damaged.is_empty() { scan(&image.layout, &whole).map(Some) } else { Ok(None) }
}

/// Condition on versions: they are of a pull that an image contains. `reached`: newest run of each source in the image.
pub(super) fn is_contained(reached: &BTreeMap<String, i64>) -> Expr {
    let of_source =
        |(source, run): (&String, &i64)| col("source").eq(lit(source.clone())).and(col("run").lt_eq(lit(*run)));
    reached.iter().map(of_source).reduce(Expr::or).unwrap_or_else(|| lit(false))
}

/// Takes out the sources of which a new file is damaged: the image keeps their rows as they were. Returns whether there
/// are any.
async fn leave_out_damaged(versions: &Table, from: &DeltaTable, new: &mut NewPulls) -> Result<bool, LakeError> {
    let mut files = versions.files(from)?;
    files.retain(|file| {
        single_pull(file).is_some_and(|(source, run)| new.runs.get(source).is_some_and(|runs| runs.contains(&run)))
    });
    let (_, damaged) = versions.sorted(files).await?;
    for (file, damage) in &damaged {
        let Some((source, run)) = single_pull(file) else { continue };
        if new.runs.remove(source).is_some() {
            tracing::error!(
                run,
                connector = source,
                path = %damage.path.display(),
                "a file of versions {}: the image stays as it is for this connector",
                damage.damage.what()
            );
        }
    }
    Ok(!damaged.is_empty())
}

/// The pulls of a versions table, by source. They are read from the file names; compacted files, which hold several
/// pulls, are scanned.
pub(super) async fn pulls(versions: &Table, table: &DeltaTable) -> Result<BTreeMap<String, BTreeSet<i64>>, LakeError> {
    let mut pulls: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    let mut mixed = Vec::new();
    for file in versions.files(table)? {
        match single_pull(&file) {
            Some((source, run)) => {
                pulls.entry(source.to_owned()).or_default().insert(run);
            }
            None => mixed.push(file),
        }
    }
    if !mixed.is_empty() {
        let mixed = versions.verified(mixed).await?;
        let layout = versions.layout.clone();
        let frame = blocking(layout.name, move || {
            let read = scan(&layout, &mixed)?.select(columns(["source", "run"]));
            collect(layout.name, read.unique_generic(None, UniqueKeepStrategy::Any))
        })
        .await?;
        for (source, run) in pairs(&frame).map_err(rows_error("read", versions.layout.name))? {
            pulls.entry(source).or_default().insert(run);
        }
    }
    Ok(pulls)
}

fn pairs(frame: &DataFrame) -> PolarsResult<Vec<(String, i64)>> {
    let sources = frame.column("source")?.str()?.iter();
    let runs = frame.column("run")?.i64()?.iter();
    Ok(sources.zip(runs).filter_map(|(source, run)| Some((source?.to_owned(), run?))).collect())
}

/// Source and run of a file that holds one pull; `None` if it holds several.
fn single_pull(file: &DataFile) -> Option<(&str, i64)> {
    file.pull.as_ref().map(|(source, run)| (source.as_str(), *run))
}
