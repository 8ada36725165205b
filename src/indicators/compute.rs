//! One streaming scan, shared by every group-by of a rule set.
//!
//! Indicators that add up come from (agency, sector, start, end); those of procedures that *have* dossiers of a
//! kind come from (procedure, agency, start), because their set is the province's and must not be summed twice.
//! Starts and ends are half-months, of which every named period is a union.

use std::collections::BTreeSet;

use polars::prelude::*;
use polars::sql::sql_expr;

use crate::calendar::WorkingCalendar;
use crate::indicators::agencies::Agencies;
use crate::indicators::facts::{Registers, agency_text, joined};
use crate::indicators::figures::{Assembly, Group};
use crate::indicators::{IndicatorError, registers, states};
use crate::model::agency::Agency;
use crate::model::figure::Figure;
use crate::model::indicator::{Definition, PeriodColumn, RuleSet};
use crate::model::predicate::speaks_of_state;
use crate::model::procedure::{Offer, Procedure};

/// What figures are computed from. `dossiers` and `postal_items` are the image tables.
pub struct Inputs<'a> {
    pub dossiers: LazyFrame,
    pub postal_items: LazyFrame,
    /// Each with the digest of all that defines it.
    pub indicators: &'a [(&'a Definition, &'a str)],
    pub rules: &'a [&'a RuleSet],
    pub agencies: &'a [Agency],
    pub procedures: &'a [Procedure],
    pub offers: &'a [Offer],
    pub calendar: &'a WorkingCalendar,
    /// Microseconds UTC.
    pub now: i64,
}

impl std::fmt::Debug for Inputs<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Inputs")
            .field("indicators", &self.indicators.len())
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// Computes every figure, in a stable order.
///
/// # Errors
/// A predicate that Polars does not take, or a table that cannot be scanned.
pub fn compute(inputs: &Inputs<'_>) -> Result<Vec<Figure>, IndicatorError> {
    let mut figures = Vec::new();
    for rules in inputs.rules {
        let indicators: Vec<_> =
            inputs.indicators.iter().filter(|(definition, _)| definition.rules == rules.id).collect();
        if !indicators.is_empty() {
            compute_rule_set(inputs, rules, &indicators, &mut figures)?;
        }
    }
    figures.sort_by(|left: &Figure, right: &Figure| key(left).cmp(&key(right)));
    Ok(figures)
}

fn key(
    figure: &Figure,
) -> (&str, bool, Option<crate::model::agency::Tier>, Option<&str>, crate::model::period::Period) {
    (&figure.indicator, figure.agency.is_some(), figure.tier, figure.agency.as_deref(), figure.period)
}

fn compute_rule_set(
    inputs: &Inputs<'_>,
    rules: &RuleSet,
    indicators: &[&(&Definition, &str)],
    figures: &mut Vec<Figure>,
) -> Result<(), IndicatorError> {
    let agencies = Agencies::resolve(inputs.agencies, &distinct_texts(inputs.dossiers.clone(), rules)?);
    let registers = Registers {
        days: registers::days(inputs.calendar, inputs.offers, &agencies)?,
        working_days: registers::working_days(inputs.calendar)?,
        agencies: registers::agency_meanings(&agencies)?,
        procedures: registers::procedures(inputs.procedures)?,
        agency_offers: registers::offers(inputs.offers, false)?,
        tier_offers: registers::offers(inputs.offers, true)?,
    };
    let facts = joined(inputs.dossiers.clone(), inputs.postal_items.clone(), &registers, rules, inputs.now);
    let facts = states::stand_in_due(facts, rules);
    let on = [col("stand_in_ordinal")];
    let facts = facts.join(registers.working_days, on.clone(), on, JoinArgs::new(JoinType::Left));
    let facts = states::columns(facts, rules, inputs.now);
    let facts = with_halves(facts, &registers.days);
    let mut columns = Vec::new();
    for (index, (definition, _)) in indicators.iter().map(|entry| **entry).enumerate() {
        columns.extend(measures(index, definition, rules)?);
    }
    let measured = facts.with_columns(columns);
    let groups = plan(indicators);
    let plans: Vec<_> = groups.iter().map(|group| group.query(measured.clone()).logical_plan).collect();
    let tables = LazyFrame::collect_all_with_engine(plans, Engine::Streaming, OptFlags::default())?;
    let mut assembly = Assembly::new(&agencies, indicators, &rules.id);
    for (group, table) in groups.iter().zip(&tables) {
        assembly.add(group, table)?;
    }
    figures.extend(assembly.figures());
    Ok(())
}

fn distinct_texts(dossiers: LazyFrame, rules: &RuleSet) -> Result<Vec<String>, IndicatorError> {
    let texts = dossiers
        .select([agency_text(rules)])
        .unique(None, UniqueKeepStrategy::Any)
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let mut texts: Vec<String> = texts.column("agency_text")?.str()?.iter().flatten().map(str::to_owned).collect();
    texts.sort();
    Ok(texts)
}

/// Adds the half-months that group-bys start and end in: `received_half`, `returned_half`, `end_half`.
fn with_halves(facts: LazyFrame, days: &LazyFrame) -> LazyFrame {
    let half_of =
        |day: &'static str, half: &'static str| days.clone().select([col("day").alias(day), col("half").alias(half)]);
    let join = |facts: LazyFrame, other: LazyFrame, on: &'static str| {
        facts.join(other, [col(on)], [col(on)], JoinArgs::new(JoinType::Left))
    };
    let facts = facts.with_columns([
        when(col("is_received")).then(col("half")).otherwise(lit(NULL)).alias("received_half"),
        when(col("is_ended_now")).then(states::local_day(col("ends_at"))).otherwise(lit(NULL)).alias("end_day"),
    ]);
    let facts = join(facts, half_of("returned_day", "returned_half_of_day"), "returned_day");
    let facts = join(facts, half_of("end_day", "end_half"), "end_day");
    facts.with_column(
        when(col("is_returned")).then(col("returned_half_of_day")).otherwise(lit(NULL)).alias("returned_half"),
    )
}

/// The group-bys that a set of indicators needs.
fn plan(indicators: &[&(&Definition, &str)]) -> Vec<Group> {
    let wanted: BTreeSet<(PeriodColumn, bool)> =
        indicators.iter().map(|(definition, _)| (definition.period, definition.having.is_some())).collect();
    let of = |period, having| {
        (0..indicators.len())
            .filter(|&index| {
                let definition = indicators[index].0;
                definition.period == period && definition.having.is_some() == having
            })
            .collect()
    };
    wanted.into_iter().map(|(period, having)| Group { period, having, indicators: of(period, having) }).collect()
}

/// Parses a predicate; a null is no.
fn predicate(definition: &Definition, text: &str) -> Result<Expr, IndicatorError> {
    sql_expr(text).map(|expr| expr.fill_null(lit(false))).map_err(|error| IndicatorError::Predicate {
        indicator: definition.id.clone(),
        predicate: text.to_owned(),
        message: error.to_string(),
    })
}

/// The predicate as it would read in a state.
fn in_state(predicate: &Expr, state: usize, rules: &RuleSet) -> Expr {
    predicate.clone().map_expr(|part| match &part {
        Expr::Column(name) => states::value_in(state, name, rules).map_or(part, lit),
        _ => part,
    })
}

/// The predicate at the rule set's moment: each dossier by its own state.
fn by_state(predicate: &Expr, text: &str, rules: &RuleSet) -> Expr {
    if !speaks_of_state(text) {
        return predicate.clone();
    }
    (0..states::STATES.len())
        .map(|state| col(states::STATES[state]).and(in_state(predicate, state, rules)))
        .reduce(Expr::or)
        .expect("there are four states")
}

/// The columns of one indicator: whole, part, what the part could still be, one-sided evidence, having.
fn measures(index: usize, definition: &Definition, rules: &RuleSet) -> Result<Vec<Expr>, IndicatorError> {
    let population = by_state(&predicate(definition, &definition.population)?, &definition.population, rules);
    let numerator = predicate(definition, &definition.numerator)?;
    let part = by_state(&numerator, &definition.numerator, rules);
    let whole = match &definition.denominator {
        Some(text) => population.clone().and(by_state(&predicate(definition, text)?, text, rules)),
        // A count has no whole: its part is counted over the population.
        None => population.clone(),
    };
    let reachable = if speaks_of_state(&definition.numerator) {
        let can_be_on_time = col(states::STATES[2]).and(col("overdue_from").is_not_null());
        part.clone().or(can_be_on_time.and(in_state(&numerator, 0, rules)))
    } else {
        part.clone()
    };
    let named = |prefix: &str| -> PlSmallStr { format!("{prefix}{index}").into() };
    let mut columns = vec![
        whole.clone().alias(named("whole")),
        whole.clone().and(part.clone()).alias(named("part")),
        whole.clone().and(reachable).alias(named("reachable")),
    ];
    if let Some(evidence) = evidence_column(definition) {
        columns.push(whole.and(part).and(col(evidence)).alias(named("one_sided")));
    }
    if let Some(having) = &definition.having {
        columns.push(population.and(predicate(definition, having)?).alias(named("having")));
    }
    Ok(columns)
}

/// The column that says whether portal and post agree on what the numerator counts.
pub(super) fn evidence_column(definition: &Definition) -> Option<&'static str> {
    if definition.numerator.contains("is_postal_submission") {
        Some("submission_one_sided")
    } else if definition.numerator.contains("is_postal_return") {
        Some("return_one_sided")
    } else {
        None
    }
}

impl Group {
    /// Names of its sums, by indicator.
    fn sums(&self) -> Vec<Expr> {
        let mut sums = Vec::new();
        for index in &self.indicators {
            for name in ["whole", "part", "reachable"] {
                sums.push(col(format!("{name}{index}")).sum());
            }
        }
        sums
    }

    fn query(&self, measured: LazyFrame) -> LazyFrame {
        let start = if self.period == PeriodColumn::ReceivedAt { "received_half" } else { "returned_half" };
        let mut sums = self.sums();
        sums.extend(self.indicators.iter().map(|index| col(format!("^(one_sided|having){index}$")).sum()));
        let keys = if self.having {
            vec![col("procedure_code"), col("agency"), col(start).alias("start")]
        } else {
            vec![col("agency"), col("sector_code"), col(start).alias("start"), col("end_half")]
        };
        measured.filter(col(start).is_not_null()).group_by(keys).agg(sums)
    }
}
