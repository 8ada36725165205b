#![expect(clippy::disallowed_methods, reason = "edge: the simulated office writes its list")]
//! Feedback (phản ánh, kiến nghị) on dossiers, and the list of the office that receives it.
//!
//! Feedback uses no random draw: one dossier in `EVERY` has one, and its dates follow from the dossier's index. A
//! seed therefore gives the same dossiers with feedback as without.

use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::simulator::Province;
use crate::simulator::dossier::Dossier;
use crate::simulator::list_cells::minute;
use crate::simulator::working_days::{DAY_SECS, Moment, day_number, day_of, evening};

const COLUMNS: [&str; 12] = [
    "STT",
    "Mã PAKN",
    "Nguồn tiếp nhận",
    "Người gửi",
    "Đối tượng",
    "Nội dung",
    "Cơ quan xử lý",
    "Ngày tiếp nhận",
    "Ngày xử lý",
    "Kết quả",
    "Ngày trả lời",
    "Ngày công khai",
];

/// One dossier in this many has feedback.
const EVERY: usize = 23;

/// State of one feedback on an evening.
#[derive(Debug, Clone, Copy)]
pub(super) struct Feedback {
    number: usize,
    pub(super) agency: u32,
    pub(super) received: Moment,
    pub(super) handled: Option<Moment>,
    pub(super) answered: Option<Moment>,
    pub(super) published: Option<Moment>,
    /// About a regulation, not about an official's conduct.
    pub(super) on_regulation: bool,
}

impl Feedback {
    /// Number of its dossier.
    pub(super) fn number(&self) -> usize {
        self.number
    }
}

impl Province {
    /// Feedback received up to a moment.
    pub(super) fn feedback(&self, now: Moment) -> impl Iterator<Item = Feedback> {
        let with_feedback = self.dossiers.iter().enumerate().filter(|(number, _)| number % EVERY == 7);
        with_feedback.filter_map(move |(number, dossier)| state_at(number, dossier, now))
    }

    /// Writes the list of feedback as of 20:00 of a day into `folder`, which must exist: `pakn-YYYY-MM-DD.csv`.
    pub fn write_feedback(&self, folder: &Path, day: Date) -> io::Result<PathBuf> {
        let day = day.min(self.today());
        let mut text = "\u{feff}".as_bytes().to_vec();
        let mut writer = csv::WriterBuilder::new()
            .delimiter(b';')
            .flexible(true)
            .terminator(csv::Terminator::CRLF)
            .from_writer(&mut text);
        writer.write_record(["DANH SÁCH PHẢN ÁNH, KIẾN NGHỊ VỀ QUY ĐỊNH HÀNH CHÍNH, HÀNH VI HÀNH CHÍNH"])?;
        writer.write_record(COLUMNS)?;
        let mut rows = 0_u64;
        for feedback in self.feedback(evening(day_number(day))) {
            rows += 1;
            let at = |moment: Option<Moment>| moment.map(minute).unwrap_or_default();
            writer.write_record([
                rows.to_string(),
                format!("PAKN-{:06}", feedback.number),
                if feedback.number % 3 == 0 { "Bộ, ngành chuyển" } else { "Trực tiếp" }.to_owned(),
                "Người Mô Phỏng".to_owned(),
                if feedback.on_regulation { "Quy định hành chính" } else { "Hành vi hành chính" }.to_owned(),
                "Nội dung do chương trình mô phỏng đặt ra; chờ lâu, phải đi lại nhiều lần".to_owned(),
                self.registry.agencies[feedback.agency as usize].name.clone(),
                minute(feedback.received),
                at(feedback.handled),
                feedback
                    .handled
                    .map_or("", |_| if feedback.number % 5 == 0 { "Kiến nghị xử lý" } else { "Đã xử lý" })
                    .to_owned(),
                at(feedback.answered),
                at(feedback.published),
            ])?;
        }
        let mut last = vec![String::new(); COLUMNS.len()];
        "Tổng cộng".clone_into(&mut last[0]);
        last[1] = rows.to_string();
        writer.write_record(last)?;
        writer.flush()?;
        drop(writer);
        let path = folder.join(format!("pakn-{day}.csv"));
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

/// State at a moment; `None` before it was received.
///
/// Feedback is received half an hour after the dossier's acceptance, or together with it if half an hour later is
/// another day.
fn state_at(number: usize, dossier: &Dossier, now: Moment) -> Option<Feedback> {
    let accepted = dossier.accepted?;
    let later = accepted + 1_800;
    let received = if day_of(later) == day_of(accepted) { later } else { accepted };
    let received = received - received % 60;
    let days = |count: usize| i64::try_from(count).expect("a few days") * DAY_SECS;
    let known = |at: Moment| Some(at).filter(|at| *at <= now);
    // One in eleven is never handled; one in seven is never published.
    let handled = (number % 11 != 4).then(|| received + days(1 + number % 29)).and_then(known);
    let answered = handled.map(|at| at + days(number % 3)).and_then(known);
    let published = answered.filter(|_| number % 7 != 2).map(|at| at + days(number % 5)).and_then(known);
    let on_regulation = number % 4 != 1;
    let agency = dossier.agency;
    (received <= now).then_some(Feedback { number, agency, received, handled, answered, published, on_regulation })
}
