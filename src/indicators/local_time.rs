//! Expressions over instants in microseconds UTC, and the local days that they fall on.

use polars::prelude::*;

use crate::model::instant::{DAY_MICROS, offset_micros};

/// An instant column in microseconds UTC.
pub(super) fn micros(name: &str) -> Expr {
    col(name).cast(DataType::Int64)
}

/// The local day of an instant in microseconds, as days since 1970-01-01.
pub(super) fn local_day(instant: Expr) -> Expr {
    (instant + lit(offset_micros())).floor_div(lit(DAY_MICROS)).cast(DataType::Int32)
}
