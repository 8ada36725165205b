//! The language of what people read on the command line: help, errors, hints, narration and tables. JSON, CSV and logs are
//! the same in both languages.
#![expect(clippy::disallowed_methods, reason = "edge: the language is known before arguments and settings are read")]

use std::borrow::Cow;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::config;
use crate::locale::Language;

/// Settings file if neither `--config` nor `MOTCUA_CONFIG` names one.
pub(super) const USUAL_SETTINGS: &str = "config/motcua.toml";

static CHOSEN: OnceLock<Language> = OnceLock::new();

/// A text with values in the language of the command line, written as two formats: Vietnamese, English.
macro_rules! text {
    ($vietnamese:literal, $english:literal $(, $value:expr)* $(,)?) => {
        match $crate::cli::language::language() {
            $crate::locale::Language::Vietnamese => ::std::format!($vietnamese $(, $value)*),
            $crate::locale::Language::English => ::std::format!($english $(, $value)*),
        }
    };
}

pub(super) use text;

/// The language of this process; English until [`choose`] was called.
pub(super) fn language() -> Language {
    CHOSEN.get().copied().unwrap_or(Language::English)
}

/// The one of two texts that is in the language of the command line.
pub(super) fn of<'t>(vietnamese: &'t str, english: &'t str) -> &'t str {
    language().of(vietnamese, english)
}

/// The one of a pair that is in the language of the command line.
pub(super) fn one([vietnamese, english]: [&str; 2]) -> &str {
    of(vietnamese, english)
}

/// The question whether one of some names was meant; `None` without any.
pub(super) fn did_you_mean(names: &[impl AsRef<str>]) -> Option<String> {
    let names: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    (!names.is_empty()).then(|| text!("có phải là {}?", "did you mean {}?", names.join(", ")))
}

/// Whether everything that is printed for people is logged as JSON: it is in English then, whatever the language is.
pub(super) fn is_logged() -> bool {
    is_json(&|name| env::var(name).ok())
}

fn is_json(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    variable("MOTCUA_LOG_FORMAT").as_deref() == Some("json")
}

/// The command line without the variables of global options that are blank: blank means unset.
pub(super) fn without_blank_variables(command: clap::Command) -> clap::Command {
    let options = [("config", "MOTCUA_CONFIG"), ("data", "MOTCUA_DATA"), ("lang", "MOTCUA_LANG")];
    let is_blank = |(_, name): &(&str, &str)| env::var(name).is_ok_and(|value| value.trim().is_empty());
    options
        .into_iter()
        .filter(is_blank)
        .fold(command, |command, (option, _)| command.mut_arg(option, |argument| argument.env(None::<&'static str>)))
}

/// Chooses the language of this process, from its arguments, its environment and the settings file that they name.
pub(super) fn choose() {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let chosen = language_for(&arguments, &|name| env::var(name).ok(), &config::language_of);
    // It is chosen once, before anything is printed.
    let _ = CHOSEN.set(chosen);
}

/// English if logs are JSON; else `--lang` or `MOTCUA_LANG`; else `language` of the settings; else the language of the
/// system. A wrong `--lang` is reported when the arguments are parsed. A blank variable is as good as none.
fn language_for(
    arguments: &[OsString],
    variable: &dyn Fn(&str) -> Option<String>,
    of_settings: &dyn Fn(&Path) -> Option<String>,
) -> Language {
    let variable = |name: &str| variable(name).filter(|set| !set.trim().is_empty());
    if is_json(&variable) {
        return Language::English;
    }
    let asked = value_of(arguments, "--lang").or_else(|| variable("MOTCUA_LANG"));
    if let Some(language) = asked.as_deref().and_then(Language::from_code) {
        return language;
    }
    let settings = value_of(arguments, "--config").or_else(|| variable("MOTCUA_CONFIG"));
    let settings = PathBuf::from(settings.unwrap_or_else(|| USUAL_SETTINGS.to_owned()));
    if let Some(language) = of_settings(&settings).as_deref().and_then(Language::from_code) {
        return language;
    }
    // The order of POSIX: a variable that is set and not empty decides.
    let of_system = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(variable);
    let code = of_system.as_deref().and_then(|locale| locale.split(['_', '.', '@']).next());
    code.and_then(Language::from_code).unwrap_or(Language::English)
}

/// The value of a long option, written `--name value` or `--name=value`.
fn value_of(arguments: &[OsString], option: &str) -> Option<String> {
    let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy()).take_while(|text| text != "--");
    while let Some(argument) = arguments.next() {
        if argument == option {
            return arguments.next().map(Cow::into_owned);
        }
        if let Some(value) = argument.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_comes_before_the_settings_and_these_before_the_system() {
        use Language::{English, Vietnamese};
        let office = |file: &Path| (file == Path::new("office.toml")).then(|| "vi".to_owned());
        for (arguments, variables, expected) in [
            ("status", vec![], English),
            ("status", vec![("LANG", "vi_VN.UTF-8")], Vietnamese),
            ("status", vec![("LANG", "vi_VN.UTF-8"), ("LC_ALL", "C.UTF-8")], English),
            ("status", vec![("LANG", "vi_VN.UTF-8"), ("LC_ALL", ""), ("LC_MESSAGES", "en_US.UTF-8")], English),
            ("status", vec![("LANG", "vim_VN")], English),
            ("--config office.toml status", vec![("LANG", "en_US.UTF-8")], Vietnamese),
            ("--config=office.toml status", vec![], Vietnamese),
            ("status", vec![("MOTCUA_CONFIG", "office.toml")], Vietnamese),
            ("--config other.toml status", vec![("MOTCUA_CONFIG", "office.toml")], English),
            ("--config office.toml status --lang en", vec![], English),
            ("--config office.toml status", vec![("MOTCUA_LANG", "en")], English),
            ("status --lang=vi", vec![("MOTCUA_LANG", "en")], Vietnamese),
            ("status", vec![("MOTCUA_LANG", ""), ("MOTCUA_CONFIG", "office.toml")], Vietnamese),
            ("--config office.toml status --lang vi", vec![("MOTCUA_LOG_FORMAT", "json")], English),
            ("--config office.toml status", vec![("MOTCUA_LOG_FORMAT", "text")], Vietnamese),
            ("check -- --lang vi", vec![], English),
            ("status --lang fr", vec![("LANG", "vi_VN")], Vietnamese),
        ] {
            let words: Vec<OsString> = arguments.split(' ').map(OsString::from).collect();
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(language_for(&words, &variable, &office), expected, "{arguments} {variables:?}");
        }
    }
}
