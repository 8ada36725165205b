//! `[contract]` and `[sweep]` of a connector: what the source promised, and what happens if it deviates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[contract]`: what the source promised, and what happens if it deviates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Contract {
    /// For a field that is new: not in `known` if that is given, else in no earlier pull.
    pub unknown: Breach,
    /// For a mapped field without a default that no record of a pull has, if the pull has at least 20 records, or together
    /// with the earlier nights that lacked the field. With fewer records, if the source sends a field that it had not sent
    /// before it stopped to send this one. With `report` the pull is incomplete, because everything computed from the field
    /// would be wrong.
    pub missing: Breach,
    /// For a text that does not fit the type of its field. If the field is required, its row is always rejected.
    pub ill_typed: Breach,
    /// For dates in an impossible order: received in the future, completed before received, due before received. A change
    /// time that is more than a day ahead is left out.
    pub impossible: Breach,
    /// For keys that differ from another key in letter case only, so that one dossier may be counted twice. With `report`
    /// the pull is incomplete. A key of type `dossier_code` is written in capitals, and has no such keys.
    #[serde(skip_serializing_if = "is_report")]
    pub key_in_other_case: Breach,
    /// For dossiers with the code of another dossier of the connector, of the same month: one dossier under two keys counts
    /// twice. With `report` the pull is incomplete.
    #[serde(skip_serializing_if = "is_report")]
    pub shared_code: Breach,
    /// Unmapped fields that the source may have, as dotted paths. Fields below one of them are known as well.
    pub known: Vec<String>,
    /// Share of a pull's received rows, from 0 to 1: if more are rejected, the pull is degraded.
    pub reject_share: f64,
    /// Number of rows: if more are rejected, the pull is degraded regardless of their share.
    pub reject_rows: u64,
    /// Fewest received rows, as a share of the usual number. With fewer the pull is incomplete. The usual number is the
    /// median of the last eight complete pulls of the same weekday, from the third on. 0: not checked.
    pub least_of_usual: f64,
    /// Most received rows, as a share of the usual number. With more the pull is incomplete. 0: not checked.
    pub most_of_usual: f64,
}

impl Default for Contract {
    fn default() -> Self {
        Self {
            unknown: Breach::Report,
            missing: Breach::Report,
            ill_typed: Breach::RejectRow,
            impossible: Breach::Report,
            key_in_other_case: Breach::Report,
            shared_code: Breach::Report,
            known: Vec::new(),
            reject_share: 0.05,
            reject_rows: 100_000,
            least_of_usual: 0.2,
            most_of_usual: 10.0,
        }
    }
}

/// Whether a term has its default, which is left out where a definition is written, so that digests stay the same.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_report(breach: &Breach) -> bool {
    *breach == Breach::Report
}

/// What happens if the source deviates from the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    /// The deviation is accepted and not reported.
    Accept,
    /// The deviation is accepted, counted and reported. Deviating fields make the connector `drifted`.
    Report,
    /// The row goes to quarantine.
    RejectRow,
    /// The pull fails, and nothing of it is stored.
    Stop,
}

/// `[sweep]`: how deletions are found if the source does not report them.
///
/// Every `every_days` days one pass is read from its first date on. Rows of that time range that the tables hold but
/// the source no longer lists are marked as deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Days from one sweep to the next.
    pub every_days: u32,
    /// Name of the pass that lists every key.
    pub pass: String,
    /// Instant column that the pass filters by. Rows without a value, or before the pass's first date, are left
    /// unchanged.
    pub column: String,
}
