#![expect(clippy::disallowed_methods, reason = "edge: the simulated counters write their notes")]
//! The counters' notes on overdue dossiers: letters of apology and causes of delay; and writing of all lists that come
//! from neither portal nor post.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::simulator::Province;
use crate::simulator::list_cells::minute;
use crate::simulator::working_days::{DAY_SECS, Day, Moment, civil, day_number, day_of, evening};

const CAUSES: [&str; 5] = ["Cơ quan giải quyết", "Cơ quan phối hợp", "Người nộp hồ sơ", "Hệ thống", "Khác"];

/// A letter of apology, as a counter notes it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) number: Option<usize>,
    pub(super) sent: Option<Moment>,
    /// The day that it promises.
    pub(super) promised: Option<Day>,
}

impl Province {
    /// The letters of apology for a dossier that are noted down on an evening; `None` if it has no note. One overdue
    /// dossier in three has one, and so has every dossier whose due date an apology moved.
    pub(super) fn letters(&self, index: usize, now: Moment) -> Option<Vec<Letter>> {
        let dossier = &self.dossiers[index];
        if let Some((sent, promised)) = dossier.apology.filter(|(sent, _)| *sent <= now) {
            return Some(vec![Letter { number: Some(index * 2 + 1), sent: Some(sent), promised: Some(promised) }]);
        }
        let due = dossier.due.filter(|due| *due <= now && index % 3 == 1)?;
        if dossier.accepted.is_none() || dossier.ended.is_some_and(|ended| ended <= due) {
            return None;
        }
        let (first, due_day) = (index * 2 + 1, day_of(due));
        let letter = |number: Option<usize>, sent: Moment, promised: Day| Letter {
            number,
            sent: Some(sent),
            promised: Some(promised),
        };
        let before = (due_day - 1) * DAY_SECS + 16 * 3600;
        let letters = match index / 3 % 9 {
            0 => vec![],
            1 => vec![letter(Some(first), before, due_day + 5)],
            // On the day of the due date, and after it.
            2 => vec![letter(Some(first), due_day * DAY_SECS + 7 * 3600, due_day + 5)],
            3 => vec![letter(Some(first), before + 3 * DAY_SECS, due_day + 9)],
            4 => vec![Letter { number: Some(first), sent: None, promised: None }],
            // Two letters; and one letter with two promises.
            5 => {
                vec![letter(Some(first), before - DAY_SECS, due_day + 5), letter(Some(first + 1), before, due_day + 9)]
            }
            6 => vec![letter(Some(first), before, due_day + 5), letter(Some(first), before, due_day + 9)],
            // A date without a number and without a time of day.
            7 => vec![letter(None, (due_day - 2) * DAY_SECS, due_day + 5)],
            _ => vec![Letter { number: None, sent: None, promised: Some(due_day + 5) }],
        };
        Some(letters.into_iter().filter(|letter| letter.sent.is_none_or(|sent| sent <= now)).collect())
    }

    /// Writes the notes as of 20:00 of a day to `ghi-chu-YYYY-MM-DD.csv` in `folder`, which must exist.
    pub fn write_notes(&self, folder: &Path, day: Date) -> io::Result<PathBuf> {
        let day = day.min(self.today());
        let now = evening(day_number(day));
        let mut text = "STT;Mã hồ sơ;Nguyên nhân trễ;Số văn bản xin lỗi;Ngày xin lỗi;Hẹn trả lại\r\n".to_owned();
        let mut rows = 0_usize;
        for (number, dossier) in self.dossiers.iter().enumerate() {
            let Some(letters) = self.letters(number, now) else { continue };
            let (code, cause) = (self.code(dossier), CAUSES[number % CAUSES.len()]);
            let mut noted: Vec<String> = letters.iter().map(cells).collect();
            if noted.is_empty() {
                noted.push(";;".to_owned());
            }
            for letter in noted {
                rows += 1;
                writeln!(text, "{rows};{code};{cause};{letter}\r").map_err(io::Error::other)?;
            }
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

/// Number, date and promised date of a letter as cells.
fn cells(letter: &Letter) -> String {
    let number = letter.number.map(|number| format!("{number}/XL-MP")).unwrap_or_default();
    let promised = letter.promised.map(|day| civil(day * DAY_SECS).strftime("%d/%m/%Y").to_string());
    format!("{number};{};{}", letter.sent.map(minute).unwrap_or_default(), promised.unwrap_or_default())
}
