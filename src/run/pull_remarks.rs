//! What somebody should know about a pull although it was settled.

use crate::model::pull::Outcome;
use crate::run::ledger::Pull;

/// What the remarks about a connector's health say, as values.
#[derive(Debug, Clone, Default)]
pub struct Noted {
    /// The last pull of a night; its remarks are those of [`remarks`].
    pub pull: Option<Pull>,
    /// The clock was set back: slots until this moment (microseconds UTC) were run and are not run again.
    pub set_back_until: Option<i64>,
    /// Dossiers that count with their row in another source.
    pub elsewhere: Option<u64>,
    /// Dossiers that share codes with too many others.
    pub not_merged: Option<u64>,
}

/// What somebody should know about a pull although it was settled: drift, impossible orders of dates, deletions.
#[must_use]
pub fn remarks(pull: &Pull) -> Vec<String> {
    let mut lines = Vec::new();
    // A source over HTTP sends a page even if it has no record.
    if pull.outcome == Some(Outcome::Complete) && pull.findings.pages == 0 {
        lines.push("no file is new or changed: all were read before".to_owned());
    }
    for drift in &pull.findings.drift {
        let place =
            drift.first.map(|first| format!(", first on page {}, row {}", first.page, first.row)).unwrap_or_default();
        lines.push(format!("{} field: {}{place}", drift.kind.name().replace('_', " "), drift.field));
    }
    for (order, rows) in &pull.findings.impossible {
        lines.push(format!("{}: {rows}", order.replace('_', " ")));
    }
    if let Some(first) = pull.findings.contradictions {
        lines.push(format!(
            "contradicts a row of equal order, and the one read later counts: {}, first on page {}, row {}",
            first.rows, first.page, first.row
        ));
    }
    if pull.findings.unproved_sweep {
        lines.push(
            "the sweep marked no record as deleted: the end of its list is not proved (a short page proves nothing); declare `complete.total` or another `pages.end`"
                .to_owned(),
        );
    }
    if pull.findings.short_rows > 0 {
        lines.push(format!("rows that lacked empty cells at their end, and were taken: {}", pull.findings.short_rows));
    }
    lines.extend(pull.findings.tables.lines());
    if let [first, others @ ..] = &pull.findings.undated_files[..] {
        let more = if others.is_empty() { String::new() } else { format!(" and {} more files", others.len()) };
        lines.push(format!("no date as `access.order` declares, so the modification time counts: `{first}`{more}"));
    }
    if pull.findings.swept > 0 {
        lines.push(format!("marked as deleted, because the source does not list them: {}", pull.findings.swept));
    }
    if let Some(number) = pull.findings.accepted_deletions {
        lines.push(format!(
            "many rows are deleted, because an operator accepted it (`motcua deletions list`, number {number})"
        ));
    }
    if pull.findings.restored > 0 {
        lines.push(format!(
            "with the values of another file, because a file no longer has them: {}",
            pull.findings.restored
        ));
    }
    if let Some(left) = &pull.findings.left {
        lines.push(format!("left as they are, although files no longer have them: {}", left.rows));
    }
    lines
}
