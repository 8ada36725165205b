//! JSON envelopes and their records.

use std::sync::Arc;

use super::*;

fn paths(decode: &str, pages: &str) -> EnvelopePaths {
    let text = format!(
        "[connector]\nversion=1\ntitle=''\nkind='dossiers'\nsystem=''\ncontact=''\n[access]\ntype='http'\n\
         base_url='https://portal.example'\n[decode]\ntype='json'\n{decode}\n{pages}\n[map]\n"
    );
    EnvelopePaths::of(&toml::from_str(&text).expect("the connector is valid"))
}

fn read_with(paths: EnvelopePaths, body: &[u8]) -> Result<(Page, EnvelopeValues), SourceError> {
    let fields: Arc<[String]> = Arc::from(["id".to_owned()]);
    let layout = JsonLayout::compile(paths, &fields)?;
    let mut page = Page::new(1, String::new(), String::new(), fields);
    let envelope = layout.read(body, &mut page)?;
    Ok((page, envelope))
}

fn read(records: &str, last: Option<&str>, body: &[u8]) -> Result<(Page, Option<bool>), SourceError> {
    let pages = last
        .map(|last| format!("[pages]\ntype='page_number'\nfirst=0\nsize=1\nend={{ type='last_flag', path='{last}' }}"));
    let paths = paths(&format!("records='{records}'"), &pages.unwrap_or_default());
    read_with(paths, body).map(|(page, envelope)| (page, envelope.flag))
}

fn ids(page: &Page) -> Vec<Option<&str>> {
    (0..page.len()).map(|index| page.cell(index, 0)).collect()
}

#[test]
fn the_flag_is_found_before_or_after_the_records() {
    for (records, last, body, expected) in [
        ("content", Some("last"), r#"{"content":[{"id":"a"},{"id":"b"}],"last":false}"#, Some(false)),
        ("content", Some("last"), r#"{"last":true,"content":[{"id":"a"},{"id":"b"}]}"#, Some(true)),
        ("content", Some("page.last"), r#"{"page":{"n":1,"last":true},"content":[{"id":"a"},{"id":"b"}]}"#, Some(true)),
        ("d.rows", Some("d.last"), r#"{"d":{"last":false,"rows":[{"id":"a"},{"id":"b"}]}}"#, Some(false)),
        ("content", Some("last"), r#"{"content":[{"id":"a"},{"id":"b"}],"last":"no"}"#, None),
        ("content", None, "\u{feff}{\"content\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"last\":true}", None),
        ("_embedded.rh:doc", None, r#"{"_embedded":{"rh:doc":[{"id":"a"},{"id":"b"}]}}"#, None),
        ("", None, r#"[{"id":"a"},{"id":"b"}]"#, None),
    ] {
        let (page, found) = read(records, last, body.as_bytes()).expect(body);
        assert_eq!((ids(&page), found), (vec![Some("a"), Some("b")], expected), "{body}");
        assert_eq!((page.row(0).0, page.row(1).0), (1, 2));
    }
}

#[test]
fn a_body_cut_at_any_byte_is_an_error() {
    let body = r#"{"content":[{"id":"\u1edf"},{"id":12,"x":[1.5e3,{"y":null}]}],"last":true}"#;
    for end in 0..body.len() {
        let error = read("content", Some("last"), &body.as_bytes()[..end]).expect_err("the body is cut");
        assert_eq!(error.kind, ErrorKind::BodyCutShort, "{}", &body[..end]);
    }
}

#[test]
fn an_invalid_record_spoils_only_its_own_row() {
    let body = r#"{"content":[{"id":"a"},7,{"id":"\ud800"},{"\ud800":1},{"id":"e"}],"last":true}"#;
    let (page, last) = read("content", Some("last"), body.as_bytes()).expect("the body is JSON");
    assert_eq!(ids(&page), [Some("a"), None, None, None, Some("e")]);
    let reasons: Vec<_> = (0..5).map(|index| page.row(index).1.is_some()).collect();
    assert_eq!((reasons, last), (vec![false, true, true, true, false], Some(true)));
}

#[test]
fn an_invalid_body_gives_an_error_that_does_not_quote_it() {
    for (body, kind) in [
        (b"<!DOCTYPE html><p>secret".as_slice(), ErrorKind::HtmlInsteadOfJson),
        (b"  <html>secret", ErrorKind::HtmlInsteadOfJson),
        (br#"{"content":[{"id":"secret"},{"id":"#, ErrorKind::BodyCutShort),
        (b"", ErrorKind::BodyCutShort),
        (b"secret", ErrorKind::NotJson),
        (br#"{"content":[{"id":"secret"}]} secret"#, ErrorKind::NotJson),
        (br#"{"content":[{"id":"secret"]}"#, ErrorKind::NotJson),
        (b"{\"content\":[{\"id\":\"\xff\"}]}", ErrorKind::NotUtf8),
        (br#"{"error":"secret"}"#, ErrorKind::NoRecords),
        (br#"{"content":null,"last":true}"#, ErrorKind::NoRecords),
        (br#""secret""#, ErrorKind::NoRecords),
        (br#"[{"id":"secret"}]"#, ErrorKind::NoRecords),
    ] {
        let error = read("content", Some("last"), body).expect_err("the body is invalid");
        assert_eq!(error.kind, kind, "{}", String::from_utf8_lossy(body));
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn totals_page_numbers_and_cursors_are_read_from_the_envelope() {
    let body = r#"{"currentPage":2,"totalPages":"12","totalCount":236,"next":"/p?x=1","@odata.count":7,"rows":[],
        "meta":{"next":null,"code":0}}"#;
    for (pages, expected) in [
        (
            "[pages]\ntype='page_number'\nfirst=1\nsize=1\necho='currentPage'\nend={type='last_page',path='totalPages'}",
            EnvelopeValues { number: Some(2), pages: Some(12), ..EnvelopeValues::default() },
        ),
        (
            "[pages]\ntype='offset'\nsize=1\nend={type='total',path='totalCount'}",
            EnvelopeValues { total: Some(236), ..EnvelopeValues::default() },
        ),
        (
            "[pages]\ntype='next_url'\npath='next'",
            EnvelopeValues { next: Some("/p?x=1".to_owned()), ..EnvelopeValues::default() },
        ),
        (
            "[pages]\ntype='cursor'\npath='meta.next'\n[complete]\ntotal='@odata.count'",
            EnvelopeValues { total: Some(7), ..EnvelopeValues::default() },
        ),
    ] {
        let read = read_with(paths("records='rows'", pages), body.as_bytes());
        assert_eq!(read.map(|(_, envelope)| envelope), Ok(expected), "{pages}");
    }
}

#[test]
fn a_reply_code_that_is_not_ok_is_a_failure_and_only_a_short_code_is_repeated() {
    let decode = "records='rows'\nfailure={path='error_code',ok=['0']}";
    for (body, message_end) in [
        (r#"{"rows":[],"error_code":0}"#, None),
        (r#"{"rows":[],"error_code":"0"}"#, None),
        (r#"{"error_code":-3,"message":"secret"}"#, Some("is `-3`")),
        (r#"{"rows":[],"error_code":"Nguyen Van A"}"#, Some("is a text that is not shown")),
        (r#"{"rows":[]}"#, Some("is absent")),
    ] {
        let error = read_with(paths(decode, ""), body.as_bytes()).err();
        assert_eq!(error.as_ref().map(|error| error.kind), message_end.map(|_| ErrorKind::SourceSaysFailure), "{body}");
        let message = error.map(|error| error.message).unwrap_or_default();
        assert!(message.ends_with(message_end.unwrap_or_default()) && !message.contains("Nguyen"), "{message}");
    }
}
