//! `connectors new` through the real binary: a draft of an export, completed as a data clerk would, is checked and read.
#![expect(clippy::disallowed_methods, reason = "edge: a test writes an export and runs the binary")]

use std::path::Path;
use std::process::Output;

use crate::desk::expect;
use crate::office::{Answer, Office, files, program, said, stub_server};

const EXPORT: &str = "\
UBND TỈNH MẪU;;;;;;\n\
STT;Mã hồ sơ;Họ tên;Cơ quan giải quyết;Hình thức nộp;Ngày tiếp nhận;Ngày hẹn trả\n\
1;H61.14-260105-0001;Nguyễn Văn Mẫu;Sở Nội vụ;Trực tuyến;05/01/2026 08:30 SA;12/01/2026\n\
2;H61.14-260113-0002;Trần Thị Mẫu;Sở Y tế;Nộp hộ;13/01/2026 02:05 CH;20/01/2026\n\
3;H61.14-260114-0003;Lê Mẫu;Sở Y tế;Trực tiếp;hôm qua;21/01/2026\n";

/// Runs the binary in a folder, with the settings of the office.
fn run_in(office: &Office, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = program();
    command.current_dir(folder).arg("--config").arg(office.settings()).args(arguments).envs(&office.variables);
    command.env("MY_LIST_FOLDER", folder).output().expect("the binary runs")
}

#[test]
fn a_draft_is_completed_checked_and_read() {
    let mut office = Office::new("http://127.0.0.1:1").only(&["measures-csv"], &["resolution"]);
    let desk = tempfile::tempdir().expect("a scratch folder");
    std::fs::write(desk.path().join("export.csv"), EXPORT).expect("a scratch file");
    let drafted = run_in(&office, desk.path(), &["connectors", "new", "my-list", "--from", "export.csv"]);
    assert_eq!(drafted.status.code(), Some(0), "{}", said(&drafted));
    let text = said(&drafted);
    for line in [
        "my-list/connector.toml: 5 of 7 fields of 3 records are mapped",
        "  Ngày tiếp nhận → received_at: 2 of 3 texts read",
        "not mapped: STT, Họ tên",
        "next: fill in `system` and `contact`",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // A second draft of the name is refused.
    let again = run_in(&office, desk.path(), &["connectors", "new", "my-list", "--from", "export.csv"]);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    let file = desk.path().join("my-list/connector.toml");
    let draft = std::fs::read_to_string(&file).expect("it was written");
    assert!(!draft.contains("Văn Mẫu"), "{draft}");
    let completed = draft.replace("# \"Nộp hộ\" = \"\"", "\"Nộp hộ\" = \"counter\"  #").replace("\"?\"", "\"tôi\"");
    assert_ne!(completed, draft);
    std::fs::write(&file, completed).expect("a scratch file");
    let checked = run_in(&office, desk.path(), &["check", "./my-list"]);
    let text = said(&checked);
    assert_eq!(checked.status.code(), Some(0), "{text}");
    for line in [
        "my-list: reached; first page, `export.csv rows 3-5`: 3 rows, 2 mapped; rejected: received_at not_an_instant × 1",
        "  submission_channel: 3 read, 0 empty",
        "  received_at: 2 read, 0 empty; from 2026-01-05 08:30 to 2026-01-13 14:05; 1 not_an_instant `?a_a:7` in rows 5",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    crate::office::copy(&desk.path().join("my-list"), &office.path().join("connectors/my-list"));
    office.variables.insert("MY_LIST_FOLDER", desk.path().display().to_string());
    let night = office.act(&["run"]);
    assert!(said(&night).contains("my-list: received 3 = accepted 2 "), "{}", said(&night));
}

/// Neither the files nor what is printed has them, whatever the source answers.
#[test]
fn secrets_in_the_address_of_a_sample_are_not_written() {
    let office = Office::new("http://127.0.0.1:1");
    let url = stub_server(|request| {
        if !request.contains("token=s3cret") {
            Answer::of("400 Bad Request", "text/plain", "no token")
        } else if request.contains("/list?") {
            Answer::json(r#"[{"id": "a"}, {"id": "b"}]"#)
        } else {
            Answer::of("403 Forbidden", "text/plain", "no access for s3cret-value")
        }
    });
    let desk = tempfile::tempdir().expect("a scratch folder");
    let draft = |name: &str, path: &str| {
        let from = format!("{url}{path}?token=s3cret-value&size=2");
        let output = run_in(&office, desk.path(), &["connectors", "new", name, "--from", &from]);
        assert!(!said(&output).contains("s3cret"), "{}", said(&output));
        output.status.code()
    };
    assert_eq!(draft("web", "/list"), Some(0));
    assert_eq!(draft("refused", "/other"), Some(3));
    for file in files(desk.path()) {
        let text = std::fs::read_to_string(desk.path().join(&file)).expect("it was written");
        assert!(!text.contains("s3cret"), "{}: {text}", file.display());
        if file.ends_with("connector.toml") {
            assert!(text.contains("token = \"{secret:TOKEN}\"") && text.contains("size = \"2\""), "{text}");
        }
    }
    let with_password = url.replace("http://", "http://user:s3cret@");
    let output = run_in(&office, desk.path(), &["connectors", "new", "other", "--from", &with_password]);
    assert_eq!((output.status.code(), said(&output).contains("s3cret")), (Some(2), false), "{}", said(&output));
}

#[test]
fn what_is_no_sample_is_called_so() {
    let office = Office::new("http://127.0.0.1:1");
    let desk = tempfile::tempdir().expect("a scratch folder");
    std::fs::write(desk.path().join("note.txt"), "only a note").expect("a scratch file");
    for (name, from, code, what) in [
        ("my-list", "absent.csv", 2, "cannot read the sample `absent.csv`"),
        ("my-list", "note.txt", 3, "no header row"),
        ("my-list", "http://127.0.0.1:1/list", 3, "127.0.0.1"),
        ("My List", "note.txt", 2, "is no name of a connector"),
    ] {
        let output = run_in(&office, desk.path(), &["connectors", "new", name, "--from", from]);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains(what), "{}", said(&output));
    }
    assert!(!desk.path().join("my-list").exists());
    let schema = expect(&office, &["connectors", "schema"], 0);
    let schema: serde_json::Value = serde_json::from_str(schema.trim()).expect("it is JSON");
    assert!(schema["properties"]["map"].is_object(), "{schema}");
}
