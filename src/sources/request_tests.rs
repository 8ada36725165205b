//! Requests built from templates.

use std::collections::BTreeMap;

use super::*;
use crate::model::connector::{PageEnd, QueryValue};
use crate::model::pull::SliceRef;

fn template(query: &[(&str, &str)]) -> RequestTemplate {
    RequestTemplate {
        method: Method::Get,
        path: "/pa/dossier/search".to_owned(),
        query: query.iter().map(|(name, text)| ((*name).to_owned(), QueryValue::One((*text).to_owned()))).collect(),
        headers: BTreeMap::from([("x-unit".to_owned(), "{env:UNIT}".to_owned())]),
        body: None,
    }
}

fn slice() -> TimeSlice {
    TimeSlice {
        reference: SliceRef { pass: "accepted".to_owned(), since_micros: 0, until_micros: 1 },
        since_param: Some("accepted-from".to_owned()),
        until_param: Some("accepted-to".to_owned()),
        since: "2026-01-01T00:00:00.000+0700".to_owned(),
        until: "2026-02-01".to_owned(),
        days: "2026-01-01..2026-01-31".to_owned(),
        year: 2026,
        month: 1,
        period: None,
    }
}

fn values() -> PlaceholderValues {
    let mut values = PlaceholderValues::default();
    values.set_variable("UNIT", "H61 & {page}");
    values.set_secret("KEY", "s3cret");
    values
}

#[test]
fn placeholders_are_filled_and_query_values_encoded() {
    let pages = Pages::PageNumber {
        param: Some("page".to_owned()),
        first: 0,
        size_param: Some("size".to_owned()),
        size: 200,
        echo: None,
        end: PageEnd::LastFlag { path: "last".to_owned(), codes: BTreeMap::default() },
    };
    let base = Url::parse("https://portal.example/igate/").expect("an address");
    let slice = slice();
    let context =
        TemplateContext { slice: Some(&slice), page: Some(&PagePlace::Number(3)), ..TemplateContext::default() };
    let template = template(&[("key", "{secret:KEY}"), ("unit", "{env:UNIT}"), ("json", "{\"a\":1}")]);
    let request = build(&base, &template, &pages, context, &values()).expect("all is set");
    assert_eq!(
        request.url.as_str(),
        "https://portal.example/igate/pa/dossier/search?json=%7B%22a%22%3A1%7D&key=s3cret\
         &unit=H61+%26+%7Bpage%7D&accepted-from=2026-01-01T00%3A00%3A00.000%2B0700&accepted-to=2026-02-01\
         &page=3&size=200"
    );
    assert_eq!(request.headers, [("x-unit".to_owned(), "H61 & {page}".to_owned())]);
    assert_eq!(request.label, "GET /pa/dossier/search");
    assert!(!format!("{request:?}").contains("s3cret"));
}

#[test]
fn a_placeholder_without_a_value_is_named() {
    for text in ["{since}", "{page}", "{secret:OTHER}", "{env:OTHER}", "{session}"] {
        let error = fill(text, TemplateContext::default(), &values()).expect_err("no value is set");
        assert_eq!(error.kind, ErrorKind::UnsetPlaceholder);
        assert!(error.message.contains(text), "{}", error.message);
    }
}

#[test]
fn only_http_addresses_are_accepted() {
    for text in ["ftp://host/", "no address", "file:///etc"] {
        let error = address("access.base_url", text, &values()).expect_err("no http address");
        assert_eq!(error.kind, ErrorKind::Misconfigured);
    }
}

#[test]
fn values_are_escaped_in_a_json_body() {
    let base = Url::parse("https://portal.example/").expect("an address");
    let body = r#"{"session":"{session}","from":"{since}","at":{offset},"unit":"{env:QUOTED}","none":{}}"#;
    let template = RequestTemplate { method: Method::Post, body: Some(body.to_owned()), ..template(&[]) };
    let mut values = values();
    values.set_variable("QUOTED", "a\"b\\{page}\n");
    let (slice, session) = (slice(), SecretString::from("s3c\"ret"));
    let context = TemplateContext {
        record: None,
        slice: Some(&slice),
        page: Some(&PagePlace::Offset(40)),
        session: Some(&session),
        size: None,
    };
    let request = build(&base, &template, &Pages::None, context, &values).expect("all is set");
    let sent: serde_json::Value = serde_json::from_str(&request.body.clone().unwrap_or_default()).expect("JSON");
    let expected = serde_json::json!({
        "session": "s3c\"ret", "from": "2026-01-01T00:00:00.000+0700", "at": 40, "unit": "a\"b\\{page}\n", "none": {},
    });
    assert_eq!(sent, expected);
    assert!(request.headers.contains(&("content-type".to_owned(), "application/json".to_owned())));
    assert!(!format!("{request:?}").contains("s3c"));
}

#[test]
fn the_address_of_the_next_page_takes_its_secrets_from_the_template() {
    let base = Url::parse("https://portal.example/").expect("an address");
    let template = template(&[("key", "{secret:KEY}"), ("spec", "slice")]);
    for (next, expected) in [
        ("https://portal.example/p?a=%20b&page=2", "https://portal.example/p?a=%20b&page=2&key=s3cret"),
        ("https://portal.example/p?key=old&page=2", "https://portal.example/p?page=2&key=s3cret"),
    ] {
        let place = PagePlace::Address(next.to_owned());
        let context = TemplateContext { page: Some(&place), ..TemplateContext::default() };
        let request = build(&base, &template, &Pages::None, context, &values()).expect("all is set");
        assert_eq!(request.url.as_str(), expected);
    }
}

/// A value cannot leave its place in a body, whether that is JSON or XML.
#[test]
fn values_are_escaped_for_the_content_type_of_the_body() {
    let mut values = values();
    values.set_secret("KEY", "a<b> & \"c\"");
    let base = Url::parse("https://portal.example/").expect("an address");
    for (content_type, body, expected) in [
        (None, "{\"key\":\"{secret:KEY}\"}", "{\"key\":\"a<b> & \\\"c\\\"\"}"),
        (Some("application/json"), "\"{secret:KEY}\"", "\"a<b> & \\\"c\\\"\""),
        (Some("text/xml; charset=utf-8"), "<k>{secret:KEY}</k>", "<k>a&lt;b&gt; &amp; &quot;c&quot;</k>"),
        (Some("application/soap+XML"), "<k>{secret:KEY}</k>", "<k>a&lt;b&gt; &amp; &quot;c&quot;</k>"),
    ] {
        let mut template = RequestTemplate { method: Method::Post, body: Some(body.to_owned()), ..template(&[]) };
        template.headers.extend(content_type.map(|text| ("Content-Type".to_owned(), text.to_owned())));
        let request = build(&base, &template, &Pages::None, TemplateContext::default(), &values).expect("all is set");
        assert_eq!(request.body.as_deref(), Some(expected), "{content_type:?}");
    }
}
