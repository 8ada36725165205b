//! Registries and calendar as frames that the scan joins.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use polars::prelude::*;

use crate::calendar::WorkingCalendar;
use crate::indicators::agencies::Agencies;
use crate::model::agency::Tier;
use crate::model::procedure::{Offer, Offerer, Procedure, TimeUnit};

/// Days that figures can speak of.
const FIRST_DAY: Date = date(1990, 1, 1);
const LAST_DAY: Date = date(2099, 12, 31);

/// Number of a day: days since 1970-01-01.
pub(super) fn day_number(day: Date) -> i32 {
    (day - date(1970, 1, 1)).get_days()
}

fn frame(columns: Vec<Column>) -> PolarsResult<LazyFrame> {
    let height = columns.first().map_or(0, Column::len);
    DataFrame::new(height, columns).map(IntoLazy::lazy)
}

/// `day, offer_epoch, agency_epoch`: one row a day.
pub(super) fn days(calendar: &WorkingCalendar, offers: &[Offer], agencies: &Agencies) -> PolarsResult<LazyFrame> {
    let changes = offer_changes(offers);
    let ordinals = calendar.ordinals(FIRST_DAY, LAST_DAY);
    let column = |name: &str, value: &dyn Fn(Date, i32) -> i32| {
        Column::new(name.into(), ordinals.iter().map(|(day, ordinal)| value(*day, *ordinal)).collect::<Vec<i32>>())
    };
    let passed =
        |changes: &[Date], day: Date| i32::try_from(changes.partition_point(|change| *change <= day)).unwrap_or(0);
    frame(vec![
        column("day", &|day, _| day_number(day)),
        column("offer_epoch", &|day, _| passed(&changes, day)),
        column("agency_epoch", &|day, _| passed(&agencies.changes, day)),
    ])
}

/// `clock_day, working, ordinal`: one row a day.
pub(super) fn clock_days(calendar: &WorkingCalendar) -> PolarsResult<LazyFrame> {
    let days = calendar.ordinals(FIRST_DAY, LAST_DAY);
    let working = |day: Date| i32::from(calendar.is_working(day));
    frame(vec![
        Column::new("clock_day".into(), days.iter().map(|(day, _)| day_number(*day)).collect::<Vec<i32>>()),
        Column::new("working".into(), days.iter().map(|(day, _)| working(*day)).collect::<Vec<i32>>()),
        Column::new("ordinal".into(), days.iter().map(|(_, ordinal)| *ordinal).collect::<Vec<i32>>()),
    ])
}

/// `stand_in_ordinal, stand_in_day`: the n-th working day.
pub(super) fn working_days(calendar: &WorkingCalendar) -> PolarsResult<LazyFrame> {
    let mut days = Vec::new();
    for (day, ordinal) in calendar.ordinals(FIRST_DAY, LAST_DAY) {
        if calendar.is_working(day) {
            days.push((ordinal, day_number(day)));
        }
    }
    frame(vec![
        Column::new("stand_in_ordinal".into(), days.iter().map(|(ordinal, _)| *ordinal).collect::<Vec<i32>>()),
        Column::new("stand_in_day".into(), days.iter().map(|(_, day)| *day).collect::<Vec<i32>>()),
    ])
}

/// `agency_text, agency_epoch, agency`: which text means which agency, when.
pub(super) fn agency_meanings(agencies: &Agencies) -> PolarsResult<LazyFrame> {
    let texts: Vec<&str> = agencies.meanings.iter().map(|(text, ..)| text.as_str()).collect();
    let epochs: Vec<i32> = agencies.meanings.iter().map(|(_, passed, _)| i32::try_from(*passed).unwrap_or(0)).collect();
    let numbers: Vec<u32> = agencies.meanings.iter().map(|(.., number)| *number).collect();
    let of = |value: &dyn Fn(usize) -> Option<&'static str>| -> Vec<Option<&'static str>> {
        numbers.iter().map(|&number| value(number as usize)).collect()
    };
    let flag =
        |value: &dyn Fn(usize) -> bool| -> Vec<bool> { numbers.iter().map(|&number| value(number as usize)).collect() };
    frame(vec![
        Column::new("agency_text".into(), texts),
        Column::new("agency_epoch".into(), epochs),
        Column::new("agency".into(), numbers.clone()),
        Column::new(
            "agency_code".into(),
            numbers.iter().map(|&number| agencies.known[number as usize].code.as_str()).collect::<Vec<_>>(),
        ),
        Column::new(
            "agency_kind".into(),
            of(&|number| agencies.known[number].kind.map(crate::model::agency::AgencyKind::name)),
        ),
        Column::new("agency_tier".into(), of(&|number| agencies.known[number].tier.map(Tier::name))),
        Column::new("agency_vertical".into(), flag(&|number| agencies.known[number].vertical)),
        Column::new("agency_known".into(), flag(&|number| agencies.known[number].registered)),
    ])
}

/// `procedure_code, procedure_sector, procedure_vertical, immediate, cut_off, statutory_days,
/// statutory_hours`: one row a code.
pub(super) fn procedures(procedures: &[Procedure]) -> PolarsResult<LazyFrame> {
    let rows: BTreeMap<&str, &Procedure> =
        procedures.iter().map(|procedure| (procedure.code.as_str(), procedure)).collect();
    let rows: Vec<&Procedure> = rows.into_values().collect();
    let cut_off = |procedure: &Procedure| {
        let time = procedure.cut_off;
        (i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second())) * 1_000_000
    };
    let statutory = |procedure: &Procedure, unit: TimeUnit| {
        let time = procedure.statutory_time.filter(|_| procedure.unit == unit)?;
        i32::try_from(time).ok()
    };
    let days = |procedure: &&Procedure| statutory(procedure, TimeUnit::WorkingDays);
    let hours = |procedure: &&Procedure| statutory(procedure, TimeUnit::Hours);
    frame(vec![
        Column::new("procedure_code".into(), rows.iter().map(|row| row.code.as_str()).collect::<Vec<_>>()),
        Column::new("procedure_sector".into(), rows.iter().map(|row| row.sector.as_str()).collect::<Vec<_>>()),
        Column::new("procedure_vertical".into(), rows.iter().map(|row| row.vertical).collect::<Vec<_>>()),
        Column::new("procedure_known".into(), vec![true; rows.len()]),
        Column::new("immediate".into(), rows.iter().map(|row| row.immediate).collect::<Vec<_>>()),
        Column::new("cut_off".into(), rows.iter().map(|row| cut_off(row)).collect::<Vec<_>>()),
        Column::new("statutory_days".into(), rows.iter().map(days).collect::<Vec<_>>()),
        Column::new("statutory_hours".into(), rows.iter().map(hours).collect::<Vec<_>>()),
    ])
}

/// Days on which an offer begins, or the day after one ended, sorted.
fn offer_changes(offers: &[Offer]) -> Vec<Date> {
    let changes: BTreeSet<Date> = offers
        .iter()
        .flat_map(|offer| [offer.valid_from, offer.valid_to.and_then(|day| day.tomorrow().ok())])
        .flatten()
        .collect();
    changes.into_iter().collect()
}

/// Offers by agency (`prefix = "agency"`, keyed `procedure_code, agency_code, offer_epoch`) or by tier
/// (`"tier"`, keyed `procedure_code, agency_tier, offer_epoch`): `<prefix>_level, _submission, _return`.
pub(super) fn offers(offers: &[Offer], by_tier: bool) -> PolarsResult<LazyFrame> {
    let changes = offer_changes(offers);
    let mut rows: BTreeMap<(&str, &str, i32), &Offer> = BTreeMap::new();
    for offer in offers {
        let offerer = match (&offer.offerer, by_tier) {
            (Offerer::Agency(code), false) => code.as_str(),
            (Offerer::Tier(tier), true) => tier.name(),
            _ => continue,
        };
        for epoch in 0..=changes.len() {
            // An epoch lies whole inside or outside an offer: its bounds are changes.
            let begins = epoch.checked_sub(1).map(|index| changes[index]);
            let open = match begins {
                None => offer.valid_from.is_none(),
                Some(day) => {
                    offer.valid_from.is_none_or(|from| from <= day) && offer.valid_to.is_none_or(|to| day <= to)
                }
            };
            if open {
                rows.insert((&offer.procedure, offerer, i32::try_from(epoch).unwrap_or(0)), offer);
            }
        }
    }
    let (prefix, key) = if by_tier { ("tier", "agency_tier") } else { ("agency", "agency_code") };
    let named = |suffix: &str| -> PlSmallStr { format!("{prefix}_{suffix}").into() };
    frame(vec![
        Column::new("procedure_code".into(), rows.keys().map(|key| key.0).collect::<Vec<_>>()),
        Column::new(key.into(), rows.keys().map(|key| key.1).collect::<Vec<_>>()),
        Column::new("offer_epoch".into(), rows.keys().map(|key| key.2).collect::<Vec<_>>()),
        Column::new(named("level"), rows.values().map(|offer| offer.online_level.as_deref()).collect::<Vec<_>>()),
        Column::new(named("submission"), rows.values().map(|offer| offer.postal_submission).collect::<Vec<_>>()),
        Column::new(named("return"), rows.values().map(|offer| offer.postal_return).collect::<Vec<_>>()),
    ])
}
