//! The start page, and what the pages show while there is no night, no connector and no target.

use motcua::model::instant::local;
use motcua::run;
use serde_json::Value;

use super::markup::sound;
use super::{get, log_in, thousands};
use crate::desk;
use crate::office::Office;
use crate::office::serving::Serving;

pub(super) fn shows_headlines_and_what_is_to_do(service: &Serving, cookie: &str, rows: &[Value]) {
    let page = get(service, "/", cookie);
    let text = page.text();
    // The usual headlines, with the counts of the running year.
    let year = local(run::now()).date().year().to_string();
    for id in ["par-3.4.1", "par-3.4.3", "par-7.2.2"] {
        let is_shown = |row: &&Value| {
            row["indicator"] == id && row["period"] == year && row["agency"].is_null() && row["tier"].is_null()
        };
        let tile = text.split_once(&format!("href=\"/figures/{id}\"")).map(|(_, rest)| rest.split("</li>").next());
        let row = rows.iter().find(is_shown);
        assert_eq!(tile.is_some(), row.is_some(), "{id}");
        let (Some(Some(tile)), Some(row)) = (tile, row) else { continue };
        let [numerator, denominator] = ["numerator", "denominator"].map(|name| row[name].as_u64().expect("a count"));
        let counts = format!("{} / {}", thousands(numerator), thousands(denominator));
        assert!(denominator == 0 || tile.contains(&counts), "{id}: {counts} in {tile}");
    }
    // The numbers of the worklists are those of their page.
    let lists = get(service, "/worklists", cookie);
    for name in ["due", "overdue", "silent"] {
        let number = |page: &str, link: &str| {
            let (_, rest) = page.split_once(link).unwrap_or_else(|| panic!("{link} is not on the page"));
            let cell = rest.split("</td>").next().expect("a cell has an end").to_owned();
            let (_, number) = cell.rsplit_once("data-label=\"Số lượng\">").expect("a number");
            number
                .split(['<', '>'])
                .find(|part| part.starts_with(|sign: char| sign.is_ascii_digit()))
                .map(str::to_owned)
        };
        let here = number(text, &format!("href=\"/worklists/{name}\""));
        assert!(here.is_some(), "{name}");
        assert_eq!(here, number(lists.text(), &format!("href=\"/worklists/{name}?scope=\"")), "{name}");
    }
}

#[test]
fn before_the_first_night_the_pages_say_that_there_is_none() {
    let office = Office::new("http://127.0.0.1:9");
    let token = office.token("clerk", "read");
    let service = Serving::start(&office);
    let cookie = log_in(&service, &token);
    for path in ["/figures", "/reconcile", "/integrity", "/forms", "/agencies/H61.02", "/worklists"] {
        let page = get(&service, path, &cookie);
        assert_eq!(page.status, 503, "{path}");
        assert!(sound(path, page.text(), "vi").contains("Chưa có đêm nào"), "{path}");
    }
    for (path, expected) in [
        ("/", "Chưa có đêm nào."),
        ("/connectors", "Chưa có đêm nào."),
        ("/runs", "Chưa có lượt chạy nào."),
        ("/runs?sort=failed", "Chưa có lượt chạy nào."),
    ] {
        let page = get(&service, path, &cookie);
        assert_eq!(page.status, 200, "{path}");
        assert!(sound(path, page.text(), "vi").contains(expected), "{path}");
    }
    // Connectors that never ran are named, with whom to call.
    let page = get(&service, "/", &cookie);
    assert!(page.text().contains("Gọi ai") && page.text().contains("/connectors/portal-igate"));
}

#[test]
fn a_connector_with_mistakes_is_broken_and_has_no_page() {
    let office = desk::of_files("");
    // Beside a sound one: the service does not start without any.
    let mut declared = String::new();
    office.edit("connectors/desk/connector.toml", |text| {
        declared.clone_from(&text);
        text
    });
    office.write("connectors/mistaken/connector.toml", &declared.replace("[connector]", "[conector]"));
    let token = office.token("clerk", "operate");
    let service = Serving::start(&office);
    let cookie = log_in(&service, &token);
    let page = get(&service, "/", &cookie);
    let text = sound("mistakes", page.text(), "vi");
    // The other one has not run yet.
    assert!(
        text.contains("Đang hỏng (2)")
            && text.contains("Lỗi mistaken")
            && text.contains("Cấu hình kết nối không thực hiện được"),
        "{text}"
    );
    assert!(!page.text().contains("href=\"/connectors/mistaken\""), "it has no page");
}

#[test]
fn hostile_names_are_escaped() {
    let office = desk::of_files("");
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("title = \"Hồ sơ của bàn thử\"", "title = \"<script>alert(1)</script>\"")
            .replace("contact = \"người kiểm thử\"", "contact = \"<b>Ông A</b>\"")
    });
    office.edit("config/agencies.csv", |text| text.replace("Sở Nội vụ,", "<img src=x> & Sở,"));
    desk::file(&office, "a.csv", &["1,H61.02-1,H61.02,2026-03-02,2026-03-09,P", "2,,\"<i>?\",2026-03-02,,P"]);
    office.run();
    let token = office.token("clerk", "operate");
    let service = Serving::start(&office);
    let cookie = log_in(&service, &token);
    for path in [
        "/",
        "/connectors",
        "/connectors/desk",
        "/connectors/desk/upload",
        "/connectors/desk/rejected/1",
        "/agencies/H61.02?period=2026",
        "/figures/par-7.2.2?period=2026",
        "/forms/II.06a?period=2026&scope=H61.02",
        "/integrity?period=2026",
        "/runs",
        "/runs?sort=%3Cscript%3E",
        "/agencies/%3Cscript%3E",
        "/reconcile/%3Cscript%3E/matched",
        "/figures?scope=%3Cscript%3E",
    ] {
        let page = get(&service, path, &cookie);
        sound(path, page.text(), "vi");
        for raw in ["<script", "<b>", "<img", "<i>"] {
            assert!(!page.text().contains(raw), "{path}: {raw}");
        }
    }
    assert!(get(&service, "/agencies/H61.02?period=2026", &cookie).text().contains("img src=x"), "the name is shown");
}
