//! Maps the rows of a page by the connector's `[map]`. A value that does not fit rejects its row, never the page.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sha2::{Digest, Sha256};

use crate::canonical::conditions::Conditions;
use crate::canonical::far_due_dates::FarDueDates;
use crate::canonical::impossible_orders::{CHANGED_IN_FUTURE, OrderChecks, is_changed_in_future};
use crate::fields::{FieldReader, PageCells, Readers, RowReaders};
use crate::landing::{failed_for, is_withheld};
use crate::model::connector::{Breach, Connector, Contract, FieldMap};
use crate::model::page::{Page, Reason};
use crate::model::record::{Issue, Record, Rejection, Value};
use crate::model::table::{CHANGE_TIME, RecordKind};

/// Compiled mapping of one connector.
#[derive(Debug, Clone)]
pub struct Mapper {
    kind: RecordKind,
    readers: Readers,
    /// The map of rows that state their whole record, and of those that `[partial]` declares.
    whole: RowMap,
    partial: Option<RowMap>,
    /// Indices of the columns that make the key.
    key: Vec<usize>,
    source_key: usize,
    change_time: usize,
    contract: Contract,
    orders: OrderChecks,
    /// Every row states a part of its record.
    has_only_parts: bool,
    /// Microseconds UTC.
    now: i64,
}

/// A map of rows: what its readers mean in the table.
#[derive(Debug, Clone)]
struct RowMap {
    /// Index of each reader's column.
    columns: Vec<usize>,
    far_due_dates: FarDueDates,
    conditions: Conditions,
}

impl RowMap {
    fn new(kind: RecordKind, readers: &[FieldReader], map: &BTreeMap<String, FieldMap>) -> Self {
        let column =
            |reader: &FieldReader| kind.column_index(&reader.column).expect("config checks the mapped columns");
        Self {
            columns: readers.iter().map(column).collect(),
            far_due_dates: FarDueDates::new(kind, readers),
            conditions: Conditions::of(kind, map),
        }
    }
}

/// A row while it is mapped.
struct MappedRow<'p> {
    page: &'p Page,
    index: usize,
    readers: RowReaders<'p>,
    map: &'p RowMap,
    /// It states a part of its record.
    is_part: bool,
}

impl Mapper {
    /// Compiles the mapping of a checked connector. `now` is the moment at which the records were read, microseconds
    /// UTC.
    ///
    /// # Panics
    /// If the connector was not checked by `config`.
    #[must_use]
    pub fn new(connector: &Connector, readers: &Readers, now: i64) -> Self {
        let kind = connector.file.connector.kind;
        let column = |name: &String| kind.column_index(name).expect("config checks the mapped columns");
        let partial = readers.partial.as_ref().zip(connector.file.partial.as_ref());
        Self {
            kind,
            whole: RowMap::new(kind, &readers.readers, &connector.file.map),
            partial: partial.map(|(readers, declared)| RowMap::new(kind, &readers.readers, &declared.map)),
            readers: readers.clone(),
            key: connector.file.identity.key.iter().map(column).collect(),
            source_key: kind.column_index("source_key").expect("every table has a key"),
            change_time: kind.column_index(CHANGE_TIME).expect("every table has the column"),
            contract: connector.file.contract.clone(),
            orders: OrderChecks::of(kind),
            has_only_parts: connector.file.has_only_partial_records(),
            now,
        }
    }

    #[must_use]
    pub fn kind(&self) -> RecordKind {
        self.kind
    }

    /// Checks of dates and counts that a record fails by columns that are not of one row: name and reported column.
    #[must_use]
    pub fn impossible_orders(&self, values: &[Value]) -> Vec<(&'static str, &'static str)> {
        self.orders.failed(values, self.now)
    }

    /// Maps every row of a page, in order.
    #[must_use]
    pub fn map_page(&self, page: &Page) -> Vec<Result<Record, Rejection>> {
        let cells = self.readers.cells(page);
        let row = |index| without_panic(page, index, || self.map_row(&self.row(page, index, &cells)));
        (0..page.len()).map(row).collect()
    }

    fn row<'p>(&'p self, page: &'p Page, index: usize, cells: &'p PageCells) -> MappedRow<'p> {
        let readers = self.readers.of_row(page, index, cells);
        let map = self.partial.as_ref().filter(|_| readers.is_partial).unwrap_or(&self.whole);
        MappedRow { page, index, readers, map, is_part: readers.is_partial || self.has_only_parts }
    }

    fn map_row(&self, mapped: &MappedRow<'_>) -> Result<Record, Rejection> {
        let &MappedRow { page, index, ref readers, map, is_part } = mapped;
        let (row, reason) = page.row(index);
        if let Some(reason) = reason {
            // The list has the record, only its details are missing.
            let key = if reason == Reason::NoDetail { self.readable_key(mapped) } else { None };
            let row_hash = key.as_ref().and_then(|key| mapped.hash(key));
            return Err(Rejection { page: page.number, row, field: None, reason, key, row_hash });
        }
        let reject = |field: &str, reason: Reason| {
            let key = self.readable_key(mapped);
            let row_hash = mapped.hash(key.as_deref().unwrap_or_default());
            Rejection { page: page.number, row, field: Some(field.to_owned()), reason, key, row_hash }
        };
        let mut values = vec![Value::Null; self.kind.columns().len()];
        let mut issues = Vec::new();
        let mut withheld = None;
        for ((reader, cells), &column) in readers.with_cells().zip(&map.columns) {
            let first = reader.first(page, index, cells);
            let (text, value) = first.map_or_else(|| (None, reader.absent()), |first| (Some(first.text), first.value));
            match value {
                Ok(value) => values[column] = value,
                // Landing withheld this text because another field of the row failed; that field gives the reason.
                Err(reason) if text.as_deref().is_some_and(is_withheld) => {
                    withheld.get_or_insert_with(|| reject(&reader.column, reason));
                }
                Err(reason) => {
                    let reason = text.as_deref().and_then(failed_for).unwrap_or(reason);
                    if !reader.is_tolerant() {
                        return Err(reject(&reader.column, reason));
                    }
                    if reader.ill_typed == Breach::Report {
                        issues.push(Issue::IllTyped { field: reader.column.clone(), reason });
                    }
                }
            }
        }
        if let Some(rejection) = withheld {
            return Err(rejection);
        }
        map.conditions.apply(&mut values);
        for (reader, column) in map.far_due_dates.found(&values) {
            let reader = &readers.readers[reader];
            if !reader.is_tolerant() {
                return Err(reject(&reader.column, Reason::OutOfRange));
            }
            values[column] = Value::Null;
            if reader.ill_typed == Breach::Report {
                issues.push(Issue::IllTyped { field: reader.column.clone(), reason: Reason::OutOfRange });
            }
        }
        let changed_at = values[self.change_time].as_instant();
        let is_ahead = changed_at.is_some_and(|at| is_changed_in_future(at, self.now));
        if is_ahead {
            // A part of a record has its place by its change time.
            if is_part {
                return Err(reject(CHANGE_TIME, Reason::ImpossibleOrder));
            }
            values[self.change_time] = Value::Null;
        }
        if self.contract.impossible != Breach::Accept {
            if is_ahead {
                if self.contract.impossible != Breach::Report {
                    return Err(reject(CHANGE_TIME, Reason::ImpossibleOrder));
                }
                issues.push(Issue::Impossible(CHANGED_IN_FUTURE));
            }
            for (order, field) in self.orders.failed(&values, self.now) {
                if self.contract.impossible != Breach::Report {
                    return Err(reject(field, Reason::ImpossibleOrder));
                }
                issues.push(Issue::Impossible(order));
            }
        }
        if self.key != [self.source_key] {
            values[self.source_key] = Value::Text(self.key_of(&values).into());
        }
        let row_hash = if is_part { mapped.hash(&self.stored_key(&values)) } else { None };
        Ok(Record { digest: digest_of(&values), values, page: page.number, row, issues, row_hash })
    }

    /// Key of a rejected row, if its fields can be read.
    fn readable_key(&self, mapped: &MappedRow<'_>) -> Option<String> {
        let mut values = vec![Value::Null; self.kind.columns().len()];
        for ((reader, cells), &column) in mapped.readers.with_cells().zip(&mapped.map.columns) {
            if self.key.contains(&column) {
                values[column] = reader.first(mapped.page, mapped.index, cells)?.value.ok()?;
            }
        }
        if self.key != [self.source_key] {
            values[self.source_key] = Value::Text(self.key_of(&values).into());
        }
        Some(self.stored_key(&values))
    }

    /// Key of a record whose `source_key` is set.
    fn stored_key(&self, values: &[Value]) -> String {
        written(&values[self.source_key])
    }

    /// The values of the key's columns, joined by `|`. Empty ones at the end are left out.
    fn key_of(&self, values: &[Value]) -> String {
        let mut parts: Vec<String> = self.key.iter().map(|&column| written(&values[column])).collect();
        while parts.len() > 1 && parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
        parts.join("|")
    }
}

impl MappedRow<'_> {
    /// Hash of the key and of what the row states, if it states a part of its record. Landing writes the same row as the same
    /// texts each time.
    fn hash(&self, key: &str) -> Option<u64> {
        if !self.is_part {
            return None;
        }
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            digest.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            digest.update(text.as_bytes());
        };
        add(key);
        for (reader, cells) in self.readers.with_cells() {
            for cell in cells.from.iter().chain(&cells.time) {
                if let Some(text) = self.page.cell(self.index, *cell) {
                    add(&reader.column);
                    add(text);
                }
            }
        }
        let whole: [u8; 32] = digest.finalize().into();
        Some(u64::from_be_bytes(whole[..8].try_into().expect("a quarter of 32 bytes")))
    }
}

/// Maps a row; a panic rejects it. The log has the place of the panic.
fn without_panic(
    page: &Page,
    index: usize,
    map_row: impl FnOnce() -> Result<Record, Rejection>,
) -> Result<Record, Rejection> {
    catch_unwind(AssertUnwindSafe(map_row)).unwrap_or_else(|_| {
        let (row, _) = page.row(index);
        Err(Rejection { page: page.number, row, field: None, reason: Reason::OwnError, key: None, row_hash: None })
    })
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => text.to_string(),
        Value::Instant(number) | Value::Integer(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
    }
}

/// First 16 bytes of the SHA-256 of the values. Each value is hashed with its tag and length, so that different rows
/// never give the same bytes.
#[must_use]
pub fn digest_of(values: &[Value]) -> u128 {
    let mut bytes = Vec::with_capacity(512);
    for value in values {
        match value {
            Value::Null => bytes.push(0),
            Value::Text(text) => {
                bytes.push(1);
                bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
            Value::Instant(number) | Value::Integer(number) => {
                bytes.push(2);
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            Value::Flag(flag) => bytes.push(3 + u8::from(*flag)),
        }
    }
    let whole: [u8; 32] = Sha256::digest(&bytes).into();
    u128::from_be_bytes(whole[..16].try_into().expect("half of 32 bytes"))
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
