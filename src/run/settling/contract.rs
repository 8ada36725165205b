//! Checks a pull against the contract of its connector. No effects.

use std::collections::HashSet;

use crate::model::connector::{Breach, Connector, Contract, SourceField};
use crate::model::page::Reason;
use crate::model::pull::{Drift, DriftKind, FieldsSeen, Findings, Outcome};
use crate::model::record::Rejection;
use crate::run::ledger::KnownField;
use crate::run::settling::judge::Verdict;

/// Minimum rows without a mapped field before it is reported, in one pull or in all since a pull last had it.
const MIN_ROWS: u64 = 20;

/// What is known of the fields that a source sent before a pull.
#[derive(Debug, Default)]
pub(super) struct FieldHistory {
    /// The pull that is judged.
    pub(super) run: i64,
    /// Source fields of earlier pulls; empty before the first pull, whose fields are not new.
    pub(super) fields: Vec<KnownField>,
    /// Run and received rows of earlier nights that read with the same declaration.
    pub(super) pulls: Vec<(i64, u64)>,
}

impl FieldHistory {
    fn of(&self, field: &str) -> Option<&KnownField> {
        self.fields.iter().find(|known| known.name == field)
    }

    /// Whether rows without any of the fields are enough to report them: many rows, or a field that the source has sent
    /// only since it last sent one of them, which is probably a new name.
    fn shows_missing(&self, fields: &[String], seen: &FieldsSeen, received: u64) -> bool {
        if received == 0 || received >= MIN_ROWS {
            return received > 0;
        }
        // Of fields that an older motcua met, only the first run is known: the last one may be the run before this.
        let known = fields.iter().filter_map(|field| self.of(field));
        let last = known.map(|known| known.last_run.unwrap_or(self.run - 1)).max();
        let is_later =
            |field: &String| self.of(field).map_or(self.run, |known| known.first_run) > last.unwrap_or(i64::MAX);
        let since = self.pulls.iter().filter(|(run, _)| *run > last.unwrap_or(0)).map(|(_, received)| received);
        seen.others.keys().any(is_later) || received + since.sum::<u64>() >= MIN_ROWS
    }
}

/// New source fields, and mapped fields that no record has. `received`: rows that `[map]` reads, and those that `[partial.map]`
/// reads.
pub(super) fn drift(
    connector: &Connector,
    seen: &FieldsSeen,
    history: &FieldHistory,
    received: [u64; 2],
) -> Vec<Drift> {
    let contract = &connector.file.contract;
    let before: HashSet<&str> = history.fields.iter().map(|known| known.name.as_str()).collect();
    let mut drift = Vec::new();
    if contract.unknown != Breach::Accept {
        let is_below = |field: &str, known: &str| {
            field.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let is_new = |field: &str| match contract.known.as_slice() {
            [] => !before.is_empty() && !before.contains(field),
            known => !known.iter().any(|known| is_below(field, known)),
        };
        for (field, sighting) in seen.others.iter().filter(|(field, _)| is_new(field)) {
            drift.push(Drift { kind: DriftKind::New, field: field.clone(), first: Some(*sighting) });
        }
    }
    // A pull that was resumed does not know the fields of its first pages: its `kept` is empty.
    if contract.missing != Breach::Accept && !seen.kept.is_empty() {
        for ((_, map), received) in connector.file.maps().zip(received) {
            let is_missing = |names: &Vec<String>| {
                !names.is_empty()
                    && !names.iter().any(|field| seen.kept.contains(field))
                    && history.shows_missing(names, seen, received)
            };
            let declared = map.values().filter(|map| map.default.is_none());
            let names = declared.flat_map(|map| [map.from.names(), map.time.iter().map(SourceField::name).collect()]);
            for names in names.filter(is_missing) {
                drift.push(Drift { kind: DriftKind::Missing, field: names.join(" or "), first: None });
            }
        }
    }
    drift
}

/// The failure of a pull that broke a term of the contract set to `stop`; `None` if it broke none.
pub(super) fn broken(contract: &Contract, findings: &Findings, rejections: &[Rejection]) -> Option<Verdict> {
    let drifted =
        |kind: DriftKind| findings.drift.iter().find(|drift| drift.kind == kind).map(|drift| drift.field.clone());
    // Rejections are in reverse order: the last one is the first row.
    let rejected = |impossible: bool| {
        let first =
            rejections.iter().rev().find(|rejection| (rejection.reason == Reason::ImpossibleOrder) == impossible)?;
        Some(format!("{} (page {}, row {})", first.field.as_deref().unwrap_or("the whole row"), first.page, first.row))
    };
    let terms = [
        (contract.unknown, "unknown", drifted(DriftKind::New)),
        (contract.missing, "missing", drifted(DriftKind::Missing)),
        (contract.ill_typed, "ill_typed", rejected(false)),
        (contract.impossible, "impossible", rejected(true)),
        (
            contract.key_in_other_case,
            "key_in_other_case",
            findings.keys_in_other_case.map(|first| format!("the key in page {}, row {}", first.page, first.row)),
        ),
    ];
    let (_, term, place) = terms.into_iter().find(|(breach, _, place)| *breach == Breach::Stop && place.is_some())?;
    Some(Verdict {
        outcome: Outcome::Failed,
        reason: "contract_broken".to_owned(),
        message: format!("the connector stops at `contract.{term}`: {}", place.unwrap_or_default()),
        hint: "correct the mapping, or set the term of the contract to `report` instead of `stop`".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::model::pull::Sighting;

    fn portal() -> Connector {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml");
        config::load(&folder).expect("shipped").connector("portal-igate").expect("shipped").clone()
    }

    /// The drift of a pull of the shipped connector of a portal.
    fn drift_of(known: &[&str], seen: &FieldsSeen, history: &FieldHistory, received: u64) -> Vec<String> {
        let mut connector = portal();
        connector.file.contract.known = known.iter().map(|&field| field.to_owned()).collect();
        drift(&connector, seen, history, [received, 0]).into_iter().map(|drift| drift.field).collect()
    }

    fn field(name: &str, first_run: i64, last_run: Option<i64>) -> KnownField {
        KnownField { name: name.to_owned(), first_run, last_run }
    }

    fn others(names: &[&str]) -> BTreeMap<String, Sighting> {
        names.iter().map(|&name| (name.to_owned(), Sighting { page: 1, row: 1, rows: 1 })).collect()
    }

    fn new_fields(known: &[&str], baseline: &[&str]) -> Vec<String> {
        let seen = FieldsSeen { others: others(&["applicant", "procedure.id", "extendTime"]), ..FieldsSeen::default() };
        let fields = baseline.iter().map(|name| field(name, 1, Some(1))).collect();
        drift_of(known, &seen, &FieldHistory { run: 2, fields, pulls: Vec::new() }, 0)
    }

    #[test]
    fn a_field_is_new_if_neither_the_contract_nor_an_earlier_pull_knows_it() {
        assert_eq!(new_fields(&[], &[]), [""; 0]);
        assert_eq!(new_fields(&[], &["applicant", "procedure.id"]), ["extendTime"]);
        assert_eq!(new_fields(&["procedure", "applicant"], &[]), ["extendTime"]);
        assert_eq!(new_fields(&["proc", "applicant", "extendTime"], &[]), ["procedure.id"]);
    }

    #[test]
    fn a_mapped_field_is_missed_by_many_rows_or_under_a_new_name() {
        let met = |last_run: Option<i64>| {
            vec![field("appliedDate", 1, Some(9)), field("completedDate", 1, last_run), field("note", 1, Some(9))]
        };
        let renamed = |run| [met(Some(9)), vec![field("finishedDate", run, Some(run))]].concat();
        for (what, fields, pulls, sent, received, expected) in [
            ("no row", met(Some(9)), vec![], &["note"][..], 0, false),
            ("few rows", met(Some(9)), vec![], &["note"], 5, false),
            ("many rows", met(Some(9)), vec![], &["note"], 20, true),
            ("many rows of the first pull", vec![], vec![], &["note"], 20, true),
            ("few rows of the first pull", vec![], vec![], &["note"], 19, false),
            ("few rows night after night", met(Some(7)), vec![(9, 8), (8, 8), (7, 90)], &["note"], 5, true),
            ("fewer than twenty since it was met", met(Some(7)), vec![(9, 7), (8, 7), (7, 90)], &["note"], 5, false),
            (
                "few rows night after night, never met",
                vec![field("note", 1, Some(9))],
                vec![(9, 10), (8, 5)],
                &["note"],
                5,
                true,
            ),
            ("a field that is new tonight", met(Some(9)), vec![], &["note", "finishedDate"], 1, true),
            ("a field that is new since", renamed(10), vec![], &["note", "finishedDate"], 1, true),
            ("a field that came before it was last met", renamed(9), vec![], &["note", "finishedDate"], 1, false),
            ("a new field, and nothing known of the last", met(None), vec![], &["finishedDate"], 1, true),
            ("a new field, never met", vec![field("note", 1, Some(9))], vec![], &["finishedDate"], 1, false),
        ] {
            let mut kept: BTreeSet<String> = portal().file.map.values().flat_map(|map| map.from.names()).collect();
            assert!(kept.remove("completedDate"));
            let seen = FieldsSeen { kept, others: others(sent) };
            let history = FieldHistory { run: 11, fields, pulls };
            let missing = drift_of(sent, &seen, &history, received);
            assert_eq!(missing, if expected { vec!["completedDate"] } else { vec![] }, "{what}");
        }
    }
}
