//! Postal items that belong to no dossier. Items are joined to dossiers as for the classes: by the dossier's own code and the
//! national one, of rows that are not deleted and for which no row of another source counts.

use polars::prelude::*;

use super::near_codes::NearCodes;
use crate::indicators::IndicatorError;
use crate::indicators::copies::CopyLookup;
use crate::indicators::inputs::FigureInputs;
use crate::indicators::local_time::micros;
use crate::indicators::parts::codes;
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
    /// The dossier that has its code does not count (it was deleted, or another source's row counts instead), or the code is
    /// only a further one of a dossier.
    NotCounted,
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
            Self::NotCounted => [
                "Hồ sơ mang mã này đã xóa hoặc là bản trùng, hoặc mã này chỉ là mã phụ của hồ sơ",
                "The dossier with the code was deleted or is a copy, or the code is only a further one of it",
            ],
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

/// Some of the items of a period that belong to no dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedItems {
    /// How many there are in all.
    pub total: u64,
    pub items: Vec<UnmatchedItem>,
}

/// The items of a period that belong to no dossier, ordered by source and code: at most `limit` behind the first `offset`. Near codes
/// are looked for only for those. An item is filed by its acceptance, else by its delivery; one without either by the moment of
/// the inputs.
///
/// # Errors
/// A table that cannot be scanned.
pub fn unmatched_items(
    inputs: &FigureInputs<'_>,
    period: Period,
    (offset, limit): (u32, u32),
) -> Result<UnmatchedItems, IndicatorError> {
    let items = FiledItems::read(inputs, period)?;
    let known = KnownCodes::read(inputs)?;
    let mut found: Vec<(usize, ItemProblem)> = items.problems(&known)?;
    let total = found.len() as u64;
    let of_dossiers = items.text("dossier_code")?;
    let (sources, item_codes) = (items.text("source")?, items.text("item_code")?);
    found.sort_by_key(|(row, _)| (sources.get(*row), item_codes.get(*row), of_dossiers.get(*row)));
    let page = found.into_iter().skip(offset as usize).take(limit as usize);
    let page: Vec<(usize, ItemProblem)> = page.collect();
    let unknown = page.iter().filter(|(_, problem)| *problem == ItemProblem::Unknown);
    let mut near = NearCodes::new(unknown.filter_map(|(row, _)| of_dossiers.get(*row)));
    known.counted.iter().for_each(|code| near.offer(code));
    let (directions, accepted) = (items.text("direction")?, items.items.column("accepted_at")?.i64()?);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let item = |(row, problem): (usize, ItemProblem)| UnmatchedItem {
        source: owned(sources.get(row)).unwrap_or_default(),
        item_code: owned(item_codes.get(row)),
        near: of_dossiers.get(row).map(|code| near.of(code)).unwrap_or_default(),
        dossier_code: owned(of_dossiers.get(row)),
        direction: owned(directions.get(row)),
        accepted_at: accepted.get(row),
        problem,
    };
    Ok(UnmatchedItems { total, items: page.into_iter().map(item).collect() })
}

/// How many items of a period belong to no dossier.
///
/// # Errors
/// A table that cannot be scanned.
pub fn count_unmatched_items(inputs: &FigureInputs<'_>, period: Period) -> Result<u64, IndicatorError> {
    Ok(FiledItems::read(inputs, period)?.problems(&KnownCodes::read(inputs)?)?.len() as u64)
}

/// The items of a period, without withdrawn ones.
struct FiledItems {
    /// One row for each item.
    items: DataFrame,
    /// Item codes, of any period, with which a row names a dossier. Empty if every item of the period names one.
    with_dossier: PlHashSet<String>,
}

impl FiledItems {
    fn read(inputs: &FigureInputs<'_>, period: Period) -> PolarsResult<Self> {
        let (start, end) = (from_local(period.start().into()), end_of(period.end()));
        let is_withdrawn = col("withdrawn_at").is_not_null().or(col("status").eq_missing(lit("withdrawn")));
        let alone = |name: &str| when(col("item_code").is_null()).then(col(name)).otherwise(lit(NULL));
        let filed_at = coalesce(&[col("accepted_at"), col("delivered_at"), lit(inputs.now)]);
        let kept = inputs.postal_items.clone().filter(col("deleted").fill_null(lit(false)).not());
        let items = kept
            .clone()
            // Rows with one item code are one item, whichever source has them; a row without one is an item of its own.
            .group_by([
                col("item_code"),
                alone("source").alias("own_source"),
                alone("source_key").alias("own_key"),
                col("dossier_code"),
            ])
            .agg([
                col("source").min(),
                col("source_key").min(),
                col("direction").cast(DataType::String).drop_nulls().min(),
                micros("accepted_at").min().alias("accepted_at"),
                micros("delivered_at").min().alias("delivered_at"),
                is_withdrawn.any(true).alias("is_withdrawn"),
            ])
            .filter(col("is_withdrawn").not())
            .filter(filed_at.is_between(lit(start), lit(end), ClosedInterval::Both))
            .collect_with_engine(Engine::Streaming)?
            .unwrap_single();
        let mut with_dossier = PlHashSet::new();
        if items.column("dossier_code")?.null_count() > 0 {
            let named = col("item_code").is_not_null().and(col("dossier_code").is_not_null());
            let named = kept.filter(named).select([col("item_code")]).collect_with_engine(Engine::Streaming)?;
            let named = named.unwrap_single();
            with_dossier.extend(named.column("item_code")?.str()?.iter().flatten().map(str::to_owned));
        }
        Ok(Self { items, with_dossier })
    }

    fn text(&self, name: &str) -> PolarsResult<&StringChunked> {
        self.items.column(name)?.str()
    }

    /// The rows of the items that belong to no dossier, and why.
    fn problems(&self, known: &KnownCodes) -> PolarsResult<Vec<(usize, ItemProblem)>> {
        let (item_codes, dossier_codes) = (self.text("item_code")?, self.text("dossier_code")?);
        let problem = |row: usize| match dossier_codes.get(row) {
            // An event without a dossier code is of an item whose list has one.
            None if item_codes.get(row).is_some_and(|item| self.with_dossier.contains(item)) => None,
            None => Some(ItemProblem::NoCode),
            Some(code) if known.counted.contains(code) => None,
            Some(code) if known.others.contains(code) => Some(ItemProblem::NotCounted),
            Some(code) if code.matches('-').count() < 2 => Some(ItemProblem::IllFormed),
            Some(_) => Some(ItemProblem::Unknown),
        };
        Ok((0..self.items.height()).filter_map(|row| Some((row, problem(row)?))).collect())
    }
}

/// The codes of dossiers.
struct KnownCodes {
    /// By which items are joined to dossiers that count.
    counted: PlHashSet<String>,
    /// All codes of all rows.
    others: PlHashSet<String>,
}

impl KnownCodes {
    fn read(inputs: &FigureInputs<'_>) -> PolarsResult<Self> {
        let copies = CopyLookup::read(inputs.dossier_groups.clone())?;
        let columns = |dossiers: LazyFrame, names: &[&str]| -> PolarsResult<DataFrame> {
            let names: Vec<Expr> = names.iter().map(|name| col(*name)).collect();
            Ok(dossiers.select(names).collect_with_engine(Engine::Streaming)?.unwrap_single())
        };
        let is_kept = col("deleted").fill_null(lit(false)).not();
        let counting = copies.left_out_of(inputs.dossiers.clone()).filter(is_kept);
        let (mut counted, mut others) = (PlHashSet::new(), PlHashSet::new());
        for column in columns(counting, &["dossier_code", "national_code"])?.columns() {
            counted.extend(column.str()?.iter().flatten().map(str::to_owned));
        }
        let all = ["dossier_code", "national_code", "other_codes"];
        for column in columns(inputs.dossiers.clone(), &all)?.columns() {
            others.extend(codes(column.str()?.iter()).map(str::to_owned));
        }
        Ok(Self { counted, others })
    }
}
