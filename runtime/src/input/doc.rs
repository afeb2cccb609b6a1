//! The input of a request: a cell for each path that the program reads, filled in one walk, containers built on demand.

use super::SlotTrie;
use super::build::Build;
use super::scan::Scanner;
use super::trie::Kids;
use crate::arena::Arena;
use crate::error::EvalErrorKind;
use crate::value::{Entry, Kind, Tag, Value, object_from, replace_at};

/// What is known about the value at one path: the value, or a note in its place, so that a look costs one comparison. Where
/// nothing is there is nothing below either.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'r>(Value<'r>);

/// The meaning of a cell.
enum State<'r> {
    /// Undefined.
    Missing,
    /// This value.
    Ready(Value<'r>),
    /// The object at this place of the text, which has members; not built yet.
    Text(u32),
    /// The object at this place of the text (or nothing, for [`NO_TEXT`]), of which the cells below and the replacements
    /// know better; not built yet.
    Stale(u32),
    /// The object whose members are the cells right below; not built yet.
    Gathered,
    /// The object that [`InputDoc::merged`] puts together; not built yet.
    Merged,
}

const NO_TEXT: u32 = u32::MAX;

/// Notes in cells.
const TEXT: u32 = 1;
const STALE: u32 = 2;
const GATHERED: u32 = 3;
const MERGED: u32 = 4;

impl<'r> Cell<'r> {
    pub(super) const MISSING: Cell<'static> = Cell(Value::UNSET);
    const GATHERED: Cell<'static> = Cell(Value::note(GATHERED, 0));
    const MERGED: Cell<'static> = Cell(Value::note(MERGED, 0));

    pub(super) fn ready(value: Value<'r>) -> Cell<'r> {
        Cell(value)
    }

    /// The object at a place of the text.
    pub(super) fn object(at: u32) -> Cell<'r> {
        Cell(Value::note(TEXT, at))
    }

    fn stale(at: u32) -> Cell<'r> {
        Cell(Value::note(STALE, at))
    }

    /// The value, if it is ready; a note otherwise.
    #[inline(always)]
    pub(crate) fn value(self) -> Value<'r> {
        self.0
    }

    /// Whether there is no value, ready or not.
    #[inline(always)]
    pub(crate) fn is_missing(self) -> bool {
        self.0.is_nothing()
    }

    fn state(self) -> State<'r> {
        match self.0.as_note() {
            None => State::Ready(self.0),
            Some((TEXT, at)) => State::Text(at),
            Some((STALE, at)) => State::Stale(at),
            Some((GATHERED, _)) => State::Gathered,
            Some((MERGED, _)) => State::Merged,
            Some(_) => State::Missing,
        }
    }
}

/// A part of the input that was given from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replacement<'r> {
    path: &'r [Value<'r>],
    value: Value<'r>,
}

/// Puts together an object of which the cells below it are known already: few ever ask for all of it.
pub(crate) trait Merge<'r> {
    /// The object, which is what was sent in its place (`None`: no object) together with more.
    fn merged(&self, arena: &'r Arena, sent: Option<Value<'r>>) -> Result<Value<'r>, EvalErrorKind>;
}

/// The one object of a document that is put together.
#[derive(Clone, Copy)]
pub(crate) struct Merged<'r> {
    sent: Cell<'r>,
    by: &'r dyn Merge<'r>,
}

impl std::fmt::Debug for Merged<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Merged")
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

/// Parts that were replaced, and states before that. Most requests have no use for it.
#[derive(Debug, Default)]
pub(crate) struct Replacements<'r> {
    pub(crate) present: Vec<Replacement<'r>>,
    pub(crate) saved_cells: Vec<Cell<'r>>,
    pub(crate) saved: Vec<Replacement<'r>>,
}

/// Where the cells and replacements of a state before a `with` are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saved {
    cells: usize,
    replaced: usize,
}

/// The input document.
#[derive(Debug, Default)]
pub(crate) struct InputDoc<'r> {
    /// One for each node of the program's trie; none before there is an input, or something is run without one.
    pub(crate) cells: Vec<Cell<'r>>,
    /// `None`: nothing was replaced or saved.
    pub(crate) replacements: Option<Replacements<'r>>,
    /// The document and the zeros behind it, while it is not read by the exact parser.
    pub(crate) text: &'r str,
    /// Memory for building containers.
    pub(crate) parts: Vec<Value<'r>>,
    /// What the object is made of that is put together when somebody asks for it.
    pub(crate) merged: Option<Merged<'r>>,
}

impl<'r> InputDoc<'r> {
    /// Makes the input undefined.
    pub(crate) fn clear(&mut self, trie: &SlotTrie) {
        self.cells.clear();
        self.cells.extend_from_slice(trie.empty_cells());
        if let Some(replacements) = &mut self.replacements {
            replacements.present.clear();
        }
        self.text = "";
        self.merged = None;
    }

    /// The input is this value.
    pub(crate) fn set(&mut self, trie: &SlotTrie, value: Value<'r>) {
        self.clear(trie);
        self.fill_from_value(trie, 0, value);
    }

    /// Fills the cells of a trie node and all below it from a value; they must be missing. Recursive over the trie.
    pub(super) fn fill_from_value(&mut self, trie: &SlotTrie, trie_node: u16, value: Value<'r>) {
        self.put(trie_node, Cell(value));
        if let (Kind::Object(entries), Some(kids)) = (value.kind(), trie.kids_of(trie_node))
            && !kids.is_empty()
        {
            for entry in entries {
                let Some(kid) = entry.key.as_str().and_then(|key| kids.find(key)) else {
                    continue;
                };
                match entry.value.tag() {
                    Tag::Object => self.fill_from_value(trie, kid, entry.value),
                    _ => self.put(kid, Cell(entry.value)),
                }
            }
        }
    }

    fn put(&mut self, trie_node: u16, cell: Cell<'r>) {
        if let Some(place) = self.cells.get_mut(usize::from(trie_node)) {
            *place = cell;
        }
    }

    /// Makes a trie node and all below it missing.
    fn clear_below(&mut self, trie: &SlotTrie, trie_node: u16) {
        let range = usize::from(trie_node)..usize::from(trie.end(trie_node));
        self.cells.get_mut(range).unwrap_or_default().fill(Cell::MISSING);
    }

    /// A cell as it is.
    #[inline(always)]
    pub(crate) fn cell(&self, trie_node: u16) -> Cell<'r> {
        self.cells
            .get(usize::from(trie_node))
            .copied()
            .unwrap_or(Cell::MISSING)
    }

    /// Whether the object in a cell has members, without building it; `None`: no object.
    #[inline]
    pub(crate) fn has_members(&self, trie: &SlotTrie, trie_node: u16) -> Option<bool> {
        match self.cell(trie_node).state() {
            State::Missing => None,
            State::Ready(value) => (value.tag() == Tag::Object).then(|| !value.is_empty()),
            State::Text(_) | State::Stale(_) | State::Merged => Some(true),
            State::Gathered => Some(self.members(trie, trie_node).next().is_some()),
        }
    }

    /// Keys and nodes of the cells right below a node that are there.
    fn members<'t>(&self, trie: &'t SlotTrie, trie_node: u16) -> impl Iterator<Item = (&'t str, u16)> {
        let kids = trie.kids_of(trie_node).map(Kids::iter);
        kids.into_iter()
            .flatten()
            .filter(|(_, kid)| !self.cell(*kid).is_missing())
    }

    /// The value of a cell; builds it if nobody asked before.
    pub(crate) fn value(
        &mut self,
        trie: &'r SlotTrie,
        arena: &'r Arena,
        trie_node: u16,
    ) -> Result<Option<Value<'r>>, EvalErrorKind> {
        let value = match self.cell(trie_node).state() {
            State::Missing => return Ok(None),
            State::Ready(value) => return Ok(Some(value)),
            State::Text(at) => self.built(arena, at)?,
            State::Stale(at) => self.rebuilt(trie, arena, trie_node, at)?,
            State::Gathered => self.gathered(trie, arena, trie_node, &[])?,
            State::Merged => self.merged(arena)?,
        };
        self.put(trie_node, Cell(value));
        Ok(Some(value))
    }

    /// The object at a place of the text, which was read before: it is right.
    fn built(&mut self, arena: &'r Arena, at: u32) -> Result<Value<'r>, EvalErrorKind> {
        let mut build = Build {
            scanner: Scanner::new(self.text, at as usize),
            arena,
            parts: &mut self.parts,
        };
        let value = build.whole();
        if value.is_none() {
            self.parts.clear();
        }
        value.ok_or(EvalErrorKind::ArenaExhausted)
    }

    /// The object that is put together.
    fn merged(&mut self, arena: &'r Arena) -> Result<Value<'r>, EvalErrorKind> {
        let merged = self.merged.ok_or(EvalErrorKind::NoSuchEntry)?;
        let sent = match merged.sent.state() {
            State::Ready(value) => Some(value),
            State::Text(at) => Some(self.built(arena, at)?),
            State::Missing | State::Stale(_) | State::Gathered | State::Merged => None,
        };
        merged.by.merged(arena, sent)
    }

    /// The object of a stale cell: what the text says, with the cells and the replacements below it.
    fn rebuilt(
        &mut self,
        trie: &'r SlotTrie,
        arena: &'r Arena,
        trie_node: u16,
        at: u32,
    ) -> Result<Value<'r>, EvalErrorKind> {
        let said = match at {
            NO_TEXT => Value::object(&[]),
            _ => self.built(arena, at)?,
        };
        let said: &[Entry<'r>] = match said.kind() {
            Kind::Object(entries) => entries,
            _ => &[],
        };
        let mut value = self.gathered(trie, arena, trie_node, said)?;
        for replacement in self.replacements.iter().flat_map(|all| &all.present) {
            if let Some(rest) = path_below(trie, trie_node, replacement.path) {
                value = replace_at(arena, Some(value), rest, replacement.value)?;
            }
        }
        Ok(value)
    }

    /// The object of the cells right below a node and of those members that have no cell there. Recursive over the trie.
    fn gathered(
        &mut self,
        trie: &'r SlotTrie,
        arena: &'r Arena,
        trie_node: u16,
        others: &[Entry<'r>],
    ) -> Result<Value<'r>, EvalErrorKind> {
        let Some(kids) = trie.kids_of(trie_node) else {
            return Ok(Value::object(&[]));
        };
        let mut members = arena.list(kids.len() + others.len())?;
        for (key, kid) in kids.iter() {
            if let Some(value) = self.value(trie, arena, kid)? {
                let key = Value::string(key);
                members.push(Entry { key, value });
            }
        }
        let has_cell = |entry: &&Entry<'r>| entry.key.as_str().is_some_and(|key| kids.find(key).is_some());
        members.extend(others.iter().filter(|entry| !has_cell(entry)).copied());
        object_from(arena, members.into_bump_slice_mut())
    }

    /// The cells at and below a node become those of a value, or undefined. Those above are to be told by
    /// [`InputDoc::outdate`].
    pub(crate) fn settle(&mut self, trie: &SlotTrie, trie_node: u16, value: Option<Value<'r>>) {
        if !self.cell(trie_node).is_missing() {
            self.clear_below(trie, trie_node);
        }
        if let Some(value) = value {
            match value.tag() {
                Tag::Object => self.fill_from_value(trie, trie_node, value),
                _ => self.put(trie_node, Cell(value)),
            }
        }
    }

    /// As [`InputDoc::settle`] for an object of which somebody has found out before what stands in which cell: its own, and
    /// those below.
    pub(crate) fn settle_known(
        &mut self,
        trie: &SlotTrie,
        trie_node: u16,
        cells: impl Iterator<Item = (u16, Value<'r>)>,
    ) {
        if !self.cell(trie_node).is_missing() {
            self.clear_below(trie, trie_node);
        }
        self.fill(cells);
    }

    /// Puts values into cells that nothing is in, nor below them.
    pub(crate) fn fill(&mut self, cells: impl Iterator<Item = (u16, Value<'r>)>) {
        for (cell, value) in cells {
            self.put(cell, Cell(value));
        }
    }

    /// The cell of a node becomes the object that `by` puts together with what is there now. The cells below it say already
    /// what that object says, which has members.
    pub(crate) fn settle_merged(&mut self, trie_node: u16, by: &'r dyn Merge<'r>) {
        let sent = self.cell(trie_node);
        self.merged = Some(Merged { sent, by });
        self.put(trie_node, Cell::MERGED);
    }

    /// The cell of a node becomes the object of the cells right below it; `others` of those become undefined.
    pub(crate) fn gather(&mut self, trie: &SlotTrie, trie_node: u16, others: &[u16]) {
        // Below what is no object nothing is there.
        if !others.is_empty() && self.has_members(trie, trie_node).is_some() {
            for kid in others {
                self.clear_below(trie, *kid);
            }
        }
        self.put(trie_node, Cell::GATHERED);
    }

    /// What is in a cell, where an object that is to be put together is so now.
    fn settled_state(
        &mut self,
        trie: &'r SlotTrie,
        arena: &'r Arena,
        trie_node: u16,
    ) -> Result<State<'r>, EvalErrorKind> {
        if let State::Merged = self.cell(trie_node).state() {
            self.value(trie, arena, trie_node)?;
        }
        Ok(self.cell(trie_node).state())
    }

    /// Tells the object in a cell, which has members, that what is at `path` below it has changed: the cell at `trie_node`
    /// is there.
    #[inline]
    pub(crate) fn outdate(
        &mut self,
        trie: &'r SlotTrie,
        arena: &'r Arena,
        above: u16,
        path: &[Value<'r>],
        trie_node: u16,
    ) -> Result<(), EvalErrorKind> {
        // Mostly nobody has looked at it yet.
        match self.cell(above).state() {
            State::Text(at) => self.put(above, Cell::stale(at)),
            State::Stale(_) => {}
            _ => return self.outdate_known(trie, arena, above, path, trie_node),
        }
        Ok(())
    }

    /// As [`InputDoc::outdate`] for any object.
    #[inline(never)]
    fn outdate_known(
        &mut self,
        trie: &'r SlotTrie,
        arena: &'r Arena,
        above: u16,
        path: &[Value<'r>],
        trie_node: u16,
    ) -> Result<(), EvalErrorKind> {
        let told = match self.settled_state(trie, arena, above)? {
            State::Text(at) | State::Stale(at) => Cell::stale(at),
            State::Missing | State::Gathered | State::Merged => Cell::GATHERED,
            State::Ready(old) => match self.value(trie, arena, trie_node)? {
                Some(value) => Cell(replace_at(arena, Some(old), path, value)?),
                None => Cell(old),
            },
        };
        self.put(above, told);
        Ok(())
    }

    /// Puts a value at a path, for the cells at, above and below it.
    pub(crate) fn replace(
        &mut self,
        trie: &'r SlotTrie,
        arena: &'r Arena,
        path: &'r [Value<'r>],
        value: Value<'r>,
    ) -> Result<(), EvalErrorKind> {
        let mut trie_node = 0;
        for (depth, key) in path.iter().enumerate() {
            if let State::Gathered = self.cell(trie_node).state() {
                self.value(trie, arena, trie_node)?;
            }
            let above = match self.settled_state(trie, arena, trie_node)? {
                State::Missing | State::Gathered | State::Merged => Cell::stale(NO_TEXT),
                State::Text(at) | State::Stale(at) => Cell::stale(at),
                State::Ready(old) => {
                    let rest = path.get(depth..).unwrap_or_default();
                    Cell(replace_at(arena, Some(old), rest, value)?)
                }
            };
            self.put(trie_node, above);
            let Some(kid) = key.as_str().and_then(|key| trie.kid(trie_node, key)) else {
                return self.remember(path, value);
            };
            trie_node = kid;
        }
        self.clear_below(trie, trie_node);
        self.fill_from_value(trie, trie_node, value);
        self.remember(path, value)
    }

    /// Keeps a replacement for the stale cells above it; those at or below its path are settled by it.
    fn remember(&mut self, path: &'r [Value<'r>], value: Value<'r>) -> Result<(), EvalErrorKind> {
        let present = &mut self.replacements.get_or_insert_default().present;
        present.retain(|older| !older.path.starts_with(path));
        present.push(Replacement { path, value });
        Ok(())
    }

    /// Keeps the present state aside. `memory` is asked for once in a request.
    pub(crate) fn save(&mut self, memory: impl FnOnce() -> Replacements<'r>) -> Saved {
        let kept = self.replacements.get_or_insert_with(memory);
        let saved = Saved {
            cells: kept.saved_cells.len(),
            replaced: kept.saved.len(),
        };
        kept.saved_cells.extend_from_slice(&self.cells);
        kept.saved.extend_from_slice(&kept.present);
        saved
    }

    /// Goes back to a state, which is the last one saved and not restored.
    pub(crate) fn restore(&mut self, saved: Saved) {
        if let Some(kept) = &mut self.replacements {
            self.cells.clear();
            self.cells.extend(kept.saved_cells.drain(saved.cells..));
            kept.present.clear();
            kept.present.extend(kept.saved.drain(saved.replaced..));
        }
    }
}

/// The part of a path below the path of a trie node; `None` when it does not lead through that node or ends there.
fn path_below<'p, 'r>(trie: &SlotTrie, trie_node: u16, path: &'p [Value<'r>]) -> Option<&'p [Value<'r>]> {
    let (mut here, mut rest) = (0, path);
    while here != trie_node {
        let (key, behind) = rest.split_first()?;
        here = trie.kid(here, key.as_str()?)?;
        rest = behind;
    }
    (!rest.is_empty()).then_some(rest)
}
