//! A folder of lists that clerks edit, night after night, through the real binary: the figures are those of what the files
//! say now. What the random histories of `run/settling/folder` check on tables, this checks once on figures.
#![expect(clippy::disallowed_methods, reason = "edge: a test writes the lists and runs the binary")]

mod deletions;

use std::path::Path;
use std::process::Output;
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

use crate::office::{copy, program};

const HEADER: &str = "channel,concept:name,deadline,department,enddate,startdate\n";

/// A row of the example's columns: received on 2 November 2010 and due on the 30th.
fn row(code: &str, end: &str) -> String {
    format!("Internet,{code},2010-11-30 10:00:00+01:00,General,2010-{end} 10:00:00+01:00,2010-11-02 09:00:00+01:00\n")
}

const IN_TIME: &str = "11-29";
const LATE: &str = "12-24";

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// The example's office, with every CSV file of its folder as a list.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/receipt-log");
        copy(&example, &folder.path().join("office"));
        std::fs::create_dir(folder.path().join("lists")).expect("the folder can be written");
        let connector = folder.path().join("office/connector.toml");
        let text = std::fs::read_to_string(&connector).expect("the example has a connector");
        let glob = "glob = \"receipt_cases.csv\"";
        assert!(text.contains(glob), "{text}");
        let text = text.replace(glob, "glob = \"*.csv\"\nsettle_secs = 0");
        assert!(text.contains("[decode]\n"), "{text}");
        let text = text.replace("[decode]\n", "[decode]\nfooters = [\"Total\"]\n");
        std::fs::write(&connector, text).expect("it can be edited");
        Self { folder }
    }

    /// Writes a list that was saved so many days ago.
    fn put(&self, name: &str, days_ago: u64, rows: &[(&str, &str)]) {
        let path = self.folder.path().join("lists").join(name);
        let text: String = rows.iter().map(|(code, end)| row(code, end)).collect();
        std::fs::write(&path, HEADER.to_owned() + &text).expect("the list can be written");
        let file = std::fs::File::options().write(true).open(&path).expect("the list is there");
        let saved = SystemTime::now() - Duration::from_secs(days_ago * 86_400);
        file.set_modified(saved).expect("its time can be set");
    }

    /// Adds a text to the end of a list.
    fn append(&self, name: &str, text: &str) {
        use std::io::Write as _;
        let file = std::fs::File::options().append(true).open(self.folder.path().join("lists").join(name));
        file.expect("the list is there").write_all(text.as_bytes()).expect("it can be written");
    }

    /// Cuts the last bytes of a list.
    fn cut(&self, name: &str, bytes: u64) {
        let file = std::fs::File::options().write(true).open(self.folder.path().join("lists").join(name));
        let file = file.expect("the list is there");
        let length = file.metadata().expect("it has a length").len();
        file.set_len(length - bytes).expect("it can be cut");
    }

    fn act(&self, arguments: &[&str]) -> Output {
        program()
            .args(["--config", "office/motcua.toml", "--data", "data"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env("RECEIPT_LOG", self.folder.path().join("lists"))
            .output()
            .expect("the binary runs")
    }

    /// A night: its exit code, and on time / received of 2010.
    fn night(&self) -> (Option<i32>, [u64; 2]) {
        let run = self.act(&["run"]);
        let report = self.act(&["report", "receipt-on-time", "--by", "year", "--format", "json"]);
        let rows: Vec<Json> = serde_json::from_slice(&report.stdout).unwrap_or_else(|_| panic!("{report:?}"));
        let whole = rows.iter().find(|row| row["agency"].is_null() && row["period"] == "2010");
        let whole = whole.unwrap_or_else(|| panic!("no figure of 2010: {rows:?} {run:?}"));
        (run.status.code(), ["numerator", "denominator"].map(|name| whole[name].as_u64().unwrap_or_default()))
    }
}

#[test]
fn figures_are_those_of_what_the_lists_say_now() {
    let desk = Desk::new();
    let first = [("case-1", IN_TIME), ("case-2", IN_TIME), ("case-3", IN_TIME), ("case-4", IN_TIME)];
    // The older list has case 1 as late; the newer list decides.
    desk.put("b.csv", 9, &[("case-1", LATE), ("case-9", LATE)]);
    desk.put("a.csv", 5, &first);
    assert_eq!(desk.night(), (Some(0), [4, 5]));
    // Case 2 is late after all, and case 4 was a mistake: deleted.
    desk.put("a.csv", 4, &[("case-1", IN_TIME), ("case-2", LATE), ("case-3", IN_TIME)]);
    assert_eq!(desk.night(), (Some(0), [2, 4]));
    // The first content is put back, with its old date.
    desk.put("a.csv", 5, &first);
    assert_eq!(desk.night(), (Some(0), [4, 5]));
    // Case 1 leaves the newer list: the older list's values come back.
    desk.put("a.csv", 3, &first[1..]);
    assert_eq!(desk.night(), (Some(0), [3, 5]));
    // The name is used again for another list: told, and nothing is deleted.
    desk.put("a.csv", 2, &[("case-50", IN_TIME)]);
    assert_eq!(desk.night(), (Some(4), [4, 6]));
    let status = String::from_utf8_lossy(&desk.act(&["status"]).stdout).into_owned();
    assert!(status.contains("file `a.csv` has fewer than half of the rows that it had: 3 rows were left"), "{status}");
    // Case 4 is gone again, but a row whose code cannot be read may be case 4: nothing is deleted until it is corrected.
    let list = [("case-1", IN_TIME), ("case-2", IN_TIME), ("case-3", IN_TIME), ("hồ sơ 4", IN_TIME)];
    desk.put("a.csv", 1, &list);
    assert_eq!(desk.night(), (Some(4), [5, 6]));
    let status = String::from_utf8_lossy(&desk.act(&["status"]).stdout).into_owned();
    assert!(status.contains("2 rows are gone from file `a.csv`"), "{status}");
    desk.put("a.csv", 1, &list[..3]);
    assert_eq!(desk.night(), (Some(0), [3, 4]));
}

#[test]
fn a_list_that_may_be_cut_in_its_last_cell_deletes_nothing() {
    let desk = Desk::new();
    let all = [("case-1", IN_TIME), ("case-2", IN_TIME), ("case-3", IN_TIME), ("case-4", IN_TIME)];
    desk.put("a.csv", 9, &all);
    assert_eq!(desk.night(), (Some(0), [4, 4]));
    // The line end of the last line is lost: case 4 may be lost with it.
    desk.put("a.csv", 8, &all[..3]);
    desk.cut("a.csv", 1);
    assert_eq!(desk.night(), (Some(4), [4, 4]));
    let status = String::from_utf8_lossy(&desk.act(&["status"]).stdout).into_owned();
    assert!(status.contains("1 row is gone from file `a.csv`, which may be cut: it lacks"), "{status}");
    // A part of the last cell is lost, and no date is left: the only file of the folder cannot be read.
    desk.put("a.csv", 7, &all[..3]);
    desk.cut("a.csv", 9);
    assert_eq!(desk.night(), (Some(3), [4, 4]));
    let status = String::from_utf8_lossy(&desk.act(&["status"]).stdout).into_owned();
    assert!(status.contains("the file ends within the row in line 4"), "{status}");
    // The list comes whole.
    desk.put("a.csv", 6, &all);
    assert_eq!(desk.night(), (Some(0), [4, 4]));
    // Another program writes it, which never ends the last line: its deletions count.
    desk.cut("a.csv", 1);
    assert_eq!(desk.night(), (Some(0), [4, 4]));
    desk.put("a.csv", 4, &all[..3]);
    desk.cut("a.csv", 1);
    assert_eq!(desk.night(), (Some(0), [3, 3]));
}

#[test]
fn a_list_that_lost_its_footer_row_or_ends_in_nuls_deletes_nothing() {
    let desk = Desk::new();
    let all = [("case-1", IN_TIME), ("case-2", IN_TIME), ("case-3", IN_TIME), ("case-4", IN_TIME)];
    desk.put("a.csv", 9, &all);
    desk.append("a.csv", "Total,4\n");
    assert_eq!(desk.night(), (Some(0), [4, 4]));
    // Cut at the end of a line.
    desk.put("a.csv", 8, &all[..3]);
    assert_eq!(desk.night(), (Some(4), [4, 4]));
    let status = String::from_utf8_lossy(&desk.act(&["status"]).stdout).into_owned();
    assert!(status.contains("1 row is gone from file `a.csv`, which may be cut: it lacks the footer row"), "{status}");
    // The disk lost the end of the file: NULs stand for it.
    desk.put("a.csv", 7, &all[..3]);
    desk.append("a.csv", &"\0".repeat(80));
    assert_eq!(desk.night(), (Some(4), [4, 4]));
    let status = String::from_utf8_lossy(&desk.act(&["status"]).stdout).into_owned();
    assert!(status.contains("the file ends in 80 NULs"), "{status}");
    // A clerk deleted a row, and the list is whole.
    desk.put("a.csv", 6, &all[..3]);
    desk.append("a.csv", "Total,3\n");
    assert_eq!(desk.night(), (Some(0), [3, 3]));
}

#[test]
fn a_folder_that_a_colleague_renamed_costs_a_night_and_no_row() {
    let desk = Desk::new();
    desk.put("a.csv", 9, &[("case-1", IN_TIME), ("case-2", LATE)]);
    assert_eq!(desk.night(), (Some(0), [1, 2]));
    let (lists, renamed) = (desk.folder.path().join("lists"), desk.folder.path().join("danh sách cũ"));
    std::fs::rename(&lists, &renamed).expect("it can be renamed");
    assert_eq!(desk.night(), (Some(3), [1, 2]));
    let status = String::from_utf8_lossy(&desk.act(&["status"]).stdout).into_owned();
    assert!(status.contains("lists") && status.contains("hint: "), "{status}");
    // An empty folder of the old name, as a share that is not mounted leaves it.
    std::fs::create_dir(&lists).expect("it can be made");
    assert_eq!(desk.night(), (Some(4), [1, 2]));
    // The declaration names the new folder: everything is read again, and nothing is accepted twice or deleted.
    std::fs::remove_dir(&lists).expect("it is empty");
    let connector = desk.folder.path().join("office/connector.toml");
    let text = std::fs::read_to_string(&connector).expect("the connector is there");
    let moved = text.replace("{env:RECEIPT_LOG}", "{env:RECEIPT_LOG}/../danh sách cũ");
    assert_ne!(moved, text);
    std::fs::write(&connector, moved).expect("it can be edited");
    std::fs::create_dir(&lists).expect("the path goes through it");
    assert_eq!(desk.night(), (Some(0), [1, 2]));
    // And back.
    std::fs::write(&connector, text).expect("it can be edited");
    std::fs::remove_dir(&lists).expect("it is empty");
    std::fs::rename(&renamed, &lists).expect("it can be renamed");
    assert_eq!(desk.night(), (Some(0), [1, 2]));
    let shown = String::from_utf8_lossy(&desk.act(&["runs", "list", "--format", "json"]).stdout).into_owned();
    let runs: Vec<Json> = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(runs.len(), 5);
}

#[test]
fn lists_are_ordered_by_the_date_in_their_titles() {
    let desk = Desk::new();
    let connector = desk.folder.path().join("office/connector.toml");
    let text = std::fs::read_to_string(&connector).expect("the connector is there");
    let order = "settle_secs = 0\norder = { title = \"đến ngày {dd/MM/yyyy}\" }";
    std::fs::write(&connector, text.replace("settle_secs = 0", order)).expect("it can be edited");
    let put = |name: &str, days_ago: u64, title: &str, rows: &[(&str, &str)]| {
        desk.put(name, days_ago, rows);
        let path = desk.folder.path().join("lists").join(name);
        let saved = std::fs::metadata(&path).and_then(|file| file.modified()).expect("it is there");
        let list = std::fs::read_to_string(&path).expect("it is there");
        std::fs::write(&path, format!("{title}\n{list}")).expect("it can be written");
        let file = std::fs::File::options().write(true).open(&path).expect("it is there");
        file.set_modified(saved).expect("its time can be set");
    };
    // Saved first, and of the later period.
    put("a.csv", 9, "Từ ngày 01/12/2010 đến ngày 31/12/2010", &[("case-1", LATE), ("case-2", IN_TIME)]);
    put("b.csv", 5, "Từ ngày 01/11/2010 đến ngày 30/11/2010", &[("case-1", IN_TIME), ("case-3", IN_TIME)]);
    assert_eq!(desk.night(), (Some(0), [2, 3]));
    // A list that arrives late changes no row of a newer one.
    put("c.csv", 0, "Từ ngày 01/10/2010 đến ngày 31/10/2010", &[("case-1", IN_TIME), ("case-4", IN_TIME)]);
    assert_eq!(desk.night(), (Some(0), [3, 4]));
    // A file without a date is named, and ordered by its modification time, which is newer.
    put("d.csv", 1, "Danh sách bổ sung", &[("case-1", IN_TIME)]);
    let (code, counts) = desk.night();
    assert_eq!((code, counts), (Some(0), [4, 4]));
    let status = String::from_utf8_lossy(&desk.act(&["status"]).stdout).into_owned();
    assert!(status.contains("no date as `access.order` declares") && status.contains("`d.csv`"), "{status}");
    let checked = desk.act(&["check"]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(3), "the newest file has no date: {said}");
    assert!(said.contains("the title rows of file `d.csv` have no date"), "{said}");
}

#[test]
fn a_list_under_a_name_in_another_letter_case_or_unicode_form_is_the_same_list() {
    let desk = Desk::new();
    let rows = [("case-1", IN_TIME), ("case-2", IN_TIME), ("case-3", IN_TIME)];
    let (composed, decomposed) = ("th\u{e1}ng 3.csv", "tha\u{301}ng 3.csv");
    let names = [composed, decomposed, "TH\u{c1}NG 3.CSV"];
    desk.put(names[0], 9, &rows);
    assert_eq!(desk.night(), (Some(0), [3, 3]));
    let rename = |from: &str, to: &str, days_ago: u64, rows: &[(&str, &str)]| {
        std::fs::remove_file(desk.folder.path().join("lists").join(from)).expect("it is there");
        desk.put(to, days_ago, rows);
        desk.night()
    };
    // A row that the list no longer has is deleted: the name is the same.
    assert_eq!(rename(names[0], names[1], 8, &[rows[0], ("case-2", LATE)]), (Some(0), [1, 2]));
    assert_eq!(rename(names[1], names[2], 7, &rows[1..]), (Some(0), [2, 2]));
    assert_eq!(rename(names[2], names[0], 6, &rows[1..]), (Some(0), [2, 2]));
    // Both in the folder are two lists.
    desk.put(names[2], 5, &rows[..1]);
    assert_eq!(desk.night(), (Some(0), [3, 3]));
}

#[test]
fn rows_that_contradict_each_other_without_an_order_are_told() {
    let desk = Desk::new();
    desk.put("a.csv", 9, &[("case-1", IN_TIME), ("case-2", IN_TIME), ("case-1", LATE), ("case-2", IN_TIME)]);
    // An older list says otherwise, and that is no contradiction.
    desk.put("b.csv", 10, &[("case-1", IN_TIME), ("case-2", LATE)]);
    assert_eq!(desk.night(), (Some(0), [1, 2]));
    let told = "contradicts a row of equal order, and the one read later counts: 1, first on page 2, row 2";
    for (arguments, expected) in [
        (&["status"][..], told),
        (&["runs", "show", "1"], "1 rows differ from another row with the same key and time, first on page 2, row 2"),
    ] {
        let shown = String::from_utf8_lossy(&desk.act(arguments).stdout).into_owned();
        assert!(shown.contains(expected), "{shown}");
    }
}
