//! From the facts to figures: group-bys by half-months, which become periods, tiers and the province.

use std::collections::BTreeSet;

use crate::expressions::Expression;
use crate::indicators::groups::{GroupKind, GroupQuery, HIGHEST_AMOUNT, day_column};
use crate::indicators::inputs::ComputedIndicator;
use crate::indicators::script::dialect::SqlDialect;
use crate::indicators::script::render::day_inside;
use crate::indicators::script::subquery::Subquery;
use crate::indicators::sums::{IndicatorSums, SumPositions, Summed};
use crate::model::indicator::IndicatorKind;

/// The counts of a cell, in the order of the columns.
const COUNTS: [&str; 4] = ["numerator", "denominator", "unknown", "undecided"];

/// One group-by in the script.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScriptGroup<'a> {
    pub(super) sql: SqlDialect,
    pub(super) name: &'a str,
    pub(super) query: &'a GroupQuery,
    /// Name of the subquery of facts.
    pub(super) facts: &'a str,
    /// Name of the subquery of agencies.
    pub(super) agencies: &'a str,
}

impl ScriptGroup<'_> {
    /// The facts that it reads.
    pub(super) fn columns(&self) -> BTreeSet<String> {
        let mut columns = BTreeSet::from([day_column(self.query.period_column).to_owned()]);
        match self.query.kind {
            GroupKind::ByEnd => columns.extend(["ended_day", "overdue_day"].map(str::to_owned)),
            GroupKind::ByProcedure => columns.extend(["procedure_code".to_owned()]),
            _ => {}
        }
        let expressions = self.query.expressions().chain(self.query.only()).chain(self.query.amount());
        columns.extend(expressions.flat_map(Expression::columns).map(str::to_owned));
        columns
    }

    /// The subquery: the sums by agency, half-month, and what else its kind needs.
    pub(super) fn subquery(&self) -> Subquery {
        let sql = self.sql;
        let half = |name: &str| format!("{name}.half");
        let mut days = vec![("start", sql.column(day_column(self.query.period_column)))];
        let mut values: Vec<String> = Vec::new();
        let mut keys = vec![("agency", "f.agency".to_owned()), ("start", half("start_of"))];
        match (self.query.kind, self.query.amount()) {
            (GroupKind::ByEnd, _) => {
                days.extend([("ended", sql.column("ended_day")), ("overdue", sql.column("overdue_day"))]);
                keys.extend([("ended", half("ended_of")), ("overdue", half("overdue_of"))]);
            }
            (GroupKind::ByProcedure, _) => {
                values.push(format!("coalesce({}, '') AS code", sql.column("procedure_code")));
                keys.push(("code", "f.code".to_owned()));
            }
            (GroupKind::ByAmount, Some(amount)) => {
                let amount = sql.render(amount);
                values.push(format!(
                    "CAST(CASE WHEN {amount} < 0 THEN 0 WHEN {amount} > {HIGHEST_AMOUNT} THEN {HIGHEST_AMOUNT} ELSE {amount} END AS BIGINT) AS amount"
                ));
                keys.push(("amount", "f.amount".to_owned()));
            }
            _ => {}
        }
        values.extend(days.iter().map(|(name, day)| format!("{} AS {name}_day", day_inside(day))));
        let expressions = self.query.expressions().enumerate().collect::<Vec<_>>();
        values.extend(expressions.iter().map(|(place, expression)| {
            let of = sql.render(expression);
            match self.query.summed(*place) {
                Summed::Flag => format!("CASE WHEN {of} THEN 1 ELSE 0 END AS s{place}"),
                Summed::Amount | Summed::LatestDay => format!("{of} AS s{place}"),
            }
        }));
        let joins = days.iter().map(|(name, _)| {
            let join = if *name == "start" { "JOIN" } else { "LEFT JOIN" };
            format!(" {join} days AS {name}_of ON {name}_of.day = f.{name}_day")
        });
        let only = self.query.only().map(|only| format!(" AND {}", sql.render(only))).unwrap_or_default();
        let sums = expressions.iter().map(|(place, _)| {
            let aggregate = if self.query.summed(*place) == Summed::LatestDay { "max" } else { "sum" };
            format!(", CAST({aggregate}(f.s{place}) AS BIGINT) AS s{place}")
        });
        let query = format!(
            "SELECT {}{} FROM (\n    SELECT agency, {} FROM {} WHERE agency IS NOT NULL{only}) AS f\n  {}\n  GROUP BY {}",
            keys.iter().map(|(name, of)| format!("{of} AS {}", sql.quoted(name))).collect::<Vec<_>>().join(", "),
            sums.collect::<String>(),
            values.join(",\n      "),
            self.facts,
            joins.collect::<String>(),
            keys.iter().map(|(_, of)| of.as_str()).collect::<Vec<_>>().join(", "),
        );
        Subquery::shared(self.name, query)
    }
}

/// Collects the cells of all indicators.
#[derive(Debug)]
pub(super) struct FigureQuery {
    sql: SqlDialect,
    /// Queries for the counts by agency and period, which are added up for tiers and the province.
    cells: Vec<String>,
    /// Subqueries that the cells and the medians read.
    beside: Vec<Subquery>,
    /// Queries for counts that cannot be added up.
    medians: Vec<String>,
    /// Queries for figures that are not filled up with periods that have nothing to count.
    listed: Vec<String>,
    indicators: Vec<String>,
}

/// A column of a group, by its position; `0` if there is none.
pub(super) fn sum(position: Option<usize>) -> String {
    position.map_or_else(|| "0".to_owned(), |position| format!("g.s{position}"))
}

pub(super) fn counts(positions: &SumPositions) -> [String; 4] {
    [Some(positions.numerator), Some(positions.denominator), positions.unknown, positions.undecided].map(sum)
}

/// `, sum(x) AS name` for each count.
fn sums(of: &[String; 4]) -> String {
    let sum = |(value, name): (&String, &str)| format!(", CAST(sum({value}) AS BIGINT) AS {name}");
    of.iter().zip(COUNTS).map(sum).collect::<Vec<_>>().concat()
}

impl FigureQuery {
    pub(super) fn new(sql: SqlDialect) -> Self {
        Self {
            sql,
            cells: Vec::new(),
            beside: Vec::new(),
            medians: Vec::new(),
            listed: Vec::new(),
            indicators: Vec::new(),
        }
    }

    /// Adds a subquery that later ones read, and returns its name.
    pub(super) fn add_beside(&mut self, prefix: &str, query: String) -> String {
        let name = format!("{prefix}_{}", self.beside.len() + 1);
        self.beside.push(Subquery::shared(&name, query));
        name
    }

    /// Adds figures as they are. `query`: columns `code`, `tier`, `period`, `numerator`, `denominator` and `unknown`.
    pub(super) fn add_listed(&mut self, indicator: &ComputedIndicator<'_>, rules: &str, query: &str) {
        self.listed
            .push(format!("  SELECT {} AS indicator, l.* FROM (\n    {query}) AS l", self.sql.text(&indicator.id)));
        self.add_indicator(indicator, rules);
    }

    fn add_indicator(&mut self, indicator: &ComputedIndicator<'_>, rules: &str) {
        let has_denominator = !matches!(indicator.definition.kind, IndicatorKind::Count | IndicatorKind::Stock);
        let row = format!("({}, {}, {has_denominator})", self.sql.text(&indicator.id), self.sql.text(rules));
        if !self.indicators.contains(&row) {
            self.indicators.push(row);
        }
    }

    /// Adds the cells of an indicator from its group.
    pub(super) fn add(
        &mut self,
        group: &ScriptGroup<'_>,
        indicator: &ComputedIndicator<'_>,
        rules: &str,
        of: &IndicatorSums,
    ) {
        let sql = self.sql;
        let id = sql.text(&indicator.id);
        let in_period = "JOIN period_halves AS p ON p.half = g.start".to_owned();
        let cells = match (of, group.query.kind) {
            (IndicatorSums::AtMoment(positions), GroupKind::ByAmount) => {
                self.add_median(group, &id, positions);
                None
            }
            (IndicatorSums::AtMoment(positions), GroupKind::ByProcedure) => {
                let since = self.add_since(group, positions);
                let joins = format!(
                    "{in_period}\n    JOIN {since} AS h ON h.code = g.code AND h.year = {} AND (h.certain <= p.last_half OR \
                     h.possible <= p.last_half)",
                    sql.floor_div("g.start", HALVES_OF_A_YEAR)
                );
                Some((joins, once_certain(&counts(positions))))
            }
            (IndicatorSums::AtMoment(positions), _) => Some((in_period, counts(positions))),
            (IndicatorSums::ByState(states), _) if indicator.definition.kind == IndicatorKind::Stock => {
                // What was received stays in the stock of every later period until it leaves it.
                let joins = "JOIN periods AS p ON p.last_half >= g.start".to_owned();
                let denominators = states.each_ref().map(|positions| sum(Some(positions.denominator)));
                let received = format!("greatest({})", denominators.join(", "));
                let [numerator, _, unknown, _] = by_state(&states.each_ref().map(counts));
                Some((format!("{joins} AND {received} > 0"), [numerator, received, unknown, "0".to_owned()]))
            }
            (IndicatorSums::ByState(states), _) => Some((in_period, by_state(&states.each_ref().map(counts)))),
        };
        self.cells.extend(cells.map(|(joins, values)| {
            format!(
                "  SELECT {id} AS indicator, a.counted_code AS code, a.counted_tier AS tier, p.kind, p.number{}\n    FROM {} AS g \
                 {joins}\n    JOIN {} AS a ON a.agency = g.agency\n    GROUP BY a.counted_code, a.counted_tier, p.kind, p.number",
                sums(&values),
                group.name,
                group.agencies,
            )
        }));
        self.add_indicator(indicator, rules);
    }

    /// From which half-month of a year on each procedure has, or may have, a dossier of the indicator's `having`.
    fn add_since(&mut self, group: &ScriptGroup<'_>, positions: &SumPositions) -> String {
        let first = |position: Option<usize>| match position {
            Some(_) => format!("min(CASE WHEN {} > 0 THEN g.start END)", sum(position)),
            None => "CAST(NULL AS BIGINT)".to_owned(),
        };
        let year = self.sql.floor_div("g.start", HALVES_OF_A_YEAR);
        let query = format!(
            "SELECT code, {year} AS year, {} AS certain, {} AS possible FROM {} AS g\n  GROUP BY code, {year}",
            first(positions.procedures_with),
            first(positions.procedures_maybe_with),
            group.name,
        );
        self.add_beside("since", query)
    }

    /// The smallest amount that at least half of the dossiers of a scope do not exceed.
    fn add_median(&mut self, group: &ScriptGroup<'_>, id: &str, positions: &SumPositions) {
        let query = format!(
            "SELECT a.counted_code AS code, a.counted_tier AS tier, p.kind, p.number, g.amount{} FROM {} AS g JOIN \
             period_halves AS p ON p.half = g.start\n  JOIN {} AS a ON a.agency = g.agency GROUP BY a.counted_code, a.counted_tier, \
             p.kind, p.number, g.amount",
            sums(&counts(positions)),
            group.name,
            group.agencies,
        );
        let amounts = self.add_beside("amounts", query);
        let scopes = scopes(self.sql, &amounts, &["amount"]);
        let of_scope = "PARTITION BY code, tier, kind, number";
        self.medians.push(format!(
            "  SELECT {id} AS indicator, code, tier, kind, number, coalesce(min(CASE WHEN passed * 2 >= dossiers AND dossiers > 0 \
             THEN amount END), 0) AS numerator, CAST(max(dossiers) AS BIGINT) AS denominator, CAST(sum(unknown) AS BIGINT) AS \
             unknown, CAST(sum(undecided) AS BIGINT) AS undecided\n  FROM (SELECT *, sum(denominator) OVER ({of_scope} ORDER BY \
             amount) AS passed, sum(denominator) OVER ({of_scope}) AS dossiers\n    FROM (\n{scopes}) AS s) AS m\n  GROUP BY code, \
             tier, kind, number"
        ));
    }

    /// The subqueries after those of the groups.
    pub(super) fn subqueries(self) -> Vec<Subquery> {
        let text = self.sql.text_type();
        let mut tables = self.beside;
        let none = |name: &str, of: &str| format!("CAST(NULL AS {of}) AS {name}");
        let texts = ["indicator", "code", "tier"].map(|name| none(name, text));
        let numbers = [&["kind", "number"][..], &COUNTS].concat();
        let numbers: Vec<String> = numbers.into_iter().map(|name| none(name, "BIGINT")).collect();
        let no_row = |columns: &[String]| format!("  SELECT {} WHERE FALSE", columns.join(", "));
        let all = |none: String, queries| [vec![none], queries].concat().join("\n  UNION ALL\n");
        tables.push(Subquery::shared("cells", all(no_row(&[&texts[..], &numbers].concat()), self.cells)));
        let listed_numbers = ["numerator", "denominator", "unknown"].map(|name| none(name, "BIGINT"));
        let none_listed = no_row(&[&texts[..], &[none("period", text)], &listed_numbers].concat());
        tables.push(Subquery::new("listed", all(none_listed, self.listed)));
        let rows = if self.indicators.is_empty() { vec!["('', '', FALSE)".to_owned()] } else { self.indicators };
        let rows = format!(
            "SELECT * FROM (VALUES\n    {}) AS rows_of(indicator, rules, has_denominator)",
            rows.join(",\n    ")
        );
        tables.push(Subquery::new("indicators", rows));
        let scopes = [vec![scopes(self.sql, "cells", &["indicator"])], self.medians].concat();
        tables.push(Subquery::shared("scopes", scopes.join("\n  UNION ALL\n")));
        tables.push(Subquery::new(
            "counted",
            "SELECT indicator, code, tier, kind, min(number) AS first_number, max(number) AS last_number FROM \
             scopes\n  WHERE denominator > 0 OR unknown > 0 OR undecided > 0 GROUP BY indicator, code, tier, kind",
        ));
        tables
    }

    /// The query after all subqueries: every period between the first and the last one with something to count, and what
    /// is listed.
    pub(super) fn last() -> String {
        let value = |name: &str| format!("coalesce(s.{name}, 0)");
        format!(
            "SELECT r.indicator, i.rules, r.code AS agency, r.tier, p.period,\n  {} AS numerator, CASE WHEN i.has_denominator THEN {} \
             END AS denominator, {} AS unknown, {} AS undecided\nFROM counted AS r\nJOIN indicators AS i ON i.indicator = \
             r.indicator\nJOIN periods AS p ON p.kind = r.kind AND p.number BETWEEN r.first_number AND r.last_number\nLEFT JOIN \
             scopes AS s ON s.indicator = r.indicator AND s.code IS NOT DISTINCT FROM r.code AND s.tier IS NOT DISTINCT FROM \
             r.tier\n  AND s.kind = p.kind AND s.number = p.number\nUNION ALL\nSELECT l.indicator, i.rules, l.code, l.tier, l.period, \
             l.numerator, CASE WHEN i.has_denominator THEN l.denominator END, l.unknown, CAST(0 AS BIGINT)\nFROM listed AS l JOIN \
             indicators AS i ON i.indicator = l.indicator\nORDER BY 1, 3, 4, 5",
            value("numerator"),
            value("denominator"),
            value("unknown"),
            value("undecided"),
        )
    }
}

const HALVES_OF_A_YEAR: i64 = 24;

/// Counts that count once the procedure has dossiers of the kind; if it only may have some, the denominator is undecided.
fn once_certain(of: &[String; 4]) -> [String; 4] {
    let is_certain = "coalesce(h.certain <= p.last_half, FALSE)";
    let certain = |value: &String| format!("CASE WHEN {is_certain} THEN {value} ELSE 0 END");
    let undecided = format!("CASE WHEN {is_certain} THEN {} ELSE {} + {} END", of[3], of[1], of[3]);
    [certain(&of[0]), certain(&of[1]), certain(&of[2]), undecided]
}

/// Counts by the state at the end of the period. `of`: ended, open in time, overdue.
fn by_state([ended, open, overdue]: &[[String; 4]; 3]) -> [String; 4] {
    [0, 1, 2, 3].map(|place| {
        format!(
            "CASE WHEN g.ended <= p.last_half THEN {} WHEN g.overdue <= p.last_half THEN {} ELSE {} END",
            ended[place], overdue[place], open[place]
        )
    })
}

/// The counts of a subquery for the province, for each tier and for each agency. `by`: columns that stay apart.
fn scopes(sql: SqlDialect, from: &str, by: &[&str]) -> String {
    let by = by.join(", ");
    let none = &format!("CAST(NULL AS {})", sql.text_type());
    let sums = sums(&COUNTS.map(str::to_owned));
    let scope = |code: &str, tier: &str, keys: &str, only: &str| {
        format!(
            "  SELECT {by}, {code} AS code, {tier} AS tier, kind, number{sums} FROM {from}{only} GROUP BY {by}{keys}, kind, number"
        )
    };
    [
        scope(none, none, "", ""),
        scope(none, "tier", ", tier", " WHERE tier IS NOT NULL"),
        scope("code", "tier", ", code, tier", ""),
    ]
    .join("\n  UNION ALL\n")
}
