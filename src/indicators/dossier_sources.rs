//! The sources of the dossiers that count for an agency, a tier or the province.

use std::collections::BTreeMap;

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::explain::FigureOf;
use crate::indicators::inputs::FigureInputs;
use crate::indicators::scan::facts_of;
use crate::model::rules::RuleSet;

/// Received dossiers, as figures count them, by the connector whose row counts: without deleted ones, parts of others, and those
/// whose status does not count. A rule set attributes them to agencies.
///
/// # Errors
/// A table that cannot be scanned.
pub fn dossier_sources(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    of: &FigureOf,
) -> Result<BTreeMap<String, u64>, IndicatorError> {
    let found = facts_of(inputs, rules, None)?;
    let counted = found
        .facts
        .filter(col("agency").is_not_null().and(col("is_received")))
        .filter(of.is_of_agency(&found.agencies))
        .group_by([col("source")])
        .agg([len().cast(DataType::UInt64).alias("dossiers")])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let (sources, dossiers) = (counted.column("source")?.str()?, counted.column("dossiers")?.u64()?);
    let rows = sources.iter().zip(dossiers.iter());
    Ok(rows.filter_map(|(source, dossiers)| Some((source?.to_owned(), dossiers?))).collect())
}
