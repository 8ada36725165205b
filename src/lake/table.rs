//! One Delta table: opens it, lists its active files, commits to it.
//!
//! A commit carries transaction numbers (`txn`: application, number). The log accepts the same number twice without an
//! error, and a commit can be in the log although its call returned an error (the checkpoint after it failed). So the
//! number is read from the log before a commit, and again after an error. Only one task commits: a commit fails if the
//! table has changed since it was loaded.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, Add, LogicalFileView, Transaction};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use url::Url;

use super::damaged_log;
use super::data_files::{DataFile, UncommittedFile, pull_of};
use super::error::{DamagedFile, LakeError, file_error, log_error};
use super::files;
use super::layout::{Layout, PART};
use super::log_digests::{self, StoredDigests};
use super::statistics::{self, FileStatistics};
use super::verification::{VerifiedFiles, Verifier};
use crate::crash_points::crash_point;
use crate::{digests, durable};

/// A table under the lake's root folder.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) folder: PathBuf,
    pub(super) layout: Layout,
    verifier: Verifier,
}

/// Tag of a data file in the log: the digest of its content.
const DIGEST_TAG: &str = "motcua.digest";

/// Tag of a file of the image of dossiers: see [`shared_codes`](super::shared_codes).
const SHARED_CODES_TAG: &str = "motcua.shared_codes";

impl Table {
    /// A table that exists. Nothing is read.
    pub(super) fn existing(root: &Path, layout: Layout) -> Self {
        Self { folder: root.join(layout.name), layout, verifier: Verifier::default() }
    }

    /// Opens a table for writing. Moves aside what a power failure cut in its log, compares the log with its digests,
    /// creates the table if it is absent, and adds the columns that an older table lacks.
    pub(super) async fn open(root: &Path, layout: Layout) -> Result<Self, LakeError> {
        let table = Self::existing(root, layout);
        let name = table.layout.name;
        let stored = StoredDigests::of(root, name)?;
        for entry in damaged_log::move_aside(root, name, &stored.clone().known())? {
            tracing::warn!(table = name, entry, "moved aside a damaged file of the log, which is not needed");
        }
        durable::create_folder(&table.folder)?;
        let opened = match table.load().await {
            Ok(opened) => opened,
            Err(LakeError::Log { source, .. }) if is_absent(&source) => table.create().await?,
            Err(error) => return Err(error),
        };
        table.check_digests(&opened, &stored).await?;
        let schema = opened.snapshot().map_err(log_error("read", name))?.schema();
        let mut fields = table.layout.fields();
        fields.retain(|field| schema.field(field.name()).is_none());
        if !fields.is_empty() {
            let _crash_point = crash_point("widen a table");
            let widened = opened.add_columns().with_fields(fields).await.map_err(log_error("add columns to", name))?;
            table.sync_log(widened.version().unwrap_or_default(), widened.version().unwrap_or_default())?;
        }
        log_digests::record(&table.folder, name)?;
        table.complete_statistics().await?;
        Ok(table)
    }

    /// States in the log that files from before a column was added have only nulls in it. deltalake for Python takes a
    /// column without a count of nulls for one without nulls, if the file has counts of other columns. No file is written.
    async fn complete_statistics(&self) -> Result<(), LakeError> {
        let table = self.load().await?;
        let snapshot = table.snapshot().map_err(log_error("read", self.layout.name))?;
        let mut actions = Vec::new();
        for file in snapshot.log_data().iter() {
            if let Some(stats) = file.stats().and_then(|stated| statistics::completed(&self.layout, &stated)) {
                #[expect(deprecated, reason = "the view has no other way to an action that adds its file")]
                let known = file.add_action();
                actions.push(Action::Add(Add { stats: Some(stats), data_change: false, ..known }));
            }
        }
        if !actions.is_empty() {
            tracing::info!(
                table = self.layout.name,
                files = actions.len(),
                "statistics completed for columns that were added"
            );
            self.commit(&table, actions, Vec::new()).await?;
        }
        Ok(())
    }

    /// States in the log how many rows of data files share codes, for files that an older motcua wrote. No file is written.
    pub(super) async fn tag_shared_codes(
        &self,
        table: &DeltaTable,
        tags: &BTreeMap<PathBuf, String>,
    ) -> Result<(), LakeError> {
        let snapshot = table.snapshot().map_err(log_error("read", self.layout.name))?;
        let mut actions = Vec::new();
        for file in snapshot.log_data().iter() {
            let Some(tag) = tags.get(&self.folder.join(file.path().as_ref())) else { continue };
            let mut tags = tags_of(&file);
            tags.insert(SHARED_CODES_TAG.to_owned(), Some(tag.clone()));
            #[expect(deprecated, reason = "the view has no other way to an action that adds its file")]
            let known = file.add_action();
            actions.push(Action::Add(Add { tags: Some(tags), data_change: false, ..known }));
        }
        self.commit(table, actions, Vec::new()).await?;
        Ok(())
    }

    /// Reports digests of the log that were lost. They are made again only if every data file is as the log says.
    async fn check_digests(&self, table: &DeltaTable, stored: &StoredDigests) -> Result<(), LakeError> {
        let files = self.files(table)?;
        let is_lost = match stored {
            StoredDigests::Present(_) => false,
            StoredDigests::Damaged => true,
            // A table of an older motcua has digests neither here nor in its log.
            StoredDigests::Absent => files.iter().any(|file| file.digest.is_some()),
        };
        if is_lost {
            let name = self.layout.name;
            self.verified(files).await?;
            tracing::warn!(
                table = name,
                path = %log_digests::path_of(self.folder.parent().unwrap_or(&self.folder), name).display(),
                "the digests of the table's log were lost or damaged: made again, since every data file matches the log"
            );
        }
        Ok(())
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
        files::sync_log(&self.folder, first, last)
    }

    /// Loads the table at its newest version.
    pub(super) async fn load(&self) -> Result<DeltaTable, LakeError> {
        load(&self.folder, self.layout.name).await
    }

    /// The newest transaction number of `application`; `None` if it never committed.
    pub(super) async fn last_number(&self, table: &DeltaTable, application: &str) -> Result<Option<i64>, LakeError> {
        last_number(table, self.layout.name, application).await
    }

    /// The active data files.
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
                let (remove, mut tags) = (file.remove_action(true), tags_of(&file));
                let (digest, shared_codes) =
                    (tags.remove(DIGEST_TAG).flatten(), tags.remove(SHARED_CODES_TAG).flatten());
                let bytes = u64::try_from(file.size()).unwrap_or_default();
                let rows = file.num_records().and_then(|rows| u64::try_from(rows).ok());
                let (path, pull) = (self.folder.join(&relative), pull_of(&relative));
                Ok(DataFile { path, part, pull, bytes, rows, digest, shared_codes, remove })
            })
            .collect()
    }

    /// The active data files, compared with their digests. An error names those that are damaged.
    pub(super) async fn verified_files(&self, table: &DeltaTable) -> Result<VerifiedFiles, LakeError> {
        self.verified(self.files(table)?).await
    }

    /// Compares data files with their digests. An error names those that are damaged.
    pub(super) async fn verified(&self, files: Vec<DataFile>) -> Result<VerifiedFiles, LakeError> {
        self.verifier.verified(self.layout.name, files).await
    }

    /// Compares data files with their digests: those that are whole, and the damaged ones.
    pub(super) async fn sorted(
        &self,
        files: Vec<DataFile>,
    ) -> Result<(VerifiedFiles, Vec<(DataFile, DamagedFile)>), LakeError> {
        self.verifier.sorted(self.layout.name, files).await
    }

    /// Adds files in one commit with the transaction `number` of `application`, and returns the table's version. If the
    /// number is the newest one that is committed, the files are removed and the table stays as it is. If a later one is
    /// committed, that is an error: the caller asks before whether the log holds the number.
    pub(super) async fn append(
        &self,
        application: &str,
        number: i64,
        written: Vec<UncommittedFile>,
    ) -> Result<u64, LakeError> {
        let table = self.load().await?;
        let last = self.last_number(&table, application).await?.filter(|last| *last >= number);
        if let (Some(committed), false) = (last, written.is_empty()) {
            remove_uncommitted(&written);
            if committed > number {
                let (table, application) = (self.layout.name, application.to_owned());
                return Err(LakeError::Overtaken { table, application, run: number, committed });
            }
        }
        if last.is_some() || written.is_empty() {
            return Ok(table.version().unwrap_or_default());
        }
        let adds = written.iter().map(|file| Ok(Action::Add(self.add(file)?))).collect::<Result<_, LakeError>>()?;
        self.commit(&table, adds, vec![Transaction::new(application, number)]).await
    }

    /// Commits `actions` and `transactions` to `table`, and returns the new version. Fails if the table has changed
    /// since it was loaded.
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
                // The entry must be on the disk before the checkpoint is written and old entries are deleted.
                let version = committed.version;
                self.sync_log(version, version)?;
                if let Err(error) = committed.await {
                    tracing::warn!(table = name, %error, "committed, but the checkpoint or clean-up after the commit failed");
                }
                version
            }
            Err(error) => {
                if transactions.is_empty() {
                    return Err(log_error("commit to", name)(error));
                }
                let after = self.load().await?;
                for transaction in &transactions {
                    if self.last_number(&after, &transaction.app_id).await? != Some(transaction.version) {
                        return Err(log_error("commit to", name)(error));
                    }
                }
                tracing::warn!(table = name, %error, "the commit is in the log although it returned an error");
                after.version().unwrap_or(before)
            }
        };
        self.sync_log(before.saturating_add(1).min(version), version)?;
        log_digests::record(&self.folder, name)?;
        Ok(version)
    }

    /// Syncs a data file and makes the log action that adds it, with the digest of its content.
    pub(super) fn add(&self, written: &UncommittedFile) -> Result<Add, LakeError> {
        let (size, modification_time) = files::sync_data(&written.path)?;
        let stats = FileStatistics::of(&self.layout, &written.path, written.rows)?;
        let relative = written.path.strip_prefix(&self.folder).unwrap_or(&written.path);
        let (digest, _) = digests::of_file(&written.path).map_err(file_error("read", &written.path))?;
        let mut tags = HashMap::from([(DIGEST_TAG.to_owned(), Some(digest))]);
        tags.extend(written.shared_codes.clone().map(|counts| (SHARED_CODES_TAG.to_owned(), Some(counts))));
        Ok(Add {
            path: relative.to_string_lossy().into_owned(),
            partition_values: written.part.iter().map(|part| (PART.to_owned(), Some(part.clone()))).collect(),
            size,
            modification_time,
            data_change: true,
            stats: serde_json::to_string(&stats).ok(),
            tags: Some(tags),
            ..Add::default()
        })
    }
}

/// Removes files that no commit will name.
pub(super) fn remove_uncommitted(written: &[UncommittedFile]) {
    for file in written {
        files::remove_uncommitted(&file.path);
    }
}

/// The tags of a data file in the log.
fn tags_of(file: &LogicalFileView) -> HashMap<String, Option<String>> {
    #[expect(deprecated, reason = "the view has no other accessor of the tags")]
    file.add_action().tags.unwrap_or_default()
}

/// The digest of a data file as the log states it.
pub(super) fn digest_of(file: &LogicalFileView) -> Option<String> {
    tags_of(file).remove(DIGEST_TAG)?
}

/// Loads the table in `folder`, which must exist, at its newest version. An error names damaged files of its log.
pub(super) async fn load(folder: &Path, name: &str) -> Result<DeltaTable, LakeError> {
    if folder.join(files::LOG_FOLDER).is_dir() {
        log_digests::check(folder, name)?;
    }
    let url = Url::from_directory_path(folder).map_err(|()| LakeError::Root { path: folder.to_owned() })?;
    let builder = DeltaTableBuilder::from_url(url).map_err(log_error("find", name))?;
    builder.load().await.map_err(log_error("read", name))
}

/// The newest transaction number of `application` in `table`; `None` if it never committed.
pub(super) async fn last_number(table: &DeltaTable, name: &str, application: &str) -> Result<Option<i64>, LakeError> {
    let snapshot = table.snapshot().map_err(log_error("read", name))?;
    snapshot.transaction_version(&table.log_store(), application).await.map_err(log_error("read", name))
}

fn is_absent(error: &DeltaTableError) -> bool {
    matches!(error, DeltaTableError::NotATable(_) | DeltaTableError::InvalidTableLocation(_))
}
