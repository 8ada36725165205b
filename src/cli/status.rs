//! `status`: health of every connector.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::failure::INCOMPLETE;
use crate::cli::output::{self, Format, print};
use crate::cli::run::remarks;
use crate::cli::{Base, Failure};
use crate::health::{PastPull, State, assess};
use crate::model::connector::Connector;
use crate::model::instant;
use crate::model::pull::{DriftKind, Outcome, Purpose};
use crate::run::{self, Ledger, Pull};

/// Pulls that are looked at to say since when a state holds.
const PULLS: i64 = 400;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One row; the fields of `status --format json`.
#[derive(Debug, Serialize)]
struct Row {
    connector: String,
    state: State,
    since: Option<String>,
    reason: Option<String>,
    hint: Option<String>,
    last_success: Option<String>,
    data_until: Option<String>,
    received: u64,
    accepted: u64,
    unchanged: u64,
    duplicate: u64,
    superseded: u64,
    quarantined: u64,
    /// Rejected rows of all pulls that are open.
    open: u64,
    /// Drift, impossible dates and deletions of the last pull.
    remarks: String,
    next_run: Option<String>,
}

pub(super) async fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = base.load()?;
    let now = run::now();
    let data = &config.settings.data;
    let ledger = Ledger::open_existing(data).await.map_err(run::RunError::from)?;
    let mut rows = Vec::new();
    for connector in &config.connectors {
        let pulls = match &ledger {
            Some(ledger) => ledger.pulls_of(&connector.name, PULLS).await.map_err(run::RunError::from)?,
            None => Vec::new(),
        };
        let disabled = config.settings.disabled_connectors.contains(&connector.name);
        // A retry, a replay or a backfill says nothing of the nights.
        let pulls: Vec<Pull> = pulls.into_iter().filter(|pull| pull.purpose == Purpose::Night).collect();
        let mut past: Vec<PastPull> = pulls.iter().map(|pull| past(pull, connector)).collect();
        let mut open = 0;
        if let Some(ledger) = &ledger {
            let count = ledger.open_rejections(&connector.name).await.map_err(run::RunError::from)?;
            open = u64::try_from(count).unwrap_or(0);
            // Taken since: what was degraded is so no longer.
            if let (Some(last), Some(seen)) = (pulls.first(), past.first_mut())
                && last.outcome == Some(Outcome::Degraded)
                && run::is_mended(ledger, connector, last).await?
            {
                seen.outcome = Some(Outcome::Complete);
            }
        }
        let health = assess(connector, disabled, &past, now);
        let counts = pulls.first().map(|pull| pull.counts).unwrap_or_default();
        rows.push(Row {
            connector: connector.name.clone(),
            state: health.state,
            since: health.since.map(instant::display),
            reason: health.reason,
            hint: health.hint,
            last_success: health.last_success.map(instant::display),
            data_until: pulls.iter().find_map(|pull| pull.data_until).map(instant::display),
            received: counts.received,
            accepted: counts.accepted,
            unchanged: counts.unchanged,
            duplicate: counts.duplicate,
            superseded: counts.superseded,
            quarantined: counts.quarantined,
            open,
            remarks: pulls
                .first()
                .map(remarks)
                .unwrap_or_default()
                .iter()
                .map(|line| line.trim())
                .collect::<Vec<_>>()
                .join("; "),
            next_run: health.next_run.map(instant::display),
        });
    }
    let text = match arguments.format {
        Format::Json => output::json(&rows)?,
        Format::Csv => output::csv(&rows)?,
        Format::Table => table(&rows),
    };
    print(&text)?;
    let fine = rows.iter().all(|row| row.state.is_fine());
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

fn past(pull: &Pull, connector: &Connector) -> PastPull {
    // What a changed connector made of the source is its own.
    let same = pull.connector_digest == connector.digest;
    let drifted =
        |kind| pull.findings.drift.iter().filter(move |drift| drift.kind == kind).map(|drift| drift.field.as_str());
    let mut words = Vec::new();
    for (kind, word) in [(DriftKind::New, "new"), (DriftKind::Missing, "missing")] {
        let fields: Vec<&str> = drifted(kind).collect();
        if !fields.is_empty() {
            words.push(format!("{word}: {}", fields.join(", ")));
        }
    }
    PastPull {
        outcome: pull.outcome,
        reason: pull.reason.clone(),
        message: pull.message.clone(),
        hint: pull.hint.clone(),
        drift: (same && !words.is_empty()).then(|| format!("fields of the source changed; {}", words.join("; "))),
        started_at: pull.started_at,
        finished_at: pull.finished_at,
    }
}

fn table(rows: &[Row]) -> String {
    let headings =
        ["connector", "state", "since", "data until", "received", "accepted", "quarantined", "open", "next run"];
    let moment = |text: &Option<String>| text.as_deref().map_or("–".to_owned(), |text| text[..16].replace('T', " "));
    let cells = rows.iter().map(|row| {
        let state = row.state.name().to_owned();
        let numbers = [row.received, row.accepted, row.quarantined, row.open].map(output::thousands);
        let mut cells = vec![row.connector.clone(), state, moment(&row.since), moment(&row.data_until)];
        cells.extend(numbers);
        cells.push(moment(&row.next_run));
        cells
    });
    let mut text = output::table(&headings, cells.collect());
    for row in rows {
        if !row.state.is_fine() {
            let reason = row.reason.as_deref().unwrap_or(row.state.name());
            let hint = row.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
            let _ = writeln!(text, "{}: {reason}{hint}", row.connector);
        }
        if !row.remarks.is_empty() {
            let _ = writeln!(text, "{}: {}", row.connector, row.remarks);
        }
    }
    text
}
