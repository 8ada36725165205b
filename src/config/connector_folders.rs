//! Reads the folders of connectors. A mistake in one does not keep the others from being read.
#![expect(clippy::disallowed_methods, reason = "edge: connector folders are read here")]

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use crate::config::connectors::parse;
use crate::config::document::Document;
use crate::config::problem::Problems;
use crate::config::settings::{self, Settings};
use crate::model::connector::Connector;
use crate::model::procedure::Procedure;
use crate::model::procedure_names::ProcedureNames;
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

impl Connectors {
    /// Makes connectors of one name mistaken: their rows would be mixed. A folder is called by its own name, also where a
    /// link to it has another.
    fn refuse_equal_names(&mut self, root: &Path) {
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        let sound = self.sound.iter().map(|connector| connector.name.as_str());
        for name in sound.chain(self.mistaken.iter().map(|mistaken| mistaken.name.as_str())) {
            *names.entry(name).or_default() += 1;
        }
        let repeated: Vec<String> =
            names.into_iter().filter(|(_, folders)| *folders > 1).map(|(name, _)| name.to_owned()).collect();
        for name in repeated {
            let message =
                format!("several folders of connectors are called `{name}`, or are links to one: keep one of them");
            let kind = self.sound.iter().find(|known| known.name == name).map(|known| known.file.connector.kind);
            self.sound.retain(|known| known.name != name);
            self.mistaken.retain(|known| known.name != name);
            let problems = Problems::of(&root.join(&name), "", message);
            self.mistaken.push(MistakenConnector { name, kind, problems });
        }
    }
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
    connectors.refuse_equal_names(&settings.connectors);
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

/// Gives the connectors that are looked up by the names of procedures those of the registry. Without a registry such a
/// connector is mistaken: it would find nothing.
pub(super) fn name_procedures(connectors: &mut Connectors, procedures: &[Procedure], root: &Path) {
    let names = Arc::new(ProcedureNames::of(procedures));
    for connector in std::mem::take(&mut connectors.sound) {
        match with_names(connector, &names, root) {
            Ok(connector) => connectors.sound.push(connector),
            Err(mistaken) => connectors.mistaken.push(mistaken),
        }
    }
    connectors.mistaken.sort_by(|left, right| left.name.cmp(&right.name));
}

/// A connector with the names that it looks up.
pub(super) fn with_names(
    mut connector: Connector,
    names: &Arc<ProcedureNames>,
    root: &Path,
) -> Result<Connector, MistakenConnector> {
    if !connector.file.looks_up_procedures() {
        return Ok(connector);
    }
    if names.is_empty() {
        let file = root.join(&connector.name).join("connector.toml");
        let message = "names of procedures need the registry of procedures: `procedures` of `[registries]` in `motcua.toml` names \
                       none, or an empty one";
        let problems = Problems::of(&file, "lookup", message);
        let kind = Some(connector.file.connector.kind);
        return Err(MistakenConnector { name: connector.name, kind, problems });
    }
    connector.procedure_names = Arc::clone(names);
    Ok(connector)
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
    let entries: std::io::Result<Vec<_>> = std::fs::read_dir(root).and_then(Iterator::collect);
    match entries {
        Ok(entries) => entries.into_iter().map(|entry| entry.path()).filter(|path| has_connector(path)).collect(),
        Err(error) => {
            problems.add(root, 0, "folders.connectors", format!("cannot be listed: {error}"));
            Vec::new()
        }
    }
}

/// Whether a folder has a `connector.toml`, or may have one: a link that leads nowhere, or a folder that may not be looked
/// into, is a mistake of its connector and not its absence.
fn has_connector(folder: &Path) -> bool {
    match std::fs::symlink_metadata(folder.join("connector.toml")) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path) -> Vec<(String, String)> {
        let mut connectors = Connectors::default();
        for folder in folders(root, &mut Problems::default()) {
            match read(&folder) {
                Ok(connector) => connectors.sound.push(connector),
                Err(mistaken) => connectors.mistaken.push(mistaken),
            }
        }
        connectors.refuse_equal_names(root);
        let mistaken = connectors.mistaken.iter();
        mistaken.map(|mistaken| (mistaken.name.clone(), mistaken.problems.as_slice()[0].message.clone())).collect()
    }

    #[test]
    fn two_folders_of_one_name_are_one_mistake() {
        let root = tempfile::tempdir().expect("a scratch folder");
        let (here, elsewhere) = (root.path().join("connectors"), root.path().join("elsewhere"));
        for folder in [here.join("t"), elsewhere.join("t")] {
            std::fs::create_dir_all(&folder).expect("it is made");
            std::fs::write(folder.join("connector.toml"), "").expect("it is written");
        }
        std::os::unix::fs::symlink(elsewhere.join("t"), here.join("x")).expect("it is linked");
        let found = names(&here);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].0 == "t" && found[0].1.starts_with("several folders of connectors are called `t`"),
            "{found:?}"
        );
    }

    #[test]
    fn a_link_that_leads_nowhere_is_a_mistake_and_no_absence() {
        let root = tempfile::tempdir().expect("a scratch folder");
        std::fs::create_dir_all(root.path().join("t")).expect("it is made");
        std::fs::create_dir_all(root.path().join("no-connector")).expect("it is made");
        std::os::unix::fs::symlink("/nowhere/connector.toml", root.path().join("t/connector.toml")).expect("a link");
        let found = names(root.path());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, "t");
    }
}
