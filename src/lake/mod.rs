//! The lake: Delta tables of what was accepted, and their images.
//!
//! ```text
//! <root>/dossier_versions       append-only, one row an accepted version: the truth
//! <root>/dossiers               the newest version of each key, partitioned by `part` (yyyy-MM): their image
//! <root>/postal_item_versions   …
//! <root>/postal_items           …
//! <root>/changes                consecutive versions of a dossier compared
//! <root>/damaged                log entries that a power failure cut
//! ```
//! One pull is one commit to the versions with `txn("pull/<source>", run)`; the image follows with
//! [`Lake::bring_up_image`] and mirrors these numbers. What a scan shows is what the log named when the
//! scan was made: files that a killed run left, and half a night, are never seen. One task writes.
//! Scans are lazy; they are collected outside async tasks (`spawn_blocking`).

mod cells;
mod changes;
mod durable;
mod error;
mod figures;
mod image;
mod layout;
mod read;
mod rewrite;
mod rows;
pub mod spare;
mod table;
#[cfg(test)]
mod tests;
mod versions;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use polars::prelude::{LazyFrame, SortMultipleOptions, col, lit};

use self::layout::Layout;
use self::table::Table;
use crate::model::record::Record;
use crate::model::table::Kind;

pub use self::changes::Change;
pub use self::error::LakeError;
pub use self::figures::FigureTable;
pub use self::layout::StoredType;
pub use self::read::Known;
pub use self::versions::VersionWriter;

/// Name of the table of changes.
const CHANGES: &str = "changes";

/// The tables under one root folder.
#[derive(Debug, Clone)]
pub struct Lake {
    root: PathBuf,
    tables: Vec<(Kind, Pair)>,
}

/// The two tables of a kind.
#[derive(Debug, Clone)]
struct Pair {
    versions: Table,
    image: Table,
}

impl Lake {
    /// Opens the lake in `root`. Creates the tables that are missing, adds the columns that older tables lack, and moves aside
    /// a newest log entry that does not parse.
    pub async fn open(root: &Path) -> Result<Self, LakeError> {
        durable::create_folder(root)?;
        let root = durable::absolute(root)?;
        if root.to_str().is_none_or(|path| path.contains('=')) {
            return Err(LakeError::Root { path: root });
        }
        let mut tables = Vec::new();
        for kind in Kind::ALL {
            let versions = Table::open(&root, Layout::versions(kind)).await?;
            tables.push((kind, Pair { versions, image: Table::open(&root, Layout::image(kind)).await? }));
        }
        Ok(Self { root, tables })
    }

    /// The folder of the tables, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn pair(&self, kind: Kind) -> &Pair {
        &self.tables.iter().find(|(other, _)| *other == kind).expect("`open` opens the tables of every kind").1
    }

    /// Stored state of those of `keys` that the image holds for `source`: one projected scan.
    pub async fn known(&self, kind: Kind, source: &str, keys: &[String]) -> Result<HashMap<String, Known>, LakeError> {
        read::known(&self.pair(kind).image, source, keys).await
    }

    /// Starts the version file of one pull.
    #[must_use]
    pub fn writer(&self, kind: Kind, source: &str, run: i64) -> VersionWriter {
        VersionWriter::new(self.pair(kind).versions.clone(), kind, source, run)
    }

    /// The newest run of `source` whose versions are committed.
    pub async fn reached(&self, kind: Kind, source: &str) -> Result<Option<i64>, LakeError> {
        let versions = &self.pair(kind).versions;
        versions.reached(&versions.load().await?, &versions::application(source)).await
    }

    /// Brings the image up to the versions; gives its new version, or `None` where it was up to date.
    pub async fn bring_up_image(&self, kind: Kind) -> Result<Option<u64>, LakeError> {
        let pair = self.pair(kind);
        image::bring_up(&pair.versions, &pair.image).await
    }

    /// The earliest instant in `column` (microseconds) among the image's rows of `source` that have not ended: status none of
    /// refused, withdrawn, stopped, completed, returned; not completed; not deleted.
    pub async fn oldest_open(&self, kind: Kind, source: &str, column: &str) -> Result<Option<i64>, LakeError> {
        read::oldest_open(&self.pair(kind).image, source, column).await
    }

    /// Keys of the image's rows of `source` that are not deleted and whose `column` lies between two instants, both included.
    pub async fn listed(
        &self,
        kind: Kind,
        source: &str,
        column: &str,
        since: i64,
        until: i64,
    ) -> Result<Vec<String>, LakeError> {
        read::listed(&self.pair(kind).image, source, column, (since, until)).await
    }

    /// The image's rows of those keys, whole, each with its part.
    pub async fn rows_of(&self, kind: Kind, source: &str, keys: &[String]) -> Result<Vec<(Record, String)>, LakeError> {
        read::rows_of(&self.pair(kind).image, kind, source, keys).await
    }

    /// Compares the versions of dossiers that came since the last comparison with those before, and appends what changed under
    /// `run`; gives how many changes there are. A run that was compared before changes nothing.
    pub async fn note_changes(&self, run: i64, now: i64) -> Result<usize, LakeError> {
        let table = FigureTable::open(&self.root, CHANGES, changes::CHANGE_COLUMNS).await?;
        let reached = table.reached().await?;
        if reached.is_some_and(|reached| reached >= run) {
            return Ok(0);
        }
        let versions = &self.pair(Kind::Dossiers).versions;
        let since = match reached {
            Some(reached) => reached,
            // The first load is what changes are held against.
            None => match image::pulls(versions, &versions.load().await?).await?.values().flatten().min() {
                Some(first) => *first,
                None => return Ok(0),
            },
        };
        let found = changes::since(versions, since, now).await?;
        table.append(changes::frame(&found).map_err(error::rows_error("write", CHANGES))?, run).await?;
        Ok(found.len())
    }

    /// The changes that came with `run`, or all, from the table under `root` as it stands: nothing is repaired or written.
    pub async fn read_changes(root: &Path, run: Option<i64>) -> Result<Vec<Change>, LakeError> {
        let layout = Layout { name: CHANGES, columns: changes::CHANGE_COLUMNS.to_vec(), parted: false };
        let table = Table { folder: durable::absolute(root)?.join(CHANGES), layout };
        let mut kept = rows::scan(&table.layout, &table.files(&table.load().await?)?)?;
        if let Some(run) = run {
            kept = kept.filter(col("run").eq(lit(run)));
        }
        error::blocking(CHANGES, move || {
            let sorted = kept.sort(["run", "source", "source_key"], SortMultipleOptions::default());
            changes::read(&rows::collect(CHANGES, sorted)?).map_err(error::rows_error("read", CHANGES))
        })
        .await
    }

    /// The newest version of each key as of run `run`, from the table under `root` as it stands: nothing is repaired or written.
    pub async fn read_as_of(root: &Path, kind: Kind, run: i64) -> Result<LazyFrame, LakeError> {
        let layout = Layout::versions(kind);
        // A data folder that no newer motcua has opened for writing lacks the tables that came since.
        if !durable::tables(root)?.iter().any(|name| name == kind.versions_name()) {
            return rows::scan(&layout, &[]);
        }
        let table = Table { folder: durable::absolute(root)?.join(kind.versions_name()), layout };
        read::scan_as_of(&table, run).await
    }

    /// The Delta version of every table under the root folder.
    pub async fn versions(&self) -> Result<BTreeMap<String, u64>, LakeError> {
        let mut versions = BTreeMap::new();
        for name in durable::tables(&self.root)? {
            let table = table::load(&self.root.join(&name), &name).await?;
            versions.insert(name, table.version().unwrap_or_default());
        }
        Ok(versions)
    }

    /// The highest run that any table has committed; 0 where none has.
    pub async fn highest_run(&self) -> Result<i64, LakeError> {
        let mut highest = 0;
        for name in durable::tables(&self.root)? {
            let table = table::load(&self.root.join(&name), &name).await?;
            highest = highest.max(table::reached(&table, &name, figures::FIGURES).await?.unwrap_or_default());
        }
        for (_, pair) in &self.tables {
            let table = pair.versions.load().await?;
            for (source, runs) in image::pulls(&pair.versions, &table).await? {
                let reached = pair.versions.reached(&table, &versions::application(&source)).await?;
                highest = highest.max(reached.unwrap_or_default()).max(runs.last().copied().unwrap_or_default());
            }
        }
        Ok(highest)
    }

    /// The newest version of each key, with its `part`.
    pub async fn scan_image(&self, kind: Kind) -> Result<LazyFrame, LakeError> {
        let image = &self.pair(kind).image;
        rows::scan(&image.layout, &image.files(&image.load().await?)?)
    }

    /// The newest version of each key as of run `run`, from the versions; `part` is the version's own.
    pub async fn scan_as_of(&self, kind: Kind, run: i64) -> Result<LazyFrame, LakeError> {
        read::scan_as_of(&self.pair(kind).versions, run).await
    }
}
