//! Definitions of indicators (chỉ số, tiêu chí): the tables of `config/indicators/*.toml`.
//!
//! A definition names its rule set ([`rules`](crate::model::rules)). `config` reads it and adds the digest of both.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// One file of indicator definitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorFile {
    pub indicator: Vec<IndicatorDefinition>,
}

/// `[[indicator]]`: what is counted, over which population, and the article that requires it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorDefinition {
    pub id: String,
    pub kind: IndicatorKind,
    pub title: Title,
    pub legal: Legal,
    /// Document that proves the figure (tài liệu kiểm chứng).
    #[serde(default)]
    pub evidence: Option<String>,
    /// Agency responsible for the indicator (cơ quan chủ trì).
    #[serde(default)]
    pub lead_agency: Option<String>,
    /// What is counted.
    #[serde(default)]
    pub over: CountedUnit,
    /// SQL condition over the registry's columns, if procedures or agencies are counted: those of the denominator.
    #[serde(default)]
    pub registry: Option<String>,
    /// For a count of procedures: whether procedures with the same `group_code` count once (nhóm TTHC). Definitions
    /// stored with older nights lack the key: each procedure counted by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub groups_once: bool,
    /// SQL condition over the registry's columns: those of the numerator, if the registry alone decides it.
    #[serde(default)]
    pub registry_part: Option<String>,
    /// For agencies: number of working days before the period's end (or before now, if that is earlier) within which an
    /// agency's latest dossier must lie.
    #[serde(default)]
    pub within_working_days: Option<u32>,
    /// Amount of which the mean or median is taken.
    #[serde(default)]
    pub of: Option<Amount>,
    /// Id of the rule set that decides the state of a dossier.
    pub rules: String,
    /// For measures: id of the ratio over dossiers that counts the same, with which `reconcile --national` compares them. An
    /// office that does not define it compares nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_with: Option<String>,
    /// SQL condition over the fact columns: the dossiers that the indicator considers.
    pub population: String,
    /// Date that assigns a dossier to a period.
    pub period: PeriodColumn,
    /// SQL condition: the dossiers of the denominator that count.
    pub numerator: String,
    /// For procedures: other dossiers that count for the numerator as well, by a date of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<OtherDossiers>,
    /// SQL condition: the dossiers of the population that make the denominator. A count has none.
    #[serde(default)]
    pub denominator: Option<String>,
    /// SQL condition over the fact columns. Only dossiers of procedures count that have at least one dossier of the
    /// population for which it holds, anywhere in the province, from 1 January of the year of the dossier to the end of
    /// the period ("có phát sinh").
    #[serde(default)]
    pub having: Option<String>,
    #[serde(default)]
    pub target: Option<Target>,
    /// Whether higher or lower is better, for ranks.
    #[serde(default)]
    pub better: Better,
    /// What the law leaves open, and how this definition decides it.
    #[serde(default)]
    pub note: Option<String>,
    /// The note in Vietnamese, for the pages.
    #[serde(default)]
    pub note_vi: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum IndicatorKind {
    #[default]
    Ratio,
    Count,
    /// Mean amount per dossier of the numerator: the sum of the amounts and the number of dossiers.
    Mean,
    /// Mean points per dossier of the numerator: the sum of the points and the number of dossiers.
    Points,
    /// Median amount of the numerator's dossiers (the lower one of an even number), and the number of dossiers.
    Median,
    /// Number of dossiers of the numerator at the end of the period, whenever they were received.
    Stock,
}

impl IndicatorKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Points that a dossier can have at most (TT 01/2018/TT-VPCP art. 13).
pub const MOST_POINTS: f64 = 2.0;

/// An amount that each dossier has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// Full working hours from reception to the end by the rule set; eight hours are one working day.
    ProcessingHours,
    /// 2, 1 or 0 points: ended on a day before its due day, on time, or late (TT 01/2018/TT-VPCP art. 13, index 1).
    TimePoints,
    /// 2, 1 or 0 points: never asked to supplement, once, or more often (TT 01/2018/TT-VPCP art. 13, index 3).
    SupplementPoints,
}

impl Amount {
    /// Whether it is a number of points, which only [`IndicatorKind::Points`] adds up.
    #[must_use]
    pub fn is_points(self) -> bool {
        matches!(self, Self::TimePoints | Self::SupplementPoints)
    }
}

/// What an indicator counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CountedUnit {
    #[default]
    Dossiers,
    /// Procedures offered on any day of the period. The numerator counts those with at least one dossier of the period
    /// for which it holds. A count needs no dossiers; with `registry_part` the registry decides the numerator, too.
    Procedures,
    /// Agencies that exist on the period's last day (or now, if that is earlier). The numerator counts those with at
    /// least one dossier for which it holds, received within `within_working_days` up to that day. A count needs no
    /// dossiers.
    Agencies,
    /// Feedback (phản ánh, kiến nghị). Its state is always that of the night's moment, not of the period's end.
    Feedback,
    /// Measures: numerator and denominator that an office states for an agency or the province in a period.
    Measures,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    #[default]
    Higher,
    Lower,
}

/// Title in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Title {
    pub vi: String,
    pub en: String,
}

/// The article that a definition implements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Legal {
    /// Number of the document, such as `2639/QĐ-UBND`.
    pub document: String,
    /// Article, annex or row of the document.
    pub place: String,
    /// In force from, `yyyy-MM-dd`.
    pub from: String,
}

/// Dossiers that put a procedure into the numerator, besides those of `numerator`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherDossiers {
    /// Date that assigns them to a period.
    pub period: PeriodColumn,
    /// SQL condition over the fact columns: those of the population that count.
    pub numerator: String,
}

/// Value that a figure must reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Share between 0 and 1 for a ratio, a number for a count. Rounded to four decimals.
    pub at_least: f64,
    /// Periods that the target is judged for. Definitions stored with older nights lack the key and mean the default.
    #[serde(default, skip_serializing_if = "TargetPeriods::is_all")]
    pub judged: TargetPeriods,
}

impl Target {
    /// `year` for an annual target, else `None`: the column `target_period` of lists of indicators.
    #[must_use]
    pub fn annual_name(self) -> Option<&'static str> {
        (!self.judged.is_all()).then(|| self.judged.name())
    }
}

/// Periods for which a target is met or missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TargetPeriods {
    /// Every period.
    #[default]
    All,
    /// Years only, calendar or statutory: the law sets the target for the year ("trong năm đánh giá", chỉ tiêu năm).
    /// Shorter periods only have a distance to it.
    Year,
}

impl TargetPeriods {
    /// For `skip_serializing_if`: a definition without the key keeps its digest.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Date that assigns a dossier to a period.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PeriodColumn {
    /// Day of reception (ngày tiếp nhận).
    ReceivedAt,
    /// Day on which the result was returned (ngày trả kết quả), by portal or post.
    ReturnedAt,
    /// Day on which the dossier ended, by the rule set.
    EndedAt,
    /// Only for measures: the period is stated with the counts.
    Stated,
}

impl PeriodColumn {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl IndicatorDefinition {
    /// Whether the registries alone decide the figures, so that no dossiers are read.
    #[must_use]
    pub fn is_of_registry(&self) -> bool {
        matches!(self.over, CountedUnit::Procedures | CountedUnit::Agencies)
            && (self.kind == IndicatorKind::Count || self.registry_part.is_some())
    }
}

impl CountedUnit {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What is counted, in Vietnamese and English.
    #[must_use]
    pub fn meaning(self) -> [&'static str; 2] {
        match self {
            Self::Dossiers => ["hồ sơ", "dossiers"],
            Self::Procedures => ["thủ tục", "procedures"],
            Self::Agencies => ["cơ quan", "agencies"],
            Self::Feedback => ["phản ánh, kiến nghị", "feedback"],
            Self::Measures => ["dòng số liệu tự báo cáo", "rows of measures"],
        }
    }

    /// Whether each counted unit belongs to one agency and one period, so that figures of tiers and periods are sums.
    #[must_use]
    pub fn is_additive(self) -> bool {
        matches!(self, Self::Dossiers | Self::Feedback)
    }
}
