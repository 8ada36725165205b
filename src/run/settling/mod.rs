//! Settling a landed pull: its records are classified, the pull is judged, and ledger, versions and image are written.
//!
//! The order of the writes is what makes a cut harmless: first the ledger (one transaction: counts, cursor,
//! rejections), then the commit to the table of versions, which decides whether the pull counts, then the image.
//! Settling a pull again after a cut gives the same tables.

mod classified;
mod classify;
mod contract;
mod deletions;
mod folder;
mod imaging;
mod judge;
mod own_rejections;
#[cfg(test)]
mod stopping_tests;
mod sweep;
mod usual_volume;
mod verdict;

use std::panic::AssertUnwindSafe;
use std::path::Path;

use futures::FutureExt as _;

use self::classified::Classified;
use self::classify::Classifier;
use self::deletions::write_without_details;
use self::folder::{FolderOutcome, FolderPull, RejectionChanges};
pub(super) use self::judge::{CODES as JUDGE_CODES, is_over_budget};
use self::own_rejections::{new_rejections, read_again_later};
use crate::config::Configuration;
use crate::fields::Readers;
use crate::lake::{Lake, VersionWriter};
use crate::landing::LandedPull;
use crate::model::connector::Connector;
use crate::model::pull::{Certificate, Findings, LeftBecause, Outcome, PullCounts, Purpose};
use crate::model::record::Record;
use crate::run::clock;
use crate::run::error::RunError;
use crate::run::failure::{DISK_FULL, Failure, OWN_ERROR, STORED_DATA_DAMAGED, own_failure};
use crate::run::ledger::{Ledger, Pull, PullState, Settlement};
use crate::run::progress::Progress;
use crate::run::reading::ReadPull;

/// Earlier pulls that are searched for the newest date among a connector's records.
const EARLIER_PULLS: i64 = 30;

/// A pull whose pages are landed and sealed by a certificate.
#[derive(Clone, Copy)]
pub(super) struct SealedPull<'p> {
    pub(super) connector: &'p Connector,
    pub(super) landed: &'p LandedPull,
    pub(super) certificate: &'p Certificate,
}

/// Settles landed pulls: writes ledger and tables. One pull at a time.
pub(super) struct Settler<'a> {
    pub(super) config: &'a Configuration,
    pub(super) data: &'a Path,
    pub(super) lake: &'a Lake,
    pub(super) ledger: &'a Ledger,
    pub(super) progress: &'a Progress<'a>,
}

impl Settler<'_> {
    /// Settles a pull that was read. One that failed leaves tables and cursor as they were.
    pub(super) async fn settle_read(&self, read: ReadPull<'_>) -> Result<Pull, RunError> {
        let ReadPull { connector, begun, landed, certificate } = read;
        match certificate {
            Ok(certificate) => {
                (self.progress)(&format!("{}: settling", connector.name));
                let sealed = SealedPull { connector, landed: &landed, certificate: &certificate };
                self.settle_or_fail(sealed, begun).await
            }
            Err(failure) => self.fail(begun, failure).await,
        }
    }

    /// [Settles](Self::settle) a pull. An error of motcua's own that concerns this pull alone fails it, unless its
    /// versions are committed already.
    pub(super) async fn settle_or_fail(&self, sealed: SealedPull<'_>, begun: Pull) -> Result<Pull, RunError> {
        let settling = AssertUnwindSafe(Box::pin(self.settle(sealed, begun.clone())));
        let error = match settling.catch_unwind().await {
            Ok(Ok(pull)) => return Ok(pull),
            Ok(Err(error)) => error,
            Err(_) => RunError::Panicked,
        };
        let Some(failure) = own_failure(&error) else { return Err(error) };
        // The table's log decides: a pull that it holds counts, and the next run finishes it.
        match self.is_committed(&begun).await {
            Ok(false) => self.fail(begun, failure).await,
            Ok(true) | Err(_) => Err(error),
        }
    }

    /// Settles a landed pull under its own run.
    pub(super) async fn settle(&self, sealed: SealedPull<'_>, begun: Pull) -> Result<Pull, RunError> {
        let is_settled = begun.state == PullState::Settled && self.is_committed(&begun).await?;
        let pull = if is_settled { begun } else { Box::pin(self.classify_and_commit(sealed, begun)).await? };
        match pull.state {
            // Failed: the pull broke its contract.
            PullState::Done => Ok(pull),
            PullState::Reading | PullState::Settled => self.image_and_finish(sealed.connector, pull).await,
        }
    }

    /// Whether the tables hold versions of a pull. That a later run is committed does not show it: a pull that was cut
    /// goes on under its own run.
    async fn is_committed(&self, pull: &Pull) -> Result<bool, RunError> {
        Ok(self.lake.committed_runs(&pull.connector).await?.contains(&pull.run))
    }

    async fn classify_and_commit(&self, sealed: SealedPull<'_>, begun: Pull) -> Result<Pull, RunError> {
        let connector = sealed.connector;
        self.lake.check_versions(connector.file.connector.kind, &connector.name).await?;
        self.lake.check_image(connector.file.connector.kind, &connector.name).await?;
        let (pull, writer) = self.classify_and_write(sealed, begun).await?;
        // After the ledger: from this commit on the pull counts.
        if pull.state == PullState::Settled && pull.has_versions() {
            writer.commit().await?;
        }
        Ok(pull)
    }

    /// Classifies and judges a pull and writes the ledger; the writer holds the versions to commit.
    async fn classify_and_write(&self, sealed: SealedPull<'_>, begun: Pull) -> Result<(Pull, VersionWriter), RunError> {
        let SealedPull { connector, certificate, .. } = sealed;
        let mut writer = self.lake.version_writer(connector.file.connector.kind, &connector.name, begun.run);
        let (mut classified, mut folder) = self.classify(sealed, begun.run, &mut writer).await?;
        let mut limit = self.deletion_limit(&begun).await?;
        let deleted = self.swept(connector, certificate, &mut classified, &mut limit).await?;
        let key = connector.file.connector.kind.column_index("source_key").expect("every table has the column");
        let without_details = write_without_details(key, &mut classified, &mut limit, &mut writer)?;
        assert!(classified.counts.balance(), "every received row is in one class");
        let older_rows = match &folder {
            Some(folder) if classified.counts.received == 0 => {
                self.redelivered_keys(connector, folder, certificate).await?
            }
            Some(folder) => folder.older_rows(&certificate.pages),
            None => 0,
        };
        let mut files = match &mut folder {
            Some(folder) => {
                folder.limit = std::mem::take(&mut limit);
                Some(self.folder_outcome(connector, folder).await?)
            }
            None => None,
        };
        classified.findings.left = files.as_ref().and_then(|files| files.left.clone());
        let verdict = self.verdict(connector, certificate, &mut classified, older_rows).await?;
        let outcome = verdict.outcome;
        let judged = verdict.apply_to(begun);
        if outcome == Outcome::Failed {
            return Ok((self.discard(judged).await?, writer));
        }
        write_deleted(&deleted, outcome, &mut writer, &mut classified)?;
        if let Some(files) = &mut files {
            // A file that was read to its end is whole, even if another one was not.
            let is_doubtful = outcome == Outcome::Incomplete && certificate.outcome == Outcome::Complete;
            if is_doubtful && !judge::is_about_rows_left(judged.reason.as_deref().unwrap_or_default()) {
                files.hold(LeftBecause::Incomplete);
            }
            write_lost_rows(files, &mut writer, &mut classified)?;
        }
        let accepted = limit.used().or(files.as_ref().and_then(|files| files.accepted.as_ref()));
        let accepted =
            accepted.filter(|_| classified.findings.swept + classified.findings.restored + without_details > 0);
        classified.findings.accepted_deletions = accepted.map(|accepted| accepted.id);
        let refused = files.as_mut().map_or_else(|| limit.into_refused(), |files| files.refused.take());
        let rejections = match (&mut folder, &files) {
            (Some(folder), Some(files)) => {
                self.changed_rejections(connector, folder, (certificate, files), &classified.rejections).await?
            }
            _ => RejectionChanges { closed_at_once: read_again_later(&classified.rejections), ..Default::default() },
        };
        let changes = (files.as_ref(), rejections);
        let pull = self.write_settlement(certificate, judged, (classified, refused.as_deref()), changes).await?;
        Ok((pull, writer))
    }

    async fn classify(
        &self,
        sealed: SealedPull<'_>,
        run: i64,
        writer: &mut VersionWriter,
    ) -> Result<(Classified, Option<FolderPull>), RunError> {
        let SealedPull { connector, landed, certificate } = sealed;
        let readers = Readers::of(connector);
        let has_open_rejections = self.ledger.has_open_before(&connector.name, run).await?;
        let folder = self.folder_of(sealed, run).await?;
        let definition = (connector, certificate);
        let mut classifier = Classifier::new(self.lake, definition, writer, has_open_rejections, folder);
        let mapper = classifier.mapper(&readers);
        if connector.file.has_partial_records() {
            let rows = classifier.collect_rows(landed, &mapper)?;
            if let Some(folder) = classifier.folder_mut() {
                self.note_beside(connector, folder, certificate, &rows.keys).await?;
            }
            classifier.merge_rows(rows, &mapper).await?;
        } else {
            classifier.classify_pages(landed, &mapper).await?;
        }
        Ok(classifier.finish())
    }

    /// Writes counts, cursor, rejections and source fields of a pull to the ledger, in one transaction.
    /// `refused_deletions`: hashes of the keys of rows that were left because they are many; `None` if the pull decided
    /// about no deletion.
    async fn write_settlement(
        &self,
        certificate: &Certificate,
        judged: Pull,
        (mut classified, refused_deletions): (Classified, Option<&[u64]>),
        (files, rejections): (Option<&FolderOutcome>, RejectionChanges),
    ) -> Result<Pull, RunError> {
        let data_until = self.known_until(&judged).await?.max(classified.newest_date);
        let RejectionChanges { mut closed, covered, opened, closed_at_once } = rejections;
        // A replay reads every row that its run landed; what it rejects again is written under the new run.
        if judged.outcome == Some(Outcome::Complete) || certificate.purpose == Purpose::Replay {
            closed.extend(&certificate.mends);
        }
        // Only a whole pull read all parts of a record again.
        if let (Some(keys), Some(parts)) = (&mut classified.keys_read, classified.parts_read.take())
            && matches!(judged.outcome, Some(Outcome::Complete | Outcome::Degraded))
        {
            keys.extend(parts);
        }
        let new = new_rejections(&classified.rejections, certificate, &closed_at_once, files.is_some());
        let pull = Pull {
            state: PullState::Settled,
            counts: classified.counts,
            cursor: Some(certificate.cursor.clone()),
            data_until,
            findings: classified.findings,
            ..judged
        };
        let settlement = Settlement {
            pull: &pull,
            rejections: &new,
            // Of files it is known which one is newer.
            keys_read: classified.keys_read.as_ref().filter(|_| files.is_none()),
            closed: &closed,
            covered: &covered,
            opened: &opened,
            fields: &certificate.fields,
            files: files.map(|files| &files.changes),
            accepted_deletions: pull.findings.accepted_deletions,
            refused_deletions,
        };
        self.ledger.write_settlement(&settlement).await?;
        Ok(pull)
    }

    /// Newest date among the records of earlier pulls.
    async fn known_until(&self, pull: &Pull) -> Result<Option<i64>, RunError> {
        let earlier = self.ledger.pulls_of(&pull.connector, EARLIER_PULLS).await?;
        Ok(earlier.iter().filter(|known| known.run < pull.run).filter_map(|known| known.data_until).max())
    }

    /// Writes that a pull is done. A write of its own: it must come after the commit and after the update of the image.
    pub(super) async fn finish(&self, pull: Pull) -> Result<Pull, RunError> {
        let pull = self.judged_by_codes(pull).await?;
        let done = Pull { state: PullState::Done, finished_at: Some(clock::now()), ..pull };
        self.ledger.write_pull(&done).await?;
        if done.outcome == Some(Outcome::Incomplete) {
            let (reason, message) = (done.reason.as_deref(), done.message.as_deref().unwrap_or_default());
            tracing::warn!(run = done.run, connector = done.connector, reason, "pull incomplete: {message}");
        }
        let PullCounts { received, accepted, unchanged, duplicate, superseded, quarantined } = done.counts;
        tracing::info!(
            run = done.run,
            connector = done.connector,
            received,
            accepted,
            unchanged,
            duplicate,
            superseded,
            quarantined,
            "pull settled"
        );
        Ok(done)
    }

    /// Writes that a pull failed, and why.
    pub(super) async fn fail(&self, begun: Pull, failure: Failure) -> Result<Pull, RunError> {
        let Failure { code, message, hint } = failure;
        let (run, connector) = (begun.run, begun.connector.as_str());
        if [OWN_ERROR, STORED_DATA_DAMAGED, DISK_FULL].contains(&code) {
            tracing::error!(run, connector, reason = code, "pull failed: {message}");
        } else {
            tracing::warn!(run, connector, reason = code, "pull failed: {message}");
        }
        self.discard(Pull {
            outcome: Some(Outcome::Failed),
            reason: Some(code.to_owned()),
            message: Some(message),
            hint: Some(hint.to_owned()),
            ..begun
        })
        .await
    }

    /// Writes a failed pull: tables and cursor stay as they were, and what an earlier attempt to settle it counted,
    /// rejected and closed is undone.
    async fn discard(&self, failed: Pull) -> Result<Pull, RunError> {
        let failed = Pull {
            state: PullState::Done,
            finished_at: Some(clock::now()),
            counts: PullCounts::default(),
            cursor: None,
            data_until: None,
            findings: Findings::default(),
            ..failed
        };
        self.ledger.revoke_settlement(&failed).await?;
        Ok(failed)
    }
}

/// Adds the deleted versions of a sweep to those that the pull commits. Only a complete pull shows what a source no
/// longer lists.
fn write_deleted(
    deleted: &[(Record, String)],
    outcome: Outcome,
    writer: &mut VersionWriter,
    classified: &mut Classified,
) -> Result<(), RunError> {
    if outcome != Outcome::Complete {
        classified.findings.sweep = None;
    } else if !deleted.is_empty() {
        writer.write(deleted)?;
        classified.findings.swept = deleted.len() as u64;
    }
    Ok(())
}

/// Adds the rows that files no longer have to the versions that the pull commits: deleted, or with the values of another
/// file.
fn write_lost_rows(
    files: &FolderOutcome,
    writer: &mut VersionWriter,
    classified: &mut Classified,
) -> Result<(), RunError> {
    writer.write(&files.deleted)?;
    writer.write(&files.restored)?;
    writer.write(&files.reordered)?;
    classified.findings.swept += files.deleted.len() as u64;
    classified.findings.restored = (files.restored.len() + files.reordered.len()) as u64;
    classified.findings.left.clone_from(&files.left);
    Ok(())
}
