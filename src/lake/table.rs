//! One Delta table: how it is opened, which files are active, and how it is committed to.
//!
//! A commit carries transaction numbers (`txn`: application, number). The log takes the same number twice
//! without complaint, and a commit can stand although its call returned an error (a checkpoint failed
//! after it). So the number is asked before a commit and after any error from it. A commit that finds the
//! table changed since it was loaded fails: one task commits.

use std::path::{Path, PathBuf};

use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, Add, Remove, Transaction};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use serde::Serialize;
use url::Url;

use super::durable;
use super::error::{LakeError, log_error};
use super::layout::{Layout, PART};
use super::versions::pull_of;
use crate::crash_points::crash_point;

/// A table under the lake's root folder.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) folder: PathBuf,
    pub(super) layout: Layout,
}

/// What the log says of the rows of a file. No ranges: deltalake for Python takes a column that has none beside columns that
/// have some for empty, and a filter on it then finds no row.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    num_records: u64,
}

/// A file that the newest log names.
#[derive(Debug, Clone)]
pub(super) struct DataFile {
    pub(super) path: PathBuf,
    pub(super) part: Option<String>,
    /// Source and run, where the file holds the versions of one pull: its name says so.
    pub(super) pull: Option<(String, i64)>,
    pub(super) remove: Remove,
}

/// A file that was written and is not in a log yet.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) path: PathBuf,
    pub(super) part: Option<String>,
    pub(super) rows: u64,
}

impl Table {
    /// Opens a table: what was cut by a power failure is moved aside, an absent table is created, columns
    /// that an older table lacks are added.
    pub(super) async fn open(root: &Path, layout: Layout) -> Result<Self, LakeError> {
        let table = Self { folder: root.join(layout.name), layout };
        let name = table.layout.name;
        for entry in durable::move_damaged_aside(root, name)? {
            tracing::warn!(table = name, entry, "moved aside a log entry that was cut before it was acknowledged");
        }
        durable::create_folder(&table.folder)?;
        let opened = match table.load().await {
            Ok(opened) => opened,
            Err(LakeError::Log { source, .. }) if is_absent(&source) => table.create().await?,
            Err(error) => return Err(error),
        };
        let schema = opened.snapshot().map_err(log_error("read", name))?.schema();
        let mut fields = table.layout.fields();
        fields.retain(|field| schema.field(field.name()).is_none());
        if !fields.is_empty() {
            let _crash_point = crash_point("widen a table");
            let widened = opened.add_columns().with_fields(fields).await.map_err(log_error("add columns to", name))?;
            table.sync_log(widened.version().unwrap_or_default(), widened.version().unwrap_or_default())?;
        }
        Ok(table)
    }

    async fn create(&self) -> Result<DeltaTable, LakeError> {
        let name = self.layout.name;
        let parts: &[&str] = if self.layout.parted { &[PART] } else { &[] };
        let _crash_point = crash_point("create a table");
        let created = CreateBuilder::new()
            .with_location(self.folder.to_string_lossy())
            .with_table_name(name)
            .with_columns(self.layout.fields())
            .with_partition_columns(parts.iter().copied())
            .await
            .map_err(log_error("create", name))?;
        self.sync_log(0, 0)?;
        durable::sync(&self.folder)?;
        Ok(created)
    }

    fn sync_log(&self, first: u64, last: u64) -> Result<(), LakeError> {
        durable::sync_log(&self.folder, first, last)
    }

    /// The table as its newest log entry says.
    pub(super) async fn load(&self) -> Result<DeltaTable, LakeError> {
        load(&self.folder, self.layout.name).await
    }

    /// The number that `application` has reached; `None` where it never committed.
    pub(super) async fn reached(&self, table: &DeltaTable, application: &str) -> Result<Option<i64>, LakeError> {
        reached(table, self.layout.name, application).await
    }

    /// The active files.
    pub(super) fn files(&self, table: &DeltaTable) -> Result<Vec<DataFile>, LakeError> {
        let snapshot = table.snapshot().map_err(log_error("read", self.layout.name))?;
        snapshot
            .log_data()
            .iter()
            .map(|file| {
                let relative = file.path().into_owned();
                let foreign = || LakeError::Foreign { table: self.layout.name, path: relative.clone() };
                let part = file.partition_values_map().remove(PART).flatten();
                if part.is_some() != self.layout.parted {
                    return Err(foreign());
                }
                let remove = file.remove_action(true);
                Ok(DataFile { path: self.folder.join(&relative), part, pull: pull_of(&relative), remove })
            })
            .collect()
    }

    /// Adds files in one commit, unless `application` has reached `number`: then the files are removed and
    /// nothing changes. Gives the version of the table.
    pub(super) async fn append(&self, application: &str, number: i64, written: Vec<Written>) -> Result<u64, LakeError> {
        let table = self.load().await?;
        if written.is_empty() || self.reached(&table, application).await?.is_some_and(|reached| reached >= number) {
            for file in &written {
                durable::remove_unnamed(&file.path);
            }
            return Ok(table.version().unwrap_or_default());
        }
        let adds = written.iter().map(|file| Ok(Action::Add(self.add(file)?))).collect::<Result<_, LakeError>>()?;
        self.commit(&table, adds, vec![Transaction::new(application, number)]).await
    }

    /// Commits `actions` and `transactions` to `table` as it was loaded; gives the new version.
    pub(super) async fn commit(
        &self,
        table: &DeltaTable,
        actions: Vec<Action>,
        transactions: Vec<Transaction>,
    ) -> Result<u64, LakeError> {
        let name = self.layout.name;
        let replaces = actions.iter().any(|action| matches!(action, Action::Remove(_)));
        let operation = DeltaOperation::Write {
            mode: if replaces { SaveMode::Overwrite } else { SaveMode::Append },
            partition_by: self.layout.parted.then(|| vec![PART.to_owned()]),
            predicate: None,
        };
        let properties =
            CommitProperties::default().with_max_retries(0).with_application_transactions(transactions.clone());
        let snapshot = table.snapshot().map_err(log_error("read", name))?;
        let _crash_point = crash_point("commit to a table");
        let prepared = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(snapshot), table.log_store(), operation)
            .into_prepared_commit_future()
            .await;
        let committed = match prepared {
            Ok(prepared) => prepared.await,
            Err(error) => Err(error),
        };
        let before = table.version().unwrap_or_default();
        let version = match committed {
            Ok(committed) => {
                // On the disk before the checkpoint is written and old entries are deleted.
                let version = committed.version;
                self.sync_log(version, version)?;
                if let Err(error) = committed.await {
                    tracing::warn!(table = name, %error, "the commit stands, the checkpoint or clean-up after it failed");
                }
                version
            }
            Err(error) => {
                if transactions.is_empty() {
                    return Err(log_error("commit to", name)(error));
                }
                let after = self.load().await?;
                for transaction in &transactions {
                    if self.reached(&after, &transaction.app_id).await? != Some(transaction.version) {
                        return Err(log_error("commit to", name)(error));
                    }
                }
                tracing::warn!(table = name, %error, "the commit stands although it returned an error");
                after.version().unwrap_or(before)
            }
        };
        self.sync_log(before.saturating_add(1).min(version), version)?;
        Ok(version)
    }

    /// Syncs a written file and describes it for the log.
    pub(super) fn add(&self, written: &Written) -> Result<Add, LakeError> {
        let (size, modification_time) = durable::sync_data(&written.path)?;
        let stats = Stats { num_records: written.rows };
        let relative = written.path.strip_prefix(&self.folder).unwrap_or(&written.path);
        Ok(Add {
            path: relative.to_string_lossy().into_owned(),
            partition_values: written.part.iter().map(|part| (PART.to_owned(), Some(part.clone()))).collect(),
            size,
            modification_time,
            data_change: true,
            stats: serde_json::to_string(&stats).ok(),
            ..Add::default()
        })
    }
}

/// Loads the table in `folder`, which exists.
pub(super) async fn load(folder: &Path, name: &str) -> Result<DeltaTable, LakeError> {
    let url = Url::from_directory_path(folder).map_err(|()| LakeError::Root { path: folder.to_owned() })?;
    let builder = DeltaTableBuilder::from_url(url).map_err(log_error("find", name))?;
    builder.load().await.map_err(log_error("read", name))
}

/// The number that `application` has reached in `table`.
pub(super) async fn reached(table: &DeltaTable, name: &str, application: &str) -> Result<Option<i64>, LakeError> {
    let snapshot = table.snapshot().map_err(log_error("read", name))?;
    snapshot.transaction_version(&table.log_store(), application).await.map_err(log_error("read", name))
}

fn is_absent(error: &DeltaTableError) -> bool {
    matches!(error, DeltaTableError::NotATable(_) | DeltaTableError::InvalidTableLocation(_))
}
