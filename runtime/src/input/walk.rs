//! The one walk over a document that fills the cells: what is read is stored, what is not is skipped.
//!
//! It goes from value to value. What stands between two of them is mostly known from earlier documents ([`Layouts`]), and is
//! read where it is not.

use super::SlotTrie;
use super::build::Build;
use super::doc::Cell;
use super::layouts::{END, Layouts, Next, Opened, UNREAD};
use super::trie::OUTSIDE;
use crate::value::Value;

/// The walk.
pub(super) struct Walk<'w, 'r> {
    pub(super) trie: &'w SlotTrie,
    pub(super) build: Build<'w, 'r>,
    pub(super) cells: &'w mut [Cell<'r>],
    /// `None`: nothing is remembered.
    pub(super) layouts: Option<&'w mut Layouts>,
    pub(super) opened: Opened,
}

/// A value that the walk is at: whose it is, as in [`Next`], and its first byte.
struct Place {
    object: u16,
    member: u16,
    first: u8,
}

impl<'r> Walk<'_, 'r> {
    /// Reads the object here, which is the document, into the cells, which are missing. `None`: the document is not surely
    /// right.
    pub(super) fn document(&mut self) -> Option<()> {
        let mut place = Place {
            object: OUTSIDE,
            member: UNREAD,
            first: 0,
        };
        loop {
            self.onwards(&mut place)?;
            if place.member >= END {
                if place.member == END {
                    return Some(());
                }
                // Nobody reads it.
                match place.first {
                    b'"' => self.build.scanner.skip_string()?,
                    _ => self.build.scanner.skip()?,
                }
            } else {
                self.read(place.member, place.first)?;
            }
            // The document was a value without members.
            if place.object == OUTSIDE {
                return Some(());
            }
        }
    }

    /// Reads the value of a member that begins with `byte`. Most are texts, numbers and flags that are set, which need no call.
    #[inline(always)]
    fn read(&mut self, member: u16, byte: u8) -> Option<()> {
        let value = match byte {
            b'"' => Value::string(self.build.scanner.string(self.build.arena)?),
            b'0'..=b'9' => self.build.scanner.number(self.build.arena)?,
            b't' => {
                self.build.scanner.literal("true")?;
                Value::TRUE
            }
            byte => return self.other(member, byte),
        };
        put(self.cells, self.trie, member, Cell::ready(value));
        Some(())
    }

    /// As [`Walk::read`] for other values. Of an object that is gone into, this is one
    /// without members.
    #[inline(never)]
    fn other(&mut self, member: u16, byte: u8) -> Option<()> {
        let cell = match byte {
            b'{' => self.whole_object()?,
            // Who reads a list reads its elements.
            b'[' => {
                let shapes = self.layouts.as_deref_mut().map(|layouts| &mut layouts.shapes);
                Cell::ready(self.build.list(shapes)?)
            }
            byte => Cell::ready(self.build.plain(byte)?),
        };
        put(self.cells, self.trie, member, cell);
        Some(())
    }

    /// Objects are built when somebody asks for one as a whole, which is rare: members are read through cells of their own.
    fn whole_object(&mut self) -> Option<Cell<'r>> {
        let start = self.build.scanner.at;
        if self.build.scanner.after() == b'}' {
            self.build.scanner.at += 1;
            return Some(Cell::ready(Value::object(&[])));
        }
        self.build.scanner.at = start;
        self.build.scanner.skip()?;
        Some(object_at(start))
    }

    /// Goes from behind a value to the next one.
    #[inline(always)]
    fn onwards(&mut self, place: &mut Place) -> Option<()> {
        let known = match &mut self.layouts {
            Some(layouts) => layouts.follow(place.object, self.build.scanner.window()?),
            None => None,
        };
        let (next, first) = match known {
            Some((step, first)) => {
                for (node, at) in step.opened() {
                    let start = self.build.scanner.at + at;
                    put(self.cells, self.trie, node, object_at(start));
                }
                self.build.scanner.at += usize::from(step.len);
                (step.next, first)
            }
            None => self.read_onwards(place.object)?,
        };
        (place.object, place.member, place.first) = (next.object, next.member, first);
        Some(())
    }

    /// As [`Walk::onwards`], where it is not known what stands there.
    ///
    /// What is done here follows from the bytes up to the next value, from the object of the one before, and from the trie:
    /// `layouts.rs` relies on it.
    #[inline(never)]
    fn read_onwards(&mut self, before: u16) -> Option<(Next, u8)> {
        let from = self.build.scanner.at;
        self.opened.clear();
        let next = match before {
            OUTSIDE => Next {
                object: OUTSIDE,
                member: 0,
            },
            object => self.behind(object)?,
        };
        let next = self.enter_objects(next)?;
        if let Some(layouts) = self.layouts.as_deref_mut() {
            let bytes = self.build.scanner.since(from);
            layouts.missed(self.trie, (before, next), (from, bytes), &self.opened);
        }
        Some((next, self.build.scanner.peek()))
    }

    /// What comes behind a value of `object`.
    #[inline(always)]
    fn behind(&mut self, mut object: u16) -> Option<Next> {
        loop {
            if let Some(byte) = self.build.scanner.next() {
                return self.member(object, byte);
            }
            self.build.scanner.end(b'}')?;
            object = self.trie.above(object);
            if object == OUTSIDE {
                return Some(Next { object, member: END });
            }
        }
    }

    /// The member of an object whose key begins here with `byte`; goes to its value.
    #[inline(always)]
    fn member(&mut self, object: u16, byte: u8) -> Option<Next> {
        if byte != b'"' {
            return None;
        }
        let kids = self.trie.kids_of(object)?;
        let member = self.build.scanner.member(self.build.arena, kids)?;
        self.build.scanner.value()?;
        let member = member.unwrap_or(UNREAD);
        Some(Next { object, member })
    }

    /// While the value here is an object of which members are read, goes to its first one.
    #[inline(always)]
    fn enter_objects(&mut self, mut next: Next) -> Option<Next> {
        while self.build.scanner.peek() == b'{'
            && let Some(kids) = self.trie.kids_of(next.member)
            && !kids.is_empty()
        {
            let start = self.build.scanner.at;
            let byte = self.build.scanner.after();
            if byte == b'}' {
                self.build.scanner.at = start;
                break;
            }
            put(self.cells, self.trie, next.member, object_at(start));
            self.opened.push(next.member, start);
            next = self.member(next.member, byte)?;
        }
        Some(next)
    }
}

/// Puts a value into a cell. What an earlier member of the same key put there and below is forgotten.
#[inline(always)]
fn put<'r>(cells: &mut [Cell<'r>], trie: &SlotTrie, node: u16, cell: Cell<'r>) {
    if let Some(place) = cells.get_mut(usize::from(node)) {
        if !place.is_missing() {
            return put_again(cells, trie, node, cell);
        }
        *place = cell;
    }
}

#[cold]
fn put_again<'r>(cells: &mut [Cell<'r>], trie: &SlotTrie, node: u16, cell: Cell<'r>) {
    let range = usize::from(node)..usize::from(trie.end(node));
    if let Some([place, below @ ..]) = cells.get_mut(range) {
        *place = cell;
        below.fill(Cell::MISSING);
    }
}

fn object_at<'r>(start: usize) -> Cell<'r> {
    // `InputDoc::keep_text` keeps no text of 4 GiB.
    Cell::object(start as u32)
}
