//! One streaming scan for every rule set, indicator and group-by.
//!
//! Starts and ends are half-months, of which every named period is a union; or one period is asked for, and only its days
//! are counted. What the group-bys are by stands in `groups` (docs/decisions/0006).

use std::collections::HashMap;
use std::sync::Arc;

use polars::prelude::*;

use crate::calendar::{WorkingCalendar, WorkingDays};
use crate::indicators::agencies::Agencies;
use crate::indicators::facts::{agency_text, common, evident, of_view};
use crate::indicators::figures::{Assembly, Rows, end_of, rows_having};
use crate::indicators::groups::{Group, Shape, between, day_column, plan};
use crate::indicators::measures::{Measured, Open, Predicates};
use crate::indicators::periods::Periods;
use crate::indicators::registered::Registry;
use crate::indicators::registers::{Halves, ProcedureRegister};
use crate::indicators::states::micros;
use crate::indicators::{IndicatorError, feedback, stated, states};
use crate::model::agency::{Agency, Succession, Tier};
use crate::model::figure::Figure;
use crate::model::indicator::{AgencyView, AsOf, Definition, IndicatorKind, Over, PeriodColumn, RuleSet};
use crate::model::instant::local;
use crate::model::period::{Period, half_of};
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

/// The indicators of one rule set, each with its digest.
type Entries<'a> = Vec<&'a (&'a Definition, &'a str)>;

/// Computes every figure, in a stable order.
///
/// # Errors
/// A predicate that Polars does not take, or a table that cannot be scanned.
pub fn compute(inputs: &Inputs<'_>) -> Result<Vec<Figure>, IndicatorError> {
    let mut figures = Vec::new();
    let mut over_dossiers = Vec::new();
    for &rules in inputs.rules {
        let entries: Entries<'_> =
            inputs.indicators.iter().filter(|(definition, _)| definition.rules == rules.id).collect();
        let (of_feedback, others): (Entries<'_>, Entries<'_>) =
            entries.into_iter().partition(|(definition, _)| definition.over == Over::Feedback);
        let (stated, dossiers): (Entries<'_>, Entries<'_>) =
            others.into_iter().partition(|(definition, _)| definition.over == Over::Measures);
        if !of_feedback.is_empty() {
            figures.extend(feedback::figures(inputs, rules, &of_feedback)?);
        }
        if !stated.is_empty() {
            figures.extend(stated::figures(inputs, rules, &stated)?);
        }
        if !dossiers.is_empty() {
            over_dossiers.push((rules, dossiers));
        }
    }
    compute_dossiers(inputs, &over_dossiers, &mut figures)?;
    figures.sort_by(|left: &Figure, right: &Figure| key(left).cmp(&key(right)));
    Ok(figures)
}

fn key(figure: &Figure) -> (&str, bool, Option<Tier>, Option<&str>, Period) {
    (&figure.indicator, figure.agency.is_some(), figure.tier, figure.agency.as_deref(), figure.period)
}

/// Every rule set's group-bys over the one scan.
fn compute_dossiers(
    inputs: &Inputs<'_>,
    rule_sets: &[(&RuleSet, Entries<'_>)],
    figures: &mut Vec<Figure>,
) -> Result<(), IndicatorError> {
    let scan = Scan::new(inputs)?;
    let mut views: HashMap<&'static str, View> = HashMap::new();
    let mut groups = Vec::new();
    let mut plans = Vec::new();
    for (rules, entries) in rule_sets {
        let view = match views.get(rules.agency.name()) {
            Some(view) => view,
            None => views.entry(rules.agency.name()).or_insert(scan.view(inputs, rules.agency)?),
        };
        let (facts, open) = scan.facts(inputs, view, rules);
        let of_rules = plan(entries, rules, inputs.period, open)?;
        plans.extend(of_rules.iter().map(|group| group.query(facts.clone(), &scan.halves, inputs.period).logical_plan));
        groups.push(of_rules);
    }
    let mut tables = LazyFrame::collect_all_with_engine(plans, Engine::Streaming, OptFlags::default())?.into_iter();
    let procedures = scan.procedures.numbers.texts();
    for ((rules, entries), groups) in rule_sets.iter().zip(&groups) {
        let mut rows = Vec::new();
        for group in groups {
            rows.push(Rows::read(group, tables.next().expect("a table a group"))?);
        }
        let periods = periods(inputs, &rows);
        let assembly = Assembly {
            agencies: &views[rules.agency.name()].agencies,
            periods: &periods,
            with_dossiers: &with_dossiers(&periods, groups, &rows),
            rules: &rules.id,
            now: inputs.now,
        };
        for (group, rows) in groups.iter().zip(&rows) {
            for (index, measured) in &group.members {
                figures.extend(figures_of(inputs, &assembly, *entries[*index], group, measured, rows, &procedures)?);
            }
        }
        for entry in entries.iter().filter(|(definition, _)| definition.is_of_registry()) {
            figures.extend(assembly.of_registry(**entry, &Registry::read(inputs, entry.0)?, inputs.agencies));
        }
    }
    Ok(())
}

fn figures_of(
    inputs: &Inputs<'_>,
    assembly: &Assembly<'_>,
    entry: (&Definition, &str),
    group: &Group,
    measured: &Measured,
    rows: &Rows,
    procedures: &[String],
) -> Result<Vec<Figure>, IndicatorError> {
    let Measured::Now(places) = measured else {
        return Ok(match entry.0.kind {
            IndicatorKind::Stock => assembly.stock(entry, measured, rows)?,
            _ => assembly.additive(entry, measured, rows, None)?,
        });
    };
    Ok(match (entry.0.over, group.shape, places.having) {
        (Over::Agencies, ..) => assembly.of_agencies(entry, &Registry::read(inputs, entry.0)?, places, rows, inputs)?,
        (Over::Procedures, ..) => {
            assembly.of_procedures(entry, &Registry::read(inputs, entry.0)?, places, rows, procedures)?
        }
        (_, Shape::ByAmount, _) => assembly.medians(entry, rows),
        (_, _, Some(having)) => assembly.additive(entry, measured, rows, Some(&rows_having(rows, having)?))?,
        _ => assembly.additive(entry, measured, rows, None)?,
    })
}

/// The periods that figures are made for: those since the first reception or return, or the one that is asked for.
pub(super) fn periods(inputs: &Inputs<'_>, rows: &[Rows]) -> Periods {
    if let Some(period) = inputs.period {
        return Periods::only(period);
    }
    let first = rows.iter().flat_map(|rows| &rows.keys).map(|key| key.start).min();
    let now = half_of(local(inputs.now).date());
    Periods::named(first.unwrap_or(now + 1), now)
}

/// Whether anything was received in each period: what registries hold is told of those alone, so that one wrong date does not
/// open decades.
fn with_dossiers(periods: &Periods, groups: &[Group], rows: &[Rows]) -> Vec<bool> {
    let mut with = vec![periods.is_asked(); periods.all.len()];
    for (_, rows) in groups.iter().zip(rows).filter(|(group, _)| group.period == PeriodColumn::ReceivedAt) {
        for key in &rows.keys {
            periods.holding(key.start).iter().for_each(|place| with[*place] = true);
        }
    }
    with
}

/// What every rule set reads alike.
struct Scan {
    common: LazyFrame,
    days: Arc<WorkingDays>,
    halves: Halves,
    procedures: ProcedureRegister,
}

/// The same by whose dossiers they are.
struct View {
    facts: LazyFrame,
    agencies: Agencies,
}

impl Scan {
    fn new(inputs: &Inputs<'_>) -> Result<Self, IndicatorError> {
        let procedures = ProcedureRegister::new(inputs.procedures);
        let tables = [&inputs.dossiers, &inputs.dossier_notes, &inputs.postal_items].map(Clone::clone);
        let [dossiers, notes, postal] = tables;
        let common = common(dossiers, notes, postal, &procedures, inputs.now)?;
        Ok(Self { common, days: Arc::new(WorkingDays::new(inputs.calendar)), halves: Halves::new(), procedures })
    }

    fn view(&self, inputs: &Inputs<'_>, view: AgencyView) -> Result<View, IndicatorError> {
        let agencies = agencies_of(inputs, inputs.dossiers.clone(), agency_text(view))?;
        let facts = of_view(self.common.clone(), view, &agencies, &self.procedures, inputs.offers);
        Ok(View { facts, agencies })
    }

    /// Every dossier with the rule set's columns, and whether what is open can still end in the period.
    fn facts(&self, inputs: &Inputs<'_>, view: &View, rules: &RuleSet) -> (LazyFrame, Open) {
        // What is judged at the end of one period looks at no state after it.
        let moment = match inputs.period {
            Some(period) if rules.as_of == AsOf::PeriodEnd => inputs.now.min(end_of(period.end())),
            _ => inputs.now,
        };
        let facts = evident(view.facts.clone(), rules, inputs.now);
        let facts = states::computed_due(facts, rules, &self.days, &self.procedures.allowed);
        let facts = states::columns(facts, rules, moment);
        let facts = states::processing(facts, &self.days);
        (with_days(facts, moment), if moment == inputs.now { Open::InTime } else { Open::Nothing })
    }
}

/// Every dossier with a rule set's columns, for one period; with the agencies.
pub(super) fn facts(
    inputs: &Inputs<'_>,
    rules: &RuleSet,
    period: Period,
) -> Result<(LazyFrame, Agencies), IndicatorError> {
    let scan = Scan::new(inputs)?;
    let view = scan.view(inputs, rules.agency)?;
    let (facts, _) = scan.facts(&Inputs { period: Some(period), ..inputs.shallow() }, &view, rules);
    Ok((facts, view.agencies))
}

/// The dossiers of a period that make an indicator's whole, each with whether it counts as `part`, under a rule set that need
/// not be its own.
pub(super) fn counted(
    inputs: &Inputs<'_>,
    rules: &RuleSet,
    definition: &Definition,
    period: Period,
) -> Result<LazyFrame, IndicatorError> {
    let (facts, _) = facts(inputs, rules, period)?;
    let [_, whole, part] = Predicates::read(definition, rules)?.now();
    let inside = between(day_column(definition.period), period.start(), period.end());
    Ok(facts.filter(inside.and(whole)).with_columns([part.alias("part")]))
}

impl Inputs<'_> {
    fn shallow(&self) -> Inputs<'_> {
        Inputs {
            dossiers: self.dossiers.clone(),
            postal_items: self.postal_items.clone(),
            feedback: self.feedback.clone(),
            measures: self.measures.clone(),
            dossier_notes: self.dossier_notes.clone(),
            ..*self
        }
    }
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

/// Adds the days that group-bys start and end in, null where the dossier does not count by them: `received_day`,
/// `returned_day`, `ended_day` and `overdue_day`, the first at whose end it is overdue.
fn with_days(facts: LazyFrame, now: i64) -> LazyFrame {
    let known = |is: Expr, day: Expr, name: &str| when(is).then(day).otherwise(lit(NULL)).alias(name);
    // An ended dossier whose end has no date ended, as far as is known, when it was received.
    let end = coalesce(&[col("ends_at"), micros("received_at")]);
    facts.with_columns([
        known(col("is_received"), col("day"), "received_day"),
        known(col("is_returned"), col("returned_day"), "returned_day"),
        known(col("is_ended_now").and(col("is_received")), states::local_day(end), "ended_day"),
        known(
            col("open_overdue_from").lt(lit(now)),
            states::local_day(col("open_overdue_from") + lit(1)),
            "overdue_day",
        ),
    ])
}
