//! The rows that a group-by gives: one key with its count and sums per row.

use std::sync::Arc;

use polars::prelude::*;

use crate::indicators::groups::{GroupKey, GroupKind, GroupQuery};
use crate::indicators::sums::{SumPositions, Summed};
use crate::model::period::HalfMonth;

/// The counts behind one figure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FigureCounts {
    pub(super) denominator: u64,
    pub(super) numerator: u64,
    /// What the numerator can still become, see [`Figure::reachable`](crate::model::figure::Figure::reachable).
    pub(super) reachable: u64,
    pub(super) one_sided: u64,
    /// See [`Figure::unknown`](crate::model::figure::Figure::unknown).
    pub(super) unknown: u64,
    /// See [`Figure::undecided`](crate::model::figure::Figure::undecided).
    pub(super) undecided: u64,
}

impl FigureCounts {
    /// The counts of a number that can only be what it is: nothing is open or unknown.
    pub(super) fn settled(numerator: u64, denominator: u64) -> Self {
        Self { denominator, numerator, reachable: numerator, ..Self::default() }
    }

    /// Whether there is nothing to count, known or unknown.
    pub(super) fn is_empty(&self) -> bool {
        self.denominator == 0 && self.unknown == 0 && self.undecided == 0
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.unknown += other.unknown;
        self.undecided += other.undecided;
        self.denominator += other.denominator;
        self.numerator += other.numerator;
        self.reachable += other.reachable;
        self.one_sided += other.one_sided;
    }
}

/// The keys that a group-by found, each a row. A large province has millions, so they stay packed in one number.
#[derive(Debug)]
pub(super) struct KeyRows {
    kind: GroupKind,
    keys: Vec<u64>,
    /// Row of each key.
    rows: PlHashMap<u64, u32>,
    /// For each row of the latest batch the row of its key; [`NOT_GROUPED`] for those that are not grouped.
    places: Vec<u32>,
}

const NOT_GROUPED: u32 = u32::MAX;

impl KeyRows {
    pub(super) fn new(kind: GroupKind) -> Self {
        Self { kind, keys: Vec::new(), rows: PlHashMap::new(), places: Vec::new() }
    }

    /// Adds a batch of dossiers by their keys; null for those that are not grouped.
    pub(super) fn add(&mut self, batch: &DataFrame, name: &str) -> PolarsResult<()> {
        self.places.clear();
        for key in batch.column(name)?.u64()?.iter() {
            let place = key.map_or(NOT_GROUPED, |key| {
                let next = u32::try_from(self.keys.len()).expect("rows are counted in millions");
                let row = *self.rows.entry(key).or_insert(next);
                if row == next {
                    self.keys.push(key);
                }
                row
            });
            self.places.push(place);
        }
        Ok(())
    }

    /// The rows after the last batch.
    pub(super) fn complete(self) -> Self {
        Self { rows: PlHashMap::new(), places: Vec::new(), ..self }
    }
}

/// A column of sums while a group-by is counted, with one value per row.
#[derive(Debug)]
enum Sums {
    /// How many dossiers meet a condition.
    Flags(Vec<u32>),
    Amounts(Vec<i64>),
    /// The latest day; [`NO_DAY`] for a row without one.
    Days(Vec<i64>),
}

const NO_DAY: i64 = i64::MIN;

/// The sums of one group-by while it is counted.
#[derive(Debug)]
pub(super) struct GroupSums {
    /// Which [`KeyRows`] it adds up.
    pub(super) key: usize,
    /// The columns of a batch that are added up, and their sums, in the order of [`SumColumns`](super::sums::SumColumns).
    sums: Vec<(PlSmallStr, Sums)>,
}

impl GroupSums {
    /// No rows yet. `columns`: names of the group-by's expressions in each batch.
    pub(super) fn new(key: usize, group: &GroupQuery, columns: impl Iterator<Item = PlSmallStr>) -> Self {
        let kind = |position: usize| match group.summed(position) {
            Summed::Flag => Sums::Flags(Vec::new()),
            Summed::Amount => Sums::Amounts(Vec::new()),
            Summed::LatestDay => Sums::Days(Vec::new()),
        };
        Self { key, sums: columns.enumerate().map(|(position, name)| (name, kind(position))).collect() }
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &PlSmallStr> {
        self.sums.iter().map(|(name, _)| name)
    }

    /// Adds a batch, whose keys `rows` has just read.
    pub(super) fn add(&mut self, batch: &DataFrame, rows: &KeyRows) -> PolarsResult<()> {
        for (name, sums) in &mut self.sums {
            let column = batch.column(name)?;
            match sums {
                Sums::Flags(counts) => {
                    counts.resize(rows.keys.len(), 0);
                    let mut first = 0;
                    for flags in column.bool()?.downcast_iter() {
                        let places = &rows.places[first..first + flags.len()];
                        for row in flags.true_and_valid().true_idx_iter() {
                            if let Some(count) = counts.get_mut(places[row] as usize) {
                                *count += 1;
                            }
                        }
                        first += flags.len();
                    }
                }
                Sums::Amounts(amounts) => {
                    amounts.resize(rows.keys.len(), 0);
                    for_each_number(column, rows, |place, amount| amounts[place] += amount)?;
                }
                Sums::Days(days) => {
                    days.resize(rows.keys.len(), NO_DAY);
                    for_each_number(column, rows, |place, day| days[place] = days[place].max(day))?;
                }
            }
        }
        Ok(())
    }

    /// The rows after the last batch.
    pub(super) fn complete(self, rows: &Arc<KeyRows>) -> GroupRows {
        let length = rows.keys.len();
        let sums = self.sums.into_iter().map(|(_, mut sums)| {
            match &mut sums {
                Sums::Flags(counts) => counts.resize(length, 0),
                Sums::Amounts(amounts) => amounts.resize(length, 0),
                Sums::Days(days) => days.resize(length, NO_DAY),
            }
            sums
        });
        GroupRows { rows: Arc::clone(rows), sums: sums.collect() }
    }
}

/// Calls `with` for each number of the dossiers that are grouped, with the row of its key.
fn for_each_number(column: &Column, rows: &KeyRows, mut with: impl FnMut(usize, i64)) -> PolarsResult<()> {
    let numbers = column.cast(&DataType::Int64)?;
    for (place, number) in rows.places.iter().zip(numbers.i64()?.iter()) {
        if let (true, Some(number)) = (*place != NOT_GROUPED, number) {
            with(*place as usize, number);
        }
    }
    Ok(())
}

/// The rows of one group-by: a key, a count and sums.
#[derive(Debug)]
pub(super) struct GroupRows {
    rows: Arc<KeyRows>,
    sums: Vec<Sums>,
}

impl GroupRows {
    pub(super) fn len(&self) -> usize {
        self.rows.keys.len()
    }

    pub(super) fn key(&self, row: usize) -> GroupKey {
        self.rows.kind.read_key(self.rows.keys[row])
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = GroupKey> {
        self.rows.keys.iter().map(|key| self.rows.kind.read_key(*key))
    }

    fn sum(&self, position: usize, row: usize) -> u64 {
        match &self.sums[position] {
            Sums::Flags(counts) => counts[row].into(),
            Sums::Amounts(sums) | Sums::Days(sums) => u64::try_from(sums[row]).unwrap_or(0),
        }
    }

    /// The sums at a position, by row.
    pub(super) fn sums(&self, position: usize) -> Vec<u64> {
        (0..self.len()).map(|row| self.sum(position, row)).collect()
    }

    /// The latest days at a position, by row; `None` if the row has none.
    pub(super) fn days(&self, position: usize) -> Vec<Option<i32>> {
        let Sums::Days(days) = &self.sums[position] else { unreachable!("the position is that of days") };
        days.iter().map(|day| i32::try_from(*day).ok()).collect()
    }

    /// The counts of an indicator in a row.
    pub(super) fn figure_counts(&self, positions: &SumPositions, row: usize) -> FigureCounts {
        let optional = |position: Option<usize>| position.map_or(0, |position| self.sum(position, row));
        FigureCounts {
            denominator: self.sum(positions.denominator, row),
            numerator: self.sum(positions.numerator, row),
            reachable: self.sum(positions.reachable, row),
            one_sided: optional(positions.one_sided),
            unknown: optional(positions.unknown),
            undecided: optional(positions.undecided),
        }
    }
}

/// From which half-month on the dossiers of a row count, because their procedure has dossiers of a kind; `None`: never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CountedFrom {
    /// The procedure has such a dossier for certain.
    pub(super) certain: Option<HalfMonth>,
    /// The procedure may have one.
    pub(super) possible: Option<HalfMonth>,
}

impl CountedFrom {
    pub(super) fn always() -> Self {
        Self { certain: Some(HalfMonth::MIN), possible: None }
    }
}

/// For each row, from which half-month of the row's calendar year on its procedure has, province-wide, a dossier of the
/// indicator's `having` condition. `None` for an indicator without one.
///
/// A period counts the rows whose half-month is not after its own end, so that what is received later in the year does
/// not change it.
pub(super) fn procedures_with_since(rows: &GroupRows, positions: &SumPositions) -> Option<Vec<CountedFrom>> {
    let procedure_and_year = |row: usize| {
        let key = rows.key(row);
        // A year has 24 half-months.
        (key.procedure, key.start.div_euclid(24))
    };
    let first_of = |position: usize| -> PlHashMap<_, HalfMonth> {
        let dossiers = rows.sums(position);
        let mut first: PlHashMap<_, HalfMonth> = PlHashMap::new();
        for row in (0..dossiers.len()).filter(|&row| dossiers[row] > 0) {
            let start = rows.key(row).start;
            first.entry(procedure_and_year(row)).and_modify(|half| *half = start.min(*half)).or_insert(start);
        }
        first
    };
    let certain = first_of(positions.procedures_with?);
    let possible = positions.procedures_maybe_with.map(first_of).unwrap_or_default();
    let counted_from = |row: usize| {
        let key = procedure_and_year(row);
        CountedFrom { certain: certain.get(&key).copied(), possible: possible.get(&key).copied() }
    };
    Some((0..rows.len()).map(counted_from).collect())
}
