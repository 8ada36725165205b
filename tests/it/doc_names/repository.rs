//! What the repository has: its files, the items and words of its code, the verbs and flags of its program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::imports::code::{is_name, leading_name, without_comments, without_comments_and_texts};

/// Files whose words are words of the program, besides `src/`: by their endings, below these folders.
const OTHER_WORDS: [&str; 9] = [
    "config/",
    "facts/",
    "connectors/",
    "templates/",
    "docs/examples/",
    "tests/it/documents.rs",
    "tests/it/office.rs",
    "Cargo.toml",
    ".ci/run",
];

pub(crate) struct Repository {
    pub(crate) root: PathBuf,
    /// Every file, relative to the root, sorted.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) words: BTreeSet<String>,
    pub(crate) verbs: BTreeSet<String>,
    /// The code of every source, texts included.
    code: String,
    /// Source → its items.
    items: BTreeMap<PathBuf, Items>,
}

/// The names of one source.
#[derive(Default)]
struct Items {
    /// Types, traits and modules that it defines or implements, and the modules that it is.
    owners: BTreeSet<String>,
    functions: BTreeSet<String>,
    /// Functions, constants, types, variants and fields.
    all: BTreeSet<String>,
}

impl Repository {
    pub(crate) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
        let mut files = Vec::new();
        list(&root, &root, &mut files);
        files.sort();
        let (mut words, mut items, mut code) = (BTreeSet::new(), BTreeMap::new(), String::new());
        for file in &files {
            let name = file.to_string_lossy();
            let is_source = name.starts_with("src/") && name.ends_with(".rs");
            let is_other = OTHER_WORDS.iter().any(|start| name.starts_with(start)) || name.ends_with(".sql");
            let Some(text) = (is_source || is_other).then(|| std::fs::read_to_string(root.join(file)).ok()).flatten()
            else {
                continue;
            };
            if is_source {
                code += &without_comments(&text);
                items.insert(file.clone(), Items::read(file, &without_comments_and_texts(&text)));
            } else if !name.ends_with(".md") {
                add_words(&text, &mut words);
            }
        }
        add_words(&code, &mut words);
        Self { root, files, words, verbs: verbs(), code, items }
    }

    pub(crate) fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// Whether there is such a file or folder.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file.starts_with(path))
    }

    /// Whether the root holds such a folder.
    pub(crate) fn has_folder(&self, name: &str) -> bool {
        !name.is_empty() && self.files.iter().any(|file| file.starts_with(name) && file != Path::new(name))
    }

    /// Whether a path that a page in `folder` names is there.
    pub(crate) fn has_path(&self, path: &str, folder: &Path) -> bool {
        let (path, is_folder) = (path.trim_end_matches('/'), path.ends_with('/'));
        let is_rust = Path::new(path).extension().is_some_and(|ending| ending == "rs");
        let first = path.split('/').next().unwrap_or_default();
        if !is_rust && (is_folder || path.contains('/')) && self.has_folder(first) {
            return self.files.iter().any(|file| file.ancestors().any(|part| matches(path, &part.to_string_lossy())));
        }
        let wanted = if is_rust { path } else { path.rsplit('/').next().unwrap_or(path) };
        let beside = joined(folder, path);
        beside.is_some_and(|path| self.has(&path))
            || self.files.iter().any(|file| {
                let file = format!("/{}", file.display());
                let starts = file.match_indices('/').map(|(at, _)| at + 1);
                starts.into_iter().any(|start| matches(wanted, &file[start..]))
            })
    }

    /// Whether the code has `owner::item`, or the whole path as a text.
    pub(crate) fn has_item(&self, path: &str) -> bool {
        if self.code.contains(path) {
            return true;
        }
        let segments: Vec<&str> =
            path.split("::").map(leading_name).filter(|name| !matches!(*name, "crate" | "motcua")).collect();
        match segments.as_slice() {
            [] => false,
            [one] => self.items.values().any(|items| items.all.contains(*one) || items.owners.contains(*one)),
            [.., owner, item] => {
                let has = |items: &Items| items.owners.contains(*owner) && items.all.contains(*item);
                self.items.values().any(has)
            }
        }
    }

    pub(crate) fn has_function(&self, name: &str) -> bool {
        self.items.values().any(|items| items.functions.contains(name))
    }

    /// Whether some verb takes a flag: the field of its arguments that the flag is made from.
    pub(crate) fn has_flag(&self, flag: &str) -> bool {
        let flag = flag.split('=').next().unwrap_or_default();
        matches!(flag, "help" | "version") || self.words.contains(&flag.replace('-', "_"))
    }
}

impl Items {
    fn read(file: &Path, code: &str) -> Self {
        let mut items = Self::default();
        items.owners.extend(file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()));
        let words: Vec<&str> = code.split(|symbol: char| !is_name(symbol)).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let name = pair[1].to_owned();
            match pair[0] {
                "fn" => {
                    items.functions.insert(name.clone());
                    items.all.insert(name);
                }
                "struct" | "enum" | "trait" | "type" | "mod" | "impl" | "for" => {
                    items.owners.insert(name.clone());
                    items.all.insert(name);
                }
                "const" | "static" => {
                    items.all.insert(name);
                }
                _ => {}
            }
        }
        for line in code.lines() {
            // A field or a variant is the first word of its line.
            let line = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
            let line = line.trim_start_matches("pub ");
            let name = leading_name(line);
            let rest = &line[name.len()..];
            if !name.is_empty() && rest.starts_with([':', ',', '(', ' ']) && !rest.starts_with("::") {
                items.all.insert(name.to_owned());
            }
        }
        items
    }
}

/// A path relative to the root, from one relative to `folder`; `None` if it leaves the root.
pub(crate) fn joined(folder: &Path, path: &str) -> Option<PathBuf> {
    let mut joined = folder.to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => joined.push(name),
            Component::ParentDir => {
                if !joined.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(joined)
}

/// What a shell makes of braces: `a/{b,c}.rs` is `a/b.rs` and `a/c.rs`.
pub(crate) fn braces(word: &str) -> Vec<String> {
    let Some((before, rest)) = word.split_once('{') else { return vec![word.to_owned()] };
    let Some((choices, after)) = rest.split_once('}') else { return vec![word.to_owned()] };
    choices.split(',').flat_map(|choice| braces(&format!("{before}{choice}{after}"))).collect()
}

/// Whether a path fits a pattern whose `*` is any part of one name.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count()
        && pattern.zip(path).all(|(pattern, name)| match pattern.split_once('*') {
            Some((start, end)) => {
                name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
            }
            None => pattern == name,
        })
}

fn add_words(text: &str, words: &mut BTreeSet<String>) {
    let names = text.split(|symbol: char| !is_name(symbol)).filter(|word| !word.is_empty());
    words.extend(names.map(str::to_owned));
}

fn list(folder: &Path, root: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_hidden = name.starts_with('.') && name != ".ci";
        if is_hidden || (folder == root && name == "target") {
            continue;
        }
        if path.is_dir() {
            list(&path, root, files);
        } else {
            files.push(path.strip_prefix(root).expect("below the root").to_owned());
        }
    }
}

/// The verbs that `motcua --help` lists.
fn verbs() -> BTreeSet<String> {
    let help = crate::office::program().arg("--help").output().expect("it starts");
    let help = String::from_utf8(help.stdout).expect("help is text");
    let (_, verbs) = help.split_once("Commands:\n").expect("help lists the verbs");
    let verbs = verbs.lines().take_while(|line| !line.is_empty());
    verbs
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|verb| !verb.is_empty())
        .map(str::to_owned)
        .collect()
}
