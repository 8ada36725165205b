//! Rate limit of failed logins, per address and in total. While a limit is exceeded, logins are rejected with 429.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Window over which failed logins are counted: five minutes.
const WINDOW_MICROS: i64 = 5 * 60 * 1_000_000;
/// Failed logins of one address within the window, from which its logins are rejected.
const PER_ADDRESS: usize = 10;
/// Failed logins of all addresses within the window, from which every login is rejected.
const IN_TOTAL: usize = 200;

/// Failed logins within the window, oldest first. Kept in memory only.
#[derive(Debug, Default)]
pub(super) struct FailedLogins {
    failed: Mutex<VecDeque<(i64, IpAddr)>>,
}

impl FailedLogins {
    /// Seconds after which an address may try again; `None` if it may try now.
    pub(super) fn retry_after_secs(&self, address: IpAddr, now: i64) -> Option<u64> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.retain(|(at, _)| now - at < WINDOW_MICROS && *at <= now);
        let mut by_address: HashMap<IpAddr, usize> = HashMap::new();
        for (_, from) in failed.iter() {
            *by_address.entry(*from).or_default() += 1;
        }
        let too_many = failed.len() >= IN_TOTAL || by_address.get(&address).is_some_and(|count| *count >= PER_ADDRESS);
        let oldest = failed.iter().find(|(_, from)| *from == address).or(failed.front())?.0;
        let wait = (oldest + WINDOW_MICROS - now).max(0).cast_unsigned() / 1_000_000 + 1;
        too_many.then_some(wait)
    }

    pub(super) fn add(&self, address: IpAddr, now: i64) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).push_back((now, address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_rejected_after_ten_failures_and_other_addresses_are_not() {
        let (logins, here, there) =
            (FailedLogins::default(), IpAddr::from([127, 0, 0, 1]), IpAddr::from([10, 0, 0, 1]));
        for second in 0..10 {
            assert_eq!(logins.retry_after_secs(here, second * 1_000_000), None);
            logins.add(here, second * 1_000_000);
        }
        assert_eq!(logins.retry_after_secs(here, 10_000_000), Some(291));
        assert_eq!(logins.retry_after_secs(there, 10_000_000), None);
        assert_eq!(logins.retry_after_secs(here, WINDOW_MICROS), None, "the first failure is five minutes old");
    }

    #[test]
    fn every_address_is_rejected_after_200_failures_in_total() {
        let logins = FailedLogins::default();
        for host in 0..200_u8 {
            logins.add(IpAddr::from([10, 0, 0, host]), 0);
        }
        assert!(logins.retry_after_secs(IpAddr::from([10, 0, 1, 1]), 1).is_some());
    }
}
