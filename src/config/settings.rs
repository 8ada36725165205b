//! Reads `motcua.toml`: province, folders, registries, worklists, pages, alerts, PostgreSQL. `[service]` is in
//! `service_settings`.
#![expect(clippy::disallowed_methods, reason = "edge: the settings file is read here")]

use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::document::Document;
use crate::config::page_settings::PageSettings;
use crate::config::problem::Problems;
use crate::config::service_settings::{ServiceSettings, ServiceTable};
use crate::model::reporting_zone::{ReportingZone, USUAL_ZONE};
use crate::model::worklist::WorklistSettings;

/// The content of `motcua.toml`. Paths are relative to the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    /// Language of the command line; `None`: that of the system. See [`language_of`].
    #[serde(default)]
    #[schemars(regex(pattern = r"^(vi|en)$"))]
    language: Option<String>,
    province: Province,
    #[serde(default)]
    folders: Folders,
    #[serde(default)]
    registries: RegistryFiles,
    /// Names of connectors that are not run.
    #[serde(default)]
    disabled_connectors: Vec<String>,
    #[serde(default)]
    dossiers: DossierSettings,
    #[serde(default)]
    night: NightSettings,
    #[serde(default)]
    retention: RetentionSettings,
    #[serde(default)]
    worklists: WorklistSettings,
    #[serde(default)]
    pages: PageSettings,
    #[serde(default)]
    service: ServiceTable,
    #[serde(default)]
    alerts: Alerts,
    #[serde(default)]
    postgres: Option<Postgres>,
}

/// `[province]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Province {
    pub name: String,
    /// Province code of dossier and agency codes, for example `H61`.
    #[serde(default)]
    pub code: Option<String>,
    /// IANA time zone of days, periods and working time, and of times that a source writes without an offset. Its offset from UTC
    /// must be the same since 1990. A data folder has one zone.
    #[serde(default = "usual_zone")]
    pub zone: String,
}

impl Default for Province {
    fn default() -> Self {
        Self { name: String::new(), code: None, zone: usual_zone() }
    }
}

fn usual_zone() -> String {
    USUAL_ZONE.to_owned()
}

/// `[folders]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Folders {
    data: String,
    /// Folder of one connector, or a folder that contains such folders.
    connectors: String,
    indicators: String,
    rules: String,
    /// Templates of official forms; may be absent.
    forms: String,
    /// Group of the operating system, by name or number, that may read `lake/` and `published/` of the data folder. `None`: nobody
    /// but the owner of the data folder may read anything in it.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$"))]
    reader_group: Option<String>,
}

impl Default for Folders {
    fn default() -> Self {
        Self {
            data: "../data".to_owned(),
            connectors: "../connectors".to_owned(),
            indicators: "indicators".to_owned(),
            rules: "rules".to_owned(),
            forms: "forms".to_owned(),
            reader_group: None,
        }
    }
}

/// `[registries]`: each may be left out. Codes that are then unknown keep figures of their own.
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

/// `[dossiers]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DossierSettings {
    /// Connectors of dossiers, the one first whose row counts if several hold one dossier. Those that are not listed
    /// follow: portals by name, then the others by name.
    pub source_order: Vec<String>,
}

/// `[night]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NightSettings {
    /// Number of connectors that are read at the same time.
    #[schemars(range(min = 1, max = 64))]
    pub connectors_at_once: usize,
}

impl Default for NightSettings {
    fn default() -> Self {
        Self { connectors_at_once: 4 }
    }
}

/// `[retention]`: what `motcua serve` removes by itself, after the first night of each day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSettings {
    /// `false`: only `motcua vacuum` removes old files.
    pub by_itself: bool,
    /// Age in days at which the landed pages of a pull are removed, if nothing needs them.
    #[schemars(range(min = 1, max = 36500))]
    pub landing_days: u32,
    /// Age in days at which the figures of a night are removed, if the versions of figures give them again.
    #[schemars(range(min = 1, max = 36500))]
    pub night_days: u32,
    /// Time in days that readers of a table have to finish: its replaced files are removed afterwards.
    #[schemars(range(min = 1, max = 7))]
    pub file_days: u32,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        // A night takes less than a megabyte: ten years of them are smaller than one copy of a large table.
        Self { by_itself: true, landing_days: 30, night_days: 3650, file_days: 7 }
    }
}

/// `[alerts]`: addresses that the service calls. Values may contain `{env:NAME}` and `{secret:NAME}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// Called after each night. A monitor notices a missing call, for example after a crash.
    pub heartbeat_url: Option<String>,
    /// Receives JSON when the state of a connector or of the publication changes, or when a target is newly missed.
    pub webhook_url: Option<String>,
}

/// `[postgres]`: a database that each night is published to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// `postgresql://user:password@host:5432/database`; may contain `{env:NAME}` and `{secret:NAME}`.
    pub url: String,
    /// Schema that only motcua uses.
    #[serde(default = "motcua")]
    #[schemars(regex(pattern = r"^[a-z_][a-z0-9_]{0,62}$"))]
    pub schema: String,
    /// Role that may read the published tables. It is created if the user may create roles. `None`: nothing is granted.
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
    /// Group that may read the tables and the published nights of the data folder.
    pub reader_group: Option<String>,
    pub agencies: Option<PathBuf>,
    pub successions: Option<PathBuf>,
    pub procedures: Option<PathBuf>,
    pub procedure_offers: Option<PathBuf>,
    pub sectors: Option<PathBuf>,
    pub calendar: Option<PathBuf>,
    pub disabled_connectors: Vec<String>,
    pub dossiers: DossierSettings,
    pub night: NightSettings,
    pub retention: RetentionSettings,
    pub worklists: WorklistSettings,
    pub pages: PageSettings,
    pub service: ServiceSettings,
    pub alerts: Alerts,
    pub postgres: Option<Postgres>,
}

impl Settings {
    /// Texts that may contain placeholders.
    pub(crate) fn templates(&self) -> Vec<&str> {
        let alerts = [&self.alerts.heartbeat_url, &self.alerts.webhook_url];
        let urls = alerts.into_iter().flatten().map(String::as_str);
        urls.chain(self.postgres.as_ref().map(|postgres| postgres.url.as_str())).collect()
    }
}

pub(crate) fn load(file: &Path, problems: &mut Problems) -> Option<Settings> {
    let text = read(file, problems)?;
    let document = Document::parse(file, &text, problems)?;
    // Despite a mistake the rest is still read, so that the mistakes of all files are reported at once.
    let read: SettingsFile = document.read(file, problems).unwrap_or_else(|| SettingsFile {
        language: None,
        province: document.part("province").unwrap_or_default(),
        folders: document.part("folders").unwrap_or_default(),
        registries: document.part("registries").unwrap_or_default(),
        disabled_connectors: Vec::new(),
        dossiers: document.part("dossiers").unwrap_or_default(),
        night: document.part("night").unwrap_or_default(),
        retention: document.part("retention").unwrap_or_default(),
        worklists: document.part("worklists").unwrap_or_default(),
        pages: document.part("pages").unwrap_or_default(),
        service: document.part("service").unwrap_or_default(),
        alerts: document.part("alerts").unwrap_or_default(),
        postgres: document.part("postgres"),
    });
    // Everything that is read after the settings may have times.
    if let Err(message) = ReportingZone::named(&read.province.zone).and_then(ReportingZone::fix) {
        problems.add(file, document.line("/province/zone"), "province.zone", message);
    }
    let base = file.parent().unwrap_or(Path::new(".")).to_owned();
    let at = |path: &String| normalized(&base.join(path));
    let registry = |path: &Option<String>| path.as_ref().map(at);
    Some(Settings {
        file: file.to_owned(),
        data: at(&read.folders.data),
        connectors: at(&read.folders.connectors),
        indicators: at(&read.folders.indicators),
        rules: at(&read.folders.rules),
        forms: at(&read.folders.forms),
        reader_group: read.folders.reader_group,
        agencies: registry(&read.registries.agencies),
        successions: registry(&read.registries.successions),
        procedures: registry(&read.registries.procedures),
        procedure_offers: registry(&read.registries.procedure_offers),
        sectors: registry(&read.registries.sectors),
        calendar: registry(&read.registries.calendar),
        province: read.province,
        disabled_connectors: read.disabled_connectors,
        dossiers: read.dossiers,
        night: read.night,
        retention: read.retention,
        worklists: read.worklists,
        pages: read.pages,
        service: read.service.resolved(file, &document, &at, problems),
        alerts: read.alerts,
        postgres: read.postgres,
    })
}

/// The language that a settings file names, whatever else is wrong in it: mistakes are reported in this language. `None`
/// if the file names none or cannot be parsed.
#[must_use]
pub fn language_of(file: &Path) -> Option<String> {
    // A pipe can be read once only.
    let text = file.is_file().then(|| std::fs::read_to_string(file).ok())??;
    let table: toml::Table = text.parse().ok()?;
    table.get("language")?.as_str().map(str::to_owned)
}

/// The path without `.`, and without `..` after a folder name.
fn normalized(path: &Path) -> PathBuf {
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

/// Reads a file. A failure is reported as a problem with a hint.
pub(crate) fn read(file: &Path, problems: &mut Problems) -> Option<String> {
    match std::fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) => {
            problems.add(
                file,
                0,
                "",
                format!("cannot be read: {error}; hint: `motcua init` writes a configuration to start from"),
            );
            None
        }
    }
}

/// The files of a folder with an extension, sorted. A folder that cannot be read is reported as a problem.
pub(crate) fn files_of(folder: &Path, extension: &str, problems: &mut Problems) -> Vec<PathBuf> {
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            let mut files: Vec<PathBuf> = entries
                .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                .filter(|path| path.extension().is_some_and(|found| found == extension))
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
