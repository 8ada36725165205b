//! The registry of agencies (cơ quan, đơn vị): codes, names, kinds, tiers, validity and successions.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr, VariantNames};

/// Kind of agency.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, EnumString, IntoStaticStr, VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AgencyKind {
    /// Specialised agency of the provincial People's Committee (cơ quan chuyên môn thuộc UBND cấp tỉnh).
    Specialised,
    /// Public administration service centre (Trung tâm Phục vụ hành chính công).
    ServiceCentre,
    District,
    Commune,
    Other,
}

impl AgencyKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it is, in Vietnamese and English.
    #[must_use]
    pub fn meaning(self) -> [&'static str; 2] {
        match self {
            Self::Specialised => ["Cơ quan chuyên môn cấp tỉnh", "Provincial department"],
            Self::ServiceCentre => ["Trung tâm Phục vụ hành chính công", "Public administration service centre"],
            Self::District => ["UBND cấp huyện", "District"],
            Self::Commune => ["UBND cấp xã", "Commune"],
            Self::Other => ["Cơ quan khác", "Other agency"],
        }
    }
}

/// Administrative tier (cấp hành chính). The district tier ended on 2025-06-30.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    EnumIter,
    EnumString,
    IntoStaticStr,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Tier {
    Province,
    District,
    Commune,
}

impl Tier {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Its name in Vietnamese and English.
    #[must_use]
    pub fn meaning(self) -> [&'static str; 2] {
        match self {
            Self::Province => ["Cấp tỉnh", "Province level"],
            Self::District => ["Cấp huyện", "District level"],
            Self::Commune => ["Cấp xã", "Commune level"],
        }
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
    /// Local branch of a central body (ngành dọc); the province's indicators leave it out.
    pub vertical: bool,
    /// Code of the agency above it.
    pub parent: Option<String>,
    /// First day; `None` if the agency is valid from the beginning of the data.
    pub valid_from: Option<Date>,
    /// Last day, inclusive; `None` if the agency still exists.
    pub valid_to: Option<Date>,
}

/// One row of `successions.csv`: an agency's tasks passed to another. An agency that was split has several rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    pub from: String,
    pub to: String,
    /// First day of the successor.
    pub date: Date,
    /// Number of the document that ordered it.
    pub document: String,
}
