//! What the shapes of other systems state of a dossier at a moment, in the words of the national message (domain A.1).
//! Every shape takes it from here, so that none knows more of a dossier than another but by its own fields.

use crate::model::agency::Agency;
use crate::model::procedure::Procedure;
use crate::simulator::Province;
use crate::simulator::dossier::{Channel, Dossier, Flaw, Level, RecordState, status};
use crate::simulator::working_days::{Moment, civil};

/// A dossier as a system states it.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatedDossier<'p> {
    pub(super) dossier: &'p Dossier,
    pub(super) shown: RecordState,
    province: &'p Province,
}

/// A request for a supplement as a system states it.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatedSupplement {
    pub(super) requested: Moment,
    pub(super) provided: Option<Moment>,
    pub(super) due_before: Option<Moment>,
    /// Once it was provided.
    pub(super) due_after: Option<Moment>,
}

impl<'p> StatedDossier<'p> {
    pub(super) fn new(province: &'p Province, dossier: &'p Dossier, shown: RecordState) -> Self {
        Self { dossier, shown, province }
    }

    pub(super) fn procedure(&self) -> &'p Procedure {
        &self.province.registry.procedures[self.dossier.procedure as usize]
    }

    /// A number of the dossier's own, of 16 digits at most.
    pub(super) fn number(&self) -> u64 {
        let random = self.dossier.id[4..].first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        random >> 12
    }

    /// `None`: the row has no code, a bad row.
    pub(super) fn code(&self) -> Option<String> {
        (self.dossier.flaw != Some(Flaw::NoCode)).then(|| self.province.code(self.dossier))
    }

    /// Empty or unreadable in bad rows.
    pub(super) fn procedure_code(&self) -> String {
        let code = &self.procedure().code;
        match self.dossier.flaw {
            Some(Flaw::NoProcedureCode) => String::new(),
            Some(Flaw::GarbledProcedureCode) => format!("TTHC?{}#", code.replace('.', "_")),
            _ => code.clone(),
        }
    }

    /// Code and name; some agencies are written by name alone. Both are missing in bad rows.
    pub(super) fn agency(&self) -> (Option<&'p str>, Option<&'p str>) {
        if self.dossier.flaw == Some(Flaw::NoAgency) {
            return (None, None);
        }
        let (code, name) = self.province.fragments.written_agency(self.dossier.agency as usize);
        (code, Some(name))
    }

    /// The name in the registry; `None` in bad rows.
    pub(super) fn agency_name(&self) -> Option<&'p str> {
        let known: &Agency = &self.province.registry.agencies[self.dossier.agency as usize];
        (self.dossier.flaw != Some(Flaw::NoAgency)).then_some(&known.name)
    }

    /// `None`: the portal does not state it.
    pub(super) fn channel(&self) -> Option<Channel> {
        self.dossier.states_channel().then_some(self.shown.channel)
    }

    /// National code of the status; `None`: the portal shows no status.
    pub(super) fn status(&self) -> Option<&'static str> {
        if self.dossier.is_silent {
            return None;
        }
        Some(match self.shown.status {
            status::NEW => "1",
            status::SUPPLEMENT => "5",
            status::HAS_RESULT => "9",
            status::RETURNED => "10",
            status::CANCELLED if self.shown.refused => "3",
            status::CANCELLED => "7",
            status::IN_PROCESS if self.dossier.style >> 2 & 1 == 1 => "2",
            _ => "4",
        })
    }

    /// Mức độ dịch vụ công: 2, 3 or 4.
    pub(super) fn level(&self) -> Option<u8> {
        self.dossier.level.map(|level| match level {
            Level::Information => 2,
            Level::Partial => 3,
            Level::Full => 4,
        })
    }

    /// When it was refused or withdrawn, if it ended so.
    pub(super) fn given_up(&self, refused: bool) -> Option<Moment> {
        let is_so = self.shown.status == status::CANCELLED && self.shown.refused == refused;
        self.dossier.ended.filter(|_| is_so)
    }

    /// The request for a supplement, if it had been made at a moment.
    pub(super) fn supplement(&self, now: Moment) -> Option<StatedSupplement> {
        let supplement = self.dossier.supplement.filter(|supplement| supplement.requested <= now)?;
        let provided = supplement.provided.filter(|&at| at <= now);
        let due_after = provided.and(self.dossier.due_change).map(|(_, due)| due);
        Some(StatedSupplement { requested: supplement.requested, provided, due_before: self.dossier.due, due_after })
    }

    /// The reception in a format of `strftime`; in some bad rows a day that does not exist.
    pub(super) fn received(&self, format: &str) -> Option<String> {
        if self.dossier.flaw == Some(Flaw::ImpossibleDate) {
            let impossible = format.replace("%m", "02").replace("%d", "31").replace("%H", "25").replace("%M", "61");
            return Some(written(self.dossier.applied, &impossible));
        }
        self.shown.accepted.map(|at| written(at, format))
    }

    /// An identity number of an invented person.
    pub(super) fn identity_number(&self) -> String {
        format!("000000{:06}", self.dossier.style % 1_000_000)
    }
}

/// A moment in a format of `strftime`, local time.
pub(super) fn written(at: Moment, format: &str) -> String {
    civil(at).strftime(format).to_string()
}

/// Name of an invented person.
pub(super) fn applicant_name(dossier: &Dossier) -> String {
    const GIVEN: [&str; 8] = ["An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Khánh", "Linh"];
    format!("Nguyễn Văn Mẫu {}", GIVEN[(dossier.style >> 8) as usize % GIVEN.len()])
}
