//! What a connector says of trust: what happens to answers that are not as agreed, and how much may be wrong before somebody must look.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[contract]`: what the source promised, and what happens where it does otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Contract {
    /// A field that the source did not have before: not in `known` if that is given, else in no earlier pull.
    pub unknown: Breach,
    /// A mapped field without a default that no record of the pull has (twenty or more). Reported, the pull is incomplete: what
    /// rests on the field would be wrong.
    pub missing: Breach,
    /// A text that does not fit the type of its field. A required field that does not fit always rejects its row.
    pub ill_typed: Breach,
    /// Dates in an impossible order: received in the future, completed before received, due before received.
    pub impossible: Breach,
    /// Fields that the source may have beside the mapped ones, as dotted paths; a field below one of them is known too.
    pub known: Vec<String>,
    /// Rejected rows of one pull, as a share of those received, above which the pull is degraded.
    pub reject_share: f64,
    /// Rejected rows of one pull above which the pull is degraded, whatever their share.
    pub reject_rows: u64,
    /// Received rows as a share of what the same weekday usually brings (median of the last eight complete pulls, from the
    /// third on): fewer make the pull incomplete. 0: any number will do.
    pub least_of_usual: f64,
    /// The same, above which the pull is incomplete. 0: any number will do.
    pub most_of_usual: f64,
}

impl Default for Contract {
    fn default() -> Self {
        Self {
            unknown: Breach::Report,
            missing: Breach::Report,
            ill_typed: Breach::RejectRow,
            impossible: Breach::Report,
            known: Vec::new(),
            reject_share: 0.05,
            reject_rows: 100_000,
            least_of_usual: 0.2,
            most_of_usual: 10.0,
        }
    }
}

/// What happens where the source does not keep the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    /// Taken without a word.
    Accept,
    /// Taken, counted and told: `status` says `drifted` of fields, the certificate has the counts.
    Report,
    /// The row goes to quarantine.
    RejectRow,
    /// The pull ends, and nothing of it counts.
    Stop,
}

/// `[sweep]`: how deletions are seen in a source that does not tell of them. Every so many days one pass is read from its first
/// date on; what the tables hold in that time and the source does not list any more is marked as deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Days from one sweep to the next.
    pub every_days: u32,
    /// Name of the pass that lists every key.
    pub pass: String,
    /// Instant column that the pass filters by: rows without it, or before the pass's first date, are not judged.
    pub column: String,
}
