//! Names of the files that rejected rows came from, so that a clerk finds them.

use std::collections::HashMap;

use crate::config::Configuration;
use crate::landing::LandedPull;
use crate::model::connector::Access;
use crate::model::pull::file_of;
use crate::run::QuarantinedRow;

/// For each row the name of its file, as pages and messages show it; `None` if it came over HTTP, if its connector is not
/// configured, or if its page is no longer in landing. Reads each certificate once, and blocks the thread.
#[must_use]
pub fn rejected_files(config: &Configuration, rows: &[QuarantinedRow]) -> Vec<Option<String>> {
    let mut files: HashMap<(&str, i64), HashMap<u32, String>> = HashMap::new();
    rows.iter()
        .map(|row| {
            let of_pull = files.entry((&row.connector, row.run)).or_insert_with(|| files_of(config, row));
            of_pull.get(&row.page).cloned()
        })
        .collect()
}

/// Names of the files of a row's pull, by page.
fn files_of(config: &Configuration, row: &QuarantinedRow) -> HashMap<u32, String> {
    let access = config.connector(&row.connector).map(|connector| &connector.file.access);
    let Some(Access::Files { .. }) = access else { return HashMap::new() };
    let landed = LandedPull::new(&config.settings.data, &row.connector, row.run);
    let Ok(Some(certificate)) = landed.certificate() else { return HashMap::new() };
    certificate.pages.iter().map(|page| (page.number, file_of(&page.origin).to_owned())).collect()
}
