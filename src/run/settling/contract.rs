//! Checks a pull against the contract of its connector. No effects.

use std::collections::HashSet;

use crate::model::connector::{Breach, Connector, Contract, FieldMap};
use crate::model::page::Reason;
use crate::model::pull::{Drift, DriftKind, FieldsSeen, Findings, Outcome};
use crate::model::record::Rejection;
use crate::run::settling::judge::Verdict;

/// Minimum rows before a missing field is reported.
const MIN_ROWS: u64 = 20;

/// New source fields, and mapped fields that no record has. `baseline`: source fields of earlier pulls; if it is empty,
/// this is the first pull and no field is new.
pub(super) fn drift(connector: &Connector, seen: &FieldsSeen, baseline: &[String], received: u64) -> Vec<Drift> {
    let contract = &connector.file.contract;
    let before: HashSet<&str> = baseline.iter().map(String::as_str).collect();
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
    if contract.missing != Breach::Accept && received >= MIN_ROWS && !seen.kept.is_empty() {
        let is_missing =
            |map: &FieldMap| map.default.is_none() && !map.from.names().iter().any(|field| seen.kept.contains(field));
        for map in connector.file.map.values().filter(|map| is_missing(map)) {
            let field = map.from.names().join(" or ");
            drift.push(Drift { kind: DriftKind::Missing, field, first: None });
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
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::model::pull::Sighting;

    fn new_fields(known: &[&str], baseline: &[&str]) -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml");
        let mut connector = config::load(&folder).expect("shipped").connector("portal-igate").expect("shipped").clone();
        connector.file.contract.known = known.iter().map(|&field| field.to_owned()).collect();
        let sighting = Sighting { page: 1, row: 1, rows: 1 };
        let others = ["applicant", "procedure.id", "extendTime"].map(|field| (field.to_owned(), sighting));
        let seen = FieldsSeen { others: others.into_iter().collect(), ..FieldsSeen::default() };
        let baseline: Vec<String> = baseline.iter().map(|&field| field.to_owned()).collect();
        drift(&connector, &seen, &baseline, 0).into_iter().map(|drift| drift.field).collect()
    }

    #[test]
    fn a_field_is_new_if_neither_the_contract_nor_an_earlier_pull_knows_it() {
        assert_eq!(new_fields(&[], &[]), [""; 0]);
        assert_eq!(new_fields(&[], &["applicant", "procedure.id"]), ["extendTime"]);
        assert_eq!(new_fields(&["procedure", "applicant"], &[]), ["extendTime"]);
        assert_eq!(new_fields(&["proc", "applicant", "extendTime"], &[]), ["procedure.id"]);
    }
}
