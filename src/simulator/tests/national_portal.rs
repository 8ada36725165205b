//! The national portal's adapter: sessions, failures in the body of a 200, and the catalogue's rows.

use serde_json::{Value, json};

use super::drawn;
use crate::simulator::national_portal::NationalPortal;
use crate::simulator::{CATALOGUE_PASSWORD, CATALOGUE_UNIT, CATALOGUE_USER, Fault, Province};

fn session(adapter: &mut NationalPortal) -> Value {
    let reply = adapter.login(&json!({"username": CATALOGUE_USER, "password": CATALOGUE_PASSWORD}));
    assert_eq!(reply["error_code"], 0);
    reply["session"].clone()
}

fn call(adapter: &mut NationalPortal, session: &Value, province: &Province, fault: Option<Fault>) -> Value {
    let request = json!({"session": session, "madonvi": CATALOGUE_UNIT, "service": "LayDanhSachTTHC"});
    adapter.call(&request, province, fault)
}

#[test]
fn only_the_newest_session_is_answered() {
    let (province, mut adapter) = (drawn(20, 1), NationalPortal::default());
    let refused = adapter.login(&json!({"username": CATALOGUE_USER, "password": "another"}));
    assert_eq!((&refused["error_code"], &refused["session"]), (&json!(3), &json!("")));
    assert_eq!(call(&mut adapter, &Value::Null, &province, None)["error_code"], -1);
    let (old, new) = (session(&mut adapter), session(&mut adapter));
    assert_eq!(call(&mut adapter, &old, &province, None)["error_code"], -1);
    assert_eq!(call(&mut adapter, &new, &province, None)["error_code"], 0);
    let other = json!({"session": new, "madonvi": CATALOGUE_UNIT, "service": "TraCuuHoSo"});
    assert_eq!(adapter.call(&other, &province, None)["error_code"], -3);
    adapter.end_sessions();
    assert_eq!(call(&mut adapter, &new, &province, None)["error_code"], -1);
}

#[test]
fn failures_are_reported_in_the_body_of_a_200() {
    let (province, mut adapter) = (drawn(20, 1), NationalPortal::default());
    for (fault, codes) in [
        (Fault::SessionOver, [-1, 0, 0]),
        (Fault::SessionRefused, [-1, -1, -1]),
        (Fault::CatalogueFailure, [-3, -3, -3]),
        (Fault::Reset, [0, 0, 0]),
    ] {
        adapter.reset_call_count();
        let session = session(&mut adapter);
        let found = codes.map(|_| call(&mut adapter, &session, &province, Some(fault))["error_code"].clone());
        assert_eq!(found, codes.map(Value::from), "{}", fault.name());
    }
}

#[test]
fn the_catalogue_has_the_registrys_codes_two_more_and_one_other_statutory_time() {
    let (province, mut adapter) = (drawn(20, 1), NationalPortal::default());
    let session = session(&mut adapter);
    let reply = call(&mut adapter, &session, &province, None);
    let listed: Vec<[&Value; 5]> = reply["result"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| ["MATTHC", "MALINHVUC", "CAPDONVI", "THOIGIANGIAIQUYET", "DONVITINH"].map(|key| &row[key]))
        .collect();
    let expected = [
        // Five in the registry.
        [json!("1.000001"), json!("GTVT"), json!("Cấp tỉnh"), json!(7), json!("Ngày làm việc")],
        [json!("2.000002.000.00.00.H61"), json!("Tư pháp"), json!("Cấp xã"), json!(""), json!("")],
        [json!("1.000003"), json!("Thuế"), json!("Cấp tỉnh"), json!(3), json!("Ngày làm việc")],
        [json!("1.000004"), json!("Đất đai"), json!("Cấp tỉnh"), json!("20"), json!("Giờ")],
        [json!("1.900901"), json!("TAI-NGUYEN-NUOC"), json!("Cấp tỉnh"), json!(30), json!("Ngày làm việc")],
        [json!("2.900902"), json!("DO-DAC"), json!("Cấp tỉnh"), json!(4), json!("Giờ")],
    ];
    assert_eq!(listed, expected.each_ref().map(<[serde_json::Value; 5]>::each_ref));
}
