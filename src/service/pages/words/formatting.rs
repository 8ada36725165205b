//! Values that only the pages show: ages, durations, schedules, positions of rows, targets.

use crate::locale::{Language, UnitSpace};
use crate::model::figure::Figure;
use crate::model::indicator::{IndicatorKind, PeriodColumn};

/// Microseconds in a minute.
const MINUTE: i64 = 60_000_000;

impl Language {
    /// Age of `at`, in minutes below two hours, in hours below two days, else in days. Microseconds UTC.
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

    /// Duration of `micros` microseconds, in minutes and seconds.
    pub(in crate::service::pages) fn duration(self, micros: i64) -> String {
        let seconds = micros.max(0) / 1_000_000;
        let (minutes, rest) = (seconds / 60, seconds % 60);
        match (minutes, self) {
            (0, Self::Vietnamese) => format!("{seconds} giây"),
            (0, Self::English) => format!("{seconds} s"),
            (_, Self::Vietnamese) => format!("{minutes} phút {rest} giây"),
            (_, Self::English) => format!("{minutes} min {rest} s"),
        }
    }

    /// Time of a daily schedule, for example `01:30 every day`; other cron lines stay as they are.
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

    /// Dossiers of a connector that count with their row in another source.
    pub(in crate::service::pages) fn elsewhere(self, dossiers: u64) -> String {
        let number = self.number(dossiers);
        match self {
            Self::Vietnamese => format!("{number} hồ sơ đã có ở nguồn khác và được tính theo nguồn đó."),
            Self::English => format!("{number} dossiers are in another source too, and count there."),
        }
    }

    /// Dossiers of a connector that share codes with too many others.
    pub(in crate::service::pages) fn not_merged(self, dossiers: u64) -> String {
        let number = self.number(dossiers);
        match self {
            Self::Vietnamese => format!(
                "{number} hồ sơ có chung mã với quá nhiều hồ sơ khác nên không gộp, mỗi hồ sơ được tính riêng: cần sửa mã ở nguồn."
            ),
            Self::English => format!(
                "{number} dossiers share codes with too many others, so each counts: correct the codes in the source."
            ),
        }
    }

    /// Rows that the last night marked as deleted.
    pub(in crate::service::pages) fn deleted(self, rows: u64) -> String {
        let number = self.number(rows);
        match self {
            Self::Vietnamese => format!("Lượt gần nhất: {number} dòng được đánh dấu đã xóa vì nguồn không còn."),
            Self::English => {
                format!("Last night: marked as deleted, because the source no longer has them: {}.", self.rows(rows))
            }
        }
    }

    /// Rows that one file no longer has and that have the values of another.
    pub(in crate::service::pages) fn restored(self, rows: u64) -> String {
        let number = self.number(rows);
        match self {
            Self::Vietnamese => format!("Lượt gần nhất: {number} dòng không còn trong một tệp nên lấy theo tệp khác."),
            Self::English => {
                format!("Last night: gone from one file, with the values of another: {}.", self.rows(rows))
            }
        }
    }

    /// Rows that the source no longer has and that were not deleted.
    pub(in crate::service::pages) fn not_deleted(self, rows: u64) -> String {
        let number = self.number(rows);
        match self {
            Self::Vietnamese => {
                format!("Lượt gần nhất: nguồn không còn {number} dòng, nhưng chưa dòng nào bị xóa và vẫn được tính.")
            }
            Self::English => {
                format!("Last night: the source no longer has {}, but none was deleted: they count.", self.rows(rows))
            }
        }
    }

    /// Position of a row: its file if it came from one, else its page. The number of the row is that of the file.
    pub(in crate::service::pages) fn place(self, file: Option<&str>, page: u32, row: u32) -> String {
        match file {
            Some(file) => format!("{file}, {} {row}", self.of("dòng", "row")),
            None => self.page_and_row(page, row),
        }
    }

    /// Rejected rows that are open, and how many rows the last pull rejected; `None` if none is open.
    pub(in crate::service::pages) fn rejected(self, open: u64, rejected: u64, received: u64) -> Option<String> {
        if open == 0 {
            return None;
        }
        let [open_text, rejected_text, received_text] = [open, rejected, received].map(|count| self.number(count));
        let of_last = match (self, rejected) {
            (_, 0) => String::new(),
            (Self::Vietnamese, _) => format!(" (lần đọc gần nhất: {rejected_text} trong {received_text} dòng)"),
            (Self::English, _) => format!(" (the last pull: {rejected_text} of {received_text} rows)"),
        };
        Some(match self {
            Self::Vietnamese => format!(
                "Có {open_text} dòng bị loại chưa xử lý{of_last}: số liệu chưa có nội dung mới của các dòng này."
            ),
            Self::English => {
                format!("Rejected rows that are open: {open_text}{of_last}. The figures lack what they say.")
            }
        })
    }

    /// Rows of which two have one key and different content. `place`: of the first one.
    pub(in crate::service::pages) fn contradictions(self, rows: u64, place: &str) -> String {
        let number = self.number(rows);
        match self {
            Self::Vietnamese => format!(
                "Lượt gần nhất: {number} dòng trùng khóa với dòng khác nhưng khác nội dung; dòng đọc sau được tính. Gặp đầu tiên: {place}."
            ),
            Self::English => format!(
                "Last night: {} with the key of another row and other content; the one read later counts. First: {place}.",
                self.rows(rows)
            ),
        }
    }

    /// A number of rows in English.
    fn rows(self, rows: u64) -> String {
        if rows == 1 { "1 row".to_owned() } else { format!("{} rows", self.number(rows)) }
    }

    /// Position of a row: page and row number.
    pub(in crate::service::pages) fn page_and_row(self, page: u32, row: u32) -> String {
        match self {
            Self::Vietnamese => format!("trang {page}, dòng {row}"),
            Self::English => format!("page {page}, row {row}"),
        }
    }

    /// The date that assigns a dossier to a period.
    pub(in crate::service::pages) fn period_column(self, column: PeriodColumn) -> &'static str {
        match column {
            PeriodColumn::ReceivedAt => self.of("ngày tiếp nhận", "date received"),
            PeriodColumn::ReturnedAt => self.of("ngày trả kết quả", "date of return"),
            PeriodColumn::EndedAt => self.of("ngày giải quyết xong", "date completed"),
            PeriodColumn::Stated => self.of("kỳ ghi trong số liệu", "period stated by the source"),
        }
    }

    pub(in crate::service::pages) fn indicator_kind(self, kind: IndicatorKind) -> &'static str {
        match kind {
            IndicatorKind::Ratio => self.of("Tỷ lệ", "Ratio"),
            IndicatorKind::Count => self.of("Số lượng", "Count"),
            IndicatorKind::Mean => self.of("Trung bình", "Mean"),
            IndicatorKind::Points => self.of("Điểm trung bình", "Mean points"),
            IndicatorKind::Median => self.of("Trung vị", "Median"),
            IndicatorKind::Stock => self.of("Số cuối kỳ", "Stock at the end of the period"),
        }
    }

    /// A value of an indicator of this kind: a percentage for ratios, else a number.
    pub(in crate::service::pages) fn amount(self, kind: IndicatorKind, amount: f64) -> String {
        if kind == IndicatorKind::Ratio { self.percent(amount, UnitSpace::NonBreaking) } else { self.decimal(amount) }
    }

    /// The figure's target, for example `≥ 95,00 %`.
    pub(in crate::service::pages) fn target(self, figure: &Figure) -> Option<String> {
        Some(format!("≥\u{a0}{}", self.amount(figure.kind, figure.target?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_given_in_the_largest_suitable_unit() {
        assert_eq!(Language::Vietnamese.ago(0, 30_000_000), "vừa xong");
        assert_eq!(Language::Vietnamese.ago(0, 119 * MINUTE), "119 phút trước");
        assert_eq!(Language::Vietnamese.ago(0, 120 * MINUTE), "2 giờ trước");
        assert_eq!(Language::English.ago(0, MINUTE), "1 minute ago");
        assert_eq!(Language::Vietnamese.ago(0, 48 * 60 * MINUTE), "2 ngày trước");
        assert_eq!(Language::Vietnamese.duration(64_000_000), "1 phút 4 giây");
    }

    #[test]
    fn a_daily_schedule_is_shown_as_a_time_of_day() {
        assert_eq!(Language::Vietnamese.schedule("30 1 * * *"), "01:30 mỗi ngày");
        assert_eq!(Language::English.schedule("0 5 22 * * *"), "22:05 every day");
        assert_eq!(Language::Vietnamese.schedule("0 2 * * 1"), "0 2 * * 1");
    }
}
