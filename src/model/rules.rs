//! Rule sets: the files `config/rules/*.toml`. Every choice is a closed list of words.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::model::indicator::{Legal, Title};

/// A rule set: how received, ended and on time are decided where the law leaves it open (domain C.4).
///
/// A later rule set may add words to the lists of choices. Definitions never contain code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    pub id: String,
    pub title: Title,
    pub legal: Legal,
    /// Agency that a dossier is attributed to.
    pub agency: AgencyView,
    /// Moment at which the state of a dossier is taken.
    pub as_of: AsOf,
    /// Statuses whose dossiers count as not received, regardless of their dates.
    pub not_received: Vec<DossierStatus>,
    /// How an end is compared with its due date.
    pub compare: DueComparison,
    /// Which due date counts if there are two.
    pub due: DueChoice,
    /// Whether the due date before or after an apology (thư xin lỗi) counts.
    pub apology: ApologyDue,
    /// Which due date counts if the source moved it. Rule sets stored with older nights lack the key and mean `portal`; a
    /// rule set of today's configuration without it means `explained` if it reads the date before an apology, else
    /// `portal`.
    #[serde(default)]
    pub due_moves: DueMoves,
    /// Meaning of a due date at 00:00:00 local time.
    pub midnight_due: MidnightDue,
    /// How a missing due date is computed: the first choice that gives one counts.
    pub missing_due: Vec<MissingDue>,
    /// Which dossiers a procedure's cut-off moves to the next working day. Rule sets stored with older nights lack the
    /// key and mean the default.
    #[serde(default)]
    pub cut_off: CutOff,
    /// State of a dossier without a due date for which none can be computed.
    pub without_due: WithoutDue,
    /// Dates that end a dossier, in order: the first that it has counts.
    pub ends: Vec<EndDate>,
    /// Ends that are on time regardless of the due date.
    pub on_time_ends: Vec<EndDate>,
    /// Statuses of open dossiers that are not overdue regardless of the due date, because the clock is stopped.
    pub clock_stopped: Vec<DossierStatus>,
    /// Effect of a request for supplements (yêu cầu bổ sung) on the clock.
    pub supplement: SupplementRule,
    /// Whether a dossier with more than one request for supplements is late.
    pub second_supplement_is_late: bool,
    /// Whether an open dossier that is not overdue counts as on time.
    pub open_in_time_counts: bool,
    /// Evidence required for a submission or a return to count as postal.
    pub postal_evidence: PostalEvidence,
    /// Day on which a result counts as returned if portal and post state different ones. Rule sets stored with older
    /// nights lack the key and mean the default.
    #[serde(default, skip_serializing_if = "is_default")]
    pub return_day: ReturnDay,
    /// What a missing submission channel means. Rule sets stored with older nights lack this key and those below it,
    /// and mean the defaults.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing_channel: MissingChannel,
    /// Whether a dossier is on time that has ended by its status, but has no date of the end; and whether one is late whose
    /// end is dated before its reception (it is never on time).
    #[serde(default, skip_serializing_if = "is_default")]
    pub undated_end: LateOrUnknown,
    /// Whether a dossier is late without any due date, if its procedure is not in the registry, which might give one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing_limit: LateOrUnknown,
    /// What it means if neither the source nor the registry says whether a dossier is a certification (chứng thực).
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing_certification: MissingCertification,
    /// What it means if the portal does not state how a result was returned.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing_return: MissingReturn,
}

/// New keys are written only if they are not the default, so that rule sets without them keep their digests.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl RuleSet {
    /// Statuses of dossiers that have ended, even if the date of the end is missing.
    #[must_use]
    pub fn ended_statuses(&self) -> Vec<&'static str> {
        let of = |end: &EndDate| match end {
            EndDate::Finished | EndDate::Completed => &["completed", "returned"][..],
            EndDate::Returned => &["returned"],
            EndDate::Withdrawn => &["withdrawn"],
            EndDate::Refused => &["refused"],
            EndDate::Stopped => &["stopped"],
        };
        self.ends.iter().flat_map(of).copied().collect()
    }

    /// Every key with its value, those with default values included.
    ///
    /// # Panics
    /// Never: a rule set is plain data.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<String, serde_json::Value> {
        let value = |value: Result<serde_json::Value, serde_json::Error>| value.expect("a rule set is plain data");
        let mut settings: BTreeMap<String, serde_json::Value> =
            serde_json::from_value(value(serde_json::to_value(self))).expect("a rule set is a table");
        settings.extend([
            ("due_moves".to_owned(), value(serde_json::to_value(self.due_moves))),
            ("return_day".to_owned(), value(serde_json::to_value(self.return_day))),
            ("missing_channel".to_owned(), value(serde_json::to_value(self.missing_channel))),
            ("undated_end".to_owned(), value(serde_json::to_value(self.undated_end))),
            ("missing_limit".to_owned(), value(serde_json::to_value(self.missing_limit))),
            ("missing_certification".to_owned(), value(serde_json::to_value(self.missing_certification))),
            ("missing_return".to_owned(), value(serde_json::to_value(self.missing_return))),
        ]);
        settings
    }
}

/// Agency that a dossier is attributed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AgencyView {
    /// The agency that is competent to resolve it. An interlinked dossier counts once, for its lead agency.
    Competent,
    /// The counter that received it.
    Receiving,
    /// The agency that handles it.
    Handling,
}

/// Moment at which the state of a dossier is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AsOf {
    /// The moment of the night.
    Now,
    /// The end of the period, or the moment of the night if that is earlier.
    PeriodEnd,
}

/// How an end is compared with its due date to decide whether it is on time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DueComparison {
    /// End ≤ due, as instants.
    Instant,
    /// End < due, as instants.
    InstantStrict,
    /// Day of the end ≤ day of the due date.
    Date,
}

/// Which due date counts if there are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DueChoice {
    /// The portal's; if it has none, the computed one.
    Portal,
    /// The one computed from the procedure's statutory time; if there is none, the portal's.
    Statutory,
    /// The earlier of the two.
    Earlier,
}

/// Whether the due date before or after an apology counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApologyDue {
    /// The date before the apology. Changes because of a supplement count nevertheless.
    Before,
    /// The date after the apology.
    After,
}

/// Which due date counts if the source moved it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DueMoves {
    /// The one that the portal shows now, whatever it was before.
    #[default]
    Portal,
    /// The first one, or a later one that a supplement or a suspension explains; an earlier one always. If the source
    /// states neither supplements nor a status, a later date is unknown: the dossier is on time by the first, and late by
    /// the later one.
    Explained,
}

/// Meaning of a due date at 00:00:00 local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MidnightDue {
    /// A date without a time of day: due at the end of that day.
    EndOfDay,
    /// Due at that moment.
    Moment,
}

/// How a missing due date is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingDue {
    /// The same working day, or the next if received after the procedure's cut-off (NĐ 23/2015/NĐ-CP art. 7: "sau 15
    /// giờ"; the cut-off itself is within the day). For immediate results, and for certification (chứng thực) whose
    /// procedure has no statutory time.
    CutOff,
    /// Reception plus the procedure's statutory time.
    Statutory,
}

/// Which dossiers a procedure's cut-off moves to the next working day. The cut-off is 15:00 if the registry has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutOff {
    /// Only certification and immediate results (NĐ 23/2015/NĐ-CP art. 7).
    #[default]
    AtOnce,
    /// Every dossier: one received after the cut-off is processed from the next working day on, and the statutory time
    /// runs from there (NĐ 61/2018/NĐ-CP art. 18(2)).
    Every,
}

/// State of a dossier without any due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WithoutDue {
    /// Never on time; otherwise deleting due dates would improve the ratio.
    NotOnTime,
    /// Always on time.
    OnTime,
}

/// A date that ends a dossier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndDate {
    /// Completed or returned, whichever is earlier: a result that was handed over had been completed.
    Finished,
    Completed,
    Returned,
    Withdrawn,
    Refused,
    Stopped,
}

/// Effect of a request for supplements on the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupplementRule {
    /// The source's due date already includes it. A computed due date counts from the last reception of a supplement
    /// (NĐ 61/2018/NĐ-CP art. 19(4)).
    Restart,
    /// The time between request and reception of the supplement is added to the due date. A dossier that still waits
    /// for its first supplement ends with the request (QĐ 766/QĐ-TTg, 2.1).
    Pause,
}

/// Evidence required for a submission or a return to count as postal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PostalEvidence {
    /// The portal's channel or a postal item; a dossier with both counts once.
    Either,
    /// The portal's channel and a postal item.
    Both,
    Portal,
    Post,
}

/// Day on which a result counts as returned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnDay {
    /// The portal's; that of the post where the portal has none.
    #[default]
    Portal,
    /// The day on which the post took the result (QĐ 45/2016/QĐ-TTg art. 9); the portal's where the post has none.
    Post,
}

/// What a missing submission channel means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingChannel {
    /// The dossier was submitted at the counter (QĐ 766/QĐ-TTg: direct is 1 or null).
    #[default]
    Counter,
    /// How it was submitted is not known.
    Unknown,
}

/// Whether a dossier is late that lacks what would decide it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LateOrUnknown {
    /// It is late once it has ended.
    #[default]
    Late,
    /// It is not known.
    Unknown,
}

/// What it means if neither the source nor the registry says whether a dossier is a certification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingCertification {
    /// It is none.
    #[default]
    No,
    /// It is not known.
    Unknown,
}

/// What it means if the portal does not state how a result was returned, and the post's lists do not have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingReturn {
    /// It was not returned by post.
    #[default]
    NotPostal,
    /// It was not returned by post if there are lists of the post; without any list it is not known. The post's report
    /// is the document that proves such returns (QĐ 45/2016/QĐ-TTg).
    PostList,
    /// It is not known.
    Unknown,
}

/// Status of a dossier, in the order of the national codes 1–10 (domain: `TrangThaiHoSo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DossierStatus {
    Registered,
    Received,
    Refused,
    Processing,
    Supplement,
    Finance,
    Withdrawn,
    Stopped,
    Completed,
    Returned,
}

impl AgencyView {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl DueMoves {
    /// Word in a rule set.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl DossierStatus {
    /// Word in the column `status` of the table `dossiers`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}
