//! Ends of page chains that a connector declares, sessions of cookies, password grants, periods.

use super::paging_tests::{GET, ROWS, json, page, page_with_headers, pull};
use crate::sources::{ErrorKind, Response};

const NUMBERS: &str = "[pages]\ntype='page_number'\nparam='page'\nfirst=1\nsize_param='size'\nsize=2\n";

fn numbers(end: &str) -> String {
    format!("{NUMBERS}end={{ {end} }}\n")
}

fn status(status: u16) -> Response {
    Response::new(status, &[], "no such page")
}

#[tokio::test]
async fn a_flag_may_be_written_in_words_of_the_source() {
    let pages = |codes: &str| numbers(&format!("type='last_flag', path='last', codes={codes}"));
    let yes_no = pages("{ Y=true, N=false }");
    let read =
        pull(&[GET, &yes_no, ROWS], vec![page(&["a", "b"], r#","last":"N""#), page(&["c"], r#","last":"Y""#)]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![2, 1]));
    // A word that is neither is no flag.
    let read = pull(&[GET, &yes_no, ROWS], vec![page(&["a"], r#","last":"error""#)]).await;
    assert_eq!(read.kind(), Some(ErrorKind::NoLastFlag));
    let numbers = pages("{ 1=true, 0=false }");
    let read =
        pull(&[GET, &numbers, ROWS], vec![page(&["a", "b"], r#","last":0"#), page(&["c"], r#","last":1"#)]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![2, 1]));
}

#[tokio::test]
async fn a_declared_status_ends_the_chain_from_its_second_page_on() {
    let pages = format!("{}[complete]\nend_statuses=[404, 204]\n", numbers("type='empty_page'"));
    let read = pull(&[GET, &pages, ROWS], vec![page(&["a", "b"], ""), page(&["c"], ""), status(404)]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![2, 1, 0]));
    // A first page that is not there may be a wrong path; without content it is an empty list.
    let read = pull(&[GET, &pages, ROWS], vec![status(404)]).await;
    assert_eq!(read.kind(), Some(ErrorKind::UnexpectedStatus));
    let read = pull(&[GET, &pages, ROWS], vec![status(204)]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![0]));
    // A declared total still has to be reached.
    let pages = format!("{}[complete]\nend_statuses=[404]\ntotal='n'\n", numbers("type='empty_page'"));
    let read = pull(&[GET, &pages, ROWS], vec![page(&["a", "b"], r#","n":3"#), status(404)]).await;
    assert_eq!(read.kind(), Some(ErrorKind::TotalDisagrees));
    // A flag that says that more follows is not overruled.
    let flags = format!("{}[complete]\nend_statuses=[404]\n", numbers("type='last_flag', path='last'"));
    let read = pull(&[GET, &flags, ROWS], vec![page(&["a", "b"], r#","last":false"#), status(404)]).await;
    assert_eq!(read.kind(), Some(ErrorKind::NoLastFlag));
    // Without the declaration it is a failure.
    let read = pull(&[GET, &numbers("type='empty_page'"), ROWS], vec![page(&["a", "b"], ""), status(404)]).await;
    assert_eq!(read.kind(), Some(ErrorKind::UnexpectedStatus));
}

#[tokio::test]
async fn a_cursor_may_mean_that_there_is_none() {
    let pages = "[pages]\ntype='cursor'\nparam='after'\npath='next'\nend={ type='null_cursor', none=['0', '-1'] }\n";
    for last in [r#","next":0"#, r#","next":"-1""#, r#","next":null"#, ""] {
        let read = pull(&[GET, pages, ROWS], vec![page(&["a"], r#","next":"x7""#), page(&["b"], last)]).await;
        assert_eq!((read.kind(), read.rows()), (None, vec![1, 1]), "{last}");
    }
}

#[tokio::test]
async fn a_cursor_with_another_name_leaves_the_pull_incomplete() {
    let pages = |rest: &str| format!("[pages]\ntype='cursor'\nparam='after'\npath='next'\n{rest}");
    // The source calls it `nextCursor` now.
    let renamed = || vec![page(&["a", "b"], r#","nextCursor":"x7""#)];
    let read = pull(&[GET, &pages(""), ROWS], renamed()).await;
    assert_eq!((read.kind(), read.rows()), (Some(ErrorKind::EndUnproved), vec![2]), "the records are kept");
    let message = read.error.as_ref().map(|error| error.message.clone()).unwrap_or_default();
    assert!(message.contains("no value at `next`"), "{message}");
    let read = pull(&[GET, &pages("size=2\n"), ROWS], renamed()).await;
    assert_eq!(read.kind(), Some(ErrorKind::EndUnproved));
    // The source serves two records at most, although the connector asks for a thousand.
    let read = pull(&[GET, &pages("size=1000\n"), ROWS], renamed()).await;
    assert_eq!((read.kind(), read.rows()), (Some(ErrorKind::EndUnproved), vec![2]));
    let read = pull(&[GET, &pages("[complete]\ntotal='n'\n"), ROWS], vec![page(&["a", "b"], r#","n":3"#)]).await;
    assert_eq!(read.kind(), Some(ErrorKind::EndUnproved));
    for (rest, answer) in [
        ("", r#","next":null"#),
        ("", r#","next":"""#),
        ("", r#","next":false"#),
        ("end={ type='null_cursor', none=['0'] }\n", r#","next":0"#),
        ("end={ type='null_cursor', absent=true }\n", ""),
        ("size=3\nend={ type='null_cursor', absent=true }\n", ""),
        ("[complete]\ntotal='n'\n", r#","n":2"#),
    ] {
        let read = pull(&[GET, &pages(rest), ROWS], vec![page(&["a", "b"], answer)]).await;
        assert_eq!((read.kind(), read.rows()), (None, vec![2]), "{rest} {answer}");
    }
}

#[tokio::test]
async fn a_header_that_is_gone_leaves_the_pull_incomplete() {
    let by_header = "[pages]\ntype='cursor'\nparam='after'\nheader='X-Next'\n";
    let link = "[pages]\ntype='link_header'\n";
    for (pages, headers, expected) in [
        (by_header, vec![], Some(ErrorKind::EndUnproved)),
        (by_header, vec![("x-next", "")], None),
        (link, vec![], Some(ErrorKind::EndUnproved)),
        (link, vec![("link", "</style.css>; rel=\"preload\"")], Some(ErrorKind::EndUnproved)),
        (link, vec![("link", "</api/search>; rel=\"first\"")], None),
        // The last page is another one; it is this one; the list has one page.
        (link, vec![("link", "</api/search?page=9>; rel=\"last\"")], Some(ErrorKind::EndUnproved)),
        (
            link,
            vec![("link", "</api/search?page=1>; rel=\"first\", </api/search?page=9>; rel=\"last\"")],
            Some(ErrorKind::EndUnproved),
        ),
        (link, vec![("link", "</api/search?q=a>; rel=\"last\"")], None),
        (link, vec![("link", "</api/search?page=1>; rel=\"first\", </api/search?page=1>; rel=\"last\"")], None),
    ] {
        let read = pull(&[GET, pages, ROWS], vec![page_with_headers(&headers, &["a"], "")]).await;
        assert_eq!((read.kind(), read.rows()), (expected, vec![1]), "{pages} {headers:?}");
    }
}

#[tokio::test]
async fn a_last_page_that_comes_again_ends_the_chain_if_it_is_declared() {
    let pages = numbers("type='repeated_page'");
    let read = pull(&[GET, &pages, ROWS], vec![page(&["a", "b"], ""), page(&["c"], ""), page(&["c"], "")]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![2, 1, 1]));
    // One page that comes again: the source may ignore the page number, unless it says how many records there are.
    let read = pull(&[GET, &pages, ROWS], vec![page(&["a"], ""), page(&["a"], "")]).await;
    assert_eq!(read.kind(), Some(ErrorKind::PageRepeated));
    let total = format!("{pages}[complete]\ntotal='n'\n");
    let read = pull(&[GET, &total, ROWS], vec![page(&["a"], r#","n":1"#), page(&["a"], r#","n":1"#)]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![1, 1]));
    let read =
        pull(&[GET, &pages, ROWS], vec![page(&["a", "b"], ""), page(&["c", "d"], ""), page(&["c", "d"], "")]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![2, 2, 2]));
    let read = pull(&[GET, &pages, ROWS], vec![page(&["a", "b"], ""), page(&["a", "b"], "")]).await;
    assert_eq!(read.kind(), Some(ErrorKind::PageRepeated));
    // An earlier page that comes again is none.
    let read =
        pull(&[GET, &pages, ROWS], vec![page(&["a", "b"], ""), page(&["c", "d"], ""), page(&["a", "b"], "")]).await;
    assert_eq!(read.kind(), Some(ErrorKind::PageRepeated));
}

#[tokio::test]
async fn a_parameter_may_be_repeated() {
    let request = "[request]\npath = '/search'\nquery = { status = ['1', '2'], q = 'a' }\n";
    let read = pull(&[request, ROWS], vec![page(&["a"], "")]).await;
    assert_eq!(read.urls(), ["/search?q=a&status=1&status=2"]);
}

#[tokio::test]
async fn a_report_is_requested_period_by_period() {
    let request = "[request]\npath = '/report/{period.year}'\nquery = { quarter = '{period.quarter}', from = '{since}', \
                   to = '{until}' }\n";
    let passes = "[[window.passes]]\nname = 'all'\nformat = 'dd/MM/yyyy'\nstart = 'cursor'\nfirst_date = '2023-05-20'\n\
                  slice = 'quarter'\n";
    // The pull is on 15 November 2023.
    let answers = vec![page(&["a"], ""), page(&["b"], ""), page(&["c"], "")];
    let read = pull(&[request, passes, ROWS], answers).await;
    assert_eq!(read.kind(), None);
    assert_eq!(
        read.urls(),
        [
            "/report/2023?from=01%2F04%2F2023&quarter=2&to=30%2F06%2F2023",
            "/report/2023?from=01%2F07%2F2023&quarter=3&to=30%2F09%2F2023",
            "/report/2023?from=01%2F10%2F2023&quarter=4&to=31%2F12%2F2023",
        ]
    );
}

const COOKIES: &str = "[auth]\ntype='login'\nrequest={ url='/login', headers={ content-type='application/x-www-form-urlencoded' }, \
                       body='user=m&password={secret:KEY}' }\n";

fn login() -> Response {
    Response::new(
        302,
        &[
            ("location", "/home"),
            ("set-cookie", "JSESSIONID=deleted; Max-Age=0"),
            ("set-cookie", "JSESSIONID=sess10n; Path=/; HttpOnly; Secure"),
            ("set-cookie", "lang=vi; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        ],
        "",
    )
}

#[tokio::test]
async fn the_cookies_of_a_login_are_sent_with_every_request() {
    let read = pull(&[COOKIES, GET, ROWS], vec![login(), page(&["a"], "")]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![1]));
    assert_eq!(read.requests[0].body.as_deref(), Some("user=m&password=s3c%22ret"));
    assert_eq!(
        read.requests[1].headers.iter().find(|(name, _)| name == "cookie").map(|(_, value)| value.as_str()),
        Some("JSESSIONID=sess10n")
    );
}

#[tokio::test]
async fn a_session_is_renewed_once_where_the_source_shows_its_login() {
    let to_login = || Response::new(302, &[("location", "/login")], "");
    let html = || Response::new(200, &[("content-type", "text/html")], "<form>");
    for lost in [to_login, html, || status(403), || status(401)] {
        let read = pull(&[COOKIES, GET, ROWS], vec![login(), lost(), login(), page(&["a"], "")]).await;
        assert_eq!((read.kind(), read.rows()), (None, vec![1]));
        let read = pull(&[COOKIES, GET, ROWS], vec![login(), lost(), login(), lost()]).await;
        assert_eq!(read.kind(), Some(ErrorKind::LoginRefused));
    }
    // Of a session token, a redirect to another host is what it is.
    let token = COOKIES.replace("type='login'", "type='login'\ntoken='session'");
    let issued = || json(r#"{"session":"sess10n"}"#);
    let elsewhere = Response::new(302, &[("location", "https://other.example/search")], "");
    let read = pull(&[&token, GET, ROWS], vec![issued(), elsewhere]).await;
    assert_eq!(read.kind(), Some(ErrorKind::WrongHost));
    // A login that sets no cookie has failed.
    let read = pull(&[COOKIES, GET, ROWS], vec![html()]).await;
    assert_eq!(read.kind(), Some(ErrorKind::HtmlInsteadOfJson));
    let read = pull(&[COOKIES, GET, ROWS], vec![json("{}")]).await;
    assert_eq!(read.kind(), Some(ErrorKind::LoginRefused));
}

#[tokio::test]
async fn a_soap_fault_is_read_whatever_its_status() {
    let soap = |inner: &str| {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{inner}</s:Body></s:Envelope>"
        )
    };
    let fault = |status: u16, code: &str| {
        let fault =
            format!("<s:Fault><faultcode>{code}</faultcode><faultstring>Nguyễn Văn Mẫu</faultstring></s:Fault>");
        Response::new(status, &[("content-type", "text/xml")], soap(&fault))
    };
    let list = || Response::new(200, &[], soap("<List><R><_id><_oid>a</_oid></_id></R></List>"));
    let decode = "[decode]\ntype='xml'\nrecords='Envelope.Body.List.R'\n";
    for status in [200, 500] {
        let read = pull(&[GET, decode], vec![fault(status, "s:Server")]).await;
        let error = read.error.expect("a fault");
        assert_eq!((error.kind, read.unused), (ErrorKind::SourceSaysFailure, 0));
        assert!(error.message.contains("`s:Server`") && !error.message.contains("Mẫu"), "{error}");
    }
    let auth = "[auth]\ntype='login'\nrequest={ url='/login', body='{}' }\n\
                expired={ path='Envelope.Body.Fault.faultcode', values=['s:Session'] }\n";
    let read = pull(&[auth, GET, decode], vec![login(), fault(500, "s:Session"), login(), list()]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![1]));
    let read = pull(&[auth, GET, decode], vec![login(), fault(500, "s:Server")]).await;
    assert_eq!(read.kind(), Some(ErrorKind::SourceSaysFailure));
    // A page of HTML with status 500 is no answer.
    let html = || Response::new(500, &[("content-type", "text/html")], "<html><body>error</body></html>");
    let read = pull(&[GET, decode], vec![html(), html(), html()]).await;
    assert_eq!(read.kind(), Some(ErrorKind::Unavailable));
}

#[tokio::test]
async fn a_password_grant_issues_a_token() {
    let auth = "[auth]\ntype='oauth2_password'\ntoken_url='https://portal.example/token'\nusername='u'\npassword='{secret:KEY}'\n\
                client_id='web'\nscope='read'\n";
    let token = json(r#"{"access_token":"t0ken","expires_in":"3600"}"#);
    let read = pull(&[auth, GET, ROWS], vec![token, page_with_headers(&[], &["a"], "")]).await;
    assert_eq!((read.kind(), read.rows()), (None, vec![1]));
    let form: Vec<(&str, &str)> =
        read.requests[0].form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("grant_type", "password"),
        ("username", "u"),
        ("password", "s3c\"ret"),
        ("client_id", "web"),
        ("scope", "read"),
    ];
    assert_eq!(form, expected);
    assert!(read.requests[1].bearer.is_some());
}
