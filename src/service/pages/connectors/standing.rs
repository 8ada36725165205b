//! How a connector, a publication and the newest night stand, in words.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::health::State;
use crate::model::instant::local;
use crate::model::pull::{Outcome, Purpose};
use crate::run::{ConnectorHealth, HealthSubject, Pull, Slot, SlotState};
use crate::service::Service;
use crate::service::nights::LoadedNight;
use crate::service::pages::trouble::Trouble;
use crate::service::pages::words::{Lang, explanation, moment, moment_or_dash};

/// NightCache of the strip.
const NIGHTS: i64 = 14;
/// Pulls and slots that are looked at for it: some connectors run more than once a day.
const LOOKED_AT: i64 = 120;

/// One night of the strip.
#[derive(Debug)]
pub(in crate::service::pages) struct Square {
    /// `complete`, `degraded`, `incomplete`, `failed`, `missed`, `none` or `running`.
    pub(in crate::service::pages) class: &'static str,
    pub(in crate::service::pages) mark: &'static str,
    pub(in crate::service::pages) day: String,
    pub(in crate::service::pages) label: &'static str,
}

/// One subject as the pages show it.
#[derive(Debug)]
pub(in crate::service::pages) struct Row {
    pub(in crate::service::pages) name: String,
    pub(in crate::service::pages) title: String,
    pub(in crate::service::pages) is_fine: bool,
    pub(in crate::service::pages) class: &'static str,
    pub(in crate::service::pages) state: &'static str,
    pub(in crate::service::pages) since: Option<String>,
    pub(in crate::service::pages) why: Option<String>,
    pub(in crate::service::pages) to_do: Option<String>,
    /// As it was written down, where `why` says it in other words.
    pub(in crate::service::pages) original: Option<String>,
    pub(in crate::service::pages) nights: Vec<Square>,
    pub(in crate::service::pages) received: String,
    pub(in crate::service::pages) accepted: String,
    pub(in crate::service::pages) quarantined: String,
    pub(in crate::service::pages) open: u64,
    pub(in crate::service::pages) open_text: String,
    pub(in crate::service::pages) data_until: String,
    pub(in crate::service::pages) data_age: Option<String>,
    pub(in crate::service::pages) last_success: String,
    pub(in crate::service::pages) next_run: String,
    pub(in crate::service::pages) is_paused: bool,
}

impl Row {
    pub(in crate::service::pages) async fn new(
        service: &Service,
        lang: Lang,
        standing: &ConnectorHealth,
        now: i64,
    ) -> Result<Self, Trouble> {
        let name = standing.connector.clone();
        let (title, nights) = match standing.kind {
            HealthSubject::Connector => {
                let pulls = service.ledger.pulls_of(&name, LOOKED_AT).await?;
                let slots = service.ledger.slots_of(&name, crate::run::now(), LOOKED_AT).await?;
                let title = service.config.connector(&name).map(|known| known.file.connector.title.clone());
                (title.unwrap_or_default(), squares(lang, &pulls, &slots, now))
            }
            HealthSubject::Publication => ("PostgreSQL".to_owned(), Vec::new()),
        };
        let (why, to_do, original) = words_of(lang, standing);
        Ok(Self {
            title,
            is_fine: standing.state.is_fine(),
            class: standing.state.name(),
            state: match (standing.kind, standing.state) {
                (HealthSubject::Publication, State::NeverRun) => lang.of("Chưa công bố", "Never published"),
                (_, state) => lang.state(state),
            },
            since: standing.since.map(moment),
            why,
            to_do,
            original,
            nights,
            received: lang.number(standing.received),
            accepted: lang.number(standing.accepted),
            quarantined: lang.number(standing.quarantined),
            open: standing.open,
            open_text: lang.number(standing.open),
            data_until: moment_or_dash(standing.data_until),
            data_age: standing.data_until.map(|until| lang.ago(until, now)),
            last_success: moment_or_dash(standing.last_success),
            next_run: moment_or_dash(standing.next_run),
            is_paused: standing.reason_code.as_deref() == Some("paused"),
            name,
        })
    }
}

/// Why, what to do, and the original of both where they were put into other words.
fn words_of(lang: Lang, standing: &ConnectorHealth) -> (Option<String>, Option<String>, Option<String>) {
    let (reason, hint) = (standing.reason.clone(), standing.hint.clone());
    let code = standing.reason_code.as_deref().unwrap_or(standing.state.name());
    match (lang, explanation(code)) {
        (Lang::Vi, Some((why, to_do))) => {
            let original: Vec<String> = [reason, hint].into_iter().flatten().collect();
            let original = (!original.is_empty()).then(|| original.join(" — "));
            (Some(why.to_owned()), Some(to_do.to_owned()), original)
        }
        _ => (reason, hint, None),
    }
}

/// The last nights, oldest first: what the day's last pull of the schedule came to, or why there was none.
fn squares(lang: Lang, pulls: &[Pull], slots: &[Slot], now: i64) -> Vec<Square> {
    let today = local(now).date();
    // Newest first: the first of a day is its last.
    let mut by_day: HashMap<Date, &Pull> = HashMap::new();
    for pull in pulls.iter().filter(|pull| pull.purpose == Purpose::Night) {
        by_day.entry(local(pull.started_at).date()).or_insert(pull);
    }
    let missed = |day: Date| {
        let of_day = slots.iter().find(|slot| local(slot.slot).date() == day)?;
        matches!(of_day.state, SlotState::Missed | SlotState::Failed).then_some(of_day.state)
    };
    let words = lang.words();
    let square = |day: Date| {
        let (class, mark, label) = match (by_day.get(&day).map(|pull| pull.ended()), missed(day)) {
            (Some(Some(Outcome::Complete)), _) => ("complete", "✓", words.n_complete),
            (Some(Some(Outcome::Degraded)), _) => ("degraded", "!", words.n_degraded),
            (Some(Some(Outcome::Incomplete)), _) => ("incomplete", "½", words.n_incomplete),
            (Some(Some(Outcome::Failed)), _) | (None, Some(SlotState::Failed)) => ("failed", "✕", words.n_failed),
            (Some(None), _) => ("running", "…", words.n_running),
            (None, Some(_)) => ("missed", "–", words.n_missed),
            (None, None) if day == today => ("none", "", words.n_not_yet),
            (None, None) => ("none", "", words.n_none),
        };
        Square { class, mark, day: day.strftime("%d/%m").to_string(), label }
    };
    (0..NIGHTS).rev().filter_map(|back| today.checked_sub(jiff::Span::new().days(back)).ok()).map(square).collect()
}

/// The newest night in one line: whether its figures rest on everything, and what is missing.
#[derive(Debug)]
pub(in crate::service::pages) struct NightLine {
    pub(in crate::service::pages) is_complete: bool,
    pub(in crate::service::pages) text: String,
    /// Name, title and state of each connector that is not whole; the state where it is known.
    pub(in crate::service::pages) not_whole: Vec<(String, String, Option<&'static str>)>,
    pub(in crate::service::pages) as_of: String,
    pub(in crate::service::pages) data_until: String,
    pub(in crate::service::pages) run: i64,
}

impl NightLine {
    pub(in crate::service::pages) fn new(
        service: &Service,
        lang: Lang,
        night: &LoadedNight,
        standings: Option<&[ConnectorHealth]>,
    ) -> Self {
        let record = &night.record;
        let day = local(record.night.as_of).strftime("%d/%m/%Y");
        let text = match (lang, record.night.complete) {
            (Lang::Vi, true) => format!("Đêm {day}: đủ số liệu"),
            (Lang::Vi, false) => format!("Đêm {day}: số liệu tạm thời, chưa đủ nguồn"),
            (Lang::En, true) => format!("Night of {day}: complete"),
            (Lang::En, false) => format!("Night of {day}: provisional, sources are missing"),
        };
        let not_whole = record.not_whole.iter().map(|name| {
            let title = service.config.connector(name).map(|known| known.file.connector.title.clone());
            let standing = standings.into_iter().flatten().find(|standing| standing.connector == *name);
            let state =
                standing.filter(|standing| !standing.state.is_fine()).map(|standing| lang.state(standing.state));
            (name.clone(), title.unwrap_or_else(|| name.clone()), state)
        });
        Self {
            is_complete: record.night.complete,
            text,
            not_whole: not_whole.collect(),
            as_of: moment(record.night.as_of),
            data_until: moment_or_dash(record.night.data_until),
            run: record.night.run,
        }
    }
}
