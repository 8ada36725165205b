//! Rows that state parts of dossiers beside rows that state all of them (`[partial]`), through the binary and the shipped connector
//! of messages: progress items in any order, again, late, broken, before their dossier, and with a kill between.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::DataType;
use serde_json::{Value, json};

use crate::desk::{expect, rows};
use crate::office::{self, Office, copy, frames};

const A: &str = "H61.14-251001-0001";
const B: &str = "H61.14-251001-0002";
/// Of this dossier items come before its own row.
const U: &str = "H61.14-251001-0003";

/// An office with no other source than the messages.
fn office_of_messages() -> Office {
    let mut office = Office::new("http://127.0.0.1:1").only(&[], &["online", "postal", "resolution"]);
    let folder = office.path().join("messages");
    std::fs::create_dir(&folder).expect("a scratch folder");
    office.variables.insert("LGSP_MESSAGES", folder.display().to_string());
    expect(&office, &["connectors", "add", "lgsp-dossiers"], 0);
    office.edit("connectors/lgsp-dossiers/connector.toml", |text| {
        text.replace("[access]\n", "[access]\nsettle_secs = 0\n").replace("silent_after_days = 12\n", "")
    });
    office
}

/// A whole row: received on 1 October at 8:00, with a status and the hour of 6 October at which it was completed.
fn whole(code: &str, status: &str, completed: Option<u8>) -> Value {
    json!({
        "MaHoSo": code, "MaTTHC": "1.000001", "MaLinhVuc": "LV", "KenhThucHien": "1", "NgayNopHoSo": "20251001080000",
        "NgayTiepNhan": "20251001080000", "NgayHenTra": "20251009170000", "TrangThaiHoSo": status,
        "NgayKetThucXuLy": completed.map_or_else(String::new, |hour| format!("20251006{hour:02}0000")), "NgayTra": "",
        "HinhThuc": "0", "DonViXuLy": "Sở mẫu A", "DanhSachHoSoBoSung": [],
    })
}

/// A progress item at an hour of 6 October.
fn item(code: &str, hour: u8, status: &str) -> Value {
    json!({
        "MaHoSo": code, "NguoiXuLy": "Trần Thị Canari", "ThoiDiemXuLy": format!("20251006{hour:02}0000"), "TrangThai": status,
    })
}

/// Writes a message that was sent at an hour of 6 October.
fn send(office: &Office, service: &str, hour: u8, data: &[Value]) {
    let message = json!({"session": "", "service": service, "data": data});
    office.write(&format!("messages/{service}-20251006{hour:02}0000-001.json"), &message.to_string());
}

const WHOLE: &str = "DongBoHoSoMC";
const PROGRESS: &str = "CapNhatTienDoHoSoMC";

/// Last digit of the code → status, day of reception, hours of completion, of the return and of the newest item.
fn dossiers(data: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for frame in frames(data, "dossiers") {
        let text = |name: &str, at: usize| -> String {
            let column = frame.column(name).and_then(|column| column.str()).expect("a text column");
            column.get(at).unwrap_or("-").to_owned()
        };
        let instant = |name: &str, format: &str, at: usize| -> String {
            let column = frame.column(name).and_then(|column| column.cast(&DataType::Int64)).expect("an instant");
            let micros = column.i64().expect("cast").get(at);
            micros.map_or("-".to_owned(), |at| motcua::model::instant::local(at).strftime(format).to_string())
        };
        for at in 0..frame.height() {
            let shown = [
                text("status", at),
                instant("received_at", "%d", at),
                instant("completed_at", "%H", at),
                instant("returned_at", "%H", at),
                instant("source_updated_at", "%H", at),
            ];
            found.insert(text("source_key", at)[17..].to_owned(), shown.join(" "));
        }
    }
    found
}

fn of(found: &[(&str, &str)]) -> BTreeMap<String, String> {
    found.iter().map(|(key, shown)| ((*key).to_owned(), (*shown).to_owned())).collect()
}

fn counts(office: &Office) -> [u64; 6] {
    office.counts("lgsp-dossiers", ["received", "accepted", "unchanged", "duplicate", "superseded", "quarantined"])
}

fn versions(office: &Office) -> usize {
    office::rows(&office.data(), "dossier_versions").len()
}

/// Two dossiers, and the progress of one of them, the last step first and one step twice; a step of an unknown dossier.
fn first_night(office: &Office) {
    send(office, WHOLE, 8, &[whole(A, "2", None), whole(B, "4", None)]);
    let completed = item(A, 11, "9");
    send(office, PROGRESS, 14, &[item(A, 13, "10"), completed.clone(), item(A, 9, "5"), completed, item(U, 10, "4")]);
}

#[test]
fn progress_fills_a_dossier_until_its_next_whole_row() {
    let office = office_of_messages();
    first_night(&office);
    expect(&office, &["run"], 0);
    assert_eq!(counts(&office), [7, 6, 0, 1, 0, 0]);
    let first = of(&[("1", "returned 01 11 13 13"), ("2", "processing 01 - - -"), ("3", "processing - - - 10")]);
    assert_eq!((dossiers(&office.data()), versions(&office)), (first, 6), "each step is a version");

    // The message again under another name, with one more step of the other dossier.
    send(&office, PROGRESS, 16, &[item(A, 13, "10"), item(A, 9, "5"), item(B, 15, "9")]);
    expect(&office, &["run"], 0);
    assert_eq!(counts(&office)[..2], [3, 1]);
    let second = of(&[("1", "returned 01 11 13 13"), ("2", "completed 01 15 - 15"), ("3", "processing - - - 10")]);
    assert_eq!((dossiers(&office.data()), versions(&office)), (second, 7));

    // A later whole row is the whole dossier: it was taken up again. The item that is older than the row changes nothing,
    // though it comes last; the row of the unknown dossier completes what its item stated.
    send(&office, WHOLE, 18, &[whole(A, "4", None)]);
    send(&office, WHOLE, 9, &[whole(U, "2", None)]);
    send(&office, PROGRESS, 19, &[item(A, 17, "9")]);
    expect(&office, &["run"], 0);
    assert_eq!(counts(&office), [3, 2, 0, 0, 1, 0]);
    let third = of(&[("1", "processing 01 - - 13"), ("2", "completed 01 15 - 15"), ("3", "processing 01 - - 10")]);
    assert_eq!((dossiers(&office.data()), versions(&office)), (third.clone(), 9));

    // What is read again changes nothing: landed pages, and all files under a declaration that means the same.
    let replayed = expect(&office, &["replay", "1"], 0);
    assert!(replayed.contains("received 7 = accepted 0"), "{replayed}");
    assert_eq!((dossiers(&office.data()), versions(&office)), (third.clone(), 9));
    office.edit("connectors/lgsp-dossiers/connector.toml", |text| {
        text.replace("\"11\" = \"refused\"\n", "\"11\" = \"refused\"\n\"12\" = \"refused\"\n")
    });
    expect(&office, &["run"], 0);
    assert_eq!(counts(&office)[..2], [13, 0]);
    assert_eq!((dossiers(&office.data()), versions(&office)), (third, 9));

    // Under another meaning of a code, all files are read again and give the dossiers of that meaning.
    office.edit("connectors/lgsp-dossiers/connector.toml", |text| {
        let (wholes, items) = text.split_at(text.find("[partial]").expect("it has partial rows"));
        let wholes = wholes.replace("\"4\" = \"processing\"", "\"4\" = \"finance\"");
        wholes + &items.replace("\"9\" = \"completed\"", "\"9\" = \"returned\"")
    });
    expect(&office, &["run"], 0);
    let fourth = of(&[("1", "finance 01 - - 13"), ("2", "returned 01 - 15 15"), ("3", "processing 01 - - 10")]);
    assert_eq!(dossiers(&office.data()), fourth);
}

#[test]
fn a_broken_item_is_listed_once_until_the_whole_dossier_comes() {
    let office = office_of_messages();
    office.edit("connectors/lgsp-dossiers/connector.toml", |text| {
        text.replace("least_of_usual = 0.0\n", "least_of_usual = 0.0\nreject_share = 1.0\n")
    });
    let mut broken = item(A, 11, "9");
    broken["ThoiDiemXuLy"] = json!("20251306110000");
    let mut other = broken.clone();
    other["TrangThai"] = json!("10");
    let listed = |office: &Office| rows(office, &["quarantine", "list"]).len();
    send(&office, WHOLE, 8, &[whole(A, "2", None), whole(B, "4", None)]);
    send(&office, PROGRESS, 12, &[broken.clone(), other.clone(), item(B, 10, "5")]);
    expect(&office, &["run"], 0);
    assert_eq!((counts(&office)[5], listed(&office)), (2, 2), "two items of one dossier are two rows");
    // Sent again beside a step that can be read: the same two rows.
    send(&office, PROGRESS, 13, &[other, broken, item(A, 12, "5")]);
    expect(&office, &["run"], 0);
    assert_eq!((counts(&office)[5], listed(&office)), (2, 2));
    assert_eq!(dossiers(&office.data())["1"], "supplement 01 - - 12");
    let refused = expect(&office, &["quarantine", "list"], 0);
    assert!(!refused.contains("Canari"), "{refused}");
    // The whole dossier states what they would have.
    send(&office, WHOLE, 18, &[whole(A, "9", Some(11))]);
    expect(&office, &["run"], 0);
    assert_eq!(listed(&office), 0);
    assert_eq!(dossiers(&office.data())["1"], "completed 01 11 - 12");
}

#[test]
fn an_item_that_makes_its_dossier_impossible_stays_open_and_hides_no_later_whole_row() {
    let office = office_of_messages();
    office.edit("connectors/lgsp-dossiers/connector.toml", |text| {
        text.replace(
            "least_of_usual = 0.0\n",
            "least_of_usual = 0.0\nreject_share = 1.0\nimpossible = \"reject_row\"\n",
        )
    });
    let listed = |office: &Office| rows(office, &["quarantine", "list"]).len();
    let mut first = whole(A, "2", None);
    first["NgayTiepNhan"] = json!("20251006120000");
    send(&office, WHOLE, 8, &[first, whole(B, "4", None)]);
    expect(&office, &["run"], 0);
    // Completed before it was received: only the merged dossier shows it.
    send(&office, PROGRESS, 14, &[item(A, 11, "9"), item(B, 12, "5")]);
    expect(&office, &["run"], 0);
    assert_eq!(dossiers(&office.data())["1"], "received 06 - - -");
    assert_eq!((counts(&office)[5], listed(&office)), (1, 1), "it is in quarantine, and open");
    // A whole row of nine o'clock comes late and replaces the dossier: no accepted item is newer.
    send(&office, WHOLE, 9, &[whole(A, "4", None)]);
    expect(&office, &["run"], 0);
    assert_eq!(dossiers(&office.data())["1"], "processing 01 - - -");
}

#[test]
fn a_message_that_is_sent_again_is_the_whole_dossier_of_its_moment() {
    let office = office_of_messages();
    send(&office, WHOLE, 8, &[whole(A, "2", None)]);
    send(&office, PROGRESS, 12, &[item(A, 12, "9")]);
    expect(&office, &["run"], 0);
    assert_eq!(dossiers(&office.data())["1"], "completed 01 12 - 12");
    // The same bytes under a newer name.
    send(&office, WHOLE, 16, &[whole(A, "2", None)]);
    expect(&office, &["run"], 0);
    assert_eq!(dossiers(&office.data())["1"], "received 01 - - 12");
    // Only what comes after it counts.
    send(&office, PROGRESS, 17, &[item(A, 15, "9")]);
    expect(&office, &["run"], 0);
    assert_eq!(dossiers(&office.data())["1"], "received 01 - - 12");
    send(&office, PROGRESS, 18, &[item(A, 18, "5")]);
    expect(&office, &["run"], 0);
    assert_eq!(dossiers(&office.data())["1"], "supplement 01 - - 18");
}

#[test]
fn a_night_of_messages_that_is_killed_and_repeated_gives_the_same_dossiers() {
    let office = office_of_messages();
    first_night(&office);
    expect(&office, &["run"], 0);
    send(&office, PROGRESS, 16, &[item(A, 13, "10"), item(B, 15, "9"), item(U, 15, "5")]);
    send(&office, WHOLE, 15, &[whole(A, "4", None), whole(U, "2", None)]);
    let scratch = |name: &str| {
        let data = office.path().join(name);
        copy(&office.data(), &data);
        data
    };
    let undisturbed = scratch("undisturbed");
    office.run_on(&undisturbed);
    let expected = (dossiers(&undisturbed), office::rows(&undisturbed, "dossier_versions"));
    let third = of(&[("1", "processing 01 - - 13"), ("2", "completed 01 15 - 15"), ("3", "supplement 01 - - 15")]);
    assert_eq!(expected.0, third);
    let is_dead = |number: u32| {
        let data = scratch(&format!("killed-{number}"));
        let mut command = office.command_on(&data, &["run"]);
        let output = command.env("MOTCUA_DIE_AT", number.to_string()).output().expect("the program starts");
        office.run_on(&data);
        let found = (dossiers(&data), office::rows(&data, "dossier_versions"));
        assert_eq!(found, expected, "killed at {number}");
        !output.status.success()
    };
    assert!([3, 7, 10, 13, 16, 20].into_iter().filter(|number| is_dead(*number)).count() > 3, "the kills were none");
}
