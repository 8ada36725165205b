//! Indicators and rule sets as data: the tables of `config/indicators/*.toml` and `config/rules/*.toml`.
//!
//! Longer than other files: it is one vocabulary, the words of indicators and those of the rule sets that they name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One file of indicators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorFile {
    pub indicator: Vec<Definition>,
}

/// `[[indicator]]`: what is counted, over what, and the article that asks for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub id: String,
    pub kind: IndicatorKind,
    pub title: Title,
    pub legal: Legal,
    /// Tài liệu kiểm chứng.
    #[serde(default)]
    pub evidence: Option<String>,
    /// Cơ quan chủ trì.
    #[serde(default)]
    pub lead_agency: Option<String>,
    /// What is counted: dossiers, feedback, or what the registries hold.
    #[serde(default)]
    pub over: Over,
    /// SQL over the registry's columns, where procedures or agencies are counted: which of them make the whole.
    #[serde(default)]
    pub registry: Option<String>,
    /// SQL over the registry's columns: which of the whole are the part, where no dossier decides it.
    #[serde(default)]
    pub registry_part: Option<String>,
    /// Over agencies: in how many working days before the period's end, or before now, the latest dossier must lie.
    #[serde(default)]
    pub within_working_days: Option<u32>,
    /// What a mean or a median is of.
    #[serde(default)]
    pub of: Option<Amount>,
    /// Identifier of the rule set that gives the states of a dossier.
    pub rules: String,
    /// SQL over the fact columns: which dossiers the indicator speaks of.
    pub population: String,
    /// Whose date files a dossier under a period.
    pub period: PeriodColumn,
    /// SQL: which dossiers of the denominator count.
    pub numerator: String,
    /// SQL: which dossiers of the population are the whole. A count has none.
    #[serde(default)]
    pub denominator: Option<String>,
    /// SQL over the fact columns: only dossiers of procedures that have, province-wide and in the calendar
    /// year, at least one dossier of the population for which it holds ("có phát sinh").
    #[serde(default)]
    pub having: Option<String>,
    #[serde(default)]
    pub target: Option<Target>,
    /// Which way is better, for ranks.
    #[serde(default)]
    pub better: Better,
    /// What the law leaves open and how it is read here.
    #[serde(default)]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndicatorKind {
    #[default]
    Ratio,
    Count,
    /// An amount per dossier: its sum over the numerator's dossiers, and how many they are.
    Mean,
    /// The amount for which at least half of the numerator's dossiers took no more, and how many they are.
    Median,
    /// How many dossiers of the numerator there were at the end of the period, whenever they were received.
    Stock,
}

impl IndicatorKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ratio => "ratio",
            Self::Count => "count",
            Self::Mean => "mean",
            Self::Median => "median",
            Self::Stock => "stock",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ratio, Self::Count, Self::Mean, Self::Median, Self::Stock].into_iter().find(|kind| kind.name() == name)
    }
}

/// An amount that a dossier has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// Working hours from reception to the rule set's end, begun ones not counted; eight are a working day.
    ProcessingHours,
}

/// What an indicator counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    #[default]
    Dossiers,
    /// Procedures offered on any day of the period; the numerator: those with at least one dossier of the period for which
    /// it holds. A count is of the offered ones alone; with `registry_part` the registry decides the numerator too.
    Procedures,
    /// Agencies that stand on any day of the period; the numerator: those with at least one dossier for which it holds in
    /// the last `within_working_days` before its end.
    Agencies,
    /// Phản ánh, kiến nghị: each by what is known of it at the night's moment, whatever the period.
    Feedback,
    /// Counts that somebody stated for an agency or the province in a period: their own numerator and denominator.
    Measures,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    #[default]
    Higher,
    Lower,
}

/// Vietnamese first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Title {
    pub vi: String,
    pub en: String,
}

/// The article behind a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Legal {
    pub document: String,
    pub place: String,
    /// In force from, `yyyy-MM-dd`.
    pub from: String,
}

/// What must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Share between 0 and 1, or a number for a count; four decimals count.
    pub at_least: f64,
}

/// The date that files a dossier under a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeriodColumn {
    /// Day of reception (ngày tiếp nhận).
    ReceivedAt,
    /// Day on which the result was returned, by portal or post.
    ReturnedAt,
    /// Day of the end by the rule set.
    EndedAt,
    /// The period that a measure names itself.
    Stated,
}

impl PeriodColumn {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReceivedAt => "received_at",
            Self::ReturnedAt => "returned_at",
            Self::EndedAt => "ended_at",
            Self::Stated => "stated",
        }
    }
}

impl Definition {
    /// Whether the registries alone decide it, so that no dossier is asked.
    #[must_use]
    pub fn is_of_registry(&self) -> bool {
        matches!(self.over, Over::Procedures | Over::Agencies)
            && (self.kind == IndicatorKind::Count || self.registry_part.is_some())
    }
}

impl Over {
    /// Each of what it counts stands in one agency and one period, so that its figures are sums.
    #[must_use]
    pub fn is_additive(self) -> bool {
        matches!(self, Self::Dossiers | Self::Feedback)
    }
}

/// A rule set: what on time means where the law leaves it open (domain C.4). Every choice is a closed list;
/// a later rule set adds words, never code in a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    pub id: String,
    pub title: Title,
    pub legal: Legal,
    /// Whose dossier it is.
    pub agency: AgencyView,
    /// Which moment's state counts.
    pub as_of: AsOf,
    /// Statuses whose dossiers count as not received, whatever their dates say.
    pub not_received: Vec<DossierStatus>,
    /// How an end is held against its due date.
    pub compare: Compare,
    /// Which due date counts.
    pub due: DueChoice,
    /// Whether a due date that an apology moved counts.
    pub apology: ApologyDue,
    /// What a due value of 00:00:00 local means.
    pub midnight_due: MidnightDue,
    /// What stands in for a missing due date, in order.
    pub missing_due: Vec<MissingDue>,
    /// Which dossiers a procedure's cut-off moves to the next working day. Rule sets that nights kept before there was the
    /// word have none: they meant the first.
    #[serde(default)]
    pub cut_off: CutOff,
    /// A dossier without a due date for which nothing stands in.
    pub without_due: WithoutDue,
    /// Which dates end a dossier: the first that it has counts.
    pub ends: Vec<EndDate>,
    /// Ends that are on time whatever the due date.
    pub on_time_ends: Vec<EndDate>,
    /// Statuses of open dossiers that are in time whatever the due date: the clock stands.
    pub clock_stopped: Vec<DossierStatus>,
    /// What a request to supplement does to the clock.
    pub supplement: SupplementRule,
    /// A dossier that was asked to supplement more than once is late.
    pub second_supplement_is_late: bool,
    /// Whether a dossier that is open and not overdue counts as on time.
    pub open_in_time_counts: bool,
    /// Which evidence makes a submission or a return postal.
    pub postal_evidence: PostalEvidence,
}

impl RuleSet {
    /// Statuses that say that a dossier has ended, whether or not the date is known.
    #[must_use]
    pub fn ended_statuses(&self) -> Vec<&'static str> {
        let of = |end: &EndDate| match end {
            EndDate::Completed => &["completed", "returned"][..],
            EndDate::Returned => &["returned"],
            EndDate::Withdrawn => &["withdrawn"],
            EndDate::Refused => &["refused"],
            EndDate::Stopped => &["stopped"],
        };
        self.ends.iter().flat_map(of).copied().collect()
    }
}

/// A closed list of choices with their words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }
    };
}

words!(
    /// Whose dossier it is.
    AgencyView {
        /// The agency competent to resolve; an interlinked dossier counts once, at its lead agency.
        Competent,
        /// The counter that received it.
        Receiving,
        /// The unit that handles it.
        Handling,
    }
);
words!(
    /// The moment at which a dossier's state is read.
    AsOf {
        /// The night's own moment.
        Now,
        /// The end of the period, or the night's moment where that is earlier.
        PeriodEnd,
    }
);
words!(
    /// How an end is held against its due date.
    Compare {
        /// End ≤ due, as instants.
        Instant,
        /// End < due, as instants.
        InstantStrict,
        /// Day of the end ≤ day of the due date.
        Date,
    }
);
words!(
    /// Which due date counts.
    DueChoice {
        /// The portal's; where it has none, what stands in for it.
        Portal,
        /// The one computed from the procedure's statutory time; the portal's where there is none.
        Statutory,
        /// The earlier of both.
        Earlier,
    }
);
words!(
    /// Whether a due date that an apology moved counts.
    ApologyDue {
        /// The date before the apology counts; changes by supplement count.
        Before,
        /// The date after it counts.
        After,
    }
);
words!(
    /// What a due value of 00:00:00 local means.
    MidnightDue {
        /// It is a date: the end of that day.
        EndOfDay,
        /// It is the moment that it says.
        Moment,
    }
);
words!(
    /// What stands in for a missing due date.
    MissingDue {
        /// Certification and immediate results: the same working day, after the procedure's cut-off the next.
        CutOff,
        /// The procedure's statutory time in working days.
        Statutory,
    }
);
words!(
    /// Which dossiers a procedure's cut-off (15:00, if it has none of its own) moves to the next working day.
    CutOff {
        /// Certification and immediate results (NĐ 23/2015/NĐ-CP art. 7).
        AtOnce,
        /// Every dossier: papers that come after it move on the next working day (NĐ 61/2018/NĐ-CP art. 18(2)), and the
        /// statutory time runs from there.
        Every,
    }
);
words!(
    /// A dossier without any due date.
    WithoutDue {
        /// It is never on time: else deleting a due date improves the ratio.
        NotOnTime,
        /// It is on time.
        OnTime,
    }
);
words!(
    /// A date that ends a dossier.
    EndDate {
        Completed,
        Returned,
        Withdrawn,
        Refused,
        Stopped,
    }
);
words!(
    /// What a request to supplement does to the clock.
    SupplementRule {
        /// Nothing beyond what the due date already holds; a statutory time starts again at the last reception
        /// of a supplement (NĐ 61/2018/NĐ-CP art. 19(4)).
        Restart,
        /// The time between request and reception is added to the due date, and a dossier that still waits ends
        /// with the request (QĐ 766/QĐ-TTg, 2.1).
        Pause,
    }
);
words!(
    /// Which evidence makes a submission or a return postal.
    PostalEvidence {
        /// The portal's word or the post's item; one dossier counts once.
        Either,
        /// Both of them.
        Both,
        Portal,
        Post,
    }
);
words!(
    /// A status as rule sets name it.
    DossierStatus {
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
);

#[expect(clippy::derivable_impls, reason = "the words are declared alike, and this one alone has a default")]
impl Default for CutOff {
    fn default() -> Self {
        Self::AtOnce
    }
}

impl AgencyView {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Competent => "competent",
            Self::Receiving => "receiving",
            Self::Handling => "handling",
        }
    }
}

impl DossierStatus {
    /// Its word in the dossiers table; in the order of [`STATUSES`](crate::model::table::STATUSES).
    #[must_use]
    pub fn name(self) -> &'static str {
        crate::model::table::STATUSES[self as usize]
    }
}
