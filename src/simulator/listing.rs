//! What the portal lists, and what of it a search asks for.

use jiff::civil::DateTime;

use crate::simulator::Province;
use crate::simulator::dossier::{Dossier, Resend, Shown};
use crate::simulator::life::MAX_RESEND_SECS;
use crate::simulator::working_days::{AHEAD_SECS, Moment};

const USUAL_SIZE: usize = 20;
const MAX_SIZE: usize = 1_000;

/// One line of the portal's list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    key: Moment,
    /// Index of the dossier.
    dossier: u32,
    /// The moment as of which it is shown.
    seen: Moment,
}

/// Everything that the portal lists at a moment, in its order.
pub(super) fn list(province: &Province, now: Moment) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(province.dossiers.len());
    for (number, dossier) in (0_u32..).zip(&province.dossiers) {
        let Some(shown) = dossier.shown(now) else { continue };
        let key = shown.accepted.unwrap_or(dossier.applied);
        let entry = Entry { key, dossier: number, seen: now };
        match dossier.resend {
            Resend::Once => entries.push(entry),
            Resend::Same(further) => {
                entries.extend([entry, Entry { key: key + i64::from(further), ..entry }]);
            }
            Resend::Older(further) => {
                let before = dossier.last_change(now) - 1;
                let seen = if dossier.shown(before).is_some() { before } else { now };
                entries.extend([Entry { seen, ..entry }, Entry { key: key + i64::from(further), ..entry }]);
            }
        }
    }
    entries.sort_unstable_by_key(|entry| (entry.key, province.dossiers[entry.dossier as usize].id, entry.seen));
    entries
}

/// An inclusive range of moments.
#[derive(Debug, Clone, Copy)]
struct Range {
    from: Moment,
    to: Moment,
    /// Nobody asked: absent dates pass as well.
    open: bool,
}

impl Range {
    const OPEN: Self = Self { from: Moment::MIN, to: Moment::MAX, open: true };

    fn passes(self, moment: Option<Moment>) -> bool {
        self.open || moment.is_some_and(|at| self.from <= at && at <= self.to)
    }
}

/// A search request, read.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) page: usize,
    pub(super) size: usize,
    accepted: Range,
    applied: Range,
    appointment: Range,
    returned: Range,
}

impl Wanted {
    /// The first page of all that there is.
    pub(super) fn everything() -> Self {
        let (accepted, applied, appointment, returned) = (Range::OPEN, Range::OPEN, Range::OPEN, Range::OPEN);
        Self { page: 0, size: USUAL_SIZE, accepted, applied, appointment, returned }
    }

    /// Fields that it does not know (`sort`, `spec`, `remove-status`, …) change nothing, as with iGate.
    pub(super) fn read(fields: &[(String, String)]) -> Result<Self, String> {
        let mut wanted = Self::everything();
        for (name, value) in fields {
            let number = || value.parse::<usize>().map_err(|_| format!("`{name}` is no number: `{value}`"));
            let Some((range, from)) = (match name.as_str() {
                "accepted-from" => Some((&mut wanted.accepted, true)),
                "accepted-to" => Some((&mut wanted.accepted, false)),
                "applied-from" => Some((&mut wanted.applied, true)),
                "applied-to" => Some((&mut wanted.applied, false)),
                "appointment-from" => Some((&mut wanted.appointment, true)),
                "appointment-to" => Some((&mut wanted.appointment, false)),
                "result-returned-from" => Some((&mut wanted.returned, true)),
                "result-returned-to" => Some((&mut wanted.returned, false)),
                _ => None,
            }) else {
                match name.as_str() {
                    "page" => wanted.page = number()?,
                    "size" => wanted.size = number()?.clamp(1, MAX_SIZE),
                    _ => {}
                }
                continue;
            };
            if value.is_empty() {
                continue;
            }
            let (moment, fraction) = instant(value).ok_or_else(|| format!("`{name}` is no instant: `{value}`"))?;
            range.open = false;
            if from {
                range.from = moment + i64::from(fraction);
            } else {
                range.to = moment;
            }
        }
        Ok(wanted)
    }

    fn passes(&self, dossier: &Dossier, shown: &Shown) -> bool {
        self.accepted.passes(shown.accepted)
            && self.applied.passes(dossier.stated_applied())
            && self.appointment.passes(shown.due)
            && self.returned.passes(shown.returned)
    }
}

/// `2025-10-01T17:00:00[.000]` with `Z`, `+0700` or `+07:00` as a local moment, and whether a fraction of a
/// second was cut off. A `+` that the query made a space is a `+`.
fn instant(text: &str) -> Option<(Moment, bool)> {
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

/// A dossier as one line of the list shows it.
pub(super) type Line<'a> = (&'a Dossier, Shown);

/// The lines that a search finds, in the portal's order.
pub(super) fn found<'a>(
    province: &'a Province,
    entries: &'a [Entry],
    wanted: &'a Wanted,
) -> impl Iterator<Item = Line<'a>> + use<'a> {
    // The list is in the order of acceptance, second copies a little further down.
    let start = entries.partition_point(|entry| entry.key < wanted.accepted.from);
    let latest = wanted.accepted.to.saturating_add(i64::from(MAX_RESEND_SECS));
    let end = entries.partition_point(|entry| entry.key <= latest).max(start);
    entries[start..end].iter().filter_map(|entry| {
        let dossier = &province.dossiers[entry.dossier as usize];
        let shown = dossier.shown(entry.seen)?;
        wanted.passes(dossier, &shown).then_some((dossier, shown))
    })
}

/// One page of lines, and whether it is the last.
#[derive(Debug)]
pub(super) struct Slice<'a> {
    pub(super) number: usize,
    pub(super) size: usize,
    pub(super) lines: Vec<Line<'a>>,
    pub(super) last: bool,
}

impl<'a> Slice<'a> {
    /// Page `number`, from 0.
    pub(super) fn cut(found: impl Iterator<Item = Line<'a>>, number: usize, size: usize) -> Self {
        let mut found = found.skip(number.saturating_mul(size));
        let lines: Vec<_> = found.by_ref().take(size).collect();
        Self { number, size, lines, last: found.next().is_none() }
    }

    /// As Spring writes it.
    pub(super) fn body(&self, province: &Province) -> String {
        let Self { number, size, last, .. } = self;
        let count = self.lines.len();
        let mut body = String::with_capacity(count * 2_048 + 256);
        body.push_str("{\"content\":");
        records(province, &self.lines, &mut body);
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
pub(super) fn records(province: &Province, lines: &[Line<'_>], body: &mut String) {
    body.push('[');
    for (index, (dossier, shown)) in lines.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        province.render(body, dossier, shown);
    }
    body.push(']');
}
