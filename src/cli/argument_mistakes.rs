//! Mistakes in the arguments, in Vietnamese. In English they are reported by clap.

use std::error::Error as _;
use std::fmt::Write as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Message, and what to do; `None` for what is no mistake (`--help`, `--version`) and for kinds that clap reports.
pub(super) fn in_vietnamese(error: &clap::Error) -> Option<String> {
    let of = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (argument, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    let what = match error.kind() {
        ErrorKind::UnknownArgument => format!("không có tham số `{argument}`"),
        ErrorKind::InvalidSubcommand => format!("không có lệnh `{}`", of(ContextKind::InvalidSubcommand)),
        ErrorKind::MissingRequiredArgument => format!("thiếu tham số bắt buộc: {argument}"),
        ErrorKind::ArgumentConflict => {
            format!("`{argument}` không dùng cùng với `{}`", of(ContextKind::PriorArg))
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("`{argument}` thiếu giá trị"),
        ErrorKind::InvalidValue => format!("`{argument}` không nhận giá trị `{value}`"),
        ErrorKind::ValueValidation => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("giá trị `{value}` của `{argument}` không đúng{cause}")
        }
        ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => format!("`{argument}` thiếu giá trị"),
        ErrorKind::TooManyValues => format!("`{argument}` có thừa giá trị"),
        _ => return None,
    };
    let mut text = format!("lỗi: {what}\n");
    let known = of(ContextKind::ValidValue);
    if !known.is_empty() {
        let _ = writeln!(text, "  các giá trị: {known}");
    }
    let alike = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    if let Some(alike) = alike.into_iter().find_map(|kind| error.get(kind)) {
        let names = match alike {
            ContextValue::Strings(names) => names.join("` hoặc `"),
            name => name.to_string(),
        };
        let _ = writeln!(text, "gợi ý: có phải là `{names}`?");
    }
    text.push_str("gợi ý: thêm `--help` để xem các tham số\n");
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    fn mistake(arguments: &str) -> String {
        let error = command().try_get_matches_from(arguments.split(' ')).expect_err("there is a mistake");
        in_vietnamese(&error).unwrap_or_else(|| panic!("{error:?}"))
    }

    #[test]
    fn a_mistake_names_what_was_typed_and_what_is_known() {
        let verb = mistake("motcua reprot");
        assert!(verb.starts_with("lỗi: không có lệnh `reprot`\ngợi ý: có phải là `"), "{verb}");
        assert!(verb.contains("`report`"), "{verb}");
        assert!(mistake("motcua status --fromat json").contains("không có tham số `--fromat`"));
        let format = mistake("motcua status --format jsn");
        assert!(format.contains("giá trị `jsn`") && format.contains("table, json, csv"), "{format}");
        assert!(mistake("motcua explain par-3.4.1").contains("thiếu tham số bắt buộc: --period <PERIOD>"));
        let tier = mistake("motcua report --tier thôn");
        assert!(tier.contains("giá trị `thôn`") && tier.contains("commune"), "{tier}");
        let both = mistake("motcua worklist --agency H61 --tier xã");
        assert!(both.contains("không dùng cùng với"), "{both}");
    }

    #[test]
    fn help_is_no_mistake() {
        let help = command().try_get_matches_from(["motcua", "--help"]).expect_err("help ends the program");
        assert_eq!(in_vietnamese(&help), None);
    }
}
