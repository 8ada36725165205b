//! Codes of procedures by their names in the registry, for sources that state the name only (`lookup = "procedure_name"`).
//!
//! A name is compared as a whole, without regard to case, spacing, letters that look alike and the place of the tone mark.
//! Names that are nearly equal are different names: nothing is guessed.

use std::collections::HashMap;

use crate::model::page::Reason;
use crate::model::procedure::Procedure;
use crate::model::text::name_key;

/// Codes of procedures by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcedureNames {
    /// Key of a name → its code; `None` if procedures with different codes have it.
    codes: HashMap<String, Option<Box<str>>>,
}

impl ProcedureNames {
    #[must_use]
    pub fn of(procedures: &[Procedure]) -> Self {
        let mut codes: HashMap<String, Option<Box<str>>> = HashMap::new();
        for procedure in procedures {
            codes
                .entry(name_key(&procedure.name))
                .and_modify(|known| {
                    if known.as_deref() != Some(procedure.code.as_str()) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(procedure.code.as_str().into()));
        }
        Self { codes }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Code of the only procedure with a name.
    ///
    /// # Errors
    /// `unknown_procedure`, `ambiguous_procedure`.
    pub fn code(&self, name: &str) -> Result<&str, Reason> {
        match self.codes.get(&name_key(name)) {
            Some(Some(code)) => Ok(code),
            Some(None) => Err(Reason::AmbiguousProcedure),
            None => Err(Reason::UnknownProcedure),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;
    use crate::model::procedure::TimeUnit;

    fn procedure(code: &str, name: &str) -> Procedure {
        Procedure {
            code: code.to_owned(),
            name: name.to_owned(),
            sector: "LV".to_owned(),
            statutory_time: None,
            unit: TimeUnit::WorkingDays,
            cut_off: time(15, 0, 0, 0),
            immediate: false,
            certification: false,
            vertical: false,
            valid_from: None,
            valid_to: None,
        }
    }

    #[test]
    fn only_the_whole_name_of_one_procedure_gives_its_code() {
        let names = ProcedureNames::of(&[
            procedure("1.000001", "Đăng ký khai sinh"),
            procedure("1.000002", "Cấp bản sao"),
            procedure("1.000003", "cấp  bản sao"),
            procedure("1.000004", "Xác nhận hoà giải"),
        ]);
        for (name, expected) in [
            ("Đăng ký khai sinh", Ok("1.000001")),
            ("  ĐĂNG KÝ\u{a0}KHAI SINH ", Ok("1.000001")),
            ("Ðăng ký khai sinh", Ok("1.000001")),
            ("Xác nhận hòa giải", Ok("1.000004")),
            ("Đăng ký khai sinh lưu động", Err(Reason::UnknownProcedure)),
            ("Dang ky khai sinh", Err(Reason::UnknownProcedure)),
            ("Cấp bản sao", Err(Reason::AmbiguousProcedure)),
            ("", Err(Reason::UnknownProcedure)),
        ] {
            assert_eq!(names.code(name), expected, "{name}");
        }
    }
}
