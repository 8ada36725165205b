//! Conditions in the words of the facts that they name.

use std::str::FromStr as _;

use super::sides::add_conjuncts;
use crate::expressions::{Expression, FactTable, dossier_facts, parse};
use crate::model::agency::{AgencyKind, Tier};

/// The conditions that `AND` joins in a predicate over dossiers, each in words, in Vietnamese or English. Empty for
/// `TRUE`, and for a text that is no predicate.
#[must_use]
pub fn conditions_in_words(predicate: &str, is_vietnamese: bool) -> Vec<String> {
    let mut conditions = Vec::new();
    if let Ok(expression) = parse(predicate) {
        add_conjuncts(&expression, &mut conditions);
    }
    conditions.iter().map(|condition| in_words(dossier_facts(), condition, is_vietnamese)).collect()
}

/// A condition with the meanings of facts in place of their names.
pub(super) fn in_words(table: &FactTable, condition: &Expression, is_vietnamese: bool) -> String {
    let of = |expression: &Expression| in_words(table, expression, is_vietnamese);
    let word = |vietnamese: &'static str, english: &'static str| if is_vietnamese { vietnamese } else { english };
    match condition {
        Expression::Column(name) => match table.fact(name) {
            Some(fact) if is_vietnamese => fact.meaning_vi.clone(),
            Some(fact) => fact.meaning_en.clone(),
            None => name.clone(),
        },
        Expression::Not(one) => match &**one {
            Expression::IsNull(value) => format!("{}: {}", word("có", "there is"), of(value)),
            other => format!("{}: {}", word("không phải", "not"), of(other)),
        },
        Expression::IsNull(one) => format!("{}: {}", word("không có", "there is no"), of(one)),
        Expression::IsTrue(one) => of(one),
        Expression::And(left, right) => format!("{}; {} {}", of(left), word("và", "and"), of(right)),
        Expression::Or(left, right) => format!("{}; {} {}", of(left), word("hoặc", "or"), of(right)),
        Expression::Compare(comparison, left, right) => {
            let [vietnamese, english] = match (&**left, &**right) {
                (Expression::Column(fact), Expression::Text(text)) => word_of(fact, text).unwrap_or([text.as_str(); 2]),
                _ => return format!("{} {} {}", of(left), comparison.symbol(), of(right)),
            };
            format!("{} {} {}", of(left), comparison.symbol(), if is_vietnamese { vietnamese } else { english })
        }
        Expression::Text(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a value of a fact means, in Vietnamese and English; `None` if it has no words here.
fn word_of(fact: &str, value: &str) -> Option<[&'static str; 2]> {
    match fact {
        "agency_kind" => AgencyKind::from_str(value).ok().map(AgencyKind::meaning),
        "agency_tier" => Tier::from_str(value).ok().map(Tier::meaning),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predicate_is_put_into_words_condition_by_condition() {
        let meaning = |name: &str| dossier_facts().fact(name).expect("a fact").meaning_vi.clone();
        let words = conditions_in_words("is_received AND NOT agency_vertical AND is_received", true);
        assert_eq!(words, [meaning("is_received"), format!("không phải: {}", meaning("agency_vertical"))]);
        assert_eq!(
            conditions_in_words("agency_kind = 'specialised' AND submission_channel = 'online'", true),
            [
                format!("{} = Cơ quan chuyên môn cấp tỉnh", meaning("agency_kind")),
                format!("{} = online", meaning("submission_channel")),
            ]
        );
        assert!(conditions_in_words("TRUE", true).is_empty());
        assert!(conditions_in_words("is_received AND (", true).is_empty());
        assert_eq!(
            conditions_in_words("submission_channel IS NULL", true),
            [format!("không có: {}", meaning("submission_channel"))]
        );
    }
}
