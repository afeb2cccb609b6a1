//! The bytes of a spool's files: a header, then frames of one record each, as length, CRC32C and text.
//!
//! Numbers are 32-bit, little-endian. The checksum covers the length and the text. An empty frame does not exist, so that a
//! file that a crash left full of zeros has none.

use std::io::{self, ErrorKind, Read};

/// What each file begins with: what it is, and the version of its format.
pub(super) const HEADER: [u8; 16] = *b"GAVEL SPOOL 1\n\0\0";
/// The same as a position.
pub(super) const HEADER_BYTES: u64 = HEADER.len() as u64;
/// In front of each record.
pub(super) const FRAME_HEAD_BYTES: usize = 8;

/// Appends the frame of a record, which must not be empty.
pub(super) fn frame(record: &[u8], out: &mut Vec<u8>) {
    // A record is bounded far below 4 GiB.
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&checksum(length, record).to_le_bytes());
    out.extend_from_slice(record);
}

fn checksum(length: [u8; 4], record: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length), record)
}

/// What stands at a place of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A whole record, which is in the buffer now.
    Record,
    /// Bytes that are none.
    Damaged,
    /// Nothing more.
    End,
}

/// Reads the frames between two places.
pub(super) struct Frames<R> {
    input: R,
    at: u64,
    end: u64,
}

impl<R: Read> Frames<R> {
    /// `input` begins at `at`, where a frame begins or the file does, and is not read beyond `end`.
    pub(super) fn new(input: R, at: u64, end: u64) -> Frames<R> {
        Frames { input, at, end }
    }

    /// The place that is read next: behind the last item.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next item; its text replaces that in `record`.
    ///
    /// A record whose text does not fit its checksum is passed over if there can be another one behind it; damage to a length
    /// takes the rest of the file with it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn next(&mut self, record: &mut Vec<u8>) -> io::Result<Item> {
        let left = self.end.saturating_sub(self.at);
        if left == 0 {
            return Ok(Item::End);
        }
        if self.at == 0 {
            let mut header = HEADER;
            if left < HEADER_BYTES || !self.fill(&mut header)? || header != HEADER {
                return Ok(self.rest_is_damaged());
            }
            self.at = HEADER_BYTES;
            return self.next(record);
        }
        let mut head = [0; FRAME_HEAD_BYTES];
        if left < FRAME_HEAD_BYTES as u64 || !self.fill(&mut head)? {
            return Ok(self.rest_is_damaged());
        }
        let [l0, l1, l2, l3, c0, c1, c2, c3] = head;
        let length = [l0, l1, l2, l3];
        let bytes = u32::from_le_bytes(length);
        if bytes == 0 || u64::from(bytes) > left - FRAME_HEAD_BYTES as u64 {
            return Ok(self.rest_is_damaged());
        }
        record.clear();
        record.resize(bytes as usize, 0);
        if !self.fill(record)? {
            return Ok(self.rest_is_damaged());
        }
        self.at += FRAME_HEAD_BYTES as u64 + u64::from(bytes);
        if checksum(length, record) == u32::from_le_bytes([c0, c1, c2, c3]) {
            Ok(Item::Record)
        } else {
            Ok(Item::Damaged)
        }
    }

    fn rest_is_damaged(&mut self) -> Item {
        self.at = self.end;
        Item::Damaged
    }

    /// False if the file ends before the bytes are full.
    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<bool> {
        match self.input.read_exact(bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// Whole records.
    pub(super) records: u64,
    /// Where the last of them ends.
    pub(super) whole: u64,
    /// Damaged places in front of that.
    pub(super) damaged: u64,
    /// Bytes behind it.
    pub(super) torn: u64,
}

/// Looks at all frames from `at` on; `each` sees every whole record.
///
/// # Errors
/// The file cannot be read, or what `each` returns.
pub(super) fn survey<R: Read>(
    input: R,
    at: u64,
    end: u64,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Survey> {
    let mut frames = Frames::new(input, at, end);
    let mut found = Survey {
        whole: at.max(HEADER_BYTES.min(end)),
        ..Survey::default()
    };
    let (mut record, mut damaged) = (Vec::new(), 0);
    loop {
        match frames.next(&mut record)? {
            Item::Record => {
                each(&record)?;
                found.records += 1;
                found.whole = frames.at();
                found.damaged += std::mem::take(&mut damaged);
            }
            Item::Damaged => damaged += 1,
            Item::End => break,
        }
    }
    if damaged > 0 && found.records == 0 && at == 0 {
        // Not even the header may be whole.
        found.whole = 0;
    }
    found.torn = if damaged > 0 { end - found.whole } else { 0 };
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(records: &[&str]) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        records
            .iter()
            .for_each(|record| frame(record.as_bytes(), &mut bytes));
        bytes
    }

    fn read(bytes: &[u8]) -> (Vec<String>, Survey) {
        let mut records = Vec::new();
        let found = survey(bytes, 0, bytes.len() as u64, |record| {
            records.push(String::from_utf8(record.to_vec()).unwrap());
            Ok(())
        });
        (records, found.unwrap())
    }

    #[test]
    fn the_format_is_what_the_manual_says() {
        // The check value of CRC32C, over "123456789".
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        let bytes = file(&["{}\n"]);
        assert_eq!(&bytes[..20], b"GAVEL SPOOL 1\n\0\0\x03\0\0\0");
        assert_eq!(bytes[20..24], crc32c::crc32c(b"\x03\0\0\0{}\n").to_le_bytes());
        assert_eq!(&bytes[24..], b"{}\n");
    }

    #[test]
    fn a_file_cut_at_every_byte_has_its_whole_records() {
        let records = ["{\"a\":1}\n", "{\"b\":22}\n", "{\"c\":333}\n"];
        let bytes = file(&records);
        let ends: Vec<usize> = (0..=3).map(|count| file(&records[..count]).len()).collect();
        for cut in 0..=bytes.len() {
            let (got, found) = read(&bytes[..cut]);
            let whole = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
            assert_eq!(got, records[..whole], "cut at {cut}");
            let boundary = ends.iter().rev().find(|end| **end <= cut).copied();
            let want = match boundary {
                _ if cut == 0 => 0,
                Some(end) if end == cut || whole > 0 => end,
                // What is torn off with the header, or right behind it, leaves nothing worth keeping.
                _ => 0,
            };
            assert_eq!(
                (found.whole, found.torn),
                (want as u64, (cut - want) as u64),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn zeros_behind_the_end_are_torn() {
        for zeros in [1, 7, 8, 9, 4096] {
            let mut bytes = file(&["one\n"]);
            let whole = bytes.len() as u64;
            bytes.resize(bytes.len() + zeros, 0);
            let (got, found) = read(&bytes);
            assert_eq!(got, ["one\n"]);
            assert_eq!((found.whole, found.torn, found.damaged), (whole, zeros as u64, 0));
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let bytes = file(&["one\n", "two\n"]);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x40;
            let (got, found) = read(&changed);
            assert!(found.damaged + found.torn > 0, "byte {at}");
            // The text of the first record costs only that record.
            if (24..28).contains(&at) {
                assert_eq!((got.as_slice(), found.damaged), (&["two\n".to_owned()][..], 1));
            }
        }
    }
}
