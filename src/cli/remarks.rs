//! What the command line prints of a pull although it was settled: drift, impossible orders of dates, deletions.

use crate::cli::language::language;
use crate::cli::output::number;
use crate::locale::{Language, date_order, moment};
use crate::model::pull::{Findings, Outcome};
use crate::run::{self, ConnectorHealth, Noted, Pull};

/// Remarks about a pull, one a line.
pub(super) fn of_pull(pull: &Pull) -> Vec<String> {
    match language() {
        Language::Vietnamese => vietnamese(pull),
        Language::English => run::remarks(pull),
    }
}

/// Remarks about a connector, as one text; empty if there are none.
pub(super) fn of_health(health: &ConnectorHealth) -> String {
    if language() == Language::English {
        return health.remarks.clone();
    }
    let Noted { pull, set_back_until, elsewhere, not_merged } = &health.noted;
    let mut lines = pull.as_ref().map(vietnamese).unwrap_or_default();
    let others = [
        set_back_until
            .map(|until| format!("đồng hồ đã bị lùi lại: các lần chạy theo lịch đến {} không chạy lại", moment(until))),
        elsewhere.map(|dossiers| format!("{} hồ sơ được tính một lần, theo dòng của nguồn khác", number(dossiers))),
        not_merged.map(|dossiers| {
            format!("{} hồ sơ trùng mã với quá nhiều hồ sơ khác, mỗi hồ sơ vẫn được tính", number(dossiers))
        }),
    ];
    lines.extend(others.into_iter().flatten());
    lines.join("; ")
}

/// The lines of [`run::remarks`] in Vietnamese, in the same order.
fn vietnamese(pull: &Pull) -> Vec<String> {
    of_findings(pull.outcome, &pull.findings)
}

fn of_findings(outcome: Option<Outcome>, findings: &Findings) -> Vec<String> {
    let mut lines = Vec::new();
    // A source over HTTP sends a page even if it has no record.
    if outcome == Some(Outcome::Complete) && findings.pages == 0 {
        lines.push("không có tệp mới hoặc tệp đã sửa: mọi tệp đã được đọc trước đó".to_owned());
    }
    let at = |page: u32, row: u32| format!(", gặp đầu tiên ở trang {page}, dòng {row}");
    for drift in &findings.drift {
        let place = drift.first.map(|first| at(first.page, first.row)).unwrap_or_default();
        lines.push(format!("{}: {}{place}", Language::Vietnamese.drift(drift.kind), drift.field));
    }
    for (order, rows) in &findings.impossible {
        let name = date_order(order).map_or_else(|| order.replace('_', " "), |(name, _)| name.to_owned());
        lines.push(format!("{name}: {}", number(*rows)));
    }
    if let Some(first) = findings.contradictions {
        lines.push(format!(
            "dòng trùng khóa với dòng khác nhưng khác nội dung, dòng đọc sau được tính: {}{}",
            number(first.rows),
            at(first.page, first.row)
        ));
    }
    if findings.unproved_sweep {
        lines.push(
            "lượt rà soát không đánh dấu xóa dòng nào, vì không chứng minh được đã đọc đến cuối danh sách (trang chưa đầy không chứng minh \
             điều gì): khai báo `complete.total` hoặc `pages.end` khác"
                .to_owned(),
        );
    }
    let tables = &findings.tables;
    let counted = [
        (findings.short_rows, "dòng thiếu ô trống ở cuối, vẫn được nhận"),
        (tables.heading_rows, "dòng lặp lại tiêu đề hoặc đánh số cột, được bỏ qua"),
        (tables.other_sheets, "trang tính không có dòng tiêu đề, được bỏ qua"),
        (tables.hidden_tables, "trang tính ẩn có dữ liệu, được bỏ qua (bỏ ẩn nếu cần tính)"),
    ];
    lines.extend(counts(&counted));
    if let [first, others @ ..] = &findings.undated_files[..] {
        let more = if others.is_empty() { String::new() } else { format!(" và {} tệp khác", others.len()) };
        lines.push(format!("không có ngày như `access.order` khai báo, nên tính theo lúc sửa tệp: `{first}`{more}"));
    }
    lines.extend(counts(&[(findings.swept, "dòng được đánh dấu đã xóa vì nguồn không còn")]));
    if let Some(accepted) = findings.accepted_deletions {
        lines.push(format!(
            "nhiều dòng bị xóa vì người điều hành đã chấp nhận (`motcua deletions list`, số {accepted})"
        ));
    }
    let left = findings.left.as_ref().map_or(0, |left| left.rows);
    lines.extend(counts(&[
        (findings.restored, "dòng không còn trong một tệp nên lấy theo tệp khác"),
        (left, "dòng không còn trong tệp nhưng được giữ nguyên"),
    ]));
    lines
}

/// A line for each count that is not zero.
fn counts(counted: &[(u64, &str)]) -> Vec<String> {
    let counted = counted.iter().filter(|(rows, _)| *rows > 0);
    counted.map(|(rows, words)| format!("{words}: {}", number(*rows))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_have_vietnamese_lines() {
        let nothing = Findings::default();
        assert_eq!(of_findings(Some(Outcome::Degraded), &nothing), Vec::<String>::new());
        let lines = of_findings(Some(Outcome::Complete), &nothing);
        assert_eq!(lines, ["không có tệp mới hoặc tệp đã sửa: mọi tệp đã được đọc trước đó"]);
        let impossible = [("completed_before_received", 3), ("new_due_before_apology", 1)]
            .map(|(order, rows)| (order.to_owned(), rows));
        let findings = Findings { pages: 1, swept: 2, impossible: impossible.into(), ..Findings::default() };
        assert_eq!(
            of_findings(Some(Outcome::Complete), &findings),
            [
                "Xử lý xong trước khi tiếp nhận: 3",
                "Hẹn lại trước ngày xin lỗi: 1",
                "dòng được đánh dấu đã xóa vì nguồn không còn: 2"
            ]
        );
    }
}
