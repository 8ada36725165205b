//! The parts of a figure: its scope, its counts and its value.

use crate::locale::{Language, UnitSpace};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::IndicatorKind;

impl Language {
    #[must_use]
    pub fn tier(self, tier: Tier) -> &'static str {
        match tier {
            Tier::Province => self.of("Cấp tỉnh", "Province level"),
            Tier::District => self.of("Cấp huyện", "District level"),
            Tier::Commune => self.of("Cấp xã", "Commune level"),
        }
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
            IndicatorKind::Median => format!("{whole} {dossiers}"),
            IndicatorKind::Ratio | IndicatorKind::Count | IndicatorKind::Stock => format!("{part} / {whole}"),
        })
    }

    /// The ratio, count or amount; [`Language::nothing_received`] if there is no dossier to compute it from.
    #[must_use]
    pub fn value(self, figure: &Figure, space: UnitSpace) -> String {
        match (figure.kind, figure.value()) {
            (_, None) => self.nothing_received().to_owned(),
            (IndicatorKind::Ratio, Some(share)) => self.percent(share, space),
            (IndicatorKind::Count | IndicatorKind::Stock, _) => self.number(figure.numerator),
            (IndicatorKind::Mean | IndicatorKind::Median, Some(hours)) => self.working_hours(hours, space),
        }
    }

    /// In the place of a value that has no dossiers.
    #[must_use]
    pub fn nothing_received(self) -> &'static str {
        self.of("không phát sinh", "nothing received")
    }

    #[must_use]
    pub fn working_hours(self, hours: f64, space: UnitSpace) -> String {
        format!("{}{}{}", self.decimal(hours), space.text(), self.of("giờ làm việc", "working hours"))
    }
}
