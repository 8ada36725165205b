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

/// As [`EXIT_CODES`], for people who read Vietnamese.
const IN_VIETNAMESE: [(u8, &str); 5] = [
    (0, "xong"),
    (
        INTERNAL,
        "lỗi bên trong; tiến trình khác đang giữ thư mục dữ liệu; hoặc một kết nối, một chỉ số gặp lỗi của chính motcua và đêm được công bố \
         không có phần đó (1 trước 3)",
    ),
    (USAGE, "dùng sai hoặc cấu hình sai; không ghi gì"),
    (SOURCE_FAILED, "một nguồn bị lỗi, hoặc `connector.toml` của nguồn có lỗi (3 trước 4)"),
    (INCOMPLETE, "đã xong, nhưng có phần chưa đủ, hỏng hoặc chưa công bố, hoặc số liệu khác nhau"),
];

/// The exit codes as a part of `motcua --help`.
pub(super) fn help() -> String {
    listed("Exit codes", EXIT_CODES)
}

/// As [`help`], in Vietnamese.
pub(super) fn help_in_vietnamese() -> String {
    listed("Mã kết thúc", IN_VIETNAMESE)
}

fn listed(title: &str, codes: [(u8, &str); 5]) -> String {
    let lines = codes.map(|(code, meaning)| format!("  {code}  {meaning}"));
    format!("{title}:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_codes() {
        assert_eq!(EXIT_CODES.map(|(code, _)| code), IN_VIETNAMESE.map(|(code, _)| code));
    }
}
