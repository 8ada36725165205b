//! Who may read what a night and the service write, whatever the umask.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use jiff::civil::date;

use crate::office::serving::Serving;
use crate::office::{Office, Town, said};

/// Cron line without a slot during the tests.
const NEVER: &str = "0 0 0 29 2 *";

/// The command with a umask that takes no rights away.
fn without_umask(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

fn run(office: &Office) {
    let output = without_umask(&office.command(&["run"])).output().expect("the binary starts");
    assert!(output.status.success(), "{}", said(&output));
}

/// Mode and group of everything in a folder, links left out, by relative path.
fn rights(folder: &Path) -> Vec<(String, u32, u32)> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(path) = open.pop() {
        let known = path.symlink_metadata().expect("it is there");
        if known.is_symlink() {
            continue;
        }
        if known.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        }
        let name = path.strip_prefix(folder).expect("it is below").display().to_string();
        found.push((name, known.mode() & 0o7777, known.gid()));
    }
    found
}

#[test]
fn nobody_but_the_owner_and_the_named_group_reads_the_data_folder() {
    let town = Town::new(60, 7, date(2026, 5, 20));
    let office = Office::of(&town).lean();
    office.schedule(NEVER);
    run(&office);
    let token = office.token("reader", "read");
    let serving = Serving::start_with(without_umask(&office.command(&["serve", "--listen", "127.0.0.1:0"])));
    assert_eq!(serving.get("/api/v1/figures?limit=1", &token).status, 200);
    let found = rights(&office.data());
    assert!(found.len() > 60, "{}", found.len());
    for name in ["access.sqlite", "access.sqlite-wal", "ledger.sqlite", "ledger.sqlite-wal", "serve.lock", "landing"] {
        assert!(found.iter().any(|(known, ..)| known == name), "`{name}` is not there");
    }
    let open: Vec<_> = found.iter().filter(|(_, mode, _)| mode & 0o077 != 0).collect();
    assert!(open.is_empty(), "without a group, others may read {open:?}");
    assert_eq!(serving.stop(), Some(0));
    // With a group: one that the user is a member of. The superuser may name any.
    let own = office.path().metadata().expect("it is there");
    let group = if own.uid() == 0 { 65_534 } else { own.gid() };
    office.edit("config/motcua.toml", |text| {
        text.replace("# reader_group = \"motcua-readers\"", &format!("reader_group = \"{group}\""))
    });
    run(&office);
    let found = rights(&office.data());
    let (readable, private): (Vec<_>, Vec<_>) =
        found.iter().partition(|(name, ..)| name.starts_with("lake") || name.starts_with("published"));
    let wrong: Vec<_> = readable
        .iter()
        .filter(|(_, mode, gid)| *gid != group || ![0o750, 0o640].contains(mode))
        .chain(private.iter().filter(|(name, mode, _)| !name.is_empty() && mode & 0o077 != 0))
        .collect();
    assert!(readable.len() > 50 && private.len() > 20, "{} and {}", readable.len(), private.len());
    assert!(wrong.is_empty(), "{wrong:?}");
    let (_, mode, gid) = found.iter().find(|(name, ..)| name.is_empty()).expect("the folder itself");
    assert_eq!((*mode, *gid), (0o710, group), "the group passes through the folder");
    // A backup is as private as the data, and a restored folder gets its rights with the next run.
    let backup = office.path().join("backup");
    let backed_up = without_umask(&office.command(&["backup", &backup.display().to_string()])).output();
    assert!(backed_up.expect("the binary starts").status.success());
    let of_backup = rights(&backup);
    assert!(of_backup.iter().all(|(_, mode, _)| mode % 8 == 0), "{of_backup:?}");
    assert_eq!(backup.metadata().expect("it is there").mode() & 0o777, 0o700, "nobody else enters it");
    office.edit("config/motcua.toml", |text| text.replace(&format!("\"{group}\""), "\"no-such-group\""));
    let refused = office.act(&["run"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("this machine has no group `no-such-group`"), "{}", said(&refused));
}

#[test]
fn a_secret_that_stands_where_its_path_belongs_is_not_repeated() {
    let office = Office::new("http://127.0.0.1:1").brief();
    for (verb, is_named) in [("check", true), ("run", false), ("status", false)] {
        let mut command = office.command(&[verb]);
        command.env_remove("IGATE_CLIENT_SECRET").env("IGATE_CLIENT_SECRET_FILE", "Pa55w0rd-of-the-portal");
        let output = command.output().expect("the binary starts");
        assert!(!output.status.success(), "{verb}");
        assert!(!said(&output).contains("Pa55w0rd"), "{verb}: {}", said(&output));
        assert!(!is_named || said(&output).contains("`IGATE_CLIENT_SECRET_FILE`"), "{verb}: {}", said(&output));
    }
}
