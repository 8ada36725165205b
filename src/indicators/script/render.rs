//! Renders [expressions](crate::expressions) to SQL.
//!
//! Columns of look-ups have `__` for the point (`procedure__sector`). Working time is counted by the lists of the one row
//! of the table `calendar`, whose columns every table of facts carries: `working_days` (whether each day works),
//! `ordinals` (working days up to each day), `worked` (the day of each ordinal).

use crate::calendar::{FIRST_DAY, LAST_DAY, day_number, working_time};
use crate::expressions::{Expression, Function};
use crate::indicators::script::dialect::{SqlDialect, modulo};
use crate::model::instant::{DAY_MICROS, VIETNAM_OFFSET_SECS};

const SECOND: i64 = 1_000_000;
const OFFSET: i64 = VIETNAM_OFFSET_SECS * SECOND;

/// Renders the expressions of one table or one group of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct SqlRenderer<'a> {
    pub(super) dialect: SqlDialect,
    /// The columns that order the rows of a group.
    pub(super) order: &'a [String],
}

impl SqlRenderer<'_> {
    /// Name of the column of a fact or look-up.
    pub(super) fn column(self, name: &str) -> String {
        self.dialect.quoted(&name.replace('.', "__"))
    }

    pub(super) fn render(self, expression: &Expression) -> String {
        let of = |part: &Expression| self.render(part);
        let list = |items: &[Expression]| items.iter().map(of).collect::<Vec<_>>();
        match expression {
            Expression::Column(name) => self.column(name),
            Expression::Setting(name) => unreachable!("`{name}` has been folded"),
            Expression::Null => "NULL".to_owned(),
            Expression::Flag(flag) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
            Expression::Number(number) => number.to_string(),
            Expression::Text(text) => quoted_text(text),
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
            Expression::Call(function, arguments) => self.call(*function, &list(arguments)),
        }
    }

    fn call(self, function: Function, arguments: &[String]) -> String {
        let first = &arguments[0];
        match function {
            Function::LocalDay => self.local_day(first),
            Function::TimeOfDay => time_of_day(first),
            Function::EndOfDay => end_of(&self.local_day(first)),
            Function::SameDayDue => {
                let (day, time) = (self.local_day(first), time_of_day(first));
                let in_time = format!("{} AND {time} <= {}", self.is_working(&day), arguments[1]);
                let nth = format!("{} + CASE WHEN {in_time} THEN 0 ELSE 1 END", self.ordinal(&day));
                end_of(&self.nth_working_day(&nth))
            }
            Function::StatutoryDue => self.statutory_due(arguments),
            Function::WorkingHours => {
                let hours = self.dialect.floor_div(
                    &format!("{} - {}", self.passed(&arguments[1]), self.passed(first)),
                    working_time::HOUR * SECOND,
                );
                format!("CASE WHEN {hours} < 0 THEN 0 ELSE {hours} END")
            }
            Function::Latest => {
                let keys = self.order.iter().map(|name| format!("coalesce({}, {})", self.column(name), i64::MIN + 1));
                self.dialect.latest(first, &keys.collect::<Vec<_>>())
            }
            Function::Some => format!("(coalesce(max(CASE WHEN {first} THEN 1 ELSE 0 END), 0) > 0)"),
            Function::Earliest => format!("min({first})"),
            Function::Count => format!("count(DISTINCT {first})"),
            Function::First | Function::FirstWord => unreachable!("settings have been folded"),
        }
    }

    fn local_day(self, instant: &str) -> String {
        format!("({})", self.dialect.floor_div(&format!("({instant}) + {OFFSET}"), DAY_MICROS))
    }

    /// Position of a day in the lists of the calendar; days outside count as the nearest day inside.
    fn place(day: &str) -> String {
        let (first, last) = (day_number(FIRST_DAY), day_number(LAST_DAY));
        format!("CASE WHEN {day} < {first} THEN 0 WHEN {day} > {last} THEN {} ELSE {day} - {first} END", last - first)
    }

    fn is_working(self, day: &str) -> String {
        format!("({})", self.dialect.element(&self.column("working_days"), &Self::place(day)))
    }

    fn ordinal(self, day: &str) -> String {
        format!("({})", self.dialect.element(&self.column("ordinals"), &Self::place(day)))
    }

    fn nth_working_day(self, ordinal: &str) -> String {
        format!("({})", self.dialect.element(&self.column("worked"), &format!("({ordinal}) - 1")))
    }

    /// Working time from the first day of the calendar to an instant, in microseconds. On a day off it is that of the
    /// last close before it.
    fn passed(self, instant: &str) -> String {
        let (day, time) = (self.local_day(instant), time_of_day(instant));
        let day_length = working_time::WORKING_DAY * SECOND;
        let morning = clamped(&time, working_time::OPENING_SECS, working_time::MORNING);
        let afternoon = clamped(&time, working_time::AFTERNOON_SECS, working_time::WORKING_DAY - working_time::MORNING);
        format!(
            "(CASE WHEN {} THEN ({ordinal} - 1) * {day_length} + {morning} + {afternoon} ELSE {ordinal} * {day_length} END)",
            self.is_working(&day),
            ordinal = self.ordinal(&day),
        )
    }

    fn statutory_due(self, arguments: &[String]) -> String {
        let [from, amount, unit, cut_off] = arguments else { unreachable!("the check of types counts the arguments") };
        let (day, time) = (self.local_day(from), time_of_day(from));
        let (works, ordinal) = (self.is_working(&day), self.ordinal(&day));
        let moves_on = format!("coalesce({works} AND {time} > {cut_off}, FALSE)");
        let one_if = |condition: &str| format!("CASE WHEN {condition} THEN 1 ELSE 0 END");
        let in_days = self.nth_working_day(&format!(
            "{ordinal} + {} + CASE WHEN {amount} = 0 THEN {} ELSE {amount} END",
            one_if(&moves_on),
            one_if(&format!("NOT {works}")),
        ));
        let next = self.nth_working_day(&format!("{ordinal} + 1"));
        let last = format!("(CASE WHEN {moves_on} THEN {next} ELSE {day} END + {amount})");
        let after = self.nth_working_day(&format!("{} + 1", self.ordinal(&last)));
        let in_calendar_days = format!("CASE WHEN {} THEN {last} ELSE {after} END", self.is_working(&last));
        let day_length = working_time::WORKING_DAY * SECOND;
        let begun = format!("CASE WHEN {moves_on} THEN {ordinal} * {day_length} ELSE {} END", self.passed(from));
        let until = format!("({begun} + {amount} * {})", working_time::HOUR * SECOND);
        let days = format!("({})", self.dialect.floor_div(&format!("{until} - 1"), day_length));
        let rest = format!("({until} - {days} * {day_length})");
        let opening = working_time::OPENING_SECS * SECOND;
        let morning = working_time::MORNING * SECOND;
        let afternoon = working_time::AFTERNOON_SECS * SECOND - morning;
        let in_hours = format!(
            "{} * {DAY_MICROS} + {rest} + CASE WHEN {rest} <= {morning} THEN {opening} ELSE {afternoon} END - {OFFSET}",
            self.nth_working_day(&format!("{days} + 1")),
        );
        format!(
            "CASE {unit} WHEN 'working_days' THEN {} WHEN 'calendar_days' THEN {} WHEN 'hours' THEN {in_hours} END",
            end_of(&in_days),
            end_of(&format!("({in_calendar_days})")),
        )
    }
}

/// A text in quotes.
pub(super) fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn time_of_day(instant: &str) -> String {
    modulo(&format!("({instant}) + {OFFSET}"), DAY_MICROS)
}

/// The last microsecond of a day.
fn end_of(day: &str) -> String {
    format!("({day} * {DAY_MICROS} + {})", DAY_MICROS - 1 - OFFSET)
}

/// The part of a time of day that lies within some working hours, in microseconds.
fn clamped(time: &str, opening_secs: i64, length_secs: i64) -> String {
    let (opening, length) = (opening_secs * SECOND, length_secs * SECOND);
    format!(
        "CASE WHEN {time} < {opening} THEN 0 WHEN {time} > {} THEN {length} ELSE {time} - {opening} END",
        opening + length
    )
}
