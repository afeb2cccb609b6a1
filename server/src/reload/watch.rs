//! The thread that notices changed files.
//!
//! What the kernel says of a folder is a hint only: links are swapped, files renamed, written twice, or changed on file
//! systems that tell nothing. A hint, or some seconds without one, leads to a comparison of what the files hold.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use inotify::{Inotify, WatchDescriptor, WatchMask, Watches};
use tokio::sync::oneshot;

use super::ask::{Ask, Cause};
use super::fingerprint::Fingerprint;
use super::loading::Wish;
use super::reloader::Reloader;
use crate::limits;
use crate::log::{self, Level};
use crate::sys;

/// Starts the thread, which asks for a reload whenever the files of the last load hold something else.
///
/// # Errors
/// No thread can be started.
pub fn watch(reloader: Reloader) -> io::Result<()> {
    let (hint, hints) = mpsc::sync_channel(1);
    let folders = match Folders::new(hint) {
        Ok(folders) => Some(folders),
        Err(error) => {
            let seconds = limits::WATCH_POLL_SECONDS;
            log::line(
                Level::Warn,
                format_args!(
                    "folders cannot be watched ({error}): files are looked at every {seconds} seconds"
                ),
            );
            None
        }
    };
    thread::Builder::new().name("watch".to_owned()).spawn(move || {
        sys::step_back();
        run(&reloader, folders, &hints);
    })?;
    Ok(())
}

fn run(reloader: &Reloader, mut folders: Option<Folders>, hints: &Receiver<()>) {
    loop {
        let (files, seen) = reloader.seen();
        if let Some(folders) = &mut folders {
            folders.cover(&files, &seen);
        }
        if Fingerprint::of(&files) == seen {
            wait(hints, folders.is_some());
            continue;
        }
        settle(hints);
        let (answer, answered) = oneshot::channel();
        let ask = Ask {
            cause: Cause::Files,
            wish: Wish::default(),
            answer: Some(answer),
        };
        if !reloader.ask(ask) || answered.blocking_recv().is_err() {
            return;
        }
    }
}

/// Waits for a hint, or for the time to look without one.
fn wait(hints: &Receiver<()>, may_hear: bool) {
    let pause = Duration::from_secs(limits::WATCH_POLL_SECONDS);
    match hints.recv_timeout(pause) {
        Ok(()) => settle(hints),
        Err(RecvTimeoutError::Timeout) => {}
        Err(RecvTimeoutError::Disconnected) => {
            // Nobody can give hints; with a channel that is closed the wait would not wait.
            if may_hear {
                log::line(
                    Level::Warn,
                    format_args!("folders cannot be watched any more: files are looked at now and then"),
                );
            }
            thread::sleep(pause);
        }
    }
}

/// Waits until no hint comes for a moment: whoever writes several files should have written all of them.
fn settle(hints: &Receiver<()>) {
    let quiet = Duration::from_millis(limits::WATCH_QUIET_MS);
    let end = Instant::now() + Duration::from_millis(limits::WATCH_SETTLE_MS_MAX);
    while Instant::now() < end {
        match hints.recv_timeout(quiet) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => return thread::sleep(quiet),
        }
    }
}

/// Folders of which the kernel tells when something in them changes.
struct Folders {
    watches: Watches,
    watched: BTreeMap<PathBuf, WatchDescriptor>,
}

impl Folders {
    fn new(hint: SyncSender<()>) -> io::Result<Folders> {
        let mut inotify = Inotify::init()?;
        let watches = inotify.watches();
        thread::Builder::new()
            .name("watch-hints".to_owned())
            .spawn(move || {
                let mut buffer = [0; 4096];
                while inotify.read_events_blocking(&mut buffer).is_ok() {
                    // One hint that waits is as good as many.
                    if let Err(mpsc::TrySendError::Disconnected(())) = hint.try_send(()) {
                        return;
                    }
                }
            })?;
        Ok(Folders {
            watches,
            watched: BTreeMap::new(),
        })
    }

    /// Watches the folders of these files, as they are named and where their links lead, and no others.
    fn cover(&mut self, files: &[PathBuf], seen: &Fingerprint) {
        let mut wanted = BTreeSet::new();
        for path in files.iter().map(PathBuf::as_path).chain(seen.files()) {
            wanted.extend(folder_of(path));
            wanted.extend(path.canonicalize().ok().as_deref().and_then(folder_of));
        }
        let mask = WatchMask::CLOSE_WRITE
            | WatchMask::MODIFY
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVE
            | WatchMask::DELETE_SELF
            | WatchMask::MOVE_SELF;
        let (watches, mut old) = (&mut self.watches, std::mem::take(&mut self.watched));
        for folder in wanted {
            // Asked for again even if it is watched: another folder may have its name now. One that cannot be watched is
            // looked at now and then.
            if let Ok(watch) = watches.add(&folder, mask) {
                old.retain(|_, known| *known != watch);
                self.watched.insert(folder, watch);
            }
        }
        for watch in old.into_values() {
            // It may be gone with its folder.
            let _ = watches.remove(watch);
        }
    }
}

fn folder_of(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.to_path_buf());
    }
    let folder = path.parent()?;
    Some(if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder.to_path_buf()
    })
}
