//! Official report forms: their templates as data, their cells, and the identities between columns.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::instant::local;

/// `config/forms/*.toml`: a version of an official form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormTemplate {
    /// As it is asked for: `II.06a`.
    pub id: String,
    pub version: u32,
    /// The document that gives the form.
    pub document: String,
    /// Rule set that its cells follow.
    pub rules: String,
    /// Sign of the form, in the upper right corner.
    pub sign: String,
    pub title: String,
    /// Below the title; `{start}` and `{end}` are the period's days.
    pub period: String,
    pub unit: String,
    /// Heading of the row number and of the row's name, and the name of the last row.
    pub number: String,
    pub label: String,
    pub total: String,
    /// Columns after the first two, in order.
    pub group: Vec<ColumnGroup>,
    /// Blocks under the table, from left to right: each its lines.
    pub signature: Vec<Vec<String>>,
}

/// Columns under one heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnGroup {
    pub title: String,
    pub column: Vec<FormColumn>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormColumn {
    /// A heading between the group's and its own.
    #[serde(default)]
    pub under: Option<String>,
    pub title: String,
    /// Its number in the form.
    pub number: u32,
    pub count: FormCount,
}

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormCount {
    Received,
    Online,
    CounterAndPost,
    CarriedOver,
    Resolved,
    Early,
    OnTime,
    Late,
    Pending,
    PendingInTime,
    PendingOverdue,
}

/// The cells of a row of II.06a; the sums are made from them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FormCounts {
    /// Column 4: received in the period, online.
    pub online: u64,
    /// Column 5: received in the period, at the counter or by post.
    pub counter_and_post: u64,
    /// Column 6: received before it, not ended before it.
    pub carried_over: u64,
    /// Columns 8, 9, 10: ended in the period.
    pub early: u64,
    pub on_time: u64,
    pub late: u64,
    /// Columns 12, 13: open at the period's end.
    pub pending_in_time: u64,
    pub pending_overdue: u64,
}

/// An identity of the form does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row `{row}`: {received} dossiers to resolve are not {resolved} resolved and {pending} pending (3 = 7 + 11)")]
pub struct BrokenIdentity {
    pub row: String,
    pub received: u64,
    pub resolved: u64,
    pub pending: u64,
}

impl FormCounts {
    #[must_use]
    pub fn get(&self, count: FormCount) -> u64 {
        match count {
            FormCount::Received => self.online + self.counter_and_post + self.carried_over,
            FormCount::Online => self.online,
            FormCount::CounterAndPost => self.counter_and_post,
            FormCount::CarriedOver => self.carried_over,
            FormCount::Resolved => self.early + self.on_time + self.late,
            FormCount::Early => self.early,
            FormCount::OnTime => self.on_time,
            FormCount::Late => self.late,
            FormCount::Pending => self.pending_in_time + self.pending_overdue,
            FormCount::PendingInTime => self.pending_in_time,
            FormCount::PendingOverdue => self.pending_overdue,
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.online += other.online;
        self.counter_and_post += other.counter_and_post;
        self.carried_over += other.carried_over;
        self.early += other.early;
        self.on_time += other.on_time;
        self.late += other.late;
        self.pending_in_time += other.pending_in_time;
        self.pending_overdue += other.pending_overdue;
    }

    /// Holds 3 = 7 + 11. The sums 3 = 4 + 5 + 6, 7 = 8 + 9 + 10 and 11 = 12 + 13 are made, not read, and hold by themselves.
    ///
    /// # Errors
    /// The row and both sides.
    pub fn check(&self, row: &str) -> Result<(), BrokenIdentity> {
        let of = |count| self.get(count);
        let (received, resolved, pending) = (of(FormCount::Received), of(FormCount::Resolved), of(FormCount::Pending));
        if received == resolved + pending {
            return Ok(());
        }
        Err(BrokenIdentity { row: row.to_owned(), received, resolved, pending })
    }
}

/// A form filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledForm {
    /// The agency, the tier or the province.
    pub whom: String,
    pub start: Date,
    /// Inclusive.
    pub end: Date,
    /// The moment of the night whose data it rests on, microseconds UTC.
    pub as_of: i64,
    /// Every connector was read whole.
    pub complete: bool,
    /// Sectors (lĩnh vực) with their cells.
    pub rows: Vec<(String, FormCounts)>,
}

impl FilledForm {
    /// Whether the period's last day was not over when it was filled in.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.end >= local(self.as_of).date()
    }

    #[must_use]
    pub fn total(&self) -> FormCounts {
        self.rows.iter().fold(FormCounts::default(), |mut total, (_, counts)| {
            total.add(counts);
            total
        })
    }
}
