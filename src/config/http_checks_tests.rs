//! Mistakes in HTTP connectors, by the key that each is reported under.

use crate::config::test_connectors::mistaken_keys;

const BASE: &str = r#"
[connector]
version = 1
title = "Portal"
kind = "dossiers"
system = "iGate"
contact = "staff"
[access]
type = "http"
base_url = "https://portal.example"
[map.source_key]
from = "_id.$oid"
type = "code"
required = true
"#;
const JSON: &str = "[decode]\ntype = 'json'\n";
const CSV: &str = "[decode]\ntype = 'csv'\nheader = 'id'\n";
const GET: &str = "[request]\npath = '/search'\n";
const KEYSET: &str = "[pages]\ntype = 'keyset'\nparam = 'c'\npath = '_id.$oid'\nend = { type = 'empty_page' }\n";
const PASS: &str =
    "[[window.passes]]\nname = 'all'\nformat = 'yyyyMMdd'\nstart = 'cursor'\nfirst_date = '2026-01-01'\n";

/// Keys of the mistakes.
fn mistakes(parts: &[&str]) -> Vec<String> {
    let text = format!("{BASE}{}", parts.concat());
    mistaken_keys(&text)
}

#[test]
fn passes_are_bounded() {
    let pass = |date: &str, rest: &str| {
        let pass = PASS.replace("2026-01-01", date);
        mistakes(&[JSON, GET, "query = { from = '{since}', to = '{until}' }\n", &pass, rest])
    };
    for (date, rest, expected) in [
        ("1990-01-01", "", &[][..]),
        ("2099-12-31", "slice_days = 1000000\noverlap_days = 1000000", &[]),
        ("1989-12-31", "", &["window.passes.0.first_date"]),
        ("2100-01-01", "", &["window.passes.0.first_date"]),
        ("0001-01-01", "", &["window.passes.0.first_date"]),
        ("2026-02-30", "", &["window.passes.0.first_date"]),
        ("2026-01-01", "slice_days = 0", &["window.passes.0.slice_days"]),
        // More microseconds than a number holds.
        ("2026-01-01", "slice_days = 4000000000", &["window.passes.0.slice_days"]),
        ("2026-01-01", "overlap_days = 4000000000", &["window.passes.0.overlap_days"]),
    ] {
        assert_eq!(pass(date, rest), expected, "{date} {rest}");
    }
}

#[test]
fn each_mistake_is_reported_under_its_key() {
    let login = "[auth]\ntype = 'login'\ntoken = 'session'\nrequest = { url = '/login', body = '{}' }\n";
    let session = "[request]\nmethod = 'POST'\npath = '/call'\nbody = '{\"session\":\"{session}\",\"from\":\"{since}{until}\"}'\n";
    let number = |rest: &str| format!("[pages]\ntype = 'page_number'\nfirst = 1\nsize = 10\n{rest}\n");
    for (parts, expected) in [
        (&[JSON, GET][..], &[][..]),
        (&[JSON, session, login, PASS], &[]),
        (&[JSON, GET, login], &["auth.type"]),
        (&[JSON, session], &["request", "request.body", "request.body"]),
        (&[JSON, GET, PASS], &["window.passes.0.since_param", "window.passes.0.until_param"]),
        (&[JSON, GET, "body = '{}'"], &["request.body"]),
        (&[JSON, GET, "query = { p = '{page}' }"], &["request"]),
        (&[JSON, GET, "query = { p = '{page}' }\n", &number("end = { type = 'empty_page' }")], &[]),
        (&[JSON, GET, &number("end = { type = 'empty_page' }")], &["pages.param"]),
        (&[JSON, GET, &number("param = 'p'\nend = { type = 'null_cursor' }")], &["pages.end"]),
        (&[JSON, GET, &number("param = 'p'\nend = { type = 'total' }")], &["pages.end"]),
        (
            &[JSON, GET, &number("param = 'p'\nend = { type = 'total', path = 'n' }"), "[complete]\ntotal = 'n'"],
            &["complete.total"],
        ),
        (&[CSV, GET, &number("param = 'p'\nend = { type = 'last_flag', path = 'last' }")], &["pages.end"]),
        (&[CSV, GET, &number("param = 'p'\nend = { type = 'total', header = 'x-total-count' }")], &[]),
        (&[JSON, GET, "[pages]\ntype = 'cursor'\nparam = 'c'\n"], &["pages"]),
        (
            &[JSON, GET, "[pages]\ntype = 'cursor'\nparam = 'c'\npath = 'next'\nend = { type = 'short_page' }"],
            &["pages.size"],
        ),
        (
            &[JSON, GET, "[pages]\ntype = 'keyset'\nparam = 'c'\npath = 'id'\nend = { type = 'empty_page' }"],
            &["pages.path"],
        ),
        (&[JSON, GET, "[pages]\ntype = 'keyset'\nparam = 'c'\npath = '_id.$oid'\nend = { type = 'empty_page' }"], &[]),
        (&[JSON, GET, KEYSET, PASS, "since_param = 'c'\nslice_days = 36500"], &[]),
        (&[JSON, GET, KEYSET, PASS, "since_param = 'c'"], &["window.passes.0.slice_days"]),
        (&[JSON, GET, KEYSET, PASS, "since_param = 'from'"], &["window.passes.0.until_param"]),
        (&[CSV, GET, "[pages]\ntype = 'next_url'\npath = 'next'\n"], &["pages"]),
        (&[JSON, GET, "[complete]\nread_twice = true"], &["complete.read_twice"]),
        (
            &[JSON, GET, "[limits]\nconcurrency = 0\nrequests_per_second = 0.0"],
            &["limits.concurrency", "limits.requests_per_second"],
        ),
        (&[JSON, "failure = { path = 'code', ok = [] }\n", GET], &["decode.failure"]),
        (
            &[JSON, GET, "[auth]\ntype = 'api_key'\nname = 'x-key'\nvalue = '{secret:KEY}'\nplace = 'cookie'"],
            &["auth.place"],
        ),
    ] {
        assert_eq!(mistakes(parts), expected, "{}", parts.concat());
    }
}

#[test]
fn ends_of_pages_have_what_they_need() {
    let number =
        |end: &str| format!("[pages]\ntype = 'page_number'\nparam = 'p'\nfirst = 1\nsize = 10\nend = {{ {end} }}\n");
    let cursor = |end: &str| format!("[pages]\ntype = 'cursor'\nparam = 'c'\npath = 'next'\nend = {{ {end} }}\n");
    let statuses = |list: &str| format!("[complete]\nend_statuses = {list}\n");
    for (parts, expected) in [
        (vec![number("type = 'last_flag', path = 'last', codes = { Y = true, N = false }")], &[][..]),
        (vec![number("type = 'last_flag', path = 'last', codes = { Y = true }")], &["pages.end.codes"]),
        (vec![number("type = 'repeated_page'")], &[]),
        (vec![cursor("type = 'repeated_page'")], &["pages.end"]),
        (vec![cursor("type = 'null_cursor', none = ['0']")], &[]),
        (vec![cursor("type = 'short_page', absent = true"), "size = 10\n".to_owned()], &[]),
        (vec![number("type = 'short_page', absent = true")], &["pages.end"]),
        (vec![number("type = 'empty_page'"), statuses("[404, 204, 416]")], &[]),
        (vec![number("type = 'empty_page'"), statuses("[500]")], &["complete.end_statuses"]),
        (vec![number("type = 'empty_page'"), statuses("[401]")], &["complete.end_statuses"]),
        (vec![number("type = 'empty_page'"), statuses("[440]")], &["complete.end_statuses"]),
        (
            vec![number("type = 'empty_page'"), statuses("[404]"), "[retry]\nstatuses = [404]\n".to_owned()],
            &["complete.end_statuses"],
        ),
        (vec![cursor("type = 'null_cursor'"), statuses("[404]")], &["complete.end_statuses"]),
        (vec![statuses("[404]")], &["complete.end_statuses"]),
    ] {
        let parts: Vec<&str> = [JSON, GET].into_iter().chain(parts.iter().map(String::as_str)).collect();
        assert_eq!(mistakes(&parts), expected, "{}", parts.concat());
    }
}

#[test]
fn placeholders_of_a_period_need_slices_that_lie_in_it() {
    let request = |placeholder: &str| format!("[request]\npath = '/report'\nquery = {{ p = '{placeholder}' }}\n");
    for (placeholder, slice, expected) in [
        ("{period.year}", "slice = 'year'", &[][..]),
        ("{period.year}", "slice = 'month'", &[]),
        ("{period.quarter}", "slice = 'month'", &[]),
        ("{period.month}", "slice = 'month'", &[]),
        ("{period.month}", "slice = 'quarter'", &["request"]),
        ("{period.quarter}", "slice = 'year'", &["request"]),
        ("{period.year}", "", &["request"]),
        ("{period.year}", "slice = 'year'\nslice_days = 31", &["window.passes.0.slice_days"]),
    ] {
        assert_eq!(mistakes(&[JSON, &request(placeholder), PASS, slice]), expected, "{placeholder} {slice}");
    }
    assert_eq!(mistakes(&[JSON, &request("{period.year}")]), ["request"]);
}

#[test]
fn a_parameter_of_a_page_is_sent_once_and_a_proxy_has_an_address() {
    let pages = "[pages]\ntype = 'page_number'\nparam = 'p'\nfirst = 1\nsize = 10\nend = { type = 'empty_page' }\n";
    assert_eq!(mistakes(&[JSON, GET, "query = { p = ['7', '8'] }\n", pages]), ["request.query"]);
    let proxied = |proxy: &str| {
        let text = BASE.replace("base_url =", &format!("proxy = '{proxy}'\nbase_url ="));
        mistaken_keys(&[&text, JSON, GET].concat())
    };
    for proxy in ["environment", "http://proxy.example:3128", "https://proxy.example", "{env:PROXY}"] {
        assert_eq!(proxied(proxy), [""; 0], "{proxy}");
    }
    for proxy in ["::nonsense::", "ftp://127.0.0.1:1", "socks5://127.0.0.1:1", "proxy.example:3128"] {
        assert_eq!(proxied(proxy), ["access.proxy"], "{proxy}");
    }
}

#[test]
fn sessions_are_tokens_or_cookies() {
    let login =
        |token: &str| format!("[auth]\ntype = 'login'\n{token}\nrequest = {{ url = '/login', body = 'u=1' }}\n");
    let session = "[request]\npath = '/search'\nheaders = { x-session = '{session}' }\n";
    let password =
        "[auth]\ntype = 'oauth2_password'\ntoken_url = 'https://a.example'\nusername = 'u'\npassword = 'p'\n";
    assert_eq!(mistakes(&[JSON, GET, &login("")]), [""; 0]);
    assert_eq!(mistakes(&[JSON, session, &login("token = 'id'")]), [""; 0]);
    assert_eq!(mistakes(&[JSON, session, &login("")]), ["auth.token"]);
    assert_eq!(mistakes(&[JSON, GET, &login("token = 'id'")]), ["auth.type"]);
    assert_eq!(mistakes(&[JSON, GET, password]), [""; 0]);
    assert_eq!(mistakes(&[JSON, GET, password, "client_secret = 's'\n"]), ["auth.client_secret"]);
}

#[test]
fn versions_are_ordered_by_the_change_time_or_not_at_all() {
    let instant = |name: &str| format!("[map.{name}]\nfrom = 'at'\ntype = 'instant'\nformats = ['yyyy-MM-dd']\n");
    let (ended, changed) = (instant("completed_at"), instant("source_updated_at"));
    let by = |column: &str| format!("[identity]\nordered_by = '{column}'\n");
    for (parts, expected) in [
        ([&changed, &by("source_updated_at")], &[][..]),
        ([&changed, &String::new()], &[]),
        // It would be ignored: the tables order versions by their change time.
        ([&ended, &by("completed_at")], &["identity.ordered_by"]),
        ([&changed, &by("completed_at")], &["identity.ordered_by"]),
        ([&ended, &by("source_updated_at")], &["identity.ordered_by"]),
    ] {
        assert_eq!(mistakes(&[JSON, GET, parts[0], parts[1]]), expected, "{}{}", parts[0], parts[1]);
    }
}

#[test]
fn the_login_of_the_docs_is_valid() {
    let docs = include_str!("../../docs/CONNECTORS.md");
    let example = docs.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let example = example.into_iter().find(|text| text.contains("\"login\"")).expect("the docs show a login");
    let pages = "[pages]\ntype = 'page_number'\nfirst = 1\nsize = 10\nend = { type = 'empty_page' }\n";
    assert_eq!(mistakes(&[example, "\n", JSON, PASS, pages]), [""; 0]);
}

#[test]
fn records_of_xml_have_the_names_of_elements_and_a_body_its_content_type() {
    let decode = |records: &str| format!("[decode]\ntype = 'xml'\nrecords = '{records}'\n");
    for (records, expected) in [
        ("Envelope.Body.List.Ho_So-1", &[][..]),
        ("list", &[]),
        ("", &["decode.records"]),
        ("s:Envelope.s:Body.r", &["decode.records"]),
        ("list.r ", &["decode.records"]),
        ("list..r", &["decode.records"]),
        ("list.@id", &["decode.records"]),
        ("list[0].r", &["decode.records"]),
    ] {
        assert_eq!(mistakes(&[&decode(records), GET]), expected, "{records}");
    }
    let post = |headers: &str| format!("[request]\nmethod = 'POST'\npath = '/list'\nbody = '<q/>'\n{headers}");
    for (headers, expected) in [("", &["request.headers"][..]), ("headers = { Content-Type = 'text/xml' }\n", &[])] {
        assert_eq!(mistakes(&[&decode("list.r"), &post(headers)]), expected, "{headers}");
    }
}

#[test]
fn a_signature_signs_something_and_is_sent() {
    let auth = |rest: &str| format!("[auth]\ntype = 'signature'\n{rest}");
    let good = "secret = '{secret:KEY}'\ntext = '{method}{path}'\nheaders = { x-sign = '{signature}' }\n";
    for (rest, expected) in [
        (good.to_owned(), &[][..]),
        (good.replace("{secret:KEY}", "plain"), &["auth.secret"]),
        (good.replace("{method}{path}", "always the same"), &["auth.text"]),
        (good.replace("{method}{path}", "{path}{unknown}"), &["auth.text"]),
        (good.replace("{signature}", "{timestamp}"), &["auth.headers"]),
        (good.replace("'{signature}'", "'{signature}', x-body = '{body}'"), &["auth.headers.x-body"]),
        (good.replace("'{signature}'", "'{signature}', x-page = '{page}'"), &["auth.headers.x-page"]),
    ] {
        assert_eq!(mistakes(&[JSON, GET, &auth(&rest)]), expected, "{rest}");
    }
}
