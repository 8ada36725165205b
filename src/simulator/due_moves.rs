//! Draws what offices do with due dates after the reception: move them later without a reason, move them earlier, correct
//! impossible ones, remove them, or announce another one in a letter of apology.
//!
//! The draws have a random generator of their own for each dossier, so that they change nothing else in a province.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::simulator::dossier::{Dossier, Ending};
use crate::simulator::life_cycle::office;
use crate::simulator::working_days::{DAY_SECS, Moment, WorkingDays, day_of};

/// Kinds of moves, drawn out of this many.
const KINDS: u32 = 100;

/// Draws the moves of the due date of a dossier that is complete otherwise.
pub(super) fn draw(dossier: &mut Dossier, days: &WorkingDays) {
    let (Some(accepted), Some(due), None) = (dossier.accepted, dossier.due, dossier.flaw) else { return };
    let mut rng = ChaCha8Rng::from_seed(seed(dossier));
    let kind = rng.random_range(0..KINDS);
    // Once the due date was changed because of a supplement, or a mistake was corrected, it can move once more.
    let from = dossier.due_change.map_or(accepted, |(from, _)| from);
    let day = days.after(day_of(from), rng.random_range(1..=3));
    let at = office(&mut rng, day);
    let due = dossier.due_change.map_or(due, |(_, due)| due);
    let is_late = dossier.ended.is_none_or(|ended| ended > due);
    if dossier.ended.is_some_and(|ended| ended <= at) {
        return;
    }
    let further = rng.random_range(1..=12) * DAY_SECS;
    let closing = |moment: Moment| day_of(moment) * DAY_SECS + 17 * 3600;
    match kind {
        // Some portals show no status of a dossier.
        0..8 if dossier.ending == Ending::Done && dossier.supplement.is_none() => {
            dossier.is_silent = true;
            if kind < 5 {
                dossier.due_moves.push((at, Some(closing(due + further))));
            }
        }
        8..14 => dossier.due_moves.push((at, Some(closing(due + further)))),
        14..17 if due - DAY_SECS > accepted => dossier.due_moves.push((at, Some(closing(due - DAY_SECS)))),
        17..19 if dossier.due_change.is_none() => {
            dossier.due = Some(closing(accepted - 2 * DAY_SECS));
            dossier.due_moves.push((at, Some(due)));
        }
        19..21 => dossier.due_moves.push((at, None)),
        // Moved back and forth.
        21..23 => {
            let back = office(&mut rng, days.after(day_of(at), 2));
            dossier.due_moves.push((at, Some(closing(due + further))));
            if dossier.ended.is_none_or(|ended| ended > back) {
                dossier.due_moves.push((back, Some(due)));
            }
        }
        // A dossier that will be late: an apology announces another date, or somebody moves it without one.
        23..50 if is_late && kind < 35 => {
            let promised = day_of(due + further);
            dossier.apology = Some((at - at % 60, promised));
            dossier.due_moves.push((at, Some(promised * DAY_SECS + 17 * 3600)));
        }
        35..60 if is_late => dossier.due_moves.push((at, Some(closing(due + further)))),
        _ => {}
    }
}

/// The identity of a dossier as a seed.
fn seed(dossier: &Dossier) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..12].copy_from_slice(&dossier.id);
    seed[12..16].copy_from_slice(&dossier.style.to_le_bytes());
    seed
}
