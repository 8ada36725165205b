//! Reads the folders of connectors. A mistake in one does not keep the others from being read.
#![expect(clippy::disallowed_methods, reason = "edge: connector folders are read here")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::connectors::parse;
use crate::config::document::Document;
use crate::config::problem::Problems;
use crate::config::settings::{self, Settings};
use crate::model::connector::Connector;
use crate::model::table::RecordKind;

/// A connector whose `connector.toml` has mistakes. It is not read until they are corrected.
#[derive(Debug, Clone, PartialEq)]
pub struct MistakenConnector {
    /// Name of its folder.
    pub name: String,
    /// What it delivers; `None` if the file does not say so.
    pub kind: Option<RecordKind>,
    pub problems: Problems,
}

/// The connectors of an office, each list sorted by name.
#[derive(Debug, Default)]
pub(crate) struct Connectors {
    pub(crate) sound: Vec<Connector>,
    pub(crate) mistaken: Vec<MistakenConnector>,
}

/// Reads every connector. `problems` are those of the settings that name connectors; the mistakes in each connector are its
/// own.
pub(crate) fn load(settings: &Settings, problems: &mut Problems) -> Connectors {
    let mut connectors = Connectors::default();
    for folder in folders(&settings.connectors, problems) {
        match read(&folder) {
            Ok(connector) => connectors.sound.push(connector),
            Err(mistaken) => connectors.mistaken.push(mistaken),
        }
    }
    connectors.sound.sort_by(|left, right| left.name.cmp(&right.name));
    connectors.mistaken.sort_by(|left, right| left.name.cmp(&right.name));
    let Connectors { sound, mistaken } = &connectors;
    let is_mistaken = |name: &String| mistaken.iter().any(|known| known.name == *name);
    for name in &settings.disabled_connectors {
        if !is_mistaken(name) && !sound.iter().any(|connector| connector.name == *name) {
            problems.add(&settings.file, 0, "disabled_connectors", format!("there is no connector `{name}`"));
        }
    }
    let known = sound.iter().map(|known| (known.name.as_str(), Some(known.file.connector.kind)));
    let known: BTreeMap<_, _> = known.chain(mistaken.iter().map(|known| (known.name.as_str(), known.kind))).collect();
    check_source_order(&settings.dossiers.source_order, &known, settings, problems);
    connectors
}

/// The connector of a folder, whose name is its own.
pub(super) fn read(folder: &Path) -> Result<Connector, MistakenConnector> {
    let file = folder.join("connector.toml");
    let path = folder.canonicalize().ok();
    let name = path.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned())).unwrap_or_default();
    let mut problems = Problems::default();
    let text = settings::read(&file, &mut problems);
    let connector = text.as_ref().and_then(|text| parse(&name, &file, text, &mut problems));
    match (connector, problems.is_empty()) {
        (Some(connector), true) => Ok(connector),
        (connector, _) => {
            let of_rest = || kind_of(&file, text.as_deref()?);
            let kind = connector.map(|connector| connector.file.connector.kind).or_else(of_rest);
            Err(MistakenConnector { name, kind, problems: problems.sorted() })
        }
    }
}

/// The kind that a file declares, even if the rest cannot be read.
fn kind_of(file: &Path, text: &str) -> Option<RecordKind> {
    /// The one key that is looked for.
    #[derive(Deserialize)]
    struct Kind {
        kind: RecordKind,
    }
    Some(Document::parse(file, text, &mut Problems::default())?.part::<Kind>("connector")?.kind)
}

/// Each name is that of a connector of dossiers, and stands once. `known`: kinds by name, `None` for one that is not known.
fn check_source_order(
    order: &[String],
    known: &BTreeMap<&str, Option<RecordKind>>,
    settings: &Settings,
    problems: &mut Problems,
) {
    for (place, name) in order.iter().enumerate() {
        let message = match known.get(name.as_str()) {
            None => format!("there is no connector `{name}`"),
            Some(Some(RecordKind::Dossiers)) if order[..place].contains(name) => format!("`{name}` is named twice"),
            Some(None | Some(RecordKind::Dossiers)) => continue,
            Some(Some(kind)) => format!("connector `{name}` delivers {}, not dossiers", kind.image_name()),
        };
        problems.add(&settings.file, 0, "dossiers.source_order", message);
    }
}

/// The folder itself if it contains a `connector.toml`, else its subfolders that do.
fn folders(root: &Path, problems: &mut Problems) -> Vec<PathBuf> {
    if root.join("connector.toml").is_file() {
        return vec![root.to_owned()];
    }
    match std::fs::read_dir(root) {
        Ok(entries) => entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.join("connector.toml").is_file())
            .collect(),
        Err(error) => {
            problems.add(root, 0, "folders.connectors", format!("cannot be listed: {error}"));
            Vec::new()
        }
    }
}
