//! The pages of the project name only what exists: files, headings, verbs, flags and names of the code.
//!
//! **Links.** A link that leads nowhere outside must lead to a file or folder of the repository, relative to its page;
//! its fragment must be a heading of that file.
//!
//! **Backticks.** Of the text in backticks outside of blocks, this is checked:
//! * a path that ends in `.rs`: a file of that path below the root, `src/` or the page, or the end of such a path;
//! * a path that begins with a folder of the repository (`config/`, `docs/`, …): a file or folder; `*` and `{a,b}` as
//!   in a shell, and a path with `<name>` or `…` is passed over;
//! * another file name with an ending of sources and texts (`.md`, `.toml`, …): some file of that name;
//! * `Type::item` and `module::item`: an item of that name in a file that defines or implements the type, or that is
//!   the module; or the same text in the code;
//! * `name()`: a function;
//! * a word with an underscore, or with a capital after a small letter: a word of the code, of a text in the code, of a
//!   template, or of the shipped configuration. Comments do not count. `two_words` may also be the variant `TwoWords`,
//!   whose word is derived. Of a metric, `motcua_` and `_total` are left out. A word in capitals after a flag is a
//!   placeholder;
//! * `motcua verb` and `--flag` after it or alone: a verb of the program, and a flag of some verb.
//!
//! What belongs to other programs is listed in [`ELSEWHERE`].
#![expect(clippy::disallowed_methods, reason = "edge: the pages and sources of this package are read here")]

mod markdown;
mod repository;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use markdown::Page;
use repository::Repository;

/// Names of other programs and libraries that the pages use.
const ELSEWHERE: [&str; 6] = [
    // Variables of the allocator; a function of DuckDB and one of PromQL; OData; Polars.
    "MIMALLOC_ALLOW_THP",
    "MIMALLOC_PURGE_DELAY",
    "delta_scan",
    "time()",
    "nextLink",
    "LazyFrame::cache",
];

/// Endings of files whose names are checked wherever they are named; the program itself writes none of these.
const ENDINGS: [&str; 7] = [".rs", ".md", ".toml", ".py", ".html", ".sql", ".service"];

#[test]
fn pages_name_only_what_exists() {
    let repository = Repository::read();
    let pages = pages(&repository);
    assert!(pages.len() > 20, "the pages were not found");
    let mut mistakes = Vec::new();
    for file in &pages {
        let text = std::fs::read_to_string(repository.root.join(file)).expect("a page is UTF-8");
        mistakes.extend(mistakes_of(file, &text, &repository));
    }
    assert!(mistakes.is_empty(), "named, but absent:\n{}", mistakes.join("\n"));
}

#[test]
fn both_tables_of_modules_list_the_modules_that_there_are() {
    let repository = Repository::read();
    let library = repository.text("src/lib.rs");
    let declared =
        library.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    let declared: BTreeSet<&str> = declared.collect();
    assert!(declared.len() > 10, "{declared:?}");
    assert_eq!(table_of_modules(&library), declared, "src/lib.rs");
    assert_eq!(table_of_modules(&repository.text("docs/ARCHITECTURE.md")), declared, "docs/ARCHITECTURE.md");
}

/// The names in the first column of a page's table of modules.
fn table_of_modules(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().map(|line| line.trim_start_matches("//! "));
    let rows = lines.skip_while(|line| !line.starts_with("| module | does |")).skip(2);
    rows.map_while(|row| row.strip_prefix("| ")).filter_map(|row| row.split('`').nth(1)).collect()
}

#[test]
fn a_planted_misspelling_is_found() {
    let repository = Repository::read();
    let mistakes = |text: &str| mistakes_of(Path::new("docs/PLANTED.md"), text, &repository);
    let right = "[pages](ARCHITECTURE.md#glossary) `landing/mod.rs` `src/lib.rs` `config/rules/*.toml` `Figure::ratio` \
                 `is_usage()` `received_at` `motcua report --as-of 2026-01-01` `connectors/<name>/connector.toml`\n\
                 ```sh\nmotcua nothing `wrong_name`\n```\n";
    assert_eq!(mistakes(right), Vec::<String>::new());
    for (wrong, name) in [
        ("[pages](ARCHITECTUR.md)", "ARCHITECTUR.md"),
        ("[pages](ARCHITECTURE.md#glosary)", "ARCHITECTURE.md#glosary"),
        ("`landing/mood.rs`", "landing/mood.rs"),
        ("`src/libb.rs`", "src/libb.rs"),
        ("`config/rulez/*.toml`", "config/rulez/*.toml"),
        ("`Figure::ratoi`", "Figure::ratoi"),
        ("`Figuer::ratio`", "Figuer::ratio"),
        ("`is_usagee()`", "is_usagee()"),
        ("`recieved_at`", "recieved_at"),
        ("`IndicatorDefinitoin`", "IndicatorDefinitoin"),
        ("`motcua reprot`", "motcua reprot"),
        ("`report --as-off`", "--as-off"),
    ] {
        assert_eq!(mistakes(wrong), [format!("docs/PLANTED.md:1: `{name}`")], "{wrong}");
    }
}

/// The pages that are checked; the changelog and generated recordings of the past are not among them.
fn pages(repository: &Repository) -> Vec<PathBuf> {
    let is_page = |file: &&PathBuf| {
        let text = file.to_string_lossy();
        let is_read = ["README", "CONTRIBUTING", "docs/", "config/README", "facts/README", "connectors/"];
        text.ends_with(".md") && is_read.iter().any(|start| text.starts_with(start))
    };
    repository.files.iter().filter(is_page).cloned().collect()
}

/// What a page names and the repository has not, as `page:line: name`.
fn mistakes_of(file: &Path, text: &str, repository: &Repository) -> Vec<String> {
    let page = Page::read(text);
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut mistakes = Vec::new();
    let mut add = |line: usize, name: &str| mistakes.push(format!("{}:{line}: `{name}`", file.display()));
    for (line, target) in &page.links {
        if !link_resolves(target, file, &page, repository) {
            add(*line, target);
        }
    }
    for (line, code) in &page.code {
        for name in wrong_names(code, folder, repository) {
            add(*line, &name);
        }
    }
    mistakes
}

fn link_resolves(target: &str, file: &Path, page: &Page, repository: &Repository) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (path, fragment) = target.split_once('#').map_or((target, None), |(path, fragment)| (path, Some(fragment)));
    if path.is_empty() {
        return fragment.is_none_or(|fragment| page.has_heading(fragment));
    }
    let Some(path) = repository::joined(file.parent().unwrap_or(Path::new("")), path) else { return false };
    if !repository.has(&path) {
        return false;
    }
    fragment.is_none_or(|fragment| Page::read(&repository.text(&path.to_string_lossy())).has_heading(fragment))
}

/// The names in one piece of code that the repository has not.
fn wrong_names(code: &str, folder: &Path, repository: &Repository) -> Vec<String> {
    let mut wrong = Vec::new();
    let words: Vec<&str> = code.split(' ').collect();
    let is_call_of_motcua = words[0] == "motcua" || repository.verbs.contains(words[0]) || words[0].starts_with("--");
    if let ["motcua", verb, ..] = words.as_slice() {
        let is_verb = verb.chars().all(|symbol| symbol.is_ascii_lowercase());
        if is_verb && !repository.verbs.contains(*verb) {
            wrong.push(format!("motcua {verb}"));
        }
    }
    for (index, word) in words.iter().enumerate() {
        let is_placeholder = index > 0 && words[index - 1].starts_with("--") && *word == word.to_uppercase();
        let word = word.trim_matches([',', ';', '\'', '"', '[', ']', '(', '=', '…']);
        let is_passed_over =
            is_placeholder || word.is_empty() || word.contains(['<', '…', '$', '%', '#']) || word.contains("://");
        if is_passed_over || ELSEWHERE.contains(&word) {
            continue;
        }
        let is_known = if let Some(flag) = word.strip_prefix("--") {
            !is_call_of_motcua || repository.has_flag(flag)
        } else if is_path(word, repository) {
            repository::braces(word).iter().all(|path| repository.has_path(path, folder))
        } else if word.contains("::") {
            repository::braces(word).iter().all(|path| repository.has_item(path))
        } else if let Some(function) = word.strip_suffix("()").filter(|name| is_name(name)) {
            repository.has_function(function)
        } else {
            let names = word.split(|symbol: char| !symbol.is_alphanumeric() && symbol != '_');
            wrong.extend(names.filter(|name| !is_known_name(name, repository)).map(str::to_owned));
            true
        };
        if !is_known {
            wrong.push(word.to_owned());
        }
    }
    wrong
}

fn is_path(word: &str, repository: &Repository) -> bool {
    let first = word.split('/').next().unwrap_or_default();
    let has_ending = ENDINGS.iter().any(|ending| word.len() > ending.len() && word.ends_with(ending));
    has_ending || (word.contains('/') && repository.has_folder(first))
}

fn is_name(word: &str) -> bool {
    word.starts_with(|symbol: char| symbol.is_ascii_alphabetic() || symbol == '_')
        && word.chars().all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_')
}

/// Whether a word is a word of the program, or does not look like a name at all.
fn is_known_name(word: &str, repository: &Repository) -> bool {
    let has_underscore = word.trim_matches('_').contains('_');
    let mut neighbours = word.chars().zip(word.chars().skip(1));
    let has_hump = neighbours.any(|(left, right)| left.is_lowercase() && right.is_uppercase());
    let looks_like_one = is_name(word) && (has_underscore || has_hump);
    let metric = word.strip_prefix("motcua_").map(|name| name.trim_end_matches("_total"));
    let is_word = |word: &str| {
        ELSEWHERE.contains(&word) || repository.words.contains(word) || repository.words.contains(&variant(word))
    };
    !looks_like_one || is_word(word) || metric.is_some_and(is_word)
}

/// The name of the variant whose word is `two_words`: `TwoWords`.
fn variant(word: &str) -> String {
    let parts = word.split('_').filter_map(|part| {
        let first = part.chars().next()?;
        Some(format!("{}{}", first.to_uppercase(), &part[first.len_utf8()..]))
    });
    parts.collect()
}
