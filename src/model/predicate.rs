//! Predicates of indicators: which SQL they may be made of, and which columns they may name.
//!
//! Polars' own `sql_expr` lets aggregates, windows, aliases and subqueries through; an indicator may only say
//! something of one dossier at a time, so its syntax tree is checked before anything is computed.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use crate::model::agency::AgencyKind;
use crate::model::table::{
    CHANNELS, FEEDBACK_ORIGINS, FEEDBACK_SUBJECTS, INTERLINKS, LATE_CAUSES, ROLES, SERVICE_LEVELS, STATUSES, TIERS,
};

/// Type of a fact column or of a part of a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactType {
    Flag,
    /// Any text.
    Text,
    /// A text that is one of these words.
    Word(&'static [&'static str]),
    Number,
}

impl FactType {
    /// Whether values of both can be compared.
    fn fits(self, other: Self) -> bool {
        let is_text = |one| matches!(one, Self::Text | Self::Word(_));
        self == other || (is_text(self) && is_text(other))
    }
}

/// What a predicate may say of a dossier. State columns speak of the rule set's moment.
pub const FACT_COLUMNS: &[(&str, FactType, &str)] = &[
    ("is_received", FactType::Flag, "received by the agency, not deleted, no part of an interlinked dossier"),
    ("is_ended", FactType::Flag, "state: resolved, withdrawn, refused or stopped"),
    ("is_on_time", FactType::Flag, "state: ended on time, or open in time where the rule set counts that"),
    ("is_late", FactType::Flag, "state: ended after its due date"),
    ("is_overdue", FactType::Flag, "state: open after its due date"),
    ("is_pending", FactType::Flag, "state: open and not overdue"),
    ("ends_early", FactType::Flag, "ended on a day before its due day; says something of ended dossiers only"),
    ("has_due_date", FactType::Flag, "the source gives a due date"),
    ("agency_kind", FactType::Word(&AgencyKind::NAMES), "what kind of body the agency is"),
    ("agency_tier", FactType::Word(TIERS), "the agency's tier"),
    ("agency_vertical", FactType::Flag, "a central body's local branch (ngành dọc)"),
    ("agency_known", FactType::Flag, "the agency stands in the registry"),
    ("procedure_code", FactType::Text, "national code d.dddddd"),
    ("procedure_vertical", FactType::Flag, "the procedure is resolved by a vertical agency"),
    ("procedure_known", FactType::Flag, "the procedure stands in the registry"),
    ("sector_code", FactType::Text, "sector (lĩnh vực)"),
    ("certification", FactType::Flag, "certification (chứng thực), by the source, else by the registry of procedures"),
    ("status", FactType::Word(STATUSES), "status as the source gives it"),
    ("submission_channel", FactType::Word(CHANNELS), "how it was submitted, as the source gives it"),
    ("is_online", FactType::Flag, "submitted online"),
    ("is_postal_submission", FactType::Flag, "received by post, by the rule set's evidence"),
    ("is_returned", FactType::Flag, "the result was returned, by portal or post"),
    ("is_postal_return", FactType::Flag, "the result was returned by post, by the rule set's evidence"),
    ("offered_level", FactType::Word(SERVICE_LEVELS), "level offered on the day of reception"),
    ("offers_postal_submission", FactType::Flag, "deployed for reception by post on the day of reception"),
    ("offers_postal_return", FactType::Flag, "deployed for return by post on the day of reception"),
    ("service_level", FactType::Word(SERVICE_LEVELS), "level as the source gives it"),
    ("result_electronic", FactType::Flag, "the result is electronic"),
    ("supplement_requests", FactType::Number, "how often the applicant was asked to supplement"),
    ("has_apology", FactType::Flag, "an apology was sent (NĐ 61/2018 art. 19(9))"),
    ("late_cause", FactType::Word(LATE_CAUSES), "whose fault it is that a dossier is late"),
    ("non_territorial", FactType::Flag, "received elsewhere than where it is resolved (phi địa giới)"),
    ("source", FactType::Text, "connector"),
];

/// What a predicate may say of an offer of a procedure (`procedure_offers.csv`).
pub const OFFER_COLUMNS: &[(&str, FactType, &str)] = &[
    ("role", FactType::Word(ROLES), "part of the agency that offers it"),
    ("at_one_stop", FactType::Flag, "received and returned at a one-stop shop"),
    ("one_stop_exempt", FactType::Flag, "lawfully not received at a one-stop shop"),
    ("list_1291", FactType::Flag, "in the list of vertical agencies' procedures of QĐ 1291/QĐ-TTg"),
    ("online_level", FactType::Word(SERVICE_LEVELS), "level at which it is offered online"),
    ("postal_submission", FactType::Flag, "deployed for reception by post"),
    ("postal_return", FactType::Flag, "deployed for return by post"),
    ("interlinked", FactType::Word(INTERLINKS), "how it is interlinked (liên thông)"),
    ("procedure_vertical", FactType::Flag, "the procedure is resolved by a vertical agency"),
    ("agency_vertical", FactType::Flag, "the agency that offers it is a central body's branch"),
];

/// What a predicate may say of an agency (`agencies.csv`).
pub const AGENCY_COLUMNS: &[(&str, FactType, &str)] = &[
    ("agency_kind", FactType::Word(&AgencyKind::NAMES), "what kind of body the agency is"),
    ("agency_tier", FactType::Word(TIERS), "the agency's tier"),
    ("agency_vertical", FactType::Flag, "a central body's local branch (ngành dọc)"),
];

/// What a predicate may say of a feedback (phản ánh, kiến nghị), at the night's moment.
pub const FEEDBACK_COLUMNS: &[(&str, FactType, &str)] = &[
    ("is_received", FactType::Flag, "received and not deleted"),
    ("is_handled", FactType::Flag, "handled, or forwarded with a proposal to whoever is competent"),
    ("is_handled_in_time", FactType::Flag, "handled not later than its due date; without one, never"),
    ("has_due_date", FactType::Flag, "the source gives a due date"),
    ("is_answered", FactType::Flag, "the person was answered"),
    ("is_published", FactType::Flag, "the answer was published"),
    ("origin", FactType::Word(FEEDBACK_ORIGINS), "received by the province, or passed on by a ministry"),
    ("subject", FactType::Word(FEEDBACK_SUBJECTS), "a regulation, or the conduct of an official"),
    ("agency_kind", FactType::Word(&AgencyKind::NAMES), "what kind of body the agency is"),
    ("agency_tier", FactType::Word(TIERS), "the agency's tier"),
    ("agency_vertical", FactType::Flag, "a central body's local branch (ngành dọc)"),
    ("agency_known", FactType::Flag, "the agency stands in the registry"),
];

/// Columns: name, type, meaning.
pub type Columns = &'static [(&'static str, FactType, &'static str)];

/// Columns whose value depends on the state of a dossier at a moment.
pub const STATE_COLUMNS: &[&str] = &["is_ended", "is_on_time", "is_late", "is_overdue", "is_pending"];

/// Checks that a text is one boolean expression over fact columns.
///
/// # Errors
/// What is wrong with it.
pub fn check(text: &str) -> Result<(), String> {
    check_over(text, FACT_COLUMNS)
}

/// Checks that a text is one boolean expression over the given columns.
///
/// # Errors
/// What is wrong with it.
pub fn check_over(text: &str, columns: Columns) -> Result<(), String> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text).map_err(|error| error.to_string())?;
    let tree = parser.parse_expr().map_err(|error| error.to_string())?;
    let rest = parser.peek_token().token;
    if rest != Token::EOF {
        return Err(format!("unexpected `{rest}` after the expression"));
    }
    match type_of(&tree, columns)? {
        FactType::Flag => Ok(()),
        other => Err(format!("the expression is no condition, it is a {}", word(other))),
    }
}

/// Whether a predicate names a state column.
#[must_use]
pub fn speaks_of_state(text: &str) -> bool {
    let folded = text.to_ascii_lowercase();
    folded
        .split(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '_')
        .any(|word| STATE_COLUMNS.contains(&word))
}

/// The same condition with every `IN` written as comparisons: an engine may make a join of a list.
///
/// A text that cannot be read is given back as it is; [`check`] tells what is wrong with it.
#[must_use]
pub fn without_lists(text: &str) -> String {
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
            other => Err(format!("`{other}` may not stand in a predicate")),
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
            other => Err(format!("operator `{other}` may not stand in a predicate")),
        },
        other => Err(format!(
            "`{other}` may not stand in a predicate: columns, texts, numbers, comparisons, IN, IS, AND, OR and NOT may"
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

/// A column that only holds words of a list is compared with one of them: with any other nothing would ever be counted.
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

/// Without the brackets round it.
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
    use super::{AGENCY_COLUMNS, FACT_COLUMNS, FEEDBACK_COLUMNS, OFFER_COLUMNS, check, check_over, without_lists};

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
            assert_eq!(check(&without_lists(text)), Ok(()));
        }
    }

    #[test]
    fn takes_conditions_over_fact_columns() {
        for text in [
            "TRUE",
            "is_received AND NOT agency_vertical",
            "agency_kind = 'specialised' AND (is_online OR submission_channel IN ('postal', 'counter'))",
            "offered_level IS NOT NULL AND offered_level <> 'information'",
            "offered_level = service_level OR source = 'any' OR 'late' <> sector_code",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn refuses_all_else() {
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
    fn words_of_closed_lists_are_known() {
        for text in [
            "agency_tier = 'comune'",
            "NOT ('comune' <> agency_tier)",
            "is_online OR agency_tier IN ('district', ('comune'))",
            "(agency_tier) NOT IN ('comune')",
        ] {
            let told = "`agency_tier` is never `comune`; it is one of: province, district, commune";
            assert_eq!(check(text), Err(told.to_owned()), "{text}");
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
            assert!(check_over(text, columns).is_err_and(|told| told.contains("is one of")), "{text}");
        }
    }
}
