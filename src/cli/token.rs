//! `token create|list|revoke|reads`: who may ask the service, and who looked at dossiers.
#![expect(clippy::disallowed_methods, reason = "edge: makes the data folder")]

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::output::{self, Format, narrate, print};
use crate::cli::{Base, Failure};
use crate::model::instant::{self, DAY_MICROS};
use crate::run::{self, RunError};
use crate::service::{Access, Read, Scope, Token};

/// Dossier-level reads that are listed.
const READS: i64 = 1_000;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token and print it: the only time that it can be seen.
    Create {
        /// Who uses it, for example `dashboard` or a clerk's name.
        name: String,
        #[arg(long, value_enum, default_value = "read")]
        scope: Scope,
        /// Days that it holds; without end if absent.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// Names, scopes, and until when they hold.
    List {
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// End a token, and the sessions that were opened with it.
    Revoke { name: String },
    /// Who looked at dossier-level data, newest first.
    Reads {
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    scope: Scope,
    holds: bool,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    used_at: Option<String>,
}

pub(super) async fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, now) = (base.load()?, run::now());
    let data = &config.settings.data;
    std::fs::create_dir_all(data)?;
    let access = Access::open(data).await.map_err(RunError::from)?;
    match &arguments.what {
        What::Create { name, scope, days } => {
            if name.trim().is_empty() || name.chars().any(char::is_control) || name.chars().count() > 100 {
                return Err(Failure::usage("a token's name is a text of 1 to 100 letters"));
            }
            let expires = days.map(|days| now + i64::from(days) * DAY_MICROS);
            let made = access.create(name, *scope, expires, now).await.map_err(RunError::from)?;
            let token = made.ok_or_else(|| {
                Failure::usage(format!("there is a token `{name}` already"))
                    .with_hint("names are not used twice, so that the trail of reads stays true: choose another")
            })?;
            narrate(&format!("token `{name}` may {}; keep it: it cannot be shown again", scope.name()));
            print(&format!("{token}\n"))?;
        }
        What::List { format } => {
            let tokens = access.tokens().await.map_err(RunError::from)?;
            let rows: Vec<Row> = tokens.iter().map(|token| row(token, now)).collect();
            print(&match format {
                Format::Json => output::json(&rows)?,
                Format::Csv => output::csv(&rows)?,
                Format::Table => table(&rows),
            })?;
        }
        What::Revoke { name } => {
            if !access.revoke(name, now).await.map_err(RunError::from)? {
                return Err(Failure::usage(format!("there is no token `{name}` that holds"))
                    .with_hint("`motcua token list` names them"));
            }
            narrate(&format!("token `{name}` holds no more"));
        }
        What::Reads { format } => {
            let reads = access.reads(READS).await.map_err(RunError::from)?;
            print(&match format {
                Format::Json => output::json(&reads)?,
                Format::Csv => output::csv(&reads)?,
                Format::Table => reads_table(&reads),
            })?;
        }
    }
    access.close().await;
    Ok(ExitCode::SUCCESS)
}

fn row(token: &Token, now: i64) -> Row {
    Row {
        name: token.name.clone(),
        scope: token.scope,
        holds: token.is_valid(now),
        created_at: instant::display(token.created_at),
        expires_at: token.expires_at.map(instant::display),
        revoked_at: token.revoked_at.map(instant::display),
        used_at: token.used_at.map(instant::display),
    }
}

fn minute(text: &str) -> String {
    text[..16].replace('T', " ")
}

fn table(rows: &[Row]) -> String {
    let moment = |text: &Option<String>| text.as_deref().map_or_else(|| "–".to_owned(), minute);
    let cells = rows.iter().map(|row| {
        let holds = if row.holds { "yes" } else { "no" };
        let (expires, revoked, used) = (moment(&row.expires_at), moment(&row.revoked_at), moment(&row.used_at));
        vec![
            row.name.clone(),
            row.scope.name().to_owned(),
            holds.to_owned(),
            minute(&row.created_at),
            expires,
            revoked,
            used,
        ]
    });
    output::table(&["name", "scope", "holds", "created", "expires", "revoked", "last used"], cells.collect())
}

fn reads_table(reads: &[Read]) -> String {
    let cells = reads
        .iter()
        .map(|read| vec![minute(&instant::display(read.at)), read.reader.clone(), read.way.clone(), read.what.clone()]);
    output::table(&["at", "reader", "way", "what"], cells.collect())
}
