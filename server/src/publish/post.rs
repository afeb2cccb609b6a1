//! One core's box. Looking whether there is news costs the core one load; taking it out happens between two requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use gavel_runtime::decision::Decider;
use gavel_runtime::image::SelectorCaches;

use super::revision::Revision;

/// A revision, with what the machine of one core needs for it: made by whoever publishes, so that no core takes the time.
pub struct Parcel {
    /// What decides.
    pub revision: Arc<Revision>,
    /// For its image, and one core.
    pub caches: SelectorCaches,
}

impl Parcel {
    /// For a core that does not have this revision.
    #[must_use]
    pub fn new(revision: &Arc<Revision>) -> Parcel {
        Parcel {
            revision: Arc::clone(revision),
            caches: revision.image().selector_caches(),
        }
    }

    /// Changes what a core decides by for what is in here.
    pub fn swap(&mut self, revision: &mut Arc<Revision>, decider: &mut Decider) {
        std::mem::swap(&mut self.revision, revision);
        decider.exchange(&mut self.caches);
    }
}

/// The box of one core.
///
/// It has two places, that of the even numbers and that of the odd ones: while a revision is put into the one, the core can
/// take the revision before it from the other. So a core never waits for whoever publishes, and never goes on with what was
/// replaced before that.
pub struct Post {
    /// Number of the newest revision that was put in.
    newest: AtomicU64,
    arrived: [Mutex<Option<Parcel>>; 2],
    /// What the core has done with. Dropping it takes long, so others do.
    returned: Mutex<Vec<Parcel>>,
}

impl Post {
    /// The empty box of a core that has revision `number`.
    pub(super) fn empty(number: u64) -> Post {
        Post {
            newest: AtomicU64::new(number),
            arrived: Default::default(),
            returned: Mutex::default(),
        }
    }

    fn place(&self, number: u64) -> &Mutex<Option<Parcel>> {
        let [even, odd] = &self.arrived;
        if number.is_multiple_of(2) { even } else { odd }
    }

    /// Whether a core that has revision `number` should look into the box.
    #[inline]
    #[must_use]
    pub fn has_news(&self, number: u64) -> bool {
        self.newest.load(Ordering::Acquire) > number
    }

    /// Takes the newest revision in exchange for what the core has.
    #[cold]
    pub fn exchange(&self, revision: &mut Arc<Revision>, decider: &mut Decider) {
        loop {
            let newest = self.newest.load(Ordering::Acquire);
            if newest <= revision.number {
                return;
            }
            let arrived = match self.place(newest).try_lock() {
                Ok(mut place) => place.take(),
                Err(TryLockError::Poisoned(place)) => place.into_inner().take(),
                Err(TryLockError::WouldBlock) => None,
            };
            // INVARIANT: a place is cleared, or filled with something else, only once there is something newer in the other
            // one. So whoever finds nothing here finds another number next, and the core waits for nobody.
            if let Some(mut parcel) = arrived {
                parcel.swap(revision, decider);
                locked(&self.returned).push(parcel);
            }
        }
    }

    /// Puts in the parcel of the revision behind the newest one. What the core never took is dropped here.
    pub(super) fn put(&self, parcel: Parcel) {
        let number = parcel.revision.number;
        *locked(self.place(number)) = Some(parcel);
        self.newest.store(number, Ordering::Release);
        let never_taken = locked(self.place(number + 1)).take();
        drop(never_taken);
    }

    /// Drops what the core gave back.
    pub(super) fn clear(&self) {
        let returned = std::mem::take(&mut *locked(&self.returned));
        drop(returned);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
