//! The services of two ministries' software, with the dossiers of `ministry_list`: the DvcSync adapter of 2026, and the
//! SLD service with XML inside JSON (domain A.1).

use std::collections::HashMap;

use jiff::civil::DateTime;
use serde_json::{Value, json};

use crate::simulator::Province;
use crate::simulator::ministry_list::MinistryRow;
use crate::simulator::stated::written;
use crate::simulator::working_days::Moment;

pub const DVCSYNC_PATH: &str = "/api/dossiers";
pub const SLD_PATH: &str = "/api/hoso";
/// The key of the SLD service. Not a secret: it protects invented dossiers.
pub const SLD_KEY: &str = "simulated-key";

const DEFAULT_SIZE: usize = 50;
/// The three forms in which the adapter writes a date.
const DVCSYNC_FORMS: [&str; 3] = ["%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%S.000"];
const SLD_FORM: &str = "%d/%m/%Y %H:%M:%S";

type Fields = HashMap<String, String>;

/// First and last moment that a request asks for, both included.
fn range(fields: &Fields, from: &str, to: &str, form: &str) -> Result<(Moment, Moment), String> {
    let bound = |name: &str, default: Moment| match fields.get(name).filter(|text| !text.is_empty()) {
        None => Ok(default),
        Some(text) => DateTime::strptime(form, text)
            .map(|at| at.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0)).as_secs())
            .map_err(|_| format!("`{name}` is not a moment: `{text}`")),
    };
    Ok((bound(from, Moment::MIN)?, bound(to, Moment::MAX)?))
}

/// A page of the dossiers that have changed in a time, with their total.
pub(super) fn dvcsync(province: &Province, fields: &Fields, now: Moment) -> Result<String, String> {
    let (from, to) = range(fields, "fromDate", "toDate", DVCSYNC_FORMS[0])?;
    let number = |name: &str, default: usize| fields.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (page, size) = (number("page", 1).max(1), number("size", DEFAULT_SIZE).max(1));
    let mut rows = province.ministry_rows(now);
    rows.retain(|row| (from..=to).contains(&row.changed));
    let total = rows.len();
    let data: Vec<Value> = rows.iter().skip((page - 1) * size).take(size).map(dvcsync_record).collect();
    Ok(json!({"total": total, "page": page, "data": data}).to_string())
}

fn dvcsync_record(row: &MinistryRow) -> Value {
    let [code, national, other] = &row.codes;
    let [procedure, sector, agency] = &row.names;
    let mut forms = DVCSYNC_FORMS.into_iter().cycle();
    let dates = row.dates.map(|at| {
        let form = forms.next().unwrap_or(DVCSYNC_FORMS[0]);
        at.map(|at| written(at, form))
    });
    let [submitted, received, due, completed, returned] = dates;
    let [channel, wish, level, status] = row.words.map(|word| word.parse::<u8>().ok());
    json!({
        "MaHoSo": code, "MaHoSoQuocGia": national, "MaHoSoKhac": other, "MaTTHC": procedure, "MaLinhVuc": sector,
        "MaDonViXuLy": agency, "NgayNopHoSo": submitted, "NgayTiepNhan": received, "NgayHenTra": due,
        "NgayKetThucXuLy": completed, "NgayTra": returned, "KenhThucHien": channel, "HinhThuc": wish, "MucDo": level,
        "TrangThaiHoSo": status, "NgayCapNhat": written(row.changed, DVCSYNC_FORMS[2]),
    })
}

/// The dossiers that were received in a time.
pub(super) fn sld(province: &Province, fields: &Fields, now: Moment) -> Result<String, String> {
    let (from, to) = range(fields, "tuNgay", "denNgay", SLD_FORM)?;
    let mut rows = province.ministry_rows(now);
    rows.retain(|row| row.dates[1].is_some_and(|at| (from..=to).contains(&at)));
    let data: Vec<Value> = rows.iter().map(sld_record).collect();
    Ok(json!({"result": {"message": "Thành công", "error_code": 0, "data": data}}).to_string())
}

fn sld_record(row: &MinistryRow) -> Value {
    let [code, national, other] = &row.codes;
    let [procedure, sector, agency] = &row.names;
    let [submitted, received, due, completed, returned] =
        row.dates.map(|at| at.map_or_else(String::new, |at| written(at, SLD_FORM)));
    let [channel, wish, level, status] = row.words;
    let further = [
        ("MaHoSoQuocGia", national.as_str()),
        ("MaHoSoKhac", other),
        ("MaDonVi", agency),
        ("KenhThucHien", channel),
        ("HinhThuc", wish),
        ("MucDo", level),
        ("NgayTra", &returned),
    ];
    let elements: String = further.iter().flat_map(|(name, text)| ["<", name, ">", text, "</", name, ">"]).collect();
    json!({
        "MaHoSo": code, "MaTTHC": procedure, "MaLinhVuc": sector, "NgayNopHoSo": submitted, "NgayTiepNhan": received,
        "NgayHenTra": due, "NgayKetThucXuLy": completed, "TrangThaiHoSo": status,
        "ExtentData": format!("<HoSo>{elements}</HoSo>"),
    })
}
