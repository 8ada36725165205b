//! The parts of a figure: its scope, its counts and its value.

use crate::locale::{Language, UnitSpace};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::IndicatorKind;

impl Language {
    #[must_use]
    pub fn tier(self, tier: Tier) -> &'static str {
        let [vietnamese, english] = tier.meaning();
        self.of(vietnamese, english)
    }

    /// Name of the figure's scope: its agency, its tier or the whole province.
    #[must_use]
    pub fn scope(self, figure: &Figure, province: &str) -> String {
        match (&figure.agency, figure.tier) {
            (Some(code), _) => figure.agency_name.as_ref().unwrap_or(code).to_string(),
            (None, Some(tier)) => self.tier(tier).to_owned(),
            (None, None) => format!("{} {province}", self.of("Toàn tỉnh", "Province of")),
        }
    }

    /// Numerator and denominator, with units for a mean and a median; `None` for a count and a stock.
    #[must_use]
    pub fn counts(self, figure: &Figure) -> Option<String> {
        let (hours, dossiers) = (self.of("giờ", "h"), self.of("hồ sơ", "dossiers"));
        let (part, whole) = (self.number(figure.numerator), self.number(figure.denominator?));
        Some(match figure.kind {
            IndicatorKind::Mean => format!("{part} {hours} / {whole} {dossiers}"),
            IndicatorKind::Points => format!("{part} {} / {whole} {dossiers}", self.of("điểm", "points")),
            IndicatorKind::Median => format!("{whole} {dossiers}"),
            IndicatorKind::Ratio | IndicatorKind::Count | IndicatorKind::Stock => format!("{part} / {whole}"),
        })
    }

    /// How much of the figure is unknown, and what may or may not belong to it; `None` if nothing is.
    #[must_use]
    pub fn unknown(self, figure: &Figure) -> Option<String> {
        let above_zero = |count: Option<u64>| count.filter(|count| *count > 0).map(|count| self.number(count));
        let unknown = above_zero(figure.unknown).map(|count| format!("{count} {}", self.of("chưa rõ", "unknown")));
        let belongs = self.of("chưa rõ có thuộc phạm vi tính", "may or may not belong");
        let undecided = above_zero(figure.undecided).map(|count| format!("{count} {belongs}"));
        unknown.into_iter().chain(undecided).reduce(|unknown, undecided| format!("{unknown}; {undecided}"))
    }

    /// Between which shares a ratio lies if part of it is unknown; `None` if nothing or all of it is.
    #[must_use]
    pub fn bounds(self, figure: &Figure, space: UnitSpace) -> Option<String> {
        let [least, most] = figure.bounds().filter(|_| figure.unknown > Some(0) && !figure.lacks_data())?;
        let (least, most) = (self.percent(least, space), self.percent(most, space));
        Some(match self {
            Self::Vietnamese => format!("từ {least} đến {most}"),
            Self::English => format!("{least} to {most}"),
        })
    }

    /// The ratio, count or amount; if there is none, [`Language::nothing_received`] or [`Language::no_data`].
    #[must_use]
    pub fn value(self, figure: &Figure, space: UnitSpace) -> String {
        match (figure.kind, figure.value()) {
            (_, None) => self.no_value(figure).to_owned(),
            (IndicatorKind::Ratio, Some(share)) => self.percent(share, space),
            (IndicatorKind::Count | IndicatorKind::Stock, _) => self.number(figure.numerator),
            (IndicatorKind::Mean | IndicatorKind::Median, Some(hours)) => self.working_hours(hours, space),
            (IndicatorKind::Points, Some(points)) => self.points(points, space),
        }
    }

    /// In the place of whether an annual target is met, for a period shorter than a year: that it is one, and how far the
    /// value is from it. `None` for any other figure.
    #[must_use]
    pub fn annual_target(self, figure: &Figure) -> Option<String> {
        if !figure.is_below_target_period() {
            return None;
        }
        let annual = self.of("chỉ tiêu năm", "annual target");
        let Some(distance) = figure.distance_to_target() else { return Some(annual.to_owned()) };
        let (size, unit) = match figure.kind {
            IndicatorKind::Ratio => ((distance.abs() * 10_000.0).round() / 100.0, self.of(" điểm %", " points")),
            _ => (distance.abs(), ""),
        };
        let size = self.decimal(size);
        Some(match (distance, self) {
            (below, Self::Vietnamese) if below < 0.0 => format!("{annual}, còn thiếu {size}{unit}"),
            (below, Self::English) if below < 0.0 => format!("{annual}, {size}{unit} short"),
            (above, Self::Vietnamese) if above > 0.0 => format!("{annual}, đang vượt {size}{unit}"),
            (above, Self::English) if above > 0.0 => format!("{annual}, {size}{unit} above"),
            _ => format!("{annual}, {}", self.of("đang bằng", "just reached")),
        })
    }

    /// By how much a value of this kind differs from another, with its sign: `+1,30 điểm %`.
    #[must_use]
    pub fn change(self, kind: IndicatorKind, change: f64, space: UnitSpace) -> String {
        let size = change.abs();
        let sign = if change < 0.0 { "−" } else { "+" };
        match kind {
            IndicatorKind::Ratio => {
                let points = self.decimal((size * 10_000.0).round() / 100.0);
                format!("{sign}{points}{}{}", space.text(), self.of("điểm %", "points"))
            }
            IndicatorKind::Mean | IndicatorKind::Median => format!("{sign}{}", self.working_hours(size, space)),
            IndicatorKind::Points => format!("{sign}{}", self.points(size, space)),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a difference of two counts")]
            IndicatorKind::Count | IndicatorKind::Stock => format!("{sign}{}", self.number(size as u64)),
        }
    }

    /// In the place of the value of a figure that has none.
    #[must_use]
    pub fn no_value(self, figure: &Figure) -> &'static str {
        if figure.lacks_data() { self.no_data() } else { self.nothing_received() }
    }

    /// In the place of a value of which nothing is known.
    #[must_use]
    pub fn no_data(self) -> &'static str {
        self.of("không có dữ liệu", "no data")
    }

    /// In the place of a value that has no dossiers.
    #[must_use]
    pub fn nothing_received(self) -> &'static str {
        self.of("không phát sinh", "nothing received")
    }

    #[must_use]
    pub fn points(self, points: f64, space: UnitSpace) -> String {
        format!("{}{}{}", self.decimal(points), space.text(), self.of("điểm", "points"))
    }

    #[must_use]
    pub fn working_hours(self, hours: f64, space: UnitSpace) -> String {
        format!("{}{}{}", self.decimal(hours), space.text(), self.of("giờ làm việc", "working hours"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::model::indicator::TargetPeriods;
    use crate::model::period::Period;

    #[test]
    fn a_change_has_its_sign_and_unit() {
        let (vietnamese, space) = (Language::Vietnamese, UnitSpace::Plain);
        assert_eq!(vietnamese.change(IndicatorKind::Ratio, -0.0125, space), "−1,25 điểm %");
        assert_eq!(Language::English.change(IndicatorKind::Ratio, 0.5, space), "+50 points");
        assert_eq!(vietnamese.change(IndicatorKind::Stock, 1234.0, space), "+1.234");
    }

    #[test]
    fn an_annual_target_is_a_distance_in_shorter_periods() {
        use Language::{English, Vietnamese};
        let of = |period: &str, numerator, denominator| Figure {
            indicator: "x".into(),
            kind: IndicatorKind::Ratio,
            definition: "".into(),
            rules: "".into(),
            agency: None,
            agency_name: None,
            tier: None,
            period: Period::parse(period).expect("a period"),
            numerator,
            denominator: Some(denominator),
            reachable: numerator,
            one_sided: None,
            unknown: Some(0),
            undecided: Some(0),
            target: Some(0.2),
            target_periods: TargetPeriods::Year,
        };
        for (figure, language, text) in [
            (of("2026-09", 1, 8), Vietnamese, Some("chỉ tiêu năm, còn thiếu 7,50 điểm %")),
            (of("2026-09", 1, 8), English, Some("annual target, 7.50 points short")),
            (of("2026-Q3", 1, 4), Vietnamese, Some("chỉ tiêu năm, đang vượt 5 điểm %")),
            (of("2026-Q3", 1, 5), Vietnamese, Some("chỉ tiêu năm, đang bằng")),
            (of("2026-Q3", 0, 0), Vietnamese, Some("chỉ tiêu năm")),
            (of("2026", 1, 8), Vietnamese, None),
        ] {
            assert_eq!(language.annual_target(&figure).as_deref(), text);
        }
    }
}
