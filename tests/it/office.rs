//! Fixture of most tests: a simulated province (town), the shipped configuration in a scratch folder (office), and the
//! real binary.
#![expect(clippy::disallowed_methods, reason = "tests create and read the files of an office")]

pub(crate) mod browser;
pub(crate) mod serving;
mod stub_server;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, LazyLock};

use jiff::civil::Date;
use motcua::simulator::{
    self, CATALOGUE_PASSWORD, CATALOGUE_ROUTE, CATALOGUE_UNIT, CATALOGUE_USER, CLIENT_ID, CLIENT_SECRET, Portal,
    Province, ProvinceSettings, RegistryTexts, SEARCH_PATH, SimulatedDay, TOKEN_PATH, Truth, TruthScope,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) use stub_server::{Answer, stub_server};
pub(crate) use tables::{commits, frames, rows};

/// The shipped connectors.
pub(crate) const CONNECTORS: [&str; 6] =
    ["bcci-export", "dossier-notes-csv", "feedback", "measures-csv", "portal-igate", "procedure-catalogue"];

/// Numerator, denominator, unknown and undecided by indicator, scope and period; without figures that have nothing to
/// count.
pub(crate) type Figures = BTreeMap<(String, TruthScope, String), [u64; 4]>;

/// A simulated province and its running portal.
pub(crate) struct Town {
    pub(crate) province: Arc<Province>,
    pub(crate) day: SimulatedDay,
    pub(crate) portal: Portal,
    /// Runs the portal.
    pub(crate) runtime: Runtime,
}

impl Town {
    /// A province whose last day is `today`, which must be in the past, since the binary reads the clock.
    pub(crate) fn new(dossiers: usize, seed: u64, today: Date) -> Self {
        Self::of(province(&ProvinceSettings { dossiers, seed, ..ProvinceSettings::new(today) }))
    }

    /// The same, with dossiers received from `first` on. For tests that need no former years: a night of few months has few
    /// figures.
    pub(crate) fn since(first: Date, dossiers: usize, seed: u64, today: Date) -> Self {
        Self::of(province(&ProvinceSettings { dossiers, seed, today, first }))
    }

    /// Starts a portal for a province, on the province's last day.
    pub(crate) fn of(province: Arc<Province>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_stack_size(64 << 20)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let day = SimulatedDay::new(province.today());
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let portal = runtime
            .block_on(simulator::serve(Arc::clone(&province), loopback, day.clone()))
            .expect("loopback has a free port");
        Self { province, day, portal, runtime }
    }

    pub(crate) fn url(&self) -> String {
        self.portal.url()
    }

    /// Records since 2020 that the portal returns for a filter (`accepted`, `applied`, `result-returned`).
    pub(crate) fn records(&self, filter: &str) -> Vec<Value> {
        let form = format!("grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}");
        let answer = self.ask(&format!(
            "POST {TOKEN_PATH} HTTP/1.1\r\nhost: town\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        ));
        let token = answer["access_token"].as_str().expect("the portal knows its client").to_owned();
        let answer = self.ask(&format!(
            "GET {SEARCH_PATH}?size=1000&page=0&{filter}-from=2020-01-01T00:00:00.000Z HTTP/1.1\r\nhost: town\r\n\
             connection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        ));
        assert_eq!(answer["last"], Value::Bool(true), "the town is small enough for one page");
        answer["content"].as_array().expect("a slice has its content").clone()
    }

    fn ask(&self, request: &str) -> Value {
        let mut stream = TcpStream::connect(self.portal.address).expect("the portal listens");
        stream.write_all(request.as_bytes()).expect("the portal reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the portal answers");
        let text = String::from_utf8(answer).expect("the portal writes UTF-8");
        let (_, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        serde_json::from_str(body).expect("the portal writes JSON")
    }
}

/// The binary under test. `MOTCUA_TEST_PROGRAM` names another one, such as a release build. Its texts are in English, whatever the
/// office's settings and this machine's language are.
pub(crate) fn program() -> Command {
    let named = std::env::var_os("MOTCUA_TEST_PROGRAM");
    let mut command = Command::new(named.unwrap_or_else(|| env!("CARGO_BIN_EXE_motcua").into()));
    command.env("MOTCUA_LANG", "en");
    command
}

/// A province with the shipped registries.
pub(crate) fn province(settings: &ProvinceSettings) -> Arc<Province> {
    let registries = RegistryTexts {
        agencies: include_str!("../../config/agencies.csv"),
        procedures: include_str!("../../config/procedures.csv"),
        offers: include_str!("../../config/procedure_offers.csv"),
        calendar: include_str!("../../config/calendar.csv"),
    };
    Arc::new(simulator::generate(settings, &registries).expect("the shipped registries are sound"))
}

/// Path, content and mode of every file that `motcua init` writes. It is started once: each start of a debug build takes time, and
/// it always writes the same.
static INSTALLATION: LazyLock<Vec<(PathBuf, Vec<u8>, Permissions)>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let written = program().arg("init").arg(folder.path()).stdin(Stdio::null()).output().expect("the binary starts");
    assert!(written.status.success(), "{}", said(&written));
    let with_content = |file: PathBuf| {
        let written = folder.path().join(&file);
        let content = std::fs::read(&written).expect("the file was written");
        let known = written.metadata().expect("the file was written");
        (file, content, known.permissions())
    };
    files(folder.path()).into_iter().map(with_content).collect()
});

/// A folder with configuration, exports and data, and the environment variables of the connectors.
pub(crate) struct Office {
    folder: TempDir,
    pub(crate) variables: BTreeMap<&'static str, String>,
}

impl Office {
    /// The shipped configuration as `motcua init` writes it, for the portal at `url`.
    pub(crate) fn new(url: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let mut office = Self { variables: BTreeMap::new(), folder };
        for folder in ["exports", "pakn", "so-lieu", "ghi-chu"] {
            std::fs::create_dir(office.path().join(folder)).expect("the scratch folder is writable");
        }
        for (file, content, permissions) in &*INSTALLATION {
            let path = office.path().join(file);
            let folder = path.parent().expect("a file has a folder");
            std::fs::create_dir_all(folder).expect("the scratch folder is writable");
            std::fs::write(&path, content).expect("the scratch folder is writable");
            std::fs::set_permissions(path, permissions.clone()).expect("the file is the test's own");
        }
        office.variables = BTreeMap::from([
            ("IGATE_URL", url.to_owned()),
            ("IGATE_TOKEN_URL", format!("{url}{TOKEN_PATH}")),
            ("IGATE_CLIENT_ID", CLIENT_ID.to_owned()),
            ("IGATE_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("BCCI_EXPORTS", office.exports().display().to_string()),
            ("DVCQG_URL", url.to_owned()),
            ("DVCQG_DSTCODE", CATALOGUE_ROUTE.to_owned()),
            ("DVCQG_USERNAME", CATALOGUE_USER.to_owned()),
            ("DVCQG_PASSWORD", CATALOGUE_PASSWORD.to_owned()),
            ("DVCQG_UNIT", CATALOGUE_UNIT.to_owned()),
            ("PAKN_EXPORTS", office.path().join("pakn").display().to_string()),
            ("MEASURES_FOLDER", office.path().join("so-lieu").display().to_string()),
            ("NOTES_FOLDER", office.path().join("ghi-chu").display().to_string()),
        ]);
        // The rate limit and the retry delays protect real portals; on loopback they only cost time.
        office.edit("connectors/bcci-export/connector.toml", |text| {
            let at_once = text.replace("glob = ", "settle_secs = 0\nglob = ");
            assert_ne!(at_once, text, "the shipped connector reads files");
            at_once
        });
        // A town's last day is in the past, so its sources would be reported as silent.
        for connector in ["bcci-export", "portal-igate"] {
            office.edit(&format!("connectors/{connector}/connector.toml"), |text| {
                let (silent_lines, others): (Vec<&str>, Vec<&str>) =
                    text.lines().partition(|line| line.starts_with("silent_after_days = "));
                assert_eq!(silent_lines.len(), 1, "the shipped connector states when its source counts as silent");
                others.join("\n") + "\n"
            });
        }
        office.edit("connectors/portal-igate/connector.toml", |text| {
            let quick = text.replace("requests_per_second = 50.0", "requests_per_second = 1000.0");
            assert_ne!(quick, text, "the shipped connector states its pace");
            format!("{quick}\n[retry]\nattempts = 2\nbase_millis = 10\n")
        });
        office.edit("connectors/procedure-catalogue/connector.toml", |text| {
            let quick = text.replace("requests_per_second = 2.0", "requests_per_second = 1000.0");
            assert_ne!(quick, text, "the shipped connector states its pace");
            format!("{quick}\n[retry]\nattempts = 2\nbase_millis = 10\n")
        });
        office
    }

    /// A copy of a folder that holds an office: configuration, connectors and data.
    pub(crate) fn copy_of(source: &Path) -> Self {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        copy(source, folder.path());
        Self { folder, variables: BTreeMap::new() }
    }

    /// An office of a town, with the post's exports up to the town's day.
    pub(crate) fn of(town: &Town) -> Self {
        let office = Self::new(&town.url());
        office.export(town, town.day.get());
        office
    }

    /// Removes the indicators that the simulator does not compute. For tests that are not about them: nights take half
    /// as long.
    pub(crate) fn lean(self) -> Self {
        for file in ["national", "procedures", "quality", "sources"] {
            let path = self.path().join(format!("config/indicators/{file}.toml"));
            std::fs::remove_file(path).expect("the file was shipped");
        }
        self
    }

    /// Removes all indicators except those of results on time. For tests that need nights and look at no figure: they take
    /// less time still.
    pub(crate) fn brief(self) -> Self {
        self.only(&CONNECTORS, &["resolution"])
    }

    /// Removes all connectors except `connectors`, and all indicator files except `indicators`. For tests of many nights
    /// that are about one source.
    pub(crate) fn only(self, connectors: &[&str], indicators: &[&str]) -> Self {
        assert!(connectors.iter().all(|name| CONNECTORS.contains(name)), "{connectors:?}");
        for connector in CONNECTORS.iter().filter(|name| !connectors.contains(name)) {
            std::fs::remove_dir_all(self.path().join("connectors").join(connector)).expect("the connector was shipped");
        }
        let shipped = files(&self.path().join("config/indicators"));
        let is_shipped = |name: &&str| shipped.contains(&PathBuf::from(format!("{name}.toml")));
        assert!(indicators.iter().all(is_shipped), "{indicators:?}");
        for file in shipped {
            if !indicators.iter().any(|name| file == Path::new(&format!("{name}.toml"))) {
                std::fs::remove_file(self.path().join("config/indicators").join(file)).expect("the file was shipped");
            }
        }
        self
    }

    pub(crate) fn export(&self, town: &Town, day: Date) {
        town.province.write_exports(&self.exports(), day).expect("the exports can be written");
        town.province.write_lists(self.path(), day).expect("the lists can be written");
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(crate) fn exports(&self) -> PathBuf {
        self.path().join("exports")
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.path().join("config/motcua.toml")
    }

    /// Edits a file of the office.
    pub(crate) fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        let path = self.path().join(file);
        let text = std::fs::read_to_string(&path).expect("the file was shipped");
        std::fs::write(&path, change(text)).expect("the scratch folder is writable");
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the scratch folder is writable");
        std::fs::write(path, text).expect("the scratch folder is writable");
    }

    /// The binary with the office's settings, data folder and variables.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_on(&self.data(), arguments)
    }

    pub(crate) fn command_on(&self, data: &Path, arguments: &[&str]) -> Command {
        let mut command = program();
        command.arg("--config").arg(self.settings()).arg("--data").arg(data).args(arguments);
        command.env_remove("MOTCUA_LOG").env_remove("MOTCUA_LOG_FORMAT").envs(&self.variables).stdin(Stdio::null());
        command
    }

    pub(crate) fn act(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary starts")
    }

    /// Runs one night and asserts that it succeeds.
    pub(crate) fn run(&self) {
        self.run_on(&self.data());
    }

    pub(crate) fn run_on(&self, data: &Path) {
        let output = self.command_on(data, &["run"]).output().expect("the binary starts");
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }

    /// Starts a night in the background, without reading its output.
    pub(crate) fn start_on(&self, data: &Path) -> Child {
        let mut command = self.command_on(data, &["run"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
    }

    /// `report --format json`.
    pub(crate) fn report_on(&self, data: &Path) -> Vec<Value> {
        let output = self.command_on(data, &["report", "--format", "json"]).output().expect("the binary starts");
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        serde_json::from_slice(&output.stdout).expect("a report is JSON")
    }

    pub(crate) fn figures(&self) -> Figures {
        figures(&self.report_on(&self.data()))
    }

    /// The rows of `status --format json`, by connector.
    pub(crate) fn statuses(&self) -> BTreeMap<String, Value> {
        let output = self.act(&["status", "--format", "json"]);
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a status is JSON");
        let name = |row: &Value| row["connector"].as_str().expect("every row names its connector").to_owned();
        rows.into_iter().map(|row| (name(&row), row)).collect()
    }

    /// The connector's row of `status --format json`.
    pub(crate) fn status(&self, connector: &str) -> Value {
        self.statuses().remove(connector).expect("every connector has a row")
    }

    /// One number of the connector's row. Each call starts the program: for several see [`Self::counts`].
    pub(crate) fn count(&self, connector: &str, name: &str) -> u64 {
        let [count] = self.counts(connector, [name]);
        count
    }

    /// Numbers of the connector's row.
    pub(crate) fn counts<const N: usize>(&self, connector: &str, names: [&str; N]) -> [u64; N] {
        let status = self.status(connector);
        names.map(|name| status[name].as_u64().expect("counts are numbers"))
    }
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Whether the figures of an indicator are compared with the truth. Not those that count overdue dossiers: the binary reads
/// the clock, and a town's last day is in the past, so more of its open dossiers are overdue than its truth knows. Nor
/// those of the files that [`Office::lean`] removes. The demo compares all.
fn is_compared(indicator: &str) -> bool {
    !indicator.starts_with("par-3.4.4") && !["nd224-online", "par-3.4.5-3"].contains(&indicator)
}

pub(crate) fn figures(rows: &[Value]) -> Figures {
    let word = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
    let mut figures = Figures::new();
    // The simulator computes some indicators; `reference` checks the others.
    let counted = |row: &&Value| {
        let known = simulator::TRUE_INDICATORS.iter().find(|known| row["indicator"] == ***known);
        known.is_some_and(|known| is_compared(known))
    };
    for row in rows.iter().filter(counted) {
        let scope = match (word(row, "agency"), row["tier"].as_str()) {
            (Some(agency), _) => TruthScope::Agency(agency),
            (None, Some("province")) => TruthScope::Tier("province"),
            (None, Some("district")) => TruthScope::Tier("district"),
            (None, Some("commune")) => TruthScope::Tier("commune"),
            (None, Some(other)) => panic!("`{other}` is not a tier"),
            (None, None) => TruthScope::Province,
        };
        let counts = ["numerator", "denominator", "unknown", "undecided"];
        let counts = counts.map(|name| row[name].as_u64().expect("these are ratios, with counts"));
        let [_, denominator, unknown, undecided] = counts;
        let has_ratio = denominator > unknown;
        assert_eq!(!row["ratio"].is_null(), has_ratio, "a ratio is null if there is nothing or nothing known: {row}");
        if denominator == 0 && undecided == 0 {
            continue;
        }
        let names = (word(row, "indicator").expect("named"), scope, word(row, "period").expect("named"));
        assert_eq!(figures.insert(names, counts), None, "a figure must be unique: {row}");
    }
    figures
}

/// Converts the simulator's true figures to [`Figures`].
pub(crate) fn true_figures(truth: &Truth) -> Figures {
    let named = |figure: &simulator::TruthFigure| {
        let names = (figure.indicator.to_owned(), figure.scope.clone(), figure.period.clone());
        (names, [figure.numerator, figure.denominator, figure.unknown, figure.undecided])
    };
    truth.figures.iter().filter(|figure| is_compared(figure.indicator)).map(named).collect()
}

/// Asserts that figures are equal; the message lists only the differences.
pub(crate) fn assert_same(found: &Figures, expected: &Figures, what: &str) {
    assert!(expected.len() > 100, "{what}: there are too few figures to compare");
    let names: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let different: Vec<String> = names
        .into_iter()
        .filter(|name| found.get(*name) != expected.get(*name))
        .map(|name| format!("{name:?}: {:?}, expected {:?}", found.get(name), expected.get(name)))
        .collect();
    let shown = different.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(different.is_empty(), "{what}: {} figures differ:\n{shown}", different.len());
}

/// Every file below a folder, with relative paths, sorted; empty if the folder does not exist.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                _ => found.push(entry.path()),
            }
        }
    }
    let mut relative: Vec<PathBuf> =
        found.iter().map(|path| path.strip_prefix(folder).expect("found below it").to_owned()).collect();
    relative.sort();
    relative
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let (source, target) = (from.join(&file), to.join(&file));
        std::fs::create_dir_all(target.parent().expect("a file has a folder")).expect("the scratch folder is writable");
        match std::fs::read_link(&source) {
            Ok(link) => std::os::unix::fs::symlink(link, target).expect("links can be made"),
            Err(_) => drop(std::fs::copy(source, target).expect("files can be copied")),
        }
    }
}

/// Runs `act` on a thread with a large stack, for the deep recursion of Polars.
pub(crate) fn deep<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(64 << 20);
        let joined = thread.spawn_scoped(scope, act).expect("threads start").join();
        joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
