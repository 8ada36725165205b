//! Answers that are not whole, or written in another way, over recorded responses.

use super::paging_tests::{GET, ROWS, json, page, page_with_headers, pull};
use crate::sources::{ErrorKind, Response};

const EMPTY_PAGE: &str =
    "[pages]\ntype='page_number'\nparam='p'\nfirst=1\nsize_param='n'\nsize=2\nend={type='empty_page'}\n";
const SHORT_PAGE: &str =
    "[pages]\ntype='page_number'\nparam='p'\nfirst=1\nsize_param='n'\nsize=2\nend={type='short_page'}\n";
const TOKEN: &str = "[auth]\ntype='oauth2_client_credentials'\ntoken_url='https://login.example/token'\n\
                     client_id='motcua'\nclient_secret='{secret:KEY}'\n";

fn status(status: u16) -> Response {
    Response::new(status, &[], "")
}

#[tokio::test]
async fn a_list_that_is_not_ready_is_requested_again() {
    let accepted = || Response::new(202, &[("Retry-After", "0")], r#"{"rows":[]}"#);
    let read = pull(&[GET, ROWS], vec![accepted(), page(&["a"], "")]).await;
    assert_eq!((read.kind(), read.rows(), read.unused), (None, vec![1], 0));
    let read = pull(&[GET, ROWS], vec![accepted(), accepted(), accepted()]).await;
    assert_eq!((read.kind(), read.rows(), read.unused), (Some(ErrorKind::NotReady), vec![], 0));
}

#[tokio::test]
async fn a_part_of_the_list_is_kept_and_the_pull_is_incomplete() {
    let part = |status: u16| Response::new(status, &[("Content-Range", "items 0-1/6")], page(&["a", "b"], "").body);
    for answer in [part(206), part(200)] {
        let read = pull(&[GET, ROWS], vec![answer]).await;
        let error = read.error.as_ref().expect("two of six records");
        assert_eq!((error.kind, error.is_incomplete(), read.rows()), (ErrorKind::PartialContent, true, vec![2]));
        assert!(error.message.contains("has 6 entries, and 2 records were sent"), "{error}");
    }
    let read = pull(&[GET, ROWS], vec![Response { status: 206, ..page(&["a"], "") }]).await;
    assert_eq!((read.kind(), read.rows()), (Some(ErrorKind::PartialContent), vec![]));
    // Page by page, with the total in the range.
    let total = "[pages]\ntype='offset'\nparam='skip'\nsize=2\nend={type='total',header='Content-Range'}\n";
    let of_three = |range: &str, keys: &[&str]| Response {
        status: 206,
        ..page_with_headers(&[("Content-Range", range)], keys, "")
    };
    let read =
        pull(&[GET, ROWS, total], vec![of_three("rows 0-1/3", &["a", "b"]), of_three("rows 2-2/3", &["c"])]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![2, 1]));
}

#[tokio::test]
async fn a_success_without_content_is_no_empty_list() {
    for number in [204, 205, 304] {
        let read = pull(&[GET, ROWS, EMPTY_PAGE], vec![page(&["a", "b"], ""), status(number)]).await;
        let expected = if number == 304 { ErrorKind::UnexpectedStatus } else { ErrorKind::NoContent };
        assert_eq!((read.kind(), read.rows(), read.unused), (Some(expected), vec![2], 0));
    }
}

#[tokio::test]
async fn behind_a_short_first_page_there_may_be_no_page() {
    for number in [204, 404, 416] {
        let read = pull(&[GET, ROWS, SHORT_PAGE], vec![page(&["a"], ""), status(number)]).await;
        assert_eq!((read.kind(), read.rows()), (None, vec![1, 0]), "{number}");
        let read = pull(&[GET, ROWS, SHORT_PAGE], vec![page(&["a", "b"], ""), status(number)]).await;
        assert!(read.kind().is_some(), "{number} behind a full page is an error");
    }
}

#[tokio::test]
async fn a_capped_page_size_is_requested_from_the_first_page_on() {
    // Of each page of two, the source sends one, and steps by what is requested.
    let responses =
        vec![page(&["a"], ""), page(&["c"], ""), page(&["a"], ""), page(&["b"], ""), page(&["c"], ""), page(&[], "")];
    let read = pull(&[GET, ROWS, EMPTY_PAGE], responses).await;
    assert_eq!((read.kind(), read.unused), (None, 0));
    assert_eq!(
        read.urls(),
        ["p=1&n=2", "p=2&n=2", "p=1&n=1", "p=2&n=1", "p=3&n=1", "p=4&n=1"].map(|query| format!("/search?q=a&{query}"))
    );
    assert_eq!(read.pages.concat(), ["a", "c", "a", "b", "c"], "what was received twice is a duplicate later");
}

#[tokio::test]
async fn a_page_is_known_by_its_records_whatever_stands_around_them() {
    let stamped = |keys: &[&str], stamp: &str| page(keys, &format!(r#","at":"{stamp}""#));
    let responses = vec![stamped(&["a", "b"], "08:00:01"), stamped(&["a", "b"], "08:00:02")];
    let read = pull(&[GET, ROWS, EMPTY_PAGE], responses).await;
    assert_eq!((read.kind(), read.rows()), (Some(ErrorKind::PageRepeated), vec![2]));
    // Reading twice: only the records are compared.
    let twice = "[complete]\nread_twice=true\n";
    let pages = [&["a", "b"][..], &["c"], &[]];
    let both = ["1", "2"].iter().flat_map(|stamp| pages.map(|keys| stamped(keys, stamp))).collect();
    let read = pull(&[GET, ROWS, EMPTY_PAGE, twice], both).await;
    assert_eq!((read.kind(), read.rows(), read.unused), (None, vec![2, 1, 0], 0), "{:?}", read.error);
    // Records without any kept text are known by their body.
    let bare = |stamp: &str| json(&format!(r#"{{"rows":[{{}},{{}}],"at":"{stamp}"}}"#));
    let read = pull(&[GET, ROWS, EMPTY_PAGE], vec![bare("1"), bare("2"), page(&[], "")]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![2, 2, 0]));
}

#[tokio::test]
async fn a_list_that_is_null_is_requested_twice() {
    let last = "[pages]\ntype='page_number'\nparam='p'\nfirst=1\nsize=2\nend={type='last_flag',path='last'}\n";
    let null = || json(r#"{"rows":null,"last":true}"#);
    // The source failed once.
    let read = pull(&[GET, ROWS, last], vec![null(), page(&["a"], r#","last":"true""#)]).await;
    assert_eq!((read.kind(), read.rows(), read.unused), (None, vec![1], 0));
    // It writes an empty list as null.
    let read = pull(&[GET, ROWS, last], vec![page(&["a", "b"], r#","last":false"#), null(), null()]).await;
    assert_eq!((read.kind(), read.rows(), read.unused), (None, vec![2, 0], 0));
    let more = || json(r#"{"rows":null,"last":false}"#);
    let read = pull(&[GET, ROWS, last], vec![more(), more()]).await;
    assert_eq!((read.kind(), read.unused), (Some(ErrorKind::NoRecords), 0));
}

#[tokio::test]
async fn a_key_that_records_share_at_the_edge_of_a_page_is_reported() {
    let pages = "[pages]\ntype='keyset'\nparam='after'\npath='_id.$oid'\nsize=2\nend={type='short_page'}\n";
    let read = pull(&[GET, ROWS, pages], vec![page(&["5f1", "5f1"], ""), page(&["5f2"], "")]).await;
    assert_eq!((read.kind(), read.rows()), (Some(ErrorKind::KeysetTies), vec![2, 1]));
    let read = pull(&[GET, ROWS, pages], vec![page(&["5f1", "5f2"], ""), page(&["5f3"], ""), page(&[], "")]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![2, 1, 0]));
}

#[tokio::test]
async fn the_lifetime_of_a_token_may_be_a_text_or_have_a_fraction() {
    for (lifetime, token_requests) in [
        ("3600", 1),
        ("\"3600\"", 1),
        ("3599.5", 1),
        ("\"3599.5\"", 1),
        ("null", 1),
        ("\"soon\"", 1),
        // No lifetime: the token is used until the source rejects it.
        ("0", 1),
        ("-1", 1),
    ] {
        let token = json(&format!(r#"{{"access_token":"t0ken","expires_in":{lifetime}}}"#));
        let read = pull(&[TOKEN, GET, ROWS, EMPTY_PAGE], vec![token, page(&["a"], ""), page(&[], "")]).await;
        assert_eq!((read.kind(), read.rows(), read.unused), (None, vec![1, 0], 0), "{lifetime}");
        let requests = read.requests.iter().filter(|request| request.url.path() == "/token").count();
        assert_eq!(requests, token_requests, "{lifetime}");
    }
}

#[tokio::test]
async fn a_token_that_a_refusal_calls_expired_is_renewed_once() {
    let token = || json(r#"{"access_token":"t0ken"}"#);
    let expired = || Response::new(403, &[], r#"{"error":"token expired"}"#);
    let denied = || Response::new(403, &[], r#"{"error":"no access"}"#);
    let responses = vec![token(), page(&["a", "b"], ""), expired(), token(), page(&["c"], ""), page(&[], "")];
    let read = pull(&[TOKEN, GET, ROWS, EMPTY_PAGE], responses).await;
    assert_eq!((read.kind(), read.rows(), read.unused), (None, vec![2, 1, 0], 0));
    for (responses, kind) in [
        (vec![token(), expired(), token(), expired()], ErrorKind::LoginRefused),
        (vec![token(), denied()], ErrorKind::UnexpectedStatus),
        (vec![token(), status(419), token(), status(440)], ErrorKind::LoginRefused),
        (vec![token(), status(498), token(), denied()], ErrorKind::UnexpectedStatus),
    ] {
        let read = pull(&[TOKEN, GET, ROWS], responses).await;
        assert_eq!((read.kind(), read.unused), (Some(kind), 0), "{:?}", read.error);
    }
    // A fixed token cannot be renewed.
    let fixed = "[auth]\ntype='bearer'\ntoken='{secret:KEY}'\n";
    let read = pull(&[fixed, GET, ROWS], vec![expired()]).await;
    assert_eq!((read.kind(), read.unused), (Some(ErrorKind::UnexpectedStatus), 0));
}

#[tokio::test]
async fn a_token_response_and_a_cursor_are_bounded() {
    let long = format!(r#"{{"access_token":"t0ken","x":[{}1]}}"#, "1,".repeat(1 << 19));
    let read = pull(&[TOKEN, GET, ROWS], vec![json(&long)]).await;
    assert_eq!(read.kind(), Some(ErrorKind::BodyTooLarge));
    let cursor = "[pages]\ntype='cursor'\nparam='after'\npath='next'\n";
    let next = |length: usize| page(&["a"], &format!(r#","next":"{}""#, "x".repeat(length)));
    let read = pull(&[GET, ROWS, cursor], vec![next(8 << 10), page(&["b"], "")]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![1, 1]));
    let read = pull(&[GET, ROWS, cursor], vec![next((8 << 10) + 1)]).await;
    assert_eq!((read.kind(), read.rows()), (Some(ErrorKind::NoCursor), vec![]));
}

#[tokio::test]
async fn rows_have_the_period_that_was_asked_for() {
    // Until 14 November 2023, 22:13 UTC; the period is the first field.
    let months = "[map.case_period]\nfrom='#period'\ntype='period'\n\
                  [[window.passes]]\nname='m'\nformat='yyyy-MM-dd'\nsince_param='a'\nuntil_param='b'\nstart='cursor'\n\
                  first_date='2023-09-20'\nslice='SLICE'\n";
    for (slice, expected) in [
        ("month", vec![vec!["2023-09"; 2], vec!["2023-10"], vec![]]),
        ("quarter", vec![vec!["2023-Q3"; 2], vec!["2023-Q4"]]),
        ("year", vec![vec!["2023"; 2]]),
    ] {
        let answers = [page(&["a", "b"], ""), page(&["c"], ""), page(&[], "")];
        let answers = answers.into_iter().take(expected.len()).collect();
        let read = pull(&[GET, ROWS, &months.replace("SLICE", slice)], answers).await;
        assert_eq!((read.kind(), read.unused), (None, 0), "{slice}");
        assert_eq!(read.pages, expected, "{slice}");
    }
    // Of a table, whose header row does not have it. A column of this name is another one.
    let csv = "[decode]\ntype='csv'\nheader='_id.$oid'\n";
    let table = |rows: &str| Response::new(200, &[("Content-Type", "text/csv")], rows.as_bytes().to_vec());
    let answers = vec![table("_id.$oid;#period\na;x\nb;y\n"), table("_id.$oid\nc\n")];
    let read = pull(&[GET, csv, &months.replace("SLICE", "quarter")], answers).await;
    assert_eq!((read.kind(), read.unused), (None, 0));
    assert_eq!(read.pages, [vec!["2023-Q3"; 2], vec!["2023-Q4"]]);
}
