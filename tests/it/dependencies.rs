//! `docs/DEPENDENCIES.md` lists the known advisories and the crates in several versions: both tables are held to `Cargo.lock`.
#![expect(clippy::disallowed_methods, reason = "edge: the page and the lock file are read here")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("the file is in the repository")
}

/// Locked versions by crate.
fn locked(lock: &str) -> BTreeMap<String, BTreeSet<String>> {
    let lock: toml::Table = lock.parse().expect("a lock file is TOML");
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().expect("a lock file lists packages") {
        let word = |key: &str| package[key].as_str().expect("a package has the key").to_owned();
        versions.entry(word("name")).or_default().insert(word("version"));
    }
    versions
}

/// First cells of a table's rows under a heading, and the rest of each row.
fn rows<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).expect("the page has the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = |line: &'a str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    section.lines().filter(|line| line.starts_with('|')).skip(2).map(cells).collect()
}

/// What the page says wrongly of the lock file.
fn mistakes(page: &str, lock: &str) -> Vec<String> {
    let versions = locked(lock);
    let mut mistakes = Vec::new();
    for row in rows(page, "Known advisories") {
        if !versions.get(row[0]).is_some_and(|known| known.contains(row[1])) {
            mistakes.push(format!("{} {} is locked no more: read {} again", row[0], row[1], row[2]));
        }
    }
    let listed: BTreeSet<&str> =
        rows(page, "Crates in several versions").iter().flat_map(|row| row[0].split(", ")).collect();
    let several: BTreeSet<&str> =
        versions.iter().filter(|(_, known)| known.len() > 1).map(|(name, _)| name.as_str()).collect();
    mistakes.extend(several.difference(&listed).map(|name| format!("{name} is locked in several versions: say why")));
    mistakes.extend(listed.difference(&several).map(|name| format!("{name} is locked in one version: remove it")));
    mistakes
}

#[test]
fn the_page_of_dependencies_fits_the_lock_file() {
    let found = mistakes(&text("docs/DEPENDENCIES.md"), &text("Cargo.lock"));
    assert!(found.is_empty(), "docs/DEPENDENCIES.md:\n{}", found.join("\n"));
}

#[test]
fn a_new_version_and_a_new_duplicate_are_found() {
    let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.1\"\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\n\
                [[package]]\nname = \"b\"\nversion = \"2.0.0\"\n[[package]]\nname = \"c\"\nversion = \"1.0.0\"\n";
    let page = "# Page\n\n## Known advisories\n| crate | version | advisory |\n|---|---|---|\n| a | 1.0.0 | X-1 |\n\n\
                ## Crates in several versions\n| crates | why |\n|---|---|\n| c | x |\n";
    let expected = [
        "a 1.0.0 is locked no more: read X-1 again",
        "b is locked in several versions: say why",
        "c is locked in one version: remove it",
    ];
    assert_eq!(mistakes(page, lock), expected);
}
