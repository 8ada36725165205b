//! Draws a province from one seed: days, agencies, procedures and each dossier's life.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::simulator::dossier::Flaw;
use crate::simulator::life_cycle::DossierDraw;
use crate::simulator::registry::{Registry, RegistryTexts};
use crate::simulator::working_days::{Day, date_of, day_number, day_of, is_saturday};
use crate::simulator::workload::{Choices, Popularity, changes};
use crate::simulator::{Province, SimulatorError, due_moves, post};

/// What to simulate.
#[derive(Debug, Clone)]
pub struct ProvinceSettings {
    /// Dossiers received from `first` to `today`.
    pub dossiers: usize,
    pub seed: u64,
    /// The last simulated day. The simulated present is 20:00 local time of this day.
    pub today: Date,
    /// The first day on which dossiers are received.
    pub first: Date,
}

impl ProvinceSettings {
    /// 50,000 dossiers from 1 January two years before `today`.
    #[must_use]
    pub fn new(today: Date) -> Self {
        let first = Date::new(today.year() - 2, 1, 1).unwrap_or(today);
        Self { dossiers: 50_000, seed: 2639, today, first }
    }
}

/// One dossier in this many is a bad row; at least [`MIN_FLAWS`] in all.
const FLAW_EVERY: usize = 200;
const MIN_FLAWS: usize = 3;

/// Draws a province. The same settings and registries give the same province, byte for byte.
pub fn generate(settings: &ProvinceSettings, registries: &RegistryTexts<'_>) -> Result<Province, SimulatorError> {
    let registry = Registry::read(registries)?;
    if settings.first > settings.today {
        return Err(SimulatorError::NoDays { first: settings.first, today: settings.today });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let popularity = Popularity::draw(&registry, &mut rng);
    let flaws = flaws(settings.dossiers, &mut rng);
    let changes = changes(&registry);
    let mut dossiers = Vec::with_capacity(settings.dossiers);
    let mut sequences: BTreeMap<(usize, Day), u32> = BTreeMap::new();
    let mut choices: Option<(Day, Choices)> = None;
    for (index, day) in days(settings, &registry, &mut rng)?.into_iter().enumerate() {
        // Choices hold until the day before the next change of the registries.
        let (until, current) = match choices.take() {
            Some((until, current)) if day <= until => (until, current),
            _ => {
                let next = changes.range(day + 1..).next();
                (next.map_or(Day::MAX, |next| next - 1), Choices::on(&registry, &popularity, day))
            }
        };
        let (agency, procedure) =
            current.draw(&mut rng).ok_or_else(|| SimulatorError::NothingOffered { day: date_of(day) })?;
        let habits = popularity.habits(registry.agency_group[agency]);
        let drawing = DossierDraw { registry: &registry, habits, agency, procedure, day, until };
        let mut dossier = drawing.dossier(&mut rng, flaws.get(&index).copied());
        due_moves::draw(&mut dossier, &registry.working_days);
        let sequence = sequences.entry((registry.agency_group[agency], day_of(dossier.applied))).or_default();
        *sequence += 1;
        dossier.sequence = *sequence;
        dossiers.push(dossier);
        choices = Some((until, current));
    }
    let waybills = post::draw(&dossiers, &registry, &mut rng);
    Ok(Province::new(registry, dossiers, waybills, settings.today))
}

/// Indices of the dossiers that are bad rows, and their defects.
fn flaws(dossiers: usize, rng: &mut ChaCha8Rng) -> BTreeMap<usize, Flaw> {
    let wanted = (dossiers / FLAW_EVERY).max(MIN_FLAWS).min(dossiers);
    let mut flaws = BTreeMap::new();
    while flaws.len() < wanted {
        let kind = Flaw::ALL[flaws.len() % Flaw::ALL.len()];
        flaws.entry(rng.random_range(0..dossiers)).or_insert(kind);
    }
    flaws
}

/// Day of the hand-in of each dossier, in order.
fn days(settings: &ProvinceSettings, registry: &Registry, rng: &mut ChaCha8Rng) -> Result<Vec<Day>, SimulatorError> {
    let range = day_number(settings.first)..=day_number(settings.today);
    let mut open: Vec<(Day, u64)> = Vec::new();
    let mut total = 0;
    for day in range {
        total += weight(day, registry);
        open.push((day, total));
    }
    if total == 0 {
        return Err(SimulatorError::NoDays { first: settings.first, today: settings.today });
    }
    let mut days: Vec<Day> = (0..settings.dossiers)
        .map(|_| {
            let at = rng.random_range(0..total);
            open[open.partition_point(|&(_, until)| until <= at)].0
        })
        .collect();
    days.sort_unstable();
    Ok(days)
}

/// Relative number of dossiers that are handed in on a day.
fn weight(day: Day, registry: &Registry) -> u64 {
    let days = &registry.working_days;
    if !days.is_working(day) {
        // Some one-stop shops open on Saturday (domain D).
        return if is_saturday(day) && !days.is_holiday(day) { 15 } else { 0 };
    }
    // More on Mondays and after holidays, fewer before Tết and in December.
    let after_rest = if days.is_working(day - 1) { 100 } else { 125 };
    let season = if date_of(day).month() == 12 { 90 } else { 100 };
    let tet = if days.before_tet(day) { 45 } else { 100 };
    after_rest * season * tet / 1_000
}
