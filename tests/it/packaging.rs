//! What is given to an administrator: the Debian package, the bill of materials, the container file.
#![expect(clippy::disallowed_methods, reason = "edge: reads what the scripts of `packaging` write")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::office::program;
use crate::services::{python_can_run, run, run_python};

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_package_is_installed_upgraded_removed_and_purged() {
    if !python_can_run("the_package_is_installed_upgraded_removed_and_purged") {
        return;
    }
    let built = program().get_program().to_string_lossy().into_owned();
    let printed = run_python("install_package.py", &[built]);
    assert!(printed.contains("installed, upgraded, removed and purged"), "{printed}");
}

/// Checksums by name and version of what `Cargo.lock` locks; none for the package of this repository.
fn locked() -> BTreeMap<(String, String), Option<String>> {
    let text = std::fs::read_to_string(repository().join("Cargo.lock")).expect("the lock file is there");
    let lock: toml::Table = text.parse().expect("a lock file is TOML");
    let mut checksums = BTreeMap::new();
    for package in lock["package"].as_array().expect("a lock file lists packages") {
        let word = |key: &str| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let name = (word("name").expect("a name"), word("version").expect("a version"));
        checksums.insert(name, word("checksum"));
    }
    checksums
}

/// Name and version of each package that cargo compiles for this machine's program, tests left out.
fn compiled() -> BTreeSet<(String, String)> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository()).args([
        "tree",
        "--locked",
        "--offline",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
    ]);
    let name_and_version = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        Some((name, words.next()?.trim_start_matches('v').to_owned()))
    };
    run(&mut cargo).lines().filter_map(name_and_version).collect()
}

#[test]
fn the_bill_of_materials_has_every_package_that_is_built() {
    if !python_can_run("the_bill_of_materials_has_every_package_that_is_built") {
        return;
    }
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    run(Command::new(repository().join("packaging/sbom.sh")).arg(folder.path()));
    let read = |file: &str| std::fs::read_to_string(folder.path().join(file)).expect("the script writes it");
    let (bill, licences) = (read("motcua.cdx.json"), read("third-party-licences.txt"));
    let bill: Value = serde_json::from_str(&bill).expect("it is JSON");
    assert_eq!((bill["bomFormat"].as_str(), bill["specVersion"].as_str()), (Some("CycloneDX"), Some("1.5")));
    let word = |component: &Value, pointer: &str| component.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let (mut components, mut references) = (BTreeMap::new(), BTreeSet::new());
    for component in bill["components"].as_array().expect("it lists components") {
        let name = (word(component, "/name").expect("a name"), word(component, "/version").expect("a version"));
        assert!(references.insert(word(component, "/bom-ref")), "{name:?} is listed twice");
        assert!(components.insert(name, component).is_none(), "{component}");
    }

    let checksums = locked();
    let mut packages = compiled();
    assert!(packages.remove(&("motcua".to_owned(), env!("CARGO_PKG_VERSION").to_owned())), "the subject is built");
    assert!(packages.len() > 300, "{}", packages.len());
    for package in &packages {
        let component = components.remove(package).unwrap_or_else(|| panic!("{package:?} is not listed"));
        assert_eq!(word(component, "/hashes/0/content"), checksums[package], "{package:?}");
        let (name, version) = package;
        assert_eq!(word(component, "/purl"), Some(format!("pkg:cargo/{name}@{version}")));
        let licence = word(component, "/licenses/0/expression").expect("a licence");
        assert!(licence != "NOASSERTION" && !licence.contains('/'), "{package:?}: {licence}");
        let line = format!("\n{name} {version}: {licence}\n");
        assert!(licences.contains(&line), "third-party-licences.txt has no line{line}");
    }
    let others: Vec<&String> = components.keys().map(|(name, _)| name).collect();
    assert_eq!(others, ["rust-std"], "listed, but not built");
    // Libraries in C that packages contain, and two packages on whose place in the program nothing depends here.
    for text in ["zstd/LICENSE", "c_src/mimalloc/v2/LICENSE", "LICENSE-BoringSSL"] {
        assert!(licences.contains(&format!("({text})")), "{text}");
    }
    let scope = |name: &str| {
        let of_name = |component: &&Value| component["name"] == name;
        bill["components"]
            .as_array()
            .into_iter()
            .flatten()
            .find(of_name)
            .and_then(|component| word(component, "/scope"))
    };
    assert_eq!(scope("tokio").as_deref(), Some("required"));
    assert_eq!(scope("serde_derive").as_deref(), Some("excluded"));
}

#[test]
fn the_container_runs_as_a_user_without_rights_on_a_pinned_base() {
    let text =
        std::fs::read_to_string(repository().join("packaging/Containerfile")).expect("the container file is there");
    let value = |instruction: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(instruction));
        line.unwrap_or_else(|| panic!("there is no `{instruction}`")).trim()
    };
    assert_eq!(value("USER "), "10001:10001");
    let (_, tag) = value("ARG BASE=").split_once(':').expect("the base has a tag");
    assert!(tag.ends_with("-slim") && tag.chars().any(|letter| letter.is_ascii_digit()), "{tag}");
    assert_eq!(value("VOLUME "), r#"["/etc/motcua", "/var/lib/motcua"]"#);
    // The port of the shipped settings, everywhere.
    let settings = std::fs::read_to_string(repository().join("config/motcua.toml")).expect("the settings are there");
    let listen = settings.lines().find_map(|line| line.strip_prefix("listen = \"127.0.0.1:"));
    let port = listen.expect("the settings name a port").trim_end_matches('"');
    assert_eq!(value("EXPOSE "), port);
    assert_eq!(value("CMD "), format!(r#"["serve", "--listen", "0.0.0.0:{port}"]"#));
    assert!(text.contains(&format!("/dev/tcp/127.0.0.1/{port} ")), "the health check asks the port");
    // The unit of the package and the image agree on the folders.
    let unit = std::fs::read_to_string(repository().join("docs/examples/motcua.service")).expect("the unit is there");
    for variable in ["MOTCUA_CONFIG", "MOTCUA_DATA"] {
        let named = unit.lines().find_map(|line| line.strip_prefix(&format!("Environment={variable}=")));
        let named = named.expect("the unit sets the variable");
        assert!(value("ENV ").contains(&format!("{variable}={named}")), "{variable}");
        assert!(Path::new(named).is_absolute());
    }
}
