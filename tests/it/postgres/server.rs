//! A PostgreSQL server for one test: Debian's binaries, a temporary folder, a loopback port. It is stopped by its
//! process id.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::services::can_run;

/// The superuser.
pub(crate) const ADMINISTRATOR: &str = "postgres";
/// The user that motcua connects as. It may create schemas, but no roles.
pub(crate) const WRITER: &str = "planted-user-9c1f";
/// Has characters that an address must percent-encode.
pub(crate) const PASSWORD: &str = "planted/s3cret@7d2a";
const ENCODED_PASSWORD: &str = "planted%2Fs3cret%407d2a";
pub(crate) const DATABASE: &str = "dashboards";

/// Longest time for a server to start or to stop.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Server {
    folder: TempDir,
    binaries: PathBuf,
    pub(crate) port: u16,
    process: Option<Child>,
}

impl Server {
    /// Starts a server with a database. `None` if PostgreSQL is not installed and the tests of services were not asked
    /// for.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let binaries = binaries();
        let missing = binaries.is_none().then_some("there is no /usr/lib/postgresql/*/bin/initdb");
        if !can_run(test, missing) {
            return None;
        }
        let binaries = binaries?;
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let mut server = Self { folder, binaries, port: free_port(), process: None };
        let password = server.folder.path().join("password");
        std::fs::write(&password, PASSWORD).expect("the scratch folder is writable");
        if is_root() {
            for path in [server.folder.path(), &password] {
                chown(path, Some(id("-u")), Some(id("-g"))).expect("root may change the owner");
            }
        }
        let mut initdb = server.command("initdb");
        initdb.args(["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"]);
        initdb.arg("--username").arg(ADMINISTRATOR).arg("--pwfile").arg(&password);
        let made = initdb.arg("-D").arg(server.data()).output().expect("initdb starts");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.restart();
        let mut administrator = server.client(ADMINISTRATOR, "postgres");
        administrator.act(&format!("CREATE ROLE \"{WRITER}\" LOGIN PASSWORD '{PASSWORD}'"));
        administrator.act(&format!("CREATE DATABASE {DATABASE} OWNER \"{WRITER}\""));
        Some(server)
    }

    /// Starts the stopped server again, on the same port.
    pub(crate) fn restart(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-p").arg(self.port.to_string());
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "jit=off"] {
            command.arg("-c").arg(setting);
        }
        let log = std::fs::File::create(self.folder.path().join("log")).expect("the scratch folder is writable");
        self.process = Some(command.stdout(Stdio::null()).stderr(log).spawn().expect("postgres starts"));
        let begun = Instant::now();
        while let Err(error) = Client::open(self.port, ADMINISTRATOR, "postgres") {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().expect("it is a child"));
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "postgres does not start: {error}: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops the server at once. Every connection breaks.
    pub(crate) fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // SIGQUIT is an immediate shutdown: the server also ends its child processes.
        let _ = Command::new("kill").args(["-QUIT", &process.id().to_string()]).status();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if !matches!(process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = process.kill();
        let _ = process.wait();
    }

    pub(crate) fn client(&self, user: &str, database: &str) -> Client {
        Client::open(self.port, user, database).unwrap_or_else(|error| panic!("`{user}` connects: {error}"))
    }

    pub(crate) fn administrator(&self) -> Client {
        self.client(ADMINISTRATOR, DATABASE)
    }

    /// The value of `postgres.url`.
    pub(crate) fn url(&self) -> String {
        format!("postgresql://{WRITER}:{ENCODED_PASSWORD}@127.0.0.1:{}/{DATABASE}", self.port)
    }

    /// `host:port/database`, as in messages.
    pub(crate) fn location(&self) -> String {
        format!("127.0.0.1:{}/{DATABASE}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Runs a binary of the server as a user other than root, which PostgreSQL refuses. It ends with the thread that
    /// started it.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "QUIT"]).current_dir(self.folder.path()).env("LC_ALL", "C.UTF-8");
        if is_root() {
            let (user, group) = (id("-u"), id("-g"));
            command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
        }
        command.arg("--").arg(self.binaries.join(name)).stdin(Stdio::null());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The newest version that is installed.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let versions = versions.flatten().map(|version| version.path().join("bin"));
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter(|folder| folder.join("initdb").exists())
        .filter_map(|folder| Some((folder.parent()?.file_name()?.to_str()?.parse().ok()?, folder)))
        .collect();
    found.sort();
    found.pop().map(|(_, folder)| folder)
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    free.expect("loopback has a free port").port()
}

/// Whether the tests run as root.
fn is_root() -> bool {
    Path::new("/proc/self").metadata().is_ok_and(|process| process.uid() == 0)
}

/// Number of the user or group that the server runs as if the tests run as root.
fn id(which: &str) -> u32 {
    let of = |user: &str| {
        let output = Command::new("id").args([which, user]).output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    of("postgres").or_else(|| of("nobody")).expect("the system knows `nobody`")
}

/// A connection of a dashboard or an administrator.
pub(crate) struct Client {
    runtime: Runtime,
    connection: PgConnection,
}

impl Client {
    fn open(port: u16, user: &str, database: &str) -> Result<Self, sqlx::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port);
        let options = options.username(user).password(PASSWORD).database(database);
        let connection = runtime.block_on(PgConnection::connect_with(&options))?;
        Ok(Self { runtime, connection })
    }

    pub(crate) fn act(&mut self, sql: &str) {
        self.try_act(sql).unwrap_or_else(|code| panic!("{sql}: {code}"));
    }

    /// Executes SQL. The error is the SQLSTATE.
    pub(crate) fn try_act(&mut self, sql: &str) -> Result<(), String> {
        let acted = self.runtime.block_on(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connection));
        let code = |error: &sqlx::Error| {
            error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned))
        };
        acted.map(drop).map_err(|error| code(&error).unwrap_or_else(|| error.to_string()))
    }

    /// Rows as JSON, instants in Vietnam's offset.
    pub(crate) fn rows(&mut self, sql: &str) -> Vec<Value> {
        self.act("SET TimeZone = 'Asia/Ho_Chi_Minh'");
        let mut query = String::from("SELECT row_to_json(found)::text FROM (");
        let _ = write!(query, "{sql}) AS found");
        let rows = sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(rows).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let row = |row: &sqlx::postgres::PgRow| serde_json::from_str(row.get::<&str, _>(0)).expect("JSON");
        rows.iter().map(row).collect()
    }

    pub(crate) fn count(&mut self, sql: &str) -> u64 {
        let rows = self.rows(&format!("SELECT count(*) AS rows FROM {sql}"));
        rows[0]["rows"].as_u64().expect("counts are numbers")
    }
}
