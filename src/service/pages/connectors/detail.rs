//! One connector: how it stands, its pulls, what its source changed, slots that did not run, rows that were rejected.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::standing::Row;
use super::{Asked, said, under_way, undone};
use crate::model::page::Reason;
use crate::run::{self, Pull, QuarantinedRow, Slot, SlotState, assess_connectors};
use crate::service::Service;
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::trouble::Trouble;
use crate::service::pages::visitor::Visitor;
use crate::service::pages::words::{Lang, moment, order, rejection};

/// Pulls that are listed.
const LISTED: i64 = 30;
/// Slots that are listed.
const SLOTS_LISTED: usize = 30;
/// Slots that are looked through for those that did not run on time.
const SLOTS: i64 = 200;
/// Rejected rows on one page.
const REJECTED: usize = 50;

#[derive(Template)]
#[template(path = "connector.html")]
struct DetailPage<'a> {
    layout: Layout<'a>,
    operates: bool,
    said: Option<&'static str>,
    under_way: Option<String>,
    undone: Option<String>,
    row: Row,
    system: &'a str,
    contact: &'a str,
    schedule: String,
    fresh_hours: u32,
    pulls: Vec<PullRow>,
    drift: Vec<[String; 4]>,
    impossible: Vec<(String, String)>,
    slots: Vec<[String; 3]>,
    groups: Vec<(String, String, String)>,
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
    numbers: [String; 6],
    pages: String,
    declared: String,
    distinct: String,
}

struct RejectedRow {
    id: i64,
    run: i64,
    place: String,
    field: Option<String>,
    reason: String,
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    visitor.reader()?;
    let missing = || Trouble::not_found(format!("there is no connector `{name}`"));
    let connector = service.config.connector(&name).ok_or_else(missing)?;
    let (lang, now) = (visitor.lang, run::now());
    let standings = assess_connectors(&service.config, Some(&service.ledger), now).await?;
    let standing = standings.iter().find(|standing| standing.connector == name).ok_or_else(missing)?;
    let row = Row::new(&service, lang, standing, now).await?;
    let pulls = service.ledger.pulls_of(&name, LISTED).await?;
    let slots = service.ledger.slots_of(&name, run::now(), SLOTS).await?;
    let open = usize::try_from(service.ledger.count_quarantined(Some(&name), None, true).await?).unwrap_or(usize::MAX);
    let last = open.div_ceil(REJECTED).max(1);
    let number = asked.page.unwrap_or(1).clamp(1, last);
    let from = (number - 1) * REJECTED;
    let here = (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(REJECTED).unwrap_or(i64::MAX));
    let shown = service.ledger.quarantined_page(Some(&name), None, true, here).await?;
    let night = pulls.iter().find(|pull| pull.purpose == crate::model::pull::Purpose::Night);
    let range = format!("{}–{} / {}", from + 1, (from + REJECTED).min(open), lang.number(open as u64));
    let about = &connector.file.connector;
    html(&DetailPage {
        layout: Layout::new(&service, &visitor, about.title.clone(), "connectors"),
        operates: visitor.operates(),
        said: said(lang, &asked.done),
        under_way: under_way(&service, lang),
        undone: undone(&service),
        row,
        system: &about.system,
        contact: &about.contact,
        schedule: lang.schedule(&connector.file.schedule.cron),
        fresh_hours: connector.file.schedule.fresh_within_hours,
        pulls: pulls.iter().map(|pull| pull_row(lang, pull)).collect(),
        drift: night.map(|pull| drift(lang, pull)).unwrap_or_default(),
        impossible: night.map(|pull| impossible(lang, pull)).unwrap_or_default(),
        slots: slots.iter().filter_map(|slot| slot_row(lang, slot)).take(SLOTS_LISTED).collect(),
        groups: groups(lang, service.ledger.open_groups(&name).await?),
        rejected: shown.iter().map(|row| rejected_row(lang, row)).collect(),
        range,
        newer: (number > 1).then(|| number - 1),
        older: (number < last).then(|| number + 1),
    })
}

fn pull_row(lang: Lang, pull: &Pull) -> PullRow {
    let counts = pull.counts;
    let why = pull.reason.as_deref().map(|code| match (lang, crate::service::pages::words::explanation(code)) {
        (Lang::Vi, Some((why, _))) => why.to_owned(),
        // The run's page has the message.
        _ => code.replace('_', " "),
    });
    PullRow {
        run: pull.run,
        purpose: lang.purpose(pull.purpose),
        started: moment(pull.started_at),
        took: pull.finished_at.map_or("–".to_owned(), |finished| lang.took(finished - pull.started_at)),
        class: pull.ended().map_or("running", crate::model::pull::Outcome::name),
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

/// Field, kind, first place, rows.
fn drift(lang: Lang, pull: &Pull) -> Vec<[String; 4]> {
    let row = |drift: &crate::model::pull::Drift| {
        let place = drift.first.map_or("–".to_owned(), |first| place(lang, first.page, first.row));
        let rows = drift.first.map_or("–".to_owned(), |first| lang.number(first.rows));
        [drift.field.clone(), lang.drift(drift.kind).to_owned(), place, rows]
    };
    pull.findings.drift.iter().map(row).collect()
}

fn impossible(lang: Lang, pull: &Pull) -> Vec<(String, String)> {
    let name = |name: &str| match order(name) {
        Some((vietnamese, english)) => lang.of(vietnamese, english).to_owned(),
        None => name.replace('_', " "),
    };
    pull.findings.impossible.iter().map(|(order, rows)| (name(order), lang.number(*rows))).collect()
}

/// Moment, what became of it, the original message; nothing of a slot that ran on time.
fn slot_row(lang: Lang, slot: &Slot) -> Option<[String; 3]> {
    let is_odd = matches!(slot.state, SlotState::Failed | SlotState::Missed) || slot.made_up;
    let made_up = if slot.made_up { format!(", {}", lang.words().made_up) } else { String::new() };
    let state = format!("{}{made_up}", lang.slot(slot.state));
    is_odd.then(|| [moment(slot.slot), state, slot.message.clone().unwrap_or_default()])
}

/// Open rejections by field and reason, most first.
fn groups(lang: Lang, groups: Vec<(Option<String>, String, i64)>) -> Vec<(String, String, String)> {
    let words = |(field, reason, rows): (Option<String>, String, i64)| {
        let field = field.unwrap_or_else(|| lang.words().whole_row.to_owned());
        (field, reason_text(lang, &reason), lang.number(rows.cast_unsigned()))
    };
    groups.into_iter().map(words).collect()
}

fn rejected_row(lang: Lang, row: &QuarantinedRow) -> RejectedRow {
    RejectedRow {
        id: row.id,
        run: row.run,
        place: place(lang, row.page, row.row),
        field: row.field.clone(),
        reason: reason_text(lang, &row.reason),
    }
}

pub(super) fn place(lang: Lang, page: u32, row: u32) -> String {
    match lang {
        Lang::Vi => format!("trang {page}, dòng {row}"),
        Lang::En => format!("page {page}, row {row}"),
    }
}

/// Why a row was rejected; a code that nobody knows stands as it is.
pub(super) fn reason_text(lang: Lang, code: &str) -> String {
    match Reason::from_code(code).map(rejection) {
        Some((vietnamese, english)) => lang.of(vietnamese, english).to_owned(),
        None => code.to_owned(),
    }
}
