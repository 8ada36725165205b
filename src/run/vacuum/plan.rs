//! What a vacuum removes, and its report on everything that it examined.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::lake::LakeFile;
use crate::landing::retention::LandedFolder;
use crate::publish::RemovedFigures;
use crate::publish::retention::NightFolder;

/// Whether something is removed or kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VacuumAction {
    Removed,
    Kept,
}

/// How much of one kind is removed or kept for one reason.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct VacuumLine {
    pub kind: &'static str,
    pub action: VacuumAction,
    pub reason: String,
    /// Number of files; for `slots`, `file_lists` and `rejections`, of rows.
    pub count: u64,
    pub bytes: u64,
}

/// What is to be removed, and the report on everything that was examined.
#[derive(Default)]
pub(super) struct VacuumPlan {
    /// Whether nothing is written while it is made.
    pub(super) is_dry: bool,
    /// Data files of the lake.
    pub(super) lake: Vec<LakeFile>,
    /// Damaged log entries.
    pub(super) damaged: Vec<LakeFile>,
    /// Nights whose files are removed, each with the mark to leave if all of its figures are.
    pub(super) nights: Vec<(NightFolder, Option<RemovedFigures>)>,
    pub(super) landed: Vec<LandedFolder>,
    pub(super) definitions: Vec<PathBuf>,
    pub(super) slots_before: Option<i64>,
    /// Whether cursors of old pulls list files.
    pub(super) has_old_file_lists: bool,
    /// Whether rejections that later ones count can be deleted.
    pub(super) has_old_repeats: bool,
    /// Half-written files of landing.
    pub(super) landing_left: Vec<PathBuf>,
    /// Half-written files of published nights.
    pub(super) nights_left: Vec<PathBuf>,
    /// Kind, action and reason → number and bytes.
    report: BTreeMap<(VacuumKind, VacuumAction, String), (u64, u64)>,
}

/// Kinds in the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VacuumKind {
    Lake,
    Nights,
    Landing,
    Definitions,
    Slots,
    FileLists,
    Rejections,
    Leftovers,
}

impl VacuumKind {
    fn name(self) -> &'static str {
        match self {
            Self::Lake => "lake",
            Self::Nights => "nights",
            Self::Landing => "landing",
            Self::Definitions => "definitions",
            Self::Slots => "slots",
            Self::FileLists => "file_lists",
            Self::Rejections => "rejections",
            Self::Leftovers => "leftovers",
        }
    }
}

impl VacuumPlan {
    /// Nothing is to be removed yet.
    pub(super) fn new(is_dry: bool) -> Self {
        Self { is_dry, ..Self::default() }
    }

    pub(super) fn removes(&mut self, kind: VacuumKind, reason: impl Into<String>, amount: (u64, u64)) {
        self.report(kind, VacuumAction::Removed, reason.into(), amount);
    }

    pub(super) fn keeps(&mut self, kind: VacuumKind, reason: impl Into<String>, amount: (u64, u64)) {
        self.report(kind, VacuumAction::Kept, reason.into(), amount);
    }

    fn report(&mut self, kind: VacuumKind, action: VacuumAction, reason: String, (count, bytes): (u64, u64)) {
        let known = self.report.entry((kind, action, reason)).or_default();
        *known = (known.0 + count, known.1 + bytes);
    }

    /// The report, without empty lines.
    pub(super) fn into_lines(self) -> Vec<VacuumLine> {
        let amounts = self.report.into_iter().filter(|(_, (count, _))| *count > 0);
        let line = |((kind, action, reason), (count, bytes)): ((VacuumKind, _, _), _)| VacuumLine {
            kind: kind.name(),
            action,
            reason,
            count,
            bytes,
        };
        amounts.map(line).collect()
    }
}
