//! Failures of a verb: message, hint and exit code.

use std::path::Path;

use crate::cli::exit_codes::{INCOMPLETE, INTERNAL, USAGE};
use crate::config::{Configuration, Problems};
use crate::lake::LakeError;
use crate::publish::PublishedFilesError;
use crate::run::{self, AgencyNumbersError, BackupError, LockError, RunError, with_causes};
use crate::simulator::SimulatorError;

/// What to do in an office without connectors.
pub(super) const FIRST_CONNECTOR: &str = "`motcua connectors new NAME --from FILE` drafts one from a file that a source delivers, and \
     `motcua check ./NAME` tries it; then move its folder into that of the connectors";

/// Why a verb failed.
#[derive(Debug)]
pub struct Failure {
    pub(super) code: u8,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self { code: INTERNAL, message: message.into(), hint: None }
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { code: USAGE, message: message.into(), hint: None }
    }

    /// A verb reads what was stored, and nothing is there.
    pub(super) fn no_data_folder(data: &Path) -> Self {
        Self::usage(format!("there is no data folder `{}`", data.display())).with_hint(
            "name another one with `--data` or in the settings; `motcua run` creates it with the first night",
        )
    }

    /// A verb reads sources, and no connector is configured.
    pub(super) fn no_connector(config: &Configuration) -> Self {
        let folder = config.settings.connectors.display();
        Self::usage(format!("no connector is configured in `{folder}`: there is nothing to read"))
            .with_hint(FIRST_CONNECTOR)
    }

    /// A verb reads what nights store, and there has been none. `lacks` says what is absent, and where.
    pub(super) fn nothing_has_run(lacks: impl Into<String>) -> Self {
        Self::usage(lacks).with_hint("nothing has run yet: `motcua run`")
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::usage(problems.to_string()).with_hint("`motcua check --offline` checks the files again")
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let message = with_causes(&error);
        if let Some(hint) = run::disk_full_hint(&message) {
            return Self::internal(message).with_hint(hint);
        }
        match &error {
            RunError::UnknownConnector { .. } => {
                Self::usage(message).with_hint("`motcua connectors list` shows the configured connectors")
            }
            RunError::MistakenConnector { .. } => {
                Self::usage(message).with_hint("`motcua check --offline` lists all mistakes")
            }
            RunError::OtherZone { .. } => Self::usage(message).with_hint(
                "days and periods are stored as they were counted: write the zone of the folder into `province.zone`, or begin \
                 another folder (`folders.data`)",
            ),
            RunError::UnknownGroup { .. } => Self::usage(message).with_hint(
                "`[folders] reader_group` must be the name of a group in `/etc/group`, or its number",
            ),
            RunError::NothingLanded { .. } => Self::usage(message).with_hint(
                "`motcua runs list` shows the runs; a run that failed before its first page has no landed pages",
            ),
            RunError::LandingRemoved { .. } => Self::usage(message)
                .with_hint("its records are in the tables; `motcua backfill` reads past days again from the source"),
            RunError::Backup(BackupError::DamagedData { .. }) => Self { code: INCOMPLETE, message, hint: None }
                .with_hint("`motcua verify` lists everything that is damaged, and says how to restore it"),
            RunError::Backup(backup) if backup.is_usage() => Self::usage(message),
            RunError::AgencyNumbers(AgencyNumbersError::UnknownNumber { .. }) => {
                Self::usage(message).with_hint("`motcua agencies unknown --all` lists the numbers")
            }
            RunError::AgencyNumbers(AgencyNumbersError::Damaged { .. }) => Self::internal(message).with_hint(
                "restore the file from a backup; if there is none, move it away: agencies then get new numbers, and must be approved again",
            ),
            RunError::NoWindow { .. } => Self::usage(message)
                .with_hint("a connector of files has no window: `motcua run` reads every file that was not read yet"),
            RunError::NoStretch { .. } => {
                Self::usage(message).with_hint("give days as yyyy-MM-dd, the earlier one first")
            }
            RunError::NothingRefused { .. } => {
                Self::usage(message).with_hint("`motcua deletions list` shows what was refused and what was accepted")
            }
            RunError::NothingToRetry => Self::usage(message).with_hint("`motcua quarantine list` shows the open rows"),
            RunError::NewerLedger { .. } => {
                Self::usage(message).with_hint("a newer motcua has written this data folder: use that version")
            }
            RunError::DamagedLedger { .. } => Self::internal(message).with_hint(DAMAGED_LEDGER),
            RunError::Ledger(ledger) => Self::internal(message).with_hint(ledger_hint(ledger)),
            RunError::Lock(LockError::Held { .. }) => Self::internal(message)
                .with_hint("wait until the other process ends, or choose another folder with `--data`"),
            RunError::Lake(lake) => {
                let failure = Self::internal(message);
                match LakeError::hint(lake) {
                    Some(hint) => failure.with_hint(hint),
                    None => failure,
                }
            }
            _ => Self::internal(message),
        }
    }
}

/// What to do about a damaged ledger.
const DAMAGED_LEDGER: &str = "restore `ledger.sqlite` from the newest backup; without one, move it away with `ledger.sqlite-wal` and \
     `ledger.sqlite-shm`: the next run reads everything again, and the figures stay the same";

/// What to do about an error of the ledger. Only one that is damaged may be moved away.
fn ledger_hint(error: &sqlx::Error) -> &'static str {
    /// Result codes of SQLite, without the upper bits that tell details apart.
    const IO: u32 = 10;
    const CORRUPT: u32 = 11;
    const CANNOT_OPEN: u32 = 14;
    const NO_DATABASE: u32 = 26;
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok()).map(|code| code & 0xff);
    match code {
        Some(IO | CANNOT_OPEN) => {
            "the disk may be full or failing: check its free space and its health, and that the data folder belongs to this \
             user. Leave `ledger.sqlite` where it is"
        }
        Some(CORRUPT | NO_DATABASE) => DAMAGED_LEDGER,
        _ => "run again; if the error stays, check the disk and restore `ledger.sqlite` from the newest backup",
    }
}

impl From<PublishedFilesError> for Failure {
    fn from(error: PublishedFilesError) -> Self {
        Self::from(RunError::from(error))
    }
}

impl From<SimulatorError> for Failure {
    fn from(error: SimulatorError) -> Self {
        Self::internal(with_causes(&error))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error.to_string())
    }
}
