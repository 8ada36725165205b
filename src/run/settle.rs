//! From a landed pull to the tables: map, class, append, bring the image up.
//!
//! Pages are read back from the last to the first, so that of two rows of one key the later leads without
//! holding the pull in memory.

use std::collections::HashMap;

use crate::canonical::{Class, Mapper, Seen, Stored, part_of};
use crate::lake::VersionWriter;
use crate::landing::LandedPull;
use crate::model::connector::Connector;
use crate::model::field::Readers;
use crate::model::pull::{Certificate, Counts, Outcome};
use crate::model::record::{Record, Rejection};
use crate::run::clock;
use crate::run::ledger::{Pull, State};
use crate::run::{Office, RunError};

/// Records that are classed and written together.
const BATCH_ROWS: usize = 50_000;

/// What settling a pull has gathered so far.
#[derive(Default)]
struct Settling {
    counts: Counts,
    rejections: Vec<Rejection>,
    seen: Seen,
    /// Parts of new keys, where a source with change times may have several versions of one accepted: a key is
    /// filed under one part for good.
    parts: HashMap<String, String>,
    /// Newest record date that has passed.
    newest: Option<i64>,
}

/// How a landed pull ended: as its certificate says, but not whole if nothing of it could be taken. With what and why.
fn judge(certificate: &Certificate, counts: Counts) -> (Outcome, Option<(&'static str, &'static str)>) {
    if counts.received > 0 && counts.quarantined == counts.received {
        let hint = "hold formats and codes of the connector against the source: `motcua check` says which field fails";
        (Outcome::Incomplete, Some(("every row was rejected", hint)))
    } else if certificate.outcome == Outcome::Complete {
        (Outcome::Complete, None)
    } else {
        (
            certificate.outcome,
            Some(("no file was ever found", "is it the right folder, and does `glob` match the files' names?")),
        )
    }
}

impl Office<'_> {
    /// Settles a landed pull under its own run. Done again after any interruption it gives the same tables.
    pub(super) async fn settle(
        &self,
        connector: &Connector,
        landed: &LandedPull,
        certificate: &Certificate,
        begun: Pull,
    ) -> Result<Pull, RunError> {
        let kind = connector.file.connector.kind;
        let committed = self.lake.reached(kind, &connector.name).await?.is_some_and(|reached| reached >= begun.run);
        let mut pull = begun;
        if !(pull.state == State::Settled && committed) {
            let mut writer = self.lake.writer(kind, &connector.name, pull.run);
            let settling = self.class_pages(connector, landed, certificate, &mut writer).await?;
            let previous = self.ledger.pulls_of(&connector.name, 30).await?;
            let known_until =
                previous.iter().filter(|known| known.run < pull.run).filter_map(|known| known.data_until).max();
            assert!(settling.counts.balance(), "every received row is classed once");
            self.ledger.write_quarantine(pull.run, &connector.name, &settling.rejections).await?;
            pull.state = State::Settled;
            let (outcome, reason) = judge(certificate, settling.counts);
            pull.outcome = Some(outcome);
            pull.message = reason.map(|reason| reason.0.to_owned());
            pull.hint = reason.map(|reason| reason.1.to_owned());
            pull.counts = settling.counts;
            pull.cursor = Some(certificate.cursor.clone());
            pull.data_until = known_until.max(settling.newest);
            self.ledger.write_pull(&pull).await?;
            if pull.counts.accepted > 0 {
                writer.commit().await?;
            }
        }
        self.lake.bring_up_image(kind).await?;
        pull.state = State::Done;
        pull.finished_at = Some(clock::now());
        self.ledger.write_pull(&pull).await?;
        let Counts { received, accepted, unchanged, duplicate, superseded, quarantined } = pull.counts;
        tracing::info!(
            run = pull.run,
            connector = connector.name,
            received,
            accepted,
            unchanged,
            duplicate,
            superseded,
            quarantined,
            "pull settled"
        );
        Ok(pull)
    }

    async fn class_pages(
        &self,
        connector: &Connector,
        landed: &LandedPull,
        certificate: &Certificate,
        writer: &mut VersionWriter,
    ) -> Result<Settling, RunError> {
        let readers = Readers::compile(&connector.file).expect("config compiled every map");
        let mapper = Mapper::new(connector, &readers);
        let mut settling = Settling::default();
        let mut batch: Vec<Record> = Vec::new();
        for page in certificate.pages.iter().rev() {
            let page = landed.read(page)?;
            settling.counts.received += page.len() as u64;
            for mapped in mapper.map_page(&page).into_iter().rev() {
                match mapped {
                    Ok(record) => batch.push(record),
                    Err(rejection) => settling.rejections.push(rejection),
                }
            }
            if batch.len() >= BATCH_ROWS {
                self.class_batch(connector, certificate, std::mem::take(&mut batch), &mut settling, writer).await?;
            }
        }
        self.class_batch(connector, certificate, batch, &mut settling, writer).await?;
        settling.counts.quarantined = settling.rejections.len() as u64;
        Ok(settling)
    }

    /// Classes records in the order given, the newest first, and writes those that are accepted.
    async fn class_batch(
        &self,
        connector: &Connector,
        certificate: &Certificate,
        batch: Vec<Record>,
        settling: &mut Settling,
        writer: &mut VersionWriter,
    ) -> Result<(), RunError> {
        let kind = connector.file.connector.kind;
        let column = |name: &str| kind.column_index(name).expect("every table has the column");
        let (key, updated) = (column("source_key"), column("source_updated_at"));
        let dated: Vec<usize> = kind.part_columns().iter().map(|name| column(name)).collect();
        let keys: Vec<String> =
            batch.iter().filter_map(|record| record.values[key].as_text().map(str::to_owned)).collect();
        let known = self.lake.known(kind, &connector.name, &keys).await?;
        let ordered = connector.file.identity.ordered_by.is_some();
        let mut accepted = Vec::new();
        for record in batch {
            let source_key = record.values[key].as_text().unwrap_or_default();
            let updated_at = record.values[updated].as_instant();
            let stored = known.get(source_key);
            let newest_stored =
                stored.map(|known| Stored { digest: known.digest, updated_at: known.source_updated_at });
            let in_record = dated.iter().filter_map(|&index| record.values[index].as_instant());
            settling.newest = settling.newest.max(in_record.filter(|date| *date <= certificate.finished_at).max());
            let counts = &mut settling.counts;
            match settling.seen.class(source_key, record.digest, updated_at, newest_stored) {
                Class::Accepted => {
                    counts.accepted += 1;
                    let own = || part_of(kind, &record, certificate.started_at);
                    let part = match stored {
                        Some(known) => known.part.clone(),
                        None if ordered => settling.parts.entry(source_key.to_owned()).or_insert_with(own).clone(),
                        None => own(),
                    };
                    accepted.push((record, part));
                }
                Class::Unchanged => counts.unchanged += 1,
                Class::Duplicate => counts.duplicate += 1,
                Class::Superseded => counts.superseded += 1,
            }
        }
        if !accepted.is_empty() {
            writer.write(&accepted)?;
        }
        Ok(())
    }
}
