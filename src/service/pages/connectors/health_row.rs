//! Health of a connector or publication as the pages show it, with a strip of the last nights.

use std::collections::HashMap;

use jiff::civil::Date;

use super::declared::Field;
use super::place::place_in;
use crate::health::HealthState;
use crate::locale::{Language, day_and_month, explanation, moment, moment_or_dash};
use crate::model::connector::{Access, Connector};
use crate::model::instant::local;
use crate::model::pull::{Outcome, Purpose};
use crate::run::{ConnectorHealth, HealthSubject, Pull, Slot, SlotState};
use crate::service::Service;
use crate::service::pages::page_error::PageError;
use crate::service::pages::words::rejection_reason;

/// Nights that the strip shows.
const NIGHTS: i64 = 14;
/// Pulls and slots that are read for the strip. They are more than [`NIGHTS`], since some connectors run more than once
/// a day.
const READ_FOR_STRIP: i64 = 120;

/// One night of the strip.
#[derive(Debug)]
pub(in crate::service::pages) struct StripNight {
    /// CSS class: `complete`, `degraded`, `incomplete`, `failed`, `missed`, `none` or `running`.
    pub(in crate::service::pages) class: &'static str,
    pub(in crate::service::pages) mark: &'static str,
    pub(in crate::service::pages) day: String,
    pub(in crate::service::pages) label: &'static str,
}

/// A connector or publication in words.
#[derive(Debug)]
pub(in crate::service::pages) struct HealthRow {
    pub(in crate::service::pages) name: String,
    pub(in crate::service::pages) title: String,
    /// Whom to call; empty for a publication, and for a connector that cannot be read.
    pub(in crate::service::pages) contact: String,
    /// Address of its page; `None` for a publication, and for a connector that cannot be read.
    pub(in crate::service::pages) address: Option<String>,
    pub(in crate::service::pages) is_fine: bool,
    /// Order in lists: the worst state first.
    pub(in crate::service::pages) order: u8,
    pub(in crate::service::pages) class: &'static str,
    pub(in crate::service::pages) state: &'static str,
    pub(in crate::service::pages) since: Option<String>,
    pub(in crate::service::pages) why: Option<String>,
    /// File, column and row of the reason, if `why` is a translation and the recorded text names them.
    pub(in crate::service::pages) place: Option<String>,
    pub(in crate::service::pages) to_do: Option<String>,
    /// The recorded English texts, if `why` and `to_do` are translations.
    pub(in crate::service::pages) original: Option<String>,
    pub(in crate::service::pages) nights: Vec<StripNight>,
    pub(in crate::service::pages) received: String,
    pub(in crate::service::pages) accepted: String,
    pub(in crate::service::pages) quarantined: String,
    pub(in crate::service::pages) open: u64,
    pub(in crate::service::pages) open_text: String,
    /// That rejected rows are open, what it means, and which field and reason most have; `None` if none is.
    pub(in crate::service::pages) rejected: Option<String>,
    /// That the last pull found no new file, which is no fault.
    pub(in crate::service::pages) nothing_new: bool,
    pub(in crate::service::pages) data_until: String,
    pub(in crate::service::pages) data_age: Option<String>,
    pub(in crate::service::pages) last_success: String,
    pub(in crate::service::pages) next_run: String,
    pub(in crate::service::pages) is_paused: bool,
}

impl HealthRow {
    pub(in crate::service::pages) async fn new(
        service: &Service,
        lang: Language,
        health: &ConnectorHealth,
        now: i64,
    ) -> Result<Self, PageError> {
        let name = health.connector.clone();
        let connector = service.config.connector(&name);
        let mut nothing_new = false;
        let (title, nights) = match health.kind {
            HealthSubject::Connector => {
                let pulls = service.ledger.pulls_of(&name, READ_FOR_STRIP).await?;
                let slots = service.ledger.slots_of(&name, crate::run::now(), READ_FOR_STRIP).await?;
                let is_files = connector.is_some_and(|known| matches!(known.file.access, Access::Files { .. }));
                nothing_new = is_files
                    && pulls
                        .first()
                        .is_some_and(|last| last.ended() == Some(Outcome::Complete) && last.counts.received == 0);
                let title = connector.map(|known| known.file.connector.title.clone());
                (title.unwrap_or_else(|| name.clone()), strip(lang, &pulls, &slots, now))
            }
            HealthSubject::Publication => ("PostgreSQL".to_owned(), Vec::new()),
        };
        let (why, to_do, original) = texts(lang, health);
        let place = original.as_ref().and(health.reason.as_deref()).and_then(place_in);
        let most = match connector.filter(|_| health.open > 0) {
            Some(connector) => most_rejected(lang, connector, &service.ledger.open_groups(&name).await?),
            None => None,
        };
        let rejected = lang.rejected(health.open, health.quarantined, health.received);
        Ok(Self {
            title,
            contact: connector.map(|known| known.file.connector.contact.clone()).unwrap_or_default(),
            address: connector.map(|known| format!("/connectors/{}", known.name)),
            is_fine: health.state.is_fine(),
            order: order(health.state),
            class: health.state.name(),
            state: match (health.kind, health.state) {
                (HealthSubject::Publication, HealthState::NeverRun) => lang.of("Chưa công bố", "Never published"),
                (_, state) => lang.state(state),
            },
            since: health.since.map(moment),
            why,
            place,
            to_do,
            original,
            nights,
            received: lang.number(health.received),
            accepted: lang.number(health.accepted),
            quarantined: lang.number(health.quarantined),
            open: health.open,
            open_text: lang.number(health.open),
            rejected: rejected.map(|text| [Some(text), most].into_iter().flatten().collect::<Vec<_>>().join(" ")),
            nothing_new,
            data_until: moment_or_dash(health.data_until),
            data_age: health.data_until.map(|until| lang.ago(until, now)),
            last_success: moment_or_dash(health.last_success),
            next_run: moment_or_dash(health.next_run),
            is_paused: health.reason_code.as_deref() == Some("paused"),
            name,
        })
    }
}

/// Which field and reason most of the open rejections have.
fn most_rejected(lang: Language, connector: &Connector, groups: &[(Option<String>, String, i64)]) -> Option<String> {
    let (field, reason, rows) = groups.first()?;
    let field = Field::new(connector, field.clone());
    let name = field.source_names.or(field.name).unwrap_or_else(|| lang.words().whole_row.to_owned());
    let (reason, rows) = (rejection_reason(lang, reason), lang.number(rows.cast_unsigned()));
    Some(match lang {
        Language::Vietnamese => format!("Nhiều nhất ({rows} dòng): {name}. {reason}."),
        Language::English => format!("Most ({rows} rows): {name}. {reason}."),
    })
}

/// Order of a state in lists: the worst first.
fn order(state: HealthState) -> u8 {
    match state {
        HealthState::Failing => 0,
        HealthState::Incomplete => 1,
        HealthState::Late => 2,
        HealthState::Degraded => 3,
        HealthState::Drifted => 4,
        HealthState::NeverRun => 5,
        HealthState::Disabled => 6,
        HealthState::Healthy => 7,
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
        matches!(of_day.state, SlotState::Missed | SlotState::Failed | SlotState::Stopped).then_some(of_day.state)
    };
    let words = lang.words();
    let night = |day: Date| {
        let (class, mark, label) = match (by_day.get(&day).map(|pull| pull.ended()), not_run(day)) {
            (Some(Some(Outcome::Complete)), _) => ("complete", "✓", words.n_complete),
            (Some(Some(Outcome::Degraded)), _) => ("degraded", "!", words.n_degraded),
            (Some(Some(Outcome::Incomplete)), _) => ("incomplete", "½", words.n_incomplete),
            (Some(Some(Outcome::Failed)), _) | (None, Some(SlotState::Failed)) => ("failed", "✕", words.n_failed),
            (Some(None) | None, Some(SlotState::Stopped)) => ("missed", "–", lang.of("đã bị dừng", "stopped")),
            (Some(None), _) => ("running", "…", words.n_running),
            (None, Some(_)) => ("missed", "–", words.n_missed),
            (None, None) if day == today => ("none", "", words.n_not_yet),
            (None, None) => ("none", "", words.n_none),
        };
        StripNight { class, mark, day: day_and_month(day), label }
    };
    (0..NIGHTS).rev().filter_map(|back| today.checked_sub(jiff::Span::new().days(back)).ok()).map(night).collect()
}
