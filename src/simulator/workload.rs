//! Draws the agency and the procedure of each dossier, so that a few agencies and procedures have most of the dossiers.

use std::collections::BTreeSet;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::model::agency::{Agency, AgencyKind, Tier};
use crate::model::procedure::Offerer;
use crate::simulator::registry::Registry;
use crate::simulator::working_days::Day;

/// Shares of an agency's dossiers, 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    pub(super) late: f64,
    pub(super) online: f64,
    pub(super) postal: f64,
    pub(super) postal_return: f64,
}

/// What stays the same on all days: the weight of each agency and procedure, and each agency's habits.
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
        for class in 0..AgencyClass::SHARES.len() {
            let mut members: Vec<usize> = (0..registry.agencies.len())
                .filter(|&row| AgencyClass::of(&registry.agencies[row]) as usize == class)
                .map(|row| registry.agency_group[row])
                .collect();
            members.sort_unstable();
            members.dedup();
            members.shuffle(rng);
            let total: u64 = (1..=members.len() as u64).map(|rank| SCALE / rank).sum();
            for (rank, &group) in (1_u64..).zip(&members) {
                agency[group] = (AgencyClass::SHARES[class] * (SCALE / rank) / total.max(1)).max(1);
            }
        }
        let mut procedures: Vec<usize> = (0..registry.offers_of.len()).collect();
        procedures.shuffle(rng);
        let mut procedure = vec![0; procedures.len()];
        for (rank, &group) in (1_u64..).zip(&procedures) {
            procedure[group] = (SCALE / (rank + 2)).max(1);
        }
        let mut doubled = BTreeSet::new();
        for (row, known) in registry.procedures.iter().enumerate() {
            // Certification makes up a large share of all dossiers (domain F.14).
            let group = registry.procedure_group[row];
            if known.immediate && doubled.insert(group) {
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

/// Weight of the first rank; large enough that rank 10,000 still has a weight above 0.
const SCALE: u64 = 1_000_000;

/// Classes of agencies, each with a fixed share of the province's dossiers.
#[derive(Debug, Clone, Copy)]
enum AgencyClass {
    Specialised,
    District,
    Commune,
    Centre,
    Vertical,
}

impl AgencyClass {
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

/// Agencies and the procedures that they offer, between two changes of the registries.
#[derive(Debug)]
pub(super) struct Choices {
    /// Row of the agency, and its procedures.
    agencies: Vec<(usize, Weighted)>,
    pick: Weighted,
}

impl Choices {
    pub(super) fn on(registry: &Registry, popularity: &Popularity, day: Day) -> Self {
        let mut agencies = Vec::new();
        let mut pick = Weighted::default();
        for (row, agency) in registry.agencies.iter().enumerate() {
            if !registry.agency_validity[row].contains(day) {
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

    /// Rows of an agency and of a procedure that it offers; `None` if no agency offers any procedure.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> Option<(usize, usize)> {
        let (row, procedures) = &self.agencies[self.pick.draw(rng)?];
        Some((*row, procedures.draw(rng)?))
    }
}

/// Rows of the procedures that an agency is competent for on a day, in the registry's order.
fn procedures_of(registry: &Registry, agency: &Agency, day: Day) -> Vec<usize> {
    let offered = |by: &dyn Fn(&Offerer) -> bool| -> Vec<usize> {
        (0..registry.procedures.len())
            .filter(|&row| registry.procedure_validity[row].contains(day))
            .filter(|&row| {
                let mut offers = registry.offers_of[registry.procedure_group[row]].iter();
                offers.any(|&offer| registry.offer_validity[offer].contains(day) && by(&registry.offers[offer].offerer))
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
        // A branch without offers of its own takes those of its tier; vertical procedures alone if there are any.
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

/// Days on which the set of valid registry rows changes.
pub(super) fn changes(registry: &Registry) -> BTreeSet<Day> {
    let all =
        registry.agency_validity.iter().chain(&registry.procedure_validity).chain(&registry.offer_validity).copied();
    all.flat_map(|validity| [validity.from, validity.to.saturating_add(1)]).collect()
}

/// Values with integer weights.
#[derive(Debug, Default)]
struct Weighted {
    values: Vec<usize>,
    /// Running sums of the weights.
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
