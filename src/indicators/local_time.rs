//! Expressions over instants in microseconds UTC, and the days that they fall on in Viet Nam.

use polars::prelude::*;

use crate::model::instant::{DAY_MICROS, VIETNAM_OFFSET_SECS};

/// Vietnam's offset in microseconds.
pub(super) const OFFSET: i64 = VIETNAM_OFFSET_SECS * 1_000_000;

/// An instant column in microseconds UTC.
pub(super) fn micros(name: &str) -> Expr {
    col(name).cast(DataType::Int64)
}

/// The local day of an instant in microseconds, as days since 1970-01-01.
pub(super) fn local_day(instant: Expr) -> Expr {
    (instant + lit(OFFSET)).floor_div(lit(DAY_MICROS)).cast(DataType::Int32)
}
