//! The facts that the program brings (`facts/*.toml`).

use std::sync::LazyLock;

use crate::expressions::fact_file::{FactProblem, GroupedTable, read_facts, read_grouped};
use crate::expressions::fact_table::FactTable;
use crate::expressions::tree::Expression;
use crate::model::agency::AgencyKind;
use crate::model::predicate::FactType;
use crate::model::table::{RecordKind, SERVICE_LEVELS, TIERS, TIME_UNITS};

/// Type of a column of a look-up: what the registries, the notes, the post and other dossiers say about a dossier.
fn lookup_column(name: &str) -> Option<FactType> {
    let (table, column) = name.split_once('.')?;
    Some(match (table, column) {
        ("note", _) => notes_by_dossier().facts.fact(column)?.fact_type,
        ("own_item" | "national_item", _) => post_by_dossier().facts.fact(column)?.fact_type,
        // The new due date of the note that promised the dossier's due date, if several notes promise different ones.
        ("promise", "new_due_at") => FactType::Instant,
        ("procedure", "vertical" | "certification" | "immediate")
        | ("agency", "vertical" | "known")
        | ("offer", "submission" | "return")
        // The dossier is a part of an interlinked dossier that the table has.
        | ("parts", "is_part") => FactType::Flag,
        ("procedure", "sector") => FactType::Text,
        ("procedure", "statutory_time" | "cut_off") => FactType::Number,
        ("procedure", "unit") => FactType::Word(TIME_UNITS),
        ("agency", "kind") => FactType::Word(<AgencyKind as strum::VariantNames>::VARIANTS),
        ("agency", "tier") => FactType::Word(TIERS),
        ("offer", "level") => FactType::Word(SERVICE_LEVELS),
        _ => return None,
    })
}

fn shipped<T>(read: Result<T, Vec<FactProblem>>) -> T {
    read.unwrap_or_else(|problems| unreachable!("the shipped facts are tested: {problems:?}"))
}

/// The facts of a dossier.
#[must_use]
pub fn dossier_facts() -> &'static FactTable {
    static FACTS: LazyLock<FactTable> = LazyLock::new(|| {
        shipped(read_facts(include_str!("../../facts/dossiers.toml"), RecordKind::Dossiers, lookup_column))
    });
    &FACTS
}

/// The facts of feedback (phản ánh, kiến nghị).
#[must_use]
pub fn feedback_facts() -> &'static FactTable {
    static FACTS: LazyLock<FactTable> = LazyLock::new(|| {
        shipped(read_facts(include_str!("../../facts/feedback.toml"), RecordKind::Feedback, lookup_column))
    });
    &FACTS
}

/// The notes (cause of delay, apology) of each dossier.
#[must_use]
pub fn notes_by_dossier() -> &'static GroupedTable {
    static FACTS: LazyLock<GroupedTable> = LazyLock::new(|| {
        shipped(read_grouped(include_str!("../../facts/dossier_notes.toml"), RecordKind::DossierNotes))
    });
    &FACTS
}

/// The postal items of each dossier.
#[must_use]
pub fn post_by_dossier() -> &'static GroupedTable {
    static FACTS: LazyLock<GroupedTable> =
        LazyLock::new(|| shipped(read_grouped(include_str!("../../facts/postal_items.toml"), RecordKind::PostalItems)));
    &FACTS
}

/// Whether a predicate names a fact that is null where it is not known.
#[must_use]
pub fn can_be_unknown(predicate: &Expression) -> bool {
    let tables = [dossier_facts(), feedback_facts()];
    let is_known = |name: &str| {
        let mut facts = tables.iter().filter_map(|table| table.fact(name));
        facts.all(|fact| fact.is_always_known)
    };
    predicate.columns().into_iter().any(|name| !is_known(name))
}

/// Whether a predicate about a dossier depends on a column of a look-up (`note`, `own_item`), through any of the facts that it
/// names.
#[must_use]
pub fn depends_on(predicate: &Expression, lookup: &str) -> bool {
    let mut waiting: Vec<&str> = predicate.columns();
    let mut seen = std::collections::BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if name.split_once('.').is_some_and(|(table, _)| table == lookup) {
            return true;
        }
        if seen.insert(name) {
            let fact = dossier_facts().fact(name);
            waiting.extend(fact.and_then(|fact| fact.expression.as_ref()).map(Expression::columns).unwrap_or_default());
        }
    }
    false
}

/// Whether a predicate names a fact that depends on the state of a dossier at a moment.
#[must_use]
pub fn names_state(predicate: &Expression) -> bool {
    let is_state = |name: &str| dossier_facts().fact(name).is_some_and(|fact| fact.phases.is_some());
    predicate.columns().into_iter().any(is_state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expressions::fact_table::Stage;

    #[test]
    fn the_shipped_facts_have_no_mistake() {
        for text in [include_str!("../../facts/dossiers.toml"), include_str!("../../facts/feedback.toml")] {
            let table = if text.contains("is_handled") { RecordKind::Feedback } else { RecordKind::Dossiers };
            let problems = read_facts(text, table, lookup_column).err().unwrap_or_default();
            assert!(problems.is_empty(), "{problems:#?}");
        }
        for (text, table) in [
            (include_str!("../../facts/dossier_notes.toml"), RecordKind::DossierNotes),
            (include_str!("../../facts/postal_items.toml"), RecordKind::PostalItems),
        ] {
            let problems = read_grouped(text, table).err().unwrap_or_default();
            assert!(problems.is_empty(), "{problems:#?}");
        }
    }

    #[test]
    fn a_fact_belongs_to_the_stage_of_what_it_names() {
        let table = dossier_facts();
        for (name, stage) in [
            ("has_due_date", Stage::Common),
            ("procedure_known", Stage::Common),
            ("offered_level", Stage::Agency),
            ("is_received", Stage::Rules),
            ("apology", Stage::Rules),
        ] {
            assert_eq!(table.stage(name), Some(stage), "{name}");
        }
    }

    #[test]
    fn what_can_be_unknown_and_what_depends_on_the_state_is_known_by_name() {
        let read = |text: &str| crate::expressions::parse(text).expect("it is in the language");
        assert!(can_be_unknown(&read("is_received AND is_online")));
        assert!(!can_be_unknown(&read("is_received AND NOT agency_vertical")));
        assert!(names_state(&read("is_received AND NOT is_late")));
        assert!(!names_state(&read("has_due_date")));
    }

    #[test]
    fn what_a_predicate_depends_on_is_found_through_the_facts() {
        let read = |text: &str| crate::expressions::parse(text).expect("it is in the language");
        for (text, notes, items) in [
            ("apology = 'timely'", true, false),
            ("is_postal_return", false, true),
            ("submission_channel = 'online'", false, false),
        ] {
            let found = ["note", "own_item"].map(|lookup| depends_on(&read(text), lookup));
            assert_eq!(found, [notes, items], "{text}");
        }
    }

    /// Words that a setting can be, from the schema of rule sets; statuses for the two lists that are derived.
    fn words_of(setting: &str, schema: &serde_json::Value) -> Option<Vec<String>> {
        let key = setting.strip_prefix("rules.")?;
        let key = if matches!(key, "ended_statuses" | "on_time_statuses") { "not_received" } else { key };
        let mut node = &schema["properties"][key];
        let words = |node: &serde_json::Value| {
            let listed = node["enum"].as_array().into_iter().flatten();
            let described = node["oneOf"].as_array().into_iter().flatten();
            let described =
                described.flat_map(|one| one["enum"].as_array().cloned().unwrap_or_else(|| vec![one["const"].clone()]));
            listed.cloned().chain(described).filter_map(|word| word.as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        while words(node).is_empty() {
            let next = [&node["items"], &node["allOf"][0]].into_iter().find(|next| !next.is_null());
            node = match (node["$ref"].as_str(), next) {
                (Some(reference), _) => schema.pointer(&reference[1..])?,
                (None, Some(next)) => next,
                (None, None) => return None,
            };
        }
        Some(words(node))
    }

    /// Settings that an expression compares with words, and the words.
    fn compared<'e>(expression: &'e Expression, found: &mut Vec<(&'e str, &'e str)>) {
        let pairs: Vec<[&Expression; 2]> = match expression {
            Expression::Compare(_, left, right) => vec![[left, right], [right, left]],
            Expression::OneOf(value, list) => list.iter().flat_map(|item| [[&**value, item], [item, value]]).collect(),
            Expression::Call(_, arguments) => {
                arguments.iter().skip(1).step_by(2).map(|word| [&arguments[0], word]).collect()
            }
            _ => Vec::new(),
        };
        found.extend(pairs.into_iter().filter_map(|pair| match pair {
            [Expression::Setting(name), Expression::Text(word)] => Some((name.as_str(), word.as_str())),
            _ => None,
        }));
        expression.parts().into_iter().for_each(|part| compared(part, found));
    }

    #[test]
    fn settings_are_compared_with_words_that_they_can_be() {
        let schema = serde_json::to_value(schemars::schema_for!(crate::model::rules::RuleSet)).expect("plain data");
        let expressions = [dossier_facts(), feedback_facts()]
            .into_iter()
            .flat_map(FactTable::facts)
            .flat_map(|fact| fact.expression.iter().chain(fact.phases.iter().flatten()));
        let mut found = Vec::new();
        expressions.for_each(|expression| compared(expression, &mut found));
        assert!(found.len() > 30, "{found:?}");
        for (setting, word) in found {
            let words = words_of(setting, &schema).unwrap_or_else(|| panic!("`{setting}` is no setting of words"));
            assert!(words.iter().any(|known| known == word), "`{setting}` is never `{word}`; it is one of {words:?}");
        }
    }
}
