//! Decides whether a pull is complete. Compares it with the total that the source declares, with its contract, and with
//! the volume of earlier pulls. No effects.

use crate::model::connector::{Breach, Contract};
use crate::model::pull::{
    Certificate, DriftKind, Findings, LeftBecause, Outcome, PullCounts, Purpose, Sighting, file_of,
};
use crate::run::settling::usual_volume::UsualVolume;

/// Minimum rejections before their share is judged.
const MIN_REJECTIONS: u64 = 20;
/// If at least a fifth of the rows are rejected, this many rejections are enough.
const MIN_REJECTIONS_IF_FIFTH: u64 = 3;
/// Minimum earlier pulls of the same weekday before the volume is judged.
const MIN_USUAL_PULLS: usize = 3;

/// Codes that settling gives. A verdict may also have a code of the certificate (`sources`), which is not in this
/// list.
pub(in crate::run) const CODES: [&str; 16] = [
    "field_missing",
    "details_unbelievable",
    "all_rejected",
    "page_rejected",
    "total_disagrees",
    "key_in_other_case",
    CODES_SHARED,
    // The sweep would delete too many rows.
    "sweep_unbelievable",
    // Rows that files no longer have were left as they are.
    "file_replaced",
    "deletions_too_many",
    "deletions_unproved",
    "file_perhaps_cut",
    "kept_rows_lost",
    "rejects_over_budget",
    "empty",
    "unusual_volume",
];

/// Several dossiers of a connector have one code. Judged once the image holds the pull.
pub(super) const CODES_SHARED: &str = "codes_shared";

/// How a pull ended; if it is not complete, why and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    /// Code of the reason; empty if the pull is complete.
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) hint: String,
}

impl Verdict {
    pub(super) fn complete() -> Self {
        Self::of(Outcome::Complete, "", "", "")
    }

    fn of(outcome: Outcome, reason: &str, message: impl Into<String>, hint: &str) -> Self {
        Self { outcome, reason: reason.to_owned(), message: message.into(), hint: hint.to_owned() }
    }
}

/// Judges a classified pull. `usual`: the volume that it is compared with.
pub(super) fn judge(
    certificate: &Certificate,
    counts: PullCounts,
    findings: &Findings,
    contract: &Contract,
    usual: &UsualVolume,
) -> Verdict {
    let incomplete = |reason, message: String, hint| {
        debug_assert!(CODES.contains(&reason), "`{reason}` is not listed");
        Verdict::of(Outcome::Incomplete, reason, message, hint)
    };
    if certificate.outcome != Outcome::Complete {
        return Verdict::of(certificate.outcome, &certificate.reason, &certificate.message, &certificate.hint);
    }
    // Tested before the rejections: a missing field may be why rows were rejected.
    if let Some(missing) = findings.drift.iter().find(|drift| drift.kind == DriftKind::Missing) {
        let message = format!("no record has the mapped field `{}`", missing.field);
        let hint = "correct the mapping; if the source may lack the field, give it `default = \"\"`, or set `contract.missing = \"accept\"`";
        return incomplete("field_missing", message, hint);
    }
    if findings.without_details > 0 {
        let message =
            format!("the source has no details of {} records: too many to be deletions", findings.without_details);
        let hint = "none was marked as deleted, and the next run asks again: see whether the source still answers `detail.request`. If they were deleted: `motcua deletions accept CONNECTOR`";
        return incomplete("details_unbelievable", message, hint);
    }
    if counts.received > 0 && counts.quarantined == counts.received {
        let hint = "compare formats and codes of the connector with the source: `motcua quarantine list` shows which field fails";
        return incomplete("all_rejected", "every row was rejected".to_owned(), hint);
    }
    if let Some((first, pages)) = findings.rejected_pages
        && certificate.purpose == Purpose::Night
        && contract.reject_share < 1.0
    {
        let origin = certificate.pages.iter().find(|page| page.number == first).map_or("", |page| &page.origin);
        let more = if pages > 1 { format!(", and of {} more pages", pages - 1) } else { String::new() };
        let message = format!("every row of page {first}, `{origin}`, was rejected{more}");
        let hint = "the page has another form: `motcua quarantine list` shows which field fails; correct the mapping or the source (`contract.reject_share = 1.0` accepts such pages)";
        return incomplete("page_rejected", message, hint);
    }
    if let Some((declared, received)) = findings.disagreeing {
        let message = format!("the source declares {declared} records, but sent {received} distinct ones");
        let hint = "records moved while they were read, or are listed twice: run again, if possible when the source is used less";
        return incomplete("total_disagrees", message, hint);
    }
    if let Some(first) = findings.keys_in_other_case
        && contract.key_in_other_case == Breach::Report
    {
        let Sighting { page, row, rows } = first;
        let message = format!(
            "the keys of {rows} rows differ from other keys in letter case only; the first is in page {page}, row {row}"
        );
        let hint = "one dossier may be counted twice: give the key `type = \"dossier_code\"`, or ask for one spelling; if the source tells such keys apart, set `contract.key_in_other_case = \"accept\"`";
        return incomplete("key_in_other_case", message, hint);
    }
    if findings.missed_by_sweep > 0 {
        let message = format!("the sweep misses {} records: too many to be deletions", findings.missed_by_sweep);
        let hint = "ask the source's operator whether they were deleted; none was marked as deleted. If they were: `motcua deletions accept CONNECTOR`";
        return incomplete("sweep_unbelievable", message, hint);
    }
    if let Some(verdict) = rows_left(certificate, findings) {
        return verdict;
    }
    if let Some(verdict) = far_from_usual(counts.received, contract, usual) {
        return verdict;
    }
    if is_over_budget(counts.quarantined, counts.received, contract) {
        let message = format!("{} of {} rows were rejected", counts.quarantined, counts.received);
        let hint = "see `motcua quarantine list`, correct the mapping or the source, then `motcua quarantine retry`";
        return Verdict::of(Outcome::Degraded, "rejects_over_budget", message, hint);
    }
    Verdict::complete()
}

/// Whether a pull is incomplete only because rows that files no longer have were not deleted.
pub(super) fn is_about_rows_left(code: &str) -> bool {
    ["file_replaced", "deletions_too_many", "deletions_unproved", "file_perhaps_cut", "kept_rows_lost"].contains(&code)
}

/// Incomplete if rows that files no longer have were not deleted.
fn rows_left(certificate: &Certificate, findings: &Findings) -> Option<Verdict> {
    let left = findings.left.as_ref()?;
    let page = certificate.pages.iter().find(|page| page.body_digest == left.file);
    let file = page.map_or_else(|| "a file".to_owned(), |page| format!("file `{}`", file_of(&page.origin)));
    let gone = if left.rows == 1 { "1 row is".to_owned() } else { format!("{} rows are", left.rows) };
    let (reason, message, hint) = match left.because {
        LeftBecause::Append | LeftBecause::Incomplete => return None,
        LeftBecause::OtherList => (
            "file_replaced",
            format!("{file} has fewer than half of the rows that it had: {} rows were left as they are", left.rows),
            "if the name is used again for another list, set `access.content = \"append\"` or give each list a name of its \
             own; if the file was spoiled, put it back; if the rows were deleted: `motcua deletions accept CONNECTOR`",
        ),
        LeftBecause::TooMany => (
            "deletions_too_many",
            format!("{} rows are in no file any more: too many to be deletions", left.rows),
            "ask whoever delivers the files whether they were deleted; none was marked as deleted. If they were: `motcua deletions accept \
             CONNECTOR`",
        ),
        LeftBecause::UnreadableKeys => (
            "deletions_unproved",
            format!("{gone} gone from {file}, but rejected rows without a readable key may be among them"),
            "correct the rejected rows: `motcua quarantine list` names them; until then nothing is deleted",
        ),
        LeftBecause::OpenEnd => (
            "file_perhaps_cut",
            format!(
                "{gone} gone from {file}, which may be cut: it lacks the footer row or the last line end that it had before"
            ),
            "compare the file with the original, or ask for it again; if the rows were deleted: `motcua deletions accept CONNECTOR`",
        ),
        LeftBecause::LandingLost => (
            "kept_rows_lost",
            format!("{} rows have the values of another file again, whose landed rows cannot be read", left.rows),
            "save the older files of the folder again with a change, such as a blank line at the end, so that they are read anew",
        ),
    };
    Some(Verdict::of(Outcome::Incomplete, reason, message, hint))
}

/// Whether more rows were rejected than the contract allows.
pub(in crate::run) fn is_over_budget(rejected: u64, received: u64, contract: &Contract) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a share of rows")]
    let share = rejected as f64 / received.max(1) as f64;
    // A few rejected rows of a short list are no evidence, unless they are a fifth of it.
    let can_be_judged = rejected >= MIN_REJECTIONS || (rejected >= MIN_REJECTIONS_IF_FIFTH && rejected * 5 >= received);
    rejected > contract.reject_rows || (can_be_judged && share > contract.reject_share)
}

/// Incomplete if nothing was received although none of the compared pulls was empty, or if the volume is far from their
/// median. After an outage it may be as many times larger as the source was not read. `None` without enough earlier
/// pulls.
fn far_from_usual(received: u64, contract: &Contract, usual: &UsualVolume) -> Option<Verdict> {
    let UsualVolume { rows, distances } = usual;
    if rows.len() < MIN_USUAL_PULLS {
        return None;
    }
    let hint = "ask the source's operator what happened; if the volume is right, set `contract.least_of_usual` or `most_of_usual`";
    let mut sorted = rows.clone();
    sorted.sort_unstable();
    let median = sorted[sorted.len() / 2];
    if received == 0 && sorted[0] > 0 && contract.least_of_usual > 0.0 {
        let message =
            format!("no row was received, although none of the compared pulls was empty (usually {median} rows)");
        return Some(Verdict::of(Outcome::Incomplete, "empty", message, hint));
    }
    #[expect(clippy::cast_precision_loss, reason = "a share of rows, and a small number")]
    let (share, distances) = (received as f64 / median.max(1) as f64, *distances as f64);
    let few = share < contract.least_of_usual;
    let many = contract.most_of_usual > 0.0 && share > contract.most_of_usual * distances;
    (median > 0 && (few || many)).then(|| {
        let message = format!("{received} rows were received, but a pull on this weekday usually has {median}");
        Verdict::of(Outcome::Incomplete, "unusual_volume", message, hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(received: u64, quarantined: u64, disagreeing: Option<(u64, u64)>, usual: &[u64]) -> (Outcome, String) {
        let counts = PullCounts { received, quarantined, accepted: received - quarantined, ..PullCounts::default() };
        let findings = Findings { disagreeing, ..Findings::default() };
        let usual = UsualVolume { rows: usual.to_vec(), distances: 1 };
        let verdict = judge(&Certificate::default(), counts, &findings, &Contract::default(), &usual);
        (verdict.outcome, verdict.reason)
    }

    #[test]
    fn keys_in_another_letter_case_make_a_pull_incomplete_unless_the_contract_accepts_them() {
        let counts = PullCounts { received: 2, accepted: 2, ..PullCounts::default() };
        let first = Some(Sighting { page: 1, row: 2, rows: 1 });
        let findings = Findings { keys_in_other_case: first, ..Findings::default() };
        for (breach, expected) in [(Breach::Report, Outcome::Incomplete), (Breach::Accept, Outcome::Complete)] {
            let usual = UsualVolume { rows: Vec::new(), distances: 1 };
            let contract = Contract { key_in_other_case: breach, ..Contract::default() };
            let verdict = judge(&Certificate::default(), counts, &findings, &contract, &usual);
            assert_eq!(verdict.outcome, expected);
            assert_eq!(verdict.reason == "key_in_other_case", expected == Outcome::Incomplete);
        }
    }

    #[test]
    fn a_pull_is_judged_by_declared_totals_rejections_and_usual_volume() {
        use Outcome::{Complete, Degraded, Incomplete};
        let usual = [100, 110, 90];
        for (received, quarantined, disagreeing, usual, expected) in [
            (100, 0, None, &usual[..], (Complete, "")),
            (0, 0, None, &[][..], (Complete, "")),
            (5, 5, None, &[], (Incomplete, "all_rejected")),
            (100, 0, Some((100, 99)), &[], (Incomplete, "total_disagrees")),
            (0, 0, None, &usual, (Incomplete, "empty")),
            (0, 0, None, &[100, 0, 100], (Incomplete, "unusual_volume")),
            (0, 0, None, &[0, 0, 100], (Complete, "")),
            (20, 0, None, &usual, (Complete, "")),
            (19, 0, None, &usual, (Incomplete, "unusual_volume")),
            (1_000, 0, None, &usual, (Complete, "")),
            (1_001, 0, None, &usual, (Incomplete, "unusual_volume")),
            (1_001, 0, None, &usual[..2], (Complete, "")),
            (400, 20, None, &[], (Complete, "")),
            (399, 20, None, &[], (Degraded, "rejects_over_budget")),
            (399, 19, None, &[], (Complete, "")),
            (16, 3, None, &[], (Complete, "")),
            (15, 3, None, &[], (Degraded, "rejects_over_budget")),
            (4, 2, None, &[], (Complete, "")),
        ] {
            let found = outcome(received, quarantined, disagreeing, usual);
            assert_eq!(
                found,
                (expected.0, expected.1.to_owned()),
                "{received} {quarantined} {disagreeing:?} {usual:?}"
            );
        }
    }

    #[test]
    fn a_pull_that_catches_up_may_receive_the_rows_of_every_day_that_was_missed() {
        for (received, distances, is_complete) in
            [(1_001, 1, false), (1_001, 2, true), (14_000, 14, true), (14_001, 14, false), (19, 14, false)]
        {
            let usual = UsualVolume { rows: vec![100, 110, 90], distances };
            let verdict = far_from_usual(received, &Contract::default(), &usual);
            assert_eq!(verdict.is_none(), is_complete, "{received} rows after {distances} nights");
        }
    }
}
