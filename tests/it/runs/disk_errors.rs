//! A full disk, a folder that cannot be written, damaged landed pages: a clear error, nothing published is lost, and
//! the next run recovers.
#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "tests take rights away from the folders of an office")]

use std::os::unix::fs::{PermissionsExt as _, chown, lchown};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::desk::{self, file, image};
use crate::office::{Office, copy, files, said};

fn fill(office: &Office, name: &str, from: usize, to: usize) {
    let rows: Vec<String> = (from..to)
        .map(|number| format!("A{number},H61.14-251001-{number:06},H61.14,2025-10-01,2025-10-09,P"))
        .collect();
    file(office, name, &rows.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Runs the binary with a limit on the size of files, in blocks of 512 bytes.
fn run_within(office: &Office, blocks: u32) -> std::process::Output {
    let plain = office.command(&["run"]);
    let mut command = Command::new("sh");
    // The signal is ignored, so that a write beyond the limit fails as on a full disk.
    command.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"")).arg("sh").arg(plain.get_program());
    command.args(plain.get_args()).env_remove("MOTCUA_LOG").envs(&office.variables).stdin(Stdio::null());
    command.env("MOTCUA_LANG", "en");
    command.output().expect("a shell starts")
}

#[test]
fn a_full_disk_is_an_error_and_the_next_run_recovers() {
    let office = desk::of_files("");
    fill(&office, "1.csv", 0, 50);
    office.run();
    let published = || std::fs::read(office.data().join("published/latest/figures.csv")).expect("published");
    let before = published();
    fill(&office, "2.csv", 50, 3_000);
    let mut failed = 0;
    // From space for almost nothing to space for all but the last files.
    for blocks in [0, 2, 8, 24, 48, 96, 160] {
        let output = run_within(&office, blocks);
        if output.status.code() == Some(0) {
            break;
        }
        failed += 1;
        assert_eq!(output.status.code(), Some(1), "{blocks} blocks: {}", said(&output));
        assert!(said(&output).contains("error: "), "{}", said(&output));
        assert_eq!(published(), before, "{blocks} blocks: what was published stays");
    }
    assert!(failed >= 3, "the limits are reached");
    office.run();
    assert_eq!(image(&office).len(), 3_000);
    assert!(published() != before);
}

/// User and group `nobody`.
const NOBODY: u32 = 65_534;

fn give_away(folder: &std::path::Path) {
    chown(folder, Some(NOBODY), Some(NOBODY)).expect("the superuser gives everything away");
    for entry in std::fs::read_dir(folder).expect("the folder can be listed").flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            give_away(&entry.path());
        } else {
            lchown(entry.path(), Some(NOBODY), Some(NOBODY)).expect("the superuser gives everything away");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let office = desk::of_files("");
    fill(&office, "1.csv", 0, 10);
    office.run();
    let before = std::fs::read(office.data().join("published/latest/figures.csv")).expect("published");
    fill(&office, "2.csv", 10, 20);
    let set = |mode: u32| {
        for folder in ["", "landing", "landing/desk", "lake", "lake/dossier_versions", "published", "published/nights"]
        {
            let path = office.data().join(folder);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("the folder is ours");
        }
    };
    set(0o555);
    let mut command = office.command(&["run"]);
    if std::fs::write(office.data().join("probe"), "").is_ok() {
        // The superuser can write everywhere, so the folders are given to `nobody`, who runs the binary.
        std::fs::remove_file(office.data().join("probe")).expect("it was just written");
        give_away(office.path());
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().expect("the binary starts for anybody");
    set(0o755);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(std::fs::read(office.data().join("published/latest/figures.csv")).expect("published"), before);
    office.run();
    assert_eq!(image(&office).len(), 20);
}

/// Kills a pull after it is sealed, at the first moment with a name, and damages its pages; the next night reads them
/// again.
fn assert_damaged_pages_are_read_again(moment: &str) {
    let office = desk::of_files("");
    fill(&office, "1.csv", 0, 10);
    office.run();
    fill(&office, "2.csv", 10, 20);
    let names = office.path().join("steps");
    let undisturbed = office.path().join("undisturbed");
    copy(&office.data(), &undisturbed);
    let whole = office.command_on(&undisturbed, &["run"]).env("MOTCUA_STEPS", &names).output();
    assert!(whole.expect("the binary starts").status.success());
    let names = std::fs::read_to_string(&names).expect("steps were named");
    let names: Vec<&str> = names.lines().collect();
    let sealed = names.iter().rposition(|name| *name == "after land a file").expect("a pull was landed");
    let die_at = sealed + names[sealed..].iter().position(|name| *name == moment).expect("it is passed") + 1;
    let killed = office.command(&["run"]).env("MOTCUA_DIE_AT", die_at.to_string()).output();
    assert!(!killed.expect("the binary starts").status.success());
    let landed = office.data().join("landing/desk/00000002");
    assert!(landed.join("certificate.json").exists(), "{moment}: it was sealed");
    let pages = files(&landed).into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "zst"));
    for page in pages {
        std::fs::write(landed.join(page), "damaged").expect("the folder is ours");
    }
    assert_eq!(image(&office).len(), 10, "{moment}: nothing of it counts");
    office.run();
    let runs = office.act(&["runs", "show", "2"]);
    assert!(said(&runs).contains("own_error"), "{moment}: {}", said(&runs));
    assert_eq!(image(&office).len(), 20, "{moment}: its rows were read again");
}

#[test]
fn damaged_pages_of_a_cut_pull_stop_no_later_night() {
    assert_damaged_pages_are_read_again("after land a file");
    assert_damaged_pages_are_read_again("before commit to a table");
}
