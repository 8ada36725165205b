//! The cells of form II.06a: how many dossiers were received, resolved and left open in a period, by sector.
//!
//! The form uses the same facts and states as the indicators, including for the dossiers carried over and left open.

use std::collections::BTreeMap;

use polars::prelude::*;

use crate::calendar::day_number;
use crate::indicators::IndicatorError;
use crate::indicators::facts::flag;
use crate::indicators::inputs::FigureInputs;
use crate::indicators::scan::facts_of_period;
use crate::model::agency::Tier;
use crate::model::period::Period;
use crate::model::report_form::FormCounts;
use crate::model::rules::RuleSet;

/// The agencies that a form covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormScope {
    /// All agencies that are not vertical (ngành dọc).
    Province,
    /// The agencies of a tier that are not vertical.
    Tier(Tier),
    /// One agency, by its code. A vertical agency has a form too.
    Agency(String),
}

/// Cells by sector code; dossiers without a sector are under the empty code.
///
/// # Errors
/// A table that cannot be scanned.
pub fn form_counts(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    period: Period,
    scope: &FormScope,
) -> Result<BTreeMap<String, FormCounts>, IndicatorError> {
    let (facts, agencies) = facts_of_period(inputs, rules, period)?;
    let (start, end) = (day_number(period.start()), day_number(period.end()));
    // A dossier whose end is dated before its reception counts as ended on the day of reception, so that the form has
    // it once.
    let is_before = col("ended_day").lt(col("received_day"));
    let ended_day = when(is_before).then(col("received_day")).otherwise(col("ended_day"));
    let facts = facts
        .filter(col("received_day").lt_eq(lit(end)))
        .with_columns([when(col("is_ended")).then(ended_day).otherwise(lit(NULL)).alias("ended_day")])
        .filter(col("ended_day").is_null().or(col("ended_day").gt_eq(lit(start))));
    let is_new = || col("received_day").gt_eq(lit(start));
    let on_time = || col("is_ended").and(flag("is_on_time"));
    let is_late = || col("is_ended").and(flag("is_on_time").not());
    // What is on time whenever it ends, as a withdrawn dossier is, stands in column 9.
    let is_early = || flag("ends_early").and(flag("always_on_time").not());
    let is_open = || col("is_ended").not();
    // The form has no column for what is not known: an unknown channel stands in column 5, an end that nothing shows to
    // be on time in column 10.
    let cells = [
        is_new().and(flag("is_online")).alias("online"),
        is_new().and(flag("is_online").not()).alias("counter_and_post"),
        is_new().not().alias("carried_over"),
        on_time().and(is_early()).alias("early"),
        on_time().and(is_early().not()).alias("on_time"),
        is_late().alias("late"),
        is_open().and(flag("is_overdue").not()).alias("pending_in_time"),
        is_open().and(flag("is_overdue")).alias("pending_overdue"),
        is_new().and(col("is_online").is_null()).alias("channel_unknown"),
        is_late().and(col("ends_at").is_null()).alias("end_undated"),
        is_late().and(col("ends_before_reception")).alias("end_before_reception"),
    ];
    let names: Vec<PlSmallStr> = [
        "online",
        "counter_and_post",
        "carried_over",
        "early",
        "on_time",
        "late",
        "pending_in_time",
        "pending_overdue",
        "channel_unknown",
        "end_undated",
        "end_before_reception",
    ]
    .map(PlSmallStr::from_static)
    .to_vec();
    let table = facts
        .select([&[col("agency"), col("sector_code")], &cells[..]].concat())
        .group_by([col("agency"), col("sector_code")])
        .agg(names.iter().map(|name| col(name.clone()).sum().cast(DataType::UInt64)).collect::<Vec<_>>())
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let (agency, sector) = (table.column("agency")?.u32()?, table.column("sector_code")?.str()?);
    let columns = names.iter().map(|name| table.column(name)?.u64()).collect::<PolarsResult<Vec<_>>>()?;
    let mut sectors: BTreeMap<String, FormCounts> = BTreeMap::new();
    for row in 0..table.height() {
        let Some(agency) = agency.get(row).map(|number| agencies.attributed_to(number)) else { continue };
        let agency = &agencies.known[agency as usize];
        let counted = match scope {
            FormScope::Province => !agency.vertical,
            FormScope::Tier(tier) => !agency.vertical && agency.tier == Some(*tier),
            FormScope::Agency(code) => *agency.code == *code,
        };
        if !counted {
            continue;
        }
        let count = |column: usize| columns[column].get(row).unwrap_or(0);
        sectors.entry(sector.get(row).unwrap_or_default().to_owned()).or_default().add(&FormCounts {
            online: count(0),
            counter_and_post: count(1),
            carried_over: count(2),
            early: count(3),
            on_time: count(4),
            late: count(5),
            pending_in_time: count(6),
            pending_overdue: count(7),
            channel_unknown: count(8),
            end_undated: count(9),
            end_before_reception: count(10),
        });
    }
    Ok(sectors)
}
