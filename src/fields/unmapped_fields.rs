//! Names of source fields that the connector does not map, as reports of drift write them.

use crate::fields::person_names::{is_person, names_no_body};
use crate::fields::shown_names::looks_personal;

/// Longest name that is written.
const NAME_CHARS: usize = 80;
/// Abbreviations in names of columns. No other word in capitals is one: family names are written so too (`Giàng A PÁO`).
const ABBREVIATIONS: [&str; 22] = [
    "BCCI", "BHXH", "BHYT", "BVHC", "CCCD", "CMND", "CQ", "DN", "DVC", "DVCQG", "DVCTT", "GCN", "HS", "ID", "MST",
    "QR", "STT", "SĐT", "TTHC", "UBND", "URL", "VNPT",
];

/// Path under which an unmapped field is reported: `parent` (empty at the top of a record), a dot, and the field's
/// name.
///
/// The keys of a JSON object may be data. A name that could be a person's, an e-mail address, or that has six digits or
/// more, is replaced by `(a name withheld)`.
#[must_use]
pub fn unmapped_field_path(parent: &str, name: &str) -> String {
    let name = if is_publishable(name) { name } else { "(a name withheld)" };
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

fn is_publishable(name: &str) -> bool {
    let is_plain = |symbol: char| symbol.is_alphanumeric() || "_-.:$@ /()".contains(symbol);
    let digits = name.chars().filter(|symbol| symbol.is_numeric()).count();
    // `@odata.etag` is a name; `an@example.vn` is an address.
    let is_address = name.chars().skip(1).any(|symbol| symbol == '@');
    let words: Vec<&str> = name.split(' ').collect();
    // `Mã TTHC` is a name of a column.
    let has_abbreviation = words.iter().any(|word| ABBREVIATIONS.contains(word));
    let is_capitalised = words.iter().all(|word| word.starts_with(char::is_uppercase)) && !has_abbreviation;
    let is_personal = words.len() > 1 && (is_person(name) || (is_capitalised && names_no_body(name)));
    !name.is_empty()
        && name.chars().count() <= NAME_CHARS
        && digits < 6
        && name.chars().all(is_plain)
        && !is_personal
        && !is_address
        && !looks_personal(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_fields_are_reported() {
        for name in [
            "applicant",
            "Mã hồ sơ",
            "Họ và tên",
            "@odata.etag",
            "$ref",
            "ngayHenTra",
            "tenCoQuan",
            "dia_chi",
            "a.b",
            "Ghi chú (2)",
            "Mã TTHC",
            "Số CCCD",
            "STT",
        ] {
            assert_eq!(unmapped_field_path("", name), name);
        }
        assert_eq!(unmapped_field_path("data", "x"), "data.x");
    }

    #[test]
    fn keys_that_are_data_are_withheld() {
        for key in [
            "an.canari@example.vn",
            "Nguyễn Văn Canari",
            "nguyen_van_canari",
            "NguyenVanCanari",
            "tran-thi-canari",
            "Cao Bá Canari",
            "CAO BÁ CANARI",
            "Bá CANARI An Nguyễn",
            "Giàng A PÁO",
            "Y Phôn ÊBAN",
            "Siu BLACK",
            "0912345679",
            "0912/345/679",
            "٠٩١٢٣٤٥٦٧٨",
            "a\u{1b}[31m",
            "",
        ] {
            assert_eq!(unmapped_field_path("data", key), "data.(a name withheld)", "{key}");
        }
    }
}
