//! Records as text on their way out: whole lines, and how far an outlet has come with them.

use std::io::Write as _;

use crate::limits;

/// Records and marks that leave with one write.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    text: Vec<u8>,
    /// Where each record or mark ends in `text`.
    ends: Vec<usize>,
    /// Bytes that are out.
    done: usize,
    /// Entries of `ends` of which every byte is out.
    passed: usize,
    records: u64,
    missing: u64,
}

impl Batch {
    /// Appends one record, which `write` appends to the text. False, and nothing appended, if it fails or if the record has more
    /// than `bytes_max`.
    pub(crate) fn record(&mut self, bytes_max: usize, write: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
        let start = self.text.len();
        let whole = write(&mut self.text) && self.text.len() - start <= bytes_max;
        if whole {
            self.ends.push(self.text.len());
            self.records += 1;
        } else {
            self.text.truncate(start);
        }
        whole
    }

    /// Appends the mark that says that so many records are missing here.
    pub(crate) fn gap(&mut self, count: u64) {
        // Writing to a `Vec` cannot fail.
        let _ = writeln!(self.text, "{{\"gap\":{{\"records\":\"{count}\"}}}}");
        self.ends.push(self.text.len());
        self.missing += count;
    }

    /// Appends a line that is neither, with its line end.
    pub(crate) fn line(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.ends.push(self.text.len());
    }

    /// Bytes that are not out.
    pub(crate) fn left(&self) -> &[u8] {
        self.text.get(self.done..).unwrap_or_default()
    }

    /// The records and marks of which nothing is out, in order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.ends.get(self.passed..).unwrap_or_default();
        let mut start = self.done;
        ends.iter().map(move |end| {
            let piece = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            piece
        })
    }

    /// How many bytes of the next whole records fit into `room`; 0 if not even one does.
    pub(crate) fn fitting(&self, room: usize) -> usize {
        let ends = self.ends.get(self.passed..).unwrap_or_default();
        let count = ends.partition_point(|end| end - self.done <= room);
        let last = count.checked_sub(1).and_then(|at| ends.get(at));
        last.map_or(0, |end| end - self.done)
    }

    /// Size of what is left of the next record.
    pub(crate) fn next_bytes(&self) -> usize {
        self.ends.get(self.passed).map_or(0, |end| end - self.done)
    }

    /// So many bytes more are out.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.done += bytes;
        let ends = self.ends.get(self.passed..).unwrap_or_default();
        self.passed += ends.partition_point(|end| *end <= self.done);
    }

    /// Nothing of the next record is out.
    pub(crate) fn at_boundary(&self) -> bool {
        let before = self.passed.checked_sub(1).and_then(|at| self.ends.get(at));
        self.done == before.copied().unwrap_or(0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Records of it, whether they are out or not.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Records that its marks say are missing.
    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// Makes it empty; what a large record took is given back.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.text.shrink_to(limits::AUDIT_TEXT_BYTES_KEEP);
        self.ends.clear();
        (self.done, self.passed, self.records, self.missing) = (0, 0, 0, 0);
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(records: &[&str]) -> Batch {
        let mut batch = Batch::default();
        for record in records {
            assert!(batch.record(100, |text| {
                text.extend_from_slice(record.as_bytes());
                true
            }));
        }
        batch
    }

    #[test]
    fn what_is_left_after_each_byte() {
        let mut batch = batch(&["one\n", "three\n"]);
        batch.gap(2);
        let whole = batch.left().to_vec();
        for at in 0..=whole.len() {
            assert_eq!(batch.left(), &whole[at..]);
            assert_eq!(batch.at_boundary(), [0, 4, 10, whole.len()].contains(&at), "{at}");
            assert_eq!(batch.pieces().map(<[u8]>::len).sum::<usize>(), whole.len() - at);
            batch.advance(1);
        }
        assert_eq!((batch.records(), batch.missing()), (2, 2));
        batch.clear();
        assert!(batch.is_empty() && batch.left().is_empty() && batch.at_boundary());
    }

    #[test]
    fn whole_records_that_fit() {
        let mut batch = batch(&["one\n", "three\n"]);
        let fitting = |batch: &Batch| [3, 4, 9, 10, 99].map(|room| batch.fitting(room));
        assert_eq!(fitting(&batch), [0, 4, 4, 10, 10]);
        assert_eq!(batch.next_bytes(), 4);
        batch.advance(5);
        assert_eq!(fitting(&batch), [0, 0, 5, 5, 5]);
        assert_eq!(batch.next_bytes(), 5);
    }

    #[test]
    fn a_record_that_fails_or_is_too_large_leaves_nothing() {
        let mut batch = batch(&["one\n"]);
        let write = |text: &mut Vec<u8>| {
            text.extend_from_slice(b"longer");
            true
        };
        assert!(!batch.record(5, write));
        assert!(batch.record(6, write));
        assert!(!batch.record(6, |text| {
            text.push(b'x');
            false
        }));
        assert_eq!((batch.left(), batch.records()), (&b"one\nlonger"[..], 2));
    }
}
