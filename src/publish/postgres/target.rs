//! The database that nights are published to. Messages and logs name host, port and database only, never user or
//! password.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use url::Url;

use crate::publish::postgres::error::{PostgresError, message_and_hint};

/// Parameters that an address may have. Others are refused: the driver would ignore them and write them to the log.
const PARAMETERS: [&str; 5] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "application_name"];

/// A schema of a PostgreSQL database, and how to connect to it.
#[derive(Clone)]
pub struct PostgresTarget {
    options: PgConnectOptions,
    /// `host:port/database`.
    location: String,
    user: String,
    password: Option<String>,
    pub(super) schema: String,
    pub(super) reader_role: Option<String>,
}

/// Shows neither user nor password.
impl fmt::Debug for PostgresTarget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PostgresTarget")
            .field("location", &self.location)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl PostgresTarget {
    /// `url`: `postgresql://user:password@host:5432/database`, with reserved characters percent-encoded.
    ///
    /// # Errors
    /// An address that is wrong or ambiguous. The error does not quote it, since it holds the password.
    pub fn new(url: &str, schema: &str, reader_role: Option<&str>) -> Result<Self, PostgresError> {
        let wrong = |what| PostgresError::Address { what };
        let parsed = Url::parse(url.trim()).map_err(|_| wrong("it cannot be parsed"))?;
        if !matches!(parsed.scheme(), "postgres" | "postgresql") {
            return Err(wrong("it does not begin with `postgresql://`"));
        }
        let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
        let database = parsed.path().trim_start_matches('/');
        // A password with `/`, `?`, `#` or `@` that is not encoded ends the host or the path too early.
        if database.contains(['/', '@']) || parsed.fragment().is_some() {
            return Err(wrong("a reserved character in user, password or database is not percent-encoded"));
        }
        if database.is_empty() {
            return Err(wrong("it names no database"));
        }
        if parsed.username().is_empty() {
            return Err(wrong("it names no user"));
        }
        if parsed.query_pairs().any(|(name, _)| !PARAMETERS.contains(&&*name)) {
            return Err(wrong(
                "its parameters may be `sslmode`, `sslrootcert`, `sslcert`, `sslkey` and `application_name`",
            ));
        }
        let options = PgConnectOptions::from_str(parsed.as_str()).map_err(|_| wrong("a parameter in it is wrong"))?;
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("motcua"),
        };
        let plain = |text: &str| {
            // Percent-decoding by means of a form parameter, which would also turn `+` into a space.
            let form = format!("x={}", text.replace('+', "%2B"));
            url::form_urlencoded::parse(form.as_bytes()).map(|(_, value)| value.into_owned()).next().unwrap_or_default()
        };
        Ok(Self {
            location: format!("{host}:{}/{}", parsed.port().unwrap_or(5432), plain(database)),
            user: options.get_username().to_owned(),
            password: parsed.password().map(plain).filter(|password| !password.is_empty()),
            options: options.disable_statement_logging(),
            schema: schema.to_owned(),
            reader_role: reader_role.map(str::to_owned),
        })
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// `host:port/database`.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The schema's name as a quoted SQL identifier.
    pub(super) fn quoted_schema(&self) -> String {
        quoted(&self.schema)
    }

    /// Converts an error of the driver, with what was attempted.
    pub(super) fn failed(&self, action: &'static str) -> impl FnOnce(sqlx::Error) -> PostgresError {
        let target = self.clone();
        move |error| {
            let (what, hint) = message_and_hint(&error);
            let (location, what) = (target.location.clone(), target.without_secrets(what));
            PostgresError::Failed { action, location, what, hint }
        }
    }

    /// The error of a server that did not answer in time.
    pub(super) fn timed_out(&self, action: &'static str, within: Duration) -> PostgresError {
        PostgresError::Failed {
            action,
            location: self.location.clone(),
            what: format!("it did not answer within {} seconds", within.as_secs()),
            hint: "check the address, the firewall, the load of the server, and whether another session holds a lock",
        }
    }

    /// The server's message with the user and the password replaced by `…`.
    fn without_secrets(&self, mut text: String) -> String {
        if let Some(password) = &self.password {
            text = text.replace(password.as_str(), "…");
        }
        for named in ["user \"", "role \"", "user ", "role "] {
            text = text.replace(&format!("{named}{}", self.user), &format!("{named}…"));
        }
        text
    }
}

/// Any name as a quoted SQL identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        PostgresTarget::new(url, "motcua", None).expect_err("the address is wrong").to_string()
    }

    #[test]
    fn an_address_is_shown_without_user_and_password() {
        let target = PostgresTarget::new("postgresql://bob:p%40ss%2Fword@db.tinh.vn:5433/so%20lieu", "motcua", None);
        let target = target.expect("the address is right");
        assert_eq!(target.location(), "db.tinh.vn:5433/so lieu");
        assert_eq!(target.password.as_deref(), Some("p@ss/word"));
        assert_eq!(
            format!("{target:?}"),
            "PostgresTarget { location: \"db.tinh.vn:5433/so lieu\", schema: \"motcua\", .. }"
        );
        let default = PostgresTarget::new("postgres://bob@localhost/x?sslmode=disable", "motcua", None);
        assert_eq!(default.expect("the address is right").location(), "localhost:5432/x");
    }

    #[test]
    fn an_ambiguous_address_is_refused_without_quoting_it() {
        for url in [
            "postgresql://bob:s3cr/et@localhost/x",
            "postgresql://bob:1/s3cret@localhost/x",
            "postgresql://bob:1#s3cret@localhost/x",
            "postgresql://bob:1?s3cret@localhost/x",
            "postgresql://bob:1?s3cret=@localhost/x",
            "postgresql://bob:s3cret@localhost/x?sslmod=require",
            "postgresql://bob:s3cret@localhost/x?sslmode=s3cret",
            "postgresql://bob:s3cret@localhost/",
            "postgresql://bob:s3cret@localhost",
            "postgresql:///x?password=s3cret",
            "postgresql://localhost/x",
            "mysql://bob:s3cret@localhost/x",
            "s3cret",
        ] {
            let message = refused(url);
            assert!(message.starts_with("`postgres.url` is no address"), "{url}: {message}");
            assert!(!message.contains("s3c") && !message.contains("bob"), "{url}: {message}");
        }
    }

    #[test]
    fn the_servers_message_is_shown_without_user_and_password() {
        let target =
            PostgresTarget::new("postgresql://bob:s3cret@localhost/x", "motcua", None).expect("the address is right");
        let message = target.without_secrets("role \"bob\" may not: s3cret, user bob".to_owned());
        assert_eq!(message, "role \"…\" may not: …, user …");
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted("motcua"), "\"motcua\"");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
