//! What is summed for an indicator: its predicates as columns of zeros and ones.

use polars::prelude::*;
use polars::sql::sql_expr;

use crate::indicators::{IndicatorError, states};
use crate::model::indicator::{Amount, Definition, IndicatorKind, Over};
use crate::model::predicate::{speaks_of_state, without_lists};
use crate::model::rules::RuleSet;

/// The columns that a group-by sums up, each once however many indicators need it.
#[derive(Debug, Default)]
pub(super) struct Sums {
    expressions: Vec<Expr>,
    highest: Vec<bool>,
}

impl Sums {
    fn sum(&mut self, expression: Expr) -> usize {
        self.place(expression, false)
    }

    fn place(&mut self, expression: Expr, highest: bool) -> usize {
        let known = self.expressions.iter().zip(&self.highest).position(|known| known == (&expression, &highest));
        known.unwrap_or_else(|| {
            self.expressions.push(expression);
            self.highest.push(highest);
            self.expressions.len() - 1
        })
    }

    /// Name of a column.
    pub(super) fn name(place: usize) -> PlSmallStr {
        format!("sum{place}").into()
    }

    pub(super) fn columns(&self) -> Vec<Expr> {
        self.expressions.iter().enumerate().map(|(place, sum)| sum.clone().alias(Self::name(place))).collect()
    }

    pub(super) fn aggregates(&self) -> Vec<Expr> {
        let aggregate = |(place, highest): (usize, &bool)| {
            let column = col(Self::name(place));
            if *highest { column.max() } else { column.sum() }
        };
        self.highest.iter().enumerate().map(aggregate).collect()
    }
}

/// Where the sums of an indicator stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) whole: usize,
    pub(super) part: usize,
    /// What the part would be if all that is open in time ended on time.
    pub(super) reachable: usize,
    pub(super) one_sided: Option<usize>,
    /// Dossiers that make their procedure one that has some.
    pub(super) having: Option<usize>,
    /// The day of the latest that counts.
    pub(super) last_day: Option<usize>,
}

/// An indicator's sums: as of one moment, or of those that have ended, are open in time and are overdue.
#[derive(Debug, Clone, Copy)]
pub(super) enum Measured {
    Now(Places),
    ByState([Places; 3]),
}

/// The predicates of one indicator under a rule set.
pub(super) struct Predicates<'a> {
    definition: &'a Definition,
    rules: &'a RuleSet,
    population: Expr,
    denominator: Expr,
    numerator: Expr,
}

impl<'a> Predicates<'a> {
    pub(super) fn read(definition: &'a Definition, rules: &'a RuleSet) -> Result<Self, IndicatorError> {
        let read = |text: &str| predicate(definition, text);
        Ok(Self {
            definition,
            rules,
            population: read(&definition.population)?,
            // A count has no whole: its part is counted over the population.
            denominator: read(definition.denominator.as_deref().unwrap_or("TRUE"))?,
            numerator: read(&definition.numerator)?,
        })
    }

    fn at_moment(&self, predicate: &Expr, text: &str) -> Expr {
        if !speaks_of_state(text) {
            return predicate.clone();
        }
        (0..states::STATES.len())
            .map(|state| col(states::STATES[state]).and(in_state(predicate, state, self.rules)))
            .reduce(Expr::or)
            .expect("there are four states")
    }

    /// Population, whole and part as of the rule set's moment.
    pub(super) fn now(&self) -> [Expr; 3] {
        let population = self.at_moment(&self.population, &self.definition.population);
        let denominator = self.definition.denominator.as_deref().unwrap_or("TRUE");
        let whole = population.clone().and(self.at_moment(&self.denominator, denominator));
        let part = whole.clone().and(self.at_moment(&self.numerator, &self.definition.numerator));
        [population, whole, part]
    }

    /// Sums as of the rule set's moment; of dossiers that lie in the period asked for where others are read too.
    pub(super) fn sum_now(
        &self,
        sums: &mut Sums,
        open: Open,
        inside: Option<&Expr>,
    ) -> Result<Measured, IndicatorError> {
        let [population, whole, part] = self.now();
        let reachable = match open {
            Open::All => whole.clone(),
            Open::InTime if speaks_of_state(&self.definition.numerator) => {
                let hopeful = col(states::STATES[2]).and(col("can_end_on_time"));
                part.clone().or(whole.clone().and(hopeful).and(in_state(&self.numerator, 0, self.rules)))
            }
            Open::InTime | Open::Nothing => part.clone(),
        };
        let counted = |expression: Expr| match inside {
            Some(inside) => inside.clone().and(expression),
            None => expression,
        };
        let one_sided = evidence_column(self.definition).map(|evidence| counted(part.clone().and(col(evidence))));
        let having = match &self.definition.having {
            Some(having) => Some(population.and(predicate(self.definition, having)?)),
            None => None,
        };
        let part_counts = counted(part.clone());
        let last_day = (self.definition.over == Over::Agencies)
            .then(|| when(part_counts.clone()).then(col("received_day")).otherwise(lit(NULL)));
        // A mean is the sum of what is known over those of which it is known.
        let [whole, part_counts, reachable] = match (self.definition.kind, self.definition.of) {
            (IndicatorKind::Mean, Some(amount)) => {
                let amount = amount_of(amount);
                let known = part_counts.and(amount.clone().is_not_null());
                let sum = when(known.clone()).then(amount).otherwise(lit(0_i64));
                [known, sum.clone(), sum]
            }
            _ => [counted(whole), part_counts, counted(reachable)],
        };
        Ok(Measured::Now(Places {
            whole: sums.sum(whole),
            part: sums.sum(part_counts),
            reachable: sums.sum(reachable),
            one_sided: one_sided.map(|one_sided| sums.sum(one_sided)),
            having: having.map(|having| sums.sum(having)),
            last_day: last_day.map(|day| sums.place(day, true)),
        }))
    }

    /// Sums of those that have ended, of those that are open in time and of those that are overdue.
    pub(super) fn sum_by_state(&self, sums: &mut Sums) -> Measured {
        let in_state = |predicate: &Expr, state: usize| in_state(predicate, state, self.rules);
        let whole = |state: usize| in_state(&self.population, state).and(in_state(&self.denominator, state));
        let part = |state: usize| whole(state).and(in_state(&self.numerator, state));
        let ended = |of: &dyn Fn(usize) -> Expr| {
            let (on_time, late) = (of(0), of(1));
            if on_time == late {
                on_time
            } else {
                when(col("ended_on_time").fill_null(lit(false))).then(on_time).otherwise(late)
            }
        };
        let hopeful = part(2).or(whole(2).and(col("can_end_on_time")).and(in_state(&self.numerator, 0)));
        let mut places = |whole: Expr, part: Expr, reachable: Expr| Places {
            whole: sums.sum(whole),
            part: sums.sum(part),
            reachable: sums.sum(reachable),
            one_sided: None,
            having: None,
            last_day: None,
        };
        Measured::ByState([
            places(ended(&whole), ended(&part), ended(&part)),
            places(whole(2), part(2), hopeful),
            places(whole(3), part(3), part(3)),
        ])
    }
}

/// What can still come to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// Nothing: the moment is past.
    Nothing,
    /// Dossiers that are open in time.
    InTime,
    /// Whatever does not count yet.
    All,
}

/// What is added up or ordered for means and medians.
pub(super) fn amount_of(amount: Amount) -> Expr {
    match amount {
        Amount::ProcessingHours => col("processing_hours"),
    }
}

/// Parses a predicate; a null is no.
fn predicate(definition: &Definition, text: &str) -> Result<Expr, IndicatorError> {
    sql_expr(without_lists(text)).map(|expr| expr.fill_null(lit(false))).map_err(|error| IndicatorError::Predicate {
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
