//! All paths of the input that a program reads, as one tree whose nodes are numbered depth first.

use crate::bytecode::SlotPath;
use crate::limits::{PATH_LEN_MAX, SLOT_CELLS_MAX};
use std::collections::BTreeMap;

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
    /// A digest of each key: most other keys differ in it already.
    digests: Box<[u32]>,
    keys: Box<[Box<str>]>,
    nodes: Box<[u16]>,
}

impl Kids {
    /// The node of a member.
    #[inline]
    pub(crate) fn find(&self, key: &str) -> Option<u16> {
        let wanted = digest(key);
        for (at, &digest) in self.digests.iter().enumerate() {
            if digest == wanted && self.keys.get(at).is_some_and(|known| **known == *key) {
                return self.nodes.get(at).copied();
            }
        }
        None
    }

    /// Whether there are none.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }
}

/// Length, first, middle and last byte of a key.
#[inline]
fn digest(key: &str) -> u32 {
    let bytes = key.as_bytes();
    let (Some(&first), Some(&middle), Some(&last)) =
        (bytes.first(), bytes.get(bytes.len() / 2), bytes.last())
    else {
        return 0;
    };
    u32::from_le_bytes([bytes.len() as u8, first, middle, last])
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
        digests: draft.kids.keys().map(|key| digest(key)).collect(),
        keys: draft.kids.keys().map(|&key| key.into()).collect(),
        nodes: kid_nodes.into_boxed_slice(),
    };
    let end = u16::try_from(nodes.len()).ok()?;
    *nodes.get_mut(here)? = Node { end, kids };
    u16::try_from(here).ok()
}
