//! From groups to figures: half-months become months, quarters and years; agencies become tiers and the province.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use polars::prelude::*;

use crate::indicators::agencies::Agencies;
use crate::indicators::compute::{BY_STATE, end_of, evidence_column};
use crate::indicators::registered::{Registered, ScopeName};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::{Definition, IndicatorKind, Over, PeriodColumn};
use crate::model::period::{Half, Period, PeriodKind, half_of};

/// One group-by of the scan.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) period: PeriodColumn,
    pub(super) shape: Shape,
    /// Positions of its indicators.
    pub(super) indicators: Vec<usize>,
}

/// What a group-by is by, besides agency and start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// Nothing: dossiers stand in the state of the rule set's moment.
    Plain,
    /// Whether and when it ended, and from when on it is overdue: each period reads the state at its own end.
    ByEnd,
    /// Procedure, for indicators of procedures that have dossiers of a kind.
    Having,
    /// Procedure, for indicators that count procedures or agencies of the registries.
    Registered,
}

/// Whom a figure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Scope {
    Province,
    Tier(Tier),
    /// Number of the agency.
    Agency(u32),
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    whole: u64,
    part: u64,
    reachable: u64,
    one_sided: u64,
}

/// Sums under way.
#[derive(Debug)]
pub(super) struct Assembly<'a> {
    agencies: &'a Agencies,
    indicators: &'a [&'a (&'a Definition, &'a str)],
    rules: &'a str,
    /// The one period asked for; else every named one.
    period: Option<Period>,
    now: i64,
    registered: &'a Registered,
    sums: HashMap<(usize, Scope, Period), Sums>,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(
        agencies: &'a Agencies,
        indicators: &'a [&'a (&'a Definition, &'a str)],
        rules: &'a str,
        period: Option<Period>,
        now: i64,
        registered: &'a Registered,
    ) -> Self {
        Self { agencies, indicators, rules, period, now, registered, sums: HashMap::new() }
    }

    /// Adds the rows of a group-by.
    pub(super) fn add(&mut self, group: &Group, table: &DataFrame) -> PolarsResult<()> {
        let agency = table.column("agency")?.u32()?;
        let start = table.column("start")?.i32()?;
        for &index in &group.indicators {
            match group.shape {
                Shape::ByEnd => {
                    self.add_by_end(index, table)?;
                    continue;
                }
                Shape::Registered => {
                    self.add_registered(index, table)?;
                    continue;
                }
                Shape::Plain | Shape::Having => {}
            }
            let sums = sums(table, index, "", evidence_column(self.indicators[index].0).is_some())?;
            let counted = match group.shape {
                Shape::Having => rows_having(table, index)?,
                _ => vec![true; table.height()],
            };
            for row in (0..table.height()).filter(|&row| counted[row] && sums[row].whole > 0) {
                let (Some(agency), Some(start)) = (agency.get(row), start.get(row)) else { continue };
                for period in self.periods_of(start) {
                    self.count(index, agency, period, sums[row]);
                }
            }
        }
        Ok(())
    }

    /// Each named period reads the state that its dossiers had at its own end.
    fn add_by_end(&mut self, index: usize, table: &DataFrame) -> PolarsResult<()> {
        let agency = table.column("agency")?.u32()?;
        let half = |name: &str| table.column(name).and_then(|column| column.i32());
        let (start, ended, overdue) = (half("start")?, half("ended_half")?, half("overdue_half")?);
        let on_time = table.column("ended_on_time")?.bool()?;
        let mut states = Vec::new();
        for suffix in BY_STATE {
            states.push(sums(table, index, suffix, false)?);
        }
        for (row, agency) in agency.iter().enumerate() {
            let (Some(agency), Some(start)) = (agency, start.get(row)) else { continue };
            for period in self.periods_of(start) {
                let (_, last) = period.halves().expect("named periods are unions of half-months");
                let by_then = |half: Option<Half>| half.is_some_and(|half| half <= last);
                let state = match (by_then(ended.get(row)), by_then(overdue.get(row))) {
                    (true, _) => usize::from(on_time.get(row) != Some(true)),
                    (false, false) => 2,
                    (false, true) => 3,
                };
                let mut counts = states[state][row];
                if end_of(period.end()) < self.now {
                    // The period is over: what was open at its end stays open in it.
                    counts.reachable = counts.part;
                }
                if counts.whole > 0 {
                    self.count(index, agency, period, counts);
                }
            }
        }
        Ok(())
    }

    /// Counts what stands in a registry, and what of it has dossiers.
    fn add_registered(&mut self, index: usize, table: &DataFrame) -> PolarsResult<()> {
        let definition = self.indicators[index].0;
        let agency = table.column("agency")?.u32()?;
        let start = table.column("start")?.i32()?;
        let procedure = table.column("procedure_code")?.str()?;
        let sums = sums(table, index, "", false)?;
        let now = half_of(crate::model::instant::local(self.now).date());
        let mut seen: BTreeMap<(Scope, Period), BTreeSet<String>> = BTreeMap::new();
        for (row, sums) in sums.iter().enumerate() {
            let (Some(agency), Some(start)) = (agency.get(row), start.get(row)) else { continue };
            if sums.whole == 0 {
                continue;
            }
            for period in self.periods_of(start) {
                let last = half_of(period.end()).min(now);
                let unit = match definition.over {
                    Over::Agencies if start > last - 2 => Some(self.agencies.known[agency as usize].code.clone()),
                    Over::Agencies => None,
                    _ => procedure.get(row).map(str::to_owned),
                };
                for scope in self.scopes_of(agency) {
                    let units = seen.entry((scope, period)).or_default();
                    units.extend(unit.clone().filter(|_| sums.part > 0));
                }
            }
        }
        for ((scope, period), units) in seen {
            if matches!(scope, Scope::Agency(_))
                && (definition.over == Over::Agencies || definition.kind == IndicatorKind::Count)
            {
                continue;
            }
            let whole = self.registered.whole(index, self.scope_name(scope), period);
            let with = whole.intersection(&units.iter().map(String::as_str).collect()).count() as u64;
            let whole = whole.len() as u64;
            let part = if definition.kind == IndicatorKind::Count { whole } else { with };
            // Until the period is over a procedure may still have its first dossier.
            let open = definition.kind == IndicatorKind::Ratio && end_of(period.end()) >= self.now;
            let reachable = if open { whole } else { part };
            self.sums.insert((index, scope, period), Sums { whole, part, reachable, one_sided: 0 });
        }
        Ok(())
    }

    /// Adds what was stated of an agency, to its tier and the province too; where `agency` is none, puts what was stated of
    /// the province itself in place of the sum. Until the period is over more may be stated.
    pub(super) fn add_stated(&mut self, index: usize, agency: Option<u32>, period: Period, part: u64, whole: u64) {
        let open = end_of(period.end()) >= self.now;
        let sums = Sums { whole, part, reachable: if open { part.max(whole) } else { part }, one_sided: 0 };
        match agency {
            Some(agency) => self.count(index, agency, period, sums),
            None => {
                self.sums.insert((index, Scope::Province, period), sums);
            }
        }
    }

    fn scope_name(&self, scope: Scope) -> ScopeName<'a> {
        match scope {
            Scope::Province => ScopeName::Province,
            Scope::Tier(tier) => ScopeName::Tier(tier),
            Scope::Agency(number) => {
                let agency = &self.agencies.known[number as usize];
                ScopeName::Agency(&agency.code, agency.tier)
            }
        }
    }

    fn scopes_of(&self, agency: u32) -> impl Iterator<Item = Scope> + use<> {
        let row = self.agencies.row_of(agency);
        let tier = self.agencies.known[row as usize].tier.map(Scope::Tier);
        [Some(Scope::Province), tier, Some(Scope::Agency(row))].into_iter().flatten()
    }

    /// The periods that a half-month counts in.
    fn periods_of(&self, start: Half) -> Vec<Period> {
        match self.period {
            Some(period) => vec![period],
            None => PeriodKind::NAMED.into_iter().filter_map(|kind| Period::of_half(kind, start)).collect(),
        }
    }

    fn count(&mut self, index: usize, agency: u32, period: Period, sums: Sums) {
        for scope in self.scopes_of(agency) {
            let held = self.sums.entry((index, scope, period)).or_default();
            held.whole += sums.whole;
            held.part += sums.part;
            held.reachable += sums.reachable;
            held.one_sided += sums.one_sided;
        }
    }

    /// The figures. Between the first and the last period of a row those without dossiers stand too, with a
    /// denominator of zero ("không phát sinh").
    pub(super) fn figures(mut self) -> Vec<Figure> {
        let mut ranges: BTreeMap<(usize, Scope, PeriodKind), (Period, Period)> = BTreeMap::new();
        for &(index, scope, period) in self.sums.keys() {
            let range = ranges.entry((index, scope, period.kind())).or_insert((period, period));
            *range = (range.0.min(period), range.1.max(period));
        }
        for ((index, scope, _), (first, last)) in ranges {
            // What a registry holds is never nothing because nobody came.
            if !self.indicators[index].0.over.is_additive() {
                continue;
            }
            let mut period = first;
            while period < last {
                self.sums.entry((index, scope, period)).or_default();
                let Some(next) = period.next() else { break };
                period = next;
            }
        }
        self.sums.iter().map(|(&(index, scope, period), sums)| self.figure(index, scope, period, *sums)).collect()
    }

    fn figure(&self, index: usize, scope: Scope, period: Period, sums: Sums) -> Figure {
        let (definition, digest) = *self.indicators[index];
        let known = match scope {
            Scope::Agency(number) => Some(&self.agencies.known[number as usize]),
            _ => None,
        };
        Figure {
            indicator: definition.id.clone(),
            definition: digest.to_owned(),
            rules: self.rules.to_owned(),
            agency: known.map(|agency| agency.code.clone()),
            agency_name: known.map(|agency| agency.name.clone()),
            tier: match scope {
                Scope::Province => None,
                Scope::Tier(tier) => Some(tier),
                Scope::Agency(_) => known.and_then(|agency| agency.tier),
            },
            period,
            numerator: sums.part,
            denominator: (definition.kind == IndicatorKind::Ratio).then_some(sums.whole),
            reachable: sums.reachable,
            one_sided: evidence_column(definition).map(|_| sums.one_sided),
            target: definition.target.map(|target| target.at_least),
        }
    }
}

/// An indicator's sums, row by row.
fn sums(table: &DataFrame, index: usize, suffix: &str, with_evidence: bool) -> PolarsResult<Vec<Sums>> {
    let counts = |name: &str| -> PolarsResult<Vec<u64>> {
        let column = table.column(&format!("{name}{index}{suffix}"))?.cast(&DataType::UInt64)?;
        Ok(column.u64()?.iter().map(|count| count.unwrap_or(0)).collect())
    };
    let (whole, part, reachable) = (counts("whole")?, counts("part")?, counts("reachable")?);
    let one_sided = if with_evidence { counts("one_sided")? } else { vec![0; table.height()] };
    let of =
        |row: usize| Sums { whole: whole[row], part: part[row], reachable: reachable[row], one_sided: one_sided[row] };
    Ok((0..table.height()).map(of).collect())
}

fn year_of(half: Half) -> i32 {
    half.div_euclid(24)
}

/// Rows of procedures that have, province-wide and in the row's calendar year, at least one dossier of the kind; where
/// one period is asked for, only those inside it.
fn rows_having(table: &DataFrame, index: usize) -> PolarsResult<Vec<bool>> {
    let procedure = table.column("procedure_code")?.str()?;
    let start = table.column("start")?.i32()?;
    let having = table.column(&format!("having{index}"))?.cast(&DataType::UInt64)?;
    let having = having.u64()?;
    let inside = table.column("inside").ok().map(|column| column.bool()).transpose()?;
    let key = |row: usize| (procedure.get(row).unwrap_or_default(), start.get(row).map(year_of));
    let rows = || 0..table.height();
    let years: BTreeSet<_> = rows().filter(|&row| having.get(row).unwrap_or(0) > 0).map(key).collect();
    let is_inside = |row: usize| inside.as_ref().is_none_or(|inside| inside.get(row) == Some(true));
    Ok(rows().map(|row| years.contains(&key(row)) && is_inside(row)).collect())
}
