//! Syncs beside the audit thread, so that no answer waits for a sync that it was not promised.

use std::fs::File;
use std::io;
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A thread that syncs files. It ends with this value, after the last of them.
pub(super) struct Syncer {
    files: SyncSender<File>,
    failed: Arc<Mutex<Option<io::Error>>>,
}

impl Syncer {
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start() -> io::Result<Syncer> {
        let (files, orders) = mpsc::sync_channel::<File>(1);
        let failed = Arc::<Mutex<Option<io::Error>>>::default();
        let tell = Arc::clone(&failed);
        thread::Builder::new()
            .name("audit-sync".to_owned())
            .spawn(move || {
                for file in orders {
                    if let Err(error) = file.sync_data() {
                        *tell.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    }
                }
            })?;
        Ok(Syncer { files, failed })
    }

    /// Begins to sync a file. False while there is enough to sync already.
    ///
    /// # Errors
    /// No descriptor is left, or the thread is gone.
    pub(super) fn begin(&self, file: &File) -> io::Result<bool> {
        match self.files.try_send(file.try_clone()?) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Disconnected(_)) => Err(io::Error::other("the thread that syncs is gone")),
        }
    }

    /// What failed since this was asked last.
    pub(super) fn outcome(&self) -> io::Result<()> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.map_or(Ok(()), Err)
    }
}
