//! Reads the rows that can be one dossier with rows of another source.
//!
//! A code that two sources share is a code of a row outside the largest source. So the rows of the smaller sources are
//! held in memory, and of the largest source only those that have one of their codes: the scan of a portal's millions of
//! rows keeps a few.

use std::sync::Arc;

use polars::prelude::*;

use super::grouping::{CodedRow, codes_of, split};
use crate::lake::error::{LakeError, rows_error};
use crate::lake::rows::{KEY, VERSION_ORDER, collect, columns};

/// Columns with codes of a dossier.
const CODES: [&str; 3] = ["dossier_code", "national_code", "other_codes"];

/// Columns that [`coded_rows`] reads.
pub(super) const READ: [&str; 10] = [
    "source",
    "source_key",
    "dossier_code",
    "national_code",
    "other_codes",
    "deleted",
    "source_updated_at",
    "run",
    "page",
    "row",
];

/// Rows of dossiers that are not deleted and can have a code in common with a row of another source. Blocks the thread.
/// `table`: its name, for errors.
pub(super) fn coded_rows(table: &'static str, dossiers: &LazyFrame) -> Result<Vec<CodedRow>, LakeError> {
    let failed = || rows_error("read", table);
    let held = dossiers.clone().filter(col("deleted").fill_null(lit(false)).not());
    let by_source = held.clone().group_by([col("source")]).agg([len().cast(DataType::Int64).alias("rows")]);
    let sizes = source_sizes(&collect(table, by_source)?).map_err(failed())?;
    if sizes.len() < 2 {
        return Ok(Vec::new());
    }
    let (_, largest) = sizes.into_iter().max().expect("there are two or more");
    let wanted = columns(KEY.into_iter().chain(CODES).chain(VERSION_ORDER));
    let of_largest = col("source").eq(lit(largest));
    let smaller = collect(table, held.clone().filter(of_largest.clone().not()).select(wanted.clone()))?;
    let mut rows = read(&smaller).map_err(failed())?;
    let mut codes = PlHashMap::new();
    for code in rows.iter().flat_map(|row| &row.codes) {
        codes.insert(code.clone(), ());
    }
    let codes = Arc::new(codes);
    let shares_code = CODES.map(|name| has_any(col(name), Arc::clone(&codes))).into_iter().reduce(Expr::or);
    let shares_code = shares_code.expect("there are columns of codes");
    let found = held.filter(of_largest).select(wanted).filter(shares_code);
    rows.extend(read(&collect(table, found)?).map_err(failed())?);
    Ok(rows)
}

/// Number of rows and name of each source.
fn source_sizes(frame: &DataFrame) -> PolarsResult<Vec<(i64, String)>> {
    let rows = frame.column("rows")?.i64()?.iter();
    let sources = frame.column("source")?.str()?.iter();
    Ok(rows.zip(sources).filter_map(|(rows, source)| Some((rows?, source?.to_owned()))).collect())
}

/// Whether a text has one of the codes.
fn has_any(text: Expr, codes: Arc<PlHashMap<String, ()>>) -> Expr {
    let look_up = move |column: Column| -> PolarsResult<Column> {
        let has_any = |text: &str| split(text).any(|code| codes.contains_key(code));
        let found: BooleanChunked = column.str()?.iter().map(|text| Some(text.is_some_and(has_any))).collect();
        Ok(found.with_name(column.name().clone()).into_column())
    };
    text.map(look_up, |_, field| Ok(Field::new(field.name().clone(), DataType::Boolean)))
}

fn read(frame: &DataFrame) -> PolarsResult<Vec<CodedRow>> {
    let text = |name: &str| frame.column(name)?.str();
    let numbers = |name: &str| frame.column(name)?.cast(&DataType::Int64);
    let (sources, keys) = (text("source")?, text("source_key")?);
    let [dossier_code, national_code, other_codes] = [text(CODES[0])?, text(CODES[1])?, text(CODES[2])?];
    let [changed, runs, pages, places] = VERSION_ORDER.map(numbers);
    let (changed, runs, pages, places) = (changed?, runs?, pages?, places?);
    let (changed, runs, pages, places) = (changed.i64()?, runs.i64()?, pages.i64()?, places.i64()?);
    let row = |at: usize| {
        let codes = codes_of([dossier_code.get(at), national_code.get(at), other_codes.get(at)]);
        if codes.is_empty() {
            return None;
        }
        Some(CodedRow {
            key: (sources.get(at)?.to_owned(), keys.get(at)?.to_owned()),
            codes: codes.into_iter().map(str::to_owned).collect(),
            version: (changed.get(at), runs.get(at)?, pages.get(at)?, places.get(at)?),
        })
    };
    Ok((0..frame.height()).filter_map(row).collect())
}
