//! The procedure registry: what is offered, by whom, at which level, and from when.

use jiff::civil::{Date, Time};

use crate::model::agency::Tier;

/// Unit of a statutory time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Ngày làm việc.
    WorkingDays,
    /// Giờ làm việc.
    Hours,
    /// Ngày: an end on a day off moves to the next working day.
    CalendarDays,
}

/// One row of `procedures.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Procedure {
    /// `d.dddddd`.
    pub code: String,
    pub name: String,
    pub sector: String,
    /// Thời hạn giải quyết.
    pub statutory_time: Option<u32>,
    pub unit: TimeUnit,
    /// Papers received after it move on the next working day (NĐ 61/2018 art. 18(2): 15:00).
    pub cut_off: Time,
    /// Resolved at once, lawfully without a due date (NĐ 61/2018 art. 17(4)).
    pub immediate: bool,
    /// Chứng thực, where the source does not say it of a dossier.
    pub certification: bool,
    pub vertical: bool,
    pub valid_from: Option<Date>,
    pub valid_to: Option<Date>,
}

/// Who is competent in a row of `procedure_offers.csv`: one agency, or every agency of a tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offerer {
    Agency(String),
    Tier(Tier),
}

/// One row of `procedure_offers.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub procedure: String,
    pub offerer: Offerer,
    /// `lead` or `cooperating`.
    pub role: Option<String>,
    /// Received and returned at a one-stop shop (Bộ phận Một cửa).
    pub at_one_stop: bool,
    /// Lawfully not received at a one-stop shop.
    pub one_stop_exempt: bool,
    /// In the list of vertical agencies' procedures to be received at one-stop shops (QĐ 1291/QĐ-TTg).
    pub list_1291: bool,
    /// information · partial · full.
    pub online_level: Option<String>,
    pub postal_submission: bool,
    pub postal_return: bool,
    /// Liên thông: `none`, `same_level` or `between_levels`.
    pub interlinked: Option<String>,
    pub valid_from: Option<Date>,
    pub valid_to: Option<Date>,
}
