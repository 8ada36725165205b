//! Checks that every shipped indicator has a table worked by hand.

use std::path::Path;

#[test]
fn every_shipped_indicator_is_worked_by_hand() {
    const WORKED: [&str; 12] = [
        include_str!("../by_hand.rs"),
        include_str!("apologies.rs"),
        include_str!("due_dates.rs"),
        include_str!("impossible_ends.rs"),
        include_str!("quality.rs"),
        include_str!("registries.rs"),
        include_str!("rule_sets.rs"),
        include_str!("statutory.rs"),
        include_str!("stocks.rs"),
        include_str!("times.rs"),
        include_str!("../feedback.rs"),
        include_str!("../measures.rs"),
    ];
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml");
    let config = motcua::config::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
    let ids = config.indicators.iter().map(|one| format!("\"{}\"", one.definition.id));
    let missing: Vec<String> = ids.filter(|id| !WORKED.iter().any(|text| text.contains(id))).collect();
    assert!(missing.is_empty(), "no table names {missing:?}");
}
