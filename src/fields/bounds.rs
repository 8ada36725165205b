//! Least and greatest values of a field: `least` and `most` of `[map.COLUMN]`.

use jiff::civil::{Date, date};

use crate::model::connector::{Bound, FieldMap, FieldType};
use crate::model::instant::{DAY_MICROS, from_local};
use crate::model::page::Reason;

/// First and last day of every instant. A year before or after is a typing error, a date of another calendar, such as 2569
/// for 2026 in the Buddhist one, or a number of seconds that was taken for milliseconds. Periods begin in 1990, too.
const FIRST_DAY: Date = date(1990, 1, 1);
const LAST_DAY: Date = date(2200, 12, 31);

/// Bounds of a field, both inclusive: microseconds UTC, or whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    least: i64,
    most: i64,
}

impl Bounds {
    /// Compiles `least` and `most`.
    ///
    /// # Errors
    /// The key that is wrong, and the reason.
    pub(super) fn compile(map: &FieldMap) -> Result<Self, (&'static str, String)> {
        let [least, most] = [("least", &map.least), ("most", &map.most)];
        let bounds = match map.field_type {
            FieldType::Instant => Self {
                least: from_local(day_of(least)?.unwrap_or(FIRST_DAY).into()),
                most: from_local(day_of(most)?.unwrap_or(LAST_DAY).into()) + DAY_MICROS - 1,
            },
            FieldType::Integer => {
                Self { least: number_of(least)?.unwrap_or(i64::MIN), most: number_of(most)?.unwrap_or(i64::MAX) }
            }
            _ => match [least, most].into_iter().find(|(_, bound)| bound.is_some()) {
                Some((key, _)) => return Err((key, "only `instant` and `integer` fields have bounds".to_owned())),
                None => Self { least: i64::MIN, most: i64::MAX },
            },
        };
        if bounds.least > bounds.most {
            return Err(("most", "must not be below `least`".to_owned()));
        }
        Ok(bounds)
    }

    /// # Errors
    /// [`Reason::OutOfRange`] if the value is outside.
    pub(super) fn check(self, value: i64) -> Result<i64, Reason> {
        if self.least <= value && value <= self.most { Ok(value) } else { Err(Reason::OutOfRange) }
    }
}

/// Key of `[map.COLUMN]`, and its value.
type KeyedBound<'a> = (&'static str, &'a Option<Bound>);

fn day_of((key, bound): KeyedBound<'_>) -> Result<Option<Date>, (&'static str, String)> {
    let Some(bound) = bound else { return Ok(None) };
    let day = match bound {
        Bound::Day(text) => text.parse::<Date>().ok().filter(|_| text.len() == 10),
        Bound::Number(_) => None,
    };
    match day {
        Some(day) if (FIRST_DAY..=LAST_DAY).contains(&day) => Ok(Some(day)),
        Some(_) => Err((key, format!("must lie between {FIRST_DAY} and {LAST_DAY}"))),
        None => Err((key, "must be a date (yyyy-MM-dd) for an `instant`".to_owned())),
    }
}

fn number_of((key, bound): KeyedBound<'_>) -> Result<Option<i64>, (&'static str, String)> {
    match bound {
        None => Ok(None),
        Some(Bound::Number(number)) => Ok(Some(*number)),
        Some(Bound::Day(_)) => Err((key, "must be a whole number for an `integer`".to_owned())),
    }
}
