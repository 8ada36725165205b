//! A night in one line: whether it is complete, and which connectors were not read completely.

use crate::locale::{Language, date, moment, moment_or_dash};
use crate::model::instant::local;
use crate::run::ConnectorHealth;
use crate::service::Service;
use crate::service::nights::LoadedNight;

/// Values for `templates/night.html`.
#[derive(Debug)]
pub(super) struct NightSummary {
    pub(super) is_complete: bool,
    pub(super) text: String,
    /// Name, title and state of each connector that was not read completely. `None` for a state that is unknown or good
    /// by now.
    pub(super) not_whole: Vec<(String, String, Option<&'static str>)>,
    pub(super) as_of: String,
    pub(super) data_until: String,
    pub(super) run: i64,
    /// Whether the visitor asked for the night of a past day.
    pub(super) is_past: bool,
}

impl NightSummary {
    /// `subjects`: present health, for the states; `None` if the visitor may not know it.
    pub(super) fn new(
        service: &Service,
        lang: Language,
        night: &LoadedNight,
        subjects: Option<&[ConnectorHealth]>,
    ) -> Self {
        let record = &night.record;
        let day = date(local(record.night.as_of).date());
        let text = match (lang, record.night.complete) {
            (Language::Vietnamese, true) => format!("Đêm {day}: đủ số liệu"),
            (Language::Vietnamese, false) => format!("Đêm {day}: số liệu tạm thời, chưa đủ nguồn"),
            (Language::English, true) => format!("Night of {day}: complete"),
            (Language::English, false) => format!("Night of {day}: provisional, sources are missing"),
        };
        let not_whole = record.not_whole.iter().map(|name| {
            let title = service.config.connector(name).map(|known| known.file.connector.title.clone());
            let health = subjects.into_iter().flatten().find(|subject| subject.connector == *name);
            let state = health.filter(|health| !health.state.is_fine()).map(|health| lang.state(health.state));
            (name.clone(), title.unwrap_or_else(|| name.clone()), state)
        });
        Self {
            is_complete: record.night.complete,
            text,
            not_whole: not_whole.collect(),
            as_of: moment(record.night.as_of),
            data_until: moment_or_dash(record.night.data_until),
            run: record.night.run,
            is_past: false,
        }
    }
}
