//! One connector's part of a run: read, land, settle.

use std::collections::BTreeMap;

use crate::landing::LandedPull;
use crate::model::connector::{Access, Connector, Start};
use crate::model::field::Readers;
use crate::model::pull::{Certificate, Cursor, Outcome};
use crate::run::clock;
use crate::run::ledger::{Pull, State};
use crate::run::{Office, RunError};
use crate::sources::{self, PullStart, SourceError};

/// Why a pull was not landed.
enum Stopped {
    Source(SourceError),
    Own(RunError),
}

impl Office<'_> {
    /// Pulls a connector. A source that fails leaves tables and cursor as they were, and says why in its pull.
    pub(super) async fn pull(
        &self,
        connector: &Connector,
        run: i64,
        now: i64,
        watch: &(dyn Fn(&str) + Sync),
    ) -> Result<Pull, RunError> {
        let begun = Pull::begun(run, &connector.name, now);
        self.ledger.write_pull(&begun).await?;
        tracing::info!(run, connector = connector.name, "pull begun");
        let landed = LandedPull::new(&self.data, &connector.name, run);
        match self.land(connector, &landed, run, now, watch).await {
            Ok(certificate) => {
                watch(&format!("{}: settling", connector.name));
                self.settle(connector, &landed, &certificate, begun).await
            }
            Err(Stopped::Own(error)) => Err(error),
            Err(Stopped::Source(error)) => {
                tracing::info!(run, connector = connector.name, reason = error.kind.code(), "pull failed: {error}");
                let failed = Pull {
                    state: State::Done,
                    outcome: Some(Outcome::Failed),
                    reason: Some(error.kind.code().to_owned()),
                    message: Some(error.to_string()),
                    hint: Some(error.kind.hint().to_owned()),
                    finished_at: Some(clock::now()),
                    ..begun
                };
                self.ledger.write_pull(&failed).await?;
                Ok(failed)
            }
        }
    }

    async fn land(
        &self,
        connector: &Connector,
        landed: &LandedPull,
        run: i64,
        now: i64,
        watch: &(dyn Fn(&str) + Sync),
    ) -> Result<Certificate, Stopped> {
        let own = |error: RunError| Stopped::Own(error);
        landed.clear().map_err(|error| own(error.into()))?;
        let readers = Readers::compile(&connector.file).expect("config compiled every map");
        let start = self.start_of(connector, now).await.map_err(own)?;
        let mut reading =
            sources::open(connector, &readers, &self.config.values, start).await.map_err(Stopped::Source)?;
        let (mut pages, mut received) = (Vec::new(), 0);
        while let Some(page) = reading.next().await.map_err(Stopped::Source)? {
            pages.push(landed.write(&page, &readers).map_err(|error| own(error.into()))?);
            received += page.len();
            watch(&format!("{}: page {}, {received} records", connector.name, page.number));
            tracing::debug!(run, connector = connector.name, page = page.number, rows = page.len(), "page landed");
        }
        let cursor = Cursor { connector: connector.digest.clone(), ..reading.cursor() };
        // A folder in which no file was ever found is a wrong folder or a post office that does not deliver, not an empty night.
        let nothing_ever = matches!(connector.file.access, Access::Files { .. }) && cursor.files.is_empty();
        let certificate = Certificate {
            connector: connector.name.clone(),
            run,
            outcome: if nothing_ever { Outcome::Incomplete } else { Outcome::Complete },
            reason: if nothing_ever { "no_file".to_owned() } else { String::new() },
            pages,
            cursor,
            started_at: now,
            finished_at: clock::now(),
        };
        landed.seal(&certificate).map_err(|error| own(error.into()))?;
        Ok(certificate)
    }

    /// Where the pull begins: the cursor that counts, and the oldest open dossier by each column that a pass asks for.
    async fn start_of(&self, connector: &Connector, now: i64) -> Result<PullStart, RunError> {
        let kind = connector.file.connector.kind;
        let reached = self.lake.reached(kind, &connector.name).await?;
        let mut cursor = self.ledger.cursor(&connector.name, reached).await?;
        if cursor.connector != connector.digest {
            cursor = Cursor::default();
        }
        let mut oldest_open = BTreeMap::new();
        for pass in connector.file.window.passes.iter().filter(|pass| pass.start == Start::OldestOpen) {
            if let Some(column) = &pass.open_column
                && let Some(oldest) = self.lake.oldest_open(kind, &connector.name, column).await?
            {
                oldest_open.insert(column.clone(), oldest);
            }
        }
        Ok(PullStart { now, cursor, oldest_open, ..PullStart::default() })
    }
}
