//! Reads the configuration: settings, connectors, registries, calendar, indicators, rule sets and forms.
//!
//! Everything is read and checked before a verb acts. All mistakes are reported at once, each with file, line and key. A
//! mistake in one connector costs that connector only where a verb can do without it ([`load_readable`]).

mod connector_digest;
mod connector_folders;
mod connectors;
mod decode_checks;
mod definition_texts;
mod definitions;
mod document;
mod effect_checks;
mod environment;
mod forms;
mod http_checks;
mod indicator_checks;
mod page_settings;
mod partial_checks;
mod predicate_check;
mod problem;
mod record_checks;
mod registries;
mod registry_checks;
mod server_checks;
mod service_settings;
mod settings;
mod template_checks;
#[cfg(test)]
mod test_connectors;
mod value_checks;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub use connector_folders::MistakenConnector;
pub use definitions::{definition_digest, period_end_problem};
pub use page_settings::PageSettings;
pub use problem::{Problem, Problems};
pub use registries::Registries;
pub use service_settings::{PublicPart, ServiceSettings};
pub use settings::{
    Alerts, DossierSettings, NightSettings, Postgres, Province, RetentionSettings, Settings, language_of,
};

use crate::config::definition_texts::DefinitionTexts;
use crate::model::connector::Connector;
use crate::model::indicator::IndicatorDefinition;
use crate::model::procedure_names::ProcedureNames;
use crate::model::rules::RuleSet;
use crate::model::source_order::SourceOrder;
use crate::model::table::RecordKind;
use crate::model::values::PlaceholderValues;

/// The complete configuration.
#[derive(Debug, Clone)]
pub struct Configuration {
    pub settings: Settings,
    /// Sorted by name.
    pub connectors: Vec<Connector>,
    /// Connectors with mistakes, sorted by name; empty unless [`load_readable`] read the configuration.
    pub mistaken: Vec<MistakenConnector>,
    pub values: PlaceholderValues,
    pub registries: Registries,
    pub indicators: Vec<DefinedIndicator>,
    pub rules: BTreeMap<String, RuleSet>,
    /// Official forms by id.
    pub forms: BTreeMap<String, crate::model::report_form::FormTemplate>,
    /// Text of every file that defines figures, by name (`rules/seed-2639.toml`). Each night stores them by digest.
    pub definition_texts: BTreeMap<String, String>,
    /// Which source's row counts if several hold one dossier; `None` for a night of an older motcua, which counted each.
    pub source_order: Option<SourceOrder>,
}

/// Name under which the order of sources is stored with a night.
const SOURCE_ORDER: &str = "source_order";

/// An indicator with the digest of its definition and rule set.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinedIndicator {
    pub definition: IndicatorDefinition,
    /// See [`definition_digest`].
    pub digest: String,
}

impl Configuration {
    /// Finds a connector by name.
    #[must_use]
    pub fn connector(&self, name: &str) -> Option<&Connector> {
        self.connectors.iter().find(|connector| connector.name == name)
    }

    /// Finds a connector with mistakes by name.
    #[must_use]
    pub fn mistaken(&self, name: &str) -> Option<&MistakenConnector> {
        self.mistaken.iter().find(|connector| connector.name == name)
    }

    /// The connectors that are not read because of their mistakes: those that are not disabled.
    pub fn not_read(&self) -> impl Iterator<Item = &MistakenConnector> {
        let disabled = &self.settings.disabled_connectors;
        self.mistaken.iter().filter(|connector| !disabled.contains(&connector.name))
    }

    /// Whether the office has no connector yet, not even one with mistakes.
    #[must_use]
    pub fn has_no_connector(&self) -> bool {
        self.connectors.is_empty() && self.mistaken.is_empty()
    }

    /// The mistakes in all connectors.
    #[must_use]
    pub fn all_problems(&self) -> Problems {
        let mut problems = Problems::default();
        for connector in &self.mistaken {
            problems.extend(&connector.problems);
        }
        problems
    }

    /// Adds the connector of a folder that lies elsewhere, in place of one with its name, and returns the name.
    ///
    /// # Errors
    /// All mistakes in its file; that it cannot be read.
    pub fn add_connector(&mut self, folder: &Path) -> Result<String, Problems> {
        let names = Arc::new(ProcedureNames::of(&self.registries.procedures));
        let root = folder.parent().unwrap_or(folder);
        let connector = connector_folders::read(folder)
            .and_then(|connector| connector_folders::with_names(connector, &names, root))
            .map_err(|mistaken| mistaken.problems)?;
        let name = connector.name.clone();
        self.connectors.retain(|known| known.name != name);
        self.mistaken.retain(|known| known.name != name);
        self.connectors.push(connector);
        self.values = environment::values_of(&self.settings, &self.connectors);
        Ok(name)
    }
}

/// Reads `motcua.toml` and all files that it refers to.
///
/// # Errors
/// All mistakes in all files.
pub fn load(file: &Path) -> Result<Configuration, Problems> {
    let config = load_readable(file)?;
    let mut problems = config.all_problems();
    if config.has_no_connector() {
        problems.add(
            &config.settings.connectors,
            0,
            "folders.connectors",
            "contains no folder with a `connector.toml`",
        );
    }
    problems.into_result(config)
}

/// Like [`load`], but a mistake in a connector costs that connector only: it is among `mistaken`, and the others are read.
/// There may be no connector at all.
///
/// # Errors
/// All mistakes in all files, if there is one in another file than those of connectors.
pub fn load_readable(file: &Path) -> Result<Configuration, Problems> {
    let mut problems = Problems::default();
    let mut used_texts = BTreeMap::new();
    let Some(settings) = settings::load(file, &mut problems) else { return Err(problems) };
    let mut folders = connector_folders::load(&settings, &mut problems);
    let Definitions { registries, rules, indicators, forms } =
        read_definitions(&settings, &DefinitionTexts::OnDisk, &mut used_texts, &mut problems);
    if problems.is_empty() {
        settings.pages.check(&settings.file, &indicators, &mut problems);
    }
    connector_folders::name_procedures(&mut folders, &registries.procedures, &settings.connectors);
    let connector_folders::Connectors { sound: connectors, mistaken } = folders;
    let values = environment::values_of(&settings, &connectors);
    for connector in &connectors {
        used_texts.insert(format!("connectors/{}/digest", connector.name), connector.file_digest.clone());
    }
    // Rows of a connector with mistakes still count, and in the order that they had before.
    let kinds = connectors.iter().map(|connector| (&connector.name, connector.file.connector.kind));
    let kinds = kinds.chain(mistaken.iter().map(|known| (&known.name, known.kind.unwrap_or(RecordKind::Dossiers))));
    let dossiers = kinds.filter(|(_, kind)| *kind == RecordKind::Dossiers).map(|(name, _)| name.as_str());
    let source_order = SourceOrder::new(settings.dossiers.source_order.clone()).over(dossiers);
    used_texts.insert(SOURCE_ORDER.to_owned(), source_order.to_text());
    if !problems.is_empty() {
        for connector in &mistaken {
            problems.extend(&connector.problems);
        }
    }
    problems.into_result(Configuration {
        source_order: Some(source_order),
        settings,
        connectors,
        mistaken,
        values,
        registries,
        indicators,
        rules,
        forms,
        definition_texts: used_texts,
    })
}

/// The files that define figures.
struct Definitions {
    registries: Registries,
    rules: BTreeMap<String, RuleSet>,
    indicators: Vec<DefinedIndicator>,
    forms: BTreeMap<String, crate::model::report_form::FormTemplate>,
}

fn read_definitions(
    settings: &Settings,
    texts: &DefinitionTexts<'_>,
    used_texts: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) -> Definitions {
    let registries = registries::load(settings, texts, used_texts, problems);
    let rules = definitions::load_rules(settings, texts, used_texts, problems);
    let indicators = definitions::load_indicators(settings, texts, &rules, used_texts, problems);
    let forms = forms::load(settings, texts, rules.ids.as_ref(), used_texts, problems);
    Definitions { registries, rules: rules.by_id, indicators, forms }
}

impl Configuration {
    /// This configuration with the indicators, rule sets, registries, calendar and forms that a past night stored (text
    /// by name).
    ///
    /// # Errors
    /// All mistakes that this version of motcua finds in them.
    pub fn of_night(&self, stored: &BTreeMap<String, String>) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut used_texts = BTreeMap::new();
        let source_order = stored.get(SOURCE_ORDER).map(|text| SourceOrder::from_text(text));
        used_texts.extend(source_order.iter().map(|order| (SOURCE_ORDER.to_owned(), order.to_text())));
        let Definitions { registries, rules, indicators, forms } =
            read_definitions(&self.settings, &DefinitionTexts::Stored(stored), &mut used_texts, &mut problems);
        problems.into_result(Self {
            registries,
            indicators,
            rules,
            forms,
            definition_texts: used_texts,
            source_order,
            ..self.clone()
        })
    }
}

/// Reads a connector from its text alone, for the conformance tests and the benches.
///
/// # Errors
/// All mistakes in the text.
pub fn connector_from_text(name: &str, file: &Path, text: &str) -> Result<Connector, Problems> {
    let mut problems = Problems::default();
    match connectors::parse(name, file, text, &mut problems) {
        Some(connector) => problems.into_result(connector),
        None => Err(problems),
    }
}
