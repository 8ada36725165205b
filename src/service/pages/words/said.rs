//! Durations, schedules and targets as the pages show them.

use crate::locale::{Language, UnitSpace};
use crate::model::figure::Figure;
use crate::model::indicator::{IndicatorKind, PeriodColumn};

/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;

impl Language {
    /// How long ago, in the largest unit that says it.
    pub(in crate::service::pages) fn ago(self, at: i64, now: i64) -> String {
        let minutes = (now - at).max(0) / MINUTE;
        let (count, vietnamese, english) = match minutes {
            0 => return self.of("vừa xong", "just now").to_owned(),
            1..=119 => (minutes, "phút", "minutes"),
            120..=2879 => (minutes / 60, "giờ", "hours"),
            _ => (minutes / 1440, "ngày", "days"),
        };
        match self {
            Self::Vietnamese => format!("{count} {vietnamese} trước"),
            Self::English if count == 1 => format!("1 {} ago", english.trim_end_matches('s')),
            Self::English => format!("{count} {english} ago"),
        }
    }

    /// How long something took.
    pub(in crate::service::pages) fn took(self, micros: i64) -> String {
        let seconds = micros.max(0) / 1_000_000;
        let (minutes, rest) = (seconds / 60, seconds % 60);
        match (minutes, self) {
            (0, Self::Vietnamese) => format!("{seconds} giây"),
            (0, Self::English) => format!("{seconds} s"),
            (_, Self::Vietnamese) => format!("{minutes} phút {rest} giây"),
            (_, Self::English) => format!("{minutes} min {rest} s"),
        }
    }

    /// When a schedule asks for a run; a cron line that is not once a day stands as it is.
    pub(in crate::service::pages) fn schedule(self, cron: &str) -> String {
        let fields: Vec<&str> = cron.split_whitespace().collect();
        let fields = if fields.len() == 6 { &fields[1..] } else { &fields[..] };
        let number = |text: &str| text.parse::<u8>().ok();
        match fields {
            [minute, hour, "*", "*", "*"] => match (number(minute), number(hour)) {
                (Some(minute), Some(hour)) => format!("{hour:02}:{minute:02} {}", self.of("mỗi ngày", "every day")),
                _ => cron.to_owned(),
            },
            _ => cron.to_owned(),
        }
    }

    pub(in crate::service::pages) fn period_column(self, column: PeriodColumn) -> &'static str {
        match column {
            PeriodColumn::ReceivedAt => self.of("ngày tiếp nhận", "day of reception"),
            PeriodColumn::ReturnedAt => self.of("ngày trả kết quả", "day of return"),
            PeriodColumn::EndedAt => self.of("ngày giải quyết xong", "day of the end"),
            PeriodColumn::Stated => self.of("kỳ ghi trong số liệu", "the period that the source states"),
        }
    }

    pub(in crate::service::pages) fn indicator_kind(self, kind: IndicatorKind) -> &'static str {
        match kind {
            IndicatorKind::Ratio => self.of("Tỷ lệ", "Ratio"),
            IndicatorKind::Count => self.of("Số lượng", "Count"),
            IndicatorKind::Mean => self.of("Trung bình", "Mean"),
            IndicatorKind::Median => self.of("Trung vị", "Median"),
            IndicatorKind::Stock => self.of("Số cuối kỳ", "Stock at the end of the period"),
        }
    }

    /// A number of a kind as it is read beside an axis or in a list.
    pub(in crate::service::pages) fn amount(self, kind: IndicatorKind, amount: f64) -> String {
        if kind == IndicatorKind::Ratio { self.percent(amount, UnitSpace::NonBreaking) } else { self.decimal(amount) }
    }

    pub(in crate::service::pages) fn target(self, figure: &Figure) -> Option<String> {
        Some(format!("≥\u{a0}{}", self.amount(figure.kind, figure.target?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_the_unit_that_fits() {
        assert_eq!(Language::Vietnamese.ago(0, 30_000_000), "vừa xong");
        assert_eq!(Language::Vietnamese.ago(0, 119 * MINUTE), "119 phút trước");
        assert_eq!(Language::Vietnamese.ago(0, 120 * MINUTE), "2 giờ trước");
        assert_eq!(Language::English.ago(0, MINUTE), "1 minute ago");
        assert_eq!(Language::Vietnamese.ago(0, 48 * 60 * MINUTE), "2 ngày trước");
        assert_eq!(Language::Vietnamese.took(64_000_000), "1 phút 4 giây");
    }

    #[test]
    fn a_daily_schedule_is_said_as_an_hour() {
        assert_eq!(Language::Vietnamese.schedule("30 1 * * *"), "01:30 mỗi ngày");
        assert_eq!(Language::English.schedule("0 5 22 * * *"), "22:05 every day");
        assert_eq!(Language::Vietnamese.schedule("0 2 * * 1"), "0 2 * * 1");
    }
}
