use crate::config::test_connectors::{LISTS, mistaken_keys};

fn wrong(tables: &str) -> Vec<String> {
    mistaken_keys(&format!("{LISTS}{tables}"))
}

#[test]
fn limits_let_something_through() {
    let with = |keys: &str| {
        wrong(&format!(
            "[access]\ntype = 'http'\nbase_url = 'https://portal.example'\n[request]\npath = '/list'\n[decode]\ntype = 'json'\n{keys}"
        ))
    };
    assert_eq!(with("[limits]\nmax_pages = 1\nmax_records = 1\nread_timeout_secs = 86400"), [""; 0]);
    assert_eq!(with("[retry]\nstatuses = [404, 599]"), [""; 0]);
    for (keys, key) in [
        ("[limits]\nmax_pages = 0", "limits.max_pages"),
        ("[limits]\nmax_records = 0", "limits.max_records"),
        ("[limits]\nmax_page_records = 0", "limits.max_page_records"),
        ("[limits]\nmax_body_bytes = 0", "limits.max_body_bytes"),
        ("[limits]\nmax_expanded_bytes = 0", "limits.max_expanded_bytes"),
        ("[limits]\nconnect_timeout_secs = 0", "limits.connect_timeout_secs"),
        ("[limits]\nread_timeout_secs = 86401", "limits.read_timeout_secs"),
        ("[retry]\nstatuses = [500, 200]", "retry.statuses"),
        ("[complete]\ntotal = 'a..b'", "complete.total"),
        ("failure = { path = 'a.', ok = ['0'] }", "decode.failure.path"),
        ("records = 'a. .b'", "decode.records"),
        (
            "[map.received_at]\nfrom = 'd'\ntime = 'a['\ntype = 'instant'\nformats = ['dd/MM/yyyy']",
            "map.received_at.time",
        ),
        ("[pages]\ntype = 'next_url'\npath = '.next'", "pages.path"),
        ("[pages]\ntype = 'offset'\nparam = 'o'\nsize = 9\nend = { type = 'total', path = 'a..b' }", "pages.end.path"),
    ] {
        assert_eq!(with(keys), [key], "{keys}");
    }
}

#[test]
fn tables_have_headings_and_signs_between_cells() {
    let with = |keys: &str| {
        wrong(&format!("[access]\ntype = 'files'\nfolder = 'in'\nglob = '*'\n[decode]\ntype = 'csv'\n{keys}"))
    };
    assert_eq!(with("header = 'id'\ndelimiter = \"\\t\"\nfooters = ['Tổng']"), [""; 0]);
    for (keys, key) in [
        ("header = ' '", "decode.header"),
        ("header = 'id'\nfooters = ['Tổng', ' ']", "decode.footers"),
        ("header = 'id'\ndelimiter = '\"'", "decode.delimiter"),
        ("header = 'id'\ndelimiter = \"\\n\"", "decode.delimiter"),
        ("header = 'id'\ndelimiter = 'a'", "decode.delimiter"),
        ("header = 'id'\n[map.dossier_code]\nfrom = ['a', '']\ntype = 'dossier_code'", "map.dossier_code.from"),
        (
            "header = 'id'\nfooters = ['Tổng']\n[complete]\ntrailer = { column = '', holds = 'count' }",
            "complete.trailer",
        ),
    ] {
        assert_eq!(with(keys), [key], "{keys}");
    }
}
