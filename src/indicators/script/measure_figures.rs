//! Figures over measures: what an agency or the province states itself for a period.

use polars::prelude::*;

use crate::calendar::day_number;
use crate::indicators::IndicatorError;
use crate::indicators::agencies::{Agencies, NO_AGENCY, WHOLE_PROVINCE, distinct_texts};
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::script::dialect::SqlDialect;
use crate::indicators::script::figure_query::FigureQuery;
use crate::indicators::script::small_tables::table;
use crate::indicators::script::stored::StoredTables;
use crate::indicators::script::subquery::Subquery;
use crate::model::period::{Period, PeriodKind};
use crate::model::predicate::FactType;
use crate::model::table::RecordKind;
use crate::model::text::name_key;

/// `stated_periods`: the named periods of the measures, as they are stated; `measures`: the measures that count, one for
/// each indicator, agency (0 for the province, else its number and 1) and period.
pub(super) fn measures(
    stored: &StoredTables,
    inputs: &FigureInputs<'_>,
    agencies: &Agencies,
) -> Result<[Subquery; 2], IndicatorError> {
    let sql = stored.dialect;
    let stated = distinct_texts(inputs.measures.clone(), col("period").alias("text"))?;
    let named = stated.iter().filter_map(|text| Some((text, Period::parse(text)?)));
    let named = named.filter(|(_, period)| PeriodKind::NAMED.contains(&period.kind()));
    let rows = named.map(|(text, period)| {
        vec![sql.text(text), sql.text(&period.to_string()), day_number(period.end()).to_string()]
    });
    let columns = [("stated", FactType::Text), ("period", FactType::Text), ("last_day", FactType::Number)];
    let periods = table(sql, "stated_periods", &columns, &rows.collect::<Vec<_>>());
    let texts = agencies.meanings.iter().map(|(text, ..)| text.as_str());
    let of_province: Vec<String> =
        texts.filter(|text| name_key(text) == name_key(WHOLE_PROVINCE)).map(|text| sql.text(text)).collect();
    let is_province = if of_province.is_empty() {
        "FALSE".to_owned()
    } else {
        format!("m.agency_text IN ({})", of_province.join(", "))
    };
    let named =
        ["source", "source_key", "run", "indicator", "agency", "period", "numerator", "denominator", "entered_at"];
    let rows = stored.columns(RecordKind::Measures, named.into_iter().chain(["deleted"]));
    // Of several for one agency and period the one entered last counts.
    let measures = format!(
        "SELECT indicator, stated_by, period, numerator, denominator FROM (\n    SELECT *, row_number() OVER (PARTITION BY \
         indicator, stated_by, period ORDER BY entered_at DESC NULLS LAST, run DESC NULLS LAST, source NULLS LAST, source_key \
         NULLS LAST) AS place FROM (\n      SELECT t.indicator, CAST(CASE WHEN {is_province} THEN 0 ELSE m.agency + 1 END AS BIGINT) AS stated_by, \
         p.period, t.numerator, CAST(CASE WHEN t.denominator > 0 THEN t.denominator ELSE 0 END AS BIGINT) AS denominator, t.entered_at, t.run, \
         t.source, t.source_key\n      FROM ({rows}) AS t JOIN stated_periods AS p ON p.stated = t.period\n      JOIN measure_texts \
         AS m ON m.agency_text = coalesce(t.agency, '{NO_AGENCY}') AND p.last_day BETWEEN m.first_day AND m.last_day\n      WHERE \
         t.deleted IS NOT TRUE AND coalesce(t.entered_at, {now}) <= {now} AND t.numerator >= 0) AS r) AS o\n  WHERE place = 1",
        now = inputs.now,
    );
    Ok([periods, Subquery::shared("measures", measures)])
}

/// Adds the figures of an indicator: those of agencies, their sums for tiers and the province, and what the province
/// states itself instead of the sum.
pub(super) fn add(figures: &mut FigureQuery, sql: SqlDialect, indicator: &ComputedIndicator<'_>, rules: &str) {
    let of_indicator = format!("m.indicator = {}", sql.text(&indicator.id));
    let none = format!("CAST(NULL AS {})", sql.text_type());
    let scope = |code: &str, tier: &str, keys: &str, only: &str| {
        format!(
            "SELECT {code} AS code, {tier} AS tier, m.period, CAST(sum(m.numerator) AS BIGINT) AS numerator, \
             CAST(sum(m.denominator) AS BIGINT) AS denominator, CAST(0 AS BIGINT) AS unknown\n      FROM measures AS m LEFT JOIN \
             measure_agencies AS a ON a.agency = m.stated_by - 1 WHERE {of_indicator} AND {only} GROUP BY {keys}m.period"
        )
    };
    let of_agencies = "m.stated_by > 0";
    let stated_by_province = format!(
        "(m.stated_by = 0 OR m.period NOT IN (SELECT period FROM measures AS m WHERE {of_indicator} AND m.stated_by = 0))"
    );
    let scopes = [
        scope(&none, &none, "", &stated_by_province),
        scope(&none, "a.counted_tier", "a.counted_tier, ", &format!("{of_agencies} AND a.counted_tier IS NOT NULL")),
        scope("a.counted_code", "a.counted_tier", "a.counted_code, a.counted_tier, ", of_agencies),
    ];
    figures.add_listed(indicator, rules, &scopes.join("\n    UNION ALL\n    "));
}
