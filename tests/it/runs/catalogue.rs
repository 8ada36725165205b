//! Procedures of a catalogue in figures and forms: if the registry file has a code, its whole row counts; other codes
//! come from the catalogue as of each night.

use std::sync::{Arc, Mutex, PoisonError};

use calamine::Reader as _;
use jiff::civil::{Date, date};
use motcua::config;
use motcua::model::instant::from_local;
use motcua::run;
use motcua::simulator::{CATALOGUE_PASSWORD, LOGIN_PATH};
use serde_json::{Value, json};

use crate::desk;
use crate::office::{Answer, Office, deep, stub_server};

/// Added to the mapping of the test connector `desk`.
const MORE: &str = r#"
[map.procedure_code]
from = "procedure"
type = "procedure_code"

[map.completed_at]
from = "ended"
type = "instant"
formats = ["yyyy-MM-dd"]
"#;

/// Two dossiers without a due date that took seven working days: of a procedure that only the catalogue has, and of one
/// in the file.
const DOSSIERS: &str = "id,code,agency,received,due,status,procedure,ended
A1,H61.14-251103-0001,H61.14,2025-11-03,,D,1.900901,2025-11-12
A2,H61.14-251103-0002,H61.14,2025-11-03,,D,1.004873,2025-11-12
";

/// A catalogue that a test can change.
#[derive(Clone, Default)]
struct Catalogue(Arc<Mutex<Vec<Value>>>);

impl Catalogue {
    fn serve(&self) -> String {
        let rows = Arc::clone(&self.0);
        stub_server(move |request| {
            if request.contains(LOGIN_PATH) {
                return Answer::json(r#"{"session":"s","error_code":0}"#);
            }
            let rows = rows.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Answer::json(&json!({"error_code": 0, "message": "", "result": rows}).to_string())
        })
    }

    /// Sets the statutory time of the catalogue's own procedure to `days`, and of the procedure in the file to thirty.
    fn state(&self, days: u32) {
        let row = |code: &str, sector: &str, sector_name: &str, days: u32| {
            json!({
                "MATTHC": code, "TENTTHC": "Thủ tục mẫu của danh mục", "MALINHVUC": sector, "TENLINHVUC": sector_name,
                "MADONVI": "000.00.00.H61", "CAPDONVI": "Cấp tỉnh", "THOIGIANGIAIQUYET": days,
                "DONVITINH": "Ngày làm việc",
            })
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = vec![
            row("1.900901.000.00.00.H61", "TAI-NGUYEN-NUOC", "Tài nguyên nước", days),
            row("1.004873", "HO-TICH", "Tên khác của hộ tịch", 30),
        ];
    }
}

fn office(catalogue: &Catalogue) -> Office {
    let mut office = desk::of_files(MORE);
    let shipped = include_str!("../../../connectors/procedure-catalogue/connector.toml");
    office.write("connectors/procedure-catalogue/connector.toml", shipped);
    office.variables.insert("DVCQG_URL", catalogue.serve());
    office.write("exports/1.csv", DOSSIERS);
    office
}

/// Runs a night in this process as of 20:00 of a day; the binary would use the system clock.
fn night(office: &Office, day: Date) {
    let mut config = config::load(&office.settings()).expect("the configuration is sound");
    for (name, value) in &office.variables {
        config.values.set_variable(*name, value.clone());
    }
    config.values.set_secret("DVCQG_PASSWORD", CATALOGUE_PASSWORD);
    let evening = from_local(day.at(20, 0, 0, 0));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(64 << 20)
        .enable_all()
        .build()
        .expect("a runtime");
    let complete = deep(|| {
        runtime.block_on(async {
            let held =
                run::DataFolder::open(&config, &office.data(), "test", evening).await.expect("the folder is free");
            let report = held.run_once(&[], evening, &|_| ()).await.expect("the night ends");
            held.ledger.close().await;
            report.published.night.complete
        })
    });
    assert!(complete, "{day}");
}

/// Dossiers on time and received, of provincial departments, in a week (which no night stores), as of a day.
fn on_time(office: &Office, as_of: &str) -> (u64, u64) {
    let rows = desk::rows(office, &["report", "par-3.4.1", "--period", "2025-W45", "--as-of", as_of]);
    let whole = rows.iter().find(|row| row["agency"].is_null() && row["tier"].is_null()).expect("the province");
    let number = |name: &str| whole[name].as_u64().expect("a count");
    (number("numerator"), number("denominator"))
}

#[test]
fn procedures_of_the_catalogue_count_as_of_each_night() {
    let catalogue = Catalogue::default();
    let office = office(&catalogue);
    catalogue.state(3);
    night(&office, date(2025, 11, 27));
    assert_eq!(on_time(&office, "2025-11-27"), (0, 2), "three days have passed, in catalogue and file");
    catalogue.state(30);
    night(&office, date(2025, 11, 28));
    assert_eq!(
        on_time(&office, "2025-11-28"),
        (1, 2),
        "thirty have not passed; of the other procedure the file's three days count, not the catalogue's thirty"
    );
    assert_eq!(on_time(&office, "2025-11-27"), (0, 2), "the night before does not change");

    let messages = desk::expect(&office, &["run"], 0);
    let line = messages.lines().filter(|line| line.contains("registry file and procedure catalogue differ"));
    let lines: Vec<&str> = line.collect();
    assert_eq!(lines.len(), 1, "{messages}");
    for words in ["other_time=1", "not_in_file=1", "other_time_of=\"1.004873\"", "only_in_catalogue=\"1.900901\""] {
        assert!(lines[0].contains(words), "{words}: {messages}");
    }
}

#[test]
fn a_form_names_the_sectors_of_the_catalogue() {
    let catalogue = Catalogue::default();
    let office = office(&catalogue);
    catalogue.state(3);
    desk::expect(&office, &["run"], 0);
    let path = office.path().join("form.xlsx");
    let file = path.to_str().expect("a scratch folder's name is text");
    desk::expect(&office, &["form", "II.06a", "--period", "2025-11", "--output", file], 0);
    let mut book = calamine::open_workbook_auto(&path).expect("the form is a workbook");
    let sheet = book.worksheet_range_at(0).expect("it has a sheet").expect("that can be read");
    let cells: Vec<String> = sheet.used_cells().map(|(_, _, cell)| cell.to_string()).collect();
    let has = |wanted: &str| cells.iter().any(|cell| cell.trim() == wanted);
    assert!(has("Tài nguyên nước"), "the catalogue's sector has its name: {cells:?}");
    assert!(has("Hộ tịch") && !has("Tên khác của hộ tịch"), "the file's names come first: {cells:?}");
}
