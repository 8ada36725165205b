//! The rows of the registries that indicators count: procedures on offer and agencies, by scope and period.

use std::collections::HashMap;

use jiff::civil::Date;
use polars::prelude::*;
use polars::sql::sql_expr;

use crate::indicators::IndicatorError;
use crate::indicators::agencies::Agencies;
use crate::indicators::figures::FigureScope;
use crate::indicators::inputs::FigureInputs;
use crate::indicators::number_set::NumberSet;
use crate::model::agency::{Agency, Tier};
use crate::model::indicator::{CountedUnit, IndicatorDefinition};
use crate::model::period::Period;
use crate::model::procedure::{Offer, Offerer};

/// A row of a registry: a procedure on offer or an agency, with its days and the agency or tier that it belongs to.
#[derive(Debug, Clone)]
pub(super) struct RegistryRow {
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
    pub(super) numbers: HashMap<String, usize>,
}

impl RegistryRows {
    pub(super) fn read(inputs: &FigureInputs<'_>, definition: &IndicatorDefinition) -> Result<Self, IndicatorError> {
        let (codes, mut rows, table) = match definition.over {
            CountedUnit::Agencies => agencies(inputs),
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

    /// The rows that belong to a scope.
    pub(super) fn of_scope<'r>(
        &'r self,
        scope: &FigureScope,
        known: &Agencies,
        registered: &'r [Agency],
    ) -> ScopeRows<'r> {
        let FigureScope::Agency(_, code, number) = scope else {
            let rows = self.rows.iter().filter(|row| row.is_of(scope, None)).collect();
            return ScopeRows { rows, own: Vec::new(), agency: None };
        };
        let registry_tier = known.known[*number as usize].registry_tier;
        ScopeRows {
            rows: self.rows.iter().filter(|row| row.is_of(scope, registry_tier)).collect(),
            own: self.of_single_agencies.iter().filter(|row| row.agency.as_deref() == Some(&**code)).collect(),
            // Under today's successors a row also stands for the agencies before it, so its own days do not limit it.
            agency: registered.iter().find(|agency| agency.code == **code).filter(|_| known.each_counts_for_itself()),
        }
    }

    /// The numbers of rows that are valid in a period, and of those among them that have a row outside the numerator: a
    /// procedure with several rows is in the numerator only if all its rows are.
    fn denominator<'r>(rows: impl Iterator<Item = &'r &'r RegistryRow>, period: Period) -> [NumberSet; 2] {
        let [mut denominator, mut outside_numerator] = [NumberSet::default(), NumberSet::default()];
        for row in rows.filter(|row| row.is_valid_in(period)) {
            denominator.insert(row.number);
            if !row.in_numerator {
                outside_numerator.insert(row.number);
            }
        }
        [denominator, outside_numerator]
    }
}

/// For each row of a registry's table, whether a predicate over its columns is true.
fn where_true(table: &DataFrame, definition: &IndicatorDefinition, text: &str) -> Result<Vec<bool>, IndicatorError> {
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
pub(super) struct ScopeRows<'r> {
    rows: Vec<&'r RegistryRow>,
    /// The scope's agency's own rows, which override the rows of its tier.
    own: Vec<&'r RegistryRow>,
    /// If set, rows of the tier count for the scope only on days on which this agency exists.
    agency: Option<&'r Agency>,
}

impl ScopeRows<'_> {
    /// See [`RegistryRows::denominator`]; `None` if the agency does not exist in the period.
    pub(super) fn in_period(&self, period: Period) -> Option<[NumberSet; 2]> {
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
