//! The input of a request: a cell for each path that the program reads, filled in one walk, containers built on demand.

use super::tape::{self, TAPE_DEPTH_MAX};
use super::trie::Kids;
use super::{PorcError, SlotTrie, Trailing};
use crate::arena::Arena;
use crate::error::EvalErrorKind;
use crate::json::{Numbers, parse_prefix};
use crate::value::{Kind, Tag, Value, replace_at};
use simd_json::{Buffers, Node, StaticNode, Tape};

/// What is known about the value at one path: the value, or a note in its place, so that a look costs one comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'r>(Value<'r>);

/// The meaning of a cell.
enum State<'r> {
    /// Undefined.
    Missing,
    /// This value.
    Ready(Value<'r>),
    /// The container at this node of the tape, not built yet.
    Node(u32),
    /// The container at this node of the tape (or nothing, for [`NO_NODE`]), with replacements somewhere below; not
    /// built yet.
    Stale(u32),
}

const NO_NODE: u32 = u32::MAX;

/// Notes in cells.
const NODE: u32 = 1;
const STALE: u32 = 2;

impl<'r> Cell<'r> {
    const MISSING: Cell<'static> = Cell(Value::UNSET);

    fn node(at: u32) -> Cell<'r> {
        Cell(Value::note(NODE, at))
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
        self.0.is_same(Value::UNSET)
    }

    fn state(self) -> State<'r> {
        match self.0.as_note() {
            None => State::Ready(self.0),
            Some((NODE, at)) => State::Node(at),
            Some((STALE, at)) => State::Stale(at),
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

/// Where the cells and replacements of a state before a `with` are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saved {
    cells: usize,
    replaced: usize,
}

/// The input document.
#[derive(Debug)]
pub(crate) struct InputDoc<'r> {
    /// One for each node of the program's trie.
    pub(crate) cells: Vec<Cell<'r>>,
    pub(crate) replaced: Vec<Replacement<'r>>,
    pub(crate) saved_cells: Vec<Cell<'r>>,
    pub(crate) saved_replaced: Vec<Replacement<'r>>,
    pub(crate) tape: Tape<'r>,
}

/// The one walk over a tape that fills the cells.
struct Walk<'w, 'r> {
    trie: &'w SlotTrie,
    arena: &'r Arena,
    tape: &'w [Node<'r>],
    cells: &'w mut [Cell<'r>],
}

impl<'r> Walk<'_, 'r> {
    /// Fills the cells of a trie node and all below it, which are missing, from a node of the tape. Recursive over the
    /// trie.
    fn fill(&mut self, trie_node: u16, at: usize, node: Node<'r>) -> Result<(), EvalErrorKind> {
        match tape::scalar(self.arena, &node)? {
            Some(value) => self.put(trie_node, Cell(value)),
            // A tape has fewer nodes than the document has bytes, and those are far below 4 GiB.
            None => self.put(trie_node, Cell::node(at as u32)),
        }
        match (node, self.trie.kids_of(trie_node)) {
            (Node::Object { len, .. }, Some(kids)) if !kids.is_empty() => self.members(kids, at, len),
            _ => Ok(()),
        }
    }

    #[inline]
    fn put(&mut self, trie_node: u16, cell: Cell<'r>) {
        if let Some(place) = self.cells.get_mut(usize::from(trie_node)) {
            *place = cell;
        }
    }

    /// Fills what is read below an object of `len` members.
    fn members(&mut self, kids: &Kids, at: usize, len: usize) -> Result<(), EvalErrorKind> {
        let mut next = at + 1;
        for _ in 0..len {
            let Some([Node::String(key), value, ..]) = self.tape.get(next..) else {
                return Ok(());
            };
            if let Some(kid) = kids.find(key) {
                // An earlier member of the same key is forgotten whole.
                let earlier = self.cells.get(usize::from(kid));
                if earlier.is_some_and(|cell| !cell.is_missing()) {
                    let range = usize::from(kid)..usize::from(self.trie.end(kid));
                    self.cells.get_mut(range).unwrap_or_default().fill(Cell::MISSING);
                }
                match *value {
                    // Most members are texts.
                    Node::String(text) => self.put(kid, Cell(Value::string(text))),
                    value => self.fill(kid, next + 1, value)?,
                }
            }
            next += 1 + tape::span(value);
        }
        Ok(())
    }
}

/// Buffers for reading the bytes of a request: they live as long as the values that borrow from them.
pub(crate) struct Body<'r> {
    /// Becomes the padded copy of the request; strings of the tape point into it.
    pub(crate) bytes: &'r mut Vec<u8>,
    /// simd-json's own.
    pub(crate) buffers: &'r mut Buffers,
}

/// Fresh buffers of simd-json for bodies of a length.
pub(crate) fn buffers(body_bytes: usize) -> Buffers {
    Buffers::with_max_depth(body_bytes, TAPE_DEPTH_MAX)
}

impl<'r> InputDoc<'r> {
    /// Makes the input undefined.
    pub(crate) fn clear(&mut self, trie: &SlotTrie) {
        self.cells.clear();
        self.cells.resize(trie.len(), Cell::MISSING);
        self.replaced.clear();
        self.tape.0.clear();
    }

    /// The input is this value.
    pub(crate) fn set(&mut self, trie: &SlotTrie, value: Value<'r>) {
        self.clear(trie);
        self.fill_from_value(trie, 0, value);
    }

    /// Reads a PORC. `body` is used once; without it the exact parser reads.
    pub(crate) fn read_porc(
        &mut self,
        trie: &SlotTrie,
        arena: &'r Arena,
        body: Option<Body<'r>>,
        bytes: &[u8],
        trailing: Trailing,
    ) -> Result<(), PorcError> {
        self.clear(trie);
        if let Some(body) = body
            && self.fill_tape(body, bytes)
        {
            return match self.tape.0.first() {
                Some(&root @ Node::Object { .. }) => {
                    let mut walk = Walk {
                        trie,
                        arena,
                        tape: &self.tape.0,
                        cells: &mut self.cells,
                    };
                    walk.fill(0, 0, root).map_err(PorcError::Budget)
                }
                other => Err(not_an_object(other)),
            };
        }
        self.tape.0.clear();
        let bytes = arena.bytes(bytes).map_err(PorcError::Budget)?;
        let value = match trailing {
            Trailing::Refuse => crate::json::parse(arena, bytes, Numbers::ByValue),
            Trailing::Ignore => parse_prefix(arena, bytes, Numbers::ByValue).map(|(value, _)| value),
        };
        let value = value.map_err(PorcError::Json)?;
        match value.kind() {
            Kind::Object(_) => {
                self.fill_from_value(trie, 0, value);
                Ok(())
            }
            Kind::Null => Err(PorcError::Null),
            Kind::Bool(_) => Err(PorcError::NotAnObject("bool")),
            Kind::String(_) => Err(PorcError::NotAnObject("string")),
            Kind::Array(_) => Err(PorcError::NotAnObject("array")),
            _ => Err(PorcError::NotAnObject("number")),
        }
    }

    /// The fast way: `false` when simd-json refuses or cannot represent the document exactly; then the exact parser
    /// decides.
    fn fill_tape(&mut self, body: Body<'r>, bytes: &[u8]) -> bool {
        let padded = body.bytes;
        padded.clear();
        padded.extend_from_slice(bytes);
        padded.resize(bytes.len() + simd_json::INPUT_PADDING, 0);
        simd_json::fill_tape_padded(padded, bytes.len(), body.buffers, &mut self.tape).is_ok()
            && tape::is_exact(&self.tape.0, bytes)
    }

    /// Fills the cells of a trie node and all below it from a value; they must be missing. Recursive over the trie.
    fn fill_from_value(&mut self, trie: &SlotTrie, trie_node: u16, value: Value<'r>) {
        self.put(trie_node, Cell(value));
        if let (Kind::Object(entries), Some(kids)) = (value.kind(), trie.kids_of(trie_node))
            && !kids.is_empty()
        {
            for entry in entries {
                if let Some(kid) = entry.key.as_str().and_then(|key| kids.find(key)) {
                    self.fill_from_value(trie, kid, entry.value);
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

    /// The number of members of the object in a cell, without building it; `None`: no object. Members of equal keys count
    /// each. For a cell with replacements below this is at least 1.
    pub(crate) fn object_len(&self, trie_node: u16) -> Option<usize> {
        match self.cell(trie_node).state() {
            State::Missing => None,
            State::Ready(value) => (value.tag() == Tag::Object).then(|| value.len()),
            State::Node(at) => match self.tape.0.get(at as usize) {
                Some(&Node::Object { len, .. }) => Some(len),
                _ => None,
            },
            State::Stale(_) => Some(1),
        }
    }

    /// The value of a cell; builds it if nobody asked before.
    pub(crate) fn value(
        &mut self,
        trie: &SlotTrie,
        arena: &'r Arena,
        trie_node: u16,
    ) -> Result<Option<Value<'r>>, EvalErrorKind> {
        let value = match self.cell(trie_node).state() {
            State::Missing => return Ok(None),
            State::Ready(value) => return Ok(Some(value)),
            State::Node(at) => tape::subtree(arena, &self.tape.0, at as usize)?,
            State::Stale(at) => self.rebuild(trie, arena, trie_node, at)?,
        };
        self.put(trie_node, Cell(value));
        Ok(Some(value))
    }

    /// The container of a stale cell: what the tape says, with the replacements below it.
    fn rebuild(
        &self,
        trie: &SlotTrie,
        arena: &'r Arena,
        trie_node: u16,
        at: u32,
    ) -> Result<Value<'r>, EvalErrorKind> {
        let mut value = match at {
            NO_NODE => None,
            _ => Some(tape::subtree(arena, &self.tape.0, at as usize)?),
        };
        for replacement in &self.replaced {
            if let Some(rest) = path_below(trie, trie_node, replacement.path) {
                value = Some(replace_at(arena, value, rest, replacement.value)?);
            }
        }
        Ok(value.unwrap_or(Value::object(&[])))
    }

    /// Puts a value at a path, for the cells at, above and below it.
    pub(crate) fn replace(
        &mut self,
        trie: &SlotTrie,
        arena: &'r Arena,
        path: &'r [Value<'r>],
        value: Value<'r>,
    ) -> Result<(), EvalErrorKind> {
        let mut trie_node = 0;
        for (depth, key) in path.iter().enumerate() {
            let above = match self.cell(trie_node).state() {
                State::Missing => Cell::stale(NO_NODE),
                State::Node(at) | State::Stale(at) => Cell::stale(match self.tape.0.get(at as usize) {
                    Some(Node::Object { .. }) => at,
                    _ => NO_NODE,
                }),
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
        self.replaced.retain(|older| !older.path.starts_with(path));
        self.replaced.push(Replacement { path, value });
        Ok(())
    }

    /// Keeps the present state aside.
    pub(crate) fn save(&mut self) -> Saved {
        let saved = Saved {
            cells: self.saved_cells.len(),
            replaced: self.saved_replaced.len(),
        };
        self.saved_cells.extend_from_slice(&self.cells);
        self.saved_replaced.extend_from_slice(&self.replaced);
        saved
    }

    /// Goes back to a state, which is the last one saved and not restored.
    pub(crate) fn restore(&mut self, saved: Saved) {
        self.cells.clear();
        self.cells.extend(self.saved_cells.drain(saved.cells..));
        self.replaced.clear();
        self.replaced.extend(self.saved_replaced.drain(saved.replaced..));
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

fn not_an_object(node: Option<&Node<'_>>) -> PorcError {
    match node {
        Some(Node::Array { .. }) => PorcError::NotAnObject("array"),
        Some(Node::String(_)) => PorcError::NotAnObject("string"),
        Some(Node::Static(StaticNode::Bool(_))) => PorcError::NotAnObject("bool"),
        Some(Node::Static(StaticNode::Null)) => PorcError::Null,
        _ => PorcError::NotAnObject("number"),
    }
}
