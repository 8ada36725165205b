//! Rights of the files and folders that the program creates in its data folder.
//!
//! What is created is readable by its owner only, whatever the umask of the process is. Then it takes the rights of the
//! folder that it lies in: if the group of that folder may read it, this group may read the new file or folder too.
//! Others never may. So the few folders that `run/folder_rights.rs` opens to a group decide for everything below them.
//!
//! Rights of the owner are never widened: a folder that was made read-only on purpose stays read-only.

use std::fs::{DirBuilder, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// The rights of the owner, in a mode; also the mode of a new folder.
const OWNER: u32 = 0o700;
/// The right of the group to read a file, and to read and enter a folder.
const GROUP_READS_FILE: u32 = 0o040;
const GROUP_READS_FOLDER: u32 = 0o050;
/// Mode of a new file.
const PRIVATE_FILE: u32 = 0o600;

/// Mode of a file or folder with the owner's rights as they are, and without rights of others.
pub(crate) fn mode(known: &Metadata, is_read_by_group: bool) -> u32 {
    let of_group = match (is_read_by_group, known.is_dir()) {
        (false, _) => 0,
        (true, true) => GROUP_READS_FOLDER,
        (true, false) => GROUP_READS_FILE,
    };
    (known.mode() & OWNER) | of_group
}

/// Sets the mode, and the group if one is given, unless they are so already. Links are left as they are.
///
/// # Errors
/// Those of the system: the file belongs to somebody else, or this user is not a member of the group.
pub(crate) fn set(path: &Path, known: &Metadata, mode: u32, group: Option<u32>) -> io::Result<()> {
    if known.is_symlink() {
        return Ok(());
    }
    if let Some(group) = group.filter(|group| known.gid() != *group) {
        std::os::unix::fs::chown(path, None, Some(group))?;
    }
    // After the group: the former one must not read what only the new one may.
    if known.mode() & 0o7777 != mode {
        std::fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Gives a new file or folder the rights of the folder that it lies in. A failure is logged: what was created is
/// readable by its owner only, or lies in a folder that keeps others out.
pub(crate) fn inherit(path: &Path) {
    if let Err(error) = set_as_above(path) {
        tracing::debug!(%error, path = %path.display(), "could not set the rights of a new file");
    }
}

fn set_as_above(path: &Path) -> io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (above, known) = (above.metadata()?, path.symlink_metadata()?);
    let is_read_by_group = above.mode() & GROUP_READS_FILE != 0;
    set(path, &known, mode(&known, is_read_by_group), is_read_by_group.then(|| above.gid()))
}

/// Options that create a file which only its owner may read.
pub(crate) fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(PRIVATE_FILE);
    options
}

/// Creates an empty file that only its owner may read, or takes the rights of others from the one that is there.
///
/// A file that is there is not opened: it may be a database that this process has open, and closing any handle of it
/// would release the locks that SQLite holds.
pub(crate) fn private_file(path: &Path) -> io::Result<()> {
    match private_options().create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let refused = path.metadata().and_then(|known| set(path, &known, mode(&known, false), None)).err();
    if let Some(error) = refused {
        tracing::warn!(%error, path = %path.display(), "could not take the rights of others from a file");
    }
    Ok(())
}

/// Creates a folder and those above it. Only their owner may enter them.
pub(crate) fn create_private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(OWNER).create(folder)
}

/// Creates a folder and those above it, each with the rights of the folder that it lies in.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|above| !above.is_dir()).collect();
    create_private_folder(folder)?;
    for created in missing.into_iter().rev().filter(|created| !created.as_os_str().is_empty()) {
        inherit(created);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(path: &Path) -> u32 {
        path.metadata().expect("it is there").mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    }

    #[test]
    fn what_is_created_has_the_rights_of_its_folder_and_none_for_others() {
        let root = tempfile::tempdir().expect("there is a scratch folder");
        for (of_above, folder, file) in [(0o700, 0o700, 0o600), (0o710, 0o700, 0o600), (0o750, 0o750, 0o640)] {
            let above = root.path().join(format!("{of_above:o}"));
            create_private_folder(&above).expect("it is writable");
            assert_eq!(mode_of(&above), 0o700);
            set_mode(&above, of_above);
            create_folder(&above.join("a/b")).expect("it is writable");
            assert_eq!((mode_of(&above.join("a")), mode_of(&above.join("a/b"))), (folder, folder));
            let path = above.join("a/b/file");
            private_options().truncate(false).open(&path).expect("it is writable");
            assert_eq!(mode_of(&path), PRIVATE_FILE);
            // As another library creates it.
            set_mode(&path, 0o644);
            inherit(&path);
            assert_eq!(mode_of(&path), file);
        }
    }

    #[test]
    fn a_file_becomes_private_and_a_read_only_folder_stays_so() {
        let root = tempfile::tempdir().expect("there is a scratch folder");
        let path = root.path().join("access.sqlite");
        private_file(&path).expect("it is writable");
        assert_eq!(mode_of(&path), PRIVATE_FILE);
        set_mode(&path, 0o664);
        private_file(&path).expect("it is ours");
        assert_eq!(mode_of(&path), PRIVATE_FILE);
        let folder = root.path().join("read-only");
        create_private_folder(&folder).expect("it is writable");
        set_mode(&folder, 0o555);
        let known = folder.metadata().expect("it is there");
        assert_eq!((mode(&known, false), mode(&known, true)), (0o500, 0o550), "not writable again");
        set_mode(&folder, 0o700);
    }
}
