//! Answers about the figures of published nights, kept for the next who asks. A published night never changes, so neither does
//! an answer about it. Those that were asked for longest ago are removed first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Encoding, StoredBody};
use crate::model::figure::Night;

/// Most bytes of kept answers in memory, and in files.
const MOST_BYTES: [u64; 2] = [24 << 20, 128 << 20];
/// An answer that takes more than this share of them is not kept.
const LARGEST_SHARE: u64 = 4;
/// Most answers that are kept.
const MOST_KEPT: usize = 512;

/// What an answer about the figures of a night depends on.
///
/// Whoever may read figures may read all of them, so it does not depend on the token. The caller's right is checked before an
/// answer is looked up. Answers with dossiers are never kept: they depend on the agencies of the token and on the time of day,
/// and each read of them is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::service) struct AnswerKey {
    run: i64,
    as_of: i64,
    /// Format, filter and rows of the answer.
    question: String,
    encoding: Encoding,
}

impl AnswerKey {
    pub(in crate::service) fn new(night: &Night, question: String, encoding: Encoding) -> Self {
        Self { run: night.run, as_of: night.as_of, question, encoding }
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }
}

/// The kept answers.
#[derive(Debug, Default)]
pub(super) struct AnswerCache {
    kept: Mutex<KeptAnswers>,
}

#[derive(Debug, Default)]
struct KeptAnswers {
    /// Body, and the number of its last use.
    bodies: HashMap<AnswerKey, (Arc<StoredBody>, u64)>,
    uses: u64,
}

impl AnswerCache {
    fn kept(&self) -> MutexGuard<'_, KeptAnswers> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, key: &AnswerKey) -> Option<Arc<StoredBody>> {
        let mut kept = self.kept();
        kept.uses += 1;
        let use_number = kept.uses;
        let (body, last_use) = kept.bodies.get_mut(key)?;
        *last_use = use_number;
        Some(Arc::clone(body))
    }

    /// Keeps an answer, and removes others until the limits hold.
    pub(super) fn keep(&self, key: AnswerKey, body: Arc<StoredBody>) {
        if body.len() > MOST_BYTES[place_of(&body)] / LARGEST_SHARE {
            return;
        }
        let mut kept = self.kept();
        kept.uses += 1;
        let use_number = kept.uses;
        kept.bodies.insert(key, (body, use_number));
        while kept.is_too_large() {
            let oldest = kept.bodies.iter().min_by_key(|(_, (_, last_use))| *last_use);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return };
            kept.bodies.remove(&oldest);
        }
    }

    /// Removes all.
    pub(super) fn clear(&self) {
        self.kept().bodies.clear();
    }
}

impl KeptAnswers {
    fn is_too_large(&self) -> bool {
        let mut bytes = [0, 0];
        for (body, _) in self.bodies.values() {
            bytes[place_of(body)] += body.len();
        }
        self.bodies.len() > MOST_KEPT || bytes.iter().zip(MOST_BYTES).any(|(bytes, most)| *bytes > most)
    }
}

/// The index of its limit in [`MOST_BYTES`].
fn place_of(body: &StoredBody) -> usize {
    usize::from(!body.is_in_memory())
}

#[cfg(test)]
mod tests {
    use axum::BoxError;
    use axum::http::HeaderMap;
    use tokio::sync::Semaphore;

    use super::super::stored_body::Room;
    use super::*;

    fn key(run: i64, question: &str, encoding: Encoding) -> AnswerKey {
        let night = Night { run, as_of: run * 1_000, complete: true, data_until: None };
        AnswerKey::new(&night, question.to_owned(), encoding)
    }

    fn body(len: usize) -> Arc<StoredBody> {
        let (scratch, places) = (std::env::temp_dir(), Arc::new(Semaphore::new(100_000)));
        let room = Room { scratch: &scratch, places: &places, clear: &|| () };
        let of = (Encoding::Identity, HeaderMap::new());
        let body = StoredBody::write(room, of, |out| {
            let chunk = vec![0; 256 << 10];
            for _ in 0..len / chunk.len() {
                out.write_all(&chunk).map_err(BoxError::from)?;
            }
            Ok(())
        });
        Arc::new(body.expect("there is room"))
    }

    #[test]
    fn an_answer_is_given_for_its_own_night_question_and_encoding_only() {
        let cache = AnswerCache::default();
        let kept = body(256 << 10);
        cache.keep(key(1, "json", Encoding::Gzip), Arc::clone(&kept));
        assert!(cache.get(&key(1, "json", Encoding::Gzip)).is_some_and(|found| Arc::ptr_eq(&found, &kept)));
        for other in [key(2, "json", Encoding::Gzip), key(1, "csv", Encoding::Gzip), key(1, "json", Encoding::Identity)]
        {
            assert!(cache.get(&other).is_none(), "{other:?}");
        }
        cache.clear();
        assert!(cache.get(&key(1, "json", Encoding::Gzip)).is_none());
    }

    #[test]
    fn the_answer_that_was_asked_for_longest_ago_makes_room() {
        let cache = AnswerCache::default();
        let small = body(256 << 10);
        // 24 MiB of bodies in memory.
        for question in 0..96 {
            cache.keep(key(1, &question.to_string(), Encoding::Gzip), Arc::clone(&small));
        }
        let is_kept = |question: &str| cache.get(&key(1, question, Encoding::Gzip)).is_some();
        assert!(is_kept("0") && is_kept("95"));
        cache.keep(key(1, "one more", Encoding::Gzip), Arc::clone(&small));
        assert!(!is_kept("1"), "`0` was asked for again");
        assert!(is_kept("0") && is_kept("2") && is_kept("one more"));
        // More than a quarter of what may be kept.
        cache.keep(key(1, "huge", Encoding::Gzip), body(33 << 20));
        assert!(!is_kept("huge") && is_kept("0"));
    }
}
