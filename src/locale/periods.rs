//! Names of reporting periods.

use crate::locale::{Language, date, day_and_month};
use crate::model::period::{Period, PeriodKind, YearPart};

/// First letter of a period's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initial {
    /// Inside a sentence or a table cell of the command line: `tháng 3/2026`.
    Lower,
    /// At the start of a label: `Tháng 3/2026`.
    Upper,
}

impl Language {
    /// Name of a period: `Tháng 3/2026`, `Quý 1/2026 (15/12–14/03)`, `05/03/2026–10/04/2026`.
    #[must_use]
    pub fn period(self, period: Period, initial: Initial) -> String {
        let name = match (period.span(), period) {
            (Some((year, span, false)), _) => self.span(year, span),
            (Some((year, span, true)), _) => {
                let (from, to) = (day_and_month(period.start()), day_and_month(period.end()));
                format!("{} ({from}–{to})", self.span(year, span))
            }
            (None, Period::Week { year, week }) => format!("{} {week}/{year}", self.of("tuần", "week")),
            (None, Period::Day(day)) => date(day),
            (None, _) => format!("{}–{}", date(period.start()), date(period.end())),
        };
        match initial {
            Initial::Lower => name,
            Initial::Upper => with_capital(&name),
        }
    }

    fn span(self, year: i16, span: YearPart) -> String {
        match (self, span) {
            (Self::Vietnamese, YearPart::Month(month)) => format!("tháng {month}/{year}"),
            (Self::Vietnamese, YearPart::Quarter(quarter)) => format!("quý {quarter}/{year}"),
            (Self::Vietnamese, YearPart::HalfYear(1)) => format!("6 tháng đầu năm {year}"),
            (Self::Vietnamese, YearPart::HalfYear(_)) => format!("6 tháng cuối năm {year}"),
            (Self::Vietnamese, YearPart::NineMonths) => format!("9 tháng năm {year}"),
            (Self::Vietnamese, YearPart::Year) => format!("năm {year}"),
            (Self::English, YearPart::Month(month)) => format!("month {month}/{year}"),
            (Self::English, YearPart::Quarter(quarter)) => format!("quarter {quarter}/{year}"),
            (Self::English, YearPart::HalfYear(half)) => format!("half {half}/{year}"),
            (Self::English, YearPart::NineMonths) => format!("nine months of {year}"),
            (Self::English, YearPart::Year) => format!("year {year}"),
        }
    }

    /// Name of a kind of period, as a heading over periods of that kind.
    #[must_use]
    pub fn period_kind(self, kind: PeriodKind) -> &'static str {
        match kind {
            PeriodKind::Month => self.of("Tháng", "Months"),
            PeriodKind::Quarter => self.of("Quý", "Quarters"),
            PeriodKind::HalfYear => self.of("6 tháng", "Half-years"),
            PeriodKind::NineMonths => self.of("9 tháng", "Nine months"),
            PeriodKind::Year => self.of("Năm", "Years"),
            PeriodKind::StatutoryMonth => self.of("Tháng, chốt ngày 14", "Months from 15th to 14th"),
            PeriodKind::StatutoryQuarter => self.of("Quý, chốt ngày 14", "Quarters from 15th to 14th"),
            PeriodKind::StatutoryHalfYear => self.of("6 tháng, chốt ngày 14", "Half-years from 15th to 14th"),
            PeriodKind::StatutoryNineMonths => self.of("9 tháng, chốt ngày 14", "Nine months from 15th to 14th"),
            PeriodKind::StatutoryYear => self.of("Năm, chốt ngày 14", "Years from 15th to 14th"),
            PeriodKind::Week => self.of("Tuần", "Weeks"),
            PeriodKind::Day => self.of("Ngày", "Days"),
            PeriodKind::Range => self.of("Khoảng ngày", "Ranges"),
        }
    }
}

/// Short name for the axis of a chart, in both languages: `3/26`, `Q1/26`, `7–12/26`, `2026`. Weeks, days and ranges
/// keep their code.
#[must_use]
pub fn period_short(period: Period) -> String {
    let Some((year, span, _)) = period.span() else { return period.to_string() };
    let short = year.rem_euclid(100);
    match span {
        YearPart::Month(month) => format!("{month}/{short:02}"),
        YearPart::Quarter(quarter) => format!("Q{quarter}/{short:02}"),
        YearPart::HalfYear(1) => format!("1–6/{short:02}"),
        YearPart::HalfYear(_) => format!("7–12/{short:02}"),
        YearPart::NineMonths => format!("1–9/{short:02}"),
        YearPart::Year => year.to_string(),
    }
}

fn with_capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn periods_have_names_in_both_languages() {
        use Initial::{Lower, Upper};
        use Language::{English, Vietnamese};
        let statutory = Period::Statutory { year: 2026, span: YearPart::Quarter(1) };
        for (period, language, initial, expected) in [
            (Period::Month { year: 2026, month: 3 }, Vietnamese, Lower, "tháng 3/2026"),
            (Period::Month { year: 2026, month: 3 }, English, Upper, "Month 3/2026"),
            (Period::HalfYear { year: 2026, half: 2 }, Vietnamese, Upper, "6 tháng cuối năm 2026"),
            (Period::HalfYear { year: 2026, half: 2 }, English, Upper, "Half 2/2026"),
            (statutory, Vietnamese, Upper, "Quý 1/2026 (15/12–14/03)"),
            (Period::Week { year: 2026, week: 5 }, Vietnamese, Lower, "tuần 5/2026"),
            (Period::Day(date(2026, 3, 5)), Vietnamese, Upper, "05/03/2026"),
            (Period::Range { from: date(2026, 3, 5), to: date(2026, 4, 10) }, English, Lower, "05/03/2026–10/04/2026"),
        ] {
            assert_eq!(language.period(period, initial), expected);
        }
        assert_eq!(period_short(statutory), "Q1/26");
        assert_eq!(period_short(Period::Week { year: 2026, week: 5 }), "2026-W05");
    }
}
