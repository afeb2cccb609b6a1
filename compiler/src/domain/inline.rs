//! A file that names `.rego` files in, the same YAML with their texts in it out; everything else stays byte for byte.
//!
//! No file is read here: the caller gets the names, reads, and hands the texts in.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use super::text::offset;
use super::yaml::{Document, NodeId, NodeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// The keys whose entries hold a Rego text.
const SECTIONS: &[&str] = &["policies", "policy-libraries", "mappers"];

/// Columns between a key and the lines of its block.
const BLOCK_INDENT: usize = 2;

/// One `rego_filename` of a file.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The file as named.
    pub name: Arc<str>,
    /// Where the name stands.
    pub span: Span,
    key: Span,
    /// Inside of braces or brackets, where no block may stand.
    in_flow: bool,
}

/// The first document of a YAML file, and what it refers to.
#[derive(Clone, Debug)]
pub struct References {
    file: FileId,
    text: Arc<str>,
    /// In the order of the file.
    pub list: Vec<Reference>,
    kind: Option<Span>,
    end: usize,
}

/// What [`References::inline`] makes.
#[derive(Clone, Debug, Default)]
pub struct Inlined {
    /// The YAML.
    pub text: String,
    /// For `SourceMap::add_inlined`.
    pub pieces: Vec<(u32, FileId, u32)>,
}

/// The text at `kind` in the top-level mapping of a file.
///
/// # Errors
/// The top of the document is neither a mapping nor empty.
pub fn kind(document: &Document) -> Result<Option<Arc<str>>, Box<Diagnostic>> {
    let mut problems = Vec::new();
    let top = document.node(document.root());
    let members = match &top.kind {
        NodeKind::Mapping(_) => document.members(document.root(), &mut problems),
        NodeKind::Scalar(scalar) if scalar.text.is_empty() => Vec::new(),
        _ => {
            let message = "yaml: the top level of a policy domain is a mapping";
            return Err(Box::new(Diagnostic::error(Code::Yaml, top.span, message)));
        }
    };
    if let Some(problem) = problems.into_iter().next() {
        return Err(Box::new(problem));
    }
    let named = members.iter().find(|(key, _)| is_key(document, *key, "kind"));
    Ok(named
        .and_then(|(_, value)| document.scalar(*value))
        .map(|scalar| Arc::clone(&scalar.text)))
}

/// Finds what a file refers to.
///
/// # Errors
/// An entry has both of `rego` and `rego_filename`, a name that is empty, an alias or no text, or
/// neither of the two where a Rego text must be.
pub fn references(document: &Document) -> Result<References, Box<Diagnostic>> {
    let text = &document.text;
    let mut walk = Walk {
        document,
        text,
        seen: HashSet::new(),
        found: Vec::new(),
    };
    walk.node(document.root(), None, false)?;
    let kind = match &document.node(document.root()).kind {
        NodeKind::Mapping(entries) => entries
            .iter()
            .find(|(key, _)| is_key(document, *key, "kind"))
            .filter(|(_, value)| document.scalar(*value).is_some())
            .map(|(_, value)| document.node(*value).span),
        _ => None,
    };
    let content_end = document.node(document.root()).span.end as usize;
    Ok(References {
        file: document.node(document.root()).span.file,
        text: Arc::clone(text),
        list: walk.found,
        kind,
        end: document_end(text, content_end),
    })
}

fn is_key(document: &Document, key: NodeId, name: &str) -> bool {
    document.scalar(key).is_some_and(|scalar| &*scalar.text == name)
}

/// The end of the first document: the line of the next marker, or the end of the file.
fn document_end(text: &str, content_end: usize) -> usize {
    let mut at = content_end;
    for line in text.get(content_end..).unwrap_or("").split_inclusive('\n') {
        let starts_line = at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
        let marker = line.get(..3).filter(|start| matches!(*start, "---" | "..."));
        let ends = line
            .get(3..)
            .is_some_and(|rest| rest.trim_start() != rest || rest.is_empty());
        if starts_line && marker.is_some() && ends {
            return at;
        }
        at += line.len();
    }
    text.len()
}

/// Where a file goes on behind its first document, which is all that is read of it.
#[must_use]
pub fn further_document(document: &Document) -> Option<Span> {
    let root = document.node(document.root()).span;
    let text = &document.text;
    let mut at = document_end(text, root.end as usize);
    for line in text.get(at..).unwrap_or("").split_inclusive('\n') {
        let words = line.trim();
        let is_empty = matches!(words, "" | "---" | "...") || words.starts_with('#');
        if !is_empty {
            return Some(Span {
                file: root.file,
                start: offset(at),
                end: offset(at + line.trim_end().len()),
            });
        }
        at += line.len();
    }
    None
}

struct Walk<'d> {
    document: &'d Document,
    text: &'d str,
    /// Nodes behind anchors are looked at once, where they stand.
    seen: HashSet<NodeId>,
    found: Vec<Reference>,
}

impl Walk<'_> {
    fn node(&mut self, id: NodeId, section: Option<&str>, in_flow: bool) -> Result<(), Box<Diagnostic>> {
        if !self.seen.insert(id) {
            return Ok(());
        }
        let document = self.document;
        let span = document.node(id).span;
        let start = value_start(self.text, span);
        let in_flow = in_flow
            || self
                .text
                .get(start..)
                .is_some_and(|text| text.starts_with(['{', '[']));
        match &document.node(id).kind {
            NodeKind::Scalar(_) => Ok(()),
            NodeKind::Sequence(items) => items
                .iter()
                .try_for_each(|item| self.node(*item, section, in_flow)),
            NodeKind::Mapping(entries) => {
                self.entry(id, entries, section, in_flow)?;
                entries.iter().try_for_each(|&(key, value)| {
                    let name = document.scalar(key).map(|scalar| &*scalar.text);
                    self.node(value, name, in_flow)
                })
            }
        }
    }

    /// Looks for a reference among the keys of one mapping.
    fn entry(
        &mut self,
        mapping: NodeId,
        entries: &[(NodeId, NodeId)],
        section: Option<&str>,
        in_flow: bool,
    ) -> Result<(), Box<Diagnostic>> {
        let document = self.document;
        let at = |name: &str| entries.iter().find(|(key, _)| is_key(document, *key, name));
        let refuse =
            |span: Span, message: &str| Err(Box::new(Diagnostic::error(Code::Domain, span, message)));
        let (rego, named) = (at("rego"), at("rego_filename"));
        let Some(&(key, value)) = named else {
            return match section.filter(|section| SECTIONS.contains(section)) {
                Some(section) if rego.is_none() => {
                    let message = format!("missing 'rego' or 'rego_filename' in '{section}' entry");
                    refuse(document.node(mapping).span, &message)
                }
                _ => Ok(()),
            };
        };
        let (key, span) = (document.node(key).span, document.node(value).span);
        if rego.is_some() {
            return refuse(
                key,
                "cannot specify both 'rego' and 'rego_filename' in the same block",
            );
        }
        let Some(name) = document.scalar(value) else {
            return refuse(span, "rego_filename must be the name of a file");
        };
        if span.start < key.end {
            return refuse(key, "rego_filename must be a name, not an alias");
        }
        if name.text.is_empty() {
            return refuse(key, "rego_filename cannot be empty");
        }
        self.found.push(Reference {
            name: Arc::clone(&name.text),
            span,
            key,
            in_flow,
        });
        Ok(())
    }
}

impl References {
    /// Writes `texts` – one for each of [`References::list`], with its file – into the YAML, and sets the kind. Line ends
    /// behind a text become one. Comments, order, anchors and layout of everything else stay.
    #[must_use]
    pub fn inline(&self, texts: &[(FileId, &str)]) -> Inlined {
        let mut writer = Writer {
            references: self,
            out: Inlined::default(),
            at: 0,
        };
        let mut edits: Vec<(Span, Option<usize>)> = self.kind.map(|span| (span, None)).into_iter().collect();
        edits.extend(self.list.iter().enumerate().map(|(nth, r)| (r.key, Some(nth))));
        edits.sort_by_key(|(span, _)| span.start);
        for (span, nth) in edits {
            writer.copy(span.start as usize);
            let reference = nth.and_then(|nth| Some((self.list.get(nth)?, texts.get(nth)?)));
            match reference {
                Some((reference, &(file, text))) => writer.rego(reference, file, text),
                None => writer.kind(span),
            }
        }
        writer.copy(self.end);
        writer.out
    }
}

struct Writer<'r> {
    references: &'r References,
    out: Inlined,
    /// How far the YAML is copied.
    at: usize,
}

impl Writer<'_> {
    fn source(&self) -> &str {
        &self.references.text
    }

    fn piece(&mut self, file: FileId, from: usize) {
        let at = offset(self.out.text.len());
        if self.out.pieces.last().is_some_and(|piece| piece.0 == at) {
            self.out.pieces.pop();
        }
        self.out.pieces.push((at, file, offset(from)));
    }

    /// Copies the YAML up to a byte of it.
    fn copy(&mut self, to: usize) {
        if to <= self.at {
            return;
        }
        self.piece(self.references.file, self.at);
        let text = Arc::clone(&self.references.text);
        self.out.text.push_str(text.get(self.at..to).unwrap_or(""));
        self.at = to;
    }

    /// Puts something else where a part of the YAML is.
    fn replace(&mut self, from: usize, to: usize, with: &str) {
        self.copy(from);
        self.piece(self.references.file, from);
        self.out.text.push_str(with);
        self.at = to;
    }

    fn kind(&mut self, span: Span) {
        let value = value_start(self.source(), span);
        self.replace(value, span.end as usize, "PolicyDomain");
    }

    fn rego(&mut self, reference: &Reference, file: FileId, text: &str) {
        let end = text.trim_end_matches('\n').len();
        let body = text.get(..end).unwrap_or("");
        let (key, value) = (reference.key, reference.span);
        self.replace(key.start as usize, key.end as usize, "rego");
        let start = value_start(self.source(), value);
        match self.block_place(reference, start).filter(|_| fits_block(body)) {
            Some((indent, line_end)) => {
                let header = if body.starts_with([' ', '\n']) {
                    format!("|{BLOCK_INDENT}")
                } else {
                    "|".to_owned()
                };
                self.replace(start, value.end as usize, &header);
                self.copy(line_end);
                self.out.text.push('\n');
                self.block(indent, file, body);
                self.at = (line_end + 1).min(self.source().len());
            }
            None => {
                self.replace(start, value.end as usize, "");
                self.quoted(file, body, !text.is_empty());
            }
        }
    }

    /// The column of the lines of a block and the end of the line that its header would be on, if the value may become a
    /// block: it stands on the line of its key with nothing but a comment behind it.
    fn block_place(&self, reference: &Reference, start: usize) -> Option<(usize, usize)> {
        let source = self.source();
        let key = reference.key.start as usize;
        let end = reference.span.end as usize;
        let line_start = source.get(..key)?.rfind('\n').map_or(0, |at| at + 1);
        let before = source.get(line_start..key)?;
        let is_block =
            before.trim_start_matches(['-', ' ', '?', '\u{feff}']).is_empty() || is_properties(before);
        let line_end = source.get(end..)?.find('\n').map_or(source.len(), |at| end + at);
        let rest = source.get(end..line_end)?.trim();
        let one_line = !source.get(key..end)?.contains('\n') && start <= end;
        let free = rest.is_empty() || rest.starts_with('#');
        (is_block && one_line && free && !reference.in_flow)
            .then(|| (before.chars().count() + BLOCK_INDENT, line_end))
    }

    fn block(&mut self, indent: usize, file: FileId, body: &str) {
        let mut from = 0;
        for line in body.split('\n') {
            if !line.is_empty() {
                self.out.text.extend(std::iter::repeat_n(' ', indent));
            }
            self.piece(file, from);
            self.out.text.push_str(line);
            self.out.text.push('\n');
            from += line.len() + 1;
        }
    }

    fn quoted(&mut self, file: FileId, body: &str, ends_line: bool) {
        self.out.text.push('"');
        let mut is_copying = false;
        for (at, c) in body.char_indices() {
            let plain = fits_plain(c) && !matches!(c, '"' | '\\' | '\t' | '\n');
            if !(is_copying && plain) {
                self.piece(file, at);
            }
            is_copying = plain;
            match c {
                '"' | '\\' => self.out.text.extend(['\\', c]),
                '\n' => self.out.text.push_str("\\n"),
                '\t' => self.out.text.push_str("\\t"),
                '\r' => self.out.text.push_str("\\r"),
                c if plain => self.out.text.push(c),
                // Writing to a `String` cannot fail.
                c => drop(write!(self.out.text, "\\U{:08X}", u32::from(c))),
            }
        }
        self.out.text.push_str(if ends_line { "\\n\"" } else { "\"" });
        let yaml = self.references.file;
        self.piece(yaml, self.at);
    }
}

/// Where a value starts behind its anchor and tag.
fn value_start(text: &str, span: Span) -> usize {
    let (mut at, end) = (span.start as usize, span.end as usize);
    while let Some(rest) = text.get(at..end)
        && rest.starts_with(['&', '!'])
    {
        let property = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let blank = rest.get(property..).unwrap_or("");
        at += rest.len() - blank.trim_start().len();
    }
    at
}

/// Whether what stands before a key on its line is an anchor or tag of its mapping behind dashes.
fn is_properties(before: &str) -> bool {
    let words = before.trim_start_matches(['-', ' ']);
    !words.is_empty() && words.split_whitespace().all(|word| word.starts_with(['&', '!']))
}

/// Characters that mean themselves in every YAML version.
fn fits_plain(c: char) -> bool {
    matches!(c, '\t' | '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// Whether a text reads back the same from a literal block. Lines of blanks alone at its start or end are left to quotes.
fn fits_block(body: &str) -> bool {
    let blank = |line: Option<&str>| {
        line.is_some_and(|line| !line.is_empty() && line.trim_matches([' ', '\t']).is_empty())
    };
    !body.is_empty()
        && body.chars().all(fits_plain)
        && !blank(body.split('\n').next())
        && !blank(body.rsplit('\n').next())
}
