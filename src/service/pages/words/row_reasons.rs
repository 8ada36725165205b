//! Names of the reasons for which rows are rejected, in both languages.

use crate::locale::Language;
use crate::model::page::Reason;

/// Why a row was rejected, by the code of its reason; an unknown code stays as it is.
pub(in crate::service::pages) fn rejection_reason(lang: Language, code: &str) -> String {
    match code.parse().ok().map(rejection) {
        Some((vietnamese, english)) => lang.of(vietnamese, english).to_owned(),
        None => code.to_owned(),
    }
}

/// Why a row was rejected: Vietnamese, English.
fn rejection(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::Missing => ("Thiếu trường bắt buộc", "A required field is missing"),
        Reason::NotAnInstant => (
            "Ngày không có thật, hoặc không đúng định dạng đã khai",
            "A date that does not exist, or in no declared format",
        ),
        Reason::UnknownCode => (
            "Từ hoặc mã này chưa được khai cho trường (`codes`)",
            "A word or code that the field does not declare (`codes`)",
        ),
        Reason::NotOfType => (
            "Có ký tự không hợp lệ, quá dài, hoặc giống tên người ở cột tên đơn vị",
            "A character that the type does not allow, too long, or like a person's name in a column of agencies",
        ),
        Reason::WrongForm => ("Không đúng khuôn mẫu", "Does not match its form"),
        Reason::LegacyFont => {
            ("Chữ của phông cũ (TCVN3, VNI), không phải Unicode", "Letters of an old font (TCVN3, VNI), not Unicode")
        }
        Reason::CheckDigit => ("Sai số kiểm tra của mã bưu gửi", "Wrong check digit of a postal code"),
        Reason::WrongColumnCount => ("Số cột khác dòng tiêu đề", "The number of columns differs from the header"),
        Reason::Malformed => ("Bản ghi hỏng, không đọc được", "A record that cannot be read"),
        Reason::ImpossibleOrder => ("Trình tự ngày không thể có", "Dates in an impossible order"),
        Reason::RowTooLong => ("Dòng quá dài", "A row that is too long"),
        Reason::MergedCell => (
            "Nằm trong ô gộp nhiều dòng: bỏ gộp ô, hoặc khai `merged` trong connector.toml",
            "Inside a merged cell of several rows: unmerge it, or declare `merged` in connector.toml",
        ),
        Reason::AmbiguousNumber => (
            "Không rõ 1.234 là số nguyên hay số thập phân: khai `grouping` của trường",
            "1.234 may be a whole number or one with decimals: declare `grouping` of the field",
        ),
        Reason::NoList => (
            "Bản ghi không có danh sách mà `decode.explode` nêu, hoặc danh sách trống",
            "The record has no list where `decode.explode` names one, or an empty one",
        ),
        Reason::NoDetail => (
            "Nguồn không có chi tiết của bản ghi này, hoặc bản ghi thiếu mã để hỏi",
            "The source has no details of the record, or the record has no code to ask with",
        ),
        Reason::OwnError => (
            "Lỗi của phần mềm khi đọc dòng này: gửi nhật ký (log) cho nhóm phát triển",
            "An error of motcua while the row was read: send its developers the log",
        ),
        Reason::StrayQuote => {
            ("Dấu nháy kép (\") thừa hoặc thiếu trong dòng", "A quotation mark too many or too few in the row")
        }
        Reason::CellError => (
            "Ô bảng tính báo lỗi, hoặc có công thức chưa được tính: mở tệp, lưu lại rồi gửi lại",
            "A cell with an error, or with a formula that was not calculated: open the file, save it, deliver it again",
        ),
        Reason::UnknownProcedure => (
            "Không có thủ tục nào trong danh mục mang tên này: bổ sung `procedures.csv`, hoặc sửa tên ở nguồn",
            "No procedure of the registry has this name: add it to `procedures.csv`, or correct the name in the source",
        ),
        Reason::AmbiguousProcedure => (
            "Nhiều thủ tục trong danh mục mang tên này: nguồn phải nêu mã thủ tục",
            "Several procedures of the registry have this name: the source must state the code",
        ),
        Reason::OutOfRange => (
            "Ngày, số hoặc kỳ nằm ngoài khoảng cho phép: xem lại năm, hoặc sửa `least`, `most` của trường",
            "A date, number or period outside its bounds: check the year, or change `least` and `most` of the field",
        ),
        Reason::TooManyRowsOfKey => (
            "Lần đọc có hơn 50.000 dòng cùng khóa này: kiểm tra `identity.key`, nguồn có thể gửi cùng một khóa cho nhiều hồ sơ",
            "More than 50,000 rows of the pull have this key: compare `identity.key` with the source, which may send one key for different records",
        ),
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn every_reason_has_a_name_in_both_languages() {
        for reason in Reason::iter() {
            let (vietnamese, english) = rejection(reason);
            assert!(!vietnamese.is_empty() && !english.is_empty(), "{}", reason.code());
        }
    }
}
