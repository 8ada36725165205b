//! The type of an expression.

use crate::expressions::tree::{Expression, Function, Operation};
use crate::model::predicate::FactType;

/// Type of each column; an error names the column that there is not.
type ColumnTypes<'a> = &'a dyn Fn(&str) -> Result<FactType, String>;

/// Checks that an expression is a condition.
///
/// # Errors
/// What is wrong with it.
pub fn check_condition(expression: &Expression, columns: ColumnTypes<'_>) -> Result<(), String> {
    match type_of(expression, columns)? {
        Some(FactType::Flag) | None => Ok(()),
        Some(other) => Err(format!("the expression is a {}, not a condition", word(other))),
    }
}

fn word(fact_type: FactType) -> &'static str {
    match fact_type {
        FactType::Flag => "condition",
        FactType::Text | FactType::Word(_) => "text",
        FactType::Number => "number",
        FactType::Instant => "moment",
        FactType::Day => "day",
    }
}

/// The type of an expression; `None` if it can be of any type: `NULL`, and settings, whose values `fold` knows.
///
/// # Errors
/// A column that there is not, or parts whose types do not fit.
pub fn type_of(expression: &Expression, columns: ColumnTypes<'_>) -> Result<Option<FactType>, String> {
    let expect = |part: &Expression, expected: FactType| expect(part, expected, columns);
    Ok(Some(match expression {
        Expression::Column(name) => columns(name)?,
        Expression::Setting(_) | Expression::Null => return Ok(None),
        Expression::Flag(_) => FactType::Flag,
        Expression::Number(_) => FactType::Number,
        Expression::Text(_) => FactType::Text,
        Expression::Not(one) | Expression::IsTrue(one) => {
            expect(one, FactType::Flag)?;
            FactType::Flag
        }
        Expression::And(left, right) | Expression::Or(left, right) => {
            expect(left, FactType::Flag)?;
            expect(right, FactType::Flag)?;
            FactType::Flag
        }
        Expression::Compare(_, left, right) => {
            same(left, right, columns)?;
            check_word(left, right, columns)?;
            check_word(right, left, columns)?;
            FactType::Flag
        }
        Expression::IsNull(one) => {
            type_of(one, columns)?;
            FactType::Flag
        }
        Expression::OneOf(value, list) => {
            for item in list {
                same(value, item, columns)?;
                check_word(value, item, columns)?;
            }
            FactType::Flag
        }
        Expression::Arithmetic(operation, left, right) => {
            let (from, amount) = (type_of(left, columns)?, type_of(right, columns)?);
            match (operation, from, amount) {
                (_, None | Some(FactType::Number), None | Some(FactType::Number))
                | (Operation::Subtract, Some(FactType::Instant), Some(FactType::Instant)) => FactType::Number,
                (Operation::Add | Operation::Subtract, Some(FactType::Instant), None | Some(FactType::Number)) => {
                    FactType::Instant
                }
                _ => return Err(format!("`{expression}` cannot be computed from these types")),
            }
        }
        Expression::Case(branches, otherwise) => {
            for (condition, _) in branches {
                expect(condition, FactType::Flag)?;
            }
            let values = branches.iter().map(|(_, value)| value).chain(Some(&**otherwise));
            return common(values, columns);
        }
        Expression::First(list) => return common(list, columns),
        Expression::Call(function, arguments) => return call(*function, arguments, expression, columns),
    }))
}

/// The one type that all values have.
fn common<'a>(
    values: impl IntoIterator<Item = &'a Expression>,
    columns: ColumnTypes<'_>,
) -> Result<Option<FactType>, String> {
    let mut found = None;
    for value in values {
        match (found, type_of(value, columns)?) {
            (Some(known), Some(_)) => expect(value, known, columns)?,
            (None, of_value) => found = of_value,
            (Some(_), None) => {}
        }
    }
    Ok(found)
}

fn call(
    function: Function,
    arguments: &[Expression],
    whole: &Expression,
    columns: ColumnTypes<'_>,
) -> Result<Option<FactType>, String> {
    let (expected, result): (&[FactType], FactType) = match function {
        Function::LocalDay => (&[FactType::Instant], FactType::Day),
        Function::TimeOfDay => (&[FactType::Instant], FactType::Number),
        Function::EndOfDay => (&[FactType::Instant], FactType::Instant),
        Function::SameDayDue => (&[FactType::Instant, FactType::Number], FactType::Instant),
        Function::StatutoryDue => {
            (&[FactType::Instant, FactType::Number, FactType::Text, FactType::Number], FactType::Instant)
        }
        Function::WorkingHours => (&[FactType::Instant, FactType::Instant], FactType::Number),
        Function::Some => (&[FactType::Flag], FactType::Flag),
        Function::Latest | Function::Earliest | Function::Count => {
            let [one] = arguments else { return Err(format!("`{whole}`: one argument is expected")) };
            let of = type_of(one, columns)?;
            return Ok(if function == Function::Count { Some(FactType::Number) } else { of });
        }
        Function::First | Function::FirstWord => {
            let [Expression::Setting(_), pairs @ ..] = arguments else {
                return Err(format!("`{whole}`: the first argument is a list of the settings"));
            };
            let (pairs, []) = pairs.as_chunks::<2>() else {
                return Err(format!("`{whole}`: each word needs a value"));
            };
            if let Some([word, _]) = pairs.iter().find(|[word, _]| !matches!(word, Expression::Text(_))) {
                return Err(format!("`{word}` is not a word in quotes"));
            }
            let of = common(pairs.iter().map(|[_, value]| value), columns)?;
            return Ok(if function == Function::First { of } else { Some(FactType::Text) });
        }
    };
    if arguments.len() != expected.len() {
        return Err(format!("`{whole}` has {} arguments, {} are expected", arguments.len(), expected.len()));
    }
    for (argument, expected) in arguments.iter().zip(expected) {
        expect(argument, *expected, columns)?;
    }
    Ok(Some(result))
}

fn same(left: &Expression, right: &Expression, columns: ColumnTypes<'_>) -> Result<(), String> {
    match type_of(left, columns)? {
        Some(of_left) => expect(right, of_left, columns),
        None => type_of(right, columns).map(|_| ()),
    }
}

fn expect(part: &Expression, expected: FactType, columns: ColumnTypes<'_>) -> Result<(), String> {
    match type_of(part, columns)? {
        Some(found) if !found.fits(expected) => {
            Err(format!("`{part}` is a {}, a {} is expected", word(found), word(expected)))
        }
        _ => Ok(()),
    }
}

/// Checks that a column with a closed list of words is compared with one of them. Otherwise the condition would never
/// hold.
fn check_word(compared: &Expression, with: &Expression, columns: ColumnTypes<'_>) -> Result<(), String> {
    let (Expression::Column(name), Expression::Text(text)) = (compared, with) else { return Ok(()) };
    match columns(name)? {
        FactType::Word(words) if !words.contains(&text.as_str()) => {
            Err(format!("`{name}` is never `{text}`; it is one of: {}", words.join(", ")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expressions::parse;

    fn found(text: &str) -> Result<Option<FactType>, String> {
        type_of(&parse(text).expect("it is in the language"), &|name| match name {
            "flag" => Ok(FactType::Flag),
            "moment" => Ok(FactType::Instant),
            "number" => Ok(FactType::Number),
            "tier" => Ok(FactType::Word(&["province", "commune"])),
            other => Err(format!("no column `{other}`")),
        })
    }

    #[test]
    fn types_follow_from_the_columns() {
        for (text, of) in [
            ("flag AND number > 1", FactType::Flag),
            ("moment - moment", FactType::Number),
            ("moment - 1", FactType::Instant),
            ("local_day(CASE WHEN flag THEN moment END)", FactType::Day),
            ("coalesce(NULL, moment, night.now)", FactType::Instant),
            ("first(rules.ends, 'stopped', moment)", FactType::Instant),
            ("first_word(rules.ends, 'stopped', moment)", FactType::Text),
        ] {
            assert_eq!(found(text), Ok(Some(of)), "{text}");
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        for text in [
            "flag AND number",
            "moment < number",
            "moment + moment",
            "tier = 'comune'",
            "local_day(number)",
            "CASE WHEN flag THEN 1 ELSE 'x' END",
            "first(rules.ends, 'stopped')",
            "unheard",
        ] {
            assert!(found(text).is_err(), "{text}");
        }
    }
}
