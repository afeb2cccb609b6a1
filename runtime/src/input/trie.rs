//! All paths of the input that a program reads, as one tree whose nodes are numbered depth first.

use super::doc::Cell;
use super::lanes::LANES;
use crate::bytecode::SlotPath;
use crate::limits::{PATH_LEN_MAX, SLOT_CELLS_MAX};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// In place of a node: none, what is around the document.
pub(super) const OUTSIDE: u16 = u16::MAX;

/// The tree. Node 0 is `input`; the nodes below node n are n+1 … [`SlotTrie::end`]`(n)` - 1.
#[derive(Debug)]
pub struct SlotTrie {
    nodes: Box<[Node]>,
    /// Of each node the cell of a document that has nothing there.
    empty: Box<[Cell<'static>]>,
    /// A digest of all keys and places, by which what was remembered about another tree is told apart.
    digest: u64,
}

#[derive(Debug)]
struct Node {
    /// The node above; [`OUTSIDE`] above the root.
    above: u16,
    end: u16,
    kids: Kids,
}

/// Members of one node that are read.
#[derive(Debug, Default)]
pub(crate) struct Kids(Box<[Kid]>);

impl Kids {
    /// The node of a member.
    pub(crate) fn find(&self, key: &str) -> Option<u16> {
        let kid = self.0.iter().find(|kid| &*kid.text == key)?;
        Some(kid.node)
    }

    /// Node and length of a short key that these bytes of a document begin with, and with the quote behind it. Nothing for
    /// others, which may be known or not.
    #[inline(always)]
    pub(crate) fn find_short(&self, bytes: [u8; LANES]) -> Option<(u16, usize)> {
        let (low, high) = halves(bytes);
        self.0
            .iter()
            .find(|kid| low & kid.low_mask == kid.low && high & kid.high_mask == kid.high)
            .map(|kid| (kid.node, kid.text.len()))
    }

    /// Keys and nodes, in the order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u16)> {
        self.0.iter().map(|kid| (&*kid.text, kid.node))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A key and its node.
#[derive(Debug)]
struct Kid {
    /// The key with the quote behind it in two words, and which of their bits count. Of a key that is long, or not written so
    /// in a document, what no words are.
    low: u64,
    low_mask: u64,
    high: u64,
    high_mask: u64,
    text: Box<str>,
    node: u16,
}

impl Kid {
    fn new(text: &str, node: u16) -> Kid {
        let mut kid = Kid {
            low: 1,
            low_mask: 0,
            high: 0,
            high_mask: 0,
            text: text.into(),
            node,
        };
        let has_escapes = text
            .bytes()
            .any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\'));
        if text.len() < LANES && !has_escapes {
            let (mut bytes, mut mask) = ([0; LANES], [0; LANES]);
            for ((place, mask), byte) in bytes.iter_mut().zip(&mut mask).zip(text.bytes().chain([b'"'])) {
                (*place, *mask) = (byte, u8::MAX);
            }
            (kid.low, kid.high) = halves(bytes);
            (kid.low_mask, kid.high_mask) = halves(mask);
        }
        kid
    }
}

#[inline(always)]
fn halves(bytes: [u8; LANES]) -> (u64, u64) {
    let both = u128::from_le_bytes(bytes);
    (both as u64, (both >> 64) as u64)
}

impl SlotTrie {
    /// The tree of the paths, and for each path its node. `None`: too many or too long paths.
    #[must_use]
    pub fn build(paths: &[SlotPath]) -> Option<(SlotTrie, Box<[u16]>)> {
        let mut root = Draft::default();
        for path in paths {
            if path.len() > PATH_LEN_MAX {
                return None;
            }
            let mut draft = &mut root;
            for key in path {
                draft = draft.kids.entry(key.as_str()).or_default();
            }
        }
        let mut nodes = Vec::new();
        number(&root, OUTSIDE, &mut nodes)?;
        let trie = SlotTrie {
            digest: digest(&nodes),
            empty: vec![Cell::MISSING; nodes.len()].into_boxed_slice(),
            nodes: nodes.into_boxed_slice(),
        };
        let cells = paths
            .iter()
            .map(|path| trie.find(path.iter().map(String::as_str)))
            .collect::<Option<_>>()?;
        Some((trie, cells))
    }

    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: there is always the root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The cells of a document without anything.
    pub(super) fn empty_cells(&self) -> &[Cell<'static>] {
        &self.empty
    }

    /// One past the last node below a node.
    #[must_use]
    pub fn end(&self, node: u16) -> u16 {
        self.nodes.get(usize::from(node)).map_or(node, |node| node.end)
    }

    /// The node above a node; [`OUTSIDE`] for the root.
    #[inline]
    pub(super) fn above(&self, node: u16) -> u16 {
        self.nodes
            .get(usize::from(node))
            .map_or(OUTSIDE, |node| node.above)
    }

    /// Differs between trees that differ.
    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    /// The members of a node that are read.
    #[inline]
    pub(crate) fn kids_of(&self, node: u16) -> Option<&Kids> {
        self.nodes.get(usize::from(node)).map(|node| &node.kids)
    }

    /// The node of a member.
    #[inline]
    #[must_use]
    pub fn kid(&self, node: u16, key: &str) -> Option<u16> {
        self.kids_of(node)?.find(key)
    }

    /// The node of a whole path.
    pub fn find<'k>(&self, path: impl IntoIterator<Item = &'k str>) -> Option<u16> {
        path.into_iter().try_fold(0, |node, key| self.kid(node, key))
    }
}

#[derive(Default)]
struct Draft<'p> {
    kids: BTreeMap<&'p str, Draft<'p>>,
}

/// Appends a node and all below it; recursive over the path length, which is bounded.
fn number(draft: &Draft<'_>, above: u16, nodes: &mut Vec<Node>) -> Option<u16> {
    let here = nodes.len();
    if here >= SLOT_CELLS_MAX {
        return None;
    }
    let node = u16::try_from(here).ok()?;
    nodes.push(Node {
        above,
        end: 0,
        kids: Kids::default(),
    });
    let mut kids = Vec::new();
    for (key, kid) in &draft.kids {
        kids.push(Kid::new(key, number(kid, node, nodes)?));
    }
    let kids = Kids(kids.into_boxed_slice());
    let end = u16::try_from(nodes.len()).ok()?;
    *nodes.get_mut(here)? = Node { above, end, kids };
    Some(node)
}

fn digest(nodes: &[Node]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for node in nodes {
        (node.above, node.kids.len()).hash(&mut hasher);
        for kid in &node.kids.0 {
            (&kid.text, kid.node).hash(&mut hasher);
        }
    }
    hasher.finish()
}
