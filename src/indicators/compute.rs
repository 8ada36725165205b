//! One streaming scan for every rule set, indicator and group-by.
//!
//! Starts and ends are half-months, of which every named period is a union; or one period is asked for, and only its days
//! are counted. What the group-bys are by stands in `groups` (docs/decisions/0006).

use std::collections::HashMap;
use std::sync::Arc;

use polars::prelude::*;

use crate::calendar::{WorkingCalendar, WorkingDays};
use crate::indicators::agencies::Agencies;
use crate::indicators::facts::{NoteRegister, PostRegister, agency_text, common, evident};
use crate::indicators::figures::{Assembly, Indicator, Rows, end_of, rows_having};
use crate::indicators::groups::{Group, Shape, between, day_column, plan};
use crate::indicators::measures::{Measured, Open, Predicates};
use crate::indicators::periods::Periods;
use crate::indicators::registered::Registry;
use crate::indicators::registers::{AgencyRegister, Halves, OfferRegister, ProcedureRegister};
use crate::indicators::states::micros;
use crate::indicators::{IndicatorError, feedback, stated, states};
use crate::model::agency::{Agency, Succession, Tier};
use crate::model::figure::Figure;
use crate::model::indicator::{Definition, IndicatorKind, Over, PeriodColumn};
use crate::model::instant::local;
use crate::model::period::{Period, half_of};
use crate::model::procedure::{Offer, Procedure};
use crate::model::rules::{AgencyView, AsOf, RuleSet};

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
    /// How many dossiers are read at once: bounds the memory, not the result. [`ROWS_AT_ONCE`] where nothing speaks against it.
    pub rows_at_once: u32,
}

impl std::fmt::Debug for Inputs<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Inputs")
            .field("indicators", &self.indicators.len())
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// The indicators of one rule set.
type Entries<'a> = Vec<Indicator<'a>>;

/// Computes every figure, in a stable order.
///
/// # Errors
/// A predicate that Polars does not take, or a table that cannot be scanned.
pub fn compute(inputs: &Inputs<'_>) -> Result<Vec<Figure>, IndicatorError> {
    let mut figures = Vec::new();
    let mut over_dossiers = Vec::new();
    for &rules in inputs.rules {
        let of_rules = inputs.indicators.iter().filter(|(definition, _)| definition.rules == rules.id);
        let entries = of_rules.map(|(definition, digest)| Indicator {
            definition,
            id: definition.id.as_str().into(),
            digest: (*digest).into(),
        });
        let (of_feedback, others): (Entries<'_>, Entries<'_>) =
            entries.partition(|entry| entry.definition.over == Over::Feedback);
        let (stated, dossiers): (Entries<'_>, Entries<'_>) =
            others.into_iter().partition(|entry| entry.definition.over == Over::Measures);
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
    put_in_order(&mut figures);
    Ok(figures)
}

/// The order in which figures are computed, stored and published.
pub fn put_in_order(figures: &mut [Figure]) {
    figures.sort_unstable_by(|left: &Figure, right: &Figure| key(left).cmp(&key(right)));
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
    for (rules, entries) in rule_sets {
        groups.push(plan(entries, rules, inputs.period, open_at(inputs, rules).1)?);
        if !views.contains_key(rules.agency.name()) {
            views.insert(rules.agency.name(), scan.view(inputs, rules.agency)?);
        }
    }
    let mut rows: Vec<Vec<Rows>> = groups.iter().map(|groups| groups.iter().map(Rows::of).collect()).collect();
    for dossiers in parts(inputs)? {
        let common = scan.common(dossiers);
        let shared: HashMap<&str, LazyFrame> =
            views.iter().map(|(name, view)| (*name, view.join(common.clone()).cache())).collect();
        let mut plans = Vec::new();
        for ((rules, _), groups) in rule_sets.iter().zip(&groups) {
            let facts = scan.facts(inputs, shared[rules.agency.name()].clone(), rules).cache();
            plans.extend(
                groups.iter().map(|group| group.query(facts.clone(), &scan.halves, inputs.period).logical_plan),
            );
        }
        let found = LazyFrame::collect_all_with_engine(plans, Engine::Streaming, OptFlags::default())?;
        for (rows, found) in rows.iter_mut().flatten().zip(found) {
            rows.add(&found)?;
        }
    }
    let procedures = scan.procedures.numbers.texts();
    for (((rules, entries), groups), rows) in rule_sets.iter().zip(&groups).zip(rows) {
        let periods = periods(inputs, &rows);
        let assembly = Assembly {
            agencies: &views[rules.agency.name()].agencies,
            periods: &periods,
            with_dossiers: &with_dossiers(&periods, groups, &rows),
            rules: rules.id.as_str().into(),
            now: inputs.now,
        };
        for (group, rows) in groups.iter().zip(rows) {
            for (index, measured) in &group.members {
                figures.extend(figures_of(inputs, &assembly, &entries[*index], group, measured, &rows, &procedures)?);
            }
        }
        for entry in entries.iter().filter(|entry| entry.definition.is_of_registry()) {
            figures.extend(assembly.of_registry(entry, &Registry::read(inputs, entry.definition)?, inputs.agencies));
        }
    }
    Ok(())
}

fn figures_of(
    inputs: &Inputs<'_>,
    assembly: &Assembly<'_>,
    entry: &Indicator<'_>,
    group: &Group,
    measured: &Measured,
    rows: &Rows,
    procedures: &[String],
) -> Result<Vec<Figure>, IndicatorError> {
    let Measured::Now(places) = measured else {
        return Ok(match entry.definition.kind {
            IndicatorKind::Stock => assembly.stock(entry, measured, rows),
            _ => assembly.additive(entry, measured, rows, None),
        });
    };
    Ok(match (entry.definition.over, group.shape, places.having) {
        (Over::Agencies, ..) => {
            assembly.of_agencies(entry, &Registry::read(inputs, entry.definition)?, places, rows, inputs)
        }
        (Over::Procedures, ..) => assembly.of_procedures(
            entry,
            &Registry::read(inputs, entry.definition)?,
            places,
            rows,
            (inputs.agencies, procedures),
        ),
        (_, Shape::ByAmount, _) => assembly.medians(entry, rows),
        (_, _, Some(having)) => assembly.additive(entry, measured, rows, Some(&rows_having(rows, having))),
        _ => assembly.additive(entry, measured, rows, None),
    })
}

/// The periods that figures are made for: those since the first reception or return, or the one that is asked for.
pub(super) fn periods(inputs: &Inputs<'_>, rows: &[Rows]) -> Periods {
    if let Some(period) = inputs.period {
        return Periods::only(period);
    }
    let first = rows.iter().flat_map(Rows::keys).map(|key| key.start).min();
    let now = half_of(local(inputs.now).date());
    Periods::named(first.unwrap_or(now + 1), now)
}

/// Whether anything was received in each period: what registries hold is told of those alone, so that one wrong date does not
/// open decades.
fn with_dossiers(periods: &Periods, groups: &[Group], rows: &[Rows]) -> Vec<bool> {
    let mut with = vec![false; periods.all.len()];
    // Where one period is asked for, other group-bys read dossiers of earlier ones too.
    let tells = |group: &Group| {
        group.period == PeriodColumn::ReceivedAt && (group.shape == Shape::Plain || !periods.is_asked())
    };
    for (_, rows) in groups.iter().zip(rows).filter(|(group, _)| tells(group)) {
        for key in rows.keys() {
            periods.holding(key.start).iter().for_each(|place| with[*place] = true);
        }
    }
    with
}

/// How many dossiers are read at once.
pub const ROWS_AT_ONCE: u32 = 1 << 20;

/// The dossiers in parts: Polars holds what one group-by has read and another has not, however much it is, so that a part
/// bounds the memory of a night.
fn parts(inputs: &Inputs<'_>) -> PolarsResult<Vec<LazyFrame>> {
    let count = inputs.dossiers.clone().select([len()]).collect_with_engine(Engine::Streaming)?.unwrap_single();
    let count = count.column("len")?.cast(&DataType::UInt32)?.u32()?.get(0).unwrap_or(0);
    let parts = count.div_ceil(inputs.rows_at_once).max(1);
    let part = |number: u32| {
        inputs.dossiers.clone().slice(i64::from(number) * i64::from(inputs.rows_at_once), inputs.rows_at_once)
    };
    Ok((0..parts).map(part).collect())
}

/// What every rule set reads alike.
struct Scan {
    notes: NoteRegister,
    post: PostRegister,
    procedures: ProcedureRegister,
    days: Arc<WorkingDays>,
    halves: Halves,
}

/// In whose rows dossiers stand. Which of them count, and what is offered, is a matter of the competent agency in every view, so
/// that a view moves dossiers and neither adds nor drops any.
struct View {
    agencies: Agencies,
    competent: AgencyRegister,
    offers: OfferRegister,
    /// Whose rows, where that is not the competent agency's.
    other: Option<(AgencyRegister, Expr)>,
}

impl View {
    fn join(&self, common: LazyFrame) -> LazyFrame {
        let facts = self.offers.join(self.competent.join(common, agency_text(AgencyView::Competent)));
        match &self.other {
            Some((register, text)) => facts.with_columns([register.number(text.clone())]),
            None => facts,
        }
    }
}

impl Scan {
    fn new(inputs: &Inputs<'_>) -> Result<Self, IndicatorError> {
        Ok(Self {
            notes: NoteRegister::read(inputs.dossier_notes.clone(), inputs.now)?,
            post: PostRegister::read(inputs.postal_items.clone(), inputs.now)?,
            procedures: ProcedureRegister::new(inputs.procedures),
            days: Arc::new(WorkingDays::new(inputs.calendar)),
            halves: Halves::new(),
        })
    }

    fn common(&self, dossiers: LazyFrame) -> LazyFrame {
        common(dossiers, &self.notes, &self.post, &self.procedures)
    }

    fn view(&self, inputs: &Inputs<'_>, view: AgencyView) -> Result<View, IndicatorError> {
        let agencies = |view| agencies_of(inputs, inputs.dossiers.clone(), agency_text(view));
        let competent = agencies(AgencyView::Competent)?;
        let (register, offers) =
            (AgencyRegister::new(&competent), OfferRegister::new(inputs.offers, &self.procedures, &competent));
        if view == AgencyView::Competent {
            return Ok(View { agencies: competent, competent: register, offers, other: None });
        }
        let agencies = agencies(view)?;
        let other = Some((AgencyRegister::new(&agencies), agency_text(view)));
        Ok(View { agencies, competent: register, offers, other })
    }

    /// Every dossier with the rule set's columns.
    fn facts(&self, inputs: &Inputs<'_>, of_view: LazyFrame, rules: &RuleSet) -> LazyFrame {
        let (moment, _) = open_at(inputs, rules);
        let facts = evident(of_view, rules, inputs.now);
        let facts = states::computed_due(facts, rules, &self.days, &self.procedures.allowed);
        let facts = states::columns(facts, rules, moment);
        let facts = states::processing(facts, &self.days);
        with_days(facts, moment)
    }
}

/// The moment at which dossiers are judged, and whether what is open then can still end in the period.
fn open_at(inputs: &Inputs<'_>, rules: &RuleSet) -> (i64, Open) {
    // What is judged at the end of one period looks at no state after it.
    let moment = match inputs.period {
        Some(period) if rules.as_of == AsOf::PeriodEnd => inputs.now.min(end_of(period.end())),
        _ => inputs.now,
    };
    (moment, if moment == inputs.now { Open::InTime } else { Open::Nothing })
}

/// Every dossier with a rule set's columns, for one period; with the agencies.
pub(super) fn facts(
    inputs: &Inputs<'_>,
    rules: &RuleSet,
    period: Period,
) -> Result<(LazyFrame, Agencies), IndicatorError> {
    let scan = Scan::new(inputs)?;
    let view = scan.view(inputs, rules.agency)?;
    let of_view = view.join(scan.common(inputs.dossiers.clone()));
    let facts = scan.facts(&Inputs { period: Some(period), ..inputs.shallow() }, of_view, rules);
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
