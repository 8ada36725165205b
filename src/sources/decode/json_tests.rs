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

/// Most records of a body in these tests.
const MAX_RECORDS: u32 = 5;

fn read_with(paths: EnvelopePaths, body: &[u8]) -> Result<(Page, EnvelopeValues), SourceError> {
    let fields: Arc<[String]> = Arc::from(["id".to_owned()]);
    let layout = JsonLayout::compile(paths, &fields, MAX_RECORDS)?;
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
fn nothing_behind_an_inner_text_or_a_guard_is_left_out() {
    let records =
        |text: &str| read("d.R", None, text.as_bytes()).map(|(page, _)| page.len()).map_err(|error| error.kind);
    assert_eq!(records(r#"{"d":"{\"R\":[{\"id\":\"a\"}]}"}"#), Ok(1));
    assert_eq!(records(r#"{"d":"{\"R\":[{\"id\":\"a\"}]}{\"R\":[]}"}"#), Err(ErrorKind::NotJson));
    for guard in [")]}'\n", ")]}',\n", ")]}'", "while(1);", "for(;;);"] {
        assert_eq!(records(&format!(r#"{guard}{{"d":{{"R":[{{"id":"a"}}]}}}}"#)), Ok(1), "{guard}");
    }
}

#[test]
fn the_flag_is_found_before_or_after_the_records() {
    for (records, last, body, expected) in [
        ("content", Some("last"), r#"{"content":[{"id":"a"},{"id":"b"}],"last":false}"#, Some(false)),
        ("content", Some("last"), r#"{"last":true,"content":[{"id":"a"},{"id":"b"}]}"#, Some(true)),
        ("content", Some("page.last"), r#"{"page":{"n":1,"last":true},"content":[{"id":"a"},{"id":"b"}]}"#, Some(true)),
        ("d.rows", Some("d.last"), r#"{"d":{"last":false,"rows":[{"id":"a"},{"id":"b"}]}}"#, Some(false)),
        ("content", Some("last"), r#"{"content":[{"id":"a"},{"id":"b"}],"last":"no"}"#, None),
        ("content", Some("last"), r#"{"content":[{"id":"a"},{"id":"b"}],"last":"true"}"#, Some(true)),
        ("content", Some("last"), r#"{"last":" False ","content":[{"id":"a"},{"id":"b"}]}"#, Some(false)),
        // The number of the last page, or of pages: no flag.
        ("content", Some("last"), r#"{"content":[{"id":"a"},{"id":"b"}],"last":1}"#, None),
        ("content", Some("last"), r#"{"content":[{"id":"a"},{"id":"b"}],"last":"1"}"#, None),
        ("content", Some("last"), r#"{"content":[{"id":"a"},{"id":"b"}],"last":null}"#, None),
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
        (br#"{"content":"secret","last":true}"#, ErrorKind::NoRecords),
        (br#"{"content":{"error":"secret"}}"#, ErrorKind::NoRecords),
        (br#"{"content":{"id":null,"error":"secret"}}"#, ErrorKind::NoRecords),
        (b"\x1f\x8bsecret", ErrorKind::ContentCoding),
        (br#"{"content":[{"id":"secret"},{},{},{},{},{}],"last":true}"#, ErrorKind::PageTooLong),
        // The limit ends the reading: what follows is not parsed.
        (br#"{"content":[{},{},{},{},{},{},secret"#, ErrorKind::PageTooLong),
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
            EnvelopeValues { total: Some(7), no_next: true, ..EnvelopeValues::default() },
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

#[test]
fn a_list_that_is_null_is_marked_and_has_no_records() {
    let cursor = "[pages]\ntype='cursor'\npath='next'";
    for (pages, body, null_list, no_next) in [
        ("", r#"{"content":null}"#, true, false),
        ("", r#"{"content":" "}"#, true, false),
        ("", r#"{"content":[]}"#, false, false),
        (cursor, r#"{"content":null,"next":null}"#, true, true),
        (cursor, r#"{"next":null,"content":[{"id":"a"}]}"#, false, true),
        (cursor, r#"{"content":null,"next":"x"}"#, true, false),
        (cursor, r#"{"content":[],"next":""}"#, false, true),
        (cursor, r#"{"content":[],"next":false}"#, false, true),
        (cursor, r#"{"content":[],"Next":null}"#, false, false),
    ] {
        let (page, envelope) = read_with(paths("records='content'", pages), body.as_bytes()).expect(body);
        assert_eq!((envelope.null_list, envelope.no_next), (null_list, no_next), "{body}");
        assert_eq!(page.is_empty(), !body.contains("id"), "{body}");
    }
}

#[test]
fn an_object_in_the_place_of_the_list_is_its_only_record() {
    for (records, body, expected) in [
        ("content", r#"{"content":{"id":"a"}}"#, Some("a")),
        ("content", r#"{"content":{"x":[{"id":"z"}],"id":7},"last":true}"#, Some("7")),
        ("d.rows", r#"{"d":{"rows":{"id":"a"},"n":1}}"#, Some("a")),
        // The response itself is the list: an object is an envelope, for example of a failure.
        ("", r#"{"id":"a"}"#, None),
        // The list has moved one level down.
        ("content", r#"{"content":{"items":[{"id":"a"}]}}"#, None),
    ] {
        let found = read_with(paths(&format!("records='{records}'"), ""), body.as_bytes());
        let ids = found.as_ref().map(|(page, _)| ids(page)).map_err(|error| error.kind);
        assert_eq!(ids, expected.map(|id| vec![Some(id)]).ok_or(ErrorKind::NoRecords), "{body}");
    }
    // A value of the envelope below the list: the object is an envelope.
    let below = "[pages]\ntype='page_number'\nfirst=0\nsize=1\nend={ type='last_flag', path='content.last' }";
    let found = read_with(paths("records='content'", below), br#"{"content":{"id":"a","last":true}}"#);
    assert_eq!(found.map_err(|error| error.kind).map(|_| ()), Err(ErrorKind::NoRecords));
}

#[test]
fn a_body_with_the_most_records_is_read() {
    let (page, _) = read("content", None, br#"{"content":[{},{},{},{},{"id":"e"}]}"#).expect("five records");
    assert_eq!((page.len(), page.cell(4, 0)), (5, Some("e")));
    // Also if a record is invalid, so that the body is read twice.
    let body = br#"{"content":[{"id":"\ud800"},{},{},{},{},{}]}"#;
    let error = read("content", None, body).expect_err("six records");
    assert_eq!((error.kind, error.message.contains("more than 5 records")), (ErrorKind::PageTooLong, true), "{error}");
}
