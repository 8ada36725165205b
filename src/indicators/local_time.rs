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

/// Whether an instant is midnight in Viet Nam, which is how a date without a time of day is stored.
pub(super) fn is_date(instant: Expr) -> Expr {
    ((instant + lit(OFFSET)) % lit(DAY_MICROS)).eq(lit(0_i64))
}

/// Whether an instant lies before the reception. An instant at midnight is a date, and lies before the reception only if
/// its day does.
pub(super) fn is_before_reception(instant: Expr) -> Expr {
    let received = micros("received_at");
    let is_of_the_day = is_date(instant.clone()).and(local_day(instant.clone()).eq(local_day(received.clone())));
    instant.lt(received).and(is_of_the_day.not()).fill_null(lit(false))
}
