//! JSON text → values: whole subtrees into the arena, texts borrowed from the document where they have no escapes.

use super::scan::{DEPTH_MAX, Scanner};
use crate::arena::Arena;
use crate::limits::PATH_LEN_MAX;
use crate::value::{Entry, Value, object_from};

/// Builds values from a place in a text on.
pub(super) struct Build<'b, 'r> {
    pub(super) scanner: Scanner<'r>,
    pub(super) arena: &'r Arena,
    /// Parts of containers that are not finished, keys and values of objects in turn. Empty between two values.
    pub(super) parts: &'b mut Vec<Value<'r>>,
}

impl<'r> Build<'_, 'r> {
    /// The value here. `None`: something is wrong, or the arena is full.
    pub(super) fn value(&mut self) -> Option<Value<'r>> {
        self.nested(DEPTH_MAX)
    }

    /// The value here, which was read before: it may be as deep as the walk goes, which bounds the recursion.
    pub(super) fn whole(&mut self) -> Option<Value<'r>> {
        self.nested(DEPTH_MAX + PATH_LEN_MAX as u32)
    }

    /// Recursive; at most `deeper` levels.
    fn nested(&mut self, deeper: u32) -> Option<Value<'r>> {
        let byte = self.scanner.blanks();
        self.begun(byte, deeper)
    }

    /// The value that begins here with `byte`.
    fn begun(&mut self, byte: u8, deeper: u32) -> Option<Value<'r>> {
        match byte {
            b'"' => self.scanner.string(self.arena).map(Value::string),
            b'{' => self.object(deeper.checked_sub(1)?),
            b'[' => self.array(deeper.checked_sub(1)?),
            byte => self.plain(byte),
        }
    }

    /// A number or a word, whose first byte this is.
    pub(super) fn plain(&mut self, byte: u8) -> Option<Value<'r>> {
        match byte {
            b'-' | b'0'..=b'9' => self.scanner.number(self.arena),
            b't' => self.scanner.literal("true").map(|()| Value::TRUE),
            b'f' => self.scanner.literal("false").map(|()| Value::FALSE),
            b'n' => self.scanner.literal("null").map(|()| Value::NULL),
            _ => None,
        }
    }

    fn array(&mut self, deeper: u32) -> Option<Value<'r>> {
        let start = self.parts.len();
        let mut next = self.scanner.after();
        while next != b']' {
            let item = self.begun(next, deeper)?;
            self.parts.push(item);
            next = match self.scanner.next() {
                Some(b']') => return None,
                Some(next) => next,
                None => b']',
            };
        }
        self.scanner.end(b']')?;
        let items = self.arena.values(self.parts.get(start..)?).ok()?;
        self.parts.truncate(start);
        Some(Value::array(items))
    }

    fn object(&mut self, deeper: u32) -> Option<Value<'r>> {
        let start = self.parts.len();
        let mut next = self.scanner.after();
        while next != b'}' {
            if next != b'"' {
                return None;
            }
            let key = self.scanner.string(self.arena)?;
            let byte = self.scanner.value()?;
            let value = self.begun(byte, deeper)?;
            self.parts.extend([Value::string(key), value]);
            next = match self.scanner.next() {
                Some(b'}') => return None,
                Some(next) => next,
                None => b'}',
            };
        }
        self.scanner.end(b'}')?;
        let parts = self.parts.get(start..)?;
        let unset = Entry {
            key: Value::UNSET,
            value: Value::UNSET,
        };
        let entries = self.arena.filled(parts.len() / 2, unset).ok()?;
        for (entry, pair) in entries.iter_mut().zip(parts.chunks_exact(2)) {
            if let [key, value] = *pair {
                *entry = Entry { key, value };
            }
        }
        self.parts.truncate(start);
        object_from(self.arena, entries).ok()
    }
}
