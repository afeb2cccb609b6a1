//! The file that a server under load writes its access records to: what is old goes a little at a time, where to cut the whole
//! file takes the processor that the server is on for 1.5 ms and more.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::fs::{FallocateFlags, fallocate};

/// Bytes at the end of the file that stay.
const KEEP_BYTES: u64 = 8 << 20;

/// Bytes that go together: some 50 us.
const CUT_BYTES: u64 = 256 << 10;

/// How often there may be some to go.
const LOOK: Duration = Duration::from_millis(5);

/// A file that does not grow on its disk without end; removed with the value.
pub(crate) struct Records {
    /// Where it is.
    pub(crate) path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Records {
    /// A new one.
    ///
    /// # Errors
    /// No file can be made.
    pub(crate) fn new(name: &str) -> Result<Records, String> {
        let path = std::env::temp_dir().join(format!("gavel-report-{}-{name}.log", std::process::id()));
        let file = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut gone_bytes = 0;
            while !seen.load(Ordering::Relaxed) {
                // Where no holes can be made all of it goes. A file that stays long is no reason to stop measuring.
                let cut = cut(&file, gone_bytes).or_else(|_| file.set_len(0).map(|()| 0));
                gone_bytes = cut.unwrap_or(gone_bytes);
                std::thread::sleep(LOOK);
            }
        });
        Ok(Records {
            path,
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Gives back to the disk what is too far from the end of a file whose first `gone_bytes` are gone; how many are then.
fn cut(file: &File, mut gone_bytes: u64) -> io::Result<u64> {
    let end = file.metadata()?.len();
    let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    while end.saturating_sub(gone_bytes) >= KEEP_BYTES + CUT_BYTES {
        fallocate(file, hole, gone_bytes, CUT_BYTES)?;
        gone_bytes += CUT_BYTES;
    }
    Ok(gone_bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    use super::{CUT_BYTES, KEEP_BYTES, cut};

    #[test]
    fn what_is_old_goes_and_the_end_stays() {
        let path = std::env::temp_dir().join(format!("gavel-records-{}.log", std::process::id()));
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(&path)
            .unwrap();
        std::fs::remove_file(&path).unwrap();
        file.write_all(&vec![b'x'; KEEP_BYTES as usize + 1]).unwrap();
        assert_eq!(cut(&file, 0).unwrap(), 0);
        file.write_all(&vec![b'y'; 3 * CUT_BYTES as usize]).unwrap();
        let gone_bytes = cut(&file, 0).unwrap();
        assert_eq!(gone_bytes, 3 * CUT_BYTES);
        assert_eq!(cut(&file, gone_bytes).unwrap(), gone_bytes);
        let (mut last_gone, mut first_kept) = ([1], [1]);
        file.read_exact_at(&mut last_gone, gone_bytes - 1).unwrap();
        file.read_exact_at(&mut first_kept, gone_bytes).unwrap();
        assert_eq!((last_gone, first_kept), ([0], [b'x']));
        let file = file.metadata().unwrap();
        assert_eq!(file.len(), KEEP_BYTES + 1 + 3 * CUT_BYTES);
        // One more block may be there for the list of the others.
        assert!(file.blocks() * 512 <= KEEP_BYTES + 2 * 4096, "{}", file.blocks());
    }
}
