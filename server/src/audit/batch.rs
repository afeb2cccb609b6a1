//! Records as text on their way out: whole lines, and how far an outlet has come with them.

use std::io::Write as _;

use crate::limits;

/// Records and marks that leave with one write.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// Bytes that are out.
    done: usize,
    /// Entries of which every byte is out.
    passed: usize,
}

/// Where a record comes from: the number of its ring, and its ticket there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) ring: usize,
    pub(crate) ticket: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where it ends in the text.
    end: usize,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Record(Source),
    /// So many records are missing.
    Gap(u64),
    Line,
}

/// Some entries of a batch, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) records: u64,
    /// Records that marks say are missing.
    pub(crate) missing: u64,
}

impl Batch {
    /// Appends one record, which `write` appends to the text. False, and nothing appended, if it fails or if the record has more
    /// than `bytes_max`.
    pub(crate) fn record(
        &mut self,
        source: Source,
        bytes_max: usize,
        write: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> bool {
        let start = self.text.len();
        let whole = write(&mut self.text) && self.text.len() - start <= bytes_max;
        if whole {
            self.end(What::Record(source));
        } else {
            self.text.truncate(start);
        }
        whole
    }

    /// Appends the mark that says that so many records are missing here.
    pub(crate) fn gap(&mut self, count: u64) {
        // Writing to a `Vec` cannot fail.
        let _ = writeln!(self.text, "{{\"gap\":{{\"records\":\"{count}\"}}}}");
        self.end(What::Gap(count));
    }

    /// Appends a line that is neither, with its line end.
    pub(crate) fn line(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.end(What::Line);
    }

    fn end(&mut self, what: What) {
        let end = self.text.len();
        self.entries.push(Entry { end, what });
    }

    /// Entries of which every byte is out.
    fn out(&self) -> &[Entry] {
        self.entries.get(..self.passed).unwrap_or_default()
    }

    /// All others.
    fn rest(&self) -> &[Entry] {
        self.entries.get(self.passed..).unwrap_or_default()
    }

    /// Bytes that are not out.
    pub(crate) fn left(&self) -> &[u8] {
        self.text.get(self.done..).unwrap_or_default()
    }

    /// The records and marks of which nothing is out, in order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = self.done;
        self.rest().iter().map(move |entry| {
            let piece = self.text.get(start..entry.end).unwrap_or_default();
            start = entry.end;
            piece
        })
    }

    /// How many bytes of the next whole records fit into `room`; 0 if not even one does.
    pub(crate) fn fitting(&self, room: usize) -> usize {
        let rest = self.rest();
        let count = rest.partition_point(|entry| entry.end - self.done <= room);
        let last = count.checked_sub(1).and_then(|at| rest.get(at));
        last.map_or(0, |entry| entry.end - self.done)
    }

    /// Size of what is left of the next record.
    pub(crate) fn next_bytes(&self) -> usize {
        self.rest().first().map_or(0, |entry| entry.end - self.done)
    }

    /// So many bytes more are out.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.done += bytes;
        self.passed += self.rest().partition_point(|entry| entry.end <= self.done);
    }

    /// Nothing of the next record is out.
    pub(crate) fn at_boundary(&self) -> bool {
        self.done == self.out().last().map_or(0, |entry| entry.end)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// What is wholly out.
    pub(crate) fn count_out(&self) -> Count {
        Count::of(self.out())
    }

    /// What is not.
    pub(crate) fn count_left(&self) -> Count {
        Count::of(self.rest())
    }

    /// Ticket of the last record of a ring that is wholly out; those of a ring are in order.
    pub(crate) fn last_out(&self, ring: usize) -> Option<u64> {
        self.out().iter().rev().find_map(|entry| match entry.what {
            What::Record(source) if source.ring == ring => Some(source.ticket),
            What::Record(_) | What::Gap(_) | What::Line => None,
        })
    }

    /// Makes it empty; what a large record took is given back.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.text.shrink_to(limits::AUDIT_TEXT_BYTES_KEEP);
        self.entries.clear();
        (self.done, self.passed) = (0, 0);
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity()
    }
}

impl Count {
    fn of(entries: &[Entry]) -> Count {
        let mut count = Count::default();
        for entry in entries {
            match entry.what {
                What::Record(_) => count.records += 1,
                What::Gap(missing) => count.missing += missing,
                What::Line => {}
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(ring: usize, ticket: u64) -> Source {
        Source { ring, ticket }
    }

    /// The first record is of ring 0, the second of ring 1, and so on.
    fn batch(records: &[&str]) -> Batch {
        let mut batch = Batch::default();
        for (ring, record) in records.iter().enumerate() {
            assert!(batch.record(source(ring, 7), 100, |text| {
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
            let is_out = |end| at >= end;
            let records = u64::from(is_out(4)) + u64::from(is_out(10));
            let missing = if is_out(whole.len()) { 2 } else { 0 };
            assert_eq!(batch.count_out(), Count { records, missing });
            let left = Count {
                records: 2 - records,
                missing: 2 - missing,
            };
            assert_eq!(batch.count_left(), left);
            let last = [0, 1, 2].map(|ring| batch.last_out(ring).is_some());
            assert_eq!(last, [is_out(4), is_out(10), false]);
            batch.advance(1);
        }
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
        assert!(!batch.record(source(0, 8), 5, write));
        assert!(batch.record(source(0, 9), 6, write));
        assert!(!batch.record(source(0, 10), 6, |text| {
            text.push(b'x');
            false
        }));
        assert_eq!(
            (batch.left(), batch.count_left().records),
            (&b"one\nlonger"[..], 2)
        );
        batch.advance(10);
        assert_eq!(batch.last_out(0), Some(9));
    }
}
