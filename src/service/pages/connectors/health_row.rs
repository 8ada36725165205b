//! Health of a connector or publication as the pages show it, with a strip of the last nights.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::health::HealthState;
use crate::locale::{Language, day_and_month, moment, moment_or_dash};
use crate::model::instant::local;
use crate::model::pull::{Outcome, Purpose};
use crate::run::{ConnectorHealth, HealthSubject, Pull, Slot, SlotState};
use crate::service::Service;
use crate::service::pages::page_error::PageError;
use crate::service::pages::words::explanation;

/// Nights that the strip shows.
const NIGHTS: i64 = 14;
/// Pulls and slots that are read for the strip. They are more than [`NIGHTS`], since some connectors run more than once
/// a day.
const READ_FOR_STRIP: i64 = 120;

/// One night of the strip.
#[derive(Debug)]
pub(super) struct StripNight {
    /// CSS class: `complete`, `degraded`, `incomplete`, `failed`, `missed`, `none` or `running`.
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    pub(super) day: String,
    pub(super) label: &'static str,
}

/// A connector or publication in words.
#[derive(Debug)]
pub(super) struct HealthRow {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) is_fine: bool,
    pub(super) class: &'static str,
    pub(super) state: &'static str,
    pub(super) since: Option<String>,
    pub(super) why: Option<String>,
    pub(super) to_do: Option<String>,
    /// The recorded English texts, if `why` and `to_do` are translations.
    pub(super) original: Option<String>,
    pub(super) nights: Vec<StripNight>,
    pub(super) received: String,
    pub(super) accepted: String,
    pub(super) quarantined: String,
    pub(super) open: u64,
    pub(super) open_text: String,
    /// That rejected rows are open, and what it means; `None` if none is.
    pub(super) rejected: Option<String>,
    pub(super) data_until: String,
    pub(super) data_age: Option<String>,
    pub(super) last_success: String,
    pub(super) next_run: String,
    pub(super) is_paused: bool,
}

impl HealthRow {
    pub(super) async fn new(
        service: &Service,
        lang: Language,
        health: &ConnectorHealth,
        now: i64,
    ) -> Result<Self, PageError> {
        let name = health.connector.clone();
        let (title, nights) = match health.kind {
            HealthSubject::Connector => {
                let pulls = service.ledger.pulls_of(&name, READ_FOR_STRIP).await?;
                let slots = service.ledger.slots_of(&name, crate::run::now(), READ_FOR_STRIP).await?;
                let title = service.config.connector(&name).map(|known| known.file.connector.title.clone());
                (title.unwrap_or_else(|| name.clone()), strip(lang, &pulls, &slots, now))
            }
            HealthSubject::Publication => ("PostgreSQL".to_owned(), Vec::new()),
        };
        let (why, to_do, original) = texts(lang, health);
        Ok(Self {
            title,
            is_fine: health.state.is_fine(),
            class: health.state.name(),
            state: match (health.kind, health.state) {
                (HealthSubject::Publication, HealthState::NeverRun) => lang.of("Chưa công bố", "Never published"),
                (_, state) => lang.state(state),
            },
            since: health.since.map(moment),
            why,
            to_do,
            original,
            nights,
            received: lang.number(health.received),
            accepted: lang.number(health.accepted),
            quarantined: lang.number(health.quarantined),
            open: health.open,
            open_text: lang.number(health.open),
            rejected: lang.rejected(health.open, health.quarantined, health.received),
            data_until: moment_or_dash(health.data_until),
            data_age: health.data_until.map(|until| lang.ago(until, now)),
            last_success: moment_or_dash(health.last_success),
            next_run: moment_or_dash(health.next_run),
            is_paused: health.reason_code.as_deref() == Some("paused"),
            name,
        })
    }
}

/// Why, what to do, and the recorded texts of both if they were translated.
fn texts(lang: Language, health: &ConnectorHealth) -> (Option<String>, Option<String>, Option<String>) {
    let (reason, hint) = (health.reason.clone(), health.hint.clone());
    let code = health.reason_code.as_deref().unwrap_or(health.state.name());
    match (lang, explanation(code)) {
        (Language::Vietnamese, Some((why, to_do))) => {
            let accept = "motcua deletions accept";
            let to_do = to_do.replace(accept, &format!("{accept} {}", health.connector));
            let original: Vec<String> = [reason, hint].into_iter().flatten().collect();
            let original = (!original.is_empty()).then(|| original.join(" — "));
            (Some(why.to_owned()), Some(to_do), original)
        }
        _ => (reason, hint.map(|hint| hint.replace("accept CONNECTOR", &format!("accept {}", health.connector))), None),
    }
}

/// The last nights, oldest first: the outcome of the day's last scheduled pull, or why there was none.
fn strip(lang: Language, pulls: &[Pull], slots: &[Slot], now: i64) -> Vec<StripNight> {
    let today = local(now).date();
    // Pulls are newest first, so the first one found of a day is its last.
    let mut by_day: HashMap<Date, &Pull> = HashMap::new();
    for pull in pulls.iter().filter(|pull| pull.purpose == Purpose::Night) {
        by_day.entry(local(pull.started_at).date()).or_insert(pull);
    }
    let not_run = |day: Date| {
        let of_day = slots.iter().find(|slot| local(slot.slot).date() == day)?;
        matches!(of_day.state, SlotState::Missed | SlotState::Failed).then_some(of_day.state)
    };
    let words = lang.words();
    let night = |day: Date| {
        let (class, mark, label) = match (by_day.get(&day).map(|pull| pull.ended()), not_run(day)) {
            (Some(Some(Outcome::Complete)), _) => ("complete", "✓", words.n_complete),
            (Some(Some(Outcome::Degraded)), _) => ("degraded", "!", words.n_degraded),
            (Some(Some(Outcome::Incomplete)), _) => ("incomplete", "½", words.n_incomplete),
            (Some(Some(Outcome::Failed)), _) | (None, Some(SlotState::Failed)) => ("failed", "✕", words.n_failed),
            (Some(None), _) => ("running", "…", words.n_running),
            (None, Some(_)) => ("missed", "–", words.n_missed),
            (None, None) if day == today => ("none", "", words.n_not_yet),
            (None, None) => ("none", "", words.n_none),
        };
        StripNight { class, mark, day: day_and_month(day), label }
    };
    (0..NIGHTS).rev().filter_map(|back| today.checked_sub(jiff::Span::new().days(back)).ok()).map(night).collect()
}
