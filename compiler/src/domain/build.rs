//! YAML text in, a tree of nodes with places out: the parser's events put together, under the bounds of `limits.rs`.
//!
//! Only the first document of a stream is read.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::indent::Indents;
use super::limits;
use super::text::{self, Lines};
use super::yaml::{Document, Node, NodeId, NodeKind, Scalar};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

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
    let body_start = text::offset(text.len() - text.trim_start_matches('\u{feff}').len());
    let mut indents = Indents::new(text.get(body_start as usize..).unwrap_or(""));
    loop {
        let body = indents.apply();
        let mut builder = Builder::new(file, text, body_start, &indents);
        match builder.read(&body) {
            Ok(()) => return Ok(builder.finish()),
            Err(Failure::Refused(problem)) => return Err(problem),
            Err(Failure::Scan(error)) => {
                let problem = builder.scan_error(&error);
                if !indents.repair(&error) {
                    return Err(problem);
                }
            }
        }
    }
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
    body_start: u32,
    indents: &'t Indents<'t>,
    nodes: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<NodeId>,
}

/// Why a text was not read to its end.
enum Failure {
    /// It breaks a rule of ours.
    Refused(Box<Diagnostic>),
    /// The parser gave up.
    Scan(ScanError),
}

impl From<Box<Diagnostic>> for Failure {
    fn from(problem: Box<Diagnostic>) -> Failure {
        Failure::Refused(problem)
    }
}

impl<'t> Builder<'t> {
    fn new(file: FileId, text: &'t Arc<str>, body_start: u32, indents: &'t Indents<'t>) -> Builder<'t> {
        let (nodes, open, anchors) = (Vec::new(), Vec::new(), HashMap::new());
        Builder {
            file,
            text,
            body_start,
            indents,
            nodes,
            open,
            anchors,
            root: None,
        }
    }

    /// Reads the first document of `body`.
    fn read(&mut self, body: &str) -> Result<(), Failure> {
        let mut parser = Parser::new_from_str(body);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(Failure::Scan)?;
            let span = self.span(span);
            match event {
                Event::DocumentEnd | Event::StreamEnd => break,
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
                Event::Alias(anchor) => self.alias(anchor, span)?,
                Event::Scalar(text, style, anchor, tag) => {
                    self.scalar(&text, style, anchor, tag.as_deref(), span)?
                }
                Event::SequenceStart(anchor, tag) => {
                    self.open(NodeKind::Sequence(Vec::new()), anchor, tag.as_deref(), span)?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.open(NodeKind::Mapping(Vec::new()), anchor, tag.as_deref(), span)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            }
        }
        Ok(())
    }

    fn byte(&self, mark: Marker) -> u32 {
        self.body_start + self.indents.byte(mark)
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        let start = self.byte(span.start);
        Span {
            file: self.file,
            start,
            end: self.byte(span.end).max(start),
        }
    }

    fn scan_error(&self, error: &ScanError) -> Box<Diagnostic> {
        let start = self.byte(*error.marker());
        let span = Span {
            file: self.file,
            start,
            end: start,
        };
        let message = format!("yaml: line {}: {}", error.marker().line(), error.info());
        Box::new(Diagnostic::error(Code::Yaml, span, message))
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Box<Diagnostic>> {
        if text.is_empty() && style == ScalarStyle::Plain {
            self.check_colon(span)?;
        }
        let id = self.push(
            NodeKind::Scalar(Scalar {
                text: text.into(),
                style,
            }),
            anchor,
            tag,
            span,
        );
        let kept = self.nodes.last().map_or(text, |node| {
            text::without_invented_newline(self.text, node, style, text)
        });
        if kept.len() < text.len()
            && let Some(node) = self.nodes.last_mut()
        {
            node.kind = NodeKind::Scalar(Scalar {
                text: kept.into(),
                style,
            });
        }
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

    /// `{a:, b}`: yaml.v3 takes the colon for a part of the key, YAML 1.2 for the end of it. `span` is that of the empty value.
    fn check_colon(&self, span: Span) -> Result<(), Box<Diagnostic>> {
        let (before, rest) = self
            .text
            .split_at_checked(span.start as usize)
            .unwrap_or((self.text, ""));
        let glued = rest
            .strip_prefix(':')
            .is_some_and(|rest| rest.starts_with([',', '[', ']', '{', '}']));
        if !glued || before.ends_with(['"', '\'']) {
            return Ok(());
        }
        let message = "yaml: a colon right in front of `,` or a bracket is not supported";
        Err(Box::new(
            Diagnostic::error(Code::Unsupported, span, message).help("put a blank behind the colon"),
        ))
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
        let most = limits::nodes_max(self.text.len());
        if size > most {
            let message = format!("yaml: more than {most} nodes, aliases included");
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
        Document {
            nodes: self.nodes,
            lines: Lines::new(self.text),
            text: Arc::clone(self.text),
            root,
        }
    }
}
