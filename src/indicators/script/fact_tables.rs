//! The facts of a table as a chain of subqueries: the stored columns, then the look-ups, then one layer of facts after
//! the other. Each has only the columns that a later one needs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::expressions::{
    Expression, Fact, FactTable, GroupedTable, Settings, Stage, fold, notes_by_dossier, post_by_dossier,
};
use crate::indicators::agencies::NO_AGENCY;
use crate::indicators::script::dialect::SqlDialect;
use crate::indicators::script::render::SqlRenderer;
use crate::model::predicate::FactType;
use crate::model::table::RecordKind;

/// The lists of the calendar, which the tables of facts carry with them.
const CALENDAR: [&str; 3] = ["working_days", "ordinals", "worked"];

/// Where the rows of a script come from.
#[derive(Debug)]
pub(super) struct StoredTables<'a> {
    pub(super) dialect: SqlDialect,
    /// Folder or address of the Delta tables.
    pub(super) root: &'a str,
    /// The tables that exist.
    pub(super) present: &'a [RecordKind],
}

impl StoredTables<'_> {
    /// A query for columns of a table, instants as microseconds.
    fn columns(&self, table: &FactTable, names: impl IntoIterator<Item = String>) -> String {
        let is_present = self.present.contains(&table.table);
        let columns = names.into_iter().map(|name| {
            let quoted = self.dialect.quoted(&name);
            let of = table.stored_type(&name).unwrap_or(FactType::Text);
            let value = match of {
                _ if !is_present => format!("CAST(NULL AS {})", sql_type(of)),
                FactType::Instant => self.dialect.micros(&quoted),
                _ => quoted.clone(),
            };
            format!("{value} AS {quoted}")
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        if is_present {
            let path = format!("{}/{}", self.root, table.table.image_name());
            format!("SELECT {columns} FROM {}", self.dialect.table(&path))
        } else {
            format!("SELECT {columns} WHERE FALSE")
        }
    }
}

fn sql_type(of: FactType) -> &'static str {
    match of {
        FactType::Flag => "BOOLEAN",
        FactType::Text | FactType::Word(_) => "STRING",
        FactType::Number | FactType::Instant | FactType::Day => "BIGINT",
    }
}

/// The subqueries that give one row for each dossier with notes or postal items.
pub(super) fn grouped(
    name: &str,
    grouped: &GroupedTable,
    stored: &StoredTables<'_>,
    settings: &Settings,
) -> Vec<String> {
    let renderer = SqlRenderer { dialect: stored.dialect, order: &grouped.order };
    let only = fold(&grouped.only, settings);
    let facts: Vec<(&Fact, Expression)> =
        grouped.facts.facts().filter_map(|fact| Some((fact, fold(fact.expression.as_ref()?, settings)))).collect();
    let mut named: BTreeSet<String> = BTreeSet::from([grouped.by.clone()]);
    named.extend(grouped.order.iter().cloned());
    let expressions = facts.iter().map(|(_, expression)| expression).chain(Some(&only));
    named.extend(expressions.flat_map(Expression::columns).map(str::to_owned));
    let by = renderer.column(&grouped.by);
    let values = facts.iter().map(|(fact, of)| format!("{} AS {}", renderer.render(of), renderer.column(&fact.name)));
    vec![
        format!("{name}_rows AS (\n  {})", stored.columns(&grouped.facts, named)),
        format!(
            "{name} AS (\n  SELECT {by}, {} FROM {name}_rows WHERE {} GROUP BY {by})",
            values.collect::<Vec<_>>().join(", "),
            renderer.render(&only),
        ),
    ]
}

/// The subqueries that give one row for each dossier or item of feedback, with the columns `agency` and `wanted`. The
/// last of them is named `name`.
pub(super) fn facts(
    name: &str,
    table: &FactTable,
    stored: &StoredTables<'_>,
    settings: &Settings,
    wanted: &BTreeSet<String>,
) -> Vec<String> {
    let renderer = SqlRenderer { dialect: stored.dialect, order: &[] };
    let [common, agency, rules] =
        [Stage::Common, Stage::Agency, Stage::Rules].map(|stage| table.layers(stage, settings));
    let places = [common.len(), common.len() + agency.len()];
    let layers: Vec<_> = common.into_iter().chain(agency).chain(rules).collect();
    // What is needed after each layer, from the last one back.
    let mut needed: Vec<BTreeSet<String>> = vec![wanted.clone()];
    for layer in layers.iter().rev() {
        let after = needed.last().expect("there is a first");
        let kept: Vec<&(&Fact, Expression)> = layer.iter().filter(|(fact, _)| after.contains(&fact.name)).collect();
        let mut before: BTreeSet<String> =
            after.iter().filter(|name| !kept.iter().any(|(fact, _)| fact.name == **name)).cloned().collect();
        for (_, expression) in &kept {
            before.extend(expression.columns().into_iter().map(str::to_owned));
            if expression.any(&|part| matches!(part, Expression::Call(function, _) if function.counts_working_time())) {
                before.extend(CALENDAR.map(str::to_owned));
            }
        }
        if needed.len() == layers.len() - places[0] {
            // The agency is looked up here.
            before.extend(["day".to_owned()]);
            before.extend(agency_columns(table.table).iter().map(|name| (*name).to_owned()));
        }
        needed.push(before);
    }
    needed.reverse();
    let mut chain = Chain { name, renderer, tables: Vec::new() };
    chain.start(table, stored, &needed[0]);
    for (place, layer) in layers.iter().enumerate() {
        if place == places[0] {
            chain.look_up_agency(table.table, &needed[place]);
        }
        chain.layer(layer, &needed[place + 1], place >= places[0]);
    }
    if layers.len() == places[0] {
        chain.look_up_agency(table.table, wanted);
    }
    chain.tables.push(format!("{name} AS (SELECT * FROM {})", chain.last()));
    chain.tables
}

/// The columns by which the agency and what it offers are looked up.
fn agency_columns(table: RecordKind) -> &'static [&'static str] {
    match table {
        RecordKind::Feedback => &["agency_text"],
        _ => &["lead_agency", "competent_agency", "procedure_code"],
    }
}

/// The columns that come from the look-up of the agency.
fn is_of_agency(name: &str) -> bool {
    name == "agency" || name.starts_with("agency.") || name.starts_with("offer.")
}

struct Chain<'a> {
    name: &'a str,
    renderer: SqlRenderer<'a>,
    tables: Vec<String>,
}

impl Chain<'_> {
    fn last(&self) -> String {
        format!("{}_{}", self.name, self.tables.len())
    }

    fn push(&mut self, query: &str) {
        let name = format!("{}_{}", self.name, self.tables.len() + 1);
        self.tables.push(format!("{name} AS (\n  {query})"));
    }

    /// The stored columns, with those of the look-ups by the dossier's codes.
    fn start(&mut self, table: &FactTable, stored: &StoredTables<'_>, needed: &BTreeSet<String>) {
        let quoted = |name: &str| self.renderer.column(name);
        let is_stored = |name: &&String| {
            !name.contains('.') && !CALENDAR.contains(&name.as_str()) && table.stored_type(name).is_some()
        };
        let mut columns: BTreeSet<String> = needed.iter().filter(is_stored).cloned().collect();
        columns.extend(["source", "source_key"].map(str::to_owned));
        let has = |prefix: &str| needed.iter().any(|name| name.starts_with(prefix));
        let mut joins = String::new();
        for (prefix, key, join) in [
            ("note.", "dossier_code", "LEFT JOIN notes AS note ON note.dossier_code = t.dossier_code"),
            ("own_item.", "dossier_code", "LEFT JOIN post AS own_item ON own_item.dossier_code = t.dossier_code"),
            (
                "national_item.",
                "national_code",
                "LEFT JOIN post AS national_item ON national_item.dossier_code = t.national_code",
            ),
            (
                "procedure.",
                "procedure_code",
                "LEFT JOIN procedures AS procedure_of ON procedure_of.code = t.procedure_code",
            ),
            (
                "promise.",
                "dossier_code",
                "LEFT JOIN promises AS promise ON promise.source = t.source AND promise.source_key = t.source_key",
            ),
            ("parts.", "parent_code", "LEFT JOIN parts ON parts.source = t.source AND parts.source_key = t.source_key"),
        ] {
            if has(prefix) {
                columns.insert(key.to_owned());
                joins.push_str("\n  ");
                joins.push_str(join);
            }
        }
        if needed.iter().any(|name| CALENDAR.contains(&name.as_str())) {
            joins.push_str("\n  CROSS JOIN calendar");
        }
        let is_here = |name: &&String| !is_of_agency(name) || table.stored_type(name).is_some();
        let selected = needed.iter().filter(is_here).map(|name| {
            let of = match name.split_once('.') {
                Some(("parts", _)) => "(parts.source_key IS NOT NULL)".to_owned(),
                Some(("procedure", column)) => format!("procedure_of.{}", quoted(column)),
                Some((table, column)) => format!("{table}.{}", quoted(column)),
                None if CALENDAR.contains(&name.as_str()) => format!("calendar.{name}"),
                None => format!("t.{}", quoted(name)),
            };
            format!("{of} AS {}", quoted(name))
        });
        let query = format!(
            "SELECT {} FROM ({}) AS t{joins}",
            selected.collect::<Vec<_>>().join(", "),
            stored.columns(table, columns)
        );
        self.push(&query);
    }

    /// The agency of each row, and what it offers on the day of reception.
    fn look_up_agency(&mut self, table: RecordKind, needed: &BTreeSet<String>) {
        let quoted = |name: &str| self.renderer.column(name);
        let (prefix, text) = match table {
            RecordKind::Feedback => ("feedback", format!("coalesce(t.agency_text, '{NO_AGENCY}')")),
            _ => ("dossier", format!("coalesce(t.lead_agency, t.competent_agency, '{NO_AGENCY}')")),
        };
        let selected = needed.iter().filter(|name| *name != "agency").map(|name| {
            let of = match name.split_once('.') {
                Some(("agency", column)) => format!("a.{column}"),
                Some(("offer", "level")) => "coalesce(own.level, of_tier.level)".to_owned(),
                Some(("offer", column)) => {
                    let column = if column == "return" { "return_by_post" } else { column };
                    format!("CASE WHEN own.code IS NOT NULL THEN own.{column} ELSE of_tier.{column} END")
                }
                _ => format!("t.{}", quoted(name)),
            };
            format!("{of} AS {}", quoted(name))
        });
        let mut query = format!(
            "SELECT m.agency AS agency, {} FROM {} AS t\n  LEFT JOIN {prefix}_texts AS m ON m.agency_text = {text} AND \
             t.\"day\" BETWEEN m.first_day AND m.last_day\n  LEFT JOIN {prefix}_agencies AS a ON a.agency = m.agency",
            selected.collect::<Vec<_>>().join(", "),
            self.last()
        )
        .replace("t.\"day\"", &format!("t.{}", quoted("day")));
        if needed.iter().any(|name| name.starts_with("offer.")) {
            for (offers, offerer) in [("own", "concat('agency:', a.code)"), ("of_tier", "concat('tier:', a.tier)")] {
                let _ = write!(
                    query,
                    "\n  LEFT JOIN offers AS {offers} ON {offers}.code = t.procedure_code AND {offers}.offerer = {offerer} \
                     AND t.{} BETWEEN {offers}.first_day AND {offers}.last_day",
                    quoted("day")
                );
            }
        }
        self.push(&query);
    }

    /// One layer of facts.
    fn layer(&mut self, layer: &[(&Fact, Expression)], needed: &BTreeSet<String>, has_agency: bool) {
        let columns = needed.iter().filter(|name| *name != "agency").filter(|name| has_agency || !is_of_agency(name));
        let columns = columns.map(|name| {
            let quoted = self.renderer.column(name);
            match layer.iter().find(|(fact, _)| fact.name == *name) {
                Some((fact, Expression::Null)) => format!("CAST(NULL AS {}) AS {quoted}", sql_type(fact.fact_type)),
                Some((_, expression)) => format!("{} AS {quoted}", self.renderer.render(expression)),
                None => quoted,
            }
        });
        let columns: Vec<String> = has_agency.then(|| "agency".to_owned()).into_iter().chain(columns).collect();
        let query = format!("SELECT {} FROM {}", columns.join(", "), self.last());
        self.push(&query);
    }
}

/// The subqueries that the look-ups of dossiers need besides the registries: notes, postal items, parts of interlinked
/// dossiers, and promises of apologies.
pub(super) fn beside_dossiers(stored: &StoredTables<'_>, dossiers: &FactTable, settings: &Settings) -> Vec<String> {
    let dialect = stored.dialect;
    let columns = |names: &[&str]| stored.columns(dossiers, names.iter().map(|name| (*name).to_owned()));
    let renderer = SqlRenderer { dialect, order: &[] };
    let day = |instant: &str| renderer.render(&local(instant));
    let mut tables = grouped("notes", notes_by_dossier(), stored, settings);
    tables.extend(grouped("post", post_by_dossier(), stored, settings));
    let codes = dialect.parts("concat_ws(';', dossier_code, national_code, other_codes)");
    tables.push(format!(
        "codes AS (\n  SELECT source, source_key, deleted, trim(code) AS code FROM (SELECT source, source_key, deleted, {codes} AS \
         code FROM ({}) AS t) AS u)",
        columns(&["source", "source_key", "deleted", "dossier_code", "national_code", "other_codes"])
    ));
    tables.push(format!(
        "parts AS (\n  SELECT t.source, t.source_key FROM ({}) AS t\n  JOIN (SELECT DISTINCT code FROM codes WHERE deleted IS NOT \
         TRUE) AS whole ON whole.code = t.parent_code\n  LEFT JOIN (SELECT DISTINCT source, source_key, code FROM codes) AS own ON \
         own.source = t.source AND own.source_key = t.source_key AND own.code = t.parent_code\n  WHERE own.code IS NULL)",
        columns(&["source", "source_key", "parent_code"])
    ));
    let only = renderer.render(&fold(&notes_by_dossier().only, settings));
    let is_date = |day: &str| format!("{} = 0", renderer.render(&time(day)));
    tables.push(format!(
        "promises AS (\n  SELECT t.source, t.source_key, min(n.apology_new_due_at) AS new_due_at FROM ({}) AS t\n  JOIN (SELECT * \
         FROM notes_rows WHERE {only}) AS n ON n.dossier_code = t.dossier_code\n  JOIN (SELECT dossier_code FROM notes_rows WHERE \
         {only} GROUP BY dossier_code HAVING count(DISTINCT apology_new_due_at) > 1) AS s ON s.dossier_code = \
         t.dossier_code\n  WHERE t.due_at = n.apology_new_due_at OR (({} OR {}) AND {} = {})\n  GROUP BY t.source, t.source_key)",
        columns(&["source", "source_key", "dossier_code", "due_at"]),
        is_date("due_at"),
        is_date("apology_new_due_at"),
        day("due_at"),
        day("apology_new_due_at"),
    ));
    tables
}

fn local(instant: &str) -> Expression {
    Expression::Call(crate::expressions::Function::LocalDay, vec![Expression::column(instant)])
}

fn time(instant: &str) -> Expression {
    Expression::Call(crate::expressions::Function::TimeOfDay, vec![Expression::column(instant)])
}
