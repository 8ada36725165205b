//! Indicators and rule sets as data: the tables of `config/indicators/*.toml` and `config/rules/*.toml`.

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
    /// What the law leaves open and how it is read here.
    #[serde(default)]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndicatorKind {
    Ratio,
    Count,
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
}

impl PeriodColumn {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReceivedAt => "received_at",
            Self::ReturnedAt => "returned_at",
        }
    }
}

/// A rule set: what on time means where the law leaves it open (domain C.4). Every choice is a closed list;
/// a later rule set adds words, never code in a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    pub id: String,
    pub title: Title,
    pub legal: Legal,
    /// Whose dossier it is.
    pub agency: AgencyView,
    /// Which moment's state counts.
    pub as_of: AsOf,
    /// How an end is held against its due date.
    pub compare: Compare,
    /// Which due date counts where an apology moved it.
    pub due: DueChoice,
    /// What a due value of 00:00:00 local means.
    pub midnight_due: MidnightDue,
    /// What stands in for a missing due date, in order; a dossier for which none helps is not on time.
    pub missing_due: Vec<MissingDue>,
    /// Whether a dossier that is open and not overdue counts as on time.
    pub open_in_time_counts: bool,
    /// How dossiers withdrawn, refused or stopped after reception end.
    pub other_ends: OtherEnds,
    /// Which evidence makes a submission or a return postal.
    pub postal_evidence: PostalEvidence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgencyView {
    /// The agency competent to resolve; an interlinked dossier counts once, at its lead agency.
    Competent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AsOf {
    /// The night's own moment.
    Now,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// End ≤ due, as instants.
    Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DueChoice {
    /// The due date before any apology extension; changes by supplement count.
    BeforeApology,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MidnightDue {
    /// It is a date: the end of that day.
    EndOfDay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingDue {
    /// Certification and immediate results: the same working day, after the procedure's cut-off the next.
    CutOff,
    /// The procedure's statutory time in working days.
    Statutory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtherEnds {
    /// Their own end against the due date.
    OwnEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PostalEvidence {
    /// The portal's word or the post's item; one dossier counts once.
    Either,
}
