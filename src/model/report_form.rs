//! Official report forms (biểu mẫu báo cáo): templates, cells, and the identities between columns.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::instant::local;

/// `config/forms/*.toml`: a version of an official form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormTemplate {
    /// Id, such as `II.06a`.
    pub id: String,
    pub version: u32,
    /// Document that prescribes the form.
    pub document: String,
    /// Id of the rule set that its cells follow.
    pub rules: String,
    /// Sign of the form, in the upper right corner.
    pub sign: String,
    pub title: String,
    /// Line below the title; `{start}` and `{end}` become the first and last day of the period.
    pub period: String,
    pub unit: String,
    /// Heading of the column of row numbers; `label` is the heading of the column of names, `total` the name of the
    /// last row.
    pub number: String,
    pub label: String,
    pub total: String,
    /// Columns after these two, in order.
    pub group: Vec<ColumnGroup>,
    /// Signature blocks under the table, from left to right; each is a list of lines.
    pub signature: Vec<Vec<String>>,
}

/// Columns under a common heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnGroup {
    pub title: String,
    pub column: Vec<FormColumn>,
}

/// Column of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormColumn {
    /// Heading between the group's and the column's own.
    #[serde(default)]
    pub under: Option<String>,
    pub title: String,
    /// Number of the column in the form.
    pub number: u32,
    pub count: FormCount,
}

/// Count that a column shows.
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

/// Why dossiers stand in a column although it is not known that they belong there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormRemark {
    ChannelUnknown,
    EndUndated,
    EndBeforeReception,
}

/// Cells of a row of form II.06a that are counted; the other cells are sums of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FormCounts {
    /// Column 4: received in the period, online.
    pub online: u64,
    /// Column 5: received in the period, at the counter or by post.
    pub counter_and_post: u64,
    /// Column 6: received before the period and not ended before it.
    pub carried_over: u64,
    /// Column 8: ended in the period, before the due day. `on_time` and `late` (columns 9 and 10) alike.
    pub early: u64,
    pub on_time: u64,
    pub late: u64,
    /// Column 12: open and not overdue at the end of the period. Column 13, `pending_overdue`: open and overdue.
    pub pending_in_time: u64,
    pub pending_overdue: u64,
    /// Of column 5: the source does not say how they were submitted.
    pub channel_unknown: u64,
    /// Of column 10: their end has no date.
    pub end_undated: u64,
    /// Of column 10: their end is dated before their reception.
    pub end_before_reception: u64,
}

/// Error: the form's identity 3 = 7 + 11 does not hold in a row.
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
        self.channel_unknown += other.channel_unknown;
        self.end_undated += other.end_undated;
        self.end_before_reception += other.end_before_reception;
    }

    /// Remarks about what stands in a column although it is not known: the column's number, the number of dossiers, and
    /// the reason.
    #[must_use]
    pub fn remarks(&self) -> Vec<(u32, u64, FormRemark)> {
        let all = [
            (5, self.channel_unknown, FormRemark::ChannelUnknown),
            (10, self.end_undated, FormRemark::EndUndated),
            (10, self.end_before_reception, FormRemark::EndBeforeReception),
        ];
        all.into_iter().filter(|(_, dossiers, _)| *dossiers > 0).collect()
    }

    /// Checks the identity 3 = 7 + 11. The sums 3 = 4 + 5 + 6, 7 = 8 + 9 + 10 and 11 = 12 + 13 hold by construction.
    ///
    /// # Errors
    /// [`BrokenIdentity`] with the row and both sides.
    pub fn check(&self, row: &str) -> Result<(), BrokenIdentity> {
        let of = |count| self.get(count);
        let (received, resolved, pending) = (of(FormCount::Received), of(FormCount::Resolved), of(FormCount::Pending));
        if received == resolved + pending {
            return Ok(());
        }
        Err(BrokenIdentity { row: row.to_owned(), received, resolved, pending })
    }
}

/// A form filled in for a scope and a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledForm {
    /// Name of the agency, tier or province.
    pub whom: String,
    pub start: Date,
    /// Inclusive.
    pub end: Date,
    /// Moment of the night that the cells were counted from, microseconds UTC.
    pub as_of: i64,
    /// Whether every connector was read completely.
    pub complete: bool,
    /// Vietnamese title of the rule set that the cells are counted by.
    pub rules_title: String,
    /// One row for each sector (lĩnh vực).
    pub rows: Vec<(String, FormCounts)>,
}

impl FilledForm {
    /// Whether the period had not ended at the moment of the night.
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
