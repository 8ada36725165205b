//! Which rows are one dossier, and which of them counts. Nothing is read or written here.
//!
//! Two rows of different sources are one dossier if they have a code in common: the dossier code, the national code or
//! one of the other codes. Groups are the connected components: what is one dossier with a row is one with all that are
//! one dossier with it. Codes that do not have the form of a dossier code connect nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::model::source_order::SourceOrder;

/// Most rows of a group. More rows have one code in common only if it is a placeholder, so they are not taken for one
/// dossier.
pub(super) const MOST_ROWS: usize = 20;

/// Separates the codes in the column `other_codes`.
const SEPARATOR: char = ';';

/// Source and key of a row.
pub(super) type RowKey = (String, String);

/// A row of a dossier that is not deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CodedRow {
    pub(super) key: RowKey,
    /// Codes that have the form of a dossier code.
    pub(super) codes: Vec<String>,
    /// Change time of the source, run, page and row: the greatest is the newest version.
    pub(super) version: (Option<i64>, i64, i64, i64),
}

/// A row that is one dossier with rows of other sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupMember {
    pub(super) key: RowKey,
    pub(super) group: String,
    /// Whether this row stands for the dossier in figures.
    pub(super) counts: bool,
    /// The group has more than [`MOST_ROWS`] rows: it is not taken for one dossier, and every row counts.
    pub(super) is_too_large: bool,
}

/// The codes of a row that have the form of a dossier code. `texts`: the columns of codes.
pub(super) fn codes_of<'t>(texts: impl IntoIterator<Item = Option<&'t str>>) -> Vec<&'t str> {
    texts.into_iter().flatten().flat_map(split).filter(|code| is_dossier_code(code)).collect()
}

/// The codes in a column of codes, whatever their form.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(SEPARATOR).map(str::trim)
}

/// Whether a text has the form of a dossier code (domain A.6): agency, date of reception (`yyMMdd` or `yyyyMMdd`) and
/// sequence number of at least four digits, as in `H61.14-240823-0001`. Placeholders such as `H61-000000-0000` do not.
pub(super) fn is_dossier_code(text: &str) -> bool {
    let mut parts = text.rsplitn(3, '-');
    let (Some(sequence), Some(day), Some(agency)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_sequence =
        (4..=8).contains(&sequence.len()) && is_number(sequence) && sequence.bytes().any(|byte| byte != b'0');
    let is_agency = agency.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && agency.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    is_sequence && is_agency && is_number(day) && is_day(day)
}

fn is_day(digits: &str) -> bool {
    let (year, rest) = match digits.len() {
        6 => (format!("20{}", &digits[..2]), &digits[2..]),
        8 => (digits[..4].to_owned(), &digits[4..]),
        _ => return false,
    };
    let (Ok(year), Ok(month), Ok(day)) = (year.parse(), rest[..2].parse(), rest[2..].parse()) else { return false };
    Date::new(year, month, day).is_ok()
}

/// The members of all groups of two or more rows, by source and key. `known`: the groups that rows were in before; a
/// group keeps its name as long as one of its rows stays.
pub(super) fn group(rows: &[CodedRow], order: &SourceOrder, known: &HashMap<RowKey, String>) -> Vec<GroupMember> {
    let mut groups: Vec<Vec<usize>> = components(rows);
    let key = |row: usize| &rows[row].key;
    for group in &mut groups {
        group.sort_by(|left, right| key(*left).cmp(key(*right)));
    }
    groups.sort_by(|left, right| key(left[0]).cmp(key(right[0])));
    let names = names_of(rows, &groups, known);
    let mut members = Vec::new();
    for (group, name) in groups.iter().zip(names) {
        let is_too_large = group.len() > MOST_ROWS;
        let first = first_of(rows, group, order);
        members.extend(group.iter().map(|row| GroupMember {
            key: key(*row).clone(),
            group: name.clone(),
            counts: is_too_large || *row == first,
            is_too_large,
        }));
    }
    members.sort_by(|left, right| left.key.cmp(&right.key));
    members
}

/// The row that counts: of the source ranked first, its newest version; of equal ones that with the smallest key.
fn first_of(rows: &[CodedRow], group: &[usize], order: &SourceOrder) -> usize {
    let rank = |row: &usize| {
        let CodedRow { key: (source, key), version, .. } = &rows[*row];
        (order.rank(source), std::cmp::Reverse(*version), key)
    };
    *group.iter().min_by(|left, right| rank(left).cmp(&rank(right))).expect("a group has rows")
}

/// Components of two or more rows, as positions in `rows`.
fn components(rows: &[CodedRow]) -> Vec<Vec<usize>> {
    let mut with_code: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, row) in rows.iter().enumerate() {
        for code in &row.codes {
            with_code.entry(code).or_default().push(number);
        }
    }
    let mut parents: Vec<usize> = (0..rows.len()).collect();
    for sharing in with_code.into_values() {
        let source = |row: usize| &rows[row].key.0;
        // Rows of one source alone are different dossiers, whatever their codes. With a row of another source, each is
        // connected to it.
        if sharing.iter().any(|row| source(*row) != source(sharing[0])) {
            for row in &sharing[1..] {
                let (left, right) = (root(&mut parents, sharing[0]), root(&mut parents, *row));
                parents[left] = right;
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for row in 0..rows.len() {
        members.entry(root(&mut parents, row)).or_default().push(row);
    }
    members.into_values().filter(|group| group.len() > 1).collect()
}

/// The root of a row's tree; shortens the way to it.
fn root(parents: &mut [usize], mut row: usize) -> usize {
    while parents[row] != row {
        parents[row] = parents[parents[row]];
        row = parents[row];
    }
    row
}

/// Names of groups whose rows, and which themselves, are sorted by key. If rows of one earlier group are in several
/// groups now, the group with the smallest of these rows keeps the name.
fn names_of(rows: &[CodedRow], groups: &[Vec<usize>], known: &HashMap<RowKey, String>) -> Vec<String> {
    let name_before = |row: &usize| known.get(&rows[*row].key).map(String::as_str);
    let mut owners: HashMap<&str, (&RowKey, usize)> = HashMap::new();
    for (number, group) in groups.iter().enumerate() {
        for row in group {
            let Some(name) = name_before(row) else { continue };
            let claim = (&rows[*row].key, number);
            owners.entry(name).and_modify(|owner| *owner = (*owner).min(claim)).or_insert(claim);
        }
    }
    let mut used: HashSet<String> = known.values().cloned().collect();
    let mut names = Vec::with_capacity(groups.len());
    for (number, group) in groups.iter().enumerate() {
        let kept = group.iter().filter_map(name_before).find(|name| owners[name].1 == number);
        let name = kept.map_or_else(|| new_name(&rows[group[0]].key, &used), str::to_owned);
        used.insert(name.clone());
        names.push(name);
    }
    names
}

/// Name of a new group: digest of its smallest key, numbered if the name was given before.
fn new_name((source, key): &RowKey, used: &HashSet<String>) -> String {
    let mut number = 0_u32;
    loop {
        let digest = format!("{:x}", Sha256::digest(format!("{source}\n{key}\n{number}").as_bytes()));
        let name = &digest[..32];
        if !used.contains(name) {
            return name.to_owned();
        }
        number += 1;
    }
}

#[cfg(test)]
#[path = "grouping_tests.rs"]
mod tests;
