//! Imports between modules follow the flow: a stage imports `model`, `calendar`, `fields` and the output of the stage
//! before it (docs/ARCHITECTURE.md).
//!
//! Every path of `src/` that starts at `crate::`, and every chain of `super::` that leads to the root of the crate, is
//! checked against [`MAY_USE`]. Comments and texts do not count; tests inside `src/` do. `circles` checks the files.

mod circles;
pub(crate) mod code;

use std::path::Path;

use code::{leading_name, line_of, sources, without_comments_and_texts};

/// Module → the modules that it may use besides itself, in the order of the flow.
const MAY_USE: &[(&str, &[&str])] = &[
    // Texts of events are escaped as everywhere.
    ("telemetry", &["model"]),
    ("crash_points", &[]),
    ("digests", &[]),
    ("rights", &[]),
    ("durable", &["crash_points", "rights"]),
    ("model", &[]),
    ("locale", &["model"]),
    ("calendar", &["model"]),
    // The readers of field texts: every stage that meets kept texts uses the same ones, so all agree which texts fit.
    ("fields", &["model"]),
    // The language of predicates and facts: text and types only, no engine.
    ("expressions", &["model"]),
    ("config", &["model", "calendar", "fields", "expressions"]),
    ("sources", &["model", "calendar", "fields"]),
    // What it drafts is read by the readers of the sources and fields.
    ("draft", &["model", "fields", "sources"]),
    // Pages are types of `model`, so landing needs nothing of the stage before it.
    ("landing", &["crash_points", "digests", "durable", "rights", "model", "calendar", "fields"]),
    // Landing's output: which texts it withheld, and why.
    ("canonical", &["model", "calendar", "fields", "landing"]),
    ("lake", &["crash_points", "digests", "durable", "rights", "model", "calendar"]),
    // The lake's output: its tables and how their columns are stored. Which names of agencies may be published is decided
    // beside the readers that accept them.
    ("indicators", &["model", "calendar", "fields", "expressions", "lake"]),
    ("publish", &["crash_points", "digests", "durable", "rights", "model", "locale", "calendar", "indicators"]),
    ("health", &["model", "calendar"]),
    (
        "run",
        &[
            "telemetry",
            "crash_points",
            "digests",
            "durable",
            "rights",
            "model",
            "calendar",
            "fields",
            "config",
            "sources",
            "landing",
            "canonical",
            "lake",
            "indicators",
            "publish",
            "health",
        ],
    ),
    // The same lists are printed, answered and written as workbooks.
    ("lists", &["model", "locale", "indicators", "run"]),
    (
        "service",
        &[
            "telemetry",
            "model",
            "locale",
            "calendar",
            "config",
            "lake",
            "landing",
            "indicators",
            "publish",
            "health",
            "run",
            "lists",
        ],
    ),
    // What it sends must share nothing with what reads it.
    ("simulator", &["model"]),
    (
        "cli",
        &[
            "telemetry",
            "model",
            "locale",
            "calendar",
            "fields",
            "config",
            "sources",
            "draft",
            "landing",
            "canonical",
            "lake",
            "indicators",
            "publish",
            "health",
            "run",
            "lists",
            "service",
            "simulator",
        ],
    ),
];

/// A path that leads to another module of the crate.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    line: usize,
    module: String,
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let sources = sources();
    let violations: Vec<String> = sources.iter().flat_map(|(inside, text)| violations_of(inside, text)).collect();
    assert!(violations.is_empty(), "imports against the flow:\n{}", violations.join("\n"));
}

#[test]
fn every_module_is_in_the_table() {
    let sources = sources();
    let declared: Vec<&str> = sources[Path::new("lib.rs")]
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert!(!declared.is_empty());
    for module in &declared {
        assert!(MAY_USE.iter().any(|(known, _)| known == module), "`{module}` is not in the table of imports");
    }
    for (module, may_use) in MAY_USE {
        for name in std::iter::once(module).chain(*may_use) {
            assert!(declared.contains(name), "the table of imports names `{name}`, which lib.rs does not");
        }
    }
}

#[test]
fn a_planted_violation_is_found() {
    let planted = "//! crate::cli in a comment\nuse std::fmt;\n\nuse crate::model::page::Page;\nuse crate::{\n    \
                   landing,\n    run::{Night, ledger},\n};\nfn f() { let text = \"crate::publish\"; \
                   crate::lake::open(); }\nuse super::super::health;\n";
    let found = violations_of(Path::new("sources/http_reader.rs"), planted);
    let expected = [
        "src/sources/http_reader.rs:6: `sources` may not use `landing`",
        "src/sources/http_reader.rs:7: `sources` may not use `run`",
        "src/sources/http_reader.rs:9: `sources` may not use `lake`",
        "src/sources/http_reader.rs:10: `sources` may not use `health`",
    ];
    assert_eq!(found, expected);
    assert!(violations_of(Path::new("run/night.rs"), "use crate::lake;\nuse super::pull;\n").is_empty());
    assert_eq!(violations_of(Path::new("lake/mod.rs"), "use crate::*;").len(), 1);
    assert_eq!(violations_of(Path::new("lake/mod.rs"), "use crate as root;").len(), 1);
    let simulator = violations_of(Path::new("simulator/truth.rs"), "use crate::indicators::compute;");
    assert_eq!(simulator, ["src/simulator/truth.rs:1: `simulator` may not use `indicators`"]);
}

/// The violations of one source, `file:line: who may not use whom`. `inside` is its path below `src`.
fn violations_of(inside: &Path, text: &str) -> Vec<String> {
    let names: Vec<String> = inside.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let own = names[0].as_str();
    let may_use: &[&str] = match own {
        // The map of the crate and the thin binary are outside the flow.
        "lib" | "main" => return Vec::new(),
        _ => MAY_USE.iter().find(|(module, _)| *module == own).map_or(&[], |(_, may_use)| *may_use),
    };
    let depth = names.len() - usize::from(names.last().is_some_and(|name| name == "mod"));
    imports(text, depth)
        .into_iter()
        .filter(|import| import.module != own && !may_use.contains(&import.module.as_str()))
        .map(|import| format!("src/{}:{}: `{own}` may not use `{}`", inside.display(), import.line, import.module))
        .collect()
}

/// The top-level modules that a source names, with their lines. `depth`: how many modules deep the file is.
fn imports(text: &str, depth: usize) -> Vec<Import> {
    let code = without_comments_and_texts(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|symbol| symbol.is_alphanumeric() || symbol == '_' || symbol == '$') {
            continue;
        }
        let rest = &code[at + "crate".len()..];
        match rest.trim_start().strip_prefix("::") {
            Some(path) => heads(&code, path, &mut found),
            // `pub(crate)` names nothing; `crate as x` would hide every later path.
            None if rest.trim_start().starts_with("as ") => {
                found.push(Import { line: line_of(&code, at), module: "crate".to_owned() });
            }
            None => {}
        }
    }
    let climb = "super::".repeat(depth);
    for (at, _) in code.match_indices(&climb) {
        let path = &code[at + climb.len()..];
        let is_start = !code[..at].ends_with("::");
        let head = leading_name(path);
        if is_start && MAY_USE.iter().any(|(module, _)| *module == head) {
            found.push(Import { line: line_of(&code, at), module: head.to_owned() });
        }
    }
    found.sort_by_key(|import| import.line);
    found
}

/// The first names of what follows `crate::`: one, or each of a group in braces.
fn heads(code: &str, path: &str, found: &mut Vec<Import>) {
    let start = code.len() - path.len();
    let mut add = |at: usize| {
        let head: String =
            code[at..].chars().take_while(|symbol| symbol.is_alphanumeric() || "_*".contains(*symbol)).collect();
        if !head.is_empty() {
            found.push(Import { line: line_of(code, at), module: head });
        }
    };
    if !path.starts_with('{') {
        add(start);
        return;
    }
    let (mut nesting, mut expects_name) = (0, false);
    for (offset, symbol) in path.char_indices() {
        match symbol {
            '{' => {
                nesting += 1;
                expects_name = nesting == 1;
            }
            '}' if nesting == 1 => break,
            '}' => nesting -= 1,
            ',' => expects_name = nesting == 1,
            _ if expects_name && !symbol.is_whitespace() => {
                add(start + offset);
                expects_name = false;
            }
            _ => {}
        }
    }
}
