//! The revisions that frames on their way to the audit thread may name, each kept until its last frame was written.

use std::num::NonZeroU64;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};

use gavel_runtime::decision::{Decider, write_json};
use gavel_runtime::limits::Limits;

use super::revision::Revision;
use crate::audit::Render;
use crate::log::{self, Level};

/// Revisions on their way to the audit thread.
#[derive(Default)]
pub struct Archive(Mutex<Vec<Arc<Revision>>>);

impl Archive {
    /// Must come before the first decision by a revision.
    pub(super) fn add(&self, revision: Arc<Revision>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(revision);
    }

    fn take(&self) -> Vec<Arc<Revision>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes records of frames, by the revision that decided. Lives on the audit thread.
pub struct Recorder {
    archive: Arc<Archive>,
    /// Rising numbers; the newest is asked for most.
    known: Vec<(Arc<Revision>, Option<Decider>)>,
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

    fn take_new(&mut self) {
        let new = self.archive.take();
        self.known
            .extend(new.into_iter().map(|revision| (revision, None)));
    }

    fn place(&mut self, number: u64) -> Option<usize> {
        let find = |known: &[(Arc<Revision>, _)]| known.iter().rposition(|(known, _)| known.number == number);
        find(&self.known).or_else(|| {
            self.take_new();
            find(&self.known)
        })
    }

    fn write(&mut self, frame: &[u8], text: &mut Vec<u8>) -> Option<()> {
        let (number, frame) = Revision::split_frame(frame)?;
        let place = self.place(number)?;
        let (revision, scratch) = self.known.get_mut(place)?;
        let scratch = scratch.get_or_insert_with(|| Decider::new(revision.image(), &Limits::DEFAULT));
        // A stream says before the first record that it is a sample from here on, or none any more.
        let sample = revision.records.grants_sample;
        if self.told.now != sample {
            let among = sample.map_or(1, NonZeroU64::get);
            text.extend_from_slice(format!("{{\"sample\":{{\"grants\":\"{among}\"}}}}\n").as_bytes());
        }
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
        self.take_new();
        let alone = self
            .known
            .iter()
            .filter(|(revision, _)| Arc::strong_count(revision) == 1);
        self.leaving.clear();
        self.leaving.extend(alone.map(|(revision, _)| revision.number));
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
        self.known
            .retain(|(revision, _)| !leaving.contains(&revision.number));
    }
}
