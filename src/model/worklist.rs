//! The settings of worklists.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[worklists]`: what is close, and what is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorklistSettings {
    /// Working days, from today's end, within which a dossier is due.
    #[schemars(range(min = 0, max = 60))]
    pub due_days: u32,
    /// Working hours for which a dossier submitted online may wait for acceptance.
    #[schemars(range(min = 1, max = 800))]
    pub acceptance_hours: u32,
    /// Working days for which a supplement may be waited for.
    #[schemars(range(min = 1, max = 250))]
    pub supplement_days: u32,
    /// Working days without a received dossier after which an agency is silent.
    #[schemars(range(min = 1, max = 250))]
    pub silent_days: u32,
}

impl Default for WorklistSettings {
    fn default() -> Self {
        Self { due_days: 3, acceptance_hours: 8, supplement_days: 10, silent_days: 10 }
    }
}

impl WorklistSettings {
    /// Each setting by its name.
    #[must_use]
    pub fn values(&self) -> [(&'static str, u32); 4] {
        [
            ("due_days", self.due_days),
            ("acceptance_hours", self.acceptance_hours),
            ("supplement_days", self.supplement_days),
            ("silent_days", self.silent_days),
        ]
    }
}
