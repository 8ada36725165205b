//! The banner of the connector pages: the operation just requested, the run under way, and why the last run could not
//! be done.

use serde::Deserialize;

use crate::locale::{Language, moment};
use crate::service::Service;

/// Query of the connector pages.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::service::pages) struct ConnectorQuery {
    /// Operation to announce, set by its redirect.
    pub(in crate::service::pages) done: String,
    /// Page of the rejected rows, from 1.
    pub(in crate::service::pages) page: Option<usize>,
}

/// Values for `templates/operations.html`.
pub(in crate::service::pages) struct Banner {
    pub(in crate::service::pages) operation: Option<&'static str>,
    pub(in crate::service::pages) under_way: Option<String>,
    /// When the last run failed, and the original message, which is English.
    pub(in crate::service::pages) failure: Option<(String, String)>,
}

impl Banner {
    pub(in crate::service::pages) fn new(service: &Service, lang: Language, query: &ConnectorQuery) -> Self {
        let failure = service.runner.failure().map(|failure| (moment(failure.since), failure.message));
        Self { operation: operation(lang, &query.done), under_way: under_way(service, lang), failure }
    }
}

/// Text for an operation; `None` for an unknown word.
fn operation(lang: Language, done: &str) -> Option<&'static str> {
    let words = lang.words();
    Some(match done {
        "run" => words.done_run,
        "retry" => words.done_retry,
        "pause" => words.done_pause,
        "resume" => words.done_resume,
        "upload" => lang.of(
            "Tệp đã ở trong thư mục của kết nối; lượt chạy tới sẽ đọc. Có thể bấm Chạy ngay.",
            "The file is in the folder of the connector; the next run reads it. You may run it now.",
        ),
        "discard" => lang.of("Tệp đã được bỏ; không có gì được lưu.", "The file was discarded; nothing is stored."),
        "stop" => lang.of(
            "Đã nhận lệnh dừng: lượt chạy dừng trong vài giây; nếu đang tính số liệu thì vẫn chạy đến hết.",
            "Asked to stop: the run ends within seconds, unless it is computing figures already.",
        ),
        "ended" => lang.of("Lượt này không còn chạy nữa.", "This run is under way no more."),
        "busy" => words.not_done,
        _ => return None,
    })
}

/// The run under way: purpose, start, step.
fn under_way(service: &Service, lang: Language) -> Option<String> {
    let progress = service.runner.progress()?;
    let (purpose, since) = (lang.purpose(progress.purpose), moment(progress.since));
    let step = step(lang, &progress.step).map(|step| format!(" · {step}")).unwrap_or_default();
    Some(format!("{purpose}, {} {since}{step}", lang.words().since))
}

/// A step of a run in a language; `None` for none, and for a step that has no Vietnamese words.
fn step(lang: Language, english: &str) -> Option<String> {
    if lang == Language::English {
        return Some(english.to_owned()).filter(|step| !step.is_empty());
    }
    let Some((name, rest)) = english.split_once(": ") else {
        let known = match english {
            "computing figures" => "đang tính số liệu",
            "publishing to PostgreSQL" => "đang ghi vào PostgreSQL",
            _ => return None,
        };
        return Some(known.to_owned());
    };
    let rest = match rest.split(' ').collect::<Vec<_>>()[..] {
        ["settling"] => "đang ghi".to_owned(),
        ["page", page, records, "records"] => format!("trang {}, {records} bản ghi", page.trim_end_matches(',')),
        [rows, "rejected", "rows"] => format!("{rows} dòng bị loại"),
        ["mapping", "run", run, "again"] => format!("xử lý lại lượt {run}"),
        ["slice", number, "of", count, ..] => format!("phần {number} / {}", count.trim_end_matches(',')),
        _ => return None,
    };
    Some(format!("{name}: {rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_translated() {
        let vietnamese = |english| step(Language::Vietnamese, english);
        for (english, expected) in [
            ("portal-igate: page 3, 120 records", "portal-igate: trang 3, 120 bản ghi"),
            ("feedback: settling", "feedback: đang ghi"),
            ("portal-igate: 12 rejected rows", "portal-igate: 12 dòng bị loại"),
            ("portal-igate: mapping run 7 again", "portal-igate: xử lý lại lượt 7"),
            ("portal-igate: slice 2 of 12, 2026-02", "portal-igate: phần 2 / 12"),
            ("computing figures", "đang tính số liệu"),
            ("publishing to PostgreSQL", "đang ghi vào PostgreSQL"),
        ] {
            assert_eq!(vietnamese(english).as_deref(), Some(expected));
        }
        // No English on a Vietnamese page.
        assert_eq!(vietnamese("something new"), None);
        assert_eq!(vietnamese("portal-igate: something new"), None);
        assert_eq!(vietnamese(""), None);
        assert_eq!(step(Language::English, "feedback: settling").as_deref(), Some("feedback: settling"));
        assert_eq!(step(Language::English, ""), None);
    }
}
