//! Explains figures over procedures and agencies: which of them are on offer or exist, and which of these are in the numerator.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;

use crate::indicators::IndicatorError;
use crate::indicators::compute::{CountedRegistry, counted_registry};
use crate::indicators::explain::explained_units::ExplainedUnits;
use crate::indicators::explain::{DossierPage, Explanation, FigureOf, Side};
use crate::indicators::figures::FigureScope;
use crate::indicators::inputs::FigureInputs;
use crate::model::agency::Agency;
use crate::model::indicator::{CountedUnit, IndicatorDefinition};
use crate::model::list::{ListCell, ListColumn, ListColumnType};
use crate::model::period::Period;
use crate::model::procedure::{Offer, Offerer};
use crate::model::rules::RuleSet;

/// The columns of a list of procedures.
pub const PROCEDURE_COLUMNS: &[ListColumn] = &[
    ListColumn::new("procedure_code", ListColumnType::Text, "mã thủ tục hoặc nhóm", "procedure or group"),
    ListColumn::new("name", ListColumnType::Text, "tên thủ tục", "its name"),
    ListColumn::new("sector_code", ListColumnType::Text, "lĩnh vực", "sector"),
    ListColumn::new("offered_by", ListColumnType::Text, "nơi cung cấp", "agencies and tiers that offer it"),
];

/// The columns of a list of agencies.
pub const AGENCY_COLUMNS: &[ListColumn] = &[
    ListColumn::new("agency", ListColumnType::Text, "mã cơ quan", "agency"),
    ListColumn::new("agency_name", ListColumnType::Text, "cơ quan", "its name"),
    ListColumn::new("tier", ListColumnType::Word, "cấp", "tier"),
    ListColumn::new("kind", ListColumnType::Word, "loại", "kind"),
    ListColumn::new("valid_from", ListColumnType::Day, "từ ngày", "first day"),
    ListColumn::new("valid_to", ListColumnType::Day, "đến ngày", "last day"),
    ListColumn::new("last_day", ListColumnType::Day, "hồ sơ gần nhất được tính", "latest dossier that counts"),
];

pub(super) fn explain_registry(
    inputs: &FigureInputs<'_>,
    (definition, rules): (&IndicatorDefinition, &RuleSet),
    period: Period,
    figure: &FigureOf,
    page: Option<DossierPage>,
) -> Result<ExplainedUnits, IndicatorError> {
    let inputs = &inputs.for_period(period);
    let is_scope = |scope: &FigureScope| match (figure, scope) {
        (FigureOf::Province, FigureScope::Province) => true,
        (FigureOf::Tier(wanted), FigureScope::Tier(tier)) => wanted == tier,
        (FigureOf::Agency(wanted), FigureScope::Agency(_, code, _)) => **wanted == **code,
        _ => false,
    };
    let found = counted_registry(inputs, rules, definition, is_scope)?;
    let mut by_side: BTreeMap<Side, Vec<&str>> = BTreeMap::new();
    for (code, number) in &found.numbers {
        let [is_counted, is_with, may_be_with] =
            [&found.sets.all, &found.sets.with, &found.sets.maybe].map(|set| set.contains(*number));
        let side = match (is_with, may_be_with) {
            (true, _) => Side::InNumerator,
            (false, true) => Side::Unknown,
            (false, false) => Side::NotInNumerator,
        };
        if is_counted {
            by_side.entry(side).or_default().push(code);
        }
    }
    let mut explanation = Explanation::default();
    for (side, codes) in &mut by_side {
        codes.sort_unstable();
        explanation.counts[*side as usize] = codes.len() as u64;
    }
    let is_over_agencies = definition.over == CountedUnit::Agencies;
    let columns = if is_over_agencies { AGENCY_COLUMNS } else { PROCEDURE_COLUMNS };
    let Some(page) = page else { return Ok(ExplainedUnits { explanation, columns, rows: Vec::new(), stated: None }) };
    let listed = by_side.get(&page.side).into_iter().flatten();
    let listed = listed.skip(page.offset as usize).take(page.limit as usize);
    let rows = if is_over_agencies {
        listed.map(|code| agency_row(inputs.agencies, &found, code)).collect()
    } else {
        listed.map(|code| procedure_row(inputs, period, code)).collect()
    };
    Ok(ExplainedUnits { explanation, columns, rows, stated: None })
}

/// A procedure, or a group of procedures that counts once.
fn procedure_row(inputs: &FigureInputs<'_>, period: Period, code: &str) -> Vec<ListCell> {
    let is_valid = |offer: &&Offer| {
        offer.valid_from.is_none_or(|from| from <= period.end())
            && offer.valid_to.is_none_or(|last| period.start() <= last)
    };
    let is_its = |offer: &&Offer| offer.procedure == code || offer.group_code.as_deref() == Some(code);
    let offers: Vec<&Offer> = inputs.offers.iter().filter(is_its).filter(is_valid).collect();
    let offered_by: BTreeSet<[&str; 3]> = offers
        .iter()
        .map(|offer| match &offer.offerer {
            Offerer::Agency(agency) => [agency.as_str(); 3],
            Offerer::Tier(tier) => {
                let [vietnamese, english] = tier.meaning();
                [tier.name(), vietnamese, english]
            }
        })
        .collect();
    let members: BTreeSet<&str> = offers.iter().map(|offer| offer.procedure.as_str()).collect();
    let known: Vec<_> =
        inputs.procedures.iter().filter(|known| known.code == code || members.contains(known.code.as_str())).collect();
    let joined = |texts: Vec<&str>| {
        let texts: BTreeSet<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        if texts.is_empty() { ListCell::Null } else { ListCell::Text(texts.into_iter().collect::<Vec<_>>().join("; ")) }
    };
    vec![
        ListCell::text(code),
        joined(known.iter().map(|one| one.name.as_str()).collect()),
        joined(known.iter().map(|one| one.sector.as_str()).collect()),
        offerers(&offered_by),
    ]
}

/// Codes of agencies and names of tiers, with the names in Vietnamese and English.
fn offerers(offered_by: &BTreeSet<[&str; 3]>) -> ListCell {
    let joined = |at: usize| offered_by.iter().map(|names| names[at]).collect::<Vec<_>>().join("; ");
    if offered_by.is_empty() { ListCell::Null } else { ListCell::worded(joined(0), [joined(1), joined(2)]) }
}

fn agency_row(agencies: &[Agency], found: &CountedRegistry, code: &str) -> Vec<ListCell> {
    let known = agencies.iter().find(|agency| agency.code == code);
    let day = |number: &i32| date(1970, 1, 1).checked_add(jiff::Span::new().days(*number)).ok();
    let last_day = found.last_days.get(code).and_then(day);
    vec![
        ListCell::text(code),
        ListCell::of(known, |agency| ListCell::text(&agency.name)),
        ListCell::of(known, |agency| ListCell::Named { name: agency.tier.name(), meaning: agency.tier.meaning() }),
        ListCell::of(known, |agency| ListCell::Named { name: agency.kind.name(), meaning: agency.kind.meaning() }),
        ListCell::of(known.and_then(|agency| agency.valid_from), ListCell::Day),
        ListCell::of(known.and_then(|agency| agency.valid_to), ListCell::Day),
        ListCell::of(last_day, ListCell::Day),
    ]
}
