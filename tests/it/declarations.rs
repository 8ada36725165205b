//! A declaration that the checks accept cannot fail later for a reason that stood in it: declarations are put together at
//! random from the vocabulary, and what is accepted is compiled and read, from a recording or a folder.
#![expect(clippy::disallowed_methods, reason = "edge: a test writes the files of a folder")]

use std::cell::Cell;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use motcua::canonical::Mapper;
use motcua::config::connector_from_text;
use motcua::fields::Readers;
use motcua::model::connector::{Access, Connector};
use motcua::model::values::{PlaceholderValues, placeholders};
use motcua::sources::transport::http::HttpTransport;
use motcua::sources::transport::route::Route;
use motcua::sources::{ErrorKind, PullStart, RecordedTransport, Response, SourceError, decode_page, open_with};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// 30 November 2026, 18:00 UTC, in microseconds.
const NOW: i64 = 1_796_061_600_000_000;

/// Choices of a declaration. Most are the first option, so that many declarations are accepted; a failing one shrinks
/// towards it.
struct Choices {
    picks: Vec<u8>,
    at: usize,
}

impl Choices {
    fn index(&mut self, options: usize) -> usize {
        let pick = self.picks.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(pick) % options
    }

    fn of<'o>(&mut self, options: &[&'o str]) -> &'o str {
        options[self.index(options.len())]
    }

    /// `key = value`, unless the value is empty.
    fn key(&mut self, key: &str, values: &[&str]) -> String {
        let value = self.of(values);
        if value.is_empty() { String::new() } else { format!("{key} = {value}\n") }
    }
}

/// A few deviations from the first options.
fn choices() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec((0..110_usize, 1..=255_u8), 0..9).prop_map(|deviations| {
        let mut picks = vec![0; 110];
        for (at, pick) in deviations {
            picks[at] = pick;
        }
        picks
    })
}

/// Texts with placeholders, known and unknown.
const TEMPLATES: &[&str] = &[
    "'x'",
    "'{env:TEXT}'",
    "'{secret:S}'",
    "'a{env:TEXT}b'",
    "'{env:}'",
    "'{secret: S}'",
    "'{page}'",
    "'{pagee}'",
    "'{since}'",
    "'{until}'",
    "'{offset}'",
    "'{cursor}'",
    "'{session}'",
    "'{period.year}'",
    "'{period.month}'",
    "'{'",
    "'{{x}}'",
    "'{X}'",
    "'{env:text-x}'",
    "\"a\\nb\"",
    "\"\\u0001\"",
    "'ệ'",
    "''",
    "'{ENV:TEXT}'",
    "'{since} {until}'",
];
const PATHS: &[&str] = &[
    "'items'",
    "'next'",
    "'data.items'",
    "''",
    "'a..b'",
    "'a[0].b'",
    "'a[k=v]'",
    "'a['",
    "'\"a.b\"'",
    "'.'",
    "'a[]b'",
    "'total'",
    "'last'",
    "' '",
    "'#key'",
    "'a[x]'",
    "'\"a'",
];
const NAMES: &[&str] = &["'p'", "'page-no'", "''", "'q'", "'a b'", "'ệ'", "\"a\\n\"", "'size'"];
const HEADERS: &[&str] =
    &["'x-key'", "'X_Key'", "''", "'bad name'", "'ệ'", "'x:y'", "\"x\\n\"", "'Accept'", "'cookie'"];
const FORMATS: &[&str] = &[
    "'yyyy-MM-dd'",
    "'dd/MM/yyyy[ HH:mm]'",
    "'epoch_seconds'",
    "'spreadsheet_serial'",
    "'dd/MM'",
    "'[yyyy-]MM-dd'",
    "'dMyyyy'",
    "'yyyy'",
    "'dd/MM/yyyy hh:mm'",
    "'dd MMM yy'",
    "'yyyy-MM-ddTHH:mm:ss.SZ'",
    "'aspnet_date'",
    "''",
    "'qq'",
];

fn access(choose: &mut Choices) -> (bool, String) {
    let is_web = choose.index(4) < 3;
    if is_web {
        let mut text = "[access]\ntype = 'http'\n".to_owned();
        text += &choose.key(
            "base_url",
            &[
                "'https://source.example/api'",
                "'{env:BASE}'",
                "'http://source.example:8080'",
                "'{env:BASE}/more'",
                "'https://{env:HOST}/x'",
                "'source.example'",
                "'ftp://source.example'",
                "''",
                "'https://'",
                "'https:///x'",
                "'https://sou rce/'",
                "'https://source.example/?q=1#f'",
                "'{env:}'",
                "'{since}'",
                "'{base}'",
                "'https://user:pass@source.example'",
                "'HTTPS://SOURCE.EXAMPLE'",
                "'https://source.example:99999'",
            ],
        );
        text += &choose.key(
            "allowed_hosts",
            &[
                "",
                "['other.example']",
                "['']",
                "['https://other.example']",
                "['{env:HOST}']",
                "['other.example/x']",
                "['ệ']",
                "['other.example:8080']",
                "['a b']",
                "['OTHER.example']",
            ],
        );
        text += &choose.key(
            "proxy",
            &[
                "",
                "'environment'",
                "'http://proxy.example:3128'",
                "'{env:PROXY}'",
                "'proxy.example'",
                "'HTTP://proxy.example'",
                "'socks5://proxy.example'",
                "'http://'",
                "''",
                "'http://proxy.example:x'",
                "'{page}'",
                "'http://u:{secret:S}@proxy.example'",
            ],
        );
        (true, text)
    } else {
        let mut text = "[access]\ntype = 'files'\nfolder = '{env:FOLDER}'\nsettle_secs = 0\n".to_owned();
        text += &choose.key("glob", &["'*'", "'list.*'", "'['", "''", "'{a,b}*'", "'{a'", "'**/x'", "'a/b'"]);
        text += &choose.key("content", &["", "'lists'", "'whole'", "'append'", "'x'"]);
        let order = choose.of(&["", "name", "title", "'modified'", "'x'"]);
        match order {
            "" => {}
            "name" | "title" => {
                let format = choose.of(FORMATS);
                writeln!(text, "order = {{ {order} = {format} }}").expect("a string takes all");
            }
            other => writeln!(text, "order = {other}").expect("a string takes all"),
        }
        (false, text)
    }
}

fn auth(choose: &mut Choices) -> String {
    let urls = &[
        "'https://source.example/token'",
        "'{env:BASE}/token'",
        "'/login'",
        "'login?x=1'",
        "''",
        "'ftp://x/y'",
        "'https://'",
        "'https://{env:HOST}/t'",
        "'{token}'",
        "'a://b'",
    ];
    let kind = choose.of(&["", "basic", "bearer", "api_key", "oauth2_client_credentials", "oauth2_password", "login"]);
    let mut text = if kind.is_empty() { return String::new() } else { format!("[auth]\ntype = '{kind}'\n") };
    match kind {
        "basic" => text += &(choose.key("username", TEMPLATES) + &choose.key("password", TEMPLATES)),
        "bearer" => text += &choose.key("token", TEMPLATES),
        "api_key" => {
            text += &(choose.key("name", HEADERS) + &choose.key("value", TEMPLATES));
            text += &choose.key("place", &["", "'header'", "'query'"]);
        }
        "oauth2_client_credentials" => {
            text += &(choose.key("token_url", urls) + &choose.key("client_id", TEMPLATES));
            text +=
                &(choose.key("client_secret", TEMPLATES) + &choose.key("secret_place", &["", "'body'", "'header'"]));
        }
        "oauth2_password" => {
            text += &(choose.key("token_url", urls) + &choose.key("username", TEMPLATES));
            text += &(choose.key("password", TEMPLATES) + &choose.key("client_id", &["", "'{env:TEXT}'", "'{x}'"]));
        }
        _ => {
            text += &choose.key("token", &["'token'", "", "''", "'a.b'", "'a..b'", "'a[0]'"]);
            for name in ["ok", "expired"] {
                if choose.index(4) == 1 {
                    let (path, values) = (choose.of(PATHS), choose.of(&["['0']", "[]", "['']"]));
                    writeln!(text, "{name} = {{ path = {path}, values = {values} }}").expect("a string takes all");
                }
            }
            text += &choose.key("lifetime_secs", &["", "60", "0", "-1"]);
            text += "[auth.request]\n";
            text += &(choose.key("url", urls) + &choose.key("method", &["", "'GET'", "'POST'"]));
            text += &choose.key("body", &["", "'{\"u\": \"{env:TEXT}\"}'", "'{session}'", "'u={secret:S}'"]);
            let (header, value) = (choose.of(HEADERS), choose.of(TEMPLATES));
            writeln!(text, "headers = {{ {header} = {value} }}").expect("a string takes all");
        }
    }
    text
}

fn request(choose: &mut Choices, places_session: bool) -> String {
    let mut text = "[request]\n".to_owned();
    text += &choose.key(
        "path",
        &[
            "'/list'",
            "'list'",
            "''",
            "'/list/{page}'",
            "'/list/{cursor}'",
            "'/{env:TEXT}/x'",
            "'/{pagee}'",
            "'/{since}'",
            "'//x'",
            "'/list?x=1'",
            "'/{period.month}'",
            "'/ệ b'",
            "'http://other.example/x'",
            "'/{secret:}'",
        ],
    );
    text += &choose.key("method", &["", "'GET'", "'POST'"]);
    text += &choose.key(
        "body",
        &["", "'{\"page\": {page}, \"x\": \"{env:TEXT}\"}'", "'<a>{since}</a>'", "'{x}'", "'{\"a\": {\"b\": 1}}'"],
    );
    let session = if places_session { "session = '{session}', " } else { "" };
    let (name, value) = (choose.of(NAMES), choose.of(TEMPLATES));
    let name = if name.starts_with('"') { "'p'" } else { name };
    writeln!(text, "query = {{ {session}fixed = '1', {name} = {value} }}").expect("a string takes all");
    if choose.index(3) == 1 {
        let (header, value) = (choose.of(HEADERS), choose.of(TEMPLATES));
        writeln!(text, "headers = {{ {header} = {value} }}").expect("a string takes all");
    }
    text
}

fn end(choose: &mut Choices) -> String {
    let path = choose.of(PATHS);
    let header = choose.of(HEADERS);
    match choose.index(12) {
        0 => "{ type = 'empty_page' }".to_owned(),
        1 => "{ type = 'short_page' }".to_owned(),
        2 => format!("{{ type = 'last_flag', path = {path} }}"),
        3 => format!("{{ type = 'next_flag', path = {path}, codes = {{ '1' = true, '0' = false }} }}"),
        4 => format!("{{ type = 'total', path = {path} }}"),
        5 => format!("{{ type = 'total', header = {header} }}"),
        6 => format!("{{ type = 'last_page', path = {path} }}"),
        7 => "{ type = 'repeated_page' }".to_owned(),
        8 => "{ type = 'null_cursor', none = ['0', ''], absent = true }".to_owned(),
        9 => "{ type = 'null_cursor', none = ['0', ''] }".to_owned(),
        10 => "{ type = 'short_page', absent = true }".to_owned(),
        _ => format!("{{ type = 'last_flag', path = {path}, codes = {{ 'x' = true }} }}"),
    }
}

fn pages(choose: &mut Choices) -> String {
    let kind = choose.of(&["", "page_number", "offset", "cursor", "next_url", "link_header", "keyset", "none"]);
    if kind.is_empty() {
        return String::new();
    }
    let mut text = format!("[pages]\ntype = '{kind}'\n");
    let params = &["'p2'", "", "''", "'p'", "'fixed'"];
    let sizes = &["", "3", "0", "100000"];
    match kind {
        "page_number" | "offset" => {
            text += &(choose.key("param", params) + &choose.key("size", &["3", "0", "100", "4294967295"]));
            text += &choose.key("first", &["1", "0", "9", "4294967295"]);
            text += &choose.key("size_param", &["", "'size'", "''", "'p2'"]);
            if kind == "page_number" {
                text += &choose.key("echo", &["", "'page'", "''", "'a['"]);
            }
        }
        "cursor" => {
            text += &(choose.key("param", params) + &choose.key("path", &["'next'", "", "''", "'a..b'"]));
            text += &(choose.key("header", &["", "'x-next'", "'bad name'", "''"]) + &choose.key("size", sizes));
            text += &choose.key("first", &["", "'0'", "'{since}'"]);
        }
        "next_url" => text += &(choose.key("path", PATHS) + &choose.key("size", sizes)),
        "link_header" => text += &choose.key("size", sizes),
        "keyset" => {
            text += &(choose.key("param", params) + &choose.key("path", &["'id'", "'at'", "'absent'"]));
            text += &choose.key("size", sizes);
        }
        _ => return text,
    }
    let needs_end = matches!(kind, "page_number" | "offset" | "keyset");
    if needs_end || choose.index(3) == 1 {
        writeln!(text, "end = {}", end(choose)).expect("a string takes all");
    }
    text
}

fn window(choose: &mut Choices) -> String {
    if choose.index(4) != 1 {
        return String::new();
    }
    let mut text = "[[window.passes]]\nname = 'all'\n".to_owned();
    text += &choose.key("since_param", &["'from'", "", "''", "'p'"]);
    text += &choose.key("until_param", &["'to'", "", "'from'", "''"]);
    text += &choose.key("format", FORMATS);
    text += &choose.key("start", &["'cursor'", "'oldest_open'"]);
    text += &choose.key("open_column", &["", "'received_at'", "'status'", "'x'"]);
    text += &choose.key(
        "first_date",
        &[
            "'2026-11-01'",
            "'2026-11-30'",
            "'2027-05-01'",
            "'2020-01-01'",
            "'1989-12-31'",
            "'2026-13-01'",
            "'2099-12-31'",
        ],
    );
    text += &choose.key("slice_days", &["", "31", "1", "0", "1000000", "1000001"]);
    text += &choose.key("overlap_days", &["", "0", "7", "1000000"]);
    text + &choose.key("slice", &["", "'month'", "'quarter'", "'year'"])
}

fn numbers(choose: &mut Choices, is_web: bool) -> String {
    let mut text = "[limits]\n".to_owned();
    let counts = &["", "100", "1", "0", "4294967295"];
    text += &(choose.key("max_page_records", counts) + &choose.key("max_records", counts));
    text += &(choose.key("max_body_bytes", counts) + &choose.key("max_expanded_bytes", &["", "100000", "0"]));
    text += &choose.key("read_timeout_secs", &["", "1", "0", "9223372036854775807"]);
    if is_web {
        text += &choose.key("requests_per_second", &["1000.0", "0.0", "-1.0", "inf", "nan", "1e300"]);
        text += &(choose.key("concurrency", &["", "1", "4", "0", "33"]) + &choose.key("max_pages", counts));
        text += &choose.key("connect_timeout_secs", &["", "1", "0", "9223372036854775807"]);
        text += "[retry]\nbase_millis = 1\n";
        text +=
            &(choose.key("attempts", &["2", "1", "0"]) + &choose.key("cap_secs", &["", "0", "18446744073709551615"]));
        text += &choose.key("statuses", &["", "[500]", "[]", "[404]", "[200]", "[99]"]);
    }
    text += "[complete]\n";
    if is_web {
        text += &choose.key("total", &["", "'total'", "''", "'a['", "'a..b'"]);
        text += &choose.key("read_twice", &["", "true", "false"]);
        text += &choose.key("end_statuses", &["", "[404]", "[200]", "[]", "[500]"]);
    }
    text + &choose.key("trailer", &["", "{ column = 'n', holds = 'sum' }", "{ column = '', holds = 'count' }"])
}

fn decode(choose: &mut Choices, is_web: bool) -> String {
    let kinds: &[&str] =
        if is_web { &["json", "xml", "csv", "xlsx"] } else { &["csv", "json", "xml", "xlsx", "spreadsheet"] };
    let kind = choose.of(kinds);
    let mut text = format!("[decode]\ntype = '{kind}'\n");
    match kind {
        "json" => {
            text +=
                &(choose.key("records", &["'items'", "", "'data.items'", "'a..b'", "'a['", "'a[0]'", "'.'", "' '"]));
            text += &choose.key("layout", &["", "'list'", "'map'", "'rows'", "'lines'"]);
            text += &choose.key("columns", &["", "'columns'", "'columns[].name'", "'[].x'", "''", "'c[].'"]);
            text += &choose.key("encoding", &["", "'utf-8'", "'tcvn3'", "'utf-16le'"]);
        }
        "xml" => text += &choose.key("records", &["'list.r'", "'list'", "''", "'a..b'", "'s:a.b'", "'a b'"]),
        _ => {
            text += &choose.key("header", &["'id'", "'ID'", "''", "' '", "'absent'"]);
            text += &choose.key("footers", &["", "['Tổng']", "['']", "[]", "[' ']"]);
            if kind != "xlsx" {
                text +=
                    &choose.key("delimiter", &["", "','", "';'", "\"\\t\"", "'\"'", "\"\\n\"", "'ệ'", "'ab'", "'i'"]);
                text += &choose.key("encoding", &["", "'windows-1258'", "'utf-16be'", "'x'"]);
            }
            if kind != "csv" {
                text += &choose.key("sheets", &["", "'*'", "'['", "''"]);
            }
        }
    }
    if matches!(kind, "json" | "xml") && choose.index(4) == 1 {
        let (path, ok) = (choose.of(PATHS), choose.of(&["['0', '']", "[]"]));
        writeln!(text, "failure = {{ path = {path}, ok = {ok} }}").expect("a string takes all");
    }
    text + &choose.key("null_values", &["", "['-']", "['']"])
}

fn map(choose: &mut Choices) -> String {
    let mut text = "[map.source_key]\ntype = 'code'\nrequired = true\n".to_owned();
    text += &choose.key(
        "from",
        &["'id'", "['id', 'at']", "''", "'a['", "{ position = 1 }", "{ column = 'id', nth = 1 }", "'a..b'"],
    );
    text += &choose.key("pattern", &["", "'[a-z]+'", "'('", "''", "'a{99999}'"]);
    text += "[map.received_at]\nfrom = 'at'\ntype = 'instant'\n";
    writeln!(text, "formats = [{}]", choose.of(FORMATS)).expect("a string takes all");
    text += &choose.key("time", &["", "'hour'", "'a['", "''", "{ position = 2 }", "{ column = 'h', nth = 0 }"]);
    text += &choose.key("zone", &["", "'UTC'", "'Asia/Ho_Chi_Minh'", "'Mars/Base'", "''"]);
    text += &choose.key("least", &["", "'2000-01-01'", "'x'", "3"]);
    text += &choose.key("most", &["", "'2100-01-01'", "'1999-01-01'", "'2026-02-30'"]);
    text += &choose.key("null_values", &["", "['2026-01-01']", "['x']", "['']"]);
    text += &choose.key("default", &["", "'2026-01-01'", "''", "'x'"]);
    if choose.index(3) == 1 {
        text += "[map.submission_channel]\ntype = 'word'\n";
        text += &choose.key("from", &["'channel'", "'a[k=v].b'", "", "'#key'"]);
        text += &choose.key(
            "codes",
            &[
                "{ 'x' = 'online' }",
                "",
                "{ 'x' = 'pigeon' }",
                "{ '' = 'online' }",
                "{ 'a' = 'online', 'A ' = 'counter' }",
            ],
        );
        text += &choose.key("value", &["", "'online'", "'pigeon'"]);
        text += &choose.key("default", &["", "'online'", "'x'", "''"]);
    }
    if choose.index(4) == 1 {
        let column = choose.of(&["postal_fee", "status", "x", "deleted", "competent_agency", "source_updated_at"]);
        let kind = choose.of(&["agency", "integer", "flag", "title", "instant", "period", "code"]);
        writeln!(text, "[map.{column}]\nfrom = 'n'\ntype = '{kind}'").expect("a string takes all");
        text += &choose.key("grouping", &["", "'dot'", "'none'"]);
        text += &choose.key("ill_typed", &["", "'accept'", "'stop'"]);
    }
    text
}

fn rest(choose: &mut Choices) -> String {
    let mut text = "[identity]\n".to_owned();
    text += &choose.key("key", &["", "['source_key']", "[]", "['received_at']", "['x']"]);
    text += &choose.key("may_be_empty", &["", "['source_key']", "[]"]);
    text += "[contract]\n";
    text += &choose.key("reject_share", &["", "1.0", "-1.0", "2.0", "nan"]);
    text +=
        &(choose.key("least_of_usual", &["", "0", "-1.0", "nan"]) + &choose.key("known", &["", "['a.b']", "['a[']"]));
    text += "[schedule]\n";
    text += &choose.key("cron", &["", "'0 1 * * *'", "'x'", "'0 0 31 2 *'", "''", "'* * * * * *'"]);
    text += &choose.key("zone", &["", "'UTC'", "'Mars/Base'"]);
    if choose.index(6) == 1 {
        text += "[sweep]\n";
        text += &(choose.key("every_days", &["7", "0"]) + &choose.key("pass", &["'all'", "'x'"]));
        text += &choose.key("column", &["'received_at'", "'status'", "'x'"]);
    }
    text
}

/// Further rows and requests: parts of records, details.
fn further(choose: &mut Choices) -> String {
    let mut text = String::new();
    if choose.index(8) == 1 {
        text += "[map.procedure_code]\nfrom = 'p'\ntype = 'procedure_code'\n";
        text += &choose.key("required", &["true", "", "false"]);
        text += &choose.key("lookup", &["", "'procedure_name'", "'name'"]);
        text += "[partial]\n";
        text += &choose.key("field", &["'step'", "'id'", "''", "'a['", "'total'"]);
        text += "[partial.map.source_key]\nfrom = 'id'\ntype = 'code'\n";
        text += &choose.key("required", &["true", ""]);
        text += "[partial.map.source_updated_at]\ntype = 'instant'\n";
        text +=
            &(choose.key("from", &["'step'", "['step', 'total']", "'a['"]) + &choose.key("required", &["true", ""]));
        writeln!(text, "formats = [{}]", choose.of(FORMATS)).expect("a string takes all");
    }
    if choose.index(8) == 1 {
        text += "[map.due_at]\nfrom = 'detail.due'\ntype = 'instant'\nformats = ['yyyy-MM-dd']\n[detail]\n";
        text += &choose
            .key("request", &["{ path = '/d/{record.id}' }", "{ path = '/d' }", "{ path = '/{record.detail.due}' }"]);
        text += &choose.key("record", &["", "'data'", "'a[0]'", "'list.r'"]);
        text += &choose.key("missing", &["", "'accept'", "'delete'", "'stop'", "'x'"]);
        if choose.index(2) == 1 {
            let (path, values) = (choose.of(PATHS), choose.of(&["['404']", "[]", "['']"]));
            writeln!(text, "not_found = {{ path = {path}, values = {values} }}").expect("a string takes all");
        }
    }
    text
}

/// The text of a declaration.
pub(crate) fn declaration(picks: Vec<u8>) -> String {
    let choose = &mut Choices { picks, at: 0 };
    let mut text = "[connector]\nversion = 1\ntitle = 'x'\nkind = 'dossiers'\nsystem = 'x'\ncontact = 'x'\n".to_owned();
    let (is_web, access) = access(choose);
    text += &(access
        + &map(choose)
        + &decode(choose, is_web)
        + &numbers(choose, is_web)
        + &rest(choose)
        + &further(choose));
    if is_web || choose.index(9) == 1 {
        let auth = auth(choose);
        let places_session = auth.contains("'login'") && auth.contains("token = 'token'") && choose.index(4) != 1;
        text += &(auth + &request(choose, places_session) + &pages(choose) + &window(choose));
    }
    text
}

/// A value for each variable and secret that a declaration may name.
fn values() -> PlaceholderValues {
    let mut values = PlaceholderValues::default();
    for (name, value) in [
        ("BASE", "https://source.example/base"),
        ("HOST", "source.example"),
        ("TEXT", "text"),
        ("PROXY", "http://proxy.example:3128"),
    ] {
        values.set_variable(name, value);
    }
    values.set_secret("S", "s3cret");
    values
}

/// Bodies that a source may send.
const BODIES: [&str; 7] = [
    r#"{"items": [{"id": "a", "at": "2026-01-05", "n": 5}, {"id": "b", "at": "05/01/2026"}], "next": "c1", "last": false, "total": 2, "page": 1, "token": "t"}"#,
    r#"{"items": [{"id": "c", "at": 1767574800}], "next": null, "last": true, "total": 3, "page": 2}"#,
    r#"{"items": [], "next": "", "last": true, "total": 3, "page": 3}"#,
    "id,at,n,channel\na,2026-01-05,5,x\nb,,,\nTổng,2\n",
    "<list><r><id>a</id><at>2026-01-05</at></r></list>",
    "[]",
    "",
];

/// A folder with each body as a file.
pub(crate) fn folder_of_bodies() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (name, body) in ["a.json", "b.json", "c.json", "list.csv", "list.xml", "d.json", "e"].into_iter().zip(BODIES) {
        std::fs::write(folder.path().join(name), body).expect("a scratch file");
    }
    folder
}

/// The reasons that the checks must find.
fn is_of_declaration(error: &SourceError) -> bool {
    matches!(error.kind, ErrorKind::Misconfigured | ErrorKind::UnsetPlaceholder)
        && !error.message.contains("the recording has no more responses")
}

/// What an accepted declaration does that its checks should have refused; `None` if nothing.
pub(crate) async fn fault(connector: &Connector, folder: &Path) -> Option<String> {
    let readers = match Readers::compile(&connector.file) {
        Ok(readers) => readers,
        Err((column, key, why)) => return Some(format!("{column}.{key}: {why}")),
    };
    let mut values = values();
    values.set_variable("FOLDER", folder.display().to_string());
    let mapper = Mapper::new(connector, &readers, NOW);
    for body in BODIES {
        match decode_page(connector, &readers, body.as_bytes(), 1, "body".to_owned()) {
            Ok((page, _)) => assert_eq!(mapper.map_page(&page).len(), page.len()),
            Err(error) if is_of_declaration(&error) => return Some(format!("decoding: {error}")),
            Err(_) => {}
        }
    }
    if let Access::Http { .. } = &connector.file.access {
        match Route::of(&connector.file, &values) {
            Err(error) => return Some(format!("the route: {error}")),
            Ok(route) => {
                let client = HttpTransport::new(&connector.file.limits, std::collections::BTreeSet::new(), route);
                if let Err(error) = client {
                    return Some(format!("the client: {error}"));
                }
            }
        }
    }
    let token =
        || Response::new(200, &[("set-cookie", "a=1")], r#"{"access_token": "t", "token": "t", "expires_in": 60}"#);
    let page = |body: &str| {
        let headers =
            [("content-type", "application/json"), ("x-next", "n"), ("x-key", "3"), ("link", "<?p=2>; rel=\"next\"")];
        Response::new(200, &headers, body)
    };
    let responses: Vec<Response> = std::iter::once(token()).chain(BODIES.map(page)).collect();
    // Without a login, the first response is that of a page.
    for skipped in [0, 1] {
        let transport = Arc::new(RecordedTransport::new(responses.iter().skip(skipped).cloned()));
        let start = PullStart { now: NOW, ..PullStart::default() };
        let sent = Box::new(Arc::clone(&transport));
        let read = match open_with(sent, connector, &readers, &values, start).await {
            Ok(mut reader) => {
                let mut read = Ok(None);
                for _ in 0..8 {
                    read = reader.next().await;
                    if !matches!(read, Ok(Some(_))) {
                        break;
                    }
                }
                read.map(drop)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = read.as_ref()
            && is_of_declaration(error)
        {
            return Some(format!("reading: {error}"));
        }
        for request in transport.requests() {
            if let Some(why) = not_of_http(&request) {
                return Some(why);
            }
        }
    }
    None
}

/// What of a request no client can send.
fn not_of_http(request: &motcua::sources::request::Request) -> Option<String> {
    use reqwest::header::{HeaderName, HeaderValue};
    for (name, value) in &request.headers {
        if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(value).is_err() {
            return Some(format!("the header `{name}` cannot be sent"));
        }
    }
    let kept = request.kept_headers.iter().find(|name| HeaderName::from_bytes(name.as_bytes()).is_err());
    if let Some(name) = kept {
        return Some(format!("no response has the header `{name}`"));
    }
    let has_host = request.url.host_str().is_some_and(|host| !host.is_empty());
    let unfilled = placeholders(request.url.path()).into_iter().next().map(str::to_owned);
    unfilled.or((!has_host).then(|| "an address without a host".to_owned()))
}

#[test]
fn what_the_checks_accept_does_not_fail_for_a_reason_that_stood_in_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = folder_of_bodies();
    let cases = std::env::var("MOTCUA_DECLARATIONS").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let (accepted, seen) = (Cell::new(0_u32), Cell::new(0_u32));
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&choices(), |picks| {
        let text = declaration(picks);
        seen.set(seen.get() + 1);
        let Ok(connector) = connector_from_text("drawn", Path::new("connector.toml"), &text) else { return Ok(()) };
        accepted.set(accepted.get() + 1);
        match runtime.block_on(fault(&connector, folder.path())) {
            None => Ok(()),
            Some(why) => Err(TestCaseError::fail(format!("{why}\n{text}"))),
        }
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
    assert!(accepted.get() * 8 > seen.get(), "only {} of {} declarations were accepted", accepted.get(), seen.get());
}
