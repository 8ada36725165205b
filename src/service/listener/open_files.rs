//! How many files the process may have open (`LimitNOFILE` of the unit, `ulimit -n`).
#![expect(clippy::disallowed_methods, reason = "edge: the limits of the process are read from the system")]

/// Where Linux lists the limits of a process.
const LIMITS: &str = "/proc/self/limits";
/// Files that are left to a night, the databases and calls to other servers.
const FOR_NIGHTS: usize = 256;

/// The most connections that leave enough open files to a night; `wanted` if the limit is not known.
pub(super) fn most_connections(wanted: usize) -> usize {
    let text = std::fs::read_to_string(LIMITS).unwrap_or_default();
    let Some(limit) = soft_limit(&text) else { return wanted };
    let most = within(limit, wanted);
    if most < wanted {
        tracing::warn!(
            limit,
            connections = most,
            "the process may open too few files for `[service] max_connections`: raise `LimitNOFILE` or `ulimit -n`"
        );
    }
    most
}

fn within(limit: usize, wanted: usize) -> usize {
    // Of few files, connections get half.
    wanted.min(limit.saturating_sub(FOR_NIGHTS).max(limit / 2)).max(1)
}

/// The soft limit in a line `Max open files  1024  524288  files`; `None` if there is none.
fn soft_limit(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_open_files_to_a_night() {
        let limits = "Limit   Soft Limit   Hard Limit   Units\nMax cpu time   unlimited   unlimited   seconds\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(soft_limit("Max open files   unlimited   unlimited   files"), None);
        assert_eq!([within(65_536, 2048), within(1024, 2048), within(256, 2048), within(0, 2048)], [2048, 768, 128, 1]);
    }
}
