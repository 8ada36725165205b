//! One simulated dossier, its whole life, and what the portal shows of it at a moment.
//!
//! Everything that will happen is known when it is generated; `shown` cuts it off at a moment, as the
//! portal would answer then.

use crate::simulator::working_days::{DAY_SECS, Moment};

/// A completed date that comes late comes after this many days at least, after twice as many at most.
const LATE_DATE_DAYS: i64 = 30;

/// How the portal says that a dossier was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Counter,
    Online,
    Postal,
}

/// The online level that the record states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Information,
    Partial,
    Full,
}

impl Level {
    /// From the word of `procedure_offers.csv`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "information" => Some(Self::Information),
            "partial" => Some(Self::Partial),
            "full" => Some(Self::Full),
            _ => None,
        }
    }
}

/// How a dossier ends, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Done,
    /// Status says done, the portal has no `completedDate`.
    DoneWithoutDate,
    Withdrawn,
    Refused,
}

/// What makes a record unreadable, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// `acceptedDate` names a day that does not exist.
    ImpossibleDate,
    /// `applyMethod` has a name that nobody knows.
    UnknownChannel,
    NoProcedureCode,
    GarbledProcedureCode,
    NoCode,
}

impl Flaw {
    pub(super) const ALL: [Self; 5] =
        [Self::ImpossibleDate, Self::UnknownChannel, Self::NoProcedureCode, Self::GarbledProcedureCode, Self::NoCode];
}

/// Whether the portal lists a dossier twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resend {
    Once,
    /// The same record again, that many seconds further down the list.
    Same(u32),
    /// First as it was before its last change, then as it is, that many seconds further down the list.
    Older(u32),
}

/// A request for more papers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Supplement {
    pub(super) asked: Moment,
    pub(super) given: Option<Moment>,
}

/// A dossier from its first sight to its end.
#[derive(Debug, Clone)]
pub(super) struct Dossier {
    /// Mongo id, written as 24 hex digits.
    pub(super) id: [u8; 12],
    /// Row of the agency registry.
    pub(super) agency: u32,
    /// Row of the procedure registry.
    pub(super) procedure: u32,
    /// Running number of the agency's day, in the code.
    pub(super) sequence: u32,
    /// Handed in; the portal lists it from here on.
    pub(super) applied: Moment,
    pub(super) accepted: Option<Moment>,
    pub(super) due: Option<Moment>,
    /// When the due date changed, and to what.
    pub(super) due_change: Option<(Moment, Moment)>,
    pub(super) channel: Channel,
    /// Until when the portal had another channel, and which.
    pub(super) channel_before: Option<(Moment, Channel)>,
    pub(super) level: Option<Level>,
    pub(super) return_by_post: bool,
    pub(super) supplement: Option<Supplement>,
    pub(super) ending: Ending,
    pub(super) ended: Option<Moment>,
    pub(super) returned: Option<Moment>,
    pub(super) fault: Option<Flaw>,
    pub(super) resend: Resend,
    /// Dice for how it is written: offsets, objects or lists, suffixes.
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

/// What the portal shows at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) accepted: Option<Moment>,
    pub(super) due: Option<Moment>,
    pub(super) completed: Option<Moment>,
    pub(super) returned: Option<Moment>,
    pub(super) channel: Channel,
    pub(super) status: u8,
    /// Refused rather than withdrawn, where the status is cancelled.
    pub(super) refused: bool,
}

impl Dossier {
    /// The hand-in as the record states it: counters now and then leave it out.
    pub(super) fn stated_applied(&self) -> Option<Moment> {
        (self.channel == Channel::Online || !self.style.is_multiple_of(19)).then_some(self.applied)
    }

    /// From when the record states its completed date: the portal may say "Có kết quả" weeks before it dates it.
    pub(super) fn dated(&self) -> Option<Moment> {
        let ended = self.ended?;
        match (self.ending, self.returned) {
            (Ending::DoneWithoutDate, _) => None,
            (Ending::Done, Some(returned)) if self.dates_late() && returned >= ended + DAY_SECS => Some(returned),
            (Ending::Done, None) if self.dates_late() => {
                Some(ended + (LATE_DATE_DAYS + i64::from(self.style >> 8) % LATE_DATE_DAYS) * DAY_SECS)
            }
            _ => Some(ended),
        }
    }

    fn dates_late(&self) -> bool {
        self.style.is_multiple_of(7)
    }

    /// The record at a moment; `None` before it was handed in.
    pub(super) fn shown(&self, now: Moment) -> Option<Shown> {
        if self.applied > now {
            return None;
        }
        let past = |moment: Option<Moment>| moment.filter(|&at| at <= now);
        let accepted = past(self.accepted);
        let ended = past(self.ended);
        let returned = past(self.returned);
        let open = |supplement: &Supplement| supplement.asked <= now && past(supplement.given).is_none();
        let status = match (ended, accepted) {
            (Some(_), _) if matches!(self.ending, Ending::Withdrawn | Ending::Refused) => status::CANCELLED,
            (Some(_), _) if returned.is_some() => status::RETURNED,
            (Some(_), _) => status::HAS_RESULT,
            (None, None) => status::NEW,
            (None, Some(_)) if self.supplement.as_ref().is_some_and(open) => status::SUPPLEMENT,
            (None, Some(_)) if self.style.is_multiple_of(151) => status::PAUSED,
            (None, Some(_)) => status::IN_PROCESS,
        };
        Some(Shown {
            accepted,
            due: accepted.and(match self.due_change {
                Some((from, due)) if from <= now => Some(due),
                _ => self.due,
            }),
            completed: ended.filter(|_| accepted.is_some() && past(self.dated()).is_some()),
            returned,
            channel: match self.channel_before {
                Some((until, before)) if now < until => before,
                _ => self.channel,
            },
            status,
            refused: self.ending == Ending::Refused,
        })
    }

    /// The latest moment up to `now` at which the record changed (its first sight included).
    pub(super) fn last_change(&self, now: Moment) -> Moment {
        let moments = [
            Some(self.applied),
            self.accepted,
            self.due_change.map(|(from, _)| from),
            self.channel_before.map(|(until, _)| until),
            self.supplement.map(|supplement| supplement.asked),
            self.supplement.and_then(|supplement| supplement.given),
            self.ended,
            self.dated(),
            self.returned,
        ];
        moments.into_iter().flatten().filter(|&at| at <= now).max().unwrap_or(self.applied)
    }
}
