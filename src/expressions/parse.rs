//! Reads an expression from text, with the syntax of SQL.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart, UnaryOperator, Value,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use crate::expressions::tree::{Comparison, Expression, Function, Operation};

/// Expressions with one parameter that other expressions may call: name of the parameter, and the expression.
pub type Macros = BTreeMap<String, (String, Expression)>;

/// Reads one expression.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Expression, String> {
    parse_with(text, &Macros::new())
}

/// Reads one expression that may call macros.
///
/// # Errors
/// What is wrong with it.
pub fn parse_with(text: &str, macros: &Macros) -> Result<Expression, String> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text).map_err(|error| error.to_string())?;
    let tree = parser.parse_expr().map_err(|error| error.to_string())?;
    let rest = parser.peek_token().token;
    if rest != Token::EOF {
        return Err(format!("unexpected `{rest}` after the expression"));
    }
    Reader { macros }.read(&tree)
}

struct Reader<'a> {
    macros: &'a Macros,
}

impl Reader<'_> {
    fn read(&self, tree: &Expr) -> Result<Expression, String> {
        let boxed = |tree: &Expr| self.read(tree).map(Box::new);
        Ok(match tree {
            Expr::Identifier(name) => Expression::Column(name.value.clone()),
            Expr::CompoundIdentifier(names) => {
                let name = names.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(".");
                let is_setting = ["rules.", "night.", "worklist."].iter().any(|of| name.starts_with(of));
                if is_setting { Expression::Setting(name) } else { Expression::Column(name) }
            }
            Expr::Nested(inner) => self.read(inner)?,
            Expr::Value(value) => match &value.value {
                Value::Null => Expression::Null,
                Value::Boolean(flag) => Expression::Flag(*flag),
                Value::Number(digits, _) => {
                    Expression::Number(digits.parse().map_err(|_| format!("`{digits}` is not a whole number"))?)
                }
                Value::SingleQuotedString(text) => Expression::Text(text.clone()),
                other => return Err(not_allowed(&other.to_string())),
            },
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => Expression::Not(boxed(expr)?),
            Expr::IsNull(expr) => Expression::IsNull(boxed(expr)?),
            Expr::IsNotNull(expr) => self.read(expr)?.is_null().negated(),
            Expr::IsTrue(expr) => Expression::IsTrue(boxed(expr)?),
            Expr::IsNotTrue(expr) => self.read(expr)?.is_true().negated(),
            Expr::IsFalse(expr) => self.read(expr)?.negated().is_true(),
            Expr::IsNotFalse(expr) => self.read(expr)?.is_not_false(),
            Expr::InList { expr, list, negated } => {
                let list = list.iter().map(|item| self.read(item)).collect::<Result<_, _>>()?;
                let is = Expression::OneOf(boxed(expr)?, list);
                if *negated { is.negated() } else { is }
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right)?,
            Expr::Case { operand, conditions, else_result, .. } => {
                let mut branches = Vec::new();
                for branch in conditions {
                    let condition = self.read(&branch.condition)?;
                    let condition = match operand {
                        Some(operand) => self.read(operand)?.compared(Comparison::Equal, condition),
                        None => condition,
                    };
                    branches.push((condition, self.read(&branch.result)?));
                }
                let otherwise = else_result.as_ref().map_or(Ok(Expression::Null), |otherwise| self.read(otherwise))?;
                Expression::Case(branches, Box::new(otherwise))
            }
            Expr::Function(call) => {
                let [ObjectNamePart::Identifier(name)] = &call.name.0[..] else {
                    return Err(not_allowed(&call.to_string()));
                };
                let FunctionArguments::List(arguments) = &call.args else {
                    return Err(not_allowed(&call.to_string()));
                };
                let is_plain = arguments.duplicate_treatment.is_none() && arguments.clauses.is_empty();
                if !is_plain || call.over.is_some() || call.filter.is_some() {
                    return Err(not_allowed(&call.to_string()));
                }
                let arguments = arguments.args.iter().map(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(tree)) => self.read(tree),
                    other => Err(not_allowed(&other.to_string())),
                });
                self.call(&name.value, arguments.collect::<Result<_, _>>()?)?
            }
            other => return Err(not_allowed(&other.to_string())),
        })
    }

    fn binary(&self, left: &Expr, operator: &BinaryOperator, right: &Expr) -> Result<Expression, String> {
        let (left, right) = (self.read(left)?, self.read(right)?);
        let comparison = match operator {
            BinaryOperator::And => return Ok(left.and(right)),
            BinaryOperator::Or => return Ok(left.or(right)),
            BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply => {
                let operation = match operator {
                    BinaryOperator::Plus => Operation::Add,
                    BinaryOperator::Minus => Operation::Subtract,
                    _ => Operation::Multiply,
                };
                return Ok(Expression::Arithmetic(operation, Box::new(left), Box::new(right)));
            }
            BinaryOperator::Eq => Comparison::Equal,
            BinaryOperator::NotEq => Comparison::NotEqual,
            BinaryOperator::Lt => Comparison::Less,
            BinaryOperator::LtEq => Comparison::LessOrEqual,
            BinaryOperator::Gt => Comparison::Greater,
            BinaryOperator::GtEq => Comparison::GreaterOrEqual,
            other => return Err(format!("operator `{other}` is not allowed in a predicate")),
        };
        Ok(left.compared(comparison, right))
    }

    fn call(&self, name: &str, mut arguments: Vec<Expression>) -> Result<Expression, String> {
        let name = name.to_ascii_lowercase();
        if let Some((parameter, body)) = self.macros.get(&name) {
            let (Some(argument), true) = (arguments.pop(), arguments.is_empty()) else {
                return Err(format!("`{name}` has one argument"));
            };
            return Ok(body.with_columns(&|column| (column == parameter).then(|| argument.clone())));
        }
        if name == "coalesce" {
            return Ok(Expression::First(arguments));
        }
        match Function::from_str(&name) {
            Ok(function) => Ok(Expression::Call(function, arguments)),
            Err(_) => Err(not_allowed(&format!("{name}(…)"))),
        }
    }
}

fn not_allowed(what: &str) -> String {
    format!(
        "`{what}` is not allowed in a predicate; columns, texts, numbers, comparisons, IN, IS, CASE, COALESCE, AND, OR and \
         NOT are"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_read_with_the_precedence_of_sql() {
        for (text, read) in [
            ("is_online", "is_online"),
            ("NOT a OR b AND c", "(NOT (a) OR (b AND c))"),
            ("a + 1 - b * 2 < 3", "(((a + 1) - (b * 2)) < 3)"),
            ("status NOT IN ('refused', 'stopped')", "NOT ((status IN ('refused', 'stopped')))"),
            ("(a = b) IS NOT FALSE", "NOT ((NOT ((a = b)) IS TRUE))"),
            ("CASE rules.due WHEN 'portal' THEN a END", "CASE WHEN (rules.due = 'portal') THEN a ELSE NULL END"),
            ("coalesce(procedure.sector, sector_code)", "COALESCE(procedure.sector, sector_code)"),
            ("first(rules.ends, 'stopped', stopped_at)", "first(rules.ends, 'stopped', stopped_at)"),
        ] {
            assert_eq!(parse(text).map(|tree| tree.to_string()), Ok(read.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_written_out_is_read_as_the_same_tree() {
        for text in ["CASE WHEN a IS NULL THEN 'x''y' ELSE local_day(b - 1) END", "a IN (1, 2) AND NOT b IS TRUE"] {
            let tree = parse(text).expect("it is in the language");
            assert_eq!(parse(&tree.to_string()), Ok(tree), "{text}");
        }
    }

    #[test]
    fn a_macro_is_replaced_by_its_expression() {
        let body = parse("x < received_at").expect("it is in the language");
        let macros = Macros::from([("is_early".to_owned(), ("x".to_owned(), body))]);
        let read = parse_with("NOT is_early(due_at)", &macros).expect("it is in the language");
        assert_eq!(read.to_string(), "NOT ((due_at < received_at))");
        assert!(parse_with("is_early(due_at, 1)", &macros).is_err());
    }

    #[test]
    fn other_sql_is_refused() {
        for text in ["", "COUNT(*) > 1", "a AS b", "SUM(1) OVER ()", "(SELECT TRUE)", "a; DROP TABLE x", "a LIKE 's%'"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
