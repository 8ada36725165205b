//! Explains a figure over dossiers: what each dossier is to it, and which condition leaves the others out.
//!
//! The same facts and predicates decide as when the figure is computed, for one period and one rule set. Every dossier of
//! the period that is attributed to the figure's agencies has one [`Side`]; the dossiers on a side, counted, are the
//! published number.

mod columns;
mod explained_units;
mod figure_of;
mod in_words;
mod measures;
mod one_dossier;
mod registries;
mod sides;
mod standings;
mod stored_words;
mod units;

use polars::prelude::*;

use crate::calendar::day_number;
use crate::expressions::{Expression, FactTable, Settings, dossier_facts, feedback_facts};
use crate::indicators::IndicatorError;
use crate::indicators::agencies::Agencies;
use crate::indicators::feedback::feedback_with_facts;
use crate::indicators::groups::day_column;
use crate::indicators::inputs::FigureInputs;
use crate::indicators::local_time::{local_day, micros};
use crate::indicators::periods::end_of;
use crate::indicators::scan::{RuleSetFacts, count_by, facts_of, moment_of};
use crate::model::figure::Figure;
use crate::model::indicator::{Better, CountedUnit, IndicatorDefinition, IndicatorKind, PeriodColumn};
use crate::model::instant::from_local;
use crate::model::list::ListCell;
use crate::model::period::Period;
use crate::model::rules::{AsOf, RuleSet};

pub use self::columns::{DOSSIER_COLUMNS, FEEDBACK_COLUMNS, dossier_json};
pub(super) use self::columns::{cells_of, expressions_of};
pub use self::explained_units::ExplainedUnits;
pub use self::figure_of::FigureOf;
pub use self::in_words::conditions_in_words;
use self::in_words::in_words;
pub use self::measures::MEASURE_COLUMNS;
pub use self::one_dossier::{ExplainedDossier, ExplainedFact};
pub use self::registries::{AGENCY_COLUMNS, PROCEDURE_COLUMNS};
use self::sides::Sides;
pub use self::standings::{Move, Standing, Standings, reads_lookup};
pub use self::units::explain_units;

/// What a dossier is to a figure.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::EnumIter,
    strum::FromRepr,
)]
#[strum(serialize_all = "snake_case")]
#[repr(u8)]
pub enum Side {
    /// Counts in the numerator; for a mean, points or a median its amount counts.
    InNumerator,
    /// Counts in the denominator only.
    NotInNumerator,
    /// Counts in the denominator, while the data do not say whether it counts in the numerator, too.
    Unknown,
    /// The data do not say whether it counts in the denominator.
    Undecided,
    /// Does not count.
    Excluded,
}

impl Side {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it means, in Vietnamese and English.
    #[must_use]
    pub fn meaning(self) -> [&'static str; 2] {
        match self {
            Self::InNumerator => ["Tính vào tử số", "In the numerator"],
            Self::NotInNumerator => ["Chỉ tính vào mẫu số", "In the denominator only"],
            Self::Unknown => ["Chưa rõ có thuộc tử số hay không", "Not known whether in the numerator"],
            Self::Undecided => ["Chưa rõ có được tính hay không", "Not known whether it counts"],
            Self::Excluded => ["Không được tính", "Left out"],
        }
    }

    /// The side that is listed unless another is asked for: what keeps a ratio from being better, else what is counted.
    #[must_use]
    pub fn listed_first(definition: &IndicatorDefinition) -> Self {
        match (definition.kind, definition.better) {
            (IndicatorKind::Ratio, Better::Higher) => Self::NotInNumerator,
            _ => Self::InNumerator,
        }
    }
}

/// A condition that leaves dossiers out of a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// The condition in the language of predicates; dossiers are left out because it is false for them.
    pub condition: String,
    /// What the facts that it names mean.
    pub meaning_vi: String,
    pub meaning_en: String,
    /// Dossiers for which it is the first condition that is false.
    pub dossiers: u64,
}

/// How many dossiers are on each side of a figure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation {
    /// In the order of [`Side`].
    pub counts: [u64; 5],
    /// Most dossiers first.
    pub exclusions: Vec<Exclusion>,
}

impl Explanation {
    #[must_use]
    pub fn count(&self, side: Side) -> u64 {
        self.counts[side as usize]
    }

    /// Denominator, numerator, unknown and undecided as counted here and as published, if they differ. Of a mean, points
    /// or a median the number of dossiers is compared, not their amount.
    #[must_use]
    pub fn difference(&self, published: &Figure) -> Option<[[u64; 4]; 2]> {
        let [numerator, rest, unknown, undecided, _] = self.counts;
        let found = [numerator + rest + unknown, numerator, unknown, undecided];
        let (whole, counted) = match published.kind {
            // Dossiers without a known amount are not in the denominator.
            IndicatorKind::Mean | IndicatorKind::Points | IndicatorKind::Median => {
                let known = published.denominator.unwrap_or(0);
                (known + unknown, known)
            }
            IndicatorKind::Count | IndicatorKind::Stock => (found[0], published.numerator),
            IndicatorKind::Ratio => (published.denominator.unwrap_or(0), published.numerator),
        };
        let or_found = |count: Option<u64>, found: u64| count.unwrap_or(found);
        let expected = [whole, counted, or_found(published.unknown, unknown), or_found(published.undecided, undecided)];
        (found != expected).then_some([found, expected])
    }
}

/// Which dossiers to list, and how many.
#[derive(Debug, Clone, Copy)]
pub struct DossierPage {
    pub side: Side,
    /// How many dossiers are passed over.
    pub offset: u32,
    pub limit: u32,
}

impl DossierPage {
    /// How many rows there are on the page, of all on the side. Polars reserves memory for every row that is asked for.
    fn rows_of(self, all: u64) -> u32 {
        self.limit.min(u32::try_from(all).unwrap_or(u32::MAX).saturating_sub(self.offset))
    }
}

/// Why figures of an indicator have no dossiers to list; `None` if they have.
#[must_use]
pub fn unexplained(definition: &IndicatorDefinition) -> Option<&'static str> {
    match definition.over {
        CountedUnit::Dossiers => None,
        CountedUnit::Procedures => Some("it counts procedures"),
        CountedUnit::Agencies => Some("it counts agencies"),
        CountedUnit::Feedback => Some("it counts feedback"),
        CountedUnit::Measures => Some("it adds up measures that an office states"),
    }
}

/// The dossiers of an indicator in a period, each with what it is to the figure.
pub struct ExplainedFigure {
    facts: LazyFrame,
    agencies: Agencies,
    sides: Sides,
    settings: Settings,
    moment: i64,
    /// The facts that conditions name.
    table: &'static FactTable,
}

impl std::fmt::Debug for ExplainedFigure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ExplainedFigure").field("agencies", &self.agencies.known.len()).finish_non_exhaustive()
    }
}

impl ExplainedFigure {
    /// Plans the facts of an indicator over dossiers.
    ///
    /// # Errors
    /// A predicate that Polars does not accept, or a table that cannot be scanned.
    pub fn new(
        inputs: &FigureInputs<'_>,
        definition: &IndicatorDefinition,
        rules: &RuleSet,
        period: Period,
    ) -> Result<Self, IndicatorError> {
        // A stock is what is open at the period's end, whichever moment the rule set reads states at.
        let rules = match definition.kind {
            IndicatorKind::Stock => RuleSet { as_of: AsOf::PeriodEnd, ..rules.clone() },
            _ => rules.clone(),
        };
        let inputs = &inputs.for_period(period);
        let (moment, _) = moment_of(inputs, &rules);
        let is_near = |first: jiff::civil::Date| match definition.period {
            // What a figure counts by reception lies between two days; other rows need no facts.
            PeriodColumn::ReceivedAt if definition.kind != IndicatorKind::Stock => {
                let start = from_local(first.at(0, 0, 0, 0));
                Some(micros("received_at").is_between(lit(start), lit(end_of(period.end())), ClosedInterval::Both))
            }
            _ => None,
        };
        let having = match &definition.having {
            Some(_) => {
                let first = period.start().first_of_year();
                let found = facts_of(inputs, &rules, is_near(first))?;
                Some(sides::procedures_having(found.facts, definition, &rules, period)?)
            }
            None => None,
        };
        let RuleSetFacts { facts, agencies, settings } = facts_of(inputs, &rules, is_near(period.start()))?;
        let sides = Sides::new(definition, &rules, period, having)?;
        let facts = facts.filter(would_be_filed(definition, period));
        Ok(Self { facts, agencies, sides, settings, moment, table: dossier_facts() })
    }

    /// The same for an indicator over feedback: what is said of dossiers holds for feedback.
    ///
    /// # Errors
    /// A predicate that Polars does not accept, or a table that cannot be scanned.
    fn of_feedback(
        inputs: &FigureInputs<'_>,
        definition: &IndicatorDefinition,
        rules: &RuleSet,
        period: Period,
    ) -> Result<Self, IndicatorError> {
        let (facts, agencies) = feedback_with_facts(inputs, rules)?;
        let sides = Sides::new(definition, rules, period, None)?;
        let facts = facts.filter(would_be_filed(definition, period));
        let settings = Settings::of_rules(rules);
        Ok(Self { facts, agencies, sides, settings, moment: inputs.now, table: feedback_facts() })
    }

    /// The dossiers of the indicator in the period with the columns `side` and `excluded_by`.
    fn dossiers(&self) -> LazyFrame {
        let dossiers = self.facts.clone().filter(col("agency").is_not_null());
        dossiers.with_columns([self.sides.side()]).with_columns([self.sides.excluded_by()])
    }

    /// The conditions that leave dossiers out, with their meaning, in the order of the numbers of `excluded_by`.
    fn condition_cells(&self) -> Vec<ListCell> {
        let cell = |condition: &Expression| {
            let meaning = [true, false].map(|is_vietnamese| in_words(self.table, condition, is_vietnamese));
            ListCell::worded(condition.to_string(), meaning)
        };
        self.sides.conditions().iter().map(cell).collect()
    }

    /// Counts the dossiers of figures by side and by the condition that leaves them out.
    ///
    /// # Errors
    /// A table that cannot be scanned.
    pub fn counts(&self, figures: &[FigureOf]) -> Result<Vec<Explanation>, IndicatorError> {
        let counted = count_by(self.dossiers(), &self.agencies, ["side", "excluded_by"])?;
        let mut counts = vec![([0_u64; 5], vec![0_u64; self.sides.conditions().len()]); figures.len()];
        for ((agency, [side, excluded_by]), dossiers) in counted {
            let Some(side) = side else { continue };
            for (figure, (sides, excluded)) in figures.iter().zip(&mut counts) {
                if figure.is_of(&self.agencies.known[agency as usize]) {
                    sides[side as usize] += dossiers;
                    if let Some(number) = excluded_by {
                        excluded[number as usize] += dossiers;
                    }
                }
            }
        }
        let explanation = |(counts, excluded): ([u64; 5], Vec<u64>)| {
            let excluding = self.sides.conditions().iter().zip(excluded).filter(|(_, dossiers)| *dossiers > 0);
            let mut exclusions: Vec<Exclusion> =
                excluding.map(|(condition, dossiers)| exclusion(self.table, condition, dossiers)).collect();
            exclusions.sort_by_key(|exclusion| std::cmp::Reverse(exclusion.dossiers));
            Explanation { counts, exclusions }
        };
        Ok(counts.into_iter().map(explanation).collect())
    }

    /// Lists dossiers of a side, those with most days late first, by the columns of [`DOSSIER_COLUMNS`]. `of`: how many
    /// dossiers are on the side, as counted before; Polars reserves memory for every row that is asked for.
    ///
    /// # Errors
    /// A table that cannot be scanned.
    pub fn list(&self, figure: &FigureOf, page: DossierPage, of: u64) -> Result<Vec<Vec<ListCell>>, IndicatorError> {
        let limit = page.rows_of(of);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let order = SortMultipleOptions::default()
            .with_order_descending_multi([true, false, false, false])
            .with_nulls_last_multi([true, true, false, false]);
        let listed = self
            .dossiers()
            .filter(figure.is_of_agency(&self.agencies))
            .filter(col("side").eq(lit(page.side as u32)))
            .select(columns::expressions(self.moment))
            .sort(["days_late", "received_at", "source", "source_key"], order)
            .slice(i64::from(page.offset), limit)
            .collect_with_engine(Engine::Streaming)?
            .unwrap_single();
        Ok(columns::cells(&listed, &self.agencies, &self.condition_cells())?)
    }
}

fn exclusion(table: &FactTable, condition: &Expression, dossiers: u64) -> Exclusion {
    Exclusion {
        condition: condition.to_string(),
        meaning_vi: in_words(table, condition, true),
        meaning_en: in_words(table, condition, false),
        dossiers,
    }
}

/// Whether a dossier would be in the period if nothing left it out, by the date that the source states.
fn would_be_filed(definition: &IndicatorDefinition, period: Period) -> Expr {
    let day = match definition.period {
        PeriodColumn::ReceivedAt => col("day"),
        PeriodColumn::ReturnedAt => local_day(micros("result_returned_at")),
        PeriodColumn::EndedAt => local_day(coalesce(&[micros("ends_at"), micros("received_at")])),
        PeriodColumn::Stated => unreachable!("a measure names its period and has no day"),
    };
    let filed = col(day_column(definition.period));
    let is_in = |day: Expr| {
        let is_by_end = day.clone().lt_eq(lit(day_number(period.end())));
        match definition.kind {
            IndicatorKind::Stock => is_by_end,
            _ => is_by_end.and(day.gt_eq(lit(day_number(period.start())))),
        }
    };
    is_in(coalesce(&[filed, day])).fill_null(lit(false))
}
