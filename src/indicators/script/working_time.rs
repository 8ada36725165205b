//! Working time in SQL. Each call of one of its functions becomes a column, which joins with the tables `days` and
//! `worked` give. The rules are those of [`WorkingDayTable`](crate::calendar::WorkingDayTable).

use crate::calendar::working_time;
use crate::expressions::{Expression, Function};
use crate::indicators::script::dialect::SqlDialect;
use crate::indicators::script::render::{day_inside, end_of, instant_of, time_of_day};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = working_time::HOUR * SECOND;
const OPENING: i64 = working_time::OPENING_SECS * SECOND;
const AFTERNOON: i64 = working_time::AFTERNOON_SECS * SECOND;
const MORNING: i64 = working_time::MORNING * SECOND;
const WORKING_DAY: i64 = working_time::WORKING_DAY * SECOND;

/// A call of a function that counts working time.
#[derive(Debug, PartialEq)]
pub(super) struct Call {
    function: Function,
    arguments: Vec<Expression>,
}

/// One query over the one before: columns that it adds, and joins with its rows, which are named `t`.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) added: Vec<String>,
    pub(super) joins: String,
}

/// The expression with a column (`time.0`, `time.1`, …) in place of each call, which is added to `calls`. A call comes
/// after those in its arguments.
pub(super) fn without_calls(expression: &Expression, calls: &mut Vec<Call>) -> Expression {
    match expression.map_parts(&mut |part| without_calls(part, calls)) {
        Expression::Call(function, arguments) if function.counts_working_time() => {
            let call = Call { function, arguments };
            let place = calls.iter().position(|known| *known == call).unwrap_or_else(|| {
                calls.push(call);
                calls.len() - 1
            });
            Expression::column(&name_of(place))
        }
        other => other,
    }
}

fn name_of(place: usize) -> String {
    format!("time.{place}")
}

/// The queries that add the column of a call. `place`: of the call among those of [`without_calls`].
pub(super) fn steps(sql: SqlDialect, call: &Call, place: usize) -> Vec<Step> {
    let arguments: Vec<String> = call.arguments.iter().map(|argument| sql.render(argument)).collect();
    let names = Names { sql, place, result: sql.column(&name_of(place)) };
    match call.function {
        Function::SameDayDue => same_day_due(&names, &arguments),
        Function::StatutoryDue => statutory_due(&names, &arguments),
        Function::WorkingHours => working_hours(&names, &arguments),
        other => unreachable!("`{}` counts no working time", other.name()),
    }
}

/// Names of the columns of one call.
struct Names {
    sql: SqlDialect,
    place: usize,
    result: String,
}

impl Names {
    fn own(&self, name: &str) -> String {
        format!("time_{}_{name}", self.place)
    }

    /// A column of the query before.
    fn of(&self, name: &str) -> String {
        format!("t.{}", self.own(name))
    }

    fn step(&self, added: &[(&str, String)], joins: String) -> Step {
        let named = |(name, value): &(&str, String)| match *name {
            "result" => format!("{value} AS {}", self.result),
            name => format!("{value} AS {}", self.own(name)),
        };
        Step { added: added.iter().map(named).collect(), joins }
    }
}

/// A join with the table `days` by a day. `d`: its name.
fn join_days(name: &str, day: &str) -> String {
    format!(" LEFT JOIN days AS {name} ON {name}.day = {}", day_inside(day))
}

fn number(value: &str) -> String {
    format!("CAST({value} AS BIGINT)")
}

fn one_if(condition: &str) -> String {
    format!("CASE WHEN {condition} THEN 1 ELSE 0 END")
}

fn same_day_due(names: &Names, arguments: &[String]) -> Vec<Step> {
    let sql = names.sql;
    let [from, cut_off] = arguments else { unreachable!("the check of types counts the arguments") };
    let (of, no_join) = (|name: &str| names.of(name), String::new());
    let in_time = format!("d.works AND {} <= {}", time_of_day(&of("from")), of("cut_off"));
    let nth = format!("d.ordinal + CASE WHEN {in_time} THEN 0 WHEN {} IS NOT NULL THEN 1 END", of("cut_off"));
    vec![
        names.step(&[("from", number(from)), ("cut_off", number(cut_off))], no_join),
        names.step(&[("nth", nth)], join_days("d", &sql.local_day(&of("from")))),
        names.step(&[("result", end_of("w.day"))], format!(" LEFT JOIN worked AS w ON w.ordinal = {}", of("nth"))),
    ]
}

fn working_hours(names: &Names, arguments: &[String]) -> Vec<Step> {
    let sql = names.sql;
    let [from, to] = arguments else { unreachable!("the check of types counts the arguments") };
    let (of, no_join) = (|name: &str| names.of(name), String::new());
    let joins = join_days("d", &sql.local_day(&of("from"))) + &join_days("e", &sql.local_day(&of("to")));
    let [before, until] = [("d", "from"), ("e", "to")]
        .map(|(day, moment)| passed(&format!("{day}.works"), &format!("{day}.ordinal"), &of(moment)));
    let hours = sql.floor_div(&format!("{} - {}", of("until"), of("before")), HOUR);
    vec![
        names.step(&[("from", number(from)), ("to", number(to))], no_join.clone()),
        names.step(&[("before", before), ("until", until)], joins),
        names.step(&[("result", format!("CASE WHEN {hours} < 0 THEN 0 ELSE {hours} END"))], no_join),
    ]
}

fn statutory_due(names: &Names, arguments: &[String]) -> Vec<Step> {
    let sql = names.sql;
    let [from, amount, unit, cut_off] = arguments else { unreachable!("the check of types counts the arguments") };
    let (of, no_join) = (|name: &str| names.of(name), String::new);
    let [works, ordinal, amount_of, moves_on, until, nth, last] =
        ["works", "ordinal", "amount", "moves_on", "until", "nth", "last"].map(of);
    let moves = format!("coalesce({works} AND {} > {}, FALSE)", time_of_day(&of("from")), of("cut_off"));
    let begun = format!(
        "CASE WHEN {moves_on} THEN {ordinal} * {WORKING_DAY} ELSE {} END",
        passed(&works, &ordinal, &of("from"))
    );
    // Zero working days end with the day itself, or with the next working day. A time in hours that ends with a working
    // day ends at its close, not at the next opening.
    let nth_day = format!(
        "CASE {} WHEN 'working_days' THEN {ordinal} + {} + CASE WHEN {amount_of} = 0 THEN {} ELSE {amount_of} END WHEN \
         'hours' THEN {} + 1 END",
        of("unit"),
        one_if(&moves_on),
        one_if(&format!("NOT {works}")),
        sql.floor_div(&format!("{until} - 1"), WORKING_DAY),
    );
    let last_day = format!("CASE WHEN {moves_on} THEN {} ELSE {} END + {amount_of}", of("next"), of("day"));
    let rest = format!("({until} - ({nth} - 1) * {WORKING_DAY})");
    let time = format!("{rest} + CASE WHEN {rest} <= {MORNING} THEN {OPENING} ELSE {} END", AFTERNOON - MORNING);
    let due = format!(
        "CASE {} WHEN 'working_days' THEN {} WHEN 'calendar_days' THEN CASE WHEN e.works THEN {} ELSE {} END WHEN 'hours' \
         THEN {} END",
        of("unit"),
        end_of("w.day"),
        end_of(&last),
        end_of("e.next"),
        instant_of("w.day", &time),
    );
    let day = sql.local_day(&of("from"));
    vec![
        names.step(
            &[("from", number(from)), ("amount", number(amount)), ("unit", unit.clone()), ("cut_off", number(cut_off))],
            no_join(),
        ),
        names.step(
            &[
                ("works", "d.works".to_owned()),
                ("ordinal", "d.ordinal".to_owned()),
                ("next", "d.next".to_owned()),
                ("day", day.clone()),
            ],
            join_days("d", &day),
        ),
        names.step(&[("moves_on", moves)], no_join()),
        names.step(&[("until", format!("{begun} + {amount_of} * {HOUR}"))], no_join()),
        names.step(&[("nth", nth_day), ("last", last_day)], no_join()),
        names.step(&[("result", due)], format!(" LEFT JOIN worked AS w ON w.ordinal = {nth}") + &join_days("e", &last)),
    ]
}

/// Working time from the first day of the calendar to an instant, in microseconds. On a day off it is that of the last
/// close before it.
fn passed(works: &str, ordinal: &str, instant: &str) -> String {
    let time = time_of_day(instant);
    let within = |opening: i64, length: i64| {
        let end = opening + length;
        format!("CASE WHEN {time} < {opening} THEN 0 WHEN {time} > {end} THEN {length} ELSE {time} - {opening} END")
    };
    format!(
        "CASE WHEN {works} THEN ({ordinal} - 1) * {WORKING_DAY} + {} + {} ELSE {ordinal} * {WORKING_DAY} END",
        within(OPENING, MORNING),
        within(AFTERNOON, WORKING_DAY - MORNING),
    )
}
