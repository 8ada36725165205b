//! Figures over the registries: procedures on offer and agencies. What a scope counts is no sum of its parts, so each
//! scope and period is counted by itself.

use std::collections::BTreeMap;

use polars::prelude::{AnyValue, DataType};

use crate::calendar::day_number;
use crate::expressions::parse;
use crate::indicators::IndicatorError;
use crate::indicators::agencies::Agencies;
use crate::indicators::figures::FigureScope;
use crate::indicators::groups::day_column;
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::registry_rows::{RegistryTable, agency_that_limits};
use crate::indicators::script::dialect::SqlDialect;
use crate::indicators::script::figure_query::{FigureQuery, ScriptGroup, counts, sum};
use crate::indicators::script::render::day_inside;
use crate::indicators::script::small_tables::{since, table, text, until};
use crate::indicators::script::subquery::Subquery;
use crate::indicators::sums::SumPositions;
use crate::model::agency::Tier;
use crate::model::indicator::{CountedUnit, IndicatorDefinition, IndicatorKind, PeriodColumn};
use crate::model::instant::local;
use crate::model::predicate::FactType;

/// `PREFIX_scopes`: the scopes that count rows of the registries, each with the days on which its agency exists;
/// `PREFIX_scopes_of`: the scopes in which each agency's dossiers count.
pub(super) fn scopes(sql: SqlDialect, prefix: &str, agencies: &Agencies, inputs: &FigureInputs<'_>) -> [Subquery; 2] {
    let scopes: Vec<FigureScope> = FigureScope::of_registry(agencies).into_iter().collect();
    let rows = scopes.iter().enumerate().map(|(number, scope)| {
        let (code, tier, registry_tier) = match scope {
            FigureScope::Province => (None, None, None),
            FigureScope::Tier(tier) => (None, Some(*tier), None),
            FigureScope::Agency(tier, code, number) => {
                (Some(&**code), *tier, agencies.known[*number as usize].registry_tier)
            }
        };
        let agency = code.and_then(|code| agency_that_limits(code, agencies, inputs.agencies));
        vec![
            number.to_string(),
            text(sql, code),
            text(sql, tier.map(Tier::name)),
            text(sql, registry_tier.map(Tier::name)),
            since(agency.and_then(|agency| agency.valid_from)),
            until(agency.and_then(|agency| agency.valid_to)),
        ]
    });
    let columns = [
        ("scope", FactType::Number),
        ("code", FactType::Text),
        ("tier", FactType::Text),
        ("registry_tier", FactType::Text),
        ("exists_from", FactType::Number),
        ("exists_to", FactType::Number),
    ];
    let listed = table(sql, &format!("{prefix}_scopes"), &columns, &rows.collect::<Vec<_>>());
    let known = (0_u32..).zip(&agencies.known);
    let of_agencies = known.flat_map(|(agency, _)| {
        let own = FigureScope::of_agency(agencies, agency);
        let numbers = own.iter().filter_map(|scope| scopes.binary_search(scope).ok()).collect::<Vec<_>>();
        numbers.into_iter().map(move |number| vec![agency.to_string(), number.to_string()])
    });
    let columns = [("agency", FactType::Number), ("scope", FactType::Number)];
    let of_agencies = table(sql, &format!("{prefix}_scopes_of"), &columns, &of_agencies.collect::<Vec<_>>());
    [listed, of_agencies]
}

/// A registry, as indicators count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Registry {
    Procedures,
    /// Procedures, with those of one group counted as one.
    ProcedureGroups,
    Agencies,
}

impl Registry {
    fn of(definition: &IndicatorDefinition) -> Self {
        match (definition.over, definition.groups_once) {
            (CountedUnit::Agencies, _) => Self::Agencies,
            (_, true) => Self::ProcedureGroups,
            (_, false) => Self::Procedures,
        }
    }

    /// Name of its table.
    fn name(self) -> &'static str {
        match self {
            Self::Procedures => "offered_procedures",
            Self::ProcedureGroups => "offered_groups",
            Self::Agencies => "competent_agencies",
        }
    }
}

/// The rows of the registries that indicators count, by scope: `PREFIX_offered_procedures` and others.
pub(super) fn registries<'a>(
    sql: SqlDialect,
    prefix: &str,
    inputs: &FigureInputs<'_>,
    definitions: impl Iterator<Item = &'a IndicatorDefinition>,
) -> Result<Vec<Subquery>, IndicatorError> {
    let registries: BTreeMap<Registry, &IndicatorDefinition> =
        definitions.map(|definition| (Registry::of(definition), definition)).collect();
    let mut queries = Vec::new();
    for (registry, definition) in registries {
        let rows = RegistryTable::read(inputs, definition)?;
        let list = format!("{prefix}_{}", registry.name());
        let named: Vec<String> =
            rows.columns.get_column_names().into_iter().map(|name| format!("r.{}", sql.quoted(name))).collect();
        queries.push(inline(sql, &format!("{list}_rows"), &rows)?);
        // A row of a tier belongs to every agency of the tier.
        let of_scopes = format!(
            "SELECT s.scope, s.code IS NOT NULL AS is_agency, r.item, r.agency IS NOT NULL AS is_own, r.first_day, r.last_day, \
             s.exists_from, s.exists_to, {}\n  FROM {list}_rows AS r JOIN {prefix}_scopes AS s ON r.first_day <= s.exists_to AND \
             s.exists_from <= r.last_day\n    AND CASE WHEN s.code IS NULL THEN s.tier IS NULL OR s.tier = r.tier WHEN r.agency IS \
             NOT NULL THEN s.code = r.agency ELSE s.registry_tier = r.tier END",
            named.join(", ")
        );
        queries.push(Subquery::shared(list, of_scopes));
    }
    Ok(queries)
}

/// The rows of a registry as a table inside the script.
fn inline(sql: SqlDialect, name: &str, registry: &RegistryTable) -> Result<Subquery, IndicatorError> {
    let mut columns = vec![
        ("item", FactType::Text),
        ("agency", FactType::Text),
        ("tier", FactType::Text),
        ("first_day", FactType::Number),
        ("last_day", FactType::Number),
    ];
    let rows = registry.rows.iter().zip(&registry.codes).map(|(row, code)| {
        vec![
            sql.text(code),
            text(sql, row.agency.as_deref()),
            text(sql, row.tier.map(Tier::name)),
            since(row.valid_from),
            until(row.valid_to),
        ]
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    for column in registry.columns.columns() {
        let is_flag = *column.dtype() == DataType::Boolean;
        columns.push((column.name(), if is_flag { FactType::Flag } else { FactType::Text }));
        for (place, row) in rows.iter_mut().enumerate() {
            row.push(match column.get(place)? {
                AnyValue::Boolean(flag) => flag.to_string(),
                value => text(sql, value.get_str()),
            });
        }
    }
    Ok(table(sql, name, &columns, &rows))
}

/// `FACTS_periods`: the periods in which any dossier was received, with the day as of which agencies are counted.
pub(super) fn periods_with_dossiers(sql: SqlDialect, facts: &str, now: i64) -> Subquery {
    let received = sql.column(day_column(PeriodColumn::ReceivedAt));
    let today = day_number(local(now).date());
    let query = format!(
        "SELECT DISTINCT p.kind, p.number, p.period, p.first_day, p.last_day, CAST(least(p.last_day, {today}) AS BIGINT) AS counted_day FROM \
         periods AS p\n  JOIN period_halves AS h ON h.kind = p.kind AND h.number = p.number\n  JOIN (SELECT DISTINCT d.half FROM \
         {facts} AS f JOIN days AS d ON d.day = {} WHERE f.agency IS NOT NULL) AS r ON r.half = h.half",
        day_inside(&format!("f.{received}")),
    );
    Subquery::shared(format!("{facts}_periods"), query)
}

/// Writes the figures of a rule set's indicators over the registries.
#[derive(Debug, Clone, Copy)]
pub(super) struct RegistryFigures<'a> {
    pub(super) sql: SqlDialect,
    /// Name of the subquery of facts.
    pub(super) facts: &'a str,
    /// What the names of the tables of agencies and scopes begin with.
    pub(super) prefix: &'a str,
}

impl RegistryFigures<'_> {
    /// Adds the figures of an indicator. `sides`: the group-bys that give its dossiers.
    pub(super) fn add(
        &self,
        figures: &mut FigureQuery,
        indicator: &ComputedIndicator<'_>,
        rules: &str,
        sides: &[(&ScriptGroup<'_>, SumPositions)],
    ) -> Result<(), IndicatorError> {
        let definition = indicator.definition;
        let periods = format!("{}_periods", self.facts);
        let listed = match (definition.over, sides) {
            (_, []) => {
                let counted = self.counted(figures, definition, &periods)?;
                self.of_registry(definition, &counted, &periods)
            }
            (CountedUnit::Agencies, [(group, positions), ..]) => {
                let counted = self.counted(figures, definition, &periods)?;
                self.with_latest_dossier(figures, definition, (&counted, &periods), group, positions)
            }
            _ => {
                let (found, periods) = self.found(figures, &periods, sides);
                let counted = self.counted(figures, definition, &periods)?;
                self.with_dossiers(&counted, &found)
            }
        };
        figures.add_listed(indicator, rules, &listed);
        Ok(())
    }

    /// A subquery with a row for each scope, period and procedure or agency of the denominator: `outside` if any of its
    /// rows of the registry is not in the numerator.
    fn counted(
        &self,
        figures: &mut FigureQuery,
        definition: &IndicatorDefinition,
        periods: &str,
    ) -> Result<String, IndicatorError> {
        let [is_in, is_part] =
            [(&definition.registry, "TRUE"), (&definition.registry_part, "FALSE")].map(|(text, or)| {
                let text = text.as_deref().unwrap_or(or);
                let parsed = parse(text).map(|predicate| self.sql.render(&predicate.is_true()));
                parsed.map_err(|message| IndicatorError::Predicate {
                    indicator: definition.id.clone(),
                    predicate: text.to_owned(),
                    message,
                })
            });
        let (is_in, is_part) = (is_in?, is_part?);
        let [from, to] = match definition.over {
            CountedUnit::Agencies => ["p.counted_day", "p.counted_day"],
            _ => ["p.first_day", "p.last_day"],
        };
        let any = |condition: &str| format!("max(CASE WHEN {condition} THEN 1 ELSE 0 END)");
        // An agency's own row replaces that of its tier.
        let query = format!(
            "SELECT scope, kind, number, item, own_outside + tier_outside > 0 AS outside FROM (\n    SELECT scope, kind, number, item, \
             own_in, own_outside, CASE WHEN is_replaced = 1 THEN 0 ELSE tier_in END AS tier_in,\n      CASE WHEN is_replaced = 1 THEN \
             0 ELSE tier_outside END AS tier_outside FROM (\n      SELECT r.scope, p.kind, p.number, r.item, {} AS is_replaced, {} AS \
             own_in, {} AS own_outside, {} AS tier_in, {} AS tier_outside\n      FROM {}_{} AS r JOIN {periods} AS p ON r.first_day <= \
             {to} AND {from} <= r.last_day AND r.exists_from <= {to} AND {from} <= r.exists_to\n      GROUP BY r.scope, p.kind, \
             p.number, r.item) AS o) AS c\n  WHERE own_in + tier_in > 0",
            any("r.is_agency AND r.is_own"),
            any(&format!("r.is_own AND {is_in}")),
            any(&format!("r.is_own AND {is_in} AND NOT {is_part}")),
            any(&format!("NOT r.is_own AND {is_in}")),
            any(&format!("NOT r.is_own AND {is_in} AND NOT {is_part}")),
            self.prefix,
            Registry::of(definition).name(),
        );
        Ok(figures.add_beside("counted", query))
    }

    /// What the registry alone decides.
    fn of_registry(&self, definition: &IndicatorDefinition, counted: &str, periods: &str) -> String {
        let (numerator, at_least) = match definition.kind {
            // The province and its tiers have a count also if it is 0.
            IndicatorKind::Count => ("count(c.item)", "OR s.code IS NULL"),
            _ => ("coalesce(sum(CASE WHEN c.outside THEN 0 ELSE 1 END), 0)", ""),
        };
        format!(
            "SELECT s.code, s.tier, p.period, CAST({numerator} AS BIGINT) AS numerator, CAST(count(c.item) AS BIGINT) AS denominator, \
             CAST(0 AS BIGINT) AS unknown\n    FROM {}_scopes AS s CROSS JOIN {periods} AS p LEFT JOIN {counted} AS c ON c.scope = \
             s.scope AND c.kind = p.kind AND c.number = p.number\n    GROUP BY s.code, s.tier, p.period HAVING count(c.item) > 0 \
             {at_least}",
            self.prefix
        )
    }

    /// The procedures of which each scope has, or may have, dossiers in a period; and the periods that count for it.
    fn found(
        &self,
        figures: &mut FigureQuery,
        periods: &str,
        sides: &[(&ScriptGroup<'_>, SumPositions)],
    ) -> (String, String) {
        let rows = sides.iter().map(|(group, positions)| {
            let [numerator, _, unknown, undecided] = counts(positions);
            format!(
                "SELECT g.agency, g.start, g.code AS item, CAST({numerator} AS BIGINT) AS certain, CAST({unknown} + {undecided} AS BIGINT) AS possible FROM {} AS g",
                group.name
            )
        });
        let rows = figures.add_beside("found", rows.collect::<Vec<_>>().join("\n  UNION ALL\n  "));
        let by_scope = format!(
            "SELECT s.scope, h.kind, h.number, f.item, sum(f.certain) > 0 AS is_certain FROM {rows} AS f JOIN period_halves AS h ON \
             h.half = f.start\n  JOIN {}_scopes_of AS s ON s.agency = f.agency WHERE f.certain > 0 OR f.possible > 0\n  GROUP BY \
             s.scope, h.kind, h.number, f.item",
            self.prefix
        );
        // What is returned may be returned in a period in which nothing was received.
        let with_more = format!(
            "SELECT kind, number, first_day, last_day FROM {periods}\n  UNION SELECT p.kind, p.number, p.first_day, p.last_day FROM \
             periods AS p JOIN period_halves AS h ON h.kind = p.kind AND \
             h.number = p.number\n  JOIN (SELECT DISTINCT start FROM {rows} WHERE certain > 0) AS f ON f.start = h.half"
        );
        (figures.add_beside("found", by_scope), figures.add_beside("periods_of_found", with_more))
    }

    fn with_dossiers(&self, counted: &str, found: &str) -> String {
        format!(
            "SELECT s.code, s.tier, p.period, CAST(sum(CASE WHEN f.is_certain THEN 1 ELSE 0 END) AS BIGINT) AS numerator, \
             CAST(count(*) AS BIGINT) AS denominator,\n      CAST(sum(CASE WHEN NOT f.is_certain THEN 1 ELSE 0 END) AS BIGINT) AS \
             unknown\n    FROM {counted} AS c JOIN {}_scopes AS s ON s.scope = c.scope JOIN periods AS p ON p.kind = c.kind AND \
             p.number = c.number\n    LEFT JOIN {found} AS f ON f.scope = c.scope AND f.kind = c.kind AND f.number = c.number AND \
             f.item = c.item\n    GROUP BY s.code, s.tier, p.period",
            self.prefix
        )
    }

    /// Agencies whose latest dossier was received within the last working days before the period's end, or before now.
    fn with_latest_dossier(
        &self,
        figures: &mut FigureQuery,
        definition: &IndicatorDefinition,
        (counted, periods): (&str, &str),
        group: &ScriptGroup<'_>,
        positions: &SumPositions,
    ) -> String {
        let working_days = definition.within_working_days.expect("the configuration has checked it");
        let connected = format!(
            "SELECT DISTINCT a.code AS item, p.kind, p.number FROM {periods} AS p JOIN days AS d ON d.day = p.counted_day\n  JOIN \
             worked AS w ON w.ordinal = d.ordinal - {}\n  JOIN {} AS g ON {latest} BETWEEN w.day AND p.counted_day JOIN \
             {}_agencies AS a ON a.agency = g.agency",
            i64::from(working_days) - 1,
            group.name,
            self.prefix,
            latest = sum(positions.last_day),
        );
        let connected = figures.add_beside("connected", connected);
        format!(
            "SELECT s.code, s.tier, p.period, CAST(count(f.item) AS BIGINT) AS numerator, CAST(count(*) AS BIGINT) AS denominator, \
             CAST(0 AS BIGINT) AS unknown\n    FROM {counted} AS c JOIN {}_scopes AS s ON s.scope = c.scope JOIN periods AS p ON \
             p.kind = c.kind AND p.number = c.number\n    LEFT JOIN {connected} AS f ON f.kind = c.kind AND f.number = c.number AND \
             f.item = c.item\n    GROUP BY s.code, s.tier, p.period",
            self.prefix
        )
    }
}
