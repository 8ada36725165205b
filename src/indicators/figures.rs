//! From groups to figures: half-months become periods; agencies become tiers and the province.

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::*;

use crate::indicators::agencies::Agencies;
use crate::indicators::groups::{Group, Key, Shape};
use crate::indicators::measures::{Measured, Places, Sums, evidence_column};
use crate::indicators::periods::Periods;
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::{Definition, IndicatorKind};
use crate::model::instant::{DAY_MICROS, from_local};
use crate::model::period::Half;

/// Whom a figure is about; in the order in which figures stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Province,
    Tier(Tier),
    /// Tier and code for the order, and the number.
    Agency(Option<Tier>, Arc<str>, u32),
}

/// An indicator, with what each of its figures carries.
#[derive(Debug)]
pub(super) struct Indicator<'a> {
    pub(super) definition: &'a Definition,
    pub(super) id: Arc<str>,
    /// Digest of all that defines it.
    pub(super) digest: Arc<str>,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) whole: u64,
    pub(super) part: u64,
    pub(super) reachable: u64,
    pub(super) one_sided: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.whole += other.whole;
        self.part += other.part;
        self.reachable += other.reachable;
        self.one_sided += other.one_sided;
    }
}

/// A group-by's rows: keys and sums, packed: a large province has millions. A key may stand in several rows, one a part of the
/// dossiers; whoever reads them adds them up.
#[derive(Debug)]
pub(super) struct Rows {
    shape: Shape,
    keys: Vec<u64>,
    pub(super) counts: Vec<u32>,
    /// By [`Sums::name`]; of a highest day that nothing has, [`NO_DAY`].
    sums: Vec<Vec<i64>>,
}

const NO_DAY: i64 = i64::MIN;

impl Rows {
    pub(super) fn of(group: &Group) -> Self {
        Self { shape: group.shape, keys: Vec::new(), counts: Vec::new(), sums: vec![Vec::new(); group.width()] }
    }

    /// Adds what a query of the group gave.
    pub(super) fn add(&mut self, table: &DataFrame) -> PolarsResult<()> {
        self.keys.extend(table.column("key")?.u64()?.iter().flatten());
        let counts = table.column("count")?.cast(&DataType::UInt32)?;
        self.counts.extend(counts.u32()?.iter().map(|count| count.unwrap_or(0)));
        for (place, sums) in self.sums.iter_mut().enumerate() {
            let column = table.column(&Sums::name(place))?.cast(&DataType::Int64)?;
            sums.extend(column.i64()?.iter().map(|sum| sum.unwrap_or(NO_DAY)));
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn key(&self, row: usize) -> Key {
        self.shape.read_key(self.keys[row])
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        self.keys.iter().map(|key| self.shape.read_key(*key))
    }

    /// One column of sums.
    pub(super) fn sums(&self, place: usize) -> Vec<u64> {
        self.sums[place].iter().map(|sum| u64::try_from(*sum).unwrap_or(0)).collect()
    }

    /// One column of days; `None` where there is none.
    pub(super) fn days(&self, place: usize) -> Vec<Option<i32>> {
        self.sums[place].iter().map(|day| i32::try_from(*day).ok()).collect()
    }

    pub(super) fn counts_of(&self, places: &Places) -> Vec<Counts> {
        let sum = |place: usize, row: usize| u64::try_from(self.sums[place][row]).unwrap_or(0);
        let of = |row: usize| Counts {
            whole: sum(places.whole, row),
            part: sum(places.part, row),
            reachable: sum(places.reachable, row),
            one_sided: places.one_sided.map_or(0, |place| sum(place, row)),
        };
        (0..self.len()).map(of).collect()
    }
}

/// Where figures are made: who the agencies are, which periods there are, and when it is.
#[derive(Debug)]
pub(super) struct Assembly<'a> {
    pub(super) agencies: &'a Agencies,
    pub(super) periods: &'a Periods,
    /// Whether anything was received in each period.
    pub(super) with_dossiers: &'a [bool],
    pub(super) rules: Arc<str>,
    pub(super) now: i64,
}

/// Last microsecond of a day.
pub(super) fn end_of(day: jiff::civil::Date) -> i64 {
    from_local(day.into()) + DAY_MICROS - 1
}

impl Assembly<'_> {
    /// Whether a period is over: what was open at its end stays open in it.
    pub(super) fn is_over(&self, place: usize) -> bool {
        end_of(self.periods.all[place].end()) < self.now
    }

    /// Province, tier and agency in whose rows an agency's dossiers stand.
    pub(super) fn scopes_of(&self, agency: u32) -> Vec<Scope> {
        let row = self.agencies.row_of(agency);
        let known = &self.agencies.known[row as usize];
        let mut scopes = vec![Scope::Province, Scope::Agency(known.tier, known.code.clone(), row)];
        scopes.extend(known.tier.map(Scope::Tier));
        scopes
    }

    /// Adds up tables of agencies to those of every scope.
    pub(super) fn rolled_up<T: Clone>(
        &self,
        of_agencies: impl IntoIterator<Item = (u32, Vec<T>)>,
        add: impl Fn(&mut T, &T),
    ) -> BTreeMap<Scope, Vec<T>> {
        let mut found: BTreeMap<Scope, Vec<T>> = BTreeMap::new();
        for (agency, table) in of_agencies {
            for scope in self.scopes_of(agency) {
                match found.get_mut(&scope) {
                    Some(held) => held.iter_mut().zip(&table).for_each(|(held, cell)| add(held, cell)),
                    None => {
                        found.insert(scope, table.clone());
                    }
                }
            }
        }
        found
    }

    /// The figures of what adds up. Between the first and the last period of a row those without dossiers stand too, with a
    /// denominator of zero ("không phát sinh").
    pub(super) fn additive(
        &self,
        entry: &Indicator<'_>,
        measured: &Measured,
        rows: &Rows,
        counted: Option<&[bool]>,
    ) -> Vec<Figure> {
        let mut tables = Tables::new(self.periods.all.len());
        match measured {
            Measured::Now(places) => {
                let counts = rows.counts_of(places);
                for (row, key) in rows.keys().enumerate() {
                    if counts[row].whole == 0 || counted.is_some_and(|counted| !counted[row]) {
                        continue;
                    }
                    let table = tables.of(key.agency);
                    for &place in self.periods.holding(key.start) {
                        table[place].add(&counts[row]);
                    }
                }
            }
            Measured::ByState(states) => {
                let [ended, pending, overdue] = states;
                let counts = [ended, pending, overdue].map(|places| rows.counts_of(places));
                for (row, key) in rows.keys().enumerate() {
                    let table = tables.of(key.agency);
                    for &place in self.periods.holding(key.start) {
                        let mut state = counts[state_at(&key, self.periods.last_half(place))][row];
                        if self.is_over(place) {
                            state.reachable = state.part;
                        }
                        table[place].add(&state);
                    }
                }
            }
        }
        let tables = self.rolled_up(tables.into_iter(), Counts::add);
        self.figures(entry, &tables, |table: &[Counts], place| table[place].whole > 0)
    }

    /// What was open at the end of each period, of those received by then; a figure for every period since the first
    /// reception, also where it is nothing.
    pub(super) fn stock(&self, entry: &Indicator<'_>, measured: &Measured, rows: &Rows) -> Vec<Figure> {
        let Measured::ByState(states) = measured else { unreachable!("stocks are measured by state") };
        let (mut open, mut whole) = (Vec::new(), vec![0; rows.len()]);
        for places in states {
            open.push(rows.sums(places.part));
            whole.iter_mut().zip(rows.sums(places.whole)).for_each(|(held, more)| *held = more.max(*held));
        }
        // A row's state changes at half-months; a period reads the last change before its end.
        let mut lasts: Vec<Half> = (0..self.periods.all.len()).map(|place| self.periods.last_half(place)).collect();
        lasts.sort_unstable();
        lasts.dedup();
        let row_of = |half: Half| lasts.partition_point(|last| *last < half);
        // Received and open, as they change from one end to the next.
        let mut changes: BTreeMap<u32, Vec<[i64; 2]>> = BTreeMap::new();
        let whole_number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for (row, key) in rows.keys().enumerate().filter(|(row, _)| whole[*row] > 0) {
            let held = changes.entry(key.agency).or_insert_with(|| vec![[0; 2]; lasts.len() + 1]);
            held[row_of(key.start)][0] += whole_number(whole[row]);
            let mut moments = vec![key.start];
            moments.extend([key.overdue, key.ended].into_iter().flatten().filter(|half| *half > key.start));
            moments.sort_unstable();
            let mut before = 0;
            for moment in moments {
                let then = whole_number(open[state_at(&key, moment)][row]);
                held[row_of(moment)][1] += then - before;
                before = then;
            }
        }
        let of_agencies = changes.into_iter().map(|(agency, changes)| {
            let mut running = [0_i64; 2];
            let mut at_end = Vec::with_capacity(lasts.len());
            for [received, open] in changes {
                running = [running[0] + received, running[1] + open];
                at_end.push(running.map(|count| u64::try_from(count).unwrap_or(0)));
            }
            let counts = |place: usize| {
                let [whole, part] = at_end[row_of(self.periods.last_half(place))];
                Counts { whole, part, reachable: part, one_sided: 0 }
            };
            (agency, (0..self.periods.all.len()).map(counts).collect())
        });
        let tables = self.rolled_up(of_agencies, Counts::add);
        self.figures(entry, &tables, |table: &[Counts], place| table[place].whole > 0)
    }

    /// Figures of tables by scope, between the first and the last period that is touched.
    pub(super) fn figures(
        &self,
        entry: &Indicator<'_>,
        tables: &BTreeMap<Scope, Vec<Counts>>,
        is_touched: impl Fn(&[Counts], usize) -> bool,
    ) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (scope, table) in tables {
            let places = self.periods.between_touched(|place| is_touched(table, place));
            figures.extend(places.into_iter().map(|place| self.figure(entry, scope, place, table[place])));
        }
        figures
    }

    pub(super) fn figure(&self, entry: &Indicator<'_>, scope: &Scope, place: usize, counts: Counts) -> Figure {
        let known = match scope {
            Scope::Agency(_, _, number) => Some(&self.agencies.known[*number as usize]),
            _ => None,
        };
        let definition = entry.definition;
        Figure {
            indicator: Arc::clone(&entry.id),
            kind: definition.kind,
            definition: Arc::clone(&entry.digest),
            rules: Arc::clone(&self.rules),
            agency: known.map(|agency| agency.code.clone()),
            agency_name: known.map(|agency| agency.name.clone()),
            tier: match scope {
                Scope::Province | Scope::Agency(None, ..) => None,
                Scope::Tier(tier) | Scope::Agency(Some(tier), ..) => Some(*tier),
            },
            period: self.periods.all[place],
            numerator: counts.part,
            denominator: (!matches!(definition.kind, IndicatorKind::Count | IndicatorKind::Stock))
                .then_some(counts.whole),
            reachable: counts.reachable,
            one_sided: evidence_column(definition).map(|_| counts.one_sided),
            target: definition.target.map(|target| target.at_least),
        }
    }
}

/// State of a row's dossiers at the end of a half-month: ended, open in time or overdue.
fn state_at(key: &Key, last: Half) -> usize {
    let by_then = |half: Option<Half>| half.is_some_and(|half| half <= last);
    match (by_then(key.ended), by_then(key.overdue)) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) => 2,
    }
}

/// One table of counts an agency that has any.
struct Tables {
    periods: usize,
    rows: Vec<Option<Vec<Counts>>>,
}

impl Tables {
    fn new(periods: usize) -> Self {
        Self { periods, rows: Vec::new() }
    }

    fn of(&mut self, agency: u32) -> &mut Vec<Counts> {
        let row = agency as usize;
        if self.rows.len() <= row {
            self.rows.resize(row + 1, None);
        }
        self.rows[row].get_or_insert_with(|| vec![Counts::default(); self.periods])
    }

    fn into_iter(self) -> impl Iterator<Item = (u32, Vec<Counts>)> {
        (0_u32..).zip(self.rows).filter_map(|(agency, table)| table.map(|table| (agency, table)))
    }
}

/// Rows of procedures that have, province-wide and in the row's calendar year, at least one dossier of the kind.
pub(super) fn rows_having(rows: &Rows, having: usize) -> Vec<bool> {
    let having = rows.sums(having);
    let key = |row: usize| {
        let key = rows.key(row);
        (key.procedure, key.start.div_euclid(24))
    };
    let years: PlHashSet<_> = (0..having.len()).filter(|&row| having[row] > 0).map(key).collect();
    (0..having.len()).map(|row| years.contains(&key(row))).collect()
}
