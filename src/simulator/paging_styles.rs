//! Endpoints for tests: the dossiers of the search, paged in the ways of other systems.
//!
//! The envelopes are those of the systems named below, the records are iGate's; no real system has such an API. Each
//! dossier is listed once, in its current state, in the order of ids.

use std::collections::HashMap;
use std::fmt::Write as _;

use axum::response::Response;
use serde_json::{Value, json};

use crate::simulator::Province;
use crate::simulator::faults::Fault;
use crate::simulator::faulty_answers::json_answer;
use crate::simulator::listing::{ListedDossier, listed_once, records};

/// Pages numbered from 1, `pageSize` rows each, with a total (domain A.3).
pub const TD_PATH: &str = "/td/dossiers";
/// Pages of `pagesize` rows after the record `lastId`; an empty page is the end (RESTHeart).
pub const KEYSET_PATH: &str = "/keyset/dossiers";
/// Pages of `size` rows after `cursor`, each with the next cursor or `null`.
pub const CURSOR_PATH: &str = "/cursor/dossiers";

const DEFAULT_SIZE: usize = 50;

/// How an endpoint pages.
#[derive(Debug, Clone, Copy)]
pub(super) enum PagingStyle {
    Td,
    Keyset,
    Cursor,
}

type Fields = HashMap<String, String>;

/// Answer of an endpoint. A number that cannot be read is treated as absent.
pub(super) fn answer<'a>(
    style: PagingStyle,
    province: &Province,
    found: impl Iterator<Item = ListedDossier<'a>>,
    fields: &Fields,
    fault: Option<Fault>,
) -> Response {
    let lines = listed_once(found);
    json_answer(match style {
        PagingStyle::Td => td(province, lines, fields, fault),
        PagingStyle::Keyset => keyset(province, &lines, fields, fault),
        PagingStyle::Cursor => cursor(province, &lines, fields, fault),
    })
}

fn number(fields: &Fields, name: &str, default: usize) -> usize {
    fields.get(name).and_then(|text| text.parse().ok()).filter(|number| *number > 0).unwrap_or(default)
}

fn list(province: &Province, lines: &[ListedDossier<'_>]) -> Value {
    let mut text = String::new();
    records(province, lines, &mut text);
    serde_json::from_str(&text).expect("the portal writes JSON")
}

fn part<'l, 'a>(lines: &'l [ListedDossier<'a>], from: usize, size: usize) -> &'l [ListedDossier<'a>] {
    let from = from.min(lines.len());
    &lines[from..lines.len().min(from + size)]
}

fn td(province: &Province, mut lines: Vec<ListedDossier<'_>>, fields: &Fields, fault: Option<Fault>) -> String {
    let (page, size) = (number(fields, "pageNumber", 1), number(fields, "pageSize", DEFAULT_SIZE));
    if fault == Some(Fault::ShrinkingTotal) && page > 1 {
        lines.truncate(lines.len().saturating_sub(size));
    }
    let (total, pages) = (lines.len(), lines.len().div_ceil(size));
    json!({
        "data": list(province, part(&lines, (page - 1) * size, size)),
        "currentPage": page, "totalPages": pages, "totalCount": total, "pageSize": size, "hasNextPage": page < pages,
    })
    .to_string()
}

fn keyset(province: &Province, lines: &[ListedDossier<'_>], fields: &Fields, fault: Option<Fault>) -> String {
    let twice: Vec<ListedDossier<'_>> = match fault {
        Some(Fault::KeyTies) => lines.iter().flat_map(|line| [*line, *line]).skip(1).collect(),
        _ => lines.to_vec(),
    };
    let lines = &twice[..];
    let last = fields.get("lastId").filter(|_| fault != Some(Fault::StuckKey)).map_or("", String::as_str);
    let from = lines.partition_point(|(dossier, _)| hex(&dossier.id).as_str() <= last);
    json!({"_embedded": {"rh:doc": list(province, part(lines, from, number(fields, "pagesize", DEFAULT_SIZE)))}})
        .to_string()
}

fn cursor(province: &Province, lines: &[ListedDossier<'_>], fields: &Fields, fault: Option<Fault>) -> String {
    let size = number(fields, "size", DEFAULT_SIZE);
    let from = fields.get("cursor").and_then(|text| text.strip_prefix("after-")?.parse().ok()).unwrap_or(0);
    let next = match fault {
        Some(Fault::StuckCursor) if from > 0 => Some(from),
        Some(Fault::CirclingCursor) if from + size >= lines.len() => Some(0),
        _ => Some(from + size).filter(|next| *next < lines.len()),
    };
    json!({"items": list(province, part(lines, from, size)), "next": next.map(|next| format!("after-{next}"))})
        .to_string()
}

fn hex(id: &[u8; 12]) -> String {
    id.iter().fold(String::with_capacity(24), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}
