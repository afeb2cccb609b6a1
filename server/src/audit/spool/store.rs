//! The writing end of a spool: segments that are only appended to, bounded in number of bytes.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::audit::batch::Batch;
use crate::audit::outlet::Outlet;
use crate::audit::spool::format::{self, FRAME_HEAD_BYTES, HEADER, HEADER_BYTES};
use crate::audit::spool::place::{self, Place};
use crate::audit::spool::recover::recover;
use crate::audit::spool::sync::Syncer;
use crate::audit::status::SpoolLook;
use crate::error::{Failure, reason};
use crate::limits;
use crate::log::{self, Level};

/// When what was written is made to outlive a loss of power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Fsync {
    /// With every write, before any answer that waits for it.
    EachBatch,
    /// Ten times a second.
    #[default]
    Interval,
    /// When the system does it by itself.
    Never,
}

/// A spool as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolOptions {
    /// Its folder, which is made if it is not there.
    pub folder: PathBuf,
    /// When it is synced.
    pub fsync: Fsync,
    /// What its segments may take.
    pub bytes_max: u64,
}

/// What the writing and the delivering end share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// More was written, or the end has come.
    pub(super) news: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Numbers and whole bytes of all segments; the last one may grow.
    pub(super) segments: VecDeque<(u64, u64)>,
    /// Up to here records are delivered.
    pub(super) delivered: Place,
    /// Nothing more will be written.
    pub(super) ended: bool,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The delivering end is to stop once it has everything.
    pub(crate) fn end(&self) {
        self.state().ended = true;
        self.news.notify_all();
    }

    pub(crate) fn look(&self) -> SpoolLook {
        let state = self.state();
        SpoolLook {
            segments: state.segments.len() as u64,
            bytes: state.bytes(),
            waiting_bytes: state.waiting_bytes(),
        }
    }
}

impl State {
    fn bytes(&self) -> u64 {
        self.segments.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Bytes that are not delivered.
    fn waiting_bytes(&self) -> u64 {
        self.waiting().map(|(_, bytes)| bytes).sum()
    }

    /// The numbers of all segments, each with its bytes that are not delivered.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (u64, u64)> {
        self.segments.iter().map(|(number, bytes)| {
            let waiting = match number.cmp(&self.delivered.segment) {
                std::cmp::Ordering::Less => 0,
                std::cmp::Ordering::Equal => bytes.saturating_sub(self.delivered.offset.max(HEADER_BYTES)),
                std::cmp::Ordering::Greater => bytes.saturating_sub(HEADER_BYTES),
            };
            (*number, waiting)
        })
    }
}

/// The segment that is written to.
struct Open {
    file: File,
    number: u64,
    /// Bytes of it that are whole frames.
    bytes: u64,
    /// Bytes of it that are synced, or about to be.
    synced: u64,
    /// There may be more behind `bytes`, which could not be cut off: nothing is written before it is.
    ragged: bool,
    /// Nothing more is to be written to it.
    is_over: bool,
}

/// The writing end.
pub(crate) struct Spool {
    options: SpoolOptions,
    segment_bytes: u64,
    shared: Arc<Shared>,
    open: Option<Open>,
    next: u64,
    frames: Vec<u8>,
    /// Under the policy `interval`.
    syncer: Option<Syncer>,
    sync_due: Instant,
    /// No other process has this spool as long as the file is open, and has its name.
    lock: File,
}

impl Spool {
    /// Takes over the folder and mends what a crash left: a torn end is cut at the last whole frame.
    ///
    /// # Errors
    /// Another process has it, or it cannot be written.
    pub(crate) fn open(options: SpoolOptions) -> Result<Spool, Failure> {
        let folder = options.folder.clone();
        let failed = |error: io::Error| {
            Failure::Operator(format!("audit spool {}: {}", folder.display(), reason(&error)))
        };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| match error.kind() {
            // Something else than a folder.
            ErrorKind::AlreadyExists => failed(ErrorKind::NotADirectory.into()),
            _ => failed(error),
        })?;
        if options.fsync != Fsync::Never
            && let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty())
        {
            // A folder that was just made is to be there after a loss of power, too. One that was there needs nothing, and its
            // parent may be closed to us.
            let _ = place::sync_folder(parent);
        }
        let lock = lock(&folder).map_err(failed)?;
        let delivered = place::delivered(&folder).map_err(failed)?;
        let segments = recover(&folder, delivered).map_err(failed)?;
        let last = segments.back().map_or(0, |(number, _)| *number);
        if delivered.segment > 0 && segments.iter().all(|(number, _)| *number != delivered.segment) {
            let path = place::segment_path(&folder, delivered.segment);
            let text = format_args!(
                "audit spool: {} is gone, up to which records were delivered: if it had more of them, these are lost",
                path.display()
            );
            log::line(Level::Warn, text);
        }
        let state = State {
            segments,
            delivered,
            ended: false,
        };
        let waiting = state.waiting_bytes();
        if waiting > 0 {
            let text = format_args!("audit spool: {waiting} bytes of records wait to be delivered again");
            log::line(Level::Info, text);
        }
        let syncer = (options.fsync == Fsync::Interval).then(Syncer::start);
        let syncer = syncer.transpose().map_err(failed)?;
        let mut spool = Spool {
            segment_bytes: limits::SPOOL_SEGMENT_BYTES.min(options.bytes_max / 4),
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                news: Condvar::new(),
            }),
            options,
            open: None,
            next: last.max(delivered.segment) + 1,
            frames: Vec::new(),
            syncer,
            sync_due: Instant::now(),
            lock,
        };
        // A folder that cannot be written to is told of now and not with the first record. A full disk may have room later.
        match spool.make_room(HEADER_BYTES).and_then(|()| spool.roll()) {
            Err(error) if !is_full(&error) => Err(failed(error)),
            Err(error) => {
                log::line(Level::Error, format_args!("{}", failed(error)));
                Ok(spool)
            }
            Ok(()) => Ok(spool),
        }
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.options.folder
    }

    /// Begins a new segment.
    fn roll(&mut self) -> io::Result<()> {
        // Somebody may have removed the folder and made it anew.
        if !place::is_at(&self.lock, &self.options.folder.join(place::LOCK)) {
            self.lock = self.lock_anew()?;
        }
        self.close()?;
        let (folder, number) = (&self.options.folder, self.next);
        let path = place::segment_path(folder, number);
        let made = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let begun = made.and_then(|mut file| {
            file.write_all(&HEADER)?;
            if self.options.fsync != Fsync::Never {
                file.sync_data()?;
                place::sync_folder(folder)?;
            }
            Ok(file)
        });
        match begun {
            Ok(file) => {
                self.open = Some(Open {
                    file,
                    number,
                    bytes: HEADER_BYTES,
                    synced: HEADER_BYTES,
                    ragged: false,
                    is_over: false,
                });
                self.next += 1;
                self.shared.state().segments.push_back((number, HEADER_BYTES));
                Ok(())
            }
            Err(error) => {
                // Nothing of worth is in what was made here. What is there still keeps its number.
                let is_others = error.kind() == ErrorKind::AlreadyExists;
                if is_others || (fs::remove_file(&path).is_err() && path.exists()) {
                    self.next += 1;
                }
                Err(error)
            }
        }
    }

    /// The lock of what has the folder's name now, if nobody else has it and no other spool is in it.
    fn lock_anew(&self) -> io::Result<File> {
        let folder = &self.options.folder;
        let lock = lock(folder)?;
        let is_in_place = |open: &Open| place::is_at(&open.file, &place::segment_path(folder, open.number));
        if self.open.as_ref().is_some_and(is_in_place) || place::segments(folder)?.is_empty() {
            return Ok(lock);
        }
        let text =
            "another spool has its place, or parts of it are gone: the next start goes on with what is there";
        Err(io::Error::other(text))
    }

    /// Ends the segment that is written to.
    fn close(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        if open.synced < open.bytes
            && let Some(syncer) = &self.syncer
            && !syncer.begin(&open.file)?
        {
            // Once in 16 MiB, and only if the disk is that slow.
            open.file.sync_data()?;
        }
        if open.bytes == HEADER_BYTES {
            let path = place::segment_path(&self.options.folder, open.number);
            drop(open);
            fs::remove_file(path)?;
            self.shared.state().segments.pop_back();
        }
        Ok(())
    }

    /// Removes delivered segments until there is room for so many bytes.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        let mut state = self.shared.state();
        while state.bytes() + bytes > self.options.bytes_max {
            let oldest = state.segments.front().map(|(number, _)| *number);
            let current = self.open.as_ref().map(|open| open.number);
            match oldest {
                Some(number) if number < state.delivered.segment && Some(number) != current => {
                    match fs::remove_file(place::segment_path(&self.options.folder, number)) {
                        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                        _ => {}
                    }
                    state.segments.pop_front();
                }
                _ => {
                    let text = format!(
                        "the spool has its {} bytes, and {} of them are not delivered",
                        self.options.bytes_max,
                        state.waiting_bytes()
                    );
                    return Err(io::Error::new(ErrorKind::QuotaExceeded, text));
                }
            }
        }
        Ok(())
    }

    /// Writes the frames of the next records of a batch, as many as go into one segment: their number of bytes as text.
    fn append(&mut self, batch: &Batch) -> io::Result<usize> {
        let each = self.options.fsync == Fsync::EachBatch;
        let is_synced = self.options.fsync != Fsync::Never;
        if let Some(open) = &mut self.open {
            cut(open, is_synced)?;
        }
        let full = |open: &Open| open.bytes >= self.segment_bytes || open.is_over;
        if self.open.as_ref().is_none_or(full) {
            self.make_room(HEADER_BYTES)?;
            self.roll()?;
        }
        let before = self.open.as_ref().map_or(HEADER_BYTES, |open| open.bytes);
        self.frames.clear();
        let mut text_bytes = 0;
        for piece in batch.pieces() {
            let more = (self.frames.len() + FRAME_HEAD_BYTES + piece.len()) as u64;
            if before + more > self.segment_bytes && text_bytes > 0 {
                break;
            }
            format::frame(piece, &mut self.frames);
            text_bytes += piece.len();
        }
        self.make_room(self.frames.len() as u64)?;
        let Some(open) = &mut self.open else {
            return Err(io::Error::other("no segment is open"));
        };
        if let Err(error) = open.file.write_all(&self.frames) {
            open.ragged = true;
            // If it cannot be done now, it is tried again before anything else is written.
            let _ = cut(open, is_synced);
            return Err(error);
        }
        if each && let Err(error) = open.file.sync_data() {
            // Nobody knows what is on the disk now, and the next sync may say that all is well: another segment is begun.
            (open.ragged, open.is_over) = (true, true);
            let _ = cut(open, is_synced);
            return Err(error);
        }
        // What has no name is gone with the process.
        let path = place::segment_path(&self.options.folder, open.number);
        if !place::is_at(&open.file, &path) {
            // It may be somewhere else, and be read there: it must not have what is denied now.
            open.ragged = true;
            cut(open, is_synced)?;
            self.open = None;
            let text = format!(
                "{} is gone, with the records in it; another file is begun",
                path.display()
            );
            return Err(io::Error::other(text));
        }
        open.bytes += self.frames.len() as u64;
        if each {
            open.synced = open.bytes;
        }
        if let Some((_, bytes)) = self.shared.state().segments.back_mut() {
            *bytes = open.bytes;
        }
        self.shared.news.notify_all();
        if self.frames.capacity() > limits::AUDIT_TEXT_BYTES_KEEP {
            self.frames = Vec::new();
        }
        Ok(text_bytes)
    }
}

impl Outlet for Spool {
    fn write(&mut self, batch: &mut Batch) -> io::Result<()> {
        while !batch.left().is_empty() {
            let bytes = self.append(batch)?;
            batch.advance(bytes);
        }
        Ok(())
    }

    fn name(&self) -> String {
        format!("audit spool {}", self.options.folder.display())
    }

    fn rest(&mut self) -> io::Result<()> {
        let (Some(syncer), Some(open)) = (&self.syncer, &mut self.open) else {
            return Ok(());
        };
        syncer.outcome()?;
        let now = Instant::now();
        if open.synced < open.bytes && self.sync_due <= now && syncer.begin(&open.file)? {
            open.synced = open.bytes;
            self.sync_due = now + Duration::from_millis(limits::SPOOL_INTERVAL_MS);
        }
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.open.as_ref().is_none_or(|open| !open.ragged)
    }

    fn record_bytes_max(&self) -> usize {
        let overhead = FRAME_HEAD_BYTES as u64 + HEADER_BYTES;
        usize::try_from(self.options.bytes_max / 4 - overhead).unwrap_or(usize::MAX)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // Whoever ends in order loses nothing with the machine either, whatever the policy.
        if let Some(open) = &mut self.open {
            let _ = cut(open, false);
            let _ = open.file.sync_data();
        }
    }
}

/// Cuts off what a write that failed left behind: records of requests that were denied for that reason, or that are written
/// again. `sync`: also for after a loss of power.
///
/// # Errors
/// It is still there.
fn cut(open: &mut Open, sync: bool) -> io::Result<()> {
    if !open.ragged {
        return Ok(());
    }
    open.file.set_len(open.bytes)?;
    if sync {
        open.file.sync_data()?;
    }
    open.ragged = false;
    Ok(())
}

/// Whether there is no room, which may change.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

fn lock(folder: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(folder.join(place::LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another process writes to it")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
