#![expect(clippy::disallowed_methods, reason = "edge: the simulated portal writes the messages that it sends")]
//! The messages by which a portal synchronises its dossiers with the national portal (domain A.1): `DongBoHoSoMC` and
//! `CapNhatTienDoHoSoMC`, as JSON and as XML, one file each.
//!
//! The messages of an evening have the dossiers that are new, and those that have changed, since the evening before. Of
//! a dossier that the portal's list has twice in different states, an earlier message has the older state. Of some dossiers
//! that ended, only the steps of their progress are sent; of others a step that the dossier's own row has outdated.

use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::simulator::Province;
use crate::simulator::dossier::{Channel, Dossier, Ending, RecordState, Resend, status};
use crate::simulator::stated::{StatedDossier, applicant_name, written};
use crate::simulator::working_days::{Moment, day_number, evening};

/// Encoding of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageFormat {
    Json,
    Xml,
}

/// Dossiers of one message.
const MESSAGE_SIZE: usize = 400;
const DATE_TIME: &str = "%Y%m%d%H%M%S";
const UNIT: &str = "000.00.00.H61";
/// Seconds after the evening at which the changed dossiers are sent, and the progress.
const CHANGED_AFTER: i64 = 60;
const PROGRESS_AFTER: i64 = 120;

/// A step in the progress of a dossier: its moment, and the status from then on.
#[derive(Debug, Clone, Copy)]
struct Step<'p> {
    dossier: &'p Dossier,
    at: Moment,
    status: &'static str,
}

impl Province {
    /// Writes the messages of the evening of a day into `folder`, which must exist: those of all dossiers, or of what has
    /// changed since the evening of `since`.
    pub fn write_messages(
        &self,
        folder: &Path,
        format: MessageFormat,
        since: Option<Date>,
        day: Date,
    ) -> io::Result<Vec<PathBuf>> {
        let now = evening(day_number(day.min(self.today())));
        let before = since.map(|day| evening(day_number(day)));
        let (mut new, mut changed, mut older, mut steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for dossier in self.dossiers.iter().filter(|dossier| self.is_in_portal(dossier)) {
            if before.is_some_and(|before| dossier.last_change(now) <= before) {
                continue;
            }
            let Some(shown) = dossier.shown(now) else { continue };
            let known = before.and_then(|before| Some((before, dossier.shown(before)?)));
            if let Some(progress) = known.and_then(|known| progress(dossier, known, shown, now)) {
                steps.extend(progress);
                continue;
            }
            steps.extend(outdated_step(dossier, known.map(|(before, _)| before), shown));
            let is_known = known.is_some();
            let stated = StatedDossier::new(self, dossier, shown);
            if is_known {
                changed.push(stated);
            } else {
                new.push(stated);
            }
            older.extend(self.older_state(dossier, now));
        }
        let mut written_files = Vec::new();
        for (dossiers, sent, is_update) in
            [(&older, now - 3_600, false), (&new, now, false), (&changed, now + CHANGED_AFTER, true)]
        {
            for (number, part) in (1..).zip(dossiers.chunks(MESSAGE_SIZE)) {
                let stamp = written(sent, DATE_TIME);
                let records: Vec<Value> = part.iter().map(|stated| record(stated, now)).collect();
                let is_update = Some(if is_update { "True" } else { "False" });
                let path = folder.join(format!("DongBoHoSoMC-{stamp}-{number:03}.{}", format.ending()));
                std::fs::write(&path, format.message("DongBoHoSoMC", is_update, &stamp, &records))?;
                written_files.push(path);
            }
        }
        // The last step first: senders keep no order.
        steps.sort_by_key(|step| std::cmp::Reverse((step.at, step.dossier.id)));
        let stamp = written(now + PROGRESS_AFTER, DATE_TIME);
        for (number, part) in (1..).zip(steps.chunks(MESSAGE_SIZE)) {
            let items: Vec<Value> = part.iter().map(|step| self.item(*step)).collect();
            let path = folder.join(format!("CapNhatTienDoHoSoMC-{stamp}-{number:03}.{}", format.ending()));
            std::fs::write(&path, format.message("CapNhatTienDoHoSoMC", None, &stamp, &items))?;
            written_files.push(path);
        }
        Ok(written_files)
    }

    /// A progress item.
    fn item(&self, step: Step<'_>) -> Value {
        let at = written(step.at, DATE_TIME);
        json!({
            "MaHoSo": self.code(step.dossier), "NguoiXuLy": applicant_name(step.dossier), "ChucDanh": "Chuyên viên",
            "ThoiDiemXuLy": at, "PhongBanXuLy": "Phòng chuyên môn", "NoiDungXuLy": "Chuyển bước xử lý",
            "TrangThai": step.status, "NgayBatDau": at, "NgayKetThucTheoQuyDinh": "",
        })
    }

    /// The state before the last change of a dossier that is sent twice.
    fn older_state<'p>(&'p self, dossier: &'p Dossier, now: Moment) -> Option<StatedDossier<'p>> {
        let Resend::Older(_) = dossier.resend else { return None };
        let shown = dossier.shown(dossier.last_change(now) - 1)?;
        Some(StatedDossier::new(self, dossier, shown))
    }
}

/// The steps since the evening `before` by which a dossier came from one state to another, if they say all that changed: it
/// was completed, or returned, or both. `None` for every other dossier, and for a quarter of these: they are sent whole.
fn progress(
    dossier: &Dossier,
    (before, known): (Moment, RecordState),
    shown: RecordState,
    now: Moment,
) -> Option<Vec<Step<'_>>> {
    let is_new = |at: &Moment| *at > before + CHANGED_AFTER && *at <= now;
    let supplement = dossier.supplement.iter().flat_map(|supplement| [Some(supplement.requested), supplement.provided]);
    let is_same = (known.accepted, known.due, known.channel) == (shown.accepted, shown.due, shown.channel)
        && shown.accepted.is_some()
        && !supplement.flatten().any(|at| at > before && at <= now);
    let is_sent_once = dossier.flaw.is_none() && !dossier.is_silent && !matches!(dossier.resend, Resend::Older(_));
    if !is_same || !is_sent_once || dossier.ending != Ending::Done || (dossier.style >> 20).is_multiple_of(4) {
        return None;
    }
    let mut steps = Vec::new();
    for (was, is, status) in [(known.completed, shown.completed, "9"), (known.returned, shown.returned, "10")] {
        if was != is {
            steps.push(Step { dossier, at: is.filter(is_new)?, status });
        }
    }
    // The last step says the status, and the order of two steps is that of their moments.
    let last = match shown.status {
        status::RETURNED => "10",
        status::HAS_RESULT => "9",
        _ => return None,
    };
    let is_ordered = steps.is_sorted_by(|earlier, later| earlier.at < later.at);
    (is_ordered && steps.last().is_some_and(|step| step.status == last)).then_some(steps)
}

/// For a quarter of the dossiers that are sent whole: a step before that message, which has a later state.
fn outdated_step(dossier: &Dossier, before: Option<Moment>, shown: RecordState) -> Option<Step<'_>> {
    let is_chosen = (dossier.style >> 21).is_multiple_of(4) && dossier.flaw.is_none() && !dossier.is_silent;
    let accepted = shown.accepted.filter(|_| is_chosen)?;
    Some(Step { dossier, at: before.map_or(accepted, |before| before + PROGRESS_AFTER), status: "4" })
}

impl MessageFormat {
    fn ending(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
        }
    }

    /// A message with its records. The envelope of XML is our own: no public sample has one (domain B.4).
    fn message(self, service: &str, is_update: Option<&str>, stamp: &str, records: &[Value]) -> String {
        if self == Self::Json {
            let mut message = json!({"session": "", "madonvi": UNIT, "service": service});
            if let Some(is_update) = is_update {
                message["isUpdating"] = json!(is_update);
            }
            message["data"] = json!(records);
            return message.to_string();
        }
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ThongDiep><Header><MaDonViGui>{UNIT}</MaDonViGui>\
             <Service>{service}</Service><ThoiGianGui>{stamp}</ThoiGianGui></Header><Body><DanhSachHoSo>"
        );
        for record in records {
            element(&mut text, "HoSo", record);
            text.push('\n');
        }
        text.push_str("</DanhSachHoSo></Body></ThongDiep>\n");
        text
    }
}

/// Appends a value as an element; the items of a list as elements `Muc` in it.
fn element(out: &mut String, name: &str, value: &Value) {
    let inner = match value {
        Value::Object(fields) => {
            let mut inner = String::new();
            for (name, value) in fields {
                element(&mut inner, name, value);
            }
            inner
        }
        Value::Array(items) => {
            let mut inner = String::new();
            for item in items {
                element(&mut inner, "Muc", item);
            }
            inner
        }
        Value::String(text) => text.replace('&', "&amp;").replace('<', "&lt;"),
        other => other.to_string(),
    };
    let written = if inner.is_empty() { format!("<{name}/>") } else { format!("<{name}>{inner}</{name}>") };
    out.push_str(&written);
}

fn record(stated: &StatedDossier<'_>, now: Moment) -> Value {
    let (dossier, shown) = (stated.dossier, stated.shown);
    let at = |moment: Option<Moment>| moment.map_or_else(String::new, |moment| written(moment, DATE_TIME));
    let channel = stated.channel().map_or("", |channel| match channel {
        Channel::Counter => "1",
        Channel::Online => "2",
        Channel::Postal => "3",
    });
    let procedure = stated.procedure();
    let rounds: Vec<Value> = stated
        .supplement(now)
        .iter()
        .map(|round| {
            json!({
                "HoSoBoSungId": "1", "NguoiYeuCauBoSung": applicant_name(dossier), "NoiDungBoSung": "Bổ sung giấy tờ",
                "NgayBoSung": at(Some(round.requested)), "NgayTiepNhanBoSung": at(round.provided),
                "TrangThaiBoSung": if round.provided.is_some() { "1" } else { "0" },
                "NgayHenTraTruoc": at(round.due_before), "NgayHenTraMoi": at(round.due_after),
            })
        })
        .collect();
    // Reference clients write every value as a text; some write numbers.
    let status = match stated.status() {
        Some(code) if dossier.style & 1 == 1 => code.parse::<u8>().map_or(Value::Null, Value::from),
        code => json!(code.unwrap_or_default()),
    };
    json!({
        "MaHoSo": stated.code().unwrap_or_default(), "MaTTHC": stated.procedure_code(), "TenTTHC": procedure.name,
        "MaLinhVuc": procedure.sector, "TenLinhVuc": procedure.sector, "KenhThucHien": channel,
        "ChuHoSo": applicant_name(dossier), "SoGiayToChuHoSo": stated.identity_number(), "LoaiDoiTuong": "1",
        "TrichYeuHoSo": "", "NgayNopHoSo": at(dossier.recorded_hand_in()),
        "NgayTiepNhan": stated.received(DATE_TIME).unwrap_or_default(), "NgayHenTra": at(shown.due),
        "NgayKetThucXuLy": at(shown.completed), "NgayTra": at(shown.returned), "NgayTuChoi": at(stated.given_up(true)),
        "TrangThaiHoSo": status, "HinhThuc": if dossier.return_by_post { "1" } else { "0" },
        "DonViXuLy": stated.agency_name().unwrap_or_default(), "NoiNopHoSo": "2", "DanhSachHoSoBoSung": rounds,
        "DanhSachLePhi": [],
    })
}
