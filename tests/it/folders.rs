//! A folder of lists that clerks edit, night after night, through the real binary: the figures are those of what the files
//! say now. What the random histories of `run/settling/folder` check on tables, this checks once on figures.
#![expect(clippy::disallowed_methods, reason = "edge: a test writes the lists and runs the binary")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

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
        for place in ["indicators", "rules", "."] {
            std::fs::create_dir_all(folder.path().join("office").join(place)).expect("the folder can be written");
            for entry in std::fs::read_dir(example.join(place)).expect("the example is there") {
                let path = entry.expect("it can be listed").path();
                if path.is_file() {
                    let name = path.file_name().expect("a file has a name");
                    let to = folder.path().join("office").join(place).join(name);
                    std::fs::copy(&path, to).expect("it can be copied");
                }
            }
        }
        std::fs::create_dir(folder.path().join("lists")).expect("the folder can be written");
        let connector = folder.path().join("office/connector.toml");
        let text = std::fs::read_to_string(&connector).expect("the example has a connector");
        let glob = "glob = \"receipt_cases.csv\"";
        assert!(text.contains(glob), "{text}");
        std::fs::write(&connector, text.replace(glob, "glob = \"*.csv\"\nsettle_secs = 0")).expect("it can be edited");
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

    fn act(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_motcua"))
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
