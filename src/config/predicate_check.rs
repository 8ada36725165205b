//! Checks predicates of indicators: they are conditions over the columns that their kind of row has.

use crate::expressions::{Expression, check_condition, parse};
use crate::model::predicate::Columns;

/// Checks that a text is one condition over the given columns.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_over(text: &str, columns: Columns) -> Result<(), String> {
    let predicate = parse(text)?;
    if predicate.any(&|part| matches!(part, Expression::Setting(_) | Expression::Call(..))) {
        return Err("settings and functions are for facts, not for predicates".to_owned());
    }
    check_condition(&predicate, &|name| {
        columns.iter().find(|(known, ..)| *known == name).map(|(_, fact_type, _)| *fact_type).ok_or_else(|| {
            let known: Vec<&str> = columns.iter().map(|(known, ..)| *known).collect();
            format!("no column `{name}`; there are: {}", known.join(", "))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::check_over;
    use crate::expressions::{dossier_facts, feedback_facts};
    use crate::model::predicate::{AGENCY_COLUMNS, OFFER_COLUMNS};

    fn check(text: &str) -> Result<(), String> {
        check_over(text, dossier_facts().columns())
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
            "local_day(day) = 1",
            "rules.due = 'portal'",
            // A step, which only facts may name.
            "post_return",
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
            (dossier_facts().columns(), "status = 'done'"),
            (dossier_facts().columns(), "submission_channel = 'post'"),
            (dossier_facts().columns(), "late_cause = 'Agency'"),
            (OFFER_COLUMNS, "role = 'leader'"),
            (OFFER_COLUMNS, "interlinked = 'yes'"),
            (AGENCY_COLUMNS, "agency_kind = 'department'"),
            (feedback_facts().columns(), "origin = 'ministry' OR subject = 'conduct'"),
        ] {
            assert!(check_over(text, columns).is_err_and(|message| message.contains("is one of")), "{text}");
        }
    }
}
