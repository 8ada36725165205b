//! Indicators that count what the registries hold: procedures that are offered, agencies that stand.
//!
//! Each is counted once for the province, its tier and its agency, so that nothing here adds up.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use polars::prelude::*;
use polars::sql::sql_expr;

use crate::calendar::day_number;
use crate::indicators::IndicatorError;
use crate::indicators::compute::Inputs;
use crate::indicators::figures::{Assembly, Counts, Indicator, Rows, Scope};
use crate::indicators::measures::Places;
use crate::model::agency::{Agency, Tier};
use crate::model::figure::Figure;
use crate::model::indicator::{Definition, IndicatorKind, Over};
use crate::model::instant::local;
use crate::model::period::Period;
use crate::model::procedure::{Offer, Offerer};

/// A set of numbers.
type Bits = Vec<u64>;

fn set(bits: &mut Bits, number: usize) {
    if bits.len() <= number / 64 {
        bits.resize(number / 64 + 1, 0);
    }
    bits[number / 64] |= 1 << (number % 64);
}

fn join(bits: &mut Bits, other: &Bits) {
    if bits.len() < other.len() {
        bits.resize(other.len(), 0);
    }
    bits.iter_mut().zip(other).for_each(|(held, more)| *held |= more);
}

fn size(bits: impl Iterator<Item = u64>) -> u64 {
    bits.map(|word| u64::from(word.count_ones())).sum()
}

/// A procedure or agency with the days on which it counts and those who have it.
#[derive(Debug)]
struct Row {
    /// Number of the code among those of the rows.
    unit: usize,
    /// It is in the part that the registry itself decides.
    in_part: bool,
    from: Option<Date>,
    to: Option<Date>,
    /// The one agency that offers it; else every agency of the tier.
    agency: Option<String>,
    tier: Option<Tier>,
}

impl Row {
    /// Whether it counts on any day of a period.
    fn stands(&self, period: Period) -> bool {
        self.from.is_none_or(|from| from <= period.end()) && self.to.is_none_or(|to| period.start() <= to)
    }

    fn is_of(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Province => true,
            Scope::Tier(tier) => self.tier == Some(*tier),
            Scope::Agency(tier, code, _) => match &self.agency {
                Some(agency) => **agency == **code,
                None => self.tier.is_some() && self.tier == *tier,
            },
        }
    }
}

/// The rows of a registry that make an indicator's whole.
#[derive(Debug)]
pub(super) struct Registry {
    rows: Vec<Row>,
    units: HashMap<String, usize>,
}

impl Registry {
    pub(super) fn read(inputs: &Inputs<'_>, definition: &Definition) -> Result<Self, IndicatorError> {
        let (codes, mut rows, table) = match definition.over {
            Over::Agencies => agencies(inputs),
            _ => offers(inputs),
        };
        let table = table?;
        let chosen = holds(&table, definition, definition.registry.as_deref().unwrap_or("TRUE"))?;
        let in_part = holds(&table, definition, definition.registry_part.as_deref().unwrap_or("FALSE"))?;
        let mut units = HashMap::new();
        for (row, code) in rows.iter_mut().zip(codes) {
            let next = units.len();
            row.unit = *units.entry(code).or_insert(next);
        }
        let mut flags = chosen.iter().zip(&in_part);
        rows.retain_mut(|row| {
            let (chosen, in_part) = flags.next().expect("a flag a row");
            row.in_part = *in_part;
            *chosen
        });
        Ok(Self { rows, units })
    }

    /// What counts for a scope in a period, and what of it is not in the registry's own part: a procedure that several offer
    /// is in it only if it is with all of them.
    fn whole(rows: &[&Row], period: Period) -> [Bits; 2] {
        let [mut whole, mut outside] = [Bits::new(), Bits::new()];
        for row in rows.iter().filter(|row| row.stands(period)) {
            set(&mut whole, row.unit);
            if !row.in_part {
                set(&mut outside, row.unit);
            }
        }
        [whole, outside]
    }

    fn rows_of(&self, scope: &Scope) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.is_of(scope)).collect()
    }
}

/// Rows of a registry under whether a predicate over its columns holds.
fn holds(table: &DataFrame, definition: &Definition, text: &str) -> Result<Vec<bool>, IndicatorError> {
    let wrong = |error: PolarsError| IndicatorError::Predicate {
        indicator: definition.id.clone(),
        predicate: text.to_owned(),
        message: error.to_string(),
    };
    let holds = sql_expr(text).map_err(wrong)?.fill_null(lit(false)).alias("holds");
    let table = table.clone().lazy().with_column(holds).collect()?;
    Ok(table.column("holds")?.bool()?.iter().map(|holds| holds == Some(true)).collect())
}

/// Code of each row, the rows, and the columns that a predicate may name.
type Table = (Vec<String>, Vec<Row>, PolarsResult<DataFrame>);

fn offers(inputs: &Inputs<'_>) -> Table {
    let find = |code: &str| inputs.agencies.iter().find(|agency| agency.code == code);
    let vertical: HashMap<&str, bool> =
        inputs.procedures.iter().map(|known| (known.code.as_str(), known.vertical)).collect();
    let offers = inputs.offers;
    let rows = offers.iter().map(|offer| Row {
        unit: 0,
        in_part: false,
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
    let by_branch = |offer: &Offer| matches!(&offer.offerer, Offerer::Agency(code) if find(code).is_some_and(|agency| agency.vertical));
    let text = |name: &str, of: fn(&Offer) -> Option<&str>| {
        Column::new(name.into(), offers.iter().map(of).collect::<Vec<_>>())
    };
    let flag =
        |name: &str, of: &dyn Fn(&Offer) -> bool| Column::new(name.into(), offers.iter().map(of).collect::<Vec<_>>());
    let columns = vec![
        text("role", |offer| offer.role.as_deref()),
        text("online_level", |offer| offer.online_level.as_deref()),
        text("interlinked", |offer| offer.interlinked.as_deref()),
        flag("at_one_stop", &|offer| offer.at_one_stop),
        flag("one_stop_exempt", &|offer| offer.one_stop_exempt),
        flag("list_1291", &|offer| offer.list_1291),
        flag("postal_submission", &|offer| offer.postal_submission),
        flag("postal_return", &|offer| offer.postal_return),
        flag("procedure_vertical", &|offer| vertical.get(offer.procedure.as_str()).copied().unwrap_or(false)),
        flag("agency_vertical", &by_branch),
    ];
    let codes = offers.iter().map(|offer| offer.procedure.clone()).collect();
    (codes, rows.collect(), DataFrame::new(offers.len(), columns))
}

fn agencies(inputs: &Inputs<'_>) -> Table {
    let agencies = inputs.agencies;
    let rows = agencies.iter().map(|agency: &Agency| Row {
        unit: 0,
        in_part: false,
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

/// The days of a period on which an agency stands.
fn standing(agency: &Agency, period: Period) -> Option<Period> {
    let from = agency.valid_from.map_or(period.start(), |from| from.max(period.start()));
    let to = agency.valid_to.map_or(period.end(), |to| to.min(period.end()));
    (from <= to).then_some(Period::Range { from, to })
}

impl Assembly<'_> {
    /// Province, tiers and the rows of every agency of the registry.
    fn every_scope(&self) -> BTreeSet<Scope> {
        let registered = (0_u32..).zip(&self.agencies.known).filter(|(_, known)| known.registered);
        registered.flat_map(|(number, _)| self.scopes_of(number)).collect()
    }

    fn places_with_dossiers(&self) -> impl Iterator<Item = usize> {
        self.with_dossiers.iter().enumerate().filter(|(_, with)| **with).map(|(place, _)| place)
    }

    /// What the registry alone decides: how many there are, or what share of them. In every period that has dossiers; for an
    /// agency on those days on which it stands: what its tier offers before or after is not its own.
    pub(super) fn of_registry(&self, entry: &Indicator<'_>, registry: &Registry, agencies: &[Agency]) -> Vec<Figure> {
        let mut figures = Vec::new();
        for scope in self.every_scope() {
            // How many procedures are interlinked is asked of the province and its tiers.
            if entry.definition.kind == IndicatorKind::Count && matches!(scope, Scope::Agency(..)) {
                continue;
            }
            let rows = registry.rows_of(&scope);
            let is_it = |agency: &&Agency| matches!(&scope, Scope::Agency(_, code, _) if **code == *agency.code);
            // Under today's map a row speaks of those before it too.
            let agency = agencies.iter().find(is_it).filter(|_| self.agencies.rows_are_own());
            for place in self.places_with_dossiers() {
                let period = self.periods.all[place];
                let Some(days) = agency.map_or(Some(period), |agency| standing(agency, period)) else { continue };
                let [whole, outside] = Registry::whole(&rows, days);
                let (whole, outside) = (size(whole.into_iter()), size(outside.into_iter()));
                let part = if entry.definition.kind == IndicatorKind::Count { whole } else { whole - outside };
                // A scope that offers nothing has no share of it; it may have a count, of none.
                if whole > 0 || entry.definition.kind == IndicatorKind::Count {
                    figures.push(self.figure(
                        entry,
                        &scope,
                        place,
                        Counts { whole, part, reachable: part, one_sided: 0 },
                    ));
                }
            }
        }
        figures
    }

    /// Procedures on offer, and those of them that have a dossier of the kind; for scopes and periods that have dossiers.
    pub(super) fn of_procedures(
        &self,
        entry: &Indicator<'_>,
        registry: &Registry,
        places: &Places,
        rows: &Rows,
        procedures: &[String],
    ) -> Vec<Figure> {
        let (whole, part) = (rows.sums(places.whole), rows.sums(places.part));
        let unit = |number: IdxSize| registry.units.get(procedures.get(number as usize)?).copied();
        // Whether there are dossiers at all, and the procedures that have them.
        let mut seen: BTreeMap<u32, Vec<(bool, Bits)>> = BTreeMap::new();
        for (row, key) in rows.keys().enumerate().filter(|(row, _)| whole[*row] > 0) {
            let table = seen.entry(key.agency).or_insert_with(|| vec![(false, Bits::new()); self.periods.all.len()]);
            let unit = key.procedure.filter(|_| part[row] > 0).and_then(unit);
            for &place in self.periods.holding(key.start) {
                table[place].0 = true;
                if let Some(unit) = unit {
                    set(&mut table[place].1, unit);
                }
            }
        }
        let tables = self.rolled_up(seen, |held, more| {
            held.0 |= more.0;
            join(&mut held.1, &more.1);
        });
        let mut figures = Vec::new();
        for (scope, table) in &tables {
            let rows = registry.rows_of(scope);
            for (place, (_, having)) in table.iter().enumerate().filter(|(_, (any, _))| *any) {
                let [whole, _] = Registry::whole(&rows, self.periods.all[place]);
                let part = size(whole.iter().zip(having).map(|(whole, having)| whole & having));
                let whole = size(whole.into_iter());
                // Until the period is over a procedure may still have its first dossier.
                let reachable = if self.is_over(place) { part } else { whole };
                figures.push(self.figure(entry, scope, place, Counts { whole, part, reachable, one_sided: 0 }));
            }
        }
        figures
    }

    /// Agencies that stand, and those of them whose latest dossier of the kind lies within the last working days before the
    /// period's end, or before now.
    pub(super) fn of_agencies(
        &self,
        entry: &Indicator<'_>,
        registry: &Registry,
        places: &Places,
        rows: &Rows,
        inputs: &Inputs<'_>,
    ) -> Vec<Figure> {
        let days = entry.definition.within_working_days.expect("the configuration has checked it");
        let latest = rows.days(places.last_day.expect("agencies have it"));
        let last = |place: usize| self.periods.all[place].end().min(local(self.now).date());
        let since: Vec<i32> = (0..self.periods.all.len())
            .map(|place| day_number(inputs.calendar.back_working_days(last(place), days)))
            .collect();
        // Days of an agency's latest dossiers, by half-month.
        let mut connected: HashMap<&str, Vec<bool>> = HashMap::new();
        for (row, key) in rows.keys().enumerate() {
            let Some(day) = latest[row] else { continue };
            // As it was when it received them: what a registry holds is not moved to a successor.
            let agency = &self.agencies.known[key.agency as usize];
            let table = connected.entry(&agency.code).or_insert_with(|| vec![false; self.periods.all.len()]);
            for (place, is_connected) in table.iter_mut().enumerate() {
                *is_connected |= since[place] <= day && day <= day_number(last(place));
            }
        }
        let mut figures = Vec::new();
        let by_unit: HashMap<usize, &str> = registry.units.iter().map(|(code, unit)| (*unit, code.as_str())).collect();
        for scope in self.every_scope() {
            let rows = registry.rows_of(&scope);
            for place in self.places_with_dossiers() {
                let [whole, _] = Registry::whole(&rows, self.periods.all[place]);
                let stands = |unit: &usize| whole.get(unit / 64).is_some_and(|word| word >> (unit % 64) & 1 == 1);
                let is_connected = |unit: &usize| connected.get(by_unit[unit]).is_some_and(|table| table[place]);
                let units = || (0..registry.units.len()).filter(stands);
                let (whole, part) = (units().count() as u64, units().filter(is_connected).count() as u64);
                let reachable = if self.is_over(place) { part } else { whole };
                if whole > 0 {
                    figures.push(self.figure(entry, &scope, place, Counts { whole, part, reachable, one_sided: 0 }));
                }
            }
        }
        figures
    }
}
