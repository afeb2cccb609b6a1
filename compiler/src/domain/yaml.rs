//! The tree of a YAML document, with places. Aliases share the node they stand for; `<<` keys stay in the tree and
//! [`Document::members`] resolves them. `build.rs` makes it, `scalar.rs` says what scalars mean.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::ScalarStyle;

use super::text::{self, Lines};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

pub use super::build::parse;

/// Index of a node in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(super) u32);

/// One node of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// The place in the file, with the tag and anchor in front of it.
    pub span: Span,
    /// The full tag if one is written: `tag:yaml.org,2002:str`, `!local`, `!`.
    pub tag: Option<Box<str>>,
    /// Whether a tag or an anchor stands in front.
    pub has_properties: bool,
    /// What it holds.
    pub kind: NodeKind,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// Text; its meaning depends on where it stands.
    Scalar(Scalar),
    /// Elements.
    Sequence(Vec<NodeId>),
    /// Keys and values in the order of the file, `<<` among them.
    Mapping(Vec<(NodeId, NodeId)>),
}

/// A scalar as decoded from its style.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text.
    pub text: Arc<str>,
    /// How it was written.
    pub style: ScalarStyle,
}

/// The first document of a file.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) lines: Lines,
    pub(super) text: Arc<str>,
    pub(super) root: NodeId,
}

impl Document {
    /// The top of the tree; an empty file has an empty plain scalar there.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The node behind an id of this document.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "ids are only made by the document that holds the nodes"
    )]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The scalar at a node, if it is one.
    #[must_use]
    pub fn scalar(&self, id: NodeId) -> Option<&Scalar> {
        match &self.node(id).kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Where scalars stand, in order, without what follows them.
    #[must_use]
    pub fn scalar_spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = self
            .nodes
            .iter()
            .filter_map(|node| {
                let NodeKind::Scalar(scalar) = &node.kind else {
                    return None;
                };
                let is_quoted = matches!(
                    scalar.style,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
                );
                let start = text::content_start(&self.text, node.span.start as usize, node.has_properties);
                let end = text::end_of_quoted(&self.text, start).filter(|_| is_quoted);
                let end = end.map_or(node.span.end, text::offset);
                Some(Span { end, ..node.span })
            })
            .collect();
        spans.sort();
        spans
    }

    /// Line of a node in the file, from 1.
    #[must_use]
    pub fn line(&self, id: NodeId) -> usize {
        self.lines.row(self.node(id).span.start)
    }

    /// Where the bytes of a scalar stood in the file, for `SourceMap::add_embedded`; empty for other nodes.
    #[must_use]
    pub fn runs(&self, id: NodeId) -> Vec<(u32, u32)> {
        let node = self.node(id);
        match &node.kind {
            NodeKind::Scalar(scalar) => text::runs(&self.text, &self.lines, node, scalar),
            _ => Vec::new(),
        }
    }

    /// Whether a node is the merge key `<<`.
    fn is_merge_key(&self, id: NodeId) -> bool {
        let node = self.node(id);
        let NodeKind::Scalar(scalar) = &node.kind else {
            return false;
        };
        let marked = match node.tag.as_deref() {
            None | Some("!") => scalar.style == ScalarStyle::Plain,
            Some(tag) => tag == "tag:yaml.org,2002:merge",
        };
        marked && &*scalar.text == "<<"
    }

    /// Keys and values of a mapping with `<<` resolved: its own members first, then those that it merges and does not
    /// have itself, earlier merged mappings before later ones. Keys compare by their text. A mapping in which a key
    /// stands twice is a problem and has no members.
    pub fn members(&self, mapping: NodeId, problems: &mut Vec<Diagnostic>) -> Vec<(NodeId, NodeId)> {
        let mut found = Vec::new();
        self.collect_members(mapping, &mut found, &mut HashSet::new(), problems);
        found
    }

    fn collect_members<'a>(
        &'a self,
        mapping: NodeId,
        found: &mut Vec<(NodeId, NodeId)>,
        seen: &mut HashSet<&'a str>,
        problems: &mut Vec<Diagnostic>,
    ) {
        let NodeKind::Mapping(entries) = &self.node(mapping).kind else {
            problems.push(Diagnostic::error(
                Code::Yaml,
                self.node(mapping).span,
                "yaml: map merge requires map or sequence of maps as the value",
            ));
            return;
        };
        if !self.check_unique(entries, problems) {
            return;
        }
        let mut merge = None;
        for &(key, value) in entries {
            if self.is_merge_key(key) {
                merge = Some(value);
            } else if self.scalar(key).is_none_or(|scalar| seen.insert(&scalar.text)) {
                found.push((key, value));
            }
        }
        match merge.map(|id| (id, &self.node(id).kind)) {
            None => {}
            Some((_, NodeKind::Sequence(items))) => {
                for &item in items {
                    self.collect_members(item, found, seen, problems);
                }
            }
            Some((id, _)) => self.collect_members(id, found, seen, problems),
        }
    }

    fn check_unique(&self, entries: &[(NodeId, NodeId)], problems: &mut Vec<Diagnostic>) -> bool {
        let mut first: HashMap<&str, NodeId> = HashMap::new();
        let mut unique = true;
        for &(key, _) in entries {
            let Some(scalar) = self.scalar(key) else { continue };
            let earlier = *first.entry(&scalar.text).or_insert(key);
            if earlier == key {
                continue;
            }
            unique = false;
            let message = format!(
                "yaml: mapping key {:?} already defined at line {}",
                &*scalar.text,
                self.line(earlier)
            );
            problems.push(
                Diagnostic::error(Code::Yaml, self.node(key).span, message)
                    .label(self.node(earlier).span, "first defined here"),
            );
        }
        unique
    }
}
