//! Figures and forms by the definitions that a night kept, after the configuration changed on disk; the form of a
//! successor agency.

use calamine::{Data, Reader as _};

use crate::desk;
use crate::office::Office;

/// Added to the mapping of the test connector `desk`.
const MORE: &str = r#"
[map.completed_at]
from = "ended"
type = "instant"
formats = ["yyyy-MM-dd"]
"#;

/// Due dates without a time include the whole day. The health department of the former province of Bến Tre (H07.09)
/// ended on 2025-06-30.
const DOSSIERS: &str = "id,code,agency,received,due,status,ended
A1,H61.09-251006-0001,H61.09,2025-10-06,2025-10-09,D,2025-10-08
A2,H61.09-251006-0002,H61.09,2025-10-06,2025-10-09,D,2025-10-10
A3,H61.09-251006-0003,H61.09,2025-10-06,2025-10-09,D,2025-10-20
A4,H61.09-251006-0004,H61.09,2025-10-06,,D,2025-10-08
C1,H61.09-250609-0001,H61.09,2025-06-09,2025-06-12,D,2025-06-12
B1,H07.09-250602-0001,H07.09,2025-06-02,2025-06-05,D,2025-06-04
B2,H07.09-250602-0002,H07.09,2025-06-02,2025-07-10,D,2025-07-15
";

fn replace(office: &Office, file: &str, from: &str, to: &str) {
    office.edit(file, |text| {
        assert!(text.contains(from), "`{file}` holds `{from}`");
        text.replacen(from, to, 1)
    });
}

/// Counts of the province in a report, and the digest of the definition that they were computed with.
fn report(office: &Office, arguments: &[&str]) -> (u64, u64, String) {
    let rows = desk::rows(office, &[&["report"], arguments].concat());
    let whole = rows.iter().find(|row| row["agency"].is_null() && row["tier"].is_null()).expect("the province");
    let number = |name: &str| whole[name].as_u64().expect("a count");
    let digest = whole["definition"].as_str().expect("a digest").to_owned();
    (number("numerator"), number("denominator"), digest)
}

/// Columns 3 to 13 of the last total row of the form.
fn total(office: &Office, arguments: &[&str]) -> Vec<u64> {
    let path = office.path().join("form.xlsx");
    let file = path.to_str().expect("a scratch folder's name is text");
    desk::expect(office, &[&["form", "II.06a", "--output", file], arguments].concat(), 0);
    let mut book = calamine::open_workbook_auto(&path).expect("the form is a workbook");
    let sheet = book.worksheet_range_at(0).expect("it has a sheet").expect("that can be read");
    let mut rows = sheet.rows().filter(|row| row.iter().any(|cell| cell.to_string().trim() == "Tổng cộng"));
    let row = rows.next_back().expect("the form has its total");
    let number = |cell: &Data| cell.to_string().parse::<u64>().ok();
    row.iter().filter_map(number).collect()
}

/// A1 to A4 are received from 6 to 12 October 2025: A1 is on time, A2 and A3 are late, A4 has no due date.
#[test]
fn the_definitions_that_a_night_kept_count_unless_todays_are_requested() {
    const WEEK: [&str; 3] = ["par-3.4.1", "--period", "2025-W41"];
    let office = desk::of_files(MORE);
    office.write("exports/1.csv", DOSSIERS);
    office.run();
    let (part, whole, by_night) = report(&office, &WEEK);
    assert_eq!((part, whole), (1, 4));

    // Now the indicator counts late dossiers, and its rule set counts those without a due date as on time: A2 and A3
    // remain.
    let resolution = "config/indicators/resolution.toml";
    replace(&office, resolution, "numerator = \"is_on_time\"", "numerator = \"is_late\"");
    replace(&office, "config/rules/seed-2639.toml", "without_due = \"not_on_time\"", "without_due = \"on_time\"");
    // An indicator gets another id: the old one is no longer defined.
    office.edit(resolution, |text| text.replace("\"par-ii.1.d\"", "\"par-ii.1.e\""));
    let today = [&WEEK[..], &["--definitions", "today"]].concat();
    assert_eq!(report(&office, &WEEK), (1, 4, by_night.clone()), "the night's own definition");
    let (part, whole, by_today) = report(&office, &today);
    assert_eq!((part, whole), (2, 4), "today's");
    assert_ne!(by_today, by_night);
    // Figures that the night has stored do not change.
    assert_eq!(report(&office, &["par-3.4.1", "--period", "2025-10"]), (1, 4, by_night));
    let (part, whole, _) = report(&office, &["par-ii.1.d", "--period", "2025-W41"]);
    assert_eq!((part, whole), (0, 4), "the night knows it");
    desk::expect(&office, &["report", "par-ii.1.d", "--period", "2025-W41", "--definitions", "today"], 2);
    desk::expect(&office, &["report", "par-ii.1.e", "--period", "2025-W41"], 2);

    // Columns 3 to 13 of June. The successor itself has C1, on time on its last day. The agency before it has B1,
    // early, and B2, which is open in time at the end of June.
    let form = |more: &[&str]| total(&office, &[&["--period", "2025-06"], more].concat());
    let (heir, old) = (["--agency", "H61.09"], ["--agency", "H07.09"]);
    let as_if = [&heir[..], &["--as-if", "today"]].concat();
    assert_eq!(form(&heir), [1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0]);
    assert_eq!(form(&old), [2, 0, 2, 0, 1, 1, 0, 0, 1, 1, 0]);
    assert_eq!(form(&as_if), [3, 0, 3, 0, 2, 1, 1, 0, 1, 1, 0]);
    // The succession is commented out: the night has kept it.
    replace(&office, "config/successions.csv", "\nH07.09,H61.09,", "\n# H07.09,H61.09,");
    assert_eq!(form(&as_if), [3, 0, 3, 0, 2, 1, 1, 0, 1, 1, 0]);
    assert_eq!(form(&[&as_if[..], &["--definitions", "today"]].concat()), [1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0]);
    // For all agencies together the form is the same with and without successions: 2 of Bến Tre, 1 of Vĩnh Long.
    assert_eq!(form(&["--tier", "province"]), [3, 0, 3, 0, 2, 1, 1, 0, 1, 1, 0]);
}

/// Form II.06a reads the state at each period's end. In one pass over all periods that is done for counts of dossiers: an amount
/// by the state is left out and named; for one period it is computed.
#[test]
fn a_rule_set_leaves_out_what_it_cannot_compute_for_all_periods_at_once() {
    let office = desk::of_files(MORE);
    office.write("exports/1.csv", DOSSIERS);
    // By the day of reception the state of a dossier can change until the period's end, and later.
    let quality = include_str!("../../../config/indicators/quality.toml").replace("\"ended_at\"", "\"received_at\"");
    office.write("config/indicators/quality.toml", &quality);
    office.run();
    let points = "par-3.4.5-1-points";
    let refused = |arguments: &[&str]| {
        let output = office.act(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).expect("messages are UTF-8")
    };
    for verb in ["report", "sql"] {
        let message = refused(&[verb, points, "--rules", "form-06a"]);
        assert!(
            message.contains("`form-06a` reads the state at each period's end") && message.contains(points),
            "{message}"
        );
    }
    let of_period = desk::rows(&office, &["report", points, "--rules", "form-06a", "--period", "2025"]);
    assert!(of_period.iter().any(|row| row["agency"] == "H61.09"), "{of_period:?}");
    let all = office.act(&["report", "--rules", "form-06a", "--by", "year", "--format", "csv"]);
    let (printed, told) = (String::from_utf8_lossy(&all.stdout), String::from_utf8_lossy(&all.stderr));
    assert!(all.status.success() && told.contains(points), "{told}");
    assert!(printed.contains("par-3.4.1") && !printed.contains(points), "{printed}");
}
