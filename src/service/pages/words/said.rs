//! Numbers, moments, periods and figures as people of each language write them.

use jiff::civil::Date;

use crate::model::figure::Figure;
use crate::model::indicator::{IndicatorKind, PeriodColumn};
use crate::model::instant::local;
use crate::model::period::{Period, PeriodKind, Span};
use crate::service::pages::words::Lang;

/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;

/// `dd/MM/yyyy HH:mm` in Vietnam, in both languages.
pub(in crate::service::pages) fn moment(micros: i64) -> String {
    local(micros).strftime("%d/%m/%Y %H:%M").to_string()
}

pub(in crate::service::pages) fn moment_or_dash(micros: Option<i64>) -> String {
    micros.map_or_else(|| "–".to_owned(), moment)
}

/// As it stands below an axis.
pub(in crate::service::pages) fn period_short(period: Period) -> String {
    let (year, part) = match period {
        Period::Month { year, month } => (year, Span::Month(month)),
        Period::Quarter { year, quarter } => (year, Span::Quarter(quarter)),
        Period::HalfYear { year, half } => (year, Span::HalfYear(half)),
        Period::NineMonths { year } => (year, Span::NineMonths),
        Period::Year { year } => (year, Span::Year),
        Period::Statutory { year, span } => (year, span),
        Period::Week { .. } | Period::Day(_) | Period::Range { .. } => return period.to_string(),
    };
    let short = year.rem_euclid(100);
    match part {
        Span::Month(month) => format!("{month}/{short:02}"),
        Span::Quarter(quarter) => format!("Q{quarter}/{short:02}"),
        Span::HalfYear(1) => format!("1–6/{short:02}"),
        Span::HalfYear(_) => format!("7–12/{short:02}"),
        Span::NineMonths => format!("1–9/{short:02}"),
        Span::Year => year.to_string(),
    }
}

impl Lang {
    /// `98,76 %`; `98.76%` in English.
    pub(in crate::service::pages) fn percent(self, share: f64) -> String {
        let digits = format!("{:.2}", share * 100.0);
        match self {
            // A space that does not break.
            Self::Vi => format!("{}\u{a0}%", digits.replace('.', ",")),
            Self::En => format!("{digits}%"),
        }
    }

    /// Two decimals; whole numbers without.
    pub(in crate::service::pages) fn decimal(self, number: f64) -> String {
        let digits = if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.2}") };
        if self == Self::Vi { digits.replace('.', ",") } else { digits }
    }

    /// `12.345`; `12,345` in English.
    pub(in crate::service::pages) fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(if self == Self::Vi { '.' } else { ',' });
            }
            grouped.push(digit);
        }
        grouped
    }

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
            Self::Vi => format!("{count} {vietnamese} trước"),
            Self::En if count == 1 => format!("1 {} ago", english.trim_end_matches('s')),
            Self::En => format!("{count} {english} ago"),
        }
    }

    /// How long something took.
    pub(in crate::service::pages) fn took(self, micros: i64) -> String {
        let seconds = micros.max(0) / 1_000_000;
        let (minutes, rest) = (seconds / 60, seconds % 60);
        match (minutes, self) {
            (0, Self::Vi) => format!("{seconds} giây"),
            (0, Self::En) => format!("{seconds} s"),
            (_, Self::Vi) => format!("{minutes} phút {rest} giây"),
            (_, Self::En) => format!("{minutes} min {rest} s"),
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

    pub(in crate::service::pages) fn period(self, period: Period) -> String {
        let day = |day: Date| day.strftime("%d/%m/%Y").to_string();
        match period {
            Period::Month { year, month } => self.span(year, Span::Month(month)),
            Period::Quarter { year, quarter } => self.span(year, Span::Quarter(quarter)),
            Period::HalfYear { year, half } => self.span(year, Span::HalfYear(half)),
            Period::NineMonths { year } => self.span(year, Span::NineMonths),
            Period::Year { year } => self.span(year, Span::Year),
            Period::Statutory { year, span } => {
                let (from, to) = (period.start().strftime("%d/%m"), period.end().strftime("%d/%m"));
                format!("{} ({from}–{to})", self.span(year, span))
            }
            Period::Week { year, week } => format!("{} {week}/{year}", self.of("Tuần", "Week")),
            Period::Day(date) => day(date),
            Period::Range { from, to } => format!("{}–{}", day(from), day(to)),
        }
    }

    fn span(self, year: i16, span: Span) -> String {
        match (self, span) {
            (Self::Vi, Span::Month(month)) => format!("Tháng {month}/{year}"),
            (Self::Vi, Span::Quarter(quarter)) => format!("Quý {quarter}/{year}"),
            (Self::Vi, Span::HalfYear(1)) => format!("6 tháng đầu năm {year}"),
            (Self::Vi, Span::HalfYear(_)) => format!("6 tháng cuối năm {year}"),
            (Self::Vi, Span::NineMonths) => format!("9 tháng năm {year}"),
            (Self::Vi, Span::Year) => format!("Năm {year}"),
            (Self::En, Span::Month(month)) => format!("Month {month}/{year}"),
            (Self::En, Span::Quarter(quarter)) => format!("Quarter {quarter}/{year}"),
            (Self::En, Span::HalfYear(half)) => format!("Half {half}/{year}"),
            (Self::En, Span::NineMonths) => format!("Nine months of {year}"),
            (Self::En, Span::Year) => format!("Year {year}"),
        }
    }

    pub(in crate::service::pages) fn period_kind(self, kind: PeriodKind) -> &'static str {
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

    /// The counts that stand behind a figure.
    pub(in crate::service::pages) fn counts(self, figure: &Figure) -> String {
        let (hours, dossiers) = (self.of("giờ", "h"), self.of("hồ sơ", "dossiers"));
        match (figure.kind, figure.denominator) {
            (IndicatorKind::Mean, Some(whole)) => {
                format!("{} {hours} / {} {dossiers}", self.number(figure.numerator), self.number(whole))
            }
            (IndicatorKind::Median, Some(whole)) => format!("{} {dossiers}", self.number(whole)),
            (_, Some(whole)) => format!("{} / {}", self.number(figure.numerator), self.number(whole)),
            (_, None) => String::new(),
        }
    }

    /// Ratio, count or amount; "không phát sinh" of nothing.
    pub(in crate::service::pages) fn value(self, figure: &Figure) -> String {
        match (figure.kind, figure.value()) {
            (_, None) => self.words().no_value.to_owned(),
            (IndicatorKind::Ratio, Some(share)) => self.percent(share),
            (IndicatorKind::Count | IndicatorKind::Stock, _) => self.number(figure.numerator),
            (IndicatorKind::Mean | IndicatorKind::Median, Some(amount)) => {
                format!("{}\u{a0}{}", self.decimal(amount), self.of("giờ làm việc", "working hours"))
            }
        }
    }

    /// A number of a kind as it is read beside an axis or in a list.
    pub(in crate::service::pages) fn amount(self, kind: IndicatorKind, amount: f64) -> String {
        if kind == IndicatorKind::Ratio { self.percent(amount) } else { self.decimal(amount) }
    }

    pub(in crate::service::pages) fn target(self, figure: &Figure) -> Option<String> {
        Some(format!("≥\u{a0}{}", self.amount(figure.kind, figure.target?)))
    }

    /// Whose figure it is.
    pub(in crate::service::pages) fn whose(self, figure: &Figure, province: &str) -> String {
        match (&figure.agency, figure.tier) {
            (Some(code), _) => figure.agency_name.as_ref().unwrap_or(code).to_string(),
            (None, Some(tier)) => self.tier(tier).to_owned(),
            (None, None) => format!("{} {province}", self.of("Toàn tỉnh", "Province of")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_writes_numbers_its_own_way() {
        assert_eq!((Lang::Vi.percent(0.9876), Lang::En.percent(0.9876)), ("98,76\u{a0}%".into(), "98.76%".into()));
        assert_eq!((Lang::Vi.number(1_234_567), Lang::En.number(999)), ("1.234.567".into(), "999".into()));
        assert_eq!((Lang::Vi.decimal(3.5), Lang::En.decimal(12.0)), ("3,50".into(), "12".into()));
    }

    #[test]
    fn times_are_said_in_the_unit_that_fits() {
        assert_eq!(Lang::Vi.ago(0, 30_000_000), "vừa xong");
        assert_eq!(Lang::Vi.ago(0, 119 * MINUTE), "119 phút trước");
        assert_eq!(Lang::Vi.ago(0, 120 * MINUTE), "2 giờ trước");
        assert_eq!(Lang::En.ago(0, MINUTE), "1 minute ago");
        assert_eq!(Lang::Vi.ago(0, 48 * 60 * MINUTE), "2 ngày trước");
        assert_eq!(Lang::Vi.took(64_000_000), "1 phút 4 giây");
    }

    #[test]
    fn a_daily_schedule_is_said_as_an_hour() {
        assert_eq!(Lang::Vi.schedule("30 1 * * *"), "01:30 mỗi ngày");
        assert_eq!(Lang::En.schedule("0 5 22 * * *"), "22:05 every day");
        assert_eq!(Lang::Vi.schedule("0 2 * * 1"), "0 2 * * 1");
    }
}
