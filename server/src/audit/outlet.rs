//! Where records go: the interface of all outlets, and the one for standard output.

use std::io::{self, ErrorKind, Write};

use crate::audit::batch::Batch;

/// Takes records. Owned by one thread.
pub(crate) trait Outlet: Send {
    /// Writes what is left of a batch and advances it by what is out.
    ///
    /// # Errors
    /// The rest is not out. The same batch may come again; if another one comes, its first record starts on a line of its own.
    fn write(&mut self, batch: &mut Batch) -> io::Result<()>;

    /// What the log calls it.
    fn name(&self) -> String;

    /// Opens again what has a name, because it may have been moved away.
    ///
    /// # Errors
    /// What was open stays open.
    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Nothing is to be written at this moment: does what is due.
    ///
    /// # Errors
    /// What was written before may be lost with the machine.
    fn rest(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Whether nothing is left in it of what it said it could not write.
    fn is_whole(&self) -> bool {
        true
    }

    /// The largest record that it can ever take.
    fn record_bytes_max(&self) -> usize {
        usize::MAX
    }
}

/// An open stream, such as standard output.
pub(crate) struct Plain {
    stream: Box<dyn Write + Send>,
    name: &'static str,
    /// A record was cut, by an error, and given up.
    torn: bool,
}

impl Plain {
    pub(crate) fn new(stream: Box<dyn Write + Send>, name: &'static str) -> Plain {
        Plain {
            stream,
            name,
            torn: false,
        }
    }
}

impl Outlet for Plain {
    fn write(&mut self, batch: &mut Batch) -> io::Result<()> {
        put(&mut self.stream, batch, usize::MAX, &mut self.torn)
    }

    fn name(&self) -> String {
        self.name.to_owned()
    }
}

/// Writes up to `most` bytes of what is left. `torn`: the stream ends within a record.
pub(crate) fn put(stream: &mut dyn Write, batch: &mut Batch, most: usize, torn: &mut bool) -> io::Result<()> {
    if *torn && batch.at_boundary() {
        stream.write_all(b"\n")?;
        *torn = false;
    }
    let mut left = most.min(batch.left().len());
    while left > 0 {
        let bytes = batch.left().get(..left).unwrap_or_default();
        match stream.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => {
                batch.advance(written);
                left -= written.min(left);
                *torn = !batch.at_boundary();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Takes so many bytes, then nothing.
    #[derive(Clone, Default)]
    struct Narrow(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (text, room) = &mut *self.0.lock().unwrap();
            let count = bytes.len().min(*room);
            if count == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            *room -= count;
            text.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn batch(text: &str) -> Batch {
        let mut batch = Batch::default();
        for line in text.split_inclusive('\n') {
            batch.line(line.as_bytes());
        }
        batch
    }

    #[test]
    fn a_batch_goes_on_where_it_was_cut() {
        for room in 1..8 {
            let stream = Narrow::default();
            let mut plain = Plain::new(Box::new(stream.clone()), "test");
            let mut batch = batch("one\nthree\n");
            stream.0.lock().unwrap().1 = room;
            assert!(plain.write(&mut batch).is_err());
            stream.0.lock().unwrap().1 = 100;
            plain.write(&mut batch).unwrap();
            assert_eq!(stream.0.lock().unwrap().0, b"one\nthree\n");
        }
    }

    #[test]
    fn what_is_given_up_does_not_spoil_the_next_line() {
        for (room, want) in [(4, "one\nfour\n"), (5, "one\nt\nfour\n"), (7, "one\nthr\nfour\n")] {
            let stream = Narrow::default();
            let mut plain = Plain::new(Box::new(stream.clone()), "test");
            stream.0.lock().unwrap().1 = room;
            assert!(plain.write(&mut batch("one\nthree\n")).is_err());
            stream.0.lock().unwrap().1 = 100;
            plain.write(&mut batch("four\n")).unwrap();
            let text = String::from_utf8(stream.0.lock().unwrap().0.clone()).unwrap();
            assert_eq!(text, want);
        }
    }
}
