//! Who may ask what: tokens, the sessions that a login opens, and the trail of dossier-level reads.
//!
//! `<data>/access.sqlite`. Tokens and sessions are random and stored as SHA-256 alone: whoever reads the file learns no token.

use std::path::Path;

use rand::RngExt as _;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Error, Row as _};
use utoipa::ToSchema;

/// Microseconds of an hour.
const HOUR_MICROS: i64 = 3_600_000_000;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    used_at INTEGER
);
CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY,
    token TEXT NOT NULL REFERENCES tokens (name),
    csrf TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS reads (
    at INTEGER NOT NULL,
    reader TEXT NOT NULL,
    way TEXT NOT NULL,
    what TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS reads_by_time ON reads (at DESC);
";

/// What a token may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, clap::ValueEnum, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Figures, health, runs, and what lies behind them down to dossier codes.
    Read,
    /// Besides: start runs, retry, pause.
    Operate,
}

impl Scope {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }

    fn from_name(name: &str) -> Self {
        if name == "operate" { Self::Operate } else { Self::Read }
    }
}

/// A token as it is listed; what it is cannot be read back. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub name: String,
    pub scope: Scope,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
    /// Last used, to the hour.
    pub used_at: Option<i64>,
}

impl Token {
    #[must_use]
    pub fn is_valid(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires| now < expires)
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name of the token.
    pub name: String,
    pub scope: Scope,
    /// Of a session: what each change that a page asks for has to repeat.
    pub csrf: Option<String>,
}

impl Caller {
    /// What a form of this session repeats; none without a session. It differs each time: an answer is compressed, and its
    /// length would tell of a text that stays the same.
    #[must_use]
    pub fn form_value(&self) -> Option<String> {
        let nonce = random();
        self.csrf.as_deref().map(|own| format!("{nonce}-{}", digest(&format!("{nonce}{own}"))))
    }

    /// Whether a change was asked for by a form of this session. Digests of digests are compared: how long it takes tells
    /// nothing.
    #[must_use]
    pub fn is_own(&self, form_value: &str) -> bool {
        let Some((nonce, given)) = form_value.split_once('-') else { return false };
        let own = self.csrf.as_deref().map(|own| digest(&format!("{nonce}{own}")));
        own.is_some_and(|own| digest(&own) == digest(given))
    }
}

/// One dossier-level read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Read {
    #[serde(serialize_with = "rfc3339")]
    pub at: i64,
    /// Name of the token, or the user of the command line.
    pub reader: String,
    /// `api`, `page` or `command`.
    pub way: String,
    /// What was asked for; no code of a dossier.
    pub what: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn rfc3339<S: serde::Serializer>(at: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::model::instant::display(*at))
}

/// The open store.
#[derive(Debug, Clone)]
pub struct Access {
    pool: SqlitePool,
}

impl Access {
    /// Opens or creates `<data>/access.sqlite`.
    pub async fn open(data: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(data.join("access.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        Ok(Self { pool })
    }

    /// Makes a token and gives it: the only time that it can be read. `None` if the name is taken.
    pub async fn create(
        &self,
        name: &str,
        scope: Scope,
        expires_at: Option<i64>,
        now: i64,
    ) -> Result<Option<String>, Error> {
        let token = format!("motcua_{}", random());
        let made = sqlx::query(
            "INSERT OR IGNORE INTO tokens (name, scope, digest, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(name)
        .bind(scope.name())
        .bind(digest(&token))
        .bind(now)
        .bind(expires_at)
        .execute(&self.pool)
        .await?;
        Ok((made.rows_affected() == 1).then_some(token))
    }

    pub async fn tokens(&self) -> Result<Vec<Token>, Error> {
        let rows = sqlx::query("SELECT * FROM tokens ORDER BY name").fetch_all(&self.pool).await?;
        rows.iter().map(token).collect()
    }

    /// Ends a token and its sessions; tells whether there was one that held.
    pub async fn revoke(&self, name: &str, now: i64) -> Result<bool, Error> {
        let mut transaction = self.pool.begin().await?;
        let revoked = sqlx::query("UPDATE tokens SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL")
            .bind(now)
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE token = ?").bind(name).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(revoked.rows_affected() > 0)
    }

    /// Who bears a token; `None` for one that is unknown, revoked or over, without saying which.
    pub async fn bearer(&self, token_text: &str, now: i64) -> Result<Option<Caller>, Error> {
        let row = sqlx::query("SELECT * FROM tokens WHERE digest = ?")
            .bind(digest(token_text))
            .fetch_optional(&self.pool)
            .await?;
        let Some(token) = row.as_ref().map(token).transpose()?.filter(|token| token.is_valid(now)) else {
            return Ok(None);
        };
        if token.used_at.is_none_or(|used| now - used >= HOUR_MICROS || used > now) {
            let hour = now - now.rem_euclid(HOUR_MICROS);
            sqlx::query("UPDATE tokens SET used_at = ? WHERE name = ?")
                .bind(hour)
                .bind(&token.name)
                .execute(&self.pool)
                .await?;
        }
        Ok(Some(Caller { name: token.name, scope: token.scope, csrf: None }))
    }

    /// Opens a session for a token; gives what the cookie holds. `None` for a token that does not hold.
    pub async fn log_in(&self, token_text: &str, hours: u32, now: i64) -> Result<Option<String>, Error> {
        let Some(caller) = self.bearer(token_text, now).await? else { return Ok(None) };
        let session = random();
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= ?").bind(now).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO sessions (digest, token, csrf, expires_at) VALUES (?, ?, ?, ?)")
            .bind(digest(&session))
            .bind(caller.name)
            .bind(random())
            .bind(now + i64::from(hours) * HOUR_MICROS)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(session))
    }

    /// Whose session it is, while it and its token hold.
    pub async fn session(&self, session: &str, now: i64) -> Result<Option<Caller>, Error> {
        let row = sqlx::query(
            "SELECT tokens.*, sessions.csrf AS csrf FROM sessions JOIN tokens ON tokens.name = sessions.token \
             WHERE sessions.digest = ? AND sessions.expires_at > ?",
        )
        .bind(digest(session))
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let token = token(&row)?;
        let csrf = row.try_get("csrf")?;
        Ok(token.is_valid(now).then_some(Caller { name: token.name, scope: token.scope, csrf: Some(csrf) }))
    }

    pub async fn log_out(&self, session: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM sessions WHERE digest = ?").bind(digest(session)).execute(&self.pool).await?;
        Ok(())
    }

    /// Writes down a dossier-level read, before it is answered.
    pub async fn note_read(&self, reader: &str, way: &str, what: &str, now: i64) -> Result<(), Error> {
        sqlx::query("INSERT INTO reads (at, reader, way, what) VALUES (?, ?, ?, ?)")
            .bind(now)
            .bind(reader)
            .bind(way)
            .bind(what)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Dossier-level reads, newest first.
    pub async fn reads(&self, most: i64) -> Result<Vec<Read>, Error> {
        let rows = sqlx::query("SELECT * FROM reads ORDER BY at DESC, rowid DESC LIMIT ?")
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        let read = |row: &SqliteRow| {
            let (at, reader) = (row.try_get("at")?, row.try_get("reader")?);
            Ok(Read { at, reader, way: row.try_get("way")?, what: row.try_get("what")? })
        };
        rows.iter().map(read).collect()
    }

    pub async fn close(self) {
        self.pool.close().await;
    }
}

fn token(row: &SqliteRow) -> Result<Token, Error> {
    Ok(Token {
        name: row.try_get("name")?,
        scope: Scope::from_name(row.try_get("scope")?),
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        revoked_at: row.try_get("revoked_at")?,
        used_at: row.try_get("used_at")?,
    })
}

/// 256 random bits, hexadecimal. The generator is seeded by the operating system.
fn random() -> String {
    let [high, low]: [u128; 2] = rand::rng().random();
    format!("{high:032x}{low:032x}")
}

/// A token has 256 bits of its own: a plain digest is enough, and looking it up tells nothing of the token.
fn digest(secret: &str) -> String {
    format!("{:x}", Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tokens_and_sessions_hold_until_they_are_over() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let access = Access::open(folder.path()).await.expect("it opens");
        let token = access.create("dashboard", Scope::Read, Some(100), 0).await.expect("writes").expect("a new name");
        assert_eq!(access.create("dashboard", Scope::Operate, None, 0).await.expect("writes"), None);
        let caller = access.bearer(&token, 99).await.expect("reads").expect("it holds");
        assert_eq!((caller.name.as_str(), caller.scope), ("dashboard", Scope::Read));
        assert_eq!(access.bearer(&token, 100).await.expect("reads"), None, "it is over");
        assert_eq!(access.bearer("motcua_other", 0).await.expect("reads"), None);

        let session = access.log_in(&token, 1, 10).await.expect("writes").expect("it holds");
        let caller = access.session(&session, 50).await.expect("reads").expect("it is open");
        let (value, another) = (caller.form_value().expect("of a session"), caller.form_value().expect("of a session"));
        assert!(value != another && caller.is_own(&value) && caller.is_own(&another));
        let other = Caller { csrf: Some(random()), ..caller.clone() };
        assert!(!other.is_own(&value) && !caller.is_own("") && !caller.is_own("-") && !caller.is_own(&value[..70]));
        assert!(!Caller { csrf: None, ..caller }.is_own(&value), "a bearer of a token has no forms");
        assert_eq!(access.session(&session, 100).await.expect("reads"), None, "its token is over");
        assert!(access.revoke("dashboard", 60).await.expect("writes"));
        assert!(!access.revoke("dashboard", 61).await.expect("writes"), "it was revoked before");
        assert_eq!(access.session(&session, 61).await.expect("reads"), None);
        assert_eq!(access.log_in(&token, 1, 61).await.expect("reads"), None);
    }

    #[tokio::test]
    async fn nothing_at_rest_says_what_a_token_is() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let access = Access::open(folder.path()).await.expect("it opens");
        let token = access.create("clerk", Scope::Operate, None, 0).await.expect("writes").expect("a new name");
        let session = access.log_in(&token, 1, 0).await.expect("writes").expect("it holds");
        access.close().await;
        for name in ["access.sqlite", "access.sqlite-wal"] {
            let path = folder.path().join(name);
            #[expect(clippy::disallowed_methods, reason = "the file is what is tested")]
            let bytes = std::fs::read(&path).unwrap_or_default();
            for secret in [token.trim_start_matches("motcua_"), &session] {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{name}");
            }
        }
    }
}
