//! `motcua.toml`: the province, the folders and which connectors are off.
#![expect(clippy::disallowed_methods, reason = "edge: the settings file is read here")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::document::Document;
use crate::config::problem::Problems;

/// `motcua.toml`, whole. Paths are relative to the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    province: Province,
    #[serde(default)]
    folders: Folders,
    #[serde(default)]
    registries: RegistryFiles,
    /// Connectors that are not run.
    #[serde(default)]
    disabled_connectors: Vec<String>,
    #[serde(default)]
    night: NightSettings,
    #[serde(default)]
    service: ServiceTable,
    #[serde(default)]
    alerts: Alerts,
    #[serde(default)]
    postgres: Option<Postgres>,
}

/// `[province]`: whose figures these are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Province {
    pub name: String,
    /// Province code of dossier and agency codes, for example `H61`.
    #[serde(default)]
    pub code: Option<String>,
}

/// `[folders]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Folders {
    data: String,
    /// A connector's folder, or a folder of such.
    connectors: String,
    indicators: String,
    rules: String,
    /// Templates of official forms; may be absent.
    forms: String,
}

impl Default for Folders {
    fn default() -> Self {
        Self {
            data: "../data".to_owned(),
            connectors: "../connectors".to_owned(),
            indicators: "indicators".to_owned(),
            rules: "rules".to_owned(),
            forms: "forms".to_owned(),
        }
    }
}

/// `[registries]`: each may be left out; what is unknown then keeps its own row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RegistryFiles {
    agencies: Option<String>,
    successions: Option<String>,
    procedures: Option<String>,
    procedure_offers: Option<String>,
    sectors: Option<String>,
    calendar: Option<String>,
}

/// `[night]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NightSettings {
    /// Sources that are read side by side.
    #[schemars(range(min = 1, max = 64))]
    pub connectors_at_once: usize,
}

impl Default for NightSettings {
    fn default() -> Self {
        Self { connectors_at_once: 4 }
    }
}

/// Where it listens if nothing else is said.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8686);

/// `[service]`: what `serve` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ServiceTable {
    listen: String,
    public: Vec<PublicPart>,
    tls_certificate: Option<String>,
    tls_key: Option<String>,
    behind_proxy: bool,
    #[schemars(range(min = 1, max = 720))]
    session_hours: u32,
    #[schemars(range(min = 0, max = 3600))]
    stop_within_secs: u64,
}

impl Default for ServiceTable {
    fn default() -> Self {
        Self {
            listen: LISTEN.to_string(),
            public: vec![PublicPart::Metrics],
            tls_certificate: None,
            tls_key: None,
            behind_proxy: false,
            session_hours: 12,
            stop_within_secs: 60,
        }
    }
}

/// What is answered without a token. Dossier codes, runs and quarantine never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublicPart {
    /// Figures, indicators and agencies: API and page.
    Figures,
    /// `/metrics`.
    Metrics,
}

/// `[service]` with its paths resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    pub listen: SocketAddr,
    pub public: Vec<PublicPart>,
    /// Certificate chain and key (PEM); both or none.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// People reach it through a proxy of this office, by HTTPS: who asks is the last address of `X-Forwarded-For`.
    pub behind_proxy: bool,
    pub session_hours: u32,
    /// How long a run under way may go on after `serve` was told to stop.
    pub stop_within_secs: u64,
}

/// `[alerts]`: who is told. Values are templates with `{env:NAME}` and `{secret:NAME}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// Is called after each night: whoever listens misses the call of a process that died.
    pub heartbeat_url: Option<String>,
    /// Is sent JSON when the state of a connector or of a publication changes, or a target is newly missed.
    pub webhook_url: Option<String>,
}

/// `[postgres]`: a database that each night is published to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// `postgresql://user:password@host:5432/database`; a template with `{env:NAME}` and `{secret:NAME}`.
    pub url: String,
    /// Schema that belongs to motcua alone.
    #[serde(default = "motcua")]
    #[schemars(regex(pattern = r"^[a-z_][a-z0-9_]{0,62}$"))]
    pub schema: String,
    /// Role that may read the published tables; made where the user may make roles. Absent: no role is granted anything.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-z_][a-z0-9_]{0,62}$"))]
    pub reader_role: Option<String>,
}

fn motcua() -> String {
    "motcua".to_owned()
}

/// Settings with their paths resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub file: PathBuf,
    pub province: Province,
    pub data: PathBuf,
    pub connectors: PathBuf,
    pub indicators: PathBuf,
    pub rules: PathBuf,
    pub forms: PathBuf,
    pub agencies: Option<PathBuf>,
    pub successions: Option<PathBuf>,
    pub procedures: Option<PathBuf>,
    pub procedure_offers: Option<PathBuf>,
    pub sectors: Option<PathBuf>,
    pub calendar: Option<PathBuf>,
    pub disabled_connectors: Vec<String>,
    pub night: NightSettings,
    pub service: ServiceSettings,
    pub alerts: Alerts,
    pub postgres: Option<Postgres>,
}

impl Settings {
    /// What names values of the environment.
    pub(crate) fn templates(&self) -> Vec<&str> {
        let alerts = [&self.alerts.heartbeat_url, &self.alerts.webhook_url];
        let urls = alerts.into_iter().flatten().map(String::as_str);
        urls.chain(self.postgres.as_ref().map(|postgres| postgres.url.as_str())).collect()
    }
}

pub(crate) fn load(file: &Path, problems: &mut Problems) -> Option<Settings> {
    let text = read(file, problems)?;
    let document = Document::parse(file, &text, problems)?;
    // With a mistake in it the rest is still read, so that the mistakes of all files are told at once.
    let read: SettingsFile = document.read(file, problems).unwrap_or_else(|| SettingsFile {
        province: document.part("province").unwrap_or_default(),
        folders: document.part("folders").unwrap_or_default(),
        registries: document.part("registries").unwrap_or_default(),
        disabled_connectors: Vec::new(),
        night: document.part("night").unwrap_or_default(),
        service: document.part("service").unwrap_or_default(),
        alerts: document.part("alerts").unwrap_or_default(),
        postgres: document.part("postgres"),
    });
    let base = file.parent().unwrap_or(Path::new(".")).to_owned();
    let at = |path: &String| plain(&base.join(path));
    let registry = |path: &Option<String>| path.as_ref().map(at);
    Some(Settings {
        file: file.to_owned(),
        data: at(&read.folders.data),
        connectors: at(&read.folders.connectors),
        indicators: at(&read.folders.indicators),
        rules: at(&read.folders.rules),
        forms: at(&read.folders.forms),
        agencies: registry(&read.registries.agencies),
        successions: registry(&read.registries.successions),
        procedures: registry(&read.registries.procedures),
        procedure_offers: registry(&read.registries.procedure_offers),
        sectors: registry(&read.registries.sectors),
        calendar: registry(&read.registries.calendar),
        province: read.province,
        disabled_connectors: read.disabled_connectors,
        night: read.night,
        service: service(file, read.service, &document, &at, problems),
        alerts: read.alerts,
        postgres: read.postgres,
    })
}

fn service(
    file: &Path,
    read: ServiceTable,
    document: &Document,
    at: &dyn Fn(&String) -> PathBuf,
    problems: &mut Problems,
) -> ServiceSettings {
    let tls = match (&read.tls_certificate, &read.tls_key) {
        (Some(certificate), Some(key)) => Some((at(certificate), at(key))),
        (None, None) => None,
        _ => {
            let message = "`tls_certificate` and `tls_key` go together: state both or none".to_owned();
            problems.add(file, document.line("/service"), "service", message);
            None
        }
    };
    let listen = read.listen.parse();
    if listen.is_err() {
        let message = format!("`{}` is no address with a port, for example `{LISTEN}`", read.listen);
        problems.add(file, document.line("/service/listen"), "service.listen", message);
    }
    ServiceSettings {
        listen: listen.unwrap_or(LISTEN),
        public: read.public,
        tls,
        behind_proxy: read.behind_proxy,
        session_hours: read.session_hours,
        stop_within_secs: read.stop_within_secs,
    }
}

/// The path without `.` and, where a folder stands before it, without `..`: as it is shown to people.
fn plain(path: &Path) -> PathBuf {
    let mut shown = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(shown.components().next_back(), Some(Component::Normal(_))) => {
                shown.pop();
            }
            other => shown.push(other),
        }
    }
    if shown.as_os_str().is_empty() { PathBuf::from(".") } else { shown }
}

/// Reads a file; a failure is a problem that says what to do.
pub(crate) fn read(file: &Path, problems: &mut Problems) -> Option<String> {
    match std::fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) => {
            problems.add(
                file,
                0,
                "",
                format!("cannot be read: {error}; `motcua init` writes a configuration to start from"),
            );
            None
        }
    }
}

/// The files of a folder with an ending, sorted; a folder that cannot be read is a problem.
pub(crate) fn files_of(folder: &Path, ending: &str, problems: &mut Problems) -> Vec<PathBuf> {
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            let mut files: Vec<PathBuf> = entries
                .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                .filter(|path| path.extension().is_some_and(|found| found == ending))
                .collect();
            files.sort();
            files
        }
        Err(error) => {
            problems.add(folder, 0, "", format!("cannot be listed: {error}"));
            Vec::new()
        }
    }
}
