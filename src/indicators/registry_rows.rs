//! The rows of the registries that indicators count: procedures on offer and agencies, by scope and period.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use polars::prelude::*;

use crate::expressions::parse;
use crate::indicators::IndicatorError;
use crate::indicators::agencies::Agencies;
use crate::indicators::competence::{CompetenceDays, competence_days};
use crate::indicators::figures::FigureScope;
use crate::indicators::inputs::FigureInputs;
use crate::indicators::number_set::NumberSet;
use crate::indicators::polars_expressions;
use crate::model::agency::{Agency, Tier};
use crate::model::indicator::{CountedUnit, IndicatorDefinition};
use crate::model::period::Period;
use crate::model::procedure::{Offer, Offerer, Procedure};

/// A row of a registry: a procedure on offer or an agency, with its days and the agency or tier that it belongs to.
#[derive(Debug, Clone)]
pub(super) struct RegistryRow {
    /// Number of the procedure or agency. Rows with the same code share it, so that a procedure offered by many
    /// agencies is counted once.
    number: usize,
    /// Whether `registry_part` (the indicator's predicate for the numerator) is true for it.
    in_numerator: bool,
    pub(super) valid_from: Option<Date>,
    pub(super) valid_to: Option<Date>,
    /// The only agency that it belongs to; `None` if it belongs to every agency of the tier.
    pub(super) agency: Option<String>,
    pub(super) tier: Option<Tier>,
}

/// The rows of a registry before any indicator has chosen among them.
#[derive(Debug)]
pub(super) struct RegistryTable {
    /// By row: code of the procedure (or of its group) or agency.
    pub(super) codes: Vec<String>,
    pub(super) rows: Vec<RegistryRow>,
    /// By row: the columns that predicates may name, texts and flags.
    pub(super) columns: DataFrame,
}

impl RegistryTable {
    /// The rows that indicators over procedures or agencies count.
    pub(super) fn read(inputs: &FigureInputs<'_>, definition: &IndicatorDefinition) -> PolarsResult<Self> {
        match definition.over {
            CountedUnit::Agencies => agencies(inputs),
            _ => offers(inputs.agencies, inputs.procedures, inputs.offers, definition.groups_once),
        }
    }
}

impl RegistryRow {
    /// Whether it is valid on any day of a period.
    fn is_valid_in(&self, period: Period) -> bool {
        self.valid_from.is_none_or(|from| from <= period.end()) && self.valid_to.is_none_or(|to| period.start() <= to)
    }

    /// Whether it belongs to a scope. `registry_tier`: the tier that the registry gives to the scope's agency.
    fn belongs_to(&self, scope: &FigureScope, registry_tier: Option<Tier>) -> bool {
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
    /// All rows of single agencies. Rows outside the denominator are kept too, because they also replace the row of the
    /// tier.
    agency_rows: Vec<RegistryRow>,
    /// Numbers by code of the procedure or agency.
    pub(super) numbers: HashMap<String, usize>,
}

impl RegistryRows {
    pub(super) fn read(inputs: &FigureInputs<'_>, definition: &IndicatorDefinition) -> Result<Self, IndicatorError> {
        let RegistryTable { codes, mut rows, columns: table } = RegistryTable::read(inputs, definition)?;
        let in_denominator = evaluate_predicate(&table, definition, definition.registry.as_deref().unwrap_or("TRUE"))?;
        let in_numerator =
            evaluate_predicate(&table, definition, definition.registry_part.as_deref().unwrap_or("FALSE"))?;
        let mut numbers = HashMap::new();
        for (row, code) in rows.iter_mut().zip(codes) {
            let next = numbers.len();
            row.number = *numbers.entry(code).or_insert(next);
        }
        let agency_rows = rows.iter().filter(|row| row.agency.is_some()).cloned().collect();
        let mut flags = in_denominator.iter().zip(&in_numerator);
        rows.retain_mut(|row| {
            let (in_denominator, in_numerator) = flags.next().expect("one pair of flags per row");
            row.in_numerator = *in_numerator;
            *in_denominator
        });
        Ok(Self { rows, agency_rows, numbers })
    }

    /// The rows that belong to a scope.
    pub(super) fn of_scope<'r>(
        &'r self,
        scope: &FigureScope,
        agencies: &Agencies,
        registry_agencies: &'r [Agency],
    ) -> ScopeRows<'r> {
        let FigureScope::Agency(_, code, number) = scope else {
            let rows = self.rows.iter().filter(|row| row.belongs_to(scope, None)).collect();
            return ScopeRows { rows, agency_rows_of_scope: Vec::new(), agency: None };
        };
        let registry_tier = agencies.known[*number as usize].registry_tier;
        let agency = agency_that_limits(code, agencies, registry_agencies);
        ScopeRows {
            rows: self.rows.iter().filter(|row| row.belongs_to(scope, registry_tier)).collect(),
            agency_rows_of_scope: self
                .agency_rows
                .iter()
                .filter(|row| row.agency.as_deref() == Some(&**code))
                .collect(),
            agency,
        }
    }

    /// Two sets of numbers: all rows valid in the period, and those with at least one row outside the numerator. A
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
fn evaluate_predicate(
    table: &DataFrame,
    definition: &IndicatorDefinition,
    text: &str,
) -> Result<Vec<bool>, IndicatorError> {
    let predicate = parse(text).map_err(|message| IndicatorError::Predicate {
        indicator: definition.id.clone(),
        predicate: text.to_owned(),
        message,
    })?;
    let is_true = polars_expressions::predicate(&predicate.is_true()).alias("is_true");
    let table = table.clone().lazy().with_column(is_true).collect()?;
    Ok(table.column("is_true")?.bool()?.iter().map(|is_true| is_true == Some(true)).collect())
}

/// For each offer, whether an indicator's `registry` condition is true for it on any of its days.
pub(super) fn offers_with(
    agencies: &[Agency],
    procedures: &[Procedure],
    offers: &[Offer],
    definition: &IndicatorDefinition,
) -> Result<Vec<bool>, IndicatorError> {
    let pieces = offers
        .iter()
        .enumerate()
        .flat_map(|(index, offer)| pieces_of(offer, agencies, offers).into_iter().map(move |piece| (index, piece)));
    let (indexes, pieces): (Vec<usize>, Vec<Offer>) = pieces.unzip();
    let table = table_of_offers(agencies, procedures, &pieces, definition.groups_once)?;
    let is_true = evaluate_predicate(&table.columns, definition, definition.registry.as_deref().unwrap_or("TRUE"))?;
    let mut found = vec![false; offers.len()];
    for (index, is_true) in indexes.into_iter().zip(is_true) {
        found[index] |= is_true;
    }
    Ok(found)
}

/// The offers of the registry.
fn offers(
    agencies: &[Agency],
    procedures: &[Procedure],
    offers: &[Offer],
    groups_once: bool,
) -> PolarsResult<RegistryTable> {
    let pieces: Vec<Offer> = offers.iter().flat_map(|offer| pieces_of(offer, agencies, offers)).collect();
    table_of_offers(agencies, procedures, &pieces, groups_once)
}

/// An agency's row that names no level has that of its tier's row, so it becomes one row for each time in which another
/// row of the tier is valid.
fn pieces_of(offer: &Offer, agencies: &[Agency], offers: &[Offer]) -> Vec<Offer> {
    let tier = match &offer.offerer {
        Offerer::Agency(code) if offer.online_level.is_none() => {
            agencies.iter().find(|agency| agency.code == *code).map(|agency| agency.tier)
        }
        _ => None,
    };
    tier.map_or_else(|| vec![offer.clone()], |tier| with_levels_of_tier(offer, tier, offers))
}

fn table_of_offers(
    agencies: &[Agency],
    procedures: &[Procedure],
    offers: &[Offer],
    groups_once: bool,
) -> PolarsResult<RegistryTable> {
    let find = |code: &str| agencies.iter().find(|agency| agency.code == code);
    let vertical: HashMap<&str, bool> = procedures.iter().map(|known| (known.code.as_str(), known.vertical)).collect();
    let rows = offers.iter().map(|offer| RegistryRow {
        number: 0,
        in_numerator: false,
        valid_from: offer.valid_from,
        valid_to: offer.valid_to,
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
        flag("agency_vertical", &is_by_vertical_agency),
    ];
    let code = |offer: &Offer| match &offer.group_code {
        Some(group) if groups_once => format!("group {group}"),
        _ => offer.procedure.clone(),
    };
    let codes = offers.iter().map(code).collect();
    Ok(RegistryTable { codes, rows: rows.collect(), columns: DataFrame::new(offers.len(), columns)? })
}

/// An agency's row, cut at the days on which the rows of its tier begin and end; each piece with the level that the tier
/// has on its days. Of several rows of a tier on one day the last listed counts.
fn with_levels_of_tier(offer: &Offer, tier: Tier, offers: &[Offer]) -> Vec<Offer> {
    let is_of_tier = |other: &&Offer| other.procedure == offer.procedure && other.offerer == Offerer::Tier(tier);
    let of_tier: Vec<&Offer> = offers.iter().filter(is_of_tier).collect();
    let ends = of_tier.iter().flat_map(|other| [other.valid_from, other.valid_to.and_then(|day| day.tomorrow().ok())]);
    let is_within =
        |day: &Date| offer.valid_from.is_none_or(|from| from < *day) && offer.valid_to.is_none_or(|to| *day <= to);
    let starts: BTreeSet<Date> = ends.flatten().filter(is_within).collect();
    let mut pieces = vec![offer.clone()];
    for start in starts {
        let last = pieces.last_mut().expect("there is a first piece");
        let next = Offer { valid_from: Some(start), ..last.clone() };
        last.valid_to = start.yesterday().ok();
        pieces.push(next);
    }
    for piece in &mut pieces {
        // Nothing of the tier changes within a piece, so its first day decides.
        let is_valid = |other: &&&Offer| match piece.valid_from {
            None => other.valid_from.is_none(),
            Some(day) => other.valid_from.is_none_or(|from| from <= day) && other.valid_to.is_none_or(|to| day <= to),
        };
        piece.online_level = of_tier.iter().rfind(is_valid).and_then(|other| other.online_level.clone());
    }
    pieces
}

fn agencies(inputs: &FigureInputs<'_>) -> PolarsResult<RegistryTable> {
    let agencies: Vec<(&Agency, CompetenceDays)> = inputs
        .agencies
        .iter()
        .flat_map(|agency| competence_days(agency, inputs.offers).into_iter().map(move |days| (agency, days)))
        .collect();
    let rows = agencies.iter().map(|(agency, days)| RegistryRow {
        number: 0,
        in_numerator: false,
        valid_from: days.from,
        valid_to: days.to,
        agency: Some(agency.code.clone()),
        tier: Some(agency.tier),
    });
    let columns = vec![
        Column::new("agency_kind".into(), agencies.iter().map(|(agency, _)| agency.kind.name()).collect::<Vec<_>>()),
        Column::new("agency_tier".into(), agencies.iter().map(|(agency, _)| agency.tier.name()).collect::<Vec<_>>()),
        Column::new("agency_vertical".into(), agencies.iter().map(|(agency, _)| agency.vertical).collect::<Vec<_>>()),
        Column::new(
            "agency_has_procedures".into(),
            agencies.iter().map(|(_, days)| days.has_procedures).collect::<Vec<_>>(),
        ),
    ];
    let codes = agencies.iter().map(|(agency, _)| agency.code.clone()).collect();
    Ok(RegistryTable { codes, rows: rows.collect(), columns: DataFrame::new(agencies.len(), columns)? })
}

/// The rows of a registry that belong to a scope.
pub(super) struct ScopeRows<'r> {
    rows: Vec<&'r RegistryRow>,
    /// The scope's agency's own rows, which override the rows of its tier.
    agency_rows_of_scope: Vec<&'r RegistryRow>,
    /// If set, only days on which this agency exists count.
    agency: Option<&'r Agency>,
}

impl ScopeRows<'_> {
    /// See [`RegistryRows::denominator`]; `None` if the agency does not exist in the period.
    pub(super) fn in_period(&self, period: Period) -> Option<[NumberSet; 2]> {
        let days = self.agency.map_or(Some(period), |agency| days_of_agency(agency, period))?;
        let is_overridden = |row: &RegistryRow| {
            self.agency_rows_of_scope.iter().any(|own| own.number == row.number && own.is_valid_in(days))
        };
        // `is_empty` is a shortcut: without rows of the agency none is overridden.
        let rows = self
            .rows
            .iter()
            .filter(|row| row.agency.is_some() || self.agency_rows_of_scope.is_empty() || !is_overridden(row));
        Some(RegistryRows::denominator(rows, days))
    }
}

/// The agency whose days limit what counts for a figure of an agency. If dossiers are attributed to today's successors,
/// the figure includes its predecessors, and the days on which the agency itself exists do not limit it.
pub(super) fn agency_that_limits<'r>(
    code: &str,
    agencies: &Agencies,
    registry_agencies: &'r [Agency],
) -> Option<&'r Agency> {
    if agencies.each_counts_for_itself() { registry_agencies.iter().find(|agency| agency.code == code) } else { None }
}

/// The days of a period on which an agency exists; `None` if there are none.
fn days_of_agency(agency: &Agency, period: Period) -> Option<Period> {
    let from = agency.valid_from.map_or(period.start(), |from| from.max(period.start()));
    let to = agency.valid_to.map_or(period.end(), |to| to.min(period.end()));
    (from <= to).then_some(Period::Range { from, to })
}
