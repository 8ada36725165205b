//! Codes, documentation and classes of the errors of sources.

use super::*;

#[test]
fn codes_are_distinct() {
    let mut codes: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), ErrorKind::ALL.len());
}

#[test]
fn every_code_is_documented() {
    let docs = include_str!("../../docs/CONNECTORS.md");
    for kind in ErrorKind::ALL {
        assert!(docs.contains(&format!("`{}`", kind.code())), "{}", kind.code());
    }
}

#[test]
fn errors_after_valid_pages_make_a_pull_incomplete() {
    let incomplete: Vec<&str> = ErrorKind::ALL
        .iter()
        .filter(|kind| SourceError::new(**kind, "").is_incomplete())
        .map(|kind| kind.code())
        .collect();
    let mut expected = [
        "page_limit",
        "detail_limit",
        "record_limit",
        "total_disagrees",
        "records_moved",
        "page_repeated",
        "cursor_stuck",
        "end_unproved",
        "partial_content",
        "page_size_capped",
        "keyset_ties",
        "page_missing",
        "trailer_missing",
        "trailer_disagrees",
        "rows_below_footer",
        "ends_in_nuls",
        "file_growing",
    ];
    expected.sort_unstable();
    let mut found = incomplete;
    found.sort_unstable();
    assert_eq!(found, expected);
}
