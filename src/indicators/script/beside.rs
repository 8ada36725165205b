//! The subqueries that dossiers are looked up in by their codes: notes, postal items, parts of interlinked dossiers, and
//! promises of apologies.

use std::collections::BTreeSet;

use crate::expressions::{
    Expression, Fact, FactTable, GroupedTable, JoinedRows, Settings, fold, notes_by_dossier, post_by_dossier,
};
use crate::indicators::script::render::time_of_day;
use crate::indicators::script::stored::StoredTables;
use crate::indicators::script::subquery::Subquery;
use crate::model::table::RecordKind;

/// `notes_rows`, `notes`, `post_rows`, `post`, `codes`, `parts` and `promises`, and `copies` if there are any.
pub(super) fn beside_dossiers(stored: &StoredTables, settings: &Settings) -> Vec<Subquery> {
    let mut tables = Vec::from(grouped("notes", notes_by_dossier(), stored, settings));
    tables.extend(grouped("post", post_by_dossier(), stored, settings));
    tables.extend(parts(stored));
    tables.push(promises(stored));
    tables.extend(stored.copies().map(|copies| Subquery::shared("copies", copies)));
    tables
}

/// The rows of a table by dossier code, and one row for each code.
fn grouped(name: &str, grouped: &GroupedTable, stored: &StoredTables, settings: &Settings) -> [Subquery; 2] {
    let sql = stored.dialect;
    let only = fold(&grouped.only, settings);
    let facts = folded(&grouped.facts, settings);
    let rows = if let Some(joined) = &grouped.joined {
        joined_rows(joined, stored, settings)
    } else {
        let mut named = named_columns(&facts, &only);
        named.extend(grouped.order.iter().cloned());
        named.insert(grouped.by.clone());
        stored.columns(grouped.facts.table, named.iter().map(String::as_str))
    };
    let by = sql.column(&grouped.by);
    let values = values_of_group(stored, &facts, (&grouped.facts, &grouped.order));
    let grouped = format!("SELECT {by},\n    {values}\n  FROM {name}_rows GROUP BY {by}");
    [
        Subquery::shared(format!("{name}_rows"), format!("SELECT * FROM ({rows}) AS t WHERE {}", sql.render(&only))),
        Subquery::shared(name, grouped),
    ]
}

/// One row for the rows of a table that are one thing.
fn joined_rows(joined: &JoinedRows, stored: &StoredTables, settings: &Settings) -> String {
    let sql = stored.dialect;
    let only = fold(&joined.only, settings);
    let facts = folded(&joined.facts, settings);
    let mut named = named_columns(&facts, &only);
    named.extend(joined.by.iter().cloned().chain(["source", "source_key"].map(str::to_owned)));
    let rows = stored.columns(joined.facts.table, named.iter().map(String::as_str));
    let by: Vec<String> = joined.by.iter().map(|name| sql.column(name)).collect();
    let lacks_key = by.iter().map(|name| format!("{name} IS NULL")).collect::<Vec<_>>().join(" OR ");
    let alone = |name: &str| format!("CASE WHEN {lacks_key} THEN {name} END");
    let by = by.join(", ");
    format!(
        "SELECT {by},\n    {}\n  FROM ({rows}) AS s WHERE {} GROUP BY {by}, {}, {}",
        values_of_group(stored, &facts, (&joined.facts, &[])),
        sql.render(&only),
        alone("source"),
        alone("source_key"),
    )
}

fn folded<'f>(table: &'f FactTable, settings: &Settings) -> Vec<(&'f Fact, Expression)> {
    table.facts().filter_map(|fact| Some((fact, fold(fact.expression.as_ref()?, settings)))).collect()
}

/// The columns that facts and a condition name.
fn named_columns(facts: &[(&Fact, Expression)], only: &Expression) -> BTreeSet<String> {
    let expressions = facts.iter().map(|(_, expression)| expression).chain([only]);
    expressions.flat_map(Expression::columns).map(str::to_owned).collect()
}

/// The facts of a group of rows, as columns with their names.
fn values_of_group(
    stored: &StoredTables,
    facts: &[(&Fact, Expression)],
    (table, order): (&FactTable, &[String]),
) -> String {
    let sql = stored.dialect;
    let value = |(fact, expression): &(&Fact, Expression)| {
        format!("{} AS {}", sql.render_of_group(expression, table, order), sql.column(&fact.name))
    };
    facts.iter().map(value).collect::<Vec<_>>().join(",\n    ")
}

/// Which dossiers are parts of one that some source has and that is not deleted. One that names itself is no part.
fn parts(stored: &StoredTables) -> [Subquery; 2] {
    let sql = stored.dialect;
    let named = stored.columns(RecordKind::Dossiers, ["source", "source_key", "parent_code"]);
    let rows = stored.columns(
        RecordKind::Dossiers,
        ["source", "source_key", "deleted", "dossier_code", "national_code", "other_codes"],
    );
    let codes = sql.parts("concat_ws(';', dossier_code, national_code, other_codes)");
    let codes = format!(
        "SELECT DISTINCT source, source_key, deleted, trim(code) AS code FROM (\n    SELECT source, source_key, deleted, \
         {codes} AS code FROM ({rows}) AS t) AS u\n  WHERE trim(code) IN (SELECT parent_code FROM ({named}) AS v)"
    );
    let parts = format!(
        "SELECT t.source, t.source_key FROM ({named}) AS t\n  JOIN (SELECT DISTINCT code FROM codes WHERE deleted IS NOT TRUE) \
         AS whole ON whole.code = t.parent_code\n  LEFT JOIN codes AS own ON own.source = t.source AND own.source_key = \
         t.source_key AND own.code = t.parent_code\n  WHERE own.code IS NULL"
    );
    [Subquery::shared("codes", codes), Subquery::shared("parts", parts)]
}

/// For dossiers whose notes promise different new due dates: the earliest of them that is the due date.
fn promises(stored: &StoredTables) -> Subquery {
    let sql = stored.dialect;
    let due = stored.columns(RecordKind::Dossiers, ["source", "source_key", "dossier_code", "due_at"]);
    let is_date = |instant: &str| format!("{} = 0", time_of_day(instant));
    let promises = format!(
        "SELECT t.source, t.source_key, min(n.apology_new_due_at) AS new_due_at FROM ({due}) AS \
         t\n  JOIN notes_rows AS n ON n.dossier_code = t.dossier_code\n  JOIN (SELECT dossier_code FROM notes_rows GROUP BY \
         dossier_code HAVING count(DISTINCT apology_new_due_at) > 1) AS s ON s.dossier_code = t.dossier_code\n  WHERE t.due_at = \
         n.apology_new_due_at OR (({} OR {}) AND {} = {})\n  GROUP BY t.source, t.source_key",
        is_date("t.due_at"),
        is_date("n.apology_new_due_at"),
        sql.local_day("t.due_at"),
        sql.local_day("n.apology_new_due_at"),
    );
    Subquery::shared("promises", promises)
}
