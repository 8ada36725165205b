//! Whether a text that should name an agency names a person.
//!
//! An agency may be one that no registry knows, so its name is kept as it came; a clerk's or applicant's name in
//! that column would be kept with it. Vietnamese full names begin with the family name, and few family names cover
//! nearly everybody. Left out are those that begin the names of communes or bodies as well (Châu, Đoàn, Hồ, Lưu …).

/// Family names and forms of address that begin no agency's name, in lower case, NFC; the commonest also without their marks.
const FAMILY_NAMES: [&str; 47] = [
    "ông", "bà", "nguyễn", "trần", "lê", "phạm", "huỳnh", "hoàng", "phan", "vũ", "võ", "đặng", "bùi", "đỗ", "ngô",
    "dương", "lý", "đinh", "trương", "lâm", "trịnh", "đào", "phùng", "thạch", "tạ", "tô", "quách", "hứa", "diệp",
    "trầm", "tăng", "tống", "vương", "triệu", "đàm", "khưu", "nghiêm", "doãn", "mạc", "lại", "nguyển", "huynh",
    "nguyen", "tran", "pham", "dang", "truong",
];
/// Words of a full name.
const WORDS: std::ops::RangeInclusive<usize> = 2..=6;

/// Whether a text (NFC, single spaces) reads like a person's full name: a family name and a few words, or any words with
/// the middle name Thị or Văn second.
#[must_use]
pub fn is_person(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let family = words[0].to_lowercase();
    let lower = |index: usize| words.get(index).map(|word| word.to_lowercase()).unwrap_or_default();
    // `UBND thị trấn …`, `UBND thị xã …`, `Sở Văn hóa …` and `… văn phòng` have the same second word.
    let middle_name = words.len() > 2
        && match lower(1).as_str() {
            "thị" => !["trấn", "xã", "tứ", "kỷ"].contains(&lower(2).as_str()),
            "văn" => !["hóa", "hoá", "hóa,", "hoá,", "phòng"].contains(&lower(2).as_str()),
            _ => false,
        };
    WORDS.contains(&words.len()) && (FAMILY_NAMES.contains(&family.as_str()) || middle_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_persons_from_agencies() {
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
    fn takes_no_agency_of_the_shipped_registry_for_a_person() {
        let registry = include_str!("../../config/agencies.csv");
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(registry.as_bytes());
        let mut names = 0;
        for row in reader.records() {
            let row = row.expect("the registry is CSV");
            for name in std::iter::once(&row[2]).chain(row[3].split(';')) {
                names += 1;
                assert!(!is_person(name.trim()), "{name}");
            }
        }
        assert!(names > 124);
    }
}
