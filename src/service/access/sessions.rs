//! Login sessions: opened with a token, ended by the person, by the operator, or when they or their token expire.
//!
//! The operator sees a session by a short id. It is the beginning of the digest of the session's secret, so it opens
//! nothing.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use super::{AccessStore, Caller, HOUR_MICROS, Token, digest, hour_of, is_new_use, random, token};

/// Hexadecimal digits of the id of a session.
const ID_DIGITS: usize = 12;

/// An open session as the list shows it. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// Names the session for the operator.
    pub id: String,
    /// Name of the token that it was opened with.
    pub token: String,
    /// `None` for a session that an older motcua has opened.
    pub opened_at: Option<i64>,
    /// Last use, rounded down to the hour; `None` if it was not used yet.
    pub used_at: Option<i64>,
    /// When the session or its token expires, whichever is earlier.
    pub expires_at: i64,
}

/// Which sessions are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedSessions<'s> {
    /// The one with this id.
    Id(&'s str),
    /// Those of a token.
    Token(&'s str),
    All,
}

impl AccessStore {
    /// Opens a session for a token and returns the session id for the cookie. `None` if the token is not valid.
    pub async fn log_in(&self, token_text: &str, hours: u32, now: i64) -> Result<Option<String>, Error> {
        let Some(caller) = self.bearer(token_text, now).await? else { return Ok(None) };
        let session = random();
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= ?").bind(now).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO sessions (digest, token, csrf, expires_at, opened_at) VALUES (?, ?, ?, ?, ?)")
            .bind(digest(&session))
            .bind(caller.name)
            .bind(random())
            .bind(now + i64::from(hours) * HOUR_MICROS)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(session))
    }

    /// The holder of a session; `None` unless both the session and its token are valid.
    pub async fn session(&self, session: &str, now: i64) -> Result<Option<Caller>, Error> {
        let digest = digest(session);
        let row = sqlx::query(
            "SELECT tokens.*, sessions.csrf AS csrf, sessions.used_at AS session_used_at \
             FROM sessions JOIN tokens ON tokens.name = sessions.token \
             WHERE sessions.digest = ? AND sessions.expires_at > ?",
        )
        .bind(&digest)
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let token = token(&row)?;
        if !token.is_valid(now) {
            return Ok(None);
        }
        if is_new_use(row.try_get("session_used_at")?, now) {
            sqlx::query("UPDATE sessions SET used_at = ? WHERE digest = ?")
                .bind(hour_of(now))
                .bind(&digest)
                .execute(&self.pool)
                .await?;
        }
        let csrf = row.try_get("csrf")?;
        let Token { name, scope, agencies, .. } = token;
        Ok(Some(Caller { name, scope, csrf: Some(csrf), agencies }))
    }

    pub async fn log_out(&self, session: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM sessions WHERE digest = ?").bind(digest(session)).execute(&self.pool).await?;
        Ok(())
    }

    /// The sessions that are open at `now`, by token and time of the login.
    pub async fn open_sessions(&self, now: i64) -> Result<Vec<OpenSession>, Error> {
        let rows = sqlx::query(
            "SELECT sessions.digest, sessions.token, sessions.opened_at, sessions.used_at, \
             MIN(sessions.expires_at, COALESCE(tokens.expires_at, sessions.expires_at)) AS expires_at \
             FROM sessions JOIN tokens ON tokens.name = sessions.token \
             WHERE sessions.expires_at > ?1 AND COALESCE(tokens.expires_at, sessions.expires_at) > ?1 \
             AND tokens.revoked_at IS NULL \
             ORDER BY sessions.token, sessions.opened_at, sessions.digest",
        )
        .bind(now)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(open_session).collect()
    }

    /// Ends sessions at once: their holders have to log in again. Returns how many were ended.
    pub async fn end_sessions(&self, which: EndedSessions<'_>) -> Result<u64, Error> {
        let ended = match which {
            EndedSessions::Id(id) if id.len() == ID_DIGITS => {
                sqlx::query("DELETE FROM sessions WHERE substr(digest, 1, ?) = ?")
                    .bind(i64::try_from(ID_DIGITS).unwrap_or(i64::MAX))
                    .bind(id)
                    .execute(&self.pool)
                    .await?
            }
            EndedSessions::Id(_) => return Ok(0),
            EndedSessions::Token(name) => {
                sqlx::query("DELETE FROM sessions WHERE token = ?").bind(name).execute(&self.pool).await?
            }
            EndedSessions::All => sqlx::query("DELETE FROM sessions").execute(&self.pool).await?,
        };
        Ok(ended.rows_affected())
    }
}

fn open_session(row: &SqliteRow) -> Result<OpenSession, Error> {
    let mut id: String = row.try_get("digest")?;
    id.truncate(ID_DIGITS);
    Ok(OpenSession {
        id,
        token: row.try_get("token")?,
        opened_at: row.try_get("opened_at")?,
        used_at: row.try_get("used_at")?,
        expires_at: row.try_get("expires_at")?,
    })
}
