//! Look-up tables of agencies, procedures, offers and days, built from the registries for the scan.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::{Date, Time};
use polars::prelude::*;

use crate::calendar::{FIRST_DAY, LAST_DAY, day_number};
use crate::indicators::agencies::Agencies;
use crate::indicators::lookups::{RowsByText, TextNumbers, row_by_three, value_at};
use crate::model::agency::{AgencyKind, Tier};
use crate::model::period::{HalfMonth, first_day_of, half_month_of};
use crate::model::procedure::{Offer, Offerer, Procedure};

/// The half-month of a number that [`HalfMonthLookup::half_month`] gave.
pub(super) fn half_month_at(number: u64) -> HalfMonth {
    half_month_of(FIRST_DAY) + HalfMonth::try_from(number).expect("half-months are counted in thousands")
}

fn flag_column(values: impl IntoIterator<Item = bool>) -> Column {
    Column::new("flag".into(), values.into_iter().collect::<Vec<bool>>())
}

fn text_column<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Column {
    Column::new("text".into(), values.into_iter().collect::<Vec<Option<&str>>>())
}

/// Number of rows of a column with a value for each day from [`FIRST_DAY`] to [`LAST_DAY`].
fn days() -> usize {
    row_of(LAST_DAY) + 1
}

/// Row of a day; 0 for days before the first one.
fn row_of(day: Date) -> usize {
    usize::try_from(day_number(day) - day_number(FIRST_DAY)).unwrap_or(0)
}

/// The epoch of each day: how many of the sorted changes have passed.
fn epochs(changes: &[Date]) -> Column {
    let mut epochs: Vec<IdxSize> = Vec::with_capacity(days());
    for (epoch, change) in (0..).zip(changes) {
        epochs.resize(row_of(*change).min(days()), epoch);
    }
    epochs.resize(days(), IdxSize::try_from(changes.len()).expect("changes are counted in dozens"));
    Column::new("epoch".into(), epochs)
}

/// Row number of a day: days since [`FIRST_DAY`]. Days before it or after [`LAST_DAY`] count as the nearest of the two.
pub(super) fn day_row(day: Expr) -> Expr {
    let (first, last) = (day_number(FIRST_DAY), day_number(LAST_DAY));
    (day.clip(lit(first), lit(last)) - lit(first)).cast(IDX_DTYPE)
}

/// The half-month of each day.
#[derive(Debug, Clone)]
pub(super) struct HalfMonthLookup(Column);

impl HalfMonthLookup {
    pub(super) fn new() -> Self {
        let mut halves: Vec<HalfMonth> = Vec::with_capacity(days());
        for (number, half) in (0..).zip(half_month_of(FIRST_DAY)..=half_month_of(LAST_DAY)) {
            halves.resize(row_of(first_day_of(half + 1)).min(days()), number);
        }
        Self(Column::new("half".into(), halves))
    }

    /// Number of a day's half-month, for [`half_month_at`].
    pub(super) fn half_month(&self, day: Expr) -> Expr {
        value_at(day_row(day), self.0.clone())
    }
}

/// Agencies by text and day, with their properties.
#[derive(Debug, Clone)]
pub(super) struct AgencyLookup {
    texts: RowsByText,
    /// Epoch of each day, see [`Agencies::changes`].
    epoch: Column,
    epochs: IdxSize,
    /// Number of the agency, at row of the text × epochs + epoch.
    meanings: Column,
    kind: Column,
    tier: Column,
    vertical: Column,
    is_registered: Column,
}

impl AgencyLookup {
    pub(super) fn new(agencies: &Agencies) -> Self {
        let known = || agencies.known.iter();
        let epochs_of_one = agencies.changes.len() + 1;
        let texts = agencies.meanings.iter().step_by(epochs_of_one).map(|(text, ..)| Some(text.as_str()));
        Self {
            texts: RowsByText::new(texts),
            epoch: epochs(&agencies.changes),
            epochs: IdxSize::try_from(epochs_of_one).expect("changes are counted in dozens"),
            meanings: Column::new("agency".into(), agencies.meanings.iter().map(|one| one.2).collect::<Vec<u32>>()),
            kind: text_column(known().map(|one| one.kind.map(AgencyKind::name))),
            tier: text_column(known().map(|one| one.tier.map(Tier::name))),
            vertical: flag_column(known().map(|one| one.vertical)),
            is_registered: flag_column(known().map(|one| one.is_registered)),
        }
    }

    /// The number of the agency that a text means, as the column `agency`. Needs `day_row`.
    pub(super) fn number(&self, text: Expr) -> Expr {
        let meaning = self.texts.row(text) * lit(self.epochs) + value_at(col("day_row"), self.epoch.clone());
        value_at(meaning, self.meanings.clone()).alias("agency")
    }

    /// `agency.…`. Needs `agency`.
    pub(super) fn value(&self, name: &str) -> Expr {
        let values = match name {
            "agency.kind" => &self.kind,
            "agency.tier" => &self.tier,
            "agency.vertical" => &self.vertical,
            "agency.known" => &self.is_registered,
            other => unreachable!("an agency has no `{other}`"),
        };
        value_at(col("agency"), values.clone())
    }
}

/// Procedures by number. Codes that are not in the registry get numbers too, but have no values.
#[derive(Debug, Clone)]
pub(super) struct ProcedureLookup {
    pub(super) numbers: TextNumbers,
    sector: Column,
    certification: Column,
    vertical: Column,
    statutory_time: Column,
    unit: Column,
    cut_off: Column,
    immediate: Column,
}

impl ProcedureLookup {
    pub(super) fn new(procedures: &[Procedure]) -> Self {
        let rows: BTreeMap<&str, &Procedure> =
            procedures.iter().map(|procedure| (procedure.code.as_str(), procedure)).collect();
        let rows = || rows.values().copied();
        let numbers = |of: fn(&Procedure) -> Option<i64>| {
            Column::new("number".into(), rows().map(of).collect::<Vec<Option<i64>>>())
        };
        Self {
            numbers: TextNumbers::new(rows().map(|one| one.code.as_str())),
            sector: text_column(rows().map(|one| Some(one.sector.as_str()))),
            certification: flag_column(rows().map(|one| one.certification)),
            vertical: flag_column(rows().map(|one| one.vertical)),
            statutory_time: numbers(|one| one.statutory_time.map(i64::from)),
            unit: text_column(rows().map(|one| Some(one.unit.name()))),
            cut_off: numbers(|one| Some(micros_of_day(one.cut_off))),
            immediate: flag_column(rows().map(|one| one.immediate)),
        }
    }

    /// The number of a dossier's procedure, which [`ProcedureLookup::value`] needs.
    pub(super) fn number(&self) -> Expr {
        self.numbers.number(col("procedure_code")).alias("procedure")
    }

    /// `procedure.…`; null for a procedure that the registry does not have.
    pub(super) fn value(&self, name: &str) -> Expr {
        let values = match name {
            "procedure.sector" => &self.sector,
            "procedure.certification" => &self.certification,
            "procedure.vertical" => &self.vertical,
            "procedure.statutory_time" => &self.statutory_time,
            "procedure.unit" => &self.unit,
            "procedure.cut_off" => &self.cut_off,
            "procedure.immediate" => &self.immediate,
            other => unreachable!("a procedure has no `{other}`"),
        };
        value_at(col("procedure"), values.clone())
    }
}

pub(super) fn micros_of_day(time: Time) -> i64 {
    (i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second())) * 1_000_000
}

/// Offers by procedure, agency and day. An agency's own rows come before those of its tier.
#[derive(Debug, Clone)]
pub(super) struct OfferLookup {
    /// Epoch of each day: between two changes of any offer nothing changes.
    epoch: Column,
    epochs: usize,
    agencies: usize,
    /// 1-based index of a list of offers, at procedure × agencies + agency; 0 if nothing is offered. Equal lists are
    /// stored once.
    lists: Arc<[IdxSize]>,
    /// Row of the values below, at (list − 1) × epochs + epoch.
    rows: Arc<[Option<IdxSize>]>,
    level: Column,
    submission: Column,
    returning: Column,
}

/// Online level, reception by post, return by post.
type OfferValues<'a> = (Option<&'a str>, bool, bool);

impl OfferLookup {
    pub(super) fn new(offers: &[Offer], procedures: &ProcedureLookup, agencies: &Agencies) -> Self {
        let changes = changes(offers);
        let numbers: HashMap<String, usize> =
            procedures.numbers.texts().into_iter().enumerate().map(|(number, code)| (code, number)).collect();
        let mut of_procedure: Vec<Vec<&Offer>> = vec![Vec::new(); numbers.len()];
        for offer in offers {
            if let Some(&number) = numbers.get(&offer.procedure) {
                of_procedure[number].push(offer);
            }
        }
        let (mut lists, mut rows, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let mut known: HashMap<Vec<Option<IdxSize>>, IdxSize> = HashMap::new();
        for offers in &of_procedure {
            for agency in &agencies.known {
                let by_agency =
                    |offer: &&&Offer| matches!(&offer.offerer, Offerer::Agency(code) if **code == *agency.code);
                let by_tier =
                    |offer: &&&Offer| matches!(offer.offerer, Offerer::Tier(tier) if Some(tier) == agency.tier);
                let own: Vec<&&Offer> = offers.iter().filter(by_agency).collect();
                let tiers: Vec<&&Offer> = offers.iter().filter(by_tier).collect();
                if own.is_empty() && tiers.is_empty() {
                    lists.push(0);
                    continue;
                }
                let row = |epoch: usize| {
                    let first_day = epoch.checked_sub(1).map(|index| changes[index]);
                    let (own, tier) = (offer_in_epoch(&own, first_day), offer_in_epoch(&tiers, first_day));
                    let first = own.or(tier)?;
                    // A row of an agency that names no level has that of the tier.
                    let level = own.and_then(|offer| offer.online_level.as_deref());
                    let level = level.or_else(|| tier.and_then(|offer| offer.online_level.as_deref()));
                    Some(row_of_values(&mut values, (level, first.postal_submission, first.postal_return)))
                };
                let list: Vec<Option<IdxSize>> = (0..=changes.len()).map(row).collect();
                let next = IdxSize::try_from(known.len() + 1).expect("offers are counted in thousands");
                let number = *known.entry(list.clone()).or_insert(next);
                if number == next {
                    rows.extend(list);
                }
                lists.push(number);
            }
        }
        Self {
            epoch: epochs(&changes),
            epochs: changes.len() + 1,
            agencies: agencies.known.len(),
            lists: lists.into(),
            rows: rows.into(),
            level: text_column(values.iter().map(|(level, ..)| *level)),
            submission: flag_column(values.iter().map(|(_, submission, _)| *submission)),
            returning: flag_column(values.iter().map(|(.., returning)| *returning)),
        }
    }

    /// The row of a dossier's offer, which [`OfferLookup::value`] needs. Needs `procedure`, `agency` and `day_row`.
    pub(super) fn row(&self) -> Expr {
        let (lists, rows, agencies, epochs) =
            (Arc::clone(&self.lists), Arc::clone(&self.rows), self.agencies, self.epochs);
        let row = row_by_three(
            [col("procedure"), col("agency"), value_at(col("day_row"), self.epoch.clone())],
            move |[procedure, agency, epoch]| {
                let list = *lists.get(procedure as usize * agencies + agency as usize)?;
                rows[(list.checked_sub(1)?) as usize * epochs + epoch as usize]
            },
        );
        row.alias("offer")
    }

    /// `offer.…`.
    pub(super) fn value(&self, name: &str) -> Expr {
        let values = match name {
            "offer.level" => &self.level,
            "offer.submission" => &self.submission,
            "offer.return" => &self.returning,
            other => unreachable!("an offer has no `{other}`"),
        };
        value_at(col("offer"), values.clone())
    }
}

/// Row of a combination of values, which is added if it is new.
fn row_of_values<'a>(values: &mut Vec<OfferValues<'a>>, wanted: OfferValues<'a>) -> IdxSize {
    let row = values.iter().position(|known| *known == wanted).unwrap_or_else(|| {
        values.push(wanted);
        values.len() - 1
    });
    IdxSize::try_from(row).expect("there are few combinations")
}

/// What one offerer offers of a procedure from a day to another.
pub(super) struct OfferPiece<'a> {
    pub(super) offer: &'a Offer,
    /// `agency:CODE` or `tier:TIER`.
    pub(super) offerer: String,
    /// `None`: since ever.
    pub(super) first: Option<Date>,
    /// `None`: for ever.
    pub(super) last: Option<Date>,
}

/// The offers cut so that those of one procedure and offerer do not overlap.
pub(super) fn offer_pieces(offers: &[Offer]) -> Vec<OfferPiece<'_>> {
    let mut by_offerer: BTreeMap<(&str, String), Vec<&Offer>> = BTreeMap::new();
    for offer in offers {
        let offerer = match &offer.offerer {
            Offerer::Agency(code) => format!("agency:{code}"),
            Offerer::Tier(tier) => format!("tier:{}", tier.name()),
        };
        by_offerer.entry((&offer.procedure, offerer)).or_default().push(offer);
    }
    let mut pieces = Vec::new();
    for ((_, offerer), offers) in by_offerer {
        let changes = changes(offers.iter().copied());
        let offers: Vec<&&Offer> = offers.iter().collect();
        for epoch in 0..=changes.len() {
            let first = epoch.checked_sub(1).map(|index| changes[index]);
            let Some(offer) = offer_in_epoch(&offers, first) else { continue };
            let last = changes.get(epoch).and_then(|next| next.yesterday().ok());
            pieces.push(OfferPiece { offer, offerer: offerer.clone(), first, last });
        }
    }
    pieces
}

/// The offer that is valid in an epoch; of several the last listed. `first_day`: of the epoch, `None` for the time
/// before all changes.
fn offer_in_epoch<'a>(offers: &[&&'a Offer], first_day: Option<Date>) -> Option<&'a Offer> {
    // An offer begins and ends at changes, so its first day decides for the whole epoch.
    let is_valid = |offer: &&&&'a Offer| match first_day {
        None => offer.valid_from.is_none(),
        Some(day) => offer.valid_from.is_none_or(|from| from <= day) && offer.valid_to.is_none_or(|to| day <= to),
    };
    offers.iter().rfind(is_valid).map(|offer| **offer)
}

/// The first days of offers and the days after their ends, sorted.
fn changes<'a>(offers: impl IntoIterator<Item = &'a Offer>) -> Vec<Date> {
    let changes: BTreeSet<Date> = offers
        .into_iter()
        .flat_map(|offer| [offer.valid_from, offer.valid_to.and_then(|day| day.tomorrow().ok())])
        .flatten()
        .collect();
    changes.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn epochs_and_half_months_are_those_of_each_day() {
        let changes = [date(1989, 5, 1), date(1990, 1, 1), date(2025, 7, 1), date(2025, 7, 1), date(2101, 1, 1)];
        let (epochs, halves) = (epochs(&changes), HalfMonthLookup::new().0);
        let (epochs, halves) = (epochs.idx().expect("row numbers"), halves.i32().expect("numbers"));
        let days = FIRST_DAY.series(1.day()).take_while(|day| *day <= LAST_DAY);
        let mut rows = 0;
        for (row, day) in days.enumerate() {
            let passed = changes.iter().filter(|change| **change <= day).count();
            assert_eq!(epochs.get(row), IdxSize::try_from(passed).ok(), "{day}");
            assert_eq!(halves.get(row), Some(half_month_of(day) - half_month_of(FIRST_DAY)), "{day}");
            rows = row + 1;
        }
        assert_eq!((epochs.len(), halves.len()), (rows, rows));
    }
}
