#![expect(clippy::disallowed_methods, reason = "edge: the simulated counters write their notes")]
//! The counters' notes on overdue dossiers: letters of apology and causes of delay; and writing of all lists that come
//! from neither portal nor post.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::simulator::Province;
use crate::simulator::list_cells::minute;
use crate::simulator::working_days::{DAY_SECS, Day, Moment, date_of, day_number, day_of, evening};

const CAUSES: [&str; 5] = ["Cơ quan giải quyết", "Cơ quan phối hợp", "Người nộp hồ sơ", "Hệ thống", "Khác"];

impl Province {
    /// Writes the notes as of 20:00 of a day to `ghi-chu-YYYY-MM-DD.csv` in `folder`, which must exist.
    pub fn write_notes(&self, folder: &Path, day: Date) -> io::Result<PathBuf> {
        let day = day.min(self.today());
        let now = evening(day_number(day));
        let mut text = "STT;Mã hồ sơ;Nguyên nhân trễ;Số văn bản xin lỗi;Ngày xin lỗi;Hẹn trả lại\r\n".to_owned();
        let mut rows = 0_usize;
        for (number, dossier) in self.dossiers.iter().enumerate() {
            let apology = self.apology(number, now);
            if apology.is_none() && !self.is_noted(number, now) {
                continue;
            }
            rows += 1;
            let (code, cause) = (self.code(dossier), CAUSES[number % CAUSES.len()]);
            let letter = apology.map_or(";;".to_owned(), |(sent, promised)| {
                let promised = date_of(promised).strftime("%d/%m/%Y");
                format!("{rows}/XL-MP;{};{promised}", minute(sent))
            });
            writeln!(text, "{rows};{code};{cause};{letter}\r").map_err(io::Error::other)?;
        }
        writeln!(text, "Tổng cộng;{rows};;;;\r").map_err(io::Error::other)?;
        let path = folder.join(format!("ghi-chu-{day}.csv"));
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// Whether a note states who caused the delay of dossier `number`.
    fn is_noted(&self, number: usize, now: Moment) -> bool {
        let dossier = &self.dossiers[number];
        let due = dossier.due.filter(|due| *due <= now && number % 3 == 1 && dossier.accepted.is_some());
        due.is_some_and(|due| dossier.ended.is_none_or(|ended| ended > due))
    }

    /// The letter of apology for dossier `number` that was sent by `now`: when, and the day that it announces.
    pub(super) fn apology(&self, number: usize, now: Moment) -> Option<(Moment, Day)> {
        let dossier = &self.dossiers[number];
        if let Some(apology) = dossier.apology.filter(|(sent, _)| *sent <= now) {
            return Some(apology);
        }
        let due = dossier.due.filter(|_| number % 2 == 0 && self.is_noted(number, now))?;
        Some((due - due % 60, day_of(due - due % 60 + 5 * DAY_SECS)))
    }

    /// Writes feedback, measures and notes, each into a folder of its own below `folder`. Returns the folders `pakn`,
    /// `so-lieu` and `ghi-chu`, in this order.
    pub fn write_lists(&self, folder: &Path, day: Date) -> io::Result<[PathBuf; 3]> {
        let folders = ["pakn", "so-lieu", "ghi-chu"].map(|name| folder.join(name));
        for folder in &folders {
            std::fs::create_dir_all(folder)?;
        }
        self.write_feedback(&folders[0], day)?;
        self.write_measures(&folders[1], day)?;
        self.write_notes(&folders[2], day)?;
        Ok(folders)
    }
}
