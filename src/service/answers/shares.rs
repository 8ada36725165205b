//! How much of the room the answers on their way to one caller may take: so a caller that reads slowly does not keep out others.
//!
//! Many people may share an address, so it has a larger share than a token. A body that several requests of one holder read lies
//! on disk once and counts once for that holder. A holder gets answers as long as less than its share waits for it: how long an
//! answer is shows only when it is made, so the last one may go beyond the share.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::RETRY_AFTER_SECS;
use crate::service::address_group::AddressGroup;
use crate::service::problem::Problem;

/// An address has one of so many parts of the room.
const PARTS_FOR_ADDRESS: u64 = 2;
/// As [`PARTS_FOR_ADDRESS`], for a token or session.
const PARTS_FOR_CREDENTIAL: u64 = 4;

/// The requests that count as those of one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    Address(AddressGroup),
    /// Hash of a token or of a session.
    Credential(u64),
}

/// Who sent a request: an answer counts for each of them.
#[derive(Debug, Clone)]
pub(in crate::service) struct AnswerCaller {
    shares: Arc<Shares>,
    holders: Vec<Holder>,
}

/// The bytes in the room that wait for each caller.
#[derive(Debug)]
pub(super) struct Shares {
    /// Bytes of the room.
    room: u64,
    held: Mutex<HashMap<Holder, Waiting>>,
    hasher: RandomState,
}

/// What waits for one holder.
#[derive(Debug, Default)]
struct Waiting {
    /// Bytes of all bodies.
    bytes: u64,
    /// Number of requests that read each body.
    readers: HashMap<usize, usize>,
}

/// A body that counts for a caller until this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    caller: AnswerCaller,
    body: usize,
    bytes: u64,
}

tokio::task_local! {
    /// The caller whose request is being answered.
    static CALLER: AnswerCaller;
}

impl Shares {
    /// `room`: bytes of the room.
    pub(super) fn new(room: u64) -> Self {
        Self { room, held: Mutex::default(), hasher: RandomState::new() }
    }

    /// The share of a holder, in bytes.
    fn of(&self, holder: Holder) -> u64 {
        match holder {
            Holder::Address(_) => self.room / PARTS_FOR_ADDRESS,
            Holder::Credential(_) => self.room / PARTS_FOR_CREDENTIAL,
        }
    }

    /// The caller with an address and a token or session.
    pub(super) fn caller(self: &Arc<Self>, address: AddressGroup, credential: Option<&[u8]>) -> AnswerCaller {
        let credential = credential.map(|bytes| Holder::Credential(self.hasher.hash_one(bytes)));
        let holders = std::iter::once(Holder::Address(address)).chain(credential).collect();
        AnswerCaller { shares: Arc::clone(self), holders }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Holder, Waiting>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AnswerCaller {
    /// Does work whose answers count for this caller.
    pub(in crate::service) async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CALLER.scope(self, work).await
    }

    /// Whether the caller may have an answer with a body, or with a new one.
    fn has_room(&self, held: &HashMap<Holder, Waiting>, body: Option<usize>) -> bool {
        self.holders.iter().all(|holder| {
            let is_below = |waiting: &Waiting| waiting.bytes < self.shares.of(*holder);
            let reads_it = |waiting: &Waiting| body.is_some_and(|body| waiting.readers.contains_key(&body));
            held.get(holder).is_none_or(|waiting| is_below(waiting) || reads_it(waiting))
        })
    }

    /// Counts a body for the caller; `None` if too many bytes wait for it. `body`: a number that no other body has meanwhile.
    fn take(&self, body: usize, bytes: u64) -> Option<Share> {
        let mut held = self.shares.held();
        if !self.has_room(&held, Some(body)) {
            return None;
        }
        for holder in &self.holders {
            let waiting = held.entry(*holder).or_default();
            let readers = waiting.readers.entry(body).or_default();
            if *readers == 0 {
                waiting.bytes += bytes;
            }
            *readers += 1;
        }
        Some(Share { caller: self.clone(), body, bytes })
    }
}

impl Share {
    /// Counts a body for the caller whose request is being answered. Without one, as in tests, it counts for nobody. `body`: a
    /// number that no other body has until the share is dropped.
    ///
    /// # Errors
    /// Too many bytes wait for the caller.
    pub(super) fn of_caller(body: usize, bytes: u64) -> Result<Option<Self>, TooManyBytes> {
        match CALLER.try_with(|caller| caller.take(body, bytes)) {
            Ok(taken) => taken.map(Some).ok_or(TooManyBytes),
            Err(_) => Ok(None),
        }
    }

    /// An error if the caller whose request is being answered gets no further answer. Ask before one is made.
    pub(super) fn check_caller() -> Result<(), TooManyBytes> {
        let has_room = CALLER.try_with(|caller| caller.has_room(&caller.shares.held(), None));
        if has_room.unwrap_or(true) { Ok(()) } else { Err(TooManyBytes) }
    }
}

/// A caller takes its answers too slowly for another one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooManyBytes;

impl From<TooManyBytes> for Problem {
    fn from(_: TooManyBytes) -> Self {
        Self::busy("your other large answers are not yet taken; take them first", RETRY_AFTER_SECS)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.caller.shares.held();
        for holder in &self.caller.holders {
            let Entry::Occupied(mut of_holder) = held.entry(*holder) else { continue };
            let waiting = of_holder.get_mut();
            let Entry::Occupied(mut readers) = waiting.readers.entry(self.body) else { continue };
            *readers.get_mut() -= 1;
            if *readers.get() > 0 {
                continue;
            }
            readers.remove();
            waiting.bytes -= self.bytes;
            if waiting.readers.is_empty() {
                of_holder.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_half_of_the_room_and_a_token_a_quarter() {
        let shares = Arc::new(Shares::new(400));
        let caller = |address: &str, token: Option<&str>| {
            shares.caller(AddressGroup::of(address.parse().expect("an address")), token.map(str::as_bytes))
        };
        let first = caller("10.0.0.1", Some("a")).take(1, 100).expect("nothing waits");
        assert!(caller("10.0.0.2", Some("a")).take(2, 1).is_none(), "the same token");
        let second = caller("10.0.0.1", Some("b")).take(3, 99).expect("another token of the address");
        let third = caller("10.0.0.1", Some("b")).take(4, 300).expect("the last one may go beyond the share");
        assert!(caller("10.0.0.1", Some("c")).take(5, 1).is_none(), "the same address");
        let other = caller("10.0.0.2", None).take(6, 401).expect("another caller");
        drop((first, second, third, other));
        assert!(shares.held().is_empty(), "nothing waits any more");
        assert!(caller("10.0.0.1", Some("a")).take(7, 100).is_some());
    }

    #[test]
    fn a_body_counts_once_for_all_who_read_it_at_an_address() {
        let shares = Arc::new(Shares::new(400));
        let caller = shares.caller(AddressGroup::of([10, 0, 0, 1].into()), None);
        let mut readers: Vec<Share> = (0..10).map(|_| caller.take(1, 150).expect("it lies on disk once")).collect();
        let second = caller.take(2, 50).expect("150 of 200 wait");
        assert!(caller.take(3, 1).is_none());
        readers.push(caller.take(1, 150).expect("it takes no more room"));
        drop(readers.split_off(1));
        assert!(caller.take(3, 1).is_none(), "one still reads it");
        drop(readers);
        assert!(caller.take(3, 1).is_some());
        drop(second);
        assert!(shares.held().is_empty());
    }

    #[tokio::test]
    async fn what_is_answered_counts_for_the_caller_of_the_request() {
        assert!(Share::of_caller(1, 1_000).expect("there is no caller").is_none());
        assert_eq!(Share::check_caller(), Ok(()));
        let shares = Arc::new(Shares::new(400));
        let caller = shares.caller(AddressGroup::of([10, 0, 0, 1].into()), None);
        let answer = async |body: usize| caller.clone().scope(async { Share::of_caller(body, 200) }).await;
        let check = async || caller.clone().scope(async { Share::check_caller() }).await;
        let waiting = answer(1).await.expect("nothing waits");
        assert!(waiting.is_some());
        assert_eq!(answer(2).await.err(), Some(TooManyBytes));
        assert_eq!(check().await, Err(TooManyBytes));
        drop(waiting);
        assert_eq!(check().await, Ok(()));
        assert!(answer(2).await.is_ok());
    }
}
