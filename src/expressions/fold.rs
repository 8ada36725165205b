//! Puts settings into an expression and computes what is constant then.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::expressions::tree::{Comparison, Expression, Function};
use crate::model::rules::RuleSet;

/// Value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingValue {
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<String>),
}

/// The settings that expressions may name, with their values.
#[derive(Debug, Clone, Default)]
pub struct Settings(BTreeMap<String, SettingValue>);

impl Settings {
    /// `rules.x` for each key of a rule set, and `rules.ended_statuses` and `rules.on_time_statuses`: the statuses of
    /// its ends.
    #[must_use]
    pub fn of_rules(rules: &RuleSet) -> Self {
        let mut settings = BTreeMap::new();
        for (key, value) in rules.settings() {
            let value = match value {
                Value::Bool(flag) => SettingValue::Flag(flag),
                Value::String(text) => SettingValue::Text(text),
                Value::Array(words) => {
                    SettingValue::List(words.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                }
                _ => continue,
            };
            settings.insert(format!("rules.{key}"), value);
        }
        let statuses =
            |statuses: Vec<&'static str>| SettingValue::List(statuses.into_iter().map(str::to_owned).collect());
        let on_time = RuleSet { ends: rules.on_time_ends.clone(), ..rules.clone() };
        settings.insert("rules.ended_statuses".to_owned(), statuses(rules.ended_statuses()));
        settings.insert("rules.on_time_statuses".to_owned(), statuses(on_time.ended_statuses()));
        Self(settings)
    }

    /// Adds a setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: SettingValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }
}

/// The expression with the settings' values in place of their names, computed as far as it is constant.
///
/// # Panics
/// If it names a setting that there is not. The shipped facts are tested with every setting.
#[must_use]
pub fn fold(expression: &Expression, settings: &Settings) -> Expression {
    let value = |name: &str| settings.0.get(name).unwrap_or_else(|| panic!("there is no setting `{name}`"));
    match expression {
        Expression::Setting(name) => match value(name) {
            SettingValue::Flag(flag) => Expression::Flag(*flag),
            SettingValue::Number(number) => Expression::Number(*number),
            SettingValue::Text(text) => Expression::Text(text.clone()),
            SettingValue::List(_) => panic!("the setting `{name}` is a list"),
        },
        Expression::OneOf(one, list) => {
            let list = list.iter().flat_map(|item| match item {
                Expression::Setting(name) if matches!(value(name), SettingValue::List(_)) => {
                    let SettingValue::List(words) = value(name) else { unreachable!("it was just matched") };
                    words.iter().cloned().map(Expression::Text).collect()
                }
                other => vec![fold(other, settings)],
            });
            simplified(Expression::OneOf(Box::new(fold(one, settings)), list.collect()))
        }
        Expression::Call(function @ (Function::First | Function::FirstWord), arguments) => {
            let (Some(Expression::Setting(name)), pairs) = (arguments.first(), &arguments[1..]) else {
                unreachable!("the check of types refuses this")
            };
            let SettingValue::List(words) = value(name) else { panic!("the setting `{name}` is no list") };
            let (pairs, _) = pairs.as_chunks::<2>();
            let of_word = |word: &String| pairs.iter().find(|[known, _]| *known == Expression::Text(word.clone()));
            let found = words.iter().filter_map(of_word).map(|[word, value]| (word.clone(), fold(value, settings)));
            simplified(if *function == Function::First {
                Expression::First(found.map(|(_, value)| value).collect())
            } else {
                let branches = found.map(|(word, value)| (value.is_null().negated(), word)).collect();
                Expression::Case(branches, Box::new(Expression::Null))
            })
        }
        other => simplified(other.map_parts(&mut |part| fold(part, settings))),
    }
}

/// Computes one node whose parts are already folded.
fn simplified(expression: Expression) -> Expression {
    match expression {
        Expression::Not(one) => match *one {
            Expression::Flag(flag) => Expression::Flag(!flag),
            Expression::Null => Expression::Null,
            other => other.negated(),
        },
        Expression::And(left, right) => match (*left, *right) {
            (Expression::Flag(false), _) | (_, Expression::Flag(false)) => Expression::Flag(false),
            (Expression::Flag(true), other) | (other, Expression::Flag(true)) => other,
            (left, right) => left.and(right),
        },
        Expression::Or(left, right) => match (*left, *right) {
            (Expression::Flag(true), _) | (_, Expression::Flag(true)) => Expression::Flag(true),
            (Expression::Flag(false), other) | (other, Expression::Flag(false)) => other,
            (left, right) => left.or(right),
        },
        Expression::Compare(comparison, left, right) => match (comparison, &*left, &*right) {
            (Comparison::Equal, Expression::Text(one), Expression::Text(other)) => Expression::Flag(one == other),
            (Comparison::NotEqual, Expression::Text(one), Expression::Text(other)) => Expression::Flag(one != other),
            _ => Expression::Compare(comparison, left, right),
        },
        Expression::IsTrue(one) => match *one {
            Expression::Flag(flag) => Expression::Flag(flag),
            Expression::Null => Expression::Flag(false),
            other => other.is_true(),
        },
        Expression::IsNull(one) => match *one {
            Expression::Null => Expression::Flag(true),
            Expression::Flag(_) | Expression::Number(_) | Expression::Text(_) => Expression::Flag(false),
            other => other.is_null(),
        },
        Expression::OneOf(_, list) if list.is_empty() => Expression::Flag(false),
        Expression::Case(branches, otherwise) => {
            let mut kept = Vec::new();
            let mut last = *otherwise;
            for (condition, value) in branches {
                match condition {
                    Expression::Flag(false) | Expression::Null => {}
                    Expression::Flag(true) => {
                        last = value;
                        break;
                    }
                    condition => kept.push((condition, value)),
                }
            }
            if kept.is_empty() || kept.iter().all(|(_, value)| *value == last) {
                last
            } else {
                Expression::Case(kept, Box::new(last))
            }
        }
        Expression::First(list) => {
            let mut list: Vec<Expression> = list.into_iter().filter(|one| *one != Expression::Null).collect();
            match list.len() {
                0 => Expression::Null,
                1 => list.swap_remove(0),
                _ => Expression::First(list),
            }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expressions::parse;

    fn folded(text: &str) -> String {
        let list = |words: &[&str]| SettingValue::List(words.iter().map(|word| (*word).to_owned()).collect());
        let settings = Settings::default()
            .with("rules.due", SettingValue::Text("portal".to_owned()))
            .with("rules.open", SettingValue::Flag(false))
            .with("rules.ends", list(&["stopped", "completed"]))
            .with("rules.none", list(&[]))
            .with("night.now", SettingValue::Number(7));
        fold(&parse(text).expect("it is in the language"), &settings).to_string()
    }

    #[test]
    fn settings_choose_among_expressions() {
        for (text, result) in [
            ("CASE rules.due WHEN 'statutory' THEN a WHEN 'portal' THEN b ELSE c END", "b"),
            ("CASE WHEN rules.open AND x THEN a ELSE b END", "b"),
            ("received_at <= night.now", "(received_at <= 7)"),
            ("(status IN (rules.ends)) IS TRUE", "((status IN ('stopped', 'completed')) IS TRUE)"),
            ("NOT (status IN (rules.none) IS TRUE)", "TRUE"),
            ("first(rules.ends, 'completed', a, 'refused', b, 'stopped', c)", "COALESCE(c, a)"),
            ("first(rules.none, 'completed', a)", "NULL"),
            (
                "first_word(rules.ends, 'completed', a, 'stopped', c)",
                "CASE WHEN NOT ((c IS NULL)) THEN 'stopped' WHEN NOT ((a IS NULL)) THEN 'completed' ELSE NULL END",
            ),
        ] {
            assert_eq!(folded(text), result, "{text}");
        }
    }
}
