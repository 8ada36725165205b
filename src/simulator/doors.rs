//! Test doors: the same dossiers as the search lists, paged in the ways of other systems. Their envelopes are those of
//! the systems named, their records iGate's: nobody's API.
//!
//! Every dossier stands once, as it is, in the order of ids.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use axum::response::Response;
use serde_json::{Value, json};

use crate::simulator::Province;
use crate::simulator::faults::Fault;
use crate::simulator::listing::{Line, records};
use crate::simulator::trouble::whole;

/// Pages by number from 1, `pageSize` rows each, with a total (domain A.3).
pub const TD_PATH: &str = "/td/dossiers";
/// Pages of `pagesize` rows after the record `lastId`; an empty one is the end (RESTHeart).
pub const KEYSET_PATH: &str = "/keyset/dossiers";
/// Pages of `size` rows after `cursor`, each with the next one or `null`.
pub const CURSOR_PATH: &str = "/cursor/dossiers";

const USUAL_SIZE: usize = 50;

/// Which door a request came to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Door {
    Td,
    Keyset,
    Cursor,
}

type Fields = HashMap<String, String>;

/// The answer of a door; an unreadable number is as one that is absent.
pub(super) fn answer<'a>(
    door: Door,
    province: &Province,
    found: impl Iterator<Item = Line<'a>>,
    fields: &Fields,
    fault: Option<Fault>,
) -> Response {
    let by_id: BTreeMap<[u8; 12], Line<'a>> = found.map(|line| (line.0.id, line)).collect();
    let lines: Vec<Line<'a>> = by_id.into_values().collect();
    whole(match door {
        Door::Td => td(province, lines, fields, fault),
        Door::Keyset => keyset(province, &lines, fields, fault),
        Door::Cursor => cursor(province, &lines, fields, fault),
    })
}

fn number(fields: &Fields, name: &str, usual: usize) -> usize {
    fields.get(name).and_then(|text| text.parse().ok()).filter(|number| *number > 0).unwrap_or(usual)
}

fn list(province: &Province, lines: &[Line<'_>]) -> Value {
    let mut text = String::new();
    records(province, lines, &mut text);
    serde_json::from_str(&text).expect("the portal writes JSON")
}

fn stretch<'l, 'a>(lines: &'l [Line<'a>], from: usize, size: usize) -> &'l [Line<'a>] {
    let from = from.min(lines.len());
    &lines[from..lines.len().min(from + size)]
}

fn td(province: &Province, mut lines: Vec<Line<'_>>, fields: &Fields, fault: Option<Fault>) -> String {
    let (page, size) = (number(fields, "pageNumber", 1), number(fields, "pageSize", USUAL_SIZE));
    if fault == Some(Fault::ShrinkingTotal) && page > 1 {
        lines.truncate(lines.len().saturating_sub(size));
    }
    let (total, pages) = (lines.len(), lines.len().div_ceil(size));
    json!({
        "data": list(province, stretch(&lines, (page - 1) * size, size)),
        "currentPage": page, "totalPages": pages, "totalCount": total, "pageSize": size, "hasNextPage": page < pages,
    })
    .to_string()
}

fn keyset(province: &Province, lines: &[Line<'_>], fields: &Fields, fault: Option<Fault>) -> String {
    let last = fields.get("lastId").filter(|_| fault != Some(Fault::StuckKey)).map_or("", String::as_str);
    let from = lines.partition_point(|(dossier, _)| hex(&dossier.id).as_str() <= last);
    json!({"_embedded": {"rh:doc": list(province, stretch(lines, from, number(fields, "pagesize", USUAL_SIZE)))}})
        .to_string()
}

fn cursor(province: &Province, lines: &[Line<'_>], fields: &Fields, fault: Option<Fault>) -> String {
    let size = number(fields, "size", USUAL_SIZE);
    let asked = fields.get("cursor").and_then(|text| text.strip_prefix("after-")?.parse().ok()).unwrap_or(0);
    let next = match fault {
        Some(Fault::StuckCursor) if asked > 0 => Some(asked),
        Some(Fault::CirclingCursor) if asked + size >= lines.len() => Some(0),
        _ => Some(asked + size).filter(|next| *next < lines.len()),
    };
    json!({"items": list(province, stretch(lines, asked, size)), "next": next.map(|next| format!("after-{next}"))})
        .to_string()
}

fn hex(id: &[u8; 12]) -> String {
    id.iter().fold(String::with_capacity(24), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}
