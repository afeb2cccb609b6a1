//! One core's box. Looking whether there is news costs the core one load; taking it out happens between two requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
pub struct Post {
    /// Number of the newest revision that was put in.
    newest: AtomicU64,
    arrived: Mutex<Option<Parcel>>,
    /// What the core has done with. Dropping it takes long, so others do.
    returned: Mutex<Vec<Parcel>>,
}

impl Post {
    /// The empty box of a core that has revision `number`.
    pub(super) fn empty(number: u64) -> Post {
        Post {
            newest: AtomicU64::new(number),
            arrived: Mutex::default(),
            returned: Mutex::default(),
        }
    }

    /// Whether a core that has revision `number` should look into the box.
    #[inline]
    #[must_use]
    pub fn has_news(&self, number: u64) -> bool {
        self.newest.load(Ordering::Acquire) != number
    }

    /// Takes what arrived in exchange for what the core has.
    #[cold]
    pub fn exchange(&self, revision: &mut Arc<Revision>, decider: &mut Decider) {
        // Taken only while one puts something in: then the next request finds it.
        let Ok(mut arrived) = self.arrived.try_lock() else {
            return;
        };
        if let Some(mut parcel) = arrived.take() {
            parcel.swap(revision, decider);
            locked(&self.returned).push(parcel);
        }
    }

    /// Puts a parcel in. One that the core never took is dropped here.
    pub(super) fn put(&self, parcel: Parcel) {
        let number = parcel.revision.number;
        let never_taken = locked(&self.arrived).replace(parcel);
        self.newest.store(number, Ordering::Release);
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
