//! Reads the configuration: settings, connectors, registries, calendar, indicators and rule sets.
//!
//! Everything is read and checked before anything acts; every mistake is reported at once, with its file,
//! its line and the name meant.

mod connectors;
mod definitions;
mod document;
mod environment;
mod forms;
mod problem;
mod registries;
mod settings;
mod texts;
mod web;
mod written;

use std::collections::BTreeMap;
use std::path::Path;

pub use definitions::definition_digest;
pub use problem::{Problem, Problems};
pub use registries::Registries;
pub use settings::{Alerts, NightSettings, Postgres, Province, PublicPart, ServiceSettings, Settings};

use crate::config::texts::Texts;
use crate::model::connector::Connector;
use crate::model::indicator::Definition;
use crate::model::rules::RuleSet;
use crate::model::values::Values;

/// Everything that a verb needs to know before it acts.
#[derive(Debug, Clone)]
pub struct Configuration {
    pub settings: Settings,
    /// In the order of their names.
    pub connectors: Vec<Connector>,
    pub values: Values,
    pub registries: Registries,
    pub indicators: Vec<Indicator>,
    pub rules: BTreeMap<String, RuleSet>,
    /// Official forms by their ids.
    pub forms: BTreeMap<String, crate::model::report_form::FormTemplate>,
    /// The text of every file that decides a figure, under its name: kept by digest with each night.
    pub sources: BTreeMap<String, String>,
}

/// An indicator with the digest of all that defines it: its own table and its rule set.
#[derive(Debug, Clone, PartialEq)]
pub struct Indicator {
    pub definition: Definition,
    /// First 16 hexadecimal digits of the SHA-256 of definition and rule set.
    pub digest: String,
}

impl Configuration {
    /// The connector of a name.
    #[must_use]
    pub fn connector(&self, name: &str) -> Option<&Connector> {
        self.connectors.iter().find(|connector| connector.name == name)
    }
}

/// Reads `motcua.toml` and all that it names.
///
/// # Errors
/// Every mistake of every file.
pub fn load(file: &Path) -> Result<Configuration, Problems> {
    let mut problems = Problems::default();
    let mut sources = BTreeMap::new();
    let Some(settings) = settings::load(file, &mut problems) else { return Err(problems) };
    let connectors = connectors::load(&settings, &mut problems);
    let Deciding { registries, rules, indicators, forms } =
        deciding(&settings, &Texts::OnDisk, &mut sources, &mut problems);
    let values = environment::values_of(&settings, &connectors);
    for connector in &connectors {
        sources.insert(format!("connectors/{}/digest", connector.name), connector.digest.clone());
    }
    problems.into_result(Configuration { settings, connectors, values, registries, indicators, rules, forms, sources })
}

/// What decides figures.
struct Deciding {
    registries: Registries,
    rules: BTreeMap<String, RuleSet>,
    indicators: Vec<Indicator>,
    forms: BTreeMap<String, crate::model::report_form::FormTemplate>,
}

fn deciding(
    settings: &Settings,
    texts: &Texts<'_>,
    sources: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) -> Deciding {
    let registries = registries::load(settings, texts, sources, problems);
    let rules = definitions::load_rules(settings, texts, sources, problems);
    let indicators = definitions::load_indicators(settings, texts, &rules, sources, problems);
    let forms = forms::load(settings, texts, rules.ids.as_ref(), sources, problems);
    Deciding { registries, rules: rules.by_id, indicators, forms }
}

impl Configuration {
    /// The same office with the indicators, rule sets, registries, calendar and forms that a past night kept, name → text.
    ///
    /// # Errors
    /// Every mistake that this version of motcua finds in them.
    pub fn of_night(&self, kept: &BTreeMap<String, String>) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut sources = BTreeMap::new();
        let Deciding { registries, rules, indicators, forms } =
            deciding(&self.settings, &Texts::Kept(kept), &mut sources, &mut problems);
        problems.into_result(Self { registries, indicators, rules, forms, sources, ..self.clone() })
    }
}

/// Compiles a connector from its text alone, as the conformance runner and the benches do.
///
/// # Errors
/// Every mistake in it.
pub fn connector_from_text(name: &str, file: &Path, text: &str) -> Result<Connector, Problems> {
    let mut problems = Problems::default();
    match connectors::parse(name, file, text, &mut problems) {
        Some(connector) => problems.into_result(connector),
        None => Err(problems),
    }
}
