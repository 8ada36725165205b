//! Postal items whose dossier code no dossier has.

use polars::prelude::*;

use super::near_codes::NearCodes;
use crate::indicators::IndicatorError;
use crate::indicators::inputs::FigureInputs;
use crate::indicators::local_time::micros;
use crate::indicators::periods::end_of;
use crate::model::instant::from_local;
use crate::model::period::Period;

/// Why an item belongs to no dossier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ItemProblem {
    /// It has no dossier code.
    NoCode,
    /// Its code has not the form of a dossier code.
    IllFormed,
    /// No dossier has its code.
    Unknown,
}

impl ItemProblem {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    #[must_use]
    pub fn meaning(self) -> [&'static str; 2] {
        match self {
            Self::NoCode => ["Không ghi mã hồ sơ", "No dossier code"],
            Self::IllFormed => ["Mã hồ sơ sai dạng", "The code is ill-formed"],
            Self::Unknown => ["Không có hồ sơ mang mã này", "No dossier has the code"],
        }
    }
}

/// An item that belongs to no dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedItem {
    pub source: String,
    pub item_code: Option<String>,
    pub dossier_code: Option<String>,
    pub direction: Option<String>,
    /// Microseconds UTC.
    pub accepted_at: Option<i64>,
    pub problem: ItemProblem,
    /// Codes of dossiers that differ by one mistake, for a person to decide.
    pub near: Vec<String>,
}

/// The items that the post accepted in a period and that belong to no dossier, ordered by source and code.
///
/// # Errors
/// A table that cannot be scanned.
pub fn unmatched_items(inputs: &FigureInputs<'_>, period: Period) -> Result<Vec<UnmatchedItem>, IndicatorError> {
    let (start, end) = (from_local(period.start().into()), end_of(period.end()));
    let is_in_period = micros("accepted_at").is_between(lit(start), lit(end), ClosedInterval::Both);
    let codes = inputs
        .dossiers
        .clone()
        .select([col("dossier_code"), col("national_code"), col("other_codes")])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let is_withdrawn = col("withdrawn_at").is_not_null().or(col("status").eq_missing(lit("withdrawn")));
    let items = inputs
        .postal_items
        .clone()
        .filter(is_in_period.and(col("deleted").fill_null(lit(false)).not()))
        // Rows with one item code are one item, whichever source has them; a row without one is an item of its own.
        .group_by([
            col("item_code"),
            when(col("item_code").is_null()).then(col("source")).otherwise(lit(NULL)).alias("own_source"),
            when(col("item_code").is_null()).then(col("source_key")).otherwise(lit(NULL)).alias("own_key"),
            col("dossier_code"),
        ])
        .agg([
            col("source").min(),
            col("source_key").min(),
            col("direction").cast(DataType::String).drop_nulls().min(),
            micros("accepted_at").min().alias("accepted_at"),
            is_withdrawn.any(true).alias("is_withdrawn"),
        ])
        .filter(col("is_withdrawn").not())
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let text = |name: &str| items.column(name)?.str();
    let (sources, item_codes) = (text("source")?, text("item_code")?);
    let (dossier_codes, directions) = (text("dossier_code")?, text("direction")?);
    let accepted = items.column("accepted_at")?.i64()?;
    // First which of the items' codes are known, then the neighbours of the others.
    let mut unknown: PlHashSet<&str> = dossier_codes.iter().flatten().collect();
    let of_dossiers = |name: &str| codes.column(name)?.str();
    let names = [of_dossiers("dossier_code")?, of_dossiers("national_code")?];
    for code in names.iter().flat_map(|codes| codes.iter()).flatten() {
        unknown.remove(code);
    }
    let others = of_dossiers("other_codes")?;
    for code in others.iter().flatten().flat_map(|codes| codes.split("; ")) {
        unknown.remove(code);
    }
    let mut near = NearCodes::new(unknown.iter().copied());
    for code in names.iter().flat_map(|codes| codes.iter()).flatten() {
        near.offer(code);
    }
    // An event without a dossier code is of an item whose list has one.
    let with_code: PlHashSet<&str> = item_codes
        .iter()
        .zip(dossier_codes.iter())
        .filter_map(|(item, code)| item.filter(|_| code.is_some()))
        .collect();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let item = |row: usize| {
        let code = dossier_codes.get(row);
        if code.is_none() && item_codes.get(row).is_some_and(|item| with_code.contains(item)) {
            return None;
        }
        let problem = match code {
            None => ItemProblem::NoCode,
            Some(code) if !unknown.contains(code) => return None,
            Some(code) if code.matches('-').count() < 2 => ItemProblem::IllFormed,
            Some(_) => ItemProblem::Unknown,
        };
        Some(UnmatchedItem {
            source: owned(sources.get(row)).unwrap_or_default(),
            item_code: owned(item_codes.get(row)),
            near: code.map(|code| near.of(code)).unwrap_or_default(),
            dossier_code: owned(code),
            direction: owned(directions.get(row)),
            accepted_at: accepted.get(row),
            problem,
        })
    };
    let mut found: Vec<UnmatchedItem> = (0..items.height()).filter_map(item).collect();
    found.sort_by(|left, right| {
        let key = |one: &UnmatchedItem| (one.source.clone(), one.item_code.clone(), one.dossier_code.clone());
        key(left).cmp(&key(right))
    });
    Ok(found)
}
