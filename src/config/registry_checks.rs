//! Checks of rows of the registries against each other: names that mean two agencies on one day, days and codes that are
//! listed twice, offers whose days overlap.
//!
//! Only files on disk are checked. What a past night stored is read as it was.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use jiff::civil::Date;

use crate::config::problem::Problems;
use crate::model::agency::{Agency, Succession};
use crate::model::day::CalendarDay;
use crate::model::procedure::{Offer, Offerer};
use crate::model::text::name_key;

/// The rows of a file that could be read, with their lines.
pub(super) type NumberedRows<T> = Vec<(usize, T)>;

/// Adds a problem for each name, alias or code that means two agencies on one day. Names are compared as in records:
/// without regard to case, spacing, letters that look alike and the place of the tone mark.
pub(super) fn agencies(file: &Path, rows: &NumberedRows<Agency>, problems: &mut Problems) {
    for (line, agency) in rows {
        if let (Some(from), Some(to)) = days(agency)
            && to < from
        {
            problems.add(file, *line, "valid_to", format!("{to} is before `valid_from` {from}: no day is left"));
        }
    }
    let parents = rows.iter().filter_map(|(line, agency)| Some((*line, &*agency.code, agency.parent.as_deref()?)));
    circles(file, "parent", &parents.collect::<Vec<_>>(), problems);
    let mut rows_by_name: BTreeMap<String, Vec<(&'static str, &str, usize)>> = BTreeMap::new();
    for (index, (_, agency)) in rows.iter().enumerate() {
        let others = agency.other_codes.iter().map(|code| ("other_codes", code));
        let aliases = agency.aliases.iter().map(|alias| ("aliases", alias));
        for (column, name) in [("code", &agency.code), ("name", &agency.name)].into_iter().chain(others).chain(aliases)
        {
            let known = rows_by_name.entry(name_key(name)).or_default();
            if known.iter().all(|(.., other)| *other != index) {
                known.push((column, name, index));
            }
        }
    }
    for alike in rows_by_name.into_values() {
        for (position, (column, name, index)) in alike.iter().enumerate() {
            let (line, agency) = &rows[*index];
            let earlier = alike[..position].iter().map(|(.., earlier)| &rows[*earlier]);
            for (other_line, other) in earlier.filter(|(_, other)| days_overlap(days(agency), days(other))) {
                // The same code twice is reported where codes are collected.
                if agency.code != other.code {
                    let message = format!(
                        "`{name}` means agency `{}` and, in line {other_line}, agency `{}` on the same days: give them different names, \
                         or days in `valid_from` and `valid_to` that do not overlap",
                        agency.code, other.code,
                    );
                    problems.add(file, *line, *column, message);
                }
            }
        }
    }
}

/// Adds a problem for each agency that passed its tasks on and got them back.
pub(super) fn successions(file: &Path, rows: &NumberedRows<Succession>, problems: &mut Problems) {
    let passed: Vec<(usize, &str, &str)> = rows.iter().map(|(line, row)| (*line, &*row.from, &*row.to)).collect();
    circles(file, "to", &passed, problems);
}

/// Adds a problem for each row that leads back to its own agency. A row leads from one agency to another.
fn circles(file: &Path, column: &'static str, rows: &[(usize, &str, &str)], problems: &mut Problems) {
    let mut leads: HashMap<&str, Vec<&str>> = HashMap::new();
    for (_, from, to) in rows {
        leads.entry(from).or_default().push(to);
    }
    for (line, from, to) in rows {
        let (mut reached, mut open) = (BTreeSet::from([*to]), vec![*to]);
        while let Some(at) = open.pop() {
            let next = leads.get(at).into_iter().flatten();
            open.extend(next.filter(|code| reached.insert(code)));
        }
        if reached.contains(from) {
            problems.add(file, *line, column, format!("`{to}` leads back to `{from}`: the rows run in a circle"));
        }
    }
}

/// Adds a problem for each day that is listed twice.
pub(super) fn calendar(file: &Path, rows: &NumberedRows<CalendarDay>, problems: &mut Problems) {
    let mut lines: HashMap<Date, usize> = HashMap::new();
    for (line, day) in rows {
        if let Some(earlier) = lines.insert(day.date, *line) {
            let message = format!("{} is listed twice, also in line {earlier}: keep the row that is right", day.date);
            problems.add(file, *line, "date", message);
        }
    }
}

/// Adds a problem for each offer whose days overlap those of an earlier row of the same procedure and agency or tier.
pub(super) fn offers(file: &Path, rows: &NumberedRows<Offer>, problems: &mut Problems) {
    let mut rows_by_offer: HashMap<(&str, String), Vec<&(usize, Offer)>> = HashMap::new();
    for row in rows {
        let (line, offer) = row;
        let offerer = match &offer.offerer {
            Offerer::Agency(code) => code.clone(),
            Offerer::Tier(tier) => format!("tier:{}", tier.name()),
        };
        let earlier = rows_by_offer.entry((&offer.procedure, offerer.clone())).or_default();
        let days = |offer: &Offer| (offer.valid_from, offer.valid_to);
        if let Some((other_line, _)) = earlier.iter().find(|(_, other)| days_overlap(days(offer), days(other))) {
            let message = format!(
                "procedure `{}` of `{offerer}` is also in line {other_line} on the same days: keep one row, or write days in `valid_from` \
                 and `valid_to` that do not overlap",
                offer.procedure
            );
            problems.add(file, *line, "procedure", message);
        }
        earlier.push(row);
    }
}

/// Adds a problem for each sector that is listed twice.
pub(super) fn sectors(file: &Path, rows: &NumberedRows<(String, String)>, problems: &mut Problems) {
    let mut lines: HashMap<&str, usize> = HashMap::new();
    for (line, (code, _)) in rows {
        if let Some(earlier) = lines.insert(code, *line) {
            problems.add(file, *line, "code", format!("sector `{code}` is listed twice, also in line {earlier}"));
        }
    }
}

/// First and last day; `None` if there is no limit.
type Days = (Option<Date>, Option<Date>);

fn days(agency: &Agency) -> Days {
    (agency.valid_from, agency.valid_to)
}

fn days_overlap(one: Days, other: Days) -> bool {
    let begins_by_the_end =
        |from: Option<Date>, to: Option<Date>| from.is_none_or(|from| to.is_none_or(|to| from <= to));
    begins_by_the_end(one.0, other.1) && begins_by_the_end(other.0, one.1)
}
