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
#[derive(Debug, Clone)]
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

    /// Whether it is of a scope; of an agency by the tier that it had.
    fn is_of(&self, scope: &Scope, tier_then: Option<Tier>) -> bool {
        match scope {
            Scope::Province => true,
            Scope::Tier(tier) => self.tier == Some(*tier),
            Scope::Agency(_, code, _) => match &self.agency {
                Some(agency) => **agency == **code,
                None => self.tier.is_some() && self.tier == tier_then,
            },
        }
    }
}

/// The rows of a registry that make an indicator's whole.
#[derive(Debug)]
pub(super) struct Registry {
    rows: Vec<Row>,
    /// What agencies offer by rows of their own, chosen or not: these come before those of their tiers.
    own: Vec<Row>,
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
        let own = rows.iter().filter(|row| row.agency.is_some()).cloned().collect();
        let mut flags = chosen.iter().zip(&in_part);
        rows.retain_mut(|row| {
            let (chosen, in_part) = flags.next().expect("a flag a row");
            row.in_part = *in_part;
            *chosen
        });
        Ok(Self { rows, own, units })
    }

    /// What counts for a scope in a period, and what of it is not in the registry's own part: a procedure that several offer
    /// is in it only if it is with all of them.
    fn whole<'r>(rows: impl Iterator<Item = &'r &'r Row>, period: Period) -> [Bits; 2] {
        let [mut whole, mut outside] = [Bits::new(), Bits::new()];
        for row in rows.filter(|row| row.stands(period)) {
            set(&mut whole, row.unit);
            if !row.in_part {
                set(&mut outside, row.unit);
            }
        }
        [whole, outside]
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
        // Where an agency's own row names no level that of its tier holds.
        Column::new("online_level".into(), offers.iter().map(level).collect::<Vec<_>>()),
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

/// What of a registry is a scope's.
struct Offered<'r> {
    rows: Vec<&'r Row>,
    /// Rows that come before those of the tier.
    own: Vec<&'r Row>,
    /// An agency has what its tier offers on the days on which it stands.
    agency: Option<&'r Agency>,
}

impl Offered<'_> {
    /// See [`Registry::whole`]; `None` where the agency does not stand.
    fn in_period(&self, period: Period) -> Option<[Bits; 2]> {
        let days = self.agency.map_or(Some(period), |agency| standing(agency, period))?;
        let has_own = |row: &Row| self.own.iter().any(|own| own.unit == row.unit && own.stands(days));
        let rows = self.rows.iter().filter(|row| row.agency.is_some() || self.own.is_empty() || !has_own(row));
        Some(Registry::whole(rows, days))
    }
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
            let offered = self.offered_to(&scope, registry, agencies);
            for place in self.places_with_dossiers() {
                let Some([whole, outside]) = offered.in_period(self.periods.all[place]) else { continue };
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

    fn offered_to<'r>(&self, scope: &Scope, registry: &'r Registry, agencies: &'r [Agency]) -> Offered<'r> {
        let Scope::Agency(_, code, number) = scope else {
            let rows = registry.rows.iter().filter(|row| row.is_of(scope, None)).collect();
            return Offered { rows, own: Vec::new(), agency: None };
        };
        let tier_then = self.agencies.known[*number as usize].tier_then;
        Offered {
            rows: registry.rows.iter().filter(|row| row.is_of(scope, tier_then)).collect(),
            own: registry.own.iter().filter(|row| row.agency.as_deref() == Some(&**code)).collect(),
            // Under today's map a row speaks of those before it too.
            agency: agencies.iter().find(|agency| agency.code == **code).filter(|_| self.agencies.rows_are_own()),
        }
    }

    /// Procedures on offer, and those of them that have a dossier of the kind; in every period that has dossiers, also of those who
    /// have none.
    pub(super) fn of_procedures(
        &self,
        entry: &Indicator<'_>,
        registry: &Registry,
        places: &Places,
        rows: &Rows,
        (agencies, procedures): (&[Agency], &[String]),
    ) -> Vec<Figure> {
        let part = rows.sums(places.part);
        let unit = |number: IdxSize| registry.units.get(procedures.get(number as usize)?).copied();
        // The procedures that have dossiers.
        let mut seen: BTreeMap<u32, Vec<Bits>> = BTreeMap::new();
        for (_, key) in rows.keys().enumerate().filter(|(row, _)| part[*row] > 0) {
            let Some(unit) = key.procedure.and_then(unit) else { continue };
            let table = seen.entry(key.agency).or_insert_with(|| vec![Bits::new(); self.periods.all.len()]);
            self.periods.holding(key.start).iter().for_each(|place| set(&mut table[*place], unit));
        }
        let tables = self.rolled_up(seen, join);
        let mut figures = Vec::new();
        for scope in self.every_scope() {
            let (offered, having) = (self.offered_to(&scope, registry, agencies), tables.get(&scope));
            for place in self.places_with_dossiers() {
                let Some([whole, _]) = offered.in_period(self.periods.all[place]) else { continue };
                let part =
                    having.map_or(0, |having| size(whole.iter().zip(&having[place]).map(|(one, other)| one & other)));
                let whole = size(whole.into_iter());
                // Until the period is over a procedure may still have its first dossier.
                let reachable = if self.is_over(place) { part } else { whole };
                if whole > 0 {
                    figures.push(self.figure(entry, &scope, place, Counts { whole, part, reachable, one_sided: 0 }));
                }
            }
        }
        figures
    }

    /// Agencies that stand on the period's last day, or now, and those of them whose latest dossier of the kind lies within the
    /// last working days before it.
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
            let offered = self.offered_to(&scope, registry, inputs.agencies);
            for place in self.places_with_dossiers() {
                let Some([whole, _]) = offered.in_period(Period::Day(last(place))) else { continue };
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
