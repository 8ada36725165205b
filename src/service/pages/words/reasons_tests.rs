use crate::locale::explanation;
use crate::run::{order_names, reason_codes};
use crate::service::pages::words::date_order;

#[test]
fn every_code_has_an_explanation() {
    for code in reason_codes() {
        let (why, to_do) = explanation(code).unwrap_or_else(|| panic!("`{code}` has no explanation"));
        for text in [why, to_do] {
            assert!(text.ends_with('.') && text.chars().next().is_some_and(char::is_uppercase), "`{code}`: {text}");
        }
    }
    for name in order_names() {
        assert!(date_order(name).is_some(), "`{name}` has no name");
    }
}

#[test]
fn an_unknown_code_has_no_explanation() {
    assert_eq!(explanation("from_another_version"), None);
}
