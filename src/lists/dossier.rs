//! One dossier behind a figure: what it is to it, the conditions and facts that decide that, and its versions.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::shown;
use crate::indicators::dossier_json;
use crate::locale::{Language, moment};
use crate::model::instant;
use crate::model::list::{ListCell, ListColumn, ListColumnType};
use crate::model::record::Value as StoredValue;
use crate::run::DossierWithHistory;

/// What one dossier is to a figure, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ExplainedDossier)]
pub struct DossierAnswer {
    /// `in_numerator` · `not_in_numerator` · `unknown` · `undecided` · `excluded`.
    side: &'static str,
    /// As in lists of dossiers.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    dossier: Map<String, Value>,
    /// The conditions of population, denominator and numerator.
    conditions: Vec<ConditionAnswer>,
    /// The facts that the conditions name, each followed by those that it is computed from.
    facts: Vec<FactAnswer>,
    /// The versions that runs up to the night have brought, the oldest first.
    versions: Vec<VersionAnswer>,
}

/// A condition, and what it is for the dossier.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ConditionOfDossier)]
struct ConditionAnswer {
    condition: String,
    /// Null if it is not known.
    is_true: Option<bool>,
}

/// A fact of the dossier.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = FactOfDossier)]
struct FactAnswer {
    name: String,
    meaning_vi: String,
    meaning_en: String,
    value: Value,
    /// How it follows from other facts; null if the source states it.
    expression: Option<String>,
    /// How many facts are between it and a condition.
    depth: usize,
}

/// A version of the dossier, and what it changed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = VersionOfDossier)]
struct VersionAnswer {
    run: i64,
    /// Page and row of that run.
    page: u32,
    row: u32,
    /// The columns whose values differ from the version before; of the first version those that have a value.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    changed: Map<String, Value>,
}

impl DossierAnswer {
    #[must_use]
    pub fn new(found: &DossierWithHistory) -> Self {
        let dossier = &found.dossier;
        let conditions = dossier
            .conditions
            .iter()
            .map(|(condition, is_true)| ConditionAnswer { condition: condition.clone(), is_true: *is_true });
        let facts = dossier.facts.iter().map(|fact| FactAnswer {
            name: fact.name.clone(),
            meaning_vi: fact.meaning_vi.clone(),
            meaning_en: fact.meaning_en.clone(),
            value: fact.value.to_json(),
            expression: fact.expression.clone(),
            depth: fact.depth,
        });
        let versions = found.versions.iter().map(|version| VersionAnswer {
            run: version.run,
            page: version.page,
            row: version.row,
            changed: version.changed.iter().map(|(column, value)| ((*column).to_owned(), value_json(value))).collect(),
        });
        Self {
            side: dossier.side.name(),
            dossier: dossier_json(&dossier.cells),
            conditions: conditions.collect(),
            facts: facts.collect(),
            versions: versions.collect(),
        }
    }
}

fn value_json(value: &StoredValue) -> Value {
    match value {
        StoredValue::Null => Value::Null,
        StoredValue::Text(text) => json!(&**text),
        StoredValue::Instant(micros) => json!(instant::display(*micros)),
        StoredValue::Flag(flag) => json!(flag),
        StoredValue::Integer(number) => json!(number),
    }
}

/// The value of a fact as people read it; a dash if it is not known.
#[must_use]
pub fn fact_value(lang: Language, fact: &str, value: &ListCell) -> String {
    match value {
        ListCell::Null => "–".to_owned(),
        ListCell::Text(text) => lang.word_of(fact, text).unwrap_or_else(|| text.clone()),
        known => shown(lang, &ListColumn::new("", ListColumnType::Text, "", ""), known),
    }
}

/// The value that a version has in a column as people read it; a dash if it has none.
#[must_use]
pub fn stored_value(lang: Language, column: &str, value: &StoredValue) -> String {
    match value {
        StoredValue::Null => "–".to_owned(),
        StoredValue::Text(text) => lang.word_of(column, text).unwrap_or_else(|| text.to_string()),
        StoredValue::Instant(micros) => moment(*micros),
        StoredValue::Flag(flag) => if *flag { lang.of("có", "yes") } else { lang.of("không", "no") }.to_owned(),
        StoredValue::Integer(number) => number.to_string(),
    }
}
