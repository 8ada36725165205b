//! Sources that fail: exit code 3, the connector named with a hint, tables and cursor unchanged.

use std::net::TcpListener;

use jiff::civil::date;
use motcua::simulator::{ProvinceSettings, TOKEN_PATH};

use super::{TODAY, night};
use crate::desk;
use crate::office::{Answer, Office, Town, assert_same, files, province, said, stub_server, true_figures};

/// Runs a good night of an earlier day, a night whose portal fails, and a good one, which must find everything.
fn assert_harmless(seed: u64, reason: &str, words: &str, spoil: impl FnOnce(&mut Office)) {
    assert_harmless_until(seed, 3, reason, words, spoil, |_| ());
}

/// The same for a night that ends with exit code `exit`; `repair` is called before the last night.
fn assert_harmless_until(
    seed: u64,
    exit: i32,
    reason: &str,
    words: &str,
    spoil: impl FnOnce(&mut Office),
    repair: impl FnOnce(&Office),
) {
    // Few months: their figures are computed four times.
    let settings = ProvinceSettings { dossiers: 160, seed, first: date(2025, 6, 2), ..ProvinceSettings::new(TODAY) };
    let town = Town::of(province(&settings));
    let mut office = Office::new(&town.url()).lean();
    night(&town, &office, date(2025, 8, 15));
    town.day.set(TODAY);
    office.export(&town, TODAY);
    let good = office.variables.clone();
    let tables = |office: &Office| {
        let dossiers =
            |file: &std::path::PathBuf| ["dossiers", "dossier_versions"].iter().any(|table| file.starts_with(table));
        files(&office.data().join("lake")).into_iter().filter(dossiers).collect::<Vec<_>>()
    };
    let before = tables(&office);
    spoil(&mut office);
    let output = office.act(&["run"]);
    let narration = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{reason}: {narration}");
    assert!(narration.contains("portal-igate: failed"), "{reason}: {narration}");
    assert!(narration.contains(words), "{reason}: {narration}");
    assert!(narration.contains("hint: "), "{reason}: {narration}");
    assert_eq!(tables(&office), before, "{reason}: the dossiers' tables are untouched");
    let status = office.status("portal-igate");
    assert_ne!(status["state"], "healthy", "{reason}");
    assert!(status["hint"].is_string() && status["reason"].is_string(), "{reason}: {status}");
    assert!(
        office.count("bcci-export", "received") > 0,
        "{reason}: the new lists of the post are settled nevertheless"
    );
    assert!(office.report_on(&office.data()).iter().all(|row| row["complete"] == false), "{reason}");

    office.variables = good;
    repair(&office);
    office.run();
    assert_same(&office.figures(), &true_figures(&town.province.truth(TODAY)), reason);
    assert!(office.report_on(&office.data()).iter().all(|row| row["complete"] == true), "{reason}");
}

/// A file is in the place of one connector's landing folder: an error for every user, which concerns no other
/// connector.
#[test]
fn an_own_error_fails_its_connector_alone() {
    let landing = |office: &Office| office.data().join("landing/portal-igate");
    let aside = |office: &Office| office.data().join("landing-aside");
    assert_harmless_until(
        37,
        1,
        "own error",
        "free space",
        |office| {
            std::fs::rename(landing(office), aside(office)).expect("the folder is ours");
            std::fs::write(landing(office), "").expect("the folder is ours");
        },
        |office| {
            assert_eq!(office.status("portal-igate")["reason_code"], "own_error");
            std::fs::remove_file(landing(office)).expect("it was just written");
            std::fs::rename(aside(office), landing(office)).expect("the folder is ours");
        },
    );
}

fn move_to(office: &mut Office, url: &str) {
    office.variables.insert("IGATE_URL", url.to_owned());
    office.variables.insert("IGATE_TOKEN_URL", format!("{url}{TOKEN_PATH}"));
}

#[test]
fn a_portal_that_is_down_changes_nothing() {
    assert_harmless(31, "down", "source is running", |office| {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        move_to(office, &format!("http://{address}"));
    });
}

#[test]
fn a_refused_login_changes_nothing() {
    assert_harmless(32, "login", "login was refused", |office| {
        office.variables.insert("IGATE_CLIENT_SECRET", "not-the-secret".to_owned());
    });
}

#[test]
fn an_html_page_instead_of_json_changes_nothing() {
    let url = stub_server(|request| {
        if request.contains(TOKEN_PATH) {
            Answer::token("t")
        } else {
            Answer::of("200 OK", "text/html", "<!DOCTYPE html><html><body>Đăng nhập</body></html>")
        }
    });
    assert_harmless(33, "html", "open the address in a browser", |office| move_to(office, &url));
}

#[test]
fn a_body_cut_short_changes_nothing() {
    let url = stub_server(|request| {
        if request.contains(TOKEN_PATH) {
            return Answer::token("t");
        }
        let whole = br#"{"content":[{"id":"aaaaaaaaaaaaaaaaaaaaaaaa","code":"H61.14-251128-0001","agency":{"co"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", 9_000);
        Answer::Raw([head.as_bytes(), whole].concat())
    });
    assert_harmless(34, "cut short", "ended early", |office| move_to(office, &url));
}

#[test]
fn if_a_later_page_fails_the_earlier_ones_do_not_count() {
    // Every slice has one good page that announces a second one, which is JSON without records.
    let url = stub_server(|request| {
        if request.contains(TOKEN_PATH) {
            Answer::token("t")
        } else if request.contains("page=0") {
            Answer::json(
                r#"{"content":[{"id":"bbbbbbbbbbbbbbbbbbbbbbbb","code":"H61.14-251128-0001","procedure":{"code":"1.000001"},"agency":{"code":"H61.14"},"applyMethod":{"name":"Trực tiếp"}}],"last":false}"#,
            )
        } else {
            Answer::json(r#"{"status":500,"message":"Internal error"}"#)
        }
    });
    assert_harmless(35, "second page", "decode.records", |office| move_to(office, &url));
}

#[test]
fn a_failed_source_exits_with_code_3() {
    let office = Office::new("http://127.0.0.1:1").brief();
    let output = office.act(&["run", "portal-igate"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
}

/// An empty folder, then a connector that rejects every row: incomplete. Once corrected, it reads the files again.
#[test]
fn a_night_that_accepted_nothing_is_incomplete() {
    const CONNECTOR: &str = "connectors/bcci-export/connector.toml";
    let town = Town::new(60, 15, TODAY);
    let office = Office::new(&town.url()).lean();
    let assert_incomplete = |words: &str| {
        let output = office.act(&["run"]);
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
        assert_eq!(office.status("bcci-export")["state"], "incomplete");
        assert!(office.report_on(&office.data()).iter().all(|row| row["complete"] == false));
    };
    assert_incomplete("has no file that matches `glob`, and never had one");
    office.export(&town, TODAY);
    office.edit(CONNECTOR, |text| text.replace("dd/MM/yyyy[ HH:mm[:ss]]", "yyyyMMdd"));
    assert_incomplete("every row was rejected");
    office.edit(CONNECTOR, |text| text.replace("\"yyyyMMdd\"", "\"dd/MM/yyyy[ HH:mm[:ss]]\""));
    office.run();
    assert_same(&office.figures(), &true_figures(&town.province.truth(TODAY)), "corrected");
}

/// The cursor of the ledger counts only if the tables hold the pull's versions.
#[test]
fn a_lost_lake_is_read_again() {
    let town = Town::new(60, 16, TODAY);
    let office = Office::of(&town).lean();
    office.run();
    office.run();
    std::fs::remove_dir_all(office.data().join("lake")).expect("the tables can be removed");
    office.run();
    assert_same(&office.figures(), &true_figures(&town.province.truth(TODAY)), "a lost lake");
}

#[test]
fn a_missing_share_is_not_an_empty_night() {
    let office = desk::of_files("");
    desk::file(&office, "1.csv", &["A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,P"]);
    office.run();
    std::fs::remove_file(office.exports().join("1.csv")).expect("the list is there");
    let messages = desk::expect(&office, &["run"], 4);
    assert!(messages.contains("has no file that matches `glob`; 1 were read from it before"), "{messages}");
    assert!(messages.contains("not complete for `desk`"), "{messages}");
    // The settings state that files are taken away once they are read.
    office.edit("connectors/desk/connector.toml", |text| format!("{text}\n[contract]\nleast_of_usual = 0.0\n"));
    office.run();
}

#[test]
fn check_reads_the_newest_file() {
    let office = desk::of_files("");
    desk::file(&office, "1.csv", &["A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,P"]);
    let messages = desk::expect(&office, &["check"], 0);
    assert!(messages.contains("`1.csv rows 2-2`: 1 rows, 1 mapped"), "{messages}");
    std::thread::sleep(std::time::Duration::from_millis(20));
    office.write("exports/0.csv", "id,code,agency,arrived,due,status\n");
    let messages = desk::expect(&office, &["check"], 3);
    assert!(messages.contains("`0.csv`: the header row has no column `received`"), "{messages}");
}

#[test]
fn a_secret_that_cannot_be_read_is_named() {
    let mut office = Office::new("http://127.0.0.1:1").brief();
    office.variables.insert("IGATE_CLIENT_SECRET", String::new());
    office.variables.insert("IGATE_CLIENT_SECRET_FILE", office.path().join("nothing").display().to_string());
    let output = office.act(&["run", "portal-igate"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("`IGATE_CLIENT_SECRET_FILE` names "), "{}", said(&output));
}
