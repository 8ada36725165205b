//! `motcua.toml`: the province, the folders and which connectors are off.
#![expect(clippy::disallowed_methods, reason = "edge: the settings file is read here")]

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
    })
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
