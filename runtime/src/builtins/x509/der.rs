//! Reading DER: elements one after another, lengths in their shortest form, nothing copied.
//!
//! Every read consumes bytes of the text, and nesting is followed only as deep as the structures that are read know of, so
//! that time is linear in the text whatever its lengths claim.

use super::oid::Oid;
use crate::arena::Arena;
use crate::builtins::Failure;

/// What a read gives; malformed text is a builtin error.
pub(in crate::builtins) type Read<T> = Result<T, Failure>;

pub(super) const BOOLEAN: u8 = 1;
pub(super) const INTEGER: u8 = 2;
pub(super) const BIT_STRING: u8 = 3;
pub(super) const OCTET_STRING: u8 = 4;
pub(super) const OBJECT_IDENTIFIER: u8 = 6;
pub(super) const UTF8_STRING: u8 = 12;
pub(super) const NUMERIC_STRING: u8 = 18;
pub(super) const PRINTABLE_STRING: u8 = 19;
pub(super) const T61_STRING: u8 = 20;
pub(super) const IA5_STRING: u8 = 22;
pub(super) const UTC_TIME: u8 = 23;
pub(super) const GENERALIZED_TIME: u8 = 24;
pub(super) const BMP_STRING: u8 = 30;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The content of a NULL with its header.
pub(super) const NULL: &[u8] = &[5, 0];

/// The tag of a context-specific element that holds bytes.
pub(super) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag of a context-specific element that holds elements.
pub(super) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// The bits of a tag's first byte that say that more bytes follow.
const LONG_TAG: u8 = 0x1f;

/// What is still to be read.
#[derive(Clone, Copy, Debug)]
pub(in crate::builtins) struct Reader<'a> {
    rest: &'a [u8],
}

/// What stands before the content of an element.
struct Header {
    tag: u8,
    /// Its own bytes.
    len: usize,
    content_len: usize,
}

/// One element.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// The content with tag and length before it.
    pub(super) whole: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(in crate::builtins) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub(in crate::builtins) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// An error if something follows.
    pub(super) fn end(&self) -> Read<()> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Failure::BUILTIN)
        }
    }

    /// Whether an element of the tag is next.
    pub(super) fn is_next(&self, tag: u8) -> bool {
        self.rest.first() == Some(&tag)
    }

    /// The next element, of any tag that takes one byte.
    pub(super) fn any(&mut self) -> Read<Element<'a>> {
        let element = self.raw()?;
        if element.tag & LONG_TAG == LONG_TAG {
            return Err(Failure::BUILTIN);
        }
        Ok(element)
    }

    /// The next element. Of a tag that takes several bytes the first counts, which no other element has.
    pub(super) fn raw(&mut self) -> Read<Element<'a>> {
        let header = self.header()?;
        let whole_len = header.len + header.content_len;
        let (whole, rest) = self.rest.split_at_checked(whole_len).ok_or(Failure::BUILTIN)?;
        self.rest = rest;
        Ok(Element {
            tag: header.tag,
            content: whole.get(header.len..).unwrap_or_default(),
            whole,
        })
    }

    /// The tag and the length that are next.
    fn header(&self) -> Read<Header> {
        let malformed = Failure::BUILTIN;
        let (&tag, mut behind) = self.rest.split_first().ok_or(malformed)?;
        if tag & LONG_TAG == LONG_TAG {
            behind = behind.get(long_tag_len(behind)?..).unwrap_or_default();
        }
        let (&short, mut behind) = behind.split_first().ok_or(malformed)?;
        let mut content_len = usize::from(short);
        if short & 0x80 != 0 {
            let count = usize::from(short & 0x7f);
            let (digits, rest) = behind.split_at_checked(count).ok_or(malformed)?;
            behind = rest;
            // The first digit is not zero, so that four bytes are the longest length there is.
            if count > 4 || digits.first().is_none_or(|first| *first == 0) {
                return Err(malformed);
            }
            let number = digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit));
            if number < 0x80 {
                return Err(malformed);
            }
            content_len = number;
        }
        Ok(Header {
            tag,
            len: self.rest.len() - behind.len(),
            content_len,
        })
    }

    /// The bytes of an element of one tag inside one of another, as Go's `encoding/asn1` reads optional ones: the length
    /// of the outer one does not count, and one that holds something else counts as absent.
    pub(super) fn wrapped(&mut self, outer: u8, inner: u8) -> Read<Option<&'a [u8]>> {
        if !self.is_next(outer) {
            return Ok(None);
        }
        let header = self.header()?;
        if header.content_len == 0 {
            return Err(Failure::BUILTIN);
        }
        let mut inside = Reader::new(self.rest.get(header.len..).unwrap_or_default());
        if inside.header()?.tag != inner {
            return Ok(None);
        }
        let content = inside.content(inner)?;
        *self = inside;
        Ok(Some(content))
    }

    /// The next element, which has the tag.
    pub(super) fn element(&mut self, tag: u8) -> Read<Element<'a>> {
        let element = self.any()?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(Failure::BUILTIN)
        }
    }

    /// The bytes of the next element, which has the tag.
    pub(super) fn content(&mut self, tag: u8) -> Read<&'a [u8]> {
        Ok(self.element(tag)?.content)
    }

    /// The elements inside the next one, which has the tag.
    pub(in crate::builtins) fn inside(&mut self, tag: u8) -> Read<Reader<'a>> {
        self.content(tag).map(Reader::new)
    }

    pub(in crate::builtins) fn sequence(&mut self) -> Read<Reader<'a>> {
        self.inside(SEQUENCE)
    }

    /// The bytes of the next element if it has the tag.
    pub(super) fn optional(&mut self, tag: u8) -> Read<Option<&'a [u8]>> {
        if self.is_next(tag) {
            self.content(tag).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A boolean, if one is next.
    pub(super) fn optional_boolean(&mut self) -> Read<bool> {
        match self.optional(BOOLEAN)? {
            None | Some([0]) => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(Failure::BUILTIN),
        }
    }

    /// The digits of an integer, in two's complement.
    pub(super) fn integer(&mut self) -> Read<&'a [u8]> {
        self.integer_tagged(INTEGER)
    }

    pub(super) fn integer_tagged(&mut self, tag: u8) -> Read<&'a [u8]> {
        minimal(self.content(tag)?)
    }

    /// An integer of 64 bits.
    pub(super) fn int(&mut self) -> Read<i64> {
        int_of(self.integer()?)
    }

    /// The digits of an integer above zero, without a leading zero.
    pub(in crate::builtins) fn positive(&mut self) -> Read<&'a [u8]> {
        let digits = self.integer()?;
        match digits {
            [0] => Err(Failure::BUILTIN),
            [0, digits @ ..] => Ok(digits),
            [first, ..] if first & 0x80 == 0 => Ok(digits),
            _ => Err(Failure::BUILTIN),
        }
    }

    pub(super) fn oid(&mut self) -> Read<Oid<'a>> {
        Oid::new(self.content(OBJECT_IDENTIFIER)?)
    }

    pub(super) fn bits(&mut self) -> Read<Bits<'a>> {
        Bits::new(self.content(BIT_STRING)?)
    }
}

/// How many bytes behind the first belong to a tag.
fn long_tag_len(bytes: &[u8]) -> Read<usize> {
    let len = bytes
        .iter()
        .position(|byte| byte & 0x80 == 0)
        .ok_or(Failure::BUILTIN)?
        + 1;
    let digits = bytes.get(..len).unwrap_or_default();
    let number = digits.iter().fold(0_u64, |number, digit| {
        number.wrapping_mul(128) + u64::from(digit & 0x7f)
    });
    let is_shortest = digits.first() != Some(&0x80) && number >= u64::from(LONG_TAG);
    if len <= 5 && is_shortest && number <= i32::MAX as u64 {
        Ok(len)
    } else {
        Err(Failure::BUILTIN)
    }
}

/// The digits of an integer, of which there must not be more than it needs.
fn minimal(digits: &[u8]) -> Read<&[u8]> {
    match digits {
        [] => Err(Failure::BUILTIN),
        [0, second, ..] if second & 0x80 == 0 => Err(Failure::BUILTIN),
        [0xff, second, ..] if second & 0x80 != 0 => Err(Failure::BUILTIN),
        _ => Ok(digits),
    }
}

/// The value of an integer's digits.
pub(super) fn int_of(digits: &[u8]) -> Read<i64> {
    let digits = minimal(digits)?;
    let negative = digits.first().is_some_and(|first| first & 0x80 != 0);
    if digits.len() > 8 {
        return Err(Failure::BUILTIN);
    }
    let sign = if negative { -1 } else { 0 };
    Ok(digits
        .iter()
        .fold(sign, |value: i64, digit| value << 8 | i64::from(*digit)))
}

/// A bit string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits<'a> {
    pub(super) bytes: &'a [u8],
    /// How many bits at the end do not count.
    padding: u8,
}

impl<'a> Bits<'a> {
    pub(super) fn new(content: &'a [u8]) -> Read<Bits<'a>> {
        let (&padding, bytes) = content.split_first().ok_or(Failure::BUILTIN)?;
        let last = bytes.last().copied();
        let is_fine = match last {
            None => padding == 0,
            Some(last) => padding <= 7 && last & ((1 << padding) - 1) == 0,
        };
        if is_fine {
            Ok(Bits { bytes, padding })
        } else {
            Err(Failure::BUILTIN)
        }
    }

    /// How many bits there are.
    pub(super) fn len(&self) -> usize {
        8 * self.bytes.len() - usize::from(self.padding)
    }

    /// Whether a bit is set; the first is 0.
    pub(super) fn has(&self, at: usize) -> bool {
        at < self.len()
            && self
                .bytes
                .get(at / 8)
                .is_some_and(|byte| byte << (at % 8) & 0x80 != 0)
    }

    /// The bits as a number's bytes: the padding before them instead of behind.
    pub(super) fn right_aligned<'r>(&self, arena: &'r Arena) -> Read<&'r [u8]>
    where
        'a: 'r,
    {
        if self.padding == 0 {
            return Ok(self.bytes);
        }
        let shifted = arena.filled(self.bytes.len(), 0)?;
        let mut carry = 0;
        for (place, byte) in shifted.iter_mut().zip(self.bytes) {
            *place = byte >> self.padding | carry;
            carry = byte << (8 - self.padding);
        }
        Ok(shifted)
    }
}
