//! Reading a PORC into the cells: by the one walk, as a whole, or by the exact parser.

use super::build::Build;
use super::doc::{Cell, InputDoc};
use super::layouts::Opened;
use super::scan::{PADDING, Scanner};
use super::utf8::text_of;
use super::walk::Walk;
use super::{Layouts, PorcError, SlotTrie, Trailing};
use crate::arena::Arena;
use crate::json::{Numbers, parse_prefix};
use crate::value::{Kind, Value};

impl<'r> InputDoc<'r> {
    /// Reads a PORC. `body` becomes a copy of it that texts point into; it is used once, and without it the exact parser
    /// reads. `layouts` makes it faster to read what is laid out as earlier documents were.
    pub(crate) fn read_porc(
        &mut self,
        trie: &SlotTrie,
        arena: &'r Arena,
        (body, layouts): (Option<&'r mut Vec<u8>>, Option<&mut Layouts>),
        bytes: &[u8],
        trailing: Trailing,
    ) -> Result<(), PorcError> {
        self.clear(trie);
        if let Some(body) = body {
            let layouts = layouts.and_then(|layouts| layouts.begin(trie));
            if self.walk(trie, arena, (body, layouts), bytes, trailing).is_some() {
                return Ok(());
            }
            self.clear(trie);
        }
        let value = self.read_exactly(arena, bytes, trailing)?;
        self.fill_from_value(trie, 0, value);
        Ok(())
    }

    /// As [`InputDoc::read_porc`] for who needs the document as a whole, and no cell.
    pub(crate) fn read_whole_porc(
        &mut self,
        arena: &'r Arena,
        (body, layouts): (Option<&'r mut Vec<u8>>, Option<&mut Layouts>),
        bytes: &[u8],
        trailing: Trailing,
    ) -> Result<Value<'r>, PorcError> {
        if let Some(body) = body {
            let shapes = layouts.map(|layouts| &mut layouts.shapes);
            let whole = self.read_surely(arena, body, bytes, trailing, |mut build, _| {
                Some((build.document(shapes)?, build.scanner))
            });
            if let Some(value) = whole {
                return Ok(value);
            }
            self.parts.clear();
        }
        self.read_exactly(arena, bytes, trailing)
    }

    /// Reads a PORC by the exact parser.
    fn read_exactly(
        &mut self,
        arena: &'r Arena,
        bytes: &[u8],
        trailing: Trailing,
    ) -> Result<Value<'r>, PorcError> {
        // Texts point elsewhere.
        self.text = "";
        let bytes = arena.bytes(bytes).map_err(PorcError::Budget)?;
        let value = match trailing {
            Trailing::Refuse => crate::json::parse(arena, bytes, Numbers::ByValue),
            Trailing::Ignore => parse_prefix(arena, bytes, Numbers::ByValue).map(|(value, _)| value),
        };
        let value = value.map_err(PorcError::Json)?;
        match value.kind() {
            Kind::Object(_) => Ok(value),
            Kind::Null => Err(PorcError::Null),
            Kind::Bool(_) => Err(PorcError::NotAnObject("bool")),
            Kind::String(_) => Err(PorcError::NotAnObject("string")),
            Kind::Array(_) => Err(PorcError::NotAnObject("array")),
            _ => Err(PorcError::NotAnObject("number")),
        }
    }

    /// Fills the cells the fast way; `None` when the document is not surely an object that it reads as the exact parser does.
    pub(super) fn walk(
        &mut self,
        trie: &SlotTrie,
        arena: &'r Arena,
        (body, layouts): (&'r mut Vec<u8>, Option<&mut Layouts>),
        bytes: &[u8],
        trailing: Trailing,
    ) -> Option<()> {
        self.read_surely(arena, body, bytes, trailing, |build, cells| {
            let mut walk = Walk {
                trie,
                build,
                cells,
                layouts,
                opened: Opened::default(),
            };
            walk.document()?;
            Some(((), walk.build.scanner))
        })
    }

    /// What `read` makes of the document, and where it ends, if that is surely an object that is read so as the exact parser
    /// does.
    fn read_surely<T>(
        &mut self,
        arena: &'r Arena,
        body: &'r mut Vec<u8>,
        bytes: &[u8],
        trailing: Trailing,
        read: impl FnOnce(Build<'_, 'r>, &mut [Cell<'r>]) -> Option<(T, Scanner<'r>)>,
    ) -> Option<T> {
        self.keep_text(body, bytes)?;
        let mut build = Build {
            scanner: Scanner::new(self.text, 0),
            arena,
            parts: &mut self.parts,
        };
        if build.scanner.blanks() != b'{' {
            return None;
        }
        let (made, mut scanner) = read(build, &mut self.cells)?;
        // Most documents end with their last brace, or with the line.
        scanner.at += usize::from(scanner.peek() == b'\n');
        if scanner.at < bytes.len() {
            scanner.blanks();
        }
        (trailing == Trailing::Ignore || scanner.at == bytes.len()).then_some(made)
    }

    /// Makes `body` the text that is read; nothing if it is no UTF-8, or has places that are no `u32`.
    fn keep_text(&mut self, body: &'r mut Vec<u8>, bytes: &[u8]) -> Option<()> {
        u32::try_from(bytes.len()).ok()?;
        body.clear();
        body.reserve(bytes.len() + PADDING);
        body.extend_from_slice(bytes);
        body.extend_from_slice(&[0; PADDING]);
        // All at once, which costs less than text by text.
        self.text = text_of(body)?;
        self.parts.clear();
        Some(())
    }
}
