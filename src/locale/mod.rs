//! Numbers, dates, periods and figures as people read them, in Vietnamese and English.
//!
//! Shared by the command line, the pages and the official forms, so that each value is written in one way. Pure: values
//! of `model` in, text out. Words that only the pages show are in `service::pages::words`, and those of the command line beside
//! its verbs.

mod csv_cells;
mod date_orders;
mod dates;
mod dossier_words;
mod figures;
mod numbers;
mod periods;
mod reasons;
mod server_reasons;
mod worklist_steps;

pub use csv_cells::{cell_without_formula, without_formula};
pub use date_orders::date_order;
pub use dates::{date, day_and_month, moment, moment_or_dash, time_on_date};
pub use numbers::UnitSpace;
pub use periods::{Initial, period_short};
pub use reasons::explanation;

/// Language of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
pub enum Language {
    #[default]
    #[strum(serialize = "vi")]
    Vietnamese,
    #[strum(serialize = "en")]
    English,
}

impl Language {
    /// Reads an ISO 639-1 code; `None` for other languages.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        code.parse().ok()
    }

    /// ISO 639-1 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Vietnamese => Self::English,
            Self::English => Self::Vietnamese,
        }
    }

    /// The one of two texts that is in this language.
    #[must_use]
    pub fn of<'t>(self, vietnamese: &'t str, english: &'t str) -> &'t str {
        match self {
            Self::Vietnamese => vietnamese,
            Self::English => english,
        }
    }
}
