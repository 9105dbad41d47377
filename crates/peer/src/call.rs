//! A call on its way.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::CallError;
use crate::link::Link;

/// A call on its way: a future of the reply. It was queued when it was made, so calls of one lane leave in the
/// order of their making, whichever is polled first. Dropped, it is given up: unsent it will not be sent, and
/// the other broker stops working on it.
#[must_use = "a call that is dropped is given up"]
#[derive(Debug)]
pub struct Call(State);

#[derive(Debug)]
enum State {
    Refused(CallError),
    Waiting { link: Arc<Link>, call: u64, reply: oneshot::Receiver<Result<Bytes, CallError>> },
    Done,
}

impl Call {
    pub(crate) fn refused(why: CallError) -> Self {
        Call(State::Refused(why))
    }

    pub(crate) fn waiting(link: Arc<Link>, call: u64, reply: oneshot::Receiver<Result<Bytes, CallError>>) -> Self {
        Call(State::Waiting { link, call, reply })
    }
}

impl Future for Call {
    type Output = Result<Bytes, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &mut self.0 {
            State::Refused(why) => Err(why.clone()),
            State::Waiting { reply, .. } => match Pin::new(reply).poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(result)) => result,
                Poll::Ready(Err(_)) => Err(CallError::Lost { why: "the runtime is being shut down".to_owned() }),
            },
            State::Done => return Poll::Pending, // polled after its end: by no executor that keeps the rules
        };
        self.0 = State::Done;
        Poll::Ready(result)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let State::Waiting { link, call, .. } = &self.0 {
            link.give_up(*call);
        }
    }
}
