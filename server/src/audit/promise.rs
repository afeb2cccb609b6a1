//! Answers that wait until their records are where a crash cannot take them, without holding up anything else.
//!
//! A worker parks the task of a connection here, with the ticket of its last record; the audit thread writes what is in the
//! rings with one write (and one sync, if so asked), then rings the bell of every worker that waits.

use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::audit::ledger::Ledger;
use crate::audit::wake::Wake;

/// What became of the records of one worker.
pub struct Acks {
    ledger: Arc<Ledger>,
    wake: Arc<Wake>,
    waiters: RefCell<Vec<Waker>>,
}

impl Acks {
    pub(super) fn new(ledger: Arc<Ledger>, wake: Arc<Wake>) -> Acks {
        Acks {
            ledger,
            wake,
            waiters: RefCell::default(),
        }
    }

    /// Waits until it is known what became of everything up to this ticket: whether that with this ticket is recorded.
    pub async fn recorded(&self, ticket: u64) -> bool {
        poll_fn(|context| {
            if let Some(outcome) = self.ledger.outcome(ticket) {
                return Poll::Ready(outcome);
            }
            self.ledger.wait();
            if let Some(outcome) = self.ledger.outcome(ticket) {
                return Poll::Ready(outcome);
            }
            self.waiters.borrow_mut().push(context.waker().clone());
            self.wake.summon();
            Poll::Pending
        })
        .await
    }

    /// The bell rang.
    pub fn ring(&self) {
        let waiters = std::mem::take(&mut *self.waiters.borrow_mut());
        waiters.into_iter().for_each(Waker::wake);
    }
}

/// The answers of one connection that are in its buffer and wait.
#[derive(Debug, Default)]
pub(crate) struct Promises(Vec<Promise>);

/// Where a grant stands, its bytes, and those of the denial that may take its place.
pub(crate) type Grant = (usize, (&'static [u8], &'static [u8]));

#[derive(Debug)]
struct Promise {
    ticket: u64,
    grant: Option<Grant>,
}

impl Promises {
    /// An answer waits for `ticket`, if there is one. `grant`: if it is one.
    pub(crate) fn add(&mut self, ticket: Option<u64>, grant: Option<Grant>) {
        if let Some(ticket) = ticket {
            self.0.push(Promise { ticket, grant });
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What it takes of memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Promise>() * self.0.capacity()
    }

    /// Waits for all records, then turns grants without one into denials: how many. `None`: one of them is not in its place,
    /// so that none of the answers may be sent.
    pub(crate) async fn settle(&mut self, acks: &Acks, output: &mut Vec<u8>) -> Option<u64> {
        let (mut revoked, mut sendable) = (0, true);
        // From the last one on: the others are known by then, and what is in front of an answer stays in its place.
        while let Some(promise) = self.0.pop() {
            let recorded = acks.recorded(promise.ticket).await;
            if let (false, Some(grant)) = (recorded, promise.grant) {
                sendable &= revoke(output, grant);
                revoked += 1;
            }
        }
        sendable.then_some(revoked)
    }
}

/// False if there is no such grant.
fn revoke(output: &mut Vec<u8>, (at, (grant, denial)): Grant) -> bool {
    let is_there = output.get(at..).is_some_and(|rest| rest.starts_with(grant));
    if is_there {
        output.splice(at..at + grant.len(), denial.iter().copied());
    }
    is_there
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::Persistence;
    use crate::http::response;

    #[test]
    fn a_grant_is_revoked_in_its_place() {
        for persistence in [Persistence::Stays, Persistence::Kept, Persistence::Ends] {
            let (mut out, mut want) = (Vec::new(), Vec::new());
            for (at, allow) in [false, true, true, false].into_iter().enumerate() {
                response::decision(&mut out, allow, persistence);
                response::decision(&mut want, allow && at == 2, persistence);
            }
            let texts = response::grant_and_denial(persistence);
            let at = texts.1.len();
            assert!(!revoke(&mut out, (0, texts)) && !revoke(&mut out, (at + 1, texts)));
            assert!(revoke(&mut out, (at, texts)));
            assert_eq!(out, want);
        }
    }

    #[test]
    fn answers_wait_and_only_failed_grants_change() {
        let ledger = Arc::<Ledger>::default();
        let acks = Acks::new(Arc::clone(&ledger), Arc::default());
        let texts: (&[u8], &[u8]) = (b"yes", b"never");
        let mut promises = Promises::default();
        promises.add(None, Some((0, texts)));
        assert!(promises.is_empty());
        for (ticket, grant) in [(10, Some((0, texts))), (20, Some((4, texts))), (30, None)] {
            promises.add(Some(ticket), grant);
        }
        let mut output = b"yes yes no".to_vec();
        let mut context = std::task::Context::from_waker(Waker::noop());
        {
            let mut waiting = std::pin::pin!(promises.settle(&acks, &mut output));
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            ledger.settle(10);
            acks.ring();
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            ledger.fail(10, 30);
            ledger.settle(30);
            assert_eq!(waiting.as_mut().poll(&mut context), Poll::Ready(Some(1)));
        }
        assert_eq!(output, b"yes never no");
    }
}
