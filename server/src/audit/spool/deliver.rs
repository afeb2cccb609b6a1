//! The delivering end of a spool: a thread that reads what was written and hands it on, at least once each record.
//!
//! Where it begins is where it was when the process ended, in order or not; there is no other way of replay. A record that was
//! handed on just before a crash comes again with the same id.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::audit::batch::Batch;
use crate::audit::outlet::Outlet;
use crate::audit::retry::Retry;
use crate::audit::spool::format::{Frames, HEADER_BYTES, Item};
use crate::audit::spool::place::{self, Place};
use crate::audit::spool::store::{Shared, Spool, State};
use crate::audit::status::Status;
use crate::error::reason;
use crate::limits;
use crate::log::{self, Level};

/// The running thread.
pub(crate) struct Delivery {
    folder: PathBuf,
    shared: Arc<Shared>,
    ended: mpsc::Receiver<()>,
}

impl Delivery {
    /// Starts to hand on to `outlet` what is in `spool`. `watch` is dropped where the thread ends.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(
        spool: &Spool,
        outlet: Box<dyn Outlet>,
        status: Arc<Status>,
        watch: impl Send + 'static,
    ) -> io::Result<Delivery> {
        let shared = spool.shared();
        let (tell, ended) = mpsc::channel();
        let mut carrier = Carrier {
            folder: spool.folder().to_owned(),
            shared: Arc::clone(&shared),
            outlet,
            status,
            batch: Batch::default(),
            retry: Retry::default(),
            noted: shared.state().delivered,
            note_due: Instant::now(),
            open: None,
            failing: false,
        };
        thread::Builder::new()
            .name("audit-delivery".to_owned())
            .spawn(move || {
                let _watch = watch;
                carrier.run();
                let _ = tell.send(());
            })?;
        let folder = spool.folder().to_owned();
        Ok(Delivery {
            folder,
            shared,
            ended,
        })
    }

    /// Waits until everything is handed on, until then at the longest.
    pub(crate) fn finish(self, until: Instant) {
        self.shared.end();
        let patience = until.saturating_duration_since(Instant::now());
        let _ = self.ended.recv_timeout(patience);
        let (mut waiting, mut gone) = (0, 0);
        for (segment, bytes) in self.shared.state().waiting() {
            let is_there = place::segment_path(&self.folder, segment).exists();
            *(if is_there { &mut waiting } else { &mut gone }) += bytes;
        }
        if waiting > 0 {
            let text =
                format_args!("audit spool: {waiting} bytes of records will be delivered at the next start");
            log::line(Level::Warn, text);
        }
        if gone > 0 {
            let text = format_args!(
                "audit spool: {gone} bytes of records are lost that were not delivered: their files are gone"
            );
            log::line(Level::Error, text);
        }
    }
}

/// What is to be read next: a segment, from where to where.
struct Portion {
    segment: u64,
    from: u64,
    to: u64,
}

struct Carrier {
    folder: PathBuf,
    shared: Arc<Shared>,
    outlet: Box<dyn Outlet>,
    status: Arc<Status>,
    batch: Batch,
    retry: Retry,
    noted: Place,
    note_due: Instant,
    open: Option<(u64, File)>,
    failing: bool,
}

impl Carrier {
    fn run(&mut self) {
        loop {
            let portion = self.next_portion();
            if self.status.reopen_delivery() {
                self.reopen();
            }
            let Some(portion) = portion else {
                self.note(true);
                if self.is_done() {
                    return;
                }
                continue;
            };
            let reached = self.read(&portion);
            if !self.hand_on() {
                // The end came, or nobody takes anything any more; it is all still in the spool.
                self.note(true);
                return;
            }
            self.shared.state().delivered = reached;
            self.note(false);
        }
    }

    /// Waits for something to deliver, for a moment.
    fn next_portion(&self) -> Option<Portion> {
        let state = self.shared.state();
        let pause = Duration::from_millis(limits::SPOOL_INTERVAL_MS);
        let nothing = |state: &mut State| portion(state).is_none() && !state.ended;
        let waited = self.shared.news.wait_timeout_while(state, pause, nothing);
        let (state, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        portion(&state)
    }

    fn is_done(&self) -> bool {
        let state = self.shared.state();
        state.ended && portion(&state).is_none()
    }

    /// Reads whole records up to the size of a batch: the place behind them.
    fn read(&mut self, portion: &Portion) -> Place {
        let Portion { segment, from, to } = *portion;
        let mut at = from;
        if let Err(error) = self.fill(portion, &mut at) {
            let (path, why) = (place::segment_path(&self.folder, segment), reason(&error));
            let text = format_args!("audit spool: {} cannot be read: {why}", path.display());
            log::line(Level::Error, text);
            self.status.count_error();
            self.open = None;
            // Everything of it that follows is lost to the stream; the file itself is left alone.
            let line = format!("{{\"gap\":{{\"bytes\":\"{}\"}}}}\n", to - at);
            self.batch.line(line.as_bytes());
            at = to;
        }
        Place { segment, offset: at }
    }

    fn fill(&mut self, portion: &Portion, at: &mut u64) -> io::Result<()> {
        let Portion { segment, from, to } = *portion;
        if self.open.as_ref().is_none_or(|(number, _)| *number != segment) {
            let file = File::open(place::segment_path(&self.folder, segment))?;
            self.open = Some((segment, file));
        }
        let Some((_, file)) = &mut self.open else {
            return Err(ErrorKind::NotFound.into());
        };
        file.seek(SeekFrom::Start(from))?;
        let mut frames = Frames::new(
            BufReader::with_capacity(limits::AUDIT_BATCH_BYTES, file),
            from,
            to,
        );
        let mut record = Vec::new();
        while self.batch.len() < limits::AUDIT_BATCH_BYTES {
            match frames.next(&mut record)? {
                Item::Record => self.batch.line(&record),
                Item::Damaged => self.batch.gap(1),
                Item::End => break,
            }
            *at = frames.at();
        }
        Ok(())
    }

    /// Writes the batch, however long it takes. False if it was given up.
    fn hand_on(&mut self) -> bool {
        loop {
            let error = match self.outlet.write(&mut self.batch) {
                Ok(()) => {
                    self.batch.clear();
                    self.retry = Retry::default();
                    if std::mem::take(&mut self.failing) {
                        let text = format_args!("access records are delivered again: {}", self.outlet.name());
                        log::line(Level::Info, text);
                    }
                    return true;
                }
                Err(error) => error,
            };
            self.status.count_error();
            let gone = error.kind() == ErrorKind::BrokenPipe;
            if !std::mem::replace(&mut self.failing, true) {
                let (name, why) = (self.outlet.name(), reason(&error));
                let when = if gone { "any more" } else { "at this moment" };
                let text = format_args!(
                    "access records stay in the spool, they cannot be delivered {when}: {name}: {why}"
                );
                log::line(Level::Error, text);
            }
            if gone || self.shared.state().ended {
                return false;
            }
            self.retry.later(Instant::now());
            while self.retry.is_waiting() && !self.shared.state().ended {
                thread::sleep(Duration::from_millis(limits::AUDIT_RETRY_MS_MIN));
            }
            if self.status.reopen_delivery() {
                self.reopen();
            }
        }
    }

    fn reopen(&mut self) {
        if let Err(error) = self.outlet.reopen() {
            let (name, why) = (self.outlet.name(), reason(&error));
            let text = format_args!("{name} could not be opened again, the open one is used on: {why}");
            log::line(Level::Error, text);
        }
    }

    /// Whether what was read last still has its name: in a folder that has become another one the note would be of that one's
    /// records.
    fn is_in_place(&self) -> bool {
        let is_at =
            |(segment, file): &(u64, File)| place::is_at(file, &place::segment_path(&self.folder, *segment));
        self.open.as_ref().is_none_or(is_at)
    }

    /// Notes what is delivered, not more often than is worth it.
    fn note(&mut self, now: bool) {
        let delivered = self.shared.state().delivered;
        if delivered == self.noted || (!now && Instant::now() < self.note_due) || !self.is_in_place() {
            return;
        }
        self.note_due = Instant::now() + Duration::from_millis(limits::SPOOL_INTERVAL_MS);
        match place::note(&self.folder, delivered) {
            Ok(()) => self.noted = delivered,
            Err(_) => self.status.count_error(),
        }
    }
}

/// The next bytes that are not delivered.
fn portion(state: &State) -> Option<Portion> {
    let delivered = state.delivered;
    let (segment, to) = state.segments.iter().find(|(number, bytes)| {
        *number > delivered.segment && *bytes > HEADER_BYTES
            || *number == delivered.segment && *bytes > delivered.offset.max(HEADER_BYTES)
    })?;
    let from = if *segment == delivered.segment {
        delivered.offset
    } else {
        0
    };
    Some(Portion {
        segment: *segment,
        from,
        to: *to,
    })
}
