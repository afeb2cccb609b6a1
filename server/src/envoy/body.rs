//! A request body on its way in, metered: what all bodies of a thread take together is bounded.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

/// Bytes of bodies that one thread holds; counts down by itself.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    held: Arc<AtomicUsize>,
    bytes_max: usize,
}

impl Meter {
    /// A meter for at most so many bytes.
    pub(super) fn new(bytes_max: usize) -> Meter {
        Meter {
            held: Arc::default(),
            bytes_max,
        }
    }

    /// Nothing held yet.
    pub(super) fn lease(&self) -> Lease {
        Lease {
            meter: self.clone(),
            bytes: 0,
        }
    }
}

/// What one body takes of its meter, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    meter: Meter,
    bytes: usize,
}

impl Lease {
    /// False if the thread holds too much already.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let before = self.meter.held.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        before.saturating_add(bytes) <= self.meter.bytes_max
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.meter.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The thread has no memory for more bodies now.
#[derive(Debug)]
pub(super) struct Overloaded;

impl fmt::Display for Overloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many large requests at the same time")
    }
}

impl std::error::Error for Overloaded {}

/// A body that pays for what it brings.
#[derive(Debug)]
pub(super) struct Metered<B> {
    body: B,
    lease: Lease,
}

impl<B> Metered<B> {
    pub(super) fn new(body: B, meter: &Meter) -> Metered<B> {
        Metered {
            body,
            lease: meter.lease(),
        }
    }
}

impl<B> Body for Metered<B>
where
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static> + Unpin,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        Pin::new(&mut this.body).poll_frame(context).map(|frame| {
            frame.map(|frame| {
                let frame = frame?;
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                if this.lease.take(bytes) {
                    Ok(frame)
                } else {
                    Err(Overloaded.into())
                }
            })
        })
    }
}
