//! What the registries hold in a period: the procedures offered and the agencies that stand, as an indicator asks for them.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use polars::prelude::*;
use polars::sql::sql_expr;

use crate::indicators::IndicatorError;
use crate::indicators::compute::Inputs;
use crate::model::agency::{Agency, Tier};
use crate::model::indicator::{Definition, Over};
use crate::model::period::Period;
use crate::model::procedure::Offerer;

/// Whose registry rows are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum ScopeName<'a> {
    Province,
    Tier(Tier),
    /// Code, and tier where it stands in the registry.
    Agency(&'a str, Option<Tier>),
}

/// A procedure or agency with the days on which it counts and those who have it.
#[derive(Debug)]
struct Row {
    unit: String,
    from: Option<Date>,
    to: Option<Date>,
    /// The one agency that offers it; else every agency of the tier.
    agency: Option<String>,
    tier: Option<Tier>,
}

/// By position of the indicator, the rows that make its whole.
#[derive(Debug, Default)]
pub(super) struct Registered {
    rows: HashMap<usize, Vec<Row>>,
}

impl Registered {
    pub(super) fn read(inputs: &Inputs<'_>, indicators: &[&(&Definition, &str)]) -> Result<Self, IndicatorError> {
        let mut registered = Self::default();
        for (index, (definition, _)) in indicators.iter().map(|entry| **entry).enumerate() {
            let text = definition.registry.as_deref().unwrap_or("TRUE");
            let rows = match definition.over {
                Over::Dossiers | Over::Feedback | Over::Measures => continue,
                Over::Procedures => choose(offers(inputs), definition, text)?,
                Over::Agencies => choose(agencies(inputs), definition, text)?,
            };
            registered.rows.insert(index, rows);
        }
        Ok(registered)
    }

    /// The procedures or agencies of a scope that count on any day of a period.
    pub(super) fn whole(&self, index: usize, scope: ScopeName<'_>, period: Period) -> BTreeSet<&str> {
        let (start, end) = (period.start(), period.end());
        let stands = |row: &&Row| row.from.is_none_or(|from| from <= end) && row.to.is_none_or(|to| start <= to);
        let is_of = |row: &&Row| match scope {
            ScopeName::Province => true,
            ScopeName::Tier(tier) => row.tier == Some(tier),
            ScopeName::Agency(code, tier) => match &row.agency {
                Some(agency) => agency == code,
                None => row.tier.is_some() && row.tier == tier,
            },
        };
        let rows = self.rows.get(&index).into_iter().flatten();
        rows.filter(stands).filter(is_of).map(|row| row.unit.as_str()).collect()
    }
}

/// Rows with the columns that a predicate may name.
type Table = (Vec<Row>, PolarsResult<DataFrame>);

fn choose((rows, table): Table, definition: &Definition, text: &str) -> Result<Vec<Row>, IndicatorError> {
    let wrong = |error: PolarsError| IndicatorError::Predicate {
        indicator: definition.id.clone(),
        predicate: text.to_owned(),
        message: error.to_string(),
    };
    let chosen = sql_expr(text).map_err(wrong)?.fill_null(lit(false)).alias("chosen");
    let chosen = table?.lazy().with_column(chosen).collect()?;
    let chosen = chosen.column("chosen")?.bool()?;
    Ok(rows.into_iter().zip(chosen.iter()).filter(|(_, chosen)| *chosen == Some(true)).map(|(row, _)| row).collect())
}

fn offers(inputs: &Inputs<'_>) -> Table {
    let find = |code: &str| inputs.agencies.iter().find(|agency| agency.code == code);
    let offers = inputs.offers;
    let vertical: Vec<bool> = offers
        .iter()
        .map(|offer| inputs.procedures.iter().any(|known| known.code == offer.procedure && known.vertical))
        .collect();
    let by_branch: Vec<bool> = offers
        .iter()
        .map(
            |offer| matches!(&offer.offerer, Offerer::Agency(code) if find(code).is_some_and(|agency| agency.vertical)),
        )
        .collect();
    let rows = offers.iter().map(|offer| Row {
        unit: offer.procedure.clone(),
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
    let text = |of: fn(&crate::model::procedure::Offer) -> Option<&str>| offers.iter().map(of).collect::<Vec<_>>();
    let flag = |of: fn(&crate::model::procedure::Offer) -> bool| offers.iter().map(of).collect::<Vec<_>>();
    let columns = vec![
        Column::new("online_level".into(), text(|offer| offer.online_level.as_deref())),
        Column::new("postal_submission".into(), flag(|offer| offer.postal_submission)),
        Column::new("postal_return".into(), flag(|offer| offer.postal_return)),
        Column::new("interlinked".into(), text(|offer| offer.interlinked.as_deref())),
        Column::new("procedure_vertical".into(), vertical),
        Column::new("agency_vertical".into(), by_branch),
    ];
    (rows.collect(), DataFrame::new(offers.len(), columns))
}

fn agencies(inputs: &Inputs<'_>) -> Table {
    let agencies = inputs.agencies;
    let rows = agencies.iter().map(|agency: &Agency| Row {
        unit: agency.code.clone(),
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
    (rows.collect(), DataFrame::new(agencies.len(), columns))
}
