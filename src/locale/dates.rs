//! Local dates and times, the same in both languages.

use jiff::civil::Date;

use crate::model::instant::local;

/// `dd/MM/yyyy`.
#[must_use]
pub fn date(day: Date) -> String {
    day.strftime("%d/%m/%Y").to_string()
}

/// `dd/MM`.
#[must_use]
pub fn day_and_month(day: Date) -> String {
    day.strftime("%d/%m").to_string()
}

/// `dd/MM/yyyy HH:mm` of a moment in microseconds UTC.
#[must_use]
pub fn moment(micros: i64) -> String {
    local(micros).strftime("%d/%m/%Y %H:%M").to_string()
}

/// As [`moment`]; a dash for `None`.
#[must_use]
pub fn moment_or_dash(micros: Option<i64>) -> String {
    micros.map_or_else(|| "–".to_owned(), moment)
}

/// `HH:mm ngày dd/MM/yyyy`, as official forms write a moment (microseconds UTC).
#[must_use]
pub fn time_on_date(micros: i64) -> String {
    local(micros).strftime("%H:%M ngày %d/%m/%Y").to_string()
}
