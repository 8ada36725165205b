//! The body of a large answer: a small one in memory, a larger one in a file without a name. Its bytes are counted until
//! nobody needs them any more: it has been sent, or its client is cut off, and it is not kept for others.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::BoxError;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tempfile::{SpooledData, SpooledTempFile, spooled_tempfile_in};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, spawn_blocking};

use super::Encoding;
use super::shares::Share;
use crate::service::problem::Problem;

/// A body that is larger is in a file.
const IN_MEMORY_BYTES: usize = 256 << 10;
/// Bytes that are in memory of a body that is being written or sent.
const CHUNK_BYTES: usize = 64 << 10;
/// Bytes for which one permit of the room stands.
pub(super) const UNIT_BYTES: usize = 64 << 10;
/// Bytes in a second that a client takes at least, on the average since its answer began: those of a bad mobile connection.
const LEAST_RATE: u64 = 16 << 10;
/// How long the longest body may be on its way: of a long one a client takes more bytes in a second.
const SENT_WITHIN: Duration = Duration::from_hours(1);
/// After this time the rate counts.
const GRACE: Duration = Duration::from_mins(1);

/// What writing a body results in.
pub(in crate::service) type WriteResult = Result<(), BoxError>;

/// Why a body could not be stored.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("too many bytes of other answers wait to be sent")]
    NoRoom,
    #[error("{0}")]
    Write(BoxError),
}

/// Where bodies in files have their places. Those in memory take none: there are at most as many as connections.
#[derive(Clone, Copy)]
pub(super) struct Room<'a> {
    /// Folder for the files.
    pub(super) scratch: &'a Path,
    /// Permits for [`UNIT_BYTES`] each.
    pub(super) places: &'a Arc<Semaphore>,
    /// Removes what is only kept, where no place is left.
    pub(super) clear: &'a (dyn Fn() + Sync),
}

/// A body with the headers of its answer.
#[derive(Debug)]
pub(in crate::service) struct StoredBody {
    bytes: StoredBytes,
    len: u64,
    headers: HeaderMap,
    /// Its place in the room; `None` in memory.
    _place: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
enum StoredBytes {
    Memory(Bytes),
    File(File),
}

impl StoredBody {
    /// Stores what `write` writes, packed. Blocks.
    ///
    /// # Errors
    /// There is no room for so many bytes, or they cannot be written.
    pub(super) fn write(
        room: Room<'_>,
        (encoding, mut headers): (Encoding, HeaderMap),
        write: impl FnOnce(&mut (dyn Write + Send)) -> WriteResult,
    ) -> Result<Self, StoreError> {
        let out = spooled_tempfile_in(IN_MEMORY_BYTES, room.scratch);
        let mut counted = CountedWriter { out, len: 0, room, place: None, lacks_room: false };
        let written = write_packed(&mut counted, encoding, write);
        if counted.lacks_room {
            return Err(StoreError::NoRoom);
        }
        written.map_err(StoreError::Write)?;
        let CountedWriter { out, len, place, .. } = counted;
        let bytes = match out.into_inner() {
            SpooledData::InMemory(bytes) => StoredBytes::Memory(bytes.into_inner().into()),
            SpooledData::OnDisk(file) => StoredBytes::File(file),
        };
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
        if encoding == Encoding::Gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(Self { bytes, len, headers, _place: place })
    }

    /// Number of bytes as they are sent.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Whether the bytes are in memory.
    pub(super) fn is_in_memory(&self) -> bool {
        matches!(self.bytes, StoredBytes::Memory(_))
    }

    /// The answer with its body, which is read in chunks as the client takes them.
    ///
    /// # Errors
    /// 503 if the caller has not taken its share of other answers.
    pub(in crate::service) fn answer(self: &Arc<Self>) -> Result<Response, Problem> {
        // Its address in memory is its own until the share is dropped.
        let number = Arc::as_ptr(self).addr();
        let share = if self.is_in_memory() { None } else { Share::of_caller(number, self.len)? };
        let body = SentBody { _share: share, body: Arc::clone(self), at: 0, reading: None, since: Instant::now() };
        let mut answer = Response::new(Body::new(body));
        answer.headers_mut().clone_from(&self.headers);
        Ok(answer)
    }

    /// The chunk from `at`, which is below the length. Blocks if the body is in a file.
    fn chunk(&self, at: u64) -> io::Result<Bytes> {
        let left = usize::try_from(self.len - at).unwrap_or(usize::MAX);
        let len = left.min(CHUNK_BYTES);
        match &self.bytes {
            StoredBytes::Memory(bytes) => {
                let start = bytes.len() - left;
                Ok(bytes.slice(start..start + len))
            }
            StoredBytes::File(file) => {
                let mut chunk = vec![0; len];
                file.read_exact_at(&mut chunk, at)?;
                Ok(chunk.into())
            }
        }
    }
}

/// How long after its beginning a client may ask for what follows `taken` bytes of `len`.
fn time_for(taken: u64, len: u64) -> Duration {
    GRACE + Duration::from_secs(taken / LEAST_RATE.max(len / SENT_WITHIN.as_secs()))
}

fn write_packed(
    out: &mut CountedWriter<'_>,
    encoding: Encoding,
    write: impl FnOnce(&mut (dyn Write + Send)) -> WriteResult,
) -> WriteResult {
    match encoding {
        Encoding::Identity => {
            let mut buffered = BufWriter::with_capacity(CHUNK_BYTES, out);
            write(&mut buffered)?;
            buffered.flush()?;
        }
        Encoding::Gzip => {
            let mut buffered = BufWriter::with_capacity(CHUNK_BYTES, GzEncoder::new(out, Compression::fast()));
            write(&mut buffered)?;
            buffered.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
        }
    }
    Ok(())
}

/// Takes a place in the room for what is written into a file.
struct CountedWriter<'a> {
    out: SpooledTempFile,
    len: u64,
    room: Room<'a>,
    place: Option<OwnedSemaphorePermit>,
    /// Whether a write failed for want of room.
    lacks_room: bool,
}

impl CountedWriter<'_> {
    fn take_place(&mut self, bytes: usize) -> io::Result<()> {
        let held = self.place.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let len = self.len + bytes as u64;
        let needed = if len <= IN_MEMORY_BYTES as u64 { 0 } else { len.div_ceil(UNIT_BYTES as u64) };
        let lacking = u32::try_from(needed.saturating_sub(held as u64)).unwrap_or(u32::MAX);
        if lacking == 0 {
            return Ok(());
        }
        let take = || Arc::clone(self.room.places).try_acquire_many_owned(lacking);
        let taken = take().or_else(|_| {
            (self.room.clear)();
            take()
        });
        let Ok(further) = taken else {
            self.lacks_room = true;
            return Err(io::Error::other("there is no room for the answer"));
        };
        match &mut self.place {
            Some(place) => place.merge(further),
            None => self.place = Some(further),
        }
        Ok(())
    }
}

impl Write for CountedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take_place(bytes.len())?;
        let written = self.out.write(bytes)?;
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A body on its way to a client. Dropped when the last chunk is with the connection, or when the client is gone.
#[derive(Debug)]
struct SentBody {
    /// Dropped before the body.
    _share: Option<Share>,
    body: Arc<StoredBody>,
    /// Bytes that were given to the connection.
    at: u64,
    /// The next chunk, while it is being read from the file.
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    since: Instant,
}

impl HttpBody for SentBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        if this.is_end_stream() {
            return Poll::Ready(None);
        }
        if this.since.elapsed() > time_for(this.at, this.body.len) {
            let message = "the client takes the answer too slowly";
            return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, message))));
        }
        let chunk = if this.body.is_in_memory() {
            this.body.chunk(this.at)
        } else {
            let (body, at) = (&this.body, this.at);
            let reading = this.reading.get_or_insert_with(|| {
                let body = Arc::clone(body);
                spawn_blocking(move || body.chunk(at))
            });
            let read = ready!(Pin::new(reading).poll(context));
            this.reading = None;
            read.unwrap_or_else(|error| Err(error.into()))
        };
        if let Ok(chunk) = &chunk {
            this.at += chunk.len() as u64;
        }
        Poll::Ready(Some(chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.body.len
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.len - self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::body::to_bytes;
    use flate2::read::GzDecoder;
    use futures::StreamExt as _;

    use super::*;

    const MANY: usize = 3 << 20;

    /// Bytes that gzip does not make much shorter.
    fn bytes(len: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        std::iter::repeat_with(next).take(len).collect()
    }

    fn stored(room: &Arc<Semaphore>, encoding: Encoding, bytes: &[u8]) -> Result<Arc<StoredBody>, StoreError> {
        let scratch = std::env::temp_dir();
        let room = Room { scratch: &scratch, places: room, clear: &|| () };
        let stored =
            StoredBody::write(room, (encoding, HeaderMap::new()), |out| out.write_all(bytes).map_err(BoxError::from));
        stored.map(Arc::new)
    }

    #[tokio::test]
    async fn a_body_is_what_was_written_in_memory_and_in_a_file_packed_and_not() {
        let room = Arc::new(Semaphore::new(1_000));
        for (len, is_in_memory) in [(0, true), (1, true), (IN_MEMORY_BYTES, true), (MANY, false)] {
            let bytes = bytes(len);
            let plain = stored(&room, Encoding::Identity, &bytes).expect("there is room");
            assert_eq!((plain.len(), plain.is_in_memory()), (len as u64, is_in_memory));
            let answer = plain.answer().expect("no caller is counted");
            assert_eq!(answer.body().size_hint().exact(), Some(len as u64));
            assert!(to_bytes(answer.into_body(), usize::MAX).await.expect("it is whole") == bytes, "{len}");
            let packed = stored(&room, Encoding::Gzip, &bytes).expect("there is room").answer();
            let packed = packed.expect("no caller is counted");
            assert_eq!(packed.headers()["content-encoding"], "gzip");
            assert_eq!(packed.headers()["vary"], "accept-encoding");
            let packed = to_bytes(packed.into_body(), usize::MAX).await.expect("it is whole");
            let mut unpacked = Vec::new();
            GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).expect("it is gzip");
            assert!(unpacked == bytes, "{len}");
        }
        assert_eq!(room.available_permits(), 1_000, "every place is given back");
    }

    #[tokio::test]
    async fn a_place_is_held_until_the_last_client_has_the_body_or_is_gone() {
        let room = Arc::new(Semaphore::new(100));
        let units = MANY / (64 << 10);
        let body = stored(&room, Encoding::Identity, &bytes(MANY)).expect("there is room");
        let [first, second] = [(), ()].map(|()| body.answer().expect("no caller is counted"));
        drop(body);
        assert_eq!(room.available_permits(), 100 - units);
        to_bytes(first.into_body(), usize::MAX).await.expect("it is whole");
        assert_eq!(room.available_permits(), 100 - units, "the second client has not read it");
        let mut reading = second.into_body().into_data_stream();
        let chunk = reading.next().await.expect("there is one").expect("it is read");
        assert_eq!(chunk.len(), CHUNK_BYTES);
        assert_eq!(room.available_permits(), 100 - units, "it stopped half-way");
        drop(reading);
        assert_eq!(room.available_permits(), 100);
    }

    #[test]
    fn without_room_nothing_is_stored_and_no_place_is_held() {
        let room = Arc::new(Semaphore::new(10));
        for encoding in [Encoding::Identity, Encoding::Gzip] {
            let refused = stored(&room, encoding, &bytes(MANY)).expect_err("3 MiB need 48 places");
            assert!(matches!(refused, StoreError::NoRoom), "{refused}");
            assert_eq!(room.available_permits(), 10);
        }
        // A body in memory takes no place.
        let small = stored(&Arc::new(Semaphore::new(0)), Encoding::Identity, &bytes(IN_MEMORY_BYTES));
        assert!(small.expect("it needs no room").is_in_memory());
        let scratch = std::env::temp_dir();
        let room = Room { scratch: &scratch, places: &room, clear: &|| () };
        let refused = StoredBody::write(room, (Encoding::Gzip, HeaderMap::new()), |_| {
            Err(BoxError::from("a cell cannot be written"))
        });
        assert_eq!(refused.expect_err("it fails").to_string(), "a cell cannot be written");
    }

    #[test]
    fn a_client_has_time_by_what_it_has_taken_and_an_hour_at_most() {
        let secs = |taken: u64, len: u64| time_for(taken, len).as_secs();
        assert_eq!(secs(0, 1 << 30), 60);
        // 16 KiB in a second: a MiB in 64 s.
        assert_eq!(secs(1 << 20, 1 << 20), 60 + 64);
        assert_eq!(secs(32 << 20, 32 << 20), 60 + 32 * 64, "34 minutes for 32 MiB");
        // 512 MiB in an hour: 149,130 bytes in a second, rounded down.
        assert_eq!(secs(512 << 20, 512 << 20), 60 + 3_600);
        // 16 KiB in half a minute are too few after two chunks.
        assert!(secs(128 << 10, 512 << 20) < 8 * 30);
    }

    #[tokio::test]
    async fn a_client_that_takes_too_long_is_cut_off() {
        let room = Arc::new(Semaphore::new(100));
        let body = stored(&room, Encoding::Identity, &bytes(MANY)).expect("there is room");
        let since = Instant::now().checked_sub(GRACE + Duration::from_secs(1)).expect("the machine is up for longer");
        let late = SentBody { _share: None, body, at: 0, reading: None, since };
        let error = Body::new(late).into_data_stream().next().await.expect("an end").expect_err("it is late");
        assert!(error.to_string().contains("too slowly"), "{error}");
        assert_eq!(room.available_permits(), 100);
    }
}
