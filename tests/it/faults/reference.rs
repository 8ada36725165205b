//! `docs/reference/faults.md`, generated from the cases: `MOTCUA_WRITE_REFERENCE=1` writes it, else it is compared.
#![expect(clippy::disallowed_methods, reason = "a test asks its environment and reads a document")]

use std::fmt::Write as _;
use std::path::Path;

use motcua::simulator::{Fault, Side};

use super::cases::{self, End};

const HEAD: &str = "\
# Faults of the simulator

Generated from the cases of `tests/it/faults/cases.rs`, which meets each of these with the real binary; do not edit. \
`motcua simulate --fault NAME` spoils the simulated portal or its exports, `motcua simulate --faults` lists the names.

Outcome of the night: **equal** — figures equal the truth, the night is complete, exit 0; **incomplete** — exit 4, no \
figure is called complete; **failed** — exit 3, likewise. The next night over the mended source gives the truth.
";

fn text() -> String {
    let mut text = HEAD.to_owned();
    for (side, title) in [(Side::Http, "Over HTTP"), (Side::Files, "In files")] {
        let _ = writeln!(text, "\n## {title}\n\n| fault | what is wrong | outcome | why |\n|---|---|---|---|");
        for fault in Fault::ALL.iter().filter(|fault| fault.side() == side) {
            let case = cases::all().into_iter().find(|case| case.fault == *fault).expect("every fault has its case");
            let end = match case.end {
                End::Equal => "equal",
                End::Incomplete => "incomplete",
                End::Failed => "failed",
            };
            let _ = writeln!(text, "| `{}` | {} | {end} | {} |", fault.name(), fault.description(), case.why);
        }
    }
    text
}

#[test]
fn the_reference_is_that_of_the_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/faults.md");
    if std::env::var("MOTCUA_WRITE_REFERENCE").is_ok_and(|value| value == "1") {
        std::fs::write(&path, text()).expect("the reference can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, text(), "write it anew with MOTCUA_WRITE_REFERENCE=1");
}
