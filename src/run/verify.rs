//! Verification of a whole data folder: every file against its digest, the images against their versions, the newest
//! night against the versions of its figures, and the databases. Nothing is changed.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::lake::{self, CheckedTable};
use crate::landing::{self, retention::landed};
use crate::model::checked_file::{CheckedFile, FileState};
use crate::publish::{self, NightFigures};
use crate::run::agency_numbers;
use crate::run::error::{RunError, with_causes};
use crate::run::ledger::database_damage;
use crate::run::lock::Lock;
use crate::run::past_nights::rebuilt;
use crate::run::progress::Progress;

/// What was found of one kind of files: their number if they are whole, or one that has no digest or is not fine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyLine {
    pub kind: VerifyKind,
    pub state: FileState,
    /// Path in the data folder of a file that is not whole.
    pub path: Option<String>,
    /// What is wrong with it.
    pub what: Option<String>,
    /// What to do about it.
    pub hint: Option<&'static str>,
    pub files: u64,
    pub bytes: u64,
}

/// Kinds of stored files, in the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyKind {
    /// Logs of the tables.
    Logs,
    /// Data files of the tables.
    Lake,
    /// Images against their versions.
    Images,
    Landing,
    Nights,
    /// The newest night against the versions of its figures.
    Figures,
    Definitions,
    /// The numbers of agencies that no registry has.
    Agencies,
    Databases,
}

impl VerifyKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Lake => "lake",
            Self::Images => "images",
            Self::Landing => "landing",
            Self::Nights => "nights",
            Self::Figures => "figures",
            Self::Definitions => "definitions",
            Self::Agencies => "agencies",
            Self::Databases => "databases",
        }
    }

    /// What to do about a file of this kind that is not fine.
    fn hint(self, path: &str) -> &'static str {
        match self {
            Self::Lake | Self::Logs if is_of_groups(path) => {
                "the next `motcua run` computes the groups again from the image"
            }
            Self::Lake if is_of_image(path) => "the next `motcua run` rebuilds it from the versions",
            Self::Logs if is_of_image(path) => "the next `motcua run` makes the image again from its versions",
            Self::Logs if path.starts_with("lake/digests/") || path.ends_with("_last_checkpoint") => {
                "the next `motcua run` makes it again, if every data file matches the log"
            }
            Self::Nights if path == "published/README.md" => "the next `motcua run` writes it again",
            Self::Logs | Self::Lake | Self::Nights => lake::RESTORE,
            Self::Images => {
                "move the folder of the image, and its file in `lake/digests`, out of the data folder: the next `motcua run` \
                 makes the image again from its versions"
            }
            Self::Landing => {
                "needed only to finish, replay or retry its run: the tables hold what it brought. Restore it from a backup if \
                 you need that"
            }
            Self::Figures => {
                "the published files stand as they were published; report this difference to the developers of motcua"
            }
            Self::Definitions => {
                "the next `motcua run` writes the definitions of today again; one of an older night comes from a backup"
            }
            Self::Agencies => {
                "restore the file from a backup; without one, move it away: agencies then get new numbers, and must be approved \
                 again"
            }
            Self::Databases => {
                "restore it from the newest backup; `ledger.sqlite` may also be moved away: the next run reads everything again, \
                 and the figures stay the same"
            }
        }
    }
}

/// Whether a path in the data folder belongs to the table of groups of dossiers.
fn is_of_groups(path: &str) -> bool {
    let prefix = format!("lake/{}/", lake::GROUP_TABLE);
    path.starts_with(&prefix)
}

/// Whether a path in the data folder belongs to an image.
fn is_of_image(path: &str) -> bool {
    use strum::IntoEnumIterator as _;
    let table = path.strip_prefix("lake/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    crate::model::table::RecordKind::iter().any(|kind| kind.image_name() == table)
}

/// The lines of a report, while they are collected.
struct Report<'d> {
    data: &'d Path,
    /// Number and bytes of the files that are whole.
    whole: BTreeMap<VerifyKind, (u64, u64)>,
    /// Files without digest, and those that are not fine.
    named: Vec<VerifyLine>,
}

impl Report<'_> {
    fn add(&mut self, kind: VerifyKind, file: CheckedFile) {
        if file.state == FileState::Whole {
            let amount = self.whole.entry(kind).or_default();
            *amount = (amount.0 + 1, amount.1 + file.bytes);
            return;
        }
        let path = file.path.strip_prefix(self.data).unwrap_or(&file.path).to_string_lossy().into_owned();
        let hint = (!file.state.is_fine()).then(|| kind.hint(&path));
        let what = Some(file.what).filter(|what| !what.is_empty());
        self.named.push(VerifyLine {
            kind,
            state: file.state,
            path: Some(path),
            what,
            hint,
            files: 1,
            bytes: file.bytes,
        });
    }

    fn add_all(&mut self, kind: VerifyKind, files: impl IntoIterator<Item = CheckedFile>) {
        files.into_iter().for_each(|file| self.add(kind, file));
    }

    /// What is wrong first, then the files without digest.
    fn into_lines(mut self) -> Vec<VerifyLine> {
        let place = |line: &VerifyLine| (line.state.is_fine(), line.kind, line.path.clone());
        self.named.sort_by_cached_key(place);
        let whole = self.whole.into_iter().map(|(kind, (files, bytes))| VerifyLine {
            kind,
            state: FileState::Whole,
            path: None,
            what: None,
            hint: None,
            files,
            bytes,
        });
        self.named.into_iter().chain(whole).collect()
    }
}

/// Checks everything in a data folder. Holds its lock, so that no run changes it meanwhile.
pub async fn verify(data: &Path, now: i64, progress: &Progress<'_>) -> Result<Vec<VerifyLine>, RunError> {
    let _lock = Lock::take(data, "verify", now)?;
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let data = data.canonicalize().unwrap_or(data);
    let mut report = Report { data: &data, whole: BTreeMap::new(), named: Vec::new() };
    let tables = lake::check_tables(&data.join("lake"), &|table| progress(&format!("checking table {table}"))).await?;
    let is_whole = |name: &str| tables.iter().any(|table| table.name == name && table.is_whole());
    let are_whole = tables.iter().all(CheckedTable::is_whole);
    let has_figures = is_whole(lake::FIGURE_TABLE);
    for table in tables {
        add_table(&mut report, table);
    }
    if are_whole && data.join("lake").is_dir() {
        progress("comparing the images with their versions");
        add_differences(&mut report, &data).await?;
    }
    progress("checking landed pages");
    for pull in landed(&data)?.0 {
        report.add_all(VerifyKind::Landing, landing::check(&pull)?);
    }
    progress("checking published nights");
    let nights = publish::check_nights(&data)?;
    let nights_are_whole = nights.files.iter().all(|file| file.state.is_fine());
    report.add_all(VerifyKind::Definitions, publish::check_definitions(&data, &nights.named)?);
    report.add_all(VerifyKind::Nights, nights.files);
    if nights_are_whole && has_figures {
        report.add_all(VerifyKind::Figures, newest_figures(&data).await?);
    }
    report.add_all(VerifyKind::Agencies, agency_numbers::check(&data).await);
    for name in ["ledger.sqlite", "access.sqlite"] {
        let path = data.join(name);
        if path.is_file() {
            let bytes = path.metadata().map_or(0, |meta| meta.len());
            report.add(
                VerifyKind::Databases,
                match database_damage(&path).await {
                    None => CheckedFile::whole(path, bytes, true),
                    Some(what) => CheckedFile::damaged(path, bytes, what),
                },
            );
        }
    }
    Ok(report.into_lines())
}

fn add_table(report: &mut Report<'_>, table: CheckedTable) {
    if let Some(what) = table.unreadable {
        let log = report.data.join("lake").join(&table.name).join("_delta_log");
        report.add(VerifyKind::Logs, CheckedFile::damaged(log, 0, what));
    }
    report.add_all(VerifyKind::Logs, table.log);
    report.add_all(VerifyKind::Lake, table.data);
}

async fn add_differences(report: &mut Report<'_>, data: &Path) -> Result<(), RunError> {
    for difference in lake::image_differences(&data.join("lake")).await? {
        let path = data.join("lake").join(difference.kind.image_name());
        let what = format!(
            "holds {} rows that are not the newest version of their key, and lacks {}",
            difference.surplus, difference.absent
        );
        report.add(VerifyKind::Images, CheckedFile { path, bytes: 0, state: FileState::Different, what });
    }
    Ok(())
}

/// The newest night, if its figures are not those that the versions of figures give.
async fn newest_figures(data: &Path) -> Result<Option<CheckedFile>, RunError> {
    let Some(folder) = publish::night_folder(data, None)? else { return Ok(None) };
    let path = folder.canonicalize().unwrap_or(folder.clone());
    let (record, figures) = tokio::task::spawn_blocking(move || publish::read_night(&folder)).await??;
    let NightFigures::Present(mut figures) = figures else { return Ok(None) };
    crate::indicators::sort_figures(&mut figures);
    let again = match rebuilt(data, record.night.run).await {
        Ok(again) => again,
        Err(error) => return Ok(Some(CheckedFile::damaged(path, 0, with_causes(&error)))),
    };
    let is_same = figures == again;
    let what = format!("its {} figures are not those that table `figure_versions` gives", figures.len());
    Ok((!is_same).then_some(CheckedFile { path, bytes: 0, state: FileState::Different, what }))
}
