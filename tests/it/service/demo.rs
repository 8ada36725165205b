//! `demo --serve`: what a new user looks at first.
#![expect(clippy::disallowed_methods, reason = "edge: the demonstration is started, and what it printed is read")]

use std::fs::File;
use std::process::Command;

use serde_json::Value;

use crate::office::serving::Serving;

#[test]
fn a_demonstration_is_served_and_healthy() {
    let folder = tempfile::tempdir().expect("a folder");
    let printed = folder.path().join("printed");
    let mut command = Command::new(env!("CARGO_BIN_EXE_motcua"));
    command.env("TMPDIR", folder.path()).args(["demo", "--dossiers", "60", "--serve", "--listen", "127.0.0.1:0"]);
    let out = File::create(&printed).expect("the folder is ours");
    let mut serving = Serving::start_into(command, out.into());
    let text = std::fs::read_to_string(&printed).expect("it was printed before it listens");
    assert!(text.contains("equal its truth"), "{text}");
    let token = text.split("log in with the token ").nth(1).expect("a token is printed").trim();
    // The night that it ran is yesterday's; that of today may be made up, and is over then.
    serving.wait_for_night(token, 0);
    let connectors = serving.get("/api/v1/connectors", token).json();
    let connectors = connectors.as_array().expect("a list");
    // So small a province may have nothing to send for weeks, and that is said.
    let is_fine = |one: &Value| one["state"] == "healthy" || one["reason_code"] == "silent";
    assert!(connectors.len() >= 6 && connectors.iter().all(is_fine), "{connectors:?}");
    assert_eq!(serving.stop(), Some(0));
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder is ours").flatten().collect();
    assert_eq!(left.len(), 1, "nothing but what was printed: {left:?}");
}
