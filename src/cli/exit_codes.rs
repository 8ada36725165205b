//! Exit codes and their meanings. They are never renumbered.

pub(super) const INTERNAL: u8 = 1;
pub(super) const USAGE: u8 = 2;
pub(super) const SOURCE_FAILED: u8 = 3;
pub(super) const INCOMPLETE: u8 = 4;

/// Every exit code and its meaning.
pub const EXIT_CODES: [(u8, &str); 5] = [
    (0, "done"),
    (
        INTERNAL,
        "internal failure; another process holds the data folder; or a connector or an indicator met an error of motcua itself, \
         and the night was published without it (1 wins over 3)",
    ),
    (USAGE, "wrong usage or configuration; nothing was written"),
    (SOURCE_FAILED, "a source failed, or its `connector.toml` has mistakes (3 wins over 4)"),
    (INCOMPLETE, "finished, but something is incomplete, unhealthy, damaged or not published, or figures differ"),
];

/// Exit codes of single verbs besides 0, 1 and 2, which every verb has.
pub const FURTHER_EXIT_CODES: [(&str, &[u8]); 10] = [
    ("check", &[SOURCE_FAILED]),
    ("run", &[SOURCE_FAILED, INCOMPLETE]),
    ("publish", &[INCOMPLETE]),
    ("status", &[INCOMPLETE]),
    ("quarantine", &[SOURCE_FAILED, INCOMPLETE]),
    ("replay", &[INCOMPLETE]),
    ("backfill", &[SOURCE_FAILED, INCOMPLETE]),
    ("verify", &[INCOMPLETE]),
    ("backup", &[INCOMPLETE]),
    ("demo", &[INCOMPLETE]),
];

/// The exit codes as a part of `motcua --help`.
pub(super) fn help() -> String {
    let lines = EXIT_CODES.map(|(code, meaning)| format!("  {code}  {meaning}"));
    format!("Exit codes:\n{}", lines.join("\n"))
}
