//! Buffers that connections of one core share, because few of them need one at the same time.

use std::cell::RefCell;

use crate::limits;

/// Buffers of one kind that no connection needs now.
pub(crate) struct Pool {
    /// Size of a new one.
    bytes: usize,
    free: RefCell<Vec<Vec<u8>>>,
}

impl Pool {
    /// Without any yet; a new one has this size.
    pub(crate) fn new(bytes: usize) -> Pool {
        Pool {
            bytes,
            free: RefCell::default(),
        }
    }

    /// An empty buffer.
    pub(crate) fn take(&self) -> Vec<u8> {
        let kept = self.free.borrow_mut().pop();
        kept.unwrap_or_else(|| Vec::with_capacity(self.bytes))
    }

    /// Keeps a buffer for the next connection, unless it was lost to an operation that was cut, is smaller than a new one,
    /// or grew with a large request.
    pub(crate) fn give_back(&self, mut buffer: Vec<u8>) {
        let mut free = self.free.borrow_mut();
        if free.len() < limits::BUFFERS_KEEP
            && (self.bytes..=limits::BUFFER_BYTES_KEEP).contains(&buffer.capacity())
        {
            buffer.clear();
            free.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_are_not_kept() {
        let (least, most) = (limits::INPUT_BYTES_START, limits::BUFFER_BYTES_KEEP);
        let pool = Pool::new(least);
        for (capacity, kept) in [
            (0, 0),
            (limits::INPUT_BYTES_IDLE, 0),
            (least, 1),
            (most, 2),
            (most + 1, 2),
        ] {
            pool.give_back(Vec::with_capacity(capacity));
            assert_eq!(pool.free.borrow().len(), kept, "{capacity}");
        }
        assert!(pool.take().capacity() >= least);
    }
}
