//! The simulator in a process of its own, so that only our work counts.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Lines that the simulator prints: what the connectors need.
const VARIABLES: usize = 13;

/// A process that ends with the bench.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a province; gives the variables that its connectors name.
pub(crate) fn simulate(dossiers: usize, exports: &Path) -> (Process, Vec<(String, String)>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_motcua"))
        .args(["simulate", "--listen", "127.0.0.1:0", "--seed", "7", "--dossiers", &dossiers.to_string(), "--exports"])
        .arg(exports)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let told = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok).take(VARIABLES);
    let read = |line: String| {
        let (name, value) = line.trim_start_matches("export ").split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    let variables = told.map(read).collect();
    (Process(child), variables)
}
