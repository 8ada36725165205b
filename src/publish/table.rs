//! Figure rows as Parquet and Arrow IPC, with the columns of [`FigureRow`].

use std::io::Cursor;
use std::path::Path;

use jiff::civil::Date;
use polars::prelude::*;

use crate::model::figure::Met;
use crate::publish::{FigureRow, MetWord, PublishError, parquet_bytes};

fn frame<'a>(rows: impl IntoIterator<Item = FigureRow<'a>>) -> PolarsResult<DataFrame> {
    let rows: Vec<FigureRow<'_>> = rows.into_iter().collect();
    let texts = |name: &str, of: &dyn Fn(&FigureRow<'_>) -> Option<String>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let plain = |text: &str| Some(text.to_owned());
    let numbers = |name: &str, of: &dyn Fn(&FigureRow<'_>) -> Option<u64>| {
        let counts = rows.iter().map(|row| of(row).and_then(|count| i64::try_from(count).ok()));
        Column::new(name.into(), counts.collect::<Vec<_>>())
    };
    let floats = |name: &str, of: &dyn Fn(&FigureRow<'_>) -> Option<f64>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let days = |name: &str, of: &dyn Fn(&FigureRow<'_>) -> String| {
        Column::new(name.into(), rows.iter().map(|row| epoch_day(&of(row))).collect::<Vec<_>>()).cast(&DataType::Date)
    };
    let moments = |name: &str, of: &dyn Fn(&FigureRow<'_>) -> Option<String>| {
        let micros = rows.iter().map(|row| of(row).as_deref().and_then(micros)).collect::<Vec<_>>();
        Column::new(name.into(), micros).cast(&DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
    };
    let met = |row: &FigureRow<'_>| {
        row.met.map(|MetWord(met)| match met {
            Met::Yes => "true".to_owned(),
            Met::No => "false".to_owned(),
            Met::Open => "open".to_owned(),
        })
    };
    let columns = vec![
        texts("indicator", &|row| plain(row.indicator)),
        texts("definition", &|row| plain(row.definition)),
        texts("rules", &|row| plain(row.rules)),
        texts("agency", &|row| row.agency.map(str::to_owned)),
        texts("agency_name", &|row| row.agency_name.map(str::to_owned)),
        texts("tier", &|row| row.tier.map(str::to_owned)),
        texts("period", &|row| plain(&row.period)),
        days("period_start", &|row| row.period_start.clone())?,
        days("period_end", &|row| row.period_end.clone())?,
        numbers("numerator", &|row| Some(row.numerator)),
        numbers("denominator", &|row| row.denominator),
        floats("ratio", &|row| row.ratio),
        floats("target", &|row| row.target),
        texts("met", &met),
        Column::new("complete".into(), rows.iter().map(|row| row.complete).collect::<Vec<_>>()),
        moments("data_until", &|row| row.data_until.clone())?,
        floats("unmatched", &|row| row.unmatched),
        moments("as_of", &|row| plain(&row.as_of))?,
        Column::new("run".into(), rows.iter().map(|row| row.run).collect::<Vec<_>>()),
        texts("kind", &|row| plain(row.kind)),
        floats("value", &|row| row.value),
    ];
    DataFrame::new(rows.len(), columns)
}

/// Days since 1970-01-01.
fn epoch_day(day: &str) -> Option<i32> {
    let day: Date = day.parse().ok()?;
    day.since(Date::constant(1970, 1, 1)).ok().map(|span| span.get_days())
}

fn micros(moment: &str) -> Option<i64> {
    moment.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

/// Parquet that every reader reads. `scratch`: a folder that a file may stand in for a moment.
pub fn parquet<'a>(rows: impl IntoIterator<Item = FigureRow<'a>>, scratch: &Path) -> Result<Vec<u8>, PublishError> {
    let failed = |source| PublishError::Parquet { path: scratch.to_owned(), source };
    let frame = frame(rows).map_err(failed)?;
    parquet_bytes(frame, scratch)
}

/// An Arrow IPC file without view types, which few readers know.
pub fn arrow<'a>(rows: impl IntoIterator<Item = FigureRow<'a>>) -> Result<Vec<u8>, PublishError> {
    let failed = |source| PublishError::Parquet { path: "memory".into(), source };
    let mut frame = frame(rows).map_err(failed)?;
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = IpcWriter::new(&mut bytes).with_compat_level(CompatLevel::oldest());
    writer.finish(&mut frame).map_err(failed)?;
    Ok(bytes.into_inner())
}
