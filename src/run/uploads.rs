//! Files that people hand in through the service, for a connector that reads a folder of this machine.
//!
//! A file is first kept aside, in a hidden folder inside the connector's own: a list with personal data lies nowhere but where
//! lists lie, and no night reads it there. It is read whole, as `check` reads it. Only if a person then confirms it, it is
//! renamed into the connector's folder, so that a night sees the whole file or none. A refused file is removed at once, one
//! that nobody confirms with the next upload after an hour.
#![expect(clippy::disallowed_methods, reason = "edge: keeps handed-in files aside and places them")]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

use crate::canonical::Mapper;
use crate::config::Configuration;
use crate::durable;
use crate::fields::Readers;
use crate::model::connector::{Access, Connector};
use crate::sources::request::{TemplateContext, fill};
use crate::sources::{self, PullStart, SourceError};

/// Folder of files that are not confirmed yet.
const ASIDE: &str = ".motcua-uploads";
/// How long a file that nobody confirms is kept.
const KEPT: Duration = Duration::from_hours(1);
/// Longest name of a file, in bytes.
const MOST_NAME_BYTES: usize = 200;

/// Why a file is not taken. Nothing of it is stored then.
#[derive(Debug, thiserror::Error)]
pub enum UploadRefusal {
    #[error("connector `{0}` reads no folder of this machine")]
    NoFolder(String),
    #[error("the file has no name, a hidden one, one with path parts or control characters, or one that is too long")]
    BadName,
    #[error("the file's name does not match `access.glob` (`{glob}`), or is that of a temporary file")]
    OtherName { glob: String },
    #[error("the file has more than {most} bytes (`limits.max_body_bytes`)")]
    TooLarge { most: u64 },
    #[error("the file is empty")]
    Empty,
    #[error("the file cannot be read: {0}")]
    NotRead(SourceError),
    #[error("all of its {rows} rows would be rejected")]
    AllRejected { rows: u64, rejections: Vec<UploadRejections> },
    #[error("the file is one for connector `{fits}`")]
    OtherConnector { fits: String },
    #[error("there is no such file any more: one that is not confirmed is kept for an hour")]
    Gone,
    #[error("cannot {attempted}: {source}")]
    Store { attempted: &'static str, source: io::Error },
}

fn storing(attempted: &'static str) -> impl FnOnce(io::Error) -> UploadRefusal {
    move |source| UploadRefusal::Store { attempted, source }
}

/// Rows that would be rejected for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRejections {
    /// Canonical field; `None` for the whole row.
    pub field: Option<String>,
    /// Code of the reason.
    pub reason: &'static str,
    pub rows: u64,
}

/// What a file holds, before it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedUpload {
    /// By which it is confirmed.
    pub id: String,
    pub name: String,
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub digest: String,
    pub rows: u64,
    /// Rows that would be accepted.
    pub mapped: u64,
    /// Most rows first.
    pub rejections: Vec<UploadRejections>,
    /// A file of this name is in the folder, and would be replaced.
    pub replaces: bool,
    /// The file has no date as `access.order` declares, so that the time of the upload counts.
    pub is_undated: bool,
}

/// The folder that a connector reads.
///
/// # Errors
/// [`UploadRefusal::NoFolder`] for a connector of a web service or a server, or if its folder is not there.
pub fn upload_folder(config: &Configuration, connector: &Connector) -> Result<PathBuf, UploadRefusal> {
    let none = || UploadRefusal::NoFolder(connector.name.clone());
    let Access::Files { folder, server: None, .. } = &connector.file.access else { return Err(none()) };
    let folder = fill(folder, TemplateContext::default(), &config.values).map_err(|_| none())?;
    let folder = PathBuf::from(folder);
    if folder.is_dir() { Ok(folder) } else { Err(none()) }
}

/// A file that is being received. Dropped before it is checked, it is removed.
#[derive(Debug)]
pub struct IncomingFile {
    id: String,
    name: String,
    /// The folder of the file alone.
    place: PathBuf,
    /// The folder that the connector reads.
    folder: PathBuf,
    file: File,
    bytes: u64,
    most: u64,
    digest: Sha256,
    is_kept: bool,
}

impl IncomingFile {
    /// Begins to keep a file aside, and removes those that nobody confirmed. `now`: microseconds UTC.
    ///
    /// # Errors
    /// The connector has no folder, the name is none, or the folder cannot be written.
    pub fn begin(config: &Configuration, connector: &Connector, name: &str, now: i64) -> Result<Self, UploadRefusal> {
        let folder = upload_folder(config, connector)?;
        check_name(name)?;
        remove_old(&folder.join(ASIDE), now);
        let [high, low]: [u64; 2] = rand::rng().random();
        let id = format!("{high:016x}{low:016x}");
        let place = folder.join(ASIDE).join(&id);
        fs::create_dir_all(&place).map_err(storing("create a folder for the file in that of the connector"))?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(place.join(name));
        let file = file.map_err(|source| {
            let _ = fs::remove_dir_all(&place);
            UploadRefusal::Store { attempted: "create the file in the folder of the connector", source }
        })?;
        let most = connector.file.limits.max_body_bytes;
        let (name, digest) = (name.to_owned(), Sha256::new());
        Ok(Self { id, name, place, folder, file, bytes: 0, most, digest, is_kept: false })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`UploadRefusal::TooLarge`], or that they cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), UploadRefusal> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.most {
            return Err(UploadRefusal::TooLarge { most: self.most });
        }
        self.digest.update(bytes);
        self.file.write_all(bytes).map_err(storing("write the file"))
    }

    /// Reads the file whole, and keeps it aside if it can count.
    ///
    /// # Errors
    /// Why it cannot; it is removed then.
    pub async fn check(
        mut self,
        config: &Configuration,
        connector: &Connector,
        now: i64,
    ) -> Result<CheckedUpload, UploadRefusal> {
        if self.bytes == 0 {
            return Err(UploadRefusal::Empty);
        }
        self.file.sync_all().map_err(storing("write the file"))?;
        let Access::Files { glob, .. } = &connector.file.access else {
            return Err(UploadRefusal::NoFolder(connector.name.clone()));
        };
        let found = read_alone(config, connector, (&self.place, glob), now).await;
        let refusal = match found {
            Ok(found) if found.files == 0 => return Err(UploadRefusal::OtherName { glob: glob.clone() }),
            Ok(found) if found.mapped > 0 || found.rows == 0 => {
                self.is_kept = true;
                return Ok(CheckedUpload {
                    id: self.id.clone(),
                    bytes: self.bytes,
                    digest: format!("{:x}", self.digest.clone().finalize()),
                    rows: found.rows,
                    mapped: found.mapped,
                    rejections: found.rejections,
                    replaces: self.folder.join(&self.name).exists(),
                    is_undated: found.is_undated,
                    name: self.name.clone(),
                });
            }
            Ok(found) => UploadRefusal::AllRejected { rows: found.rows, rejections: found.rejections },
            Err(error) => UploadRefusal::NotRead(error),
        };
        match fitting(config, connector, &self.place, now).await {
            Some(fits) => Err(UploadRefusal::OtherConnector { fits }),
            None => Err(refusal),
        }
    }
}

impl Drop for IncomingFile {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_dir_all(&self.place);
            // Fails while it has the folders of others.
            let _ = fs::remove_dir(self.folder.join(ASIDE));
        }
    }
}

/// Refuses names that are not those of a file of one folder.
fn check_name(name: &str) -> Result<(), UploadRefusal> {
    let is_plain = !name.chars().any(|sign| sign == '/' || sign == '\\' || sign.is_control());
    let is_visible = !name.is_empty() && !name.starts_with('.') && name.trim() == name;
    if is_plain && is_visible && name.len() <= MOST_NAME_BYTES { Ok(()) } else { Err(UploadRefusal::BadName) }
}

/// Removes the files that nobody confirmed.
fn remove_old(aside: &Path, now: i64) {
    let Ok(now) = u64::try_from(now) else { return };
    let before = (SystemTime::UNIX_EPOCH + Duration::from_micros(now)).checked_sub(KEPT);
    let (Some(before), Ok(entries)) = (before, fs::read_dir(aside)) else { return };
    for entry in entries.flatten() {
        let is_old = entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|modified| modified < before);
        if is_old {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// What reading a file gave.
struct FoundRows {
    files: usize,
    rows: u64,
    mapped: u64,
    rejections: Vec<UploadRejections>,
    is_undated: bool,
}

/// Reads the one file of a folder as a connector does, with names that match a pattern.
async fn read_alone(
    config: &Configuration,
    connector: &Connector,
    (place, pattern): (&Path, &str),
    now: i64,
) -> Result<FoundRows, SourceError> {
    let mut alone = connector.clone();
    if let Access::Files { folder, server, glob, settle_secs, .. } = &mut alone.file.access {
        *folder = place.to_string_lossy().into_owned();
        pattern.clone_into(glob);
        *server = None;
        // It is written whole.
        *settle_secs = 0;
    }
    let readers = Readers::compile(&alone.file).expect("config compiled every map");
    let start = PullStart { now, ..PullStart::default() };
    let mut reading = sources::open(&alone, &readers, &config.values, start).await?;
    let mapper = Mapper::new(&alone, &readers, now);
    let (mut files, mut rows, mut accepted) = (0, 0, 0);
    let mut rejected: BTreeMap<(Option<String>, &'static str), u64> = BTreeMap::new();
    while let Some(page) = reading.next().await? {
        files = 1;
        for result in mapper.map_page(&page) {
            rows += 1;
            match result {
                Ok(_) => accepted += 1,
                Err(rejection) => *rejected.entry((rejection.field, rejection.reason.code())).or_default() += 1,
            }
        }
    }
    let rejection = |((field, reason), rows)| UploadRejections { field, reason, rows };
    let mut rejections: Vec<UploadRejections> = rejected.into_iter().map(rejection).collect();
    rejections.sort_by_key(|one| std::cmp::Reverse(one.rows));
    Ok(FoundRows { files, rows, mapped: accepted, rejections, is_undated: !reading.undated_files().is_empty() })
}

/// Title of another connector of files that would accept most rows of the one file of a folder.
async fn fitting(config: &Configuration, refused: &Connector, place: &Path, now: i64) -> Option<String> {
    for other in config.connectors.iter().filter(|other| other.name != refused.name) {
        if !matches!(other.file.access, Access::Files { .. }) {
            continue;
        }
        if let Ok(found) = read_alone(config, other, (place, "*"), now).await
            && found.mapped * 2 > found.rows
        {
            return Some(other.file.connector.title.clone());
        }
    }
    None
}

/// The folder of a file that is kept aside, and the file's name.
fn kept_aside(folder: &Path, id: &str) -> Result<(PathBuf, String), UploadRefusal> {
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let place = folder.join(ASIDE).join(id);
    let mut entries = fs::read_dir(&place).ok().filter(|_| is_id).into_iter().flatten().flatten();
    let name = entries.next().and_then(|entry| entry.file_name().into_string().ok());
    Ok((place, name.ok_or(UploadRefusal::Gone)?))
}

/// Places a file that was checked in the folder of its connector, in the place of one of the same name. Returns the name.
///
/// # Errors
/// [`UploadRefusal::Gone`]; that it cannot be renamed.
pub fn place_upload(config: &Configuration, connector: &Connector, id: &str) -> Result<String, UploadRefusal> {
    let folder = upload_folder(config, connector)?;
    let (place, name) = kept_aside(&folder, id)?;
    fs::rename(place.join(&name), folder.join(&name)).map_err(storing("move the file into the folder"))?;
    let _ = fs::remove_dir(&place);
    let _ = fs::remove_dir(folder.join(ASIDE));
    durable::sync(&folder).map_err(|error| UploadRefusal::Store {
        attempted: "move the file into the folder",
        source: io::Error::other(error.to_string()),
    })?;
    Ok(name)
}

/// Removes a file that is kept aside.
///
/// # Errors
/// [`UploadRefusal::Gone`].
pub fn discard_upload(config: &Configuration, connector: &Connector, id: &str) -> Result<(), UploadRefusal> {
    let folder = upload_folder(config, connector)?;
    let (place, _) = kept_aside(&folder, id)?;
    let _ = fs::remove_dir_all(place);
    let _ = fs::remove_dir(folder.join(ASIDE));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_path_parts_are_refused() {
        for name in ["a.csv", "Danh sách tháng 10 (1).xlsx", "a..csv", "~$a.xlsx"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "a".repeat(MOST_NAME_BYTES + 1);
        for name in ["", ".", "..", ".a.csv", "../a.csv", "a/b.csv", "a\\b.csv", "a\nb.csv", "a\0", " a.csv", &long] {
            assert!(matches!(check_name(name), Err(UploadRefusal::BadName)), "{name:?}");
        }
    }

    #[test]
    fn only_ids_of_files_that_are_kept_aside_are_found() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let id = "0123456789abcdef0123456789abcdef";
        let place = folder.path().join(ASIDE).join(id);
        fs::create_dir_all(&place).expect("it can be created");
        assert!(matches!(kept_aside(folder.path(), id), Err(UploadRefusal::Gone)), "an empty folder");
        fs::write(place.join("a.csv"), "x").expect("it can be written");
        assert_eq!(kept_aside(folder.path(), id).expect("it is there").1, "a.csv");
        fs::write(folder.path().join("b.csv"), "x").expect("it can be written");
        for other in ["", "..", "../..", "0123456789abcdef0123456789abcdeg", &"0".repeat(32)] {
            assert!(matches!(kept_aside(folder.path(), other), Err(UploadRefusal::Gone)), "{other}");
        }
    }

    #[test]
    fn files_that_nobody_confirmed_are_removed() {
        let aside = tempfile::tempdir().expect("there is a scratch folder");
        fs::create_dir(aside.path().join("old")).expect("it can be created");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let now = i64::try_from(now.as_micros()).expect("a moment");
        remove_old(aside.path(), now);
        assert!(aside.path().join("old").exists(), "it is new");
        remove_old(aside.path(), now + 2 * 3_600_000_000);
        assert!(!aside.path().join("old").exists());
    }
}
