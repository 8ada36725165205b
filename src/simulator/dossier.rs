//! One simulated dossier with its whole life, and its record in the portal at a given moment.
//!
//! Everything that will happen is drawn when the dossier is generated. `shown` returns the state at a moment, as the
//! portal would answer then.

use crate::simulator::working_days::{DAY_SECS, Day, Moment};

/// A completed date that the portal writes late comes this many to twice this many days after the end.
const LATE_DATE_DAYS: i64 = 30;

/// Submission channel in the portal's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Counter,
    Online,
    Postal,
}

/// Online level in the portal's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub(super) enum Level {
    Information,
    Partial,
    Full,
}

impl Level {
    /// Reads the word used in `procedure_offers.csv`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// How a dossier ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Done,
    /// The status is done, but the portal never gets a `completedDate`.
    DoneWithoutDate,
    Withdrawn,
    Refused,
}

/// Defect that makes a record unreadable at every moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// `acceptedDate` names a day that does not exist.
    ImpossibleDate,
    NoAgency,
    NoProcedureCode,
    GarbledProcedureCode,
    NoCode,
}

impl Flaw {
    pub(super) const ALL: [Self; 5] =
        [Self::ImpossibleDate, Self::NoAgency, Self::NoProcedureCode, Self::GarbledProcedureCode, Self::NoCode];
}

/// Whether the portal lists a dossier twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resend {
    Once,
    /// The same record a second time, this many seconds further down the list.
    Same(u32),
    /// First the state before its last change, then the current one, this many seconds further down the list.
    Older(u32),
}

/// A request for more papers (yêu cầu bổ sung).
#[derive(Debug, Clone, Copy)]
pub(super) struct Supplement {
    pub(super) requested: Moment,
    pub(super) provided: Option<Moment>,
}

/// A dossier from its hand-in to its end.
#[derive(Debug, Clone)]
pub(super) struct Dossier {
    /// Mongo id, written as 24 hex digits.
    pub(super) id: [u8; 12],
    /// Row of the agency registry.
    pub(super) agency: u32,
    /// Row of the procedure registry.
    pub(super) procedure: u32,
    /// Running number within the agency's day, part of the code.
    pub(super) sequence: u32,
    /// Moment of the hand-in; the portal lists the dossier from then on.
    pub(super) applied: Moment,
    pub(super) accepted: Option<Moment>,
    pub(super) due: Option<Moment>,
    /// When the due date changed, and the new due date.
    pub(super) due_change: Option<(Moment, Moment)>,
    /// When the due date was moved after that, and to which date; `None` if it was removed. In the order of time.
    pub(super) due_moves: Vec<(Moment, Option<Moment>)>,
    /// When an apology was sent, and the day that it announces.
    pub(super) apology: Option<(Moment, Day)>,
    /// The portal shows no status.
    pub(super) is_silent: bool,
    pub(super) channel: Channel,
    /// Until when the portal showed another channel, and that channel.
    pub(super) channel_before: Option<(Moment, Channel)>,
    pub(super) level: Option<Level>,
    pub(super) return_by_post: bool,
    pub(super) supplement: Option<Supplement>,
    pub(super) ending: Ending,
    pub(super) ended: Option<Moment>,
    /// What the portal writes for the end by mistake, at or before the acceptance.
    pub(super) mistaken_end: Option<Moment>,
    pub(super) returned: Option<Moment>,
    pub(super) flaw: Option<Flaw>,
    pub(super) resend: Resend,
    /// Random bits that choose how the record is written: UTC offsets, objects or lists, suffixes.
    pub(super) style: u32,
}

/// iGate's status numbers (domain A.2).
pub(super) mod status {
    pub(in crate::simulator) const NEW: u8 = 0;
    pub(in crate::simulator) const SUPPLEMENT: u8 = 1;
    pub(in crate::simulator) const IN_PROCESS: u8 = 2;
    pub(in crate::simulator) const PAUSED: u8 = 3;
    pub(in crate::simulator) const HAS_RESULT: u8 = 4;
    pub(in crate::simulator) const RETURNED: u8 = 5;
    pub(in crate::simulator) const CANCELLED: u8 = 6;
}

/// State of a dossier in the portal at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordState {
    pub(super) accepted: Option<Moment>,
    pub(super) due: Option<Moment>,
    pub(super) completed: Option<Moment>,
    pub(super) returned: Option<Moment>,
    pub(super) channel: Channel,
    pub(super) status: u8,
    /// If the status is cancelled: refused, not withdrawn.
    pub(super) refused: bool,
}

impl Dossier {
    /// Date of the hand-in in the record; `None` for one in 19 dossiers of a counter or the post.
    pub(super) fn recorded_hand_in(&self) -> Option<Moment> {
        (self.channel == Channel::Online || !self.style.is_multiple_of(19)).then_some(self.applied)
    }

    /// Whether the portal's record says how it was handed in: not for one dossier in 29, and at no time.
    pub(super) fn states_channel(&self) -> bool {
        (self.style >> 10) % 29 != 28
    }

    /// Moment from which the record has a completed date. The status "Có kết quả" may be weeks older.
    pub(super) fn completion_recorded(&self) -> Option<Moment> {
        let ended = self.ended?;
        match (self.ending, self.returned) {
            (Ending::DoneWithoutDate, _) => None,
            (Ending::Done, Some(returned)) if self.is_dated_late() && returned >= ended + DAY_SECS => Some(returned),
            (Ending::Done, None) if self.is_dated_late() => {
                Some(ended + (LATE_DATE_DAYS + i64::from(self.style >> 8) % LATE_DATE_DAYS) * DAY_SECS)
            }
            _ => Some(ended),
        }
    }

    fn is_dated_late(&self) -> bool {
        self.style.is_multiple_of(7)
    }

    /// State at a moment; `None` before the hand-in.
    pub(super) fn shown(&self, now: Moment) -> Option<RecordState> {
        if self.applied > now {
            return None;
        }
        let past = |moment: Option<Moment>| moment.filter(|&at| at <= now);
        let accepted = past(self.accepted);
        let ended = past(self.ended);
        let returned = past(self.returned);
        let open = |supplement: &Supplement| supplement.requested <= now && past(supplement.provided).is_none();
        let status = match (ended, accepted) {
            (Some(_), _) if matches!(self.ending, Ending::Withdrawn | Ending::Refused) => status::CANCELLED,
            (Some(_), _) if returned.is_some() => status::RETURNED,
            (Some(_), _) => status::HAS_RESULT,
            (None, None) => status::NEW,
            (None, Some(_)) if self.supplement.as_ref().is_some_and(open) => status::SUPPLEMENT,
            (None, Some(_)) if self.style.is_multiple_of(151) => status::PAUSED,
            (None, Some(_)) => status::IN_PROCESS,
        };
        Some(RecordState {
            accepted,
            due: accepted.and(self.due_shown(now)),
            completed: ended
                .filter(|_| accepted.is_some() && past(self.completion_recorded()).is_some())
                .map(|ended| self.mistaken_end.unwrap_or(ended)),
            returned,
            channel: match self.channel_before {
                Some((until, before)) if now < until => before,
                _ => self.channel,
            },
            status,
            refused: self.ending == Ending::Refused,
        })
    }

    fn due_shown(&self, now: Moment) -> Option<Moment> {
        let changes = self.due_change.iter().map(|(from, due)| (*from, Some(*due)));
        let last = changes.chain(self.due_moves.iter().copied()).rfind(|(from, _)| *from <= now);
        last.map_or(self.due, |(_, due)| due)
    }

    /// Latest moment up to `now` at which the record changed, the hand-in included.
    pub(super) fn last_change(&self, now: Moment) -> Moment {
        let moments = [
            Some(self.applied),
            self.accepted,
            self.due_change.map(|(from, _)| from),
            self.channel_before.map(|(until, _)| until),
            self.supplement.map(|supplement| supplement.requested),
            self.supplement.and_then(|supplement| supplement.provided),
            self.ended,
            self.completion_recorded(),
            self.returned,
        ];
        let moves = self.due_moves.iter().map(|(from, _)| *from);
        moments.into_iter().flatten().chain(moves).filter(|&at| at <= now).max().unwrap_or(self.applied)
    }
}
