//! `token create|list|revoke|sessions|end-sessions|reads`: access tokens of the service, the logins with them, and the log
//! of dossier-level reads.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::language::{self, text};
use crate::cli::output::{self, OutputFormat, print, print_message, yes_or_no};
use crate::cli::run::note_new_folder;
use crate::cli::{Failure, GlobalOptions, typed};
use crate::config::Configuration;
use crate::model::instant::{self, DAY_MICROS};
use crate::run::{self, RunError};
use crate::service::{AccessStore, DossierRead, EndedSessions, OpenSession, Token, TokenScope};

/// Dossier-level reads that are listed.
const MAX_READS: i64 = 1_000;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  motcua token create dashboard --days 365\n  motcua token create clerk --scope operate\n  motcua token create so-tu-phap --agency H61.02 --days 365\n  motcua token revoke dashboard\n  motcua token sessions\n  motcua token end-sessions --of clerk"
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
    /// List the open logins: which token, since when, last used in which hour.
    Sessions {
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// End logins at once. Their tokens stay valid.
    #[command(group(clap::ArgGroup::new("which").required(true).args(["ids", "of", "all"])))]
    EndSessions {
        /// Ids of the logins, as `sessions` lists them.
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// End every login with the token of this name.
        #[arg(long, value_name = "TOKEN")]
        of: Option<String>,
        /// End every login.
        #[arg(long)]
        all: bool,
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

/// An open login. It shows no secret: the id opens nothing.
#[derive(Debug, Serialize)]
struct SessionRow {
    id: String,
    token: String,
    opened_at: Option<String>,
    used_at: Option<String>,
    expires_at: String,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (config, now) = (options.load_readable()?, run::now());
    let data = &config.settings.data;
    note_new_folder(data);
    run::create_private_folder(data)?;
    let access = AccessStore::open(data).await.map_err(RunError::from)?;
    match &arguments.verb {
        Verb::Create { name, scope, agencies, days } => {
            if name.trim().is_empty() || name.chars().any(char::is_control) || name.chars().count() > 100 {
                return Err(Failure::usage(language::of(
                    "tên của mã truy cập phải có từ 1 đến 100 ký tự, không có ký tự điều khiển",
                    "the name of a token must have 1 to 100 characters and no control characters",
                )));
            }
            let bound = bound_agencies(&config, *scope, agencies).await?;
            let expires = days.map(|days| now + i64::from(days) * DAY_MICROS);
            let allows = (*scope, bound.as_deref());
            let made = access.create(name, allows, expires, now).await.map_err(RunError::from)?;
            let token = made.ok_or_else(|| {
                Failure::usage(text!("đã có mã truy cập tên `{name}`", "a token `{name}` already exists")).with_hint(
                    language::of(
                        "chọn tên khác: một tên không dùng hai lần, để nhật ký truy cập luôn rõ ai đã xem",
                        "choose another name: a name is never used twice, so that the log of reads stays unambiguous",
                    ),
                )
            })?;
            let whose = bound.map_or_else(String::new, |codes| {
                text!(" chỉ hồ sơ của {}", " the dossiers of {} only", codes.join(", "))
            });
            print_message(&text!(
                "mã truy cập `{name}` có quyền {}{whose}; lưu lại ngay, không thể in lại lần nữa",
                "token `{name}` may {}{whose}; store it now, it cannot be shown again",
                scope.name()
            ));
            print(&format!("{token}\n"))?;
        }
        Verb::List { format } => {
            let tokens = access.tokens().await.map_err(RunError::from)?;
            let rows: Vec<Row> = tokens.iter().map(|token| row(token, now)).collect();
            print_rows(*format, &rows, table)?;
        }
        Verb::Revoke { name } => {
            if !access.revoke(name, now).await.map_err(RunError::from)? {
                let message = text!("không có mã truy cập `{name}` còn hiệu lực", "there is no valid token `{name}`");
                return Err(Failure::usage(message).with_hint(tokens_are_listed()));
            }
            print_message(&text!("đã thu hồi mã truy cập `{name}`", "token `{name}` is revoked"));
        }
        Verb::Sessions { format } => {
            let sessions = access.open_sessions(now).await.map_err(RunError::from)?;
            let rows: Vec<SessionRow> = sessions.into_iter().map(session_row).collect();
            print_rows(*format, &rows, sessions_table)?;
        }
        Verb::EndSessions { ids, of, all } => end_sessions(&access, ids, of.as_deref(), *all).await?,
        Verb::Reads { format } => {
            let reads = access.reads(MAX_READS).await.map_err(RunError::from)?;
            print_rows(*format, &reads, reads_table)?;
        }
    }
    access.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Ends logins: those with the ids, those of a token, or all. One argument is given.
async fn end_sessions(access: &AccessStore, ids: &[String], of: Option<&str>, all: bool) -> Result<(), Failure> {
    let mut ended = 0;
    for id in ids {
        let found = access.end_sessions(EndedSessions::Id(id)).await.map_err(RunError::from)?;
        if found == 0 {
            let message = text!("không có phiên đăng nhập `{id}` đang mở", "there is no open login `{id}`");
            return Err(Failure::usage(message).with_hint(language::of(
                "`motcua token sessions` liệt kê số của các phiên đang mở",
                "`motcua token sessions` lists the ids of the open logins",
            )));
        }
        ended += found;
    }
    if let Some(name) = of {
        let tokens = access.tokens().await.map_err(RunError::from)?;
        if tokens.iter().all(|token| token.name != name) {
            let message = text!("không có mã truy cập `{name}`", "there is no token `{name}`");
            return Err(Failure::usage(message).with_hint(tokens_are_listed()));
        }
        ended += access.end_sessions(EndedSessions::Token(name)).await.map_err(RunError::from)?;
    }
    if all {
        ended += access.end_sessions(EndedSessions::All).await.map_err(RunError::from)?;
    }
    print_message(&text!("số phiên đã kết thúc: {ended}", "ended logins: {ended}"));
    Ok(())
}

fn tokens_are_listed() -> &'static str {
    language::of("`motcua token list` liệt kê mọi mã truy cập", "`motcua token list` shows all tokens")
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
        return Err(Failure::usage(language::of(
            "mã truy cập gắn với cơ quan chỉ có quyền `read`",
            "a token that is bound to agencies has the scope `read`",
        ))
        .with_hint(language::of(
            "lượt chạy và kết nối là của mọi cơ quan: bỏ `--agency`, hoặc bỏ `--scope`",
            "runs and connectors are of all agencies: leave out `--agency`, or `--scope`",
        )));
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

fn session_row(session: OpenSession) -> SessionRow {
    SessionRow {
        id: session.id,
        token: session.token,
        opened_at: session.opened_at.map(instant::display),
        used_at: session.used_at.map(instant::display),
        expires_at: instant::display(session.expires_at),
    }
}

/// Prints rows as JSON, CSV or the table that `table` makes of them.
fn print_rows<T: Serialize>(
    format: OutputFormat,
    rows: &[T],
    table: impl FnOnce(&[T]) -> String,
) -> Result<(), Failure> {
    print(&match format {
        OutputFormat::Json => output::json(rows)?,
        OutputFormat::Csv => output::csv(rows)?,
        OutputFormat::Table => table(rows),
    })
}

/// A moment to the minute, or a dash.
fn moment(text: Option<&str>) -> String {
    text.map_or_else(|| "–".to_owned(), output::minute)
}

fn table(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        let (expires, revoked) = (moment(row.expires_at.as_deref()), moment(row.revoked_at.as_deref()));
        let used = moment(row.used_at.as_deref());
        vec![
            row.name.clone(),
            row.scope.name().to_owned(),
            row.agencies.clone().unwrap_or_else(|| language::of("tất cả", "all").to_owned()),
            yes_or_no(row.holds).to_owned(),
            output::minute(&row.created_at),
            expires,
            revoked,
            used,
        ]
    });
    output::worded_table(
        &[
            ["Tên", "name"],
            ["Quyền", "scope"],
            ["Cơ quan", "agencies"],
            ["Hiệu lực", "valid"],
            ["Tạo lúc", "created"],
            ["Hết hạn", "expires"],
            ["Thu hồi", "revoked"],
            ["Dùng gần nhất", "last used"],
        ],
        cells.collect(),
    )
}

fn sessions_table(rows: &[SessionRow]) -> String {
    let cells = rows.iter().map(|row| {
        let (opened, used) = (moment(row.opened_at.as_deref()), moment(row.used_at.as_deref()));
        vec![row.id.clone(), row.token.clone(), opened, used, output::minute(&row.expires_at)]
    });
    output::worded_table(
        &[
            ["Số", "id"],
            ["Mã truy cập", "token"],
            ["Mở lúc", "opened"],
            ["Dùng gần nhất", "last used"],
            ["Hết hạn", "expires"],
        ],
        cells.collect(),
    )
}

fn reads_table(reads: &[DossierRead]) -> String {
    let cells = reads
        .iter()
        .map(|read| vec![output::moment(read.at), read.reader.clone(), read.way.clone(), read.what.clone()]);
    output::worded_table(
        &[["Lúc", "at"], ["Người xem", "reader"], ["Qua", "way"], ["Nội dung", "what"]],
        cells.collect(),
    )
}
