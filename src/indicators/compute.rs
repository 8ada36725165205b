//! One streaming scan, shared by every group-by of a rule set.
//!
//! Starts and ends are half-months, of which every named period is a union; or one period is asked for, and only its days
//! are counted. Three ways to group (docs/decisions/0003):
//! * plain, by (agency, start): each dossier in the state that it has at the rule set's moment;
//! * by end, by (agency, start, ended on time, end, overdue from): each named period reads the state at its own end;
//! * having, by (procedure, agency, start): procedures that *have* dossiers of a kind are the province's and must not be
//!   summed twice.

use std::collections::BTreeSet;

use jiff::civil::Date;
use polars::prelude::*;
use polars::sql::sql_expr;

use crate::calendar::WorkingCalendar;
use crate::indicators::agencies::Agencies;
use crate::indicators::facts::{Registers, agency_text, joined, noted};
use crate::indicators::figures::{Assembly, Group, Shape};
use crate::indicators::registered::Registered;
use crate::indicators::{IndicatorError, feedback, registers, stated, states};
use crate::model::agency::{Agency, Succession};
use crate::model::figure::Figure;
use crate::model::indicator::{AsOf, Definition, Over, PeriodColumn, RuleSet};
use crate::model::instant::{DAY_MICROS, from_local, local};
use crate::model::period::Period;
use crate::model::predicate::speaks_of_state;
use crate::model::procedure::{Offer, Procedure};

/// What figures are computed from. The tables are images.
pub struct Inputs<'a> {
    pub dossiers: LazyFrame,
    pub postal_items: LazyFrame,
    pub feedback: LazyFrame,
    pub measures: LazyFrame,
    pub dossier_notes: LazyFrame,
    /// Each with the digest of all that defines it.
    pub indicators: &'a [(&'a Definition, &'a str)],
    pub rules: &'a [&'a RuleSet],
    pub agencies: &'a [Agency],
    pub procedures: &'a [Procedure],
    pub offers: &'a [Offer],
    pub calendar: &'a WorkingCalendar,
    /// Microseconds UTC.
    pub now: i64,
    /// Today's map of agencies, where figures are asked for under it.
    pub successions: Option<&'a [Succession]>,
    /// Only this period; `None` for every named one.
    pub period: Option<Period>,
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
        let of = |over: Over| -> Vec<_> {
            indicators.iter().filter(|(definition, _)| definition.over == over).copied().collect()
        };
        let (of_feedback, stated) = (of(Over::Feedback), of(Over::Measures));
        let others: Vec<_> = indicators
            .iter()
            .filter(|(definition, _)| !matches!(definition.over, Over::Feedback | Over::Measures))
            .copied()
            .collect();
        if !others.is_empty() {
            compute_rule_set(inputs, rules, &others, &mut figures)?;
        }
        if !of_feedback.is_empty() {
            figures.extend(feedback::figures(inputs, rules, &of_feedback)?);
        }
        if !stated.is_empty() {
            figures.extend(stated::figures(inputs, rules, &stated)?);
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
    let groups = plan(indicators, rules, inputs.period);
    let registered = Registered::read(inputs, indicators)?;
    let (facts, agencies, still_open) = facts(inputs, rules, inputs.period, &groups)?;
    let mut columns = Vec::new();
    for group in &groups {
        for &index in &group.indicators {
            columns.extend(measures(index, indicators[index].0, rules, group.shape, still_open)?);
        }
    }
    let measured = facts.with_columns(columns);
    let plans: Vec<_> = groups.iter().map(|group| group.query(measured.clone(), inputs.period).logical_plan).collect();
    let tables = LazyFrame::collect_all_with_engine(plans, Engine::Streaming, OptFlags::default())?;
    let mut assembly = Assembly::new(&agencies, indicators, &rules.id, inputs.period, inputs.now, &registered);
    for (group, table) in groups.iter().zip(&tables) {
        assembly.add(group, table)?;
    }
    figures.extend(assembly.figures());
    Ok(())
}

/// Every dossier with the rule set's columns; with the agencies, and whether what is open can still end in the period.
pub(super) fn facts(
    inputs: &Inputs<'_>,
    rules: &RuleSet,
    period: Option<Period>,
    groups: &[Group],
) -> Result<(LazyFrame, Agencies, bool), IndicatorError> {
    let agencies = agencies_of(inputs, inputs.dossiers.clone(), agency_text(rules))?;
    let registers = Registers {
        days: registers::days(inputs.calendar, inputs.offers, &agencies)?,
        clock_days: registers::clock_days(inputs.calendar)?,
        working_days: registers::working_days(inputs.calendar)?,
        agencies: registers::agency_meanings(&agencies)?,
        procedures: registers::procedures(inputs.procedures)?,
        agency_offers: registers::offers(inputs.offers, false)?,
        tier_offers: registers::offers(inputs.offers, true)?,
    };
    // What is judged at the end of one period looks at no state after it.
    let moment = match period {
        Some(period) if rules.as_of == AsOf::PeriodEnd => inputs.now.min(end_of(period.end())),
        _ => inputs.now,
    };
    let dossiers = noted(inputs.dossiers.clone(), inputs.dossier_notes.clone(), inputs.now)?;
    let facts = joined(dossiers, inputs.postal_items.clone(), &registers, rules, inputs.now);
    let facts = states::stand_in_due(facts, rules);
    let on = [col("stand_in_ordinal")];
    let facts = facts.join(registers.working_days, on.clone(), on, JoinArgs::new(JoinType::Left));
    let facts = states::columns(facts, rules, moment);
    Ok((with_halves(facts, moment, groups), agencies, moment == inputs.now))
}

/// Every dossier with `whole0` and `part0` of one indicator in a period, under a rule set that need not be its own.
pub(super) fn measured(
    inputs: &Inputs<'_>,
    rules: &RuleSet,
    definition: &Definition,
    period: Period,
) -> Result<LazyFrame, IndicatorError> {
    let (facts, _, still_open) = facts(inputs, rules, Some(period), &[])?;
    Ok(facts.with_columns(measures(0, definition, rules, Shape::Plain, still_open)?))
}

/// The dossiers that count in a period.
pub(super) fn in_period(measured: LazyFrame, column: PeriodColumn, period: Period) -> LazyFrame {
    measured.filter(between(day_column(column), period.start(), period.end()))
}

fn between(day: &'static str, first: Date, last: Date) -> Expr {
    let number = |day| lit(registers::day_number(day));
    col(day).gt_eq(number(first)).and(col(day).lt_eq(number(last)))
}

/// Last microsecond of a day.
pub(super) fn end_of(day: Date) -> i64 {
    from_local(day.into()) + DAY_MICROS - 1
}

/// What the texts that name agencies mean, as they then were or under today's map, as is asked for.
pub(super) fn agencies_of(inputs: &Inputs<'_>, table: LazyFrame, text: Expr) -> Result<Agencies, IndicatorError> {
    let agencies = Agencies::resolve(inputs.agencies, &distinct_texts(table, text)?);
    Ok(match inputs.successions {
        Some(successions) => agencies.under_today(inputs.agencies, successions, local(inputs.now).date()),
        None => agencies,
    })
}

fn distinct_texts(table: LazyFrame, text: Expr) -> Result<Vec<String>, IndicatorError> {
    let texts = table
        .select([text])
        .unique(None, UniqueKeepStrategy::Any)
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let mut texts: Vec<String> = texts.column("agency_text")?.str()?.iter().flatten().map(str::to_owned).collect();
    texts.sort();
    Ok(texts)
}

/// Half-month of a local day.
pub(super) fn half(day: &str) -> Expr {
    let date = || col(day).cast(DataType::Date).dt();
    let months = date().year() * lit(12) + date().month().cast(DataType::Int32) - lit(1);
    months * lit(2) + date().day().cast(DataType::Int32).gt_eq(lit(15)).cast(DataType::Int32)
}

/// Adds the days and half-months that group-bys start and end in, null where the dossier does not count by them:
/// `received_day`, `returned_day`, `ended_day`, their `_half`, and `overdue_half`, the first at whose end it is overdue.
fn with_halves(facts: LazyFrame, now: i64, groups: &[Group]) -> LazyFrame {
    let known = |is: Expr, day: Expr, name: &str| when(is).then(day).otherwise(lit(NULL)).alias(name);
    // An ended dossier whose end has no date ended, as far as is known, when it was received.
    let end = coalesce(&[col("ends_at"), states::micros("received_at")]);
    let facts = facts.with_columns([
        known(col("is_received"), col("day"), "received_day"),
        known(col("is_returned"), col("returned_day"), "returned_day"),
        known(col("is_ended_now").and(col("is_received")), states::local_day(end), "ended_day"),
        known(
            col("open_overdue_from").lt(lit(now)),
            states::local_day(col("open_overdue_from") + lit(1)),
            "overdue_day",
        ),
    ]);
    let mut halves: BTreeSet<&str> = groups.iter().map(|group| day_column(group.period)).collect();
    if groups.iter().any(|group| group.shape == Shape::ByEnd) {
        halves.extend(["ended_day", "overdue_day"]);
    }
    facts.with_columns(halves.into_iter().map(|day| half(day).alias(day.replace("_day", "_half"))).collect::<Vec<_>>())
}

/// The column of the day that files a dossier under a period.
fn day_column(period: PeriodColumn) -> &'static str {
    match period {
        PeriodColumn::ReceivedAt => "received_day",
        PeriodColumn::ReturnedAt => "returned_day",
        PeriodColumn::EndedAt => "ended_day",
        PeriodColumn::Stated => unreachable!("what is stated is not filed by a day"),
    }
}

/// The group-bys that a set of indicators needs.
fn plan(indicators: &[&(&Definition, &str)], rules: &RuleSet, period: Option<Period>) -> Vec<Group> {
    let shape = |definition: &Definition| {
        let by_state = [Some(&definition.population), Some(&definition.numerator), definition.denominator.as_ref()];
        let speaks = by_state.into_iter().flatten().any(|text| speaks_of_state(text));
        // What ended in a period had ended at its end.
        let at_ends = rules.as_of == AsOf::PeriodEnd && definition.period != PeriodColumn::EndedAt;
        match (definition.over, &definition.having, speaks && at_ends && period.is_none()) {
            (Over::Procedures | Over::Agencies, ..) => Shape::Registered,
            (_, Some(_), _) => Shape::Having,
            (_, None, true) => Shape::ByEnd,
            (_, None, false) => Shape::Plain,
        }
    };
    let keys: Vec<_> = indicators.iter().map(|(definition, _)| (definition.period, shape(definition))).collect();
    let wanted: BTreeSet<_> = keys.iter().copied().collect();
    let of = |key| (0..keys.len()).filter(|&index| keys[index] == key).collect();
    wanted.into_iter().map(|key| Group { period: key.0, shape: key.1, indicators: of(key) }).collect()
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
        Expr::Column(name) => states::value_in(state, name, rules).unwrap_or(part),
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

/// Suffixes of an indicator's columns: one, or one for each of the four states.
pub(super) const PLAIN: &[&str] = &[""];
pub(super) const BY_STATE: &[&str] = &["_on_time", "_late", "_pending", "_overdue"];

/// The columns of one indicator: whole, part, what the part could still be, one-sided evidence, having.
pub(super) fn measures(
    index: usize,
    definition: &Definition,
    rules: &RuleSet,
    shape: Shape,
    still_open: bool,
) -> Result<Vec<Expr>, IndicatorError> {
    let read = |text: &str| predicate(definition, text);
    let population = read(&definition.population)?;
    let numerator = read(&definition.numerator)?;
    // A count has no whole: its part is counted over the population.
    let whole_text = definition.denominator.as_deref().unwrap_or("TRUE");
    let denominator = read(whole_text)?;
    let named = |prefix: &str, suffix: &str| -> PlSmallStr { format!("{prefix}{index}{suffix}").into() };
    let can_be_on_time = || col("can_end_on_time");
    let mut columns = Vec::new();
    if shape == Shape::ByEnd {
        for (state, suffix) in BY_STATE.iter().enumerate() {
            let whole = in_state(&population, state, rules).and(in_state(&denominator, state, rules));
            let part = whole.clone().and(in_state(&numerator, state, rules));
            let reachable = match state {
                2 => part.clone().or(whole.clone().and(can_be_on_time()).and(in_state(&numerator, 0, rules))),
                _ => part.clone(),
            };
            columns.push(whole.alias(named("whole", suffix)));
            columns.push(part.alias(named("part", suffix)));
            columns.push(reachable.alias(named("reachable", suffix)));
        }
        return Ok(columns);
    }
    let part = by_state(&numerator, &definition.numerator, rules);
    let population = by_state(&population, &definition.population, rules);
    let whole = population.clone().and(by_state(&denominator, whole_text, rules));
    let reachable = if still_open && speaks_of_state(&definition.numerator) {
        part.clone().or(col(states::STATES[2]).and(can_be_on_time()).and(in_state(&numerator, 0, rules)))
    } else {
        part.clone()
    };
    columns.push(whole.clone().alias(named("whole", "")));
    columns.push(whole.clone().and(part.clone()).alias(named("part", "")));
    columns.push(whole.clone().and(reachable).alias(named("reachable", "")));
    if let Some(evidence) = evidence_column(definition) {
        columns.push(whole.and(part).and(col(evidence)).alias(named("one_sided", "")));
    }
    if let Some(having) = &definition.having {
        columns.push(population.and(predicate(definition, having)?).alias(named("having", "")));
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
        let suffixes = if self.shape == Shape::ByEnd { BY_STATE } else { PLAIN };
        for index in &self.indicators {
            for suffix in suffixes {
                sums.extend(["whole", "part", "reachable"].map(|name| col(format!("{name}{index}{suffix}")).sum()));
            }
            sums.push(col(format!("^(one_sided|having){index}$")).sum());
        }
        sums
    }

    pub(super) fn query(&self, measured: LazyFrame, period: Option<Period>) -> LazyFrame {
        let day = day_column(self.period);
        let start = col(day.replace("_day", "_half")).alias("start");
        let mut keys = vec![col("agency"), start];
        match self.shape {
            Shape::Plain => {}
            Shape::ByEnd => keys.extend([col("ended_on_time"), col("ended_half"), col("overdue_half")]),
            Shape::Having | Shape::Registered => keys.push(col("procedure_code")),
        }
        let counted = match (period, self.shape) {
            (None, _) => col(day).is_not_null(),
            // Whether a procedure has such dossiers is asked of the calendar year.
            (Some(period), Shape::Having) => {
                keys.push(between(day, period.start(), period.end()).alias("inside"));
                between(day, period.start().first_of_year(), period.end().last_of_year())
            }
            (Some(period), _) => between(day, period.start(), period.end()),
        };
        measured.filter(counted).group_by(keys).agg(self.sums())
    }
}
