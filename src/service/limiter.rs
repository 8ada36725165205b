//! Rate limit of failed logins.
//!
//! A login is counted before its token is checked, and struck off if the token is valid: many logins at the same time
//! get no more attempts than the same ones in a row. After ten failures within five minutes, an address (IPv6: a
//! network) is rejected with 429. Nobody can lock out others: failures of many addresses only slow all logins down.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::service::address_group::AddressGroup;

/// Window over which failed logins are counted: five minutes.
const WINDOW_MICROS: i64 = 5 * 60 * 1_000_000;
/// Failed logins of one address within the window, from which its logins are rejected.
const PER_ADDRESS: usize = 10;
/// Failed logins of all addresses within the window, from which logins wait. Each further hundred adds a second.
const IN_TOTAL: usize = 200;
const PER_SECOND: usize = 100;
/// Longest wait of a login.
const MAX_DELAY_SECS: usize = 5;
/// Failed logins that are remembered at most; the oldest are forgotten first.
const MAX_REMEMBERED: usize = 10_000;

/// Failed logins within the window, and logins whose token is being checked. Kept in memory only.
#[derive(Debug, Default)]
pub(super) struct LoginLimiter {
    counted: Mutex<Counted>,
}

/// Times in microseconds UTC, oldest first.
#[derive(Debug, Default)]
struct Counted {
    all: VecDeque<(i64, AddressGroup)>,
    by_group: HashMap<AddressGroup, VecDeque<i64>>,
}

/// A login that was counted as failed. It stays counted unless [`LoginAttempt::succeeded`] is called, also if the
/// caller goes away before the answer.
#[derive(Debug)]
pub(super) struct LoginAttempt<'l> {
    limiter: &'l LoginLimiter,
    at: i64,
    group: AddressGroup,
    /// How long the login waits before its token is checked.
    pub(super) delay: Duration,
}

impl LoginLimiter {
    /// Counts a login as failed until it is known to be none.
    ///
    /// # Errors
    /// Seconds after which the address may try again, if it has failed too often.
    pub(super) fn begin(&self, address: IpAddr, now: i64) -> Result<LoginAttempt<'_>, u64> {
        let group = AddressGroup::of(address);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.forget(|at| now - at >= WINDOW_MICROS || at > now);
        if let Some(own) = counted.by_group.get(&group).filter(|own| own.len() >= PER_ADDRESS) {
            let until = own.front().map_or(now, |oldest| oldest + WINDOW_MICROS);
            return Err((until - now).max(0).cast_unsigned() / 1_000_000 + 1);
        }
        let failed = counted.all.len();
        counted.add(now, group);
        Ok(LoginAttempt { limiter: self, at: now, group, delay: delay(failed) })
    }
}

/// How long a login waits if so many others failed within the window.
fn delay(failed: usize) -> Duration {
    let secs = failed.checked_sub(IN_TOTAL).map_or(0, |above| (1 + above / PER_SECOND).min(MAX_DELAY_SECS));
    Duration::from_secs(secs as u64)
}

impl LoginAttempt<'_> {
    /// Strikes the login off: its token is valid.
    pub(super) fn succeeded(self) {
        let mut counted = self.limiter.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.strike_off(self.at, self.group);
    }
}

impl Counted {
    fn add(&mut self, at: i64, group: AddressGroup) {
        if self.all.len() >= MAX_REMEMBERED
            && let Some((at, group)) = self.all.pop_front()
        {
            self.strike_off_group(at, group);
        }
        self.all.push_back((at, group));
        self.by_group.entry(group).or_default().push_back(at);
    }

    /// Removes one entry.
    fn strike_off(&mut self, at: i64, group: AddressGroup) {
        // A login that succeeds is one of the last.
        if let Some(place) = self.all.iter().rposition(|known| *known == (at, group)) {
            self.all.remove(place);
        }
        self.strike_off_group(at, group);
    }

    fn strike_off_group(&mut self, at: i64, group: AddressGroup) {
        if let Some(own) = self.by_group.get_mut(&group) {
            if let Some(place) = own.iter().position(|known| *known == at) {
                own.remove(place);
            }
            if own.is_empty() {
                self.by_group.remove(&group);
            }
        }
    }

    /// Removes the entries of some times: the oldest, or the newest if the clock was set back.
    fn forget(&mut self, is_forgotten: impl Fn(i64) -> bool) {
        let ends = [self.all.front(), self.all.back()];
        if !ends.into_iter().flatten().any(|(at, _)| is_forgotten(*at)) {
            return;
        }
        self.all.retain(|(at, _)| !is_forgotten(*at));
        self.by_group.retain(|_, own| {
            own.retain(|at| !is_forgotten(*at));
            !own.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_is_rejected_after_ten_failures_and_other_addresses_are_not() {
        let (logins, here, there) = (LoginLimiter::default(), address("127.0.0.1"), address("10.0.0.1"));
        for second in 0..10 {
            assert!(logins.begin(here, second * SECOND).is_ok());
        }
        assert_eq!(logins.begin(here, 10 * SECOND).err(), Some(291));
        assert!(logins.begin(there, 10 * SECOND).is_ok());
        assert!(logins.begin(here, WINDOW_MICROS).is_ok(), "the first failure is five minutes old");
    }

    #[test]
    fn logins_whose_token_is_still_being_checked_count() {
        let (logins, here) = (LoginLimiter::default(), address("127.0.0.1"));
        let at_once: Vec<_> = (0..60).map(|_| logins.begin(here, 0)).collect();
        assert_eq!(at_once.iter().filter(|attempt| attempt.is_ok()).count(), PER_ADDRESS);
        for attempt in at_once.into_iter().flatten() {
            attempt.succeeded();
        }
        let counted = logins.counted.lock().expect("no holder panics");
        assert!(counted.all.is_empty() && counted.by_group.is_empty(), "valid logins leave nothing");
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let logins = LoginLimiter::default();
        for host in 0..10 {
            assert!(logins.begin(address(&format!("2001:db8:0:1::{host}")), 0).is_ok());
        }
        assert!(logins.begin(address("2001:db8:0:1:9::1"), 0).is_err());
        assert!(logins.begin(address("2001:db8:0:2::1"), 0).is_ok());
    }

    #[test]
    fn failures_of_many_addresses_slow_logins_down_and_lock_nobody_out() {
        let logins = LoginLimiter::default();
        for number in 0..2_000_u32 {
            let attempt = logins.begin(IpAddr::from((0x0a00_0000 + number).to_be_bytes()), 0).expect("a first failure");
            let expected = match number {
                0..200 => 0,
                200..300 => 1,
                300..400 => 2,
                400..500 => 3,
                500..600 => 4,
                _ => 5,
            };
            assert_eq!(attempt.delay.as_secs(), expected, "after {number}");
        }
        let clerk = logins.begin(address("192.168.1.7"), SECOND).expect("nobody is locked out");
        assert_eq!(clerk.delay.as_secs(), 5);
        assert_eq!(logins.begin(address("192.168.1.8"), WINDOW_MICROS).expect("later").delay.as_secs(), 0);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let logins = LoginLimiter::default();
        for number in 0..20_000_u32 {
            assert!(logins.begin(IpAddr::from((0x0a00_0000 + number).to_be_bytes()), 0).is_ok());
        }
        let counted = logins.counted.lock().expect("no holder panics");
        assert_eq!((counted.all.len(), counted.by_group.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
    }
}
