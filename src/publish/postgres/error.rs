//! Errors of a publication to PostgreSQL, each with a hint. No message holds the user or the password.

use std::io::ErrorKind;

/// Why a night was not published to PostgreSQL. `location` is `host:port/database`.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    #[error("`postgres.url` is no address of a PostgreSQL database: {what}")]
    Address { what: &'static str },
    #[error("cannot {action} at `{location}`: {what}")]
    Failed { action: &'static str, location: String, what: String, hint: &'static str },
    #[error("schema `{schema}` at `{location}` is of version {found}; this program knows version {known}")]
    NewerSchema { schema: String, location: String, found: i32, known: i32 },
    #[error("schema `{schema}` at `{location}` holds run {held}, which is newer than run {run}")]
    NewerRun { schema: String, location: String, held: i64, run: i64 },
    #[error("schema `{schema}` at `{location}` holds another night as run {run}: it comes from another data folder")]
    OtherFolder { schema: String, location: String, run: i64 },
}

impl PostgresError {
    /// What the engineer on duty can do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Address { .. } => {
                "write it as `postgresql://user:password@host:5432/database`, with `%40` for `@`, `%2F` for `/`, `%3F` for `?`, `%23` for `#`"
            }
            Self::Failed { hint, .. } => hint,
            Self::NewerSchema { .. } => {
                "a newer motcua has published there: install that version here too, or name another `schema`"
            }
            Self::NewerRun { .. } | Self::OtherFolder { .. } => {
                "each data folder needs a schema of its own: name another `schema`; if this folder was restored from a backup, \
                 drop the schema instead: the next publication creates it again, with a history that begins then"
            }
        }
    }
}

/// Message and hint for an error of the driver. The message can name the user: `PostgresTarget::failed` removes it.
pub(super) fn message_and_hint(error: &sqlx::Error) -> (String, &'static str) {
    match error {
        sqlx::Error::Io(error) => network_error(error),
        sqlx::Error::Tls(error) => (
            format!("no encrypted connection: {error}"),
            "check `sslmode` and `sslrootcert` in the address: they decide how the server's certificate is verified",
        ),
        sqlx::Error::Database(error) => server_error(&error.code().unwrap_or_default(), error.message()),
        other => (other.to_string(), GENERAL),
    }
}

const GENERAL: &str = "look into the server's log";

fn network_error(error: &std::io::Error) -> (String, &'static str) {
    let what = match error.kind() {
        ErrorKind::ConnectionRefused => "the connection was refused".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
            "the server ended the connection".to_owned()
        }
        _ => error.to_string(),
    };
    (what, "check that the server is up, and that host and port are right")
}

/// `code`: SQLSTATE (PostgreSQL's documentation, appendix A).
fn server_error(code: &str, message: &str) -> (String, &'static str) {
    let (what, hint) = match code {
        // The server's own message would name the user.
        "28P01" | "28000" => (
            "the server refused the login",
            "check user and password in `postgres.url`, and whether the server's `pg_hba.conf` allows them from this machine",
        ),
        "3D000" => {
            ("there is no such database", "the administrator creates it with `CREATE DATABASE … ENCODING 'UTF8'`")
        }
        "42501" => {
            let hint = "the user must have CREATE and TEMPORARY on the database and must own the schema: `GRANT CREATE, TEMPORARY ON DATABASE … TO …`";
            return (message.to_owned(), hint);
        }
        "42P06" | "42P07" | "42710" | "42723" => {
            return (
                message.to_owned(),
                "the schema must be used by motcua only: name another `schema`, or move the other objects out of it",
            );
        }
        "42P01" | "42703" | "42883" => {
            return (
                message.to_owned(),
                "the tables of the schema were changed by hand: drop the schema, and the next publication creates it again",
            );
        }
        "53300" => ("it has no connection left", "raise `max_connections`, or close unused clients"),
        "53100" => ("its disk is full", "free space on the server's disk"),
        "55P03" => (
            "another session held a lock on its tables for more than 30 seconds",
            "`SELECT * FROM pg_locks JOIN pg_stat_activity USING (pid)` on the server shows which",
        ),
        "57014" => ("it needed more than 10 minutes for one statement", "check the load and the disk of the server"),
        "57P01" | "57P02" | "57P03" => ("the server is stopping or starting", "wait until it is up"),
        "25006" => ("it is a standby, which accepts no writes", "name the primary server"),
        "22P05" | "22021" => ("its encoding cannot hold Vietnamese", "the database must be of encoding UTF8"),
        _ => return (format!("{message} ({code})"), GENERAL),
    };
    (what.to_owned(), hint)
}
