//! No circles: the files of `src/` can be read one after the other, each after the files that it uses.
//!
//! **The rule.** File A uses file B if a path in A leads into B, in a `use` declaration or in the code. A path starts
//! at `crate`, `super`, `self`, at a module that A declares, or at a name that A imports. It leads to the file of the
//! last module in it; if that file only re-exports the next name (`use file::Name`), it leads on to where the name
//! comes from. A circle is a set of files that all reach each other along such uses.
//!
//! **What does not count.** Code for tests (`#[cfg(test)]`). And what a file takes from the module that it lies in: a
//! `mod.rs` may hold the words that the files of its folder share, and use these files too. Methods are not seen,
//! because no path names the file that defines them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::code::{is_name, leading_name, line_of, sources, without_comments_and_texts, without_tests};

/// Names of the modules from the root of the crate down to a module or item.
type ModulePath = Vec<String>;

/// One file with what it declares and imports.
struct Module {
    file: PathBuf,
    /// The code without comments, texts and tests.
    code: String,
    /// Name → module that this file declares by that name.
    declared: BTreeMap<String, ModulePath>,
    /// Name → the path that a `use` declaration of this file gives it.
    imported: BTreeMap<String, ModulePath>,
}

/// The modules of the crate by their paths.
struct Crate {
    modules: BTreeMap<ModulePath, Module>,
}

/// File → the files that it uses, each with one place of such a use.
type Uses = BTreeMap<PathBuf, BTreeMap<PathBuf, String>>;

#[test]
fn no_file_uses_itself_through_others() {
    let uses = Crate::read(&sources()).uses();
    assert!(uses.len() > 50, "the uses were not found");
    let circles = circles(&uses);
    assert!(circles.is_empty(), "files that use each other in a circle:\n{}", circles.join("\n"));
}

#[test]
fn a_planted_circle_is_found() {
    let found = circles_of(&[
        ("lib.rs", "pub mod lake;\npub mod run;\n"),
        ("lake/mod.rs", "mod table;\nmod rows;\nmod spare;\npub use table::Table;\npub struct LakeError;\n"),
        // Through a re-export, an imported module and an expression; the parent's `LakeError` closes no circle.
        ("lake/table.rs", "use super::{LakeError, rows};\npub struct Table;\nfn f() { rows::write() }\n"),
        ("lake/rows.rs", "use crate::lake::spare;\npub fn write() {}\n"),
        ("lake/spare.rs", "fn f() -> crate::lake::Table { todo() }\n"),
        ("run/mod.rs", "use crate::lake::Table;\n"),
    ]);
    let expected = "src/lake/rows.rs:1 uses src/lake/spare.rs\n\
                    src/lake/spare.rs:1 uses src/lake/table.rs\n\
                    src/lake/table.rs:1 uses src/lake/rows.rs\n";
    assert_eq!(found, [expected]);
}

#[test]
fn a_circle_through_a_folder_is_found() {
    let found = circles_of(&[
        ("lib.rs", "mod service;\n"),
        ("service/mod.rs", "mod listener;\nmod pages;\n"),
        ("service/listener.rs", "use super::pages;\npub const LIMIT: u32 = 1;\n"),
        ("service/pages/mod.rs", "mod login;\nfn routes() { login::page() }\n"),
        ("service/pages/login.rs", "fn page() { super::super::listener::LIMIT; }\n"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].lines().count(), 3, "{found:?}");
}

#[test]
fn what_is_no_circle_is_not_reported() {
    let found = circles_of(&[
        ("lib.rs", "mod a;\nmod b;\n"),
        // A test, a comment, a text, a parent and its child, and a module in a file of another name.
        ("a.rs", "// crate::b\nuse crate::b::B;\nconst T: &str = \"crate::b\";\n#[path = \"a_book.rs\"]\nmod book;\n"),
        ("a_book.rs", "use super::T;\n"),
        (
            "b.rs",
            "pub struct B;\n#[cfg(test)]\nmod tests {\n    use crate::a::T;\n    fn f() { '}'; crate::a::T; }\n}\n",
        ),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(file, text)| (PathBuf::from(file), (*text).to_owned())).collect();
    circles(&Crate::read(&files).uses())
}

impl Crate {
    /// Follows the `mod` declarations from `lib.rs` down.
    fn read(files: &BTreeMap<PathBuf, String>) -> Self {
        let mut modules = BTreeMap::new();
        let mut waiting: Vec<(ModulePath, PathBuf)> = vec![(Vec::new(), PathBuf::from("lib.rs"))];
        while let Some((path, file)) = waiting.pop() {
            let text = files.get(&file).unwrap_or_else(|| panic!("src/{} is declared but absent", file.display()));
            let code = without_tests(&without_comments_and_texts(text));
            let mut declared = BTreeMap::new();
            for (name, child) in children(&file, text, &code) {
                let child = child.into_iter().find(|child| files.contains_key(child));
                let child =
                    child.unwrap_or_else(|| panic!("no file of `{name}`, which src/{} declares", file.display()));
                let child_path = joined(&path, &name);
                waiting.push((child_path.clone(), child));
                declared.insert(name, child_path);
            }
            let mut parsed = Module { file, code, declared, imported: BTreeMap::new() };
            let imported: Vec<_> = parsed
                .use_declarations()
                .iter()
                .flat_map(|(_, tree)| leaves(tree))
                .filter_map(|(name, segments)| Some((name, parsed.absolute(&path, &segments)?)))
                .collect();
            parsed.imported.extend(imported);
            modules.insert(path, parsed);
        }
        Self { modules }
    }

    /// Every file with the files that it uses.
    fn uses(&self) -> Uses {
        let mut uses = Uses::new();
        for (path, module) in &self.modules {
            let targets = uses.entry(module.file.clone()).or_default();
            for (line, segments) in module.paths() {
                let Some(target) = module.absolute(path, &segments) else { continue };
                let target = self.owner(&target);
                let is_ancestor = path.starts_with(target);
                if !is_ancestor {
                    let place = format!("src/{}:{line}", module.file.display());
                    targets.entry(self.modules[target].file.clone()).or_insert(place);
                }
            }
        }
        uses
    }

    /// The module that defines an item, or the module itself; re-exports are followed.
    fn owner(&self, target: &[String]) -> &ModulePath {
        let mut target = target.to_vec();
        // As many steps as no chain of re-exports has: two files that re-export each other's name end here.
        for _ in 0..16 {
            let depth = (0..=target.len()).rev().find(|depth| self.modules.contains_key(&target[..*depth]));
            let depth = depth.expect("the root of the crate is a module");
            let reexported = target.get(depth).and_then(|name| self.modules[&target[..depth]].imported.get(name));
            let Some(origin) = reexported else {
                let (owner, _) = self.modules.get_key_value(&target[..depth]).expect("found above");
                return owner;
            };
            target = origin.iter().chain(&target[depth + 1..]).cloned().collect();
        }
        panic!("the re-exports of `{}` lead nowhere", target.join("::"));
    }
}

impl Module {
    /// Every path of the code, `use` declarations included, with its line.
    fn paths(&self) -> Vec<(usize, Vec<String>)> {
        let mut found = Vec::new();
        let mut code = self.code.clone();
        for (at, tree) in self.use_declarations() {
            let line = line_of(&self.code, at);
            found.extend(leaves(&tree).into_iter().map(|(_, segments)| (line, segments)));
            code.replace_range(at..at + tree.len(), &" ".repeat(tree.len()));
        }
        let mut at = 0;
        while let Some(start) = code[at..].find(is_name).map(|found| at + found) {
            let length = path_length(&code[start..]);
            at = start + length;
            let before = code[..start].trim_end();
            // Where something is visible is no use of it.
            let is_whole = !before.ends_with("::") && !before.ends_with("(in") && !before.ends_with('$');
            let segments: Vec<String> = code[start..at].split("::").map(|name| name.trim().to_owned()).collect();
            if is_whole && segments.len() > 1 {
                found.push((line_of(&code, start), segments));
            }
        }
        found
    }

    /// The `use` declarations: position and text of each tree.
    fn use_declarations(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("use ") {
            let before = self.code[..at].trim_end_matches([' ', '\t']);
            if before.is_empty() || before.ends_with(['\n', '{', ')', ';']) || before.ends_with("pub") {
                let start = at + "use ".len();
                let end = self.code[start..].find(';').map_or(self.code.len(), |end| start + end);
                found.push((start, self.code[start..end].to_owned()));
            }
        }
        found
    }

    /// A path as this module reads it, from the root of the crate; `None` if it leads out of the crate or to a name of
    /// the file itself.
    fn absolute(&self, own: &[String], segments: &[String]) -> Option<ModulePath> {
        let (head, mut rest) = segments.split_first()?;
        let mut base = match head.as_str() {
            "crate" => Vec::new(),
            "self" => own.to_vec(),
            "super" => own[..own.len().checked_sub(1)?].to_vec(),
            name => self.declared.get(name).or_else(|| self.imported.get(name))?.clone(),
        };
        while head == "super" && rest.first().is_some_and(|name| name == "super") {
            base.pop();
            rest = &rest[1..];
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }
}

/// The modules that a file declares: name, and where their files may be.
fn children(file: &Path, text: &str, code: &str) -> Vec<(String, Vec<PathBuf>)> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let below = match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("lib" | "mod") => folder.to_owned(),
        _ => file.with_extension(""),
    };
    let mut found = Vec::new();
    for (at, _) in code.match_indices("mod ") {
        let is_word = !code[..at].ends_with(is_name);
        let name = leading_name(&code[at + "mod ".len()..]);
        if !is_word || name.is_empty() || !code[at + "mod ".len() + name.len()..].starts_with(';') {
            continue;
        }
        // The attribute is a text, so it is read in the source itself, in the line above.
        let above = text[..at].trim_end_matches("pub ").trim_end().lines().next_back().unwrap_or_default();
        let named = above.trim().strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]"));
        let places = named.map_or_else(
            || vec![below.join(format!("{name}.rs")), below.join(name).join("mod.rs")],
            |named| vec![folder.join(named)],
        );
        found.push((name.to_owned(), places));
    }
    found
}

/// The paths of a `use` tree, each with the name that it gives: `a::{b, c as d}` is `b` for `a::b` and `d` for `a::c`.
fn leaves(tree: &str) -> Vec<(String, Vec<String>)> {
    let tree = tree.trim();
    let Some((prefix, group)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
        let mut segments: Vec<String> = path.split("::").map(|name| name.trim().to_owned()).collect();
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self" || last == "*") {
            segments.pop();
        }
        let name = alias.map(str::to_owned).or_else(|| segments.last().cloned());
        return name.into_iter().map(|name| (name, segments.clone())).collect();
    };
    let prefix = prefix.trim();
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    let mut nesting = 0_usize;
    let branches = group.split(|symbol| {
        match symbol {
            '{' => nesting += 1,
            '}' => nesting -= 1,
            _ => {}
        }
        symbol == ',' && nesting == 0
    });
    branches
        .filter(|branch| !branch.trim().is_empty())
        .flat_map(|branch| leaves(&format!("{prefix}{}", branch.trim())))
        .collect()
}

/// Length of the path that `code` starts with: names joined by `::`.
fn path_length(code: &str) -> usize {
    let mut length = leading_name(code).len();
    while let Some(next) = code[length..].strip_prefix("::").map(leading_name).filter(|next| !next.is_empty()) {
        length += "::".len() + next.len();
    }
    length
}

fn joined(path: &[String], name: &str) -> ModulePath {
    path.iter().cloned().chain(std::iter::once(name.to_owned())).collect()
}

/// The circles, each as the lines of its uses.
fn circles(uses: &Uses) -> Vec<String> {
    let reached: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> =
        uses.keys().map(|file| (file, reachable(uses, file))).collect();
    let mut found = BTreeSet::new();
    for (file, from_here) in &reached {
        if from_here.contains(file) {
            let circle: Vec<&&PathBuf> =
                from_here.iter().filter(|other| reached.get(*other).is_some_and(|back| back.contains(file))).collect();
            let inside = circle.iter().flat_map(|one| uses[**one].iter()).filter(|(used, _)| circle.contains(&used));
            let lines: Vec<String> =
                inside.map(|(used, place)| format!("{place} uses src/{}\n", used.display())).collect();
            found.insert(lines.concat());
        }
    }
    found.into_iter().collect()
}

/// The files that a file uses, directly or through others.
fn reachable<'uses>(uses: &'uses Uses, from: &PathBuf) -> BTreeSet<&'uses PathBuf> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(file) = waiting.pop() {
        for used in uses.get(file).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(used) {
                waiting.push(used);
            }
        }
    }
    found
}
