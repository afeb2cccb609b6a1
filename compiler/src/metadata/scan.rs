//! Where yaml.v3 sees an error that our YAML parser sees elsewhere, or not at all.
//!
//! Its scanner counts lines from one and its parser from zero; both name the line on which the construct began that was
//! being read, unless that is the first, and the place of the error otherwise; the first line has no number. OPA takes the
//! number for an index into the comments of a block, the marker being the first.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::repair::is_name;
use crate::domain::yaml::{Document, NodeId, NodeKind};

/// Deepest nesting that is searched: that of the documents which are read.
const DEPTH_MAX: usize = 64;

/// The line that yaml.v3 names: `line` is the one (from 1) that our parser names, for `reason`. None: no line.
pub(super) fn line(text: &str, line: usize, reason: &str) -> Option<usize> {
    let last = text.lines().count();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| reason.starts_with(prefix));
    if starts(&[
        "invalid indentation in quoted",
        "while scanning a quoted scalar, found unexpected end",
    ]) {
        // Our line is that of the quote, the error stands at the end.
        return Some(if line < 2 { last + 1 } else { line });
    }
    if starts(&["simple key expect"]) {
        // The key stands above.
        return Some(if line > 2 { line - 1 } else { line }).filter(|line| *line > 1);
    }
    if starts(&["while scanning a plain scalar, found a tab"]) {
        return Some(line.max(2));
    }
    let of_collection = starts(&[
        "while parsing a block",
        "while parsing a flow",
        "illegal placement of",
        "\"-\" is only valid inside",
        "plain scalar cannot start with '-'",
        "invalid trailing content after",
    ]);
    if of_collection {
        let began = open_collection(text).unwrap_or(1);
        let line = if began > 1 { began } else { line };
        return Some(line - 1).filter(|line| *line > 0);
    }
    if starts(&["while parsing a node", "did not find expected <document"]) {
        return Some(line.saturating_sub(1)).filter(|line| *line > 0);
    }
    Some(line).filter(|line| *line > 1)
}

/// Line (from 1) of the innermost collection that is open where reading ends.
fn open_collection(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    for event in Parser::new_from_str(text) {
        match event {
            Ok((Event::SequenceStart(..) | Event::MappingStart(..), span)) => open.push(span.start.line()),
            Ok((Event::SequenceEnd | Event::MappingEnd, _)) => {
                open.pop();
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    open.last().copied()
}

/// Line (from 0) of a key that is empty without a `?`, in a text that has no tree.
pub(super) fn bare_colon(text: &str) -> Option<usize> {
    text.lines().position(|line| {
        let content = line.trim_start_matches([' ', '-']);
        content == ":" || content.starts_with(": ")
    })
}

/// The first thing that our parser takes and yaml.v3 does not, with the line that yaml.v3 names: keys that are empty
/// without a `?`, names of anchors with other than letters and digits, and some signs in words inside of brackets.
pub(super) fn refused(text: &str, document: &Document) -> Option<(Option<usize>, &'static str)> {
    let mut search = Search {
        text,
        document,
        first: None,
    };
    search.node(document.root(), None, 0);
    search.first.map(|(_, line, message)| (line, message))
}

struct Search<'d> {
    text: &'d str,
    document: &'d Document,
    /// Byte, line and message.
    first: Option<(u32, Option<usize>, &'static str)>,
}

impl Search<'_> {
    fn note(&mut self, at: u32, line: Option<usize>, message: &'static str) {
        if self.first.is_none_or(|(first, ..)| at < first) {
            self.first = Some((at, line, message));
        }
    }

    /// Lines from zero, as yaml.v3's parser counts: that of what it was reading, or else that of the error.
    fn parser_line(&self, context: NodeId, error: NodeId) -> Option<usize> {
        let line = |id| self.document.line(id).saturating_sub(1);
        [line(context), line(error)].into_iter().find(|line| *line > 0)
    }

    /// A scanner's line counts from one, and the first has none.
    fn scanner_line(&self, id: NodeId) -> Option<usize> {
        Some(self.document.line(id)).filter(|line| *line > 1)
    }

    fn behind(&self, id: NodeId) -> &str {
        let start = self.document.node(id).span.start as usize;
        self.text.get(start..).unwrap_or("")
    }

    /// `brackets`: the innermost collection in brackets around the node.
    fn node(&mut self, id: NodeId, brackets: Option<NodeId>, depth: usize) {
        self.anchor(id);
        let inner = self.behind(id).starts_with(['{', '[']).then_some(id).or(brackets);
        if depth > DEPTH_MAX {
            return;
        }
        let document = self.document;
        match &document.node(id).kind {
            NodeKind::Scalar(scalar) => {
                if let Some(brackets) = brackets
                    && scalar.style == ScalarStyle::Plain
                {
                    self.word(id, &scalar.text, brackets);
                }
            }
            NodeKind::Sequence(items) => {
                for item in items {
                    self.node(*item, inner, depth + 1);
                }
            }
            NodeKind::Mapping(entries) => {
                for (key, value) in entries {
                    self.key(*key, id, inner);
                    self.node(*key, inner, depth + 1);
                    self.node(*value, inner, depth + 1);
                }
            }
        }
    }

    /// A word inside of brackets.
    fn word(&mut self, id: NodeId, text: &str, brackets: NodeId) {
        let (line, message) = if text.starts_with(['|', '>']) {
            let message = "yaml: found character that cannot start any token";
            (self.scanner_line(id), message)
        } else if text.starts_with(':') {
            let message = "yaml: did not find expected node content";
            (self.parser_line(id, id), message)
        } else if text.contains('?') && !text.starts_with('?') {
            let message = if self.behind(brackets).starts_with('[') {
                "yaml: did not find expected ',' or ']'"
            } else {
                "yaml: did not find expected ',' or '}'"
            };
            (self.parser_line(brackets, id), message)
        } else {
            return;
        };
        self.note(self.document.node(id).span.start, line, message);
    }

    fn key(&mut self, key: NodeId, mapping: NodeId, brackets: Option<NodeId>) {
        let node = self.document.node(key);
        let is_empty = node.span.start == node.span.end && !node.has_properties;
        let before = self.text.get(..node.span.start as usize).unwrap_or("");
        let marked = before.trim_end().ends_with('?');
        if !is_empty || marked || !self.behind(key).trim_start().starts_with(':') {
            return;
        }
        let (line, message) = match brackets {
            None => (self.parser_line(mapping, key), "yaml: did not find expected key"),
            Some(_) => (
                self.parser_line(key, key),
                "yaml: did not find expected node content",
            ),
        };
        self.note(node.span.start, line, message);
    }

    fn anchor(&mut self, id: NodeId) {
        let node = self.document.node(id);
        let Some(name) = self.behind(id).strip_prefix('&').filter(|_| node.has_properties) else {
            return;
        };
        let behind = name.trim_start_matches(is_name);
        let ends = behind.starts_with([' ', '\t', '\n', '\r', '?', ':', ',', ']', '}', '%', '@', '`']);
        if behind.len() == name.len() || !(ends || behind.is_empty()) {
            let line = self.scanner_line(id);
            let message = "yaml: did not find expected alphabetic or numeric character";
            self.note(node.span.start, line, message);
        }
    }
}

/// Line (from 1) of a tab where yaml.v3 allows only spaces: at the start of a line, outside of scalars and brackets.
pub(super) fn stray_tab(text: &str) -> Option<usize> {
    if !text.contains('\t') {
        return None;
    }
    let inside = spans(text);
    let mut start = 0;
    for (row, line) in text.split('\n').enumerate() {
        let content = line.trim_start_matches(' ');
        let at = start + line.len() - content.len();
        let index = text.get(..at).map_or(0, |before| before.chars().count());
        let is_inside = |(from, to): &(usize, usize)| *from < index && index < *to;
        if content.starts_with('\t') && !inside.iter().any(is_inside) {
            return Some(row + 1);
        }
        start += line.len() + 1;
    }
    None
}

/// Characters of scalars and of collections in brackets.
fn spans(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut open: Vec<Span> = Vec::new();
    for event in Parser::new_from_str(text) {
        match event {
            Ok((Event::Scalar(..), span)) => found.push((span.start.index(), span.end.index())),
            Ok((Event::SequenceStart(..) | Event::MappingStart(..), span)) => open.push(span),
            Ok((Event::SequenceEnd | Event::MappingEnd, span)) => {
                let Some(start) = open.pop() else { continue };
                // The start of a collection in brackets is the bracket itself, that of a block has no width.
                if start.end.index() > start.start.index() {
                    found.push((start.start.index(), span.end.index()));
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    found
}
