//! Columns that have a value only if another column has one of some words (`when` of `[map]`).

use std::collections::BTreeMap;

use crate::model::connector::FieldMap;
use crate::model::record::Value;
use crate::model::table::RecordKind;

/// The conditions of a connector, with the indices of their columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions(Vec<(usize, usize, Vec<String>)>);

impl Conditions {
    pub(super) fn of(kind: RecordKind, maps: &BTreeMap<String, FieldMap>) -> Self {
        let condition = |(column, map): (&String, &FieldMap)| {
            let when = map.when.as_ref()?;
            Some((kind.column_index(column)?, kind.column_index(&when.column)?, when.is.clone()))
        };
        Self(maps.iter().filter_map(condition).collect())
    }

    /// Empties the columns whose condition a record does not meet. Conditions compare what the record states: one column
    /// that is emptied decides no other.
    pub(super) fn apply(&self, values: &mut [Value]) {
        let is_unmet = |(column, compared, words): &(usize, usize, Vec<String>)| {
            (!words.iter().any(|word| is_word(&values[*compared], word))).then_some(*column)
        };
        let unmet: Vec<usize> = self.0.iter().filter_map(is_unmet).collect();
        for column in unmet {
            values[column] = Value::Null;
        }
    }
}

fn is_word(value: &Value, word: &str) -> bool {
    match value {
        Value::Text(text) => **text == *word,
        Value::Flag(flag) => word == if *flag { "true" } else { "false" },
        Value::Null | Value::Instant(_) | Value::Integer(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connector::{Condition, FieldType};

    #[test]
    fn a_column_has_a_value_only_if_its_condition_is_met() {
        let kind = RecordKind::PostalItems;
        let at = |name: &str| kind.column_index(name).expect("a column");
        let when = |column: &str, words: &[&str]| {
            let is = words.iter().map(|word| (*word).to_owned()).collect();
            FieldMap { when: Some(Condition { column: column.to_owned(), is }), ..FieldMap::of(FieldType::Instant) }
        };
        let maps = BTreeMap::from([
            ("delivered_at".to_owned(), when("status", &["delivered"])),
            ("withdrawn_at".to_owned(), when("deleted", &["true"])),
            ("accepted_at".to_owned(), FieldMap::of(FieldType::Instant)),
        ]);
        let conditions = Conditions::of(kind, &maps);
        let text = |text: &str| Value::Text(text.into());
        for (status, deleted, delivered, withdrawn) in [
            (text("delivered"), Value::Null, true, false),
            (text("accepted"), Value::Flag(true), false, true),
            (Value::Null, Value::Flag(false), false, false),
        ] {
            let mut values = vec![Value::Null; kind.columns().len()];
            values[at("status")] = status;
            values[at("deleted")] = deleted;
            for name in ["delivered_at", "withdrawn_at", "accepted_at"] {
                values[at(name)] = Value::Instant(1);
            }
            conditions.apply(&mut values);
            let has = |name: &str| values[at(name)] != Value::Null;
            assert_eq!((has("delivered_at"), has("withdrawn_at"), has("accepted_at")), (delivered, withdrawn, true));
        }
    }
}
