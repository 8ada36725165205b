//! What the command line prints about a run that has ended: a pull each, and the published night.

use crate::cli::explained::Explained;
use crate::cli::language::{self, text};
use crate::cli::output::{hint_line, number};
use crate::cli::remarks;
use crate::model::pull::Outcome;
use crate::run::{ClosedNight, Pull, RunReport};

/// Lines that report a run: a pull each, and the published night. `is_kept`: the data folder stays, so the lines name it
/// and the commands that read it.
pub(super) fn narration(report: &RunReport, is_kept: bool) -> Vec<String> {
    let mut lines: Vec<String> = report.pulls.iter().flat_map(of_pull).collect();
    for (connector, mistakes) in &report.mistaken {
        lines.push(text!(
            "{connector}: không đọc, vì `connector.toml` có lỗi: {mistakes}",
            "{connector}: not read, because its `connector.toml` has mistakes: {mistakes}"
        ));
        lines.push(indented_hint(language::of(
            "sửa các lỗi: `motcua check --offline` liệt kê mọi lỗi",
            "correct them: `motcua check --offline` lists all mistakes",
        )));
    }
    lines.extend(of_night(report.run, &report.published, is_kept));
    lines
}

fn of_pull(pull: &Pull) -> Vec<String> {
    let (mut lines, connector) = (Vec::new(), &pull.connector);
    let Why { reason, next } = why(pull);
    match pull.outcome {
        Some(Outcome::Failed) => {
            lines.push(text!("{connector}: lỗi: {reason}", "{connector}: failed: {reason}"));
            lines.extend(next.iter().cloned());
        }
        outcome => {
            let state = match outcome {
                Some(Outcome::Complete) => String::new(),
                Some(Outcome::Degraded) => text!("nhiều dòng bị loại: {reason}; ", "degraded: {reason}; "),
                _ => text!("chưa đủ: {reason}; ", "incomplete: {reason}; "),
            };
            lines.push(format!("{connector}: {state}{}", equation(pull)));
        }
    }
    lines.extend(remarks::of_pull(pull).into_iter().map(|remark| format!("  {remark}")));
    if !matches!(pull.outcome, Some(Outcome::Complete | Outcome::Failed)) {
        lines.extend(next);
    }
    lines
}

/// Why a pull is not complete, and the lines below: what to do, and in Vietnamese the recorded message, which has file,
/// column and row.
struct Why {
    reason: String,
    next: Vec<String>,
}

fn why(pull: &Pull) -> Why {
    let message = pull.message.as_deref().unwrap_or(language::of("không rõ lý do", "no reason"));
    let message = message.strip_prefix(&format!("connector `{}`: ", pull.connector)).unwrap_or(message);
    match pull.reason.as_deref().and_then(|code| Explained::of(code, &pull.connector)) {
        Some(explained) => Why {
            // The sentence goes on after it.
            reason: explained.why.trim_end_matches('.').to_owned(),
            next: vec![indented_hint(&explained.to_do), format!("  thông báo gốc: {message}")],
        },
        None => Why { reason: message.to_owned(), next: pull.hint.iter().map(|hint| indented_hint(hint)).collect() },
    }
}

/// What of a pull was stored, as an equation.
pub(super) fn equation(pull: &Pull) -> String {
    let counts = pull.counts;
    let [received, accepted, unchanged] = [counts.received, counts.accepted, counts.unchanged].map(number);
    let [duplicate, superseded, quarantined] = [counts.duplicate, counts.superseded, counts.quarantined].map(number);
    text!(
        "nhận {received} = ghi mới {accepted} + không đổi {unchanged} + trùng {duplicate} + bị thay thế {superseded} + bị loại {quarantined}",
        "received {received} = accepted {accepted} + unchanged {unchanged} + duplicate {duplicate} + superseded {superseded} + quarantined {quarantined}"
    )
}

fn of_night(run: i64, published: &ClosedNight, is_kept: bool) -> Vec<String> {
    let (figures, changed) = (number(published.figures as u64), number(published.changed as u64));
    let (state, folder) = (completeness(published), published.folder.display());
    let place =
        if is_kept { text!("; công bố trong `{folder}`", "; published in `{folder}`") } else { String::new() };
    let mut lines = vec![text!(
        "lượt {run}: {figures} số liệu, {changed} thay đổi, {state}{place}",
        "run {run}: {figures} figures, {changed} changed, {state}{place}"
    )];
    for (connector, dossiers) in &published.elsewhere {
        let dossiers = number(*dossiers);
        lines.push(text!(
            "  {connector}: {dossiers} hồ sơ được tính một lần, theo dòng của nguồn khác",
            "  {connector}: {dossiers} dossiers count once, with their row in another source"
        ));
    }
    for (connector, dossiers) in &published.not_merged {
        let dossiers = number(*dossiers);
        lines.push(text!(
            "  {connector}: {dossiers} hồ sơ trùng mã với quá nhiều hồ sơ khác, mỗi hồ sơ vẫn được tính",
            "  {connector}: {dossiers} dossiers share codes with too many others, and each counts"
        ));
    }
    for (connector, rows) in &published.without_connector {
        let rows = number(*rows);
        lines.push(text!(
            "  {connector}: không còn kết nối nào tên này, và {rows} dòng đã đọc vẫn được tính",
            "  {connector}: no connector has this name any more, and {rows} rows that it read still count"
        ));
        lines.push(indented_hint(language::of(
            "nếu kết nối được đổi tên, trả lại tên cũ cho thư mục: hồ sơ đang bị tính hai lần",
            "if it was renamed, give its folder the old name again: its dossiers count twice",
        )));
    }
    if is_kept && !(published.elsewhere.is_empty() && published.not_merged.is_empty()) {
        lines.push(indented_hint(language::of("`motcua groups` liệt kê các hồ sơ này", "`motcua groups` lists them")));
    }
    lines.extend(published.clock.as_ref().map(|doubt| indented_hint(doubt)));
    lines
}

fn indented_hint(hint: &str) -> String {
    format!("  {}", hint_line(hint))
}

fn completeness(published: &ClosedNight) -> String {
    match (published.not_whole.as_slice(), &published.clock) {
        ([], None) => language::of("đủ nguồn", "complete").to_owned(),
        ([], Some(_)) => language::of(
            "chưa đủ, vì đồng hồ của máy này không thể đúng",
            "not complete, because the clock of this machine cannot be right",
        )
        .to_owned(),
        (not_whole, _) => text!("chưa đủ vì `{}`", "not complete for `{}`", not_whole.join("`, `")),
    }
}
