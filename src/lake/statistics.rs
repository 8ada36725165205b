//! Statistics of a data file in the log of its table: the number of rows, and for each column the least and greatest
//! value and the number of nulls. They are those of the file's own footer, so that no row is read again.
//!
//! Readers skip files by them. deltalake for Python takes a column without a range for one without values, if any other
//! column of the file has a range. So a file states the ranges of all its columns, or of none.

use std::path::Path;

use polars::prelude::{FileMetadata, ParquetReader, SerReader as _};
use polars_parquet::parquet::statistics::Statistics;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::error::{LakeError, rows_error};
use super::files;
use super::layout::{Layout, PART, StoredType};

/// Statistics in the form of the log (Delta protocol, per-file statistics).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileStatistics {
    num_records: u64,
    #[serde(flatten)]
    ranges: Option<Ranges>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ranges {
    min_values: Map<String, Value>,
    max_values: Map<String, Value>,
    null_count: Map<String, Value>,
}

/// A value of a column, comparable with others of its column.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Bound {
    Text(String),
    Long(i64),
    Flag(bool),
    Float(f64),
}

impl FileStatistics {
    /// The statistics of a data file of a table.
    pub(super) fn of(layout: &Layout, path: &Path, rows: u64) -> Result<Self, LakeError> {
        let mut reader = ParquetReader::new(files::open(path)?);
        let footer = reader.get_metadata().map_err(rows_error("read", layout.name))?;
        Ok(Self { num_records: rows, ranges: Ranges::of(layout, footer) })
    }
}

/// Statistics of a file from before columns were added, completed: all of its values of them are null. `None` if nothing is
/// missing, or if the file states no counts of nulls.
pub(super) fn completed(layout: &Layout, stated: &str) -> Option<String> {
    let mut stated: Value = serde_json::from_str(stated).ok()?;
    let rows = stated.get("numRecords")?.as_i64()?;
    let nulls = stated.get_mut("nullCount")?.as_object_mut()?;
    nulls.retain(|_, count| !count.is_null());
    let own = layout.columns.iter().map(|(name, _)| *name).filter(|name| !(layout.parted && *name == PART));
    let missing: Vec<&str> = own.filter(|name| !nulls.contains_key(*name)).collect();
    if nulls.is_empty() || missing.is_empty() {
        return None;
    }
    nulls.extend(missing.into_iter().map(|name| (name.to_owned(), json!(rows))));
    Some(stated.to_string())
}

impl Ranges {
    /// The ranges of all columns; `None` if the footer lacks that of any.
    fn of(layout: &Layout, footer: &FileMetadata) -> Option<Self> {
        let mut ranges = Self::default();
        for (name, stored) in layout.columns.iter().filter(|(name, _)| !(layout.parted && *name == PART)) {
            let range = ColumnRange::of(footer, name)?;
            ranges.null_count.insert((*name).to_owned(), json!(range.nulls));
            if let (Some(least), Some(greatest)) = (range.least, range.greatest) {
                ranges.min_values.insert((*name).to_owned(), least.written(*stored)?);
                ranges.max_values.insert((*name).to_owned(), greatest.written(*stored)?);
            }
        }
        Some(ranges)
    }
}

/// Least and greatest value of a column; `None` if all of its values are null.
#[derive(Debug, Default)]
struct ColumnRange {
    least: Option<Bound>,
    greatest: Option<Bound>,
    nulls: i64,
}

impl ColumnRange {
    /// The range of a column over all row groups; `None` if the footer does not state it.
    fn of(footer: &FileMetadata, name: &str) -> Option<Self> {
        let mut range = Self::default();
        for group in &footer.row_groups {
            let column = group.columns_under_root_iter(name)?.next()?;
            let (least, greatest, nulls) = bounds(&column.statistics(&footer.footer_buf)?.ok()?)?;
            range.nulls += nulls;
            if nulls < column.num_values() {
                let (least, greatest) = (least?, greatest?);
                if range.least.as_ref().is_none_or(|known| least < *known) {
                    range.least = Some(least);
                }
                if range.greatest.as_ref().is_none_or(|known| greatest > *known) {
                    range.greatest = Some(greatest);
                }
            }
        }
        Some(range)
    }
}

/// Least and greatest value, if there are any, and the number of nulls of a column in one row group.
fn bounds(statistics: &Statistics) -> Option<(Option<Bound>, Option<Bound>, i64)> {
    let text = |bytes: &Option<Vec<u8>>| bytes.clone().and_then(|bytes| String::from_utf8(bytes).ok()).map(Bound::Text);
    match statistics {
        Statistics::Binary(column) => Some((text(&column.min_value), text(&column.max_value), column.null_count?)),
        Statistics::Boolean(column) => {
            Some((column.min_value.map(Bound::Flag), column.max_value.map(Bound::Flag), column.null_count?))
        }
        Statistics::Int64(column) => {
            Some((column.min_value.map(Bound::Long), column.max_value.map(Bound::Long), column.null_count?))
        }
        Statistics::Double(column) => {
            Some((column.min_value.map(Bound::Float), column.max_value.map(Bound::Float), column.null_count?))
        }
        _ => None,
    }
}

impl Bound {
    /// The value as the log writes it; `None` if it has no such form.
    fn written(self, stored: StoredType) -> Option<Value> {
        Some(match self {
            Self::Text(text) => json!(text),
            Self::Long(micros) if stored == StoredType::Instant => {
                json!(jiff::Timestamp::from_microsecond(micros).ok()?.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
            }
            Self::Long(number) => json!(number),
            Self::Flag(flag) => json!(flag),
            Self::Float(number) if number.is_finite() => json!(number),
            Self::Float(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;
    use crate::lake::rows::sink;

    #[test]
    fn the_log_states_least_and_greatest_values_of_every_column() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let columns = vec![
            ("text", StoredType::Text),
            ("at", StoredType::Instant),
            ("flag", StoredType::Flag),
            ("number", StoredType::Integer),
            ("share", StoredType::Float),
            ("none", StoredType::Text),
        ];
        let layout = Layout { name: "table", columns, parted: false };
        let at = Int64Chunked::from_iter([Some(1_600_000_000_000_001), None, Some(1_500_000_000_000_000)]);
        let at = at.with_name("at".into()).into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        let frame = df!(
            "text" => [Some("Sở"), Some("An"), None],
            "flag" => [Some(true), None, Some(false)],
            "number" => [Some(7_i64), Some(-3), Some(0)],
            "share" => [0.5, 0.25, 1.0],
            "none" => [None::<&str>, None, None],
        )
        .expect("columns of one length")
        .hstack(&[at.into_column()])
        .expect("columns of one length");
        let written = sink(&layout, frame.lazy(), folder.path(), "file", None).expect("writable");
        let statistics = FileStatistics::of(&layout, &written.path, written.rows).expect("readable");
        let expected = json!({
            "numRecords": 3,
            "minValues": {
                "text": "An", "at": "2017-07-14T02:40:00.000000Z", "flag": false, "number": -3, "share": 0.25,
            },
            "maxValues": {
                "text": "Sở", "at": "2020-09-13T12:26:40.000001Z", "flag": true, "number": 7, "share": 1.0,
            },
            "nullCount": { "text": 1, "at": 1, "flag": 1, "number": 0, "share": 0, "none": 3 },
        });
        assert_eq!(serde_json::to_value(&statistics).expect("JSON"), expected);
        // A column that is added later has no value in the file.
        let wider = Layout { columns: [layout.columns.clone(), vec![("new", StoredType::Text)]].concat(), ..layout };
        let stated = expected.to_string();
        assert_eq!(completed(&layout, &stated), None);
        let mut with_new = expected.clone();
        with_new["nullCount"]["new"] = json!(3);
        let found = completed(&wider, &stated).expect("a count is missing");
        assert_eq!(serde_json::from_str::<Value>(&found).expect("JSON"), with_new);
        for none in
            [r#"{"numRecords":3}"#, r#"{"numRecords":3,"nullCount":{}}"#, r#"{"nullCount":{"text":1}}"#, "", &found]
        {
            assert_eq!(completed(&wider, none), None, "{none}");
        }
        // When a file is written that lacks a column, no ranges are stated: readers would take the column for empty.
        let statistics = FileStatistics::of(&wider, &written.path, written.rows).expect("readable");
        assert_eq!(serde_json::to_value(&statistics).expect("JSON"), json!({ "numRecords": 3 }));
    }
}
