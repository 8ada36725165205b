//! Why a night was not published to PostgreSQL: what was attempted on what, and what to do. Neither user nor password is said.

use std::io::ErrorKind;

#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    #[error("`postgres.url` is no address of a PostgreSQL database: {what}")]
    Address { what: &'static str },
    /// `place`: `host:port/database`.
    #[error("cannot {action} at `{place}`: {what}")]
    Failed { action: &'static str, place: String, what: String, hint: &'static str },
    #[error("schema `{schema}` at `{place}` is of version {found}; this program knows version {known}")]
    NewerSchema { schema: String, place: String, found: i32, known: i32 },
    #[error("schema `{schema}` at `{place}` holds run {held}, which is newer than run {run}")]
    NewerRun { schema: String, place: String, held: i64, run: i64 },
    #[error("schema `{schema}` at `{place}` holds another night as run {run}: it comes from another data folder")]
    OtherFolder { schema: String, place: String, run: i64 },
}

impl PostgresError {
    /// What to do.
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
                "one data folder publishes to one schema: name another `schema`; or, where this folder was restored from a \
                 backup, drop the schema: the next publication makes it anew, its history begins then"
            }
        }
    }
}

/// What an error of the driver says, and what to do. The server's own words may name the user: see `Target::failed`.
pub(super) fn told(error: &sqlx::Error) -> (String, &'static str) {
    match error {
        sqlx::Error::Io(error) => of_network(error),
        sqlx::Error::Tls(error) => (
            format!("no encrypted connection: {error}"),
            "`sslmode` and `sslrootcert` of the address say what is asked of the server's certificate",
        ),
        sqlx::Error::Database(error) => of_server(&error.code().unwrap_or_default(), error.message()),
        other => (other.to_string(), GENERAL),
    }
}

const GENERAL: &str = "the server's log says more";

fn of_network(error: &std::io::Error) -> (String, &'static str) {
    let what = match error.kind() {
        ErrorKind::ConnectionRefused => "the connection was refused".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
            "the server ended the connection".to_owned()
        }
        _ => error.to_string(),
    };
    (what, "is the server up, and are host and port right?")
}

/// `code`: SQLSTATE (PostgreSQL's documentation, appendix A).
fn of_server(code: &str, message: &str) -> (String, &'static str) {
    let (what, hint) = match code {
        // The server's words name the user.
        "28P01" | "28000" => (
            "the server refused the login",
            "are user and password in `postgres.url` right, and does the server's `pg_hba.conf` let them in from here?",
        ),
        "3D000" => ("there is no such database", "the administrator makes it with `CREATE DATABASE … ENCODING 'UTF8'`"),
        "42501" => {
            let hint = "the user needs CREATE and TEMPORARY on the database and owns the schema: `GRANT CREATE, TEMPORARY ON DATABASE … TO …`";
            return (message.to_owned(), hint);
        }
        "42P06" | "42P07" | "42710" | "42723" => {
            return (
                message.to_owned(),
                "the schema must belong to motcua alone: name another `schema`, or move what stands in it",
            );
        }
        "42P01" | "42703" | "42883" => {
            return (
                message.to_owned(),
                "somebody changed the tables of the schema: drop it, and the next publication makes it anew",
            );
        }
        "53300" => ("it has no connection left", "raise `max_connections`, or end clients that nobody needs"),
        "53100" => ("its disk is full", "make room on the server's disk"),
        "55P03" => (
            "somebody held a lock on its tables for more than 30 seconds",
            "`SELECT * FROM pg_locks JOIN pg_stat_activity USING (pid)` on the server says who",
        ),
        "57014" => ("it needed more than 10 minutes for one statement", "is the server overloaded, or its disk slow?"),
        "57P01" | "57P02" | "57P03" => ("the server is stopping or starting", "wait until it is up"),
        "25006" => ("it is a standby, which takes no writes", "name the primary server"),
        "22P05" | "22021" => ("its encoding cannot hold Vietnamese", "the database must be of encoding UTF8"),
        _ => return (format!("{message} ({code})"), GENERAL),
    };
    (what.to_owned(), hint)
}
