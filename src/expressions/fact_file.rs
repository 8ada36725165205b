//! Reads a file of facts (`facts/*.toml`) and checks every expression in it.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::expressions::check::type_of;
use crate::expressions::fact_table::{Fact, FactTable, LookupTypes, Phase, stored_column};
use crate::expressions::parse::{Macros, parse_with};
use crate::expressions::tree::Expression;
use crate::model::predicate::{APOLOGIES, FactType};
use crate::model::table::{
    CHANNELS, FEEDBACK_ORIGINS, FEEDBACK_SUBJECTS, LATE_CAUSES, RecordKind, SERVICE_LEVELS, STATUSES, TIERS,
};
use crate::model::text::line_at;

/// A mistake in a file of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactProblem {
    pub line: usize,
    /// Name of the fact or macro.
    pub name: String,
    pub message: String,
}

/// Rows of a table that are grouped by a column, and the facts of each group.
#[derive(Debug)]
pub struct GroupedTable {
    pub by: String,
    /// Condition on the rows.
    pub only: Expression,
    /// The columns that order the rows of a group; nulls come first.
    pub order: Vec<String>,
    pub facts: FactTable,
    /// Rows of the table that are one thing. Their facts are the rows that are grouped.
    pub joined: Option<JoinedRows>,
}

/// Rows of several sources that are one thing: those with the same values of some columns. A row that lacks one of them is
/// joined with no other.
#[derive(Debug)]
pub struct JoinedRows {
    pub by: Vec<String>,
    /// Condition on the rows.
    pub only: Expression,
    pub facts: FactTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactFile {
    by: Option<String>,
    #[serde(rename = "where")]
    only: Option<Spanned<String>>,
    #[serde(default)]
    order: Vec<String>,
    #[serde(default, rename = "macro")]
    macros: Vec<MacroEntry>,
    fact: Vec<FactEntry>,
    joined: Option<JoinedEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinedEntry {
    by: Vec<String>,
    #[serde(rename = "where")]
    only: Spanned<String>,
    fact: Vec<FactEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MacroEntry {
    name: String,
    parameter: String,
    /// What it is, in Vietnamese and English.
    #[expect(dead_code, reason = "for readers of the file")]
    vi: String,
    #[expect(dead_code, reason = "for readers of the file")]
    en: String,
    expression: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactEntry {
    name: Spanned<String>,
    r#type: Spanned<String>,
    vi: String,
    en: String,
    /// None: the column of the table, as it is.
    expression: Option<Spanned<String>>,
    #[serde(default)]
    step: bool,
    #[serde(default)]
    always: bool,
    #[serde(default)]
    in_phase: BTreeMap<String, Spanned<String>>,
}

/// Types by the word in a file. Closed lists of words have a type of their own.
const TYPES: &[(&str, FactType)] = &[
    ("flag", FactType::Flag),
    ("text", FactType::Text),
    ("number", FactType::Number),
    ("instant", FactType::Instant),
    ("day", FactType::Day),
    ("agency_kind", FactType::Word(<crate::model::agency::AgencyKind as strum::VariantNames>::VARIANTS)),
    ("tier", FactType::Word(TIERS)),
    ("status", FactType::Word(STATUSES)),
    ("channel", FactType::Word(CHANNELS)),
    ("service_level", FactType::Word(SERVICE_LEVELS)),
    ("late_cause", FactType::Word(LATE_CAUSES)),
    ("apology", FactType::Word(APOLOGIES)),
    ("feedback_origin", FactType::Word(FEEDBACK_ORIGINS)),
    ("feedback_subject", FactType::Word(FEEDBACK_SUBJECTS)),
];

/// Reads the facts of a table's rows. `lookups`: types of the columns of look-ups (`procedure.sector`).
///
/// # Errors
/// Every mistake in the file.
pub fn read_facts(text: &str, table: RecordKind, lookups: LookupTypes) -> Result<FactTable, Vec<FactProblem>> {
    let file = file(text)?;
    let mut reader = FactReader { text, problems: Vec::new() };
    let stored = |name: &str| stored_column(table, name);
    let facts = reader.facts((&file.macros, &file.fact), (table, &stored), lookups);
    if reader.problems.is_empty() { Ok(facts) } else { Err(reader.problems) }
}

/// Reads the facts of a table's groups.
///
/// # Errors
/// Every mistake in the file.
pub fn read_grouped(text: &str, table: RecordKind) -> Result<GroupedTable, Vec<FactProblem>> {
    let file = file(text)?;
    let mut reader = FactReader { text, problems: Vec::new() };
    let joined = file.joined.as_ref().map(|joined| reader.joined(&file.macros, joined, table));
    // The grouped rows have the columns of the table, or what is stated of those that are joined.
    let columns = |name: &str| match &joined {
        None => stored_column(table, name),
        Some(joined) if joined.by.iter().any(|by| by == name) => stored_column(table, name),
        Some(joined) => joined.facts.fact(name).map(|fact| fact.fact_type),
    };
    let facts = reader.facts((&file.macros, &file.fact), (table, &columns), |_| None);
    let only = file.only.as_ref().and_then(|only| reader.condition(only, &columns));
    let by = file.by.unwrap_or_default();
    if columns(&by).is_none() {
        reader.add("by", 1, format!("no column `{by}`"));
    }
    let only = only.unwrap_or(Expression::Flag(true));
    if reader.problems.is_empty() {
        Ok(GroupedTable { by, only, order: file.order, facts, joined })
    } else {
        Err(reader.problems)
    }
}

fn file(text: &str) -> Result<FactFile, Vec<FactProblem>> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        vec![FactProblem { line, name: String::new(), message: error.message().to_owned() }]
    })
}

/// Type of a column of rows; `None` if they have no such column.
type KnownColumns<'k> = &'k dyn Fn(&str) -> Option<FactType>;

struct FactReader<'a> {
    text: &'a str,
    problems: Vec<FactProblem>,
}

impl FactReader<'_> {
    fn add(&mut self, name: &str, line: usize, message: String) {
        self.problems.push(FactProblem { line, name: name.to_owned(), message });
    }

    /// Reads an expression of a type; `None` after a mistake.
    fn expression(
        &mut self,
        name: &str,
        text: &Spanned<String>,
        macros: &Macros,
        expected: FactType,
        columns: &dyn Fn(&str) -> Result<FactType, String>,
    ) -> Option<Expression> {
        let read = parse_with(text.get_ref(), macros);
        let checked = read.and_then(|expression| match type_of(&expression, columns)? {
            Some(found) if !found.fits(expected) => Err(format!("`{expression}` is not of its type")),
            _ => Ok(expression),
        });
        match checked {
            Ok(expression) => Some(expression),
            Err(message) => {
                self.add(name, line_at(self.text, text.span().start), message);
                None
            }
        }
    }

    /// A condition on rows.
    fn condition(&mut self, text: &Spanned<String>, known: KnownColumns<'_>) -> Option<Expression> {
        let columns = |name: &str| known(name).ok_or_else(|| format!("no column `{name}`"));
        self.expression("where", text, &Macros::new(), FactType::Flag, &columns)
    }

    fn joined(&mut self, macros: &[MacroEntry], entry: &JoinedEntry, table: RecordKind) -> JoinedRows {
        let stored = |name: &str| stored_column(table, name);
        let facts = self.facts((macros, &entry.fact), (table, &stored), |_| None);
        let only = self.condition(&entry.only, &stored).unwrap_or(Expression::Flag(true));
        for by in entry.by.iter().filter(|by| stored(by).is_none()) {
            self.add("joined.by", 1, format!("no column `{by}`"));
        }
        JoinedRows { by: entry.by.clone(), only, facts }
    }

    /// Reads facts of rows with some columns.
    fn facts(
        &mut self,
        (macro_entries, entries): (&[MacroEntry], &[FactEntry]),
        (table, stored_columns): (RecordKind, KnownColumns<'_>),
        lookups: LookupTypes,
    ) -> FactTable {
        let mut macros = Macros::new();
        for entry in macro_entries {
            match parse_with(entry.expression.get_ref(), &macros) {
                Ok(body) => {
                    macros.insert(entry.name.clone(), (entry.parameter.clone(), body));
                }
                Err(message) => {
                    self.add(&entry.name, line_at(self.text, entry.expression.span().start), message);
                }
            }
        }
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.get_ref().as_str()).collect();
        let mut known: BTreeMap<&str, FactType> = BTreeMap::new();
        let mut facts = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            let name = names[place];
            let line = |of: &Spanned<String>| line_at(self.text, of.span().start);
            let of_type = TYPES.iter().find(|(word, _)| word == entry.r#type.get_ref());
            let (line_of_name, line_of_type) = (line(&entry.name), line(&entry.r#type));
            let Some((_, fact_type)) = of_type else {
                self.add(name, line_of_type, format!("no type `{}`", entry.r#type.get_ref()));
                continue;
            };
            if known.contains_key(name) {
                self.add(name, line_of_name, "defined twice".to_owned());
            }
            if entry.vi.trim().is_empty() || entry.en.trim().is_empty() {
                self.add(name, line_of_name, "its meaning is missing".to_owned());
            }
            if entry.expression.is_none() && stored_columns(name).is_none() {
                self.add(name, line_of_name, "neither a column of the table nor an expression".to_owned());
            }
            // A fact may name the facts above it, and the columns that none above it replaces.
            let columns = |column: &str| {
                let stored = || stored_columns(column);
                let found = known.get(column).copied().or_else(stored).or_else(|| lookups(column));
                found.ok_or_else(|| format!("no column or fact above this one is `{column}`"))
            };
            let expression = entry.expression.as_ref();
            let expression = expression.and_then(|text| self.expression(name, text, &macros, *fact_type, &columns));
            let phases = (!entry.in_phase.is_empty()).then(|| {
                Phase::ALL.map(|phase| {
                    let text = entry.in_phase.get(phase.name());
                    if text.is_none() {
                        self.add(name, line_of_name, format!("`in_phase` has no `{}`", phase.name()));
                    }
                    text.and_then(|text| self.expression(name, text, &macros, *fact_type, &columns))
                        .unwrap_or(Expression::Null)
                })
            });
            known.insert(name, *fact_type);
            facts.push(Fact {
                name: name.to_owned(),
                fact_type: *fact_type,
                meaning_vi: entry.vi.clone(),
                meaning_en: entry.en.clone(),
                expression,
                is_step: entry.step,
                is_always_known: entry.always,
                phases,
            });
        }
        FactTable::new(table, facts, lookups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_with_its_line() {
        let text = r#"
[[fact]]
name = "a"
type = "flag"
vi = "a"
en = "a"
expression = "received_at + 1"
[[fact]]
name = "b"
type = "moment"
vi = "b"
en = "b"
[[fact]]
name = "c"
type = "flag"
vi = "c"
en = ""
expression = "d"
[[fact]]
name = "d"
type = "flag"
vi = "d"
en = "d"
in_phase = { ended = "TRUE" }
"#;
        let problems = read_facts(text, RecordKind::Dossiers, |_| None).expect_err("it has mistakes");
        let lines: Vec<(usize, &str)> = problems.iter().map(|one| (one.line, one.name.as_str())).collect();
        assert_eq!(lines, [(7, "a"), (10, "b"), (14, "c"), (18, "c"), (20, "d"), (20, "d"), (20, "d"), (20, "d")]);
    }
}
