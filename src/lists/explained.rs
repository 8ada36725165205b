//! What is behind a figure, as JSON.

use serde::Serialize;
use serde_json::{Map, Value};
use strum::IntoEnumIterator as _;
use utoipa::ToSchema;

use crate::indicators::{ExplainedUnits, FigureOf, Side};
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Night};
use crate::model::indicator::{CountedUnit, IndicatorDefinition};
use crate::model::instant;
use crate::model::list::row_json;
use crate::model::period::Period;

/// How many dossiers (or procedures, agencies, feedback, rows of measures) are on each side of a figure, and those of one side.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ExplainedFigureAnswer)]
pub struct ExplainedAnswer {
    indicator: String,
    /// dossiers · procedures · agencies · feedback · measures: the name of the list.
    over: &'static str,
    rules: String,
    agency: Option<String>,
    tier: Option<&'static str>,
    period: String,
    /// The night's run.
    run: i64,
    /// The night's moment.
    #[schema(format = DateTime)]
    as_of: String,
    /// How many are on each side: `in_numerator`, `not_in_numerator`, `unknown`, `undecided`, `excluded`.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    counts: Map<String, Value>,
    /// Conditions that leave some out, those with most first. Each is counted under the first condition that is false.
    exclusions: Vec<ExclusionAnswer>,
    /// Of measures: what the rows that count state together; else null.
    stated: Option<StatedSums>,
    /// Whether the counts are those of the published figure; null if the night has no such figure.
    agrees: Option<bool>,
    /// The side that is listed.
    side: &'static str,
    /// How many are skipped.
    offset: u32,
    /// Dossiers of that side, those with most days late first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<std::collections::BTreeMap<String, serde_json::Value>>>)]
    dossiers: Rows,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<std::collections::BTreeMap<String, serde_json::Value>>>)]
    procedures: Rows,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<std::collections::BTreeMap<String, serde_json::Value>>>)]
    agencies: Rows,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<std::collections::BTreeMap<String, serde_json::Value>>>)]
    feedback: Rows,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<std::collections::BTreeMap<String, serde_json::Value>>>)]
    measures: Rows,
}

/// The listed rows; `None` if the figure counts something else.
type Rows = Option<Vec<Map<String, Value>>>;

/// A condition that leaves some out.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ExclusionAnswer {
    condition: String,
    meaning_vi: String,
    meaning_en: String,
    dossiers: u64,
}

/// Numerator and denominator that measures state together.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
struct StatedSums {
    numerator: u64,
    denominator: u64,
}

/// The figure that is explained.
#[derive(Debug, Clone, Copy)]
pub struct ExplainedOf<'a> {
    pub definition: &'a IndicatorDefinition,
    /// Rule set by which it is explained.
    pub rules: &'a str,
    pub of: &'a FigureOf,
    pub period: Period,
    pub night: &'a Night,
    /// As the night published it; `None` if it is not known, or computed in another way.
    pub published: Option<&'a Figure>,
    pub side: Side,
    pub offset: u32,
}

impl ExplainedAnswer {
    #[must_use]
    pub fn new(about: ExplainedOf<'_>, found: &ExplainedUnits) -> Self {
        let explanation = &found.explanation;
        let (agency, tier) = about.of.agency_and_tier();
        let counts = Side::iter().map(|side| (side.name().to_owned(), explanation.count(side).into()));
        let exclusions = explanation.exclusions.iter().map(|one| ExclusionAnswer {
            condition: one.condition.clone(),
            meaning_vi: one.meaning_vi.clone(),
            meaning_en: one.meaning_en.clone(),
            dossiers: one.dossiers,
        });
        let over = about.definition.over;
        let rows: Vec<_> = found.rows.iter().map(|row| row_json(found.columns, row)).collect();
        let rows_of = |unit: CountedUnit| (over == unit).then(|| rows.clone());
        Self {
            indicator: about.definition.id.clone(),
            over: over.name(),
            rules: about.rules.to_owned(),
            agency: agency.map(str::to_owned),
            tier: tier.map(Tier::name),
            period: about.period.to_string(),
            run: about.night.run,
            as_of: instant::display(about.night.as_of),
            counts: counts.collect(),
            exclusions: exclusions.collect(),
            stated: found.stated.map(|[numerator, denominator]| StatedSums { numerator, denominator }),
            agrees: about.published.map(|published| found.difference(published).is_none()),
            side: about.side.name(),
            offset: about.offset,
            dossiers: rows_of(CountedUnit::Dossiers),
            procedures: rows_of(CountedUnit::Procedures),
            agencies: rows_of(CountedUnit::Agencies),
            feedback: rows_of(CountedUnit::Feedback),
            measures: rows_of(CountedUnit::Measures),
        }
    }
}
