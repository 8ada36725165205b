//! From the rows of group-bys to figures: half-months become periods; agencies become tiers and the province.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::indicators::agencies::Agencies;
use crate::indicators::groups::GroupKey;
use crate::indicators::inputs::ComputedIndicator;
use crate::indicators::periods::{Periods, end_of};
use crate::indicators::rows::{CountedFrom, FigureCounts, GroupRows};
use crate::indicators::sums::{IndicatorSums, evidence_column};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::IndicatorKind;
use crate::model::period::HalfMonth;

/// The province, tier or agency that a figure is about. The order of variants and fields is the order of figures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FigureScope {
    Province,
    Tier(Tier),
    /// Tier and code, by which agencies are sorted, then the agency's number.
    Agency(Option<Tier>, Arc<str>, u32),
}

impl FigureScope {
    /// The scopes in which dossiers of an agency count: the province, its tier, and the agency or its successor.
    pub(super) fn of_agency(agencies: &Agencies, agency: u32) -> Vec<Self> {
        let number = agencies.attributed_to(agency);
        let known = &agencies.known[number as usize];
        let mut scopes = vec![Self::Province, Self::Agency(known.tier, known.code.clone(), number)];
        scopes.extend(known.tier.map(Self::Tier));
        scopes
    }

    /// The province, the tiers and every agency of the registry.
    pub(super) fn of_registry(agencies: &Agencies) -> BTreeSet<Self> {
        let registered = (0_u32..).zip(&agencies.known).filter(|(_, known)| known.is_registered);
        registered.flat_map(|(number, _)| Self::of_agency(agencies, number)).collect()
    }
}

/// Makes figures of one rule set. `period_index` is a position in [`Periods::all`]; a table has one cell per period.
#[derive(Debug)]
pub(super) struct FigureBuilder<'a> {
    pub(super) agencies: &'a Agencies,
    pub(super) periods: &'a Periods,
    /// For each period, whether any dossier was received in it.
    pub(super) with_dossiers: &'a [bool],
    pub(super) rules: Arc<str>,
    /// Microseconds UTC.
    pub(super) now: i64,
}

impl FigureBuilder<'_> {
    /// Whether a period is over, so that nothing that is open at its end can still end in it.
    pub(super) fn is_over(&self, period_index: usize) -> bool {
        end_of(self.periods.all[period_index].end()) < self.now
    }

    /// See [`FigureScope::of_agency`].
    pub(super) fn scopes_of(&self, agency: u32) -> Vec<FigureScope> {
        FigureScope::of_agency(self.agencies, agency)
    }

    /// Combines tables of agencies to one table per scope.
    pub(super) fn tables_by_scope<T: Clone>(
        &self,
        of_agencies: impl IntoIterator<Item = (u32, Vec<T>)>,
        add: impl Fn(&mut T, &T),
    ) -> BTreeMap<FigureScope, Vec<T>> {
        let mut tables: BTreeMap<FigureScope, Vec<T>> = BTreeMap::new();
        for (agency, table) in of_agencies {
            for scope in self.scopes_of(agency) {
                match tables.get_mut(&scope) {
                    Some(sums) => sums.iter_mut().zip(&table).for_each(|(sum, cell)| add(sum, cell)),
                    None => {
                        tables.insert(scope, table.clone());
                    }
                }
            }
        }
        tables
    }

    /// Figures whose counts add up over agencies and half-months. Between the first and the last period with dossiers a
    /// scope also gets figures for periods without, with denominator 0 ("không phát sinh"). `counted_from`: for each row
    /// from when on it counts; `None` if all rows count. What may or may not count is undecided.
    pub(super) fn additive_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        sums: &IndicatorSums,
        rows: &GroupRows,
        counted_from: Option<&[CountedFrom]>,
    ) -> Vec<Figure> {
        let mut tables = AgencyTables::new(self.periods.all.len());
        match sums {
            IndicatorSums::AtMoment(positions) => {
                for (row, key) in rows.keys().enumerate() {
                    let counts = rows.figure_counts(positions, row);
                    let from = counted_from.map_or(CountedFrom::always(), |from| from[row]);
                    let may_count =
                        FigureCounts { undecided: counts.denominator + counts.undecided, ..FigureCounts::default() };
                    if counts.is_empty() || from == CountedFrom::default() {
                        continue;
                    }
                    let table = tables.of(key.agency);
                    for &period_index in self.periods.containing(key.start) {
                        let last = self.periods.last_half(period_index);
                        match from {
                            _ if from.certain.is_some_and(|from| from <= last) => table[period_index].add(&counts),
                            _ if from.possible.is_some_and(|from| from <= last) => table[period_index].add(&may_count),
                            _ => {}
                        }
                    }
                }
            }
            IndicatorSums::ByState(states) => {
                for (row, key) in rows.keys().enumerate() {
                    let counts = states.each_ref().map(|positions| rows.figure_counts(positions, row));
                    if counts.iter().all(FigureCounts::is_empty) {
                        continue;
                    }
                    let table = tables.of(key.agency);
                    for &period_index in self.periods.containing(key.start) {
                        let mut state_counts = counts[state_at(&key, self.periods.last_half(period_index))];
                        if self.is_over(period_index) {
                            state_counts.reachable = state_counts.numerator;
                        }
                        table[period_index].add(&state_counts);
                    }
                }
            }
        }
        let tables = self.tables_by_scope(tables.into_iter(), FigureCounts::add);
        self.figures_between_touched(indicator, &tables)
    }

    /// Stocks: how many dossiers were open at the end of each period, of those received by then. Every period since the
    /// first reception has a figure, also if it is 0. A dossier is overdue once the last possible limit has passed: form
    /// II.06a takes the date that the portal shows, so that no other limit is possible.
    pub(super) fn stock_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        sums: &IndicatorSums,
        rows: &GroupRows,
    ) -> Vec<Figure> {
        let IndicatorSums::ByState(states) = sums else { unreachable!("stocks are summed by state") };
        // Per row and state: in stock, and not known whether in stock.
        let in_stock = states.each_ref().map(|positions| {
            let unknown = positions.unknown.map(|position| rows.sums(position));
            (rows.sums(positions.numerator), unknown.unwrap_or_else(|| vec![0; rows.len()]))
        });
        let mut received = vec![0; rows.len()];
        for positions in &**states {
            received.iter_mut().zip(rows.sums(positions.denominator)).for_each(|(most, sum)| *most = sum.max(*most));
        }
        // The last half-months of periods. A row's state changes at half-months; a period uses the last change until
        // its end.
        let mut lasts: Vec<HalfMonth> =
            (0..self.periods.all.len()).map(|index| self.periods.last_half(index)).collect();
        lasts.sort_unstable();
        lasts.dedup();
        let last_from = |half: HalfMonth| lasts.partition_point(|last| *last < half);
        // By agency: how many more are received, in stock and unknown at each of `lasts` than at the one before.
        let mut changes: BTreeMap<u32, Vec<[i64; 3]>> = BTreeMap::new();
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for (row, key) in rows.keys().enumerate().filter(|(row, _)| received[*row] > 0) {
            let changes = changes.entry(key.agency).or_insert_with(|| vec![[0; 3]; lasts.len() + 1]);
            changes[last_from(key.start)][0] += signed(received[row]);
            let mut moments = vec![key.start];
            moments.extend([key.overdue, key.ended].into_iter().flatten().filter(|half| *half > key.start));
            moments.sort_unstable();
            let mut before = [0; 2];
            for moment in moments {
                let (in_stock, unknown) = &in_stock[state_at(&key, moment)];
                let after = [signed(in_stock[row]), signed(unknown[row])];
                changes[last_from(moment)][1] += after[0] - before[0];
                changes[last_from(moment)][2] += after[1] - before[1];
                before = after;
            }
        }
        let of_agencies = changes.into_iter().map(|(agency, changes)| {
            let mut running = [0_i64; 3];
            let mut at_last = Vec::with_capacity(lasts.len());
            for changed in changes {
                running.iter_mut().zip(changed).for_each(|(sum, change)| *sum += change);
                at_last.push(running.map(|count| u64::try_from(count).unwrap_or(0)));
            }
            let counts = |period_index: usize| {
                let [denominator, numerator, unknown] = at_last[last_from(self.periods.last_half(period_index))];
                FigureCounts { unknown, ..FigureCounts::settled(numerator, denominator) }
            };
            (agency, (0..self.periods.all.len()).map(counts).collect())
        });
        let tables = self.tables_by_scope(of_agencies, FigureCounts::add);
        self.figures_between_touched(indicator, &tables)
    }

    /// Figures of tables by scope, from the first to the last period with something to count, known or unknown.
    pub(super) fn figures_between_touched(
        &self,
        indicator: &ComputedIndicator<'_>,
        tables: &BTreeMap<FigureScope, Vec<FigureCounts>>,
    ) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (scope, table) in tables {
            let indexes = self.periods.between_touched(|index| !table[index].is_empty());
            figures.extend(indexes.into_iter().map(|index| self.figure(indicator, scope, index, table[index])));
        }
        figures
    }

    pub(super) fn figure(
        &self,
        indicator: &ComputedIndicator<'_>,
        scope: &FigureScope,
        period_index: usize,
        counts: FigureCounts,
    ) -> Figure {
        let known = match scope {
            FigureScope::Agency(_, _, number) => Some(&self.agencies.known[*number as usize]),
            _ => None,
        };
        let definition = indicator.definition;
        let has_denominator = !matches!(definition.kind, IndicatorKind::Count | IndicatorKind::Stock);
        // The target of a count is that of the whole province ("trên địa bàn tỉnh"): its parts have none.
        let has_target = definition.kind != IndicatorKind::Count || *scope == FigureScope::Province;
        let target = definition.target.filter(|_| has_target);
        Figure {
            indicator: Arc::clone(&indicator.id),
            kind: definition.kind,
            definition: Arc::clone(&indicator.digest),
            rules: Arc::clone(&self.rules),
            agency: known.map(|agency| agency.code.clone()),
            agency_name: known.map(|agency| agency.name.clone()),
            tier: match scope {
                FigureScope::Province | FigureScope::Agency(None, ..) => None,
                FigureScope::Tier(tier) | FigureScope::Agency(Some(tier), ..) => Some(*tier),
            },
            period: self.periods.all[period_index],
            numerator: counts.numerator,
            denominator: has_denominator.then_some(counts.denominator),
            reachable: counts.reachable,
            one_sided: evidence_column(definition).map(|_| counts.one_sided),
            unknown: Some(counts.unknown),
            undecided: Some(counts.undecided),
            target: target.map(|target| target.at_least),
            target_periods: target.map(|target| target.judged).unwrap_or_default(),
        }
    }
}

/// State of a row's dossiers at the end of a half-month, as a position in [`IndicatorSums::ByState`].
fn state_at(key: &GroupKey, last: HalfMonth) -> usize {
    let by_then = |half: Option<HalfMonth>| half.is_some_and(|half| half <= last);
    match (by_then(key.ended), by_then(key.overdue)) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) => 2,
    }
}

/// Tables of counts by agency number; agencies without dossiers have none.
struct AgencyTables {
    periods: usize,
    tables: Vec<Option<Vec<FigureCounts>>>,
}

impl AgencyTables {
    fn new(periods: usize) -> Self {
        Self { periods, tables: Vec::new() }
    }

    fn of(&mut self, agency: u32) -> &mut Vec<FigureCounts> {
        let index = agency as usize;
        if self.tables.len() <= index {
            self.tables.resize(index + 1, None);
        }
        self.tables[index].get_or_insert_with(|| vec![FigureCounts::default(); self.periods])
    }

    fn into_iter(self) -> impl Iterator<Item = (u32, Vec<FigureCounts>)> {
        (0_u32..).zip(self.tables).filter_map(|(agency, table)| table.map(|table| (agency, table)))
    }
}
