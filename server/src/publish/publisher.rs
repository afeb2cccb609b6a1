//! Whoever loads policies hands them out here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::archive::Archive;
use super::post::{Parcel, Post};
use super::revision::{Fresh, Revision};

/// Number of the first revision.
const FIRST: u64 = 1;

/// Gives out revisions, each with a number of its own.
pub struct Publisher {
    current: Mutex<Arc<Revision>>,
    posts: Vec<Arc<Post>>,
    archive: Arc<Archive>,
}

impl Publisher {
    /// Publishes the first revision to so many cores, each of which has a box.
    #[must_use]
    pub fn new(first: Fresh, cores: usize) -> Publisher {
        let first = Arc::new(Revision::new(FIRST, first));
        let archive = Arc::<Archive>::default();
        archive.add(Arc::clone(&first));
        Publisher {
            current: Mutex::new(first),
            posts: (0..cores).map(|_| Arc::new(Post::empty(FIRST))).collect(),
            archive,
        }
    }

    /// The newest revision.
    #[must_use]
    pub fn current(&self) -> Arc<Revision> {
        Arc::clone(&self.lock())
    }

    /// The boxes, in the order of the cores.
    #[must_use]
    pub fn posts(&self) -> &[Arc<Post>] {
        &self.posts
    }

    /// What the audit thread needs to write records.
    #[must_use]
    pub fn archive(&self) -> &Arc<Archive> {
        &self.archive
    }

    /// Replaces the newest revision. When it returns, no request that begins is decided by an older one.
    pub fn publish(&self, fresh: Fresh) -> Arc<Revision> {
        // What cores gave back does not count as used by anybody.
        self.tidy();
        self.archive.wait_for_room();
        let mut current = self.lock();
        let revision = Arc::new(Revision::new(current.number + 1, fresh));
        // Before anybody decides by it.
        self.archive.add(Arc::clone(&revision));
        // All parcels are made first, so that all cores change at nearly the same moment.
        let parcels: Vec<Parcel> = self.posts.iter().map(|_| Parcel::new(&revision)).collect();
        for (post, parcel) in self.posts.iter().zip(parcels) {
            post.put(parcel);
        }
        *current = Arc::clone(&revision);
        revision
    }

    /// Drops what cores gave back.
    pub fn tidy(&self) {
        self.posts.iter().for_each(|post| post.clear());
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Revision>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
