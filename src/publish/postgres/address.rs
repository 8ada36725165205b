//! Where nights are published to: the address, taken apart so that only harmless parts of it are ever said.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use url::Url;

use crate::publish::postgres::PostgresError;
use crate::publish::postgres::error::told;

/// Parameters that an address may have; others would be ignored, and written to the log.
const PARAMETERS: [&str; 5] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "application_name"];

/// A schema of a database, and how to get there.
#[derive(Clone)]
pub struct Target {
    options: PgConnectOptions,
    /// `host:port/database`.
    place: String,
    user: String,
    password: Option<String>,
    pub(super) schema: String,
    pub(super) reader_role: Option<String>,
}

/// Without user, password and address.
impl fmt::Debug for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Target").field("place", &self.place).field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Target {
    /// `url`: `postgresql://user:password@host:5432/database`; parts with signs of their own are percent-encoded.
    ///
    /// # Errors
    /// An address that could be misread: what it is is said, what stands in it is not.
    pub fn new(url: &str, schema: &str, reader_role: Option<&str>) -> Result<Self, PostgresError> {
        let wrong = |what| PostgresError::Address { what };
        let parsed = Url::parse(url.trim()).map_err(|_| wrong("it cannot be taken apart"))?;
        if !matches!(parsed.scheme(), "postgres" | "postgresql") {
            return Err(wrong("it does not begin with `postgresql://`"));
        }
        let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
        let database = parsed.path().trim_start_matches('/');
        // A `/`, `?`, `#` or `@` in a password that is not encoded cuts the address in the wrong place.
        if database.contains(['/', '@']) || parsed.fragment().is_some() {
            return Err(wrong("a sign in user, password or database is not percent-encoded"));
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
            // One parameter of a form is decoded as a part of an address is, but for `+`.
            let form = format!("x={}", text.replace('+', "%2B"));
            url::form_urlencoded::parse(form.as_bytes()).map(|(_, value)| value.into_owned()).next().unwrap_or_default()
        };
        Ok(Self {
            place: format!("{host}:{}/{}", parsed.port().unwrap_or(5432), plain(database)),
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
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The schema's name as SQL.
    pub(super) fn quoted_schema(&self) -> String {
        quoted(&self.schema)
    }

    /// What an error of the driver means here.
    pub(super) fn failed(&self, action: &'static str) -> impl FnOnce(sqlx::Error) -> PostgresError {
        let target = self.clone();
        move |error| {
            let (what, hint) = told(&error);
            PostgresError::Failed { action, place: target.place.clone(), what: target.without_secrets(what), hint }
        }
    }

    pub(super) fn slow(&self, action: &'static str, within: Duration) -> PostgresError {
        PostgresError::Failed {
            action,
            place: self.place.clone(),
            what: format!("it did not answer within {} seconds", within.as_secs()),
            hint: "is the address right, is a firewall between, is the server overloaded or somebody's lock in the way?",
        }
    }

    /// The server's words without those that name the user, and without the password.
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

/// A name as SQL takes it, whatever stands in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        Target::new(url, "motcua", None).expect_err("the address is wrong").to_string()
    }

    #[test]
    fn an_address_says_where_and_never_who() {
        let target = Target::new("postgresql://bob:p%40ss%2Fword@db.tinh.vn:5433/so%20lieu", "motcua", None);
        let target = target.expect("the address is right");
        assert_eq!(target.place(), "db.tinh.vn:5433/so lieu");
        assert_eq!(target.password.as_deref(), Some("p@ss/word"));
        assert_eq!(format!("{target:?}"), "Target { place: \"db.tinh.vn:5433/so lieu\", schema: \"motcua\", .. }");
        let default = Target::new("postgres://bob@localhost/x?sslmode=disable", "motcua", None);
        assert_eq!(default.expect("the address is right").place(), "localhost:5432/x");
    }

    #[test]
    fn an_address_that_could_be_misread_is_refused_without_saying_it() {
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
    fn the_servers_words_are_told_without_the_user_and_the_password() {
        let target = Target::new("postgresql://bob:s3cret@localhost/x", "motcua", None).expect("the address is right");
        let told = target.without_secrets("role \"bob\" may not: s3cret, user bob".to_owned());
        assert_eq!(told, "role \"…\" may not: …, user …");
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted("motcua"), "\"motcua\"");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
