#![expect(clippy::disallowed_methods, reason = "edge: the simulated post office writes its exports")]
//! The post's monthly lists of postal items (BCCI), as CSV files in a folder.
//!
//! `bcci-YYYY-MM-DD.csv` lists the items that were accepted, delivered, given up or withdrawn in that month, in the
//! state of 20:00 of the day in the name (the month's last day, or the day of writing). An item that changes in a later
//! month is listed in that month's file again; the later file is right. Layout (domain B.5): UTF-8 with a byte order
//! mark, `;`, two title rows, a footer "Tổng cộng", CRLF.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;

use crate::simulator::faults::Fault;
use crate::simulator::list_cells::{dong, minute};
use crate::simulator::post::{PostalService, Waybill};
use crate::simulator::working_days::{Moment, date_of, day_number, day_of, evening};
use crate::simulator::{Province, faulty_exports};

const COLUMNS: [&str; 10] = [
    "STT",
    "Mã vận đơn",
    "Mã hồ sơ",
    "Mã TTHC",
    "Đơn vị",
    "Loại dịch vụ",
    "Ngày chấp nhận",
    "Ngày phát",
    "Trạng thái",
    "Phí thu hộ",
];

impl Province {
    /// Writes one file a month up to `day` into `folder`, which must exist, and returns their paths. Months without
    /// items get no file. Files of earlier days stay.
    pub fn write_exports(&self, folder: &Path, day: Date) -> io::Result<Vec<PathBuf>> {
        self.write_exports_with(folder, day, None)
    }

    /// As [`Province::write_exports`], with a fault in the last list. A fault of HTTP changes nothing.
    pub fn write_exports_with(&self, folder: &Path, day: Date, fault: Option<Fault>) -> io::Result<Vec<PathBuf>> {
        let mut written = Vec::new();
        let lists = self.lists(day)?;
        let newest = lists.len().saturating_sub(1);
        for (number, (last, text)) in lists.into_iter().enumerate() {
            let fault = fault.filter(|_| number == newest);
            let files = match fault {
                Some(fault) => faulty_exports::files(fault, text),
                None => vec![(".csv", text)],
            };
            let several = files.len() > 1;
            for (index, (ending, bytes)) in files.into_iter().enumerate() {
                let path = folder.join(format!("bcci-{last}{ending}"));
                std::fs::write(&path, bytes)?;
                if (several && index == 0) || fault == Some(Fault::PutBack) {
                    make_an_hour_older(&path)?;
                }
                written.push(path);
            }
            match fault {
                Some(Fault::LockFile) => std::fs::write(folder.join(format!("~$bcci-{last}.xlsx")), [b' '; 165])?,
                Some(Fault::RenamedList) => remove(&folder.join(format!("bcci-{last}.csv")))?,
                _ => {}
            }
        }
        Ok(written)
    }

    /// Writes the exports as they are `nights` before a fault shows, in place of those that are there.
    pub fn write_exports_before(&self, folder: &Path, day: Date, fault: Fault, nights: u32) -> io::Result<()> {
        for (place, (last, text)) in self.lists(day)?.into_iter().rev().enumerate() {
            let path = folder.join(format!("bcci-{last}.csv"));
            match faulty_exports::before(fault, nights, place, text) {
                Some(text) => std::fs::write(&path, text)?,
                None => remove(&path)?,
            }
        }
        Ok(())
    }

    /// The lists up to a day, each with its last day and content. Months without items have none.
    fn lists(&self, day: Date) -> io::Result<Vec<(Date, Vec<u8>)>> {
        let day = day.min(self.today());
        let mut lists = Vec::new();
        let Some(first) = self.waybills.first() else { return Ok(lists) };
        let mut month = date_of(day_of(first.accepted)).first_of_month();
        while month <= day {
            let last = month.last_of_month().min(day);
            lists.extend(self.export(month, last)?.map(|text| (last, text)));
            let Ok(next) = month.last_of_month().tomorrow() else { break };
            month = next;
        }
        Ok(lists)
    }

    /// Content of one file; `None` if no item changed in the month.
    fn export(&self, month: Date, last: Date) -> io::Result<Option<Vec<u8>>> {
        // A month's changes end in the evening of its last day: later ones belong to the next file.
        let from = evening(day_number(month) - 1);
        let now = evening(day_number(last));
        let items: Vec<&Waybill> =
            self.waybills.iter().filter(|item| item.changes().any(|at| from < at && at <= now)).collect();
        if items.is_empty() {
            return Ok(None);
        }
        let mut text = "\u{feff}".as_bytes().to_vec();
        let mut writer = csv::WriterBuilder::new()
            .delimiter(b';')
            .flexible(true)
            .terminator(csv::Terminator::CRLF)
            .from_writer(&mut text);
        writer.write_record(["BẢNG KÊ BƯU GỬI HỒ SƠ, KẾT QUẢ GIẢI QUYẾT TTHC QUA DỊCH VỤ BƯU CHÍNH CÔNG ÍCH"])?;
        let title = format!("Tháng {}, đến 20:00 ngày {}", month.strftime("%m/%Y"), last.strftime("%d/%m/%Y"));
        writer.write_record([title])?;
        writer.write_record(COLUMNS)?;
        let mut fees = 0;
        for (number, item) in (1_u32..).zip(items) {
            fees += item.fee;
            writer.write_record(self.export_row(number, item, now))?;
        }
        let mut footer = [""; COLUMNS.len()].map(str::to_owned);
        "Tổng cộng".clone_into(&mut footer[0]);
        footer[COLUMNS.len() - 1] = dong(fees);
        writer.write_record(footer)?;
        writer.flush()?;
        drop(writer);
        Ok(Some(text))
    }

    fn export_row(&self, number: u32, item: &Waybill, now: Moment) -> [String; COLUMNS.len()] {
        let dossier = &self.dossiers[item.target.dossier_index()];
        let delivered = item.finished.filter(|&(at, well)| at <= now && well).map(|(at, _)| minute(at));
        [
            number.to_string(),
            item.item_code(),
            self.order_number(item),
            self.registry.procedures[dossier.procedure as usize].code.clone(),
            self.registry.agencies[dossier.agency as usize].name.clone(),
            match item.service {
                PostalService::Submission => "Tiếp nhận hồ sơ",
                PostalService::Return => "Trả kết quả",
            }
            .to_owned(),
            minute(item.accepted),
            delivered.unwrap_or_default(),
            item.status(now).to_owned(),
            dong(item.fee),
        ]
    }
}

/// Removes a file if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// So that the first of two files is the older one.
fn make_an_hour_older(path: &Path) -> io::Result<()> {
    let file = std::fs::File::options().append(true).open(path)?;
    let modified = file.metadata()?.modified()?;
    file.set_modified(modified - Duration::from_hours(1))
}

/// Rewrites a list in place, in two halves with a pause, as a program without regard for readers does.
pub fn write_again(path: &Path) -> io::Result<()> {
    let whole = std::fs::read(path)?;
    let (first, second) = whole.split_at(whole.len() / 2);
    let mut file = std::fs::File::create(path)?;
    file.write_all(first)?;
    std::thread::sleep(Duration::from_millis(40));
    file.write_all(second)?;
    std::thread::sleep(Duration::from_millis(20));
    Ok(())
}

/// Saves a list with its items in the opposite order, as spreadsheet programs do: a new file takes the place of the old one.
pub fn save_in_other_order(path: &Path) -> io::Result<()> {
    let reversed = faulty_exports::reversed(&std::fs::read(path)?);
    let beside = path.with_file_name(".saving.tmp");
    std::fs::write(&beside, reversed)?;
    std::fs::rename(&beside, path)
}
