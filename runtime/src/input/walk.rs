//! The one walk over a document that fills the cells: what is read is stored, what is not is skipped.

use super::SlotTrie;
use super::build::Build;
use super::doc::Cell;
use super::trie::Kids;
use crate::value::Value;

/// The walk.
pub(super) struct Walk<'w, 'r> {
    pub(super) trie: &'w SlotTrie,
    pub(super) build: Build<'w, 'r>,
    pub(super) cells: &'w mut [Cell<'r>],
}

impl<'r> Walk<'_, 'r> {
    /// Reads the value here, which is no text and begins with `byte`, into the cells of a trie node and all below it, which are
    /// missing. Recursive over the trie. `None`: the document is not surely right.
    #[inline(never)]
    fn other(&mut self, trie_node: u16, byte: u8) -> Option<()> {
        let cell = match byte {
            b'{' => return self.object(trie_node),
            // Who reads a list reads its elements.
            b'[' => Cell::ready(self.build.value()?),
            byte => Cell::ready(self.build.plain(byte)?),
        };
        self.put(trie_node, cell);
        Some(())
    }

    #[inline]
    fn put(&mut self, trie_node: u16, cell: Cell<'r>) {
        if let Some(place) = self.cells.get_mut(usize::from(trie_node)) {
            *place = cell;
        }
    }

    /// Objects are built when somebody asks for one as a whole, which is rare: members are read through cells of their own.
    pub(super) fn object(&mut self, trie_node: u16) -> Option<()> {
        let start = self.build.scanner.at;
        let next = self.build.scanner.after();
        if next == b'}' {
            self.build.scanner.at += 1;
            self.put(trie_node, Cell::ready(Value::object(&[])));
            return Some(());
        }
        // Documents are far below 4 GiB.
        self.put(trie_node, Cell::object(u32::try_from(start).ok()?));
        match self.trie.kids_of(trie_node) {
            Some(kids) if !kids.is_empty() => self.members(kids, next),
            _ => {
                self.build.scanner.at = start;
                self.build.scanner.skip()
            }
        }
    }

    /// Reads the members of an object, the first byte of which is `next`.
    fn members(&mut self, kids: &Kids, mut next: u8) -> Option<()> {
        loop {
            if next != b'"' {
                return None;
            }
            let kid = self.build.scanner.member(self.build.arena, kids)?;
            let byte = self.build.scanner.value()?;
            match kid {
                // Most members are texts, which need no call.
                Some(kid) => {
                    self.forget(kid);
                    if byte == b'"' {
                        let text = self.build.scanner.string(self.build.arena)?;
                        self.put(kid, Cell::ready(Value::string(text)));
                    } else {
                        self.other(kid, byte)?;
                    }
                }
                None => self.build.scanner.skip()?,
            }
            match self.build.scanner.next() {
                Some(byte) => next = byte,
                None => return self.build.scanner.end(b'}'),
            }
        }
    }

    /// An earlier member of the same key is forgotten whole.
    #[inline]
    fn forget(&mut self, kid: u16) {
        let earlier = self.cells.get(usize::from(kid));
        if earlier.is_some_and(|cell| !cell.is_missing()) {
            let range = usize::from(kid)..usize::from(self.trie.end(kid));
            self.cells.get_mut(range).unwrap_or_default().fill(Cell::MISSING);
        }
    }
}
