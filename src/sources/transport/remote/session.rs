//! A session whose calls block: SFTP and FTP.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::sources::error::SourceError;
use crate::sources::transport::files::answer_within;

/// The session of one pull. It is opened by the first call, and again by the call after one that failed: what is left in
/// the connection is then not known.
pub(super) struct Session<S> {
    idle: Arc<Mutex<Option<S>>>,
    /// Longest time without progress of a call.
    silence: Duration,
}

impl<S: Send + 'static> Session<S> {
    pub(super) fn new(silence: Duration) -> Self {
        Self { idle: Arc::default(), silence }
    }

    /// Runs `work` in a thread of its own, see [`answer_within`].
    ///
    /// # Errors
    /// `timeout`, and those of `connect` and `work`.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        connect: impl FnOnce() -> Result<S, SourceError> + Send + 'static,
        work: impl FnOnce(&mut S, &AtomicU64) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let idle = Arc::clone(&self.idle);
        let in_thread = move |counter: &AtomicU64| {
            let found = lock(&idle).take();
            let mut session = match found {
                Some(session) => session,
                None => connect()?,
            };
            counter.fetch_add(1, Ordering::Relaxed);
            let answer = work(&mut session, counter)?;
            *lock(&idle) = Some(session);
            Ok(answer)
        };
        answer_within(self.silence, in_thread).await
    }
}

fn lock<S>(idle: &Mutex<Option<S>>) -> std::sync::MutexGuard<'_, Option<S>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
