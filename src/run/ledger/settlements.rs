//! What settling a pull changes in the ledger: one transaction before the pull's versions are committed, or one that
//! undoes it.

use std::collections::HashMap;

use sqlx::Error;

use crate::crash_points::crash_point;
use crate::model::pull::FieldsSeen;
use crate::run::ledger::accepted_deletions::{replace_refused, replace_use};
use crate::run::ledger::{
    FileChanges, Ledger, NewRejection, Pull, fields, files as file_names, pulls, quarantine, repeated_rejections,
};

/// What settling writes before the versions of a pull are committed. The table's log then decides whether it counts.
#[derive(Debug)]
pub(in crate::run) struct Settlement<'a> {
    /// The pull with its counts and the cursor that it reaches, in state `Settled`.
    pub(in crate::run) pull: &'a Pull,
    pub(in crate::run) rejections: &'a [NewRejection<'a>],
    /// Newest run that read a row with a key, by the key's hash; `None` if the connector had no open rejections.
    pub(in crate::run) keys_read: Option<&'a HashMap<u64, i64>>,
    /// Rejections of earlier runs whose rows the pull read again.
    pub(in crate::run) closed: &'a [i64],
    /// Those of which another row counts.
    pub(in crate::run) covered: &'a [i64],
    /// Rejections of earlier runs that it opens again: their rows are the newest of their keys.
    pub(in crate::run) opened: &'a [i64],
    /// Source fields that the pull read.
    pub(in crate::run) fields: &'a FieldsSeen,
    /// What changed in the folder of a file connector.
    pub(in crate::run) files: Option<&'a FileChanges>,
    /// The acceptance by which the pull deletes many rows.
    pub(in crate::run) accepted_deletions: Option<i64>,
    /// Hashes of the keys of rows that the pull refused to delete because they are many; `None` if it decided about no
    /// deletion.
    pub(in crate::run) refused_deletions: Option<&'a [u64]>,
}

impl Ledger {
    /// Writes a settlement: all of it or nothing. What an earlier attempt at the same pull wrote is replaced.
    pub(in crate::run) async fn write_settlement(&self, settlement: &Settlement<'_>) -> Result<(), Error> {
        let Settlement { pull, rejections, keys_read, fields, files, .. } = settlement;
        let (run, connector) = (pull.run, pull.connector.as_str());
        let _crash_point = crash_point("write a settlement");
        let mut transaction = self.pool.begin().await?;
        quarantine::replace(&mut transaction, run, connector, rejections).await?;
        if let Some(keys_read) = keys_read {
            quarantine::close_read(&mut transaction, run, connector, keys_read).await?;
        }
        quarantine::open(&mut transaction, settlement.opened).await?;
        quarantine::cover(&mut transaction, run, settlement.covered).await?;
        quarantine::close(&mut transaction, run, settlement.closed).await?;
        repeated_rejections::count(&mut transaction, run, connector).await?;
        fields::store_fields(&mut transaction, pull, fields).await?;
        if let Some(changes) = files {
            file_names::replace(&mut transaction, run, connector, changes).await?;
        }
        replace_use(&mut transaction, run, connector, settlement.accepted_deletions).await?;
        replace_refused(&mut transaction, run, connector, settlement.refused_deletions).await?;
        pulls::upsert(&mut transaction, pull).await?;
        transaction.commit().await
    }

    /// Writes a failed pull, deletes the rejections, source fields and files of its settlement, and reopens the rejections
    /// that it closed. An acceptance of deletions that it used can be used again.
    pub(in crate::run) async fn revoke_settlement(&self, failed: &Pull) -> Result<(), Error> {
        let _crash_point = crash_point("revoke a settlement");
        let mut transaction = self.pool.begin().await?;
        quarantine::delete(&mut transaction, failed.run, &failed.connector).await?;
        fields::delete_fields(&mut transaction, &failed.connector, failed.run).await?;
        file_names::delete(&mut transaction, failed.run, &failed.connector).await?;
        replace_use(&mut transaction, failed.run, &failed.connector, None).await?;
        replace_refused(&mut transaction, failed.run, &failed.connector, None).await?;
        pulls::upsert(&mut transaction, failed).await?;
        transaction.commit().await
    }
}
