//! The audit thread: frames out of all rings, lines of JSON into one output, one write for a batch of whole lines.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use crate::audit::sink::{FullPolicy, HEADER_BYTES, KIND_RECORD, Sink};
use crate::audit::wake::Wake;
use crate::limits;
use crate::log;
use crate::metrics::Counters;

/// Makes records of frames.
pub trait Render {
    /// A pass over all rings begins.
    fn begin_pass(&mut self) {}

    /// Turns a frame into one line with its line end, appended to the buffer. False if the bytes are no frame.
    fn render(&mut self, frame: &[u8], text: &mut Vec<u8>) -> bool;

    /// Every frame that was in a ring when the pass began was rendered.
    fn end_pass(&mut self) {}
}

/// The running audit thread.
pub struct Audit {
    stop: Arc<AtomicBool>,
    wake: Arc<Wake>,
    /// Hears at the end whether every record could be rendered; hears nothing from a thread that died.
    ended: mpsc::Receiver<bool>,
    written: Arc<AtomicU64>,
    broken: Arc<AtomicBool>,
}

/// What became of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Records that reached the output.
    pub written: u64,
    /// Everything that was handed over was written in time.
    pub complete: bool,
}

/// Starts the audit thread and makes one sink for each of `counters`, with a ring of as many bytes as `ring_bytes` says for
/// its number. `render` is called once, on that thread; so is `died`, if the thread ends by a panic.
///
/// # Errors
/// When no thread can be started.
pub fn start(
    counters: &[Arc<Counters>],
    ring_bytes: impl Fn(usize) -> usize,
    policy: FullPolicy,
    output: Box<dyn Write + Send>,
    render: impl FnOnce() -> Box<dyn Render> + Send + 'static,
    died: impl FnOnce() + Send + 'static,
) -> std::io::Result<(Audit, Vec<Sink>)> {
    let (stop, broken, written, wake) = (
        Arc::<AtomicBool>::default(),
        Arc::<AtomicBool>::default(),
        Arc::<AtomicU64>::default(),
        Arc::<Wake>::default(),
    );
    let mut sinks = Vec::with_capacity(counters.len());
    let mut rings = Vec::with_capacity(counters.len());
    for (index, counters) in counters.iter().enumerate() {
        let (producer, consumer) = rtrb::RingBuffer::new(ring_bytes(index));
        sinks.push(Sink::new(
            producer,
            policy,
            Arc::clone(&wake),
            Arc::clone(&broken),
            Arc::clone(counters),
        ));
        rings.push(consumer);
    }
    let (tell, ended) = mpsc::channel();
    let (stopping, waking, counted, lost) = (
        Arc::clone(&stop),
        Arc::clone(&wake),
        Arc::clone(&written),
        Arc::clone(&broken),
    );
    thread::Builder::new()
        .name("audit".to_owned())
        .stack_size(limits::STACK_BYTES)
        .spawn(move || {
            let _watch = Watch {
                broken: Arc::clone(&lost),
                died: Some(died),
            };
            let mut writer = Writer {
                rings,
                output,
                render: render(),
                text: Vec::with_capacity(limits::AUDIT_TEXT_BYTES_KEEP),
                frame: Vec::new(),
                in_text: 0,
                damaged: 0,
                written: counted,
                broken: lost,
            };
            writer.run(&stopping, &waking);
            let _ = tell.send(writer.damaged == 0);
        })?;
    Ok((
        Audit {
            stop,
            wake,
            ended,
            written,
            broken,
        },
        sinks,
    ))
}

impl Audit {
    /// Waits until everything is written, for a bounded time. No worker may submit any more.
    #[must_use]
    pub fn finish(self) -> Finished {
        self.stop.store(true, Ordering::Release);
        self.wake.rouse();
        let all_in_time = self
            .ended
            .recv_timeout(Duration::from_secs(limits::AUDIT_FLUSH_SECONDS))
            .unwrap_or(false);
        let complete = all_in_time && !self.broken.load(Ordering::Relaxed);
        Finished {
            written: self.written.load(Ordering::Relaxed),
            complete,
        }
    }
}

/// Notices that the audit thread ends by a panic: no record is taken any more, and somebody has to know.
struct Watch<D: FnOnce()> {
    broken: Arc<AtomicBool>,
    died: Option<D>,
}

impl<D: FnOnce()> Drop for Watch<D> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.broken.store(true, Ordering::Relaxed);
            if let Some(died) = self.died.take() {
                died();
            }
        }
    }
}

struct Writer {
    rings: Vec<rtrb::Consumer<u8>>,
    output: Box<dyn Write + Send>,
    render: Box<dyn Render>,
    text: Vec<u8>,
    frame: Vec<u8>,
    /// Records in `text`.
    in_text: u64,
    /// Records that could not be rendered.
    damaged: u64,
    written: Arc<AtomicU64>,
    broken: Arc<AtomicBool>,
}

impl Writer {
    fn run(&mut self, stop: &AtomicBool, wake: &Wake) {
        let mut idle = 0;
        loop {
            // Read before the rings, so that nothing can be submitted between an empty ring and the end.
            let stopping = stop.load(Ordering::Acquire);
            self.render.begin_pass();
            let found = self.drain();
            self.render.end_pass();
            self.flush();
            if found {
                idle = 0;
            } else if stopping {
                return;
            } else {
                wake.wait(idle);
                idle = idle.saturating_add(1);
            }
        }
    }

    /// Empties all rings, taking turns so that one busy core cannot hold back the others. True if there was anything.
    fn drain(&mut self) -> bool {
        let mut any = false;
        let mut rings = std::mem::take(&mut self.rings);
        for ring in &mut rings {
            // A frame is published whole, so its rest is there when its header is.
            let mut left = ring.slots();
            while left > 0 && self.take(ring) {
                any = true;
                left = left.saturating_sub(HEADER_BYTES + self.frame.len());
                if self.text.len() >= limits::AUDIT_BATCH_BYTES {
                    self.flush();
                }
            }
        }
        self.rings = rings;
        any
    }

    fn take(&mut self, ring: &mut rtrb::Consumer<u8>) -> bool {
        let mut header = [0; HEADER_BYTES];
        if ring.pop_entire_slice(&mut header).is_err() {
            return false;
        }
        let [l0, l1, l2, l3, kind] = header;
        self.frame
            .resize(u32::from_le_bytes([l0, l1, l2, l3]) as usize, 0);
        if ring.pop_entire_slice(&mut self.frame).is_err() {
            return false;
        }
        if kind == KIND_RECORD {
            if self.render.render(&self.frame, &mut self.text) {
                self.in_text += 1;
            } else {
                self.damaged += 1;
                self.mark_gap(1);
            }
        } else {
            let count = self
                .frame
                .first_chunk()
                .map_or(0, |bytes| u64::from_le_bytes(*bytes));
            self.mark_gap(count);
            log::line(
                log::Level::Error,
                format_args!("{count} access records were lost: the audit ring had no room for them"),
            );
        }
        true
    }

    fn mark_gap(&mut self, count: u64) {
        let _ = writeln!(self.text, "{{\"gap\":{{\"records\":\"{count}\"}}}}");
    }

    fn flush(&mut self) {
        if self.text.is_empty() {
            return;
        }
        match self.output.write_all(&self.text) {
            Ok(()) => {
                self.written.fetch_add(self.in_text, Ordering::Relaxed);
            }
            Err(error) => {
                if !self.broken.swap(true, Ordering::Relaxed) {
                    log::line(
                        log::Level::Error,
                        format_args!("access records are lost from now on: standard output: {error}"),
                    );
                }
            }
        }
        self.text.clear();
        self.text.shrink_to(limits::AUDIT_TEXT_BYTES_KEEP);
        if self.frame.capacity() > limits::BUFFER_BYTES_KEEP {
            self.frame = Vec::new();
        }
        self.in_text = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Instant;

    use super::*;

    #[derive(Clone, Default)]
    struct Text(Arc<Mutex<Vec<u8>>>);

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

    fn start_with(
        output: Text,
        render: impl FnMut(&[u8], &mut Vec<u8>) -> bool + Send + 'static,
        died: impl FnOnce() + Send + 'static,
    ) -> (Audit, Sink) {
        let (audit, mut sinks) = start(
            &[Arc::default()],
            |_| 4096,
            FullPolicy::Deny,
            Box::new(output),
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
            complete: false,
        };
        assert_eq!(audit.finish(), want);
        assert!(start.elapsed() < Duration::from_secs(limits::AUDIT_FLUSH_SECONDS / 2));
    }

    #[test]
    fn a_large_record_leaves_no_large_buffers() {
        let large = 2 * limits::AUDIT_TEXT_BYTES_KEEP;
        let (mut producer, consumer) = rtrb::RingBuffer::new(2 * large);
        let mut frame = u32::try_from(large).unwrap().to_le_bytes().to_vec();
        frame.push(KIND_RECORD);
        frame.resize(HEADER_BYTES + large, b'x');
        producer.push_entire_slice(&frame).unwrap();
        let output = Text::default();
        let mut writer = Writer {
            rings: vec![consumer],
            output: Box::new(output.clone()),
            render: Box::new(|frame: &[u8], text: &mut Vec<u8>| {
                text.extend_from_slice(frame);
                true
            }),
            text: Vec::new(),
            frame: Vec::new(),
            in_text: 0,
            damaged: 0,
            written: Arc::default(),
            broken: Arc::default(),
        };
        assert!(writer.drain());
        writer.flush();
        assert_eq!(output.0.lock().unwrap().len(), large);
        assert!(writer.text.capacity() <= limits::AUDIT_TEXT_BYTES_KEEP);
        assert!(writer.frame.capacity() <= limits::BUFFER_BYTES_KEEP);
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
            complete: false,
        };
        assert_eq!(audit.finish(), want);
        let text = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text, "whole\n{\"gap\":{\"records\":\"1\"}}\n");
    }
}
