//! Who may read the data folder: its owner, and the group that the settings name, which may read the tables and the
//! published nights. Nobody else may read anything.
//!
//! | what | without a group | with one |
//! |---|---|---|
//! | the folder itself | 0700 | 0710: the group may pass through it |
//! | `lake`, `published` | 0700, files 0600 | 0750, files 0640, of the group |
//! | everything else: landing, ledger, tokens, definitions, locks | 0700, files 0600 | the same |
//!
//! New files take the rights of their folder (`rights`). What an older motcua, another user or a restored backup left
//! otherwise is corrected when the folder is opened. The entries of the data folder are looked at each time, those below
//! them only if one is not as it should be: it is corrected last, so a pass that is cut is repeated.
#![expect(clippy::disallowed_methods, reason = "edge: rights of the data folder, and the system's list of groups")]

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::durable::file_error;
use crate::rights;
use crate::run::error::RunError;

/// Folders of the data folder that the group may read.
const READABLE: [&str; 2] = ["lake", "published"];
/// Where the system lists its groups.
const GROUPS: &str = "/etc/group";
/// The right to pass through a folder whose files the group may not list.
const GROUP_PASSES: u32 = 0o010;

/// Creates a folder, and those above it, that only its owner may enter.
///
/// # Errors
/// That it cannot be created.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    rights::create_private_folder(folder)
}

/// Creates a file that only its owner may read, or takes the rights of others from the one that is there.
///
/// # Errors
/// That it cannot be created or belongs to somebody else.
pub fn private_file(path: &Path) -> io::Result<()> {
    rights::private_file(path)
}

/// Corrects the rights of a data folder and of everything in it. Rights that cannot be set are logged: a night is worth
/// more.
///
/// # Errors
/// [`RunError::UnknownGroup`]; that the folder cannot be listed.
pub fn protect(data: &Path, reader_group: Option<&str>) -> Result<(), RunError> {
    let group = reader_group.map(group_number).transpose()?;
    let mut refused = 0_u64;
    for entry in fs::read_dir(data).map_err(file_error("list", data))? {
        let path = entry.map_err(file_error("list", data))?.path();
        let group = group.filter(|_| is_readable(&path));
        if let Ok(known) = path.symlink_metadata()
            && !is_right(&known, group)
        {
            refused += correct(&path, &known, group);
        }
    }
    let known = data.metadata().map_err(file_error("read the rights of", data))?;
    let passing = if group.is_some() { GROUP_PASSES } else { 0 };
    if rights::set(data, &known, rights::mode(&known, false) | passing, group).is_err() {
        refused += 1;
    }
    if refused > 0 {
        tracing::warn!(
            files = refused,
            "the rights of files in the data folder could not be set: they must belong to this user, who must be a member of the group \
             `[folders] reader_group`"
        );
    }
    Ok(())
}

/// Creates the folders that the group may read, so that the files in them take their rights.
///
/// # Errors
/// As of [`protect`].
pub(super) fn open_to_group(data: &Path, reader_group: Option<&str>) -> Result<(), RunError> {
    if reader_group.is_some() {
        for name in READABLE {
            let folder = data.join(name);
            create_private_folder(&folder).map_err(file_error("create", &folder))?;
        }
    }
    protect(data, reader_group)
}

fn is_readable(path: &Path) -> bool {
    path.file_name().is_some_and(|name| READABLE.iter().any(|readable| name == *readable))
}

fn is_right(known: &Metadata, group: Option<u32>) -> bool {
    let is_of_group = group.is_none_or(|group| known.gid() == group);
    known.is_symlink() || (is_of_group && known.mode() & 0o7777 == rights::mode(known, group.is_some()))
}

/// Corrects what is below a folder, then the folder or file itself. Returns how many rights could not be set.
fn correct(path: &Path, known: &Metadata, group: Option<u32>) -> u64 {
    let mut refused = 0;
    if known.is_dir() {
        let Ok(entries) = fs::read_dir(path) else { return 1 };
        for path in entries.flatten().map(|entry| entry.path()) {
            // A file that was removed meanwhile is no failure.
            if let Ok(known) = path.symlink_metadata() {
                refused += correct(&path, &known, group);
            }
        }
    }
    let is_set = rights::set(path, known, rights::mode(known, group.is_some()), group).is_ok();
    refused + u64::from(!is_set)
}

/// The number of a group that is named by its name or number.
fn group_number(name: &str) -> Result<u32, RunError> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let groups = fs::read_to_string(GROUPS).unwrap_or_default();
    number_in(&groups, name).ok_or_else(|| RunError::UnknownGroup { name: name.to_owned() })
}

/// The number of a group in a text of lines `name:password:number:members`.
fn number_in(groups: &str, name: &str) -> Option<u32> {
    let mut lines = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find(|fields| fields.first() == Some(&name)).and_then(|fields| fields.get(2)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn modes(data: &Path, names: &[&str]) -> Vec<u32> {
        let mode = |name: &&str| data.join(name).metadata().expect("it is there").mode() & 0o7777;
        names.iter().map(mode).collect()
    }

    #[test]
    fn a_folder_of_an_older_motcua_is_corrected_and_its_group_may_read_tables_and_nights_only() {
        let root = tempfile::tempdir().expect("there is a scratch folder");
        let data = root.path().join("data");
        let names =
            ["", "lake", "lake/t", "lake/t/0.json", "published", "landing", "landing/plan.json", "ledger.sqlite"];
        for name in names {
            let path = data.join(name);
            let mode = if name.contains('.') {
                fs::write(&path, "x").expect("the folder is writable");
                0o664
            } else {
                fs::create_dir_all(&path).expect("the folder is writable");
                0o775
            };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        }
        // The own group: every user may give files to it.
        let own = data.metadata().expect("it is there").gid();
        protect(&data, Some(&own.to_string())).expect("the folder is ours");
        let with_group = [0o710, 0o750, 0o750, 0o640, 0o750, 0o700, 0o600, 0o600];
        assert_eq!(modes(&data, &names), with_group);
        protect(&data, None).expect("the folder is ours");
        assert_eq!(modes(&data, &names), [0o700, 0o700, 0o700, 0o600, 0o700, 0o700, 0o600, 0o600], "without a group");
        open_to_group(&data, Some(&own.to_string())).expect("the folder is ours");
        assert_eq!(modes(&data, &names), with_group, "with one again");
    }

    #[test]
    fn a_group_is_found_by_its_name_and_one_that_is_not_there_is_an_error() {
        let groups = "root:x:0:\nmotcua:x:998:\nmotcua-readers:x:1001:motcua,superset\nbroken\n";
        assert_eq!(number_in(groups, "motcua-readers"), Some(1001));
        assert_eq!((number_in(groups, "readers"), number_in(groups, "broken")), (None, None));
        assert_eq!(group_number("1001").expect("a number"), 1001);
        let error = group_number("no-such-group-here").expect_err("there is none");
        assert!(error.to_string().contains("no group `no-such-group-here`"), "{error}");
    }
}
