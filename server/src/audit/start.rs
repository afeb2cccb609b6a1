//! Starting and ending the audit, and looking at it.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::audit::file::{FileOptions, RotatingFile};
use crate::audit::ledger::Ledger;
use crate::audit::outlet::{Outlet, Plain};
use crate::audit::sink::{FullPolicy, Parts, Sink};
use crate::audit::spool::{Delivery, Spool, SpoolOptions};
use crate::audit::status::{Snapshot, Status};
use crate::audit::wake::Wake;
use crate::audit::writer::{Render, Ring, Writer};
use crate::error::Failure;
use crate::limits;
use crate::metrics::Counters;
use crate::sys;

/// Where records go.
pub struct Output {
    outlet: Box<dyn Outlet>,
    /// They go there from a spool.
    spool: Option<Spool>,
}

impl Output {
    /// To an open stream, which the log calls `name`.
    #[must_use]
    pub fn stream(stream: Box<dyn Write + Send>, name: &'static str) -> Output {
        Output {
            outlet: Box::new(Plain::new(stream, name)),
            spool: None,
        }
    }

    /// To a file that is turned over when it is full.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn file(options: FileOptions) -> Result<Output, Failure> {
        let path = options.path.clone();
        let file = RotatingFile::open(options).map_err(|error| Failure::unreadable(&path, &error))?;
        Ok(Output {
            outlet: Box::new(file),
            spool: None,
        })
    }

    /// To a spool, and from there to where they went.
    ///
    /// # Errors
    /// The spool cannot be opened, or another process has it.
    pub fn spooled(self, options: SpoolOptions) -> Result<Output, Failure> {
        Ok(Output {
            spool: Some(Spool::open(options)?),
            ..self
        })
    }
}

/// The running audit thread.
pub struct Audit {
    stop: Arc<AtomicBool>,
    wake: Arc<Wake>,
    /// Hears at the end whether every record could be rendered; hears nothing from a thread that died.
    ended: mpsc::Receiver<bool>,
    delivery: Option<Delivery>,
    status: Arc<Status>,
}

/// A look at the audit and a word to it, from any thread.
#[derive(Clone)]
pub struct Monitor {
    status: Arc<Status>,
    wake: Arc<Wake>,
}

impl Monitor {
    /// How it is doing.
    #[must_use]
    pub fn look(&self) -> Snapshot {
        self.status.snapshot()
    }

    /// Files are opened again by their names: somebody may have moved them away.
    pub fn reopen(&self) {
        self.status.reopen.store(true, Ordering::Release);
        self.status.reopen_behind.store(true, Ordering::Release);
        self.wake.rouse();
    }
}

/// What became of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Records that reached the output.
    pub written: u64,
    /// Records that the audit thread took and could not write.
    pub lost: u64,
    /// Everything that was handed over was written in time.
    pub complete: bool,
}

/// Starts the audit thread and makes one sink for each of `counters`, with a ring of as many bytes as `ring_bytes` says for
/// its number. `render` is called once, on that thread; so is `died`, if this thread, or the one that delivers, ends by a panic.
///
/// # Errors
/// When no thread can be started.
pub fn start(
    counters: &[Arc<Counters>],
    ring_bytes: impl Fn(usize) -> usize,
    full: FullPolicy,
    output: Output,
    render: impl FnOnce() -> Box<dyn Render> + Send + 'static,
    died: impl Fn() + Send + Clone + 'static,
) -> std::io::Result<(Audit, Vec<Sink>)> {
    let (stop, wake) = (Arc::<AtomicBool>::default(), Arc::<Wake>::default());
    // An answer can wait only for what a crash cannot take.
    let acknowledges = output.spool.is_some() && full == FullPolicy::Deny;
    let mut ledgers = Vec::with_capacity(counters.len());
    let mut bells = Vec::with_capacity(counters.len());
    for _ in counters {
        let (ledger, bell) = ledger(acknowledges)?;
        ledgers.push(Arc::new(ledger));
        bells.push(bell);
    }
    let status = Arc::new(Status {
        ledgers: ledgers.clone(),
        spool: output.spool.as_ref().map(Spool::shared),
        ..Status::default()
    });
    let mut sinks = Vec::with_capacity(counters.len());
    let mut rings = Vec::with_capacity(counters.len());
    for (index, ((counters, ledger), bell)) in counters.iter().zip(ledgers).zip(bells).enumerate() {
        let (producer, consumer) = rtrb::RingBuffer::new(ring_bytes(index));
        sinks.push(Sink::new(Parts {
            ring: producer,
            policy: full,
            wake: Arc::clone(&wake),
            status: Arc::clone(&status),
            ledger: Arc::clone(&ledger),
            bell,
            counters: Arc::clone(counters),
        }));
        rings.push(Ring {
            frames: consumer,
            ledger,
            taken: 0,
        });
    }
    let (outlet, delivery): (Box<dyn Outlet>, _) = match output.spool {
        Some(spool) => {
            let watch = Watch(died.clone());
            let delivery = Delivery::start(&spool, output.outlet, Arc::clone(&status), watch)?;
            (Box::new(spool), Some(delivery))
        }
        None => (output.outlet, None),
    };
    let (tell, ended) = mpsc::channel();
    let (stopping, waking, shared) = (Arc::clone(&stop), Arc::clone(&wake), Arc::clone(&status));
    thread::Builder::new()
        .name("audit".to_owned())
        .stack_size(limits::STACK_BYTES)
        .spawn(move || {
            let broken = Arc::clone(&shared);
            let _watch = Watch(move || {
                broken.broken.store(true, Ordering::Relaxed);
                died();
            });
            // Each offer of the processor to others may cost what is left of a turn, and a long one is many records.
            sys::short_turns();
            let mut writer = Writer::new(rings, outlet, render(), acknowledges, shared);
            writer.run(&stopping, &waking);
            let whole = writer.damaged == 0;
            // What an outlet still does when it ends is done before anybody hears of it.
            drop(writer);
            let _ = tell.send(whole);
        })?;
    let audit = Audit {
        stop,
        wake,
        ended,
        delivery,
        status,
    };
    Ok((audit, sinks))
}

/// A ledger, and the worker's end of its bell if there is to be one.
fn ledger(acknowledges: bool) -> std::io::Result<(Ledger, Option<UnixStream>)> {
    if !acknowledges {
        return Ok((Ledger::default(), None));
    }
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((Ledger::with_bell(ours), Some(theirs)))
}

impl Audit {
    /// What tells how it is doing.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor {
            status: Arc::clone(&self.status),
            wake: Arc::clone(&self.wake),
        }
    }

    /// Waits until everything is written, for a bounded time. No worker may submit any more.
    #[must_use]
    pub fn finish(self) -> Finished {
        self.stop.store(true, Ordering::Release);
        self.wake.rouse();
        let until = Instant::now() + Duration::from_secs(limits::AUDIT_FLUSH_SECONDS);
        let patience = until.saturating_duration_since(Instant::now());
        let all_in_time = self.ended.recv_timeout(patience).unwrap_or(false);
        if let Some(delivery) = self.delivery {
            delivery.finish(until);
        }
        let lost = self.status.lost.load(Ordering::Relaxed);
        let broken = self.status.broken.load(Ordering::Relaxed);
        Finished {
            written: self.status.progress.written.load(Ordering::Relaxed),
            lost,
            complete: all_in_time && lost == 0 && !broken,
        }
    }
}

/// Notices that its thread ends by a panic: no record is taken any more, or delivered, and somebody has to know.
struct Watch<D: Fn()>(D);

impl<D: Fn()> Drop for Watch<D> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::audit::spool::Fsync;
    use crate::audit::writer::tests::Text;

    fn start_with(
        output: Text,
        render: impl FnMut(&[u8], &mut Vec<u8>) -> bool + Send + 'static,
        died: impl Fn() + Send + Clone + 'static,
    ) -> (Audit, Sink) {
        let (audit, mut sinks) = start(
            &[Arc::default()],
            |_| 4096,
            FullPolicy::Deny,
            Output::stream(Box::new(output), "test"),
            || Box::new(render),
            died,
        )
        .unwrap();
        (audit, sinks.pop().unwrap())
    }

    #[test]
    fn a_panic_of_the_thread_is_noticed() {
        let (tell, told) = mpsc::channel();
        let render = |_: &[u8], _: &mut Vec<u8>| panic!("a test of what a panic does");
        let (audit, mut sink) = start_with(Text::default(), render, move || tell.send(()).unwrap());
        assert!(sink.submit(|out| out.push(b'x')));
        told.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(!sink.submit(|out| out.push(b'x')));
        let start = Instant::now();
        let want = Finished {
            written: 0,
            lost: 0,
            complete: false,
        };
        assert_eq!(audit.finish(), want);
        assert!(start.elapsed() < Duration::from_secs(limits::AUDIT_FLUSH_SECONDS / 2));
    }

    struct Panics;

    impl Write for Panics {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            panic!("a test of what a panic does")
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Otherwise the spool would fill up, and nobody would know why.
    #[test]
    fn a_panic_of_the_thread_that_delivers_is_noticed() {
        let (tell, told) = mpsc::channel();
        let folder = std::env::temp_dir().join(format!("gavel-delivery-{}", std::process::id()));
        let options = SpoolOptions {
            folder: folder.clone(),
            fsync: Fsync::Never,
            bytes_max: limits::SPOOL_BYTES_MIN,
        };
        let output = Output::stream(Box::new(Panics), "test");
        let output = output.spooled(options).unwrap();
        let render = |frame: &[u8], text: &mut Vec<u8>| {
            text.extend_from_slice(frame);
            true
        };
        let (audit, mut sinks) = start(
            &[Arc::default()],
            |_| 4096,
            FullPolicy::Wait,
            output,
            move || Box::new(render),
            move || tell.send(()).unwrap(),
        )
        .unwrap();
        assert!(sinks.pop().unwrap().submit(|out| out.push(b'x')));
        told.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(audit.finish().complete);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_damaged_frame_does_not_count_as_written() {
        let output = Text::default();
        let render = |frame: &[u8], text: &mut Vec<u8>| {
            let whole = frame == b"whole";
            if whole {
                text.extend_from_slice(b"whole\n");
            }
            whole
        };
        let (audit, mut sink) = start_with(output.clone(), render, || ());
        assert!(sink.submit(|out| out.extend_from_slice(b"whole")));
        assert!(sink.submit(|out| out.extend_from_slice(b"damaged")));
        let want = Finished {
            written: 1,
            lost: 1,
            complete: false,
        };
        assert_eq!(audit.finish(), want);
        let text = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text, "whole\n{\"gap\":{\"records\":\"1\"}}\n");
    }
}
