//! The rows that a group-by gives: one key with its count and sums per row.

use polars::prelude::*;

use crate::indicators::groups::{GroupKey, GroupKind, GroupQuery};
use crate::indicators::sums::{SumColumns, SumPositions};
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

/// The rows of one group-by. A large province has millions, so keys stay packed in one number and sums in columns.
///
#[derive(Debug)]
pub(super) struct GroupRows {
    kind: GroupKind,
    keys: Vec<u64>,
    /// Dossiers of each row.
    pub(super) counts: Vec<u32>,
    /// Columns of sums in the order of [`SumColumns`], each with one value per row. In a column of days [`NO_DAY`]
    /// marks a row without a day.
    sums: Vec<Vec<i64>>,
    /// Whether a column has maxima instead of sums.
    is_maximum: Vec<bool>,
    /// Row of each key.
    rows: PlHashMap<u64, u32>,
}

const NO_DAY: i64 = i64::MIN;

impl GroupRows {
    /// No rows yet, for a group-by.
    pub(super) fn of(group: &GroupQuery) -> Self {
        Self {
            kind: group.kind,
            keys: Vec::new(),
            counts: Vec::new(),
            sums: vec![Vec::new(); group.width()],
            is_maximum: (0..group.width()).map(|position| group.is_maximum(position)).collect(),
            rows: PlHashMap::new(),
        }
    }

    /// Adds the rows of one result of [`GroupQuery::plan`], of one batch of dossiers. Keys that are known already get no
    /// second row: figures are assembled row by row, which takes longer than adding up here.
    pub(super) fn add(&mut self, table: &DataFrame) -> PolarsResult<()> {
        let places: Vec<usize> = table.column("key")?.u64()?.iter().flatten().map(|key| self.place(key)).collect();
        let counts = table.column("count")?.cast(&DataType::UInt32)?;
        self.counts.resize(self.keys.len(), 0);
        for (place, count) in places.iter().zip(counts.u32()?.iter()) {
            self.counts[*place] += count.unwrap_or(0);
        }
        for (position, (sums, is_maximum)) in self.sums.iter_mut().zip(&self.is_maximum).enumerate() {
            let column = table.column(&SumColumns::name(position))?.cast(&DataType::Int64)?;
            let values = places.iter().zip(column.i64()?.iter());
            if *is_maximum {
                sums.resize(self.keys.len(), NO_DAY);
                values.for_each(|(place, value)| sums[*place] = sums[*place].max(value.unwrap_or(NO_DAY)));
            } else {
                sums.resize(self.keys.len(), 0);
                values.for_each(|(place, value)| sums[*place] += value.unwrap_or(0));
            }
        }
        Ok(())
    }

    /// Row of a key; a new one if the key has none.
    fn place(&mut self, key: u64) -> usize {
        let next = u32::try_from(self.keys.len()).expect("rows are counted in millions");
        let row = *self.rows.entry(key).or_insert(next);
        if row == next {
            self.keys.push(key);
        }
        row as usize
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn key(&self, row: usize) -> GroupKey {
        self.kind.read_key(self.keys[row])
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = GroupKey> {
        self.keys.iter().map(|key| self.kind.read_key(*key))
    }

    /// The sums at a position, by row.
    pub(super) fn sums(&self, position: usize) -> Vec<u64> {
        self.sums[position].iter().map(|sum| u64::try_from(*sum).unwrap_or(0)).collect()
    }

    /// The latest days at a position, by row; `None` if the row has none.
    pub(super) fn days(&self, position: usize) -> Vec<Option<i32>> {
        self.sums[position].iter().map(|day| i32::try_from(*day).ok()).collect()
    }

    /// The counts of an indicator, by row.
    pub(super) fn figure_counts(&self, positions: &SumPositions) -> Vec<FigureCounts> {
        let sum = |position: usize, row: usize| u64::try_from(self.sums[position][row]).unwrap_or(0);
        let counts = |row: usize| FigureCounts {
            denominator: sum(positions.denominator, row),
            numerator: sum(positions.numerator, row),
            reachable: sum(positions.reachable, row),
            one_sided: positions.one_sided.map_or(0, |position| sum(position, row)),
            unknown: positions.unknown.map_or(0, |position| sum(position, row)),
            undecided: positions.undecided.map_or(0, |position| sum(position, row)),
        };
        (0..self.len()).map(counts).collect()
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
