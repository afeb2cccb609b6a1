//! The revisions that frames on their way to the audit thread may name, each kept until its last frame was written.
//!
//! While records cannot be written the frames wait, and each revision that they name is an image in memory. Rings bound the
//! frames and not the revisions: a ring holds thousands of frames, and each may name another one. So there is room for some
//! revisions that are kept for records alone, and no record is taken of a revision that comes when there is none left. Such
//! a record is one for which the ring has no room: what happens then is what the operator chose, and the stream gets a mark.

use std::num::NonZeroU64;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use gavel_runtime::decision::{Decider, write_json};
use gavel_runtime::limits::Limits;

use super::revision::Revision;
use crate::audit::Render;
use crate::limits;
use crate::log::{self, Level};

/// Revisions that records may name.
#[derive(Default)]
pub struct Archive {
    shelf: Mutex<Shelf>,
    /// Some revisions went.
    released: Condvar,
}

#[derive(Default)]
struct Shelf {
    /// Rising numbers. What nobody else has is here for records alone.
    kept: Vec<Arc<Revision>>,
    /// The newest revision, where there was no room for it.
    outside: Option<Arc<Revision>>,
}

impl Shelf {
    fn is_full(&self) -> bool {
        let alone = self.kept.iter().filter(|revision| is_alone(revision));
        alone.count() >= limits::AUDIT_REVISIONS_MAX
    }

    /// From here on records may name it.
    fn take_in(&mut self, revision: Arc<Revision>) {
        revision.keep();
        self.kept.push(revision);
    }
}

/// Whether nobody decides by a revision any more.
fn is_alone(revision: &Arc<Revision>) -> bool {
    Arc::strong_count(revision) == 1
}

impl Archive {
    /// Waits for room for a revision, for a bounded time: reloads that follow each other at once are no outage.
    pub(super) fn wait_for_room(&self) {
        let time = Duration::from_millis(limits::AUDIT_REVISIONS_WAIT_MS);
        let is_full = |shelf: &mut Shelf| shelf.is_full();
        // Whether there is some now is looked at once more anyway.
        let _ = self.released.wait_timeout_while(self.lock(), time, is_full);
    }

    /// Must come before the first decision by a revision.
    pub(super) fn add(&self, revision: Arc<Revision>) {
        let mut shelf = self.lock();
        // Whatever waits outside is older, and was never recorded.
        let older = shelf.outside.take();
        let (number, is_full) = (revision.number, shelf.is_full());
        if is_full {
            shelf.outside = Some(revision);
        } else {
            shelf.take_in(revision);
        }
        drop(shelf);
        drop(older);
        if is_full {
            let count = limits::AUDIT_REVISIONS_MAX;
            let text = format_args!(
                "no access record is taken of revision {number}: records of {count} revisions before it wait to be written"
            );
            log::line(Level::Error, text);
        }
    }

    /// Revisions that are in memory for whatever reason.
    #[must_use]
    pub fn count(&self) -> usize {
        let shelf = self.lock();
        shelf.kept.len() + usize::from(shelf.outside.is_some())
    }

    /// Adds the numbers of those that nobody decides by any more.
    fn alone(&self, numbers: &mut Vec<u64>) {
        let shelf = self.lock();
        let alone = shelf.kept.iter().filter(|revision| is_alone(revision));
        numbers.extend(alone.map(|revision| revision.number));
    }

    fn find(&self, number: u64) -> Option<Weak<Revision>> {
        let shelf = self.lock();
        let found = shelf.kept.iter().find(|revision| revision.number == number);
        found.map(Arc::downgrade)
    }

    /// No frame names these any more.
    fn release(&self, numbers: &[u64]) {
        let mut shelf = self.lock();
        let is_released = |revision: &mut Arc<Revision>| numbers.contains(&revision.number);
        let released: Vec<Arc<Revision>> = shelf.kept.extract_if(.., is_released).collect();
        let is_full = shelf.is_full();
        let outside = shelf.outside.take_if(|_| !is_full);
        let number = outside.as_ref().map(|revision| revision.number);
        outside.into_iter().for_each(|revision| shelf.take_in(revision));
        drop(shelf);
        self.released.notify_all();
        // That takes long.
        drop(released);
        if let Some(number) = number {
            log::line(
                Level::Info,
                format_args!("access records of revision {number} are taken"),
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A revision of the archive, and what records of it are written with.
struct Known {
    number: u64,
    /// The archive alone says how long it stays.
    revision: Weak<Revision>,
    scratch: Decider,
}

/// Writes records of frames, by the revision that decided. Lives on the audit thread.
pub struct Recorder {
    archive: Arc<Archive>,
    /// Those of which there were records. The newest is asked for most.
    known: Vec<Known>,
    /// Of so many grants one is recorded, as the stream says.
    told: Told,
    /// Revisions that nobody decides by any more, as of the beginning of the present pass over all rings.
    leaving: Vec<u64>,
}

impl Recorder {
    /// A recorder for what an archive is given.
    #[must_use]
    pub fn new(archive: Arc<Archive>) -> Recorder {
        Recorder {
            archive,
            known: Vec::new(),
            told: Told::default(),
            leaving: Vec::new(),
        }
    }

    fn place(&mut self, number: u64) -> Option<usize> {
        let place = self.known.iter().rposition(|known| known.number == number);
        place.or_else(|| {
            let revision = self.archive.find(number)?;
            let scratch = Decider::new(revision.upgrade()?.image(), &Limits::DEFAULT);
            self.known.push(Known {
                number,
                revision,
                scratch,
            });
            self.known.len().checked_sub(1)
        })
    }

    fn write(&mut self, frame: &[u8], text: &mut Vec<u8>) -> Option<()> {
        let (number, frame) = Revision::split_frame(frame)?;
        let place = self.place(number)?;
        let known = self.known.get_mut(place)?;
        let revision = known.revision.upgrade()?;
        // A stream says before the first record that it is a sample from here on, or none any more.
        let sample = revision.records.grants_sample;
        if self.told.now != sample {
            let among = sample.map_or(1, NonZeroU64::get);
            text.extend_from_slice(format!("{{\"sample\":{{\"grants\":\"{among}\"}}}}\n").as_bytes());
        }
        let scratch = &mut known.scratch;
        write_json(revision.image(), frame, &revision.records, scratch, text).then_some(())?;
        self.told.before_last = std::mem::replace(&mut self.told.now, sample);
        self.told.rendered += 1;
        Some(())
    }
}

/// What a stream says of sampling. It is said in front of a record, and with a record that never leaves it is not said: then
/// it is said again, rather twice than never.
#[derive(Default)]
struct Told {
    /// Behind the record that was rendered last.
    now: Option<NonZeroU64>,
    /// In front of it.
    before_last: Option<NonZeroU64>,
    /// Behind the last record of which it is known that it left.
    settled: Option<NonZeroU64>,
    /// Records of which nothing is known.
    rendered: u64,
}

impl Render for Recorder {
    fn begin_pass(&mut self) {
        self.leaving.clear();
        self.archive.alone(&mut self.leaving);
        // INVARIANT: whoever decided by these put its frames into its ring before it let go of the revision, so that the
        // pass which begins now sees all of them.
        fence(Ordering::Acquire);
    }

    fn render(&mut self, frame: &[u8], text: &mut Vec<u8>) -> bool {
        let written = self.write(frame, text).is_some();
        if !written {
            log::line(
                Level::Error,
                format_args!("an access record could not be written: its frame is damaged"),
            );
        }
        written
    }

    fn drop_last(&mut self) {
        self.told.now = self.told.before_last;
        self.told.rendered = self.told.rendered.saturating_sub(1);
    }

    fn settled(&mut self, left: u64) {
        if left < std::mem::take(&mut self.told.rendered) {
            self.told.now = self.told.settled;
        }
        self.told.settled = self.told.now;
    }

    fn end_pass(&mut self) {
        let leaving = &self.leaving;
        self.known.retain(|known| !leaving.contains(&known.number));
        self.archive.release(leaving);
    }
}
