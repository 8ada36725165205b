//! A night is published: its folder is written beside its place and renamed into it, and the links to the newest night
//! are replaced, so that a reader never sees a part of a night.
#![expect(clippy::disallowed_methods, reason = "edge: published nights are written here")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::columnar::write_parquet;
use super::csv_and_json::remove_old_csv_and_json;
use super::error::{PublishedFilesError, file_error};
use super::figure_rows::{FigureRow, csv, json};
use super::nights::{FIGURE_FILES, FIGURES_CSV, FIGURES_JSON, FIGURES_PARQUET, LATEST, LATEST_COMPLETE, NightRecord};
use super::published_readme;
use crate::indicators;
use crate::model::figure::Figure;
use crate::{digests, durable, rights};

/// Writes the folder of a night and points `latest` to it. Then removes the CSV and JSON of earlier nights. Returns the
/// folder.
pub fn publish_night(data: &Path, figures: &[Figure], record: &NightRecord) -> Result<PathBuf, PublishedFilesError> {
    let root = data.join("published");
    let name = format!("{:08}", record.night.run);
    let folder = root.join("nights").join(&name);
    let beside = root.join("nights").join(format!(".{name}.partial"));
    remove_partial_nights(&root.join("nights"))?;
    published_readme::write(&root)?;
    rights::create_folder(&beside).map_err(file_error("create", &beside))?;
    // Row by row: a large province has a million of them.
    let rows = || figures.iter().map(|figure| FigureRow::new(figure, &record.night));
    durable::create(&beside.join(FIGURES_CSV), |out| csv(out, rows()))?;
    durable::create(&beside.join(FIGURES_JSON), |out| json(out, rows()))?;
    let parquet = beside.join(FIGURES_PARQUET);
    write_parquet(&parquet, indicators::published_frame(figures, record.night)?)?;
    rights::inherit(&parquet);
    durable::sync(&parquet)?;
    let text = digests::sealed(&NightRecord { files: digests_of(&beside)?, ..record.clone() });
    durable::create(&beside.join("night.json"), |out| out.write_all(&text))?;
    durable::sync(&beside)?;
    durable::rename(&beside, &folder, "publish a night's folder")?;
    if record.night.complete {
        link_to_night(&root, LATEST_COMPLETE, &name)?;
    }
    link_to_night(&root, LATEST, &name)?;
    // An error here does not undo the publication. The next night removes what is left.
    if let Err(error) = remove_old_csv_and_json(&root) {
        tracing::warn!(run = record.night.run, "CSV and JSON of earlier nights are not removed: {error}");
    }
    Ok(folder)
}

/// Digests of the figure files in a folder, by name.
fn digests_of(folder: &Path) -> Result<BTreeMap<String, String>, PublishedFilesError> {
    let digest = |name: &str| {
        let path = folder.join(name);
        let (digest, _) = digests::of_file(&path).map_err(file_error("read", &path))?;
        Ok((name.to_owned(), digest))
    };
    FIGURE_FILES.into_iter().map(digest).collect()
}

/// Removes folders that a process left which died while it published.
fn remove_partial_nights(nights: &Path) -> Result<(), PublishedFilesError> {
    rights::create_folder(nights).map_err(file_error("create", nights))?;
    for entry in fs::read_dir(nights).map_err(file_error("list", nights))?.flatten() {
        if entry.file_name().to_string_lossy().ends_with(".partial") {
            fs::remove_dir_all(entry.path()).map_err(file_error("remove", &entry.path()))?;
        }
    }
    Ok(())
}

fn link_to_night(root: &Path, link: &str, name: &str) -> Result<(), PublishedFilesError> {
    Ok(durable::replace_link(&root.join(link), &Path::new("nights").join(name), "swap a published link")?)
}
