//! A portal of Tân Dân (domain A.3): the reply to a login, and the search over the dossiers.
//!
//! The search is a POST whose JSON body has the page and the range of receptions. Each dossier is listed once, in its
//! current state, and a page declares the total.

use serde_json::{Value, json};

use crate::simulator::Province;
use crate::simulator::dossier::Channel;
use crate::simulator::listing::{ListEntry, SearchQuery, found, instant, listed_once};
use crate::simulator::stated::{StatedDossier, applicant_name, written};
use crate::simulator::working_days::Moment;

pub const TAN_DAN_LOGIN_PATH: &str = "/api/tokens";
pub const TAN_DAN_SEARCH_PATH: &str = "/api/v1/hosos/search";

const DATE_TIME: &str = "%Y-%m-%dT%H:%M:%S";
const DEFAULT_SIZE: usize = 10;
const MAX_SIZE: usize = 1_000;

/// Reply to a search, or why its request cannot be read.
pub(super) fn answer(
    province: &Province,
    entries: &[ListEntry],
    request: &Value,
    now: Moment,
) -> Result<String, String> {
    let moment = |name: &str| match request[name].as_str().filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => {
            instant(text).map(|(at, _)| Some(at)).ok_or_else(|| format!("`{name}` is not a moment: `{text}`"))
        }
    };
    let number = |name: &str, default: usize| match request[name].as_u64() {
        Some(number) => usize::try_from(number).unwrap_or(default).max(1),
        None => default,
    };
    let query = SearchQuery::by_reception(moment("tiepNhanFrom")?, moment("tiepNhanTo")?);
    let (page, size) = (number("pageNumber", 1), number("pageSize", DEFAULT_SIZE).min(MAX_SIZE));
    let lines = listed_once(found(province, entries, &query));
    let (total, pages) = (lines.len(), lines.len().div_ceil(size));
    let shown = lines.into_iter().skip((page - 1) * size).take(size);
    let data: Vec<Value> =
        shown.map(|(dossier, shown)| record(&StatedDossier::new(province, dossier, shown), now)).collect();
    Ok(json!({
        "data": data, "currentPage": page, "totalPages": pages, "totalCount": total, "pageSize": size,
        "hasPreviousPage": page > 1, "hasNextPage": page < pages,
    })
    .to_string())
}

fn record(stated: &StatedDossier<'_>, now: Moment) -> Value {
    let (dossier, shown) = (stated.dossier, stated.shown);
    let at = |moment: Option<Moment>| moment.map(|moment| written(moment, DATE_TIME));
    let (agency_code, agency_name) = stated.agency();
    let supplement = stated.supplement(now);
    let status = stated.status();
    let channel = stated.channel().map(|channel| match channel {
        Channel::Counter => "1",
        Channel::Online => "2",
        Channel::Postal => "3",
    });
    let procedure = stated.procedure();
    let by_post = if dossier.return_by_post { "1" } else { "0" };
    json!({
        "id": guid(&dossier.id), "maHoSo": stated.code(), "maHoSoKhac": null, "maTTHC": stated.procedure_code(),
        "tenTTHC": procedure.name, "maLinhVuc": procedure.sector, "donViId": null, "maDinhDanh": agency_code,
        "tenDonVi": agency_name, "kenhThucHien": channel, "mucDo": stated.level().map(|level| level.to_string()),
        "ngayNopHoSo": at(dossier.recorded_hand_in()), "ngayTiepNhan": stated.received(DATE_TIME),
        "ngayHenTra": at(shown.due), "ngayYeuCauBoSung": at(supplement.map(|supplement| supplement.requested)),
        "ngayCongDanBoSung": at(supplement.and_then(|supplement| supplement.provided)),
        "ngayKetThucXuLy": at(shown.completed), "ngayTra": at(shown.returned), "ngayTuChoi": at(stated.given_up(true)),
        "trangThaiHoSoId": status, "hinhThucTra": by_post, "laHoSoChungThuc": procedure.certification,
        "loaiDuLieuKetNoi": null, "deletedOn": null, "chuHoSo": applicant_name(dossier),
        "soGiayToChuHoSo": stated.identity_number(),
    })
}

/// A GUID of the identity of a dossier.
fn guid(id: &[u8; 12]) -> String {
    let number = id.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let hex = format!("{number:024x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        format_args!("{}00000000", &hex[20..])
    )
}
