//! Detects persons' names in fields that should hold the name of an agency or the title of a procedure.
//!
//! Agency names are kept even if the registry does not know them, so a clerk's or applicant's name in that column would
//! be kept, too. Therefore a name must contain a word that identifies a body ("sở", "UBND", "phường", "trung tâm"): two
//! to six words without one are refused. A name with such a word is refused if it begins with a family name, or if its
//! second word is "Thị" or "Văn". Family names that also begin the names of communes or bodies (Châu, Đoàn, Hồ, Lưu …)
//! do not count there; they do where more of a name is looked at.

use std::sync::LazyLock;

use crate::model::text::name_key;

/// Family names and forms of address, in lower case, NFC, that begin no agency's name; the most frequent ones also
/// without diacritics.
const FAMILY_NAMES: [&str; 47] = [
    "ông", "bà", "nguyễn", "trần", "lê", "phạm", "huỳnh", "hoàng", "phan", "vũ", "võ", "đặng", "bùi", "đỗ", "ngô",
    "dương", "lý", "đinh", "trương", "lâm", "trịnh", "đào", "phùng", "thạch", "tạ", "tô", "quách", "hứa", "diệp",
    "trầm", "tăng", "tống", "vương", "triệu", "đàm", "khưu", "nghiêm", "doãn", "mạc", "lại", "nguyển", "huynh",
    "nguyen", "tran", "pham", "dang", "truong",
];
/// Family names that also begin names of places, bodies or usual words (`Hồ`, `Cao Lãnh`, `Đoàn Thanh niên`).
const OTHER_FAMILY_NAMES: [&str; 17] = [
    "hồ", "cao", "đoàn", "hà", "chu", "châu", "lưu", "mai", "lương", "kim", "thái", "tiêu", "lục", "lữ", "kiều",
    "ngụy", "sơn",
];
/// Family names without diacritics that begin no usual word of a file name.
const LATIN_FAMILY_NAMES: [&str; 6] = ["nguyen", "tran", "pham", "huynh", "trinh", "hoang"];
/// The family names by their [`name_key`].
static FAMILY_KEYS: LazyLock<Vec<String>> = LazyLock::new(|| FAMILY_NAMES.map(name_key).to_vec());
static OTHER_FAMILY_KEYS: LazyLock<Vec<String>> = LazyLock::new(|| OTHER_FAMILY_NAMES.map(name_key).to_vec());
static MIDDLE_KEYS: LazyLock<Vec<String>> = LazyLock::new(|| ["thị", "văn"].map(name_key).to_vec());
/// Words and pairs of words that identify a body, in lower case, NFC.
const BODIES: [&str; 63] = [
    "sở",
    "ubnd",
    "hđnd",
    "bql",
    "bhxh",
    "kbnn",
    "cqđt",
    "vpđk",
    "vpubnd",
    "ttpvhcc",
    "xã",
    "phường",
    "huyện",
    "quận",
    "tỉnh",
    "phòng",
    "ban",
    "cục",
    "vụ",
    "bộ",
    "đội",
    "tổ",
    "trạm",
    "hạt",
    "đài",
    "quỹ",
    "cụm",
    "trung tâm",
    "công an",
    "thành phố",
    "thị trấn",
    "thị xã",
    "bảo hiểm",
    "kho bạc",
    "chi cục",
    "chi nhánh",
    "văn phòng",
    "uỷ ban",
    "ủy ban",
    "trường đại",
    "trường trung",
    "trường tiểu",
    "trường mầm",
    "trường cao",
    "trường phổ",
    "trường thpt",
    "trường thcs",
    "bệnh viện",
    "bưu điện",
    "bưu cục",
    "ngân hàng",
    "công ty",
    "cơ quan",
    "đơn vị",
    "liên đoàn",
    "thanh tra",
    "tòa án",
    "toà án",
    "viện kiểm",
    "hội đồng",
    "khu kinh",
    "khu công",
    "chính quyền",
];
/// Number of words of a full name.
const WORDS: std::ops::RangeInclusive<usize> = 2..=6;

/// Whether the key of a word is a family name or a form of address.
pub(super) fn is_family_name(key: &str) -> bool {
    FAMILY_KEYS.iter().any(|known| known == key)
}

/// Whether the key of a word may be a family name, although it also begins names of places or bodies.
pub(super) fn may_be_family_name(key: &str) -> bool {
    is_family_name(key) || OTHER_FAMILY_KEYS.iter().any(|known| known == key)
}

/// Whether a word in lower case without diacritics is a family name and no usual word.
pub(super) fn is_latin_family_name(plain: &str) -> bool {
    LATIN_FAMILY_NAMES.contains(&plain)
}

/// Whether the key of a word is the middle name "Thị" or "Văn".
pub(super) fn is_middle_name(key: &str) -> bool {
    MIDDLE_KEYS.iter().any(|known| known == key)
}

/// Whether a text (NFC, single spaces) may be a person's name because no word identifies a body.
pub(super) fn names_no_body(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(' ').collect();
    let alphabetic = |word: &&str| word.chars().all(|symbol| symbol.is_alphabetic() || "-–,".contains(symbol));
    let says_body = words.iter().any(|word| BODIES.contains(&word.trim_end_matches(',')))
        || words.windows(2).any(|pair| BODIES.contains(&pair.join(" ").trim_end_matches(',')));
    WORDS.contains(&words.len()) && words.iter().all(alphabetic) && !says_body
}

/// Whether a text (NFC, single spaces) is a person's full name: two to six words that begin with a family name, or
/// whose second word is the middle name "Thị" or "Văn".
pub(super) fn is_person(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let family = words[0].to_lowercase();
    WORDS.contains(&words.len()) && (FAMILY_NAMES.contains(&family.as_str()) || has_middle_name(&words))
}

/// Whether a title (NFC, single spaces) reads like a person's name. It then has two to six words of letters only, and
/// one of these holds: every word is capitalised (of two words, the first is a family name); the first word is in lower
/// case; the second word is "Thị" or "Văn".
pub(super) fn reads_like_a_name(title: &str) -> bool {
    let words: Vec<&str> = title.split(' ').collect();
    let alphabetic = |word: &&str| word.chars().all(|symbol| symbol.is_alphabetic() || "-–,".contains(symbol));
    if !WORDS.contains(&words.len()) || !words.iter().all(alphabetic) {
        return false;
    }
    let is_large = |word: &str| word.starts_with(char::is_uppercase);
    let named = words.iter().all(|word| is_large(word)) && (words.len() > 2 || is_person(title));
    named || !is_large(words[0]) || has_middle_name(&words)
}

/// Whether the second word is the middle name "Thị" or "Văn", and not part of "thị trấn", "thị xã", "văn hóa" or "văn
/// phòng".
fn has_middle_name(words: &[&str]) -> bool {
    let lower = |index: usize| words.get(index).map(|word| word.to_lowercase()).unwrap_or_default();
    words.len() > 2
        && match lower(1).as_str() {
            "thị" => !["trấn", "xã", "tứ", "kỷ"].contains(&lower(2).as_str()),
            "văn" => !["hóa", "hoá", "hóa,", "hoá,", "phòng"].contains(&lower(2).as_str()),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_are_distinguished_from_agencies() {
        for person in [
            "Nguyễn Thị Hoàng Oanh",
            "NGUYỄN VĂN AN",
            "lê văn bình",
            "Trần Bình",
            "Nguyen Van An",
            "Thạch Sa Rây",
            "Cao Thị Bích Ngọc",
            "Nguyễn thị Hoa Mai",
            "Hồ văn Tư",
        ] {
            assert!(is_person(person), "{person}");
        }
        for agency in
            ["Sở Tư pháp", "Tổ tiếp nhận hồ sơ", "Trường Đại học Trà Vinh", "Châu Thành", "Hồ Thị Kỷ", "Lê", "General"]
        {
            assert!(!is_person(agency), "{agency}");
        }
    }

    #[test]
    fn the_name_of_an_agency_identifies_a_body() {
        for open in
            ["Cao Bá Quát", "Sơn Sa Rây", "Đoàn Trung Thành", "Kim Ngọc Công", "hồ xuân hương", "Customer contact"]
        {
            assert!(names_no_body(open), "{open}");
        }
        for body in [
            "Sở Tư pháp",
            "UBND phường An Hội",
            "Trung tâm Phục vụ hành chính công",
            "General",
            "H61.14",
            "Phòng Tài chính, Kế hoạch",
        ] {
            assert!(!names_no_body(body), "{body}");
        }
    }

    #[test]
    fn no_agency_of_the_shipped_registry_is_detected_as_a_person() {
        let registry = include_str!("../../config/agencies.csv");
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(registry.as_bytes());
        let mut names = 0;
        for row in reader.records() {
            let row = row.expect("the registry is CSV");
            for name in std::iter::once(&row[2]).chain(row[3].split(';')) {
                names += 1;
                assert!(!is_person(name.trim()) && !names_no_body(name.trim()), "{name}");
            }
        }
        assert!(names > 124);
    }
}
