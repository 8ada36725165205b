//! Rows of the table of groups, and how they are stored.

use std::collections::{BTreeMap, HashMap};

use polars::prelude::*;

use super::grouping::{GroupMember, RowKey};
use crate::lake::layout::{Layout, StoredType};

/// Name of the table of groups.
pub const GROUP_TABLE: &str = "dossier_groups";

/// Value of `not_merged` in a group that is too large.
const TOO_MANY: &str = "too_many";

/// A row that is one dossier with rows of other sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupedRow {
    pub source: String,
    pub source_key: String,
    pub group_key: String,
    pub counts: bool,
    /// `too_many`, or `None`.
    pub not_merged: Option<String>,
}

/// How many rows the groups leave out of figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupCounts {
    /// Rows that do not count because a row of another source stands for the dossier, by source.
    pub elsewhere: BTreeMap<String, u64>,
    /// Rows that share codes with too many others, by source. They count.
    pub not_merged: BTreeMap<String, u64>,
}

impl GroupCounts {
    pub(super) fn of(rows: &[GroupedRow]) -> Self {
        let mut counts = Self::default();
        for row in rows {
            if !row.counts {
                *counts.elsewhere.entry(row.source.clone()).or_default() += 1;
            }
            if row.not_merged.is_some() {
                *counts.not_merged.entry(row.source.clone()).or_default() += 1;
            }
        }
        counts
    }
}

pub(super) fn layout() -> Layout {
    let columns = vec![
        ("source", StoredType::Text),
        ("source_key", StoredType::Text),
        ("group_key", StoredType::Text),
        ("counts", StoredType::Flag),
        ("not_merged", StoredType::Text),
    ];
    Layout { name: GROUP_TABLE, columns, parted: false }
}

/// No groups, with the columns of the table.
pub(in crate::lake) fn none() -> LazyFrame {
    DataFrame::empty_with_schema(&layout().scan_schema()).lazy()
}

impl From<GroupMember> for GroupedRow {
    fn from(member: GroupMember) -> Self {
        let (source, source_key) = member.key;
        let not_merged = member.is_too_large.then(|| TOO_MANY.to_owned());
        Self { source, source_key, group_key: member.group, counts: member.counts, not_merged }
    }
}

/// Dossier codes by key.
pub(super) fn dossier_codes(frame: &DataFrame) -> PolarsResult<HashMap<RowKey, String>> {
    let text = |name: &str| frame.column(name)?.str();
    let (sources, keys, codes) = (text("source")?, text("source_key")?, text("dossier_code")?);
    let pair = |at: usize| Some(((sources.get(at)?.to_owned(), keys.get(at)?.to_owned()), codes.get(at)?.to_owned()));
    Ok((0..frame.height()).filter_map(pair).collect())
}

/// Reads rows as they are stored.
pub(super) fn rows_of(frame: &DataFrame) -> PolarsResult<Vec<GroupedRow>> {
    let text = |name: &str| frame.column(name)?.str();
    let (sources, keys, groups, reasons) =
        (text("source")?, text("source_key")?, text("group_key")?, text("not_merged")?);
    let counts = frame.column("counts")?.bool()?;
    let row = |at: usize| {
        Some(GroupedRow {
            source: sources.get(at)?.to_owned(),
            source_key: keys.get(at)?.to_owned(),
            group_key: groups.get(at)?.to_owned(),
            counts: counts.get(at)?,
            not_merged: reasons.get(at).map(str::to_owned),
        })
    };
    Ok((0..frame.height()).filter_map(row).collect())
}

/// The rows as they are stored.
pub(super) fn frame(rows: &[GroupedRow]) -> PolarsResult<DataFrame> {
    let text = |name: &str, value: fn(&GroupedRow) -> Option<&str>| {
        Column::new(name.into(), rows.iter().map(value).collect::<Vec<Option<&str>>>())
    };
    let columns = vec![
        text("source", |row| Some(&row.source)),
        text("source_key", |row| Some(&row.source_key)),
        text("group_key", |row| Some(&row.group_key)),
        Column::new("counts".into(), rows.iter().map(|row| row.counts).collect::<Vec<bool>>()),
        text("not_merged", |row| row.not_merged.as_deref()),
    ];
    DataFrame::new(rows.len(), columns)
}
