//! Building columns from the values of records.

use polars::prelude::*;

use super::layout::StoredType;
use crate::model::record::Value;

/// Collects the cells of one column.
pub(super) enum ColumnBuilder {
    Text(StringChunkedBuilder),
    /// An integer or an instant.
    Long(PrimitiveChunkedBuilder<Int64Type>, StoredType),
    Flag(BooleanChunkedBuilder),
    /// For figures only: records have no floats.
    Float(PrimitiveChunkedBuilder<Float64Type>),
}

impl StoredType {
    /// Whether a column of this type can hold `value`.
    pub(super) fn accepts(self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Text(_) => self == Self::Text,
            Value::Instant(_) => self == Self::Instant,
            Value::Flag(_) => self == Self::Flag,
            Value::Integer(_) => self == Self::Integer,
        }
    }
}

impl ColumnBuilder {
    pub(super) fn new(name: &'static str, stored: StoredType) -> Self {
        let name = PlSmallStr::from_static(name);
        match stored {
            StoredType::Text => Self::Text(StringChunkedBuilder::new(name, 0)),
            StoredType::Instant | StoredType::Integer => Self::Long(PrimitiveChunkedBuilder::new(name, 0), stored),
            StoredType::Flag => Self::Flag(BooleanChunkedBuilder::new(name, 0)),
            StoredType::Float => Self::Float(PrimitiveChunkedBuilder::new(name, 0)),
        }
    }

    /// Appends a value that the column's type accepts ([`StoredType::accepts`]).
    pub(super) fn push(&mut self, value: &Value) {
        match (self, value) {
            (Self::Text(cells), Value::Text(text)) => cells.append_value(text),
            (Self::Long(cells, _), Value::Instant(long) | Value::Integer(long)) => cells.append_value(*long),
            (Self::Flag(cells), Value::Flag(flag)) => cells.append_value(*flag),
            (Self::Text(cells), _) => cells.append_null(),
            (Self::Long(cells, _), _) => cells.append_null(),
            (Self::Flag(cells), _) => cells.append_null(),
            (Self::Float(cells), _) => cells.append_null(),
        }
    }

    pub(super) fn push_text(&mut self, text: &str) {
        if let Self::Text(cells) = self {
            cells.append_value(text);
        }
    }

    pub(super) fn push_long(&mut self, long: i64) {
        if let Self::Long(cells, _) = self {
            cells.append_value(long);
        }
    }

    pub(super) fn finish(self) -> Column {
        match self {
            Self::Text(cells) => cells.finish().into_column(),
            Self::Long(cells, StoredType::Instant) => {
                cells.finish().into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
            }
            Self::Long(cells, _) => cells.finish().into_column(),
            Self::Flag(cells) => cells.finish().into_column(),
            Self::Float(cells) => cells.finish().into_column(),
        }
    }
}
