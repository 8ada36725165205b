//! `quarantine list|show|retry`: rejected rows, and their way back.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Subcommand;

use crate::cli::output::{self, Format, narrate, print};
use crate::cli::run::acted;
use crate::cli::{Base, Failure, audit};
use crate::landing::LandedPull;
use crate::run::{self, Ledger, QuarantinedRow, RunError};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Rejected rows that are open, newest run first.
    List {
        /// Only of this connector.
        #[arg(long)]
        connector: Option<String>,
        /// Only of this run.
        #[arg(long)]
        run: Option<i64>,
        /// Also those that were taken or rejected anew since.
        #[arg(long)]
        all: bool,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// One rejected row: where it came from, what failed, and the fields that were kept of it.
    Show {
        /// Its number in the list.
        id: i64,
    },
    /// Take rejected rows again, after the mapping or the source was mended.
    Retry {
        /// Only of these connectors; all if absent.
        connectors: Vec<String>,
    },
}

pub(super) async fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, now) = (base.load()?, run::now());
    if let What::Retry { connectors } = &arguments.what {
        return acted(&config, "quarantine retry", now, async |folder, progress| {
            folder.retry(connectors, now, progress).await
        })
        .await;
    }
    let data = &config.settings.data;
    let Some(ledger) = Ledger::open_existing(data).await.map_err(RunError::from)? else {
        return Err(Failure::usage(format!("there is no ledger in `{}`", data.display()))
            .with_hint("nothing has run yet: `motcua run`"));
    };
    match &arguments.what {
        What::List { connector, run, all, format } => {
            let rows = ledger.quarantined(connector.as_deref(), *run, !all).await.map_err(RunError::from)?;
            let text = match format {
                Format::Json => output::json(&rows)?,
                Format::Csv => output::csv(&rows)?,
                Format::Table => table(&rows),
            };
            print(&text)?;
            if *format == Format::Table {
                for (what, count) in groups(&rows) {
                    narrate(&format!("{what}: {}", output::number(count)));
                }
                narrate(&format!("{} rejected rows", output::number(rows.len() as u64)));
            }
        }
        What::Show { id } => {
            let Some(rejected) = ledger.quarantined_row(*id).await.map_err(RunError::from)? else {
                return Err(Failure::usage(format!("there is no rejected row `{id}`"))
                    .with_hint("`motcua quarantine list --all` shows their numbers"));
            };
            audit::log_read(data, &format!("quarantine row {id}")).await?;
            print(&shown(data, &rejected)?)?;
        }
        What::Retry { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Connector, field and reason → rows.
fn groups(rows: &[QuarantinedRow]) -> BTreeMap<String, u64> {
    let mut groups = BTreeMap::new();
    for row in rows {
        let field = row.field.as_deref().unwrap_or("(the whole row)");
        *groups.entry(format!("{} {field} {}", row.connector, row.reason)).or_default() += 1;
    }
    groups
}

fn table(rows: &[QuarantinedRow]) -> String {
    let headings = ["id", "run", "connector", "page", "row", "field", "reason", "closed by run"];
    let cells = rows.iter().map(|row| {
        vec![
            row.id.to_string(),
            row.run.to_string(),
            row.connector.clone(),
            row.page.to_string(),
            row.row.to_string(),
            row.field.clone().unwrap_or_else(|| "(the whole row)".to_owned()),
            row.reason.clone(),
            row.closed_by.map_or_else(|| "–".to_owned(), |run| run.to_string()),
        ]
    });
    output::table(&headings, cells.collect())
}

/// Where a row came from, what failed, and what landing kept of it.
fn shown(data: &std::path::Path, rejected: &QuarantinedRow) -> Result<String, Failure> {
    let mut text = format!(
        "connector  {}\nrun        {}\npage       {}\nrow        {}\nfield      {}\nreason     {}\n",
        rejected.connector,
        rejected.run,
        rejected.page,
        rejected.row,
        rejected.field.as_deref().unwrap_or("(the whole row)"),
        rejected.reason,
    );
    if let Some(run) = rejected.closed_by {
        let _ = writeln!(text, "closed by  run {run}");
    }
    let landed = LandedPull::new(data, &rejected.connector, rejected.run);
    let certificate = landed.certificate().map_err(RunError::from)?;
    let entry = certificate.as_ref().and_then(|found| found.pages.iter().find(|page| page.number == rejected.page));
    let Some(entry) = entry else {
        text.push_str("its page is no longer in landing\n");
        return Ok(text);
    };
    let page = landed.read(entry).map_err(RunError::from)?;
    let _ = writeln!(text, "from       {}", page.origin);
    if let Some(index) = (0..page.len()).find(|&index| page.place(index).0 == rejected.row) {
        text.push_str(
            "kept fields (`?` is the shape of a text that failed its type, `~` of one that may be anybody's):\n",
        );
        for (field, name) in page.fields.iter().enumerate() {
            if let Some(value) = page.cell(index, field) {
                let _ = writeln!(text, "  {name} = {value}");
            }
        }
    }
    Ok(text)
}
