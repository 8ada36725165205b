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
            let of_pull =
                files.entry((&row.connector, row.run)).or_insert_with(|| files_of(config, &row.connector, row.run));
            of_pull.get(&row.page).cloned()
        })
        .collect()
}

/// Name of the file that a page of a pull came from, as [`rejected_files`]. Blocks the thread.
#[must_use]
pub fn file_of_page(config: &Configuration, connector: &str, run: i64, page: u32) -> Option<String> {
    files_of(config, connector, run).remove(&page)
}

/// Names of the files of a pull, by page.
fn files_of(config: &Configuration, connector: &str, run: i64) -> HashMap<u32, String> {
    let access = config.connector(connector).map(|connector| &connector.file.access);
    let Some(Access::Files { .. }) = access else { return HashMap::new() };
    let landed = LandedPull::new(&config.settings.data, connector, run);
    let Ok(Some(certificate)) = landed.certificate() else { return HashMap::new() };
    certificate.pages.iter().map(|page| (page.number, file_of(&page.origin).to_owned())).collect()
}
