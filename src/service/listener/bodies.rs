//! The bodies of requests and answers. They mark in the [`Activity`] of their connection where they end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::Body;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::service::activity::Activity;

/// The body of a request. It ends with an error if nothing of it comes for too long.
pub(super) struct ReceivedBody {
    body: Incoming,
    activity: Arc<Activity>,
    limit: Duration,
    /// Set while the next part is waited for.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// The body of an answer.
pub(super) struct AnswerBody {
    body: Body,
    _end: AnswerEnd,
}

/// Marks the end of an answer when it is dropped.
pub(super) struct AnswerEnd(Arc<Activity>);

impl ReceivedBody {
    /// `limit`: how long each part of the body may take.
    pub(super) fn new(body: Incoming, activity: Arc<Activity>, limit: Duration) -> Self {
        Self { body, activity, limit, deadline: None }
    }
}

impl HttpBody for ReceivedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(frame) => {
                this.deadline = None;
                if frame.as_ref().is_none_or(Result::is_err) || this.body.is_end_stream() {
                    this.activity.end_body();
                }
                Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)))
            }
            Poll::Pending => {
                let limit = this.limit;
                let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
                if deadline.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                this.activity.stall();
                Poll::Ready(Some(Err("the body of the request stopped coming".into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ReceivedBody {
    fn drop(&mut self) {
        self.activity.end_body();
    }
}

impl AnswerBody {
    pub(super) fn new(body: Body, end: AnswerEnd) -> Self {
        Self { body, _end: end }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl AnswerEnd {
    pub(super) fn of(activity: &Arc<Activity>) -> Self {
        Self(Arc::clone(activity))
    }
}

impl Drop for AnswerEnd {
    fn drop(&mut self) {
        self.0.end_answer();
    }
}
