//! From groups to figures: half-months become months, quarters and years; agencies become tiers and the province.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use polars::prelude::*;

use crate::indicators::agencies::Agencies;
use crate::indicators::compute::evidence_column;
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::{Definition, IndicatorKind, PeriodColumn};
use crate::model::period::{Half, Period, PeriodKind};

/// One group-by of the scan.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) period: PeriodColumn,
    /// Whether it is by procedure, for indicators of procedures that have dossiers of a kind.
    pub(super) having: bool,
    /// Positions of its indicators.
    pub(super) indicators: Vec<usize>,
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
    sums: HashMap<(usize, Scope, Period), Sums>,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(agencies: &'a Agencies, indicators: &'a [&'a (&'a Definition, &'a str)], rules: &'a str) -> Self {
        Self { agencies, indicators, rules, sums: HashMap::new() }
    }

    /// Adds the rows of a group-by.
    pub(super) fn add(&mut self, group: &Group, table: &DataFrame) -> PolarsResult<()> {
        let agency = table.column("agency")?.u32()?;
        let start = table.column("start")?.i32()?;
        let procedure =
            group.having.then(|| table.column("procedure_code").and_then(|column| column.str())).transpose()?;
        for &index in &group.indicators {
            let counts = |name: &str| -> PolarsResult<Vec<u64>> {
                let column = table.column(&format!("{name}{index}"))?.cast(&DataType::UInt64)?;
                Ok(column.u64()?.iter().map(|count| count.unwrap_or(0)).collect())
            };
            let (whole, part, reachable) = (counts("whole")?, counts("part")?, counts("reachable")?);
            let one_sided = match evidence_column(self.indicators[index].0) {
                Some(_) => counts("one_sided")?,
                None => vec![0; table.height()],
            };
            let years_that_have = match procedure {
                Some(procedure) => Some(having_years(procedure, start, &counts("having")?)),
                None => None,
            };
            for row in 0..table.height() {
                let (Some(agency), Some(start)) = (agency.get(row), start.get(row)) else { continue };
                if let (Some(procedure), Some(years)) = (procedure, &years_that_have)
                    && !years.contains(&(procedure.get(row).unwrap_or_default(), year_of(start)))
                {
                    continue;
                }
                if whole[row] > 0 {
                    let sums = Sums {
                        whole: whole[row],
                        part: part[row],
                        reachable: reachable[row],
                        one_sided: one_sided[row],
                    };
                    self.count(index, agency, start, sums);
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, index: usize, agency: u32, start: Half, sums: Sums) {
        let tier = self.agencies.known[agency as usize].tier.map(Scope::Tier);
        for scope in [Some(Scope::Province), tier, Some(Scope::Agency(agency))].into_iter().flatten() {
            for kind in PeriodKind::ALL {
                let held = self.sums.entry((index, scope, Period::of_half(kind, start))).or_default();
                held.whole += sums.whole;
                held.part += sums.part;
                held.reachable += sums.reachable;
                held.one_sided += sums.one_sided;
            }
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
        for ((index, scope, kind), (first, last)) in ranges {
            let mut period = first;
            while period < last {
                self.sums.entry((index, scope, period)).or_default();
                period = Period::of_half(kind, crate::model::period::half_of(period.end()) + 1);
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

fn year_of(half: Half) -> i16 {
    Period::of_half(PeriodKind::Year, half).year()
}

/// Procedures that have at least one dossier of the kind in a calendar year, province-wide.
fn having_years<'a>(procedure: &'a StringChunked, start: &Int32Chunked, having: &[u64]) -> BTreeSet<(&'a str, i16)> {
    let rows = procedure.iter().zip(start.iter()).zip(having);
    rows.filter(|(_, count)| **count > 0)
        .filter_map(|((procedure, start), _)| Some((procedure.unwrap_or_default(), year_of(start?))))
        .collect()
}
