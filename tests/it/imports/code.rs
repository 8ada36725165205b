//! The sources of the package as text: which files there are, and their code without comments, texts and tests.
#![expect(clippy::disallowed_methods, reason = "edge: the sources of this package are read here")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every Rust file below `src/` with its text; the paths are relative to `src/`.
pub(crate) fn sources() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    read_folder(&root, &root, &mut files);
    assert!(files.len() > 50, "the sources were not found");
    files
}

fn read_folder(folder: &Path, root: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_folder(&path, root, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source is UTF-8");
            files.insert(path.strip_prefix(root).expect("below src").to_owned(), text);
        }
    }
}

/// Whether a character can be part of a Rust name.
pub(crate) fn is_name(symbol: char) -> bool {
    symbol.is_alphanumeric() || symbol == '_'
}

/// The name that a text starts with; empty if it starts with something else.
pub(crate) fn leading_name(text: &str) -> &str {
    let end = text.find(|symbol| !is_name(symbol)).unwrap_or(text.len());
    &text[..end]
}

/// The line of a position, counted from 1.
pub(crate) fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// Blanks what is compiled for tests only: the item after each `#[cfg(test)]`. `code` has no comments and no texts.
pub(crate) fn without_tests(code: &str) -> String {
    let mut kept = code.to_owned();
    for (start, _) in code.match_indices("#[cfg(test)]") {
        let end = start + item_length(&code[start..]);
        let blank: String = code[start..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        kept.replace_range(start..end, &blank);
    }
    kept
}

/// Length of the item that `code` starts with: up to the `;` or the closing brace that ends it.
fn item_length(code: &str) -> usize {
    let mut nesting = 0_usize;
    for (at, symbol) in code.char_indices() {
        match symbol {
            '{' | '(' | '[' => nesting += 1,
            '}' | ')' | ']' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        if nesting == 0 && matches!(symbol, ';' | '}') {
            return at + 1;
        }
    }
    code.len()
}

/// The source with comments and string literals blanked, byte for byte, so that positions stay; its line ends stay.
pub(crate) fn without_comments_and_texts(text: &str) -> String {
    blanked(text, false)
}

/// The source with comments blanked; its texts stay.
pub(crate) fn without_comments(text: &str) -> String {
    blanked(text, true)
}

fn blanked(text: &str, keeps_texts: bool) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(symbol) = rest.chars().next() {
        let comment = if rest.starts_with("//") {
            Some(rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            Some(rest.find("*/").map_or(rest.len(), |end| end + 2))
        } else {
            None
        };
        let literal = || match symbol {
            '"' => Some(closed_text(rest)),
            '\'' => character(rest),
            'r' => raw_text(rest, code.chars().next_back()),
            _ => None,
        };
        match (comment, comment.or_else(literal)) {
            (None, Some(length)) if keeps_texts => {
                code.push_str(&rest[..length]);
                rest = &rest[length..];
            }
            (_, Some(length)) => {
                code.extend(rest[..length].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
                rest = &rest[length..];
            }
            (_, None) => {
                code.push(symbol);
                rest = &rest[symbol.len_utf8()..];
            }
        }
    }
    code
}

/// Length of a character literal that `text` starts with; `None` for a lifetime.
fn character(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    let first = inner.chars().next()?;
    if first == '\\' {
        return inner[2..].find('\'').map(|end| end + 4);
    }
    inner[first.len_utf8()..].starts_with('\'').then_some(first.len_utf8() + 2)
}

/// Length of a string literal that `text` starts with.
fn closed_text(text: &str) -> usize {
    let mut escaped = false;
    for (at, symbol) in text.char_indices().skip(1) {
        match symbol {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of a raw string literal that `text` starts with.
fn raw_text(text: &str, before: Option<char>) -> Option<usize> {
    let inner = text.strip_prefix('r').filter(|_| !before.is_some_and(is_name))?;
    let hashes = inner.chars().take_while(|symbol| *symbol == '#').count();
    let body = inner[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(body.find(&close).map_or(text.len(), |end| 2 + hashes + end + close.len()))
}
