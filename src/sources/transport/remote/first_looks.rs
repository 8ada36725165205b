//! First looks at files that a server describes otherwise than its list does, such as an FTP server whose `MLSD` and `SIZE`
//! differ. Two looks of the same kind are then compared.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::sources::transport::remote_stamp::RemoteStamp;

/// The first looks of one pull.
#[derive(Debug, Default)]
pub(super) struct FirstLooks {
    /// By file name: what the server said, and when.
    seen: Mutex<HashMap<Vec<u8>, (RemoteStamp, Instant)>>,
    /// Names of the files that were not reached yet, in the order of the list.
    ahead: Mutex<VecDeque<Vec<u8>>>,
}

impl FirstLooks {
    /// `names`: files of the list that may be read, in its order.
    pub(super) fn new(names: VecDeque<Vec<u8>>) -> Self {
        Self { seen: Mutex::default(), ahead: Mutex::new(names) }
    }

    /// Time since the server described the file like this for the first time; zero if it did not before.
    pub(super) fn age(&self, name: &[u8], stamp: &RemoteStamp) -> Duration {
        let mut seen = lock(&self.seen);
        if let Some((known, at)) = seen.get(name)
            && known == stamp
        {
            return at.elapsed();
        }
        seen.insert(name.to_vec(), (stamp.clone(), Instant::now()));
        Duration::ZERO
    }

    /// The file is read now: it is not looked at in advance.
    pub(super) fn reached(&self, name: &[u8]) {
        let mut ahead = lock(&self.ahead);
        if ahead.front().is_some_and(|next| next == name) {
            ahead.pop_front();
        }
    }

    /// The next file to look at in advance.
    pub(super) fn next_name(&self) -> Option<Vec<u8>> {
        lock(&self.ahead).pop_front()
    }

    /// No further file is looked at in advance.
    pub(super) fn stop(&self) {
        lock(&self.ahead).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_counts_until_the_file_is_described_otherwise() {
        let looks = FirstLooks::new([b"a".to_vec(), b"b".to_vec(), b"c".to_vec()].into());
        let stamp = |bytes| RemoteStamp { bytes, ..RemoteStamp::default() };
        let a_while = Duration::from_millis(5);
        assert_eq!(looks.age(b"a", &stamp(1)), Duration::ZERO);
        std::thread::sleep(a_while);
        assert!(looks.age(b"a", &stamp(1)) >= a_while);
        assert_eq!(looks.age(b"a", &stamp(2)), Duration::ZERO);
        assert_eq!(looks.age(b"b", &stamp(2)), Duration::ZERO);
        looks.reached(b"a");
        looks.reached(b"c");
        assert_eq!(looks.next_name(), Some(b"b".to_vec()));
        looks.stop();
        assert_eq!(looks.next_name(), None);
    }
}
