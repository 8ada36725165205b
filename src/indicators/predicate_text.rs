//! Rewrites the text of predicates before Polars parses it.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

/// The condition with every `IN` list written as comparisons, because Polars may turn a list into a join.
///
/// A text that does not parse is returned unchanged; reading it as an expression then fails with the reason.
pub(super) fn without_lists(text: &str) -> String {
    let parsed = Parser::new(&GenericDialect {}).try_with_sql(text).and_then(|mut parser| parser.parse_expr());
    parsed.map_or_else(|_| text.to_owned(), |tree| spelled_out(tree).to_string())
}

fn spelled_out(tree: Expr) -> Expr {
    let inner = |tree: Box<Expr>| Box::new(spelled_out(*tree));
    match tree {
        Expr::InList { expr, list, negated } => {
            let is = list.into_iter().map(|item| Expr::BinaryOp {
                left: expr.clone(),
                op: BinaryOperator::Eq,
                right: Box::new(item),
            });
            let or =
                |left, right| Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Or, right: Box::new(right) };
            let any =
                is.reduce(or).map_or(Expr::Value(Value::Boolean(false).into()), |any| Expr::Nested(Box::new(any)));
            if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(any) } } else { any }
        }
        Expr::Nested(nested) => Expr::Nested(inner(nested)),
        Expr::UnaryOp { op, expr } => Expr::UnaryOp { op, expr: inner(expr) },
        Expr::BinaryOp { left, op, right } => Expr::BinaryOp { left: inner(left), op, right: inner(right) },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::without_lists;

    #[test]
    fn lists_become_comparisons() {
        for (text, expected) in [
            ("is_online", "is_online"),
            (
                "is_online AND NOT (offered_level IN ('partial', 'full'))",
                "is_online AND NOT ((offered_level = 'partial' OR offered_level = 'full'))",
            ),
            ("status NOT IN ('refused')", "NOT (status = 'refused')"),
        ] {
            assert_eq!(without_lists(text), expected);
        }
    }
}
