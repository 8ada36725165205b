//! The language of the command line: by `--lang`, the settings of the office, and the system. What programs read stays.

use std::process::Command;

use jiff::civil::date;

use crate::office::{Office, Town, program, said};

/// The binary with the language of a system only.
fn motcua(folder: &std::path::Path, system: &str, arguments: &[&str]) -> Command {
    let mut command = program();
    for name in ["MOTCUA_LANG", "MOTCUA_CONFIG", "MOTCUA_DATA", "LC_ALL", "LC_MESSAGES"] {
        command.env_remove(name);
    }
    command.env("LANG", system).current_dir(folder).args(arguments);
    command
}

fn expect(mut command: Command, code: i32) -> String {
    let output = command.output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    said(&output)
}

#[test]
fn help_and_mistakes_are_in_the_language_of_the_system() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let help = expect(motcua(folder.path(), "vi_VN.UTF-8", &["report", "--help"]), 0);
    assert!(
        help.contains("In số liệu của một đêm") && help.contains("Tùy chọn:") && !help.contains("Usage:"),
        "{help}"
    );
    let help = expect(motcua(folder.path(), "C.UTF-8", &["report", "--help"]), 0);
    assert!(help.contains("Print figures of a published night") && help.contains("Usage:"), "{help}");
    let mistake = expect(motcua(folder.path(), "vi_VN.UTF-8", &["reprot"]), 2);
    assert!(mistake.contains("lỗi: không có lệnh `reprot`") && mistake.contains("`report`"), "{mistake}");
    let mistake = expect(motcua(folder.path(), "vi_VN.UTF-8", &["--lang", "en", "reprot"]), 2);
    assert!(mistake.contains("unrecognized subcommand"), "{mistake}");
    let mistake = expect(motcua(folder.path(), "C.UTF-8", &["--lang", "fr", "status"]), 2);
    assert!(mistake.contains("fr") && mistake.contains("vi"), "{mistake}");
}

#[test]
fn an_office_made_by_init_is_in_vietnamese_whatever_the_system_is() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    expect(motcua(folder.path(), "C.UTF-8", &["init", "--minimal"]), 0);
    let in_office = |arguments: &[&str]| motcua(folder.path(), "C.UTF-8", arguments);
    let status = expect(in_office(&["status"]), 0);
    assert!(status.contains("chưa có kết nối nào") && status.contains("gợi ý: `motcua connectors new"), "{status}");
    assert!(status.contains("Tình trạng"), "{status}");
    let status = expect(in_office(&["--lang", "en", "status"]), 0);
    assert!(
        status.contains("no connector is configured") && status.contains("hint: `motcua connectors new"),
        "{status}"
    );
    let report = expect(in_office(&["report"]), 2);
    assert!(report.contains("lỗi: không có thư mục dữ liệu") && report.contains("gợi ý: "), "{report}");
    let report = expect(in_office(&["report", "par-9"]), 2);
    assert!(report.contains("lỗi: không có chỉ số `par-9`"), "{report}");
    // A blank variable is as good as none, and what is logged is in English.
    let with = |name: &str, value: &str, arguments: &[&str]| {
        let mut command = in_office(arguments);
        command.env(name, value);
        command
    };
    for name in ["MOTCUA_LANG", "MOTCUA_CONFIG", "MOTCUA_DATA"] {
        assert!(expect(with(name, "", &["status"]), 0).contains("chưa có kết nối nào"), "{name}");
    }
    let logged = expect(with("MOTCUA_LOG_FORMAT", "json", &["report", "par-9"]), 2);
    let line = logged.lines().find(|line| line.starts_with('{')).expect("a line of the log");
    assert!(line.contains("there is no indicator `par-9`") && line.contains("motcua indicators list"), "{logged}");
    let check = expect(in_office(&["check", "--offline"]), 0);
    assert!(check.contains("cấu hình: 0 kết nối"), "{check}");
    // A mistake in the settings costs no language.
    let settings = folder.path().join("config/motcua.toml");
    let replaced = Command::new("sed").arg("-i").arg("s/^listen = .*/listen = 7/").arg(&settings).status();
    assert!(replaced.is_ok_and(|status| status.success()));
    assert!(expect(in_office(&["status"]), 2).contains("lỗi: cấu hình có "), "the settings are wrong");
}

#[test]
fn what_programs_read_is_the_same_in_both_languages() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    expect(motcua(folder.path(), "C.UTF-8", &["init"]), 0);
    for arguments in [
        vec!["indicators", "list", "--format", "json"],
        vec!["connectors", "list", "--format", "csv"],
        vec!["indicators", "offers", "par-3.3.3", "--format", "json"],
        vec!["simulate", "--faults", "--format", "json"],
    ] {
        let of = |language: &str| {
            let arguments: Vec<&str> = ["--lang", language].into_iter().chain(arguments.iter().copied()).collect();
            expect(motcua(folder.path(), "C.UTF-8", &arguments), 0)
        };
        assert_eq!(of("vi"), of("en"), "{arguments:?}");
    }
}

#[test]
fn tables_have_vietnamese_headings() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    expect(motcua(folder.path(), "C.UTF-8", &["init"]), 0);
    let in_office = |arguments: &[&str]| motcua(folder.path(), "C.UTF-8", arguments);
    let list = expect(in_office(&["connectors", "list"]), 0);
    assert!(list.contains("Kết nối") && list.contains("Đang dùng") && !list.contains("enabled"), "{list}");
    let list = expect(in_office(&["--lang", "en", "connectors", "list"]), 0);
    assert!(list.contains("enabled") && !list.contains("Đang dùng"), "{list}");
    // The folder of the data is new, and named: it may be mistyped.
    let made = expect(in_office(&["token", "create", "reader"]), 0);
    assert!(made.contains("chưa có thư mục dữ liệu `"), "{made}");
    let list = expect(in_office(&["token", "list"]), 0);
    assert!(list.contains("Hiệu lực") && list.contains("có") && !list.contains("chưa có thư mục"), "{list}");
    let sessions = expect(in_office(&["token", "sessions"]), 0);
    assert!(sessions.contains("Mở lúc"), "{sessions}");
}

/// What is mistyped is named, with what was perhaps meant.
#[test]
fn near_names_are_suggested_and_a_mistyped_folder_is_named() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    expect(motcua(folder.path(), "C.UTF-8", &["init"]), 0);
    let mistyped = |arguments: &[&str], texts: &[&str]| {
        let said = expect(motcua(folder.path(), "C.UTF-8", arguments), 2);
        for text in texts {
            assert!(said.contains(text), "{arguments:?}: {text} is not in {said}");
        }
    };
    mistyped(&["connectors", "show", "portal-igat"], &["không có kết nối `portal-igat`", "có phải là `portal-igate`"]);
    mistyped(&["connectors", "add", "sipas-cvs"], &["`sipas-cvs`", "có phải là `sipas-csv`"]);
    mistyped(&["indicators", "show", "par-3.4.11"], &["không có chỉ số `par-3.4.11`", "có phải là `par-3.4.1`"]);
    mistyped(
        &["indicators", "offers", "par-3.3.3", "--period", "quy 7/2026"],
        &["không phải là kỳ báo cáo", "`quý 1/2026`"],
    );
    for (period, agency) in [
        ("quý 3/2026", "H61.02"),
        ("10/2026", "h61.02"),
        ("Nam 2026", "H61.02"),
        ("2026", "000.00.02.H61"),
        ("2026", "Sở Nội vụ tỉnh Vĩnh Long"),
        ("2026", "ubnd xã Tân Hào"),
    ] {
        let arguments = ["indicators", "offers", "par-3.3.3", "--period", period, "--agency", agency];
        expect(motcua(folder.path(), "C.UTF-8", &arguments), 0);
    }
    mistyped(
        &["indicators", "offers", "par-3.3.3", "--period", "2026", "--agency", "tân hào"],
        &["không có cơ quan `tân hào`", "`GSO-29029` (Xã Tân Hào)"],
    );
    // No verb that reads makes an office of a folder that is not there.
    for arguments in [
        &["status"][..],
        &["report"],
        &["runs", "list"],
        &["quarantine", "list"],
        &["agencies", "unknown"],
        &["groups"],
        &["changes"],
        &["deletions", "list"],
        &["verify"],
        &["worklist", "overdue"],
        &["reconcile"],
    ] {
        let arguments = [&["--data", "mistyped"][..], arguments].concat();
        mistyped(&arguments, &["`mistyped`", "--data"]);
    }
    assert!(!folder.path().join("mistyped").exists());
}

#[test]
fn what_programs_read_of_a_night_is_the_same_in_both_languages() {
    let town = Town::since(date(2026, 4, 1), 40, 11, date(2026, 5, 20));
    let office = Office::of(&town).only(&["bcci-export", "portal-igate"], &["postal", "resolution"]);
    office.run();
    for arguments in [
        &["status"][..],
        &["report", "--period", "2026"],
        &["explain", "par-3.4.3", "--period", "2026", "--side", "in_numerator"],
        &["worklist", "overdue"],
        &["reconcile", "--period", "2026"],
        &["runs", "list"],
    ] {
        for format in ["json", "csv"] {
            let of = |language: &str| {
                let before = ["--lang", language].into_iter().chain(arguments.iter().copied());
                let output = office.act(&before.chain(["--format", format]).collect::<Vec<_>>());
                assert!(matches!(output.status.code(), Some(0 | 4)), "{arguments:?}: {}", said(&output));
                // The moment of a worklist is that of its command.
                let text = String::from_utf8(output.stdout).expect("UTF-8");
                text.lines().filter(|line| !line.starts_with("  \"at\":")).collect::<Vec<_>>().join("\n")
            };
            let (vietnamese, english) = (of("vi"), of("en"));
            assert!(vietnamese.len() > 2, "{arguments:?} {format}: there is nothing to compare");
            assert_eq!(vietnamese, english, "{arguments:?} {format}");
        }
    }
    // What people read is not.
    let status = |language: &str| said(&office.act(&["--lang", language, "status"]));
    assert!(status("vi").contains("Tình trạng") && status("en").contains("state"));
    for (arguments, words) in [(&["runs", "list"][..], "Hằng đêm"), (&["runs", "show", "1"], "lượt 1 · Hằng đêm · ")]
    {
        let text = said(&office.act(&[&["--lang", "vi"][..], arguments].concat()));
        assert!(text.contains(words) && !text.contains("night"), "{text}");
    }
}
