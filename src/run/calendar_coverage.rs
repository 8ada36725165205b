//! Whether the working calendar covers the years of the data: without the holidays of a year, statutory times in it are
//! computed as if it had none.

use std::collections::BTreeSet;

use crate::calendar::FIRST_DAY;
use crate::config::{Configuration, Problems};
use crate::lake::Lake;
use crate::model::day::CalendarDay;
use crate::model::instant;
use crate::model::table::RecordKind;
use crate::run::error::RunError;

/// The mistake that the calendar has no day of some year in which a stored dossier was received, or of the year of
/// `now` (microseconds UTC). `None` if there is no mistake, or no calendar.
///
/// # Errors
/// A table that cannot be read.
pub async fn calendar_mistake(config: &Configuration, now: i64) -> Result<Option<Problems>, RunError> {
    let Some(file) = &config.settings.calendar else { return Ok(None) };
    let parts = Lake::parts(&config.settings.data.join("lake"), RecordKind::Dossiers).await?;
    let years = years_without_days(&config.registries.calendar, &parts, instant::local(now).year());
    if years.is_empty() {
        return Ok(None);
    }
    let message = format!(
        "the calendar has no day of {}: write the public holidays and exchanged days of each year that has dossiers",
        texts_of(&years)
    );
    Ok(Some(Problems::of(file, "date", message)))
}

/// Logs a warning if the calendar does not cover the years of the stored dossiers.
pub(super) async fn warn_of_uncovered_years(
    config: &Configuration,
    lake: &Lake,
    run: i64,
    now: i64,
) -> Result<(), RunError> {
    if config.settings.calendar.is_some() {
        let parts = Lake::parts(lake.root(), RecordKind::Dossiers).await?;
        let years = years_without_days(&config.registries.calendar, &parts, instant::local(now).year());
        if !years.is_empty() {
            tracing::warn!(
                run,
                years = texts_of(&years),
                "the working calendar has no day of years that have dossiers"
            );
        }
    }
    Ok(())
}

/// The year of today and the years of `parts` (`yyyy-MM`) from 1990 to today that the calendar has no day of.
fn years_without_days(calendar: &[CalendarDay], parts: &BTreeSet<String>, today: i16) -> BTreeSet<i16> {
    let covered: BTreeSet<i16> = calendar.iter().map(|day| day.date.year()).collect();
    let of_data = parts.iter().filter_map(|part| part.split('-').next()?.parse::<i16>().ok());
    let counted = of_data.filter(|year| (FIRST_DAY.year()..=today).contains(year)).chain([today]);
    counted.filter(|year| !covered.contains(year)).collect()
}

fn texts_of(years: &BTreeSet<i16>) -> String {
    years.iter().map(i16::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::model::day::DayKind;

    #[test]
    fn every_year_with_dossiers_and_this_year_need_a_day() {
        let calendar: Vec<CalendarDay> = [date(2024, 1, 1), date(2025, 1, 1), date(2026, 1, 1)]
            .map(|date| CalendarDay { date, kind: DayKind::Holiday })
            .to_vec();
        let parts = |texts: &[&str]| texts.iter().map(|&part| part.to_owned()).collect();
        for (texts, today, expected) in [
            (&["2024-03", "2026-11"][..], 2026, vec![]),
            (&["2023-12", "2021-01", "2024-01"], 2026, vec![2021, 2023]),
            (&[], 2027, vec![2027]),
            // Dates before 1990 and after today are mistakes of sources.
            (&["1900-01", "2031-01", "?"], 2026, vec![]),
        ] {
            let found: Vec<i16> = years_without_days(&calendar, &parts(texts), today).into_iter().collect();
            assert_eq!(found, expected, "{texts:?} {today}");
        }
    }
}
