//! Checks predicates of indicators: which SQL they may consist of, and which columns they may name.
//!
//! Polars' own `sql_expr` accepts aggregates, windows, aliases and subqueries. A predicate must be a condition over one
//! row, so its syntax tree is checked before anything is computed.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use crate::model::predicate::{Columns, FactType};

/// Checks that a text is one condition over the given columns.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_over(text: &str, columns: Columns) -> Result<(), String> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text).map_err(|error| error.to_string())?;
    let tree = parser.parse_expr().map_err(|error| error.to_string())?;
    let rest = parser.peek_token().token;
    if rest != Token::EOF {
        return Err(format!("unexpected `{rest}` after the expression"));
    }
    match type_of(&tree, columns)? {
        FactType::Flag => Ok(()),
        other => Err(format!("the expression is a {}, not a condition", word(other))),
    }
}

fn word(fact_type: FactType) -> &'static str {
    match fact_type {
        FactType::Flag => "condition",
        FactType::Text | FactType::Word(_) => "text",
        FactType::Number => "number",
    }
}

fn type_of(tree: &Expr, columns: Columns) -> Result<FactType, String> {
    match tree {
        Expr::Identifier(name) => column(&name.value, columns),
        Expr::Nested(inner) => type_of(inner, columns),
        Expr::Value(value) => match &value.value {
            Value::Boolean(_) => Ok(FactType::Flag),
            Value::Number(..) => Ok(FactType::Number),
            Value::SingleQuotedString(_) => Ok(FactType::Text),
            other => Err(format!("`{other}` is not allowed in a predicate")),
        },
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => expect(expr, FactType::Flag, columns),
        Expr::IsTrue(expr) | Expr::IsNotTrue(expr) | Expr::IsFalse(expr) | Expr::IsNotFalse(expr) => {
            expect(expr, FactType::Flag, columns)
        }
        Expr::IsNull(expr) | Expr::IsNotNull(expr) => type_of(expr, columns).map(|_| FactType::Flag),
        Expr::InList { expr, list, .. } => {
            let left = type_of(expr, columns)?;
            for item in list {
                expect(item, left, columns)?;
                check_word(expr, item, columns)?;
            }
            Ok(FactType::Flag)
        }
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::And | BinaryOperator::Or => {
                expect(left, FactType::Flag, columns)?;
                expect(right, FactType::Flag, columns)
            }
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => {
                expect(right, type_of(left, columns)?, columns)?;
                check_word(left, right, columns)?;
                check_word(right, left, columns)?;
                Ok(FactType::Flag)
            }
            other => Err(format!("operator `{other}` is not allowed in a predicate")),
        },
        other => Err(format!(
            "`{other}` is not allowed in a predicate; columns, texts, numbers, comparisons, IN, IS, AND, OR and NOT are"
        )),
    }
}

fn expect(tree: &Expr, expected: FactType, columns: Columns) -> Result<FactType, String> {
    let found = type_of(tree, columns)?;
    if found.fits(expected) {
        Ok(FactType::Flag)
    } else {
        Err(format!("`{tree}` is a {}, a {} is expected", word(found), word(expected)))
    }
}

/// Checks that a column with a closed list of words is compared with one of them. Otherwise the condition would never
/// hold.
fn check_word(compared: &Expr, with: &Expr, columns: Columns) -> Result<(), String> {
    let (Expr::Identifier(name), Expr::Value(value)) = (bare(compared), bare(with)) else { return Ok(()) };
    let (FactType::Word(words), Value::SingleQuotedString(text)) = (column(&name.value, columns)?, &value.value) else {
        return Ok(());
    };
    if words.contains(&text.as_str()) {
        return Ok(());
    }
    Err(format!("`{name}` is never `{text}`; it is one of: {}", words.join(", ")))
}

/// The expression without the parentheses around it.
fn bare(mut tree: &Expr) -> &Expr {
    while let Expr::Nested(inner) = tree {
        tree = inner;
    }
    tree
}

fn column(name: &str, columns: Columns) -> Result<FactType, String> {
    columns.iter().find(|(known, ..)| *known == name).map(|(_, fact_type, _)| *fact_type).ok_or_else(|| {
        let known: Vec<&str> = columns.iter().map(|(known, ..)| *known).collect();
        format!("no column `{name}`; there are: {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::check_over;
    use crate::model::predicate::{AGENCY_COLUMNS, FACT_COLUMNS, FEEDBACK_COLUMNS, OFFER_COLUMNS};

    fn check(text: &str) -> Result<(), String> {
        check_over(text, FACT_COLUMNS)
    }

    #[test]
    fn conditions_over_fact_columns_are_accepted() {
        for text in [
            "TRUE",
            "is_received AND NOT agency_vertical",
            "agency_kind = 'specialised' AND (is_online OR submission_channel IN ('postal', 'counter'))",
            "offered_level IS NOT NULL AND offered_level <> 'information'",
            "offered_level = service_level OR source = 'any' OR 'late' <> sector_code",
            // Lists as `indicators` writes them out.
            "is_online AND NOT ((offered_level = 'partial' OR offered_level = 'full'))",
            "NOT (status = 'refused')",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn other_expressions_are_refused() {
        for text in [
            "",
            "agency_kind",
            "is_recieved",
            "COUNT(*) > 1",
            "is_received AS r",
            "SUM(1) OVER ()",
            "is_received = 'yes'",
            "(SELECT TRUE)",
            "is_received; DROP TABLE x",
            "1 + 1",
            "agency_kind LIKE 's%'",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_outside_a_closed_list_are_refused() {
        for text in [
            "agency_tier = 'comune'",
            "NOT ('comune' <> agency_tier)",
            "is_online OR agency_tier IN ('district', ('comune'))",
            "(agency_tier) NOT IN ('comune')",
        ] {
            let message = "`agency_tier` is never `comune`; it is one of: province, district, commune";
            assert_eq!(check(text), Err(message.to_owned()), "{text}");
        }
        for (columns, text) in [
            (FACT_COLUMNS, "status = 'done'"),
            (FACT_COLUMNS, "submission_channel = 'post'"),
            (FACT_COLUMNS, "late_cause = 'Agency'"),
            (OFFER_COLUMNS, "role = 'leader'"),
            (OFFER_COLUMNS, "interlinked = 'yes'"),
            (AGENCY_COLUMNS, "agency_kind = 'department'"),
            (FEEDBACK_COLUMNS, "origin = 'ministry' OR subject = 'conduct'"),
        ] {
            assert!(check_over(text, columns).is_err_and(|message| message.contains("is one of")), "{text}");
        }
    }
}
