//! Runs: the only module that sees every stage. A night is three parts: `reading` reads and lands the pulls, `settling`
//! settles them, `night_closing` computes and publishes.
//!
//! A pull is landed whole before its records are mapped. Its counts and its cursor are in the ledger before its
//! versions are committed, and the table's log decides whether they count. So a run that is cut anywhere is finished
//! from what is on disk, and a run that is repeated gives the same tables.
//!
//! | part | modules |
//! |---|---|
//! | verbs, as methods of [`DataFolder`] | `nightly` `recovery` `retry` `replay` `backfill` `vacuum` |
//! | a night | `reading` `settling` `night_closing` |
//! | state | `data_folder` `folder_rights` `folder_zone` `ledger` `lock` `clock` |
//! | decisions without effects | `schedule` `connector_health` `clock_doubt` |
//! | figures of other nights, rules or periods | `figures` `filled_forms` `explanation` `past_nights` `newest_figures` `catalogue` |
//! | lists of dossiers | `worklists` `reconciling` `integrity` |
//! | files that people hand in | `uploads` |
//! | names of agencies that no registry has | `agency_numbers` |
//! | deletions that were refused | `large_deletions` |
//! | copies of the data | `publications` `backup` |
//! | checks of the data | `verify` |

mod agency_numbers;
mod backfill;
mod backup;
mod calendar_coverage;
mod catalogue;
mod clock;
mod clock_doubt;
mod connector_health;
mod data_folder;
mod error;
mod explanation;
mod failure;
mod figures;
mod file_listing;
mod filled_forms;
mod folder_rights;
mod folder_zone;
mod integrity;
mod large_deletions;
mod ledger;
mod lock;
mod newest_figures;
mod night_closing;
mod night_difference;
mod nightly;
mod past_nights;
mod progress;
mod publications;
mod pull_remarks;
mod reading;
mod reasons;
mod reconciling;
mod recovery;
mod rejected_files;
mod replay;
mod retry;
mod schedule;
mod settling;
mod uploads;
mod vacuum;
mod verify;
mod worklists;

pub use agency_numbers::{AgencyNumbersError, Approval, UnknownAgency, approve_agencies, unknown_agencies};
pub use backup::{BackupError, BackupReport, back_up, restore};
pub use calendar_coverage::calendar_mistake;
pub use clock::now;
pub use connector_health::{ConnectorHealth, HealthSubject, POSTGRES, assess_connectors};
pub use data_folder::{DataFolder, RunReport, run_under_way, runs_under_way};
pub use error::{RunError, with_causes};
pub use explanation::{DossierWithHistory, ExplainRequest, explain, explain_dossier};
pub use failure::disk_full_hint;
pub use figures::{FigureRequest, compare_rules, figures_as_of, sql_script};
pub use filled_forms::{filled_form, form_scope};
pub use folder_rights::{create_private_folder, private_file, protect};
pub use integrity::{integrity, integrity_dossiers};
pub use large_deletions::{RefusedDeletions, accept_deletions, refused_deletions};
pub use ledger::{
    AcceptedDeletions, Ledger, LedgerStamp, LedgerTotals, Notification, Pause, Publication, Pull, PullState,
    QuarantinedRow, RejectionGroup, Run, Slot, SlotState,
};
pub use lock::{Lock, LockError};
pub use night_closing::ClosedNight;
pub use night_difference::{ComparedFigure, MoveCause, MovedDossier, NightOf, moved_dossiers};
pub use past_nights::{FigureRevision, figure_revisions, first_night, night_as_of, night_of_run};
pub use progress::Progress;
pub use publications::{PublicationOutcome, next_try, publish_due, publish_newest};
pub use pull_remarks::{Noted, remarks};
pub use reasons::{order_names, reason_codes};
pub use reconciling::{NO_POSTAL_INDICATOR, count_unmatched_items, reconcile, unmatched_items};
pub use rejected_files::{file_of_page, rejected_files};
pub use schedule::{SlotDecision, decide_slot};
pub use uploads::{
    CheckedUpload, IncomingFile, UploadRefusal, UploadRejections, discard_upload, place_upload,
    remove_unconfirmed_uploads, upload_folder,
};
pub use vacuum::{Retention, VacuumAction, VacuumLine};
pub use verify::{VerifyKind, VerifyLine, verify};
pub use worklists::{NO_RATIO_OF_ON_TIME, dossier_sources, silent_agencies, worklist, worklist_counts, worklist_named};
