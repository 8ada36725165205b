//! The facts of a table: one expression for each column that predicates may name, and for the steps to them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use strum::IntoStaticStr;

use crate::expressions::fold::{Settings, fold};
use crate::expressions::tree::Expression;
use crate::model::predicate::{Columns, FactType};
use crate::model::table::{ColumnType, RecordKind};

/// Type of a column of a look-up (`procedure.sector`); `None` if there is none.
pub type LookupTypes = fn(&str) -> Option<FactType>;

/// A property of a row: a column that predicates may name, or a step to one.
#[derive(Debug, Clone)]
pub struct Fact {
    pub name: String,
    pub fact_type: FactType,
    pub meaning_vi: String,
    pub meaning_en: String,
    /// `None`: the column of the table, as it is.
    pub expression: Option<Expression>,
    /// Only other facts may name it.
    pub is_step: bool,
    /// It is never null.
    pub is_always_known: bool,
    /// For a fact that depends on the state: its value in each [`Phase`], in the order of [`Phase::ALL`].
    pub phases: Option<[Expression; 4]>,
}

/// What a dossier is at a moment, as far as predicates over its state need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Phase {
    /// Ended; `ended_on_time` and `ended_late` say how.
    Ended,
    /// Ended on time: what a dossier that is open in time can still become.
    EndedOnTime,
    /// Open and not overdue.
    OpenInTime,
    /// Open and overdue.
    Overdue,
}

impl Phase {
    pub const ALL: [Self; 4] = [Self::Ended, Self::EndedOnTime, Self::OpenInTime, Self::Overdue];

    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What a fact depends on, besides the row itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing that a rule set decides.
    Common,
    /// The competent agency and what it offers.
    Agency,
    /// The rule set, or the night's moment.
    Rules,
}

/// The facts of a table, in an order in which each names only those before it.
#[derive(Debug)]
pub struct FactTable {
    pub table: RecordKind,
    facts: Vec<Fact>,
    stages: Vec<Stage>,
    lookups: LookupTypes,
    columns: OnceLock<Vec<(&'static str, FactType, &'static str)>>,
}

impl FactTable {
    pub(super) fn new(table: RecordKind, facts: Vec<Fact>, lookups: LookupTypes) -> Self {
        let mut stages: BTreeMap<&str, Stage> = BTreeMap::new();
        for fact in &facts {
            let of = |expression: &Expression| stage_of(expression, &stages);
            let stage = fact.expression.as_ref().map_or(Stage::Common, of);
            stages.insert(&fact.name, stage);
        }
        let stages = facts.iter().map(|fact| stages[fact.name.as_str()]).collect();
        Self { table, facts, stages, lookups, columns: OnceLock::new() }
    }

    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter()
    }

    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.name == name)
    }

    /// The expressions of a stage with the settings' values, in layers: each fact names only facts of earlier layers
    /// and stages. A fact that is a column of the table is in none.
    #[must_use]
    pub fn layers(&self, stage: Stage, settings: &Settings) -> Vec<Vec<(&Fact, Expression)>> {
        let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
        // The last layer that reads a column: a fact of its name must not replace it earlier.
        let mut read_in: BTreeMap<String, usize> = BTreeMap::new();
        let mut layers: Vec<Vec<(&Fact, Expression)>> = Vec::new();
        for (fact, _) in self.facts.iter().zip(&self.stages).filter(|(_, of)| **of == stage) {
            let Some(expression) = &fact.expression else { continue };
            let expression = fold(expression, settings);
            let below = expression.columns().into_iter().filter_map(|name| depths.get(name)).max();
            let depth = below.map_or(0, |depth| depth + 1).max(read_in.get(&fact.name).copied().unwrap_or(0));
            depths.insert(&fact.name, depth);
            for name in expression.columns() {
                let last = read_in.entry(name.to_owned()).or_default();
                *last = depth.max(*last);
            }
            if layers.len() <= depth {
                layers.resize_with(depth + 1, Vec::new);
            }
            layers[depth].push((fact, expression));
        }
        layers
    }

    /// The stage of a fact.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<Stage> {
        self.facts.iter().position(|fact| fact.name == name).map(|place| self.stages[place])
    }

    /// Type of a column of the table or of a fact.
    #[must_use]
    pub fn type_of(&self, name: &str) -> Option<FactType> {
        let of_fact = self.fact(name).map(|fact| fact.fact_type);
        of_fact.or_else(|| stored_column(self.table, name)).or_else(|| (self.lookups)(name))
    }

    /// The columns that predicates may name: name, type, meaning.
    #[must_use]
    pub fn columns(&'static self) -> Columns {
        let column = |fact: &'static Fact| (fact.name.as_str(), fact.fact_type, fact.meaning_en.as_str());
        self.columns.get_or_init(|| self.named().map(column).collect())
    }

    /// The facts that predicates may name.
    pub fn named(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(|fact| !fact.is_step)
    }

    /// A predicate with its facts of state replaced by their values in a phase.
    #[must_use]
    pub fn in_phase(&self, predicate: &Expression, phase: Phase, settings: &Settings) -> Expression {
        let place = Phase::ALL.iter().position(|one| *one == phase).expect("it is one of all");
        let of_column = |name: &str| Some(self.fact(name)?.phases.as_ref()?[place].clone());
        fold(&predicate.with_columns(&of_column), settings)
    }
}

fn stage_of(expression: &Expression, stages: &BTreeMap<&str, Stage>) -> Stage {
    let own = match expression {
        Expression::Setting(_) => Stage::Rules,
        Expression::Column(name) if name.starts_with("agency.") || name.starts_with("offer.") => Stage::Agency,
        Expression::Column(name) => stages.get(name.as_str()).copied().unwrap_or(Stage::Common),
        _ => Stage::Common,
    };
    expression.parts().into_iter().map(|part| stage_of(part, stages)).fold(own, Stage::max)
}

/// Type of a column that a table stores.
#[must_use]
pub fn stored_column(table: RecordKind, name: &str) -> Option<FactType> {
    match name {
        "source" | "source_key" => return Some(FactType::Text),
        "run" => return Some(FactType::Number),
        _ => {}
    }
    let of_type = |column_type: ColumnType| match column_type {
        ColumnType::Text => FactType::Text,
        ColumnType::Instant => FactType::Instant,
        ColumnType::Flag => FactType::Flag,
        ColumnType::Integer => FactType::Number,
    };
    let mapped = table.columns().iter().find(|column| column.name == name);
    let mapped = mapped.map(|column| match column.words {
        [] => of_type(column.column_type),
        words => FactType::Word(words),
    });
    let derived = || table.derived_columns().iter().find(|(derived, _)| *derived == name).map(|(_, of)| of_type(*of));
    mapped.or_else(derived)
}
