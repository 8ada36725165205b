//! Large answers: workbooks, tables, and lists of many rows. One budget bounds the memory, the cores and the places on disk that
//! they take together, however many are asked for.
//!
//! * **Making.** Few are made at once ([`Answers::permit`]); the others wait, and get 503 if they wait too long. A permit is held
//!   until the answer is made, also if its client is gone: the work goes on.
//! * **Sending.** An answer is written into a [`StoredBody`], which is in a file from 256 KiB on, and read in chunks as the client
//!   takes them. The bytes in files are counted until they are sent or the client is cut off; without room for them, 503. So a
//!   client that stops half-way holds a place on disk, and neither a permit nor the night. An address gets answers until half of
//!   the room is taken by those on their way to it, a token until a quarter is; the last one may go beyond (`shares`).
//! * **Keeping.** Answers about the figures of a night are kept for the next who asks ([`AnswerKey`]).

mod cache;
mod encoding;
mod shares;
mod stored_body;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::block_in_place;
use tokio::time::timeout;

pub(super) use self::cache::AnswerKey;
pub(super) use self::encoding::Encoding;
pub(super) use self::shares::AnswerCaller;
pub(super) use self::stored_body::{StoredBody, WriteResult};

use self::cache::AnswerCache;
use self::shares::{Share, Shares};
use self::stored_body::{Room, StoreError, UNIT_BYTES};
use crate::service::address_group::AddressGroup;
use crate::service::problem::Problem;

/// Room for answers in files that are kept or wait to be sent, in units: 512 MiB.
const ROOM: usize = (512 << 20) / UNIT_BYTES;
/// How long an answer waits for those that are being made.
const WAIT: Duration = Duration::from_secs(20);
/// Seconds after which a refused request may be sent again.
const RETRY_AFTER_SECS: u64 = 10;

/// How an answer is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Making {
    /// Row by row.
    ByRows,
    /// Row by row, after the rows were read from the tables. Such an answer waits for the readers of the tables, so it holds
    /// no permit of the others meanwhile.
    FromTables,
    /// As a whole in memory, before it is written: alone, also without one from the tables.
    Whole,
}

/// The budget of large answers, and those that are kept.
#[derive(Debug)]
pub(super) struct Answers {
    scratch: PathBuf,
    makers: Arc<Semaphore>,
    /// As `makers`, for [`Making::FromTables`].
    makers_from_tables: Arc<Semaphore>,
    /// Permits of `makers`, and of `makers_from_tables`.
    most_makers: u32,
    /// One permit stands for [`UNIT_BYTES`].
    room: Arc<Semaphore>,
    shares: Arc<Shares>,
    wait: Duration,
    cache: AnswerCache,
}

/// The right to make one large answer. Whoever reads rows for an answer gets it first, so that not many have read theirs and
/// wait with them in memory.
#[derive(Debug)]
pub(super) struct MakingPermit {
    /// Of the makers from tables, and of the others; one of them may stand for none.
    _held: [OwnedSemaphorePermit; 2],
}

impl Answers {
    /// `scratch`: folder for answers on their way.
    pub(super) fn new(scratch: PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // Half of the cores are for everything else. One alone would let a long list keep out every short one.
        let most_makers = u32::try_from(cores / 2).unwrap_or(u32::MAX).clamp(2, 4);
        Self::with_limits(scratch, most_makers, ROOM, WAIT)
    }

    fn with_limits(scratch: PathBuf, most_makers: u32, room: usize, wait: Duration) -> Self {
        let [makers, makers_from_tables] = [(), ()].map(|()| Arc::new(Semaphore::new(most_makers as usize)));
        let shares = Arc::new(Shares::new((room * UNIT_BYTES) as u64));
        let (room, cache) = (Arc::new(Semaphore::new(room)), AnswerCache::default());
        Self { scratch, makers, makers_from_tables, most_makers, room, shares, wait, cache }
    }

    /// The caller for which the answers to a request count. `credential`: its token or session.
    pub(super) fn caller(&self, address: AddressGroup, credential: Option<&[u8]>) -> AnswerCaller {
        self.shares.caller(address, credential)
    }

    /// Waits for the right to make a large answer.
    ///
    /// # Errors
    /// 503 if others take too long, or the caller has not taken its share of other answers: nothing is made that it would not get.
    pub(super) async fn permit(&self, making: Making) -> Result<MakingPermit, Problem> {
        Share::check_caller()?;
        let (from_tables, by_rows) = match making {
            Making::ByRows => (0, 1),
            Making::FromTables => (1, 0),
            Making::Whole => (self.most_makers, self.most_makers),
        };
        let waiting = timeout(self.wait, async {
            // Those that wait for the tables first: meanwhile the others go on.
            let from_tables = Arc::clone(&self.makers_from_tables).acquire_many_owned(from_tables).await?;
            Ok::<_, AcquireError>([from_tables, Arc::clone(&self.makers).acquire_many_owned(by_rows).await?])
        });
        let held = waiting.await.map_err(|_| {
            let detail = "other large files are being made; try again in a moment, or choose fewer rows";
            Problem::busy(detail, RETRY_AFTER_SECS)
        })?;
        // Others of its answers may have been made meanwhile.
        Share::check_caller()?;
        Ok(MakingPermit { _held: held.expect("the permits are never closed") })
    }

    /// Makes a large answer, off the workers of the runtime. `headers`: those of the answer; `Content-Encoding` and `Vary` are
    /// added.
    ///
    /// # Errors
    /// 503 if too many bytes wait to be sent; 500 if the answer cannot be written.
    pub(super) fn make(
        &self,
        permit: MakingPermit,
        of: (Encoding, HeaderMap),
        write: impl FnOnce(&mut (dyn Write + Send)) -> WriteResult,
    ) -> Result<Arc<StoredBody>, Problem> {
        let made = block_in_place(|| self.make_small(of, write));
        drop(permit);
        made
    }

    /// As [`Self::make`], for an answer of few rows, which costs less than to hand it over.
    pub(super) fn make_small(
        &self,
        of: (Encoding, HeaderMap),
        write: impl FnOnce(&mut (dyn Write + Send)) -> WriteResult,
    ) -> Result<Arc<StoredBody>, Problem> {
        let room = Room { scratch: &self.scratch, places: &self.room, clear: &|| self.cache.clear() };
        match StoredBody::write(room, of, write) {
            Ok(made) => Ok(Arc::new(made)),
            Err(error @ StoreError::NoRoom) => Err(Problem::busy(error.to_string(), RETRY_AFTER_SECS)),
            Err(StoreError::Write(error)) => Err(Problem::internal("the answer cannot be written", &error)),
        }
    }

    /// A kept answer.
    pub(super) fn kept(&self, key: &AnswerKey) -> Option<Arc<StoredBody>> {
        self.cache.get(key)
    }

    /// Makes an answer about the figures of a night, and keeps it. `making`: `None` for one of few rows.
    ///
    /// # Errors
    /// As [`Self::permit`] and [`Self::make`].
    pub(super) async fn make_kept(
        &self,
        key: AnswerKey,
        making: Option<Making>,
        headers: HeaderMap,
        write: impl FnOnce(&mut (dyn Write + Send)) -> WriteResult,
    ) -> Result<Arc<StoredBody>, Problem> {
        let of = (key.encoding(), headers);
        let made = match making {
            None => self.make_small(of, write)?,
            Some(making) => {
                let permit = self.permit(making).await?;
                // Others that ask the same have waited too, and the first of them has made it.
                if let Some(kept) = self.kept(&key) {
                    return Ok(kept);
                }
                self.make(permit, of, write)?
            }
        };
        self.cache.keep(key, Arc::clone(&made));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::BoxError;
    use axum::body::to_bytes;
    use futures::future::join_all;

    use super::*;
    use crate::model::figure::Night;

    const SHORT: Duration = Duration::from_millis(50);

    /// Two may be made at once; room for 1 MiB.
    fn answers() -> Answers {
        Answers::with_limits(std::env::temp_dir(), 2, 16, SHORT)
    }

    fn plain() -> (Encoding, HeaderMap) {
        (Encoding::Identity, HeaderMap::new())
    }

    /// Writes so many KiB.
    fn kib(number: usize) -> impl FnOnce(&mut (dyn Write + Send)) -> WriteResult {
        move |out| out.write_all(&vec![b'x'; number << 10]).map_err(BoxError::from)
    }

    fn status(refused: &Problem) -> (u16, Option<u64>) {
        (refused.status().as_u16(), refused.retry_after_secs())
    }

    #[tokio::test]
    async fn who_gets_no_permit_in_time_is_told_when_to_come_again() {
        let answers = answers();
        let first = answers.permit(Making::ByRows).await.expect("two may be made at once");
        let refused = answers.permit(Making::Whole).await.expect_err("a table is made alone");
        assert_eq!(status(&refused), (503, Some(RETRY_AFTER_SECS)));
        let second = answers.permit(Making::ByRows).await.expect("two may be made at once");
        assert_eq!(status(&answers.permit(Making::ByRows).await.expect_err("a third")), (503, Some(10)));
        drop((first, second));
        let whole = answers.permit(Making::Whole).await.expect("nothing is being made");
        for making in [Making::ByRows, Making::FromTables] {
            answers.permit(making).await.expect_err("a table is made alone");
        }
        drop(whole);
        let waiting = answers.permit(Making::FromTables).await.expect("nothing is being made");
        answers.permit(Making::ByRows).await.expect("what waits for the tables holds up no figures");
        answers.permit(Making::Whole).await.expect_err("both would be in memory");
        answers.permit(Making::ByRows).await.expect("a table that waits holds up no figures");
        drop(waiting);
        answers.permit(Making::Whole).await.expect("nothing is being made");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn kept_answers_are_removed_where_room_is_lacking() {
        let answers = answers();
        let night = Night { run: 1, as_of: 0, complete: true, data_until: None };
        let key = AnswerKey::new(&night, "all".to_owned(), Encoding::Identity);
        answers.make_kept(key.clone(), None, HeaderMap::new(), kib(700)).await.expect("there is room");
        assert!(answers.kept(&key).is_some());
        // Both are more than a MiB.
        answers.make_small(plain(), kib(700)).expect("there is room without the kept one");
        assert!(answers.kept(&key).is_none());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_is_made_for_a_caller_that_has_its_share() {
        let answers = answers();
        let body = |number: usize| answers.make_small(plain(), kib(number)).expect("there is room");
        let caller = |last: u8| answers.caller(AddressGroup::of([10, 0, 0, last].into()), None);
        let (slow, other, small) = (body(520), body(300), body(200));
        // 520 KiB are more than 512 KiB, half of the room.
        let waiting = caller(1).scope(async { slow.answer() }).await.expect("nothing waits");
        let again = caller(1).scope(async { slow.answer() }).await.expect("the same body lies on disk once");
        let refused = caller(1).scope(async { other.answer() }).await.expect_err("it is another");
        assert_eq!(status(&refused), (503, Some(RETRY_AFTER_SECS)));
        let refused = caller(1).scope(answers.permit(Making::ByRows)).await.expect_err("it would be made for nothing");
        assert!(refused.detail().contains("not yet taken"), "{}", refused.detail());
        caller(1).scope(async { small.answer() }).await.expect("it is in memory");
        caller(2).scope(async { other.answer() }).await.expect("another caller");
        caller(2).scope(answers.permit(Making::ByRows)).await.expect("another caller");
        drop((waiting, again));
        caller(1).scope(answers.permit(Making::ByRows)).await.expect("they are taken");
        caller(1).scope(async { other.answer() }).await.expect("they are taken");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn bodies_hold_no_permit_and_their_room_until_they_are_sent() {
        let answers = answers();
        let many = |answers: &Answers, permit| {
            answers.make(permit, plain(), |out| out.write_all(&vec![b'x'; 600 << 10]).map_err(BoxError::from))
        };
        let permit = answers.permit(Making::Whole).await.expect("nothing is being made");
        let stopped = many(&answers, permit).expect("there is room").answer().expect("no caller is counted");
        let permit = answers.permit(Making::Whole).await.expect("the client that stopped holds no permit");
        let refused = many(&answers, permit).expect_err("both bodies are more than a MiB");
        assert_eq!(status(&refused), (503, Some(RETRY_AFTER_SECS)));
        assert!(refused.detail().contains("wait to be sent"), "{}", refused.detail());
        drop(stopped);
        let permit = answers.permit(Making::Whole).await.expect("nothing is being made");
        many(&answers, permit).expect("the client that stopped is gone");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_many_ask_at_once_is_made_by_those_who_come_first() {
        let answers = Answers::with_limits(std::env::temp_dir(), 2, 16, Duration::from_secs(30));
        let (made, night) = (AtomicUsize::new(0), Night { run: 1, as_of: 0, complete: true, data_until: None });
        let ask = async || {
            let key = AnswerKey::new(&night, "all".to_owned(), Encoding::Gzip);
            let body = answers.make_kept(key, Some(Making::ByRows), HeaderMap::new(), |out| {
                made.fetch_add(1, Ordering::Relaxed);
                out.write_all(b"figures").map_err(BoxError::from)
            });
            body.await.expect("it is made in time").answer().expect("no caller is counted")
        };
        let asked = join_all((0..60).map(|_| ask())).await;
        assert!(made.load(Ordering::Relaxed) <= 2, "{made:?}");
        for answer in asked {
            assert_eq!(answer.headers()["content-encoding"], "gzip");
            let body = to_bytes(answer.into_body(), usize::MAX).await.expect("it is whole");
            assert_eq!(body[..2], [0x1f, 0x8b], "it is gzip");
        }
    }
}
