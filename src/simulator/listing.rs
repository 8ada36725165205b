//! The portal's list of dossiers, and the search over it.

use std::collections::BTreeMap;

use jiff::civil::DateTime;

use crate::simulator::Province;
use crate::simulator::dossier::{Dossier, RecordState, Resend};
use crate::simulator::life_cycle::MAX_RESEND_SECS;
use crate::simulator::working_days::{AHEAD_SECS, Moment};

const DEFAULT_SIZE: usize = 20;
const MAX_SIZE: usize = 1_000;

/// One line of the portal's list. A dossier may have two.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListEntry {
    /// Acceptance, or the hand-in before acceptance: the list is sorted by it.
    key: Moment,
    /// Index of the dossier.
    dossier: u32,
    /// Moment whose state of the dossier is shown.
    state_at: Moment,
}

/// The portal's list at a moment, in its order.
pub(super) fn list(province: &Province, now: Moment) -> Vec<ListEntry> {
    let mut entries = Vec::with_capacity(province.dossiers.len());
    for (number, dossier) in (0_u32..).zip(&province.dossiers) {
        let Some(shown) = dossier.shown(now).filter(|_| province.is_in_portal(dossier)) else { continue };
        let key = shown.accepted.unwrap_or(dossier.applied);
        let entry = ListEntry { key, dossier: number, state_at: now };
        match dossier.resend {
            Resend::Once => entries.push(entry),
            Resend::Same(further) => {
                entries.extend([entry, ListEntry { key: key + i64::from(further), ..entry }]);
            }
            Resend::Older(further) => {
                let before = dossier.last_change(now) - 1;
                let state_at = if dossier.shown(before).is_some() { before } else { now };
                entries.extend([ListEntry { state_at, ..entry }, ListEntry { key: key + i64::from(further), ..entry }]);
            }
        }
    }
    entries.sort_unstable_by_key(|entry| (entry.key, province.dossiers[entry.dossier as usize].id, entry.state_at));
    entries
}

/// An inclusive range of moments.
#[derive(Debug, Clone, Copy)]
struct MomentRange {
    from: Moment,
    to: Moment,
    /// No bound was given: absent dates pass as well.
    open: bool,
}

impl MomentRange {
    const OPEN: Self = Self { from: Moment::MIN, to: Moment::MAX, open: true };

    fn bounded(from: Option<Moment>, to: Option<Moment>) -> Self {
        let open = from.is_none() && to.is_none();
        Self { from: from.unwrap_or(Moment::MIN), to: to.unwrap_or(Moment::MAX), open }
    }

    fn passes(self, moment: Option<Moment>) -> bool {
        self.open || moment.is_some_and(|at| self.from <= at && at <= self.to)
    }
}

/// First and last moment of a range; `None`: no bound.
pub(super) type Bounds = (Option<Moment>, Option<Moment>);

/// A search request.
#[derive(Debug)]
pub(super) struct SearchQuery {
    pub(super) page: usize,
    pub(super) size: usize,
    accepted: MomentRange,
    applied: MomentRange,
    appointment: MomentRange,
    returned: MomentRange,
}

impl SearchQuery {
    /// The first page of all dossiers.
    pub(super) fn everything() -> Self {
        let (accepted, applied, appointment, returned) =
            (MomentRange::OPEN, MomentRange::OPEN, MomentRange::OPEN, MomentRange::OPEN);
        Self { page: 0, size: DEFAULT_SIZE, accepted, applied, appointment, returned }
    }

    /// All dossiers of a range of receptions; `None`: no bound.
    pub(super) fn by_reception(from: Option<Moment>, to: Option<Moment>) -> Self {
        Self { accepted: MomentRange::bounded(from, to), ..Self::everything() }
    }

    /// All dossiers of ranges of the reception, the hand-in and the hand-over of the result.
    pub(super) fn by_dates(accepted: Bounds, applied: Bounds, returned: Bounds) -> Self {
        let [accepted, applied, returned] =
            [accepted, applied, returned].map(|(from, to)| MomentRange::bounded(from, to));
        Self { accepted, applied, returned, ..Self::everything() }
    }

    /// Reads the query. Unknown fields (`sort`, `spec`, `remove-status`, …) are ignored, as in iGate.
    pub(super) fn read(fields: &[(String, String)]) -> Result<Self, String> {
        let mut query = Self::everything();
        for (name, value) in fields {
            let number = || value.parse::<usize>().map_err(|_| format!("`{name}` is not a number: `{value}`"));
            let Some((range, from)) = (match name.as_str() {
                "accepted-from" => Some((&mut query.accepted, true)),
                "accepted-to" => Some((&mut query.accepted, false)),
                "applied-from" => Some((&mut query.applied, true)),
                "applied-to" => Some((&mut query.applied, false)),
                "appointment-from" => Some((&mut query.appointment, true)),
                "appointment-to" => Some((&mut query.appointment, false)),
                "result-returned-from" => Some((&mut query.returned, true)),
                "result-returned-to" => Some((&mut query.returned, false)),
                _ => None,
            }) else {
                match name.as_str() {
                    "page" => query.page = number()?,
                    "size" => query.size = number()?.clamp(1, MAX_SIZE),
                    _ => {}
                }
                continue;
            };
            if value.is_empty() {
                continue;
            }
            let (moment, fraction) = instant(value).ok_or_else(|| format!("`{name}` is not a moment: `{value}`"))?;
            range.open = false;
            if from {
                range.from = moment + i64::from(fraction);
            } else {
                range.to = moment;
            }
        }
        Ok(query)
    }

    fn passes(&self, dossier: &Dossier, shown: &RecordState) -> bool {
        self.accepted.passes(shown.accepted)
            && self.applied.passes(dossier.recorded_hand_in())
            && self.appointment.passes(shown.due)
            && self.returned.passes(shown.returned)
    }
}

/// Reads `2025-10-01T17:00:00[.000]` with `Z`, `+0700` or `+07:00`: the local moment, and whether a fraction of a
/// second was cut off. A space before the offset is a `+` that was not percent-encoded.
pub(super) fn instant(text: &str) -> Option<(Moment, bool)> {
    let (civil, rest) = text.split_at_checked(19)?;
    let at: DateTime = civil.parse().ok()?;
    let seconds = at.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0)).as_secs();
    let zone = rest.trim_start_matches(|letter: char| letter == '.' || letter.is_ascii_digit());
    let fraction = rest[..rest.len() - zone.len()].bytes().any(|digit| matches!(digit, b'1'..=b'9'));
    if zone == "Z" {
        return Some((seconds + AHEAD_SECS, fraction));
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+" | " ", digits) => (1, digits.replace(':', "")),
        ("-", digits) => (-1, digits.replace(':', "")),
        _ => return None,
    };
    let number: i64 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    let ahead = sign * (number / 100 * 3600 + number % 100 * 60);
    Some((seconds - ahead + AHEAD_SECS, fraction))
}

/// A dossier and its state in one line of the list.
pub(super) type ListedDossier<'a> = (&'a Dossier, RecordState);

/// Lines that match a search, in the portal's order.
pub(super) fn found<'a>(
    province: &'a Province,
    entries: &'a [ListEntry],
    query: &'a SearchQuery,
) -> impl Iterator<Item = ListedDossier<'a>> + use<'a> {
    // The list is sorted by acceptance; second copies come up to `MAX_RESEND_SECS` later.
    let start = entries.partition_point(|entry| entry.key < query.accepted.from);
    let latest = query.accepted.to.saturating_add(i64::from(MAX_RESEND_SECS));
    let end = entries.partition_point(|entry| entry.key <= latest).max(start);
    entries[start..end].iter().filter_map(|entry| {
        let dossier = &province.dossiers[entry.dossier as usize];
        let shown = dossier.shown(entry.state_at)?;
        query.passes(dossier, &shown).then_some((dossier, shown))
    })
}

/// The dossiers of a search, each once in its current state, in the order of their identities.
pub(super) fn listed_once<'a>(found: impl Iterator<Item = ListedDossier<'a>>) -> Vec<ListedDossier<'a>> {
    let by_id: BTreeMap<[u8; 12], ListedDossier<'a>> = found.map(|line| (line.0.id, line)).collect();
    by_id.into_values().collect()
}

/// One page of the search's result.
#[derive(Debug)]
pub(super) struct SearchPage<'a> {
    pub(super) number: usize,
    pub(super) size: usize,
    pub(super) lines: Vec<ListedDossier<'a>>,
    pub(super) last: bool,
    /// Number of lines on all pages, if the answer declares it.
    pub(super) total: Option<usize>,
}

impl<'a> SearchPage<'a> {
    /// Page `number`, from 0.
    pub(super) fn cut(found: impl Iterator<Item = ListedDossier<'a>>, number: usize, size: usize) -> Self {
        let mut found = found.skip(number.saturating_mul(size));
        let lines: Vec<_> = found.by_ref().take(size).collect();
        Self { number, size, lines, last: found.next().is_none(), total: None }
    }

    /// JSON of a Spring slice; of a Spring page if the total is declared.
    pub(super) fn body(&self, province: &Province) -> String {
        let Self { number, size, last, .. } = self;
        let count = self.lines.len();
        let mut body = String::with_capacity(count * 2_048 + 256);
        body.push_str("{\"content\":");
        records(province, &self.lines, &mut body);
        let declared = self.total.map(|total| {
            let pages = total.div_ceil(*size);
            format!(",\"totalElements\":{total},\"totalPages\":{pages}")
        });
        body.push_str(&declared.unwrap_or_default());
        let tail = format!(
            ",\"pageable\":{{\"pageNumber\":{number},\"pageSize\":{size},\"paged\":true}},\"number\":{number},\
             \"size\":{size},\"numberOfElements\":{count},\"first\":{},\"last\":{last},\"empty\":{}}}",
            *number == 0,
            count == 0
        );
        body.push_str(&tail);
        body
    }
}

/// Appends the list of records.
pub(super) fn records(province: &Province, lines: &[ListedDossier<'_>], body: &mut String) {
    body.push('[');
    for (index, (dossier, shown)) in lines.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        province.render(body, dossier, shown);
    }
    body.push(']');
}
