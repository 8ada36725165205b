#![expect(clippy::disallowed_methods, reason = "edge: the simulated counters write their notes")]
//! The counters' notes on overdue dossiers: letters of apology and causes of delay; and writing of all lists that come
//! from neither portal nor post.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::simulator::Province;
use crate::simulator::list_cells::minute;
use crate::simulator::working_days::{DAY_SECS, civil, day_number, evening};

const CAUSES: [&str; 5] = ["Cơ quan giải quyết", "Cơ quan phối hợp", "Người nộp hồ sơ", "Hệ thống", "Khác"];

impl Province {
    /// Writes the notes as of 20:00 of a day to `ghi-chu-YYYY-MM-DD.csv` in `folder`, which must exist.
    pub fn write_notes(&self, folder: &Path, day: Date) -> io::Result<PathBuf> {
        let day = day.min(self.today());
        let now = evening(day_number(day));
        let mut text = "STT;Mã hồ sơ;Nguyên nhân trễ;Số văn bản xin lỗi;Ngày xin lỗi;Hẹn trả lại\r\n".to_owned();
        let mut rows = 0_usize;
        for (number, dossier) in self.dossiers.iter().enumerate() {
            let Some(due) = dossier.due.filter(|due| *due <= now && number % 3 == 1) else { continue };
            if dossier.accepted.is_none() || dossier.ended.is_some_and(|ended| ended <= due) {
                continue;
            }
            rows += 1;
            let apology = due - due % 60;
            let promised = civil(apology + 5 * DAY_SECS).strftime("%d/%m/%Y").to_string();
            let (code, cause) = (self.code(dossier), CAUSES[number % CAUSES.len()]);
            let letter =
                if number % 2 == 0 { format!("{rows}/XL-MP;{};{promised}", minute(apology)) } else { ";;".to_owned() };
            writeln!(text, "{rows};{code};{cause};{letter}\r").map_err(io::Error::other)?;
        }
        writeln!(text, "Tổng cộng;{rows};;;;\r").map_err(io::Error::other)?;
        let path = folder.join(format!("ghi-chu-{day}.csv"));
        std::fs::write(&path, text)?;
        Ok(path)
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
