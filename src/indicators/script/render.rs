//! Renders [expressions](crate::expressions) to SQL.
//!
//! Columns of look-ups have `__` for the point (`procedure__sector`). Working time is not rendered here: see
//! [`working_time`](super::working_time).

use crate::calendar::{FIRST_DAY, LAST_DAY, day_number};
use crate::expressions::{Expression, FactTable, Function};
use crate::indicators::script::dialect::{SqlDialect, modulo};
use crate::model::instant::{DAY_MICROS, offset_micros};
use crate::model::predicate::FactType;

impl SqlDialect {
    /// Name of the column of a fact or look-up.
    pub(super) fn column(self, name: &str) -> String {
        self.quoted(&name.replace('.', "__"))
    }

    /// Renders an expression over the columns of a table or of another subquery.
    pub(super) fn render(self, expression: &Expression) -> String {
        self.render_with(expression, &|function, _| {
            unreachable!("`{}` is for groups or has been replaced", function.name())
        })
    }

    /// Renders an expression over the rows of a group. `order`: the columns that order them, of the table `table`.
    pub(super) fn render_of_group(self, expression: &Expression, table: &FactTable, order: &[String]) -> String {
        let keys = || {
            let key = |name: &String| match table.type_of(name) {
                Some(FactType::Text | FactType::Word(_)) => format!("coalesce({}, '')", self.column(name)),
                _ => format!("coalesce({}, {})", self.column(name), i64::MIN + 1),
            };
            order.iter().map(key).collect::<Vec<_>>()
        };
        self.render_with(expression, &|function, arguments| {
            let first = &arguments[0];
            match function {
                Function::Latest => self.latest(first, &keys()),
                Function::Some => format!("(coalesce(max(CASE WHEN {first} THEN 1 ELSE 0 END), 0) > 0)"),
                Function::Earliest => format!("min({first})"),
                Function::Count => format!("count(DISTINCT {first})"),
                other => unreachable!("`{}` is not of groups", other.name()),
            }
        })
    }

    fn render_with(self, expression: &Expression, other_call: &dyn Fn(Function, &[String]) -> String) -> String {
        let of = |part: &Expression| self.render_with(part, other_call);
        let list = |items: &[Expression]| items.iter().map(of).collect::<Vec<_>>();
        match expression {
            Expression::Column(name) => self.column(name),
            Expression::Setting(name) => unreachable!("`{name}` has been folded"),
            Expression::Null => "NULL".to_owned(),
            Expression::Flag(flag) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
            Expression::Number(number) => number.to_string(),
            Expression::Text(text) => self.text(text),
            Expression::Not(one) => format!("(NOT {})", of(one)),
            Expression::And(left, right) => format!("({} AND {})", of(left), of(right)),
            Expression::Or(left, right) => format!("({} OR {})", of(left), of(right)),
            Expression::Compare(comparison, left, right) => {
                format!("({} {} {})", of(left), comparison.symbol(), of(right))
            }
            Expression::Arithmetic(operation, left, right) => {
                format!("({} {} {})", of(left), operation.symbol(), of(right))
            }
            Expression::IsNull(one) => format!("({} IS NULL)", of(one)),
            Expression::IsTrue(one) => format!("(({}) IS TRUE)", of(one)),
            Expression::OneOf(_, items) if items.is_empty() => "FALSE".to_owned(),
            Expression::OneOf(value, items) => format!("({} IN ({}))", of(value), list(items).join(", ")),
            Expression::Case(branches, otherwise) => {
                let branches = branches.iter().map(|(when, then)| format!(" WHEN {} THEN {}", of(when), of(then)));
                format!("CASE{} ELSE {} END", branches.collect::<String>(), of(otherwise))
            }
            Expression::First(items) => format!("coalesce({})", list(items).join(", ")),
            Expression::Call(function, arguments) => {
                let arguments = list(arguments);
                match function {
                    Function::LocalDay => self.local_day(&arguments[0]),
                    Function::TimeOfDay => time_of_day(&arguments[0]),
                    Function::EndOfDay => end_of(&self.local_day(&arguments[0])),
                    other => other_call(*other, &arguments),
                }
            }
        }
    }

    /// The day of an instant.
    pub(super) fn local_day(self, instant: &str) -> String {
        self.floor_div(&format!("({instant}) + {}", offset_micros()), DAY_MICROS)
    }
}

/// Microseconds since midnight.
pub(super) fn time_of_day(instant: &str) -> String {
    modulo(&format!("({instant}) + {}", offset_micros()), DAY_MICROS)
}

/// The instant at a time of a day.
pub(super) fn instant_of(day: &str, time_of_day: &str) -> String {
    format!("(({day}) * {DAY_MICROS} + {time_of_day} - {})", offset_micros())
}

/// The last microsecond of a day.
pub(super) fn end_of(day: &str) -> String {
    format!("(({day}) * {DAY_MICROS} + {})", DAY_MICROS - 1 - offset_micros())
}

/// A day as the table `days` has it: days outside count as the nearest day inside.
pub(super) fn day_inside(day: &str) -> String {
    let [first, last] = [FIRST_DAY, LAST_DAY].map(day_number);
    format!("CASE WHEN {day} < {first} THEN {first} WHEN {day} > {last} THEN {last} ELSE {day} END")
}
