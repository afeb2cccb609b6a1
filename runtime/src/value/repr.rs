//! The 16-byte value: a tag, a length and a word. Copying one is copying two registers; nothing is counted or freed.
//!
//! A value borrows for `'r` from one of three owners: the image, the request's bytes, the core's arena. [`Value::kind`]
//! gives the typed view that all other code matches on.
#![expect(
    unsafe_code,
    reason = "the one place that turns (tag, length, pointer) back into the slice it was made from"
)]

use crate::checks::{self, check};
use std::marker::PhantomData;
use std::num::NonZeroU64;

/// What a value is. The order of the first seven kinds is Rego's order of types.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// `null`
    Null = 1,
    /// `false`, `true`
    Bool = 2,
    /// A 64-bit integer.
    Int = 3,
    /// Any other number, kept as its text.
    Number = 4,
    /// UTF-8 text.
    String = 5,
    /// A slice of values.
    Array = 6,
    /// A slice of entries sorted by key.
    Object = 7,
    /// A sorted slice of values.
    Set = 8,
    /// No value. Never inside a collection, never the result of a rule; a register may hold it for [`Value::UNSET`].
    Undefined = 9,
}

impl Tag {
    /// Size of one of the parts that values of this kind point at; 0: they point at none.
    const fn part_bytes(self) -> usize {
        match self {
            Tag::Number | Tag::String => 1,
            Tag::Array | Tag::Set => size_of::<Value<'_>>(),
            Tag::Object => size_of::<Entry<'_>>(),
            Tag::Null | Tag::Bool | Tag::Int | Tag::Undefined => 0,
        }
    }
}

/// A Rego value, or [`Value::UNSET`].
///
/// Two scalars, so that it travels in two machine registers.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Value<'r> {
    /// Tag in the lowest byte, length in the upper half. No tag is 0, which leaves a spare value for `Option`.
    meta: NonZeroU64,
    /// A pointer to the parts; or an integer, as a pointer that points nowhere.
    word: *const u8,
    owner: PhantomData<&'r [u8]>,
}

const _: () = assert!(size_of::<usize>() == size_of::<i64>());

// SAFETY: a value is a shared reference to immutable data (or a plain integer); whoever may hold the reference may read it
// from any thread.
unsafe impl Send for Value<'_> {}
// SAFETY: as above; there is no interior mutability behind a value.
unsafe impl Sync for Value<'_> {}

/// One member of an object.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Entry<'r> {
    /// Any value.
    pub key: Value<'r>,
    /// Any value.
    pub value: Value<'r>,
}

/// Entries sorted by key in Rego's order, without equal keys.
pub type Object<'r> = &'r [Entry<'r>];

/// The typed view of a value.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'r> {
    /// No value.
    Undefined,
    /// `null`
    Null,
    /// `false`, `true`
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// Any other number, as its text.
    Number(&'r str),
    /// UTF-8 text.
    String(&'r str),
    /// Elements.
    Array(&'r [Value<'r>]),
    /// Entries sorted by key.
    Object(Object<'r>),
    /// Sorted members.
    Set(&'r [Value<'r>]),
}

const _: () = assert!(size_of::<Value<'static>>() == 16);
const _: () = assert!(size_of::<Entry<'static>>() == 32);

impl<'r> Value<'r> {
    /// No value: what a register holds before a rule found its value.
    pub const UNSET: Value<'static> = Value::word(Tag::Undefined, 0);
    /// `null`
    pub const NULL: Value<'static> = Value::word(Tag::Null, 0);
    /// `true`
    pub const TRUE: Value<'static> = Value::word(Tag::Bool, 1);
    /// `false`
    pub const FALSE: Value<'static> = Value::word(Tag::Bool, 0);

    const fn word(tag: Tag, int: i64) -> Value<'r> {
        Value {
            meta: meta(tag, 0),
            word: std::ptr::without_provenance(int as usize),
            owner: PhantomData,
        }
    }

    const fn slice<T>(tag: Tag, items: &'r [T]) -> Value<'r> {
        // Arenas and documents are bounded far below. Of what were longer than u32 a part would be left, which may be read.
        check(items.len() <= u32::MAX as usize, "a value is too long");
        Value {
            meta: meta(tag, items.len() as u32),
            word: items.as_ptr().cast(),
            owner: PhantomData,
        }
    }

    /// No value, with a note: what the cells of an input document hold for containers that nobody has looked at yet.
    /// `what` is not 0, which is [`Value::UNSET`].
    pub(crate) const fn note(what: u32, at: u32) -> Value<'r> {
        Value {
            meta: meta(Tag::Undefined, what),
            word: std::ptr::without_provenance(at as usize),
            owner: PhantomData,
        }
    }

    /// The two numbers of a note; zeros for [`Value::UNSET`].
    pub(crate) fn as_note(self) -> Option<(u32, u32)> {
        self.is_unset()
            .then(|| ((self.meta.get() >> 32) as u32, self.word.addr() as u32))
    }

    /// `true` or `false`.
    #[must_use]
    pub const fn bool(value: bool) -> Value<'r> {
        Value::word(Tag::Bool, value as i64)
    }

    /// An integer.
    #[must_use]
    pub const fn int(value: i64) -> Value<'r> {
        Value::word(Tag::Int, value)
    }

    /// A number that is no plain 64-bit integer, as text. `number::value` chooses between this and [`Value::int`].
    #[must_use]
    pub fn number_text(text: &'r str) -> Value<'r> {
        Value::slice(Tag::Number, text.as_bytes())
    }

    /// A string.
    #[must_use]
    pub const fn string(text: &'r str) -> Value<'r> {
        Value::slice(Tag::String, text.as_bytes())
    }

    /// An array.
    #[must_use]
    pub fn array(items: &'r [Value<'r>]) -> Value<'r> {
        Value::slice(Tag::Array, items)
    }

    /// An object; `entries` must be sorted by key without equal keys.
    #[must_use]
    pub fn object(entries: Object<'r>) -> Value<'r> {
        Value::slice(Tag::Object, entries)
    }

    /// A set; `members` must be sorted without equal members.
    #[must_use]
    pub fn set(members: &'r [Value<'r>]) -> Value<'r> {
        Value::slice(Tag::Set, members)
    }

    /// The tag alone.
    #[inline]
    #[must_use]
    pub const fn tag(self) -> Tag {
        let number = (self.meta.get() & 0xff) as u8;
        check(
            number >= Tag::Null as u8 && number <= Tag::Undefined as u8,
            "a value has a tag that is none",
        );
        // SAFETY: the lowest byte of `meta` is the number of a tag: only `meta` below makes it.
        unsafe { std::mem::transmute::<u8, Tag>(number) }
    }

    /// Whether this is [`Value::UNSET`].
    #[inline]
    #[must_use]
    pub fn is_unset(self) -> bool {
        self.has(Tag::Undefined)
    }

    /// Whether this is [`Value::UNSET`] and no note.
    #[inline]
    pub(crate) fn is_nothing(self) -> bool {
        self.meta == Value::UNSET.meta
    }

    /// Whether this is the boolean `false`: the one value that fails a statement.
    #[inline]
    #[must_use]
    pub fn is_false(self) -> bool {
        self.has(Tag::Bool) && self.raw_int() == 0
    }

    #[inline]
    const fn has(self, tag: Tag) -> bool {
        (self.meta.get() & 0xff) as u8 == tag as u8
    }

    #[inline]
    fn raw_int(self) -> i64 {
        self.word.addr() as i64
    }

    #[inline]
    fn raw_slice<T>(self) -> &'r [T] {
        check(
            size_of::<T>() == self.tag().part_bytes()
                && self.word.cast::<T>().is_aligned()
                && !self.word.is_null(),
            "a value is read as what it is not",
        );
        // SAFETY: `slice` took pointer and length from a `&'r [T]` of this very `T`, and `'r` still lives: callers ask
        // only for tags that `slice` made, and the tag decides `T`.
        unsafe { std::slice::from_raw_parts(self.word.cast(), self.len()) }
    }

    #[inline]
    fn raw_str(self) -> &'r str {
        let is_text = !checks::ALL || std::str::from_utf8(self.raw_slice()).is_ok();
        check(is_text, "a text is no UTF-8");
        // SAFETY: the bytes came from a `&'r str`, so they are UTF-8.
        unsafe { std::str::from_utf8_unchecked(self.raw_slice()) }
    }

    /// The elements of an array or set, or keys and values of an object in turn; `None` for what has no parts.
    #[inline]
    #[must_use]
    pub fn parts(self) -> Option<&'r [Value<'r>]> {
        match self.tag() {
            Tag::Array | Tag::Set => Some(self.raw_slice()),
            Tag::Object => {
                let entries: &'r [Entry<'r>] = self.raw_slice();
                let pointer: *const Value<'r> = entries.as_ptr().cast();
                // SAFETY: an entry is `repr(C)` of exactly two values (asserted below), so n entries are 2n values.
                Some(unsafe { std::slice::from_raw_parts(pointer, entries.len() * 2) })
            }
            Tag::Undefined | Tag::Null | Tag::Bool | Tag::Int | Tag::Number | Tag::String => None,
        }
    }

    /// Number of elements, members, or bytes of a text; 0 for everything else.
    #[inline]
    #[must_use]
    pub const fn len(self) -> usize {
        (self.meta.get() >> 32) as usize
    }

    /// Whether [`Value::len`] is 0.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether two scalars are equal, if that can be told from their bits: both are texts, or what is no number in other
    /// spellings. Tag and length are compared at once.
    #[inline(always)]
    pub(super) fn plainly_equals(self, other: Value<'_>) -> Option<bool> {
        if self.meta == other.meta {
            if self.has(Tag::String) {
                return Some(self.raw_slice::<u8>() == other.raw_slice::<u8>());
            }
            let is_in_word = (self.meta.get() & 0xff) as u8 <= Tag::Int as u8;
            return is_in_word.then(|| self.raw_int() == other.raw_int());
        }
        (self.has(Tag::String) && other.has(Tag::String)).then_some(false)
    }

    /// Whether this is the same text as `key`, which is a text.
    #[inline(always)]
    pub(super) fn is_key(self, key: Value<'_>) -> bool {
        self.meta == key.meta && is_same(self.raw_slice(), key.raw_slice())
    }

    /// The order of two texts or two integers; `None`: they are something else.
    #[inline(always)]
    pub(super) fn plainly_compares(self, other: Value<'_>) -> Option<std::cmp::Ordering> {
        if self.has(Tag::String) && other.has(Tag::String) {
            return Some(self.raw_slice::<u8>().cmp(other.raw_slice::<u8>()));
        }
        let are_integers = self.has(Tag::Int) && other.has(Tag::Int);
        are_integers.then(|| self.raw_int().cmp(&other.raw_int()))
    }

    /// Where the parts lie, for values that have some.
    pub(crate) fn place(self) -> Option<usize> {
        let has_parts = self.tag().part_bytes() > 0 && !self.is_empty();
        has_parts.then(|| self.word.addr())
    }

    /// Whether both are the same handle: then they are equal. Unequal handles may still be equal values.
    #[inline]
    #[must_use]
    pub fn is_same(self, other: Value<'_>) -> bool {
        self.meta == other.meta && self.word.addr() == other.word.addr()
    }

    /// The integer, if it is one in plain form.
    #[inline]
    #[must_use]
    pub fn as_int(self) -> Option<i64> {
        self.has(Tag::Int).then(|| self.raw_int())
    }

    /// The text of a string.
    #[inline]
    #[must_use]
    pub fn as_str(self) -> Option<&'r str> {
        self.has(Tag::String).then(|| self.raw_str())
    }

    /// The typed view.
    #[inline]
    #[must_use]
    pub fn kind(self) -> Kind<'r> {
        match self.tag() {
            Tag::Undefined => Kind::Undefined,
            Tag::Null => Kind::Null,
            Tag::Bool => Kind::Bool(self.raw_int() != 0),
            Tag::Int => Kind::Int(self.raw_int()),
            Tag::Number => Kind::Number(self.raw_str()),
            Tag::String => Kind::String(self.raw_str()),
            Tag::Array => Kind::Array(self.raw_slice()),
            Tag::Object => Kind::Object(self.raw_slice()),
            Tag::Set => Kind::Set(self.raw_slice()),
        }
    }
}

/// Whether bytes are equal, of which there are as many. Keys are short: to call who compares them costs more than to compare.
#[inline(always)]
fn is_same(bytes: &[u8], others: &[u8]) -> bool {
    let middle = bytes.len() / 2;
    match bytes.len() {
        0..4 => {
            bytes.first() == others.first()
                && bytes.get(middle) == others.get(middle)
                && bytes.last() == others.last()
        }
        4..8 => has_ends::<4>(bytes, others),
        8..=16 => has_ends::<8>(bytes, others),
        _ => bytes == others,
    }
}

/// Whether both begin and end with the same `N` bytes.
#[inline(always)]
fn has_ends<const N: usize>(bytes: &[u8], others: &[u8]) -> bool {
    bytes.first_chunk::<N>() == others.first_chunk() && bytes.last_chunk::<N>() == others.last_chunk()
}

const fn meta(tag: Tag, len: u32) -> NonZeroU64 {
    let bits = tag as u64 | (len as u64) << 32;
    match NonZeroU64::new(bits) {
        Some(meta) => meta,
        None => NonZeroU64::MIN,
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind().fmt(f)
    }
}
