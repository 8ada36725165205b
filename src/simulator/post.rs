//! The post office: waybills, drawn from the dossiers, and their state at a moment.
//!
//! Post and portal disagree in part, as real ones do: a dossier "by post" without a waybill, a waybill for a dossier
//! that is not "by post", a withdrawn waybill, two waybills for one dossier.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::simulator::dossier::{Channel, Dossier};
use crate::simulator::life_cycle::office;
use crate::simulator::registry::Registry;
use crate::simulator::working_days::{DAY_SECS, Moment, clock, day_of};

/// Kind of service (loại dịch vụ).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PostalService {
    Submission,
    Return,
}

/// The dossier that an item belongs to, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Dossier(u32),
    /// The row has no dossier code: a bad row.
    NoCode(u32),
    /// The row has a code that no dossier has: that dossier's with another running number.
    Unknown(u32),
}

impl Target {
    pub(super) fn dossier_index(self) -> usize {
        let (Self::Dossier(index) | Self::NoCode(index) | Self::Unknown(index)) = self;
        index as usize
    }
}

/// One postal item and its life.
#[derive(Debug, Clone)]
pub(super) struct Waybill {
    /// The eight digits of the item code.
    pub(super) serial: u32,
    pub(super) service: PostalService,
    pub(super) target: Target,
    pub(super) accepted: Moment,
    /// When it was delivered (`true`) or given up (`false`).
    pub(super) finished: Option<(Moment, bool)>,
    pub(super) withdrawn: Option<Moment>,
    /// Fee collected for the agency (phí thu hộ), thousands of đồng.
    pub(super) fee: u32,
    /// The item code has a wrong check digit: a bad row.
    pub(super) wrong_digit: bool,
}

impl Waybill {
    pub(super) fn is_bad(&self) -> bool {
        self.wrong_digit || matches!(self.target, Target::NoCode(_))
    }

    /// Whether it is accepted and not withdrawn at a moment.
    pub(super) fn is_valid(&self, now: Moment) -> bool {
        self.accepted <= now && self.withdrawn.is_none_or(|at| at > now)
    }

    /// Status (trạng thái) at a moment.
    pub(super) fn status(&self, now: Moment) -> &'static str {
        match self.finished {
            _ if self.withdrawn.is_some_and(|at| at <= now) => "Hủy",
            Some((at, true)) if at <= now => "Phát thành công",
            Some((at, false)) if at <= now => "Phát không thành công",
            _ if day_of(self.accepted) == day_of(now) => "Chấp nhận",
            _ => "Đang vận chuyển",
        }
    }

    /// Moments at which its row changes.
    pub(super) fn changes(&self) -> impl Iterator<Item = Moment> {
        [Some(self.accepted), self.finished.map(|(at, _)| at), self.withdrawn].into_iter().flatten()
    }

    /// Item code, UPU S10: two letters, eight digits, check digit, country.
    pub(super) fn item_code(&self) -> String {
        let right = check_digit(self.serial);
        let digit = if self.wrong_digit { (right + 1) % 10 } else { right };
        format!("EP{:08}{digit}VN", self.serial)
    }
}

/// Check digit of UPU S10: weights 8 6 4 2 3 5 9 7, 11 less the remainder, 10 → 0, 11 → 5.
pub(super) fn check_digit(serial: u32) -> u32 {
    let weights = [7, 9, 5, 3, 2, 4, 6, 8];
    let mut rest = serial;
    let mut sum = 0;
    for weight in weights {
        sum += rest % 10 * weight;
        rest /= 10;
    }
    match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        digit => digit,
    }
}

/// For each kind of bad row, one waybill in this many.
const BAD_ROW_EVERY: usize = 400;

/// Draws all waybills, in the order of acceptance. Dossiers with a flaw have none.
pub(super) fn draw(dossiers: &[Dossier], registry: &Registry, rng: &mut ChaCha8Rng) -> Vec<Waybill> {
    let mut drawn = Vec::new();
    for (index, dossier) in dossiers.iter().enumerate() {
        if dossier.flaw.is_some() {
            continue;
        }
        let index = u32::try_from(index).expect("fewer dossiers than four billion");
        let mut office = PostOffice { registry, rng, drawn: &mut drawn, target: Target::Dossier(index) };
        office.draw_submission(dossier);
        office.draw_return(dossier);
    }
    let each = drawn.len().div_ceil(BAD_ROW_EVERY);
    if !drawn.is_empty() {
        for number in 0..each * 3 {
            let model: Waybill = drawn[rng.random_range(0..drawn.len())].clone();
            drawn.push(bad_row(&model, number % 3));
        }
    }
    drawn.sort_by_key(|waybill| waybill.accepted);
    // 7 and 100,000,000 have no common divisor: every serial is different.
    let first = rng.random_range(10_000_000..90_000_000_u32);
    for (number, waybill) in (0_u64..).zip(&mut drawn) {
        let serial = (u64::from(first) + number * 7) % 100_000_000;
        waybill.serial = u32::try_from(serial).expect("eight digits");
    }
    drawn
}

/// A copy of a waybill that no figure counts: without dossier code, for an unknown dossier, or with a wrong check
/// digit. It is finished on the same day, so that only one month's file lists it.
fn bad_row(model: &Waybill, kind: usize) -> Waybill {
    let index = u32::try_from(model.target.dossier_index()).expect("was drawn from such an index");
    let day = day_of(model.accepted) * DAY_SECS;
    let target = match kind {
        0 => Target::NoCode(index),
        1 => Target::Unknown(index),
        _ => Target::Dossier(index),
    };
    Waybill {
        target,
        accepted: day + 9 * 3600,
        finished: Some((day + 17 * 3600 + 600, true)),
        withdrawn: None,
        wrong_digit: kind == 2,
        ..model.clone()
    }
}

/// Draws the items of one dossier.
struct PostOffice<'a> {
    registry: &'a Registry,
    rng: &'a mut ChaCha8Rng,
    drawn: &'a mut Vec<Waybill>,
    target: Target,
}

impl PostOffice<'_> {
    fn draw_submission(&mut self, dossier: &Dossier) {
        let Some(reception) = dossier.accepted else { return };
        let share = match dossier.channel {
            Channel::Postal => 0.88,
            Channel::Counter => 0.012,
            Channel::Online => 0.004,
        };
        if !self.rng.random_bool(share) {
            return;
        }
        let day = day_of(reception);
        let accepted = if self.rng.random_bool(0.6) && clock(reception) > 9 * 3600 {
            reception - self.rng.random_range(3600..7200)
        } else {
            office(self.rng, self.registry.working_days.on_or_before(day - 1))
        };
        self.send(PostalService::Submission, accepted, Some(reception));
        if self.rng.random_bool(0.03) {
            self.send(PostalService::Submission, accepted - 1200, None);
        }
    }

    fn draw_return(&mut self, dossier: &Dossier) {
        let Some(returned) = dossier.returned else { return };
        let share = if dossier.return_by_post { 0.86 } else { 0.006 };
        if !self.rng.random_bool(share) {
            return;
        }
        // The portal's record is often of another day than that on which the post took the result.
        let taken = match self.rng.random_range(0..10) {
            0 | 1 => {
                let days = self.rng.random_range(1..=3);
                office(self.rng, self.registry.working_days.after(day_of(returned), days))
            }
            2 => dossier.ended.unwrap_or(returned),
            _ => returned,
        };
        self.send(PostalService::Return, taken, None);
        if self.rng.random_bool(0.03) {
            self.send(PostalService::Return, taken + 1800, None);
        }
    }

    /// Draws one item. Its moments are full minutes, because the lists have no seconds.
    fn send(&mut self, service: PostalService, accepted: Moment, arrives: Option<Moment>) {
        let accepted = full_minute(accepted);
        let withdrawn = self.rng.random_bool(0.03).then(|| {
            let days = self.rng.random_range(0..=2);
            full_minute(if days == 0 { accepted + 2400 } else { accepted + days * DAY_SECS })
        });
        let finished = match (withdrawn, arrives) {
            (Some(_), _) => None,
            (None, Some(at)) => Some((full_minute(at).max(accepted + 60), true)),
            (None, None) if self.rng.random_bool(0.01) => None,
            (None, None) => {
                let days = self.rng.random_range(1..=4);
                let at = office(self.rng, self.registry.working_days.after(day_of(accepted), days));
                Some((full_minute(at), !self.rng.random_bool(0.03)))
            }
        };
        let fee = match service {
            PostalService::Submission => 0,
            PostalService::Return => self.rng.random_range(5..=9) * 5,
        };
        let target = self.target;
        self.drawn.push(Waybill { serial: 0, service, target, accepted, finished, withdrawn, fee, wrong_digit: false });
    }
}

fn full_minute(at: Moment) -> Moment {
    at - at.rem_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_follow_the_standard() {
        // Worked by hand; the first is the standard's own example (RX 473124829).
        for (serial, digit) in [(47_312_482, 9), (12_345_678, 5), (10_000_000, 3)] {
            assert_eq!(check_digit(serial), digit, "{serial}");
        }
    }
}
