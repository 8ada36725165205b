//! The access log for dossier-level reads of the command line. As in the service, a read is logged before the data is
//! shown.
#![expect(clippy::disallowed_methods, reason = "edge: the name of the user is known to the system only")]

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::cli::Failure;
use crate::run::{self, RunError};
use crate::service::AccessStore;

/// Adds an entry for the current user to the access log.
pub(super) async fn log_read(data: &Path, what: &str) -> Result<(), Failure> {
    let access = AccessStore::open(data).await.map_err(RunError::from)?;
    access.record_read(&user(), "command", what, run::now()).await.map_err(RunError::from)?;
    access.close().await;
    Ok(())
}

/// Name of the user who runs the process, or its number if `/etc/passwd` has none. The environment does not decide it, but
/// for root: `sudo` states there for whom it acts.
pub(super) fn user() -> String {
    let Ok(own) = fs::metadata("/proc/self") else { return "unknown".to_owned() };
    let uid = own.uid();
    if uid == 0
        && let Ok(user) = std::env::var("SUDO_USER")
    {
        return user;
    }
    let names = fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_in(&names, uid).map_or_else(|| format!("uid {uid}"), str::to_owned)
}

/// Name of a user in the text of `/etc/passwd`.
fn name_in(names: &str, uid: u32) -> Option<&str> {
    names.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_name_of_its_number() {
        let names = "root:x:0:0:root:/root:/bin/bash\n# a remark\nan:x:1001:1001:An:/home/an:/bin/sh\n";
        for (uid, expected) in [(0, Some("root")), (1001, Some("an")), (100, None)] {
            assert_eq!(name_in(names, uid), expected);
        }
    }
}
