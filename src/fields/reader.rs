//! Readers of fields: each turns the text of one `[map.COLUMN]` into a canonical value or a reason code.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use regex::Regex;

use crate::fields::date_format::{CELL_FORMAT, DateFormat};
use crate::fields::syntax;
use crate::model::connector::{Breach, ConnectorFile, FieldMap, FieldType};
use crate::model::instant;
use crate::model::page::{Page, Reason};
use crate::model::period::Period;
use crate::model::record::Value;
use crate::model::text::fold;

/// Reader of one canonical column.
#[derive(Debug, Clone)]
pub struct FieldReader {
    /// Canonical column.
    pub column: String,
    /// Source fields in order of preference; the first that is not empty counts.
    pub from: Vec<String>,
    pub required: bool,
    /// A text that does not fit counts as absent, by the connector's contract.
    pub tolerant: bool,
    /// The column has a default, possibly null, so the source need not have the field.
    pub optional: bool,
    field_type: FieldType,
    formats: Vec<DateFormat>,
    zone: TimeZone,
    codes: HashMap<String, Value>,
    pattern: Option<Regex>,
    default: Value,
}

impl FieldReader {
    /// Compiles a `[map.COLUMN]` table.
    ///
    /// # Errors
    /// The key that is wrong, and the reason.
    pub fn compile(column: &str, map: &FieldMap) -> Result<Self, (&'static str, String)> {
        let formats = map
            .formats
            .iter()
            .map(|format| DateFormat::compile(format))
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
            // Also under the text as written: most lookups then need no folding.
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

    /// The type that the connector declares for the field.
    #[must_use]
    pub fn field_type(&self) -> FieldType {
        self.field_type
    }

    /// Value of an absent or empty field.
    ///
    /// # Errors
    /// [`Reason::Missing`] if the column is required and has no default.
    pub fn absent(&self) -> Result<Value, Reason> {
        if self.required && self.default == Value::Null { Err(Reason::Missing) } else { Ok(self.default.clone()) }
    }

    /// Value of a text that is not empty.
    ///
    /// # Errors
    /// The reason why it does not fit.
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
                syntax::dossier_code(text, self.pattern.is_some())?;
                Ok(Value::Text(text.to_ascii_uppercase().into()))
            }
            FieldType::ProcedureCode => syntax::procedure_code(text).map(|base| Value::Text(base.into())),
            FieldType::ItemCode => syntax::item_code(text).map(|item| Value::Text(item.into())),
            FieldType::Agency => syntax::agency(text, self.pattern.is_some()).map(|name| Value::Text(name.into())),
            FieldType::Title => syntax::title(text, self.pattern.is_some()).map(|title| Value::Text(title.into())),
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
            FieldType::Document => syntax::document(text).map(|()| Value::Text(text.into())),
            FieldType::Integer => syntax::integer(text).map(Value::Integer),
        }
    }

    /// Checks an identifier. Nine digits or more without a letter may be a person's number, so they need a `pattern`.
    fn code(&self, text: &str) -> Result<(), Reason> {
        syntax::code(text)?;
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let number = digits >= 9 && !text.bytes().any(|byte| byte.is_ascii_alphabetic());
        if number && self.pattern.is_none() { Err(Reason::NotOfType) } else { Ok(()) }
    }

    fn code_of(&self, text: &str) -> Option<Value> {
        self.codes.get(text).or_else(|| self.codes.get(&fold(text))).cloned()
    }
}

/// Readers of a connector, and the source fields that they keep.
#[derive(Debug, Clone)]
pub struct Readers {
    pub readers: Vec<FieldReader>,
    /// Kept source fields, in the order of a page's cells ([`Page::fields`]).
    pub fields: Arc<[String]>,
}

impl Readers {
    /// Compiles `[map]` of a connector.
    ///
    /// # Errors
    /// Column, key and message of the first entry that does not compile.
    pub fn compile(file: &ConnectorFile) -> Result<Self, (String, &'static str, String)> {
        let mut readers = Vec::new();
        let mut fields: Vec<String> = Vec::new();
        for (column, map) in &file.map {
            let mut reader = FieldReader::compile(column, map).map_err(|(key, why)| (column.clone(), key, why))?;
            reader.tolerant = !map.required && matches!(file.contract.ill_typed, Breach::Accept | Breach::Report);
            if file.decode.has_date_cells() {
                let cell = DateFormat::compile(CELL_FORMAT).expect("the format is a constant");
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

    /// Indices of each reader's cells in a page, in order of preference.
    #[must_use]
    pub fn cells(&self, page: &Page) -> Vec<Vec<usize>> {
        let cell = |field: &String| page.fields.iter().position(|kept| kept == field);
        self.readers.iter().map(|reader| reader.from.iter().filter_map(cell).collect()).collect()
    }
}

/// First text that is not empty among `cells` of a row, with the index of its cell.
#[must_use]
pub fn first_text<'a>(page: &'a Page, index: usize, cells: &[usize]) -> Option<(usize, &'a str)> {
    cells.iter().find_map(|&cell| {
        let text = page.cell(index, cell)?;
        (!text.trim().is_empty()).then_some((cell, text))
    })
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
    fn item_codes_periods_and_documents_are_checked() {
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
    fn personal_data_is_refused_as_an_identifier() {
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
    fn codes_and_names_are_normalised() {
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
}
