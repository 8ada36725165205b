//! Uploads: a file counts only after it was checked and confirmed; a refused one leaves nothing behind.
#![expect(clippy::disallowed_methods, reason = "the tests look into the folder of the connector")]

use std::path::PathBuf;

use super::markup::sound;
use super::{FORM, csrf, get, log_in};
use crate::desk;
use crate::office::serving::{Reply, Serving};
use crate::office::{Office, files};

const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");
const PATH: &str = "/connectors/desk/upload";
const ROWS: &str = "id,code,agency,received,due,status\n1,H61.02-1,H61.02,2026-03-02,2026-03-09,P\n\
                    2,H61.02-2,H61.02,2026-03-03,2026-03-10,X\n";

/// A multipart body with the parts `csrf` and `file`.
fn body(csrf: &str, name: &str, content: &str) -> String {
    format!(
        "--edge\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--edge\r\ncontent-disposition: \
         form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: text/csv\r\n\r\n{content}\r\n--edge--\r\n"
    )
}

fn send(service: &Serving, cookie: &str, site: (&str, &str), body: &str) -> Reply {
    let headers = [("content-type", "multipart/form-data; boundary=edge"), ("cookie", cookie), site];
    service.ask("POST", PATH, &headers, body)
}

/// The value of a field of the page's forms.
fn value(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no `{name}`"));
    rest.split('"').next().expect("a value has an end").to_owned()
}

fn stored(office: &Office) -> Vec<PathBuf> {
    files(&office.exports())
}

fn uploads(office: &Office) -> Vec<String> {
    let read = office.act(&["token", "reads", "--format", "json"]);
    let reads: Vec<serde_json::Value> = serde_json::from_slice(&read.stdout).expect("reads are JSON");
    let what = reads.iter().filter_map(|read| read["what"].as_str());
    what.filter(|what| what.starts_with("upload ")).map(str::to_owned).rev().collect()
}

#[test]
fn a_file_counts_only_after_it_was_confirmed() {
    let office = desk::of_files("");
    let (reader, operator) = (office.token("reader", "read"), office.token("clerk", "operate"));
    let service = Serving::start(&office);
    let (reading, cookie) = (log_in(&service, &reader), log_in(&service, &operator));

    // Only for operators, from a form of their own session.
    assert_eq!(get(&service, PATH, &reading).status, 403);
    assert!(!get(&service, "/connectors/desk", &reading).text().contains("desk/upload"));
    let own = csrf(get(&service, "/connectors", &reading).text());
    assert_eq!(send(&service, &reading, OWN, &body(&own, "a.csv", ROWS)).status, 403, "a reader");
    assert!(get(&service, "/connectors/desk", &cookie).text().contains("desk/upload"));
    let form = get(&service, PATH, &cookie);
    assert!(sound("form", form.text(), "vi").contains("Chọn tệp"));
    let own = csrf(form.text());
    for (site, value) in [(OWN, ""), (OWN, "x-y"), (("sec-fetch-site", "cross-site"), own.as_str())] {
        let refused = send(&service, &cookie, site, &body(value, "a.csv", ROWS));
        assert_eq!(refused.status, 403, "{site:?} {value}");
    }
    assert_eq!(send(&service, "", OWN, &body(&own, "a.csv", ROWS)).status, 303, "without a login");
    assert!(stored(&office).is_empty(), "nothing was stored");

    // What it holds is shown; no night would read it yet.
    let checked = send(&service, &cookie, OWN, &body(&own, "Danh sách <b>3.csv", ROWS));
    assert_eq!(checked.status, 200, "{}", checked.text());
    let text = sound("checked", checked.text(), "vi");
    assert!(text.contains("Tệp đọc được; chưa tính vào số liệu") && text.contains("chưa được khai"), "{text}");
    assert!(!checked.text().contains("<b>3"), "the name is escaped");
    let aside = stored(&office);
    assert!(aside.len() == 1 && aside[0].starts_with(".motcua-uploads"), "{aside:?}");
    let id = value(checked.text(), "id");

    // Another session's form confirms nothing.
    let confirm = |csrf: &str, id: &str, what: &str| {
        let headers = [FORM, ("cookie", cookie.as_str()), OWN];
        service.ask("POST", &format!("{PATH}/{what}"), &headers, &format!("csrf={csrf}&id={id}"))
    };
    assert_eq!(confirm("x-y", &id, "confirm").status, 403);
    for other in ["", "..", "0123456789abcdef0123456789abcdef"] {
        let gone = confirm(&own, other, "confirm");
        assert_eq!(gone.status, 422, "{other}");
        assert!(sound("gone", gone.text(), "vi").contains("không còn nữa"));
    }
    let placed = confirm(&own, &id, "confirm");
    assert_eq!((placed.status, placed.header("location")), (303, "/connectors/desk?done=upload"));
    assert!(
        sound("placed", get(&service, placed.header("location"), &cookie).text(), "vi")
            .contains("lượt chạy tới sẽ đọc")
    );
    assert_eq!(stored(&office), [PathBuf::from("Danh sách <b>3.csv")]);
    assert_eq!(std::fs::read_to_string(office.exports().join("Danh sách <b>3.csv")).expect("UTF-8"), ROWS);
    assert_eq!(confirm(&own, &id, "confirm").status, 422, "it is placed once");

    // A file that came into the folder after the verdict is not replaced unseen.
    let second = send(&service, &cookie, OWN, &body(&own, "tháng 4.csv", ROWS));
    let second = value(second.text(), "id");
    office.write("exports/tháng 4.csv", "another list");
    let refused = confirm(&own, &second, "confirm");
    assert_eq!(refused.status, 422);
    assert!(sound("replaces", refused.text(), "vi").contains("đã có một tệp cùng tên"));
    assert_eq!(std::fs::read_to_string(office.exports().join("tháng 4.csv")).expect("UTF-8"), "another list");
    let replaced = confirm(&own, &format!("{second}&replaces=true"), "confirm");
    assert_eq!(replaced.status, 303, "the clerk was told");
    std::fs::remove_file(office.exports().join("tháng 4.csv")).expect("it is there");

    // A file that is discarded leaves nothing; one of the same name is announced.
    let again = send(&service, &cookie, OWN, &body(&own, "Danh sách <b>3.csv", ROWS));
    assert!(sound("again", again.text(), "vi").contains("tệp cũ sẽ bị thay thế"));
    let discarded = confirm(&own, &value(again.text(), "id"), "discard");
    assert_eq!((discarded.status, discarded.header("location")), (303, "/connectors/desk?done=discard"));
    assert_eq!(stored(&office).len(), 1);
    let recorded = uploads(&office);
    assert_eq!(recorded.len(), 6, "{recorded:?}");
    assert!(recorded[0].starts_with("upload desk: checked 2 rows of file ") && recorded[1] == "upload desk: placed");
    assert!(recorded.iter().all(|what| !what.contains("Danh")), "without names: {recorded:?}");
    drop(service);

    office.run();
    assert_eq!(office.counts("desk", ["accepted", "quarantined"]), [1, 1]);
}

#[test]
fn a_refused_file_leaves_nothing_behind() {
    let office = desk::of_files("\n[limits]\nmax_body_bytes = 4096\n");
    office.write(
        "connectors/measures-desk/connector.toml",
        &std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/connectors/documents-csv/connector.toml"))
            .expect("it is shipped")
            .replace("{env:DOCUMENTS_FOLDER}", "{env:PAKN_EXPORTS}"),
    );
    let operator = office.token("clerk", "operate");
    let service = Serving::start(&office);
    let cookie = log_in(&service, &operator);
    let own = csrf(get(&service, PATH, &cookie).text());
    let documents = include_str!("../../../connectors/documents-csv/cases/quarter/van-ban-2026-04-10.csv");
    let long = format!("{ROWS}{}", "3,H61.02-3,H61.02,2026-03-03,2026-03-10,P\n".repeat(200));
    let unknown = ROWS.replace(",P\n", ",X\n");
    for (name, content, status, why) in [
        ("", ROWS, 422, "Chưa chọn tệp, hoặc tệp trống"),
        ("../../a.csv", ROWS, 422, "Tên tệp không dùng được"),
        ("a/b.csv", ROWS, 422, "Tên tệp không dùng được"),
        (".a.csv", ROWS, 422, "Tên tệp không dùng được"),
        ("a.txt", ROWS, 422, "không khớp mẫu tên"),
        ("a.csv.part", ROWS, 422, "không khớp mẫu tên"),
        ("a.csv", "", 422, "Chưa chọn tệp, hoặc tệp trống"),
        ("a.csv", "%PDF-1.7 no table at all", 422, "Vì sao"),
        ("a.csv", "<html><body>Hết phiên</body></html>", 422, "Vì sao"),
        ("a.csv", "khác,hẳn\n1,2\n", 422, "Vì sao"),
        ("a.csv", unknown.as_str(), 422, "Cả 2 dòng của tệp đều sẽ bị loại"),
        ("a.csv", documents, 422, "Tệp này là của kết nối khác: Văn bản điện tử"),
        ("a.csv", long.as_str(), 413, "Tệp lớn hơn mức cho phép: 4 KB"),
    ] {
        let refused = send(&service, &cookie, OWN, &body(&own, name, content));
        assert_eq!(refused.status, status, "{name}: {}", refused.text());
        let text = sound(name, refused.text(), "vi");
        assert!(text.contains("không có gì được lưu") && text.contains(why), "{name}: {text}");
        assert!(stored(&office).is_empty(), "{name}: {:?}", stored(&office));
        assert!(!office.exports().join(".motcua-uploads").exists(), "{name}");
    }
    let english = get(&service, &format!("{PATH}?lang=en"), &cookie);
    assert!(sound("English", english.text(), "en").contains("Choose a file"));
    // A body that is no form, and a connector that reads no folder.
    let headers = [("content-type", "text/plain"), ("cookie", cookie.as_str()), OWN];
    assert_eq!(service.ask("POST", PATH, &headers, "x").status, 400);
    let broken = send(&service, &cookie, OWN, "--edge\r\nnothing");
    assert_eq!(broken.status, 400);
    sound("broken", broken.text(), "vi");
    assert!(stored(&office).is_empty());
    assert!(uploads(&office).iter().all(|what| what == "upload desk: refused"));
}
