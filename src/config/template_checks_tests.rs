use crate::config::test_connectors::{LISTS, mistaken_keys};

/// Keys with mistakes of a connector over HTTP with these tables.
fn wrong(tables: &str) -> Vec<String> {
    mistaken_keys(&format!("{LISTS}[decode]\ntype = 'json'\n{tables}"))
}

fn with_base(base: &str) -> Vec<String> {
    wrong(&format!("[access]\ntype = 'http'\nbase_url = '{base}'\n[request]\npath = '/list'\n"))
}

fn with_access(keys: &str) -> Vec<String> {
    wrong(&format!("[access]\ntype = 'http'\nbase_url = 'https://portal.example'\n{keys}\n[request]\npath = '/list'\n"))
}

fn with_request(keys: &str) -> Vec<String> {
    wrong(&format!("[access]\ntype = 'http'\nbase_url = 'https://portal.example'\n[request]\n{keys}\n"))
}

#[test]
fn addresses_are_those_of_the_web() {
    for base in [
        "https://portal.example",
        "HTTP://portal.example:8080/api?x=1",
        "{env:URL}",
        "{env:URL}/api",
        "https://{env:HOST}/api",
        "https://{env:HOST}:{env:PORT}",
    ] {
        assert_eq!(with_base(base), [""; 0], "{base}");
    }
    for base in ["portal.example", "ftp://portal.example", "", "https://", "https://{env:HOST}:x", "ftp://{env:HOST}"] {
        assert_eq!(with_base(base), ["access.base_url"], "{base}");
    }
    assert_eq!(with_base("https://{env:}").first().map(String::as_str), Some("access.base_url"));
    assert_eq!(with_base("{host}").first().map(String::as_str), Some("access.base_url"));
    assert_eq!(with_access("allowed_hosts = ['a.example', '{env:HOST}', '10.0.0.1']"), [""; 0]);
    for host in ["", "https://a.example", "a.example/x", "a.example:80", "a b"] {
        assert_eq!(with_access(&format!("allowed_hosts = ['{host}']")), ["access.allowed_hosts"], "{host}");
    }
}

#[test]
fn placeholders_have_a_value_where_they_stand() {
    for keys in [
        "path = '/{env:A}/{secret:B_2}'",
        "path = '/list'\nmethod = 'POST'\nbody = '{\"a\": {\"b\": \"{env:A}\"}, \"c\": {}}'",
        "path = '/{Big}'",
    ] {
        assert_eq!(with_request(keys), [""; 0], "{keys}");
    }
    for (keys, key) in [
        ("path = '/{pagee}'", "request.path"),
        ("path = '/{env:}'", "request.path"),
        ("path = '/{secret:A-B}'", "request.path"),
        ("path = '/{since}'", "request.path"),
        ("path = '/list'\nquery = { a = '{untill}' }", "request.query.a"),
        ("path = '/list'\nquery = { '' = 'x' }", "request.query"),
        ("path = '/list'\nheaders = { a = '{token}' }", "request.headers"),
        ("path = '/list'\nmethod = 'POST'\nbody = '<a>{until}</a>'", "request.body"),
    ] {
        assert_eq!(with_request(keys), [key], "{keys}");
    }
    // What only `[request]` has, has no value in a login.
    let login = |body: &str| {
        with_request(&format!(
            "path = '/list'\nheaders = {{ s = '{{session}}' }}\n[auth]\ntype = 'login'\ntoken = 'token'\nrequest = {{ url = '/login', body = '{body}' }}"
        ))
    };
    assert_eq!(login("{env:USER}"), [""; 0]);
    assert_eq!(login("{page}"), ["auth.request.body"]);
    assert_eq!(with_request("path = '/list'\n[auth]\ntype = 'bearer'\ntoken = '{session}'"), ["auth.token"]);
    assert_eq!(with_access("proxy = '{proxy}'"), ["access.proxy"]);
}

#[test]
fn headers_can_be_sent() {
    for (keys, key) in [
        ("headers = { 'a b' = 'x' }", "request.headers"),
        ("headers = { '' = 'x' }", "request.headers"),
        ("headers = { a = \"x\\ny\" }", "request.headers"),
        ("[auth]\ntype = 'api_key'\nname = 'a:b'\nvalue = 'x'", "auth.name"),
        ("[auth]\ntype = 'api_key'\nname = 'a'\nvalue = \"x\\r\"", "auth.value"),
        ("[pages]\ntype = 'cursor'\nparam = 'c'\nheader = 'next page'", "pages.header"),
        ("[pages]\ntype = 'cursor'\nparam = ''\nheader = 'x-next'", "pages.param"),
        (
            "[pages]\ntype = 'offset'\nparam = 'o'\nsize = 9\nend = { type = 'total', header = 'số' }",
            "pages.end.header",
        ),
    ] {
        assert_eq!(with_request(&format!("path = '/list'\n{keys}")), [key], "{keys}");
    }
    for keys in [
        "headers = { 'X-Key_1' = 'ệ {env:A}' }",
        "[auth]\ntype = 'api_key'\nname = 'a b'\nvalue = 'x'\nplace = 'query'",
    ] {
        assert_eq!(with_request(&format!("path = '/list'\n{keys}")), [""; 0], "{keys}");
    }
}
