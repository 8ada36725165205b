//! From kept text to a canonical value: one reader per mapped column, and what may be written of a text that failed.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::tz::TimeZone;
use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use crate::model::connector::{Breach, ConnectorFile, FieldMap, FieldType};
use crate::model::forms;
use crate::model::instant::{self, Format};
use crate::model::page::{Page, Reason};
use crate::model::period::Period;
use crate::model::record::Value;

/// First sign of a text that was withheld.
const WITHHELD: &str = "~";

/// Reads the text of one canonical column.
#[derive(Debug, Clone)]
pub struct FieldReader {
    /// Canonical column.
    pub column: String,
    /// Kept source fields, first non-empty wins.
    pub from: Vec<String>,
    pub required: bool,
    /// A text that does not fit counts as absent: the connector's contract says so.
    pub tolerant: bool,
    /// It has a default, if only none: the source need not have the field.
    pub optional: bool,
    field_type: FieldType,
    formats: Vec<Format>,
    zone: TimeZone,
    codes: HashMap<String, Value>,
    pattern: Option<Regex>,
    default: Value,
}

impl FieldReader {
    /// Compiles a `[map.COLUMN]` table.
    ///
    /// # Errors
    /// The key that is wrong and why.
    pub fn compile(column: &str, map: &FieldMap) -> Result<Self, (&'static str, String)> {
        let formats = map
            .formats
            .iter()
            .map(|format| Format::compile(format))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| ("formats", error))?;
        if map.field_type == FieldType::Instant && formats.is_empty() {
            return Err(("formats", "an instant needs at least one format".to_owned()));
        }
        let zone = match map.zone.as_deref() {
            None | Some("Asia/Ho_Chi_Minh") => instant::vietnam(),
            Some(name) => TimeZone::get(name).map_err(|_| ("zone", format!("`{name}` is no IANA time zone")))?,
        };
        let pattern = map
            .pattern
            .as_deref()
            .map(|pattern| Regex::new(&format!("^(?:{pattern})$")))
            .transpose()
            .map_err(|error| ("pattern", format!("the pattern does not compile: {error}")))?;
        let mut codes = HashMap::new();
        for (text, word) in &map.codes {
            let value = match (map.field_type, word.as_str()) {
                (FieldType::Word, word) => Value::Text(word.into()),
                (FieldType::Flag, "true") => Value::Flag(true),
                (FieldType::Flag, "false") => Value::Flag(false),
                (FieldType::Flag, other) => return Err(("codes", format!("`{other}` is neither `true` nor `false`"))),
                _ => return Err(("codes", "only `word` and `flag` fields have codes".to_owned())),
            };
            // As written too: most texts are found without being folded.
            codes.insert(text.clone(), value.clone());
            codes.insert(fold(text), value);
        }
        if map.field_type == FieldType::Word && codes.is_empty() {
            return Err(("codes", "a word needs its codes".to_owned()));
        }
        let mut reader = Self {
            column: column.to_owned(),
            from: map.from.as_slice().to_vec(),
            required: map.required,
            tolerant: false,
            optional: map.default.is_some(),
            field_type: map.field_type,
            formats,
            zone,
            codes,
            pattern,
            default: Value::Null,
        };
        if let Some(default) = map.default.as_ref().filter(|default| !default.is_empty()) {
            reader.default = match map.field_type {
                FieldType::Word => Value::Text(default.as_str().into()),
                _ => reader
                    .read(default)
                    .map_err(|reason| ("default", format!("`{default}` does not fit the field: {}", reason.code())))?,
            };
        }
        Ok(reader)
    }

    /// The value of an absent or empty field.
    ///
    /// # Errors
    /// [`Reason::Missing`] if the field is required.
    pub fn absent(&self) -> Result<Value, Reason> {
        if self.required && self.default == Value::Null { Err(Reason::Missing) } else { Ok(self.default.clone()) }
    }

    /// Reads a text that is not empty.
    ///
    /// # Errors
    /// Why it does not fit.
    pub fn read(&self, text: &str) -> Result<Value, Reason> {
        let text = text.trim();
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(text)
        {
            return Err(Reason::WrongForm);
        }
        match self.field_type {
            FieldType::Code => self.code(text).map(|()| Value::Text(text.into())),
            FieldType::DossierCode => {
                self.code(text)?;
                forms::dossier_code(text, self.pattern.is_some())?;
                Ok(Value::Text(text.to_ascii_uppercase().into()))
            }
            FieldType::ProcedureCode => forms::procedure_code(text).map(|base| Value::Text(base.into())),
            FieldType::ItemCode => forms::item_code(text).map(|item| Value::Text(item.into())),
            FieldType::Agency => forms::agency(text, self.pattern.is_some()).map(|name| Value::Text(name.into())),
            FieldType::Title => forms::title(text, self.pattern.is_some()).map(|title| Value::Text(title.into())),
            FieldType::Instant => self
                .formats
                .iter()
                .find_map(|format| format.read(text, &self.zone))
                .map(Value::Instant)
                .ok_or(Reason::NotAnInstant),
            FieldType::Word => self.code_of(text).ok_or(Reason::UnknownCode),
            FieldType::Flag => match text {
                "true" | "1" => Ok(Value::Flag(true)),
                "false" | "0" => Ok(Value::Flag(false)),
                other => self.code_of(other).ok_or(Reason::UnknownCode),
            },
            FieldType::Period => match Period::parse(text) {
                Some(period) => Ok(Value::Text(period.to_string().into())),
                None => Err(Reason::WrongForm),
            },
            FieldType::Document => forms::document(text).map(|()| Value::Text(text.into())),
            FieldType::Integer => forms::integer(text).map(Value::Integer),
        }
    }

    /// An identifier of nine digits or more without a letter could be somebody's number: only a `pattern` lets it in.
    fn code(&self, text: &str) -> Result<(), Reason> {
        forms::code(text)?;
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let number = digits >= 9 && !text.bytes().any(|byte| byte.is_ascii_alphabetic());
        if number && self.pattern.is_none() { Err(Reason::NotOfType) } else { Ok(()) }
    }

    fn code_of(&self, text: &str) -> Option<Value> {
        self.codes.get(text).or_else(|| self.codes.get(&fold(text))).cloned()
    }

    /// Whether a text that this field took may be written from a row in which another field failed: in a row
    /// whose columns have shifted, words may be anybody's name.
    #[must_use]
    pub fn is_safe_in_failed_row(&self, text: &str) -> bool {
        match self.field_type {
            FieldType::Agency => forms::is_agency_code(text) && forms::code(text).is_ok(),
            FieldType::Document | FieldType::Title => false,
            FieldType::Code | FieldType::DossierCode => text.bytes().any(|byte| byte.is_ascii_digit()),
            _ => true,
        }
    }
}

/// All readers of a connector, and the source fields that they keep.
#[derive(Debug, Clone)]
pub struct Readers {
    pub readers: Vec<FieldReader>,
    /// Kept source fields in cell order: what [`Page::fields`] holds.
    pub fields: Arc<[String]>,
}

impl Readers {
    /// Compiles the `map` of a checked connector.
    ///
    /// # Errors
    /// Column, key and message of the first table that does not compile.
    pub fn compile(file: &ConnectorFile) -> Result<Self, (String, &'static str, String)> {
        let mut readers = Vec::new();
        let mut fields: Vec<String> = Vec::new();
        for (column, map) in &file.map {
            let mut reader = FieldReader::compile(column, map).map_err(|(key, why)| (column.clone(), key, why))?;
            reader.tolerant = !map.required && matches!(file.contract.ill_typed, Breach::Accept | Breach::Report);
            if file.decode.has_date_cells() {
                let cell = Format::compile(instant::CELL_FORMAT).expect("the format is a constant");
                reader.formats.push(cell);
            }
            for field in &reader.from {
                if !fields.contains(field) {
                    fields.push(field.clone());
                }
            }
            readers.push(reader);
        }
        Ok(Self { readers, fields: fields.into() })
    }

    /// For each reader its cells in a page, in order of preference.
    #[must_use]
    pub fn cells(&self, page: &Page) -> Vec<Vec<usize>> {
        let cell = |field: &String| page.fields.iter().position(|kept| kept == field);
        self.readers.iter().map(|reader| reader.from.iter().filter_map(cell).collect()).collect()
    }
}

/// The first non-empty text among `cells` of a row, with its cell.
#[must_use]
pub fn first_text<'a>(page: &'a Page, index: usize, cells: &[usize]) -> Option<(usize, &'a str)> {
    cells.iter().find_map(|&cell| {
        let text = page.cell(index, cell)?;
        (!text.trim().is_empty()).then_some((cell, text))
    })
}

/// What is written of a text that failed its type: its shape and length, never the text.
#[must_use]
pub fn shape(text: &str) -> String {
    let mut shape = String::from("?");
    let mut last = ' ';
    for symbol in text.chars().take(40) {
        let class = match symbol {
            digit if digit.is_numeric() => '9',
            upper if upper.is_uppercase() => 'A',
            lower if lower.is_alphabetic() => 'a',
            space if space.is_whitespace() => '_',
            _ => '.',
        };
        if class != last {
            shape.push(class);
            last = class;
        }
    }
    let _ = write!(shape, ":{}", text.chars().count());
    shape
}

/// What is written of a text that failed: its [`shape`] and why, since a shape may fail for another reason.
#[must_use]
pub fn failed(text: &str, reason: Reason) -> String {
    format!("{} {}", shape(text), reason.code())
}

/// Why a landed text had [`failed`] before it was cut to its shape.
#[must_use]
pub fn failed_for(text: &str) -> Option<Reason> {
    Reason::from_code(text.strip_prefix('?')?.rsplit_once(' ')?.1)
}

/// What is written of a text that fits its type but stands in a row that failed elsewhere: its shape, marked, so that
/// the row is still rejected for what was wrong with it.
#[must_use]
pub fn withheld(text: &str) -> String {
    shape(text).replacen('?', WITHHELD, 1)
}

/// Whether a landed text is [`withheld`]. No type that is withheld takes the mark.
#[must_use]
pub fn is_withheld(text: &str) -> bool {
    text.starts_with(WITHHELD)
}

/// Whether a text that failed its type may stand as it is: only digits and signs, and no run of nine digits.
#[must_use]
pub fn is_harmless(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.chars().all(|symbol| symbol.is_ascii_digit() || "-/:.,+ ".contains(symbol)) && digits < 9
        || (text.len() <= 24 && has_date_form(text))
}

/// Digits in the groups of a date, such as `31/02/2020 08:00`: a wrong date is worth seeing and is nobody's number.
fn has_date_form(text: &str) -> bool {
    let groups: Vec<&str> = text.split(['/', '-', ' ', ':', '.', '+', 'T']).collect();
    groups.len() >= 3
        && groups.iter().all(|group| group.len() <= 4 && group.bytes().all(|byte| byte.is_ascii_digit()))
        && (text.matches('/').count() == 2 || (text.matches('-').count() == 2 && text.contains(':')))
}

/// Text as it is compared: NFC, lower case, single spaces.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.nfc().flat_map(char::to_lowercase));
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connector::OneOrMany;

    fn reader(field_type: FieldType) -> FieldReader {
        let map = FieldMap {
            from: OneOrMany::One("x".to_owned()),
            field_type,
            formats: vec![],
            zone: None,
            codes: [("Trực tuyến".to_owned(), "online".to_owned())]
                .into_iter()
                .filter(|_| field_type == FieldType::Word)
                .collect(),
            pattern: None,
            default: None,
            required: false,
        };
        FieldReader::compile("submission_channel", &map).expect("valid")
    }

    #[test]
    fn item_codes_carry_their_check_digit() {
        // EP12345678_VN: 8·1+6·2+4·3+2·4+3·5+5·6+9·7+7·8 = 204, 204 mod 11 = 6, 11 − 6 = 5.
        assert_eq!(reader(FieldType::ItemCode).read("EP123456785VN"), Ok(Value::Text("EP123456785VN".into())));
        assert_eq!(reader(FieldType::ItemCode).read("EP123456784VN"), Err(Reason::CheckDigit));
        assert_eq!(reader(FieldType::ItemCode).read("123456785"), Err(Reason::WrongForm));
        assert_eq!(reader(FieldType::Period).read("2026-Q3s"), Ok(Value::Text("2026-Q3s".into())));
        for text in ["2026-Q5", "quý 1 năm 2026", "2026-13", "01/2026"] {
            assert_eq!(reader(FieldType::Period).read(text), Err(Reason::WrongForm), "{text}");
        }
        for text in ["123/BC-UBND", "2639/QĐ-UBND", "12/2026/BC-SXD", "7/A&B"] {
            assert_eq!(reader(FieldType::Document).read(text), Ok(Value::Text(text.into())), "{text}");
        }
        for text in
            ["BC-UBND", "theo ông Mẫu", "12/XL Nguyễn Văn Mẫu", "086123456789/BC", "12/086123456789", "12/", "/BC"]
        {
            assert_eq!(reader(FieldType::Document).read(text), Err(Reason::WrongForm), "{text}");
        }
    }

    #[test]
    fn nothing_personal_passes_as_an_identifier() {
        for text in ["Nguyễn Văn An", "079123456789", "0912 345 678", "an@example.vn", "012345678"] {
            for field_type in [FieldType::Code, FieldType::DossierCode, FieldType::ProcedureCode, FieldType::Integer] {
                assert!(reader(field_type).read(text).is_err(), "{text} as {field_type:?}");
            }
        }
        for text in ["079123456789", "0912 345 678", "an@example.vn"] {
            assert!(reader(FieldType::Agency).read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn takes_the_codes_of_the_field() {
        for (field_type, text, expected) in [
            (FieldType::DossierCode, "000.00.14.h61-201012-0001", "000.00.14.H61-201012-0001"),
            (FieldType::DossierCode, "G09.20-20260609-0092637", "G09.20-20260609-0092637"),
            (FieldType::ProcedureCode, "1.002835.000.00.00.H61", "1.002835"),
            (FieldType::ProcedureCode, "2.002621.H56", "2.002621"),
            (FieldType::Agency, "Sở  Nội vụ", "Sở Nội vụ"),
            (FieldType::Agency, "000.00.14.H61", "000.00.14.H61"),
            (FieldType::Word, " trực  TUYẾN ", "online"),
        ] {
            assert_eq!(reader(field_type).read(text), Ok(Value::Text(expected.into())), "{text}");
        }
        assert_eq!(reader(FieldType::Integer).read("30.000"), Ok(Value::Integer(30_000)));
        assert_eq!(reader(FieldType::Integer).read("3.00"), Err(Reason::WrongForm));
    }

    #[test]
    fn shapes_say_nothing_of_the_text() {
        assert_eq!(shape("Nguyễn Văn An"), "?Aa_Aa_Aa:13");
        assert_eq!(shape("0912345678"), "?9:10");
        assert!(is_harmless("31/02/2020"));
        assert!(is_harmless("99/99/2020 25:61"));
        assert!(!is_harmless("0912345678"));
        assert!(!is_harmless("0912 345 678"));
        assert!(!is_harmless("Nguyễn"));
    }
}
