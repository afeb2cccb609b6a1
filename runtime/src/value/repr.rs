//! The 16-byte value: a tag, a length and a word. Copying one is copying two registers; nothing is counted or freed.
//!
//! A value borrows for `'r` from one of three owners: the image, the request's bytes, the core's arena. [`Value::kind`]
//! gives the typed view that all other code matches on.
#![expect(
    unsafe_code,
    reason = "the one place that turns (tag, length, pointer) back into the slice it was made from"
)]

use std::marker::PhantomData;

/// What a value is. The order of the first seven kinds is Rego's order of types.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// `null`
    Null = 0,
    /// `false`, `true`
    Bool = 1,
    /// A 64-bit integer.
    Int = 2,
    /// Any other number, kept as its text.
    Number = 3,
    /// UTF-8 text.
    String = 4,
    /// A slice of values.
    Array = 5,
    /// A slice of entries sorted by key.
    Object = 6,
    /// A sorted slice of values.
    Set = 7,
    /// No value. Never inside a collection, never the result of a rule; a register may hold it for [`Value::UNSET`].
    Undefined = 8,
}

/// A Rego value, or [`Value::UNSET`].
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Value<'r> {
    tag: Tag,
    len: u32,
    word: Word,
    owner: PhantomData<&'r [u8]>,
}

#[derive(Clone, Copy)]
#[repr(C)]
union Word {
    int: i64,
    pointer: *const u8,
}

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
            tag,
            len: 0,
            word: Word { int },
            owner: PhantomData,
        }
    }

    fn slice<T>(tag: Tag, items: &'r [T]) -> Value<'r> {
        // A slice longer than u32 cannot be made: arenas and documents are bounded far below.
        let len = u32::try_from(items.len()).unwrap_or(u32::MAX);
        Value {
            tag,
            len,
            word: Word {
                pointer: items.as_ptr().cast(),
            },
            owner: PhantomData,
        }
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
    pub fn string(text: &'r str) -> Value<'r> {
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
        self.tag
    }

    /// Whether this is [`Value::UNSET`].
    #[inline]
    #[must_use]
    pub fn is_unset(self) -> bool {
        self.tag == Tag::Undefined
    }

    /// Whether this is the boolean `false`: the one value that fails a statement.
    #[inline]
    #[must_use]
    pub fn is_false(self) -> bool {
        self.tag == Tag::Bool && self.raw_int() == 0
    }

    #[inline]
    fn raw_int(self) -> i64 {
        // SAFETY: both fields of the union are eight initialised bytes, valid as an integer.
        unsafe { self.word.int }
    }

    #[inline]
    fn raw_slice<T>(self) -> &'r [T] {
        // SAFETY: reading a pointer that `slice` stored; callers ask only for tags that `slice` made.
        let pointer = unsafe { self.word.pointer };
        // SAFETY: `slice` took pointer and length from a `&'r [T]` of this very `T` (the tag decides `T`), and `'r` still lives.
        unsafe { std::slice::from_raw_parts(pointer.cast(), self.len as usize) }
    }

    #[inline]
    fn raw_str(self) -> &'r str {
        // SAFETY: the bytes came from a `&'r str`, so they are UTF-8.
        unsafe { std::str::from_utf8_unchecked(self.raw_slice()) }
    }

    /// The elements of an array or set, or keys and values of an object in turn; `None` for what has no parts.
    #[inline]
    #[must_use]
    pub fn parts(self) -> Option<&'r [Value<'r>]> {
        match self.tag {
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
        self.len as usize
    }

    /// Whether [`Value::len`] is 0.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Whether both are the same handle: then they are equal. Unequal handles may still be equal values.
    #[inline]
    #[must_use]
    pub fn is_same(self, other: Value<'_>) -> bool {
        self.tag == other.tag && self.len == other.len && self.raw_int() == other.raw_int()
    }

    /// The integer, if it is one in plain form.
    #[inline]
    #[must_use]
    pub fn as_int(self) -> Option<i64> {
        (self.tag == Tag::Int).then(|| self.raw_int())
    }

    /// The text of a string.
    #[inline]
    #[must_use]
    pub fn as_str(self) -> Option<&'r str> {
        (self.tag == Tag::String).then(|| self.raw_str())
    }

    /// The typed view.
    #[inline]
    #[must_use]
    pub fn kind(self) -> Kind<'r> {
        match self.tag {
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

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind().fmt(f)
    }
}
