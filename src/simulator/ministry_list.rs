#![expect(clippy::disallowed_methods, reason = "edge: the simulated ministry writes its export")]
//! A second source of dossiers: the software of a ministry (domain F.1, F.13). Some of its dossiers are copies of the
//! portal's, under the ministry's own code; some the portal does not have.
//!
//! A copy states other things than the portal: it ends later, without a due date, and comes through the counter. A
//! province that counted it, or both, would get other figures.

use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::simulator::Province;
use crate::simulator::dossier::{Channel, Dossier, Level, RecordState, status};
use crate::simulator::working_days::{DAY_SECS, Moment, civil, date_of, day_number, day_of, evening};

/// The connector that reads the export: `connector.toml`.
pub const MINISTRY_CONNECTOR: &str = include_str!("ministry-software.toml");

const COLUMNS: [&str; 15] = [
    "MaHoSo",
    "MaHoSoQuocGia",
    "MaHoSoKhac",
    "MaTTHC",
    "MaLinhVuc",
    "DonViXuLy",
    "NgayNopHoSo",
    "NgayTiepNhan",
    "NgayHenTra",
    "NgayKetThucXuLy",
    "NgayTra",
    "KenhThucHien",
    "HinhThuc",
    "MucDo",
    "TrangThaiHoSo",
];

/// Which sources have a dossier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeldBy {
    Portal,
    Both,
    Ministry,
}

impl Province {
    fn held_by(&self, dossier: &Dossier) -> HeldBy {
        if !self.has_ministry || dossier.flaw.is_some() {
            return HeldBy::Portal;
        }
        match (dossier.style >> 10) % 32 {
            0..5 => HeldBy::Both,
            5 => HeldBy::Ministry,
            _ => HeldBy::Portal,
        }
    }

    /// Whether the portal lists a dossier.
    pub(super) fn is_in_portal(&self, dossier: &Dossier) -> bool {
        self.held_by(dossier) != HeldBy::Ministry
    }

    /// The rows of the ministry's software at a moment.
    pub(super) fn ministry_rows(&self, now: Moment) -> Vec<MinistryRow> {
        let row = |(number, dossier): (u32, &Dossier)| {
            let shown = dossier.shown(now)?;
            match self.held_by(dossier) {
                HeldBy::Portal => None,
                HeldBy::Both => Some(self.copy(number, dossier, &shown, now)),
                HeldBy::Ministry => Some(self.only_here(dossier, &shown, now)),
            }
        };
        (0..).zip(&self.dossiers).filter_map(row).collect()
    }

    /// Writes the ministry's export as of 20:00 of a day to `ho-so-YYYY-MM-DD.csv` in `folder`, which must exist.
    pub fn write_ministry_list(&self, folder: &Path, day: Date) -> io::Result<PathBuf> {
        let day = day.min(self.today());
        let mut text = Vec::new();
        let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(&mut text);
        writer.write_record(COLUMNS)?;
        for row in self.ministry_rows(evening(day_number(day))) {
            writer.write_record(row.cells())?;
        }
        writer.flush()?;
        drop(writer);
        let path = folder.join(format!("ho-so-{day}.csv"));
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// A dossier that the portal does not have. It states what the portal would state, under the same code.
    fn only_here(&self, dossier: &Dossier, shown: &RecordState, now: Moment) -> MinistryRow {
        let channel = match shown.channel {
            _ if !dossier.states_channel() => "",
            Channel::Counter => "1",
            Channel::Online => "2",
            Channel::Postal => "3",
        };
        let status = if dossier.is_silent { "" } else { status_code(shown.status) };
        let wish = match dossier.channel {
            _ if dossier.return_by_post => "1",
            Channel::Online if dossier.style >> 4 & 1 == 1 => "2",
            _ => "0",
        };
        let level = match dossier.level {
            None => "",
            Some(Level::Information) => "2",
            Some(Level::Partial) => "3",
            Some(Level::Full) => "4",
        };
        let dates = [dossier.recorded_hand_in(), shown.accepted, shown.due, shown.completed, shown.returned];
        let codes = [self.code(dossier), String::new(), String::new()];
        self.ministry_row(dossier, codes, dates, [channel, wish, level, status], dossier.last_change(now))
    }

    /// The ministry's row of a dossier of the portal. `number`: makes its code.
    fn copy(&self, number: u32, dossier: &Dossier, shown: &RecordState, now: Moment) -> MinistryRow {
        let own = ministry_code(dossier.applied, number + 1);
        let codes = match dossier.style >> 15 & 3 {
            0 => [self.code(dossier), String::new(), String::new()],
            1 => [own, String::new(), self.code(dossier)],
            _ => [own, self.code(dossier), String::new()],
        };
        let ended = shown.completed.map(|at| at + 5 * DAY_SECS).filter(|at| *at <= now);
        let dates = [Some(dossier.applied), shown.accepted, None, ended, None];
        let changed = dates.into_iter().flatten().max().unwrap_or(dossier.applied);
        self.ministry_row(dossier, codes, dates, ["1", "0", "2", if ended.is_some() { "9" } else { "4" }], changed)
    }

    fn ministry_row(
        &self,
        dossier: &Dossier,
        codes: [String; 3],
        dates: [Option<Moment>; 5],
        words: [&'static str; 4],
        changed: Moment,
    ) -> MinistryRow {
        let procedure = &self.registry.procedures[dossier.procedure as usize];
        let agency = &self.registry.agencies[dossier.agency as usize];
        let names = [&procedure.code, &procedure.sector, &agency.code].map(Clone::clone);
        MinistryRow { codes, names, dates, words, changed }
    }
}

/// A dossier in the ministry's software.
#[derive(Debug)]
pub(super) struct MinistryRow {
    /// Its own code, the national one, a further one; empty if there is none.
    pub(super) codes: [String; 3],
    /// Codes of procedure, sector and agency.
    pub(super) names: [String; 3],
    /// Submitted, received, due, completed, returned.
    pub(super) dates: [Option<Moment>; 5],
    /// Channel, wish for the return, level, status; empty if it is not stated.
    pub(super) words: [&'static str; 4],
    /// When the row changed last.
    pub(super) changed: Moment,
}

impl MinistryRow {
    /// The cells of the export, in the order of its columns.
    fn cells(self) -> [String; COLUMNS.len()] {
        let shown = |at: Option<Moment>| at.map(|at| civil(at).strftime("%d/%m/%Y %H:%M:%S").to_string());
        let [code, national, other] = self.codes;
        let [procedure, sector, agency] = self.names;
        let [submitted, received, due, completed, returned] = self.dates.map(|at| shown(at).unwrap_or_default());
        let [channel, wish, level, status] = self.words.map(str::to_owned);
        [
            code, national, other, procedure, sector, agency, submitted, received, due, completed, returned, channel,
            wish, level, status,
        ]
    }
}

/// Code of a dossier in the ministry's software: `G09.20-20260609-0092637`. `number`: above 0.
fn ministry_code(applied: Moment, number: u32) -> String {
    let day = date_of(day_of(applied));
    format!("G09.20-{:04}{:02}{:02}-{number:07}", day.year(), day.month(), day.day())
}

/// The national code of a status (domain A.1).
fn status_code(portal: u8) -> &'static str {
    match portal {
        status::NEW => "1",
        status::SUPPLEMENT => "5",
        status::HAS_RESULT => "9",
        status::RETURNED => "10",
        status::CANCELLED => "7",
        _ => "4",
    }
}
