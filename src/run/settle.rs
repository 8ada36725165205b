//! From a landed pull to the tables: map, class, judge, append, bring the image up.
//!
//! Pages are read back from the last to the first, so that of two rows of one key the later leads without
//! holding the pull in memory.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::calendar::WorkingCalendar;
use crate::canonical::{Class, Mapper, Seen, Stored, part_of};
use crate::lake::VersionWriter;
use crate::landing::LandedPull;
use crate::model::connector::Connector;
use crate::model::field::Readers;
use crate::model::instant;
use crate::model::pull::{Certificate, Counts, Drift, DriftKind, Findings, Outcome, Purpose, ReadBy, Sighting};
use crate::model::record::{Issue, Record, Rejection};
use crate::run::judge::{USUAL_PULLS, Verdict, judge};
use crate::run::ledger::{Pull, PullState, key_hash};
use crate::run::{DataFolder, RunError, clock, contract};

/// Records that are classed and written together.
const BATCH_ROWS: usize = 25_000;
/// Rows of a page below which it says nothing that all are rejected.
const FEW_ROWS: usize = 3;

/// What settling a pull has gathered so far.
#[derive(Default)]
pub(super) struct Settling {
    pub(super) counts: Counts,
    pub(super) rejections: Vec<Rejection>,
    pub(super) seen: Seen,
    /// Parts of new keys, where a source with change times may have several versions of one accepted: a key is
    /// filed under one part for good.
    parts: HashMap<String, String>,
    /// Newest record date that has passed.
    newest: Option<i64>,
    pub(super) findings: Findings,
    /// Hashes of the keys met, where rejections of earlier runs wait for theirs, each with the newest run that read it.
    met: Option<HashMap<u64, i64>>,
    /// Keys of the page chains that declare how many records they have, and rows of theirs without one.
    by_chain: BTreeMap<u32, (HashSet<u64>, u64)>,
    ill_typed: BTreeMap<String, Sighting>,
}

/// Records of one page batch, each with where it was read first, and its page chain.
type Batch = Vec<(Record, ReadBy, u32)>;

impl DataFolder<'_> {
    /// Settles a landed pull under its own run. Done again after any interruption it gives the same tables.
    pub(super) async fn settle(
        &self,
        connector: &Connector,
        landed: &LandedPull,
        certificate: &Certificate,
        begun: Pull,
    ) -> Result<Pull, RunError> {
        let kind = connector.file.connector.kind;
        let committed = self.lake.last_run(kind, &connector.name).await?.is_some_and(|reached| reached >= begun.run);
        let mut pull = begun;
        if !(pull.state == PullState::Settled && committed) {
            let mut writer = self.lake.version_writer(kind, &connector.name, pull.run);
            let mut settling = self.class_pages(connector, landed, certificate, &mut writer).await?;
            let swept = self.swept(connector, certificate, &mut settling).await?;
            assert!(settling.counts.balance(), "every received row is classed once");
            let verdict = self.verdict(connector, certificate, &mut settling).await?;
            let outcome = verdict.outcome;
            pull.outcome = Some(outcome);
            pull.reason = Some(verdict.reason).filter(|reason| !reason.is_empty());
            pull.message = Some(verdict.message).filter(|message| !message.is_empty());
            pull.hint = Some(verdict.hint).filter(|hint| !hint.is_empty());
            if outcome == Outcome::Failed {
                pull.state = PullState::Done;
                pull.finished_at = Some(clock::now());
                self.ledger.write_pull(&pull).await?;
                return Ok(pull);
            }
            // Only a whole list says what is no longer in it.
            if outcome == Outcome::Complete && !swept.is_empty() {
                writer.write(&swept)?;
                settling.findings.swept = swept.len() as u64;
            } else if outcome != Outcome::Complete {
                settling.findings.sweep = None;
            }
            let previous = self.ledger.pulls_of(&connector.name, 30).await?;
            let known_until =
                previous.iter().filter(|known| known.run < pull.run).filter_map(|known| known.data_until).max();
            let pages = certificate.pages.iter();
            let read_by = pages.map(|page| (page.number, page.first_read(pull.run).run)).collect();
            let mut read_again = self.rejected_in_the_same_files(connector, certificate).await?;
            self.ledger.write_quarantine(pull.run, &connector.name, &settling.rejections, &read_by).await?;
            if let Some(met) = &settling.met {
                self.ledger.close_met(pull.run, &connector.name, met).await?;
            }
            // A replay reads all that its run landed; what is rejected again stands under the new run.
            if outcome == Outcome::Complete || certificate.purpose == Purpose::Replay {
                read_again.extend(&certificate.mends);
            }
            if !read_again.is_empty() {
                self.ledger.close_rejections(pull.run, &read_again).await?;
            }
            self.ledger.remember_fields(&connector.name, pull.run, &certificate.fields).await?;
            pull.state = PullState::Settled;
            pull.counts = settling.counts;
            pull.cursor = Some(certificate.cursor.clone());
            pull.data_until = known_until.max(settling.newest);
            pull.findings = settling.findings;
            self.ledger.write_pull(&pull).await?;
            if pull.counts.accepted + pull.findings.swept > 0 {
                writer.commit().await?;
            }
        }
        self.lake.update_image(kind).await?;
        pull.state = PullState::Done;
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
        let mapper = Mapper::new(connector, &readers, certificate.finished_at);
        let rows = certificate.pages.iter().map(|page| page.rows).sum();
        let mut settling = Settling { seen: Seen::for_rows(rows), ..Settling::default() };
        if self.ledger.open_rejections(&connector.name).await? > 0 {
            settling.met = Some(HashMap::new());
        }
        for (chain, _) in certificate.declared() {
            settling.by_chain.insert(chain, (HashSet::new(), 0));
        }
        let mut batch = Batch::new();
        for landed_page in certificate.pages.iter().rev() {
            let page = landed.read(landed_page)?;
            let read_by = landed_page.first_read(certificate.run);
            settling.counts.received += page.len() as u64;
            let rejected_before = settling.rejections.len();
            for mapped in mapper.map_page(&page).into_iter().rev() {
                match mapped {
                    Ok(record) => batch.push((record, read_by, landed_page.chain)),
                    Err(rejection) => settling.reject(rejection, read_by.run, landed_page.chain),
                }
            }
            if page.len() >= FEW_ROWS && settling.rejections.len() - rejected_before == page.len() {
                let pages = settling.findings.rejected_pages.map_or(0, |(_, pages)| pages);
                settling.findings.rejected_pages = Some((page.number, pages + 1));
            }
            if batch.len() >= BATCH_ROWS {
                self.class_batch(connector, certificate, std::mem::take(&mut batch), &mut settling, writer).await?;
            }
        }
        self.class_batch(connector, certificate, batch, &mut settling, writer).await?;
        settling.counts.quarantined = settling.rejections.len() as u64;
        settling.findings.pages = certificate.pages.len() as u64;
        settling.findings.distinct_keys = settling.seen.len() as u64;
        settling.findings.sweep.clone_from(&certificate.sweep);
        settling.findings.declared =
            certificate.declared().map(|(_, declared)| declared).reduce(|all, more| all + more);
        settling.findings.disagreeing = certificate.declared().find_map(|(chain, declared)| {
            let (keys, without) = settling.by_chain.get(&chain)?;
            let came = keys.len() as u64 + without;
            (came != declared).then_some((declared, came))
        });
        Ok(settling)
    }

    /// Classes records in the order given, the newest first, and writes those that are accepted.
    async fn class_batch(
        &self,
        connector: &Connector,
        certificate: &Certificate,
        batch: Batch,
        settling: &mut Settling,
        writer: &mut VersionWriter,
    ) -> Result<(), RunError> {
        let kind = connector.file.connector.kind;
        let column = |name: &str| kind.column_index(name).expect("every table has the column");
        let (key, updated) = (column("source_key"), column("source_updated_at"));
        let dated: Vec<usize> = kind.part_columns().iter().map(|name| column(name)).collect();
        let keys: Vec<String> =
            batch.iter().filter_map(|(record, ..)| record.values[key].as_text().map(str::to_owned)).collect();
        let known = self.lake.newest_versions(kind, &connector.name, &keys).await?;
        let ordered = connector.file.identity.ordered_by.is_some();
        let mut accepted = Vec::new();
        for (record, read_by, chain) in batch {
            let source_key = record.values[key].as_text().unwrap_or_default();
            settling.meet(source_key, read_by.run, chain);
            settling.note(&record);
            let updated_at = record.values[updated].as_instant();
            let stored = known.get(source_key);
            let newest_stored =
                stored.map(|known| Stored { digest: known.digest, updated_at: known.source_updated_at });
            let in_record = dated.iter().filter_map(|&index| record.values[index].as_instant());
            settling.newest = settling.newest.max(in_record.filter(|date| *date <= certificate.finished_at).max());
            let mut class = settling.seen.class(source_key, record.digest, updated_at, newest_stored);
            // Landed pages of an earlier run: what came after them, in it or since, is newer than they are.
            let place = (read_by.run, i64::from(read_by.page), i64::from(record.row));
            if class == Class::Accepted
                && !ordered
                && stored.is_some_and(|stored| (stored.run, stored.page, stored.row) > place)
            {
                class = Class::Superseded;
            }
            let counts = &mut settling.counts;
            match class {
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

    async fn verdict(
        &self,
        connector: &Connector,
        certificate: &Certificate,
        settling: &mut Settling,
    ) -> Result<Verdict, RunError> {
        let baseline = self.ledger.fields_seen(&connector.name, certificate.run).await?;
        let terms = &connector.file.contract;
        settling.findings.drift = contract::drift(connector, &certificate.fields, &baseline, settling.counts.received);
        let ill_typed = std::mem::take(&mut settling.ill_typed);
        settling.findings.drift.extend(ill_typed.into_iter().map(|(field, first)| Drift {
            kind: DriftKind::IllTyped,
            field,
            first: Some(first),
        }));
        if let Some(verdict) = contract::stopped(terms, &settling.findings, &settling.rejections) {
            return Ok(verdict);
        }
        let usual =
            if certificate.purpose == Purpose::Night { self.usual(connector, certificate).await? } else { Vec::new() };
        let mut verdict = judge(certificate, settling.counts, &settling.findings, terms, &usual);
        // Few rows, all of them known to be bad before: their share says nothing of the night.
        if certificate.purpose != Purpose::Night && verdict.outcome == Outcome::Degraded {
            verdict.outcome = Outcome::Complete;
        }
        Ok(verdict)
    }

    /// Rows received by the last complete pulls of the same weekday, newest first; none after a day on which nobody worked.
    async fn usual(&self, connector: &Connector, certificate: &Certificate) -> Result<Vec<u64>, RunError> {
        let began = instant::local(certificate.started_at);
        let day = if began.hour() < 12 { began.date().yesterday().unwrap_or(began.date()) } else { began.date() };
        if !WorkingCalendar::new(&self.config.registries.calendar).is_working(day) {
            return Ok(Vec::new());
        }
        let mut pulls = self.ledger.pulls_of(&connector.name, 400).await?;
        pulls.retain(|pull| matches!(pull.outcome, Some(Outcome::Complete | Outcome::Degraded)));
        // A second pull of one day brings what is left.
        let of_today = |pull: &Pull| instant::local(pull.started_at).date() == began.date();
        if pulls.iter().any(|pull| pull.run < certificate.run && pull.purpose == Purpose::Night && of_today(pull)) {
            return Ok(Vec::new());
        }
        let of_weekday = pulls.into_iter().filter(|pull| {
            let same = instant::local(pull.started_at).weekday() == began.weekday();
            pull.run < certificate.run
                && same
                && pull.purpose == Purpose::Night
                && pull.connector_digest == connector.digest
        });
        Ok(of_weekday.take(USUAL_PULLS).map(|pull| pull.counts.received).collect())
    }
}

impl Settling {
    fn reject(&mut self, rejection: Rejection, run: i64, chain: u32) {
        match &rejection.key {
            Some(key) => self.meet(key, run, chain),
            None => {
                if let Some((_, without)) = self.by_chain.get_mut(&chain) {
                    *without += 1;
                }
            }
        }
        self.rejections.push(rejection);
    }

    fn meet(&mut self, key: &str, run: i64, chain: u32) {
        if self.met.is_none() && self.by_chain.is_empty() {
            return;
        }
        let hash = key_hash(key);
        if let Some(met) = &mut self.met {
            let newest = met.entry(hash).or_insert(run);
            *newest = run.max(*newest);
        }
        if let Some((keys, _)) = self.by_chain.get_mut(&chain) {
            keys.insert(hash);
        }
    }

    /// Counts what is odd about a record that is taken.
    fn note(&mut self, record: &Record) {
        for issue in &record.issues {
            match issue {
                Issue::IllTyped { field, .. } => {
                    let first = Sighting { page: record.page, row: record.row, rows: 0 };
                    let sighting = self.ill_typed.entry(field.clone()).or_insert(first);
                    // Rows are gone through from the last: the first is met last.
                    *sighting = Sighting { page: record.page, row: record.row, rows: sighting.rows + 1 };
                }
                Issue::Impossible(order) => *self.findings.impossible.entry((*order).to_owned()).or_default() += 1,
            }
        }
    }
}
