//! `docs/CLI.md`: the reference of the command line, generated from the definitions that clap parses with.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command};
use motcua::cli::{EXIT_CODES, FURTHER_EXIT_CODES, command};

use super::compare_or_write;

const HEAD: &str = "\
# Command line

For data clerks and engineers on duty who run `motcua` by hand, from cron or from scripts: every verb with its \
arguments, defaults and exit codes. `motcua --help` and `motcua VERB --help` print the same.

Generated from `src/cli`; do not edit. `MOTCUA_WRITE_REFERENCE=1 cargo test --test it command_line` writes this page.

```text
motcua [--config FILE] [--data DIR] [--lang LANG] VERB
```

Help, messages and tables are in Vietnamese or English; what programs read is the same in both: names of verbs, arguments and \
values, JSON, CSV, logs.

Data goes to standard output, narration and errors to standard error. A verb that prints rows has `--format`: `table` for \
people, `json` and `csv` for programs.
";

#[test]
fn the_reference_of_the_command_line_is_that_of_clap() {
    compare_or_write("docs/CLI.md", &page());
}

#[test]
fn every_verb_of_the_help_is_in_the_reference() {
    let help = crate::office::program().arg("--help").output().expect("it starts");
    let help = String::from_utf8(help.stdout).expect("help is text");
    let (_, verbs) = help.split_once("Commands:\n").expect("help lists the verbs");
    let named = verbs.lines().take_while(|line| !line.is_empty());
    let verbs: Vec<&str> = named.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let verbs: Vec<&str> = verbs.into_iter().filter(|verb| !["", "help"].contains(verb)).collect();
    assert!(verbs.len() > 15, "{verbs:?}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CLI.md");
    let reference = std::fs::read_to_string(file).expect("the reference can be read");
    let missing: Vec<&&str> =
        verbs.iter().filter(|verb| !reference.contains(&format!("\n## motcua {verb}\n"))).collect();
    assert!(missing.is_empty(), "docs/CLI.md has no section for {missing:?}");
}

fn page() -> String {
    let mut command = command();
    command.build();
    let mut text = HEAD.to_owned();
    text.push_str("\n## Global options\n");
    arguments(&mut text, command.get_arguments().filter(|argument| argument.is_global_set()));
    text.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for (code, meaning) in EXIT_CODES {
        let _ = writeln!(text, "| {code} | {meaning} |");
    }
    text.push_str("\n## Verbs\n\n| verb | does | exit codes |\n|---|---|---|\n");
    for verb in verbs(&command) {
        let name = verb.get_name();
        let _ = writeln!(text, "| [`{name}`](#motcua-{name}) | {} | {} |", about(verb), exit_codes(name));
    }
    for verb in verbs(&command) {
        section(&mut text, verb, 2);
        for inner in verbs(verb) {
            section(&mut text, inner, 3);
        }
    }
    text
}

/// The subcommands in the order of the help, without `help`.
fn verbs(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|verb| verb.get_name() != "help")
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn exit_codes(verb: &str) -> String {
    let further = FURTHER_EXIT_CODES.iter().find(|(known, _)| *known == verb).map_or(&[][..], |(_, codes)| codes);
    let codes: Vec<String> = [0, 1, 2].iter().chain(further).map(u8::to_string).collect();
    codes.join(" · ")
}

fn section(text: &mut String, command: &Command, level: usize) {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let heading = "#".repeat(level);
    let _ = write!(text, "\n{heading} {name}\n\n{}.\n\n```text\n{usage}\n```\n", about(command).trim_end_matches('.'));
    arguments(text, command.get_arguments().filter(|argument| !argument.is_global_set()));
    if let Some(examples) = command.get_after_help() {
        let examples = examples.to_string();
        let (title, lines) = examples.split_once('\n').unwrap_or_default();
        let lines: Vec<&str> = lines.lines().map(str::trim).collect();
        let _ = write!(text, "\n{title}\n\n```sh\n{}\n```\n", lines.join("\n"));
    }
}

fn arguments<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let rows: Vec<String> = arguments
        .filter(|argument| !["help", "version"].contains(&argument.get_id().as_str()))
        .map(|argument| format!("| `{}` | {} | {} |\n", name(argument), meaning(argument), default(argument)))
        .collect();
    if !rows.is_empty() {
        let _ = write!(text, "\n| argument | meaning | default |\n|---|---|---|\n{}", rows.concat());
    }
}

/// `--format FORMAT`, `-o, --output FILE`, `CONNECTORS…`.
fn name(argument: &Arg) -> String {
    let values: Vec<&str> = argument.get_value_names().into_iter().flatten().map(AsRef::as_ref).collect();
    let value = values.join(" ");
    if argument.is_positional() {
        let many = argument.get_num_args().is_some_and(|number| number.max_values() > 1);
        return format!("{value}{}", if many { "…" } else { "" });
    }
    let short = argument.get_short().map(|letter| format!("-{letter}, ")).unwrap_or_default();
    let long = argument.get_long().unwrap_or_default();
    let value = if argument.get_action().takes_values() { format!(" {value}") } else { String::new() };
    format!("{short}--{long}{value}")
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("{}.", help.trim_end_matches('.'));
    if argument.get_action().takes_values() {
        let values: Vec<String> = argument.get_possible_values().iter().map(value_text).collect();
        if !values.is_empty() {
            let _ = write!(text, " One of {}.", values.join(", "));
        }
    }
    text.replace('|', "\\|")
}

/// A possible value, with its meaning if it has one.
fn value_text(value: &clap::builder::PossibleValue) -> String {
    match value.get_help() {
        Some(help) => format!("`{}` ({})", value.get_name(), help.to_string().trim_end_matches('.')),
        None => format!("`{}`", value.get_name()),
    }
}

fn default(argument: &Arg) -> String {
    let variable = argument.get_env().map(|name| format!("`{}`", name.to_string_lossy()));
    let values: Vec<String> =
        argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    let value = match () {
        () if argument.is_required_set() => Some("required".to_owned()),
        // A flag is `false` unless it is given.
        () if !argument.get_action().takes_values() || values.is_empty() => None,
        () => Some(values.join(", ")),
    };
    variable.into_iter().chain(value).collect::<Vec<_>>().join(", else ")
}
