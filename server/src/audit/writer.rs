//! The audit thread: frames out of all rings, lines of JSON into one outlet, one write for a batch of whole lines.
//!
//! What an outlet does not take is tried again until it does: meanwhile the rings fill up, and what a full ring means is
//! what the operator chose. Only where an answer waits for its record, or none is taken ever again, is a record given up;
//! the stream gets a mark in its place.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::audit::batch::{Batch, Source};
use crate::audit::ledger::Ledger;
use crate::audit::outlet::Outlet;
use crate::audit::retry::Retry;
use crate::audit::sink::{HEADER_BYTES, KIND_RECORD};
use crate::audit::status::Status;
use crate::audit::wake::Wake;
use crate::clock;
use crate::error::reason;
use crate::limits;
use crate::log::{self, Level};

/// Makes records of frames.
pub trait Render {
    /// A pass over all rings begins.
    fn begin_pass(&mut self) {}

    /// Turns a frame into one line with its line end, appended to the buffer. False if the bytes are no frame.
    fn render(&mut self, frame: &[u8], text: &mut Vec<u8>) -> bool;

    /// The record that was rendered last never leaves: it is larger than the outlet takes.
    fn drop_last(&mut self) {}

    /// What became of the records that were rendered since this was said last: so many of them left, in order, and the others
    /// never do.
    fn settled(&mut self, _left: u64) {}

    /// Every frame that was in a ring when the pass began was rendered.
    fn end_pass(&mut self) {}
}

/// One worker's ring, at the audit thread's end.
pub(super) struct Ring {
    pub(super) frames: rtrb::Consumer<u8>,
    pub(super) ledger: Arc<Ledger>,
    /// Bytes taken so far: the ticket of the last frame.
    pub(super) taken: u64,
}

/// Records that were lost and of which the log does not tell yet: it does once a second, since whoever sends requests can cause
/// any number of them, and what is written to the log is not written to the stream.
#[derive(Default)]
struct Untold {
    without_room: u64,
    too_large: u64,
    told: Option<Instant>,
}

impl Untold {
    const PAUSE: Duration = Duration::from_secs(1);

    /// Tells, if there is something and it is time, or the end.
    fn tell(&mut self, is_end: bool) {
        let lost = [
            (
                &mut self.without_room,
                "there was no room for them on the way to where they go",
            ),
            (
                &mut self.too_large,
                "they are larger than a record may be where they go",
            ),
        ];
        if lost.iter().all(|(count, _)| **count == 0) {
            return;
        }
        let now = Instant::now();
        if !is_end && self.told.is_some_and(|told| now - told < Untold::PAUSE) {
            return;
        }
        self.told = Some(now);
        for (count, why) in lost {
            match std::mem::take(count) {
                0 => {}
                count => log::line(
                    Level::Error,
                    format_args!("{count} access records were lost: {why}"),
                ),
            }
        }
    }
}

/// The audit thread.
pub(super) struct Writer {
    rings: Vec<Ring>,
    outlet: Box<dyn Outlet>,
    render: Box<dyn Render>,
    /// Answers wait for their records: what cannot be written now is given up now.
    acknowledges: bool,
    batch: Batch,
    /// The last frame that was not read where it lay.
    frame: Vec<u8>,
    /// Records that could not be rendered.
    pub(super) damaged: u64,
    /// Records that were given up and whose mark is not in the stream.
    owed: u64,
    untold: Untold,
    retry: Retry,
    status: Arc<Status>,
}

impl Writer {
    pub(super) fn new(
        rings: Vec<Ring>,
        outlet: Box<dyn Outlet>,
        render: Box<dyn Render>,
        acknowledges: bool,
        status: Arc<Status>,
    ) -> Writer {
        Writer {
            rings,
            outlet,
            render,
            acknowledges,
            batch: Batch::default(),
            frame: Vec::new(),
            damaged: 0,
            owed: 0,
            untold: Untold::default(),
            retry: Retry::default(),
            status,
        }
    }

    /// Runs until it is stopped and everything is written or given up.
    pub(super) fn run(&mut self, stop: &AtomicBool, wake: &Wake) {
        let mut idle = 0;
        loop {
            // Read before the rings, so that nothing can be submitted between an empty ring and the end.
            let stopping = stop.load(Ordering::Acquire);
            let began_ns = clock::monotonic_ns();
            self.reopen_if_asked();
            self.render.begin_pass();
            let found = self.drain(stopping);
            if !self.holds_back() {
                self.render.end_pass();
            }
            self.flush(stopping);
            self.rest();
            self.untold.tell(stopping);
            if self.batch.is_empty() {
                self.status.progress.clean_ns.store(began_ns, Ordering::Relaxed);
            }
            if found {
                idle = 0;
            } else if stopping {
                // What is left in the rings was not looked at while a batch waited that is given up now.
                if self.rings.iter().all(|ring| ring.frames.is_empty()) {
                    return;
                }
            } else if self.is_stuck() {
                thread::sleep(Duration::from_millis(limits::AUDIT_RETRY_MS_MIN));
            } else {
                if self.acknowledges {
                    wake.sleep(|| self.rings.iter().any(|ring| !ring.frames.is_empty()));
                } else {
                    wake.wait(idle);
                }
                idle = idle.saturating_add(1);
            }
        }
    }

    fn reopen_if_asked(&mut self) {
        // Looked at first: whoever writes takes the flags beside it away from the workers.
        if self.status.reopen.load(Ordering::Relaxed)
            && self.status.reopen.swap(false, Ordering::Acquire)
            && let Err(error) = self.outlet.reopen()
        {
            let (name, why) = (self.outlet.name(), reason(&error));
            let text = format_args!("{name} could not be opened again, the open one is used on: {why}");
            log::line(Level::Error, text);
        }
    }

    fn rest(&mut self) {
        if let Err(error) = self.outlet.rest() {
            self.failed(&error);
        }
    }

    /// Empties all rings, taking turns so that one busy core cannot hold back the others. True if there was anything.
    ///
    /// Takes nothing while a whole batch waits that could not be written.
    fn drain(&mut self, stopping: bool) -> bool {
        self.say_first();
        let mut any = false;
        let mut taken = 0_u32;
        for index in 0..self.rings.len() {
            let slots = |ring: &Ring| ring.frames.slots();
            let mut left = self.rings.get(index).map_or(0, slots);
            while left > 0
                && !self.holds_back()
                && let Some(taken_bytes) = self.take(index)
            {
                any = true;
                left = left.saturating_sub(taken_bytes);
                taken += 1;
                if taken.is_multiple_of(limits::AUDIT_RECORDS_BEFORE_YIELD) {
                    thread::yield_now();
                }
                if self.batch.len() >= limits::AUDIT_BATCH_BYTES {
                    self.flush(stopping);
                }
            }
        }
        any
    }

    /// A batch that failed waits for its next turn.
    fn is_stuck(&self) -> bool {
        !self.acknowledges && !self.batch.is_empty() && self.status.failing.load(Ordering::Relaxed)
    }

    /// It does, and the rings behind it: it has no room for more. Until then frames become text, so that nothing has to be
    /// kept for them.
    fn holds_back(&self) -> bool {
        self.batch.len() >= limits::AUDIT_BATCH_BYTES && self.is_stuck()
    }

    /// What the stream has to say before the next record.
    fn say_first(&mut self) {
        let broken = self.status.broken.load(Ordering::Relaxed);
        if !self.batch.is_empty() || self.retry.is_waiting() || broken {
            return;
        }
        if self.owed > 0 {
            self.batch.gap(std::mem::take(&mut self.owed));
        }
    }

    /// Takes the next frame, if there is one: its bytes.
    fn take(&mut self, index: usize) -> Option<usize> {
        let ring = self.rings.get_mut(index)?;
        let header = ring.frames.read_chunk(HEADER_BYTES).ok()?;
        let [l0, l1, l2, l3, kind] = header_of(&header);
        let taken_bytes = HEADER_BYTES + u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        // A frame is published whole, so its rest is there when its header is.
        let mut chunk = Some(ring.frames.read_chunk(taken_bytes).ok()?);
        if let Some(kept) = chunk.take_if(|chunk| !is_usual(chunk)) {
            // The worker has its room again before the record is made, which takes long where it is large.
            let (one, two) = kept.as_slices();
            self.frame.clear();
            self.frame.extend_from_slice(one);
            self.frame.extend_from_slice(two);
            kept.commit_all();
        }
        let whole = chunk.as_ref().map_or(&*self.frame, |chunk| chunk.as_slices().0);
        let frame = whole.get(HEADER_BYTES..).unwrap_or_default();
        self.status.progress.taken.fetch_add(1, Ordering::Relaxed);
        let before = ring.taken;
        // A panic while the record is made ends this thread, so that nobody goes on from here with the frame still there.
        ring.taken += taken_bytes as u64;
        if kind == KIND_RECORD {
            let bytes_max = self.outlet.record_bytes_max();
            let render = &mut self.render;
            let source = Source {
                ring: index,
                ticket: ring.taken,
            };
            let mut rendered = false;
            let write = |text: &mut Vec<u8>| {
                rendered = render.render(frame, text);
                rendered
            };
            if !self.batch.record(source, bytes_max, write) {
                if rendered {
                    self.render.drop_last();
                    self.untold.too_large += 1;
                }
                ring.ledger.fail(before, ring.taken);
                self.damaged += 1;
                self.status.lost.fetch_add(1, Ordering::Relaxed);
                self.batch.gap(1);
            }
        } else {
            let count = frame.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            self.batch.gap(count);
            self.untold.without_room += count;
        }
        if let Some(chunk) = chunk {
            chunk.commit_all();
        }
        Some(taken_bytes)
    }

    /// Writes the batch, unless it failed a moment ago.
    fn flush(&mut self, stopping: bool) {
        if self.retry.is_waiting() && !stopping {
            if self.is_hopeless() {
                self.give_up();
            }
            return;
        }
        if self.batch.is_empty() {
            // Where everything was given up there may be nothing to try with: the next record does.
            return self.recovered();
        }
        match self.outlet.write(&mut self.batch) {
            Ok(()) => {
                self.let_go();
                self.recovered();
            }
            Err(error) => {
                self.failed(&error);
                if stopping || self.is_hopeless() || self.status.broken.load(Ordering::Relaxed) {
                    self.give_up();
                }
            }
        }
        if self.frame.capacity() > limits::BUFFER_BYTES_KEEP {
            self.frame = Vec::new();
        }
    }

    /// Whether what cannot be written now is given up now. Not while the outlet may have more than it should: until that is
    /// mended nobody is answered, since what the answer was would not be what is recorded.
    fn is_hopeless(&self) -> bool {
        self.acknowledges && self.outlet.is_whole()
    }

    /// What is left of the batch will never be written: its answers become denials, and the stream gets a mark once it can.
    /// Of a record that is out the answer stands: what the outlet has is what was answered.
    fn give_up(&mut self) {
        for (index, ring) in self.rings.iter().enumerate() {
            let recorded = self.batch.last_out(index);
            ring.ledger
                .fail(recorded.unwrap_or_else(|| ring.ledger.settled()), ring.taken);
        }
        let left = self.batch.count_left();
        self.status.lost.fetch_add(left.records, Ordering::Relaxed);
        self.owed += left.records + left.missing;
        self.let_go();
    }

    /// What became of the batch is known.
    fn let_go(&mut self) {
        let records = self.batch.count_out().records;
        self.status.progress.written.fetch_add(records, Ordering::Relaxed);
        self.render.settled(records);
        self.batch.clear();
        for ring in &self.rings {
            if ring.ledger.settled() < ring.taken {
                ring.ledger.settle(ring.taken);
            }
        }
    }

    fn failed(&mut self, error: &std::io::Error) {
        self.status.count_error();
        let (name, why) = (self.outlet.name(), reason(error));
        // Whoever read a pipe and is gone does not come back to it.
        if error.kind() == ErrorKind::BrokenPipe {
            if !self.status.broken.swap(true, Ordering::Relaxed) {
                let text = format_args!("access records are lost from now on: {name}: {why}");
                log::line(Level::Error, text);
            }
            return;
        }
        if !self.status.failing.swap(true, Ordering::Relaxed) {
            let text = format_args!("access records cannot be written at this moment: {name}: {why}");
            log::line(Level::Error, text);
        }
        self.retry.later(Instant::now());
    }

    fn recovered(&mut self) {
        self.retry = Retry::default();
        if self.status.failing.load(Ordering::Relaxed) {
            self.status.failing.store(false, Ordering::Relaxed);
            let name = self.outlet.name();
            log::line(
                Level::Info,
                format_args!("access records are written again: {name}"),
            );
        }
    }
}

/// Whether a frame is read where it lies: in one piece, and its room is not much of the ring.
fn is_usual(chunk: &rtrb::chunks::ReadChunk<'_, u8>) -> bool {
    chunk.as_slices().1.is_empty() && chunk.len() <= limits::BUFFER_BYTES_KEEP
}

/// What a frame begins with, which may lie around the end of the ring.
fn header_of(chunk: &rtrb::chunks::ReadChunk<'_, u8>) -> [u8; HEADER_BYTES] {
    let (one, two) = chunk.as_slices();
    let mut header = [0; HEADER_BYTES];
    for (place, byte) in header.iter_mut().zip(one.iter().chain(two)) {
        *place = *byte;
    }
    header
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use super::*;
    use crate::audit::outlet::Plain;

    /// What was written, for whoever has a clone.
    #[derive(Clone, Default)]
    pub(in crate::audit) struct Text(pub(in crate::audit) Arc<Mutex<Vec<u8>>>);

    impl Write for Text {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<F: FnMut(&[u8], &mut Vec<u8>) -> bool> Render for F {
        fn render(&mut self, frame: &[u8], text: &mut Vec<u8>) -> bool {
            self(frame, text)
        }
    }

    /// A writer whose records are what its frames hold, behind a ring of so many bytes of which some went through it already.
    fn writer(ring_bytes: usize, passed: usize) -> (rtrb::Producer<u8>, Writer, Text) {
        let (mut producer, mut frames) = rtrb::RingBuffer::new(ring_bytes);
        producer.push_entire_slice(&vec![0; passed]).unwrap();
        frames.pop_entire_slice(&mut vec![0; passed]).unwrap();
        let output = Text::default();
        let ring = Ring {
            frames,
            ledger: Arc::default(),
            taken: 0,
        };
        let render = |frame: &[u8], text: &mut Vec<u8>| {
            text.extend_from_slice(frame);
            true
        };
        let outlet = Box::new(Plain::new(Box::new(output.clone()), "test"));
        let writer = Writer::new(vec![ring], outlet, Box::new(render), false, Arc::default());
        (producer, writer, output)
    }

    fn frame_of(record: &[u8]) -> Vec<u8> {
        let mut frame = u32::try_from(record.len()).unwrap().to_le_bytes().to_vec();
        frame.push(KIND_RECORD);
        frame.extend_from_slice(record);
        frame
    }

    #[test]
    fn a_large_record_leaves_no_large_buffers() {
        let large = 2 * limits::AUDIT_TEXT_BYTES_KEEP;
        for passed in [0, large + large / 2] {
            let (mut producer, mut writer, output) = writer(2 * large, passed);
            producer.push_entire_slice(&frame_of(&vec![b'x'; large])).unwrap();
            assert!(writer.drain(false));
            assert_eq!(producer.slots(), 2 * large);
            writer.flush(false);
            assert_eq!(output.0.lock().unwrap().len(), large);
            assert!(writer.batch.capacity() <= limits::AUDIT_TEXT_BYTES_KEEP);
            assert!(writer.frame.capacity() <= limits::BUFFER_BYTES_KEEP);
        }
    }

    #[test]
    fn a_frame_is_taken_wherever_the_ring_ends() {
        for passed in 0..32 {
            let (mut producer, mut writer, output) = writer(32, passed);
            for record in ["one", "", "three"] {
                producer.push_entire_slice(&frame_of(record.as_bytes())).unwrap();
            }
            assert!(writer.drain(false));
            writer.flush(false);
            assert_eq!(&*output.0.lock().unwrap(), b"onethree", "{passed}");
            assert_eq!((producer.slots(), writer.rings[0].taken), (32, 23));
        }
    }
}
