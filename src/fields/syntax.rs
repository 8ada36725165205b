//! Syntax of field types: identifiers, agency names, titles, document numbers and whole numbers.
//!
//! Each check refuses texts that may be personal data: names, telephone numbers, identity numbers, addresses.

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::fields::person_names::{is_person, names_no_body, reads_like_a_name};
use crate::model::connector::Grouping;
use crate::model::page::Reason;

/// Longest identifier, in bytes.
const CODE_CHARS: usize = 64;
/// Longest whole number, in digits. A longer one, or one that starts with 0, may be a telephone or identity number.
const INTEGER_DIGITS: usize = 8;
/// Spaces that separate groups of digits; the last two do not break a line.
const SPACES: [char; 3] = [' ', '\u{a0}', '\u{202f}'];
/// Longest agency name, in characters.
const AGENCY_CHARS: usize = 160;
/// Longest title, in characters.
const TITLE_CHARS: usize = 500;

pub(crate) fn code(text: &str) -> Result<(), Reason> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/".contains(&byte);
    if text.len() <= CODE_CHARS && text.bytes().all(allowed) { Ok(()) } else { Err(Reason::NotOfType) }
}

/// Checks a dossier code. It contains a date and a sequence number of at most eight digits (domain A.6), so a text
/// without digits or with a longer run of digits is refused, unless the field has its own pattern.
pub(super) fn dossier_code(text: &str, has_pattern: bool) -> Result<(), Reason> {
    let longest = text.split(|symbol: char| !symbol.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    if has_pattern || (1..9).contains(&longest) { Ok(()) } else { Err(Reason::NotOfType) }
}

/// National procedure code without its older suffix: `1.002835.000.00.00.H61` → `1.002835`.
pub(super) fn procedure_code(text: &str) -> Result<&str, Reason> {
    code(text)?;
    let bytes = text.as_bytes();
    let base = bytes.len() >= 8
        && bytes[0].is_ascii_digit()
        && bytes[1] == b'.'
        && bytes[2..8].iter().all(u8::is_ascii_digit)
        && bytes.get(8).is_none_or(|&next| next == b'.');
    if base { Ok(&text[..8]) } else { Err(Reason::WrongForm) }
}

/// Postal item code without spaces, in capital letters. Check digit by UPU S10: weights 8 6 4 2 3 5 9 7, check digit
/// = 11 − sum mod 11, with 10 → 0 and 11 → 5.
pub(super) fn item_code(text: &str) -> Result<String, Reason> {
    let item: String = text.chars().filter(|symbol| *symbol != ' ').map(|symbol| symbol.to_ascii_uppercase()).collect();
    let bytes = item.as_bytes();
    let form = bytes.len() == 13
        && bytes[..2].iter().chain(&bytes[11..]).all(u8::is_ascii_uppercase)
        && bytes[2..11].iter().all(u8::is_ascii_digit);
    if !form {
        return Err(Reason::WrongForm);
    }
    let sum: u32 =
        bytes[2..10].iter().zip([8, 6, 4, 2, 3, 5, 9, 7]).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let check = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        check => check,
    };
    if u32::from(bytes[10] - b'0') == check { Ok(item) } else { Err(Reason::CheckDigit) }
}

/// Code or name of an agency, in NFC with single spaces. A person's name is refused, and so is a name without a word
/// such as "sở" or "phường" that identifies a body, unless the field has its own pattern.
pub(super) fn agency(text: &str, has_pattern: bool) -> Result<String, Reason> {
    let allowed = |symbol: char| {
        symbol.is_alphanumeric()
            || symbol.is_whitespace()
            || ".,-–/()&_'’*".contains(symbol)
            || unicode_normalization::char::is_combining_mark(symbol)
    };
    let has_number = has_long_number(text) && !is_agency_code(text);
    let foreign_words = words_of_legacy_fonts(text);
    let refused = || if foreign_words > 0 { Reason::LegacyFont } else { Reason::NotOfType };
    if text.chars().count() > AGENCY_CHARS || !text.chars().all(allowed) || has_number || foreign_words > 1 {
        return Err(refused());
    }
    let name = spaced(text);
    if is_person(&name) || (!has_pattern && names_no_body(&name)) { Err(refused()) } else { Ok(name) }
}

/// Published title of a procedure or sector, in NFC with single spaces. Nine digits in a row are refused, and so is a
/// text that reads like a person's name, unless the field has its own pattern.
pub(super) fn title(text: &str, has_pattern: bool) -> Result<String, Reason> {
    let allowed = |symbol: char| {
        symbol.is_alphanumeric()
            || symbol.is_whitespace()
            || ".,;:-–—/()[]&%+'\"’‘“”…_*".contains(symbol)
            || unicode_normalization::char::is_combining_mark(symbol)
    };
    // One such word may be a foreign name.
    if words_of_legacy_fonts(text) > 1 {
        return Err(Reason::LegacyFont);
    }
    if text.chars().count() > TITLE_CHARS || !text.chars().all(allowed) || has_long_number(text) {
        return Err(Reason::NotOfType);
    }
    let title = spaced(text);
    if !title.chars().any(char::is_alphabetic) {
        return Err(Reason::WrongForm);
    }
    if !has_pattern && reads_like_a_name(&title) { Err(Reason::NotOfType) } else { Ok(title) }
}

/// Letters and signs of Latin-1 that Vietnamese does not have, and that texts of the fonts TCVN3 and VNI show for its
/// letters: `Së Néi vô`, `Sôû Noäi vuï`.
const NO_LETTERS_OF_VIETNAMESE: &str = "¡¢£¤¥¦§¨©ª«¬\u{ad}®µ¶·¸¹»¼½¾ÄÅÆÇËÎÏÑÖ×ØÛÜÞßäåæçëîïñö÷øûüþ";

/// How many words of a text have such letters; 0 if another word has a letter that only Unicode has.
fn words_of_legacy_fonts(text: &str) -> usize {
    let is_unicode = |symbol: char| symbol > '\u{ff}' && symbol.is_alphabetic();
    let is_foreign = |word: &&str| word.contains(|symbol| NO_LETTERS_OF_VIETNAMESE.contains(symbol));
    if text.is_ascii() || text.contains(is_unicode) { 0 } else { text.split_whitespace().filter(is_foreign).count() }
}

/// Whether there are nine digits in a row, ignoring spaces, dots and dashes between them: a person's number.
fn has_long_number(text: &str) -> bool {
    let mut run = 0;
    text.chars().filter(|symbol| !symbol.is_whitespace() && !".-".contains(*symbol)).any(|symbol| {
        run = if symbol.is_numeric() { run + 1 } else { 0 };
        run >= 9
    })
}

/// The text in NFC with single spaces.
fn spaced(text: &str) -> String {
    let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if is_nfc(&spaced) { spaced } else { spaced.nfc().collect() }
}

/// Whether the text contains the group of an agency code: `H61.14.02` (QĐ 20/2020) or `000.00.14.H61` (QCVN 102:2016).
pub(crate) fn is_agency_code(text: &str) -> bool {
    text.split('.')
        .any(|group| group.len() == 3 && group.starts_with('H') && group[1..].bytes().all(|byte| byte.is_ascii_digit()))
}

/// Checks the number of a document, such as `123/BC-UBND` or `2639/QĐ-UBND`. Spaces and more than six digits in a row
/// are refused, so neither a name nor a person's number passes.
pub(super) fn document(text: &str) -> Result<(), Reason> {
    let (number, rest) = text.split_once('/').ok_or(Reason::WrongForm)?;
    let is_number = (1..=6).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_rest = (1..=57).contains(&rest.chars().count())
        && rest.chars().all(|letter| letter.is_alphanumeric() || ".-/&".contains(letter))
        && !rest.split(|letter: char| !letter.is_ascii_digit()).any(|digits| digits.len() > 6);
    if is_number && is_rest { Ok(()) } else { Err(Reason::WrongForm) }
}

/// Value of a whole number. Digits may be separated into groups of three by the separator of `grouping`, or, without one,
/// by a dot, a comma or spaces, but by one of them throughout. `1234.567` and `.500` are fractions.
pub(super) fn integer(text: &str, grouping: Option<Grouping>) -> Result<i64, Reason> {
    let is_separator = |symbol: char| match (grouping, symbol) {
        (None | Some(Grouping::Dot), '.') | (None | Some(Grouping::Comma), ',') => true,
        (None | Some(Grouping::Space), symbol) => SPACES.contains(&symbol),
        _ => false,
    };
    let (sign, number) = text.strip_prefix('-').map_or((1, text), |number| (-1, number));
    let groups: Vec<&str> = match number.chars().find(|symbol| is_separator(*symbol)) {
        Some(separator) if SPACES.contains(&separator) => number.split(SPACES).collect(),
        Some(separator) => number.split(separator).collect(),
        None => vec![number],
    };
    let is_grouped =
        groups.len() == 1 || ((1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|group| group.len() == 3));
    let digits = groups.concat();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_grouped || !is_number || digits.len() > INTEGER_DIGITS || (digits.len() > 1 && digits.starts_with('0')) {
        return Err(Reason::WrongForm);
    }
    digits.parse().map(|number: i64| sign * number).map_err(|_| Reason::WrongForm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_procedures_and_sectors_are_titles() {
        for text in [
            "Đăng ký khai sinh",
            "Lý lịch tư pháp",
            "Lâm nghiệp",
            "Công Thương",
            "Thuế",
            "Đăng ký nhận cha, mẹ, con",
            "Cấp chứng chỉ hành nghề hoạt động xây dựng hạng II, III",
            "Tiếp nhận hồ sơ (băng-rôn) theo Nghị định số 158/2020/NĐ-CP; mức \u{201c}A\u{201d} – 50%",
        ] {
            assert_eq!(title(text, false).as_deref(), Ok(text));
        }
        assert_eq!(title("Đăng  ký\tkhai sinh", false).as_deref(), Ok("Đăng ký khai sinh"));
        let marks_apart: String = "Đăng ký khai tử".nfd().collect();
        assert_eq!(title(&marks_apart, false).as_deref(), Ok("Đăng ký khai tử"));
        let longest = format!("Cấp {}", "giấy ".repeat(99).trim_end());
        assert_eq!(longest.chars().count(), 498);
        assert!(title(&longest, false).is_ok());
        assert_eq!(title(&format!("{longest} đ đ"), false), Err(Reason::NotOfType));
        assert_eq!(title("123/45", false), Err(Reason::WrongForm));
    }

    #[test]
    fn letters_of_old_fonts_are_named() {
        for (text, words) in [
            ("Së Néi vô", 1),
            ("Sôû Noäi vuï", 3),
            ("§¨ng ký kÕt h«n", 2),
            ("Sở Nội vụ", 0),
            ("Coöperatie Zuid", 1),
            ("Citroën và Škoda Coöperatie", 0),
            ("So Noi vu", 0),
        ] {
            assert_eq!(words_of_legacy_fonts(text), words, "{text}");
        }
        assert_eq!(title("§¨ng ký kÕt h«n", true), Err(Reason::LegacyFont));
        assert!(title("Coöperatie Zuid", true).is_ok());
        assert_eq!(agency("Sôû Noäi vuï", true), Err(Reason::LegacyFont));
        assert_eq!(agency("Së Néi vô", false), Err(Reason::LegacyFont));
        assert_eq!(agency("Bộ phận 'một cửa' *_1", false).as_deref(), Ok("Bộ phận 'một cửa' *_1"));
    }

    #[test]
    fn numbers_addresses_and_names_are_no_titles() {
        for text in [
            "Gọi 0912 345 678",
            "Số 079.301.012-345",
            "Thư gửi oanh@example.vn",
            "Xem https://example.vn?x=1",
            "Nguyễn Thị Hoàng Oanh",
            "Bà Nguyễn Thị Hoàng Oanh",
            "Nguyễn thị hoa mai",
            "Cao Bích Ngọc",
            "CHÂU THANH TÙNG",
            "danh út",
            "Trần Bình",
        ] {
            assert_eq!(title(text, false), Err(Reason::NotOfType), "{text}");
        }
        // Titles in capital letters are published, too; the field then needs a pattern.
        assert!(title("ĐĂNG KÝ KHAI SINH", false).is_err());
        assert!(title("ĐĂNG KÝ KHAI SINH", true).is_ok());
    }

    #[test]
    fn every_name_of_the_shipped_registries_is_a_title() {
        for (registry, column) in
            [(include_str!("../../config/procedures.csv"), 1), (include_str!("../../config/sectors.csv"), 1)]
        {
            let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(registry.as_bytes());
            let mut names = 0;
            for row in reader.records() {
                let row = row.expect("the registry is CSV");
                assert_eq!(title(&row[column], false).as_deref(), Ok(&row[column]));
                names += 1;
            }
            assert!(names >= 20);
        }
    }
}
