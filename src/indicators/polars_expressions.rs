//! Renders [expressions](crate::expressions) to Polars.
//!
//! Instants are columns of microseconds, days columns of day numbers. Working time is counted by the arrays of
//! [`WorkingDayTable`], look-ups by whoever renders.

use std::str::FromStr as _;
use std::sync::Arc;

use polars::prelude::*;

use crate::calendar::{StatutoryTime, WorkingDayTable};
use crate::expressions::{Comparison, Expression, Fact, FactTable, Function, Operation, Settings, Stage, fold};
use crate::indicators::local_time::local_day;
use crate::model::instant::{DAY_MICROS, offset_micros};
use crate::model::predicate::FactType;
use crate::model::procedure::TimeUnit;

/// Renders the facts of a table.
pub(super) struct FactRenderer<'a> {
    pub(super) table: &'a FactTable,
    /// The working days, for facts that count them.
    pub(super) days: Option<&'a Arc<WorkingDayTable>>,
    /// Value of a column of a look-up (`procedure.sector`).
    pub(super) lookup: &'a dyn Fn(&str) -> Expr,
    /// The columns that order the rows of a group.
    pub(super) order: &'a [String],
}

/// Renders a predicate over facts that are columns already, or over the columns of a registry.
pub(super) fn predicate(expression: &Expression) -> Expr {
    render(expression, &|name| col(name), &|function, _| unreachable!("`{}` is for facts", function.name()))
}

impl FactRenderer<'_> {
    /// Adds the facts of a stage. Their settings must have values.
    pub(super) fn add_to(&self, rows: LazyFrame, stage: Stage, settings: &Settings) -> LazyFrame {
        self.table.layers(stage, settings).iter().fold(rows, |rows, layer| {
            rows.with_columns(layer.iter().map(|(fact, expression)| self.fact(fact, expression)).collect::<Vec<_>>())
        })
    }

    /// The facts of groups of rows, each as a column with its name.
    pub(super) fn of_groups(&self, settings: &Settings) -> Vec<Expr> {
        let fact = |fact: &Fact| {
            let expression = fact.expression.as_ref().map(|expression| fold(expression, settings));
            self.fact(fact, &expression.unwrap_or_else(|| Expression::column(&fact.name)))
        };
        self.table.facts().map(fact).collect()
    }

    /// A fact as a column with its name.
    pub(super) fn fact(&self, fact: &Fact, expression: &Expression) -> Expr {
        let rendered = match expression {
            Expression::Null => self.no_value(&fact.name),
            other => self.expression(other),
        };
        rendered.alias(fact.name.as_str())
    }

    /// A null of the type of a fact.
    pub(super) fn no_value(&self, fact: &str) -> Expr {
        null_of(self.table, fact)
    }

    pub(super) fn expression(&self, expression: &Expression) -> Expr {
        render(expression, &|name| self.column(name), &|function, arguments| self.call(function, arguments))
    }

    fn column(&self, name: &str) -> Expr {
        if name.contains('.') {
            (self.lookup)(name)
        } else if self.table.type_of(name) == Some(FactType::Instant) {
            col(name).cast(DataType::Int64)
        } else {
            col(name)
        }
    }

    fn call(&self, function: Function, mut arguments: Vec<Expr>) -> Expr {
        let first = arguments.remove(0);
        let days = || Arc::clone(self.days.expect("whoever renders working time has the working days"));
        match function {
            Function::LocalDay => local_day(first),
            Function::TimeOfDay => (first + lit(offset_micros())) % lit(DAY_MICROS),
            Function::EndOfDay => {
                let offset = offset_micros();
                (first + lit(offset)).floor_div(lit(DAY_MICROS)) * lit(DAY_MICROS) + lit(DAY_MICROS - offset - 1)
            }
            Function::SameDayDue => {
                let days = days();
                of_two(first, arguments.remove(0), move |from, cut_off| days.immediate_due(from, cut_off))
            }
            Function::WorkingHours => {
                let days = days();
                of_two(first, arguments.remove(0), move |from, to| Some(days.hours_between(from, to)))
            }
            Function::StatutoryDue => statutory_due(first, &arguments, days()),
            Function::Latest => {
                let order: Vec<Expr> = self.order.iter().map(|name| col(name.as_str())).collect();
                let nulls_first = SortMultipleOptions::default().with_nulls_last(false);
                first.sort_by(order, nulls_first).drop_nulls().last()
            }
            Function::Some => first.any(true),
            Function::Earliest => first.min(),
            Function::Count => first.drop_nulls().n_unique().cast(DataType::Int64),
            Function::First | Function::FirstWord => unreachable!("settings have been folded"),
        }
    }
}

fn data_type(fact_type: FactType) -> DataType {
    match fact_type {
        FactType::Flag => DataType::Boolean,
        FactType::Text | FactType::Word(_) => DataType::String,
        FactType::Number | FactType::Instant => DataType::Int64,
        FactType::Day => DataType::Int32,
    }
}

/// A null of the type of a fact, or of a column of a look-up that has no rows.
pub(super) fn null_of(table: &FactTable, name: &str) -> Expr {
    lit(NULL).cast(data_type(table.type_of(name).expect("the facts' types were checked")))
}

fn render(expression: &Expression, column: &dyn Fn(&str) -> Expr, call: &dyn Fn(Function, Vec<Expr>) -> Expr) -> Expr {
    let of = |part: &Expression| render(part, column, call);
    let all = |list: &[Expression]| list.iter().map(of).collect::<Vec<Expr>>();
    match expression {
        Expression::Column(name) => column(name),
        Expression::Setting(name) => unreachable!("`{name}` has been folded"),
        Expression::Null => lit(NULL),
        Expression::Flag(flag) => lit(*flag),
        Expression::Number(number) => lit(*number),
        Expression::Text(text) => lit(text.clone()),
        Expression::Not(one) => of(one).not(),
        Expression::And(left, right) => of(left).and(of(right)),
        Expression::Or(left, right) => of(left).or(of(right)),
        Expression::Compare(comparison, left, right) => {
            let (left, right) = (of(left), of(right));
            match comparison {
                Comparison::Equal => left.eq(right),
                Comparison::NotEqual => left.neq(right),
                Comparison::Less => left.lt(right),
                Comparison::LessOrEqual => left.lt_eq(right),
                Comparison::Greater => left.gt(right),
                Comparison::GreaterOrEqual => left.gt_eq(right),
            }
        }
        Expression::Arithmetic(operation, left, right) => match operation {
            Operation::Add => of(left) + of(right),
            Operation::Subtract => of(left) - of(right),
            Operation::Multiply => of(left) * of(right),
        },
        Expression::IsNull(one) => of(one).is_null(),
        Expression::IsTrue(one) => of(one).fill_null(lit(false)),
        // Not `is_in`: the streaming engine turns it into a join.
        Expression::OneOf(value, list) => {
            let value = of(value);
            list.iter().map(|item| value.clone().eq(of(item))).reduce(Expr::or).unwrap_or(lit(false))
        }
        Expression::Case(branches, otherwise) => branches
            .iter()
            .rev()
            .fold(of(otherwise), |rest, (condition, value)| when(of(condition)).then(of(value)).otherwise(rest)),
        Expression::First(list) => coalesce(&all(list)),
        Expression::Call(function, arguments) => call(*function, all(arguments)),
    }
}

/// A function of two numbers; null if one of them is null.
fn of_two(first: Expr, second: Expr, function: impl Fn(i64, i64) -> Option<i64> + Send + Sync + 'static) -> Expr {
    let compute = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let second = same_length(&columns[1], columns[0].len());
        let (firsts, seconds) = (columns[0].i64()?, second.i64()?);
        let values: Int64Chunked =
            firsts.iter().zip(seconds.iter()).map(|(first, second)| function(first?, second?)).collect();
        Ok(values.with_name(columns[0].name().clone()).into_column())
    };
    first.map_many(compute, &[second], instants)
}

/// `statutory_due(from, time, unit, cut_off)`.
fn statutory_due(from: Expr, arguments: &[Expr], days: Arc<WorkingDayTable>) -> Expr {
    let compute = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let length = columns[0].len();
        let [time, unit, cut_off] = [1, 2, 3].map(|place| same_length(&columns[place], length));
        let cut_off = cut_off.cast(&DataType::Int64)?;
        let (from, time, unit, cut_off) = (columns[0].i64()?, time.i64()?, unit.str()?, cut_off.i64()?);
        let rows = from.iter().zip(time.iter()).zip(unit.iter().zip(cut_off.iter()));
        let due: Int64Chunked = rows
            .map(|((from, time), (unit, cut_off))| days.statutory_due(from?, statutory_time(time?, unit?)?, cut_off))
            .collect();
        Ok(due.with_name(columns[0].name().clone()).into_column())
    };
    from.map_many(compute, arguments, instants)
}

/// A constant argument comes as one row.
fn same_length(column: &Column, length: usize) -> Column {
    if column.len() == length { column.clone() } else { column.new_from_index(0, length) }
}

#[expect(clippy::unnecessary_wraps, reason = "`map_many` asks for it")]
fn instants(_: &Schema, fields: &[Field]) -> PolarsResult<Field> {
    Ok(Field::new(fields[0].name().clone(), DataType::Int64))
}

/// `unit` is a word of [`TIME_UNITS`](crate::model::table::TIME_UNITS).
fn statutory_time(time: i64, unit: &str) -> Option<StatutoryTime> {
    let time = u32::try_from(time).ok()?;
    Some(match TimeUnit::from_str(unit).ok()? {
        TimeUnit::WorkingDays => StatutoryTime::WorkingDays(time),
        TimeUnit::Hours => StatutoryTime::Hours(time),
        TimeUnit::CalendarDays => StatutoryTime::CalendarDays(time),
    })
}
