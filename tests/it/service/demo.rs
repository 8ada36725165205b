//! `demo --serve`: the first thing that a new user tries.
#![expect(clippy::disallowed_methods, reason = "edge: the test starts the demo and reads its output")]

use std::fs::File;

use serde_json::Value;

use crate::office::program;
use crate::office::serving::Serving;

#[test]
fn the_demo_is_served_and_its_connectors_are_healthy() {
    let folder = tempfile::tempdir().expect("a folder");
    let printed = folder.path().join("printed");
    let mut command = program();
    command.env("TMPDIR", folder.path()).args(["demo", "--dossiers", "60", "--serve", "--listen", "127.0.0.1:0"]);
    let out = File::create(&printed).expect("the folder is ours");
    let mut serving = Serving::start_into(command, out.into());
    let text = std::fs::read_to_string(&printed).expect("the output is written before it listens");
    assert!(text.contains("equal its truth"), "{text}");
    let token = text.split("log in with the token ").nth(1).expect("a token is printed").trim();
    // The demo ran yesterday's night. Today's slot may be made up; wait until that run has ended.
    serving.wait_for_night(token, 0);
    let connectors = serving.get("/api/v1/connectors", token).json();
    let connectors = connectors.as_array().expect("a list");
    // So small a province may send nothing for weeks, which is reported as `silent`.
    let is_fine = |one: &Value| one["state"] == "healthy" || one["reason_code"] == "silent";
    assert!(connectors.len() >= 6 && connectors.iter().all(is_fine), "{connectors:?}");
    assert_eq!(serving.stop(), Some(0));
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder is ours").flatten().collect();
    assert_eq!(left.len(), 1, "only the captured output is left: {left:?}");
}
