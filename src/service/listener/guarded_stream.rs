//! The stream of a connection, between hyper and the socket or TLS. It does what hyper has no setting for:
//!
//! * A client that takes too little of an answer for too long is cut off, so that no answer stays in memory for it.
//! * Answers that hyper makes itself, to requests that it cannot read, are replaced by ours: with the security headers
//!   and the reason.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::run;
use crate::service::activity::{Activity, Phase};
use crate::service::listener::raw_answer::raw_answer;

/// Bytes that a client takes at least within the time limit of a write.
const LEAST_BYTES: usize = 16 << 10;
/// How an answer of hyper to a request that it cannot read begins.
const OWN_ANSWER: &[u8] = b"HTTP/1.1 4";

pub(super) struct GuardedStream<S> {
    stream: S,
    activity: Arc<Activity>,
    write_limit: Duration,
    /// Whether people reach the service by HTTPS.
    encrypted: bool,
    /// Set while a write waits for the client.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Bytes that the client has taken since the deadline was set.
    taken: usize,
    /// Number of requests when the last write began: with each answer, the time limit begins anew.
    answering: u64,
    /// Number of requests when the head that is being received began, and whether its first line has ended.
    head: (u64, bool),
    replacement: Option<Replacement>,
}

/// An answer in the place of one of hyper.
struct Replacement {
    bytes: Vec<u8>,
    written: usize,
}

impl<S> GuardedStream<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>, write_limit: Duration, encrypted: bool) -> Self {
        let (deadline, replacement) = (None, None);
        Self {
            stream,
            activity,
            write_limit,
            encrypted,
            deadline,
            taken: 0,
            answering: 0,
            head: (0, false),
            replacement,
        }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    /// The status of an answer that hyper makes itself. It makes none while a request is open.
    fn own_status(&self, bytes: &[u8]) -> Option<StatusCode> {
        if !bytes.starts_with(OWN_ANSWER) || self.activity.phase() != Phase::Waiting {
            return None;
        }
        let status = StatusCode::from_bytes(bytes.get(9..12)?).ok()?;
        let is_long_address = status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE && !self.head.1;
        Some(if is_long_address { StatusCode::URI_TOO_LONG } else { status })
    }

    /// Bounds how long a write waits for the client: the result of polling it, or an error.
    fn bounded<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
        bytes: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        match &polled {
            Poll::Ready(Ok(done)) => {
                self.taken += bytes(done);
                if self.taken >= LEAST_BYTES {
                    self.begin_limit();
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                if self.deadline.is_none() {
                    self.taken = 0;
                }
                let limit = self.write_limit;
                let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
                if deadline.as_mut().poll(context).is_ready() {
                    let message = "the client does not take the answer";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)));
                }
            }
        }
        polled
    }

    /// Lets the time limit begin anew with the next write that waits.
    fn begin_limit(&mut self) {
        self.deadline = None;
        self.taken = 0;
    }
}

impl<S: AsyncWrite + Unpin> GuardedStream<S> {
    /// Writes the replacement to its end. `len`: bytes of the answer that it replaces.
    fn poll_replacement(
        &mut self,
        context: &mut Context<'_>,
        mut replacement: Replacement,
        len: usize,
    ) -> Poll<io::Result<usize>> {
        while replacement.written < replacement.bytes.len() {
            let polled = Pin::new(&mut self.stream).poll_write(context, &replacement.bytes[replacement.written..]);
            match self.bounded(context, polled, |written| *written) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => replacement.written += written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.replacement = Some(replacement);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(len))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GuardedStream<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        let requests = this.activity.requests();
        if this.head.0 != requests {
            this.head = (requests, false);
        }
        this.head.1 |= buffer.filled()[before..].contains(&b'\n');
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GuardedStream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let requests = this.activity.requests();
        if this.answering != requests {
            this.answering = requests;
            this.begin_limit();
        }
        let replacement = this.replacement.take().or_else(|| {
            let status = this.own_status(bytes)?;
            Some(Replacement { bytes: raw_answer(status, this.encrypted, run::now()), written: 0 })
        });
        if let Some(replacement) = replacement {
            return this.poll_replacement(context, replacement, bytes.len());
        }
        let polled = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.bounded(context, polled, |written| *written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // The first part alone is where an answer begins; it is written alone if it may be one of hyper.
        let first = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| &**slice);
        if slices.len() <= 1 || first.starts_with(OWN_ANSWER) {
            return self.poll_write(context, first);
        }
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.bounded(context, polled, |written| *written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_flush(context);
        ready!(this.bounded(context, polled, |()| 0))?;
        this.activity.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_shutdown(context);
        this.bounded(context, polled, |()| 0)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(500);

    fn guarded<S>(stream: S) -> (GuardedStream<S>, Arc<Activity>) {
        let activity = Arc::new(Activity::new());
        (GuardedStream::new(stream, Arc::clone(&activity), LIMIT, true), activity)
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_cut_off() {
        let (client, server) = duplex(1 << 10);
        let (mut server, activity) = guarded(server);
        activity.begin_request(false);
        let error = server.write_all(&vec![b'x'; 64 << 10]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(client);
    }

    #[tokio::test]
    async fn a_client_that_takes_a_byte_now_and_then_is_cut_off_and_a_slow_one_is_not() {
        for (bytes, pause, is_cut) in [(1, LIMIT / 20, true), (LEAST_BYTES, LIMIT / 5, false)] {
            let (mut client, server) = duplex(1 << 10);
            let (mut server, activity) = guarded(server);
            activity.begin_request(false);
            let reading = tokio::spawn(async move {
                let mut buffer = vec![0; bytes];
                while client.read_exact(&mut buffer).await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
            });
            let written = server.write_all(&vec![b'x'; 5 * LEAST_BYTES]).await;
            assert_eq!(written.is_err(), is_cut, "{bytes} bytes at a time");
            reading.abort();
        }
    }

    #[tokio::test]
    async fn an_answer_of_hyper_is_replaced_and_one_of_ours_is_not() {
        let of_hyper = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
        for (head, is_open, expected) in [
            ("GET /", false, "HTTP/1.1 414 URI Too Long\r\n"),
            ("GET / HTTP/1.1\r\nx: ", false, "HTTP/1.1 431 Request Header Fields Too Large\r\n"),
            (
                "GET / HTTP/1.1\r\n\r\n",
                true,
                "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n",
            ),
        ] {
            let (mut client, server) = duplex(4 << 10);
            let (mut server, activity) = guarded(server);
            client.write_all(head.as_bytes()).await.expect("it is open");
            server.read_exact(&mut vec![0; head.len()]).await.expect("it was sent");
            if is_open {
                activity.begin_request(false);
            }
            let slices = [IoSlice::new(b""), IoSlice::new(of_hyper)];
            let written = server.write_vectored(&slices).await.expect("it is open");
            assert_eq!(written, of_hyper.len(), "hyper counts its own bytes");
            server.shutdown().await.expect("it is open");
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.expect("text");
            assert!(answer.starts_with(expected), "{answer}");
            assert_eq!(answer.contains("x-content-type-options: nosniff"), !is_open, "{answer}");
        }
    }
}
