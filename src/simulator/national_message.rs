#![expect(clippy::disallowed_methods, reason = "edge: the simulated portal writes the messages that it sends")]
//! The messages by which a portal synchronises its dossiers with the national portal (domain A.1): `DongBoHoSoMC`, as
//! JSON and as XML, one file each.
//!
//! The messages of an evening have the dossiers that are new, and those that have changed, since the evening before. Of
//! a dossier that the portal's list has twice in different states, an earlier message has the older state.

use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::simulator::Province;
use crate::simulator::dossier::{Channel, Dossier, Resend};
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
        let (mut new, mut changed, mut older) = (Vec::new(), Vec::new(), Vec::new());
        for dossier in self.dossiers.iter().filter(|dossier| self.is_in_portal(dossier)) {
            if before.is_some_and(|before| dossier.last_change(now) <= before) {
                continue;
            }
            let Some(shown) = dossier.shown(now) else { continue };
            let is_known = before.is_some_and(|before| dossier.shown(before).is_some());
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
            [(&older, now - 3_600, false), (&new, now, false), (&changed, now + 60, true)]
        {
            for (number, part) in (1..).zip(dossiers.chunks(MESSAGE_SIZE)) {
                let stamp = written(sent, DATE_TIME);
                let (ending, text) = match format {
                    MessageFormat::Json => ("json", json_message(part, is_update, now)),
                    MessageFormat::Xml => ("xml", xml_message(part, &stamp, now)),
                };
                let path = folder.join(format!("DongBoHoSoMC-{stamp}-{number:03}.{ending}"));
                std::fs::write(&path, text)?;
                written_files.push(path);
            }
        }
        Ok(written_files)
    }

    /// The state before the last change of a dossier that is sent twice.
    fn older_state<'p>(&'p self, dossier: &'p Dossier, now: Moment) -> Option<StatedDossier<'p>> {
        let Resend::Older(_) = dossier.resend else { return None };
        let shown = dossier.shown(dossier.last_change(now) - 1)?;
        Some(StatedDossier::new(self, dossier, shown))
    }
}

fn json_message(part: &[StatedDossier<'_>], is_update: bool, now: Moment) -> String {
    let data: Vec<Value> = part.iter().map(|stated| record(stated, now)).collect();
    json!({
        "session": "", "madonvi": UNIT, "service": "DongBoHoSoMC",
        "isUpdating": if is_update { "True" } else { "False" }, "data": data,
    })
    .to_string()
}

/// The envelope is our own: no public sample has one (domain B.4).
fn xml_message(part: &[StatedDossier<'_>], stamp: &str, now: Moment) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ThongDiep><Header><MaDonViGui>{UNIT}</MaDonViGui>\
         <Service>DongBoHoSoMC</Service><ThoiGianGui>{stamp}</ThoiGianGui></Header><Body><DanhSachHoSo>"
    );
    for stated in part {
        element(&mut text, "HoSo", &record(stated, now));
        text.push('\n');
    }
    text.push_str("</DanhSachHoSo></Body></ThongDiep>\n");
    text
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
