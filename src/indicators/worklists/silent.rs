//! Agencies that have received nothing for days.

use std::collections::HashMap;

use polars::prelude::*;

use crate::calendar::day_number;
use crate::indicators::IndicatorError;
use crate::indicators::explain::FigureOf;
use crate::indicators::inputs::FigureInputs;
use crate::indicators::scan::facts_of;
use crate::model::agency::{AgencyKind, Tier};
use crate::model::instant::local;
use crate::model::procedure::Offerer;
use crate::model::rules::RuleSet;

/// An agency with procedures to resolve that has received nothing for days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentAgency {
    pub code: String,
    pub name: String,
    pub tier: Tier,
    /// Day of its latest dossier; `None` if it has none.
    pub last_day: Option<jiff::civil::Date>,
}

/// The agencies of the registry, of the kinds that 7.1.4 counts and with procedures on offer, whose latest dossier is older
/// than the last `working_days` working days before the moment of the inputs, of an agency, a tier or the province. Those that
/// never had one come first, then those that are silent for longest.
///
/// # Errors
/// A table that cannot be scanned.
pub fn silent_agencies(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    working_days: u32,
    of: &FigureOf,
) -> Result<Vec<SilentAgency>, IndicatorError> {
    let today = local(inputs.now).date();
    let since = day_number(inputs.calendar.back_working_days(today, working_days));
    let found = facts_of(inputs, rules, None)?;
    let latest = found
        .facts
        .select([col("agency"), col("received_day").cast(DataType::Int32)])
        .filter(col("agency").is_not_null())
        .group_by([col("agency")])
        .agg([col("received_day").max()])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let mut last_days: HashMap<&str, i32> = HashMap::new();
    let days = latest.column("agency")?.u32()?.iter().zip(latest.column("received_day")?.i32()?.iter());
    for (agency, day) in days {
        let (Some(agency), Some(day)) = (agency, day) else { continue };
        let code = &*found.agencies.known[found.agencies.attributed_to(agency) as usize].code;
        let last = last_days.entry(code).or_insert(day);
        *last = day.max(*last);
    }
    let is_valid = |from: Option<jiff::civil::Date>, to: Option<jiff::civil::Date>| {
        from.is_none_or(|from| from <= today) && to.is_none_or(|to| today <= to)
    };
    let has_offer = |code: &str, tier: Tier| {
        inputs.offers.iter().filter(|offer| is_valid(offer.valid_from, offer.valid_to)).any(|offer| {
            match &offer.offerer {
                Offerer::Agency(agency) => agency == code,
                Offerer::Tier(of) => *of == tier,
            }
        })
    };
    let counted = [AgencyKind::Specialised, AgencyKind::District, AgencyKind::Commune];
    let mut silent: Vec<(Option<i32>, SilentAgency)> = inputs
        .agencies
        .iter()
        .filter(|agency| {
            !agency.vertical && counted.contains(&agency.kind) && is_valid(agency.valid_from, agency.valid_to)
        })
        .filter(|agency| of.has_agency(&agency.code, Some(agency.tier)))
        .filter(|agency| last_days.get(agency.code.as_str()).is_none_or(|day| *day < since))
        .filter(|agency| has_offer(&agency.code, agency.tier))
        .map(|agency| {
            let last = last_days.get(agency.code.as_str()).copied();
            let last_day =
                last.and_then(|day| jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).ok());
            let (code, name) = (agency.code.clone(), agency.name.clone());
            (last, SilentAgency { code, name, tier: agency.tier, last_day })
        })
        .collect();
    silent.sort_by(|left, right| left.0.cmp(&right.0).then_with(|| left.1.code.cmp(&right.1.code)));
    Ok(silent.into_iter().map(|(_, agency)| agency).collect())
}
