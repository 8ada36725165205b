//! The columns that group-bys sum up: an indicator's predicates as expressions that are 1 (true) or 0 (false) per
//! dossier.
//!
//! Predicates have SQL's three values. Only here, where they are counted, does null get a place: in the denominator and
//! null for the numerator is *unknown*, null for the denominator is *undecided*.

use crate::expressions::{Expression, Phase, Settings, can_be_unknown, dossier_facts, names_state, parse};
use crate::indicators::IndicatorError;
use crate::model::indicator::{Amount, CountedUnit, IndicatorDefinition, IndicatorKind, OtherDossiers};
use crate::model::rules::RuleSet;

/// The expressions that a group-by adds up. Equal ones of several indicators are added up once.
#[derive(Debug, Default)]
pub(super) struct SumColumns(Vec<(Expression, Summed)>);

/// What is made of the values of a row's dossiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Summed {
    /// How many of them are true.
    Flag,
    /// Their sum.
    Amount,
    /// Their maximum.
    LatestDay,
}

impl SumColumns {
    /// Adds a condition to be counted and returns its position.
    fn sum(&mut self, expression: Expression) -> usize {
        self.position(expression, Summed::Flag)
    }

    fn position(&mut self, expression: Expression, summed: Summed) -> usize {
        let wanted = (expression, summed);
        let known = self.0.iter().position(|known| *known == wanted);
        known.unwrap_or_else(|| {
            self.0.push(wanted);
            self.0.len() - 1
        })
    }

    pub(super) fn expressions(&self) -> impl ExactSizeIterator<Item = &Expression> {
        self.0.iter().map(|(expression, _)| expression)
    }

    pub(super) fn summed(&self, position: usize) -> Summed {
        self.0[position].1
    }
}

/// Positions of an indicator's sums in [`SumColumns`]; `None` for sums that are always 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct SumPositions {
    pub(super) denominator: usize,
    pub(super) numerator: usize,
    /// Dossiers of the denominator of which it is not known whether they are in the numerator; of a mean or median
    /// those whose amount is not known.
    pub(super) unknown: Option<usize>,
    /// Dossiers of which it is not known whether they are in the denominator.
    pub(super) undecided: Option<usize>,
    /// The numerator if every dossier that is open in time ended on time.
    pub(super) reachable: usize,
    pub(super) one_sided: Option<usize>,
    /// Dossiers of the population for which `having` is true.
    pub(super) procedures_with: Option<usize>,
    /// Dossiers that may be of the population, with `having` possibly true.
    pub(super) procedures_maybe_with: Option<usize>,
    /// Day of the latest dossier in the numerator.
    pub(super) last_day: Option<usize>,
}

/// The sums of an indicator in one group-by.
#[derive(Debug, Clone)]
pub(super) enum IndicatorSums {
    /// By the state at the rule set's moment.
    AtMoment(SumPositions),
    /// By the state that a row has at the end of a period: ended, open in time, overdue.
    ByState(Box<[SumPositions; 3]>),
}

/// What a dossier is to an indicator: conditions that are true or false for every dossier.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    /// In the denominator, for certain.
    pub(super) denominator: Expression,
    /// It is not known whether it is in the denominator; `None` if that is always known.
    pub(super) undecided: Option<Expression>,
    /// For dossiers of the denominator: whether it is in the numerator. Null if that is not known.
    pub(super) numerator: Expression,
    /// Whether `numerator` is null for any dossier.
    can_be_unknown: bool,
}

impl Membership {
    /// In the denominator and in the numerator, for certain.
    fn in_numerator(&self) -> Expression {
        let numerator = self.numerator.clone();
        let certain = if self.can_be_unknown { numerator.is_true() } else { numerator };
        self.denominator.clone().and(certain)
    }

    /// In the denominator, while it is not known whether it is in the numerator; `None` if that is always known.
    fn unknown(&self) -> Option<Expression> {
        self.can_be_unknown.then(|| self.denominator.clone().and(self.numerator.clone().is_null()))
    }
}

/// A predicate and whether it is null for any dossier.
#[derive(Debug)]
struct Predicate {
    expression: Expression,
    can_be_unknown: bool,
}

/// The predicates of an indicator under a rule set, as expressions over the facts. They are null where a fact
/// that decides them is not known.
pub(super) struct IndicatorPredicates<'a> {
    definition: &'a IndicatorDefinition,
    settings: Settings,
    /// Population and denominator: a count has no denominator, its numerator is counted over the population.
    counted: Predicate,
    population: Predicate,
    numerator: Predicate,
}

impl<'a> IndicatorPredicates<'a> {
    pub(super) fn read(definition: &'a IndicatorDefinition, rules: &'a RuleSet) -> Result<Self, IndicatorError> {
        let read = |text: &str| predicate(definition, text);
        let population = read(&definition.population)?;
        let counted = match &definition.denominator {
            Some(denominator) => {
                let denominator = read(denominator)?;
                Predicate {
                    can_be_unknown: population.can_be_unknown || denominator.can_be_unknown,
                    expression: population.expression.clone().and(denominator.expression),
                }
            }
            None => Predicate { expression: population.expression.clone(), ..population },
        };
        let numerator = read(&definition.numerator)?;
        Ok(Self { definition, settings: Settings::of_rules(rules), counted, population, numerator })
    }

    /// The same with the numerator of other dossiers that the indicator also counts.
    pub(super) fn read_other(
        definition: &'a IndicatorDefinition,
        other: &'a OtherDossiers,
        rules: &'a RuleSet,
    ) -> Result<Self, IndicatorError> {
        let numerator = predicate(definition, &other.numerator)?;
        Ok(Self { numerator, ..Self::read(definition, rules)? })
    }

    /// What a dossier is to the indicator as of the rule set's moment.
    pub(super) fn at_moment(&self) -> Membership {
        self.membership(&Expression::clone)
    }

    /// What a dossier is to the indicator while it is in a phase.
    fn in_phase(&self, phase: Phase) -> Membership {
        self.membership(&|expression| dossier_facts().in_phase(expression, phase, &self.settings))
    }

    fn membership(&self, of: &dyn Fn(&Expression) -> Expression) -> Membership {
        let counted = of(&self.counted.expression);
        let (denominator, undecided) = if self.counted.can_be_unknown {
            (counted.clone().is_true(), Some(counted.is_null()))
        } else {
            (counted, None)
        };
        Membership {
            denominator,
            undecided,
            numerator: of(&self.numerator.expression),
            can_be_unknown: self.numerator.can_be_unknown,
        }
    }

    /// Dossiers of the denominator that are open in time and would be in the numerator if they ended on time.
    fn would_count(&self, membership: &Membership, is_open_in_time: Expression) -> Expression {
        let numerator = &self.numerator.expression;
        let would_count = dossier_facts().in_phase(numerator, Phase::EndedOnTime, &self.settings).is_true();
        let is_known = membership.numerator.clone().is_null().negated();
        let can_end = Expression::column("can_end_on_time");
        membership.denominator.clone().and(is_open_in_time).and(can_end).and(would_count).and(is_known)
    }

    /// Of a ratio the conditions for denominator, numerator and unknown, and for the numerator if every dossier that is open in
    /// time ended on time.
    pub(super) fn standing(&self) -> [Expression; 4] {
        let membership = self.at_moment();
        let in_numerator = membership.in_numerator();
        let unknown = membership.unknown().unwrap_or(Expression::Flag(false));
        let would_count = self.would_count(&membership, Expression::column("is_pending").is_true());
        [membership.denominator, in_numerator.clone(), unknown, in_numerator.or(would_count)]
    }

    /// Adds the sums as of the rule set's moment. `inside`: the condition for the period asked for, if the group-by
    /// also reads dossiers outside it.
    pub(super) fn sum_at_moment(
        &self,
        sums: &mut SumColumns,
        still_reachable: StillReachable,
        inside: Option<&Expression>,
    ) -> Result<IndicatorSums, IndicatorError> {
        let membership = self.at_moment();
        let in_numerator = membership.in_numerator();
        let reachable = match still_reachable {
            StillReachable::Everything => membership.denominator.clone(),
            StillReachable::OpenInTime if names_state(&self.numerator.expression) => {
                let is_open_in_time = Expression::column("is_pending").is_true();
                in_numerator.clone().or(self.would_count(&membership, is_open_in_time))
            }
            StillReachable::OpenInTime | StillReachable::Nothing => in_numerator.clone(),
        };
        let counted = |expression: Expression| match inside {
            Some(inside) => inside.clone().and(expression),
            None => expression,
        };
        let one_sided = evidence_column(self.definition)
            .map(|evidence| counted(in_numerator.clone().and(Expression::column(evidence))));
        let [procedures_with, procedures_maybe_with] = self.procedures_with()?;
        let in_numerator = counted(in_numerator);
        let last_day = (self.definition.over == CountedUnit::Agencies)
            .then(|| Expression::case(in_numerator.clone(), Expression::column("received_day"), Expression::Null));
        let unknown = membership.unknown().map(counted);
        // A procedure may have a dossier of the numerator only because of one that may be in the numerator.
        let undecided = membership.undecided.clone().map(|undecided| match self.definition.over {
            CountedUnit::Procedures => counted(undecided.and(membership.numerator.clone().is_not_false())),
            _ => counted(undecided),
        });
        let mut summed = Summed::Flag;
        let ([denominator, numerator, reachable], unknown) = match self.definition.of {
            // A mean is the sum of the known amounts over the number of dossiers whose amount is known; of a median the
            // known amounts are counted.
            Some(amount) => {
                let amount = amount_of(amount);
                let is_known = in_numerator.clone().and(amount.clone().is_null().negated());
                let is_unknown = in_numerator.and(amount.clone().is_null());
                let is_unknown = unknown.into_iter().fold(is_unknown, Expression::or);
                let sum = match self.definition.kind {
                    IndicatorKind::Mean | IndicatorKind::Points => {
                        summed = Summed::Amount;
                        Expression::case(is_known.clone(), amount, Expression::Number(0))
                    }
                    _ => is_known.clone(),
                };
                ([is_known, sum.clone(), sum], Some(is_unknown))
            }
            None => ([counted(membership.denominator), in_numerator, counted(reachable)], unknown),
        };
        let denominator = sums.sum(denominator);
        let [numerator, reachable] = [numerator, reachable].map(|expression| sums.position(expression, summed));
        let mut sum = |expression: Option<Expression>| expression.map(|expression| sums.sum(expression));
        Ok(IndicatorSums::AtMoment(SumPositions {
            denominator,
            numerator,
            reachable,
            unknown: sum(unknown),
            undecided: sum(undecided),
            one_sided: sum(one_sided),
            procedures_with: sum(procedures_with),
            procedures_maybe_with: sum(procedures_maybe_with),
            last_day: last_day.map(|day| sums.position(day, Summed::LatestDay)),
        }))
    }

    /// Population and denominator: what must be true of a dossier that counts.
    pub(super) fn conditions(&self) -> [Expression; 2] {
        let denominator = self.definition.denominator.as_ref();
        let denominator = denominator.and_then(|text| parse(text).ok()).unwrap_or(Expression::Flag(true));
        [self.population.expression.clone(), denominator]
    }

    /// [`IndicatorDefinition::having`].
    pub(super) fn having(&self) -> Result<Option<Expression>, IndicatorError> {
        let having = self.definition.having.as_ref().map(|having| predicate(self.definition, having));
        Ok(having.transpose()?.map(|having| having.expression))
    }

    /// The conditions that a dossier makes its procedure one of those with such dossiers, and that it may do so.
    pub(super) fn procedures_with(&self) -> Result<[Option<Expression>; 2], IndicatorError> {
        let Some(having) = &self.definition.having else { return Ok([None, None]) };
        let having = predicate(self.definition, having)?;
        let makes_it = self.population.expression.clone().and(having.expression);
        let maybe = having.can_be_unknown || self.population.can_be_unknown;
        Ok([Some(makes_it.clone().is_true()), maybe.then(|| makes_it.is_null())])
    }

    /// Adds the sums that a row has once its dossiers have ended, while they are open in time, and while they are
    /// overdue.
    pub(super) fn sum_by_state(&self, sums: &mut SumColumns) -> IndicatorSums {
        let by_phase = [Phase::Ended, Phase::OpenInTime, Phase::Overdue].map(|phase| {
            let membership = self.in_phase(phase);
            let in_numerator = membership.in_numerator();
            let reachable = match phase {
                Phase::OpenInTime => in_numerator.clone().or(self.would_count(&membership, Expression::Flag(true))),
                _ => in_numerator.clone(),
            };
            SumPositions {
                numerator: sums.sum(in_numerator),
                reachable: sums.sum(reachable),
                unknown: membership.unknown().map(|unknown| sums.sum(unknown)),
                denominator: sums.sum(membership.denominator),
                undecided: membership.undecided.map(|undecided| sums.sum(undecided)),
                one_sided: None,
                procedures_with: None,
                procedures_maybe_with: None,
                last_day: None,
            }
        });
        IndicatorSums::ByState(Box::new(by_phase))
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
pub(super) fn amount_of(amount: Amount) -> Expression {
    match amount {
        Amount::ProcessingHours => Expression::column("processing_hours"),
        Amount::TimePoints => Expression::column("time_points"),
        Amount::SupplementPoints => Expression::column("supplement_points"),
    }
}

/// Reads a predicate.
fn predicate(definition: &IndicatorDefinition, text: &str) -> Result<Predicate, IndicatorError> {
    let expression = parse(text).map_err(|message| IndicatorError::Predicate {
        indicator: definition.id.clone(),
        predicate: text.to_owned(),
        message,
    })?;
    Ok(Predicate { can_be_unknown: can_be_unknown(&expression), expression })
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
