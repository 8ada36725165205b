#![expect(clippy::disallowed_methods, reason = "edge: a file of the data folder is read here")]
//! The zone in which a data folder counts, in its file `reporting-zone`. A folder without the file counts in the usual zone.
//!
//! Days, ends of days and histories of due dates are stored as they were computed, so one folder has one zone.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::durable::{create_folder, file_error, replace_within};
use crate::model::reporting_zone::{USUAL_ZONE, zone_name};
use crate::run::error::RunError;

const FILE: &str = "reporting-zone";

/// Checks that a folder counts in the zone of this process. The zone of a new folder, which has no tables yet, is written.
///
/// # Errors
/// [`RunError::OtherZone`]; that the file cannot be read or written.
pub(super) fn check(data: &Path) -> Result<(), RunError> {
    let (path, wanted) = (data.join(FILE), zone_name());
    let of_folder = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound && (wanted == USUAL_ZONE || data.join("lake").exists()) => {
            USUAL_ZONE.to_owned()
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create_folder(data)?;
            replace_within(&path, |out| writeln!(out, "{wanted}"))?;
            return Ok(());
        }
        Err(error) => return Err(file_error("read", &path)(error).into()),
    };
    if of_folder == wanted {
        return Ok(());
    }
    let folder = data.to_owned();
    Err(RunError::OtherZone { folder, of_folder: of_folder.escape_debug().to_string(), wanted: wanted.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_counts_in_one_zone() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        // Unit tests count in the usual zone.
        assert!(check(&folder.path().join("new")).is_ok() && check(folder.path()).is_ok());
        std::fs::create_dir(folder.path().join("lake")).expect("a scratch folder");
        assert!(check(folder.path()).is_ok());
        std::fs::write(folder.path().join(FILE), "Asia/Tokyo\n").expect("a scratch folder");
        let error = check(folder.path()).expect_err("another zone");
        assert!(error.to_string().contains("counts in the zone `Asia/Tokyo`"), "{error}");
    }
}
