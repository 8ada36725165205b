//! The columns that group-bys sum up: an indicator's predicates as expressions that are 1 (true) or 0 (false) per
//! dossier.

use polars::prelude::*;
use polars::sql::sql_expr;

use crate::indicators::IndicatorError;
use crate::indicators::predicate_text::without_lists;
use crate::indicators::states::{self, LATE, ON_TIME, OVERDUE, PENDING};
use crate::model::indicator::{Amount, CountedUnit, IndicatorDefinition, IndicatorKind, OtherDossiers};
use crate::model::predicate::names_state_column;
use crate::model::rules::RuleSet;

/// The columns that a group-by aggregates. Equal expressions of several indicators share one column.
#[derive(Debug, Default)]
pub(super) struct SumColumns {
    expressions: Vec<Expr>,
    /// Whether the column's maximum is taken instead of its sum, by position.
    is_maximum: Vec<bool>,
}

impl SumColumns {
    /// Adds an expression to be summed and returns its position.
    fn sum(&mut self, expression: Expr) -> usize {
        self.position(expression, false)
    }

    /// Adds an expression whose maximum is taken and returns its position.
    fn maximum(&mut self, expression: Expr) -> usize {
        self.position(expression, true)
    }

    fn position(&mut self, expression: Expr, is_maximum: bool) -> usize {
        let known = self.expressions.iter().zip(&self.is_maximum).position(|known| known == (&expression, &is_maximum));
        known.unwrap_or_else(|| {
            self.expressions.push(expression);
            self.is_maximum.push(is_maximum);
            self.expressions.len() - 1
        })
    }

    /// Name of the column at a position.
    pub(super) fn name(position: usize) -> PlSmallStr {
        format!("sum{position}").into()
    }

    pub(super) fn columns(&self) -> Vec<Expr> {
        let named = |(position, expression): (usize, &Expr)| expression.clone().alias(Self::name(position));
        self.expressions.iter().enumerate().map(named).collect()
    }

    pub(super) fn aggregates(&self) -> Vec<Expr> {
        let aggregate = |(position, is_maximum): (usize, &bool)| {
            let column = col(Self::name(position));
            if *is_maximum { column.max() } else { column.sum() }
        };
        self.is_maximum.iter().enumerate().map(aggregate).collect()
    }
}

/// Positions of an indicator's sums in [`SumColumns`].
#[derive(Debug, Clone, Copy)]
pub(super) struct SumPositions {
    pub(super) denominator: usize,
    pub(super) numerator: usize,
    /// The numerator if every dossier that is open in time ended on time.
    pub(super) reachable: usize,
    pub(super) one_sided: Option<usize>,
    /// Dossiers of the population for which `having` is true.
    pub(super) procedures_with: Option<usize>,
    /// Day of the latest dossier in the numerator.
    pub(super) last_day: Option<usize>,
}

/// The sums of an indicator in one group-by.
#[derive(Debug, Clone, Copy)]
pub(super) enum IndicatorSums {
    /// By the state at the rule set's moment.
    AtMoment(SumPositions),
    /// By the state that a row has at the end of a period: ended, open in time, overdue.
    ByState([SumPositions; 3]),
}

/// The predicates of an indicator under a rule set, as Polars expressions over the facts.
pub(super) struct IndicatorPredicates<'a> {
    definition: &'a IndicatorDefinition,
    rules: &'a RuleSet,
    population: Expr,
    denominator: Expr,
    numerator: Expr,
    numerator_text: &'a str,
}

impl<'a> IndicatorPredicates<'a> {
    pub(super) fn read(definition: &'a IndicatorDefinition, rules: &'a RuleSet) -> Result<Self, IndicatorError> {
        let read = |text: &str| predicate(definition, text);
        Ok(Self {
            definition,
            rules,
            population: read(&definition.population)?,
            // A count has no denominator: its numerator is counted over the population.
            denominator: read(definition.denominator.as_deref().unwrap_or("TRUE"))?,
            numerator: read(&definition.numerator)?,
            numerator_text: &definition.numerator,
        })
    }

    /// The same with the numerator of other dossiers that the indicator also counts.
    pub(super) fn read_other(
        definition: &'a IndicatorDefinition,
        other: &'a OtherDossiers,
        rules: &'a RuleSet,
    ) -> Result<Self, IndicatorError> {
        let numerator = predicate(definition, &other.numerator)?;
        Ok(Self { numerator, numerator_text: &other.numerator, ..Self::read(definition, rules)? })
    }

    /// A predicate as of the rule set's moment: in which state the dossier is, and what the predicate is in that state.
    fn predicate_at_moment(&self, predicate: &Expr, text: &str) -> Expr {
        if !names_state_column(text) {
            return predicate.clone();
        }
        (0..states::STATES.len())
            .map(|state| col(states::STATES[state]).and(in_state(predicate, state, self.rules)))
            .reduce(Expr::or)
            .expect("there are four states")
    }

    /// Whether a dossier is in the population, the denominator and the numerator, as of the rule set's moment.
    pub(super) fn at_moment(&self) -> [Expr; 3] {
        let definition = self.definition;
        let in_population = self.predicate_at_moment(&self.population, &definition.population);
        let denominator = definition.denominator.as_deref().unwrap_or("TRUE");
        let in_denominator = in_population.clone().and(self.predicate_at_moment(&self.denominator, denominator));
        let numerator = self.predicate_at_moment(&self.numerator, self.numerator_text);
        let in_numerator = in_denominator.clone().and(numerator);
        [in_population, in_denominator, in_numerator]
    }

    /// Adds the sums as of the rule set's moment. `inside`: the condition for the period asked for, if the group-by
    /// also reads dossiers outside it.
    pub(super) fn sum_at_moment(
        &self,
        sums: &mut SumColumns,
        still_reachable: StillReachable,
        inside: Option<&Expr>,
    ) -> Result<IndicatorSums, IndicatorError> {
        let [in_population, in_denominator, in_numerator] = self.at_moment();
        let reachable = match still_reachable {
            StillReachable::Everything => in_denominator.clone(),
            StillReachable::OpenInTime if names_state_column(self.numerator_text) => {
                let can_end_on_time = col(states::STATES[PENDING]).and(col("can_end_on_time"));
                let would_count = in_state(&self.numerator, ON_TIME, self.rules);
                in_numerator.clone().or(in_denominator.clone().and(can_end_on_time).and(would_count))
            }
            StillReachable::OpenInTime | StillReachable::Nothing => in_numerator.clone(),
        };
        let counted = |expression: Expr| match inside {
            Some(inside) => inside.clone().and(expression),
            None => expression,
        };
        let one_sided =
            evidence_column(self.definition).map(|evidence| counted(in_numerator.clone().and(col(evidence))));
        let procedures_with = match &self.definition.having {
            Some(having) => Some(in_population.and(predicate(self.definition, having)?)),
            None => None,
        };
        let in_numerator = counted(in_numerator);
        let last_day = (self.definition.over == CountedUnit::Agencies)
            .then(|| when(in_numerator.clone()).then(col("received_day")).otherwise(lit(NULL)));
        // A mean is the sum of the known amounts over the number of dossiers whose amount is known.
        let [denominator, numerator, reachable] = match (self.definition.kind, self.definition.of) {
            (IndicatorKind::Mean, Some(amount)) => {
                let amount = amount_of(amount);
                let is_known = in_numerator.and(amount.clone().is_not_null());
                let sum = when(is_known.clone()).then(amount).otherwise(lit(0_i64));
                [is_known, sum.clone(), sum]
            }
            _ => [counted(in_denominator), in_numerator, counted(reachable)],
        };
        Ok(IndicatorSums::AtMoment(SumPositions {
            denominator: sums.sum(denominator),
            numerator: sums.sum(numerator),
            reachable: sums.sum(reachable),
            one_sided: one_sided.map(|one_sided| sums.sum(one_sided)),
            procedures_with: procedures_with.map(|condition| sums.sum(condition)),
            last_day: last_day.map(|day| sums.maximum(day)),
        }))
    }

    /// Adds the sums that a row has once its dossiers have ended, while they are open in time, and while they are
    /// overdue.
    pub(super) fn sum_by_state(&self, sums: &mut SumColumns) -> IndicatorSums {
        let in_state = |predicate: &Expr, state: usize| in_state(predicate, state, self.rules);
        let denominator = |state: usize| in_state(&self.population, state).and(in_state(&self.denominator, state));
        let numerator = |state: usize| denominator(state).and(in_state(&self.numerator, state));
        let ended = |value_in: &dyn Fn(usize) -> Expr| {
            let (on_time, late) = (value_in(ON_TIME), value_in(LATE));
            if on_time == late {
                on_time
            } else {
                when(col("ended_on_time").fill_null(lit(false))).then(on_time).otherwise(late)
            }
        };
        let would_count = in_state(&self.numerator, ON_TIME);
        let reachable = numerator(PENDING).or(denominator(PENDING).and(col("can_end_on_time")).and(would_count));
        let mut positions = |denominator: Expr, numerator: Expr, reachable: Expr| SumPositions {
            denominator: sums.sum(denominator),
            numerator: sums.sum(numerator),
            reachable: sums.sum(reachable),
            one_sided: None,
            procedures_with: None,
            last_day: None,
        };
        IndicatorSums::ByState([
            positions(ended(&denominator), ended(&numerator), ended(&numerator)),
            positions(denominator(PENDING), numerator(PENDING), reachable),
            positions(denominator(OVERDUE), numerator(OVERDUE), numerator(OVERDUE)),
        ])
    }
}

/// Which dossiers that are not in the numerator can still come into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StillReachable {
    /// None: the moment is in the past.
    Nothing,
    /// Dossiers that are open in time.
    OpenInTime,
    /// All of the denominator.
    Everything,
}

/// The amount of a dossier that a mean adds up or a median orders.
pub(super) fn amount_of(amount: Amount) -> Expr {
    match amount {
        Amount::ProcessingHours => col("processing_hours"),
    }
}

/// Parses a predicate. Null counts as false.
fn predicate(definition: &IndicatorDefinition, text: &str) -> Result<Expr, IndicatorError> {
    sql_expr(without_lists(text)).map(|expr| expr.fill_null(lit(false))).map_err(|error| IndicatorError::Predicate {
        indicator: definition.id.clone(),
        predicate: text.to_owned(),
        message: error.to_string(),
    })
}

/// A predicate with its state columns replaced by their values in one state.
fn in_state(predicate: &Expr, state: usize, rules: &RuleSet) -> Expr {
    predicate.clone().map_expr(|part| match &part {
        Expr::Column(name) => states::value_in(state, name, rules).unwrap_or(part),
        _ => part,
    })
}

/// The fact that is true if only one of portal and post has evidence of what the numerator counts; `None` if the post
/// plays no part in it.
pub(super) fn evidence_column(definition: &IndicatorDefinition) -> Option<&'static str> {
    if definition.numerator.contains("is_postal_submission") {
        Some("submission_one_sided")
    } else if definition.numerator.contains("is_postal_return") {
        Some("return_one_sided")
    } else {
        None
    }
}
