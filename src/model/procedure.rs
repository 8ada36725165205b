//! The registry of procedures (thủ tục hành chính) and of their offers: which agency or tier provides them, how, and
//! when.

use jiff::civil::{Date, Time};
use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::model::agency::Tier;

/// Unit of a statutory time (thời hạn giải quyết).
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum TimeUnit {
    /// Working days (ngày làm việc).
    WorkingDays,
    /// Working hours (giờ làm việc).
    Hours,
    /// Calendar days (ngày); a due date on a day off moves to the next working day.
    CalendarDays,
}

impl TimeUnit {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// One row of `procedures.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Procedure {
    /// National code `d.dddddd`.
    pub code: String,
    pub name: String,
    /// Code of the sector (lĩnh vực).
    pub sector: String,
    /// Statutory time (thời hạn giải quyết), in `unit`; `None` if the registry has none.
    pub statutory_time: Option<u32>,
    pub unit: TimeUnit,
    /// Time of day after which a received dossier is processed on the next working day (NĐ 61/2018 art. 18(2): 15:00);
    /// one received at this very time is within the day.
    pub cut_off: Time,
    /// The result is given immediately, so dossiers lawfully have no due date (NĐ 61/2018 art. 17(4)).
    pub immediate: bool,
    /// Certification (chứng thực); used for dossiers whose source has no value for it.
    pub certification: bool,
    /// Resolved by a local branch of a central body (ngành dọc).
    pub vertical: bool,
    pub valid_from: Option<Date>,
    /// Last day, inclusive.
    pub valid_to: Option<Date>,
}

/// Who provides an offer: one agency by code, or every agency of a tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offerer {
    Agency(String),
    Tier(Tier),
}

/// One row of `procedure_offers.csv`: a procedure that an agency or a tier provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Code of the procedure.
    pub procedure: String,
    pub offerer: Offerer,
    /// `lead` or `cooperating`.
    pub role: Option<String>,
    /// Received and returned at a one-stop shop (Bộ phận Một cửa).
    pub at_one_stop: bool,
    /// Lawfully exempt from reception at a one-stop shop.
    pub one_stop_exempt: bool,
    /// In the list of vertical agencies' procedures to be received at one-stop shops (QĐ 1291/QĐ-TTg).
    pub list_1291: bool,
    /// Level of the online service: `information`, `partial` or `full`; `None` if it is not online.
    pub online_level: Option<String>,
    /// Dossiers can be submitted by post.
    pub postal_submission: bool,
    /// Results can be returned by post.
    pub postal_return: bool,
    /// Whether the procedure is interlinked (liên thông): `none`, `same_level` or `between_levels`.
    pub interlinked: Option<String>,
    /// Group of procedures that are resolved together (nhóm TTHC liên thông).
    pub group_code: Option<String>,
    pub valid_from: Option<Date>,
    /// Last day, inclusive.
    pub valid_to: Option<Date>,
}
