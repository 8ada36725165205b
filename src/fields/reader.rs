//! Readers of fields: each turns the text of one `[map.COLUMN]` into a canonical value or a reason code.

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use regex::Regex;

use crate::fields::bounds::Bounds;
use crate::fields::date_format::DateFormat;
use crate::fields::date_reading::DateReading;
use crate::fields::decimal_number::{self, MAX_DECIMALS};
use crate::fields::field_cells::FieldCells;
use crate::fields::null_values::{NullValues, is_serial_of_none};
use crate::fields::syntax;
use crate::model::connector::{Breach, FieldMap, FieldType, Grouping, Lookup, SourceField};
use crate::model::page::{CELL_ERROR, CELL_STRUCTURE, Page, Reason};
use crate::model::period::{Period, PeriodError};
use crate::model::procedure_names::ProcedureNames;
use crate::model::record::Value;
use crate::model::text::{fold, plain};

/// Key of the codes of a flag that stands for every other date or time.
const ANY_TIME: &str = "*";

/// Reader of one canonical column.
#[derive(Debug, Clone)]
pub struct FieldReader {
    /// Canonical column.
    pub column: String,
    /// Source fields in order of preference; the first that is not empty counts.
    pub from: Vec<String>,
    /// Source field of the time of day, if the dates of `from` have none.
    pub time: Option<String>,
    pub required: bool,
    /// What happens to a text that does not fit, by the field or the connector's contract.
    pub ill_typed: Breach,
    /// The column has a default, possibly null, so the source need not have the field.
    pub optional: bool,
    /// The connector declares a greatest value of its own.
    pub has_most: bool,
    field_type: FieldType,
    dates: DateReading,
    codes: HashMap<String, Value>,
    /// Names of procedures, if the field is looked up by them.
    names: Option<Arc<ProcedureNames>>,
    pattern: Option<Regex>,
    null_values: NullValues,
    bounds: Bounds,
    grouping: Option<Grouping>,
    /// Number of decimals of an integer, which counts the last of them.
    decimals: Option<u32>,
    default: Value,
}

/// First cell of a row that has a value for a column.
#[derive(Debug)]
pub struct FirstValue<'p> {
    /// With the time of day, if it has a cell of its own.
    pub text: Cow<'p, str>,
    /// The value, or the reason why the text does not fit.
    pub value: Result<Value, Reason>,
}

impl FieldReader {
    pub(crate) fn is_instant(&self) -> bool {
        self.field_type == FieldType::Instant
    }

    /// Reads the dates of workbook cells besides the declared formats.
    pub(super) fn add_cell_format(&mut self) {
        self.dates.add_cell_format();
    }

    /// Compiles a `[map.COLUMN]` table. `null_values`: texts that mean in every field of the connector that there is no
    /// value.
    ///
    /// # Errors
    /// The key that is wrong, and the reason.
    pub fn compile(column: &str, map: &FieldMap, null_values: &[String]) -> Result<Self, (&'static str, String)> {
        let null_texts: Vec<&String> = map.null_values.iter().chain(null_values).collect();
        let dates = DateReading::compile(map)?;
        let null_formats = (map.field_type == FieldType::Instant).then(|| dates.formats());
        let null_values = NullValues::compile(null_texts, null_formats);
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
            let folded = fold(text);
            if codes.get(&folded).is_some_and(|known| *known != value) {
                let message =
                    format!("`{text}` stands for two words: case, spacing and look-alike letters do not count");
                return Err(("codes", message));
            }
            // Also under the text as written: most lookups then need no folding.
            codes.insert(text.clone(), value.clone());
            codes.insert(folded, value);
        }
        if map.field_type == FieldType::Word && codes.is_empty() && map.value.is_none() {
            return Err(("codes", "a word needs its codes".to_owned()));
        }
        if map.grouping.is_some() && map.field_type != FieldType::Integer {
            return Err(("grouping", "only an `integer` has groups of digits".to_owned()));
        }
        if map.lookup.is_some() && map.field_type != FieldType::ProcedureCode {
            return Err(("lookup", "only a `procedure_code` can be looked up by the name of its procedure".to_owned()));
        }
        if map.decimals.is_some_and(|decimals| decimals == 0 || decimals > MAX_DECIMALS) {
            return Err(("decimals", format!("must be from 1 to {MAX_DECIMALS}")));
        }
        if map.decimals.is_some() && map.field_type != FieldType::Integer {
            return Err(("decimals", "only an `integer` has decimals, which it counts".to_owned()));
        }
        let mut reader = Self {
            column: column.to_owned(),
            from: map.from.names(),
            time: map.time.as_ref().map(SourceField::name),
            required: map.required,
            ill_typed: map.ill_typed.unwrap_or(Breach::RejectRow),
            optional: map.default.is_some() || map.value.is_some(),
            has_most: map.most.is_some(),
            null_values,
            bounds: Bounds::compile(map)?,
            grouping: map.grouping,
            decimals: map.decimals,
            field_type: map.field_type,
            dates,
            codes,
            names: map.lookup.map(|Lookup::ProcedureName| Arc::default()),
            pattern,
            default: Value::Null,
        };
        let constant = map.value.as_ref().map(|value| ("value", value));
        let default = map.default.as_ref().filter(|default| !default.is_empty()).map(|default| ("default", default));
        if let Some((key, text)) = constant.or(default) {
            reader.default = match map.field_type {
                FieldType::Word => Value::Text(text.as_str().into()),
                _ => reader
                    .read(text)
                    .map_err(|reason| (key, format!("`{text}` does not fit the field: {}", reason.code())))?,
            };
            if reader.default == Value::Null {
                return Err((key, format!("`{text}` means that there is no value")));
            }
        }
        Ok(reader)
    }

    /// Looks texts up in these names, if the field is declared so.
    pub(super) fn set_names(&mut self, procedures: &Arc<ProcedureNames>) {
        if let Some(names) = &mut self.names {
            names.clone_from(procedures);
        }
    }

    /// Whether a text that was refused for this reason may be the published name of a procedure that the registry lacks, or
    /// has several times.
    #[must_use]
    pub fn is_unresolved_name(text: &str, reason: Reason) -> bool {
        matches!(reason, Reason::UnknownProcedure | Reason::AmbiguousProcedure)
            && syntax::title(plain(text).trim(), false).is_ok()
    }

    /// Whether a text that does not fit counts as absent, instead of rejecting its row.
    #[must_use]
    pub fn is_tolerant(&self) -> bool {
        !self.required && matches!(self.ill_typed, Breach::Accept | Breach::Report)
    }

    /// Whether the first text that is one of the words counts, and not the first that is not empty.
    #[must_use]
    pub fn takes_first_word(&self) -> bool {
        matches!(self.field_type, FieldType::Word | FieldType::Flag)
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

    /// The cells of row `index` that are not blank, and their texts, in order of preference.
    pub fn texts<'p>(
        &self,
        page: &'p Page,
        index: usize,
        cells: &FieldCells,
    ) -> impl Iterator<Item = (usize, Cow<'p, str>)> {
        cells.texts(page, index, |time| self.null_values.has_text(time))
    }

    /// Whether a format is the number of a day in a spreadsheet.
    pub(crate) fn reads_serials(&self) -> bool {
        self.dates.formats().iter().any(DateFormat::is_serial)
    }

    /// Value of the first of `cells` of a row that has one. Blank cells and texts that mean that there is no value are
    /// passed over; so are lists and objects if another cell has a value, and texts that are none of the words, if a later
    /// one is.
    #[must_use]
    pub fn first<'p>(&self, page: &'p Page, index: usize, cells: &FieldCells) -> Option<FirstValue<'p>> {
        let texts = || self.texts(page, index, cells).map(|(_, text)| text);
        let values =
            texts().filter(|text| *text != CELL_STRUCTURE).map(|text| FirstValue { value: self.read(&text), text });
        let mut values = values.filter(|first| first.value != Ok(Value::Null));
        let Some(first) = values.next() else {
            let structure = texts().find(|text| *text == CELL_STRUCTURE)?;
            return Some(FirstValue { value: self.read(&structure), text: structure });
        };
        if first.value.is_ok() || !self.takes_first_word() {
            return Some(first);
        }
        Some(values.find(|later| later.value.is_ok()).unwrap_or(first))
    }

    /// Value of a text that is not empty; [`Value::Null`] if the text means that there is none.
    ///
    /// # Errors
    /// The reason why it does not fit.
    pub fn read(&self, text: &str) -> Result<Value, Reason> {
        without_panic(|| self.value_of(text))
    }

    fn value_of(&self, text: &str) -> Result<Value, Reason> {
        let text = plain(text);
        let text = text.trim();
        if text == CELL_ERROR {
            return Err(Reason::CellError);
        }
        if text == CELL_STRUCTURE {
            return Err(Reason::NotOfType);
        }
        // A text or day that means that there is none need not match the pattern.
        if self.field_type != FieldType::Instant {
            if self.null_values.has_text(text) {
                return Ok(Value::Null);
            }
            self.check_pattern(text)?;
        }
        match self.field_type {
            FieldType::Code => self.code(text).map(|()| Value::Text(text.into())),
            FieldType::DossierCode => {
                self.code(text)?;
                syntax::dossier_code(text, self.pattern.is_some())?;
                Ok(Value::Text(text.to_ascii_uppercase().into()))
            }
            FieldType::ProcedureCode => match (syntax::procedure_code(text), &self.names) {
                (Ok(base), _) => Ok(Value::Text(base.into())),
                (Err(_), Some(names)) => names.code(text).map(|code| Value::Text(code.into())),
                (Err(reason), None) => Err(reason),
            },
            FieldType::ItemCode => syntax::item_code(text).map(|item| Value::Text(item.into())),
            FieldType::Agency => syntax::agency(text, self.pattern.is_some()).map(|name| Value::Text(name.into())),
            FieldType::Title => syntax::title(text, self.pattern.is_some()).map(|title| Value::Text(title.into())),
            FieldType::Instant => self.instant(text),
            FieldType::Word => self.code_of(text).ok_or(Reason::UnknownCode),
            FieldType::Flag => match text {
                "true" | "1" => Ok(Value::Flag(true)),
                "false" | "0" => Ok(Value::Flag(false)),
                other => {
                    let time = || self.codes.get(ANY_TIME).filter(|_| may_be_time(other)).cloned();
                    self.code_of(other).or_else(time).ok_or(Reason::UnknownCode)
                }
            },
            FieldType::Period => match Period::read(text) {
                Ok(period) => Ok(Value::Text(period.to_string().into())),
                Err(PeriodError::Form) => Err(Reason::WrongForm),
                Err(PeriodError::Year) => Err(Reason::OutOfRange),
            },
            FieldType::Document => syntax::document(text).map(|()| Value::Text(text.into())),
            FieldType::Integer => {
                let number = match self.decimals {
                    Some(decimals) => decimal_number::scaled(text, self.grouping, decimals)?,
                    None => syntax::integer(text, self.grouping)?,
                };
                self.bounds.check(number).map(Value::Integer)
            }
        }
    }

    fn check_pattern(&self, text: &str) -> Result<(), Reason> {
        match &self.pattern {
            Some(pattern) if !pattern.is_match(text) => Err(Reason::WrongForm),
            _ => Ok(()),
        }
    }

    /// Instant of a text by the first format that gives one. A day that means that there is none is compared as written,
    /// so that `9999-12-31T23:59:59` and `00/01/1900` need not be an instant.
    fn instant(&self, text: &str) -> Result<Value, Reason> {
        for read in self.dates.read(text) {
            if self.null_values.has_day(read.written_day) {
                return Ok(Value::Null);
            }
            let Some(instant) = read.instant else { continue };
            if read.has_offset && self.null_values.has_midnight(instant) {
                return Ok(Value::Null);
            }
            self.check_pattern(text)?;
            return self.bounds.check(instant).map(Value::Instant);
        }
        if self.null_values.has_text(text) || is_serial_of_none(text) || self.null_values.has_written_day(text) {
            return Ok(Value::Null);
        }
        self.check_pattern(text)?;
        Err(Reason::NotAnInstant)
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

/// Whether a text may be a date or a time. Such a text holds no name, and no number of a person.
fn may_be_time(text: &str) -> bool {
    let longest = text.split(|symbol: char| !symbol.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    let is_of_time = |byte: u8| byte.is_ascii_digit() || b"-/:.+ TZ".contains(&byte);
    text.bytes().all(is_of_time) && ((1..=8).contains(&longest) || longest == 14)
}

/// Reads a value; a panic rejects it. The log has the place of the panic.
fn without_panic(read: impl FnOnce() -> Result<Value, Reason>) -> Result<Value, Reason> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(Reason::OwnError))
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "look_alike_tests.rs"]
mod look_alike_tests;
