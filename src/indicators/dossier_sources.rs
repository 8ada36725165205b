//! The sources of the dossiers that count for an agency, a tier or the province.

use std::collections::BTreeMap;

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::explain::FigureOf;
use crate::indicators::inputs::FigureInputs;
use crate::indicators::scan::facts_of;
use crate::model::rules::RuleSet;

/// Dossiers by the connector whose row counts, as a rule set attributes them.
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
        .filter(col("agency").is_not_null())
        .filter(of.is_of_agency(&found.agencies))
        .group_by([col("source")])
        .agg([len().cast(DataType::UInt64).alias("dossiers")])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let (sources, dossiers) = (counted.column("source")?.str()?, counted.column("dossiers")?.u64()?);
    let rows = sources.iter().zip(dossiers.iter());
    Ok(rows.filter_map(|(source, dossiers)| Some((source?.to_owned(), dossiers?))).collect())
}
