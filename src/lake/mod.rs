//! The lake: Delta tables of the accepted records, and their images.
//!
//! ```text
//! <root>/dossier_versions       append-only, one row per accepted version: the source of truth
//! <root>/dossiers               its image: the newest version per key, partitioned by `part` (yyyy-MM)
//! <root>/dossier_groups         rows of different sources that are one dossier
//! <root>/postal_item_versions   …
//! <root>/postal_items           …
//! <root>/changes                differences between consecutive versions of a dossier
//! <root>/figure_versions        figures that a night changed ([`FigureTable`])
//! <root>/digests                digests of the files of each table's log
//! <root>/damaged                log entries that a power failure cut, images whose log was damaged
//! ```
//! One pull is one commit to the versions table with `txn("pull/<source>", run)`. [`Lake::update_image`] then updates
//! the image, and commits the same transaction numbers to it. A scan reads the files that the log named when the scan
//! was made: it never shows files that a killed run left, or a part of a night. Only one task writes. Scans are lazy,
//! and must be collected outside async tasks (`spawn_blocking`).

mod change_selection;
mod changes;
mod check;
mod column_builder;
mod damaged_log;
mod data_files;
mod dossier_groups;
mod due_backfill;
mod due_columns;
mod due_history;
mod error;
mod figure_table;
mod files;
mod image;
mod key_history;
mod layout;
mod log_digests;
mod read;
mod rebuild;
mod repeated_keys;
mod rewrite;
mod rows;
mod shared_code_rows;
mod shared_codes;
mod statistics;
mod table;
#[cfg(test)]
mod tests;
mod transactions;
pub mod unreferenced_files;
mod verification;
mod version_writer;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use polars::prelude::{DataType, LazyFrame, SortMultipleOptions, col, lit};

use self::layout::Layout;
use self::table::Table;
use self::transactions::FIGURES;
use strum::IntoEnumIterator as _;

use crate::durable;
use crate::model::record::Record;
use crate::model::source_order::SourceOrder;
use crate::model::table::RecordKind;

pub use self::change_selection::ChangeSelection;
pub use self::changes::Change;
pub use self::check::{CheckedTable, ImageDifference, check_tables, image_differences};
pub use self::damaged_log::damaged_before;
pub use self::dossier_groups::{GROUP_TABLE, GroupCounts, GroupedRow};
pub use self::error::{Damage, DamagedFile, LakeError, RESTORE};
pub use self::figure_table::{FIGURE_TABLE, FigureTable};
pub use self::files::LakeFile;
pub use self::key_history::KeyVersion;
pub use self::layout::StoredType;
pub use self::read::NewestVersion;
#[cfg(test)]
pub(crate) use self::rewrite::{PANICS, REFUSED};
pub use self::shared_code_rows::SharedCode;
pub use self::version_writer::VersionWriter;

/// Name of the table of changes.
const CHANGES: &str = "changes";

/// The tables under one root folder.
#[derive(Debug, Clone)]
pub struct Lake {
    root: PathBuf,
    tables: Vec<(RecordKind, KindTables)>,
}

/// The versions table of a kind and its image.
#[derive(Debug, Clone)]
struct KindTables {
    versions: Table,
    image: Table,
}

impl Lake {
    /// Opens the lake in `root`. Creates missing tables, adds the columns that older tables lack, and moves a newest
    /// log entry aside if it does not parse.
    pub async fn open(root: &Path) -> Result<Self, LakeError> {
        durable::create_folder(root)?;
        let root = files::absolute(root)?;
        if root.to_str().is_none_or(|path| path.contains('=')) {
            return Err(LakeError::Root { path: root });
        }
        let mut tables = Vec::new();
        for kind in RecordKind::iter() {
            let versions = Table::open(&root, Layout::versions(kind)).await?;
            tables.push((kind, KindTables { versions, image: open_derived(&root, Layout::image(kind)).await? }));
        }
        dossier_groups::mend_log(&root).await?;
        Ok(Self { root, tables })
    }

    /// The folder of the tables, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn tables(&self, kind: RecordKind) -> &KindTables {
        &self.tables.iter().find(|(other, _)| *other == kind).expect("`open` opens the tables of every kind").1
    }

    /// The newest version, by key, of those of `keys` that the image holds for `source`.
    pub async fn newest_versions(
        &self,
        kind: RecordKind,
        source: &str,
        keys: &[String],
    ) -> Result<HashMap<String, NewestVersion>, LakeError> {
        read::newest_versions(&self.tables(kind).image, source, keys).await
    }

    /// Starts writing the versions of one pull.
    #[must_use]
    pub fn version_writer(&self, kind: RecordKind, source: &str, run: i64) -> VersionWriter {
        VersionWriter::new(self.tables(kind).versions.clone(), kind, source, run)
    }

    /// The newest run of `source` whose versions are committed; `None` if there is none.
    pub async fn last_run(&self, kind: RecordKind, source: &str) -> Result<Option<i64>, LakeError> {
        let versions = &self.tables(kind).versions;
        versions.last_number(&versions.load().await?, &transactions::pull(source)).await
    }

    /// The runs of `source` whose versions are committed, in the tables of every kind.
    pub async fn committed_runs(&self, source: &str) -> Result<BTreeSet<i64>, LakeError> {
        let mut runs = BTreeSet::new();
        for (_, KindTables { versions, .. }) in &self.tables {
            let mut pulls = image::pulls(versions, &versions.load().await?).await?;
            runs.extend(pulls.remove(source).unwrap_or_default());
        }
        Ok(runs)
    }

    /// Compares the files that hold versions of `source` with their digests. An error names those that are damaged.
    pub async fn check_versions(&self, kind: RecordKind, source: &str) -> Result<(), LakeError> {
        let versions = &self.tables(kind).versions;
        let mut files = versions.files(&versions.load().await?)?;
        files.retain(|file| file.pull.as_ref().is_none_or(|(own, _)| own == source));
        versions.verified(files).await?;
        Ok(())
    }

    /// Updates the image from the versions, after its damaged and missing files were rebuilt. Returns the new
    /// version of the image table, or `None` if it was up to date.
    ///
    /// # Errors
    /// An error that [is of rows](LakeError::is_of_rows): [`Lake::behind`] names the sources whose pulls caused it.
    pub async fn update_image(&self, kind: RecordKind) -> Result<Option<u64>, LakeError> {
        let tables = self.tables(kind);
        rebuild::mend(&tables.versions, &tables.image).await?;
        due_backfill::fill(&tables.versions, &tables.image).await?;
        image::update(&tables.versions, &tables.image).await
    }

    /// The sources of which the image of a kind lacks pulls that are committed.
    pub async fn behind(&self, kind: RecordKind) -> Result<BTreeSet<String>, LakeError> {
        let tables = self.tables(kind);
        image::behind(&tables.versions, &tables.image).await
    }

    /// Checks that the image holds every committed pull of `source`: what is read is compared with it.
    pub async fn check_image(&self, kind: RecordKind, source: &str) -> Result<(), LakeError> {
        let error = || LakeError::ImageBehind { table: kind.image_name(), connector: source.to_owned() };
        if self.behind(kind).await?.contains(source) { Err(error()) } else { Ok(()) }
    }

    /// Brings the groups of dossiers up to the image, which must be up to date, and to an order of sources. Returns how
    /// many rows they leave out of figures.
    pub async fn update_groups(&self, order: &SourceOrder) -> Result<GroupCounts, LakeError> {
        let KindTables { versions, image } = self.tables(RecordKind::Dossiers);
        dossier_groups::update(&self.root, versions, image, order).await
    }

    /// Number of dossiers of `source` whose code another one of the same partition has too.
    pub async fn shared_codes(&self, source: &str) -> Result<u64, LakeError> {
        shared_code_rows::count(&self.tables(RecordKind::Dossiers).image, source).await
    }

    /// Scans the stored groups of dossiers.
    pub async fn scan_groups(&self) -> Result<LazyFrame, LakeError> {
        dossier_groups::scan_stored(&self.root).await
    }

    /// The earliest instant in `column` (microseconds UTC) among the image's rows of `source` that are open: not
    /// deleted, status not refused, withdrawn or stopped, and no end date (`completed_at`, `withdrawn_at`,
    /// `refused_at`, `stopped_at`).
    pub async fn oldest_open(&self, kind: RecordKind, source: &str, column: &str) -> Result<Option<i64>, LakeError> {
        read::oldest_open(&self.tables(kind).image, source, column).await
    }

    /// Keys of the image's rows of `source` that are not deleted and whose `column` lies between `since` and `until`
    /// (microseconds UTC, both included).
    pub async fn keys_between(
        &self,
        kind: RecordKind,
        source: &str,
        column: &str,
        since: i64,
        until: i64,
    ) -> Result<Vec<String>, LakeError> {
        let at = col(column).cast(DataType::Int64);
        let within = at.clone().gt_eq(lit(since)).and(at.lt_eq(lit(until)));
        read::held_keys(&self.tables(kind).image, source, within).await
    }

    /// Keys of the image's rows of `source` that are not deleted.
    pub async fn held_keys(&self, kind: RecordKind, source: &str) -> Result<Vec<String>, LakeError> {
        read::held_keys(&self.tables(kind).image, source, lit(true)).await
    }

    /// The image's records of the given keys, with all columns, each with its partition.
    pub async fn image_records(
        &self,
        kind: RecordKind,
        source: &str,
        keys: &[String],
    ) -> Result<Vec<(Record, String)>, LakeError> {
        read::image_records(&self.tables(kind).image, kind, source, keys).await
    }

    /// Compares the versions of dossiers since the last comparison with those before, appends the changes under `run`,
    /// and returns their number. A run that is compared already appends nothing. `now`: microseconds UTC.
    pub async fn record_changes(&self, run: i64, now: i64) -> Result<usize, LakeError> {
        let table = FigureTable::open(&self.root, CHANGES, changes::CHANGE_COLUMNS).await?;
        let last = table.last_run().await?;
        if last.is_some_and(|last| last >= run) {
            return Ok(0);
        }
        let versions = &self.tables(RecordKind::Dossiers).versions;
        let since = match last {
            Some(last) => last,
            // Without an earlier comparison, versions are compared with those of the first pull.
            None => match image::pulls(versions, &versions.load().await?).await?.values().flatten().min() {
                Some(first) => *first,
                None => return Ok(0),
            },
        };
        let found = changes::changes_since(versions, since, now).await?;
        table.append(changes::to_frame(&found).map_err(error::rows_error("write", CHANGES))?, run).await?;
        Ok(found.len())
    }

    /// The selected changes from the table under `root`. Nothing is repaired or written.
    pub async fn read_changes(root: &Path, only: ChangeSelection<'_>) -> Result<Vec<Change>, LakeError> {
        let layout = Layout { name: CHANGES, columns: changes::CHANGE_COLUMNS.to_vec(), parted: false };
        let table = Table::existing(&files::absolute(root)?, layout);
        let wanted = rows::scan(&table.layout, &table.verified_files(&table.load().await?).await?)?;
        let wanted = wanted.filter(only.condition());
        error::blocking(CHANGES, move || {
            let sorted = wanted.sort(["run", "source", "source_key"], SortMultipleOptions::default());
            changes::from_frame(&rows::collect(CHANGES, sorted)?).map_err(error::rows_error("read", CHANGES))
        })
        .await
    }

    /// Scans the newest version per key as of `run`, from the table under `root`. Nothing is repaired or written.
    pub async fn read_as_of(root: &Path, kind: RecordKind, run: i64) -> Result<LazyFrame, LakeError> {
        read::as_of(&files::absolute(root)?, kind, run).await
    }

    /// Groups of dossiers of which none is held by several sources.
    pub fn no_groups() -> LazyFrame {
        dossier_groups::none()
    }

    /// Scans the groups of dossiers as of `run`, computed from the versions under `root`. Repairs and writes nothing.
    pub async fn groups_as_of(root: &Path, run: i64, order: &SourceOrder) -> Result<LazyFrame, LakeError> {
        let root = files::absolute(root)?;
        let image = image::as_of(&root, RecordKind::Dossiers, run).await?;
        let versions = Table::existing(&root, Layout::versions(RecordKind::Dossiers));
        dossier_groups::as_of(&versions, image, run, order).await
    }

    /// The stored groups of dossiers under `root`, by group, each row with its code. Repairs and writes nothing.
    pub async fn read_groups(root: &Path) -> Result<Vec<(GroupedRow, Option<String>)>, LakeError> {
        let root = files::absolute(root)?;
        let rows = dossier_groups::read_stored(&root).await?;
        let image = Table::existing(&root, Layout::image(RecordKind::Dossiers));
        dossier_groups::with_codes(&image, rows).await
    }

    /// Dossiers under `root` whose code another one of their source has too, in order. Nothing is repaired or written.
    pub async fn read_shared_codes(root: &Path) -> Result<Vec<SharedCode>, LakeError> {
        let image = Table::existing(&files::absolute(root)?, Layout::image(RecordKind::Dossiers));
        shared_code_rows::rows(&image).await
    }

    /// The partitions (`yyyy-MM`) that the image of a kind has under `root`. Nothing is repaired or written; a table that
    /// does not exist has none.
    pub async fn parts(root: &Path, kind: RecordKind) -> Result<BTreeSet<String>, LakeError> {
        if !root.is_dir() || !files::has_table(root, kind.image_name())? {
            return Ok(BTreeSet::new());
        }
        let table = Table::existing(&files::absolute(root)?, Layout::image(kind));
        Ok(table.files(&table.load().await?)?.into_iter().filter_map(|file| file.part).collect())
    }

    /// The columns that the image of a kind has under `root`; `None` if there is none. A table of an older motcua has not
    /// all of them. Nothing is repaired or written.
    pub async fn image_columns(root: &Path, kind: RecordKind) -> Result<Option<BTreeSet<String>>, LakeError> {
        let name = kind.image_name();
        if !root.is_dir() || !files::has_table(root, name)? {
            return Ok(None);
        }
        let table = Table::existing(&files::absolute(root)?, Layout::image(kind)).load().await?;
        let schema = table.snapshot().map_err(error::log_error("read", name))?.schema();
        Ok(Some(schema.fields().map(|field| field.name().clone()).collect()))
    }

    /// Whether the table of groups of dossiers is stored under `root`.
    pub fn has_groups(root: &Path) -> Result<bool, LakeError> {
        Ok(root.is_dir() && files::has_table(root, GROUP_TABLE)?)
    }

    /// The Delta version of every table under the root folder, by name.
    pub async fn table_versions(&self) -> Result<BTreeMap<String, u64>, LakeError> {
        let mut versions = BTreeMap::new();
        for name in files::tables(&self.root)? {
            let table = table::load(&self.root.join(&name), &name).await?;
            versions.insert(name, table.version().unwrap_or_default());
        }
        Ok(versions)
    }

    /// The highest run that any table has committed; 0 if there is none.
    pub async fn highest_run(&self) -> Result<i64, LakeError> {
        let mut highest = 0;
        for name in files::tables(&self.root)? {
            let table = table::load(&self.root.join(&name), &name).await?;
            highest = highest.max(table::last_number(&table, &name, FIGURES).await?.unwrap_or_default());
        }
        for (_, tables) in &self.tables {
            let table = tables.versions.load().await?;
            for (source, runs) in image::pulls(&tables.versions, &table).await? {
                let last = tables.versions.last_number(&table, &transactions::pull(&source)).await?;
                highest = highest.max(last.unwrap_or_default()).max(runs.last().copied().unwrap_or_default());
            }
        }
        Ok(highest)
    }

    /// Scans the newest version per key, with its partition.
    pub async fn scan_image(&self, kind: RecordKind) -> Result<LazyFrame, LakeError> {
        let image = &self.tables(kind).image;
        rows::scan(&image.layout, &image.verified_files(&image.load().await?).await?)
    }

    /// Scans the newest version per key as of `run`, from the versions. `part` is the partition that the version itself
    /// names, which can differ from the image's.
    pub async fn scan_as_of(&self, kind: RecordKind, run: i64) -> Result<LazyFrame, LakeError> {
        read::scan_as_of(&self.tables(kind).versions, kind, run).await
    }
}

/// Opens a table that is computed from the versions: an image, or the groups of dossiers. If its log is damaged it is
/// moved aside, and the next update makes it again.
async fn open_derived(root: &Path, layout: Layout) -> Result<Table, LakeError> {
    let opened = Table::open(root, layout.clone()).await;
    let Err(LakeError::Damaged { files, .. }) = &opened else { return opened };
    for file in files {
        tracing::warn!(
            table = layout.name,
            path = %file.path.display(),
            "a file of the table's log {}: the table is made again from the versions. Check the health of the disk",
            file.damage.what()
        );
    }
    damaged_log::move_table_aside(root, layout.name)?;
    Table::open(root, layout).await
}
