//! The agency registry: who they are, under which names, and when.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of body an agency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgencyKind {
    /// Cơ quan chuyên môn thuộc UBND cấp tỉnh.
    Specialised,
    /// Trung tâm Phục vụ hành chính công.
    ServiceCentre,
    District,
    Commune,
    Other,
}

impl AgencyKind {
    pub const ALL: [Self; 5] = [Self::Specialised, Self::ServiceCentre, Self::District, Self::Commune, Self::Other];
    /// The words for them, in the same order.
    pub const NAMES: [&str; 5] = [
        Self::Specialised.name(),
        Self::ServiceCentre.name(),
        Self::District.name(),
        Self::Commune.name(),
        Self::Other.name(),
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Specialised => "specialised",
            Self::ServiceCentre => "service_centre",
            Self::District => "district",
            Self::Commune => "commune",
            Self::Other => "other",
        }
    }
}

/// Cấp hành chính. The district tier ended on 2025-06-30.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Province,
    District,
    Commune,
}

impl Tier {
    pub const ALL: [Self; 3] = [Self::Province, Self::District, Self::Commune];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::District => "district",
            Self::Commune => "commune",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }
}

/// One row of `agencies.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    pub code: String,
    pub other_codes: Vec<String>,
    pub name: String,
    pub aliases: Vec<String>,
    pub kind: AgencyKind,
    pub tier: Tier,
    /// Ngành dọc: a central body's local branch, outside the province's indicators.
    pub vertical: bool,
    pub parent: Option<String>,
    pub valid_from: Option<Date>,
    /// Last day, inclusive.
    pub valid_to: Option<Date>,
}

/// One row of `successions.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    pub from: String,
    pub to: String,
    pub date: Date,
    pub document: String,
}
