//! The columns of a table, with their Delta and Polars types.
//!
//! In Delta, a text is `string`, an instant `timestamp` (microseconds, UTC), a flag `boolean`, an integer `long`, a
//! float `double`. Every column is nullable, so that columns can be added to tables that hold rows.

use std::sync::Arc;

use deltalake_core::kernel::{DataType as DeltaType, StructField};
use polars::prelude::{DataType, PlSmallStr, Schema, SchemaRef, TimeUnit, TimeZone};

use crate::model::table::{ColumnType, PROVENANCE, RecordKind};

/// The partition column of an image.
pub(super) const PART: &str = "part";

/// Type of a stored column. Records have no floats; figures do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredType {
    Text,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Instant,
    Flag,
    Integer,
    Float,
}

impl From<ColumnType> for StoredType {
    fn from(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Text => Self::Text,
            ColumnType::Instant => Self::Instant,
            ColumnType::Flag => Self::Flag,
            ColumnType::Integer => Self::Integer,
        }
    }
}

impl StoredType {
    fn delta(self) -> DeltaType {
        match self {
            Self::Text => DeltaType::STRING,
            Self::Instant => DeltaType::TIMESTAMP,
            Self::Flag => DeltaType::BOOLEAN,
            Self::Integer => DeltaType::LONG,
            Self::Float => DeltaType::DOUBLE,
        }
    }

    /// The Polars type of a column of this type.
    #[must_use]
    pub fn polars(self) -> DataType {
        match self {
            Self::Text => DataType::String,
            Self::Instant => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            Self::Flag => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
        }
    }
}

/// Name of a table, its columns in stored order, and whether it is partitioned by [`PART`].
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) name: &'static str,
    pub(super) columns: Vec<(&'static str, StoredType)>,
    pub(super) parted: bool,
}

impl Layout {
    pub(super) fn versions(kind: RecordKind) -> Self {
        Self { name: kind.versions_name(), columns: record_columns(kind), parted: false }
    }

    pub(super) fn image(kind: RecordKind) -> Self {
        let derived = kind.derived_columns().iter().map(|(name, column_type)| (*name, (*column_type).into()));
        let columns = record_columns(kind).into_iter().chain(derived).collect();
        Self { name: kind.image_name(), columns, parted: true }
    }

    /// Whether the table has a column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|(name, _)| *name == column)
    }

    pub(super) fn fields(&self) -> Vec<StructField> {
        self.columns.iter().map(|(name, stored)| StructField::nullable(*name, stored.delta())).collect()
    }

    /// The columns of a data file: all but the partition column, which is in the file's path and in the log.
    pub(super) fn file_schema(&self) -> SchemaRef {
        self.schema(|name| !(self.parted && name == PART))
    }

    /// The columns of a scan.
    pub(super) fn scan_schema(&self) -> SchemaRef {
        self.schema(|_| true)
    }

    fn schema(&self, keep: impl Fn(&str) -> bool) -> SchemaRef {
        let kept = self.columns.iter().filter(|(name, _)| keep(name));
        Arc::new(kept.map(|(name, stored)| (PlSmallStr::from_static(name), stored.polars())).collect::<Schema>())
    }
}

fn record_columns(kind: RecordKind) -> Vec<(&'static str, StoredType)> {
    let own = kind.columns().iter().map(|column| (column.name, column.column_type));
    own.chain(PROVENANCE.iter().copied()).map(|(name, column_type)| (name, column_type.into())).collect()
}
