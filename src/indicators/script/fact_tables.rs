//! The facts of a table as a chain of subqueries: the stored columns, then the look-ups, then one layer of facts after
//! the other. Each has only the columns that a later one needs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::expressions::{Expression, Fact, FactTable, Settings, Stage};
use crate::indicators::agencies::NO_AGENCY;
use crate::indicators::script::dialect::SqlDialect;
use crate::indicators::script::render::day_inside;
use crate::indicators::script::stored::StoredTables;
use crate::indicators::script::subquery::Subquery;
use crate::indicators::script::working_time::{Step, steps, without_calls};
use crate::model::predicate::FactType;
use crate::model::rules::AgencyView;
use crate::model::table::RecordKind;

/// The tables that dossiers are looked up in: prefix of the columns, column of the dossier, join.
const LOOKUPS: [(&str, &str, &str); 6] = [
    ("note.", "dossier_code", "LEFT JOIN notes AS note ON note.dossier_code = t.dossier_code"),
    ("own_item.", "dossier_code", "LEFT JOIN post AS own_item ON own_item.dossier_code = t.dossier_code"),
    (
        "national_item.",
        "national_code",
        "LEFT JOIN post AS national_item ON national_item.dossier_code = t.national_code",
    ),
    ("procedure.", "procedure_code", "LEFT JOIN procedures AS procedure ON procedure.code = t.procedure_code"),
    (
        "promise.",
        "dossier_code",
        "LEFT JOIN promises AS promise ON promise.source = t.source AND promise.source_key = t.source_key",
    ),
    ("parts.", "parent_code", "LEFT JOIN parts ON parts.source = t.source AND parts.source_key = t.source_key"),
];

/// A table of facts to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct FactQuery<'a> {
    /// Name of its last subquery; those before have a number behind it.
    pub(super) name: &'a str,
    pub(super) table: &'static FactTable,
    /// The columns that the last subquery has, besides `agency`.
    pub(super) wanted: &'a BTreeSet<String>,
    /// The agency that dossiers are attributed to.
    pub(super) view: AgencyView,
}

impl FactQuery<'_> {
    /// The subqueries, with one row for each dossier that counts or each item of feedback.
    pub(super) fn subqueries(&self, stored: &StoredTables, settings: &Settings) -> Vec<Subquery> {
        let [common, agency, rules] =
            [Stage::Common, Stage::Agency, Stage::Rules].map(|stage| self.table.layers(stage, settings));
        // The layer before which the agency is looked up.
        let at_agency = common.len();
        let layers: Vec<_> = common.into_iter().chain(agency).chain(rules).collect();
        // What is needed before each layer, from the last one back.
        let mut needed: Vec<BTreeSet<String>> = vec![self.wanted.clone()];
        for (place, layer) in layers.iter().enumerate().rev() {
            let mut before = needed_before(layer, needed.last().expect("there is a first"));
            if place == at_agency {
                before.insert("day".to_owned());
                before.extend(self.agency_columns().iter().map(|name| (*name).to_owned()));
            }
            needed.push(before);
        }
        needed.reverse();
        let mut chain = Chain { sql: stored.dialect, name: self.name, queries: Vec::new() };
        chain.push(&self.start(stored, &needed[0]));
        for (place, layer) in layers.iter().enumerate() {
            if place == at_agency {
                chain.push(&self.with_agency(stored.dialect, &chain.last(), &needed[place]));
            }
            chain.layer(layer, &needed[place + 1], place >= at_agency);
        }
        chain.queries.push(Subquery::shared(self.name, format!("SELECT * FROM {}", chain.last())));
        chain.queries
    }

    /// The columns by which the agency and what it offers are looked up.
    fn agency_columns(&self) -> &'static [&'static str] {
        match self.table.table {
            RecordKind::Feedback => &["agency_text"],
            _ => match self.view {
                AgencyView::Competent => &["lead_agency", "competent_agency", "procedure_code"],
                AgencyView::Receiving => &["lead_agency", "competent_agency", "procedure_code", "receiving_agency"],
                AgencyView::Handling => &["lead_agency", "competent_agency", "procedure_code", "handling_agency"],
            },
        }
    }

    /// The stored columns, with those of the look-ups by the dossier's codes.
    fn start(&self, stored: &StoredTables, needed: &BTreeSet<String>) -> String {
        let sql = stored.dialect;
        // The stored text of the agency makes way for the number of the agency.
        let stored_name = |name: &str| if name == "agency_text" { "agency" } else { name }.to_owned();
        let is_here = |name: &&String| !is_of_agency(name);
        let mut columns: BTreeSet<String> =
            needed.iter().filter(is_here).filter(|name| !name.contains('.')).map(|name| stored_name(name)).collect();
        columns.extend(["source", "source_key"].map(str::to_owned));
        let mut joins = String::new();
        for (prefix, key, join) in LOOKUPS {
            if needed.iter().any(|name| name.starts_with(prefix)) {
                columns.insert(key.to_owned());
                let _ = write!(joins, "\n  {join}");
            }
        }
        if self.table.table == RecordKind::Dossiers && stored.copies().is_some() {
            joins.push_str(
                "\n  LEFT JOIN copies AS copy ON copy.source = t.source AND copy.source_key = t.source_key\n  WHERE \
                 copy.source IS NULL",
            );
        }
        let selected = needed.iter().filter(is_here).map(|name| {
            let of = match name.split_once('.') {
                Some(("parts", _)) => "(parts.source_key IS NOT NULL)".to_owned(),
                Some((table, looked_up)) => format!("{table}.{}", sql.quoted(looked_up)),
                None => format!("t.{}", sql.quoted(&stored_name(name))),
            };
            format!("{of} AS {}", sql.column(name))
        });
        let selected = selected.collect::<Vec<_>>().join(", ");
        let rows = stored.columns(self.table.table, columns.iter().map(String::as_str));
        format!("SELECT {selected} FROM ({rows}) AS t{joins}")
    }

    /// The agency of each row, and what it offers on the day of reception.
    fn with_agency(&self, sql: SqlDialect, last: &str, needed: &BTreeSet<String>) -> String {
        let (prefix, text) = match self.table.table {
            RecordKind::Feedback => ("feedback", format!("coalesce(t.agency_text, '{NO_AGENCY}')")),
            _ => ("dossier", format!("coalesce(t.lead_agency, t.competent_agency, '{NO_AGENCY}')")),
        };
        let selected = needed.iter().filter(|name| *name != "agency").map(|name| {
            let of = match name.split_once('.') {
                Some(("agency", looked_up)) => format!("a.{}", sql.quoted(looked_up)),
                Some(("offer", "level")) => "coalesce(own.level, of_tier.level)".to_owned(),
                Some(("offer", looked_up)) => {
                    let offered = sql.quoted(looked_up);
                    format!("CASE WHEN own.code IS NOT NULL THEN own.{offered} ELSE of_tier.{offered} END")
                }
                _ => format!("t.{}", sql.column(name)),
            };
            format!("{of} AS {}", sql.column(name))
        });
        let selected = selected.collect::<Vec<_>>().join(", ");
        let day = day_inside(&format!("t.{}", sql.column("day")));
        let meaning = |name: &str, prefix: &str, text: &str| {
            format!(
                "\n  LEFT JOIN {prefix}_texts AS {name} ON {name}.agency_text = {text} AND {day} BETWEEN {name}.first_day AND \
                 {name}.last_day"
            )
        };
        // In every view the competent agency decides what a dossier is; the view's agency is the one that it counts for.
        let (counted, attributed) = match self.view {
            AgencyView::Competent => ("m", String::new()),
            view => {
                let text = format!("coalesce(t.{}_agency, '{NO_AGENCY}')", view.name());
                ("v", meaning("v", view.name(), &text))
            }
        };
        let mut query = format!(
            "SELECT {counted}.agency AS agency, {selected} FROM {last} AS t{}{attributed}\n  LEFT JOIN {prefix}_agencies AS a ON \
             a.agency = m.agency",
            meaning("m", prefix, &text),
        );
        if needed.iter().any(|name| name.starts_with("offer.")) {
            for (offers, offerer) in [("own", "'agency:' || a.code"), ("of_tier", "'tier:' || a.tier")] {
                let _ = write!(
                    query,
                    "\n  LEFT JOIN offers AS {offers} ON {offers}.code = t.procedure_code AND {offers}.offerer = {offerer} AND \
                     {day} BETWEEN {offers}.first_day AND {offers}.last_day"
                );
            }
        }
        query
    }
}

/// The columns that a layer needs, to give those that are needed after it.
fn needed_before(layer: &[(&Fact, Expression)], after: &BTreeSet<String>) -> BTreeSet<String> {
    let computed = || layer.iter().filter(|(fact, _)| after.contains(&fact.name));
    let is_computed = |name: &String| computed().any(|(fact, _)| fact.name == *name);
    let mut before: BTreeSet<String> = after.iter().filter(|name| !is_computed(name)).cloned().collect();
    before.extend(computed().flat_map(|(_, expression)| expression.columns()).map(str::to_owned));
    before
}

/// The columns that come from the look-up of the agency.
fn is_of_agency(name: &str) -> bool {
    name == "agency" || name.starts_with("agency.") || name.starts_with("offer.")
}

fn is_number(fact_type: FactType) -> bool {
    matches!(fact_type, FactType::Number | FactType::Instant | FactType::Day)
}

/// Subqueries of which each reads the one before.
struct Chain<'a> {
    sql: SqlDialect,
    name: &'a str,
    queries: Vec<Subquery>,
}

impl Chain<'_> {
    fn last(&self) -> String {
        format!("{}_{}", self.name, self.queries.len())
    }

    fn push(&mut self, query: &str) {
        let name = format!("{}_{}", self.name, self.queries.len() + 1);
        self.queries.push(Subquery::new(name, query));
    }

    /// One layer of facts, after the working time that they count.
    fn layer(&mut self, layer: &[(&Fact, Expression)], needed: &BTreeSet<String>, has_agency: bool) {
        let sql = self.sql;
        let mut calls = Vec::new();
        let facts = layer.iter().filter(|(fact, _)| needed.contains(&fact.name));
        let facts: Vec<(&Fact, Expression)> =
            facts.map(|(fact, expression)| (*fact, without_calls(expression, &mut calls))).collect();
        if facts.is_empty() {
            return;
        }
        for (place, call) in calls.iter().enumerate() {
            for Step { added, joins } in steps(sql, call, place) {
                self.push(&format!("SELECT t.*, {} FROM {} AS t{joins}", added.join(", "), self.last()));
            }
        }
        let columns = needed.iter().filter(|name| *name != "agency").filter(|name| has_agency || !is_of_agency(name));
        let columns = columns.map(|name| {
            let quoted = sql.column(name);
            match facts.iter().find(|(fact, _)| fact.name == *name) {
                Some((fact, Expression::Null)) => format!("CAST(NULL AS {}) AS {quoted}", sql.type_of(fact.fact_type)),
                // An engine may take whole numbers of an expression for shorter ones.
                Some((fact, expression)) if is_number(fact.fact_type) => {
                    format!("CAST({} AS {}) AS {quoted}", sql.render(expression), sql.type_of(fact.fact_type))
                }
                Some((_, expression)) => format!("{} AS {quoted}", sql.render(expression)),
                None => quoted,
            }
        });
        let columns: Vec<String> = has_agency.then(|| "agency".to_owned()).into_iter().chain(columns).collect();
        self.push(&format!("SELECT {} FROM {}", columns.join(",\n    "), self.last()));
    }
}
