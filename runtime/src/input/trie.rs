//! All paths of the input that a program reads, as one tree whose nodes are numbered depth first.

use crate::bytecode::SlotPath;
use crate::limits::{PATH_LEN_MAX, SLOT_CELLS_MAX};
use std::collections::BTreeMap;
use std::ops::Range;

/// The tree. Node 0 is `input`; the nodes below node n are n+1 … [`SlotTrie::end`]`(n)` - 1.
#[derive(Debug)]
pub struct SlotTrie {
    nodes: Box<[Node]>,
}

#[derive(Debug)]
struct Node {
    end: u16,
    kids: Kids,
}

/// Members of one node that are read.
#[derive(Debug, Default)]
pub(crate) struct Kids {
    /// The first bytes of each key: most other keys differ in them already.
    heads: Box<[u64]>,
    keys: Box<[Key]>,
    nodes: Box<[u16]>,
}

impl Kids {
    /// The node of a member.
    #[inline]
    pub(crate) fn find(&self, key: &str) -> Option<u16> {
        let bytes = key.as_bytes();
        let (head, tail) = match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => (short_word(bytes), 0),
        };
        self.of_parts(bytes, head, tail)
    }

    /// The node of a member whose key is this part of a text, which goes on for eight bytes at least.
    #[inline]
    pub(crate) fn find_in(&self, text: &[u8], key: Range<usize>) -> Option<u16> {
        let word_at = |at: usize| Some(u64::from_le_bytes(*text.get(at..)?.first_chunk()?));
        let head = word_at(key.start)?;
        let (head, tail) = match 8_usize.checked_sub(key.len()) {
            // In two steps, since no shift is as wide as the word. The bytes behind the key go.
            Some(behind @ 1..) => (head << 8 << (8 * (behind - 1)) >> 8 >> (8 * (behind - 1)), 0),
            _ => (head, word_at(key.end - 8)?),
        };
        self.of_parts(text.get(key)?, head, tail)
    }

    #[inline(always)]
    fn of_parts(&self, key: &[u8], head: u64, tail: u64) -> Option<u16> {
        for (at, &known) in self.heads.iter().enumerate() {
            if known == head && self.keys.get(at)?.is(key, tail) {
                return self.nodes.get(at).copied();
            }
        }
        None
    }

    /// Keys and nodes, in the order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u16)> {
        self.keys
            .iter()
            .map(|key| &*key.text)
            .zip(self.nodes.iter().copied())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }
}

/// A key. Its length, its first and its last eight bytes are all there is to one of sixteen bytes or fewer.
#[derive(Debug)]
struct Key {
    text: Box<str>,
    /// The last eight bytes; 0 for a key of fewer.
    tail: u64,
}

impl Key {
    fn new(text: &str) -> Key {
        let tail = text
            .as_bytes()
            .last_chunk()
            .map_or(0, |tail| u64::from_le_bytes(*tail));
        Key {
            text: text.into(),
            tail,
        }
    }

    /// Whether this is a key with the same first bytes.
    #[inline(always)]
    fn is(&self, key: &[u8], tail: u64) -> bool {
        let known = self.text.as_bytes();
        known.len() == key.len() && self.tail == tail && (key.len() <= 16 || known == key)
    }
}

/// Bytes of a text that is shorter than a word, as one.
fn short_word(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The first eight bytes of a key, or all it has.
fn head(key: &str) -> u64 {
    match key.as_bytes().first_chunk() {
        Some(head) => u64::from_le_bytes(*head),
        None => short_word(key.as_bytes()),
    }
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
        number(&root, &mut nodes)?;
        let trie = SlotTrie {
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

    /// One past the last node below a node.
    #[must_use]
    pub fn end(&self, node: u16) -> u16 {
        self.nodes.get(usize::from(node)).map_or(node, |node| node.end)
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
fn number(draft: &Draft<'_>, nodes: &mut Vec<Node>) -> Option<u16> {
    let here = nodes.len();
    if here >= SLOT_CELLS_MAX {
        return None;
    }
    nodes.push(Node {
        end: 0,
        kids: Kids::default(),
    });
    let mut kid_nodes = Vec::new();
    for kid in draft.kids.values() {
        kid_nodes.push(number(kid, nodes)?);
    }
    let kids = Kids {
        heads: draft.kids.keys().map(|key| head(key)).collect(),
        keys: draft.kids.keys().map(|key| Key::new(key)).collect(),
        nodes: kid_nodes.into_boxed_slice(),
    };
    let end = u16::try_from(nodes.len()).ok()?;
    *nodes.get_mut(here)? = Node { end, kids };
    u16::try_from(here).ok()
}
