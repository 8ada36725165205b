//! What an open connection is doing: waiting for a request, receiving its body, answering it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the body of a request may take before its connection counts as slow.
const SLOW_BODY: Duration = Duration::from_secs(5);

/// Phase of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No request is open: the connection is idle, or the head of a request is being received.
    Waiting,
    /// The body of a request is being received.
    Receiving,
    /// The request was received; its answer is being made or sent.
    Answering,
    /// The last bytes of an answer are being sent.
    Flushing,
}

/// The state of one connection, shared by its task, the middleware and the register of connections.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// When the phase began.
    since: Instant,
    /// Number of requests so far.
    requests: u64,
    /// The body of the present request stopped coming.
    is_stalled: bool,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State { phase: Phase::Waiting, since: Instant::now(), requests: 0, is_stalled: false }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn phase(&self) -> Phase {
        self.state().phase
    }

    /// Number of requests so far.
    pub(super) fn requests(&self) -> u64 {
        self.state().requests
    }

    /// Whether the body of the present request stopped coming.
    pub(super) fn is_stalled(&self) -> bool {
        self.state().is_stalled
    }

    /// The head of a request was received.
    pub(super) fn begin_request(&self, has_body: bool) {
        let mut state = self.state();
        state.requests += 1;
        state.is_stalled = false;
        state.enter(if has_body { Phase::Receiving } else { Phase::Answering });
    }

    /// The body of the request was received, or nobody reads it any more.
    pub(super) fn end_body(&self) {
        self.state().advance(Phase::Receiving, Phase::Answering);
    }

    /// The body of the request stopped coming.
    pub(super) fn stall(&self) {
        self.state().is_stalled = true;
    }

    /// The answer is complete, or was given up; its last bytes may still be on the way.
    pub(super) fn end_answer(&self) {
        self.state().enter(Phase::Flushing);
    }

    /// Everything that was written is sent.
    pub(super) fn flushed(&self) {
        self.state().advance(Phase::Flushing, Phase::Waiting);
    }

    /// How readily the connection is closed for another one, and since when it waits; `None` if it must not be closed.
    /// Connections without a request go before those whose body is slow.
    pub(super) fn closable(&self) -> Option<(u8, Instant)> {
        let state = self.state();
        match state.phase {
            Phase::Waiting => Some((0, state.since)),
            Phase::Receiving if state.since.elapsed() >= SLOW_BODY => Some((1, state.since)),
            Phase::Receiving | Phase::Answering | Phase::Flushing => None,
        }
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }

    /// Enters a phase if the present one is `from`.
    fn advance(&mut self, from: Phase, to: Phase) {
        if self.phase == from {
            self.enter(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_can_be_closed_while_no_request_is_open() {
        let activity = Activity::new();
        assert!(activity.closable().is_some());
        activity.begin_request(true);
        assert_eq!((activity.phase(), activity.closable()), (Phase::Receiving, None), "a body that has just begun");
        activity.stall();
        assert!(activity.is_stalled());
        activity.end_body();
        activity.flushed();
        assert_eq!((activity.phase(), activity.closable()), (Phase::Answering, None), "it is not answered yet");
        activity.end_answer();
        assert_eq!((activity.phase(), activity.closable()), (Phase::Flushing, None), "it is not sent yet");
        activity.end_body();
        activity.flushed();
        assert_eq!(activity.phase(), Phase::Waiting);
        activity.begin_request(false);
        assert_eq!((activity.phase(), activity.requests(), activity.is_stalled()), (Phase::Answering, 2, false));
    }
}
