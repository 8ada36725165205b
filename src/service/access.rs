//! Access store (`<data>/access.sqlite`): API tokens, login sessions, and the access log of dossier-level reads.
//!
//! Tokens and session ids are random. Only their SHA-256 digests are stored, so the file reveals no token.

mod schema;
mod sessions;

use std::path::Path;

use rand::RngExt as _;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Error, Row as _};

pub use self::sessions::{EndedSessions, OpenSession};
use crate::run;

/// Between the codes of agencies in a column: no code holds it.
const SEPARATOR: &str = "\n";
/// Microseconds in an hour.
const HOUR_MICROS: i64 = 3_600_000_000;

/// What a token allows.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    clap::ValueEnum,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TokenScope {
    /// Reading figures, health, runs, and the data behind them down to dossier codes.
    Read,
    /// As `read`, and starting runs, retrying rejected rows, pausing connectors.
    Operate,
}

impl TokenScope {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A token as the list shows it, without its text, which is not stored. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub name: String,
    pub scope: TokenScope,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
    /// Last use, rounded down to the hour.
    pub used_at: Option<i64>,
    /// Codes of the agencies whose dossiers alone it reads; `None`: of all.
    pub agencies: Option<Vec<String>>,
}

impl Token {
    #[must_use]
    pub fn is_valid(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires| now < expires)
    }
}

/// The token holder who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name of the token.
    pub name: String,
    pub scope: TokenScope,
    /// CSRF secret of the session; `None` for a caller who sent the token itself.
    pub csrf: Option<String>,
    /// Codes of the agencies that the token is bound to; `None`: it is not bound.
    pub agencies: Option<Vec<String>>,
}

impl Caller {
    /// CSRF value for a form of this session; `None` without a session. It carries a fresh nonce each time: answers
    /// are compressed, and a constant secret could be guessed from their length (BREACH).
    #[must_use]
    pub fn form_value(&self) -> Option<String> {
        let nonce = random();
        self.csrf.as_deref().map(|own| format!("{nonce}-{}", digest(&format!("{nonce}{own}"))))
    }

    /// Whether a form value was made for this session. Compares digests of the digests, so that timing reveals
    /// nothing about the expected value.
    #[must_use]
    pub fn is_own_form(&self, form_value: &str) -> bool {
        let Some((nonce, given)) = form_value.split_once('-') else { return false };
        let own = self.csrf.as_deref().map(|own| digest(&format!("{nonce}{own}")));
        own.is_some_and(|own| digest(&own) == digest(given))
    }
}

/// One entry of the access log: a read of dossier-level data.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DossierRead {
    #[serde(serialize_with = "rfc3339")]
    pub at: i64,
    /// Name of the token, or user name on the command line.
    pub reader: String,
    /// `api`, `page` or `command`.
    pub way: String,
    /// What was read; contains no dossier code.
    pub what: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn rfc3339<S: serde::Serializer>(at: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::model::instant::display(*at))
}

/// The open database.
#[derive(Debug, Clone)]
pub struct AccessStore {
    pool: SqlitePool,
}

impl AccessStore {
    /// Opens or creates `<data>/access.sqlite`, which only the owner of the data folder may read.
    pub async fn open(data: &Path) -> Result<Self, Error> {
        let path = data.join("access.sqlite");
        run::private_file(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        // On one connection, before there is another: SQLite would prepare a statement of that one with the columns that
        // it read before.
        let mut first = pool.acquire().await?;
        schema::create(&mut first).await?;
        drop(first);
        Ok(Self { pool })
    }

    /// Creates a token and returns its text, which cannot be read again. `None` if the name is taken. `agencies`: the codes of
    /// the agencies that it is bound to.
    pub async fn create(
        &self,
        name: &str,
        (scope, agencies): (TokenScope, Option<&[String]>),
        expires_at: Option<i64>,
        now: i64,
    ) -> Result<Option<String>, Error> {
        let token = format!("motcua_{}", random());
        let made = sqlx::query(
            "INSERT OR IGNORE INTO tokens (name, scope, digest, created_at, expires_at, agencies) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(name)
        .bind(scope.name())
        .bind(digest(&token))
        .bind(now)
        .bind(expires_at)
        .bind(agencies.map(|agencies| agencies.join(SEPARATOR)))
        .execute(&self.pool)
        .await?;
        Ok((made.rows_affected() == 1).then_some(token))
    }

    pub async fn tokens(&self) -> Result<Vec<Token>, Error> {
        let rows = sqlx::query("SELECT * FROM tokens ORDER BY name").fetch_all(&self.pool).await?;
        rows.iter().map(token).collect()
    }

    /// Revokes a token and deletes its sessions. Returns false if there is no such token or it was revoked before.
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

    /// The holder of a token; `None` if the token is unknown, revoked or expired (callers cannot tell which).
    pub async fn bearer(&self, token_text: &str, now: i64) -> Result<Option<Caller>, Error> {
        let row = sqlx::query("SELECT * FROM tokens WHERE digest = ?")
            .bind(digest(token_text))
            .fetch_optional(&self.pool)
            .await?;
        let Some(token) = row.as_ref().map(token).transpose()?.filter(|token| token.is_valid(now)) else {
            return Ok(None);
        };
        if is_new_use(token.used_at, now) {
            sqlx::query("UPDATE tokens SET used_at = ? WHERE name = ?")
                .bind(hour_of(now).max(token.created_at))
                .bind(&token.name)
                .execute(&self.pool)
                .await?;
        }
        Ok(Some(Caller { name: token.name, scope: token.scope, csrf: None, agencies: token.agencies }))
    }

    /// Adds a dossier-level read to the access log. Call it before the data are sent.
    pub async fn record_read(&self, reader: &str, way: &str, what: &str, now: i64) -> Result<(), Error> {
        sqlx::query("INSERT INTO reads (at, reader, way, what) VALUES (?, ?, ?, ?)")
            .bind(now)
            .bind(reader)
            .bind(way)
            .bind(what)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The newest `limit` entries of the access log, newest first.
    pub async fn reads(&self, limit: i64) -> Result<Vec<DossierRead>, Error> {
        let rows = sqlx::query("SELECT * FROM reads ORDER BY at DESC, rowid DESC LIMIT ?")
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        let read = |row: &SqliteRow| {
            let (at, reader) = (row.try_get("at")?, row.try_get("reader")?);
            Ok(DossierRead { at, reader, way: row.try_get("way")?, what: row.try_get("what")? })
        };
        rows.iter().map(read).collect()
    }

    pub async fn close(self) {
        self.pool.close().await;
    }
}

fn token(row: &SqliteRow) -> Result<Token, Error> {
    let scope: String = row.try_get("scope")?;
    let agencies: Option<String> = row.try_get("agencies")?;
    Ok(Token {
        name: row.try_get("name")?,
        scope: scope.parse().unwrap_or(TokenScope::Read),
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        revoked_at: row.try_get("revoked_at")?,
        used_at: row.try_get("used_at")?,
        agencies: agencies.map(|codes| codes.split(SEPARATOR).map(str::to_owned).collect()),
    })
}

/// An instant rounded down to the hour, so that no log of uses is kept.
fn hour_of(now: i64) -> i64 {
    now - now.rem_euclid(HOUR_MICROS)
}

/// Whether a use at `now` is to be stored: it is in another hour than the last one that is.
fn is_new_use(used_at: Option<i64>, now: i64) -> bool {
    used_at.is_none_or(|used| now - used >= HOUR_MICROS || used > now)
}

/// 256 random bits, hexadecimal. The generator is seeded by the operating system.
fn random() -> String {
    let [high, low]: [u128; 2] = rand::rng().random();
    format!("{high:032x}{low:032x}")
}

/// SHA-256 in hexadecimal. A token has 256 random bits, so no salt or slow hash is needed, and the timing of a
/// look-up by digest reveals nothing about the token.
fn digest(secret: &str) -> String {
    format!("{:x}", Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests;
