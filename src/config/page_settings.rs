//! `[pages]`: what the pages show first.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::problem::Problems;
use crate::config::{Configuration, DefinedIndicator};

/// Indicators that the pages show first if the settings name none: results on time at each tier, online, by post, and
/// feedback. Those that an office does not have are left out.
const USUAL_HEADLINES: [&str; 6] = ["par-3.4.1", "par-3.4.2", "par-3.4.3", "par-7.2.2", "par-7.3.1", "par-3.5.2"];
/// Most indicators of which there is one card each.
const MOST_HEADLINES: usize = 8;

/// `[pages]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PageSettings {
    /// Identifiers of the indicators that the pages show first, in this order, at most eight.
    #[schemars(length(max = 8))]
    pub headline_indicators: Vec<String>,
}

impl PageSettings {
    /// Reports names that no indicator has.
    pub(super) fn check(&self, file: &Path, indicators: &[DefinedIndicator], problems: &mut Problems) {
        for id in &self.headline_indicators {
            if indicators.iter().all(|known| known.definition.id != *id) {
                let known: Vec<&str> = indicators.iter().map(|known| known.definition.id.as_str()).collect();
                let message = format!("there is no indicator `{id}`; there are: {}", known.join(", "));
                problems.add(file, 0, "pages.headline_indicators", message);
            }
        }
    }
}

impl Configuration {
    /// The indicators that the pages show first, in their order: those of the settings, else the usual ones that the office
    /// has, else its first ones with a target.
    #[must_use]
    pub fn headline_indicators(&self) -> Vec<&DefinedIndicator> {
        let named = |id: &str| self.indicators.iter().find(|known| known.definition.id == id);
        let chosen = &self.settings.pages.headline_indicators;
        let mut found: Vec<&DefinedIndicator> = chosen.iter().filter_map(|id| named(id)).collect();
        if found.is_empty() {
            found = USUAL_HEADLINES.iter().filter_map(|id| named(id)).collect();
        }
        if found.is_empty() {
            let with_target = self.indicators.iter().filter(|known| known.definition.target.is_some());
            found = with_target.take(USUAL_HEADLINES.len()).collect();
        }
        found.truncate(MOST_HEADLINES);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Configuration {
        crate::config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml"))
            .unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn headlines_are_those_of_the_settings_in_their_order() {
        let mut config = shipped();
        let ids = |config: &Configuration| -> Vec<String> {
            config.headline_indicators().iter().map(|known| known.definition.id.clone()).collect()
        };
        assert_eq!(ids(&config), USUAL_HEADLINES);
        config.settings.pages.headline_indicators = vec!["par-7.2.2".to_owned(), "par-3.4.1".to_owned()];
        assert_eq!(ids(&config), ["par-7.2.2", "par-3.4.1"]);
        config.settings.pages.headline_indicators.clear();
        config.indicators.retain(|known| !USUAL_HEADLINES.contains(&known.definition.id.as_str()));
        assert_eq!(ids(&config).len(), 6, "the first ones with a target");
    }

    #[test]
    fn an_unknown_headline_is_named_with_what_there_is() {
        let config = shipped();
        let settings = PageSettings { headline_indicators: vec!["par-3.4.1".to_owned(), "par-9".to_owned()] };
        let mut problems = Problems::default();
        settings.check(Path::new("motcua.toml"), &config.indicators, &mut problems);
        let text = problems.to_string();
        assert_eq!(problems.as_slice().len(), 1, "{text}");
        assert!(text.contains("there is no indicator `par-9`; there are: "), "{text}");
    }
}
