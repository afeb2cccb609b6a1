//! The nodes of a document, as the parser's events give them.

use super::block::{Place, begins_with_tab};
use super::stream::is_marker;
use crate::builtins::Failure;
use crate::error::EvalErrorKind;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// Nesting that is read. The parser itself stops at 255 brackets.
const DEPTH_MAX: usize = 200;

/// What begins and ends documents.
const MARKERS: [&str; 2] = ["---", "..."];

/// A document; node 0 is its root.
#[derive(Debug, Default)]
pub(super) struct Document<'t> {
    nodes: Vec<Node<'t>>,
    anchors: BTreeMap<usize, usize>,
}

/// A node. Children are places in the document.
#[derive(Debug)]
pub(super) enum Node<'t> {
    Alias(usize),
    Scalar(Scalar<'t>),
    Sequence(Vec<usize>),
    /// Keys and values by turns.
    Mapping(Vec<usize>),
}

/// A scalar as written.
#[derive(Debug)]
pub(super) struct Scalar<'t> {
    pub(super) text: Cow<'t, str>,
    pub(super) is_plain: bool,
    /// The explicit tag in its long form; none for `!`.
    pub(super) tag: Option<String>,
}

impl<'t> Document<'t> {
    /// The first document of a stream; all of them have to be well-formed.
    pub(super) fn read(source: &'t str) -> Result<Option<Document<'t>>, Failure> {
        Document::read_with_blocks(source, &mut Vec::new())
    }

    /// As [`Document::read`]; appends the lines that are content of block scalars.
    pub(super) fn read_with_blocks(
        source: &'t str,
        blocks: &mut Vec<Range<usize>>,
    ) -> Result<Option<Document<'t>>, Failure> {
        let mut first: Option<Document<'t>> = None;
        let mut current = Document::default();
        let mut open = Vec::new();
        let mut brackets = Brackets::new(source);
        let mut documents = 0_usize;
        let chars = source.chars().count();
        let has_escaped_slash = source.contains("\\/");
        for event in Parser::new_from_str(source) {
            let (event, span) = event.map_err(|error| unreadable(source, error.marker()))?;
            if open.len() > DEPTH_MAX {
                return Err(Failure::Abort(EvalErrorKind::DepthExceeded));
            }
            match event {
                Event::DocumentStart(is_explicit) => {
                    documents += 1;
                    if documents > 1 && !is_explicit {
                        return Err(Failure::BUILTIN);
                    }
                }
                Event::DocumentEnd => {
                    let document = std::mem::take(&mut current);
                    first.get_or_insert(document);
                }
                Event::Alias(anchor) => {
                    brackets.check_key(&span, current.awaits_key(&open))?;
                    current.add(&open, 0, Node::Alias(anchor))?;
                }
                Event::Scalar(text, style, anchor, tag) => {
                    // OPA's reader does not know this escape.
                    if has_escaped_slash && style == ScalarStyle::DoubleQuoted && text.contains('/') {
                        return Err(Failure::Abort(EvalErrorKind::StrictBuiltin));
                    }
                    brackets.check_key(&span, current.awaits_key(&open))?;
                    let is_plain = style == ScalarStyle::Plain;
                    brackets.check_scalar(&span, &text, is_plain, anchor > 0 || tag.is_some())?;
                    let text = match style {
                        ScalarStyle::Literal | ScalarStyle::Folded => {
                            let place = Place {
                                span: &span,
                                ends_text: span.end.index() >= chars,
                                is_root: open.is_empty(),
                                has_properties: anchor > 0 || tag.is_some(),
                            };
                            brackets.block_value(&place, text, blocks)?
                        }
                        _ => text,
                    };
                    let scalar = Scalar {
                        text,
                        is_plain,
                        tag: tag.and_then(|tag| long_tag(&tag)),
                    };
                    current.add(&open, anchor, Node::Scalar(scalar))?;
                }
                Event::SequenceStart(anchor, tag) => {
                    brackets.begin(&span, anchor > 0 || tag.is_some())?;
                    open.push(current.add(&open, anchor, Node::Sequence(Vec::new()))?);
                }
                Event::MappingStart(anchor, tag) => {
                    brackets.begin(&span, anchor > 0 || tag.is_some())?;
                    open.push(current.add(&open, anchor, Node::Mapping(Vec::new()))?);
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    brackets.starts.pop();
                    open.pop();
                }
                Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
            }
        }
        Ok(first)
    }

    /// The node at a place.
    pub(super) fn node(&self, at: usize) -> Result<&Node<'t>, Failure> {
        self.nodes.get(at).ok_or(Failure::BUILTIN)
    }

    /// Where an alias leads.
    pub(super) fn target(&self, anchor: usize) -> Result<usize, Failure> {
        self.anchors.get(&anchor).copied().ok_or(Failure::BUILTIN)
    }

    /// The node at a place; for an alias, that it stands for.
    pub(super) fn resolved(&self, at: usize) -> Result<&Node<'t>, Failure> {
        match self.node(at)? {
            Node::Alias(anchor) => self.node(self.target(*anchor)?),
            node => Ok(node),
        }
    }

    /// Whether the next node is the key of a mapping.
    fn awaits_key(&self, open: &[usize]) -> bool {
        let parent = open.last().and_then(|parent| self.nodes.get(*parent));
        matches!(parent, Some(Node::Mapping(parts)) if parts.len().is_multiple_of(2))
    }

    fn add(&mut self, open: &[usize], anchor: usize, node: Node<'t>) -> Result<usize, Failure> {
        let at = self.nodes.len();
        self.nodes.push(node);
        if anchor > 0 {
            self.anchors.insert(anchor, at);
        }
        if let Some(parent) = open.last() {
            match self.nodes.get_mut(*parent) {
                Some(Node::Sequence(items) | Node::Mapping(items)) => items.push(at),
                _ => return Err(Failure::BUILTIN),
            }
        }
        Ok(at)
    }
}

/// The source, and where the collections begin that are open, to tell those in brackets.
struct Brackets<'t> {
    source: &'t str,
    /// The source by characters, once it was asked for.
    chars: Vec<char>,
    /// Whether some line begins with a colon.
    has_split_keys: bool,
    /// In characters; and whether there is a bracket, once it was asked for.
    starts: Vec<(usize, Option<bool>)>,
}

impl<'t> Brackets<'t> {
    fn new(source: &'t str) -> Brackets<'t> {
        Brackets {
            source,
            chars: Vec::new(),
            has_split_keys: source.lines().any(|line| line.trim_start().starts_with(':')),
            starts: Vec::new(),
        }
    }

    /// The source by characters.
    fn chars(&mut self) -> &[char] {
        if self.chars.is_empty() {
            self.chars.extend(self.source.chars());
        }
        &self.chars
    }

    /// An error for a key in brackets whose colon stands in another line, which OPA's reader refuses in most places.
    fn check_key(&mut self, span: &Span, is_key: bool) -> Result<(), Failure> {
        if !is_key || !self.has_split_keys || !self.are_open() {
            return Ok(());
        }
        let mut rest = self.chars().iter().skip(span.end.index());
        let mut has_break = false;
        while let Some(c) = rest.next() {
            match c {
                '#' => has_break |= rest.any(|c| *c == '\n'),
                c if c.is_whitespace() => has_break |= *c == '\n',
                ':' if has_break => return Err(Failure::Abort(EvalErrorKind::StrictBuiltin)),
                _ => break,
            }
        }
        Ok(())
    }

    /// A collection begins.
    fn begin(&mut self, span: &Span, has_properties: bool) -> Result<(), Failure> {
        let start = span.start.index();
        self.starts.push((start, None));
        match has_properties {
            true => check_properties(self.chars().get(start..).unwrap_or_default()),
            false => Ok(()),
        }
    }

    /// An error for a scalar that is a marker of documents to OPA's reader, or whose anchor or tag ends at no blank.
    fn check_scalar(
        &mut self,
        span: &Span,
        value: &str,
        is_plain: bool,
        has_properties: bool,
    ) -> Result<(), Failure> {
        // Inside of brackets these in front of a text are no part of it for OPA's reader, and out of place.
        if is_plain && (value.starts_with(['|', '>']) || (value.starts_with(':') && self.are_open())) {
            return Err(Failure::BUILTIN);
        }
        let may_be_marker = span.start.col() == 0 && MARKERS.iter().any(|marker| is_marker(value, marker));
        if !has_properties && !may_be_marker {
            return Ok(());
        }
        let text = self.chars().get(span.start.index()..).unwrap_or_default();
        let has_end = text.get(3).is_none_or(|c| c.is_whitespace());
        if may_be_marker && has_end && matches!(text, ['-' | '.', ..]) {
            return Err(Failure::BUILTIN);
        }
        check_properties(text)
    }

    /// The value of a block scalar; appends the lines of its content.
    fn block_value(
        &mut self,
        place: &Place<'_>,
        value: Cow<'t, str>,
        blocks: &mut Vec<Range<usize>>,
    ) -> Result<Cow<'t, str>, Failure> {
        let source = self.source;
        let is_looked_at = place.ends_text || place.is_root || begins_with_tab(&value);
        let (to_start, from_start) = match is_looked_at {
            true => self
                .chars()
                .split_at_checked(place.span.start.index())
                .unwrap_or_default(),
            false => Default::default(),
        };
        blocks.extend(place.lines(&value, to_start));
        place.value(source, from_start, value)
    }

    /// Whether some open collection is one in brackets.
    fn are_open(&mut self) -> bool {
        self.chars();
        let chars = &self.chars;
        let is_bracket = |start| begins_with_bracket(chars.get(start..).unwrap_or_default());
        self.starts
            .iter_mut()
            .any(|(start, known)| *known.get_or_insert_with(|| is_bracket(*start)))
    }
}

/// An error for an anchor or a tag at the start of a text that OPA's reader takes for none, or for a shorter one.
fn check_properties(mut text: &[char]) -> Result<(), Failure> {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let is_end = |c: &char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}');
    while let [first, rest @ ..] = text {
        let len = match first {
            '&' => rest.iter().position(|c| !is_name(c)),
            '!' => rest.iter().position(|c| is_end(c) || *c == '#'),
            c if c.is_whitespace() => Some(0),
            _ => return Ok(()),
        };
        text = rest.get(len.unwrap_or(rest.len())..).unwrap_or_default();
        match text.first() {
            Some(':' | '?' | '%' | '@' | '`') if *first == '&' => {
                return Err(Failure::Abort(EvalErrorKind::StrictBuiltin));
            }
            Some(c) if matches!(first, '&' | '!') && !is_end(c) => return Err(Failure::BUILTIN),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a bracket comes first, or behind anchors and tags.
fn begins_with_bracket(mut text: &[char]) -> bool {
    while let [first, rest @ ..] = text {
        let skipped = match first {
            '[' | '{' => return true,
            '&' | '!' => rest.iter().position(|c| c.is_whitespace()).unwrap_or(rest.len()),
            c if c.is_whitespace() => 0,
            _ => return false,
        };
        text = rest.get(skipped..).unwrap_or_default();
    }
    false
}

/// Why a text has no events. What only our parser does not read ends the evaluation.
fn unreadable(text: &str, at: &Marker) -> Failure {
    let brackets = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if brackets > DEPTH_MAX {
        return Failure::Abort(EvalErrorKind::DepthExceeded);
    }
    // Brackets that are continued in the first column, and some tabs after a colon.
    let is_continued = brackets > 0 && at.col() == 0;
    if text.contains(":\t") || (is_continued && text.chars().nth(at.index()).is_some()) {
        return Failure::Abort(EvalErrorKind::StrictBuiltin);
    }
    Failure::BUILTIN
}

/// `!!int` as `tag:yaml.org,2002:int`.
fn long_tag(tag: &Tag) -> Option<String> {
    let long = format!("{}{}", tag.handle, tag.suffix);
    (long != "!").then_some(long)
}
