//! Generates `docs/reference/faults.md` from the cases: writes it if `MOTCUA_WRITE_REFERENCE=1`, else compares it.
#![expect(clippy::disallowed_methods, reason = "a test reads its environment and a document")]

use std::fmt::Write as _;
use std::path::Path;

use motcua::simulator::{Fault, FaultSide};

use super::cases::{self, Outcome};

const HEAD: &str = "\
# Faults of the simulator

For engineers who connect a source or change how sources are read: each fault of the simulator, and how a run \
ends with it. Generated from `tests/it/faults/cases.rs`; do not edit.

`motcua simulate --faults` lists the names. `motcua simulate --fault NAME` gives the simulated portal or the exported \
files that fault. The test `tests/it/faults.rs` runs the real binary against each of them, with the shipped connectors of the \
portal, the post and, for its own faults, the catalogue of procedures, after a few edits: timeouts of two seconds, 1,500 pages at most, one pass of the portal, and what a case \
needs (`tests/it/faults/cases.rs`).

| outcome | figures | exit code |
|---|---|---|
| equal | they equal the true ones, and the night is complete | 0 |
| incomplete | none is marked complete | 4 |
| failed | none is marked complete | 3 |

Where a night did not give the true figures, the next one reads the repaired source and gives them.
";

fn text() -> String {
    let mut text = HEAD.to_owned();
    for (side, title) in [(FaultSide::Http, "HTTP"), (FaultSide::Files, "Files")] {
        let _ = writeln!(text, "\n## {title}\n\n| fault | what is wrong | outcome | why |\n|---|---|---|---|");
        for fault in Fault::ALL.iter().filter(|fault| fault.side() == side) {
            let case = cases::all().into_iter().find(|case| case.fault == *fault).expect("every fault has its case");
            let outcome = match case.outcome {
                Outcome::Equal => "equal",
                Outcome::Incomplete => "incomplete",
                Outcome::Failed => "failed",
            };
            let _ = writeln!(text, "| `{}` | {} | {outcome} | {} |", fault.name(), fault.description(), case.why);
        }
    }
    text
}

#[test]
fn the_reference_matches_the_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/faults.md");
    if std::env::var("MOTCUA_WRITE_REFERENCE").is_ok_and(|value| value == "1") {
        std::fs::write(&path, text()).expect("the reference can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, text(), "regenerate it with MOTCUA_WRITE_REFERENCE=1");
}
