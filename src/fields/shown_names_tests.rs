//! Names of files, sheets and hosts that are shown, and those that are withheld.

use super::*;

#[test]
fn usual_names_of_files_are_shown() {
    for name in [
        "a.csv",
        "Danh sách hồ sơ tháng 11.xlsx",
        "Danh Sach Ho So Thang 11.xlsx",
        "BCCI_2026-11-28.csv",
        "export_20261128_153000.csv",
        "export_20261128153000.csv",
        "bang-ke 28-11-2026 15.30.00.xlsx",
        "Sở Nội vụ.xlsx",
        "UBND xã An Bình.xlsx",
        "Lý lịch tư pháp.xlsx",
        "Đào tạo.xlsx",
        "Quy hoạch đô thị.xlsx",
        "Công văn đến.csv",
        "UBND_thi_tran_Tra_On.csv",
        "phan_anh_kien_nghi.csv",
        "dang_ky_ket_hon.csv",
        "Đất Đai Và Xây Dựng.xlsx",
        "Danh sách trẻ em Xã An Bình.csv",
        "TRẺ EM XÃ AN BÌNH.csv",
        "Điểm tiếng Anh Đợt 2.xlsx",
        "hinh anh Xa An Binh.csv",
        "Bà Rịa.csv",
        "Hồ sơ của Sở Nội vụ.csv",
        "Hồ sơ của Phường 1.csv",
        "HoSo cua UBND.csv",
        "so-mot-cua-T11.csv",
        "So Mot Cua Thang 11.xlsx",
        "mot_cua_Q3.csv",
        "BaoCaoMotCuaDienTu.csv",
        "so mot cua lien thong Xa An Binh.csv",
        "Danh sách Châu Thành.xlsx",
        "Hồ Sơ Đất Đai.xlsx",
        "Cao Đẳng.csv",
        "chi cục Thuế.csv",
        "Ghi chú Xử lý.csv",
        "danh sach ban Giao.csv",
        "Sheet1",
        "Trang tính 1",
        "list.xlsx",
    ] {
        assert_eq!(shown_name(name), name);
    }
}

#[test]
fn names_of_persons_and_long_numbers_are_withheld() {
    for name in [
        "Nguyễn Văn Canari.xlsx",
        "NGUYỄN VĂN CANARI.csv",
        "nguyen_van_canari.csv",
        "NguyenVanCanari.csv",
        "Hồ sơ của Lê Văn Canari.xlsx",
        "DS Trần Canari.xlsx",
        "Cao Thị Canari.csv",
        "le_thi_canari.csv",
        "Cao Bá Canari.xlsx",
        "Gửi bà Canari.csv".replace("bà", "Bà").as_str(),
        "bà Canari.csv",
        "BÀ CANARI.csv",
        "hồ sơ ông Canari.csv",
        "chị Canari",
        "anh Lê Canari.csv",
        "em Canari",
        "ds cô Canari",
        "chú Canari 2",
        "bác Canari.csv",
        "ong Canari.csv",
        "HoSo cua Canari Tran.csv",
        "so-mot-cua-Canari.csv",
        "so-mot-cua-T11 Canari.csv",
        "so-mot-cua-Thang.csv",
        "so-của-T11.csv",
        "HoSo cua Thang 11.csv",
        "hồ sơ của Canari.csv",
        "DS Hồ Xuân Canari.csv",
        "ds_Hồ Thị Canari.csv",
        "0912345679.csv",
        "0912.345.679.csv",
        "HS 0912/345/679",
        "079301012345.xlsx",
        "H61.14-251103-0001.csv",
    ] {
        let shown = shown_name(name);
        assert!(shown.starts_with('?') && shown.ends_with(RENAME), "{name}: {shown}");
        assert!(!shown.to_lowercase().contains("canari") && !shown.contains("345"), "{shown}");
    }
}

#[test]
fn names_with_control_bytes_are_escaped() {
    assert_eq!(shown_name("b\u{1b}[31mRED.csv"), "b\\u001b[31mRED.csv");
    assert_eq!(shown_name("a\u{202e}vsc.csv"), "a\\u202evsc.csv");
}

#[test]
fn hosts_are_shown_by_their_domain() {
    for (host, expected) in [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("192.168.100.101", "192.168.100.101"),
        ("sso.example.vn", "sso.example.vn"),
        ("sso.dancuquocgia.gov.vn", "sso.dancuquocgia.gov.vn"),
        ("other.example", "other.example"),
        ("canari.example.vn", "*.example.vn"),
        ("nguyen-van-canari.example.vn", "*.example.vn"),
        ("09123456.example.vn", "*.example.vn"),
        ("0912345679.example.vn", "*.*.*"),
        ("tran-thi-canari.vn", "*.vn"),
    ] {
        assert_eq!(shown_host(host), expected);
    }
}
