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
    kids: Box<[Kid]>,
}

#[derive(Debug)]
struct Kid {
    key: Box<str>,
    node: u16,
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

    /// Whether any longer path is read below a node.
    #[inline]
    #[must_use]
    pub fn has_kids(&self, node: u16) -> bool {
        self.nodes
            .get(usize::from(node))
            .is_some_and(|node| !node.kids.is_empty())
    }

    /// The node of a member.
    #[inline]
    #[must_use]
    pub fn kid(&self, node: u16, key: &str) -> Option<u16> {
        let kids = &self.nodes.get(usize::from(node))?.kids;
        // Paths branch into a handful of members, and most candidates differ in length already.
        kids.iter()
            .find(|kid| kid.key.len() == key.len() && *kid.key == *key)
            .map(|kid| kid.node)
    }

    /// Members of a node that are read: key and node.
    pub fn kids(&self, node: u16) -> impl Iterator<Item = (&str, u16)> {
        let kids = self
            .nodes
            .get(usize::from(node))
            .map(|node| &*node.kids)
            .unwrap_or_default();
        kids.iter().map(|kid| (&*kid.key, kid.node))
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
        kids: Box::default(),
    });
    let mut kids = Vec::new();
    for (&key, kid) in &draft.kids {
        kids.push(Kid {
            key: key.into(),
            node: number(kid, nodes)?,
        });
    }
    let end = u16::try_from(nodes.len()).ok()?;
    *nodes.get_mut(here)? = Node {
        end,
        kids: kids.into_boxed_slice(),
    };
    u16::try_from(here).ok()
}
