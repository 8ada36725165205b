//! Writing files so that they survive a crash of the process and a power failure.
//!
//! A file that others may find is written beside its place, synced, and renamed into it: readers, and the next start
//! after a crash, see the old content or the new one, never a part. The new name survives a power failure when the
//! folder is synced too. Names of files that are not in their place yet end in `.partial`; the module that owns
//! a folder removes those that a crash left. Who may read a new file is decided by the folder that it lies in
//! (`rights`).
#![expect(clippy::disallowed_methods, reason = "edge: every durable write of the program passes here")]

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::crash_points::crash_point;
use crate::rights;

/// A file operation that failed. Each stage converts it into its own error.
#[derive(Debug, thiserror::Error)]
#[error("cannot {attempted} `{path}`: {source}")]
pub(crate) struct FileError {
    pub(crate) attempted: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

/// Adds the operation and the path to an I/O error.
pub(crate) fn file_error(attempted: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError + use<> {
    let path = path.to_owned();
    move |source| FileError { attempted, path, source }
}

/// Writes `path`, atomically and durably. `moment` names the crash point of the write.
pub(crate) fn replace(
    path: &Path,
    moment: &'static str,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), FileError> {
    let _crash_point = crash_point(moment);
    write_and_rename(path, write)?;
    sync_parent(path)
}

/// Writes `path`, atomically and durably, within a write whose crash point the caller holds.
pub(crate) fn replace_within(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), FileError> {
    write_and_rename(path, write)?;
    sync_parent(path)
}

/// Writes `path` atomically, as one of several files. The caller syncs the folder with [`sync`] after the last of them:
/// until then a power failure can lose the file as a whole.
pub(crate) fn replace_one_of_many(
    path: &Path,
    moment: &'static str,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), FileError> {
    let _crash_point = crash_point(moment);
    write_and_rename(path, write)
}

fn write_and_rename(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), FileError> {
    let beside = path.with_extension("partial");
    create(&beside, write)?;
    fs::rename(&beside, path).map_err(file_error("rename", &beside))
}

/// Creates a file, or empties the one that is there, and syncs its content. A crash can leave a part of it: for files
/// of a folder that is not in its place yet.
pub(crate) fn create(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), FileError> {
    let file = rights::private_options().truncate(true).open(path).map_err(file_error("create", path))?;
    rights::inherit(path);
    let mut out = BufWriter::new(file);
    write(&mut out).map_err(file_error("write", path))?;
    let file = out.into_inner().map_err(|error| file_error("write", path)(error.into_error()))?;
    file.sync_all().map_err(file_error("sync", path))
}

/// Renames a file or folder, and syncs the folders of both names. `moment` names the crash point of the rename.
pub(crate) fn rename(from: &Path, to: &Path, moment: &'static str) -> Result<(), FileError> {
    let _crash_point = crash_point(moment);
    fs::rename(from, to).map_err(file_error("rename", from))?;
    sync_parent(to)?;
    if from.parent() == to.parent() { Ok(()) } else { sync_parent(from) }
}

/// Makes `link` a symbolic link to `target`, atomically and durably. `moment` names the crash point of the change.
pub(crate) fn replace_link(link: &Path, target: &Path, moment: &'static str) -> Result<(), FileError> {
    let name = link.file_name().unwrap_or_default().to_string_lossy();
    let beside = link.with_file_name(format!(".{name}.partial"));
    if beside.symlink_metadata().is_ok() {
        fs::remove_file(&beside).map_err(file_error("remove", &beside))?;
    }
    std::os::unix::fs::symlink(target, &beside).map_err(file_error("link", &beside))?;
    let _crash_point = crash_point(moment);
    fs::rename(&beside, link).map_err(file_error("swap", link))?;
    sync_parent(link)
}

/// Copies a file and syncs the copy. Creates the folder that it lies in.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), FileError> {
    create_parent(to)?;
    fs::copy(from, to).map_err(file_error("copy", from))?;
    sync(to)
}

/// Gives a file that never changes a second name, or copies it if the file systems differ or have no hard links.
/// Creates the folder that it lies in.
pub(crate) fn link_or_copy(from: &Path, to: &Path) -> Result<(), FileError> {
    create_parent(to)?;
    if fs::hard_link(from, to).is_ok() { Ok(()) } else { copy(from, to) }
}

/// Creates a folder and those above it. The new names are durable when this returns.
pub(crate) fn create_folder(folder: &Path) -> Result<(), FileError> {
    if folder.is_dir() {
        return Ok(());
    }
    let missing: Vec<&Path> = folder.ancestors().take_while(|above| !above.is_dir()).collect();
    rights::create_folder(folder).map_err(file_error("create folder", folder))?;
    missing.into_iter().filter_map(Path::parent).filter(|above| above.is_dir()).try_for_each(sync)
}

/// Writes the content of a file, or the names in a folder, through to the disk.
pub(crate) fn sync(path: &Path) -> Result<(), FileError> {
    let file = File::open(path).map_err(file_error("open", path))?;
    file.sync_all().map_err(file_error("sync", path))
}

fn sync_parent(path: &Path) -> Result<(), FileError> {
    match path.parent() {
        Some(above) if above.as_os_str().is_empty() => sync(Path::new(".")),
        Some(above) => sync(above),
        None => Ok(()),
    }
}

/// Creates the folder that a file lies in, and those above it.
pub(crate) fn create_parent(path: &Path) -> Result<(), FileError> {
    path.parent().map_or(Ok(()), |above| rights::create_folder(above).map_err(file_error("create", above)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry"));
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_replaced_file_holds_the_new_content_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let path = folder.path().join("plan.json");
        for content in ["old and long", "new"] {
            replace(&path, "test", |out| out.write_all(content.as_bytes())).expect("the folder is writable");
            assert_eq!(fs::read_to_string(&path).expect("the file is there"), content);
        }
        assert_eq!(names(folder.path()), ["plan.json"]);
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_content() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let path = folder.path().join("plan.json");
        replace(&path, "test", |out| out.write_all(b"old")).expect("the folder is writable");
        let failed = replace(&path, "test", |_| Err(io::Error::other("no space"))).expect_err("the write fails");
        assert_eq!(failed.attempted, "write");
        assert_eq!(fs::read_to_string(&path).expect("the file is there"), "old");
    }

    #[test]
    fn a_link_is_replaced_although_a_crash_left_one_beside_it() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let link = folder.path().join("latest");
        std::os::unix::fs::symlink("nowhere", folder.path().join(".latest.partial")).expect("the folder is writable");
        for target in ["nights/1", "nights/2"] {
            replace_link(&link, Path::new(target), "test").expect("the folder is writable");
            assert_eq!(fs::read_link(&link).expect("the link is there"), Path::new(target));
        }
        assert_eq!(names(folder.path()), ["latest"]);
    }

    #[test]
    fn a_folder_is_created_with_those_above_it() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let deep = folder.path().join("a/b/c");
        create_folder(&deep).expect("the folder is writable");
        create_folder(&deep).expect("it is there already");
        assert!(deep.is_dir());
        rename(&deep, &folder.path().join("c"), "test").expect("the folder is writable");
        link_or_copy(&folder.path().join("c/x"), &deep).expect_err("there is no such file");
    }
}
