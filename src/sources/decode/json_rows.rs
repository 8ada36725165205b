//! Reads records that are lists of values, with the names of their columns in a list of their own or in the first row:
//! `{"columns": ["ma", "ngay"], "data": [["HS-1", "05/01/2026"]]}`.

use std::fmt::Write as _;

use serde_json::value::RawValue;

use crate::model::page::{Page, Reason};
use crate::sources::decode::json_envelope::ListSeen;
use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::json_scalar::scalar;
use crate::sources::record_reader::RecordReader;

/// Adds the rows to the page. `records`, `columns`: their JSON, `None` if the response has none. `column_key`: key of a
/// column's name, if columns are objects.
///
/// # Errors
/// `page_too_long`, `no_records` if the names of the columns cannot be read.
pub(super) fn read(
    [records, columns]: [Option<String>; 2],
    column_key: Option<&str>,
    reader: &RecordReader,
    most: u32,
    page: &mut Page,
) -> Result<ListSeen, SourceError> {
    let Some(records) = records else { return Ok(ListSeen::Absent) };
    if records == "null" {
        return Ok(ListSeen::Null);
    }
    let Ok(rows) = serde_json::from_str::<Vec<&RawValue>>(&records) else { return Ok(ListSeen::Absent) };
    let mut rows = (1_u32..).zip(rows);
    let header = match &columns {
        Some(columns) => Some(columns.as_str()),
        None => rows.next().map(|(_, row)| row.get()),
    };
    let Some(header) = header else { return Ok(ListSeen::Found) };
    let keys = names(header, column_key).ok_or_else(|| {
        SourceError::new(ErrorKind::NoRecords, "the names of the columns are no list of texts: see `decode.columns`")
    })?;
    for (number, row) in rows {
        if page.len() >= most as usize {
            return Err(SourceError::too_many_records(most as usize));
        }
        let Ok(values) = serde_json::from_str::<Vec<&RawValue>>(row.get()) else {
            page.begin_row(number);
            page.mark_unreadable(Reason::Malformed);
            continue;
        };
        if values.len() != keys.len() {
            page.begin_row(number);
            page.mark_unreadable(Reason::WrongColumnCount);
            continue;
        }
        let mut record = String::from("{");
        for (key, value) in keys.iter().zip(values) {
            let comma = if record.len() > 1 { "," } else { "" };
            let _ = write!(record, "{comma}{key}:{value}");
        }
        record.push('}');
        let mut record = serde_json::Deserializer::from_str(&record);
        if reader.read(page, number, (&mut record, None), most as usize).is_err() {
            if page.len() > most as usize {
                return Err(SourceError::too_many_records(most as usize));
            }
            page.mark_unreadable(Reason::Malformed);
        }
    }
    Ok(ListSeen::Found)
}

/// The names of the columns as JSON texts.
fn names(header: &str, column_key: Option<&str>) -> Option<Vec<String>> {
    let columns: Vec<serde_json::Value> = serde_json::from_str(header).ok()?;
    let name = |column: serde_json::Value| {
        let name = column_key.map_or(&column, |key| &column[key]);
        scalar(&name.to_string()).ok().flatten().map(|text| serde_json::Value::from(text.into_owned()).to_string())
    };
    columns.into_iter().map(name).collect()
}
