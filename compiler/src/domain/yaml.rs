//! YAML text in, a tree of nodes with places out.
//!
//! Only the first document of a stream is read. Aliases share the node they stand for, `<<` keys stay in the tree
//! ([`Document::members`] resolves them). What scalars mean is decided in `scalar.rs`, which text stood where in `text.rs`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::limits;
use super::text::{self, Lines};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// Index of a node in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

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
    nodes: Vec<Node>,
    lines: Lines,
    text: Arc<str>,
    root: NodeId,
}

impl Document {
    /// The top of the tree; an empty file has an empty plain scalar there.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The node behind an id of this document.
    #[must_use]
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

/// Reads the first document of a file.
///
/// # Errors
/// One diagnostic: the text is not YAML, or over one of the bounds of `limits.rs`.
pub fn parse(file: FileId, text: &Arc<str>) -> Result<Document, Box<Diagnostic>> {
    let whole = Span {
        file,
        start: 0,
        end: 0,
    };
    if text.len() > limits::FILE_BYTES_MAX {
        let message = format!(
            "the file has {} bytes; at most {} are read",
            text.len(),
            limits::FILE_BYTES_MAX
        );
        return Err(Box::new(Diagnostic::error(Code::Limit, whole, message)));
    }
    check_characters(file, text)?;
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::new(file, text, body);
    let mut parser = Parser::new_from_str(body);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| builder.scan_error(*error.marker(), error.info()))?;
        let span = builder.span(span);
        match event {
            Event::DocumentEnd | Event::StreamEnd => break,
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
            Event::Alias(anchor) => builder.alias(anchor, span)?,
            Event::Scalar(text, style, anchor, tag) => {
                let text = builder.without_invented_newline(&text, style, span);
                builder.leaf(
                    Scalar {
                        text: text.into(),
                        style,
                    },
                    anchor,
                    tag.as_deref(),
                    span,
                )?;
            }
            Event::SequenceStart(anchor, tag) => {
                builder.open(NodeKind::Sequence(Vec::new()), anchor, tag.as_deref(), span)?;
            }
            Event::MappingStart(anchor, tag) => {
                builder.open(NodeKind::Mapping(Vec::new()), anchor, tag.as_deref(), span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close(span)?,
        }
    }
    Ok(builder.finish())
}

/// Characters that YAML does not allow, and those that only YAML 1.1 takes for line breaks: a text that reads otherwise
/// in the two versions must not decide about anything.
fn check_characters(file: FileId, text: &str) -> Result<(), Box<Diagnostic>> {
    for (at, c) in text.char_indices() {
        let message = match c {
            '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' => continue,
            '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}' => continue,
            '\u{feff}' if at == 0 => continue,
            '\u{85}' | '\u{2028}' | '\u{2029}' => {
                format!("yaml: the line break U+{:04X} is not supported", u32::from(c))
            }
            '\u{feff}' => "yaml: a byte order mark inside the text is not supported".to_owned(),
            _ => format!("yaml: control characters are not allowed: U+{:04X}", u32::from(c)),
        };
        let code = if c.is_control() && c != '\u{85}' {
            Code::Yaml
        } else {
            Code::Unsupported
        };
        let span = Span {
            file,
            start: text::offset(at),
            end: text::offset(at + c.len_utf8()),
        };
        let escape = format!(
            "write it as an escape in a double-quoted scalar: \"\\u{:04X}\"",
            u32::from(c)
        );
        return Err(Box::new(Diagnostic::error(code, span, message).help(escape)));
    }
    Ok(())
}

/// A collection that is still open.
struct Open {
    id: NodeId,
    anchor: usize,
    key: Option<NodeId>,
    size: usize,
    height: usize,
}

/// A finished node that an alias can stand for.
#[derive(Clone, Copy)]
struct Anchored {
    id: NodeId,
    size: usize,
    height: usize,
}

struct Builder<'t> {
    file: FileId,
    text: &'t Arc<str>,
    lines: Lines,
    body_start: u32,
    body: &'t str,
    nodes: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<NodeId>,
}

impl<'t> Builder<'t> {
    fn new(file: FileId, text: &'t Arc<str>, body: &'t str) -> Builder<'t> {
        Builder {
            file,
            text,
            lines: Lines::new(body),
            body_start: text::offset(text.len() - body.len()),
            body,
            nodes: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
        }
    }

    fn byte(&self, mark: Marker) -> u32 {
        self.body_start + self.lines.byte(self.body, mark.line(), mark.col())
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        let start = self.byte(span.start);
        Span {
            file: self.file,
            start,
            end: self.byte(span.end).max(start),
        }
    }

    fn scan_error(&self, mark: Marker, info: &str) -> Box<Diagnostic> {
        let start = self.byte(mark);
        let span = Span {
            file: self.file,
            start,
            end: start,
        };
        Box::new(Diagnostic::error(
            Code::Yaml,
            span,
            format!("yaml: line {}: {info}", mark.line()),
        ))
    }

    /// The parser ends the last line of a block scalar that reaches the end of the file; yaml.v3 leaves it as it is, and
    /// fingerprints are taken over the text.
    fn without_invented_newline<'s>(&self, text: &'s str, style: ScalarStyle, span: Span) -> &'s str {
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let at_end = span.end as usize == self.text.len() && !self.text.ends_with(['\n', '\r']);
        if block && at_end {
            text.strip_suffix('\n').unwrap_or(text)
        } else {
            text
        }
    }

    fn push(&mut self, kind: NodeKind, anchor: usize, tag: Option<&Tag>, span: Span) -> NodeId {
        let id = NodeId(text::offset(self.nodes.len()));
        let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix).into_boxed_str());
        let has_properties = tag.is_some() || anchor > 0;
        self.nodes.push(Node {
            span,
            tag,
            has_properties,
            kind,
        });
        id
    }

    fn leaf(
        &mut self,
        scalar: Scalar,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Box<Diagnostic>> {
        let id = self.push(NodeKind::Scalar(scalar), anchor, tag, span);
        self.attach(
            Anchored {
                id,
                size: 1,
                height: 1,
            },
            anchor,
            span,
        )
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        match self.anchors.get(&anchor) {
            Some(&target) => self.attach(target, 0, span),
            None => Err(Box::new(Diagnostic::error(
                Code::Yaml,
                span,
                "yaml: anchor value contains itself",
            ))),
        }
    }

    fn open(
        &mut self,
        kind: NodeKind,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Box<Diagnostic>> {
        let id = self.push(kind, anchor, tag, span);
        self.open.push(Open {
            id,
            anchor,
            key: None,
            size: 1,
            height: 1,
        });
        self.check_height(self.open.len(), span)
    }

    fn close(&mut self, span: Span) -> Result<(), Box<Diagnostic>> {
        let Some(Open {
            id,
            anchor,
            size,
            height,
            ..
        }) = self.open.pop()
        else {
            return Ok(());
        };
        if let Some(node) = self.nodes.get_mut(id.0 as usize) {
            node.span.end = node.span.end.max(span.end);
        }
        self.attach(Anchored { id, size, height }, anchor, span)
    }

    /// Hands a finished node to the collection it stands in.
    fn attach(&mut self, node: Anchored, anchor: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        if anchor > 0 {
            self.anchors.insert(anchor, node);
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = self.root.or(Some(node.id));
            return Ok(());
        };
        parent.size += node.size;
        parent.height = parent.height.max(node.height + 1);
        let (size, height) = (parent.size, parent.height);
        match self
            .nodes
            .get_mut(parent.id.0 as usize)
            .map(|parent| &mut parent.kind)
        {
            Some(NodeKind::Sequence(items)) => items.push(node.id),
            Some(NodeKind::Mapping(entries)) => match parent.key.take() {
                Some(key) => entries.push((key, node.id)),
                None => parent.key = Some(node.id),
            },
            Some(NodeKind::Scalar(_)) | None => {}
        }
        if size > limits::NODES_MAX {
            let message = format!("yaml: more than {} nodes, aliases included", limits::NODES_MAX);
            return Err(Box::new(Diagnostic::error(Code::Limit, span, message)));
        }
        self.check_height(height, span)
    }

    fn check_height(&self, height: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        if height <= limits::DEPTH_MAX {
            return Ok(());
        }
        let message = format!("yaml: nested more than {} levels deep", limits::DEPTH_MAX);
        Err(Box::new(Diagnostic::error(Code::Limit, span, message)))
    }

    fn finish(mut self) -> Document {
        let root = self.root.unwrap_or_else(|| {
            let span = Span {
                file: self.file,
                start: self.body_start,
                end: self.body_start,
            };
            let empty = Scalar {
                text: "".into(),
                style: ScalarStyle::Plain,
            };
            self.push(NodeKind::Scalar(empty), 0, None, span)
        });
        let lines = if self.body_start == 0 {
            self.lines
        } else {
            Lines::new(self.text)
        };
        Document {
            nodes: self.nodes,
            lines,
            text: Arc::clone(self.text),
            root,
        }
    }
}
