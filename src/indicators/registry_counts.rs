//! Figures that count rows of the registries: procedures on offer and agencies that exist.
//!
//! A procedure that many agencies offer counts once for the province. These figures therefore do not add up: each scope
//! is counted by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use polars::prelude::*;
use polars::sql::sql_expr;

use crate::calendar::day_number;
use crate::indicators::IndicatorError;
use crate::indicators::figures::{FigureBuilder, FigureScope};
use crate::indicators::inputs::{ComputedIndicator, FigureInputs};
use crate::indicators::rows::{FigureCounts, GroupRows};
use crate::indicators::sums::SumPositions;
use crate::model::agency::{Agency, Tier};
use crate::model::figure::Figure;
use crate::model::indicator::{Definition, IndicatorKind, Over};
use crate::model::instant::local;
use crate::model::period::Period;
use crate::model::procedure::{Offer, Offerer};

/// A set of small numbers: number n is in it if bit n is set.
type BitSet = Vec<u64>;

fn insert(set: &mut BitSet, number: usize) {
    if set.len() <= number / 64 {
        set.resize(number / 64 + 1, 0);
    }
    set[number / 64] |= 1 << (number % 64);
}

fn contains(set: &BitSet, number: usize) -> bool {
    set.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
}

fn unite(set: &mut BitSet, other: &BitSet) {
    if set.len() < other.len() {
        set.resize(other.len(), 0);
    }
    set.iter_mut().zip(other).for_each(|(word, more)| *word |= more);
}

fn count(words: impl Iterator<Item = u64>) -> u64 {
    words.map(|word| u64::from(word.count_ones())).sum()
}

/// A row of a registry: a procedure on offer or an agency, with its days and the agency or tier that it belongs to.
#[derive(Debug, Clone)]
struct RegistryRow {
    /// Number of the procedure or agency: rows with the same code share it.
    number: usize,
    /// Whether `registry_part` is true for it.
    in_numerator: bool,
    from: Option<Date>,
    to: Option<Date>,
    /// The only agency that it belongs to; `None` if it belongs to every agency of the tier.
    agency: Option<String>,
    tier: Option<Tier>,
}

impl RegistryRow {
    /// Whether it is valid on any day of a period.
    fn is_valid_in(&self, period: Period) -> bool {
        self.from.is_none_or(|from| from <= period.end()) && self.to.is_none_or(|to| period.start() <= to)
    }

    /// Whether it belongs to a scope. `registry_tier`: the tier of the scope's agency by the registry.
    fn is_of(&self, scope: &FigureScope, registry_tier: Option<Tier>) -> bool {
        match scope {
            FigureScope::Province => true,
            FigureScope::Tier(tier) => self.tier == Some(*tier),
            FigureScope::Agency(_, code, _) => match &self.agency {
                Some(agency) => **agency == **code,
                None => self.tier.is_some() && self.tier == registry_tier,
            },
        }
    }
}

/// The rows of a registry that make an indicator's denominator.
#[derive(Debug)]
pub(super) struct RegistryRows {
    rows: Vec<RegistryRow>,
    /// All rows of single agencies, whether or not they are in the denominator: they override the rows of their tiers.
    of_single_agencies: Vec<RegistryRow>,
    /// Numbers by code of the procedure or agency.
    numbers: HashMap<String, usize>,
}

impl RegistryRows {
    pub(super) fn read(inputs: &FigureInputs<'_>, definition: &Definition) -> Result<Self, IndicatorError> {
        let (codes, mut rows, table) = match definition.over {
            Over::Agencies => agencies(inputs),
            _ => offers(inputs),
        };
        let table = table?;
        let in_denominator = where_true(&table, definition, definition.registry.as_deref().unwrap_or("TRUE"))?;
        let in_numerator = where_true(&table, definition, definition.registry_part.as_deref().unwrap_or("FALSE"))?;
        let mut numbers = HashMap::new();
        for (row, code) in rows.iter_mut().zip(codes) {
            let next = numbers.len();
            row.number = *numbers.entry(code).or_insert(next);
        }
        let of_single_agencies = rows.iter().filter(|row| row.agency.is_some()).cloned().collect();
        let mut flags = in_denominator.iter().zip(&in_numerator);
        rows.retain_mut(|row| {
            let (in_denominator, in_numerator) = flags.next().expect("one pair of flags per row");
            row.in_numerator = *in_numerator;
            *in_denominator
        });
        Ok(Self { rows, of_single_agencies, numbers })
    }

    /// The numbers of rows that are valid in a period, and of those among them that have a row outside the numerator: a
    /// procedure with several rows is in the numerator only if all its rows are.
    fn denominator<'r>(rows: impl Iterator<Item = &'r &'r RegistryRow>, period: Period) -> [BitSet; 2] {
        let [mut denominator, mut outside_numerator] = [BitSet::new(), BitSet::new()];
        for row in rows.filter(|row| row.is_valid_in(period)) {
            insert(&mut denominator, row.number);
            if !row.in_numerator {
                insert(&mut outside_numerator, row.number);
            }
        }
        [denominator, outside_numerator]
    }
}

/// For each row of a registry's table, whether a predicate over its columns is true.
fn where_true(table: &DataFrame, definition: &Definition, text: &str) -> Result<Vec<bool>, IndicatorError> {
    let refused = |error: PolarsError| IndicatorError::Predicate {
        indicator: definition.id.clone(),
        predicate: text.to_owned(),
        message: error.to_string(),
    };
    let is_true = sql_expr(text).map_err(refused)?.fill_null(lit(false)).alias("is_true");
    let table = table.clone().lazy().with_column(is_true).collect()?;
    Ok(table.column("is_true")?.bool()?.iter().map(|is_true| is_true == Some(true)).collect())
}

/// Code of each row, the rows, and the columns that predicates may name.
type RegistryTable = (Vec<String>, Vec<RegistryRow>, PolarsResult<DataFrame>);

fn offers(inputs: &FigureInputs<'_>) -> RegistryTable {
    let find = |code: &str| inputs.agencies.iter().find(|agency| agency.code == code);
    let vertical: HashMap<&str, bool> =
        inputs.procedures.iter().map(|known| (known.code.as_str(), known.vertical)).collect();
    let offers = inputs.offers;
    let rows = offers.iter().map(|offer| RegistryRow {
        number: 0,
        in_numerator: false,
        from: offer.valid_from,
        to: offer.valid_to,
        agency: match &offer.offerer {
            Offerer::Agency(code) => Some(code.clone()),
            Offerer::Tier(_) => None,
        },
        tier: match &offer.offerer {
            Offerer::Agency(code) => find(code).map(|agency| agency.tier),
            Offerer::Tier(tier) => Some(*tier),
        },
    });
    let is_by_vertical_agency = |offer: &Offer| match &offer.offerer {
        Offerer::Agency(code) => find(code).is_some_and(|agency| agency.vertical),
        Offerer::Tier(_) => false,
    };
    let level = |offer: &'_ Offer| -> Option<String> {
        let Offerer::Agency(code) = &offer.offerer else { return offer.online_level.clone() };
        let tier = Offerer::Tier(find(code)?.tier);
        let of_tier = || offers.iter().rfind(|other| other.procedure == offer.procedure && other.offerer == tier);
        offer.online_level.clone().or_else(|| of_tier()?.online_level.clone())
    };
    let text = |name: &str, of: fn(&Offer) -> Option<&str>| {
        Column::new(name.into(), offers.iter().map(of).collect::<Vec<_>>())
    };
    let flag =
        |name: &str, of: &dyn Fn(&Offer) -> bool| Column::new(name.into(), offers.iter().map(of).collect::<Vec<_>>());
    let columns = vec![
        text("role", |offer| offer.role.as_deref()),
        // A row of an agency that names no level has that of its tier.
        Column::new("online_level".into(), offers.iter().map(level).collect::<Vec<_>>()),
        text("interlinked", |offer| offer.interlinked.as_deref()),
        flag("at_one_stop", &|offer| offer.at_one_stop),
        flag("one_stop_exempt", &|offer| offer.one_stop_exempt),
        flag("list_1291", &|offer| offer.list_1291),
        flag("postal_submission", &|offer| offer.postal_submission),
        flag("postal_return", &|offer| offer.postal_return),
        flag("procedure_vertical", &|offer| vertical.get(offer.procedure.as_str()).copied().unwrap_or(false)),
        flag("agency_vertical", &is_by_vertical_agency),
    ];
    let codes = offers.iter().map(|offer| offer.procedure.clone()).collect();
    (codes, rows.collect(), DataFrame::new(offers.len(), columns))
}

fn agencies(inputs: &FigureInputs<'_>) -> RegistryTable {
    let agencies = inputs.agencies;
    let rows = agencies.iter().map(|agency: &Agency| RegistryRow {
        number: 0,
        in_numerator: false,
        from: agency.valid_from,
        to: agency.valid_to,
        agency: Some(agency.code.clone()),
        tier: Some(agency.tier),
    });
    let columns = vec![
        Column::new("agency_kind".into(), agencies.iter().map(|agency| agency.kind.name()).collect::<Vec<_>>()),
        Column::new("agency_tier".into(), agencies.iter().map(|agency| agency.tier.name()).collect::<Vec<_>>()),
        Column::new("agency_vertical".into(), agencies.iter().map(|agency| agency.vertical).collect::<Vec<_>>()),
    ];
    let codes = agencies.iter().map(|agency| agency.code.clone()).collect();
    (codes, rows.collect(), DataFrame::new(agencies.len(), columns))
}

/// The rows of a registry that belong to a scope.
struct ScopeRows<'r> {
    rows: Vec<&'r RegistryRow>,
    /// The scope's agency's own rows, which override the rows of its tier.
    own: Vec<&'r RegistryRow>,
    /// If set, rows of the tier count for the scope only on days on which this agency exists.
    agency: Option<&'r Agency>,
}

impl ScopeRows<'_> {
    /// See [`RegistryRows::denominator`]; `None` if the agency does not exist in the period.
    fn in_period(&self, period: Period) -> Option<[BitSet; 2]> {
        let days = self.agency.map_or(Some(period), |agency| days_of_agency(agency, period))?;
        let is_overridden =
            |row: &RegistryRow| self.own.iter().any(|own| own.number == row.number && own.is_valid_in(days));
        let rows = self.rows.iter().filter(|row| row.agency.is_some() || self.own.is_empty() || !is_overridden(row));
        Some(RegistryRows::denominator(rows, days))
    }
}

/// The days of a period on which an agency exists; `None` if there are none.
fn days_of_agency(agency: &Agency, period: Period) -> Option<Period> {
    let from = agency.valid_from.map_or(period.start(), |from| from.max(period.start()));
    let to = agency.valid_to.map_or(period.end(), |to| to.min(period.end()));
    (from <= to).then_some(Period::Range { from, to })
}

impl FigureBuilder<'_> {
    /// The province, the tiers and every agency of the registry.
    fn all_scopes(&self) -> BTreeSet<FigureScope> {
        let registered = (0_u32..).zip(&self.agencies.known).filter(|(_, known)| known.is_registered);
        registered.flat_map(|(number, _)| self.scopes_of(number)).collect()
    }

    fn periods_with_dossiers(&self) -> impl Iterator<Item = usize> {
        self.with_dossiers.iter().enumerate().filter(|(_, with)| **with).map(|(period_index, _)| period_index)
    }

    fn rows_of_scope<'r>(
        &self,
        scope: &FigureScope,
        registry: &'r RegistryRows,
        agencies: &'r [Agency],
    ) -> ScopeRows<'r> {
        let FigureScope::Agency(_, code, number) = scope else {
            let rows = registry.rows.iter().filter(|row| row.is_of(scope, None)).collect();
            return ScopeRows { rows, own: Vec::new(), agency: None };
        };
        let registry_tier = self.agencies.known[*number as usize].registry_tier;
        ScopeRows {
            rows: registry.rows.iter().filter(|row| row.is_of(scope, registry_tier)).collect(),
            own: registry.of_single_agencies.iter().filter(|row| row.agency.as_deref() == Some(&**code)).collect(),
            // Under today's successors a row also stands for the agencies before it, so its own days do not limit it.
            agency: agencies
                .iter()
                .find(|agency| agency.code == **code)
                .filter(|_| self.agencies.each_counts_for_itself()),
        }
    }

    /// Figures that the registry alone decides: how many procedures or agencies there are, or what share of them is in
    /// the numerator. There is one for every period with dossiers. For an agency only the days on which it exists
    /// count: what its tier offers before or after them does not belong to it.
    pub(super) fn registry_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        registry: &RegistryRows,
        agencies: &[Agency],
    ) -> Vec<Figure> {
        let is_count = indicator.definition.kind == IndicatorKind::Count;
        let mut figures = Vec::new();
        for scope in self.all_scopes() {
            // Counts are reported for the province and its tiers only.
            if is_count && matches!(scope, FigureScope::Agency(..)) {
                continue;
            }
            let rows = self.rows_of_scope(&scope, registry, agencies);
            for period_index in self.periods_with_dossiers() {
                let Some([all, outside]) = rows.in_period(self.periods.all[period_index]) else { continue };
                let (denominator, outside) = (count(all.into_iter()), count(outside.into_iter()));
                let numerator = if is_count { denominator } else { denominator - outside };
                // A scope without rows has no share. It may have a count, which is 0.
                if denominator > 0 || is_count {
                    let counts = FigureCounts { denominator, numerator, reachable: numerator, one_sided: 0 };
                    figures.push(self.figure(indicator, &scope, period_index, counts));
                }
            }
        }
        figures
    }

    /// Of the procedures on offer, those that have a dossier in the numerator; for every period with dossiers and every
    /// scope that offers any procedure.
    pub(super) fn procedure_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        registry: &RegistryRows,
        positions: &SumPositions,
        rows: &GroupRows,
        (agencies, procedures): (&[Agency], &[String]),
    ) -> Vec<Figure> {
        let dossiers = rows.sums(positions.numerator);
        let number_of = |procedure: IdxSize| registry.numbers.get(procedures.get(procedure as usize)?).copied();
        // By agency and period: the procedures that have dossiers.
        let mut found: BTreeMap<u32, Vec<BitSet>> = BTreeMap::new();
        for (_, key) in rows.keys().enumerate().filter(|(row, _)| dossiers[*row] > 0) {
            let Some(number) = key.procedure.and_then(number_of) else { continue };
            let table = found.entry(key.agency).or_insert_with(|| vec![BitSet::new(); self.periods.all.len()]);
            self.periods.containing(key.start).iter().for_each(|index| insert(&mut table[*index], number));
        }
        let found = self.tables_by_scope(found, unite);
        let mut figures = Vec::new();
        for scope in self.all_scopes() {
            let (rows, found) = (self.rows_of_scope(&scope, registry, agencies), found.get(&scope));
            for period_index in self.periods_with_dossiers() {
                let Some([offered, _]) = rows.in_period(self.periods.all[period_index]) else { continue };
                let numerator = found.map_or(0, |found| {
                    count(offered.iter().zip(&found[period_index]).map(|(offered, found)| offered & found))
                });
                let denominator = count(offered.into_iter());
                // Until the period is over, any procedure can still have its first dossier.
                let reachable = if self.is_over(period_index) { numerator } else { denominator };
                if denominator > 0 {
                    let counts = FigureCounts { denominator, numerator, reachable, one_sided: 0 };
                    figures.push(self.figure(indicator, &scope, period_index, counts));
                }
            }
        }
        figures
    }

    /// Of the agencies that exist on the period's last day (or now, if that is earlier), those whose latest dossier in
    /// the numerator was received within the last `within_working_days` up to that day.
    pub(super) fn agency_figures(
        &self,
        indicator: &ComputedIndicator<'_>,
        registry: &RegistryRows,
        positions: &SumPositions,
        rows: &GroupRows,
        inputs: &FigureInputs<'_>,
    ) -> Vec<Figure> {
        let working_days = indicator.definition.within_working_days.expect("the configuration has checked it");
        let latest = rows.days(positions.last_day.expect("indicators over agencies have it"));
        let last_day = |period_index: usize| self.periods.all[period_index].end().min(local(self.now).date());
        let since: Vec<i32> = (0..self.periods.all.len())
            .map(|index| day_number(inputs.calendar.back_working_days(last_day(index), working_days)))
            .collect();
        // By agency and period: whether the agency has such a dossier.
        let mut connected: HashMap<&str, Vec<bool>> = HashMap::new();
        for (row, key) in rows.keys().enumerate() {
            let Some(day) = latest[row] else { continue };
            // The agency at the time: rows of the registry are not attributed to successors.
            let agency = &self.agencies.known[key.agency as usize];
            let table = connected.entry(&agency.code).or_insert_with(|| vec![false; self.periods.all.len()]);
            for (index, is_connected) in table.iter_mut().enumerate() {
                *is_connected |= since[index] <= day && day <= day_number(last_day(index));
            }
        }
        let mut figures = Vec::new();
        let codes: HashMap<usize, &str> =
            registry.numbers.iter().map(|(code, number)| (*number, code.as_str())).collect();
        for scope in self.all_scopes() {
            let rows = self.rows_of_scope(&scope, registry, inputs.agencies);
            for period_index in self.periods_with_dossiers() {
                let Some([existing, _]) = rows.in_period(Period::Day(last_day(period_index))) else { continue };
                let is_connected =
                    |number: &usize| connected.get(codes[number]).is_some_and(|table| table[period_index]);
                let numbers = || (0..registry.numbers.len()).filter(|number| contains(&existing, *number));
                let denominator = numbers().count() as u64;
                let numerator = numbers().filter(is_connected).count() as u64;
                let reachable = if self.is_over(period_index) { numerator } else { denominator };
                if denominator > 0 {
                    let counts = FigureCounts { denominator, numerator, reachable, one_sided: 0 };
                    figures.push(self.figure(indicator, &scope, period_index, counts));
                }
            }
        }
        figures
    }
}
