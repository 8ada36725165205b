//! An office of its own connectors, from `init --minimal` to its first night; and one connector with a mistake, which costs
//! that connector only.
#![expect(clippy::disallowed_methods, reason = "edge: a test writes exports and runs the binary")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::office::serving::Serving;
use crate::office::{files, program, said};

const LIST: &str = "\
Mã hồ sơ;Cơ quan giải quyết;Ngày tiếp nhận;Ngày hẹn trả;Ngày trả kết quả\n\
H61.14-260105-0001;Sở Nội vụ;05/01/2026 08:30;12/01/2026;09/01/2026\n\
H61.14-260113-0002;Sở Y tế;13/01/2026 14:05;20/01/2026;19/01/2026\n\
H61.14-260114-0003;Sở Y tế;14/01/2026 09:00;21/01/2026;\n";

/// A folder with an office in `office` and exports in `exports`.
struct Place(tempfile::TempDir);

impl Place {
    /// Writes the office with `init --minimal`.
    fn minimal() -> Self {
        let place = Self(tempfile::tempdir().expect("a scratch folder"));
        std::fs::create_dir(place.at("exports")).expect("a scratch folder");
        std::fs::write(place.at("exports/list.csv"), LIST).expect("a scratch file");
        let written = program().args(["init", "--minimal"]).arg(place.at("office")).output().expect("the binary runs");
        assert_eq!(written.status.code(), Some(0), "{}", said(&written));
        place
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    /// The binary in the office, as a person would run it.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.at("office")).args(arguments).stdin(Stdio::null());
        command.env_remove("MOTCUA_CONFIG").env_remove("MOTCUA_DATA");
        for variable in ["SO_A_FOLDER", "SO_B_FOLDER"] {
            command.env(variable, self.at("exports"));
        }
        command
    }

    fn act(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    fn expect(&self, arguments: &[&str], code: i32) -> String {
        let output = self.act(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        said(&output)
    }

    /// The row of a connector in `status --format json`, and how many rows there are.
    fn status(&self, connector: &str) -> (Value, usize) {
        let output = self.act(&["status", "--format", "json"]);
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a status is JSON");
        let row = rows.iter().find(|row| row["connector"] == connector);
        (row.unwrap_or_else(|| panic!("no row of `{connector}`: {rows:?}")).clone(), rows.len())
    }

    /// Drafts a connector, names its program, and moves it into the office.
    fn add(&self, name: &str) {
        let from = self.at("exports/list.csv").display().to_string();
        self.expect(&["connectors", "new", name, "--from", &from], 0);
        self.edit(&format!("{name}/connector.toml"), |text| text.replace("\"?\"", "\"phòng máy\""));
        self.expect(&["check", &format!("./{name}")], 0);
        let (draft, target) = (self.at("office").join(name), self.at("office/connectors").join(name));
        std::fs::rename(draft, target).expect("a scratch folder");
    }

    fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        let file = self.at("office").join(file);
        let before = std::fs::read_to_string(&file).expect("it was written");
        let after = change(before.clone());
        assert_ne!(before, after, "{}", file.display());
        std::fs::write(file, after).expect("a scratch file");
    }
}

#[test]
fn an_office_begins_without_connectors_and_reads_its_first() {
    let place = Place::minimal();
    let written = files(&place.at("office"));
    let of_connectors: Vec<_> = written.iter().filter(|file| file.starts_with("connectors")).collect();
    assert_eq!(of_connectors, [Path::new("connectors/README.md")]);
    // Nothing of it is written twice.
    let again = program().args(["init", "--minimal"]).arg(place.at("office")).output().expect("the binary runs");
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));

    for verb in [&["check"][..], &["check", "--offline"], &["connectors", "list"], &["status"]] {
        let text = place.expect(verb, 0);
        assert!(text.contains("no connector is configured\nhint: `motcua connectors new NAME --from FILE`"), "{text}");
    }
    for verb in [&["run"][..], &["serve"], &["replay", "1"], &["vacuum"], &["quarantine", "retry"]] {
        let text = place.expect(verb, 2);
        assert!(text.contains("no connector is configured in `"), "{verb:?}: {text}");
        assert!(text.contains("hint: `motcua connectors new NAME --from FILE`"), "{verb:?}: {text}");
    }
    assert!(!place.at("office/data").exists(), "nothing was written");

    place.add("so-a");
    let night = place.expect(&["run"], 0);
    assert!(night.contains("so-a: received 3 = accepted 3 "), "{night}");
    assert!(night.contains("complete"), "{night}");
    let (row, rows) = place.status("so-a");
    assert_eq!((row["state"].as_str(), rows), (Some("healthy"), 1), "nothing else is there: {row}");
    place.expect(&["status"], 0);
}

/// The service serves the others, and names the one with its mistake.
fn the_service_shows_it(place: &Place) {
    let made = place.act(&["token", "create", "desk", "--scope", "operate"]);
    let token = String::from_utf8(made.stdout).expect("a token is plain").trim().to_owned();
    let serving = Serving::start_with(place.command(&["serve", "--listen", "127.0.0.1:0"]));
    let rows = serving.get("/api/v1/connectors", &token).json();
    let states: Vec<(&str, &str)> = rows.as_array().expect("a list").iter().filter_map(pair_of).collect();
    assert_eq!(states, [("so-a", "healthy"), ("so-b", "failing")]);
    for (path, status) in
        [("/connectors?lang=en", 200), ("/connectors/so-b?lang=en", 404), ("/api/v1/connectors/so-b", 404)]
    {
        let reply = serving.get(path, &token);
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        assert!(
            reply.text().contains("connector.systm") && !reply.text().contains("s3cret"),
            "{path}: {}",
            reply.text()
        );
    }
    let asked = serving.post("/api/v1/runs", &token, "{\"connectors\": [\"so-b\"]}");
    assert_eq!(asked.status, 400, "{}", asked.text());
    assert!(asked.text().contains("connector.systm"), "{}", asked.text());
    assert_eq!(serving.stop(), Some(0));
}

fn pair_of(row: &Value) -> Option<(&str, &str)> {
    Some((row["connector"].as_str()?, row["state"].as_str()?))
}

#[test]
fn a_mistake_in_one_connector_costs_that_connector_only() {
    let place = Place::minimal();
    place.add("so-a");
    place.add("so-b");
    place.expect(&["run"], 0);
    let file = "connectors/so-b/connector.toml";
    place.edit(file, |text| text.replace("kind = \"dossiers\"", "kind = \"dossiers\"\nsystm = \"s3cret\""));

    // Reading verbs show the others, and the one with its mistake.
    let (row, rows) = place.status("so-b");
    assert_eq!((row["state"].as_str(), row["reason_code"].as_str()), (Some("failing"), Some("misconfigured")));
    assert!(row["reason"].as_str().is_some_and(|reason| reason.contains("`connector.systm`: unknown key")), "{row}");
    assert!(row["last_success"].is_string() && row["data_until"].is_string(), "what it read before is known: {row}");
    assert_eq!((place.status("so-a").0["state"].as_str(), rows), (Some("healthy"), 2));
    place.expect(&["status"], 4);
    place.expect(&["report"], 0);
    assert!(place.expect(&["connectors", "list"], 0).contains("so-b"));
    assert!(place.expect(&["connectors", "show", "so-b"], 2).contains("unknown key"));
    the_service_shows_it(&place);
    // What needs every connector, or this one, does not begin.
    for verb in [&["check", "--offline"][..], &["check", "so-b"], &["replay", "1"], &["run", "so-b"]] {
        let text = place.expect(verb, 2);
        assert!(text.contains("connector.systm"), "{verb:?}: {text}");
        assert!(!text.contains("s3cret"), "{verb:?}: {text}");
    }
    assert!(place.expect(&["check", "so-a"], 0).contains("so-a: reached"));

    // A night reads the others, and is not complete.
    let night = place.expect(&["run"], 3);
    assert!(night.contains("so-a: received 0 = ") || night.contains("so-a: received 3 = "), "{night}");
    assert!(night.contains("so-b: not read, because its `connector.toml` has mistakes: line "), "{night}");
    assert!(night.contains("not complete for `so-b`"), "{night}");
    assert!(!night.contains("no connector has this name any more"), "its rows are not those of a removed one: {night}");
    let latest = std::fs::read_link(place.at("office/data/published/latest")).expect("a night");
    let complete = std::fs::read_link(place.at("office/data/published/latest-complete")).expect("a night");
    assert!(latest.ends_with("00000002") && complete.ends_with("00000001"), "{latest:?} {complete:?}");

    // One that is disabled keeps no night from being complete; a corrected one is read again.
    place.edit("config/motcua.toml", |text| {
        text.replace("disabled_connectors = []", "disabled_connectors = [\"so-b\"]")
    });
    assert!(place.expect(&["run"], 0).contains("complete"));
    place.edit("config/motcua.toml", |text| text.replace("= [\"so-b\"]", "= []"));
    place.edit(file, |text| text.replace("systm = \"s3cret\"\n", ""));
    place.expect(&["run"], 0);
    assert_eq!(place.status("so-b").0["state"], "healthy");

    // Without any sound connector there is no night, and a mistake elsewhere stops everything as before.
    for name in ["so-a", "so-b"] {
        place.edit(&format!("connectors/{name}/connector.toml"), |text| text.replace("[decode]", "[decoed]"));
    }
    assert!(place.expect(&["run"], 2).contains("decoed"));
    place.edit("config/motcua.toml", |text| text.replace("[province]", "[provnce]"));
    let text = place.expect(&["status"], 2);
    assert!(text.contains("provnce") && text.contains("decoed"), "all mistakes at once: {text}");
}
