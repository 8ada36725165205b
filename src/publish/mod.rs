//! What other programs read: a folder a night, written once, and `latest` swapped to it whole.
//!
//! `<data>/published/nights/<run>/` holds `figures.csv`, `figures.json`, `figures.parquet` and `night.json`;
//! `<data>/published/latest` is a symbolic link replaced by rename, so a reader never sees half of a night;
//! `latest-complete` is the same for the newest night that is proved whole. What becomes of old nights: [`keeping`].
//! `postgres` publishes a night to a database.
#![expect(clippy::disallowed_methods, reason = "edge: publishing writes files")]

mod forms;
pub mod keeping;
pub mod postgres;
mod rows;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use polars::prelude::{
    DataFrame, Engine, FileWriteFormat, IntoLazy as _, ParquetCompression, ParquetWriteOptions, PlRefPath,
    SinkDestination, SinkTarget, UnifiedSinkArgs,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use forms::{FormError, write_form};
pub use rows::{FigureRow, MetWord, csv, json};
pub use table::{arrow, parquet};

use crate::durable;
use crate::indicators::{self, IndicatorError};
use crate::model::figure::{Figure, Night};

/// The newest night, and the newest that is complete.
const LATEST: &str = "latest";
const LATEST_COMPLETE: &str = "latest-complete";

/// Why publishing failed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("cannot {action} `{path}`: {source}")]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("published file `{path}` is damaged: {what}")]
    Damaged { path: PathBuf, what: String },
    #[error("the figures of night {run} were removed, and table `figure_versions` no longer holds them as they were")]
    NotAsTheyWere { run: i64 },
    #[error(transparent)]
    Figures(#[from] IndicatorError),
    #[error("cannot write `{path}`: {source}")]
    Parquet { path: PathBuf, source: polars::error::PolarsError },
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> PublishError {
    let path = path.to_owned();
    move |source| PublishError::Io { action, path, source }
}

impl From<durable::FileError> for PublishError {
    fn from(error: durable::FileError) -> Self {
        Self::Io { action: error.attempted, path: error.path, source: error.source }
    }
}

/// `night.json`: what the figures rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightRecord {
    pub night: Night,
    /// Connectors that keep it from being complete.
    #[serde(default)]
    pub not_whole: Vec<String>,
    /// Version of every table that was read.
    pub tables: BTreeMap<String, u64>,
    /// Digest of every file that decides a figure; the texts lie in `<data>/definitions/`.
    pub sources: BTreeMap<String, String>,
}

/// Keeps the text of every file that decides a figure under its digest; gives name → digest.
pub fn keep_definitions(
    data: &Path,
    sources: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, PublishError> {
    let folder = data.join("definitions");
    fs::create_dir_all(&folder).map_err(io("create", &folder))?;
    let (mut digests, mut is_new) = (BTreeMap::new(), false);
    for (name, text) in sources {
        let digest = format!("{:x}", Sha256::digest(text.as_bytes()));
        let path = folder.join(&digest);
        if !path.exists() {
            durable::replace_one_of_many(&path, "keep a definition", |out| out.write_all(text.as_bytes()))?;
            is_new = true;
        }
        digests.insert(name.clone(), digest);
    }
    if is_new {
        durable::sync(&folder)?;
    }
    Ok(digests)
}

/// The text of every file that decided a night's figures, by its name.
///
/// # Errors
/// A text that is not kept any more, or that is not what its digest says.
pub fn kept_definitions(data: &Path, record: &NightRecord) -> Result<BTreeMap<String, String>, PublishError> {
    let folder = data.join("definitions");
    let mut texts = BTreeMap::new();
    for (name, digest) in &record.sources {
        let path = folder.join(digest);
        let text = fs::read_to_string(&path).map_err(io("read", &path))?;
        if format!("{:x}", Sha256::digest(text.as_bytes())) != *digest {
            return Err(PublishError::Damaged { path, what: format!("it is not the `{name}` that was kept") });
        }
        texts.insert(name.clone(), text);
    }
    Ok(texts)
}

/// Writes a night's folder and swaps `latest` to it; gives the folder.
pub fn publish_night(data: &Path, figures: &[Figure], record: &NightRecord) -> Result<PathBuf, PublishError> {
    let root = data.join("published");
    let name = format!("{:08}", record.night.run);
    let folder = root.join("nights").join(&name);
    let beside = root.join("nights").join(format!(".{name}.partial"));
    remove_partial_nights(&root.join("nights"))?;
    fs::create_dir_all(&beside).map_err(io("create", &beside))?;
    // Row by row: a large province has a million of them.
    let rows = || figures.iter().map(|figure| FigureRow::new(figure, &record.night));
    durable::create(&beside.join("figures.csv"), |out| csv(out, rows()))?;
    durable::create(&beside.join("figures.json"), |out| json(out, rows()))?;
    write_parquet(&beside.join("figures.parquet"), figures, record.night.run)?;
    let text = serde_json::to_vec_pretty(record).expect("a night's record is plain data");
    durable::create(&beside.join("night.json"), |out| out.write_all(&text))?;
    durable::sync(&beside)?;
    durable::rename(&beside, &folder, "publish a night's folder")?;
    if record.night.complete {
        swap(&root, LATEST_COMPLETE, &name)?;
    }
    swap(&root, LATEST, &name)?;
    Ok(folder)
}

/// Removes what a process that died while publishing left.
fn remove_partial_nights(nights: &Path) -> Result<(), PublishError> {
    fs::create_dir_all(nights).map_err(io("create", nights))?;
    for entry in fs::read_dir(nights).map_err(io("list", nights))?.flatten() {
        if entry.file_name().to_string_lossy().ends_with(".partial") {
            fs::remove_dir_all(entry.path()).map_err(io("remove", &entry.path()))?;
        }
    }
    Ok(())
}

fn swap(root: &Path, link: &str, name: &str) -> Result<(), PublishError> {
    Ok(durable::replace_link(&root.join(link), &Path::new("nights").join(name), "swap a published link")?)
}

/// The run of the newest published night.
#[must_use]
pub fn newest_run(data: &Path) -> Option<i64> {
    let target = fs::read_link(data.join("published").join(LATEST)).ok()?;
    target.file_name()?.to_str()?.parse().ok()
}

/// The run of the newest night whose figures speak of a moment at or before `as_of`.
pub fn run_before(data: &Path, as_of: i64) -> Result<Option<i64>, PublishError> {
    let folder = newest_before(&data.join("published").join("nights"), as_of)?;
    Ok(folder.and_then(|folder| folder.file_name()?.to_str()?.parse().ok()))
}

/// What the newest published night rests on, without its figures.
pub fn newest_record(data: &Path) -> Result<Option<NightRecord>, PublishError> {
    let folder = data.join("published").join(LATEST);
    if folder.exists() { read_record(&folder).map(Some) } else { Ok(None) }
}

fn read_record(folder: &Path) -> Result<NightRecord, PublishError> {
    let path = folder.join("night.json");
    let text = fs::read(&path).map_err(io("read", &path))?;
    serde_json::from_slice(&text).map_err(|error| PublishError::Damaged { path, what: error.to_string() })
}

fn newest_before(nights: &Path, as_of: i64) -> Result<Option<PathBuf>, PublishError> {
    if !nights.exists() {
        return Ok(None);
    }
    let mut folders: Vec<PathBuf> = fs::read_dir(nights)
        .map_err(io("list", nights))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')))
        .collect();
    folders.sort();
    for folder in folders.into_iter().rev() {
        if read_record(&folder)?.night.as_of <= as_of {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

fn write_parquet(path: &Path, figures: &[Figure], run: i64) -> Result<(), PublishError> {
    let present: Vec<(&Figure, bool)> = figures.iter().map(|figure| (figure, false)).collect();
    sink_parquet(path, indicators::figures_to_frame(&present, run)?)?;
    Ok(durable::sync(path)?)
}

/// A frame as the bytes of a Parquet file. The sink writes files only: one stands in `scratch` for a moment.
fn parquet_bytes(frame: DataFrame, scratch: &Path) -> Result<Vec<u8>, PublishError> {
    // What a process that died leaves is swept away by its ending.
    let path = scratch.join(format!(".figures-{:016x}.partial", rand::random::<u64>()));
    let written = sink_parquet(&path, frame).and_then(|()| fs::read(&path).map_err(io("read", &path)));
    let _ = fs::remove_file(&path);
    written
}

/// Writes a frame without view types, which not every reader knows; `ParquetWriter` always states them.
fn sink_parquet(path: &Path, frame: DataFrame) -> Result<(), PublishError> {
    let frame = frame.lazy();
    let failed = |source| PublishError::Parquet { path: path.to_owned(), source };
    let target = SinkTarget::Path(PlRefPath::try_from_path(path).map_err(failed)?);
    let options = ParquetWriteOptions { compression: ParquetCompression::Snappy, ..ParquetWriteOptions::default() };
    let format = FileWriteFormat::Parquet(options.into());
    let sink = frame.sink(SinkDestination::File { target }, format, UnifiedSinkArgs::default()).map_err(failed)?;
    // A thread of its own: the caller may be a worker of an asynchronous runtime, in which Polars must not wait.
    std::thread::scope(|scope| {
        let sinking = scope.spawn(|| sink.collect_with_engine(Engine::Streaming));
        sinking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
    .map_err(failed)
    .map(drop)
}
