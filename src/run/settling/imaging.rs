//! After the commit: the image takes the pull, and the pull is done.

use crate::lake::LakeError;
use crate::model::connector::{Access, Connector, Content};
use crate::model::pull::{Outcome, Purpose};
use crate::model::table::RecordKind;
use crate::run::error::RunError;
use crate::run::failure::own_failure;
use crate::run::ledger::Pull;
use crate::run::settling::Settler;
use crate::run::settling::judge::CODES_SHARED;

impl Settler<'_> {
    /// Updates the image and finishes a pull that is committed. If the image does not take the pull, because of its rows or
    /// because a file of it is damaged, it is [held](Self::hold_unimaged); if it does not take that of another connector, it is
    /// finished.
    pub(super) async fn image_and_finish(&self, connector: &Connector, pull: Pull) -> Result<Pull, RunError> {
        let kind = connector.file.connector.kind;
        match self.lake.update_image(kind).await {
            Err(error) if !error.is_of_rows() => Err(error.into()),
            _ => self.finish_imaged(kind, pull).await,
        }
    }

    /// Finishes a pull that is committed, if the image holds it.
    pub(in crate::run) async fn finish_imaged(&self, kind: RecordKind, pull: Pull) -> Result<Pull, RunError> {
        match self.lake.check_image(kind, &pull.connector).await {
            Ok(()) => self.finish(pull).await,
            Err(error @ LakeError::ImageBehind { .. }) => self.hold_unimaged(pull, &error.into()).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The pull, incomplete if dossiers of its connector share their codes: one under two keys counts twice. Asked once the
    /// image holds the pull.
    pub(super) async fn judged_by_codes(&self, pull: Pull) -> Result<Pull, RunError> {
        let connector = self.config.connector(&pull.connector).map(|connector| &connector.file);
        let is_good = matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded));
        let Some(connector) = connector.filter(|file| file.has_unique_codes() && is_good) else { return Ok(pull) };
        if pull.purpose != Purpose::Night {
            return Ok(pull);
        }
        let dossiers = self.lake.shared_codes(&pull.connector).await?;
        if dossiers == 0 {
            return Ok(pull);
        }
        let message =
            format!("{dossiers} dossiers have a code that another dossier of the connector has too, and each counts");
        let way_out = match &connector.access {
            Access::Files { content: Content::Append, .. } => "map the key that the rows had before",
            Access::Files { .. } => {
                "put the lists that left the folder back for one night, and accept the deletions if there are many \
                 (`motcua deletions accept`)"
            }
            Access::Http { .. } if connector.sweep.is_some() => {
                "the next sweep deletes those that the source no longer lists"
            }
            Access::Http { .. } => "map the key that the records had before, or declare a `[sweep]`",
        };
        let hint = format!(
            "if the source gave its records other keys, or `source_key` is mapped from another field, one dossier counts \
             twice: {way_out}. `motcua groups --shared` lists them. Only if several dossiers rightly have one code, set \
             `contract.shared_code = \"accept\"`"
        );
        Ok(Pull {
            outcome: Some(Outcome::Incomplete),
            reason: Some(CODES_SHARED.to_owned()),
            message: Some(message),
            hint: Some(hint),
            ..pull
        })
    }

    /// Writes that a pull is stored and not yet in the image: it is incomplete and stays unfinished, so that the next run
    /// tries again.
    async fn hold_unimaged(&self, pull: Pull, error: &RunError) -> Result<Pull, RunError> {
        let failure = own_failure(error).expect("an image that is behind fails one pull");
        tracing::error!(run = pull.run, connector = pull.connector, reason = failure.code, "{}", failure.message);
        let held = Pull {
            outcome: Some(Outcome::Incomplete),
            reason: Some(failure.code.to_owned()),
            message: Some(failure.message),
            hint: Some(failure.hint.to_owned()),
            ..pull
        };
        self.ledger.write_pull(&held).await?;
        Ok(held)
    }
}

#[cfg(test)]
#[path = "imaging_tests.rs"]
mod tests;
