//! Rule sets as data: the tables of `config/rules/*.toml`. Every choice is a closed list of words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::indicator::{Legal, Title};

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
        /// Immediate results, and certification (chứng thực) unless its procedure has a statutory time: the same working day,
        /// from the procedure's cut-off on the next (NĐ 23/2015/NĐ-CP art. 7).
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
