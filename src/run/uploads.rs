//! Files that people hand in through the service, for a connector that reads a folder of this machine.
//!
//! A file is first kept aside, in a hidden folder inside the connector's own: a list with personal data lies nowhere but where
//! lists lie, and no night reads it there. It is read whole, as `check` reads it. Only if a person then confirms it, it is
//! renamed into the connector's folder, so that a night sees the whole file or none. A refused file is removed at once, one
//! that nobody confirms after an hour.
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
    #[error("a file of the name `{name}` came into the folder after the verdict")]
    Replaces { name: String },
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
    /// Begins to keep a file aside.
    ///
    /// # Errors
    /// The connector has no folder, the name is none, or the folder cannot be written.
    pub fn begin(config: &Configuration, connector: &Connector, name: &str) -> Result<Self, UploadRefusal> {
        let folder = upload_folder(config, connector)?;
        check_name(name)?;
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

/// Removes the files that nobody confirmed within the hour before `now` (microseconds UTC), for all connectors.
pub fn remove_unconfirmed_uploads(config: &Configuration, now: i64) {
    let folders = config.connectors.iter().filter_map(|connector| upload_folder(config, connector).ok());
    folders.for_each(|folder| remove_old(&folder.join(ASIDE), now));
}

fn remove_old(aside: &Path, now: i64) {
    let Ok(entries) = fs::read_dir(aside) else { return };
    for place in entries.flatten().map(|entry| entry.path()).filter(|place| is_old(place, now)) {
        if let Err(error) = fs::remove_dir_all(&place) {
            tracing::error!(path = %place.display(), "an upload that nobody confirmed cannot be removed: {error}");
        }
    }
    // Fails while it has the folders of others.
    let _ = fs::remove_dir(aside);
}

/// Whether a file was kept aside for longer than an hour.
fn is_old(place: &Path, now: i64) -> bool {
    let now = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(now).unwrap_or(0));
    let kept_since = fs::metadata(place).and_then(|metadata| metadata.modified());
    kept_since.is_ok_and(|since| since + KEPT < now)
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
fn kept_aside(folder: &Path, id: &str, now: i64) -> Result<(PathBuf, String), UploadRefusal> {
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let place = folder.join(ASIDE).join(id);
    let is_kept = is_id && !is_old(&place, now);
    let mut entries = fs::read_dir(&place).ok().filter(|_| is_kept).into_iter().flatten().flatten();
    let name = entries.next().and_then(|entry| entry.file_name().into_string().ok());
    Ok((place, name.ok_or(UploadRefusal::Gone)?))
}

/// Places a file that was checked in the folder of its connector. `replaces`: whether it may take the place of one of the same
/// name. Returns the name.
///
/// # Errors
/// [`UploadRefusal::Gone`]; [`UploadRefusal::Replaces`]; that it cannot be renamed.
pub fn place_upload(
    config: &Configuration,
    connector: &Connector,
    (id, replaces): (&str, bool),
    now: i64,
) -> Result<String, UploadRefusal> {
    let folder = upload_folder(config, connector)?;
    let (place, name) = kept_aside(&folder, id, now)?;
    if !replaces && folder.join(&name).exists() {
        return Err(UploadRefusal::Replaces { name });
    }
    fs::rename(place.join(&name), folder.join(&name)).map_err(|source| match source.kind() {
        // Another request has placed or discarded it meanwhile.
        io::ErrorKind::NotFound => UploadRefusal::Gone,
        _ => UploadRefusal::Store { attempted: "move the file into the folder", source },
    })?;
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
pub fn discard_upload(config: &Configuration, connector: &Connector, id: &str, now: i64) -> Result<(), UploadRefusal> {
    let folder = upload_folder(config, connector)?;
    let (place, _) = kept_aside(&folder, id, now)?;
    let _ = fs::remove_dir_all(place);
    let _ = fs::remove_dir(folder.join(ASIDE));
    Ok(())
}

#[cfg(test)]
mod tests;
