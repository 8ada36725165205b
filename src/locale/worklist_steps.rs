//! What to do about a dossier of a worklist.

use jiff::civil::Date;

use crate::locale::{Language, date, moment};
use crate::model::instant::local;

impl Language {
    /// The step that keeps the ratio. `list`: name of the worklist; `since`: the moment by which it is ordered; `limit`: the
    /// last moment on time for certain, and the last working day on which an apology is in time; moments in microseconds UTC.
    ///
    /// # Panics
    /// If there is no such worklist.
    #[must_use]
    pub fn worklist_step(self, list: &str, since: Option<i64>, limit: (Option<i64>, Option<Date>), now: i64) -> String {
        let [vietnamese, english] = step(list, since, limit, now);
        self.of(&vietnamese, &english).to_owned()
    }
}

fn step(list: &str, since: Option<i64>, (limit, apology_day): (Option<i64>, Option<Date>), now: i64) -> [String; 2] {
    let today = local(now).date();
    let or_unknown = |at: Option<i64>, unknown: &str| at.map_or_else(|| unknown.to_owned(), moment);
    let at = |at| or_unknown(at, "(không rõ ngày)");
    let english_at = |at| or_unknown(at, "(unknown date)");
    let both = |vietnamese: String, english: String| [vietnamese, english];
    match list {
        "due" => match apology_day.filter(|day| *day >= today) {
            Some(day) => both(
                format!(
                    "Trả kết quả chậm nhất {}; nếu không kịp, gửi văn bản xin lỗi hẹn ngày trả mới chậm nhất ngày {}",
                    at(limit),
                    date(day)
                ),
                format!(
                    "Hand over the result by {}; if that cannot be done, send the apology with a new date by {}",
                    english_at(limit),
                    date(day)
                ),
            ),
            None => both(
                format!("Trả kết quả chậm nhất {}; đã qua ngày gửi văn bản xin lỗi đúng quy định", at(limit)),
                format!("Hand over the result by {}; the day for an apology has passed", english_at(limit)),
            ),
        },
        "overdue" => both(
            format!(
                "Đã quá hạn từ {}: giải quyết ngay, gửi văn bản xin lỗi nếu chưa gửi và ghi nguyên nhân trễ",
                at(since)
            ),
            format!(
                "Overdue since {}: finish it now, send the apology if none was sent, and state the cause",
                english_at(since)
            ),
        ),
        "apology" if apology_day == Some(today) => both(
            format!("Hôm nay là ngày làm việc cuối để gửi văn bản xin lỗi đúng quy định (hạn trả {})", at(limit)),
            format!("Today is the last working day on which an apology is in time (limit {})", english_at(limit)),
        ),
        "apology" if limit.is_some_and(|limit| limit >= now) => both(
            format!("Đã qua ngày làm việc cuối để gửi văn bản xin lỗi: gửi ngay, hoặc trả kết quả trước {}", at(limit)),
            format!(
                "The last working day for an apology has passed: send it now, or hand over by {}",
                english_at(limit)
            ),
        ),
        "apology" => both(
            format!("Còn nợ văn bản xin lỗi: gửi ngay (hạn trả {})", at(limit)),
            format!("The apology is owed: send it now (limit {})", english_at(limit)),
        ),
        "acceptance" => both(
            format!("Tiếp nhận, hoặc trả lời người nộp ngay: nộp lúc {}", at(since)),
            format!("Accept it or answer the applicant now: submitted {}", english_at(since)),
        ),
        "supplement" => both(
            format!("Nhắc người nộp bổ sung, hoặc trả hồ sơ theo quy định: yêu cầu lúc {}", at(since)),
            format!("Remind the applicant, or give the dossier back by the rules: asked {}", english_at(since)),
        ),
        "ready" => both(
            format!("Mời người nộp nhận kết quả, hoặc giao cho bưu chính: có kết quả lúc {}", at(since)),
            format!("Call the applicant, or give the result to the post: finished {}", english_at(since)),
        ),
        "post" => both(
            format!("Hỏi bưu cục về bưu gửi: nhận lúc {}, chưa phát", at(since)),
            format!("Ask the post office: accepted {}, not delivered", english_at(since)),
        ),
        other => unreachable!("there is no worklist `{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as day;

    use super::*;
    use crate::model::instant::from_local;

    #[test]
    fn every_worklist_says_what_to_do() {
        let now = from_local(day(2026, 3, 20).at(9, 0, 0, 0));
        for list in ["due", "overdue", "apology", "acceptance", "supplement", "ready", "post"] {
            for text in step(list, Some(now), (Some(now), Some(day(2026, 3, 19))), now) {
                assert!(text.contains("20/03/2026"), "{list}: {text}");
            }
        }
        let [vietnamese, english] = step("supplement", None, (None, None), now);
        assert!(vietnamese.contains("(không rõ ngày)"), "{vietnamese}");
        assert!(english.contains("(unknown date)") && !english.contains("không"), "{english}");
    }

    #[test]
    fn an_apology_is_asked_for_while_it_is_in_time() {
        let at = |date: Date, hour| from_local(date.at(hour, 0, 0, 0));
        let (friday, saturday) = (at(day(2026, 3, 20), 9), at(day(2026, 3, 21), 9));
        // Due on Monday: the last working day before is Friday.
        let monday = (Some(at(day(2026, 3, 23), 17)), Some(day(2026, 3, 20)));
        let of = |list: &str, limit: (Option<i64>, Option<Date>), now| step(list, limit.0, limit, now)[0].clone();
        assert!(of("due", monday, friday).contains("chậm nhất ngày 20/03/2026"), "{}", of("due", monday, friday));
        assert!(of("apology", monday, friday).contains("ngày làm việc cuối để gửi văn bản xin lỗi đúng quy định"));
        assert!(of("apology", monday, saturday).contains("Đã qua ngày làm việc cuối"));
        assert!(of("due", monday, saturday).contains("đã qua ngày gửi"));
        let today = (Some(at(day(2026, 3, 20), 17)), Some(day(2026, 3, 19)));
        assert!(of("due", today, friday).contains("đã qua ngày gửi"));
        let late = (Some(at(day(2026, 3, 19), 17)), Some(day(2026, 3, 18)));
        assert!(of("apology", late, friday).contains("Còn nợ"));
    }
}
