//! Names of agencies that may be published without a registry, and texts that may not.

use unicode_normalization::UnicodeNormalization as _;

use super::*;

#[test]
fn plain_names_of_bodies_are_published() {
    for name in [
        "Sở Nội vụ",
        "sở nội vụ",
        "SỞ NỘI VỤ",
        "UBND xã An Bình",
        "UBND XÃ AN BÌNH",
        "Uỷ ban nhân dân xã Tân An",
        "UBND Xã An Bình Tỉnh Vĩnh Long",
        "Xã Long Hồ",
        "Phường 1",
        "Phường Trường Long",
        "UBND phường Đông",
        "UBND huyện Trà Ôn (cũ)",
        "UBND TP. Trà Vinh",
        "UBND thành phố Bà Rịa",
        "Xã Hội An",
        "Công an tỉnh Lâm Đồng",
        "Công an xã An Bình, huyện Long Hồ",
        "Trung tâm Phục vụ hành chính công",
        "Trung Tâm Phục Vụ Hành Chính Công Tỉnh Vĩnh Long",
        "Trung tâm Phục vụ hành chính công - UBND xã An Bình",
        "Phòng Tài chính - Kế hoạch",
        "Phòng Kinh tế, Hạ tầng và Đô thị",
        "Phòng Văn hóa - Xã hội phường Long Châu",
        "Chi nhánh Văn phòng Đăng ký đất đai khu vực Trà Ôn",
        "Văn phòng HĐND và UBND",
        "Chi cục Thuế khu vực IX",
        "Thuế cơ sở 5 tỉnh Vĩnh Long",
        "Kho bạc Nhà nước khu vực XVIII",
        "Tòa án nhân dân khu vực 3 - Vĩnh Long",
        "Toà án nhân dân tỉnh",
        "Bưu điện Trà Vinh",
        "Bảo hiểm xã hội cơ sở",
        "XÃ TRUNG THÀNH",
        "Xã Trung Thành",
        "UBND xã an bình",
        "Đội Cảnh sát giao thông số 2",
        "Bộ phận Tiếp nhận và Trả kết quả",
        "Ban mẫu ngoài sổ",
        "Phòng lạ khác",
        "Sở mẫu A",
        "Xã mẫu E",
        "Sở TN&MT",
        "Sở VH-TT&DL",
        "Sở Nội vụ (H61.02)",
        "H61",
        "H61.14.02",
        "H61.3",
        "Phòng mẫu B",
        "000.00.14.H61",
        "G09.20",
    ] {
        assert!(is_publishable_agency(name), "{name}");
        let decomposed: String = name.nfd().collect();
        assert!(is_publishable_agency(&decomposed), "{name}, decomposed");
    }
}

#[test]
fn persons_addresses_and_numbers_are_not_published() {
    for text in [
        "Cao Bá Canari (CB)",
        "Cao Bá Canari",
        "Canari",
        "Sở Nội vụ Cao Bá Canari",
        "Sở Nội vụ - Cao Bá Canari",
        "Sở Nội vụ (Canari)",
        "Sở Nội vụ, danh canari",
        "Sở Nội vụ bà Canari",
        "SỞ NỘI VỤ CAO BÁ CANARI",
        "Phòng Tư pháp: Trần Thị Canari",
        "Phòng Tư pháp nguyễn văn canari",
        "UBND xã An Bình Cao Bá Canari",
        "UBND xã An Bình Trần Canari",
        "UBND xã Nguyễn Văn Canari",
        "UBND xã Bình Trần Canari",
        "UBND xã Hồ Xuân Canari",
        "UBND XÃ HỒ XUÂN CANARI",
        "UBND xã hồ xuân canari",
        "UBND xã Đoàn Minh Canari",
        "UBND xã Cao Bá Canari",
        "UBND xã Ẩn Danh Canari",
        "Công an xã Hà Canari Tú",
        "Công an xã Hà Canari Tú Anh",
        "Phường Chu Canari Anh",
        "Xã Tân Thành Bình",
        "UBND XÃ AN BÌNH CAO BÁ CANARI",
        "UBND xã An Bình (ông Canari)",
        "Bảo hiểm xã hội Trần Canari",
        "Trung tâm Canari",
        "Số 12 đường Canari, xã An Hội",
        "Số 12 xã An Hội",
        "Sở Nội vụ, số 12, xã An Hội",
        "Ấp 3 xã Canari 0912/345/679",
        "UBND xã An Bình, ấp 3",
        "UBND xã An Bình, số 12 đường Canari",
        "UBND xã An Bình, 12 Canari",
        "Sở Nội vụ 0912345679",
        "Sở Nội vụ 0912/345/679",
        "Sở Nội vụ 0912a345b679",
        "Sở Nội vụ 0912 345 (679)",
        "Sở Nội vụ ٠٩١٢٣٤٥٦٧",
        "Sở Nội vụ H61.02 0912345679",
        "Sở Nội vụ\u{202e}iranac",
        "đơn vị chưa có trong danh mục #2",
        "H61.14.Canari",
        "H61.091.234.567",
        "H091234567",
        "H61.02 H61.03",
        "?",
        "",
    ] {
        assert!(!is_publishable_agency(text), "{text}");
    }
}

/// Names of three words are published because the registry has them.
#[test]
fn names_of_the_shipped_registry_would_be_published_without_it_unless_the_place_has_three_words() {
    let registry = include_str!("../../config/agencies.csv");
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(registry.as_bytes());
    let (mut withheld, mut names_of_three) = (Vec::new(), 0);
    for row in reader.records() {
        let row = row.expect("the registry is CSV");
        let names = std::iter::once(&row[2]).chain(row[3].split(';')).map(str::trim).filter(|name| !name.is_empty());
        for name in names {
            let is_territory = |word: &str| matches!(word.to_lowercase().as_str(), "xã" | "phường");
            let place = name.split(' ').rev().take_while(|word| word.starts_with(char::is_uppercase));
            let is_of_three =
                name.split(' ').any(is_territory) && place.filter(|word| !is_territory(word)).count() == 3;
            names_of_three += usize::from(is_of_three);
            if is_publishable_agency(name) == is_of_three {
                withheld.push(name.to_owned());
            }
        }
    }
    assert!(withheld.is_empty(), "{withheld:?}");
    assert!(names_of_three > 10);
}
