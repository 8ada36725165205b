//! The national portal's adapter: a login, and calls with the session in their body that return the catalogue of
//! procedures (domain A.1).
//!
//! The catalogue lists every code of the registry once, and two codes that the registry does not have. One procedure
//! has another statutory time than in the registry. The catalogue is the same on every simulated day. Failures are
//! answered with status 200 and an `error_code` in the body.

use serde_json::{Value, json};

use crate::model::agency::Tier;
use crate::model::procedure::{Offerer, Procedure, TimeUnit};
use crate::simulator::Province;
use crate::simulator::faults::Fault;
use crate::simulator::registry::Registry;

/// The only user that can log in.
pub const CATALOGUE_USER: &str = "motcua-demo";
/// The user's password. Not a secret: it protects a public list.
pub const CATALOGUE_PASSWORD: &str = "simulated-password";
/// The unit whose procedures the catalogue lists.
pub const CATALOGUE_UNIT: &str = "000.00.00.H61";
/// The service that the adapter forwards calls to.
pub const CATALOGUE_ROUTE: &str = "VN:GOV:000.00.00.H61:simulated";
pub const LOGIN_PATH: &str = "/mapi/login";
pub const CALL_PATH: &str = "/mapi/g";

const SERVICE: &str = "LayDanhSachTTHC";
/// Added to the statutory time of the first procedure of the registry that has one.
const EXTRA_TIME: u32 = 2;

/// Procedures that the registry does not have: code, name, sector, name of the sector, time and unit.
const UNREGISTERED: [(&str, &str, &str, &str, u32, &str); 2] = [
    (
        "1.900901",
        "Cấp giấy phép thăm dò nước dưới đất (mô phỏng)",
        "TAI-NGUYEN-NUOC",
        "Tài nguyên nước",
        30,
        "Ngày làm việc",
    ),
    ("2.900902", "Cung cấp dữ liệu đo đạc và bản đồ (mô phỏng)", "DO-DAC", "Đo đạc và bản đồ", 4, "Giờ"),
];

/// Sessions issued so far, and calls answered since a fault was set.
#[derive(Debug, Default)]
pub(super) struct NationalPortal {
    issued: u64,
    newest: Option<String>,
    calls: u64,
}

impl NationalPortal {
    /// Ends every session.
    pub(super) fn end_sessions(&mut self) {
        self.newest = None;
    }

    pub(super) fn reset_call_count(&mut self) {
        self.calls = 0;
    }

    /// Reply to a login. A new session ends the one before.
    pub(super) fn login(&mut self, request: &Value) -> Value {
        if request["username"] != CATALOGUE_USER || request["password"] != CATALOGUE_PASSWORD {
            return json!({"session": "", "error_code": 3, "message": "Sai tài khoản hoặc mật khẩu"});
        }
        self.issued += 1;
        let session = format!("simulated-session-{:08}", self.issued);
        self.newest = Some(session.clone());
        json!({"session": session, "error_code": 0})
    }

    /// Reply to a call.
    pub(super) fn call(&mut self, request: &Value, province: &Province, fault: Option<Fault>) -> Value {
        self.calls += 1;
        let has_expired = match fault {
            Some(Fault::SessionRefused) => true,
            Some(Fault::SessionOver) => self.calls == 1,
            _ => false,
        };
        if has_expired || self.newest.as_deref() != request["session"].as_str() || self.newest.is_none() {
            return json!({"error_code": -1, "message": "Phiên làm việc đã hết hạn"});
        }
        if fault == Some(Fault::CatalogueFailure)
            || request["service"] != SERVICE
            || request["madonvi"] != CATALOGUE_UNIT
        {
            return json!({"error_code": -3, "message": "Không thực hiện được yêu cầu"});
        }
        json!({"error_code": 0, "message": "Thành công", "result": province.catalogue()})
    }
}

impl Province {
    /// Rows of the catalogue.
    fn catalogue(&self) -> Vec<Value> {
        let registry = &self.registry;
        let mut rows = Vec::new();
        let (mut seen, mut is_longer) = (vec![false; registry.offers_of.len()], false);
        for (procedure, &group) in registry.procedures.iter().zip(&registry.procedure_group) {
            if std::mem::replace(&mut seen[group], true) {
                continue;
            }
            let mut time = procedure.statutory_time;
            if !is_longer && let Some(time) = &mut time {
                *time += EXTRA_TIME;
                is_longer = true;
            }
            rows.push(row(procedure, time, tier_of(registry, group), rows.len()));
        }
        rows.extend(UNREGISTERED.map(|(code, name, sector, sector_name, time, unit)| {
            json!({
                "MATTHC": code, "TENTTHC": name, "MALINHVUC": sector, "TENLINHVUC": sector_name, "MADONVI": CATALOGUE_UNIT,
                "TENDONVI": "", "CAPDONVI": "Cấp tỉnh", "THOIGIANGIAIQUYET": time, "DONVITINH": unit, "KENH": "1",
            })
        }));
        rows
    }
}

/// One row. Some codes have a suffix; times are texts or numbers.
fn row(procedure: &Procedure, time: Option<u32>, tier: Tier, number: usize) -> Value {
    let suffix = if number % 3 == 1 { ".000.00.00.H61" } else { "" };
    let time_value = match time {
        Some(time) if number.is_multiple_of(2) => json!(time),
        Some(time) => json!(time.to_string()),
        None => json!(""),
    };
    let unit = match procedure.unit {
        _ if time.is_none() => "",
        TimeUnit::WorkingDays => "Ngày làm việc",
        TimeUnit::Hours => "Giờ",
        TimeUnit::CalendarDays => "Ngày",
    };
    let tier = match tier {
        Tier::Province => "Cấp tỉnh",
        Tier::District => "Cấp huyện",
        Tier::Commune => "Cấp xã",
    };
    json!({
        "MATTHC": format!("{}{suffix}", procedure.code), "TENTTHC": procedure.name, "MALINHVUC": procedure.sector,
        "TENLINHVUC": format!("Lĩnh vực {}", procedure.sector), "MADONVI": CATALOGUE_UNIT, "TENDONVI": "",
        "CAPDONVI": tier, "THOIGIANGIAIQUYET": time_value, "DONVITINH": unit, "KENH": "1,2,3",
    })
}

/// Tier of the procedure's first offer; the province's if it has no offer.
fn tier_of(registry: &Registry, group: usize) -> Tier {
    let offer = registry.offers_of[group].first().map(|&row| &registry.offers[row].offerer);
    match offer {
        Some(Offerer::Tier(tier)) => *tier,
        Some(Offerer::Agency(code)) => {
            registry.agencies.iter().find(|agency| agency.code == *code).map_or(Tier::Province, |agency| agency.tier)
        }
        None => Tier::Province,
    }
}
