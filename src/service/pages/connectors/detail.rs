//! The page of one connector: health, pulls, drift of the source, slots that did not run on time, rejected rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::banner::{Banner, ConnectorQuery};
use super::declared::{Field, readable};
use super::health_row::HealthRow;
use super::upload::takes_files;
use crate::locale::{Language, explanation, moment};
use crate::model::connector::{Access, Connector};
use crate::model::pull::{Drift, Findings, Outcome, Purpose};
use crate::publish::{self, NightRecord};
use crate::run::{self, Pull, QuarantinedRow, RunError, Slot, SlotState, assess_connectors};
use crate::service::Service;
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::page_error::PageError;
use crate::service::pages::visitor::Visitor;
use crate::service::pages::words::{date_order, rejection_reason};

/// Pulls that are listed.
const LISTED: i64 = 30;
/// Slots that are listed.
const SLOTS_LISTED: usize = 30;
/// Slots that are searched for those that did not run on time.
const SLOTS_READ: i64 = 200;
/// Rejected rows on one page of the list.
const REJECTED_LISTED: usize = 50;

#[derive(Template)]
#[template(path = "connector.html")]
struct DetailPage<'a> {
    layout: Layout<'a>,
    is_operator: bool,
    banner: Banner,
    row: HealthRow,
    system: &'a str,
    contact: &'a str,
    schedule: String,
    fresh_hours: u32,
    pulls: Vec<PullRow>,
    /// What the newest night found about dossiers that other connectors hold too, and about deleted ones.
    remarks: Vec<String>,
    /// The newest night read the source, so its fields were compared with what is declared.
    was_compared: bool,
    /// Field, kind, first place, rows.
    drift: Vec<[String; 4]>,
    /// Order of dates, rows.
    impossible: Vec<(String, String)>,
    /// Time, state, message.
    slots: Vec<[String; 3]>,
    groups: Vec<RejectionGroup>,
    /// The connector reads files.
    is_files: bool,
    /// Address of the page where files are uploaded to it.
    upload: Option<String>,
    rejected: Vec<RejectedRow>,
    range: String,
    newer: Option<usize>,
    older: Option<usize>,
}

/// One pull in the list.
struct PullRow {
    run: i64,
    purpose: &'static str,
    started: String,
    took: String,
    class: &'static str,
    outcome: &'static str,
    why: Option<String>,
    /// Received, accepted, unchanged, duplicate, superseded, quarantined.
    numbers: [String; 6],
    pages: String,
    declared: String,
    distinct: String,
}

struct RejectedRow {
    id: i64,
    run: i64,
    place: String,
    field: Field,
    reason: String,
}

/// Open rejections that share field and reason.
struct RejectionGroup {
    field: Field,
    reason: String,
    /// What the field reads.
    readable: Option<String>,
    rows: String,
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(query): Query<ConnectorQuery>,
) -> Result<Response, PageError> {
    visitor.authenticated()?;
    let missing = || PageError::not_found(RunError::no_connector(&service.config, &name).to_string());
    let connector = service.config.connector(&name).ok_or_else(missing)?;
    let (lang, now) = (visitor.lang, run::now());
    let subjects = assess_connectors(&service.config, Some(&service.ledger), now).await?;
    let health = subjects.iter().find(|subject| subject.connector == name).ok_or_else(missing)?;
    let row = HealthRow::new(&service, lang, health, now).await?;
    let pulls = service.ledger.pulls_of(&name, LISTED).await?;
    let slots = service.ledger.slots_of(&name, run::now(), SLOTS_READ).await?;
    let open = usize::try_from(service.ledger.count_quarantined(Some(&name), None, true).await?).unwrap_or(usize::MAX);
    let last = open.div_ceil(REJECTED_LISTED).max(1);
    let number = query.page.unwrap_or(1).clamp(1, last);
    let from = (number - 1) * REJECTED_LISTED;
    let window = (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(REJECTED_LISTED).unwrap_or(i64::MAX));
    let shown = service.ledger.quarantined_page(Some(&name), None, true, window).await?;
    let (asked_of, rows) = (Arc::clone(&service), shown.clone());
    let files = tokio::task::spawn_blocking(move || run::rejected_files(&asked_of.config, &rows)).await;
    let files = files.map_err(|error| PageError::from(RunError::from(error)))?;
    let is_files = matches!(connector.file.access, Access::Files { .. });
    let night = pulls.iter().find(|pull| pull.purpose == Purpose::Night);
    let range = format!("{}–{} / {}", from + 1, (from + REJECTED_LISTED).min(open), lang.number(open as u64));
    let contradictions = match night.and_then(|pull| Some((pull.run, pull.findings.contradictions?))) {
        Some((run, first)) => {
            let (asked_of, of) = (Arc::clone(&service), name.clone());
            let file = move || run::file_of_page(&asked_of.config, &of, run, first.page);
            let file = tokio::task::spawn_blocking(file).await;
            let file = file.map_err(|error| PageError::from(RunError::from(error)))?;
            Some(lang.contradictions(first.rows, &lang.place(file.as_deref(), first.page, first.row)))
        }
        None => None,
    };
    let deletions = night.map(|pull| deletions(lang, pull)).unwrap_or_default();
    let about = &connector.file.connector;
    let newest = publish::newest_record(&service.config.settings.data).map_err(RunError::from)?;
    html(&DetailPage {
        layout: Layout::new(&service, &visitor, about.title.clone(), "connectors"),
        is_operator: visitor.is_operator(),
        banner: Banner::new(&service, lang, &query),
        row,
        system: &about.system,
        contact: &about.contact,
        schedule: lang.schedule(&connector.file.schedule.cron),
        fresh_hours: connector.file.schedule.fresh_within_hours,
        pulls: pulls.iter().map(|pull| pull_row(lang, pull)).collect(),
        remarks: about_reading(lang, pulls.first(), is_files)
            .into_iter()
            .chain(newest.map(|record| elsewhere(lang, &record, &name)).into_iter().flatten())
            .chain(contradictions)
            .chain(deletions)
            .collect(),
        was_compared: night.is_some_and(|pull| pull.ended().is_some_and(|outcome| outcome != Outcome::Failed)),
        drift: night.map(|pull| drift(lang, pull)).unwrap_or_default(),
        impossible: night.map(|pull| impossible(lang, pull)).unwrap_or_default(),
        slots: slots.iter().filter_map(|slot| slot_row(lang, slot)).take(SLOTS_LISTED).collect(),
        groups: groups(lang, connector, service.ledger.open_groups(&name).await?),
        is_files,
        upload: takes_files(&service, connector).then(|| format!("/connectors/{name}/upload")),
        rejected: shown
            .iter()
            .zip(files)
            .map(|(row, file)| rejected_row(lang, connector, row, file.as_deref()))
            .collect(),
        range,
        newer: (number > 1).then(|| number - 1),
        older: (number < last).then(|| number + 1),
    })
}

fn pull_row(lang: Language, pull: &Pull) -> PullRow {
    let counts = pull.counts;
    let why = pull.reason.as_deref().map(|code| match (lang, explanation(code)) {
        (Language::Vietnamese, Some((why, _))) => why.to_owned(),
        (_, _) => pull.message.clone().unwrap_or_else(|| code.replace('_', " ")),
    });
    PullRow {
        run: pull.run,
        purpose: lang.purpose(pull.purpose),
        started: moment(pull.started_at),
        took: pull.finished_at.map_or("–".to_owned(), |finished| lang.duration(finished - pull.started_at)),
        class: pull.ended().map_or("running", Outcome::name),
        outcome: lang.outcome(pull.ended()),
        why,
        numbers: [
            counts.received,
            counts.accepted,
            counts.unchanged,
            counts.duplicate,
            counts.superseded,
            counts.quarantined,
        ]
        .map(|count| lang.number(count)),
        pages: lang.number(pull.findings.pages),
        declared: pull.findings.declared.map_or("–".to_owned(), |declared| lang.number(declared)),
        distinct: lang.number(pull.findings.distinct_keys),
    }
}

/// What the figures have of a pull that read nothing.
fn about_reading(lang: Language, last: Option<&Pull>, is_files: bool) -> Option<String> {
    let last = last?;
    let line = match last.ended()? {
        Outcome::Failed => lang.words().earlier_data,
        Outcome::Complete if is_files && last.counts.received == 0 => lang.words().nothing_new,
        _ => return None,
    };
    Some(line.to_owned())
}

fn elsewhere(lang: Language, record: &NightRecord, connector: &str) -> Vec<String> {
    let of_connector = |dossiers: &BTreeMap<String, u64>| dossiers.get(connector).copied();
    let elsewhere = of_connector(&record.elsewhere).map(|dossiers| lang.elsewhere(dossiers));
    let not_merged = of_connector(&record.not_merged).map(|dossiers| lang.not_merged(dossiers));
    elsewhere.into_iter().chain(not_merged).collect()
}

/// What a pull did with rows that its source no longer has.
fn deletions(lang: Language, pull: &Pull) -> Vec<String> {
    let Findings { swept, restored, left, missed_by_sweep, without_details, .. } = &pull.findings;
    let left = left.as_ref().map_or(missed_by_sweep + without_details, |left| left.rows);
    let lines = [(*swept, lang.deleted(*swept)), (*restored, lang.restored(*restored)), (left, lang.not_deleted(left))];
    lines.into_iter().filter(|(rows, _)| *rows > 0).map(|(_, line)| line).collect()
}

fn drift(lang: Language, pull: &Pull) -> Vec<[String; 4]> {
    let row = |drift: &Drift| {
        let place = drift.first.map_or("–".to_owned(), |first| lang.page_and_row(first.page, first.row));
        let rows = drift.first.map_or("–".to_owned(), |first| lang.number(first.rows));
        [drift.field.clone(), lang.drift(drift.kind).to_owned(), place, rows]
    };
    pull.findings.drift.iter().map(row).collect()
}

fn impossible(lang: Language, pull: &Pull) -> Vec<(String, String)> {
    let name = |name: &str| match date_order(name) {
        Some((vietnamese, english)) => lang.of(vietnamese, english).to_owned(),
        None => name.replace('_', " "),
    };
    pull.findings.impossible.iter().map(|(order, rows)| (name(order), lang.number(*rows))).collect()
}

/// `None` for a slot that ran on time.
fn slot_row(lang: Language, slot: &Slot) -> Option<[String; 3]> {
    let is_listed = matches!(slot.state, SlotState::Failed | SlotState::Missed | SlotState::Stopped) || slot.made_up;
    let made_up = if slot.made_up { format!(", {}", lang.words().made_up) } else { String::new() };
    let state = format!("{}{made_up}", lang.slot(slot.state));
    is_listed.then(|| [moment(slot.slot), state, slot.message.clone().unwrap_or_default()])
}

/// Open rejections by field and reason, largest group first.
fn groups(lang: Language, connector: &Connector, groups: Vec<(Option<String>, String, i64)>) -> Vec<RejectionGroup> {
    let words = |(field, reason, rows): (Option<String>, String, i64)| RejectionGroup {
        readable: field.as_deref().and_then(|field| readable(lang, connector, field, &reason)),
        field: Field::new(connector, field),
        reason: rejection_reason(lang, &reason),
        rows: lang.number(rows.cast_unsigned()),
    };
    groups.into_iter().map(words).collect()
}

/// `file`: its file, if it came from one.
fn rejected_row(lang: Language, connector: &Connector, row: &QuarantinedRow, file: Option<&str>) -> RejectedRow {
    RejectedRow {
        id: row.id,
        run: row.run,
        place: lang.place(file, row.page, row.row),
        field: Field::new(connector, row.field.clone()),
        reason: rejection_reason(lang, &row.reason),
    }
}
