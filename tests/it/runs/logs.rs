//! Standard error as text for people, or as JSON lines for a log.

use std::process::Output;

use serde_json::Value;

use crate::desk::{self, file};
use crate::office::{Office, said};

const A1: &str = "A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,P";

fn act(office: &Office, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    office.command(arguments).envs(variables.iter().copied()).output().expect("the binary starts")
}

/// The lines of standard error; each must be a JSON object with timestamp, level, target and message.
fn events(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stderr.clone()).expect("a log is UTF-8");
    let event = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let moment = event["timestamp"].as_str().expect("a moment");
        assert!(moment.parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&event["level"].as_str().expect("a level")), "{line}");
        assert!(event["target"].as_str().is_some_and(|target| target.starts_with("motcua::")), "{line}");
        assert!(event["fields"]["message"].is_string(), "{line}");
        event
    };
    text.lines().map(event).collect()
}

fn with_message<'e>(events: &'e [Value], start: &str) -> Option<&'e Value> {
    events.iter().find(|event| event["fields"]["message"].as_str().is_some_and(|text| text.starts_with(start)))
}

#[test]
fn a_json_log_has_only_json_lines() {
    let office = desk::of_files("");
    file(&office, "1.csv", &[A1]);
    let night = act(&office, &["run"], &[("MOTCUA_LOG_FORMAT", "json"), ("MOTCUA_LOG", "motcua=debug")]);
    assert_eq!(night.status.code(), Some(0), "{}", said(&night));
    let messages = events(&night);
    let settled = with_message(&messages, "pull settled").expect("a line for the pull");
    assert_eq!(
        (&settled["fields"]["run"], &settled["fields"]["accepted"]),
        (&1.into(), &1.into()),
        "numbers are numbers"
    );
    assert_eq!(with_message(&messages, "page landed").expect("a line for each page")["level"], "DEBUG");
    let narrated = with_message(&messages, "run 1: ").expect("the narration of the run");
    assert_eq!((&narrated["target"], &narrated["level"]), (&"motcua::said".into(), &"INFO".into()));

    // No filter removes the output of a verb; a failure has its hint in a field.
    let failed = act(&office, &["replay", "99"], &[("MOTCUA_LOG_FORMAT", "json"), ("MOTCUA_LOG", "off")]);
    assert_eq!(failed.status.code(), Some(2), "{}", said(&failed));
    let messages = events(&failed);
    let failure = with_message(&messages, "run 99 has no landed pages").expect("the reason");
    assert_eq!(failure["level"], "ERROR");
    assert!(failure["fields"]["hint"].as_str().is_some_and(|hint| hint.contains("motcua runs list")), "{failure}");
}

#[test]
fn a_log_is_text_by_default_and_a_wrong_setting_is_an_error() {
    let office = desk::of_files("");
    file(&office, "1.csv", &[A1]);
    for variables in [&[][..], &[("MOTCUA_LOG_FORMAT", "text")], &[("MOTCUA_LOG_FORMAT", "")]] {
        let night = act(&office, &["run"], variables);
        let text = String::from_utf8_lossy(&night.stderr).into_owned();
        assert!(night.status.success() && text.lines().any(|line| line.starts_with("run ")), "{text}");
    }
    for (variable, wrong, expected) in [
        ("MOTCUA_LOG_FORMAT", "jsn", "`MOTCUA_LOG_FORMAT` is `jsn`: it must be `text` or `json`"),
        ("MOTCUA_LOG", "motcua=loud", "`MOTCUA_LOG` is `motcua=loud`, which is not a filter"),
    ] {
        let output = act(&office, &["status"], &[(variable, wrong)]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
}
