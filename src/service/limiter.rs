//! Failed logins: after too many from one address, or from all together, further ones wait.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Failed logins are counted over five minutes.
const WINDOW_MICROS: i64 = 5 * 60 * 1_000_000;
/// How many one address may have in that time.
const PER_ADDRESS: usize = 10;
/// How many all together may have.
const ALTOGETHER: usize = 200;

/// The failed logins of the last minutes.
#[derive(Debug, Default)]
pub(super) struct FailedLogins {
    failed: Mutex<VecDeque<(i64, IpAddr)>>,
}

impl FailedLogins {
    /// How many seconds an address has to wait before it may try; `None` if it may.
    pub(super) fn must_wait(&self, address: IpAddr, now: i64) -> Option<u64> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.retain(|(at, _)| now - at < WINDOW_MICROS && *at <= now);
        let mut by_address: HashMap<IpAddr, usize> = HashMap::new();
        for (_, from) in failed.iter() {
            *by_address.entry(*from).or_default() += 1;
        }
        let too_many =
            failed.len() >= ALTOGETHER || by_address.get(&address).is_some_and(|count| *count >= PER_ADDRESS);
        let oldest = failed.iter().find(|(_, from)| *from == address).or(failed.front())?.0;
        let wait = (oldest + WINDOW_MICROS - now).max(0).cast_unsigned() / 1_000_000 + 1;
        too_many.then_some(wait)
    }

    pub(super) fn note(&self, address: IpAddr, now: i64) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).push_back((now, address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_try_waits_and_others_do_not() {
        let (logins, here, there) =
            (FailedLogins::default(), IpAddr::from([127, 0, 0, 1]), IpAddr::from([10, 0, 0, 1]));
        for second in 0..10 {
            assert_eq!(logins.must_wait(here, second * 1_000_000), None);
            logins.note(here, second * 1_000_000);
        }
        assert_eq!(logins.must_wait(here, 10_000_000), Some(291));
        assert_eq!(logins.must_wait(there, 10_000_000), None);
        assert_eq!(logins.must_wait(here, WINDOW_MICROS), None, "the first is five minutes old");
    }

    #[test]
    fn many_addresses_together_wait_too() {
        let logins = FailedLogins::default();
        for host in 0..200_u8 {
            logins.note(IpAddr::from([10, 0, 0, host]), 0);
        }
        assert!(logins.must_wait(IpAddr::from([10, 0, 1, 1]), 1).is_some());
    }
}
