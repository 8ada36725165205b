//! The true figures: which indicators they are of, for whom, and what they count.

use crate::simulator::working_days::{Moment, date_of, day_of};

/// Scope of a figure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TruthScope {
    Province,
    /// The tier's name.
    Tier(&'static str),
    /// The agency's code.
    Agency(String),
}

/// One true figure, as counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthFigure {
    /// An id of `config/indicators`.
    pub indicator: &'static str,
    pub scope: TruthScope,
    pub period: String,
    pub numerator: u64,
    pub denominator: u64,
    /// In the denominator, while the sources do not say whether in the numerator.
    pub unknown: u64,
    /// The sources do not say whether in the denominator.
    pub undecided: u64,
}

/// Indicators with true figures, by their ids in `config/indicators`: first those counted from dossiers and feedback,
/// then the measures.
pub const INDICATORS: [&str; 47] = [
    "par-3.4.1",
    "par-3.4.2",
    "par-3.4.3",
    "par-7.2.2",
    "par-7.2.2-level-3",
    "par-7.2.2-level-4",
    "par-7.3.2-deployed",
    "par-7.3.2-having",
    "par-7.3.3-deployed",
    "par-7.3.3-having",
    "par-3.5.1",
    "par-3.5.2",
    "par-3.4.4",
    "par-3.4.4-stated",
    "par-3.4.4-late",
    "nd224-online",
    "par-3.4.5-3",
    "par-ii.1.d",
    "par-3.2.2",
    "par-3.2.3",
    "par-3.2.6",
    "par-7.1.2",
    "sipas-1",
    "sipas-2",
    "sipas-3",
    "sipas-4",
    "sipas-5",
    "par-1.3.1",
    "par-2.2",
    "par-2.3",
    "par-3.1.1",
    "par-3.1.2",
    "par-3.2.1",
    "par-3.2.4",
    "par-3.2.5",
    "par-7.1.1",
    "par-7.1.3",
    "par-7.1.5",
    "par-7.1.6",
    "par-7.4.1",
    "par-7.4.2",
    "qd766-digitised-papers",
    "qd766-digitised-result",
    "qd766-digitised-reused",
    "qd766-payment-dossiers",
    "qd766-payment-procedures",
    "qd766-satisfaction",
];

/// Number of the indicators that are counted from dossiers and feedback.
pub(super) const COUNTED: usize = 18;

/// Indicators whose figures are measures.
pub(super) const MEASURES: &[&str] = INDICATORS.split_at(COUNTED).1;

/// The count of each counted indicator.
pub(super) type Counts = [Count; COUNTED];

/// What was counted for an indicator.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) numerator: u64,
    pub(super) denominator: u64,
    pub(super) unknown: u64,
    pub(super) undecided: u64,
}

impl Count {
    pub(super) fn add(&mut self, other: &Self) {
        self.numerator += other.numerator;
        self.denominator += other.denominator;
        self.unknown += other.unknown;
        self.undecided += other.undecided;
    }
}

/// Counts one in the denominator. `hit`: whether it is in the numerator; `None` if that is not known.
pub(super) fn count(counts: &mut [Count], indicator: usize, hit: Option<bool>) {
    counts[indicator].numerator += u64::from(hit == Some(true));
    counts[indicator].unknown += u64::from(hit.is_none());
    counts[indicator].denominator += 1;
}

/// Number of half-months since year 0. The first half ends on the 14th.
pub(super) fn half(at: Moment) -> i32 {
    let date = date_of(day_of(at));
    (i32::from(date.year()) * 12 + i32::from(date.month()) - 1) * 2 + i32::from(date.day() > 14)
}
