//! The bounds of a ratio hold: if a fact is deleted from some dossiers, the true numerator and denominator lie between
//! what is counted and what is counted with all that is unknown or undecided.

use std::collections::BTreeMap;

use motcua::model::figure::Figure;
use motcua::model::indicator::IndicatorKind;
use proptest::prelude::any;
use proptest::test_runner::TestCaseError;

use super::loops::FigureKey;
use super::province::{Dossier, at};
use super::random::{province_of, rows, runner};
use super::{NOW, computed, key};

/// What is deleted from a dossier.
#[derive(Debug, Clone, Copy)]
enum Deleted {
    /// How it was submitted.
    Channel,
    /// Every date of its end. Its status says that it ended.
    Ends,
    /// How often the applicant was asked to supplement.
    Supplements,
    /// The level at which the service was offered.
    Level,
    /// The day of an apology whose number is stated.
    ApologyDay,
}

impl Deleted {
    const ALL: [Self; 5] = [Self::Channel, Self::Ends, Self::Supplements, Self::Level, Self::ApologyDay];

    fn from(self, dossier: &mut Dossier) {
        match self {
            Self::Channel => dossier.channel = None,
            Self::Ends => {
                let ended = ["completed", "returned", "withdrawn", "refused", "stopped"];
                if dossier.status.as_deref().is_some_and(|status| ended.contains(&status)) {
                    (dossier.completed, dossier.returned) = (None, None);
                    (dossier.withdrawn, dossier.refused, dossier.stopped) = (None, None, None);
                }
            }
            Self::Supplements => dossier.supplements = None,
            Self::Level => dossier.level = None,
            Self::ApologyDay => {
                if dossier.apology_number.is_some() {
                    dossier.apology = None;
                }
            }
        }
    }

    /// Indicators for which a rule set says what the missing fact means, or whose period needs it.
    fn exempt(self) -> &'static [&'static str] {
        match self {
            // QĐ 766: no channel is direct. The share of dossiers without channel is about the fact itself.
            Self::Channel => &["qd766-3.3", "source-without-channel", "par-3.4.5-9", "par-7.3.2-having"],
            // The share of impossible ends is about the fact itself.
            Self::Ends => &[
                "source-ended-before-reception",
                "par-3.4.5-1",
                "par-3.4.5-5",
                "par-3.4.5-9",
                "nd224-on-time",
                "ii06a-on-time",
                "par-7.3.1",
                "par-7.3.3-deployed",
                "par-7.3.3-having",
            ],
            // QĐ 766: a request that is not stated was not made.
            Self::Supplements => &["qd766-2.1"],
            // The share of dossiers without level is about the fact itself.
            Self::Level => &["source-without-level"],
            Self::ApologyDay => &[],
        }
    }
}

/// The least and the most that a figure's counts can be.
#[derive(Debug)]
struct Bounds {
    denominator: [u64; 2],
    numerator: [u64; 2],
}

impl Bounds {
    fn of(figure: &Figure) -> Self {
        let denominator = figure.denominator.expect("a ratio");
        let undecided = figure.undecided.expect("it is counted");
        let unknown = figure.unknown.expect("it is counted") + undecided;
        Self {
            denominator: [denominator, denominator + undecided],
            numerator: [figure.numerator, figure.numerator + unknown],
        }
    }

    /// Whether all that `other` allows lies within these.
    fn hold(&self, other: &Self) -> bool {
        let within = |[least, most]: [u64; 2], inner: [u64; 2]| least <= inner[0] && inner[1] <= most;
        within(self.denominator, other.denominator) && within(self.numerator, other.numerator)
    }
}

/// The bounds of every ratio. Where no dossier may be counted there is no figure, or one of zeros.
fn bounds(figures: &[Figure], exempt: &[&str]) -> BTreeMap<FigureKey, Bounds> {
    let kept = figures.iter().filter(|figure| figure.kind == IndicatorKind::Ratio);
    let kept = kept.filter(|figure| !exempt.contains(&&*figure.indicator));
    let counted = kept.map(|figure| (key(figure), Bounds::of(figure)));
    counted.filter(|(_, bounds)| bounds.denominator[1] > 0).collect()
}

#[test]
fn the_true_ratio_lies_within_the_bounds_of_damaged_data() {
    let tables = (rows(40, 120), rows(0, 60));
    let damage = proptest::collection::vec(any::<bool>(), 7..31);
    let deleted = proptest::sample::select(Deleted::ALL.to_vec());
    let check = runner(30).run(&(tables, damage, deleted), |((dossiers, items), damage, deleted)| {
        let (dossiers, items) = province_of(&dossiers, &items);
        let mut damaged = dossiers.clone();
        let chosen = damaged.iter_mut().zip(damage.iter().cycle()).filter(|(_, is_chosen)| **is_chosen);
        chosen.for_each(|(dossier, _)| deleted.from(dossier));
        let truth = bounds(&computed(&dossiers, &items, at(NOW)), deleted.exempt());
        let found = bounds(&computed(&damaged, &items, at(NOW)), deleted.exempt());
        if let Some(key) = truth.keys().find(|key| !found.contains_key(key)) {
            return Err(TestCaseError::fail(format!("{deleted:?} {key:?}: no figure")));
        }
        for (key, found) in &found {
            // What is undecided may be in no figure of the whole data.
            let none = Bounds { denominator: [0, 0], numerator: [0, 0] };
            let truth = truth.get(key).unwrap_or(&none);
            if !found.hold(truth) {
                return Err(TestCaseError::fail(format!("{deleted:?} {key:?}: {truth:?} is not within {found:?}")));
            }
        }
        Ok(())
    });
    if let Err(error) = check {
        panic!("{error}");
    }
}
