//! The pages as a browser receives them: login, access by scope, contents in both languages, operations, and downloads.

mod checks;
mod files;
mod first_page;
mod markup;
mod uploads;

use jiff::civil::date;
use serde_json::Value;

use self::markup::{is_marked_in_the_menu, sound};
use crate::office::serving::{Reply, Serving};
use crate::office::{Office, Town};

/// Content type of a form.
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// Path of a page, with a text that it contains in Vietnamese and in English.
const PAGES: [(&str, &str, &str); 35] = [
    ("/", "Đơn vị giảm nhiều nhất", "Agencies that fell most"),
    ("/figures?period=2026", "Số liệu", "Figures"),
    ("/figures?period=2026-Q1&scope=commune", "Cấp xã", "Commune level"),
    ("/figures/par-3.4.1?period=2026&sort=value", "Cách tính", "Definition"),
    ("/figures/par-3.4.1/revisions?period=2026", "Số liệu qua các đêm", "The figure night by night"),
    ("/figures?period=2026&as_of=2099-12-31", "Về đêm mới nhất", "To the newest night"),
    ("/figures?period=2026&scope=province", "Toàn tỉnh", "Whole province"),
    ("/figures/par-3.4.1?period=2026&sort=worst", "Địa chỉ API của số liệu này", "Address of this figure in the API"),
    ("/figures/par-3.4.3?period=2026&scope=tier-commune", "Hồ sơ được tính (mẫu số)", "Dossiers that count"),
    ("/figures/source-without-channel?period=2026", "không đặt", "none"),
    ("/figures/par-7.1.4/dossiers?period=2026", "Cơ quan tạo nên số liệu", "Agencies behind the figure"),
    ("/figures/par-3.3.3/dossiers?period=2026", "Thủ tục tạo nên số liệu", "Procedures behind the figure"),
    ("/figures/par-3.5.1/dossiers?period=2026", "Phản ánh, kiến nghị tạo nên số liệu", "Feedback behind the figure"),
    ("/figures/par-3.2.2/dossiers?period=2026", "Số liệu tự báo cáo tạo nên số liệu", "Measures behind the figure"),
    ("/agencies/H61.02?period=2026", "Nguồn của hồ sơ", "Sources of the dossiers"),
    ("/reconcile?period=2026", "Bưu gửi không thuộc hồ sơ nào", "Postal items that belong to no dossier"),
    ("/reconcile/submission/unmatched?period=2026", "Mọi hồ sơ chưa khớp", "All dossiers that do not match"),
    ("/reconcile/items?period=2026", "Mã gần giống", "Codes that are near"),
    (
        "/reconcile/national?period=2026",
        "Chưa kết nối số liệu đánh giá của Cổng Dịch vụ công quốc gia",
        "The national evaluation is not connected",
    ),
    ("/integrity?period=2026", "Nghĩa là", "Meaning"),
    ("/integrity/end_set_back?period=2026", "sớm hơn ngày đã ghi", "an earlier moment"),
    ("/forms?period=2026-Q1", "Lập biểu", "Fill in"),
    ("/forms/II.06a?period=2026-Q1&scope=H61.02", "Tải biểu (Excel)", "Download (Excel)"),
    ("/runs", "Lượt chạy", "Runs"),
    ("/runs?sort=failed", "trong 300 lượt gần nhất", "of the last 300"),
    ("/worklists", "Quá hạn, chưa giải quyết xong", "Overdue and open"),
    ("/worklists/overdue", "việc cần làm", "what to do"),
    ("/worklists/silent?scope=commune", "Cơ quan không tiếp nhận hồ sơ nào", "Agencies that have received no dossier"),
    ("/connectors", "Kết nối", "Connectors"),
    ("/connectors/portal-igate", "Các lần đọc", "Pulls"),
    ("/connectors/feedback", "Không có lịch nào bị bỏ lỡ", "No slot was missed"),
    ("/runs/1", "Kết quả đọc của từng kết nối", "Pulls by connector"),
    ("/api", "API cho hệ thống khác", "API for other systems"),
    ("/figures?period=1997", "Không có số liệu cho phạm vi và kỳ này", "There are no figures"),
    ("/login", "Đăng nhập", "Log in"),
];

/// The place of the menu that a page belongs to; `None` for pages that the menu does not lead to.
fn menu_place(path: &str) -> Option<&'static str> {
    let first = path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default();
    match first {
        "" => Some("/"),
        "figures" | "agencies" => Some("/figures"),
        "worklists" => Some("/worklists"),
        "reconcile" | "integrity" => Some("/reconcile"),
        "forms" => Some("/forms"),
        "runs" => Some("/runs"),
        "connectors" => Some("/connectors"),
        _ => None,
    }
}

/// Logs in; returns the cookie to send.
fn log_in(service: &Serving, token: &str) -> String {
    let reply = service.ask("POST", "/login", &[FORM], &format!("token={token}&next=%2Fconnectors"));
    assert_eq!((reply.status, reply.header("location")), (303, "/connectors"), "{}", reply.text());
    let line = reply.header("set-cookie");
    for flag in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(line.split("; ").any(|part| part == flag), "{line}");
    }
    assert!(!line.contains("Secure"), "without TLS, browsers do not send a secure cookie back");
    assert!(!line.contains(token), "the cookie must not contain the token");
    line.split(';').next().expect("a cookie has a value").to_owned()
}

fn get(service: &Serving, path: &str, cookie: &str) -> Reply {
    service.ask("GET", path, &[("cookie", cookie)], "")
}

/// The CSRF value in the forms of a page.
fn csrf(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("the page has a form");
    rest.split('"').next().expect("a value has an end").to_owned()
}

#[test]
fn pages_are_sound_and_each_scope_sees_what_it_may() {
    let town = Town::new(120, 5, date(2026, 3, 10));
    let office = Office::of(&town);
    office.run();
    let (reader, operator) = (office.token("reader", "read"), office.token("clerk", "operate"));
    let service = Serving::start(&office);

    without_a_session(&service);
    let (reading, operating) = (log_in(&service, &reader), log_in(&service, &operator));
    every_page_in_both_languages(&service, &operating);
    readers_change_nothing(&service, &reading);
    changes_need_a_form_of_the_same_session_and_origin(&service, &operating);
    a_rejected_row_is_shown_to_tokens_and_recorded(&office, &service, &reading);
    let rows = office.report_on(&office.data());
    the_page_shows_the_figures_of_the_report(&service, &reading, &rows);
    files::are_the_figures_of_the_report(&service, &reading, &rows);
    first_page::shows_headlines_and_what_is_to_do(&service, &reading, &rows);
    checks::are_those_of_the_command_line(&office, &service, &reading);

    // After the logout the session is not valid.
    let page = get(&service, "/figures?period=2026", &reading);
    let headers = [FORM, ("cookie", reading.as_str()), ("sec-fetch-site", "same-origin")];
    let left = service.ask("POST", "/logout", &headers, &format!("csrf={}", csrf(page.text())));
    assert_eq!((left.status, left.header("location")), (303, "/login"));
    assert!(left.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(get(&service, "/figures", &reading).status, 303);

    repeated_failed_logins_are_rejected(&service, &operator);
    drop(service);

    // If figures are public, connectors, runs and rejected rows still need a token.
    office.edit("config/motcua.toml", |text| text.replace("public = [\"metrics\"]", "public = [\"figures\"]"));
    let service = Serving::start(&office);
    let page = service.ask("GET", "/figures?period=2026", &[], "");
    assert_eq!(page.status, 200);
    sound("public figures", page.text(), "vi");
    let home = service.ask("GET", "/", &[], "");
    assert_eq!(
        (home.status, home.header("location")),
        (303, "/figures"),
        "the start page has the health of connectors"
    );
    let page = service.ask("GET", "/agencies/H61.02?period=2026", &[], "");
    assert!(page.status == 200 && !page.text().contains("/worklists/"), "without a login there are no worklists");
    assert!(!page.text().contains("/connectors/"), "without a login there is no link to the page of a connector");
    assert_eq!(service.ask("GET", "/figures.csv?period=2026", &[], "").status, 200);
    for path in [
        "/connectors",
        "/connectors/portal-igate",
        "/connectors/portal-igate/rejected/1",
        "/runs",
        "/runs/1",
        "/reconcile",
        "/integrity",
        "/forms",
    ] {
        assert_eq!(service.ask("GET", path, &[], "").status, 303, "{path}");
    }
}

fn without_a_session(service: &Serving) {
    let home = service.ask("GET", "/", &[], "");
    assert_eq!((home.status, home.header("location")), (303, "/login"));
    for (path, next) in [
        ("/figures?period=2026", "%2Ffigures%3Fperiod%3D2026"),
        ("/connectors", "%2Fconnectors"),
        ("/worklists/due", "%2Fworklists%2Fdue"),
        ("/reconcile/items.csv", "%2Freconcile%2Fitems.csv"),
        ("/reconcile/national.xlsx", "%2Freconcile%2Fnational.xlsx"),
        ("/integrity/resubmitted/dossiers.csv", "%2Fintegrity%2Fresubmitted%2Fdossiers.csv"),
        ("/forms/II.06a/workbook.xlsx", "%2Fforms%2FII.06a%2Fworkbook.xlsx"),
        ("/runs", "%2Fruns"),
        ("/connectors/bcci-export/upload", "%2Fconnectors%2Fbcci-export%2Fupload"),
        ("/figures/par-3.4.1/revisions", "%2Ffigures%2Fpar-3.4.1%2Frevisions"),
        ("/connectors/portal-igate/rejected/1", "%2Fconnectors%2Fportal-igate%2Frejected%2F1"),
        ("/figures.xlsx", "%2Ffigures.xlsx"),
    ] {
        let reply = service.ask("GET", path, &[], "");
        assert_eq!((reply.status, reply.header("location")), (303, format!("/login?next={next}").as_str()));
    }
    let style = service.ask("GET", "/static/motcua.css", &[], "");
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
    assert!(style.header("cache-control").contains("immutable"));
    let page = service.ask("GET", "/nowhere", &[], "");
    assert_eq!(page.status, 404);
    assert!(sound("not found", page.text(), "vi").contains("Không tìm thấy trang"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    // A form of another site cannot log in.
    let headers = [FORM, ("sec-fetch-site", "cross-site")];
    let refused = service.ask("POST", "/login", &headers, "token=x");
    assert_eq!(refused.status, 403);
    sound("cross-site", refused.text(), "vi");
}

fn every_page_in_both_languages(service: &Serving, cookie: &str) {
    for (path, vietnamese, english) in PAGES {
        let cookie = if path == "/login" { "" } else { cookie };
        for (lang, word, other) in [("vi", vietnamese, "English"), ("en", english, "Tiếng Việt")] {
            let localized = format!("{path}{}lang={lang}", if path.contains('?') { '&' } else { '?' });
            let page = get(service, &localized, cookie);
            assert_eq!(page.status, 200, "{localized}");
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            let remembered = format!("motcua_lang={lang};");
            assert!(page.headers("set-cookie").iter().any(|line| line.starts_with(&remembered)), "{localized}");
            let text = sound(&localized, page.text(), lang);
            assert!(text.contains(word) && text.contains(other), "{localized}: `{word}`");
            if let Some(place) = menu_place(path) {
                is_marked_in_the_menu(&localized, page.text(), place);
            }
        }
    }
    for lang in ["vi", "en"] {
        let again = get(service, "/connectors", &format!("{cookie}; motcua_lang={lang}"));
        assert!(again.text().contains(&format!("<html lang=\"{lang}\">")), "the language is remembered");
    }
    for (path, status) in [
        ("/figures?period=2026-Q9", 400),
        ("/figures?period=2026-Q5s", 400),
        ("/figures?period=9999", 400),
        ("/figures?period=10000", 400),
        ("/figures/par-3.4.1?period=1989", 400),
        ("/figures.csv?period=2100", 400),
        ("/figures.xlsx?period=9999-12", 400),
        ("/figures?scope=nobody", 400),
        ("/figures/nothing", 404),
        ("/connectors/nothing", 404),
        ("/connectors/portal-igate/rejected/999999", 404),
        ("/runs/99", 404),
        ("/figures?scope=all", 400),
        ("/figures/par-3.4.1?sort=best", 400),
        ("/agencies/nobody", 404),
        ("/agencies/province", 404),
        ("/reconcile?period=2026-13", 400),
        ("/reconcile?scope=all", 400),
        ("/reconcile/up/matched", 404),
        ("/reconcile/return/unknown", 404),
        ("/integrity/unknown", 404),
        ("/integrity?indicator=nothing", 404),
        ("/integrity?indicator=par-7.3.1", 400),
        ("/forms/II.99", 404),
        ("/forms/II.06a?period=2099", 400),
        ("/forms/II.06a?scope=nobody", 400),
        ("/runs?sort=oldest", 400),
        ("/runs?before=x", 400),
        ("/connectors/nothing/upload", 404),
        ("/connectors/portal-igate/upload", 404),
        ("/figures.csv?separator=tab", 400),
        ("/figures.xlsx?indicator=nothing", 400),
    ] {
        let page = get(service, path, cookie);
        assert_eq!(page.status, status, "{path}");
        sound(path, page.text(), "vi");
    }
    // What is wrong is named with what there is.
    for (path, allowed) in [
        ("/figures?scope=nobody", "tier-commune"),
        ("/runs?sort=oldest", "newest, failed"),
        ("/reconcile/return/unknown", "portal_only"),
        ("/integrity/unknown", "end_set_back"),
        ("/forms/II.99", "II.06a"),
    ] {
        let page = get(service, path, cookie);
        assert!(page.text().contains(allowed), "{path}: {}", page.text());
    }
    let page = service.ask("DELETE", "/connectors", &[], "");
    assert_eq!(page.status, 405);
    sound("wrong method", page.text(), "vi");
}

fn readers_change_nothing(service: &Serving, cookie: &str) {
    for path in ["/connectors", "/connectors/portal-igate"] {
        let page = get(service, path, cookie);
        assert_eq!(page.text().matches("<form").count(), 1, "{path}: only the logout form");
        assert!(!page.text().contains("/operations/"), "{path}");
    }
    let value = csrf(get(service, "/connectors", cookie).text());
    for path in ["/operations/run", "/operations/retry", "/connectors/feedback/pause", "/connectors/feedback/resume"] {
        let headers = [FORM, ("cookie", cookie), ("sec-fetch-site", "same-origin")];
        let refused = service.ask("POST", path, &headers, &format!("csrf={value}"));
        assert_eq!(refused.status, 403, "{path}");
        sound(path, refused.text(), "vi");
    }
}

fn changes_need_a_form_of_the_same_session_and_origin(service: &Serving, cookie: &str) {
    let page = get(service, "/connectors/feedback", cookie);
    let value = csrf(page.text());
    let own = ("sec-fetch-site", "same-origin");
    let pause = |site: (&str, &str), value: &str| {
        service.ask("POST", "/connectors/feedback/pause", &[FORM, ("cookie", cookie), site], &format!("csrf={value}"))
    };
    assert_eq!(pause(own, &"0".repeat(64)).status, 403, "a wrong value");
    assert_eq!(pause(own, "").status, 403, "no value");
    assert_eq!(pause(("sec-fetch-site", "cross-site"), &value).status, 403, "another site");
    assert_eq!(pause(("origin", "https://elsewhere.example"), &value).status, 403, "another origin");
    assert!(!get(service, "/connectors/feedback", cookie).text().contains("feedback/resume"), "nothing was paused");

    let paused = pause(own, &value);
    assert_eq!((paused.status, paused.header("location")), (303, "/connectors/feedback?done=pause"));
    let page = get(service, paused.header("location"), cookie);
    let text = sound("paused", page.text(), "vi");
    assert!(text.contains("Đã tạm dừng kết nối.") && text.contains("Đã tắt") && text.contains("Cho chạy lại"));
    let headers = [FORM, ("cookie", cookie), own];
    let resumed = service.ask("POST", "/connectors/feedback/resume", &headers, &format!("csrf={value}"));
    assert_eq!(resumed.header("location"), "/connectors/feedback?done=resume");
    assert!(get(service, "/connectors/feedback", cookie).text().contains("feedback/pause"));
    let unknown = service.ask("POST", "/operations/run", &headers, &format!("csrf={value}&connector=nothing"));
    assert_eq!(unknown.status, 400);
}

fn a_rejected_row_is_shown_to_tokens_and_recorded(office: &Office, service: &Serving, cookie: &str) {
    let list = get(service, "/connectors/portal-igate", cookie);
    let (_, rest) = list.text().split_once("/connectors/portal-igate/rejected/").expect("a row was rejected");
    let id = rest.split('"').next().expect("a link has an end");
    let recorded = || {
        let read = office.act(&["token", "reads", "--format", "json"]);
        let mut reads = serde_json::from_slice::<Vec<Value>>(&read.stdout).expect("reads are JSON");
        let all = reads.len();
        reads.retain(|read| read["what"].as_str().is_some_and(|what| what.starts_with("quarantine ")));
        assert!(all > reads.len(), "the lists of dossiers that were shown are recorded");
        reads
    };
    assert!(recorded().is_empty(), "lists of connectors contain no dossier");
    let path = format!("/connectors/portal-igate/rejected/{id}");
    assert_eq!(get(service, &path.replace("portal-igate", "feedback"), cookie).status, 404, "of another connector");
    assert_eq!(service.ask("GET", &path, &[], "").status, 303);
    assert!(recorded().is_empty(), "nothing was shown, so nothing is recorded");
    let page = get(service, &path, cookie);
    assert!(sound(&path, page.text(), "vi").contains("acceptedDate"), "the kept fields of the row");
    let reads = recorded();
    assert_eq!(reads.len(), 1);
    assert_eq!(
        (reads[0]["reader"].as_str(), reads[0]["way"].as_str(), reads[0]["what"].as_str()),
        (Some("reader"), Some("page"), Some(format!("quarantine row {id}").as_str()))
    );
}

/// `1.234`, as Vietnamese groups thousands.
fn thousands(number: u64) -> String {
    let digits: Vec<char> = number.to_string().chars().rev().collect();
    let groups: Vec<String> = digits.chunks(3).map(|group| group.iter().rev().collect()).collect();
    groups.into_iter().rev().collect::<Vec<_>>().join(".")
}

fn the_page_shows_the_figures_of_the_report(service: &Serving, cookie: &str, rows: &[Value]) {
    let page = get(service, "/figures?period=2026", cookie);
    let of_province = |row: &&Value| row["agency"].is_null() && row["tier"].is_null() && row["period"] == "2026";
    let mut compared = 0;
    for row in rows.iter().filter(of_province) {
        let id = row["indicator"].as_str().expect("named");
        let link = format!("/figures/{id}?period=2026");
        let (_, rest) = page.text().split_once(&link).unwrap_or_else(|| panic!("`{id}` is not on the page"));
        let shown = rest.split("</tr>").next().expect("a row has an end");
        let numerator = row["numerator"].as_u64().expect("a count");
        match (row["kind"].as_str(), row["denominator"].as_u64(), row["ratio"].as_f64()) {
            (Some("ratio"), Some(whole), ratio) => {
                let counts = format!("{} / {}", thousands(numerator), thousands(whole));
                assert!(shown.contains(&counts), "{id}: {counts}");
                let unknown = row["unknown"].as_u64().unwrap_or(0) + row["undecided"].as_u64().unwrap_or(0);
                let none = if unknown > 0 { "không có dữ liệu" } else { "không phát sinh" };
                let value = ratio.map_or(none.to_owned(), |ratio| {
                    let hundredths = format!("{:.0}", ratio * 10_000.0).parse::<u32>().expect("a share");
                    format!("{},{:02}\u{a0}%", hundredths / 100, hundredths % 100)
                });
                assert!(shown.contains(&value), "{id}: {value}");
            }
            (Some("count" | "stock"), ..) => {
                assert!(shown.contains(&format!("<strong>{}</strong>", thousands(numerator))), "{id}");
            }
            _ => {}
        }
        let met = match &row["met"] {
            Value::Bool(true) => "badge yes",
            Value::Bool(false) => "badge no",
            Value::String(_) => "badge open",
            _ => "muted\">–",
        };
        assert!(shown.contains(met), "{id}: {met}");
        compared += 1;
    }
    assert!(compared > 20, "only {compared} were compared");
    // The page of an indicator has as many rows as the report.
    let page = get(service, "/figures/par-3.4.3?period=2026", cookie);
    let of_indicator = |row: &&Value| row["indicator"] == "par-3.4.3" && row["period"] == "2026";
    let (_, table) = page.text().split_once("<table class=\"cards figures\"").expect("a table");
    assert_eq!(table.matches("scope=\"row\"").count(), rows.iter().filter(of_indicator).count());
}

fn repeated_failed_logins_are_rejected(service: &Serving, token: &str) {
    for next in ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example"] {
        let reply = service.ask("POST", "/login", &[FORM], &format!("token={token}&next={next}"));
        assert_eq!((reply.status, reply.header("location")), (303, "/"), "{next}");
    }
    for _ in 0..10 {
        let failed = service.ask("POST", "/login", &[FORM], "token=motcua_wrong");
        assert_eq!(failed.status, 401);
        let text = sound("failed login", failed.text(), "vi");
        assert!(text.contains("Mã truy cập không đúng hoặc không còn hiệu lực."));
    }
    let waiting = service.ask("POST", "/login", &[FORM], &format!("token={token}"));
    assert_eq!(waiting.status, 429, "even with a valid token");
    let secs: u64 = waiting.header("retry-after").parse().expect("a number of seconds");
    assert!((1..=300).contains(&secs));
    assert!(sound("too many", waiting.text(), "vi").contains("Hãy thử lại sau"));
}
