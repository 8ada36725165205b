//! A file for what does not fit into memory while a pull is settled. It is lost with the process, and with its handle.
#![expect(clippy::disallowed_methods, reason = "edge: the file lies in the folder of a landed pull")]

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::landing::error::{LandingError, io};
use crate::rights;

/// Unfinished files have this ending: what a process that was killed leaves is no landed page.
const NAME: &str = "merging.partial";

/// A file that is written at its end and read by position.
#[derive(Debug)]
pub struct ScratchFile {
    file: File,
    path: PathBuf,
    len: u64,
}

impl ScratchFile {
    /// Creates the file in a folder, in place of one that was left there.
    pub fn create(folder: &Path) -> Result<Self, LandingError> {
        let path = folder.join(NAME);
        let file = rights::private_options().read(true).truncate(true).open(&path);
        let file = file.map_err(io("create", &path))?;
        // Where an open file can be removed, nothing is left of it after a kill.
        let _ = fs::remove_file(&path);
        Ok(Self { file, path, len: 0 })
    }

    /// Appends bytes and returns their position.
    pub fn append(&mut self, bytes: &[u8]) -> Result<u64, LandingError> {
        let at = self.len;
        self.file.seek(SeekFrom::Start(at)).map_err(io("write", &self.path))?;
        self.file.write_all(bytes).map_err(io("write", &self.path))?;
        self.len += bytes.len() as u64;
        Ok(at)
    }

    /// Appends `len` bytes from a position to `out`.
    pub fn read(&mut self, at: u64, len: usize, out: &mut Vec<u8>) -> Result<(), LandingError> {
        self.file.seek(SeekFrom::Start(at)).map_err(io("read", &self.path))?;
        let start = out.len();
        out.resize(start + len, 0);
        self.file.read_exact(&mut out[start..]).map_err(io("read", &self.path))
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_where_they_were_written_and_nothing_is_left() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let mut file = ScratchFile::create(folder.path()).expect("it is writable");
        let first = file.append(b"first").expect("written");
        let second = file.append(b"second").expect("written");
        let mut out = b"-".to_vec();
        for (at, len) in [(second, 6), (first, 5)] {
            file.read(at, len, &mut out).expect("it is there");
        }
        assert_eq!(out, b"-secondfirst");
        assert!(file.read(second, 7, &mut out).is_err(), "there is no seventh byte");
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 0);
    }
}
