//! JSON text → values: whole subtrees into the arena, texts borrowed from the document where they have no escapes.

use super::scan::{DEPTH_MAX, Scanner};
use super::shapes::{Behind, Shapes};
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
    /// The value here, which is the document. `None`: something is wrong, or the arena is full. `shapes` make it faster to read
    /// objects anywhere in it that are laid out as others were.
    pub(super) fn document(&mut self, mut shapes: Option<&mut Shapes>) -> Option<Value<'r>> {
        if let Some(shapes) = &mut shapes {
            shapes.begin_everywhere();
        }
        let byte = self.scanner.blanks();
        let value = self.begun(byte, DEPTH_MAX, shapes.as_deref_mut())?;
        if let Some(shapes) = shapes {
            shapes.end(self.scanner);
        }
        Some(value)
    }

    /// The value here, which was read before: it may be as deep as the walk goes, which bounds the recursion.
    pub(super) fn whole(&mut self) -> Option<Value<'r>> {
        self.nested(DEPTH_MAX + PATH_LEN_MAX as u32)
    }

    /// The list here. `shapes` make it faster to read objects in it that are laid out as others were.
    pub(super) fn list(&mut self, shapes: Option<&mut Shapes>) -> Option<Value<'r>> {
        self.array(DEPTH_MAX - 1, shapes)
    }

    /// Recursive; at most `deeper` levels.
    fn nested(&mut self, deeper: u32) -> Option<Value<'r>> {
        let byte = self.scanner.blanks();
        self.begun(byte, deeper, None)
    }

    /// The value that begins here with `byte`; `shapes` are for it, and for what is in it if they are for everything.
    #[inline(always)]
    fn begun(&mut self, byte: u8, deeper: u32, shapes: Option<&mut Shapes>) -> Option<Value<'r>> {
        match (byte, shapes) {
            (b'"', _) => self.scanner.string(self.arena).map(Value::string),
            (b'{', Some(shapes)) => self.familiar(deeper.checked_sub(1)?, shapes),
            (b'{', None) => self.object(deeper.checked_sub(1)?),
            (b'[', shapes) => self.array(deeper.checked_sub(1)?, shapes.and_then(Shapes::for_parts)),
            (byte, _) => self.plain(byte),
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

    fn array(&mut self, deeper: u32, mut shapes: Option<&mut Shapes>) -> Option<Value<'r>> {
        let start = self.parts.len();
        let mut next = self.scanner.after();
        if let (b'{', Some(shapes)) = (next, &mut shapes) {
            shapes.stand_in_front();
        }
        while next != b']' {
            let item = self.begun(next, deeper, shapes.as_deref_mut())?;
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
        let next = self.scanner.after();
        self.members(start, next, deeper, None)
    }

    /// What is left of an object, of which there are parts from `start` on and `next` is the next byte. `shapes` are for its
    /// values.
    fn members(
        &mut self,
        start: usize,
        mut next: u8,
        deeper: u32,
        mut shapes: Option<&mut Shapes>,
    ) -> Option<Value<'r>> {
        while next != b'}' {
            if next != b'"' {
                return None;
            }
            let key = self.scanner.string(self.arena)?;
            let byte = self.scanner.value()?;
            let value = self.begun(byte, deeper, shapes.as_deref_mut())?;
            self.parts.extend([Value::string(key), value]);
            next = self.behind_member()?;
        }
        self.scanner.end(b'}')?;
        let entries = self.entries(start)?;
        object_from(self.arena, entries).ok()
    }

    /// Goes from behind a member to the next one, or to the end of the object; the byte there.
    #[inline(always)]
    fn behind_member(&mut self) -> Option<u8> {
        match self.scanner.next() {
            Some(b'}') => None,
            Some(next) => Some(next),
            None => Some(b'}'),
        }
    }

    /// Entries of the parts from `start` on, which are no more needed.
    #[inline(always)]
    fn entries(&mut self, start: usize) -> Option<&'r mut [Entry<'r>]> {
        let parts = self.parts.get(start..)?;
        let entries = self.arena.filled(parts.len() / 2, UNSET).ok()?;
        let (pairs, _) = parts.as_chunks();
        for (entry, &[key, value]) in entries.iter_mut().zip(pairs) {
            *entry = Entry { key, value };
        }
        self.parts.truncate(start);
        Some(entries)
    }

    /// The object here: as far as it is laid out as another one was, by that.
    fn familiar(&mut self, deeper: u32, shapes: &mut Shapes) -> Option<Value<'r>> {
        let (begun, start) = (self.scanner, self.parts.len());
        let text = self.scanner.window()?;
        if let [_, b'}', ..] = text {
            self.scanner.at += 2;
            return Some(Value::object(&[]));
        }
        let Some((shape, mut first)) = shapes.follow(text) else {
            return self.unfamiliar(deeper, shapes, (begun, shapes.behind()), start);
        };
        let behind = shapes.behind();
        let entries = self.arena.filled(shape.len(), UNSET).ok()?;
        let mut known = 0;
        while let Some(piece) = shapes.piece(shape, known) {
            if known > 0 {
                match piece.leads_on(self.scanner.window()?) {
                    Some(next) => first = next,
                    None => break,
                }
            }
            let key = self.scanner.ahead(piece.key.0.into(), piece.key.1.into())?;
            let order = usize::from(piece.order);
            self.scanner.at += usize::from(piece.len);
            let value = self.begun(first, deeper, shapes.for_parts())?;
            let key = Value::string(key);
            *entries.get_mut(order)? = Entry { key, value };
            known += 1;
        }
        if known == shape.len() && self.scanner.blanks() == b'}' {
            self.scanner.at += 1;
            return Some(Value::object(entries));
        }
        for at in 0..known {
            let piece = shapes.piece(shape, at)?;
            let Entry { key, value } = *entries.get(usize::from(piece.order))?;
            self.parts.extend([key, value]);
        }
        self.unfamiliar(deeper, shapes, (begun, behind), start)
    }

    /// What is left of an object that began at `begun`, behind one of a known shape, of which there are parts from `start` on, and
    /// that is laid out otherwise from here on.
    #[inline(never)]
    fn unfamiliar(
        &mut self,
        deeper: u32,
        shapes: &mut Shapes,
        (begun, behind): (Scanner<'r>, Behind),
        start: usize,
    ) -> Option<Value<'r>> {
        let next = match self.parts.len() - start {
            0 => self.scanner.after(),
            _ => self.behind_member()?,
        };
        let object = self.members(start, next, deeper, shapes.for_parts())?;
        shapes.missed(begun, behind);
        Some(object)
    }
}

const UNSET: Entry<'static> = Entry {
    key: Value::UNSET,
    value: Value::UNSET,
};
