//! The open connections, and how many there may be: in all, and from one address.
//!
//! A connection beyond a limit takes the place of the one that waits longest for a request, of the same address or, if
//! the service is full, of the address that has most. So idle and slow connections keep out neither each other's
//! address nor anybody else. If no connection of the address waits, the new one is refused.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::service::activity::Activity;
use crate::service::address_group::AddressGroup;

/// Connections that were closed or refused are logged at most this often.
const REPORT_EVERY: Duration = Duration::from_mins(1);

/// The register of open connections.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    most_per_address: usize,
    register: Mutex<Register>,
}

#[derive(Debug, Default)]
struct Register {
    next: u64,
    open: HashMap<u64, Entry>,
    by_group: HashMap<AddressGroup, usize>,
    /// Connections that were closed for others, and that were refused, since the last report.
    closed: u64,
    refused: u64,
    reported: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    group: AddressGroup,
    activity: Arc<Activity>,
    close: CancellationToken,
}

/// The place of one connection; given back when it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    connections: Arc<Connections>,
    id: u64,
    pub(super) activity: Arc<Activity>,
    /// Cancelled when the connection must be closed at once.
    pub(super) close: CancellationToken,
}

impl Connections {
    pub(super) fn new(most: usize, most_per_address: usize) -> Self {
        Self { most, most_per_address, register: Mutex::default() }
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection of an address; `None` if it is refused.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionSlot> {
        let group = AddressGroup::of(address);
        let mut register = self.register();
        let of_group = register.by_group.get(&group).copied().unwrap_or(0);
        let is_admitted = if of_group >= self.most_per_address {
            register.close_one(Some(group))
        } else if register.open.len() >= self.most {
            register.close_one(None)
        } else {
            true
        };
        if !is_admitted {
            register.refused += 1;
        }
        register.report();
        is_admitted.then(|| {
            let (activity, close) = (Arc::new(Activity::new()), CancellationToken::new());
            let id = register.add(Entry { group, activity: Arc::clone(&activity), close: close.clone() });
            ConnectionSlot { connections: Arc::clone(self), id, activity, close }
        })
    }

    /// Closes the connection that waits longest, for want of something that connections need. Returns whether one was.
    pub(super) fn close_one(&self) -> bool {
        self.register().close_one(None)
    }
}

impl Register {
    fn add(&mut self, entry: Entry) -> u64 {
        let id = self.next;
        self.next += 1;
        *self.by_group.entry(entry.group).or_default() += 1;
        self.open.insert(id, entry);
        id
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.open.remove(&id)?;
        if let Some(count) = self.by_group.get_mut(&entry.group) {
            *count -= 1;
            if *count == 0 {
                self.by_group.remove(&entry.group);
            }
        }
        Some(entry)
    }

    /// Closes the connection of a group, or of the largest group, that is closed most readily.
    fn close_one(&mut self, of: Option<AddressGroup>) -> bool {
        let candidates = self.open.iter().filter(|(_, entry)| of.is_none_or(|group| entry.group == group));
        let closable = candidates.filter_map(|(id, entry)| {
            let (rank, since) = entry.activity.closable()?;
            let size = self.by_group.get(&entry.group).copied().unwrap_or(0);
            Some((Reverse(size), rank, since, *id))
        });
        let Some(entry) = closable.min().and_then(|(.., id)| self.remove(id)) else { return false };
        entry.close.cancel();
        self.closed += 1;
        true
    }

    /// Logs how many connections were closed and refused, unless that was logged just now.
    fn report(&mut self) {
        let is_quiet = self.closed + self.refused == 0;
        if is_quiet || self.reported.is_some_and(|last| last.elapsed() < REPORT_EVERY) {
            return;
        }
        tracing::warn!(
            open = self.open.len(),
            addresses = self.by_group.len(),
            closed = self.closed,
            refused = self.refused,
            "too many connections: waiting ones were closed for new ones, or new ones refused"
        );
        (self.closed, self.refused, self.reported) = (0, 0, Some(Instant::now()));
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.connections.register().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn beyond_the_limit_of_an_address_the_connection_that_waits_longest_is_closed() {
        let connections = Arc::new(Connections::new(10, 3));
        let open: Vec<_> = (0..3).map(|_| connections.admit(address(1)).expect("there is room")).collect();
        open[0].activity.begin_request(false);
        let fourth = connections.admit(address(1)).expect("another is closed for it");
        let closed: Vec<bool> = open.iter().map(|slot| slot.close.is_cancelled()).collect();
        assert_eq!(closed, [false, true, false], "the first has a request, so the second is closed");
        for slot in [&open[2], &fourth] {
            slot.activity.begin_request(false);
        }
        assert!(connections.admit(address(1)).is_none(), "all have requests");
        assert!(connections.admit(address(2)).is_some(), "which concerns no other address");
        drop(open);
        assert_eq!(connections.register().open.len(), 1, "places are given back once");
    }

    #[test]
    fn if_all_places_are_taken_the_address_with_most_connections_loses_one() {
        let connections = Arc::new(Connections::new(6, 5));
        let few = connections.admit(address(2)).expect("there is room");
        let many: Vec<_> = (0..5).map(|_| connections.admit(address(1)).expect("there is room")).collect();
        let new = connections.admit(address(3)).expect("another is closed for it");
        assert!(many[0].close.is_cancelled() && !few.close.is_cancelled() && !new.close.is_cancelled());
        assert!(connections.close_one());
        assert!(many[1].close.is_cancelled());
        let register = connections.register();
        assert_eq!((register.open.len(), register.by_group[&AddressGroup::of(address(1))]), (5, 3));
    }
}
