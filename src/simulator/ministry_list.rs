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

    /// Writes the ministry's export as of 20:00 of a day to `ho-so-YYYY-MM-DD.csv` in `folder`, which must exist.
    pub fn write_ministry_list(&self, folder: &Path, day: Date) -> io::Result<PathBuf> {
        let day = day.min(self.today());
        let now = evening(day_number(day));
        let mut text = Vec::new();
        let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(&mut text);
        writer.write_record(COLUMNS)?;
        for (number, dossier) in (0..).zip(&self.dossiers) {
            let Some(shown) = dossier.shown(now) else { continue };
            match self.held_by(dossier) {
                HeldBy::Portal => {}
                HeldBy::Both => writer.write_record(self.copy(number, dossier, &shown, now))?,
                HeldBy::Ministry => writer.write_record(self.only_here(dossier, &shown))?,
            }
        }
        writer.flush()?;
        drop(writer);
        let path = folder.join(format!("ho-so-{day}.csv"));
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// A dossier that the portal does not have. It states what the portal would state, under the same code.
    fn only_here(&self, dossier: &Dossier, shown: &RecordState) -> [String; COLUMNS.len()] {
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
        self.row(dossier, codes, dates, [channel, wish, level, status])
    }

    /// The ministry's row of a dossier of the portal. `number`: makes its code.
    fn copy(&self, number: u32, dossier: &Dossier, shown: &RecordState, now: Moment) -> [String; COLUMNS.len()] {
        let own = ministry_code(dossier.applied, number + 1);
        let codes = match dossier.style >> 15 & 3 {
            0 => [self.code(dossier), String::new(), String::new()],
            1 => [own, String::new(), self.code(dossier)],
            _ => [own, self.code(dossier), String::new()],
        };
        let ended = shown.completed.map(|at| at + 5 * DAY_SECS).filter(|at| *at <= now);
        let dates = [Some(dossier.applied), shown.accepted, None, ended, None];
        self.row(dossier, codes, dates, ["1", "0", "2", if ended.is_some() { "9" } else { "4" }])
    }

    fn row(
        &self,
        dossier: &Dossier,
        codes: [String; 3],
        dates: [Option<Moment>; 5],
        words: [&str; 4],
    ) -> [String; COLUMNS.len()] {
        let procedure = &self.registry.procedures[dossier.procedure as usize];
        let agency = self.registry.agencies[dossier.agency as usize].code.clone();
        let shown = |at: Option<Moment>| at.map(|at| civil(at).strftime("%d/%m/%Y %H:%M:%S").to_string());
        let [code, national, other] = codes;
        let [submitted, received, due, completed, returned] = dates.map(|at| shown(at).unwrap_or_default());
        let [channel, wish, level, status] = words.map(str::to_owned);
        let (procedure, sector) = (procedure.code.clone(), procedure.sector.clone());
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
