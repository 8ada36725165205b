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
    done: String,
    /// Page of the rejected rows, from 1.
    pub(in crate::service::pages) page: Option<usize>,
}

/// Values for `templates/operations.html`.
pub(in crate::service::pages) struct Banner {
    pub(in crate::service::pages) operation: Option<&'static str>,
    pub(in crate::service::pages) under_way: Option<String>,
    pub(in crate::service::pages) failure: Option<String>,
}

impl Banner {
    pub(in crate::service::pages) fn new(service: &Service, lang: Language, query: &ConnectorQuery) -> Self {
        let failure =
            service.runner.failure().map(|failure| format!("{} ({})", failure.message, moment(failure.since)));
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
        "busy" => words.not_done,
        _ => return None,
    })
}

/// The run under way: purpose, start, step.
fn under_way(service: &Service, lang: Language) -> Option<String> {
    let progress = service.runner.progress()?;
    let (purpose, since) = (lang.purpose(progress.purpose), moment(progress.since));
    let step = if progress.step.is_empty() { String::new() } else { format!(" · {}", step(lang, &progress.step)) };
    Some(format!("{purpose}, {} {since}{step}", lang.words().since))
}

/// Translates a step of a run. Steps that are not recognized stay English.
fn step(lang: Language, english: &str) -> String {
    if lang == Language::English {
        return english.to_owned();
    }
    match english.split_once(": ") {
        Some((name, "settling")) => format!("{name}: đang ghi"),
        Some((name, rest)) => {
            let rest = rest.replacen("page ", "trang ", 1).replacen(" records", " bản ghi", 1);
            format!("{name}: {}", rest.replacen(" rejected rows", " dòng bị loại", 1))
        }
        None if english == "computing figures" => "đang tính số liệu".to_owned(),
        None => english.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_translated() {
        let vietnamese = |english| step(Language::Vietnamese, english);
        assert_eq!(vietnamese("portal-igate: page 3, 120 records"), "portal-igate: trang 3, 120 bản ghi");
        assert_eq!(vietnamese("feedback: settling"), "feedback: đang ghi");
        assert_eq!(vietnamese("computing figures"), "đang tính số liệu");
        assert_eq!(step(Language::English, "feedback: settling"), "feedback: settling");
    }
}
