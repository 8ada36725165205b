//! `token create|list|revoke|reads`: access tokens of the service, and the log of dossier-level reads.
#![expect(clippy::disallowed_methods, reason = "edge: creates the data folder")]

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::output::{self, OutputFormat, print, print_message};
use crate::cli::{Failure, GlobalOptions, typed};
use crate::config::Configuration;
use crate::model::instant::{self, DAY_MICROS};
use crate::run::{self, RunError};
use crate::service::{AccessStore, DossierRead, Token, TokenScope};

/// Dossier-level reads that are listed.
const MAX_READS: i64 = 1_000;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  motcua token create dashboard --days 365\n  motcua token create clerk --scope operate\n  motcua token create so-tu-phap --agency H61.02 --days 365\n  motcua token revoke dashboard"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Create a token and print it. It cannot be shown again.
    Create {
        /// Name of the user, for example `dashboard` or a clerk's name.
        name: String,
        /// What the token allows.
        #[arg(long, value_enum, default_value = "read")]
        scope: TokenScope,
        /// Bind the token, and logins with it, to these agencies, by code or name: of dossiers it reads theirs alone, and those of
        /// agencies that only they succeeded. It reads the figures of every agency. Only with the scope `read`.
        #[arg(long = "agency", value_name = "CODE", value_delimiter = ',')]
        agencies: Vec<String>,
        /// Number of days until it expires. Default: it does not expire.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// List the tokens with their scopes and dates.
    List {
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// Revoke a token and end the sessions that were opened with it.
    Revoke {
        /// Name of the token.
        name: String,
    },
    /// List the last 1,000 reads of dossier-level data, newest first.
    Reads {
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    scope: TokenScope,
    /// Codes of the agencies that it is bound to, with a space between them; null: it is not bound.
    agencies: Option<String>,
    holds: bool,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    used_at: Option<String>,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, now) = (options.load_readable()?, run::now());
    let data = &config.settings.data;
    std::fs::create_dir_all(data)?;
    let access = AccessStore::open(data).await.map_err(RunError::from)?;
    match &arguments.verb {
        Verb::Create { name, scope, agencies, days } => {
            if name.trim().is_empty() || name.chars().any(char::is_control) || name.chars().count() > 100 {
                return Err(Failure::usage(
                    "the name of a token must have 1 to 100 characters and no control characters",
                ));
            }
            let bound = bound_agencies(&config, *scope, agencies).await?;
            let expires = days.map(|days| now + i64::from(days) * DAY_MICROS);
            let allows = (*scope, bound.as_deref());
            let made = access.create(name, allows, expires, now).await.map_err(RunError::from)?;
            let token = made.ok_or_else(|| {
                Failure::usage(format!("a token `{name}` already exists")).with_hint(
                    "choose another name: a name is never used twice, so that the log of reads stays unambiguous",
                )
            })?;
            let whose = bound.map_or_else(String::new, |codes| format!(" the dossiers of {} only", codes.join(", ")));
            print_message(&format!(
                "token `{name}` may {}{whose}; store it now, it cannot be shown again",
                scope.name()
            ));
            print(&format!("{token}\n"))?;
        }
        Verb::List { format } => {
            let tokens = access.tokens().await.map_err(RunError::from)?;
            let rows: Vec<Row> = tokens.iter().map(|token| row(token, now)).collect();
            print(&match format {
                OutputFormat::Json => output::json(&rows)?,
                OutputFormat::Csv => output::csv(&rows)?,
                OutputFormat::Table => table(&rows),
            })?;
        }
        Verb::Revoke { name } => {
            if !access.revoke(name, now).await.map_err(RunError::from)? {
                return Err(Failure::usage(format!("there is no valid token `{name}`"))
                    .with_hint("`motcua token list` shows all tokens"));
            }
            print_message(&format!("token `{name}` is revoked"));
        }
        Verb::Reads { format } => {
            let reads = access.reads(MAX_READS).await.map_err(RunError::from)?;
            print(&match format {
                OutputFormat::Json => output::json(&reads)?,
                OutputFormat::Csv => output::csv(&reads)?,
                OutputFormat::Table => reads_table(&reads),
            })?;
        }
    }
    access.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The codes of the agencies that a token is bound to; `None` if none are named.
async fn bound_agencies(
    config: &Configuration,
    scope: TokenScope,
    agencies: &[String],
) -> Result<Option<Vec<String>>, Failure> {
    if agencies.is_empty() {
        return Ok(None);
    }
    if scope != TokenScope::Read {
        return Err(Failure::usage("a token that is bound to agencies has the scope `read`")
            .with_hint("runs and connectors are of all agencies: leave out `--agency`, or `--scope`"));
    }
    // Agencies that the registry lacks have their codes from the figures.
    let night = run::night_as_of(&config.settings.data, None).await?;
    let figures = night.map(|(_, figures)| figures).unwrap_or_default();
    let mut codes = Vec::new();
    for text in agencies {
        let code = typed::agency(config, &figures, text.trim())?;
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    Ok(Some(codes))
}

fn row(token: &Token, now: i64) -> Row {
    Row {
        name: token.name.clone(),
        scope: token.scope,
        agencies: token.agencies.as_ref().map(|codes| codes.join(" ")),
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
            row.agencies.clone().unwrap_or_else(|| "all".to_owned()),
            holds.to_owned(),
            minute(&row.created_at),
            expires,
            revoked,
            used,
        ]
    });
    output::table(
        &["name", "scope", "agencies", "valid", "created", "expires", "revoked", "last used"],
        cells.collect(),
    )
}

fn reads_table(reads: &[DossierRead]) -> String {
    let cells = reads
        .iter()
        .map(|read| vec![minute(&instant::display(read.at)), read.reader.clone(), read.way.clone(), read.what.clone()]);
    output::table(&["at", "reader", "way", "what"], cells.collect())
}
