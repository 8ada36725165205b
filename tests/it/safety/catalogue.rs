//! A catalogue of procedures with personal data in place of names, codes and words.

use motcua::simulator::{CALL_PATH, LOGIN_PATH};
use serde_json::{Value, json};

use super::{MAIL, NAME, NUMBER, OTHER_NAMES, TELEPHONE, TOKEN};
use crate::office::Answer;

/// The answer of the national portal's adapter; `None` for other requests.
pub(super) fn answer(request: &str) -> Option<Answer> {
    if request.contains(LOGIN_PATH) {
        return Some(Answer::json(&json!({"session": TOKEN, "error_code": 0}).to_string()));
    }
    let rows = || json!({"error_code": 0, "message": NAME, "result": rows()}).to_string();
    request.contains(CALL_PATH).then(|| Answer::json(&rows()))
}

/// A valid row, then one for each personal value in each field.
fn rows() -> Vec<Value> {
    let good = json!({
        "MATTHC": "1.000894", "TENTTHC": "Đăng ký kết hôn", "MALINHVUC": "HO-TICH", "TENLINHVUC": "Hộ tịch",
        "MADONVI": "H61.14", "TENDONVI": "Sở Tư pháp", "CAPDONVI": "Cấp xã", "THOIGIANGIAIQUYET": "3",
        "DONVITINH": "Ngày làm việc", "KENH": "1", "NGUOICAPNHAT": NAME, "DIENTHOAI": TELEPHONE,
    });
    let mut rows = vec![good.clone()];
    let (capitals, addressed) = (NAME.to_uppercase(), format!("Bà {NAME}"));
    let values = [NAME, &capitals, &addressed, NUMBER, TELEPHONE, MAIL, "0912 345 678"];
    for datum in values.into_iter().chain(OTHER_NAMES) {
        for field in
            ["MATTHC", "TENTTHC", "MALINHVUC", "TENLINHVUC", "MADONVI", "CAPDONVI", "THOIGIANGIAIQUYET", "DONVITINH"]
        {
            let mut row = good.clone();
            row[field] = datum.into();
            rows.push(row);
        }
        // In a row that fails elsewhere, the name of the procedure may be personal data too.
        let mut row = good.clone();
        (row["MATTHC"], row["TENTTHC"]) = (datum.into(), format!("Gọi cho {NAME}").into());
        rows.push(row);
    }
    rows
}
