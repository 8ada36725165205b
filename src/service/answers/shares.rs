//! How much of the room the answers on their way to one caller may take: so a caller that reads slowly does not keep out others.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::service::address_group::AddressGroup;

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
    /// Most bytes of one caller.
    most: u64,
    held: Mutex<HashMap<Holder, u64>>,
    hasher: RandomState,
}

/// Bytes that count for a caller until this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    caller: AnswerCaller,
    bytes: u64,
}

tokio::task_local! {
    /// The caller whose request is being answered.
    static CALLER: AnswerCaller;
}

impl Shares {
    pub(super) fn new(most: u64) -> Self {
        Self { most, held: Mutex::default(), hasher: RandomState::new() }
    }

    /// The caller with an address and a token or session.
    pub(super) fn caller(self: &Arc<Self>, address: AddressGroup, credential: Option<&[u8]>) -> AnswerCaller {
        let credential = credential.map(|bytes| Holder::Credential(self.hasher.hash_one(bytes)));
        let holders = std::iter::once(Holder::Address(address)).chain(credential).collect();
        AnswerCaller { shares: Arc::clone(self), holders }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Holder, u64>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AnswerCaller {
    /// Does work whose answers count for this caller.
    pub(in crate::service) async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CALLER.scope(self, work).await
    }

    /// Counts bytes for the caller; `None` if too many wait for it. One answer alone may be larger than a share.
    fn take(&self, bytes: u64) -> Option<Share> {
        let mut held = self.shares.held();
        if self.holders.iter().any(|holder| held.get(holder).is_some_and(|held| held + bytes > self.shares.most)) {
            return None;
        }
        for holder in &self.holders {
            *held.entry(*holder).or_default() += bytes;
        }
        Some(Share { caller: self.clone(), bytes })
    }
}

impl Share {
    /// Counts bytes for the caller whose request is being answered. Without one, as in tests, they count for nobody.
    ///
    /// # Errors
    /// Too many bytes wait for the caller.
    pub(super) fn of_caller(bytes: u64) -> Result<Option<Self>, TooManyBytes> {
        match CALLER.try_with(|caller| caller.take(bytes)) {
            Ok(taken) => taken.map(Some).ok_or(TooManyBytes),
            Err(_) => Ok(None),
        }
    }
}

/// A caller takes its answers too slowly for another one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooManyBytes;

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.caller.shares.held();
        for holder in &self.caller.holders {
            if let Entry::Occupied(mut of_holder) = held.entry(*holder) {
                *of_holder.get_mut() -= self.bytes;
                if *of_holder.get() == 0 {
                    of_holder.remove();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_a_token_have_their_share_each() {
        let shares = Arc::new(Shares::new(100));
        let caller = |address: &str, token: Option<&str>| {
            shares.caller(AddressGroup::of(address.parse().expect("an address")), token.map(str::as_bytes))
        };
        let first = caller("10.0.0.1", Some("a")).take(60).expect("nothing waits");
        assert!(caller("10.0.0.1", Some("b")).take(60).is_none(), "the same address");
        assert!(caller("10.0.0.2", Some("a")).take(60).is_none(), "the same token");
        let second = caller("10.0.0.1", Some("b")).take(40).expect("just the share");
        let other = caller("10.0.0.2", None).take(101).expect("one answer alone may be larger");
        assert!(caller("10.0.0.2", None).take(1).is_none());
        drop((first, second, other));
        assert!(shares.held().is_empty(), "nothing waits any more");
        assert!(caller("10.0.0.1", Some("a")).take(100).is_some());
    }

    #[tokio::test]
    async fn what_is_answered_counts_for_the_caller_of_the_request() {
        assert!(Share::of_caller(1_000).expect("there is no caller").is_none());
        let shares = Arc::new(Shares::new(100));
        let caller = shares.caller(AddressGroup::of([10, 0, 0, 1].into()), None);
        let answer = async |bytes: u64| caller.clone().scope(async { Share::of_caller(bytes) }).await;
        let waiting = answer(70).await.expect("nothing waits");
        assert!(waiting.is_some());
        assert_eq!(answer(70).await.err(), Some(TooManyBytes));
        drop(waiting);
        assert!(answer(70).await.is_ok());
    }
}
