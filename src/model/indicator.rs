//! Indicators as data: the tables of `config/indicators/*.toml`. The rule sets that they name stand in
//! [`rules`](crate::model::rules).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One file of indicators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorFile {
    pub indicator: Vec<Definition>,
}

/// `[[indicator]]`: what is counted, over what, and the article that asks for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub id: String,
    pub kind: IndicatorKind,
    pub title: Title,
    pub legal: Legal,
    /// Tài liệu kiểm chứng.
    #[serde(default)]
    pub evidence: Option<String>,
    /// Cơ quan chủ trì.
    #[serde(default)]
    pub lead_agency: Option<String>,
    /// What is counted: dossiers, feedback, or what the registries hold.
    #[serde(default)]
    pub over: Over,
    /// SQL over the registry's columns, where procedures or agencies are counted: which of them make the whole.
    #[serde(default)]
    pub registry: Option<String>,
    /// SQL over the registry's columns: which of the whole are the part, where no dossier decides it.
    #[serde(default)]
    pub registry_part: Option<String>,
    /// Over agencies: in how many working days before the period's end, or before now, the latest dossier must lie.
    #[serde(default)]
    pub within_working_days: Option<u32>,
    /// What a mean or a median is of.
    #[serde(default)]
    pub of: Option<Amount>,
    /// Identifier of the rule set that gives the states of a dossier.
    pub rules: String,
    /// SQL over the fact columns: which dossiers the indicator speaks of.
    pub population: String,
    /// Whose date files a dossier under a period.
    pub period: PeriodColumn,
    /// SQL: which dossiers of the denominator count.
    pub numerator: String,
    /// SQL: which dossiers of the population are the whole. A count has none.
    #[serde(default)]
    pub denominator: Option<String>,
    /// SQL over the fact columns: only dossiers of procedures that have, province-wide and in the calendar
    /// year, at least one dossier of the population for which it holds ("có phát sinh").
    #[serde(default)]
    pub having: Option<String>,
    #[serde(default)]
    pub target: Option<Target>,
    /// Which way is better, for ranks.
    #[serde(default)]
    pub better: Better,
    /// What the law leaves open and how it is read here.
    #[serde(default)]
    pub note: Option<String>,
    /// The same in Vietnamese, for the pages.
    #[serde(default)]
    pub note_vi: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndicatorKind {
    #[default]
    Ratio,
    Count,
    /// An amount per dossier: its sum over the numerator's dossiers, and how many they are.
    Mean,
    /// The amount for which at least half of the numerator's dossiers took no more, and how many they are.
    Median,
    /// How many dossiers of the numerator there were at the end of the period, whenever they were received.
    Stock,
}

impl IndicatorKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ratio => "ratio",
            Self::Count => "count",
            Self::Mean => "mean",
            Self::Median => "median",
            Self::Stock => "stock",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ratio, Self::Count, Self::Mean, Self::Median, Self::Stock].into_iter().find(|kind| kind.name() == name)
    }
}

/// An amount that a dossier has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// Working hours from reception to the rule set's end, begun ones not counted; eight are a working day.
    ProcessingHours,
}

/// What an indicator counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    #[default]
    Dossiers,
    /// Procedures offered on any day of the period; the numerator: those with at least one dossier of the period for which
    /// it holds. A count is of the offered ones alone; with `registry_part` the registry decides the numerator too.
    Procedures,
    /// Agencies that stand on any day of the period; the numerator: those with at least one dossier for which it holds in
    /// the last `within_working_days` before its end.
    Agencies,
    /// Phản ánh, kiến nghị: each by what is known of it at the night's moment, whatever the period.
    Feedback,
    /// Counts that somebody stated for an agency or the province in a period: their own numerator and denominator.
    Measures,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    #[default]
    Higher,
    Lower,
}

/// Vietnamese first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Title {
    pub vi: String,
    pub en: String,
}

/// The article behind a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Legal {
    pub document: String,
    pub place: String,
    /// In force from, `yyyy-MM-dd`.
    pub from: String,
}

/// What must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Share between 0 and 1, or a number for a count; four decimals count.
    pub at_least: f64,
}

/// The date that files a dossier under a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeriodColumn {
    /// Day of reception (ngày tiếp nhận).
    ReceivedAt,
    /// Day on which the result was returned, by portal or post.
    ReturnedAt,
    /// Day of the end by the rule set.
    EndedAt,
    /// The period that a measure names itself.
    Stated,
}

impl PeriodColumn {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReceivedAt => "received_at",
            Self::ReturnedAt => "returned_at",
            Self::EndedAt => "ended_at",
            Self::Stated => "stated",
        }
    }
}

impl Definition {
    /// Whether the registries alone decide it, so that no dossier is asked.
    #[must_use]
    pub fn is_of_registry(&self) -> bool {
        matches!(self.over, Over::Procedures | Over::Agencies)
            && (self.kind == IndicatorKind::Count || self.registry_part.is_some())
    }
}

impl Over {
    /// Each of what it counts stands in one agency and one period, so that its figures are sums.
    #[must_use]
    pub fn is_additive(self) -> bool {
        matches!(self, Self::Dossiers | Self::Feedback)
    }
}
