//! Who receives what: agencies and procedures, drawn so that a few have most of the dossiers.

use std::collections::BTreeSet;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::model::agency::{Agency, AgencyKind, Tier};
use crate::model::procedure::Offerer;
use crate::simulator::registry::Registry;
use crate::simulator::working_days::Day;

/// How much of an agency's work goes which way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// Shares of dossiers, 0 to 1.
    pub(super) late: f64,
    pub(super) online: f64,
    pub(super) postal: f64,
    pub(super) postal_return: f64,
}

/// What does not change with the days: how much each code is asked for, and each agency's habits.
#[derive(Debug)]
pub(super) struct Popularity {
    agency: Vec<u64>,
    procedure: Vec<u64>,
    habits: Vec<Habits>,
}

impl Popularity {
    pub(super) fn draw(registry: &Registry, rng: &mut ChaCha8Rng) -> Self {
        let groups = registry.agency_group.iter().max().map_or(0, |last| last + 1);
        let mut agency = vec![0; groups];
        for class in 0..Class::SHARES.len() {
            let mut members: Vec<usize> = (0..registry.agencies.len())
                .filter(|&row| Class::of(&registry.agencies[row]) as usize == class)
                .map(|row| registry.agency_group[row])
                .collect();
            members.sort_unstable();
            members.dedup();
            members.shuffle(rng);
            let total: u64 = (1..=members.len() as u64).map(|rank| SCALE / rank).sum();
            for (rank, &group) in (1_u64..).zip(&members) {
                agency[group] = (Class::SHARES[class] * (SCALE / rank) / total.max(1)).max(1);
            }
        }
        let mut procedures: Vec<usize> = (0..registry.offers_of.len()).collect();
        procedures.shuffle(rng);
        let mut procedure = vec![0; procedures.len()];
        for (rank, &group) in (1_u64..).zip(&procedures) {
            procedure[group] = (SCALE / (rank + 2)).max(1);
        }
        let mut asked_twice = BTreeSet::new();
        for (row, known) in registry.procedures.iter().enumerate() {
            // Certification floods the counts (domain F.14).
            let group = registry.procedure_group[row];
            if known.immediate && asked_twice.insert(group) {
                procedure[group] *= 2;
            }
        }
        let habits = (0..groups)
            .map(|_| Habits {
                late: rng.random_range(0.004..0.14),
                online: rng.random_range(0.15..0.70),
                postal: rng.random_range(0.03..0.22),
                postal_return: rng.random_range(0.05..0.30),
            })
            .collect();
        Self { agency, procedure, habits }
    }

    pub(super) fn habits(&self, agency_group: usize) -> Habits {
        self.habits[agency_group]
    }
}

/// Large enough that the last of ten thousand still has a weight.
const SCALE: u64 = 1_000_000;

/// Kinds of agency that share the province's dossiers.
#[derive(Debug, Clone, Copy)]
enum Class {
    Specialised,
    District,
    Commune,
    Centre,
    Vertical,
}

impl Class {
    /// Shares, relative to each other.
    const SHARES: [u64; 5] = [3_800, 3_200, 5_500, 150, 250];

    fn of(agency: &Agency) -> Self {
        match agency.kind {
            _ if agency.vertical => Self::Vertical,
            AgencyKind::Specialised => Self::Specialised,
            AgencyKind::District => Self::District,
            AgencyKind::Commune => Self::Commune,
            AgencyKind::ServiceCentre | AgencyKind::Other => Self::Centre,
        }
    }
}

/// Agencies and their procedures between two changes of the registries.
#[derive(Debug)]
pub(super) struct Choices {
    agencies: Vec<(usize, Weighted)>,
    pick: Weighted,
}

impl Choices {
    pub(super) fn on(registry: &Registry, popularity: &Popularity, day: Day) -> Self {
        let mut agencies = Vec::new();
        let mut pick = Weighted::default();
        for (row, agency) in registry.agencies.iter().enumerate() {
            if !registry.agency_validity[row].holds(day) {
                continue;
            }
            let mut procedures = Weighted::default();
            for procedure in procedures_of(registry, agency, day) {
                procedures.push(procedure, popularity.procedure[registry.procedure_group[procedure]]);
            }
            if procedures.total > 0 {
                pick.push(agencies.len(), popularity.agency[registry.agency_group[row]]);
                agencies.push((row, procedures));
            }
        }
        Self { agencies, pick }
    }

    /// Rows of an agency and of a procedure that it offers; `None` where nobody offers anything.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> Option<(usize, usize)> {
        let (row, procedures) = &self.agencies[self.pick.draw(rng)?];
        Some((*row, procedures.draw(rng)?))
    }
}

/// Rows of the procedures that an agency is competent for on a day, in the registry's order.
fn procedures_of(registry: &Registry, agency: &Agency, day: Day) -> Vec<usize> {
    let offered = |by: &dyn Fn(&Offerer) -> bool| -> Vec<usize> {
        (0..registry.procedures.len())
            .filter(|&row| registry.procedure_validity[row].holds(day))
            .filter(|&row| {
                let mut offers = registry.offers_of[registry.procedure_group[row]].iter();
                offers.any(|&offer| registry.offer_validity[offer].holds(day) && by(&registry.offers[offer].offerer))
            })
            .collect()
    };
    let own = |offerer: &Offerer| matches!(offerer, Offerer::Agency(code) if *code == agency.code);
    let of_tier = |offerer: &Offerer| *offerer == Offerer::Tier(agency.tier);
    if agency.vertical {
        let named = offered(&own);
        if !named.is_empty() {
            return named;
        }
        // A branch that the registry gives nothing of its own takes from its tier, its own kind first.
        let tier = offered(&of_tier);
        let vertical: Vec<usize> = tier.iter().copied().filter(|&row| registry.procedures[row].vertical).collect();
        return if vertical.is_empty() { tier } else { vertical };
    }
    let territorial = matches!(
        (agency.tier, agency.kind),
        (Tier::Province, AgencyKind::Specialised | AgencyKind::ServiceCentre)
            | (Tier::District, AgencyKind::District)
            | (Tier::Commune, AgencyKind::Commune)
    );
    offered(&|offerer| own(offerer) || (territorial && of_tier(offerer)))
}

/// Days on which a row of the registries begins, or has just ended.
pub(super) fn changes(registry: &Registry) -> BTreeSet<Day> {
    let all =
        registry.agency_validity.iter().chain(&registry.procedure_validity).chain(&registry.offer_validity).copied();
    all.flat_map(|validity| [validity.from, validity.to.saturating_add(1)]).collect()
}

/// Values with integer weights.
#[derive(Debug, Default)]
struct Weighted {
    values: Vec<usize>,
    /// Running sums.
    until: Vec<u64>,
    total: u64,
}

impl Weighted {
    fn push(&mut self, value: usize, weight: u64) {
        self.total += weight;
        self.values.push(value);
        self.until.push(self.total);
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> Option<usize> {
        if self.total == 0 {
            return None;
        }
        let at = rng.random_range(0..self.total);
        Some(self.values[self.until.partition_point(|&until| until <= at)])
    }
}
