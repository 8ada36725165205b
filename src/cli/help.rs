//! `--help` in Vietnamese: the texts of `help.vi.txt` in the place of the English ones, which are beside the arguments.

use std::fmt::Write as _;

use clap::builder::PossibleValue;
use clap::{Arg, Command};

use crate::cli::exit_codes;

/// A text a line: `VERB = text` for a verb, `VERB ARGUMENT = text` for one of its arguments, `* ARGUMENT = text` for an
/// argument that means the same under several verbs.
const TEXTS: &str = include_str!("help.vi.txt");

/// Key of the program's own text.
const PROGRAM: &str = "motcua";

/// As clap's own, with a Vietnamese heading of the usage.
const TEMPLATE: &str = "{before-help}{about-with-newline}\nCách dùng: {usage}\n\n{all-args}{after-help}";

/// The command with its help in Vietnamese. Names of verbs, arguments and values stay as they are.
pub(super) fn in_vietnamese(mut command: Command) -> Command {
    // Adds `help` and `--help` everywhere, which have texts too.
    command.build();
    translated(command, "").after_help(exit_codes::help_in_vietnamese())
}

/// `path`: names of the verbs above and of the command itself; empty for the program.
fn translated(command: Command, path: &str) -> Command {
    let mut command = command
        .help_template(TEMPLATE)
        .subcommand_help_heading("Các lệnh")
        .subcommand_value_name("LỆNH")
        .mut_args(|argument| translated_argument(argument, path));
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().replace("[OPTIONS]", "[TÙY CHỌN]");
    command = command.override_usage(usage);
    if let Some(about) = text_of(if path.is_empty() { PROGRAM } else { path }) {
        command = command.about(about.to_owned());
    }
    if let Some(examples) = command.get_after_help().map(ToString::to_string) {
        let (_, lines) = examples.split_once('\n').unwrap_or_default();
        command = command.after_help(format!("Ví dụ:\n{lines}"));
    }
    for inner in command.get_subcommands_mut() {
        let name = inner.get_name().to_owned();
        let inner_path = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        *inner = match name.as_str() {
            // What is below repeats the verbs.
            "help" => std::mem::take(inner).about("In hướng dẫn của một lệnh."),
            _ => translated(std::mem::take(inner), &inner_path),
        };
    }
    command
}

fn translated_argument(argument: Arg, path: &str) -> Arg {
    let heading = if argument.is_positional() { "Tham số" } else { "Tùy chọn" };
    let name = argument.get_id().to_string();
    let text = text_of(format!("{path} {name}").trim_start()).or_else(|| text_of(&format!("* {name}")));
    let argument = argument.help_heading(heading);
    match text {
        Some(text) => with_values(argument, text),
        None => argument,
    }
}

/// The text with the values that an argument takes and the one that it has by default, which clap would add in English.
fn with_values(argument: Arg, text: &str) -> Arg {
    let mut help = text.to_owned();
    if argument.get_action().takes_values() {
        let value = |value: &PossibleValue| {
            // Without a Vietnamese text of its own, the name alone.
            let meaning = value.get_help().map(ToString::to_string).filter(|meaning| !meaning.is_ascii());
            match meaning {
                Some(meaning) => format!("{} ({meaning})", value.get_name()),
                None => value.get_name().to_owned(),
            }
        };
        let possible = argument.get_possible_values();
        let values: Vec<String> = possible.iter().filter(|value| !value.is_hide_set()).map(value).collect();
        if !values.is_empty() {
            let _ = write!(help, " [giá trị: {}]", values.join(", "));
        }
        let defaults = argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned());
        let defaults: Vec<String> = defaults.collect();
        if !defaults.is_empty() {
            let _ = write!(help, " [mặc định: {}]", defaults.join(" "));
        }
    }
    argument.help(help).hide_possible_values(true).hide_default_value(true)
}

/// The text of a verb (`token create`) or of an argument (`token create name`).
fn text_of(key: &str) -> Option<&'static str> {
    TEXTS.lines().filter_map(|line| line.split_once(" = ")).find_map(|(known, text)| (known == key).then_some(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cli::command;

    /// The keys of verbs and of their own arguments.
    fn keys(command: &Command, path: &str, found: &mut BTreeSet<String>) {
        for argument in command.get_arguments() {
            found.insert(format!("{path} {}", argument.get_id()).trim_start().to_owned());
        }
        for inner in command.get_subcommands() {
            let inner_path = format!("{path} {}", inner.get_name()).trim_start().to_owned();
            found.insert(inner_path.clone());
            keys(inner, &inner_path, found);
        }
    }

    #[test]
    fn every_verb_and_argument_has_a_vietnamese_text() {
        let mut found = BTreeSet::new();
        keys(&command(), "", &mut found);
        assert!(found.len() > 100, "{}", found.len());
        let shared = |key: &str| format!("* {}", key.rsplit(' ').next().unwrap_or_default());
        let lacks: Vec<&String> =
            found.iter().filter(|key| text_of(key).is_none() && text_of(&shared(key)).is_none()).collect();
        assert!(lacks.is_empty(), "no Vietnamese text: {lacks:?}");
        let arguments: BTreeSet<String> = found.iter().map(|key| shared(key)).collect();
        let own = [PROGRAM, "* help", "* version"];
        let unknown: Vec<&str> = TEXTS
            .lines()
            .filter_map(|line| line.split_once(" = ").map(|(key, _)| key))
            .filter(|key| !found.contains(*key) && !arguments.contains(*key) && !own.contains(key))
            .collect();
        assert!(unknown.is_empty(), "a text of nothing: {unknown:?}");
    }

    /// The helps of a command and of all below it, one behind the other.
    fn helps(command: &mut Command, found: &mut String) {
        found.push_str(&command.render_long_help().to_string());
        for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
            helps(inner, found);
        }
    }

    #[test]
    fn what_clap_adds_to_a_help_is_in_vietnamese() {
        let mut all = String::new();
        helps(&mut in_vietnamese(command()), &mut all);
        for english in ["[default:", "[possible values:", "Possible values", "[OPTIONS]", "Usage:"] {
            assert!(!all.contains(english), "{english}: {all}");
        }
        // The texts are wrapped.
        let words: Vec<&str> = all.split_whitespace().collect();
        let all = words.join(" ");
        for vietnamese in ["[TÙY CHỌN]", "[mặc định: config/motcua.toml]", "[giá trị: table, json, csv]"] {
            assert!(all.contains(vietnamese), "{vietnamese}: {all}");
        }
    }

    #[test]
    fn help_is_in_vietnamese_and_arguments_are_parsed_as_before() {
        let mut vietnamese = in_vietnamese(command());
        let help = vietnamese.render_help().to_string();
        for expected in ["Cách dùng: motcua", "Các lệnh:", "Tùy chọn:", "In số liệu của một đêm", "Mã kết thúc:"]
        {
            assert!(help.contains(expected), "{expected}: {help}");
        }
        for english in ["Usage:", "Commands:", "Options:", "Print figures", "Exit codes:"] {
            assert!(!help.contains(english), "{english}: {help}");
        }
        let report = vietnamese.find_subcommand_mut("report").expect("it is there").render_help().to_string();
        assert!(report.contains("Ví dụ:") && report.contains("Tham số:") && !report.contains("Examples:"), "{report}");
        let parsed = in_vietnamese(command()).try_get_matches_from(["motcua", "report", "par-3.4.1", "--tier", "xã"]);
        let parsed = parsed.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(parsed.subcommand_name(), Some("report"));
        let help = in_vietnamese(command()).try_get_matches_from(["motcua", "help", "token", "create"]);
        assert!(help.expect_err("help ends the program").to_string().contains("Tạo một mã truy cập"));
    }
}
