//! From the sums of groups to figures: half-months become periods, agencies become tiers and the province.

use std::fmt::Write as _;

use crate::expressions::{Expression, dossier_facts, type_of};
use crate::indicators::groups::{GroupKind, GroupQuery, day_column};
use crate::indicators::inputs::ComputedIndicator;
use crate::indicators::script::dialect::SqlDialect;
use crate::indicators::script::render::{SqlRenderer, quoted_text};
use crate::indicators::script::small_tables::YEAR_KIND;
use crate::indicators::sums::{IndicatorSums, SumPositions};
use crate::model::indicator::IndicatorKind;
use crate::model::predicate::FactType;

/// The sums of a cell, in the order of the columns.
const COUNTS: [&str; 4] = ["numerator", "denominator", "unknown", "undecided"];

/// Collects the cells of all indicators.
pub(super) struct FigureQuery<'a> {
    renderer: SqlRenderer<'a>,
    cells: Vec<String>,
    indicators: Vec<String>,
    since: Vec<String>,
}

/// A position's column in a group; `0` if there is none.
fn sum(position: Option<usize>) -> String {
    position.map_or_else(|| "0".to_owned(), |position| format!("g.s{position}"))
}

fn counts(positions: &SumPositions) -> [String; 4] {
    let of = [Some(positions.numerator), Some(positions.denominator), positions.unknown, positions.undecided];
    of.map(sum)
}

impl FigureQuery<'_> {
    pub(super) fn new(dialect: SqlDialect) -> Self {
        let renderer = SqlRenderer { dialect, order: &[] };
        Self { renderer, cells: Vec::new(), indicators: Vec::new(), since: Vec::new() }
    }

    /// The subquery of a group-by: the sums by agency, day, and what else its kind needs.
    pub(super) fn group(&self, name: &str, facts: &str, group: &GroupQuery) -> String {
        let day = self.renderer.column(day_column(group.period_column));
        let inside = |day: &str| {
            let (first, last) = (crate::calendar::FIRST_DAY, crate::calendar::LAST_DAY);
            let [first, last] = [first, last].map(crate::calendar::day_number);
            format!("CASE WHEN {day} < {first} THEN {first} WHEN {day} > {last} THEN {last} ELSE {day} END")
        };
        let mut keys = vec![("agency", "agency".to_owned()), ("start", inside(&day))];
        match group.kind {
            GroupKind::ByEnd => {
                let [ended, overdue] = ["ended_day", "overdue_day"].map(|name| inside(&self.renderer.column(name)));
                keys.extend([("ended", ended), ("overdue", overdue)]);
            }
            GroupKind::ByProcedure => {
                keys.push(("code", format!("coalesce({}, '')", self.renderer.column("procedure_code"))));
            }
            _ => {}
        }
        let keys_of = keys.iter().map(|(name, of)| format!("{of} AS {name}"));
        let expressions = group.expressions();
        let values = expressions.iter().enumerate().map(|(place, expression)| {
            let is_number = is_number(expression);
            let of = self.renderer.render(expression);
            let of = if is_number { of } else { format!("CASE WHEN {of} THEN 1 ELSE 0 END") };
            format!("{of} AS s{place}")
        });
        let inner: Vec<String> = keys_of.chain(values).collect();
        let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
        let sums = (0..expressions.len()).map(|place| format!(", CAST(sum(s{place}) AS BIGINT) AS s{place}"));
        format!(
            "{name} AS (\n  SELECT {names}{} FROM (SELECT {} FROM {facts} WHERE {day} IS NOT NULL AND agency IS NOT NULL) AS \
             f\n  GROUP BY {names})",
            sums.collect::<String>(),
            inner.join(", "),
            names = names.join(", "),
        )
    }

    /// Adds the cells of an indicator from its group.
    pub(super) fn member(
        &mut self,
        name: &str,
        group: &GroupQuery,
        indicator: &ComputedIndicator<'_>,
        rules: &str,
        sums: &IndicatorSums,
    ) {
        let id = quoted_text(&indicator.id);
        let mut joins = "JOIN periods AS p ON g.start BETWEEN p.first_day AND p.last_day".to_owned();
        let mut condition = String::new();
        let values = match sums {
            IndicatorSums::AtMoment(positions) if group.kind == GroupKind::ByProcedure => {
                let since = format!("since_{}", self.since.len() + 1);
                let first = |position: Option<usize>| match position {
                    Some(_) => format!("min(CASE WHEN {} > 0 THEN g.start END)", sum(position)),
                    None => "CAST(NULL AS BIGINT)".to_owned(),
                };
                self.since.push(format!(
                    "{since} AS (\n  SELECT g.code, y.number AS year_number, {} AS certain, {} AS possible FROM {name} AS g JOIN \
                     periods AS y ON y.kind = {YEAR_KIND} AND g.start BETWEEN y.first_day AND y.last_day GROUP BY g.code, y.number)",
                    first(positions.procedures_with),
                    first(positions.procedures_maybe_with),
                ));
                let _ = write!(
                    joins,
                    "\n    JOIN periods AS y ON y.kind = {YEAR_KIND} AND g.start BETWEEN y.first_day AND y.last_day\n    JOIN \
                     {since} AS h ON h.code = g.code AND h.year_number = y.number",
                );
                condition.push_str(" WHERE h.certain <= p.last_day OR h.possible <= p.last_day");
                let of = counts(positions);
                let is_certain = "coalesce(h.certain <= p.last_day, FALSE)";
                let certain = |value: &String| format!("CASE WHEN {is_certain} THEN {value} ELSE 0 END");
                let undecided = format!("CASE WHEN {is_certain} THEN {} ELSE {} + {} END", of[3], of[1], of[3]);
                [certain(&of[0]), certain(&of[1]), certain(&of[2]), undecided]
            }
            IndicatorSums::AtMoment(positions) => counts(positions),
            IndicatorSums::ByState(states) => {
                let [ended, open, overdue] = states.each_ref().map(counts);
                [0, 1, 2, 3].map(|place| {
                    format!(
                        "CASE WHEN g.ended <= p.last_day THEN {} WHEN g.overdue <= p.last_day THEN {} ELSE {} END",
                        ended[place], overdue[place], open[place]
                    )
                })
            }
        };
        let values = values.iter().zip(COUNTS).map(|(value, name)| format!(", CAST(sum({value}) AS BIGINT) AS {name}"));
        self.cells.push(format!(
            "  SELECT {id} AS indicator, a.counted_code AS code, a.counted_tier AS tier, p.kind, p.number{}\n    FROM {name} AS g \
             {joins}\n    JOIN dossier_agencies AS a ON a.agency = g.agency{condition}\n    GROUP BY a.counted_code, a.counted_tier, \
             p.kind, p.number",
            values.collect::<String>(),
        ));
        let has_denominator = indicator.definition.kind != IndicatorKind::Count;
        let entry = format!("({id}, {}, {has_denominator})", quoted_text(rules));
        if !self.indicators.contains(&entry) {
            self.indicators.push(entry);
        }
    }

    /// The subqueries after those of the groups.
    pub(super) fn tables(self) -> Vec<String> {
        let sums = COUNTS.map(|name| format!(", CAST(sum({name}) AS BIGINT) AS {name}")).concat();
        let scope = |code: &str, tier: &str, by: &str, only: &str| {
            format!(
                "  SELECT indicator, {code} AS code, {tier} AS tier, kind, number{sums} FROM cells{only} GROUP BY indicator{by}, kind, number"
            )
        };
        let none = "CAST(NULL AS STRING)";
        let scopes = [
            scope(none, none, "", ""),
            scope(none, "tier", ", tier", " WHERE tier IS NOT NULL"),
            scope("code", "tier", ", code, tier", ""),
        ];
        let mut tables = self.since;
        if self.cells.is_empty() {
            tables.push(format!(
                "cells AS (SELECT {none} AS indicator, {none} AS code, {none} AS tier, 0 AS kind, 0 AS number{} WHERE FALSE)",
                COUNTS.map(|name| format!(", 0 AS {name}")).concat()
            ));
        } else {
            tables.push(format!("cells AS (\n{})", self.cells.join("\n  UNION ALL\n")));
        }
        let rows = if self.indicators.is_empty() { vec!["('', '', FALSE)".to_owned()] } else { self.indicators };
        tables.extend([
            format!(
                "indicators AS (SELECT * FROM (VALUES {}) AS rows_of(indicator, rules, has_denominator))",
                rows.join(", ")
            ),
            format!("scopes AS (\n{})", scopes.join("\n  UNION ALL\n")),
            "counted AS (\n  SELECT indicator, code, tier, kind, min(number) AS first_number, max(number) AS last_number FROM \
             scopes WHERE denominator > 0 OR unknown > 0 OR undecided > 0 GROUP BY indicator, code, tier, kind)"
                .to_owned(),
        ]);
        tables
    }

    /// The query after all subqueries.
    pub(super) fn last() -> String {
        let value = |name: &str| format!("coalesce(s.{name}, 0)");
        format!(
            "SELECT r.indicator, i.rules, r.code AS agency, r.tier, p.period, {} AS numerator, CASE WHEN i.has_denominator THEN {} \
             END AS denominator, {} AS unknown, {} AS undecided\nFROM counted AS r JOIN indicators AS i ON i.indicator = \
             r.indicator\nJOIN periods AS p ON p.kind = r.kind AND p.number BETWEEN r.first_number AND r.last_number\nLEFT JOIN \
             scopes AS s ON s.indicator = r.indicator AND coalesce(s.code, '') = coalesce(r.code, '') AND coalesce(s.tier, '') = \
             coalesce(r.tier, '') AND s.kind = p.kind AND s.number = p.number\nORDER BY 1, 3, 4, 5",
            value("numerator"),
            value("denominator"),
            value("unknown"),
            value("undecided"),
        )
    }
}

/// Whether a column of sums adds up numbers, not conditions.
fn is_number(expression: &Expression) -> bool {
    let of_column = |name: &str| dossier_facts().type_of(name).ok_or_else(String::new);
    matches!(type_of(expression, &of_column), Ok(Some(FactType::Number)))
}
