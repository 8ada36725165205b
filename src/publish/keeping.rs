//! Published nights that have grown old: their figures go, what they rest on stays.
//!
//! Before the figures of a night go, `removed.json` says in its folder how many they were and what they came to: whoever rebuilds
//! them from the versions is held against it, so that a night is repeated as it was or not at all.
#![expect(clippy::disallowed_methods, reason = "edge: old files of published nights are looked at and removed")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use polars::prelude::{ParquetReader, SerReader as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{LATEST, LATEST_COMPLETE, NightRecord, PublishError, io, newest_before, read_record};
use crate::crash_points::crash_point;
use crate::durable;
use crate::indicators;
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::instant;

/// What a night is read back from.
const FIGURES: &str = "figures.parquet";
const REMOVED: &str = "removed.json";
/// In the order in which they go: what a night is read from goes last.
const FIGURE_FILES: [&str; 3] = ["figures.csv", "figures.json", FIGURES];

/// A night's folder.
#[derive(Debug, Clone)]
pub struct NightFolder {
    pub folder: PathBuf,
    pub record: NightRecord,
    /// The files of its figures that are there, each with its bytes.
    pub figures: Vec<(PathBuf, u64)>,
    /// It is the newest, the newest complete, or the last of its month.
    pub is_landmark: bool,
}

impl NightFolder {
    /// Its CSV and JSON, which say what its Parquet says; none where that is not there.
    #[must_use]
    pub fn texts(&self) -> Self {
        let is_parquet = |(path, _): &(PathBuf, u64)| path.ends_with(FIGURES);
        let mut texts = self.clone();
        if self.figures.iter().any(is_parquet) {
            texts.figures.retain(|file| !is_parquet(file));
        } else {
            texts.figures.clear();
        }
        texts
    }
}

/// `removed.json`: that and when the figures of a night were removed, and what they came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedFigures {
    /// Microseconds UTC.
    pub removed_at: i64,
    pub figures: usize,
    pub digest: String,
}

impl RemovedFigures {
    #[must_use]
    pub fn of(figures: &[Figure], now: i64) -> Self {
        Self { removed_at: now, figures: figures.len(), digest: digest(figures) }
    }

    /// Whether these are the figures that were removed.
    #[must_use]
    pub fn is_of(&self, figures: &[Figure]) -> bool {
        self.figures == figures.len() && self.digest == digest(figures)
    }
}

/// Of what a figure says, in order. Its words are fixed: other versions of motcua must find the same.
fn digest(figures: &[Figure]) -> String {
    let mut hash = Sha256::new();
    for figure in figures {
        let (tier, agency) = (figure.tier.map_or("", Tier::name), figure.agency.as_deref().unwrap_or(""));
        let line = format!(
            "{}|{}|{}|{tier}|{agency}|{}|{}|{:?}|{}\n",
            figure.indicator,
            figure.definition,
            figure.rules,
            figure.period,
            figure.numerator,
            figure.denominator,
            figure.reachable,
        );
        hash.update(line.as_bytes());
    }
    format!("{:x}", hash.finalize())
}

/// A night that was published: the newest, or the newest whose figures speak of a moment at or before `as_of`.
pub fn find(data: &Path, as_of: Option<i64>) -> Result<Option<PathBuf>, PublishError> {
    let root = data.join("published");
    match as_of {
        None => Ok(Some(root.join(LATEST)).filter(|folder| folder.exists())),
        Some(as_of) => newest_before(&root.join("nights"), as_of),
    }
}

/// The folder of a run's night, if it published one.
#[must_use]
pub fn of_run(data: &Path, run: i64) -> Option<PathBuf> {
    Some(data.join("published").join("nights").join(format!("{run:08}"))).filter(|folder| folder.exists())
}

/// What a night's folder holds: the record, and the figures unless they were removed.
pub fn read(folder: &Path) -> Result<(NightRecord, Kept), PublishError> {
    let record = read_record(folder)?;
    let removed = if folder.join(FIGURES).exists() { None } else { removed_figures(folder)? };
    let kept = match removed {
        Some(removed) => Kept::Removed(removed),
        None => Kept::Figures(read_figures(folder)?),
    };
    Ok((record, kept))
}

/// What a night's folder holds of its figures.
#[derive(Debug)]
pub enum Kept {
    Figures(Vec<Figure>),
    Removed(RemovedFigures),
}

fn read_figures(folder: &Path) -> Result<Vec<Figure>, PublishError> {
    let path = folder.join(FIGURES);
    let file = File::open(&path).map_err(io("open", &path))?;
    let frame = ParquetReader::new(file)
        .finish()
        .map_err(|error| PublishError::Damaged { path: path.clone(), what: error.to_string() })?;
    Ok(indicators::figures_from_frame(&frame)?)
}

/// The folders of all nights, oldest first.
pub fn nights(data: &Path) -> Result<Vec<NightFolder>, PublishError> {
    let root = data.join("published");
    let linked = |link: &str| fs::read_link(root.join(link)).ok().and_then(|to| Some(to.file_name()?.to_owned()));
    let landmarks = [linked(LATEST), linked(LATEST_COMPLETE)];
    let mut nights: Vec<NightFolder> = Vec::new();
    for folder in night_folders(&root.join("nights"))? {
        let record = read_record(&folder)?;
        let mut figures = Vec::new();
        for name in FIGURE_FILES {
            let path = folder.join(name);
            match path.symlink_metadata() {
                Ok(meta) => figures.push((path, meta.len())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(io("look at", &path)(error)),
            }
        }
        let is_landmark = landmarks.iter().flatten().any(|name| folder.file_name() == Some(name));
        nights.push(NightFolder { folder, record, figures, is_landmark });
    }
    let month = |night: &NightFolder| instant::local(night.record.night.as_of).date().first_of_month();
    for at in 0..nights.len() {
        let own = month(&nights[at]);
        nights[at].is_landmark |= nights[at + 1..].iter().all(|later| month(later) != own);
    }
    Ok(nights)
}

/// The folders of nights that were published whole, by run.
fn night_folders(nights: &Path) -> Result<Vec<PathBuf>, PublishError> {
    let mut folders = listed(nights)?;
    folders.retain(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
    Ok(folders)
}

/// What is in a folder, by name; nothing if it is not there.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, PublishError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(io("list", folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(io("list", folder))?;
    paths.sort();
    Ok(paths)
}

/// Whether and when the figures of a night were removed.
fn removed_figures(folder: &Path) -> Result<Option<RemovedFigures>, PublishError> {
    let path = folder.join(REMOVED);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| PublishError::Damaged { path, what: error.to_string() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io("read", &path)(error)),
    }
}

/// Removes files of a night's figures, all of them after saying so beside them (`removed`). `night.json` stays.
pub fn remove_figures(night: &NightFolder, removed: Option<&RemovedFigures>) -> Result<(), PublishError> {
    let path = night.folder.join(REMOVED);
    if let Some(removed) = removed.filter(|_| !path.exists()) {
        let text = serde_json::to_vec_pretty(removed).expect("it is plain data");
        durable::replace(&path, "say that a night's figures are removed", |out| out.write_all(&text))?;
    }
    for (path, _) in &night.figures {
        let _crash_point = crash_point("remove a file of a night's figures");
        fs::remove_file(path).map_err(io("remove", path))?;
    }
    Ok(durable::sync(&night.folder)?)
}

/// The texts in `definitions/`, each with its bytes and whether any night names it.
pub fn definitions(data: &Path, nights: &[NightFolder]) -> Result<Vec<(PathBuf, u64, bool)>, PublishError> {
    let folder = data.join("definitions");
    let named = |name: &str| nights.iter().any(|night| night.record.sources.values().any(|digest| digest == name));
    let mut texts = Vec::new();
    for path in listed(&folder)? {
        let meta = path.symlink_metadata().map_err(io("look at", &path))?;
        let is_named = path.file_name().and_then(|name| name.to_str()).is_some_and(named);
        texts.push((path, meta.len(), is_named));
    }
    Ok(texts)
}

/// What processes left that died while they published: folders, files and links.
pub fn leftovers(data: &Path) -> Result<Vec<PathBuf>, PublishError> {
    let root = data.join("published");
    let mut left = listed(&root)?;
    for folder in listed(&root.join("nights"))? {
        if folder.is_dir() {
            left.extend(listed(&folder)?);
        }
        left.push(folder);
    }
    left.retain(|path| path.extension().is_some_and(|ending| ending == "partial"));
    Ok(left)
}

/// Removes a text that no night names, or what a process left.
pub fn remove(path: &Path) -> Result<(), PublishError> {
    let _crash_point = crash_point("remove what no night names");
    let is_folder = path.symlink_metadata().is_ok_and(|meta| meta.is_dir());
    let removed = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(io("remove", path))
}
